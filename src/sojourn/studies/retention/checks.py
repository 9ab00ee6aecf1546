"""What could be wrong with a retention curve: each check with its verdict and what that means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from scipy.stats import binom, norm

from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.interval import Interval
from sojourn.core.normal import standard_errors
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.retention import EVERYONE, RetentionCurve
from sojourn.core.text import count, in_words, listing, number, percent, plural
from sojourn.estimators.survival.log_rank import LogRankTest, log_rank
from sojourn.studies.retention.curve import LEAST_GONE
from sojourn.studies.retention.groups import COHORT, NO_DATES, read_risk_set, rows_by, why_no_cohorts

#: Fewer members at risk at the horizon than this, and one more or fewer leaver shows in the answer.
SOLID = 100
#: Level of the test whether older and newer members leave alike.
DRIFT_LEVEL = 0.01
#: A pause in the data is suspicious when a pause so long would be this rare at the usual pace.
PAUSE_LEVEL = 0.001
#: Share of members left out above which the check warns, and fails.
LEFT_OUT_WARN, LEFT_OUT_FAIL = 0.05, 0.20
#: Members left out for this reason are not new: an answer about new members does not need them.
_OLD = "first seen when the data begin"
#: Share of lapsed members with a later sign of life above which silence is a poor sign of leaving.
CAME_BACK_WARN = 0.10
#: Standard errors between estimate and truth above which a simulated world contradicts the estimate.
TRUTH_REACH = 3.5

#: Measured by ``calibration/retention.py`` (`drift_rates`): share of faults found, share of false alarms.
DRIFT_RATES = (0.85, 0.008)
#: The fault whose rate of being found is stated: the newer half leaves so many times as fast.
DRIFT_FAULT = 1.3
#: Chance of finding it below which finding nothing says little, and the check does not pass.
DRIFT_SEEN = 0.5
#: Joiners of the first weeks over those of as many weeks after: above this they are hardly all new.
NEWCOMERS_WARN, NEWCOMERS_FAIL = 1.5, 3.0


def check_retention(cells: Cells, curve: RetentionCurve, *, horizon: int) -> list[Check]:
    """Return every check of the answer, in the order in which they are worth reading.

    Parameters
    ----------
    cells : Cells
        Of the study ``retention``.
    curve : RetentionCurve
        Of everybody (``by="all"``).
    horizon : int
        Duration of the answer, in the unit of the cells.
    """
    checks = [
        _follow_up(curve, horizon),
        _interval_claimed(curve, horizon),
        _drift(cells, curve, horizon),
        *_newcomers(cells),
        _left_out(cells),
        _up_to_date(cells),
    ]
    if curve.leaving == "silence":
        checks.append(_came_back(cells))
    if cells.meta.get("known_later"):
        checks.append(_known_later(cells))
    if off := _errors(curve):
        checks.append(_truth(off))
    return checks


def _follow_up(curve: RetentionCurve, horizon: int) -> Check:
    longest = int(curve.followed_to[EVERYONE])
    at_risk = _at_risk(curve, horizon)
    verdict: Verdict = "fail" if longest < horizon else "pass" if at_risk >= SOLID else "warn"
    finding = f"{plural(at_risk, 'member')} were still observed at {horizon} {curve.unit}s"
    meaning = {
        "pass": "The curve is known to the horizon.",
        "warn": "The curve reaches the horizon on few members; a nearer horizon is safer.",
        "fail": f"The answer is not defined there; the curve ends at {longest} {curve.unit}s.",
    }[verdict]
    return Check("Followed long enough", verdict, f"{finding} (longest follow-up {longest}).", meaning)


def _at_risk(curve: RetentionCurve, horizon: int) -> int:
    rows = curve.only([EVERYONE]).readings([horizon])
    return int(rows["at_risk"].sum())


def _interval_claimed(curve: RetentionCurve, horizon: int) -> Check:
    rows = curve.table[(curve.table["group"] == EVERYONE) & (curve.table["duration"] <= horizon)]
    gone, claimed = int(rows["churned"].sum()), bool(rows["claimed"].iloc[-1])
    verdict: Verdict = "pass" if claimed else "cannot be judged"
    left = "had left" if curve.leaving == "cancellation" else "had fallen silent"
    few = "With so few, an interval covers less than it says."
    meaning = "The interval can be taken at its word." if claimed else few
    return Check(
        "Enough losses for an interval", verdict, f"{plural(gone, 'member')} {left} by then.", meaning
    )


def _drift(cells: Cells, curve: RetentionCurve, horizon: int) -> Check:
    """Whether older and newer members leave alike, as one curve for all takes for granted."""
    name = "Older and newer members fare alike"
    try:
        test = halves_test(cells, horizon)
    except UndefinedError as reason:
        return Check(name, "warn", f"Not known. {reason}", "A change over time would go unseen.")
    chance = "p < 0.001" if test.p < 0.001 else f"p = {number(test.p, 3)}"
    left = "left" if cells.meta["leaving"] == "cancellation" else "fell silent"
    alike = test.p >= DRIFT_LEVEL
    said = (
        f"Newer members {left} {_times(test, curve.mass)} as fast as older ones over the first "
        f"{horizon} {curve.unit}s (log-rank {chance})."
    )
    finding = f"No clear difference: {said[0].lower()}{said[1:]}" if alike else said
    other = "The later part of the curve rests on older members; newer ones differ."
    gone = int(test.observed.sum())
    found = drift_power(gone, float(test.expected[1]) / gone)
    unseen = f"None is seen, but a difference of {DRIFT_FAULT} times would mostly go unseen here."
    meaning = other if not alike else "The curve holds for both." if found >= DRIFT_SEEN else unseen
    verdict: Verdict = "pass" if alike and found >= DRIFT_SEEN else "warn"
    source = (
        f"found: closed form for these {count(gone)} losses, when newer members are lost {DRIFT_FAULT} "
        f"times as fast; false alarms: 2,000 worlds of 2,000 members"
    )
    return Check(name, verdict, finding, meaning, found, DRIFT_RATES[1], source)


def _times(test: LogRankTest, mass: float) -> str:
    """Print how many times as fast newer members are lost; without an interval where few are."""
    few = int(test.observed.min()) < LEAST_GONE
    ratio = drift_ratio(test, mass)
    return f"{number(ratio.value, 2)} times (too few for an interval)" if few else in_words(ratio, "times", 2)


def drift_ratio(test: LogRankTest, mass: float) -> Interval:
    """Return how many times as fast newer members are lost as older ones.

    Notes
    -----
    Observed over expected, one half over the other. The interval is normal on the scale of logarithms with
    variance 1 / (d p (1 - p)), that of the log-rank test: d leavers, a share p of them expected among newer
    members (Schoenfeld 1981, Biometrika 68, 316-319).
    """
    older, newer = test.observed / test.expected
    gone, ratio = float(test.observed.sum()), float(newer / older)
    share = float(test.expected[1]) / gone
    reach = math.exp(standard_errors(mass) / math.sqrt(gone * share * (1 - share)))
    return Interval(ratio, ratio / reach, ratio * reach, mass, "wald")


def drift_power(gone: int, share: float) -> float:
    """Return the chance that the log-rank test finds the newer members leaving `DRIFT_FAULT` times as fast.

    Parameters
    ----------
    gone : int
        Leavers of both halves.
    share : float
        Share of them expected among newer members if all leave alike.

    Notes
    -----
    The statistic is about normal with mean log(ratio) sqrt(d p (1 - p)) (Schoenfeld 1981, Biometrika 68,
    316-319). Stated at most as 0.999.
    """
    reach = float(norm.isf(DRIFT_LEVEL / 2))
    shift = math.log(DRIFT_FAULT) * math.sqrt(gone * share * (1 - share))
    return min(float(norm.sf(reach - shift) + norm.cdf(-reach - shift)), 0.999)


def halves_test(cells: Cells, horizon: int) -> LogRankTest:
    """Return the log-rank test of the older (first) and the newer half of members, up to a horizon.

    Cohorts are split at the joining month in which half of all members had joined.

    Raises
    ------
    UndefinedError
        When there are fewer than two joining months, or nobody left in the older half.
    """
    if why := why_no_cohorts(cells):
        raise UndefinedError("The data do not say when members joined." if why == NO_DATES else why)
    rows = rows_by(cells, COHORT)
    members = rows.groupby("group")["entered"].sum().sort_index()
    halfway = members.cumsum() - members / 2 <= members.sum() / 2
    old = rows["group"].isin(members.index[halfway.to_numpy()])
    test = log_rank([read_risk_set(part).on(horizon + 1) for part in (rows[old], rows[~old])])
    if test.df == 0 or test.observed[0] == 0:
        raise UndefinedError("All members joined at about the same time, or none of them left.")
    return test


def _newcomers(cells: Cells) -> list[Check]:
    """Whether those who seem to join when the data begin can all be new, where joining is not recorded."""
    since, seen = cells.meta.get("since", "joining"), cells.meta.get("newcomers")
    if since == "joining" or not seen:
        return []
    days, first, following = seen["days"], seen["first"], seen["following"]
    fail, warn = (_clearly_above(first, following, cut) for cut in (NEWCOMERS_FAIL, NEWCOMERS_WARN))
    verdict: Verdict = "fail" if fail else "warn" if warn else "pass"
    finding = (
        f"{plural(first, 'member')} had their {since} in the first {days} days that count, "
        f"{count(following)} in the {days} days after."
    )
    meaning = {
        "pass": "Nothing speaks against their being new.",
        "warn": "Some of the first may have joined before the data begin.",
        "fail": "Most of the first joined long before the data begin: raise `first_seen_after_days`.",
    }[verdict]
    return [Check("New members are new", verdict, finding, meaning)]


def _clearly_above(first: int, following: int, times: float) -> bool:
    """Whether `first` is more than `times` as many as `following`, beyond chance (exact, 1 in 100)."""
    return bool(binom.sf(first - 1, first + following, times / (1 + times)) < DRIFT_LEVEL)


def _left_out(cells: Cells) -> Check:
    reasons = {reason: n for reason, n in cells.meta["left_out"].items() if n}
    members, late = cells.meta["members"], cells.meta["late"]
    all_out, out = sum(reasons.values()), sum(n for r, n in reasons.items() if not r.startswith(_OLD))
    verdict: Verdict = (
        "fail" if out > LEFT_OUT_FAIL * members else "warn" if all_out > LEFT_OUT_WARN * members else "pass"
    )
    said = listing([f"{count(n)} {reason}" for reason, n in reasons.items()])
    finding = (
        f"{percent(all_out / members)} of {plural(members, 'member')} are left out: {said}."
        if all_out
        else f"All {plural(members, 'member')} count."
    )
    entered = (
        f" {plural(late, 'member')} joined before observation began and count from then on." if late else ""
    )
    meaning = {
        "pass": "The answer is about practically everybody.",
        "warn": "Those left out may differ; the answer is about the others.",
        "fail": "Too many are left out for an answer about everybody.",
    }[verdict]
    return Check("Everybody counts", verdict, finding + entered, meaning)


def _up_to_date(cells: Cells) -> Check:
    """Whether the data reach `as_of`: a source that stopped earlier makes leavers look like stayers."""
    name, meta = "The data are up to date", cells.meta
    if "last_sign" not in meta:
        return Check(name, "warn", "Not known: the data hold no dates.", "Late leavers may be missing.")
    first, last, as_of = (datetime.fromisoformat(meta[key]) for key in ("first_sign", "last_sign", "as_of"))
    pause = (as_of - last) / timedelta(days=1)
    pace = meta["signs"] / max((last - first) / timedelta(days=1), 1.0)
    stopped = pause > 1 and math.exp(-pace * pause) < PAUSE_LEVEL
    finding = f"The last thing recorded is {number(pause)} days older than the date of the data."
    missing = "Leavers of these days may be missing, so the answer may read too high."
    return Check(
        name, "warn" if stopped else "pass", finding, missing if stopped else "Nothing is missing at the end."
    )


def _came_back(cells: Cells) -> Check:
    name = "Silence means leaving"
    lapsed, back = came_back(cells)
    if lapsed == 0:
        return Check(name, "cannot be judged", "Nobody has fallen silent.", "There is nothing to judge.")
    often = back > CAME_BACK_WARN * lapsed
    finding = (
        f"{count(back)} of {count(lapsed)} members who fell silent for {cells.meta['lapse']} days came back."
    )
    first = "The answer is about a first long silence, not about being gone for good."
    return Check(
        name, "warn" if often else "pass", finding, first if often else "Silence is nearly always the end."
    )


def came_back(cells: Cells) -> tuple[int, int]:
    """Return how many members fell silent for a whole gap, and how many of them gave a later sign of life."""
    returns = cells["returns"]
    row = returns[returns["by"] == EVERYONE][["lapsed", "came_back"]].sum()
    return int(row["lapsed"]), int(row["came_back"])


def _known_later(cells: Cells) -> Check:
    columns = listing([name.replace("_", " ") for name in cells.meta["known_later"]])
    finding = f"Members are not grouped by {columns}, which are known only for the day the data was taken."
    meaning = "Grouping by them would credit members with time they had to stay to get there."
    return Check("No grouping by the future", "pass", finding, meaning)


def _truth(off: Sequence[float]) -> Check:
    worst = max(off, key=abs)
    agrees = abs(worst) <= TRUTH_REACH
    finding = (
        f"In {len(off)} shares and means the estimate is at most {number(abs(worst))} standard errors "
        "from the truth of the simulated world."
    )
    meaning = (
        "The method recovers what is so."
        if agrees
        else "The method misses what is so: do not use the answer."
    )
    return Check("Estimate and truth agree", "pass" if agrees else "fail", finding, meaning)


def _errors(curve: RetentionCurve) -> Sequence[float]:
    """Return estimate minus truth in standard errors, where intervals are claimed and the truth is known."""
    if curve.truth is None:
        return []
    both = curve.truth.merge(curve.table, on=["group", "duration"], suffixes=("_true", ""))
    both = both[both["claimed"]]
    off = list((both["retained"] - both["retained_true"]) / both["retained_se"])
    if curve.true_means is not None:
        means = curve.true_means.merge(curve.table, on=["group", "duration"], suffixes=("_true", ""))
        means = means[means["claimed"]]
        off += list((means["mean"] - means["mean_true"]) / means["mean_se"])
    return [float(error) for error in off]
