"""Whether a model could have produced the cells it was fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.arms import Arms

#: Draws used for the predictive check; its p-value then has a simulation error below .01.
_DRAWS = 4000


def predictive_p(arms: Arms, pairs: Sequence[Floats], *, rng: np.random.Generator) -> float:
    """Return the posterior predictive p-value of the cells' chi-square distance from the model.

    That of the pair of control and scheme that fits worst, times the number of pairs.

    Parameters
    ----------
    arms : Arms
        What was observed.
    pairs : sequence of array (draws, 2, strata)
        Posterior draws of each cell's share or mean, one per scheme but control.
    rng : Generator
        Source of the replications.

    Notes
    -----
    For every draw the distance of the observed means is compared with that of replicated ones
    (Gelman, Meng and Stern 1996). Cells are their own data, so the p-value is conservative.
    """
    found = [_of_pair(arms.pair(j), means, rng=rng) for j, means in enumerate(pairs, start=1)]
    return min(1.0, len(found) * min(found))


def _of_pair(arms: Arms, means: Floats, *, rng: np.random.Generator) -> float:
    means = means[:: max(1, len(means) // _DRAWS)]
    if arms.kind == "binary":
        variance = means * (1 - means) / arms.n
        replicated = rng.binomial(arms.n.astype(np.int64), means) / arms.n
    else:
        variance = np.broadcast_to(arms.smoothed_variance() / arms.n, means.shape)
        replicated = means + np.sqrt(variance) * rng.standard_normal(means.shape)
    observed = ((arms.mean - means) ** 2 / variance).sum(axis=(1, 2))
    expected = ((replicated - means) ** 2 / variance).sum(axis=(1, 2))
    return float((expected >= observed).mean())
