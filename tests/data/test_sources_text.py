"""Texts in any dialect, encoding and compression read back as they were written; what fails says where."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import stat
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError
from sojourn.data.engine import connect
from sojourn.data.sources import text as text_module
from sojourn.data.sources.encodings import DecodingError, decoded, likely, recognised
from sojourn.data.sources.files import Asked, open_file
from sojourn.data.sources.stated import File

COMPRESS = {
    "none": lambda raw, path: path.write_bytes(raw),
    "gzip": lambda raw, path: path.write_bytes(gzip.compress(raw)),
    "bz2": lambda raw, path: path.write_bytes(bz2.compress(raw)),
    "xz": lambda raw, path: path.write_bytes(lzma.compress(raw)),
    "zstd": lambda raw, path: path.write_bytes(pa.compress(raw, codec="zstd", asbytes=True)),
    "zip": lambda raw, path: zipped(path, {"inside.csv": raw}),
}
ENDS = {"none": "", "gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst", "zip": ".zip"}
# what each encoding can write
LETTERS = {
    "utf-8": "aäß中🙂'",
    "utf-16": "aäß中🙂'",
    "utf-16-le": "aäß中🙂'",
    "utf-32": "aäß中🙂'",
    "cp1252": "aäßŒ€'",
    "big5": "a朋友推薦'",
    "gb18030": "a朋友𠮷ä'",
    "shift_jis": "aテスト表'",
    "koi8_r": "aЖя'",
}
COMMON = ' \n\r"\\,;|\t.0-=#'


def opened(path: Path, **stated):
    stated = {"delimiter": ",", **stated}
    asked = Asked("events", path, path.name, "shop")
    return open_file(connect(threads=1), File(path.name, **stated), asked)


def message(path: Path, **stated) -> str:
    with pytest.raises(DataError) as raised:
        opened(path, **stated).table.to_pyarrow()
    return str(raised.value)


def zipped(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)


@st.composite
def written(draw):
    """Draw a table and how it is written."""
    encoding = draw(st.sampled_from(sorted(LETTERS)))
    width = draw(st.integers(2, 4))
    texts = st.text(st.sampled_from(LETTERS[encoding] + COMMON), max_size=6)
    row = st.lists(texts, min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=1, max_size=8))
    quote = draw(st.sampled_from(['"', "'"]))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return encoding, delimiter, quote, end, draw(st.sampled_from(sorted(COMPRESS))), rows


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_table=written())
def test_what_was_written_reads_back(tmp_path_factory, given_table) -> None:
    encoding, delimiter, quote, end, compression, rows = given_table
    names = [f"column {number}" for number in range(len(rows[0]))]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    path = tmp_path_factory.mktemp("texts") / f"events.csv{ENDS[compression]}"
    COMPRESS[compression](out.getvalue().encode(encoding), path)
    stated = {"encoding": None if encoding.startswith("utf") else encoding}
    table = opened(path, delimiter=delimiter, quote=quote, **stated).table.to_pyarrow()
    assert table.column_names == names
    assert [[value or "" for value in row.values()] for row in table.to_pylist()] == rows


@pytest.mark.parametrize("delimiter", ["||", "::", "§", "\x1f", " "])
def test_delimiters_of_more_than_one_byte(tmp_path, delimiter) -> None:
    path = tmp_path / "events.txt"
    path.write_text(f"a{delimiter}b\n1{delimiter}x|y\n", encoding="utf-8")
    assert opened(path, delimiter=delimiter).table.to_pyarrow().to_pylist() == [{"a": "1", "b": "x|y"}]


def test_a_text_without_a_header_has_numbered_columns(tmp_path) -> None:
    path = tmp_path / "events.txt"
    path.write_text("1 2\n3 4\n", encoding="utf-8")
    found = opened(path, delimiter=" ", header=False).table.to_pyarrow().to_pylist()
    assert found == [{"column_1": "1", "column_2": "2"}, {"column_1": "3", "column_2": "4"}]


def test_decoding_is_streamed_and_leaves_nothing(tmp_path, monkeypatch) -> None:
    seen: list[tuple[str, int, int]] = []
    original = text_module._decoded_into

    def spied(path, text):
        found = original(path, text)
        seen.append((str(path), path.stat().st_mode, path.parent.parent.stat().st_mode))
        return found

    monkeypatch.setattr(text_module, "_decoded_into", spied)
    monkeypatch.setattr("sojourn.data.sources.compressed.CHUNK", 7)
    path, scratch = tmp_path / "events.csv", tmp_path / "scratch"
    rows = [f"{number},Käufe {number}" for number in range(3_000)]
    path.write_bytes("\n".join(["a,b", *rows, ""]).encode("utf-16-be"))
    engine = connect(threads=2, scratch=scratch)
    table = open_file(engine, File("events.csv"), Asked("events", path, "events.csv", "shop")).table
    assert [",".join(row.values()) for row in table.to_pyarrow().to_pylist()] == rows
    ((decoded_at, mode, folder_mode),) = seen
    assert decoded_at.startswith(str(scratch))
    assert (stat.S_IMODE(mode), stat.S_IMODE(folder_mode)) == (0o600, 0o700)
    assert not [left for left in scratch.iterdir() if left.name.startswith("decoded")]


def test_a_text_that_cannot_be_decoded_leaves_nothing_either(tmp_path) -> None:
    path, scratch = tmp_path / "events.csv", tmp_path / "scratch"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 200_000 + b"1,\x81\n")
    asked = Asked("events", path, "events.csv", "shop")
    with pytest.raises(DataError, match=r"it is not cp1252: byte 800,007, in line 200,002, is none of it"):
        open_file(connect(scratch=scratch), File("events.csv", encoding="cp1252"), asked)
    assert not list(scratch.iterdir())


@settings(deadline=None)
@given(
    st.sampled_from(["utf-8", "utf-16-le", "gb18030", "big5", "shift_jis"]),
    st.integers(1, 5),
    st.integers(0, 40),
)
def test_where_decoding_fails_is_counted_from_the_beginning(encoding, size, lines) -> None:
    good = "ab\n".encode(encoding) * lines
    raw = good + (b"\x00\xdc" if encoding == "utf-16-le" else b"\xff") + b"\n\n"
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    with pytest.raises(DecodingError) as raised:
        "".join(decoded(pieces, encoding))
    assert (raised.value.byte, raised.value.line) == (len(good) + 1, lines + 1)


@pytest.mark.parametrize(
    ("sample", "encoding"),
    [
        ("Straßenwerbung, Café, Señal", "cp1252"),
        ("朋友推荐和地铁广告的会员名单", "gb18030"),
        ("朋友推薦與捷運廣告的會員名單", "big5"),
    ],
)
def test_likely_encodings_hold_the_right_one(sample, encoding) -> None:
    assert encoding in likely(sample.encode(encoding))


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x7F, min_codepoint=0x20), min_size=2))
def test_utf_16_is_recognised_without_its_mark(text) -> None:
    assert recognised(text.encode("utf-16-le")) == "utf-16-le"
    assert recognised(text.encode("utf-16-be")) == "utf-16-be"
    assert recognised(text.encode("utf-8")) == "utf-8"


def test_an_encoding_that_does_not_fit_says_where_and_which_may(tmp_path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes("a,b\n1,x\n2,Käufe secret\n".encode("cp1252"))
    found = message(path)
    assert found == (
        "events: events.csv cannot be read (it is not UTF-8: byte 12, in line 3, is none of it). "
        "State its encoding in cases.shop.prepare.tables.events, such as `encoding: cp1252` "
        "(or cp1250, cp1251)."
    )
    assert "it is not big5: byte 12" in message(path, encoding="ascii").replace("ascii", "big5")


#: Without a time in it, which would be another one in each process that collects the tests.
CUT_OFF = gzip.compress(b"a,b\n" + b"1,2\n" * 99, mtime=0)[:-12]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("events.csv.gz", b"a,b\n1,2\n", "it is not gzip, or it is cut off"),
        ("events.csv.gz", CUT_OFF, "it is not gzip, or it is cut off"),
        ("events.csv.bz2", b"a,b\n1,2\n", "it is not bz2, or it is cut off"),
        ("events.csv.xz", lzma.compress(b"a,b\n1,2\n")[:-9], "it is not xz, or it is cut off"),
        ("events.csv.zst", b"a,b\n1,2\n", "it is not zstd, or it is cut off"),
        ("events.csv.zip", b"a,b\n1,2\n", "it is not zip, or it is cut off"),
    ],
)
def test_files_that_are_not_compressed_as_they_say(tmp_path, name, content, expected) -> None:
    (tmp_path / name).write_bytes(content)
    assert message(tmp_path / name) == (
        f"events: {name} cannot be read ({expected}). Compress it again, or state its `compression`."
    )


def test_a_zip_of_two_files_is_refused(tmp_path) -> None:
    zipped(tmp_path / "events.zip", {"a.csv": b"a\n1\n", "b.csv": b"a\n1\n"})
    assert "(it holds 2 files, where a table is one)" in message(tmp_path / "events.zip")


def test_a_stated_compression_wins_over_the_name(tmp_path) -> None:
    (tmp_path / "events.csv").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert opened(tmp_path / "events.csv", compression="gzip").table.count().execute() == 1


@pytest.mark.parametrize("header", ["id,x,", ",id,x", ",,id,x"])
def test_columns_without_a_name_are_passed_over(tmp_path, header) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{header}\n{header.replace('id', '1').replace('x', '2')}\n", encoding="utf-8")
    found = opened(path)
    assert found.table.to_pyarrow().to_pylist() == [{"id": "1", "x": "2"}]
    assert [note.level for note in found.notes] == ["note"] * header.split(",").count("")


def test_a_last_line_that_is_not_ended_is_warned_of(tmp_path) -> None:
    (tmp_path / "events.csv").write_text("a,b\n1,2", encoding="utf-8")
    (tmp_path / "whole.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (note,) = opened(tmp_path / "events.csv").notes
    assert (note.column, note.level, note.finding) == (
        "b",
        "warning",
        "the file does not end with an end of line",
    )
    assert not opened(tmp_path / "whole.csv").notes
