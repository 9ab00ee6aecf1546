"""Cells of the study `segments`: a sample of members without keys, and moments of all of them.

The cut lies `outcome_days` before ``as_of``. What is known at the cut makes the features, what happened
between the cut and ``as_of`` makes the outcomes; no event is in both. Columns ``kind_1``, ``kind_2`` … count
the most common kinds of events up to the cut; their names stand in the cells' ``kinds``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.errors import ParameterError
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

#: Counts up to the cut, whole numbers; `value` is money.
COUNTS: tuple[str, ...] = (
    "observed_days",
    "tenure_days",
    "recency_days",
    "active_days",
    "events",
    "active_last",
    "active_before",
    "kinds",
    "purchases",
    "weekend_days",
)

#: What happened after the cut, whole numbers.
OUTCOMES: tuple[str, ...] = ("active_next", "stayed_next", "active_days_next", "purchases_next")

_MONEY = "decimal(38, 9)"
_DAY = 86_400

#: A permutation of whole numbers below 2 ** 32 (Knuth's multiplicative hash; the multiplier is odd).
_MULTIPLIER, _SHIFT, _MODULUS = 2_654_435_761, 1_013_904_223, 2**32


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables `sample` and `moments`.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``.
    params : mapping
        ``outcome_days`` (length of the period after the cut), ``trend_days`` (the last so many days are set
        beside as many before), ``min_tenure_days`` (members known for less are left out), ``kinds`` (how many
        of the most common kinds of events are counted each by itself), ``sample_size``.

    Raises
    ------
    ParameterError
        When the cut leaves less than `min_tenure_days` of observation.
    """
    rows = _rows(tidy, params)
    return {"sample": _sample(rows, params["sample_size"]), "moments": _moments(rows, _kinds(tidy, params))}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return unit, cut, currency and, for a simulated world, its truth."""
    said = {
        "unit": "day",
        "cut": _cut(tidy, params).isoformat(),
        "currency": tidy.meta.get("currency", ""),
        "kinds": _said(_kinds(tidy, params)),
    }
    truth = tidy.meta.get("truth", {}).get("segments")
    return {**said, "truth": truth} if truth else said


def _cut(tidy: Tidy, params: Mapping[str, Any]) -> datetime:
    cut = _instant(tidy, "as_of") - timedelta(days=params["outcome_days"])
    known = (cut - _instant(tidy, "observed_from")).days
    if known < params["min_tenure_days"]:
        raise ParameterError(
            f"'outcome_days' of {params['outcome_days']} leaves {known} days of observation before the cut, "
            f"fewer than 'min_tenure_days' ({params['min_tenure_days']}). Choose a shorter period."
        )
    return cut


def _instant(tidy: Tidy, name: str) -> datetime:
    return datetime.fromisoformat(tidy.meta[name])


def _rows(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member known long enough at the cut and still there: counts, money, outcomes."""
    cut = _cut(tidy, params)
    kinds = _kinds(tidy, params)
    members = _members(tidy, cut, params["min_tenure_days"])
    before, after = _before(tidy, cut, params["trend_days"], kinds), _after(tidy, cut)
    joined = (
        members.left_join(before, "member")
        .drop("member_right")
        .left_join(after, "member")
        .drop("member_right")
    )
    silent = joined.last_days.fill_null(joined.observed_days)
    rows = joined.mutate(
        recency_days=silent, active_next=(joined.active_days_next.fill_null(0) > 0).cast("int64")
    )
    filled = {name: rows[name].fill_null(0).cast("int64") for name in (*COUNTS, *_numbered(kinds), *OUTCOMES)}
    money = {name: rows[name].fill_null(0).cast(_MONEY) for name in ("value", "value_next")}
    return rows.select("member", **filled, **money)


def _members(tidy: Tidy, cut: datetime, min_tenure_days: int) -> Table:
    members = tidy.table("members", "segments")
    as_of = _instant(tidy, "as_of")
    joined = ibis.greatest(members.joined_at, ibis.literal(_instant(tidy, "observed_from")))
    table = members.select(
        "member",
        "churned_at",
        tenure_days=_days_before(cut, members.joined_at),
        observed_days=_days_before(cut, joined),
    )
    there = table.churned_at.isnull() | (table.churned_at > ibis.literal(cut))
    stays = table.churned_at.isnull() | (table.churned_at > ibis.literal(as_of))
    known = table.observed_days >= min_tenure_days
    return table.mutate(stayed_next=stays.cast("int64")).filter(there & known).drop("churned_at")


def _days_before(cut: datetime, instant: Value) -> Value:
    """Return whole days from an instant to the cut."""
    return (ibis.literal(int(cut.timestamp()), "int64") - instant.epoch_seconds().cast("int64")) // _DAY


def _known_at(events: Table, instant: datetime) -> Value:
    """Return whether a row had happened and was known at an instant."""
    happened = events.occurred_at <= ibis.literal(instant)
    if "recorded_at" not in events.columns:
        return happened
    return happened & (events.recorded_at.isnull() | (events.recorded_at <= ibis.literal(instant)))


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of event: what happened, and in which part of the product where that is known."""

    event: str
    feature: str | None

    def of(self, events: Table) -> Value:
        """Return whether events are of this kind."""
        if "feature" not in events.columns:
            return events.event == self.event
        known = events.feature.isnull() if self.feature is None else events.feature == self.feature
        return (events.event == self.event) & known.fill_null(False)


def _kinds(tidy: Tidy, params: Mapping[str, Any]) -> list[_Kind]:
    """Return the most common kinds of events known at the cut; ties in the order of the alphabet."""
    events = tidy.table("events", "segments")
    known = events.filter(_known_at(events, _cut(tidy, params)))
    by = ["event", "feature"] if "feature" in events.columns else ["event"]
    counted = known.group_by(by).agg(n=lambda rows: rows.count())
    order = [ibis.desc("n"), *(ibis.asc(name, nulls_first=True) for name in by)]
    found = counted.order_by(order).limit(params["kinds"]).to_pyarrow().to_pylist()
    return [_Kind(row["event"], row.get("feature")) for row in found]


def _said(kinds: Sequence[_Kind]) -> list[str]:
    """Return the names of kinds: the event alone where one part of the product has all of it."""
    often = Counter(kind.event for kind in kinds)
    return [
        kind.event if often[kind.event] == 1 or kind.feature is None else f"{kind.event} {kind.feature}"
        for kind in kinds
    ]


def _numbered(kinds: Sequence[_Kind]) -> list[str]:
    return [f"kind_{i}" for i in range(1, len(kinds) + 1)]


def _what(events: Table) -> Value:
    """Return event and part of the product in one word, to count different ones."""
    if "feature" not in events.columns:
        return events.event
    return events.event + "/" + events.feature.fill_null("")


def _before(tidy: Tidy, cut: datetime, trend_days: int, kinds: Sequence[_Kind]) -> Table:
    """Return counts per member over all events known at the cut."""
    events = tidy.table("events", "segments")
    day = clock_of(tidy.meta).day(events.occurred_at)
    numbered = dict(zip(_numbered(kinds), kinds, strict=True))
    known = events.filter(_known_at(events, cut)).select(
        "member",
        day=day,
        ago=_days_before(cut, events.occurred_at),
        what=_what(events),
        amount=_amount(events),
        **{name: kind.of(events).cast("int64") for name, kind in numbered.items()},
    )
    last, earlier = known.ago < trend_days, (known.ago >= trend_days) & (known.ago < 2 * trend_days)
    return known.group_by("member").agg(
        last_days=known.ago.min(),
        active_days=known.day.nunique(),
        events=known.count(),
        active_last=known.day.nunique(where=last),
        active_before=known.day.nunique(where=earlier),
        kinds=known.what.nunique(),
        purchases=(known.amount > 0).cast("int64").sum(),
        weekend_days=known.day.nunique(where=known.day.day_of_week.index() >= 5),
        value=known.amount.sum(),
        **{name: known[name].sum() for name in numbered},
    )


def _after(tidy: Tidy, cut: datetime) -> Table:
    """Return outcomes per member over the events between the cut and ``as_of``."""
    events = tidy.table("events", "segments")
    day = clock_of(tidy.meta).day(events.occurred_at)
    happened = (events.occurred_at > ibis.literal(cut)) & _known_at(events, _instant(tidy, "as_of"))
    later = events.filter(happened).select("member", day=day, amount=_amount(events))
    return later.group_by("member").agg(
        active_days_next=later.day.nunique(),
        purchases_next=(later.amount > 0).cast("int64").sum(),
        value_next=later.amount.sum(),
    )


def _amount(events: Table) -> Value:
    amount = events.amount if "amount" in events.columns else ibis.literal(0)
    return amount.fill_null(0).cast(_MONEY)


def _sample(rows: Table, size: int) -> Table:
    """Return at most `size` members without their key, chosen by a permutation that no engine can change."""
    key = (rows.member.cast("int64") * _MULTIPLIER + _SHIFT) % _MODULUS
    return rows.mutate(key=key).order_by("key", "member").limit(size).drop("key", "member")


def _moments(rows: Table, kinds: Sequence[_Kind]) -> Table:
    """Return one row: the number of all members, and per column its sum and sum of squares.

    Counts have them on the scale log(1 + x) as well, rounded per row to 1e-9.
    """
    sums: dict[str, Value] = {"members": rows.count()}
    for name in (*COUNTS, *_numbered(kinds)):
        logged = (rows[name] + 1).ln().round(9).cast("decimal(18, 9)")
        sums |= _two(name, rows[name].cast("decimal(18, 0)")) | _two(f"log_{name}", logged)
    return rows.aggregate(**sums, **_two("value", rows.value.cast("decimal(18, 4)")))


def _two(name: str, column: Value) -> dict[str, Value]:
    """Return sum and sum of squares; the column has 18 digits, so a square has 36 and is exact."""
    squares = (column * column).cast(_MONEY).sum()
    return {f"{name}_sum": column.sum().cast(_MONEY), f"{name}_squares": squares.cast(_MONEY)}
