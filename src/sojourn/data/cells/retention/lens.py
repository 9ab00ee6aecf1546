"""One log under every definition of day-N retention: how many members each definition is about and keeps.

Counted are members seen from joining on. A definition says what keeps a member (rule), by which clock days
count (the calendar of a zone, or 24 hours from joining) and whether the day of joining is day 0 or 1; who
is counted (only those followed long enough, or everybody) is left open by counting both. Rules, the ages at
which they look and until when they need to see a member are those of `sojourn.data.reconcile.grid`.

All of this is exact from the table of activity. Its rows lie within 24 hours and one day of the case's
clock: so a row falls on at most two days of another clock, and the first and the last event of the row lie
on both of them, as long as that clock has no shorter days. Zones are chosen so that they have none; events
are read only where one kind of them counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.definitions import ENDING, Offered
from sojourn.core.ranges import in_range
from sojourn.data.cells.retention.days import DAY, as_of, days_down, days_up, number, seconds
from sojourn.data.cells.retention.gaps import newcomers, pauses_once
from sojourn.data.cells.retention.silence import sittings
from sojourn.data.engine import held
from sojourn.data.localtime import Clock, clock, time_zone
from sojourn.data.reconcile.grid import day_number, spans
from sojourn.data.tidy import Tidy

#: Zones without changes of the clock; the one farther from the case's is set beside it.
FAR = ("Asia/Shanghai", "Pacific/Honolulu")
#: For so long leaving is told apart by the minute, then by the hour.
FINE = 2 * DAY
_MINUTE, _HOUR = 60, 3_600
#: Rules whose members end at an instant: by which clock that happens does not matter.
_BY_INSTANT = ("silence", "last_sign")
_COLUMNS = ["day", "rule", "clock", "zone", "numbering", "mature", "members", "kept"]


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to count days: by the calendar of a zone, or in 24-hour periods from joining (no clock).

    Attributes
    ----------
    zone : str
        Of the calendar; empty for periods from joining.
    clock : Clock or None
        Of that zone.
    last : int
        Number of its last day that was over by `as_of`.
    """

    zone: str
    clock: Clock | None
    last: int

    @property
    def name(self) -> str:
        return "calendar" if self.clock else "elapsed"

    def day(self, second: Value) -> Value:
        """Return the day of a second, in days since 1970."""
        assert self.clock is not None
        return ((second + _offset(self.clock, second)) // DAY).cast("int64")

    def age(self, second: Value, began: Value) -> Value:
        """Return days since joining."""
        if self.clock is None:
            return ((second - began) // DAY).cast("int64")
        return self.day(second) - self.day(began)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule at one day N (`grid.spans`).

    Attributes
    ----------
    day : int
        N.
    name, numbering : str
        Rule, and the number of the day of joining.
    low, high : int
        Ages at which a sign of life counts, both included; of rules without an end.
    needs : int
        Age that has to be over.
    lasts : int
        Days of 24 hours that a member has to be followed where days are counted from joining.
    """

    day: int
    name: str
    numbering: str
    low: int
    high: int
    needs: int
    lasts: int


def lens_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``lens`` and ``lens_exits``, where ``lens_days`` are asked for.

    Parameters
    ----------
    tidy : Tidy
        Needs ``members``; without ``events`` only what is known of cancelling is counted.
    params : mapping
        ``lens_days``, ``event``, ``lapse_days`` and what makes `everybody`.

    Returns
    -------
    dict of str to ibis Table
        ``lens``: ``day`` (N), ``rule``, ``clock`` (``calendar``, ``elapsed``), ``zone`` (empty where no
        calendar matters), ``numbering`` (the day of joining is day ``zero`` or ``one``), ``mature`` (1: could
        be followed for as long as the rule needs), ``members``, ``kept``.
        ``lens_exits``: ``rule`` (those under which members end), ``minute`` since joining, how many
        ``churned`` and were ``censored``. Leaving counts on the minute begun, being followed ends with one
        that was over; beyond two days minutes are whole hours. Beyond the last of ``lens_days`` nothing is
        told apart.
    """
    if "lens_days" not in params:
        return {}
    days = sorted({int(in_range(day, "lens_days", ge=1)) for day in params["lens_days"]})
    offered = lens_offers(tidy, params)
    people = held(_people(tidy, params, offered))
    rules = _rules(days, offered)
    rows = [row for way in _ways(tidy, offered) for row in _counted(tidy, params, people, way, rules)]
    made = {"lens": ibis.memtable(rows, columns=_COLUMNS)}
    exits = [_exits(tidy, params, people, rule, days[-1]) for rule in _ended(offered)]
    if exits:
        made["lens_exits"] = ibis.union(*exits) if len(exits) > 1 else exits[0]
    return made


def lens_offers(tidy: Tidy, params: Mapping[str, Any]) -> Offered:
    """Return what the case can be counted by: zones, and whether there are events and ends."""
    members = tidy.tables["members"]
    ends = "churned_at" in members.columns and bool(members.churned_at.count().to_pyarrow().as_py())
    return Offered(
        zones=_zones(tidy), events="events" in tidy.tables, ends=ends, silence_days=int(params["lapse_days"])
    )


def _zones(tidy: Tidy) -> list[str]:
    own, at = str(tidy.meta["time_zone"]), as_of(tidy)
    here = _east(own, at)
    far = max(FAR, key=lambda zone: abs((_east(zone, at) - here + 12 * 3600) % DAY - 12 * 3600))
    return list(dict.fromkeys([own, "UTC", far]))


def _east(zone: str, at: datetime) -> float:
    offset = at.astimezone(time_zone(zone)).utcoffset()
    return offset.total_seconds() if offset else 0.0


def _ended(offered: Offered) -> list[str]:
    return [rule for rule in ENDING if (offered.ends if rule == "not_cancelled" else offered.events)]


def _ways(tidy: Tidy, offered: Offered) -> Iterator[_Way]:
    """Yield the calendars of all zones, the case's own first, and periods from joining."""
    at, first = as_of(tidy), datetime.fromisoformat(tidy.meta["first_instant"])
    for zone in offered.zones:
        today = day_number(at.astimezone(time_zone(zone)).date())
        yield _Way(zone, clock(zone, first=first, last=at), today - 1)
    yield _Way("", None, 0)


def _offset(clock: Clock, second: Value) -> Value:
    """Return seconds east of UTC at a second since 1970."""
    ends = [(second < int(after.timestamp()), before[1]) for before, (after, _) in pairwise(clock.changes)]
    last = ibis.literal(clock.changes[-1][1], "int64")
    return ibis.cases(*ends, else_=last) if ends else last


def _people(tidy: Tidy, params: Mapping[str, Any], offered: Offered) -> Table:
    """Return `member`, `began`, and the seconds at which each rule has a member end, if at all."""
    people = newcomers(tidy, params)
    members = tidy.tables["members"]
    if offered.ends:
        left = members.filter(members.churned_at <= as_of(tidy))
        people = people.left_join(left.select("member", not_cancelled=seconds(left.churned_at)), "member")
        people = people.drop("member_right")
    if offered.events:
        people = people.left_join(_silences(tidy, params), "member").drop("member_right")
    return people


def _silences(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return where the first long silence that could be judged began, and the last sign of life."""
    every = pauses_once(tidy, params)
    long = every.until.isnull() | (every.until - every["at"] > params["lapse_days"] * DAY)
    judged = every["at"] <= _judged(tidy, params)
    return every.group_by("member").aggregate(
        silence=every["at"].min(where=long & judged), last_sign=every["at"].max()
    )


def _judged(tidy: Tidy, params: Mapping[str, Any]) -> int:
    return int((as_of(tidy) - timedelta(days=int(params["lapse_days"]))).timestamp())


def _counted(
    tidy: Tidy, params: Mapping[str, Any], people: Table, way: _Way, rules: Sequence[_Rule]
) -> Iterator[tuple[Any, ...]]:
    """Yield the counts of the rules that depend on a way to count days: one pass over the signs of life."""
    rules = [rule for rule in rules if way.clock is None or rule.name not in _BY_INSTANT]
    rows = _with_ends(people, way, int(as_of(tidy).timestamp()))
    lows = sorted({rule.low for rule in rules if rule.name not in ENDING})
    if lows:
        found = _first_ages(tidy, params, people, way, lows)
        rows = rows.left_join(found, "member").drop("member_right")
    needs = [rule.lasts if way.clock is None else rule.needs for rule in rules]
    steps = sorted(set(needs))
    rows = rows.mutate(reached=sum(number(rows.followed >= step) for step in steps))
    kept = {f"k{i}": number(_kept(rows, rule)).sum() for i, rule in enumerate(rules)}
    summed = rows.group_by("reached").aggregate(n=rows.count(), **kept).to_pyarrow().to_pylist()
    for i, rule in enumerate(rules):
        key = (rule.day, rule.name, way.name, way.zone, rule.numbering)
        enough = steps.index(needs[i]) + 1
        for mature in (1, 0):
            some = [row for row in summed if (row["reached"] >= enough) == mature]
            yield *key, mature, sum(row["n"] for row in some), int(sum(row[f"k{i}"] for row in some))


def _with_ends(people: Table, way: _Way, at: int) -> Table:
    """Return `member`, for how many days each was `followed`, and the day on which each rule has it end."""
    ends = [
        name for name in ENDING if name in people.columns and (way.clock is None or name not in _BY_INSTANT)
    ]
    if way.clock is None:
        aged = {name: days_up(people[name] - people.began) for name in ends}
        return people.select("member", followed=days_down(at - people.began), **aged)
    aged = {name: way.age(people[name], people.began) for name in ends}
    return people.select("member", followed=way.last - way.day(people.began), **aged)


def _first_ages(
    tidy: Tidy, params: Mapping[str, Any], people: Table, way: _Way, lows: Sequence[int]
) -> Table:
    """Return members with `from_A`: the first age of at least A at which each gave a sign of life."""
    rows = sittings(tidy, params).inner_join(people.select("member", "began"), "member")
    rows = rows.filter(rows["last"] >= rows.began)
    since = ibis.ifelse(rows["first"] >= rows.began, way.age(rows["first"], rows.began), -1)
    rows = rows.select("member", first=since, last=way.age(rows["last"], rows.began))
    firsts = {}
    for low in lows:
        age = ibis.cases((rows["first"] >= low, rows["first"]), (rows["last"] >= low, rows["last"]))
        firsts[f"from_{low}"] = age.min()
    return rows.group_by("member").aggregate(**firsts)


def _kept(rows: Table, rule: _Rule) -> Value:
    """Return whether a rule keeps a member."""
    if rule.name in ENDING:
        return rows[rule.name].isnull() | (rows[rule.name] > rule.needs)
    return rows[f"from_{rule.low}"] <= rule.high


def _rules(days: Sequence[int], offered: Offered) -> list[_Rule]:
    found = []
    for day, numbering in product(days, ("zero", "one")):
        age = day - (numbering == "one")
        for name, low, high, needs in spans(age, "day", offered):
            if low <= high and (numbering == "zero" or name not in ENDING):
                lag = offered.silence_days if name in _BY_INSTANT else 0
                lasts = needs + lag + (name not in ENDING)
                found.append(_Rule(day, name, numbering, low, high, needs, lasts))
    return found


def _exits(tidy: Tidy, params: Mapping[str, Any], people: Table, rule: str, until: int) -> Table:
    """Return when following members ended under a rule with an end, in minutes since joining.

    By the last sign of life those still there are followed to it only, as who reads it so does.
    """
    end, at = people[rule], int(as_of(tidy).timestamp())
    seen_to: Value = ibis.literal(at, "int64")
    if rule in _BY_INSTANT:
        judged = _judged(tidy, params)
        seen_to = end if rule == "last_sign" else ibis.literal(judged, "int64")
        end = ibis.ifelse(end <= judged, end, ibis.null("int64"))
    gone = end.notnull()
    minute = ibis.ifelse(gone, _minutes(end - people.began, up=True), _minutes(seen_to - people.began))
    beyond = until * DAY // _MINUTE
    rows = people.select(
        minute=ibis.least(minute, ibis.literal(beyond + 1, "int64")), gone=number(gone & (minute <= beyond))
    )
    rows = rows.filter(rows.minute >= 0)
    counts = rows.group_by("minute").aggregate(
        churned=rows.gone.sum().cast("int64"), censored=(1 - rows.gone).sum().cast("int64")
    )
    few = ibis.memtable(counts.to_pyarrow())
    return few.select(ibis.literal(rule).name("rule"), "minute", "churned", "censored")


def _minutes(of_seconds: Value, *, up: bool = False) -> Value:
    """Return whole minutes, of whole hours beyond `FINE`; begun ones when rounded up."""
    fine, rough = (_whole(of_seconds, width, up=up) * (width // _MINUTE) for width in (_MINUTE, _HOUR))
    return ibis.ifelse(of_seconds <= FINE, fine, rough)


def _whole(of_seconds: Value, width: int, *, up: bool) -> Value:
    return (-((-of_seconds) // width) if up else of_seconds // width).cast("int64")
