"""Cells of segments: counts equal plain Python, and nothing after the cut enters a feature.

Making cells costs a second however few members there are: there are few examples, and they hold many members.
"""

import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sojourn.core.errors import ParameterError
from sojourn.data.cells import make_cells
from sojourn.data.cells.segments import OUTCOMES
from sojourn.data.features import BASE
from sojourn.data.tidy import Tidy

ZONE = ZoneInfo("America/New_York")
AS_OF = datetime(2025, 7, 1, 4, tzinfo=UTC)
PARAMS = {"outcome_days": 60, "trend_days": 20, "min_tenure_days": 45, "kinds": 3, "sample_size": 10_000}
CUT = AS_OF - timedelta(days=60)
FROM = AS_OF - timedelta(days=300)
DAY = timedelta(days=1)
AFTERWARDS = [*OUTCOMES, "value_next"]
INSTANT = pa.timestamp("us", tz="UTC")
EVENTS = pa.schema(
    [
        ("member", pa.int64()),
        ("occurred_at", INSTANT),
        ("recorded_at", INSTANT),
        ("event", pa.string()),
        ("feature", pa.string()),
        ("amount", pa.decimal128(18, 4)),
    ]
)


def tidy(members, events, *, truth=None, spells=None):
    frames = {"members": pd.DataFrame(members), "events": pd.DataFrame(events)}
    for frame, names in (
        (frames["members"], ("joined_at", "churned_at")),
        (frames["events"], ("occurred_at",)),
    ):
        for name in [*names, *({"recorded_at"} & set(frame.columns))]:
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    tables = {
        "members": ibis.memtable(frames["members"]),
        "events": ibis.memtable(pa.Table.from_pandas(frames["events"], schema=EVENTS, preserve_index=False)),
    }
    if spells:
        frame = pd.DataFrame(spells)
        for name in ("started_at", "ended_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
        tables["spells"] = ibis.memtable(frame)
    meta = {
        "as_of": AS_OF.isoformat(),
        "observed_from": FROM.isoformat(),
        "first_instant": FROM.isoformat(),
        "time_zone": "America/New_York",
        "currency": "USD",
        **({"truth": truth} if truth else {}),
    }
    return Tidy("test", tables, meta)


def member(number, joined, churned=None):
    return {"member": number, "joined_at": joined, "churned_at": churned}


def event(number, at, what="visit", *told):
    feature, amount, recorded = (*told, None, None, None)[:3]
    row = {"member": number, "occurred_at": at, "recorded_at": recorded, "event": what}
    return {**row, "feature": feature, "amount": None if amount is None else Decimal(amount)}


def a_population(seed, n=120):
    """Members and events, many of them exactly on an edge: whole days from the cut, or on the cut itself."""
    draw = random.Random(seed)
    members, events = [], []
    for number in range(n):
        joined = AS_OF - timedelta(days=draw.randint(0, 420), seconds=draw.choice([0, 0, 1, -1, 40_000]))
        stay = draw.choice([None, None, timedelta(days=draw.randint(1, 400))])
        churned = joined + stay if stay and joined + stay <= AS_OF else None
        members.append(member(number, joined, churned))
        for _ in range(draw.choice([0, 1, 3, 12])):
            at = AS_OF - timedelta(days=draw.randint(0, 299), seconds=draw.choice([0, 1, -1, 7_000, 60_000]))
            late = draw.choice([None, None, at + timedelta(days=draw.choice([0, 1, 90]))])
            what, feature = draw.choice(
                [("visit", None), ("order", "shop"), ("order", "app"), ("share", None)]
            )
            amount = draw.choice([None, "0.0000", "12.3400", "-5.0000"]) if what == "order" else None
            events.append(event(number, at, what, feature, amount, late))
    events.append(event(0, CUT, "visit"))
    events.append(event(0, CUT + timedelta(microseconds=1), "visit"))
    return members, events


def came_back(members, seed):
    """Return the spells of members: some who left come back, of whom some leave again; edges on the cut."""
    draw, spells = random.Random(seed), []
    for person in members:
        left = person["churned_at"]
        row = {"member": person["member"], "started_at": person["joined_at"], "ended_at": left}
        spells.append(row)
        while left is not None and draw.random() < 0.7:
            back = max(left + timedelta(seconds=1), draw.choice([CUT, left + draw.randint(1, 90) * DAY]))
            left = draw.choice([None, back + draw.randint(1, 200) * DAY])
            if back > AS_OF:
                break
            left = left if left is not None and left <= AS_OF else None
            other = (left or AS_OF) - timedelta(seconds=1)  # then on another plan: nobody left
            change = min(other, max(back, CUT) + draw.randint(0, 9) * DAY) if draw.random() < 0.5 else back
            if change > back:
                spells.append({"member": person["member"], "started_at": back, "ended_at": change})
            spells.append({"member": person["member"], "started_at": max(back, change), "ended_at": left})
    return spells


def with_us_until(person, spells):
    """Return whether a member was with us at the cut, and when the spell ended that went on then."""
    left = person["churned_at"]
    if left is None or left > CUT:
        return True, left
    there, until = False, CUT
    for row in spells:  # in the order of time
        if row["member"] == person["member"] and left < row["started_at"] <= until:
            if row["ended_at"] is None:
                return True, None
            if row["ended_at"] > until:
                there, until = True, row["ended_at"]
    return there, until if there else None


def known(row, instant):
    return row["occurred_at"] <= instant and (row["recorded_at"] is None or row["recorded_at"] <= instant)


def common_kinds(events):
    found = {}
    for row in events:
        if known(row, CUT):
            key = (row["event"], row["feature"] or "")
            found[key] = found.get(key, 0) + 1
    return sorted(found, key=lambda key: (-found[key], key))[: PARAMS["kinds"]]


def counted(person, rows, kinds, spells=()):
    """Return what plain Python makes of one member, None for one who is left out."""
    tenure = (CUT - person["joined_at"]) // DAY
    observed = (CUT - max(person["joined_at"], FROM)) // DAY
    there, gone = with_us_until(person, spells)
    if observed < PARAMS["min_tenure_days"] or not there:
        return None
    before = [row for row in rows if known(row, CUT)]
    after = [row for row in rows if row["occurred_at"] > CUT and known(row, AS_OF)]

    def ago(row):
        return (CUT - row["occurred_at"]) // DAY

    def days(some):
        return {row["occurred_at"].astimezone(ZONE).date() for row in some}

    def paid(some):
        return sum((row["amount"] or Decimal(0) for row in some), Decimal(0))

    def bought(some):
        return sum((row["amount"] or 0) > 0 for row in some)

    return {
        "observed_days": observed,
        "tenure_days": tenure,
        "recency_days": min(map(ago, before), default=observed),
        "active_days": len(days(before)),
        "events": len(before),
        "active_last": len(days([row for row in before if ago(row) < 20])),
        "active_before": len(days([row for row in before if 20 <= ago(row) < 40])),
        "kinds": len({(row["event"], row["feature"] or "") for row in before}),
        "purchases": bought(before),
        "weekend_days": sum(day.weekday() >= 5 for day in days(before)),
        **{
            f"kind_{i}": sum((row["event"], row["feature"] or "") == kind for row in before)
            for i, kind in enumerate(kinds, start=1)
        },
        **dict(zip(("night", "morning", "afternoon", "evening"), quarters(before), strict=True)),
        "features": len({row["feature"] for row in before} - {None}),
        "active_next": int(bool(after)),
        "stayed_next": int(gone is None or gone > AS_OF),
        "active_days_next": len(days(after)),
        "purchases_next": bought(after),
        "left_after": -((CUT - gone) // DAY) if gone is not None and gone <= AS_OF else 0,
        "value": paid(before),
        "value_next": paid(after),
    }


def quarters(rows):
    """Return how many rows fall into each six hours of the local day."""
    hours = [row["occurred_at"].astimezone(ZONE).hour // 6 for row in rows]
    return [hours.count(i) for i in range(4)]


def in_python(members, events, spells=()):
    kinds = common_kinds(events)
    rows = [counted(m, [e for e in events if e["member"] == m["member"]], kinds, spells) for m in members]
    return pd.DataFrame([row for row in rows if row is not None])


def test_who_had_come_back_by_the_cut_is_looked_at_and_may_leave_again():
    members, events = a_population(3)
    spells = came_back(members, 3)
    sample = make_cells(tidy(members, events, spells=spells), "segments", PARAMS).tables["sample"]
    expected, before = in_python(members, events, spells), in_python(members, events)
    more = len(expected) - len(before)
    assert more > 5
    assert 0 < (expected["left_after"] > 0).sum() - (before["left_after"] > 0).sum() < more
    pd.testing.assert_frame_equal(in_order(sample), in_order(expected))


def in_order(frame):
    frame = frame.astype(float)
    return frame.sort_values(sorted(frame.columns), ignore_index=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_count_is_what_plain_python_counts(seed):
    members, events = a_population(seed)
    cells = make_cells(tidy(members, events), "segments", PARAMS)
    expected = in_python(members, events)
    assert 30 < len(expected) < len(members)  # some are in and some are left out
    assert (expected[["purchases", "active_last", "active_before", "weekend_days"]].sum() > 0).all()
    sample = cells.tables["sample"]
    assert list(sample.columns) == list(expected.columns)  # and so no key is among them
    pd.testing.assert_frame_equal(in_order(sample), in_order(expected))


def test_moments_are_those_of_all_members_whatever_the_sample():
    members, events = a_population(3)
    small = make_cells(tidy(members, events), "segments", {**PARAMS, "sample_size": 7})
    expected = in_python(members, events)
    (row,) = small["moments"].to_dict("records")
    assert len(small["sample"]) == 7
    assert row["members"] == len(expected)
    for name in [*BASE, "kind_1", "kind_2", "kind_3", "value"]:
        values = expected[name].astype(float)
        assert row[f"{name}_sum"] == pytest.approx(values.sum(), abs=1e-9)
        assert row[f"{name}_squares"] == pytest.approx((values**2).sum(), abs=1e-6)
    for name in BASE:
        logged = np.log1p(expected[name].astype(float))
        # each of up to 120 logarithms below 7 is rounded to 1e-9, so sums are off by 120 * 1e-9 at most
        assert row[f"log_{name}_sum"] == pytest.approx(logged.sum(), abs=2e-7)
        assert row[f"log_{name}_squares"] == pytest.approx((logged**2).sum(), abs=2e-6)


def test_the_square_of_a_large_amount_is_exact():
    events = [event(0, CUT - DAY, "order", "shop", "132231.9400"), event(0, CUT - DAY, "visit")]
    (row,) = make_cells(tidy([member(0, FROM)], events), "segments", PARAMS)["moments"].to_dict("records")
    assert row["value_squares"] == float(Decimal("132231.94") ** 2)


def test_nothing_after_the_cut_enters_a_feature():
    members, events = a_population(4)
    planted = [
        event(m["member"], CUT + timedelta(seconds=1 + 7_000 * i), "a new thing", "new", "999.0000")
        for i, m in enumerate(members)
        for _ in range(20)
    ]
    learnt_late = [event(m["member"], CUT - 3 * DAY, "order", "shop", "77.0000", CUT + DAY) for m in members]
    honest, spoilt = (
        make_cells(tidy(members, [*events, *more]), "segments", PARAMS)
        for more in ([], [*planted, *learnt_late])
    )
    before = [name for name in honest["sample"].columns if name not in AFTERWARDS]
    pd.testing.assert_frame_equal(honest["sample"][before], spoilt["sample"][before])
    pd.testing.assert_frame_equal(honest["moments"], spoilt["moments"])
    assert honest.meta["kinds"] == spoilt.meta["kinds"]
    assert spoilt["sample"]["active_next"].all()  # they did arrive, as outcomes
    assert not honest["sample"]["active_next"].all()


def test_leaving_after_the_cut_is_an_outcome_and_no_feature():
    members, events = a_population(5)
    left = [{**m, "churned_at": CUT + DAY} if m["churned_at"] is None else m for m in members]
    honest, spoilt = (make_cells(tidy(some, events), "segments", PARAMS) for some in (members, left))
    rest = [name for name in honest["sample"].columns if name not in ("stayed_next", "left_after")]
    pd.testing.assert_frame_equal(honest["sample"][rest], spoilt["sample"][rest])
    assert honest["sample"]["stayed_next"].any()
    assert not spoilt["sample"]["stayed_next"].any()


def test_order_of_rows_changes_nothing():
    members, events = a_population(6)
    shuffled = random.Random(1).sample(members, len(members)), random.Random(2).sample(events, len(events))
    for size in (7, 10_000):
        params = {**PARAMS, "sample_size": size}
        first = make_cells(tidy(members, events), "segments", params)
        again = make_cells(tidy(*shuffled), "segments", params)
        assert first.fingerprint == again.fingerprint


def test_the_sample_is_a_part_of_all_and_grows_by_adding():
    members, events = a_population(7)
    small, large = (
        make_cells(tidy(members, events), "segments", {**PARAMS, "sample_size": size})["sample"]
        for size in (10, 25)
    )
    assert len(small) == 10
    rows = [Counter(map(tuple, some.to_numpy().tolist())) for some in (small, large)]
    assert rows[0] <= rows[1]
    assert not {"member", "key"} & set(large.columns)


def test_the_sample_is_not_simply_the_first_to_join():
    members = [member(i, CUT - timedelta(days=200 - i // 8)) for i in range(800)]
    events = [event(i, CUT - DAY) for i in range(800)]
    tenure = make_cells(tidy(members, events), "segments", {**PARAMS, "sample_size": 200})["sample"][
        "tenure_days"
    ]
    everyone = pd.Series([200 - i // 8 for i in range(800)])
    # 200 of 800: the mean of a simple random sample is off by 4 standard errors once in 16,000 draws
    error = everyone.std() * math.sqrt((1 / 200) * (600 / 799))
    assert abs(tenure.mean() - everyone.mean()) < 4 * error


def test_two_parts_of_one_event_are_named_by_both():
    events = [event(0, CUT - i * DAY, "order", part) for i, part in enumerate(["app", "shop", "shop", None])]
    events += [event(0, CUT - DAY, "visit") for _ in range(9)]
    found = make_cells(tidy([member(0, FROM)], events), "segments", {**PARAMS, "kinds": 9})
    assert found.meta["kinds"] == ["visit", "order shop", "order", "order app"]
    assert found["sample"][["kind_1", "kind_2", "kind_3", "kind_4"]].iloc[0].tolist() == [9, 2, 1, 1]


def test_a_cut_before_there_is_anything_to_see_is_refused():
    members, events = a_population(8, n=5)
    with pytest.raises(ParameterError, match=r"leaves 44 days of observation before the cut.*\(45\)"):
        make_cells(tidy(members, events), "segments", {**PARAMS, "outcome_days": 256})


def test_meta_says_the_cut_and_the_truth_of_a_simulated_world():
    members, events = a_population(9, n=5)
    truth = {"segments": {"count": 3, "features": []}}
    known_world = make_cells(tidy(members, events, truth=truth), "segments", PARAMS)
    assert known_world.meta["cut"] == CUT.isoformat()
    assert known_world.meta["truth"] == truth["segments"]
    winter = make_cells(tidy(members, events), "segments", {**PARAMS, "outcome_days": 120})
    assert winter.meta["cut_date"] == "2025-03-03"  # by the calendar; the instant is 23:00 of the day before
    assert "truth" not in make_cells(tidy(members, events), "segments", PARAMS).meta
