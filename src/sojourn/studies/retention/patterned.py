"""Cells pattern x day of the table `patterns`, with the design of their covariates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.text import count, percent
from sojourn.estimators.survival.design import Design, PatternCells, design

Counts = NDArray[np.int64]

#: Share of members that must remain in protected cells for a model to be about all of them.
LEAST_KEPT = 0.8
_COUNTS = ("day", "entered", "churned", "censored")


@dataclass(frozen=True, slots=True)
class Patterned:
    """Members by pattern of what was known at joining.

    Attributes
    ----------
    frame : DataFrame of text, one row per pattern
        One column per covariate.
    counts : PatternCells
        By pattern (row of `frame`) and day.
    joined : array of int, one entry per pattern
        Members seen from joining on.
    design : Design
        Coding of `frame`.
    """

    frame: pd.DataFrame
    counts: PatternCells
    joined: Counts
    design: Design

    @property
    def names(self) -> list[str]:
        """What the terms of the design are called in an error."""
        return [f"{column.replace('_', ' ')} {level}" for column, level in self.design.terms]


def patterned(
    cells: Cells, *, min_group: int, least_gone: int = 1, known: Literal["now", "then"] = "now"
) -> Patterned:
    """Return the cells of regression.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    min_group, least_gone : int
        Levels with fewer members, or fewer leavers, are merged.
    known : str
        ``now``, or ``then``: as it was known ``exam_days`` before `as_of`.

    Raises
    ------
    UndefinedError
        When there are no such cells, and why.
    """
    rows = _rows(cells)
    rows = rows[rows["known"] == known]
    names = [name for name in rows.columns if name not in ("known", *_COUNTS)]
    if not names:
        raise UndefinedError("Nothing is known of members at joining by which they could be compared.")
    if rows["churned"].sum() == 0:
        raise UndefinedError("Nobody has left yet.")
    frame, pattern = _patterns(rows[names])
    counts = PatternCells(pattern, *(rows[name].to_numpy(dtype=np.int64) for name in _COUNTS))
    size = {"minlength": len(frame)}
    members = np.bincount(pattern, counts.entered, **size).astype(np.int64)
    gone = np.bincount(pattern, counts.churned, **size).astype(np.int64)
    joined = np.bincount(pattern, counts.entered * (counts.day == 0), **size).astype(np.int64)
    coding = design(frame, members, gone, min_group=min_group, least_gone=least_gone)
    if not coding.terms:
        raise UndefinedError("All columns have one group only that is large enough, so nothing is compared.")
    return Patterned(frame, counts, joined, coding)


def _rows(cells: Cells) -> pd.DataFrame:
    """Return the table ``patterns`` where a model may rest on it."""
    found, kept = cells.meta.get("patterns"), cells.meta.get("patterns_kept", 1.0)
    if "patterns" not in cells.tables:
        raise UndefinedError("The data do not say which members share what was known at joining.")
    if found:
        raise UndefinedError(
            f"There are {count(found['found'])} combinations of what is known at joining, more than the "
            f"{count(found['limit'])} that a model takes."
        )
    if kept < LEAST_KEPT:
        raise UndefinedError(
            f"Only {percent(kept, 0)} of members share all that is known of them with enough others to count."
        )
    return cells.tables["patterns"]


def _patterns(rows: pd.DataFrame) -> tuple[pd.DataFrame, Counts]:
    """Return distinct rows, in the order of their text, and the place of each row among them."""
    found = {name: pd.factorize(rows[name], sort=True) for name in rows.columns}
    place = np.zeros(len(rows), dtype=np.int64)
    for codes, levels in found.values():
        place = place * len(levels) + codes
    _, first, pattern = np.unique(place, return_index=True, return_inverse=True)
    frame = pd.DataFrame({name: levels[codes[first]] for name, (codes, levels) in found.items()})
    return frame, np.asarray(pattern, dtype=np.int64)
