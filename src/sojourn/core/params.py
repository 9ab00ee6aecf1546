"""Parameters: one file, defaults by study, overrides by case, every name checked.

A case may override any parameter that its study declares under ``studies.STUDY``; nothing else is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from sojourn.core.errors import ParameterError
from sojourn.core.project import Places, places, root

SourceKind = Literal["real", "simulated", "fictional", "disputed"]

#: Parameters of ``cases.CASE.about`` and of ``cases.CASE.prepare`` that have no default.
ABOUT_KEYS = ("title", "kind", "source", "licence", "note", "currency", "public")


@dataclass(frozen=True, slots=True)
class Params:
    """The whole of params.yaml, as read.

    Attributes
    ----------
    raw : mapping
        The file's content.
    """

    raw: Mapping[str, Any]

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return int(self._section("seed", self.raw, "params.yaml"))

    @property
    def min_group(self) -> int:
        """Smallest denominator that is shown."""
        return int(self._section("min_group", self.raw["privacy"], "privacy"))

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of all cases."""
        return tuple(self.raw["cases"])

    @property
    def studies(self) -> tuple[str, ...]:
        """Names of all studies."""
        return tuple(self.raw["studies"])

    def case(self, case: str) -> Mapping[str, Any]:
        """Return the section of one case."""
        if case not in self.raw["cases"]:
            raise ParameterError.unknown(case, "cases", self.cases)
        section: Mapping[str, Any] = self.raw["cases"][case]
        return section

    def about(self, case: str) -> Mapping[str, Any]:
        """Return what a case says of itself: title, kind, source, licence, note, currency, public."""
        about: Mapping[str, Any] = self._section("about", self.case(case), f"cases.{case}")
        return about

    def is_private(self, case: str) -> bool:
        """Whether a case is private, as every case is that does not say ``public: true``."""
        return not self.about(case).get("public", False)

    def places(self, case: str) -> Places:
        """Return the folders of a case."""
        return places(case, private=self.is_private(case))

    def pairs(self, *, private: bool) -> Mapping[str, Mapping[str, str]]:
        """Return the (case, study) pairs that the pipeline runs, by the name of their stage."""
        pairs: Mapping[str, Mapping[str, str]] = self.raw["private_pairs" if private else "pairs"]
        return pairs

    def _study(self, study: str) -> Mapping[str, Any]:
        if study not in self.raw["studies"]:
            raise ParameterError.unknown(study, "studies", self.studies)
        section: Mapping[str, Any] = self.raw["studies"][study]
        return section

    def _overrides(self, case: str, study: str) -> Mapping[str, Any]:
        section = self.case(case)
        if study not in section:
            raise ParameterError(
                f"cases.{case} has no section '{study}', so this pair is not defined. "
                f"Add `{study}: {{cells: {{}}}}` to it (and the pair to `pairs`)."
            )
        overrides: Mapping[str, Any] = section[study]
        return overrides

    def for_cells(self, case: str, study: str) -> dict[str, Any]:
        """Return the cells parameters of a pair: ``studies.STUDY.cells`` with the case's overrides."""
        return _resolved(
            self._study(study).get("cells", {}),
            self._overrides(case, study).get("cells", {}),
            f"cases.{case}.{study}.cells",
        )

    def for_study(self, case: str, study: str) -> dict[str, Any]:
        """Return the resolved analysis parameters of a pair (everything but ``cells``)."""
        defaults = {k: v for k, v in self._study(study).items() if k != "cells"}
        overrides = {k: v for k, v in self._overrides(case, study).items() if k != "cells"}
        return _resolved(defaults, overrides, f"cases.{case}.{study}")

    @staticmethod
    def _section(name: str, of: Mapping[str, Any], where: str) -> Any:
        if name not in of:
            raise ParameterError.missing(name, where)
        return of[name]


def _resolved(defaults: Mapping[str, Any], overrides: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name, value in overrides.items():
        if name not in defaults:
            raise ParameterError.unknown(name, where, defaults)
        default = defaults[name]
        numbers = (int, float)
        both_numbers = (
            isinstance(default, numbers) and isinstance(value, numbers) and not isinstance(value, bool)
        )
        if (
            default is not None
            and value is not None
            and not both_numbers
            and type(value) is not type(default)
        ):
            raise ParameterError(
                f"'{name}' of {where} must be {type(default).__name__} like its default {default!r}, "
                f"got {value!r}."
            )
    return {**defaults, **overrides}


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Params:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ParameterError(f"{path.name} is not readable YAML: {error}") from error
    for section in (
        "seed",
        "privacy",
        "inputs",
        "private_inputs",
        "pairs",
        "private_pairs",
        "studies",
        "cases",
    ):
        if not isinstance(raw, dict) or section not in raw:
            raise ParameterError.missing(section, path.name)
    return Params(raw)


def read_params() -> Params:
    """Read params.yaml of the project.

    Raises
    ------
    ParameterError
        When it is not readable or a section is missing.
    """
    path = root() / "params.yaml"
    return _read(path, path.stat().st_mtime_ns)
