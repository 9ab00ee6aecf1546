"""Pictures of retention: curves with numbers at risk, the cohort triangle, the rate of leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sojourn.core.results.retention import EVERYONE, CohortTriangle, LossRate, RetentionCurve
from sojourn.core.text import count
from sojourn.viz.axes import clear, drawn_of, fitting, ranked, set_lines, set_shares, set_time, width_of
from sojourn.viz.theme import ACCENT, BAND, DASHES, INK, MUTED, OTHERS, label_end, new_axes, new_panels, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Least distance of two labels at the ends of lines, in shares.
_LABEL_GAP = 0.055
#: Bands are this much lighter than their line.
_BAND_ALPHA = 0.16
#: Names stand on both sides of the curves; what is longer is cut, and colours tell those cut alike.
_LONGEST = 18
#: Between a name and the first number beside it, in points: the space, and half a figure.
_BESIDE, _HALF = 6.0, 3.2


def plot_retention(curve: RetentionCurve, *, at_risk: bool = True, ax: Axes | None = None) -> Axes:
    """Draw the share still with us against time since joining, one step line per group.

    Parameters
    ----------
    curve : RetentionCurve
        Its ``drawn()`` is drawn, and nothing else.
    at_risk : bool
        Whether numbers at risk stand under the curves; only in a figure of its own.
    ax : Axes, optional
        Axes of the caller.

    Returns
    -------
    Axes
        Bands are the pointwise intervals where they are claimed; circles are the truth of a simulated world.
    """
    drawn = curve.drawn()
    groups = list(drawn["group"].unique())
    under = None
    if ax is None and at_risk:
        rows = 0.35 + 0.32 * len(groups)
        ax, under = new_panels([4.2, rows], height=215 + 42 * rows)
        _name_rows(under, curve.only(groups))
    ax = new_axes(ax)
    with theme():
        for group, colour, dash in zip(groups, _colours(groups), DASHES * 2, strict=False):
            _draw_group(ax, drawn[drawn["group"] == group], colour, dash)
        _label_ends(ax, drawn, groups)
        if curve.truth is not None:
            _draw_truth(ax, curve.truth, drawn, groups)
        set_shares(ax)
        set_time(ax, curve.unit, int(drawn["duration"].max()), curve.since)
    if under is not None:
        _draw_at_risk(under, curve.only(groups))
    return ax


def plot_triangle(triangle: CohortTriangle, *, ax: Axes | None = None) -> Axes:
    """Draw the share kept by joining month (rows) and age (columns), darker where more are still there.

    Raises
    ------
    UndefinedError
        When the triangle is empty.
    """
    drawn = drawn_of(triangle)
    cohorts, ages = sorted(drawn["cohort"].unique()), sorted(drawn["duration"].unique())
    ax = new_axes(ax, height=46 + 15 * len(cohorts))
    with theme():
        for cohort, age, retained in zip(drawn["cohort"], drawn["duration"], drawn["retained"], strict=True):
            _draw_cell(ax, ages.index(age), cohorts.index(cohort), float(retained))
        ax.set(xlim=(-0.5, len(ages) - 0.5), ylim=(len(cohorts) - 0.5, -0.5))
        ax.set_xticks(range(len(ages)), [str(age) for age in ages])
        ax.set_yticks(range(len(cohorts)), cohorts)
        ax.set_xlabel(f"{triangle.unit}s since joining", loc="left")
        ax.tick_params(length=0)
        ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def plot_hazard(rate: LossRate, *, ax: Axes | None = None) -> Axes:
    """Draw how many in 100 leave, period by period, with the interval of every period as a band."""
    drawn = rate.drawn()
    ax = new_axes(ax, height=200)
    middle = (drawn["duration_from"] + drawn["duration"]) / 2
    with theme():
        ax.fill_between(middle, 100 * drawn["rate_low"], 100 * drawn["rate_high"], color=BAND)
        ax.plot(middle, 100 * drawn["rate"], color=ACCENT)
        ax.set_ylim(0, 105 * float(drawn["rate_high"].max()))
        set_lines(ax)
        set_time(ax, rate.unit, int(drawn["duration"].max()), rate.since)
    return ax


def _colours(groups: list[str]) -> list[str]:
    return [ACCENT, *OTHERS][: len(groups)]


def _draw_group(ax: Axes, rows: pd.DataFrame, colour: str, dash: Any) -> None:
    ax.plot(rows["duration"], rows["retained"], color=colour, linestyle=dash, drawstyle="steps-post")
    sure = rows[rows["claimed"]]
    bounds = (sure["duration"], sure["retained_low"], sure["retained_high"])
    ax.fill_between(*bounds, step="post", color=colour, alpha=_BAND_ALPHA, linewidth=0)


def _label_ends(ax: Axes, drawn: pd.DataFrame, groups: list[str]) -> None:
    """Name every line at its end, the highest end first, clear of other lines and names."""
    if groups == [EVERYONE]:
        return
    lines = {group: drawn[drawn["group"] == group] for group in groups}
    ends = {group: (int(r["duration"].iloc[-1]), float(r["retained"].iloc[-1])) for group, r in lines.items()}
    longest = int(drawn["duration"].max())
    taken: list[tuple[int, float]] = []
    for group in sorted(ends, key=lambda name: (-ends[name][1], name)):
        x, y = ends[group]
        others = [lines[name] for name in lines if name != group]
        named = [height for at, height in taken if abs(at - x) < longest / 4]
        height = _free(y, [*_passing(others, x, x + longest // 5), *named, 0.0])
        taken.append((x, height))
        label_end(ax, x, height, fitting(group, _LONGEST), color=_colours(groups)[groups.index(group)])


def _passing(lines: list[pd.DataFrame], first: int, last: int) -> list[float]:
    """Return heights of lines where they pass between two durations."""
    return [float(y) for rows in lines for y in rows.loc[rows["duration"].between(first, last), "retained"]]


def _free(height: float, obstacles: list[float]) -> float:
    """Return the nearest height above 0 that keeps its distance to all obstacles."""
    steps = [0.0, *(sign * k * _LABEL_GAP / 3 for k in range(1, 15) for sign in (1, -1))]
    tried = [height + step for step in steps if height + step > 0]
    free = (y for y in tried if all(abs(y - obstacle) >= _LABEL_GAP for obstacle in obstacles))
    return next(free, height)


def _draw_truth(ax: Axes, truth: pd.DataFrame, drawn: pd.DataFrame, groups: list[str]) -> None:
    """Draw the truth as circles; the word stands at the last circle of the first line."""
    for group, colour in zip(groups, _colours(groups), strict=True):
        end = int(drawn.loc[drawn["group"] == group, "duration"].max())
        known = truth[(truth["group"] == group) & (truth["duration"] <= end)]
        ax.plot(known["duration"], known["retained"], "o", markerfacecolor="none", markeredgecolor=colour)
        if group == groups[0] and len(known):
            at = (float(known["duration"].iloc[-1]), float(known["retained"].iloc[-1]))
            ax.annotate("truth", at, (5, 5), textcoords="offset points", color=INK)


def _name_rows(ax: Axes, curve: RetentionCurve) -> None:
    """Make room for numbers at risk, one row per group with its name left of the first number."""
    groups = list(curve.groups)
    left = -_HALF * len(count(curve.table["at_risk"].max())) - _BESIDE
    with theme():
        ax.set_ylim(len(groups) - 0.4, -1.1)
        ax.axis("off")
        ax.text(0, -0.75, "still observed", color=MUTED, va="center", ha="left")
        for y, (group, colour) in enumerate(zip(groups, _colours(groups), strict=True)):
            if group != EVERYONE:
                label_end(ax, 0, y, fitting(group, _LONGEST), color=colour, xytext=(left, 0), ha="right")


def _draw_at_risk(ax: Axes, curve: RetentionCurve) -> None:
    """Write numbers at risk under the ticks of the curves; both only where they are clear of each other."""
    groups, longest = list(curve.groups), int(curve.followed_to.max())
    places = ranked(curve.unit, longest)
    readings = curve.readings(places)
    widest = readings.groupby("duration")["at_risk"].max()
    with theme():
        scale = width_of(ax) / max(longest, 1)
        marked = clear(places, [str(place) for place in places], scale)
        ax.set_xticks(sorted(marked), [str(place) for place in sorted(marked)])
        places = clear(marked, [count(widest[place]) for place in marked], scale)
        for y, (group, colour) in enumerate(zip(groups, _colours(groups), strict=True)):
            rows = readings[(readings["group"] == group) & readings["duration"].isin(places)]
            for x, n in zip(rows["duration"], rows["at_risk"], strict=True):
                ax.text(x, y, count(n), color=colour, va="center", ha="center")


def _draw_cell(ax: Axes, x: int, y: int, retained: float) -> None:
    from matplotlib.patches import Rectangle

    shade = round(0.03 + 0.5 * retained, 2)
    ax.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=ACCENT, alpha=shade))
    ax.text(x, y, f"{100 * retained:.0f}", color=INK, ha="center", va="center", fontsize=8.5)
