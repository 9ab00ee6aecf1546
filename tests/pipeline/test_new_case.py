"""`sojourn new-case`: a mapping that loads, in a file of which nothing else changes, or nothing at all."""

from __future__ import annotations

import difflib
import gzip
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError, ParameterError, SojournError
from sojourn.core.params import read_params
from sojourn.data.settings import read_settings
from sojourn.pipeline.cli import main
from sojourn.pipeline.declared import check_params
from sojourn.pipeline.new_case import new_case
from sojourn.pipeline.sections import scalar, with_entries

REPOSITORY = Path(__file__).resolve().parents[2]
EVENTS = "user_id,ts,action\n1,2025-01-02T10:00:00Z,login\n2,2025-03-04T11:00:00Z,view\n"
MEMBERS = "user_id,signup_date,cancelled_at,channel\n1,2025-01-01T00:00:00Z,,ads\n2,2025-01-05T00:00:00Z,,\n"
ASSIGNMENTS = (
    "user_id,experiment,variant,assigned_at\n"
    '1,"offer: 10 %",plus,2025-01-02T00:00:00Z\n2,"offer: 10 %",control,2025-01-06T00:00:00Z\n'
)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A project with the shipped parameters and no private folder, beside which files lie."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPOSITORY / name, root / name)
    for name in ("notebooks", "src"):
        (root / name).symlink_to(REPOSITORY / name)
    monkeypatch.setenv("SOJOURN_ROOT", str(root))
    return root


def file(root: Path, name: str, content: str | bytes | pd.DataFrame) -> Path:
    """Write a file of theirs outside the project."""
    path = root.parent / name
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything below a folder, links not followed; folders hold nothing."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_symlink() and inside.parts[0] not in ("notebooks", "src"):
            found[inside.as_posix()] = path.read_bytes() if path.is_file() else None
    return found


def prepared(name: str):
    """Return the checked parameters of a case, as the door reads them."""
    check_params()
    return read_settings(read_params(), name)


def test_a_mapping_is_written_that_loads(here):
    shown = new_case("shop", {"events": file(here, "e.csv", EVENTS)})
    found = prepared("shop")
    mapping = found.mappings["events"]
    assert dict(mapping.columns) == {"user_id": "member_id", "ts": "occurred_at", "action": "event"}
    assert found.as_of.isoformat() == "2025-03-05T00:00:00+00:00"
    assert found.private
    assert shown in (here / "params.yaml").read_text()
    raw = yaml.safe_load((here / "params.yaml").read_text())
    assert raw["private_inputs"] == {"shop": {"case": "shop", "from": "data/raw/shop"}}
    assert {pair["study"] for pair in raw["private_pairs"].values()} <= set(raw["studies"])
    assert set(raw["cases"]["shop"]) == {
        "about",
        "prepare",
        *(p["study"] for p in raw["private_pairs"].values()),
    }
    assert raw["cases"]["shop"]["retention"]["cells"]["churn"] == "silence"


def test_guesses_are_marked_and_what_was_stated_is_not(here):
    text = "a,b,c\n1,x,2025-01-02T10:00:00Z\n"
    shown = new_case("shop", {"events": file(here, "e.csv", text)}, ["events.member_id=a"], zone="Asia/Tokyo")
    lines = {line.split("#")[0].strip(): line for line in shown.splitlines()}
    assert "guess" not in lines["a: member_id"]
    assert "guess" not in lines["time_zone: Asia/Tokyo"]
    assert "# guess: the only column of times" in lines["c: occurred_at"]
    assert "# guess" in lines["event: action"]
    assert "# guess" in next(line for line in lines.values() if "as_of" in line)
    assert "# not read of events: b" in shown


def added_only(before: str, after: str, changed: set[str] = frozenset()) -> None:
    """Check that all lines of one text stand in the other, in order, but those that may change."""
    steps = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    assert {step[2:].rstrip() for step in steps if step.startswith("- ")} <= changed


def test_two_cases_one_after_another_change_nothing_else(here):
    path, e = here / "params.yaml", file(here, "e.csv", EVENTS)
    shipped = path.read_text()
    new_case("one", {"events": e})
    first = path.read_text()
    added_only(shipped, first, {"private_inputs: {}", "private_pairs: {}"})
    assert first.count("\n\n") == shipped.count("\n\n")
    new_case("two", {"events": e})
    added_only(first, path.read_text())
    raw = yaml.safe_load(path.read_text())
    assert list(raw["private_inputs"]) == ["one", "two"]
    assert list(raw["cases"])[-2:] == ["one", "two"]
    # the comment on the section that follows still stands right above it
    assert "`__init__.py`: none).\npairs:" in path.read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: {}\nb: 1\n", "a:\n  x: 1\nb: 1\n"),
        ("a: {}   # why\n\n# of b\nb: 1\n", "a: # why\n  x: 1\n\n# of b\nb: 1\n"),
        ("a:\nb: 1\n", "a:\n  x: 1\nb: 1\n"),
        ("a:\n  # 1\n  y: 2   # 2\n\n# b\n\nb: 1\n", "a:\n  # 1\n  y: 2   # 2\n  x: 1\n\n# b\n\nb: 1\n"),
        ("b: 1\na:\n  y: 2", "b: 1\na:\n  y: 2\n  x: 1\n"),
        ("b: 1\r\na:\r\n  y: 2\r\nc: 1\r\n", "b: 1\r\na:\r\n  y: 2\r\n  x: 1\r\nc: 1\r\n"),
        ("a: {}\r\nb: 1\r\n", "a:\r\n  x: 1\r\nb: 1\r\n"),
        ('a:\n  y: "\u2028\x85"\nb: "a: {}"\n', 'a:\n  y: "\u2028\x85"\n  x: 1\nb: "a: {}"\n'),
    ],
)  # fmt: skip
def test_entries_go_to_the_end_of_their_section(before, after):
    assert with_entries(before, "a", "  x: 1") == after


@pytest.mark.parametrize("text", ["a: {y: 2}\n", "a:\n    y: 2\n", "a: &all\n  y: 2\n", "a:\n- y\n"])
def test_a_section_of_another_form_is_left_alone(text):
    with pytest.raises(SojournError, match=r"'a' of params\.yaml has a form to which no entry can be added"):
        with_entries(text, "a", "  x: 1")


HOSTILE = [
    'quo"te', "quo'te", "a # b", "a: b", "line\nbreak", "{{ x }}", "${x}", "*alias", "&anchor",
    "!!python/object", "- a", "? a", "| a", "yes", "null", "~", "1", "1e3", "0x1f", "2025-01-01", "",
    " blank ", "\\n", "\x85", "\u2028", "😀", "\ufeff", "@a", "`a`", "%a", "<<", "=", "[", "a, b",
    "\x7f", "\t",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_a_plain_string_of_yaml(text):
    assert yaml.safe_load(f"- {scalar(text)}  # comment") == [text]
    assert yaml.safe_load(f"{{{scalar(text)}: {scalar(text)}}}") == {text: text}


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_whatever_the_text(text):
    assert yaml.safe_load(f"- {scalar([text])}") == [[text]]


@pytest.mark.parametrize("text", [name for name in HOSTILE if name.strip()])
def test_hostile_names_of_columns(here, text):
    """A column of the member and one that is not read, both with a name that YAML could take for more."""
    frame = pd.DataFrame({text: ["1", "2"], f"{text}.": ["x", "y"], "ts": ["2025-01-02T00:00:00Z"] * 2})
    before = (here / "params.yaml").read_text()
    new_case("shop", {"events": file(here, "e.parquet", frame)}, [f"events.member_id={text}"])
    assert prepared("shop").mappings["events"].columns[text] == "member_id"
    added_only(before, (here / "params.yaml").read_text(), {"private_inputs: {}", "private_pairs: {}"})


@pytest.mark.parametrize("text", [name.replace("/", ".") for name in HOSTILE if name.strip()])
def test_hostile_names_of_files(here, text):
    outside = file(here, f"{text}.csv", EVENTS)
    new_case("one", {"events": outside})
    assert prepared("one").tables["events"].path == "private/data/raw/one/events.csv"
    inside = here / "private" / "exports" / f"{text}.csv"
    inside.parent.mkdir()
    inside.write_text(EVENTS)
    before = tree(here)
    try:
        new_case("two", {"events": inside})
    except SojournError:
        assert tree(here) == before
    else:
        assert prepared("two").tables["events"].path == f"private/exports/{text}.csv"


@pytest.mark.parametrize("name", ["Shop", "a b", "../x", "demo", "1a", "a" * 61, "a-b", ""])
def test_a_name_that_is_taken_or_none_is_refused(here, name):
    before = tree(here)
    with pytest.raises(ParameterError, match=r"is named by a-z|already"):
        new_case(name, {"events": file(here, "e.csv", EVENTS)})
    assert tree(here) == before


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("event.member_id=user_id", "There is no table 'event' among your files.* Did you mean 'events'"),
        (
            "events.memberid=user_id",
            "'memberid' is not a parameter of the table events. Did you mean 'member_id'",
        ),
        ("events.member_id=userid", r"events\.userid: .* Did you mean 'user_id'"),
        ("member_id=user_id", "must be TABLE.OURS=YOURS"),
    ],
)
def test_what_is_stated_wrongly_gets_the_nearest_name(here, stated, said):
    before = tree(here)
    with pytest.raises(SojournError, match=said):
        new_case("shop", {"events": file(here, "e.csv", EVENTS)}, [stated])
    assert tree(here) == before


def test_a_column_is_stated_once(here):
    stated = ["events.member_id=user_id", "events.event=user_id"]
    with pytest.raises(ParameterError, match="each column can be stated once"):
        new_case("shop", {"events": file(here, "e.csv", EVENTS)}, stated)


def fail_in_key(monkeypatch, _root):
    def refuse() -> str:
        raise PermissionError(13, "Permission denied", "private/keys")

    monkeypatch.setattr("sojourn.data.pseudonyms.new_key", refuse)


def fail_in_key_folder(_monkeypatch, root):
    (root / "private").mkdir()
    (root / "private" / "keys").write_text("a file where the folder of keys would be")


def fail_in_check(monkeypatch, _root):
    calls = []

    def refuse() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise ParameterError("refused")

    monkeypatch.setattr("sojourn.pipeline.new_case.check_params", refuse)
    monkeypatch.setattr("sojourn.pipeline.sections.check_params", refuse)


def fail_in_copy(monkeypatch, _root):
    monkeypatch.setattr(
        "sojourn.pipeline.new_case.shutil.copyfile", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
    )


def fail_in_writing(monkeypatch, _root):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)


@pytest.mark.parametrize(
    "breaks", [fail_in_key, fail_in_key_folder, fail_in_check, fail_in_copy, fail_in_writing]
)
def test_a_failure_at_any_step_leaves_all_as_it_was(here, monkeypatch, breaks):
    files = {"events": file(here, "e.csv", EVENTS), "members": file(here, "m.csv", MEMBERS)}
    breaks(monkeypatch, here)
    before = tree(here)
    with pytest.raises((SojournError, OSError)):
        new_case("shop", files)
    assert tree(here) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no file"),
        (b"", "has no rows"),
        (b"a,b\n1,2\n", "no column of .* looks like it"),
        (b"user_id,ts\n1,\n", "holds no time|no column"),
    ],
)
def test_a_file_of_which_nothing_can_be_made(here, content, said, capsys):
    path = here.parent / "e.csv"
    if content is not None:
        path.write_bytes(content)
    before = tree(here)
    assert main(["new-case", "shop", "--events", str(path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    with pytest.raises(SojournError, match=said):
        new_case("shop", {"events": path})
    assert tree(here) == before


def test_a_second_table_that_cannot_be_read_undoes_the_first(here):
    before = tree(here)
    with pytest.raises(DataError, match="members: there is no file"):
        new_case("shop", {"events": file(here, "e.csv", EVENTS), "members": here / "none.csv"})
    assert tree(here) == before


def modes(folder: Path) -> set[str]:
    return {f"{'d' if path.is_dir() else 'f'}{path.stat().st_mode & 0o777:o}" for path in folder.rglob("*")}


def test_copies_are_for_their_owner_only(here):
    folder = here.parent / "days"
    (folder / "day=2025-01-02").mkdir(parents=True)
    pd.DataFrame({"user_id": ["1"], "ts": ["2025-01-02T10:00:00Z"]}).to_parquet(
        folder / "day=2025-01-02" / "a.parquet"
    )
    new_case("shop", {"events": folder, "members": file(here, "m.csv", MEMBERS)})
    assert (here / "private/data/raw/shop/events/day=2025-01-02/a.parquet").is_file()
    assert (here / "private/data/raw/shop/members.csv").read_text() == MEMBERS
    assert modes(here / "private") == {"d700", "f600"}
    assert (here / "private").stat().st_mode & 0o777 == 0o700
    assert prepared("shop").tables["events"].path == "private/data/raw/shop/events"


def test_what_lies_below_private_is_used_where_it_is(here):
    (here / "private" / "exports").mkdir(parents=True)
    for name, text in (("e", EVENTS), ("m", MEMBERS)):
        (here / "private" / "exports" / f"{name}.csv").write_text(text)
    files = {"events": here / "private/exports/e.csv", "members": here / "private/exports/m.csv"}
    new_case("shop", files)
    assert not (here / "private" / "data").exists()
    assert prepared("shop").tables["events"].path == "private/exports/e.csv"
    assert read_params().inputs(private=True)["shop"]["from"] == "exports"
    new_case("other", {"events": files["events"]})
    assert read_params().inputs(private=True)["other"]["from"] == "exports/e.csv"


def test_files_in_folders_that_the_pipeline_writes_into_are_refused(here):
    (here / "private" / "exports").mkdir(parents=True)
    (here / "private" / "exports" / "e.csv").write_text(EVENTS)
    (here / "private" / "m.csv").write_text(MEMBERS)
    files = {"events": here / "private/exports/e.csv", "members": here / "private/m.csv"}
    before = tree(here)
    with pytest.raises(SojournError, match="lie in different folders below private/"):
        new_case("shop", files)
    assert tree(here) == before


def test_a_spreadsheet_of_windows_in_german(here):
    text = (
        "Kunde;Zeitpunkt;Vorgang;Betrag\n1;03.01.2025 10:00;Käufe;1.234,50\n2;24.01.2025 11:30;Käufe;7,10\n"
    )
    shown = new_case("shop", {"events": file(here, "e.csv", text.encode("cp1252"))}, zone="Europe/Berlin")
    found = prepared("shop")
    source = found.tables["events"]
    assert (source.delimiter, source.encoding, source.decimal, source.thousands) == (";", "cp1252", ",", ".")
    assert found.mappings["events"].times == {"occurred_at": "%d.%m.%Y %H:%M"}
    assert found.as_of.isoformat() == "2025-01-24T23:00:00+00:00"
    assert (found.clock, found.time_zone) == ("local", "Europe/Berlin")
    assert 'currency: ""                 # say that of the amounts' in shown
    assert main(["check", "shop"]) == 0


@pytest.mark.parametrize(
    ("amounts", "marks"),
    [(("1,50", "2,75"), (",", "")), (("1,234.50", "7.1"), (".", ",")), (("1.5", "2"), (".", ""))],
)
def test_marks_of_numbers(here, amounts, marks):
    rows = "".join(f"{n}\t2025-01-0{n + 1}T00:00:00Z\t{amount}\n" for n, amount in enumerate(amounts))
    new_case("shop", {"events": file(here, "e.tsv", "user\tts\tamount\n" + rows)})
    source = prepared("shop").tables["events"]
    assert (source.decimal, source.thousands) == marks
    assert main(["check", "shop"]) == 0


def test_a_compressed_text_keeps_what_says_so_in_its_name(here):
    new_case("shop", {"events": file(here, "my export.of 2025.log.GZ", gzip.compress(EVENTS.encode()))})
    assert prepared("shop").tables["events"].path == "private/data/raw/shop/events.txt.gz"
    assert main(["check", "shop"]) == 0


def test_times_without_an_offset_are_of_a_stated_clock(here):
    text = EVENTS.replace("Z,", ",")
    shown = new_case("shop", {"events": file(here, "e.csv", text)})
    assert "clock: utc    # guess" in shown
    assert "clock" not in new_case("other", {"events": file(here, "z.csv", EVENTS)})
    new_case("west", {"events": file(here, "w.csv", text.replace("11:00", "23:30"))}, zone="America/New_York")
    assert prepared("west").as_of.isoformat() == "2025-03-05T05:00:00+00:00"
    assert main(["check", "west"]) == 0


def test_the_end_is_the_midnight_of_the_zone_after_the_last_row(here):
    late = EVENTS.replace("2025-03-04T11:00:00Z", "2025-03-05T03:00:00Z")
    files = {"events": file(here, "e.csv", late)}
    new_case("west", files, zone="America/New_York")
    assert prepared("west").as_of.isoformat() == "2025-03-05T05:00:00+00:00"
    members = MEMBERS.replace("2025-01-05T", "2025-04-05T")
    new_case("joined", {**files, "members": file(here, "m.csv", members)})
    assert prepared("joined").as_of.isoformat() == "2025-04-06T00:00:00+00:00"


def test_a_zone_that_is_none_is_refused(here):
    with pytest.raises(ParameterError, match="must be an IANA name"):
        new_case("shop", {"events": file(here, "e.csv", EVENTS)}, zone="Berlin")


def test_members_events_and_assignments_together(here):
    texts = {"events": EVENTS, "members": MEMBERS, "assignments": ASSIGNMENTS}
    new_case("shop", {table: file(here, f"{table}.csv", text) for table, text in texts.items()})
    params, found = read_params(), prepared("shop")
    assert found.mappings["members"].columns == {
        "user_id": "member_id", "signup_date": "joined_at", "cancelled_at": "churned_at"
    }  # fmt: skip
    assert params.case("shop")["retention"] == {
        "cells": {"churn": "cancellation", "groups": ["channel"]}, "by": "channel"
    }  # fmt: skip
    trials = params.case("shop")["trials"]
    assert trials["cells"]["trial"] == "offer: 10 %"
    assert trials["cells"]["stratum"] == "channel"
    assert trials["cells"]["horizons"] == [30, 60]  # one of two was followed for 62 days
    assert (trials["control"], trials["metric"]) == ("control", "kept_at_60")
    assert params.for_study("shop", "trials")["guard"] == "kept_at_60"
    assert "shop-trials" in params.pairs(private=True)
    assert main(["check", "shop"]) == 0


PURCHASES = (
    "customer_id,order_date,amount\n7,2025-01-10 10:00,12.50\n8,2025-02-01 09:00,3\n7,2025-04-20 11:00,4\n"
)
VARIANTS = "customer_id;variant;assigned_on\n7;welcome_gift;06.01.2025\n8;control;08.01.2025\n"
WIDE = "customer_id,joined,left,revenue\n7,2024-11-02,,12.5\n8,2024-12-24,2025-04-30,0\n"


def test_purchases_and_assignments_make_a_trial_about_money(here):
    """Nobody's leaving is known: the guard is who pays, and what only the owner knows is to be said."""
    files = {"events": file(here, "o.csv", PURCHASES), "assignments": file(here, "a.csv", VARIANTS)}
    shown = new_case("shop", files, zone="Europe/Berlin")
    trials = read_params().case("shop")["trials"]
    assert trials["cells"] == {
        "trial": "main", "horizons": [30, 90], "value_days": 90, "stratum": "all", "margin": 0.3,
        "cost_per_member": {"welcome_gift": 0}, "allocation": {},
    }  # fmt: skip
    assert (trials["control"], trials["metric"], trials["guard"]) == ("control", "net_value", "converted")
    assert "cost_per_member: {welcome_gift: 0}    # say: what a scheme costs for one member" in shown
    assert main(["check", "shop"]) == 0


def test_members_without_events_join_and_leave(here):
    files = {"members": file(here, "o.csv", WIDE), "assignments": file(here, "a.csv", VARIANTS)}
    shown = new_case("club", files, zone="Europe/Berlin")
    found = prepared("club")
    assert found.tables["events"].path == found.tables["members"].path
    assert found.mappings["events"].columns == {"customer_id": "member_id", "joined": "occurred_at"}
    assert found.as_of.isoformat() == "2025-04-30T22:00:00+00:00"  # the midnight after the last one left
    assert "# not read of members: revenue" in shown
    params = read_params()
    assert params.case("club")["trials"]["metric"] == "kept_at_90"
    assert set(params.case("club")) >= {"quality", "retention", "trials"}
    assert not {"portrait", "segments"} & set(params.case("club"))
    assert main(["check", "club"]) == 0


def test_who_will_leave_has_not_left_yet(here):
    """An end of contract that lies ahead is not the end of the data."""
    files = {"members": file(here, "o.csv", WIDE.replace("2025-04-30", "2999-04-30"))}
    new_case("club", {**files, "assignments": file(here, "a.csv", VARIANTS)}, zone="Europe/Berlin")
    assert prepared("club").as_of.isoformat() == "2025-01-08T23:00:00+00:00"
    both = WIDE.replace("2024-11-02,", "2024-11-02,2999-12-31")  # those who have left still say when data end
    new_case("gym", {"members": file(here, "g.csv", both), "assignments": file(here, "h.csv", VARIANTS)})
    assert prepared("gym").as_of.isoformat() == "2025-05-01T00:00:00+00:00"


def test_a_case_needs_members_or_events(here):
    before = tree(here)
    with pytest.raises(ParameterError, match=r"--events FILE.*--members FILE"):
        new_case("club", {"assignments": file(here, "a.csv", VARIANTS)})
    assert tree(here) == before


def test_a_trial_of_which_no_outcome_is_known_is_none(here):
    signs = "customer_id,order_date\n7,2025-01-10 10:00\n8,2025-02-01 09:00\n"
    files = {"events": file(here, "o.csv", signs), "assignments": file(here, "a.csv", VARIANTS)}
    new_case("shop", files)
    assert "trials" not in read_params().case("shop")


def test_one_scheme_is_no_trial(here):
    one = ASSIGNMENTS.replace("control", "plus")
    files = {"events": file(here, "e.csv", EVENTS), "assignments": file(here, "a.csv", one)}
    new_case("shop", files)
    assert "trials" not in read_params().case("shop")


def test_a_frame_with_everything_of_a_shop(here):
    frame = pd.DataFrame(
        {
            "CustomerID": [17850.0, None, 13047.0],
            "InvoiceDate": pd.to_datetime(["2025-01-02 10:00", "2025-01-02 11:00", "2025-01-03 12:00"]),
            "Quantity": [6, 1, -2],
            "UnitPrice": [2.55, 3.39, 2.75],
        }
    )
    new_case("shop", {"events": file(here, "e.parquet", frame)})
    found = prepared("shop")
    assert (found.ids, found.clock) == ("whole_numbers", "utc")
    assert found.mappings["events"].leave_out_empty == ("member_id",)
    assert found.mappings["events"].products == {"amount": ("Quantity", "UnitPrice")}
    assert main(["check", "shop"]) == 0


CELLS = st.text(st.sampled_from("ab:#{}[]*&!|>'\"%@`,?- \n\t\\$é中😀\x85\u2028"), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(CELLS.filter(str.strip), min_size=1, max_size=4, unique=True), data=st.data())
def test_any_names_load_or_are_refused(here, names, data):
    path = here / "params.yaml"
    shutil.rmtree(here / "private", ignore_errors=True)
    shutil.copyfile(REPOSITORY / "params.yaml", path)
    member = data.draw(st.sampled_from(names))
    columns = {name: ["a", "b"] for name in names} | {"ts": ["2025-01-02T00:00:00Z"] * 2}
    before = tree(here)
    try:
        new_case(
            "shop", {"events": file(here, "e.parquet", pd.DataFrame(columns))}, [f"events.member_id={member}"]
        )
    except SojournError:
        assert tree(here) == before
    else:
        assert prepared("shop").mappings["events"].columns[member] == "member_id"


def test_the_command_prints_what_it_wrote(here, capsys):
    path = file(here, "e.csv", EVENTS)
    assert main(["new-case", "shop", "--events", str(path), "--zone", "UTC"]) == 0
    shown = capsys.readouterr()
    assert shown.out in (here / "params.yaml").read_text()
    assert yaml.safe_load(io.StringIO(shown.out))["shop"]["prepare"]["source"] == "files"
    assert "Correct the guesses in params.yaml" in shown.err
