"""Each fault is what it says, and nothing else of the export changes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.schema import CONTRACT
from sojourn.world import write_world
from sojourn.world.bad import FAULTS, corrupt, export
from sojourn.world.bad.layouts import NAMES
from sojourn.world.bad.numbers import NOTHING
from sojourn.world.bad.page import bad_input_page
from sojourn.world.bad.rows import FORMULAS, GAP_DAYS, MARKUP

BERLIN = ZoneInfo("Europe/Berlin")
CODECS = {
    "windows_1252": "cp1252",
    "big5": "big5",
    "gb18030": "gb18030",
    "utf_8_mark": "utf-8-sig",
    "utf_16_little": "utf-16",
    "utf_16_big": "utf-16",
}
DELIMITERS = {"semicolons": ";", "tabs": "\t", "decimal_commas": ";", "thousands_points": ";"}
ENCODED = ("windows_1252", "big5", "gb18030")
REMOVED = ("gap_of_days", "partial_last_day", "header_only")


def of_kind(*kinds: str) -> list[str]:
    return [name for name, fault in FAULTS.items() if fault.changes in kinds]


def grid(path: Path, fault: str = "") -> list[list[str]]:
    """Return header and rows of a file as text, empty for a missing value."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        rows = zip(*[column.to_pylist() for column in table.columns], strict=True)
        return [table.column_names, *[["" if v is None else str(v) for v in row] for row in rows]]
    text = path.read_bytes().decode(CODECS.get(fault, "utf-8"))
    if fault == "title_line":
        text = text.split("\n", 1)[1]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS.get(fault, ","))
    return [row for row in lines if row]


@pytest.fixture(scope="module")
def exports(tables, tmp_path_factory) -> dict[bool, dict[str, Path]]:
    """Files of the exports without a fault, with ids as they are and with numbers for ids."""
    folder = tmp_path_factory.mktemp("clean")
    return {numbered: export(tables, folder / str(numbered), numbered=numbered) for numbered in (False, True)}


@pytest.fixture
def both(plant, exports):
    """Return the function that plants a fault and reads the table with and without it."""

    def planted(fault: str, **changes):
        bad, files = plant(fault, **changes), exports[FAULTS[fault].numbered]
        return bad, grid(files[bad.table]), grid(bad.files[bad.table], fault), files

    return planted


def z(text: str) -> datetime:
    return datetime.fromisoformat(text)


def local(text: str, zone: ZoneInfo = BERLIN) -> tuple[datetime, datetime]:
    """Return both instants at which a local clock may have shown a time."""
    shown = datetime.fromisoformat(text).replace(tzinfo=zone)
    return tuple(shown.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def same_local(old: str, new: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", new)) and z(old) in local(new)


def same_offset(old: str, new: str) -> bool:
    return bool(re.search(r"\+0[12]:00$", new)) and z(old) == z(new)


def since(old: str, new: str, step: timedelta, start: str = "1970-01-01T00:00:00Z") -> bool:
    return abs((z(start) + float(new) * step) - z(old)) < timedelta(seconds=1)


def written_as(pattern: str, exact: timedelta):
    return lambda old, new: abs(datetime.strptime(new + "Z", pattern + "%z") - z(old)) < exact


def one_of(*texts: str):
    return lambda _, new: new in texts


def nobody(_: str, new: str) -> bool:
    return new.startswith("nobody-")


#: By fault of one column: whether a value is what the old one ought to have become.
LOOKS = {
    "line_breaks_in_names": one_of("news\nletter", "shop\r\nwindow"),
    "quotes_in_names": one_of('the "best" friend', '"', "5' wall"),
    "delimiters_in_names": one_of("shop, town", "a;b|c\td"),
    "null_bytes": one_of("news\0letter"),
    "decimal_commas": lambda old, new: "." not in new and new.replace(",", ".") == old,
    "thousands_commas": one_of("1,234.50", "2,000,000.00"),
    "thousands_points": one_of("1.234,50", "2.000.000,00"),
    "thousands_spaces": one_of("1\u202f234.50", "2\u202f000\u202f000.00", "2 000 000.00"),
    "currency_signs": lambda old, new: new == f"{old} €",
    "noise_of_floats": lambda old, new: 0 < abs(Decimal(new) - Decimal(old)) < Decimal("1e-10"),
    "scientific_amounts": lambda old, new: "e-" in new and Decimal(new) == Decimal(old),
    "billion_order": one_of("1000000000.00"),
    "null_words_in_amounts": lambda old, new: old == "" and new in NOTHING,
    "null_words_in_names": one_of(*NOTHING),
    "null_words_in_times": lambda old, new: old == "" and new in NOTHING,
    "yes_and_no_in_german": lambda old, new: {"true": "WAHR", "false": "FALSCH"}[old] == new,
    "yes_and_no_as_numbers": lambda old, new: {"true": "1", "false": "0"}[old] == new,
    "years_of_two_digits": lambda old, new: new == old[2:],
    "local_times": same_local,
    "times_with_offset": same_offset,
    "times_with_offset_or_z": same_offset,
    "mixed_times": lambda old, new: (same_offset if "+" in new else same_local)(old, new),
    "names_of_time_zones": lambda old, new: (
        same_local(old, new.removesuffix(" Europe/Berlin")) and " Europe" in new
    ),
    "epoch_seconds": lambda old, new: since(old, new, timedelta(seconds=1)),
    "epoch_milliseconds": lambda old, new: since(old, new, timedelta(milliseconds=1)),
    "epoch_in_parquet": lambda old, new: since(old, new, timedelta(milliseconds=1)),
    "excel_days": lambda old, new: since(old, new, timedelta(days=1), "1899-12-30T00:00:00Z"),
    "day_first": written_as("%d.%m.%Y %H:%M:%S", timedelta(seconds=1)),
    "month_first": written_as("%m/%d/%Y %I:%M %p", timedelta(minutes=1)),
    "swapped_day_and_month": lambda old, new: new == f"{old[:5]}{old[8:10]}-{old[5:7]}{old[10:]}",
    "future_clocks": lambda old, new: z(new) - z(old) == timedelta(days=3653),
    "reset_clocks": one_of("1970-01-01T00:00:00Z"),
    "events_before_joining": lambda old, new: z(new) < z(old),
    "negative_durations": lambda old, new: z(new) < z(old),
    "ids_as_floats": lambda old, new: new == f"{old}.0",
    "ids_with_exponent": lambda old, new: (old, new) == ("1000000", "1e+06"),
    "ids_of_several_types": lambda old, new: new in (f"00{old}", f"{old}.0"),
    "padded_ids": lambda old, new: new == f"{old} ",
    "orphans": nobody,
    "orphan_referrers": nobody,
    "missing_values": lambda old, new: old and not new,
    "unknown_categories": one_of("xq-17", "test_do_not_use"),
    "respelt_categories": lambda old, new: new in (old.upper(), f"{old} "),
    "formulas_in_names": one_of(*FORMULAS),
    "markup_in_names": one_of(*MARKUP),
    "windows_1252": one_of(*NAMES["windows-1252"]),
    "big5": one_of(*NAMES["big5"]),
    "gb18030": one_of(*NAMES["gb18030"]),
}


def test_every_fault_is_described_and_has_a_table():
    assert all(
        name == fault.name and re.fullmatch(r"[a-z][a-z0-9_]+", name) for name, fault in FAULTS.items()
    )
    assert all(re.fullmatch(r"[A-Z1].+\.", fault.description) for fault in FAULTS.values())
    assert all(fault.table in CONTRACT for fault in FAULTS.values())
    assert len({fault.description for fault in FAULTS.values()}) == len(FAULTS)
    assert set(LOOKS) == {*of_kind("values"), *ENCODED}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_other_table_changes_and_the_same_chance_gives_the_same_bytes(fault, exports, plant):
    planted, again, files = plant(fault), plant(fault, out="again"), exports[FAULTS[fault].numbered]
    assert set(planted.files) == set(files)
    for name, path in planted.files.items():
        same = path.suffix == ".csv" and path.read_bytes() == files[name].read_bytes()
        assert same == (name != planted.table)
        assert again.files[name].read_bytes() == path.read_bytes()
    assert (planted.rows, planted.examples) == (again.rows, again.examples)
    assert planted.fault == fault
    assert planted.table == FAULTS[fault].table
    assert planted.expected == FAULTS[fault].expected
    assert planted.rows > 0
    assert len(planted.examples) == min(planted.rows, 3)


@pytest.mark.parametrize("fault", LOOKS)
def test_values_of_one_column_change_as_they_are_said_to(fault, both):
    planted, clean, bad, _ = both(fault)
    assert bad[0] == clean[0]
    place = clean[0].index(planted.column)
    pairs = [(old[place], new[place]) for old, new in zip(clean[1:], bad[1:], strict=True)]
    changed = [row for row, (old, new) in enumerate(pairs, start=1) if old != new]
    assert len(changed) == planted.rows
    assert tuple(changed[:3]) == planted.examples
    assert all(LOOKS[fault](*pairs[row - 1]) for row in changed)
    rest = [[value for i, value in enumerate(row) if i != place] for row in clean]
    assert rest == [[value for i, value in enumerate(row) if i != place] for row in bad]


@pytest.mark.parametrize("fault", [name for name in of_kind("layout") if name not in ENCODED])
def test_another_layout_holds_the_same(fault, both):
    planted, clean, bad, _ = both(fault)
    if fault == "ids_as_floats_in_parquet":
        assert pq.read_schema(planted.files["events"]).field("member_id").type == pa.float64()
        place = clean[0].index("member_id")
        clean = [clean[0], *[[f"{v}.0" if i == place else v for i, v in enumerate(r)] for r in clean[1:]]]
    assert bad == clean
    assert planted.rows == len(clean) - 1


@pytest.mark.parametrize(
    ("fault", "beginning"),
    [
        ("utf_8_mark", b"\xef\xbb\xbfmember_id,"),
        ("utf_16_little", b"\xff\xfem\0e\0m\0"),
        ("utf_16_big", b"\xfe\xff\0m\0e\0m"),
        ("title_line", b"Report of all events, confidential\nmember_id,"),
        ("web_page", b"<!DOCTYPE html>"),
    ],
)
def test_how_a_file_begins(fault, beginning, plant):
    planted = plant(fault)
    assert planted.files[planted.table].read_bytes().startswith(beginning)


@pytest.mark.parametrize(
    ("fault", "end"), [("line_ends_of_windows", b"\r\n"), ("line_ends_of_old_macs", b"\r")]
)
def test_how_lines_end(fault, end, both):
    planted, clean, _, files = both(fault)
    raw = planted.files["events"].read_bytes()
    assert raw == files["events"].read_bytes().replace(b"\n", end)
    assert raw.count(end) == len(clean)


def renamed(clean: list[str], bad: list[str]) -> list[tuple[str, str]]:
    return [(old, new) for old, new in zip(clean, bad, strict=True) if old != new]


@pytest.mark.parametrize("fault", of_kind("columns"))
def test_the_header_changes_and_the_rows_do_not(fault, both):
    planted, clean, bad, _ = both(fault)
    old, new, name = clean[0], bad[0], planted.column
    assert {
        "missing_column": lambda: new == [c for c in old if c != name] and name in old,
        "doubled_column": lambda: new == [*old, name] and name in old,
        "column_doubled_by_case": lambda: new == [*old, name] and name.lower() in old,
        "misspelt_column": lambda: [(a, len(a) - len(b)) for a, b in renamed(old, new)] == [(name, 1)],
        "foreign_column": lambda: [a for a, _ in renamed(old, new)] == [name],
        "padded_column": lambda: renamed(old, new) == [(name, f" {name} ")],
        "upper_case_columns": lambda: new == [c.upper() for c in old],
        "reordered_columns": lambda: new != old and sorted(new) == sorted(old),
        "extra_column": lambda: new == [*old, "shoe_size"],
        "formula_as_column": lambda: new == [*old, name] and name.startswith("="),
        "index_column": lambda: new == ["", *old],
    }[fault]()
    if fault == "reordered_columns":
        assert [[row[new.index(c)] for c in old] for row in bad[1:]] == clean[1:]
    else:
        first = int(fault == "index_column")
        kept = [i for i, c in enumerate(old) if fault != "missing_column" or c != name]
        found = [row[first : first + len(kept)] for row in bad[1:]]
        assert found == [[row[i] for i in kept] for row in clean[1:]]
    if fault.startswith(("doubled", "column_doubled")):
        assert all(row[-1] == row[old.index(name.lower())] for row in bad[1:])


@pytest.mark.parametrize("fault", of_kind("order"))
def test_rows_change_their_places_only(fault, both):
    planted, clean, bad, _ = both(fault)
    moved = [row for row, (old, new) in enumerate(zip(clean, bad, strict=True)) if old != new]
    assert sorted(clean[1:]) == sorted(bad[1:])
    # rows that are equal may change places without a trace
    assert len(moved) <= planted.rows < len(clean)
    if fault == "reversed_rows":
        assert bad[1:] == clean[:0:-1]


@pytest.mark.parametrize("fault", of_kind("rows"))
def test_rows_come_in_or_go_out_and_the_others_stay(fault, both):
    planted, clean, bad, _ = both(fault)
    before, after = (Counter(map(tuple, rows[1:])) for rows in (clean, bad))
    more, fewer = (before, after) if fault in REMOVED else (after, before)
    assert bad[0] == clean[0]
    assert not fewer - more
    assert (more - fewer).total() == planted.rows
    longer = clean if fault in REMOVED else bad
    assert {tuple(longer[row]) for row in planted.examples} <= set(more - fewer)


def test_what_is_doubled_stands_behind_its_original(both):
    for fault in ("doubled_events", "doubled_members"):
        planted, _, bad, _ = both(fault)
        assert all(bad[row] == bad[row - 1] for row in planted.examples)


def test_members_under_two_ids_differ_in_nothing_else(both):
    _, clean, bad, _ = both("members_under_two_ids")
    assert [[row[0].removeprefix("00"), *row[1:]] for row in bad[len(clean) :]] == [
        row for row in clean if f"00{row[0]}" in {new[0] for new in bad[len(clean) :]}
    ]


def test_rows_that_are_none(both):
    assert both("total_row")[2][-1] == ["Total", *[""] * (len(both("total_row")[1][0]) - 1)]
    assert both("header_again")[2][-1] == both("header_again")[1][0]


def test_a_bot_is_one_member_on_one_day(both):
    planted, clean, bad, _ = both("bots", bot_events=700)
    owner, time = clean[0].index("member_id"), clean[0].index("occurred_at")
    made = bad[len(clean) :]
    assert len(made) == planted.rows == 700
    assert len({row[owner] for row in made}) == len({row[time][:10] for row in made}) == 1
    assert len({row[time] for row in made}) > 600


def test_a_gap_is_a_week_without_events(both):
    _, clean, bad, _ = both("gap_of_days")
    time = clean[0].index("occurred_at")
    days, left = ({row[time][:10] for row in rows[1:]} for rows in (clean, bad))
    gone = sorted(days - left)
    assert (z(gone[-1]) - z(gone[0])).days < GAP_DAYS
    assert not [day for day in left if gone[0] <= day <= gone[-1]]
    assert max(left) == max(days)


def test_of_the_last_day_the_beginning_is_left(both):
    planted, clean, bad, _ = both("partial_last_day")
    time = clean[0].index("occurred_at")
    times = sorted(z(row[time]) for row in clean[1:])
    left = sorted(z(row[time]) for row in bad[1:])
    assert left == times[: -planted.rows]
    assert times[-1] - left[-1] < timedelta(hours=36)


def test_a_file_cut_off_begins_as_it_did(both):
    for fault in ("truncated_file", "truncated_last_field"):
        planted, clean, _, files = both(fault)
        raw, whole = planted.files["events"].read_bytes(), files["events"].read_bytes()
        assert whole.startswith(raw)
        assert planted.examples[0] == raw.count(b"\n")
        assert planted.rows == len(clean) - planted.examples[0]
        last, row = raw.decode().split("\n")[-1], ",".join(clean[planted.examples[0]])
        assert 0 < len(last) < len(row)
        fields = last.count(",") - row.count(",")
        assert fields < 0 if fault == "truncated_file" else fields == 0


def test_a_parquet_file_cut_off_is_none(plant):
    raw = plant("truncated_parquet").files["events"].read_bytes()
    assert raw.startswith(b"PAR1")
    assert not raw.endswith(b"PAR1")


def test_files_without_rows(plant):
    assert plant("empty_file").files["events"].read_bytes() == b""
    assert plant("header_only").files["events"].read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("fault", "old", "new"),
    [("delimiters_without_quotes", '"shop, town"', "shop, town"), ("quote_left_open", "", '"best friend')],
)
def test_names_that_break_their_row(fault, old, new, both):
    planted, clean, _, files = both(fault)
    lines, whole = (
        path["members"].read_text(encoding="utf-8").split("\n") for path in (planted.files, files)
    )
    changed = [row for row, (a, b) in enumerate(zip(whole, lines, strict=True)) if a != b]
    place = clean[0].index(planted.column)
    assert (len(changed), tuple(changed[:3])) == (planted.rows, planted.examples)
    for row in changed:
        values = [new if i == place else value for i, value in enumerate(clean[row])]
        assert lines[row] == ",".join(values)


def test_another_seed_plants_it_elsewhere(plant):
    assert plant("orphans").examples != plant("orphans", seed=4, out="other").examples


def test_a_closed_list_of_categories_makes_it_an_error(tables, tmp_path):
    at = pd.Timestamp("2025-01-01", tz="UTC")
    who = tables["members"]["member_id"].iloc[0]
    ledger = pd.DataFrame({"member_id": [who], "at": [at], "kind": ["earn"], "points": [5]})
    asked = {"out": tmp_path, "table": "ledger", "rng": np.random.default_rng(1)}
    planted = corrupt({**tables, "ledger": ledger}, "unknown_categories", **asked)
    assert (planted.table, planted.column, planted.expected) == ("ledger", "kind", "error")
    assert grid(planted.files["ledger"])[1] == [who, "2025-01-01T00:00:00Z", "xq-17", "5"]


@pytest.mark.parametrize("parts", [False, True])
def test_a_world_may_be_a_folder(parts, tables, plant, tmp_path):
    for name, frame in tables.items():
        path = tmp_path / "world" / (f"{name}/part-00000.parquet" if parts else f"{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path)
    asked = {"out": tmp_path / "other", "rng": np.random.default_rng(3)}
    other, planted = corrupt(tmp_path / "world", "orphans", **asked), plant("orphans")
    assert (other.rows, other.examples) == (planted.rows, planted.examples)
    assert all(path.read_bytes() == planted.files[name].read_bytes() for name, path in other.files.items())


def test_a_world_that_was_written_can_be_spoilt(tmp_path):
    write_world(tmp_path / "world", members=60, seed=1, as_of="2025-07-01T00:00:00Z")
    planted = corrupt(tmp_path / "world", "doubled_members", out=tmp_path, rng=np.random.default_rng(1))
    assert planted.files["members"].read_text(encoding="utf-8").count("\n") == 60 + planted.rows + 1


def test_what_cannot_be_planted_says_so(tables, tmp_path):
    asked = {"out": tmp_path, "rng": np.random.default_rng(1)}
    with pytest.raises(
        ParameterError, match=r"^'orphan' is not a parameter of FAULTS. Did you mean 'orphans'"
    ):
        corrupt(tables, "orphan", **asked)
    with pytest.raises(
        ParameterError, match=r"^'event' is not a parameter of the world. Did you mean 'events'"
    ):
        corrupt(tables, "orphans", table="event", **asked)
    with pytest.raises(ParameterError, match="bot_events"):
        corrupt(tables, "bots", bot_events=0, **asked)
    with pytest.raises(DataError, match=r"^assignments: the world has no column to plant this fault in"):
        corrupt(tables, "decimal_commas", table="assignments", **asked)
    with pytest.raises(DataError, match="has no row to plant"):
        corrupt({**tables, "events": tables["events"].iloc[:0]}, "shuffled_rows", **asked)
    with pytest.raises(DataError, match=r"^No table of a world in"):
        corrupt(tmp_path, "orphans", **asked)
    assert not list(tmp_path.iterdir())


def test_the_page_of_bad_input_is_made_of_what_the_door_says():
    said = json.loads(Path(__file__).with_name("said.json").read_text(encoding="utf-8"))
    page = (Path(__file__).parents[3] / "docs" / "bad-input.md").read_text(encoding="utf-8")
    assert page == bad_input_page(said), "run SOJOURN_REWRITE=1 pytest tests/world/bad"
    assert set(said) == {name for name, fault in FAULTS.items() if fault.expected != "accepted"}
    assert len(said) >= 60
