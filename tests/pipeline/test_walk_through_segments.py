"""The walk-through of docs/take-segments-away.md does what it says, from the rule of a page on.

The notebook of segments is run by other tests; here its rule is made from these cells as it makes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.params import read_params
from sojourn.data.activity import micros
from sojourn.data.features import counted_at
from sojourn.data.tidy import open_tidy
from sojourn.report.page import handed_out
from sojourn.report.scan import need_clean
from walked import run, scratch_project, walk_console

PAGE = Path(__file__).resolve().parents[2] / "docs" / "take-segments-away.md"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MEMBERS = 1_200


class Handed:
    """What the runner takes out of a notebook that hands a rule out."""

    def __init__(self, block) -> None:
        self.kind, self.place, self.content = "block", "", {"kind": block.kind, **block.data}


def write_orders(path: Path) -> None:
    """Write orders of members who differ by degrees in how often they order."""
    r = np.random.default_rng(11)
    often = np.exp(r.normal(1.2, 0.9, MEMBERS))
    orders = r.poisson(often) + 1
    first = pd.Timestamp("2024-07-01")
    who = np.repeat(np.arange(MEMBERS), orders)
    at = first + pd.to_timedelta(r.uniform(0, 360 * 86_400, len(who)).round(), unit="s")
    amount = np.round(np.exp(r.normal(3, 0.5, len(who)) + 0.1 * np.log(often)[who]), 2)
    ids = 100_000 + (who * 7_919) % 900_001
    pd.DataFrame({"customer_id": ids, "ordered_at": at, "amount": amount}).sort_values("ordered_at").to_csv(
        path, index=False
    )


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Iterator[Path]:
    """A project with the case `shop` and its rule, in which the whole page was walked through."""
    with scratch_project(tmp_path_factory.mktemp("own") / "project") as root:
        write_orders(root / "orders.csv")
        run("sojourn new-case shop --events orders.csv --zone Europe/Berlin")
        run("sojourn prepare shop")
        run("sojourn cells shop segments")
        hand_out(root)
        told: dict[str, object] = {}
        for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            if kind == "console":
                walk_console(text)
            else:
                exec(compile(text, str(PAGE), "exec"), told)
        yield root


def hand_out(root: Path) -> None:
    """Write the rule as the runner does, and what a CRM would count."""
    seen = sj.features(sj.cells("shop", "segments"))
    found = sj.find_segments(seen, ks=(2, 3), null_draws=19, resamples=2, rng=np.random.default_rng(1))
    rule = sj.take_away(seen, found)
    files = handed_out([Handed(sj.hand_out(rule))])
    need_clean(files, "The report shop/segments")
    folder = read_params().places("shop").reports / "segments"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    tidy = open_tidy(read_params(), "shop")
    at = datetime.fromisoformat(tidy.meta["as_of"])
    anchors = tidy.tables["members"].select("member", at_us=ibis.literal(micros(at), "int64"))
    counted = counted_at(tidy, rule.counting, anchors, at=at).to_pandas()
    counted[["member", *rule.inputs]].to_csv(root / "crm.csv", index=False)


def test_the_list_says_what_the_query_says(walked) -> None:
    listed = pd.read_csv(walked / "private/data/scored/shop/members.csv").set_index("member")["segment"]
    rule = sj.TakeAway.from_json(
        (walked / "private/reports/cases/shop/segments/rule.json").read_text(encoding="utf-8")
    )
    crm = pd.read_csv(walked / "crm.csv").set_index("member")
    expected = pd.Series(rule.named(crm), crm.index).loc[listed.index]
    assert listed.where(listed.notna(), None).tolist() == expected.tolist()
    assert listed.notna().mean() > 0.9


def test_the_rule_of_a_private_case_tells_whole_groups_only(walked) -> None:
    rule = sj.TakeAway.from_json(
        (walked / "private/reports/cases/shop/segments/rule.json").read_text(encoding="utf-8")
    )
    base = read_params().min_group
    told = rule.fidelity
    assert told.n % base == 0
    assert all(n % base == 0 for one in told.segments for n in (one.n, one.called))


def test_ids_stay_out_of_everything_but_the_linked_list(walked) -> None:
    ids = set(pd.read_csv(walked / "orders.csv")["customer_id"].astype(str))
    linked = pd.read_csv(walked / "private/data/scored/shop/members.ids.csv", dtype=str)
    assert set(linked["member_id"]) <= ids
    listed = (walked / "private/data/scored/shop/members.csv").read_text(encoding="utf-8")
    assert not any(f"{one}," in listed for one in list(ids)[:50])
