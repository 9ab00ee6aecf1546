"""The one model of this room: schemes by strata, with lifts shared over strata up to pooled deviations.

For scheme j (0 is control) and stratum s, on the scale of the model (log-odds or currency)::

    eta[j, s] = base[s] + lift[j] + tau * deviation[j, s]        (lift and deviation of control are 0)
    base[s] ~ Normal(base_mean, base_sd)    lift[j] ~ Normal(lift_mean, lift_sd)
    deviation[j, s] = e[j, s] - sum of e[j, :] weighted by the strata's sizes    e ~ Normal(0, 1)
    tau ~ HalfNormal(scale)

So two strata differ by as much whatever their sizes, and a scheme's `lift` is its average over members: how
strongly deviations are pooled hardly moves it, even where one stratum is an outlier.

Every unknown but tau is written as a standard normal (``z``), so ``eta = offset + matrix(tau) @ z``:
the fast path and the sampler work on the same few numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CellData:
    """What the likelihood knows of every cell; exactly one of the two halves is in use, the other is 0.

    Attributes
    ----------
    n, k : array (schemes, strata)
        Members, and those of whom a binary outcome is true.
    mean, precision : array (schemes, strata)
        Mean of a value and 1 / (its known sampling variance).
    weights : array (strata,)
        Share of every stratum among all members; sums to 1.
    """

    n: Floats
    k: Floats
    mean: Floats
    precision: Floats
    weights: Floats

    @classmethod
    def binary(cls, n: Floats, k: Floats, weights: Floats | None = None) -> CellData:
        """Return binomial cells: ``k`` of ``n``, on the scale of log-odds; strata weigh as they are large."""
        zero = np.zeros_like(n, dtype=float)
        weights = n.sum(axis=0) / n.sum() if weights is None else weights
        return cls(n.astype(float), k.astype(float), zero, zero, weights)

    @classmethod
    def value(cls, mean: Floats, variance: Floats, weights: Floats) -> CellData:
        """Return normal cells: a mean with the known variance of that mean, on the scale of the value."""
        zero = np.zeros_like(mean, dtype=float)
        return cls(zero, zero, mean.astype(float), 1 / variance, weights)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of schemes and strata."""
        schemes, strata = self.n.shape
        return schemes, strata

    def log_likelihood(self, eta: Floats) -> float:
        """Return the log-likelihood of the cells, without terms that do not depend on `eta`.

        ``k eta - n log(1 + exp(eta)) - precision (mean - eta)^2 / 2``, summed; equal to the likelihood of the
        members one by one up to a constant.
        """
        binomial = self.k * eta - self.n * np.logaddexp(0, eta)
        return float((binomial - self.precision * (self.mean - eta) ** 2 / 2).sum())

    def slope(self, eta: Floats) -> Floats:
        """Return the first derivative of the log-likelihood by `eta`, cell by cell."""
        return self.k - self.n * expit(eta) + self.precision * (self.mean - eta)

    def weight(self, eta: Floats) -> Floats:
        """Return minus the second derivative of the log-likelihood by `eta`, cell by cell."""
        rate = expit(eta)
        return self.n * rate * (1 - rate) + self.precision


@dataclass(frozen=True, slots=True)
class ModelPrior:
    """Prior on the scale of the model.

    Attributes
    ----------
    base_mean, base_sd : float
        Of the control's outcome in a stratum.
    lift_mean, lift_sd : float
        Of a scheme's lift.
    scale : float
        Of the half-normal prior of tau, the scale of a stratum's deviation.
    """

    base_mean: float
    base_sd: float
    lift_mean: float
    lift_sd: float
    scale: float


@dataclass(frozen=True, slots=True)
class Design:
    """Linear map from standard normals to cells; cells run over schemes, strata within schemes.

    Attributes
    ----------
    offset : array (cells,)
        `eta` where every standard normal is 0.
    fixed : array (cells, unknowns)
        Part of the map that does not depend on tau: bases and lifts.
    deviation : array (cells, unknowns)
        Part that is multiplied by tau.
    """

    offset: Floats
    fixed: Floats
    deviation: Floats

    @property
    def unknowns(self) -> int:
        """Number of standard normals."""
        return int(self.fixed.shape[1])

    def matrix(self, tau: float) -> Floats:
        """Return the map at one scale of deviations."""
        return self.fixed + tau * self.deviation


def make_design(schemes: int, weights: Floats, prior: ModelPrior) -> Design:
    """Return the design of a trial: a base per stratum, ``schemes - 1`` lifts, then the deviations.

    Parameters
    ----------
    schemes : int
        At least 2.
    weights : array (strata,)
        Share of every stratum; with one stratum there are no deviations.
    prior : ModelPrior
        Prior on the scale of the model.
    """
    strata = weights.size
    base = np.kron(np.ones((schemes, 1)), np.eye(strata)) * prior.base_sd
    treated = np.eye(schemes)[:, 1:]
    lift = np.kron(treated, np.ones((strata, 1))) * prior.lift_sd
    deviation = np.kron(treated, deviations(weights))
    blank = np.zeros_like
    has_lift = np.repeat(treated.sum(axis=1), strata)
    offset: Floats = prior.base_mean + has_lift * prior.lift_mean
    return Design(
        offset,
        np.hstack([base, lift, blank(deviation)]),
        np.hstack([blank(base), blank(lift), deviation]),
    )


def deviations(weights: Floats) -> Floats:
    """Return a map (strata, strata - 1) from standard normals to deviations of weighted mean zero.

    Deviations are ``(I - 1 w') e`` with independent standard normals e. Constants drop out of that, so e
    may be taken from a Helmert basis of the vectors that sum to zero.
    """
    size = weights.size
    basis: Floats = np.zeros((size, size - 1))
    for column in range(size - 1):
        basis[: column + 1, column] = 1
        basis[column + 1, column] = -(column + 1)
    basis /= np.linalg.norm(basis, axis=0)
    return basis - weights @ basis


def expit(x: Floats) -> Floats:
    """Return ``1 / (1 + exp(-x))`` without overflow."""
    tail = np.exp(-np.abs(x))
    rate: Floats = np.where(x >= 0, 1.0, tail) / (1 + tail)
    return rate
