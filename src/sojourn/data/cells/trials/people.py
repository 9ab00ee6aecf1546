"""Who is in a trial: one row per member still with us at the first assignment, the one that counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range
from sojourn.core.schema import KNOWN_AT_JOINING
from sojourn.data.cells.retention.days import DAY, as_of, days_down, days_up, number, seconds
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

STUDY = "trials"
#: What may be a stratum: known at joining, so before any assignment.
STRATA = tuple(name for name in KNOWN_AT_JOINING if name != "cohort")
#: What is known of members at joining, as far as the case has it.
TRAITS = ("channel", "plan", "region", "age_band", "gender")


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


def present(rows: Table) -> Value:
    """Whether a member was still with us at assignment; who had left is not part of the trial."""
    return rows.churned_at.isnull() | (rows.churned_at >= rows.assigned_at)


def enrolled(tidy: Tidy) -> Table:
    """Return first assignments in all trials, with what `members` knows: also of those who had left."""
    members = tidy.table("members", STUDY)
    known = [name for name in (*TRAITS, "referred_by") if name in members.columns]
    return first_assignments(tidy).inner_join(
        members.select("member", "joined_at", "churned_at", *known), "member"
    )


def people(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return one row per member of the trial.

    Returns
    -------
    ibis Table
        ``member``, ``scheme``, ``stratum``, ``period`` (month of assignment), ``cluster``, ``assigned_at``,
        ``joined_at``, ``churned_at``, the traits, ``began`` (second of assignment), ``tenure`` (whole days
        since joining), ``follow_up`` (whole days to `as_of`), ``leaves`` (day of leaving, counted from 1;
        missing for those who stay).
    """
    rows = enrolled(tidy)
    rows = rows.filter(rows.trial == params["trial"], present(rows))
    stratum = known_at_joining(params["stratum"], STRATA)
    group: Value = ibis.literal("all") if stratum == "all" else rows[stratum].fill_null("unknown")
    month = clock_of(tidy.meta).day(rows.assigned_at).cast("string").substr(0, 7)
    rows = rows.mutate(stratum=group, period=month, began=seconds(rows.assigned_at))
    gone = days_up(seconds(rows.churned_at) - rows.began)
    first_day = ibis.literal(1, "int64")
    return rows.mutate(
        tenure=days_down(ibis.greatest(rows.began - seconds(rows.joined_at), ibis.literal(0, "int64"))),
        follow_up=days_down(ibis.literal(int(as_of(tidy).timestamp()), "int64") - rows.began),
        leaves=ibis.ifelse(rows.churned_at.isnull(), ibis.null("int64"), ibis.greatest(gone, first_day)),
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
