"""Laws of lifetimes: log T = location + scale W, with the law of W in closed form and its derivatives.

Everything is on the log scale, so that neither end of a law underflows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammainc, gammaincc, gammainccinv, gammaincinv, gammaln, log_ndtr, ndtri

Floats = NDArray[np.float64]

_HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))
#: Shapes of the generalised gamma nearer to 0 than this are the log-normal: the error is below the shape.
_NORMAL = 1e-6
#: Exponents above this overflow; the density there is 0 to the last bit.
_OVERFLOW = 700.0
#: From here on Stirling's series is exact to the last bit with three terms.
_STIRLING = 100.0


class Law(Protocol):
    """Law of W; every method takes and returns arrays of one shape."""

    def log_sf(self, z: Floats) -> Floats:
        """Return log P(W > z)."""

    def log_cdf(self, z: Floats) -> Floats:
        """Return log P(W <= z)."""

    def log_pdf(self, z: Floats) -> Floats:
        """Return the log density."""

    def slope(self, z: Floats) -> Floats:
        """Return the derivative of the log density."""

    def curve(self, z: Floats) -> Floats:
        """Return the second derivative of the log density."""

    def isf(self, p: Floats) -> Floats:
        """Return z with P(W > z) = p."""


class Weibull:
    """Smallest extreme value: T is Weibull with shape 1 / scale, exponential where the scale is 1."""

    def log_sf(self, z: Floats) -> Floats:
        """Return log P(W > z)."""
        return -np.exp(z)

    def log_cdf(self, z: Floats) -> Floats:
        """Return log P(W <= z)."""
        return log_minus_expm1(-np.exp(z))

    def log_pdf(self, z: Floats) -> Floats:
        """Return the log density."""
        return z - np.exp(z)

    def slope(self, z: Floats) -> Floats:
        """Return the derivative of the log density."""
        return 1 - np.exp(z)

    def curve(self, z: Floats) -> Floats:
        """Return the second derivative of the log density."""
        return -np.exp(z)

    def isf(self, p: Floats) -> Floats:
        """Return z with P(W > z) = p."""
        return np.log(-np.log(p))


class Logistic:
    """Logistic: T is log-logistic."""

    def log_sf(self, z: Floats) -> Floats:
        """Return log P(W > z)."""
        return -np.logaddexp(0.0, z)

    def log_cdf(self, z: Floats) -> Floats:
        """Return log P(W <= z)."""
        return -np.logaddexp(0.0, -z)

    def log_pdf(self, z: Floats) -> Floats:
        """Return the log density."""
        density: Floats = z - 2 * np.logaddexp(0.0, z)
        return density

    def slope(self, z: Floats) -> Floats:
        """Return the derivative of the log density."""
        slope: Floats = 1 - 2 * expit(z)
        return slope

    def curve(self, z: Floats) -> Floats:
        """Return the second derivative of the log density."""
        curve: Floats = -2 * expit(z) * expit(-z)
        return curve

    def isf(self, p: Floats) -> Floats:
        """Return z with P(W > z) = p."""
        quantile: Floats = np.log1p(-p) - np.log(p)
        return quantile


class Normal:
    """Normal: T is log-normal."""

    def log_sf(self, z: Floats) -> Floats:
        """Return log P(W > z)."""
        upper: Floats = log_ndtr(-z)
        return upper

    def log_cdf(self, z: Floats) -> Floats:
        """Return log P(W <= z)."""
        lower: Floats = log_ndtr(z)
        return lower

    def log_pdf(self, z: Floats) -> Floats:
        """Return the log density."""
        return -0.5 * z**2 - _HALF_LOG_2PI

    def slope(self, z: Floats) -> Floats:
        """Return the derivative of the log density."""
        return -z

    def curve(self, z: Floats) -> Floats:
        """Return the second derivative of the log density."""
        return -np.ones_like(z)

    def isf(self, p: Floats) -> Floats:
        """Return z with P(W > z) = p."""
        quantile: Floats = -ndtri(p)
        return quantile


class LogGamma:
    """Log-gamma with Prentice's shape q: T is generalised gamma.

    W = log(q^2 G) / q with G gamma of shape 1 / q^2; 1 is the Weibull, 0 the log-normal, and q equal to the
    scale the gamma (Prentice 1974, Biometrika 61, 539-544).

    Parameters
    ----------
    q : float
        Shape, not within `_NORMAL` of 0: there it is `Normal`.
    """

    def __init__(self, q: float) -> None:
        self.q, self.k = q, q**-2

    def log_sf(self, z: Floats) -> Floats:
        """Return log P(W > z)."""
        return self._log_tail(z, upper=self.q > 0)

    def log_cdf(self, z: Floats) -> Floats:
        """Return log P(W <= z)."""
        return self._log_tail(z, upper=self.q < 0)

    def log_pdf(self, z: Floats) -> Floats:
        """Return the log density."""
        x = np.minimum(self.q * z, _OVERFLOW)
        return self._log_constant() + self.k * (x - np.expm1(x))

    def slope(self, z: Floats) -> Floats:
        """Return the derivative of the log density."""
        return -np.expm1(self.q * z) / self.q

    def curve(self, z: Floats) -> Floats:
        """Return the second derivative of the log density."""
        return -np.exp(self.q * z)

    def isf(self, p: Floats) -> Floats:
        """Return z with P(W > z) = p."""
        inverse = gammainccinv if self.q > 0 else gammaincinv
        quantile: Floats = np.log(inverse(self.k, p) / self.k) / self.q
        return quantile

    def _log_constant(self) -> float:
        """Return log(|q| k^k e^-k / Gamma(k)), by Stirling's series where k is large."""
        k = self.k
        if k > _STIRLING:
            return -_HALF_LOG_2PI - 1 / (12 * k) + 1 / (360 * k**3) - 1 / (1260 * k**5)
        return float(np.log(abs(self.q)) + k * np.log(k) - k - gammaln(k))

    def _log_tail(self, z: Floats, *, upper: bool) -> Floats:
        """Return the log of a tail of the gamma law, by its leading term where it underflows."""
        x = self.k * np.exp(np.minimum(self.q * z, _OVERFLOW))
        tail = (gammaincc if upper else gammainc)(self.k, x)
        leading = self.log_pdf(z) - np.log(np.abs(self.q) * np.maximum(np.abs(x - self.k), 1.0))
        found: Floats = np.where(tail > 0, np.log(np.where(tail > 0, tail, 1.0)), leading)
        return found


def log_gamma(q: float) -> Law:
    """Return the log-gamma law of shape `q`, any real number."""
    return Normal() if abs(q) < _NORMAL else LogGamma(q)


def log_minus_expm1(x: Floats) -> Floats:
    """Return log(1 - e^x) for x <= 0 without cancellation (Maechler 2012)."""
    near = x > -np.log(2)
    small = np.log(-np.expm1(np.where(near, x, -1.0)))
    large = np.log1p(-np.exp(np.where(near, -1.0, x)))
    return np.where(near, small, large)


def log_between(law: Law, low: Floats, high: Floats) -> Floats:
    """Return log P(low < W <= high), from whichever tail is smaller."""
    above_low, above_high = law.log_sf(low), law.log_sf(high)
    below_low, below_high = law.log_cdf(low), law.log_cdf(high)
    upper = above_low < -np.log(2)
    large = np.where(upper, above_low, below_high)
    small = np.where(upper, above_high, below_low)
    return large + log_minus_expm1(small - large)
