"""Key figures and actions: the strip under the answer, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure of the strip.

    Attributes
    ----------
    label : str
        What it is, in plain words.
    value : str
        The number with its unit, ready to read.
    interval : str
        Its interval in words with mass and kind, or why it has none.
    trend : sequence of float
        Values of a small multiple in order of time, at most 60; empty for none.
    """

    label: str
    value: str
    interval: str
    trend: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do next.

    Attributes
    ----------
    what : str
        The action, as an imperative sentence.
    effect : str
        What may be expected, with its interval where there is one.
    cost : str
        What it costs, or that it is not known.
    evidence : str
        ``trial``, ``observational`` or ``none``, and where on the page it stands.
    """

    what: str
    effect: str
    cost: str
    evidence: str
