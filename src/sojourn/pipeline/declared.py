"""Whether params.yaml is sound and dvc.yaml lists what it names; run before anything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import yaml

from sojourn.core.errors import ParameterError
from sojourn.core.legible import visible
from sojourn.core.params import ABOUT_KEYS, ABOUT_OPTIONAL, Params, SourceKind, read_params
from sojourn.core.project import root
from sojourn.core.ranges import in_range, one_of

_TOP = ("seed", "privacy", "inputs", "private_inputs", "pairs", "private_pairs", "studies", "cases")
_PAIR_KEYS = ("case", "study", "from", "given", "notebook", "estimators", "also")
#: What stands for a second room of estimators where a study uses one: a file that never changes.
NO_OTHER_ROOM = "__init__.py"
_INPUT_KEYS = ("case", "from")
#: A name or a path, in which a shell finds nothing to run.
_PLAIN = re.compile(r"[\w/.][\w/. -]*")
#: What the name of a notebook is made of; DVC reads it as part of a path.
_NOTEBOOK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_params() -> None:
    """Check every section of params.yaml that the pipeline reads.

    Raises
    ------
    ParameterError
        Naming the first thing that is unknown, missing, private by mistake or not listed in dvc.yaml.
    """
    params = read_params()
    _known(params.raw, "params.yaml", _TOP, optional=("engine",))
    _check_numbers(params)
    _ = params.engine  # raises where it is wrong
    for case in params.cases:
        _check_case(params, case)
    for private in (False, True):
        for name, pair in params.pairs(private=private).items():
            _check_pair(params, name, pair, private=private)
            _check_given(params, name, pair, private=private)
        _check_inputs(params, private=private)
    _check_metrics(params)


def _check_numbers(params: Params) -> None:
    _known(params.raw["privacy"] or {}, "privacy", ("min_group",))
    for name, value in (("seed", params.raw["seed"]), ("min_group", params.raw["privacy"]["min_group"])):
        if not isinstance(value, int) or isinstance(value, bool):
            raise ParameterError(f"'{name}' must be a whole number, got {value!r}.")
    in_range(params.seed, "seed", ge=0)
    in_range(params.min_group, "min_group", ge=2)


def _check_case(params: Params, case: str) -> None:
    about = params.about(case)
    _known(about, f"cases.{case}.about", ABOUT_KEYS, optional=ABOUT_OPTIONAL)
    one_of(about["kind"], f"cases.{case}.about.kind", get_args(SourceKind))
    if not isinstance(about.get("public", False), bool):
        raise ParameterError(
            f"'public' of cases.{case}.about must be true or false, got {about['public']!r}."
        )
    _known(params.case(case), f"cases.{case}", ("about",), optional=("prepare", *params.studies))
    if "prepare" in params.case(case):
        from sojourn.data.settings import read_settings

        read_settings(params, case)
    for study in params.studies:
        if study in params.case(case):
            _check_study(params, case, study)


def _check_study(params: Params, case: str, study: str) -> None:
    where = f"cases.{case}.{study}"
    if "cells" not in (params.case(case)[study] or {}):
        raise ParameterError.missing("cells", where)
    params.for_cells(case, study)
    resolved = params.for_study(case, study)
    if "mass" in resolved:
        in_range(resolved["mass"], f"{where}.mass", gt=0, lt=1)


def _check_pair(params: Params, name: str, pair: Mapping[str, Any], *, private: bool) -> None:
    where = f"{'private_' if private else ''}pairs.{name}"
    if isinstance(pair, Mapping) and "given" not in pair and {"case", "study"} <= pair.keys():
        needed = given_of(str(pair["case"]), str(pair["study"]))
        raise ParameterError(f"'given' is missing in {where}: add `given: {needed}`.")
    _known(pair, where, _PAIR_KEYS)
    _need_plain(pair, where)
    case, study = pair["case"], pair["study"]
    if name != f"{case}-{study}":
        raise ParameterError(f"'{where}' must be called '{case}-{study}', as its stage is.")
    params.for_study(case, study)
    if params.is_private(case) and not private:
        raise ParameterError(
            f"'{case}' is private and stands in `pairs`, so its numbers would be shared. "
            "Move the pair to `private_pairs`, or say `public: true` in its `about`."
        )
    if private and not params.is_private(case):
        raise ParameterError(f"'{case}' is public; list the pair under `pairs`.")
    rows = "tidy" if "prepare" in params.case(case) else "casebook"
    one_of(pair["from"], f"{where}.from", (f"data/{rows}/{case}",))
    rooms = root() / "src" / "sojourn" / "estimators"
    if rooms.is_dir():
        known = sorted(p.parent.name for p in rooms.glob("*/__init__.py"))
        one_of(pair["estimators"], f"{where}.estimators", known)
        one_of(pair["also"], f"{where}.also", (*known, NO_OTHER_ROOM))
    if not _NOTEBOOK.fullmatch(pair["notebook"]):
        raise ParameterError(f"'{where}.notebook' is a name of letters, digits, - and _, not a path.")
    if not (root() / "notebooks" / f"{pair['notebook']}.ipynb").is_file():
        raise ParameterError(f"{where}: there is no notebooks/{pair['notebook']}.ipynb.")


def given_of(case: str, study: str) -> str:
    """Return what is written before the cells of a pair are made: a page whose rule is used, or plans."""
    return f"reports/cases/{case}/segments" if study == "board" else "data/plans"


def _check_given(params: Params, name: str, pair: Mapping[str, Any], *, private: bool) -> None:
    where = f"{'private_' if private else ''}pairs"
    case, study = pair["case"], pair["study"]
    one_of(pair["given"], f"{where}.{name}.given", (given_of(case, study),))
    if study == "board" and f"{case}-segments" not in params.pairs(private=private):
        raise ParameterError(
            f"'{where}.{name}' uses the rule that the page of segments hands out. "
            f"Add the pair '{case}-segments'."
        )


def _check_inputs(params: Params, *, private: bool) -> None:
    section = "private_inputs" if private else "inputs"
    for name, entry in params.inputs(private=private).items():
        _known(entry, f"{section}.{name}", _INPUT_KEYS)
        _need_plain(entry, f"{section}.{name}")
        if entry["case"] != name:
            raise ParameterError(f"'{section}.{name}' must be called '{entry['case']}', as its stage is.")
        if "prepare" not in params.case(name):
            raise ParameterError.missing("prepare", f"cases.{name}")
        if params.is_private(name) != private:
            right = "private_inputs" if params.is_private(name) else "inputs"
            raise ParameterError(
                f"'{name}' is listed under `{section}`; by its `about.public` it goes to `{right}`."
            )


def _need_plain(entry: Mapping[str, Any], where: str) -> None:
    """Refuse what DVC would take for more than text: it puts these values into commands and paths."""
    for name, value in entry.items():
        if not isinstance(value, str) or not _PLAIN.fullmatch(value):
            shown = visible(str(value))[:60]
            raise ParameterError(
                f"'{name}' of {where} must be a path of letters, digits, blanks and ._-/, got '{shown}'."
            )


def _check_metrics(params: Params) -> None:
    listed = set(yaml.safe_load((root() / "dvc.yaml").read_text(encoding="utf-8")).get("metrics", []))
    pairs = params.pairs(private=False).values()
    wanted = {f"reports/cases/{pair['case']}/{pair['study']}/headline.json" for pair in pairs}
    if listed != wanted:
        name = sorted(listed ^ wanted)[0]
        raise ParameterError(
            f"`metrics` of dvc.yaml and `pairs` of params.yaml differ: {name}. List it in both or neither."
        )


def _known(section: Any, where: str, names: Iterable[str], *, optional: Iterable[str] = ()) -> None:
    """Refuse a section that is none, names what nobody knows, or lacks a name it must have."""
    names, optional = tuple(names), tuple(optional)
    if not isinstance(section, Mapping):
        raise ParameterError(f"'{where}' must be a section with {', '.join(names)}, got {section!r}.")
    for name in section:
        if name not in (*names, *optional):
            raise ParameterError.unknown(str(name), where, (*names, *optional))
    for name in names:
        if name not in section:
            raise ParameterError.missing(name, where)
