"""A company that computes its own numbers: pandas on raw tables, under whatever definition it is told.

Nothing here uses the package: it is the independent half of the proof that `reconcile` names a definition.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

OURS = {
    "zone": "Europe/Berlin",
    "rule": "on",
    "clock": "calendar",
    "numbering": "zero",
    "maturity": "followed",
    "denominator": "all",
    "selection": "any",
    "known": "now",
    "bots": "in",
    "window": "calendar",
    "repeats": "in",
    "start": "joined",
    "moment": "end",
    "base": "start",
    "leavers": "all",
}
DAYS = {"day": 1, "week": 7, "month": 30}


@dataclass
class Company:
    """Tables as the company has them: members (member, joined_at, churned_at) and events."""

    members: pd.DataFrame
    events: pd.DataFrame
    as_of: pd.Timestamp
    observed_from: pd.Timestamp
    silence_days: int = 30
    fewest: int = 20
    kept: dict = field(default_factory=dict)

    def number(self, kpi: Any, **options: str) -> float:
        """Return one number under a definition; `old` has to be stated."""
        how = {**OURS, **options}
        people = self._people(how)
        if kpi.kind in ("retained", "retained_members"):
            return self._retained(kpi, how, people)
        if kpi.kind in ("active_members", "stickiness", "events"):
            return self._active(kpi, how, people)
        return self._moved(kpi, how, people)

    def _people(self, how):
        key = tuple(how[name] for name in ("zone", "old", "bots", "denominator"))
        if key not in self.kept:
            self.kept[key] = self._chosen(how)
        return self.kept[key]

    def _chosen(self, how):
        people = self.members.copy()
        people["joined"] = _days(people["joined_at"], how["zone"])
        people["left"] = _days(people["churned_at"], how["zone"])
        if how["old"] == "out":
            people = people[people["joined_at"] >= self.observed_from]
        if how["bots"] == "out":
            people = people[~people["is_bot"]]
        if how["denominator"] == "ever":
            people = people[people["member"].isin(self.events["member"])]
        if how["denominator"] == "stayed":
            people = people[people["left"] != people["joined"]]
        return people

    def _done(self, how):
        key = how["repeats"], how["selection"], how["zone"]
        if key not in self.kept:
            self.kept[key] = self._selected(how)
        return self.kept[key]

    def _selected(self, how):
        events = self.events
        if how["repeats"] == "out":
            events = events.drop_duplicates()
        if how["selection"] == "paid":
            events = events[events["amount"].astype(float) > 0]
        elif how["selection"] != "any":
            events = events[events["event"] == how["selection"].removeprefix("kind:")]
        return events.assign(
            on=_days(events["occurred_at"], how["zone"]), known=_days(events["recorded_at"], how["zone"])
        )

    def _retained(self, kpi, how, people):
        if kpi.period:
            people = people[_within(people["joined"], kpi.period)]
        n = kpi.n - (how["numbering"] == "one")
        length = pd.Timedelta(DAYS[kpi.unit], "D")
        ends = how["rule"] in ("not_cancelled", "silence", "last_sign")
        needs = n + 6 if how["rule"] == "bracket" else n
        if how["maturity"] == "censored":
            return self._kaplan_meier(how["rule"], people, n * length)
        if how["maturity"] == "followed":
            lag = pd.Timedelta(self.silence_days if how["rule"] in ("silence", "last_sign") else 0, "D")
            if how["clock"] == "elapsed" or lag:
                over = people["joined_at"] + (needs + (not ends)) * length <= self.as_of - lag
            else:
                now = _age(_days(pd.Series([self.as_of]), how["zone"]).iloc[0], people["joined"], kpi.unit)
                over = now > needs
            people = people[over]
        if len(people) < self.fewest:
            return np.nan
        kept = (
            self._kept(how, people, kpi.unit, n, length)
            if ends
            else self._seen(how, people, kpi.unit, n, length)
        )
        return kept if kpi.kind == "retained_members" else kept / len(people)

    def _seen(self, how, people, unit, n, length):
        events = self._done(how).merge(people[["member", "joined", "joined_at"]], on="member")
        if how["known"] == "then":
            events = events[events["known"].isna() | (events["known"] <= events["on"])]
        if how["clock"] == "elapsed":
            age = np.floor((events["occurred_at"] - events["joined_at"]) / length)
        else:
            age = _age(events["on"], events["joined"], unit)
        events = events[age >= 0]
        age = age[age >= 0]
        hit = {
            "on": age == n,
            "on_or_after": age >= n,
            "within": (age >= 1) & (age <= n),
            "bracket": (age >= n) & (age < n + 7),
        }[how["rule"]]
        return events.loc[hit, "member"].nunique()

    def _ends(self, rule, people):
        """Return by member when leaving counts under a rule, and until when it could be seen."""
        judged = self.as_of - pd.Timedelta(self.silence_days, "D")
        if rule == "not_cancelled":
            return people["churned_at"], pd.Series(self.as_of, index=people.index)
        signs = self.events.merge(people[["member", "joined_at"]], on="member")
        signs = signs[signs["occurred_at"] >= signs["joined_at"]][["member", "occurred_at"]]
        last = people["member"].map(self.events.groupby("member")["occurred_at"].max())
        if rule == "last_sign":
            return last, last
        joined = people.rename(columns={"joined_at": "occurred_at"})[["member", "occurred_at"]]
        signs = pd.concat([signs, joined]).sort_values(["member", "occurred_at"])
        ahead = signs.groupby("member")["occurred_at"].shift(-1)
        long = ahead.isna() | (ahead - signs["occurred_at"] > pd.Timedelta(self.silence_days, "D"))
        found = signs[long & (signs["occurred_at"] <= judged)].groupby("member")["occurred_at"].min()
        return people["member"].map(found), pd.Series(judged, index=people.index)

    def _kept(self, how, people, unit, n, length):
        end, _ = self._ends(how["rule"], people)
        if how["rule"] == "not_cancelled" and how["clock"] == "calendar":
            return int((end.isna() | (_age(people["left"], people["joined"], unit) > n)).sum())
        return int((end.isna() | (end - people["joined_at"] > n * length)).sum())

    def _kaplan_meier(self, rule, people, at):
        end, seen_to = self._ends(rule, people)
        judged = self.as_of - pd.Timedelta(self.silence_days, "D")
        left = end.notna() & (end <= (judged if rule == "last_sign" else seen_to))
        time = (end.where(left, seen_to) - people["joined_at"]).dt.total_seconds()
        usable = time.notna() & (time >= 0)
        time, left = time[usable].to_numpy(), left[usable].to_numpy()
        if not len(time) or time.max() < at.total_seconds():
            return np.nan  # nobody was followed for so long
        share = 1.0
        for moment in np.unique(time[left & (time <= at.total_seconds())]):
            share *= 1 - (left & (time == moment)).sum() / (time >= moment).sum()
        return share

    def _active(self, kpi, how, people):
        events = self._done(how)
        events = events[events["member"].isin(people["member"])]
        first, last = _span(kpi.period)
        if how["window"] == "sunday":
            first, last = first - pd.Timedelta(1, "D"), last - pd.Timedelta(1, "D")
        if how["window"].startswith("trailing"):
            first = last - pd.Timedelta(int(how["window"][-2:]) - 1, "D")
        events = events[(events["on"] >= first) & (events["on"] <= last)]
        if how["known"] == "then":
            events = events[events["known"].isna() | (events["known"] <= last)]
        if kpi.kind == "events":
            return len(events)
        monthly = events["member"].nunique()
        if kpi.kind == "active_members":
            return monthly
        daily = events.groupby("on")["member"].nunique().sum() / ((last - first).days + 1)
        return daily / monthly

    def _moved(self, kpi, how, people):
        first, last = _span(kpi.period)
        joined, left = people["joined"], people["left"]
        start = ((joined < first) & (left.isna() | (left >= first))).sum()
        end = ((joined <= last) & (left.isna() | (left > last))).sum()
        new = ((joined >= first) & (joined <= last)).sum()
        gone = (left >= first) & (left <= last)
        if kpi.kind == "members":
            return start if how["moment"] == "start" else end
        if kpi.kind == "churned_members":
            return gone.sum()
        if kpi.kind == "new_members":
            if how["start"] == "joined":
                return new
            seen = _days(
                people["member"].map(self.events.groupby("member")["occurred_at"].min()), how["zone"]
            )
            return ((seen >= first) & (seen <= last)).sum()
        gone = gone if how["leavers"] == "all" else gone & (joined < first)
        base = {"start": start, "average": (start + end) / 2, "end": end, "start_and_new": start + new}
        return gone.sum() / base[how["base"]]


def _days(instants, zone):
    return instants.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()


def _age(later, earlier, unit):
    if unit == "month":
        at = later if hasattr(later, "year") else later.dt
        return (at.year - earlier.dt.year) * 12 + at.month - earlier.dt.month
    if unit == "week":
        later, earlier = (day - pd.to_timedelta(_weekday(day), unit="D") for day in (later, earlier))
    days = (later - earlier) / pd.Timedelta(1, "D")
    return days / 7 if unit == "week" else days


def _weekday(day):
    return day.weekday() if hasattr(day, "weekday") else day.dt.weekday


def _span(period):
    if "W" in period:
        first = pd.Timestamp.fromisocalendar(int(period[:4]), int(period[6:]), 1)
        return first, first + pd.Timedelta(6, "D")
    if len(period) == 7:
        month = pd.Period(period, "M")
        return month.start_time, month.end_time.normalize()
    return pd.Timestamp(period), pd.Timestamp(period)


def _within(days, period):
    first, last = _span(period)
    return (days >= first) & (days <= last)
