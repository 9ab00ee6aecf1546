"""A segmentation to take away: a short rule that anybody can run on counts per member.

Two kinds: a shallow **tree** (first this question, then that one) where there are groups, and a **scorecard**
(points for each measure, added up and cut into bands) where segments are ordered. Both compare measures with
bounds of few digits. A measure below its bound goes one way, one on or above it the other; so do points. A
member whose counts are not all known, or who was observed for too short a time, has no segment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.interval import Interval
from sojourn.core.measures import Counting, Floats, Measure
from sojourn.core.results.check import Verdict
from sojourn.core.results.trial_plan import fingerprint_of

Ints = NDArray[np.int64]

#: Version of the file in which a rule is handed out.
FORMAT = 1

#: The number of a member who has no segment: observed for too short a time, or a count is not known.
NO_SEGMENT = -1

#: Larger counts are refused: sums and products of them would leave 64 bits.
LARGEST = 10**12

#: Share in the same segment (lower bound) and kappa from which a rule passes, and below which it fails.
FAITHFUL, UNFAITHFUL = (0.80, 0.60), (0.60, 0.40)

#: A segment is lost if fewer than this share of its members are found, or of those called so belong to it.
LOST = 0.5


@dataclass(frozen=True, slots=True)
class Condition:
    """A measure lies in a range.

    Attributes
    ----------
    measure : int
        Number of the measure in `TakeAway.measures`.
    low, high : float or None
        The measure is at least `low` and below `high`; None: no bound.
    """

    measure: int
    low: float | None
    high: float | None

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Return for which values of the measure it holds."""
        holds = np.ones(len(values), dtype=np.bool_)
        if self.low is not None:
            holds &= values >= self.low
        if self.high is not None:
            holds &= values < self.high
        return holds


@dataclass(frozen=True, slots=True)
class Leaf:
    """The end of a way through a tree; every member comes to exactly one.

    Attributes
    ----------
    conditions : tuple of Condition
        At most one per measure, in the order in which the tree asks.
    segment : int
        Number of the segment.
    members : int
        Members of those who taught the rule that came here.
    same : float
        Share of them (0-1) that the segmentation puts into this segment.
    """

    conditions: tuple[Condition, ...]
    segment: int
    members: int
    same: float


@dataclass(frozen=True, slots=True)
class Points:
    """What a scorecard gives for one measure.

    Attributes
    ----------
    measure : int
        Number of the measure in `TakeAway.measures`.
    bounds : tuple of float
        Rising; a value on a bound belongs to the range above.
    points : tuple of int
        For each range, from the lowest; one more than there are bounds.
    """

    measure: int
    bounds: tuple[float, ...]
    points: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SegmentFidelity:
    """How well the rule finds one segment, among members who did not teach it.

    Attributes
    ----------
    segment : str
        Its name.
    n, called : int
        Members that the segmentation puts into it, and members that the rule does.
    found, found_low, found_high : float
        Share of the `n` that the rule puts into it as well, with its interval; 0 to 1 where there is nobody.
    right, right_low, right_high : float
        Share of the `called` that belong to it, with its interval; 0 to 1 where there is nobody.
    """

    segment: str
    n: int
    called: int
    found: float
    found_low: float
    found_high: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How faithful the rule is to the segmentation, among members who taught neither.

    Attributes
    ----------
    n : int
        These members.
    same, same_low, same_high : float
        Share of them whose segment is the same by rule and by segmentation, with its interval.
    largest : float
        Share that would be the same if everybody were put into the largest segment.
    kappa : float
        Cohen's kappa: 0 is agreement by chance, 1 is agreement.
    explained, explained_by_segments : float
        Share of what members did next that is explained by the rule's segments, and by the segmentation's.
    lost, lost_low, lost_high : float
        What the segmentation explains more, with its interval.
    mass : float
        Mass of all intervals.
    segments : tuple of SegmentFidelity
        One for each segment.
    """

    n: int
    same: float
    same_low: float
    same_high: float
    largest: float
    kappa: float
    explained: float
    explained_by_segments: float
    lost: float
    lost_low: float
    lost_high: float
    mass: float
    segments: tuple[SegmentFidelity, ...]

    @property
    def agreement(self) -> Interval:
        """Share (0-1) of members in the same segment, with its interval."""
        return Interval(self.same, self.same_low, self.same_high, self.mass, "eti")

    @property
    def lost_segments(self) -> tuple[str, ...]:
        """Segments of which the rule finds fewer than half, or of which fewer than half are right."""
        return tuple(one.segment for one in self.segments if one.n and min(one.found, one.right) < LOST)

    @property
    def verdict(self) -> Verdict:
        """Whether the rule can stand for the segmentation: the one verdict of all pages that use it."""
        told = (self.same_low, self.kappa)
        if any(value < bound for value, bound in zip(told, UNFAITHFUL, strict=True)):
            return "fail"
        passes = all(value >= bound for value, bound in zip(told, FAITHFUL, strict=True))
        return "pass" if passes and not self.lost_segments else "warn"


@dataclass(frozen=True, slots=True)
class TakeAway:
    """A short rule that gives members their segment, and how faithful it is.

    Attributes
    ----------
    case : str
        Name of the case it was learned from.
    kind : str
        ``tree`` or ``scorecard``.
    segments : tuple of str
        Names, in the order of the segmentation's rule.
    counting : Counting
        How the counts are taken that the rule reads.
    measures : tuple of Measure
        What it compares, in the order in which they matter.
    leaves : tuple of Leaf
        Of a tree; empty for a scorecard.
    card : tuple of Points
        Of a scorecard, one for each measure; empty for a tree.
    cuts : tuple of int
        Of a scorecard: rising sums of points at which the next segment begins.
    learned_at : str
        The instant (UTC, ISO 8601) up to which members were counted to learn it.
    currency : str
        Currency of the column ``value``.
    fidelity : Fidelity
        How faithful it is.
    """

    case: str
    kind: Literal["tree", "scorecard"]
    segments: tuple[str, ...]
    counting: Counting
    measures: tuple[Measure, ...]
    leaves: tuple[Leaf, ...]
    card: tuple[Points, ...]
    cuts: tuple[int, ...]
    learned_at: str
    currency: str
    fidelity: Fidelity

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns of counts that it reads, each once."""
        return tuple(dict.fromkeys(("observed_days", *columns_of(self.measures))))

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides a member's segment, 12 hex digits; not of how faithful it is."""
        return fingerprint_of(self._deciding())

    @property
    def content(self) -> str:
        """Hash of all that it says, how faithful it is too, 12 hex digits."""
        return fingerprint_of(self._said())

    def _said(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "learned_at": self.learned_at,
            "currency": self.currency,
            **self._deciding(),
            "leaves": [asdict(leaf) for leaf in self.leaves],
            "fidelity": asdict(self.fidelity),
        }

    def _deciding(self) -> dict[str, Any]:
        leaves = [
            {"conditions": [asdict(c) for c in x.conditions], "segment": x.segment} for x in self.leaves
        ]
        return {
            "kind": self.kind,
            "segments": list(self.segments),
            "counting": self.counting.to_plain(),
            "measures": [measure.to_plain() for measure in self.measures],
            "leaves": leaves,
            "card": [asdict(points) for points in self.card],
            "cuts": list(self.cuts),
        }

    def assign(self, counts: pd.DataFrame) -> Ints:
        """Return the number of every member's segment; `NO_SEGMENT` where there is none.

        Parameters
        ----------
        counts : DataFrame
            The columns `inputs`, and any others: whole numbers, and ``value`` with at most four decimals;
            missing values are members without a segment.

        Raises
        ------
        ParameterError
            When a column is missing, or holds what is no such number.
        """
        return self.decided(self.measured(counts))

    def measured(self, counts: pd.DataFrame) -> Floats:
        """Return the measures of every member, one column each; not a number for who has no segment.

        Parameters
        ----------
        counts : DataFrame
            As `assign` takes them.
        """
        known, ready = self._ready(counts)
        values = np.column_stack([measure.of(known) for measure in self.measures])
        return np.where(ready[:, None], values, np.nan)

    def decided(self, values: Floats) -> Ints:
        """Return the number of every member's segment, from what `measured` returns."""
        labels = self._by_tree(values) if self.kind == "tree" else self._by_points(values)
        return np.where(np.isnan(values).any(axis=1), NO_SEGMENT, labels).astype(np.int64)

    def named(self, counts: pd.DataFrame) -> NDArray[np.object_]:
        """Return the name of every member's segment; None where there is none."""
        return self.called(self.assign(counts))

    def called(self, codes: Ints) -> NDArray[np.object_]:
        """Return the names of numbers of segments; None for `NO_SEGMENT`."""
        names = np.array([*self.segments, None], dtype=np.object_)
        return np.asarray(names[codes], dtype=np.object_)

    def _by_tree(self, values: Floats) -> Ints:
        labels = np.full(len(values), NO_SEGMENT, dtype=np.int64)
        for leaf in self.leaves:
            here = np.ones(len(values), dtype=np.bool_)
            for condition in leaf.conditions:
                here &= condition.holds(values[:, condition.measure])
            labels[here] = leaf.segment
        return labels

    def _by_points(self, values: Floats) -> Ints:
        sums = np.zeros(len(values), dtype=np.int64)
        for given in self.card:
            ranges = np.searchsorted(given.bounds, values[:, given.measure], side="right")
            sums += np.array(given.points)[ranges]
        return np.searchsorted(self.cuts, sums, side="right").astype(np.int64)

    def _ready(self, counts: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
        """Return counts without gaps, and of which members all are known for long enough."""
        if not isinstance(counts, pd.DataFrame):
            raise ParameterError(f"Counts are a DataFrame with named columns, got {type(counts).__name__}.")
        for name in self.inputs:
            if name not in counts.columns:
                raise ParameterError.no_such("column", name, map(str, counts.columns), where=" in the counts")
        read = counts[list(self.inputs)].reset_index(drop=True)
        gaps = read.isna().any(axis=1)
        money = {name for m in self.measures if m.decimals for name in (*m.plus, *m.minus)}
        filled = {name: _known(read[name].mask(gaps, 0), name, money=name in money) for name in self.inputs}
        known = pd.DataFrame(filled)
        long_enough = known["observed_days"].to_numpy() >= self.counting.min_tenure_days
        return known, ~gaps.to_numpy() & long_enough

    def to_json(self) -> str:
        """Return it as a text file: the same bytes for the same rule, one thing a line."""
        hashes = {"fingerprint": self.fingerprint, "content": self.content}
        content = {"format": FORMAT, **hashes, **self._said()}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> TakeAway:
        """Return what `to_json` wrote.

        Raises
        ------
        DataError
            When the text is no such rule, was written by another version, or was changed by hand.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise DataError(
                    f"The rule has the format {content['format']}, this version reads {FORMAT}. Make it anew."
                )
            rule = cls(**_parts(content))
            written = (content["fingerprint"], content["content"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"This is no rule of segments ({type(error).__name__}: {error}).") from error
        if (rule.fingerprint, rule.content) != written:
            raise DataError(
                "The rule was changed after it was written: its parts are not those whose hashes it states. "
                "Make it anew."
            )
        return rule

    def __repr__(self) -> str:
        size = f"{len(self.leaves)} leaves" if self.kind == "tree" else f"{len(self.card)} measures"
        return (
            f"TakeAway of {self.case}: {self.kind} of {size} for {len(self.segments)} segments, "
            f"{self.fidelity.same:.1%} the same"
        )


def columns_of(measures: Sequence[Measure]) -> tuple[str, ...]:
    """Return the columns of counts that measures are made of, each once."""
    return tuple(dict.fromkeys(name for m in measures for name in (*m.plus, *m.minus, m.over) if name))


def _known(column: pd.Series[Any], name: str, *, money: bool) -> pd.Series[Any]:
    """Return a column without gaps as whole numbers, money as it is.

    Raises
    ------
    ParameterError
        When it holds anything but numbers, parts of ones, or larger ones than `LARGEST`.
    """
    try:
        numbers = column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"The column '{name}' holds what is no number: {error}.") from error
    if (numbers.abs() > LARGEST).any():
        raise ParameterError(f"The column '{name}' holds {numbers.abs().max():,.0f}, at most {LARGEST:,}.")
    if money:
        return column
    if (numbers % 1 != 0).any():
        part = numbers[numbers % 1 != 0].iloc[0]
        raise ParameterError(f"The column '{name}' counts, so it holds whole numbers; got {part}.")
    return numbers.astype(np.int64)


def _parts(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a rule from JSON."""
    stated = content["fidelity"]
    fidelity = {**stated, "segments": tuple(SegmentFidelity(**part) for part in stated["segments"])}
    return {
        **{name: content[name] for name in ("case", "kind", "learned_at", "currency")},
        "segments": tuple(content["segments"]),
        "counting": Counting.from_plain(content["counting"]),
        "measures": tuple(Measure.from_plain(plain) for plain in content["measures"]),
        "leaves": tuple(_leaves(content["leaves"])),
        "card": tuple(Points(p["measure"], tuple(p["bounds"]), tuple(p["points"])) for p in content["card"]),
        "cuts": tuple(content["cuts"]),
        "fidelity": Fidelity(**fidelity),
    }


def _leaves(plain: Sequence[Mapping[str, Any]]) -> Iterator[Leaf]:
    for leaf in plain:
        conditions = tuple(Condition(**condition) for condition in leaf["conditions"])
        yield Leaf(**{**leaf, "conditions": conditions})
