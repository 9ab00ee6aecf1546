"""How often the check of a belief alarms, measured by ``calibration/beliefs.py``; a test compares both.

Share of planted faults found, share of sound trials alarmed at, and where both come from. They are what is
measured, not what is calibrated, and so stand in a file of their own.
"""

from __future__ import annotations

PRIOR: tuple[float, float, str] = (
    0.92,
    0.02,
    "1,500 members an arm; fault: the truth four of the belief's deviations from it",
)
