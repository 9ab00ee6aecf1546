"""Lifts adjusted for what the same members did before assignment, beside the lifts as they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from sojourn.core.ranges import in_range
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trial_revenue import Adjusted
from sojourn.core.results.trials import Trial, TrialResult, plain_scheme
from sojourn.core.text import number
from sojourn.estimators.bayes.covariate import Crossed, Regressed, regress
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.compare import compare_arms, compare_schemes
from sojourn.studies.trials.split import FAIL, WARN

_SUMS = ("n", "total", "total_sq", "before", "before_sq", "cross")
#: The planted fault whose catch rate is stated: a scheme that moved the past by a tenth of its spread.
_FAULT = 0.1


def compare_adjusted(
    trial: Trial,
    outcome: str,
    *,
    prior: LiftPrior,
    mass: float,
    rng: np.random.Generator,
    draws: int = 20_000,
) -> Adjusted:
    """Compare schemes as `compare_schemes` does, with the chance of an uneven past taken away.

    Parameters
    ----------
    trial : Trial
        Its table ``covariate``: an outcome beside what the same member did before assignment.
    outcome : str
        A binary outcome or a value of the trial.
    prior : LiftPrior
        Belief of each scheme's absolute lift, as in `compare_schemes`.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    draws : int
        Number of posterior draws.

    Returns
    -------
    Adjusted
        The same estimand, standardised over the same strata. A binary outcome is adjusted as a share, with
        normal means. The past ends at the member's own assignment, so no scheme can have changed it.

    Raises
    ------
    ParameterError
        When there is no such outcome.
    """
    in_range(mass, "mass", gt=0, lt=1)
    words = trial.words(outcome)
    raw = make_arms(trial, outcome)
    sums = _crossed(trial, outcome, raw)
    if isinstance(sums, str):
        return Adjusted(outcome, words, _before(trial, outcome), None, None, pd.DataFrame(), sums)
    found = regress(sums)
    plain = compare_schemes(trial, outcome, prior=prior, mass=mass, rng=rng, draws=draws)
    result = compare_arms(
        trial, outcome, adjusted_arms(raw, found), prior=prior, mass=mass, rng=rng, draws=draws
    )
    return Adjusted(outcome, words, _before(trial, outcome), plain, result, _table(plain, result, found, raw))


def adjusted_arms(raw: Arms, found: Regressed) -> Arms:
    """Return arms with adjusted means and what is left of variances; third moments are the raw ones."""
    return Arms("value", raw.n, found.mean, found.variance, raw.third, raw.standard, raw.counted)


def _crossed(trial: Trial, outcome: str, raw: Arms) -> Crossed | str:
    """Return the sums of an outcome and of the past by scheme and stratum, or why there are none."""
    cells = trial.other("covariate")
    if "covariate" in trial.meta.get("withheld", ()):
        return "A private case does not tell what members did before, so lifts are not adjusted for it."
    if cells.empty or outcome not in set(cells["outcome"]):
        return f"What members did before assignment is not known beside {_quoted(trial, outcome)}."
    cells = cells[cells["outcome"] == outcome]
    grids = {
        name: cells.assign(**{name: cells[name].astype(float)})
        .pivot_table(index="scheme", columns="stratum", values=name, aggfunc="sum", fill_value=0.0)
        .reindex(index=list(trial.schemes), columns=list(trial.strata), fill_value=0.0)
        .to_numpy(float)
        for name in _SUMS
    }
    sums = Crossed(**grids)
    if (sums.n < 3).any() or not np.allclose(sums.n, raw.members, rtol=0.02):
        return f"What members did before assignment is known for too few beside {_quoted(trial, outcome)}."
    if not sums.within()[2].sum(axis=1).all():
        return "All members did the same before assignment, so there is nothing to adjust for."
    return sums


def _quoted(trial: Trial, outcome: str) -> str:
    return f"'{trial.words(outcome)}'"


def _before(trial: Trial, outcome: str) -> str:
    """Return what was known before assignment in plain words."""
    said = trial.meta.get("before_words", {})
    days = int(trial.meta.get("before_days", 28))
    what = "what members paid" if trial.kind(outcome) == "value" else "on how many days members came"
    return str(said.get(outcome, f"{what} in the {days} days before assignment"))


def _table(plain: TrialResult, result: TrialResult, found: Regressed, raw: Arms) -> pd.DataFrame:
    lifts = ["lift", "lift_low", "lift_high"]
    adjusted, before = (of.table.iloc[1:].reset_index(drop=True) for of in (result, plain))
    left, had = (_variance_of_lifts(variance, raw) for variance in (found.variance, raw.variance))
    return pd.concat([adjusted[["scheme", *lifts]], before[lifts].add_prefix("plain_")], axis=1).assign(
        narrower_share=1 - np.sqrt(left / had),
        explained_share=1 - left / had,
        slope=found.slope[1:],
        before_gap_sds=found.gap[1:] / found.spread,
        p_balance=2 * ndtr(-np.abs(found.gap[1:] / found.gap_sd[1:])),
    )


def _variance_of_lifts(variance: Floats, raw: Arms) -> Floats:
    of_mean: Floats = (variance / raw.n) @ raw.weights**2
    of_lift: Floats = of_mean[1:] + of_mean[0]
    return of_lift


def check_adjusted(result: Adjusted) -> list[Check]:
    """Check that the past is the same in all schemes: one that a scheme could change must not be used."""
    if result.why_empty or result.result is None:
        return []
    rows = result.table
    p = min(1.0, float(rows["p_balance"].min()) * len(rows))
    worst = rows.loc[rows["p_balance"].idxmin()]
    verdict: Verdict = "fail" if p < FAIL else "warn" if p < WARN else "pass"
    meaning = {
        "pass": "What was adjusted for is as it should be in a randomised trial.",
        "warn": "A gap this large before assignment is rare by chance; find out why.",
        "fail": "Schemes differed before they began, or the past was counted too late: do not adjust.",
    }
    smallest = float(rows["before_gap_sds"].abs().max())
    return [
        Check(
            f"Schemes alike before assignment ({result.words})",
            verdict,
            f"Largest gap: {number(smallest, 3)} standard deviations of a member, under "
            f"{plain_scheme(str(worst['scheme']))}; p = {p:.4f} over all schemes.",
            meaning[verdict],
            catch_rate=_power(result.result, len(rows)),
            false_alarm_rate=WARN,
            rates_from="a scheme that moved the past by a tenth of a member's standard deviation, at this "
            "size; normal approximation, held to by calibration of revenue",
        )
    ]


def _power(result: TrialResult, schemes: int) -> float:
    """Return the chance that the planted fault gives a warning, for the smallest scheme."""
    n = result.table["n"].to_numpy(float)
    error = np.sqrt(1 / n[0] + 1 / n[1:].min())
    limit = float(ndtri(1 - WARN / (2 * schemes)))
    return float(ndtr(_FAULT / error - limit) + ndtr(-_FAULT / error - limit))
