"""A table that is a folder of Parquet files comes through the door as one file would."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sojourn.core.errors import DataError
from sojourn.core.schema import CONTRACT
from sojourn.data.checked import Raw, _is_typed
from sojourn.data.engine import connect
from sojourn.data.parts import rows_of
from sojourn.data.prepare import prepare
from sojourn.data.sources.files import Asked, open_file
from sojourn.data.sources.stated import File
from sojourn.data.writing import write_tidy

MEMBERS = pd.DataFrame({"member_id": ["a1", "a2"], "joined_at": ["2025-01-01", "2025-01-02"]})


def events(n: int, first: int = 0) -> pd.DataFrame:
    """Return events of two members, a second apart, whose amounts number them."""
    at = pd.date_range("2025-01-03T00:00:00Z", periods=first + n, freq="s", unit="us")[first:]
    whose = [f"a{1 + i % 2}" for i in range(first, first + n)]
    return pd.DataFrame(
        {"member_id": whose, "occurred_at": at, "event": "purchase", "amount": range(first, first + n)}
    )


def write_parts(folder: Path, *parts: pd.DataFrame, names: list[str] | None = None) -> str:
    folder.mkdir(parents=True)
    for number, part in enumerate(parts):
        name = names[number] if names else f"part-{number:05}.parquet"
        part.to_parquet(folder / name, index=False, row_group_size=1_000)
    return folder.name


def shop(project, *parts: pd.DataFrame, **how):
    where = write_parts(project.root / "events", *parts, **how)
    return project.case("shop", {"members": MEMBERS}, prepare={"tables": {"members": "m", "events": where}})


@pytest.fixture
def members(project) -> None:
    write_parts(project.root / "m", MEMBERS.iloc[:1], MEMBERS.iloc[1:])


def message(params) -> str:
    with pytest.raises(DataError) as raised:
        prepare(params, "shop")
    return str(raised.value)


def test_parts_are_what_one_file_would_be(project, members) -> None:
    together = project.case("one", {"members": MEMBERS, "events": events(5_000)})
    one = prepare(together, "one")
    parts = prepare(shop(project, events(3_000), events(2_000, first=3_000)), "shop")
    for table in ("members", "events"):
        assert (one / f"{table}.parquet").read_bytes() == (parts / f"{table}.parquet").read_bytes()


def test_rows_stand_in_the_order_of_the_names_of_parts(project) -> None:
    parts = [events(40_000, first=40_000 * k) for k in range(4)]
    folder = project.root / "events"
    write_parts(folder, *parts[::-1], names=["d.parquet", "c.parquet", "b.parquet", "a.parquet"])
    asked = Asked("events", folder, "events", "shop")
    table = open_file(connect(threads=2), File("events"), asked).table
    assert table.to_pyarrow()["amount"].to_pylist() == list(range(160_000))


def test_a_row_is_numbered_over_all_parts(project, members) -> None:
    late = events(1_000, first=3_000).assign(member_id=["a1"] * 499 + ["stranger"] + ["a2"] * 500)
    assert "in 1 of 4,000 rows (for example row 3,500 'stranger')" in message(
        shop(project, events(3_000), late)
    )


def test_notes_of_other_programs_are_passed_over(project, members) -> None:
    params = shop(project, events(10))
    for name in ("_SUCCESS", ".part-00000.parquet.crc"):
        (project.root / "events" / name).write_text("", encoding="utf-8")
    assert pq.read_metadata(prepare(params, "shop") / "events.parquet").num_rows == 10


def test_a_folder_may_be_named_like_a_file(project, members) -> None:
    write_parts(project.root / "all.parquet", events(10))
    params = project.case("shop", prepare={"tables": {"members": "m", "events": "all.parquet"}})
    assert pq.read_metadata(prepare(params, "shop") / "events.parquet").num_rows == 10


def test_an_empty_folder(project, members) -> None:
    assert message(shop(project)) == (
        "events: the folder events holds no Parquet file. It may hold the parts of the table only."
    )


@pytest.mark.parametrize(
    "name",
    [
        "part-00001.csv",
        "part-00001.parquet.part",
        "older/part-00000.parquet",
        "older.parquet/part-00000.parquet",
    ],
)
def test_a_folder_that_holds_something_else(project, members, name) -> None:
    params = shop(project, events(10))
    path = project.root / "events" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("else", encoding="utf-8")
    assert message(params) == (
        f"events: the folder events holds '{name.split('/')[0]}', which is no Parquet file. "
        "It may hold the parts of the table only."
    )


def test_a_part_that_is_broken(project, members) -> None:
    params = shop(project, events(10), events(10, first=10))
    part = project.root / "events" / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:100])
    assert message(params) == (
        "events: events/part-00001.parquet cannot be read (it is no Parquet file). "
        "Write it as CSV in UTF-8 or as Parquet."
    )


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (
            events(9).drop(columns="amount"),
            ("events.amount", "the column of part-00000.parquet is missing in part-00001.parquet"),
        ),
        (
            events(9).assign(extra=1),
            ("events.extra", "the column of part-00001.parquet is missing in part-00000.parquet"),
        ),
        (
            events(9).assign(amount="9.50"),
            ("events.amount", "the column of part-00000.parquet is of another type in part-00001.parquet"),
        ),
        (
            events(9).astype({"occurred_at": "int64"}),
            (
                "events.occurred_at",
                "the column of part-00000.parquet is of another type in part-00001.parquet",
            ),
        ),
    ],
)
def test_parts_that_differ(project, members, other, difference) -> None:
    where, how = difference
    assert message(shop(project, events(9), other)) == (
        f"{where}: the parts in events are not alike: {how}. Write all parts with the same columns and types."
    )


def test_what_programs_note_beside_the_columns_is_no_difference(project, members) -> None:
    """Pandas marks categories, and the order of columns is free."""
    other = events(9, first=9).astype({"event": "category"})[["event", "amount", "occurred_at", "member_id"]]
    made = prepare(shop(project, events(9), other), "shop")
    assert pq.read_table(made / "events.parquet")["amount"].to_pylist() == [
        *range(0, 18, 2),
        *range(1, 18, 2),
    ]


def test_a_table_without_rows_is_an_error_of_files_and_left_out_of_a_world(project, members) -> None:
    nothing = events(10).iloc[:0].astype({"member_id": "string", "event": "string"})
    assert message(shop(project, nothing, nothing)).startswith("events: events has no rows.")
    folder = project.root / "data" / "raw" / "drawn"
    for name, table in {"members": MEMBERS, "events": events(10), "costs": nothing}.items():
        write_parts(folder / name, table)
    params = project.case("drawn", prepare={"source": "world", "tables": {}, "members": 2})
    made = prepare(params, "drawn")
    assert not (made / "costs.parquet").exists()
    raw = {name: folder / name for name in ("members", "events", "costs")}
    assert (prepare(params, "drawn", raw=raw) / "events.parquet").exists()


def test_rows_are_counted_over_parts(tmp_path) -> None:
    write_parts(tmp_path / "events", events(10), events(5))
    assert rows_of(tmp_path / "events") == 15


def test_parts_that_are_written_to_while_they_are_read_stop_the_door(project, members, monkeypatch) -> None:
    params = shop(project, events(300), events(200, first=300))
    part = project.root / "events" / "part-00001.parquet"

    def written(*all_of):
        if all_of[1].contract.name == "events":
            events(200, first=299).to_parquet(part, index=False)
        return write_tidy(*all_of)

    monkeypatch.setattr("sojourn.data.prepare.write_tidy", written)
    said = message(params)
    assert (
        said == "events: events was written to while it was read. Run this again when nothing writes there."
    )
    assert not params.places("shop").tidy.exists()


def test_a_copy_of_the_rows_and_reading_the_files_again_are_the_same(project, members, monkeypatch) -> None:
    params = shop(project, events(300), events(200, first=300))
    again = prepare(params, "shop", into=project.root / "again")
    monkeypatch.setattr("sojourn.data.checked._is_typed", lambda *_: False)
    copied = prepare(params, "shop", into=project.root / "copied")
    for path in again.iterdir():
        assert path.read_bytes() == (copied / path.name).read_bytes(), path.name


def test_texts_that_must_be_understood_are_copied(project, members) -> None:
    stamped = events(300).assign(occurred_at=lambda table: table.occurred_at.map(lambda at: at.isoformat()))
    engine = connect()
    [raw, typed] = [
        Raw("events", engine.create_table(name, table), name, "utc", files={project.root: (0, 0)})
        for name, table in (("stamped", stamped), ("typed", events(300)))
    ]
    assert not _is_typed(raw, CONTRACT["events"])
    assert _is_typed(typed, CONTRACT["events"])
