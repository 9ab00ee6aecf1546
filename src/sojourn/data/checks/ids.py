"""Ids that are one and the same once written alike: 7, 007, 7.0 and 1e+06 for 1000000."""

from __future__ import annotations

import ibis
from ibis import Table, Value

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


def explained(orphans: Table, numbers: Table) -> int:
    """Return how many rows without a member would have one if ids were written alike."""
    known = numbers.select(_alike=alike(numbers.member_id)).distinct()
    return int(orphans.semi_join(known, alike(orphans.member_id) == known["_alike"]).count().execute())
