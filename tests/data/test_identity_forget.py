"""Who is forgotten is nowhere: not in raw tables, not in what was made of them, not in a cache."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import stat
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from sojourn.core.errors import DataError, ParameterError
from sojourn.data.identity.forget import forget
from sojourn.data.identity.suppression import place_of_list, read_forgotten
from sojourn.data.identity.traces import traces
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import Key

SECRET = "a key of the test, long enough"
KEY = Key(SECRET.encode())
GONE = "ada-4711"

MEMBERS = (
    "member_id,joined_at,plan,referred_by,consent\n"
    "bob-1,2025-01-01,annual,,true\n"
    'ada-4711,2025-01-02,"mon""thly",bob-1,true\n'
    'cyd-2,2025-01-03,annual,"ada-4711",true\n'
    "dee-3,2025-01-04,annual,cyd-2,true\n"
)
EVENTS = (
    "member_id,occurred_at,event,feature\n"
    'bob-1,2025-02-01,login,"a, b"\n'
    'ada-4711,2025-02-01,login,"c\nd"\n'
    '"ada-4711",2025-02-02,login,\n'
    "cyd-2,2025-02-03,login,ada-4711 is in this name\n"
    "dee-3,2025-02-03,login,x\n"
)
TOUCHES = (
    "prospect_id,member_id,touched_at,medium\n"
    "p-1,ada-4711,2025-01-01T10:00:00Z,search\n"
    "p-1,,2025-01-01T09:00:00Z,search\n"
    "p-2,bob-1,2024-12-31T10:00:00Z,search\n"
    "p-3,,2024-12-31T10:00:00Z,search\n"
)
EVENTS_AFTER = EVENTS.replace('ada-4711,2025-02-01,login,"c\nd"\n', "").replace(
    '"ada-4711",2025-02-02,login,\n', ""
)
MEMBERS_AFTER = MEMBERS.replace('ada-4711,2025-01-02,"mon""thly",bob-1,true\n', "").replace('"ada-4711"', "")
#: A name that somebody chose; nothing that the contract knows as an id.
NAMED = EVENTS.replace("ada-4711 is in this name", "x")
NAMED_AFTER = EVENTS_AFTER.replace("ada-4711 is in this name", "x")


def key_of(project) -> None:
    folder = project.root / "private" / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{KEY.key_id}.key").write_text(SECRET, encoding="utf-8")


def club(project, tables: dict, **prepare) -> object:
    key_of(project)
    stated = {"key_id": KEY.key_id, **prepare}
    return project.case("club", tables, public=False, prepare=stated)


def tables_of(folder: Path) -> dict[str, list[dict]]:
    return {path.stem: pq.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


# --- raw tables -------------------------------------------------------------------------------------------


def test_only_the_rows_go_and_every_other_byte_stays(project) -> None:
    params = club(project, {"members": MEMBERS, "events": EVENTS, "touches": TOUCHES})
    done = forget(params, "club", [GONE])
    raw = project.root / "incoming" / "club"
    assert (raw / "events.csv").read_bytes() == EVENTS_AFTER.encode()
    assert (raw / "members.csv").read_bytes() == MEMBERS_AFTER.encode()
    kept = [line for line in TOUCHES.splitlines(keepends=True) if not line.startswith("p-1,")]
    assert (raw / "touches.csv").read_text(encoding="utf-8") == "".join(kept)
    assert done.rows == {"members": 2, "events": 2, "touches": 3}  # a touch counts by member and by prospect


DIALECTS = {
    "semicolons, latin-1, CRLF": ({"delimiter": ";", "encoding": "latin-1"}, "latin-1", ";", "\r\n"),
    "tabs, UTF-16 with its mark": ({"delimiter": "\t", "encoding": "utf-16"}, "utf-16", "\t", "\n"),
    "UTF-8 with its mark": ({}, "utf-8-sig", ",", "\r\n"),
    "Big5": ({"encoding": "big5"}, "big5", ",", "\n"),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_the_dialect_of_a_text_stays(project, name) -> None:
    stated, encoding, delimiter, end = DIALECTS[name]
    special = "女" if encoding == "big5" else "é"
    lines = [
        ["member_id", "occurred_at", "event"],
        ["bob-1", "2025-02-01", special],
        [GONE, "2025-02-01", "x"],
    ]

    def stored(rows):
        return (end.join(delimiter.join(row) for row in rows) + end).encode(encoding)

    path = project.root / "incoming" / "events.csv"
    path.parent.mkdir()
    path.write_bytes(stored(lines))
    key_of(project)
    tables = {"events": {"file": "incoming/events.csv", **stated}}
    params = project.case("club", {}, public=False, prepare={"key_id": KEY.key_id, "tables": tables})
    forget(params, "club", [GONE])
    assert path.read_bytes() == stored(lines[:2])


def _zip(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("events.csv", content)


def _unzip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("events.csv")


def _zstd(path: Path, content: bytes) -> None:
    with pa.output_stream(str(path), compression="zstd") as file:
        file.write(content)


def _unzstd(path: Path) -> bytes:
    with pa.input_stream(str(path), compression="zstd") as file:
        return bytes(file.read())


COMPRESSIONS = {
    ".gz": (lambda p, c: p.write_bytes(gzip.compress(c)), lambda p: gzip.decompress(p.read_bytes())),
    ".bz2": (lambda p, c: p.write_bytes(bz2.compress(c)), lambda p: bz2.decompress(p.read_bytes())),
    ".xz": (lambda p, c: p.write_bytes(lzma.compress(c)), lambda p: lzma.decompress(p.read_bytes())),
    ".zst": (_zstd, _unzstd),
    ".zip": (_zip, _unzip),
}


@pytest.mark.parametrize("ending", COMPRESSIONS)
def test_the_compression_of_a_text_stays(project, ending) -> None:
    write, read = COMPRESSIONS[ending]
    path = project.root / "incoming" / f"events.csv{ending}"
    path.parent.mkdir()
    write(path, EVENTS.encode())
    path.chmod(0o640)
    key_of(project)
    tables = {"events": f"incoming/events.csv{ending}"}
    params = project.case("club", {}, public=False, prepare={"key_id": KEY.key_id, "tables": tables})
    forget(params, "club", [GONE])
    assert read(path) == EVENTS_AFTER.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # nothing half-written beside it


def test_parts_of_parquet_keep_rows_types_notes_and_groups(project) -> None:
    key_of(project)
    folder = project.root / "incoming" / "events"
    folder.mkdir(parents=True)
    frame = pd.DataFrame(
        {
            "member_id": pd.Categorical(["bob-1", GONE, "cyd-2", GONE, "dee-3"]),
            "occurred_at": pd.to_datetime(["2025-02-01"] * 5).tz_localize("UTC"),
            "event": ["login"] * 5,
            "amount": [1.5, None, 2.5, 3.5, 4.5],
        }
    )
    table = pa.Table.from_pandas(frame)
    pq.write_table(table, folder / "a.parquet", row_group_size=2, compression="gzip")
    pq.write_table(table.slice(0, 1), folder / "b.parquet")  # whose dictionary holds what its rows do not
    pq.write_table(
        pa.Table.from_pandas(frame.iloc[:1].assign(member_id=pd.Categorical(["bob-1"]))), folder / "c.parquet"
    )
    untouched = (folder / "c.parquet").read_bytes()
    tables = {"events": "incoming/events"}
    params = project.case("club", {}, public=False, prepare={"key_id": KEY.key_id, "tables": tables})
    forget(params, "club", [GONE])
    after = pq.ParquetFile(folder / "a.parquet")
    rows = after.read()
    assert rows.to_pandas()["member_id"].tolist() == ["bob-1", "cyd-2", "dee-3"]
    assert rows.schema.equals(table.schema, check_metadata=True)
    assert [after.metadata.row_group(i).num_rows for i in range(after.num_row_groups)] == [1, 1, 1]
    assert after.metadata.row_group(0).column(0).compression == "GZIP"
    assert (folder / "c.parquet").read_bytes() == untouched
    assert traces(project.root, [GONE]) == []


def test_a_duckdb_file_keeps_no_deleted_block(project) -> None:
    key_of(project)
    path = project.root / "incoming" / "shop.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as engine:
        engine.execute("CREATE TABLE people (id VARCHAR PRIMARY KEY, since TIMESTAMP, sent_by VARCHAR)")
        engine.execute(
            f"INSERT INTO people VALUES ('bob-1', '2025-01-01', NULL), ('{GONE}', '2025-01-02', 'bob-1'), "
            f"('cyd-2', '2025-01-03', '{GONE}')"
        )
        engine.execute("CREATE TABLE log AS SELECT id, since AS at, 'login' AS kind FROM people")
        engine.execute("CREATE VIEW kinds AS SELECT DISTINCT kind FROM log")
    prepare_ = {
        "key_id": KEY.key_id,
        "tables": {
            "members": {"duckdb": "incoming/shop.duckdb", "table": "people"},
            "events": {"duckdb": "incoming/shop.duckdb", "table": "log"},
        },
        "columns": {
            "members": {"id": "member_id", "since": "joined_at", "sent_by": "referred_by"},
            "events": {"id": "member_id", "at": "occurred_at", "kind": "event"},
        },
    }
    params = project.case("club", {}, public=False, prepare=prepare_)
    forget(params, "club", [GONE])
    assert GONE.encode() not in path.read_bytes()
    with duckdb.connect(str(path), read_only=True) as engine:
        assert engine.execute("SELECT id, sent_by FROM people ORDER BY id").fetchall() == [
            ("bob-1", None),
            ("cyd-2", None),
        ]
        assert engine.execute("SELECT count(*) FROM log").fetchone() == (2,)
        assert engine.execute("SELECT * FROM kinds").fetchall() == [("login",)]
    assert [p.name for p in path.parent.iterdir()] == ["shop.duckdb"]


# --- what was made of them --------------------------------------------------------------------------------


def leave_traces(project, pseudonym: str) -> None:
    """Put into every place where something is made of a case a file that names the member."""
    base = project.root / "private"
    for name in (
        "data/tidy/.club.x1y2z3/members.csv",
        "data/tidy/.club.former/ids.csv",
        "data/tidy/.club.abc.spill.def/duckdb_temp_block.tmp",
        "data/cells/club/portrait/cells.json",
        "data/cells/club/.portrait.former/cells.json",
        "reports/cases/club/portrait/headline.json",
        "reports/cases/club/.portrait-x7/portrait.html",
        ".sojourn/executed/club-portrait.ipynb",
        ".sojourn/spill/block.tmp",
    ):
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{GONE},{pseudonym}", encoding="utf-8")
    table = pa.table({"member": [0], "pseudonym": [pseudonym]})
    object_ = base / ".dvc" / "cache" / "files" / "md5" / "ab" / "cdef"
    object_.parent.mkdir(parents=True)
    pq.write_table(table, object_)
    run = base / ".dvc" / "cache" / "runs" / "12" / "1234" / "5678"
    run.parent.mkdir(parents=True)
    run.write_text(yaml.safe_dump({"cmd": "cd .. && sojourn prepare club", "outs": [{"md5": "abcdef"}]}))


def test_nothing_of_the_member_is_left_in_the_tree(project) -> None:
    params = club(project, {"members": MEMBERS, "events": NAMED, "touches": TOUCHES})
    pseudonym = KEY.pseudonym(GONE)
    tidy = prepare(params, "club")
    assert traces(project.root, [pseudonym]) == [tidy / "ids.parquet"]
    leave_traces(project, pseudonym)
    assert len(traces(project.root, [GONE, pseudonym])) >= 14  # or the search itself would be blind
    forget(params, "club", [GONE])
    # The list of who is forgotten is the one place: without it nobody would know who comes again.
    assert traces(project.root, [GONE, pseudonym, "p-1"]) == [place_of_list("club")]
    assert traces(project.root, [GONE, "p-1"]) == []
    after = tables_of(prepare(params, "club"))
    assert [(m["member"], m["referred_by"]) for m in after["members"]] == [(0, None), (1, None), (2, 1)]
    assert {e["member"] for e in after["events"]} == {0, 1, 2}
    assert len(after["touches"]) == 2
    assert pseudonym not in {row["pseudonym"] for row in after["ids"]}


def test_other_cases_and_their_objects_stay(project) -> None:
    club(project, {"events": EVENTS})
    params = project.case("other", {"events": EVENTS}, public=False, prepare={"key_id": KEY.key_id})
    other = prepare(params, "other")
    objects = project.root / "private" / ".dvc" / "cache" / "files" / "md5"
    for name in ("aa/of-other", "bb/inside-other", "cc/of-club", "dd/older", "ee/list.dir"):
        (objects / name).parent.mkdir(parents=True)
        (objects / name).write_text("x", encoding="utf-8")
    (objects / "ee" / "list.dir").write_text(json.dumps([{"md5": "bbinside-other", "relpath": "x"}]))
    stages = {
        "prepare@other": {"outs": [{"md5": "aaof-other"}, {"md5": "eelist.dir"}]},
        "prepare@club": {"outs": [{"md5": "ccof-club"}]},
    }
    (project.root / "private" / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}))
    forget(params, "club", [GONE])
    left = sorted(p.relative_to(objects).as_posix() for p in objects.rglob("*") if p.is_file())
    assert left == ["aa/of-other", "bb/inside-other", "ee/list.dir"]
    assert (other / "ids.parquet").is_file()


def test_a_public_case_is_forgotten_in_the_shared_project(project) -> None:
    params = project.case("shop", {"members": MEMBERS, "events": NAMED})
    prepare(params, "shop")
    page = project.root / "reports" / "cases" / "shop" / "portrait.html"
    page.parent.mkdir(parents=True)
    page.write_text("a page", encoding="utf-8")
    done = forget(params, "shop", [GONE])
    assert not page.exists()
    assert not (project.root / "data" / "tidy" / "shop").exists()
    assert project.root / "data" / "tidy" / "shop" in done.removed
    assert traces(project.root, [GONE]) == []


# --- again, not there, only looked at ---------------------------------------------------------------------


def test_who_comes_again_is_left_out_and_counted(project) -> None:
    params = club(project, {"members": MEMBERS, "events": NAMED, "touches": TOUCHES})
    forget(params, "club", [GONE])
    project.file("club", "members", MEMBERS)  # a new export has her again, and what she did before joining
    project.file("club", "events", NAMED)
    project.file("club", "touches", TOUCHES.replace(GONE, ""))
    folder = prepare(params, "club")
    after = tables_of(folder)
    assert len(after["members"]) == 3
    assert len(after["ids"]) == 3
    assert [m["referred_by"] for m in after["members"]] == [None, None, 1]
    assert {e["member"] for e in after["events"]} == {0, 1, 2}
    assert len(after["touches"]) == 2
    [line] = [
        line for line in (folder / "quality.csv").read_text().splitlines() if "forgotten earlier" in line
    ]
    assert line.startswith("members,member_id,4,")
    assert line.endswith(",1")


def test_the_list_holds_pseudonyms_for_its_owner_alone(project) -> None:
    params = club(project, {"members": MEMBERS, "events": NAMED, "touches": TOUCHES})
    forget(params, "club", [GONE])
    path = place_of_list("club")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    listed = read_forgotten("club")
    assert listed.members == {KEY.pseudonym(GONE)}
    assert listed.prospects == {KEY.pseudonym("prospect\0p-1")}
    assert KEY.pseudonym("p-1") not in path.read_text()  # a member called p-1 is somebody else
    forget(params, "club", ["bob-1"])
    assert len(read_forgotten("club").members) == 2


def test_a_damaged_list_is_an_error_and_nobody_comes_back(project) -> None:
    params = club(project, {"members": MEMBERS, "events": NAMED})
    forget(params, "club", [GONE])
    place_of_list("club").write_text("kind,pseudonym\nmember\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"forgotten/club\.csv is damaged"):
        prepare(params, "club")


def test_members_who_do_not_exist_stop_everything(project) -> None:
    params = club(project, {"members": MEMBERS, "events": EVENTS})
    tidy = prepare(params, "club")
    with pytest.raises(DataError, match="1 of 2 members to forget are in no table of 'club'") as error:
        forget(params, "club", [GONE, "eve-9"])
    assert "eve-9" not in str(error.value)
    assert (tidy / "ids.parquet").is_file()
    assert (project.root / "incoming" / "club" / "members.csv").read_bytes() == MEMBERS.encode()
    assert not read_forgotten("club")
    with pytest.raises(DataError, match="0 of 0 members"):
        forget(params, "club", [])


def test_an_interrupted_run_goes_on(project, monkeypatch) -> None:
    params = club(project, {"members": MEMBERS, "events": NAMED, "touches": TOUCHES})
    module = "sojourn.data.identity.forget.put_into_place"
    from sojourn.data.identity.rewriting import put_into_place

    placed = []

    def once(path: Path, new: Path) -> None:
        if placed:
            raise KeyboardInterrupt
        placed.append(path)
        put_into_place(path, new)

    monkeypatch.setattr(module, once)
    with pytest.raises(KeyboardInterrupt):
        forget(params, "club", [GONE])
    monkeypatch.setattr(module, put_into_place)
    assert traces(project.root / "incoming", [GONE])
    forget(params, "club", [GONE])
    assert traces(project.root, [GONE, "p-1"]) == []
    assert not list((project.root / "incoming").rglob("*.forget.*"))
    assert forget(params, "club", [GONE]).rows == {}  # and a third time there is nothing left to do


def test_a_table_that_cannot_be_rewritten_leaves_everything(project) -> None:
    key_of(project)
    path = project.root / "incoming" / "shop.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as engine:
        engine.execute(f"CREATE TABLE base AS SELECT '{GONE}' AS member_id, TIMESTAMP '2025-01-01' AS since")
        engine.execute(
            "CREATE VIEW log AS SELECT member_id, since AS occurred_at, 'login' AS event FROM base"
        )
    before = path.read_bytes()
    tables = {"events": {"duckdb": "incoming/shop.duckdb", "table": "log"}}
    params = project.case("club", {}, public=False, prepare={"key_id": KEY.key_id, "tables": tables})
    with pytest.raises(DataError, match=r"incoming/shop\.duckdb, table log cannot be rewritten"):
        forget(params, "club", [GONE])
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["shop.duckdb"]
    assert not read_forgotten("club")


def test_a_dry_run_changes_nothing(project) -> None:
    params = club(project, {"members": MEMBERS, "events": EVENTS})
    prepare(params, "club")
    before = {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()}
    done = forget(params, "club", [GONE], dry_run=True)
    assert {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()} == before
    assert done.rows == {"members": 2, "events": 2}
    assert project.root / "private" / "data" / "tidy" / "club" in done.removed


def test_the_use_is_noted_without_ids(project) -> None:
    params = club(project, {"members": MEMBERS, "events": EVENTS})
    forget(params, "club", [GONE])
    path = project.root / "private" / "forget.log"
    [line] = path.read_text(encoding="utf-8").splitlines()
    noted = json.loads(line)
    assert noted["case"] == "club"
    assert noted["members"] == 1
    assert noted["user"]
    assert noted["at"]
    assert GONE not in line
    assert KEY.pseudonym(GONE) not in line
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_published_rows_are_not_ours_to_forget(project) -> None:
    project.content["cases"]["cdnow"] = project.shipped["cases"]["cdnow"]
    project.write()
    with pytest.raises(ParameterError, match="no files of its own"):
        forget(project.params(), "cdnow", ["1"])


def test_the_wrong_key_stops_it(project, monkeypatch) -> None:
    params = club(project, {"events": EVENTS})
    monkeypatch.setenv("SOJOURN_KEY", "another key of the test, long enough")
    with pytest.raises(ParameterError, match="Wrong key"):
        forget(params, "club", [GONE])


def test_files_of_ones_own_are_named_and_left(project) -> None:
    params = club(project, {"members": MEMBERS, "events": NAMED})
    own = project.root / "private" / "call-list.csv.gz"
    own.write_bytes(gzip.compress(f"member_id\n{GONE}\n".encode()))
    other = project.root / "notebooks" / "mine.ipynb"
    other.parent.mkdir()
    other.write_text(f'{{"cells": ["{GONE}x", "x-{KEY.pseudonym(GONE)}"]}}', encoding="utf-8")
    assert forget(params, "club", [GONE]).left == (own,)
    assert own.is_file()
