"""Laws of a triangle, the posterior in which cohorts share strength, and cohorts carried on from it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import expit

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival import laws
from sojourn.estimators.survival.ahead import Draws, kept_ahead
from sojourn.estimators.survival.beta_geometric import BetaGeometric, fit_beta_geometric
from sojourn.estimators.survival.lifetime_laws import LogGamma
from sojourn.estimators.survival.shared_posterior import Posterior, information, log_probability
from sojourn.estimators.survival.sharing import fit_shared
from sojourn.estimators.survival.triangle import Triangle


def drawn(seed=1, *, cohorts=10, members=400, spread=0.0, shock=0.0):
    """A triangle of one new cohort per step under a beta-geometric law (alpha 0.9, beta 6)."""
    rng = np.random.default_rng(seed)
    level = spread * rng.standard_normal(cohorts)
    month = shock * rng.standard_normal(2 * cohorts)
    kept, now = np.zeros((cohorts, cohorts - 1), dtype=np.int64), np.full(cohorts, members)
    for step in range(cohorts - 1):
        share = expit(np.log(0.9) - np.log(6 + step) + level + month[np.arange(cohorts) + step])
        now = now - rng.binomial(now, share)
        kept[:, step] = now
    return Triangle(np.full(cohorts, members), kept, np.arange(cohorts - 1, -1, -1))


# --- triangles ---


def test_what_an_earlier_date_knew():
    triangle = Triangle(np.array([10, 10, 10]), np.array([[9, 7], [8, 0], [0, 0]]), np.array([2, 1, 0]))
    assert triangle.lost.tolist() == [[1, 2], [2, 0], [0, 0]]
    assert triangle.at_risk.tolist() == [[10, 9], [10, 0], [0, 0]]
    assert triangle.last_kept.tolist() == [7, 8, 10]
    then = triangle.as_known(triangle.known - 1)
    assert then.members.tolist() == [10, 10]
    assert then.lost.tolist() == [[1], [0]]


def test_members_never_come_back_in_a_triangle():
    with pytest.raises(UndefinedError, match="keeps more"):
        Triangle(np.array([10]), np.array([[9, 10]]), np.array([2]))


# --- laws ---


def kept_of(law, theta, steps=8):
    return np.cumprod(expit(-law.logits(np.array(theta, dtype=float), steps)))


def named(name):
    every = (laws.beta_geometric(), laws.beta_weibull(), *laws.continuous(), *laws.with_stayers())
    return next(law for law in every if law.name == name)


def test_laws_are_what_they_are_called():
    """Products of the shares kept in each step are S at whole steps; 1e-10 is rounding."""
    ages = np.arange(1, 9)
    expected = {
        "exponential": ([-1.2], expit(1.2) ** ages),
        "Weibull": ([1.4, -0.3], stats.weibull_min.sf(ages, np.exp(0.3), scale=np.exp(1.4))),
        "log-logistic": ([1.4, -0.3], stats.fisk.sf(ages, np.exp(0.3), scale=np.exp(1.4))),
        "log-normal": ([1.4, 0.2], stats.lognorm.sf(ages, np.exp(0.2), scale=np.exp(1.4))),
        "beta-geometric": (
            [np.log(0.5 / 2), np.log(2.5)],
            BetaGeometric(0.5, 2.0, 1.0, 0.0, alike=False).kept(ages),
        ),
        "beta discrete Weibull": (
            [np.log(0.5 / 2), np.log(2.5), 0.3],
            BetaGeometric(0.5, 2.0, np.exp(0.3), 0.0, alike=False).kept(ages),
        ),
        "Weibull, some never leave": (
            [1.0, 0.0, -0.4],
            expit(-0.4) + expit(0.4) * stats.expon.sf(ages, scale=np.e),
        ),
    }
    for name, (theta, kept) in expected.items():
        assert kept_of(named(name), theta) == pytest.approx(kept, rel=1e-10), name


@pytest.mark.parametrize("q", [-1.3, -0.2, 0.5, 1.0, 2.0])
def test_the_generalised_gamma_is_that_of_lifetimes(q):
    z = (np.log(np.arange(1, 9)) - 1.4) / np.exp(-0.2)
    assert kept_of(named("generalised gamma"), [1.4, -0.2, q]) == pytest.approx(
        np.exp(LogGamma(q).log_sf(z)), rel=1e-8
    )


def test_many_parameters_at_once_are_each_by_itself():
    rng = np.random.default_rng(1)
    for law in (laws.beta_geometric(), laws.beta_weibull(), *laws.continuous(), *laws.with_stayers()):
        theta = rng.normal(law.centre, law.spread / 2, size=(5, law.centre.size))
        together = law.logits(theta, 7)
        assert together == pytest.approx(np.array([law.logits(one, 7) for one in theta]), rel=1e-12), law.name


def test_age_by_age_goes_on_as_the_last_ages():
    law = laws.age_by_age(np.array([[10.0, 5.0, 2.0, 1.0]]), np.array([[100.0, 90.0, 85.0, 83.0]]))
    logits = law.logits(np.array([-1.0, -2.0, -3.0, -4.0]), 6)
    assert logits.tolist() == [-1, -2, -3, -4, -3, -3]


# --- the posterior ---


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 40), part=st.floats(0, 1), eta=st.floats(-4, 3), log_steady=st.floats(0, 8))
def test_an_entry_is_beta_binomial(n, part, eta, log_steady):
    """Against SciPy but for the binomial coefficient, so differences are compared; 1e-8 of 40."""
    lost, steady = float(np.floor(part * n)), float(np.exp(log_steady))

    def ours(at):
        return float(log_probability(np.array(lost), np.array(float(n)), np.array(at), steady))

    def scipys(at):
        return float(stats.betabinom.logpmf(lost, n, expit(at) * steady, expit(-at) * steady))

    assert ours(eta) - ours(0.3) == pytest.approx(scipys(eta) - scipys(0.3), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("shared", [True, False])
def test_slopes_are_those_of_the_posterior(shared):
    """Central differences; quadrature by five nodes leaves 1e-4 of the value between function and slope."""
    posterior = Posterior(drawn(spread=0.2), laws.beta_weibull(), shared)
    at = np.array([-1.6, 1.7, 0.1, -1.8, -3.0])
    _, slope = posterior(at)
    for unknown in range(at.size):
        step = 1e-5 * np.eye(at.size)[unknown]
        difference = (posterior(at + step)[0] - posterior(at - step)[0]) / 2e-5
        assert slope[unknown] == pytest.approx(difference, rel=2e-4, abs=2e-3)


def test_levels_are_integrated_out():
    """One cohort: five adaptive nodes against quadrature, to 1e-6 of the log-likelihood."""
    triangle = Triangle(np.array([60]), np.array([[50, 45]]), np.array([2]))
    law, at = laws.beta_geometric(), np.array([-1.5, 1.2, np.log(0.4), np.log(0.08)])
    logits, steady = law.logits(at[:2], 2), float(np.exp(-2 * at[3]))

    def density(level):
        value = log_probability(triangle.lost[0], triangle.at_risk[0], logits + level, steady).sum()
        return float(np.exp(value + 50)) * stats.norm.pdf(level, 0, 0.4)

    exact = np.log(integrate.quad(density, -4, 4, epsabs=0)[0]) - 50
    value = Posterior(triangle, law, True)._integrated(logits, 0.4, steady)[0]
    assert value == pytest.approx(exact, rel=1e-6)


def test_a_pooled_law_is_near_maximum_likelihood():
    """20,000 members a cohort: priors and unrest move the law by less than a point in any step."""
    triangle = drawn(members=20_000)
    ours = fit_shared(triangle, laws.beta_geometric(), shared=False)
    best = fit_beta_geometric(triangle.lost, triangle.at_risk)
    kept = kept_of(ours.law, ours.mode[:2])
    assert kept == pytest.approx(best.kept(np.arange(1, 9)), abs=0.01)


def test_cohorts_that_differ_are_seen_to():
    apart = fit_shared(drawn(cohorts=20, members=3_000, spread=0.4), laws.beta_geometric())
    alike = fit_shared(drawn(cohorts=20, members=3_000), laws.beta_geometric())
    assert apart.spread > 0.2
    assert alike.spread < 0.06


def test_months_that_hit_all_cohorts_are_seen_to():
    hit = fit_shared(drawn(cohorts=20, members=3_000, shock=0.3), laws.beta_geometric())
    calm = fit_shared(drawn(cohorts=20, members=3_000), laws.beta_geometric())
    assert hit.month_spread > 0.15
    rng = np.random.default_rng(1)
    rng.standard_normal(20)  # the levels of cohorts, drawn first
    true = 0.3 * rng.standard_normal(40)[18::-1]  # the last known month, the one before, ...
    assert np.corrcoef(hit.month, true)[0, 1] > 0.8
    assert calm.month_spread < 0.06


def test_nobody_lost_is_no_forecast():
    with pytest.raises(UndefinedError, match="nothing to forecast"):
        fit_shared(Triangle(np.array([9]), np.array([[9]]), np.array([1])), laws.beta_geometric())


# --- carried on ---


def certain(steps, draws=200, *, months=0.0, steady=1e9):
    """Draws of a law in which a fifth is lost in every step, for two cohorts."""
    logits = np.full((draws, steps), np.log(0.25))
    none = np.zeros(draws)
    return Draws(logits, np.zeros((draws, 2)), none, np.full(draws, steady), np.full(draws, months))


def test_what_is_known_stays_and_the_rest_goes_on_by_chance():
    triangle = Triangle(np.array([1000, 500]), np.array([[700, 650], [0, 0]]), np.array([2, 0]))
    kept = kept_ahead(triangle, certain(4, 2_000), rng=np.random.default_rng(1))
    assert (kept[:, 0, :2] == [700, 650]).all()
    # binomial means within four standard errors of 2,000 draws
    assert kept[:, 0, 2].mean() == pytest.approx(520, abs=4 * np.sqrt(650 * 0.16 / 2_000))
    assert kept[:, 1, 1].mean() == pytest.approx(320, abs=4 * np.sqrt(500 * 0.64 * 0.36 / 2_000))
    assert (np.diff(kept, axis=2) <= 0).all()


def test_a_month_is_the_same_for_all_cohorts():
    """Huge cohorts and no other unrest: both move together in the month that both see first."""
    triangle = Triangle(np.array([10**8, 10**8]), np.array([[9 * 10**7], [0]]), np.array([1, 0]))
    kept = kept_ahead(triangle, certain(3, months=0.3), rng=np.random.default_rng(1))
    lost = 1 - kept[:, 0, 1] / (9 * 10**7), 1 - kept[:, 1, 0] / 10**8
    assert np.corrcoef(*lost)[0, 1] > 0.999
    later = kept[:, 1, 1] / kept[:, 1, 0]
    assert abs(np.corrcoef(lost[1], later)[0, 1]) < 0.3  # another month


def test_nobody_is_carried_on_further_than_asked():
    triangle = Triangle(np.array([100, 100]), np.array([[90], [0]]), np.array([1, 0]))
    kept = kept_ahead(triangle, certain(4), most=2, rng=np.random.default_rng(1))
    assert np.isnan(kept[0]).tolist() == [[False, False, False, True], [False, False, True, True]]


def test_the_order_of_cohorts_changes_nothing():
    """Equal but for where searches stop (1e-3 of a logit)."""
    triangle = drawn(spread=0.2)
    order = np.arange(10)[::-1]
    turned = Triangle(triangle.members[order], triangle.kept[order], triangle.known[order])
    one, other = (fit_shared(of, laws.beta_geometric()) for of in (triangle, turned))
    assert other.mode[:2] == pytest.approx(one.mode[:2], abs=1e-3)
    assert other.level[order] == pytest.approx(one.level, abs=1e-3)


def test_no_draw_is_too_far_for_a_law():
    """Five prior standard deviations out, logits are still finite."""
    rng = np.random.default_rng(1)
    for law in (laws.beta_geometric(), laws.beta_weibull(), *laws.continuous(), *laws.with_stayers()):
        theta = law.centre + law.spread * rng.choice([-5.0, 5.0], size=(50, law.centre.size))
        assert np.isfinite(law.logits(theta, 60)).all(), law.name


# --- draws of the posterior ---


def test_unrest_takes_nothing_from_a_single_member():
    """n = 1 is one yes or no, of information h (1 - h) however shares are scattered."""
    eta = np.array([-2.0, 0.3])
    for steady in (0.5, 20.0, 1e6):
        assert information(np.ones(2), eta, steady) == pytest.approx(expit(eta) * expit(-eta), rel=1e-12)


def test_the_information_of_an_entry_is_that_of_its_variance():
    """(d mean / d eta)^2 / variance, with scipy's variance of the beta-binomial."""
    n, steady, h = 40, 12.0, float(expit(-1.1))
    variance = stats.betabinom(n, h * steady, (1 - h) * steady).var()
    known = information(np.array([float(n)]), np.array([-1.1]), steady)
    assert known[0] == pytest.approx((n * h * (1 - h)) ** 2 / variance, rel=1e-9)


@pytest.fixture(scope="module")
def apart():
    return fit_shared(drawn(cohorts=12, members=30_000, spread=0.4), laws.beta_geometric())


def test_steadiness_is_one_over_the_square_of_unrest(apart):
    size = 4_000
    draws = apart.draw(size, 6, rng=np.random.default_rng(1))
    unrest = -np.log(draws.steadiness) / 2
    # four standard errors of a median of normal draws
    room = 4 * 1.2533 * float(np.linalg.norm(apart.root[-1])) / size**0.5
    assert np.median(unrest) == pytest.approx(np.log(apart.unrest), abs=room)


def test_levels_give_way_where_the_law_moves(apart):
    """12 cohorts leave the law uncertain by their spread over sqrt(12), give or take a quarter for months and
    priors; what a cohort of 30,000 showed in its own first step is known far better, since its level moves
    against the law."""
    draws = apart.draw(2_000, 6, rng=np.random.default_rng(1))
    of_law = draws.logits[:, 0].std()
    of_oldest = (draws.logits[:, 0] + draws.levels[:, 0]).std()
    assert of_law == pytest.approx(apart.spread / 12**0.5, rel=0.25)
    assert of_oldest < 0.5 * of_law


def test_at_the_mode_levels_vary_as_they_did_there(apart):
    at_mode = apart._level_sd(apart.mode[-2:-1])[0]
    assert at_mode == pytest.approx(apart.level_sd, rel=1e-6)
    # a spread of nothing leaves no level, a wide one what the data say alone
    assert apart._level_sd(np.array([-7.0]))[0].max() < 1e-3
    assert (apart._level_sd(np.array([1.1]))[0] > apart.level_sd).all()
