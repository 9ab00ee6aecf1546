"""Cells: one engine expression per study, and the one function that makes them.

Each study has a module here with ``expressions(tidy, params)``, which returns an Ibis expression per
table, and ``describe(tidy, params)``, which returns what the cells say of themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
from ibis import Table

from sojourn.core.cells import Cells, legible_cells, read_cells
from sojourn.core.errors import DataError, ParameterError
from sojourn.core.folder import whole_folder
from sojourn.core.params import Params, read_params
from sojourn.data.casebook import casebook_cells
from sojourn.data.frozen_rule import read_frozen_rule
from sojourn.data.parquet import write_parquet
from sojourn.data.plans import read_frozen_plan
from sojourn.data.tidy import MissingTableError, Tidy, open_tidy

#: Tables as they are stored, and what they say of themselves.
type _Made = tuple[dict[str, pa.Table], dict[str, Any]]


def make_cells(
    tidy: Tidy,
    study: str,
    params: Mapping[str, Any],
    *,
    base: int = 0,
    handed: Mapping[str, Any] | None = None,
) -> Cells:
    """Make the cells of a study from tidy tables.

    Parameters
    ----------
    tidy : Tidy
        Tables of the case.
    study : str
        Name of the study.
    params : mapping
        Resolved cells parameters (``studies.STUDY.cells`` with overrides).
    base : int
        Every count becomes a multiple of it, as in private cases (`sojourn.core.privacy`); 0: exact cells.
    handed : mapping, optional
        What the page of another study hands over: to ``board``, the ``frozen_rule`` of segments.

    Raises
    ------
    MissingTableError
        When the case does not have a table the study needs.
    """
    tables, meta = _made(tidy, study, params, base, handed or {})
    return Cells(tidy.case, study, {name: table.to_pandas() for name, table in tables.items()}, meta)


def cells(case: str, study: str, **changes: Any) -> Cells:
    """Return the cells of a case for a study, as the pipeline made them or anew with `changes`.

    Parameters
    ----------
    case, study : str
        As listed in params.yaml.
    **changes
        Cells parameters to change for this call; the tidy tables are read again.

    Raises
    ------
    ParameterError
        When a change is not a cells parameter of the study, or the cells are committed ones.
    DataError
        When the pipeline has not made them yet.
    """
    params: Params = read_params()
    resolved = params.for_cells(case, study)
    unknown = [name for name in changes if name not in resolved]
    if unknown:
        raise ParameterError.unknown(unknown[0], f"studies.{study}.cells", resolved)
    if not changes:
        return read_cells(params.places(case).cells(study), case, study)
    if is_casebook(params, case):
        raise ParameterError(
            f"The cells of '{case}' are committed and cannot be made anew with other parameters. "
            f'Use them as they are: cells("{case}", "{study}").'
        )
    resolved = {**resolved, **changes}
    handed = _handed(params, case, study)
    made = make_cells(open_tidy(params, case), study, resolved, base=_base(params, case), handed=handed)
    return legible_cells(replace(made, meta={**made.meta, **_written_before(params, case, resolved)}))


def write_cells(params: Params, case: str, study: str) -> Path:
    """Make the cells of a pair, from its tidy tables or from the casebook, and return their folder.

    When the case lacks a table that the study needs, ``cells.json`` says so under ``not_possible`` and
    there is no table.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case, study : str
        As listed in params.yaml.

    Raises
    ------
    DataError
        When `prepare` has not run, or committed cells do not agree with what is said of them.
    """
    resolved = params.for_cells(case, study)
    target = params.places(case).cells(study)
    tables, meta = (
        _committed(params, case, study)
        if is_casebook(params, case)
        else _made_or_not_possible(params, case, study, resolved)
    )
    meta = {**meta, **_written_before(params, case, resolved)}
    with whole_folder(target, private=params.is_private(case)) as folder:
        for name, table in tables.items():
            write_parquet(folder / f"{name}.parquet", table.schema, table.to_batches())
        text = json.dumps(meta, indent=2, ensure_ascii=False) + "\n"
        (folder / "cells.json").write_text(text, encoding="utf-8")
    return target


def _written_before(params: Params, case: str, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was written down before the data were looked at: of a trial, its frozen plan."""
    plan = read_frozen_plan(params.places(case).plan(resolved["trial"])) if "trial" in resolved else {}
    return {"frozen": plan} if plan else {}


def is_casebook(params: Params, case: str) -> bool:
    """Whether a case has no rows of its own, only committed cells."""
    return "prepare" not in params.case(case)


def _base(params: Params, case: str) -> int:
    """Return what every count of a private case is a multiple of; 0 for public cases."""
    return params.min_group if params.is_private(case) else 0


def _made(tidy: Tidy, study: str, params: Mapping[str, Any], base: int, handed: Mapping[str, Any]) -> _Made:
    from sojourn.data.protection.cells import (
        caps_of,
        protected,
    )  # which reads members through the makers here

    maker = import_module(f"sojourn.data.cells.{study}")
    known = {**params, **handed, "base": base}
    caps = caps_of(tidy, study, known, base) if base else {}
    expressions: Mapping[str, Table] = maker.expressions(tidy, {**known, **({"caps": caps} if caps else {})})
    tables = {name: _exact(expression, f"{study}.{name}") for name, expression in expressions.items()}
    meta = {**_meta(tidy, study, params), **maker.describe(tidy, known)}
    return protected(study, tables, meta, base, caps) if base else (tables, meta)


def _made_or_not_possible(params: Params, case: str, study: str, resolved: Mapping[str, Any]) -> _Made:
    tidy = open_tidy(params, case)
    try:
        return _made(tidy, study, resolved, _base(params, case), _handed(params, case, study))
    except MissingTableError as missing:
        return {}, {**_meta(tidy, study, resolved), "not_possible": str(missing)}


def _handed(params: Params, case: str, study: str) -> dict[str, Any]:
    """Return what the page of another study hands over: to the board, the frozen rule of segments."""
    return {"frozen_rule": read_frozen_rule(params, case)} if study == "board" else {}


def _committed(params: Params, case: str, study: str) -> _Made:
    committed = casebook_cells(params, case, study)
    tables = {
        name: pa.Table.from_pandas(table, preserve_index=False) for name, table in committed.tables.items()
    }
    return {name: _stored(table, f"{study}.{name}") for name, table in tables.items()}, dict(committed.meta)


def _meta(tidy: Tidy, study: str, params: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: tidy.meta[name] for name in ("as_of", "time_zone")}
    return {"case": tidy.case, "study": study, **shared, "params": dict(params)}


def _exact(expression: Table, where: str) -> pa.Table:
    """Return the rows of an expression, ordered by all columns, so that no order of the engine shows."""
    return _stored(expression.order_by(list(expression.columns)).to_pyarrow(), where)


def _stored(table: pa.Table, where: str) -> pa.Table:
    fields = [(field.name, _type(field, where)) for field in table.schema]
    return table.cast(pa.schema(fields))


def _type(field: pa.Field, where: str) -> pa.DataType:
    """Return how a column of cells is stored; floats, whose sums depend on their order, are refused."""
    kinds = {
        pa.types.is_integer: pa.int64(),
        pa.types.is_decimal: pa.decimal128(38, 9),
        pa.types.is_string: pa.string(),
        pa.types.is_large_string: pa.string(),
        pa.types.is_date: pa.date32(),
    }
    for is_kind, stored in kinds.items():
        if is_kind(field.type):
            return stored
    raise DataError(
        f"{where}.{field.name}: wrong type {field.type}. Cells hold integers, decimals, text and dates only."
    )
