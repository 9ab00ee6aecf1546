"""Every scheme is judged from control and itself; all schemes share the control's members."""

import numpy as np
import pytest

from sojourn.core.results.trial_plan import LiftPrior
from sojourn.studies.trials.arms import Arms
from sojourn.studies.trials.pairs import draw_pairs, joined, prior_on_model

MONEY = LiftPrior.from_belief(low=-4, high=4, mass=0.9)
N = np.array([600.0, 300.0])


def some_arms(lifts, kind="value"):
    n = np.tile(N, (1 + len(lifts), 1))
    if kind == "binary":
        p = 0.3 + np.array([0, *lifts])[:, None] + np.array([0.0, 0.1])
        return Arms(kind, n, p, p * (1 - p), 0 * p)
    mean = 12 + np.array([0, *lifts])[:, None] + np.array([0.0, 2.0])
    return Arms(kind, n, mean, 0 * mean + 400, 0 * mean)


def drawn(arms, seed=1, size=40_000):
    belief = MONEY if arms.kind == "value" else LiftPrior.from_belief(low=-0.08, high=0.1, mass=0.9)
    rng = np.random.default_rng(seed)
    pairs = draw_pairs(arms, prior_on_model(arms, belief), size, rng=rng)
    return pairs, joined(pairs, arms.weights, rng=rng)


@pytest.mark.parametrize(("kind", "bad"), [("value", -10.0), ("binary", -0.2)])
def test_a_poor_scheme_does_not_make_another_look_good(kind, bad):
    """The same null beside nulls and beside poor schemes; 4 simulation errors of 40,000 draws."""
    beside = [drawn(some_arms((other, other, 0.0), kind))[1] for other in (0.0, bad)]
    lifts = [(means[:, 3] - means[:, 0]) @ (N / N.sum()) for means in beside]
    tolerance = 4 * lifts[0].std() * np.sqrt(2 / 40_000)
    assert lifts[1].mean() == pytest.approx(lifts[0].mean(), abs=tolerance)


def test_joined_lifts_are_those_of_the_pairs_and_share_the_control():
    """Correlated by the control's part: half, before the prior takes some; .01 is 2 simulation errors."""
    arms = some_arms((1.0, 1.0))
    pairs, means = drawn(arms)
    for scheme, pair in enumerate(pairs, start=1):
        own, joint = (
            np.sort(m @ arms.weights) for m in (pair[:, 1] - pair[:, 0], means[:, scheme] - means[:, 0])
        )
        np.testing.assert_allclose(own, joint)
    lift = (means[:, 1:] - means[:, :1]) @ arms.weights
    assert np.corrcoef(lift.T)[0, 1] == pytest.approx(0.5, abs=0.08)


def test_every_pair_is_standardised_to_the_members_of_the_trial():
    arms = Arms("value", np.array([[10.0, 10], [10, 10], [10, 70]]), *(np.ones((3, 2)),) * 3)
    np.testing.assert_allclose(arms.pair(1).weights, arms.weights)
    np.testing.assert_allclose(arms.pair(1).weights, [0.25, 0.75])
