"""The hazard of leaving, and all that follows from it in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.world.clock import Floats, Ints
from sojourn.world.parameters import Churn, Scheme, Trial, WorldParameters


def hazard_shape(churn: Churn, days: int) -> Floats:
    """Return the hazard per day since joining for a member with all factors 1, constant within a day.

    A later level plus a bump ``(x exp(1 - x))^2`` with ``x = day / peak_day``, which is 1 at the peak.
    """
    x = (np.arange(days) + 0.5) / churn.peak_day
    bump = (x * np.exp(1 - x)) ** 2
    return np.asarray(churn.level * (1 + (churn.peak - 1) * bump), dtype=np.float64)


def in_reward(trial: Trial, days: int) -> Floats:
    """Return 1 for days since joining on which a reward runs, else 0."""
    return _between(days, trial.day, trial.day + trial.reward_days)


def scheme_factor(scheme: Scheme, trial: Trial, days: int) -> Floats:
    """Return a scheme's factor on the hazard, by segment and day since joining."""
    after = trial.day + trial.reward_days
    during = in_reward(trial, days)
    rebound = _between(days, after, after + trial.rebound_days)
    logs = np.log(scheme.hazard)[:, None] * during + np.log(scheme.rebound)[:, None] * rebound
    return np.exp(logs)


def _between(days: int, first: int, end: int) -> Floats:
    day = np.arange(days)
    return ((day >= first) & (day < end)).astype(float)


@dataclass(frozen=True, slots=True)
class Hazards:
    """Hazards of every kind of member under every scheme.

    A kind is a hidden segment with a plan and a channel, numbered by `kind_of`.

    Attributes
    ----------
    daily : array (schemes, kinds, days)
        Hazard per day, constant within a day since joining. Scheme 0 is the control and everyone outside
        the trial.
    cumulative : array (schemes, kinds, days + 1)
        Its integral from joining to the start of each day.
    """

    daily: Floats
    cumulative: Floats

    @property
    def survival(self) -> Floats:
        """Probability of being a member at the start of each day since joining."""
        return np.exp(-self.cumulative)

    @property
    def mean_survival(self) -> Floats:
        """Mean probability of being a member within each day (integral over the day)."""
        return self.survival[..., :-1] * -np.expm1(-self.daily) / self.daily

    def leaving_time(self, scheme: Ints, kind: Ints, exponential: Floats) -> Floats:
        """Return days from joining to leaving, infinite beyond the last day, by inverting the integral.

        Parameters
        ----------
        scheme, kind : array of int
            One per member.
        exponential : array of float
            One unit exponential per member.
        """
        left = np.full(len(kind), np.inf)
        both = scheme * self.daily.shape[1] + kind
        for code in np.unique(both):
            rows = np.flatnonzero(both == code)
            which = divmod(int(code), self.daily.shape[1])
            left[rows] = self._inverse(which, exponential[rows])
        return left

    def _inverse(self, which: tuple[int, int], exponential: Floats) -> Floats:
        cumulative, daily = self.cumulative[which], self.daily[which]
        day = np.searchsorted(cumulative, exponential, side="right") - 1
        within = np.minimum(day, len(cumulative) - 2)
        left = within + (exponential - cumulative[within]) / daily[within]
        return np.where(day < len(cumulative) - 1, left, np.inf)


def kind_of(parameters: WorldParameters, segment: Ints, plan: Ints, channel: Ints) -> Ints:
    """Return the number of the kind of members with these segments, plans and channels."""
    found: Ints = (segment * len(parameters.plans) + plan) * len(parameters.channels) + channel
    return found


def segment_of(parameters: WorldParameters) -> Ints:
    """Return the segment of each kind."""
    return np.repeat(np.arange(len(parameters.segments)), len(parameters.plans) * len(parameters.channels))


def make_hazards(parameters: WorldParameters, days: int) -> Hazards:
    """Return the hazards of a world over so many days since joining.

    Hazard = shape x segment x plan x channel x scheme (the last by segment, from the day of assignment).
    """
    segment = np.array([s.hazard for s in parameters.segments])[:, None, None]
    plan = np.array([p.hazard for p in parameters.plans])[None, :, None]
    channel = np.array([c.hazard for c in parameters.channels])[None, None, :]
    kinds = (segment * plan * channel).reshape(-1)
    factors = np.stack([scheme_factor(s, parameters.trial, days) for s in parameters.trial.schemes])
    daily = (
        hazard_shape(parameters.churn, days) * kinds[None, :, None] * factors[:, segment_of(parameters), :]
    )
    start = np.zeros((*daily.shape[:2], 1))
    return Hazards(daily, np.concatenate([start, np.cumsum(daily, axis=-1)], axis=-1))
