"""Patterns of text become a design matrix: largest level first, small levels merged, nothing twice."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drawn_patterns import counted, drawn
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.estimators.survival.cox import cox
from sojourn.estimators.survival.design import design

PATTERNS = pd.DataFrame(
    {
        "plan": ["monthly", "monthly", "annual", "annual", "free", "gift"],
        "region": ["east", "west", "east", "west", "east", "west"],
        "one": "same",
    }
)
MEMBERS = np.array([60, 50, 40, 30, 12, 9])
CHURNED = np.array([10, 8, 4, 3, 2, 1])


def test_levels_stand_by_size_and_small_ones_are_merged():
    made = design(PATTERNS, MEMBERS, CHURNED, min_group=20)
    assert made.levels == {"plan": ("monthly", "annual", "other"), "region": ("east", "west")}
    assert made.merged == {"plan": ("free", "gift")}
    assert made.dropped == ("one",)
    assert made.terms == (("plan", "annual"), ("plan", "other"), ("region", "west"))
    assert made.matrix[:, 0].tolist() == [0, 0, 1, 1, 0, 0]
    assert made.matrix[:, 1].tolist() == [0, 0, 0, 0, 1, 1]


def test_what_is_merged_takes_in_more_until_it_can_be_shown():
    made = design(PATTERNS, MEMBERS, CHURNED, min_group=60)
    assert made.levels["plan"] == ("monthly", "other")
    assert made.merged["plan"] == ("annual", "free", "gift")


def test_a_level_nobody_left_is_merged():
    made = design(PATTERNS, MEMBERS, CHURNED * np.array([1, 1, 1, 1, 0, 1]), min_group=5)
    assert made.merged["plan"] == ("free", "gift")
    assert design(PATTERNS, MEMBERS, CHURNED, min_group=5, least_gone=8).merged["plan"] == (
        "annual",
        "free",
        "gift",
    )


def test_ties_of_size_go_by_name():
    made = design(PATTERNS[["region"]].iloc[:2], np.array([30, 30]), np.array([3, 3]), min_group=20)
    assert made.levels["region"] == ("east", "west")


def test_a_term_that_follows_from_others_is_left_out():
    twice = PATTERNS[["plan"]].assign(price=PATTERNS["plan"].map({"monthly": "low"}).fillna("high"))
    made = design(twice, MEMBERS, CHURNED, min_group=20)
    assert made.aliased == (("price", "high"),)
    assert made.matrix.shape == (6, 2)
    assert made.terms_of("price") == []


def test_more_patterns_than_allowed_are_refused():
    many = pd.DataFrame({"city": [f"city {number}" for number in range(5_001)]})
    with pytest.raises(UndefinedError, match=r"5,001 patterns of city.*at most 5,000"):
        design(many, np.ones(5_001, int), np.ones(5_001, int), min_group=1)


def test_patterns_are_encoded_as_they_were_coded():
    made = design(PATTERNS, MEMBERS, CHURNED, min_group=20)
    np.testing.assert_array_equal(made.encode(PATTERNS), made.matrix)
    with pytest.raises(ParameterError, match="level of plan 'weekly'"):
        made.encode(PATTERNS.assign(plan="weekly"))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.permutations(["ash", "birch", "cedar"]))
def test_renaming_levels_renames_effects_only(seed, names):
    x, entry, exits, churned = drawn(seed, n=500)
    cells, patterns = counted(x, entry, exits, churned)
    tree = np.where(patterns[:, 0] == 1, names[0], np.where(patterns[:, 1] == 1, names[1], names[2]))
    plain = np.where(patterns[:, 0] == 1, "0", np.where(patterns[:, 1] == 1, "1", "2"))
    found = []
    for labels in (tree, plain):
        frame = pd.DataFrame({"tree": labels})
        # Sizes differ by one half in these worlds: the largest level is the same under any names.
        made = design(frame, np.array([4, 3, 2, 5]), np.ones(4, int), min_group=1)
        fit = cox(cells, made.matrix)
        found.append({level: b for (_, level), b in zip(made.terms, fit.coefficients, strict=True)})
    assert {names[int(level)]: b for level, b in found[1].items()} == pytest.approx(found[0], rel=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 80))
def test_stopping_at_a_day_censors_who_is_there(seed, day):
    x, entry, exits, churned = drawn(seed, n=200)
    cells, patterns = counted(x, entry, exits, churned)
    stopped = cells.until(day)
    expected, _ = counted(x, entry, np.minimum(exits, day), churned * (exits <= day))
    kept = entry < day  # the others are never at risk
    rows, _ = counted(x[kept], entry[kept], np.minimum(exits, day)[kept], (churned * (exits <= day))[kept])
    assert stopped.churned.sum() == expected.churned.sum()
    assert (stopped.entered.sum() - stopped.churned.sum()) == stopped.censored.sum()
    if rows.churned.sum() >= 20:
        whole = [cox(one, patterns[:, :1]) for one in (stopped, rows)]
        np.testing.assert_allclose(whole[0].coefficients, whole[1].coefficients, rtol=1e-9)


def test_as_many_patterns_as_are_allowed_are_a_design():
    assert len(design(PATTERNS, MEMBERS, CHURNED, min_group=20, most=6).matrix) == 6
    with pytest.raises(UndefinedError, match="6 patterns"):
        design(PATTERNS, MEMBERS, CHURNED, min_group=20, most=5)
