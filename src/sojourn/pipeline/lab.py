"""JupyterLab as the pipeline runs: the same environment, so that a notebook gives the same numbers there."""

from __future__ import annotations

import subprocess
import sys

from sojourn.core.project import root
from sojourn.pipeline.machine import steady_environment

#: Nothing phones home: no news, no look for updates.
_QUIET = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def open_lab() -> int:
    """Run JupyterLab in the folder of the notebooks until it is stopped, and return its exit code."""
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={root() / 'notebooks'}", *_QUIET]
    return subprocess.run(command, env=steady_environment(), check=False).returncode
