"""Write a world into a folder chunk by chunk, and read its truth again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import reduce
from itertools import batched
from multiprocessing import get_context
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
from tqdm import tqdm

from sojourn.core.errors import DataError
from sojourn.core.ranges import in_range
from sojourn.world.make import TABLES, Block, make_block, summarise_world, world_frame
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK, blocks
from sojourn.world.truth import Tally


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
) -> dict[str, Path]:
    """Draw the same platform as `make_world` into a folder, chunk by chunk.

    Writes one Parquet file per table, ``truth.json`` and ``truth/members.parquet``; the bytes depend on
    neither `chunk` nor `workers`. Files appear when all of them are complete.

    Parameters
    ----------
    folder : Path
        Made when absent; files of an earlier world are replaced.
    members, seed, as_of, start, time_zone, effects, separation
        As for `make_world`.
    chunk : int
        Members held in memory at a time, rounded up to whole blocks of 4,096.
    workers : int
        Processes that draw the blocks of a chunk; more than one only helps when a chunk has several blocks.

    Returns
    -------
    dict of str to Path
        The file of each observed table, and of ``truth``.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    """
    frame = world_frame(
        members=members, seed=seed, as_of=as_of, start=start,
        time_zone=time_zone, effects=effects, separation=separation,
    )  # fmt: skip
    in_range(chunk, "chunk", ge=1)
    in_range(workers, "workers", ge=1)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".part-") as part:
        counts = _write_tables(Path(part), frame, per_chunk=-(-chunk // BLOCK), workers=workers)
        text = json.dumps(summarise_world(frame, counts), indent=1, ensure_ascii=False)
        (Path(part) / "truth.json").write_text(text + "\n", encoding="utf-8")
        _move(Path(part), folder)
    return {**{name: folder / f"{name}.parquet" for name in TABLES}, "truth": folder / "truth.json"}


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


def _write_tables(folder: Path, frame: Frame, *, per_chunk: int, workers: int) -> Tally:
    """Write tables with one row group per block, and return the counts of all blocks."""
    (folder / "truth").mkdir()
    drawn = _drawn(frame, per_chunk, workers)
    total = -(-frame.members // BLOCK)
    with ExitStack() as stack:
        writers: dict[str, Any] = {}

        def write(block: Block) -> Tally:
            for name, table in block.tables.items():
                if name not in writers:
                    path = folder / ("truth/members.parquet" if name == "truth" else f"{name}.parquet")
                    writer = pq.ParquetWriter(path, table.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(table)
            return block.tally

        return reduce(add, map(write, tqdm(drawn, total=total, desc="world", unit="block")))


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


def _move(source: Path, target: Path) -> None:
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(exist_ok=True)
        path.replace(place)
