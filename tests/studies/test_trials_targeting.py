"""Whom to give a scheme to: sums against members one by one, honesty, planted and absent differences."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from after_worlds import make_trial
from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_targeting import EVERYONE, NO_ONE, POLICIES, UNDECIDED, UPLIFT
from sojourn.studies.trials import policies as policies_module
from sojourn.studies.trials import targeting
from sojourn.studies.trials.after_checks import check_policies
from sojourn.studies.trials.policies import (
    BANDS,
    fold_of_blocks,
    judge,
    over_splits,
    policies,
    scores,
    treatments,
)
from sojourn.studies.trials.targeting import grams, learn, patterned, top

FEATURES = ["channel", "plan"]


def drawn(seed=1, each=1_200, uplift=(0.0, 0.0, 0.0), noise=5.0):
    """Members with two features; the uplift goes with the first one."""
    rng = np.random.default_rng(seed)
    size = 2 * each
    channel, plan = rng.integers(0, 3, size), rng.integers(0, 2, size)
    given = rng.random(size) < 0.5
    value = 4 + 3 * channel + plan + rng.normal(0, noise, size) + given * np.array(uplift)[channel]
    return pd.DataFrame({
        "channel": np.array(["a", "b", "c"])[channel], "plan": np.array(["x", "y"])[plan],
        "scheme": np.where(given, "offer", "none"), "block": np.arange(size) % 40,
        "kept": (rng.random(size) < 0.5 + 0.1 * channel).astype(int), "value": value,
    })  # fmt: skip


def trial_of(rows, **more):
    rows = rows.assign(n=1, total=rows["value"], total_sq=rows["value"] ** 2).drop(columns="value")
    by = [*FEATURES, "scheme", "block"]
    return make_trial(features=rows.groupby(by, as_index=False).sum(), **more)


def by_member(rows, data, rules):
    """Return the scores of the uplift member by member, by the formula of the estimate itself."""
    patterns = rows[FEATURES].drop_duplicates().sort_values(FEATURES).to_numpy().tolist()
    place = np.array([patterns.index(key) for key in rows[FEATURES].to_numpy().tolist()])
    given, value = (rows["scheme"] == "offer").to_numpy(), rows["value"].to_numpy()
    control, uplift, e = rules.control[place], rules.uplift[place], data.chance
    treated = control + uplift
    one = treated + given / e * (value - treated)
    none = control + (1 - given) / (1 - e) * (value - control)
    return one - none, place


def test_sums_give_what_members_give_one_by_one():
    rows = drawn(uplift=(-2.0, 0.5, 3.0))
    data = patterned(trial_of(rows), "offer")
    fold = fold_of_blocks(40, 5, np.random.default_rng(3))
    score, part = np.zeros(len(rows)), np.zeros((len(POLICIES), len(rows)))
    sums = grams(data)
    for number in range(5):
        rules = learn(sums, fold != number, data.chance)
        here = fold[rows["block"]] == number
        own, place = by_member(rows, data, rules)
        score[here] = own[here]
        treated = treatments(rules, data.n[fold != number].sum(axis=(0, 2)), 0.3)
        part[:, here] = treated[:, place[here]]
    found = policies_module._one_split(data, sums, fold, 0.3)
    np.testing.assert_allclose(found[0][:, 0], (part * score).mean(axis=1), atol=1e-9)
    np.testing.assert_allclose(found[0][:, 1], ((part - 1) * score).mean(axis=1), atol=1e-9)
    np.testing.assert_allclose(found[1][:, 0], (part * score).var(axis=1) / len(rows), atol=1e-12)
    np.testing.assert_allclose(found[2], part.mean(axis=1), atol=1e-12)


def test_scores_of_any_rule_have_the_mean_of_the_uplift():
    """With known chances the score is right on average however wrong what was learned is."""
    wrong = targeting.Learned(np.array([100.0]), np.array([-50.0]), np.array([0.5]))
    level, slope = scores(wrong, 0.25)
    means = np.array([3.0, 5.0])
    expected = (level[0] + slope * means) @ np.array([0.75, 0.25])
    assert expected == pytest.approx(2.0)


def test_learning_is_the_ridge_regression_that_is_written_down(monkeypatch):
    monkeypatch.setattr(targeting, "_UPLIFT_PENALTIES", np.array([50.0]))
    rows = drawn(uplift=(-2.0, 0.5, 3.0))
    data = patterned(trial_of(rows), "offer")
    rules = learn(grams(data), np.ones(40, bool), data.chance)
    _, place = by_member(rows, data, rules)
    levels, moved = data.traits[place], (rows["scheme"] == "offer").to_numpy() - data.chance
    first = np.column_stack([np.ones(len(rows)), levels])
    mild = np.diag([1e-6, *[10.0] * levels.shape[1]])
    expected = first @ np.linalg.solve(first.T @ first + mild, first.T @ rows["value"].to_numpy())
    around = (expected - expected.mean()) / expected.std()
    design = np.column_stack([first, moved, moved * around, moved[:, None] * levels])
    penalty = [1e-6, *[10.0] * levels.shape[1], 1e-6, 1e-6, *[50.0] * levels.shape[1]]
    found = np.linalg.solve(design.T @ design + np.diag(penalty), design.T @ rows["value"].to_numpy())
    q = first.shape[1]
    uplift = found[q] + found[q + 1] * around + levels @ found[q + 2 :]
    np.testing.assert_allclose(rules.uplift[place], uplift, atol=1e-6)
    np.testing.assert_allclose(rules.control[place], first @ found[:q] - data.chance * uplift, atol=1e-6)


def test_rules_know_nothing_of_the_members_they_judge():
    rows = drawn()
    fold = fold_of_blocks(40, 5, np.random.default_rng(3))
    changed = rows.assign(value=rows["value"] + 1e3 * (fold[rows["block"]] == 2) * (rows["channel"] == "a"))
    one, other = (
        learn(grams(data), fold != 2, data.chance)
        for data in (patterned(trial_of(made), "offer") for made in (rows, changed))
    )
    np.testing.assert_array_equal(one.uplift, other.uplift)
    np.testing.assert_array_equal(one.leaves, other.leaves)


def asked(rows, **more):
    return policies(trial_of(rows), "offer", mass=0.95, rng=np.random.default_rng(7), **more)


def test_a_planted_difference_is_found_and_worth_what_it_is_worth():
    """A third gains 3 and two thirds lose 2 and 0.5: choosing earns 1 a member; without it .17."""
    result = asked(drawn(each=4_000, uplift=(-2.0, -0.5, 3.0)))
    assert result.best == UPLIFT
    found = result.read(UPLIFT)
    assert found.low < 1_000 < found.high
    assert result.row(UPLIFT)["treated_share"] == pytest.approx(1 / 3, abs=0.03)
    every = result.read(EVERYONE)
    assert every.low < 1_000 / 6 < every.high
    assert result.bands["amount_low"].iloc[0] > result.bands["amount_high"].iloc[-1]
    assert tuple(result.bands["band"]) == BANDS
    assert result.knows == ("channel", "plan")


@pytest.mark.parametrize(("shift", "best"), [(2.0, EVERYONE), (-2.0, NO_ONE), (0.0, UNDECIDED)])
def test_where_all_gain_alike_nobody_is_chosen(shift, best):
    result = asked(drawn(seed=4, each=2_000, uplift=(shift,) * 3))
    assert result.best == best
    checks = check_policies(result, trial_of(drawn()))
    assert [check.verdict for check in checks] == ["pass", "warn" if best == UNDECIDED else "pass"]
    assert not checks[1].blocks


def test_the_shares_asked_for_are_treated():
    result = asked(drawn(), share=0.42)
    treated = result.table.set_index("policy")["treated_share"]
    assert treated[NO_ONE] == 0
    assert treated[EVERYONE] == 1
    # shares are exact where rules were learned, and nearly so in the fold that is judged
    assert treated["highest risk"] == pytest.approx(0.42, abs=0.02)
    assert treated["highest value"] == pytest.approx(0.42, abs=0.02)


def test_highest_risk_and_value_are_what_they_say():
    rows = drawn(each=4_000)
    data = patterned(trial_of(rows), "offer")
    rules = learn(grams(data), np.ones(40, bool), data.chance)
    worth, leaves = rules.control.reshape(3, 2), rules.leaves.reshape(3, 2)  # by channel and plan
    np.testing.assert_allclose(worth, [[4, 5], [7, 8], [10, 11]], atol=0.5)
    np.testing.assert_allclose(leaves, [[0.5] * 2, [0.4] * 2, [0.3] * 2], atol=0.04)


def test_intervals_have_what_splits_differ_by():
    value = np.array([[1.0], [3.0], [8.0]])
    middle, variance = over_splits(value, np.array([[1.0], [1.0], [2.0]]))
    assert middle[0] == 3.0
    assert variance[0] == np.median([1 + 4, 1 + 0, 2 + 25])


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 50)), min_size=1, max_size=20).filter(
        lambda pairs: sum(n for _, n in pairs) > 0
    ),
    st.floats(0, 1),
)
def test_the_top_share_is_exact_and_treats_equals_alike(pairs, share):
    score, n = (np.array(part, float) for part in zip(*pairs, strict=True))
    part = top(score, n, share)
    assert part @ n == pytest.approx(share * n.sum(), abs=1e-9)
    assert ((part >= 0) & (part <= 1)).all()
    with_members = n > 0
    for one in np.flatnonzero(with_members):
        same, above = with_members & (score == score[one]), with_members & (score > score[one])
        assert np.ptp(part[same]) == 0
        assert part[one] == 0 or (part[above] == 1).all()


def test_the_order_of_rows_and_names_of_levels_do_not_matter():
    rows = drawn(uplift=(-2.0, 0.5, 3.0))
    renamed = rows.assign(channel=rows["channel"].map({"a": "1", "b": "2", "c": "3"}))
    tables = [asked(made).table for made in (rows, rows.sample(frac=1, random_state=1), renamed)]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other)


def test_folds_are_as_equal_as_can_be():
    fold = fold_of_blocks(41, 5, np.random.default_rng(1))
    assert sorted(np.bincount(fold)) == [8, 8, 8, 8, 9]


def test_estimates_are_those_of_every_split():
    data = patterned(trial_of(drawn()), "offer")
    judged = judge(data, rng=np.random.default_rng(1), share=0.3, splits=20, folds=4)
    assert judged.value.shape == (20, len(POLICIES), 2)
    assert np.ptp(judged.value[:, 2, 0]) > 0  # splits learn different rules


def test_what_cannot_be_learned_says_why():
    assert (
        "do not tell what was known"
        in policies(make_trial(), "offer", mass=0.95, rng=np.random.default_rng(1)).why_empty
    )
    few = asked(drawn(each=300))
    assert "too few to learn" in few.why_empty
    same = asked(drawn().assign(value=0.0))
    assert "nothing to learn" in same.why_empty
    assert check_policies(same, trial_of(drawn())) == []


def test_fewer_than_twenty_splits_are_refused():
    with pytest.raises(ParameterError, match="splits"):
        asked(drawn(), splits=5)
