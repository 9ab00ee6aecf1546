"""Rules of common use, by name, and how often they ship something when no scheme does anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from scipy.special import ndtr

from sojourn.core.ranges import one_of
from sojourn.estimators.bayes.closed_form import p_best
from sojourn.estimators.bayes.model import Floats, ModelPrior
from sojourn.studies.trials.rule_posterior import Flags, lift_posterior
from sojourn.studies.trials.rule_worlds import Course

RuleName = Literal["R1", "R2", "expected loss", "lift above rope"]
#: A prior of lifts that says nothing (on a scale of shares).
_FLAT = ModelPrior(0, 1, 0, 1e6, 1)


def named_rule_rate(
    rule: RuleName,
    *,
    arms: int,
    looks: int,
    n: int,
    base: float,
    worlds: int,
    rng: np.random.Generator,
    threshold: float = 0.95,
    loss: float = 0.002,
    rope: float = 0.005,
) -> float:
    """Return how often a rule of common use ships something when no scheme does anything.

    Parameters
    ----------
    rule : str
        ``R1``: the first scheme whose probability to beat control exceeds the threshold at any look;
        ``R2``: whose joint probability to be best of all arms does; ``expected loss``: whose expected loss
        against the best arm is below `loss`; ``lift above rope``: whose probability of a lift above `rope`
        exceeds the threshold. All with Beta(1, 1) priors.
    arms, looks, n : int
        Arms with control, equally spaced looks, members per arm at the last one.
    base : float
        True share in every arm.
    worlds : int
        Simulated trials.
    rng : Generator
        Source of the trials.
    threshold, loss, rope : float
        Of the rule.
    """
    course = Course.even("binary", np.full(arms, n), base, np.ones(arms), looks=looks)
    judges: Mapping[str, Callable[[Floats, Floats], Flags]] = {
        "R1": lambda means, variances: _above(means, variances, 0.0) > threshold,
        "R2": lambda means, variances: _best(means, variances) > threshold,
        "expected loss": lambda means, variances: _loss(means, variances) < loss,
        "lift above rope": lambda means, variances: _above(means, variances, rope) > threshold,
    }
    judge = judges[one_of(rule, "rule", list(judges))]
    shipped = np.zeros(worlds, dtype=bool)
    for means, variances in course.seen(np.zeros(arms), worlds, rng):
        open_ = ~shipped
        shipped[open_] = judge(means[open_], variances[open_]).any(axis=1)
    return float(shipped.mean())


def _above(means: Floats, variances: Floats, bound: float) -> Floats:
    chance: Floats = ndtr(
        (means[:, 1:] - means[:, :1] - bound) / np.sqrt(variances[:, 1:] + variances[:, :1])
    )
    return chance


def _best(means: Floats, variances: Floats) -> Floats:
    return p_best(means, np.sqrt(variances))[:, 1:]


def _loss(means: Floats, variances: Floats) -> Floats:
    return lift_posterior(means, variances, "value", _FLAT).expected_loss()
