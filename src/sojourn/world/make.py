"""Make a world: in memory for a notebook, or chunk by chunk into a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial, reduce
from itertools import batched
from multiprocessing import get_context
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from sojourn.core.errors import DataError
from sojourn.core.ranges import in_range
from sojourn.world.activity import draw_events
from sojourn.world.clock import DAY, instant
from sojourn.world.costs import make_costs
from sojourn.world.hazards import Hazards, make_hazards
from sojourn.world.lives import draw_lives
from sojourn.world.members import draw_people, draw_referrers
from sojourn.world.parameters import Frame, WorldParameters, world_parameters
from sojourn.world.randomness import BLOCK, blocks, stream
from sojourn.world.tables import (
    assignments_table,
    costs_table,
    events_table,
    member_ids,
    members_table,
    schema,
)
from sojourn.world.truth import HORIZONS, Tally, Truth, summarise, tally, truth_rows

#: Keys of ``cases.CASE.prepare`` that a world is made from (beside the seed).
WORLD_KEYS: tuple[str, ...] = ("members", "as_of", "start", "time_zone", "effects", "separation")
#: Observed tables of a world.
TABLES: tuple[str, ...] = ("members", "events", "assignments", "costs")
#: Days in which members join when no start is given: about 18 months.
JOINING_DAYS = 548


@dataclass(frozen=True, slots=True)
class World:
    """A simulated membership platform, with its truth.

    Attributes
    ----------
    members, events, assignments, costs : DataFrame
        As the contract describes them (`sojourn.core.schema`); amounts are decimals, instants UTC.
    truth : Truth
        What is so, never part of an observed table.
    frame : Frame
        What it was drawn from.
    """

    members: pd.DataFrame
    events: pd.DataFrame
    assignments: pd.DataFrame
    costs: pd.DataFrame
    truth: Truth
    frame: Frame

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {len(getattr(self, name)):,}" for name in TABLES)
        return f"World of seed {self.frame.seed} ({rows} rows; as of {self.truth.summary['world']['as_of']})"


@dataclass(frozen=True, slots=True)
class Block:
    """Tables and counts of one block of members.

    Attributes
    ----------
    tables : mapping of str to Arrow table
        The observed tables, and ``truth``.
    tally : Tally
        Counts for the summary of the truth.
    """

    tables: Mapping[str, Any]
    tally: Tally


def make_world(
    *,
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None = None,
    time_zone: str = "Europe/Berlin",
    effects: float = 1.0,
    separation: float = 1.0,
) -> World:
    """Draw a platform of `members` and hold it in memory.

    Parameters
    ----------
    members : int
        Number of members, at least 1. About 60 events each.
    seed : int
        Seed; the same seed gives the same world. Whole blocks of 4,096 members do not depend on `members`.
    as_of : str or datetime
        End of observation, with its offset from UTC; nothing happens at it or later.
    start : str or datetime, optional
        When the first members join; 548 days before `as_of` when not given.
    time_zone : str
        Whose local time the rhythms of the day and week follow.
    effects, separation : float
        Strength of the schemes and distance of the hidden segments; see `world_parameters`.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    """
    frame = world_frame(
        members, seed, as_of, start, time_zone, world_parameters(effects=effects, separation=separation)
    )
    made = [make_block(frame, *which) for which in blocks(frame.members)]
    frames = {name: pa.concat_tables(b.tables[name] for b in made).to_pandas() for name in (*TABLES, "truth")}
    summary = _summary(frame, reduce(add, (b.tally for b in made)))
    return World(
        **{name: frames[name] for name in TABLES}, truth=Truth(summary, frames["truth"]), frame=frame
    )


def write_world(
    folder: Path,
    *,
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None = None,
    time_zone: str = "Europe/Berlin",
    effects: float = 1.0,
    separation: float = 1.0,
    chunk: int = BLOCK,
    workers: int = 1,
) -> None:
    """Draw the same platform as `make_world` into a folder, chunk by chunk.

    Writes one Parquet file per table, ``truth.json`` and ``truth/members.parquet``; the bytes depend on neither `chunk`
    nor `workers`. Files appear when all of them are complete.

    Parameters
    ----------
    folder : Path
        Made when absent; files of an earlier world are replaced.
    members, seed, as_of, start, time_zone, effects, separation
        As for `make_world`.
    chunk : int
        Members held in memory at a time, rounded up to whole blocks of 4,096.
    workers : int
        Processes that draw blocks of a chunk; more than one only helps when a chunk has several blocks.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    """
    frame = world_frame(
        members, seed, as_of, start, time_zone, world_parameters(effects=effects, separation=separation)
    )
    in_range(chunk, "chunk", ge=1)
    in_range(workers, "workers", ge=1)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".part-") as part:
        counts = _write_tables(Path(part), frame, per_chunk=-(-chunk // BLOCK), workers=workers)
        text = json.dumps(_summary(frame, counts), indent=1, ensure_ascii=False)
        (Path(part) / "truth.json").write_text(text + "\n", encoding="utf-8")
        for path in sorted(p for p in Path(part).rglob("*") if p.is_file()):
            target = folder / path.relative_to(part)
            target.parent.mkdir(exist_ok=True)
            path.replace(target)


def read_truth(folder: Path) -> dict[str, Any]:
    """Read the summary of the truth of a world that `write_world` has written.

    Raises
    ------
    DataError
        When the folder holds none.
    """
    path = folder / "truth.json"
    if not path.is_file():
        raise DataError(f"No truth.json in {folder.name}: only simulated cases have a known truth.")
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return truth


def world_frame(
    members: int,
    seed: int,
    as_of: str | datetime,
    start: str | datetime | None,
    time_zone: str,
    parameters: WorldParameters,
) -> Frame:
    """Return the frame of a world, its instants read and checked."""
    end = instant(as_of, "as_of")
    begins = end - JOINING_DAYS * DAY if start is None else instant(start, "start")
    return Frame(members, seed, begins, end, time_zone, parameters)


def make_block(frame: Frame, block: int, n: int) -> Block:
    """Draw one block of a world: number `block`, of `n` members."""
    draw = partial(stream, frame.seed, block=block)
    hazards = world_hazards(frame)
    ids = member_ids(block * BLOCK, n)
    people = draw_people(frame, n, draw("members"))
    lives = draw_lives(frame, people, hazards, trial=draw("assignments"), churn=draw("churn"))
    events = draw_events(frame, people, lives, draw("events"))
    came_by_referral = people.channel == [c.name for c in frame.parameters.channels].index("referral")
    referrer = draw_referrers(people.joined, lives.left, came_by_referral, draw("referrals"))
    tables = {
        "members": members_table(frame, people, lives, referrer, ids),
        "events": events_table(events, ids),
        "assignments": assignments_table(frame, people, lives, ids),
        "costs": costs_table(frame, make_costs(frame, people, lives, events), ids),
        "truth": pa.table({"member_id": ids, **truth_rows(frame, people, lives, hazards)}),
    }
    return Block(tables, tally(frame, people, lives))


@lru_cache(maxsize=4)
def world_hazards(frame: Frame) -> Hazards:
    """Return the hazards of a world, over its longest follow-up and every horizon of the truth."""
    trial, churn = frame.parameters.trial, frame.parameters.churn
    needed = trial.day + trial.horizon_days + churn.quiet_days
    return make_hazards(frame.parameters, max(frame.days + 1, max(HORIZONS) + 1, needed))


def _summary(frame: Frame, counts: Tally) -> dict[str, Any]:
    return summarise(frame, world_hazards(frame), counts)


def _write_tables(folder: Path, frame: Frame, *, per_chunk: int, workers: int) -> Tally:
    """Write tables with one row group per block, and return the counts of all blocks."""
    (folder / "truth").mkdir()
    counts: Tally | None = None
    with ExitStack() as stack:
        writers: dict[str, Any] = {}
        for made in _progress(frame, _drawn(frame, per_chunk, workers)):
            for name, table in made.tables.items():
                if name not in writers:
                    writers[name] = stack.enter_context(_writer(folder, name, table))
                writers[name].write_table(table)
            counts = made.tally if counts is None else counts + made.tally
    assert counts is not None  # noqa: S101 (a frame has at least one member, so at least one block)
    return counts


def _writer(folder: Path, name: str, table: Any) -> Any:
    path = folder / ("truth/members.parquet" if name == "truth" else f"{name}.parquet")
    return pq.ParquetWriter(path, table.schema if name == "truth" else schema(name), compression="zstd")


def _progress(frame: Frame, made: Iterator[Block]) -> Iterator[Block]:
    total = -(-frame.members // BLOCK)
    return iter(tqdm(made, total=total, desc="world", unit="block"))


def _drawn(frame: Frame, per_chunk: int, workers: int) -> Iterator[Block]:
    """Yield blocks in order, drawn one chunk at a time."""
    chunks = batched(blocks(frame.members), per_chunk)
    if workers == 1:
        for chunk in chunks:
            yield from [make_block(frame, *which) for which in chunk]
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for chunk in chunks:
            yield from pool.map(make_block, *zip(*[(frame, *which) for which in chunk], strict=True))
