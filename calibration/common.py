"""What several subjects share: intervals of worlds, and the row that says how often they cover the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

MASS = 0.95
#: Coverage of an interval of mass `MASS`.
GOAL = (0.935, 0.965)
#: An exact interval may cover more than it says, never clearly less.
EXACT_GOAL = (0.945, 0.985)
#: So many worlds may leave an interval undefined.
MOST_UNDEFINED = 0.01


class Interval(NamedTuple):
    """One interval of one world; low and high are not a number where none is claimed."""

    low: float
    high: float


def covered(
    estimand: str,
    like: str,
    bounds: Sequence[tuple[float, float]] | NDArray[np.float64],
    truth: float,
    goal: tuple[float, float] = GOAL,
) -> dict[str, Any]:
    """Return one row of the table of coverage.

    Parameters
    ----------
    estimand, like : str
        What is estimated, and in what worlds.
    bounds : sequence of (float, float), or array (worlds, 2)
        Lower and upper bounds, one pair a world; not a number where none are claimed, which is a miss.
    truth : float
        What they should cover.
    goal : (float, float)
        Coverage that meets the goal: its 99.9 % interval has to reach in.
    """
    low, high = np.asarray(bounds, dtype=np.float64).T
    defined = np.isfinite(low) & np.isfinite(high)
    inside = defined & (low <= truth) & (truth <= high)
    below, above = defined & (high < truth), defined & (low > truth)
    width = float((high - low)[defined].mean())
    row = measured(estimand, like, inside, defined, goal)
    missed = {"below": round(float(below.mean()), 4), "above": round(float(above.mean()), 4)}
    return {**row, "truth": round(float(truth), 4), **missed, "width": round(width, 4)}


def measured(
    estimand: str,
    like: str,
    inside: NDArray[np.bool_],
    defined: NDArray[np.bool_],
    goal: tuple[float, float] = GOAL,
) -> dict[str, Any]:
    """Return the part of a row that says how many worlds were covered, and whether that meets the goal."""
    share, worlds = float(inside.mean()), len(inside)
    reach = float(norm.ppf(0.9995)) * (share * (1 - share) / worlds) ** 0.5
    undefined = float(1 - defined.mean())
    met = share + reach >= goal[0] and share - reach <= goal[1] and undefined <= MOST_UNDEFINED
    return {
        "estimand": estimand,
        "worlds": worlds,
        "like": like,
        "nominal": MASS,
        "goal": list(goal),
        "measured": round(share, 4),
        "undefined": round(undefined, 4),
        "met": bool(met),
    }
