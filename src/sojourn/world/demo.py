"""The demo platform: the numbers it is drawn from, and its two switches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sojourn.core.ranges import in_range
from sojourn.world.parameters import Level, Scheme, Segment, Trial, WorldParameters

_CHANNELS = (
    Level("search", 0.28, 1.00),
    Level("social", 0.26, 1.25),
    Level("referral", 0.18, 0.75),
    Level("partner", 0.16, 0.90),
    Level("advertising", 0.12, 1.40),
)
_PLANS = (Level("monthly", 0.60, 1.15), Level("annual", 0.28, 0.60), Level("family", 0.12, 0.85))
_SEGMENTS = (
    Segment(
        "regulars", 0.27, 0.55, sessions=0.24, views=1.0, buys=0.26, tasks=0.20, price=21.0,
        taste=(0.56, 0.10, 0.10, 0.20, 0.04), reasons=(0.15, 0.30, 0.30, 0.10, 0.15),
    ),
    Segment(
        "browsers", 0.41, 0.95, sessions=0.09, views=2.5, buys=0.07, tasks=0.06, price=15.0,
        taste=(0.15, 0.05, 0.40, 0.08, 0.32), reasons=(0.15, 0.45, 0.10, 0.10, 0.20),
    ),
    Segment(
        "bargain hunters", 0.32, 1.60, sessions=0.13, views=1.3, buys=0.22, tasks=0.35, price=9.0,
        taste=(0.14, 0.62, 0.05, 0.15, 0.04), reasons=(0.50, 0.15, 0.10, 0.08, 0.17),
    ),
)  # fmt: skip
_SCHEMES = (
    Scheme("none"),
    Scheme("welcome_coupon", hazard=(0.80, 0.65, 0.55), buys=(1.30, 1.80, 1.80),
           per_purchase=(0.50, 0.50, 0.50)),
    Scheme("bonus_points", hazard=(0.75, 0.65, 0.65), buys=(1.10, 1.10, 1.10), at_start=(4.0, 4.0, 4.0),
           per_purchase=(1.20, 1.20, 1.20)),
    Scheme("daily_tasks", tasks=(1.6, 1.6, 1.6)),
    Scheme("tier_trial", hazard=(0.60, 0.90, 1.00), rebound=(1.0, 1.25, 1.25), buys=(1.20, 1.0, 1.0),
           at_start=(3.0, 3.0, 3.0)),
)  # fmt: skip
_DEMO = WorldParameters(
    channels=_CHANNELS,
    plans=_PLANS,
    segments=_SEGMENTS,
    channel_tilt=(
        (0.1, 0.0, 0.0), (-0.3, 0.2, 0.0), (0.4, 0.0, -0.3), (0.1, 0.1, -0.1), (-0.3, -0.1, 0.4),
    ),
    young_tilt=(-0.2, 0.0, 0.2),
    trial=Trial("main", _SCHEMES),
)  # fmt: skip


def world_parameters(*, effects: float = 1.0, separation: float = 1.0) -> WorldParameters:
    """Return the parameters of the demo platform, with its two switches.

    Parameters
    ----------
    effects : float
        Strength of the schemes (0-1.5): multiplies the logarithm of every factor and every cost. At 0
        all schemes are null in retention, revenue and cost: an A/A trial whose net value is exactly 0.
    separation : float
        Distance of the hidden segments (0-1.25) from their common centre, in the logarithm of every
        property. At 0 there are no groups: all members share one distribution, in which only their own
        level of activity and what is known at joining differ.

    Raises
    ------
    ParameterError
        When a switch is out of its range.
    """
    in_range(effects, "effects", ge=0, le=1.5)
    in_range(separation, "separation", ge=0, le=1.25)
    made = _DEMO
    shares = [segment.share for segment in made.segments]
    schemes = tuple(_scheme(scheme, shares, effects, separation) for scheme in made.trial.schemes)
    return replace(
        made,
        segments=_segments(made.segments, shares, separation),
        trial=replace(made.trial, schemes=schemes),
        effects=effects,
        separation=separation,
    )


def _segments(
    segments: tuple[Segment, ...], shares: Sequence[float], separation: float
) -> tuple[Segment, ...]:
    names = ("hazard", "sessions", "views", "buys", "tasks", "price")
    moved: dict[str, Sequence[Any]] = {
        name: _apart([getattr(s, name) for s in segments], shares, separation) for name in names
    }
    for name in ("taste", "reasons"):
        moved[name] = _mix([getattr(s, name) for s in segments], shares, separation)
    return tuple(
        replace(segment, **{name: values[i] for name, values in moved.items()})
        for i, segment in enumerate(segments)
    )


def _scheme(scheme: Scheme, shares: Sequence[float], effects: float, separation: float) -> Scheme:
    moved: dict[str, Any] = {
        name: tuple(float(f**effects) for f in _apart(getattr(scheme, name), shares, separation))
        for name in ("hazard", "rebound", "buys", "tasks")
    }
    for name in ("at_start", "per_purchase"):
        moved[name] = _spread(getattr(scheme, name), shares, effects, separation)
    return replace(scheme, **moved)


def _apart(values: Sequence[float], shares: Sequence[float], separation: float) -> tuple[float, ...]:
    """Move positive values towards (separation < 1) or away from their weighted geometric mean."""
    logs = np.log(values)
    centre = np.average(logs, weights=shares)
    return tuple(float(v) for v in np.exp(centre + separation * (logs - centre)))


def _spread(
    values: Sequence[float], shares: Sequence[float], effects: float, separation: float
) -> tuple[float, ...]:
    """Do the same to amounts of money around their mean, and scale them by `effects`; whole cents."""
    centre = np.average(values, weights=shares)
    moved = np.maximum(centre + separation * (np.asarray(values) - centre), 0.0) * effects
    return tuple(float(v) for v in np.round(moved, 2))


def _mix(
    rows: Sequence[Sequence[float]], shares: Sequence[float], separation: float
) -> list[tuple[float, ...]]:
    """Do the same to probabilities, on the scale of logarithms; each row sums to 1."""
    logs = np.log(np.asarray(rows))
    centre = np.average(logs, axis=0, weights=shares)
    moved = np.exp(centre + separation * (logs - centre))
    return [tuple(float(v) for v in row / row.sum()) for row in moved]
