"""Weeks since assignment as arrays by scheme: who is there, who leaves, comes and pays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sojourn.core.results.trials import Trial
from sojourn.studies.trials.normal_bounds import Floats

WEEK = 7
_COLUMNS = ("at_risk", "left", "active", "paid", "paid_sq")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Sums of members by scheme (control first) and week.

    Attributes
    ----------
    at_risk, left, active, paid, paid_sq : array (schemes, weeks)
        Members there at the begin of a week and followed to its end; of whom left, came; what they paid, and
        its squares by member.
    together : float
        Correlation of what one member pays in two weeks (0-1).
    """

    at_risk: Floats
    left: Floats
    active: Floats
    paid: Floats
    paid_sq: Floats
    together: float

    @property
    def weeks(self) -> int:
        """How many weeks there are."""
        return int(self.at_risk.shape[1])

    def there(self, until: int) -> tuple[Floats, Floats]:
        """Return the share of all assigned still there after so many weeks, and its variance (Greenwood)."""
        left, at_risk = self.left[:, :until], self.at_risk[:, :until]
        share = np.prod(1 - left / at_risk, axis=1)
        return share, share**2 * (left / (at_risk * np.maximum(at_risk - left, 1))).sum(axis=1)

    def pace(self, weeks: slice) -> tuple[Floats, Floats]:
        """Return the weekly share that leaves, and the variance of its logarithm.

        Half a leaver is added to every scheme where one has none.
        """
        left, at_risk = self.left[:, weeks], self.at_risk[:, weeks]
        gone = left.sum(axis=1) + (0.5 if (left.sum(axis=1) == 0).any() else 0.0)
        spread = (left * (1 - left / at_risk)).sum(axis=1)
        return gone / at_risk.sum(axis=1), np.where(spread > 0, spread, gone) / gone**2

    def _each(self) -> tuple[Floats, Floats]:
        """Return the mean amount of a week per member assigned, and the variance of that mean."""
        before = np.cumprod(1 - self.left / self.at_risk, axis=1)
        present = np.concatenate([np.ones((len(before), 1)), before[:, :-1]], axis=1)
        mean, square = (present * sums / self.at_risk for sums in (self.paid, self.paid_sq))
        return mean, (square - mean**2) * present / self.at_risk

    def amounts(self, weeks: slice) -> tuple[Floats, Floats]:
        """Return the mean amount of some weeks together per member assigned, and the variance of that mean.

        The variance takes any two weeks of a member to go together by `together`.
        """
        mean, variance = self._each()
        own = variance[:, weeks].sum(axis=1)
        both = np.sqrt(variance[:, weeks]).sum(axis=1) ** 2
        return mean[:, weeks].sum(axis=1), own + self.together * (both - own)


def weekly(trial: Trial) -> Weekly | None:
    """Return weeks in which every scheme has members enough to be shown; None where there are none."""
    cells = trial.other("after")
    if cells.empty:
        return None
    grids = {
        name: cells.pivot_table(index="scheme", columns="week", values=name, aggfunc="sum", fill_value=0)
        .reindex(list(trial.schemes), fill_value=0)
        .to_numpy(float)
        for name in _COLUMNS
    }
    enough = (grids["at_risk"] >= max(trial.min_group, 1)).all(axis=0)
    length = int(np.argmin(enough)) if not enough.all() else len(enough)
    if not length:
        return None
    made = Weekly(**{name: grid[:, :length] for name, grid in grids.items()}, together=0.0)
    return Weekly(**{name: grid[:, :length] for name, grid in grids.items()}, together=_together(trial, made))


def _together(trial: Trial, made: Weekly) -> float:
    """Return the correlation that gives weeks together the variance that they have together.

    What members paid within the value days is known with its variance over members; 1, which makes intervals
    too wide rather than too narrow, where it is not.
    """
    horizon = round(int(trial.meta["horizon_days"]) / WEEK)
    if "revenue" not in trial.outcomes or horizon > made.weeks or not made.paid.any():
        return 1.0
    sums = trial.cells("revenue").groupby("scheme")[["n", "total", "total_sq"]].sum()
    n, total, square = sums.reindex(list(trial.schemes)).to_numpy(float).T
    whole = (square / n - (total / n) ** 2) / n
    _, variance = made._each()
    own = variance[:, :horizon].sum(axis=1)
    both = np.sqrt(variance[:, :horizon]).sum(axis=1) ** 2
    return float(np.clip((whole - own).sum() / (both - own).sum(), 0.0, 1.0))
