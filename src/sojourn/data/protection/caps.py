"""How much one member can have in a sum: found in the engine, before the sums are made."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ibis
from ibis import Table

from sojourn.core.privacy import reaching, round_down, round_number
from sojourn.data.cells.trials import amounts, before
from sojourn.data.cells.trials.every import amounts_of_trials
from sojourn.data.protection.contributions import contributions
from sojourn.data.tidy import Tidy


def cap_in_engine(sizes: Table, base: int) -> Decimal:
    """Return the cap of a column ``amount`` of one row per member; 0 where fewer than `base` have any.

    As `sojourn.core.privacy.cap_of`.
    """
    ordered, members = _sizes(sizes)
    if members < base:
        return Decimal(0)
    return round_down(_at(ordered, reaching(members, base)))


def reaches_in_engine(sizes: Table, base: int) -> dict[str, Decimal]:
    """Return, by group, a round number that all but `base` rows of a column ``amount`` do not exceed.

    It is raised where one row alone exceeds half of `base` times it: sums in steps of `base` times this
    number then hide every single row.

    Parameters
    ----------
    sizes : Table
        ``group`` and ``amount``.
    base : int
        Smallest group that may be shown.
    """
    rows = sizes.select("group", size=sizes.amount.abs().cast("decimal(38, 9)"))
    ordered = ibis.window(group_by="group", order_by=ibis.desc("size"))
    top = rows.mutate(place=ibis.row_number().over(ordered)).filter(lambda ranked: ranked.place < base)
    found: dict[str, list[Decimal]] = {}
    for row in top.select("group", "size").to_pyarrow().to_pylist():
        found.setdefault(row["group"], []).append(row["size"])
    return {group: _reach(sorted(top), base) for group, top in sorted(found.items())}


def _reach(top: list[Decimal], base: int) -> Decimal:
    """Return the reach of the `base` largest sizes, given in rising order."""
    return round_number(max(top[0], 2 * top[-1] / base, Decimal(1)))


def _sizes(table: Table) -> tuple[Table, int]:
    sizes = table.select(size=table.amount.abs()).filter(lambda rows: rows["size"] > 0)
    return sizes.order_by(ibis.desc("size")), int(sizes.count().to_pyarrow().as_py())


def _at(ordered: Table, place: int) -> Decimal:
    """Return the n-th largest size, counted from 1."""
    return Decimal(str(ordered.limit(1, offset=place - 1).to_pyarrow().to_pylist()[0]["size"]))


def trial_caps(tidy: Tidy, params: Mapping[str, Any], base: int) -> dict[str, Decimal]:
    """Return the cap of every outcome of a trial that is an amount, and of what was so before assignment."""
    tables = amounts(tidy, params) | before(tidy, params)
    return {name: cap_in_engine(table, base) for name, table in tables.items()}


def portfolio_caps(tidy: Tidy, params: Mapping[str, Any], base: int) -> dict[str, Decimal]:
    """Return the cap of every outcome of all trials that is an amount; a member in several counts once."""
    return {name: cap_in_engine(table, base) for name, table in amounts_of_trials(tidy, params).items()}


def board_caps(tidy: Tidy, params: Mapping[str, Any], base: int) -> dict[str, Decimal]:
    """Return the cap of the net value of members of trials, where there are trials."""
    if "assignments" not in tidy.tables:
        return {}
    return {name: cap for name, cap in portfolio_caps(tidy, params, base).items() if name == "net_value"}


def portrait_caps(tidy: Tidy, params: Mapping[str, Any], base: int) -> dict[str, Decimal]:  # noqa: ARG001 (one shape)
    """Return how much one member can have in each count of things and each sum of the portrait.

    Where a sum stands beside groups of its own (kinds of events, channels), by ``table.column: group``.
    """
    found: dict[str, Decimal] = {}
    for name, rows in contributions(tidy).items():
        by = next((column for column in ("event", "channel") if column in rows.columns), None)
        grouped = rows.select("amount", group=rows[by] if by else ibis.literal(""))
        for group, reach in reaches_in_engine(grouped, base).items():
            found[f"{name}: {group}" if by else name] = reach
    return found
