"""Published trials: our posterior beside closed forms, tea-tasting, gbstats and published numbers.

`tests/oracles/peers.json` holds counts and sums of Cookie Cats, Hillstrom and Udacity with what two packages
say of them (`peers.py` made it, in the session of ``peers_session.txt``).

Differences in kind. tea-tasting gives confidence intervals; with a flat prior they are the credible ones up
to the normal approximation. Its relative intervals are normal on the scale of logarithms; ours are those of
the quotient itself, whose upper tail is longer where the control is noisy. gbstats puts its normal prior on
the difference of shares, we put ours on log-odds, mapped through the same bounds: within the belief they
agree, far outside of it ours shrinks less, since a lift counts for less odds at a higher rate. The risk that
gbstats gives of a choice is its expected loss against the other scheme alone, which for two schemes is ours.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from published import published
from scipy import integrate, stats

from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.studies.trials.arms import make_arms
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.ratios import ratio
from sojourn.studies.trials.trial import trial

PEERS = json.loads((Path(__file__).resolve().parents[1] / "oracles" / "peers.json").read_text())
ROWS = {f"{r['case']} {r.get('scheme', '')} {r['outcome']}".replace("  ", " "): r for r in PEERS["rows"]}
SHARES = [name for name, row in ROWS.items() if row["kind"] == "binary"]
VALUES = [name for name, row in ROWS.items() if row["kind"] == "value"]
RATIOS = [name for name, row in ROWS.items() if row["kind"] == "ratio"]
#: So many draws leave a simulation error of .0005 in a tail of 2.5 %, .0016 in a chance near one half.
DRAWS = 100_000


def made(tables):
    """Return a trial of the two schemes of a row."""
    split = pd.DataFrame({"scheme": ["none", "scheme"], "period": "all", "assigned": 1, "matured": 1})
    about = {"trial": "published", "horizon_days": 7}
    return trial(Cells("published", "trials", {"split": split, **tables}, about), min_group=10)


def of_shares(n, k):
    named = {
        "outcome": "share",
        "scheme": ["none", "scheme"],
        "stratum": "all",
        "period": "all",
        "n": n,
        "k": k,
    }
    return made({"binary": pd.DataFrame(named)})


def flat(share):
    """Return a belief in log-odds of a standard deviation near 3: as good as none beside thousands."""
    return LiftPrior.from_belief(low=-0.9 * share, high=min(9 * share, 0.9 * (1 - share)), mass=0.5)


def compared(n, k, prior=None):
    prior = prior or flat(k[0] / n[0])
    rng = np.random.default_rng(1)
    return compare_schemes(of_shares(n, k), "share", prior=prior, mass=0.95, rng=rng, draws=DRAWS)


def beta_difference(n, k, bound):
    """Return P(share of the scheme - share of control <= bound) under Beta(1, 1), by quadrature."""
    control, scheme = (stats.beta(1 + x, 1 + m - x) for m, x in zip(n, k, strict=True))
    reach = 10 * control.std()
    inside = (max(control.mean() - reach, 0), min(control.mean() + reach, 1))
    return integrate.quad(lambda p: control.pdf(p) * scheme.cdf(p + bound), *inside, epsabs=1e-9, limit=200)[
        0
    ]


UDACITY = {name: ROWS[f"udacity {name}"] for name in ("enrollments per click", "payments per click")}
COUNTS = {name: (ROWS[name]["n"], ROWS[name]["k"]) for name in SHARES} | {
    f"udacity {name}": (row["bottom"], row["top"]) for name, row in UDACITY.items()
}


@pytest.mark.parametrize("name", COUNTS)
def test_shares_have_the_posterior_in_closed_form(name):
    """Both ends and the chance to win, as probabilities under the Beta-Binomial difference.

    Tolerance: three simulation errors (.0016 and .005), and the belief and the normal approximation in
    log-odds, which move a tail by less than .001 where 100 or more of each scheme are counted.
    """
    n, k = COUNTS[name]
    row = compared(n, k).row("scheme")
    assert beta_difference(n, k, row["lift_low"]) == pytest.approx(0.025, abs=0.0026)
    assert beta_difference(n, k, row["lift_high"]) == pytest.approx(0.975, abs=0.0026)
    assert 1 - beta_difference(n, k, 0) == pytest.approx(row["p_beats_control"], abs=0.006)


@pytest.mark.parametrize("name", SHARES)
def test_shares_agree_with_tea_tasting(name):
    """Without a model to 2e-7 (it divides by n - 1, we by n); the posterior to simulation error."""
    peer, row = ROWS[name]["tea"], compared(ROWS[name]["n"], ROWS[name]["k"]).row("scheme")
    ends = [peer["effect_size"], peer["effect_size_ci_lower"], peer["effect_size_ci_upper"]]
    np.testing.assert_allclose(
        row[["raw_lift", "raw_lift_low", "raw_lift_high"]].astype(float), ends, atol=2e-7
    )
    sd = (ends[2] - ends[1]) / 3.92
    np.testing.assert_allclose(row[["lift", "lift_low", "lift_high"]].astype(float), ends, atol=0.08 * sd)


@pytest.mark.parametrize("name", SHARES)
def test_shares_agree_with_gbstats_without_a_prior(name):
    peer, row = ROWS[name]["gbstats_flat"], compared(ROWS[name]["n"], ROWS[name]["k"]).row("scheme")
    assert row["p_beats_control"] == pytest.approx(peer["chance_to_win"], abs=0.006)
    # the expected loss of choosing the scheme; simulation error and approximation below 1e-5 of a member
    assert row["expected_loss"] == pytest.approx(peer["risk"][1], abs=2e-5)


def under_one_belief(name):
    """Return our row and that of gbstats under a normal belief of mean 0 and standard deviation .01."""
    sd = PEERS["prior_sd"]
    belief = LiftPrior.from_belief(low=-1.644854 * sd, high=1.644854 * sd, mass=0.9)
    row = compared(ROWS[name]["n"], ROWS[name]["k"], belief).row("scheme")
    return row, ROWS[name]["gbstats_proper"]


@pytest.mark.parametrize("name", [name for name in SHARES if "cookie" in name])
def test_shares_agree_with_gbstats_under_the_same_belief(name):
    row, peer = under_one_belief(name)
    spread = (peer["high"] - peer["low"]) / 3.92
    assert row["lift"] == pytest.approx(peer["expected"], abs=0.05 * spread)
    assert row["p_beats_control"] == pytest.approx(peer["chance_to_win"], abs=0.006)


@pytest.mark.parametrize("name", [name for name in SHARES if "visit" in name])
def test_far_outside_the_belief_ours_shrinks_less(name):
    """Lifts of .045 and .077 under a belief of .01: five and eight standard deviations away."""
    row, peer = under_one_belief(name)
    assert peer["expected"] < row["lift"] < ROWS[name]["tea"]["effect_size"]


def test_a_belief_in_impossible_shares_is_refused():
    belief = LiftPrior.from_belief(low=-0.0164, high=0.0164, mass=0.9)
    row = ROWS["hillstrom Mens E-Mail conversion"]
    with pytest.raises(ParameterError, match="not possible at a base rate"):
        compared(row["n"], row["k"], belief)


@pytest.mark.parametrize("name", VALUES)
def test_values_agree_with_tea_tasting(name):
    row = ROWS[name]
    named = {key: row[key] for key in ("n", "total", "total_sq")}
    table = pd.DataFrame({"outcome": "spend", "scheme": ["none", "scheme"], "stratum": "all", "period": "all",
                          **named, "total_cube": row["total_sq"]})  # fmt: skip
    of = made({"value": table})
    assert make_arms(of, "spend").kind == "value"
    wide = LiftPrior.from_belief(low=-100, high=100, mass=0.9)
    found = compare_schemes(of, "spend", prior=wide, mass=0.95, rng=np.random.default_rng(1), draws=DRAWS)
    peer = row["tea"]
    ends = [peer["effect_size"], peer["effect_size_ci_lower"], peer["effect_size_ci_upper"]]
    ours = found.row("scheme")
    np.testing.assert_allclose(
        ours[["raw_lift", "raw_lift_low", "raw_lift_high"]].astype(float), ends, rtol=1e-9
    )
    # 100,000 draws: .006 standard errors at an end, three of them
    np.testing.assert_allclose(
        ours[["lift", "lift_low", "lift_high"]].astype(float),
        ends,
        atol=0.02 * (ends[2] - ends[1]) / 3.92 * 2,
    )
    assert ours["p_beats_control"] == pytest.approx(row["gbstats_flat"]["chance_to_win"], abs=0.005)


@pytest.mark.parametrize("name", RATIOS)
def test_ratios_agree_with_tea_tasting_and_gbstats(name):
    """Differences of ratios by the delta method there, from the bivariate normal here.

    Tolerance: a twentieth of a standard error, of which a third is simulation. Relative differences: a
    quarter, at the upper end where the control's relative error is .12; values to a twentieth.
    """
    row = ROWS[name]
    sums = {key: row[key] for key in ("n", "top", "bottom", "top_sq", "bottom_sq", "cross")}
    named = {"outcome": "r", "scheme": ["none", "scheme"], "stratum": "all", "period": "all", **sums}
    shares = {
        "outcome": "share",
        "scheme": ["none", "scheme"],
        "stratum": "all",
        "period": "all",
        "n": 100,
        "k": 50,
    }
    of = made({"ratio": pd.DataFrame(named), "binary": pd.DataFrame(shares, index=[0, 1])})
    found = ratio(of, "r", mass=0.95, rng=np.random.default_rng(2), draws=DRAWS)
    peer = row["tea"]
    ends = [peer["effect_size"], peer["effect_size_ci_lower"], peer["effect_size_ci_upper"]]
    ours = found.row("scheme")
    np.testing.assert_allclose(
        ours[["more", "more_low", "more_high"]].astype(float), ends, atol=0.05 * (ends[2] - ends[1]) / 3.92
    )
    relative = [peer["rel_effect_size"], peer["rel_effect_size_ci_lower"], peer["rel_effect_size_ci_upper"]]
    sd = (relative[2] - relative[1]) / 3.92
    assert ours["times"] - 1 == pytest.approx(relative[0], abs=0.05 * sd)
    np.testing.assert_allclose(
        ours[["times_low", "times_high"]].astype(float) - 1, relative[1:], atol=0.25 * sd
    )
    assert ours["p_more"] == pytest.approx(row["gbstats_flat"]["chance_to_win"], abs=0.01)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("enrollments per click", (-0.0206, -0.0291, -0.0120)),
        ("payments per click", (-0.0049, -0.0116, 0.0019)),
    ],
)
def test_udacity_has_its_published_differences(name, published):
    """The course's own solution: four decimals, normal intervals with a pooled variance (1e-4)."""
    n, k = COUNTS[f"udacity {name}"]
    row = compared(n, k).row("scheme")
    np.testing.assert_allclose(
        row[["raw_lift", "raw_lift_low", "raw_lift_high"]].astype(float), published, atol=1e-4
    )
    np.testing.assert_allclose(row[["lift", "lift_low", "lift_high"]].astype(float), published, atol=2e-4)


def test_the_counts_are_the_known_ones():
    """shared/data/README.md states them; the trial's first 23 days are those with enrolments."""
    cookie = ROWS["cookie_cats kept_at_7"]
    np.testing.assert_allclose(np.divide(cookie["k"], cookie["n"]), [0.190201, 0.182000], atol=5e-7)
    visit = ROWS["hillstrom Mens E-Mail visit"]
    np.testing.assert_allclose(np.divide(visit["k"], visit["n"]), [0.1062, 0.1828], atol=5e-5)
    assert [COUNTS[f"udacity {name}"][1] for name in UDACITY] == [[3785, 3423], [2033, 1945]]


def test_tea_tasting_still_says_what_was_recorded():
    """From the published rows of Cookie Cats, with the package itself (a development dependency)."""
    tea = pytest.importorskip("tea_tasting")
    rows = pd.read_csv(published("cookie_cats/cookie_cats.csv.gz"))
    rows = rows.assign(
        variant=(rows["test_version"] == "gate_40").astype(int), y=rows["retention_7"].astype(int)
    )
    metric = tea.Mean("y", use_t=False, equal_var=False)
    found = tea.Experiment({"y": metric}).analyze(rows[["variant", "y"]])["y"]
    for name, value in ROWS["cookie_cats kept_at_7"]["tea"].items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9)
