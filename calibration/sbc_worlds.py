"""Worlds of simulation-based calibration: truths from the prior, data from the model, draws of the posterior.

Every world returns its quantities, the truth first and then the draws, and whether the fit is to be trusted.
Data are few, so that prior and data both count: a wrong prior has to be seen as well as wrong data.
A mutant is the same world with one fault between the data and the draws.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from sojourn.estimators.bayes.counts import Histogram, fit_counts, log_posterior
from sojourn.estimators.bayes.curves import CurvePrior, leaving_shares, trapezium
from sojourn.estimators.bayes.hurdle import Spending, draw_hurdle, draw_law
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.model import CellData, ModelPrior, expit, make_design
from sojourn.estimators.bayes.nuts import Nuts

Floats = NDArray[np.float64]
#: Truth and draws (draws + 1,) by name, and whether the fit converged.
Quantities = tuple[dict[str, Floats], bool]
#: How names of quantities begin that are made of parameters and data.
DATA = "data: "
#: What data are worth whose likelihood was dropped.
_NOTHING = 1e-9
#: What is left of a prior whose standard deviation was multiplied by 1.5.
_WIDER = 1.5**-2

# --- schemes x strata ------------------------------------------------------------------------------------

SCHEMES = 4
#: Members by stratum in every scheme, and the belief. "wide" is as trials are judged: their many members, and
#: bases of which next to nothing is believed. "few" is as "binary", with a quarter of its members.
N = {
    name: np.array([strata] * SCHEMES, dtype=float)
    for name, strata in {
        "binary": (800, 400, 200),
        "few": (200, 100, 50),
        "wide": (1500, 900, 300),
        "value": (400, 200, 100),
    }.items()
}
PRIORS = {
    "binary": ModelPrior(base_mean=-1.1, base_sd=0.15, lift_mean=0.025, lift_sd=0.1, scale=0.075),
    "few": ModelPrior(base_mean=-1.1, base_sd=0.3, lift_mean=0.05, lift_sd=0.2, scale=0.15),
    "wide": ModelPrior(base_mean=-1.1, base_sd=1.5, lift_mean=0.05, lift_sd=0.2, scale=0.1),
    "value": ModelPrior(base_mean=12.0, base_sd=4.0, lift_mean=0.3, lift_sd=1.5, scale=1.0),
}
#: Standard deviation of one member's value.
SD = 40.0
#: Four chains whose draws are thinned to as many as the fast path has.
SHORT = Nuts(tune=200, draws=100, target_accept=0.95)


def lifts_world(kind: str, by: str, mutant: str, draws: int, rng: np.random.Generator) -> Quantities:
    """Return the model of schemes by strata, by the fast path or sampled."""
    prior, n = PRIORS[kind], N[kind]
    design = make_design(SCHEMES, n[0] / n[0].sum(), prior)
    tau = abs(rng.standard_normal())
    truth = design.offset + design.matrix(prior.scale * tau) @ rng.standard_normal(design.unknowns)
    data = _cells(kind, truth.reshape(n.shape), rng)
    seen, believed = _mutated(data, mutant), prior
    if mutant == "prior sd x 1.5":
        wide = {name: 1.5 * getattr(prior, name) for name in ("base_sd", "lift_sd", "scale")}
        believed = replace(prior, **wide)
    eta, sound = (_fast if by == "fast path" else _sampled)(seen, believed, draws, rng)
    if mutant == "sign flipped":
        eta[:, 1:] = 2 * eta[:, :1] - eta[:, 1:]
    return _lifts(np.concatenate([truth.reshape(1, *n.shape), eta]), data, prior), sound


def _cells(kind: str, eta: Floats, rng: np.random.Generator) -> CellData:
    n = N[kind]
    if kind != "value":
        return CellData.binary(n, rng.binomial(n.astype(int), expit(eta)))
    mean = eta + SD / np.sqrt(n) * rng.standard_normal(n.shape)
    return CellData.value(mean, SD**2 / n, n[0] / n[0].sum())


def _mutated(data: CellData, mutant: str) -> CellData:
    names = ("n", "k", "mean", "precision")
    if mutant == "likelihood dropped":
        return replace(data, **{name: _NOTHING * getattr(data, name) for name in names if name != "mean"})
    if mutant == "stratum mislabelled":
        return replace(data, **{name: _last_rolled(getattr(data, name)) for name in names})
    return data


def _last_rolled(cells: Floats) -> Floats:
    """Return cells with the strata of all schemes but control moved on by one."""
    return np.concatenate([cells[:1], np.roll(cells[1:], 1, axis=1)])


def _fast(data: CellData, prior: ModelPrior, draws: int, rng: np.random.Generator) -> tuple[Floats, bool]:
    eta = fit(data, prior).draw(draws, rng=rng)
    return eta[rng.permutation(draws)], True


def _sampled(data: CellData, prior: ModelPrior, draws: int, rng: np.random.Generator) -> tuple[Floats, bool]:
    from sojourn.estimators.bayes.graph import sample

    found = sample(data, prior, seed=int(rng.integers(2**31)), nuts=SHORT)
    thinned = found.eta[:: max(len(found.eta) // (draws + 1), 1)]
    return thinned[:draws].copy(), found.divergences == 0


def _lifts(eta: Floats, data: CellData, prior: ModelPrior) -> dict[str, Floats]:
    """Return what is ranked, of truth and draws of cells (draws + 1, schemes, strata)."""
    binary, weights = bool(data.n.any()), data.weights
    lift = eta[:, 1:] - eta[:, :1]
    overall = lift @ weights
    away = ((lift - overall[..., None]) ** 2).sum(axis=(1, 2))
    base_off, lift_off = (
        (eta[:, 0] - prior.base_mean) / prior.base_sd,
        (overall - prior.lift_mean) / prior.lift_sd,
    )
    means, seen = (expit(eta), data.k / data.n) if binary else (eta, data.mean)
    shown, raw = means[:, 1:] - means[:, :1], seen[1:] - seen[0]
    standard, counted = shown @ weights, raw @ weights
    of_strata = (shown - standard[..., None]) * (raw - counted[:, None])
    return {
        **{f"base of stratum {s}": eta[:, 0, s] for s in range(weights.size)},
        **{f"lift of scheme {j + 1}": overall[:, j] for j in range(SCHEMES - 1)},
        **{f"published lift of scheme {j + 1}": standard[:, j] for j in range(SCHEMES - 1)},
        "deviations of strata": away,
        "distance from the belief": (base_off**2).sum(axis=1) + (lift_off**2).sum(axis=1),
        DATA + "log-likelihood": np.array([data.log_likelihood(one) for one in eta]),
        **{
            f"{DATA}lift x counted lift of scheme {j + 1}": standard[:, j] * counted[j]
            for j in range(SCHEMES - 1)
        },
        DATA + "lifts of strata x counted ones": of_strata.sum(axis=(1, 2)),
    }


# --- curves of staying -----------------------------------------------------------------------------------

ENDS = np.arange(15.0, 91.0, 15.0)
CURVE = CurvePrior(kept=0.5, horizon=90.0)
ENTERED = 30


def stayed_world(mutant: str, draws: int, rng: np.random.Generator) -> Quantities:
    """Return curves of two schemes, members entering all along so that most are censored."""
    leave, stay = CURVE.counts(ENDS)
    shares = rng.beta(leave, stay, size=(2, ENDS.size))
    truth = np.cumprod(np.hstack([np.ones((2, 1)), 1 - shares]), axis=1)
    at_risk, gone = _followed(shares, rng)
    there, left, prior = at_risk, gone, CURVE
    if mutant == "likelihood dropped":
        there, left = _NOTHING * there, _NOTHING * left
    elif mutant == "stratum mislabelled":
        there, left = there[::-1], left[::-1]
    elif mutant == "sign flipped":
        left = there - left
    elif mutant == "prior sd x 1.5":  # at most sqrt(2): weight 1 is half of all there is to know of a share
        prior = replace(CURVE, weight=0.02)
    drawn = leaving_shares(there, left, ENDS, prior).draw(draws, rng=rng)
    return _curves(np.concatenate([truth[None], drawn]), at_risk, gone), True


def _followed(shares: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return who was at risk in every cell, and who left in it; a fifth are censored before each cell."""
    there = np.full(2, ENTERED)
    at_risk, gone = np.zeros(shares.shape), np.zeros(shares.shape)
    for cell in range(ENDS.size):
        there = there - rng.binomial(there, 0.2)
        left = rng.binomial(there, shares[:, cell])
        at_risk[:, cell], gone[:, cell] = there, left
        there = there - left
    return at_risk, gone


def _curves(curves: Floats, at_risk: Floats, gone: Floats) -> dict[str, Floats]:
    days = curves @ trapezium(ENDS)
    apart, kept = days[:, 1] - days[:, 0], curves[:, 1, -1] - curves[:, 0, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(curves[..., :-1] > 0, 1 - curves[..., 1:] / curves[..., :-1], 0.5)
        pace = np.where(at_risk > 0, gone / at_risk, 0.0)
    counted = np.cumprod(1 - pace, axis=1)
    likelihood = (xlogy(gone, shares) + xlog1py(at_risk - gone, -shares)).sum(axis=(1, 2))
    own = np.hstack([np.ones((2, 1)), counted]) @ trapezium(ENDS)
    return {
        **{
            f"kept at {ENDS[cell]:g}, scheme {j}": curves[:, j, cell + 1]
            for j in (0, 1)
            for cell in (0, 2, 5)
        },
        **{f"days of scheme {j}": days[:, j] for j in (0, 1)},
        "more days": apart,
        "more kept": kept,
        DATA + "log-likelihood": likelihood,
        DATA + "more days x counted": apart * (own[1] - own[0]),
        DATA + "more kept x counted": kept * (counted[1, -1] - counted[0, -1]),
    }


# --- activity counts -------------------------------------------------------------------------------------

#: Members of each scheme seen before, by their counts, and how many are new.
BEFORE = Histogram(
    np.arange(0.0, 16.0), np.array([6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1], dtype=float)
)
NEW = 80
_STEPS, _REACH = 121, 5.0


def counted_world(mutant: str, draws: int, rng: np.random.Generator) -> Quantities:
    """Return means and sizes of counts of two schemes, both with the same members seen before."""
    truth = _on_grid(2, rng)
    new = [_histogram(rng.negative_binomial(np.exp(b), 1 / (1 + np.exp(a - b)), NEW)) for a, b in truth]
    seen = new[::-1] if mutant == "stratum mislabelled" else new
    worth = (
        _WIDER if mutant == "prior sd x 1.5" else 1.0,
        _NOTHING if mutant == "likelihood dropped" else 1.0,
    )
    fits = [fit_counts(_pooled(BEFORE, histogram, worth)) for histogram in seen]
    drawn = np.log([fit.draw(draws, rng=rng) for fit in fits])  # (schemes, mean and size, draws)
    if mutant == "sign flipped":
        drawn = drawn[::-1]
    return _counts(np.concatenate([truth[..., None], drawn], axis=2), new), True


def _on_grid(size: int, rng: np.random.Generator) -> Floats:
    """Return log means and log sizes (size, 2) from the exact posterior of the members seen before."""
    points, share, step = _grid()
    chosen = rng.choice(len(points), size=size, p=share)
    return points[chosen] + (rng.random((size, 2)) - 0.5) * step


@lru_cache(maxsize=1)
def _grid() -> tuple[Floats, Floats, Floats]:
    """Return points of log mean and log size, their posterior weights, and the step between points."""
    found = fit_counts(BEFORE)
    sd, axis = np.sqrt(np.diag(found.covariance)), np.linspace(-_REACH, _REACH, _STEPS)
    points = found.mode + sd * np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    heights = np.array([log_posterior(point, BEFORE) for point in points])
    share = np.exp(heights - heights.max())
    return points, share / share.sum(), sd * (axis[1] - axis[0])


def _histogram(counts: NDArray[np.int64]) -> Histogram:
    n = np.bincount(counts)
    return Histogram(np.flatnonzero(n).astype(float), n[n > 0].astype(float))


def _pooled(before: Histogram, new: Histogram, worth: tuple[float, float]) -> Histogram:
    """Return members seen before and new ones together, each worth so much of themselves."""
    count = np.union1d(before.count, new.count)
    n = np.zeros(count.size)
    for histogram, part in zip((before, new), worth, strict=True):
        n[np.searchsorted(count, histogram.count)] += part * histogram.n
    return Histogram(count, n)


def _counts(at: Floats, new: list[Histogram]) -> dict[str, Floats]:
    """Return what is ranked, of truth and draws of log mean and log size (schemes, 2, draws + 1)."""
    mean, size = np.exp(at[:, 0]), np.exp(at[:, 1])
    more = mean[1] - mean[0]
    likelihood = sum(_of_counts(h, m, s) for h, m, s in zip(new, mean, size, strict=True))
    counted, believed = np.array([histogram.mean for histogram in new]), fit_counts(BEFORE)
    off = (at - believed.mode[:, None]) / np.sqrt(np.diag(believed.covariance))[:, None]
    return {
        **{f"mean of scheme {j}": mean[j] for j in (0, 1)},
        **{f"size of scheme {j}": size[j] for j in (0, 1)},
        "more": more,
        "times": mean[1] / mean[0],
        DATA + "log-likelihood": np.asarray(likelihood),
        DATA + "more x counted": more * (counted[1] - counted[0]),
        "distance from the belief": (off**2).sum(axis=(0, 1)),
    }


def _of_counts(histogram: Histogram, mean: Floats, size: Floats) -> Floats:
    """Return the log-likelihood of a histogram for draws of mean and size, up to a constant."""
    count = histogram.count[:, None]
    each = gammaln(count + size) - gammaln(size) - size * np.log1p(mean / size)
    return histogram.n @ (each + count * np.log(mean / (size + mean)))


# --- revenue in three parts ------------------------------------------------------------------------------

#: Members seen before, and new ones, of each scheme.
MEMBERS = (300, 300)
#: Share of payers with a refund of a part of what they paid.
REFUNDERS = 0.4
_RATE, _MU, _SIGMA, _REFUNDED = 0.3, 3.0, 0.5, 0.1


def spent_world(mutant: str, draws: int, rng: np.random.Generator) -> Quantities:
    """Return who pays, how much and what is refunded, in two schemes."""
    typical = np.array([_RATE, _MU, _SIGMA, _REFUNDED])
    before = [_spent(MEMBERS[0], typical, rng) for _ in range(2)]
    truth = np.array([_given(spending, rng) for spending in before])
    new = [_spent(MEMBERS[1], at, rng) for at in truth]
    seen = new[::-1] if mutant == "stratum mislabelled" else new
    worth = (
        _WIDER if mutant == "prior sd x 1.5" else 1.0,
        _NOTHING if mutant == "likelihood dropped" else 1.0,
    )
    pooled = [_together(pair, worth) for pair in zip(before, seen, strict=True)]
    parts = [draw_hurdle(spending, draws, rng=rng) for spending in pooled]
    law = np.array([draw_law(spending, draws, rng=rng) for spending in pooled])
    of_truth = [_parts(*at) for at in truth]
    drawn = [(part.rate, part.size, part.kept) for part in parts]
    both = np.concatenate([np.array(of_truth)[..., None], np.array(drawn)], axis=2)
    of_law = np.concatenate([np.stack([truth[:, 1], truth[:, 2] ** 2], axis=1)[..., None], law], axis=2)
    if mutant == "sign flipped":
        both, of_law = (np.concatenate([x[..., :1], x[::-1, :, 1:]], axis=2) for x in (both, of_law))
    return {**_revenue(both, of_law, new), "distance from the belief": _apart(both, of_law, before)}, True


def _given(spending: Spending, rng: np.random.Generator) -> Floats:
    """Return rate, mu, sigma and share refunded, from the posterior of the members seen before."""
    k, (mean, sd) = spending.payers, spending.law()
    sigma = sd * np.sqrt((k - 1) / rng.chisquare(k - 1))
    share, error = spending.refunded_share()
    mu = rng.normal(mean, sigma / np.sqrt(k))
    return np.array([rng.beta(1 + k, 1 + spending.members - k), mu, sigma, rng.normal(share, error)])


def _spent(members: int, at: Floats, rng: np.random.Generator) -> Spending:
    """Return sums over members of one scheme, with one bin for all payers."""
    rate, mu, sigma, refunded = at
    logs = rng.normal(mu, sigma, rng.binomial(members, rate))
    paid = np.exp(logs)
    back = paid * (rng.random(paid.size) < REFUNDERS) * refunded / REFUNDERS
    sums = (np.array([0.0, x.sum()]) for x in (paid, paid**2, back, back**2, paid * back))
    n = np.array([members - paid.size, paid.size], dtype=float)
    return Spending(np.zeros(0), n, *sums, logs=float(logs.sum()), logs_sq=float((logs**2).sum()))


def _together(pair: tuple[Spending, Spending], worth: tuple[float, float]) -> Spending:
    """Return the sums of two spendings, each worth so much of itself."""
    sums = {
        f.name: [w * getattr(one, f.name) for one, w in zip(pair, worth, strict=True)]
        for f in fields(Spending)
    }
    return Spending(**{name: a + b for name, (a, b) in sums.items()})


def _parts(rate: float, mu: float, sigma: float, refunded: float) -> tuple[float, float, float]:
    return rate, float(np.exp(mu + sigma**2 / 2)), 1 - refunded


def _revenue(parts: Floats, law: Floats, new: list[Spending]) -> dict[str, Floats]:
    """Return what is ranked, of truth and draws of parts (schemes, 3, draws + 1) and of mu and sigma^2."""
    revenue = parts.prod(axis=1)
    more = revenue[1] - revenue[0]
    counted = np.array([spending.moments()[0] for spending in new])
    k, n = (np.array([getattr(spending, x) for spending in new]) for x in ("payers", "members"))
    paying = xlogy(k, parts[:, 0].T) + xlog1py(n - k, -parts[:, 0].T)
    amounts = sum(_of_amounts(spending, *own) for spending, own in zip(new, law, strict=True))
    return {
        **{
            f"{name} of scheme {j}": parts[j, i]
            for i, name in enumerate(("rate", "size", "kept"))
            for j in (0, 1)
        },
        **{f"revenue of scheme {j}": revenue[j] for j in (0, 1)},
        "more": more,
        DATA + "log-likelihood of who pays": paying.sum(axis=1),
        DATA + "log-likelihood of amounts": np.asarray(amounts),
        DATA + "more x counted": more * (counted[1] - counted[0]),
    }


def _apart(parts: Floats, law: Floats, before: list[Spending]) -> Floats:
    """Return how far rate, mu and sigma are from members seen before, in squared standard errors."""
    apart = np.zeros(parts.shape[-1])
    for own, (mu, variance), spending in zip(parts, law, before, strict=True):
        k, n, (mean, sd) = spending.payers, spending.members, spending.law()
        apart += (own[0] - k / n) ** 2 / (k / n * (1 - k / n) / n)
        apart += (mu - mean) ** 2 / (sd**2 / k) + (np.log(variance) / 2 - np.log(sd)) ** 2 * 2 * k
    return apart


def _of_amounts(spending: Spending, mu: Floats, variance: Floats) -> Floats:
    """Return the log-likelihood of payments for draws of mu and sigma^2, up to a constant."""
    square = spending.logs_sq - 2 * mu * spending.logs + spending.payers * mu**2
    return -(spending.payers * np.log(variance) + square / variance) / 2
