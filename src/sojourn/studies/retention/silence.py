"""How long a silence has to last before it means leaving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sojourn.core.cells import Cells
from sojourn.core.ranges import in_range
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.retention_definitions import LapseWindow
from sojourn.core.text import percent, plural
from sojourn.estimators.survival.kaplan_meier import kaplan_meier, product_limit
from sojourn.estimators.survival.risk_set import RiskSet, risk_set
from sojourn.estimators.survival.shares import exact_share
from sojourn.studies.retention.curve import LEAST_AT_RISK, LEAST_GONE
from sojourn.studies.retention.groups import read_risk_set

#: The rule: at most this share of silent members comes back.
MOST_BACK = 0.10
#: A window this many times the one by the rule, or this part of it, does not suit.
FAR = 2.0
#: Measured by ``calibration/silence.py``: share of unsuitable windows found (stated at most as 0.999), share
#: of suitable ones doubted (at least as 0.001), and over which worlds.
RATES = (
    0.999,
    0.001,
    "1,000 worlds of 1,000 members each; fault: a window a third, or three times, as long as by the rule",
)
COLUMNS = [
    "window",
    "back_share",
    "judged",
    "lapsed",
    "came_back",
    "so_far_share",
    "so_far_share_low",
    "so_far_share_high",
    "at_risk",
    "retained",
    "retained_low",
    "retained_high",
    "claimed",
]
_CURVE = ["days", "back_share"]
_CANCELS = "Members cancel here, so nobody has to guess from their silence whether they left."

Floats = NDArray[np.float64]


def lapse_window(
    cells: Cells, *, horizon: int = 90, mass: float = 0.95, most_back: float = MOST_BACK, min_group: int = 20
) -> LapseWindow:
    """Return how many silent members come back, the window that suits, and the headline under every window.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``, with the tables ``gaps`` and ``windows``.
    horizon : int
        Day at which the headline is read.
    mass : float
        Mass of the intervals.
    most_back : float
        The rule: the shortest window of the list after which at most this share comes back.
    min_group : int
        Gaps are followed as far as so many are; windows under which fewer members lapsed tell no share.

    Notes
    -----
    G(x), the share of gaps longer than x days, is the Kaplan-Meier estimate over gaps above one day, those
    running at `as_of` censored. Of silences that lasted W days, 1 - G(end) / G(W) come back by `end`, the
    longest silence that `min_group` gaps were followed for. A window is judged where `end` is at least twice
    as long. The headline under W is the Kaplan-Meier estimate of the first gap longer than W, dated at its
    start, everybody censored at `as_of` - W.
    """
    in_range(mass, "mass", gt=0, lt=1)
    in_range(most_back, "most_back", gt=0, lt=1)
    in_range(min_group, "min_group", ge=1)
    why = _why_empty(cells)
    gaps = cells["gaps"] if not why else pd.DataFrame({"days": [], "ended": [], "running": []}, dtype="int64")
    longer = share_longer(gaps, min_group)
    if not why and len(longer) < 2:
        why = f"Fewer than {min_group} gaps between signs of life have been seen."
    if not why and cells.meta.get("lapse") not in (None, *cells["windows"]["window"]):
        why = f"Too few members were followed to be shown under a window of {cells.meta['lapse']} days."
    table = pd.DataFrame(columns=COLUMNS)
    if not why:
        table = _table(cells["windows"], longer, horizon, mass, min_group)
    return LapseWindow(
        case=cells.case,
        unit=cells.meta["unit"],
        leaving=cells.meta["leaving"],
        lapse=cells.meta.get("lapse"),
        min_group=min_group,
        mass=mass,
        horizon=horizon,
        most_back=most_back,
        followed_to=len(longer) - 1,
        chosen=_chosen(table, most_back),
        table=table,
        curve=_curve(longer) if not why else pd.DataFrame(columns=_CURVE),
        why_empty=why,
        not_applicable=why == _CANCELS,
    )


def _why_empty(cells: Cells) -> str:
    if "gaps" in cells.tables and "windows" in cells.tables:
        return ""
    if "not_possible" in cells.meta:
        return str(cells.meta["not_possible"])
    if cells.meta.get("leaving") == "cancellation":
        return _CANCELS
    return "The data hold no gaps between signs of life."


def share_longer(gaps: pd.DataFrame, min_group: int) -> Floats:
    """Return the share of gaps longer than 0, 1, 2 … days, as far as `min_group` gaps were followed.

    Parameters
    ----------
    gaps : DataFrame
        ``days``, ``ended``, ``running``, as in the cells.
    """
    if gaps.empty:
        return np.ones(0)
    days, ended, running = (gaps[name].to_numpy(dtype=np.int64) for name in ("days", "ended", "running"))
    zero = np.zeros_like(days)
    risk = risk_set(np.r_[zero, days], np.r_[ended + running, zero], np.r_[zero, ended], np.r_[zero, running])
    longer: Floats = product_limit(risk.while_at_least(min_group))
    return longer


def back_share(longer: Floats, days: int) -> float:
    """Return the share of silences of more than so many days that end as far as gaps were followed."""
    if days >= len(longer) or longer[days] == 0:
        return float("nan")
    return float(1 - longer[-1] / longer[days])


def _curve(longer: Floats) -> pd.DataFrame:
    """Return the share coming back by length of silence, as far as they were followed for as long again."""
    days = np.arange(1, (len(longer) - 1) // 2 + 1)
    return pd.DataFrame({"days": days, "back_share": [back_share(longer, int(day)) for day in days]})


def _table(windows: pd.DataFrame, longer: Floats, horizon: int, mass: float, min_group: int) -> pd.DataFrame:
    end = len(longer) - 1
    rows = []
    for window in sorted({int(days) for days in windows["window"]}):
        counts = windows[windows["window"] == window]
        lapsed, back = int(counts["churned"].sum()), int(counts["came_back"].sum())
        judged = end >= 2 * window
        share = back_share(longer, window) if judged else float("nan")
        share_so_far = so_far(lapsed, back, mass) if lapsed >= min_group else (float("nan"),) * 3
        headline = headline_under(read_risk_set(counts), horizon, mass, min_group)
        rows.append((window, share, judged, lapsed, back, *share_so_far, *headline))
    return pd.DataFrame(rows, columns=COLUMNS)


def so_far(lapsed: int, back: int, mass: float) -> tuple[float, float, float]:
    """Return the share of lapsed members who came back, with its exact bounds."""
    low, high = exact_share(np.array([back]), np.array([lapsed]), mass)
    return back / lapsed, float(low[0]), float(high[0])


def headline_under(risk: RiskSet, horizon: int, mass: float, min_group: int) -> tuple[Any, ...]:
    """Return at risk, retained with bounds, and whether they are claimed, at the horizon."""
    at_risk = int(risk.at_risk[horizon]) if len(risk) > horizon else 0
    if at_risk < min_group:
        return at_risk, float("nan"), float("nan"), float("nan"), False
    found = kaplan_meier(risk.on(horizon + 1), mass)
    claimed = at_risk >= LEAST_AT_RISK and int(risk.churned[: horizon + 1].sum()) >= LEAST_GONE
    return at_risk, *(float(values[-1]) for values in (found.retained, found.low, found.high)), claimed


def _chosen(table: pd.DataFrame, most_back: float) -> int | None:
    suits = table[table["judged"].astype(bool) & (table["back_share"] <= most_back)]
    return int(suits["window"].min()) if len(suits) else None


def check_lapse_window(found: LapseWindow) -> list[Check]:
    """Return the check of the case's own window; none where members cancel or nothing is known of gaps.

    Rule: too short, when more than the rule's share comes back and the window by the rule is at least `FAR`
    times as long, or none suits; too long, when it is at most one `FAR`-th as long.
    """
    if found.why_empty or found.lapse is None:
        return []
    name = "The lapse window suits the gaps"
    own = found.row(found.lapse)
    if not own["judged"]:
        longest = plural(found.followed_to, "day")
        finding = f"Not known. Silences were followed for at most {longest}."
        return [Check(name, "warn", finding, "Whether silence means leaving would go unseen.")]
    verdict, meaning = _judged(found, float(own["back_share"]))
    rule = (
        f"at most {percent(found.most_back, 0)} do after {found.chosen} days"
        if found.chosen
        else f"no window of the list brings it to {percent(found.most_back, 0)}"
    )
    finding = (
        f"Of silences that have lasted {found.lapse} days, {percent(float(own['back_share']))} end by day "
        f"{found.followed_to}; {rule}."
    )
    return [Check(name, verdict, finding, meaning, *RATES)]


def _judged(found: LapseWindow, back: float) -> tuple[Verdict, str]:
    own, chosen = found.lapse or 0, found.chosen
    if back > found.most_back and (chosen is None or chosen >= FAR * own):
        longer = f"set `lapse_days` to {chosen}" if chosen else "read the answer as a first pause"
        return "warn", f"The window is too short: pauses count as leaving; {longer}."
    if chosen is not None and chosen * FAR <= own:
        return "warn", f"The window is needlessly long: {chosen} days would do, and judge newer members too."
    return "pass", "Silence for so long is nearly always the end." if back <= found.most_back else (
        "The window is near the one by the rule."
    )
