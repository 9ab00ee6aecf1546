"""Results in one short sentence each: when, who, why and what next, behind the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sojourn.report.retention_definitions import brief_lapse_window, brief_lens
from sojourn.report.retention_drivers import brief_drivers, brief_landmark, brief_proportional
from sojourn.report.retention_forecast import brief_forecast
from sojourn.report.retention_lifetimes import brief_lifetimes
from sojourn.report.retention_states import brief_occupation, brief_reasons, brief_returns
from sojourn.report.retention_when import brief_cohort_effects, brief_when

_BRIEF: Mapping[str, Callable[[Any], str]] = {
    "CohortEffects": brief_cohort_effects,
    "DefinitionLens": brief_lens,
    "Drivers": brief_drivers,
    "Forecast": brief_forecast,
    "LandmarkCurves": brief_landmark,
    "LapseWindow": brief_lapse_window,
    "Lifetimes": brief_lifetimes,
    "ProportionalHazards": brief_proportional,
    "Reasons": brief_reasons,
    "RiskPeak": brief_when,
    "TimeToReturn": brief_returns,
    "WithUs": brief_occupation,
}


def brief(result: Any) -> str:
    """Say what a result means in one short sentence; nothing where there is nothing to say.

    Parameters
    ----------
    result : frozen result of the study `retention`
        One of those above.
    """
    return "" if result.why_empty else _BRIEF[type(result).__name__](result)
