"""Where things are: every path is derived from one root, never from the working directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sojourn.core.errors import ParameterError


def root() -> Path:
    """Return the project's root: ``SOJOURN_ROOT``, else the nearest folder above that holds params.yaml.

    Raises
    ------
    ParameterError
        When there is neither.
    """
    stated = os.environ.get("SOJOURN_ROOT")
    if stated:
        return Path(stated).resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "params.yaml").is_file():
            return folder
    raise ParameterError(
        f"No params.yaml in {here} or above it. Start in the project or set SOJOURN_ROOT to its folder."
    )


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of one case; a private case keeps all of them below ``private/``, which git ignores.

    Attributes
    ----------
    case : str
        Name of the case.
    base : Path
        The project's root, or its folder ``private`` for a private case.
    """

    case: str
    base: Path

    @property
    def raw(self) -> Path:
        """Tables as they came."""
        return self.base / "data" / "raw" / self.case

    @property
    def tidy(self) -> Path:
        """Checked and pseudonymised tables."""
        return self.base / "data" / "tidy" / self.case

    @property
    def casebook(self) -> Path:
        """Committed cells of published data."""
        return self.base / "data" / "casebook" / self.case

    def cells(self, study: str) -> Path:
        """Sufficient statistics of one study."""
        return self.base / "data" / "cells" / self.case / study

    @property
    def scored(self) -> Path:
        """Lists of members with their segments."""
        return self.base / "data" / "scored" / self.case

    def plan(self, trial: str) -> Path:
        """The frozen plan of one trial."""
        return self.base / "data" / "plans" / self.case / f"{trial}.yaml"

    @property
    def reports(self) -> Path:
        """Pages of the case: ``STUDY.html`` and ``STUDY/``."""
        return self.base / "reports" / "cases" / self.case


def places(case: str, *, private: bool) -> Places:
    """Return the folders of a case."""
    return Places(case, root() / "private" if private else root())
