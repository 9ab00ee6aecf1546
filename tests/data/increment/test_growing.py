"""A case that grows by day has, byte for byte, what a full run makes, and never opens what it has read."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sojourn.core.errors import DataError
from sojourn.data.cells import write_cells
from sojourn.data.prepare import prepare

FIRST, DAYS, MEMBERS = pd.Timestamp("2025-03-01", tz="UTC"), 40, 60
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
        tables = {"members": members_by(as_of), "assignments": assignments_by(as_of)}
        stated = {**self.prepare, "as_of": as_of.isoformat()}
        params = self.project.case("shop", tables, prepare=stated, studies=STUDIES)
        self.project.content["cases"]["shop"]["prepare"]["tables"]["events"] = "incoming/shop/events"
        self.project.write()
        return self.project.params()

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
    """Compare what stands there with what a full run makes: tidy tables, ledger, quality tables, cells."""
    grown, cells = contents(shop.run(as_of)), shop.cells(as_of)
    anew = contents(shop.run(as_of, anew=True))
    assert set(grown) == set(anew)
    assert [name for name in anew if grown[name] != anew[name]] == []
    assert cells == shop.cells(as_of)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_growing_day_by_day_equals_a_full_run(project, suffix) -> None:
    shop, events = Shop(project, suffix=suffix), make_events()
    begin(shop, events, 35)
    shop.grow(events, range(35, 38))
    assert shop.said[0] == "full run, 35 parts read"
    assert [text.split(";")[0] for text in shop.said[1:]] == [f"1 of {n} parts is new" for n in (36, 37, 38)]
    same_as_anew(shop, end_of(37))
    assert shop.said[-1] == "full run, 38 parts read"
