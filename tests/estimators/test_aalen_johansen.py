"""Laws of the shares in states: exact with ties, equal to counting where nobody is censored."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.estimators.survival.aalen_johansen import (
    StateCounts,
    aalen_johansen,
    competing_risks,
    share_bounds,
    state_counts,
)
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.restricted_mean import restricted_mean
from sojourn.estimators.survival.risk_set import RiskSet

#: Sums and products of at most some hundred terms in double precision.
EXACT = {"rtol": 1e-9, "atol": 1e-12}


def caused(time, cause, causes=2):
    """Return counts of members who leave at `time` for `cause`, or are censored (0)."""
    time, cause = np.asarray(time), np.asarray(cause)
    days = np.arange(time.max() + 1)
    at_risk = (time[:, None] >= days).sum(axis=0)
    gone = [((time[:, None] == days) & (cause[:, None] == c)).sum(axis=0) for c in range(1, causes + 1)]
    return competing_risks(at_risk, np.stack(gone, axis=-1))


def incidences(counts):
    return aalen_johansen(counts, np.eye(counts.at_risk.shape[-1])[0])


def walked(paths):
    """Return counts of members in states by day, seen to the end; who starts elsewhere moves on day 0."""
    days, states = paths.shape[1], paths.max() + 1
    before = np.column_stack([np.zeros(len(paths), dtype=int), paths[:, :-1]])
    at_risk = np.stack([(before == s).sum(axis=0) for s in range(states)], axis=-1)
    moves = np.zeros((days, states, states), dtype=int)
    for a in range(states):
        for b in range(states):
            moves[:, a, b] = ((before == a) & (paths == b)).sum(axis=0) if a != b else 0
    return StateCounts(at_risk, moves)


def censored(found, rng):
    """Return counts of the same members, each seen to the end of a day of its own."""
    ends = rng.integers(0, found.shape[1], len(found))
    moves, states = walked(found).moves * 0, found.max() + 1
    entered, ended = (
        np.zeros((found.shape[1], states), dtype=int),
        np.zeros((found.shape[1], states), dtype=int),
    )
    entered[0, 0] = len(found)
    for path, end in zip(found, ends, strict=True):
        now = 0
        for day in range(end + 1):
            if path[day] != now:
                moves[day, now, path[day]] += 1
            now = path[day]
        ended[end, now] += 1
    return state_counts(entered, moves, ended)


@st.composite
def paths(draw):
    """Members who go from state to state in any way at all, also remembering where they were."""
    members, days, states = draw(st.integers(2, 12)), draw(st.integers(2, 15)), draw(st.integers(2, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    found = rng.integers(0, states, (members, days))
    return found[np.arange(members) % draw(st.integers(1, members))]  # many alike: many ties


# --- what is stated of it -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 7, 30, 365])
def test_two_of_five_leave_for_the_second_cause_on_every_grid(length):
    counts = caused(length * np.arange(1, 7), [0, 1, 1, 2, 2, 0])
    share = incidences(counts).share
    assert share[6 * length, 2] == pytest.approx(0.4, abs=1e-15)
    each_day = incidences(caused(range(1, 7), [0, 1, 1, 2, 2, 0])).share
    assert share[::length].tolist() == each_day.tolist()


def test_three_who_leave_in_week_40_change_week_8_only_through_the_risk_set():
    rng = np.random.default_rng(1)
    time, cause = 7 * rng.integers(1, 53, 2_000), rng.integers(0, 3, 2_000)
    without = caused(time, cause)
    with_three = caused(np.r_[time, [280] * 3], np.r_[cause, [1] * 3])
    by_week_8 = slice(0, 57)
    np.testing.assert_array_equal(with_three.moves[by_week_8], without.moves[by_week_8])
    expected = without.at_risk[by_week_8].copy()
    expected[:, 0] += 3
    np.testing.assert_array_equal(with_three.at_risk[by_week_8], expected)
    ours = incidences(with_three).share[56]
    # by hand: the same events, three more at risk in each step
    staying, shares = 1.0, np.zeros(2)
    for n, gone in zip(expected[:, 0], without.moves[by_week_8, 0, 1:], strict=True):
        shares, staying = shares + staying * gone / n, staying * (1 - gone.sum() / n)
    np.testing.assert_allclose(ours, [staying, *shares], **EXACT)


def test_tied_times_need_no_luck():
    np.random.seed(7)  # noqa: NPY002 (the global state is what must not be touched)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    counts = caused([7] * 50 + [14] * 50, [1, 2] * 50)
    first, second = incidences(counts), incidences(counts)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert (first.share == second.share).all()
    assert first.share[14].tolist() == [0.0, 0.5, 0.5]


# --- laws ---------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(paths())
def test_without_censoring_it_is_counting_with_the_multinomial_variance(found):
    """Whatever members remember of their past: the recursion telescopes."""
    ours = incidences(walked(found))
    n, states = len(found), found.max() + 1
    share = np.stack([(found == s).mean(axis=0) for s in range(states)], axis=-1)
    np.testing.assert_allclose(ours.share, share, **EXACT)
    covariance = np.einsum("ti,ij->tij", share, np.eye(states)) - share[:, :, None] * share[:, None, :]
    np.testing.assert_allclose(ours.covariance, covariance / n, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(paths())
def test_without_censoring_mean_time_in_a_state_is_that_of_members(found):
    ours = incidences(walked(found))
    for state in range(found.max() + 1):
        there = (found == state).astype(float)
        spent = np.cumsum((there[:, 1:] + there[:, :-1]) / 2, axis=1)
        np.testing.assert_allclose(ours.time[1:, state], spent.mean(axis=0), **EXACT)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 2)), min_size=2, max_size=40))
def test_without_censoring_time_lost_to_a_cause_varies_as_over_members(members):
    """Causes are for good, so the past of all at risk is the same and the recursion is exact for time too."""
    time, cause = (np.array(part) for part in zip(*members, strict=True))
    ours, until = incidences(caused(time, cause)), int(time.max())
    for state, lost in enumerate(((until - time + 0.5) * (cause == c) for c in (1, 2)), 1):
        # straight between days: whoever leaves on a day has lost half of it
        assert ours.time[until, state] == pytest.approx(lost.mean(), rel=1e-9)
        se = lost.std() / np.sqrt(len(members))
        # a variance near 0 is a difference of larger numbers; its root keeps half of the digits
        assert ours.time_se[until, state] == pytest.approx(se, rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=40))
def test_causes_add_up_to_one_less_kaplan_meier(members):
    time, cause = (np.array(part) for part in zip(*members, strict=True))
    counts = caused(time, cause, causes=3)
    ours = incidences(counts)
    churned = counts.moves[:, 0].sum(axis=-1)
    censored = np.array([((time == day) & (cause == 0)).sum() for day in range(time.max() + 1)])
    risk = RiskSet(counts.at_risk[:, 0], churned, censored)
    kept, mean = kaplan_meier(risk, 0.95), restricted_mean(risk)
    np.testing.assert_allclose(ours.share[:, 1:].sum(axis=1), 1 - kept.retained, **EXACT)
    some = kept.retained > 0
    np.testing.assert_allclose(ours.se[some, 0], kept.se[some], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.time[:, 0], mean.mean, **EXACT)
    np.testing.assert_allclose(ours.time_se[some, 0], mean.se[some], rtol=1e-6, atol=1e-7)


@settings(deadline=None)
@given(paths(), st.integers(2, 5))
def test_the_same_members_several_times_narrow_it_and_move_nothing(found, times):
    once, often = incidences(walked(found)), incidences(walked(np.repeat(found, times, axis=0)))
    np.testing.assert_allclose(often.share, once.share, **EXACT)
    np.testing.assert_allclose(often.covariance * times, once.covariance, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(paths(), st.integers(0, 2**32 - 1))
def test_with_censoring_shares_are_shares_and_move_against_each_other(found, seed):
    ours = incidences(censored(found, np.random.default_rng(seed)))
    np.testing.assert_allclose(ours.share.sum(axis=1), 1.0, rtol=1e-9)
    assert (ours.share >= -1e-12).all()
    np.testing.assert_allclose(ours.covariance.sum(axis=2), 0.0, atol=1e-9)
    np.testing.assert_allclose(ours.time.sum(axis=1), np.arange(found.shape[1]), rtol=1e-9)


@settings(deadline=None)
@given(paths(), st.integers(0, 2**32 - 1))
def test_with_censoring_numbers_at_risk_are_those_observed(found, seed):
    """Counted member by member, beside the bookkeeping of `state_counts`."""
    ends = np.random.default_rng(seed).integers(0, found.shape[1], len(found))
    counts = censored(found, np.random.default_rng(seed))
    for day in range(found.shape[1]):
        before = np.zeros(len(found), dtype=int) if day == 0 else found[:, day - 1]
        observed = before[ends >= day]
        assert counts.at_risk[day].tolist() == np.bincount(observed, minlength=found.max() + 1).tolist()


def test_populations_beside_each_other_are_those_alone():
    rng = np.random.default_rng(3)
    alone = [walked(rng.integers(0, 3, (9, 12))) for _ in range(4)]
    beside = StateCounts(
        np.stack([one.at_risk for one in alone], axis=1), np.stack([one.moves for one in alone], axis=1)
    )
    together = incidences(beside)
    for i, one in enumerate(alone):
        for name in ("share", "covariance", "time", "time_se"):
            np.testing.assert_allclose(getattr(together, name)[:, i], getattr(incidences(one), name), **EXACT)


def test_late_entry_in_any_state_counts_from_the_next_day():
    entered = np.array([[10, 0], [0, 4], [0, 0]])
    moves = np.zeros((3, 2, 2), dtype=int)
    moves[0, 0, 1], moves[2, 1, 0] = 4, 2
    counts = state_counts(entered, moves, np.zeros_like(entered))
    assert counts.at_risk.tolist() == [[10, 0], [6, 4], [6, 8]]
    share = incidences(counts).share
    np.testing.assert_allclose(share, [[0.6, 0.4], [0.6, 0.4], [0.7, 0.3]], **EXACT)


def test_where_nobody_is_at_risk_whoever_is_there_stays():
    counts = StateCounts(np.array([[2, 0], [0, 0]]), np.zeros((2, 2, 2), dtype=int))
    assert incidences(counts).share.tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_there_are_no_bounds_where_the_share_is_certain():
    low, high = share_bounds(np.array([0.0, 1.0, 0.5]), np.array([0.0, 0.0, 0.0]), 0.95)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_error_of_a_sum_of_shares():
    found = incidences(caused([1, 1, 2, 3, 3, 4], [1, 2, 1, 2, 0, 0]))
    np.testing.assert_allclose(found.se_of(np.array([0.0, 1.0, 1.0])), found.se[:, 0], rtol=1e-9)
