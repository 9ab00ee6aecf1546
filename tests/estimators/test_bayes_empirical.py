"""The law of past lifts: closed forms, numerical integrals, laws, and planted truth found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from sojourn.estimators.bayes.empirical import HEAVINESS, Law, fit_law, stated


def past(trials=60, spread=0.8, error=1.0, centre=0.5, seed=0):
    rng = np.random.default_rng(seed)
    true = centre + spread * rng.standard_normal(trials)
    return true, true + error * rng.standard_normal(trials), np.full(trials, error)


def point(centre=0.3, scale=0.8, heaviness=0.25):
    """A law that is known exactly."""
    one = np.ones(1)
    return Law(one, centre * one, 0 * one, scale * one, heaviness * one)


def test_a_stated_law_gives_the_conjugate_normal_posterior():
    """m + b (y - m) and b v, b = s^2 / (s^2 + v); the algebra is exact, so only rounding is tolerated."""
    effect, error = np.array([2.0, -1.0, 0.2]), np.array([1.0, 0.5, 3.0])
    made = stated(0.4, 0.7).posterior(effect, error)
    kept = 0.49 / (0.49 + error**2)
    assert made.mean == pytest.approx(0.4 + kept * (effect - 0.4), abs=1e-12)
    assert made.sd == pytest.approx(np.sqrt(kept) * error, abs=1e-12)
    low, high = made.interval(0.9)
    assert low == pytest.approx(stats.norm.ppf(0.05, made.mean, made.sd), abs=1e-6)
    assert high == pytest.approx(stats.norm.ppf(0.95, made.mean, made.sd), abs=1e-6)
    assert made.above(0.0) == pytest.approx(stats.norm.sf(0, made.mean, made.sd), abs=1e-12)


@pytest.mark.parametrize("heaviness", HEAVINESS[1:])
def test_a_heavy_law_is_students_to_a_thousandth(heaviness):
    """Values of w are few: within 1e-3 of the density out to 12 scales, with an error of half a scale."""
    at = np.linspace(-12, 12, 25)
    made = point(0.0, 1.0, heaviness).seen(np.full(at.size, 0.5)).log_density(at)
    law = stats.t(1 / heaviness)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    exact = law.pdf(at[:, None] + 0.5 * nodes) @ weights / weights.sum()
    assert np.exp(made) == pytest.approx(exact, rel=1e-3)


def test_a_posterior_under_heavy_tails_is_the_numerical_integral():
    """Tolerance: that of the few values of w, 1e-3 of a scale."""
    law, effect, error = point(), np.array([4.0, -0.5]), np.array([0.6, 0.9])
    made = law.posterior(effect, error)
    for i in range(2):

        def weight(x, i=i):
            return stats.t.pdf(x, 4, 0.3, 0.8) * stats.norm.pdf(effect[i], x, error[i])

        total = integrate.quad(weight, -30, 30, limit=400, points=[0.3, effect[i]])[0]
        mean = integrate.quad(lambda x: x * weight(x), -30, 30, limit=400, points=[0.3, effect[i]])[0] / total
        above = integrate.quad(weight, 1.0, 30, limit=400, points=[effect[0]])[0] / total
        assert made.mean[i] == pytest.approx(mean, abs=1e-3)
        assert made.above(1.0)[i] == pytest.approx(above, abs=1e-3)


def test_a_surprising_effect_is_shrunk_less_under_heavy_tails():
    effect, error = np.array([6.0]), np.array([1.0])
    normal, heavy = (law.posterior(effect, error).mean[0] for law in (stated(0, 0.8), point(0.0, 0.6, 0.3)))
    assert normal < 3 < heavy < 6


@pytest.mark.parametrize("centre", [None, 0.0])
def test_the_evidence_is_the_integral_over_centre_and_scale(centre):
    """Ten effects, a normal law: by adaptive quadrature. The grid of scales errs by less than 1e-3."""
    _, effect, error = past(10, error=0.7, seed=3)
    size = np.sqrt((effect**2).mean())

    def likelihood(scale, middle):
        return np.exp(stats.norm.logpdf(effect, middle, np.hypot(scale, error)).sum()) * stats.halfnorm.pdf(
            scale, scale=size
        )

    if centre is None:
        exact = integrate.dblquad(
            lambda middle, scale: likelihood(scale, middle) * stats.norm.pdf(middle, 0, 2 * size), 0, 8, -8, 8
        )[0]
    else:
        exact = integrate.quad(lambda scale: likelihood(scale, 0.0), 0, 8)[0]
    made = fit_law(effect, error, heavy=False, centre=centre)
    assert made.log_evidence == pytest.approx(np.log(exact), abs=1e-3)


def test_the_evidence_of_heavy_tails_is_the_integral_as_well():
    """Known centre, so two dimensions are left; the trapezium rule over ten values of h errs by about .01."""
    _, effect, error = past(8, error=0.5, seed=4)
    size = np.sqrt((effect**2).mean())

    def at(scale, h):
        law = point(0.0, scale, h)
        return np.exp(law.seen(error).log_density(effect).sum()) * stats.halfnorm.pdf(scale, scale=size)

    inner = [integrate.quad(at, 1e-6, 4 * size, args=(h,))[0] for h in np.linspace(0, 0.4, 17)]
    exact = integrate.simpson(inner, x=np.linspace(0, 0.4, 17)) / 0.4
    assert fit_law(effect, error, centre=0.0).log_evidence == pytest.approx(np.log(exact), abs=0.01)


def test_what_is_drawn_has_the_moments_of_the_posterior():
    """20,000 draws: means within 5 standard errors (0.01 x sd x 5), sds within 3 %."""
    _, effect, error = past()
    law = fit_law(effect, error)
    made = law.posterior(effect, error)
    drawn = law.draw(effect, error, 20_000, rng=np.random.default_rng(1))
    assert np.abs(drawn.mean(axis=0) - made.mean).max() < 0.035 * made.sd.max()
    assert drawn.std(axis=0) == pytest.approx(made.sd, rel=0.03)


def test_what_is_not_known_of_the_centre_is_shared_by_all_trials():
    """With no spread at all every lift is the centre: draws of all trials are the same number."""
    one = np.ones(1)
    law = Law(one, one, 0.2 * one, 1e-9 * one, 0 * one)
    drawn = law.draw(np.array([3.0, -1.0]), np.array([1.0, 1.0]), 500, rng=np.random.default_rng(0))
    assert np.ptp(drawn, axis=1).max() < 1e-6
    assert drawn[:, 0].std() == pytest.approx(0.2, rel=0.15)  # 500 draws: 3 % standard error


def test_a_planted_law_is_found_again():
    """400 trials: spread and centre within three posterior standard deviations of the truth."""
    true, effect, error = past(400, spread=0.8, seed=5)
    law = fit_law(effect, error)
    spread = law.weights @ law.spread()
    sd = np.sqrt(law.weights @ (law.spread() - spread) ** 2)
    assert abs(spread - 0.8) < 3 * sd < 0.3
    assert abs(law.weights @ law.centre - 0.5) < 3 * 0.064
    shrunk = law.posterior(effect, error).mean
    assert np.sqrt(((shrunk - true) ** 2).mean()) < 0.7 * np.sqrt(((effect - true) ** 2).mean())


def test_heavy_tails_are_told_from_normal_ones():
    rng = np.random.default_rng(6)
    error = np.full(600, 0.5)
    for heavy, lift in ((True, rng.standard_t(3, 600)), (False, 1.5 * rng.standard_normal(600))):
        effect = lift + error * rng.standard_normal(600)
        ahead = fit_law(effect, error).log_evidence - fit_law(effect, error, heavy=False).log_evidence
        assert (ahead > 5) if heavy else (ahead < 1)


def test_schemes_that_share_a_control_weigh_as_one():
    """Every estimate twice at half weight says as much as once at full weight."""
    _, effect, error = past(30)
    once = fit_law(effect, error, heavy=False)
    twice = fit_law(np.repeat(effect, 2), np.repeat(error, 2), weight=np.full(60, 0.5), heavy=False)
    assert twice.log_evidence == pytest.approx(once.log_evidence, abs=1e-9)
    assert twice.weights @ twice.scale == pytest.approx(once.weights @ once.scale, abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.booleans())
def test_units_sign_and_order_only_rename(seed, unit, heavy):
    _, effect, error = past(24, seed=seed)
    law = fit_law(effect, error, heavy=heavy)
    order = np.random.default_rng(seed).permutation(24)
    other = fit_law(-unit * effect[order], unit * error[order], heavy=heavy)
    assert other.weights @ other.scale == pytest.approx(unit * (law.weights @ law.scale), rel=1e-3)
    assert other.weights @ other.centre == pytest.approx(
        -unit * (law.weights @ law.centre), rel=1e-3, abs=1e-4 * unit
    )
    shrunk, renamed = (
        law.posterior(effect, error).mean,
        other.posterior(-unit * effect[order], unit * error[order]).mean,
    )
    assert renamed == pytest.approx(-unit * shrunk[order], rel=1e-3, abs=1e-3 * unit)


@settings(deadline=None, max_examples=25)
@given(st.floats(-5, 5), st.floats(0.1, 3), st.sampled_from(HEAVINESS))
def test_a_posterior_lies_between_centre_and_estimate_and_rises_with_it(effect, error, heaviness):
    law = point(0.3, 0.8, heaviness)
    made = law.posterior(np.array([effect, effect + 0.1]), np.array([error, error]))
    low, high = sorted([0.3, effect])
    assert low - 1e-9 <= made.mean[0] <= high + 1e-9
    assert made.mean[1] > made.mean[0]
