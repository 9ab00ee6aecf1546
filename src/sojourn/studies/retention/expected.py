"""Where the next losses are expected: members with us, by what was known at joining; only behind the gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.results.retention_expected import ExpectedLosses
from sojourn.core.results.retention_gate import Gate
from sojourn.estimators.survival.hazard_model import HazardModel, exposure, hazard_model
from sojourn.studies.retention.patterned import Patterned, patterned

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def expected_losses(
    cells: Cells, gate: Gate, *, within: int = 0, mass: float = 0.95, min_group: int = 20
) -> ExpectedLosses:
    """Return how many of those with us are expected to leave, where the gate is open.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``, with the table ``patterns``.
    gate : Gate
        What became of earlier predictions; closed, it lets nothing through.
    within : int
        How far ahead, in days; not stated: as far as the gate looked.
    mass : float
        Mass of the prediction intervals.
    min_group : int
        Levels with fewer members with us are left out.

    Notes
    -----
    The number of leavers varies as a sum of independent events, and the model's coefficients by their
    covariance (delta method): both stand in the normal interval. Members are those still with us at the end
    of their follow-up.
    """
    unit, leaving = cells.meta["unit"], cells.meta["leaving"]
    if not gate.open:
        why = gate.why_empty or "Predictions for kinds of members did not pass their examination."
        return ExpectedLosses(unit, within, mass, why_empty=why, leaving=leaving)
    within = within or int(gate.table["duration"].max())
    try:
        known = patterned(cells, min_group=min_group)
        model = hazard_model(exposure(known.counts, len(known.frame)), known.design.matrix, names=known.names)
        there = _there(known, model, within)
    except UndefinedError as reason:
        return ExpectedLosses(unit, within, mass, why_empty=str(reason), leaving=leaving)
    everybody = _leavers(model, there, np.ones(len(there.n), dtype=bool), mass)
    return ExpectedLosses(
        unit=unit,
        within=within,
        mass=mass,
        members=int(there.n.sum()),
        too_old=there.too_old,
        total=everybody,
        table=_by_level(known, model, there, mass, min_group),
        leaving=leaving,
    )


@dataclass(frozen=True, slots=True)
class _There:
    """Members with us whose next days can be predicted, by pattern and age.

    Attributes
    ----------
    pattern, n : array of int, one entry per kind
        Row of the design, and members.
    x, hazard : array, kinds x terms and kinds x pieces
        Covariates, and the cumulative hazard ahead that falls into each piece.
    too_old : int
        Members who cannot be predicted.
    """

    pattern: Counts
    n: Counts
    x: Floats
    hazard: Floats
    too_old: int

    @property
    def leaves(self) -> Floats:
        """Probability of leaving."""
        return np.asarray(-np.expm1(-self.hazard.sum(axis=1)))


def _there(known: Patterned, model: HazardModel, within: int) -> _There:
    """Return members whose follow-up ended with them still there: they are censored at their age."""
    counts = known.counts
    young = (counts.censored > 0) & (counts.day + within <= model.followed_to)
    if not young.any():
        raise UndefinedError(f"Nobody was followed long enough to expect anything of the next {within} days.")
    pattern, age, n = counts.pattern[young], counts.day[young], counts.censored[young]
    x = known.design.matrix[pattern]
    hazard = model.hazards(x) * (model.days(age + within) - model.days(age))
    return _There(pattern, n, x, hazard, int(counts.censored.sum() - n.sum()))


def _leavers(model: HazardModel, there: _There, chosen: NDArray[np.bool_], mass: float) -> Interval:
    """Return how many of some members are expected to leave, with the interval of their number."""
    n, leaves = there.n * chosen, there.leaves
    weight = (n * (1 - leaves))[:, None] * there.hazard
    gradient = np.zeros(len(model.theta))
    gradient[: weight.shape[1]] = weight.sum(axis=0)
    np.add.at(gradient, model.effects, weight.T @ there.x)
    value = float(n @ leaves)
    variance = float(n @ (leaves * (1 - leaves)) + gradient @ model.covariance @ gradient)
    reach = standard_errors(mass) * variance**0.5
    return Interval(value, max(value - reach, 0.0), min(value + reach, float(n.sum())), mass, "prediction")


def _by_level(
    known: Patterned, model: HazardModel, there: _There, mass: float, min_group: int
) -> pd.DataFrame:
    rows = []
    for place, column in enumerate(known.design.columns):
        codes = known.design.codes[there.pattern, place]
        for code, level in enumerate(known.design.levels[column]):
            chosen = codes == code
            members = int(there.n[chosen].sum())
            if members >= min_group:
                expected = _leavers(model, there, chosen, mass)
                rows.append(
                    {
                        "column": column,
                        "level": level,
                        "members": members,
                        "p_leaving": expected.value / members,
                        "p_leaving_low": expected.low / members,
                        "p_leaving_high": expected.high / members,
                        "leavers": expected.value,
                    }
                )
    table = pd.DataFrame(rows)
    order = {column: place for place, column in enumerate(known.design.columns)}
    return table.sort_values(
        ["column", "p_leaving"],
        key=lambda values: values.map(order) if values.name == "column" else -values,
        ignore_index=True,
        kind="stable",
    )
