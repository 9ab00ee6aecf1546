"""Landmark curves: grouped by what was known on the day, followed from then on."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sojourn.core.cells import Cells
from sojourn.core.errors import ImmortalTimeError, ParameterError
from sojourn.studies.retention.curve import retention_curve
from sojourn.studies.retention.landmark import landmark_curves

LANDMARK = 30


def landmark_cells(groups, *, by="plan_then", **meta):
    """Return cells from `group: (days since the landmark, whether they left)`."""
    tables = []
    for group, (day, churned) in groups.items():
        ends = pd.DataFrame({"day": day, "entered": 0, "churned": churned, "censored": 1 - np.array(churned)})
        start = pd.DataFrame({"day": [0], "entered": [len(day)], "churned": [0], "censored": [0]})
        both = pd.concat([start, ends]).groupby("day", as_index=False).sum()
        tables.append(both.assign(by=by, group=group))
    meta = {"unit": "day", "leaving": "cancellation", "landmark": LANDMARK, **meta}
    return Cells("test", "retention", {"landmark": pd.concat(tables, ignore_index=True)}, meta)


def group(n, gone, until=200):
    """Return `n` members of whom `gone` leave on day 10, all others are followed for `until` days."""
    return np.r_[np.full(gone, 10), np.full(n - gone, until)], np.r_[
        np.ones(gone, int), np.zeros(n - gone, int)
    ]


def test_difference_on_paper():
    # 40 of 200 and 50 of 100 leave on day 10: .8 and .5, variances .8 * .2 / 200 and .5 * .5 / 100.
    result = landmark_curves(
        landmark_cells({"free": group(200, 40), "paid": group(100, 50)}), by="plan_then", horizon=90
    )
    assert result.against == "free"
    (row,) = result.differences.to_dict("records")
    assert row["members"] == 100
    assert row["retained"] == pytest.approx(0.5)
    assert row["difference_points"] == pytest.approx(-0.3)
    se = np.sqrt(0.16 / 200 + 0.25 / 100)
    assert row["difference_points_high"] == pytest.approx(-0.3 + norm.ppf(0.975) * se)
    assert row["p_value"] == pytest.approx(2 * norm.sf(0.3 / se))


def test_intervals_of_several_groups_hold_together():
    cells = landmark_cells({"a": group(200, 40), "b": group(100, 50), "c": group(100, 30)})
    rows = landmark_curves(cells, by="plan_then", horizon=90).differences.set_index("group")
    se = np.sqrt(0.16 / 200 + 0.25 / 100)
    reach = rows.loc["b", "difference_points_high"] - rows.loc["b", "difference_points"]
    assert reach == pytest.approx(norm.isf(0.05 / 4) * se)


def test_too_few_leavers_claim_no_interval():
    cells = landmark_cells({"a": group(200, 40), "b": group(100, 9), "c": group(100, 30)})
    result = landmark_curves(cells, by="plan_then", horizon=90)
    rows = result.differences.set_index("group")
    assert np.isnan(rows.loc["b", "difference_points_low"])
    assert np.isnan(rows.loc["b", "p_value"])
    assert rows.loc["b", "difference_points"] == pytest.approx(0.11)
    # One difference is claimed, so it need not make room for others.
    se = np.sqrt(0.16 / 200 + 0.21 / 100)
    reach = rows.loc["c", "difference_points_high"] - rows.loc["c", "difference_points"]
    assert reach == pytest.approx(norm.ppf(0.975) * se)


def test_small_groups_and_those_not_followed_are_left_out():
    groups = {
        "a": group(200, 40),
        "b": group(100, 30),
        "few": group(15, 5),
        "short": group(100, 20, until=50),
    }
    result = landmark_curves(landmark_cells(groups), by="plan_then", horizon=90, min_group=20)
    assert result.groups == ("a", "b")
    assert result.too_small == 2
    assert result.table["at_risk"].min() >= 20


def test_activity_stands_in_its_own_order():
    groups = {"11-20": group(300, 40), "0": group(100, 30), "21+": group(100, 10), "3-5": group(100, 20)}
    cells = landmark_cells(groups, by="active_days")
    result = landmark_curves(cells, horizon=90)
    assert result.groups == ("0", "3-5", "11-20", "21+")
    assert result.against == "11-20"


def test_curve_is_drawn_to_the_horizon_at_some_days():
    result = landmark_curves(
        landmark_cells({"a": group(200, 40), "b": group(100, 50)}), by="plan_then", horizon=90
    )
    drawn = result.drawn()
    assert drawn["duration"].max() == 90
    assert drawn.groupby("group").size().max() <= 61
    whole = result.table.merge(drawn, on=["group", "duration"], suffixes=("", "_drawn"))
    assert (whole["retained"] == whole["retained_drawn"]).all()


@pytest.mark.parametrize(
    ("cells", "by", "says"),
    [
        (
            Cells("t", "retention", {}, {"unit": "month", "leaving": "cancellation"}),
            "active_days",
            "do not say",
        ),
        (landmark_cells({"a": group(90, 20)}, by="active_days"), "plan_then", "which plan"),
        (landmark_cells({"a": group(90, 20)}), "active_days", "how many days"),
        (landmark_cells({"a": group(90, 20), "b": group(5, 2)}), "plan_then", "Fewer than two groups"),
    ],
)
def test_why_there_is_nothing_is_said(cells, by, says):
    result = landmark_curves(cells, by=by, horizon=90)
    assert says in result.why_empty
    assert result.table.empty
    assert result.differences.empty


def test_what_is_not_known_then_is_refused():
    with pytest.raises(ParameterError, match="'by'"):
        landmark_curves(landmark_cells({"a": group(90, 20)}), by="plan", horizon=90)


def immortal_world(n, rng):
    """Return days until leaving, of follow-up, and until a change of plan that has no effect on leaving."""
    return rng.exponential(150, n), rng.uniform(0, 365, n), rng.exponential(90, n)


def test_annual_members_who_only_stayed_are_no_better_from_the_landmark_on():
    """STATISTICS 3: "annual" members only stayed and changed; the naive gap is large, ours covers 0."""
    stay, seen, change = immortal_world(40_000, np.random.default_rng(8))
    last = change <= np.minimum(stay, seen)
    long = seen >= 90
    naive = (stay[long & last] > 90).mean() - (stay[long & ~last] > 90).mean()
    assert naive > 0.3
    leaves, until = np.ceil(stay), np.floor(seen)
    churned, end = leaves <= until, np.minimum(leaves, until)
    there = (end > LANDMARK) | (~churned & (end == LANDMARK))
    days, gone = (end - LANDMARK)[there].astype(int), churned[there].astype(int)
    annual = (change <= LANDMARK)[there]
    groups = {name: (days[who], gone[who]) for name, who in (("annual", annual), ("monthly", ~annual))}
    (row,) = landmark_curves(landmark_cells(groups), by="plan_then", horizon=90).differences.to_dict(
        "records"
    )
    assert row["difference_points_low"] < 0 < row["difference_points_high"]
    assert row["difference_points_high"] - row["difference_points_low"] < 0.05


def test_grouping_from_joining_on_by_what_is_known_later_raises(make_retention_cells):
    cells = make_retention_cells([10, 20, 30], [1, 1, 0])
    with pytest.raises(ImmortalTimeError):
        retention_curve(cells, by="spells.plan")
