"""What is so about staying: curves, mean stays, reasons of leaving and presence with returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sojourn.world.arrays import Floats
from sojourn.world.members.hazards import back_by
from sojourn.world.members.people import of_segment
from sojourn.world.members.population import LEAST_DAYS
from sojourn.world.parameters import REASONS, Frame
from sojourn.world.truth.tally import Tally, levels

#: Days since joining at which the true curve is written down.
HORIZONS: tuple[int, ...] = (1, 7, 30, 60, 90, 180, 365)
#: Horizon of the restricted mean, in days.
UNTIL = 180


def retention_truth(frame: Frame, sums: Tally) -> dict[str, Any]:
    """Return what is so about staying, from the sums of all blocks."""
    everyone = Curve("all", "all", sums.curves["channel"].sum(axis=0))
    curves = [everyone]
    for group, names in levels(frame).items():
        found = zip(names, sums.curves[group], strict=True)
        curves += [Curve(group, name, part) for name, part in found if part.any()]
    daily = -np.diff(np.log(everyone.survival))
    peak = int(np.argmax(daily[:UNTIL]))
    return {
        "unit": "days since joining",
        "survival": [row for curve in curves for row in curve.at_horizons()],
        "restricted_mean": [curve.restricted_mean() for curve in curves],
        "hazard_peak_day": peak + 0.5,
        "hazard_peak_ratio": daily[peak] / daily[UNTIL : 2 * UNTIL].mean(),
        **_by_segment(frame, sums.curves["segment"][:, 0]),
    }


def _by_segment(frame: Frame, survival: Floats) -> dict[str, Any]:
    """Return reasons of leaving and presence with returns, which differ by segment only given leaving."""
    parameters = frame.parameters
    members = survival[:, 0].sum()
    reasons = np.array([s.reasons for s in parameters.segments])
    gone = survival[:, :1] - survival
    chances = back_by(parameters.churn, parameters.churn.again * of_segment(parameters, "hazard"), LEAST_DAYS)
    leaving = -np.diff(survival, axis=1)
    back = np.zeros(LEAST_DAYS)
    for part, chance in zip(leaving, chances, strict=True):
        within = np.convolve(part, chance)[: LEAST_DAYS - 1]
        back[1:] += (within + np.append(within[1:], within[-1])) / 2
    with_us = (survival.sum(axis=0) + back) / members
    shares = (gone[:, None, :] * reasons[:, :, None]).sum(axis=0) / members
    return {
        "left_for": [
            {"reason": reason, "day": day, "share": shares[i, day]}
            for i, reason in enumerate(REASONS)
            for day in HORIZONS
        ],
        "with_us": [{"day": day, "share": with_us[day]} for day in HORIZONS],
    }


@dataclass(frozen=True, slots=True)
class Curve:
    """True retention of one group, from its sums by day since joining.

    ``survival`` is as if everyone were followed to each day; ``seen`` is what a Kaplan-Meier curve at `as_of`
    tends to (not a number beyond the longest follow-up), which differs where cohorts do.
    """

    group: str
    level: str
    sums: Floats

    @property
    def survival(self) -> Floats:
        """Retention as if everyone were followed to each day."""
        return np.asarray(self.sums[0] / self.sums[0, 0])

    @property
    def seen(self) -> Floats:
        """What a Kaplan-Meier curve at `as_of` tends to, not a number beyond the longest follow-up."""
        staying, leaving = self.sums[1, :-1], self.sums[2, :-1]
        shares = np.divide(leaving, staying, out=np.full(staying.shape, np.nan), where=staying > 0)
        return np.concatenate([[1.0], np.cumprod(1 - shares)])

    def at_horizons(self) -> list[dict[str, Any]]:
        """Return one row per horizon."""
        return [
            {"group": self.group, "level": self.level, "day": day, "survival": self.survival[day],
             "seen": self.seen[day]}
            for day in HORIZONS
        ]  # fmt: skip

    def restricted_mean(self) -> dict[str, Any]:
        """Return the mean stay within `UNTIL` days."""
        return {
            "group": self.group, "level": self.level, "until": UNTIL, "days": area(self.survival, UNTIL),
            "seen": area(self.seen, UNTIL),
        }  # fmt: skip


def area(survival: Floats, until: int) -> float:
    """Integrate a curve that is log-linear within days (very nearly, for a mixture)."""
    start, end = survival[:until], survival[1 : until + 1]
    return float(((start - end) / np.log(start / end)).sum())
