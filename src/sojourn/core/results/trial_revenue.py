"""Results of revenue in trials: in three parts, with a law or without; and outcomes adjusted for the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.interval import Interval, Kind
from sojourn.core.ranges import one_of
from sojourn.core.results.trials import TrialResult

#: What is published: the log-normal hurdle model, or the bootstrap that needs no law.
Published = Literal["hurdle", "model-free"]


@dataclass(frozen=True, slots=True)
class PaymentSizes:
    """What those who pay paid, by size and scheme, beside the log-normal law fitted to it.

    Attributes
    ----------
    control, currency : str
        As in `Revenue`.
    days : int
        Days after assignment within which payments count.
    payers : int
        Members who paid, of all schemes.
    table : DataFrame, one row per scheme and bin
        ``scheme``, ``amount_from``, ``amount_to``, ``share`` (of the scheme's payers), ``share_by_law``. Bins
        are put together until every scheme has enough payers in each.
    fit : DataFrame, one row per scheme and statistic
        ``scheme``, ``statistic``, ``p_value`` of the law fitted to the scheme's payments.
    p_fit : float
        Smallest of all p-values times their number; missing where the law cannot be judged.
    follows_law : bool
        Whether payments look log-normal in every scheme.
    why_empty : str
        Why there is nothing to show; empty when there is.
    """

    control: str
    currency: str
    days: int
    payers: int
    table: pd.DataFrame
    fit: pd.DataFrame
    p_fit: float
    follows_law: bool
    why_empty: str = ""

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"PaymentSizes: {self.why_empty}"
        return f"PaymentSizes of {self.payers:,} payers (log-normal: {'yes' if self.follows_law else 'no'})"


@dataclass(frozen=True, slots=True)
class Revenue:
    """Revenue per member by scheme, less refunds: who pays, how much, and what is refunded.

    Attributes
    ----------
    control, currency : str
        What schemes are compared with; of all amounts.
    days : int
        Days after assignment within which payments and refunds count.
    mass : float
        Mass of every interval.
    published : str
        ``hurdle`` (log-normal payments, a credible interval) or ``model-free`` (Dirichlet bootstrap).
    because : str
        Why, in one sentence.
    table : DataFrame, one row per scheme, control first
        ``scheme``, ``n``, ``payers`` (members), and with ``_low`` and ``_high`` as published: ``rate`` (share
        of members who pay), ``size_amount`` (mean payment of one who pays), ``refunded_share`` (of paid
        money), ``amount`` (revenue per member, less refunds), ``amount_above`` (over control; missing for
        control); the same lift by each way: ``hurdle_amount_above`` (missing where the model cannot be
        fitted), ``free_amount_above`` (bootstrap), ``moments_amount_above`` (normal interval from moments);
        and ``p_beats_control``.
    parts : DataFrame, one row per scheme but control and part
        ``scheme``, ``part`` (``who pays``, ``how much``, ``refunded``), ``amount_above`` with ``_low`` and
        ``_high``: what this part adds to the lift; the three add up to it (Shapley values).
    sizes : PaymentSizes
        What those who pay paid, and whether the law fits.
    draws : array, draws by schemes
        Published posterior of revenue per member, in the order of `table`.
    why_empty : str
        Why there is nothing to say; empty when there is.
    """

    control: str
    currency: str
    days: int
    mass: float
    published: Published
    because: str
    table: pd.DataFrame
    parts: pd.DataFrame
    sizes: PaymentSizes
    draws: NDArray[np.float64]
    why_empty: str = ""

    @property
    def schemes(self) -> tuple[str, ...]:
        """Control first, as in `table`."""
        return tuple(self.table["scheme"])

    @property
    def kind(self) -> Kind:
        """Kind of the published intervals."""
        return "eti" if self.published == "hurdle" else "bootstrap"

    def row(self, scheme: str) -> pd.Series:
        """Return one scheme's row of `table`."""
        return self.table.iloc[self.schemes.index(one_of(scheme, "scheme", self.schemes))]

    def lift(self, scheme: str) -> Interval:
        """Return the published lift in revenue per member over control."""
        row = self.row(scheme)
        value, low, high = (float(row[f"amount_above{end}"]) for end in ("", "_low", "_high"))
        return Interval(value, low, high, self.mass, self.kind)

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows: each scheme's lift and the parts it is made of."""
        columns = ["scheme", "part", "amount_above", "amount_above_low", "amount_above_high"]
        whole = self.table.iloc[1:].assign(part="revenue")[columns]
        order = {scheme: i for i, scheme in enumerate(self.schemes)}
        both = pd.concat([whole, self.parts[columns]], ignore_index=True)
        return both.sort_values("scheme", key=lambda s: s.map(order), kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Revenue: {self.why_empty}"
        lifts = ((s, self.lift(s)) for s in self.schemes[1:])
        said = "; ".join(f"{s} {x.value:+.4g} ({x.low:+.4g} to {x.high:+.4g})" for s, x in lifts)
        return f"Revenue ({self.published}), lift over {self.control}, {self.mass * 100:g} %: {said}"


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Lifts of one outcome with and without what the same members did before assignment.

    Attributes
    ----------
    outcome, words, before : str
        What was compared; in plain words; what was known before assignment, in plain words.
    plain, result : TrialResult or None
        Without and with the adjustment; None when there is nothing to say.
    table : DataFrame, one row per scheme but control
        ``scheme``, ``lift``, ``lift_low``, ``lift_high`` (adjusted), ``plain_lift``, ``plain_lift_low``,
        ``plain_lift_high``, ``explained_share`` (of the variance of the observed lift), ``narrower_share``
        (of the width of its interval that this saves), ``slope`` (outcome per unit of what was before),
        ``before_gap_sds`` (difference from control before assignment, in standard deviations of a member)
        and ``p_balance`` (of that gap, by chance).
    why_empty : str
        Why there is nothing to say; empty when there is.
    """

    outcome: str
    words: str
    before: str
    plain: TrialResult | None
    result: TrialResult | None
    table: pd.DataFrame
    why_empty: str = ""

    def drawn(self) -> pd.DataFrame:
        """Return what a picture shows."""
        return self.table

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Adjusted: {self.why_empty}"
        shares = ", ".join(f"{row.scheme} {row.narrower_share:.0%}" for row in self.table.itertuples())
        return f"Adjusted {self.outcome} for {self.before}; intervals narrower by: {shares}"
