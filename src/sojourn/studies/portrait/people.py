"""Who joined, when, through what, and at which stage members are now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.portrait import STAGES, Burst, Groups, Joiners
from sojourn.core.results.portrait_doings import StagesNow
from sojourn.core.schema import AGE_BANDS, KNOWN_AT_JOINING
from sojourn.core.stage_rules import stage_rules
from sojourn.estimators.survival.shares import exact_share
from sojourn.studies.portrait.span import first_day, last_day


def joiners(cells: Cells, min_group: int) -> Joiners:
    """Return how many joined in each whole week, and through which channels where cells tell it.

    A channel's weeks with fewer than `min_group` members (but some) are not stated, nor is the smallest other
    channel of a week in which only one is not: it would follow from the sum.
    """
    rows = cells["joined"].assign(week=lambda frame: pd.to_datetime(frame["week"]).dt.date)
    weeks = _whole_weeks(first_day(cells), last_day(cells))
    if not weeks or rows.empty:
        return Joiners(pd.DataFrame(), (), (), "Members have not been seen joining for one whole week.")
    by_channel = "channel" in rows and "members.channel" not in cells.meta["missing"]
    rows = rows if by_channel else rows.assign(channel="")
    counts = rows.pivot_table(index="week", columns="channel", values="members", aggfunc="sum")
    counts = counts.reindex(weeks).fillna(0)
    channels = _by_size(counts.sum()) if by_channel else ()
    total = counts.sum(axis=1)
    shown = counts.apply(_stated, axis=1, min_group=min_group)
    table = pd.DataFrame({"week": [week.isoformat() for week in weeks]})
    table["members"] = total.where((total == 0) | (total >= min_group)).to_numpy()
    for channel in channels:
        table[f"{channel}_members"] = shown[channel].to_numpy()
    if not (table["members"] > 0).any():
        return Joiners(pd.DataFrame(), (), (), f"In no week have {min_group} members joined.")
    return Joiners(table, channels, _bursts(cells.meta))


def _whole_weeks(first: date, last: date) -> list[date]:
    """Return the Mondays of the weeks that lie whole between two days (both included)."""
    monday = first + timedelta(days=-first.weekday() % 7)
    n = max(((last - monday).days + 1) // 7, 0)
    return [monday + timedelta(days=7 * k) for k in range(n)]


def _by_size(sizes: pd.Series[Any]) -> tuple[str, ...]:
    return tuple(sorted(sizes.index, key=lambda name: (-sizes[name], name)))


def _stated(counts: pd.Series[Any], min_group: int) -> pd.Series[Any]:
    """Return the counts of one week that may be stated."""
    small = (counts > 0) & (counts < min_group)
    if small.sum() == 1 and (counts >= min_group).any():
        small[counts.where(counts >= min_group).idxmin()] = True
    return counts.where(~small)


def _bursts(meta: Mapping[str, Any]) -> tuple[Burst, ...]:
    known = meta.get("truth", {}).get("bursts", [])
    begun = str(meta["observed_from"])[:10]
    return tuple(Burst(**burst) for burst in known if burst["first"] >= begun)


def groups(cells: Cells, mass: float, min_group: int) -> Groups:
    """Return shares of joiners and of those with us, by what was known at joining."""
    rows = cells["groups"]
    rows = rows[rows["by"] != "all"]
    truth = cells.meta.get("truth", {}).get("shares", {})
    enough = rows[rows["joined"] >= min_group]
    if enough.empty:
        return Groups(pd.DataFrame(), mass, len(rows), "The case says nothing of who its members are.")
    bys = [by for by in KNOWN_AT_JOINING if by in set(rows["by"])]
    parts = [_shares(rows[rows["by"] == by], by, mass, truth.get(by)) for by in bys]
    table = pd.concat(parts, ignore_index=True)
    table = table[table["members"] >= min_group].reset_index(drop=True)
    return Groups(table, mass, len(rows) - len(table))


def _shares(rows: pd.DataFrame, by: str, mass: float, truth: Mapping[str, float] | None) -> pd.DataFrame:
    order = {name: i for i, name in enumerate(AGE_BANDS if by == "age_band" else ())}
    rows = rows.sort_values("joined", ascending=False, kind="stable")
    rows = rows.sort_values("group", key=lambda g: g.map(order).fillna(99), kind="stable")
    joined, there = rows["joined"], rows["with_us"]
    low, high = exact_share(joined.to_numpy(), joined.sum(), mass)
    table = pd.DataFrame(
        {
            "by": by,
            "group": rows["group"],
            "members": joined,
            "joined_share": joined / joined.sum(),
            "joined_share_low": low,
            "joined_share_high": high,
            "with_us_share": there / max(int(there.sum()), 1),
        }
    )
    return table if truth is None else table.assign(true_share=rows["group"].map(truth).astype(float))


def stages(cells: Cells, min_group: int) -> StagesNow:
    """Return at which stage members are, with the rule of each."""
    rows = cells["stages"].set_index("stage")["members"]
    members = int(rows.sum())
    table = pd.DataFrame({"stage": STAGES}).assign(
        members=lambda t: t["stage"].map(rows).fillna(0).astype(int)
    )
    table = table.assign(share_of_members=table["members"] / members, rule=_rules(cells.meta))
    return StagesNow(table[table["members"] >= min_group].reset_index(drop=True), members)


def _rules(meta: Mapping[str, Any]) -> list[str]:
    unknown = {"spells": "returned", "members.churned_at": "left"}
    missing = {stage: "not known here" for name, stage in unknown.items() if name in meta["missing"]}
    return list((stage_rules(meta["params"]) | missing).values())
