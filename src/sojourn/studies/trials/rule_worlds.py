"""Trials simulated as sufficient statistics, look by look: what comes in, and what is known by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import ParameterError
from sojourn.estimators.bayes.model import Floats, ModelPrior

Ints = NDArray[np.int64]
#: Fewest members of a scheme between two looks, where these are compared with each other.
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Course:
    """How one outcome of a trial comes in.

    Attributes
    ----------
    kind : str
        ``binary`` or ``value``.
    joined : array (looks, schemes)
        Members who can be judged for the first time at each look, control first.
    base : array (looks,)
        Control's true share or mean among them.
    sd : array (schemes,)
        Standard deviation of one member's value; unused for binary outcomes.
    prior : ModelPrior
        Prior of a lift.
    by_entry : bool
        Whether schemes are compared among those who came between the same two looks, and these comparisons
        weighted by members: right where the allocation changes, `trial(..., strata="period")`.
    """

    kind: str
    joined: Ints
    base: Floats
    sd: Floats
    prior: ModelPrior = field(default_factory=lambda: ModelPrior(0, 1, 0, 1, 1))
    by_entry: bool = False

    def __post_init__(self) -> None:
        if self.by_entry and self.joined.min() < FEWEST:
            raise ParameterError(
                f"Between two looks a scheme gets {int(self.joined.min())} members, fewer than {FEWEST}: "
                "plan fewer looks, or give it a larger share."
            )

    @classmethod
    def even(
        cls, kind: str, n: Ints, base: float, sd: Floats, prior: ModelPrior | None = None, *, looks: int = 1
    ) -> Course:
        """Return a course of equally spaced looks at `n` members (schemes,), one allocation throughout."""
        seen = np.maximum(np.arange(1, looks + 1)[:, None] * n // looks, 1)  # whoever is judged has been seen
        joined = np.diff(seen, axis=0, prepend=0)
        return cls(kind, joined, np.full(looks, base), sd, prior or ModelPrior(0, 1, 0, 1, 1))

    @property
    def looks(self) -> int:
        """Number of looks."""
        return len(self.joined)

    @property
    def schemes(self) -> int:
        """Number of schemes with control."""
        return int(self.joined.shape[1])

    @property
    def n(self) -> Ints:
        """Members of every scheme at the last look."""
        total: Ints = self.joined.sum(axis=0)
        return total

    @property
    def share(self) -> Floats:
        """Share of all members who came in at every look."""
        share: Floats = self.joined.sum(axis=1) / self.joined.sum()
        return share

    def with_looks(self, looks: int) -> Course:
        """Return the same members seen at so many equally spaced looks, each divided as at its time."""
        if not self.by_entry:
            base = float(self.base @ self.share)
            return Course.even(self.kind, self.n, base, self.sd, self.prior, looks=looks)
        before = np.vstack([np.zeros(self.schemes), self.joined.cumsum(axis=0)])
        total = before.sum(axis=1)
        at = total[-1] * np.arange(looks + 1) / looks
        seen = np.stack([np.interp(at, total, column) for column in before.T], axis=1)
        joined = np.maximum(np.diff(np.rint(seen), axis=0), FEWEST).astype(np.int64)
        middle = (total[1:] + total[:-1]) / 2
        base = np.interp((at[1:] + at[:-1]) / 2, middle, self.base)
        return replace(self, joined=joined, base=base)

    def seen(self, effects: Floats, worlds: int, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
        """Yield estimates and their sampling variances (worlds, schemes) at every look.

        Parameters
        ----------
        effects : array (schemes,), (worlds, schemes) or (looks, 1, schemes)
            True lifts on the scale of the outcome; 0 for control.
        worlds : int
            Simulated trials.
        rng : Generator
            Source of the trials.
        """
        by_look = effects if effects.ndim == 3 else np.atleast_2d(effects)[None]
        truth = np.broadcast_to(
            self.base[:, None, None] + by_look, (self.looks, by_look.shape[1], self.schemes)
        )
        return (self._by_entry if self.by_entry else self._pooled)(truth, worlds, rng)

    def _pooled(
        self, truth: Floats, worlds: int, rng: np.random.Generator
    ) -> Iterator[tuple[Floats, Floats]]:
        total: Floats = np.zeros((worlds, self.schemes))
        n: Ints = np.zeros(self.schemes, dtype=np.int64)
        for joined, true in zip(self.joined, truth, strict=True):
            total += self._added(joined, true, worlds, rng)
            n = n + joined
            yield self._estimates(total, n)

    def _by_entry(
        self, truth: Floats, worlds: int, rng: np.random.Generator
    ) -> Iterator[tuple[Floats, Floats]]:
        mean, variance, members = np.zeros((worlds, self.schemes)), np.zeros((worlds, self.schemes)), 0
        for joined, true in zip(self.joined, truth, strict=True):
            added = self._added(joined, true, worlds, rng)
            size = int(joined.sum())
            mean += size * added / joined
            variance += size**2 * self._estimates(added, joined)[1]
            members += size
            yield self._inside(mean / members, members), variance / members**2

    def _inside(self, mean: Floats, members: int) -> Floats:
        """Return shares as they are, but never 0 or 1: half a member more and half a member fewer."""
        return (mean * members + 0.5) / (members + 1) if self.kind == "binary" else mean

    def _added(self, n: Ints, truth: Floats, worlds: int, rng: np.random.Generator) -> Floats:
        """Return what members between two looks add: successes, or a sum of values."""
        if self.kind == "binary":
            return rng.binomial(n, np.clip(truth, 1e-9, 1 - 1e-9), size=(worlds, n.size)).astype(float)
        added: Floats = n * truth + np.sqrt(n) * self.sd * rng.standard_normal((worlds, n.size))
        return added

    def _estimates(self, total: Floats, n: Ints) -> tuple[Floats, Floats]:
        if self.kind == "value":
            return total / n, np.broadcast_to(self.sd**2 / n, total.shape)
        share = (total + 0.5) / (n + 1)
        return share, share * (1 - share) / n


def spread_over(course: Course, allocation: Floats, arriving: Floats) -> Course:
    """Return a course of as many members who come in by another allocation, perhaps at another time.

    Parameters
    ----------
    course : Course
        Gives the number of all members.
    allocation : array (looks, schemes)
        Share of each scheme among those who come between two looks; every row sums to 1.
    arriving : array (looks,)
        Share of all members who come between two looks; sums to 1.
    """
    total = int(course.n.sum())
    joined = np.maximum(np.rint(total * arriving[:, None] * allocation), FEWEST).astype(np.int64)
    changing = bool((np.ptp(allocation, axis=0) > 0).any())
    return replace(course, joined=joined, base=np.resize(course.base, len(joined)), by_entry=changing)
