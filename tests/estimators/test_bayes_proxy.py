"""The bivariate random-effects model: likelihood by hand, laws, not fooled by members, planted truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.estimators.bayes.proxy import Effects, _marginal_likelihood, fit_proxy, spread_p


def draw(trials=60, spread=2.0, explained=0.8, within=0.6, seed=0):
    """Effects of trials that err by about 1, whose true effects spread by `spread` on both sides."""
    rng = np.random.default_rng(seed)
    error = np.exp(0.3 * rng.standard_normal(trials))
    noise = rng.standard_normal((trials, 2)) @ np.linalg.cholesky([[1, within], [within, 1]]).T
    r = explained**0.5
    mixing = np.array([[1, r], [0, (1 - explained) ** 0.5]])
    true = spread * rng.standard_normal((trials, 2)) @ mixing
    early, late = (true + noise * error[:, None]).T
    return Effects(early, late, error**2, error**2, within * error**2)


def test_the_marginal_likelihood_is_the_integral_over_the_centre():
    """Differences between points of the grid, by quadrature of the density (1e-6: its own error)."""
    effects = draw(5, seed=1)
    at = [(0.5, 1.0, 0.3), (1.5, 0.7, -0.6), (2.0, 2.0, 0.9)]
    made, centre, covariance = _marginal_likelihood(effects, *np.array(at).T)
    exact = []
    for a, b, r in at:
        parts = [
            stats.multivariate_normal(cov=[[a**2 + v, r * a * b + c], [r * a * b + c, b**2 + w]])
            for v, w, c in zip(effects.early_var, effects.late_var, effects.covariance, strict=True)
        ]

        def density(y, x, parts=parts):
            return np.exp(sum(
                p.logpdf([e - x, f - y]) for p, e, f in zip(parts, effects.early, effects.late, strict=True)
            ) + 15)  # fmt: skip

        i = len(exact)
        (x, y), sd = centre[i], np.sqrt(np.diag(covariance[i]))
        nodes, weights = np.polynomial.hermite_e.hermegauss(24)
        grid = [
            [density(y + sd[1] * v, x + sd[0] * u) * np.exp((u**2 + v**2) / 2) for v in nodes] for u in nodes
        ]
        exact.append(np.log(weights @ np.array(grid) @ weights * sd.prod()))
    assert np.diff(made) == pytest.approx(np.diff(exact), abs=1e-6)


def test_members_own_habits_do_not_fool_it():
    """User-level correlation .6 and no effect at all: estimates correlate .6, nothing is explained."""
    effects = draw(200, spread=0.0)
    assert effects.naive_correlation() == pytest.approx(0.6, abs=0.15)  # standard error .045
    assert min(spread_p(effects.early, effects.early_var), spread_p(effects.late, effects.late_var)) > 0.01
    real = draw(200, spread=2.0, explained=0.0)
    assert fit_proxy(real).p_explained(0.5) < 0.01


def test_a_planted_share_is_found():
    fit = fit_proxy(draw(200, explained=0.8))
    share = fit.weights @ fit.correlation**2
    assert share == pytest.approx(0.8, abs=0.12)  # posterior sd about .04
    drawn = fit.draw(4000, rng=np.random.default_rng(0))
    assert np.median(drawn["slope"]) == pytest.approx(0.8**0.5, abs=0.2)
    assert np.median(drawn["left"]) == pytest.approx(2 * 0.2**0.5, abs=0.35)
    assert drawn["explained"].mean() == pytest.approx(share, abs=0.02)  # 4,000 draws


def test_without_errors_it_is_the_correlation_of_the_effects():
    """Errors of a hundredth: posterior mean of Fisher's z within one standard error (.13) of its own."""
    made = draw(60, seed=2)
    small = Effects(
        made.early, made.late, *(1e-4 * x for x in (made.early_var, made.late_var, made.covariance))
    )
    fit = fit_proxy(small)
    z = fit.weights @ np.arctanh(fit.correlation)
    assert z == pytest.approx(np.arctanh(small.naive_correlation()), abs=0.13)


def test_no_spread_is_judged_by_cochrans_q():
    """Two trials by hand: weights 1 and 1/4, centre 0.4, Q = 0.16 + 0.64 = 0.8."""
    p = spread_p(np.array([0.0, 2.0]), np.array([1.0, 4.0]))
    assert p == pytest.approx(stats.chi2.sf(0.8, 1), abs=1e-12)


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 50), st.floats(0.1, 50))
def test_units_and_sign_only_rename(seed, unit):
    made = draw(20, seed=seed)
    other = Effects(
        -unit * made.early, made.late, unit**2 * made.early_var, made.late_var, -unit * made.covariance
    )
    fit, renamed = fit_proxy(made), fit_proxy(other)
    assert renamed.p_explained(0.5) == pytest.approx(fit.p_explained(0.5), abs=1e-9)
    assert renamed.weights @ renamed.correlation == pytest.approx(-(fit.weights @ fit.correlation), abs=1e-9)
