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
    def no_such(
        cls, noun: str, name: str, known: Iterable[str], *, where: str = " in params.yaml"
    ) -> ParameterError:
        """Say that there is nothing (a case, a study) of that name, with the nearest one there is."""
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known) or 'none'}."
        return cls(f"There is no {noun} '{name}'{where}. {hint}")

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
        *,
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
        alike = {name.casefold(): name for name in present}
        near = [alike[name] for name in difflib.get_close_matches(column.casefold(), alike, n=1)]
        hint = f"Did you mean '{near[0]}'?" if near else "Rename it in the case's `prepare.columns`."
        found = ", ".join(sorted(present))
        return cls(f"{table}.{column}: the column is missing from all rows; found {found}. {hint}")

    @classmethod
    def wrong_type(cls, table: str, column: str, found: str, expected: str, rows: int) -> DataError:
        """Name a column whose values cannot be read as what the contract says."""
        return cls(
            f"{table}.{column}: wrong type in all {rows:,} rows: found {found}, expected {expected}. "
            "Write the column as the contract in data/README.md says."
        )

    @classmethod
    def no_file(cls, table: str, path: object, case: str) -> DataError:
        """Name a file that is not there."""
        where = f"cases.{case}.prepare.tables.{table}"
        return cls(f"{table}: there is no file {path}. Correct {where}, or add the file.")

    @classmethod
    def no_rows(cls, table: str, path: object) -> DataError:
        """Name a table without rows."""
        return cls(f"{table}: {path} has no rows. Fill it, or take the table out of the case.")

    @classmethod
    def unreadable(
        cls, table: str, path: object, why: str, hint: str = "Write it as CSV in UTF-8 or as Parquet."
    ) -> DataError:
        """Name a file that cannot be read as what it is stated to be."""
        return cls(f"{table}: {path} cannot be read ({why}). {hint}")


class UndefinedError(SojournError):
    """The answer asked for is not defined by the data, so no number is given."""


class ImmortalTimeError(SojournError):
    """A grouping that is known only later was used from joining on (STATISTICS 3)."""


class ConvergenceError(SojournError):
    """A sampler did not converge; says by which diagnostic and what to try."""
