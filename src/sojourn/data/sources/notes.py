"""What is worth saying of how a table was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Note:
    """One finding of a source or a mapping.

    Attributes
    ----------
    column : str
        What it is about, by its name in the contract or in the file; empty for the table.
    level : str
        ``warning`` or ``note``.
    finding, hint : str
        What is odd, and what is done or to be done about it.
    concerned : int or None
        Rows that it concerns; None: all.
    """

    column: str
    level: Literal["warning", "note"]
    finding: str
    hint: str
    concerned: int | None = None
