"""Cells of retention: every count equals what plain Python makes of the same members.

Making cells costs a third of a second however few members there are: examples are few and hold many members.
"""

import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError, ImmortalTimeError, ParameterError
from sojourn.data.cells import make_cells
from sojourn.data.cells.retention import SEEN_FROM_THE_START
from sojourn.data.tidy import MissingTableError, Tidy

AS_OF = datetime(2025, 3, 1, 12, tzinfo=UTC)
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
PARAMS = {
    "churn": "cancellation",
    "lapse_days": 30,
    "event": "any",
    "groups": ["plan"],
    "first_seen_after_days": 0,
}
ZONE = "America/New_York"
DAY = timedelta(days=1)


def tidy(members, events=None, *, as_of=AS_OF, observed_from=None, **meta):
    """Tidy tables from lists of dicts with Python datetimes."""
    tables = {"members": _table(members, ["joined_at", "churned_at"])}
    if events is not None:
        tables["events"] = _table(
            events, ["occurred_at", *(["recorded_at"] if "recorded_at" in events[0] else [])]
        )
    described = {
        "as_of": as_of.isoformat(),
        "observed_from": observed_from and observed_from.isoformat(),
        "time_zone": ZONE,
        "first_instant": min(m["joined_at"] for m in members).isoformat(),
        **meta,
    }
    return Tidy("test", tables, described)


def _table(rows, instants):
    frame = pd.DataFrame(rows)
    for name in set(instants) & set(frame.columns):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    return ibis.memtable(frame)


def member(number, joined, churned=None, plan="monthly"):
    return {"member": number, "joined_at": joined, "churned_at": churned, "plan": plan}


def event(number, at, kind="visit"):
    return {"member": number, "occurred_at": at, "event": kind}


def counts(cells, by="all", table="risk"):
    """Counts by (group, late, day) that are not all zero."""
    rows = cells[table]
    names = ["entered", "churned", "censored", "potential"]
    rows = rows[(rows["by"] == by) & (rows[names].sum(axis=1) > 0)]
    return {
        (r.group, r.late, r.day): (r.entered, r.churned, r.censored, r.potential) for r in rows.itertuples()
    }


def expected_counts(spells):
    """What a list of (group, late, entry, exit, churned, potential) adds up to."""
    found = {}
    for group, late, entry, end, churned, potential in spells:
        marks = ((entry, 0, 1), (end, 1 if churned else 2, 1), (potential, 3, 1))
        for day, place, n in marks:
            row = found.setdefault((group, late, day), [0, 0, 0, 0])
            row[place] += n
    return {key: tuple(row) for key, row in found.items()}


instants = st.integers(0, 200 * 86_400).map(lambda s: AS_OF - timedelta(seconds=s))
whole_days = st.integers(0, 200).map(lambda d: AS_OF - d * DAY)  # exactly whole days apart: every edge is met


@st.composite
def lives(draw):
    n = draw(st.integers(1, 60))
    found = []
    for number in range(n):
        joined = draw(st.one_of(instants, whole_days))
        stay = draw(
            st.one_of(st.none(), st.integers(0, 100 * 86_400), st.integers(0, 100).map(lambda d: d * 86_400))
        )
        churned = None if stay is None else joined + timedelta(seconds=stay)
        churned = None if churned is None or churned > AS_OF else churned
        found.append(member(number, joined, churned, draw(st.sampled_from(["monthly", "annual"]))))
    return found


def spell_of(m, observed_from):
    days = (AS_OF - m["joined_at"]) / DAY
    potential = math.floor(days)
    leaves = math.ceil((m["churned_at"] - m["joined_at"]) / DAY) if m["churned_at"] else None
    churned = leaves is not None and leaves <= potential
    end = leaves if churned else potential
    unseen = (observed_from - m["joined_at"]) / DAY if observed_from else 0
    late = int(unseen > 0)
    entry = math.ceil(unseen) if late else 0
    return None if late and end <= entry else (m["plan"], late, entry, end, churned, potential)


@settings(deadline=None, max_examples=8)
@given(lives(), st.one_of(st.none(), instants, whole_days))
def test_cancellation_equals_plain_python(members, observed_from):
    cells = make_cells(tidy(members, observed_from=observed_from), "retention", PARAMS)
    spells = [s for m in members if (s := spell_of(m, observed_from))]
    assert counts(cells, "plan") == expected_counts(spells)
    assert counts(cells, "all") == expected_counts([("all", *s[1:]) for s in spells])
    assert cells.meta["members"] == len(members)
    assert sum(cells.meta["left_out"].values()) == len(members) - len(spells)
    assert cells.meta["late"] == sum(s[1] for s in spells)


def lapse_of(m, events, window, as_of):
    """Start of the first gap longer than `window` days that lies wholly before `as_of`, if there is one."""
    signs = sorted(
        {m["joined_at"], *(e["occurred_at"] for e in events if m["joined_at"] <= e["occurred_at"] <= as_of)}
    )
    for here, following in zip(signs, [*signs[1:], None], strict=True):
        long = following is None or following - here > window * DAY
        if long and here <= as_of - window * DAY:
            return here
    return None


@st.composite
def activity(draw):
    members = [{k: v for k, v in m.items() if k != "churned_at"} for m in draw(lives())]
    events = [event(0, AS_OF)]
    for m in members:
        gaps = draw(
            st.lists(
                st.sampled_from([0, 3600, 86_400, 10 * 86_400, 10 * 86_400 + 1, 25 * 86_400]), max_size=8
            )
        )
        at = m["joined_at"]
        for gap in gaps:
            at += timedelta(seconds=gap)
            if at <= AS_OF:
                events.append(event(m["member"], at))
    return members, events


SILENCE = {
    "churn": "silence",
    "lapse_days": 10,
    "event": "any",
    "groups": ["plan"],
    "first_seen_after_days": 0,
}


@settings(deadline=None, max_examples=8)
@given(activity())
def test_silence_equals_plain_python(drawn):
    members, events = drawn
    cells = make_cells(tidy(members, events), "retention", SILENCE)
    spells, back = [], 0
    for m in members:
        own = [e for e in events if e["member"] == m["member"]]
        potential = math.floor((AS_OF - 10 * DAY - m["joined_at"]) / DAY)
        if potential < 0:
            continue
        start = lapse_of(m, own, 10, AS_OF)
        leaves = math.ceil((start - m["joined_at"]) / DAY) if start else None
        churned = leaves is not None and leaves <= potential
        back += churned and any(e["occurred_at"] > start for e in own)
        spells.append((m["plan"], 0, 0, leaves if churned else potential, churned, potential))
    assert counts(cells, "plan") == expected_counts(spells)
    assert sum(cells.meta["left_out"].values()) == len(members) - len(spells)
    returns = cells["returns"].query("by == 'plan'")
    assert returns["lapsed"].sum() == sum(s[4] for s in spells)
    assert returns["came_back"].sum() == back


@settings(deadline=None, max_examples=6)
@given(activity(), st.integers(1, 60))
def test_an_earlier_as_of_never_changes_a_judgement(drawn, days):
    """Whoever has lapsed by an earlier date has lapsed on the same day of membership by a later one."""
    members, events = drawn
    members = [{**m, "plan": str(m["member"])} for m in members]  # each a group of its own
    earlier, later = (_lapse_days(members, events, at) for at in (AS_OF - days * DAY, AS_OF))
    assert earlier.items() <= later.items()


def _lapse_days(members, events, as_of):
    """Day of membership on which each member who has lapsed by `as_of` did so."""
    known = [m for m in members if m["joined_at"] <= as_of]
    if not known:
        return {}
    risk = make_cells(tidy(known, events, as_of=as_of), "retention", SILENCE)["risk"]
    risk = risk[(risk["by"] == "plan") & (risk["churned"] > 0)]
    return dict(zip(risk["group"], risk["day"], strict=True))


def test_the_convention_that_reads_the_future_is_not_ours():
    """Silent for 20 days, then back until the end: by "last sign ever" this member never left."""
    joined = AS_OF - 100 * DAY
    events = [event(0, joined + day * DAY) for day in [1, 2, 22, *range(23, 100, 5)]]
    cells = make_cells(tidy([{**member(0, joined)}], events), "retention", SILENCE)
    assert counts(cells)[("all", 0, 2)] == (0, 1, 0, 0)
    assert cells["returns"].query("by == 'all'")[["lapsed", "came_back"]].to_numpy().tolist() == [[1, 1]]


def test_under_silence_members_from_before_observation_are_left_out():
    """Whether their first long gap lies before it cannot be known."""
    members = [member(0, AS_OF - 100 * DAY), member(1, AS_OF - 50 * DAY)]
    observed = AS_OF - 80 * DAY
    cells = make_cells(tidy(members, [event(1, AS_OF)], observed_from=observed), "retention", SILENCE)
    assert cells.meta["left_out"] == {"joined before observation began": 1}
    assert cells["risk"].query("by == 'all'")["entered"].sum() == 1


def test_members_seen_from_the_start_of_the_data_are_left_out_where_joining_is_a_first_event():
    """First seen 0, 59 and 60 days after the data begin: the last one is the first who counts."""
    begin = AS_OF - 200 * DAY
    members = [member(n, begin + day * DAY) for n, day in enumerate((0, 59, 60))]
    events = [event(m["member"], m["joined_at"]) for m in members]
    params = {**SILENCE, "first_seen_after_days": 60}
    made = make_cells(tidy(members, events, observed_from=begin), "retention", params)
    assert made.meta["left_out"] == {SEEN_FROM_THE_START: 2}
    assert made["risk"].query("by == 'all'")["entered"].sum() == 1
    assert made.meta["newcomers"] == {"days": 28, "first": 1, "following": 0}
    assert made.meta["since"] == "first event"


@pytest.mark.parametrize(
    ("later", "kind", "since"),
    [(0, "any", "first event"), (0, "visit", "first visit"), (1, "any", "joining"), (0, "order", "joining")],
)
def test_cells_say_from_what_members_are_followed(later, kind, since):
    """Joining is a first event only where everybody has one (of the kind that counts) at that instant."""
    members = [member(n, AS_OF - 100 * DAY) for n in (0, 1)]
    events = [event(0, AS_OF - 100 * DAY), event(1, AS_OF - (100 - later) * DAY)]
    made = make_cells(tidy(members, events), "retention", {**SILENCE, "event": kind})
    assert made.meta["since"] == since


def test_only_the_named_kind_of_event_is_a_sign_of_life():
    joined = AS_OF - 60 * DAY
    events = [event(0, joined + 5 * DAY, "purchase"), event(0, joined + 12 * DAY, "newsletter")]
    cells = make_cells(tidy([member(0, joined)], events), "retention", {**SILENCE, "event": "purchase"})
    assert counts(cells)[("all", 0, 5)] == (0, 1, 0, 0)


def test_events_before_joining_are_no_part_of_the_membership():
    """A visit 20 days before joining would open a gap of more than 10 days before there was a member."""
    joined = AS_OF - 30 * DAY
    events = [event(0, joined - 20 * DAY), *(event(0, joined + day * DAY) for day in range(0, 30, 5))]
    cells = make_cells(tidy([member(0, joined)], events), "retention", SILENCE)
    assert counts(cells)[("all", 0, 20)] == (0, 0, 1, 1)


def test_what_was_recorded_after_as_of_is_not_read():
    joined = AS_OF - 60 * DAY
    late = {**event(0, joined + 8 * DAY), "recorded_at": AS_OF + DAY}
    known = {**event(0, joined + 3 * DAY), "recorded_at": joined + 4 * DAY}
    cells = make_cells(tidy([member(0, joined)], [late, known]), "retention", SILENCE)
    assert counts(cells)[("all", 0, 3)] == (0, 1, 0, 0)


def test_cohorts_are_months_of_local_time():
    """At 03:30 UTC on 1 January it is still December in New York."""
    joined = datetime(2025, 1, 1, 3, 30, tzinfo=UTC)
    assert joined.astimezone(ZoneInfo(ZONE)).month == 12
    cells = make_cells(tidy([member(0, joined)]), "retention", PARAMS)
    assert cells["risk"].query("by == 'cohort'")["group"].unique().tolist() == ["2024-12"]


def test_a_missing_group_is_a_group_of_its_own():
    cells = make_cells(tidy([member(0, AS_OF - DAY, plan=None), member(1, AS_OF)]), "retention", PARAMS)
    assert set(cells["risk"].query("by == 'plan'")["group"]) == {"monthly", "unknown"}


def test_cells_hold_integers_and_text_only_and_no_member():
    made = make_cells(tidy([member(0, AS_OF - DAY)], [event(0, AS_OF)]), "retention", SILENCE)
    for table in made.tables.values():
        assert "member" not in table.columns
        assert all(kind in ("int64", "object") for kind in table.dtypes.astype(str))


def test_truth_of_a_simulated_world_travels_along():
    truth = {"retention": {"survival": []}}
    assert make_cells(tidy([member(0, AS_OF)], truth=truth), "retention", PARAMS).meta["truth"] == truth
    assert "truth" not in make_cells(tidy([member(0, AS_OF)]), "retention", PARAMS).meta


@pytest.mark.parametrize("group", ["churn_reason", "spells.plan", "end_reason"])
def test_grouping_by_the_future_is_refused(group):
    with pytest.raises(ImmortalTimeError, match=f"'{group}' is known only after joining"):
        make_cells(tidy([member(0, AS_OF)]), "retention", {**PARAMS, "groups": [group]})


def test_an_unknown_group_is_refused_with_a_hint():
    with pytest.raises(ParameterError, match="Did you mean 'region'"):
        make_cells(tidy([member(0, AS_OF)]), "retention", {**PARAMS, "groups": ["regoin"]})


def test_a_group_the_case_does_not_have_is_named():
    with pytest.raises(DataError, match=r"members\.region"):
        make_cells(tidy([member(0, AS_OF)]), "retention", {**PARAMS, "groups": ["region"]})


def test_an_unknown_way_of_leaving_is_refused():
    with pytest.raises(ParameterError, match="'churn' must be one of 'cancellation', 'silence'"):
        make_cells(tidy([member(0, AS_OF)]), "retention", {**PARAMS, "churn": "quiet"})


def test_silence_needs_events():
    with pytest.raises(MissingTableError, match="events"):
        make_cells(tidy([member(0, AS_OF)]), "retention", SILENCE)


def published(name):
    path = SHARED / name
    if not path.is_file():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is needed in CI")
        pytest.skip(f"the published file shared/data/{name} is not beside the project")
    return path


def test_college_messages_as_published():
    """1,350 senders, first gap over 30 days, censored 30 days before the end (shared/data/README.md).

    Known numbers are to four decimals in continuous time. Whole days remove members from the risk set up to a
    day early, which moves S by less than 1e-4 here; 1.5e-4 leaves room for that and the rounding.
    """
    from sojourn.studies.retention.curve import retention_curve

    log = pd.read_csv(published("college_msg/CollegeMsg.txt.gz"), sep=" ", names=["member", "to", "at"])
    log["occurred_at"] = pd.to_datetime(log["at"], unit="s", utc=True).astype("datetime64[us, UTC]")
    log["event"] = "message"
    joined = (
        log.groupby("member", as_index=False)["occurred_at"]
        .min()
        .rename(columns={"occurred_at": "joined_at"})
    )
    tables = {
        "members": ibis.memtable(joined),
        "events": ibis.memtable(log[["member", "occurred_at", "event"]]),
    }
    end = log["occurred_at"].max().isoformat()
    meta = {"as_of": end, "time_zone": "UTC", "first_instant": joined["joined_at"].min().isoformat()}
    params = {"churn": "silence", "lapse_days": 30, "event": "any", "groups": [], "first_seen_after_days": 0}
    cells = make_cells(Tidy("college_msg", tables, meta), "retention", params)
    read = retention_curve(cells).at([1, 7, 30, 60, 90])["retained"]
    assert read.tolist() == pytest.approx([0.7782, 0.6567, 0.3383, 0.1427, 0.0730], abs=1.5e-4)
    returns = cells["returns"].query("by == 'all'")
    assert returns[["lapsed", "came_back"]].to_numpy().tolist() == [[1278, 322]]
    assert cells.meta["members"] == 1350
