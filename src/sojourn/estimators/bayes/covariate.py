"""Regression on what was known before assignment, from sums only.

In each scheme the outcome is regressed on the same member's past within strata, and every scheme is read off
where all members together stand (Deng, Xu, Kohavi and Walker 2013; by scheme as in Lin 2013). Assignment was
random, so the past is the same in all schemes but for chance: what is taken away is that chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.estimators.bayes.model import Floats


@dataclass(frozen=True, slots=True)
class Crossed:
    """Sums over members; every array is schemes (control first) by strata.

    Attributes
    ----------
    n, total, total_sq : array
        Members, and sums of the outcome and of its square.
    before, before_sq, cross : array
        Sums of what was before assignment, of its square, and of its product with the outcome.
    """

    n: Floats
    total: Floats
    total_sq: Floats
    before: Floats
    before_sq: Floats
    cross: Floats

    def within(self) -> tuple[Floats, Floats, Floats]:
        """Return sums of squares and products around cell means: outcome, both, past."""
        return (
            np.maximum(self.total_sq - self.total**2 / self.n, 0),
            self.cross - self.total * self.before / self.n,
            np.maximum(self.before_sq - self.before**2 / self.n, 0),
        )


@dataclass(frozen=True, slots=True)
class Regressed:
    """Adjusted means of one outcome.

    Attributes
    ----------
    mean, variance : array (schemes, strata)
        Mean outcome where all members of the stratum stand, and the variance that one member's outcome has
        around the regression, so that ``variance / n`` is that of the mean.
    slope : array (schemes,)
        Outcome per unit of what was before.
    explained : array (schemes,)
        Share of the variance within strata that the past explains.
    gap, gap_sd : array (schemes,)
        Difference of what was before from control's, standardised over strata, and its standard error.
    spread : float
        Standard deviation of what was before, within schemes and strata.
    """

    mean: Floats
    variance: Floats
    slope: Floats
    explained: Floats
    gap: Floats
    gap_sd: Floats
    spread: float


def regress(sums: Crossed) -> Regressed:
    """Adjust the means of all schemes and strata for what was known before assignment.

    Notes
    -----
    One slope per scheme, over strata: ``b = S_xy / S_xx`` of sums around cell means, the least-squares fit of
    the outcome on strata and past with everything interacted with the scheme except strata with past. The
    mean of a cell is ``y - b (x - X)`` with X the mean past of all members of the stratum. Where slopes
    differ between schemes, X itself is random: ``(b_j - b_0)^2 Var(X)`` is added to the scheme's variance.
    """
    yy, xy, xx = sums.within()
    n, (schemes, strata) = sums.n, sums.n.shape
    slope = np.divide(xy.sum(axis=1), xx.sum(axis=1), out=np.zeros(schemes), where=xx.sum(axis=1) > 0)
    everyone = sums.before.sum(axis=0) / n.sum(axis=0)
    own = sums.before / n
    by = slope[:, None]
    residual = yy - 2 * by * xy + by**2 * xx
    freedom = n.sum(axis=1, keepdims=True) - strata
    variance = residual / (n - 1) * freedom / (freedom - 1)
    of_past = xx.sum(axis=0) / (n - 1).sum(axis=0)
    variance = variance + n * (by - slope[0]) ** 2 * of_past / n.sum(axis=0)
    weights = n.sum(axis=0) / n.sum()
    error = (xx / (n - 1) / n) @ weights**2
    total = yy.sum(axis=1)
    return Regressed(
        mean=sums.total / n - by * (own - everyone),
        variance=variance,
        slope=slope,
        explained=1 - np.divide(residual.sum(axis=1), total, out=np.ones(schemes), where=total > 0),
        gap=(own - own[0]) @ weights,
        gap_sd=np.sqrt(error + error[0]),
        spread=float(np.sqrt(xx.sum() / (n - 1).sum())),
    )
