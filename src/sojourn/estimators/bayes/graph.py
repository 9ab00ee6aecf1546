"""The audit: the same model in PyMC, compiled once per shape and sampled by nutpie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sojourn.estimators.bayes.model import CellData, Design, Floats, ModelPrior, make_design
from sojourn.estimators.bayes.nuts import Nuts, compile_model

#: Proposals are small, because the scale of deviations makes a funnel.
_NUTS = Nuts(tune=1000, draws=4000, target_accept=0.98)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Draws of a sampled posterior and how far they can be trusted.

    Attributes
    ----------
    eta : array (draws, schemes, strata)
        On the scale of the model.
    r_hat, ess_bulk : float
        Worst over all unknowns.
    divergences : int
        Divergent transitions after tuning.
    sampler : str
        Engine, chains and draws in words.
    """

    eta: Floats
    r_hat: float
    ess_bulk: float
    divergences: int
    sampler: str


def sample(data: CellData, prior: ModelPrior, *, seed: int) -> Sampled:
    """Sample the posterior of the model of `sojourn.estimators.bayes.model`.

    Parameters
    ----------
    data : CellData
        Cells of schemes (control first) by strata.
    prior : ModelPrior
        Prior on the scale of the model.
    seed : int
        Seed of all chains.
    """
    design = make_design(data.shape[0], data.weights, prior)
    model = _compiled(*data.shape).with_data(**_inputs(data, design, prior))
    return _described(_NUTS.sample(model, seed=seed), design, prior, data.shape)


def build(schemes: int, strata: int) -> Any:
    """Return the PyMC model for a trial of this shape; its data are set when it is sampled.

    One graph serves binary outcomes and values (a compilation takes longer than all sampling): a cell's
    log-likelihood is the sum of a binomial and a normal term, of which one is switched off by zeros.
    """
    import pymc as pm
    import pytensor.tensor as pt

    design = make_design(schemes, np.full(strata, 1 / strata), ModelPrior(0, 1, 0, 1, 1))
    cells = np.zeros(schemes * strata)
    with pm.Model() as model:
        n, k, mean, precision, offset = (
            pm.Data(name, cells) for name in ("n", "k", "mean", "precision", "offset")
        )
        fixed, deviation = pm.Data("fixed", design.fixed), pm.Data("deviation", design.deviation)
        scale = pm.Data("scale", np.float64(1))
        z = pm.Normal("z", 0, 1, shape=design.unknowns)
        tau = pm.HalfNormal("tau", 1)
        eta = offset + fixed @ z + scale * tau * (deviation @ z)
        binomial = k * eta - n * pt.softplus(eta)
        pm.Potential("cells", (binomial - precision * (mean - eta) ** 2 / 2).sum())
    return model


@lru_cache(maxsize=8)
def _compiled(schemes: int, strata: int) -> Any:
    return compile_model(build(schemes, strata))


def _inputs(data: CellData, design: Design, prior: ModelPrior) -> dict[str, Any]:
    cells = {name: getattr(data, name).ravel() for name in ("n", "k", "mean", "precision")}
    maps = {"offset": design.offset, "fixed": design.fixed, "deviation": design.deviation}
    return {**cells, **maps, "scale": np.float64(prior.scale)}


def _described(trace: Any, design: Design, prior: ModelPrior, shape: tuple[int, int]) -> Sampled:
    import arviz

    posterior = trace.posterior
    z = posterior["z"].values.reshape(-1, design.unknowns)
    tau = prior.scale * posterior["tau"].values.reshape(-1, 1)
    eta = design.offset + z @ design.fixed.T + tau * (z @ design.deviation.T)
    unknowns = ["z", "tau"] if shape[1] > 1 else ["z"]
    r_hat = arviz.rhat(trace, var_names=unknowns)
    ess = arviz.ess(trace, var_names=unknowns, method="bulk")
    return Sampled(
        eta=eta.reshape(-1, *shape),
        r_hat=max(float(r_hat[name].max()) for name in unknowns),
        ess_bulk=min(float(ess[name].min()) for name in unknowns),
        divergences=int(trace.sample_stats["diverging"].sum()),
        sampler=_NUTS.words,
    )
