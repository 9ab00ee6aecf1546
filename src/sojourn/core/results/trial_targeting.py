"""Results of asking whom to give a scheme to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from sojourn.core.interval import Interval

#: What may be done, in the order in which it is told; the first two need no learning.
NO_ONE, EVERYONE = "no one", "everyone"
RISK, VALUE, UPLIFT = "highest risk", "highest value", "highest uplift"
POLICIES = (NO_ONE, EVERYONE, RISK, VALUE, UPLIFT)
UNDECIDED = "undecided"


def _none() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True, slots=True)
class Policies:
    """What a scheme earns when it is given to everyone, to no one, or only to some.

    Attributes
    ----------
    trial, control, scheme, currency : str
        Which trial, and which two schemes members are given.
    words : str
        The outcome in plain words.
    horizon_days : int
        Days of follow-up.
    mass : float
        Probability mass of every interval (normal; learning and splitting included).
    share : float
        Share of members that "highest risk" and "highest value" give the scheme to.
    members, splits, folds : int
        Members under either scheme; how often they were split, into how many folds.
    table : DataFrame, one row per policy
        ``policy``, ``treated_share``; ``amount_per_1000``: net value of 1,000 members above giving it to no
        one; ``against_everyone_amount``: the same above giving it to everyone, each with bounds.
    bands : DataFrame, one row per third of members by expected uplift, the highest first
        ``band``, ``expected_amount`` (uplift that was
        learned, per member) and ``amount`` (found in members that were not learned from) with bounds.
    best : str
        The policy that surely beats all that need no learning, or surely is the better one of them; else
        ``undecided``.
    knows : tuple of str
        What is known of members before they are assigned.
    why_empty : str
        Why there is nothing; empty when there is something.
    members_are : str
        Whom the trial is of, where that is not whoever was with us: " who had left".
    """

    trial: str
    control: str
    scheme: str
    currency: str
    words: str
    horizon_days: int
    mass: float
    share: float
    members: int = 0
    splits: int = 0
    folds: int = 0
    table: pd.DataFrame = field(default_factory=_none)
    bands: pd.DataFrame = field(default_factory=_none)
    best: str = UNDECIDED
    knows: tuple[str, ...] = ()
    why_empty: str = ""
    members_are: str = ""

    def row(self, policy: str) -> pd.Series:
        """Return one policy's row of `table`."""
        found: pd.Series = self.table.loc[self.table["policy"] == policy].iloc[0]
        return found

    def read(self, policy: str, column: str = "amount_per_1000") -> Interval:
        """Return what a policy earns, with its interval."""
        row = self.row(policy)
        value, low, high = (float(row[f"{column}{end}"]) for end in ("", "_low", "_high"))
        return Interval(value, low, high, self.mass, "wald")

    def drawn(self) -> pd.DataFrame:
        """Return what the picture shows: the policies."""
        return self.table

    def banded(self) -> pd.DataFrame:
        """Return what the picture of thirds shows."""
        return self.bands

    def __repr__(self) -> str:
        if self.why_empty:
            return f"Policies (empty: {self.why_empty})"
        told = ", ".join(f"{row.policy} {row.amount_per_1000:+.0f}" for row in self.table.itertuples())
        return f"Policies for {self.scheme}, per 1,000 members above giving it to no one: {told}: {self.best}"
