"""Small, protected and silent data: each result holds together, or says in a sentence why it is empty."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
import tidy_worlds
from sojourn.core.cells import Cells
from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.data.cells import make_cells
from sojourn.data.tidy import Tidy
from sojourn.showing import SHOWN

AS_OF, FROM = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
ASKED = {
    "churn": "cancellation",
    "lapse_days": 7,
    "event": "any",
    "first_seen_after_days": 0,
    "groups": ["channel", "plan", "region", "age_band"],
    "windows": [7, 14, 30],
    "landmark": 30,
    "exam_days": 91,
    "lens_days": [1, 7, 30],
}
MASS = 0.95
#: Where a result says how many members each of its numbers rests on.
RESTS_ON = {
    "WithUs": "at_risk",
    "TimeToReturn": "at_risk",
    "RiskPeak": "at_risk",
    "Reasons": "at_risk",
    "LandmarkCurves": "at_risk",
    "DefinitionLens": "n",
    "DayN": "matured",
    "CohortTriangle": "members",
    "Forecast": "members",
    "ExpectedLosses": "members",
}
#: Results that are examined.
JUDGED = ("RiskPeak", "CohortEffects", "LapseWindow", "Drivers", "Reasons", "Forecast", "Lifetimes", "Gate")
#: What a sentence may not hold: a number that is none.
NO_NUMBER = re.compile(r"\b(nan|inf|NaT)\b")

type Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Shape:
    """A hard shape of data: a world of so many members, changed, and how it is counted."""

    members: int
    change: Callable[[Frames], None] = lambda _: None
    base: int = 0
    min_group: int = 20
    silence: bool = False
    as_of: datetime = AS_OF


def nobody_leaves(frames: Frames) -> None:
    frames["members"] = frames["members"].assign(churned_at=pd.Series(pd.NaT, dtype="datetime64[us, UTC]"))
    frames["members"]["churn_reason"] = None


def leaves_after(days: float, share: float = 1.0) -> Callable[[Frames], None]:
    """Return what makes a share of members leave so long after joining on the first day of observation."""

    def change(frames: Frames) -> None:
        members = frames["members"]
        leaves = np.arange(len(members)) < share * len(members)
        members["joined_at"] = FROM
        members["churned_at"] = pd.Series([FROM + timedelta(days=days)] * len(members), members.index).where(
            leaves
        )
        members["churn_reason"] = np.where(leaves, "price", None)

    return change


def only_events(frames: Frames) -> None:
    del frames["spells"]
    frames["members"] = frames["members"][["member", "joined_at"]].assign(
        **dict.fromkeys(ASKED["groups"], None)
    )


SHAPES = {
    "a few, protected": Shape(12, base=20),
    "no plan large enough": Shape(30, base=20),
    "nobody leaves": Shape(40, nobody_leaves),
    "all leave at once": Shape(30, leaves_after(0)),
    "all leave on one day": Shape(30, leaves_after(11)),
    "half leave on one day": Shape(40, leaves_after(11, 0.5), min_group=5),
    "silence only": Shape(60, only_events, silence=True, min_group=5),
    "silence only, protected": Shape(60, only_events, silence=True, base=20),
    "followed for a day": Shape(30, as_of=FROM + timedelta(days=1)),
}


@cache
def cells_of(shape: Shape, seed: int = 1) -> Cells:
    """Return the cells of a shape."""
    world = sj.make_world(members=shape.members, seed=seed, as_of=shape.as_of, start=FROM)
    frames = tidy_worlds.frames_of(world, ("members", "events", "spells"))
    shape.change(frames)
    said = {
        "as_of": shape.as_of.isoformat(),
        "observed_from": FROM.isoformat(),
        "first_instant": FROM.isoformat(),
        "time_zone": "Europe/Berlin",
        "truth": world.truth.summary,
    }
    asked = {**ASKED, "churn": "silence" if shape.silence else "cancellation"}
    return make_cells(Tidy("small", tidy_worlds.tables(frames), said), "retention", asked, base=shape.base)


def results(cells: Cells, min_group: int) -> list[object]:
    """Return everything the page shows that may be empty."""
    shown = {"mass": MASS, "min_group": min_group}
    gate = sj.gate(cells, horizons=[30, 90], ici_max=0.02, min_group=min_group)
    drivers = sj.drivers(cells, horizon=30, **shown)
    return [
        sj.with_us(cells, horizon=30, **shown),
        sj.time_to_return(cells, horizon=30, **shown),
        sj.risk_peak(cells, width=7, **shown),
        drivers,
        drivers.proportional,
        sj.reasons(cells, horizon=30, **shown),
        sj.lapse_window(cells, horizon=30, **shown),
        sj.lens(cells, min_group=min_group),
        sj.day_n(cells, days=[7], **shown),
        sj.cohort_triangle(cells, step=30, **shown),
        sj.cohort_effects(cells, **shown),
        sj.lifetimes(cells, horizons=[30, 90], within=90, **shown),
        sj.landmark_curves(cells, horizon=30, **shown),
        sj.forecast(cells, step=30, ahead=3, rng=np.random.default_rng(1), audited=False, **shown),
        gate,
        sj.expected_losses(cells, gate, **shown),
    ]


def check_result(result: object, min_group: int) -> None:
    """Check that a result says why it is empty, or that what it holds may be shown and fits together."""
    name, said = type(result).__name__, sj.say(result)
    assert not NO_NUMBER.search(said), f"{name}: {said}"
    if result.why_empty:
        assert re.fullmatch(r"[A-Z].{10,}\.", result.why_empty), f"{name}: {result.why_empty}"
        assert result.why_empty in said
        assert name not in SHOWN or sj.show(result, name="shown").kind == "missing"
        return
    assert len(result.table), name
    assert re.match(r"[A-Z0-9].*[.:]", said), f"{name}: {said}"
    for field in fields(result):
        if isinstance(frame := getattr(result, field.name), pd.DataFrame):
            check_intervals(frame, f"{name}.{field.name}")
    if name in RESTS_ON:
        assert result.table[RESTS_ON[name]].min() >= min_group, name


def check_intervals(frame: pd.DataFrame, name: str) -> None:
    """Check that bounds lie around what they are bounds of, and shares between 0 and 1."""
    for column in frame.columns:
        bounds = [f"{column}_low", column, f"{column}_high"]
        if set(bounds) <= set(frame.columns):
            low, value, high = (frame[bound].astype(float) for bound in bounds)
            known = low.notna() & high.notna()
            assert (low[known] <= value[known] + 1e-9).all(), f"{name}: {column}"
            assert (value[known] <= high[known] + 1e-9).all(), f"{name}: {column}"
        if column == "retained" or column.endswith("_share"):
            assert frame[column].dropna().between(-1e-12, 1 + 1e-12).all(), f"{name}: {column}"


def check_curve(curve: sj.RetentionCurve, found: list[object], min_group: int) -> None:
    """Check that a curve may be shown, that its counts add up, and that others fit it."""
    table = curve.table
    check_intervals(table, "curve")
    assert table["at_risk"].min() >= min_group
    assert (table["retained"].diff().dropna() <= 1e-12).all()
    gone = (table["churned"] + table["censored"]).iloc[:-1].to_numpy()
    assert (table["at_risk"].to_numpy()[1:] >= table["at_risk"].to_numpy()[:-1] - gone).all()
    by_name = {type(result).__name__: result for result in found}
    if not by_name["Reasons"].why_empty:
        left = by_name["Reasons"].table.groupby("duration")["left_share"].sum()
        assert left.to_numpy() == pytest.approx(1 - table["retained"].to_numpy(), abs=1e-9)


def check_page(cells: Cells, min_group: int) -> str:
    """Check everything of a page, and return why there is no curve of everybody; empty where there is one."""
    found = results(cells, min_group)
    for result in found:
        check_result(result, min_group)
    try:
        curve = sj.retention_curve(cells, mass=MASS, min_group=min_group)
    except UndefinedError as reason:
        assert not sj.loss_rate(cells, min_group=min_group).drawn().size
        return str(reason)
    check_curve(curve, found, min_group)
    judged = [result for result in found if type(result).__name__ in JUDGED]
    checks = [*sj.check_retention(cells, curve, horizon=30), *sj.check_results(*judged)]
    for check in checks:
        assert not NO_NUMBER.search(f"{check.finding} {check.meaning}"), check
    headline = sj.headline_retention(curve, checks, horizon=30, horizons=[7, 30], beside=found[:6])
    assert re.match(r"[A-Z].*\.", headline.sentence)
    assert not NO_NUMBER.search(f"{headline.sentence} {headline.detail}")
    return ""


@pytest.mark.parametrize("shape", [pytest.param(shape, id=name) for name, shape in SHAPES.items()])
def test_a_page_of_a_hard_shape_stands(shape):
    why = check_page(cells_of(shape), shape.min_group)
    assert bool(why) == (shape.members < shape.min_group)
    assert why == "" or why.endswith("no curve.")


@given(
    st.builds(
        Shape,
        members=st.integers(1, 60),
        base=st.sampled_from([0, 5, 20]),
        silence=st.booleans(),
        as_of=st.sampled_from([AS_OF, FROM + timedelta(days=40)]),
    ),
    st.integers(0, 1_000),
)
@settings(deadline=None, max_examples=3)
def test_a_page_of_any_small_world_stands(shape, seed):
    check_page(cells_of(shape, seed), shape.base or 5)


def test_where_all_groups_are_too_small_that_is_what_is_said():
    cells = cells_of(SHAPES["no plan large enough"])
    for why in (sj.cohort_triangle(cells).why_empty, sj.cohort_effects(cells).why_empty):
        assert why == "No month of joining has enough members to be shown."
    with pytest.raises(UndefinedError, match="No group of small by 'plan' has 20 members"):
        sj.retention_curve(cells, by="plan")
    assert sj.day_n(cells, days=[7], by="plan").why_empty.startswith("No group has 20 members")
    with pytest.raises(ParameterError, match="gender"):
        sj.retention_curve(cells, by="gender")
