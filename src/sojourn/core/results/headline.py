"""The one sentence of a study, its number and its verdict: what the index and the metrics show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sojourn.core.interval import Interval

Status = Literal["ok", "blocked", "not possible"]


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer of one study for one case.

    Attributes
    ----------
    sentence : str
        The answer in one plain sentence with its interval in words.
    verdict : str
        One to five words: what follows ("ship", "wait", "stop", "no difference worth having" …).
    status : str
        ``ok``, ``blocked`` (a check failed) or ``not possible`` (a table is missing).
    interval : Interval or None
        The number behind the sentence.
    unit : str
        Unit of the interval, for example ``members in 100`` or ``days``.
    detail : str
        One or two further sentences.
    banner : str
        What has to be read before the answer, such as a rule that was changed after it was frozen.
    """

    sentence: str
    verdict: str
    status: Status
    interval: Interval | None = None
    unit: str = ""
    detail: str = ""
    banner: str = ""
