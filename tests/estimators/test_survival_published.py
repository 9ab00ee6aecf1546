"""Numbers that others have published: weighted tests, a restricted-mean test, and critical values of
bands."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstwobign, norm

from sojourn.estimators.survival.bands import critical_value
from sojourn.estimators.survival.log_rank import log_rank, max_combo
from sojourn.estimators.survival.restricted_mean import difference, ratio, restricted_mean
from sojourn.estimators.survival.risk_set import risk_set

ORACLES = Path(__file__).parents[1] / "oracles"

#: Months (less a half) to infection of the site of a catheter, patients on dialysis: Nahman et al. (1992),
#: table 1.2 of Klein & Moeschberger (2003). Per group: month, infected, censored.
SURGICAL = (
    "1 1 0, 2 0 2, 3 1 3, 4 2 1, 5 1 1, 6 0 2, 7 0 4, 8 2 1, 9 1 1, 10 1 1, 11 1 1, 12 0 2, 13 0 1, "
    "14 0 2, 15 1 0, 16 1 0, 18 1 0, 21 0 2, 22 0 2, 23 1 0, 25 0 1, 26 1 0, 27 0 1"
)
PERCUTANEOUS = (
    "0 6 10, 1 0 4, 2 2 5, 3 1 5, 4 0 3, 5 0 5, 6 1 1, 7 0 3, 8 0 3, 9 0 2, 10 0 3, 11 0 2, 12 0 4, "
    "14 0 2, 15 1 0, 16 0 2, 18 0 1, 19 0 3, 20 0 1, 22 0 1, 24 0 1, 25 0 1, 26 0 2, 28 0 1"
)


def patients(counts):
    day, left, stayed = np.array([list(map(int, row.split())) for row in counts.split(",")]).T
    none = np.zeros_like(day)
    into = np.append(none, left.sum() + stayed.sum())
    return risk_set(np.append(day, 0), into, np.append(left, 0), np.append(stayed, 0))


@pytest.fixture(scope="module")
def catheters():
    groups = [patients(SURGICAL), patients(PERCUTANEOUS)]
    assert [int(group.at_risk[0]) for group in groups] == [43, 76]
    return groups


@pytest.mark.parametrize(
    ("weights", "powers", "printed"),
    [
        ("log-rank", {}, (3.96, 6.21, 2.53)),
        ("gehan-breslow", {}, (-9, 38_862, 0.002)),
        ("tarone-ware", {}, (13.20, 432.83, 0.40)),
        ("peto-peto", {}, (2.47, 4.36, 1.40)),
        ("fleming-harrington", {"rho": 0, "gamma": 1}, (1.41, 0.21, 9.67)),
        ("fleming-harrington", {"rho": 1, "gamma": 0}, (2.55, 4.69, 1.39)),
        ("fleming-harrington", {"rho": 1, "gamma": 1}, (1.02, 0.11, 9.83)),
        ("fleming-harrington", {"rho": 0.5, "gamma": 0.5}, (2.47, 0.66, 9.28)),
        ("fleming-harrington", {"rho": 0.5, "gamma": 2}, (0.32, 0.01, 8.18)),
    ],
)
def test_weights_of_klein_and_moeschberger(catheters, weights, powers, printed):
    """Table 7.3, to the digits printed there (half a unit of the last one, and rounding of our own)."""
    difference, variance, chi2 = printed
    test = log_rank(catheters, weights=weights, **powers)
    assert test.difference[0] == pytest.approx(difference, abs=0.0051)
    assert test.covariance[0, 0] == pytest.approx(variance, abs=0.51 if variance > 1000 else 0.0051)
    assert test.statistic == pytest.approx(chi2, abs=0.00051 if chi2 < 0.01 else 0.0051)


def test_the_largest_of_three_finds_curves_that_cross(catheters):
    """The log-rank test has p = .11 there; early and late differences point in opposite directions."""
    found = max_combo(*catheters)
    assert found.z["log-rank"] == pytest.approx(np.sqrt(2.53), abs=0.002)
    assert found.z["late"] == pytest.approx(np.sqrt(9.67), abs=0.001)
    assert found.statistic == found.z["late"]
    single = 2 * norm.sf(found.statistic)
    assert single < found.p < 3 * single  # more than the one test, less than Bonferroni for three


def test_the_worked_example_of_restricted_means():
    """The vignette of survRM2 (Uno et al.): pbc, 312 randomised, tau = 10 years of 365.25 days.

    On a grid of half days 10 years are 7,305. Tolerance: half a unit of the last digit printed.
    """
    data = json.loads((ORACLES / "survival_sets.json").read_text())["pbc"]["data"]
    arm, stop, event, n = (np.array(data[name]) for name in ("group", "stop", "event", "n"))
    means = {}
    for number, name in enumerate(data["names"], start=1):
        own = arm == number
        day, count, left = 2 * stop[own], n[own], event[own]
        none = np.zeros_like(count)
        risk = risk_set(
            np.append(day, 0),
            np.append(none, count.sum()),
            np.append(count * left, 0),
            np.append(count * (1 - left), 0),
        )
        found = restricted_mean(risk, rule="step")
        means[name] = found.mean[7_305] / 730.5, found.se[7_305] / 730.5
    assert means["arm 1"] == pytest.approx((7.146, 0.283), abs=0.0005)
    assert means["arm 0"] == pytest.approx((7.283, 0.295), abs=0.0005)
    (a, se_a), (b, se_b) = means["arm 1"], means["arm 0"]
    apart, times = difference(a, b, se_a, se_b, 0.95), ratio(a, b, se_a, se_b, 0.95)
    assert (apart.value, apart.low, apart.high, apart.p) == pytest.approx(
        (-0.137, -0.939, 0.665, 0.738), abs=0.0005
    )
    assert (times.value, times.low, times.high, times.p) == pytest.approx(
        (0.981, 0.878, 1.096, 0.738), abs=0.0005
    )


# --- critical values of bands -----------------------------------------------------------------------------


def test_hall_wellner_values_are_those_of_the_tables():
    """Klein & Moeschberger (2003), section 4.4: 1.3211 for (.1, .6); the whole line is Kolmogorov's law."""
    assert critical_value("hall-wellner", 0.1, 0.6, 0.95) == pytest.approx(1.3211, abs=5e-5)
    for mass in (0.5, 0.9, 0.95, 0.99):
        assert critical_value("hall-wellner", 0, 1, mass) == pytest.approx(kstwobign.ppf(mass), rel=1e-9)


@pytest.mark.parametrize("end", [0.05, 0.25, 0.5, 0.75, 0.95])
@pytest.mark.parametrize("mass", [0.8, 0.95, 0.99])
def test_hall_wellner_from_the_start_has_a_closed_form(end, mass):
    """Hall & Wellner (1980), section 2: a series of normal probabilities for the same law."""
    c = critical_value("hall-wellner", 0, end, mass)
    k = np.arange(1, 60)
    r, d = c * np.sqrt((1 - end) / end), 1 / (1 - end)
    terms = (-1.0) ** k * np.exp(-2 * (k * c) ** 2) * (norm.cdf(r * (2 * k + d)) - norm.cdf(r * (2 * k - d)))
    within = 1 - 2 * norm.sf(c / np.sqrt(end * (1 - end))) + 2 * terms.sum()
    assert within == pytest.approx(mass, abs=1e-10)


def test_equal_precision_values_are_near_those_of_the_tables():
    """Nair's table rests on an approximation (Miller & Siegmund 1982); ours is exact, at most .01 from it.

    Klein & Moeschberger print 2.8826 for (.1, .6), the root of the approximation; the exact value is 2.8873.
    """

    def beyond(c, length):
        return 4 * norm.pdf(c) / c + norm.pdf(c) * (c - 1 / c) * 2 * length

    length = 0.5 * np.log(0.6 * 0.9 / (0.1 * 0.4))
    assert beyond(2.8826, length) == pytest.approx(0.05, abs=1e-5)
    exact = critical_value("equal precision", 0.1, 0.6, 0.95)
    assert exact == pytest.approx(2.8873, abs=5e-5)
    assert exact == pytest.approx(2.8826, abs=0.01)


@pytest.mark.parametrize(
    ("a", "b", "mass"), [(0.1, 0.6, 0.95), (0.01, 0.9, 0.95), (0.2, 0.3, 0.8), (1e-6, 0.5, 0.99)]
)
def test_equal_precision_values_solve_the_equation_of_diffusion(a, b, mass):
    """An independent check: the probability that the process stays within by finite differences in time and
    space.

    The grid of 800 by 1,600 points is good to about 1e-5.
    """
    c, length = critical_value("equal precision", a, b, mass), 0.5 * np.log(b * (1 - a) / (a * (1 - b)))
    assert stays_within(c, length) == pytest.approx(mass, abs=2e-5)


def stays_within(c, length, points=800, steps=1600):
    """Crank-Nicolson for u_t = u_xx - x u_x with u = 0 at -c and c, u = 1 at the start."""
    from scipy.linalg import solve_banded

    x = np.linspace(-c, c, points + 1)[1:-1]
    h, dt = 2 * c / points, length / steps
    below, above = 1 / h**2 + x / (2 * h), 1 / h**2 - x / (2 * h)
    u, middle = np.ones_like(x), np.full_like(x, -2 / h**2)
    for step in range(steps):
        implicit = 1.0 if step < 8 else 0.5
        moved = middle * u
        moved[1:] += below[1:] * u[:-1]
        moved[:-1] += above[:-1] * u[1:]
        bands = np.zeros((3, len(x)))
        bands[0, 1:], bands[1], bands[2, :-1] = (
            -implicit * dt * above[:-1],
            1 - implicit * dt * middle,
            -implicit * dt * below[1:],
        )
        u = solve_banded((1, 1), bands, u + (1 - implicit) * dt * moved)
    return float((u * norm.pdf(x)).sum() * h)
