"""The gate opens for predictions that are surely close, and for nothing else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.columns import as_data
from sojourn.core.interval import Interval
from sojourn.estimators.survival.scores import Held, predicted_share
from sojourn.report.retention_gate import gate_frame
from sojourn.report.table import lay_out
from sojourn.studies.retention.gate import _worst, check_gate, examine, verdict
from sojourn.studies.retention.held_out import gate, held_out

EXAM = 28


def off(value, low, high):
    return Interval(value, low, high, 0.9, "bootstrap")


@pytest.mark.parametrize(
    ("ici", "ratio", "left", "finest", "expected"),
    [
        (off(0.01, 0.002, 0.015), 1.0, 500, 0.01, "pass"),
        (off(0.01, 0.002, 0.015), 1.11, 500, 0.01, "fail"),
        (off(0.01, 0.002, 0.015), 0.89, 500, 0.01, "fail"),
        (off(0.01, 0.002, 0.025), 1.0, 500, 0.01, "fail"),
        (off(0.01, 0.002, 0.025), 1.0, 500, 0.03, "cannot be judged"),
        (off(0.01, 0.002, 0.015), 1.0, 299, 0.01, "cannot be judged"),
        (off(0.01, 0.002, 0.015), 1.0, 300, 0.01, "pass"),
        (off(0.08, 0.021, 0.15), 1.0, 50, 0.09, "fail"),
    ],
)
def test_verdicts(ici, ratio, left, finest, expected):
    assert verdict(ici, ratio, left, finest, 0.02) == expected


def world(seed: int, *, later: float = 1.0, members: int = 60_000) -> Cells:
    """Return cells of members of two plans with constant hazards, which change by `later` in the exam."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["annual", "monthly"], members, p=[0.4, 0.6])
    seen = rng.integers(EXAM + 1, 200, members)  # followed for so many days, the last EXAM of them held out
    hazard = np.where(plan == "monthly", 0.012, 0.004)
    life = np.ceil(rng.exponential(1 / hazard)).astype(int)
    then = seen - EXAM
    life = np.where(life > then, then + np.ceil(rng.exponential(1 / (hazard * later))).astype(int), life)
    tables = [_patterns(plan, life, seen, "now"), _patterns(plan, life, then, "then")]
    there = life > then
    rest, age = (life - then)[there], then[there]
    after = np.where(life[there] <= seen[there], -(-rest // 7) * 7, 0)
    exam = pd.DataFrame({"plan": plan[there], "age": age // 7 * 7, "after": after, "members": 1})
    exam = exam.groupby(["plan", "age", "after"], as_index=False)["members"].sum()
    meta = {"unit": "day", "leaving": "cancellation", "exam_days": EXAM}
    return Cells("world", "retention", {"patterns": pd.concat(tables), "exam": exam}, meta)


def _patterns(plan, life, seen, known):
    churned = life <= seen
    marks = pd.DataFrame(
        {
            "plan": np.r_[plan, plan],
            "day": np.r_[np.zeros_like(seen), np.minimum(life, seen)],
            "entered": np.r_[np.ones_like(seen), np.zeros_like(seen)],
            "churned": np.r_[np.zeros_like(seen), churned.astype(int)],
            "censored": np.r_[np.zeros_like(seen), 1 - churned.astype(int)],
        }
    )
    summed = marks.groupby(["plan", "day"], as_index=False).sum()
    return summed.assign(known=known)


def test_a_stable_world_passes_and_says_what_was_predicted():
    found = gate(world(1), horizons=[14, 90])
    assert found.open
    assert found.table["duration"].tolist() == [14, 28]
    last = found.table.iloc[-1]
    # two plans whose hazards are known: of those there, so many leave within 28 days
    truth = 1 - np.exp(-28 * np.array([0.004, 0.012]))
    held, too_old = held_out(world(1))
    members = (held.left + held.followed).sum(axis=1)
    assert too_old > 0
    assert found.members == members.sum()
    kinds = np.unique(np.round(1 - held.stay[:, -1], 2))
    np.testing.assert_allclose([kinds.min(), kinds.max()], truth, atol=0.02)
    assert last["p_predicted"] == pytest.approx(predicted_share(held, 4))
    assert last["p_observed"] == pytest.approx(held.left.sum() / members.sum())
    assert found.bins["members"].sum() == found.members
    assert found.not_followed == (90,)
    title = sj.show(found, view="table", name="examination").data["title"]
    assert title.startswith("Predicted and observed shares differ by surely less than 2.0 in 100")
    assert title.endswith("(whole weeks; 90 days were not followed)")
    beyond = "members whose next 28 days reached beyond the longest time anybody had been followed then"
    assert beyond in found.model
    silent = replace(found, leaving="silence")
    assert "predicted to have fallen silent within 28 days" in sj.say(silent)
    heads = [head.text for head in lay_out(as_data(gate_frame(found))).heads]
    assert heads[0] == "Duration, days"
    assert heads[4:6] == ["Off, in 100", "Off at most, in 100"]


def test_a_world_that_changed_fails_and_blocks_the_forecast():
    found = gate(world(2, later=1.6), horizons=[14])
    assert found.verdict == "fail"
    assert not found.open
    (check,) = check_gate(found)
    assert check.verdict == "warn"
    assert "no forecast" in check.meaning
    assert "not hold" in figure_of(found).data["title"]
    table = sj.show(found, view="table", name="examination")
    assert table.kind == "table"
    assert table.data["title"].startswith("Predicted and observed shares differ by more than allowed")
    assert "not followed" not in table.data["title"]


def test_few_members_cannot_be_judged():
    found = gate(world(3, members=1_500), horizons=[14])
    assert found.verdict == "cannot be judged"
    assert "cannot be told" in figure_of(found).data["title"]


def figure_of(found):
    block = sj.show(found, name="held")
    assert block.kind == "picture"
    assert len(block.data["svg"]) < 25_000
    return block


def test_without_cells_the_page_says_why():
    found = gate(Cells("x", "retention", {}, {"unit": "month", "leaving": "cancellation"}), horizons=[12])
    assert not found.open
    assert sj.show(found, name="held").kind == "missing"
    assert check_gate(found)[0].finding.startswith("Not known. ")


def test_no_horizon_as_long_as_a_step():
    held = Held(np.full((1, 2), 0.5), np.array([[1, 1]]), np.array([[0, 2]]))
    assert examine(held, days=[3], step=7, unit="day", model="m").why_empty


def test_bins_hold_whole_predictions():
    held = Held(np.full((2, 1), 0.7), np.array([[3], [4]]), np.array([[7], [6]]))
    found = examine(held, days=[7], step=7, unit="day", model="m")
    assert len(found.bins) == 1
    assert found.bins["p_observed"].iloc[0] == pytest.approx(0.35)


def test_members_whose_exam_reaches_half_a_week_too_far_are_too_old():
    """Ages are rounded down to weeks, so half a week is added: 142 + 3 + 28 lies beyond day 171."""
    cells = world(3, members=5_000)
    exam = cells["exam"].assign(age=cells["exam"]["age"].replace(140, 142))
    beyond = int(exam.loc[exam["age"] >= 142, "members"].sum())
    then = cells["patterns"].query("known == 'then'")
    assert then["day"].max() == 171
    held, too_old = held_out(Cells("world", "retention", {**cells.tables, "exam": exam}, cells.meta))
    assert too_old == beyond > 0
    assert held.members == exam["members"].sum() - beyond


def test_who_left_after_the_last_whole_week_of_the_exam_had_stayed_through_it():
    cells = world(3, members=5_000)
    exam = cells["exam"].assign(after=cells["exam"]["after"].replace(28, 35))
    before, after = (
        held_out(Cells("world", "retention", {**cells.tables, "exam": one}, cells.meta))[0]
        for one in (cells["exam"], exam)
    )
    assert before.left[:, 3].sum() > 0 == after.left[:, 3].sum()
    assert after.members == before.members
    assert after.followed[:, 3].sum() - before.followed[:, 3].sum() == before.left[:, 3].sum()


def test_a_horizon_that_fails_outweighs_one_that_cannot_be_judged():
    assert _worst(["pass", "cannot be judged", "fail"]) == "fail"
    assert _worst(["pass", "cannot be judged"]) == "cannot be judged"
    assert _worst(["pass", "pass"]) == "pass"


def test_bins_hold_equally_many_and_even_times_are_calibrated():
    """20 kinds of 100 members each; half left of those predicted to leave by half, evenly below and above."""
    stay = np.linspace(0.5, 0.7, 20)[:, None]
    kinds = examine(
        Held(stay, np.full((20, 1), 40), np.full((20, 1), 60)), days=[7], step=7, unit="day", model="m"
    )
    assert kinds.bins["members"].tolist() == [200] * 10
    even = Held(np.array([[0.5]]), np.array([[500]]), np.array([[500]]))
    assert examine(even, days=[7], step=7, unit="day", model="m").d_calibration == pytest.approx(0, abs=1e-9)
