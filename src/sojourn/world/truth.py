"""The truth beside the data: counts of what was drawn, and closed forms averaged over it.

Nothing here comes from simulated outcomes. Hidden kinds and days of joining are as drawn; staying, buying and
costs are taken in expectation (`sojourn.world.expectations`). No observed table holds any of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from sojourn.world.clock import DAY, Floats, Ints, iso
from sojourn.world.expectations import Expected, expect
from sojourn.world.hazards import Hazards, hazard_shape, segment_of
from sojourn.world.lives import Lives
from sojourn.world.members import People
from sojourn.world.money import mean_amount
from sojourn.world.parameters import AGE_BANDS, Frame

#: Days since joining at which the true curve is written down.
HORIZONS: tuple[int, ...] = (1, 7, 30, 60, 90, 180, 365)
#: Horizon of the restricted mean, in days.
UNTIL = 180
_METHOD = (
    "Closed form. Hidden kinds of members (segment, plan, channel) and their days of joining are as "
    "drawn; leaving, buying and costs are expectations from the hazards and rates, averaged over those "
    "kinds, and over the schemes' probabilities for members who joined while the trial took members in."
    " Nothing is estimated from outcomes."
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so in a world.

    Attributes
    ----------
    summary : mapping
        As in ``truth.json``: parts ``world``, ``retention``, ``trials``, ``segments``, ``parameters``.
    members : DataFrame, one row per member
        ``member_id``, ``segment``, ``activity`` (own factor on sessions), ``hazard`` (factor on the shape),
        ``in_trial``, and ``kept_SCHEME``: probability of staying from assignment to the horizon under each
        scheme. Never shown on a page.
    """

    summary: Mapping[str, Any]
    members: pd.DataFrame

    def __repr__(self) -> str:
        found = self.summary["segments"]["count"]
        return f"Truth of a world of {self.summary['world']['members']:,} members in {found} hidden segments"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of what was drawn, which add over blocks.

    Attributes
    ----------
    followed : mapping of group to array (levels, kinds, 2, days)
        Members by level, kind, whether they joined in the trial's window, and whole days followed.
    assigned : array (schemes, kinds)
        Members of the trial.
    """

    followed: Mapping[str, Ints]
    assigned: Ints

    def __add__(self, other: Tally) -> Tally:
        followed = {name: counts + other.followed[name] for name, counts in self.followed.items()}
        return Tally(followed, self.assigned + other.assigned)


def levels(frame: Frame) -> dict[str, list[str]]:
    """Return the groupings known at joining, with their levels in the order of their codes."""
    parameters = frame.parameters
    return {
        "channel": [c.name for c in parameters.channels],
        "plan": [p.name for p in parameters.plans],
        "region": [name for name, _ in parameters.joining.regions],
        "age_band": list(AGE_BANDS),
    }


def tally(frame: Frame, people: People, lives: Lives) -> Tally:
    """Count the members of a block."""
    kinds = len(segment_of(frame.parameters))
    day = (frame.as_of - people.joined) // DAY
    followed = {}
    for group, names in levels(frame).items():
        where = (getattr(people, group), people.kind, lives.in_window.astype(np.int64), day)
        followed[group] = _count(where, (len(names), kinds, 2, frame.days + 1))
    rows = np.flatnonzero(lives.assigned)
    schemes = len(frame.parameters.trial.schemes)
    return Tally(followed, _count((lives.scheme[rows], people.kind[rows]), (schemes, kinds)))


def _count(where: Sequence[Ints], shape: tuple[int, ...]) -> Ints:
    counts: Ints = np.bincount(np.ravel_multi_index(tuple(where), shape), minlength=int(np.prod(shape)))
    return counts.reshape(shape)


def truth_rows(frame: Frame, people: People, lives: Lives, hazards: Hazards) -> dict[str, Any]:
    """Return the truth of each member of a block: columns of `Truth.members` but the id, to nine decimals."""
    parameters = frame.parameters
    kept = expect(parameters, hazards).kept
    names = np.array([s.name for s in parameters.segments])
    factor = hazards.daily[0, :, 0] / hazard_shape(parameters.churn, 1)
    columns: dict[str, Any] = {
        "segment": names[people.segment],
        "activity": people.activity.round(9),
        "hazard": factor[people.kind].round(9),
        "in_trial": lives.assigned,
    }
    for code, scheme in enumerate(parameters.trial.schemes):
        columns[f"kept_{scheme.name}"] = kept[code, people.kind].round(9)
    return columns


def summarise(frame: Frame, hazards: Hazards, counts: Tally) -> dict[str, Any]:
    """Return the truth of a world as JSON holds it; numbers to nine decimals, none where undefined."""
    summary = {
        "world": _describe(frame),
        "retention": _retention(frame, hazards, counts),
        "trials": _trials(frame, hazards, counts),
        "segments": _segments(frame, counts),
        "parameters": asdict(frame.parameters),
    }
    rounded: dict[str, Any] = _rounded(summary)
    return rounded


def _describe(frame: Frame) -> dict[str, Any]:
    return {
        "members": frame.members,
        "seed": frame.seed,
        "start": iso(frame.start),
        "as_of": iso(frame.as_of),
        "time_zone": frame.time_zone,
        "effects": frame.parameters.effects,
        "separation": frame.parameters.separation,
        "method": _METHOD,
    }


def _retention(frame: Frame, hazards: Hazards, counts: Tally) -> dict[str, Any]:
    curves = _curves(frame, hazards, counts)
    everyone = curves[0]
    daily = -np.diff(np.log(everyone.survival))
    peak = int(np.argmax(daily[:UNTIL]))
    return {
        "unit": "days since joining",
        "survival": [row for curve in curves for row in curve.at_horizons()],
        "restricted_mean": [curve.restricted_mean() for curve in curves],
        "hazard_peak_day": peak + 0.5,
        "hazard_peak_ratio": daily[peak] / daily[UNTIL : 2 * UNTIL].mean(),
    }


@dataclass(frozen=True, slots=True)
class _Curve:
    """True retention of one group.

    ``survival`` is as if everyone were followed to each day; ``seen`` is what a Kaplan-Meier curve at `as_of`
    tends to (not a number beyond the longest follow-up): the trial took in members who joined earlier, so
    those followed longer differ a little.
    """

    group: str
    level: str
    members: int
    survival: Floats
    seen: Floats

    def at_horizons(self) -> list[dict[str, Any]]:
        return [
            {"group": self.group, "level": self.level, "members": self.members, "day": day,
             "survival": self.survival[day], "seen": self.seen[day]}
            for day in HORIZONS if day < len(self.survival)
        ]  # fmt: skip

    def restricted_mean(self) -> dict[str, Any]:
        return {
            "group": self.group, "level": self.level, "members": self.members, "until": UNTIL,
            "days": _area(self.survival, UNTIL), "seen": _area(self.seen, UNTIL),
        }  # fmt: skip


def _area(survival: Floats, until: int) -> float:
    """Integrate a curve that is log-linear within days (very nearly, for a mixture)."""
    start, end = survival[:until], survival[1 : until + 1]
    return float(((start - end) / np.log(start / end)).sum())


def _curves(frame: Frame, hazards: Hazards, counts: Tally) -> list[_Curve]:
    some = next(iter(counts.followed.values()))
    found = [_curve(hazards, "all", "all", some.sum(axis=0))]
    for group, names in levels(frame).items():
        by_level = zip(names, counts.followed[group], strict=True)
        found += [_curve(hazards, group, name, part) for name, part in by_level if part.sum()]
    return found


def _curve(hazards: Hazards, group: str, level: str, followed: Ints) -> _Curve:
    """Return the curve of members counted by kind, window and days followed."""
    arms = hazards.survival
    there = np.stack([arms[0], arms.mean(axis=0)], axis=1)
    weights = followed.sum(axis=-1)
    survival = np.einsum("kw,kwt->t", weights, there) / weights.sum()
    days = survival.size - 1
    at_risk = _at_risk(followed, days)
    leaving = np.einsum("kwt,kwt->t", at_risk, -np.diff(there, axis=-1))
    staying = np.einsum("kwt,kwt->t", at_risk, there[..., :-1])
    shares = np.divide(leaving, staying, out=np.full(days, np.nan), where=staying > 0)
    seen = np.concatenate([[1.0], np.cumprod(1 - shares)])
    return _Curve(group, level, int(weights.sum()), survival, seen)


def _at_risk(followed: Ints, days: int) -> Floats:
    """Return members followed through each day, those whose follow-up ends in it counted half."""
    counts = np.zeros((*followed.shape[:-1], days))
    known = min(days, followed.shape[-1])
    counts[..., :known] = followed[..., :known]
    from_here = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
    return from_here - counts / 2


def _trials(frame: Frame, hazards: Hazards, counts: Tally) -> dict[str, Any]:
    trial = frame.parameters.trial
    kinds = counts.assigned.sum(axis=0)
    if not kinds.sum():
        return {}
    expected, hidden = expect(frame.parameters, hazards), segment_of(frame.parameters)
    rows = []
    for code, segment in enumerate(frame.parameters.segments):
        weights = np.where(hidden == code, kinds, 0)
        if weights.sum():
            rows += [{"segment": segment.name, **row} for row in _schemes(frame, expected, weights)]
    return {
        trial.name: {
            "control": trial.schemes[0].name,
            "members": int(kinds.sum()),
            "assigned_on_day": trial.day,
            "reward_days": trial.reward_days,
            "horizon_days": trial.horizon_days,
            "margin": trial.margin,
            "schemes": _schemes(frame, expected, kinds),
            "by_segment": rows,
        }
    }


def _schemes(frame: Frame, expected: Expected, weights: Ints) -> list[dict[str, Any]]:
    """Return what each scheme does on average over members counted by kind; gains are over the control."""
    mean = {
        name: getattr(expected, name) @ weights / weights.sum()
        for name in ("kept", "revenue", "cost", "value")
    }
    return [
        {
            "scheme": scheme.name,
            "members": int(weights.sum()),
            "kept": mean["kept"][code],
            "lift": mean["kept"][code] - mean["kept"][0],
            "revenue": mean["revenue"][code],
            "cost": mean["cost"][code],
            "net_value": mean["value"][code],
            "net_gain": mean["value"][code] - mean["value"][0],
        }
        for code, scheme in enumerate(frame.parameters.trial.schemes)
    ]


def _segments(frame: Frame, counts: Tally) -> dict[str, Any]:
    parameters = frame.parameters
    kinds = next(iter(counts.followed.values())).sum(axis=(0, 2, 3))
    shares = np.bincount(segment_of(parameters), weights=kinds) / kinds.sum()
    features = [
        {
            "segment": s.name,
            "share": shares[code],
            "hazard": s.hazard,
            "sessions_per_day": s.sessions,
            "views_per_session": s.views,
            "tasks_per_session": s.tasks,
            "purchases_per_session": s.buys,
            "mean_amount": mean_amount(parameters.activity, s.price),
        }
        for code, s in enumerate(parameters.segments)
    ]
    count = len(parameters.segments) if parameters.separation > 0 else 1
    return {"count": count, "separation": parameters.separation, "features": features}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else round(float(value), 9)
    return value
