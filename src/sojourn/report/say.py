"""What a result says, in one or two plain sentences."""

from __future__ import annotations

from functools import singledispatch
from importlib import import_module, util
from typing import Any

#: Modules that teach `say` their results; loaded when it is first asked.
_TEACHERS = (
    "sojourn.report.portrait",
    "sojourn.report.quality",
    "sojourn.report.retention",
    "sojourn.report.retention_forecast",
    "sojourn.report.retention_expected",
    "sojourn.report.retention_gate",
    "sojourn.report.retention_drivers",
    "sojourn.report.retention_lifetimes",
    "sojourn.report.retention_definitions",
    "sojourn.report.retention_states",
    "sojourn.report.retention_when",
    "sojourn.report.trials",
    "sojourn.report.trial_plan",
    "sojourn.report.trial_assignment",
    "sojourn.report.trial_rule",
    "sojourn.report.trial_design",
    "sojourn.report.trial_revenue",
    "sojourn.report.trial_outcomes",
    "sojourn.report.portfolio",
    "sojourn.report.board",
    "sojourn.report.board_drift",
    "sojourn.report.board_works",
    "sojourn.report.trial_prior",
    "sojourn.report.trial_after",
    "sojourn.report.trial_targeting",
    "sojourn.report.segments",
    "sojourn.report.segments_next",
    "sojourn.report.segments_who",
    "sojourn.report.segments_methods",
    "sojourn.report.segments_take_away",
)


@singledispatch
def _say(result: Any) -> str:
    raise TypeError(
        f"There is no sentence for {type(result).__name__}; see the `say_*` functions of sojourn.report."
    )


#: Decorator by which a study's module teaches `say` one type of result.
register = _say.register


def say(result: Any) -> str:
    """Say what a result means, with its interval in words.

    Parameters
    ----------
    result : any frozen result of a study
        For example a retention curve, a trial's result or a segmentation.

    Raises
    ------
    TypeError
        When no study has a sentence for it.
    """
    for module in _TEACHERS:
        if util.find_spec(module) is not None:
            import_module(module)
    return _say(result)
