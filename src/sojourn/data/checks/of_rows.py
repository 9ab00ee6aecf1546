"""Rules on rows: copies, times with and without offset, columns mostly missing, rows that arrive late."""

from __future__ import annotations

from collections.abc import Iterator

from ibis import Table

from sojourn.core.text import plural
from sojourn.data.checks import ids
from sojourn.data.checks.finding import Finding
from sojourn.data.checks.judged import Judged
from sojourn.data.checks.late import MATTERS, incomplete, later_than
from sojourn.data.rules import WITHOUT_OFFSET, Level

#: A column that is known at joining and misses more than this share of its values is of little use.
MOSTLY = 0.5
#: Tables of movements, of which two may well be equal: two points, two costs at once.
MOVEMENTS = ("ledger", "costs", "revenue")
#: Up to this share of rows, copies are things that did happen twice within the same second.
BY_CHANCE = 1e-4


def same_member(members: Judged, numbers: Table) -> Iterator[Finding]:
    """Say how many members stand under several ids that are one when written alike."""
    doubled = ids.doubled(numbers)
    if doubled:
        what = "a member under several ids, such as 7, 007 and 7.0"
        hint = "They count as members of their own; write ids in one way, or set `ids: whole_numbers`."
        yield members.warning("member_id", what, hint, doubled)


def copies(judged: Judged) -> Iterator[Finding]:
    """Say how many rows are exact copies of others, and what becomes of them."""
    asked = judged.settings.exact_duplicates.get(judged.name)
    odd = judged.name not in MOVEMENTS and judged.copies > BY_CHANCE * judged.kept
    what = "an exact copy of another row"
    hint = {
        None: f"They are kept; say in `exact_duplicates` whether to drop or keep those of {judged.name}.",
        "keep": "They are kept, as `exact_duplicates` says.",
        "drop": "They are left out, as `exact_duplicates` says.",
    }[asked]
    if judged.copies:
        yield judged.finding("warning" if odd and not asked else "note", "", what, hint, judged.copies)


def mixed_times(judged: Judged) -> Iterator[Finding]:
    """Say of times that some state an offset and some do not."""
    checked = judged.checked
    for rule, without in zip(checked.rules, checked.counts.broken, strict=True):
        filled = checked.counts.rows - checked.counts.missing[rule.column]
        if rule.problem == WITHOUT_OFFSET and 0 < without < filled:
            hint = "Two programs wrote them; give all an offset."
            yield judged.warning(rule.column, "without an offset where others have one", hint, without)


def mostly_missing(judged: Judged) -> Iterator[Finding]:
    """Say which columns that could tell members apart from joining on are mostly empty."""
    counts = judged.checked.counts
    for column in judged.checked.contract.columns:
        missing = counts.missing.get(column.name, 0)
        if column.known == "joining" and missing > MOSTLY * counts.rows:
            hint = "Groups by it say little; complete the export, or leave the column out."
            yield judged.warning(column.name, "mostly missing", hint, missing)


def late(judged: Judged) -> Iterator[Finding]:
    """Say how many rows become known days later, and how many of the last days are still to be completed."""
    if judged.tallies.late is None:
        return
    found = {row["days_late"]: row["rows"] for row in judged.tallies.late.to_pylist()}
    concerned = sum(rows for days, rows in found.items() if days >= 1)
    if not concerned:
        return
    shares = [later_than(found, judged.kept, days) for days in (1, 3, 7)]
    what = "known only later: {:.1%} of rows after 1 day, {:.1%} after 3, {:.1%} after 7".format(*shares)
    still = incomplete(found, judged.kept)
    level: Level = "warning" if shares[0] > MATTERS else "note"
    hint = (
        f"Of the last {plural(still, 'day')} before `as_of`, more rows are to come."
        if still
        else ("The last days lack less than 1 % of their rows.")
    )
    yield judged.finding(level, "recorded_at", what, hint, concerned)
