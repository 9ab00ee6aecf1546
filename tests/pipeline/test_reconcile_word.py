"""The word `reconcile`: what it prints and writes, and who may read it."""

import numpy as np
import pandas as pd
import pytest

from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import new_key
from sojourn.pipeline.cli import main

KPI = """\
kpi,period,group,value,definition
active_members,2025-03,,{march},"all <b>members</b>"
active_members,2025-04,,{april},
active_members,2025-05,,{may},
new_members,2025-03,channel=rare,2,
members,2025-05-31,,300,
"""


def tables():
    rng = np.random.default_rng(1)
    joined = pd.Timestamp("2025-02-01T00:00:00Z") + pd.to_timedelta(
        rng.integers(0, 80 * 86400, 300), unit="s"
    )
    members = pd.DataFrame(
        {"member_id": [f"m{i}" for i in range(300)], "joined_at": joined, "channel": "search"}
    )
    members.loc[:4, "channel"] = "rare"
    who = rng.integers(0, 300, 3000)
    at = members["joined_at"].iloc[who].reset_index(drop=True) + pd.to_timedelta(
        rng.integers(0, 60 * 86400, 3000), unit="s"
    )
    events = pd.DataFrame({"member_id": members["member_id"].to_numpy()[who], "occurred_at": at})
    events["occurred_at"] = pd.to_datetime(events["occurred_at"], utc=True)
    events["event"] = np.where(rng.random(3000) < 0.4, "login", "view")
    return {"members": members, "events": events[events["occurred_at"] < "2025-06-30"]}


def counted(events, kind):
    chosen = events[events["event"] == kind]
    months = chosen["occurred_at"].dt.tz_convert("Europe/Berlin").dt.strftime("%Y-%m")
    return chosen.groupby(months)["member_id"].nunique()


@pytest.fixture
def case(project, monkeypatch):
    def made(*, public):
        shop = tables()
        told = {} if public else {"key_id": new_key()}
        params = project.case("shop", shop, public=public, prepare=told)
        prepare(params, "shop")
        active = counted(shop["events"], "login")
        text = KPI.format(march=active["2025-03"], april=active["2025-04"], may=active["2025-05"])
        file = project.root / "kpi.csv"
        file.write_text(text, encoding="utf-8")
        return file, project.root

    return made


def test_the_answer_comes_first_and_is_written(case, capsys):
    file, root = case(public=True)
    assert main(["reconcile", "shop", "--kpi", str(file)]) == 0
    said = capsys.readouterr().out
    first = said.splitlines()[0]
    assert "3 of 5 numbers are explained by 1 difference" in first
    assert "they count only events of the kind 'login'" in first
    folder = root / "reports" / "cases" / "shop"
    page = (folder / "reconcile.html").read_text(encoding="utf-8")
    assert page.count("<h1>") == 1
    assert "3 of 5 numbers are explained" in page
    assert "<b>members</b>" not in page
    assert (folder / "reconcile" / "counts.csv").is_file()  # the page links it
    rows = pd.read_csv(folder / "reconcile.csv")
    assert rows["status"].tolist()[:4] == ["explained"] * 3 + ["too few"]
    assert rows["rebuilt"].tolist()[:3] == rows["theirs"].tolist()[:3]
    assert np.isnan(rows["ours"][3])


def test_a_private_case_shows_multiples_and_is_its_owners_alone(case, capsys):
    file, root = case(public=False)
    assert main(["reconcile", "shop", "--kpi", str(file)]) == 0
    folder = root / "private" / "reports" / "cases" / "shop"
    rows = pd.read_csv(folder / "reconcile.csv")
    shown = pd.concat([rows["ours"], rows["rebuilt"]]).dropna()
    assert len(shown) >= 6
    assert (shown % 20 == 0).all()
    assert not (root / "reports" / "cases" / "shop").exists()
    assert folder.stat().st_mode & 0o777 == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (folder / "reconcile").stat().st_mode & 0o777 == 0o700


def test_a_template_is_printed_and_what_is_missing_is_said(project, capsys):
    assert main(["reconcile", "--template"]) == 0
    assert capsys.readouterr().out.startswith("kpi,period,group,value,definition\n")
    assert main(["reconcile", "shop"]) == 1
    assert "sojourn reconcile CASE --kpi FILE" in capsys.readouterr().err


def test_a_bad_file_is_one_error_and_writes_nothing(case, capsys):
    file, root = case(public=True)
    file.write_text("kpi,period,value\nactive_members,2025-03,many\n", encoding="utf-8")
    assert main(["reconcile", "shop", "--kpi", str(file)]) == 1
    assert "kpi.csv, row 1, column value: 'many' is no number" in capsys.readouterr().err
    assert not (root / "reports").exists()
