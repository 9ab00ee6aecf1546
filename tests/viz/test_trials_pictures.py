"""Pictures of trials draw what the results hold; a picture is small and names everything on itself."""

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.cells import Cells


@pytest.fixture(scope="module")
def trial():
    rng, rows, split = np.random.default_rng(1), [], []
    for i, scheme in enumerate(("none", "coupon", "bonus_points")):
        split.append((scheme, "all", 1000, 1000))
        rows += [("kept", scheme, s, "all", 500, rng.binomial(500, 0.3 + 0.04 * i)) for s in ("a", "b")]
    tables = {
        "binary": pd.DataFrame(rows, columns=["outcome", "scheme", "stratum", "period", "n", "k"]),
        "split": pd.DataFrame(split, columns=["scheme", "period", "assigned", "matured"]),
    }
    return sj.trial(Cells("t", "trials", tables, {"trial": "main", "horizon_days": 30}), min_group=20)


@pytest.fixture(scope="module")
def result(trial):
    prior = sj.LiftPrior.from_belief(low=-0.1, high=0.1, mass=0.9)
    return sj.compare_schemes(trial, "kept", prior=prior, mass=0.9, rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def rates(trial):
    prior = sj.LiftPrior.from_belief(low=-0.1, high=0.1, mass=0.9)
    plan = sj.TrialPlan(
        metric="kept", guard="kept", horizon_days=30, rope=0.0, threshold=0.95, tolerable_loss=0.01,
        guard_margin=0.01, guard_risk=0.05, looks=3, worthwhile=0.05, belief=prior, belief_value=prior,
    )  # fmt: skip
    return sj.error_rates(plan, trial, rng=np.random.default_rng(3), worlds=300)


def words(ax):
    return [text.get_text() for text in ax.texts] + [label.get_text() for label in ax.get_yticklabels()]


def drawn_points(ax):
    return sorted(float(x) for line in ax.lines if line.get_marker() == "o" for x in line.get_xdata())


def test_lifts_are_drawn_in_points_with_their_names(result):
    ax = sj.plot_lifts(result)
    np.testing.assert_allclose(drawn_points(ax), sorted(100 * result.table["lift"].dropna()))
    ends = {float(x) for line in ax.lines for x in line.get_xdata()}
    assert {100 * v for v in result.table["lift_low"].dropna()} <= ends
    assert {"coupon", "bonus points", "as under no scheme"} <= set(words(ax))
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "members in 100"


def test_strata_are_drawn_alone_and_pooled(result):
    ax = sj.plot_strata(result)
    expected = 100 * np.r_[result.strata["raw_lift"], result.strata["lift"]]
    np.testing.assert_allclose(drawn_points(ax), np.sort(expected))
    assert {"a", "b", "coupon", "bonus points"} <= set(words(ax))


def test_error_rates_start_at_zero_and_mark_the_plan(rates):
    ax = sj.plot_error_rates(rates)
    assert ax.get_ylim()[0] == 0
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 100 * rates.table["wrong_rate"])
    assert any(word.startswith("as planned:") for word in words(ax))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3", "5", "10", "20"]


def test_they_are_blocks_with_table_and_alternative_text(result, rates):
    lifts = sj.show(result, name="lifts")
    assert len(lifts.data["svg"]) < 40_000
    assert "90 % credible interval" in lifts.data["alt"]
    strata = sj.show(result, name="strata", view="strata")
    assert "a: " in strata.data["alt"]
    wrong = sj.show(rates, name="wrong")
    assert wrong.data["title"].startswith("Looked at once, the rule ships a scheme without a lift in")


def test_axes_of_the_caller_are_used(result):
    from sojourn.viz.theme import new_axes

    own = new_axes()
    assert sj.plot_lifts(result, ax=own) is own
