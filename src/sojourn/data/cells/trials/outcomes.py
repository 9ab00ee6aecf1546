"""Outcomes of matured members by scheme, stratum and month of assignment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.cells.trials.decimals import SQUARE, SUM, WIDE, count, cut, product, total
from sojourn.data.cells.trials.doings import asks_who_is_there, has_amounts, members_of, net_value
from sojourn.data.cells.trials.people import aim_of, matured
from sojourn.data.tidy import Tidy

GROUP = ("scheme", "stratum", "period")
_BY = ("outcome", *GROUP)


def outcome_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``binary``, ``value`` (where events carry amounts) and ``split``."""
    rows = members_of(tidy, params)
    made = {"binary": _binary(tidy, params), "split": _split(rows)}
    return made | ({"value": _value(rows, params)} if has_amounts(tidy) else {})


def covariate_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``covariate``: outcomes beside the same member's doings before assignment."""
    if "events" not in tidy.tables:
        return {}
    caps = params.get("caps", {})
    parts = [
        _crossed(rows, name, k, cut(rows.active_before, caps.get("active_days_before")))
        for name, rows, k in binary_outcomes(tidy, params)
    ]
    if has_amounts(tidy):
        rows = _followed(members_of(tidy, params))
        parts += [
            _crossed(rows, name, cut(amount, caps.get(name)), cut(rows.paid_before, caps.get("paid_before")))
            for name, amount in value_outcomes(rows, params).items()
        ]
    return {"covariate": reduce(Table.union, parts)}


def binary_outcomes(tidy: Tidy, params: Mapping[str, Any]) -> list[tuple[str, Table, Value]]:
    """Return name, members who can be judged, and 1 or 0 for each of them; without those that all have."""
    rows, aim = members_of(tidy, params), aim_of(tidy, params)
    found = []
    for days in map(int, params["horizons"]) if asks_who_is_there(tidy, params) else ():
        judged = rows.filter(matured(rows, tidy, days))
        found.append((f"{aim}_at_{days}", judged, judged[f"there_{days}"]))
    judged = _followed(rows)
    if has_amounts(tidy):
        found.append(("converted", judged, (judged.paid > 0).cast("int32").cast("int64")))
    if "messages" in tidy.tables:
        found.append(("opted_out", judged, judged.opted_out))
    return found


def value_outcomes(rows: Table, params: Mapping[str, Any]) -> dict[str, Value]:
    """Return amounts by outcome."""
    return {"revenue": rows.revenue, "net_value": net_value(rows, params)}


def amounts(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return one row per matured member with its `amount`, by outcome; none where events carry no amounts."""
    if not has_amounts(tidy):
        return {}
    rows = _followed(members_of(tidy, params))
    return {name: rows.select(amount=amount) for name, amount in value_outcomes(rows, params).items()}


def _followed(rows: Table) -> Table:
    return rows.filter(rows.is_matured == 1)


def _split(rows: Table) -> Table:
    return rows.group_by("scheme", "period").aggregate(assigned=rows.count(), matured=count(rows.is_matured))


def _binary(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    parts = []
    for name, rows, k in binary_outcomes(tidy, params):
        judged = rows.select(*GROUP, k=k).mutate(outcome=ibis.literal(name))
        parts.append(judged.group_by(*_BY).aggregate(n=judged.count(), k=count(judged.k)))
    return reduce(Table.union, parts)


def _value(rows: Table, params: Mapping[str, Any]) -> Table:
    followed, caps = _followed(rows), params.get("caps", {})
    amounts_of = value_outcomes(followed, params)
    found = (_sums(followed, name, cut(amount, caps.get(name))) for name, amount in amounts_of.items())
    return reduce(Table.union, found)


def _sums(rows: Table, outcome: str, amount: Value) -> Table:
    rows = rows.select(*GROUP, amount=amount).mutate(outcome=ibis.literal(outcome))
    square = (rows.amount.cast(WIDE) * rows.amount).cast(SQUARE)
    rows = rows.mutate(square=square.cast(SUM), cube=(square * rows.amount).cast(SUM))
    return rows.group_by(*_BY).aggregate(
        n=rows.count(), total=total(rows.amount), total_sq=total(rows.square), total_cube=total(rows.cube)
    )


def _crossed(rows: Table, outcome: str, late: Value, before: Value) -> Table:
    """Return sums of an outcome, of what came before, and of their product; ``new``: nothing could come."""
    rows = rows.select(*GROUP, new=(rows.tenure < 1).cast("int32"), late=late, before=before)
    rows = rows.mutate(outcome=ibis.literal(outcome))
    return rows.group_by(*_BY).aggregate(
        n=rows.count(),
        new=count(rows.new),
        total=total(rows.late),
        total_sq=total(product(rows.late, rows.late)),
        before=total(rows.before),
        before_sq=total(product(rows.before, rows.before)),
        cross=total(product(rows.late, rows.before)),
    )
