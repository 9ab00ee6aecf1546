"""First guesses about files that nobody has described: how they are written, which column is which."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError, UndefinedError
from sojourn.data.guess.choose import choose
from sojourn.data.guess.kinds import FORMATS, look_at
from sojourn.data.guess.names import OTHERS, rank
from sojourn.data.guess.sample import guess_delimiter, latest, sample

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def looks(**columns):
    return {name: look_at(values) for name, values in columns.items()}


@pytest.mark.parametrize(
    ("values", "kind", "written"),
    [
        (["2025-01-02T03:04:05Z", "2025-01-02"], "instant", "iso"),
        (["1082040961", "1082155839"], "instant", "epoch_seconds"),
        (["1082040961000", "1082155839000"], "instant", "epoch_milliseconds"),
        (["13.01.2025 10:00", "01.02.2025 11:30"], "instant", "%d.%m.%Y %H:%M"),
        (["1/13/2025", "2/1/2025"], "instant", "%m/%d/%Y"),
        (["31.12.24 09:30", "01.02.25 11:30"], "instant", "%d.%m.%y %H:%M"),
        (["12/31/24"], "instant", "%m/%d/%y"),
        (["9999-12-31T23:00:00-05:00"], "text", ""),
        (["20250113", "20250201"], "instant", "%Y%m%d"),
        (["17", "18", ""], "integer", ""),
        (["17.0", "18.0"], "integer", "point"),
        (["1.5", "2"], "decimal", ""),
        (["1234,50", "7,1"], "decimal", "comma"),
        (["1.234,50", "7,1"], "decimal", "point and comma"),
        (["1,234.50", "7.1"], "decimal", "comma and point"),
        (["yes", "No"], "bool", ""),
        (["a", "1"], "text", ""),
        (["", " "], "empty", ""),
    ],
)
def test_kinds(values, kind, written):
    found = look_at(values)
    assert (found.kind, found.written) == (kind, written)


@pytest.mark.parametrize("layout", FORMATS)
def test_a_day_after_the_twelfth_tells_its_format(layout):
    at = datetime(2025, 3, 27, 14, 30, 15, tzinfo=UTC)
    found = look_at([at.strftime(layout)])
    assert found.written == layout
    assert found.latest.date() == at.date()


def test_what_could_be_day_or_month_first_is_read_day_first():
    assert look_at(["01/02/2025", "03/04/2025"]).written == "%d/%m/%Y"


def test_names_are_compared_without_capitals_and_marks():
    assert rank("member_id", "Member ID") == 0
    assert rank("member_id", "USER-ID") < rank("member_id", "id")
    assert rank("member_id", "colour") is None
    assert all(name == name.lower() and "_" not in name for names in OTHERS.values() for name in names)


def test_columns_are_chosen_by_name_where_their_values_fit():
    found = choose(
        "events",
        looks(
            user_id=["7", "8"],
            ts=["2025-01-01", "2025-01-02"],
            action=["a", "b"],
            price=["1.5", "2"],
            colour=["x", "y"],
        ),
        {},
        "f.csv",
    )
    assert found.columns == {
        "member_id": "user_id",
        "occurred_at": "ts",
        "event": "action",
        "amount": "price",
    }
    assert found.unread == ("colour",)
    assert not found.constants


def test_a_name_whose_values_do_not_fit_is_not_chosen():
    found = choose("events", looks(user_id=["7"], time=["long", "short"], at=["2025-01-01"]), {}, "f.csv")
    assert found.columns["occurred_at"] == "at"
    assert found.why["occurred_at"] == "the only column of times"
    assert found.constants == {"event": "action"}


def test_what_is_stated_is_not_guessed():
    found = choose("events", looks(a=["1"], user_id=["2"], at=["2025-01-01"]), {"member_id": "a"}, "f.csv")
    assert (found.columns["member_id"], found.why["member_id"]) == ("a", "stated")


def test_what_is_stated_must_be_there():
    with pytest.raises(DataError, match=r"events\.usr_id: .*Did you mean 'user_id'"):
        choose("events", looks(user_id=["2"], at=["2025-01-01"]), {"member_id": "usr_id"}, "f.csv")


def test_what_cannot_be_guessed_is_asked_for():
    with pytest.raises(
        DataError, match=r"events\.member_id: no column of f\.csv .* --column events\.member_id=NAME"
    ):
        choose("events", looks(a=["1"], at=["2025-01-01"]), {}, "f.csv")


def test_two_columns_of_times_without_a_name_are_not_told_apart_by_content():
    with pytest.raises(DataError, match=r"events\.occurred_at"):
        choose("events", looks(user=["1"], x1=["2025-01-01"], x2=["2025-01-01"]), {}, "f.csv")


WORDS = st.text(st.sampled_from("abcäöüßéñ,;|\t\" '"), min_size=1, max_size=8).filter(str.strip)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(1, 10**9), WORDS, WORDS), min_size=3, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    packed=st.booleans(),
)
def test_a_text_is_read_as_it_was_written(tmp_path, rows, delimiter, encoding, packed):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(
        [("user_id", "event", "feature"), *rows]
    )
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    content = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    found = sample("events", path, "t.csv")
    assert list(found.columns) == ["user_id", "event", "feature"]
    assert found.delimiter == delimiter
    assert list(zip(*found.columns.values(), strict=True)) == [tuple(map(str, row)) for row in rows]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "会员,时间\n张三李四王五赵六钱七孙八,今天昨天明天\n"),
        ("cp1252", "kunde,ort\nmüller,köln\nschäfer,düren\n"),
    ],
)
def test_older_encodings_are_recognised(tmp_path, encoding, text):
    path = tmp_path / "t.csv"
    path.write_bytes((text * 1).encode(encoding))
    found = sample("events", path, "t.csv")
    assert found.encoding == encoding
    assert list(found.columns) == text.splitlines()[0].split(",")


def test_the_delimiter_is_the_one_that_cuts_alike():
    assert guess_delimiter(["a;b;c", "1;2,5;x", "2;3,5;y"]) == ";"
    assert guess_delimiter(["1 2 1082040961", "3 4 1082155839"]) == " "


def test_a_file_without_names_gets_numbers(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("1 2 1082040961\n3 4 1082155839\n")
    found = sample("events", path, "log.txt")
    assert (found.header, list(found.columns)) == (False, ["column_1", "column_2", "column_3"])
    assert latest(path, found, "column_3") == datetime.fromtimestamp(1082155839, UTC)


def test_the_latest_instant_is_that_of_the_whole_file_not_of_the_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("sojourn.data.guess.sample.SAMPLE_ROWS", 2)
    path = tmp_path / "t.parquet"
    pd.DataFrame({"user": ["1"] * 4, "at": ["2025-01-01", "2025-01-02", "2025-06-01", "none"]}).to_parquet(
        path
    )
    found = sample("events", path, "t.parquet")
    assert len(found.columns["at"]) == 2
    assert latest(path, found, "at") == datetime(2025, 6, 1, tzinfo=UTC)
    assert latest(path, found, "at", until=datetime(2025, 3, 1, tzinfo=UTC)) == datetime(
        2025, 1, 2, tzinfo=UTC
    )
    with pytest.raises(UndefinedError, match="holds no time"):
        latest(path, found, "user")
    with pytest.raises(UndefinedError, match="holds no time"):
        latest(path, found, "at", until=datetime(2024, 3, 1, tzinfo=UTC))


def test_columns_without_a_name_move_no_other(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufeff,user,at\n0,7,2025-01-02\n1,8,2025-06-01\n", encoding="utf-8")
    found = sample("events", path, "t.csv")
    assert list(found.columns) == ["user", "at"]
    assert latest(path, found, "at") == datetime(2025, 6, 1, tzinfo=UTC)


def test_a_field_may_be_long(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"user,at,note\n7,2025-01-02,{'x' * 300_000}\n8,2025-06-01,y\n")
    found = sample("events", path, "t.csv")
    assert latest(path, found, "at") == datetime(2025, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("twice.csv", b"user,at,note,note\n7,2025-01-02,x,y\n", "the header names note twice"),
        ("none.csv", None, "there is no file"),
        ("t.parquet", b"x", "cannot be read"),
        ("t.csv", b"", "has no rows"),
    ],
)
def test_files_that_are_none(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        sample("events", tmp_path / name, name)
