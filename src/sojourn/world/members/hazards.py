"""The hazard of leaving of each member on each day, and what follows from it in closed form."""

from __future__ import annotations

import numpy as np

from sojourn.world.arrays import Bools, Floats, Ints
from sojourn.world.clock import DAY
from sojourn.world.members.course import Course
from sojourn.world.members.people import People, of_segment
from sojourn.world.parameters import Churn, Frame, Gradient


def hazard_shape(churn: Churn, days: int) -> Floats:
    """Return the hazard per day since joining for a member with all factors 1, constant within a day.

    A later level plus a bump ``(x exp(1 - x))^2`` with ``x = day / peak_day``, which is 1 at the peak.
    """
    x = (np.arange(days) + 0.5) / churn.peak_day
    bump = (x * np.exp(1 - x)) ** 2
    return np.asarray(churn.level * (1 + (churn.peak - 1) * bump), dtype=np.float64)


def member_factor(frame: Frame, people: People, club: Floats) -> Floats:
    """Return each member's lasting factor on the hazard: all but plan, stage, trials and messages.

    Segment x channel x club x satisfaction x own activity x date of joining.
    """
    parameters = frame.parameters
    churn, service = parameters.churn, parameters.service
    channel = np.array([c.hazard for c in parameters.channels])[people.channel]
    logs = service.satisfaction * people.satisfaction
    logs = logs + np.log(churn.trend) * (people.joined - frame.start) / (365.25 * DAY)
    logs = logs + churn.club_spread * club[people.club]
    own = _own_factor(parameters.gradient, people)
    return np.asarray(of_segment(parameters, "hazard")[people.segment] * channel * own * np.exp(logs))


def _own_factor(gradient: Gradient, people: People) -> Floats:
    """Return the factor on the hazard by the member's own sessions."""
    if not gradient.hazard:
        return np.ones(len(people))
    return np.asarray(np.maximum(people.own[:, 0], 1e-3) ** -gradient.hazard)


def base_hazard(frame: Frame, people: People, course: Course, factor: Floats) -> Floats:
    """Return the hazard per day (members, days) without trials and messages.

    Shape x member's own factor x plan of the day x stage x calendar.
    """
    parameters = frame.parameters
    churn = parameters.churn
    days = course.stage.shape[1]
    first, later = (np.array([getattr(p, name) for p in parameters.plans]) for name in ("hazard", "later"))
    hazard = np.array(parameters.stages.hazard)[course.stage]
    hazard[:, : churn.turn_day] *= first[course.plan[:, : churn.turn_day]]
    hazard[:, churn.turn_day :] *= later[course.plan[:, churn.turn_day :]]
    hazard *= hazard_shape(churn, days)
    hazard *= factor[:, None]
    for shock in churn.shocks:
        hazard *= np.where(in_shock(frame, people.joined, days, shock.ago, shock.days), shock.hazard, 1.0)
    if churn.price_rise:
        dearer = np.exp(of_segment(parameters, "price_sensitivity")[people.segment])[:, None]
        hazard *= np.where(in_shock(frame, people.joined, days, churn.price_rise, frame.days), dearer, 1.0)
    return np.asarray(hazard)


def in_shock(frame: Frame, joined: Ints, days: int, ago: int, lasting: int) -> Bools:
    """Return which days since joining (members, days) begin in a stretch of the calendar."""
    begins = (frame.as_of - ago * DAY - joined)[:, None] / DAY
    day = np.arange(days)
    found: Bools = (day >= begins) & (day < begins + lasting)
    return found


def cumulative(hazard: Floats) -> Floats:
    """Return the integral of hazards (members, days) from joining to the start of each day and beyond."""
    total = np.zeros((hazard.shape[0], hazard.shape[1] + 1))
    np.cumsum(hazard, axis=1, out=total[:, 1:])
    return total


def integral_at(total: Floats, day: Floats) -> Floats:
    """Return the integral of the hazard of each member up to a day of its own, linear within days."""
    whole = np.floor(day).astype(np.int64)
    rows = np.arange(len(day))
    before, after = total[rows, whole], total[rows, np.minimum(whole + 1, total.shape[1] - 1)]
    return np.asarray(before + (after - before) * (day - whole))


def leaving_day(total: Floats, exponential: Floats) -> Floats:
    """Return days from joining to leaving, infinite beyond the last, by inverting the integral.

    Parameters
    ----------
    total : array (members, days + 1)
        Integrated hazard.
    exponential : array of float
        One unit exponential per member.
    """
    day = (total <= exponential[:, None]).sum(axis=1) - 1
    within = np.minimum(day, total.shape[1] - 2)
    rows = np.arange(len(day))
    step = total[rows, within + 1] - total[rows, within]
    left = within + (exponential - total[rows, within]) / step
    return np.where(day < total.shape[1] - 1, left, np.inf)


def mean_presence(total: Floats) -> Floats:
    """Return the mean probability of being a member within each day (integral over the day)."""
    start, end = total[:, :-1], total[:, 1:]
    step = end - start
    return np.exp(-start) * -np.expm1(-step) / step


def back_by(churn: Churn, again: Floats, days: int) -> Floats:
    """Return the chance of being back so many days after leaving, by hazard of leaving again.

    With a share ``returns`` coming back after an exponential time of rate r and leaving again at rate h, the
    chance after w days is ``returns r (exp(-h w) - exp(-r w)) / (r - h)``; here its mean over the day that
    begins w days after leaving, itself averaged over a uniform instant of leaving within a day.

    Parameters
    ----------
    churn : Churn
        Of the world.
    again : array (kinds,)
        Hazards of leaving again.
    days : int
        Whole days between the day of leaving and the day asked for, from 0.

    Returns
    -------
    array (kinds, days)
    """
    rate, h = 1 / churn.return_days, again[:, None]
    h = np.where(np.isclose(h, rate, rtol=1e-6), h * (1 + 1e-5), h)  # the formula is 0 / 0 at equal rates
    lag = np.arange(days)

    def smoothed(k: Floats | float) -> Floats:
        """Mean of exp(-k w) over w > 0, the difference of two uniform instants `lag` days apart."""
        apart = np.exp(-k * lag) * (np.exp(k) - 2 + np.exp(-k))
        return np.asarray(np.where(lag > 0, apart, np.exp(-k) - 1 + k) / k**2)

    chance = churn.returns * rate * (smoothed(h) - smoothed(rate)) / (rate - h)
    return np.asarray(chance)
