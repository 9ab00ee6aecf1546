"""What one more day costs beside a full run: ``python -m bench.increment [ROWS] [DAYS]``.

Draws events of a case that grows, one Parquet part a day with one row in a hundred known days later, brings
all but the last day through the door, then the last one, then everything anew, each in a fresh process, and
prints CPU seconds and peak memory side by side. The files of the second and the third must be the same bytes.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from bench.measure import measured

FIRST = np.datetime64("2025-01-01T00:00:00", "us")
KINDS = np.array(["view", "login", "purchase"])
PREPARE = """
import json, sys
from sojourn.core.params import read_params
from sojourn.data.prepare import prepare
said = []
prepare(read_params(), "growing", anew=sys.argv[1] == "anew", tell=said.append)
print(json.dumps(said[0]))
"""


def instant(micros):
    """Return instants as Parquet holds them."""
    return pa.array(FIRST + micros, pa.timestamp("us", tz="UTC"))


def draw_members(path, members, rng):
    """Write members, all of whom joined before the first day."""
    joined = -(rng.random(members) * 86_400e6 * 300).astype("timedelta64[us]")
    pq.write_table(pa.table({"member_id": np.arange(members), "joined_at": instant(joined)}), path)


def draw_day(path, day, rows, members, rng):
    """Write what became known on one day; one row in a hundred happened up to five days before."""
    at = (day + rng.random(rows)) * 86_400e6
    late = np.where(rng.random(rows) < 0.01, rng.integers(0, 5, rows), 0).clip(max=day) * 86_400_000_000
    table = {
        "member_id": rng.zipf(1.4, rows) % members,
        "occurred_at": instant((at - late).astype("timedelta64[us]")),
        "event": pa.array(
            np.array(["view", "login", "purchase"])[rng.integers(0, 3, rows)]
        ).dictionary_encode(),
        "item_id": pa.array([f"i{i}" for i in rng.integers(0, 2_000, rows)]),
        "amount": pa.array(rng.integers(1, 9_000, rows) / 100),
        "recorded_at": instant(at.astype("timedelta64[us]")),
    }
    pq.write_table(pa.table(table), path)


def state(root, days):
    """Write params.yaml with an ``as_of`` at the end of the last of so many days."""
    tables = {"members": "members.parquet", "events": "events"}
    stated = {"source": "files", "tables": tables, "time_zone": "Europe/Berlin", "grow": "by_day"}
    stated["as_of"] = f"{FIRST + np.timedelta64(days, 'D')}Z"
    about = dict.fromkeys(("title", "source", "licence", "note", "currency"), "") | {"kind": "simulated"}
    case = {"about": about | {"public": True}, "prepare": stated}
    shipped = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())
    emptied = {name: {} for name in ("inputs", "private_inputs", "pairs", "private_pairs")}
    content = shipped | emptied | {"cases": {"growing": case}}
    (root / "params.yaml").write_text(yaml.safe_dump(content))


def digest(root):
    """Return a hash of all files that stand behind the door, with their names."""
    tidy = root / "data" / "tidy" / "growing"
    paths = sorted(path for path in tidy.rglob("*") if path.is_file())
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.relative_to(tidy).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()


def main(rows=10_000_000, days=180, members=200_000):
    """Print the comparison."""
    rng = np.random.default_rng(20261121)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "events").mkdir()
        os.environ["SOJOURN_ROOT"] = scratch
        draw_members(root / "members.parquet", members, rng)
        for day in range(days):
            draw_day(root / "events" / f"{day:04d}.parquet", day, rows // days, members, rng)
        last = (root / "events" / f"{days - 1:04d}.parquet").rename(root / "last.parquet")
        state(root, days - 1)
        measured(PREPARE, "grow")
        last.rename(root / "events" / f"{days - 1:04d}.parquet")
        state(root, days)
        grown = measured(PREPARE, "grow")
        behind = digest(root)
        anew = measured(PREPARE, "anew")
        assert digest(root) == behind, "growing and a full run differ"
    print(f"{rows:,} events of {members:,} members in {days:,} parts; same bytes behind the door")
    for used in (grown, anew):
        print(f"{used['cpu']:8.2f} CPU seconds {used['mib']:8.0f} MiB  {used['found']}")
    print(f"a full run takes {anew['cpu'] / grown['cpu']:.1f} times the CPU of one more day")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
