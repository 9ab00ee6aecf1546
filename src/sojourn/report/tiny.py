"""Tiny pictures between words: a trend as a line, an interval as a dot on a bar."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from sojourn.core.palette import LIGHT

_WIDTH, _HEIGHT = 96, 24
_ACCENT, _CONTROL, _MUTED, _GRID = (
    f"var(--{name},{LIGHT[name]})" for name in ("accent", "control", "muted", "grid")
)


def trend(values: Sequence[float], label: str) -> Markup:
    """Draw a series as a line that ends in a dot: shares between 0 and 1, others from lowest to highest."""
    low, high = (0.0, 1.0) if all(0 <= v <= 1 for v in values) else (min(values), max(values))
    span = (high - low) or 1.0
    step = (_WIDTH - 8) / max(len(values) - 1, 1)
    tall = _HEIGHT - 8
    points = [(4 + i * step, 4 + tall - (v - low) / span * tall) for i, v in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return _svg(
        f'<polyline points="{path}" fill="none" stroke="{_CONTROL}" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{_ACCENT}"/>',
        label,
    )


def interval(value: float, low: float, high: float, *, scale: tuple[float, float], label: str) -> Markup:
    """Draw an estimate as a dot on the bar of its interval, on a faint line as long as the scale.

    A thin upright line marks zero where it is in sight.
    """
    left, right = scale
    span = (right - left) or 1.0

    def x(at: float) -> float:
        return 3 + min(max((at - left) / span, 0.0), 1.0) * (_WIDTH - 6)

    zero = f'<path d="M{x(0):.1f} 2v20" stroke="{_MUTED}" stroke-width="1"/>' if left <= 0 <= right else ""
    return _svg(
        f'<path d="M3 12h{_WIDTH - 6}" stroke="{_GRID}" stroke-width="1"/>{zero}'
        f'<path d="M{x(low):.1f} 12H{x(high):.1f}" stroke="{_CONTROL}" stroke-width="3"/>'
        f'<circle cx="{x(value):.1f}" cy="12" r="3.5" fill="{_ACCENT}"/>',
        label,
    )


def _svg(inner: str, label: str) -> Markup:
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return Markup(f'<svg class="tiny" {box} role="img" aria-label="{escape(label)}">{inner}</svg>')
