"""One block of members: who they are, the course of their lives, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints, join, take
from sojourn.world.clock import DAY
from sojourn.world.members.contact import Programme, draw_programme, programme_hazard, programme_sessions
from sojourn.world.members.course import Course, draw_course
from sojourn.world.members.enrolment import Enrolment, apply_scheme, apply_spill, draw_enrolment
from sojourn.world.members.hazards import base_hazard, cumulative, in_shock, integral_at, member_factor
from sojourn.world.members.lives import Lives, draw_lives
from sojourn.world.members.people import People, draw_people, draw_referrers, of_segment
from sojourn.world.parameters import Frame

#: Days since joining for which hazards are needed by the truth at least.
LEAST_DAYS = 366
#: Gives the random stream of one name in a block.
Streams = Callable[[str], np.random.Generator]


@dataclass(frozen=True, slots=True)
class Population:
    """The members of one block.

    Attributes
    ----------
    people : People
        As they join.
    course : Course
        Stages, plans and pauses, as if nobody ever left.
    referrer : array of int
        Number within the block of who brought each, -1 for nobody.
    enrolments : list of Enrolment
        One per trial.
    programme : Programme
        Messages, as if nobody ever left.
    hazard, sessions : array (members, days)
        Per day since joining: hazard of leaving, and mean number of sessions while there.
    entry : array of float
        Days from joining to the begin of observation, 0 for who joined after it.
    lives : Lives
        What becomes of them.
    """

    people: People
    course: Course
    referrer: Ints
    enrolments: list[Enrolment]
    programme: Programme
    hazard: Floats
    sessions: Floats
    entry: Floats
    lives: Lives

    def __len__(self) -> int:
        return len(self.people)

    def assigned(self, enrolment: Enrolment) -> Bools:
        """Return who was assigned in a trial: entitled, and still there on the day."""
        at = self.people.joined + enrolment.day * DAY
        found: Bools = enrolment.entitled & (self.lives.left > at)
        return found


def draw_population(frame: Frame, n: int, draw: Streams) -> Population:
    """Draw the `n` members of one block.

    Parameters
    ----------
    frame : Frame
        The world.
    n : int
        Members.
    draw : callable
        Random stream of the block by name.
    """
    parameters = frame.parameters
    people, course, exponential, base = draw_joiners(frame, n, draw)
    referrer = draw_referrers(frame, people, draw("referrals"))
    layers = draw("lanes").random((max(t.layer for t in parameters.trials) + 1, n))
    enrolments = [
        draw_enrolment(frame, t, people, course, lots=layers[t.layer], rng=draw(f"assignments {t.name}"))
        for t in parameters.trials
    ]
    days = base.shape[1]
    programme = draw_programme(frame, people, course, enrolments, draw("programme"))
    hazard = base * programme_hazard(parameters.contact, programme, days)
    sessions = base_sessions(frame, people, course) * programme_sessions(parameters.contact, programme, days)
    for enrolment in enrolments:
        apply_scheme(enrolment, people, parameters, hazard=hazard, sessions=sessions)
        apply_spill(enrolment, people, referrer, parameters, hazard)
    lives = draw_lives(frame, people, cumulative(hazard), exponential, draw("churn"))
    entry = entry_day(frame, people.joined)
    return Population(people, course, referrer, enrolments, programme, hazard, sessions, entry, lives)


def draw_joiners(frame: Frame, n: int, draw: Streams) -> tuple[People, Course, Floats, Floats]:
    """Draw `n` members who are still there when observation begins.

    Who joined before it and has left by then is drawn, too, and passed over, so the members seen are selected
    by having stayed: as in any table that a platform exports. Nothing but what is lasting, plan and stage
    acts on the hazard before observation begins.

    Returns
    -------
    tuple
        The members, their courses, the unit exponential that decides when each leaves, and the hazards per
        day (members, days) without trials and messages.
    """
    streams = {name: draw(name) for name in ("members", "course", "leaving")}
    club = club_factors(frame, draw)
    days = days_needed(frame)
    found: list[tuple[People, Course, Floats, Floats]] = []
    while sum(len(part[0]) for part in found) < n:
        people = draw_people(frame, n + n // 20 + 16, streams["members"])
        course = draw_course(frame, people, days, streams["course"])
        exponential = streams["leaving"].standard_exponential(len(people))
        hazard = base_hazard(frame, people, course, member_factor(frame, people, club))
        seen = exponential > integral_at(cumulative(hazard), entry_day(frame, people.joined))
        found.append((take(people, seen), take(course, seen), exponential[seen], hazard[seen]))
    first = np.arange(n)
    people, course = take(join([p[0] for p in found]), first), take(join([p[1] for p in found]), first)
    exponential, hazard = (np.concatenate([part[i] for part in found])[:n] for i in (2, 3))
    return people, course, exponential, hazard


def club_factors(frame: Frame, draw: Streams) -> Floats:
    """Draw what the members of each club of a block share, standard normal."""
    return draw("clubs").standard_normal(max(frame.parameters.joining.clubs, 1))


def days_needed(frame: Frame) -> int:
    """Return for how many days since joining hazards are needed."""
    churn = frame.parameters.churn
    trials = [t.day + t.horizon_days + churn.quiet_days + 1 for t in frame.parameters.trials]
    return max(frame.longest + churn.quiet_days + 1, LEAST_DAYS, *trials)


def entry_day(frame: Frame, joined: Ints) -> Floats:
    """Return days from joining to the begin of observation, 0 for who joined after it."""
    return np.maximum(frame.start - joined, 0) / DAY


def base_sessions(frame: Frame, people: People, course: Course) -> Floats:
    """Return the mean number of sessions per day (members, days) without trials and messages."""
    parameters = frame.parameters
    days = course.pace.shape[1]
    own = of_segment(parameters, "sessions")[people.segment] * people.own[:, 0]
    sessions = course.pace * own[:, None] * novelty(frame, days)
    for shock in parameters.churn.shocks:
        sessions *= np.where(in_shock(frame, people.joined, days, shock.ago, shock.days), shock.sessions, 1.0)
    return np.asarray(sessions)


def novelty(frame: Frame, days: int) -> Floats:
    """Return the factor on sessions by day since joining: new members come more often."""
    activity = frame.parameters.activity
    return 1 + activity.novelty * np.exp(-np.arange(days) / activity.novelty_days)
