"""Every scheme judged from control and its own members only, and all schemes in one joint posterior.

With one model over all schemes a poor scheme would make the others look good: lifts are believed to lie near
0, so ten members in 100 fewer would be explained in part by a control that is worse than it was counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from sojourn.core.results.trial_plan import LiftPrior
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, Floats, ModelPrior, expit
from sojourn.studies.trials.arms import Arms

#: Standard deviation of a stratum's base rate in log-odds: from a tenth to ten times control's odds.
_BASE_SD = 1.5


def prior_on_model(arms: Arms, prior: LiftPrior) -> ModelPrior:
    """Return a belief on the scale of the model, mapped at the control's share or mean.

    The base of a stratum is wide around it: 1.5 in log-odds, or one member's standard deviation.
    """
    share = arms.n[0] / arms.n[0].sum()
    control = float(arms.mean[0] @ share)
    if arms.kind == "binary":
        mean, sd = prior.on_logit(control)
        return ModelPrior(math.log(control / (1 - control)), _BASE_SD, mean, sd, prior.spread * sd)
    spread = float((arms.variance[0] + (arms.mean[0] - control) ** 2) @ share)
    return ModelPrior(control, math.sqrt(spread), prior.mean, prior.sd, prior.spread * prior.sd)


def draw_pairs(arms: Arms, prior: ModelPrior, size: int, *, rng: np.random.Generator) -> list[Floats]:
    """Return posterior draws of control and each scheme by the fast path, pair by pair.

    Returns
    -------
    list of array (size, 2, strata)
        Shares or means, control first.
    """
    return each_pair(arms, lambda data: fit(data, prior).draw(size, rng=rng))


def each_pair(arms: Arms, draw: Callable[[CellData], Floats]) -> list[Floats]:
    """Return draws of `draw` for every pair of control and scheme, as shares or means."""
    drawn = [draw(arms.pair(scheme).cell_data()) for scheme in range(1, len(arms.n))]
    return [expit(eta) if arms.kind == "binary" else eta for eta in drawn]


def joined(pairs: Sequence[Floats], weights: Floats, *, rng: np.random.Generator) -> Floats:
    """Return one joint posterior of all schemes from those of the pairs.

    Given the control's level the schemes are independent, and each pair knows that level from the same
    members: draws of all pairs are matched by the rank of their control. Every scheme's lift keeps the
    posterior of its pair; control itself is the mean of the matched draws.

    Parameters
    ----------
    pairs : sequence of array (draws, 2, strata)
        Control first.
    weights : array (strata,)
        Share of every stratum.
    rng : Generator
        Source of the order in which draws are given.

    Returns
    -------
    array (draws, schemes, strata)
    """
    ranked = [pair[np.argsort(pair[:, 0] @ weights, kind="stable")] for pair in pairs]
    control = np.mean([pair[:, 0] for pair in ranked], axis=0)
    means = np.stack([control, *(control + pair[:, 1] - pair[:, 0] for pair in ranked)], axis=1)
    shuffled: Floats = means[rng.permutation(len(means))]
    return shuffled
