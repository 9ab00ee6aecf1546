"""Cells of the study `segments`: a sample of members without keys, and moments of all of them.

The cut lies `outcome_days` before ``as_of``. What is known at the cut makes the features, what happened
between the cut and ``as_of`` makes the outcomes; no event is in both. Up to the cut all that is counted which
`sojourn.data.features` counts; columns ``kind_1``, ``kind_2`` … count the most common kinds of events, whose
names stand in the cells' ``kinds``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.errors import ParameterError
from sojourn.core.measures import Counting, Kind
from sojourn.core.text import local_date
from sojourn.data.activity import DAY_US, activity_of, micros
from sojourn.data.cells.portrait import NOT_STATED
from sojourn.data.engine import held
from sojourn.data.features import BASE, columns_of, counted_at, counting_of, numbered
from sojourn.data.features.counted import MONEY
from sojourn.data.stages import with_us
from sojourn.data.tidy import Tidy

#: What happened after the cut, whole numbers; `left_after` is the day on which the member left, 0: did not.
#: Of who had left before it and was back by then, leaving again counts.
OUTCOMES: tuple[str, ...] = (
    "active_next",
    "stayed_next",
    "active_days_next",
    "purchases_next",
    "left_after",
)
#: Messages after the cut, and those of them that were opened, where there are messages.
ANSWERS: tuple[str, ...] = ("sent_next", "opened_next")

#: Known at joining, text; what is missing is `NOT_STATED`.
TRAITS: tuple[str, ...] = ("channel", "plan", "region", "age_band")

#: A permutation of whole numbers below 2 ** 32 (Knuth's multiplicative hash; the multiplier is odd).
_MULTIPLIER, _SHIFT, _MODULUS = 2_654_435_761, 1_013_904_223, 2**32


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables `sample` and `moments`.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``; ``spells`` tell who is back; other tables make further counts.
    params : mapping
        ``outcome_days`` (length of the period after the cut), ``trend_days`` (the last so many days are set
        beside as many before), ``min_tenure_days`` (members known for less are left out), ``kinds`` (how many
        of the most common kinds of events are counted each by itself), ``social`` (events that count as
        social), ``sample_size``.

    Raises
    ------
    ParameterError
        When the cut leaves less than `min_tenure_days` of observation.
    """
    cut = _cut(tidy, params)
    counting = counting_of(tidy, params, cut)
    rows = held(_rows(tidy, params, counting))
    return {"sample": _sample(rows, params["sample_size"]), "moments": _moments(rows, counting)}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return unit, cut, currency, what is counted and, for a simulated world, its truth."""
    cut = _cut(tidy, params)
    counting = counting_of(tidy, params, cut)
    said = {
        "unit": "day",
        "cut": cut.isoformat(),
        "cut_date": local_date(
            tidy.meta["as_of"], tidy.meta["time_zone"], days_ago=params["outcome_days"]
        ).isoformat(),
        "currency": tidy.meta.get("currency", ""),
        "kinds": _said(counting.kinds),
        "families": list(counting.families),
        "counting": counting.to_plain(),
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


def _counts(counting: Counting) -> list[str]:
    return [*BASE, *numbered(counting.kinds), *columns_of(counting.families)]


def _rows(tidy: Tidy, params: Mapping[str, Any], counting: Counting) -> Table:
    """Return one row per member known long enough at the cut and still there: counts, outcomes, traits."""
    cut = _cut(tidy, params)
    rows = counted_at(tidy, counting, _members(tidy, cut), at=cut)
    rows = rows.filter(rows.observed_days >= params["min_tenure_days"])
    for after in _afterwards(tidy, cut):
        rows = rows.left_join(after, "member").drop("member_right")
    rows = rows.mutate(active_next=(rows.active_days_next.fill_null(0) > 0).cast("int32"))
    outcomes = [*OUTCOMES, *(name for name in ANSWERS if name in rows.columns)]
    whole = {name: rows[name].fill_null(0).cast("int64") for name in (*_counts(counting), *outcomes)}
    money = {name: rows[name].fill_null(0).cast(MONEY) for name in ("value", "value_next")}
    return rows.select("member", **whole, **money, **{name: rows[name] for name in _traits(tidy)})


def _members(tidy: Tidy, cut: datetime) -> Table:
    """Return who was with us at the cut, who had come back as well: traits, and when they left later."""
    traits = tidy.table("members", "segments").select("member", *_traits(tidy))
    there = with_us(tidy, cut, "segments").left_join(traits, "member").drop("member_right")
    left = (there.until_us <= micros(_instant(tidy, "as_of"))).fill_null(False)
    day = -((micros(cut) - there.until_us) // DAY_US)
    return there.select(
        "member",
        "at_us",
        stayed_next=(~left).cast("int32"),
        left_after=ibis.ifelse(left, day, 0),
        **{name: there[name].fill_null(NOT_STATED) for name in _traits(tidy)},
    )


def _traits(tidy: Tidy) -> list[str]:
    return [name for name in TRAITS if tidy.has("members", name)]


def _afterwards(tidy: Tidy, cut: datetime) -> list[Table]:
    """Return what members did between the cut and ``as_of``, and what they made of messages."""
    rows = activity_of(tidy, "segments")
    rows = rows.filter(rows.first_us > micros(cut))
    done = rows.group_by("member").agg(
        active_days_next=rows.day.nunique(), purchases_next=rows.purchases.sum(), value_next=rows.paid.sum()
    )
    return [done, _messages(tidy, cut)] if tidy.has("messages", "opened_at") else [done]


def _messages(tidy: Tidy, cut: datetime) -> Table:
    as_of, rows = ibis.literal(_instant(tidy, "as_of")), tidy.tables["messages"]
    rows = rows.filter((rows.sent_at > ibis.literal(cut)) & (rows.sent_at <= as_of))
    opened = (rows.opened_at <= as_of).fill_null(False).cast("int32")
    return rows.group_by("member").agg(sent_next=rows.count(), opened_next=opened.sum())


def _said(kinds: Sequence[Kind]) -> list[str]:
    """Return the names of kinds: the event alone where one part of the product has all of it."""
    often = Counter(kind.event for kind in kinds)
    return [
        kind.event if often[kind.event] == 1 or kind.feature is None else f"{kind.event} {kind.feature}"
        for kind in kinds
    ]


def _sample(rows: Table, size: int) -> Table:
    """Return at most `size` members without their key, chosen by a permutation that no engine can change."""
    key = (rows.member.cast("int64") * _MULTIPLIER + _SHIFT) % _MODULUS
    return rows.mutate(key=key).order_by("key", "member").limit(size).drop("key", "member")


def _moments(rows: Table, counting: Counting) -> Table:
    """Return one row: the number of all members, and per column its sum and sum of squares.

    Counts have them on the scale log(1 + x) as well, below 0 (points owed) as at 0, rounded per row to 1e-9.
    """
    sums: dict[str, Value] = {"members": rows.count()}
    for name in _counts(counting):
        logged = (ibis.greatest(rows[name], 0) + 1).ln().round(9).cast("decimal(18, 9)")
        sums |= _two(name, rows[name].cast("decimal(18, 0)")) | _two(f"log_{name}", logged)
    return rows.aggregate(**sums, **_two("value", rows.value.cast("decimal(18, 4)")))


def _two(name: str, column: Value) -> dict[str, Value]:
    """Return sum and sum of squares of a column of 18 digits, exact.

    DuckDB multiplies decimals of up to 18 digits in 18 digits, so one factor is wider.
    """
    wide = column.cast(f"decimal(19, {column.type().scale})")
    squares = (wide * column).cast(MONEY).sum()
    return {f"{name}_sum": column.sum().cast(MONEY), f"{name}_squares": squares.cast(MONEY)}
