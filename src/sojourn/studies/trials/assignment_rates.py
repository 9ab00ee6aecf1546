"""How often checks of assignment find what is planted and warn of sound trials, as calibration found it.

They stand apart from the checks, whose code the calibration proves; a test compares them with its results.
"""

from __future__ import annotations

#: Share of planted faults caught and of sound trials warned of, by check, and what was planted.
RATES: dict[str, tuple[float, float, str]] = {
    "by_day": (0.815, 0.005, "a scheme that takes 51 for every 50 planned, 100,000 members each, 100 looks"),
    "mismatch": (0.993, 0.011, "one in four of a scheme lost in one level with a fifth of 12,000 members"),
    "balance": (0.993, 0.007, "one covariate of three higher by a tenth of its spread, 12,000 members"),
    "missing": (1.0, 0.010, "2 % of stayers and 30 % of leavers of one scheme unknown, 2,500 members each"),
    "overlap": (0.963, 0.004, "a lift that differs by 8 points between two other schemes, 12,000 members"),
    "clusters": (1.0, 0.012, "80 clubs of 60 whose hazards differ by a factor of 2 (one standard deviation)"),
}
