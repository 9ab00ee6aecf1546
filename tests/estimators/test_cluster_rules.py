"""Trees and scorecards over ranges: what they return is what was learned, and learned well."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from sojourn.estimators.cluster.scorecard import (
    MOST_POINTS,
    Ranked,
    card_agreements,
    scorecard,
    telling_columns,
)
from sojourn.estimators.cluster.shallow import agreements, shallow_tree


def rng(seed=1):
    return np.random.default_rng(seed)


def by_ways(ways, bins):
    """Return the label of every row, each of which comes to exactly one end."""
    come = np.zeros((len(bins), len(ways)), dtype=bool)
    for j, way in enumerate(ways):
        come[:, j] = np.all(
            [
                (bins[:, c] >= (low or 0)) & (bins[:, c] < (high or 10**9))
                for c, (low, high) in way.ranges.items()
            ],
            axis=0,
        )
    assert (come.sum(axis=1) == 1).all()
    return np.array([way.label for way in ways])[come.argmax(axis=1)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(1, 30))
def test_ways_say_what_the_tree_says_for_every_row(seed, leaves, smallest):
    r = rng(seed)
    bins = r.integers(0, 9, (300, 4))
    labels = (bins[:, 0] + r.integers(0, 4, 300)) // 4
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=smallest, random_state=0)
    said = tree.fit(bins, labels).predict(bins)
    ways = shallow_tree(bins, labels, leaves=leaves, smallest=smallest)
    assert list(by_ways(ways, bins)) == list(said)
    assert len(ways) <= leaves


def test_ends_beside_each_other_that_say_the_same_are_one():
    bins = np.repeat(np.arange(4), 50)[:, None]
    labels = np.repeat([0, 0, 1, 1], 50)
    labels[:10] = 1  # the first half is split by purity, but says the same
    assert len(shallow_tree(bins, labels, leaves=4, smallest=10)) == 2


def test_agreement_is_of_rows_that_others_taught():
    r = rng(2)
    bins, labels = r.integers(0, 9, (500, 3)), r.integers(0, 2, 500)
    told = agreements(bins, labels, [2, 12], smallest=1)
    assert (np.abs(told - 0.5) < 0.08).all()  # noise: 3.6 standard errors of a coin thrown 500 times
    assert agreements(bins, (bins[:, 0] > 4) * 1, [2], smallest=1)[0] == 1


def ranked(seed=1, n=2_000, noise=0.0):
    """Return rows whose score is 2 by the second measure, 1 by the first, nothing by the third."""
    r = rng(seed)
    bins = r.integers(0, 5, (n, 3))
    score = 1.0 * bins[:, 0] + 2.0 * bins[:, 1] + noise * r.standard_normal(n)
    bands = np.searchsorted([3.5, 6.5, 8.5], score, side="right")
    return Ranked(bins, score, bands, (5, 5, 5))


def test_the_measure_that_tells_most_comes_first():
    assert telling_columns(ranked(noise=1.0), 3) == (1, 0, 2)
    assert telling_columns(ranked(noise=1.0), 1) == (1,)
    flat = Ranked(np.zeros((50, 2), dtype=np.int64), np.arange(50.0), np.zeros(50, dtype=np.int64), (1, 1))
    assert telling_columns(flat, 2) == ()


def test_points_of_a_score_that_is_a_sum_are_its_parts():
    card = scorecard(ranked(), (1, 0), bands=4, smallest=20)
    assert card.points == (
        (0, 5, 10, 15, 20),
        (0, 3, 5, 8, 10),
    )  # a point is 0.4: 2.5 points are 3, 7.5 are 8
    assert card.cuts == (10, 18, 23)  # scores of 4, 7 and 9, the first in each band
    assert list(card.assign(ranked().bins)) == list(ranked().bands)


def test_points_are_least_squares_levels():
    rows = ranked(noise=2.0)
    model = LinearRegression().fit(OneHotEncoder(drop="first").fit_transform(rows.bins[:, :2]), rows.score)
    levels = [np.concatenate([[0], part]) for part in np.split(model.coef_, 2)]
    unit = np.ptp(levels[1]) / MOST_POINTS
    expected = tuple(tuple(np.floor((v - v.min()) / unit + 0.5).astype(int)) for v in levels)
    assert scorecard(rows, (0, 1), bands=4, smallest=20).points == expected


def test_bands_rise_with_the_sum_and_none_is_a_handful():
    rows = ranked(noise=3.0)
    card = scorecard(rows, (0, 1), bands=4, smallest=300)
    sums, bands = card.sums(rows.bins), card.assign(rows.bins)
    assert np.bincount(bands).min() >= 300
    assert (np.diff(bands[np.argsort(sums, kind="stable")]) >= 0).all()


def test_each_cut_puts_as_few_rows_as_possible_on_the_wrong_side():
    rows = ranked(noise=1.0)
    card = scorecard(rows, (0, 1), bands=4, smallest=1)
    sums = card.sums(rows.bins)
    wrong = [((sums >= cut) != (rows.bands >= 1)).sum() for cut in np.unique(sums)[1:]]
    assert ((sums >= card.cuts[0]) != (rows.bands >= 1)).sum() == min(wrong)


def test_too_few_different_sums_still_give_rising_cuts():
    bins = np.repeat([[0], [1]], 20, axis=0)
    rows = Ranked(bins, bins[:, 0] * 1.0, np.repeat([0, 3], 20), (2,))
    cuts = scorecard(rows, (0,), bands=4, smallest=20).cuts
    assert list(cuts) == sorted(set(cuts))


def test_card_agreement_is_of_rows_that_others_taught():
    told = card_agreements(ranked(noise=0.0), (1, 0), bands=4, smallest=20)
    assert told[1] > told[0] > 0.4
    r = rng(4)
    noise = Ranked(r.integers(0, 5, (1_000, 2)), r.standard_normal(1_000), r.integers(0, 4, 1_000), (5, 5))
    assert card_agreements(noise, (0, 1), bands=4, smallest=20) == pytest.approx(0.25, abs=0.05)


def test_a_range_that_a_part_of_the_rows_never_shows_is_no_trouble():
    rows = ranked(n=203)
    rows.bins[7] = (6, 0, 0)
    wide = Ranked(rows.bins, rows.score, rows.bands, (7, 5, 5))
    assert (card_agreements(wide, (1, 0), bands=4, smallest=5) > 0.4).all()
