"""Whether lifts and strata lie where the belief expected them."""

from __future__ import annotations

import numpy as np
from scipy import stats

from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.arms import Arms
from sojourn.studies.trials.pairs import prior_on_model

#: Midpoints in probability of the half-normal scale of deviations, in units of its prior.
_SCALES: Floats = stats.halfnorm.ppf((np.arange(400) + 0.5) / 400)


def conflict_p(arms: Arms, belief: LiftPrior) -> float:
    """Return the prior predictive p-value of the most surprising lift or stratum (Bonferroni).

    A lift is normal beforehand. A stratum's deviation from it is normal with a half-normal scale, so its
    tail is that of the mixture.
    """
    prior = prior_on_model(arms, belief)
    lift, variance = model_scale(arms)
    weights = arms.weights
    overall, overall_variance = lift @ weights, variance @ weights**2
    p_lift: Floats = 2 * stats.norm.sf(
        np.abs(overall - prior.lift_mean) / np.sqrt(prior.lift_sd**2 + overall_variance)
    )
    worst: float = float(p_lift.min()) * p_lift.size
    if weights.size == 1:
        return min(1.0, worst)
    own = 1 - 2 * weights
    error = own * variance + overall_variance[:, None]
    away = (own + weights @ weights) * (prior.scale * _SCALES[:, None, None]) ** 2
    p_strata: Floats = (2 * stats.norm.sf(np.abs(lift - overall[:, None]) / np.sqrt(away + error))).mean(
        axis=0
    )
    return min(1.0, 2 * worst, 2 * float(p_strata.min()) * p_strata.size)


def model_scale(arms: Arms) -> tuple[Floats, Floats]:
    """Return raw lifts and their variances by stratum, on the scale of the model (schemes - 1, strata)."""
    if arms.kind == "value":
        means, variance = arms.mean, arms.smoothed_variance() / arms.n
    else:
        share = (arms.n * arms.mean + 0.5) / (arms.n + 1)
        means, variance = np.log(share / (1 - share)), 1 / (arms.n * share * (1 - share))
    return means[1:] - means[0], variance[1:] + variance[0]
