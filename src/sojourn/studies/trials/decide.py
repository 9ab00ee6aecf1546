"""The plan's rule applied to a result: one threshold decides, everything else can only veto."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sojourn.core.errors import ParameterError
from sojourn.core.results.check import Check
from sojourn.core.results.trial_outcomes import Guardrails
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import Decision, DecisionVerdict, TrialResult, plain_scheme
from sojourn.core.text import chances, money, number


def decide(
    result: TrialResult,
    plan: TrialPlan,
    *,
    guard: TrialResult | None = None,
    guardrails: Guardrails | None = None,
    checks: Sequence[Check] = (),
    historic: bool = False,
) -> Decision:
    """Apply a plan to a result.

    Parameters
    ----------
    result : TrialResult
        Of the plan's metric.
    plan : TrialPlan
        The rule.
    guard : TrialResult, optional
        Of the plan's guard; needed unless that is the metric itself.
    guardrails : Guardrails, optional
        Further outcomes that may not get worse, each with a margin of its own; one that is broken vetoes.
    checks : sequence of Check
        A failed one, or one that cannot be judged, blocks the recommendation.
    historic : bool
        Whether the rule was chosen after the results were known.

    Returns
    -------
    Decision
        ``ship``: a scheme passes the threshold and nothing vetoes. ``wait``: some scheme is still open, or
        passes and is vetoed. ``no difference worth having``: every lift lies within the rope on both sides.
        ``stop for harm``: every scheme does harm, its lift below 0 or an outcome it may not make worse, with
        the probability of the threshold. ``stop``: no scheme is worth it. ``blocked``: a check failed.

    Raises
    ------
    ParameterError
        When a result is not of the outcome that the plan names.
    """
    guard = result if guard is None and plan.guard == plan.metric else guard
    _must_be_of(result, plan.metric, plan)
    if guard is None:
        raise ParameterError(f"The plan guards '{plan.guard}': pass its result as `guard`.")
    _must_be_of(guard, plan.guard, plan)
    table = _judged(result, guard, plan, guardrails)
    blocking = [check for check in checks if check.blocks]
    verdict, scheme, reasons = _blocked(table, blocking) if blocking else _verdict(table, result, plan)
    return Decision(verdict, scheme, reasons, table, plan, result, historic)


def _must_be_of(result: TrialResult, outcome: str, plan: TrialPlan) -> None:
    if result.outcome != outcome or result.horizon_days != plan.horizon_days:
        raise ParameterError(
            f"The plan {plan.fingerprint} is for '{outcome}' after {plan.horizon_days} days; "
            f"this result is of '{result.outcome}' after {result.horizon_days}."
        )


def _judged(
    result: TrialResult, guard: TrialResult, plan: TrialPlan, guardrails: Guardrails | None
) -> pd.DataFrame:
    columns = ["scheme", "lift", "lift_low", "lift_high", "p_beats_control", "p_best", "expected_loss"]
    table = result.table.iloc[1:][columns].reset_index(drop=True)
    schemes = table["scheme"]
    table = table.assign(
        p_worth=[result.p_above(scheme, plan.rope) for scheme in schemes],
        p_guard_harm=[1 - guard.p_above(scheme, -plan.guard_margin) for scheme in schemes],
        broken=[", ".join(guardrails.broken(scheme)) if guardrails else "" for scheme in schemes],
        surely_broken=[_surely(guardrails, scheme, plan) for scheme in schemes],
    )
    verdicts = [_of_scheme(row, plan) for _, row in table.iterrows()]
    return table.drop(columns="surely_broken").assign(verdict=verdicts)


def _surely(guardrails: Guardrails | None, scheme: str, plan: TrialPlan) -> bool:
    """Return whether a scheme breaks a guardrail with the probability of the threshold."""
    if guardrails is None or guardrails.table.empty:
        return False
    own = guardrails.table[guardrails.table["scheme"] == scheme]
    return bool((own["p_harm"] > plan.threshold).any())


def _of_scheme(row: pd.Series, plan: TrialPlan) -> str:
    unsafe = row["p_guard_harm"] > plan.threshold or row["surely_broken"]
    if unsafe or row["p_beats_control"] < 1 - plan.threshold:
        return "harms"
    if row["p_worth"] <= plan.threshold:
        return "drop" if row["p_worth"] < 1 - plan.threshold else "undecided"
    if row["p_guard_harm"] > plan.guard_risk:
        return "vetoed by the guard"
    if row["broken"]:
        return f"vetoed by a guardrail ({row['broken'].replace('_', ' ')})"
    return "vetoed by expected loss" if row["expected_loss"] > plan.tolerable_loss else "worth it"


def _blocked(table: pd.DataFrame, blocking: Sequence[Check]) -> tuple[DecisionVerdict, str, tuple[str, ...]]:
    reasons = tuple(f"{check.name}: {check.finding}" for check in blocking)
    return "blocked", _largest(table), reasons


def _verdict(
    table: pd.DataFrame, result: TrialResult, plan: TrialPlan
) -> tuple[DecisionVerdict, str, tuple[str, ...]]:
    harms = _harms(table)
    worth = table[table["verdict"] == "worth it"]
    if len(worth):
        scheme = _largest(worth)
        return "ship", scheme, (_above(worth, scheme, plan, result), *harms)
    vetoed = table[table["verdict"].str.startswith("vetoed")]
    if len(vetoed):
        why = (f"{plain_scheme(str(r.scheme))} is {r.verdict}." for r in vetoed.itertuples())
        return "wait", _largest(vetoed), (*why, *harms)
    undecided = table[table["verdict"] == "undecided"]
    if len(undecided):
        scheme = _largest(undecided)
        return "wait", scheme, (_above(undecided, scheme, plan, result), *harms)
    return _given_up(table, result, plan, harms)


def _given_up(
    table: pd.DataFrame, result: TrialResult, plan: TrialPlan, harms: tuple[str, ...]
) -> tuple[DecisionVerdict, str, tuple[str, ...]]:
    """Return why control is kept: nothing differs enough, every scheme does harm, or none is worth it."""
    best = _largest(table)
    if all(result.p_above(scheme, -plan.rope) > plan.threshold for scheme in table["scheme"]):
        return "no difference worth having", best, ("Every difference is too small to be worth having.",)
    if (table["verdict"] == "harms").all():
        return "stop for harm", best, harms
    return "stop", best, ("No scheme is likely to be worth it.", *harms)


def _harms(table: pd.DataFrame) -> tuple[str, ...]:
    """Return one sentence on every scheme that does harm, the worst first."""
    harmful = table[table["verdict"] == "harms"].sort_values(["lift", "scheme"])
    return tuple(_harm(row) for _, row in harmful.iterrows())


def _harm(row: pd.Series) -> str:
    """Say what a harmful scheme makes worse, the surest harm first."""
    worse, guard = 1 - float(row["p_beats_control"]), float(row["p_guard_harm"])
    if row["broken"] and max(worse, guard) < 0.5:
        harm = f"it makes {row['broken'].replace('_', ' ')} worse by more than it may"
    elif guard > worse:
        harm = f"it makes the guard worse by more than it may with a chance of {chances(_inside(guard))}"
    else:
        harm = f"it is worse than control with a chance of {chances(_inside(worse))}"
    return f"{_capital(plain_scheme(str(row['scheme'])))} does harm: {harm}."


def _inside(chance: float) -> float:
    """Return a drawn chance, which never shows that it is 0 or 1."""
    return min(max(chance, 1e-6), 1 - 1e-6)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _largest(table: pd.DataFrame) -> str:
    """Return the scheme of the largest expected lift; the first by name where they are equal."""
    return str(table.sort_values(["lift", "scheme"], ascending=[False, True])["scheme"].iloc[0])


def _above(table: pd.DataFrame, scheme: str, plan: TrialPlan, result: TrialResult) -> str:
    chance = float(table.loc[table["scheme"] == scheme, "p_worth"].iloc[0])
    binary = result.kind == "binary"
    rope = f"{number(100 * plan.rope)} members in 100" if binary else money(plan.rope, result.currency)
    return (
        f"The chance that {plain_scheme(scheme)} is worth more than {rope} is "
        f"{chances(_inside(chance))}; the plan asks for more than {chances(plan.threshold)}."
    )
