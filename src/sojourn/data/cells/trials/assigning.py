"""How members came to their schemes: arrivals, traits, balance, faults, overlaps, clusters, exposure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import combinations_with_replacement
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.data.cells.retention.days import DAY, number
from sojourn.data.cells.trials.decimals import AMOUNT, SUM, count, cut, large_product, product, total
from sojourn.data.cells.trials.doings import asks_who_is_there, books_schemes, has_amounts, members_of
from sojourn.data.cells.trials.outcomes import GROUP, binary_outcomes, value_outcomes
from sojourn.data.cells.trials.people import (
    BACK,
    STUDY,
    TRAITS,
    aim_of,
    end,
    enrolled,
    first_assignments,
    matured,
)
from sojourn.data.localtime import clock_of
from sojourn.data.tidy import Tidy

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def assigning_tables(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return ``arrivals``, ``traits``, ``balance``, ``balance_pairs``, ``faults`` and what the case allows.

    That is ``exposed`` (where something of a scheme can be booked), ``overlap`` (where there are other
    trials) and ``clusters`` (where they are known).
    """
    rows = members_of(tidy, params)
    found = {
        "arrivals": _arrivals(rows),
        "traits": _traits(rows, tidy),
        **_balance(rows, tidy, params.get("caps", {})),
        "faults": _faults(rows, tidy, params),
        "missing": _missing(rows, tidy, params),
        "overlap": _overlap(rows, tidy, params),
    }
    if books_schemes(tidy):
        found["exposed"] = _exposed(tidy, params)
    if int(rows.cluster.count().to_pyarrow().as_py()):
        found["clusters"] = _clusters(tidy, params)
    return found


def _arrivals(rows: Table) -> Table:
    """Return members by whole days since the first assignment of the trial."""
    first = rows.aggregate(first=rows.began.min())
    since = rows.cross_join(first)
    since = since.mutate(day=((since.began - since["first"]) // DAY).cast("int64"))
    return since.group_by("day", "scheme").aggregate(assigned=since.count())


def traits_of(tidy: Tidy) -> list[str]:
    """Return the columns of `members` that the case brought."""
    brought = tidy.meta.get("present", {}).get("members", TRAITS)
    there = tidy.table("members", STUDY).columns
    return [name for name in TRAITS if name in brought and name in there]


def _traits(rows: Table, tidy: Tidy) -> Table:
    weekday = clock_of(tidy.meta).day(rows.assigned_at).day_of_week.index()
    named = ibis.cases(*((weekday == place, name) for place, name in enumerate(_WEEKDAYS)), else_="unknown")
    levels = {name: rows[name].fill_null("unknown") for name in traits_of(tidy)}
    levels |= {"weekday of assignment": named}
    parts = [
        rows.select("scheme", level=level).mutate(column=ibis.literal(name)) for name, level in levels.items()
    ]
    every = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return every.group_by("column", "level", "scheme").aggregate(assigned=every.count())


def before(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return one row per member with its `amount`, by what was so before assignment."""
    rows = members_of(tidy, params)
    return {name: rows.select(amount=value.cast(AMOUNT)) for name, value in _before(rows, tidy).items()}


def _before(rows: Table, tidy: Tidy) -> dict[str, Value]:
    known = {"tenure_days": rows.tenure}
    if "events" in tidy.tables:
        known["active_days_before"] = rows.active_before
    if has_amounts(tidy):
        known["paid_before"] = rows.paid_before
    return known


def _balance(rows: Table, tidy: Tidy, caps: Mapping[str, Decimal]) -> dict[str, Table]:
    """Return sums of what was so before assignment, and of products of two of them."""
    known = {name: cut(value, caps.get(name)) for name, value in _before(rows, tidy).items()}
    alone = [
        rows.select("scheme", before=before.cast(SUM), sq=product(before, before)).mutate(
            covariate=ibis.literal(name)
        )
        for name, before in known.items()
    ]
    pairs = [
        rows.select("scheme", cross=product(known[one], known[other])).mutate(
            one=ibis.literal(one), other=ibis.literal(other)
        )
        for one, other in combinations_with_replacement(known, 2)
        if one != other
    ]
    sums = ibis.union(*alone) if len(alone) > 1 else alone[0]
    made = {
        "balance": sums.group_by("covariate", "scheme").aggregate(
            n=sums.count(), total=total(sums.before), total_sq=total(sums.sq)
        )
    }
    if pairs:
        crosses = ibis.union(*pairs) if len(pairs) > 1 else pairs[0]
        made["balance_pairs"] = crosses.group_by("one", "other", "scheme").aggregate(
            total=total(crosses.cross)
        )
    return made


def _faults(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return how many members of each scheme are no clean members of the trial."""
    listed = first_assignments(tidy)
    listed = listed.filter(listed.trial == params["trial"])
    known = enrolled(tidy, params)
    known = known.filter(known.trial == params["trial"])
    strangers = listed.anti_join(tidy.table("members", STUDY), "member")
    other_state = "still_with_us" if aim_of(tidy, params) == BACK else "left_before"
    found = {
        "two_schemes": listed.filter(listed.schemes > 1),
        "before_assignment": rows.filter(rows.cost_before == 1),
        other_state: known.filter(known.takes_part == 0),
        "unknown_member": strangers,
        **_split_units(listed),
    }
    parts = [
        table.select("scheme").mutate(fault=ibis.literal(name), there=ibis.literal(1, "int64"))
        for name, table in found.items()
    ]
    schemes = listed.select("scheme").distinct()
    parts += [
        schemes.mutate(fault=ibis.literal(name), there=ibis.literal(0, "int64")) for name in found
    ]  # a count of none is told as well
    every = ibis.union(*(part.select("fault", "scheme", "there") for part in parts))
    return every.group_by("fault", "scheme").aggregate(members=count(every.there))


def _split_units(listed: Table) -> dict[str, Table]:
    """Return members of units that were to be assigned as a whole and are in several schemes."""
    units = listed.filter(listed.cluster.notnull())
    if not int(units.count().to_pyarrow().as_py()):
        return {}
    schemes = units.group_by("cluster").aggregate(apart=units.scheme.nunique())
    return {"split_unit": units.semi_join(schemes.filter(schemes.apart > 1), "cluster")}


def _missing(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return how many outcomes can be known, of everybody assigned in months that are followed to their end.

    Who may not be analysed (consent withdrawn, forgotten) is in no table but the door's count by month.
    """
    aim, asked = aim_of(tidy, params), {int(days) for days in params["horizons"]}
    outcomes = {f"{aim}_at_{days}": (days, rows[f"there_{days}"]) for days in sorted(asked)}
    if not asks_who_is_there(tidy, params):
        outcomes = {"converted": (int(params["value_days"]), number(rows.paid > 0))}
    parts = [_known(rows.mutate(k=k), tidy, params, outcome, days) for outcome, (days, k) in outcomes.items()]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _known(rows: Table, tidy: Tidy, params: Mapping[str, Any], outcome: str, days: int) -> Table:
    judged = rows.mutate(young=1 - number(matured(rows, tidy, days)))
    months = judged.group_by("scheme", "period").aggregate(
        known=judged.count(), k=count(judged.k), gone=ibis.literal(0, "int64"), young=count(judged.young)
    )
    zero = ibis.literal(0, "int64")
    if "withheld" in tidy.quality:
        gone = tidy.quality["withheld"]
        gone = gone.filter(gone.trial == params["trial"])
        months = months.union(
            gone.select("scheme", "period", known=zero, k=zero, gone=gone.members.cast("int64"), young=zero)
        )
    young = months.group_by("period").aggregate(too_young=count(months.young))
    whole = months.inner_join(young.filter(young.too_young == 0), "period")
    sums = whole.group_by("scheme").aggregate(
        assigned=count(whole.known + whole.gone), known=count(whole.known), k=count(whole.k)
    )
    return sums.select(outcome=ibis.literal(outcome), **{name: sums[name] for name in sums.columns})


def _exposed(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    parts = []
    for name, rows, k in binary_outcomes(tidy, params):
        seen = ibis.ifelse(rows.exposed == 1, "yes", "no")
        parts.append(rows.select(*GROUP, exposed=seen, outcome=ibis.literal(name), k=k))
    every = ibis.union(*parts)
    keys = (*GROUP, "exposed", "outcome")
    return every.group_by(*keys).aggregate(n=every.count(), k=count(every.k))


def _overlap(rows: Table, tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return members who were, before the last horizon, in another trial, and how many were kept, or back."""
    days = max(int(days) for days in params["horizons"])
    others = first_assignments(tidy)
    others = others.filter(others.trial != params["trial"])
    others = others.select("trial", "member", other_scheme="scheme", other_at="assigned_at")
    judged = rows.filter(matured(rows, tidy, days))
    judged = judged.select("member", "scheme", "assigned_at", k=judged[f"there_{days}"])
    both = judged.inner_join(others, "member")
    both = both.filter(both.other_at < end(both, days))
    return both.group_by("trial", "other_scheme", "scheme").aggregate(n=both.count(), k=count(both.k))


def _clusters(tidy: Tidy, params: Mapping[str, Any]) -> Table:
    """Return sums over what was assigned together of its size, its total, their squares and product."""
    parts = [_by_cluster(rows, name, k) for name, rows, k in binary_outcomes(tidy, params)]
    if has_amounts(tidy):
        rows = members_of(tidy, params)
        rows = rows.filter(rows.is_matured == 1)
        parts += [_by_cluster(rows, name, value) for name, value in value_outcomes(rows, params).items()]
    return ibis.union(*parts)


def _by_cluster(rows: Table, outcome: str, value: Value) -> Table:
    rows = rows.filter(rows.cluster.notnull())
    rows = rows.select("scheme", "cluster", value=value)
    each = rows.group_by("scheme", "cluster").aggregate(size=rows.count(), value=total(rows["value"]))
    sums = each.mutate(
        outcome=ibis.literal(outcome),
        size_sq=each["size"] * each["size"],
        value_sq=large_product(each["value"], each["value"]),
        cross=large_product(each["value"], each["size"]),
    )
    return sums.group_by("outcome", "scheme").aggregate(
        clusters=sums.count(),
        n=count(sums["size"]),
        n_sq=count(sums.size_sq),
        total=total(sums["value"]),
        total_sq=total(sums.value_sq),
        cross=total(sums.cross),
    )
