"""Portraits: which channels, plans, ages and regions the members of each segment have, beside everyone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from sojourn.core.cells import Cells
from sojourn.core.results.segments import Features, Floats, Ints, Segmentation
from sojourn.core.results.segments_described import EVERYONE, Portraits
from sojourn.estimators.survival.shares import holm
from sojourn.studies.segments.describe import shown_segments
from sojourn.studies.segments.features import features
from sojourn.studies.segments.shown import Shown

#: A trait with more levels shows the largest ones; the others are put together.
_MOST_LEVELS = 6

#: Levels put together.
OTHER = "other"

#: The chi-squared law holds where this many members of every level are expected in every segment
#: (Cochran 1954, Biometrics 10, 417-451).
LEAST_EXPECTED = 5.0

#: Name and members (of those who judge) of every segment shown.
type Segments = Sequence[tuple[str, NDArray[np.bool_]]]

_TABLE = ["trait", "level", "segment", "n", "share", "share_low", "share_high", "apart"]
_TRAITS = ["trait", "n", "cramers_v", "p_value", "tells"]


def portraits(source: Cells | Features, found: Segmentation) -> Portraits:
    """Return the mix of channels, plans, ages and regions in each segment, and which of them tell anything.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result; only members that were not used to fit are counted.

    Returns
    -------
    Portraits
        Levels that fewer than `min_group` members have, or of which fewer than five would be expected in some
        segment, are put together as ``other``. Segments in which the trait of fewer than `min_group` is known
        have no shares.

    Notes
    -----
    Pearson's chi-squared test of independence, p-values after Holm over the traits. How much is known:
    Cramer's V without the part that chance adds (Bergsma 2013, J. Korean Stat. Soc. 42, 323-328). A
    level of a segment is `apart` where its adjusted residual (Haberman 1973, Biometrics 29, 205-220) is
    further from 0 than chance would bring any of its trait, by Bonferroni.
    """
    seen = source if isinstance(source, Features) else features(source)
    shown, segments = Shown.of(seen.meta, found.mass), shown_segments(seen, found)
    if not len(seen.traits.columns):
        return _none("Channel, plan, age and region of the members are not recorded.", found.mass)
    judged = seen.traits[~seen.fit]
    each = [_counted(str(name), judged[name], segments, found.min_group) for name in judged.columns]
    told = [one for one in each if one]
    if not told:
        return _none("Too few members have different channels, plans, ages or regions.", found.mass)
    tests = _tests(told, shown)
    clear = {row["trait"] for row in tests.to_dict("records") if row["tells"]}
    rows = [row for one in told for row in one.rows(shown, tells=one.name in clear)]
    return Portraits(pd.DataFrame(rows, columns=_TABLE), tests, found.mass)


@dataclass(frozen=True, slots=True, eq=False)
class _Trait:
    """How many members of each segment have each level of a trait.

    Attributes
    ----------
    name : str
        Of the trait.
    levels, segments : tuple of str
        Rows and columns of `counts`.
    counts : array (levels, segments) of int
        Members judged whose trait is known.
    everyone : array (levels,) of int
        All members judged, those of segments that are not shown included.
    """

    name: str
    levels: tuple[str, ...]
    segments: tuple[str, ...]
    counts: Ints
    everyone: Ints

    @property
    def expected(self) -> Floats:
        """Members of each level in each segment, if level and segment knew nothing of each other."""
        return np.outer(self.counts.sum(axis=1), self.counts.sum(axis=0)) / self.counts.sum()

    @property
    def statistic(self) -> float:
        """Pearson's chi-squared."""
        return float(((self.counts - self.expected) ** 2 / self.expected).sum())

    @property
    def p_value(self) -> float:
        """Probability of at least such a statistic, if level and segment knew nothing of each other."""
        return float(chi2.sf(self.statistic, (len(self.levels) - 1) * (len(self.segments) - 1)))

    @property
    def cramers_v(self) -> float:
        """Cramer's V without the part that chance adds."""
        n, (r, c) = int(self.counts.sum()), self.counts.shape
        by_chance = (r - 1) * (c - 1) / (n - 1)
        smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
        return float(np.sqrt(max(self.statistic / n - by_chance, 0.0) / smaller))

    def apart(self, mass: float) -> Ints:
        """Return 1 and -1 where a segment has more and fewer of a level than chance would bring."""
        n, of_level, of_segment = self.counts.sum(), self.counts.sum(axis=1), self.counts.sum(axis=0)
        spread = np.sqrt(self.expected * np.outer(1 - of_level / n, 1 - of_segment / n))
        residual = (self.counts - self.expected) / spread
        far = np.abs(residual) > norm.isf((1 - mass) / 2 / self.counts.size)
        return np.where(far, np.sign(residual), 0).astype(np.int64)

    def rows(self, shown: Shown, *, tells: bool) -> Iterator[dict[str, Any]]:
        """Yield the rows of `Portraits.table`: level by level, everyone last."""
        together = Shown(shown.base, 1 - (1 - shown.mass) / (self.counts.size + len(self.levels)))
        apart = self.apart(shown.mass) if tells else np.zeros_like(self.counts)
        columns = [*zip(self.segments, self.counts.T, apart.T, strict=True)]
        columns.append((EVERYONE, self.everyone, np.zeros_like(self.everyone)))
        for i, level in enumerate(self.levels):
            for segment, counts, clear in columns:
                share, low, high = together.share(int(counts[i]), int(counts.sum()))
                told = (self.name, level, segment, shown.size(int(counts.sum())), share, low, high)
                yield dict(zip(_TABLE, (*told, int(clear[i])), strict=True))


def _counted(name: str, values: pd.Series[str], segments: Segments, min_group: int) -> _Trait | None:
    """Return a trait as it may be shown; None where fewer than two levels, or segments, are left."""
    known = values.notna().to_numpy()
    inside = {segment: one & known for segment, one in segments if int((one & known).sum()) >= min_group}
    if len(inside) < 2:
        return None
    sizes = values[known].value_counts()
    ordered = [str(level) for level in sorted(sizes.index, key=lambda level: (-sizes[level], level))]
    for kept in range(min(len(ordered), _MOST_LEVELS), 0, -1):
        told = _together(values, ordered[:kept])
        levels = sorted(
            told[known].unique(), key=lambda level: (level == OTHER, *_order(name, level, ordered))
        )
        of = np.array([(told == level).to_numpy() for level in levels])
        counts = np.array([(of & one).sum(axis=1) for one in inside.values()]).T
        trait = _Trait(name, tuple(levels), tuple(inside), counts, (of & known).sum(axis=1))
        if len(levels) >= 2 and trait.everyone.min() >= min_group and trait.expected.min() >= LEAST_EXPECTED:
            return trait
    return None


def _together(values: pd.Series[str], kept: Sequence[str]) -> pd.Series[str]:
    """Return levels with all but those kept as one."""
    return values.where(values.isin(kept), OTHER)


def _order(trait: str, level: str, by_size: Sequence[str]) -> tuple[Any, ...]:
    """Return by what levels are ordered: ages as they rise, all others by size."""
    return (level,) if trait == "age_band" else (by_size.index(level) if level in by_size else 0,)


def _tests(traits: Sequence[_Trait], shown: Shown) -> pd.DataFrame:
    """Return the table `Portraits.traits`, the trait that knows most first."""
    together = holm(np.array([trait.p_value for trait in traits]))
    rows = [
        (
            trait.name,
            shown.size(int(trait.counts.sum())),
            shown.score(trait.cramers_v),
            shown.score(float(p)),
            bool(p < 1 - shown.mass),
        )
        for trait, p in zip(traits, together, strict=True)
    ]
    table = pd.DataFrame(rows, columns=_TRAITS)
    return table.sort_values(
        ["tells", "cramers_v", "trait"], ascending=[False, False, True], ignore_index=True
    )


def _none(why: str, mass: float) -> Portraits:
    return Portraits(pd.DataFrame(columns=_TABLE), pd.DataFrame(columns=_TRAITS), mass, why_empty=why)
