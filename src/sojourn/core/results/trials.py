"""Results of the study `trials`: a trial as cells, the plan it is judged by, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.errors import ConvergenceError
from sojourn.core.interval import Interval
from sojourn.core.ranges import one_of
from sojourn.core.results.trial_plan import LiftPrior, OutcomeKind, TrialPlan

DecisionVerdict = Literal["ship", "wait", "stop", "stop for harm", "no difference worth having", "blocked"]

#: A sampled posterior counts as converged within these (r-hat below, bulk ESS at least, divergences none).
R_HAT_BELOW, ESS_AT_LEAST = 1.01, 400
#: The fast path agrees with the sampled posterior within these: means and widths in posterior
#: standard deviations, probabilities absolutely.
AGREES_WITHIN_SD, AGREES_WITHIN_P = 0.15, 0.03


def plain_scheme(name: str) -> str:
    """Return a scheme's name for reading."""
    return "no scheme" if name == "none" else name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Trial:
    """A randomised comparison of schemes, as cells of members whose follow-up is complete.

    Attributes
    ----------
    case, name, control : str
        Case, trial and the scheme that the others are compared with.
    schemes : tuple of str
        Control first, then by name.
    strata : tuple of str
        Values of something known before assignment, by name; one value where there are none.
    binary : DataFrame
        ``outcome``, ``scheme``, ``stratum``, ``period``, ``n``, ``k`` (members; of whom it is true).
    value : DataFrame
        ``outcome``, ``scheme``, ``stratum``, ``period``, ``n``, ``total``, ``total_sq``, ``total_cube``
        (sums over members of the amount, its square and its cube; currency and its powers).
    split : DataFrame
        ``scheme``, ``period``, ``assigned``, ``matured`` (members).
    allocation : mapping of str to float
        Planned share of each scheme; sums to 1.
    min_group : int
        Nothing is shown for fewer members.
    meta : mapping
        ``horizon_days``, ``historic``, ``currency``, ``margin``, ``words``, ``truth``, … as the cells say.
    others : mapping of str to DataFrame
        Every other table of the cells, with strata called as here.
    """

    case: str
    name: str
    control: str
    schemes: tuple[str, ...]
    strata: tuple[str, ...]
    binary: pd.DataFrame
    value: pd.DataFrame
    split: pd.DataFrame
    allocation: Mapping[str, float]
    min_group: int
    meta: Mapping[str, Any]
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def outcomes(self) -> dict[str, OutcomeKind]:
        """Name and kind of every outcome."""
        binary: dict[str, OutcomeKind] = dict.fromkeys(sorted(set(self.binary["outcome"])), "binary")
        return {**binary, **dict.fromkeys(sorted(set(self.value["outcome"])), "value")}

    @property
    def historic(self) -> bool:
        """Whether its results were known before the rule was written."""
        return bool(self.meta.get("historic", False))

    @property
    def wins_back(self) -> bool:
        """Whether its members had left at assignment: it asks who is back, not who is kept."""
        return self.meta.get("aim") == "back"

    def kind(self, outcome: str) -> OutcomeKind:
        """Return ``binary`` or ``value``.

        Raises
        ------
        ParameterError
            When the trial has no such outcome.
        """
        return self.outcomes[one_of(outcome, "outcome", list(self.outcomes))]

    def cells(self, outcome: str) -> pd.DataFrame:
        """Return the cells of one outcome, without the column ``outcome``."""
        table = self.binary if self.kind(outcome) == "binary" else self.value
        return table[table["outcome"] == outcome].drop(columns="outcome").reset_index(drop=True)

    def other(self, table: str) -> pd.DataFrame:
        """Return a copy of one of `others`; without rows and columns where the cells have none."""
        return self.others[table].copy() if table in self.others else pd.DataFrame()

    def words(self, outcome: str) -> str:
        """Return an outcome in plain words, as the cells describe it."""
        words: Mapping[str, str] = self.meta.get("words", {})
        return words.get(outcome, outcome.replace("_", " "))

    def __repr__(self) -> str:
        assigned = int(self.split["assigned"].sum())
        return (
            f"Trial '{self.name}' of {self.case}: {', '.join(self.schemes[1:])} against {self.control}, "
            f"{assigned:,} members, outcomes {', '.join(self.outcomes)}"
        )


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """Whether members were divided over the schemes as planned.

    Attributes
    ----------
    table : DataFrame
        ``scheme``, ``assigned``, ``expected`` (members), ``share``, ``planned_share``.
    p_value : float
        Of the observed split under the planned one: exact binomial for two schemes, chi-square for more.
    p_drift : float
        Of one split over all assignment periods (chi-square of scheme by period); 1 for one period.
    catch_rate : float
        Probability of p < .01 for a planted fault at this size: one scheme 2 % larger (50 to 51).
    smallest_fault : float
        Factor by which one scheme has to be larger than planned to be found (p < .01) with probability .8.
    verdict : str
        ``pass``; ``warn`` for p < .01; ``fail`` for p < .001.
    """

    table: pd.DataFrame
    p_value: float
    p_drift: float
    catch_rate: float
    smallest_fault: float
    verdict: Literal["pass", "warn", "fail"]

    def __repr__(self) -> str:
        parts = ", ".join(f"{row.scheme} {row.assigned:,}" for row in self.table.itertuples())
        return f"SplitCheck {self.verdict}: p = {self.p_value:.2g} ({parts})"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Posterior of every scheme's outcome and of its lift over control, standardised over strata.

    Attributes
    ----------
    outcome, kind, control : str
        What was compared, and with what.
    words : str
        The outcome in plain words.
    currency : str
        Of a value; empty for a binary outcome.
    horizon_days : int
        Days of follow-up.
    prior : LiftPrior
        The belief that was used.
    prior_link : tuple of float
        Its mean and standard deviation on the scale of the model (log-odds or currency).
    mass : float
        Probability mass of every interval (equal-tailed).
    table : DataFrame, one row per scheme, control first
        ``scheme``, ``n``, ``mean``, ``mean_low``, ``mean_high`` (share or currency per member), ``lift``,
        ``lift_low``, ``lift_high``, ``p_beats_control``, ``p_best``, ``expected_loss``, and without any model
        ``raw_mean``, ``raw_lift``, ``raw_lift_low``, ``raw_lift_high`` (normal interval from moments).
        Lift and `p_beats_control` of control itself are missing.
    strata : DataFrame, one row per scheme but control and stratum
        ``scheme``, ``stratum``, ``n``, ``raw_lift``, ``raw_lift_se``, ``lift``, ``lift_low``, ``lift_high``,
        ``p_wrong_sign`` (chance that the true lift has the other sign than `lift`).
    shrunk : float
        Share of the raw differences between strata that pooling took away (0-1); missing for one stratum.
    p_fit : float
        Posterior predictive p-value of the cells' chi-square distance from the model; near 0: no fit.
    draws : array, draws by schemes
        Joint posterior draws of the standardised means, in the order of `table`.
    """

    outcome: str
    kind: OutcomeKind
    control: str
    words: str
    currency: str
    horizon_days: int
    prior: LiftPrior
    prior_link: tuple[float, float]
    mass: float
    table: pd.DataFrame
    strata: pd.DataFrame
    shrunk: float
    p_fit: float
    draws: NDArray[np.float64]

    @property
    def schemes(self) -> tuple[str, ...]:
        """Control first, as in `table`."""
        return tuple(self.table["scheme"])

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return self.table.iloc[self._index(scheme)]

    def lift_draws(self, scheme: str, over: str) -> NDArray[np.float64]:
        """Return posterior draws of the lift of one scheme over another."""
        drawn: NDArray[np.float64] = self.draws[:, self._index(scheme)] - self.draws[:, self._index(over)]
        return drawn

    def p_above(self, scheme: str, bound: float) -> float:
        """Return the probability that a scheme's lift over control exceeds `bound`."""
        return float((self.lift_draws(scheme, self.control) > bound).mean())

    def lift(self, scheme: str) -> Interval:
        """Return the lift over control with its interval (share or currency per member)."""
        row = self.row(scheme)
        return Interval.of(row, "lift", self.mass, "eti")

    def _index(self, scheme: str) -> int:
        return self.schemes.index(one_of(scheme, "scheme", self.schemes))

    def __repr__(self) -> str:
        lifts = "; ".join(
            f"{s} {self.lift(s).value:+.4g} ({self.lift(s).low:+.4g} to {self.lift(s).high:+.4g})"
            for s in self.schemes[1:]
        )
        return f"TrialResult of {self.outcome}, lift over {self.control}, {self.mass * 100:g} % eti: {lifts}"


@dataclass(frozen=True, slots=True)
class Audit:
    """The fast path beside a posterior sampled by PyMC from the same cells and prior.

    Attributes
    ----------
    outcome, sampler : str
        What was sampled, and how.
    r_hat, ess_bulk : float
        Worst over all parameters.
    divergences : int
        Divergent transitions after tuning.
    gap_sd, gap_p : float
        Largest difference between fast path and sampler: of lift means and bounds in posterior standard
        deviations; of the probabilities to beat control and to be best.
    comparison : DataFrame
        ``scheme``, ``lift``, ``lift_low``, ``lift_high``, ``p_beats_control``, ``p_best`` as sampled, and the
        same prefixed ``fast_``.
    sampled : TrialResult or None
        The result as it would be from the sampled posterior.
    """

    outcome: str
    sampler: str
    r_hat: float
    ess_bulk: float
    divergences: int
    gap_sd: float
    gap_p: float
    comparison: pd.DataFrame
    sampled: TrialResult | None = None

    @property
    def converged(self) -> bool:
        """Whether r-hat, bulk effective sample size and divergences are within their limits."""
        return self.r_hat < R_HAT_BELOW and self.ess_bulk >= ESS_AT_LEAST and self.divergences == 0

    @property
    def agrees(self) -> bool:
        """Whether the fast path is within the stated tolerance of the sampler."""
        return self.gap_sd <= AGREES_WITHIN_SD and self.gap_p <= AGREES_WITHIN_P

    @property
    def table(self) -> pd.DataFrame:
        """Both posteriors side by side.

        Raises
        ------
        ConvergenceError
            When the sampler did not converge: its numbers mean nothing.
        """
        if not self.converged:
            raise ConvergenceError(
                f"The sampler did not converge on '{self.outcome}': r-hat {self.r_hat:.3f} "
                f"(below {R_HAT_BELOW}), bulk ESS {self.ess_bulk:.0f} (at least {ESS_AT_LEAST}), "
                f"{self.divergences} divergences (none). "
                "Draw longer, or merge strata with few members."
            )
        return self.comparison


@dataclass(frozen=True, slots=True)
class Decision:
    """What the plan's rule says.

    Attributes
    ----------
    verdict : str
        ``ship``, ``wait``, ``stop`` (none is worth it), ``stop for harm``, ``no difference worth having`` or
        ``blocked``.
    scheme : str
        The scheme concerned: the one to ship, else the one with the largest expected lift.
    reasons : tuple of str
        Why, in sentences; vetoes and failed checks by name.
    table : DataFrame, one row per scheme but control
        ``scheme``, ``lift``, ``lift_low``, ``lift_high``, ``p_beats_control``, ``p_best``, ``expected_loss``,
        ``p_worth`` (lift above the plan's rope), ``p_guard_harm``, ``broken`` (guardrails, by name; empty for
        none), ``verdict``.
    plan : TrialPlan
        The rule.
    result : TrialResult
        What it was applied to.
    historic : bool
        Whether the rule was chosen after the results were known.
    """

    verdict: DecisionVerdict
    scheme: str
    reasons: tuple[str, ...]
    table: pd.DataFrame
    plan: TrialPlan
    result: TrialResult
    historic: bool

    def __repr__(self) -> str:
        return f"Decision: {self.verdict} ({self.scheme}). {' '.join(self.reasons)}"
