"""Parameters: one file, defaults by study, overrides by case, every name checked.

A case may override any parameter that its study declares under ``studies.STUDY``; nothing else is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sojourn.core.errors import ParameterError
from sojourn.core.legible import visible
from sojourn.core.plain_yaml import read_plain_yaml
from sojourn.core.project import Places, places, root
from sojourn.core.ranges import one_of

SourceKind = Literal["real", "simulated", "fictional", "disputed"]

#: Parameters of ``cases.CASE.about`` and of ``cases.CASE.prepare`` that have no default.
ABOUT_KEYS = ("title", "kind", "source", "licence", "note", "currency")
#: Parameters of ``cases.CASE.about`` that may be left out: whom to ask, and whether the case may be shared.
ABOUT_OPTIONAL = ("contact", "public")


#: Names become folders, stages and words of commands.
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")
#: A size that DuckDB reads.
_MEMORY = re.compile(r"[1-9][0-9]* ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)")


@dataclass(frozen=True, slots=True)
class Engine:
    """What makes cells; they are equal for any.

    Attributes
    ----------
    backend : str
        ``duckdb``, in process, or ``pyspark``.
    memory_limit : str
        Memory of DuckDB, such as ``4GB``, at the door and for cells; beyond it the engine spills to disk.
    address : str
        Of a Spark Connect server, such as ``sc://host:15002``; empty: Spark in this process's own machine.
    """

    backend: Literal["duckdb", "pyspark"] = "duckdb"
    memory_limit: str = "4GB"
    address: str = ""


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
    def engine(self) -> Engine:
        """What makes cells.

        Raises
        ------
        ParameterError
            When the section says something that no engine understands.
        """
        return _engine(_mapping(self.raw.get("engine"), "engine"))

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
            raise ParameterError.no_such("case", case, self.cases)
        return _mapping(self.raw["cases"][case], f"cases.{case}")

    def about(self, case: str) -> Mapping[str, Any]:
        """Return what a case says of itself: title, kind, source, licence, note, currency, public."""
        return _mapping(self._section("about", self.case(case), f"cases.{case}"), f"cases.{case}.about")

    def is_private(self, case: str) -> bool:
        """Whether a case is private, as every case is that does not say ``public: true``."""
        return self.about(case).get("public") is not True

    def places(self, case: str) -> Places:
        """Return the folders of a case."""
        return places(case, private=self.is_private(case))

    def pairs(self, *, private: bool) -> Mapping[str, Mapping[str, str]]:
        """Return the (case, study) pairs that the pipeline runs, by the name of their stage."""
        name = "private_pairs" if private else "pairs"
        return _mapping(self.raw[name], name)

    def inputs(self, *, private: bool) -> Mapping[str, Mapping[str, str]]:
        """Return the cases that go through the door, by name, with what each is made ``from``."""
        name = "private_inputs" if private else "inputs"
        return _mapping(self.raw[name], name)

    def _study(self, study: str) -> Mapping[str, Any]:
        if study not in self.raw["studies"]:
            raise ParameterError.no_such("study", study, self.studies)
        return _mapping(self.raw["studies"][study], f"studies.{study}")

    def _overrides(self, case: str, study: str) -> Mapping[str, Any]:
        section = self.case(case)
        if study not in section:
            raise ParameterError(
                f"cases.{case} has no section '{study}', so this pair is not defined. "
                f"Add `{study}: {{cells: {{}}}}` to it (and the pair to `pairs`)."
            )
        return _mapping(section[study], f"cases.{case}.{study}")

    def for_cells(self, case: str, study: str) -> dict[str, Any]:
        """Return the cells parameters of a pair: ``studies.STUDY.cells`` with the case's overrides."""
        return _resolved(
            _mapping(self._study(study).get("cells"), f"studies.{study}.cells"),
            _mapping(self._overrides(case, study).get("cells"), f"cases.{case}.{study}.cells"),
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


def _engine(stated: Mapping[str, Any]) -> Engine:
    known = [field.name for field in fields(Engine)]
    for name, value in stated.items():
        if name not in known:
            raise ParameterError.unknown(name, "engine", known)
        if not isinstance(value, str):
            raise ParameterError(f"'engine.{name}' must be a text, got {value!r}.")
    engine = Engine(**stated)
    one_of(engine.backend, "engine.backend", ("duckdb", "pyspark"))
    if not _MEMORY.fullmatch(engine.memory_limit):
        raise ParameterError(
            f"'engine.memory_limit' must be a size such as 4GB or 300MB, got {engine.memory_limit!r}."
        )
    if engine.address and not (engine.backend == "pyspark" and engine.address.startswith("sc://")):
        raise ParameterError(
            "'engine.address' is that of a Spark Connect server, such as sc://host:15002, and goes with "
            f"'backend: pyspark'; got {engine.address!r} with {engine.backend!r}. Leave it empty otherwise."
        )
    return engine


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    """Return a section; one that is left empty holds nothing."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ParameterError(f"'{where}' must be a section with names, got {value!r}.")
    return value


def _resolved(defaults: Mapping[str, Any], overrides: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name, value in overrides.items():
        if name not in defaults:
            raise ParameterError.unknown(name, where, defaults)
        if not _alike(defaults[name], value):
            raise ParameterError(
                f"'{name}' of {where} must be of the kind of its default {defaults[name]!r}, got {value!r}."
            )
    return {**defaults, **overrides}


def _alike(default: Any, value: Any) -> bool:
    """Whether a value is of its default's kind: numbers for numbers, lists of the same for lists."""
    if default is None or value is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int) and isinstance(value, float):
        return value.is_integer()
    if isinstance(default, float) and isinstance(value, int):
        return True
    if isinstance(default, list) and isinstance(value, list) and default:
        return all(_alike(default[0], item) for item in value)
    return type(default) is type(value)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Params:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"{path.name} is not text in UTF-8 ({error.reason}). Save it as UTF-8."
        ) from error
    raw = read_plain_yaml(text, path.name)
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
    for noun, section in (("case", "cases"), ("study", "studies")):
        for name in _mapping(raw[section], section):
            _need_name(noun, name)
    return Params(raw)


def _need_name(noun: str, name: object) -> None:
    """Refuse a name that could be more than a folder of its own: a path, or words of a command."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = visible(str(name))[:60]
        raise ParameterError(
            f"A {noun} is named by a-z, 0-9 and _, got '{shown}': its name becomes a folder and a stage."
        )


def read_params() -> Params:
    """Read params.yaml of the project.

    Raises
    ------
    ParameterError
        When it is not readable or a section is missing.
    """
    path = root() / "params.yaml"
    if not path.is_file():
        raise ParameterError(f"There is no params.yaml in {path.parent}. Does SOJOURN_ROOT name the project?")
    return _read(path, path.stat().st_mtime_ns)
