"""A stray divergent draw is sampled again, once; a posterior that diverges twice stays unusable."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.compare import audit, compare_schemes

SCHEMES = ("none", "gift")


def a_trial():
    of = {"scheme": SCHEMES, "stratum": "all", "period": "2025-01", "n": 500}
    binary = pd.DataFrame({"outcome": "kept", **of, "k": [300, 320]})
    split = pd.DataFrame({"scheme": SCHEMES, "period": "2025-01", "assigned": 500, "matured": 500})
    shares = dict.fromkeys(SCHEMES, 0.5)
    return Trial(
        "shop", "main", "none", SCHEMES, ("all",), binary, binary[:0], split, shares, 20, {"horizon_days": 90}
    )


@pytest.mark.parametrize(("divergent", "runs", "told"), [([0, 9], 1, 0), ([1, 0], 2, 0), ([1, 3], 2, 3)])
def test_what_diverges_is_sampled_once_more(monkeypatch, divergent, runs, told):
    """Told is the run that counts; the sampler is imitated, its draws do not matter here."""
    seeds = []

    def sampled(data, prior, *, seed):
        draws = np.random.default_rng(seed).normal(0.4, 0.1, (500, *data.n.shape))
        found = SimpleNamespace(
            eta=draws, r_hat=1.0, ess_bulk=5000.0, divergences=divergent[len(seeds)], sampler="imitated"
        )
        seeds.append(seed)
        return found

    monkeypatch.setattr("sojourn.estimators.bayes.graph.sample", sampled)
    of, rng = a_trial(), np.random.default_rng(1)
    result = compare_schemes(of, "kept", prior=LiftPrior(-0.1, 0.1, 0.9), mass=0.95, rng=rng)
    made = audit(result, of, rng=rng)
    assert (len(set(seeds)), made.divergences) == (runs, told)
