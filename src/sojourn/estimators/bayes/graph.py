"""The audit: the same model in PyMC, compiled once per shape and sampled by nutpie."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from sojourn.estimators.bayes.coordinates import Coordinates, coordinates
from sojourn.estimators.bayes.model import CellData, Floats, ModelPrior, expit
from sojourn.estimators.bayes.nuts import Nuts, compile_model

#: At 0.9 a proposal now and then leaves the scale of deviations where it is known to be large.
_NUTS = Nuts(tune=500, draws=4000, target_accept=0.95)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Draws of a sampled posterior and how far they can be trusted.

    Attributes
    ----------
    eta : array (draws, schemes, strata)
        On the scale of the model.
    r_hat, ess_bulk : float
        Worst over all that is published: cells, lifts by stratum, and standardised means and lifts.
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


def sample(data: CellData, prior: ModelPrior, *, seed: int, nuts: Nuts = _NUTS) -> Sampled:
    """Sample the posterior of the model of `sojourn.estimators.bayes.model`.

    Parameters
    ----------
    data : CellData
        Cells of schemes (control first) by strata.
    prior : ModelPrior
        Prior on the scale of the model.
    seed : int
        Seed of all chains.
    nuts : Nuts
        How long it is sampled.
    """
    at = coordinates(data, prior)
    trace = nuts.sample(_compiled(*data.shape).with_data(**_inputs(data, at)), seed=seed)
    return described(trace, data, at, nuts.words)


def build(schemes: int, strata: int) -> Any:
    """Return the PyMC model for a trial of this shape; its data are set when it is sampled.

    One graph serves binary outcomes and values (a compilation takes longer than all sampling): a cell's
    log-likelihood is the sum of a binomial and a normal term, of which one is switched off by zeros.
    The unknowns are those of `sojourn.estimators.bayes.coordinates`.
    """
    import pymc as pm
    import pytensor.tensor as pt

    cells = np.zeros(schemes * strata)
    with pm.Model() as model:
        n, k, mean, precision, offset, seen, weight = (pm.Data(name, cells) for name in _BY_CELL)
        to_cells = pm.Data("to_cells", np.eye(len(cells)))
        kept, pull, deviations = pm.Data("kept", cells), pm.Data("pull", cells), pm.Data("deviations", 0.0)
        u = pm.Normal("u", 0, 1, shape=len(cells))
        t = pm.HalfNormal("t", 1)
        variance = t**2 / (t**2 * (1 - kept) + kept)
        eta = offset + to_cells @ (variance * pull + pt.sqrt(variance) * u)
        change = (variance * pull**2 + pt.log(variance)).sum() / 2 - deviations * pt.log(t)
        binomial, normal = k * eta - n * pt.softplus(eta), -precision * (mean - eta) ** 2 / 2
        pm.Potential("cells", change + (binomial + normal + weight * (eta - seen) ** 2 / 2).sum())
    return model


_OF_DATA = ("n", "k", "mean", "precision")
_BY_CELL = (*_OF_DATA, "offset", "seen", "weight")


@lru_cache(maxsize=8)
def _compiled(schemes: int, strata: int) -> Any:
    return compile_model(build(schemes, strata))


def _inputs(data: CellData, at: Coordinates) -> dict[str, Any]:
    cells = {name: getattr(data, name).ravel() for name in _OF_DATA}
    of_coordinates = {f.name: np.asarray(getattr(at, f.name)) for f in fields(at)}
    return {**cells, **of_coordinates}


def described(trace: Any, data: CellData, at: Coordinates, words: str) -> Sampled:
    """Return the draws of a trace in `coordinates`, and how far everything published can be trusted."""
    from arviz_stats.base.array import array_stats

    stats: Any = array_stats
    u, t = (trace.posterior[name].values for name in ("u", "t"))
    eta = at.eta(u.reshape(-1, u.shape[-1]), t.ravel()).reshape(-1, *data.shape)
    published = _published(eta, data).reshape(*t.shape, -1)
    axes = {"chain_axis": 0, "draw_axis": 1}
    return Sampled(
        eta=eta,
        r_hat=float(stats.rhat(published, **axes).max()),
        ess_bulk=float(stats.ess(published, method="bulk", **axes).min()),
        divergences=int(trace.sample_stats["diverging"].sum()),
        sampler=words,
    )


def _published(eta: Floats, data: CellData) -> Floats:
    """Return what is read off draws of cells (draws, quantities)."""
    means = expit(eta) if data.n.any() else eta
    lifts = means[:, 1:] - means[:, :1]
    parts = (means, lifts, means @ data.weights, lifts @ data.weights)
    return np.hstack([part.reshape(len(eta), -1) for part in parts])
