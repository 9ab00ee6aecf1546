"""One pair through its notebook: parameters in; page, tables and headline out, renamed into place."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sojourn.core.cells import Cells, read_cells
from sojourn.core.errors import ParameterError
from sojourn.core.folder import building_beside, put_in_place
from sojourn.core.params import Params, read_params
from sojourn.core.project import root
from sojourn.pipeline.machine import lock_hash, steady_environment
from sojourn.pipeline.private import only_mine
from sojourn.pipeline.runner.notebook import (
    NotDefinedError,
    declared_parameters,
    execute,
    matched,
    read_notebook,
    shown,
    source_hash,
)

#: Libraries whose versions stand in the foot of a page; the lock's hash stands for all others.
_NAMED = ("numpy", "pandas", "scikit-learn", "pymc", "ibis-framework", "duckdb")


def run_study(case: str, study: str) -> Path:
    """Run the notebook of a pair and put its page, tables and headline into place.

    Everything is built in a temporary sibling folder and renamed at the end, so a failure leaves the last
    good result whole.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ParameterError
        When the pair is not listed or a parameter is unknown or missing.
    NotebookError
        When the notebook fails, warns, or shows what a page may not hold.
    """
    params = read_params()
    pair = listed_pair(params, case, study)
    places = params.places(case)
    cells = read_cells(places.cells(study), case, study)
    with only_mine(params.is_private(case)):
        places.reports.mkdir(parents=True, exist_ok=True)
        with building_beside(places.reports / study) as built:
            _build(params, pair, cells, built)
            _scan(params, cells, built)
            put_in_place(built / study, places.reports / study)
            (built / f"{study}.html").replace(places.reports / f"{study}.html")
    return places.reports / f"{study}.html"


def listed_pair(params: Params, case: str, study: str) -> Mapping[str, str]:
    """Return the entry of a pair.

    Raises
    ------
    ParameterError
        When it is not listed.
    """
    params.case(case)
    pairs = params.pairs(private=params.is_private(case))
    name = f"{case}-{study}"
    if name not in pairs:
        where = "private_pairs" if params.is_private(case) else "pairs"
        raise ParameterError.no_such(f"pair in `{where}`", name, pairs)
    return pairs[name]


def _build(params: Params, pair: Mapping[str, str], cells: Cells, folder: Path) -> None:
    """Write the page, the CSV files and the headline of a pair into a folder."""
    from sojourn.report.page import csv_files, handed_out, headline_json, render_page

    case, study = cells.case, cells.study
    source = root() / "notebooks" / f"{pair['notebook']}.ipynb"
    notebook = read_notebook(source)
    given = resolved_parameters(params, case, study)
    matched(declared_parameters(notebook), given, source.name)
    items = _items(params, cells, source, given)
    said: dict[str, Any] = {
        "about": params.about(case),
        "case": case,
        "study": study,
        "title": question(notebook),
        "cells_meta": cells.meta,
    }
    foot = _foot(params, cells, source.name, source_hash(notebook))
    (folder / study).mkdir()
    (folder / f"{study}.html").write_text(render_page(items=items, foot=foot, **said), encoding="utf-8")
    (folder / study / "headline.json").write_text(headline_json(items, **said), encoding="utf-8")
    for name, text in {**csv_files(items), **handed_out(items)}.items():
        (folder / study / name).write_text(text, encoding="utf-8")


def _scan(params: Params, cells: Cells, built: Path) -> None:
    """Refuse a built report that holds what may not be published (`sojourn.report.scan`)."""
    from sojourn.report.scan import need_clean

    paths = sorted(path for path in built.rglob("*") if path.is_file())
    files = {path.relative_to(built).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    stated = [text for text in params.about(cells.case).values() if isinstance(text, str)]
    need_clean(files, f"The report {cells.case}/{cells.study}", stated=stated)


def _items(params: Params, cells: Cells, source: Path, given: Mapping[str, Any]) -> list[Any]:
    """Return what the notebook shows, or the one sentence that says why it cannot run."""
    from sojourn.report.page import not_possible_items

    if "not_possible" in cells.meta:
        return list(not_possible_items(cells.meta["not_possible"]))
    kept = params.places(cells.case).base / ".sojourn" / "executed" / f"{cells.case}-{cells.study}.ipynb"
    kept.parent.mkdir(parents=True, exist_ok=True)
    label = f"{cells.study} of {cells.case}"
    try:
        executed = execute(source, kept, given, environment=steady_environment(), label=label)
    except NotDefinedError as reason:
        return list(not_possible_items(str(reason)))
    return list(shown(executed))


def resolved_parameters(params: Params, case: str, study: str) -> dict[str, Any]:
    """Return what a notebook is given: case, seed, smallest group and the study's parameters."""
    return {"case": case, "seed": params.seed, "min_group": params.min_group, **params.for_study(case, study)}


def question(notebook: Any) -> str:
    """Return the notebook's first-level heading."""
    lines = [
        line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()
    ]
    return str(next(line.removeprefix("# ").strip() for line in lines if line.startswith("# ")))


def _foot(params: Params, cells: Cells, notebook: str, notebook_hash: str) -> Any:
    from sojourn.report.page import Foot

    return Foot(
        parameters=_changed(params, cells.case, cells.study),
        notebook=notebook,
        notebook_hash=notebook_hash,
        data=cells.fingerprint,
        lock=lock_hash(),
        versions={name: version(name) for name in _NAMED},
    )


def _changed(params: Params, case: str, study: str) -> dict[str, tuple[Any, Any]]:
    """Return the parameters that a case overrides, as (default, used)."""
    section = params.raw["studies"][study]
    defaults = {**{k: v for k, v in section.items() if k != "cells"}, **section.get("cells", {})}
    used = {**params.for_study(case, study), **params.for_cells(case, study)}
    return {name: (defaults[name], value) for name, value in used.items() if value != defaults[name]}
