"""The door and the cells beside what the engine could do at best, and beside pandas; a fresh process each.

``python -m bench.door [EVENTS]`` draws a platform of about so many events (5 million when no number is named;
50 million take some fifteen minutes on two processors and 4 GB of disk) and measures, in one run:

- the door: members, events, assignments and costs as partitioned Parquet are checked against their rules
  (types, ranges, orphans, time order, names that say who somebody is), ids become numbers and pseudonyms,
  rows are written in their final order, exact copies counted, activity and quality tables written; no
  sessions, which no table of it holds. Beside it DuckDB's own copy of the same four tables, sorted by member
  and time, which checks nothing and writes one file each;
- cells of retention, trials and segments, of what the door wrote, beside a bare scan of the tidy events that
  groups them by member and day;
- the same scan and group in pandas, of the columns it needs alone.

CPU seconds are those of the whole process and its children, of all threads. A platform of a few members shows
what starting costs; it is taken off before anything is divided, so a ratio is about rows. Ratios hold within
one run; seconds depend on the machine and on what else it does.
"""

import sys
import tempfile
from pathlib import Path

from bench.measure import measured

#: Events of a member of the world, on average.
EVENTS_A_MEMBER = 105
TINY = 50

PROJECT = """
import sys
from pathlib import Path
from sojourn.core.params import read_params
params, raw, tidy = read_params(), Path(sys.argv[1]), Path(sys.argv[2])
"""

DOOR = (
    PROJECT
    + """
from sojourn.data.prepare import prepare
names = ("members", "events", "assignments", "costs")
prepare(params, "demo", raw={name: raw / name for name in names}, into=tidy)
print("null")
"""
)

COPY = """
import sys
import duckdb
engine = duckdb.connect(config={"memory_limit": "4GB", "temp_directory": sys.argv[2] + ".spill"})
engine.execute("SET enable_progress_bar = false")
for name, by in (
    ("events", "member_id, occurred_at"),
    ("members", "joined_at"),
    ("assignments", "member_id"),
    ("costs", "member_id"),
):
    rows = f"(FROM read_parquet('{sys.argv[1]}/{name}/*.parquet') ORDER BY {by})"
    engine.execute(f"COPY {rows} TO '{sys.argv[2]}.{name}' (FORMAT parquet, COMPRESSION zstd)")
print("null")
"""

CELLS = (
    PROJECT
    + """
import json
from sojourn.data.cells import make_cells
from sojourn.data.engine import engine_of
from sojourn.data.tidy import MADE, Tidy
from sojourn.core.schema import CONTRACT
engine = engine_of(params.engine, scratch=tidy / "spill")
there = [name for name in (*CONTRACT, *MADE) if (tidy / f"{name}.parquet").is_file()]
tables = {name: engine.read_parquet(str(tidy / f"{name}.parquet"), table_name=name) for name in there}
opened = Tidy("demo", tables, json.loads((tidy / "tidy.json").read_text()))
for study in sys.argv[3].split():
    make_cells(opened, study, params.for_cells("demo", study))
print("null")
"""
)

SCAN = """
import sys
import duckdb
engine = duckdb.connect(config={"memory_limit": "4GB", "temp_directory": sys.argv[2] + "/spill"})
engine.execute("SET enable_progress_bar = false")
grouped = '''SELECT member, epoch_us(occurred_at) // 86400000000 AS day, count(*) AS n, sum(amount) AS paid,
    min(occurred_at) AS first, max(occurred_at) AS last FROM read_parquet(?) GROUP BY ALL'''
print(engine.execute(f"SELECT count(*) FROM ({grouped})", [sys.argv[2] + "/events.parquet"]).fetchone()[0])
"""

PANDAS = """
import sys
import pandas as pd
events = pd.read_parquet(sys.argv[2] + "/events.parquet", columns=["member", "occurred_at", "amount"])
events["amount"] = pd.to_numeric(events["amount"])
events["day"] = events["occurred_at"].dt.floor("D")
grouped = events.groupby(["member", "day"], sort=False).agg(
    n=("member", "size"), paid=("amount", "sum"), first=("occurred_at", "min"), last=("occurred_at", "max")
)
print(len(grouped))
"""

WORLD = """
import sys
from pathlib import Path
from sojourn.world import write_world
write_world(Path(sys.argv[1]), members=int(sys.argv[2]), seed=20261121, as_of="2025-07-01T00:00:00Z")
print("null")
"""

STUDIES = ("retention", "trials", "segments")


def runs(top, members):
    """Return what each program took on a platform of so many members."""
    raw, tidy, copy = (str(Path(top) / f"{members}" / name) for name in ("raw", "tidy", "copy"))
    measured(WORLD, raw, str(members))
    took = {"door": measured(DOOR, raw, tidy), "sorted copy": measured(COPY, raw, copy)}
    took |= {study: measured(CELLS, raw, tidy, study) for study in STUDIES}
    took["three studies"] = measured(CELLS, raw, tidy, " ".join(STUDIES))
    took |= {"scan and group": measured(SCAN, raw, tidy), "pandas": measured(PANDAS, raw, tidy)}
    assert took["scan and group"]["found"] == took["pandas"]["found"]
    return took


def main(events):
    with tempfile.TemporaryDirectory() as top:
        starting = runs(top, TINY)
        took = runs(top, max(events // EVENTS_A_MEMBER, TINY + 1))
    cpu = {name: max(used["cpu"] - starting[name]["cpu"], 0.01) for name, used in took.items()}
    print(f"About {events:,} events, a fresh process each; CPU s without what starting takes")
    print(f"{'':24}{'CPU s':>8}{'starting':>10}{'peak MiB':>10}")
    for name, used in took.items():
        print(f"{name:24}{cpu[name]:8.2f}{starting[name]['cpu']:10.2f}{used['mib']:10.0f}")
    for name, base, goal in (
        ("door", "sorted copy", "at most 2"),
        ("three studies", "scan and group", "at most 5"),
        ("pandas", "scan and group", "at least 2"),
        ("pandas", "three studies", "no goal"),
    ):
        print(f"{name} / {base}: CPU {cpu[name] / cpu[base]:.1f} ({goal})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
