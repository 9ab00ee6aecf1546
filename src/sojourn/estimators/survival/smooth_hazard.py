"""A smooth hazard of leaving from daily counts, with its uncertainty, at a cost that knows no members.

The logarithm of the hazard is a penalised spline. How smooth it is follows from the data, and what is not
known about that widens the interval: the smoothing parameter is averaged over, not chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.stats import norm, qmc

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Columns of the spline, and the degree of its pieces.
COLUMNS, DEGREE = 24, 3
#: The spline runs over log(duration + this share of the time followed): fine early on, coarse later.
NEAR = 0.05
#: Logarithms of the smoothing parameters that are averaged over; beyond them nothing changes any more.
SMOOTHNESS = tuple(range(11, -4, -1))
#: Draws from the posterior: Sobol points with one fixed scrambling, so the same for everybody.
DRAWS = 1024
_SCRAMBLING = 1
_MOST_STEPS, _ENOUGH = 60, 1e-7
#: Fewer events than this, or events in fewer units of time, do not tell a curve.
LEAST_EVENTS, LEAST_UNITS = 10, 4
#: A weight so small that it decides only what no count says: all coefficients near 0.
_RIDGE = 1e-7
#: No logarithm of a hazard per unit of time is drawn beyond these.
_LOWEST, _HIGHEST = -30.0, 3.0


@dataclass(frozen=True, slots=True)
class Penalised:
    """The spline at one smoothing parameter.

    Attributes
    ----------
    coefficients : array of float
        Where the penalised likelihood is highest.
    factor : array of float, square
        Lower Cholesky factor of minus its second derivative there.
    milder : array of float, square
        The same with half of the penalty.
    evidence : float
        Logarithm of the marginal likelihood by Laplace's approximation, up to a constant.
    edf : float
        Effective degrees of freedom.
    """

    coefficients: Floats
    factor: Floats
    milder: Floats
    evidence: float
    edf: float


@dataclass(frozen=True, slots=True)
class SmoothHazard:
    """Draws from the posterior of the logarithm of the hazard per unit of time.

    Attributes
    ----------
    duration : array of float
        Middles of the units of time followed: 0.5, 1.5 ...
    log_hazard : array of float, draws by durations
        Each row a curve that the counts allow.
    for_places : array of float, draws by durations
        The same with a covariance halfway between that of the posterior and that of the estimate in repeated
        samples: for where a curve is highest.
    edf : float
        Effective degrees of freedom, averaged over the smoothing parameters.
    """

    duration: Floats
    log_hazard: Floats
    for_places: Floats
    edf: float

    def median(self) -> Floats:
        """Return the middle of the draws of the hazard at each duration."""
        return np.exp(np.median(self.log_hazard, axis=0))

    def bounds(self, mass: float) -> tuple[Floats, Floats]:
        """Return the equal-tailed pointwise bounds of the hazard."""
        low, high = np.quantile(self.log_hazard, [0.5 - mass / 2, 0.5 + mass / 2], axis=0)
        return np.exp(low), np.exp(high)


def smooth_hazard(risk: RiskSet) -> SmoothHazard:
    """Return the smooth hazard after duration 0 from numbers at risk and gone.

    Parameters
    ----------
    risk : RiskSet
        Whole durations, rounded up; those who left at 0 belong to no unit of time and are not used. Late
        entry is in the numbers at risk. Cut it where too few are at risk.

    Raises
    ------
    UndefinedError
        With fewer than `LEAST_EVENTS` events after 0, or events in fewer than `LEAST_UNITS` units of time.

    Notes
    -----
    Of n at risk, each leaves in a unit with chance 1 - exp(-h): the binomial likelihood with complementary
    log-log link, exact for durations rounded up. log h is a cubic B-spline with a second-order difference
    penalty (Eilers & Marx 1996, Stat. Sci. 11, 89-121). Given the smoothing parameter its posterior is taken
    as normal (Wood 2006, Aust. N. Z. J. Stat. 48, 445-464); the parameter is weighted by its marginal
    likelihood, by Laplace's approximation on a grid (Rue, Martino & Chopin 2009, J. R. Stat. Soc. B 71,
    319-392).

    Pointwise bounds of the posterior hold their mass on average over the curve, since its covariance has room
    for the bias of smoothing (Nychka 1988, J. Am. Stat. Assoc. 83, 1134-1143). Its draws are rougher than the
    smooth hazards of this world, so the place where they are highest varies too much: a 90 % interval held
    94-98 %. With the sampling covariance it held 83-87 %, with the mean of both 87-94 %, which is used for
    places; both covariances are given by Wood (2006). `calibration/when.py` measures what is published.
    """
    at_risk, churned = risk.at_risk[1:], risk.churned[1:]
    if churned.sum() < LEAST_EVENTS:
        raise UndefinedError(
            f"A smooth rate of leaving needs {LEAST_EVENTS} who left after the start; {churned.sum()} did."
        )
    if np.count_nonzero(churned) < LEAST_UNITS:
        raise UndefinedError(
            "All who left after the start did so at nearly the same time: there is no curve."
        )
    duration = np.arange(len(at_risk), dtype=np.float64) + 0.5
    columns = spline(duration, len(at_risk))
    fits = fit_all(columns, at_risk, churned)
    weights = _weights(np.array([fit.evidence for fit in fits]))
    edf = float(weights @ [fit.edf for fit in fits])
    curves, for_places = (np.clip(one @ columns.T, _LOWEST, _HIGHEST) for one in _drawn(fits, weights))
    return SmoothHazard(duration, curves, for_places, edf)


def spline(duration: Floats, longest: float) -> Floats:
    """Return cubic B-splines (durations by `COLUMNS`) with equal pieces of log(duration + near).

    ``near`` is `NEAR` of the longest duration, so another unit of time changes nothing.
    """
    near = NEAR * longest
    first, last = np.log(near), np.log(longest + near)
    width = (last - first) / (COLUMNS - DEGREE)
    knots = first + width * np.arange(-DEGREE, COLUMNS + 1)
    return np.asarray(BSpline.design_matrix(np.log(duration + near), knots, DEGREE).toarray())


def fit_all(columns: Floats, at_risk: Counts, churned: Counts) -> list[Penalised]:
    """Return the spline at every smoothing parameter of `SMOOTHNESS`, each begun where the last one ended."""
    start = np.full(columns.shape[1], np.log(churned.sum() / at_risk.sum()))
    fits = []
    for smoothness in SMOOTHNESS:
        fits.append(penalised(columns, at_risk, churned, float(np.exp(smoothness)), start))
        start = fits[-1].coefficients
    return fits


def penalised(
    columns: Floats, at_risk: Counts, churned: Counts, smoothing: float, start: Floats
) -> Penalised:
    """Return where the penalised likelihood is highest, by Fisher scoring.

    Parameters
    ----------
    columns : array of float, units of time by coefficients
        The spline.
    at_risk, churned : array of int
        By unit of time.
    smoothing : float
        Factor of half the sum of squared second differences of the coefficients.
    start : array of float
        Where to begin.
    """
    penalty = smoothing * roughness(columns.shape[1]) + _RIDGE * np.eye(columns.shape[1])
    coefficients = start
    for _ in range(_MOST_STEPS):
        score, information = _derivatives(columns @ coefficients, at_risk, churned)
        inner = columns.T @ (information[:, None] * columns)
        factor = cho_factor(inner + penalty, lower=True)
        step = cho_solve(factor, columns.T @ score - penalty @ coefficients)
        coefficients = coefficients + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < _ENOUGH:
            break
    lower = np.tril(factor[0])
    rank = columns.shape[1] - 2
    evidence = (
        _log_likelihood(columns @ coefficients, at_risk, churned)
        - coefficients @ penalty @ coefficients / 2
        + rank * np.log(smoothing) / 2
        - np.log(np.diag(lower)).sum()
    )
    milder = np.linalg.cholesky(inner + penalty / 2)
    return Penalised(coefficients, lower, milder, float(evidence), float(np.trace(cho_solve(factor, inner))))


def roughness(size: int) -> Floats:
    """Return the matrix whose quadratic form is the sum of squared second differences."""
    differences = np.diff(np.eye(size), 2, axis=0)
    return np.asarray(differences.T @ differences)


def _derivatives(log_hazard: Floats, at_risk: Counts, churned: Counts) -> tuple[Floats, Floats]:
    """Return the first derivative of the likelihood by the log hazard, and minus the expected second."""
    hazard = np.exp(np.clip(log_hazard, _LOWEST, _HIGHEST))
    odds = hazard / np.expm1(hazard)
    return churned * odds - (at_risk - churned) * hazard, at_risk * hazard * odds


def _log_likelihood(log_hazard: Floats, at_risk: Counts, churned: Counts) -> float:
    hazard = np.exp(np.clip(log_hazard, _LOWEST, _HIGHEST))
    return float((churned * np.log(-np.expm1(-hazard)) - (at_risk - churned) * hazard).sum())


def _weights(evidence: Floats) -> Floats:
    weights = np.exp(evidence - evidence.max())
    return np.asarray(weights / weights.sum())


def _drawn(fits: list[Penalised], weights: Floats) -> tuple[Floats, Floats]:
    """Return draws of the coefficients (draws by coefficients): a smoothing parameter, then a normal.

    With information I and penalty P the posterior has the covariance (I + P)^-1, the estimate in repeated
    samples (I + P)^-1 I (I + P)^-1; the mean of both is (I + P)^-1 (I + P / 2) (I + P)^-1, drawn second.
    """
    shares, normals = _points(len(fits[0].coefficients))
    which = np.searchsorted(np.cumsum(weights)[:-1], shares)
    drawn, milder = np.empty_like(normals), np.empty_like(normals)
    for number in np.unique(which):
        rows, fit = which == number, fits[number]
        off = solve_triangular(fit.factor, normals[rows].T, lower=True, trans="T")
        less = cho_solve((fit.factor, True), fit.milder @ normals[rows].T)
        drawn[rows], milder[rows] = fit.coefficients + off.T, fit.coefficients + less.T
    return drawn, milder


@lru_cache
def _points(size: int) -> tuple[Floats, Floats]:
    """Return `DRAWS` even points in (0, 1), and as many normal in `size` dimensions, always the same."""
    points = qmc.Sobol(size + 1, rng=np.random.default_rng(_SCRAMBLING)).random(DRAWS)
    return points[:, 0], np.asarray(norm.ppf(points[:, 1:]))
