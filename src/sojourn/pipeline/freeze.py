"""The plan of a trial, written down before its outcomes are known."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sojourn.core.errors import ParameterError
from sojourn.core.params import Params, read_params
from sojourn.core.project import root
from sojourn.core.results.trial_plan import TrialPlan, fingerprint_of
from sojourn.pipeline.private import only_mine

#: Parameters of the study that are not the rule: how intervals are told, what is simulated, for whom it is.
NO_RULE = ("mass", "control", "worlds", "audience")


def freeze(case: str, *, at: str | None = None) -> Path:
    """Write the plan of a case's trial, as params.yaml states it, into a file that nobody edits again.

    Parameters
    ----------
    case : str
        Name of a case with a section `trials`.
    at : str, optional
        Instant of freezing (ISO 8601); now when not stated.

    Returns
    -------
    Path
        The file, below ``data/plans/`` (of a private case below ``private/``).

    Raises
    ------
    ParameterError
        When the plan was frozen before, or the instant cannot be read.
    """
    params = read_params()
    plan = frozen_plan(params, case, _instant(at))
    path = params.places(case).plan(plan["trial"])
    if path.exists():
        raise ParameterError(
            f"{path.relative_to(root())} is there already: a plan is frozen once. To plan anew, name "
            "the trial otherwise, or delete the file and say why in the commit."
        )
    head = f"# The plan of trial '{plan['trial']}' of case '{case}', by `sojourn freeze`. Not to be edited.\n"
    with only_mine(params.is_private(case)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(head + yaml.safe_dump(plan, sort_keys=False))
    return path


def frozen_plan(params: Params, case: str, at: str) -> dict[str, Any]:
    """Return a plan with its fingerprint, as plain values."""
    stated, cells = params.for_study(case, "trials"), params.for_cells(case, "trials")
    rule = TrialPlan.from_parameters(**{name: v for name, v in stated.items() if name not in NO_RULE})
    plan = {
        "frozen_at": at,
        "case": case,
        "trial": cells["trial"],
        "control": stated["control"],
        "rule": asdict(rule),
        "cells": cells,
    }
    return {**plan, "fingerprint": fingerprint_of(plan)}


def _instant(at: str | None) -> str:
    try:
        instant = datetime.fromisoformat(at) if at else datetime.now(UTC)
    except ValueError as error:
        raise ParameterError(
            f"'--at' must be an instant such as 2025-03-01T09:00:00Z, got {at!r}."
        ) from error
    if instant.tzinfo is None:
        raise ParameterError(f"'--at' must name its time zone, such as {at}Z.")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
