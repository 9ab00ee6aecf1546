"""Money of matured members: payments by size, refunds, and amounts for each of something."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.cells.trials.decimals import (
    AMOUNT,
    count,
    decimal,
    logarithm,
    product,
    squared_logarithm,
    total,
)
from sojourn.data.cells.trials.doings import has_amounts, members_of
from sojourn.data.cells.trials.outcomes import GROUP
from sojourn.data.tidy import Tidy

_TENTHS = ("1", "1.25", "1.6", "2", "2.5", "3.15", "4", "5", "6.3", "8")
#: Lower bounds of the bins of payments: ten a decade, from a tenth to 100,000.
BOUNDS = (
    Decimal(0),
    *(Decimal(step).scaleb(power) for power in range(-1, 5) for step in _TENTHS),
    Decimal(10**5),
)


def spending_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``spend`` and ``ratio``, where events carry amounts."""
    if not has_amounts(tidy):
        return {}
    rows = members_of(tidy, params)
    followed = rows.filter(rows.is_matured == 1)
    return {"spend": _spend(followed), "ratio": _ratio(followed)}


def bin_of(paid: Value) -> Value:
    """Return 0 for nothing, and b from ``BOUNDS[b - 1]`` up to ``BOUNDS[b]``."""
    below = [(paid < ibis.literal(bound, AMOUNT), place) for place, bound in enumerate(BOUNDS) if place]
    return ibis.cases((paid <= decimal(0), 0), *below, else_=len(BOUNDS)).cast("int64")


def _spend(rows: Table) -> Table:
    pays = rows.paid > 0
    log = logarithm(ibis.ifelse(pays, rows.paid, decimal(1)))
    rows = rows.mutate(bin=bin_of(rows.paid), log=log, back=(rows.refunded > 0).cast("int32"))
    return rows.group_by(*GROUP, "bin").aggregate(
        n=rows.count(),
        paid=total(rows.paid),
        paid_sq=total(product(rows.paid, rows.paid)),
        logs=total(rows.log),
        logs_sq=total(squared_logarithm(rows.log)),
        refunded_n=count(rows.back),
        refunded=total(rows.refunded),
        refunded_sq=total(product(rows.refunded, rows.refunded)),
        net=total(rows.revenue),
        net_sq=total(product(rows.revenue, rows.revenue)),
    )


def _ratio(rows: Table) -> Table:
    parts = {
        "revenue_per_active_day": (rows.revenue, rows.active),
        "events_per_active_day": (rows.events, rows.active),
    }
    return ibis.union(*(_quotient(rows, name, top, bottom) for name, (top, bottom) in parts.items()))


def _quotient(rows: Table, name: str, top: Value, bottom: Value) -> Table:
    rows = rows.select(*GROUP, top=top.cast(AMOUNT), bottom=bottom.cast(AMOUNT), outcome=ibis.literal(name))
    return rows.group_by("outcome", *GROUP).aggregate(
        n=rows.count(),
        top=total(rows.top),
        bottom=total(rows.bottom),
        top_sq=total(product(rows.top, rows.top)),
        bottom_sq=total(product(rows.bottom, rows.bottom)),
        cross=total(product(rows.top, rows.bottom)),
    )
