"""One small world, exports of it with and without a fault, and the door that they come to."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sojourn.data.prepare import prepare
from sojourn.pipeline.cli import main
from sojourn.world import make_world
from sojourn.world.bad import FAULTS, Planted, corrupt, export
from sojourn.world.bad.page import bad_input_page

SAID = Path(__file__).with_name("said.json")
PAGE = Path(__file__).parents[3] / "docs" / "bad-input.md"
REWRITE = bool(os.environ.get("SOJOURN_REWRITE"))
# numbers, examples, days and files of one draw, and what the page has in their place
REPLACED = (
    (r"in [\d,]+ of [\d,]+ rows( \(for example .*?\)(?=\. [A-Z]))?", "in N of M rows"),
    (r"in all [\d,]+ rows", "in all rows"),
    (r"incoming/bad/\w+\.\w+", "FILE"),
    (r"\d{4}-\d{2}-\d{2}(?!T)", "DAY"),
    (r"\b(byte|line|above|than|are|of|In|row) \d[\d,]*(\.\d+)?\b", r"\1 N"),
)


def plain(text: str) -> str:
    """Return what the door says without what is of one draw only."""
    for pattern, instead in REPLACED:
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text


AS_OF = "2025-07-01T00:00:00Z"


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    """Tables of 80 members."""
    world = make_world(members=80, seed=5, as_of=AS_OF)
    return {name: getattr(world, name) for name in ("members", "events", "assignments", "costs")}


@pytest.fixture
def plant(tables, tmp_path):
    """Return the function that writes an export with one fault; a bot has 2,000 events."""

    def planted(fault: str, *, seed: int = 3, out: str = "bad", **changes) -> Planted:
        asked = {"out": tmp_path / "incoming" / out, "rng": np.random.default_rng(seed), "bot_events": 2_000}
        return corrupt(tables, fault, **{**asked, **changes})

    return planted


@dataclass(frozen=True)
class Passed:
    """What stands behind the door."""

    files: dict[str, bytes]
    findings: dict[tuple[str, str, str, str], int]

    @classmethod
    def of(cls, folder: Path) -> Passed:
        """Read a folder of tidy tables: files of rows, and rows concerned by each finding."""
        tidy = [folder / f"{name}.parquet" for name in ("members", "events", "ids")]
        files = {path.name: path.read_bytes() for path in tidy}
        rows = pd.read_parquet(folder / "findings.parquet").itertuples()
        found = {(r.table, r.column, r.level, f"{r.finding}. {r.hint}"): int(r.concerned) for r in rows}
        return cls(files, found)


@pytest.fixture
def door(project):
    """Return the function that brings files through the door."""

    def passed(files: Mapping[str, Path], *, case: str = "shop", **settings) -> Passed:
        """Members and events alone: nothing else is spoilt, and the door is quicker."""
        named = {name: str(files[name]) for name in ("members", "events")}
        params = project.case(case, prepare={"as_of": AS_OF, "tables": named, **settings})
        return Passed.of(prepare(params, case))

    return passed


@pytest.fixture
def stopped(project, capsys):
    """Return the function that brings files to the command line; it gives the error and the files it made."""

    def told(files: Mapping[str, Path]) -> tuple[str, set[Path]]:
        named = {name: str(files[name]) for name in ("members", "events")}
        project.case("shop", prepare={"as_of": AS_OF, "tables": named})
        before = set(project.root.rglob("*"))
        assert main(["prepare", "shop"]) == 1
        word, err = "sojourn: ", capsys.readouterr().err
        made = {path for path in set(project.root.rglob("*")) - before if path.is_file()}
        return err[err.index(word) + len(word) :].removesuffix("\n"), made

    return told


@pytest.fixture(scope="session")
def passed_before() -> dict[bool, Passed]:
    """What the door makes of exports without a fault, kept for all tests."""
    return {}


@pytest.fixture
def clean(door, tables, tmp_path, passed_before):
    """Return the function that gives what the door makes of the export without a fault."""

    def passed(fault: str) -> Passed:
        numbered = FAULTS[fault].numbered
        if numbered not in passed_before:
            files = export(tables, tmp_path / "clean", numbered=numbered)
            passed_before[numbered] = door(files, case="clean")
        return passed_before[numbered]

    return passed


@pytest.fixture(scope="session")
def recorded() -> Iterator[dict[str, str]]:
    """Give what the door is known to say of each fault; SOJOURN_REWRITE writes it and the page anew."""
    known = json.loads(SAID.read_text(encoding="utf-8")) if SAID.is_file() else {}
    yield known
    if REWRITE:
        known = {fault: known[fault] for fault in FAULTS if fault in known}
        SAID.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(bad_input_page(known), encoding="utf-8")


@pytest.fixture
def said(recorded):
    """Return the function that compares what the door says of a fault with what it is known to say."""

    def compared(fault: str, text: str) -> None:
        if REWRITE:
            recorded[fault] = plain(text)
        assert recorded[fault] == plain(text)

    return compared
