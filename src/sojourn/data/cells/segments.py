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
from sojourn.data.activity import activity_of, in_micros, known_by, micros
from sojourn.data.engine import held
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
_DAY_US = 86_400_000_000

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
    by_kind = _by_kind(tidy, params)
    kinds = _kinds(by_kind, params["kinds"])
    rows = held(_rows(tidy, params, kinds, by_kind))
    return {"sample": _sample(rows, params["sample_size"]), "moments": _moments(rows, kinds)}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return unit, cut, currency and, for a simulated world, its truth."""
    said = {
        "unit": "day",
        "cut": _cut(tidy, params).isoformat(),
        "currency": tidy.meta.get("currency", ""),
        "kinds": _said(_kinds(_by_kind(tidy, params), params["kinds"])),
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


def _rows(tidy: Tidy, params: Mapping[str, Any], kinds: Sequence[_Kind], by_kind: Table) -> Table:
    """Return one row per member known long enough at the cut and still there: counts, money, outcomes."""
    members = _members(tidy, _cut(tidy, params), params["min_tenure_days"])
    done, kinds_done = _done(tidy, params), _kinds_done(by_kind, kinds)
    joined = members.left_join(done, "member").drop("member_right")
    joined = joined.left_join(kinds_done, "member").drop("member_right")
    silent = joined.last_days.fill_null(joined.observed_days)
    rows = joined.mutate(
        recency_days=silent,
        active_next=(joined.active_days_next.fill_null(0) > 0).cast("int32").cast("int64"),
    )
    filled = {name: rows[name].fill_null(0).cast("int64") for name in (*COUNTS, *_numbered(kinds), *OUTCOMES)}
    money = {name: rows[name].fill_null(0).cast(_MONEY) for name in ("value", "value_next")}
    return rows.select("member", **filled, **money)


def _members(tidy: Tidy, cut: datetime, min_tenure_days: int) -> Table:
    members = tidy.table("members", "segments")
    as_of = _instant(tidy, "as_of")
    joined = ibis.greatest(in_micros(members.joined_at), micros(_instant(tidy, "observed_from")))
    table = members.select(
        "member",
        "churned_at",
        tenure_days=_days_before(cut, in_micros(members.joined_at)),
        observed_days=_days_before(cut, joined),
    )
    there = table.churned_at.isnull() | (table.churned_at > ibis.literal(cut))
    stays = table.churned_at.isnull() | (table.churned_at > ibis.literal(as_of))
    known = table.observed_days >= min_tenure_days
    return (
        table.mutate(stayed_next=stays.cast("int32").cast("int64")).filter(there & known).drop("churned_at")
    )


def _days_before(cut: datetime, instant: Value) -> Value:
    """Return whole days from an instant (in microseconds since 1970) to the cut."""
    return (micros(cut) - instant) // _DAY_US


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


def _by_kind(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return how often (`n`) each member did each kind of thing, of all that was known at the cut."""
    cut = _cut(tidy, params)

    def counted() -> Table:
        events = tidy.table("events", "segments")
        known = events.filter(_known_at(events, cut))
        return held(known.group_by("member", *_kind_columns(events)).agg(n=known.count()))

    return tidy.once(f"kinds of events at {cut.isoformat()}", counted)


def _kind_columns(events: Table) -> list[str]:
    return [name for name in ("event", "feature") if name in events.columns]


def _kinds(by_kind: Table, number: int) -> list[_Kind]:
    """Return the most common kinds of events known at the cut; ties in the order of the alphabet."""
    by = _kind_columns(by_kind)
    counted = by_kind.group_by(by).agg(n=by_kind.n.sum())
    order = [ibis.desc("n"), *(ibis.asc(name, nulls_first=True) for name in by)]
    found = counted.order_by(order).limit(number).to_pyarrow().to_pylist()
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


def _kinds_done(by_kind: Table, kinds: Sequence[_Kind]) -> Table:
    """Return per member how many different kinds of things were done, and how often the most common."""
    numbered = dict(zip(_numbered(kinds), kinds, strict=True))
    often = {name: by_kind.n.sum(where=kind.of(by_kind)) for name, kind in numbered.items()}
    return by_kind.group_by("member").agg(kinds=by_kind.count(), **often)


def _done(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return counts and money per member: up to the cut, and after it (``_next``)."""
    cut, rows = _cut(tidy, params), activity_of(tidy, "segments")
    known = known_by(rows, cut, _instant(tidy, "as_of"))
    ago = _days_before(cut, rows.last_us)  # the same for all events of a row
    rows = rows.mutate(was=known, later=rows.first_us > micros(cut), ago=ago)
    done = rows.group_by("member").agg(
        last_days=rows.ago.min(where=rows.was),
        events=rows.n.sum(where=rows.was),
        purchases=rows.purchases.sum(where=rows.was),
        value=rows.paid.sum(where=rows.was),
        purchases_next=rows.purchases.sum(where=rows.later),
        value_next=rows.paid.sum(where=rows.later),
    )
    return done.left_join(_days(rows, params["trend_days"]), "member").drop("member_right")


def _days(rows: Table, trend_days: int) -> Table:
    """Return in how many different days of each kind members did something."""
    last, earlier = rows.ago < trend_days, (rows.ago >= trend_days) & (rows.ago < 2 * trend_days)
    kinds = {
        "active_days": rows.was,
        "active_last": rows.was & last,
        "active_before": rows.was & earlier,
        "active_days_next": rows.later,
    }
    days = rows.group_by("member", "day").agg(**{name: flag.any() for name, flag in kinds.items()})
    marked = {name: days[name].cast("int32").cast("int64") for name in kinds}
    weekend = (days.day.day_of_week.index() >= 5).cast("int32").cast("int64")
    return days.group_by("member").agg(
        **{name: one.sum() for name, one in marked.items()},
        weekend_days=(marked["active_days"] * weekend).sum(),
    )


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
