"""Outcomes that a scheme may not make worse: refusing messages, leaving, or any other share of members."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sojourn.core.errors import UndefinedError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_outcomes import Guardrails
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trials import Trial, TrialResult
from sojourn.studies.trials.arms import make_arms
from sojourn.studies.trials.compare import compare_schemes

#: Outcomes of which more is worse; of all others fewer is.
MORE_IS_WORSE = frozenset({"opted_out"})
#: Belief of a scheme's effect on a guarded outcome: nine in ten change its odds by less than this factor.
ODDS, ODDS_MASS = 2.0, 0.9


def guardrails(
    trial: Trial,
    margins: Mapping[str, float],
    *,
    risk: float,
    mass: float,
    rng: np.random.Generator,
    more_is_worse: frozenset[str] = MORE_IS_WORSE,
) -> Guardrails:
    """Judge binary outcomes that may not get worse by more than a margin, for every scheme.

    Parameters
    ----------
    trial : Trial
        Outcomes that it does not have, or that are the same for everybody, are left out.
    margins : mapping of str to float
        By binary outcome, the share of members by which it may get worse.
    risk : float
        A guardrail is broken when it is worse by more than the margin with more than this probability.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    more_is_worse : set of str
        Outcomes of which more is worse.

    Notes
    -----
    `compare_schemes` with a belief around no effect: nine schemes in ten change the odds of an outcome by
    less than a factor of 2, which is possible at any base rate.
    """
    in_range(risk, "risk", gt=0, lt=1)
    tables = []
    for outcome, margin in sorted(margins.items()):
        in_range(margin, outcome, ge=0)
        result = _compared(trial, outcome, mass, rng)
        if result is not None:
            bad = "more" if outcome in more_is_worse else "fewer"
            tables.append(_judged(result, margin, risk, bad))
    if not tables:
        return Guardrails(
            trial.control, mass, risk, why_empty="No outcome is guarded that these cells count."
        )
    return Guardrails(trial.control, mass, risk, pd.concat(tables, ignore_index=True))


def _compared(trial: Trial, outcome: str, mass: float, rng: np.random.Generator) -> TrialResult | None:
    """Return the comparison of an outcome; nothing where it was not counted or is the same for all."""
    if trial.outcomes.get(outcome) != "binary":
        return None
    try:
        arms = make_arms(trial, outcome)
    except UndefinedError:
        return None
    share = arms.n[0] / arms.n[0].sum()
    return compare_schemes(trial, outcome, prior=belief_at(float(arms.mean[0] @ share)), mass=mass, rng=rng)


def belief_at(base: float) -> LiftPrior:
    """Return the belief in a change of odds as one in absolute lifts at a base rate in (0, 1)."""
    low, high = (base * odds / (1 - base + base * odds) - base for odds in (1 / ODDS, ODDS))
    return LiftPrior.from_belief(low=low, high=high, mass=ODDS_MASS)


def _judged(result: TrialResult, margin: float, risk: float, bad: str) -> pd.DataFrame:
    table = result.table.iloc[1:][["scheme", "lift", "lift_low", "lift_high"]].reset_index(drop=True)
    harm = [
        result.p_above(scheme, margin) if bad == "more" else 1 - result.p_above(scheme, -margin)
        for scheme in table["scheme"]
    ]
    table.insert(0, "outcome", result.outcome)
    table.insert(1, "words", result.words)
    table.insert(2, "bad", bad)
    verdicts = ["broken" if p > risk else "held" for p in harm]
    return table.assign(margin_share=margin, p_harm=harm, verdict=verdicts)
