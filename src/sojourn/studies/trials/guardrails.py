"""Outcomes that a scheme may not make worse: refusing messages, leaving, or any other share of members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_outcomes import Guardrails
from sojourn.core.results.trials import TrialResult

#: Outcomes of which more is worse; of all others fewer is.
MORE_IS_WORSE = frozenset({"opted_out", "complained", "refunded"})


def guardrails(
    results: Sequence[TrialResult],
    margins: Mapping[str, float],
    *,
    risk: float,
    more_is_worse: frozenset[str] = MORE_IS_WORSE,
) -> Guardrails:
    """Judge binary outcomes that may not get worse by more than a margin.

    Parameters
    ----------
    results : sequence of TrialResult
        Of binary outcomes, from `compare_schemes`.
    margins : mapping of str to float
        By outcome, the share of members by which it may get worse.
    risk : float
        A guardrail is broken when it is worse by more than the margin with more than this probability.
    more_is_worse : set of str
        Outcomes of which more is worse.

    Raises
    ------
    ParameterError
        When an outcome is not binary or has no margin.
    """
    in_range(risk, "risk", gt=0, lt=1)
    if not results:
        return Guardrails("", 0.95, risk, why_empty="No outcome is guarded beside the one that decides.")
    tables = []
    for result in results:
        if result.kind != "binary" or result.outcome not in margins:
            raise ParameterError(
                f"'{result.outcome}' cannot be a guardrail: it must be binary and have a margin; "
                f"margins are given for {', '.join(sorted(margins)) or 'none'}."
            )
        margin = in_range(margins[result.outcome], result.outcome, ge=0)
        tables.append(
            _judged(result, margin, risk, bad="more" if result.outcome in more_is_worse else "fewer")
        )
    return Guardrails(results[0].control, results[0].mass, risk, pd.concat(tables, ignore_index=True))


def _judged(result: TrialResult, margin: float, risk: float, *, bad: str) -> pd.DataFrame:
    table = result.table.iloc[1:][["scheme", "lift", "lift_low", "lift_high"]].reset_index(drop=True)
    harm = [
        result.p_above(scheme, margin) if bad == "more" else 1 - result.p_above(scheme, -margin)
        for scheme in table["scheme"]
    ]
    table.insert(0, "outcome", result.outcome)
    table.insert(1, "words", result.words)
    table.insert(2, "bad", bad)
    verdicts = ["broken" if p > risk else "held" for p in harm]
    return table.assign(margin_share=margin, p_harm=harm, verdict=verdicts)
