"""Whether members came to their schemes as a trial needs it: every check with its verdict and its rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from sojourn.core.privacy import base_of
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_assignment import MissingOutcomes
from sojourn.core.results.trials import Trial, plain_scheme
from sojourn.core.text import count, listing, number, percent, plural, points
from sojourn.studies.trials.alike import balance, mismatch
from sojourn.studies.trials.assignment_rates import RATES
from sojourn.studies.trials.clustered import clustered, surely_alike
from sojourn.studies.trials.missing import missing_outcomes
from sojourn.studies.trials.overlapping import overlapping
from sojourn.studies.trials.sequential import ALARM, split_by_day
from sojourn.studies.trials.split import FAIL, WARN, units

#: Up to this share of members with a fault that is counted, the trial can be read with care.
_FEW = 0.005
#: Up to this share of missing outcomes, equal in all schemes, nothing is said.
_SOME = 0.05
_FROM = "calibration of assignment: "
#: What is looked at, and the table of the cells that tells it.
_TABLES = {
    "arrivals by day": "arrivals",
    "properties of members": "traits",
    "what was so before assignment": "balance",
    "members in two schemes": "faults",
    "units in several schemes": "faults",
    "rewards before assignment": "exposed",
    "missing outcomes": "missing",
    "other trials": "overlap",
    "what was assigned together": "clusters",
}


def check_assignment(trial: Trial) -> list[Check]:
    """Look for faults in how members came to their schemes, and in what is known of them.

    Returns
    -------
    list of Check
        Split by day, property behind a mismatch, balance before assignment, members in two schemes, units in
        several, exposure before assignment, missing outcomes, other trials, clusters: those that the cells
        allow, and one that names the others.
    """
    looked: dict[str, Callable[[Trial], Check | None]] = {
        "arrivals by day": _by_day,
        "properties of members": _mismatch,
        "what was so before assignment": _balance,
        "members in two schemes": _two_schemes,
        "units in several schemes": _split_units,
        "rewards before assignment": _before,
        "missing outcomes": _missing,
        "other trials": _overlap,
        "what was assigned together": _clusters,
    }
    found = {name: look(trial) for name, look in looked.items()}
    unseen = [name for name, check in found.items() if check is None]
    return [*(check for check in found.values() if check is not None), *_unseen(unseen, trial)]


def _unseen(names: list[str], trial: Trial) -> list[Check]:
    """Say what could not be looked at; a trial without other trials and clusters need not have any."""
    together = {"units in several schemes", "what was assigned together"}
    absent = {"other trials", *together} if trial.others else set()
    absent |= {"arrivals by day"} if units(trial) is not None else set()
    names = [name for name in names if name not in absent]
    if not names:
        return []
    withheld = [name for name in names if _TABLES[name] in trial.meta.get("withheld", ())]
    unknown = [name for name in names if name not in withheld]
    said = [
        f"Of a private case {listing(withheld)} are not told, so that nobody can be found in them."
        if withheld
        else "",
        f"These data say nothing of {listing(unknown)}." if unknown else "",
    ]
    return [
        Check(
            "Everything that can go wrong in assigning was looked at",
            "warn",
            " ".join(filter(None, said)),
            "Faults of this kind would not be seen here.",
        )
    ]


def _rated(name: str, key: str, verdict: Verdict, finding: str, meaning: str) -> Check:
    caught, alarmed, planted = RATES[key]
    return Check(name, verdict, finding, meaning, caught, alarmed, _FROM + planted)


def _row(table: pd.DataFrame, place: int) -> dict[str, Any]:
    """Return one row by name of column."""
    return {str(name): table[name].iloc[place] for name in table.columns}


def _by_p(p: float) -> Verdict:
    return "fail" if p < FAIL else "warn" if p < WARN else "pass"


def _of_members(trial: Trial, p: float) -> Verdict:
    """Return what a p-value of single members means; of units that are alike it is too small to fail on."""
    verdict = _by_p(p)
    return "warn" if verdict == "fail" and units(trial) is not None else verdict


def _p(value: float) -> str:
    return "p < 0.0001" if value < 1e-4 else f"p = {number(value, 4)}"


def _by_day(trial: Trial) -> Check | None:
    found = split_by_day(trial)
    if found.why_empty:
        return None
    last = _row(found.table, -1)
    when = (
        f"below {ALARM:g} for the first time on day {found.alarm_day}"
        if found.alarm_day is not None
        else "no day raised an alarm"
    )
    verdict = _by_p(found.p_value)
    return _rated(
        "Members divided as planned on every day",
        "by_day",
        verdict,
        f"{count(len(found.table))} days; {plain_scheme(last['scheme'])} has {percent(last['share'], 2)} of "
        f"members where {percent(last['planned_share'], 2)} were planned; {_p(found.p_value)} however often "
        f"one looks; {when}.",
        "The division could be watched from the first day on without a false alarm."
        if verdict == "pass"
        else "The division went wrong while the trial ran; look at what changed by that day.",
    )


def _mismatch(trial: Trial) -> Check | None:
    found = mismatch(trial)
    if found.why_empty:
        return None
    top, verdict = _row(found.table, 0), _of_members(trial, found.p_value)
    return _rated(
        "No property behind an uneven division",
        "mismatch",
        verdict,
        f"Of {count(len(found.table))} groups the one divided most unlike the others is {top['column']} "
        f"{top['level']}: {percent(top['share'])} in {plain_scheme(top['scheme'])}, elsewhere "
        f"{percent(top['share_elsewhere'])}; {_p(found.p_value)} over all groups.",
        "No group of members was divided in a way of its own."
        if verdict == "pass"
        else f"Look for the fault where {top['column']} is {top['level']}: members of it are not divided "
        "like others.",
    )


def _balance(trial: Trial) -> Check | None:
    found = balance(trial)
    if found.why_empty:
        return None
    verdict = _of_members(trial, found.p_value)
    worst = _row(found.table, int(found.table["difference"].abs().to_numpy().argmax()))
    return _rated(
        "Schemes alike before assignment",
        "balance",
        verdict,
        f"The largest difference is {worst['covariate'].replace('_', ' ')} under "
        f"{plain_scheme(worst['scheme'])}, {number(worst['difference'], 3, signed=True)} standard deviations "
        f"of a member; {_p(found.p_value)} for all at once.",
        "The schemes began with members of the same kind."
        if verdict == "pass"
        else "The schemes began with different members, so a lift may be theirs and not the scheme's.",
    )


def _counted(trial: Trial, fault: str) -> tuple[int, float] | None:
    """Return how many members have a fault, and their share; None where the cells do not say."""
    faults = trial.other("faults")
    if faults.empty or fault not in set(faults["fault"]):
        return None
    members = int(faults.loc[faults["fault"] == fault, "members"].sum())
    return members, members / max(int(trial.split["assigned"].sum()), 1)


def _told(trial: Trial, members: int, share: float) -> str:
    """Return a number of members in words; of a private case small ones are not told."""
    least = base_of(trial.meta)
    if least and not members:
        return f"fewer than {plural(least, 'member')}"
    return f"{plural(members, 'member')} ({percent(share, 2)} of all)"


def _of_share(share: float) -> Verdict:
    return "fail" if share > _FEW else "warn" if share > 0 else "pass"


def _two_schemes(trial: Trial) -> Check | None:
    counted = _counted(trial, "two_schemes")
    if counted is None:
        return None
    members, share = counted
    verdict = _of_share(share)
    return Check(
        "Nobody in two schemes",
        verdict,
        f"In more than one scheme: {_told(trial, members, share)}.",
        "Every member has one scheme."
        if verdict == "pass"
        else "The first assignment counts; who met two schemes makes them look more alike than they are.",
        catch_rate=1.0,
        false_alarm_rate=0.0,
        rates_from=f"counted, not estimated; more than {percent(_FEW)} of members fails",
    )


def _split_units(trial: Trial) -> Check | None:
    counted = _counted(trial, "split_unit")
    if counted is None:
        return None
    members, share = counted
    verdict = _of_share(share)
    return Check(
        "Every unit in one scheme",
        verdict,
        f"In units that were assigned as a whole and are in several schemes: {_told(trial, members, share)}.",
        "What was assigned together has one scheme."
        if verdict == "pass"
        else "These units were not assigned as a whole: members of one unit meet several schemes, and "
        "intervals by unit do not hold for them.",
        catch_rate=1.0,
        false_alarm_rate=0.0,
        rates_from=f"counted, not estimated; more than {percent(_FEW)} of members fails",
    )


def _before(trial: Trial) -> Check | None:
    counted = _counted(trial, "before_assignment")
    if counted is None or trial.other("exposed").empty:
        return None
    members, share = counted
    verdict = _of_share(share)
    return Check(
        "Nothing of a scheme before assignment",
        verdict,
        f"With a cost of the scheme booked before they were assigned: {_told(trial, members, share)}.",
        "Nobody had the reward before the clock started."
        if verdict == "pass"
        else "What these members did before assignment may already be the scheme's doing.",
        catch_rate=1.0,
        false_alarm_rate=0.0,
        rates_from=f"counted, not estimated; more than {percent(_FEW)} of members fails",
    )


def _missing(trial: Trial) -> Check | None:
    found = missing_outcomes(trial)
    if found.why_empty:
        return None
    base = base_of(trial.meta)
    hidden = base > 0 and not found.share
    could_be = (base - 1) / int(found.table["assigned"].min()) if hidden else found.share
    verdict = _by_p(found.p_value)
    if verdict == "pass" and could_be > _SOME:
        verdict = "warn"
    if hidden:
        said = f"Of every scheme fewer than {plural(base, 'outcome')} cannot be known, if any."
    else:
        said = _missing_words(trial, found) if found.share > 0 else "Every outcome is known."
    meaning: dict[str, str] = {
        "pass": "So few are not told apart from none in a private case; `sojourn check` counts them."
        if hidden
        else "What is not known could not have made the difference between schemes.",
        "warn": f"That may be {percent(could_be)} of a scheme, and unequally: `sojourn check` counts them."
        if hidden
        else "Read the lift with its worst-case bounds: those who are missing may have done otherwise.",
        "fail": "Outcomes are missing unequally, so the lift may be made of those who are missing.",
    }
    name = "Outcomes known equally in all schemes"
    if hidden:  # the rates are those of exact counts
        return Check(name, verdict, said, meaning[verdict])
    return _rated(name, "missing", verdict, said, meaning[verdict])


def _missing_words(trial: Trial, found: MissingOutcomes) -> str:
    lifts = found.table.dropna(subset=["lift"])
    widest = _row(lifts, int((lifts["worst_high"] - lifts["worst_low"]).to_numpy().argmax()))
    return (
        f"Up to {percent(found.share)} of a scheme's outcomes cannot be known; {_p(found.p_value)} that the "
        f"schemes are alike in this. At worst the lift of {plain_scheme(widest['scheme'])} "
        f"({trial.words(widest['outcome'])}) lies between {points(widest['worst_low'], signed=True)} and "
        f"{points(widest['worst_high'], signed=True)} in 100."
    )


def _overlap(trial: Trial) -> Check | None:
    found = overlapping(trial)
    if found.why_empty:
        return None
    table = found.table
    worst = _row(table, int(table[["p_together", "p_interaction"]].min(axis=1).to_numpy().argmin()))
    p = min(worst["p_together"], worst["p_interaction"])
    verdict = _by_p(p)
    crossed = worst["p_together"] <= worst["p_interaction"]
    return _rated(
        "No other trial in the way",
        "overlap",
        verdict,
        f"Members were in {plural(len(table), 'other trial')} too; most "
        f"noticeable is {worst['trial']} ({count(worst['members'])} members), under whose schemes the lift "
        f"differs by up to {points(worst['largest'])} in 100; {_p(p)} over all.",
        "The lift is the same under every scheme of the other trials."
        if verdict == "pass"
        else f"Schemes do not go independently of the trial {worst['trial']}: its effect mixes with ours."
        if crossed
        else f"What a scheme does depends on the trial {worst['trial']}; one number does not describe it.",
    )


def _clusters(trial: Trial) -> Check | None:
    found = clustered(trial)
    if found.why_empty:
        return None
    table = found.table
    surely = surely_alike(found)
    told = surely if len(surely) else table
    worst = _row(told, int(told["design_effect"].to_numpy().argmax()))
    verdict: Verdict = "fail" if len(surely) else "pass"
    return _rated(
        "Members assigned one by one, or as if",
        "clusters",
        verdict,
        f"{count(worst['clusters'])} units were assigned as a whole; the variance of the lift "
        f"({trial.words(worst['outcome'])}) is {number(worst['design_effect'], 2)} times that of members.",
        "What was assigned together is not more alike than others; the intervals hold."
        if verdict == "pass"
        else "Members who were assigned together are alike: the trial's intervals are too narrow by a factor "
        f"of {number(worst['design_effect'] ** 0.5, 1)}. Use those by unit.",
    )
