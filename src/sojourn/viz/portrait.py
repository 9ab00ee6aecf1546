"""Pictures of a portrait: joiners by week, groups, the rhythm of a week, first steps, days of coming."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sojourn.core.errors import UndefinedError
from sojourn.core.results.portrait import WEEKDAYS, Groups, Joiners, Part, Rhythm, Steps
from sojourn.core.results.portrait_doings import Activity
from sojourn.core.text import count, number, percent
from sojourn.viz.months import months
from sojourn.viz.theme import (
    ACCENT,
    BAND,
    CONTROL,
    CONTROL_BAND,
    DASHES,
    INK,
    MUTED,
    OTHERS,
    label_end,
    new_axes,
    new_panels,
    theme,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Least distance of two labels on an axis of shares.
_APART = 0.06


def plot_joiners(part: Joiners, *, ax: Axes | None = None) -> Axes:
    """Draw members who joined, week by week; campaigns that are known are shaded and named.

    Raises
    ------
    UndefinedError
        When there is nothing to draw; this holds of every picture here.
    """
    _need(part)
    table = part.drawn()
    weeks = [date.fromisoformat(week).toordinal() for week in table["week"]]
    ax = new_axes(ax, height=215)
    top = 1.22 * float(table["members"].max())
    with theme():
        for burst in part.bursts:
            first, last = (date.fromisoformat(day).toordinal() for day in (burst.first, burst.last))
            ax.axvspan(first, last + 1, color=CONTROL_BAND, linewidth=0)
            ax.annotate(f"campaign\n×{burst.factor:g}", (last + 6, top), va="top", color=MUTED)
        ax.plot([week + 3 for week in weeks], table["members"], color=ACCENT)
        ax.axhline(part.usual, color=CONTROL, linewidth=0.8)
        label_end(ax, weeks[-1] + 7, part.usual, f"usual\n{count(part.usual)}", color=MUTED)
        ax.set(ylim=(0, top), xlim=(weeks[0], weeks[-1] + 7))
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        ax.set_xticks(*months(weeks[0], weeks[-1]))
    return ax


def plot_members(part: Groups, *, ax: Axes | None = None) -> Axes:
    """Draw shares of joiners as bars by grouping; diamonds: of those with us; circles: what is planted."""
    _need(part)
    places, names, heads = _places(part)
    table = part.table
    ax = new_axes(ax, height=40 + 15.5 * (len(table) + 1.35 * len(heads)))
    with theme():
        ax.barh(places, table["joined_share"], height=0.62, color=BAND)
        ax.plot(table["with_us_share"], places, "D", color=ACCENT, markersize=3.6)
        if "true_share" in table:
            known = table["true_share"].notna().to_numpy()
            true = table["true_share"][known]
            at = [place for place, there in zip(places, known, strict=True) if there]
            ax.plot(true, at, "o", markerfacecolor="none", markeredgecolor=INK, markersize=6.5)
        for place, share, there in zip(places, table["joined_share"], table["with_us_share"], strict=True):
            label_end(ax, max(share, there), place, percent(share), color=INK, xytext=(8, 0), fontsize=9)
        for place, head in heads:
            ax.text(0, place, head, color=MUTED, va="center", transform=ax.get_yaxis_transform())
        ax.set_yticks(places, names, color=INK)
        ax.set(ylim=(max(places) + 0.7, -0.9), xlim=(0, 1.18 * float(table["joined_share"].max())))
        ax.set_xticks([])
        ax.tick_params(axis="y", length=0)
        ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _places(part: Groups) -> tuple[list[float], list[str], list[tuple[float, str]]]:
    """Return the height and name of every group, and height and name of every grouping above its groups."""
    places, names, heads, at = [], [], [], 0.0
    for by in part.bys:
        heads.append((at, f"by {by.replace('_', ' ')}"))
        for group in part.of(by)["group"]:
            at += 1
            places.append(at)
            names.append(str(group))
        at += 1.35
    return places, names, heads


def plot_rhythm(part: Rhythm, *, ax: Axes | None = None) -> Axes:
    """Draw visits by weekday and hour as a grid of tones, and below it (in a figure of its own) by hour.

    Returns
    -------
    Axes
        Of the grid.
    """
    _need(part)
    if ax is None:
        ax, under = new_panels([1.25, 1.0], height=330)
        _draw_hours(under, part)
    with theme():
        _draw_grid(ax, part)
    return ax


def _draw_grid(ax: Axes, part: Rhythm) -> None:
    """Draw one field per weekday and hour; fields of one tone are one path, which keeps the picture small."""
    from matplotlib.collections import PolyCollection

    table, most = part.table, float(part.table["visits"].max())
    tones: dict[float, list[list[tuple[float, float]]]] = {}
    for weekday, hour, visits in zip(table["weekday"], table["hour"], table["visits"].fillna(0), strict=True):
        tone = round(0.04 + 0.86 * round(float(visits) / most * 8) / 8, 3)
        tones.setdefault(tone, []).append(_field(int(hour), WEEKDAYS.index(weekday)))
    for tone, fields in sorted(tones.items()):
        ax.add_collection(PolyCollection(fields, facecolors=ACCENT, alpha=tone, linewidths=0))
    ax.set(xlim=(0, 24), ylim=(7, 0))
    ax.set_yticks([day + 0.5 for day in range(7)], [day[:3] for day in WEEKDAYS], color=INK)
    for day, share in enumerate(part.by_weekday):
        label_end(ax, 24, day + 0.5, _beside(float(share), part.true_weekdays[day : day + 1]), color=MUTED)
    ax.tick_params(length=0, labelbottom=False)
    ax.spines[["left", "bottom"]].set_visible(False)


def _beside(share: float, true: tuple[float, ...]) -> str:
    return percent(share) + "".join(f" ○ {number(100 * known)}" for known in true)


def _field(hour: int, day: int) -> list[tuple[float, float]]:
    left, right, top, bottom = hour + 0.04, hour + 0.96, day + 0.06, day + 0.94
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _draw_hours(ax: Axes, part: Rhythm) -> None:
    shares = part.by_hour
    middles = [hour + 0.5 for hour in shares.index]
    with theme():
        ax.plot(middles, shares, color=ACCENT)
        if part.true_hours:
            ax.plot(middles, part.true_hours, "o", markerfacecolor="none", markeredgecolor=INK)
        for peak in part.peaks:
            at = (peak + 0.5, float(shares[peak]))
            ax.annotate(f"{peak}–{peak + 1} h", at, (0, 7), textcoords="offset points", ha="center")
        ax.set_ylim(0, 1.25 * float(shares.max()))
        ax.set_xticks(range(0, 25, 3), [str(hour) for hour in range(0, 25, 3)])
        ticks = [tick for tick in ax.get_yticks() if tick <= 1.25 * float(shares.max())]
        ax.set_yticks(ticks, [percent(tick, 0) for tick in ticks])
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("hour of the day", loc="left")


def plot_steps(part: Steps, *, ax: Axes | None = None) -> Axes:
    """Draw the share of new members who had reached each step, by days since joining."""
    _need(part)
    ax = new_axes(ax, height=235)
    with theme():
        ends = _ends(part)
        for step, colour, dash in zip(part.steps, (ACCENT, *OTHERS), DASHES, strict=False):
            rows = part.table[part.table["step"] == step]
            days, shares = [0, *rows["day"]], [0.0, *rows["reached_share"]]
            ax.plot(days, shares, color=colour, linestyle=dash, drawstyle="steps-post")
            bounds = (rows["day"], rows["reached_share_low"], rows["reached_share_high"])
            ax.fill_between(*bounds, step="post", color=colour, alpha=0.16, linewidth=0)
            if "true_share" in rows and rows["true_share"].notna().any():
                true = rows[rows["day"] % 3 == 0]
                ax.plot(true["day"], true["true_share"], "o", markerfacecolor="none", markeredgecolor=INK)
            label_end(ax, part.follow_days, ends[step], step.replace(" value", "\nvalue"), color=colour)
        if part.takes_off is not None:
            ax.axhline(part.takes_off, color=CONTROL, linewidth=0.8)
            ax.annotate(
                f"planted: {percent(part.takes_off)} take off",
                (0, part.takes_off), (3, 4), textcoords="offset points", color=MUTED,
            )  # fmt: skip
        ax.set(ylim=(0, 1), xlim=(0, part.follow_days))
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
        ax.set_xticks([day for day in (0, 1, 7, 14, 21, 30, 60, 90) if day <= part.follow_days])
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("days since joining", loc="left")
    return ax


def _ends(part: Steps) -> dict[str, float]:
    """Return heights of the names of lines, apart from each other."""
    ends = {step: part.reached(step).value for step in part.steps}
    taken: list[float] = []
    for step in sorted(ends, key=lambda name: -ends[name]):
        if taken and taken[-1] - ends[step] < 2 * _APART:
            ends[step] = taken[-1] - 2 * _APART
        taken.append(ends[step])
    return ends


def plot_active_days(part: Activity, *, ax: Axes | None = None) -> Axes:
    """Draw members by the number of days on which they came."""
    _need(part)
    table = part.table
    ax = new_axes(ax, height=200)
    with theme():
        ax.bar(table["days"], table["members"], width=0.8, color=[CONTROL, *[ACCENT] * (len(table) - 1)])
        most = float(table["members"].max())
        ax.axvline(part.mean, color=INK, linewidth=0.8)
        ax.annotate(
            f"mean {number(part.mean)}",
            (part.mean, 1.12 * most),
            (4, 0),
            textcoords="offset points",
            va="top",
        )
        ax.set_ylim(0, 1.14 * most)
        ticks = [tick for tick in ax.get_yticks() if tick <= 1.14 * most]
        ax.set_yticks(ticks, [count(tick) for tick in ticks])
        shown = [0, *[day for day in table["days"] if day and day % 5 == 0]]
        last = int(table["days"].iloc[-1])
        shown = [*[day for day in shown if day <= last - 3], last] if last > 8 else list(table["days"])
        names = dict(zip(table["days"], table["label"], strict=True))
        ax.set_xticks(shown, [names[day].replace(" and more", "+") for day in shown])
        ax.yaxis.grid(visible=True)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="x", length=0)
        ax.set_xlabel(f"days on which they came, of the last {part.last}", loc="left")
    return ax


def _need(part: Part) -> None:
    if part.why_empty:
        raise UndefinedError(f"There is nothing to draw. {part.why_empty}")
