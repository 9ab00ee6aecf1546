"""What could be wrong with what stands beside the answer: the checks of results, in one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sojourn.core.results.check import Check
from sojourn.studies.retention.drivers_checks import check_drivers
from sojourn.studies.retention.forecast_checks import check_forecast
from sojourn.studies.retention.gate import check_gate
from sojourn.studies.retention.lifetimes import check_lifetimes
from sojourn.studies.retention.reasons import check_reasons
from sojourn.studies.retention.silence import check_lapse_window
from sojourn.studies.retention.when_checks import check_cohorts, check_when

_CHECKS: Mapping[str, Callable[[Any], list[Check]]] = {
    "Drivers": check_drivers,
    "CohortEffects": check_cohorts,
    "Forecast": check_forecast,
    "Gate": check_gate,
    "Lifetimes": check_lifetimes,
    "LapseWindow": check_lapse_window,
    "Reasons": check_reasons,
    "RiskPeak": check_when,
}


def check_results(*results: Any) -> list[Check]:
    """Return the checks of results that stand beside the answer; they concern these, never the answer.

    Parameters
    ----------
    *results : frozen results of the study
        Those for which there is a check; one that is empty has said why, and is passed over.
    """
    return [
        check
        for result in results
        if not result.why_empty or getattr(result, "race", None) is not None
        for check in _CHECKS[type(result).__name__](result)
    ]
