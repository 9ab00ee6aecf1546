"""Errors a user may see: one clear sentence, what was given, what is allowed, a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class SojournError(Exception):
    """Any error that sojourn raises on purpose; the command line prints its text and no traceback."""


class ParameterError(SojournError):
    """A parameter is unknown, missing or out of range."""

    @classmethod
    def unknown(cls, name: str, where: str, known: Iterable[str]) -> ParameterError:
        """Name a parameter that does not exist, with the nearest one that does."""
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(known) or 'none'}."
        return cls(f"'{name}' is not a parameter of {where}. {hint}")

    @classmethod
    def missing(cls, name: str, where: str) -> ParameterError:
        """Name a parameter that has to be stated and is not."""
        return cls(f"'{name}' is missing from {where}. Add it to params.yaml.")


class DataError(SojournError):
    """A table breaks the contract: names table, column, number of rows, examples and a hint."""

    @classmethod
    def in_rows(
        cls,
        table: str,
        column: str,
        problem: str,
        bad_rows: int,
        all_rows: int,
        examples: Sequence[object],
        hint: str,
    ) -> DataError:
        """Describe rows that break a rule; at most three examples are shown."""
        shown = ", ".join(str(example) for example in examples[:3])
        shown = f" (for example {shown})" if shown else ""
        return cls(f"{table}.{column}: {problem} in {bad_rows:,} of {all_rows:,} rows{shown}. {hint}")

    @classmethod
    def missing_column(cls, table: str, column: str, present: Iterable[str]) -> DataError:
        """Name a required column that a table does not have, with the nearest one it has."""
        present = list(present)
        near = difflib.get_close_matches(column, present, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Rename it in the case's `prepare.columns`."
        return cls(
            f"{table}.{column}: the column is missing from all rows; found {', '.join(sorted(present))}. {hint}"
        )


class UndefinedError(SojournError):
    """The answer asked for is not defined by the data, so no number is given."""


class ImmortalTimeError(SojournError):
    """A grouping that is known only later was used from joining on (STATISTICS 3)."""


class ConvergenceError(SojournError):
    """A sampler did not converge; says by which diagnostic and what to try."""
