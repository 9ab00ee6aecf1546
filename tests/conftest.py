"""A project of its own for a test: a folder with a params.yaml, in which cases can be put up and run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import postgres_server
import scratch_kernels
from sojourn.core.cells import Cells
from sojourn.core.params import Params, read_params

# parameter files have no aliases, so what tests write must have none where they use one value twice
yaml.SafeDumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]

REPOSITORY = Path(__file__).resolve().parents[1]

os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={scratch_kernels.COMPILED}")

ABOUT = {
    "title": "A test",
    "kind": "simulated",
    "source": "Made by a test.",
    "licence": "MIT",
    "note": "",
    "currency": "EUR",
}


class Project:
    """A scratch project: `root`, its parameters, and cases that are added to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shipped: dict[str, Any] = yaml.safe_load(
            (REPOSITORY / "params.yaml").read_text(encoding="utf-8")
        )
        emptied = {
            name: {}
            for name, value in self.shipped.items()
            if isinstance(value, dict) and name not in ("privacy",)
        }
        self.content: dict[str, Any] = {**self.shipped, **emptied, "studies": self.shipped["studies"]}
        self.write()

    def write(self) -> None:
        """Write params.yaml."""
        text = yaml.safe_dump(self.content, sort_keys=False, allow_unicode=True)
        (self.root / "params.yaml").write_text(text, encoding="utf-8")

    def params(self) -> Params:
        """Read params.yaml as the package does."""
        return read_params()

    def case(
        self,
        name: str = "shop",
        tables: Mapping[str, str | pd.DataFrame] | None = None,
        *,
        public: bool = True,
        prepare: Mapping[str, Any] | None = None,
        studies: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> Params:
        """Add (or replace) a case of source `files`; each table is the text of a CSV or a frame."""
        files = {table: self.file(name, table, content) for table, content in (tables or {}).items()}
        section: dict[str, Any] = {
            "about": {**ABOUT, "public": public, **(about or {})},
            "prepare": {
                "source": "files",
                "tables": files,
                "as_of": "2025-07-01T00:00:00Z",
                "time_zone": "Europe/Berlin",
                **(prepare or {}),
            },
            **(studies or {}),
        }
        self.content["cases"][name] = section
        self.write()
        return self.params()

    def casebook(self, name: str, studies: Mapping[str, Any]) -> Params:
        """Add a case that has committed cells only."""
        self.content["cases"][name] = {"about": {**ABOUT, "public": True}, **studies}
        self.write()
        return self.params()

    def file(self, case: str, table: str, content: str | pd.DataFrame) -> str:
        """Write a raw table and return its path as params.yaml would state it."""
        folder = self.root / "incoming" / case
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path = folder / f"{table}.csv"
            path.write_text(content, encoding="utf-8")
        else:
            path = folder / f"{table}.parquet"
            content.to_parquet(path, index=False)
        return path.relative_to(self.root).as_posix()


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Leave the environment as it was: a notebook is run in that of its kernel, which is steady."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def project_at() -> type[Project]:
    """Return what makes a project in a folder, for those that serve several tests."""
    return Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return an empty project below `tmp_path`, which SOJOURN_ROOT names for the time of the test."""
    monkeypatch.setenv("SOJOURN_ROOT", str(tmp_path))
    monkeypatch.delenv("SOJOURN_KEY", raising=False)
    return Project(tmp_path)


def portrait_tables() -> dict[str, pd.DataFrame]:
    """Return small tables of the study `portrait`: four weeks from Monday 6 January 2025."""
    weeks = pd.to_datetime(["2025-01-06", "2025-01-13", "2025-01-20", "2025-01-27"]).date
    days = pd.date_range("2025-01-06", "2025-02-02").date
    by_day = {"joined": 10, "left": 2, "returned": 1, "events": 500, "active": 70}
    grid = [(day, hour) for day in range(7) for hour in range(24)]
    busy = {9: 40, 18: 60}
    groups = [
        ("all", "all", 320, 280, 200),
        ("plan", "annual", 100, 80, 80),
        ("plan", "monthly", 220, 200, 120),
    ]
    return {
        "joined": pd.DataFrame(
            [(week, name, n) for week in weeks for name, n in (("search", 50), ("social", 20))],
            columns=["week", "channel", "members"],
        ),
        "groups": pd.DataFrame(groups, columns=["by", "group", "members", "joined", "with_us"]),
        "days": pd.DataFrame(
            [(day, what, n) for day in days for what, n in by_day.items()], columns=["day", "what", "n"]
        ),
        "visits": pd.DataFrame(
            [(d, h, busy.get(h, 20) * (2 if d == 5 else 1), 30) for d, h in grid],
            columns=["weekday", "hour", "visits", "members"],
        ),
        "kinds": pd.DataFrame(
            [("login", 900, 300), ("view", 1200, 240), ("rare", 5, 3)], columns=["event", "events", "members"]
        ),
        "steps": pd.DataFrame(
            [("first value moment", 0, 40), ("first value moment", 2, 60), ("first purchase", 6, 50)],
            columns=["step", "day", "members"],
        ),
        "active": pd.DataFrame([(0, 40), (1, 60), (4, 60), (9, 15), (12, 5)], columns=["days", "members"]),
        "stages": pd.DataFrame(
            [("active", 120), ("left", 120), ("new", 50), ("returned", 30)], columns=["stage", "members"]
        ),
        "purchases": pd.DataFrame(
            [(0, 200), (1, 60), (2, 30), (7, 25), (40, 5)], columns=["purchases", "members"]
        ),
        "money": pd.DataFrame(
            [(480, 4800.0, 120, 99.0, 12, 120.0)],
            columns=["purchases", "amount", "payers", "dearest", "refunds", "refunded"],
        ),
        "messages": pd.DataFrame(
            [
                ("push", 1000, 200, 10.0, 300, 60, 6),
                ("SMS", 400, 150, 24.0, 240, 20, 4),
                ("fax", 9, 9, 1.0, 1, 1, 0),
            ],
            columns=["channel", "sent", "members", "cost", "opened", "clicked", "opted_out"],
        ),
        "acquisition": pd.DataFrame(
            [("search", 200, 800.0), ("social", 80, 160.0), ("tv", 5, 999.0)],
            columns=["channel", "members", "cost"],
        ),
        "late": pd.DataFrame([(0, 980), (1, 8), (2, 6), (9, 6)], columns=["days", "rows"]),
    }


PORTRAIT_TRUTH = {
    "world": "demo",
    "shares": {"plan": {"annual": 0.3, "monthly": 0.7}},
    "hours": [1 / 24] * 24,
    "weekdays": [1 / 7] * 7,
    "bursts": [{"first": "2025-01-14", "last": "2025-01-16", "factor": 2.0}],
    "late": 0.02,
    "planted": [
        {"name": "plan annual", "value": 0.5217, "unit": "ratio", "identified_by": "`spells`.", "naive": ""},
        {"name": "return", "value": 0.22, "unit": "share", "identified_by": "Time.", "naive": "As seen."},
    ],
    "segments": [
        {
            "segment": name, "share": share, "hazard": hazard, "takes_off": takes_off, "value_days": days,
            "sessions": 0.2, "views": 1.0, "buys": 0.3, "price": 20.0,
        }
        for name, share, hazard, takes_off, days in (
            ("keen", 0.75, 0.5, 0.8, 2.0), ("idle", 0.25, 1.5, 0.2, 4.0)
        )
    ],
}  # fmt: skip


def portrait_cells(tables: Mapping[str, pd.DataFrame | None] | None = None, **meta: Any) -> Cells:
    """Return cells of the study `portrait`; tables given as None, and meta as None, are left out."""
    changed = {**portrait_tables(), **(tables or {})}
    said = {
        "as_of": "2025-02-02T23:00:00Z",
        "observed_from": "2025-01-05T23:00:00Z",
        "time_zone": "Europe/Berlin",
        "params": {"follow_days": 7, "active_days": 30, "growing_days": 90, "silent_days": 14},
        "unit": "day",
        "currency": "EUR",
        "members": 320,
        "read": 325,
        "joined_before": 40,
        "followed": 200,
        "first_value": "activate",
        "without_events": 4,
        "before_joining": 0,
        "missing": [],
        "truth": PORTRAIT_TRUTH,
        **meta,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return Cells("test", "portrait", {name: t for name, t in changed.items() if t is not None}, said)


@pytest.fixture(scope="session")
def make_portrait_cells() -> Callable[..., Cells]:
    """Return the function that makes cells of the study `portrait`."""
    return portrait_cells


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """Run a PostgreSQL server of its own; required in CI, elsewhere skipped where none is installed."""
    if postgres_server.binaries() is None and os.environ.get("CI") != "true":
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    with postgres_server.running(54_000 + os.getpid() % 1_000) as server:
        yield server
