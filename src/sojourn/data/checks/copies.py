"""Exact copies of rows: in tables in their final order a copy stands right behind its row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Copies:
    """Counts copies in a stream of sorted rows, and leaves them out where that is asked for.

    Attributes
    ----------
    drop : bool
        Whether copies are left out.
    found : int
        Copies seen so far.
    """

    def __init__(self, *, drop: bool) -> None:
        self.drop = drop
        self.found = 0

    def passing(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give the batches again, counting."""
        last: pa.RecordBatch | None = None
        for batch in batches:
            if not batch.num_rows:
                continue
            copies = _copies(batch)
            if last is not None and batch.slice(0, 1).equals(last):
                copies = np.union1d([0], copies)
            last = batch.slice(batch.num_rows - 1)
            self.found += len(copies)
            yield _without(batch, copies) if self.drop and len(copies) else batch


def _copies(batch: pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the places of rows that equal the row before them, column by column while any still may."""
    places = np.arange(1, batch.num_rows)
    for name in batch.schema.names:
        column = batch[name]
        places = places[_same(column.take(places), column.take(places - 1))]
    return places


def _same(one: pa.Array, other: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which values are equal; two missing ones are."""
    equal = pc.fill_null(pc.equal(one, other), False)
    same = pc.or_(equal, pc.and_(pc.is_null(one), pc.is_null(other)))
    return np.asarray(same.to_numpy(zero_copy_only=False))


def _without(batch: pa.RecordBatch, places: np.ndarray[Any, np.dtype[np.int64]]) -> pa.RecordBatch:
    kept = np.ones(batch.num_rows, dtype=bool)
    kept[places] = False
    return batch.filter(pa.array(kept))
