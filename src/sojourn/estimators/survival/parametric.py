"""Laws of lifetimes fitted to cells by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sojourn.core.errors import UndefinedError
from sojourn.core.ranges import one_of
from sojourn.estimators.survival.interval_cells import IntervalCells, Terms, terms_of
from sojourn.estimators.survival.lifetime_fit import LAWS, LifetimeFit, made
from sojourn.estimators.survival.lifetime_laws import log_gamma
from sojourn.estimators.survival.lifetime_likelihood import Bools, Peak, Score, log_likelihood, maximum

Floats = NDArray[np.float64]
Model = Literal["exponential", "weibull", "log-logistic", "log-normal", "generalised gamma"]

#: Every law by name.
MODELS: tuple[Model, ...] = get_args(Model)
#: Shapes of the generalised gamma where the search begins, and how far it goes.
_SHAPES, _FURTHEST = (-3.0, -1.5, -0.5, 0.5, 1.5, 3.0), 8.0
#: Log scales where searches begin.
_SCALES = (0.0, 0.7, -0.7, 1.4)
_BEGINS = len(_SCALES)


def fit_lifetime(model: Model, cells: IntervalCells) -> LifetimeFit:
    """Return a law of lifetimes fitted to cells by maximum likelihood.

    Parameters
    ----------
    model : str
        ``exponential``, ``weibull``, ``log-logistic``, ``log-normal`` or ``generalised gamma``.
    cells : IntervalCells
        Days, months, wider cells or exact times, in any mixture.

    Raises
    ------
    UndefinedError
        When nobody leaves after 0, or the likelihood has no clear maximum.

    Notes
    -----
    Location and scale are those of log T, as ``survreg`` of R has them (intercept and scale). Generalised
    gamma: Prentice (1974), Biometrika 61, 539-544.
    """
    one_of(model, "model", MODELS)
    terms = terms_of(cells)
    check_events(terms, model)
    if model == "generalised gamma":
        return _generalised_gamma(terms)
    free = np.array([True, model != "exponential"])
    peak = best(partial(log_likelihood, LAWS[model], terms), starts(terms), free)
    return made(model, ("location", "log_scale"), peak, terms)


def check_events(terms: Terms, model: str) -> None:
    """Raise where too little is known for any law."""
    if terms.events <= 0:
        raise UndefinedError("Nobody left after the first moment: no law of lifetimes can be fitted.")
    different = len(terms.within) + len(terms.exact)
    if different < 2 and not len(terms.time) and model != "exponential":
        raise UndefinedError("All members left at the same time: no law of lifetimes can be fitted.")


def starts(terms: Terms) -> list[Floats]:
    """Return where searches begin: at the constant rate of leaving, with several scales."""
    middle = (terms.low + terms.high) / 2
    exposure = float(terms.within @ middle + terms.at_exact @ terms.exact + terms.beyond @ terms.time)
    location = float(np.log(max(exposure, 1e-300) / terms.events))
    return [np.array([location, scale]) for scale in _SCALES]


def best(score: Callable[[Floats], Score], begins: list[Floats], free: Bools) -> Peak:
    """Return the maximum that the first search finds; where it finds none, that of the next.

    Raises
    ------
    UndefinedError
        When no search finds a maximum.
    """
    found: UndefinedError | None = None
    for begin in begins:
        try:
            return maximum(score, begin * (free | (np.arange(len(free)) == 0)), free)
        except UndefinedError as reason:
            found = reason
    raise found or UndefinedError("There is nowhere to begin the search.")


def _generalised_gamma(terms: Terms) -> LifetimeFit:
    """Return the fit over all shapes: for each shape Newton, over shapes Brent's method.

    Raises
    ------
    UndefinedError
        When no shape within reach is best.
    """
    begins, free = starts(terms), np.array([True, True])

    def at(shape: float) -> Peak:
        peak = best(partial(log_likelihood, log_gamma(shape), terms), begins, free)
        begins[:-_BEGINS] = [peak.place]  # the next shape begins where this one ended
        return peak

    shape = _best_shape(at)
    names = ("location", "log_scale", "shape")
    return made("generalised gamma", names, _with_shape(terms, shape, at(shape)), terms)


def _best_shape(at: Callable[[float], Peak]) -> float:
    """Return the shape of greatest likelihood.

    Raises
    ------
    UndefinedError
        When it lies at the end of the search.
    """

    def loss(shape: float) -> float:
        try:
            return -at(shape).value
        except UndefinedError:
            return float("inf")

    grid = [-_FURTHEST, *_SHAPES, _FURTHEST]
    values = [loss(shape) for shape in grid]
    lowest = int(np.argmin(values))
    if lowest in {0, len(grid) - 1} or not np.isfinite(values[lowest]):
        raise UndefinedError("The shape of the generalised gamma is not determined by these data.")
    ends = (grid[lowest - 1], grid[lowest + 1])
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-7})
    return float(found.x) if found.fun <= values[lowest] else grid[lowest]


def _with_shape(terms: Terms, shape: float, peak: Peak) -> Peak:
    """Return the peak with the shape as a parameter; second derivatives by the shape are numerical."""
    step = 1e-4 * max(1.0, abs(shape))
    up, down = (log_likelihood(log_gamma(shape + side), terms, peak.place) for side in (step, -step))
    bend = np.zeros((3, 3))
    bend[:2, :2] = peak.bend
    bend[2, :2] = bend[:2, 2] = (up[1] - down[1]) / (2 * step)
    bend[2, 2] = (up[0] - 2 * peak.value + down[0]) / step**2
    if np.linalg.eigvalsh(-bend).min() <= 0:
        raise UndefinedError("The shape of the generalised gamma is not determined by these data.")
    return Peak(np.append(peak.place, shape), peak.value, bend, np.ones(3, dtype=np.bool_))
