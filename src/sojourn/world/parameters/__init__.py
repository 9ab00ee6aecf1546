"""What a world is drawn from: nothing is planted that has no parameter here."""

from __future__ import annotations

from dataclasses import dataclass, field

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.world.parameters.activity import EVENTS, FEATURES, Activity
from sojourn.world.parameters.contact import Contact, Medium
from sojourn.world.parameters.income import Income
from sojourn.world.parameters.life import STAGES, Churn, Service, Shock, Spells, Stages
from sojourn.world.parameters.offers import Offers
from sojourn.world.parameters.people import (
    AGE_BANDS,
    REASONS,
    Burst,
    Channel,
    Gradient,
    Joining,
    Plan,
    Region,
    Segment,
)
from sojourn.world.parameters.points import Cheating, Points
from sojourn.world.parameters.touches import Advert, Advertising
from sojourn.world.parameters.trials import Rollout, Scheme, Trial
from sojourn.world.parameters.voices import Desk, Surveys, Topic

__all__ = [
    "AGE_BANDS", "EVENTS", "FEATURES", "REASONS", "STAGES", "Activity", "Advert", "Advertising", "Burst",
    "Channel", "Cheating", "Churn", "Contact", "Desk", "Frame", "Gradient", "Income", "Joining", "Medium",
    "Offers", "Plan", "Points", "Region", "Rollout", "Scheme", "Segment", "Service", "Shock", "Spells",
    "Stages", "Surveys", "Topic", "Trial", "WorldParameters",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorldParameters:
    """All parameters of a world.

    Attributes
    ----------
    name : str
        Name of the world; see `sojourn.world.catalogue`.
    channels, plans : tuple of Channel, Plan
        Known at joining.
    segments : tuple of Segment
        Hidden.
    channel_tilt : tuple of tuple of float
        Log-odds added to each segment (columns) in each channel (rows).
    young_tilt : tuple of float
        Log-odds added to each segment for members under 30.
    trials : tuple of Trial
        Randomised.
    rollout : Rollout or None
        Not random.
    joining, gradient, churn, stages, spells, service, activity, offers, contact, points, income
        See their classes.
    desk, surveys, advertising
        See their classes.
    effects, separation : float
        Switches of the world; see `sojourn.world.catalogue.world_parameters`.
    """

    name: str
    channels: tuple[Channel, ...]
    plans: tuple[Plan, ...]
    segments: tuple[Segment, ...]
    channel_tilt: tuple[tuple[float, ...], ...]
    young_tilt: tuple[float, ...]
    trials: tuple[Trial, ...]
    rollout: Rollout | None = field(default_factory=Rollout)
    joining: Joining = field(default_factory=Joining)
    gradient: Gradient = field(default_factory=Gradient)
    churn: Churn = field(default_factory=Churn)
    stages: Stages = field(default_factory=Stages)
    spells: Spells = field(default_factory=Spells)
    service: Service = field(default_factory=Service)
    activity: Activity = field(default_factory=Activity)
    offers: Offers = field(default_factory=Offers)
    contact: Contact = field(default_factory=Contact)
    points: Points = field(default_factory=Points)
    income: Income = field(default_factory=Income)
    desk: Desk = field(default_factory=Desk)
    surveys: Surveys = field(default_factory=Surveys)
    advertising: Advertising = field(default_factory=Advertising)
    effects: float = 1.0
    separation: float = 1.0

    def __post_init__(self) -> None:
        in_range(max(self.activity.refund_days), "refund_days", ge=0, le=self.churn.quiet_days)
        if self.joining.before_days and any(trial.spill for trial in self.trials):
            raise ParameterError(
                "Where schemes spill over, nobody may have joined before: set before_days to 0."
            )
        names = [trial.name for trial in self.trials]
        if len(set(names)) < len(names):
            raise ParameterError(f"Trials must have different names, got {', '.join(names)}.")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a world is asked for: how many members, from when to when, and from which parameters.

    Attributes
    ----------
    members, seed : int
        Number of members, and seed of everything random.
    start, as_of : int
        Observation begins at `start`; nothing is seen at `as_of` or later. Seconds since 1970.
    parameters : WorldParameters
        What it is drawn from.
    """

    members: int
    seed: int
    start: int
    as_of: int
    parameters: WorldParameters

    def __post_init__(self) -> None:
        in_range(self.members, "members", ge=1)
        in_range(self.seed, "seed", ge=0)
        if self.days < 1:
            raise ParameterError("'start' must be at least one day before 'as_of'.")

    @property
    def days(self) -> int:
        """Whole days of observation."""
        return (self.as_of - self.start) // 86_400

    @property
    def longest(self) -> int:
        """Days from the earliest joining to the end of observation, and so the longest follow-up."""
        return self.days + self.parameters.joining.before_days
