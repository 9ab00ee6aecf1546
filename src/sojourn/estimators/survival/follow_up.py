"""Whether members were followed long enough to tell who never leaves from who has not left yet.

The classic tests (Maller & Zhou 1996, *Survival Analysis with Long-Term Survivors*, and their successors)
ask whether the last leaver left well before the end of follow-up. They take for granted that there is a
moment after which nobody leaves; with a tail, however thin, and many members, somebody leaves on nearly every
day and the tests never pass. With whole days and one common `as_of` the gap they look at is moreover a matter
of ties. Here follow-up is sufficient in practice, after Yuen & Musta (2024, arXiv:2403.16832): of all who
ever leave, at most a stated share is still to come within as long again as was followed, taking for granted
that leaving only becomes rarer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, chi2

from sojourn.core.errors import UndefinedError
from sojourn.estimators.survival.kaplan_meier import product_limit
from sojourn.estimators.survival.risk_set import RiskSet

Floats = NDArray[np.float64]

#: Follow-up is sufficient when at most this share of all who leave is still to come (one-sided bound).
STILL_TO_COME = 0.05
#: Level of that bound, and of the test that leaving does not become more frequent.
LEVEL, RISE_LEVEL = 0.05, 0.01
#: Last parts of follow-up in which leaving is counted; shorter ones need more members.
LAST_PARTS = (2, 4, 8)
#: Whether leaving becomes rarer is seen by comparing so many equal parts, from the second on.
_PARTS = 4


@dataclass(frozen=True, slots=True)
class FollowUp:
    """How far follow-up reaches compared with how long members take to leave.

    Attributes
    ----------
    start, end : int
        The last part of follow-up, that gives the lowest bound: after `start`, up to `end`.
    churned : int
        Members who left in it.
    at_risk : int
        Members observed at its end.
    left : float
        Share that left after 0 and by `end` (Kaplan-Meier); who leaves at once tells nothing of the others.
    to_come : float
        Share of members still to leave by twice `end`: a bound at `LEVEL`.
    rising : bool
        Whether members left more often in a later part than in the one before; then nothing is told.
    """

    start: int
    end: int
    churned: int
    at_risk: int
    left: float
    to_come: float
    rising: bool

    @property
    def share_to_come(self) -> float:
        """Upper bound of those still to come among all who leave by twice `end`."""
        return self.to_come / (self.left + self.to_come) if self.left > 0 else 1.0

    @property
    def sufficient(self) -> bool:
        """Whether who is left at `end` can be taken to stay."""
        return not self.rising and self.share_to_come <= STILL_TO_COME


def follow_up(risk: RiskSet) -> FollowUp:
    """Return whether follow-up is sufficient.

    Parameters
    ----------
    risk : RiskSet
        On whole durations; it should end where enough are at risk to say anything.

    Raises
    ------
    UndefinedError
        When it has too few durations to look at parts of it.

    Notes
    -----
    What is taken for granted: per unit of log time leaving becomes rarer, t f(t) falls, from the last part on
    (all laws of `parametric` do so beyond their mode). Then S(start) times the mean rate per log time of the
    last part is at least T f(T) at the end T, and at most S(start) rate log 2 leave between T and 2 T. For
    the rate its upper bound given the number of leavers (Garwood 1936), at `LEVEL` over all `LAST_PARTS`.
    """
    end = len(risk) - 1
    if end < _PARTS:
        raise UndefinedError(f"Members were followed for {end} whole durations, too few to look at.")
    retained = product_limit(risk)
    starts = sorted({end - end // part for part in LAST_PARTS if end // part})
    bounds = [_to_come(risk, retained, start, LEVEL / len(starts)) for start in starts]
    lowest = int(np.argmin(bounds))
    return FollowUp(
        start=starts[lowest],
        end=end,
        churned=int(risk.churned[starts[lowest] + 1 :].sum()),
        at_risk=int(risk.at_risk[-1]),
        left=float(retained[0] - retained[-1]),
        to_come=bounds[lowest],
        rising=_rising(risk),
    )


def _to_come(risk: RiskSet, retained: Floats, start: int, level: float) -> float:
    """Return the bound of those who leave between the end and twice the end."""
    day = np.arange(start + 1, len(risk))
    exposure = float(risk.at_risk[start + 1 :] @ np.log(day / (day - 1.0)))
    if exposure <= 0:
        return float(retained[-1])
    rate = float(chi2.ppf(1 - level, 2 * (risk.churned[start + 1 :].sum() + 1))) / 2 / exposure
    return float(min(retained[start] * rate * np.log(2), retained[-1]))


def _rising(risk: RiskSet) -> bool:
    """Whether the rate of some later part is above that of the one before, beyond chance (exact)."""
    end = len(risk) - 1
    ends = np.array([end * part // _PARTS for part in range(_PARTS + 1)])
    churned, exposure = (
        np.diff(np.cumsum(counts)[ends]).astype(np.float64) for counts in (risk.churned, risk.at_risk)
    )
    return any(
        _rises(churned[part - 1 : part + 1], exposure[part - 1 : part + 1]) for part in range(2, _PARTS)
    )


def _rises(churned: Floats, exposure: Floats) -> bool:
    if exposure.sum() <= 0 or churned[1] == 0:
        return False
    return bool(binom.sf(churned[1] - 1, churned.sum(), exposure[1] / exposure.sum()) < RISE_LEVEL)
