"""A share that never leaves: its likelihood, its interval, and the check of follow-up before it."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import expit

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.estimators.survival.cure import CURE_MODELS, _of_all, fit_cure
from sojourn.estimators.survival.follow_up import STILL_TO_COME, follow_up
from sojourn.estimators.survival.goodness import goodness
from sojourn.estimators.survival.interval_cells import IntervalCells, daily_cells
from sojourn.estimators.survival.parametric import fit_lifetime
from sojourn.estimators.survival.risk_set import RiskSet, risk_set


def drawn(n=3_000, *, stay=0.3, scale=60.0, shape=1.0, longest=720, seed=1, at_once=0.0):
    """Draw a risk set in whole days: a share never leaves, the others have Weibull lifetimes."""
    rng = np.random.default_rng(seed)
    life = np.where(rng.random(n) < stay, np.inf, np.ceil(scale * rng.weibull(shape, n)))
    life = np.where(rng.random(n) < at_once, 0.0, life)
    followed = np.floor(rng.uniform(0, longest, n))
    gone = life <= followed
    end = np.where(gone, life, followed).astype(int)
    zero = np.zeros(n, dtype=int)
    return risk_set(
        np.concatenate([[0], end]),
        np.concatenate([[n], zero]),
        np.concatenate([[0], gone * 1]),
        np.concatenate([[0], ~gone * 1]),
    )


# --- the model ----------------------------------------------------------------------------------------------

LAWS = {
    "weibull": lambda m, s: stats.weibull_min(1 / s, scale=np.exp(m)),
    "log-logistic": lambda m, s: stats.fisk(1 / s, scale=np.exp(m)),
    "log-normal": lambda m, s: stats.lognorm(s, scale=np.exp(m)),
}


def negative(place, model, cells, stays=None):
    """Return minus the log-likelihood of the rows, with scipy's laws."""
    law = LAWS[model](place[0], np.exp(place[1]))
    share = expit(place[2]) if stays is None else stays
    there = lambda t: share + (1 - share) * law.sf(t)  # noqa: E731
    ends = np.where(np.isfinite(cells.right), there(cells.right), 0.0)
    return -(cells.n @ np.log((there(cells.left) - ends) / there(np.maximum(cells.entry, 0))))


@pytest.mark.parametrize("model", CURE_MODELS)
def test_it_is_where_a_search_without_derivatives_ends(model):
    """Nelder-Mead stops at differences of 1e-9 in the log-likelihood, 1e-4 of a standard error or so."""
    cells = daily_cells(drawn(800))
    ours = fit_cure(model, cells)
    assert ours.fit.model == f"{model} with stayers"
    place = ours.fit.estimates[1:]
    options = {"xatol": 1e-8, "fatol": 1e-9, "maxiter": 4_000}
    theirs = optimize.minimize(negative, place + 0.05, (model, cells), method="Nelder-Mead", options=options)
    assert -ours.fit.loglik == pytest.approx(theirs.fun, rel=1e-10)
    se = np.sqrt(np.diag(ours.fit.covariance))[1:]
    np.testing.assert_allclose((place - theirs.x) / se, 0, atol=1e-3)


def test_ends_of_the_interval_are_where_the_profile_has_fallen_so_far():
    cells = daily_cells(drawn(800))
    ours = fit_cure("weibull", cells, mass=0.9)
    options = {"xatol": 1e-8, "fatol": 1e-9}
    for end in (ours.stays.low, ours.stays.high):
        best = optimize.minimize(
            negative, ours.fit.estimates[1:3], ("weibull", cells, end), method="Nelder-Mead", options=options
        )
        assert best.fun + ours.fit.loglik == pytest.approx(stats.chi2.ppf(0.9, 1) / 2, abs=1e-4)


def test_where_everybody_leaves_the_share_may_be_zero():
    ours = fit_cure("weibull", daily_cells(drawn(stay=0.0, scale=100, longest=90, seed=3)))
    assert ours.stays.low == 0
    assert ours.stays.high > 0
    assert ours.gain < stats.chi2.ppf(0.999, 1) / 2


def test_those_who_leave_at_once_never_stay():
    """Of 30 in 100 stayers a fifth has left at once: 24 in 100 of all; seven standard errors are 0.06."""
    ours = fit_cure("weibull", daily_cells(drawn(at_once=0.2)))
    assert ours.stays.value == pytest.approx(0.24, abs=0.06)
    assert ours.fit.parameters["stays"] * (1 - ours.fit.parameters["at_once"]) == pytest.approx(
        ours.stays.value
    )
    assert ours.fit.survival(1e9) == pytest.approx(ours.stays.value)


@pytest.mark.parametrize("model", CURE_MODELS)
def test_the_rate_of_leaving_is_that_of_all_who_are_there_stayers_included(model):
    fit = fit_cure(model, daily_cells(drawn(2_000))).fit
    t = np.array([3.0, 60.0, 300.0])
    # a difference of logs over 2e-3 days is good to 1e-6 of itself
    slope = (np.log(fit.survival(t - 1e-3)) - np.log(fit.survival(t + 1e-3))) / 2e-3
    np.testing.assert_allclose(fit.hazard(t), slope, rtol=1e-4)


def test_a_quantile_that_is_never_reached_is_not_given():
    fit = fit_cure("weibull", daily_cells(drawn())).fit
    assert fit.survival(fit.quantile(0.5)) == pytest.approx(0.5)
    with pytest.raises(UndefinedError, match="fewer than 90 in 100 members ever leave"):
        fit.quantile(0.9)


def test_no_share_is_fitted_where_nobody_is_left_or_nobody_leaves():
    everybody = IntervalCells(np.arange(5.0), np.arange(1.0, 6.0), -np.ones(5), np.ones(5))
    with pytest.raises(UndefinedError, match="Everybody was seen to leave"):
        fit_cure("weibull", everybody)
    nobody = IntervalCells(np.array([9.0]), np.array([np.inf]), np.array([-1.0]), np.array([9.0]))
    with pytest.raises(UndefinedError, match="Nobody left"):
        fit_cure("weibull", nobody)
    with pytest.raises(ParameterError, match="'model' must be one of"):
        fit_cure("exponential", everybody)


@pytest.mark.parametrize("model", CURE_MODELS)
@pytest.mark.parametrize("leavers", [{11: 20}, {11: 10, 12: 10}, {1: 9, 2: 3}])
def test_no_share_is_fitted_where_all_leave_within_two_days(model, leavers):
    """Half stay and the others leave at once: the likelihood rises for ever as the scale shrinks."""
    left = [(day - 1, day, -1, n) for day, n in leavers.items()]
    cells = IntervalCells(*np.array([*left, (91, np.inf, -1, 20)], dtype=float).T)
    with pytest.raises(UndefinedError, match="at about the same time"):
        fit_cure(model, cells)


@pytest.mark.parametrize("model", CURE_MODELS)
@pytest.mark.parametrize("leavers", [{11: 10, 12: 10}, {5: 3, 6: 30}, {11: 1, 12: 40}])
def test_no_law_is_fitted_where_everybody_leaves_within_two_days(model, leavers):
    """Its log scale would have a standard error of hundreds, or thousands."""
    cells = IntervalCells(*np.array([(day - 1, day, -1, n) for day, n in leavers.items()], dtype=float).T)
    with pytest.raises(UndefinedError, match=r"no (clear )?maximum"):
        fit_lifetime(model, cells)


def test_the_interval_of_all_members_adds_the_error_of_who_leaves_at_once():
    """Distances as roots of squares, from a fit of the same members less those who left at once."""
    risk = drawn(2_000, at_once=0.2)
    gone = int(risk.churned[0])
    rest_only = RiskSet(
        np.r_[risk.at_risk[0] - gone, risk.at_risk[1:]], np.r_[0, risk.churned[1:]], risk.censored
    )
    whole, others = fit_cure("weibull", daily_cells(risk)), fit_cure("weibull", daily_cells(rest_only)).stays
    rest = 1 - gone / risk.at_risk[0]
    spread = stats.norm.ppf(0.975) * np.sqrt(rest * (1 - rest) / risk.at_risk[0]) * others.value
    low = rest * others.value - np.hypot(rest * (others.value - others.low), spread)
    high = rest * others.value + np.hypot(rest * (others.high - others.value), spread)
    # ends of a profile are found to 1e-7 of a logit, maxima to 1e-5 or so of a standard error
    assert (whole.stays.low, whole.stays.high) == pytest.approx((low, high), abs=1e-5)


def test_no_more_stay_than_do_not_leave_at_once_and_none_may():
    fit = fit_cure("weibull", daily_cells(drawn(1_000, at_once=0.2))).fit
    found = _of_all(fit, (0.5, 0.0, 1.0), 0.95)
    assert (found.low, found.high) == (0.0, 1 - fit.estimates[0])


# --- follow-up ----------------------------------------------------------------------------------------------


def test_the_bound_is_what_the_formula_says():
    """Nobody leaves in the last half: the rate per log time is at most -log(0.05 / 3) / exposure."""
    risk = drawn(4_000, stay=0.5, scale=5, longest=100, seed=4)
    reach = follow_up(risk)
    day = np.arange(reach.start + 1, reach.end + 1)
    exposure = risk.at_risk[day] @ np.log(day / (day - 1))
    assert reach.churned == 0
    rate = -np.log(0.05 / 3) / exposure
    assert reach.to_come == pytest.approx((1 - reach.left) * rate * np.log(2), rel=1e-9)
    assert reach.sufficient


def test_follow_up_is_insufficient_where_many_are_still_leaving():
    reach = follow_up(drawn(5_000, stay=0.0, scale=100, longest=90))
    assert not reach.sufficient
    assert reach.share_to_come > 0.3


def test_long_follow_up_is_sufficient_and_with_few_members_not_known():
    assert follow_up(drawn(5_000)).share_to_come <= STILL_TO_COME
    assert follow_up(drawn(60)).share_to_come > STILL_TO_COME


def test_those_who_leave_at_once_do_not_make_follow_up_long():
    short = {"stay": 0.0, "scale": 100, "longest": 300, "n": 20_000}
    plain, most = follow_up(drawn(**short)), follow_up(drawn(**short, at_once=0.9))
    assert not plain.sufficient
    assert not most.sufficient
    assert most.share_to_come > 0.8 * plain.share_to_come


def test_a_later_wave_of_leaving_tells_that_leaving_does_not_slow_down():
    """Contracts end after 300 days; before and after all is quiet, which looks like a plateau."""
    days = np.zeros(500, dtype=int)
    days[1:40], days[300:310] = 20, 40
    entered = np.zeros(500, dtype=int)
    entered[0] = 5_000
    risk = risk_set(np.arange(500), entered, days, np.where(np.arange(500) == 499, 5_000 - days.sum(), 0))
    reach = follow_up(risk)
    assert reach.share_to_come < STILL_TO_COME
    assert reach.rising
    assert not reach.sufficient


@pytest.mark.parametrize(
    ("quarters", "rising"), [((0, 0, 6, 6), False), ((0, 0, 7, 7), True), ((0, 50, 50, 50), False)]
)
def test_rising_is_told_beyond_chance_and_not_of_the_first_quarter(quarters, rising):
    """Of k after none among as many at risk, all fall later with 2^-k: 1 in 64 is chance, 1 in 128 is not."""
    churned = np.zeros(9, dtype=int)
    churned[[1, 3, 5, 7]] = quarters
    entered = np.where(np.arange(9) == 0, 10_000_000, 0)
    ended = np.where(np.arange(9) == 8, 10_000_000 - churned.sum(), 0)
    assert follow_up(risk_set(np.arange(9), entered, churned, ended)).rising == rising


def test_too_few_durations_are_no_follow_up():
    with pytest.raises(UndefinedError, match="followed for 3 whole durations"):
        follow_up(risk_set(np.arange(4), np.array([9, 0, 0, 0]), np.ones(4, int), np.array([0, 0, 0, 5])))


# --- goodness of fit ----------------------------------------------------------------------------------------


def test_the_right_law_is_close_and_a_wrong_one_is_not():
    risk = drawn(5_000, stay=0.0, scale=60, shape=1.6, longest=200)
    cells = daily_cells(risk)
    right, wrong = (
        goodness(fit.survival, risk, fit.free)
        for fit in (fit_lifetime("weibull", cells), fit_lifetime("exponential", cells))
    )
    assert right.p > 0.01
    assert right.gap < 0.02
    assert wrong.p < 1e-6
    assert wrong.gap > 3 * right.gap


def test_every_parameter_costs_a_bin():
    """12 bins: the same statistic, whatever the number of parameters."""
    risk = drawn(5_000, stay=0.0, scale=60, longest=200)
    fit = fit_lifetime("weibull", daily_cells(risk))
    statistics = [stats.chi2.isf(goodness(fit.survival, risk, free).p, 12 - free) for free in (1, 2, 5)]
    assert statistics == pytest.approx([statistics[0]] * 3, rel=1e-9)


def test_the_test_of_fit_alarms_as_often_as_it_says():
    """At 5 in 100, 200 worlds alarm 2 to 22 times (99.9 % of a binomial law)."""
    alarms = 0
    for seed in range(200):
        risk = drawn(1_000, stay=0.0, scale=60, longest=150, seed=seed)
        fit = fit_lifetime("weibull", daily_cells(risk))
        alarms += goodness(fit.survival, risk, fit.free).p < 0.05
    assert 2 <= alarms <= 22


def test_with_few_leavers_a_fit_cannot_be_judged():
    risk = drawn(40, stay=0.5)
    fit = fit_lifetime("weibull", daily_cells(risk))
    assert np.isnan(goodness(fit.survival, risk, fit.free).p)
