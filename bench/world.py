"""Speed, memory and size on disk of a world that is written, by its members; each in a fresh process.

``python -m bench.world [MEMBERS ...]`` writes worlds of 10,000 and 100,000 members when no size is named. A
world of one member shows what starting costs; it is taken off before seconds are divided by anything.
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
from bench.measure import measured

SIZES = (10_000, 100_000)

WORLD = """
import sys
from pathlib import Path
from sojourn.world import write_world
write_world(Path(sys.argv[1]), members=int(sys.argv[2]), seed=20261121, as_of="2025-07-01T00:00:00Z")
print("null")
"""


def written(members):
    """Write a world and return what it took and what it holds."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "world"
        used = measured(WORLD, str(folder), str(members))
        rows = {table.name: rows_of(table) for table in folder.iterdir() if table.is_dir()}
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    observed = sum(n for name, n in rows.items() if name != "truth")
    return {"members": members, "events": rows["events"], "rows": observed, "bytes": size, **used}


def rows_of(table):
    return sum(pq.read_metadata(part).num_rows for part in table.rglob("*.parquet"))


def main(sizes):
    start, *worlds = [written(members) for members in (1, *sorted(sizes))]
    print(f"A world into Parquet, one process (starting alone: {start['cpu']:.1f} CPU s)")
    print(
        f"{'members':>12}{'events':>14}{'rows':>14}{'CPU s':>9}{'events/CPU s':>14}{'peak MiB':>10}{'MB':>9}"
    )
    for world in worlds:
        world["drawing"] = world["cpu"] - start["cpu"]
        print(
            f"{world['members']:12,}{world['events']:14,}{world['rows']:14,}{world['cpu']:9.1f}"
            f"{world['events'] / world['drawing']:14,.0f}{world['mib']:10.0f}{world['bytes'] / 1e6:9.1f}"
        )
    for less, more in pairwise(worlds):
        times = more["members"] / less["members"]
        cpu, memory = more["drawing"] / less["drawing"] / times, more["mib"] / less["mib"]
        print(
            f"{less['members']:,} to {more['members']:,} members: CPU per member x {cpu:.2f} (linear: 1), "
            f"peak memory x {memory:.2f} (flat: 1)"
        )


if __name__ == "__main__":
    main([int(members) for members in sys.argv[1:]] or SIZES)
