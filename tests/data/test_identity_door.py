"""What never passes the door: secrets, sensitive detail, refusals, what is too old, persons in names."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.patterns import found_in
from sojourn.core.schema import CONTRACT, GENDER_SPELLINGS, GENDERS
from sojourn.data.identity.personal import SOUGHT, _passes, _suspects
from sojourn.data.prepare import prepare
from sojourn.world import make_world
from sojourn.world.catalogue import WORLDS


def tidy_of(folder: Path) -> dict[str, list[dict]]:
    return {path.stem: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


def findings(folder: Path) -> dict[tuple[str, str], int]:
    with (folder / "quality.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["finding"]]
    return {(row["table"], row["finding"]): int(row["rows_concerned"]) for row in rows}


# --- grades -----------------------------------------------------------------------------------------------


def test_no_secret_column_is_behind_the_door_except_as_a_number() -> None:
    for table in CONTRACT.values():
        for column in table.columns:
            if column.grade == "secret" and column.name in table.tidy:
                assert (column.type, table.tidy[column.name]) == ("id", "id")  # stored as a dense integer
                assert column.name == "referred_by"
    assert {"member_id", "prospect_id", "comment"}.isdisjoint(
        name for table in CONTRACT.values() for name in table.tidy
    )


def test_every_sensitive_column_says_how_it_is_coarsened() -> None:
    sensitive = [c for table in CONTRACT.values() for c in table.columns if c.grade == "sensitive"]
    assert {column.name for column in sensitive} == {"birth_year", "gender"}
    for column in sensitive:
        assert column.coarsened
        replaced = CONTRACT["members"].column(column.becomes or column.name)
        assert (replaced.grade_behind or replaced.grade) == "internal"
        assert not (column.becomes and column.name in CONTRACT["members"].tidy)


SPELLINGS = [
    *((written, gender) for gender, spellings in GENDER_SPELLINGS.items() for written in spellings),
    (" Female ", "woman"), ("MÄNNLICH", "man"), ("divers", GENDERS[2]), ("x", GENDERS[2]), ("9", GENDERS[2]),
    ("", GENDERS[2]), ("womanish", GENDERS[2]),
]  # fmt: skip


def test_gender_is_one_of_three_whatever_was_written(project) -> None:
    frame = pd.DataFrame(SPELLINGS, columns=["gender", "expected"])
    frame["member_id"] = [f"m{i:03}" for i in range(len(frame))]
    frame["joined_at"] = "2025-01-01"
    events = frame.assign(occurred_at="2025-02-01", event="login")[["member_id", "occurred_at", "event"]]
    params = project.case("shop", {"members": frame.drop(columns="expected"), "events": events})
    folder = prepare(params, "shop")
    assert [m["gender"] for m in tidy_of(folder)["members"]] == frame["expected"].tolist()
    [(_, rows)] = [found for found in findings(folder).items() if "known spelling" in found[0][1]]
    assert rows == 4


def test_without_gender_nothing_is_made_up(project) -> None:
    params = project.case("shop", {"events": "member_id,occurred_at,event\na,2025-01-01,x\n"})
    assert tidy_of(prepare(params, "shop"))["members"][0]["gender"] is None


# --- persons in names -------------------------------------------------------------------------------------

EVENTS = "member_id,occurred_at,event,feature,item_id\n"
BAD = {
    "an e-mail address": ("feature", "mail to ada@example.org", "an e-mail address"),
    "a phone number": ("feature", "call +49 30 1234567", "a phone number"),
    "a card": ("feature", "4111 1111 1111 1111", "a payment card"),
    "an account": ("item_id", "DE89370400440532013000", "a bank account"),
    "a name of an event": ("event", "ada@example.org", "an e-mail address"),
}


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("name", BAD)
def test_a_person_in_a_name_is_an_error_that_shows_no_value(project, monkeypatch, name, public) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "a key of the test, long enough")
    from sojourn.data.pseudonyms import Key

    column, value, kind = BAD[name]
    row = {"event": "login", "feature": "x", "item_id": "i-1", column: value}
    lines = [f"a,2025-01-01,{row['event']},{row['feature']},{row['item_id']}\n"] * 3
    key_id = None if public else Key(b"a key of the test, long enough").key_id
    params = project.case(
        "shop", {"events": EVENTS + "".join(lines)}, public=public, prepare={"key_id": key_id}
    )
    with pytest.raises(DataError, match=rf"events\.{column}: .* 1 with what looks like {kind}") as error:
        prepare(params, "shop")
    assert value not in str(error.value)
    assert not (params.places("shop").tidy).exists()


def test_numbers_of_items_are_no_numbers_of_persons(project) -> None:
    items = ["4006381333931", "4111111111111111", "00491234567890", "0301234567", "12345678"]
    lines = "".join(f"a,2025-01-01,login,x,{item}\n" for item in items)
    folder = prepare(project.case("shop", {"events": EVENTS + lines}), "shop")
    assert len(tidy_of(folder)["events"]) == len(items)


@pytest.mark.parametrize("world", sorted(WORLDS))
def test_no_world_raises_a_false_alarm(world) -> None:
    tables = make_world(members=200, seed=3, as_of="2025-07-01T00:00:00Z", world=world).tables
    columns = [
        (frame[column.name], column)
        for name, frame in tables.items()
        if name in CONTRACT
        for column in CONTRACT[name].columns
        if column.name in frame.columns and _passes(column)
    ]
    assert len(columns) > 10
    for values, column in columns:
        distinct = pa.array(values.dropna().astype(str).unique(), pa.string())
        assert [value for value in _suspects(distinct, column) if found_in(value, SOUGHT)] == []


def test_what_never_passes_the_door_is_not_scanned(project) -> None:
    responses = (
        "member_id,asked_at,survey,answered_at,score,comment\n"
        "a,2025-02-01,NPS,2025-02-02,9,write to ada@example.org\n"
    )
    params = project.case("shop", {"events": EVENTS + "a,2025-01-01,x,y,z\n", "responses": responses})
    [row] = tidy_of(prepare(params, "shop"))["responses"]
    assert "comment" not in row


# --- consent ----------------------------------------------------------------------------------------------


def world_tables(refused: set[str] = frozenset()) -> dict[str, pd.DataFrame]:
    """Return all thirteen tables of a small world; some members refuse."""
    drawn = make_world(members=400, seed=5, as_of="2025-07-01T00:00:00Z").tables
    tables = {name: table.copy() for name, table in drawn.items() if len(table)}
    members = tables["members"]
    members["consent"] = members["consent"].astype("boolean") & ~members["member_id"].isin(refused)
    return tables


def test_who_refuses_later_is_in_no_table_any_more(project) -> None:
    tables = world_tables()
    prepare_ = {"as_of": "2025-07-01T00:00:00Z", "after_as_of": "leave_out"}
    before = tidy_of(prepare(project.case("shop", tables, prepare=prepare_), "shop"))
    brought = {
        "members",
        "events",
        "spells",
        "messages",
        "touches",
        "costs",
        "ledger",
        "responses",
        "tickets",
    }
    assert brought <= set(before)
    agreed = tables["members"].loc[tables["members"]["consent"].fillna(True), "member_id"]
    referrers = set(tables["members"]["referred_by"].dropna()) & set(agreed)
    refused = set(agreed.iloc[::3]) | set(sorted(referrers)[:5])
    kept = world_tables(refused)
    folder = prepare(project.case("shop", kept, prepare=prepare_), "shop")
    after = tidy_of(folder)
    # The same as if they had never been there: their rows gone, their referrals empty, their prospects too.
    gone = {*tables["members"]["member_id"]} - (set(agreed) - refused)
    without = {}
    prospects = set(kept["touches"].loc[kept["touches"]["member_id"].isin(gone), "prospect_id"])
    for name, table in kept.items():
        left = table[~table["member_id"].isin(gone)] if "member_id" in table else table
        without[name] = left[~left["prospect_id"].isin(prospects)] if "prospect_id" in left else left
    alone = tidy_of(prepare(project.case("alone", without, prepare=prepare_), "alone"))
    for name in CONTRACT:
        assert after.get(name) == alone.get(name), name
    assert after["ids"] == alone["ids"]
    assert len(after["members"]) == len(before["members"]) - len(refused)
    [(_, counted)] = [found for found in findings(folder).items() if found[0][1].startswith("no consent")]
    assert counted == len(gone)


def test_prospects_of_those_who_refuse_go_with_rows_that_name_no_member(project) -> None:
    members = "member_id,joined_at,consent\na,2025-01-05,false\nb,2025-01-05,true\n"
    events = "member_id,occurred_at,event\na,2025-02-01,x\nb,2025-02-01,x\n"
    touches = (
        "prospect_id,member_id,touched_at,medium\np,a,2025-01-02,tv\np,,2025-01-01,tv\n"
        "q,b,2025-01-02,tv\nq,,2025-01-01,tv\nr,,2025-01-01,tv\n"
    )
    params = project.case("shop", {"members": members, "events": events, "touches": touches})
    after = tidy_of(prepare(params, "shop"))["touches"]
    assert [(row["prospect"], row["member"]) for row in after] == [(0, 0), (0, None), (1, None)]


# --- retention limit --------------------------------------------------------------------------------------

LIMIT = {"retention_limit_days": 100}  # before 1 July 2025: 23 March 2025
OLD_MEMBERS = (
    "member_id,joined_at,churned_at,referred_by\n"
    "left-long-ago,2024-01-01,2025-03-22T23:59:59Z,\n"
    "left-since,2024-01-01,2025-03-23T00:00:00Z,left-long-ago\n"
    "still-here,2024-02-01,,left-since\n"
)
OLD_EVENTS = (
    "member_id,occurred_at,event\nleft-long-ago,2025-01-01,x\nleft-since,2025-03-22,x\n"
    "still-here,2025-03-22T23:59:59.999999Z,x\nstill-here,2025-03-23T00:00:00Z,x\nstill-here,2025-06-01,x\n"
)


def test_what_is_older_than_the_limit_is_left_out_and_counted(project) -> None:
    spells = (
        "member_id,started_at,ended_at,plan\nstill-here,2024-02-01,2025-03-01,a\n"
        "still-here,2025-03-01,2025-04-01,b\nstill-here,2024-06-01,,c\n"
    )
    items = "item_id,published_at\ni,2020-01-01\n"
    tables = {"members": OLD_MEMBERS, "events": OLD_EVENTS, "spells": spells, "items": items}
    folder = prepare(project.case("shop", tables, prepare=LIMIT), "shop")
    after = tidy_of(folder)
    assert [(m["member"], m["joined_at"].year, m["referred_by"]) for m in after["members"]] == [
        (0, 2024, None),
        (1, 2024, 0),
    ]
    limit = datetime(2025, 3, 23, tzinfo=UTC)
    assert [e["occurred_at"] for e in after["events"]] == [limit, datetime(2025, 6, 1, tzinfo=UTC)]
    assert [s["plan"] for s in after["spells"]] == ["c", "b"]  # what lasts is not over
    assert len(after["items"]) == 1  # nobody's
    said = json.loads((folder / "tidy.json").read_text(encoding="utf-8"))
    assert said["observed_from"] == "2025-03-23T00:00:00Z"
    counted = {table: rows for (table, text), rows in findings(folder).items() if "limit of 100 days" in text}
    assert counted == {"members": 1, "events": 3, "spells": 1}


def test_without_an_end_of_membership_who_is_silent_since_the_limit_goes(project) -> None:
    events = (
        "member_id,occurred_at,event\nsilent,2025-01-01,x\nback,2024-01-01,x\nback,2025-04-01,x\n"
        "new,2025-05-01,x\n"
    )
    folder = prepare(project.case("shop", {"events": events}, prepare=LIMIT), "shop")
    after = tidy_of(folder)
    assert [m["joined_at"].year for m in after["members"]] == [2024, 2025]  # joining is not made younger
    assert [e["member"] for e in after["events"]] == [0, 1]
    assert len(after["ids"]) == 2
    [(_, rows)] = [found for found in findings(folder).items() if "neither joined nor active" in found[0][1]]
    assert rows == 1


def test_a_limit_before_all_data_changes_nothing(project) -> None:
    tables = {"members": OLD_MEMBERS, "events": OLD_EVENTS}
    plain = prepare(project.case("shop", tables), "shop")
    limited = prepare(project.case("wide", tables, prepare={"retention_limit_days": 5000}), "wide")
    for path in plain.glob("*.parquet"):
        if path.stem in {*CONTRACT, "ids"}:
            assert path.read_bytes() == (limited / path.name).read_bytes() or path.stem == "ids"
    observed = [json.loads((f / "tidy.json").read_text())["observed_from"] for f in (plain, limited)]
    assert observed[0] == observed[1]


@pytest.mark.parametrize("bad", [0, -1, 1.5, "100", True])
def test_a_limit_is_a_whole_number_of_days(project, bad) -> None:
    params = project.case("shop", {"events": OLD_EVENTS}, prepare={"retention_limit_days": bad})
    with pytest.raises(ParameterError, match="must be a whole number of days of at least 1"):
        prepare(params, "shop")


# --- rewriting text keeps every byte ----------------------------------------------------------------------


@settings(deadline=None)
@given(
    fields=st.lists(st.text(alphabet='ab,"\n\r é', max_size=6), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r", ""]),
)
def test_fields_joined_are_the_record_and_say_what_the_csv_module_reads(fields, end) -> None:
    from sojourn.data.identity.text_rows import fields_of, value_of

    record = ",".join('"' + field.replace('"', '""') + '"' for field in fields) + end
    found = fields_of(record, ",", '"')
    assert found is not None
    assert ",".join(found) == record
    assert [value_of(field, '"') for field in found] == fields
