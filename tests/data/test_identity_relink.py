"""Ids of a list are found again inside the trust boundary only, and every use is noted."""

from __future__ import annotations

import csv
import getpass
import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from sojourn.core.errors import DataError, ParameterError, SojournError
from sojourn.data.identity.relink import relink
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import Key

SECRET = "a key of the test, long enough"
KEY = Key(SECRET.encode())
MEMBERS = (
    "member_id,joined_at,consent\nbob-1,2025-01-02,true\nänn-7,2025-01-01,true\ncyd-9,2025-01-03,false\n"
)
EVENTS = "member_id,occurred_at,event\nbob-1,2025-02-01,login\nänn-7,2025-02-01,login\n"


@pytest.fixture
def club(project):
    """Return a private case that went through the door, in a project under git."""
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    (project.root / ".gitignore").write_text("/private/*\n", encoding="utf-8")
    keys = project.root / "private" / "keys"
    keys.mkdir(parents=True)
    (keys / f"{KEY.key_id}.key").write_text(SECRET, encoding="utf-8")
    params = project.case(
        "club", {"members": MEMBERS, "events": EVENTS}, public=False, prepare={"key_id": KEY.key_id}
    )
    prepare(params, "club")
    return project


def listed(project, text: str, name: str = "private/list.csv") -> Path:
    path = project.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def nothing_written(project) -> bool:
    return (
        not list((project.root / "private").glob("*.ids.csv"))
        and not (project.root / "private" / "relink.log").exists()
    )


def test_numbers_become_ids_in_the_order_of_the_list(club) -> None:
    done = relink(club.params(), "club", listed(club, "member,segment\n1,keen\n0,idle\n1,idle\n"))
    assert (done.found, done.missing) == (3, 0)
    assert done.path == club.root / "private" / "list.ids.csv"
    assert rows(done.path) == [
        {"member_id": "bob-1", "member": "1", "segment": "keen"},
        {"member_id": "änn-7", "member": "0", "segment": "idle"},
        {"member_id": "bob-1", "member": "1", "segment": "idle"},
    ]
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600


def test_pseudonyms_become_ids_and_who_is_no_member_is_counted(club) -> None:
    asked = [KEY.pseudonym("bob-1"), KEY.pseudonym("cyd-9"), KEY.pseudonym("eve-3")]
    done = relink(club.params(), "club", listed(club, "pseudonym\n" + "\n".join(asked) + "\n"))
    assert (done.found, done.missing) == (
        1,
        2,
    )  # who withdrew is not found, though raw has her
    assert [row["member_id"] for row in rows(done.path)] == ["bob-1"]


def test_pseudonyms_go_before_numbers(club) -> None:
    path = listed(club, f"member,pseudonym\n0,{KEY.pseudonym('bob-1')}\n")
    assert [row["member_id"] for row in rows(relink(club.params(), "club", path).path)] == ["bob-1"]


def test_every_use_is_noted_without_ids(club) -> None:
    path = listed(club, "member\n0\n")
    relink(club.params(), "club", path)
    relink(club.params(), "club", path, out=club.root / "private" / "again.csv")
    log = club.root / "private" / "relink.log"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2
    assert lines[0]["user"] == getpass.getuser() or os.environ.get("USER") != lines[0]["user"]
    assert lines[0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {name: lines[0][name] for name in ("case", "list", "found", "not_found")} == {
        "case": "club",
        "list": "list.csv",
        "found": 1,
        "not_found": 0,
    }
    assert "bob" not in log.read_text(encoding="utf-8")
    assert "änn" not in log.read_text(encoding="utf-8")
    assert KEY.pseudonym("änn-7") not in log.read_text(encoding="utf-8")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_no_variable_changes_who_is_noted(club, monkeypatch) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    relink(club.params(), "club", listed(club, "member\n0\n"))
    assert "somebody-else" not in (club.root / "private" / "relink.log").read_text(encoding="utf-8")


def test_what_cannot_be_noted_is_not_done(club) -> None:
    (club.root / "private" / "relink.log").mkdir()
    with pytest.raises(SojournError, match=r"relink\.log cannot be written"):
        relink(club.params(), "club", listed(club, "member\n0\n"))
    assert not list((club.root / "private").glob("*.ids.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("member\n0\n7\n", "1 of 2 numbers in list.csv stand for nobody"),
        ("member\nx\n", "1 of 1 numbers"),
        ("member\n-1\n", "1 of 1 numbers"),
        ("name\nbob-1\n", "neither a column 'pseudonym' nor 'member'"),
        ("member\n", "lists nobody"),
    ],
)
def test_a_wrong_list_is_an_error(club, text, message) -> None:
    with pytest.raises(DataError, match=message) as error:
        relink(club.params(), "club", listed(club, text))
    assert "bob-1" not in str(error.value)
    assert nothing_written(club)


def test_an_old_list_of_numbers_is_refused(club) -> None:
    path = listed(club, "member\n0\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    with pytest.raises(DataError, match="older than the tidy tables"):
        relink(club.params(), "club", path)
    pseudonyms = listed(club, f"pseudonym\n{KEY.pseudonym('bob-1')}\n", "private/other.csv")
    os.utime(pseudonyms, (1_000_000_000, 1_000_000_000))
    assert relink(club.params(), "club", pseudonyms).found == 1  # these never stand for anybody else


@pytest.mark.parametrize("out", ["list.ids.csv", "data/x.csv", "private/../x.csv", "private/src/x.csv"])
def test_ids_are_written_below_private_only(club, out) -> None:
    (club.root / "src").mkdir()
    (club.root / "private" / "src").symlink_to(Path("..") / "src")
    with pytest.raises(ParameterError, match="below private/ only"):
        relink(club.params(), "club", listed(club, "member\n0\n"), out=club.root / out)
    assert nothing_written(club)


def test_a_list_elsewhere_needs_a_place_for_the_ids(club) -> None:
    path = listed(club, "member\n0\n", "reports/list.csv")
    with pytest.raises(ParameterError, match=r"not to list\.ids\.csv"):
        relink(club.params(), "club", path)
    assert relink(club.params(), "club", path, out=club.root / "private" / "found.csv").found == 1


def test_a_file_that_git_tracks_or_would_is_refused(club) -> None:
    path = listed(club, "member\n0\n")
    (club.root / ".gitignore").write_text("/nothing\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"Git tracks private/list\.ids\.csv or would"):
        relink(club.params(), "club", path)
    (club.root / ".gitignore").write_text("/private/*\n", encoding="utf-8")
    tracked = listed(club, "x", "private/tracked.csv")
    subprocess.run(["git", "add", "-f", str(tracked)], cwd=club.root, check=True)
    with pytest.raises(ParameterError, match=r"Git tracks private/tracked\.csv or would"):
        relink(club.params(), "club", path, out=tracked)
    assert tracked.read_text(encoding="utf-8") == "x"


def test_a_public_case_has_nothing_to_find(club) -> None:
    params = club.case("shop", {"events": EVENTS})
    prepare(params, "shop")
    with pytest.raises(ParameterError, match="'shop' is public"):
        relink(params, "shop", listed(club, "member\n0\n"))


def test_without_the_key_nothing_is_found(club) -> None:
    (club.root / "private" / "keys" / f"{KEY.key_id}.key").unlink()
    with pytest.raises(ParameterError, match=r"key of cases\.club is not there"):
        relink(club.params(), "club", listed(club, "member\n0\n"))


def test_with_another_key_nothing_is_found(club, monkeypatch) -> None:
    other = "another key of the test, long enough"
    monkeypatch.setenv("SOJOURN_KEY", other)
    with pytest.raises(ParameterError, match=r"Wrong key for cases\.club"):
        relink(club.params(), "club", listed(club, "member\n0\n"))
    params = club.case(
        "club",
        {"members": MEMBERS, "events": EVENTS},
        public=False,
        prepare={"key_id": Key(other.encode()).key_id},
    )
    with pytest.raises(ParameterError, match="its tidy tables were made with"):
        relink(params, "club", listed(club, "member\n0\n"))
    assert nothing_written(club)
