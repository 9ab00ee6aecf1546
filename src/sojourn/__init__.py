"""sojourn: who stays, who leaves and why, which incentive pays, and which groups deserve different treatment.

Use as ``import sojourn as sj``. Names are loaded when first used, so the import itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Every public name and the module it lives in.
_HOME: dict[str, str] = {
    "Action": "sojourn.core.results.figures",
    "actions": "sojourn.report.blocks",
    "answer": "sojourn.report.blocks",
    "Block": "sojourn.core.results.block",
    "Cells": "sojourn.core.cells",
    "cells": "sojourn.data.cells",
    "Check": "sojourn.core.results.check",
    "checks_table": "sojourn.report.blocks",
    "figure": "sojourn.viz.figure",
    "Headline": "sojourn.core.results.headline",
    "Interval": "sojourn.core.interval",
    "key_figures": "sojourn.report.blocks",
    "KeyFigure": "sojourn.core.results.figures",
    "make_world": "sojourn.world",
    "note": "sojourn.report.blocks",
    "read_params": "sojourn.core.params",
    "say": "sojourn.report.say",
    "table": "sojourn.report.blocks",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (a list of names, made from the one place that knows them)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sojourn' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
