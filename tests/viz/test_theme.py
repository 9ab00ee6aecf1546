"""Colours people can tell apart and read, and a look that leaves the caller's settings alone."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import NDArray

from sojourn.core.palette import DARK, LIGHT, LINES
from sojourn.viz import theme

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> NDArray[np.float64]:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    xyz = XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    dark, light = sorted(float(linear(c) @ XYZ[1]) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_line_colours_stay_apart_for_every_sight(colours: dict[str, str], sight: str) -> None:
    seen = {name: lab(SIGHT[sight] @ linear(colours[name])) for name in LINES}
    apart = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(LINES, 2)}
    # about 2.3 is the least difference one can see; four times that holds for thin lines at a distance
    assert min(apart.values()) > 9.2, min(apart, key=lambda pair: apart[pair])


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_labels_in_the_colour_of_a_line_can_be_read(colours: dict[str, str]) -> None:
    poor = {
        name: contrast(colours[name], colours["paper"])
        for name in ("ink", "muted", "good", "bad", "warn", *LINES)
    }
    assert min(poor.values()) >= 4.5, poor


def test_both_themes_name_the_same_colours_and_no_two_are_one() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)


def test_named_colours_are_those_of_the_palette() -> None:
    named = [
        theme.PAPER,
        theme.INK,
        theme.MUTED,
        theme.GRID,
        theme.CONTROL,
        theme.ACCENT,
        theme.BAND,
        theme.GOOD,
        theme.BAD,
    ]
    assert {*named, *theme.OTHERS} <= set(LIGHT.values())
    assert len(theme.DASHES) == len(theme.OTHERS)


def test_the_look_is_the_same_whatever_the_caller_has_set_and_leaves_it_alone() -> None:
    with mpl.rc_context({"axes.titleweight": "bold", "lines.linewidth": 9.0}):
        with theme.theme():
            assert mpl.rcParams["axes.titleweight"] == "normal"
            assert mpl.rcParams["svg.fonttype"] == "none"
        assert mpl.rcParams["lines.linewidth"] == 9.0


def test_new_axes_have_no_spine_above_or_right_and_no_pyplot_window() -> None:
    import matplotlib.pyplot as plt

    ax = theme.new_axes()
    assert [side for side in ("top", "right", "left", "bottom") if ax.spines[side].get_visible()] == [
        "left",
        "bottom",
    ]
    assert plt.get_fignums() == []
    assert theme.new_axes(ax) is ax


def test_the_upper_of_two_panels_keeps_the_labels_of_its_ticks() -> None:
    upper, lower = theme.new_panels([4, 1], height=200)
    upper.set_xlim(0, 90)
    assert lower.get_xlim() == (0, 90)
    assert upper.get_xticklabels()[0].get_visible()


def test_a_line_is_named_at_its_end_in_its_colour() -> None:
    ax = theme.new_axes()
    theme.label_end(ax, 3, 0.5, "annual", theme.ACCENT)
    label = ax.texts[0]
    assert (label.get_text(), label.get_color(), label.get_ha()) == ("annual", theme.ACCENT, "left")
