"""Whether params.yaml is sound and dvc.yaml lists what it names; run before anything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from sojourn.core.errors import ParameterError
from sojourn.core.params import ABOUT_KEYS, Params, read_params
from sojourn.core.project import root

_PAIR_KEYS = ("case", "study", "from", "notebook", "estimators")
_INPUT_KEYS = ("case", "from")


def check_params() -> None:
    """Check every section of params.yaml that the pipeline reads.

    Raises
    ------
    ParameterError
        Naming the first thing that is unknown, missing, private by mistake or not listed in dvc.yaml.
    """
    params = read_params()
    for case in params.cases:
        _check_case(params, case)
    for private in (False, True):
        for name, pair in params.pairs(private=private).items():
            _check_pair(params, name, pair, private=private)
    _check_inputs(params)
    _check_metrics(params)


def _check_case(params: Params, case: str) -> None:
    _known(params.about(case), f"cases.{case}.about", ABOUT_KEYS)
    for name in params.case(case):
        if name not in ("about", "prepare") and name not in params.studies:
            raise ParameterError.unknown(name, f"cases.{case}", ("about", "prepare", *params.studies))
        if name in params.studies:
            if "cells" not in params.case(case)[name]:
                raise ParameterError.missing("cells", f"cases.{case}.{name}")
            params.for_cells(case, name)
            params.for_study(case, name)


def _check_pair(params: Params, name: str, pair: Mapping[str, Any], *, private: bool) -> None:
    where = f"{'private_' if private else ''}pairs.{name}"
    _known(pair, where, _PAIR_KEYS)
    case, study = pair["case"], pair["study"]
    if name != f"{case}-{study}":
        raise ParameterError(f"'{where}' must be called '{case}-{study}', as its stage is.")
    params.for_study(case, study)
    if params.is_private(case) and not private:
        raise ParameterError(
            f"'{case}' is private and stands in `pairs`, so its numbers would be shared. "
            "Move the pair to `private_pairs`, or say `public: true` in its `about`."
        )
    if not (root() / "notebooks" / f"{pair['notebook']}.ipynb").is_file():
        raise ParameterError(f"{where}: there is no notebooks/{pair['notebook']}.ipynb.")


def _check_inputs(params: Params) -> None:
    for section in ("inputs", "private_inputs"):
        for name, entry in params.raw[section].items():
            _known(entry, f"{section}.{name}", _INPUT_KEYS)
            if entry["case"] != name:
                raise ParameterError(f"'{section}.{name}' must be called '{entry['case']}', as its stage is.")
            if "prepare" not in params.case(name):
                raise ParameterError.missing("prepare", f"cases.{name}")
            if params.is_private(name) != (section == "private_inputs"):
                right = "private_inputs" if params.is_private(name) else "inputs"
                raise ParameterError(f"'{name}' belongs into `{right}`, by what its `about.public` says.")


def _check_metrics(params: Params) -> None:
    listed = set(yaml.safe_load((root() / "dvc.yaml").read_text(encoding="utf-8")).get("metrics", []))
    wanted = {
        f"reports/cases/{pair['case']}/{pair['study']}/headline.json"
        for pair in params.pairs(private=False).values()
    }
    if listed != wanted:
        name = sorted(listed ^ wanted)[0]
        raise ParameterError(
            f"`metrics` of dvc.yaml and `pairs` of params.yaml differ: {name}. List it in both or neither."
        )


def _known(section: Mapping[str, Any], where: str, names: Iterable[str]) -> None:
    names = tuple(names)
    for name in section:
        if name not in names:
            raise ParameterError.unknown(name, where, names)
    for name in names:
        if name not in section and name != "public":
            raise ParameterError.missing(name, where)
