"""Newton's method with halved steps for concave log-likelihoods, which says when there is no maximum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError

Floats = NDArray[np.float64]

#: A step shorter than this in standard errors ends the search; convergence is quadratic, so what is left is
#: its square.
_CLOSE = 1e-7
_MOST_STEPS, _MOST_HALVINGS = 60, 40
#: A coefficient beyond this (a hazard over three million times as high) has no finite estimate.
_ENDLESS = 15.0


@dataclass(frozen=True, slots=True)
class At:
    """A log-likelihood at one place, with its first and (negative) second derivative."""

    value: float
    score: Floats
    information: Floats


def maximum(
    at: Callable[[Floats], At], start: Floats, names: Sequence[str], *, watched: int | None = None
) -> tuple[Floats, At]:
    """Return where a concave log-likelihood is largest, and what it is there.

    Parameters
    ----------
    at : callable
        Value, score and information at some coefficients.
    start : array
        First guess.
    names : sequence of str
        What coefficients are called in an error.
    watched : int, optional
        How many coefficients, from the last, may not run off; all when not stated.

    Raises
    ------
    UndefinedError
        When a coefficient has no finite estimate (separation), or the search does not end.
    """
    beta, here = start, at(start)
    for _ in range(_MOST_STEPS):
        step = _step(here, names)
        scale = np.sqrt(np.diag(here.information))
        if np.max(np.abs(step) * scale, initial=0.0) < _CLOSE:
            return _last(at, beta + step, here, beta)
        beta, here = _forward(at, beta, here, step)
        _check_finite(beta, names, watched)
    raise UndefinedError(f"The model of {_some(names)} does not converge in {_MOST_STEPS} steps.")


def _last(at: Callable[[Floats], At], beta: Floats, before: At, old: Floats) -> tuple[Floats, At]:
    """Take the last step, unless rounding makes it one down by more than rounding can."""
    here = at(beta)
    falls = here.value < before.value - 1e-9 * (1 + abs(before.value))
    return (old, before) if falls else (beta, here)


def _step(here: At, names: Sequence[str]) -> Floats:
    scale = np.sqrt(np.maximum(np.diag(here.information), 1e-300))
    try:
        step: Floats = np.linalg.solve(here.information / np.outer(scale, scale), here.score / scale) / scale
    except np.linalg.LinAlgError:
        step = np.full(len(scale), np.nan)
    if not np.isfinite(step).all():
        raise UndefinedError(f"The effects of {_some(names)} cannot be told apart in these cells.")
    return step


def _forward(at: Callable[[Floats], At], beta: Floats, here: At, step: Floats) -> tuple[Floats, At]:
    """Return the first of ever shorter steps that climbs."""
    for halvings in range(_MOST_HALVINGS):
        tried = beta + step / 2**halvings
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            there = at(tried)
        if np.isfinite(there.value) and there.value >= here.value - 1e-12 * (1 + abs(here.value)):
            return tried, there
    raise UndefinedError("The likelihood of the model cannot be climbed: it is flat or not a number.")


def _check_finite(beta: Floats, names: Sequence[str], watched: int | None) -> None:
    seen = beta if watched is None else beta[len(beta) - watched :]
    if np.max(np.abs(seen), initial=0.0) > _ENDLESS:
        worst = names[len(names) - len(seen) + int(np.argmax(np.abs(seen)))]
        raise UndefinedError(
            f"{worst} has no finite effect: in some patterns with it nobody left while others did, or all "
            "did at once. Merge it with another level, or leave the column out."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
