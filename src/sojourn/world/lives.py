"""How long members stay, and table `assignments`: who is randomised to which scheme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.world.clock import DAY, Floats, Ints
from sojourn.world.hazards import Hazards
from sojourn.world.members import People, draw_codes
from sojourn.world.parameters import Frame

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lives:
    """What becomes of the members of one block; arrays of one entry per member.

    Attributes
    ----------
    scheme : array of int
        Scheme by whose hazard the member lives; 0 for the control and outside the trial.
    in_window : array of bool
        Whether the member joined while the trial took members in.
    assigned : array of bool
        Whether the member was randomised: in the window, and still there on the day.
    left : array of float
        Instant of leaving (whole seconds since 1970), perhaps after `as_of`; infinite beyond all follow-up.
    reason : array of int
        Code of the reason for leaving.
    """

    scheme: Ints
    in_window: Bools
    assigned: Bools
    left: Floats
    reason: Ints


def draw_lives(
    frame: Frame, people: People, hazards: Hazards, *, trial: np.random.Generator, churn: np.random.Generator
) -> Lives:
    """Draw schemes, instants of leaving and reasons.

    Parameters
    ----------
    frame, people, hazards
        The world, the block's members and the hazards of their kinds.
    trial, churn : Generator
        Random streams of the assignment and of leaving.
    """
    plan = frame.parameters.trial
    in_window = joined_in_window(frame, people.joined)
    drawn = trial.integers(len(plan.schemes), size=len(people))
    scheme = np.where(in_window, drawn, 0)
    days = hazards.leaving_time(scheme, people.kind, churn.standard_exponential(len(people)))
    left = people.joined.astype(np.float64) + np.maximum(np.ceil(days * DAY), 1.0)
    return Lives(
        scheme=scheme,
        in_window=in_window,
        assigned=in_window & (days > plan.day),
        left=left,
        reason=_draw_reasons(frame, people.segment, churn),
    )


def joined_in_window(frame: Frame, joined: Ints) -> Bools:
    """Return who joined while the trial took members in."""
    plan = frame.parameters.trial
    opens, closes = frame.as_of - plan.opens * DAY, frame.as_of - plan.closes * DAY
    return (joined >= opens) & (joined < closes)


def _draw_reasons(frame: Frame, segment: Ints, rng: np.random.Generator) -> Ints:
    reason = np.empty(len(segment), dtype=np.int64)
    for code, hidden in enumerate(frame.parameters.segments):
        rows = np.flatnonzero(segment == code)
        reason[rows] = draw_codes(hidden.reasons, len(rows), rng)
    return reason
