"""Speed and memory beside peers, each in a fresh process; quote the ratios, never the seconds.

``python -m bench [MEMBERS]`` draws members of 20 channels and takes their retention curves with intervals,
from first import to last number:

- sojourn: the tidy Parquet file to cells (by channel, by month of joining and for all) to curves;
- pandas + lifelines: the same file to whole days to one Kaplan-Meier fit per channel, and once more with the
  months and all, which is what the cells hold;
- both from a Parquet file that holds whole days already, as `sj.count_durations` reads it;
- R survfit: whole days, status and channel, made before and read as binary integers, which R reads fastest.

Curves are checked to be equal. Then what a curve costs after the cells is compared for cells of 10^4 and of
10^7 members, drawn as counts.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench.measure import measured, measured_command

AS_OF = np.datetime64("2025-07-01T00:00:00", "us")
CHANNELS, DAYS = 20, 540

OURS = """
import json, sys
import sojourn as sj
from sojourn.data.cells import make_cells
from sojourn.data.engine import connect
from sojourn.data.tidy import Tidy
members = connect(memory_limit="500MB").read_parquet(sys.argv[1], table_name="members")
began = {"observed_from": "2024-01-01T00:00:00Z", "first_instant": "2024-01-01T00:00:00Z"}
meta = {"as_of": "2025-07-01T00:00:00Z", "time_zone": "UTC", "rows": {}, **began}
leaving = {"churn": "cancellation", "lapse_days": 30, "event": "any", "first_seen_after_days": 0}
params = {**leaving, "groups": ["channel"]}
cells = make_cells(Tidy("bench", {"members": members}, meta), "retention", params)
found = sj.retention_curve(cells, by="channel", mass=0.95).at([90])
print(json.dumps(found.set_index("group")[["retained", "retained_low", "retained_high"]].T.to_dict("list")))
"""

PEER = """
import json, sys
import numpy as np, pandas as pd
from lifelines import KaplanMeierFitter
members = pd.read_parquet(sys.argv[1], columns=["joined_at", "churned_at", "channel"])
day = pd.Timedelta(days=1)
follow = np.floor((pd.Timestamp("2025-07-01", tz="UTC") - members.joined_at) / day)
time = np.ceil((members.churned_at - members.joined_at) / day)
churned = (time <= follow).to_numpy()
duration = np.where(churned, time, follow)
by = [members.channel]
if sys.argv[2] == "all":
    by += [members.joined_at.dt.year * 12 + members.joined_at.dt.month, pd.Series("all", members.index)]
found = {}
for group in by:
    for name, index in members.groupby(group).indices.items():
        fitted = KaplanMeierFitter().fit(duration[index], churned[index])
        interval = fitted.confidence_interval_.loc[:90].iloc[-1]
        found[str(name)] = [float(fitted.predict(90)), *map(float, interval)]
print(json.dumps(found))
"""

OURS_DAYS = """
import json, sys
import sojourn as sj
cells = sj.count_durations(sys.argv[1], duration="days", churned="left", by=["channel"])
found = sj.retention_curve(cells, by="channel", mass=0.95).at([90])
print(json.dumps(found.set_index("group")[["retained", "retained_low", "retained_high"]].T.to_dict("list")))
"""

PEER_DAYS = """
import json, sys
import pandas as pd
from lifelines import KaplanMeierFitter
rows = pd.read_parquet(sys.argv[1])
days, left, found = rows.days.to_numpy(), rows.left.to_numpy(), {}
for name, index in rows.groupby("channel").indices.items():
    fitted = KaplanMeierFitter().fit(days[index], left[index])
    interval = fitted.confidence_interval_.loc[:90].iloc[-1]
    found[name] = [float(fitted.predict(90)), *map(float, interval)]
print(json.dumps(found))
"""

R_SURVFIT = """
suppressMessages(library(survival))
file <- commandArgs(TRUE)[1]; n <- as.integer(commandArgs(TRUE)[2])
time <- readBin(paste0(file, ".time"), "integer", n, size = 2)
status <- readBin(paste0(file, ".status"), "integer", n, size = 1)
channel <- readBin(paste0(file, ".channel"), "integer", n, size = 1)
fit <- survfit(Surv(time, status) ~ channel, conf.type = "log-log")
at <- summary(fit, times = 90)
name <- sprintf("channel %02d", as.integer(sub("channel=", "", at$strata)))
cat("{", paste0('"', name, '": [', at$surv, ", ", at$lower, ", ", at$upper, "]", collapse = ", "), "}")
"""

AFTER = """
import json, sys, time
import numpy as np, pandas as pd
import sojourn as sj
from sojourn.core.cells import Cells
members, channels, days = int(float(sys.argv[1])), 20, 540
rng, parts = np.random.default_rng(1), []
for channel in range(channels):
    seen = rng.multinomial(members // channels, np.full(days, 1 / days))
    left, here = np.zeros(days + 1, int), np.concatenate([[0], seen])
    stays = 1 - np.exp(-1 / (100 + 15 * channel))
    at_risk, censored = members // channels, np.zeros(days + 1, int)
    ahead = seen[::-1].cumsum()[::-1].astype(float)
    for day in range(1, days + 1):
        left[day] = rng.binomial(at_risk, stays)
        share = seen[day - 1] / max(ahead[day - 1], 1)
        censored[day] = rng.binomial(at_risk - left[day], share)
        at_risk -= left[day] + censored[day]
    rows = pd.DataFrame({"day": range(days + 1), "churned": left, "censored": censored, "potential": here})
    rows = rows.assign(by="channel", group=f"channel {channel:02d}", late=0, entered=0)
    rows.loc[0, "entered"] = rows[["churned", "censored"]].to_numpy().sum()
    parts.append(rows)
order = ["by", "group", "late", "day", "entered", "churned", "censored", "potential"]
risk = pd.concat(parts)[order]
risk = risk[risk[order[4:]].sum(axis=1) > 0].reset_index(drop=True)
meta = {"unit": "day", "leaving": "cancellation", "lapse": None, "late": 0, "left_out": {}}
meta |= {"members": members, "as_of": "2025-07-01T00:00:00Z", "time_zone": "UTC"}
meta |= {"case": "bench", "params": {}}
cells = Cells("bench", "retention", {"risk": risk}, meta)
sj.retention_curve(cells, by="channel", mass=0.95)
took = []
for _ in range(40):
    began = time.process_time()
    sj.retention_curve(cells, by="channel", mass=0.95).at([90])
    took.append(time.process_time() - began)
print(json.dumps({"ms": 1000 * min(took), "rows": len(risk)}))
"""


def draw_members(folder, members, seed=20261121):
    """Write a tidy table of members whose rate of leaving depends on their channel, and whole days for R."""
    rng = np.random.default_rng(seed)
    channel = rng.integers(0, CHANNELS, members)
    joined = AS_OF - (rng.random(members) * DAYS * 86_400).astype("timedelta64[s]")
    stay = rng.exponential(1, members) * (100 + 15 * channel) * 86_400
    churned = joined + stay.astype("timedelta64[s]")
    names = pa.array([f"channel {number:02d}" for number in range(CHANNELS)])
    table = {
        "member": pa.array(np.arange(members)),
        "joined_at": pa.array(joined, pa.timestamp("us", "UTC")),
        "churned_at": pa.array(churned, pa.timestamp("us", "UTC"), mask=churned > AS_OF),
        "channel": pa.DictionaryArray.from_arrays(pa.array(channel.astype("int32")), names).cast(pa.string()),
    }
    pq.write_table(pa.table(table), folder / "members.parquet")
    day = np.timedelta64(86_400, "s")
    follow = (AS_OF - joined) // day
    time = -((joined - churned) // day)
    left = (time <= follow) & (churned <= AS_OF)
    for name, column in (("time", np.where(left, time, follow)), ("status", left), ("channel", channel)):
        column.astype("int16" if name == "time" else "int8").tofile(folder / f"members.{name}")
    days = np.where(left, time, follow).astype("int16")
    whole = {"channel": table["channel"], "days": pa.array(days), "left": pa.array(left)}
    pq.write_table(pa.table(whole), folder / "durations.parquet")


def compared(members):
    """Print what each process used, and the ratios."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        draw_members(folder, members)
        path = str(folder / "members.parquet")
        used = {
            "sojourn": measured(OURS, path),
            "pandas + lifelines": measured(PEER, path, "channel"),
            "pandas + lifelines, all": measured(PEER, path, "all"),
            "sojourn, days": measured(OURS_DAYS, str(folder / "durations.parquet")),
            "pandas + lifelines, days": measured(PEER_DAYS, str(folder / "durations.parquet")),
        }
        if shutil.which("Rscript"):
            (folder / "fit.R").write_text(R_SURVFIT)
            rows = (str(folder / "members"), str(members))
            used["R survfit"] = measured_command("Rscript", str(folder / "fit.R"), *rows)
    print(f"Kaplan-Meier with intervals of {CHANNELS} channels, {members:,} members, whole process")
    print(f"{'':26}{'CPU s':>8}{'peak MiB':>10}{'ratio':>8}{'ratio, days':>13}{'largest difference':>20}")
    ours, days = used["sojourn"], used["sojourn, days"]
    for name, of in used.items():
        apart = max(
            abs(a - b)
            for key, row in ours["found"].items()
            for a, b in zip(row, of["found"][key], strict=True)
        )
        ratio, of_days = (of["cpu"] / one["cpu"] for one in (ours, days))
        print(f"{name:26}{of['cpu']:8.2f}{of['mib']:10.0f}{ratio:8.1f}{of_days:13.1f}{apart:20.1e}")


def after_cells():
    """Print what a curve costs after cells of few and of many members."""
    found = {n: measured(AFTER, n)["found"] for n in ("1e4", "1e5", "1e6", "1e7")}
    for n, of in found.items():
        print(f"curves from cells of {n} members: {of['ms']:.1f} ms CPU, {of['rows']:,} rows of cells")
    print(f"1e7 / 1e4: {found['1e7']['ms'] / found['1e4']['ms']:.2f}")


if __name__ == "__main__":
    compared(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    after_cells()
