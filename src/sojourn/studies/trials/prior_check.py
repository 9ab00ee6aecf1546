"""A belief beside a trial's data: what it made likely, what was seen, how much of the answer is its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit, ndtri

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trial_prior import PriorCheck, Reading
from sojourn.core.results.trials import Trial, TrialResult
from sojourn.estimators.bayes.model import Floats, ModelPrior
from sojourn.estimators.bayes.scaling import Parts, draw_parts, weighted_quantiles
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.conflict import conflict_p, model_scale
from sojourn.studies.trials.pairs import prior_on_model

#: Above this a part moves the answer (Kallioinen and others 2023).
SENSITIVE = 0.05
#: Below this belief and data disagree.
CONFLICT = 0.01
_DRAWS = 6000
#: The belief counted half and twice.
_POWERS = {"halved": 0.5, "doubled": 2.0}


def prior_check(
    result: TrialResult,
    trial: Trial,
    *,
    rng: np.random.Generator,
    rope: float = 0.0,
    threshold: float = 0.95,
) -> PriorCheck:
    """Examine the belief behind a result.

    Parameters
    ----------
    result : TrialResult
        From `compare_schemes`: its belief is examined.
    trial : Trial
        The trial it is of.
    rng : Generator
        Source of draws of the fast path.
    rope, threshold : float
        Of the plan: does the chance of a lift above `rope` exceed `threshold` however the belief counts?

    Returns
    -------
    PriorCheck
        Prior predictive intervals beside what was counted, power-scaling sensitivity of belief and data, and
        the answer when the belief counts half or twice.

    Raises
    ------
    ParameterError
        When the result is not of this trial.
    """
    in_range(threshold, "threshold", gt=0.5, lt=1)
    if result.schemes != trial.schemes:
        raise ParameterError(f"This result compares {', '.join(result.schemes)}; the trial has others.")
    arms = make_arms(trial, result.outcome)
    prior = prior_on_model(arms, result.prior)
    p_conflict = conflict_p(arms, result.prior)
    likely = _likely(arms, prior, result.prior, result.mass)
    rows = []
    for j, scheme in enumerate(trial.schemes[1:]):
        parts = draw_parts(arms.pair(j + 1).cell_data(), prior, _DRAWS, rng=rng)
        found = {name: float(values[j]) for name, values in likely.items()}
        moved = _moved(parts, result.mass, rope)
        reading = _reading(min(1.0, found["p_seen"] * len(arms.n[1:])), moved)
        rows.append({"scheme": scheme, **found, **moved, "reading": reading})
    return PriorCheck(
        outcome=result.outcome,
        kind=result.kind,
        words=result.words,
        currency=result.currency,
        control=result.control,
        mass=result.mass,
        prior=result.prior,
        table=pd.DataFrame(rows),
        p_conflict=p_conflict,
        rope=rope,
        threshold=threshold,
    )


def _likely(arms: Arms, prior: ModelPrior, belief: LiftPrior, mass: float) -> dict[str, Floats]:
    """Return what the belief makes likely of every scheme, and what was seen, on the scale of the outcome."""
    lift, variance = model_scale(arms)
    overall, error = lift @ arms.weights, np.sqrt(variance @ arms.weights**2)
    spread = np.hypot(prior.lift_sd, error)
    z = ndtri((1 + mass) / 2)
    schemes = np.ones_like(overall)
    control, seen = float(arms.mean[0] @ arms.weights), (arms.mean[1:] - arms.mean[0]) @ arms.weights
    expected = {
        f"expected_{end}": _natural(arms, prior.lift_mean + sign * z * spread)
        for end, sign in (("low", -1), ("high", 1))
    }
    return {
        "belief_low": (belief.mean - z * belief.sd) * schemes,
        "belief_high": (belief.mean + z * belief.sd) * schemes,
        **expected,
        "seen": seen,
        "p_seen": 2 * stats.norm.sf(np.abs(overall - prior.lift_mean) / spread),
        "outcome": control + seen,
        "outcome_low": control + expected["expected_low"],
        "outcome_high": control + expected["expected_high"],
    }


def _natural(arms: Arms, on_model: Floats) -> Floats:
    """Return lifts on the scale of the outcome: each stratum of control moved by as much."""
    if arms.kind == "value":
        return on_model
    base = (arms.n[0] * arms.mean[0] + 0.5) / (arms.n[0] + 1)
    moved: Floats = (expit(logit(base) + on_model[:, None]) - base) @ arms.weights
    return moved


def _moved(parts: Parts, mass: float, rope: float) -> dict[str, float]:
    """Return sensitivities, and the answer as it is and with the belief counted half or twice."""
    belief, data = parts.sensitivity()
    found = {"belief_sensitivity": belief, "data_sensitivity": data}
    even = np.full(parts.lift.size, 1 / parts.lift.size)
    found |= _answer("", parts.lift, even, mass, rope)
    worst = -np.inf
    for name, power in _POWERS.items():
        weights, khat = parts.at_power(power)
        found |= _answer(f"{name}_", parts.lift, weights, mass, rope)
        worst = max(worst, khat)
    return {**found, "pareto_k": worst}


def _answer(name: str, lift: Floats, weights: Floats, mass: float, rope: float) -> dict[str, float]:
    low, high = weighted_quantiles(lift, weights, ((1 - mass) / 2, (1 + mass) / 2))
    return {
        f"{name}lift": float(weights @ lift),
        f"{name}lift_low": low,
        f"{name}lift_high": high,
        f"p_{name}worth": float(weights @ (lift > rope)),
    }


def _reading(p_seen: float, moved: dict[str, float]) -> Reading:
    if p_seen < CONFLICT:
        return "belief and data disagree"
    belief, data = (moved[f"{part}_sensitivity"] >= SENSITIVE for part in ("belief", "data"))
    if belief:
        return "the belief matters" if data else "the belief decides"
    return "the data decide" if data else "belief and data agree"
