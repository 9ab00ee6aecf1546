"""Catch and false-alarm rates of the checks of `checks`, measured by ``calibration/segments.py``.

Each is the share of planted faults found, the share of sound data alarmed at, and where both come from. They
are what is measured, not what is calibrated, and so stand in a file of their own.
"""

from __future__ import annotations

Rates = tuple[float, float, str]

VERDICT: Rates = (
    1.0,
    0.0,
    "60 worlds of 2 to 5 planted groups, 4,800 members; alarms: worst of 5 kinds without, 400 each of 2,400",
)
SAMPLE: Rates = (
    1.0,
    0.0,
    "a sample of 2,000 in 20,000; fault: it misses the least active tenth",
)
RETURNS: Rates = (
    1.0,
    0.0,
    "2,400 members; fault: five groups cut out of one round cloud; sound: 2 to 5 planted groups",
)
SCORE: Rates = (
    1.0,
    0.0,
    "2,400 members of 3 planted groups; fault: what they do next follows a feature within groups too",
)
