"""When leaving is fastest: the peak of a smooth hazard with its interval, or that there is none inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.estimators.survival.smooth_hazard import SmoothHazard

Floats = NDArray[np.float64]
Shape = Literal["peak", "falling", "rising", "level"]

#: A peak is at least so many times as high as long before it and as long after it ...
STANDS_OUT = 1.1
#: ... in at least this share of the curves that the counts allow. `calibration/when.py` measures this rule.
SURE = 0.90


@dataclass(frozen=True, slots=True)
class HazardPeak:
    """Where the hazard is highest.

    Attributes
    ----------
    shape : str
        ``peak`` when there surely is one inside; else ``falling``, ``rising``, or ``level`` when neither end
        is surely higher than the other.
    sure : float
        Share of the curves in which there is a peak inside (0-1).
    at, low, high : float
        Time at which the hazard is highest: median and equal-tailed bounds over these curves; not a number
        without a peak.
    before, after : array of 3 float
        The hazard at the peak over its mean in the first half of the time before it, and in the second half
        of the time after it: median and bounds; not numbers without a peak.
    """

    shape: Shape
    sure: float
    at: float
    low: float
    high: float
    before: Floats
    after: Floats


def hazard_peak(smooth: SmoothHazard, mass: float) -> HazardPeak:
    """Return the peak of a smooth hazard, or the verdict that there is none inside.

    Parameters
    ----------
    smooth : SmoothHazard
        Draws of the curve.
    mass : float
        Mass of the equal-tailed intervals, in (0, 1).

    Notes
    -----
    Each draw has its own place of the highest hazard, between units of time by the parabola through the
    highest three; the first or last unit of time is no place inside. A peak is claimed when at least `SURE`
    of the draws stand out by `STANDS_OUT` over both sides: so neither a level nor a falling hazard, whose
    draws are highest at an end or hardly rise, is read as a peak. Its place and height come from draws with a
    milder covariance, see `smooth_hazard`.
    """
    sure = float(_standing_out(smooth.log_hazard)[0].mean())
    stands, place, over_before, over_after = _standing_out(smooth.for_places)
    if sure < SURE or not stands.any():
        none = np.full(3, np.nan)
        return HazardPeak(_slope(np.exp(smooth.log_hazard)), sure, np.nan, np.nan, np.nan, none, none)
    levels = [0.5, 0.5 - mass / 2, 0.5 + mass / 2]
    at, low, high = np.quantile(_summit(smooth.for_places[stands], place[stands]), levels)
    before, after = (np.quantile(over[stands], levels) for over in (over_before, over_after))
    return HazardPeak("peak", sure, float(at), float(low), float(high), before, after)


def _standing_out(log_hazard: Floats) -> tuple[NDArray[np.bool_], NDArray[np.intp], Floats, Floats]:
    """Return, per draw, whether its highest place stands out, this place, and by how much on both sides."""
    hazard = np.exp(log_hazard)
    place = hazard.argmax(axis=1)
    before, after = _over_both_sides(hazard, place)
    return (before > STANDS_OUT) & (after > STANDS_OUT), place, before, after


def _summit(log_hazard: Floats, place: NDArray[np.intp]) -> Floats:
    """Return the time of the top of the parabola through the highest value (inside) and its neighbours."""
    draws = np.arange(len(place))
    before, top, after = (log_hazard[draws, place + step] for step in (-1, 0, 1))
    bend = 2 * top - before - after
    off = np.divide(after - before, 2 * bend, out=np.zeros(len(place)), where=bend > 0)
    return np.asarray(place + 0.5 + off)


def _over_both_sides(hazard: Floats, place: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return, per draw, the highest hazard over its mean long before and long after; 1 at an end."""
    longest, draws = hazard.shape[1], np.arange(len(hazard))
    running = np.concatenate([np.zeros((len(hazard), 1)), np.cumsum(hazard, axis=1)], axis=1)
    highest = hazard[draws, place]
    early = (place + 1) // 2
    late = place + 1 + (longest - place - 1) // 2
    before = np.divide(running[draws, early], early, out=highest.copy(), where=early > 0)
    rest = running[:, -1] - running[draws, late]
    after = np.divide(rest, longest - late, out=highest.copy(), where=late < longest)
    return highest / before, highest / after


def _slope(hazard: Floats) -> Shape:
    """Return whether the first or the last third of the time is surely higher."""
    third = max(hazard.shape[1] // 3, 1)
    times = hazard[:, :third].mean(axis=1) / hazard[:, -third:].mean(axis=1)
    if (times > STANDS_OUT).mean() >= SURE:
        return "falling"
    return "rising" if (times < 1 / STANDS_OUT).mean() >= SURE else "level"
