"""Why members leave: shares that add up, small reasons together, and what the unknown leave open."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.studies.retention.reasons import CATCH_RATE, FALSE_ALARM_RATE, layers

PROJECT = Path(__file__).parents[2]
EXACT = {"rtol": 1e-9, "atol": 1e-12}
META = {"unit": "day", "leaving": "cancellation", "lapse": None, "as_of": "2025-07-01T00:00:00Z"}


def cells_of(exits, given_reasons, **meta):
    """Return the cells of members who leave at `exits` for a reason, or are censored (an empty one)."""
    exits, why = np.asarray(exits), np.asarray(given_reasons, dtype=object)
    frame = pd.DataFrame({"day": exits, "reason": why})
    frame["churned"] = (frame["reason"] != "").astype(int)
    frame["censored"] = 1 - frame["churned"]
    counts = frame.groupby("day", as_index=False)[["churned", "censored"]].sum().assign(entered=0)
    begin = pd.DataFrame({"day": [0], "churned": 0, "censored": 0, "entered": len(frame)})
    risk = (
        pd.concat([begin, counts]).groupby("day", as_index=False).sum().assign(by="all", group="all", late=0)
    )
    left = frame[frame["churned"] == 1]
    reasons = left.groupby(["day", "reason"], as_index=False)["churned"].sum().assign(by="all", group="all")
    return Cells("test", "retention", {"risk": risk, "reasons": reasons}, META | meta)


def drawn(n, rng, *, rates=(0.004, 0.002, 0.001), names=("price", "content", "unknown")):
    life = np.ceil(rng.exponential(1 / sum(rates), n)).astype(int)
    seen = rng.integers(0, 300, n)
    reason = rng.choice(names, n, p=np.array(rates) / sum(rates))
    return np.minimum(life, seen), np.where(life <= seen, reason, "")


@pytest.fixture(scope="module")
def three():
    return cells_of(*drawn(2_000, np.random.default_rng(3)))


# --- shares ---


def test_two_of_five_leave_for_the_second_reason():
    cells = cells_of([1, 2, 3, 4, 5, 6], ["", "one", "one", "two", "two", ""])
    result = sj.reasons(cells, min_group=1)
    assert result.left_for("two", 6).value == pytest.approx(0.4, abs=1e-15)
    assert result.left_for("one", 6).value == pytest.approx(0.4, abs=1e-15)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(30, 200), st.sampled_from([1, 10, 20]))
def test_shares_add_up_to_one_less_the_curve(seed, n, min_group):
    cells = cells_of(*drawn(n, np.random.default_rng(seed)))
    result, curve = sj.reasons(cells, min_group=min_group), sj.retention_curve(cells, min_group=min_group)
    if result.why_empty:
        return
    total = result.table.groupby("duration")["left_share"].sum()
    np.testing.assert_allclose(total, 1 - curve.table["retained"], **EXACT)
    np.testing.assert_allclose(result.gone["left_share"], 1 - curve.table["retained"], **EXACT)
    assert (
        result.table.groupby("duration")["churned"].sum().tolist() == curve.table["churned"].cumsum().tolist()
    )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_without_censoring_shares_are_counts(seed):
    rng = np.random.default_rng(seed)
    exits = rng.integers(0, 50, 400)
    why = rng.choice(["price", "content", "unknown"], 400, p=[0.5, 0.3, 0.2])
    at = sj.reasons(cells_of(exits, why), min_group=1).at(25).set_index("reason")["left_share"]
    for reason in ("price", "content", "unknown"):
        assert at[reason] == pytest.approx(((exits <= 25) & (why == reason)).mean(), abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_time_lost_to_reasons_and_time_with_us_are_all_of_the_time(seed):
    cells = cells_of(*drawn(300, np.random.default_rng(seed)))
    result, curve = sj.reasons(cells), sj.retention_curve(cells)
    lost = result.table.groupby("duration")["lost_days"].sum()
    np.testing.assert_allclose(lost, curve.table["duration"] - curve.table["mean"], rtol=1e-9, atol=1e-9)
    sure = result.lost("price", 90)
    assert sure.low < sure.value < sure.high
    assert sure.kind == "wald"


def test_late_entrants_count_as_in_the_headline_curve(three):
    late = pd.DataFrame(
        {
            "day": [40, 90],
            "entered": [500, 0],
            "churned": 0,
            "censored": [0, 500],
            "by": "all",
            "group": "all",
        }
    ).assign(late=1)
    tables = dict(three.tables) | {"risk": pd.concat([three["risk"], late])}
    more = Cells("test", "retention", tables, three.meta)
    result, curve = sj.reasons(more), sj.retention_curve(more)
    np.testing.assert_allclose(result.gone["left_share"], 1 - curve.table["retained"], **EXACT)
    assert result.left_for("price", 90).value < sj.reasons(three).left_for("price", 90).value


# --- the unknown ---


def test_bounds_are_the_shares_with_all_or_none_of_the_unknown(three):
    result = sj.reasons(three)
    renamed = three["reasons"].replace({"reason": {"unknown": "price"}})
    renamed = renamed.groupby(["day", "reason", "by", "group"], as_index=False)["churned"].sum()
    all_price = sj.reasons(Cells("test", "retention", dict(three.tables) | {"reasons": renamed}, three.meta))
    ours = result.table[result.table["reason"] == "price"]
    theirs = all_price.table[all_price.table["reason"] == "price"]
    for end in ("", "_low", "_high"):
        np.testing.assert_allclose(ours[f"most_left_share{end}"], theirs[f"left_share{end}"], rtol=1e-9)
    assert all_price.open == ""
    assert sj.check_results(all_price) == []
    np.testing.assert_allclose(  # where all reasons are known there is nothing to reassign
        theirs["most_left_share"], theirs["left_share"], **EXACT
    )


def test_the_unknown_have_no_bounds_of_their_own(three):
    rows = sj.reasons(three).table
    assert rows.loc[rows["reason"] == "unknown", "most_left_share"].isna().all()
    assert rows.loc[rows["reason"] != "unknown", "most_left_share"].notna().all()


@pytest.mark.parametrize(
    ("rates", "verdict"), [((0.004, 0.001, 0.0005), "pass"), ((0.003, 0.0025, 0.001), "warn")]
)
def test_the_check_asks_whether_the_unknown_could_put_another_first(rates, verdict):
    result = sj.reasons(cells_of(*drawn(4_000, np.random.default_rng(1), rates=rates)))
    (check,) = sj.check_results(result)
    assert check.verdict == verdict
    assert (result.lead.low > 0) == (verdict == "pass")
    by_hand = result.left_for("price", 90).value - (
        result.left_for("content", 90).value + result.left_for("unknown", 90).value
    )
    assert result.lead.value == pytest.approx(by_hand, abs=1e-12)
    assert ("the unknown could put another first" in sj.brief(result)) == (verdict == "warn")


# --- layers ---


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from([*"abcdefgh", "unknown"]), st.integers(0, 60), max_size=9),
    st.integers(1, 40),
)
def test_no_layer_tells_of_few(totals, min_group):
    """And none but the unknown is lost: the total stands beside, so what is left out could be reckoned."""
    layer_of = layers(totals, min_group)
    assert set(layer_of) == {name for name, n in totals.items() if n}
    sizes = pd.Series({name: totals[name] for name in layer_of}, dtype=float).groupby(layer_of).sum()
    if sum(totals.values()) >= min_group:
        assert (sizes >= min_group).all()
    if "unknown" in layer_of:
        assert layer_of["unknown"] in ("unknown", "other or unknown")


def test_at_most_six_reasons_stand_for_themselves():
    layer_of = layers({name: 100 - i for i, name in enumerate("abcdefghi")}, 20)
    assert list(layer_of.values()) == [*"abcdef", *["other reasons"] * 3]


def test_small_reasons_are_counted_together():
    names, rates = ("price", "content", "x", "y", "unknown"), (4e-3, 2e-3, 8e-5, 8e-5, 1e-3)
    made = cells_of(*drawn(2_000, np.random.default_rng(3), rates=rates, names=names))
    result = sj.reasons(made)
    assert result.names == ("price", "content", "other reasons", "unknown")
    assert result.merged == 2
    rows = made["reasons"]
    few = rows[rows["reason"].isin(["x", "y"]) & (rows["day"] <= result.gone["duration"].max())]
    last = result.at(int(result.gone["duration"].max())).set_index("reason")["churned"]
    assert last["other reasons"] == few["churned"].sum() >= 20


# --- nothing to say ---


def test_why_there_is_nothing(three):
    without = {"risk": three["risk"]}
    empty = three["reasons"].iloc[:0]
    nobody = three["risk"].assign(churned=0, censored=three["risk"]["churned"] + three["risk"]["censored"])
    unknown = three["reasons"].assign(reason="unknown")
    cases = (
        (without, {}, "hold no reasons"),
        (without, {"leaving": "silence"}, "give no reason"),
        ({"risk": nobody, "reasons": empty}, {}, "Nobody has left"),
        ({**three.tables, "reasons": unknown}, {}, "No reason of leaving was given"),
    )
    for tables, meta, why in cases:
        result = sj.reasons(Cells("test", "retention", tables, META | meta))
        assert why in result.why_empty == repr(result) == sj.say(result)
        assert sj.brief(result) == ""
        assert sj.check_results(result) == []
        with pytest.raises(UndefinedError):
            result.at(1)
        with pytest.raises(UndefinedError):
            sj.plot_reasons(result)


def test_asking_beyond_or_for_another_reason_raises(three):
    result = sj.reasons(three)
    with pytest.raises(UndefinedError, match="asked for 900"):
        result.left_for("price", 900)
    with pytest.raises(ParameterError, match="prise"):
        result.left_for("prise", 30)
    assert sj.reasons(three, horizon=900).horizon == result.table["duration"].max()


def test_the_truth_is_set_beside_it(three):
    left_for = [
        {"reason": reason, "day": day, "share": share}
        for reason, share in (("price", 0.1), ("content", 0.05), ("unknown", 0.02))
        for day in (30, 900)
    ]
    meta = dict(three.meta) | {"truth": {"retention": {"left_for": left_for}}}
    truth = sj.reasons(Cells("demo", "retention", three.tables, meta)).truth
    assert truth.to_dict("list") == {
        "reason": ["price", "content", "unknown"],
        "duration": [30, 30, 30],
        "left_share": [0.1, 0.05, 0.02],
    }
    assert sj.reasons(three).truth is None


# --- the rates that are stated ---


def test_the_stated_rates_are_the_measured_ones():
    """Within three Monte Carlo standard errors of so many worlds."""
    rows = json.loads((PROJECT / "calibration" / "results" / "states.json").read_text())["rows"]
    measured = {row["estimand"]: row for row in rows}
    for what, stated in (("faults found", CATCH_RATE), ("false alarms", FALSE_ALARM_RATE)):
        row = measured[f"the main reason is first without doubt: {what}"]
        error = (max(row["measured"] * (1 - row["measured"]), 1 / row["worlds"]) / row["worlds"]) ** 0.5
        assert abs(row["measured"] - stated) <= 3 * error


def test_as_many_as_may_be_shown_need_nobody_else():
    """Two small reasons make 20 together, which is enough: the next larger one keeps a layer of its own."""
    assert layers({"price": 90, "moved": 12, "died": 8}, 20) == {
        "price": "price",
        "moved": "other reasons",
        "died": "other reasons",
    }
    assert layers({"price": 20, "moved": 90}, 20) == {"moved": "moved", "price": "price"}
