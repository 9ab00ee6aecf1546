"""Grouping from joining on is allowed only by what was known at joining."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sojourn.core.errors import ImmortalTimeError, ParameterError
from sojourn.core.schema import CONTRACT, KNOWN_AT_JOINING


def known_at_joining(
    by: str, groupings: Collection[str], known_later: Mapping[str, str] | None = None
) -> str:
    """Return `by` when members may be grouped by it from joining on.

    Parameters
    ----------
    by : str
        Column, or table and column such as ``spells.plan``.
    groupings : collection of str
        Groupings that can be had.
    known_later : mapping of str to str, optional
        Further columns that are known only later, and why; those of the contract are known here.

    Raises
    ------
    ImmortalTimeError
        When it is known only later: whoever has it must have stayed long enough to get it (STATISTICS 3).
    ParameterError
        When it is no grouping.
    """
    if by in groupings:
        return by
    reasons = {**_known_later(), **(known_later or {})}
    if by in reasons:
        raise ImmortalTimeError(
            f"'{by}' is known only after joining ({reasons[by]}): grouping by it from joining on would "
            "credit members with the time they had to stay to get there. "
            f"Group by {' or '.join(sorted(groupings))}."
        )
    if by in KNOWN_AT_JOINING:
        raise ParameterError(
            f"'{by}' is known at joining but not in these cells, which have {', '.join(sorted(groupings))}. "
            "Add it to `cells.groups` of the study."
        )
    raise ParameterError.unknown(by, "the groupings known at joining", groupings)


def _known_later() -> dict[str, str]:
    """Return the contract's columns that are known only later, with and without their table's name."""
    later = [
        (table.name, column)
        for table in CONTRACT.values()
        for column in table.columns
        if column.known == "later" or (table.name != "members" and column.type == "category")
    ]
    reasons = {f"{table}.{column.name}": f"column of `{table}`" for table, column in later}
    bare = {c.name: f"column of `{t}`" for t, c in later if c.name not in KNOWN_AT_JOINING}
    return {**bare, **reasons}
