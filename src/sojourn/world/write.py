"""Write a world of any size into a folder of partitioned Parquet, and read its truth again.

A part of a table holds a fixed number of blocks of members, one row group for each, so that what a file holds
depends on the world alone. One task writes one part of every table: no rows pass between processes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial, reduce
from itertools import batched
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from operator import add
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

import pyarrow.parquet as pq
from tqdm import tqdm

from sojourn.core.errors import DataError, SojournError
from sojourn.core.folder import whole_folder
from sojourn.core.ranges import in_range
from sojourn.core.schema import CONTRACT
from sojourn.world.make import Block, make_block, make_world, whole_tables, whole_truth, world_frame
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK, PART, blocks
from sojourn.world.truth.summary import summarise
from sojourn.world.truth.tally import Tally

type Blocks = tuple[tuple[int, int], ...]

#: What a world is asked for when it is not stated.
_DEFAULTS: dict[str, Any] = make_world.__kwdefaults__ or {}
#: What stands in the folder of a world, one file per table in those of earlier versions.
_OURS = re.compile(rf"truth\.json|({'|'.join(CONTRACT)}|truth/\w+)(\.parquet|/part-\d{{5}}\.parquet)")


class Asked(TypedDict):
    """What a world is asked for; meaning and defaults as for `make_world`."""

    members: int
    seed: int
    as_of: str | datetime
    start: NotRequired[str | datetime | None]
    world: NotRequired[str]
    effects: NotRequired[float]
    separation: NotRequired[float]


def write_world(
    folder: Path, *, chunk: int = BLOCK, workers: int = 1, private: bool = False, **asked: Unpack[Asked]
) -> dict[str, Path]:
    """Draw the same platform as `make_world` into a folder, chunk by chunk.

    Writes one folder per table (``events/part-00000.parquet`` and so on), ``truth.json`` and, below
    ``truth/``, the tables of the truth. A part holds the rows of 65,536 members, a row group those of 4,096.
    The bytes depend on neither `chunk` nor `workers`. The folder appears when all of it is complete; until
    then an earlier world in its place stays whole.

    Parameters
    ----------
    folder : Path
        Made when absent; an earlier world in it is replaced.
    chunk : int
        Members a process holds in memory at a time, rounded up to whole blocks of 4,096.
    workers : int
        Processes that draw; more than the world has parts are not started.
    private : bool
        Whether files and folders are their owner's alone.
    **asked
        ``members``, ``seed``, ``as_of`` and what else `make_world` takes.

    Returns
    -------
    dict of str to Path
        The folder of each observed table, and the file of ``truth``.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    DataError
        When the folder holds anything but a world; nothing in it is touched.
    """
    frame = world_frame(**{**_DEFAULTS, **asked})
    in_range(chunk, "chunk", ge=1)
    in_range(workers, "workers", ge=1)
    _stop_at_strangers(folder)
    with whole_folder(folder.resolve(), private=private) as building:
        counts = _write_parts(building, frame, held=-(-chunk // BLOCK), workers=workers)
        _write_whole(building, frame)
        text = json.dumps(summarise(frame, counts), indent=1, ensure_ascii=False)
        (building / "truth.json").write_text(text + "\n", encoding="utf-8")
    tables = {name: folder / name for name in CONTRACT if (folder / name).is_dir()}
    return {**tables, "truth": folder / "truth.json"}


def _stop_at_strangers(folder: Path) -> None:
    """Raise when a folder that is to be replaced holds a file that no world has written."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file, not a folder. Name another place for the world.")
    ours = (folder / "truth.json").is_file()
    files = (top.relative_to(folder) / name for top, _, names in folder.walk() for name in sorted(names))
    strange = next((path for path in files if not (ours and _OURS.fullmatch(path.as_posix()))), None)
    if strange is not None:
        raise DataError(
            f"{folder} holds {strange}, which is no part of a world, so nothing was written. "
            "Name a new folder, or empty this one."
        )


def _write_parts(folder: Path, frame: Frame, *, held: int, workers: int) -> Tally:
    """Write all parts of all tables, and return the counts of all blocks."""
    parts = [*batched(blocks(frame.members), PART)]
    write = partial(_write_part, frame, folder, held=held)
    with tqdm(total=frame.members, desc="world", unit=" members", unit_scale=True) as bar:
        if min(workers, len(parts)) == 1:
            return reduce(add, (write(*part, done=bar.update) for part in enumerate(parts)))
        return reduce(add, _spread(write, parts, min(workers, len(parts)), bar.update))


def _spread(
    write: Callable[[int, Blocks], Tally], parts: list[Blocks], workers: int, done: Callable[[int], object]
) -> Iterator[Tally]:
    """Write parts in several processes, each in one of them, and yield their counts in order."""
    others = set(active_children())
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool, _ended(others):
            for part, counts in zip(parts, pool.map(write, range(len(parts)), parts), strict=True):
                done(sum(n for _, n in part))
                yield counts
    except BrokenProcessPool:
        raise SojournError(
            "A process that drew the world was ended from outside, most often for want of memory. "
            "Use fewer workers."
        ) from None


@contextmanager
def _ended(others: set[BaseProcess]) -> Iterator[None]:
    """End the processes begun meanwhile when something is raised; a pool would let them draw to the end."""
    try:
        yield
    except BaseException:
        for process in set(active_children()) - others:
            process.terminate()
        raise


def _write_part(
    frame: Frame,
    folder: Path,
    part: int,
    which: Blocks,
    *,
    held: int,
    done: Callable[[int], object] | None = None,
) -> Tally:
    """Draw some blocks, write them as one part of every table and return their counts."""
    with ExitStack() as stack:
        writers: dict[str, Any] = {}

        def write(block: Block) -> Tally:
            for name, table in _named(block.tables, block.truth).items():
                if name not in writers:
                    path = folder / name / f"part-{part:05}.parquet"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    writer = pq.ParquetWriter(path, table.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                if table.num_rows:
                    writers[name].write_table(table, row_group_size=table.num_rows)
            if done is not None:
                done(len(block.tables["members"]))
            return block.tally

        return reduce(add, map(write, _drawn(frame, which, held)))


def _named(tables: Mapping[str, Any], truth: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return tables by the folder they belong in."""
    return {**tables, **{f"truth/{name}": table for name, table in truth.items()}}


def _write_whole(folder: Path, frame: Frame) -> None:
    """Write the tables that a world has once, each as one part."""
    for name, table in _named(whole_tables(frame), whole_truth(frame)).items():
        (folder / name).mkdir(parents=True)
        pq.write_table(table, folder / name / "part-00000.parquet", compression="zstd")


def _drawn(frame: Frame, which: Iterable[tuple[int, int]], held: int) -> Iterator[Block]:
    """Yield blocks in order, drawn some at a time."""
    for chunk in batched(which, held):
        yield from [make_block(frame, *block) for block in chunk]
