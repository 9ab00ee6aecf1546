"""Members followed from joining on: cohorts, who came back at which age, and when following them ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
from ibis import Table, Value

from sojourn.core.definitions import ENDING, MOST_CHANGES, Offered
from sojourn.core.results.reconcile import Unit
from sojourn.data.reconcile.activity import by_group, changes_of
from sojourn.data.reconcile.grid import DAY, LENGTH
from sojourn.data.reconcile.people import FLAGS, one, seconds


@dataclass(frozen=True, slots=True)
class Ages:
    """At what ages members are looked at, and until when they can be.

    Attributes
    ----------
    unit : str
        Unit of the ages.
    rules : Table
        From `grid.rules`.
    bys : sequence of str
        Groupings.
    last : int
        Number of the last unit that was over by ``as_of``.
    as_of_s : int
        Second of ``as_of``.
    zone_changes : int
        1 where the time zone is not the case's own.
    """

    unit: Unit
    rules: Table
    bys: Sequence[str]
    last: int
    as_of_s: int
    zone_changes: int


_RULE = ("n", "rule", "clock", "numbering")


def in_cohorts(people: Table, cohorts: Table, unit: Unit) -> Table:
    """Return members once for each cohort they are of, with ``joined_unit`` and ``churned_unit``."""
    found = people.inner_join(
        cohorts, [people.joined_day >= cohorts.cohort_first, people.joined_day <= cohorts.cohort_last]
    ).drop("cohort_first", "cohort_last")
    return found.mutate(
        joined_unit=_unit_of(unit, found.joined_day, found.joined_month),
        churned_unit=_unit_of(unit, found.churned_day, found.churned_month),
    )


def followed(chosen: Table, ages: Ages) -> Table:
    """Return how many members each rule is about, and of rules with an end how many had not reached it.

    Parameters
    ----------
    chosen : Table
        From `in_cohorts`, with ``gap_s`` (start of the first long silence) and ``last_s``.
    ages : Ages
        What is asked.

    Returns
    -------
    Table
        ``cohort``, ``n``, ``rule``, ``clock``, ``numbering``, ``by``, ``group``, flags, ``mature``,
        ``members``, ``kept``.
    """
    rules = ages.rules
    both = chosen.cross_join(rules.filter(rules.rule_changes + ages.zone_changes <= MOST_CHANGES))
    made = both.mutate(mature=_mature(both, ages), kept=one(_kept(both)))
    return by_group(made, ages.bys, ["cohort", *_RULE, *FLAGS, "mature"], ["kept"])


def _kept(both: Table) -> Value:
    """Return whether a member had not left by the age, under the rules with an end."""
    churned_s = seconds(both.churned_at)
    ends = ibis.cases(
        (both.rule == "silence", both.gap_s), (both.rule == "last_sign", both.last_s), else_=churned_s
    )
    elapsed = ends.isnull() | (ends - both.joined_s > both.kept_s)
    age = both.churned_unit - both.joined_unit
    calendar = both.churned_unit.isnull() | (age > both.needs)
    stays = ibis.ifelse(both.timed == "calendar", calendar, elapsed)
    return both.rule.isin(list(ENDING)) & stays


def returned(done: Table, chosen: Table, ages: Ages) -> Table:
    """Return how many members gave a sign of life at the ages of each rule.

    Returns
    -------
    Table
        As `followed`, with ``selection`` and ``known``, and without ``kept``.
    """
    seen = done.inner_join(chosen.select("member", "cohort", "joined_unit"), "member")
    seen = seen.mutate(late=seen.known_on > seen.day)
    unit = ages.unit
    calendar = _unit_of(unit, seen.day, seen.month) - seen.joined_unit
    elapsed = (seen.elapsed // LENGTH[unit]).cast("int64")
    aged = ibis.union(
        seen.mutate(clock=ibis.literal("calendar"), age=calendar),
        seen.mutate(clock=ibis.literal("elapsed"), age=elapsed),
    )
    now = aged.mutate(known=ibis.literal("now"))
    then = aged.filter(~aged.late).mutate(known=ibis.literal("then"))
    columns = ("member", "cohort", "clock", "age", "selection", "known")
    return _met(ibis.union(now, then).select(*columns), chosen, ages)


def _met(aged: Table, chosen: Table, ages: Ages) -> Table:
    """Return how many members have a sign of life at the ages of a rule."""
    both = aged.filter(aged.age >= 0, changes_of(aged) + ages.zone_changes <= MOST_CHANGES)
    rules = ages.rules.filter(~ages.rules.rule.isin(list(ENDING))).rename(rule_clock="clock")
    met = both.inner_join(
        rules, [both.clock == rules.rule_clock, both.age >= rules.low, both.age <= rules.high]
    )
    met = met.filter(met.rule_changes + changes_of(met) + ages.zone_changes <= MOST_CHANGES)
    keys = [*_RULE, "selection", "known"]
    each = met.select("member", "cohort", "timed", "needs", "needs_s", *keys).distinct()
    people = chosen.select("member", "cohort", "joined_unit", "joined_s", *FLAGS, *ages.bys)
    flagged = each.inner_join(people, ["member", "cohort"])
    made = flagged.mutate(mature=_mature(flagged, ages))
    return by_group(made, ages.bys, ["cohort", *keys, *FLAGS, "mature"], [])


def _mature(rows: Table, ages: Ages) -> Value:
    """Return 1 where a member could be followed for as long as the rule needs."""
    by_calendar = rows.joined_unit + rows.needs <= ages.last
    by_seconds = rows.joined_s + rows.needs_s <= ages.as_of_s
    return one(ibis.ifelse(rows.timed == "calendar", by_calendar, by_seconds))


def exits(chosen: Table, ages: Ages, offered: Offered, horizon: int) -> Table:
    """Return when following members ended, in minutes since joining, under each rule with an end.

    Leaving counts on the minute it is reached, being followed ends on the last whole one, as days do in the
    cells of retention; beyond `horizon` minutes nothing is told apart.

    Returns
    -------
    Table
        ``rule``, ``cohort``, ``minute``, ``churned``, ``by``, ``group``, flags, ``members``.
    """
    lag = offered.silence_days * DAY
    judged = ages.as_of_s - lag
    churned_s = seconds(chosen.churned_at)
    ends = []
    if offered.ends:
        ends.append(("not_cancelled", churned_s, ibis.literal(ages.as_of_s, "int64")))
    if offered.events:
        final = ibis.ifelse(chosen.last_s <= judged, chosen.last_s, ibis.null("int64"))
        ends.append(("silence", chosen.gap_s, ibis.literal(judged, "int64")))
        ends.append(("last_sign", final, chosen.last_s))
    parts = [_ended(chosen, rule, end, seen_to, horizon) for rule, end, seen_to in ends]
    made = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return by_group(made, ages.bys, ["cohort", "rule", "minute", "churned", *FLAGS], [])


def _ended(chosen: Table, rule: str, end: Value, seen_to: Value, horizon: int) -> Table:
    leaves = -((-(end - chosen.joined_s)) // 60)
    seen = (seen_to - chosen.joined_s) // 60
    churned = end.notnull()
    minute = ibis.ifelse(churned, leaves, seen).cast("int64")
    beyond = ibis.literal(horizon + 1, "int64")
    made = chosen.mutate(
        rule=ibis.literal(rule),
        churned=one(churned & (minute <= horizon)),
        minute=ibis.least(minute, beyond),
    )
    return made.filter(made.minute >= 0)


def first_silences(events: Table, people: Table, silence_days: int, judged: int) -> Table:
    """Return members with ``gap_s``: the second at which their first silence of more than so many days began.

    A silence counts only when it was seen at full length by ``as_of`` (`judged` is so many days before it).
    """
    joined = people.select("member", at=people.joined_s)
    seen = events.select("member", at=seconds(events.occurred_at))
    seen = seen.inner_join(joined.rename(joined="at"), "member")
    signs = ibis.union(joined, seen.filter(seen["at"] >= seen.joined).select("member", "at"))
    following = ibis.window(group_by=signs.member, order_by=signs["at"])
    gaps = signs.mutate(until=signs["at"].lead().over(following))
    silent = gaps.until.isnull() | (gaps.until - gaps["at"] > silence_days * DAY)
    long = gaps.filter(silent & (gaps["at"] <= judged))
    found = long.group_by("member").agg(gap_s=long["at"].min())
    return people.left_join(found, "member").drop("member_right")


def _unit_of(unit: Unit, day: Value, month: Value) -> Value:
    """Return the number of the unit that a day is in; weeks begin on Monday."""
    return {"day": day, "week": ((day + 3) // 7).cast("int64"), "month": month}[unit]
