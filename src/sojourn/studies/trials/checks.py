"""What could be wrong with a trial, each check with a verdict that may block the recommendation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import (
    AGREES_WITHIN_P,
    AGREES_WITHIN_SD,
    ESS_AT_LEAST,
    R_HAT_BELOW,
    Audit,
    Trial,
    TrialResult,
    plain_scheme,
)
from sojourn.core.text import count, listing, number, percent, plural
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.arms import Arms, make_arms
from sojourn.studies.trials.conflict import conflict_p
from sojourn.studies.trials.decide import decide
from sojourn.studies.trials.plan import check_plan
from sojourn.studies.trials.rounded import check_rounding
from sojourn.studies.trials.split import FAIL, POWER, WARN, check_split

#: A difference's skewness g moves a tail of 2.5 % by about .028 g (first Edgeworth term):
#: half a point for a warning, one and a half points for a failure.
_SKEW_WARN, _SKEW_FAIL = 0.18, 0.54
#: Members of every scheme that a month needs before its effect is compared with other months.
_ENOUGH_A_MONTH = 100
#: Fewer members of a scheme of whom an outcome is true, or untrue, are warned of.
LEAST_COUNTED = 10
#: Expected members of a scheme at which intervals of 95 % hold the truth in as few as 92 % of simulated
#: trials (from 5 on in 93 % to 97 %), and at which there is no reason to warn: calibration of trials.
_TOO_RARE, _PLENTY = 3, 20


def check_trial(
    trial: Trial, results: Sequence[TrialResult], audits: Sequence[Audit], plan: TrialPlan | None = None
) -> list[Check]:
    """Look for what would make the answer wrong.

    Parameters
    ----------
    trial : Trial
        The trial.
    results : sequence of TrialResult
        Outcomes that the decision uses; one that is named twice is checked once.
    audits : sequence of Audit
        One per result.
    plan : TrialPlan, optional
        The rule: its verdict has to be the same by both ways of computing.

    Returns
    -------
    list of Check
        Sample ratio, allocation over time, follow-up, sampler, agreement of fast path and sampler, of their
        decisions, fit, effect over time, prior and data, for values the normal approximation, and for shares
        whether enough members were counted.
    """
    made = [_split(trial), _drift(trial), _maturity(trial)]
    by_outcome = {result.outcome: result for result in results}
    sampled = {audit.outcome: audit for audit in audits}
    for outcome, result in by_outcome.items():
        arms = make_arms(trial, outcome)
        if outcome in sampled:
            made += [_convergence(sampled[outcome], result), _agreement(sampled[outcome], result)]
        made += [_fit(result), *_over_time(trial, result), _conflict(arms, result)]
        made += [_normality(arms, result) if result.kind == "value" else _rare(arms, result)]
    if plan is not None and {plan.metric, plan.guard} <= set(by_outcome) & set(sampled):
        made.append(_same_decision(plan, by_outcome, sampled))
    made += check_rounding(trial, list(by_outcome))
    return [*made, *([] if plan is None else [check_plan(trial, plan)])]


def _split(trial: Trial) -> Check:
    split = check_split(trial)
    assigned = zip(split.table["scheme"], split.table["assigned"], strict=True)
    sizes = listing([f"{count(n)} under {plain_scheme(scheme)}" for scheme, n in assigned])
    meaning = {
        "pass": "No sign of a fault; a smaller one than can be found at this size is not excluded.",
        "warn": "A split this uneven is rare by chance; find out why before relying on the answer.",
        "fail": "Something removed or added members unequally; no difference between schemes can be trusted.",
    }
    return Check(
        "Members divided as planned",
        split.verdict,
        f"{sizes}; p = {split.p_value:.4f}.",
        meaning[split.verdict],
        catch_rate=POWER if math.isfinite(split.smallest_fault) else None,
        false_alarm_rate=WARN,
        rates_from=f"a scheme that takes {number(100 * split.smallest_fault)} for every 100 planned: "
        f"the smallest fault found with a chance of {percent(POWER, 0)} at this size"
        if math.isfinite(split.smallest_fault)
        else "too few members to find any fault with certainty",
    )


def _drift(trial: Trial) -> Check:
    p = check_split(trial).p_drift
    periods = trial.split["period"].nunique()
    if periods == 1 and " to " in str(trial.split["period"].iloc[0]):
        return Check(
            "The division over time was looked at",
            "warn",
            "Months of assignment are told together, as a private case has too few members in each of them.",
            "Had the division changed over time, it would not be seen here.",
        )
    if periods == 1:
        return Check(
            "Same division at all times",
            "pass",
            "All members were assigned in one period.",
            "There is no time for the division to change in.",
        )
    return Check(
        "Same division at all times",
        _by_p(p),
        f"{periods} months of assignment; p = {p:.4f}.",
        "The division did not change over time."
        if p >= WARN
        else 'The division changed over time: compare within months (`strata="period"`).',
        false_alarm_rate=WARN,
    )


def _maturity(trial: Trial) -> Check:
    summed = trial.split.groupby("scheme")[["assigned", "matured"]].sum().reindex(list(trial.schemes))
    assigned, matured = int(summed["assigned"].sum()), int(summed["matured"].sum())
    young = summed["assigned"] - summed["matured"]
    others = int(trial.meta.get("other_state", 0))
    days = trial.meta["horizon_days"]
    finding = f"{count(matured)} of {count(assigned)} members have been followed for all {days} days"
    state = "were with us when" if trial.wins_back else "had left before"
    finding += f"; {count(others)} {state} they were assigned and are not counted." if others else "."
    parts = summed.assign(young=young)[["young", "matured"]]
    unequal = bool(young.sum()) and _independent_p(parts) < FAIL
    verdict: Verdict = "fail" if unequal else "warn" if matured < assigned / 2 else "pass"
    meaning = {
        "pass": "Members without full follow-up are only counted, never judged.",
        "warn": "More than half of the members cannot be judged yet; the answer may change with them.",
        "fail": "Follow-up is not equally complete in all schemes, so different months would be compared.",
    }
    return Check("Follow-up complete", verdict, finding, meaning[verdict])


def _independent_p(counts: pd.DataFrame) -> float:
    return float(stats.chi2_contingency(counts.to_numpy()).pvalue)


def _convergence(audit: Audit, result: TrialResult) -> Check:
    return Check(
        f"The full model could be sampled ({result.words})",
        "pass" if audit.converged else "fail",
        f"Chains agree to {audit.r_hat:.3f} (below {R_HAT_BELOW}), effective draws {count(audit.ess_bulk)} "
        f"(at least {ESS_AT_LEAST}), {audit.divergences} divergences.",
        "The audit can be relied on." if audit.converged else "There is no audit: its draws mean nothing.",
    )


def _agreement(audit: Audit, result: TrialResult) -> Check:
    good = audit.agrees and audit.converged
    return Check(
        f"Quick and full computation agree ({result.words})",
        "pass" if good else "fail",
        f"Lifts and bounds differ by at most {audit.gap_sd:.2f} standard deviations "
        f"(allowed {AGREES_WITHIN_SD}), probabilities by at most {audit.gap_p:.3f} "
        f"(allowed {AGREES_WITHIN_P}).",
        "The numbers of the decision are those of the full model."
        if good
        else "The quick approximation behind the decision is not good enough here.",
    )


def _same_decision(plan: TrialPlan, fast: Mapping[str, TrialResult], audits: Mapping[str, Audit]) -> Check:
    """Check that the plan decides alike by both ways of computing, on numbers that are close."""
    sampled = {outcome: audit.sampled for outcome, audit in audits.items()}
    decisions = [
        decide(of[plan.metric], plan, guard=of[plan.guard])
        for of in (fast, {outcome: result for outcome, result in sampled.items() if result is not None})
    ]
    one, other = (decision.table for decision in decisions)
    chances = ["p_worth", "p_guard_harm"]
    gap_p = float((one[chances] - other[chances]).abs().to_numpy().max())
    gap_loss = float((one["expected_loss"] - other["expected_loss"]).abs().max())
    sd = float(fast[plan.metric].lift_draws(one["scheme"][0], fast[plan.metric].control).std())
    same = (decisions[0].verdict, decisions[0].scheme) == (decisions[1].verdict, decisions[1].scheme)
    good = same and gap_p <= AGREES_WITHIN_P and gap_loss <= AGREES_WITHIN_SD * sd
    return Check(
        "Both ways of computing decide alike",
        "pass" if good else "fail",
        f"Verdicts: {decisions[0].verdict} and {decisions[1].verdict}; the chances that decide differ by "
        f"at most {gap_p:.3f} (allowed {AGREES_WITHIN_P}), expected losses by {gap_loss:.4f} (allowed "
        f"{AGREES_WITHIN_SD * sd:.4f}).",
        "The verdict is that of the full model."
        if good
        else "The verdict depends on how it is computed; nothing is recommended.",
    )


def _fit(result: TrialResult) -> Check:
    verdict = _by_p(result.p_fit)
    return Check(
        f"Model could have made these data ({result.words})",
        verdict,
        f"Posterior predictive p = {result.p_fit:.3f} over schemes and strata.",
        "The pooled model reproduces every stratum."
        if verdict == "pass"
        else "Some stratum behaves unlike the model; read the table by stratum, not the overall lift.",
    )


def _over_time(trial: Trial, result: TrialResult) -> list[Check]:
    """Check that a scheme's lift is the same in every month of assignment (Cochran's Q per scheme)."""
    lifts, errors = _lifts_by_period(trial, result.outcome)
    if len(lifts) < 2:
        return []
    weights = 1 / errors**2
    centre = (weights * lifts).sum(axis=0) / weights.sum(axis=0)
    q = (weights * (lifts - centre) ** 2).sum(axis=0)
    p = min(1.0, float(stats.chi2.sf(q, len(lifts) - 1).min()) * lifts.shape[1])
    verdict = _by_p(p)
    check = Check(
        f"Same effect in every month ({result.words})",
        verdict,
        f"{len(lifts)} months with enough members; p = {p:.3f} for the scheme that varies most.",
        "One number describes the effect over the whole trial."
        if verdict == "pass"
        else "The effect changed between months of assignment; one number does not describe it.",
        false_alarm_rate=WARN,
    )
    return [check]


def _lifts_by_period(trial: Trial, outcome: str) -> tuple[Floats, Floats]:
    """Return raw lifts and their standard errors (periods, schemes - 1), pooled over strata."""
    cells = trial.cells(outcome).drop(columns="stratum")
    sums = cells.groupby(["period", "scheme"], as_index=False).sum()
    lifts, errors = [], []
    for _, rows in sums.groupby("period"):
        month = rows.set_index("scheme").reindex(list(trial.schemes), fill_value=0).drop(columns="period")
        if month["n"].min() < max(trial.min_group, _ENOUGH_A_MONTH):
            continue
        mean, variance = _mean_and_variance(month)
        lifts.append(mean[1:] - mean[0])
        errors.append(np.sqrt(variance[1:] + variance[0]))
    return np.array(lifts), np.array(errors)


def _mean_and_variance(month: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return each scheme's mean and the variance of that mean; half a success is added to binary counts."""
    n = month["n"].to_numpy(float)
    if "k" in month.columns:
        share = (month["k"].to_numpy(float) + 0.5) / (n + 1)
        return share, share * (1 - share) / n
    mean = month["total"].to_numpy(float) / n
    return mean, (month["total_sq"].to_numpy(float) / n - mean**2) / n


def _conflict(arms: Arms, result: TrialResult) -> Check:
    p = conflict_p(arms, result.prior)
    return Check(
        f"Belief and data agree ({result.words})",
        "pass" if p >= WARN else "warn",
        f"The most surprising lift or stratum has p = {p:.4f} under the stated belief.",
        "The belief was not surprised."
        if p >= WARN
        else "The data lie where the belief hardly allowed; the estimate is a compromise, see the raw lifts.",
        false_alarm_rate=WARN,
        rates_from="at most, over trials whose truth is drawn from the belief (calibration of trials)",
    )


def _normality(arms: Arms, result: TrialResult) -> Check:
    """Check the skewness of each scheme's mean, by moments pooled over schemes.

    A small arm rarely holds the largest amounts, so its own third moment says least where it matters most.
    """
    skew = float(max(np.abs(arms.skewness()).max(), arms.pooled_skewness().max()))
    verdict: Verdict = "pass" if skew < _SKEW_WARN else "warn" if skew < _SKEW_FAIL else "fail"
    return Check(
        f"Enough members for a normal interval ({result.words})",
        verdict,
        f"The mean of the smallest scheme has skewness {number(skew, 2)}, by amounts pooled over schemes "
        f"(warned of from {_SKEW_WARN}, too much from {_SKEW_FAIL}): a tail of 2.5 % is off by about "
        f"{percent(0.028 * skew)}.",
        "Heavy spenders do not bend the interval."
        if verdict == "pass"
        else "A few large amounts carry the mean; the interval is less certain than it looks.",
    )


def _rare(arms: Arms, result: TrialResult) -> Check:
    """Check that an outcome is true, and untrue, of so many of every scheme that its interval holds."""
    true, n = (arms.members * arms.mean).sum(axis=1).round(), arms.members.sum(axis=1).round()
    fewest = np.minimum(true, n - true)
    place = int(fewest.argmin())
    few = bool(fewest[place] < LEAST_COUNTED)
    side = "true" if true[place] == fewest[place] else "untrue"
    return Check(
        f"Enough members counted ({result.words})",
        "warn" if few else "pass",
        f"It is {side} of {plural(int(fewest[place]), 'member')} under "
        f"{plain_scheme(result.schemes[place])}, the fewest of any scheme; fewer than {LEAST_COUNTED} are "
        "warned of.",
        "With so few the interval may hold the truth less often than it says: wait for more."
        if few
        else "The interval rests on enough members.",
        catch_rate=float(stats.poisson.cdf(LEAST_COUNTED - 1, _TOO_RARE)),
        false_alarm_rate=float(1 - stats.poisson.sf(LEAST_COUNTED - 1, _PLENTY) ** len(fewest)),
        rates_from=f"caught: {_TOO_RARE} expected under one scheme, where intervals hold the truth in as "
        f"few as 92 % of trials; false alarms: {_PLENTY} expected under every scheme (calibration of trials)",
    )


def _by_p(p: float) -> Verdict:
    return "fail" if p < FAIL else "warn" if p < WARN else "pass"
