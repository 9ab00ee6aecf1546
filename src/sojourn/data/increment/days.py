"""Tidy tables by UTC day: one file for each day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ibis import Table

from sojourn.core.schema import Table as Contract
from sojourn.data.checks.copies import Copies
from sojourn.data.engine import stream
from sojourn.data.increment.ledger import Day
from sojourn.data.parquet import first_instants, write_parquet
from sojourn.data.tidying import in_order
from sojourn.data.writing import stored

#: The UTC date of a row, while days are made.
DAY = "_day"


def by_day(rows: Table, contract: Contract) -> Table:
    """Return tidy rows with their UTC date, in the order in which days are written."""
    dated = rows.mutate(**{DAY: rows[contract.time].cast("timestamp").date()})
    return in_order(dated, contract, first=[DAY])


def write_days(
    engine: Any, rows: Table, contract: Contract, folder: Path, former: Mapping[str, Day], *, drop: bool
) -> dict[str, Day]:
    """Write a file for each day and return what each of them holds.

    Parameters
    ----------
    engine : ibis backend
        Where the rows are.
    rows : ibis Table
        Tidy rows; all of every day that is written.
    contract : Table
        What they are.
    folder : Path
        Where files ``YYYY-MM-DD.parquet`` go.
    former : mapping of str to Day
        The days as they were, of which copies are no longer there when they were left out.
    drop : bool
        Whether exact copies of rows are left out.
    """
    made = {}
    pieces = _pieces(stream(engine, by_day(rows, contract)))
    for day, of_day in groupby(pieces, key=itemgetter(0)):
        path = folder / f"{day}.parquet"
        copies = Copies(drop=drop)
        written = write_parquet(path, stored(contract), copies.passing(piece for _, piece in of_day))
        gone = former[str(day)].copies if drop and str(day) in former else 0
        made[str(day)] = Day(written, path.stat().st_size, copies.found + gone, first_instants(path))
    return made


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """Cut batches, which are in order of days, where a day ends."""
    for batch in batches:
        days = batch[DAY].cast(pa.date32()).cast(pa.int32()).to_numpy()
        cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        for start, end in pairwise(cuts):
            piece = batch.slice(start, end - start)
            yield piece[DAY].cast(pa.date32())[0].as_py(), piece.drop_columns(DAY)
