"""Tables of retention beside the table of risk: hand-counted members, and plain Python on drawn worlds."""

import math
from collections import Counter
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from retention_worlds import (
    AS_OF,
    DAY,
    GROUPS,
    PARAMS,
    SILENCE,
    ZONE,
    absences_of,
    counted,
    draw,
    gaps_of,
    groups_of,
    moves_of,
    spell_of,
    tidy,
)
from sojourn.data.cells import make_cells
from sojourn.data.cells.retention import patterns

SEEDS = (1, 2, 3)
OBSERVED = AS_OF - 150 * DAY
ASKED = [pytest.param(PARAMS, id="cancellation"), pytest.param(SILENCE, id="silence")]


@cache
def drawn(seed, churn):
    """A world and its cells."""
    made = draw(seed)
    asked = SILENCE if churn == "silence" else PARAMS
    return made, make_cells(tidy(made, observed_from=OBSERVED), "retention", asked)


def absent(m, made, params):
    """When a member was away, by either way of leaving."""
    silence = params["churn"] == "silence"
    return gaps_of(m, made, AS_OF, params["lapse_days"]) if silence else absences_of(m, made)


def followed(made, params, *, observed_from=None, as_of=AS_OF):
    """Every followed member with their spell, as it is known at an instant."""
    silence = params["churn"] == "silence"
    judged = as_of - params["lapse_days"] * DAY * silence
    found = []
    for m in made["members"]:
        if silence:
            lapses = [start for start, _ in gaps_of(m, made, as_of, params["lapse_days"])]
            left = min(lapses, default=None)
        else:
            left = m["churned_at"]
        spell = spell_of(m, left, judged, observed_from)
        if spell and not (silence and spell["late"]):
            found.append((m, spell))
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_reasons_equal_plain_python(seed):
    made, cells = drawn(seed, "cancellation")
    expected = Counter(
        ("churned", (by, group, s["end"], m["churn_reason"] or "unknown"))
        for m, s in followed(made, PARAMS, observed_from=OBSERVED)
        for by, group in groups_of(m).items()
        if s["churned"]
    )
    assert counted(cells["reasons"]) == expected
    keys = ["by", "group", "day"]
    parts, whole = (cells[name].groupby(keys)["churned"].sum() for name in ("reasons", "risk"))
    pd.testing.assert_series_equal(parts, whole[whole > 0])


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_moves_equal_a_look_at_every_member_on_every_day(seed, params):
    made, cells = drawn(seed, params["churn"])
    expected = Counter(
        (what, (by, group, day))
        for m, s in followed(made, params, observed_from=OBSERVED)
        if not s["late"]
        for what, day in moves_of(m, s, absent(m, made, params))
        for by, group in groups_of(m).items()
    )
    assert counted(cells["moves"]) == expected
    assert cells["moves"]["back"].sum() > 0
    for _, rows in cells["moves"].groupby(["by", "group"]):
        total = rows.sum(numeric_only=True)
        assert total["entered"] == total["ended"] + total["ended_away"]
        assert total["left"] - total["back"] == total["ended_away"]
        daily = rows.sort_values("day")
        with_us = (daily["entered"] - daily["left"] + daily["back"] - daily["ended"]).cumsum()
        away = (daily["left"] - daily["back"] - daily["ended_away"]).cumsum()
        assert with_us.min() >= 0
        assert away.min() >= 0
        assert (with_us.iloc[-1], away.iloc[-1]) == (0, 0)


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_time_away_equals_plain_python(seed, params):
    made, cells = drawn(seed, params["churn"])
    expected = Counter()
    for m, s in followed(made, params, observed_from=OBSERVED):
        left, until = min(absent(m, made, params), default=(math.inf, 0))
        if left > m["joined_at"] + s["follow_up"] * DAY:
            continue
        seen = math.floor((AS_OF - left) / DAY)
        back = until < math.inf and math.ceil((until - left) / DAY) <= seen
        day = math.ceil((until - left) / DAY) if back else seen
        expected["entered", ("all", "all", 0)] += 1
        expected["back" if back else "censored", ("all", "all", day)] += 1
    assert counted(cells["away"]) == expected
    everybody = cells["risk"].query("by == 'all'")["churned"].sum()
    assert cells["away"]["entered"].sum() <= everybody
    if params["churn"] == "silence":
        assert cells["away"]["entered"].sum() == everybody
        assert 0 < cells["away"]["back"].sum() <= cells["returns"].query("by == 'all'")["came_back"].sum()


def regression(made, params, known, as_of, observed_from):
    """What the table of patterns holds as known at an instant."""
    found = Counter()
    for m, s in followed(made, params, observed_from=observed_from, as_of=as_of):
        key = tuple(groups_of(m)[name] for name in GROUPS)
        found["entered", (*key, known, s["entry"])] += 1
        found["churned" if s["churned"] else "censored", (*key, known, s["end"])] += 1
    return found


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_patterns_equal_plain_python_now_and_then(seed, params):
    made, cells = drawn(seed, params["churn"])
    then = AS_OF - params["exam_days"] * DAY
    expected = regression(made, params, "now", AS_OF, OBSERVED) + regression(
        made, params, "then", then, OBSERVED
    )
    assert counted(cells["patterns"]) == expected
    columns = ["entered", "churned", "censored"]
    now = cells["patterns"].query("known == 'now'").groupby("day")[columns].sum()
    risk = cells["risk"].query("by == 'all'").groupby("day")[columns].sum()
    pd.testing.assert_frame_equal(now, risk[risk.sum(axis=1) > 0])


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_known_then_is_what_cells_of_then_say(seed, params):
    """Cells made at the earlier `as_of`, from all rows, say the same: later rows change no judgement."""
    made, cells = drawn(seed, params["churn"])
    then = AS_OF - params["exam_days"] * DAY
    earlier = make_cells(tidy(made, observed_from=OBSERVED, as_of=then), "retention", params)["patterns"]
    cells = cells["patterns"]
    known, judged = cells[cells["known"] == "then"], earlier[earlier["known"] == "now"]
    pd.testing.assert_frame_equal(
        known.drop(columns="known").reset_index(drop=True),
        judged.drop(columns="known").reset_index(drop=True),
    )
    assert known["churned"].sum() > 0


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_examination_equals_plain_python(seed, params):
    made, cells = drawn(seed, params["churn"])
    then = AS_OF - params["exam_days"] * DAY
    now = {m["member"]: s for m, s in followed(made, params, observed_from=OBSERVED)}
    expected = Counter()
    for m, s in followed(made, params, observed_from=OBSERVED, as_of=then):
        if s["churned"]:
            continue
        key = tuple(groups_of(m)[name] for name in GROUPS)
        later = now[m["member"]]
        after = math.ceil((later["end"] - s["end"]) / 7) * 7 if later["churned"] else 0
        assert not later["churned"] or after > 0  # nobody turns out to have left before
        expected["members", (*key, s["end"] // 7 * 7, after)] += 1
    assert counted(cells["exam"]) == expected
    there = cells["patterns"].query("known == 'then'").groupby(list(GROUPS))["censored"].sum()
    pd.testing.assert_series_equal(
        cells["exam"].groupby(list(GROUPS))["members"].sum(), there[there > 0], check_names=False
    )


def active_days(m, made, days):
    """On how many local days a member did something in the first days, as was known by then."""
    end = m["joined_at"] + days * DAY
    known_to = AS_OF + math.ceil((end - AS_OF) / DAY) * DAY
    seen = [
        e["occurred_at"]
        for e in made["events"]
        if e["member"] == m["member"] and max(e["occurred_at"], e["recorded_at"] or 0) <= known_to
    ]
    local = {datetime.fromtimestamp(at, ZoneInfo(ZONE)).date() for at in seen if m["joined_at"] <= at <= end}
    most = ((0, "0"), (2, "1-2"), (5, "3-5"), (10, "6-10"), (20, "11-20"), (math.inf, "21+"))
    return next(name for bound, name in most if len(local) <= bound)


def plan_then(m, made, days):
    end = m["joined_at"] + days * DAY
    begun = [s for s in made["spells"] if s["member"] == m["member"] and s["started_at"] <= end]
    return max(begun, key=lambda s: s["started_at"])["plan"] if begun else "unknown"


@pytest.mark.parametrize("params", ASKED)
@pytest.mark.parametrize("seed", SEEDS)
def test_landmarks_equal_plain_python(seed, params):
    made, cells = drawn(seed, params["churn"])
    days, expected = params["landmark"], Counter()
    for m, s in followed(made, params, observed_from=OBSERVED):
        with_us = s["end"] > days if s["churned"] else s["end"] >= days
        if s["late"] or not with_us:
            continue
        for by, group in (("active_days", active_days), ("plan_then", plan_then)):
            named = group(m, made, days)
            expected["entered", (by, named, 0)] += 1
            expected["churned" if s["churned"] else "censored", (by, named, s["end"] - days)] += 1
    assert counted(cells["landmark"]) == expected
    assert len(set(cells["landmark"]["group"])) > 3


@pytest.mark.parametrize("params", ASKED)
def test_the_order_of_rows_does_not_matter(params):
    made = draw(5)
    rng = np.random.default_rng(1)
    mixed = {name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in made.items()}
    first, second = (make_cells(tidy(world), "retention", params) for world in (made, mixed))
    assert first.tables.keys() == second.tables.keys()
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second[name])


def person(*, spells, left=None, reason=None, events=(), joined=100):
    """A world of one member; numbers are days before `AS_OF`, `spells` pairs of begin and end."""
    at = {None: None}

    def second(day):
        return at.get(day, None if day is None else round(AS_OF - day * DAY))

    m = {"member": 0, "joined_at": second(joined), "churned_at": second(left), "churn_reason": reason}
    return {
        "members": [{**m, "plan": "monthly", "region": "north"}],
        "spells": [
            {"member": 0, "started_at": second(a), "ended_at": second(b), "plan": "monthly"}
            for a, b in spells
        ],
        "events": [
            {"member": 0, "occurred_at": second(day), "recorded_at": None, "event": "visit"}
            for day in (*events, 0)
        ],
    }


def of_everybody(made, name, params=PARAMS):
    table = make_cells(tidy(made), "retention", params)[name]
    return counted(table[table["by"] == "all"]) if "by" in table else counted(table)


def test_a_member_who_leaves_and_comes_back_by_hand():
    """With us 100 days ago, left after 30.5 days, back after 40, left again after 70: seen for 100 days."""
    made = person(spells=[(100, 69.5), (60, 30)], left=69.5, reason="price")
    assert of_everybody(made, "moves") == {
        ("entered", ("all", "all", 0)): 1,
        ("left", ("all", "all", 31)): 1,
        ("back", ("all", "all", 40)): 1,
        ("left", ("all", "all", 70)): 1,
        ("ended_away", ("all", "all", 100)): 1,
    }
    assert of_everybody(made, "away") == {
        ("entered", ("all", "all", 0)): 1,
        ("back", ("all", "all", 10)): 1,
    }
    assert of_everybody(made, "reasons") == {("churned", ("all", "all", 31, "price")): 1}


def test_pauses_before_the_first_leaving_and_changes_of_plan_after_it_are_no_moves():
    """A pause of ten days; left on day 50; back on day 60 on one plan, from day 70 on another until now."""
    made = person(spells=[(100, 90), (80, 50), (40, 30), (30, None)], left=50, reason=None)
    assert of_everybody(made, "moves") == {
        ("entered", ("all", "all", 0)): 1,
        ("left", ("all", "all", 50)): 1,
        ("back", ("all", "all", 60)): 1,
        ("ended", ("all", "all", 100)): 1,
    }


def test_who_is_back_within_the_day_has_not_moved_but_was_away():
    made = person(spells=[(100, 50.7), (50.5, None)], left=50.7, reason="price")
    assert of_everybody(made, "moves") == {
        ("entered", ("all", "all", 0)): 1,
        ("ended", ("all", "all", 100)): 1,
    }
    assert of_everybody(made, "away")["back", ("all", "all", 1)] == 1


def test_a_silent_member_by_hand():
    """Signs on days 0, 5, 20, 22 and 100: away from day 5 to 20, and from 22 on; judged to day 90."""
    made = person(spells=[(100, None)], events=(95, 80, 78))
    assert of_everybody(made, "moves", SILENCE) == {
        ("entered", ("all", "all", 0)): 1,
        ("left", ("all", "all", 5)): 1,
        ("back", ("all", "all", 20)): 1,
        ("left", ("all", "all", 22)): 1,
        ("ended_away", ("all", "all", 90)): 1,
    }
    assert of_everybody(made, "away", SILENCE)["back", ("all", "all", 15)] == 1
    patterns_ = of_everybody(made, "patterns", SILENCE)
    assert patterns_["churned", ("monthly", "north", "then", 5)] == 1


def test_a_lone_sign_between_two_long_gaps_is_no_coming_back():
    made = person(spells=[(100, None)], events=(60,))
    moves = of_everybody(made, "moves", SILENCE)
    assert ("back", ("all", "all", 40)) not in moves
    assert moves["ended_away", ("all", "all", 90)] == 1
    assert of_everybody(made, "away", SILENCE)["back", ("all", "all", 40)] == 1


def test_what_arrives_after_the_examination_begins_was_not_known_then():
    """Silent from day 5 to 40 by what was known then; the visit of day 12 came in on day 60 of 100."""
    made = person(spells=[(100, None)], events=(95, 60))
    made["events"].append(
        {"member": 0, "occurred_at": AS_OF - 88 * DAY, "recorded_at": AS_OF - 40 * DAY, "event": "visit"}
    )
    patterns_ = of_everybody(made, "patterns", SILENCE)
    assert patterns_["churned", ("monthly", "north", "then", 5)] == 1
    assert patterns_["churned", ("monthly", "north", "now", 12)] == 1
    assert of_everybody(made, "exam", SILENCE) == {}


def test_an_examination_by_hand():
    """Seen for 100 days, left after 70; 45 days ago a member of 55 days (7 weeks), who left 15 days later."""
    made = person(spells=[(100, 30)], left=30, reason="price")
    assert of_everybody(made, "exam") == {("members", ("monthly", "north", 49, 21)): 1}
    stays = person(spells=[(100, None)])
    assert of_everybody(stays, "exam") == {("members", ("monthly", "north", 49, 0)): 1}


def test_tables_are_there_where_the_case_allows():
    made = person(spells=[(100, 30)], left=30)
    names = set(make_cells(tidy(made), "retention", PARAMS).tables)
    assert names >= {"risk", "moves", "away", "patterns", "exam", "landmark"}
    assert "reasons" not in names  # none is known
    few = {"members": made["members"]}
    assert set(make_cells(tidy(few), "retention", PARAMS).tables) == {"risk", "patterns", "exam"}
    asked = {name: value for name, value in PARAMS.items() if name not in ("landmark", "exam_days")}
    assert set(make_cells(tidy(few), "retention", asked).tables) == {"risk"}


def test_too_many_patterns_are_no_cells(monkeypatch):
    made = draw(1)
    found = len({tuple(groups_of(m)[name] for name in GROUPS) for m, _ in followed(made, PARAMS)})
    monkeypatch.setattr(patterns, "LIMIT", found)
    assert "patterns" not in make_cells(tidy(made), "retention", PARAMS).meta
    monkeypatch.setattr(patterns, "LIMIT", found - 1)
    cells = make_cells(tidy(made), "retention", PARAMS)
    assert (len(cells["patterns"]), len(cells["exam"])) == (0, 0)
    assert list(cells["patterns"]) == [*GROUPS, "known", "day", "entered", "churned", "censored"]
    assert cells.meta["patterns"] == {"found": found, "limit": found - 1}


def test_cells_say_when_landmark_and_examination_are():
    meta = make_cells(tidy(draw(1)), "retention", PARAMS).meta
    assert (meta["landmark"], meta["exam_days"]) == (20, 45)
