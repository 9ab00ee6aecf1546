"""How many of each segment are still with us on every day after the cut: a landmark curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.privacy import staircase, to_multiples
from sojourn.core.results.segments import Features, Ints, Segmentation
from sojourn.core.results.segments_described import EVERYONE, NextCurves
from sojourn.estimators.survival.kaplan_meier import kaplan_meier
from sojourn.estimators.survival.risk_set import RiskSet, risk_set
from sojourn.studies.segments.describe import shown_segments
from sojourn.studies.segments.features import features
from sojourn.studies.segments.shown import Shown

#: An interval is claimed to hold its mass only with so many at risk, and so many gone (STATISTICS 1).
LEAST_AT_RISK, LEAST_GONE = 20, 10

#: In private cases curves are read off this often, in days: the fewer places, the less one member moves.
_EVERY = 30

_TABLE = [
    "group",
    "duration",
    "at_risk",
    "churned",
    "retained",
    "retained_low",
    "retained_high",
    "claimed",
]


def next_curves(source: Cells | Features, found: Segmentation) -> NextCurves:
    """Return the share of each segment still with us on every day between the cut and ``as_of``.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result; only members that were not used to fit are followed, from the cut on.

    Returns
    -------
    NextCurves
        Empty, with the reason, where nobody's leaving is recorded after the cut.

    Notes
    -----
    Kaplan-Meier from the cut as landmark, so nobody is grouped by what came later; members still with us at
    ``as_of`` are censored there. Log-log intervals, each day by itself, where at least 20 are at risk and 10
    have left.
    """
    seen = source if isinstance(source, Features) else features(source)
    days, shown = int(seen.meta["params"]["outcome_days"]), Shown.of(seen.meta, found.mass)
    left = seen.next.loc[~seen.fit, "left_after"].to_numpy(dtype=np.int64)
    if not left.any():
        why = (
            f"Nobody is recorded as having left in the {days} days after the cut: there is no curve to show."
        )
        return NextCurves(pd.DataFrame(columns=_TABLE), days, found.mass, why_empty=why)
    parts = [(name, left[inside]) for name, inside in shown_segments(seen, found)]
    curves = [
        _curve(name, _risk(of, days, shown.base), found.mass, found.min_group)
        for name, of in [*parts, (EVERYONE, left)]
    ]
    return NextCurves(pd.concat(curves, ignore_index=True), days, found.mass)


def _risk(left: Ints, days: int, base: int) -> RiskSet:
    """Return who is at risk on every day after the cut; in private cases multiples of the base are."""
    gone = np.bincount(left[left > 0], minlength=days + 1)[: days + 1]
    members = len(left)
    if base:
        members, gone = int(to_multiples(members, base)), staircase(gone, base, _marks(days))
    zero = np.zeros(days + 1, dtype=np.int64)
    entered, censored = zero.copy(), zero.copy()
    entered[0], censored[-1] = members, members - gone.sum()
    return risk_set(np.arange(days + 1), entered, gone, censored)


def _marks(days: int) -> list[int]:
    """Return the days at which private curves are read off, the last among them."""
    return sorted({*range(0, days + 1, _EVERY), days})


def _curve(name: str, risk: RiskSet, mass: float, min_group: int) -> pd.DataFrame:
    """Return the rows of one segment, up to the last day before fewer than `min_group` are left."""
    risk = risk.while_at_least(min_group)
    curve = kaplan_meier(risk, mass)
    claimed = (risk.at_risk >= LEAST_AT_RISK) & (np.cumsum(risk.churned) >= LEAST_GONE)
    return pd.DataFrame(
        {
            "group": name,
            "duration": np.arange(len(risk)),
            "at_risk": risk.at_risk,
            "churned": risk.churned,
            "retained": curve.retained,
            "retained_low": np.where(claimed, curve.low, np.nan),
            "retained_high": np.where(claimed, curve.high, np.nan),
            "claimed": claimed,
        },
        columns=_TABLE,
    )
