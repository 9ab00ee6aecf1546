"""The law of lifts of a case's own trials."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.core.cells import Cells
from sojourn.core.results.trial_prior import PastLifts
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.past_effects import CONTROLS, described, outcomes, trial_effects
from sojourn.studies.trials.priors import prior_from_past


def past_lifts(
    source: Cells | Trial,
    outcome: str,
    *,
    mass: float = 0.95,
    control: str | Sequence[str] = CONTROLS,
) -> PastLifts:
    """Learn a law of lifts from all trials of a case, as a belief for the next one.

    Parameters
    ----------
    source : Cells or Trial
        With the table ``trials``; see `trial_effects`.
    outcome : str
        The outcome.
    mass : float
        Probability mass of every interval.
    control : str or sequence of str
        Scheme with which the others of a trial are compared: the first of these names that the trial has.

    Returns
    -------
    PastLifts
        In shares, or in the currency of the case; empty where there are too few trials.
    """
    known = described(source, outcome)
    unit = "share" if known["kind"] == "binary" else known["currency"] or "per member"
    if outcome not in outcomes(source):
        return PastLifts(
            0, 0, unit, mass, why_empty="There are no cells of several trials with this outcome."
        )
    return prior_from_past(trial_effects(source, outcome, control=control), unit=unit, mass=mass)
