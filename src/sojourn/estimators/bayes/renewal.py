"""The audit of forecasts: the beta discrete Weibull with cohorts that share strength, sampled with PyMC.

For step a of cohort c, of ``n`` members who begin it ``d`` are lost::

    d ~ BetaBinomial(n, h M, (1 - h) M)       logit h = law[a] + held + spread z[c]       M = 1 / unrest ** 2
    law from S(a) = B(alpha, beta + a ** shape) / B(alpha, beta)
    z ~ Normal(0, 1)    spread ~ HalfNormal(0.5)    unrest ~ HalfNormal(0.1)

One graph of a fixed size serves every triangle: entries that are not known have no members. With a prior
standard deviation of 0 for its logarithm the shape is 1, and the law the beta-geometric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from sojourn.core.errors import ConvergenceError
from sojourn.estimators.bayes.nuts import Nuts, compile_model

Floats = NDArray[np.float64]

#: Cohorts, and steps, that the graph has room for; known entries of a triangle are at most half of all.
MOST = 24
_ENTRIES = MOST * (MOST + 1) // 2
_NUTS = Nuts(tune=500, draws=750, target_accept=0.9)
_R_HAT_MOST, _ESS_LEAST, _DIVERGENT_MOST = 1.01, 400.0, 0.01
_UNKNOWNS = ("theta", "z", "spread", "unrest")


@dataclass(frozen=True, slots=True)
class SampledRenewal:
    """Draws of the sampled posterior.

    Attributes
    ----------
    logits : array (draws, steps)
        Logit of the share lost in each step of a cohort of level 0.
    levels : array (draws, cohorts)
        Level of every cohort.
    spread, steadiness : array (draws,)
        Standard deviation of levels, and M.
    sampler : str
        Engine, chains and draws in words.
    """

    logits: Floats
    levels: Floats
    spread: Floats
    steadiness: Floats
    sampler: str


def sample_renewal(
    lost: Floats,
    at_risk: Floats,
    held: Floats,
    centre: Floats,
    scale: Floats,
    *,
    steps: int,
    seed: int,
) -> SampledRenewal:
    """Sample the posterior for a triangle.

    Parameters
    ----------
    lost, at_risk : array (cohorts, steps)
        Members lost in each step of those who began it, both 0 where not known; at most `MOST` each way.
    held : array (cohorts, steps)
        Added to each logit: levels of months, found beforehand.
    centre, scale : array (2,) or (3,)
        Mean and standard deviation of the normal priors of logit(alpha / (alpha + beta)), log(alpha + beta)
        and, with three, log(shape).
    steps : int
        Steps for which the law is read off.
    seed : int
        Seed of all chains.

    Raises
    ------
    ConvergenceError
        When chains have not mixed.
    """
    model = _compiled().with_data(**_inputs(lost, at_risk, held, centre, scale))
    trace = _NUTS.sample(model, seed=seed)
    _check_mixing(trace)
    posterior = {name: trace.posterior[name].values for name in _UNKNOWNS}
    theta = _three(centre) + _three(scale) * posterior["theta"].reshape(-1, 3)
    spread, unrest = posterior["spread"].ravel(), posterior["unrest"].ravel()
    levels = spread[:, None] * posterior["z"].reshape(len(spread), -1)[:, : len(lost)]
    return SampledRenewal(_logits(theta, steps), levels, spread, unrest**-2, _NUTS.words)


def build() -> Any:
    """Return the PyMC model; its data are set when it is sampled."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        lost, at_risk = (pm.Data(name, np.zeros(_ENTRIES)) for name in ("lost", "at_risk"))
        held = pm.Data("held", np.zeros(_ENTRIES))
        cohort, step = (pm.Data(name, np.zeros(_ENTRIES, dtype=np.int64)) for name in ("cohort", "step"))
        centre, scale = pm.Data("centre", np.zeros(3)), pm.Data("scale", np.ones(3))
        theta, z = pm.Normal("theta", 0, 1, shape=3), pm.Normal("z", 0, 1, shape=MOST)
        spread, unrest = pm.HalfNormal("spread", 0.5), pm.HalfNormal("unrest", 0.1)
        logits = _law(pt, centre + scale * theta)
        eta = pt.clip(logits[step] + held + spread * z[cohort], -25, 25)
        steady = unrest**-2
        a, b = pt.sigmoid(eta) * steady, pt.sigmoid(-eta) * steady
        entry = (
            pt.gammaln(a + lost)
            - pt.gammaln(a)
            + pt.gammaln(b + at_risk - lost)
            - pt.gammaln(b)
            + pt.gammaln(steady)
            - pt.gammaln(steady + at_risk)
        )
        pm.Potential("entries", entry.sum())
    return model


def _law(pt: Any, at: Any) -> Any:
    """Return logits of the share lost in each step."""
    size, mean = pt.exp(at[1]), pt.sigmoid(at[0])
    alpha, beta = mean * size, (1 - mean) * size
    powered = pt.arange(MOST + 1, dtype="float64") ** pt.exp(at[2])
    # log S up to a constant: B(alpha, beta + t) = Gamma(alpha) Gamma(beta + t) / Gamma(alpha + beta + t)
    log_kept = pt.gammaln(beta + powered) - pt.gammaln(alpha + beta + powered)
    fall = pt.clip(log_kept[:-1] - log_kept[1:], 1e-12, 35)
    return pt.log(pt.expm1(fall))


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return compile_model(build())


def _inputs(lost: Floats, at_risk: Floats, held: Floats, centre: Floats, scale: Floats) -> dict[str, Any]:
    cohort, step = np.nonzero(at_risk > 0)
    room = _ENTRIES - len(cohort)
    padded = {
        "lost": lost[cohort, step],
        "at_risk": at_risk[cohort, step],
        "held": held[cohort, step],
        "cohort": cohort.astype(np.int64),
        "step": step.astype(np.int64),
    }
    filled = {name: np.concatenate([values, np.zeros(room, values.dtype)]) for name, values in padded.items()}
    return {**filled, "centre": _three(centre), "scale": _three(scale)}


def _three(values: Floats) -> Floats:
    """Return the values with 0 for the logarithm of the shape where it is not among them."""
    return np.concatenate([values, np.zeros(3 - len(values))])


def _check_mixing(trace: Any) -> None:
    import arviz

    r_hat, ess = arviz.rhat(trace, var_names=list(_UNKNOWNS)), arviz.ess(trace, var_names=list(_UNKNOWNS))
    worst = max(float(r_hat[name].max()) for name in _UNKNOWNS)
    fewest = min(float(ess[name].min()) for name in _UNKNOWNS)
    divergent = float(trace.sample_stats["diverging"].mean())
    if worst > _R_HAT_MOST or fewest < _ESS_LEAST or divergent > _DIVERGENT_MOST:
        raise ConvergenceError(
            f"The sampler of the forecast did not converge: r-hat {worst:.3f}, effective draws {fewest:.0f}, "
            f"{100 * divergent:.1f} % divergent. Use fewer cohorts or a longer step."
        )


def _logits(theta: Floats, steps: int) -> Floats:
    """Return the law of drawn parameters (draws, steps)."""
    size, mean = np.exp(theta[:, 1:2]), 1 / (1 + np.exp(-theta[:, :1]))
    alpha, beta = mean * size, (1 - mean) * size
    powered = np.arange(steps + 1, dtype=np.float64) ** np.exp(theta[:, 2:3])
    log_kept = betaln(alpha, beta + powered)
    fall = np.clip(log_kept[:, :-1] - log_kept[:, 1:], 1e-12, 35.0)
    logits: Floats = np.log(np.expm1(fall))
    return logits
