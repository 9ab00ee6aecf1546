"""Fingerprints: of what gives old days their meaning, and of the numbers that members have."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ibis
from ibis import Table

from sojourn.core import schema
from sojourn.data.engine import stream
from sojourn.data.pseudonyms import Key
from sojourn.data.settings import Settings

#: Packages whose versions show in the bytes of tidy tables.
_PACKAGES = ("duckdb", "pyarrow", "ibis-framework")


def meaning_of(settings: Settings, key: Key) -> str:
    """Return the fingerprint of parameters but for ``as_of``, of key, contract and code of the door."""
    parameters = {name: value for name, value in asdict(settings).items() if name != "as_of"}
    stated = json.dumps([parameters, key.key_id, [version(name) for name in _PACKAGES]], default=str)
    return hashlib.sha256((stated + _code()).encode()).hexdigest()


@cache
def _code() -> str:
    """Return the fingerprint of the files in which the door is written; cells are made behind it."""
    door = Path(__file__).parents[1]
    files = [Path(schema.__file__), *sorted(path for path in door.rglob("*.py") if "cells" not in path.parts)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def members_known(engine: Any, numbers: Table, key: Key, by: datetime) -> str:
    """Return the keyed fingerprint of all members who had joined by an instant, with their numbers.

    Parameters
    ----------
    engine : ibis backend
        Where they are.
    numbers : ibis Table
        ``member_id``, ``joined_at`` and ``member``.
    key : Key
        Of the case, so that nobody can try ids against the fingerprint.
    by : datetime
        Who joined later is not part of it.
    """
    known = numbers.filter(numbers.joined_at <= ibis.literal(by)).order_by("joined_at", "member_id")
    line = ibis.literal("\n").join(
        [
            known.member.cast("string").fill_null("-"),
            known.joined_at.cast("timestamp").epoch_seconds().cast("string"),
            known.joined_at.microsecond().cast("string"),
            known.member_id,
        ]
    )
    digest = hmac.new(key.secret, digestmod="sha256")
    for batch in stream(engine, known.select(line=line)):
        lines = batch["line"].to_pylist()
        digest.update(("\0".join(lines) + "\0" if lines else "").encode())
    return digest.hexdigest()
