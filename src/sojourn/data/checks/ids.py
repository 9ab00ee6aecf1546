"""Ids that are one and the same once written alike: 7, 007, 7.0 and 1e+06 for 1000000."""

from __future__ import annotations

import ibis
from ibis import Table, Value

from sojourn.data.rules import ORPHAN, Rule

_WHOLE, _EXPONENT = r"^0*(\d+)(\.0*)?$", r"^\d+(\.\d+)?[eE]\+?\d+$"


def alike(ids: Value) -> Value:
    """Return ids as whole numbers are written, without blanks around them; other ids as they stand."""
    text = ids.strip()
    large = text.try_cast("float64").try_cast("int64").cast("string")
    whole = ibis.cases((text.re_search(_EXPONENT), large), else_=text)
    return whole.re_replace(_WHOLE, r"\1")


def doubled(numbers: Table) -> int:
    """Return how many members stand under more than one id."""
    groups = numbers.group_by(alike=alike(numbers.member_id)).agg(ids=numbers.member_id.nunique())
    return int(groups.filter(groups.ids > 1).count().execute())


def advice(rule: Rule, table: Table, numbers: Table | None) -> str:
    """Return what to do about a broken rule; of orphans, whether their ids are only written otherwise.

    Parameters
    ----------
    rule : Rule
        The broken one.
    table : ibis Table
        The rows.
    numbers : ibis Table or None
        ``member_id`` of all members.
    """
    if rule.problem != ORPHAN or numbers is None:
        return rule.hint
    orphans = table.filter(rule.broken).select(_alike=alike(table.member_id))
    known = numbers.select(_alike=alike(numbers.member_id)).distinct()
    found = int(orphans.semi_join(known, "_alike").count().execute())
    if not found:
        return rule.hint
    return (
        f"In {found:,} of these rows the id is that of a member, written in another way (7.0 or 007 for 7, "
        f"a blank behind it): write ids in one way, or set `ids: whole_numbers`. {rule.hint}"
    )
