"""Published files beside the project (shared/data), and tidy tables of a log whose members join by acting."""

import os
from pathlib import Path

import pytest

from sojourn.data.engine import connect
from sojourn.data.tidy import Tidy

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def published(name):
    """Return the path of a published file; where it is absent the test is skipped, and fails in CI."""
    path = SHARED / name
    if not path.is_file():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is needed in CI")
        pytest.skip(f"the published file shared/data/{name} is not beside the project")
    return path


def first_seen(events, folder, as_of, zone="UTC"):
    """Return tidy tables of members who joined with their first event."""
    events["occurred_at"] = events["occurred_at"].astype("datetime64[us, UTC]")
    members = events.groupby("member", as_index=False)["occurred_at"].min()
    members = members.rename(columns={"occurred_at": "joined_at"})
    engine, tables = connect(), {}
    for name, frame in (("members", members), ("events", events)):
        frame.to_parquet(folder / f"{name}.parquet", index=False)
        tables[name] = engine.read_parquet(folder / f"{name}.parquet")
    first = members["joined_at"].min().isoformat()
    meta = {"as_of": as_of.isoformat(), "time_zone": zone, "first_instant": first, "observed_from": None}
    return Tidy("published", tables, meta)
