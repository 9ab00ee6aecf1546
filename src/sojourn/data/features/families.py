"""Families of counts that a case has where it has their tables and columns: a missing one is no zero.

Counts from other tables than events stand here; those of events by kind and hour are made beside the kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ibis import Table, Value

from sojourn.core.measures import HOURS, Counting
from sojourn.data.activity import in_micros
from sojourn.data.features.anchors import Anchors, known_events
from sojourn.data.tidy import MissingTableError, Tidy


@dataclass(frozen=True, slots=True)
class Family:
    """Columns that belong together, and what a case needs for them.

    Attributes
    ----------
    columns : tuple of str
        Whole numbers.
    needs : tuple of (str, str)
        Table and column that the case has to have brought.
    """

    columns: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]


#: By name, in the order of their columns.
FAMILIES: Mapping[str, Family] = {
    "hours": Family(HOURS, (("events", "occurred_at"),)),
    "features": Family(("features",), (("events", "feature"),)),
    "categories": Family(("categories",), (("events", "item_id"), ("items", "category"))),
    "social": Family(("social",), (("events", "event"),)),
    "referral": Family(("referred",), (("members", "referred_by"),)),
    "messages": Family(("sent", "opened"), (("messages", "sent_at"), ("messages", "opened_at"))),
    "clicks": Family(("clicked",), (("messages", "sent_at"), ("messages", "clicked_at"))),
    "points": Family(
        ("points_earned", "points_redeemed", "points_balance"), (("ledger", "kind"), ("ledger", "points"))
    ),
}


def families_of(tidy: Tidy, *, social: bool, timed: bool) -> tuple[str, ...]:
    """Return the families that a case has.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case.
    social, timed : bool
        Whether anything social was seen, and whether events of members have a time of day.
    """
    lacking = {name for name, seen in (("social", social), ("hours", timed)) if not seen}
    there = [name for name, family in FAMILIES.items() if all(tidy.has(*need) for need in family.needs)]
    return tuple(name for name in there if name not in lacking)


def columns_of(families: tuple[str, ...]) -> list[str]:
    """Return the columns of families, in order."""
    return [column for name, family in FAMILIES.items() if name in families for column in family.columns]


def need_tables(tidy: Tidy, counting: Counting, asked: Collection[str]) -> None:
    """Refuse counts of what a case no longer has: empty columns would say that nobody did anything.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case.
    counting : Counting
        What was counted when the case had it.
    asked : collection of str
        The columns that are counted.

    Raises
    ------
    MissingTableError
        Naming the first table or column that is gone.
    """
    found = [need for name in counting.families for need in _needs(name, asked)]
    if any(kind.feature and f"kind_{i}" in asked for i, kind in enumerate(counting.kinds, start=1)):
        found.append(("events", "feature"))
    for table, column in found:
        if not tidy.has(table, column):
            gone = f"`{table}.{column}`" if table in tidy.tables else f"`{table}`"
            raise MissingTableError(
                f"The rule of segments of '{tidy.case}' was learned with {gone}, which is no longer there. "
                f"Run `make reproduce`, or `sojourn cells {tidy.case} segments` and "
                f"`sojourn run {tidy.case} segments`, to learn it anew."
            )


def _needs(name: str, asked: Collection[str]) -> tuple[tuple[str, str], ...]:
    family = FAMILIES[name]
    return family.needs if any(column in asked for column in family.columns) else ()


def categories(tidy: Tidy, anchors: Anchors) -> Table:
    """Return of how many different categories the items were that members dealt with."""
    items = tidy.tables["items"].select("item_id", "category")
    events = anchors.facing(tidy.tables["events"].filter(lambda rows: rows.item_id.notnull()))
    known = events.filter(known_events(events)).select(*anchors.keys, "item_id")
    both = known.inner_join(items.filter(items.category.notnull()), "item_id")
    return both.group_by(anchors.keys).agg(categories=both.category.nunique())


def referral(tidy: Tidy, anchors: Anchors) -> Table:
    """Return how many members were brought, by when these joined."""
    members = tidy.tables["members"]
    brought = members.filter(members.referred_by.notnull()).select(
        member=members.referred_by, joined_us=in_micros(members.joined_at)
    )
    rows = anchors.facing(brought)
    rows = rows.filter(rows.joined_us <= rows.at_us)
    return rows.group_by(anchors.keys).agg(referred=rows.count())


def messages(tidy: Tidy, anchors: Anchors) -> Table:
    """Return how many messages were sent, and how many of them opened and clicked by then."""
    rows = anchors.facing(tidy.tables["messages"])
    rows = rows.filter(in_micros(rows.sent_at) <= rows.at_us)
    found = {
        name: _by_then(rows, rows[column]).sum()
        for name, column in (("opened", "opened_at"), ("clicked", "clicked_at"))
        if column in rows.columns
    }
    return rows.group_by(anchors.keys).agg(sent=rows.count(), **found)


def points(tidy: Tidy, anchors: Anchors) -> Table:
    """Return points earned and redeemed, and the balance of all movements."""
    rows = anchors.facing(tidy.tables["ledger"])
    rows = rows.filter(in_micros(rows["at"]) <= rows.at_us)
    return rows.group_by(anchors.keys).agg(
        points_earned=rows.points.sum(where=rows.kind == "earn"),
        points_redeemed=-rows.points.sum(where=rows.kind == "redeem"),
        points_balance=rows.points.sum(),
    )


def _by_then(rows: Table, instant: Value) -> Value:
    return (in_micros(instant) <= rows.at_us).fill_null(False).cast("int32")


#: What makes counts from other tables, by the columns it gives.
MAKERS: Mapping[tuple[str, ...], Callable[[Tidy, Anchors], Table]] = {
    ("categories",): categories,
    ("referred",): referral,
    ("sent", "opened", "clicked"): messages,
    ("points_earned", "points_redeemed", "points_balance"): points,
}
