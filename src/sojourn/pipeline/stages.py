"""The stages before and after the notebooks: prepare, cells, index."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sojourn.core.params import Params, read_params
from sojourn.core.project import root


def prepare(case: str) -> Path:
    """Send a case through the door; the simulated platform is drawn first.

    Returns
    -------
    Path
        Folder of the tidy tables.
    """
    from sojourn.data.prepare import prepare as through_the_door

    params = read_params()
    raw = _draw_world(params, case) if params.case(case)["prepare"]["source"] == "world" else None
    print(f"  {case}: reading, checking, pseudonymising", file=sys.stderr)
    return through_the_door(params, case, raw=raw)


def _draw_world(params: Params, case: str) -> dict[str, Path]:
    from sojourn.world import WORLD_KEYS, write_world

    stated = params.case(case)["prepare"]
    knobs = {key: stated[key] for key in ("seed", *WORLD_KEYS) if key in stated}
    print(f"  {case}: drawing the platform", file=sys.stderr)
    return write_world(params.places(case).raw, **knobs)


def cells(case: str, study: str) -> Path:
    """Make the cells of a pair from its tidy tables or from the casebook.

    Returns
    -------
    Path
        Folder of the cells.
    """
    from sojourn.data.cells import write_cells

    return write_cells(read_params(), case, study)


def index() -> None:
    """Write ``reports/index.html``, the glossary, the picture of the README and the machine class."""
    from sojourn.pipeline.machine import machine_class
    from sojourn.pipeline.readme import figure_svg
    from sojourn.report.glossary import render_glossary
    from sojourn.report.index import render_index

    reports = root() / "reports"
    headlines = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((reports / "cases").glob("*/*/headline.json"))
    ]
    made = {
        "index.html": render_index(headlines),
        "glossary.html": render_glossary(),
        "at-a-glance.svg": figure_svg(),
        "machine.json": json.dumps(machine_class(), indent=1, sort_keys=True) + "\n",
    }
    for name, text in made.items():
        (reports / name).write_text(text, encoding="utf-8")
