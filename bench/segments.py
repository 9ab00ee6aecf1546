"""Segments of many members beside MiniBatchKMeans; a fresh process each, quote the ratios, never the seconds.

``python -m bench.segments [MEMBERS]`` draws members of five kinds (one million when no number is named) with
the counts of twelve features, and measures, from first import to last label:

- sojourn: the Parquet file of counts is read by the engine, which draws the sample and sums moments;
  features, groups with 39 structureless twins and 20 bootstrap samples, the exam, a rule to take away, and
  the labels of all members by that rule, written as Parquet by the engine;
- scikit-learn: a Parquet file of the twelve features, ready made, is read, MiniBatchKMeans forms as many
  groups and labels all members, and does so again for 20 bootstrap samples.

Goals: at most twice the CPU of scikit-learn at a million, and less than 2 GiB of memory at ten million (only
sojourn runs with more than two million members). Both ways' labels are set beside the planted groups, which
differ in what they like and in how many of them come back.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench.measure import measured

KINDS, GROUPS, RESAMPLES = 6, 5, 20
#: Members drawn at a time.
_CHUNK = 500_000
#: With more members only sojourn is run.
_PEER_UP_TO = 2_000_000

OURS = """
import json, sys
from pathlib import Path
import numpy as np
import sojourn as sj
from sojourn.core.cells import Cells
from sojourn.core.measures import Counting, Kind
from sojourn.data.cells.segments import _moments, _sample
from sojourn.data.engine import connect
from sojourn.data.rule_code import segment_code
from sojourn.studies.segments.take_away import take_away
folder, resamples = Path(sys.argv[1]), int(sys.argv[2])
members = connect(memory_limit="1GB").read_parquet(str(folder / "counts.parquet"), table_name="members")
counting = Counting(30, 60, tuple(Kind(f"kind {i}") for i in range(1, 7)))
rows = members.drop("planted")
tables = {"sample": _sample(rows, 20_000).to_pandas(), "moments": _moments(rows, counting).to_pandas()}
meta = {"as_of": "2025-07-01T00:00:00Z", "cut": "2025-04-02T00:00:00+00:00", "currency": "EUR"}
meta |= {"kinds": [kind.event for kind in counting.kinds], "counting": counting.to_plain()}
seen = sj.features(Cells("bench", "segments", tables, {**meta, "params": {"outcome_days": 90}}))
found = sj.find_segments(seen, resamples=resamples, rng=np.random.default_rng(1))
rule = take_away(seen, found)
labels = members.select("member", "planted", segment=segment_code(members, rule))
labels.to_parquet(str(folder / "ours.parquet"))
features = len(seen.names)
print(json.dumps({"k": found.k, "features": features, "same": rule.fidelity.same, "kind": rule.kind}))
"""

PEER = """
import json, sys
from pathlib import Path
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.cluster import MiniBatchKMeans
folder, resamples, k = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
table = pq.read_table(folder / "features.parquet")
x = np.column_stack([table[name].to_numpy() for name in table.column_names])
labels = MiniBatchKMeans(k, random_state=1).fit_predict(x)
rng = np.random.default_rng(1)
for _ in range(resamples):
    MiniBatchKMeans(k, random_state=1).fit_predict(x[rng.integers(len(x), size=len(x))])
pq.write_table(pa.table({"segment": labels}), folder / "peer.parquet")
print("null")
"""


def counts_of(members, first, rng):
    """Return counts of members of five kinds: each likes one kind of event and is as active as it is."""
    planted = rng.integers(GROUPS, size=members)
    observed = rng.integers(90, 500, members)
    activity = rng.standard_normal(members) + np.array([0.0, 0.4, -0.4, 0.2, -0.2])[planted]
    days = np.minimum(rng.poisson(observed / 30 * np.exp(1.2 + 0.5 * activity)) + 1, observed)
    events = days + rng.poisson(2.0 * days)
    shares = np.full((GROUPS, KINDS), 0.06)
    shares[np.arange(GROUPS), np.arange(GROUPS)] = 0.75
    shares[:, -1] = 0.01  # rare, so that not everybody has done everything
    kinds = rng.multinomial(events, shares[planted])
    bought = rng.binomial(days, 0.2)
    active = rng.random(members) < np.array([0.15, 0.9, 0.35, 0.7, 0.5])[planted]
    later = np.where(active, 1 + rng.poisson(np.exp(1 + 0.5 * activity)), 0)
    lately = [rng.binomial(days, np.minimum(30 / observed, 1)) for _ in range(2)]
    counts = {
        "observed_days": observed,
        "tenure_days": observed,
        "recency_days": np.minimum(rng.exponential(observed / (days + 1.0)), observed - 1).astype(np.int64),
        "active_days": days,
        "events": events,
        "active_last": lately[0],
        "active_before": lately[1],
        "kinds": (kinds > 0).sum(axis=1),
        "purchases": bought,
        "weekend_days": rng.binomial(days, 2 / 7),
        **{f"kind_{i + 1}": kinds[:, i] for i in range(KINDS)},
        "active_next": active.astype(np.int64),
        "stayed_next": np.ones(members, dtype=np.int64),
        "active_days_next": later,
        "purchases_next": rng.binomial(later, 0.2),
    }
    money = {"value": np.round(bought * rng.lognormal(2.5, 0.6, members), 2)}
    money["value_next"] = np.round(counts["purchases_next"] * 12.0, 2)
    return {"member": np.arange(first, first + members), "planted": planted, **counts}, money


def draw(folder, members, seed=20261121):
    """Write counts of all members, and the twelve features made of them, as scikit-learn gets them."""
    rng, writers = np.random.default_rng(seed), {}
    for first in range(0, members, _CHUNK):
        counts, money = counts_of(min(_CHUNK, members - first), first, rng)
        amounts = {name: pa.array(column).cast(pa.decimal128(18, 4)) for name, column in money.items()}
        tables = {"counts": pa.table({**counts, **amounts}), "features": pa.table(ready(counts, money))}
        for name, table in tables.items():
            if name not in writers:
                writers[name] = pq.ParquetWriter(folder / f"{name}.parquet", table.schema)
            writers[name].write_table(table)
    for writer in writers.values():
        writer.close()


def ready(counts, money):
    """Return twelve features on scales without heavy tails."""
    months, days = counts["observed_days"] / 30, counts["active_days"]
    shares = {f"kind_{i}": np.arcsin(np.sqrt(counts[f"kind_{i}"] / counts["events"])) for i in range(1, 7)}
    features = {
        "recency": np.log1p(counts["recency_days"]),
        "frequency": np.log((days + 0.5) / (months + 0.5)),
        "monetary": np.arcsinh(money["value"] / months / 10),
        "intensity": np.log(counts["events"] / days),
        "trend": np.log((counts["active_last"] + 1) / (counts["active_before"] + 1)),
        "breadth": np.log1p(counts["kinds"]),
        **shares,
    }
    return {name: (column - column.mean()) / column.std() for name, column in features.items()}


def agreement(folder, name):
    """Return the adjusted Rand index of labels with the planted groups."""
    from sojourn.estimators.cluster.stability import adjusted_rand

    planted = pq.read_table(folder / "counts.parquet", columns=["planted"])["planted"].to_numpy()
    labels = pq.read_table(folder / f"{name}.parquet", columns=["segment"])["segment"].to_numpy()
    if name == "ours":  # the engine may write rows in another order
        planted = pq.read_table(folder / "ours.parquet", columns=["planted"])["planted"].to_numpy()
    return adjusted_rand(planted.astype(np.int64), labels.astype(np.int64))


def main(members):
    """Print what both used, and the ratio."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        draw(folder, members)
        used = {"sojourn": measured(OURS, made, str(RESAMPLES))}
        found = used["sojourn"]["found"]
        apart = {"sojourn": agreement(folder, "ours")}
        if members <= _PEER_UP_TO:
            used["MiniBatchKMeans"] = measured(PEER, made, str(RESAMPLES), str(found["k"]))
            apart["MiniBatchKMeans"] = agreement(folder, "peer")
    print(f"{members:,} members, {found['features']} features, {found['k']} segments, {RESAMPLES} resamples")
    print(f"{'':20}{'CPU s':>8}{'peak MiB':>10}{'adjusted Rand':>15}")
    for name, of in used.items():
        print(f"{name:20}{of['cpu']:8.1f}{of['mib']:10.0f}{apart[name]:15.3f}")
    print(f"the {found['kind']} taken away gives {100 * found['same']:.0f} of 100 members their segment")
    if "MiniBatchKMeans" in used:
        ratio = used["sojourn"]["cpu"] / used["MiniBatchKMeans"]["cpu"]
        print(f"sojourn / MiniBatchKMeans: CPU {ratio:.2f} (at most 2 at a million)")
    print(f"sojourn: {used['sojourn']['mib'] / 1024:.2f} GiB (below 2 at ten million)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
