"""What a rule on whole tables is given, and how it says what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sojourn.core.legible import short_name
from sojourn.data.checked import Checked
from sojourn.data.checks.categories import Name
from sojourn.data.checks.finding import Finding
from sojourn.data.checks.tallies import Tallies
from sojourn.data.localtime import Clock
from sojourn.data.rules import Level
from sojourn.data.settings import Settings

#: How many examples a finding shows; none of names of a private case.
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """One table, and what was counted of it.

    Attributes
    ----------
    checked : Checked
        The table.
    tallies : Tallies
        What was counted of its tidy rows.
    settings, clock : Settings, Clock
        Of the case.
    copies : int
        Exact copies of rows that were met.
    """

    checked: Checked
    tallies: Tallies
    settings: Settings
    clock: Clock
    copies: int

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.checked.contract.name

    @property
    def time(self) -> str:
        """Its instant."""
        return self.checked.contract.time

    @property
    def kept(self) -> int:
        """Tidy rows."""
        return sum(self.rows_by_day.values())

    @property
    def rows_by_day(self) -> dict[date, int]:
        """Tidy rows of each local day that has some."""
        return self._by_day("rows")

    @property
    def members_by_day(self) -> dict[date, int]:
        """Members with rows on each local day."""
        return self._by_day("members")

    def _by_day(self, column: str) -> dict[date, int]:
        days = self.tallies.days
        return dict(zip(days["day"].to_pylist(), days[column].to_pylist(), strict=True))

    def warning(self, column: str, finding: str, hint: str, concerned: int) -> Finding:
        """Return a warning of the table."""
        return self.finding("warning", column, finding, hint, concerned)

    def note(self, column: str, finding: str, hint: str, concerned: int) -> Finding:
        """Return a note of the table."""
        return self.finding("note", column, finding, hint, concerned)

    def finding(self, level: Level, column: str, finding: str, hint: str, concerned: int) -> Finding:
        """Return a finding of the table."""
        return Finding(self.name, column, level, finding, hint, self.checked.counts.rows, concerned)

    def named(self, names: Sequence[Name]) -> str:
        """Return examples of names in brackets, most common first; none of a private case."""
        if self.settings.private:
            return ""
        shown = sorted(names, key=lambda name: (-name.rows, name.text))[:EXAMPLES]
        more = ", …" if len(names) > EXAMPLES else ""
        return f" ({', '.join(f"'{short_name(name.text)}'" for name in shown)}{more})"
