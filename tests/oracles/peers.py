"""Numbers of two published packages on published trials, with the session that made them.

Run by hand where both packages and the published files are: ``python tests/oracles/peers.py FOLDER`` with the
folder that holds the files. Only counts and sums of the files are kept, never a row. gbstats does not install
beside current numpy, but runs with it: put its folder on the path.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tea_tasting as tt
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.models.statistics import ProportionStatistic, RatioStatistic, SampleMeanStatistic
from pyarrow import csv

HERE = Path(__file__).resolve().parent
#: A proper prior for gbstats: standard deviation of the absolute difference of shares.
PRIOR_SD = 0.01
#: Days of the Udacity trial whose enrolments and payments are known.
MATURED = 23
#: Normal intervals with a variance for each arm.
PLAIN = {"use_t": False, "equal_var": False}


def main(folder):
    """Write ``peers.json`` and ``peers_session.txt``."""
    cookie = read(folder / "cookie_cats/cookie_cats.csv.gz")
    mail = read(folder / "hillstrom/hillstrom.csv.gz")
    rows = []
    two = of(cookie, "test_version", ("gate_30", "gate_40"))
    for day in (1, 7):
        rows.append(share({"case": "cookie_cats", "outcome": f"kept_at_{day}"}, two, f"retention_{day}"))
    for scheme in ("Mens E-Mail", "Womens E-Mail"):
        two, about = of(mail, "segment", ("No E-Mail", scheme)), {"case": "hillstrom", "scheme": scheme}
        rows += [share({**about, "outcome": name}, two, name) for name in ("visit", "conversion")]
        rows += [mean({**about, "outcome": "spend"}, two, "spend")]
        rows += [quotient({**about, "outcome": "spend per visit"}, two, "spend", "visit")]
    days = [read(folder / f"udacity_free_trial/{arm}_data.csv") for arm in ("control", "experiment")]
    two = joined(part.slice(0, MATURED) for part in days)
    for name in ("Enrollments", "Payments"):
        about = {"case": "udacity", "outcome": f"{name.lower()} per click"}
        rows.append(quotient(about, two, name, "Clicks"))
    text = json.dumps({"prior_sd": PRIOR_SD, "rows": rows}, indent=1)
    (HERE / "peers.json").write_text(text + "\n", encoding="utf-8")
    names = ("tea-tasting", "gbstats", "numpy", "scipy", "pyarrow", "narwhals")
    session = [f"Python {python_version()}", *(f"{name} {version(name)}" for name in names)]
    (HERE / "peers_session.txt").write_text("\n".join(session) + "\n", encoding="utf-8")


def read(path):
    """Return a file as a table, truth values as numbers."""
    table = csv.read_csv(path)
    for i, field in enumerate(table.schema):
        if pa.types.is_boolean(field.type):
            table = table.set_column(i, field.name, pc.cast(table[field.name], pa.int8()))
    return table


def of(table, by, arms):
    """Return both arms' rows, control first, as variants 0 and 1."""
    return joined(table.filter(pc.equal(table[by], arm)) for arm in arms)


def joined(parts):
    """Return tables below each other, with their number as variant."""
    return pa.concat_tables(
        part.append_column("variant", pa.array([i] * len(part))) for i, part in enumerate(parts)
    )


def column(two, name, variant):
    """Return one column of one variant as floats."""
    return two.filter(pc.equal(two["variant"], variant))[name].to_numpy().astype(float)


def share(about, two, name):
    """Return one binary outcome of two arms by both packages."""
    counts = [(len(y), int(y.sum())) for y in (column(two, name, i) for i in (0, 1))]
    stats = [ProportionStatistic(n=n, sum=k) for n, k in counts]
    cells = {"n": [n for n, _ in counts], "k": [k for _, k in counts]}
    return {**about, "kind": "binary", **cells, **both(two, tt.Mean(name, **PLAIN), stats)}


def mean(about, two, name):
    """Return one value of two arms by both packages."""
    sums = [(len(y), y.sum(), (y**2).sum()) for y in (column(two, name, i) for i in (0, 1))]
    stats = [SampleMeanStatistic(n=n, sum=total, sum_squares=square) for n, total, square in sums]
    cells = {key: [float(one[i]) for one in sums] for i, key in enumerate(("n", "total", "total_sq"))}
    return {**about, "kind": "value", **cells, **both(two, tt.Mean(name, **PLAIN), stats)}


def quotient(about, two, top, bottom):
    """Return one ratio of means of two arms by both packages."""
    parts = [(column(two, top, i), column(two, bottom, i)) for i in (0, 1)]
    metric = tt.RatioOfMeans(top, bottom, **PLAIN)
    return {**about, "kind": "ratio", **sums_of(parts), **both(two, metric, ratios(parts))}


def sums_of(parts):
    """Return the sums that a ratio's cells hold."""
    made = [(len(a), a.sum(), b.sum(), (a**2).sum(), (b**2).sum(), (a * b).sum()) for a, b in parts]
    names = ("n", "top", "bottom", "top_sq", "bottom_sq", "cross")
    return {name: [float(one[i]) for one in made] for i, name in enumerate(names)}


def ratios(parts):
    """Return ratio statistics of gbstats."""
    return [
        RatioStatistic(
            n=len(a),
            m_statistic=SampleMeanStatistic(n=len(a), sum=a.sum(), sum_squares=(a**2).sum()),
            d_statistic=SampleMeanStatistic(n=len(b), sum=b.sum(), sum_squares=(b**2).sum()),
            m_d_sum_of_products=(a * b).sum(),
        )
        for a, b in parts
    ]


def both(two, metric, stats):
    """Return what both packages say of the absolute and relative difference, at 95 %."""
    found = tt.Experiment({"x": metric}).analyze(two)["x"]
    fields = ("effect_size", "effect_size_ci_lower", "effect_size_ci_upper", "rel_effect_size",
              "rel_effect_size_ci_lower", "rel_effect_size_ci_upper", "pvalue")  # fmt: skip
    flat, proper = (
        EffectBayesianABTest(*stats, EffectBayesianConfig(
            difference_type="absolute", prior_type="absolute", prior_effect=prior)).compute_result()
        for prior in (GaussianPrior(), GaussianPrior(0, PRIOR_SD**2, proper=True))
    )  # fmt: skip
    return {
        "tea": {name: float(getattr(found, name)) for name in fields},
        "gbstats_flat": bayes(flat),
        "gbstats_proper": bayes(proper),
    }


def bayes(result):
    """Return the numbers of one Bayesian test."""
    low, high = map(float, result.ci)
    chance, value = float(result.chance_to_win), float(result.expected)
    risk = np.asarray(result.risk, dtype=float).tolist()
    return {"chance_to_win": chance, "expected": value, "low": low, "high": high, "risk": risk}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
