"""Protected sums beside a trial's outcomes: steps that hide a member, spreads that are never too small."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.results.trials import Trial
from sojourn.data.protection.trials_sums import protect_balance, protect_covariate, protect_missing
from sojourn.report.trial_assignment import say_missing
from sojourn.studies.trials.alike import balance
from sojourn.studies.trials.assignment import check_assignment
from sojourn.studies.trials.missing import could_be_missing, missing_outcomes

SCHEMES = ("none", "gift")
CAPS = {"paid_before": Decimal(50), "tenure_days": Decimal(200), "active_days_before": Decimal(10)}
OUTCOMES = {**CAPS, "revenue": Decimal(100)}
NUMBERS = ["n", "total", "total_sq", "before", "before_sq", "cross"]


def people(rng, members=300):
    """Return members with a past and an outcome that goes with it; amounts at most at their caps."""
    past = np.minimum(rng.exponential(12, members).round(), 50)
    late = np.minimum((past * 0.8 + rng.exponential(20, members)).round(), 100)
    return pd.DataFrame({"scheme": rng.choice(SCHEMES, members), "past": past, "late": late})


def crossed(rows):
    """Return exact cells of revenue beside what was paid before."""
    made = rows.assign(
        total=rows["late"], total_sq=rows["late"] ** 2, before=rows["past"], before_sq=rows["past"] ** 2,
        cross=rows["late"] * rows["past"], n=1, new=0,
    )  # fmt: skip
    names = ["n", "new", "total", "total_sq", "before", "before_sq", "cross"]
    summed = made.groupby("scheme", as_index=False)[names].sum().astype({"n": int, "new": int})
    for name in names[2:]:
        summed[name] = [Decimal(int(value)) for value in summed[name]]
    return summed.assign(outcome="revenue", stratum="all", period="2025-01")


def balanced(rows):
    table = crossed(rows)[["scheme", "n", "before", "before_sq"]]
    named = {"before": "total", "before_sq": "total_sq"}
    return table.rename(columns=named).assign(covariate="paid_before")


def test_sums_come_in_steps_that_one_member_does_not_reach() -> None:
    """What a member can add is at most the cap (its power); the steps are 20 times that."""
    rows = people(np.random.default_rng(1))
    for row in protect_covariate(crossed(rows), 20, OUTCOMES).to_dict("records"):
        assert row["n"] % 20 == row["new"] % 20 == 0
        assert (row["total"] % 2_000, row["total_sq"] % 200_000) == (0, 0)
        assert (row["before"] % 1_000, row["before_sq"] % 50_000) == (0, 0)
        together = row["cross"] - row["total"] * row["before"] / row["n"]
        assert together % 100_000 == pytest.approx(0, abs=1e-6)
    for row in protect_balance(balanced(rows), 20, CAPS).to_dict("records"):
        assert (row["n"] % 20, row["total"] % 1_000, row["total_sq"] % 50_000) == (0, 0, 0)


def test_a_member_who_is_missing_cannot_be_subtracted() -> None:
    """Attack: two runs that differ by one member. Exact sums give the amount away, for each of 40 members."""
    rows = people(np.random.default_rng(2), 120)
    names = ["n", "total", "total_sq", "before", "before_sq"]
    whole = {20: protect_covariate(crossed(rows), 20, OUTCOMES), 0: crossed(rows)}
    steps = np.array([20, 2_000, 200_000, 1_000, 50_000], float)
    for gone in range(40):
        fewer = crossed(rows.drop(index=gone))
        told = protect_covariate(fewer, 20, OUTCOMES)
        apart = (whole[20].set_index("scheme")[names] - told.set_index("scheme")[names]).astype(float)
        assert (np.abs(apart.to_numpy() / steps) % 1 == 0).all()
        exact = (whole[0].set_index("scheme")["total"] - fewer.set_index("scheme")["total"]).astype(float)
        assert exact[rows.loc[gone, "scheme"]] == rows.loc[gone, "late"]


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), members=st.integers(60, 3_000))
def test_spreads_are_never_smaller_and_what_goes_together_never_more(seed, members) -> None:
    rows = people(np.random.default_rng(seed), members)
    exact, told = crossed(rows), protect_covariate(crossed(rows), 20, OUTCOMES)
    for scheme in set(told["scheme"]):
        of = [table[table["scheme"] == scheme][NUMBERS].iloc[0] for table in (exact, told)]
        a, b = (row.astype(float) for row in of)
        for name in ("total", "before"):
            spread = [row[f"{name}_sq"] / row["n"] - (row[name] / row["n"]) ** 2 for row in (a, b)]
            assert spread[1] >= spread[0] - 1e-9
            assert abs(b[name] / b["n"] - a[name] / a["n"]) <= 10 * float(OUTCOMES["revenue"]) / b["n"]
        both = [row["cross"] / row["n"] - row["total"] * row["before"] / row["n"] ** 2 for row in (a, b)]
        assert abs(both[1]) <= abs(both[0]) + 1e-6
        assert both[0] * both[1] >= -1e-6


def test_fewer_than_the_smallest_group_are_told_of_nothing() -> None:
    rows = people(np.random.default_rng(3), 30)
    assert protect_balance(balanced(rows), 40, CAPS).empty
    assert protect_covariate(crossed(rows), 40, OUTCOMES).empty
    assert protect_balance(balanced(rows), 5, {"paid_before": Decimal(0)}).empty  # nobody had any


def private(**tables):
    split = pd.DataFrame({"scheme": SCHEMES, "period": "2025-01", "assigned": 200, "matured": 200})
    said = {"protected": {"base": 20}, "withheld": ["arrivals"]}
    nothing, shares = pd.DataFrame({"outcome": []}), dict.fromkeys(SCHEMES, 0.5)
    return Trial("shop", "main", "none", SCHEMES, ("all",), nothing, nothing, split, shares, 20, said, tables)


def pasts(rng, covariate, members=200):
    """Return exact sums of a past of two schemes of as many members each."""
    past = np.minimum(rng.exponential(12, (2, members)).round(), 50).astype(int)
    sums = {"n": members, "total": past.sum(axis=1), "total_sq": (past**2).sum(axis=1)}
    return pd.DataFrame({"covariate": covariate, "scheme": SCHEMES, **sums})


def test_balance_alarms_no_oftener_on_rounded_sums() -> None:
    """200 trials of 400 members without a fault, two covariates that are the same: 1 % may fall below .01.

    The bound is that of 200 draws with three standard errors: .01 + 3 (.01 x .99 / 200)^.5 = .031.
    """
    rng, below = np.random.default_rng(4), 0
    for _ in range(200):
        exact = pasts(rng, "paid_before")
        both = pd.concat([exact, exact.assign(covariate="tenure_days")], ignore_index=True)
        told = protect_balance(both, 20, {name: Decimal(50) for name in CAPS})
        below += balance(private(balance=told)).p_value < 0.01
    assert below / 200 <= 0.031


def test_balance_finds_members_of_another_kind_on_rounded_sums() -> None:
    rows = people(np.random.default_rng(5), 4_000)
    rows["past"] = np.where(rows["scheme"] == "gift", np.minimum(rows["past"] + 4, 50), rows["past"])
    assert balance(private(balance=protect_balance(balanced(rows), 20, CAPS))).p_value < 0.001


def missing(*rows):
    made = [("kept_at_90", scheme, *row) for scheme, row in zip(SCHEMES, rows, strict=True)]
    return pd.DataFrame(made, columns=["outcome", "scheme", "assigned", "known", "k"])


@pytest.mark.parametrize("base", [5, 20])
def test_missing_outcomes_are_told_in_multiples_and_bounds_hold_what_is_so(base) -> None:
    for gone in range(0, 150, 7):
        exact = missing((403, 403 - gone, 150), (391, 391, 149))
        told = protect_missing(exact, base)
        assert (told[["assigned", "known", "k"]] % base == 0).all(axis=None)
        assert (told["k"] <= told["known"]).all()
        shown = (told["assigned"] - told["known"]).to_numpy()
        fewest, most = could_be_missing(shown, base)
        assert fewest[0] <= gone <= most[0]
        assert fewest[1] <= 0 <= most[1]


@pytest.mark.parametrize(
    ("gone", "verdict"), [((0, 0), "pass"), ((19, 0), "pass"), ((40, 19), "warn"), ((200, 0), "fail")]
)
def test_missing_outcomes_fail_only_where_no_exact_count_would_pass(gone, verdict) -> None:
    """19 and 40 are told as 0 and 40; 19 and 30 could be behind them, no rare difference, but many of 400."""
    exact = missing((400, 400 - gone[0], 150), (400, 400 - gone[1], 150))
    trial = private(missing=protect_missing(exact, 20))
    [check] = [c for c in check_assignment(trial) if c.name.startswith("Outcomes known")]
    assert check.verdict == verdict
    if not max(gone) >= 20:
        assert "fewer than 20 outcomes cannot be known" in check.finding


@pytest.mark.parametrize(("members", "verdict"), [(200, "warn"), (400, "pass")])
def test_hidden_missing_outcomes_are_warned_of_where_they_could_be_many(members, verdict) -> None:
    """19 of 200 and none of 200 are told as none: no test can see them, and no rate of one is claimed."""
    exact = missing((members, members - 19, 50), (members, members, 50))
    [check] = [
        c
        for c in check_assignment(private(missing=protect_missing(exact, 20)))
        if c.name.startswith("Outcomes known")
    ]
    assert (check.verdict, check.catch_rate) == (verdict, None)
    assert ("9.5 % of a scheme" in check.meaning) == (verdict == "warn")


def test_bounds_of_the_lift_take_as_many_to_be_missing_as_could_be() -> None:
    told = missing_outcomes(private(missing=protect_missing(missing((400, 400, 200), (400, 400, 200)), 20)))
    assert say_missing(told).startswith("Of every scheme fewer than 20 outcomes cannot be known")
    row = told.table.iloc[1]
    assert (row["worst_low"], row["worst_high"]) == pytest.approx((-19 / 400, 19 / 400))
