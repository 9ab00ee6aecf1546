"""Power-scaling beside ArviZ's own, a numerical integral, and models refitted under another belief."""

import arviz
import numpy as np
import pytest
from scipy import integrate, stats

from sojourn.estimators.bayes.model import CellData, ModelPrior
from sojourn.estimators.bayes.scaling import draw_parts, power_weights, sensitivity, weighted_quantiles

#: Belief N(0, 1), estimate 2 with error .5: the posterior is normal with precision 5 and mean 1.6.
BELIEF, SEEN, ERROR = (0.0, 1.0), 2.0, 0.5
PRECISION = 1 / BELIEF[1] ** 2 + 1 / ERROR**2
MEAN, SD = SEEN / ERROR**2 / PRECISION, PRECISION**-0.5


@pytest.fixture(scope="module")
def draws():
    return MEAN + SD * np.random.default_rng(0).standard_normal(20_000)


def log_belief(lift):
    return -((lift - BELIEF[0]) ** 2) / BELIEF[1] ** 2 / 2


def log_data(lift):
    return -((lift - SEEN) ** 2) / ERROR**2 / 2


def exact_sensitivity(low, high, belief=1.0, data=1.0):
    """Cumulative Jensen-Shannon distance per doubling between `low` and `high`, of exact normals."""

    def distance(power):
        p = stats.norm(MEAN, SD)
        precision = power**belief / BELIEF[1] ** 2 + power**data / ERROR**2
        q = stats.norm(power**data * SEEN / ERROR**2 / precision, precision**-0.5)
        grid = np.linspace(low, high, 40_001)

        def one_way(first, second):
            middle = (first + second) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                part = np.where(first > 0, first * np.log2(first / middle), 0.0)
            return integrate.simpson(part, x=grid) + integrate.simpson(second - first, x=grid) / (
                2 * np.log(2)
            )

        sides = []
        for a, b in ((p.cdf(grid), q.cdf(grid)), (p.sf(grid), q.sf(grid))):
            whole = integrate.simpson(a + b, x=grid)
            sides.append(np.sqrt((one_way(a, b) + one_way(b, a)) / whole))
        return max(sides)

    return (distance(1.01) / np.log2(1.01) - distance(0.99) / np.log2(0.99)) / 2


@pytest.mark.parametrize(("part", "exact"), [(log_belief, {"data": 0}), (log_data, {"belief": 0})])
def test_sensitivity_is_the_exact_one_of_two_normals(draws, part, exact):
    """The distance is normed over the range of the draws, of which 20,000 err by a few per cent."""
    made = exact_sensitivity(draws.min(), draws.max(), **exact)
    assert sensitivity(draws, part(draws)) == pytest.approx(made, rel=0.03)


def test_sensitivity_is_that_of_arviz(draws):
    """The peer takes the same weights from its own containers."""
    tree = arviz.from_dict(
        {
            "posterior": {"lift": draws[None]},
            "log_prior": {"lift": log_belief(draws)[None]},
            "log_likelihood": {"y": log_data(draws)[None]},
        }
    )
    for group, part in (("prior", log_belief), ("likelihood", log_data)):
        peer = float(arviz.psense(tree, group=group)["lift"])
        assert sensitivity(draws, part(draws)) == pytest.approx(peer, rel=1e-6)


@pytest.mark.parametrize("power", [0.5, 2.0])
def test_weights_give_the_posterior_of_the_other_belief(draws, power):
    """Refitted exactly; 20,000 draws: within 3 standard errors of a weighted mean (0.03 sd)."""
    weights, khat = power_weights(log_belief(draws), power)
    precision = power / BELIEF[1] ** 2 + 1 / ERROR**2
    mean, sd = SEEN / ERROR**2 / precision, precision**-0.5
    assert weights @ draws == pytest.approx(mean, abs=0.03 * sd)
    low, high = weighted_quantiles(draws, weights, (0.025, 0.975))
    assert (low, high) == pytest.approx(stats.norm.interval(0.95, mean, sd), abs=0.06 * sd)
    assert khat < 0.7


def test_weights_at_power_one_are_even(draws):
    weights, _ = power_weights(log_belief(draws), 1.0)
    assert weights == pytest.approx(np.full(draws.size, 1 / draws.size))


def test_a_part_that_says_nothing_moves_nothing(draws):
    assert sensitivity(draws, np.zeros(draws.size)) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("kind", ["binary", "value"])
def test_parts_of_the_fast_path_are_belief_and_likelihood(kind):
    """Half the belief by weights and by a refit: within 4 standard errors of 20,000 draws (.03 sd)."""
    n = np.array([[900.0, 500.0], [900.0, 500.0]])
    share = np.array([[0.30, 0.36], [0.34, 0.37]])
    if kind == "binary":
        data, prior = CellData.binary(n, n * share), ModelPrior(-0.8, 1.5, 0.03, 0.1, 0.05)
    else:
        data = CellData.value(20 * share, 40 / n, np.array([0.6, 0.4]))
        prior = ModelPrior(6.5, 6.0, 0.1, 0.3, 0.15)
    parts = draw_parts(data, prior, 20_000, rng=np.random.default_rng(1))
    weights, _ = parts.at_power(0.5)
    weaker = ModelPrior(prior.base_mean, prior.base_sd, prior.lift_mean, prior.lift_sd * 2**0.5, prior.scale)
    refitted = draw_parts(data, weaker, 20_000, rng=np.random.default_rng(2)).lift
    assert weights @ parts.lift == pytest.approx(refitted.mean(), abs=0.04 * refitted.std())
    spread = np.sqrt(weights @ (parts.lift - weights @ parts.lift) ** 2)
    assert spread == pytest.approx(refitted.std(), rel=0.03)
    assert weights @ parts.lift > parts.lift.mean()  # the belief is below what was seen
