"""Stages at any instant: by hand at their edges, and as if the world had been looked at then."""

from datetime import UTC, datetime, timedelta

import ibis
import pandas as pd
import pytest

import tidy_worlds
from sojourn.core.errors import ParameterError
from sojourn.data.activity import micros
from sojourn.data.stages import STAGES, everybody, stages_at, with_state, with_us
from sojourn.data.tidy import Tidy
from sojourn.world import make_world

AS_OF, FROM = datetime(2025, 7, 1, 4, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PARAMS = {"active_days": 30, "growing_days": 90, "silent_days": 20}


def tidy(frames, as_of=AS_OF):
    begin = FROM.isoformat()
    meta = {"as_of": as_of.isoformat(), "observed_from": begin, "first_instant": begin, "time_zone": "UTC"}
    return Tidy("test", tidy_worlds.tables(frames), meta)


def found(tables, at, *, params=PARAMS, shared=False):
    """Return stages at one instant by member."""
    everyone = everybody(tables, at, "test")
    rows = stages_at(tables, everyone, params, "test", at=at if shared else None).to_pyarrow()
    return dict(zip(rows["member"].to_pylist(), rows["stage"].to_pylist(), strict=True))


def known_at(frames, at):
    """Return the tables as they were at an instant: no row, and no end, that came or was known later."""
    made = {name: frame.copy() for name, frame in frames.items()}
    members, events, spells = made["members"], made["events"], made["spells"]
    members.loc[members["churned_at"] > at, "churned_at"] = None
    spells.loc[spells["ended_at"] > at, "ended_at"] = None
    late = events["recorded_at"].fillna(events["occurred_at"])
    return made | {
        "members": members[members["joined_at"] <= at],
        "events": events[(events["occurred_at"] <= at) & (late <= at)],
        "spells": spells[spells["started_at"] <= at],
    }


@pytest.fixture(scope="module")
def frames():
    world = make_world(members=400, seed=5, as_of=AS_OF, start=FROM)
    return tidy_worlds.frames_of(world, ("members", "events", "spells"))


@pytest.mark.parametrize("days", [0, 30, 91])
def test_a_stage_is_what_it_would_have_been_had_the_data_ended_then(frames, days):
    at = AS_OF - days * DAY
    then = found(tidy(known_at(frames, at), as_of=at), at)
    assert set(then.values()) == set(STAGES)
    assert found(tidy(frames), at) == then
    assert found(tidy(frames), at, shared=True) == then


def test_what_comes_later_changes_nothing(frames):
    """Everybody leaves, comes and comes back right after the instant."""
    at = AS_OF - 30 * DAY
    later = at + SECOND
    members = frames["members"].assign(churned_at=lambda f: f["churned_at"].fillna(later))
    events = members[["member"]].assign(occurred_at=later, event="visit", recorded_at=pd.NaT)
    spells = members[["member"]].assign(started_at=later, ended_at=pd.NaT, plan="a")
    changed = {
        "members": members,
        "events": pd.concat([frames["events"], events]),
        "spells": pd.concat([frames["spells"], spells]),
    }
    assert found(tidy(changed), at) == found(tidy(frames), at)


#: member, joined, left, last seen (days before as_of), stage
EDGES = [
    (0, 29, None, None, "new"),  # never seen, but new
    (1, 30, None, 19, "growing"),
    (2, 89, None, 19, "growing"),
    (3, 90, None, 19, "active"),
    (4, 90, None, 20, "silent"),
    (5, 90, None, None, "silent"),
    (6, 40, 0, 1, "left"),  # in this very second
    (7, 100, 50, 1, "returned"),
    (8, 100, 50, 1, "left"),  # came back and left again
    (9, 100, 50, 60, "left"),  # its spell is the one it left
    (10, 100, 50, 1, "returned"),  # in the very second of leaving, as where dates have no times
    (11, 100, 50, 60, "left"),  # that spell ended as it began
]
SPELLS = [(7, 40, None), (8, 40, 30), (9, 100, None), (10, 50, None), (11, 50, 50)]


def by_hand():
    members = [(m, AS_OF - j * DAY, None if g is None else AS_OF - g * DAY) for m, j, g, _, _ in EDGES]
    made = {
        "members": pd.DataFrame(members, columns=["member", "joined_at", "churned_at"]),
        "events": pd.DataFrame(
            [(m, AS_OF - s * DAY, "visit") for m, _, _, s, _ in EDGES if s is not None],
            columns=["member", "occurred_at", "event"],
        ),
        "spells": pd.DataFrame(
            [(m, AS_OF - a * DAY, None if b is None else AS_OF - b * DAY) for m, a, b in SPELLS],
            columns=["member", "started_at", "ended_at"],
        ),
    }
    for name, column in (("members", "churned_at"), ("spells", "ended_at")):
        made[name][column] = pd.to_datetime(made[name][column], utc=True)
    return made


def test_the_edges_of_every_stage():
    assert found(tidy(by_hand()), AS_OF) == {m: stage for m, *_, stage in EDGES}
    wider = found(tidy(by_hand()), AS_OF, params={**PARAMS, "silent_days": 21})
    assert wider[4] == "active"


def test_without_spells_nobody_is_back_and_without_leaving_nobody_has_left():
    frames = by_hand()
    del frames["spells"]
    assert found(tidy(frames), AS_OF)[7] == "left"
    frames["members"] = frames["members"].drop(columns="churned_at")
    assert found(tidy(frames), AS_OF)[7] == "active"


def test_members_may_have_instants_of_their_own():
    """Those between two whole days see signs of life up to the day before."""
    instants = [(1, 0), (1, 11), (7, 0), (7, 45), (0, 29.5), (3, 19), (3, 18.9), (3, 20)]
    anchors = ibis.memtable(
        pd.DataFrame([(m, micros(AS_OF - d * DAY)) for m, d in instants], columns=["member", "at_us"])
    )
    rows = stages_at(tidy(by_hand()), anchors, PARAMS, "test").to_pandas()
    ago = (micros(AS_OF) - rows["at_us"]) / 86_400_000_000
    stages = dict(zip(zip(rows["member"], ago, strict=True), rows["stage"], strict=True))
    assert stages == {
        (1, 0): "growing", (1, 11): "new", (7, 0): "returned", (7, 45): "left",
        (3, 19): "growing", (3, 18.9): "growing", (3, 20): "silent",
    }  # fmt: skip


def test_when_the_first_spell_after_leaving_began():
    tables = tidy(by_hand())
    rows = tables.tables["members"].mutate(ended_at=ibis._.churned_at, at_us=micros(AS_OF))
    state = with_state(rows, tables).to_pandas().set_index("member")
    back_at = {m: at.to_pydatetime() for m, at in state["back_at"].dropna().items()}
    assert back_at == {7: AS_OF - 40 * DAY, 8: AS_OF - 40 * DAY, 10: AS_OF - 50 * DAY}
    assert state[["left", "back"]].loc[[7, 8, 10, 11]].to_numpy().tolist() == [[1, 1], [1, 0], [1, 1], [1, 0]]


def test_who_came_back_as_they_left_is_with_us_and_leaves_with_that_spell():
    """7 and 10 are back; the spell of 10 ends 20 days before the end."""
    frames = by_hand()
    spells = frames["spells"]
    spells.loc[spells["member"] == 10, "ended_at"] = pd.Timestamp(AS_OF - 20 * DAY)
    rows = with_us(tidy(frames), AS_OF - 30 * DAY, "test").to_pandas().set_index("member")["until_us"]
    assert {7, 10} <= set(rows.index)
    assert not {8, 9, 11} & set(rows.index)
    assert (rows[10], rows.isna()[7]) == (micros(AS_OF - 20 * DAY), True)


def test_days_must_be_some():
    with pytest.raises(ParameterError, match="'silent_days' must be at least 1, got 0"):
        found(tidy(by_hand()), AS_OF, params={**PARAMS, "silent_days": 0})
