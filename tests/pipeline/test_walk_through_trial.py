"""The walk-through of docs/your-own-trial.md does what it says, up to the cells from which its page is made.

The notebook of trials is run by other tests; here its answer is computed as it computes it, from these cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shop_trial import write_shop
from sojourn.core.params import read_params
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.data.cells import cells as read_cells
from sojourn.data.cells import make_cells
from sojourn.data.tidy import open_tidy
from sojourn.pipeline.freeze import NO_RULE
from sojourn.report.trials import headline_trials
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.decide import decide
from sojourn.studies.trials.plan import check_plan
from sojourn.studies.trials.trial import trial
from walked import change_parameters, scratch_project, walk_console

PAGE = Path(__file__).resolve().parents[2] / "docs" / "your-own-trial.md"
BLOCK = re.compile(r"^```(console|diff|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Iterator[Path]:
    """A project in which the whole page was walked through, with the files of the shop in it."""
    with scratch_project(tmp_path_factory.mktemp("own") / "project") as root:
        write_shop(root)
        for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
            if kind == "console":
                walk_console(text)
            elif kind == "diff":
                change_parameters(root, text)
            else:
                exec(compile(text, str(PAGE), "exec"), {})
        yield root


@pytest.fixture(scope="module")
def answered(walked) -> dict[str, Any]:
    """The plan and the trial of the page, and what is decided."""
    return decided(trial(read_cells("shop", "trials"), control="control", min_group=20))


def decided(found) -> dict[str, Any]:
    stated = read_params().for_study("shop", "trials")
    plan = TrialPlan.from_parameters(**{name: v for name, v in stated.items() if name not in NO_RULE})
    rng = np.random.default_rng(read_params().seed)
    drawn = {"mass": stated["mass"], "rng": rng}
    kept, worth = (
        compare_schemes(found, name, prior=plan.prior(found.kind(name)), **drawn)
        for name in (plan.guard, plan.metric)
    )
    decision = decide(worth, plan, guard=kept, historic=False)
    return {"trial": found, "plan": plan, "decision": decision, "worth": worth}


def page_text() -> str:
    return " ".join(PAGE.read_text(encoding="utf-8").split())


def in_page(row: str) -> list[float]:
    """Return the numbers of a row of the page's table."""
    [cells] = re.findall(rf"^\| {row} \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [float(cell) for cell in cells.split("|")]


def test_the_answer_in_the_page_is_that_of_these_cells(answered) -> None:
    said = headline_trials(answered["decision"], []).sentence
    [quoted] = re.findall(r"\*(Welcome gift adds .*?\))\.\*", page_text())
    assert quoted in said


def test_the_table_has_the_lift_on_the_page_and_that_of_exact_cells(walked, answered) -> None:
    """Both by the same belief; the exact one lies inside the interval of the page."""
    exact = make_cells(
        open_tidy(read_params(), "shop"), "trials", read_params().for_cells("shop", "trials"), base=0
    )
    made = decided(trial(exact, control="control", min_group=20))
    lifts = [found["worth"].lift("welcome_gift") for found in (answered, made)]
    for row, lift in zip(("on the page", "from exact numbers"), lifts, strict=True):
        assert in_page(row) == pytest.approx([lift.value, lift.low, lift.high], abs=0.005)
    assert lifts[0].low < lifts[1].value < lifts[0].high


def test_what_the_page_says_of_plans_is_what_the_check_says(answered) -> None:
    found, plan = answered["trial"], answered["plan"]
    frozen = found.meta["frozen"]
    assert check_plan(found, plan).verdict == "pass"
    late = {**frozen, "frozen_at": "2025-06-02T00:00:00Z"}
    cases = {
        "no plan was frozen": (replace(found, meta={**found.meta, "frozen": {}}), plan, "warn"),
        "frozen when outcomes could be known": (
            replace(found, meta={**found.meta, "frozen": late}), plan, "warn",
        ),
        "a setting was changed afterwards": (found, replace(plan, rope=0.1), "fail"),
    }  # fmt: skip
    for row, (of, rule, verdict) in cases.items():
        [said] = re.findall(rf"^\| {row} \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        check = check_plan(of, rule)
        assert check.verdict == verdict
        assert re.search(re.escape(said).replace(re.escape("..."), ".*"), check.finding)


def test_payments_on_the_day_of_assignment_count(walked, capsys) -> None:
    from sojourn.pipeline.new_case import new_case

    files = {name: walked / f"{stem}.csv" for name, stem in (
        ("members", "customers"), ("events", "payments"), ("assignments", "assignments"),
    )}  # fmt: skip
    shown = new_case("both", files, zone="Europe/Berlin")
    assert "metric: net_value" in shown
    assert "guard: kept_at_90" in shown
