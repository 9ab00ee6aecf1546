"""A trial is judged by the plan that was frozen: any other rule is found, named and blocks."""

from dataclasses import asdict, fields, replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.core.results.trial_plan import LiftPrior, TrialPlan, fingerprint_of
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.plan import check_plan, deviations
from sojourn.studies.trials.plan import planned as laid_out

CELLS = {"trial": "main", "horizons": [30, 90], "value_days": 90, "cost_per_member": {"coupon": 1.5}}
RULE = {
    "metric": "net_value", "guard": "kept_at_90", "horizon_days": 90, "rope": 0.5, "threshold": 0.95,
    "tolerable_loss": 0.5, "guard_margin": 0.01, "guard_risk": 0.05, "looks": 4, "worthwhile": 2.0,
    "belief": [-0.08, 0.10, 0.9], "belief_value": [-4.0, 4.0, 0.9], "spread": 0.5, "family": 2,
    "guardrails": {"opted_out": 0.03},
}  # fmt: skip
PLAN = TrialPlan.from_parameters(**RULE)


def planned(plan=PLAN, *, control="none", at="2025-01-15T00:00:00Z"):
    """Return a plan as its file holds it."""
    frozen = {"frozen_at": at, "control": control, "rule": asdict(plan), "cells": CELLS}
    return {**frozen, "fingerprint": fingerprint_of(frozen)}


def a_trial(frozen=None, **meta):
    split = pd.DataFrame(
        {"scheme": ["none", "coupon"], "period": ["2025-02", "2025-01"], "assigned": 9, "matured": 9}
    )
    said = {"params": CELLS, **({"frozen": frozen} if frozen else {}), **meta}
    nothing = pd.DataFrame()
    return Trial("test", "main", "none", ("none", "coupon"), ("all",), nothing, nothing, split, {}, 20, said)


def test_a_plan_is_made_of_the_parameters_as_they_are_named():
    assert PLAN.belief == LiftPrior(-0.08, 0.10, 0.9, 0.5)
    assert (PLAN.metric, PLAN.family, PLAN.wash_out_days) == ("net_value", 2, 0)
    with pytest.raises(ParameterError, match="family"):
        replace(PLAN, family=0)
    with pytest.raises(ParameterError, match="wash_out_days"):
        replace(PLAN, wash_out_days=-1)


def test_the_frozen_plan_passes_and_is_named():
    frozen = planned()
    check = check_plan(a_trial(frozen), PLAN)
    assert check.verdict == "pass"
    assert frozen["fingerprint"] in check.finding
    assert "15 January 2025" in check.finding


@pytest.mark.parametrize(
    "name", [f.name for f in fields(TrialPlan) if f.name not in ("belief", "belief_value", "guardrails")]
)
def test_any_other_setting_of_the_rule_is_found(name):
    """Every single field counts, so that none can be tuned unseen."""
    value = getattr(PLAN, name)
    other = f"{value}_2" if isinstance(value, str) else value + (1 if isinstance(value, int) else 0.01)
    changed = deviations(a_trial(planned()), replace(PLAN, **{name: other}))
    assert changed.to_numpy().tolist() == [[f"rule.{name}", str(value), str(other)]]
    check = check_plan(a_trial(planned()), replace(PLAN, **{name: other}))
    assert check.verdict == "fail"
    assert f"{name} {value} became {other}" in check.finding


@pytest.mark.parametrize(
    ("guardrails", "setting"),
    [
        ({"opted_out": 0.04}, "rule.guardrails.opted_out"),
        ({"opted_out": 0.03, "kept_at_30": 0.01}, "rule.guardrails.kept_at_30"),
    ],
)
def test_another_guardrail_is_found(guardrails, setting):
    assert deviations(a_trial(planned()), replace(PLAN, guardrails=guardrails))["setting"].tolist() == [
        setting
    ]


def test_a_guardrail_without_a_possible_margin_is_refused():
    with pytest.raises(ParameterError, match=r"guardrails\.opted_out"):
        replace(PLAN, guardrails={"opted_out": 1.5})


@given(st.sampled_from(["low", "high", "spread"]), st.sampled_from(["belief", "belief_value"]))
def test_another_belief_is_found(bound, belief):
    stated = getattr(PLAN, belief)
    other = replace(PLAN, **{belief: replace(stated, **{bound: getattr(stated, bound) + 0.001})})
    assert deviations(a_trial(planned()), other)["setting"].tolist() == [f"rule.{belief}.{bound}"]


def test_other_cells_and_another_control_are_found():
    cells = {**CELLS, "horizons": [30, 60], "cost_per_member": {"coupon": 1.0}, "added": 1}
    changed = deviations(a_trial(planned(control="holdout"), params=cells), PLAN)
    assert changed.set_index("setting").to_dict("index") == {
        "control": {"planned": "holdout", "used": "none"},
        "cells.horizons": {"planned": "[30, 90]", "used": "[30, 60]"},
        "cells.cost_per_member.coupon": {"planned": "1.5", "used": "1.0"},
        "cells.added": {"planned": "-", "used": "1"},
    }


def test_a_plan_that_came_late_warns():
    """Members of January 2025 are judged after 90 days at the earliest on 1 April."""
    assert check_plan(a_trial(planned(at="2025-03-31T23:59:59Z")), PLAN).verdict == "pass"
    late = check_plan(a_trial(planned(at="2025-04-01T00:00:00Z")), PLAN)
    assert late.verdict == "warn"
    assert "1 April 2025" in late.finding


def test_without_a_frozen_plan_or_with_a_historic_one_it_warns():
    assert check_plan(a_trial(), PLAN).verdict == "warn"
    assert "sojourn" not in check_plan(a_trial(), PLAN).finding
    historic = check_plan(a_trial(planned(), historic=True), PLAN)
    assert historic.verdict == "warn"
    assert "public" in historic.finding
    assert len(deviations(a_trial(), PLAN)) == 0
    assert len(deviations(a_trial(params=None), PLAN)) == 0  # cells of published data do not state theirs


def test_the_card_holds_the_rule_the_trial_and_what_was_changed():
    binary = pd.DataFrame({"outcome": ["kept_at_90", "opted_out"], "scheme": "none"})
    value = pd.DataFrame({"outcome": ["net_value"], "scheme": "none"})
    of = {"margin": 0.3, "strata": "plan", "currency": "EUR", "cost_per_member": {}}
    frozen = planned()
    trial = replace(
        a_trial(frozen, **of), binary=binary, value=value, allocation={"none": 0.5, "coupon": 0.5}
    )
    card = laid_out(trial, replace(PLAN, rope=0.1))
    assert (card.fingerprint, card.frozen_at) == (frozen["fingerprint"], "2025-01-15T00:00:00Z")
    assert card.changed == (("rule.rope", "0.5", "0.1"),)
    assert (card.schemes, card.kind, card.currency) == (("coupon",), "value", "EUR")
    assert card.counted == {"strata": "plan", "margin": 0.3}
    assert set(card.words) == {"net_value", "kept_at_90", "opted_out"}
    assert laid_out(replace(trial, meta=of), PLAN).fingerprint == ""


def test_months_that_are_told_together_begin_with_the_first():
    """Private cases put months together until every scheme has enough members in them."""
    trial = a_trial(planned(at="2025-01-15T00:00:00Z"))
    months = trial.split.assign(period=["2025-02 to 2025-03", "2025-02 to 2025-03"])
    check = check_plan(replace(trial, split=months), PLAN)
    assert (check.verdict, "2 May 2025" in check.finding) == ("pass", True)  # 90 days after 1 February


def test_a_guard_that_the_trial_does_not_count_is_refused():
    binary = pd.DataFrame({"outcome": ["kept_at_90"], "scheme": "none"})
    value = pd.DataFrame({"outcome": ["net_value"], "scheme": "none"})
    trial = replace(a_trial(), binary=binary, value=value)
    with pytest.raises(ParameterError, match="kept_at_99"):
        laid_out(trial, replace(PLAN, guard="kept_at_99"))
