"""Counts up to any instant equal plain Python, and nothing after it is counted."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pytest

from sojourn.core.measures import Counting, Kind, Measure
from sojourn.core.schema import CONTRACT
from sojourn.data.activity import micros
from sojourn.data.features import (
    FAMILIES,
    columns_of,
    counted_at,
    counting_of,
    day_before,
    measure_value,
    numbered,
)
from sojourn.data.tidy import MissingTableError, Tidy
from tidy_worlds import tables

ZONE = ZoneInfo("Europe/Berlin")
AS_OF = datetime(2025, 6, 30, 22, tzinfo=UTC)
FROM = AS_OF - timedelta(days=300)
DAY = timedelta(days=1)
AT = AS_OF - 60 * DAY
PARAMS = {"trend_days": 20, "min_tenure_days": 45, "kinds": 3, "social": ["share", "sing", "like"]}
HOURS = ("night", "morning", "afternoon", "evening")
#: Whole days before `as_of`, to which each member's doings are counted: some long before joining.
ANCHORS = (0, 1, 60, 170)


def a_world(seed=1, n=20):
    """Return rows of all tables; many instants lie exactly on an anchor, or beside one."""
    draw = random.Random(seed)

    def some(days=299):
        at = AS_OF - timedelta(
            days=draw.randint(0, days),
            seconds=draw.choice([0, 0, 1, -1, 7_000, 30_000, 50_000, 64_800, 64_801]),
        )
        return min(at, AS_OF)

    def after(at):
        return draw.choice([None, at + timedelta(days=draw.choice([0, 1, 60]), seconds=5)])

    members = [
        {"member": i, "joined_at": some(420), "referred_by": draw.choice([None, draw.randrange(n)])}
        for i in range(n)
    ]
    events, messages, ledger = [], [], []
    for i in range(n):
        for _ in range(draw.choice([0, 2, 15])):
            at, (what, feature) = some(), draw.choice([("view", "shop"), ("view", None), ("like", "wall")])
            what = draw.choice([what, what, "share", "order"])
            events.append(
                {
                    "member": i,
                    "occurred_at": at,
                    "recorded_at": draw.choice([None, None, after(at)]),
                    "event": what,
                    "feature": feature,
                    "item_id": draw.choice([None, "a", "b", "c", "nowhere"]),
                    "amount": Decimal(draw.choice(["12.3400", "-5.0000", "0.0000"]))
                    if what == "order"
                    else None,
                }
            )
        for _ in range(draw.choice([0, 4])):
            at = some()
            messages.append(
                {
                    "member": i,
                    "sent_at": at,
                    "channel": "push",
                    "opened_at": after(at),
                    "clicked_at": after(at),
                }
            )
        for _ in range(draw.choice([0, 5])):
            kind = draw.choice(["earn", "redeem", "expire"])
            points = draw.randint(1, 90) * (1 if kind == "earn" else -1)
            ledger.append({"member": i, "at": some(), "kind": kind, "points": points})
    items = [
        {"item_id": i, "published_at": FROM, "category": c} for i, c in (("a", "x"), ("b", "y"), ("c", None))
    ]
    return {"members": members, "events": events, "messages": messages, "ledger": ledger, "items": items}


def opened(world):
    """Return a world as tidy tables of the engine."""
    frames = {}
    for name, rows in world.items():
        frames[name] = pd.DataFrame(rows)
        for column, kind in CONTRACT[name].tidy.items():
            if kind == "instant" and column in frames[name]:
                frames[name][column] = pd.to_datetime(frames[name][column], utc=True).astype(
                    "datetime64[us, UTC]"
                )
            if kind == "id" and column in frames[name]:
                frames[name][column] = frames[name][column].astype("Int64")
    meta = {
        "as_of": AS_OF.isoformat(),
        "observed_from": FROM.isoformat(),
        "first_instant": FROM.isoformat(),
        "time_zone": "Europe/Berlin",
    }
    return Tidy("test", tables(frames), meta)


def anchors(members, days=ANCHORS):
    rows = [(m["member"], micros(AS_OF - d * DAY), d) for m in members for d in days]
    return ibis.memtable(pd.DataFrame(rows, columns=["member", "at_us", "days"]))


def before(row, name, at):
    return row[name] is not None and row[name] <= at


def in_python(world, counting, person, at):
    """Return what plain Python counts of one member up to an instant."""
    mine = {t: [r for r in rows if r.get("member") == person["member"]] for t, rows in world.items()}
    done = [
        e
        for e in mine["events"]
        if e["occurred_at"] <= at and (e["recorded_at"] is None or e["recorded_at"] <= at)
    ]
    days = {e["occurred_at"].astimezone(ZONE).date() for e in done}
    observed = (at - max(person["joined_at"], FROM)) // DAY
    category = {i["item_id"]: i["category"] for i in world["items"]}

    def within(first, last):
        ago = [e for e in done if first <= (at - e["occurred_at"]) // DAY < last]
        return len({e["occurred_at"].astimezone(ZONE).date() for e in ago})

    def often(kind):
        return sum((e["event"], e["feature"]) == (kind.event, kind.feature) for e in done)

    sent = [m for m in mine["messages"] if m["sent_at"] <= at]
    moved = [p for p in mine["ledger"] if p["at"] <= at]
    return {
        "observed_days": observed,
        "tenure_days": (at - person["joined_at"]) // DAY,
        "recency_days": min(((at - e["occurred_at"]) // DAY for e in done), default=observed),
        "active_days": len(days),
        "events": len(done),
        "active_last": within(0, 20),
        "active_before": within(20, 40),
        "kinds": len({(e["event"], e["feature"]) for e in done}),
        "purchases": sum((e["amount"] or 0) > 0 for e in done),
        "weekend_days": sum(day.weekday() >= 5 for day in days),
        **{f"kind_{i}": often(kind) for i, kind in enumerate(counting.kinds, start=1)},
        **{
            part: sum(e["occurred_at"].astimezone(ZONE).hour // 6 == i for e in done)
            for i, part in enumerate(HOURS)
        },
        "features": len({e["feature"] for e in done} - {None}),
        "categories": len({category.get(e["item_id"]) for e in done} - {None}),
        "social": sum(e["event"] in ("share", "like") for e in done),
        "referred": sum(
            m["referred_by"] == person["member"] and m["joined_at"] <= at for m in world["members"]
        ),
        "sent": len(sent),
        "opened": sum(before(m, "opened_at", at) for m in sent),
        "clicked": sum(before(m, "clicked_at", at) for m in sent),
        "points_earned": sum(p["points"] for p in moved if p["kind"] == "earn"),
        "points_redeemed": -sum(p["points"] for p in moved if p["kind"] == "redeem"),
        "points_balance": sum(p["points"] for p in moved),
        "value": sum((e["amount"] or Decimal(0) for e in done), Decimal(0)),
    }


def in_order(table):
    return table.sort_values(["member", "at_us"], ignore_index=True).astype({"value": float})


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_at_many_instants_are_those_of_plain_python(seed):
    world = a_world(seed)
    tidy = opened(world)
    counting = counting_of(tidy, PARAMS, AT)
    assert set(counting.families) == set(FAMILIES)
    assert counting.social == ("like", "share", "sing")  # all that is stated, whoever did it
    found = counted_at(tidy, counting, anchors(world["members"])).to_pandas()
    rows = [
        {"member": m["member"], "at_us": micros(AS_OF - d * DAY), "days": d}
        | in_python(world, counting, m, AS_OF - d * DAY)
        for m in world["members"]
        for d in ANCHORS
    ]
    expected = pd.DataFrame(rows)
    assert (expected[columns_of(tuple(FAMILIES))].sum() != 0).all()
    pd.testing.assert_frame_equal(in_order(found), in_order(expected), check_dtype=False)
    assert all(str(kind) == "int64" for name, kind in found.dtypes.items() if name != "value")


def test_one_shared_instant_is_counted_as_many_are():
    world = a_world(3)
    tidy = opened(world)
    counting, where = counting_of(tidy, PARAMS, AT), anchors(world["members"], (60,))
    shared, each = (counted_at(tidy, counting, where, at=at).to_pandas() for at in (AT, None))
    pd.testing.assert_frame_equal(in_order(shared), in_order(each))


def test_only_the_counts_that_are_asked_for_are_made():
    world = a_world(4)
    tidy = opened(world)
    counting, where = counting_of(tidy, PARAMS, AT), anchors(world["members"])
    everything = in_order(counted_at(tidy, counting, where).to_pandas())
    for asked in (["recency_days"], ["tenure_days"], ["kind_2", "points_balance", "value"]):
        some = counted_at(tidy, counting, where, columns=[*asked, "no such count"]).to_pandas()
        assert list(some.columns) == ["member", "at_us", "days", *asked]
        some = some.sort_values(["member", "at_us"], ignore_index=True)
        pd.testing.assert_frame_equal(some.astype(float), everything[some.columns].astype(float))


LATER = AT + timedelta(microseconds=1)
PLANTED = {
    "a future event": {"events": {"occurred_at": LATER, "recorded_at": None}},
    "an event learnt late": {"events": {"occurred_at": AT - DAY, "recorded_at": LATER}},
    "a future message": {"messages": {"sent_at": LATER, "opened_at": LATER, "clicked_at": LATER}},
    "a future movement of points": {"ledger": {"at": LATER}},
    "a future referral": {"members": {"joined_at": LATER}},
}
ROWS = {
    "events": {"event": "order", "feature": "new", "item_id": "b", "amount": Decimal("9.0000")},
    "messages": {"channel": "push"},
    "ledger": {"kind": "earn", "points": 1_000},
    "members": {"referred_by": 0},
}


@pytest.fixture(scope="module")
def honest():
    """A world, how it is counted, and its counts."""
    world = a_world(5)
    tidy = opened(world)
    counting = counting_of(tidy, PARAMS, AT)
    return world, counting, in_order(counted_at(tidy, counting, anchors(world["members"], (60,))).to_pandas())


@pytest.mark.parametrize("planted", PLANTED)
def test_nothing_after_the_instant_is_counted(honest, planted):
    world, counting, expected = honest
    (name, row) = next(iter(PLANTED[planted].items()))
    more = [{"member": 0 if name != "members" else 900 + i, **ROWS[name], **row} for i in range(5)]
    moved = [{**r, **{c: AT for c, v in row.items() if v is not None}} for r in more]
    where = anchors(world["members"], (60,))
    spoilt, known = (opened({**world, name: [*world[name], *rows]}) for rows in (more, moved))
    assert name != "events" or counting_of(spoilt, PARAMS, AT) == counting
    pd.testing.assert_frame_equal(in_order(counted_at(spoilt, counting, where).to_pandas()), expected)
    counted = in_order(counted_at(known, counting, where).to_pandas())  # the same at the very instant
    assert not counted.equals(expected)


def test_a_message_that_is_opened_later_is_not_opened():
    world = a_world(6, n=3)
    world["messages"] = [
        {"member": 0, "sent_at": AT - DAY, "channel": "push", "opened_at": at, "clicked_at": at}
        for at in (AT - DAY, AT, LATER, None)
    ]
    counting = Counting(20, 45, (), ("messages", "clicks"))
    counts = counted_at(opened(world), counting, anchors(world["members"][:1], (60,))).to_pandas()
    (row,) = counts.to_dict("records")
    assert (row["sent"], row["opened"], row["clicked"]) == (4, 2, 2)


@pytest.mark.parametrize(
    ("missing", "families"),
    [
        ("items", {"categories"}),
        ("messages", {"messages", "clicks"}),
        ("ledger", {"points"}),
        (("events", "item_id"), {"categories"}),
        (("events", "feature"), {"features"}),
        (("members", "referred_by"), {"referral"}),
        (("messages", "clicked_at"), {"clicks"}),
        (("messages", "opened_at"), {"messages"}),
    ],
)
def test_what_is_missing_is_no_zero(missing, families):
    world = a_world(7)
    if isinstance(missing, str):
        del world[missing]
    else:
        name, column = missing
        world[name] = [{c: v for c, v in row.items() if c != column} for row in world[name]]
    tidy = opened(world)
    counting = counting_of(tidy, PARAMS, AT)
    assert set(FAMILIES) - set(counting.families) == families
    counts = counted_at(tidy, counting, anchors(world["members"])).to_pandas()
    assert set(columns_of(tuple(FAMILIES))) - set(counts.columns) == set(columns_of(tuple(families)))
    assert counts.notna().all(axis=None)


def test_a_column_that_the_case_did_not_bring_is_missing_though_the_door_made_it():
    tidy = opened(a_world(8))
    present = {"present": {"members": ["member_id", "joined_at"]}}
    bare = Tidy("test", tidy.tables, {**tidy.meta, **present})
    assert set(counting_of(tidy, PARAMS, AT).families) - set(counting_of(bare, PARAMS, AT).families) == {
        "referral"
    }


def test_dates_without_times_have_no_rhythm_of_the_day():
    world = a_world(9)
    for row in world["events"]:
        row["occurred_at"] = row["occurred_at"].astimezone(ZONE).replace(hour=0, minute=0, second=0)
    assert "hours" not in counting_of(opened(world), PARAMS, AT).families
    others = {row["member"]: row for row in world["events"]}.values()  # one event of every member
    for n, row in enumerate(list(others)[:3], start=1):
        row["occurred_at"], row["recorded_at"] = AT - timedelta(days=9, seconds=1), None
        for base in (0, 2, 3):
            timed = "hours" in counting_of(opened(world), {**PARAMS, "base": base}, AT).families
            assert timed == (n >= max(base, 2))


def test_nobody_social_is_no_family():
    tidy = opened(a_world(10))
    for social in ([], ["sing"]):
        counting = counting_of(tidy, {**PARAMS, "social": social}, AT)
        assert "social" not in counting.families
        assert counting.social == ()


def test_without_events_there_is_nothing_to_count():
    world = a_world(11)
    del world["events"]
    with pytest.raises(MissingTableError, match="events"):
        counting_of(opened(world), PARAMS, AT)


def test_a_counting_is_the_same_after_it_was_written_down():
    counting = counting_of(opened(a_world(12)), PARAMS, AT)
    assert Counting.from_plain(counting.to_plain()) == counting
    assert numbered(counting.kinds) == ["kind_1", "kind_2", "kind_3"]
    assert isinstance(counting.kinds[0], Kind)


def test_the_day_before_is_the_last_whole_day_before_as_of_not_after_an_instant():
    instants = [
        AS_OF - d * DAY + timedelta(microseconds=u) for d in (0, 1, 5, 400) for u in (-1, 0, 1, 7 * 10**9)
    ]
    table = ibis.memtable(pd.DataFrame({"i": [micros(at) for at in instants]}))
    found = table.mutate(d=day_before(table.i, AS_OF)).to_pandas()
    expected = [micros(AS_OF - -((at - AS_OF) // DAY) * DAY) for at in found["i"].map(_instant)]
    assert found["d"].tolist() == expected
    assert (found["i"] - found["d"]).between(0, 86_400_000_000 - 1).all()


def _instant(us):
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(us))


MEASURES = (
    Measure("a", "", ("events",)),
    Measure("b", "", ("active_days",), times=30, over="observed_days"),
    Measure("c", "", ("value",), times=30, over="observed_days", decimals=4),
    Measure("d", "", ("active_last",), ("active_before",)),
    Measure("e", "", ("kind_1", "kind_2"), ("night",), over="events"),
    Measure("f", "", ("value",), decimals=4),
)


def test_measures_in_the_engine_are_those_of_python_to_the_last_bit():
    world = a_world(13)
    tidy = opened(world)
    counts = counted_at(tidy, counting_of(tidy, PARAMS, AT), anchors(world["members"]))
    told = counts.mutate(**{m.name: measure_value(counts, m) for m in MEASURES}).to_pandas()
    for measure in MEASURES:
        assert told[measure.name].tolist() == measure.of(told).tolist(), measure.name
        assert told[measure.name].nunique() > 3
    assert (told["observed_days"] <= 0).any()  # a quotient of nothing is 0 in both
