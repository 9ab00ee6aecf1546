"""What a mapping makes of names and values, and what it may not say."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError, ParameterError
from sojourn.core.schema import CONTRACT
from sojourn.data.engine import connect
from sojourn.data.localtime import clock
from sojourn.data.prepare import prepare
from sojourn.data.reading import ROW, Written, bad, typed

MEMBERS = "member_id,joined_at\na,2025-01-01\nb,2025-01-02\n"
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)


def shop(project, events, *, file=None, **mapping):
    tables = {"members": MEMBERS, "events": events}
    project.case("shop", tables)
    section = project.content["cases"]["shop"]["prepare"]
    for name, content in mapping.items():
        section[name] = {"events": content} if isinstance(content, dict | list) else content
    if file:
        section["tables"]["events"] = {"file": section["tables"]["events"], **file}
    project.write()
    return project.params()


def events(made) -> list[dict[str, object]]:
    return pq.read_table(made / "events.parquet").to_pylist()


def findings(made) -> list[tuple[object, ...]]:
    rows = pq.read_table(made / "findings.parquet").to_pylist()
    keys = ("column", "level", "finding", "concerned")
    return [tuple(row[key] for key in keys) for row in rows if row["table"] == "events"]


def message(params, kind=DataError) -> str:
    with pytest.raises(kind) as raised:
        prepare(params, "shop")
    return str(raised.value)


def read(values: list[str | None], column: str, written: Written) -> tuple[list[object], list[bool]]:
    """Return values of one column of `events` as the door reads them, and which it cannot read."""
    rows = pd.DataFrame(
        {"member_id": "a", "occurred_at": "2025-01-01", "event": "x", "at": range(len(values))}
    )
    rows[column] = pd.array(values, dtype="string")
    engine = connect(threads=1)
    engine.con.register("frame", rows)
    raw = engine.table("frame")
    made = (
        typed(raw, CONTRACT["events"], clock("Europe/Berlin", last=AS_OF), written).order_by(ROW).to_pyarrow()
    )
    return made[column].to_pylist(), made[bad(column)].to_pylist()


def test_an_export_in_german_needs_no_reshaping(project) -> None:
    text = (
        "Kunde;Zeitpunkt;Ereignis;Betrag\n"
        "a;01.02.2025 13:30;Kauf;1.234,50\n"
        "b;02.02.2025 07:05;;\n"
        "b;03.02.2025 00:00;Rückgabe;-0,5\n"
    )
    params = shop(
        project,
        text,
        file={"delimiter": ";", "decimal": ",", "thousands": "."},
        columns={"Kunde": "member_id", "Zeitpunkt": "occurred_at", "Ereignis": "event", "Betrag": "amount"},
        values={"event": {"Kauf": "purchase", "": "visit", "Storno": "refund"}},
        times={"occurred_at": "%d.%m.%Y %H:%M"},
        clock="local",
    )
    made = prepare(params, "shop")
    assert [(row["event"], row["amount"]) for row in events(made)] == [
        ("purchase", Decimal("1234.5000")),
        ("visit", None),
        ("Rückgabe", Decimal("-0.5000")),
    ]
    assert str(events(made)[0]["occurred_at"]) == "2025-02-01 12:30:00+00:00"
    wrong = "no row has the value 'Storno', which `values` renames"
    assert ("event", "warning", wrong, 0) in findings(made)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.decimals(-(10**9), 10**9, places=3, allow_nan=False), min_size=1, max_size=20),
    st.sampled_from([(",", "."), (",", ""), (".", ","), (",", " "), (".", "'"), (".", "")]),
)
def test_numbers_read_back_whatever_their_marks(numbers, marks) -> None:
    decimal, thousands = marks
    swap = str.maketrans({",": thousands, ".": decimal})
    texts = [(f"{number:,f}" if thousands else f"{number:f}").translate(swap) for number in numbers]
    values, unread = read(texts, "amount", Written(decimal, thousands))
    assert values == numbers
    assert not any(unread)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (Written(","), ["1.5", "1,5,0", "1 5", "x", ","]),
        (Written(",", "."), ["1.5", "1.2345,0", "12.34", ".500", "1,234.5"]),
        (Written(".", ","), ["1,5", "1,2345", ",500", "1.234,5"]),
        (Written(",", " "), ["1  000", "10 00", "1.5"]),
    ],
)
def test_numbers_with_marks_in_wrong_places_are_none(written, wrong) -> None:
    values, unread = read(wrong, "amount", written)
    assert values == [None] * len(wrong)
    assert all(unread)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=10),
    st.sampled_from(["epoch_seconds", "epoch_milliseconds", "epoch_microseconds"]),
)
def test_times_since_1970_are_instants_whatever_the_clock(times, unit) -> None:
    size = {"epoch_seconds": 10**6, "epoch_milliseconds": 1000, "epoch_microseconds": 1}[unit]
    micros = [round(time.replace(tzinfo=UTC).timestamp()) * 10**6 for time in times]
    values, unread = read(
        [str(value // size) for value in micros], "recorded_at", Written(times={"recorded_at": unit})
    )
    assert values == [datetime.fromtimestamp(value // 10**6, UTC) for value in micros]
    assert not any(unread)


def test_times_of_another_unit_or_form_are_none() -> None:
    def unread(texts, written):
        return read(texts, "recorded_at", Written(times={"recorded_at": written}))[1]

    assert unread(["1750000000000", "x", "2025-01-01", ""], "epoch_seconds") == [True, True, True, False]
    assert unread(["1750000000.25"], "epoch_seconds") == [False]
    wrong = ["31.02.2025 10:00", "01.02.2025", "01.02.2025 10:00:00", "2025-02-01 10:00", "01.13.2025 10:00"]
    assert all(unread(wrong, "%d.%m.%Y %H:%M"))


def test_ids_as_whole_numbers_are_one_however_written() -> None:
    texts = ["7", "007", "7.0", " 7 ", "0", "70", "7.5", "x", "-7", ""]
    values, unread = read(texts, "member_id", Written(whole_ids=True))
    assert values == ["7", "7", "7", "7", "0", "70", None, None, None, None]
    assert unread == [False] * 6 + [True] * 3 + [False]


def test_a_product_of_two_columns_is_exact_and_flags_what_is_no_number(project) -> None:
    text = "member_id,occurred_at,event,n,price\na,2025-02-01,x,3,0.10\nb,2025-02-02,x,,0.10\n"
    made = prepare(shop(project, text, products={"amount": ["n", "price"]}), "shop")
    assert [row["amount"] for row in events(made)] == [Decimal("0.3000"), None]
    wrong = shop(project, text + "b,2025-02-03,x,2,free\n", products={"amount": ["n", "price"]})
    assert message(wrong).startswith(
        "events.amount: not an amount in 1 of 3 rows (for example row 3 '2 x free')."
    )


def test_rows_that_are_empty_are_left_out_only_where_it_is_said(project) -> None:
    text = "member_id,occurred_at,event\na,2025-02-01,x\n,2025-02-02,x\nb,2025-02-03,x\nb,never,x\n"
    kept = text.replace("b,never,x\n", "")
    made = prepare(shop(project, kept, leave_out_empty=["member_id"]), "shop")
    assert [row["member"] for row in events(made)] == [0, 1]
    assert ("member_id", "note", "empty", 1) in findings(made)
    assert message(shop(project, kept)).startswith("events.member_id: missing in 1 of 3 rows")
    # rows keep the numbers they have in the file
    assert "(for example row 4 'never')" in message(shop(project, text, leave_out_empty=["member_id"]))


def test_a_constant_for_a_column_that_is_there_is_refused(project) -> None:
    text = "member_id,occurred_at,Event\na,2025-02-01,x\n"
    assert message(shop(project, text, constants={"event": "message"})) == (
        "events.event: the table has this column, and the case states a constant for it. "
        "Take the constant out, or rename the column."
    )


def test_hostile_names_and_values_are_only_text(project) -> None:
    evil = "x'; DROP TABLE checked_members; --"
    text = f'"who"";--",occurred_at,"{evil}"\na,2025-02-01,"{evil}"\n'
    params = shop(
        project,
        text,
        columns={'who";--': "member_id", evil: "event"},
        values={"event": {evil: "'; DELETE FROM numbers; --"}},
        constants={"feature": "\"; ATTACH '/etc/passwd'"},
    )
    (row,) = events(prepare(params, "shop"))
    assert (row["event"], row["feature"]) == ("'; DELETE FROM numbers; --", "\"; ATTACH '/etc/passwd'")


# what a mapping may not say: parameter, its YAML below `events`, beginning of the error (@: of prepare)
WRONG = [
    ("columns", "{x: evnt}", "'evnt' is not a parameter of @columns.events. Did you mean 'event'?"),
    ("columns", "{x: event, y: event}", "'@columns.events' gives the name 'event' to two columns."),
    ("columns", "[x]", "'@columns.events' must be a mapping, got ['x']."),
    ("values", "{evnt: {a: b}}", "'evnt' is not a parameter of @values.events. Did you mean"),
    ("values", "{event: {a: yes}}", "'@values.events.event' must be a text, got True. Put it in"),
    ("values", "{event: {2025-01-01: b}}", "'@values.events.event' must be a text, got datetime"),
    ("constants", "{event: ''}", "'@constants.events.event' is empty. Leave it out"),
    ("constants", "{evnt: x}", "'evnt' is not a parameter of @constants.events. Did you mean 'event'?"),
    ("times", "{event: epoch_seconds}", "'@times.events.event' is no time: event holds categorys."),
    ("times", "{occurred_at: epoch}", "'@times.events.occurred_at' must be one of epoch_seconds,"),
    ("times", "{occurred_at: '%d.%m.'}", "'@times.events.occurred_at' must be one of"),
    ("times", "{occurred_at: '%Y-%m-%d %z'}", "'@times.events.occurred_at' holds %z, which is none"),
    ("products", "{event: [a, b]}", "'@products.events.event' is no amount: event holds categorys."),
    ("products", "{amount: [a]}", "'@products.events.amount' must name two columns of the file"),
    ("products", "{amount: a * b}", "'@products.events.amount' must name two columns of the file"),
    ("leave_out_empty", "[evnt]", "'evnt' is not a parameter of @leave_out_empty.events."),
    ("leave_out_empty", "event", "'@leave_out_empty.events' must be a list of columns, got 'event'."),
]  # fmt: skip


@pytest.mark.parametrize(("parameter", "said", "expected"), WRONG)
def test_what_a_mapping_may_not_say(project, parameter, said, expected) -> None:
    params = shop(
        project, "member_id,occurred_at,event\na,2025-02-01,x\n", **{parameter: yaml.safe_load(said)}
    )
    if not isinstance(yaml.safe_load(said), dict | list):
        project.content["cases"]["shop"]["prepare"][parameter] = {"events": yaml.safe_load(said)}
        project.write()
        params = project.params()
    assert message(params, ParameterError).startswith(expected.replace("@", "cases.shop.prepare."))


def test_a_column_may_come_from_one_place_only(project) -> None:
    params = shop(project, "x", columns={"x": "event"}, constants={"event": "y"})
    assert message(params, ParameterError) == (
        "'cases.shop.prepare' says twice where events.event comes from. "
        "State it once: in columns, constants or products."
    )


def test_a_table_of_a_mapping_is_one_of_the_contract(project) -> None:
    params = project.case("shop", {"events": "x"}, prepare={"values": {"event": {}}})
    assert message(params, ParameterError).startswith(
        "'event' is not a parameter of cases.shop.prepare.values. Did"
    )
