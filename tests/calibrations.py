"""Calibrations as modules: they stand outside the package, beside what several of them share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

CALIBRATION = Path(__file__).resolve().parents[1] / "calibration"


def load(name: str) -> ModuleType:
    """Return one calibration, by the name of its file."""
    spec = importlib.util.spec_from_file_location(f"calibration_{name}", CALIBRATION / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CALIBRATION))
        spec.loader.exec_module(module)
    return module
