"""Why members leave: reasons compete, and those unknown are a cause of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.ranges import in_range
from sojourn.core.results.check import Check
from sojourn.core.results.retention import EVERYONE
from sojourn.core.results.retention_states import MAY_BE_ANY, OTHER, OTHER_OR_UNKNOWN, UNKNOWN, Reasons
from sojourn.core.text import plural, points
from sojourn.estimators.survival.aalen_johansen import (
    Occupation,
    aalen_johansen,
    competing_risks,
    share_bounds,
)
from sojourn.estimators.survival.risk_set import RiskSet
from sojourn.studies.retention.curve import LEAST_AT_RISK, LEAST_GONE
from sojourn.studies.retention.groups import everyone
from sojourn.studies.retention.truth import true_reasons

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

_NOT_ASKED = "Those who fall silent give no reason."
_NOT_RECORDED = "The data hold no reasons of leaving."
#: Of `check_reasons`, measured by calibration/states.py.
CATCH_RATE, FALSE_ALARM_RATE = 1.0, 0.003
RATES_FROM = (
    "4,000 worlds of 1,000 members each in which unknown reasons hide another main reason, and as many in "
    "which they hide none"
)
#: At most so many reasons have a layer of their own.
MOST_REASONS = 6


def reasons(cells: Cells, *, horizon: int = 90, mass: float = 0.95, min_group: int = 20) -> Reasons:
    """Return the share of members who have left for each reason by each duration.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``; its table ``reasons`` splits those who left.
    horizon : int
        Duration at which sentences read the shares; the longest followed, where that is shorter.
    mass : float
        Mass of the pointwise intervals, in (0, 1).
    min_group : int
        Shares end where fewer members are at risk; reasons given by fewer are counted together.

    Returns
    -------
    Reasons
        With `why_empty` where no reason is known.

    Notes
    -----
    Cumulative incidence (Aalen-Johansen) of the first leaving, of the members of the headline curve: the
    shares sum to one less that curve. One less Kaplan-Meier of a single reason is none: it treats those who
    left for another reason as if they could still leave for this one. Which known reason the unknown would
    have given is not known: the share lies between the one with none and the one with all of them. Days lost
    to each reason within a time: Andersen (2013), Stat. Med. 32, 5278-5285; with the mean time with us they
    sum to that time.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(min_group, "min_group", ge=1)
    read = {
        "unit": cells.meta["unit"],
        "mass": mass,
        "leaving": cells.meta["leaving"],
        "min_group": min_group,
    }
    risk, given = _given(cells, min_group)
    layer_of = layers({name: int(n.sum()) for name, n in given.items()}, min_group)
    names = list(dict.fromkeys(layer_of.values()))
    why = _why_not(cells, risk, names, min_group)
    if why:
        return Reasons(**read, horizon=0, table=pd.DataFrame(), gone=pd.DataFrame(), why_empty=why)
    gone = np.column_stack([_sum(given, layer_of, name) for name in names])
    found = aalen_johansen(competing_risks(risk.at_risk, gone), np.eye(len(names) + 1)[0])
    last = len(risk) - 1
    at = min(horizon, last)
    return Reasons(
        **read,
        horizon=at,
        table=_table(found, risk.at_risk, gone, names, mass),
        gone=pd.DataFrame({"duration": np.arange(len(risk)), "left_share": 1 - found.share[:, 0]}),
        merged=sum(
            layer in (OTHER, OTHER_OR_UNKNOWN) and name != UNKNOWN for name, layer in layer_of.items()
        ),
        lead=lead_of(found, names, at, mass),
        truth=true_reasons(cells, layer_of, last),
    )


def _given(cells: Cells, min_group: int) -> tuple[RiskSet, dict[str, Counts]]:
    """Return the risk set of everybody while `min_group` are at risk, and who left by reason and day."""
    risk = everyone(cells).while_at_least(min_group)
    if "reasons" not in cells.tables:
        return risk, {}
    rows = cells["reasons"]
    rows = rows[(rows["by"] == EVERYONE) & (rows["day"] < len(risk))]
    by_day = rows.pivot_table(index="day", columns="reason", values="churned", aggfunc="sum", fill_value=0)
    by_day = by_day.reindex(range(len(risk)), fill_value=0)
    return risk, {str(name): by_day[name].to_numpy(dtype=np.int64) for name in sorted(by_day.columns)}


def _why_not(cells: Cells, risk: RiskSet, names: list[str], min_group: int) -> str:
    if "reasons" not in cells.tables:
        return _NOT_ASKED if cells.meta["leaving"] == "silence" else _NOT_RECORDED
    if not len(risk):
        return f"Fewer than {min_group} members have been followed from joining on."
    if not names:
        return "Nobody has left yet, so there are no reasons of leaving."
    if all(name in MAY_BE_ANY for name in names):
        return f"No reason of leaving was given by {min_group} members or more."
    return ""


def layers(totals: Mapping[str, int], min_group: int, most: int = MOST_REASONS) -> dict[str, str]:
    """Return the layer in which each reason is counted, largest first and the unknown last.

    A reason given by fewer than `min_group` has no layer of its own, nor have those after the `most` largest;
    they are counted together, and with so many more that the sum does not tell of fewer than `min_group`.

    Examples
    --------
    >>> layers({"price": 90, "moved": 12, "died": 9, "unknown": 50}, 20)
    {'price': 'price', 'moved': 'other reasons', 'died': 'other reasons', 'unknown': 'unknown'}
    >>> layers({"price": 90, "moved": 12, "unknown": 50}, 20)
    {'price': 'price', 'moved': 'other or unknown', 'unknown': 'other or unknown'}
    """
    totals = {name: n for name, n in totals.items() if n}
    unknown = totals.get(UNKNOWN, 0)
    known = sorted((name for name in totals if name != UNKNOWN), key=lambda name: (-totals[name], name))
    own = [name for name in known[:most] if totals[name] >= min_group]
    few = known[len(own) :]
    rest = sum(totals[name] for name in few)
    together = 0 < unknown < min_group or (unknown > 0 and 0 < rest < min_group)
    rest += unknown if together else 0
    while own and 0 < rest < min_group:
        few.insert(0, own.pop())
        rest += totals[few[0]]
    layer = {name: name for name in own}
    layer |= dict.fromkeys(few, OTHER_OR_UNKNOWN if together else OTHER)
    return layer | ({UNKNOWN: OTHER_OR_UNKNOWN if together and few else UNKNOWN} if unknown else {})


def _sum(given: Mapping[str, Counts], layer_of: Mapping[str, str], layer: str) -> Counts:
    total: Counts = np.sum([n for name, n in given.items() if layer_of.get(name) == layer], axis=0)
    return total


def _table(found: Occupation, at_risk: Counts, gone: Counts, names: list[str], mass: float) -> pd.DataFrame:
    """Return the rows of every reason; state 0 is being with us, the others are the reasons in order."""
    open_state = next((i for i, name in enumerate(names, 1) if name in MAY_BE_ANY), 0)
    parts = []
    for state, name in enumerate(names, 1):
        only, with_open = np.eye(len(names) + 1)[state], np.eye(len(names) + 1)[state]
        with_open[open_state] = 1.0 if open_state else 0.0
        most = _bounded(found, with_open, mass, "most_left_share")
        churned = np.cumsum(gone[:, state - 1])
        part = {
            "reason": name,
            "duration": np.arange(len(at_risk)),
            "at_risk": at_risk,
            "churned": churned,
            **_bounded(found, only, mass, "left_share"),
            **(most if state != open_state else dict.fromkeys(most, np.nan)),
            **_lost(found, state, mass),
            "claimed": (at_risk >= LEAST_AT_RISK) & (churned >= LEAST_GONE),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _bounded(found: Occupation, weights: Floats, mass: float, name: str) -> dict[str, Any]:
    share = found.share @ weights
    low, high = share_bounds(share, found.se_of(weights), mass, "log-log")
    return {name: share, f"{name}_low": low, f"{name}_high": high}


def _lost(found: Occupation, state: int, mass: float) -> dict[str, Any]:
    """Return the time lost to a reason up to each duration, the area under its share."""
    lost, se = found.time[:, state], found.time_se[:, state]
    low, high = lost_bounds(lost, se, mass)
    return {"lost_days": lost, "lost_days_low": low, "lost_days_high": high}


def lost_bounds(lost: Floats, se: Floats, mass: float) -> tuple[Floats, Floats]:
    """Return bounds of times above 0, normal on the logarithmic scale (delta method)."""
    some = lost > 0
    times = np.exp(standard_errors(mass) * np.divide(se, lost, out=np.full(lost.shape, np.nan), where=some))
    return lost / times, lost * times


def lead_of(found: Occupation, names: list[str], at: int, mass: float) -> Interval | None:
    """Return by how much the main reason leads the next, if all unknown had left for that one."""
    share = dict(zip(names, found.share[at, 1:], strict=True))
    known = sorted((name for name in names if name not in MAY_BE_ANY), key=lambda name: -share[name])
    if len(known) < 2 or not share[known[1]]:
        return None
    sign = {known[0]: 1.0, known[1]: -1.0, **dict.fromkeys(MAY_BE_ANY, -1.0)}
    weights = np.array([0.0, *(sign.get(name, 0.0) for name in names)])
    lead, reach = float(found.share[at] @ weights), standard_errors(mass) * float(found.se_of(weights)[at])
    return Interval(lead, lead - reach, lead + reach, mass, "wald")


def check_reasons(result: Reasons) -> list[Check]:
    """Return whether the main reason is first whatever the unknown left for; nothing where none is unknown.

    Rule: it passes when the lower bound of its lead over the next known reason is above 0 even if all unknown
    had left for that one.
    """
    if result.lead is None or not result.open:
        return []
    sure, lead = result.lead.low > 0, result.lead.value
    first, following = result.known[:2]
    ahead, behind = (first, following) if lead > 0 else (following, first)
    return [
        Check(
            name="The main reason is first without doubt",
            verdict="pass" if sure else "warn",
            finding=(
                f"If all whose reason is unknown had left for {following}, {ahead} would lead {behind} by "
                f"{points(abs(lead))} in 100 members after {plural(result.horizon, result.unit)}."
            ),
            meaning=f"{first} comes first."
            if sure
            else "Ask more of those who leave before acting on a reason.",
            catch_rate=CATCH_RATE,
            false_alarm_rate=FALSE_ALARM_RATE,
            rates_from=RATES_FROM,
        )
    ]
