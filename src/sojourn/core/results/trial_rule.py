"""Results about a rule itself: how often it is wrong, what it finds, the threshold that keeps a promise."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.ranges import one_of
from sojourn.core.results.trial_plan import OutcomeKind


@dataclass(frozen=True, slots=True)
class ErrorRateCard:
    """How often the plan's rule would ship something that is not worth it, and find something that is.

    Attributes
    ----------
    table : DataFrame, one row per number of looks
        ``looks``, ``wrong_rate``, ``wrong_rate_low``, ``wrong_rate_high`` (a scheme shipped whose true lift
        is at most 0, vetoes left out, in the least favourable world of `grid`), ``worst`` (what schemes do in
        it), ``vetoed_rate`` (the same with vetoes, the guard of all being control's), ``found_rate``,
        ``found_rate_low``, ``found_rate_high`` (the scheme shipped that is worth `worthwhile` while the
        others are worth 0 and the guard of all is as control's, vetoes included), ``unvetoed_rate`` (the same
        without vetoes), ``exaggeration`` (mean estimate of that scheme when it ships, divided by its true
        lift; missing when it never does), ``ship_rate``, ``realised_loss``, ``kept_promise`` (over worlds
        drawn from the belief: anything shipped; mean lift given up against the best choice, unit of the
        metric; mean true lift of what ships divided by its mean estimate); exact 95 % intervals.
    grid : DataFrame, one row per null world at the planned looks, worst first
        ``control`` (its share; its mean for values), ``sd`` (of one member's value; missing for shares),
        ``divided`` and ``doing`` (how members come in, what schemes do), ``wrong_rate``, ``wrong_rate_low``,
        ``wrong_rate_high`` without vetoes.
    worlds : int
        Simulated trials behind every rate.
    metric : str
        Outcome that decides.
    schemes : int
        Schemes besides control.
    n : int
        Members of all arms at the last look.
    planned_looks : int
        As the plan says.
    worthwhile : float
        True lift of the scheme to be found (unit of the metric).
    harm : float
        What poor schemes lose in the simulated worlds (unit of the metric).
    guarded : bool
        Whether a guard other than the metric may veto.
    family : int
        Decisions that share one rate of wrong ships, as the plan says.
    kind, currency : str
        Of the metric.
    further : tuple of str
        Outcomes that may veto beside the guard and are not simulated.
    why_empty : str
        Why nothing could be simulated; empty when it was.
    """

    table: pd.DataFrame
    worlds: int
    metric: str
    schemes: int
    n: int
    planned_looks: int
    worthwhile: float
    harm: float
    guarded: bool
    family: int = 1
    kind: OutcomeKind = "value"
    currency: str = ""
    grid: pd.DataFrame = field(default_factory=pd.DataFrame)
    further: tuple[str, ...] = ()
    why_empty: str = ""

    def at(self, looks: int) -> pd.Series:
        """Return the row for a number of looks.

        Raises
        ------
        ParameterError
            When it was not simulated.
        """
        one_of(looks, "looks", self.table["looks"].tolist())
        return self.table[self.table["looks"] == looks].iloc[0]

    def drawn(self) -> pd.DataFrame:
        """Return what the picture draws."""
        return self.table

    def __repr__(self) -> str:
        row = self.at(self.planned_looks)
        return (
            f"ErrorRateCard: {row['wrong_rate']:.1%} wrong ships at {self.planned_looks} looks "
            f"({self.worlds:,} worlds)"
        )


@dataclass(frozen=True, slots=True)
class RuleCalibration:
    """The threshold at which a rule keeps a promise about wrong ships, and how it was found.

    Attributes
    ----------
    asked : float
        Wrong ships that are allowed this decision, as a share of trials: its part of what was asked.
    family : int
        Decisions that share what was asked equally, as the plan says (Bonferroni).
    threshold : float
        The smallest threshold (rounded up to 1e-4) that keeps it in every world of the grid; missing when
        none below .9999 does.
    planned : float
        The plan's own threshold.
    table : DataFrame, one row per null world, worst first
        As `ErrorRateCard.grid`, and ``worlds`` (simulated), ``threshold`` (what that world alone would need),
        ``wrong_rate`` with ``_low`` and ``_high`` (at `threshold`, on fresh worlds), ``planned_rate`` (at the
        plan's own), ``loss_rate`` (at `threshold`, the tolerable loss vetoing), ``vetoed_rate`` (every veto).
    curve : DataFrame
        ``threshold``, ``wrong_rate`` (least favourable world, without vetoes), ``found_rate`` (of a scheme
        that is worth `worthwhile`, without vetoes).
    worlds : int
        Simulated trials behind every rate of the worst world.
    schemes, looks, n : int
        Schemes besides control, looks, members of all arms at the last one.
    worthwhile : float
        True lift of the scheme to be found (unit of the metric).
    kept_by : tuple of str
        Vetoes that alone keep wrong ships within what is asked in every world of the grid.
    kind, currency : str
        Of the metric.
    why_empty : str
        Why there is no threshold; empty when there is one.
    """

    asked: float
    threshold: float
    planned: float
    table: pd.DataFrame
    curve: pd.DataFrame
    worlds: int
    schemes: int
    looks: int
    n: int
    worthwhile: float
    kept_by: tuple[str, ...] = ()
    family: int = 1
    kind: OutcomeKind = "value"
    currency: str = ""
    why_empty: str = ""

    @property
    def worst(self) -> pd.Series:
        """The least favourable world at the threshold."""
        return self.table.iloc[0]

    def drawn(self) -> pd.DataFrame:
        """Return what the picture draws; thresholds as probabilities."""
        return self.curve.rename(columns={"threshold": "p_threshold"})

    def __repr__(self) -> str:
        if self.why_empty:
            return f"RuleCalibration: {self.why_empty}"
        return (
            f"RuleCalibration: threshold {self.threshold:.4f} for at most {self.asked:.1%} wrong ships "
            f"(worst world {self.worst['wrong_rate']:.1%}; planned {self.planned:g})"
        )


@dataclass(frozen=True, slots=True)
class AnotherLook:
    """What waiting for another look is worth against choosing now.

    Attributes
    ----------
    table : DataFrame, one row per size of the next look
        ``members`` (of all schemes, joining), ``gain_per_member`` (expected lift of the choice after it above
        that of the choice of now, unit of the metric), ``p_other_choice`` (chance that another scheme, or
        control, is chosen), ``p_ship`` (chance that the rule's threshold is passed), ``gain`` (for the
        audience left then), ``price`` (what its members forgo, and its cost) and ``net_gain``, in members for
        shares and currency for values; ``rule_net_gain``: the same where only what passes the rule is chosen.
    joining : int
        Size of the next look that was asked about.
    audience : float
        Members that the choice is for.
    now : str
        What would be chosen now.
    worth_now : float
        Its expected lift (unit of the metric); 0 for control.
    by_rule, worth_by_rule : str, float
        What passes the threshold now, control when nothing does, and its expected lift.
    outcome, words, kind, currency : str
        Of the metric.
    why_empty : str
        Why there is nothing; empty when there is something.
    """

    table: pd.DataFrame
    joining: int
    audience: float
    now: str
    worth_now: float
    by_rule: str
    worth_by_rule: float
    outcome: str
    words: str
    kind: OutcomeKind
    currency: str
    why_empty: str = ""

    @property
    def asked(self) -> pd.Series:
        """The row of the look that was asked about."""
        return self.table.iloc[int((self.table["members"] - self.joining).abs().argmin())]

    @property
    def pays(self) -> bool:
        """Whether waiting for it is worth more than it costs."""
        return bool(self.asked["net_gain"] > 0)

    def __repr__(self) -> str:
        if self.why_empty:
            return f"AnotherLook: {self.why_empty}"
        row = self.asked
        return (
            f"AnotherLook: {row['members']:,.0f} more members gain {row['gain']:,.4g} "
            f"for {row['price']:,.4g}: {'wait' if self.pays else 'choose now'}"
        )
