"""The exam sees no outcome of those who judge before it judges, and rivals spend as much as the groups do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.core.results.segments import CEILING, OURS, RFM, SMOOTH, NearestCentre
from sojourn.estimators.cluster.partition import partition, pinned
from sojourn.estimators.cluster.smooth import components, least_squares
from sojourn.studies.segments.checks import check_segments
from sojourn.studies.segments.exam import exam_table, examined
from sojourn.studies.segments.rfm import rfm_bands
from sojourn.studies.segments.worlds import gaussian, planted, population

QUICK = {"ks": (2, 3), "null_draws": 19, "resamples": 2}


@pytest.fixture(scope="module")
def three():
    """Return a world of three planted groups, and a rule that finds them."""
    world, _ = planted(1_600, 3, error=0.01, rng=np.random.default_rng(1))
    with pinned():
        return world, partition(world.x[world.fit], 3, rng=np.random.default_rng(2))


def judged_otherwise(world, after):
    """Return the world with other outcomes of those who judge."""
    spoilt = world.next.copy().astype(float)
    spoilt.loc[~world.fit] = after.loc[~world.fit].astype(float)
    return replace(world, next=spoilt)


def test_outcomes_of_somebody_else_are_not_explained(three):
    world, rule = three
    shuffled = world.next.sample(frac=1, random_state=3, ignore_index=True)
    exam = exam_table(judged_otherwise(world, shuffled), rule, mass=0.95).set_index("rival")
    # 800 judges leave a standard error of about .02
    assert (exam["explained"] < 0.02).all()
    many = NearestCentre(np.eye(6), world.x[world.fit][:150])
    # 150 means learned from the judges themselves would explain 150 / 800 of their own noise
    noisy = exam_table(judged_otherwise(world, shuffled), many, mass=0.95).set_index("rival")
    assert (noisy.loc[[OURS, RFM, SMOOTH], "explained"] < 0.02).all()
    assert noisy.loc[OURS, "explained"] < -0.1
    assert exam_table(world, rule, mass=0.95).set_index("rival").loc[OURS, "explained"] > 0.2


def test_outcomes_form_no_groups():
    world = gaussian(600, rng=np.random.default_rng(4))
    shuffled = world.next.sample(frac=1, random_state=3, ignore_index=True)
    found, other = (
        sj.find_segments(one, rng=np.random.default_rng(5), **QUICK)
        for one in (world, replace(world, next=shuffled))
    )
    pd.testing.assert_frame_equal(found.stability, other.stability, check_exact=True)
    pd.testing.assert_frame_equal(found.table, other.table, check_exact=True)
    assert found.rule.weights.tolist() == other.rule.weights.tolist()


def test_features_end_and_outcomes_begin_at_the_cut():
    cells = population(400, zeros=0.0, rng=np.random.default_rng(6))
    later = cells.tables["sample"].copy()
    columns = [name for name in later.columns if name.endswith("_next")]
    later[columns] = later[columns].sample(frac=1, random_state=1, ignore_index=True)
    order = sorted(set(later.columns) - set(columns))
    seen, moved = (
        sj.features(replace(cells, tables={**cells.tables, "sample": table}))
        for table in (cells.tables["sample"], later)
    )
    assert seen.names == moved.names
    # rows are told apart by all they hold, so sets of rows are compared
    key = [name for name in order if name in seen.counts.columns]
    ours, theirs = (one.counts[key].sort_values(key, ignore_index=True) for one in (seen, moved))
    pd.testing.assert_frame_equal(ours, theirs)


def test_rivals_spend_as_many_degrees_of_freedom_as_the_groups(three):
    world, rule = three
    exam = exam_table(world, rule, mass=0.95).set_index("rival")
    y, truth = (examined(world)[part] for part in (world.fit, ~world.fit))
    x, others = world.x[world.fit], world.x[~world.fit]
    bands = rfm_bands(world, 3)
    assert len(np.unique(bands)) == 3
    guess = np.array([y[bands[world.fit] == b].mean(axis=0) for b in range(3)])[bands[~world.fit]]
    errors = ((truth - guess) ** 2 / truth.var(axis=0)).mean()
    assert exam.loc[RFM, "explained"] == pytest.approx(1 - errors)
    line = least_squares(components(x, 2), y, components(x, 2, others))
    # the smooth rival is a line in two components or a curve with two columns, whichever fits members better
    straight = 1 - ((truth - line) ** 2 / truth.var(axis=0)).mean()
    assert exam.loc[SMOOTH, "explained"] >= straight - 0.02
    assert exam.loc[CEILING, "explained"] >= exam.loc[SMOOTH, "explained"] - 0.02


def test_segments_that_do_not_come_back_are_warned_of():
    cells = population(400, zeros=0.0, rng=np.random.default_rng(7))
    found = sj.find_segments(cells, rng=np.random.default_rng(8), **QUICK)
    low = replace(found, table=found.table.assign(comes_back=[0.9, 0.74, 0.9, 0.9]))
    high = replace(found, table=found.table.assign(comes_back=0.76))
    verdicts = [
        {check.name: check for check in check_segments(cells, one)}["Segments come back"]
        for one in (low, high)
    ]
    assert [one.verdict for one in verdicts] == ["warn", "pass"]
    assert "74 %" in verdicts[0].finding
    assert all(one.catch_rate > 0.9 for one in verdicts)
