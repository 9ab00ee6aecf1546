"""Cells of the portrait: counts equal plain pandas on a drawn world and on a hand-made one, exactly."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import tidy_worlds
from sojourn.core.errors import ParameterError
from sojourn.data.cells import make_cells
from sojourn.data.cells.portrait_truth import age_bands, case_hours
from sojourn.data.tidy import MissingTableError, Tidy
from sojourn.world import make_world

AS_OF, FROM = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
ZONE = "Europe/Berlin"
PARAMS = {"follow_days": 30, "active_days": 30, "growing_days": 90, "silent_days": 20}
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def tidy(frames, **meta):
    said = {
        "as_of": AS_OF.isoformat(),
        "observed_from": FROM.isoformat(),
        "first_instant": (FROM - 60 * DAY).isoformat(),
        "time_zone": ZONE,
        "currency": "EUR",
        **meta,
    }
    return Tidy("test", tidy_worlds.tables(frames), said)


@pytest.fixture(scope="module")
def world():
    return make_world(members=600, seed=4, as_of=AS_OF, start=FROM)


@pytest.fixture(scope="module")
def frames(world):
    """Tables of a world with numbers in place of ids, as behind the door."""
    return tidy_worlds.frames_of(world, ("members", "events", "spells", "messages", "costs"))


@pytest.fixture(scope="module")
def made(frames, world):
    return make_cells(tidy(frames, truth=world.truth.summary), "portrait", PARAMS)


@pytest.fixture(scope="module")
def known(frames):
    """Events known at `as_of`, with local time and joining."""
    events = frames["events"].merge(frames["members"][["member", "joined_at"]], on="member")
    events = events[(events["occurred_at"] >= FROM) & (events["occurred_at"] <= AS_OF)]
    events = events[events["recorded_at"].isna() | (events["recorded_at"] <= AS_OF)]
    return events.assign(local=events["occurred_at"].dt.tz_convert(ZONE))


def counts(cells, table, by):
    rows = cells.tables[table].set_index(by)
    return {key: tuple(int(v) for v in row) for key, row in zip(rows.index, rows.to_numpy(), strict=True)}


def test_joiners_by_week_and_channel(made, frames):
    members = frames["members"]
    members = members[members["joined_at"] >= FROM]
    day = members["joined_at"].dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()
    monday = (day - pd.to_timedelta(day.dt.weekday, unit="D")).dt.date
    expected = members.groupby([monday, "channel"]).size()
    assert counts(made, "joined", ["week", "channel"]) == {k: (v,) for k, v in expected.items()}
    assert sum(expected) + made.meta["joined_before"] == made.meta["members"] == 600


def test_members_by_group_and_who_is_with_us(made, frames):
    members, spells = frames["members"].set_index("member"), frames["spells"]
    gone = members["churned_at"].notna()
    open_now = spells[spells["ended_at"].isna()].merge(members["churned_at"], on="member")
    back = set(open_now.loc[open_now["started_at"] > open_now["churned_at"], "member"])
    assert back, "the world has members who came back"
    there = ~gone | members.index.isin(back)
    found = counts(made, "groups", ["by", "group"])
    assert found["all", "all"] == (600, int((members["joined_at"] >= FROM).sum()), int(there.sum()))
    for plan, of in members.assign(there=there).groupby("plan"):
        assert found["plan", plan] == (len(of), int((of["joined_at"] >= FROM).sum()), int(of["there"].sum()))
    assert not any(by == "gender" for by, _ in found)


def test_days(made, frames, known):
    found = counts(made, "days", ["day", "what"])
    day = known["local"].dt.date
    for what, expected in (
        ("events", known.groupby(day).size()),
        ("active", known.groupby(day)["member"].nunique()),
        ("left", frames["members"]["churned_at"].dropna().dt.tz_convert(ZONE).dt.date.value_counts()),
    ):
        assert {d: n for (d, w), (n,) in found.items() if w == what} == dict(expected)


def test_visits_begin_after_half_an_hour_of_silence(made, known):
    rows = known.sort_values(["member", "occurred_at"], kind="stable")
    seconds = rows["occurred_at"].dt.floor("s")
    gap = seconds.groupby(rows["member"]).diff().dt.total_seconds()
    begins = rows[gap.isna() | (gap > 1_800)]
    where = [begins["local"].dt.weekday.rename("weekday"), begins["local"].dt.hour.rename("hour")]
    expected = begins.groupby(where).agg(members=("member", "nunique"), visits=("member", "size"))
    found = made.tables["visits"].set_index(["weekday", "hour"]).sort_index()
    pd.testing.assert_frame_equal(
        found[["members", "visits"]], expected, check_dtype=False, check_index_type=False
    )


def test_first_steps_are_of_members_followed_long_enough(made, frames, known):
    members = frames["members"]
    old = members[(members["joined_at"] >= FROM) & (members["joined_at"] <= AS_OF - 30 * DAY)]
    assert made.meta["followed"] == len(old)
    assert made.meta["first_value"] == "activate"
    rows = known[known["member"].isin(old["member"])]
    day = (rows["occurred_at"].dt.floor("s") - rows["joined_at"].dt.floor("s")).dt.days
    rows = rows.assign(day=day)[day < 30]
    found = counts(made, "steps", ["step", "day"])
    amount = rows["amount"].map(lambda a: a is not None and a > 0)
    for step, of in (("first value moment", rows["event"] == "activate"), ("first purchase", amount)):
        expected = rows[of].groupby("member")["day"].min().value_counts()
        assert {d: n for (s, d), (n,) in found.items() if s == step} == dict(expected)
        assert expected.sum() > 50


def test_days_of_coming_in_the_last_days(made, frames, known):
    members = frames["members"].set_index("member")
    old = members[members["joined_at"] <= AS_OF - 30 * DAY]
    last = known[known["occurred_at"] > AS_OF - 30 * DAY]
    came = last.groupby("member")["local"].apply(lambda t: t.dt.date.nunique())
    found = {d: n for d, (n,) in counts(made, "active", "days").items()}
    _, _, there = counts(made, "groups", ["by", "group"])["all", "all"]
    assert sum(found.values()) <= there
    gone = old["churned_at"].notna()
    stayed = came.reindex(old.index[~gone]).fillna(0).astype(int).value_counts()
    for days, n in stayed.items():  # returned members come on top
        assert found[days] >= n
    assert sum(found.values()) - stayed.sum() == int(gone.sum()) - (600 - there - _gone_lately(members))


def _gone_lately(members):
    young = members[members["joined_at"] > AS_OF - 30 * DAY]
    return int(young["churned_at"].notna().sum())


def test_kinds_purchases_and_money(made, known):
    by = known.groupby("event")["member"].agg(["size", "nunique"])
    assert counts(made, "kinds", "event") == {k: tuple(v) for k, v in by.iterrows()}
    amounts = known["amount"].dropna()
    paid = known[known["amount"].map(lambda a: a is not None and a > 0)]
    money = made.tables["money"].iloc[0]
    assert (money["purchases"], money["payers"]) == (len(paid), paid["member"].nunique())
    assert money["amount"] == sum(a for a in amounts if a > 0)
    assert (money["refunds"], money["refunded"]) == (
        sum(a < 0 for a in amounts),
        -sum((a for a in amounts if a < 0), Decimal(0)),
    )
    each = paid["member"].value_counts().value_counts()
    found = {k: n for k, (n,) in counts(made, "purchases", "purchases").items()}
    assert found == {0: 600 - paid["member"].nunique(), **each}


def test_messages_and_costs_by_channel(made, frames):
    sent = frames["messages"]
    found = made.tables["messages"].set_index("channel")
    for channel, of in sent.groupby("channel"):
        row = found.loc[channel]
        assert (row["sent"], row["members"]) == (len(of), of["member"].nunique())
        assert row["opened"] == of["opened_at"].notna().sum()
        assert row["clicked"] == of["clicked_at"].notna().sum()
        assert row["opted_out"] == of["opted_out_at"].notna().sum()
        assert row["cost"] == sum(of["cost"])
    costs = frames["costs"].dropna(subset="channel").groupby("channel")["amount"].sum()
    assert dict(made.tables["acquisition"].set_index("channel")["cost"]) == dict(costs)


def test_rows_by_the_days_until_they_were_known(made, known):
    old = known[known["occurred_at"] <= AS_OF - 30 * DAY]
    behind = (old["recorded_at"].dt.floor("s") - old["occurred_at"].dt.floor("s")).dt.total_seconds()
    expected = np.ceil(behind.fillna(0) / 86_400).astype(int).clip(lower=0).value_counts()
    assert {d: n for d, (n,) in counts(made, "late", "days").items()} == dict(expected)


def test_nothing_holds_a_member_and_nothing_is_a_float(made):
    for table in made.tables.values():
        assert "member" not in table
        assert not any(np.issubdtype(kind, np.floating) for kind in table.dtypes)


def hand(events, members=None, **meta):
    """Four members: old, new, gone and back, gone."""
    members = members or [
        {"member": 0, "joined_at": FROM - DAY, "churned_at": None},
        {"member": 1, "joined_at": AS_OF - 29 * DAY, "churned_at": None},
        {"member": 2, "joined_at": FROM, "churned_at": FROM + 10 * DAY},
        {"member": 3, "joined_at": AS_OF - 30 * DAY, "churned_at": AS_OF},
    ]
    columns = {"member": 0, "occurred_at": FROM, "event": "login", "amount": None, "recorded_at": None}
    frame = pd.DataFrame([{**columns, **event} for event in events])
    frame["amount"] = frame["amount"].map(lambda a: None if a is None else Decimal(a))
    return {"members": pd.DataFrame(members), "events": frame}


SPELLS = [
    {"member": 2, "started_at": FROM, "ended_at": FROM + 10 * DAY, "plan": "a"},
    {"member": 2, "started_at": FROM + 20 * DAY, "ended_at": None, "plan": "a"},
    {"member": 3, "started_at": AS_OF - 30 * DAY, "ended_at": AS_OF, "plan": "a"},
]


def test_stages_by_their_rules():
    frames = hand(
        [
            {"member": 0, "occurred_at": AS_OF - 20 * DAY + SECOND},
            {"member": 1, "occurred_at": AS_OF - 21 * DAY},
            {"member": 2, "occurred_at": AS_OF - DAY},
        ]
    )
    frames["spells"] = pd.DataFrame(SPELLS)
    made = make_cells(tidy(frames), "portrait", PARAMS)
    assert counts(made, "stages", "stage") == {"active": (1,), "new": (1,), "returned": (1,), "left": (1,)}
    silent = make_cells(tidy(frames), "portrait", {**PARAMS, "silent_days": 19})
    assert "silent" in set(silent.tables["stages"]["stage"])
    fresh = make_cells(tidy(frames), "portrait", {**PARAMS, "growing_days": 400})
    assert "growing" in set(fresh.tables["stages"]["stage"])
    assert counts(made, "days", ["day", "what"])[(FROM + 20 * DAY).date(), "returned"] == (1,)


def test_what_comes_later_or_is_known_later_is_not_read():
    frames = hand(
        [
            {"occurred_at": AS_OF},
            {"occurred_at": AS_OF + SECOND},
            {"occurred_at": AS_OF - DAY, "recorded_at": AS_OF + SECOND},
            {"occurred_at": FROM - SECOND},
            {"member": 1, "occurred_at": AS_OF - 29 * DAY - SECOND},
        ]
    )
    made = make_cells(tidy(frames), "portrait", PARAMS)
    assert counts(made, "kinds", "event") == {"login": (2, 2)}
    assert made.meta["before_joining"] == 1
    assert made.meta["without_events"] == 2


def test_followed_is_who_joined_exactly_so_long_ago_and_the_first_value_is_another_kind():
    frames = hand(
        [
            {"member": 3, "occurred_at": AS_OF - 30 * DAY, "event": "join"},
            {"member": 3, "occurred_at": AS_OF - 27 * DAY, "event": "join"},
            {"member": 3, "occurred_at": AS_OF - 26 * DAY - SECOND, "event": "view"},
            {"member": 3, "occurred_at": AS_OF - 25 * DAY, "event": "view", "amount": "-1"},
            {"member": 3, "occurred_at": AS_OF - SECOND, "event": "buy", "amount": "2"},
            {"member": 2, "occurred_at": FROM + 30 * DAY, "event": "buy", "amount": "2"},
        ]
    )
    made = make_cells(tidy(frames), "portrait", PARAMS)
    assert made.meta["followed"] == 2  # members 2 and 3
    assert made.meta["first_value"] == ""
    assert counts(made, "steps", ["step", "day"]) == {
        ("first value moment", 3): (1,),
        ("first purchase", 29): (1,),
    }


def test_the_order_of_rows_does_not_matter():
    events = [
        {"member": i % 4, "occurred_at": FROM + i * timedelta(hours=7), "event": "ab"[i % 2]}
        for i in range(90)
    ]
    frames = hand(events)
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in frames.items()}
    first, second = (make_cells(tidy(f), "portrait", PARAMS) for f in (frames, shuffled))
    assert first.fingerprint == second.fingerprint


def test_a_case_with_members_and_events_only_says_what_is_missing():
    events = pd.DataFrame([{"member": 0, "occurred_at": FROM + DAY, "event": "visit"}])
    members = pd.DataFrame([{"member": 0, "joined_at": FROM}])
    made = make_cells(tidy({"members": members, "events": events}), "portrait", PARAMS)
    assert set(made.tables) == {"joined", "groups", "days", "visits", "kinds", "steps", "active", "stages"}
    assert made.meta["missing"] == [
        "spells", "messages", "costs", "members.churned_at", "members.channel", "members.plan",
        "members.region", "members.age_band", "events.amount", "events.recorded_at",
    ]  # fmt: skip
    assert counts(made, "joined", ["week", "channel"])[datetime(2024, 12, 30).date(), "not stated"] == (1,)
    assert "truth" not in made.meta


def test_columns_that_the_case_did_not_bring_count_as_missing():
    frames = hand([{"occurred_at": FROM + DAY}])
    present = {"members": ["member", "joined_at"], "events": ["member", "occurred_at", "event"]}
    made = make_cells(tidy(frames, present=present), "portrait", PARAMS)
    assert {"events.amount", "members.churned_at"} <= set(made.meta["missing"])
    assert not {"money", "late"} & set(made.tables)


def test_without_events_there_is_no_portrait():
    with pytest.raises(MissingTableError, match="portrait needs the table `events`"):
        make_cells(tidy({"members": hand([{}])["members"]}), "portrait", PARAMS)


def test_days_must_be_some():
    with pytest.raises(ParameterError, match="'follow_days' must be at least 1, got 0"):
        make_cells(tidy(hand([{}])), "portrait", {**PARAMS, "follow_days": 0})


def test_the_truth_beside_is_small_and_holds_no_rows(made, world):
    truth = made.meta["truth"]
    assert set(truth) == {"world", "shares", "hours", "weekdays", "bursts", "late", "planted", "segments"}
    assert truth["shares"]["channel"]["search"] == 0.28
    assert sum(truth["hours"]) == pytest.approx(1, abs=1e-6)  # 24 numbers of nine decimals
    assert truth["bursts"][0] == {"first": "2024-05-07", "last": "2024-05-16", "factor": 2.2}
    assert len(truth["planted"]) == len(world.truth.summary["planted"])


def test_age_bands_are_those_of_uniform_ages():
    found = age_bands([(18, 24, 0.5), (25, 44, 0.5)], 0.1)
    assert found == {
        "18-24": 0.45, "25-34": 0.225, "35-44": 0.225, "45-54": 0.0, "55+": 0.0, "unknown": 0.1,
    }  # fmt: skip


def test_hours_move_to_the_clock_of_the_case():
    meta = {"observed_from": "2025-01-01T00:00:00Z", "as_of": "2025-02-01T00:00:00Z", "time_zone": "UTC"}
    hours = [0.0] * 24
    hours[9] = 3.0
    regions = [{"share": 0.75, "time_zone": "Europe/Berlin"}, {"share": 0.25, "time_zone": "Asia/Kolkata"}]
    found = case_hours(hours, regions, meta)
    # Berlin is an hour ahead of UTC in January; Kolkata five and a half: its hour falls in two of ours
    assert {h: s for h, s in enumerate(found) if s} == {8: 0.75, 3: 0.125, 4: 0.125}
