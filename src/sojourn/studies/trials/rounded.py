"""How much of an interval of a private case is made by rounding, rather than by members."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sojourn.core.privacy import base_of
from sojourn.core.results.check import Check
from sojourn.core.results.trials import Trial
from sojourn.core.text import number, percent
from sojourn.studies.trials.arms import Arms, make_arms

#: From this share of an interval's variance on, rounding is warned of: the interval is a tenth wider.
MUCH = 0.2


def rounding_share(trial: Trial, outcome: str) -> float:
    """Return which share of the variance of an outcome's means is that of rounding; 0 in public cases.

    Notes
    -----
    Counts come in multiples of the base b, which adds b² / 12 to the variance of a count. Sums come in steps
    of b times the cap c: (b c)² / 12, and the sum of squares is rounded up, by b c² / 2 on average.
    """
    base = base_of(trial.meta)
    if not base:
        return 0.0
    arms = make_arms(trial, outcome)
    added, whole = _added(trial, outcome, arms, base), arms.variance / arms.n
    return float(min(1.0, (added @ arms.weights**2).sum() / (whole @ arms.weights**2).sum()))


def _added(trial: Trial, outcome: str, arms: Arms, base: int) -> np.ndarray:
    if arms.kind == "binary":
        return arms.variance * (1 / arms.n - 1 / arms.members)
    cap = float(trial.meta["protected"].get("caps", {}).get(outcome, 0))
    added: np.ndarray = (base * cap) ** 2 / 12 / arms.n**2 + base * cap**2 / 2 / arms.n**2
    return added


def check_rounding(trial: Trial, outcomes: Sequence[str]) -> list[Check]:
    """Say how much wider rounding makes the interval it touches most; nothing where nothing is rounded."""
    shares = {outcome: rounding_share(trial, outcome) for outcome in outcomes}
    outcome = max(shares, key=lambda name: shares[name], default="")
    if not shares.get(outcome):
        return []
    share, cap = shares[outcome], trial.meta["protected"].get("caps", {}).get(outcome)
    cut = f" Amounts beyond {cap} count as {cap}." if cap else ""
    wider = f"{number(1 / math.sqrt(1 - share), 1)} times" if share < 0.99 else "many times"
    return [
        Check(
            "Numbers fine enough for this trial",
            "warn" if share > MUCH else "pass",
            f"Rounding that protects members makes {percent(share, 0)} of the variance of the lift "
            f"({trial.words(outcome)}): its interval is {wider} as wide as that of exact numbers.{cut}",
            "A smaller `privacy.min_group`, or `public: true` where all readers may see exact numbers, "
            "narrows it."
            if share > MUCH
            else "Exact numbers would say about the same.",
        )
    ]
