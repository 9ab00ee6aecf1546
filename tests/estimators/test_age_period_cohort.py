"""Age, period and cohort: what is identified is found, what is not is not claimed."""

import numpy as np
import pytest
from scipy.stats import norm

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.age_period_cohort import (
    LEAST_EVENTS,
    SPREAD,
    SPREAD_FIRST,
    MonthCells,
    _beyond,
    age_period_cohort,
    enough,
)
from sojourn.estimators.survival.bends import Bends, set_apart

MONTHS = 12


def world(age=None, cohort=None, period=None, exposure=3_000.0):
    """Return expected leavers of a triangle with these logarithms of rates, by the model's own definition."""
    age = -4 - 0.1 * np.arange(MONTHS) if age is None else age
    cohort = np.zeros(MONTHS) if cohort is None else cohort
    period = np.zeros(MONTHS) if period is None else period
    inside = [(c, a) for c in range(MONTHS) for a in range(MONTHS - c)]
    cohorts, ages = (np.array(column) for column in zip(*inside, strict=True))
    around = np.r_[
        2 * period[0] - period[1], period, 2 * period[-1] - period[-2]
    ]  # straight on beyond the ends
    spread = np.where((ages == 0)[:, None], SPREAD_FIRST, SPREAD)
    mixed = sum(spread[:, k] * np.exp(around[cohorts + ages + k]) for k in range(3))
    mean = exposure * np.exp(age[ages] + cohort[cohorts]) * mixed
    return MonthCells(cohorts, ages, mean, np.full(len(mean), exposure))


def test_a_drift_of_the_calendar_and_of_cohorts_give_the_same_page():
    slope = 0.05 * np.arange(MONTHS)
    calendar, cohorts = age_period_cohort(world(period=slope)), age_period_cohort(world(cohort=slope))
    for one in (calendar, cohorts):
        assert one.drift == pytest.approx(0.05, abs=1e-8)
        assert one.cohort.departure == pytest.approx(np.zeros(MONTHS), abs=1e-8)
        assert one.period.departure == pytest.approx(np.zeros(MONTHS), abs=1e-8)
        assert one.dispersion == 1.0
        assert min(one.tests[axis].p for axis in ("period", "cohort")) == pytest.approx(1.0, abs=1e-8)


def test_the_same_counts_read_in_two_ways_are_one_page():
    """Leaving that rises with the calendar, or with the cohort and with age: not one count differs."""
    slope, age = 0.05 * np.arange(MONTHS), -4 - 0.1 * np.arange(MONTHS)
    middle = np.where(np.arange(MONTHS) == 0, 0.25, np.arange(MONTHS))
    # the spread of a drift over three months is the same factor for each cell of an age
    spread = np.array(
        [np.log(np.dot(SPREAD_FIRST, np.exp(0.05 * np.array([-1.25, -0.25, 0.75]))))]
        + [np.log(np.dot(SPREAD, np.exp(0.05 * np.array([-1, 0, 1]))))] * (MONTHS - 1)
    )
    one, other = world(age, period=slope), world(age + 0.05 * middle + spread, cohort=slope)
    assert one.churned == pytest.approx(other.churned, rel=1e-12)
    a, b = age_period_cohort(one), age_period_cohort(other)
    assert a.by_age == pytest.approx(b.by_age, abs=1e-8)
    assert a.by_age_if_calendar() == pytest.approx(b.by_age_if_calendar(), abs=1e-8)


def test_both_readings_of_a_drift_are_the_truth_of_their_world():
    slope, age = 0.05 * np.arange(MONTHS), -4 - 0.1 * np.arange(MONTHS)
    between = age_period_cohort(world(age, cohort=slope))
    middle = 0.05 * (MONTHS - 1) / 2
    assert between.by_age == pytest.approx(age + middle, abs=1e-8)
    in_time = age_period_cohort(world(age, period=slope))
    steps = np.diff(in_time.by_age_if_calendar())
    # the first half month is spread otherwise; from there on ages are those planted
    assert steps[1:] == pytest.approx(np.diff(age)[1:], abs=1e-8)
    assert steps[0] == pytest.approx(np.diff(age)[0], abs=1e-3)


@pytest.mark.parametrize("axis", ["period", "cohort"])
def test_one_month_at_another_pace_is_found(axis):
    shock = np.zeros(MONTHS)
    shock[5] = np.log(1.6)
    found = age_period_cohort(world(**{axis: shock}))
    bends = getattr(found, axis)
    assert bends.apart.tolist() == [i == 5 for i in range(MONTHS)]
    # the line leaves a mean over three months as a factor only where these are alike: 1.5 in 1,000 remain
    assert bends.departure == pytest.approx(shock, abs=0.0015)
    assert found.drift == pytest.approx(0, abs=1e-4)
    other = found.cohort if axis == "period" else found.period
    assert other.departure == pytest.approx(np.zeros(MONTHS), abs=0.0015)
    assert not other.apart.any()


def test_a_shock_on_a_drift_leaves_the_drift_alone():
    shock = 0.03 * np.arange(MONTHS)
    shock[8] += np.log(1.6)
    found = age_period_cohort(world(period=shock))
    # as above: a line is a factor of a mean over three months only where these are alike
    assert found.drift == pytest.approx(0.03, abs=1e-4)
    assert found.period.departure[8] == pytest.approx(np.log(1.6), abs=0.0015)


@pytest.mark.parametrize("axis", ["period", "cohort"])
def test_a_month_set_apart_leaves_the_ages_alone(axis):
    shock, age = np.zeros(MONTHS), -4 - 0.1 * np.arange(MONTHS)
    shock[2] = np.log(1.6)
    # as above, 1.5 in 1,000; with the month on the line all ages would be 40 in 1,000 off
    assert age_period_cohort(world(age, **{axis: shock})).by_age == pytest.approx(age, abs=0.003)


def test_numbering_of_months_and_unit_of_exposure_do_not_matter():
    shock = np.zeros(MONTHS)
    shock[5] = 0.3
    cells = world(period=shock)
    moved = MonthCells(cells.cohort + 24_000, cells.age, cells.churned, cells.exposure * 24)
    one, other = age_period_cohort(cells), age_period_cohort(moved)
    assert one.period.departure == pytest.approx(other.period.departure, abs=1e-8)
    assert one.by_age - np.log(24) == pytest.approx(other.by_age, abs=1e-8)
    assert one.drift_se == pytest.approx(other.drift_se, rel=1e-7)


def test_order_of_cells_does_not_matter():
    cells = world(cohort=np.sin(np.arange(MONTHS)))
    order = np.random.default_rng(1).permutation(len(cells.age))
    one, other = age_period_cohort(cells), age_period_cohort(cells.where(order))
    assert one.cohort.departure == pytest.approx(other.cohort.departure, abs=1e-9)


def test_more_scatter_than_poisson_widens_the_intervals():
    cells = world()
    noisy = cells.churned * np.where((cells.cohort + 2 * cells.age) % 3 == 0, 1.5, 0.8)
    found = age_period_cohort(MonthCells(cells.cohort, cells.age, noisy, cells.exposure))
    plain = age_period_cohort(cells)
    assert found.dispersion > 1.5
    assert found.drift_se > 1.2 * plain.drift_se


def test_months_with_too_few_leavers_are_cut_off_with_the_smaller_side():
    cells = world()
    poor = np.where(cells.age == 8, 0.1, cells.churned)
    kept = enough(MonthCells(cells.cohort, cells.age, poor, cells.exposure))
    assert kept.age.max() < 8
    assert all(n >= LEAST_EVENTS for n in np.bincount(kept.age, weights=kept.churned))


@pytest.mark.parametrize("months", [1, 3])
def test_too_few_months_are_refused(months):
    cells = world()
    with pytest.raises(UndefinedError, match="4 months in a row"):
        age_period_cohort(cells.where(cells.cohort < months))


def test_nothing_at_all_is_refused():
    cells = world()
    with pytest.raises(UndefinedError, match="4 months in a row"):
        age_period_cohort(cells.where(cells.cohort > MONTHS))


# --- months that stand apart ---------------------------------------------------------------------------


def bends(departure):
    n = len(departure)
    return Bends(
        np.arange(n), np.full(n, 100.0), np.asarray(departure), np.eye(n) * 0.01, np.zeros(n, dtype=bool)
    )


def test_the_furthest_month_does_not_drag_the_others_apart():
    line = 0.02 * np.arange(20) - 0.19
    line[4] += 3.0
    off = np.eye(20) - bends(line).line @ bends(line).fit
    found = set_apart(bends(off @ line), 0.01)
    assert np.flatnonzero(found.apart).tolist() == [4]
    assert found.departure == pytest.approx(np.where(np.arange(20) == 4, 3.0, 0.0), abs=1e-12)


def test_at_most_a_quarter_of_the_months_is_set_apart():
    found = set_apart(bends(5.0 * (-1.0) ** np.arange(12)), 0.01)
    assert found.apart.sum() == 3


def test_nothing_is_set_apart_when_nothing_may_be():
    assert not set_apart(bends([0, 0, 9.0, 0, 0, 0, 0, 0]), 0.0).apart.any()


def test_p_values_count_all_months():
    found = bends([0.0, 0.0, 0.25, 0.0, -0.02])
    # two-sided normal tail of 2.5 standard errors, times five months
    assert found.p[2] == pytest.approx(5 * 0.012419330651552, rel=1e-9)
    assert found.p[0] == 1.0


@pytest.mark.parametrize(("p", "apart"), [(0.009, True), (0.011, False)])
def test_a_month_is_set_apart_below_the_level(p, apart):
    """Ten months: a departure of 1 standard error (.1) per unit of the normal quantile of p / 10."""
    line = np.zeros(10)
    line[6] = 0.1 * norm.isf(p / 10 / 2)
    assert set_apart(bends(line), 0.01).apart[6] == apart


def test_departures_from_the_line_of_the_others_vary_as_numpys_fit_says():
    """Month 3 is set apart: the covariance is that of values less the weighted line through all others."""
    rng = np.random.default_rng(5)
    n, weight, spread = 8, np.array([30.0, 80, 50, 40, 90, 60, 70, 20]), rng.normal(0, 0.05, (8, 8))
    values = np.where(np.arange(n) == 3, 9.0, 0.0)
    before = Bends(np.arange(n), weight, values, spread @ spread.T, np.zeros(n, dtype=bool))
    found = set_apart(before, 0.01, most=1 / n)
    assert np.flatnonzero(found.apart).tolist() == [3]
    others = np.arange(n) != 3
    off = np.column_stack(
        [
            unit
            - np.polyval(
                np.polyfit(np.arange(n)[others], unit[others], 1, w=weight[others] ** 0.5), np.arange(n)
            )
            for unit in np.eye(n)
        ]
    )
    np.testing.assert_allclose(found.covariance, off @ before.covariance @ off.T, atol=1e-12)


def test_as_many_leavers_as_are_needed_are_enough():
    """A square of four by four months with 10 leavers each; corners of the calendar have one cell."""
    cohort, age = (axis.ravel() for axis in np.mgrid[0:4, 0:4])
    cells = MonthCells(cohort, age, np.full(16, float(LEAST_EVENTS)), np.full(16, 1_000.0))
    assert len(enough(cells).age) == 16


def test_a_month_before_and_one_after_the_data_go_straight_on():
    np.testing.assert_allclose(_beyond(6) @ (3 + 0.5 * np.arange(6)), 3 + 0.5 * np.arange(-1, 7), rtol=1e-12)
