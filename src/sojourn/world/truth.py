"""The truth beside the data: what was drawn of members, and closed forms averaged over it.

Nothing here comes from simulated outcomes. Hidden properties of members, the courses of their lives and their
days of joining are as drawn; staying, buying and costs are taken in expectation. No observed table holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.text import plural
from sojourn.world.arrays import Floats, Ints
from sojourn.world.breakage import SUMS, points_truth
from sojourn.world.clock import DAY, iso
from sojourn.world.expectations import QUANTITIES, Expected
from sojourn.world.hazards import back_by, cumulative, integral_at
from sojourn.world.parameters import AGE_BANDS, REASONS, Frame, Trial
from sojourn.world.people import of_segment
from sojourn.world.planted import planted
from sojourn.world.population import LEAST_DAYS, Population
from sojourn.world.responses import expected_recommend, survey_truth
from sojourn.world.touches import advertising_truth

#: Days since joining at which the true curve is written down.
HORIZONS: tuple[int, ...] = (1, 7, 30, 60, 90, 180, 365)
#: Horizon of the restricted mean, in days.
UNTIL = 180
#: Properties of hidden segments that the summary states.
PROPERTIES: tuple[str, ...] = (
    "hazard", "takes_off", "value_days", "active_days", "sessions", "views", "buys", "tasks", "social",
    "price",
)  # fmt: skip
_METHOD = (
    "Closed form. Hidden properties of members, the courses of their lives and their days of joining are as "
    "drawn; leaving, buying and costs are expectations from the hazards and rates, averaged over members. "
    "Members who joined before observation began count for those of their kind who had left by then. Nothing "
    "is estimated from outcomes."
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so in a world.

    Attributes
    ----------
    summary : mapping
        As in ``truth.json``: parts ``world``, ``planted``, ``retention``, ``trials``, ``segments``,
        ``surveys``, ``advertising``, ``points``, ``dictionary`` (what each column means), ``parameters``.
    members : DataFrame, one row per member
        Hidden properties; see ``dictionary``. Never shown on a page.
    counterfactuals : DataFrame, one row per member and scheme of each trial
        Probability of staying to the horizon, had all members been given the scheme.
    items : DataFrame, one row per item
        Hidden quality.
    """

    summary: Mapping[str, Any]
    members: pd.DataFrame
    counterfactuals: pd.DataFrame
    items: pd.DataFrame

    def __repr__(self) -> str:
        found = plural(self.summary["segments"]["count"], "hidden segment")
        return f"Truth of a world of {self.summary['world']['members']:,} members in {found}"


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over members, which add over blocks.

    Attributes
    ----------
    members : int
        Members.
    curves : mapping of group to array (levels, 3, days)
        By day since joining: weight x survival, members at risk x survival, members at risk x leaving.
        ``weight`` is 1 over the probability of having stayed until observation began.
    assigned : mapping of trial to array (schemes,)
        Members who were given each scheme.
    expected : mapping of trial to array (schemes, segments, 6)
        Members, and sums of `QUANTITIES`.
    recommend : array (questions, 2, 3)
        As `sojourn.world.responses.expected_recommend` returns it.
    points : array (segments, 5)
        As `sojourn.world.breakage.expected_points` returns it; no rows where it was not asked for.
    """

    members: int
    curves: Mapping[str, Floats]
    assigned: Mapping[str, Ints]
    expected: Mapping[str, Floats]
    recommend: Floats
    points: Floats = field(default_factory=lambda: np.zeros((0, len(SUMS))))

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.members + other.members,
            {name: sums + other.curves[name] for name, sums in self.curves.items()},
            {name: counts + other.assigned[name] for name, counts in self.assigned.items()},
            {name: sums + other.expected[name] for name, sums in self.expected.items()},
            self.recommend + other.recommend,
            self.points + other.points,
        )


def levels(frame: Frame) -> dict[str, list[str]]:
    """Return the groupings known at joining, with their levels in the order of their codes; and segments."""
    parameters = frame.parameters
    return {
        "channel": [c.name for c in parameters.channels],
        "plan": [p.name for p in parameters.plans],
        "region": [region.name for region in parameters.joining.regions],
        "age_band": list(AGE_BANDS),
        "segment": [s.name for s in parameters.segments],
    }


def tally(frame: Frame, block: Population, expected: Sequence[Expected]) -> Tally:
    """Sum up the members of a block; `expected` are those of its trials, in their order."""
    segments = len(frame.parameters.segments)
    assigned, sums = {}, {}
    for enrolment, found in zip(block.enrolments, expected, strict=True):
        name, schemes = enrolment.trial.name, len(enrolment.trial.schemes)
        assigned[name] = np.bincount(enrolment.scheme[found.rows], minlength=schemes)
        n = np.bincount(block.people.segment[found.rows], minlength=segments)
        sums[name] = np.concatenate([np.broadcast_to(n[:, None], (schemes, segments, 1)), found.sums], axis=2)
    recommend = expected_recommend(frame, block)
    return Tally(len(block), _curves(frame, block), assigned, sums, recommend)


def _curves(frame: Frame, block: Population) -> dict[str, Floats]:
    """Return the sums of `Tally.curves` of one block, by group and level."""
    codes = {name: getattr(block.people, name) for name in levels(frame)}
    shape = tuple(len(names) for names in levels(frame).values())
    cell = np.ravel_multi_index(tuple(codes.values()), shape)
    order = np.argsort(cell, kind="stable")
    filled, first = np.unique(cell[order], return_index=True)
    sums = np.zeros((int(np.prod(shape)), 3, LEAST_DAYS))
    for i, rows in enumerate(_by_day(frame, block)):
        sums[filled, i, : rows.shape[1]] = np.add.reduceat(rows[order], first, axis=0)
    whole = sums.reshape(*shape, 3, LEAST_DAYS)
    axes = range(len(shape))
    return {
        name: whole.sum(axis=tuple(other for other in axes if other != axis))
        for axis, name in enumerate(codes)
    }


def _by_day(frame: Frame, block: Population) -> tuple[Floats, Floats, Floats]:
    """Return what `Tally.curves` sums up, by member and day since joining."""
    total = cumulative(block.hazard)
    weight = np.exp(integral_at(total, block.entry))[:, None]
    survival = weight * np.exp(-total[:, :LEAST_DAYS])
    day = np.arange(LEAST_DAYS - 1)
    followed = ((frame.as_of - block.people.joined) // DAY)[:, None]
    known = np.where(day < followed, 1.0, np.where(day == followed, 0.5, 0.0))
    at_risk = known * (day >= np.ceil(block.entry)[:, None])
    return survival, at_risk * survival[:, :-1], at_risk * -np.diff(survival, axis=1)


def truth_rows(frame: Frame, block: Population, factor: Floats) -> dict[str, Any]:
    """Return the truth of each member of a block: columns of `Truth.members` but the id, to nine decimals."""
    people, lives = block.people, block.lives
    total = cumulative(block.hazard[:, :90])
    return {
        "segment": np.array([s.name for s in frame.parameters.segments])[people.segment],
        "own_sessions": people.own[:, 0].round(9),
        "own_buys": people.own[:, 2].round(9),
        "satisfaction": people.satisfaction.round(9),
        "slow": people.slow.round(9),
        "takes_off": people.takes_off,
        "hazard": factor.round(9),
        "kept_at_90": np.exp(-total[:, 90]).round(9),
        "left_after_days": np.where(np.isinf(lives.left), np.nan, (lives.left - people.joined) / DAY).round(
            6
        ),
    }


#: What the columns of the truth's tables mean.
DICTIONARY: dict[str, dict[str, str]] = {
    "members": {
        "member_id": "Id as in `members`.",
        "segment": "Hidden segment.",
        "own_sessions": "The member's own factor on the number of sessions.",
        "own_buys": "The member's own factor on the probability of a purchase.",
        "satisfaction": "Standard normal.",
        "slow": "Standardised logarithm of the member's load time.",
        "takes_off": "Whether the member reaches a first value moment.",
        "hazard": "Lasting factor on the hazard: all but plan, stage, trials and messages.",
        "kept_at_90": "Probability of staying 90 days, given the course of the member's life.",
        "forgets": "Whether the member never redeems points.",
        "cheats": "Whether the member claims points for tasks not done, if there long enough.",
        "left_after_days": "Days from joining to leaving, also where it comes after as_of.",
    },
    "counterfactuals": {
        "member_id": "Id as in `members`.",
        "trial": "Name of the trial.",
        "scheme": "Scheme that all members are given; the control is nobody treated.",
        "kept": "Probability of staying from assignment to the horizon.",
    },
    "items": {"item_id": "Id as in `items`.", "quality": "Standard normal."},
}


def summarise(frame: Frame, sums: Tally) -> dict[str, Any]:
    """Return the truth of a world as JSON holds it; numbers to nine decimals, none where undefined."""
    summary = {
        "world": _describe(frame),
        "planted": planted(frame),
        "retention": _retention(frame, sums),
        "trials": {
            trial.name: _trial(frame, trial, sums)
            for trial in frame.parameters.trials
            if sums.assigned[trial.name].sum()
        },
        "segments": _segments(frame, sums),
        "surveys": survey_truth(frame, sums.recommend),
        "advertising": advertising_truth(frame.parameters.advertising),
        "points": points_truth(frame, sums.points),
        "dictionary": DICTIONARY,
        "parameters": asdict(frame.parameters),
    }
    rounded: dict[str, Any] = _rounded(summary)
    return rounded


def _describe(frame: Frame) -> dict[str, Any]:
    return {
        "name": frame.parameters.name,
        "members": frame.members,
        "seed": frame.seed,
        "start": iso(frame.start),
        "as_of": iso(frame.as_of),
        "effects": frame.parameters.effects,
        "separation": frame.parameters.separation,
        "method": _METHOD,
    }


def _retention(frame: Frame, sums: Tally) -> dict[str, Any]:
    everyone = _Curve("all", "all", sums.curves["channel"].sum(axis=0))
    curves = [everyone]
    for group, names in levels(frame).items():
        found = zip(names, sums.curves[group], strict=True)
        curves += [_Curve(group, name, part) for name, part in found if part.any()]
    daily = -np.diff(np.log(everyone.survival))
    peak = int(np.argmax(daily[:UNTIL]))
    return {
        "unit": "days since joining",
        "survival": [row for curve in curves for row in curve.at_horizons()],
        "restricted_mean": [curve.restricted_mean() for curve in curves],
        "hazard_peak_day": peak + 0.5,
        "hazard_peak_ratio": daily[peak] / daily[UNTIL : 2 * UNTIL].mean(),
        **_by_segment(frame, sums.curves["segment"][:, 0]),
    }


def _by_segment(frame: Frame, survival: Floats) -> dict[str, Any]:
    """Return reasons of leaving and presence with returns, which differ by segment only given leaving."""
    parameters = frame.parameters
    members = survival[:, 0].sum()
    reasons = np.array([s.reasons for s in parameters.segments])
    gone = survival[:, :1] - survival
    chances = back_by(parameters.churn, parameters.churn.again * of_segment(parameters, "hazard"), LEAST_DAYS)
    leaving = -np.diff(survival, axis=1)
    back = np.zeros(LEAST_DAYS)
    for part, chance in zip(leaving, chances, strict=True):
        within = np.convolve(part, chance)[: LEAST_DAYS - 1]
        back[1:] += (within + np.append(within[1:], within[-1])) / 2
    with_us = (survival.sum(axis=0) + back) / members
    shares = (gone[:, None, :] * reasons[:, :, None]).sum(axis=0) / members
    return {
        "left_for": [
            {"reason": reason, "day": day, "share": shares[i, day]}
            for i, reason in enumerate(REASONS)
            for day in HORIZONS
        ],
        "with_us": [{"day": day, "share": with_us[day]} for day in HORIZONS],
    }


@dataclass(frozen=True, slots=True)
class _Curve:
    """True retention of one group, from its sums by day since joining.

    ``survival`` is as if everyone were followed to each day; ``seen`` is what a Kaplan-Meier curve at `as_of`
    tends to (not a number beyond the longest follow-up), which differs where cohorts do.
    """

    group: str
    level: str
    sums: Floats

    @property
    def survival(self) -> Floats:
        return np.asarray(self.sums[0] / self.sums[0, 0])

    @property
    def seen(self) -> Floats:
        staying, leaving = self.sums[1, :-1], self.sums[2, :-1]
        shares = np.divide(leaving, staying, out=np.full(staying.shape, np.nan), where=staying > 0)
        return np.concatenate([[1.0], np.cumprod(1 - shares)])

    def at_horizons(self) -> list[dict[str, Any]]:
        return [
            {"group": self.group, "level": self.level, "day": day, "survival": self.survival[day],
             "seen": self.seen[day]}
            for day in HORIZONS
        ]  # fmt: skip

    def restricted_mean(self) -> dict[str, Any]:
        return {
            "group": self.group, "level": self.level, "until": UNTIL, "days": _area(self.survival, UNTIL),
            "seen": _area(self.seen, UNTIL),
        }  # fmt: skip


def _area(survival: Floats, until: int) -> float:
    """Integrate a curve that is log-linear within days (very nearly, for a mixture)."""
    start, end = survival[:until], survival[1 : until + 1]
    return float(((start - end) / np.log(start / end)).sum())


def _trial(frame: Frame, trial: Trial, sums: Tally) -> dict[str, Any]:
    expected = sums.expected[trial.name]
    rows = [
        {"segment": segment.name, **row}
        for code, segment in enumerate(frame.parameters.segments)
        if expected[0, code, 0]
        for row in _schemes(trial, expected[:, code])
    ]
    counts = dict(zip([s.name for s in trial.schemes], sums.assigned[trial.name].tolist(), strict=True))
    return {
        "control": trial.schemes[0].name,
        "members": int(sums.assigned[trial.name].sum()),
        "assigned": counts,
        "assigned_on_day": trial.day,
        "reward_days": trial.reward_days,
        "horizon_days": trial.horizon_days,
        "margin": trial.margin,
        "schemes": _schemes(trial, expected.sum(axis=1)),
        "by_segment": rows,
    }


def _schemes(trial: Trial, sums: Floats) -> list[dict[str, Any]]:
    """Return what each scheme does on average; gains are over the control.

    Parameters
    ----------
    trial : Trial
        Its schemes and margin.
    sums : array (schemes, 6)
        Members, and sums of `QUANTITIES` over them.
    """
    means = dict(zip(QUANTITIES, (sums[:, 1:] / sums[:, :1]).T, strict=True))
    value = trial.margin * means["revenue"] - means["cost"]
    return [
        {
            "scheme": scheme.name,
            "members": int(sums[code, 0]),
            "kept": means["kept"][code],
            "lift": means["kept"][code] - means["kept"][0],
            "revenue": means["revenue"][code],
            "cost": means["cost"][code],
            "net_value": value[code],
            "net_gain": value[code] - value[0],
            "rewarded_purchases": means["rewarded"][code],
            "deadweight": means["deadweight"][code] / max(means["rewarded"][code], 1e-12),
        }
        for code, scheme in enumerate(trial.schemes)
    ]


def _segments(frame: Frame, sums: Tally) -> dict[str, Any]:
    parameters = frame.parameters
    joiners = sums.curves["segment"][:, 0, 0]
    features = [
        {"segment": s.name, "share": share, **{name: getattr(s, name) for name in PROPERTIES}}
        for s, share in zip(parameters.segments, joiners / joiners.sum(), strict=True)
    ]
    different = {tuple(round(row[name], 6) for name in PROPERTIES) for row in features}
    return {"count": len(different), "separation": parameters.separation, "features": features}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 9) if np.isfinite(value) else None
    return value
