"""Catch and false-alarm rates of the checks of `checks`, measured by ``calibration/portfolio.py``.

Each is the share of planted faults found, the share of sound data alarmed at, and where both come from. They
are what is measured, not what is calibrated, and so stand in a file of their own.
"""

from __future__ import annotations

Rates = tuple[float, float, str]

PAST: Rates = (1.0, 0.0, "100 past trials; fault: true lifts of the later half spread three times as far")
LOT: Rates = (
    0.97,
    0.0,
    "20 trials of 1,500 members a scheme; fault: one whose members came 0.2 deviations less",
)
FIT: Rates = (0.82, 0.0, "80 trials that err as lifts spread; fault: the belief three times too narrow")
PROXY: Rates = (
    1.0,
    0.05,
    "60 trials whose effects spread twice as far as they err; fault: nothing explained",
)
