"""A check: what was looked at, what came out, and what that means for the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "warn", "fail", "cannot be judged"]

#: Verdicts that block a recommendation: too little data to judge blocks as a failure does.
BLOCKING: frozenset[Verdict] = frozenset({"fail", "cannot be judged"})


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a study.

    Attributes
    ----------
    name : str
        What is checked, in plain words.
    verdict : str
        ``pass``, ``warn``, ``fail`` or ``cannot be judged``.
    finding : str
        What came out, with its number.
    meaning : str
        What that means for the answer.
    catch_rate : float or None
        Share of planted faults it finds (0-1), with the fault described in `rates_from`.
    false_alarm_rate : float or None
        Share of sound data on which it alarms (0-1).
    rates_from : str
        Where both rates come from; empty when there are none.
    """

    name: str
    verdict: Verdict
    finding: str
    meaning: str
    catch_rate: float | None = None
    false_alarm_rate: float | None = None
    rates_from: str = ""

    @property
    def blocks(self) -> bool:
        """Whether a recommendation may not be given."""
        return self.verdict in BLOCKING
