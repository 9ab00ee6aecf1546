"""Copies are counted and left out in a stream of sorted rows, however it is cut."""

from __future__ import annotations

import itertools

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.data.checks.copies import Copies
from sojourn.data.prepare import prepare

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, "a", "b"])), max_size=40)


def batches(rows, cuts):
    table = pa.table({"member": [r[0] for r in rows], "event": [r[1] for r in rows]},
                     schema=pa.schema({"member": pa.int64(), "event": pa.string()}))  # fmt: skip
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for start, stop in itertools.pairwise(edges):
        yield from table.slice(start, stop - start).combine_chunks().to_batches()


@settings(deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 40), max_size=6), drop=st.booleans())
def test_copies_are_rows_beyond_the_different_ones(rows, cuts, drop):
    ordered = sorted(rows, key=lambda row: (row[0], row[1] or ""))
    copies = Copies(drop=drop)
    left = [
        tuple(row.values()) for batch in copies.passing(batches(ordered, cuts)) for row in batch.to_pylist()
    ]
    assert copies.found == len(rows) - len(set(rows))
    assert left == (list(dict.fromkeys(ordered)) if drop else ordered)


@pytest.mark.parametrize("asked", [None, "keep", "drop"])
def test_the_case_says_what_becomes_of_copies(asked, project):
    rows = [f"{i % 7},2025-03-{1 + i % 20:02d}T10:00:00Z,view" for i in range(60)]
    text = "\n".join(["member_id,occurred_at,event", *rows, rows[3], rows[3], rows[9]]) + "\n"
    said = {} if asked is None else {"exact_duplicates": {"events": asked}}
    folder = prepare(project.case("shop", {"events": text}, prepare=said), "shop")
    assert len(pd.read_parquet(folder / "events.parquet")) == (60 if asked == "drop" else 63)
    found = pd.read_parquet(folder / "findings.parquet").query("finding == 'an exact copy of another row'")
    assert found[["table", "level", "concerned"]].to_numpy().tolist() == [
        ["events", "note" if asked else "warning", 3]
    ]
