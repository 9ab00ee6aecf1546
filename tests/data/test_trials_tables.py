"""Tables of a trial beside its outcomes, from tidy tables small enough to count by hand.

`as_of` is 1 July 2025 by UTC, as is the clock; there are ten value days, and kept is judged at ten days.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from sojourn.data.cells import make_cells
from sojourn.data.cells.trials.assigning import assigning_tables
from sojourn.data.cells.trials.spending import BOUNDS, bin_of
from sojourn.data.engine import connect
from sojourn.data.tidy import Tidy

AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
PARAMS = {
    "trial": "main",
    "horizons": [10],
    "value_days": 10,
    "stratum": "all",
    "margin": 0.5,
    "cost_per_member": {},
    "allocation": {},
}
INSTANT = "timestamp('UTC')"
TYPES = {
    "members": {
        "member": "int64", "joined_at": INSTANT, "churned_at": INSTANT, "plan": "string",
        "referred_by": "int64",
    },
    "assignments": {
        "trial": "string", "member": "int64", "scheme": "string", "assigned_at": INSTANT, "cluster": "string",
    },
    "events": {"member": "int64", "occurred_at": INSTANT, "event": "string", "amount": "decimal(18, 4)"},
    "costs": {
        "what": "string", "member": "int64", "scheme": "string", "amount": "decimal(18, 4)", "at": INSTANT,
    },
    "messages": {"member": "int64", "sent_at": INSTANT, "campaign": "string", "opted_out_at": INSTANT},
    "ledger": {"member": "int64", "at": INSTANT, "reason": "string"},
    "withheld": {"trial": "string", "scheme": "string", "period": "string", "members": "int64"},
}  # fmt: skip


def ago(days):
    return AS_OF - timedelta(days=days)


#: member: plan, joined, left (days before as_of), referrer
MEMBERS = [
    (0, "basic", 100, None, None),
    (1, "basic", 100, 44.5, None),  # leaves half a day into the sixth day after assignment
    (2, "plus", 50, None, 0),  # brought by 0 on the day of assignment of 0
    (3, "plus", 60, None, None),
    (4, "plus", 8, None, 1),  # brought by 1, not in the trial, followed for 8 days
    (5, "basic", 100, 51, None),  # had left before assignment
    (6, "basic", 30, 22, 0),  # brought by 0 later, not in the trial, left after 8 days
]
#: trial, member, scheme, days before as_of, cluster
ASSIGNED = [
    ("main", 0, "none", 50, "a"),
    ("main", 1, "gift", 50, "b"),
    ("main", 2, "gift", 40, "b"),
    ("main", 2, "none", 39, "a"),  # in a second scheme a day later: the first counts
    ("main", 3, "none", 4, "a"),  # followed for four days
    ("main", 5, "gift", 50, "b"),
    ("side", 0, "loud", 45, None),
    ("side", 1, "quiet", 20, None),  # after the last horizon in the main trial
]
EVENTS = [
    (0, 75, None),  # before assignment
    (0, 60, "4.00"),
    (0, 60 - 0.1, "2.00"),  # on the same day
    (0, 80, "100.00"),  # more than 28 days before
    (0, 49, "3.00"),
    (0, 48.5, "-1.00"),
    (0, 41, None),
    (0, 39, "50.00"),  # after the value days
    (1, 50, None),  # at the very instant of assignment
    (2, 36, "2.00"),
    (2, 20, "8.00"),
]
COSTS = [
    (1, "gift", 49, "0.50"),
    (2, "gift", 41, "0.70"),  # before assignment
    (0, "gift", 49, "9.00"),  # of another scheme
]
MESSAGES = [
    (0, 49, None, 48),
    (2, 38, "gift", None),
    (3, 3, "gift", None),  # of another scheme
]
LEDGER = [(1, 20, "gift")]  # later than the value days


def tidy(left_out=("costs", "messages", "ledger"), engine=None):
    """Return the tables; those in `left_out` are not there."""
    engine = engine or connect()
    rows = {
        "members": [
            (m, ago(joined), None if gone is None else ago(gone), plan, by)
            for m, plan, joined, gone, by in MEMBERS
        ],
        "assignments": [(t, m, s, ago(at), c) for t, m, s, at, c in ASSIGNED],
        "events": [
            (m, ago(at), "x", None if amount is None else Decimal(amount)) for m, at, amount in EVENTS
        ],
        "costs": [("reward", m, s, Decimal(amount), ago(at)) for m, s, at, amount in COSTS],
        "messages": [(m, ago(at), c, None if out is None else ago(out)) for m, at, c, out in MESSAGES],
        "ledger": [(m, ago(at), reason) for m, at, reason in LEDGER],
        "withheld": [
            ("main", "gift", "2025-05", 2),
            ("side", "loud", "2025-05", 9),
            ("main", "none", "2025-06", 1),
        ],
    }
    tables = {}
    for name, types in TYPES.items():
        if name in left_out:
            continue
        lines = [dict(zip(types, row, strict=True)) for row in rows[name]]
        made = pa.Table.from_pylist(lines, schema=ibis.schema(types).to_pyarrow())
        tables[name] = engine.create_table(name, made, temp=True)
    meta = {
        "as_of": AS_OF.isoformat(),
        "first_instant": "2024-01-01T00:00:00Z",
        "time_zone": "UTC",
        "currency": "EUR",
        "present": {
            "members": ["member", "joined_at", "churned_at", "plan", "referred_by"],
            "events": ["member", "occurred_at", "event", "amount"],
            "assignments": list(TYPES["assignments"]),
        },
    }
    return Tidy("shop", tables, meta, {"withheld": tables.pop("withheld")})


@pytest.fixture(scope="module")
def cells():
    return make_cells(tidy(left_out=()), "trials", PARAMS).tables


def rows(table, *columns, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    table = table.map(lambda v: float(v) if isinstance(v, Decimal) else v)
    return sorted(tuple(row) for row in table[list(columns)].itertuples(index=False))


def test_a_member_in_two_schemes_counts_once_with_the_first(cells) -> None:
    assert rows(cells["split"], "scheme", "period", "assigned") == [
        ("gift", "2025-05", 2),
        ("none", "2025-05", 1),
        ("none", "2025-06", 1),
    ]
    assert rows(cells["faults"], "scheme", "members", fault="two_schemes") == [("gift", 1), ("none", 0)]


def test_other_faults_are_counted_by_scheme(cells) -> None:
    found = {fault: dict(rows(cells["faults"], "scheme", "members", fault=fault))
             for fault in ("before_assignment", "left_before", "unknown_member")}  # fmt: skip
    assert found["before_assignment"] == {"gift": 1, "none": 0}
    assert found["left_before"] == {"gift": 1, "none": 0}
    assert found["unknown_member"] == {"gift": 0, "none": 0}


def test_times_have_everybody_leaving_rounded_up_and_the_end_down(cells) -> None:
    """1 leaves 5.5 days after assignment: on day 6. The others are followed for 50, 40 and 4 days."""
    assert rows(cells["times"], "scheme", "period", "day", "entered", "churned", "censored") == [
        ("gift", "2025-05", 0, 2, 0, 0),
        ("gift", "2025-05", 6, 0, 1, 0),
        ("gift", "2025-05", 40, 0, 0, 1),
        ("none", "2025-05", 0, 1, 0, 0),
        ("none", "2025-05", 50, 0, 0, 1),
        ("none", "2025-06", 0, 1, 0, 0),
        ("none", "2025-06", 4, 0, 0, 1),
    ]


def test_converted_and_opted_out_are_of_those_followed_for_the_value_days(cells) -> None:
    """0 paid 3 and opted out, 1 paid nothing, 2 paid 2; 3 cannot be judged."""
    assert rows(cells["binary"], "scheme", "n", "k", outcome="converted") == [("gift", 2, 1), ("none", 1, 1)]
    assert rows(cells["binary"], "scheme", "n", "k", outcome="opted_out") == [("gift", 2, 0), ("none", 1, 1)]
    assert rows(cells["binary"], "scheme", "n", "k", outcome="kept_at_10") == [("gift", 2, 1), ("none", 1, 1)]


def test_days_with_an_event_are_local_days(cells) -> None:
    """0 came 49, 48.5 and 41 days before as_of: at midnight and noon of 13 May, and on 21 May."""
    assert rows(cells["activity"], "scheme", "count", "n") == [("gift", 1, 2), ("none", 2, 1)]


def test_payments_lie_in_bins_with_refunds_beside(cells) -> None:
    spend = cells["spend"]
    place = {amount: next(b for b, bound in enumerate(BOUNDS) if amount < bound) for amount in (2, 3)}
    assert rows(spend, "scheme", "bin", "n", "paid", "refunded_n", "refunded", "net", "net_sq") == [
        ("gift", 0, 1, 0.0, 0, 0.0, 0.0, 0.0),
        ("gift", place[2], 1, 2.0, 0, 0.0, 2.0, 4.0),
        ("none", place[3], 1, 3.0, 1, 1.0, 2.0, 4.0),
    ]
    logs = rows(spend, "scheme", "logs", "logs_sq")
    assert logs == [
        ("gift", 0.0, 0.0),
        ("gift", 0.693147181, 0.480453015),
        ("none", 1.098612289, 1.206948962),
    ]


def test_ratios_are_of_sums(cells) -> None:
    ratio = cells["ratio"]
    columns = ("scheme", "n", "top", "bottom", "top_sq", "bottom_sq", "cross")
    assert rows(ratio, *columns, outcome="revenue_per_active_day") == [
        ("gift", 2, 2.0, 2.0, 4.0, 2.0, 2.0),
        ("none", 1, 2.0, 2.0, 4.0, 4.0, 4.0),
    ]
    assert rows(ratio, "scheme", "top", outcome="events_per_active_day") == [("gift", 2.0), ("none", 3.0)]


def test_the_covariate_is_from_before_the_members_own_assignment(cells) -> None:
    """0 came on two days of the 28 before (75 is 25 days before; 60 and 59.9 are one day) and paid 6."""
    columns = ("scheme", "n", "new", "total", "before", "before_sq", "cross")
    assert rows(cells["covariate"], *columns, outcome="kept_at_10") == [
        ("gift", 2, 0, 1.0, 0.0, 0.0, 0.0),
        ("none", 1, 0, 1.0, 2.0, 4.0, 2.0),
    ]
    assert rows(cells["covariate"], *columns, outcome="revenue")[1] == ("none", 1, 0, 2.0, 6.0, 36.0, 12.0)


def test_weeks_after_assignment_count_those_followed_to_their_end(cells) -> None:
    """1 leaves in week 0; 3 is not followed for one week. 0 pays 2 in week 0 and comes again in week 1."""
    after = cells["after"]
    assert rows(after, "scheme", "week", "at_risk", "left", "active", "paid_n", "paid") == [
        ("gift", 0, 2, 1, 2, 1, 2.0),
        ("gift", 1, 1, 0, 0, 0, 0.0),
        ("none", 0, 1, 0, 1, 1, 2.0),
        ("none", 1, 1, 0, 1, 1, 50.0),
    ]


def test_arrivals_are_days_since_the_first_assignment(cells) -> None:
    assert rows(cells["arrivals"], "day", "scheme", "assigned") == [
        (0, "gift", 1),
        (0, "none", 1),
        (10, "gift", 1),
        (46, "none", 1),
    ]


def test_traits_are_those_the_case_brought_and_the_weekday(cells) -> None:
    """12 May 2025 was a Monday, 22 May a Thursday, 27 June a Friday."""
    traits = cells["traits"]
    assert set(traits["column"]) == {"plan", "weekday of assignment"}
    assert rows(traits, "level", "scheme", "assigned", column="plan") == [
        ("basic", "gift", 1),
        ("basic", "none", 1),
        ("plus", "gift", 1),
        ("plus", "none", 1),
    ]
    assert rows(traits, "level", "scheme", "assigned", column="weekday of assignment") == [
        ("Friday", "none", 1),
        ("Monday", "gift", 1),
        ("Monday", "none", 1),
        ("Thursday", "gift", 1),
    ]


def test_balance_has_sums_and_products(cells) -> None:
    """Whole days since joining: 50 and 10 (gift), 50 and 56 (none)."""
    columns = ("scheme", "n", "total", "total_sq")
    assert rows(cells["balance"], *columns, covariate="tenure_days") == [
        ("gift", 2, 60.0, 2_600.0),
        ("none", 2, 106.0, 5_636.0),
    ]
    pairs = rows(cells["balance_pairs"], "one", "other", "scheme", "total", one="active_days_before")
    assert pairs == [
        ("active_days_before", "paid_before", "gift", 0.0),
        ("active_days_before", "paid_before", "none", 12.0),
    ]


def test_outcomes_that_cannot_be_known_are_of_whole_months(cells) -> None:
    """June is not followed to its end, so whoever was withheld in June does not count either."""
    assert rows(cells["missing"], "outcome", "scheme", "assigned", "known", "k") == [
        ("kept_at_10", "gift", 4, 2, 1),
        ("kept_at_10", "none", 1, 1, 1),
    ]


def test_exposure_is_what_was_booked_of_the_own_scheme_in_time(cells) -> None:
    """1 by a cost, 2 by a message; the cost of 0 is of another scheme."""
    found = rows(cells["exposed"], "scheme", "exposed", "n", "k", outcome="kept_at_10")
    assert found == [("gift", "yes", 2, 1), ("none", "no", 1, 1)]


def test_overlaps_are_with_trials_entered_before_the_last_horizon(cells) -> None:
    assert rows(cells["overlap"], "trial", "other_scheme", "scheme", "n", "k") == [
        ("side", "loud", "none", 1, 1)
    ]


def test_clusters_are_summed_first(cells) -> None:
    columns = ("scheme", "clusters", "n", "n_sq", "total", "total_sq", "cross")
    assert rows(cells["clusters"], *columns, outcome="kept_at_10") == [
        ("gift", 1, 2, 4, 1.0, 1.0, 2.0),
        ("none", 1, 1, 1, 1.0, 1.0, 1.0),
    ]


def test_who_was_brought_later_is_judged_from_joining_on(cells) -> None:
    """2 and 6 were brought by 0 (none); 6 left after 8 days; 4 is not followed for ten days."""
    assert rows(cells["neighbours"], "scheme", "own", "n", "k") == [
        ("none", "-", 1, 0),
        ("none", "gift", 1, 1),
    ]


def test_members_of_the_trial_stand_by_who_brought_them(cells) -> None:
    """0 and 1 were brought by nobody; 2 by 0 (none), and stays; 3 is not followed for ten days."""
    assert rows(cells["brought"], "scheme", "referrer", "n", "k") == [
        ("gift", "-", 1, 0),
        ("gift", "none", 1, 1),
        ("none", "-", 1, 1),
    ]


def test_features_are_of_before_and_sum_what_came_after(cells) -> None:
    features = cells["features"]
    assert features["n"].sum() == 3
    assert features["revenue"].astype(float).sum() == 4.0
    columns = ("plan", "tenure", "active_before", "paid_before", "scheme", "block", "n", "kept", "total")
    assert rows(features, *columns) == [
        ("basic", "less than 90 days", "1 to 3", "something", "none", 0, 1, 1, 1.0),
        ("basic", "less than 90 days", "none", "nothing", "gift", 1, 1, 0, -0.5),
        ("plus", "less than 30 days", "none", "nothing", "gift", 2, 1, 1, 1.0),
    ]


def test_without_other_tables_there_are_fewer() -> None:
    made = make_cells(tidy(), "trials", PARAMS).tables
    assert "exposed" not in made
    assert set(made["binary"]["outcome"]) == {"kept_at_10", "converted"}


def test_where_nobodys_leaving_is_recorded_being_with_us_is_no_outcome() -> None:
    """A shop knows purchases only: that all are with us after ten days would be no finding."""
    shop = tidy()
    shop.meta["present"]["members"].remove("churned_at")
    made = make_cells(shop, "trials", PARAMS)
    assert set(made["binary"]["outcome"]) == set(made["missing"]["outcome"]) == {"converted"}
    assert "times" not in made.tables
    assert made.meta["guarded"] == "converted"


def test_all_tables_are_equal_for_any_order_and_number_of_threads() -> None:
    once = make_cells(tidy(left_out=()), "trials", PARAMS)
    again = make_cells(tidy(left_out=(), engine=connect(threads=1)), "trials", PARAMS)
    assert once.fingerprint == again.fingerprint


@pytest.mark.parametrize(("amount", "expected"), [("0", 0), ("0.05", 1), ("0.1", 2), ("100000", len(BOUNDS))])
def test_bins_begin_at_their_bound(amount, expected) -> None:
    table = ibis.memtable({"paid": [Decimal(amount)]}, schema=ibis.schema({"paid": "decimal(12, 4)"}))
    found = connect().to_pyarrow(table.select(place=bin_of(table.paid)))["place"].to_pylist()
    assert found == [expected]
    assert [*BOUNDS] == sorted({*BOUNDS})


@pytest.mark.parametrize(
    ("cluster_of_5", "expected"),
    [("a", [("gift", 1), ("none", 2)]), ("b", [("gift", 0), ("none", 0)]), ("", [])],
)
def test_members_of_units_that_are_in_several_schemes_are_a_fault(
    monkeypatch, cluster_of_5, expected
) -> None:
    """Unit a: 0 and 3 under none and, if put there, 5 under gift; without units nothing is said of them."""
    split = [(*row[:4], cluster_of_5 and (cluster_of_5 if row[1] == 5 else row[4])) for row in ASSIGNED]
    monkeypatch.setitem(globals(), "ASSIGNED", [(*row[:4], row[4] or None) for row in split])
    faults = assigning_tables(tidy(), PARAMS)["faults"].execute()
    assert rows(faults, "scheme", "members", fault="split_unit") == expected
