"""The checks of what stands beside the answer are found by the type of a result."""

import importlib
import inspect
import pkgutil

import pytest

import sojourn.studies.trials as room
from sojourn.core.results.trial_outcomes import Guardrails
from sojourn.studies.trials.judged import _ALONE, _OF_SCHEME, _OF_TRIAL, check_beside

TABLES = {**_ALONE, **_OF_SCHEME, **_OF_TRIAL}


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_each_type_is_checked_by_the_function_that_takes_it(kind):
    takes = next(iter(inspect.signature(TABLES[kind]).parameters.values())).annotation
    assert takes == kind


def test_no_check_of_a_result_is_forgotten():
    """Checks of the rule, of the plan, of rounding and of assignment are asked for by name."""
    modules = [
        importlib.import_module(f"sojourn.studies.trials.{m.name}")
        for m in pkgutil.iter_modules(room.__path__)
    ]
    found = {
        name
        for module in modules
        for name, function in vars(module).items()
        if name.startswith("check_")
        and inspect.isfunction(function)
        and function.__module__ == module.__name__
    }
    by_name = {
        "check_assignment", "check_beside", "check_plan", "check_rounding",
        "check_rule", "check_split", "check_trial",
    }  # fmt: skip
    assert found == {function.__name__ for function in TABLES.values()} | by_name


def test_an_empty_result_is_passed_over():
    nothing = Guardrails("none", 0.95, 0.05, why_empty="No outcome is guarded.")
    assert check_beside(None, "gift", nothing) == []
