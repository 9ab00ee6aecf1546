"""Verdicts as a word with a shape and a tone, so that none is known by its colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["good", "warn", "bad", "neutral", "off"]

#: Shape of every tone; they differ on a grey printer too.
SHAPES: dict[Tone, str] = {"good": "●", "warn": "▲", "bad": "■", "neutral": "◆", "off": "○"}

_CHECKS: dict[str, Tone] = {"pass": "good", "warn": "warn", "fail": "bad", "cannot be judged": "off"}
_VERDICTS: dict[str, Tone] = {
    "ship": "good",
    "keep": "good",
    "sound": "good",
    "wait": "warn",
    "read": "warn",  # with care
    "stop": "bad",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict as it is shown.

    Attributes
    ----------
    word, shape, tone : str
        What it says, the shape before it and the colour's name.
    """

    word: str
    shape: str
    tone: Tone

    def __str__(self) -> str:
        return f"{self.shape} {self.word}"


def check_mark(verdict: str) -> Mark:
    """Return the mark of a check's verdict."""
    return _mark(verdict, _CHECKS.get(verdict, "neutral"))


def verdict_mark(verdict: str, status: str) -> Mark:
    """Return the mark of an answer: what its status allows first, then the first word of its verdict."""
    if status == "not possible":
        return _mark(verdict, "off")
    if status == "blocked":
        return _mark(verdict, "bad")
    first = verdict.split(" ", 1)[0].lower().rstrip(",:;")
    return _mark(verdict, _VERDICTS.get(first, "neutral"))


def _mark(word: str, tone: Tone) -> Mark:
    return Mark(word, SHAPES[tone], tone)
