"""Deadweight, spill-over, compliance and groups: by hand, beside peers, in worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from after_worlds import AS_OF, DAY, make_trial, members_of, revenue_of, weeks_of
from sojourn.core.errors import ParameterError
from sojourn.core.normal import standard_errors
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.studies.trials.after_checks import check_compliance, check_fairness, check_spill_over
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.compliance import compliance
from sojourn.studies.trials.deadweight import deadweight
from sojourn.studies.trials.fairness import fairness
from sojourn.studies.trials.spill_over import spill_over
from sojourn.world import make_world

REACH = standard_errors(0.95)

# --- deadweight ---------------------------------------------------------------------------------------


def valued(revenue=(10.0, 12.0), net=(3.0, 2.1), margin=0.3):
    """Every member of a scheme but two pays the same; margin .3 and a cost of 1.5 under the offer."""
    rows = pd.DataFrame({"scheme": np.repeat(["none", "offer"], 2_000)})
    wave = np.tile([1.0, -1.0], 2_000)
    tables = [
        revenue_of(rows, np.repeat(means, 2_000) + wave, outcome)
        for outcome, means in (("revenue", revenue), ("net_value", net))
    ]
    return make_trial(value=pd.concat(tables), meta={"margin": margin})


def kept(trial, k):
    cells = trial.binary.assign(k=list(k))
    object.__setattr__(trial, "binary", cells)
    return trial


def test_waste_is_that_counted_by_hand():
    row = deadweight(kept(valued(), (1_400, 1_500)), "kept_at_90", mass=0.95).row("offer")
    assert row["cost"] == pytest.approx(1.5)
    assert row["kept_anyway_share"] == pytest.approx(1_400 / 1_500)
    error = np.sqrt(0.3 / (2_000 * 0.7) + 0.25 / (2_000 * 0.75))
    assert np.log(row["kept_anyway_share_low"]) == pytest.approx(np.log(1_400 / 1_500) - REACH * error)
    assert row["cost_of_one"] == pytest.approx(1.5 / 0.05)
    lift_error = np.sqrt((0.7 * 0.3 + 0.75 * 0.25) / 2_000)
    assert row["cost_of_one_high"] == pytest.approx(1.5 / (0.05 - REACH * lift_error))
    assert "paid_anyway_share" not in row


def test_a_lift_that_may_be_none_has_no_upper_bound_of_its_cost():
    row = deadweight(kept(valued(), (1_400, 1_410)), "kept_at_90", mass=0.95).row("offer")
    assert np.isnan(row["cost_of_one_high"])
    assert row["cost_of_one_low"] > 0
    assert row["kept_anyway_share_high"] == 1.0
    none = deadweight(kept(valued(), (1_400, 1_390)), "kept_at_90", mass=0.95).row("offer")
    assert np.isnan(none["cost_of_one"])
    assert none["kept_anyway_share"] == 1.0


def test_waste_that_cannot_be_told_says_why():
    free = valued(net=(3.0, 3.6))
    assert "No scheme costs anything" in deadweight(free, "kept_at_90", mass=0.95).why_empty
    assert "not known" in deadweight(make_trial(), "kept_at_90", mass=0.95).why_empty


def test_rounded_sums_of_a_private_case_make_no_cost():
    """Margin times revenue less net value is rounding there; where nothing is booked, costs are stated."""
    trial = kept(valued(), (1_400, 1_500))
    private = {**trial.meta, "protected": {"base": 20}}
    free = replace(trial, meta={**private, "cost_per_member": {}})
    assert "No scheme costs anything" in deadweight(free, "kept_at_90", mass=0.95).why_empty
    stated = replace(trial, meta={**private, "cost_per_member": {"offer": 7.0}})
    assert deadweight(stated, "kept_at_90", mass=0.95).row("offer")["cost"] == 7.0


@pytest.fixture(scope="module")
def demo():
    """The demo's world with payments and costs of every member within 90 days, and by week."""
    world = make_world(members=8_000, seed=5, as_of=AS_OF.isoformat())
    rows = members_of(world)
    events = world.tables["events"][["member_id", "occurred_at", "amount"]].dropna()
    near = rows[["member_id", "assigned_at"]].merge(events, on="member_id")
    near["day"] = (near["occurred_at"] - near["assigned_at"]) / DAY
    near = near[(near["day"] >= 0) & (near["day"] < 91)]
    near["amount"] = near["amount"].astype(float)
    place = pd.Series(np.arange(len(rows)), index=rows["member_id"])
    weekly = np.zeros((len(rows), 13))
    np.add.at(weekly, (place[near["member_id"]], (near["day"] // 7).astype(int)), near["amount"])
    paid = near[near["day"] < 90].groupby("member_id")["amount"].sum().reindex(rows["member_id"]).fillna(0)
    costs = world.tables["costs"].merge(
        rows[["member_id", "scheme", "assigned_at"]], on=["member_id", "scheme"]
    )
    costs = costs[((costs["at"] - costs["assigned_at"]) / DAY).between(0, 90, inclusive="left")]
    spent = costs.groupby("member_id")["amount"].sum().astype(float).reindex(rows["member_id"]).fillna(0)
    schemes = tuple(sorted(set(rows["scheme"]), key=lambda name: (name != "none", name)))
    tables = [
        revenue_of(rows, paid.to_numpy()),
        revenue_of(rows, (0.3 * paid - spent).to_numpy(), "net_value"),
    ]
    k = (rows["life"] >= 90).groupby(rows["scheme"]).agg(["size", "sum"]).loc[list(schemes)]
    after = weeks_of(rows, payments=weekly)
    trial = make_trial(schemes, value=pd.concat(tables), after=after, meta={"margin": 0.3})
    object.__setattr__(trial, "binary", trial.binary.assign(n=k["size"].to_numpy(), k=k["sum"].to_numpy()))
    return trial, {row["scheme"]: row for row in world.truth.summary["trials"]["main"]["schemes"]}


def test_the_waste_of_the_demo_is_found(demo):
    """Costs, members kept anyway and purchases made anyway lie within 3.5 standard errors of the truth."""
    trial, truth = demo
    result = deadweight(trial, "kept_at_90", mass=0.95, reward_days=56)
    for scheme in ("welcome_coupon", "bonus_points"):
        row, true = result.row(scheme), truth[scheme]
        assert row["cost"] == pytest.approx(true["cost"], rel=0.06)
        for name, value in (
            ("kept_anyway_share", truth["none"]["kept"] / true["kept"]),
            ("paid_anyway_share", true["deadweight"]),
        ):
            error = np.log(row[name] / row[f"{name}_low"]) / REACH
            assert abs(np.log(row[name] / value)) < 3.5 * error
            assert 0 < error < 0.12
    assert result.best == "welcome_coupon"


# --- spill-over ---------------------------------------------------------------------------------------


def brought_table(rows):
    """Return cells of (own scheme, who brought them, members, kept)."""
    return pd.DataFrame(rows, columns=["scheme", "referrer", "n", "k"])


NEIGHBOURS = pd.DataFrame({"scheme": ["none", "none", "offer"], "own": ["-", "offer", "-"],
                           "n": [60, 40, 200], "k": [40, 30, 160]})  # fmt: skip


def test_those_brought_are_compared_whatever_their_own_scheme():
    row = spill_over(make_trial(neighbours=NEIGHBOURS), mass=0.95).row("offer")
    assert row["lift"] == pytest.approx(160 / 200 - 70 / 100)
    error = np.sqrt(0.8 * 0.2 / 200 + 0.7 * 0.3 / 100)
    assert row["lift_high"] - row["lift"] == pytest.approx(REACH * error)
    assert (row["brought_members"], row["brought_by_control_members"]) == (200, 100)


def test_lifts_without_neighbours_are_those_counted_by_hand():
    cells = brought_table([
        ("none", "-", 800, 400), ("none", "none", 100, 50), ("none", "offer", 100, 70),
        ("offer", "-", 800, 480), ("offer", "none", 100, 60), ("offer", "offer", 100, 80),
    ])  # fmt: skip
    result = spill_over(make_trial(neighbours=NEIGHBOURS, brought=cells), mass=0.95, scheme="offer")
    assert result.neighbours_share == pytest.approx(0.2)
    assert result.lift("offer", "everybody").value == pytest.approx(0.62 - 0.52)
    assert result.lift("offer", "no treated neighbour").value == pytest.approx(0.6 - 0.5)
    assert result.lift("offer", "all or nobody").value == pytest.approx(0.8 * 0.1 + 0.2 * 0.3)


def test_a_planted_spill_over_is_found():
    """All given the offer against nobody: the world's truth, which a contaminated control hides in part."""
    world = make_world(members=12_000, seed=3, as_of=AS_OF.isoformat(), world="spill_over")
    rows = members_of(world)
    rows["k"] = (rows["life"] >= 90).astype(int)
    brought_by = rows.set_index("member_id")["scheme"]
    rows["referrer"] = rows["referred_by"].map(brought_by).fillna("-")
    cells = rows.assign(n=1).groupby(["scheme", "referrer"], as_index=False)[["n", "k"]].sum()
    later = world.tables["members"].merge(
        rows[["member_id", "scheme", "assigned_at"]].add_prefix("their_"),
        left_on="referred_by", right_on="their_member_id",
    )  # fmt: skip
    later = later[later["joined_at"] >= later["their_assigned_at"]]
    later = later[(AS_OF - later["joined_at"]) / DAY >= 90]
    stays = (((later["churned_at"] - later["joined_at"]) / DAY).fillna(1e6) >= 90).astype(int)
    near = later.assign(n=1, k=stays, own="-", scheme=later["their_scheme"])
    near = near.groupby(["scheme", "own"], as_index=False)[["n", "k"]].sum()
    result = spill_over(make_trial(neighbours=near, brought=cells), mass=0.99)
    assert result.read("offer").low > 0
    assert check_spill_over(result, "offer")[0].verdict == "warn"
    truth = world.truth.summary["trials"]["main"]["schemes"][1]["lift"]
    whole, naive = (result.lift("offer", way) for way in ("all or nobody", "everybody"))
    assert whole.low < truth < whole.high
    assert naive.value < whole.value


def test_nobody_brought_says_why():
    assert "who brought whom" in spill_over(make_trial(), mass=0.95).why_empty
    few = spill_over(make_trial(neighbours=NEIGHBOURS, min_group=150), mass=0.95)
    assert "fewer than 150" in few.why_empty
    assert check_spill_over(few, "offer") == []


# --- compliance ---------------------------------------------------------------------------------------


def exposed(yes, no, control=(1_000, 500), stratum="all"):
    rows = [("none", "no", *control), ("offer", "yes", *yes), ("offer", "no", *no)]
    table = pd.DataFrame(rows, columns=["scheme", "exposed", "n", "k"])
    return table.assign(stratum=stratum, outcome="kept_at_90")


def reached(cells, **more):
    return compliance(make_trial(exposed=cells, **more), "kept_at_90", mass=0.95)


def test_the_effect_on_those_reached_is_two_stage_least_squares():
    """Members one by one: the instrumental estimate and its heteroskedastic error (HC0)."""
    row = reached(exposed((400, 280), (600, 300))).row("offer")
    z = np.repeat([0, 1, 1], [1_000, 400, 600])
    d = np.repeat([0, 1, 0], [1_000, 400, 600])
    y = np.concatenate([np.arange(n) < k for n, k in ((1_000, 500), (400, 280), (600, 300))]).astype(float)
    instruments, regressors = (np.column_stack([np.ones(2_000), part]) for part in (z, d))
    bread = np.linalg.inv(instruments.T @ regressors)
    found = bread @ instruments.T @ y
    residual = y - regressors @ found
    meat = (instruments * residual[:, None] ** 2).T @ instruments
    error = np.sqrt((bread @ meat @ bread.T)[1, 1])
    assert row["lift_of_reached"] == pytest.approx(found[1])
    assert row["lift_of_reached_high"] - row["lift_of_reached"] == pytest.approx(REACH * error)
    assert row["lift"] == pytest.approx(0.08)
    assert row["reached_share"] == 0.4


def test_strata_are_averaged_as_they_occur():
    cells = pd.concat([
        exposed((400, 280), (600, 300), stratum="a"),
        exposed((200, 180), (2_800, 2_000), control=(3_000, 2_100), stratum="b"),
    ])  # fmt: skip
    trial = make_trial(exposed=cells)
    object.__setattr__(trial, "others", {"exposed": cells})
    row = compliance(trial, "kept_at_90", mass=0.95).row("offer")
    lift = 0.25 * 0.08 + 0.75 * (2_180 / 3_000 - 0.7)
    assert row["lift"] == pytest.approx(lift)
    assert row["lift_of_reached"] == pytest.approx(lift / (0.25 * 0.4 + 0.75 * 200 / 3_000))


@pytest.mark.parametrize(
    ("yes", "no", "why"),
    [((0, 0), (1_000, 500), "nobody is known to be reached"), ((1_000, 600), (0, 0), "both effects are one")],
)
def test_the_effect_on_those_reached_may_be_undefined(yes, no, why):
    row = reached(exposed(yes, no)).row("offer")
    assert why in row["why_not"]
    assert np.isnan(row["lift_of_reached"])
    assert np.isfinite(row["lift_low"])


def test_members_of_control_who_are_reached_make_the_check_fail():
    stray = pd.DataFrame({"scheme": ["none"], "exposed": ["yes"], "n": [100], "k": [60], "stratum": ["all"],
                          "outcome": ["kept_at_90"]})  # fmt: skip
    cells = exposed((900, 600), (100, 50), control=(900, 440))
    assert check_compliance(reached(pd.concat([cells, stray])), "offer")[0].verdict == "fail"
    assert check_compliance(reached(cells), "offer")[0].verdict == "pass"
    assert check_compliance(reached(exposed((300, 200), (700, 350))), "offer")[0].verdict == "warn"
    assert "whom a scheme reached" in compliance(make_trial(), "kept_at_90", mass=0.95).why_empty


@settings(deadline=None, max_examples=25)
@given(st.integers(50, 950), st.floats(0.2, 0.9), st.floats(0.2, 0.9))
def test_the_second_effect_is_the_first_over_the_share_reached(takers, p, q):
    cells = exposed((takers, round(p * takers)), (1_000 - takers, round(q * (1_000 - takers))))
    row = reached(cells).row("offer")
    assert row["lift_of_reached"] * row["reached_share"] == pytest.approx(row["lift"], abs=1e-12)


# --- fairness -----------------------------------------------------------------------------------------

PRIOR = LiftPrior.from_belief(low=-0.1, high=0.1, mass=0.9)


def grouped(lifts=(0.02, 0.02, 0.02), n=1_500, **more):
    """Members of three regions under both schemes, half of whom stay without the offer."""
    rows = [
        {"region": region, "scheme": scheme, "n": n, "kept": round(n * (0.5 + lift * (scheme == "offer"))),
         "total": 2.0 * n - 0.7 * n * (scheme == "offer"), "total_sq": 30.0 * n, "revenue": 10.0 * n}
        for region, lift in zip(("east", "north", "west"), lifts, strict=True)
        for scheme in ("none", "offer")
    ]  # fmt: skip
    features = pd.DataFrame(rows).assign(block=0)
    return make_trial(features=features, meta={"margin": 0.3, "strata": "plan"}, **more)


def gaps_of(trial, outcome="kept_at_90", **more):
    rng = np.random.default_rng(11)
    result = compare_schemes(trial, outcome, prior=PRIOR, mass=0.95, rng=rng, draws=2_000)
    return fairness(result, trial, rng=rng, **more)


def test_a_gap_is_found_and_drawn_towards_the_others():
    trial = grouped((0.00, 0.02, 0.16))
    result = gaps_of(trial)
    row = result.surest
    assert (row["grouping"], row["most"], row["least"]) == ("region", "west", "east")
    assert row["p_real"] > result.sure == 0.95
    own = result.drawn().set_index("group")
    assert 0.10 < own.loc["west", "lift"] < own.loc["west", "raw_lift"] == pytest.approx(0.16)
    assert check_fairness(result, "offer")[0].verdict == "warn"


def test_groups_that_gain_alike_have_no_sure_gap():
    result = gaps_of(grouped())
    assert result.surest["p_real"] < result.sure
    assert check_fairness(result, "offer")[0].verdict == "pass"
    assert result.drawn()["lift_high"].max() - result.drawn()["lift_low"].min() < 0.1


def test_costs_of_groups_are_margin_less_net():
    result = gaps_of(grouped())
    np.testing.assert_allclose(result.groups["cost"], 0.3 * 10 - 1.3)


def test_every_gap_looked_at_makes_the_threshold_stricter():
    trial = grouped()
    twice = trial.others["features"].assign(plan=lambda f: f["region"])
    object.__setattr__(trial, "others", {"features": twice})
    assert gaps_of(trial).sure == pytest.approx(0.975)
    assert set(gaps_of(trial).table["grouping"]) == {"region", "plan"}
    assert gaps_of(trial, by=["region"]).sure == pytest.approx(0.95)


def test_without_groups_nothing_is_compared():
    result = gaps_of(make_trial())
    assert "No groups of members are known" in result.why_empty
    assert check_fairness(result, "offer") == []


def test_a_result_of_another_trial_is_refused():
    trial = grouped()
    result = compare_schemes(
        trial, "kept_at_90", prior=PRIOR, mass=0.95, rng=np.random.default_rng(1), draws=1_000
    )
    other = make_trial(("none", "gift"))
    with pytest.raises(ParameterError, match="the trial has others"):
        fairness(result, other, rng=np.random.default_rng(1))
