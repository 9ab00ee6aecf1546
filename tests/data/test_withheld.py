"""Who may not be analysed is in no table; how many of each scheme that are is counted at the door."""

from __future__ import annotations

import pyarrow.parquet as pq

from sojourn.data.prepare import prepare

MEMBERS = """member_id,joined_at,consent
a,2025-01-02,true
b,2025-01-02,false
c,2025-01-02,false
d,2025-01-02,false
e,2025-07-02,true
"""
EVENTS = "member_id,occurred_at,event\na,2025-01-05,login\nb,2025-01-05,login\n"
ASSIGNMENTS = """trial,member_id,scheme,assigned_at
main,a,none,2025-01-03
main,b,coupon,2025-01-31T22:30:00Z
main,c,coupon,2025-01-31T23:30:00Z
main,d,none,2025-02-03
other,d,none,2025-02-03
main,e,none,2025-07-03
"""
KEPT = {"after_as_of": "leave_out", "clock": "utc", "time_zone": "Europe/Berlin"}


def made(project, assignments=ASSIGNMENTS):
    tables = {"members": MEMBERS, "events": EVENTS, "assignments": assignments}
    folder = prepare(project.case("shop", tables, prepare=KEPT), "shop")
    return {
        name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in ("withheld", "assignments")
    }


def test_they_are_counted_by_trial_scheme_and_local_month(project) -> None:
    """b's assignment is in January in Berlin, c's in February; e's is later than as_of."""
    found = made(project)
    assert [tuple(row.values()) for row in found["withheld"]] == [
        ("main", "coupon", "2025-01", 1),
        ("main", "coupon", "2025-02", 1),
        ("main", "none", "2025-02", 1),
        ("other", "none", "2025-02", 1),
    ]
    assert [row["member"] for row in found["assignments"]] == [0]


def test_a_member_in_two_schemes_passes_the_door(project) -> None:
    found = made(project, ASSIGNMENTS + "main,a,coupon,2025-01-04\n")
    assert [(row["member"], row["scheme"]) for row in found["assignments"]] == [(0, "none"), (0, "coupon")]
