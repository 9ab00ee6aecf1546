"""Cells of the board: counts equal plain pandas on a drawn world, exactly; nothing later moves anybody."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import board_rule
import tidy_worlds
from drawn_board import AS_OF, DAY, FROM, PARAMS, TABLES, drawn, make, tidy
from sojourn.core.errors import DataError, ParameterError
from sojourn.data.cells import make_cells
from sojourn.data.tidy import MissingTableError
from sojourn.world import make_world


@pytest.fixture(scope="module")
def frames():
    return drawn()


@pytest.fixture(scope="module")
def made(frames):
    return make(frames)


# --- in pandas ---------------------------------------------------------------------------------------


def in_a_spell(frames, at):
    """Return members in a spell, begun after they first left, that runs at an instant."""
    rows = frames["spells"].merge(frames["members"][["member", "churned_at"]], on="member")
    running = (rows["started_at"] <= at) & (rows["ended_at"].isna() | (rows["ended_at"] > at))
    return set(rows.loc[running & (rows["started_at"] >= rows["churned_at"]), "member"])


def last_seen(frames, seen_at):
    """Return the last event of members, each up to an instant of its own."""
    events = frames["events"].merge(seen_at.rename("seen_at").reset_index(), on="member")
    late = events["recorded_at"].fillna(events["occurred_at"])
    known = events[(events["occurred_at"] <= events["seen_at"]) & (late <= events["seen_at"])]
    return known.groupby("member")["occurred_at"].max().reindex(seen_at.index)


def left_last(frames, at):
    """Return when members who had left by an instant did so for the last time, if they are not back."""
    members = frames["members"].set_index("member")["churned_at"]
    spells = frames["spells"].join(members, on="member")
    again = spells[(spells["started_at"] >= spells["churned_at"]) & (spells["ended_at"] <= at)]
    latest = again.groupby("member")["ended_at"].max().reindex(members.index)
    return latest.fillna(members)


def day_before(instants):
    return AS_OF - (-(-(AS_OF - instants) // DAY)) * DAY


def states(frames, at):
    """Return segment, stage, whether left and whether back of all who had joined by an instant."""
    members = frames["members"].set_index("member")
    members = members[members["joined_at"] <= at]
    left = (members["churned_at"] <= at).fillna(False)
    back = left & members.index.isin(in_a_spell(frames, at))
    whole = pd.Series(at, members.index)
    last = last_seen(frames, whole)
    ends = day_before(left_last(frames, at).reindex(members.index))
    seen_at = whole.where(~left | back, ends)  # of who is gone nothing is read after leaving
    observed = (seen_at - members["joined_at"].clip(lower=FROM)) // DAY
    silent = ((seen_at - last_seen(frames, seen_at)) // DAY).fillna(observed)
    segment = np.where(observed < board_rule.TENURE_DAYS, -1, (silent >= board_rule.SILENT_DAYS).astype(int))
    age = (at - members["joined_at"].dt.floor("s")) // DAY
    quiet = ((at - last.dt.floor("s")) // DAY).fillna(9_999)
    stage = np.select(
        [left & ~back, back, age < 30, quiet >= 20, age < 90],
        ["churned", "returned", "new", "silent", "growing"],
        "active",
    )
    return pd.DataFrame({"segment": segment, "stage": stage, "left": left, "back": back}, members.index)


def counted(frame, *by):
    return {key: int(n) for key, n in frame.groupby(list(by)).size().items()}


def told(table, by, column):
    return {tuple(row[name] for name in by): row[column] for row in table.to_dict("records")}


# --- who is where ------------------------------------------------------------------------------------


def test_now_is_everybody_by_segment_and_stage(made, frames):
    expected = counted(states(frames, AS_OF), "segment", "stage")
    assert len({stage for _, stage in expected}) == 6
    assert told(made["now"], ("segment", "stage"), "members") == expected


def test_what_became_of_members_after_landmarks(made, frames):
    assert made.meta["landmarks"] == [60, 120, 180]
    for days_ago in (60, 120, 180):
        at = AS_OF - days_ago * DAY
        then = states(frames, at)
        found = made["since"][made["since"]["days_ago"] == days_ago]
        assert told(found, ("segment", "stage"), "n") == counted(then, "segment", "stage")
        for days in (20, 60):
            later = states(frames, at + days * DAY).loc[then.index]
            events = frames["events"]
            came = events[(events["occurred_at"] > at) & (events["occurred_at"] <= at + days * DAY)]["member"]
            gone = np.where(then["stage"] == "returned", ~later["back"], later["left"])
            is_out = then["stage"] == "churned"
            expected = then.assign(
                came=then.index.isin(came), left=gone & ~is_out, back=later["back"] & is_out
            )
            sums = expected.groupby(["segment", "stage"])[["came", "left", "back"]].sum()
            assert sums["left"].sum() > 5
            for name in ("came", "left", "back"):
                assert told(found, ("segment", "stage"), f"{name}_{days}") == sums[name].to_dict()


def test_moves_between_the_ends_of_months(made, frames):
    """A month is 30 days; the last one ends at `as_of`, on 1 July by the clock of Berlin."""
    assert made.meta["months"] == ["2025-04-02", "2025-05-02", "2025-06-01", "2025-07-01"]
    found = made["moves"]
    for months in (3, 2, 1):
        at = AS_OF - 30 * months * DAY
        places = [
            state["segment"].where(state["stage"] != "churned", -2)
            for state in (states(frames, at), states(frames, at + 30 * DAY))
        ]
        both = pd.concat(places, axis=1, keys=["a", "b"]).fillna({"a": -3})  # who joined in between
        both = both[(both["a"] != -2) | (both["b"] != -2)].astype(int)
        rows = found[found["month"].astype(str) == made.meta["months"][3 - months]]
        assert told(rows, ("from_segment", "to_segment"), "n") == counted(both, "a", "b")
    assert {-2, -1} <= set(found["from_segment"]) & set(found["to_segment"])
    assert -3 in set(found["from_segment"]) - set(found["to_segment"])  # nobody joins in the end


def test_moves_of_the_same_members_are_counted_together(made, frames):
    """Of each member and start: months begun there, and moves from there; summed over members."""
    ends = [states(frames, AS_OF - 30 * months * DAY) for months in (3, 2, 1, 0)]
    places = [state["segment"].where(state["stage"] != "churned", -2) for state in ends]
    steps = pd.concat(
        [pd.concat([a, b.reindex(a.index)], axis=1, keys=["a", "b"]) for a, b in pairwise(places)]
    ).astype(int)
    steps = steps[steps["a"] != -2].rename_axis("member").reset_index()
    own = steps.groupby(["member", "a", "b"]).size().rename("n").reset_index()
    own["begun"] = own.groupby(["member", "a"])["n"].transform("sum")
    own = own.assign(n_sq=own["n"] ** 2, n_begun=own["n"] * own["begun"])
    sums = own.groupby(["a", "b"])[["n", "n_sq", "n_begun"]].sum()
    assert (sums["n"] < sums["n_sq"]).any()
    assert (sums["n_sq"] < sums["n_begun"]).any()
    for name in sums:
        assert told(made["repeated"], ("from_segment", "to_segment"), name) == sums[name].to_dict()


def test_dates_are_counted_as_dates_where_clocks_were_changed_in_between(frames):
    """Midnight in New York in summer, less so many times 24 hours, is 23:00 of the day before in winter."""
    found = make(frames, params={**PARAMS, "months": 6}, time_zone="America/New_York")
    assert [found.meta["months"][0], found.meta["months"][-1]] == ["2025-01-02", "2025-07-01"]


def test_the_last_stock_is_who_is_there_now_however_soon_there_is_a_segment(frames):
    """Who joined in the last month and has a segment after ten days is among them."""
    rule = board_rule.rule()
    early = replace(rule, counting=replace(rule.counting, min_tenure_days=10))
    found = make(frames, rule=early)
    now = found["now"][found["now"]["stage"] != "churned"].groupby("segment")["members"].sum()
    moves = found["moves"]
    last = moves[(moves["month"] == moves["month"].max()) & (moves["to_segment"] != -2)]
    assert last.groupby("to_segment")["n"].sum().to_dict() == now.to_dict()


def test_who_is_somewhere_at_a_month_end_goes_on_from_there(made):
    """Whoever goes into a segment in one month leaves it, or stays, in the next one; joiners are too new."""
    moves = made["moves"]
    months = sorted(set(moves["month"]))
    for segment in (0, 1):
        for one, other in pairwise(months):
            into = moves.loc[(moves["month"] == one) & (moves["to_segment"] == segment), "n"].sum()
            out = moves.loc[(moves["month"] == other) & (moves["from_segment"] == segment), "n"].sum()
            assert into == out > 0


# --- trials ------------------------------------------------------------------------------------------


def placed(frames):
    """Return members of trials of those with us, with segment and stage at assignment.

    Of what they did counts what they did before the instant of assignment; what they do at it follows.
    """
    first = frames["assignments"].sort_values(["assigned_at", "scheme"]).drop_duplicates(["trial", "member"])
    rows = first.merge(frames["members"], on="member").reset_index(names="row")
    rows = rows[~(rows["churned_at"] < rows["assigned_at"])]
    rows = rows.assign(day=day_before(rows["assigned_at"] - timedelta(microseconds=1)))
    events = frames["events"].merge(rows[["row", "member", "day"]], on="member")
    late = events["recorded_at"].fillna(events["occurred_at"])
    known = events[(events["occurred_at"] <= events["day"]) & (late <= events["day"])]
    last = known.groupby("row")["occurred_at"].max().reindex(rows["row"]).to_numpy()
    rows["last"] = pd.to_datetime(last, utc=True)
    observed = (rows["day"] - rows["joined_at"].clip(lower=FROM)) // DAY
    silent = ((rows["day"] - rows["last"]) // DAY).fillna(observed)
    age, quiet = (
        (rows["assigned_at"].dt.floor("s") - rows[name].dt.floor("s")) // DAY
        for name in ("joined_at", "last")
    )
    stages = [age < 30, ~(quiet < 20), age < 90]
    return rows.assign(
        segment=np.where(observed < board_rule.TENURE_DAYS, -1, silent >= board_rule.SILENT_DAYS),
        stage=np.select(stages, ["new", "silent", "growing"], "active"),
    )


def test_members_of_trials_are_where_they_were_at_their_own_assignment(made, frames):
    """Doings are known to the last whole day before; joining right up to assignment."""
    arms = made["arms"].query("aim == 'kept' and outcome == 'there'")
    rows = placed(frames)
    rows = rows[(rows["assigned_at"] <= AS_OF - 30 * DAY) & rows["trial"].isin(arms["trial"])]
    by = ("trial", "scheme", "segment", "stage")
    expected = counted(rows, *by)
    assert {stage for *_, stage in expected} == {"new", "growing", "active", "silent"}
    assert told(arms, by, "n") == expected


def test_sums_over_segments_and_stages_are_those_of_the_portfolio(made, frames):
    whole = make_cells(tidy(frames), "portfolio", PARAMS).tables["trials"]
    arms = made.tables["arms"]
    for outcome, of in (("there", "kept_at_30"), ("there", "back_at_30"), ("net_value", "net_value")):
        rows = whole[whole["outcome"] == of].groupby(["trial", "scheme"], as_index=False)
        rows = rows[["n", "total", "total_sq"]].sum()
        ours = arms[arms["outcome"] == outcome]
        sums = ours.groupby(["trial", "scheme"])[["n", "total", "total_sq"]].sum()
        for row in rows.to_dict("records"):
            found = sums.loc[(row["trial"], row["scheme"])]
            assert [found[name] for name in found.index] == [row[name] for name in found.index]
    assert set(arms["aim"]) <= {"kept", "back"}
    assert list(made["before"].columns[:2]) == ["trial", "scheme"]
    assert {"assigned", "before", "before_sq"} <= set(made["before"].columns)
    assert made["before"]["together"].eq(0).all()


def test_ages_at_assignment_are_those_of_nine_members_of_ten(made, frames):
    """The smallest age that a twentieth, and that nineteen twentieths, of a trial's members do not exceed."""
    rows = placed(frames)
    rows["age"] = (rows["assigned_at"].dt.floor("s") - rows["joined_at"].dt.floor("s")) // DAY
    kept = made["before"].query("aim == 'kept'")
    assert len(kept)
    for row in kept.to_dict("records"):
        ages = rows.loc[rows["trial"] == row["trial"], "age"]
        assert (row["age_low"], row["age_high"]) == tuple(
            np.quantile(ages, [0.05, 0.95], method="inverted_cdf")
        )


def test_members_of_clusters_of_several_are_counted(frames):
    """Pairs of even and odd are together; of a pair of whom one is not in the trial, the other is alone."""
    rows = frames["assignments"].query("trial == 'main'").sort_values("member")
    clusters = (rows["member"] // 2).astype(str).where(rows["member"] < 100)
    rows = rows.assign(cluster=clusters)
    alone = rows[rows["member"] % 2 == 1].assign(trial="other")  # of the same clusters, in another trial
    found = make({**frames, "assignments": pd.concat([rows, alone])})["before"]
    assert found.query("trial == 'other'")["together"].eq(0).all()
    found = found.query("trial == 'main'")
    known = rows.merge(frames["members"], on="member")
    known = known[(known["member"] < 100) & ~(known["churned_at"] < known["assigned_at"])]
    pairs = known.groupby(known["member"] // 2)["member"].transform("count") > 1
    expected = known[pairs].groupby("scheme").size()
    assert 0 < expected.sum() < len(known)
    pd.testing.assert_series_equal(
        found.set_index("scheme")["together"].sort_index(), expected.sort_index(), check_names=False
    )


def test_divisions_are_members_by_month_of_assignment(made):
    """Of all who took part, whether or not they were followed to the end."""
    found = made["divisions"].groupby(["trial", "scheme"])["assigned"].sum()
    whole = made["before"].set_index(["trial", "scheme"])["assigned"]
    pd.testing.assert_series_equal(found, whole.sort_index())
    assert made["divisions"]["period"].str.fullmatch(r"202[45]-[01][0-9]").all()


def test_what_follows_assignment_puts_nobody_elsewhere(frames):
    """Everybody assigned comes ten times right after, and has come days before, which is known too late."""
    rows = frames["assignments"].query("trial == 'main'")
    extra = [
        rows[["member"]].assign(occurred_at=rows["assigned_at"] + i * timedelta(hours=1), event="visit")
        for i in range(1, 11)
    ]
    late = rows[["member"]].assign(occurred_at=rows["assigned_at"] - 9 * DAY, event="visit")
    late["recorded_at"] = rows["assigned_at"]
    events = pd.concat([frames["events"], *extra, late])
    kept = ["scheme", "segment", "stage", "n"]
    before, after = (
        make({**frames, "assignments": rows, "events": of})["arms"].query("outcome == 'there'")
        for of in (frames["events"], events)
    )
    pd.testing.assert_frame_equal(before[kept].reset_index(drop=True), after[kept].reset_index(drop=True))


def test_what_is_done_at_the_very_instant_of_assignment_follows_it():
    """Where dates have no times, all that is done on the day of assignment is dated at that instant."""
    at, here = AS_OF - 50 * DAY, AS_OF - 300 * DAY
    gone = pd.to_datetime([None, None, at, at - DAY], utc=True)
    members = pd.DataFrame({"member": range(4), "joined_at": here, "churned_at": gone})
    rows = {"member": range(4), "trial": ["kept"] * 2 + ["win"] * 2, "scheme": "gift", "assigned_at": at}
    old = members[["member"]].assign(occurred_at=here + DAY, event="visit", amount=None)
    same = old.assign(occurred_at=at)
    spells = pd.DataFrame({"member": [9], "started_at": [here], "ended_at": [at], "plan": ["a"]})
    of = {"members": members, "spells": spells, "assignments": pd.DataFrame(rows)}
    placed = ["trial", "segment", "stage", "n"]
    for events in (old, pd.concat([old, same[same["member"] != 3]])):
        arms = make({**of, "events": events})["arms"].query("outcome == 'there'")
        found = set(arms[placed].itertuples(index=False, name=None))
        assert found == {("kept", 1, "silent", 2), ("win", 1, "churned", 2)}


def visit(at):
    return pd.DataFrame({"member": [0], "occurred_at": [at], "event": ["x"], "amount": [None]})


def test_left_in_the_second_of_assignment_is_left_in_a_win_back_trial_and_with_us_in_another():
    """A trial is of members who had left where more than half of them were; 0 left in that very second."""
    at = AS_OF - 50 * DAY
    members = [
        (m, AS_OF - 300 * DAY, at if m == 0 else gone) for m, gone in enumerate([None, *[at - DAY] * 3])
    ]
    win_back = [("win", m, "gift", at) for m in range(4)]
    members += [(m, AS_OF - 300 * DAY, at if m == 4 else None) for m in range(4, 8)]
    main = [("main", m, "gift", at) for m in range(4, 8)]
    table = pd.DataFrame(win_back + main, columns=["trial", "member", "scheme", "assigned_at"])
    made_of = {
        "members": pd.DataFrame(members, columns=["member", "joined_at", "churned_at"]),
        "events": visit(AS_OF - 200 * DAY),
        "spells": pd.DataFrame(
            {"member": [1], "started_at": [at + DAY], "ended_at": [pd.NaT], "plan": ["a"]}
        ),
        "assignments": table,
    }
    made_of["members"]["churned_at"] = pd.to_datetime(made_of["members"]["churned_at"], utc=True)
    made_of["spells"]["ended_at"] = pd.to_datetime(made_of["spells"]["ended_at"], utc=True)
    arms = make(made_of)["arms"]
    rows = arms[arms["outcome"] == "there"].to_dict("records")
    found = {(row["trial"], row["aim"], row["stage"]): (row["n"], int(row["total"])) for row in rows}
    assert found == {("win", "back", "churned"): (4, 1), ("main", "kept", "silent"): (4, 3)}


def test_who_is_gone_is_in_the_segment_of_leaving_however_long_ago_that_was():
    """0 and 1 left 100 days ago, 5 and 50 days after a visit; 2 was back and left again 30 days ago."""
    here, gone, again = AS_OF - 300 * DAY, AS_OF - 100 * DAY - timedelta(hours=5), AS_OF - 30 * DAY
    members = pd.DataFrame({"member": [0, 1, 2], "joined_at": here, "churned_at": gone})
    seen = pd.to_datetime([gone - 5 * DAY, gone - 50 * DAY, gone - 50 * DAY, again - DAY], utc=True)
    events = pd.DataFrame({"member": [0, 1, 2, 2], "occurred_at": seen, "event": "x", "amount": None})
    spells = pd.DataFrame({"member": [2], "started_at": again - 9 * DAY, "ended_at": again, "plan": "a"})
    at = AS_OF - 29 * DAY + timedelta(hours=3)
    rows = {"member": [0, 1, 2], "trial": "win", "scheme": "gift", "assigned_at": at}
    of = {"members": members, "events": events, "spells": spells, "assignments": pd.DataFrame(rows)}
    made = make(of, params={**PARAMS, "horizon_days": 14, "value_days": 14, "leave_days": [20]})
    assert told(made["now"], ("segment", "stage"), "members") == {(0, "churned"): 2, (1, "churned"): 1}
    arms = made["arms"].query("outcome == 'there'")
    assert told(arms, ("segment", "stage"), "n") == {(0, "churned"): 2, (1, "churned"): 1}
    since = made["since"].query("days_ago == 20")
    assert told(since, ("segment", "stage"), "n") == {(0, "churned"): 2, (1, "churned"): 1}


def test_who_joined_with_the_assignment_is_new_and_in_no_segment():
    at = AS_OF - 50 * DAY + timedelta(hours=3)
    members = pd.DataFrame({"member": [0], "joined_at": [at], "churned_at": pd.to_datetime([None], utc=True)})
    rows = {"member": [0], "trial": ["t"], "scheme": ["a"], "assigned_at": [at]}
    arms = make({"members": members, "events": visit(at), "assignments": pd.DataFrame(rows)})["arms"]
    assert set(zip(arms["segment"], arms["stage"], arms["n"], strict=True)) == {(-1, "new", 1)}


def test_a_trial_of_clubs_that_were_assigned_as_a_whole_says_so():
    made_of = make_world(members=300, seed=4, as_of=AS_OF, start=FROM, world="clusters")
    found = make(tidy_worlds.frames_of(made_of, TABLES))["before"].query("trial == 'main'")
    assert (found["together"] > 0.8 * found["assigned"]).all()


# --- what a case lacks -------------------------------------------------------------------------------


def test_they_say_what_they_are(made):
    meta = made.meta
    assert (meta["segments"], meta["verdict"]) == (list(board_rule.NAMES), "2 groups")
    assert (meta["rule"], meta["kind"]) == (board_rule.rule().fingerprint, "tree")
    assert (meta["fidelity"], meta["faithful"]) == (0.9, "pass")
    assert (meta["leaving"], meta["returns"]) == (True, True)
    assert "frozen_rule" not in meta["params"]
    assert (meta["horizon_days"], meta["value_days"], meta["before_days"]) == (30, 40, 28)


def test_without_spells_or_leaving_less_is_told(frames):
    without = {
        name: frame for name, frame in frames.items() if name not in ("spells", "assignments", "costs")
    }
    made = make(without)
    assert (made.meta["leaving"], made.meta["returns"]) == (True, False)
    assert "left_20" in made["since"]
    assert "back_20" not in made["since"]
    assert set(made.tables) == {"now", "since", "moves", "repeated"}
    stays = make(without, present={"members": ["member", "joined_at"], "events": ["member", "occurred_at"]})
    assert [name for name in stays["since"] if name.startswith(("left", "back"))] == []
    assert {"came_20", "came_60"} <= set(stays["since"])


def test_landmarks_and_months_lie_where_somebody_can_have_a_segment(frames):
    late = {**frames, "assignments": frames["assignments"].iloc[:0]}
    made = make(late, observed_from=(AS_OF - 130 * DAY).isoformat())
    assert made.meta["landmarks"] == [60]
    assert len(made.meta["months"]) == 3  # 60 days, of which the last month end is `as_of`
    began = (AS_OF - 20 * DAY).isoformat()
    short = make(late, observed_from=began)
    assert (short.meta["landmarks"], len(short.meta["months"])) == ([], 2)
    assert set(short["now"]["segment"]) == {-1}
    for base in (0, 10):  # nobody was followed from an instant at which there were segments
        alone = make({name: late[name] for name in ("members", "events")}, base=base, observed_from=began)
        assert alone["since"].empty
        assert {"days_ago", "segment", "stage", "n", "left_60", "came_20"} <= set(alone["since"].columns)


def test_the_order_of_rows_does_not_matter(made, frames):
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in frames.items()}
    assert make(shuffled).fingerprint == made.fingerprint


def test_what_cannot_be_counted_is_refused(frames):
    with pytest.raises(MissingTableError, match="events"):
        make({"members": frames["members"]})
    with pytest.raises(ParameterError, match="'leave_days' must be at least 1, got 0"):
        make(frames, params={**PARAMS, "leave_days": [0]})
    with pytest.raises(ParameterError, match="'leave_days' must state at least one number of days"):
        make(frames, params={**PARAMS, "leave_days": []})
    costs = frames["costs"].assign(scheme="gift", member=None)
    with pytest.raises(DataError, match="belongs to no member"):
        make({**frames, "costs": costs})


# --- protected ---------------------------------------------------------------------------------------


def test_in_a_private_case_counts_are_multiples_and_sums_come_in_steps(made, frames):
    base = 10
    shown = make(frames, base=base)
    for name, columns in (("now", ["members"]), ("moves", ["n"]), ("before", ["assigned", "matured"])):
        assert len(shown[name])
        assert not (shown[name][columns] % base).any(axis=None)
    counts = [name for name in shown["since"] if name not in ("days_ago", "segment", "stage")]
    assert not (shown["since"][counts] % base).any(axis=None)
    assert all((shown["since"][name] <= shown["since"]["n"]).all() for name in counts)
    cap = Decimal(shown.meta["protected"]["caps"]["net_value"])
    for row in shown.tables["arms"].to_dict("records"):
        most = cap if row["outcome"] == "net_value" else Decimal(1)
        assert row["n"] % base == 0 < row["n"]
        assert row["total"] % (base * most) == row["total_sq"] % (base * most**2) == 0
    assert "repeated" not in shown.tables  # squares of few members' moves are no counts
    assert len(shown["arms"]) < len(made["arms"])  # groups of fewer members are nobody
    assert shown.meta["protected"]["base"] == base
