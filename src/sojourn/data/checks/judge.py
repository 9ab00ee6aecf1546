"""All findings of a table: its broken rules, and those on the whole of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sojourn.data.checks import of_days, of_rows, of_values
from sojourn.data.checks.finding import Finding, of_rules
from sojourn.data.checks.judged import Judged

#: All rules on whole tables, in the order in which they are listed.
RULES: tuple[Callable[[Judged], Iterator[Finding]], ...] = (
    of_rows.copies,
    of_rows.mixed_times,
    of_rows.mostly_missing,
    of_rows.late,
    of_days.reset_clocks,
    of_days.uneven_days,
    of_values.bots,
    of_values.amounts,
    of_values.names,
)


def judge(judged: Judged) -> list[Finding]:
    """Return all findings of one table."""
    return [*of_rules(judged.checked), *(finding for rule in RULES for finding in rule(judged))]
