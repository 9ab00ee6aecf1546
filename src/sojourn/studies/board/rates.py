"""Catch and false-alarm rates of the checks of `checks`, measured by ``calibration/board.py``.

Each is the share of planted faults found, the share of sound data alarmed at, and where both come from. They
are what is measured, not what is calibrated, and so stand in a file of their own.
"""

from __future__ import annotations

Rates = tuple[float, float, str]

MOVED: Rates = (
    0.995,
    0.0,
    "2,000 members; fault: moves of the last two months shift a share by 10 in 100",
)
LOT: Rates = (
    0.97,
    0.0,
    "20 trials of 1,500 members a scheme; fault: one whose members came 0.2 deviations less",
)
ODD: Rates = (
    0.825,
    0.045,
    "15 groups; fault: a scheme that gains 5 loses 3 in one group, 300 members an arm; alarms: 50 an arm",
)
CONFLICT: Rates = (
    1.0,
    0.01,
    "15 groups, 300 members an arm; fault: the truth four of the belief's deviations from it",
)
FORETOLD: Rates = (
    1.0,
    0.04,
    "150 or more members in each of 15 groups; fault: odds 2.7 times those before, lately or a period ago",
)
#: Schemes and groups that worlds of worthless schemes had at most, and members an arm in a group at least.
MOST, LEAST = (12, 30), 20
#: Share of boards on which a scheme is recommended where it is worth nothing: of the worst kind of boards on
#: which all schemes are worth nothing, and on which one pays in all groups but one; and how many boards of
#: each kind were simulated, at least. The largest of several shares of so few is above that of many.
WORTHLESS, HIDDEN, BOARDS = 0.02, 0.74, 50
