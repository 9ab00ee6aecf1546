"""The sampled forecast model is that of the fast path."""

import numpy as np
import pytest
from scipy.stats import betabinom

from sojourn.core.errors import ConvergenceError
from sojourn.estimators.bayes import renewal
from sojourn.estimators.bayes.nuts import Nuts
from sojourn.estimators.bayes.renewal import MOST, build, sample_renewal
from sojourn.estimators.survival.laws import beta_geometric, beta_weibull


@pytest.fixture(scope="module")
def model():
    return build()


def triangle(cohorts=9, members=500):
    rng = np.random.default_rng(1)
    lost, at_risk = np.zeros((2, cohorts, cohorts))
    for cohort in range(cohorts):
        left = members
        for step in range(cohorts - cohort):
            at_risk[cohort, step] = left
            lost[cohort, step] = rng.binomial(left, 0.9 / (6.9 + step))
            left -= int(lost[cohort, step])
    return lost, at_risk


def test_the_graph_is_the_model_of_the_docstring(model):
    """Its log-density against SciPy's laws, as a difference of two points; 1e-8 is rounding."""
    lost, at_risk = triangle()
    law, held = beta_weibull(), 0.1 * (at_risk > 0)
    data = renewal._inputs(lost, at_risk, held, law.centre, law.spread)
    for name, value in data.items():
        model.set_data(name, value)
    density = model.compile_logp(jacobian=False)

    def ours(theta, z, spread, unrest):
        at = {"theta": theta, "z": z, "spread_log__": np.log(spread), "unrest_log__": np.log(unrest)}
        return float(density({name: np.asarray(value) for name, value in at.items()}))

    def scipys(theta, z, spread, unrest):
        cohort, step = np.nonzero(at_risk)
        eta = law.logits(law.centre + law.spread * theta, 9)[step] + 0.1 + spread * z[cohort]
        share, steady = 1 / (1 + np.exp(-eta)), unrest**-2
        entries = betabinom.logpmf(
            lost[cohort, step], at_risk[cohort, step], share * steady, (1 - share) * steady
        )
        prior = -(theta @ theta + z @ z + (spread / 0.5) ** 2 + (unrest / 0.1) ** 2) / 2
        return float(entries.sum() + prior)

    rng = np.random.default_rng(2)
    one = (rng.normal(size=3) / 4, rng.normal(size=MOST), 0.2, 0.05)
    other = (rng.normal(size=3) / 4, rng.normal(size=MOST), 0.4, 0.02)
    assert ours(*one) - ours(*other) == pytest.approx(scipys(*one) - scipys(*other), rel=1e-8)


def test_one_graph_has_room_for_any_triangle():
    """Entries that are not known have nobody in them; with two priors the shape is 1."""
    lost, at_risk = triangle(cohorts=4)
    law = beta_geometric()
    data = renewal._inputs(lost, at_risk, np.zeros_like(lost), law.centre, law.spread)
    assert {len(data[name]) for name in ("lost", "at_risk", "held", "cohort", "step")} == {300}
    assert data["at_risk"].sum() == at_risk.sum()
    assert (data["centre"][2], data["scale"][2]) == (0, 0)


def test_the_law_read_off_draws_is_that_of_the_fast_path():
    law, rng = beta_weibull(), np.random.default_rng(1)
    theta = rng.normal(law.centre, law.spread / 2, size=(6, 3))
    assert renewal._logits(theta, 12) == pytest.approx(law.logits(theta, 12), rel=1e-7)


def test_sampling_finds_the_law_again_and_says_when_it_does_not_mix(monkeypatch):
    """Posterior means of the shares lost within two points of the truth: three standard errors."""
    lost, at_risk = triangle()
    law, nothing = beta_geometric(), np.zeros((9, 9))
    sampled = sample_renewal(lost, at_risk, nothing, law.centre, law.spread, steps=6, seed=1)
    assert sampled.levels.shape == (3_000, 9)
    share = (1 / (1 + np.exp(-sampled.logits))).mean(axis=0)
    assert share == pytest.approx(0.9 / (6.9 + np.arange(6)), abs=0.02)
    monkeypatch.setattr(renewal, "_NUTS", Nuts(tune=30, draws=30, target_accept=0.9))
    with pytest.raises(ConvergenceError, match="effective draws"):
        sample_renewal(lost, at_risk, nothing, law.centre, law.spread, steps=6, seed=1)
