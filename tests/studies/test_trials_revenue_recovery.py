"""Revenue in the simulated world: planted lifts are found, and the past makes them more precise."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from sojourn.studies.trials.adjusted import check_adjusted
from sojourn.world import make_world
from trial_payments import make_trial

AS_OF = pd.Timestamp("2025-07-01", tz="UTC")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world():
    return make_world(members=8_000, seed=5, as_of=AS_OF.isoformat())


@pytest.fixture(scope="module")
def people(world):
    """Members of the main trial followed for 90 days: what they paid, got back, and had paid before."""
    assigned = world.tables["assignments"].query("trial == 'main'")
    rows = assigned.merge(world.tables["members"][["member_id", "churned_at", "plan"]], on="member_id")
    here = rows["churned_at"].isna() | (rows["churned_at"] >= rows["assigned_at"])
    rows = rows[here & (rows["assigned_at"] + 90 * DAY <= AS_OF)].set_index("member_id")
    events = world.tables["events"].dropna(subset="amount").set_index("member_id")
    amounts = events[["occurred_at", "amount"]].join(rows["assigned_at"], how="inner")
    amounts["amount"] = amounts["amount"].astype(float)
    since = (amounts["occurred_at"] - amounts["assigned_at"]) / DAY
    after, before = amounts[(since >= 0) & (since < 90)], amounts[(since >= -28) & (since < 0)]
    of = {
        "paid": after[after["amount"] > 0],
        "refunded": after[after["amount"] < 0].assign(amount=lambda t: -t["amount"]),
        "past": before,
    }
    for name, part in of.items():
        rows[name] = part.groupby(level=0)["amount"].sum().reindex(rows.index).fillna(0.0)
    return rows.assign(stratum=rows["plan"])


@pytest.fixture(scope="module")
def trial(people):
    amount = people["paid"] - people["refunded"]
    sums = people.assign(
        n=1, total=amount, total_sq=amount**2, total_cube=amount**3,
        before=people["past"], before_sq=people["past"] ** 2, cross=amount * people["past"],
        period="all", outcome="revenue",
    ).groupby(["outcome", "scheme", "stratum", "period"], as_index=False)[
        ["n", "total", "total_sq", "total_cube", "before", "before_sq", "cross"]
    ].sum()  # fmt: skip
    schemes = dict(iter(people.groupby("scheme")))
    return make_trial(schemes, value=sums[[*sums.columns[:8]]], covariate=sums)


def test_planted_revenue_is_found(world, trial):
    """Levels and lifts within 3.5 standard errors of the world's own numbers."""
    result = sj.revenue(trial, mass=0.95, rng=np.random.default_rng(1))
    truth = {s["scheme"]: s["revenue"] for s in world.truth.summary["trials"]["main"]["schemes"]}
    assert set(result.schemes) == set(truth)
    for row in result.table.to_dict("records"):
        error = (row["amount_high"] - row["amount_low"]) / 3.92
        assert row["amount"] == pytest.approx(truth[row["scheme"]], abs=3.5 * error)
    for scheme in result.schemes[1:]:
        lift = result.lift(scheme)
        assert lift.value == pytest.approx(
            truth[scheme] - truth["none"], abs=3.5 * (lift.high - lift.low) / 3.92
        )
    assert result.lift("welcome_coupon").low > 0
    assert 0.02 < result.row("none")["refunded_share"] < 0.07


def test_the_past_makes_planted_lifts_more_precise(world, trial):
    flat = sj.LiftPrior.from_belief(low=-200, high=200, mass=0.9)
    result = sj.compare_adjusted(trial, "revenue", prior=flat, mass=0.95, rng=np.random.default_rng(2))
    truth = {s["scheme"]: s["revenue"] for s in world.truth.summary["trials"]["main"]["schemes"]}
    for row in result.table.to_dict("records"):
        error = (row["lift_high"] - row["lift_low"]) / 3.92
        assert row["lift"] == pytest.approx(truth[row["scheme"]] - truth["none"], abs=3.5 * error)
        assert row["explained_share"] > 0.1
    assert [check.verdict for check in check_adjusted(result)] == ["pass"]
