"""The words `relink` and `forget` as they are typed."""

from __future__ import annotations

import ibis
import pytest

from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import new_key
from sojourn.pipeline.cli import main

MEMBERS = "member_id,joined_at\nada-4711,2025-01-01\nbob-1234,2025-01-02\n"
EVENTS = "member_id,occurred_at,event\nada-4711,2025-02-01,x\nbob-1234,2025-02-01,x\n"


@pytest.fixture
def club(project):
    prepare_ = {"key_id": new_key()}
    params = project.case("club", {"members": MEMBERS, "events": EVENTS}, public=False, prepare=prepare_)
    prepare(params, "club")
    return project


def test_relink_says_where_the_ids_are_and_names_nobody(club, capsys) -> None:
    path = club.root / "private" / "list.csv"
    path.write_text("member\n1\n", encoding="utf-8")
    assert main(["relink", str(path), "--case", "club"]) == 0
    said = capsys.readouterr().err
    assert "1 found. The ids are in private/list.ids.csv" in said
    assert "bob" not in said
    assert (club.root / "private" / "list.ids.csv").read_text(
        encoding="utf-8"
    ) == "member_id,member\nbob-1234,1\n"


def test_forget_says_what_went_and_what_must_run_and_names_nobody(club, capsys) -> None:
    listed = club.root / "private" / "leavers.txt"
    listed.write_text("bob-1234\n", encoding="utf-8")
    words = ["forget", "--case", "club", "--file", str(listed)]
    assert main([*words, "--dry-run"]) == 0
    assert "members would be forgotten" in capsys.readouterr().err
    assert "bob" in (club.root / "incoming" / "club" / "members.csv").read_text(encoding="utf-8")
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "club: 1 members forgotten." in said
    assert "events: 1 rows changed or taken out." in said
    assert "private/data/tidy/club: removed." in said
    assert "To be run again: prepare@club, index." in said
    assert "private/leavers.txt still names one of them" in said
    assert "bob" not in said
    assert main(["forget", "eve-5678", "--case", "club"]) == 1
    assert "eve" not in capsys.readouterr().err


def test_a_database_is_told_of_and_the_door_leaves_them_out(project, capsys) -> None:
    base = ibis.sqlite.connect(project.root / "shop.db")
    for name, text in (("people", MEMBERS), ("log", EVENTS)):
        header, *lines = (line.split(",") for line in text.splitlines())
        base.create_table(name, ibis.memtable([tuple(line) for line in lines], columns=header))
    base.disconnect()
    where = {"database": f"sqlite://{project.root}/shop.db", "snapshot": "1"}
    tables = {"members": {**where, "table": "people"}, "events": {**where, "table": "log"}}
    params = project.case("club", {}, public=False, prepare={"key_id": new_key(), "tables": tables})
    before = (project.root / "shop.db").read_bytes()
    assert main(["forget", "bob-1234", "--case", "club"]) == 0
    assert "people is in a database: the platform itself must delete there" in capsys.readouterr().err
    assert (project.root / "shop.db").read_bytes() == before
    folder = prepare(params, "club")
    assert "forgotten earlier" in (folder / "quality.csv").read_text(encoding="utf-8")
