"""Effects of being assigned a scheme, and of being reached by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sojourn.core.ranges import in_range
from sojourn.core.results.trial_after import Compliance
from sojourn.core.results.trials import Trial, plain_scheme
from sojourn.studies.trials.normal_bounds import Floats, bounded
from sojourn.studies.trials.told import told_of

#: Members who are reached, and who are not, that a scheme needs.
_ENOUGH = 10


def compliance(trial: Trial, outcome: str, *, mass: float, scheme: str | None = None) -> Compliance:
    """Return the lift of being assigned, and of being reached for those whom assignment reaches.

    Parameters
    ----------
    trial : Trial
        Its cells need the table ``exposed``: who had anything of the scheme booked.
    outcome : str
        A binary outcome of the trial.
    mass : float
        Probability mass of every interval, in (0, 1).
    scheme : str, optional
        The scheme that is told of; the one with the largest lift when not given.

    Returns
    -------
    Compliance
        Intention to treat first; the second effect is missing, with the reason, where nobody or everybody was
        reached.

    Notes
    -----
    The instrument is the lot: the difference in the outcome over the difference in being reached [1]_, both
    averaged over strata as they occur among all members; variance by the delta method. It is the effect on
    those who are reached because they were assigned, if assignment does nothing to those it does not reach
    and keeps nobody from being reached.

    .. [1] Angrist, J., Imbens, G., Rubin, D. (1996). Identification of causal effects using instrumental
       variables. Journal of the American Statistical Association 91, 444-455.
    """
    in_range(mass, "mass", gt=0, lt=1)
    about = (trial.name, trial.control, outcome, trial.words(outcome), mass)
    empty = Compliance(*about, scheme=told_of(trial, scheme))
    cells = trial.other("exposed")
    cells = cells[cells["outcome"] == outcome] if not cells.empty else cells
    if cells.empty:
        return replace(empty, why_empty="These cells do not say whom a scheme reached.")
    n, k = (_grid(trial, cells, name) for name in ("n", "k"))
    if (n.sum(axis=2) < 2).any():
        return replace(empty, why_empty="A scheme has no members in a stratum, so nothing is compared.")
    return replace(empty, table=_table(trial, n, k, mass))


def _grid(trial: Trial, cells: pd.DataFrame, name: str) -> Floats:
    """Return counts by scheme, stratum and whether reached (no, yes)."""
    strata = sorted(set(cells["stratum"]))
    index = pd.MultiIndex.from_product([trial.schemes, strata, ["no", "yes"]])
    summed = cells.groupby(["scheme", "stratum", "exposed"])[name].sum().reindex(index, fill_value=0)
    grid: Floats = summed.to_numpy(float).reshape(len(trial.schemes), len(strata), 2)
    return grid


def _table(trial: Trial, n: Floats, k: Floats, mass: float) -> pd.DataFrame:
    members = n.sum(axis=2)
    weights = members.sum(axis=0) / members.sum()
    outcome, reached, joint = k.sum(axis=2) / members, n[..., 1] / members, k[..., 1] / members
    squares = weights**2 / members
    mean, share = outcome @ weights, reached @ weights
    of_outcome = (outcome * (1 - outcome) * squares).sum(axis=1)
    of_share = (reached * (1 - reached) * squares).sum(axis=1)
    shared = ((joint - outcome * reached) * squares).sum(axis=1)
    rows = []
    for place, scheme in enumerate(trial.schemes[1:], start=1):
        pair = [place, 0]
        lift, more = mean[place] - mean[0], share[place] - share[0]
        spread, of_reach, both = (float(part[pair].sum()) for part in (of_outcome, of_share, shared))
        own = n[place, :, :].sum(axis=0)
        why = _why_not(own, scheme, trial.control, more, of_reach)
        told = bounded("lift", lift, spread, mass)
        told |= (
            ratio(lift, more, (spread, of_reach, both), mass)
            if not why
            else bounded("lift_of_reached", np.nan, 0, mass)
        )
        rows.append(
            {
                "scheme": scheme,
                "n": int(members[pair].sum()),
                "reached_share": share[place],
                "reached_under_control_share": share[0],
                **{name: float(value) for name, value in told.items()},
                "why_not": why,
            }
        )
    return pd.DataFrame(rows)


def _why_not(own: Floats, scheme: str, control: str, more: float, variance: float) -> str:
    """Return why the effect of being reached is not defined; empty where it is."""
    name = plain_scheme(scheme)
    if own[1] < _ENOUGH:
        return f"Nothing of {name} was booked for its members, so nobody is known to be reached."
    if own[0] < _ENOUGH and more > 1 - 1e-3:
        return f"All members of {name} were reached, so both effects are one."
    if more <= 3 * np.sqrt(variance):
        return f"Members of {name} are hardly reached more often than those of {plain_scheme(control)}."
    return ""


def ratio(lift: float, more: float, variances: tuple[float, float, float], mass: float) -> dict[str, Floats]:
    """Return the lift of those reached, with its interval by the delta method.

    Parameters
    ----------
    lift, more : float
        Differences from control in the outcome and in being reached.
    variances : tuple of 3 float
        Of both, and their covariance.
    mass : float
        Probability mass of the interval.
    """
    effect = lift / more
    spread = variances[0] - 2 * effect * variances[2] + effect**2 * variances[1]
    return bounded("lift_of_reached", effect, spread / more**2, mass)
