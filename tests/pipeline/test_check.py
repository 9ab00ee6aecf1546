"""`sojourn check`: what is odd of a case is said, and nothing is kept, whatever happens."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from sojourn.pipeline.cli import main

EVENTS = """\
member_id,occurred_at,event,amount,colour
1,2025-01-02T10:00:00Z,purchase,5.00,red
1,2025-01-02T10:00:00Z,purchase,5.00,red
2,2025-03-04T11:00:00Z,purchase,-2.00,blue
3,2025-03-05T11:00:00Z,login,,red
"""
MEMBERS = "member_id,joined_at\n1,2025-01-01T00:00:00Z\n2,2025-01-05T00:00:00Z\n3,2025-01-06T00:00:00Z\n"
BROKEN = EVENTS.replace("2025-03-04T11:00:00Z", "some day")


def case(project, *, public: bool, events: str = EVENTS, **prepare) -> None:
    stated = {} if public else {"key_id": key_in(project.root)}
    project.case("shop", {"events": events, "members": MEMBERS}, public=public, prepare={**stated, **prepare})


def key_in(root: Path) -> str:
    from sojourn.data.pseudonyms import new_key

    kept = sorted((root / "private" / "keys").glob("*.key")) if (root / "private").exists() else []
    key_id = kept[0].stem if kept else new_key()
    (root / "private").chmod(0o700)  # as every command makes it
    return key_id


def tree(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, time of change and content of everything in a project."""
    found = {}
    for path in sorted(root.rglob("*")):
        kept = path.read_bytes() if path.is_file() else b""
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        found[path.relative_to(root).as_posix()] = (path.stat().st_mode, changed, kept)
    return found


@pytest.mark.parametrize("public", [True, False])
def test_rows_warnings_and_notes_are_printed_and_nothing_is_kept(project, capsys, public):
    case(project, public=public)
    before = tree(project.root)
    assert main(["check", "shop"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("shop: no error, ")
    assert "  events: 4 rows read, 4 kept" in lines
    assert "  members: 3 rows read, 3 kept" in lines
    assert any(
        line.startswith("  warning: events: an exact copy of another row (1 of 4 rows)") for line in lines
    )
    assert any(line.startswith("  note: events.colour: not in the contract") for line in lines)
    [negative] = [line for line in lines if line.startswith("  note: events.amount: a negative amount")]
    assert "(1 of 4 rows)" in negative
    assert ("purchase" in negative) == public  # a private case shows no names
    counted = [sum(line.startswith(f"  {level}: ") for line in lines) for level in ("warning", "note")]
    assert lines[0] == f"shop: no error, {counted[0]} warning{'s' * (counted[0] != 1)}, {counted[1]} notes."
    assert [line.split(":")[0] for line in lines[3:]] == ["  warning"] * counted[0] + ["  note"] * counted[1]
    assert tree(project.root) == before


def test_what_was_dropped_is_not_kept(project, capsys):
    case(project, public=True, exact_duplicates={"events": "drop"})
    assert main(["check", "shop"]) == 0
    assert "  events: 4 rows read, 3 kept" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("public", [True, False])
def test_an_error_is_one_line_and_leaves_nothing(project, capsys, public):
    case(project, public=public, events=BROKEN)
    before = tree(project.root)
    assert main(["check", "shop"]) == 1
    said = capsys.readouterr()
    assert not said.out
    [error] = [line for line in said.err.splitlines() if not line.startswith("  shop: ")]
    assert error.startswith("sojourn: events.occurred_at: ")
    assert ("some day" in error) == public
    assert tree(project.root) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [(["check", "shoop"], "There is no case 'shoop'"), (["check", "shop"], "there is no file")],
)
def test_what_is_not_there_leaves_nothing(project, capsys, words, said):
    case(project, public=True)
    for path in (project.root / "incoming").rglob("*.csv"):
        path.unlink()
    before = tree(project.root)
    assert main(words) == 1
    assert said in capsys.readouterr().err
    assert tree(project.root) == before


def test_a_wrong_key_leaves_nothing(project, capsys, monkeypatch):
    case(project, public=False)
    monkeypatch.setenv("SOJOURN_KEY", "another key, long enough")
    before = tree(project.root)
    assert main(["check", "shop"]) == 1
    assert "Wrong key" in capsys.readouterr().err
    assert tree(project.root) == before


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("events", [EVENTS, BROKEN])
def test_an_earlier_tidy_folder_is_untouched(project, capsys, public, events):
    case(project, public=public)
    assert main(["prepare", "shop"]) == 0
    case(project, public=public, events=events.replace(",red", ",green"))
    before = tree(project.root)
    assert any("tidy/shop/events" in name for name in before)
    assert main(["check", "shop"]) == (events == BROKEN)
    assert tree(project.root) == before


def test_a_check_that_is_stopped_leaves_nothing(project, monkeypatch, capsys):
    case(project, public=True)
    before = tree(project.root)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sojourn.pipeline.check._said", stop)
    assert main(["check", "shop"]) == 130
    assert tree(project.root) == before


def test_a_private_case_shows_no_names_and_no_ids(project, capsys):
    rows = "".join(f"id-{n},2025-01-02T10:0{n}:00Z,canary,1.00,red\n" for n in range(9))
    members = "member_id,joined_at\n" + "".join(f"id-{n},2025-01-01T00:00:00Z\n" for n in range(9))
    project.case(
        "shop",
        {"events": EVENTS.splitlines()[0] + "\n" + rows + rows, "members": members},
        public=False,
        prepare={"key_id": key_in(project.root)},
    )
    assert main(["check", "shop"]) == 0
    shown = "".join(capsys.readouterr())
    assert "canary" not in shown
    assert "id-" not in shown


def test_a_case_that_grows_is_checked_without_a_trace(project, capsys):
    folder = project.root / "incoming" / "shop" / "parts"
    folder.mkdir(parents=True)
    frame = pd.read_csv(project.root / project.file("other", "events", EVENTS), dtype=str).fillna("0.00")
    for day, rows in frame.groupby(frame["occurred_at"].str[:10]):
        rows.to_parquet(folder / f"{day}.parquet", index=False)
    tables = {
        "events": folder.relative_to(project.root).as_posix(),
        "members": project.file("shop", "members", MEMBERS),
    }
    project.case("shop", {"members": MEMBERS}, prepare={"tables": tables, "grow": "by_day"})
    assert main(["prepare", "shop"]) == 0
    before = tree(project.root)
    os.utime(folder / "2025-03-05.parquet")
    touched = tree(project.root)
    assert main(["check", "shop"]) == 0
    assert "  events: 4 rows read, 4 kept" in capsys.readouterr().out.splitlines()
    assert tree(project.root) == touched != before
