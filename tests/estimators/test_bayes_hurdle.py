"""Revenue of one scheme from sums: what rows would say, by a law, without one, and whether the law fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from sojourn.estimators.bayes import sizes
from sojourn.estimators.bayes.bootstrap import draw_bootstrap
from sojourn.estimators.bayes.hurdle import Spending, draw_hurdle
from sojourn.estimators.bayes.sizes import expected_shares, lognormal_p, observed_and_expected

#: Ten bins a decade, as the cells have them.
EDGES = np.log(10.0) * np.arange(-10, 51) / 10


def spending(paid, members, refunded=None, edges=EDGES):
    """Sums of rows: `paid` of those who paid, of `members` in all."""
    paid = np.asarray(paid, float)
    refunded = np.zeros_like(paid) if refunded is None else np.asarray(refunded, float)
    bins = np.searchsorted(edges, np.log(paid), side="right") + 1
    by = [np.bincount(bins, of, edges.size + 2) for of in
          (np.ones_like(paid), paid, paid**2, refunded, refunded**2, paid * refunded)]  # fmt: skip
    by[0][0] = members - paid.size
    return Spending(edges, *by, float(np.log(paid).sum()), float((np.log(paid) ** 2).sum()))


def lognormal(rng, k, sd=1.0, mean=3.0):
    return np.exp(mean + sd * rng.standard_normal(k))


@settings(deadline=None)
@given(seed=st.integers(0, 2**31), rate=st.floats(0.01, 0.99), mu=st.floats(-3, 6), sigma=st.floats(0.2, 3))
def test_sums_are_as_likely_as_their_members(seed, rate, mu, sigma):
    rng = np.random.default_rng(seed)
    paid, members = lognormal(rng, 30), 80
    by_member = (
        stats.lognorm.logpdf(paid, sigma, scale=np.exp(mu)).sum()
        + paid.size * np.log(rate)
        + (members - paid.size) * np.log(1 - rate)
    )
    s = spending(paid, members)
    residual = s.logs_sq - 2 * mu * s.logs + s.payers * mu**2
    cells = (
        s.payers * np.log(rate)
        + (s.members - s.payers) * np.log(1 - rate)
        - s.logs
        - s.payers * np.log(sigma * np.sqrt(2 * np.pi))
        - residual / (2 * sigma**2)
    )
    assert cells == pytest.approx(by_member, rel=1e-10)  # STATISTICS 2


def test_the_posterior_of_the_mean_payment_is_that_on_a_grid_over_rows():
    rng = np.random.default_rng(1)
    paid = lognormal(rng, 40, sd=0.8)
    mu, sigma = np.meshgrid(np.linspace(2, 4, 400), np.linspace(0.4, 1.6, 400), indexing="ij")
    logs = np.log(paid)
    height = -paid.size * np.log(sigma) - ((logs[:, None, None] - mu) ** 2).sum(axis=0) / (2 * sigma**2)
    weight = np.exp(height - height.max()) / sigma
    means = np.exp(mu + sigma**2 / 2).ravel()
    order = means.argsort()
    cumulative = np.cumsum(weight.ravel()[order]) / weight.sum()
    exact = [means[order][np.searchsorted(cumulative, q)] for q in (0.025, 0.5, 0.975)]
    drawn = draw_hurdle(spending(paid, 200), 400_000, rng=rng)
    # the error of a 2.5 % quantile of 400,000 draws is about .1 % of the spread, that of the grid .3 %
    np.testing.assert_allclose(np.quantile(drawn.size, [0.025, 0.5, 0.975]), exact, rtol=5e-3)
    exact = stats.beta.ppf([0.025, 0.975], 41, 161)
    np.testing.assert_allclose(np.quantile(drawn.rate, [0.025, 0.975]), exact, rtol=5e-3)


def test_the_bootstrap_of_bins_is_that_of_rows():
    """Rubin's bootstrap on the rows themselves: weights Dirichlet(1, ..., 1) over members."""
    rng = np.random.default_rng(2)
    paid, members = rng.gamma(0.7, 40, 150) + 0.1, 600
    refunded = np.where(rng.random(150) < 0.1, paid, 0)
    rows = np.r_[np.zeros(members - 150), paid - refunded]
    weights = rng.standard_gamma(1.0, (20_000, members))
    by_rows = weights @ rows / weights.sum(axis=1)
    by_bins = draw_bootstrap(spending(paid, members, refunded), 20_000, rng=rng).revenue
    # quantiles of 20,000 draws are within 3 % of a standard deviation; bins are normal inside, which is less
    at = [0.025, 0.25, 0.5, 0.75, 0.975]
    np.testing.assert_allclose(np.quantile(by_bins, at), np.quantile(by_rows, at), atol=0.06 * by_rows.std())


def test_moments_are_those_of_rows():
    rng = np.random.default_rng(3)
    paid, members = lognormal(rng, 200), 900
    refunded = np.where(rng.random(200) < 0.2, paid / 2, 0)
    rows = np.r_[np.zeros(700), paid - refunded]
    mean, variance = spending(paid, members, refunded).moments()
    assert mean == pytest.approx(rows.mean(), rel=1e-12)
    assert variance == pytest.approx(rows.var(ddof=1) / members, rel=1e-9)


def test_the_error_of_the_refunded_share_is_that_of_a_ratio():
    """Against 4,000 bootstrap samples of the rows."""
    rng = np.random.default_rng(4)
    paid = lognormal(rng, 500, sd=0.7)
    refunded = np.where(rng.random(500) < 0.15, paid, 0)
    share, error = spending(paid, 1000, refunded).refunded_share()
    picked = rng.integers(0, 500, (4000, 500))
    samples = refunded[picked].sum(axis=1) / paid[picked].sum(axis=1)
    assert share == pytest.approx(refunded.sum() / paid.sum(), rel=1e-12)
    assert error == pytest.approx(samples.std(), rel=0.06)  # 4,000 samples: 1.1 %; skewness: a few per cent


def test_full_refunds_leave_nothing_to_the_scheme():
    rng = np.random.default_rng(5)
    paid = lognormal(rng, 300)
    for drawn in (draw(spending(paid, 900, paid), 1000, rng=rng) for draw in (draw_hurdle, draw_bootstrap)):
        np.testing.assert_allclose(drawn.revenue, 0, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), steps=st.integers(-20, 20))
def test_another_currency_changes_no_p_value(seed, steps):
    """The bins move with the amounts, so the histogram is the same; the reference is taken close by."""
    rng = np.random.default_rng(seed)
    paid, factor = lognormal(rng, 300, sd=0.8), 10.0 ** (steps / 10)
    shifted = spending(paid * factor, 1000, edges=EDGES + np.log(factor))
    one, other = (ndtri(lognormal_p(s) / 2) for s in (shifted, spending(paid, 1000)))
    # scores of references of 4,000 replicates each, of laws a twentieth of sigma apart
    np.testing.assert_allclose(one, other, atol=0.3)


def test_more_members_who_pay_nothing_change_no_p_value():
    paid = lognormal(np.random.default_rng(6), 400)
    np.testing.assert_array_equal(lognormal_p(spending(paid, 500)), lognormal_p(spending(paid, 50_000)))


def test_statistics_are_those_of_rows_where_bins_are_narrow():
    rng = np.random.default_rng(7)
    paid = lognormal(rng, 5000)
    fine = np.linspace(-3, 10, 4000)
    own, law = observed_and_expected(spending(paid, 9000, edges=fine))
    top = np.sort(paid)[-50:].sum() / paid.sum()
    # bins of .3 % of an amount
    np.testing.assert_allclose(own, [paid.mean(), top, np.quantile(paid, 0.99)], rtol=5e-3)
    mean, sd = np.log(paid).mean(), np.log(paid).std(ddof=1)
    exact = stats.lognorm(sd, scale=np.exp(mean))
    above = exact.ppf(0.99)
    share = ndtr(sd - (np.log(above) - mean) / sd)
    np.testing.assert_allclose(law, [exact.mean(), share, above], rtol=1e-9)


@pytest.mark.parametrize(("counts", "place"), [((0, 100, 0), 0.99), ((0, 98, 2), 1.5), ((100, 0, 0), -0.01)])
def test_a_percentile_lies_within_its_bin_as_members_do(counts, place):
    """Bins from -1 to 0, 0 to 1 and 1 to 2: the open ones are as wide as their neighbour."""
    found = sizes._log_p99(np.array(counts, float), np.array([0.0, 1.0]))
    assert found == pytest.approx(place, abs=1e-9)


def test_the_law_puts_payers_into_bins_as_its_distribution_says():
    paid = lognormal(np.random.default_rng(8), 300)
    mean, sd = np.log(paid).mean(), np.log(paid).std(ddof=1)
    shares = expected_shares(spending(paid, 900))
    exact = stats.lognorm.cdf(np.exp(EDGES), sd, scale=np.exp(mean))
    np.testing.assert_allclose(shares, np.diff(np.r_[0, exact, 1]), atol=1e-12)


def test_the_reference_is_that_of_samples_of_rows():
    """Quantiles of the four statistics over 1,500 samples of payments, each with its own fit."""
    rng, k, sd = np.random.default_rng(9), 400, 1.0
    found = []
    for _ in range(1500):
        s = spending(lognormal(rng, k, sd), 1000)
        found.append(sizes._statistics(s.n[1:], s.paid[1:], s.logs, s.logs_sq, s.edges))
    knots = sizes._reference(k, 3.0, sd, tuple(EDGES.tolist()))
    for at in (-1, 0, 1):
        column = int(np.argmin(np.abs(sizes._SCORES - at)))
        below = (np.array(found) < knots[:, column]).mean(axis=0)
        # four standard errors of 1,500 samples, and of the 4,000 behind the reference
        error = np.sqrt(ndtr(at) * (1 - ndtr(at)) * (1 / 1500 + 1 / 4000))
        np.testing.assert_allclose(below, ndtr(at), atol=4 * error)


def test_scores_go_on_in_a_line_beyond_the_reference():
    knots = 3 + 2 * sizes._SCORES
    for z in (-9.0, -3.25, 0.4, 3.25, 12.0):
        assert sizes._normal_score(3 + 2 * z, knots) == pytest.approx(z, abs=1e-9)


@pytest.mark.parametrize("k", [200, 1000])
def test_sound_payments_raise_few_alarms(k):
    rng = np.random.default_rng(10)
    p = np.array([lognormal_p(spending(lognormal(rng, k, 1.2), 3 * k)) for _ in range(300)])
    alarms = (4 * p.min(axis=1) < 0.01).mean()
    assert alarms < 0.028  # nominal 1 %, and 3 standard errors of 300 worlds
    np.testing.assert_allclose(p.mean(axis=0), 0.5, atol=0.1)  # uniform; 6 standard errors of 300 worlds


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, k: rng.gamma(0.7, 40, k),
        lambda rng, k: 12 * (1 + rng.pareto(2.5, k)),
        lambda rng, k: rng.choice([4.99, 9.99, 19.99, 49.99, 99.99], k, p=[0.3, 0.3, 0.2, 0.15, 0.05]),
    ],
    ids=["gamma", "pareto", "price points"],
)
def test_other_laws_are_found(draw):
    rng = np.random.default_rng(11)
    p = [lognormal_p(spending(draw(rng, 500), 5000)).min() for _ in range(20)]
    assert max(p) * 8 < 0.01


def test_one_price_is_no_law():
    assert lognormal_p(spending(np.full(200, 9.99), 500)).max() == 0
