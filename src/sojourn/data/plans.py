"""Plans of trials as files: written once, before outcomes are known, and never edited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sojourn.core.errors import DataError
from sojourn.core.plain_yaml import read_plain_yaml
from sojourn.core.results.trial_plan import fingerprint_of

_NEEDED = ("frozen_at", "case", "trial", "control", "rule", "cells", "fingerprint")


def read_frozen_plan(path: Path) -> dict[str, Any]:
    """Return a plan as it was frozen; empty where there is no file.

    Raises
    ------
    DataError
        When the file lacks a section, or is no longer what its fingerprint says.
    """
    if not path.is_file():
        return {}
    content = read_plain_yaml(path.read_text(encoding="utf-8"), path.name)
    missing = [name for name in _NEEDED if not isinstance(content, Mapping) or name not in content]
    if missing:
        raise DataError(f"{path.name}: {', '.join(missing)} missing. A plan is written by `sojourn freeze`.")
    plan = dict(content)
    stated = plan.pop("fingerprint")
    if fingerprint_of(plan) != stated:
        raise DataError(
            f"{path.name} was edited after it was frozen: its content has the fingerprint "
            f"{fingerprint_of(plan)}, it states {stated}. Take the frozen text back from git; a change of "
            "plan belongs into params.yaml, where the page reports it."
        )
    return {**plan, "fingerprint": stated}
