"""Cells of trials from tidy tables: a worked example by hand, and what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import ibis
import pandas as pd
import pytest

from sojourn.core.errors import DataError, ImmortalTimeError, ParameterError
from sojourn.data.cells import make_cells
from sojourn.data.engine import connect
from sojourn.data.tidy import MissingTableError, Tidy

AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
PARAMS = {
    "trial": "main",
    "horizons": [30],
    "value_days": 30,
    "stratum": "plan",
    "margin": 0.5,
    "cost_per_member": {"coupon": 0.25},
    "allocation": {},
}


def days_ago(days, hours=0):
    return AS_OF - timedelta(days=days, hours=hours)


#: member: plan, scheme, assigned and left (days before as_of), what happened to them.
PEOPLE = [
    (0, "annual", "none", 100, None),  # stays
    (1, "annual", "none", 100, 70.5),  # leaves after 29.5 days: not kept
    (2, "annual", "coupon", 100, 70),  # leaves exactly at the horizon: kept for the whole of it
    (3, None, "coupon", 100, 10),  # plan not known; leaves long after
    (4, "annual", "coupon", 29, None),  # not followed for 30 days yet
    (5, "annual", "none", 100, 101),  # had left before assignment: not part of the trial
    (6, "annual", "coupon", 30, None),  # followed for exactly 30 days
]
EVENTS = [
    (0, 99, "10.0000"),
    (0, 70.01, "5.5000"),  # inside, by a few minutes
    (0, 70, "100.0000"),  # at the horizon: outside
    (0, 101, "100.0000"),  # before assignment
    (2, 80, "20.0000"),
    (2, 79, "-4.0000"),  # refund
    (4, 10, "99.0000"),  # immature
]
COSTS = [
    (2, "coupon", 90, "3.0000"),
    (2, "coupon", 60, "9.0000"),
    (2, None, 90, "7.0000"),
    (2, "points", 90, "5.0000"),
]


def tidy(people=PEOPLE, events=EVENTS, costs=COSTS, engine=None, **meta):
    """Return the tables in an engine of their own."""
    engine = engine or connect()

    def made(name, rows, columns, types):
        frame = pd.DataFrame(rows, columns=columns).astype("object")
        return engine.create_table(name, ibis.memtable(frame, schema=ibis.schema(types)), temp=True)

    instant = "timestamp('UTC')"
    members = [
        (m, days_ago(150), None if gone is None else days_ago(gone), plan) for m, plan, _, _, gone in people
    ]
    assigned = [("main", m, scheme, days_ago(at)) for m, _, scheme, at, _ in people]
    assigned.append(("another", 0, "coupon", days_ago(100)))
    tables = {
        "members": made(
            "members",
            members,
            ["member", "joined_at", "churned_at", "plan"],
            {"member": "int64", "joined_at": instant, "churned_at": instant, "plan": "string"},
        ),
        "assignments": made(
            "assignments",
            assigned,
            ["trial", "member", "scheme", "assigned_at"],
            {"trial": "string", "member": "int64", "scheme": "string", "assigned_at": instant},
        ),
        "events": made(
            "events",
            [(m, days_ago(at), "purchase", Decimal(amount)) for m, at, amount in events],
            ["member", "occurred_at", "event", "amount"],
            {"member": "int64", "occurred_at": instant, "event": "string", "amount": "decimal(18, 4)"},
        ),
        "costs": made(
            "costs",
            [("reward", m, scheme, Decimal(amount), days_ago(at)) for m, scheme, at, amount in costs],
            ["what", "member", "scheme", "amount", "at"],
            {
                "what": "string",
                "member": "int64",
                "scheme": "string",
                "amount": "decimal(18, 4)",
                "at": instant,
            },
        ),
    }
    about = {
        "as_of": "2025-07-01T00:00:00Z",
        "first_instant": "2024-01-01T00:00:00Z",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
    }
    return Tidy("shop", tables, {**about, **meta})


def rows(table, *columns):
    return sorted(tuple(row) for row in table[list(columns)].itertuples(index=False))


def test_who_is_kept_and_who_is_counted():
    cells = make_cells(tidy(), "trials", PARAMS)
    binary = cells.tables["binary"].query("outcome == 'kept_at_30'")
    kept = rows(binary, "scheme", "stratum", "n", "k")
    assert kept == [
        ("coupon", "annual", 1, 1),
        ("coupon", "annual", 1, 1),
        ("coupon", "unknown", 1, 1),
        ("none", "annual", 2, 1),
    ]
    split = rows(cells.tables["split"], "scheme", "period", "assigned", "matured")
    assert split == [("coupon", "2025-03", 2, 2), ("coupon", "2025-06", 2, 1), ("none", "2025-03", 2, 2)]
    assert cells.meta["other_state"] == 1


def test_values_are_exact_decimals_of_matured_members():
    """Coupon, annual, March: .5 * (20 - 4) - 3 - .25 = 4.75. June: nothing but the cost of .25."""
    value = make_cells(tidy(), "trials", PARAMS).tables["value"]
    found = rows(
        value[value["outcome"] == "net_value"],
        "scheme",
        "stratum",
        "period",
        "n",
        "total",
        "total_sq",
        "total_cube",
    )
    assert found == [
        ("coupon", "annual", "2025-03", 1, Decimal("4.75"), Decimal("4.75") ** 2, Decimal("4.75") ** 3),
        ("coupon", "annual", "2025-06", 1, Decimal("-0.25"), Decimal("0.0625"), Decimal("-0.015625")),
        ("coupon", "unknown", "2025-03", 1, Decimal("-0.25"), Decimal("0.0625"), Decimal("-0.015625")),
        ("none", "annual", "2025-03", 2, Decimal("7.75"), Decimal("7.75") ** 2, Decimal("7.75") ** 3),
    ]
    revenue = rows(value[value["outcome"] == "revenue"], "scheme", "total")
    assert revenue == [("coupon", 0), ("coupon", 0), ("coupon", 16), ("none", Decimal("15.5"))]


def test_large_amounts_do_not_overflow():
    """The cube is 999999999970000000000.299999999999; DuckDB tends to 18 digits."""
    events = [(0, 99, "9999999.9999"), (2, 80, "-9999999.9999")]
    value = make_cells(tidy(events=events, costs=[]), "trials", PARAMS).tables["value"]
    cubes = value[value["outcome"] == "revenue"]["total_cube"]
    assert max(cubes) == Decimal("999999999970000000000.3")
    assert min(cubes) == -max(cubes)


def test_rows_and_threads_do_not_matter():
    once = make_cells(tidy(), "trials", PARAMS)
    engine = connect(threads=1)
    again = make_cells(tidy(PEOPLE[::-1], EVENTS[::-1], COSTS[::-1], engine), "trials", PARAMS)
    assert once.fingerprint == again.fingerprint


def test_without_amounts_there_are_no_values():
    made = tidy(present={"events": ["member", "occurred_at", "event"]})
    tables = make_cells(made, "trials", PARAMS).tables
    assert not {"value", "spend", "ratio"} & set(tables)
    assert set(tables["binary"]["outcome"]) == {"kept_at_30"}
    assert set(tables["balance"]["covariate"]) == {"tenure_days", "active_days_before"}


def test_truth_travels_with_the_cells_of_a_simulated_case():
    made = tidy(truth={"trials": {"main": {"margin": 0.5}}, "retention": {}})
    assert make_cells(made, "trials", PARAMS).meta["truth"] == {"main": {"margin": 0.5}}


def test_a_case_without_assignments_lacks_a_table():
    made = tidy()
    without = Tidy("shop", {name: made.tables[name] for name in ("members", "events")}, made.meta)
    with pytest.raises(MissingTableError, match=r"trials needs the table `assignments`"):
        make_cells(without, "trials", PARAMS)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"trial": "mian"}, DataError, r"assignments.trial: no rows of trial 'mian'"),
        ({"stratum": "churn_reason"}, ImmortalTimeError, "known only after joining"),
        ({"horizons": []}, ParameterError, "'horizons' must name at least one"),
        ({"horizons": [0]}, ParameterError, "'days' must be at least 1, got 0"),
        ({"margin": 1.5}, ParameterError, "'margin' must be at most 1, got 1.5"),
    ],
)
def test_bad_parameters_are_refused(change, error, says):
    with pytest.raises(error, match=says):
        make_cells(tidy(), "trials", {**PARAMS, **change})


def test_a_cost_of_a_whole_scheme_is_not_silently_left_out():
    with pytest.raises(
        DataError, match=r"costs.member: .* in 1 of 2 rows \(for example coupon\). State it per member"
    ):
        make_cells(tidy(costs=[(2, "coupon", 90, "3"), (None, "coupon", 90, "500")]), "trials", PARAMS)
