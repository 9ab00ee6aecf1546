"""Every bad input gets one clear error, whose whole text is the expectation; earlier output stays whole."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sojourn.core.errors import DataError, ParameterError
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import Key
from sojourn.data.settings import KNOWN

MEMBERS = "member_id,joined_at,churned_at\na1,2025-01-01,2025-02-01\na2,2025-01-02,\na3,2025-01-03,\n"
HEAD = "member_id,occurred_at,event,amount\n"
EVENTS = HEAD + "a1,2025-01-05,purchase,10\na2,2025-01-06,login,\na3,2025-01-07,login,\n"
SOUND = {"members": MEMBERS, "events": EVENTS}


def events(*rows: str) -> dict[str, str]:
    return {"events": HEAD + "".join(row + "\n" for row in rows)}


def members(*rows: str, head: str = "member_id,joined_at,churned_at") -> dict[str, str]:
    return {"members": head + "\n" + "".join(row + "\n" for row in rows)}


OUT_OF_ORDER = members("a1,2025-01-05,2025-01-04", "a2,2025-01-02,", "a3,2025-01-03,")
ASSIGNED = "trial,member_id,scheme,assigned_at\nmain,a1,none,2025-01-02\nmain,a1,none,2025-01-03\n"

# what is wrong, tables that differ from the sound ones, and the whole text of the error
BAD_TABLES = [
    (
        "missing column",
        {"events": "member_id,occured_at,event\na1,2025-01-05,login\n"},
        (
            "events.occurred_at: the column is missing from all rows; found event, member_id, occured_at. "
            "Did you mean 'occured_at'?"
        ),
    ),
    (
        "missing column without a near one",
        {"events": "member_id,occurred_at,kind\na1,2025-01-05,login\n"},
        (
            "events.event: the column is missing from all rows; found kind, member_id, occurred_at. "
            "Rename it in the case's `prepare.columns`."
        ),
    ),
    (
        "wrong type of a whole column",
        {"events": pd.DataFrame({"member_id": ["a1"], "occurred_at": [20250105], "event": ["login"]})},
        (
            "events.occurred_at: wrong type in all 1 rows: found int64, expected a time. "
            "Write the column as the contract in data/README.md says."
        ),
    ),
    (
        "ids that became floats",
        {
            "events": pd.DataFrame(
                {"member_id": [1.0, 2.0], "occurred_at": ["2025-01-05"] * 2, "event": ["x"] * 2}
            )
        },
        (
            "events.member_id: wrong type in all 2 rows: found float64, expected an id. "
            "Write the column as the contract in data/README.md says."
        ),
    ),
    (
        "amounts that are none",
        events("a1,2025-01-05,purchase,ten", "a2,2025-01-06,purchase,nan", "a3,2025-01-06,purchase,1.5"),
        (
            "events.amount: not an amount in 2 of 3 rows (for example row 1 'ten', row 2 'nan'). "
            "Write numbers such as 1234.50, with at most 14 digits before the point."
        ),
    ),
    (
        "infinite amounts",
        {
            "events": pd.DataFrame(
                {"member_id": ["a1"], "occurred_at": ["2025-01-05"], "event": ["x"], "amount": [float("inf")]}
            )
        },
        (
            "events.amount: not an amount in 1 of 1 rows (for example row 1 'inf'). "
            "Write numbers such as 1234.50, with at most 14 digits before the point."
        ),
    ),
    (
        "unparsable times",
        events(
            "a1,2025-01-05,login,", "a2,soon,login,", "a3,2025-02-30,login,", "a3,05/01/2025,x,", "a3,1,x,"
        ),
        (
            "events.occurred_at: not a time in 4 of 5 rows (for example row 2 'soon', row 3 '2025-02-30', "
            "row 4 '05/01/2025'). Write times as ISO 8601, such as 2025-03-01T09:30:00Z."
        ),
    ),
    (
        "missing times",
        events("a1,,login,", "a2,2025-01-06,login,"),
        "events.occurred_at: missing in 1 of 2 rows (for example row 1). Fill it or leave those rows out.",
    ),
    (
        "missing ids",
        events(",2025-01-06,login,", "a2,2025-01-06,login,"),
        "events.member_id: missing in 1 of 2 rows (for example row 1). Fill it or leave those rows out.",
    ),
    (
        "years of birth that are no whole numbers",
        members(
            "a1,2025-01-01,1990.5", "a2,2025-01-01,x", "a3,2025-01-01,", head="member_id,joined_at,birth_year"
        ),
        (
            "members.birth_year: not a whole number in 2 of 3 rows (for example row 1 '1990.5', row 2 'x'). "
            "Write whole numbers without separators."
        ),
    ),
    (
        "consent that is neither yes nor no",
        members(
            "a1,2025-01-01,maybe", "a2,2025-01-01,yes", "a3,2025-01-01,", head="member_id,joined_at,consent"
        ),
        "members.consent: not yes or no in 1 of 3 rows (for example row 1 'maybe'). Write true or false.",
    ),
    (
        "an unknown age band",
        members(
            "a1,2025-01-01,18-24", "a2,2025-01-01,old", "a3,2025-01-01,", head="member_id,joined_at,age_band"
        ),
        (
            "members.age_band: an unknown value in 1 of 3 rows (for example row 2 'old'). "
            "Write one of 18-24, 25-34, 35-44, 45-54, 55+, unknown."
        ),
    ),
    (
        "duplicate ids",
        members("a1,2025-01-01,", "a2,2025-01-02,", "a1,2025-01-03,", "a3,2025-01-03,", "a1,2025-01-03,"),
        (
            "members.member_id: repeats an earlier row in 2 of 5 rows (for example row 3 'a1', row 5 'a1'). "
            "Keep one row for each member_id."
        ),
    ),
    (
        "assigned twice in one trial",
        {"assignments": ASSIGNED},
        (
            "assignments.member_id: repeats an earlier row in 1 of 2 rows (for example row 2 'a1'). "
            "Keep one row for each trial and scheme and member_id."
        ),
    ),
    (
        "churn before joining",
        OUT_OF_ORDER,
        (
            "members.churned_at: before joined_at in 1 of 3 rows (for example row 1 '2025-01-04T00:00:00Z'). "
            "Nothing ends before it begins; correct one of both."
        ),
    ),
    (
        "an event after as_of",
        events("a1,2025-07-01T00:00:00Z,login,", "a2,2025-07-01T00:00:01Z,login,"),
        (
            "events.occurred_at: after as_of (2025-07-01T00:00:00Z) in 1 of 2 rows (for example row 2 "
            "'2025-07-01T00:00:01Z'). Set a later as_of, or after_as_of: leave_out."
        ),
    ),
    (
        "churn after as_of",
        members("a1,2025-01-01,2025-08-01", "a2,2025-01-02,", "a3,2025-01-03,"),
        (
            "members.churned_at: after as_of (2025-07-01T00:00:00Z) in 1 of 3 rows (for example row 1 "
            "'2025-08-01T00:00:00Z'). Set a later as_of, or after_as_of: leave_out."
        ),
    ),
    (
        "events of members who are not there",
        events("a1,2025-01-05,login,", "zz,2025-01-06,login,", "yy,2025-01-06,login,"),
        (
            "events.member_id: a member that `members` does not have in 2 of 3 rows (for example row 2 'zz', "
            "row 3 'yy'). Add these members to the table `members`, "
            "or leave the table out to derive it from `events`."
        ),
    ),
    (
        "a negative price",
        {"spells": "member_id,started_at,plan,price\na1,2025-01-01,annual,-1\na2,2025-01-01,annual,0\n"},
        "spells.price: below 0 in 1 of 2 rows (for example row 1 '-1.0000'). Write 0 or more.",
    ),
    (
        "a negative cost",
        {"costs": "what,member_id,amount,at\ncoupon,a1,-2.5,2025-01-01\n"},
        "costs.amount: below 0 in 1 of 1 rows (for example row 1 '-2.5000'). Write 0 or more.",
    ),
    (
        "a spell that ends before it begins",
        {"spells": "member_id,started_at,ended_at,plan\na1,2025-01-05,2025-01-01,annual\n"},
        (
            "spells.ended_at: before started_at in 1 of 1 rows (for example row 1 '2025-01-01T00:00:00Z'). "
            "Nothing ends before it begins; correct one of both."
        ),
    ),
    (
        "an empty table",
        events(),
        "events: incoming/shop/events.csv has no rows. Fill it, or take the table out of the case.",
    ),
    (
        "an empty file",
        {"events": ""},
        (
            "events: incoming/shop/events.csv cannot be read (it has no header). "
            "Write it as CSV in UTF-8 or as Parquet."
        ),
    ),
    (
        "a header that names a column twice",
        {"events": "member_id,event,event\na1,x,y\n"},
        (
            "events: incoming/shop/events.csv cannot be read (the header names event twice). "
            "Write it as CSV in UTF-8 or as Parquet."
        ),
    ),
    (
        "rows of another length",
        {"events": EVENTS + "a1,2025-01-05,login,1,2,3,4\n"},
        (
            "events: incoming/shop/events.csv cannot be read "
            "(its rows are broken at line 5: the header has 4 fields, this row 5). "
            "Put fields that hold a delimiter into quotes, and check that the file came whole."
        ),
    ),
]


#: What an earlier run has left in the tidy folder.
EARLIER = {"tidy.json": b"{}", "events.parquet": b"rows", "members.parquet": b"rows"}


@pytest.mark.parametrize(
    ("tables", "message"), [row[1:] for row in BAD_TABLES], ids=[row[0] for row in BAD_TABLES]
)
def test_a_table_that_breaks_the_contract(project, tables, message) -> None:
    params = project.case("shop", {**SOUND, **tables})
    made = params.places("shop").tidy
    made.mkdir(parents=True)
    for name, content in EARLIER.items():
        (made / name).write_bytes(content)
    with pytest.raises(DataError) as raised:
        prepare(params, "shop")
    assert str(raised.value) == message
    assert {path.name: path.read_bytes() for path in made.iterdir()} == EARLIER
    assert [path.name for path in made.parent.iterdir()] == ["shop"]


# the same without a table of members: the error is named where it is
BAD_EVENTS_ALONE = [
    (
        events("a1,2025-08-01,login,", "a2,2025-01-06,login,"),
        (
            "events.occurred_at: after as_of (2025-07-01T00:00:00Z) in 1 of 2 rows (for example row 1 "
            "'2025-08-01T00:00:00Z'). Set a later as_of, or after_as_of: leave_out."
        ),
    ),
    (
        events("a1,soon,login,"),
        (
            "events.occurred_at: not a time in 1 of 1 rows (for example row 1 'soon'). "
            "Write times as ISO 8601, such as 2025-03-01T09:30:00Z."
        ),
    ),
    (
        events(),
        "events: incoming/shop/events.csv has no rows. Fill it, or take the table out of the case.",
    ),
    (
        events("a1,2025-01-05,login,", "a1,2025-01-05,login,1,2,3"),
        (
            "events: incoming/shop/events.csv cannot be read "
            "(its rows are broken at line 3: the header has 4 fields, this row 5). "
            "Put fields that hold a delimiter into quotes, and check that the file came whole."
        ),
    ),
]


@pytest.mark.parametrize(("tables", "message"), BAD_EVENTS_ALONE)
def test_events_from_which_members_cannot_be_derived(project, tables, message) -> None:
    params = project.case("shop", tables)
    with pytest.raises(DataError) as raised:
        prepare(params, "shop")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "a1,2025-01-05,login,1\r\na2,2025-01-06,login,1\n",
            "(its rows are broken: some lines end in CR LF, others in LF). End all lines in the same way.",
        ),
        (
            f"a1,2025-01-05,{'x' * 2_100_000},1\n",
            (
                "(its rows are broken at line 2: it is longer than 2,000,000 bytes). "
                "Shorten the field, or leave its column out of the file."
            ),
        ),
        (
            "a1,2025-01-05,the quote,1,2\n",
            (
                "(its rows are broken at line 2: the header has 4 fields, this row 5). "
                "Put fields that hold a delimiter into quotes, and check that the file came whole."
            ),
        ),
    ],
    ids=["line ends of two kinds", "a long line", "the word quote"],
)
def test_why_rows_are_broken(project, rows, message) -> None:
    params = project.case("shop", SOUND)
    (project.root / "incoming/shop/events.csv").write_bytes((HEAD + rows).encode())
    with pytest.raises(DataError) as raised:
        prepare(params, "shop")
    assert str(raised.value) == f"events: incoming/shop/events.csv cannot be read {message}"


def test_another_encoding_than_utf_8(project) -> None:
    params = project.case("shop", SOUND)
    (project.root / "incoming/shop/events.csv").write_bytes(
        (HEAD + "a1,2025-01-05,Käufe,1\n").encode("latin-1")
    )
    with pytest.raises(DataError) as raised:
        prepare(params, "shop")
    assert str(raised.value) == (
        "events: incoming/shop/events.csv cannot be read "
        "(it is not UTF-8: byte 51, in line 2, is none of it). "
        "State its encoding in cases.shop.prepare.tables.events, such as `encoding: cp1252` "
        "(or cp1250, cp1251)."
    )


def test_a_parquet_file_that_is_none(project) -> None:
    params = project.case("shop", SOUND, prepare={"tables": {"events": "events.parquet"}})
    (project.root / "events.parquet").write_text("no parquet", encoding="utf-8")
    with pytest.raises(DataError, match=r"^events: events.parquet cannot be read \(it is no Parquet file\)"):
        prepare(params, "shop")


# parameters that differ from sound ones, kind and whole text of the error
BAD_PARAMETERS = [
    (
        {"as_off": "2025-07-01T00:00:00Z"},
        ParameterError,
        "'as_off' is not a parameter of cases.shop.prepare. Did you mean 'as_of'?",
    ),
    (
        {"members": 5},
        ParameterError,
        (f"'members' is not a parameter of cases.shop.prepare. Known: {', '.join(sorted(KNOWN))}."),
    ),
    (
        {"source": "web"},
        ParameterError,
        (
            "'cases.shop.prepare.source' must be one of 'files', 'world', 'cdnow', 'complete_journey', "
            "got 'web'."
        ),
    ),
    (
        {"time_zone": "Mars/Base"},
        ParameterError,
        "'time_zone' must be an IANA name such as 'Europe/Berlin' or 'UTC', got 'Mars/Base'.",
    ),
    (
        {"as_of": "2025-07-01"},
        ParameterError,
        "'cases.shop.prepare.as_of' must be an instant such as \"2025-07-01T00:00:00Z\", got '2025-07-01'.",
    ),
    (
        {"as_of": "soon"},
        ParameterError,
        "'cases.shop.prepare.as_of' must be an instant such as \"2025-07-01T00:00:00Z\", got 'soon'.",
    ),
    (
        {"observed_from": "2025-08-01T00:00:00Z"},
        ParameterError,
        "'cases.shop.prepare.observed_from' must be before 'as_of', got 2025-08-01 00:00:00+00:00.",
    ),
    (
        {"after_as_of": "drop"},
        ParameterError,
        "'cases.shop.prepare.after_as_of' must be one of 'error', 'leave_out', got 'drop'.",
    ),
    (
        {"clock": "wall"},
        ParameterError,
        "'cases.shop.prepare.clock' must be one of 'utc', 'local', got 'wall'.",
    ),
    (
        {"empty_consent": "yes"},
        ParameterError,
        "'cases.shop.prepare.empty_consent' must be one of 'agreed', 'refused', got 'yes'.",
    ),
    ({"tables": {}}, ParameterError, "'tables' is missing from cases.shop.prepare. Add it to params.yaml."),
    (
        {"tables": {"event": "incoming/shop/events.csv"}},
        ParameterError,
        "'event' is not a parameter of cases.shop.prepare.tables. Did you mean 'events'?",
    ),
    (
        {"columns": {"event": {}}},
        ParameterError,
        "'event' is not a parameter of cases.shop.prepare.columns. Did you mean 'events'?",
    ),
    (
        {"columns": {"events": {"when": "ocurred_at"}}},
        ParameterError,
        "'ocurred_at' is not a parameter of cases.shop.prepare.columns.events. Did you mean 'occurred_at'?",
    ),
    (
        {"columns": {"events": {"when": "occurred_at"}}},
        DataError,
        (
            "events.when: the column is missing from all rows; found amount, event, member_id, occurred_at. "
            "Rename it in the case's `prepare.columns`."
        ),
    ),
    (
        {"tables": {"events": "incoming/shop/nothing.csv"}},
        DataError,
        (
            "events: there is no file incoming/shop/nothing.csv. "
            "Correct cases.shop.prepare.tables.events, or add the file."
        ),
    ),
    (
        {"tables": {"events": "params.yaml"}},
        DataError,
        (
            "events: params.yaml cannot be read "
            "(its name ends in '.yaml', not in .csv, .tsv, .txt or .parquet). "
            "Write it as CSV in UTF-8 or as Parquet."
        ),
    ),
    (
        {"tables": {"members": "incoming/shop/members.csv"}},
        DataError,
        (
            "events: the case 'shop' has no such table, which every case needs. Found: members. "
            "Name its file in cases.shop.prepare.tables.events."
        ),
    ),
    (
        {"as_of": "2024-01-01T00:00:00Z", "after_as_of": "leave_out"},
        DataError,
        (
            "members: none of 3 is left to analyse. They joined after as_of, did not agree, left before the "
            "retention limit or were forgotten; see after_as_of, empty_consent and retention_limit_days."
        ),
    ),
]


@pytest.mark.parametrize(
    ("changed", "kind", "message"), BAD_PARAMETERS, ids=[str(row[0]) for row in BAD_PARAMETERS]
)
def test_a_prepare_section_that_is_wrong(project, changed, kind, message) -> None:
    params = project.case("shop", SOUND, prepare=changed)
    with pytest.raises(kind) as raised:
        prepare(params, "shop")
    assert str(raised.value) == message


@pytest.mark.parametrize("name", ["source", "as_of", "time_zone"])
def test_a_parameter_that_is_not_stated(project, name) -> None:
    project.case("shop", SOUND)
    del project.content["cases"]["shop"]["prepare"][name]
    project.write()
    with pytest.raises(ParameterError) as raised:
        prepare(project.params(), "shop")
    assert str(raised.value) == f"'{name}' is missing from cases.shop.prepare. Add it to params.yaml."


def test_a_case_of_the_casebook_has_no_door(project) -> None:
    with pytest.raises(ParameterError) as raised:
        prepare(project.casebook("old_trial", {"trials": {"cells": {}}}), "old_trial")
    assert str(raised.value) == "cases.old_trial has no section 'prepare': its cells come from the casebook."


def test_a_raw_table_that_the_contract_does_not_know(project) -> None:
    params = project.case("shop", SOUND)
    with pytest.raises(ParameterError) as raised:
        prepare(params, "shop", raw={"event": Path("incoming/shop/events.csv")})
    assert (
        str(raised.value) == "'event' is not a parameter of cases.shop.prepare.tables. Did you mean 'events'?"
    )


SECRET = "the key of a private test case"

# of a private case: rows, and the shape of what could not be read
BAD_PRIVATE = [
    (
        events("a1,2025-01-05,login,", "secret-id,2025-01-06,login,"),
        (
            "events.member_id: a member that `members` does not have in 1 of 2 rows (for example row 2). "
            "Add these members to the table `members`, or leave the table out to derive it from `events`."
        ),
    ),
    (
        events("a1,31/12/2025,login,", "a2,Müller-77,login,"),
        (
            "events.occurred_at: not a time in 2 of 2 rows (for example row 1, of the shape '99/99/9999', "
            "row 2, of the shape 'aaaaaa-99'). Write times as ISO 8601, such as 2025-03-01T09:30:00Z."
        ),
    ),
    (
        OUT_OF_ORDER,
        (
            "members.churned_at: before joined_at in 1 of 3 rows (for example row 1). "
            "Nothing ends before it begins; correct one of both."
        ),
    ),
]


@pytest.mark.parametrize(("tables", "message"), BAD_PRIVATE)
def test_an_error_of_a_private_case_shows_no_value(project, monkeypatch, tables, message) -> None:
    monkeypatch.setenv("SOJOURN_KEY", SECRET)
    key_id = Key(SECRET.encode()).key_id
    params = project.case("club", {**SOUND, **tables}, public=False, prepare={"key_id": key_id})
    with pytest.raises(DataError) as raised:
        prepare(params, "club")
    assert str(raised.value) == message
    assert raised.value.__cause__ is None
    assert list((project.root / "private/data/tidy").iterdir()) == []
