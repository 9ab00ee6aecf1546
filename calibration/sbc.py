"""Simulation-based calibration of every posterior of trials that decides or is published, and of its mutants.

Truths are drawn from a model's prior, data from the model, and the truth is ranked among draws of its
posterior (`ranks`): parameters, log-likelihoods, and products of lifts with what was counted. A posterior
that ignores its data has uniform ranks of parameters; only quantities of data find it out.

Activity counts have priors far wider than any data, and payments an improper one. Their prior here is the
model given some members who were seen before (posterior SBC: Säilynoja, Schmitt, Bürkner and Vehtari 2025):
truths come from that posterior, exactly, and the fit sees these members together with new ones.

`calibrate` returns one row per model, and one per model and mutant, which has to fail.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ranks import adjusted, rank
from sbc_worlds import DATA, Quantities, counted_world, lifts_world, spent_world, stayed_world

from sojourn.core.errors import ConvergenceError

Floats = NDArray[np.float64]

#: Draws of every fit, of the fast path and of the sampler.
DRAWS = 199
#: Chance that a posterior without fault leaves its band in any of its quantities.
LEVEL = 0.01
#: Fits that may fail or diverge.
FAILED_MOST = 0.01
#: A model with a fault planted in it, by the name of the fault; "" is the model itself.
MUTANTS = ("likelihood dropped", "prior sd x 1.5", "sign flipped", "stratum mislabelled")

World = Callable[[str, int, np.random.Generator], Quantities]

MODELS: dict[str, World] = {
    "schemes x strata, binary, fast path": partial(lifts_world, "binary", "fast path"),
    "schemes x strata, binary, many members, fast path": partial(lifts_world, "wide", "fast path"),
    "schemes x strata, binary, few members, fast path": partial(lifts_world, "few", "fast path"),
    "schemes x strata, value, fast path": partial(lifts_world, "value", "fast path"),
    "schemes x strata, binary, sampled": partial(lifts_world, "binary", "sampled"),
    "schemes x strata, value, sampled": partial(lifts_world, "value", "sampled"),
    "curves of staying": stayed_world,
    "activity counts": counted_world,
    "revenue in three parts": spent_world,
}
#: Fits of every mutant where it is not 100: with many members a prior hardly counts, so no fault in it can be
#: found; the sampled model is one graph for shares and values.
MUTANT_FITS = {
    "schemes x strata, binary, many members, fast path": 0,
    "schemes x strata, binary, few members, fast path": 0,
    "schemes x strata, binary, sampled": 50,
    "schemes x strata, value, sampled": 0,
}
#: Shown and not required: the normal approximation with some ten converted members in a cell, where the audit
#: is there to say whether it still holds.
SHOWN = {"schemes x strata, binary, few members, fast path"}


@dataclass(frozen=True, slots=True)
class Ranked:
    """What became of many fits of one model.

    Attributes
    ----------
    fits, failed : int
        Fits, and those that failed or diverged.
    p_values : dict of str to float
        Of uniform ranks, adjusted for the number of quantities.
    """

    fits: int
    failed: int
    p_values: dict[str, float]

    @property
    def outside(self) -> list[str]:
        """Quantities whose ranks leave the band, worst first."""
        found = sorted(self.p_values, key=lambda name: self.p_values[name])
        return [name for name in found if self.p_values[name] < LEVEL]

    @property
    def passes(self) -> bool:
        """Whether all ranks stay in the band and hardly any fit failed."""
        return not self.outside and self.failed <= FAILED_MOST * self.fits

    def parameters_only(self) -> Ranked:
        """Return the same without quantities of data; adjusted for as many as there were."""
        return replace(self, p_values={k: p for k, p in self.p_values.items() if not k.startswith(DATA)})


def rank_truths(model: str, mutant: str, fits: int, seed: int) -> Ranked:
    """Fit a model to worlds drawn from its prior and rank their truths.

    Parameters
    ----------
    model, mutant : str
        Of `MODELS` and `MUTANTS` ("" for the model itself).
    fits : int
        Worlds.
    seed : int
        Seed of all worlds; every model and mutant has a stream of its own.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{model}/{mutant}".encode())])
    ranks: dict[str, list[int]] = {}
    failed = 0
    for _ in range(fits):
        try:
            quantities, sound = MODELS[model](mutant, DRAWS, rng)
        except ConvergenceError:
            failed += 1
            continue
        failed += not sound
        for name, values in quantities.items():
            ranks.setdefault(name, []).append(rank(values, rng))
    return Ranked(fits, failed, adjusted(ranks, DRAWS))


def calibrate() -> list[dict[str, Any]]:
    """Return every row; takes some minutes, the sampled models most of them."""
    return [row for model in MODELS for row in _rows(model, 500, MUTANT_FITS.get(model, 100), seed=20261122)]


def _rows(model: str, fits: int, mutant_fits: int, seed: int) -> list[dict[str, Any]]:
    found = rank_truths(model, "", fits, seed)
    goal = f"ranks of {len(found.p_values)} quantities in the band of 99 %, at most 1 % of fits failed"
    shown = model in SHOWN
    rows = [_row(f"SBC of {model}", "shown" if shown else goal, found, met=None if shown else found.passes)]
    if not mutant_fits:
        return rows
    mutants = {mutant: rank_truths(model, mutant, mutant_fits, seed) for mutant in MUTANTS}
    for mutant, of in mutants.items():
        rows.append(_row(f"SBC of {model}: {mutant}", "found out", of, met=bool(of.outside)))
    blind = mutants["likelihood dropped"].parameters_only()
    name = f"SBC of {model}: likelihood dropped, parameters alone"
    return [*rows, _row(name, "not found out", blind, met=not blind.outside)]


def _row(estimand: str, goal: str, found: Ranked, *, met: bool | None) -> dict[str, Any]:
    return {
        "estimand": estimand,
        "worlds": found.fits,
        "failed": found.failed,
        "goal": goal,
        "smallest_p": round(min(found.p_values.values()), 4),
        "outside": found.outside,
        "met": met,
    }
