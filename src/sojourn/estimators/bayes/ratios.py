"""A ratio of two means per member, such as revenue per active day: posterior, delta method, exact bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sojourn.core.errors import UndefinedError

Floats = NDArray[np.float64]
#: A mean of denominators has to lie so many of its standard errors above 0.
LEAST_ERRORS = 5.0


@dataclass(frozen=True, slots=True)
class TwoMeans:
    """Means of numerator and denominator, with the covariance of these means.

    Attributes
    ----------
    top, bottom : float
        Means per member.
    top_variance, bottom_variance, covariance : float
        Of the means.
    """

    top: float
    bottom: float
    top_variance: float
    bottom_variance: float
    covariance: float

    def __post_init__(self) -> None:
        if not self.bottom > LEAST_ERRORS * np.sqrt(self.bottom_variance):
            raise UndefinedError(
                f"The ratio is not defined: its denominator is {self.bottom:.3g} per member, within "
                f"{LEAST_ERRORS:g} standard errors of 0."
            )

    @property
    def ratio(self) -> float:
        """Mean of the numerator over mean of the denominator."""
        return self.top / self.bottom

    @property
    def variance(self) -> float:
        """Variance of the ratio by the delta method."""
        ratio = self.ratio
        spread = self.top_variance - 2 * ratio * self.covariance + ratio**2 * self.bottom_variance
        return spread / self.bottom**2

    def draw(self, size: int, *, rng: np.random.Generator) -> Floats:
        """Return draws of the ratio: both means normal around what was counted (a flat prior)."""
        noise = rng.standard_normal((2, size))
        bottom = self.bottom + np.sqrt(self.bottom_variance) * noise[0]
        slope = self.covariance / self.bottom_variance if self.bottom_variance > 0 else 0.0
        rest = np.sqrt(max(self.top_variance - slope * self.covariance, 0.0))
        drawn: Floats = (self.top + slope * (bottom - self.bottom) + rest * noise[1]) / bottom
        return drawn

    def bounds(self, mass: float) -> tuple[float, float]:
        """Return the quantiles of the ratio's posterior in closed form.

        The ratio lies below r where ``top - r bottom`` is negative, a normal quantity: the roots of a
        quadratic in r, which are the bounds of Fieller (1954), J. R. Stat. Soc. B 16, 175-185.
        """
        reach = float(ndtri((1 + mass) / 2)) ** 2
        a = self.bottom**2 - reach * self.bottom_variance
        b = self.top * self.bottom - reach * self.covariance
        c = self.top**2 - reach * self.top_variance
        root = np.sqrt(b**2 - a * c)
        return float((b - root) / a), float((b + root) / a)


def two_means(n: Floats, sums: dict[str, Floats], weights: Floats) -> TwoMeans:
    """Return the means of both parts over strata, with the covariance of these means.

    Parameters
    ----------
    n : array (strata,)
        Members, at least 2 in each.
    sums : mapping of str to array (strata,)
        ``top``, ``bottom``, ``top_sq``, ``bottom_sq``, ``cross``: sums over members.
    weights : array (strata,)
        Share of every stratum that means are averaged over; sums to 1.

    Raises
    ------
    UndefinedError
        When the mean of the denominators is within a few standard errors of 0.
    """
    top, bottom = sums["top"] / n, sums["bottom"] / n
    spread = n / (n - 1) * weights**2 / n

    def of(total: Floats, a: Floats, b: Floats) -> float:
        return float((total / n - a * b) @ spread)

    return TwoMeans(
        float(top @ weights),
        float(bottom @ weights),
        max(of(sums["top_sq"], top, top), 0.0),
        max(of(sums["bottom_sq"], bottom, bottom), 0.0),
        of(sums["cross"], top, bottom),
    )
