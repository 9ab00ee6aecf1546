"""Every posterior of trials has uniform ranks of truths, and a fault planted in any is found."""

import importlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from sojourn.core.errors import ConvergenceError

FAST = (
    "schemes x strata, binary, fast path",
    "schemes x strata, value, fast path",
    "curves of staying",
    "activity counts",
    "revenue in three parts",
)
FAULTS = ("likelihood dropped", "prior sd x 1.5", "sign flipped", "stratum mislabelled")
#: Fits of a model, and of its mutants: a prior too wide shows least, the others have p-values below 1e-6.
FITS, SEED = 100, 11
MUTANT_FITS = dict.fromkeys(FAULTS, 40) | {"prior sd x 1.5": 100}


@pytest.fixture(scope="module")
def sbc():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "calibration"))
        yield importlib.import_module("sbc")


@pytest.fixture(scope="module")
def ranked(sbc):
    return lru_cache(maxsize=None)(
        lambda model, mutant="", fits=FITS: sbc.rank_truths(model, mutant, fits, SEED)
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", [*FAST, "schemes x strata, binary, many members, fast path"])
def test_truths_have_uniform_ranks(ranked, model):
    found = ranked(model)
    assert found.outside == []
    assert found.failed == 0
    assert found.passes


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("model", FAST)
def test_a_planted_fault_is_found(ranked, model, fault):
    assert ranked(model, fault, MUTANT_FITS[fault]).outside


@pytest.mark.slow
@pytest.mark.parametrize("model", FAST)
def test_parameters_alone_do_not_see_that_the_likelihood_was_dropped(ranked, model):
    found = ranked(model, "likelihood dropped", MUTANT_FITS["likelihood dropped"])
    assert all(name.startswith("data: ") for name in found.outside)
    assert found.parameters_only().passes


@pytest.mark.slow
def test_the_sampler_has_uniform_ranks_and_no_divergence(ranked):
    """Few fits, for time: a flipped sign leaves the band with twenty of them."""
    found = ranked("schemes x strata, binary, sampled", "", 20)
    assert found.outside == []
    assert found.failed == 0
    assert ranked("schemes x strata, binary, sampled", "sign flipped", 20).outside


def test_fits_that_fail_or_diverge_count(sbc, monkeypatch):
    def world(mutant, draws, rng):
        if (kind := rng.integers(4)) == 0:
            raise ConvergenceError("no mode")
        return {"x": rng.standard_normal(draws + 1)}, kind != 1

    monkeypatch.setitem(sbc.MODELS, "shaky", world)
    found = sbc.rank_truths("shaky", "", 200, 1)
    assert 60 < found.failed < 140  # half of 200, within six standard deviations
    assert found.outside == []
    assert not found.passes


def test_the_faults_tested_are_those_calibrated(sbc):
    assert sbc.MUTANTS == FAULTS
    assert set(FAST) < set(sbc.MODELS)
    assert np.all([sbc.MUTANT_FITS.get(model, 100) >= 50 for model in FAST])
