"""Who segments are: laws, and how often intervals and tests are right."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

import sojourn as sj
from segments_described_worlds import RULE, private, result, rng, shuffled, world
from sojourn.core.results.segments import Features, ScoreBands
from sojourn.core.results.segments_described import EVERYONE
from sojourn.studies.segments.describe import segment_table, shown_segments
from sojourn.studies.segments.shown import Shown

# --- profiles ---


def test_differences_cover_the_difference_of_the_population():
    """400 worlds of 400: a segment with little spread, in a skewed feature, seen beside everyone.

    The truth comes from 2,000,000 members. 95 of 100 are expected; 4 standard errors of a share of 400 are
    4.4 points, and heavy tails cost one or two more.
    """
    draw = rng(3)

    def drawn(n):
        inside = draw.random(n) < 0.25
        return np.where(inside, draw.exponential(1.0, n), draw.exponential(6.0, n)), inside

    values, inside = drawn(2_000_000)
    truth = (values[inside].mean() - values.mean()) / values.std()
    covered = alone = 0
    for _ in range(400):
        values, inside = drawn(400)
        difference, low, high = Shown(0, 0.95).difference(values, inside)
        covered += low <= truth <= high
        own = 1.96 * values[inside].std() / np.sqrt(inside.sum()) / values.std()
        alone += abs(difference - truth) <= own
    assert 0.89 <= covered / 400 <= 0.99
    assert alone / 400 < 0.7  # as if everyone's mean and spread were known


def test_private_differences_come_from_stepped_means_and_are_wider():
    values = rng(4).exponential(10, 800)
    inside = np.arange(800) < 300
    exact, coarse = (Shown(base, 0.95).difference(values, inside) for base in (0, 20))
    means = [Shown(20, 0.95).mean(part, values)[0] for part in (values[inside], values)]
    assert coarse[0] == pytest.approx((means[0] - means[1]) / Shown(20, 0.95).spread(values))
    assert coarse[2] - coarse[1] > exact[2] - exact[1]


def test_a_sentence_tells_of_money_where_enough_members_paid_and_the_steps_show_it():
    seen = world(600)

    def told(amounts, shown):
        paid = replace(shown, now=shown.now.assign(monetary=amounts))
        return "spending" in segment_table(paid, RULE, mass=0.95, min_group=20)["sentence"].iloc[0]

    least = np.where(~seen.fit & (RULE.assign(seen.x) == 0))[0]
    for payers, amount, told_exactly, told_in_steps in (
        (0, 1.0, False, False),
        (19, 500.0, True, False),
        (60, 500.0, True, True),
        (60, 0.001, False, False),
    ):
        amounts = np.zeros(600)
        amounts[least[:payers]] = amount
        assert told(amounts, seen) == told_exactly
        assert told(amounts, private(seen)) == told_in_steps
    rich = np.where(np.arange(600) % 2, 1_000.0, 0.0)
    rich[least] = 1.0  # the step of this segment is larger than its mean
    assert told(rich, seen)
    assert not told(rich, private(seen))


def test_only_features_far_from_everyone_are_drawn():
    seen = world(1_200)
    who = sj.profile(seen, result(seen))
    table = who.table
    far = table["difference"].abs().groupby(table["feature"]).max()
    assert set(who.drawn()["feature"]) == set(far[far >= 0.4].index)
    assert 0 < who.drawn()["feature"].nunique() < table["feature"].nunique()
    assert who.kind == "wald"


# --- made-up members ---


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(150, 900), st.sampled_from([20, 30]), st.booleans())
def test_no_made_up_member_is_a_real_one_unless_many_are_alike(seed, members, least, few_values):
    seen = world(members, seed=seed)
    if few_values:  # members who differ little often share a whole pattern
        draw = rng(seed)
        now = pd.DataFrame({name: draw.integers(0, 2, members) * 1.0 for name in seen.now})
        seen = replace(seen, now=now)
    made = sj.typical_members(seen, result(seen, min_group=least))
    columns = list(seen.now.columns)
    real = seen.now.to_numpy(dtype=float).round(2)
    for row in made.table[columns].to_numpy(dtype=float):
        alike = int((real[~seen.fit] == row).all(axis=1).sum())
        assert alike == 0 or alike >= least
    assert (made.table["n"] >= least).all()
    assert made.table["segment"].value_counts().max() <= 3 if len(made.table) else made.why_empty


@pytest.mark.parametrize(("alike", "kept"), [(0, True), (9, False), (120, True)])
def test_a_pattern_that_few_real_members_have_is_left_out(alike, kept):
    """Six features, each 1 for five members in six and 0 for the others: the middle of all six is 1."""
    seen = world(1_200)
    now = 1.0 - np.eye(6)[np.arange(1_200) % 6]
    now[np.flatnonzero(~seen.fit)[np.arange(alike) * 4]] = 1.0
    columns = ["recency", "monetary", "evening", "weekend", "trend", "tenure"]
    seen = replace(seen, now=pd.DataFrame(now, columns=columns).assign(frequency=6.0))
    made = sj.typical_members(seen, result(seen, min_group=60))
    assert ((made.table[columns] == 1.0).all(axis=1)).all()
    assert bool(len(made.table)) == kept
    assert bool(made.why_empty) != kept


def test_made_up_members_are_the_middle_and_the_spread_of_their_segment():
    seen = world(3_000)
    found = result(seen)
    table = sj.typical_members(seen, found).table
    for name, inside in shown_segments(seen, found):
        mine = table[table["segment"] == name].set_index("typical")
        values = seen.now.loc[~seen.fit, "frequency"].to_numpy()[inside]
        quieter, middle, busier = (
            mine.loc[one, "frequency"] for one in ("a quieter one", "a typical member", "a busier one")
        )
        assert quieter < middle < busier
        # the middle half of the middle third: within a fortieth of the median on either side
        low, high = np.quantile(values, [0.4, 0.6])
        assert low <= middle <= high
        assert quieter <= np.quantile(values, 0.3)
        assert busier >= np.quantile(values, 0.7)


def test_one_member_s_wealth_moves_no_made_up_member():
    seen = world(1_200)
    rich = seen.now.copy()
    rich.loc[rich["monetary"].idxmax(), "monetary"] = 1e9
    found = result(seen)
    before, after = (sj.typical_members(one, found).table for one in (seen, replace(seen, now=rich)))
    pd.testing.assert_frame_equal(before, after)


def test_made_up_members_do_not_depend_on_the_order_of_rows():
    seen = world(900)
    found = result(seen)
    one, other = (sj.typical_members(members, found).table for members in (seen, shuffled(seen)))
    pd.testing.assert_frame_equal(one, other)


def test_private_made_up_members_are_of_stepped_sums_near_the_exact_ones():
    seen = world(4_000)
    found = result(seen)
    exact, told = (sj.typical_members(one, found).table for one in (seen, private(seen)))
    assert (told["n"] % 20 == 0).all()
    for name in seen.now:
        # half a step of 20 of 80 or more members, times the largest of the middle half
        off = (told[name] - exact[name]).abs() / exact[name]
        assert off.max() <= 0.3
        assert (told[name] != exact[name]).any()


# --- portraits ---


def traits_of(seen: Features, *, shift: float, seed: int) -> pd.DataFrame:
    """Return channels that go with the segment by `shift`, and regions that do not."""
    draw, labels = rng(seed), RULE.assign(seen.x)
    search = draw.random(len(seen)) < 0.4 + shift * (labels - 1)
    other = draw.choice(["partner", "advertising"], len(seen))
    region = draw.choice(["north", "south", "west"], len(seen), p=[0.5, 0.3, 0.2])
    return pd.DataFrame({"channel": np.where(search, "search", other), "region": region})


def test_portraits_are_shares_of_the_judged_and_their_test_is_pearsons():
    seen = world(1_500)
    seen = replace(seen, traits=traits_of(seen, shift=0.15, seed=6))
    found = result(seen)
    drawn = sj.portraits(seen, found)
    channel = seen.traits.loc[~seen.fit, "channel"].to_numpy()
    labels = RULE.assign(seen.x[~seen.fit])
    assert drawn.telling == ("channel",)
    assert drawn.silent == ("region",)
    searched = drawn.table[drawn.table["level"] == "search"].set_index("segment")
    for i, (name, _) in enumerate(shown_segments(seen, found)):
        row = searched.loc[name]
        assert row["share"] == (channel[labels == i] == "search").mean()
        assert row["n"] == (labels == i).sum()
        assert row["apart"] == i - 1  # fewer, as many, more
    counts = pd.crosstab(channel, labels)
    p = chi2_contingency(counts, correction=False)[1]
    told = drawn.traits.set_index("trait").loc["channel"]
    assert told["p_value"] == pytest.approx(2 * p)  # Holm, the smaller of two
    sums = drawn.table.groupby(["trait", "segment"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(1)


def test_portraits_of_traits_that_know_nothing_rarely_say_something():
    """150 worlds of two traits that know nothing: 5 in 100 may say anything (Holm); 3 s.e. are 5 points."""
    alarms, covered, v = 0, 0, []
    seen = world(600)
    found = result(seen)
    truth = {"search": 0.4, "north": 0.5}
    for seed in range(150):
        drawn = sj.portraits(replace(seen, traits=traits_of(seen, shift=0.0, seed=seed)), found)
        alarms += bool(drawn.telling)
        v.append(drawn.traits["cramers_v"].mean())
        rows = drawn.table[drawn.table["level"].isin(truth) & (drawn.table["segment"] != EVERYONE)]
        exact = rows["level"].map(truth)
        covered += bool(((rows["share_low"] <= exact) & (exact <= rows["share_high"])).all())
    assert alarms / 150 <= 0.1
    # six shares together in one world: two traits at 95 of 100 each
    assert covered / 150 >= 0.85
    assert np.mean(v) < 0.03  # the plain V of such tables is .06 on average


def test_portraits_find_what_goes_with_the_segment():
    found_it = 0
    seen = world(1_200)
    for seed in range(60):
        drawn = sj.portraits(replace(seen, traits=traits_of(seen, shift=0.15, seed=seed)), result(seen))
        found_it += "channel" in drawn.telling
    assert found_it >= 57


def test_small_levels_are_put_together_and_small_segments_left_out():
    seen = world(900)
    draw = rng(8)
    region = draw.choice(["north", "south", "tiny", "small"], 900, p=[0.6, 0.36, 0.02, 0.02])
    known = np.where((RULE.assign(seen.x) == 0) & (draw.random(900) < 0.95), None, region)
    seen = replace(seen, traits=pd.DataFrame({"region": known, "plan": "all the same"}))
    drawn = sj.portraits(seen, result(seen))
    assert set(drawn.table["trait"]) == {"region"}
    assert set(drawn.table["level"]) <= {"north", "south", "other"}
    assert "least active third" not in set(drawn.table["segment"])
    nobody = replace(seen, traits=pd.DataFrame({"plan": ["all the same"] * 900}))
    assert "Too few members have different" in sj.portraits(nobody, result(seen)).why_empty
    assert "are not recorded" in sj.portraits(replace(seen, traits=pd.DataFrame()), result(seen)).why_empty


def test_levels_are_put_together_until_the_test_can_be_trusted():
    """A segment of about 25 in 450, a level of 1 in 10: fewer than five would be expected there."""
    seen = world(900)
    few = ScoreBands(RULE.weights, np.array([-1.6, 0.5]))
    region = rng(8).choice(["north", "south", "west"], 900, p=[0.6, 0.3, 0.1])
    drawn = sj.portraits(replace(seen, traits=pd.DataFrame({"region": region})), result(seen, rule=few))
    assert drawn.table["segment"].nunique() == 4
    assert list(drawn.table["level"].unique()) == ["north", "other"]


def test_portraits_do_not_depend_on_the_order_of_rows():
    seen = world(900)
    seen = replace(seen, traits=traits_of(seen, shift=0.1, seed=9))
    one, other = (sj.portraits(members, result(seen)) for members in (seen, shuffled(seen)))
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.traits, other.traits)


def test_private_portraits_are_of_multiples_of_the_base():
    seen = private(world(1_500))
    drawn = sj.portraits(replace(seen, traits=traits_of(seen, shift=0.15, seed=10)), result(seen))
    counts = drawn.table["share"] * drawn.table["n"]
    assert (drawn.table["n"] % 20 == 0).all()
    assert (counts / 20).to_numpy() == pytest.approx((counts / 20).round().to_numpy(), abs=1e-9)
    assert (drawn.traits["cramers_v"] * 100 % 1).to_numpy() == pytest.approx(0, abs=1e-9)
