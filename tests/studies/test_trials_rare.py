"""Outcomes that are true, or untrue, of few members are warned of, as often as the check says."""

import numpy as np
import pandas as pd
import pytest

from sojourn.core.cells import Cells
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.studies.trials.checks import LEAST_COUNTED, check_trial
from sojourn.studies.trials.compare import compare_schemes
from sojourn.studies.trials.trial import trial

SCHEMES, N = ("none", "gift", "points"), 4_000
BELIEF = LiftPrior.from_belief(low=-0.0002, high=0.0004, mass=0.9)


def make_trial(true, stratum=(1.0,)):
    """Return a trial with so many members of whom an outcome is true, by scheme and share of stratum."""
    cells = pd.DataFrame(
        [
            ("converted", scheme, str(place), "all", int(N * part), int(k * part))
            for scheme, k in zip(SCHEMES, true, strict=True)
            for place, part in enumerate(stratum)
        ],
        columns=["outcome", "scheme", "stratum", "period", "n", "k"],
    )
    split = pd.DataFrame({"scheme": SCHEMES, "period": "all", "assigned": N, "matured": N})
    about = {"trial": "main", "horizon_days": 90, "allocation": {}, "words": {"converted": "paid something"}}
    return trial(Cells("test", "trials", {"binary": cells, "split": split}, about), min_group=20)


def warned(of, result):
    return next(check for check in check_trial(of, [result], []) if check.name.startswith("Enough members"))


def judged(true, stratum=(1.0,)):
    of, rng = make_trial(true, stratum), np.random.default_rng(1)
    return warned(of, compare_schemes(of, "converted", prior=BELIEF, mass=0.95, rng=rng, draws=1000))


@pytest.mark.parametrize(
    ("true", "stratum", "verdict", "finding"),
    [
        ((40, LEAST_COUNTED, 30), (1.0,), "pass", "It is true of 10 members under gift"),
        ((40, 30, LEAST_COUNTED - 1), (1.0,), "warn", "It is true of 9 members under points"),
        ((40, 16, 30), (0.5, 0.5), "pass", "It is true of 16 members under gift"),  # of all strata together
        ((N - 40, N - 1, N - 30), (1.0,), "warn", "It is untrue of 1 member under gift"),
    ],
)
def test_the_fewest_of_any_scheme_and_of_either_answer_count(true, stratum, verdict, finding) -> None:
    check = judged(true, stratum)
    assert check.verdict == verdict
    assert check.finding.startswith(finding)


def test_rates_are_those_of_simulated_counts() -> None:
    """Counts of 20,000 trials; four simulation errors."""
    check, rng = judged((40, 30, 30)), np.random.default_rng(2)
    rare = rng.binomial(N, np.array([3, 20, 20]) / N, (20_000, 3)).min(axis=1) < LEAST_COUNTED
    sound = rng.binomial(N, 20 / N, (20_000, 3)).min(axis=1) < LEAST_COUNTED
    for found, stated in ((rare.mean(), check.catch_rate), (sound.mean(), check.false_alarm_rate)):
        assert found == pytest.approx(stated, abs=4 * np.sqrt(stated * (1 - stated) / 20_000))
