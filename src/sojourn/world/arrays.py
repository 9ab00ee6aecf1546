"""Frozen dataclasses whose fields are arrays of one entry (or row) per member."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]


def take[Columns](columns: Columns, rows: Ints | Bools) -> Columns:
    """Return the same kind of thing with some rows only, in the order given."""
    return _map(columns, lambda name: getattr(columns, name)[rows])


def join[Columns](parts: list[Columns]) -> Columns:
    """Return several things of one kind as one, their rows one after the other."""
    return _map(parts[0], lambda name: np.concatenate([getattr(part, name) for part in parts]))


def _map[Columns](like: Columns, made: Any) -> Columns:
    return type(like)(**{field.name: made(field.name) for field in fields(like)})  # type: ignore[arg-type]
