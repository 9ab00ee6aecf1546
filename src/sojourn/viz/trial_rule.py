"""Picture of a rule: wrong ships and finds by threshold."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

from sojourn.core.errors import UndefinedError
from sojourn.core.results.trial_rule import RuleCalibration
from sojourn.core.text import percent
from sojourn.viz.theme import ACCENT, BAD, CONTROL, INK, MUTED, label_end, new_axes, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = (0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995)


def plot_calibration(rule: RuleCalibration, *, ax: Axes | None = None) -> Axes:
    """Draw wrong ships in the worst world, and ships of what is worth it, by threshold.

    Thresholds are spaced as standard deviations of a normal distribution.

    Raises
    ------
    UndefinedError
        When there is no threshold.
    """
    if rule.why_empty:
        raise UndefinedError(f"There is nothing to draw. {rule.why_empty}")
    curve, at = rule.drawn(), NormalDist().inv_cdf
    x = [at(threshold) for threshold in curve["p_threshold"]]
    ax = new_axes(ax, height=240)
    with theme():
        ax.axhline(100 * rule.asked, color=MUTED, linewidth=1)
        ax.annotate(f"asked: {percent(rule.asked)}", (x[0], 100 * rule.asked), xytext=(0, 3),
                    textcoords="offset points", color=MUTED)  # fmt: skip
        for name, colour, words in (("found_rate", ACCENT, "found"), ("wrong_rate", BAD, "wrong ships")):
            ax.plot(x, 100 * curve[name], color=colour)
            label_end(ax, x[-1], 100 * float(curve[name].iloc[-1]), words, colour)
        lines = [
            (rule.threshold, f"needed: {rule.threshold:.4f}", INK),
            (rule.planned, f"as planned: {rule.planned:g}", CONTROL),
        ]
        for (threshold, words, colour), side in zip(sorted(lines), ("right", "left"), strict=True):
            ax.axvline(at(threshold), color=colour, linewidth=1)
            ax.annotate(f" {words} ", (at(threshold), 102), color=colour, ha=side, annotation_clip=False)
        shown = [tick for tick in _TICKS if x[0] <= at(tick) <= x[-1]]
        ax.set_xticks([at(tick) for tick in shown], [f"{tick:g}" for tick in shown])
        ax.set_xlim(x[0], x[-1])
        ax.set_ylim(0, 100)
        ax.set_ylabel("% of trials")
        ax.set_xlabel("threshold of the rule")
    return ax
