"""Whether a trial is judged by the plan that was frozen before its outcomes were known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from sojourn.core.results.check import Check
from sojourn.core.results.trial_plan import PlanCard, TrialPlan
from sojourn.core.results.trials import Trial
from sojourn.core.text import day, listing, plural

_NAME = "Rule written before the data"


def check_plan(trial: Trial, plan: TrialPlan) -> Check:
    """Compare the rule that is used with the one that was frozen.

    Parameters
    ----------
    trial : Trial
        Its cells carry the frozen plan, where there is one.
    plan : TrialPlan
        The rule that decides now.

    Returns
    -------
    Check
        It fails for any deviation, and warns where nothing was frozen or it was frozen late.
    """
    frozen: Mapping[str, Any] = trial.meta.get("frozen", {})
    if trial.historic:
        return _historic()
    if not frozen:
        return _not_frozen()
    changed = deviations(trial, plan)
    return _deviates(changed, frozen) if len(changed) else _when(trial, plan, frozen)


def deviations(trial: Trial, plan: TrialPlan) -> pd.DataFrame:
    """Return every setting that is not as it was frozen: ``setting``, ``planned``, ``used`` (as text).

    All are compared: the rule, the control, and what cells are made of.
    """
    frozen: Mapping[str, Any] = trial.meta.get("frozen", {})
    if not frozen:
        return pd.DataFrame(columns=["setting", "planned", "used"])
    used = {"control": trial.control, "rule": asdict(plan), "cells": dict(trial.meta["params"])}
    planned = dict(_flat({name: frozen[name] for name in used}))
    now = dict(_flat(used))
    rows = [
        (name, str(planned.get(name, "-")), str(now.get(name, "-")))
        for name in sorted(planned.keys() | now.keys())
        if planned.get(name) != now.get(name)
    ]
    return pd.DataFrame(rows, columns=["setting", "planned", "used"])


def planned(trial: Trial, plan: TrialPlan) -> PlanCard:
    """Lay the rule that decides beside the trial and the plan that was frozen for it.

    Parameters
    ----------
    trial : Trial
        Its cells carry the frozen plan, where there is one.
    plan : TrialPlan
        The rule that decides now.

    Raises
    ------
    ParameterError
        When the trial has no such metric or guard.
    """
    trial.kind(plan.guard)
    frozen: Mapping[str, Any] = trial.meta.get("frozen", {})
    changed = deviations(trial, plan).itertuples(index=False, name=None)
    return PlanCard(
        plan,
        trial.control,
        tuple(scheme for scheme in trial.schemes if scheme != trial.control),
        trial.allocation,
        trial.kind(plan.metric),
        {
            name: trial.words(name)
            for name in (plan.metric, plan.guard, *plan.guardrails)
            if name in trial.outcomes
        },
        trial.meta.get("currency", ""),
        {name: trial.meta[name] for name in ("strata", "margin", "cost_per_member") if trial.meta.get(name)},
        frozen.get("fingerprint", ""),
        frozen.get("frozen_at", ""),
        tuple((str(setting), str(was), str(used)) for setting, was, used in changed),
    )


def _flat(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", list(value) if isinstance(value, tuple) else value


def _historic() -> Check:
    return Check(
        _NAME,
        "warn",
        "Rule chosen afterwards: the results were public.",
        "Read this page as an exercise; a rule that has seen the data proves less.",
    )


def _not_frozen() -> Check:
    return Check(
        _NAME,
        "warn",
        "No plan was frozen; the rule is that of params.yaml.",
        "Nobody can prove that the rule was not chosen to fit. Freeze the next plan before it starts.",
    )


def _deviates(changed: pd.DataFrame, frozen: Mapping[str, Any]) -> Check:
    said = [
        f"{setting.removeprefix('rule.')} {planned} became {used}"
        for setting, planned, used in changed.to_numpy(dtype=str).tolist()
    ]
    return Check(
        _NAME,
        "fail",
        f"{plural(len(said), 'setting')} of plan {frozen['fingerprint']} changed: {listing(said)}.",
        "The error rates of the plan no longer hold for what is done here.",
    )


def _when(trial: Trial, plan: TrialPlan, frozen: Mapping[str, Any]) -> Check:
    """Say whether it was frozen before the first outcome could be known."""
    at = datetime.fromisoformat(frozen["frozen_at"])
    known = _first_known(trial, plan)
    late = at >= known
    return Check(
        _NAME,
        "warn" if late else "pass",
        f"Plan {frozen['fingerprint']}, frozen on {day(frozen['frozen_at'])}; "
        f"{'outcomes could be' if late else 'no outcome was'} known before {day(known.isoformat())}.",
        "First outcomes were known by then; they may have shaped the rule."
        if late
        else "The rule was not chosen to fit the result.",
    )


def _first_known(trial: Trial, plan: TrialPlan) -> datetime:
    """Return an instant before which no outcome was known: months of assignment are all that cells tell."""
    month = min(trial.split["period"])[:7]  # months may be told together: 2025-01 to 2025-02
    return datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC) + timedelta(days=plan.horizon_days)
