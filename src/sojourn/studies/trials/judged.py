"""What could be wrong with what stands beside the answer: the checks of results, in one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sojourn.core.results.check import Check
from sojourn.core.results.trials import Trial
from sojourn.studies.trials.adjusted import check_adjusted
from sojourn.studies.trials.after_checks import (
    check_afterwards,
    check_compliance,
    check_fairness,
    check_policies,
    check_spill_over,
)
from sojourn.studies.trials.outcome_checks import (
    check_counted,
    check_guardrails,
    check_lasting,
    check_ratio,
)
from sojourn.studies.trials.prior_checks import check_prior
from sojourn.studies.trials.revenue import check_revenue

#: Checks of a result alone, of a result and the scheme that may be recommended, of a result and its trial.
_ALONE: Mapping[str, Callable[[Any], list[Check]]] = {
    "Adjusted": check_adjusted,
    "CountedActivity": check_counted,
    "Lasting": check_lasting,
    "PriorCheck": check_prior,
    "RatioResult": check_ratio,
    "Revenue": check_revenue,
}
_OF_SCHEME: Mapping[str, Callable[[Any, str], list[Check]]] = {
    "Afterwards": check_afterwards,
    "Compliance": check_compliance,
    "Fairness": check_fairness,
    "Guardrails": check_guardrails,
    "SpillOver": check_spill_over,
}
_OF_TRIAL: Mapping[str, Callable[[Any, Trial], list[Check]]] = {"Policies": check_policies}


def check_beside(trial: Trial, scheme: str, *results: Any) -> list[Check]:
    """Return the checks of results that stand beside the answer.

    Parameters
    ----------
    trial : Trial
        The trial that they are of.
    scheme : str
        The scheme that may be recommended.
    *results : frozen results of the study
        Those for which there is a check; one that is empty has said why, and is passed over.
    """
    return [check for result in results if not result.why_empty for check in _of(result, trial, scheme)]


def _of(result: Any, trial: Trial, scheme: str) -> list[Check]:
    kind = type(result).__name__
    if kind in _ALONE:
        return _ALONE[kind](result)
    return _OF_SCHEME[kind](result, scheme) if kind in _OF_SCHEME else _OF_TRIAL[kind](result, trial)
