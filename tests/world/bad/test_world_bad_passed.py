"""Faults with which the door goes on: with a finding in the quality table, or as if there were none."""

from __future__ import annotations

import csv
import io
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from sojourn.world.bad import FAULTS
from sojourn.world.bad.rows import FORMULAS, MARKUP

EARLY = "before the member joined. They are kept; studies read from joining on."
UNREAD = "not in the contract. It is not read."
# the whole finding, where the door has one today
FINDINGS = {
    "extra_column": UNREAD,
    "index_column": "a column without a name, such as the index that pandas writes. It is not read.",
    "formula_as_column": UNREAD,
    "years_of_two_digits": "an age at joining outside 18 to 110. These count as unknown.",
    "events_before_joining": EARLY,
    "orphan_referrers": "no other member. It counts as missing.",
}
# what comes with a fault: of so many events of one day some are equal to the second
FOLLOWS = {"bots": "an exact copy of another row"}

# names that pass as they are
NAMES = {
    "line_breaks_in_names": {"news\nletter", "shop\r\nwindow"},
    "quotes_in_names": {'the "best" friend', '"', "5' wall"},
    "delimiters_in_names": {"shop, town", "a;b|c\td"},
    "formulas_in_names": set(FORMULAS),
    "markup_in_names": set(MARKUP),
}

FOUND = [name for name, fault in FAULTS.items() if fault.expected in ("warning", "note")]
ACCEPTED = [name for name, fault in FAULTS.items() if fault.expected == "accepted"]


def members_of(passed) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(passed.files["members.parquet"]))


def times_of(passed) -> list[pd.Timestamp]:
    return pd.read_parquet(io.BytesIO(passed.files["events.parquet"]))["occurred_at"].tolist()


def test_what_the_door_does_is_known_of_every_fault_with_which_it_goes_on():
    assert set(FINDINGS) <= set(FOUND)
    assert set(NAMES) <= set(ACCEPTED)


@pytest.mark.parametrize("fault", FOUND)
def test_the_door_finds_it_and_goes_on(fault, plant, door, clean, said):
    planted = plant(fault)
    before, after = clean(fault).findings, door(planted.files).findings
    more = {key: n - before.get(key, 0) for key, n in after.items() if n > before.get(key, 0)}
    fitting = {
        key: n
        for key, n in more.items()
        if (key[0], key[2]) == (planted.table, planted.expected) and planted.column in ("", key[1])
    }
    assert fitting
    others = {key[3] for key in more if key[2] == "warning"} - {key[3] for key in fitting}
    assert all(other.startswith(FOLLOWS.get(fault, "nothing")) for other in others)
    said(fault, " ".join(f"{'.'.join(filter(None, key[:2]))}: {key[3]}" for key in sorted(fitting)))
    if fault in FINDINGS:
        assert more == {(planted.table, planted.column, planted.expected, FINDINGS[fault]): planted.rows}


@pytest.mark.parametrize("fault", [name for name in ACCEPTED if name not in NAMES])
def test_the_door_makes_the_same_of_it(fault, plant, door, clean):
    assert door(plant(fault).files) == clean(fault)


@pytest.mark.parametrize("fault", ["extra_column", "formula_as_column", "orphan_referrers"])
def test_what_is_noted_changes_no_tidy_table(fault, plant, door, clean):
    # somebody who was brought by a member is drawn only where there are some; then that one is lost
    before, after = members_of(clean(fault)), members_of(door(plant(fault).files))
    if fault == "orphan_referrers":
        before, after = (frame.drop(columns="referred_by") for frame in (before, after))
    pd.testing.assert_frame_equal(before, after)


@pytest.mark.parametrize("fault", NAMES)
def test_names_pass_as_they_are(fault, plant, door, clean):
    planted = plant(fault)
    before, after = clean(fault), door(planted.files)
    changed = {name for name, content in before.files.items() if after.files[name] != content}
    assert changed == {f"{planted.table}.parquet"}
    old, new = members_of(before), members_of(after)
    differs = old[planted.column] != new[planted.column]
    assert set(new.loc[differs, planted.column]) == NAMES[fault]
    assert 0 < differs.sum() <= planted.rows  # fewer where a member did not agree to analysis
    pd.testing.assert_frame_equal(old.drop(columns=planted.column), new.drop(columns=planted.column))


def test_no_formula_gets_into_the_quality_table(plant, door, project):
    door(plant("formula_as_column").files)
    with (project.root / "data/tidy/shop/quality.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_local_times_are_right_where_the_case_says_so(plant, door, clean):
    zone = ZoneInfo("Europe/Berlin")
    found = times_of(door(plant("local_times").files, clock="local"))
    # an hour that comes twice is read as its first coming: what the clock showed cannot tell
    first = [at.tz_convert(zone).to_pydatetime().replace(fold=0) for at in times_of(clean("local_times"))]
    assert sorted(found) == sorted(pd.Timestamp(at).tz_convert("UTC") for at in first)
