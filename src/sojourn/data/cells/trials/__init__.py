"""Cells of trials: one member is one row until here, sums by scheme, stratum and month after.

In a trial is who was still with us at the first assignment, which is the one that counts; or, in a trial that
is to win members back, who had left by then (`people` says how that is told). Only members whose follow-up is
complete at `as_of` are judged ("matured"); how many that are stands in `split`, and `times` has everybody for
as long as they were followed. Strata are something of `members` that was known before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from sojourn.core.errors import DataError, ParameterError
from sojourn.data.cells.trials.around import around_tables
from sojourn.data.cells.trials.assigning import assigning_tables, before
from sojourn.data.cells.trials.costs import refuse_shared_costs
from sojourn.data.cells.trials.course import course_tables
from sojourn.data.cells.trials.doings import BEFORE, EARLY, asks_who_is_there, members_of
from sojourn.data.cells.trials.outcomes import amounts, covariate_tables, outcome_tables
from sojourn.data.cells.trials.people import aim_of, enrolled
from sojourn.data.cells.trials.spending import BOUNDS, spending_tables
from sojourn.data.cells.trials.words import words_of
from sojourn.data.tidy import Tidy

__all__ = ["amounts", "before", "describe", "expressions"]

#: What makes the tables; each gives those that the case allows.
_MAKERS = (outcome_tables, covariate_tables, course_tables, spending_tables, assigning_tables, around_tables)


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables that the case allows.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case; `members` and `assignments` are needed, `events`, `costs`, `messages`, `ledger`
        used where they are.
    params : mapping
        ``trial``, ``horizons`` (days of ``kept_at_`` or ``back_at_``), ``value_days``, ``stratum``,
        ``margin`` (share of revenue), ``cost_per_member`` (by scheme), ``allocation``.

    Raises
    ------
    MissingTableError
        When the case has no assignments, or no spells and the trial is of members who had left.
    ParameterError
        When the stratum is not known at joining or a number is out of range.
    """
    if not params["horizons"]:
        raise ParameterError("'horizons' must name at least one number of days, got none.")
    return {name: table for make in _MAKERS for name, table in make(tidy, params).items()}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves, and count what was left out.

    Raises
    ------
    DataError
        When nobody is in the trial, or a scheme has costs that belong to no member.
    """
    refuse_shared_costs(tidy)
    listed, aim = enrolled(tidy, params), aim_of(tidy, params)
    excluded = listed.filter(listed.trial == params["trial"], listed.takes_part == 0)
    if not int(members_of(tidy, params).count().execute()):
        raise DataError(f"assignments.trial: no rows of trial '{params['trial']}' in the case '{tidy.case}'.")
    horizons = [int(days) for days in params["horizons"]]
    truth = tidy.meta.get("truth", {}).get("trials")
    return {
        "trial": params["trial"],
        "unit": "member",
        "horizon_days": int(params["value_days"]),
        "allocation": dict(params["allocation"]),
        "historic": False,
        "currency": tidy.meta.get("currency", ""),
        "margin": params["margin"],
        "cost_per_member": dict(params["cost_per_member"]),
        "strata": params["stratum"],
        "aim": aim,
        "other_state": int(excluded.count().execute()),
        "before_days": BEFORE,
        "early_days": EARLY,
        "guarded": f"{aim}_at_{max(horizons)}" if asks_who_is_there(tidy, params) else "converted",
        "spend_bounds": [str(bound) for bound in BOUNDS],
        "words": words_of(aim, horizons, int(params["value_days"])),
        **_reward_days(truth, params["trial"]),
        **({"truth": truth} if truth is not None else {}),
    }


def _reward_days(truth: Mapping[str, Any] | None, trial: str) -> dict[str, int]:
    """Return for how long a scheme's reward is given, where a simulated world says so."""
    said = (truth or {}).get(trial, {})
    return {"reward_days": int(said["reward_days"])} if "reward_days" in said else {}
