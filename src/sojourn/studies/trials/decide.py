"""The plan's rule applied to a result: one threshold decides, everything else can only veto."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sojourn.core.errors import ParameterError
from sojourn.core.results.check import Check
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import Decision, DecisionVerdict, TrialResult, plain_scheme
from sojourn.core.text import chances, money, number


def decide(
    result: TrialResult,
    plan: TrialPlan,
    *,
    guard: TrialResult | None = None,
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
    checks : sequence of Check
        A failed one, or one that cannot be judged, blocks the recommendation.
    historic : bool
        Whether the rule was chosen after the results were known.

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
    table = _judged(result, guard, plan)
    blocking = [check for check in checks if check.blocks]
    verdict, scheme, reasons = _blocked(table, blocking) if blocking else _verdict(table, result, plan)
    return Decision(verdict, scheme, reasons, table, plan, result, historic)


def _must_be_of(result: TrialResult, outcome: str, plan: TrialPlan) -> None:
    if result.outcome != outcome or result.horizon_days != plan.horizon_days:
        raise ParameterError(
            f"The plan {plan.fingerprint} is for '{outcome}' after {plan.horizon_days} days; "
            f"this result is of '{result.outcome}' after {result.horizon_days}."
        )


def _judged(result: TrialResult, guard: TrialResult, plan: TrialPlan) -> pd.DataFrame:
    table = result.table.iloc[1:][["scheme", "lift", "lift_low", "lift_high", "expected_loss"]]
    table = table.reset_index(drop=True).assign(
        p_worth=[result.p_above(scheme, plan.rope) for scheme in table["scheme"]],
        p_guard_harm=[1 - guard.p_above(scheme, -plan.guard_margin) for scheme in table["scheme"]],
    )
    verdicts = [_of_scheme(row, plan) for _, row in table.iterrows()]
    return table.assign(verdict=verdicts)


def _of_scheme(row: pd.Series, plan: TrialPlan) -> str:
    if row["p_worth"] <= plan.threshold:
        return "drop" if row["p_worth"] < 1 - plan.threshold else "undecided"
    if row["p_guard_harm"] > plan.guard_risk:
        return "vetoed by the guard"
    return "vetoed by expected loss" if row["expected_loss"] > plan.tolerable_loss else "worth it"


def _blocked(table: pd.DataFrame, blocking: Sequence[Check]) -> tuple[DecisionVerdict, str, tuple[str, ...]]:
    reasons = tuple(f"{check.name}: {check.finding}" for check in blocking)
    return "blocked", _largest(table), reasons


def _verdict(
    table: pd.DataFrame, result: TrialResult, plan: TrialPlan
) -> tuple[DecisionVerdict, str, tuple[str, ...]]:
    worth = table[table["verdict"] == "worth it"]
    if len(worth):
        scheme = _largest(worth)
        return "ship", scheme, (_above(worth, scheme, plan, result),)
    vetoed = table[table["verdict"].str.startswith("vetoed")]
    if len(vetoed):
        return (
            "wait",
            _largest(vetoed),
            tuple(f"{plain_scheme(str(r.scheme))} is {r.verdict}." for r in vetoed.itertuples()),
        )
    if not (table["verdict"] == "drop").all():
        undecided = table[table["verdict"] == "undecided"]
        scheme = _largest(undecided)
        return "wait", scheme, (_above(undecided, scheme, plan, result),)
    if all(result.p_above(scheme, -plan.rope) > plan.threshold for scheme in table["scheme"]):
        return (
            "no difference worth having",
            _largest(table),
            ("Every difference is too small to be worth having.",),
        )
    return "stop", _largest(table), ("No scheme is likely to be worth it.",)


def _largest(table: pd.DataFrame) -> str:
    """Return the scheme of the largest expected lift; the first by name where they are equal."""
    return str(table.sort_values(["lift", "scheme"], ascending=[False, True])["scheme"].iloc[0])


def _above(table: pd.DataFrame, scheme: str, plan: TrialPlan, result: TrialResult) -> str:
    chance = float(table.loc[table["scheme"] == scheme, "p_worth"].iloc[0])
    binary = result.kind == "binary"
    rope = f"{number(100 * plan.rope)} members in 100" if binary else money(plan.rope, result.currency)
    return (
        f"The chance that {plain_scheme(scheme)} is worth more than {rope} is "
        f"{chances(min(chance, 1 - 1e-6))}; the plan asks for more than {chances(plan.threshold)}."
    )
