"""Who is due of today's members: as old, and as long silent, as members of a trial were when assigned."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import drawn_board
from drawn_board import AS_OF, DAY, drawn

HOUR = timedelta(hours=1)
PARAMS = {**drawn_board.PARAMS, "leave_days": [20], "months": 1}


def make(frames, *, base=0):
    return drawn_board.make(frames, base=base, params=PARAMS)


@pytest.fixture(scope="module")
def frames():
    return drawn()


@pytest.fixture(scope="module")
def made(frames):
    return make(frames)


def of_trial(cells, trial):
    """Return members and how many are due, by stage."""
    rows = cells["due"].query("trial == @trial").groupby("stage")[["members", "due"]].sum()
    return {stage: tuple(row) for stage, row in rows.iterrows()}


# --- by hand -----------------------------------------------------------------------------------------


def by_hand(joined, last, assigned):
    """Return members who joined, and came, so many days ago; trials by age, and silence, of members."""
    members = pd.DataFrame(
        {
            "member": range(len(joined)),
            "joined_at": [AS_OF - days * DAY for days in joined],
            "churned_at": pd.to_datetime([None] * len(joined), utc=True),
        }
    )
    rows, came = [], [(m, AS_OF - days * DAY, "x", None) for m, days in enumerate(last)]
    for trial, of in assigned.items():
        for m, (age, silent) in of.items():
            at = AS_OF - (joined[m] - age) * DAY + 2 * HOUR
            rows.append((trial, m, "gift", at))
            came.append((m, at - silent * DAY - 3 * HOUR, "x", None))
    events = pd.DataFrame(came, columns=["member", "occurred_at", "event", "amount"])
    table = pd.DataFrame(rows, columns=["trial", "member", "scheme", "assigned_at"])
    return {"members": members, "events": events, "assignments": table}


def test_a_scheme_for_the_first_week_is_for_who_is_not_past_it():
    """Of five new members two joined at most seven days ago; of two old ones nobody did."""
    joined = [3, 7, 8, 20, 29, 100, 200]
    made = make(by_hand(joined, [1] * 7, {"welcome": {5: (7, 0), 6: (7, 0)}}))
    assert of_trial(made, "welcome") == {"new": (5, 2), "active": (2, 0)}


def test_a_trial_at_all_ages_is_for_everybody():
    """Ages of 7 and 98 days lie further apart than one time after joining, those of 7 and 97 do not."""
    joined = [3, 100, 200, 210, 220]
    tried = {"all": {2: (7, 0), 3: (98, 0)}, "early": {3: (7, 0), 4: (97, 0)}}
    made = make(by_hand(joined, [1] * 5, tried))
    assert of_trial(made, "all") == {"new": (1, 1), "active": (4, 4)}
    assert of_trial(made, "early") == {"new": (1, 1), "active": (4, 0)}


def test_a_trial_on_silence_is_for_who_is_silent_now():
    """Members of the trial had stayed away for 12 days; now those have who came last 12 or 40 days ago."""
    joined, last = [300] * 5, [1, 10, 12, 41, 2]
    tried = {"win": {3: (200, 12), 4: (100, 12)}, "all": {0: (200, 0), 1: (100, 0)}}
    made = make(by_hand(joined, last, tried))
    assert of_trial(made, "win") == {"active": (4, 1), "silent": (1, 1)}
    assert of_trial(made, "all") == {"active": (4, 4), "silent": (1, 1)}


# --- on a drawn world --------------------------------------------------------------------------------


def silence(frames, rows, at, before=timedelta(0)):
    """Return whole days since members last came before instants; since joining where they never did."""
    events = frames["events"].merge(rows[["row", "member", at]], on="member")
    late = events["recorded_at"].fillna(events["occurred_at"])
    until = AS_OF - -(-(AS_OF - events[at] + before) // DAY) * DAY  # the last whole day that had ended
    known = events[(events["occurred_at"] <= until) & (late <= until)]
    last = rows["row"].map(known.groupby("row")["occurred_at"].max())
    return ((rows[at].dt.floor("s") - last.dt.floor("s")) // DAY).fillna(rows["age"])


def test_due_is_counted_as_in_pandas(made, frames):
    """Members of trials of those with us; days of age and silence are read off nine in ten of them."""
    first = frames["assignments"].sort_values(["assigned_at", "scheme"]).drop_duplicates(["trial", "member"])
    then = first.merge(frames["members"], on="member").reset_index(names="row")
    then = then[~(then["churned_at"] < then["assigned_at"])]
    then = then.assign(age=(then["assigned_at"].dt.floor("s") - then["joined_at"].dt.floor("s")) // DAY)
    then["silent"] = silence(frames, then, "assigned_at", timedelta(microseconds=1))
    spells = frames["spells"].merge(frames["members"][["member", "churned_at"]], on="member")
    back = spells[(spells["started_at"] > spells["churned_at"]) & spells["ended_at"].isna()]["member"]
    members = frames["members"]
    here = members[members["churned_at"].isna() | members["member"].isin(back)].reset_index(names="row")
    here = here.assign(at=AS_OF, age=(AS_OF - here["joined_at"].dt.floor("s")) // DAY)
    here["silent"] = silence(frames, here, "at")
    kept = set(made["before"].query("aim == 'kept'")["trial"])
    assert {"main", "win_back"} <= kept
    for trial in kept:
        own = then[then["trial"] == trial]
        low, high = np.quantile(own["age"], [0.05, 0.95], method="inverted_cdf")
        least = np.quantile(own["silent"], 0.05, method="inverted_cdf")
        expected = ((here["age"] <= high) | (high - low > 90)) & (here["silent"] + 1 >= least)
        told = made["due"].query("trial == @trial")
        assert (told["members"].sum(), told["due"].sum()) == (len(here), expected.sum()), trial


def test_members_of_the_state_of_a_trial_are_those_of_now(made):
    """Of trials of members with us all who are with us, whatever became of those of a segment."""
    now = made["now"].query("stage != 'churned'").set_index(["segment", "stage"])["members"].sort_index()
    kept = made["before"].query("aim == 'kept'")["trial"]
    for trial, rows in made["due"].groupby("trial"):
        assert trial in set(kept)
        told = rows.set_index(["segment", "stage"])["members"].sort_index()
        pd.testing.assert_series_equal(told, now)


# --- protected ---------------------------------------------------------------------------------------


def test_in_a_private_case_who_is_due_is_told_in_multiples_and_never_of_more_than_there_are(made, frames):
    base = 10
    shown = make(frames, base=base)
    told = shown["due"]
    assert len(told)
    assert not (told[["members", "due"]] % base).any(axis=None)
    assert (told["due"] <= told["members"]).all()
    now = shown["now"].set_index(["segment", "stage"])["members"]
    assert (
        told["members"].to_numpy() == now.loc[list(zip(told["segment"], told["stage"], strict=True))]
    ).all()
    assert (told["due"] < told["members"]).any()
    assert (told["due"] > 0).any()


def test_trials_too_small_to_tell_ages_do_not_tell_who_is_due(made, frames):
    """With fewer than twenty times as many members as may be shown, an age would be that of a few."""
    size = made["before"].groupby("trial")["assigned"].sum()
    base = int(size.median()) // 20
    shown = make(frames, base=base)
    large = {trial for trial, n in size.items() if n >= 20 * base}
    assert 0 < len(large) < len(size)
    assert set(shown["due"]["trial"]) == large
    known = shown["before"].dropna(subset=["age_high"])
    assert set(known["trial"]) <= large
