"""Protected cells of the portrait: all its tables by declaration.

Running counts are read off at few places (as those of retention are), and who joins by week is told of all
channels together: where a count of one channel steps, two runs that differ by one member tell theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd

from sojourn.core.privacy import coarse, nearest, round_number, to_multiples
from sojourn.data.protection.declared import Caps, Counted, protect_table

_DIGITS = Decimal("0.000000001")
#: Days between read-offs of running counts.
_WEEK, _FOUR_WEEKS = 7, 28
#: Days since joining, days of coming and numbers of purchases at which running counts are read off.
_FIRST_DAYS = (0, 1, 3, 7, 14, 21, 59, 89, 179)
_OFTEN = (0, 1, 2, 3, 5, 7, 10, 14, 21, 28)
_BOUGHT = (0, 1, 2, 5, 10, 20, 50)

#: What every table of the portrait counts.
TABLES: Mapping[str, tuple[Counted, ...]] = {
    "joined": (Counted(members=("members",), along="week", every=_WEEK),),  # by channel: see `groups`
    "groups": (Counted(by=("by", "group"), members=("members",), parts=("joined", "with_us")),),
    "days": (
        Counted(
            by=("what",),
            members=("n",),
            along="day",
            every=_FOUR_WEEKS,
            where={"what": ("joined", "left", "returned")},
        ),
        Counted(by=("what", "day"), members=("n",), where={"what": ("active",)}),
        Counted(by=("what", "day"), things=("n",), where={"what": ("events",)}),
    ),
    "visits": (Counted(by=("weekday", "hour"), members=("members",), things=("visits",)),),
    "kinds": (Counted(by=("event",), members=("members",), things=("events",)),),
    "steps": (Counted(by=("step",), members=("members",), along="day", marks=_FIRST_DAYS),),
    "active": (Counted(members=("members",), along="days", marks=_OFTEN),),
    "stages": (Counted(by=("stage",), members=("members",)),),
    "purchases": (Counted(members=("members",), along="purchases", marks=_BOUGHT),),
    "money": (
        Counted(
            members=("payers",), things=("purchases", "refunds"), money=("amount", "refunded", "dearest")
        ),  # the dearest is then replaced by an amount that many have paid
    ),
    "messages": (
        Counted(
            by=("channel",),
            members=("members",),
            things=("sent", "opened", "clicked", "opted_out"),
            money=("cost",),
        ),
    ),
    "acquisition": (Counted(by=("channel",), members=("members",), money=("cost",)),),
    "late": (Counted(by=("days",), things=("rows",)),),
}


def protect(
    tables: Mapping[str, pd.DataFrame], meta: Mapping[str, Any], base: int, caps: Caps
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return protected tables, and what the cells say of themselves."""
    caps = {**caps, **_fees(tables)}
    made = {
        name: protect_table(table, _rules(name, meta["params"]), base, name=name, caps=caps)
        for name, table in tables.items()
    }
    if "money" in made:
        dearest = caps.get("money.dearest", Decimal(0)).quantize(_DIGITS)
        made["money"]["dearest"] = pd.Series(dearest, made["money"].index, dtype=object)
    said = {name: int(to_multiples(meta[name], base)) for name in ("members", "joined_before", "followed")}
    read = None if meta["read"] is None else int(to_multiples(meta["read"], base))
    idle, early = int(nearest(meta["without_events"], base)), coarse(meta["before_joining"], base)
    return made, {**meta, **said, "read": read, "without_events": idle, "before_joining": early}


def _rules(name: str, params: Mapping[str, Any]) -> tuple[Counted, ...]:
    """Return what a table counts; days since joining and days of coming end with what is looked at."""
    last = {"steps": int(params["follow_days"]) - 1, "active": int(params["active_days"])}.get(name)
    if last is None:
        return TABLES[name]
    return tuple(
        replace(rule, marks=(*(mark for mark in rule.marks if mark < last), last)) for rule in TABLES[name]
    )


def _fees(tables: Mapping[str, pd.DataFrame]) -> dict[str, Decimal]:
    """Return a round number above what a channel pays for one member: a fixed fee would tell their number."""
    if "acquisition" not in tables:
        return {}
    rows = tables["acquisition"]
    each = [Decimal(cost) / int(n) for cost, n in zip(rows["cost"], rows["members"], strict=True)]
    return {"acquisition.cost": round_number(max(each, default=Decimal(1)))}
