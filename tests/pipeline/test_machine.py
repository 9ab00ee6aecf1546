"""What every stage runs in: nothing of a home directory or of the caller's settings reaches the numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sojourn.pipeline.machine import STEADY, is_steady, machine_class, steady_environment

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _project(monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(PROJECT))


def test_the_caller_s_settings_of_engines_are_dropped(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setenv("PYTENSOR_FLAGS", "floatX=float32")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    made = steady_environment()
    assert "NUMBA_DISABLE_JIT" not in made
    assert "floatX=float64" in made["PYTENSOR_FLAGS"]
    assert made["OMP_NUM_THREADS"] == "1"


def test_settings_in_a_home_directory_do_not_reach_the_models(tmp_path):
    (tmp_path / ".pytensorrc").write_text("[global]\nfloatX = float32\n")
    environment = {**steady_environment(), "HOME": str(tmp_path)}
    code = "import pytensor; print(pytensor.config.floatX)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "float64"


def test_the_command_line_makes_itself_steady():
    environment = {name: value for name, value in os.environ.items() if name not in STEADY}
    script = Path(sys.executable).parent / "sojourn"
    done = subprocess.run(
        [script, "check-params"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_steadiness_is_all_or_nothing(monkeypatch):
    for name, value in STEADY.items():
        monkeypatch.setenv(name, value)
    assert is_steady()
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert not is_steady()


def test_a_machine_class_holds_the_lock_and_nothing_that_names_the_machine():
    found = machine_class()
    assert set(found) == {"architecture", "vectors", "system", "libc", "python", "lock"}
    assert os.uname().nodename not in found.values()
