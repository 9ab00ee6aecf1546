"""Laws of the Cox model on cells, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from drawn_patterns import counted, drawn
from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.cox import cox
from sojourn.estimators.survival.design import PatternCells
from sojourn.estimators.survival.newton import At, maximum
from sojourn.estimators.survival.partial import FEW, Stratum, _tied, shares_of, strata_of
from sojourn.estimators.survival.proportional import GLOBAL, changing_effect, proportional_test

SEEDS = st.integers(0, 10_000)
#: Both sides add the same terms in another order.
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def added(cells, order):
    """Return the rows of cells in another order."""
    columns = ("pattern", "day", "entered", "churned", "censored")
    return PatternCells(*(getattr(cells, name)[order] for name in columns))


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_splitting_merging_and_order_of_cells_change_nothing(seed):
    cells, x = counted(*drawn(seed))
    fit = cox(cells, x)
    # Every pattern twice, its rows dealt out between both copies: finer cells of the same members.
    rng = np.random.default_rng(seed)
    copy = rng.integers(0, 2, len(cells.pattern))
    split = added(cells, rng.permutation(len(copy)))
    split = PatternCells(split.pattern + len(x) * copy, *(getattr(split, n) for n in NAMES))
    again = cox(split, np.concatenate([x, x]))
    np.testing.assert_allclose(again.coefficients, fit.coefficients, **CLOSE)
    np.testing.assert_allclose(again.covariance, fit.covariance, **CLOSE)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-12)


NAMES = ("day", "entered", "churned", "censored")


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_turning_a_covariate_round_turns_its_effect_round(seed):
    cells, x = counted(*drawn(seed))
    fit, turned = cox(cells, x), cox(cells, np.column_stack([1 - x[:, 0], x[:, 1]]))
    np.testing.assert_allclose(turned.coefficients, fit.coefficients * [-1, 1], **CLOSE)
    # Survival of a pattern is the same, whatever stands for 0.
    base, other = fit.baselines[0].cumulative, turned.baselines[0].cumulative
    np.testing.assert_allclose(base * np.exp(fit.coefficients[0]), other, rtol=1e-8)


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_efron_is_breslow_without_ties(seed):
    x, entry, exits, churned = drawn(seed, n=80, longest=5_000)
    order = np.argsort(np.argsort(exits, kind="stable"), kind="stable")
    cells, patterns = counted(x, np.zeros_like(entry), order + 1, churned)
    both = [cox(cells, patterns, ties=ties) for ties in ("efron", "breslow")]
    np.testing.assert_allclose(both[0].coefficients, both[1].coefficients, **CLOSE)
    np.testing.assert_allclose(both[0].covariance, both[1].covariance, **CLOSE)


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_a_unit_of_time_changes_no_effect(seed):
    x, entry, exits, churned = drawn(seed)
    cells, patterns = counted(x, entry, exits, churned)
    in_hours, _ = counted(x, entry * 24, exits * 24, churned)
    np.testing.assert_allclose(
        cox(cells, patterns).coefficients, cox(in_hours, patterns).coefficients, **CLOSE
    )


def test_strata_of_their_own_effects_add_up():
    cells, x = counted(*drawn(3))
    own = (x[:, 1] == 1).astype(int)
    together = cox(cells, x[:, :1], strata=own)
    at = [cox(_only(cells, own, one), x[:, :1], strata=own) for one in (0, 1)]
    weights = np.array([1 / one.covariance[0, 0] for one in at])
    mixed = np.average([one.coefficients[0] for one in at], weights=weights)
    # Weighted means of maxima are the joint maximum only to second order: a tenth of a standard error.
    assert abs(mixed - together.coefficients[0]) < 0.1 * together.se[0]
    assert len(together.baselines) == 2


def _only(cells, of, one):
    return added(cells, of[cells.pattern] == one)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4_000), st.floats(0.0, 0.999))
def test_sums_over_tied_leavers_are_exact(churned, part):
    counts = np.array([churned, 3])
    stratum = Stratum(None, np.array([1, 2]), counts, None, None, shares_of(counts))
    risk, tied = np.array([7.0, 2.0]), np.array([7.0 * part, 1.0])
    ours = _tied(risk, tied, stratum, "efron")
    share = np.arange(churned) / churned
    by = 7.0 - share * 7.0 * part
    exact = [np.log(by), 1 / by, share / by, by**-2.0, share / by**2, (share / by) ** 2]
    # Sums of thousands of terms in double precision, in another order.
    np.testing.assert_allclose(
        [one[0] for one in ours], [term.sum() for term in exact], rtol=1e-11, atol=1e-12
    )


def test_ties_cost_nothing_more_when_many_leave():
    assert len(shares_of(np.array([5, 20, 21, 3_000_000])).day) == 5 + 3 * FEW


def test_days_are_multiplied_in_parts(monkeypatch):
    cells, x = counted(*drawn(5))
    whole = cox(cells, x)
    monkeypatch.setattr("sojourn.estimators.survival.partial._DAYS_AT_ONCE", 7)
    np.testing.assert_allclose(cox(cells, x).coefficients, whole.coefficients, **CLOSE)


def test_who_enters_late_is_at_risk_from_the_next_day_on():
    one = np.array([1, 0, 0])
    cells = PatternCells(np.zeros(3, int), np.array([2, 2, 3]), np.array([5, 0, 0]), one * 0, one * 0)
    left = PatternCells(
        np.array([0, 0, 1, 1, 1]),
        np.array([2, 3, 0, 2, 3]),
        np.array([5, 0, 4, 0, 0]),
        np.array([0, 1, 0, 1, 1]),
        np.zeros(5, int),
    )
    assert len(strata_of(cells, None, 1)) == 0
    (stratum,) = strata_of(left, None, 2)
    assert stratum.days.tolist() == [2, 3]
    assert stratum.at_risk.tolist() == [[0, 5], [4, 3]]


def test_nobody_left_is_refused():
    cells, x = counted(*drawn(1))
    nobody = PatternCells(cells.pattern, cells.day, cells.entered, cells.churned * 0, cells.churned)
    with pytest.raises(UndefinedError, match="Nobody left"):
        cox(nobody, x)


def test_separation_is_named():
    x, entry, exits, churned = drawn(2)
    cells, patterns = counted(x, entry, exits, churned * (x[:, 0] == 0))
    with pytest.raises(UndefinedError, match="plan annual has no finite effect"):
        cox(cells, patterns, names=["plan annual", "region east"])


def test_terms_that_are_one_are_named():
    cells, x = counted(*drawn(2))
    with pytest.raises(UndefinedError, match="cannot be told apart"):
        cox(cells, np.column_stack([x[:, 0], 1 - x[:, 0]]), names=["a", "b"])


def test_constant_effects_of_many_members_pass_and_turning_ones_are_found():
    x, entry, exits, churned = drawn(11, n=20_000, longest=400)
    cells, patterns = counted(x, entry, exits, churned)
    test = proportional_test(cox(cells, patterns), cells, patterns, {"a": [0], "b": [1]})
    assert min(one.p for one in test.values()) > 0.01
    # Who has `a` is kept for 30 days and leaves at once on day 30 if they would have left by then.
    moved = np.where((x[:, 0] == 1) & (exits < 30), 30, exits)
    cells, patterns = counted(x, np.minimum(entry, moved - 1), moved, churned)
    test = proportional_test(cox(cells, patterns), cells, patterns, {"a": [0], "b": [1]})
    assert test["a"].p < 1e-6
    assert test[GLOBAL].p < 1e-6


def test_smoothed_effect_lies_about_the_coefficient_when_it_is_constant():
    cells, x = counted(*drawn(11, n=20_000, longest=400))
    fit = cox(cells, x)
    found = changing_effect(fit, cells, x)
    middle = slice(len(found.days) // 10, -len(found.days) // 10)
    off = (found.effect - fit.coefficients)[middle] / found.se[middle]
    assert np.abs(off).max() < 3.5
    assert (found.se[middle] > fit.se).all()


def test_log_time_needs_days_above_0():
    x, entry, exits, churned = drawn(4)
    exits = np.where(np.arange(len(exits)) < 5, 0, exits)
    cells, patterns = counted(x, np.minimum(entry, exits), exits, churned)
    fit = cox(cells, patterns)
    with pytest.raises(UndefinedError, match="day 0"):
        proportional_test(fit, cells, patterns, {"a": [0]}, transform="log")


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_with_all_terms_there_are_no_others_to_allow_for(seed):
    cells, x = counted(*drawn(seed))
    tested = proportional_test(cox(cells, x), cells, x, {"first": [0], "second": [1]})
    assert tested[GLOBAL].p_given_others == pytest.approx(tested[GLOBAL].p, rel=1e-8)
    for one, other in (("first", "second"), ("second", "first")):
        # what both say together is what one says alone and the other beyond it: two readings of one form
        beyond = chi2.isf(tested[one].p_given_others, 1)
        alone = chi2.isf(tested[other].p, 1)
        assert tested[GLOBAL].statistic == pytest.approx(alone + beyond, rel=1e-6)


def test_twice_the_members_know_the_changing_effect_root_two_better():
    """Breslow's ties, so that doubling changes no estimate; only who leaves a day doubles."""
    cells, x = counted(*drawn(4))
    twice = PatternCells(cells.pattern, cells.day, *(2 * getattr(cells, name) for name in NAMES[1:]))
    one, two = (changing_effect(cox(c, x, ties="breslow"), c, x) for c in (cells, twice))
    np.testing.assert_allclose(two.effect, one.effect, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(two.se * 2**0.5, one.se, rtol=1e-7)


def test_the_last_step_is_not_taken_down():
    """A step far below a standard error that lowers the value by more than rounding can is left out."""

    def at(beta):
        return At(-float(beta[0] != 0), np.array([1e-12]), np.eye(1))

    beta, top = maximum(at, np.zeros(1), ["slope"])
    assert (beta[0], top.value) == (0.0, 0.0)
