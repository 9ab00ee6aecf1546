"""Two switches of every world: the strength of its schemes, and the distance of its hidden segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sojourn.core.ranges import in_range
from sojourn.world.members.enrolment import by_segment
from sojourn.world.parameters import Offers, Points, Scheme, Segment, WorldParameters

#: Positive properties of segments that move on the scale of logarithms.
_LOGS = (
    "hazard", "value_days", "active_days", "sessions", "views", "buys", "tasks", "social", "price",
    "price_sensitivity",
)  # fmt: skip


def switched(parameters: WorldParameters, *, effects: float, separation: float) -> WorldParameters:
    """Return a world with its two switches set.

    Parameters
    ----------
    parameters : WorldParameters
        As planned, with both switches at 1.
    effects : float
        Strength of the schemes (0-1.5): multiplies the logarithm of every factor and every cost. At 0
        all schemes are null in retention, revenue and cost: an A/A trial whose net value is exactly 0.
    separation : float
        Distance of the hidden segments (0-1.25) from their common centre, in the logarithm (for shares the
        log-odds) of every property. At 0 there are no groups: all members share one distribution, in which
        only their own factors and what is known at joining differ.

    Raises
    ------
    ParameterError
        When a switch is out of its range.
    """
    in_range(effects, "effects", ge=0, le=1.5)
    in_range(separation, "separation", ge=0, le=1.25)
    shares = [segment.share for segment in parameters.segments]
    trials = tuple(
        replace(
            trial, schemes=tuple(_scheme(parameters, s, shares, effects, separation) for s in trial.schemes)
        )
        for trial in parameters.trials
    )
    return replace(
        parameters,
        segments=_segments(parameters.segments, shares, separation),
        offers=_offers(parameters.offers, shares, separation),
        points=_points(parameters.points, shares, separation),
        trials=trials,
        effects=effects,
        separation=separation,
    )


def _segments(
    segments: tuple[Segment, ...], shares: Sequence[float], separation: float
) -> tuple[Segment, ...]:
    moved: dict[str, Sequence[Any]] = {
        name: _apart([getattr(s, name) for s in segments], shares, separation) for name in _LOGS
    }
    moved["takes_off"] = _chances([s.takes_off for s in segments], shares, separation)
    for name in ("taste", "reasons"):
        moved[name] = _mix([getattr(s, name) for s in segments], shares, separation)
    return tuple(
        replace(segment, **{name: values[i] for name, values in moved.items()})
        for i, segment in enumerate(segments)
    )


def _offers(offers: Offers, shares: Sequence[float], separation: float) -> Offers:
    return replace(offers, tastes=tuple(_mix(offers.tastes, shares, separation)))


def _points(points: Points, shares: Sequence[float], separation: float) -> Points:
    if len(points.redeems) == 1:
        return points
    return replace(points, redeems=_chances(points.redeems, shares, separation))


def _scheme(
    parameters: WorldParameters, scheme: Scheme, shares: Sequence[float], effects: float, separation: float
) -> Scheme:
    moved: dict[str, Any] = {}
    for name in ("hazard", "rebound", "sessions", "buys", "tasks"):
        values = by_segment(getattr(scheme, name), parameters).tolist()
        moved[name] = tuple(float(f**effects) for f in _apart(values, shares, separation))
    for name in ("at_start", "per_purchase"):
        values = by_segment(getattr(scheme, name), parameters).tolist()
        moved[name] = _spread(values, shares, effects, separation)
    return replace(scheme, opt_out=float(scheme.opt_out**effects), **moved)


def _apart(values: Sequence[float], shares: Sequence[float], separation: float) -> tuple[float, ...]:
    """Move positive values towards (separation < 1) or away from their weighted geometric mean."""
    logs = np.log(values)
    centre = np.average(logs, weights=shares)
    return tuple(float(v) for v in np.exp(centre + separation * (logs - centre)))


def _chances(values: Sequence[float], shares: Sequence[float], separation: float) -> tuple[float, ...]:
    """Do the same to probabilities, on their odds."""
    odds = _apart([value / (1 - value) for value in values], shares, separation)
    return tuple(value / (1 + value) for value in odds)


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
    """Do the same to weights, on the scale of logarithms; each row sums to 1."""
    logs = np.log(np.asarray(rows))
    centre = np.average(logs, axis=0, weights=shares)
    moved = np.exp(centre + separation * (logs - centre))
    return [tuple(float(v) for v in row / row.sum()) for row in moved]
