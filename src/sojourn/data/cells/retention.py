"""Cells of retention: who enters, leaves and is censored on every whole day since joining.

Durations are whole days. Leaving ``T`` after joining counts on day ``ceil(T)``, full follow-up ends on day
``floor(C)``, and leaving counts only when ``ceil(T) <= floor(C)``; so being with us after day 90 means
``T > 90`` exactly. Members who joined before observation began enter on day ``ceil(L)``: the first day, like
the last, counts only when all of it was seen. Instants are compared to the second.

Where joining is only a first event, members first seen soon after the data begin may have joined long before:
``first_seen_after_days`` leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range, one_of
from sojourn.core.schema import KNOWN_AT_JOINING
from sojourn.data.activity import activity_of, in_micros, instant_at, micros
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

STUDY = "retention"
ENOUGH_SEEN = "followed"
SEEN_FROM_THE_START = "first seen when the data begin, who may have joined long before"
#: Newcomers of so many days are counted beside those of as many days after.
NEWCOMER_DAYS = 28
_DAY = 86_400


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the table ``risk`` and, where leaving is silence, ``returns``.

    Parameters
    ----------
    tidy : Tidy
        Needs ``members`` and, for silence, ``events``.
    params : mapping
        ``churn``, ``lapse_days``, ``event``, ``groups``, ``first_seen_after_days``.

    Returns
    -------
    dict of str to ibis Table
        ``risk``: ``by``, ``group``, ``late`` (1: first seen after joining), ``day``, how many ``entered``,
        ``churned``, ``censored`` on that day, and how many have a ``potential`` follow-up of so many days.
        ``returns``: ``by``, ``group``, ``lapsed``, ``came_back`` (any sign of life after the gap so far).

    Raises
    ------
    ImmortalTimeError, ParameterError, DataError
        When a group is known only later, does not exist, or is not in the data.
    """
    bys = _bys(params)
    patterns = _patterns(_spells(tidy, params), bys)
    made = {"risk": ibis.union(*[_risk(patterns, by) for by in bys])}
    if params["churn"] == "silence":
        made["returns"] = ibis.union(*[_returns(patterns, by) for by in bys])
    return made


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves.

    Returns
    -------
    dict
        ``unit``, ``leaving``, ``lapse``, ``observed_from``, ``members`` (all of the case), ``left_out``
        (members by reason), ``late`` (members who entered late), ``signs`` (number of joinings, endings and
        events), ``first_sign``, ``last_sign`` (instants), ``since`` (``joining``, or the first event where
        everybody joins with one), ``newcomers`` (see `_newcomers`), and ``truth`` where a simulated world
        shipped it.
    """
    spells = _spells(tidy, params)
    counted = spells.group_by("status").aggregate(members=spells.count(), late=(spells.late == 1).sum())
    by_status = {row["status"]: row for row in counted.to_pyarrow().to_pylist()}
    followed = by_status.pop(ENOUGH_SEEN, {"members": 0, "late": 0})
    left_out = {status: int(by_status[status]["members"]) for status in sorted(by_status)}
    silence = params["churn"] == "silence"
    return {
        "unit": "day",
        "leaving": params["churn"],
        "lapse": params["lapse_days"] if silence else None,
        "observed_from": tidy.meta.get("observed_from"),
        "members": int(followed["members"]) + sum(left_out.values()),
        "left_out": left_out,
        "late": int(followed["late"]),
        **_signs(tidy),
        "since": _since(tidy, params) if silence else "joining",
        **_newcomers(tidy, params),
        **({"truth": tidy.meta["truth"]} if tidy.meta.get("truth") else {}),
    }


def _spells(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member: groups, `late`, `entry`, `exit`, `churned`, `follow_up` and `status`."""
    one_of(params["churn"], "churn", ("cancellation", "silence"))
    in_range(params["lapse_days"], "lapse_days", ge=1)
    in_range(params["first_seen_after_days"], "first_seen_after_days", ge=0)
    members = tidy.table("members", STUDY)
    _check_groups(members, params["groups"])
    silence = params["churn"] == "silence"
    ended = _silences(tidy, members, params) if silence else _endings(tidy, members)
    spells = ended.mutate(
        follow_up=_days_down(_judged_to(tidy, params) - _seconds(ended.joined_at)),
        leaves=_days_up(ended.ended - _seconds(ended.joined_at)),
        entry=_entry(tidy, ended.joined_at),
        cohort=_month(clock_of(tidy.meta).time(ended.joined_at)),
        all=ibis.literal("all"),
    )
    spells = spells.mutate(
        late=(spells.entry > 0).cast("int32").cast("int64"),
        churned=(spells.leaves <= spells.follow_up).fill_null(False).cast("int32").cast("int64"),
    )
    spells = spells.mutate(exit=ibis.ifelse(spells.churned == 1, spells.leaves, spells.follow_up))
    unknown = params["first_seen_after_days"] > 0
    old = (_seconds(spells.joined_at) < _first_seen_after(tidy, params)) & ibis.literal(unknown)
    return spells.mutate(status=_status(spells, old, silence=silence))


def _bys(params: Mapping[str, Any]) -> list[str]:
    return ["all", "cohort", *params["groups"]]


def _status(spells: Table, old: Value, *, silence: bool) -> Value:
    late = spells.late == 1
    return ibis.cases(
        (old, SEEN_FROM_THE_START),
        (spells.follow_up < 0, "joined too recently to be judged"),
        # whether their first long gap came before observation began cannot be known
        (late & ibis.literal(silence), "joined before observation began"),
        (late & (spells.exit <= spells.entry), "not seen for one whole day"),
        else_=ENOUGH_SEEN,
    )


def _endings(tidy: Tidy, members: Table) -> Table:
    """Return members with `ended`, the second of cancellation where it is known by `as_of`."""
    if "churned_at" not in members.columns:
        raise DataError.missing_column("members", "churned_at", members.columns)
    known = members.churned_at <= _instant(tidy.meta["as_of"])
    return members.mutate(
        ended=ibis.ifelse(known, _seconds(members.churned_at), ibis.null("int64")),
        came_back=ibis.literal(0, "int64"),
    )


def _silences(tidy: Tidy, members: Table, params: Mapping[str, Any]) -> Table:
    """Return members with `ended`, where the first gap longer than ``lapse_days`` starts, and `came_back`.

    A gap counts only when it begins within follow-up, which ends a whole gap before `as_of`: it was seen at
    full length, and an earlier `as_of` never changes a judgement.
    """
    signs = _signs_of_life(tidy, members, params)
    following = ibis.window(group_by=signs.member, order_by=signs.at)
    gaps = signs.mutate(until=signs.at.lead().over(following))
    gap = params["lapse_days"] * _DAY
    silent = gaps.until.isnull() | (gaps.until - gaps["at"] > gap)
    first = gaps.group_by("member").aggregate(
        first_gap=gaps["at"].min(where=silent), last_sign=gaps["at"].max()
    )
    joined = members.left_join(first, "member").drop("member_right")
    return joined.mutate(
        ended="first_gap",
        came_back=(joined.last_sign > joined.first_gap).fill_null(False).cast("int32").cast("int64"),
    )


def _signs_of_life(tidy: Tidy, members: Table, params: Mapping[str, Any]) -> Table:
    """Return `member` and `at` (seconds since 1970) of joining and of every later event known by `as_of`."""
    joined = members.select("member", at=_seconds(members.joined_at))
    active = _activity(tidy) if params["event"] == "any" else _events(tidy, params["event"])
    active = active.inner_join(joined.rename(joined="at"), "member")
    active = active.filter(active["at"] >= active.joined).select("member", "at")
    return ibis.union(joined, active)


def _activity(tidy: Tidy) -> Table:
    """Return the first and the last event of rows of activity: no gap longer than a day lies within one."""
    rows = activity_of(tidy, STUDY)
    ends = [rows.select("member", at=rows[name] // 1_000_000) for name in ("first_us", "last_us")]
    return ibis.union(*ends)


def _events(tidy: Tidy, event: str) -> Table:
    """Return every event of one kind that had happened and was known by `as_of`."""
    as_of = _instant(tidy.meta["as_of"])
    events = tidy.table("events", STUDY)
    known = (events.event == event) & (events.occurred_at <= as_of)
    if "recorded_at" in events.columns:
        known &= events.recorded_at.isnull() | (events.recorded_at <= as_of)
    events = events.filter(known)
    return events.select("member", at=_seconds(events.occurred_at))


def _patterns(spells: Table, bys: Sequence[str]) -> Table:
    """Return how many (`n`) followed members share all their groups and days.

    They are counted once and held in memory: every grouping reads them several times.
    """
    spells = spells.filter(spells.status == ENOUGH_SEEN)
    groups = {by: spells[by].fill_null("unknown") for by in bys}
    days = ["entry", "exit", "churned", "follow_up", "came_back"]
    counted = spells.group_by(*days, **groups).aggregate(n=spells.count()).to_pyarrow()
    patterns = ibis.memtable(counted)
    return patterns.mutate(late=(patterns.entry > 0).cast("int32").cast("int64"))


def _risk(patterns: Table, by: str) -> Table:
    """Return the counts of one grouping: a member marks days of entry, exit and full follow-up."""
    patterns = patterns.mutate(group=patterns[by], potential=patterns.follow_up)
    zero = ibis.literal(0, "int64")
    marks = ibis.union(
        patterns.select(
            "group", "late", day="entry", entered="n", churned=zero, censored=zero, potential=zero
        ),
        patterns.select(
            "group",
            "late",
            day="exit",
            entered=zero,
            churned=patterns.n * patterns.churned,
            censored=patterns.n * (1 - patterns.churned),
            potential=zero,
        ),
        patterns.select(
            "group", "late", day="potential", entered=zero, churned=zero, censored=zero, potential="n"
        ),
    )
    counts = {
        name: marks[name].sum().cast("int64") for name in ("entered", "churned", "censored", "potential")
    }
    summed = marks.group_by("group", "late", "day").aggregate(**counts)
    return summed.select("group", "late", "day", *counts, by=ibis.literal(by)).relocate("by")


def _returns(patterns: Table, by: str) -> Table:
    """Return, per group, how many have lapsed and how many of these gave a sign of life afterwards."""
    lapsed = patterns.filter(patterns.churned == 1)
    counted = lapsed.group_by(group=lapsed[by]).aggregate(
        lapsed=lapsed.n.sum().cast("int64"), came_back=(lapsed.n * lapsed.came_back).sum().cast("int64")
    )
    return counted.select("group", "lapsed", "came_back", by=ibis.literal(by)).relocate("by")


def _signs(tidy: Tidy) -> dict[str, Any]:
    """Return number, first and last instant of every joining, ending and event by `as_of`."""
    members = tidy.tables["members"]
    found = [_span(in_micros(members.joined_at), tidy)]
    if "churned_at" in members.columns:
        found.append(_span(in_micros(members.churned_at), tidy))
    if "events" in tidy.tables:
        rows = activity_of(tidy, STUDY)
        found.append(_row(rows.aggregate(n=rows.n.sum(), first=rows.first_us.min(), last=rows.last_us.max())))
    found = [row for row in found if row["n"]]
    return {
        "signs": int(sum(row["n"] for row in found)),
        "first_sign": instant_at(min(row["first"] for row in found)).isoformat(),
        "last_sign": instant_at(max(row["last"] for row in found)).isoformat(),
    }


def _span(at: Value, tidy: Tidy) -> dict[str, Any]:
    """Return number, first and last of the instants (in microseconds since 1970) up to `as_of`."""
    known = at.name("at").as_table()
    known = known.filter(known["at"] <= micros(_instant(tidy.meta["as_of"])))
    return _row(known.aggregate(n=known.count(), first=known["at"].min(), last=known["at"].max()))


def _row(table: Table) -> dict[str, Any]:
    row: dict[str, Any] = table.to_pyarrow().to_pylist()[0]
    return row


def _since(tidy: Tidy, params: Mapping[str, Any]) -> str:
    """Return from what members are followed: joining, or a first event when everybody joins with one."""
    members = tidy.tables["members"]
    if params["event"] == "any":
        rows = activity_of(tidy, STUDY)
        first = rows.group_by("member").aggregate(first=rows.first_us.min())
    else:
        events = tidy.table("events", STUDY)
        events = events.filter(events.event == params["event"])
        first = events.group_by("member").aggregate(first_at=events.occurred_at.min())
        first = first.select("member", first=in_micros(first.first_at))
    both = members.left_join(first, "member")
    joined_at = in_micros(both.joined_at)
    apart = both.filter((both.first != joined_at).fill_null(True)).count().to_pyarrow().as_py()
    if apart:
        return "joining"
    return "first event" if params["event"] == "any" else f"first {params['event']}"


def _newcomers(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many joined in the first `NEWCOMER_DAYS` that count, and in as many days after them."""
    begin, span = _first_seen_after(tidy, params), NEWCOMER_DAYS * _DAY
    if begin + 2 * span > _judged_to(tidy, params):
        return {}
    members = tidy.tables["members"]
    at = _seconds(members.joined_at)
    first, following = ((at >= begin + n * span) & (at < begin + (n + 1) * span) for n in (0, 1))
    counted = members.aggregate(first=first.sum(), following=following.sum()).to_pyarrow().to_pylist()[0]
    numbers = {name: int(n or 0) for name, n in counted.items()}
    return {"newcomers": {"days": NEWCOMER_DAYS, **numbers}}


def _first_seen_after(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return the second before which a first sight says nothing of joining."""
    begin = tidy.meta.get("observed_from") or tidy.meta["first_instant"]
    skipped: int = params["first_seen_after_days"] * _DAY
    return int(_instant(begin).timestamp()) + skipped


def _check_groups(members: Table, groups: Sequence[str]) -> None:
    for group in groups:
        known_at_joining(group, KNOWN_AT_JOINING)
        if group not in (*members.columns, "all", "cohort"):
            raise DataError.missing_column("members", group, members.columns)


def _judged_to(tidy: Tidy, params: Mapping[str, Any]) -> int:
    """Return the last second at which leaving can be judged: `as_of`, for silence less a whole gap."""
    silence = params["churn"] == "silence"
    return int((_instant(tidy.meta["as_of"]) - timedelta(days=params["lapse_days"] * silence)).timestamp())


def _entry(tidy: Tidy, joined_at: Value) -> Value:
    """Return the first whole day since joining that was observed: 0 where observation had begun."""
    if not tidy.meta.get("observed_from"):
        return ibis.literal(0, "int64")
    unseen = int(_instant(tidy.meta["observed_from"]).timestamp()) - _seconds(joined_at)
    return ibis.ifelse(unseen > 0, _days_up(unseen), ibis.literal(0, "int64"))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _seconds(instant: Value) -> Value:
    """Return whole seconds since 1970; the engine's clock is UTC, and truncating without a zone is cheap."""
    return instant.cast("timestamp").truncate("s").epoch_seconds().cast("int64")


def _days_down(seconds: Value) -> Value:
    return (seconds // _DAY).cast("int64")


def _days_up(seconds: Value) -> Value:
    return -((-seconds) // _DAY).cast("int64")


def _month(local: Value) -> Value:
    return local.year().cast("string") + "-" + local.month().cast("string").lpad(2, "0")
