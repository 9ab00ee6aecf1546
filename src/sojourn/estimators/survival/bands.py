"""Bands that hold a whole curve at once: equal precision and Hall-Wellner, critical values computed.

Both say: a Brownian bridge stays within a boundary between the fractions ``a`` and ``b`` of its time.
Between two constant boundaries the bridge has a series of cosines; divided by its standard deviation it is an
Ornstein-Uhlenbeck process, whose series has the eigenfunctions of a harmonic oscillator between two walls.
So no table is needed, and any mass can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.polynomial import Legendre
from numpy.typing import NDArray

from sojourn.core.interval import Scale
from sojourn.core.normal import standard_errors
from sojourn.estimators.survival.intervals import bounds
from sojourn.estimators.survival.kaplan_meier import greenwood_terms, product_limit
from sojourn.estimators.survival.quadrature import gauss_legendre
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]
BandKind = Literal["equal precision", "hall-wellner"]

#: Nodes of the quadratures (N nodes integrate up to N / pi cosines), and even functions of the oscillator.
#: Exact to nine digits where the stretch is longer than about 1/1,000 of the bridge's time; shorter ones
#: are one point.
_NODES, _FINE, _FUNCTIONS = 96, 400, 24


@dataclass(frozen=True, slots=True)
class Band:
    """A band that holds the whole curve with its mass, from one duration to another.

    Attributes
    ----------
    low, high : array of float, one entry per duration
        Bounds; not a number outside the durations it is made for.
    first, last : int
        Those durations.
    critical : float
        Critical value: standard errors that the band reaches (equal precision), or the bound of the bridge.
    """

    low: Floats
    high: Floats
    first: int
    last: int
    critical: float


def survival_band(
    risk: RiskSet,
    mass: float,
    *,
    kind: BandKind = "equal precision",
    scale: Scale = "log-log",
    first: int | None = None,
    last: int | None = None,
) -> Band:
    """Return a simultaneous band around the Kaplan-Meier estimate.

    Parameters
    ----------
    risk : RiskSet
        Numbers at risk and gone by duration.
    mass : float
        Probability with which the band holds the curve everywhere from `first` to `last`.
    kind : str
        ``equal precision``: everywhere the same number of standard errors (Nair 1984, Technometrics 26,
        265-275). ``hall-wellner``: narrower in the middle, wider at the ends (Hall & Wellner 1980, Biometrika
        67, 133-143).
    scale : str
        Scale on which the band is symmetric (Borgan & Liestol 1990, Scand. J. Stat. 17, 35-41).
    first, last : int, optional
        Durations between which it is made, as far as somebody has left and somebody is left.

    Notes
    -----
    Klein & Moeschberger (2003), section 4.4. With late entry the variance still has independent increments,
    so the same critical values hold; n is then the largest number at risk, which only shapes the
    Hall-Wellner band.
    """
    retained, spread = product_limit(risk), np.cumsum(greenwood_terms(risk))
    inside = np.flatnonzero((retained > 0) & (retained < 1))
    nothing = np.full(len(risk), np.nan)
    if first is not None:
        inside = inside[inside >= first]
    if last is not None:
        inside = inside[inside <= last]
    if not len(inside):
        return Band(nothing, nothing, 0, -1, float("nan"))
    first, last = int(inside[0]), int(inside[-1])
    n = int(risk.at_risk.max())
    a, b = (float(n * v / (1 + n * v)) for v in spread[[first, last]])
    critical = critical_value(kind, a, b, mass)
    shape = np.sqrt(spread) if kind == "equal precision" else (1 + n * spread) / np.sqrt(n)
    here = (np.arange(len(risk)) >= first) & (np.arange(len(risk)) <= last)
    low, high = bounds(retained, critical * shape, scale)
    return Band(np.where(here, low, np.nan), np.where(here, high, np.nan), first, last, critical)


def critical_value(kind: BandKind, a: float, b: float, mass: float) -> float:
    """Return the boundary that a Brownian bridge keeps within between times `a` and `b`, with a probability.

    Parameters
    ----------
    kind : str
        ``hall-wellner``: a constant boundary. ``equal precision``: a multiple of the standard deviation.
    a, b : float
        Fractions of the bridge's time, 0 <= a <= b <= 1; above 0 and below 1 for equal precision.
    mass : float
        The probability, in (0, 1).
    """
    from scipy.optimize import brentq  # costs more to load than a curve without a band to make

    z, sd = standard_errors(mass), np.sqrt(np.array([a, b, min(max(a, 0.5), b)]))
    if kind == "hall-wellner":
        point = z * float((sd * np.sqrt(1 - sd**2)).max())
        found = brentq(lambda c: _bridge_within(c, a, b) - mass, point / 2, 5, xtol=1e-10) if a < b else point
        return max(point, float(found))
    if a >= b:
        return z
    length = 0.5 * np.log(b * (1 - a) / (a * (1 - b)))
    return max(z, float(brentq(lambda c: _oscillator_within(c, length) - mass, z / 2, 12, xtol=1e-10)))


def _bridge_within(c: float, a: float, b: float) -> float:
    """Return the probability that a Brownian bridge stays within -c and c from time a to time b.

    The heat kernel between two absorbing walls, by its cosines, joined to the bridge before a and after b;
    for a = 0 and b = 1 it is Kolmogorov's distribution.
    """
    enough = c / np.pi * np.sqrt(300 / (b - a))  # later terms are below exp(-37)
    odd = np.arange(1, min(enough, 2 * _FINE / np.pi) + 2, 2, dtype=np.int64)
    decay = np.exp(-((odd * np.pi / c) ** 2) * (b - a) / 8)
    terms = decay * _cosines(c, a, odd) * _cosines(c, 1 - b, odd)
    return float(np.sqrt(2 * np.pi) / c * terms.sum())


def _cosines(c: float, variance: float, odd: NDArray[np.int64]) -> Floats:
    """Return the integrals over (-c, c) of a normal density times cos(m pi x / 2c), for odd m."""
    if variance <= 0:
        return np.ones(len(odd))
    nodes, weights = gauss_legendre(_NODES if odd[-1] < _NODES / 2 else _FINE)
    half = min(c, 9 * np.sqrt(variance))
    x = half * nodes
    density = np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    integrals: Floats = np.cos(np.outer(odd, x) * np.pi / (2 * c)) @ (weights * half * density)
    return integrals


def _oscillator_within(c: float, length: float) -> float:
    """Return the probability that a stationary Ornstein-Uhlenbeck process stays within -c and c for a time.

    Sum over eigenvalues l of exp(-l length) times the squared overlap of the eigenfunction with the root of
    the normal density (DeLong 1981, Commun. Stat. A 10, 2197-2213, by other functions). The eigenfunctions of
    ``-f'' + (x^2/4 - 1/2) f`` that vanish at both walls are found among 24 even polynomials.
    """
    from scipy.linalg import eigh

    nodes, weights = gauss_legendre(_NODES)
    functions = _even_functions()
    x = c * nodes
    root = np.exp(-(x**2) / 4) / (2 * np.pi) ** 0.25
    weighted = functions * weights
    energy = np.eye(_FUNCTIONS) / c + c * (weighted * (x**2 / 4 - 0.5)) @ functions.T
    values, vectors = eigh(energy, c * weighted @ functions.T)
    overlap = vectors.T @ (c * weighted @ root)
    return float((np.exp(-values * length) * overlap**2).sum())


@cache
def _even_functions() -> Floats:
    """Return (P_k - P_{k+2}) / sqrt(4k + 6) for even k at the nodes: 0 at both walls, slopes orthonormal."""
    nodes = gauss_legendre(_NODES)[0]
    return np.array(
        [
            (Legendre.basis(k)(nodes) - Legendre.basis(k + 2)(nodes)) / np.sqrt(4 * k + 6)
            for k in range(0, 2 * _FUNCTIONS, 2)
        ]
    )
