"""Compiling a PyMC model and sampling it with nutpie.

This module alone compiles, and makes its own conditions, so that JupyterLab gives what the pipeline gives:
fast floating-point rewriting is off (with it a cold compile cache gives other draws than a warm one),
the sampler is named, threads are limited inside the call and seeds are fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CHAINS = 4


@dataclass(frozen=True, slots=True)
class Nuts:
    """How a model is sampled: `CHAINS` chains of so many draws, after so many to tune.

    Attributes
    ----------
    tune, draws : int
        Draws of every chain before, and after, the sampler has settled.
    target_accept : float
        Share of proposals that should be accepted, in (0, 1).
    """

    tune: int
    draws: int
    target_accept: float

    def sample(self, model: Any, *, seed: int) -> Any:
        """Return the trace of a compiled model that has its data."""
        import nutpie
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            return nutpie.sample(
                model,
                seed=seed,
                chains=CHAINS,
                cores=2,
                tune=self.tune,
                draws=self.draws,
                target_accept=self.target_accept,
                progress_bar=False,
            )

    @property
    def words(self) -> str:
        """Engine, chains and draws in words."""
        import nutpie

        chains = f"{CHAINS} chains of {self.draws:,} draws after {self.tune}"
        return f"PyMC model, nutpie {nutpie.__version__} (NUTS), {chains}"


def compile_model(model: Any) -> Any:
    """Return a PyMC model compiled for `Nuts.sample`."""
    import nutpie
    import pytensor

    with pytensor.config.change_flags(numba__fastmath=False):
        return nutpie.compile_pymc_model(model)
