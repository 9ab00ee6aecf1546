"""Randomness of the world: one stream per (seed, table, block), so no chunking can change a draw."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

#: Members per block. A chunk of any size is whole blocks.
BLOCK = 4_096


#: Blocks in one part of a table: 65,536 members. Sums are taken by part, then over parts.
PART = 16


def stream(seed: int, table: str, block: int) -> np.random.Generator:
    """Return the random stream of one table in one block of members.

    Parameters
    ----------
    seed : int
        Seed of the world, >= 0.
    table : str
        What is drawn; tables added later do not move the streams of those that exist.
    block : int
        Number of the block, from 0.
    """
    key = (zlib.crc32(table.encode()), block)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=key)))


def blocks(members: int) -> Iterator[tuple[int, int]]:
    """Yield number and size of each block of a world of `members`; only the last may be smaller."""
    for block, first in enumerate(range(0, members, BLOCK)):
        yield block, min(BLOCK, members - first)
