"""A segmentation made short: what is planted is found again, sizes are as promised, fidelity is honest."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.measures import Counting, Measure
from sojourn.core.results.segments import OURS, NearestCentre, Segmentation
from sojourn.core.results.take_away import Condition, TakeAway
from sojourn.studies.segments.exam import exam_table
from sojourn.studies.segments.features import features, halves, standardised
from sojourn.studies.segments.fidelity import check_take_away, fidelity, kappa
from sojourn.studies.segments.find import find_segments
from sojourn.studies.segments.take_away import _merged, _within_one_error, take_away
from sojourn.studies.segments.worlds import planted, planted_features, population

QUICK = {"ks": (2, 3, 4), "null_draws": 19, "resamples": 2}
COUNTED = Counting(30, 30)


def rng(seed=1):
    return np.random.default_rng(seed)


def counted(world):
    """Return a world whose features are counts: thousandths above the least."""
    whole = np.round(1_000 * (world.x - world.x.min(axis=0))).astype(np.int64)
    names = [f"c{j}" for j in range(whole.shape[1])]
    counts = pd.DataFrame(whole, columns=names).assign(observed_days=100)
    measures = tuple(Measure(name, f"{name} counted", (name,)) for name in names)
    return replace(world, counts=counts, measures=measures, counting=COUNTED)


def segmentation(world, rule, *, groups=True):
    """Return what a search would return that froze this rule."""
    found = find_segments(population(400, zeros=0.0, rng=rng(9)), rng=rng(9), **QUICK)
    verdict = "groups" if groups else "a gradient, not groups"
    return replace(found, rule=rule, k=rule.k, verdict=verdict, case=world.case, meta=world.meta)


@pytest.fixture(scope="module")
def three():
    """Return three clear groups, what was found, and the rule."""
    world = counted(planted(1_600, 3, error=0.005, rng=rng(1))[0])
    found = find_segments(world, rng=rng(2), **QUICK)
    assert found.has_groups
    return world, found, take_away(world, found)


@pytest.fixture(scope="module")
def shop():
    """Return a gradient of a shop's members, its bands, and the rule."""
    world = features(population(1_600, zeros=0.0, rng=rng(3)))
    found = find_segments(world, rng=rng(4), **QUICK)
    assert not found.has_groups
    return world, found, take_away(world, found)


def grid(n, cuts, *, seed):
    """Return members of two counts whose groups are exactly those of a planted tree, and the labels.

    The frozen rule has one centre per group in a third, fourth and fifth feature that only hold the group.
    """
    r = rng(seed)
    a, b = r.integers(0, 100, n), r.integers(0, 100, n)
    labels = np.where(a < cuts[0], 0, np.where(b < cuts[1], 1, 2))
    x = np.eye(3)[labels]
    fit = halves(n)
    after = pd.DataFrame({"active": (labels > 0) * 1.0, "stayed": 1.0, "active_days": labels, "spend": 0.0})
    world = planted_features(r.standard_normal((n, 6)), after)
    x = standardised(x, fit)
    counts = pd.DataFrame({"a": a, "b": b, "observed_days": 100, "noise": r.integers(0, 100, n)})
    measures = tuple(Measure(name, name, (name,)) for name in ("noise", "b", "a"))
    centres = np.array([x[labels == i].mean(axis=0) for i in range(3)])
    world = replace(world, names=("u", "v", "w"), x=x, counts=counts, measures=measures, counting=COUNTED)
    return world, segmentation(world, NearestCentre(np.eye(3), centres)), labels


def test_a_planted_tree_is_found_again():
    world, found, labels = grid(3_000, (40, 70), seed=5)
    rule = take_away(world, found)
    assert rule.kind == "tree"
    assert [m.name for m in rule.measures] == ["a", "b"]  # noise is not asked
    assert [(leaf.conditions, leaf.segment) for leaf in rule.leaves] == [
        ((Condition(0, None, 40.0),), 0),
        ((Condition(0, 40.0, None), Condition(1, None, 70.0)), 1),
        ((Condition(0, 40.0, None), Condition(1, 70.0, None)), 2),
    ]
    assert list(rule.assign(world.counts)) == list(labels)
    assert rule.fidelity.same == 1
    assert rule.fidelity.kappa == 1


def test_fidelity_is_measured_on_members_who_taught_nothing(three):
    world, found, rule = three
    judged = ~world.fit
    theirs, ours = found.rule.assign(world.x)[judged], rule.assign(world.counts[judged])
    told = rule.fidelity
    assert told.n == judged.sum()
    assert told.same == pytest.approx((theirs == ours).mean(), abs=5e-5)  # four decimals are published
    assert told.same_low < told.same < told.same_high
    assert told.kappa == pytest.approx(cohen_kappa_score(theirs, ours), abs=5e-5)
    for i, one in enumerate(told.segments):
        assert (one.n, one.called) == ((theirs == i).sum(), (ours == i).sum())
        assert one.found == pytest.approx((ours[theirs == i] == i).mean(), abs=5e-5)
        assert one.right == pytest.approx((theirs[ours == i] == i).mean(), abs=5e-5)
    assert told.largest == pytest.approx(np.bincount(theirs).max() / len(theirs), abs=5e-5)


def test_the_cost_in_use_is_that_of_the_exam(three):
    world, found, rule = three
    ours = exam_table(world, found.rule, mass=0.95).set_index("rival").loc[OURS, "explained"]
    told = rule.fidelity
    assert told.explained_by_segments == pytest.approx(ours, abs=5e-5)
    assert told.lost == pytest.approx(told.explained_by_segments - told.explained, abs=2e-4)
    assert told.lost_low <= told.lost <= told.lost_high


def test_clear_groups_become_a_small_faithful_tree(three):
    _, found, rule = three
    assert rule.kind == "tree"
    assert 3 <= len(rule.leaves) <= 12
    assert {leaf.segment for leaf in rule.leaves} == {0, 1, 2}
    assert set(found.segments) <= set(rule.segments)
    assert check_take_away(rule).verdict == "pass"


def test_every_end_of_a_tree_holds_enough_members(three):
    world, found, _ = three
    rule = take_away(world, found, min_group=60)
    assert min(leaf.members for leaf in rule.leaves) >= 60
    assert sum(leaf.members for leaf in rule.leaves) == world.fit.sum()
    taught = world.counts[world.fit]
    values = [measure.of(taught) for measure in rule.measures]
    for leaf in rule.leaves:
        here = np.all([c.holds(values[c.measure]) for c in leaf.conditions], axis=0)
        assert here.sum() == leaf.members
        labels = found.rule.assign(world.x[world.fit])
        assert leaf.same == pytest.approx((labels[here] == leaf.segment).mean(), abs=5e-5)


def test_a_gradient_becomes_a_scorecard_of_few_measures_in_the_order_of_the_bands(shop):
    world, _, rule = shop
    assert rule.kind == "scorecard"
    assert 1 <= len(rule.card) <= 5
    assert max(max(given.points) for given in rule.card) == 20
    assert min(min(given.points) for given in rule.card) == 0
    assert list(rule.cuts) == sorted(set(rule.cuts))
    bands = rule.assign(world.counts)
    often = [world.now["frequency"].to_numpy()[bands == i].mean() for i in range(4)]
    assert often == sorted(often)
    sizes = np.bincount(rule.assign(world.counts[world.fit]), minlength=4)
    assert sizes.min() >= 20
    assert check_take_away(rule).verdict == "pass"


def test_bounds_have_few_digits(three, shop):
    for _, _, rule in (three, shop):
        bounds = [
            b for leaf in rule.leaves for c in leaf.conditions for b in (c.low, c.high) if b is not None
        ]
        bounds += [b for given in rule.card for b in given.bounds]
        assert bounds
        for bound in bounds:
            digits = Decimal(repr(bound)).normalize().as_tuple().digits
            assert bound.is_integer() or len(digits) <= 3


@pytest.mark.parametrize("which", ["three", "shop"])
def test_order_of_rows_changes_nothing(which, request):
    world, found, rule = request.getfixturevalue(which)
    turned = rng(8).permutation(len(world))
    frames = {
        name: getattr(world, name).iloc[turned].reset_index(drop=True) for name in ("now", "next", "counts")
    }
    again = take_away(replace(world, x=world.x[turned], fit=world.fit[turned], **frames), found)
    assert again.fingerprint == rule.fingerprint
    assert again.to_json() == rule.to_json()


def test_other_numbers_of_the_groups_change_no_members_segment(three):
    world, found, rule = three
    turned = NearestCentre(found.rule.metric, found.rule.centres[::-1])
    again = take_away(world, replace(found, rule=turned))
    assert list(2 - again.assign(world.counts)) == list(rule.assign(world.counts))


def test_it_is_the_same_rule_after_a_journey_through_its_file(three):
    world, _, rule = three
    read = TakeAway.from_json(rule.to_json())
    assert read == rule
    assert list(read.assign(world.counts)) == list(rule.assign(world.counts))


def test_a_poor_rule_says_so_plainly():
    world = counted(planted(1_600, 4, error=0.005, rng=rng(6))[0])
    found = find_segments(world, rng=rng(7), **QUICK)
    assert found.k == 4
    check = check_take_away(take_away(world, found, leaves=2))
    assert check.verdict == "fail"
    assert "another segmentation" in check.meaning
    assert check.meaning.count("“") == 3  # two have no end of the tree, one gets theirs
    better = take_away(world, found)
    assert better.fidelity.same > take_away(world, found, leaves=3).fidelity.same


@pytest.mark.parametrize("seed", range(3))
def test_stated_rates_of_the_check(seed, three):
    """A part of the worlds of `RATES_FROM` (seeds 0 to 59): sound rules pass, spoilt and cut ones never."""
    r = np.random.default_rng(seed)
    k = int(r.integers(3, 6))
    world, group = planted(2_000, k, error=0.02, rng=r)
    world = counted(world)
    centres = np.array([world.x[group == i].mean(axis=0) for i in range(k)])
    found = replace(three[1], rule=NearestCentre(np.eye(6), centres), k=k, meta=world.meta)
    rule = take_away(world, found)
    exchanged = {0: 1, 1: 0}
    leaves = [replace(leaf, segment=exchanged.get(leaf.segment, leaf.segment)) for leaf in rule.leaves]
    spoilt = fidelity(replace(rule, leaves=tuple(leaves)), world, found)
    cut = take_away(world, found, leaves=2)
    assert [check_take_away(one).verdict == "pass" for one in (rule, spoilt, cut)] == [True, False, False]


def test_verdicts_keep_their_bounds(three):
    rule = three[2]

    def judged(same_low, kappa, found=0.9):
        segments = tuple(replace(one, found=found) for one in rule.fidelity.segments)
        told = replace(rule.fidelity, same_low=same_low, kappa=kappa, segments=segments)
        return check_take_away(replace(rule, fidelity=told)).verdict

    assert judged(0.80, 0.60) == "pass"
    assert judged(0.79, 0.60) == "warn"
    assert judged(0.80, 0.59) == "warn"
    assert judged(0.80, 0.60, found=0.49) == "warn"
    assert judged(0.59, 0.60) == "fail"
    assert judged(0.80, 0.39) == "fail"


def test_a_segment_that_is_too_small_to_tell_is_not_called_lost(three):
    rule = three[2]
    first, *rest = rule.fidelity.segments
    unknown = replace(first, n=0, found=0.0)
    told = replace(rule.fidelity, segments=(unknown, *rest))
    assert told.lost_segments == ()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60))
def test_kappa_is_cohens(pairs):
    one, other = (np.array(column) for column in zip(*pairs, strict=True))
    if len(np.unique(np.concatenate([one, other]))) > 1:
        assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)
    else:
        assert kappa(one, other) == 1


def test_the_smallest_size_within_one_error_of_the_best_is_taken():
    error = (0.9 * 0.1 / 900) ** 0.5  # .01
    agreement = np.array([0.5, 0.9 - 1.01 * error, 0.9 - 0.99 * error, 0.9, 0.89])
    every = np.ones(5, dtype=bool)
    assert _within_one_error(agreement, 900, every) == 2
    assert _within_one_error(agreement, 900, np.array([True, True, False, True, True])) == 3
    assert _within_one_error(agreement, 900, np.array([True, False, False, False, False])) == 0


def test_ranges_beside_each_other_that_give_the_same_are_one():
    assert _merged((1.0, 2.0, 3.0), (0, 0, 4, 4)) == ((2.0,), (0, 4))
    assert _merged((1.0, 2.0), (3, 3, 3)) == ((), (3,))


def test_a_private_case_shows_whole_groups_only(three):
    world, found, _ = three
    private = replace(world, meta={**world.meta, "protected": {"base": 20}})
    told = take_away(private, replace(found, meta=private.meta), min_group=1)  # the base is the least
    assert min(leaf.members for leaf in told.leaves) >= 20
    sizes = [told.fidelity.n, *(leaf.members for leaf in told.leaves)]
    sizes += [n for one in told.fidelity.segments for n in (one.n, one.called)]
    assert all(n % 20 == 0 for n in sizes)
    scores = (told.fidelity.kappa, told.fidelity.explained, told.fidelity.lost)
    assert all(round(score, 2) == score for score in scores)
    for leaf in told.leaves:
        assert leaf.same * leaf.members % 20 == pytest.approx(0, abs=0.2) or (
            20 - leaf.same * leaf.members % 20
        ) == pytest.approx(0, abs=0.2)  # a share of whole groups, to four decimals


def test_members_whom_the_rule_leaves_out_count_as_not_the_same(three):
    world, found, rule = three
    fewer = world.counts.assign(observed_days=np.where(np.arange(len(world)) % 2, 100, 29))
    told = fidelity(rule, replace(world, counts=fewer), found).fidelity
    assert told.same < 0.6
    assert sum(one.called for one in told.segments) < told.n


def test_what_tells_nothing_apart_gives_no_rule(three):
    world, found, _ = three
    flat = world.counts.assign(**{name: 1 for name in world.counts if name != "observed_days"})
    with pytest.raises(UndefinedError, match="tells their segments apart"):
        take_away(replace(world, counts=flat), found)
    with pytest.raises(UndefinedError, match="no counts"):
        take_away(replace(world, measures=()), found)


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"leaves": 1}, "leaves"), ({"most_measures": 0}, "most_measures"), ({"min_group": 0}, "min_group")],
)
def test_parameters_out_of_range_are_named(three, asked, message):
    world, found, _ = three
    with pytest.raises(ParameterError, match=message):
        take_away(world, found, **asked)


def test_the_result_says_what_it_is(three, shop):
    assert repr(three[2]).startswith("TakeAway of world: tree of ")
    assert "scorecard of" in repr(shop[2])
    assert isinstance(three[1], Segmentation)
