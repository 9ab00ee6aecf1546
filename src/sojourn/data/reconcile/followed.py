"""Members followed from joining on: cohorts, who came back at which age, and when following them ended."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis import Table, Value

from sojourn.core.definitions import ENDING, MOST_CHANGES, Offered
from sojourn.core.results.reconcile import Unit
from sojourn.data.reconcile.activity import by_group, changes_of
from sojourn.data.reconcile.grid import DAY, LENGTH
from sojourn.data.reconcile.people import FLAGS, seconds

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


def followed(
    chosen: Table, rules: Table, bys: Sequence[str], last: int, as_of_s: int, *, zone_changes: int
) -> Table:
    """Return how many members each rule is about, and of rules with an end how many had not reached it.

    Parameters
    ----------
    chosen : Table
        From `in_cohorts`, with ``gap_s`` (start of the first long silence) and ``last_s``.
    rules : Table
        From `grid.rules`.
    last : int
        Number of the last unit that was over by ``as_of``.
    as_of_s : int
        Second of ``as_of``.

    Returns
    -------
    Table
        ``cohort``, ``n``, ``rule``, ``clock``, ``numbering``, ``by``, ``group``, flags, ``mature``, ``members``, ``kept``.
    """
    asked = rules.filter(rules.rule_changes + zone_changes <= MOST_CHANGES)
    both = chosen.cross_join(asked)
    by_calendar = both.joined_unit + both.needs <= last
    by_seconds = both.joined_s + both.needs_s <= as_of_s
    made = both.mutate(
        mature=ibis.ifelse(both.timed == "calendar", by_calendar, by_seconds).cast("int64"),
        kept=_kept(both).cast("int64"),
    )
    return by_group(made, bys, ["cohort", *_RULE, *FLAGS, "mature"], ["kept"])


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


def returned(
    done: Table,
    chosen: Table,
    rules: Table,
    bys: Sequence[str],
    unit: Unit,
    last: int,
    as_of_s: int,
    *,
    zone_changes: int,
) -> Table:
    """Return how many members gave a sign of life at the ages of each rule.

    Returns
    -------
    Table
        As `followed`, with ``selection`` and ``known``, and without ``kept``.
    """
    seen = done.inner_join(chosen.select("member", "cohort", "joined_unit"), "member")
    seen = seen.mutate(late=seen.known_on > seen.day)
    aged = ibis.union(
        seen.mutate(
            clock=ibis.literal("calendar"), age=_unit_of(unit, seen.day, seen.month) - seen.joined_unit
        ),
        seen.mutate(clock=ibis.literal("elapsed"), age=(seen.elapsed // LENGTH[unit]).cast("int64")),
    ).select("member", "cohort", "clock", "age", "selection", "late")
    return _met(aged, chosen, rules, bys, last, as_of_s, zone_changes=zone_changes)


def _met(
    aged: Table,
    chosen: Table,
    rules: Table,
    bys: Sequence[str],
    last: int,
    as_of_s: int,
    *,
    zone_changes: int,
) -> Table:
    now, then = (
        aged.mutate(known=ibis.literal("now")),
        aged.filter(~aged.late).mutate(known=ibis.literal("then")),
    )
    both = ibis.union(now, then).drop("late")
    both = both.filter(both.age >= 0, changes_of(both) + zone_changes <= MOST_CHANGES)
    asked = rules.filter(~rules.rule.isin(list(ENDING))).rename(rule_clock="clock")
    met = both.inner_join(
        asked, [both.clock == asked.rule_clock, both.age >= asked.low, both.age <= asked.high]
    )
    met = met.filter(met.rule_changes + changes_of(met) + zone_changes <= MOST_CHANGES)
    keys = [*_RULE, "selection", "known"]
    each = met.select("member", "cohort", "needs", "needs_s", *keys).distinct()
    flagged = each.inner_join(
        chosen.select("member", "cohort", "joined_unit", "joined_s", *FLAGS, *bys), ["member", "cohort"]
    )
    over = ibis.ifelse(
        flagged.clock == "calendar",
        flagged.joined_unit + flagged.needs <= last,
        flagged.joined_s + flagged.needs_s <= as_of_s,
    )
    made = flagged.mutate(mature=over.cast("int64"))
    return by_group(made, bys, ["cohort", *keys, *FLAGS, "mature"], [])


def exits(chosen: Table, bys: Sequence[str], as_of_s: int, offered: Offered, horizon: int) -> Table:
    """Return when following members ended, in minutes since joining, under each rule with an end.

    Leaving counts on the minute it is reached, being followed ends on the last whole one, as days do in the
    cells of retention; beyond `horizon` minutes nothing is told apart.

    Returns
    -------
    Table
        ``rule``, ``cohort``, ``minute``, ``churned``, ``by``, ``group``, flags, ``members``.
    """
    lag = offered.silence_days * DAY
    judged = as_of_s - lag
    churned_s = seconds(chosen.churned_at)
    ends = []
    if offered.ends:
        ends.append(("not_cancelled", churned_s, ibis.literal(as_of_s, "int64")))
    if offered.events:
        final = ibis.ifelse(chosen.last_s <= judged, chosen.last_s, ibis.null("int64"))
        ends.append(("silence", chosen.gap_s, ibis.literal(judged, "int64")))
        ends.append(("last_sign", final, chosen.last_s))
    parts = [_ended(chosen, rule, end, seen_to, horizon) for rule, end, seen_to in ends]
    made = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return by_group(made, bys, ["cohort", "rule", "minute", "churned", *FLAGS], [])


def _ended(chosen: Table, rule: str, end: Value, seen_to: Value, horizon: int) -> Table:
    leaves = -((-(end - chosen.joined_s)) // 60)
    seen = (seen_to - chosen.joined_s) // 60
    churned = (leaves <= seen).fill_null(False)
    minute = ibis.ifelse(churned, leaves, seen).cast("int64")
    beyond = ibis.literal(horizon + 1, "int64")
    made = chosen.mutate(
        rule=ibis.literal(rule),
        churned=(churned & (minute <= horizon)).cast("int64"),
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
