"""A fitted law of lifetimes, and what follows from it.

Members who leave at 0 (at once) are a share of their own in front of the law of all other lifetimes:
S(t) = (1 - at_once) A(t) for t >= 0. Both parts of the likelihood are apart from each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import norm

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.ranges import in_range
from sojourn.estimators.survival.interval_cells import Terms
from sojourn.estimators.survival.lifetime_laws import Law, Logistic, Normal, Weibull, log_gamma
from sojourn.estimators.survival.lifetime_likelihood import Peak

Floats = NDArray[np.float64]

#: Laws of two parameters by name (the exponential has one of them fixed).
LAWS: dict[str, Law] = {
    "exponential": Weibull(),
    "weibull": Weibull(),
    "log-logistic": Logistic(),
    "log-normal": Normal(),
}
#: How the name of a law ends where some never leave.
STAYERS = " with stayers"
#: Steps of numerical derivatives, in standard errors: their error is of the order of its square.
_STEP = 1e-3


@dataclass(frozen=True, slots=True)
class LifetimeFit:
    """A law of lifetimes fitted to cells.

    Attributes
    ----------
    model : str
        Name of the law, followed by ``with stayers`` where some never leave.
    names : tuple of str
        What `estimates` and `covariance` are about: ``at_once`` (share that leaves at 0), ``location`` and
        ``log_scale`` (of log T), ``shape`` (Prentice's, generalised gamma only), ``logit_stays`` (logit of
        the share of all others that never leaves).
    estimates : array
        Maximum likelihood estimates; fixed ones included (log scale 0 of the exponential).
    covariance : array, square
        Inverse of the observed information; 0 for what is fixed.
    loglik : float
        Log-likelihood of all cells, leaving at once included.
    free : int
        Number of parameters estimated; leaving at once counts where anybody did.
    longest : float
        Longest duration about which the cells know anything: beyond it everything is extrapolation.
    """

    model: str
    names: tuple[str, ...]
    estimates: Floats
    covariance: Floats
    loglik: float
    free: int
    longest: float

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better."""
        return 2 * self.free - 2 * self.loglik

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters on the scales on which they are spoken of."""
        return _readable(dict(zip(self.names, self.estimates.tolist(), strict=True)))

    def survival(self, t: ArrayLike) -> Floats:
        """Return the share still there after each duration t >= 0."""
        return self._survival(self.estimates, np.asarray(t, dtype=np.float64))

    def hazard(self, t: ArrayLike) -> Floats:
        """Return the rate of leaving, per unit of time, of those still there at each duration t > 0."""
        time = np.asarray(t, dtype=np.float64)
        law, place, stays = self._law(self.estimates)
        scale = np.exp(place[1])
        z = (np.log(time) - place[0]) / scale
        leaver = (1 - stays) * np.exp(law.log_sf(z))
        rate: Floats = np.exp(law.log_pdf(z) - law.log_sf(z)) / (scale * time) * leaver / (leaver + stays)
        return rate

    def quantile(self, p: float) -> float:
        """Return the duration after which the share `p` of members has left.

        Raises
        ------
        UndefinedError
            When fewer than that ever leave.
        """
        in_range(p, "p", gt=0, lt=1)
        at_once, (law, place, stays) = float(self.estimates[0]), self._law(self.estimates)
        if p <= at_once:
            return 0.0
        left = ((1 - p) / (1 - at_once) - stays) / (1 - stays)
        if left <= 0:
            raise UndefinedError(f"By this law fewer than {100 * p:g} in 100 members ever leave.")
        return float(np.exp(place[0] + np.exp(place[1]) * law.isf(np.array(left))))

    def remaining(self, at: float, within: float) -> float:
        """Return E[min(T - at, within) | T > at], the expected time still to come within a horizon."""
        return self._remaining(at, within, self.estimates)

    def standard_error(self, of: Callable[[Floats], Floats]) -> Floats:
        """Return standard errors of what is made of estimates, by the delta method with numerical slopes."""
        steps = _STEP * np.sqrt(np.diag(self.covariance))
        moved = [np.eye(len(steps))[i] * step for i, step in enumerate(steps) if step > 0]
        used = np.flatnonzero(steps > 0)
        slopes = [
            (of(self.estimates + step) - of(self.estimates - step)) / (2 * step.sum()) for step in moved
        ]
        block = self.covariance[np.ix_(used, used)]
        spread = np.einsum("i...,ij,j...->...", np.array(slopes), block, np.array(slopes))
        se: Floats = np.sqrt(np.maximum(spread, 0.0))
        return se

    def survival_interval(self, t: ArrayLike, mass: float) -> tuple[Floats, Floats]:
        """Return log-log bounds of the share still there; not a number where it is 1 or 0 for certain."""
        time = np.asarray(t, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            centre = np.log(-np.log(self.survival(time)))
            se = self.standard_error(lambda place: np.log(-np.log(self._survival(place, time))))
            reach = float(norm.ppf(0.5 + mass / 2)) * se
            return np.exp(-np.exp(centre + reach)), np.exp(-np.exp(centre - reach))

    def remaining_interval(self, at: float, within: float, mass: float) -> Interval:
        """Return `remaining` with a normal interval on the logit of its share of the horizon."""

        def logit(place: Floats) -> Floats:
            share = self._remaining(at, within, place) / within
            return np.log(np.array(share / (1 - share)))

        centre = float(logit(self.estimates))
        reach = float(norm.ppf(0.5 + mass / 2)) * float(self.standard_error(logit))
        value, low, high = (within * float(expit(centre + side * reach)) for side in (0, -1, 1))
        return Interval(value, low, high, mass, "wald")

    def _law(self, place: Floats) -> tuple[Law, Floats, float]:
        """Return the standardised law, location and log scale, and the share that never leaves."""
        known = dict(zip(self.names, place.tolist(), strict=True))
        law = log_gamma(known["shape"]) if "shape" in known else LAWS[self.model.removesuffix(STAYERS)]
        return law, place[1:3], _stays(known)

    def _survival(self, place: Floats, time: Floats) -> Floats:
        law, (location, log_scale), stays = self._law(place)
        with np.errstate(divide="ignore"):
            z = (np.log(time) - location) / np.exp(log_scale)
        share: Floats = (1 - place[0]) * (stays + (1 - stays) * np.exp(law.log_sf(z)))
        return share

    def _remaining(self, at: float, within: float, place: Floats) -> float:
        nodes, weights = _quadrature(within)
        here = self._survival(place, np.array(float(at)))
        return float(weights @ (self._survival(place, at + nodes) / here))


def _stays(known: dict[str, float]) -> float:
    return float(expit(known["logit_stays"])) if "logit_stays" in known else 0.0


def _readable(known: dict[str, float]) -> dict[str, float]:
    """Return parameters with the scale and the share of stayers in place of their log and logit."""
    said: dict[str, float] = {name: known[name] for name in ("at_once", "location")}
    said["scale"] = float(np.exp(known["log_scale"]))
    shape = {"shape": known["shape"]} if "shape" in known else {}
    return said | shape | ({"stays": _stays(known)} if "logit_stays" in known else {})


def _quadrature(within: float) -> tuple[Floats, Floats]:
    """Return nodes and weights on (0, within), finer towards 0 where a survival curve may be steep."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    ends = within * np.array([0.0, 1e-6, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5, 1.0])
    half = np.diff(ends)[:, None] / 2
    return (ends[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()


def made(model: str, names: tuple[str, ...], peak: Peak, terms: Terms) -> LifetimeFit:
    """Return a fit of what was found; the share that leaves at once comes first."""
    n, k = terms.from_joining, terms.at_once
    share = k / n if n else 0.0
    covariance = np.zeros((len(names) + 1, len(names) + 1))
    covariance[0, 0] = share * (1 - share) / n if n else 0.0
    covariance[1:, 1:] = peak.covariance
    counted = sum(float(m * np.log(p)) for m, p in ((k, share), (n - k, 1 - share)) if m > 0)
    return LifetimeFit(
        model=model,
        names=("at_once", *names),
        estimates=np.concatenate([[share], peak.place]),
        covariance=covariance,
        loglik=peak.value + counted,
        free=int(peak.free.sum()) + (k > 0),
        longest=terms.longest,
    )
