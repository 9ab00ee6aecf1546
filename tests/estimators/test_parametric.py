"""Laws of lifetimes on cells: laws of the estimates themselves, closed forms, peers.

The oracle of R's survreg has a file of its own. Tolerances: a log-likelihood is a sum of a few hundred terms
of order 1 to 10, so 1e-10 relative leaves room for the order of summation; estimates are where a gradient
vanishes, to about 1e-10 standard errors, so 1e-7 is far above what Newton's last step leaves.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.core.errors import DataError, ParameterError, UndefinedError
from sojourn.estimators.survival.interval_cells import IntervalCells, daily_cells, terms_of
from sojourn.estimators.survival.lifetime_fit import LAWS
from sojourn.estimators.survival.lifetime_laws import log_gamma
from sojourn.estimators.survival.lifetime_likelihood import log_likelihood
from sojourn.estimators.survival.parametric import MODELS, fit_lifetime
from sojourn.estimators.survival.risk_set import risk_set

#: The same laws as scipy has them, given location and scale of log T.
SCIPY = {
    "exponential": lambda m, _: stats.expon(scale=np.exp(m)),
    "weibull": lambda m, s: stats.weibull_min(1 / s, scale=np.exp(m)),
    "log-logistic": lambda m, s: stats.fisk(1 / s, scale=np.exp(m)),
    "log-normal": lambda m, s: stats.lognorm(s, scale=np.exp(m)),
}


def rows(n=300, seed=1, shape=0.8, late=False, at_once=0.0):
    """Draw members in whole days: leaving, censoring and, where asked, late entry and leaving at once."""
    rng = np.random.default_rng(seed)
    life = np.where(rng.random(n) < at_once, 0.0, np.ceil(60 * rng.weibull(shape, n)))
    followed = rng.integers(20, 300, n).astype(float)
    entry = (
        np.where(rng.random(n) < 0.5, rng.integers(1, 60, n), -1).astype(float) if late else np.full(n, -1.0)
    )
    gone, end = life <= followed, np.minimum(life, followed)
    seen = (entry < 0) | (end > entry)
    left = np.where(gone, np.maximum(life - 1, 0), followed)
    right = np.where(gone, life, np.inf)
    return IntervalCells(left[seen], right[seen], entry[seen], np.ones(seen.sum()))


def risk_of(cells):
    """Return the risk set of rows that `rows` has drawn."""
    one = np.ones(len(cells.n), dtype=int)
    gone = np.isfinite(cells.right)
    end = np.where(gone, cells.right, cells.left).astype(int)
    day = np.concatenate([np.maximum(cells.entry, 0).astype(int), end])
    zero = 0 * one
    return risk_set(
        day, np.concatenate([one, zero]), np.concatenate([zero, gone * 1]), np.concatenate([zero, ~gone * 1])
    )


# --- the likelihood -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 10_000), st.sampled_from(list(SCIPY)), st.booleans(), st.floats(3, 5), st.floats(0.7, 2.5)
)
def test_likelihood_of_cells_is_that_of_rows(seed, model, late, location, scale):
    scale = 1.0 if model == "exponential" else scale
    cells = rows(seed=seed, late=late)
    law = SCIPY[model](location, scale)
    upper = law.sf(cells.left) - law.sf(cells.right)
    share = np.where(law.cdf(cells.left) > 0.5, upper, law.cdf(cells.right) - law.cdf(cells.left))
    expected = np.log(share).sum() - np.log(law.sf(np.maximum(cells.entry, 0))).sum()
    for seen in (cells, daily_cells(risk_of(cells))):
        value = log_likelihood(LAWS[model], terms_of(seen), np.array([location, np.log(scale)]))[0]
        assert value == pytest.approx(expected, rel=1e-10)


def test_exact_times_have_the_density_of_scipy():
    time = np.array([1.0, 3.5, 20.0, 200.0])
    cells = IntervalCells(time, time, -np.ones(4), np.array([1.0, 2.0, 3.0, 1.0]))
    for model, law in SCIPY.items():
        scale = 1.0 if model == "exponential" else 0.7
        value = log_likelihood(LAWS[model], terms_of(cells), np.array([3.0, np.log(scale)]))[0]
        assert value == pytest.approx(cells.n @ law(3.0, scale).logpdf(time), rel=1e-12)


@pytest.mark.parametrize("stays", [(), (-1.0,)])
@pytest.mark.parametrize("law", [*LAWS.values(), log_gamma(0.7), log_gamma(-0.6)])
def test_derivatives_are_those_of_the_value(law, stays):
    """Central differences with a step of 1e-5 have an error of about 1e-9 of the largest derivative."""
    both = rows(late=True)
    exact = IntervalCells(
        both.left + 0.3, np.where(np.isfinite(both.right), both.left + 0.3, np.inf), both.entry, both.n
    )
    place = np.array([4.0, 0.2, *stays])
    for cells in (both, exact):
        terms = terms_of(cells)
        _, gradient, bend = log_likelihood(law, terms, place)
        steps = 1e-5 * np.eye(len(place))
        sides = [
            (log_likelihood(law, terms, place + e), log_likelihood(law, terms, place - e)) for e in steps
        ]
        slope = np.array([(up[0] - down[0]) / 2e-5 for up, down in sides])
        curve = np.array([(up[1] - down[1]) / 2e-5 for up, down in sides])
        np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-7 * np.abs(bend).max())
        np.testing.assert_allclose(bend, curve, rtol=0, atol=1e-7 * np.abs(bend).max())


# --- laws of the estimates --------------------------------------------------------------------------------


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from(MODELS[:-1]), st.floats(0.01, 50))
def test_another_unit_of_time_moves_the_location_only(seed, model, factor):
    cells = rows(seed=seed, late=True)
    scaled = IntervalCells(
        factor * cells.left,
        factor * cells.right,
        np.where(cells.entry > 0, factor * cells.entry, -1),
        cells.n,
    )
    ours, theirs = fit_lifetime(model, cells), fit_lifetime(model, scaled)
    assert theirs.parameters["location"] == pytest.approx(
        ours.parameters["location"] + np.log(factor), abs=1e-7
    )
    assert theirs.parameters["scale"] == pytest.approx(ours.parameters["scale"], rel=1e-7)
    assert theirs.loglik == pytest.approx(ours.loglik, rel=1e-10)
    np.testing.assert_allclose(theirs.covariance, ours.covariance, atol=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from(MODELS[:-1]))
def test_merging_splitting_or_shuffling_rows_changes_nothing(seed, model):
    cells = rows(seed=seed, late=True, at_once=0.1)
    order = np.random.default_rng(seed).permutation(2 * len(cells.n))
    split = IntervalCells(
        *(np.tile(a, 2)[order] for a in (cells.left, cells.right, cells.entry, cells.n / 2))
    )
    ours, theirs = fit_lifetime(model, cells), fit_lifetime(model, split)
    np.testing.assert_allclose(theirs.estimates, ours.estimates, atol=1e-9)
    assert theirs.loglik == pytest.approx(ours.loglik, rel=1e-10)


def test_twice_the_members_halve_the_variance():
    cells = rows(at_once=0.1)
    twice = IntervalCells(cells.left, cells.right, cells.entry, 2 * cells.n)
    ours, theirs = fit_lifetime("weibull", cells), fit_lifetime("weibull", twice)
    np.testing.assert_allclose(theirs.estimates, ours.estimates, atol=1e-9)
    np.testing.assert_allclose(theirs.covariance, ours.covariance / 2, rtol=1e-6)


# --- closed forms ---------------------------------------------------------------------------------------


def test_exponential_with_late_entry_is_events_over_exposure():
    time, entry = np.array([5.0, 9.0, 12.0, 30.0, 7.0]), np.array([-1.0, 4.0, 10.0, 20.0, -1.0])
    gone = np.array([True, True, False, True, False])
    cells = IntervalCells(time, np.where(gone, time, np.inf), entry, np.array([1.0, 2.0, 3.0, 1.0, 4.0]))
    exposure = cells.n @ (time - np.maximum(entry, 0))
    events = cells.n @ gone
    fit = fit_lifetime("exponential", cells)
    rate = events / exposure
    assert np.exp(-fit.parameters["location"]) == pytest.approx(rate, rel=1e-12)
    assert fit.loglik == pytest.approx(events * np.log(rate) - events, rel=1e-12)
    assert fit.covariance[1, 1] == pytest.approx(1 / events, rel=1e-9)


def test_leaving_at_once_is_a_share_of_its_own():
    cells = rows(at_once=0.3)
    later = cells.right > 0
    rest = IntervalCells(cells.left[later], cells.right[later], cells.entry[later], cells.n[later])
    whole, part = fit_lifetime("weibull", cells), fit_lifetime("weibull", rest)
    k, n = (~later).sum(), len(later)
    assert whole.parameters["at_once"] == k / n
    assert whole.survival(0) == pytest.approx(1 - k / n, rel=1e-12)
    assert whole.survival(40) == pytest.approx((1 - k / n) * part.survival(40), rel=1e-9)
    assert whole.loglik - part.loglik == pytest.approx(
        k * np.log(k / n) + (n - k) * np.log(1 - k / n), rel=1e-9
    )
    assert whole.free == part.free + 1


@pytest.mark.parametrize("q", [1.0, 0.0, 1e-7, -0.5, 0.4, 2.5])
def test_generalised_gamma_is_what_it_should_be_at_special_shapes(q):
    """Prentice's q: 1 Weibull, 0 log-normal (to about q / 6 near it), else scipy's generalised gamma."""
    t, location, scale = np.array([0.5, 5.0, 40.0, 150.0]), 3.0, 0.6
    z = (np.log(t) - location) / scale
    if q == 1:
        expected = SCIPY["weibull"](location, scale).sf(t)
    elif abs(q) < 1e-6:
        expected = SCIPY["log-normal"](location, scale).sf(t)
    else:
        k = q**-2
        law = stats.gengamma(k, q / scale, scale=np.exp(location - scale * np.log(k) / q))
        expected = law.sf(t)
        np.testing.assert_allclose(log_gamma(q).log_pdf(z) - np.log(scale * t), law.logpdf(t), rtol=1e-10)
    np.testing.assert_allclose(np.exp(log_gamma(q).log_sf(z)), expected, rtol=1e-9)
    np.testing.assert_allclose(np.exp(log_gamma(q).log_cdf(z)), 1 - expected, rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(log_gamma(q).isf(expected[1:]), z[1:], rtol=1e-6)


def test_gamma_is_the_generalised_gamma_whose_shape_is_its_scale():
    t, shape, theta = np.array([1.0, 10.0, 80.0]), 2.2, 30.0
    scale = shape**-0.5
    z = (np.log(t) - np.log(shape * theta)) / scale
    np.testing.assert_allclose(
        np.exp(log_gamma(scale).log_sf(z)), stats.gamma(shape, scale=theta).sf(t), rtol=1e-10
    )


def test_log_gamma_tends_to_the_normal_without_a_step():
    z = np.linspace(-4, 4, 9)
    for q in (1e-3, 1e-5, -1e-5):
        np.testing.assert_allclose(log_gamma(q).log_pdf(z), stats.norm.logpdf(z), atol=12 * abs(q))


# --- the generalised gamma against what it contains, and a peer -------------------------------------------


def test_generalised_gamma_is_at_least_as_likely_as_what_it_contains():
    cells = rows(n=1500, seed=4)
    most = fit_lifetime("generalised gamma", cells)
    for model in ("exponential", "weibull", "log-normal"):
        assert most.loglik >= fit_lifetime(model, cells).loglik - 1e-9
    assert most.free == 3


def test_generalised_gamma_equals_lifelines():
    """lifelines maximises numerically, to about 1e-6 of the log-likelihood; parameters follow to 1e-2."""
    from lifelines import GeneralizedGammaFitter

    rng = np.random.default_rng(8)
    life, followed = rng.gamma(2.0, 30.0, 800), rng.uniform(20, 200, 800)
    time, gone = np.minimum(life, followed), life <= followed
    ours = fit_lifetime(
        "generalised gamma", IntervalCells(time, np.where(gone, time, np.inf), -np.ones(800), np.ones(800))
    )
    theirs = GeneralizedGammaFitter().fit(time, gone)
    assert ours.loglik == pytest.approx(theirs.log_likelihood_, rel=1e-6)
    assert ours.loglik >= theirs.log_likelihood_ - 1e-6
    assert ours.parameters["location"] == pytest.approx(theirs.mu_, abs=1e-2)
    assert ours.parameters["scale"] == pytest.approx(np.exp(theirs.ln_sigma_), abs=1e-2)
    assert ours.parameters["shape"] == pytest.approx(theirs.lambda_, abs=1e-2)
    se = np.sqrt(np.diag(ours.covariance))[1:]
    np.testing.assert_allclose(se, theirs.summary["se(coef)"].to_numpy(), rtol=0.05)


# --- what follows from a fit ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_hazard_quantile_and_remaining_time_agree_with_the_curve(model):
    fit = fit_lifetime(model, rows(n=1500, seed=4, at_once=0.1))
    t = np.array([3.0, 30.0, 120.0])
    slope = (np.log(fit.survival(t - 1e-4)) - np.log(fit.survival(t + 1e-4))) / 2e-4
    np.testing.assert_allclose(fit.hazard(t), slope, rtol=1e-6)
    for p in (0.2, 0.5, 0.9):
        assert fit.survival(fit.quantile(p)) == pytest.approx(1 - p, rel=1e-9)
    assert fit.quantile(0.05) == 0
    grid = np.linspace(30, 210, 200_001)
    area = np.trapezoid(fit.survival(grid), grid) / fit.survival(30)
    assert fit.remaining(30, 180) == pytest.approx(area, rel=1e-7)


def test_remaining_time_of_an_exponential_is_the_same_at_every_age():
    fit = fit_lifetime("exponential", rows())
    rate = np.exp(-fit.parameters["location"])
    for age in (0, 50, 400):
        assert fit.remaining(age, 180) == pytest.approx((1 - np.exp(-180 * rate)) / rate, rel=1e-9)


def test_intervals_are_the_delta_method():
    """Exponential: log(-log S) is log t less the location, so its standard error is that of the location."""
    fit = fit_lifetime("exponential", rows())
    low, high = fit.survival_interval([50.0], 0.95)
    centre, reach = np.log(-np.log(fit.survival(50.0))), stats.norm.ppf(0.975) * np.sqrt(fit.covariance[1, 1])
    np.testing.assert_allclose(
        [low[0], high[0]], np.exp(-np.exp([centre + reach, centre - reach])), rtol=1e-5
    )


# --- where there is no answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_without_leavers_there_is_no_law(model):
    cells = IntervalCells(np.array([30.0, 0.0]), np.array([np.inf, 0.0]), -np.ones(2), np.array([50.0, 9.0]))
    with pytest.raises(UndefinedError, match="Nobody left after the first moment"):
        fit_lifetime(model, cells)


@pytest.mark.parametrize("model", MODELS[1:])
def test_all_leaving_on_one_day_determine_no_law(model):
    cells = IntervalCells(np.array([29.0]), np.array([30.0]), -np.ones(1), np.array([50.0]))
    with pytest.raises(UndefinedError, match="law"):
        fit_lifetime(model, cells)


def test_an_unknown_law_is_refused_by_name():
    with pytest.raises(ParameterError, match="'model' must be one of"):
        fit_lifetime("gompertz", rows())


@pytest.mark.parametrize(
    ("left", "right", "entry", "n"),
    [(5, 3, -1, 1), (5, 9, 7, 1), (-1, 3, -1, 1), (5, 9, -1, -1), (5, 5, 5, 1), (np.nan, 9, -1, 1)],
)
def test_rows_that_are_no_intervals_are_refused(left, right, entry, n):
    with pytest.raises(DataError, match="1 of 2 rows are no intervals"):
        IntervalCells(
            *(
                np.array([good, bad], dtype=float)
                for good, bad in ((1, left), (2, right), (-1, entry), (1, n))
            )
        )


def test_who_leaves_at_once_is_a_share_with_a_binomial_error_and_a_parameter():
    """Laws are those of the others; AIC is twice the parameters less twice the log-likelihood."""
    cells = rows(n=1_500, seed=4, at_once=0.1)
    fit, n = fit_lifetime("weibull", cells), cells.n[cells.entry < 0].sum()
    share = cells.n[cells.right == 0].sum() / n
    assert fit.estimates[0] == share
    assert fit.covariance[0, 0] == pytest.approx(share * (1 - share) / n, rel=1e-12)
    assert not fit.covariance[0, 1:].any()
    assert fit.aic == pytest.approx(2 * 3 - 2 * fit.loglik, rel=1e-12)
