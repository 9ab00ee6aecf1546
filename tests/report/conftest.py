"""A small study as a notebook would show it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sojourn.core.interval import Interval
from sojourn.core.results.block import Block
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.report import blocks
from sojourn.report.page import Foot
from sojourn.viz.figure import figure
from sojourn.viz.theme import ACCENT, label_end, new_axes


@dataclass(frozen=True)
class Shown:
    """One thing that a notebook shows, as the runner hands it over."""

    kind: Any
    content: Any
    place: Any = ""


def block(made: Block) -> Shown:
    return Shown("block", {"kind": made.kind, **made.data})


def picture(name: str = "kept-by-day") -> Block:
    ax = new_axes()
    x = np.arange(91)
    ax.step(x, 0.995**x, where="post", color=ACCENT)
    label_end(ax, 90, 0.64, "coupon 64 %", ACCENT)
    table = pd.DataFrame({"scheme": "coupon", "duration": x, "retained": 0.995**x})
    words = {"title": "Two in three stay 90 days", "subtitle": "Share of members still with us, by day"}
    return figure(ax, name=name, alt="One falling curve that ends at 64 %.", table=table, **words)


SCHEMES = pd.DataFrame(
    {
        "scheme": ["coupon", "points"],
        "n": [12_345, 12_000],
        "lift": [0.0214, -0.003],
        "lift_low": [0.004, -0.02],
        "lift_high": [0.038, 0.014],
        "p_beats_control": [0.974, 0.37],
        "net_value": [1.234, np.nan],
    }
)
HEADLINE = Headline(
    "The welcome coupon keeps 2.1 more members in 100 at 90 days (95 % credible interval 0.4 to 3.8).",
    "ship",
    "ok",
    Interval(2.14159, 0.4, 3.8, mass=0.95, kind="eti"),
    "members in 100",
    "It earns more than it costs.",
)
CHECKS = [
    Check("Arms have their sizes", "pass", "p = 0.43.", "The assignment worked.", 0.97, 0.01, "1,000 trials"),
    Check("Members have matured", "warn", "88 % have.", "The answer may move."),
    Check("The model converged", "fail", "R-hat 1.2.", "No recommendation."),
    Check("The audit agrees", "cannot be judged", "It has not run.", "No recommendation."),
]
ACTIONS = [Action("Give the coupon to everyone.", "2.1 more in 100 stay.", "0.80 EUR per member", "trial")]
FIGURES = [
    KeyFigure("Kept with the coupon", "36.4 %", "95 % credible interval 35.2 to 37.2", [0.3, 0.35, 0.364]),
    KeyFigure("Chance that it beats control", "97 in 100", "a probability has no interval"),
]


def items() -> list[Shown]:
    return [
        Shown("prose", "# Which incentive keeps members?\n\nEvery new member was assigned at random."),
        Shown("code", "import sojourn as sj"),
        Shown("prose", "## In short"),
        Shown("code", "sj.answer(headline)  # the sentence"),
        block(blocks.answer(HEADLINE)),
        block(blocks.key_figures(FIGURES)),
        block(picture()),
        Shown("prose", "## What could be wrong"),
        block(blocks.checks_table(CHECKS)),
        Shown("prose", "## How much does each scheme change?\n\n*Partial pooling* draws small groups in."),
        block(blocks.table(SCHEMES, name="schemes", title="One lies above zero", note="95 %.", bold="lift")),
        Shown("text", "Trial main of demo"),
        block(blocks.note("The note says `sj.say`.")),
        Shown("prose", "## What to do next\n\nGo on with [the groups](30-which-groups.ipynb)."),
        block(blocks.actions(ACTIONS)),
    ]


@pytest.fixture
def page() -> dict[str, Any]:
    """Everything that `render_page` takes."""
    about = {
        "title": "Demo platform",
        "kind": "simulated",
        "source": "The simulated world.",
        "licence": "MIT",
        "note": "A historic trial.",
        "currency": "EUR",
        "public": True,
    }
    meta = {"as_of": "2025-07-01T00:00:00Z", "observed_from": "2024-01-01T00:00:00Z"}
    foot = Foot(
        {"groups": (["plan"], ["plan", "region"])}, "20-which-scheme.ipynb", "01", "02", "03", {"pymc": "6"}
    )
    return {
        "about": about,
        "case": "demo",
        "study": "trials",
        "title": "Which incentive keeps members?",
        "cells_meta": meta,
        "items": items(),
        "foot": foot,
    }


@pytest.fixture
def study_blocks() -> dict[str, Block]:
    """One block of every kind."""
    return {
        "answer": blocks.answer(HEADLINE),
        "figures": blocks.key_figures(FIGURES),
        "picture": picture(),
        "checks": blocks.checks_table(CHECKS),
        "table": blocks.table(SCHEMES, name="schemes", title="Schemes", note="95 %.", bold="lift"),
        "actions": blocks.actions(ACTIONS),
        "note": blocks.note("A note on `sj.say`."),
    }
