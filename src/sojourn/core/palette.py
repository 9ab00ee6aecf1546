"""Colours with one meaning everywhere, in a light and a dark theme.

Pictures draw in the light colours; on a page every one of them is a CSS variable of the same name, so that
pictures follow the theme of the page. Hues start from Okabe and Ito, "Color Universal Design" (2008); the
lightness of each was then spread until all pairs of line colours stay apart under simulated protanopia,
deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009, doi 10.1109/TVCG.2009.113) and text in them
keeps a contrast of 4.5 : 1 (WCAG 2.2). ``tests/viz/test_theme.py`` measures both.
"""

from __future__ import annotations

LIGHT: dict[str, str] = {
    "paper": "#ffffff",
    "ground": "#f6f7f9",
    "ink": "#1c2128",
    "muted": "#59626d",
    "grid": "#d9dee4",
    "control": "#6a737d",
    "accent": "#0b62a8",
    "band": "#c7ddf0",
    "control-band": "#e1e4e8",
    "other-1": "#7a3206",
    "other-2": "#0a4a3b",
    "other-3": "#652469",
    "other-4": "#906f1a",
    "other-5": "#953ae0",
    "good": "#0a6b4d",
    "warn": "#855500",
    "bad": "#b3261e",
}
DARK: dict[str, str] = {
    "paper": "#171c23",
    "ground": "#0f1318",
    "ink": "#e6eaef",
    "muted": "#a3adb8",
    "grid": "#343c46",
    "control": "#9aa4ae",
    "accent": "#6cb6f5",
    "band": "#22405c",
    "control-band": "#2b323a",
    "other-1": "#e07033",
    "other-2": "#5de6b0",
    "other-3": "#dc50f8",
    "other-4": "#ebca4e",
    "other-5": "#a085bb",
    "good": "#4fc99e",
    "warn": "#e3b04b",
    "bad": "#ff8b7b",
}

#: Colours of lines and their labels; everything else is paper, ink or a band.
LINES: tuple[str, ...] = ("accent", "control", "other-1", "other-2", "other-3", "other-4", "other-5")
