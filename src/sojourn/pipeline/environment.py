"""environment.yml, generated from requirements.lock so that conda and pip install the same versions."""

from __future__ import annotations

from sojourn.core.project import root

_HEAD = """\
# Generated from requirements.lock by `make lock`; a test keeps it equal. The conda way:
#   conda env create --file environment.yml && conda activate sojourn && pip install --no-deps --editable .
name: sojourn
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.12
  - pip
  - pip:
"""


def locked_requirements(lock: str) -> list[str]:
    """Return the requirements of a lock file without their hashes, in its order."""
    lines = (line.rstrip("\\ ").strip() for line in lock.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "--hash"))]


def environment_yml() -> str:
    """Return the text of environment.yml."""
    requirements = locked_requirements((root() / "requirements.lock").read_text(encoding="utf-8"))
    return _HEAD + "".join(f'      - "{requirement}"\n' for requirement in _quoted(requirements))


def _quoted(requirements: list[str]) -> list[str]:
    return [requirement.replace('"', "'") for requirement in requirements]
