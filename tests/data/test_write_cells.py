"""Cells are written whole, exact and byte-stable, or not at all."""

from __future__ import annotations

import json
import stat
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sojourn.core.cells import read_cells
from sojourn.core.errors import DataError, ParameterError
from sojourn.data import cells as room
from sojourn.data.prepare import prepare
from sojourn.data.protection.cells import PROTECTORS
from sojourn.data.pseudonyms import Key
from sojourn.data.tidy import open_tidy

EVENTS = "member_id,occurred_at,event,amount\n" + "".join(
    f"m{i % 9},2025-0{1 + i % 6}-0{1 + i % 9}T10:00:00Z,{'login' if i % 4 else 'purchase'},{i / 8}\n"
    for i in range(90)
)
STUDIES = {"retention": {"cells": {"groups": []}}}


def counted(tidy, params):
    """Count events by kind and day: an integer, a decimal, a text and a date."""
    events = tidy.table("events", "retention")
    grouped = events.group_by("event", day=events.occurred_at.date())
    return {"by_day": grouped.agg(n=events.count(), total=events.amount.sum())}


def described(tidy, params):
    return {"unit": "day"}


def study(monkeypatch, expressions=counted) -> None:
    """Put a study of the test in the place of retention."""
    maker = SimpleNamespace(expressions=expressions, describe=described)
    monkeypatch.setattr(room, "import_module", lambda name: {"sojourn.data.cells.retention": maker}[name])


@pytest.fixture
def shop(project, monkeypatch):
    study(monkeypatch)
    params = project.case("shop", {"events": EVENTS}, studies=STUDIES)
    prepare(params, "shop")
    return params


def test_cells_are_exact_and_ordered(shop) -> None:
    folder = room.write_cells(shop, "shop", "retention")
    schema = pq.read_schema(folder / "by_day.parquet")
    assert schema.types == [pa.string(), pa.date32(), pa.int64(), pa.decimal128(38, 9)]
    found = pq.read_table(folder / "by_day.parquet").to_pylist()
    assert found == sorted(found, key=lambda row: tuple(row.values()))
    # on 1 January: events 0, 18, 36, 54 and 72, of which 18 and 54 are logins
    assert found[0] == {"event": "login", "day": date(2025, 1, 1), "n": 2, "total": Decimal(18 + 54) / 8}
    assert sum(row["n"] for row in found) == 90


def test_what_cells_say_of_themselves(shop) -> None:
    folder = room.write_cells(shop, "shop", "retention")
    said = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    assert said == {
        "case": "shop",
        "study": "retention",
        "as_of": "2025-07-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
        "params": shop.for_cells("shop", "retention"),
        "unit": "day",
    }


def test_the_pipeline_and_a_call_make_the_same_cells(shop) -> None:
    room.write_cells(shop, "shop", "retention")
    made = room.make_cells(open_tidy(shop, "shop"), "retention", shop.for_cells("shop", "retention"))
    assert room.cells("shop", "retention").fingerprint == made.fingerprint


def test_changes_make_cells_anew_and_unknown_ones_are_refused(shop) -> None:
    assert room.cells("shop", "retention", lapse_days=7).meta["params"]["lapse_days"] == 7
    with pytest.raises(ParameterError, match=r"^'laps_days' is not a parameter of studies.retention.cells"):
        room.cells("shop", "retention", laps_days=7)


def test_cells_that_were_not_made_yet(shop) -> None:
    with pytest.raises(DataError, match=r"^No cells of shop for retention yet\."):
        room.cells("shop", "retention")


def test_two_runs_write_the_same_bytes(shop) -> None:
    first, second = (
        {path.name: path.read_bytes() for path in room.write_cells(shop, "shop", "retention").iterdir()}
        for _ in "12"
    )
    assert first == second


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (lambda e: e.amount.cast("float64").sum(), "double"),
        (lambda e: e.occurred_at.max(), "timestamp[us, tz=UTC]"),
    ],
)
def test_floats_and_instants_are_refused_and_the_former_cells_stay(shop, monkeypatch, value, kind) -> None:
    folder = room.write_cells(shop, "shop", "retention")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    study(
        monkeypatch,
        lambda tidy, _: {"sums": tidy.tables["events"].agg(total=value(tidy.tables["events"]))},
    )
    with pytest.raises(DataError) as raised:
        room.write_cells(shop, "shop", "retention")
    assert str(raised.value) == (
        f"retention.sums.total: wrong type {kind}. Cells hold integers, decimals, text and dates only."
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["retention"]


def test_a_missing_table_is_said_in_one_sentence(shop, monkeypatch) -> None:
    study(monkeypatch, lambda tidy, _: {"arms": tidy.table("assignments", "retention")})
    folder = room.write_cells(shop, "shop", "retention")
    assert [path.name for path in folder.iterdir()] == ["cells.json"]
    read = read_cells(folder, "shop", "retention")
    assert read.meta["not_possible"] == (
        "retention needs the table `assignments`, which the case 'shop' does not have."
    )
    assert read.tables == {}


def test_cells_of_a_private_case_are_its_owners(project, monkeypatch) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "the key of a private test case")
    study(monkeypatch)
    monkeypatch.setitem(PROTECTORS, "retention", lambda tables, meta, *_: (tables, meta))
    key_id = Key(b"the key of a private test case").key_id
    params = project.case(
        "club", {"events": EVENTS}, public=False, prepare={"key_id": key_id}, studies=STUDIES
    )
    prepare(params, "club")
    folder = room.write_cells(params, "club", "retention")
    assert folder == project.root / "private" / "data" / "cells" / "club" / "retention"
    below = list((project.root / "private").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in below if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in below if path.is_dir()} == {0o700}


def test_tidy_tables_that_were_not_made_yet(project) -> None:
    params = project.case("shop", {"events": EVENTS}, studies=STUDIES)
    with pytest.raises(DataError, match=r"^No tidy tables of 'shop' yet\."):
        room.write_cells(params, "shop", "retention")


def test_ids_are_no_table_of_a_study(shop) -> None:
    assert "ids" not in open_tidy(shop, "shop").tables
    assert isinstance(open_tidy(shop, "shop").tables["events"], ibis.Table)
