"""How well a law of lifetimes describes the cells it was fitted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]

#: Numbers of leavers are compared in at most so many bins, each with at least so many expected.
BINS, LEAST = 12, 10.0


@dataclass(frozen=True, slots=True)
class Goodness:
    """A law beside the counts.

    Attributes
    ----------
    p : float
        Probability of a Pearson statistic at least this large if the law holds; not a number where there are
        too few leavers for more bins than parameters.
    gap : float
        Largest distance of its survival curve from the Kaplan-Meier curve.
    gap_at : int
        The duration of that gap.
    """

    p: float
    gap: float
    gap_at: int


def goodness(survival: Callable[[Floats], Floats], risk: RiskSet, free: int) -> Goodness:
    """Return how well a law describes a risk set.

    Parameters
    ----------
    survival : function
        Share still there at whole durations >= 0.
    risk : RiskSet
        Counts on whole durations.
    free : int
        Number of parameters that were estimated.

    Notes
    -----
    Leavers of each bin of durations against the sum over its days of at risk times the law's hazard, with its
    binomial variance; chi-squared with bins less parameters (Hjort 1990, Int. Stat. Rev. 58, 355-387). Bins
    hold about equal numbers of expected leavers. Leaving at 0 has a parameter of its own and is left out.
    """
    day = np.arange(len(risk), dtype=np.float64)
    share = survival(day)
    distance = np.abs(product_limit(risk) - share)
    hazard = 1 - share[1:] / share[:-1]
    expected = risk.at_risk[1:] * hazard
    bins = int(min(BINS, expected.sum() // LEAST))
    degrees = bins - free
    p = float("nan")
    if degrees > 0:
        edge = np.minimum((np.cumsum(expected) * bins / expected.sum()).astype(np.int64), bins - 1)
        seen, due, spread = (
            np.bincount(edge, weights, bins)
            for weights in (risk.churned[1:], expected, expected * (1 - hazard))
        )
        p = float(chi2.sf(float(((seen - due) ** 2 / np.maximum(spread, 1e-300)).sum()), degrees))
    return Goodness(p, float(distance.max()), int(distance.argmax()))
