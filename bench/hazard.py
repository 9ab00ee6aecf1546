"""The hazard model on cells beside lifelines' Cox regression on rows; quote the ratios, never the seconds.

``python -m bench.hazard [MEMBERS]`` draws members with ten binned covariates (4,096 patterns), fits both from
the same Parquet file, each in a fresh process, checks that effects are within 0.25 standard errors of each
other, and prints CPU seconds of the fit alone and of the whole process, and peak memory.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench.measure import measured

#: Levels of the ten covariates: 4,096 patterns, 14 effects.
LEVELS = (2, 2, 2, 2, 2, 2, 2, 2, 4, 4)

OURS = """
import json, sys, time
import duckdb, numpy as np, pandas as pd
from sojourn.estimators.survival.design import PatternCells, design
from sojourn.estimators.survival.hazard_model import exposure, hazard_model
started = time.process_time()
names = [f"c{i}" for i in range(10)]
rows = duckdb.sql(
    f"select {', '.join(names)}, day, churned, count(*) as n from '{sys.argv[1]}' group by all"
).fetchnumpy()
code = np.zeros(len(rows["day"]), dtype=np.int64)
for name in names:
    code = code * 4 + rows[name]
_, first, pattern = np.unique(code, return_index=True, return_inverse=True)
day, n, gone = (rows[name].astype(np.int64) for name in ("day", "n", "churned"))
size = np.bincount(pattern, n).astype(np.int64)
left = np.bincount(pattern, n * gone).astype(np.int64)
every, zero = np.arange(len(size)), np.zeros(len(size), dtype=np.int64)
columns = [(pattern, every), (day, zero), (n * 0, size), (n * gone, zero), (n * (1 - gone), zero)]
cells = PatternCells(*(np.concatenate(pair) for pair in columns))
frame = pd.DataFrame({name: rows[name][first].astype(str) for name in names})
made = design(frame, size, left, min_group=20)
began = time.process_time()
model = hazard_model(exposure(cells, len(size)), made.matrix)
ended = time.process_time()
found = {f"{c}_{level}": [b, se] for (c, level), b, se in zip(made.terms, model.coefficients, model.se)}
against = {c: made.levels[c][0] for c in made.columns}
print(json.dumps({"found": found, "against": against, "fit": ended - began, "all": ended - started}))
"""

PEER = """
import json, sys, time
import pandas as pd
from lifelines import CoxPHFitter
against = json.loads(sys.argv[2])
started = time.process_time()
rows = pd.read_parquet(sys.argv[1])
names = [f"c{i}" for i in range(10)]
rows = pd.get_dummies(rows, columns=names, dtype=float)
rows = rows.drop(columns=[f"{name}_{level}" for name, level in against.items()])
began = time.process_time()
fit = CoxPHFitter().fit(rows, "day", "churned")
ended = time.process_time()
found = {name: [b, fit.standard_errors_[name]] for name, b in fit.params_.items()}
print(json.dumps({"found": found, "fit": ended - began, "all": ended - started}))
"""


def draw_members(path, members, seed=20261121):
    """Write members who leave at a rate that depends on ten covariates; followed for up to 540 days."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, levels, members) for levels in LEVELS]
    effects = [np.concatenate([[0.0], rng.normal(0, 0.3, levels - 1)]) for levels in LEVELS]
    log = sum(effect[code] for effect, code in zip(effects, codes, strict=True))
    leaves = np.ceil(rng.exponential(1, members) / (0.004 * np.exp(log)))
    until = np.floor(rng.uniform(1, 540, members))
    table = {f"c{i}": pa.array(code.astype(np.int8)) for i, code in enumerate(codes)}
    table["day"] = pa.array(np.minimum(leaves, until).astype(np.int32))
    table["churned"] = pa.array((leaves <= until).astype(np.int8))
    pq.write_table(pa.table(table), path)


def main(members):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "members.parquet"
        draw_members(path, members)
        ours = measured(OURS, str(path))
        against = json.dumps(ours["found"]["against"])
        peer = measured(PEER, str(path), against)
    worst = max(
        abs(ours["found"]["found"][name][0] - b) / se for name, (b, se) in peer["found"]["found"].items()
    )
    assert worst < 0.25, worst
    print(f"Ten binned covariates, {members:,} members (effects at most {worst:.3f} standard errors apart)")
    print(f"{'':26}{'fit CPU s':>10}{'from file':>11}{'process':>9}{'peak MiB':>10}")
    for name, used in (("sojourn, weekly cells", ours), ("lifelines Cox, rows", peer)):
        seconds = (used["found"]["fit"], used["found"]["all"], used["cpu"])
        print(
            f"{name:26}" + "".join(f"{s:{w}.2f}" for s, w in zip(seconds, (10, 11, 9), strict=True)), end=""
        )
        print(f"{used['mib']:10.0f}")
    ratios = [peer["found"][part] / ours["found"][part] for part in ("fit", "all")]
    ratios += [peer["cpu"] / ours["cpu"], peer["mib"] / ours["mib"]]
    words = ("fit", "from file", "process", "memory")
    print("lifelines / sojourn: " + ", ".join(f"{w} {r:.1f}" for w, r in zip(words, ratios, strict=True)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
