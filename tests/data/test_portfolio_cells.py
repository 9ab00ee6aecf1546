"""Cells of all trials, from tidy tables small enough to count by hand; and what private cases tell of them.

`as_of` is 1 July 2025 by UTC, as is the clock; there are fourteen days of follow-up.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

import sojourn as sj
import tidy_worlds
from sojourn.core.errors import DataError, ParameterError
from sojourn.data.cells import make_cells
from sojourn.data.protection.portfolio import protect
from sojourn.data.tidy import MissingTableError, Tidy
from sojourn.studies.portfolio.effects import trial_effects

AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
PARAMS = {"horizon_days": 14, "value_days": 14, "margin": 0.5, "cost_per_member": {}}


def ago(days):
    return AS_OF - timedelta(days=days)


#: member, joined, left (days before as_of)
MEMBERS = [(0, 100, None), (1, 100, 44.5), (2, 50, None), (3, 60, None), (4, 100, 51)]
#: trial, member, scheme, assigned (days before as_of); 4 had left before, 3 is not followed to the end
ASSIGNED = [
    ("main", 0, "none", 50), ("main", 1, "gift", 50), ("main", 2, "gift", 40), ("main", 3, "none", 4),
    ("main", 4, "gift", 50), ("side", 0, "loud", 45), ("side", 1, "loud", 40), ("side", 2, "none", 40),
]  # fmt: skip
EVENTS = [
    (0, 75, "5.00"), (0, 51, "1.00"), (0, 49, "3.00"), (0, 48.5, "-1.00"), (0, 34, "7.00"),
    (1, 50, None), (2, 39, "2.00"), (2, 20, "8.00"),
]  # fmt: skip
COSTS = [(1, "gift", 49, "0.50"), (2, "gift", 41, "0.70"), (0, "gift", 49, "9.00")]


def frames():
    members = [(m, ago(joined), None if gone is None else ago(gone)) for m, joined, gone in MEMBERS]
    found = {
        "members": pd.DataFrame(members, columns=["member", "joined_at", "churned_at"]),
        "assignments": pd.DataFrame(ASSIGNED, columns=["trial", "member", "scheme", "days"]),
        "events": pd.DataFrame(EVENTS, columns=["member", "days", "amount"]).assign(event="x"),
        "costs": pd.DataFrame(COSTS, columns=["member", "scheme", "days", "amount"]).assign(what="reward"),
    }
    found["members"]["churned_at"] = pd.to_datetime(found["members"]["churned_at"], utc=True)
    for name, column in (("assignments", "assigned_at"), ("events", "occurred_at"), ("costs", "at")):
        found[name][column] = found[name].pop("days").map(ago)
    for name in ("events", "costs"):
        found[name]["amount"] = found[name]["amount"].map(lambda x: None if x is None else Decimal(x))
    return found


def tidy(*left_out, **said):
    return tidy_of({name: frame for name, frame in frames().items() if name not in left_out}, **said)


def tidy_of(kept, **said):
    meta = {"as_of": AS_OF.isoformat(), "first_instant": "2024-01-01T00:00:00Z", "time_zone": "UTC"}
    return Tidy("shop", tidy_worlds.tables(kept), {**meta, "currency": "EUR", **said})


def rows(table, *columns, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    table = table.map(lambda v: float(v) if isinstance(v, Decimal) else v)
    return sorted(tuple(row) for row in table[list(columns)].itertuples(index=False))


@pytest.fixture(scope="module")
def cells():
    return make_cells(tidy(), "portfolio", PARAMS)


def test_every_trial_has_its_outcomes_beside_an_early_sign(cells):
    """0 came on one day after its first assignment and on one within 14 days of its second, 34 days ago."""
    columns = ("scheme", "n", "total", "total_sq", "early", "early_sq", "cross")
    found = cells["trials"]
    assert rows(found, *columns, trial="main", outcome="kept_at_14") == [
        ("gift", 2, 1.0, 1.0, 2.0, 2.0, 1.0),  # 1 left on its sixth day, after one with an event
        ("none", 1, 1.0, 1.0, 1.0, 1.0, 1.0),
    ]
    assert rows(found, *columns, trial="side", outcome="kept_at_14") == [
        ("loud", 1, 1.0, 1.0, 1.0, 1.0, 1.0),  # 1 had left by then
        ("none", 1, 1.0, 1.0, 1.0, 1.0, 1.0),
    ]


def test_money_is_margin_less_what_was_spent_on_the_own_scheme_in_time(cells):
    """0 paid 2 in 14 days; 1 nothing and cost .50; 2 paid 2, its cost came a day too early."""
    found = cells["trials"]
    assert rows(found, "scheme", "total", "cross", trial="main", outcome="net_value") == [
        ("gift", 0.5, 0.5),
        ("none", 1.0, 1.0),
    ]
    assert rows(found, "scheme", "total", trial="side", outcome="revenue") == [("loud", 7.0), ("none", 2.0)]
    dear = make_cells(tidy(), "portfolio", {**PARAMS, "cost_per_member": {"gift": 2.0}})
    assert rows(dear["trials"], "scheme", "total", trial="main", outcome="net_value")[0] == ("gift", -3.5)


def test_early_ends_after_two_weeks_however_long_payments_count(cells):
    """2 paid 8 on the twentieth day after assignment."""
    made = make_cells(tidy(), "portfolio", {**PARAMS, "value_days": 25})
    found = rows(made["trials"], "scheme", "total", "early", trial="main", outcome="revenue")
    assert found[0] == ("gift", 10.0, 2.0)


def test_arms_have_everybody_assigned_and_their_ages(cells):
    """Of May and June, May counts; members of `main` had joined 10 to 56 days before."""
    columns = ("trial", "scheme", "assigned", "matured", "month", "together", "age_low", "age_high")
    assert rows(cells["arms"], *columns) == [
        ("main", "gift", 2, 2, "2025-05", 0, 10, 56),
        ("main", "none", 2, 1, "2025-05", 0, 10, 56),
        ("side", "loud", 1, 1, "2025-05", 0, 10, 55),
        ("side", "none", 1, 1, "2025-05", 0, 10, 55),
    ]


def test_what_members_did_before_is_told_by_month(cells):
    """0 came on two days in the 28 before day 50, and on two before day 45; 3 was assigned on 27 June."""
    columns = ("trial", "scheme", "period", "assigned", "before", "before_sq")
    assert rows(cells["before"], *columns) == [
        ("main", "gift", "2025-05", 2, 0, 0),
        ("main", "none", "2025-05", 1, 2, 4),
        ("main", "none", "2025-06", 1, 0, 0),
        ("side", "loud", "2025-05", 1, 2, 4),
        ("side", "none", "2025-05", 1, 0, 0),
    ]


def test_months_of_assignment_are_told_apart():
    """2 got its gift on 22 May; a month later it would stand in a row of its own."""
    later = frames()
    later["assignments"].loc[2, "assigned_at"] = ago(20)
    made = make_cells(tidy_of(later), "portfolio", PARAMS)["trials"]
    assert rows(made, "scheme", "period", "n", trial="main", outcome="kept_at_14") == [
        ("gift", "2025-05", 1),
        ("gift", "2025-06", 1),
        ("none", "2025-05", 1),
    ]


def test_a_trial_of_members_who_had_left_is_named_where_nobody_is_known_to_be_back():
    """All four had left; without spells their trial has members and no outcome."""
    back = frames()
    back["members"]["churned_at"] = pd.Series([ago(95)] * 5)
    back["assignments"] = back["assignments"].query("trial == 'main'")
    made = make_cells(tidy_of(back), "portfolio", PARAMS)
    assert rows(made["arms"], "scheme", "aim", "assigned") == [("gift", "back", 3), ("none", "back", 2)]
    assert made["trials"].empty


def test_without_events_only_staying_is_known():
    made = make_cells(tidy("events", "costs"), "portfolio", PARAMS)
    assert set(made["trials"]["outcome"]) == {"kept_at_14"}
    assert set(made.tables) == {"trials", "arms"}
    assert "before" not in made["arms"]
    assert float(made["trials"]["early"].sum()) == 0


def test_where_nobodys_leaving_is_recorded_staying_is_no_outcome():
    made = make_cells(tidy(present={"members": ["member", "joined_at"]}), "portfolio", PARAMS)
    assert set(made["trials"]["outcome"]) == {"revenue", "net_value"}


def test_it_is_what_the_study_reads(cells):
    assert cells.meta["words"]["kept_at_14"] == "are still with us 14 days after assignment"
    assert (cells.meta["horizon_days"], cells.meta["currency"]) == (14, "EUR")
    assert (
        "There is no trial"
        in sj.portfolio(
            cells, "kept_at_14", rope=0.0, threshold=0.9, belief=[-0.1, 0.1, 0.9], rng=None
        ).why_empty
    )  # arms of one and two


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(MissingTableError, match="portfolio"):
        make_cells(tidy("assignments"), "portfolio", PARAMS)
    with pytest.raises(ParameterError, match="horizon_days"):
        make_cells(tidy(), "portfolio", {**PARAMS, "horizon_days": 0})
    made = tidy()
    costs = made.tables["costs"].mutate(member=made.tables["costs"].member.nullif(1))
    with pytest.raises(DataError, match="belongs to no member"):
        make_cells(replace(made, tables={**made.tables, "costs": costs}), "portfolio", PARAMS)


# --- protected ---------------------------------------------------------------------------------------

EXACT = pd.DataFrame(
    [
        ("a", "none", "2025-03", "kept_at_14", 507, 311, 311, 1604, 9111, 1100),
        ("a", "none", "2025-03", "net_value", 507, 4321, 99_000, 1604, 9111, 15_200),
        ("a", "new", "2025-03", "kept_at_14", 496, 341, 341, 1700, 9300, 1290),
        ("a", "new", "2025-03", "net_value", 496, 5005, 111_000, 1700, 9300, 18_600),
        ("tiny", "new", "2025-03", "kept_at_14", 19, 9, 9, 30, 60, 20),
    ],
    columns=["trial", "scheme", "period", "outcome", "n", "total", "total_sq", "early", "early_sq", "cross"],
)
ARMS = pd.DataFrame(
    [
        ("a", "none", 561, 507, "2025-03", 31, 7, 91),
        ("a", "new", 559, 496, "2025-03", 19, 7, 91),
        ("b", "new", 399, 399, "2025-03", 0, 7, 7),
        ("tiny", "new", 19, 19, "2025-03", 0, 7, 7),
    ],
    columns=["trial", "scheme", "assigned", "matured", "month", "together", "age_low", "age_high"],
)
DONE_BEFORE = pd.DataFrame(
    [
        ("a", "none", "2025-02", 300, 802, 4200),
        ("a", "none", "2025-03", 261, 700, 4000),
        ("a", "new", "2025-02", 299, 798, 4100),
        ("a", "new", "2025-03", 260, 700, 4000),
        ("tiny", "new", "2025-03", 19, 40, 99),
    ],
    columns=["trial", "scheme", "period", "assigned", "before", "before_sq"],
)
META = {"early_days": 14, "before_days": 28, "horizon_days": 14, "currency": "EUR"}
BASE, CAPS = 20, {"net_value": Decimal(50)}


@pytest.fixture(scope="module")
def shown():
    made, _ = protect({"trials": EXACT, "arms": ARMS, "before": DONE_BEFORE}, META, BASE, CAPS)
    return made


def test_every_count_is_a_multiple_and_every_sum_comes_in_steps(shown):
    trials, arms = shown["trials"], shown["arms"]
    assert (set(trials["trial"]), set(arms["trial"])) == ({"a"}, {"a", "b"})  # 19 members are nobody
    assert not (trials["n"] % BASE).any()
    assert not (arms[["assigned", "matured", "together"]] % BASE).any(axis=None)
    for row in trials.to_dict("records"):
        most = CAPS.get(row["outcome"], Decimal(1))
        steps = {"total": most, "total_sq": most**2, "early": 14, "early_sq": 14**2, "cross": most * 14}
        assert {name: row[name] % (BASE * step) for name, step in steps.items()} == dict.fromkeys(steps, 0)
    before = shown["before"]
    assert rows(before, "trial", "scheme", "period", "assigned") == [
        ("a", "new", "2025-02 to 2025-03", 560),
        ("a", "none", "2025-02 to 2025-03", 560),
    ]
    assert not (before["before"] % (BASE * 28)).any()
    kept = trials[trials["outcome"] == "kept_at_14"]
    assert kept["total"].tolist() == kept["total_sq"].tolist()


def test_ages_are_told_in_months_where_a_twentieth_is_a_group(shown):
    """7 and 91 days, outwards; of 399 members a twentieth are 19."""
    arms = shown["arms"].set_index(["trial", "scheme"])
    assert arms.loc[("a", "new"), ["together", "age_low", "age_high"]].tolist() == [0, 0, 120]
    assert arms.loc["b", ["age_low", "age_high"]].isna().all(axis=None)


def test_effects_stay_near_and_their_errors_are_never_too_small(shown):
    """A sum of steps of 20 * 50 EUR over 500 members errs by up to 1 EUR a member."""
    exact, told = (
        trial_effects(sj.Cells("t", "portfolio", {"trials": table}, meta), outcome).iloc[0]
        for outcome in ("net_value",)
        for table, meta in ((EXACT, META), (shown["trials"], {**META, "protected": {"base": BASE}}))
    )
    assert told["error"] > exact["error"]
    assert abs(told["effect"] - exact["effect"]) < 3 * (told["error"] ** 2 - exact["error"] ** 2) ** 0.5
    assert abs(told["covariance"]) < told["error"] * told["early_error"]


def test_the_spread_of_a_member_has_that_of_rounding_on_top(shown):
    """A sum in steps of 20 * 50 errs by a variance of step^2 / 12, of which each of n members bears 1 / n."""
    for exact, told in zip(EXACT.to_dict("records"), shown["trials"].to_dict("records"), strict=False):
        if told["outcome"] == "net_value":
            spread, blurred = (
                float(row["total_sq"]) / row["n"] - (float(row["total"]) / row["n"]) ** 2
                for row in (exact, told)
            )
            assert blurred >= spread + (BASE * 50) ** 2 / 12 / told["n"]


def test_cells_of_a_private_case_say_so():
    made = make_cells(tidy(), "portfolio", PARAMS, base=2)
    assert made.meta["protected"]["base"] == 2
    assert (made["arms"]["assigned"] % 2 == 0).all()
    assert set(made["arms"]["trial"]) == {"main"}


def test_months_are_put_together_until_every_scheme_is_large_enough():
    """Two months of some 500 members a scheme have 2 x 20 x 20; the fifth is too small to stand alone."""
    months = EXACT.query("trial == 'a'")
    table = pd.concat([months.assign(period=f"2025-0{month}") for month in (1, 2, 3, 4, 5)])
    made, _ = protect({"trials": table, "arms": ARMS}, META, BASE, CAPS)
    kept = made["trials"].query("outcome == 'kept_at_14'")
    assert rows(kept, "scheme", "period", "n") == [
        ("new", "2025-01 to 2025-02", 1000),
        ("new", "2025-03 to 2025-05", 1480),
        ("none", "2025-01 to 2025-02", 1020),
        ("none", "2025-03 to 2025-05", 1520),
    ]
