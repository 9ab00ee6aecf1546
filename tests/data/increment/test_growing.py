"""A case that grows by day has, byte for byte, what a full run makes, and never opens what it has read."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.core.errors import DataError, ParameterError
from sojourn.data import prepare as door
from sojourn.data.cells import write_cells
from sojourn.data.prepare import prepare
from sojourn.data.pseudonyms import Key

FIRST, DAYS, MEMBERS = pd.Timestamp("2025-03-01", tz="UTC"), 40, 60
LOST = "old days are not as they were left"
KINDS = np.array(["login", "view", "purchase"])
STUDIES = {
    "retention": {"cells": {"churn": "silence", "lapse_days": 5, "groups": ["plan"]}, "horizon": 10},
    "segments": {"cells": {"outcome_days": 10, "min_tenure_days": 5, "trend_days": 5}},
    "portrait": {"cells": {}},
    "trials": {"cells": {"trial": "main", "horizons": [5], "value_days": 5, "stratum": "plan"}},
}


def stamp(instants: pd.Series) -> pd.Series:
    """Write instants as exports do."""
    return instants.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def make_events(seed: int = 1, *, late: float = 0.05) -> pd.DataFrame:
    """Events of members who joined before or on the day of their first one; some are recorded days later."""
    rng = np.random.default_rng(seed)
    n = 1_500
    member = rng.integers(0, MEMBERS, n)
    at = FIRST + pd.to_timedelta(rng.uniform(0, DAYS * 86_400_000_000, n).astype("int64"), unit="us")
    at = pd.Series(np.maximum(at.asi8, joined_at(member).asi8)).pipe(pd.to_datetime, utc=True)
    slow = rng.uniform(size=n) < late
    recorded = at + pd.to_timedelta(np.where(slow, rng.integers(1, 6, n) * 86_400, 60), unit="s")
    events = pd.DataFrame({"member_id": [f"m{i:03d}" for i in member], "occurred_at": at})
    events["event"] = KINDS[rng.integers(0, 3, n)]
    events["feature"] = np.where(rng.uniform(size=n) < 0.5, "feed", None)
    events["item_id"] = [f"i{i}" for i in rng.integers(0, 90, n)]
    events["amount"] = np.where(events.event == "purchase", rng.integers(1, 900, n) / 10, None)
    events["recorded_at"] = recorded
    copies = events.sample(20, random_state=seed)  # exact copies of rows, in the parts of other days too
    return pd.concat([events, copies.assign(recorded_at=copies.recorded_at)], ignore_index=True)


def joined_at(member: np.ndarray) -> pd.DatetimeIndex:
    """Two members join every three days; a third of them before the first day."""
    return FIRST + pd.to_timedelta((member - MEMBERS // 3) * 57_600 + 1, unit="s")


def members_by(as_of: pd.Timestamp) -> pd.DataFrame:
    """The members' table as it was exported at an instant."""
    everybody = np.arange(MEMBERS)
    table = pd.DataFrame(
        {
            "member_id": [f"m{i:03d}" for i in everybody],
            "joined_at": stamp(pd.Series(joined_at(everybody))),
            "plan": np.where(everybody % 3 == 0, "annual", "monthly"),
            "churned_at": None,
            "consent": np.where(everybody % 7 == 5, "no", "yes"),
        }
    )
    return table[joined_at(everybody) <= as_of]


def assignments_by(as_of: pd.Timestamp) -> pd.DataFrame:
    some = members_by(as_of)
    return pd.DataFrame(
        {
            "trial": "main",
            "member_id": some.member_id,
            "scheme": np.where(some.index % 2 == 0, "none", "coupon"),
            "assigned_at": some.joined_at,
        }
    )


def part_of(events: pd.DataFrame, day: int) -> pd.DataFrame:
    """The rows that became known on a day: what an export of that day holds."""
    number = (events.recorded_at - FIRST).dt.days
    rows = events[number == day]
    return rows.assign(occurred_at=stamp(rows.occurred_at), recorded_at=stamp(rows.recorded_at))


class Shop:
    """A case whose events come as one part a day."""

    def __init__(self, project, *, suffix: str = ".parquet", **prepare: object) -> None:
        self.project, self.suffix, self.said = project, suffix, []
        self.public, self.only_events, self.exported = True, False, None
        self.prepare = {"grow": "by_day", "time_zone": "Europe/Berlin", **prepare}
        self.folder = project.root / "incoming" / "shop" / "events"
        self.folder.mkdir(parents=True)

    def add(self, name: str, rows: pd.DataFrame) -> Path:
        path = self.folder / f"{name}{self.suffix}"
        if self.suffix == ".parquet":
            rows.astype({"amount": "float64"}).to_parquet(path, index=False)
        else:
            rows.to_csv(path, index=False)
        return path

    def params(self, as_of: pd.Timestamp):
        exported = self.exported or as_of
        tables = {"members": members_by(exported), "assignments": assignments_by(exported)}
        stated = {**self.prepare, "as_of": as_of.isoformat()}
        tables = {} if self.only_events else tables
        self.project.case("shop", tables, public=self.public, prepare=stated, studies=STUDIES)
        self.project.content["cases"]["shop"]["prepare"]["tables"]["events"] = "incoming/shop/events"
        self.project.write()
        return self.project.params()

    @property
    def tidy(self) -> Path:
        return self.project.params().places("shop").tidy

    def run(self, as_of: pd.Timestamp, *, anew: bool = False) -> Path:
        return prepare(self.params(as_of), "shop", anew=anew, tell=self.said.append)

    def grow(self, events: pd.DataFrame, days: range, *, hour: int = 0) -> Path:
        for day in days:
            self.add(f"{day:03d}", part_of(events, day))
            made = self.run(end_of(day) + timedelta(hours=hour))
        return made

    def cells(self, as_of: pd.Timestamp) -> dict[str, bytes]:
        return {
            f"{study}/{name}": content
            for study in STUDIES
            for name, content in contents(write_cells(self.params(as_of), "shop", study)).items()
        }


def end_of(day: int) -> pd.Timestamp:
    return FIRST + timedelta(days=day + 1)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def begin(shop: Shop, events: pd.DataFrame, days: int, **run: int) -> Path:
    for day in range(days):
        shop.add(f"{day:03d}", part_of(events, day))
    return shop.run(end_of(days - 1))


@pytest.fixture
def shop(project) -> Shop:
    return Shop(project)


def same_as_anew(shop: Shop, as_of: pd.Timestamp) -> None:
    """Compare all files that stand there with those of a full run: tables, quality, ledger."""
    grown = contents(shop.run(as_of))
    anew = contents(shop.run(as_of, anew=True))
    assert set(grown) == set(anew)
    assert [name for name in anew if grown[name] != anew[name]] == []


def test_growing_day_by_day_equals_a_full_run(shop) -> None:
    events = make_events()
    begin(shop, events, 35)
    shop.grow(events, range(35, 38))
    assert shop.said[0] == "full run, 35 parts read"
    assert [text.split(";")[0] for text in shop.said[1:]] == [f"1 of {n} parts is new" for n in (36, 37, 38)]
    cells = shop.cells(end_of(37))
    same_as_anew(shop, end_of(37))
    assert shop.cells(end_of(37)) == cells
    assert sum(name.endswith(".parquet") for name in cells) >= 15  # cells of all four studies were compared


def test_texts_grow_too(project) -> None:
    shop, events = Shop(project, suffix=".csv"), make_events()
    begin(shop, events, 4)
    shop.grow(events, range(4, 6))
    same_as_anew(shop, end_of(5))


def test_late_rows_open_exactly_their_days_and_no_other_file_is_touched(shop) -> None:
    events = make_events()
    before = files(begin(shop, events, 9))
    part = part_of(events, 9)
    days = {text[:10] for text in part.occurred_at[part.member_id.isin(kept_by(end_of(9)))]}
    assert len(days) > 1  # some rows of this part are late
    shop.add("009", part)
    after = files(shop.run(end_of(9)))
    for name in ("events", "activity", "tallies"):
        old, new = ({path.stem: node for path, node in some[name].items()} for some in (before, after))
        assert {day for day in new if old.get(day) != new[day]} == days


def test_what_was_read_is_not_opened_again(shop) -> None:
    events = make_events(late=0)
    tidy = begin(shop, events, 8)
    for path in shop.folder.iterdir():
        garble(path)
    kept = [path for path in tidy.rglob("????-??-??.parquet") if path.stem < "2025-03-08"]
    garbled = {path: garble(path) for path in kept if path.parent.name == "events"}
    made = shop.grow(events, range(8, 9))
    assert len(garbled) == 7
    assert all(path.read_bytes() == content for path, content in garbled.items())
    assert shop.said[-1] == "1 of 9 parts is new; 1 day opened"
    assert (made / "events" / "2025-03-09.parquet").is_file()


def test_rows_after_as_of_come_in_when_it_moves(project) -> None:
    shop, events = Shop(project, after_as_of="leave_out"), make_events()
    shop.exported = end_of(DAYS)  # members who join later than as_of are in the table as well
    for name, days in (("a", range(3)), ("b", range(3, 6)), ("c", range(6, 8))):
        shop.add(name, pd.concat([part_of(events, day) for day in days]))
    for hours in (40, 100, 120, 170, 192):
        shop.run(FIRST + timedelta(hours=hours))
    assert shop.said[1] == "0 of 3 parts are new, 3 read again; 4 days opened"
    assert shop.said[-1].startswith("0 of 3 parts are new, 1 read again")
    same_as_anew(shop, FIRST + timedelta(hours=200))


def test_another_time_of_day_makes_activity_anew_from_tidy_events(shop) -> None:
    events = make_events()
    begin(shop, events, 5)
    for path in shop.folder.iterdir():
        garble(path)
    shop.add("005", part_of(events, 5))
    shop.run(end_of(5) + timedelta(hours=7))
    assert shop.said[-1].startswith("1 of 6 parts is new")
    grown = contents(shop.tidy)
    for day in range(5):
        shop.add(f"{day:03d}", part_of(events, day))
    anew = contents(shop.run(end_of(5) + timedelta(hours=7), anew=True))
    assert {name for name in anew if grown[name] != anew[name]} == {"read.json"}  # in which other times stand


def test_an_error_in_a_new_part_changes_nothing(shop) -> None:
    events = make_events()
    before = contents(begin(shop, events, 4))
    bad = part_of(events, 4)
    path = shop.add("004", bad.assign(occurred_at="yesterday"))
    with pytest.raises(DataError, match=r"events\.occurred_at: not a time"):
        shop.run(end_of(4))
    assert contents(shop.params(end_of(4)).places("shop").tidy) == before
    path.unlink()
    shop.add("004", bad)
    shop.run(end_of(4))
    assert shop.said[-1].startswith("1 of 5 parts is new")
    same_as_anew(shop, end_of(4))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda shop, events: shop.add("001", part_of(events, 1).iloc[1:]), "001.parquet is changed"),
        (lambda shop, _: (shop.folder / "001.parquet").unlink(), "001.parquet is gone"),
        (lambda shop, _: shop.prepare.update(time_zone="UTC"), "parameters, code or contract changed"),
        (
            lambda shop, _: (shop.tidy / "events" / "2025-03-02.parquet").unlink(),
            "old days are not as they were left",
        ),
        (lambda shop, _: (shop.tidy / "values.parquet").unlink(), "old days are not as they were left"),
    ],
    ids=["a changed part", "a part that is gone", "another parameter", "a lost day", "lost values"],
)
def test_what_cannot_be_added_to_is_read_anew(shop, change, reason) -> None:
    events = make_events()
    begin(shop, events, 4)
    change(shop, events)
    shop.grow(events, range(4, 5))
    assert shop.said[-1].startswith(f"{reason}: full run")
    same_as_anew(shop, end_of(4))


def test_a_part_that_was_only_touched_is_not_read_again(shop) -> None:
    events = make_events()
    begin(shop, events, 4)
    os.utime(shop.folder / "001.parquet", (1, 1))
    shop.grow(events, range(4, 5))
    assert shop.said[-1].startswith("1 of 5 parts is new; ")
    same_as_anew(shop, end_of(4))


def test_members_with_other_numbers_lead_to_a_full_run(shop, monkeypatch) -> None:
    events = make_events()
    begin(shop, events, 4)
    table = members_by

    def agreed(as_of: pd.Timestamp) -> pd.DataFrame:
        return table(as_of).assign(consent="yes")

    monkeypatch.setattr(sys.modules[__name__], "members_by", agreed)
    shop.grow(events, range(4, 5))
    assert shop.said[-1] == "members got other numbers: full run, 5 parts read"
    same_as_anew(shop, end_of(4))


def test_members_that_come_from_events_lead_to_a_full_run(shop) -> None:
    events = make_events()
    shop.only_events = True
    begin(shop, events, 4)
    shop.grow(events, range(4, 5))
    assert shop.said[-1] == "members are derived from events: full run, 5 parts read"
    same_as_anew(shop, end_of(4))


def test_what_is_said_of_mappings_adds_up(project) -> None:
    values = {"events": {"event": {"login": "visit", "never": "always", "rare": "seldom"}}}
    left_out = {"events": ["feature"]}
    shop, events = Shop(project, suffix=".csv", values=values, leave_out_empty=left_out), make_events()
    begin(shop, events, 3)
    shop.add("003", part_of(events, 3).replace({"event": {"view": "rare"}}))
    shop.run(end_of(3))
    shop.add("004", part_of(events, 4).query("event != 'login'"))
    made = shop.run(end_of(4))
    assert [text.split(";")[0] for text in shop.said[1:]] == ["1 of 4 parts is new", "1 of 5 parts is new"]
    found = (made / "quality.csv").read_text(encoding="utf-8")
    assert ("'never'" in found, "'rare'" in found, "'login'" in found) == (True, False, False)
    same_as_anew(shop, end_of(4))


def test_copies_in_other_parts_are_found_and_left_out(project) -> None:
    shop, events = Shop(project, exact_duplicates={"events": "drop"}), make_events()
    begin(shop, events, 5)
    twice = pd.concat([part_of(events, 5), part_of(events, 3).head(7)])
    shop.add("005", twice)
    folder = shop.run(end_of(5))
    findings = pd.read_parquet(folder / "findings.parquet").query("table == 'events'")
    parts = pd.concat([*(part_of(events, day) for day in range(5)), twice])
    copies = int(parts.duplicated().sum())
    assert copies >= 7
    assert findings.loc[findings["finding"].str.contains("exact copy"), "concerned"].tolist() == [copies]
    same_as_anew(shop, end_of(5))


def test_new_parts_without_rows_or_with_other_columns(shop) -> None:
    events = make_events()
    begin(shop, events, 4)
    one = pq.read_table(shop.folder / "003.parquet")
    pq.write_table(one.slice(0, 0), shop.folder / "004.parquet")
    shop.run(end_of(4))
    assert shop.said[-1] == "1 of 5 parts is new; 0 days opened"
    same_as_anew(shop, end_of(4))
    shop.add("005", part_of(events, 5).drop(columns="item_id"))
    with pytest.raises(DataError, match="not alike"):
        shop.run(end_of(5))


def test_another_run_may_replace_what_is_being_read(shop, monkeypatch) -> None:
    events = make_events()
    begin(shop, events, 4)
    shop.add("004", part_of(events, 4))
    write = door.write_ids

    def while_another_runs(*arguments: object) -> None:
        monkeypatch.setattr(door, "write_ids", write)
        shop.add("005", part_of(events, 5))
        shop.run(end_of(5))
        write(*arguments)

    monkeypatch.setattr(door, "write_ids", while_another_runs)
    shop.run(end_of(4))  # it knows nothing of the last part, which the other one has read
    assert [text.split(";")[0] for text in shop.said[-2:]] == ["2 of 6 parts are new", "1 of 5 parts is new"]
    shop.run(end_of(5))
    same_as_anew(shop, end_of(5))


def test_a_run_that_ends_in_the_middle_leaves_the_last_one_whole(shop, monkeypatch) -> None:
    events = make_events()
    before = contents(begin(shop, events, 4))
    shop.add("004", part_of(events, 4))
    with monkeypatch.context() as patched:
        patched.setattr(door, "write_quality", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shop.run(end_of(4))
    assert contents(shop.tidy) == before
    assert [path.name for path in shop.tidy.parent.iterdir()] == ["shop"]
    same_as_anew(shop, end_of(4))


def test_a_private_case_grows_with_its_modes_and_without_its_ids(project, monkeypatch) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "the key of a private test case")
    shop, events = Shop(project, key_id=Key(b"the key of a private test case").key_id), make_events()
    shop.public = False
    begin(shop, events, 4)
    made = shop.grow(events, range(4, 6))
    assert shop.said[-1].startswith("1 of 6 parts is new")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made, made / "events")} == {0o700}
    assert not any(b"m001" in content for content in contents(made).values())
    same_as_anew(shop, end_of(5))


def test_events_that_are_one_file_cannot_grow(project) -> None:
    table = part_of(make_events(), 1).assign(amount=None)
    params = project.case("shop", {"events": table}, prepare={"grow": "by_day"})
    with pytest.raises(ParameterError, match="grow is by_day, but its events are no folder of parts"):
        prepare(params, "shop")


@settings(deadline=None, max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_split_into_parts_and_any_order_of_arrival(project, data) -> None:
    shutil.rmtree(project.root / "incoming", ignore_errors=True)
    shop = Shop(project, after_as_of="leave_out")
    shop.exported = end_of(DAYS)
    events = make_events(data.draw(st.integers(0, 99)), late=0.2)
    rows = pd.concat([part_of(events, day) for day in range(6)])
    parts = data.draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows)))
    order = data.draw(st.permutations(sorted(set(parts))))
    instants = sorted(data.draw(st.lists(st.integers(40, 24 * 6), min_size=3, max_size=3)))
    shutil.rmtree(shop.params(end_of(1)).places("shop").tidy, ignore_errors=True)
    for wave, hours in enumerate(instants):
        for name in order[wave::3]:
            shop.add(f"{name}", rows[np.array(parts) == name])
        shop.run(FIRST + timedelta(hours=hours))
    same_as_anew(shop, FIRST + timedelta(hours=instants[-1]))


def kept_by(as_of: pd.Timestamp) -> pd.Series:
    members = members_by(as_of)
    return members.member_id[members.consent == "yes"]


def files(tidy: Path) -> dict[str, dict[Path, int]]:
    """The files by day and where they are on the disk."""
    return {
        name: {path: path.stat().st_ino for path in sorted((tidy / name).iterdir())}
        for name in ("events", "activity", "tallies")
    }


def garble(path: Path) -> bytes:
    """Put nonsense of the same size and time in the place of a file's content."""
    told, content = path.stat(), b"\xee" * path.stat().st_size
    path.write_bytes(content)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    return content


def test_no_event_left_is_one_clear_error(project) -> None:
    shop = Shop(project, after_as_of="leave_out")
    shop.exported = end_of(DAYS)
    shop.add("009", part_of(make_events(late=0), 9))
    with pytest.raises(DataError, match="no row is left"):
        shop.run(end_of(5))
