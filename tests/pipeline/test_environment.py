"""environment.yml says what requirements.lock says, and pip can install it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sojourn.pipeline.environment import environment_yml, locked_requirements

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _project(monkeypatch):
    monkeypatch.setenv("SOJOURN_ROOT", str(PROJECT))


def test_the_committed_file_is_the_generated_one():
    assert (PROJECT / "environment.yml").read_text(encoding="utf-8") == environment_yml()


def test_every_locked_requirement_stands_in_it_and_in_the_development_lock():
    lock = locked_requirements((PROJECT / "requirements.lock").read_text(encoding="utf-8"))
    listed = yaml.safe_load(environment_yml())["dependencies"][-1]["pip"]
    development = locked_requirements((PROJECT / "requirements-dev.lock").read_text(encoding="utf-8"))
    assert len(lock) > 150
    assert [entry.replace("'", '"') for entry in listed] == [entry.replace("'", '"') for entry in lock]
    assert set(lock) <= set(development)


def test_its_packages_are_the_ones_installed_here():
    """The interpreter that runs the tests was made from the lock; so its versions are the locked ones."""
    from importlib.metadata import version

    for entry in locked_requirements((PROJECT / "requirements.lock").read_text(encoding="utf-8")):
        if ";" not in entry:
            name, wanted = entry.split("==")
            assert version(name) == wanted, name


def test_its_pip_section_installs_in_an_empty_environment(tmp_path):
    """Really installed, and all that it depends on stands in the section itself; uv links, so it is quick."""
    section = yaml.safe_load(environment_yml())["dependencies"][-1]["pip"]
    listed = tmp_path / "requirements.txt"
    listed.write_text("\n".join(entry.replace("'", '"') for entry in section))
    uv = shutil.which("uv") or str(PROJECT / ".tools" / "uv" / "bin" / "uv")
    python = tmp_path / "empty" / "bin" / "python"

    def run(*words):
        # as set-up does: a network may have a certificate authority of its own
        environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
        done = subprocess.run([uv, *words], capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr

    run("venv", "--quiet", "--python", sys.executable, str(tmp_path / "empty"))
    run(
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--python",
        str(python),
        "-r",
        str(tmp_path / "requirements.txt"),
    )
    run("pip", "check", "--python", str(python))


def test_every_pin_has_its_reason_beside_it():
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    dependencies = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.S | re.M).group(1).splitlines()
    pinned = [line for line in dependencies if re.search(r"==|<", line.split("#")[0])]
    assert len(pinned) >= 5
    assert [line for line in pinned if "#" not in line] == []
