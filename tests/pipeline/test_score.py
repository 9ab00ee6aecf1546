"""The word `score` as it is typed: who is listed, under which name, where, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sojourn.core.measures import Counting, Measure
from sojourn.core.results.take_away import Condition, Leaf
from sojourn.core.text import day
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import new_key
from sojourn.pipeline.cli import main
from take_away_rules import SILENT, tree

#: Joined long before, lately, left before the end, joined in June, came back, came back and left again.
MEMBERS = """member_id,joined_at,churned_at
ada-4711,2025-01-01,
bob-1234,2025-01-01,
cyd-2222,2025-01-01,2025-06-20
dan-3333,2025-06-20,
eve-4444,2025-01-01,2025-03-01
flo-5555,2025-01-01,2025-03-01
"""
SPELLS = """member_id,started_at,ended_at,plan
ada-4711,2025-01-01,,a
bob-1234,2025-01-01,,a
cyd-2222,2025-01-01,2025-06-20,a
dan-3333,2025-06-20,,a
eve-4444,2025-01-01,2025-03-01,a
eve-4444,2025-05-01,,a
flo-5555,2025-01-01,2025-03-01,a
flo-5555,2025-05-01,2025-06-15,a
"""
EVENTS = """member_id,occurred_at,event
ada-4711,2025-06-29,x
bob-1234,2025-04-01,x
cyd-2222,2025-06-01,x
dan-3333,2025-06-28,x
eve-4444,2025-06-25,x
flo-5555,2025-06-01,x
"""
RULE = replace(
    tree(
        [
            Leaf((Condition(0, None, 30.0),), 0, 20, 1.0),
            Leaf((Condition(0, 30.0, None),), 1, 20, 1.0),
        ],
        measures=(SILENT,),
        names=("=here", "silent, “long”"),
    ),
    counting=Counting(30, 30),
    case="shop",
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, project_at):
    """Return two projects that went through the door once: a public case, and a private one."""
    tops = {}
    for kind in ("public", "private"):
        top = tops[kind] = tmp_path_factory.mktemp(kind)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOJOURN_ROOT", str(top))
            key = {"key_id": new_key()} if kind == "private" else {}
            tables = {"members": MEMBERS, "events": EVENTS, "spells": SPELLS}
            params = project_at(top).case("shop", tables, public=kind == "public", prepare=key)
            prepare(params, "shop")
            folder = params.places("shop").reports / "segments"
        folder.mkdir(parents=True)
        (folder / "rule.json").write_text(RULE.to_json(), encoding="utf-8")
    return tops


def copied(folder, to, monkeypatch):
    shutil.copytree(
        folder, to, dirs_exist_ok=True
    )  # with its times: a list may not be older than its numbers
    monkeypatch.setenv("SOJOURN_ROOT", str(to))
    return to


@pytest.fixture
def shop(prepared, tmp_path, monkeypatch):
    return copied(prepared["public"], tmp_path, monkeypatch)


@pytest.fixture
def club(prepared, tmp_path, monkeypatch):
    return copied(prepared["private"], tmp_path, monkeypatch)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {int(row["member"]): row["segment"] for row in csv.DictReader(file)}


def by_silence(root, at="2025-07-01"):
    """Return segments by member from the tidy tables with pandas: the oracle."""
    folder, at = root / "data/tidy/shop", pd.Timestamp(at, tz="Europe/Berlin")
    members = pd.read_parquet(folder / "members.parquet").set_index("member")
    events = pd.read_parquet(folder / "events.parquet")
    at = pd.Timestamp("2025-07-01T00:00:00Z") - (pd.Timestamp("2025-07-01", tz="Europe/Berlin") - at)
    spells = pd.read_parquet(folder / "spells.parquet")
    in_one = spells[(spells["started_at"] <= at) & ~(spells["ended_at"] <= at)]["member"]
    there = members[members.index.isin(in_one)]
    last = events[events["occurred_at"] <= at].groupby("member")["occurred_at"].max()
    found = {}
    for member, joined in there["joined_at"].items():
        start = max(joined, events["occurred_at"].min().floor("D"))
        observed = (at - start).days
        silent = (at - last[member]).days if member in last else observed
        found[member] = "" if observed < 30 else ("'=here" if silent < 30 else "silent, “long”")
    return found


def test_everybody_who_is_there_is_listed_with_a_segment(shop, capsys) -> None:
    assert main(["score", "shop"]) == 0
    listed = rows(shop / "data/scored/shop/members.csv")
    assert listed == by_silence(shop)
    assert sorted(listed.values()) == [
        "",
        "'=here",
        "'=here",
        "silent, “long”",
    ]  # who left, and is not back, is not
    said = capsys.readouterr().err
    assert "shop, 1 July 2025: 4 members, of them 2 “=here” and 1 “silent, “long””" in said
    assert "1 were observed for too short a time. The list is in data/scored/shop/members.csv." in said


def test_an_earlier_date_knows_nothing_of_what_came_later(shop) -> None:
    assert main(["score", "shop", "--at", "2025-06-10"]) == 0
    listed = rows(shop / "data/scored/shop/members.csv")
    assert listed == by_silence(shop, "2025-06-10")
    assert len(listed) == 5  # those who left later are still there, the one who came later not yet
    assert sorted(listed.values()) == ["'=here"] * 2 + ["silent, “long”"] * 3


def test_a_list_may_be_parquet_wherever_git_does_not_look(shop, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("lists") / "all.parquet"
    assert main(["score", "shop", "--out", str(path)]) == 0
    table = pq.read_table(path)
    assert sorted(table["segment"].to_pylist(), key=str) == ["=here", "=here", None, "silent, “long”"]
    assert table["member"].to_pylist() == sorted(table["member"].to_pylist())
    assert list(path.parent.iterdir()) == [path]


def test_the_same_bytes_each_time(shop) -> None:
    path = shop / "data/scored/shop/members.csv"
    texts = [path.read_bytes() for _ in range(2) if main(["score", "shop"]) == 0]
    assert texts[0] == texts[1]


def test_a_private_list_stays_private_and_finds_its_ids_by_relink(club, capsys) -> None:
    assert main(["score", "shop"]) == 0
    path = club / "private/data/scored/shop/members.csv"
    said = capsys.readouterr().err
    assert "For their ids: `sojourn relink private/data/scored/shop/members.csv --case shop`." in said
    assert "ada" not in path.read_text(encoding="utf-8") + said
    assert path.stat().st_mode & 0o077 == 0
    assert main(["relink", str(path), "--case", "shop"]) == 0
    with path.with_name("members.ids.csv").open(encoding="utf-8", newline="") as file:
        found = {row["member_id"]: row["segment"] for row in csv.DictReader(file)}
    assert found == {
        "ada-4711": "'=here",
        "bob-1234": "silent, “long”",
        "dan-3333": "",
        "eve-4444": "'=here",
    }


def refused(capsys, *words) -> str:
    assert main(["score", *words]) == 1
    return capsys.readouterr().err


def test_a_private_list_is_written_nowhere_else(club, capsys) -> None:
    said = refused(capsys, "shop", "--out", str(club / "list.csv"))
    assert "'shop' is private: name a file below private/" in said
    assert not (club / "list.csv").exists()


def test_forgetting_takes_the_lists_away(club) -> None:
    assert main(["score", "shop"]) == 0
    assert main(["forget", "bob-1234", "--case", "shop"]) == 0
    assert not (club / "private/data/scored/shop").exists()


def test_without_a_rule_the_command_that_makes_it_is_named(shop, capsys) -> None:
    (shop / "reports/cases/shop/segments/rule.json").unlink()
    said = refused(capsys, "shop")
    assert "No segments of 'shop' yet" in said
    assert "`sojourn run shop segments`" in said


def test_a_rule_of_another_case_is_refused(shop, capsys) -> None:
    path = shop / "reports/cases/shop/segments/rule.json"
    path.write_text(replace(RULE, case="other").to_json(), encoding="utf-8")
    assert "is a rule of segments of 'other', not of 'shop'" in refused(capsys, "shop")


def test_a_rule_changed_by_hand_is_refused(shop, capsys) -> None:
    path = shop / "reports/cases/shop/segments/rule.json"
    path.write_text(path.read_text(encoding="utf-8").replace("30.0", "31.0"), encoding="utf-8")
    said = refused(capsys, "shop")
    assert "changed after it was written" in said
    assert "reports/cases/shop/segments/rule.json" in said


def test_a_rule_that_reads_amounts_of_another_currency_is_refused(shop, capsys) -> None:
    page, about = shop / "reports/cases/shop/segments/rule.json", shop / "data/tidy/shop/tidy.json"
    spends = Measure("monetary", "spend a month", ("value",), (), 30, "observed_days", 4)
    page.write_text(replace(RULE, measures=(spends,), currency="EUR").to_json(), encoding="utf-8")
    said = json.loads(about.read_text(encoding="utf-8"))
    about.write_text(json.dumps({**said, "currency": "USD"}), encoding="utf-8")
    assert "reads amounts in EUR, its tables now hold USD" in refused(capsys, "shop")
    assert not (shop / "data/scored/shop/members.csv").exists()
    about.write_text(json.dumps({**said, "currency": "EUR"}), encoding="utf-8")
    assert main(["score", "shop"]) == 0


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("2025-07-02", "lies after the end of the data (2025-07-01)"),
        ("2025-01-30", "leaves nobody observed for 30 days"),
        ("1999-01-01", "leaves nobody observed for 30 days"),
        ("soon", "must be a date such as 2025-06-01, got 'soon'"),
    ],
)
def test_a_date_outside_the_data_is_refused(shop, capsys, at, message) -> None:
    assert message in refused(capsys, "shop", "--at", at)


def test_the_date_that_is_named_instead_will_do(shop, capsys) -> None:
    said = refused(capsys, "shop", "--at", "2025-01-02")
    first = said.split("Name ")[1].split(" or later")[0]
    assert main(["score", "shop", "--at", first]) == 0


def test_nothing_that_is_there_is_written_over(shop, capsys, tmp_path_factory) -> None:
    kept = tmp_path_factory.mktemp("kept") / "precious.csv"
    kept.write_text("mine\n", encoding="utf-8")
    assert "is there already" in refused(capsys, "shop", "--out", str(kept))
    link = kept.with_name("link.csv")
    link.symlink_to(kept.with_name("nowhere.csv"))
    assert "is there already" in refused(capsys, "shop", "--out", str(link))
    assert kept.read_text(encoding="utf-8") == "mine\n"
    own = shop / "data/scored/shop/other.csv"
    for _ in range(2):  # a list of the case may be made anew
        assert main(["score", "shop", "--out", str(own)]) == (0 if own.parent.is_dir() else 1)
        own.parent.mkdir(parents=True, exist_ok=True)
    assert main(["score", "shop", "--out", str(own)]) == 0


@pytest.mark.parametrize("name", ["tidy/shop/members.parquet", "tidy/shop/new.parquet", "list.csv"])
def test_no_list_is_put_among_the_tables(shop, capsys, name) -> None:
    before = sorted(p for p in (shop / "data").rglob("*"))
    said = refused(capsys, "shop", "--out", str(shop / "data" / name))
    assert "lies where the tables of cases are kept" in said
    assert sorted(p for p in (shop / "data").rglob("*")) == before


def test_a_private_list_does_not_take_the_place_of_a_table(club, capsys) -> None:
    path = club / "private/data/tidy/shop/members.parquet"
    before = path.read_bytes()
    assert "lies where the tables" in refused(capsys, "shop", "--out", str(path))
    assert path.read_bytes() == before


def test_a_folder_is_no_file(shop, capsys, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("folder") / "dir.csv"
    folder.mkdir()
    assert "dir.csv is a folder" in refused(capsys, "shop", "--out", str(folder))


def test_a_private_parquet_list_is_not_sent_to_a_word_that_reads_csv(club, capsys) -> None:
    path = club / "private/list.parquet"
    assert main(["score", "shop", "--out", str(path)]) == 0
    assert "relink" not in capsys.readouterr().err


@pytest.mark.parametrize("at", ["2025-01-15", "2025-03-09", "2025-06-15"])
def test_the_stated_date_is_said_across_a_change_of_clocks(shop, capsys, at) -> None:
    path = shop / "data/tidy/shop/tidy.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said |= {"time_zone": "America/New_York", "as_of": "2025-07-01T04:00:00+00:00"}
    path.write_text(json.dumps(said | {"observed_from": "2024-11-01T00:00:00+00:00"}), encoding="utf-8")
    assert main(["score", "shop", "--at", at]) == 0
    assert f"shop, {day(date.fromisoformat(at))}: " in capsys.readouterr().err


def test_a_rule_whose_tables_are_gone_says_which(shop, capsys) -> None:
    earned = Measure("points", "points earned", ("points_earned",))
    gone = replace(RULE, measures=(earned,), counting=Counting(30, 30, families=("points",)))
    path = shop / "reports/cases/shop/segments/rule.json"
    path.write_text(gone.to_json(), encoding="utf-8")
    assert "was learned with `ledger`, which is no longer there" in refused(capsys, "shop")


def test_other_files_and_folders_are_refused(shop, capsys, tmp_path_factory) -> None:
    assert ".csv or .parquet, got list.txt" in refused(capsys, "shop", "--out", str(shop / "list.txt"))
    assert "There is no folder" in refused(capsys, "shop", "--out", str(shop / "nowhere" / "list.csv"))
    subprocess.run(["git", "init", "--quiet"], cwd=shop, check=True)
    said = refused(capsys, "shop", "--out", str(shop / "list.csv"))
    assert "Git tracks list.csv or would" in said


def test_an_unknown_case_is_named(shop, capsys) -> None:
    assert "no case 'shopp'" in refused(capsys, "shopp")


def test_what_was_not_prepared_says_so(shop, capsys) -> None:
    (shop / "data/tidy/shop/tidy.json").unlink()
    assert "`sojourn prepare shop`" in refused(capsys, "shop")
