"""Cells of definitions, gaps and lapse windows: against counting by hand, pandas, and `sojourn reconcile`.

Making cells costs half a second however few members there are: examples are few and hold many members.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import ibis
import numpy as np
import pandas as pd
import pytest
from company import Company
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.core.results.reconcile import Kpi
from sojourn.data.cells import make_cells
from sojourn.data.reconcile.make import reconcile_cells
from sojourn.data.tidy import Tidy
from sojourn.studies.reconcile.rebuild import Rebuilt
from sojourn.studies.retention.lens import lens

AS_OF = datetime(2025, 5, 10, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE = "Europe/Berlin"
PARAMS = {
    "churn": "silence",
    "lapse_days": 12,
    "event": "any",
    "groups": [],
    "first_seen_after_days": 0,
    "windows": [5, 12, 20],
    "lens_days": [1, 7, 20],
}
CANCELS = {**PARAMS, "churn": "cancellation"}
CHOICES = ["rule", "clock", "zone", "numbering", "maturity"]


def tidy(members, events, *, as_of=AS_OF, zone=ZONE, **meta):
    """Tidy tables from frames; `members` may lack `churned_at`, `events` may be missing."""
    tables = {"members": ibis.memtable(_instants(members))}
    if events is not None:
        tables["events"] = ibis.memtable(_instants(events))
    first = members["joined_at"].min().isoformat()
    described = {"as_of": as_of.isoformat(), "time_zone": zone, "first_instant": first}
    return Tidy("test", tables, {**described, "observed_from": None, **meta})


def _instants(frame):
    at = [name for name in frame if name.endswith("_at")]
    return frame.assign(**{name: frame[name].astype("datetime64[us, UTC]") for name in at})


def drawn_world(seed, members=160, *, hours=True):
    """Members who join over 80 days up to `AS_OF` and come now and then, on whole hours; some cancel.

    The clocks of Berlin change within. Everybody does something once; rows of a day are several.
    """
    rng = np.random.default_rng(seed)
    step = 3600 if hours else 1
    back = rng.integers(0, 80 * 86_400 // step, members) * step
    joined = pd.Timestamp(AS_OF) - pd.to_timedelta(back, unit="s")
    ends = joined + pd.to_timedelta(rng.integers(1, 60 * 24, members), unit="h")
    churned = pd.Series(ends).where((rng.random(members) < 0.5) & (ends <= pd.Timestamp(AS_OF)))
    people = pd.DataFrame({"member": np.arange(members), "joined_at": joined, "churned_at": churned})
    rows = []
    for member, at in zip(people["member"], people["joined_at"], strict=True):
        gaps = rng.exponential(rng.choice([8, 60, 300]), 40)
        when = at + pd.to_timedelta(np.r_[0, np.cumsum(gaps).round()][int(rng.integers(0, 2)) :], unit="h")
        if not hours:
            when = when + pd.to_timedelta(rng.integers(0, 3600, len(when)), unit="s")
        kept = when[when <= pd.Timestamp(AS_OF)]
        kept = kept if len(kept) else pd.DatetimeIndex([at])
        rows.append(pd.DataFrame({"member": member, "occurred_at": kept, "event": "visit"}))
    return people, pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def world():
    return drawn_world(1)


@pytest.fixture(scope="module")
def cells(world):
    return make_cells(tidy(*world), "retention", CANCELS)


# --- against counting in pandas, and against `sojourn reconcile` ---------------------------------------


def kpi(n):
    return Kpi(1, f"retained_day_{n}", "retained", "day", n, "", "all", "all", 0.0, 0.0, "")


def company_of(people, events):
    """Return the same log as a company counts it in pandas (tests/oracles)."""
    never = pd.Series(pd.NaT, events.index, dtype="datetime64[us, UTC]")
    known = events.assign(recorded_at=never, amount=None)
    first, lapse = people["joined_at"].min(), PARAMS["lapse_days"]
    return Company(people, known, pd.Timestamp(AS_OF), first, silence_days=lapse, fewest=1)


def test_every_definition_is_what_pandas_counts(world, cells) -> None:
    """Same integers on both sides: equal to rounding of floats; events lie on whole hours."""
    people, events = world
    company = company_of(people, events)
    table = lens(cells, min_group=1).table
    assert set(table["maturity"]) == {"followed", "everybody", "censored"}
    assert table["rule"].nunique() == 7
    assert set(table["zone"]) == {ZONE, "UTC", "Pacific/Honolulu"}
    assert len(table) > 200
    for row in table.to_dict("records"):
        options = {name: row[name] for name in CHOICES}
        assert row["share"] == pytest.approx(company.number(kpi(row["day"]), old="out", **options), abs=1e-12)


def test_every_definition_is_what_reconcile_rebuilds(world, cells) -> None:
    """Both count whole members; where `sojourn reconcile` offers a definition, it is the same number."""
    asked = [kpi(n) for n in PARAMS["lens_days"]]
    theirs = reconcile_cells(
        tidy(*world), asked, zones=("UTC", "Pacific/Honolulu"), silence_days=PARAMS["lapse_days"]
    )
    rebuilt = {one.n: Rebuilt(theirs, one) for one in asked}
    compared = 0
    for row in lens(cells, min_group=1).table.query("changes <= 2").to_dict("records"):
        found = rebuilt[row["day"]].under({name: row[name] for name in CHOICES})
        assert found is not None
        assert (row["share"], row["n"]) == (pytest.approx(found.value, abs=1e-12), found.of)
        compared += 1
    assert compared > 120


def test_activity_is_exact_within_seconds(world) -> None:
    """Events at any second, many a day: the table of activity tells what the events tell."""
    people, events = drawn_world(2, 60, hours=False)
    company = company_of(people, events)
    found = lens(make_cells(tidy(people, events), "retention", CANCELS), min_group=1).table
    for row in found[found["maturity"] != "censored"].to_dict("records"):
        options = {name: row[name] for name in CHOICES}
        assert row["share"] == pytest.approx(company.number(kpi(row["day"]), old="out", **options), abs=1e-12)


def test_the_line_of_the_page_is_the_curve_of_the_page() -> None:
    """Where members leave on whole hours of whole days, days tell as much as minutes: the same estimate."""
    joined = pd.Series([pd.Timestamp(AS_OF) - (3 + 2 * n) * DAY for n in range(40)])
    churned = (joined + pd.to_timedelta([1 + n % 17 for n in range(40)], unit="D")).where(
        lambda s: s <= AS_OF
    )
    people = pd.DataFrame({"member": range(40), "joined_at": joined, "churned_at": churned})
    found = make_cells(tidy(people, None), "retention", CANCELS)
    table = lens(found, min_group=1).table
    from sojourn.studies.retention.curve import retention_curve

    curve = retention_curve(found, min_group=1)
    own = table[table["grade"] == "reference"].set_index("day")["share"]
    assert own.tolist() == pytest.approx([curve.retained(day).value for day in own.index], abs=1e-12)
    assert set(table["rule"]) == {"not_cancelled"}  # without events nothing else can be counted


# --- by hand -------------------------------------------------------------------------------------------


def test_one_member_by_hand() -> None:
    """Joins at 23:30 in Berlin, comes after 1 hour, after 47 hours, and after 20 days and 1 hour.

    In Berlin at ages 1, 2 and 21; in UTC (joins at 21:30) at 0, 2 and 20; in Honolulu (11:30) at 0, 2 and 20;
    in periods of 24 hours at 0, 1 and 20.
    """
    joined = pd.Timestamp("2025-04-01T21:30:00Z")
    later = [joined + HOUR, joined + 47 * HOUR, joined + 20 * DAY + HOUR]
    people = pd.DataFrame({"member": [0], "joined_at": [joined]})
    events = pd.DataFrame({"member": 0, "occurred_at": later, "event": "visit"})
    rows = make_cells(tidy(people, events), "retention", PARAMS)["lens"].query("numbering == 'zero'")
    kept = rows.groupby(["rule", "day", "clock", "zone"])["kept"].sum()
    ways = [("calendar", ZONE), ("calendar", "UTC"), ("calendar", "Pacific/Honolulu"), ("elapsed", "")]
    assert [kept["on", 1][way] for way in ways] == [1, 0, 0, 1]
    assert [kept["on", 20][way] for way in ways] == [0, 1, 1, 1]
    assert kept["on", 7].sum() == 0
    assert kept["bracket", 1]["calendar", "UTC"] == 1
    assert kept["within", 7]["elapsed", ""] == 1
    assert kept["on_or_after", 7]["elapsed", ""] == 1
    # silent for 18 days from the second day on, with lapses of 12 days
    assert [kept["silence", day]["elapsed", ""] for day in (1, 7, 20)] == [1, 0, 0]
    assert [kept["last_sign", day]["elapsed", ""] for day in (1, 7, 20)] == [1, 1, 1]


def test_what_was_done_before_joining_is_no_sign_of_a_member() -> None:
    """Two hours before joining on the same day: no coming on the day of joining, by any clock."""
    joined = pd.Timestamp("2025-04-01T12:00:00Z")
    people = pd.DataFrame({"member": [0], "joined_at": [joined]})
    events = pd.DataFrame({"member": [0], "occurred_at": [joined - 2 * HOUR], "event": "visit"})
    rows = make_cells(tidy(people, events), "retention", PARAMS)["lens"]
    assert rows[rows["rule"].isin(["on", "on_or_after", "within", "bracket"])]["kept"].sum() == 0


def test_gaps_and_windows_by_hand() -> None:
    """Two members: one comes on days 0, 6 and 26 of 36, the other joins and is not seen again for 10 days."""
    start = pd.Timestamp(AS_OF) - 36 * DAY
    people = pd.DataFrame({"member": [0, 1], "joined_at": [start, pd.Timestamp(AS_OF) - 10 * DAY]})
    at = [start + HOUR, start + 6 * DAY, start + 26 * DAY]
    events = pd.DataFrame({"member": 0, "occurred_at": at, "event": "visit"})
    found = make_cells(tidy(people, events), "retention", PARAMS)
    # the hour after joining is no gap; 5 days and 23 hours begin 6 days, 20 days are 20
    assert found["gaps"].to_numpy().tolist() == [[6, 1, 0], [10, 0, 2], [20, 1, 0]]
    windows = found["windows"].set_index(["window", "day"])
    # under 5 days both lapse, the first at its first hour, who came back; under 20 days no gap is longer
    assert windows.loc[5].to_dict("index") == {
        0: {"entered": 2, "churned": 1, "censored": 0, "came_back": 0},
        1: {"entered": 0, "churned": 1, "censored": 0, "came_back": 1},
    }
    assert windows.loc[12].to_dict("index") == {
        0: {"entered": 1, "churned": 0, "censored": 0, "came_back": 0},
        6: {"entered": 0, "churned": 1, "censored": 0, "came_back": 1},
    }
    assert windows.loc[20].to_dict("index") == {
        0: {"entered": 1, "churned": 0, "censored": 0, "came_back": 0},
        16: {"entered": 0, "churned": 0, "censored": 1, "came_back": 0},
    }


def test_where_members_cancel_there_are_no_gaps(cells) -> None:
    assert {"gaps", "windows"} & set(cells.tables) == set()


def test_a_window_is_at_least_a_day(world) -> None:
    with pytest.raises(ParameterError, match="windows"):
        make_cells(tidy(*world), "retention", {**PARAMS, "windows": [0, 7]})
    with pytest.raises(ParameterError, match="lens_days"):
        make_cells(tidy(*world), "retention", {**PARAMS, "lens_days": [0]})


# --- laws ----------------------------------------------------------------------------------------------


def counts(found, *, mature=True):
    """Members and kept by definition, of those followed long enough or of everybody."""
    rows = found["lens"]
    rows = rows[rows["mature"] == 1] if mature else rows
    return rows.groupby(["day", "rule", "clock", "zone", "numbering"])[["members", "kept"]].sum()


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_laws_of_definitions(seed) -> None:
    """Coming on a day is coming on it or after, and within so many days; a bracket lies between."""
    found = make_cells(tidy(*drawn_world(seed, 60)), "retention", CANCELS)
    keys = ["day", "clock", "zone", "numbering"]
    every, mature = (
        counts(found, mature=which).reset_index().pivot_table(index=keys, columns="rule", values="kept")
        for which in (False, True)
    )
    for kept in (every, mature):
        assert (kept["on_or_after"] >= kept["on"]).all()
        within = kept.dropna(subset="within")  # day 1, where joining is day 1, has no day in between
        assert (within["within"] >= within["on"]).all()
    assert (every["on_or_after"] >= every["bracket"]).all()
    assert (every["bracket"] >= every["on"]).all()
    both = counts(found)
    assert (both["kept"] <= both["members"]).all()
    whole = counts(found, mature=False)["members"]
    assert set(whole) == {60}  # every definition is about the same members


@settings(deadline=None, max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_another_zone_moves_days_only(seed) -> None:
    """Counting in Honolulu is counting in UTC with every instant ten hours earlier."""
    people, events = drawn_world(seed, 60)
    shift = pd.Timedelta(-10, "h")
    moved = [
        frame.assign(**{name: frame[name] + shift for name in frame if name.endswith("_at")})
        for frame in (people, events)
    ]
    here = make_cells(tidy(people, events), "retention", CANCELS)
    there = make_cells(tidy(*moved, as_of=AS_OF - 10 * HOUR), "retention", CANCELS)
    honolulu, utc = (
        counts(cells).xs(zone, level="zone") for cells, zone in ((here, "Pacific/Honolulu"), (there, "UTC"))
    )
    pd.testing.assert_frame_equal(honolulu, utc)
    elapsed = [counts(cells).xs("elapsed", level="clock") for cells in (here, there)]
    pd.testing.assert_frame_equal(*elapsed)


@settings(deadline=None, max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_a_longer_window_never_ends_a_member_earlier(seed) -> None:
    """Members followed for 40 days under every window: the share not yet silent rises with the window."""
    people, events = drawn_world(seed, 120)
    people = people[people["joined_at"] <= pd.Timestamp(AS_OF) - 60 * DAY].drop(columns="churned_at")
    events = events[events["member"].isin(people["member"])]
    windows = make_cells(tidy(people, events), "retention", PARAMS)["windows"]
    gone = [
        windows[(windows["window"] == window) & (windows["day"] <= day)]["churned"].sum()
        for day, window in product((0, 7, 40), (5, 12, 20))
    ]
    assert all(shorter >= longer for three in np.reshape(gone, (3, 3)) for shorter, longer in pairwise(three))


def test_an_earlier_as_of_never_changes_a_judgement() -> None:
    """Members followed long enough at both dates: only rules that read the future give other numbers."""
    people, events = drawn_world(5, 400)
    people = people[people["joined_at"] <= pd.Timestamp(AS_OF) - 45 * DAY]
    events = events[events["member"].isin(people["member"])]
    now, then = (
        counts(make_cells(tidy(people, events, as_of=at), "retention", CANCELS))
        for at in (AS_OF, AS_OF - 9 * DAY)
    )
    assert now["members"].equals(then["members"])
    future = now.index.get_level_values("rule").isin(["on_or_after", "last_sign"])
    assert now[~future].equals(then[~future])
    assert set((now[future] != then[future]).groupby("rule")["kept"].any()) == {True}


def test_an_earlier_as_of_never_changes_a_lapse() -> None:
    """What had been judged stays: of members who joined together, up to the follow-up of the earlier date."""
    people, events = drawn_world(6, 300)
    people = people.drop(columns="churned_at").assign(joined_at=pd.Timestamp(AS_OF) - 60 * DAY)
    now, then = (
        make_cells(tidy(people, events, as_of=at), "retention", PARAMS)["windows"]
        for at in (AS_OF, AS_OF - 9 * DAY)
    )
    for window in PARAMS["windows"]:
        followed = 60 - 9 - window
        judged = [
            rows[(rows["window"] == window) & (rows["day"] <= followed)].set_index("day")["churned"]
            for rows in (now, then)
        ]
        judged = [churned[churned > 0] for churned in judged]
        assert judged[0].equals(judged[1])
        assert judged[0].sum() > 20
