"""Tables of simulated worlds as they are behind the door: numbers in place of ids, typed as tidy ones."""

from __future__ import annotations

from collections.abc import Iterable

import ibis
import pandas as pd
import pyarrow as pa

from sojourn.core.schema import CONTRACT
from sojourn.world import World

INSTANT = pa.timestamp("us", tz="UTC")
TYPES = {
    "id": pa.int64(),
    "instant": INSTANT,
    "decimal": pa.decimal128(18, 4),
    "integer": pa.int64(),
    "bool": pa.bool_(),
}


def arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    """Return rows as the contract's tidy table; columns that are not there are left out."""
    fields = [(c, TYPES.get(kind, pa.string())) for c, kind in CONTRACT[name].tidy.items() if c in frame]
    schema = pa.schema([(c, pa.int64() if c == "member" else kind) for c, kind in fields])
    return pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, ibis.Table]:
    """Return frames as tables of the engine."""
    return {name: ibis.memtable(arrow(name, pd.DataFrame(frame))) for name, frame in frames.items()}


def frames_of(world: World, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Return some tables of a world, members numbered in the order of their ids and all of one age band."""
    number = {member: i for i, member in enumerate(world.members["member_id"])}
    made = {}
    for name in names:
        table = world.tables[name].copy()
        table["member"] = table.pop("member_id").map(number)
        made[name] = table
    made["members"] = made["members"].drop(columns="referred_by").assign(age_band="25-34")
    return made
