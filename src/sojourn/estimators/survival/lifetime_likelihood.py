"""Likelihood of lifetimes with its first and second derivatives, and Newton's method with safeguards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.interval_cells import Terms
from sojourn.estimators.survival.lifetime_laws import Floats, Law, log_between

#: Value, gradient and second derivatives at a point.
Score = tuple[float, Floats, Floats]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Peak:
    """Where a likelihood is greatest.

    Attributes
    ----------
    place : array
        Parameters.
    value : float
        Log-likelihood.
    bend : array, square
        Second derivatives.
    free : array of bool
        Which parameters were moved.
    """

    place: Floats
    value: float
    bend: Floats
    free: Bools

    @property
    def covariance(self) -> Floats:
        """Inverse of the observed information; 0 for what was not moved."""
        inner, used = np.zeros_like(self.bend), np.ix_(self.free, self.free)
        inner[used] = np.linalg.inv(-self.bend[used])
        return inner


_ROUNDS = 60
#: A Newton step that promises less than this is the last: the one after would promise its square.
_LAST = 1e-10
_LONGEST_STEP = 2.0
#: Log scales and logits beyond this are a likelihood without a maximum, and so is a log scale with so large a
#: standard error: where all leave at about the same time the likelihood rises for ever as the scale shrinks.
_REACH = 30.0
_LOG_SCALE = 1


def log_likelihood(law: Law, terms: Terms, place: Floats) -> Score:
    """Return the log-likelihood of the times after 0 with its derivatives.

    Parameters
    ----------
    law : Law
        Of the standardised log lifetime.
    terms : Terms
        What is known.
    place : array
        Location, log scale and, where some never leave, the logit of their share c.

    Notes
    -----
    With z = (log t - location) / scale: leaving in (l, r] gives log(1 - c) + log(S(l) - S(r)), leaving at t
    log(1 - c) + log f(t), staying beyond t (or, with the sign turned, being seen only for that) log A(t) with
    A = c + (1 - c) S (Kalbfleisch & Prentice 2002, 3.3; mixture: Farewell 1982, Biometrics 38, 1041-1046).
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        parts = [_within(law, terms, place), _exact(law, terms, place), _beyond(law, terms, place)]
    value = sum(part[0] for part in parts)
    gradient = np.sum([part[1] for part in parts], axis=0)
    second = np.sum([part[2] for part in parts], axis=0)
    if len(place) == 3:
        share = float(expit(place[2]))
        value -= terms.events * float(np.logaddexp(0.0, place[2]))
        gradient[2] -= terms.events * share
        second[2, 2] -= terms.events * share * (1 - share)
    return value, gradient, second


def _standard(time: Floats, place: Floats) -> tuple[Floats, Floats, Floats]:
    """Return z with its derivatives by location and log scale."""
    scale = np.exp(place[1])
    z = (np.log(time) - place[0]) / scale
    first = np.array([np.full_like(z, -1 / scale), -z])
    cross = np.full_like(z, 1 / scale)
    second = np.array([[np.zeros_like(z), cross], [cross, z]])
    return z, first, second


def _outer(vectors: Floats) -> Floats:
    product: Floats = vectors[:, None] * vectors[None]
    return product


def _padded(size: int, value: float, gradient: Floats, second: Floats) -> Score:
    wide, square = np.zeros(size), np.zeros((size, size))
    wide[:2], square[:2, :2] = gradient, second
    return value, wide, square


def _within(law: Law, terms: Terms, place: Floats) -> Score:
    """Return the part of those who left between two durations."""
    from_0 = terms.low <= 0
    z_low, first_low, second_low = _standard(np.where(from_0, terms.high, terms.low), place)
    z_high, first_high, second_high = _standard(terms.high, place)
    log_share = log_between(law, np.where(from_0, -np.inf, z_low), z_high)
    pull_low = np.where(from_0, 0.0, np.exp(law.log_pdf(z_low) - log_share))
    pull_high = np.exp(law.log_pdf(z_high) - log_share)
    first = pull_high * first_high - pull_low * first_low
    second = pull_high * (law.slope(z_high) * _outer(first_high) + second_high)
    second = second - pull_low * (law.slope(z_low) * _outer(first_low) + second_low) - _outer(first)
    n = terms.within
    return _padded(len(place), float(n @ log_share), first @ n, second @ n)


def _exact(law: Law, terms: Terms, place: Floats) -> Score:
    """Return the part of those whose lifetime is known exactly."""
    z, first, second = _standard(terms.exact, place)
    density = law.log_pdf(z) - place[1] - np.log(terms.exact)
    slope = law.slope(z)
    gradient = slope * first
    gradient[1] -= 1
    curved = law.curve(z) * _outer(first) + slope * second
    n = terms.at_exact
    return _padded(len(place), float(n @ density), gradient @ n, curved @ n)


def _beyond(law: Law, terms: Terms, place: Floats) -> Score:
    """Return the part of those known to stay longer, and of late entry with the sign turned."""
    z, first, second = _standard(terms.time, place)
    log_s = law.log_sf(z)
    hazard = np.exp(law.log_pdf(z) - log_s)
    gradient = -hazard * first
    curved = -hazard * (law.slope(z) + hazard) * _outer(first) - hazard * second
    n = terms.beyond
    if len(place) == 2:
        return _padded(2, float(n @ log_s), gradient @ n, curved @ n)
    logit = place[2]
    leaver, share = expit(log_s - logit), float(expit(logit))
    mixed = leaver * (1 - leaver)
    value = np.logaddexp(logit, log_s) - np.logaddexp(0.0, logit)
    made = _padded(
        3, float(n @ value), (leaver * gradient) @ n, (leaver * curved + mixed * _outer(gradient)) @ n
    )
    made[1][2] = (1 - leaver - share) @ n
    made[2][2, :2] = made[2][:2, 2] = -(mixed * gradient) @ n
    made[2][2, 2] = (mixed - share * (1 - share)) @ n
    return made


def maximum(score: Callable[[Floats], Score], start: Floats, free: Bools) -> Peak:
    """Return where a function is greatest near `start`, moving only along `free` parameters.

    Raises
    ------
    UndefinedError
        When there is no maximum within reach, or it is not curved there.

    Notes
    -----
    Newton's method; where the function is not concave the diagonal is raised (Levenberg), steps are halved
    until the value grows.
    """
    place, here = start.copy(), score(start)
    if not np.isfinite(here[0]):
        raise UndefinedError("The likelihood has no value where the search begins.")
    for _ in range(_ROUNDS):
        step, promised = _direction(here, free)
        if promised < _LAST:
            end = score(place + step)
            last = (place + step, end) if np.isfinite(end[0]) else (place, here)
            return _curved(*last, free)
        moved = _stepped(score, place, here, step, promised)
        if moved is None:
            return _curved(place, here, free, promised)
        place, here = moved
        if bool((np.abs(place[1:]) > _REACH).any()):
            break
    raise UndefinedError("The likelihood has no maximum: these data do not determine the law.")


def _direction(here: Score, free: Bools) -> tuple[Floats, float]:
    """Return an uphill step and how much it promises."""
    gradient, bend = here[1][free], -here[2][np.ix_(free, free)]
    scale = np.sqrt(np.maximum(np.abs(np.diag(bend)), 1e-12))
    values, vectors = np.linalg.eigh(bend / np.outer(scale, scale))
    steep = np.maximum(np.abs(values), 1e-9)
    move = vectors @ ((vectors.T @ (gradient / scale)) / steep) / scale
    step = np.zeros(len(free))
    step[free] = move * min(1.0, _LONGEST_STEP / max(float(np.abs(move).max()), 1e-300))
    return step, float(gradient @ move)


def _stepped(
    score: Callable[[Floats], Score], place: Floats, here: Score, step: Floats, promised: float
) -> tuple[Floats, Score] | None:
    """Return the first of ever shorter steps that leads up; None where none does."""
    for halving in range(40):
        tried = place + step / 2**halving
        there = score(tried)
        sound = np.isfinite(there[0]) and np.isfinite(there[1]).all() and np.isfinite(there[2]).all()
        if sound and there[0] >= here[0] + 1e-4 * min(promised, 1.0) / 2**halving - _noise(here):
            return tried, there
    return None


def _noise(here: Score) -> float:
    """Return what rounding may add to or take from a value that is a sum of many."""
    return 1e-14 * (1 + abs(here[0]))


def _curved(place: Floats, here: Score, free: Bools, promised: float = 0.0) -> Peak:
    """Return a maximum, or raise where it is none."""
    bend = -here[2][np.ix_(free, free)]
    if not np.isfinite(bend).all():
        raise UndefinedError("The likelihood has no clear maximum: the law runs off to its edge.")
    scale = np.sqrt(np.maximum(np.abs(np.diag(bend)), 1e-300))
    flat = float(np.linalg.eigvalsh(bend / np.outer(scale, scale)).min()) < 1e-10
    if flat or promised > max(1e-6, 100 * _noise(here)):
        raise UndefinedError("The likelihood has no clear maximum: these data do not determine the law.")
    peak = Peak(place, here[0], here[2], free)
    if peak.covariance[_LOG_SCALE, _LOG_SCALE] > _REACH**2:
        raise UndefinedError("The likelihood has no clear maximum: the law runs off to its edge.")
    return peak
