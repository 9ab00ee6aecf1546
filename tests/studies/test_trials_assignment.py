"""Checks of assignment: against closed forms and raw rows, on planted faults and on sound trials."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sojourn.core.results.trials import Trial
from sojourn.studies.trials.alike import balance, holm, mismatch
from sojourn.studies.trials.assignment import check_assignment
from sojourn.studies.trials.assignment_rates import RATES
from sojourn.studies.trials.clustered import clustered
from sojourn.studies.trials.missing import missing_outcomes, unequal_p
from sojourn.studies.trials.overlapping import independence_p, interaction_p, overlapping
from sojourn.studies.trials.sequential import anytime_p_values, split_by_day
from sojourn.studies.trials.split import check_split

SCHEMES = ("none", "gift")
PROJECT = Path(__file__).resolve().parents[2]


def make_trial(meta=None, binary=None, **others):
    empty = pd.DataFrame(columns=["outcome", "scheme", "stratum", "period", "n", "k"])
    return Trial(
        case="test",
        name="main",
        control="none",
        schemes=SCHEMES,
        strata=("all",),
        binary=empty if binary is None else binary,
        value=empty,
        split=pd.DataFrame({"scheme": SCHEMES, "period": "2025-01", "assigned": 1000, "matured": 1000}),
        allocation=dict.fromkeys(SCHEMES, 0.5),
        min_group=20,
        meta={"guarded": "kept_at_90", **(meta or {})},
        others=others,
    )


def arrivals(daily):
    return pd.DataFrame(
        [(day, scheme, n) for day, row in enumerate(daily) for scheme, n in zip(SCHEMES, row, strict=True)],
        columns=["day", "scheme", "assigned"],
    )


# --- the split by day ---------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [(3, 9), (480, 520), (10_000, 9_500)])
def test_odds_of_two_schemes_are_those_of_the_beta_binomial(counts) -> None:
    """One look, planned .4: mean over both weights of betabinom / binom, as scipy has them (1e-9: logs)."""
    n, k = sum(counts), counts[0]
    odds = np.mean(
        [
            np.exp(stats.betabinom.logpmf(k, n, 0.4 * w, 0.6 * w) - stats.binom.logpmf(k, n, 0.4))
            for w in (1_000, 10_000)
        ]
    )
    found = anytime_p_values(np.array([counts], dtype=float), np.array([0.4, 0.6]))
    assert found[0] == pytest.approx(min(1, 1 / odds), rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=12))
def test_the_p_value_never_rises_and_lies_in_its_range(daily) -> None:
    p = anytime_p_values(np.cumsum(np.array(daily, dtype=float), axis=0), np.array([0.5, 0.5]))
    assert np.all(np.diff(p) <= 0)
    assert np.all((p >= 0) & (p <= 1))


def test_false_alarms_over_a_hundred_looks_are_at_most_one_in_a_hundred() -> None:
    """4,000 sound trials; looking as often with the test for one look alarms in more than 5 %."""
    rng, planned = np.random.default_rng(1), np.array([0.5, 0.5])
    so_far = np.cumsum(rng.multinomial(200, planned, size=(4_000, 100)), axis=1).astype(float)
    assert (anytime_p_values(so_far, planned)[:, -1] < 0.01).mean() <= 0.01
    z = (so_far[..., 0] - so_far.sum(axis=-1) / 2) / np.sqrt(so_far.sum(axis=-1) / 4)
    assert (np.abs(z) > 2.576).any(axis=1).mean() > 0.05


def test_one_in_fifty_more_at_100_000_each_is_caught() -> None:
    """1,000 trials: once at the end at least 95 % (power .968), by day 78 % (.83 less three errors)."""
    rng, planned = np.random.default_rng(2), np.array([0.5, 0.5])
    so_far = np.cumsum(rng.multinomial(2_000, np.array([50, 51]) / 101, size=(1_000, 100)), axis=1)
    by_day = anytime_p_values(so_far.astype(float), planned)[:, -1] < 0.01
    at_end = stats.binom.cdf(so_far[:, -1, 0], 200_000, 0.5) * 2 < 0.01
    assert by_day.mean() > 0.78
    assert at_end.mean() >= 0.95


def test_the_day_of_the_first_alarm_and_the_scheme_furthest_off() -> None:
    found = split_by_day(make_trial(arrivals=arrivals([(100, 100)] * 3 + [(150, 50)] * 5)))
    assert found.alarm_day is not None
    assert 3 <= found.alarm_day <= 7
    assert found.table["assigned"].tolist() == [200 * (day + 1) for day in range(8)]
    assert found.table.iloc[-1][["share", "planned_share"]].tolist() == [(300 + 750) / 1600, 0.5]
    assert "first alarm on day" in repr(found)


def test_the_split_by_day_is_unchanged_by_the_order_of_rows() -> None:
    rows = arrivals([(30, 50), (70, 40), (10, 90)])
    one, other = (
        split_by_day(make_trial(arrivals=table)) for table in (rows, rows.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(one.table, other.table)


# --- alike --------------------------------------------------------------------------------------------


def test_holm_as_worked_on_paper() -> None:
    """.01 * 3, then .03 * 2, then .04 * 1 but no less than .06."""
    assert holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])


def traits(counts, column="channel"):
    return pd.DataFrame(
        [(column, level, s, n) for level, row in counts.items() for s, n in zip(SCHEMES, row, strict=True)],
        columns=["column", "level", "scheme", "assigned"],
    )


def test_a_level_is_compared_with_the_rest_by_chi_square() -> None:
    counts = {"push": (300, 230), "search": (500, 520), "shop": (200, 220)}
    found = mismatch(make_trial(traits=traits(counts)))
    every = np.sum(list(counts.values()), axis=0)
    for level, row in counts.items():
        expected = stats.chi2_contingency([row, every - row], correction=False).pvalue
        assert found.table.set_index("level").loc[level, "p_value"] == pytest.approx(expected, rel=1e-9)
    top = found.table.iloc[0]
    assert (top["level"], top["scheme"], top["share"]) == ("push", "none", 300 / 530)
    assert found.p_value == pytest.approx(3 * found.table["p_value"].min())


def test_the_group_in_which_members_were_lost_is_named() -> None:
    sound = {"search": (500, 510), "shop": (480, 490)}
    check = check_of("property", traits=traits({**sound, "push": (400, 280)}))
    assert check.verdict == "fail"
    assert "channel push" in check.finding
    assert check_of("property", traits=traits({**sound, "push": (400, 385)})).verdict == "pass"


def drawn(members, rng, shift=0.0):
    """Return rows of two covariates that go together, and the tables made of them."""
    scheme = rng.integers(0, 2, members)
    active = rng.poisson(3 + shift * scheme, members).astype(float)
    paid = 2 * active + rng.gamma(1, 5, members)
    known = {"active_days_before": active, "paid_before": paid}
    sums = [(name, SCHEMES[s], (scheme == s).sum(), v[scheme == s].sum(), (v[scheme == s] ** 2).sum())
            for name, v in known.items() for s in (0, 1)]  # fmt: skip
    pairs = [
        ("active_days_before", "paid_before", SCHEMES[s], (active * paid)[scheme == s].sum()) for s in (0, 1)
    ]
    tables = {
        "balance": pd.DataFrame(sums, columns=["covariate", "scheme", "n", "total", "total_sq"]),
        "balance_pairs": pd.DataFrame(pairs, columns=["one", "other", "scheme", "total"]),
    }
    return scheme, np.column_stack([active, paid]), tables


def test_balance_is_hotellings_test_of_the_rows() -> None:
    scheme, rows, tables = drawn(3_000, np.random.default_rng(3), shift=0.1)
    found = balance(make_trial(**tables))
    groups = [rows[scheme == s] for s in (0, 1)]
    n = [len(group) for group in groups]
    within = sum(len(g) * np.cov(g, rowvar=False, ddof=0) for g in groups) / sum(n)
    apart = groups[1].mean(axis=0) - groups[0].mean(axis=0)
    distance = n[0] * n[1] / sum(n) * apart @ np.linalg.solve(within, apart)
    # relative 1e-6: sums of squares lose some digits
    assert found.p_value == pytest.approx(stats.chi2.sf(distance, 2), rel=1e-6)
    row = found.table.set_index("covariate").loc["active_days_before"]
    pooled = np.sqrt(sum(k * g[:, 0].var() for k, g in zip(n, groups, strict=True)) / sum(n))
    assert row["difference"] == pytest.approx(apart[0] / pooled, rel=1e-9)
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_balance_finds_a_scheme_of_keener_members() -> None:
    *_, keen = drawn(6_000, np.random.default_rng(4), shift=0.3)
    *_, sound = drawn(6_000, np.random.default_rng(4))
    assert check_of("alike before", **keen).verdict == "fail"
    assert check_of("alike before", **sound).verdict == "pass"


def test_a_covariate_that_is_the_same_for_all_is_left_out() -> None:
    *_, tables = drawn(500, np.random.default_rng(5))
    constant = pd.DataFrame(
        {"covariate": "tenure_days", "scheme": SCHEMES, "n": 250, "total": 1750.0, "total_sq": 12250.0}
    )
    more = {**tables, "balance": pd.concat([tables["balance"], constant])}
    assert balance(make_trial(**more)).p_value == pytest.approx(
        balance(make_trial(**tables)).p_value, rel=1e-9
    )


# --- missing outcomes ---------------------------------------------------------------------------------


def missing(none, gift):
    rows = [("kept_at_90", s, *row) for s, row in zip(SCHEMES, (none, gift), strict=True)]
    return pd.DataFrame(rows, columns=["outcome", "scheme", "assigned", "known", "k"])


def test_bounds_are_the_least_and_greatest_lift_of_all_fillings() -> None:
    """Every way to fill in 3 and 4 missing outcomes, by brute force."""
    found = missing_outcomes(make_trial(missing=missing((60, 57, 30), (50, 46, 29)))).table.iloc[1]
    lifts = [(29 + b) / 50 - (30 + a) / 60 for a in range(4) for b in range(5)]
    assert (found["worst_low"], found["worst_high"]) == pytest.approx((min(lifts), max(lifts)))
    assert found["lift"] == pytest.approx(29 / 46 - 30 / 57)


def test_unequal_shares_are_tested_exactly_for_two_and_by_chi_square_for_more() -> None:
    """Fisher's tea: 3 of 4 against 1 of 4 is .4857."""
    assert unequal_p(np.array([3, 1]), np.array([1, 3])) == pytest.approx(0.4857, abs=1e-4)
    table = np.array([[90, 80, 95], [10, 20, 5]])
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert unequal_p(*table) == pytest.approx(expected)
    assert unequal_p(np.array([5, 9]), np.array([0, 0])) == 1.0


@pytest.mark.parametrize(
    ("none", "gift", "verdict"),
    [
        ((1000, 1000, 700), (1000, 1000, 700), "pass"),
        ((1000, 985, 700), (1000, 980, 700), "pass"),
        ((1000, 900, 600), (1000, 905, 600), "warn"),  # alike, but many
        ((1000, 1000, 700), (1000, 900, 690), "fail"),
    ],
)
def test_missing_outcomes_are_judged_by_how_unequal_and_how_many(none, gift, verdict) -> None:
    assert check_of("Outcomes known", missing=missing(none, gift)).verdict == verdict


# --- other trials -------------------------------------------------------------------------------------


def test_the_interaction_of_two_by_two_is_a_difference_of_differences() -> None:
    n, k = np.array([[500, 480], [510, 505]]), np.array([[300, 330], [310, 290]])
    smooth = (k + 0.5) / (n + 1)
    share = k / n
    apart = (share[1, 1] - share[1, 0]) - (share[0, 1] - share[0, 0])
    z = apart / np.sqrt((smooth * (1 - smooth) / n).sum())
    p, largest = interaction_p(n.astype(float), k.astype(float))
    assert p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert largest == pytest.approx(abs(apart))
    assert independence_p(n) == pytest.approx(stats.chi2_contingency(n, correction=False).pvalue)


def overlap(cells):
    rows = [
        ("side", other, s, n, k)
        for other, row in cells.items()
        for s, (n, k) in zip(SCHEMES, row, strict=True)
    ]
    return pd.DataFrame(rows, columns=["trial", "other_scheme", "scheme", "n", "k"])


@pytest.mark.parametrize(
    ("loud", "verdict", "word"),
    [
        (((500, 300), (500, 325)), "pass", "same under every scheme"),
        (((500, 300), (500, 420)), "fail", "depends on the trial side"),
        (((500, 300), (250, 163)), "fail", "do not go independently"),
    ],
)
def test_another_trial_is_in_the_way_by_its_effect_or_its_division(loud, verdict, word) -> None:
    check = check_of("other trial", overlap=overlap({"quiet": ((500, 300), (500, 325)), "loud": loud}))
    assert check.verdict == verdict
    assert word in check.meaning


def test_a_trial_with_too_few_in_common_is_not_judged() -> None:
    assert overlapping(make_trial(overlap=overlap({"loud": ((9, 4), (8, 3))}))).why_empty


# --- clusters -----------------------------------------------------------------------------------------


def clubs(sizes, k):
    """Return tables of clubs, halves of which belong to each scheme."""
    half, rows, binary = len(sizes) // 2, [], []
    for s, part in zip(SCHEMES, (slice(half), slice(half, None)), strict=True):
        n, y = sizes[part].astype(float), k[part].astype(float)
        sums = (len(n), n.sum(), (n**2).sum(), y.sum(), (y**2).sum(), (n * y).sum())
        rows.append(("kept_at_90", s, *sums))
        binary.append(("kept_at_90", s, "all", "2025-01", n.sum(), y.sum()))
    return {
        "clusters": pd.DataFrame(
            rows, columns=["outcome", "scheme", "clusters", "n", "n_sq", "total", "total_sq", "cross"]
        ),
        "binary": pd.DataFrame(binary, columns=["outcome", "scheme", "stratum", "period", "n", "k"]),
    }


def test_units_of_one_member_have_no_design_effect() -> None:
    """The variance by unit of single members is n / (n - 1) times p (1 - p) / n."""
    k = np.random.default_rng(6).integers(0, 2, 400)
    found = clustered(make_trial(**clubs(np.ones(400), k))).table.iloc[0]
    assert found["design_effect"] == pytest.approx(200 / 199)


def test_the_interval_by_unit_is_that_of_the_rows() -> None:
    """Ratio of sums over clubs: the delta method written out with residuals of single clubs."""
    rng = np.random.default_rng(7)
    sizes, p = rng.integers(20, 80, 40), np.repeat(rng.beta(6, 4, 40), 1)
    k = rng.binomial(sizes, p)
    found = clustered(make_trial(**clubs(sizes, k)), mass=0.9).table.iloc[0]
    variance, means = 0.0, []
    for part in (slice(20), slice(20, None)):
        mean = k[part].sum() / sizes[part].sum()
        residuals = k[part] - mean * sizes[part]
        variance += 20 / 19 * (residuals**2).sum() / sizes[part].sum() ** 2
        means.append(mean)
    assert found["lift"] == pytest.approx(means[1] - means[0])
    reach = stats.t.ppf(0.95, 38) * np.sqrt(variance)
    assert found["lift_high"] - found["lift"] == pytest.approx(reach)
    assert found["design_effect"] > 1.5
    assert found["lift_low"] < found["narrow_low"]


def test_units_that_are_alike_block_and_the_division_counts_units() -> None:
    rng = np.random.default_rng(8)
    sizes = rng.integers(40, 80, 80)
    alike = clubs(sizes, rng.binomial(sizes, rng.beta(6, 3, 80)))
    sound = clubs(sizes, rng.binomial(sizes, 0.67))
    assert check_of("one by one", **alike).verdict == "fail"
    assert check_of("one by one", **sound).verdict == "pass"
    assert check_split(make_trial(**alike)).table["assigned"].tolist() == [40, 40]
    assert split_by_day(make_trial(arrivals=arrivals([(9, 9)]), **alike)).why_empty


# --- all checks ---------------------------------------------------------------------------------------


def check_of(words, **tables):
    made = [check for check in check_assignment(make_trial(**tables)) if words in check.name]
    assert len(made) == 1
    return made[0]


def faults(members):
    rows = [
        (fault, s, members if s == "gift" else 0)
        for fault in ("two_schemes", "before_assignment")
        for s in SCHEMES
    ]
    return pd.DataFrame(rows, columns=["fault", "scheme", "members"])


@pytest.mark.parametrize(("members", "verdict"), [(0, "pass"), (5, "warn"), (30, "fail")])
def test_faults_that_are_counted_fail_from_half_a_per_cent_on(members, verdict) -> None:
    exposed = pd.DataFrame({"exposed": ["yes"]})
    for words in ("two schemes", "before assignment"):
        assert check_of(words, faults=faults(members), exposed=exposed).verdict == verdict


def test_small_counts_of_a_private_case_are_not_told() -> None:
    made = check_assignment(make_trial(meta={"protected": {"base": 20}}, faults=faults(0)))
    assert "fewer than 20 members" in next(
        check.finding for check in made if check.name == "Nobody in two schemes"
    )


def test_a_table_that_is_withheld_is_not_one_that_never_was() -> None:
    assert "private" not in split_by_day(make_trial()).why_empty
    hidden = split_by_day(make_trial(meta={"withheld": ["arrivals"]})).why_empty
    assert hidden == "A private case does not tell on which day members were assigned."


def test_what_is_withheld_of_a_private_case_is_named() -> None:
    made = check_assignment(make_trial(meta={"withheld": ["arrivals"]}, faults=faults(0)))
    assert made[-1].verdict == "warn"
    assert "Of a private case arrivals by day are not told" in made[-1].finding
    assert "These data say nothing of properties of members" in made[-1].finding


def test_cells_without_these_tables_give_one_check_that_says_so() -> None:
    made = check_assignment(make_trial())
    assert [check.verdict for check in made] == ["warn"]
    assert "arrivals by day, properties of members" in made[0].finding
    for look in (split_by_day, mismatch, balance, missing_outcomes, overlapping, clustered):
        result = look(make_trial())
        assert result.why_empty.endswith(".")
        assert result.table.empty
        assert result.why_empty in repr(result)


def test_rates_are_stated_for_every_check_that_estimates() -> None:
    *_, tables = drawn(2_000, np.random.default_rng(9))
    made = check_assignment(
        make_trial(arrivals=arrivals([(90, 80)]), missing=missing((99, 97, 50), (99, 98, 50)), **tables)
    )
    rated = [
        check for check in made if check.name != "Everything that can go wrong in assigning was looked at"
    ]
    assert len(rated) == 3
    assert all(
        check.catch_rate and check.false_alarm_rate is not None and check.rates_from for check in rated
    )


def test_rates_are_those_of_the_committed_calibration() -> None:
    """As rounded to three places."""
    committed = json.loads((PROJECT / "calibration/results/assignment.json").read_text(encoding="utf-8"))
    found = {row["check"]: row for row in committed["rows"]}
    for key, (caught, alarmed, planted) in RATES.items():
        row = found[key]
        assert row["planted"] == planted
        assert (caught, alarmed) == pytest.approx((row["catch_rate"], row["false_alarm_rate"]), abs=6e-4)
