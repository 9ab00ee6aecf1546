"""Patterns of text columns as numbers: levels, the one that others are set against, and what is merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.errors import ParameterError, UndefinedError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: A study has at most so many patterns of covariates (STATISTICS 4).
MOST_PATTERNS = 5_000
#: Where levels with too few members or without a leaver go.
OTHER = "other"
#: A column of the design whose part outside the others is smaller than this share of it says nothing new.
_ALIASED = 1e-9


@dataclass(frozen=True, slots=True)
class PatternCells:
    """Counts by pattern and day; rows may repeat and stand in any order.

    Attributes
    ----------
    pattern : array of int
        Row of the design, from 0.
    day, entered, churned, censored : array of int
        Durations >= 0 and how many entered, left and were censored then. Those who enter at 0 are at risk at
        0, those who enter at ``e`` > 0 from ``e + 1`` on.
    """

    pattern: Counts
    day: Counts
    entered: Counts
    churned: Counts
    censored: Counts

    def until(self, day: int) -> PatternCells:
        """Return the same members, all who are there after `day` censored then."""
        late = self.day > day
        still = self.entered * (self.day <= day) - (self.churned + self.censored) * (self.day <= day)
        left = np.bincount(self.pattern, still, minlength=int(self.pattern.max(initial=-1)) + 1)
        there = np.flatnonzero(left)
        zero = np.zeros(len(there), dtype=np.int64)
        kept = [column[~late] for column in (self.day, self.entered, self.churned, self.censored)]
        more = [np.full(len(there), day), zero, zero, left[there].astype(np.int64)]
        both = [np.concatenate(pair) for pair in zip(kept, more, strict=True)]
        return PatternCells(np.concatenate([self.pattern[~late], there]), *both)


@dataclass(frozen=True, slots=True)
class Design:
    """Treatment coding of patterns: every level is set against the largest one of its column.

    Attributes
    ----------
    columns : tuple of str
        Columns with at least two levels.
    levels : mapping of str to tuple of str
        Levels of every column, the largest (ties: first by name) first.
    merged : mapping of str to tuple of str
        Levels that count as `OTHER`, by column.
    dropped : tuple of str
        Columns left out: one level only.
    aliased : tuple of (str, str)
        Terms left out: they follow from the others in every pattern.
    codes : array of int, patterns x columns
        Place of each pattern's level in `levels`.
    terms : tuple of (str, str)
        Column and level of every column of `matrix`.
    matrix : array of float, patterns x terms
        0 or 1.
    """

    columns: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    merged: Mapping[str, tuple[str, ...]]
    dropped: tuple[str, ...]
    aliased: tuple[tuple[str, str], ...]
    codes: Counts
    terms: tuple[tuple[str, str], ...]
    matrix: Floats

    def terms_of(self, column: str) -> list[int]:
        """Return the places of a column's terms."""
        return [place for place, (of, _) in enumerate(self.terms) if of == column]

    def encode(self, patterns: pd.DataFrame) -> Floats:
        """Return the rows of the design matrix for patterns in text.

        Raises
        ------
        ParameterError
            When a pattern has a level that was not seen.
        """
        return coded({c: self._known(c, patterns[c]) for c in self.columns}, self.terms, len(patterns))

    def _known(self, column: str, values: pd.Series[str]) -> pd.Series[str]:
        merged = values.where(~values.isin(self.merged.get(column, ())), OTHER)
        if unseen := sorted(set(merged) - set(self.levels[column])):
            raise ParameterError.no_such("level of " + column, unseen[0], self.levels[column], where="")
        return merged


def design(
    patterns: pd.DataFrame,
    members: Counts,
    churned: Counts,
    *,
    min_group: int,
    least_gone: int = 1,
    most: int = MOST_PATTERNS,
) -> Design:
    """Return the coding of patterns.

    Parameters
    ----------
    patterns : DataFrame of text, one row per pattern
        One column per covariate.
    members, churned : array of int, one entry per pattern
        How many there are and how many of them left.
    min_group, least_gone : int
        Levels of fewer members, or fewer leavers, are merged into `OTHER`; while that is too small itself, it
        takes in the next smallest level.
    most : int
        Largest number of patterns.

    Raises
    ------
    UndefinedError
        When there are more than `most` patterns.
    """
    if len(patterns) > most:
        raise UndefinedError(
            f"There are {len(patterns):,} patterns of {', '.join(map(str, patterns.columns))}; a model on "
            f"cells takes at most {most:,}. Leave a column out of `groups`, or give it fewer levels."
        )
    names = [str(name) for name in patterns.columns]
    least = {"members": min_group, "churned": least_gone}
    small = {name: _small(patterns[name], members, churned, least) for name in names}
    shown = {name: patterns[name].where(~patterns[name].isin(small[name]), OTHER) for name in names}
    levels = {name: _by_size(shown[name], members) for name in names}
    used = [name for name in names if len(levels[name]) > 1]
    terms = tuple((name, level) for name in used for level in levels[name][1:])
    matrix = coded(shown, terms, len(patterns))
    free = _independent(matrix, members)
    return Design(
        columns=tuple(used),
        levels={name: levels[name] for name in used},
        merged={name: small[name] for name in used if small[name]},
        dropped=tuple(name for name in names if name not in used),
        aliased=tuple(term for term, keeps in zip(terms, free, strict=True) if not keeps),
        codes=_codes(shown, levels, used),
        terms=tuple(term for term, keeps in zip(terms, free, strict=True) if keeps),
        matrix=matrix[:, free],
    )


def coded(values: Mapping[str, pd.Series[str]], terms: Sequence[tuple[str, str]], rows: int) -> Floats:
    """Return 1 where a pattern has the level of the term, else 0."""
    matrix = np.zeros((rows, len(terms)))
    for place, (name, level) in enumerate(terms):
        matrix[:, place] = (values[name] == level).to_numpy()
    return matrix


def _codes(
    values: Mapping[str, pd.Series[str]], levels: Mapping[str, Sequence[str]], used: Sequence[str]
) -> Counts:
    codes = np.zeros((len(next(iter(values.values()), [])), len(used)), dtype=np.int64)
    for place, name in enumerate(used):
        codes[:, place] = pd.Index(levels[name]).get_indexer(pd.Index(values[name]))
    return codes


def _by_size(values: pd.Series[str], members: Counts) -> tuple[str, ...]:
    sizes = pd.Series(members).groupby(values.to_numpy()).sum()
    return tuple(sorted(map(str, sizes.index), key=lambda level: (-sizes[level], level)))


def _small(
    values: pd.Series[str], members: Counts, churned: Counts, least: Mapping[str, int]
) -> tuple[str, ...]:
    """Return the levels that go into `OTHER`: too small ones, and as many more as that needs to be shown."""
    counts = pd.DataFrame({"members": members, "churned": churned}).groupby(values.to_numpy()).sum()
    enough = (counts >= pd.Series(least)).all(axis=1)
    small = [str(level) for level in counts.index[~enough]]
    rest = sorted(counts.index[enough], key=lambda level: (counts["members"][level], level))
    while small and rest and not _shown(counts, [*small, *({OTHER} & set(rest))], least):
        small.append(str(rest.pop(0)))
    return tuple(sorted(small))


def _shown(counts: pd.DataFrame, together: list[str], least: Mapping[str, int]) -> bool:
    return bool((counts.loc[together].sum() >= pd.Series(least)).all())


def _independent(matrix: Floats, members: Counts) -> NDArray[np.bool_]:
    """Return which terms do not follow from the constant and the terms before them."""
    weighted = np.sqrt(np.asarray(members, dtype=np.float64))[:, None]
    basis = [np.ravel(weighted / (np.linalg.norm(weighted) or 1.0))]
    kept = np.zeros(matrix.shape[1], dtype=bool)
    for place, column in enumerate((matrix * weighted).T):
        size, rest = np.linalg.norm(column), column.copy()
        for direction in basis * 2:  # twice: once leaves rounding behind
            rest -= direction * (direction @ rest)
        kept[place] = np.linalg.norm(rest) > _ALIASED**0.5 * size
        if kept[place]:
            basis.append(rest / np.linalg.norm(rest))
    return kept
