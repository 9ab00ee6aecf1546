"""The stages before and after the notebooks: prepare, cells, index."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sojourn.core.params import Params, read_params
from sojourn.core.project import root
from sojourn.pipeline.private import only_mine


def prepare(case: str, *, into: Path | None = None, anew: bool = False) -> Path:
    """Send a case through the door; the simulated platform is drawn first.

    Parameters
    ----------
    case : str
        Name of the case.
    into : Path, optional
        Folder to make; the case's own when not stated.
    anew : bool
        Whether a case that grows reads what it has read already as well.

    Returns
    -------
    Path
        Folder of the tidy tables.
    """
    from sojourn.data.prepare import prepare as through_the_door
    from sojourn.data.settings import read_settings

    params = read_params()
    with only_mine(params.is_private(case)):
        raw = _draw_world(params, case) if read_settings(params, case).source == "world" else None
        print(f"  {case}: reading, checking, pseudonymising", file=sys.stderr)
        return through_the_door(
            params,
            case,
            raw=raw,
            into=into,
            anew=anew,
            tell=lambda text: print(f"  {case}: {text}", file=sys.stderr),
        )


def _draw_world(params: Params, case: str) -> dict[str, Path]:
    from sojourn.world import WORLD_KEYS, write_world

    stated = params.case(case)["prepare"]
    knobs = {key: stated[key] for key in ("seed", *WORLD_KEYS) if key in stated}
    print(f"  {case}: drawing the platform", file=sys.stderr)
    return write_world(params.places(case).raw, private=params.is_private(case), **knobs)


def cells(case: str, study: str) -> Path:
    """Make the cells of a pair from its tidy tables or from the casebook.

    Returns
    -------
    Path
        Folder of the cells.
    """
    from sojourn.data.cells import write_cells

    params = read_params()
    with only_mine(params.is_private(case)):
        return write_cells(params, case, study)


def index(*, private: bool) -> None:
    """Write the scorecard and the glossary; of the shared cases also the README's picture and the machine.

    Parameters
    ----------
    private : bool
        Whether of the private cases, below ``private/reports``.
    """
    from sojourn.report.glossary import render_glossary
    from sojourn.report.index import render_index
    from sojourn.report.scan import need_clean, stated_by

    params = read_params()
    reports = (root() / "private" if private else root()) / "reports"
    pairs = params.pairs(private=private).values()
    headlines = [reports / "cases" / pair["case"] / pair["study"] / "headline.json" for pair in pairs]
    made = {
        "index.html": render_index([json.loads(path.read_text(encoding="utf-8")) for path in headlines]),
        "glossary.html": render_glossary(),
        **({} if private else _shared_extras()),
    }
    need_clean(made, "The index", stated=stated_by(params, private=private))
    with only_mine(private):
        for name, text in made.items():
            (reports / name).write_text(text, encoding="utf-8")


def _shared_extras() -> dict[str, str]:
    from sojourn.pipeline.machine import machine_class
    from sojourn.pipeline.readme import figure_svg

    machine = json.dumps(machine_class(), indent=1, sort_keys=True) + "\n"
    return {"at-a-glance.svg": figure_svg(), "machine.json": machine}
