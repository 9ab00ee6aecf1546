"""Mixture cure models: a share of members that never leaves, and a law for how long all others stay.

Such a share is told from the data only where follow-up is long compared with how long leavers take
(see `sojourn.estimators.survival.follow_up`); elsewhere a fit is a guess about the tail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2

from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range, one_of
from sojourn.estimators.survival.interval_cells import IntervalCells, Terms, terms_of
from sojourn.estimators.survival.lifetime_fit import LAWS, STAYERS, LifetimeFit, made
from sojourn.estimators.survival.lifetime_likelihood import Peak, log_likelihood, maximum
from sojourn.estimators.survival.parametric import best, check_events, starts

Floats = NDArray[np.float64]
CureModel = Literal["weibull", "log-logistic", "log-normal"]

#: Laws of those who leave.
CURE_MODELS: tuple[CureModel, ...] = get_args(CureModel)
#: Shares of stayers where searches begin; and how much sooner than average leavers leave, on the log scale.
_SHARES, _SOONER = (0.5, 0.15, 0.85), (1.0, 0.0, 2.5)
#: The logit at which the upper end is looked for where no share is best, and how far ends are looked for.
_LOWEST, _FURTHEST = -14.0, 28.0


@dataclass(frozen=True, slots=True)
class CureFit:
    """A mixture cure model fitted to cells.

    Attributes
    ----------
    fit : LifetimeFit
        The model; without stayers where these make nothing more likely.
    stays : Interval
        Share of all members that never leaves, with its profile-likelihood interval.
    gain : float
        By how much stayers raise the log-likelihood.
    """

    fit: LifetimeFit
    stays: Interval
    gain: float


def fit_cure(model: CureModel, cells: IntervalCells, *, mass: float = 0.95) -> CureFit:
    """Return a mixture cure model fitted by maximum likelihood.

    Parameters
    ----------
    model : str
        Law of those who leave: ``weibull``, ``log-logistic`` or ``log-normal``.
    cells : IntervalCells
        As for `fit_lifetime`.
    mass : float
        Mass of the profile-likelihood interval of the share that never leaves.

    Raises
    ------
    UndefinedError
        When nobody leaves after 0, all leave at about the same time, nobody stays, or the likelihood has no
        clear maximum.

    Notes
    -----
    Farewell (1982), Biometrics 38, 1041-1046. The interval holds every share whose profile log-likelihood is
    within half the quantile of chi-squared of the greatest; 0 is in it where a law without stayers is.
    """
    one_of(model, "model", CURE_MODELS)
    in_range(mass, "mass", gt=0, lt=1)
    terms = terms_of(cells)
    check_events(terms, model)
    _check_spread(terms)
    if not bool((terms.beyond > 0).any()):
        raise UndefinedError("Everybody was seen to leave: nobody is left who might stay for ever.")
    plain, mixed = _without(model, terms), _with(model, terms)
    peak = mixed if mixed and not (plain and plain.value >= mixed.value) else plain
    if peak is None:
        raise UndefinedError("The likelihood has no clear maximum: these data do not determine the law.")
    stays = _interval(_profile(model, terms, peak), peak, plain, mass)
    gain = peak.value - plain.value if plain else float("inf")
    if peak is plain:
        fit = made(model, ("location", "log_scale"), peak, terms)
    else:
        fit = made(model + STAYERS, ("location", "log_scale", "logit_stays"), peak, terms)
    return CureFit(fit, _of_all(fit, stays, mass), gain)


def _check_spread(terms: Terms) -> None:
    """Raise where all leave in one cell or two that touch: the likelihood rises while the scale shrinks."""
    cells, points = len(terms.within), len(terms.exact)
    touching = cells == 2 and not points and bool(terms.high[0] >= terms.low[1])
    if cells + points < 2 or touching:
        raise UndefinedError(
            "All members who left did so at about the same time: no law can be fitted to it."
        )


def _without(model: CureModel, terms: Terms) -> Peak | None:
    """Return the law without stayers; None where the data do not determine one."""
    try:
        return best(partial(log_likelihood, LAWS[model], terms), starts(terms), np.array([True, True]))
    except UndefinedError:
        return None


def _with(model: CureModel, terms: Terms) -> Peak | None:
    """Return the highest of the maxima that several searches find; None where they find none inside."""
    score, found = partial(log_likelihood, LAWS[model], terms), []
    location = starts(terms)[0][0]
    for share in _SHARES:
        for sooner in _SOONER:
            begin = np.array([location - sooner, 0.0, logit(share)])
            try:
                found.append(maximum(score, begin, np.ones(3, dtype=np.bool_)))
            except UndefinedError:
                continue
    return max(found, key=lambda peak: peak.value, default=None)


def _profile(model: CureModel, terms: Terms, peak: Peak) -> Callable[[float], float]:
    """Return the log-likelihood by the logit of the share of stayers, at its best over all else."""
    score, free = partial(log_likelihood, LAWS[model], terms), np.array([True, True, False])
    at = [peak.place[:2]]

    def value(stays: float) -> float:
        try:
            found = maximum(score, np.append(at[0], stays), free)
        except UndefinedError:
            return -float("inf")
        at[0] = found.place[:2]
        return found.value

    return value


def _interval(
    profile: Callable[[float], float], peak: Peak, plain: Peak | None, mass: float
) -> tuple[float, float, float]:
    """Return the share of stayers among those who do not leave at once, with its bounds."""
    floor = peak.value - float(chi2.ppf(mass, 1)) / 2
    centre = float(peak.place[2]) if len(peak.place) == 3 else _LOWEST
    if peak is plain and profile(centre) < floor:
        raise UndefinedError("The likelihood has no clear maximum: these data do not determine the law.")
    low = 0.0
    if plain is None or plain.value < floor:
        low = float(expit(_crossing(profile, floor, centre, -1.0)))
    high = float(expit(_crossing(profile, floor, centre, 1.0)))
    return (float(expit(centre)) if len(peak.place) == 3 else 0.0), low, high


def _crossing(profile: Callable[[float], float], floor: float, centre: float, side: float) -> float:
    """Return the logit on one side of `centre` at which the profile falls to `floor`."""
    near, step = centre, side / 16
    while abs(near + step - centre) < _FURTHEST:
        if profile(near + step) < floor:
            return float(brentq(lambda stays: _above(profile, stays, floor), near, near + step, xtol=1e-7))
        near, step = near + step, 2 * step
    return near


def _above(profile: Callable[[float], float], stays: float, floor: float) -> float:
    """Return how far the profile lies above `floor`, far below where it has no value."""
    return max(profile(stays) - floor, -1e6)


def _of_all(fit: LifetimeFit, stays: tuple[float, float, float], mass: float) -> Interval:
    """Return the share of stayers among all members: those who leave at once are taken off.

    Both shares are independent; distances from the estimate are added as roots of squares (Zou & Donner 2008,
    Stat. Med. 27, 1693-1702).
    """
    rest, se = 1 - float(fit.estimates[0]), float(np.sqrt(fit.covariance[0, 0]))
    share, low, high = (rest * value for value in stays)
    spread = standard_errors(mass) * se * stays[0]
    below, above = (float(np.hypot(share - low, spread)), float(np.hypot(high - share, spread)))
    return Interval(share, share - below if low > 0 else 0.0, min(share + above, rest), mass, "profile")
