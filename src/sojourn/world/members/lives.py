"""What becomes of members: how long they stay, why they leave, whether they come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.hazards import leaving_day
from sojourn.world.members.people import People, draw_codes, of_segment
from sojourn.world.parameters import Frame


@dataclass(frozen=True, slots=True)
class Lives:
    """What becomes of the members of one block; arrays of one entry per member.

    Attributes
    ----------
    left : array of float
        Instant of first leaving (whole seconds since 1970), perhaps after `as_of`; infinite beyond all
        follow-up.
    announced : array of bool
        Whether the platform learns of it.
    reason : array of int
        Code of the reason for leaving.
    voluntary : array of bool
        Whether the member decided it.
    returned, left_again : array of float
        Instants of coming back and of leaving again; infinite for never.
    """

    left: Floats
    announced: Bools
    reason: Ints
    voluntary: Bools
    returned: Floats
    left_again: Floats

    def ends(self, frame: Frame) -> tuple[Ints, Ints]:
        """Return the instants at which the first and the second stay end or are seen no more."""
        return tuple(np.minimum(at, frame.as_of).astype(np.int64) for at in (self.left, self.left_again))  # type: ignore[return-value]


def draw_lives(
    frame: Frame, people: People, total: Floats, exponential: Floats, rng: np.random.Generator
) -> Lives:
    """Draw leaving, its reason, and coming back.

    Parameters
    ----------
    frame, people
        The world and the block's members.
    total : array (members, days + 1)
        Integrated hazard.
    exponential : array of float
        One unit exponential per member, which decides when the member leaves.
    rng : Generator
        Source of everything else.
    """
    churn = frame.parameters.churn
    n = len(people)
    left = people.joined + whole_seconds(leaving_day(total, exponential))
    reason = _draw_reasons(frame, people.segment, rng)
    unknown = reason == len(frame.parameters.segments[0].reasons) - 1
    away = whole_seconds(churn.return_days * rng.standard_exponential(n))
    returned = np.where(rng.random(n) < churn.returns, left + away, np.inf)
    again = churn.again * of_segment(frame.parameters, "hazard")[people.segment]
    stay = whole_seconds(rng.standard_exponential(n) / again)
    return Lives(
        left=left,
        announced=rng.random(n) < churn.announced,
        reason=reason,
        voluntary=~(unknown & (rng.random(n) < churn.involuntary)),
        returned=returned,
        left_again=returned + stay,
    )


def whole_seconds(days: Floats) -> Floats:
    """Return days as whole seconds, at least one."""
    return np.maximum(np.ceil(days * DAY), 1.0)


def _draw_reasons(frame: Frame, segment: Ints, rng: np.random.Generator) -> Ints:
    reason = np.empty(len(segment), dtype=np.int64)
    for code, hidden in enumerate(frame.parameters.segments):
        rows = np.flatnonzero(segment == code)
        reason[rows] = draw_codes(hidden.reasons, len(rows), rng)
    return reason
