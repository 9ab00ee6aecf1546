"""Speed of a trial's posterior: four schemes by eight strata; quote the ratios, never the seconds.

``python -m bench.trials`` measures, in CPU seconds of one process unless it says otherwise:

- the first answer (fast path) and the sampled one, of cells of 10^4 and of 10^7 members;
- effective draws per CPU second beside the same model on 10^4 Bernoulli rows, in the same coordinates;
- the simple test of two schemes from first import to last number beside tea-tasting, where it is installed.

Sampling is timed after compilation. Effective draws are the smallest bulk ESS of everything published.
"""

import importlib.util
import json
import time

import numpy as np
from bench.measure import measured

from sojourn.estimators.bayes import graph
from sojourn.estimators.bayes.coordinates import coordinates
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, ModelPrior, expit
from sojourn.estimators.bayes.nuts import Nuts, compile_model

SCHEMES, STRATA = 4, 8
PRIOR = ModelPrior(base_mean=-1.1, base_sd=1.5, lift_mean=0.05, lift_sd=0.2, scale=0.1)
ROWS = 10_000
#: Fewer draws than the audit's, since rows take long; effective draws are per second.
SHORT = Nuts(tune=100, draws=100, target_accept=0.95)

OURS = """
import json, sys, time
import numpy as np
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, ModelPrior, expit
rng = np.random.default_rng(1)
data = CellData.binary(np.array([[44_700.0], [45_489.0]]), np.array([[8502.0], [8279.0]]))
def answer():
    eta = fit(data, ModelPrior(-1.45, 1.5, 0.0, 0.2, 0.1)).draw(20_000, rng=rng)[..., 0]
    lift = expit(eta[:, 1]) - expit(eta[:, 0])
    return [float(lift.mean()), *np.quantile(lift, [0.025, 0.975]), float((lift > 0).mean())]
took = []
for _ in range(20):
    began = time.process_time()
    found = answer()
    took.append(time.process_time() - began)
print(json.dumps({"found": found, "ms": 1000 * min(took)}))
"""

PEER = """
import json, time
import tea_tasting as tt
from tea_tasting.aggr import Aggregates
def arm(n, k):
    share = k / n
    variance = {"kept": share * (1 - share) * n / (n - 1)}
    return Aggregates(count_=n, mean_={"kept": share}, var_=variance, cov_={})
test = tt.Mean("kept", use_t=False, equal_var=False)
took = []
for _ in range(20):
    began = time.process_time()
    found = test.analyze_aggregates(arm(44_700, 8502), arm(45_489, 8279))
    took.append(time.process_time() - began)
low, high = found.effect_size_ci_lower, found.effect_size_ci_upper
print(json.dumps({"found": [found.effect_size, low, high], "ms": 1000 * min(took)}))
"""


def draw_cells(members, seed=20261122):
    """Return cells of a trial with lifts that differ over strata."""
    rng = np.random.default_rng(seed)
    n = np.tile(members / SCHEMES * rng.dirichlet(np.full(STRATA, 5.0)), (SCHEMES, 1)).round()
    away = 0.05 * rng.standard_normal((SCHEMES, STRATA)) + 0.1 * rng.standard_normal((SCHEMES, 1))
    eta = -1.1 + 0.4 * rng.standard_normal(STRATA) + away * (np.arange(SCHEMES) > 0)[:, None]
    return CellData.binary(n, rng.binomial(n.astype(int), expit(eta)))


def by_rows(data):
    """Return the same model, compiled, with every member's Bernoulli outcome as a row."""
    import pymc as pm
    import pytensor.tensor as pt

    at = coordinates(data, PRIOR)
    n, k = data.n.ravel().astype(int), data.k.ravel().astype(int)
    cell = np.repeat(np.arange(n.size), n)
    kept = np.concatenate([np.arange(size) < yes for size, yes in zip(n, k, strict=True)])
    with pm.Model() as model:
        u, t = pm.Normal("u", 0, 1, shape=n.size), pm.HalfNormal("t", 1)
        variance = t**2 / (t**2 * (1 - at.kept) + at.kept)
        eta = at.offset + pt.dot(at.to_cells, variance * at.pull + pt.sqrt(variance) * u)
        change = (variance * at.pull**2 + pt.log(variance)).sum() / 2 - at.deviations * pt.log(t)
        pm.Potential("change", change + (at.weight * (eta - at.seen) ** 2).sum() / 2)
        pm.Bernoulli("kept", logit_p=eta[cell], observed=kept.astype(int))
    return compile_model(model)


def timed(run):
    """Return what a function returns, and the CPU and wall seconds it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = run()
    return found, time.process_time() - cpu, time.perf_counter() - wall


def posterior():
    """Print the cost of both answers by members, and of effective draws beside rows."""
    few, many = draw_cells(ROWS), draw_cells(10**7)
    _, compiling, _ = timed(lambda: graph.sample(few, PRIOR, seed=1, nuts=SHORT))
    print(f"{SCHEMES} schemes x {STRATA} strata, after {compiling:.1f} CPU s of compiling")
    print(
        f"{'members':>12}{'fast ms':>9}{'sampled s':>11}{'wall s':>8}{'ratio':>7}{'ESS':>8}{'divergent':>11}"
    )
    costs = {}
    for name, data in (("10,000", few), ("10,000,000", many)):
        fast = min(timed(lambda data=data: fit(data, PRIOR))[1] for _ in range(5))
        found, cpu, wall = timed(lambda data=data: graph.sample(data, PRIOR, seed=1))
        costs[name] = (fast, cpu, found.ess_bulk / cpu)
        numbers = f"{1000 * fast:9.1f}{cpu:11.2f}{wall:8.2f}{cpu / fast:7.0f}"
        print(f"{name:>12}{numbers}{found.ess_bulk:8.0f}{found.divergences:11d}")
    fewer, more = costs.values()
    print(f"10^7 / 10^4: fast path {more[0] / fewer[0]:.2f}, sampled {more[1] / fewer[1]:.2f}")
    rows = by_rows(few)
    trace, cpu, _ = timed(lambda: SHORT.sample(rows, seed=1))
    effective = smallest_ess(trace, few)
    print(
        f"effective draws per CPU s: {fewer[2]:,.0f} on cells, {effective / cpu:,.0f} on {ROWS:,} rows, ",
        end="",
    )
    print(f"ratio {fewer[2] / (effective / cpu):.0f}")


def smallest_ess(trace, data):
    """Return the smallest bulk ESS of everything published."""
    return graph.described(trace, data, coordinates(data, PRIOR), "").ess_bulk


def two_schemes():
    """Print the simple test of two schemes (Cookie Cats' numbers) beside tea-tasting."""
    sources = {"sojourn": OURS, "tea-tasting": PEER}
    if importlib.util.find_spec("tea_tasting") is None:
        print("tea-tasting is not installed here, so it is not compared.")
        del sources["tea-tasting"]
    for name, source in sources.items():
        used = measured(source)
        took, found = used["found"]["ms"], json.dumps(used["found"]["found"])
        print(f"two schemes, {name}: {took:.1f} ms CPU, {used['cpu']:.2f} s with imports: {found}")


if __name__ == "__main__":
    posterior()
    two_schemes()
