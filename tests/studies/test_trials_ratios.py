"""Ratios under schemes: known worlds, both parts, strata, and denominators that are no denominators."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.errors import ParameterError
from sojourn.studies.trials.outcome_checks import check_ratio
from sojourn.studies.trials.ratios import ratio
from sojourn.studies.trials.trial import trial
from trial_worlds import cells_of, members

SIZES = {"none": 4_000, "gift": 4_000}


def ratio_cells(seed=1, factor=1.2, bottom=8.0, name="revenue_per_active_day"):
    """Rows and cells: amounts in proportion to days, times `factor` under the scheme."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"scheme": np.repeat(list(SIZES), list(SIZES.values()))})
    rows["stratum"], rows["period"] = rng.choice(["east", "west"], len(rows)), "2025-01"
    rows["bottom"] = rng.negative_binomial(2, 2 / (2 + bottom), len(rows)).astype(float) if bottom else 0.0
    rows["top"] = (
        rows["bottom"] * rng.gamma(2, 1.5, len(rows)) * np.where(rows["scheme"] == "gift", factor, 1)
    )
    more = rows.assign(outcome=name, n=1, top_sq=rows["top"] ** 2, bottom_sq=rows["bottom"] ** 2,
                       cross=rows["top"] * rows["bottom"])  # fmt: skip
    return rows, more.groupby(["outcome", "scheme", "stratum", "period"], as_index=False).sum()


def judge(cells, outcome="", **more):
    made = trial(cells_of(members(SIZES, factors={}), ratio=cells), min_group=20)
    return ratio(made, outcome, mass=0.95, rng=np.random.default_rng(3), **more)


def test_a_planted_ratio_is_found():
    result = judge(ratio_cells()[1])
    times, more = result.read("gift", "times"), result.read("gift", "more")
    assert times.low < 1.2 < times.high
    assert more.low < 0.6 < more.high  # 3 a day times .2
    assert (result.best, result.outcome) == ("gift", "revenue_per_active_day")
    assert result.row("gift")["p_more"] > 0.999
    assert check_ratio(result)[0].verdict == "pass"


def test_it_is_the_ratio_of_the_means_over_strata():
    rows, cells = ratio_cells()
    result = judge(cells)
    weights = rows["stratum"].value_counts(normalize=True)
    means = rows[rows["scheme"] == "gift"].groupby("stratum")[["top", "bottom"]].mean()
    both = means.mul(weights, axis=0).sum()
    row = result.row("gift")
    np.testing.assert_allclose(row[["top", "bottom"]].astype(float), both, rtol=1e-10)
    # the mean of the draws of a ratio lies above the ratio by its squared relative error: below 1e-3
    assert row["ratio"] == pytest.approx(both["top"] / both["bottom"], rel=1e-3)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """200 worlds of the sums' own law: 95 % with an error of 1.5 points; three of them."""
    inside = 0
    for seed in range(200):
        times = judge(ratio_cells(seed)[1], draws=2_000).read("gift", "times")
        inside += times.low < 1.2 < times.high
    assert 0.904 < inside / 200 <= 1


@pytest.mark.parametrize("bottom", [0.0, 0.002])
def test_denominators_near_zero_have_no_ratio(bottom):
    result = judge(ratio_cells(bottom=bottom)[1])
    assert "The ratio is not defined" in result.why_empty
    assert result.table.empty
    assert check_ratio(result) == []


def test_an_unsteady_denominator_is_a_warning():
    result = judge(ratio_cells(bottom=0.012)[1])
    assert check_ratio(result)[0].verdict == "warn"


def test_without_ratios_it_says_so():
    assert "sum no ratios" in judge(ratio_cells()[1].iloc[:0]).why_empty


def test_an_unknown_ratio_is_refused():
    with pytest.raises(ParameterError, match="'outcome' must be one of 'revenue_per_active_day'"):
        judge(ratio_cells()[1], "clicks_per_view")


def test_too_few_members_of_a_stratum_have_no_ratio():
    cells = ratio_cells()[1]
    cells.loc[(cells["scheme"] == "gift") & (cells["stratum"] == "east"), "n"] = 1
    assert "fewer than two members in a stratum" in judge(cells).why_empty


def test_a_control_that_may_be_zero_has_differences_and_no_ratios_to_it():
    rows = ratio_cells()[1]
    rows.loc[rows["scheme"] == "none", ["top", "top_sq", "cross"]] = 0.0
    row = judge(rows).row("gift")
    assert row["more"] == pytest.approx(3.6, abs=0.3)
    assert row[["times", "times_low", "times_high"]].isna().all()
