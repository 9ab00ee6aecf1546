"""Tidy tables: columns in the order of the contract, members by number, nothing later than ``as_of``."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
from ibis import Table, Value

from sojourn.core.schema import AGE_BANDS, GENDER_SPELLINGS, GENDERS, Type
from sojourn.core.schema import Table as Contract
from sojourn.data.checked import Checked
from sojourn.data.rules import OLDEST, YOUNGEST, is_expired, is_late
from sojourn.data.settings import Settings

_STORED: dict[Type, str] = {
    "id": "int64",
    "instant": "timestamp('UTC')",
    "category": "string",
    "text": "string",
    "integer": "int64",
    "decimal": "decimal(18, 4)",
    "bool": "boolean",
}


def tidy(checked: Checked, numbers: Table, settings: Settings) -> Table:
    """Return the tidy rows of a checked table, in their final order.

    Parameters
    ----------
    checked : Checked
        The table; `members` without, all others with the column `member`.
    numbers : ibis Table
        ``member_id`` and ``member`` of all members.
    settings : Settings
        Of the case.
    """
    return in_order(tidy_rows(checked, numbers, settings), checked.contract)


def tidy_rows(checked: Checked, numbers: Table, settings: Settings) -> Table:
    """Return the tidy rows of a checked table, in any order."""
    contract, table = checked.contract, checked.table
    if contract.name == "members":
        table = _with_numbers(table, numbers)
    table = table.filter(belongs(table, contract, settings))
    columns = {name: _column(table, contract, name, kind, settings) for name, kind in contract.tidy.items()}
    return table.select(**columns)


def in_order(rows: Table, contract: Contract, *, first: Sequence[str] = ()) -> Table:
    """Return tidy rows in their final order: by member, time and all other columns."""
    ordered = [name for name in ("member", contract.time) if name in contract.tidy]
    rest = [name for name in contract.tidy if name not in ordered]
    return rows.order_by([*first, *ordered, *rest])


def _with_numbers(members: Table, numbers: Table) -> Table:
    own = numbers.select(own_id="member_id", member="member")
    members = members.left_join(own, members.member_id == own.own_id)
    if "referred_by" not in members.columns:
        return members
    other = numbers.select(other_id="member_id", referrer="member")
    return members.left_join(other, members.referred_by == other.other_id)


def belongs(table: Table, contract: Contract, settings: Settings) -> Value:
    """Return whether a row belongs to a member who is kept (or to none), is known and not too old."""
    belongs = ibis.literal(True)
    if "member" in table.columns:
        belongs = table.member.notnull() | table.member_id.isnull()
    for name in (contract.time, "recorded_at"):
        if name in table.columns:
            belongs &= ~is_late(table, name, settings)
    if contract.name != "members":  # of these `number` has kept whom it keeps
        belongs &= ~is_expired(table, contract, settings)
    if settings.observed_from is not None and contract.name == "events":
        belongs &= table[contract.time] >= ibis.literal(settings.observed_from)
    return belongs


def _column(table: Table, contract: Contract, name: str, kind: Type, settings: Settings) -> Value:
    made = _made(table, name)
    if made is not None:
        return made
    if name not in table.columns:
        return ibis.null(_STORED[kind])
    late = [end.column for end in contract.ends if name in (end.column, *end.known_with)]
    if late and late[0] in table.columns:
        return is_late(table, late[0], settings).ifelse(ibis.null(_STORED[kind]), table[name])
    return table[name]


def _made(table: Table, name: str) -> Value | None:
    """Return a column that is made at the door from what came, None for one that passes as it is."""
    if name == "age_band" and "birth_year" in table.columns:
        return _age_band(table)
    if name == "age_band" and name in table.columns:
        return table.age_band.fill_null(AGE_BANDS[-1])
    if name == "gender" and name in table.columns:
        return _gender(table)
    if name == "referred_by" and name in table.columns:
        return table.referrer.nullif(table.member)
    if name == "prospect":
        return ibis.dense_rank().over(ibis.window(order_by=table.prospect_id))
    return None


def _gender(table: Table) -> Value:
    stated = table.gender.strip().lower()
    first, second, other = GENDERS
    return ibis.cases(
        (stated.isin(GENDER_SPELLINGS[first]), first),
        (stated.isin(GENDER_SPELLINGS[second]), second),
        else_=other,
    )


def _age_band(table: Table) -> Value:
    age = table.joined_at.year() - table.birth_year
    return ibis.cases(
        (age.isnull() | (age < YOUNGEST) | (age > OLDEST), AGE_BANDS[5]),
        (age <= 24, AGE_BANDS[0]),
        (age <= 34, AGE_BANDS[1]),
        (age <= 44, AGE_BANDS[2]),
        (age <= 54, AGE_BANDS[3]),
        else_=AGE_BANDS[4],
    )
