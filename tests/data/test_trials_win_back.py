"""Cells of a trial of members who had left, against a count in plain Python, and which trials those are."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import win_back_worlds as worlds
from sojourn.data.cells import make_cells
from sojourn.data.cells.trials.people import aim_of, enrolled
from sojourn.data.tidy import MissingTableError

DAY = 86_400
SMALL = worlds.WinBack(members=400)
#: Value days that are no horizon, so that both are told apart.
PARAMS = {**worlds.PARAMS, "value_days": 60}


def second(at):
    return None if pd.isna(at) else int(at.timestamp())


def members(frames):
    """Return one mapping per member: instants in seconds, spells after leaving, payments."""
    assigned = frames["assignments"].query("trial == 'come-back'").set_index("member")
    spells, paid = {}, {}
    for row in frames["spells"].itertuples():
        spells.setdefault(row.member, []).append((second(row.started_at), second(row.ended_at)))
    for row in frames["events"].itertuples():
        paid.setdefault(row.member, []).append((second(row.occurred_at), row.amount))
    found = []
    for row in frames["members"].itertuples():
        left = second(row.churned_at)
        found.append(
            {
                "scheme": assigned["scheme"][row.member],
                "plan": row.plan,
                "at": second(assigned["assigned_at"][row.member]),
                "left": left,
                "again": [s for s in spells[row.member] if left is not None and s[0] >= left],
                "paid": paid.get(row.member, []),
            }
        )
    return found


def there(member, at):
    return any(start <= at and (end is None or end > at) for start, end in member["again"])


def taken(member):
    """Whether a member had left at assignment and was not back."""
    return member["left"] is not None and member["left"] < member["at"] and not there(member, member["at"])


@pytest.fixture(scope="module")
def frames():
    """Return a world with a second trial of the same members, three days after joining: all were with us."""
    made = worlds.draw(SMALL, seed=4)
    early = made["members"]["joined_at"] + np.timedelta64(3, "D")
    welcome = made["assignments"].assign(trial="welcome", assigned_at=early)
    return made | {"assignments": pd.concat([made["assignments"], welcome], ignore_index=True)}


@pytest.fixture(scope="module")
def cells(frames):
    return make_cells(worlds.tidy_of(frames), "trials", PARAMS)


@pytest.fixture(scope="module")
def judged(frames):
    """Return members of the trial and until when they are seen."""
    return [m for m in members(frames) if taken(m)], int(worlds.AS_OF.timestamp())


def test_members_who_had_left_and_are_back_are_counted(cells, judged) -> None:
    rows, as_of = judged
    binary = cells["binary"]
    assert set(binary["outcome"]) == {"back_at_30", "back_at_90", "converted"}
    for days in (30, 90):
        n, k = Counter(), Counter()
        for m in rows:
            at = m["at"] + days * DAY
            if at <= as_of:
                n[m["scheme"], m["plan"]] += 1
                k[m["scheme"], m["plan"]] += there(m, at)
        found = (
            binary[binary["outcome"] == f"back_at_{days}"].groupby(["scheme", "stratum"])[["n", "k"]].sum()
        )
        assert found["n"].to_dict() == dict(n)
        assert found["k"].to_dict() == {key: k[key] for key in n}
    # who came back and left again within 90 days is not back at their end: the count has such members
    assert any(there(m, m["at"] + 30 * DAY) and not there(m, m["at"] + 90 * DAY) for m in rows)


def test_values_are_those_within_the_value_days(cells, judged) -> None:
    rows, as_of = judged
    total = Counter()
    for m in rows:
        end = m["at"] + PARAMS["value_days"] * DAY
        if end <= as_of:
            paid = sum((a for at, a in m["paid"] if m["at"] <= at < end), Decimal(0))
            total[m["scheme"]] += Decimal("0.5") * paid - (3 if m["scheme"] == "gift" else 0)
    value = cells["value"]
    net = value[value["outcome"] == "net_value"].groupby("scheme")["total"].sum()
    assert {scheme: Decimal(amount) for scheme, amount in net.items()} == dict(total)


def test_other_tables_are_of_the_same_members(cells, judged) -> None:
    rows, as_of = judged
    k = Counter(m["scheme"] for m in rows if m["at"] + 60 * DAY <= as_of and there(m, m["at"] + 60 * DAY))
    assert cells["features"].groupby("scheme")["kept"].sum().to_dict() == dict(k)
    assert cells["split"].groupby("scheme")["assigned"].sum().to_dict() == Counter(m["scheme"] for m in rows)
    missing = cells["missing"]
    assert set(missing["outcome"]) == {"back_at_30", "back_at_90"}
    assert (missing["known"] == missing["assigned"]).all()


def test_times_are_those_until_the_first_coming_back(cells, judged) -> None:
    rows, as_of = judged
    back, seen = Counter(), Counter()
    for m in rows:
        later = [start for start, _ in m["again"] if start > m["at"]]
        day = -((m["at"] - min(later)) // DAY) if later else None
        last = (as_of - m["at"]) // DAY
        came = day is not None and day <= last
        (back if came else seen)[m["scheme"], day if came else last] += 1
    times = cells["times"].groupby(["scheme", "day"])[["churned", "censored"]].sum()
    for name, counted in (("churned", back), ("censored", seen)):
        assert times[name][times[name] > 0].to_dict() == dict(counted)


def test_nothing_follows_members_while_they_are_there_who_had_left(cells) -> None:
    assert not {"after", "neighbours", "brought"} & set(cells.tables)
    assert cells.meta["aim"] == "back"
    assert cells.meta["guarded"] == "back_at_90"
    assert cells.meta["words"]["net_value"] == "net value per member who had left, within 60 days"


def test_who_was_with_us_is_counted_and_not_judged(cells, frames) -> None:
    others = Counter(m["scheme"] for m in members(frames) if not taken(m))
    faults = cells["faults"]
    found = faults[faults["fault"] == "still_with_us"].set_index("scheme")["members"]
    assert found.to_dict() == dict(others)
    assert cells.meta["other_state"] == sum(others.values()) > 0
    assert "left_before" not in set(faults["fault"])


def test_trials_of_both_kinds_stand_side_by_side_with_their_own_outcome(cells, frames) -> None:
    asked = {name: PARAMS[name] for name in ("value_days", "margin", "cost_per_member")}
    side_by_side = make_cells(worlds.tidy_of(frames), "portfolio", {**asked, "horizon_days": 90})
    table, money = side_by_side["trials"], {"revenue", "net_value"}
    outcomes = table.groupby("trial")["outcome"].agg(set).to_dict()
    assert outcomes == {"come-back": {"back_at_90", *money}, "welcome": {"kept_at_90", *money}}
    own = cells["binary"].query("outcome == 'back_at_90'").groupby("scheme")[["n", "k"]].sum()
    table = table.query("trial == 'come-back' and outcome == 'back_at_90'")
    table = table.groupby("scheme")[["n", "total"]].sum()
    assert table["n"].to_dict() == own["n"].to_dict()
    assert {s: int(total) for s, total in table["total"].items()} == own["k"].to_dict()


@pytest.mark.parametrize(("gone", "aim"), [(10, "kept"), (11, "back")])
def test_more_than_half_decide_what_a_trial_asks(gone, aim) -> None:
    frames = worlds.draw(worlds.WinBack(members=20, still=0.0), seed=6)
    stays = frames["members"]["member"] >= gone
    frames["members"]["churned_at"] = frames["members"]["churned_at"].mask(stays)
    assert aim_of(worlds.tidy_of(frames), PARAMS) == aim


def test_a_gift_in_the_second_of_leaving_is_to_win_back() -> None:
    """Ten of twelve cancel and are assigned at once, or two: those count as with us on the first day."""
    frames = worlds.draw(worlds.WinBack(members=12, still=0.0), seed=8)
    at = frames["assignments"]["assigned_at"]
    first = frames["members"]["member"] < 10
    for leavers, aim, part in ((first, "back", 10), (~first, "kept", 12)):
        frames["members"]["churned_at"] = at.where(leavers)
        rows = enrolled(worlds.tidy_of(frames), PARAMS).execute()
        assert set(rows["aim"]) == {aim}
        assert rows["takes_part"].sum() == part


def test_without_spells_nobody_is_known_to_be_back() -> None:
    frames = worlds.draw(worlds.WinBack(members=50), seed=7)
    del frames["spells"]
    with pytest.raises(MissingTableError, match="`spells`"):
        make_cells(worlds.tidy_of(frames), "trials", PARAMS)
