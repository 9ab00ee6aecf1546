"""Sessions and events against the parameters.

What is counted is counted where nothing cuts it: sessions whose day lies whole within a first stay and within
observation. Every other clock here is Python's own (`zoneinfo`).
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from sojourn.world.clock import DAY
from sojourn.world.members.course import ACTIVE, GROWING, NEW, RETURNED, SILENT
from sojourn.world.parameters import EVENTS, FEATURES, STAGES
from sojourn.world.tables.events import SESSION

ZONES = ("Europe/Helsinki", "Europe/Madrid", "Europe/Istanbul", "Europe/London")


def whole(drawn, member: np.ndarray, day: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Return whether a day since joining and the next one lie within the first stay and observation."""
    begins = drawn.people.joined[member] + day * DAY
    end = drawn.lives.ends(drawn.frame)[0][member]
    return ~back & (begins >= drawn.frame.start) & (begins + 2 * DAY <= end)


@pytest.fixture(scope="module")
def uncut(drawn) -> np.ndarray:
    """Return which sessions are not cut."""
    return whole(drawn, drawn.sessions.member, drawn.sessions.day, drawn.sessions.back)


@pytest.fixture(scope="module")
def uncut_events(drawn) -> np.ndarray:
    return whole(drawn, drawn.events.member, drawn.events.day, drawn.events.back)


@pytest.fixture(scope="module")
def local(drawn, uncut) -> dict[str, np.ndarray]:
    """Return hour, weekday and zone of one uncut session in three by the clock of the member's region."""
    rows = np.flatnonzero(uncut)[::3]
    member, at = drawn.sessions.member[rows], drawn.sessions.at[rows]
    region = drawn.people.region[member]
    zones = [ZoneInfo(name) for name in ZONES]
    times = [datetime.fromtimestamp(int(t), zones[r]) for t, r in zip(at, region, strict=True)]
    return {
        "region": region,
        "at": at,
        "hour": np.array([t.hour for t in times]),
        "weekday": np.array([t.weekday() for t in times]),
        "rows": rows,
    }


def hours_near(ruler, hours: np.ndarray, weights) -> bool:
    """Whether hours have their shares; a session that meets a change of the clock may be an hour off.

    At most two days of 548 meet one, and then one session in twenty changes its share by less than a tenth.
    """
    shares = np.array(weights) / sum(weights)
    found = np.bincount(hours, minlength=24) / len(hours)
    return bool(np.all(np.abs(found - shares) <= ruler.sigmas * np.sqrt(shares / len(hours)) + 0.0002))


def test_sessions_come_at_the_hours_of_the_members_own_region(drawn, local, ruler):
    weights = drawn.frame.parameters.activity.hours
    assert [r.time_zone for r in drawn.frame.parameters.joining.regions] == list(ZONES)
    for region in range(4):
        assert hours_near(ruler, local["hour"][local["region"] == region], weights), ZONES[region]
    busiest = np.argsort(-np.bincount(local["hour"], minlength=24))[:4]
    assert sorted(busiest) == [9, 10, 17, 18]


@pytest.mark.parametrize("region", [0, 1, 3])
def test_the_rhythm_stays_on_both_sides_of_a_change_of_the_clock(drawn, local, ruler, region):
    """Of the four weeks before and after each of three changes; in UTC the peaks would move by an hour."""
    weights = drawn.frame.parameters.activity.hours
    for change in ("2024-03-31", "2024-10-27", "2025-03-30"):
        at = datetime.fromisoformat(f"{change}T01:00:00+00:00").timestamp()
        theirs = local["region"] == region
        for first, last in ((-28 * DAY, 0), (DAY, 29 * DAY)):
            near = theirs & (local["at"] >= at + first) & (local["at"] < at + last)
            assert near.sum() > 1_500
            assert hours_near(ruler, local["hour"][near], weights), (change, first)


def test_hours_in_utc_are_not_those_stated(drawn, local, ruler):
    """The comparison above can fail."""
    utc = local["at"] % DAY // 3600
    assert not hours_near(ruler, utc[local["region"] == 0], drawn.frame.parameters.activity.hours)


def test_sessions_come_on_the_weekdays_stated(drawn, local, ruler):
    """In whole weeks of a member every weekday is there equally often, so weekdays go by their factors."""
    member, day = drawn.sessions.member[local["rows"]], drawn.sessions.day[local["rows"]]
    first, days = 90, 56
    people, lives = drawn.people, drawn.lives
    stays = (lives.left - people.joined) / DAY > first + days + drawn.frame.parameters.churn.quiet_days
    stays &= (drawn.frame.as_of - people.joined) / DAY > first + days + 2
    stays &= people.joined + first * DAY >= drawn.frame.start
    rows = stays[member] & (day >= first) & (day < first + days)
    assert ruler.shares(local["weekday"][rows], np.array([0.92, 0.90, 0.91, 0.93, 0.99, 1.20, 1.15]) / 7)


def mean_sessions(frame, block, first: int, last: int) -> np.ndarray:
    """Return mean sessions (members, days) of a stretch of days, from stages and messages by number."""
    made, people, programme = frame.parameters, block.people, block.programme
    stage = block.course.stage[:, first:last]
    pace = np.choose(stage, [0.9, np.nan, np.nan, 0.02, 0.7])
    # the ramp of growing and the fading of active are tested by hand elsewhere
    pace = np.where(np.isnan(pace), block.course.pace[:, first:last], pace)
    day = np.arange(first, last)
    mean = pace * ~block.course.paused[:, first:last] * (1 + np.exp(-day / 20))
    mean *= np.array([s.sessions for s in made.segments])[people.segment][:, None]
    for code, medium in enumerate(made.contact.media):
        served = ~programme.held_out[:, code, None] & (day <= programme.until[:, code, None])
        mean *= np.where(served & (day >= programme.begins[:, None]), medium.sessions, 1.0)
    return mean


@pytest.mark.parametrize("stage", [NEW, GROWING, ACTIVE, SILENT, RETURNED])
def test_sessions_per_day_are_those_of_segment_stage_and_messages(drawn, ruler, stage):
    first, last = (0, 30) if stage == NEW else (30, 150)
    found, expected, segment = [], [], []
    for number, block in enumerate(drawn.blocks[:8]):
        rows = (drawn.sessions.member >= number * 4096) & (drawn.sessions.member < (number + 1) * 4096)
        member, day = drawn.sessions.member[rows] - number * 4096, drawn.sessions.day[rows]
        inside = (day >= first) & (day < last) & ~drawn.sessions.back[rows]
        counts = np.zeros((len(block), last - first))
        np.add.at(counts, (member[inside], day[inside] - first), 1)
        begins = block.people.joined[:, None] + np.arange(first, last) * DAY
        # days far enough from leaving, which do not depend on who comes often
        sure = begins + 15 * DAY < np.minimum(block.lives.left, drawn.frame.as_of + 14 * DAY)[:, None]
        sure &= begins >= drawn.frame.start
        at = sure & (block.course.stage[:, first:last] == stage)
        found.append((counts * at).sum(axis=1))
        expected.append((mean_sessions(drawn.frame, block, first, last) * at).sum(axis=1))
        segment.append(block.people.segment)
    counts, mean, code = (np.concatenate(part) for part in (found, expected, segment))
    assert counts.sum() > 500
    for hidden in range(5):
        rows = (code == hidden) & (mean > 0)
        assert ruler.mean(counts[rows] - mean[rows]), (STAGES[stage], hidden)
        # a Poisson number whose mean is gamma distributed with shape 4; weekdays add 1 % of the mean's square
        surplus = (counts[rows] - mean[rows]) ** 2 - mean[rows] - mean[rows] ** 2 * (1 / 4)
        error = surplus.std() / np.sqrt(rows.sum())
        assert -ruler.sigmas * error < surplus.mean() < ruler.sigmas * error + 0.01 * (mean[rows] ** 2).mean()


def test_members_about_to_leave_are_half_as_active(drawn, ruler):
    found = {True: [], False: []}
    for number, block in enumerate(drawn.blocks[:8]):
        rows = np.flatnonzero((drawn.sessions.member // 4096 == number) & ~drawn.sessions.back)
        member, at = drawn.sessions.member[rows] - number * 4096, drawn.sessions.at[rows]
        before = (block.lives.left[member] - at) / DAY
        known = (block.lives.left < drawn.frame.as_of) & (block.lives.left - block.people.joined > 60 * DAY)
        known &= block.people.joined >= drawn.frame.start
        total = np.concatenate([np.zeros((len(block), 1)), np.cumsum(block.sessions, axis=1)], axis=1)
        left = ((block.lives.left - block.people.joined) / DAY)[known]

        def sessions_until(day: np.ndarray, total=total, known=known) -> np.ndarray:
            low = np.floor(day).astype(int)
            theirs = total[np.flatnonzero(known)]
            i = np.arange(len(low))
            return theirs[i, low] + (theirs[i, low + 1] - theirs[i, low]) * (day - low)

        for quiet, (near, far) in {True: (0, 14), False: (14, 28)}.items():
            counts = np.bincount(member[(before > near) & (before <= far)], minlength=len(block))[known]
            mean = sessions_until(left - near) - sessions_until(left - far)
            found[quiet].append(counts - mean * (0.5 if quiet else 1.0))
    for quiet, gaps in found.items():
        assert ruler.mean(np.concatenate(gaps)), quiet


def chances(drawn, sessions: np.ndarray) -> dict[str, np.ndarray]:
    """Return the chance of each kind of event in each of some sessions, from the parameters by hand."""
    made, people = drawn.frame.parameters, drawn.people
    member, day, at = (getattr(drawn.sessions, n)[sessions] for n in ("member", "day", "at"))
    segment = people.segment[member]
    tasks, buys = (np.array([getattr(s, name) for s in made.segments])[segment] for name in ("tasks", "buys"))
    for name in ("main", "win_back"):
        _, scheme, first = drawn.trial(name)
        entitled = drawn.each(lambda b, name=name: b.enrolments[name == "win_back"].entitled)
        trial = next(t for t in made.trials if t.name == name)
        since = day - first[member]
        runs = entitled[member] & (since >= 0) & (since < trial.reward_days)
        for code, s in enumerate(trial.schemes):
            theirs = runs & (scheme[member] == code)
            tasks = np.where(theirs, tasks * np.array(s.tasks)[segment], tasks)
            buys = np.where(theirs, buys * np.array(s.buys)[segment], buys)
    ready = at >= people.joined[member] + people.value_day[member] * DAY
    flat = np.ones(len(member))
    return {
        "search": 0.35 * flat,
        "check-in": 0.10 * flat,
        "settings": 0.03 * flat,
        "task": tasks,
        "purchase": buys * ready,
        "error": np.minimum(0.03 * np.exp(0.45 * people.slow[member]), 1),
        "support": np.minimum(0.02 * np.exp(-0.5 * people.satisfaction[member]), 1),
    }


def test_every_kind_of_event_happens_as_often_in_a_session_as_stated(drawn, uncut, uncut_events, ruler):
    segment = drawn.people.segment
    by_session = segment[drawn.sessions.member[uncut]]
    by_event = segment[drawn.events.member]
    for kind, chance in chances(drawn, np.flatnonzero(uncut)).items():
        done = uncut_events & (drawn.events.event == EVENTS.index(kind)) & (drawn.events.cents >= 0)
        for code in range(5):
            p = chance[by_session == code]
            found = (done & (by_event == code)).sum()
            error = np.sqrt((p * (1 - p)).sum())
            assert abs(found - p.sum()) <= ruler.sigmas * error, (kind, code)
    assert ((drawn.events.event == EVENTS.index("login")) & uncut_events).sum() == uncut.sum()


def test_views_and_what_is_done_in_company_are_poisson_with_the_segments_mean(
    drawn, uncut, uncut_events, ruler
):
    made, segment = drawn.frame.parameters, drawn.people.segment
    sessions = np.bincount(segment[drawn.sessions.member[uncut]], minlength=5)
    for kind, rate in (("view", "views"), ("like", 0.65), ("comment", 0.25), ("share", 0.10)):
        done = uncut_events & (drawn.events.event == EVENTS.index(kind))
        found = np.bincount(segment[drawn.events.member[done]], minlength=5)
        for code, s in enumerate(made.segments):
            mean = s.views if rate == "views" else s.social * rate
            assert ruler.count(found[code], sessions[code] * mean), (kind, s.name)


def test_views_spread_over_the_product_by_the_segments_taste(drawn, ruler):
    views = drawn.events.of("view")
    segment, feature = drawn.people.segment[drawn.events.member[views]], drawn.events.feature[views]
    for code, s in enumerate(drawn.frame.parameters.segments):
        assert ruler.shares(feature[segment == code], s.taste), s.name
    assert feature.max() < 5 < len(FEATURES)


def test_load_times_are_log_normal_between_and_within_members(drawn, ruler):
    logins = drawn.events.of("login")
    member = drawn.events.member[logins]
    noise = np.log(drawn.events.load[logins] / 1400) - 0.45 * drawn.people.slow[member]
    # rounding to a millisecond moves a logarithm by less than a thousandth
    assert ruler.mean(noise, 0.0)
    assert ruler.mean(noise**2, 0.3**2)
    others = np.ones(len(drawn.events.at), dtype=bool)
    others[logins] = False
    assert np.all(drawn.events.load[others] == -1)
    assert np.all(drawn.events.load[logins] > 0)


def test_events_of_a_session_follow_it_within_its_length(drawn):
    """Every event of a day without a second session lies between the login and 25 minutes later."""
    events = drawn.events
    inside = ~np.isin(events.event, [EVENTS.index("join"), EVENTS.index("activate")]) & (events.cents >= 0)
    cell = events.member.astype(np.int64) * 1000 + events.day
    login = events.event == EVENTS.index("login")
    once = np.bincount(cell[login]) == 1
    rows = np.flatnonzero(inside & ~login & once[cell])
    begins = np.zeros(once.size, dtype=np.int64)
    begins[cell[login]] = events.at[login]
    after = events.at[rows] - begins[cell[rows]]
    assert len(rows) > 1_000_000
    assert (after.min(), after.max()) == (10, SESSION - 1)


def test_the_first_value_moment_is_seen_when_it_comes(drawn):
    people, events, frame = drawn.people, drawn.events, drawn.frame
    rows = events.of("activate")
    member = events.member[rows]
    assert len(set(member)) == len(member)
    assert np.array_equal(events.at[rows], people.joined[member] + np.floor(people.value_day[member] * DAY))
    at = people.joined + people.value_day * DAY
    there = (at >= frame.start + 1) & (at < drawn.lives.ends(frame)[0] - 1)
    seen = np.zeros(len(drawn), dtype=bool)
    seen[member] = True
    assert np.all(seen[there])


def test_nobody_buys_before_the_first_value_moment(drawn):
    people, events = drawn.people, drawn.events
    bought = events.of("purchase")
    member = events.member[bought]
    assert np.all(events.at[bought] >= people.joined[member] + people.value_day[member] * DAY)
    assert not np.isin(np.flatnonzero(~people.takes_off), member).any()


def test_no_session_falls_into_a_pause_and_no_event_long_after_its_begin(drawn):
    sessions, people = drawn.sessions, drawn.people
    paused = drawn.each(lambda b: b.course.paused)
    assert not (paused[sessions.member, sessions.day] & ~sessions.back).any()
    # a session of the last minute before a pause may last into it; money comes back in a pause, too
    events = drawn.events
    left_out = np.isin(events.event, [EVENTS.index("activate")]) | (events.cents < 0) | events.back
    rows = np.flatnonzero(~left_out)
    since = events.at[rows] - people.joined[events.member[rows]]
    resting = paused[events.member[rows], since // DAY]
    assert np.all(since[resting] % DAY < SESSION)
    assert resting.sum() < 200
