"""The law of lifts of a case's own trials."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.core.cells import Cells
from sojourn.core.results.trial_prior import PastLifts
from sojourn.estimators.bayes.by_lot import CONTROLS, LEAST
from sojourn.studies.portfolio.effects import described, outcomes, trial_effects
from sojourn.studies.portfolio.priors import prior_from_past


def past_lifts(
    cells: Cells,
    outcome: str,
    *,
    mass: float = 0.95,
    control: str | Sequence[str] = CONTROLS,
    min_group: int = LEAST,
) -> PastLifts:
    """Learn a law of lifts from all trials of a case, as a belief for the next one.

    Parameters
    ----------
    cells : Cells
        With the table ``trials``; see `trial_effects`.
    outcome : str
        The outcome.
    mass : float
        Probability mass of every interval.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.
    min_group : int
        Schemes with fewer members who can be judged are left out.

    Returns
    -------
    PastLifts
        In shares, or in the currency of the case; empty where there are too few trials.
    """
    known = described(cells, outcome)
    unit = "share" if known["kind"] == "binary" else known["currency"] or "per member"
    if outcome not in outcomes(cells):
        return PastLifts(
            0, 0, unit, mass, why_empty="There are no cells of several trials with this outcome."
        )
    effects = trial_effects(cells, outcome, control=control, min_group=min_group)
    return prior_from_past(effects, unit=unit, mass=mass)
