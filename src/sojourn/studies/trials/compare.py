"""Schemes compared on the fast path, and the audit of the same posterior by sampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_plan import LiftPrior
from sojourn.core.results.trials import Audit, Trial, TrialResult
from sojourn.estimators.bayes.model import CellData, Floats
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.pairs import draw_pairs, each_pair, joined, prior_on_model
from sojourn.studies.trials.predictive import predictive_p


def compare_schemes(
    trial: Trial,
    outcome: str,
    *,
    prior: LiftPrior,
    mass: float,
    rng: np.random.Generator,
    draws: int = 20_000,
) -> TrialResult:
    """Estimate every scheme's outcome and its lift over control, from cells.

    Parameters
    ----------
    trial : Trial
        Cells of matured members.
    outcome : str
        A binary outcome or a value of the trial.
    prior : LiftPrior
        Belief of each scheme's absolute lift: a share for binary outcomes, currency per member for values.
    mass : float
        Probability mass of every interval, in (0, 1).
    rng : Generator
        Source of the posterior draws.
    draws : int
        Number of posterior draws; probabilities carry a simulation error of at most ``0.5 / sqrt(draws)``.

    Returns
    -------
    TrialResult
        Standardised over strata by their share of all matured members.

    Raises
    ------
    ParameterError
        When there is no such outcome or the belief is not possible at its base rate.
    UndefinedError
        When the outcome does not vary or a scheme has no members in a stratum.

    Notes
    -----
    Hierarchical model of `sojourn.estimators.bayes.model`: binomial with log-odds, or normal means with known
    variances. Each scheme is judged from control and its own members (`sojourn.studies.trials.pairs`), so no
    scheme changes what another is thought to do. The belief is mapped to log-odds at the control's share.
    """
    return compare_arms(
        trial, outcome, make_arms(trial, outcome), prior=prior, mass=mass, rng=rng, draws=draws
    )


def compare_arms(
    trial: Trial,
    outcome: str,
    arms: Arms,
    *,
    prior: LiftPrior,
    mass: float,
    rng: np.random.Generator,
    draws: int,
) -> TrialResult:
    """Estimate as `compare_schemes` does, from arms of the caller (schemes and strata of the trial)."""
    in_range(mass, "mass", gt=0, lt=1)
    in_range(draws, "draws", ge=1000)
    model_prior = prior_on_model(arms, prior)
    pairs = draw_pairs(arms, model_prior, draws, rng=rng)
    means = joined(pairs, arms.weights, rng=rng)
    table = _table(trial, arms, means @ arms.weights, mass)
    strata, shrunk = _strata(trial, arms, means, mass)
    return TrialResult(
        outcome=outcome,
        kind=trial.kind(outcome),
        control=trial.control,
        words=trial.words(outcome),
        currency="" if trial.kind(outcome) == "binary" else str(trial.meta.get("currency", "")),
        horizon_days=int(trial.meta["horizon_days"]),
        prior=prior,
        prior_link=(model_prior.lift_mean, model_prior.lift_sd),
        mass=mass,
        table=table,
        strata=strata,
        shrunk=shrunk,
        p_fit=predictive_p(arms, pairs, rng=rng),
        draws=_frozen(means @ arms.weights),
    )


def audit(result: TrialResult, trial: Trial, *, rng: np.random.Generator) -> Audit:
    """Sample the posterior of a result with PyMC and lay it beside the fast path.

    A run with a divergent draw is sampled once more; the audit tells of the second run then.

    Parameters
    ----------
    result : TrialResult
        From `compare_schemes`.
    trial : Trial
        The trial it is of.
    rng : Generator
        Gives the sampler's seed.

    Raises
    ------
    ParameterError
        When the result is not of this trial.
    """
    from sojourn.estimators.bayes.graph import sample

    if result.schemes != trial.schemes:
        raise ParameterError(f"This result compares {', '.join(result.schemes)}; the trial has others.")
    arms = make_arms(trial, result.outcome)
    prior, runs = prior_on_model(arms, result.prior), []

    def draw(data: CellData) -> Floats:
        run = sample(data, prior, seed=int(rng.integers(2**31)))
        if run.divergences:  # a stray one of many thousand draws says little, some in two runs say much
            run = sample(data, prior, seed=int(rng.integers(2**31)))
        runs.append(run)
        return run.eta

    drawn = joined(each_pair(arms, draw), arms.weights, rng=rng) @ arms.weights
    table = _table(trial, arms, drawn, result.mass)
    comparison, gap_sd, gap_p = _beside(result, table, drawn)
    return Audit(
        outcome=result.outcome,
        sampler=runs[0].sampler,
        r_hat=max(run.r_hat for run in runs),
        ess_bulk=min(run.ess_bulk for run in runs),
        divergences=sum(run.divergences for run in runs),
        gap_sd=gap_sd,
        gap_p=gap_p,
        comparison=comparison,
        sampled=replace(result, table=table, draws=_frozen(drawn)),
    )


def _table(trial: Trial, arms: Arms, drawn: Floats, mass: float) -> pd.DataFrame:
    """Return one row per scheme from joint draws of the standardised means (draws, schemes)."""
    lift = drawn - drawn[:, :1]
    best = np.bincount(drawn.argmax(axis=1), minlength=drawn.shape[1]) / len(drawn)
    raw = _raw(arms, mass)
    blank = np.r_[np.nan, np.ones(drawn.shape[1] - 1)]
    return pd.DataFrame(
        {
            "scheme": trial.schemes,
            "n": arms.members.sum(axis=1).astype(int),
            **_interval("mean", drawn, mass),
            **{name: values * blank for name, values in _interval("lift", lift, mass).items()},
            "p_beats_control": (lift > 0).mean(axis=0) * blank,
            "p_best": best,
            "expected_loss": (drawn.max(axis=1, keepdims=True) - drawn).mean(axis=0),
            **raw,
        }
    )


def _interval(name: str, drawn: Floats, mass: float) -> dict[str, Floats]:
    low, high = np.quantile(drawn, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    return {name: drawn.mean(axis=0), f"{name}_low": low, f"{name}_high": high}


def _raw(arms: Arms, mass: float) -> dict[str, Floats]:
    """Return means and lifts without a model: post-stratified, normal interval from moments."""
    mean, variance = arms.standardised()
    lift = np.r_[np.nan, mean[1:] - mean[0]]
    width = ndtri((1 + mass) / 2) * np.sqrt(variance + variance[0])
    return {"raw_mean": mean, "raw_lift": lift, "raw_lift_low": lift - width, "raw_lift_high": lift + width}


def _strata(trial: Trial, arms: Arms, means: Floats, mass: float) -> tuple[pd.DataFrame, float]:
    """Return raw and pooled lifts by stratum, and the share of raw differences that pooling took away."""
    lift = means[:, 1:] - means[:, :1]
    pooled = _interval("lift", lift, mass)
    raw = arms.mean[1:] - arms.mean[0]
    error = np.sqrt(arms.variance[1:] / arms.n[1:] + arms.variance[0] / arms.n[0])
    grid = pd.MultiIndex.from_product([trial.schemes[1:], trial.strata], names=["scheme", "stratum"])
    columns = {
        "n": (arms.members[1:] + arms.members[0]).astype(int),
        "raw_lift": raw,
        "raw_lift_se": error,
        **pooled,
        "p_wrong_sign": (lift * np.sign(pooled["lift"]) < 0).mean(axis=0),
    }
    table = grid.to_frame(index=False).assign(**{name: values.ravel() for name, values in columns.items()})
    before, after = (_around(arms, values) for values in (raw, pooled["lift"]))
    return table, float("nan") if before == 0 else float(np.clip(1 - after / before, 0, 1))


def _around(arms: Arms, lift: Floats) -> float:
    """Return the spread of strata around their scheme's lift, as a root mean square."""
    return float(np.sqrt(((lift - (lift @ arms.weights)[:, None]) ** 2 @ arms.weights).mean()))


def _beside(result: TrialResult, sampled: pd.DataFrame, drawn: Floats) -> tuple[pd.DataFrame, float, float]:
    lifts, chances = ["lift", "lift_low", "lift_high"], ["p_beats_control", "p_best"]
    sd = (drawn[:, 1:] - drawn[:, :1]).std(axis=0)
    gap = np.abs(sampled[lifts].to_numpy()[1:] - result.table[lifts].to_numpy()[1:]) / sd[:, None]
    gap_p = np.abs(sampled[chances].to_numpy() - result.table[chances].to_numpy())
    fast = result.table[[*lifts, *chances]].add_prefix("fast_")
    comparison = pd.concat([sampled[["scheme", *lifts, *chances]], fast], axis=1)
    return comparison.iloc[1:].reset_index(drop=True), float(gap.max()), float(np.nanmax(gap_p))


def _frozen(drawn: Floats) -> Floats:
    drawn.setflags(write=False)
    return drawn
