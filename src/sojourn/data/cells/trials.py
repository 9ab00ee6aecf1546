"""Cells of the study `trials`: one member is one row until here, sums by scheme, stratum and month after.

Only members whose follow-up is complete at `as_of` are summed ("matured"); the others are counted in `split`.
Strata are something of `members` that was known before assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.joining import known_at_joining
from sojourn.core.ranges import in_range
from sojourn.core.schema import KNOWN_AT_JOINING
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

_STUDY = "trials"
#: What may be a stratum: known at joining, so before any assignment.
_STRATA = tuple(name for name in KNOWN_AT_JOINING if name != "cohort")
#: Amounts of one member; its cube still fits into 38 digits.
_AMOUNT, _SUM = "decimal(12, 4)", "decimal(38, 9)"
#: DuckDB multiplies decimals of up to 18 digits in 18 digits, whatever comes out: one factor has to be wider.
_WIDE, _SQUARE = "decimal(19, 4)", "decimal(24, 8)"
_BY = ("outcome", "scheme", "stratum", "period")


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables ``binary``, ``value`` (where events carry amounts) and ``split`` as expressions.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case; `members` and `assignments` are needed, `events` and `costs` used where they are.
    params : mapping
        ``trial``, ``horizons`` (days of ``kept_at_``), ``value_days``, ``stratum``, ``margin`` (share of
        revenue), ``cost_per_member`` (by scheme), ``allocation``.

    Raises
    ------
    MissingTableError
        When the case has no assignments.
    ParameterError
        When the stratum is not known at joining or a number is out of range.
    """
    if not params["horizons"]:
        raise ParameterError("'horizons' must name at least one number of days, got none.")
    people = _assigned(tidy, params)
    made = {
        "binary": reduce(Table.union, (_kept(people, tidy, int(days)) for days in params["horizons"])),
        "split": _split(people, tidy, int(params["value_days"])),
    }
    if _has_amounts(tidy):
        made["value"] = _values(people, tidy, params)
    return made


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves, and count what was left out.

    Raises
    ------
    DataError
        When nobody is in the trial, or a scheme has costs that belong to no member.
    """
    _refuse_shared_costs(tidy)
    excluded = int(_joined(tidy, params).filter(~_present).count().execute())
    if not int(_assigned(tidy, params).count().execute()):
        raise DataError(f"assignments.trial: no rows of trial '{params['trial']}' in the case '{tidy.case}'.")
    horizons = [int(days) for days in params["horizons"]]
    return {
        "trial": params["trial"],
        "unit": "member",
        "horizon_days": int(params["value_days"]),
        "allocation": dict(params["allocation"]),
        "historic": False,
        "currency": tidy.meta.get("currency", ""),
        "margin": params["margin"],
        "cost_per_member": dict(params["cost_per_member"]),
        "strata": params["stratum"],
        "left_before_assignment": excluded,
        "words": _words(horizons, int(params["value_days"])),
        **({"truth": tidy.meta["truth"]["trials"]} if "truth" in tidy.meta else {}),
    }


def _words(horizons: Iterable[int], value_days: int) -> dict[str, str]:
    kept = {f"kept_at_{days}": f"are still with us {days} days after assignment" for days in horizons}
    return {
        **kept,
        "revenue": f"revenue per member within {value_days} days",
        "net_value": f"net value per member within {value_days} days",
    }


def _joined(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    stratum = known_at_joining(params["stratum"], _STRATA)
    members = tidy.table("members", _STUDY)
    group: Value = ibis.literal("all") if stratum == "all" else members[stratum].fill_null("unknown")
    columns = members.select("member", "churned_at", stratum=group)
    assignments = tidy.table("assignments", _STUDY)
    return assignments.filter(assignments.trial == params["trial"]).inner_join(columns, "member")


#: A member who had already left is not part of the trial.
_present = ibis._.churned_at.isnull() | (ibis._.churned_at >= ibis._.assigned_at)


def _assigned(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    joined = _joined(tidy, params).filter(_present)
    month = clock_of(tidy.meta).day(joined.assigned_at).cast("string").substr(0, 7)
    return joined.select("member", "scheme", "assigned_at", "churned_at", "stratum", period=month)


def _end(people: Table, days: int) -> Value:
    """Return the instant `days` times 24 hours after assignment."""
    return people.assigned_at + ibis.interval(days=in_range(days, "days", ge=1))


def _matured(people: Table, tidy: Tidy, days: int) -> Value:
    return _end(people, days) <= ibis.literal(datetime.fromisoformat(tidy.meta["as_of"]))


def _split(people: Table, tidy: Tidy, days: int) -> Table:
    matured = people.mutate(is_matured=_matured(people, tidy, days))
    return matured.group_by("scheme", "period").aggregate(
        assigned=ibis._.count(), matured=ibis._.is_matured.cast("int32").cast("int64").sum()
    )


def _kept(people: Table, tidy: Tidy, days: int) -> Table:
    """Return who is still a member at the horizon, of those whose horizon has been reached."""
    still = people.churned_at.isnull() | (people.churned_at >= _end(people, days))
    rows = people.mutate(outcome=ibis.literal(f"kept_at_{days}"), kept=still).filter(
        _matured(people, tidy, days)
    )
    return rows.group_by(*_BY).aggregate(n=ibis._.count(), k=ibis._.kept.cast("int32").cast("int64").sum())


def _has_amounts(tidy: Tidy) -> bool:
    present = tidy.meta.get("present", {}).get("events", ["amount"])
    return "events" in tidy.tables and "amount" in present


def amounts(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return one row per matured member with its `amount`, by outcome; none where events carry no amounts."""
    if not _has_amounts(tidy):
        return {}
    rows = _matured_rows(_assigned(tidy, params), tidy, params)
    return {name: rows.select(amount=amount) for name, amount in _outcomes(rows, params).items()}


def _values(people: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    rows = _matured_rows(people, tidy, params)
    caps = params.get("caps", {})
    found = (
        _sums(rows, name, _cut(amount, caps.get(name))) for name, amount in _outcomes(rows, params).items()
    )
    return reduce(Table.union, found)


def _outcomes(rows: Table, params: Mapping[str, Any]) -> dict[str, Value]:
    return {"revenue": rows.revenue, "net_value": _net_value(rows, params)}


def _cut(amount: Value, cap: Decimal | None) -> Value:
    """Return amounts cut at a cap on both sides, as private cases show them."""
    if cap is None:
        return amount
    high, low = (ibis.literal(bound, _AMOUNT) for bound in (cap, -cap))
    return ibis.greatest(ibis.least(amount, high), low).cast(_AMOUNT)


def _matured_rows(people: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return matured members with what they paid (`revenue`) and what was spent on them (`spent`)."""
    days = int(params["value_days"])
    matured = people.filter(_matured(people, tidy, days)).mutate(until=_end(people, days))
    revenue = _within(matured, tidy.table("events", _STUDY), "occurred_at", "revenue")
    rows = matured.left_join(revenue, "member").drop("member_right")
    if "costs" in tidy.tables:
        costs = tidy.table("costs", _STUDY)
        own = matured.select("member", assigned_scheme="scheme")
        costs = costs.inner_join(own, "member").filter(lambda joined: joined.scheme == joined.assigned_scheme)
        spent = _within(matured, costs, "at", "spent")
        rows = rows.left_join(spent, "member").drop("member_right")
    else:
        rows = rows.mutate(spent=_decimal(0))
    return rows.mutate(
        revenue=rows.revenue.fill_null(_decimal(0)).cast(_AMOUNT),
        spent=rows.spent.fill_null(_decimal(0)).cast(_AMOUNT),
    )


def _within(people: Table, things: Table, at: str, name: str) -> Table:
    """Return the sum of amounts of each member between assignment and the horizon."""
    things = things.filter(things.amount.notnull()).select("member", "amount", thing_at=things[at])
    joined = people.select("member", "assigned_at", "until").inner_join(things, "member")
    joined = joined.filter((joined.thing_at >= joined.assigned_at) & (joined.thing_at < joined.until))
    return joined.group_by("member").aggregate(joined.amount.sum().cast(_AMOUNT).name(name))


def _net_value(rows: Table, params: Mapping[str, Any]) -> Value:
    margin = in_range(params["margin"], "margin", ge=0, le=1)
    earned = (rows.revenue.cast(_WIDE) * ibis.literal(Decimal(str(margin)), "decimal(6, 4)")).cast(_AMOUNT)
    per_member = [(rows.scheme == s, _decimal(cost)) for s, cost in sorted(params["cost_per_member"].items())]
    fixed = ibis.cases(*per_member, else_=_decimal(0)) if per_member else _decimal(0)
    return (earned - rows.spent - fixed).cast(_AMOUNT)


def _decimal(amount: float) -> Value:
    return ibis.literal(Decimal(str(amount)), _AMOUNT)


def _sums(rows: Table, outcome: str, amount: Value) -> Table:
    rows = rows.select("scheme", "stratum", "period", amount=amount).mutate(outcome=ibis.literal(outcome))
    square = (rows.amount.cast(_WIDE) * rows.amount).cast(_SQUARE)
    rows = rows.mutate(square=square.cast(_SUM), cube=(square * rows.amount).cast(_SUM))
    return rows.group_by(*_BY).aggregate(
        n=rows.count(),
        total=rows.amount.cast(_SUM).sum().cast(_SUM),
        total_sq=rows.square.sum().cast(_SUM),
        total_cube=rows.cube.sum().cast(_SUM),
    )


def _refuse_shared_costs(tidy: Tidy) -> None:
    if "costs" not in tidy.tables:
        return
    costs = tidy.table("costs", _STUDY)
    shared = costs.filter(costs.scheme.notnull() & costs.member.isnull())
    bad, rows = int(shared.count().execute()), int(costs.count().execute())
    if bad:
        schemes = shared.select("scheme").distinct().order_by("scheme").limit(3).execute()["scheme"].tolist()
        raise DataError.in_rows(
            "costs",
            "member",
            "a scheme's cost belongs to no member",
            bad_rows=bad,
            all_rows=rows,
            examples=schemes,
            hint="State it per member as `cells.cost_per_member` of the study and leave these rows out.",
        )
