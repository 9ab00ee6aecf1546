"""What a trial is judged by: the belief before its data, and the rule that decides."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import NormalDist
from typing import Any, Literal

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range

OutcomeKind = Literal["binary", "value"]


@dataclass(frozen=True, slots=True)
class LiftPrior:
    """What is believed of a scheme's lift before its data, as a normal distribution of the absolute lift.

    Attributes
    ----------
    low, high, mass : float
        The stated belief: the lift lies between `low` and `high` with probability `mass`
        (a share of members for a binary outcome, currency per member for a value).
    spread : float
        How far strata deviate from the overall lift, as a share of the prior's standard deviation:
        their scale has a half-normal prior with that standard deviation.
    """

    low: float
    high: float
    mass: float
    spread: float = 0.5

    def __post_init__(self) -> None:
        in_range(self.mass, "mass", gt=0, lt=1)
        in_range(self.high, "high", gt=self.low)
        in_range(self.spread, "spread", gt=0)

    @classmethod
    def from_belief(cls, *, low: float, high: float, mass: float, spread: float = 0.5) -> LiftPrior:
        """Make a prior from a belief such as "nine in ten lifts lie between -3 and +5 points".

        Parameters
        ----------
        low, high : float
            Bounds of the absolute lift: a share (0.05 is 5 members in 100) or currency per member.
        mass : float
            Probability between them, in (0, 1); the rest is divided equally.
        spread : float
            See `LiftPrior`.

        Raises
        ------
        ParameterError
            When the bounds are out of order or `mass` is out of range.
        """
        return cls(low, high, mass, spread)

    @property
    def sds(self) -> float:
        """Standard deviations between the middle of the belief and a bound."""
        return NormalDist().inv_cdf(0.5 + self.mass / 2)

    @property
    def mean(self) -> float:
        """Mean of the absolute lift."""
        return (self.low + self.high) / 2

    @property
    def sd(self) -> float:
        """Standard deviation of the absolute lift."""
        return (self.high - self.low) / (2 * self.sds)

    def on_logit(self, base: float) -> tuple[float, float]:
        """Return mean and standard deviation of the lift in log-odds at a base rate.

        Both bounds of the belief are mapped (``logit(base + bound) - logit(base)``) and a normal
        distribution is laid through them.

        Raises
        ------
        ParameterError
            When the belief leaves the range of a rate at this base.
        """
        if base + self.low <= 0 or base + self.high >= 1:
            raise ParameterError(
                f"The belief {self.low:g} to {self.high:g} is not possible at a base rate of {base:.4g}: "
                "base plus lift has to stay between 0 and 1. State a narrower belief for this outcome."
            )
        low, high = (_logit(base + bound) - _logit(base) for bound in (self.low, self.high))
        return (low + high) / 2, (high - low) / (2 * self.sds)


def _logit(rate: float) -> float:
    return math.log(rate / (1 - rate))


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """The rule a trial is judged by, written down before its data are looked at.

    A scheme ships when the probability that its lift in `metric` exceeds `rope` is above `threshold`.
    Everything else can only veto.

    Attributes
    ----------
    metric, guard : str
        Outcome that decides, and the binary outcome that may not get worse.
    horizon_days : int
        Days of follow-up after assignment.
    rope : float
        A lift up to this is not worth having (unit of the metric, per member).
    threshold : float
        The one decisive threshold, a probability.
    tolerable_loss : float
        Veto above this expected loss against the best scheme (unit of the metric, per member).
    guard_margin, guard_risk : float
        Veto when the guard falls by more than `guard_margin` (a share) with more than this probability.
    looks : int
        How many times the rule is applied while data come in, equally spaced.
    worthwhile : float
        A lift that would be worth having, for the power of the rule (unit of the metric).
    belief : LiftPrior
        Prior of lifts in binary outcomes (shares).
    belief_value : LiftPrior
        Prior of lifts in values (currency per member).
    family : int
        Decisions that share one rate of wrong ships: trials by metrics that are judged together.
    wash_out_days : int
        Days after the end of a reward for which members are followed before a scheme is rolled out.
    reward_days : int
        Days for which a reward runs; 0 where that is not known.
    wrong_ship : float
        Wrong ships that are allowed, as a share of trials.
    guardrails : mapping of str to float
        Further binary outcomes that veto, and by which share of members each may get worse.
    """

    metric: str
    guard: str
    horizon_days: int
    rope: float
    threshold: float
    tolerable_loss: float
    guard_margin: float
    guard_risk: float
    looks: int
    worthwhile: float
    belief: LiftPrior
    belief_value: LiftPrior
    family: int = 1
    wash_out_days: int = 0
    reward_days: int = 0
    wrong_ship: float = 0.05
    guardrails: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        in_range(self.threshold, "threshold", gt=0.5, lt=1)
        in_range(self.guard_risk, "guard_risk", gt=0, lt=1)
        for name in ("rope", "tolerable_loss", "guard_margin"):
            in_range(getattr(self, name), name, ge=0)
        in_range(self.looks, "looks", ge=1)
        in_range(self.horizon_days, "horizon_days", ge=1)
        in_range(self.worthwhile, "worthwhile", gt=self.rope)
        in_range(self.family, "family", ge=1)
        in_range(self.wash_out_days, "wash_out_days", ge=0)
        in_range(self.reward_days, "reward_days", ge=0)
        in_range(self.wrong_ship, "wrong_ship", gt=0, lt=0.5)
        for outcome, margin in self.guardrails.items():
            in_range(margin, f"guardrails.{outcome}", ge=0, lt=1)

    @classmethod
    def from_parameters(
        cls, belief: Sequence[float], belief_value: Sequence[float], *, spread: float, **rule: Any
    ) -> TrialPlan:
        """Make a plan from parameters as params.yaml names them.

        Parameters
        ----------
        belief, belief_value : sequence of 3 float
            Low, high and mass of the beliefs in lifts of shares and of values.
        spread : float
            Of both (`LiftPrior`).
        **rule
            The other fields of `TrialPlan`.
        """
        share, value = (
            LiftPrior.from_belief(low=low, high=high, mass=mass, spread=spread)
            for low, high, mass in (belief, belief_value)
        )
        return cls(**rule, belief=share, belief_value=value)

    def prior(self, kind: OutcomeKind) -> LiftPrior:
        """Return the prior for outcomes of one kind."""
        return self.belief if kind == "binary" else self.belief_value

    @property
    def fingerprint(self) -> str:
        """Hash of every field, 12 hex digits: another rule has another one."""
        return fingerprint_of(asdict(self))


def fingerprint_of(content: Mapping[str, Any]) -> str:
    """Return the hash of plain values by name, 12 hex digits, whatever their order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan beside the trial that it judges.

    Attributes
    ----------
    plan : TrialPlan
        The rule that decides.
    control : str
        The scheme that the others are compared with.
    schemes : tuple of str
        The others.
    shares : mapping of str to float
        Planned share of every scheme.
    kind : str
        Of the metric: ``binary`` or ``value``.
    words : mapping of str to str
        Those outcomes of the plan that the trial counts, in plain words.
    currency : str
        Of values; may be empty.
    counted : mapping
        How outcomes are counted: ``strata``, ``margin`` (share of revenue), ``cost_per_member`` (by scheme).
    fingerprint, frozen_at : str
        Of the frozen plan (12 hex digits; an ISO instant); empty where none was frozen.
    changed : tuple of (str, str, str)
        Settings that are not as they were frozen: ``setting``, ``planned``, ``used``.
    """

    plan: TrialPlan
    control: str
    schemes: tuple[str, ...]
    shares: Mapping[str, float]
    kind: OutcomeKind
    words: Mapping[str, str]
    currency: str
    counted: Mapping[str, Any]
    fingerprint: str = ""
    frozen_at: str = ""
    changed: tuple[tuple[str, str, str], ...] = ()

    def __repr__(self) -> str:
        state = f"frozen as {self.fingerprint}" if self.fingerprint else "not frozen"
        return (
            f"Plan for {', '.join(self.schemes)} against {self.control}: {state}, {len(self.changed)} changed"
        )
