"""Who is in a trial: one row per member in the trial's state at the first assignment, the one that counts.

A trial is of members who were with us at assignment, and asks who is kept; or of members who had left, and
asks who is back. Which of both is nobody's choice: it is what more than half of those assigned were when they
were assigned. That was so before any scheme could act, except in the very second of assignment: who leaves in
it counts as gone before, since a gift may answer a cancellation. Where dates have no times that second is a
whole day, and a scheme that drove out most of its members on that day would turn what its trial asks. It is
told per trial, as a case may have trials of both kinds. One parameter could not say that, and would be wrong
in silence where it was forgotten. Members in the other state are counted and not judged: being kept and being
back are different outcomes of different people, and no lift is of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range
from sojourn.core.schema import KNOWN_AT_JOINING
from sojourn.data.cells.retention.counting import few
from sojourn.data.cells.retention.days import DAY, as_of, days_down, days_up, number, seconds
from sojourn.data.engine import held
from sojourn.data.localtime import clock_of
from sojourn.data.stages import after_leaving
from sojourn.data.tidy import Tidy

STUDY = "trials"
#: What may be a stratum: known at joining, so before any assignment.
STRATA = tuple(name for name in KNOWN_AT_JOINING if name != "cohort")
#: What is known of members at joining, as far as the case has it.
TRAITS = ("channel", "plan", "region", "age_band", "gender")
#: What a trial asks of its members: who of those with us is kept, or who of those who had left is back.
KEPT, BACK = "kept", "back"


def first_assignments(tidy: Tidy) -> Table:
    """Return the first assignment of every member in every trial.

    Returns
    -------
    ibis Table
        ``trial``, ``member``, ``scheme``, ``assigned_at``, ``cluster``, ``schemes`` (how many different ones
        the member was assigned in this trial).
    """
    rows = tidy.table("assignments", STUDY)
    if "cluster" not in rows.columns:
        rows = rows.mutate(cluster=ibis.null("string"))
    keys = ["trial", "member"]
    places = ibis.window(group_by=keys, order_by=["assigned_at", "scheme"])
    ranked = rows.mutate(place=ibis.row_number().over(places))
    first = ranked.filter(ranked.place == 0).select(*keys, "scheme", "assigned_at", "cluster")
    how_many = rows.group_by(*keys).aggregate(schemes=rows.scheme.nunique().cast("int64"))
    return first.inner_join(how_many, keys).select(*first.columns, "schemes")


def enrolled(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return first assignments in all trials, with what `members` knows, also of those whom it is not about.

    Returns
    -------
    ibis Table
        Columns of `first_assignments`, ``joined_at``, ``churned_at``, the traits, and: ``aim`` of the trial
        (`KEPT` or `BACK`), ``takes_part`` (1: in the state the trial is about), ``there_30`` and the like (1:
        kept, or back, after so many days; for every horizon and for the value days).

    Notes
    -----
    Who had left is who first left before assignment, or in the very second of it as where a gift answers a
    cancellation, and was in no later spell then; in a trial of those with us that second is the first day.
    Who had left and was back already is in neither kind of trial. Back after N days is who is in a spell at
    that instant, so who came back and left again is not. Without `spells` nobody is known to be back.
    """
    days = sorted({int(days) for days in (*params["horizons"], params["value_days"])})
    return tidy.once(f"{STUDY}: enrolled, judged after {days}", lambda: held(_enrolled(tidy, days)))


def _enrolled(tidy: Tidy, days: list[int]) -> Table:
    members = tidy.table("members", STUDY)
    known = [name for name in (*TRAITS, "referred_by") if name in members.columns]
    rows = first_assignments(tidy).inner_join(
        members.select("member", "joined_at", "churned_at", *known), "member"
    )
    rows = _with_returns(rows, tidy, days)
    before = number(rows.churned_at < rows.assigned_at)
    away = number(rows.churned_at <= rows.assigned_at) * (1 - rows.now.fill_null(0))
    whole = ibis.window(group_by="trial")
    rows = rows.mutate(
        won_back=2 * away.sum().over(whole) > rows.count().over(whole), away=away, before=before
    )
    there = {
        f"there_{n}": ibis.ifelse(rows.won_back, rows[f"spell_{n}"].fill_null(0), kept(rows, n)) for n in days
    }
    rows = rows.mutate(
        aim=ibis.ifelse(rows.won_back, BACK, KEPT),
        takes_part=ibis.ifelse(rows.won_back, rows.away, 1 - rows.before),
        **there,
    )
    return rows.drop("now", "won_back", "away", "before", *(f"spell_{n}" for n in days))


def _with_returns(rows: Table, tidy: Tidy, days: list[int]) -> Table:
    """Add whether a spell begun after leaving ran at assignment (``now``) and after so many days.

    And when the first one began after assignment (``back_at``).
    """
    names = ["now", *(f"spell_{n}" for n in days)]
    if "spells" not in tidy.tables:
        none = dict.fromkeys(names, ibis.literal(0, "int64"))
        return rows.mutate(**none, back_at=ibis.null(rows.assigned_at.type()))
    gone = rows.filter(rows.churned_at <= rows.assigned_at)
    stays = after_leaving(tidy, gone.select("trial", "member", "assigned_at", left_at="churned_at"))
    instants = [stays.assigned_at, *(end(stays, n) for n in days)]
    running = {
        name: number((stays.begun_at <= at) & (stays.until.isnull() | (stays.until > at))).max()
        for name, at in zip(names, instants, strict=True)
    }
    keys = ["trial", "member"]
    later = stays.begun_at.min(where=stays.begun_at > stays.assigned_at)
    found = stays.group_by(*keys).aggregate(**running, back_at=later)
    return rows.left_join(found, keys).drop("trial_right", "member_right")


def aim_of(tidy: Tidy, params: Mapping[str, Any]) -> str:
    """Return what a trial asks: `KEPT` or `BACK`.

    Raises
    ------
    MissingTableError
        When it asks who is back and the case has no `spells`.
    """
    rows = enrolled(tidy, params)
    aims = tidy.once(f"{STUDY}: aims", lambda: few(rows.select("trial", "aim").distinct())).to_pyarrow()
    aim = str(
        dict(zip(*(aims[name].to_pylist() for name in ("trial", "aim")), strict=True)).get(
            params["trial"], KEPT
        )
    )
    if aim == BACK:
        tidy.table("spells", STUDY)
    return aim


def people(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member of the trial.

    Returns
    -------
    ibis Table
        ``member``, ``scheme``, ``stratum``, ``period`` (month of assignment), ``cluster``, ``assigned_at``,
        ``joined_at``, ``churned_at``, the traits, ``began`` (second of assignment), ``tenure`` (whole days
        since joining), ``follow_up`` (whole days to `as_of`), ``leaves`` (day of leaving, or of coming back
        where members had left, counted from 1; missing for those who do not), ``there_30`` and the like (see
        `enrolled`).
    """
    rows = enrolled(tidy, params)
    rows = rows.filter(rows.trial == params["trial"], rows.takes_part == 1)
    stratum = known_at_joining(params["stratum"], STRATA)
    group: Value = ibis.literal("all") if stratum == "all" else rows[stratum].fill_null("unknown")
    month = clock_of(tidy.meta).day(rows.assigned_at).cast("string").substr(0, 7)
    rows = rows.mutate(stratum=group, period=month, began=seconds(rows.assigned_at))
    changed = ibis.ifelse(rows.aim == BACK, rows.back_at, rows.churned_at)
    gone = days_up(seconds(changed) - rows.began)
    first_day = ibis.literal(1, "int64")
    return rows.mutate(
        tenure=days_down(ibis.greatest(rows.began - seconds(rows.joined_at), ibis.literal(0, "int64"))),
        follow_up=days_down(ibis.literal(int(as_of(tidy).timestamp()), "int64") - rows.began),
        leaves=ibis.ifelse(changed.isnull(), ibis.null("int64"), ibis.greatest(gone, first_day)),
    )


def end(rows: Table, days: int) -> Value:
    """Return the instant `days` times 24 hours after assignment."""
    return rows.assigned_at + ibis.interval(days=in_range(days, "days", ge=1))


def matured(rows: Table, tidy: Tidy, days: int) -> Value:
    """Whether `days` of follow-up are complete."""
    return end(rows, days) <= ibis.literal(as_of(tidy))


def kept(rows: Table, days: int) -> Value:
    """Return 1 for who is still a member after so many days, else 0."""
    return number(rows.churned_at.isnull() | (rows.churned_at >= end(rows, days)))


def weeks_of(of_seconds: Value) -> Value:
    """Return how many whole weeks have ended."""
    return (of_seconds // (7 * DAY)).cast("int64")
