"""The band of ranks has its exact probability (all outcomes are listed); ranks are fair where values tie."""

import importlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom


@pytest.fixture
def ranks(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "calibration"))
    return importlib.import_module("ranks")


def test_the_p_value_is_that_of_all_outcomes_listed(ranks, monkeypatch):
    """Six fits of three draws: 4^6 equally likely outcomes, a grid of four."""
    monkeypatch.setattr(ranks, "POINTS", 4)
    outcomes = np.array(list(itertools.product(range(4), repeat=6)))
    at = np.arange(1, 4)
    below = (outcomes[:, :, None] < at).sum(axis=1)
    tails = np.minimum(binom.cdf(below, 6, at / 4), binom.sf(below - 1, 6, at / 4)).min(axis=1)
    for one in range(0, len(outcomes), 97):
        listed = (tails <= tails[one] * (1 + 1e-9)).mean()
        assert ranks.p_uniform(outcomes[one], 3) == pytest.approx(listed, abs=1e-12)


def test_ranks_that_crowd_at_an_end_or_in_the_middle_are_not_uniform(ranks):
    rng = np.random.default_rng(1)
    even = rng.integers(0, 200, 300)
    assert ranks.p_uniform(even, 199) > 0.05
    assert ranks.p_uniform(even // 2, 199) < 1e-6
    assert ranks.p_uniform(50 + even // 2, 199) < 1e-6


def test_a_number_of_draws_that_does_not_fit_the_grid_is_refused(ranks):
    with pytest.raises(ValueError, match="201 ranks are not a multiple of 100"):
        ranks.p_uniform([1, 2], 200)


def test_ties_are_broken_at_random(ranks):
    rng = np.random.default_rng(2)
    found = [ranks.rank(np.array([1.0, 0.0, 1.0, 1.0, 2.0]), rng) for _ in range(300)]
    assert set(found) == {1, 2, 3}
    assert ranks.rank(np.array([5.0, 1.0, 2.0]), rng) == 2


def test_quantities_share_the_chance_of_a_false_alarm(ranks):
    own = list(np.random.default_rng(3).integers(0, 70, 60))
    alone, two = ranks.adjusted({"a": own}, 99), ranks.adjusted({"a": own, "b": own}, 99)
    assert two["a"] == pytest.approx(2 * alone["a"])
