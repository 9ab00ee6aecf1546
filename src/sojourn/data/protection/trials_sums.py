"""Protected sums of a trial: what was so before assignment, alone and beside outcomes, and what is not known.

Every sum comes in steps of the base times what one member can have in it, as amounts do. A mean keeps its
value as near as steps allow, a spread is never too small, and what goes together is never told as more than
it is: a test on these sums misses more and alarms no oftener.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from sojourn.core.privacy import nearest, sum_in_steps, to_multiples

#: How much one member can have in an outcome that is so or not.
_ONCE = Decimal(1)
_NINE = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Told:
    """How many members a row has.

    Attributes
    ----------
    n : int
        Exactly.
    base : int
        Smallest group that may be shown.
    """

    n: int
    base: int

    @property
    def told(self) -> int:
        """Members as they are told."""
        return int(to_multiples(self.n, self.base))

    def moments(self, total: Decimal | int, square: Decimal | int, cap: Decimal) -> tuple[Decimal, Decimal]:
        """Return the sum and the squares in steps: mean as near as can be, spread no smaller.

        Parameters
        ----------
        total, square : Decimal or int
            Exact sum and squares of the members, each cut at `cap`.
        cap : Decimal
            How much one member can have.

        Notes
        -----
        The variance of the rounded sum (step squared / 12) is added to the spread before squares are rounded
        up.
        """
        mean, of_squares = Fraction(total) / self.n, Fraction(square) / self.n
        shown = sum_in_steps(self.told * mean, self.base * cap)
        near = Fraction(shown) / self.told
        blur = Fraction(self.base * cap) ** 2 / (12 * self.told)
        whole = self.told * (of_squares - mean**2 + blur + near**2)
        return shown, sum_in_steps(whole, self.base * cap**2, up=True)


def protect_balance(table: pd.DataFrame, base: int, caps: Mapping[str, Decimal]) -> pd.DataFrame:
    """Return sums of what was so before assignment, by covariate and scheme.

    Parameters
    ----------
    table : DataFrame
        ``covariate``, ``scheme``, ``n``, ``total``, ``total_sq``; each member's cut at its cap.
    base : int
        Smallest group that may be shown.
    caps : mapping of str to Decimal
        By covariate; one without a cap, or of which too few have any, is left out.
    """
    rows = []
    for row in table.to_dict("records"):
        size, cap = Told(int(row["n"]), base), caps.get(row["covariate"], Decimal(0))
        if size.told and cap:
            total, square = size.moments(row["total"], row["total_sq"], cap)
            rows.append({**row, "n": size.told, "total": total, "total_sq": square})
    return pd.DataFrame(rows, columns=list(table.columns))


def protect_covariate(table: pd.DataFrame, base: int, caps: Mapping[str, Decimal]) -> pd.DataFrame:
    """Return sums of outcomes, of what came before and of their products, by groups that are large enough.

    Parameters
    ----------
    table : DataFrame
        As the cells have it; outcomes that are amounts and what came before cut at their caps.
    base : int
        Smallest group that may be shown.
    caps : mapping of str to Decimal
        By outcome, and of what came before: ``active_days_before`` beside outcomes that have no cap,
        ``paid_before`` beside amounts.

    Notes
    -----
    What goes together is cut down to whole steps, so an outcome explains no more than it does.
    """
    rows: list[dict[Hashable, Any]] = []
    for row in table.to_dict("records"):
        size, is_amount = Told(int(row["n"]), base), row["outcome"] in caps
        late = caps.get(row["outcome"], _ONCE)
        before = caps.get("paid_before" if is_amount else "active_days_before", Decimal(0))
        if size.told and before:
            rows.append({**row, **_crossed(row, size, late, before)})
    return pd.DataFrame(rows, columns=list(table.columns))


def _crossed(row: Mapping[Hashable, Any], size: Told, late: Decimal, before: Decimal) -> dict[Hashable, Any]:
    n, told, step = size.n, size.told, size.base * late * before
    total, square = size.moments(row["total"], row["total_sq"], late)
    past, past_sq = size.moments(row["before"], row["before_sq"], before)
    together = Fraction(row["cross"]) / n - Fraction(row["total"]) * Fraction(row["before"]) / n**2
    shared = int(told * together / Fraction(step)) * step if step else Decimal(0)
    near = _decimal(Fraction(total) * Fraction(past) / told)
    new = min(int(nearest(row["new"], size.base)), told)
    both: dict[Hashable, Any] = {"total": total, "total_sq": square, "before": past, "before_sq": past_sq}
    return {"n": told, "new": new, **both, "cross": shared + near}


def protect_missing(table: pd.DataFrame, base: int) -> pd.DataFrame:
    """Return members assigned and those whose outcome is not known, by outcome and scheme.

    Fewer than `base` whose outcome is not known are told as none; `missing_outcomes` reckons with it.
    """
    rows = []
    for row in table.to_dict("records"):
        told = int(to_multiples(row["assigned"], base))
        gone = min(int(to_multiples(row["assigned"] - row["known"], base)), told)
        known = told - gone
        true = sum_in_steps(Fraction(known * int(row["k"]), max(int(row["known"]), 1)), Decimal(base))
        if told:
            rows.append({**row, "assigned": told, "known": known, "k": min(int(true), known)})
    return pd.DataFrame(rows, columns=list(table.columns)).astype(dict(table.dtypes))


def _decimal(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_NINE, ROUND_DOWN)
