"""Speed and memory beside peers, each in a fresh process; quote the ratios, never the seconds.

``python -m bench [MEMBERS]`` draws a table of members, takes Kaplan-Meier curves by plan with both, checks
that they are equal, and prints CPU seconds and peak memory side by side.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench.measure import measured

AS_OF = np.datetime64("2025-07-01T00:00:00", "us")

OURS = """
import json, sys
import sojourn as sj
from sojourn.data.cells import make_cells
from sojourn.data.engine import connect
from sojourn.data.tidy import Tidy
members = connect().read_parquet(sys.argv[1], table_name="members")
began = {"observed_from": "2023-01-01T00:00:00Z", "first_instant": "2023-01-01T00:00:00Z"}
meta = {"as_of": "2025-07-01T00:00:00Z", "time_zone": "UTC", "rows": {}, **began}
leaving = {"churn": "cancellation", "lapse_days": 30, "event": "any", "first_seen_after_days": 0}
params = {**leaving, "groups": ["plan"]}
cells = make_cells(Tidy("bench", {"members": members}, meta), "retention", params)
curve = sj.retention_curve(cells, by="plan", mass=0.95).at([90])
print(json.dumps(dict(zip(curve["group"], curve["retained"]))))
"""

PEER = """
import json, sys
import numpy as np, pandas as pd
from lifelines import KaplanMeierFitter
members = pd.read_parquet(sys.argv[1], columns=["joined_at", "churned_at", "plan"])
day = pd.Timedelta(days=1)
follow = np.floor((pd.Timestamp("2025-07-01", tz="UTC") - members.joined_at) / day)
time = np.ceil((members.churned_at - members.joined_at) / day)
churned = time <= follow
duration = np.where(churned, time, follow)
found = {}
for plan, index in members.groupby("plan").indices.items():
    fitted = KaplanMeierFitter().fit(duration[index], churned.to_numpy()[index])
    found[plan] = float(fitted.predict(90))
print(json.dumps(found))
"""


def draw_members(path, members, seed=20261121):
    """Write a tidy table of members who leave at an exponential rate that depends on their plan."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["annual", "family", "monthly"], members)
    joined = AS_OF - (rng.random(members) * 540 * 86_400).astype("timedelta64[s]")
    stay = rng.exponential(1, members) * np.where(plan == "monthly", 120, 300) * 86_400
    churned = joined + stay.astype("timedelta64[s]")
    table = {
        "member": pa.array(np.arange(members)),
        "joined_at": pa.array(joined, pa.timestamp("us", "UTC")),
        "churned_at": pa.array(churned, pa.timestamp("us", "UTC"), mask=churned > AS_OF),
        "plan": pa.array(plan),
    }
    pq.write_table(pa.table(table), path)


def main(members):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "members.parquet"
        draw_members(path, members)
        ours, peer = measured(OURS, str(path)), measured(PEER, str(path))
    worst = max(abs(ours["found"][plan] - peer["found"][plan]) for plan in peer["found"])
    assert worst < 1e-9, (ours["found"], peer["found"])
    print(f"Kaplan-Meier by plan, {members:,} members, whole process (largest difference {worst:.1e})")
    print(f"{'':24}{'CPU s':>8}{'peak MiB':>10}")
    for name, used in (("sojourn on cells", ours), ("pandas + lifelines", peer)):
        print(f"{name:24}{used['cpu']:8.1f}{used['mib']:10.0f}")
    cpu, memory = peer["cpu"] / ours["cpu"], peer["mib"] / ours["mib"]
    print(f"lifelines / sojourn: CPU {cpu:.1f}, memory {memory:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
