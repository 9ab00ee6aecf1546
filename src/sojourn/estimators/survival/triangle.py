"""A triangle of cohorts by ages: who began each step, who was lost in it, and what was known when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.core.errors import UndefinedError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Triangle:
    """Members of cohorts still there after whole steps.

    Attributes
    ----------
    members : array of int (cohorts,)
        Members of each cohort at age 0; at least 1.
    kept : array of int (cohorts, steps)
        Still there after step 1, 2, ...; what is not known may be anything.
    known : array of int (cohorts,)
        How many steps the whole cohort has been seen through; 0 for a cohort that has only joined.
    """

    members: Counts
    kept: Counts
    known: Counts

    def __post_init__(self) -> None:
        seen = np.where(self.mask, self.kept, 0)
        before = np.where(self.mask, self.before, 0)
        if np.any(seen > before) or np.any(seen < 0):
            raise UndefinedError(
                "A triangle keeps more members after a step than began it, or fewer than none."
            )

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Whether each entry is known (cohorts, steps)."""
        return np.arange(1, self.kept.shape[1] + 1) <= self.known[:, None]

    @property
    def before(self) -> Counts:
        """Members who began each step (cohorts, steps)."""
        return np.concatenate([self.members[:, None], self.kept[:, :-1]], axis=1)

    @property
    def at_risk(self) -> Floats:
        """Members who began each step that is known, 0 elsewhere."""
        return np.where(self.mask, self.before, 0).astype(np.float64)

    @property
    def lost(self) -> Floats:
        """Members lost in each step that is known, 0 elsewhere."""
        return np.where(self.mask, self.before - self.kept, 0).astype(np.float64)

    @property
    def last_kept(self) -> Counts:
        """Members still there at the last known age of their cohort (cohorts,)."""
        both = np.concatenate([self.members[:, None], self.kept], axis=1)
        last: Counts = np.take_along_axis(both, self.known[:, None], axis=1)[:, 0]
        return last

    def as_known(self, known: Counts) -> Triangle:
        """Return the triangle as it was known earlier; cohorts that had not all joined (below 0) are out."""
        known = np.minimum(known, self.known)
        here, deepest = known >= 0, max(int(known.max(initial=0)), 1)
        return Triangle(self.members[here], self.kept[here, :deepest], known[here])
