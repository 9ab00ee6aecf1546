"""Tables of analysis for `world.R`, made from the tables a world exports.

Every function takes one `Drawn` block and returns a data frame. Times are whole seconds since the member
joined unless said otherwise; stretches at risk are rows (start, stop, event). Columns that no platform knows
come from the truth: segment, log_hazard, log_stage, satisfaction, slow, own. What is done here is joining,
cutting and counting only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import pandas as pd

from sojourn.world.clock import DAY
from sojourn.world.make import Block, make_block
from sojourn.world.members.course import SILENT
from sojourn.world.members.hazards import hazard_shape
from sojourn.world.members.population import Population, draw_population
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK, stream

WEEK = 7
_OF_STAY = ["member", "joined", "start", "stop", "event", "segment", "log_hazard"]


@dataclass
class Drawn:
    """One block of a world: its frame, its number, how many members it has, and what it exports."""

    frame: Frame
    number: int
    members: int

    @cached_property
    def made(self) -> Block:
        """The block as exported."""
        return make_block(self.frame, self.number, self.members)

    @cached_property
    def hidden(self) -> Population:
        """The same block before export: stages and hazards by day, which no table holds."""
        return draw_population(self.frame, self.members, partial(stream, self.frame.seed, block=self.number))

    def table(self, name: str) -> pd.DataFrame:
        """Return an observed table: members numbered from 0, instants in seconds since 1970 (-1: none)."""
        return plain(self.made.tables[name], self.number)

    @cached_property
    def stays(self) -> pd.DataFrame:
        """One row per member: first stay and what is known of the member, hidden things among it."""
        seen, true = self.table("members"), self.made.truth["members"].to_pandas()
        left = seen.churned_at >= 0
        end = np.where(left, seen.churned_at, self.frame.as_of)
        return pd.DataFrame({
            "member": seen.member, "joined": seen.joined_at,
            "start": np.maximum(self.frame.start - seen.joined_at, 0), "stop": end - seen.joined_at,
            "event": left.astype(int), "reason": seen.churn_reason.fillna("none"),
            "plan_at_joining": seen.plan, "channel": seen.channel,
            "consent": (seen.consent == True).astype(int),  # noqa: E712  (missing is not agreement)
            "segment": true.segment, "log_hazard": np.log(true.hazard), "satisfaction": true.satisfaction,
            "slow": true.slow, "own": np.log(true.own_sessions), "own_buys": np.log(true.own_buys),
        })  # fmt: skip

    @cached_property
    def by_plan(self) -> pd.DataFrame:
        """The stays cut where the plan of the day (seen in `spells`) and the stage (hidden) change.

        In a pause the plan before it goes on. `log_stage` is the logarithm of the stage's factor.
        """
        spells = self.table("spells").merge(self.stays[["member", "joined"]], on="member")
        plans = pd.DataFrame({
            "member": spells.member, "start": spells.started_at - spells.joined, "plan": spells.plan,
        })  # fmt: skip
        rows = pd.concat([plans, self._stages()]).sort_values(["member", "start"], kind="stable")
        rows[["plan", "log_stage"]] = rows.groupby("member")[["plan", "log_stage"]].ffill()
        rows = rows.drop_duplicates(["member", "start"], keep="last")
        rows = rows.merge(self.stays[_OF_STAY], on="member", suffixes=("", "_stay"))
        following = rows.groupby("member").start.shift(-1).fillna(np.iinfo(np.int32).max).astype(np.int64)
        rows["start"] = np.maximum(rows.start, rows.start_stay)
        rows["event"] = np.where(following >= rows.stop, rows.event, 0)
        rows["stop"] = np.minimum(rows.stop, following)
        return rows[rows.stop > rows.start].drop(columns="start_stay").reset_index(drop=True)

    def _stages(self) -> pd.DataFrame:
        """Stretches of the hidden stages: when each begins, as time since joining."""
        stage = self.hidden.course.stage
        begins = np.ones(stage.shape, dtype=bool)
        begins[:, 1:] = stage[:, 1:] != stage[:, :-1]
        member, day = np.nonzero(begins)
        factor = np.array(self.frame.parameters.stages.hazard)[stage[member, day]]
        return pd.DataFrame({"member": member, "start": day * DAY, "log_stage": np.log(factor)})

    def logins(self) -> pd.DataFrame:
        """Logins (one per session) with the time since joining and the time to load."""
        return self.events("login")[["member", "at", "load_ms"]]

    def events(self, kind: str) -> pd.DataFrame:
        """Events of one kind with the time since joining."""
        found = self._events[self._events.event == kind]
        return found.assign(at=found.occurred_at - self.stays.joined.to_numpy()[found.member])

    @cached_property
    def _events(self) -> pd.DataFrame:
        return self.table("events")

    def assigned(self, trial: str) -> pd.DataFrame:
        """First assignment of each member in a trial: scheme, time since joining, club."""
        rows = self.table("assignments")
        rows = rows[rows.trial == trial].drop_duplicates("member")
        at = rows.assigned_at - self.stays.joined.to_numpy()[rows.member]
        return pd.DataFrame({"member": rows.member, "scheme": rows.scheme, "at": at, "club": rows.cluster})


def plain(table: object, block: int) -> pd.DataFrame:
    """Return an Arrow table as numbers and text; members are numbered within the block."""
    frame = table.to_pandas()
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            seconds = frame[name].astype("int64") // 10**6
            frame[name] = np.where(frame[name].isna(), -1, seconds)
    frame["member"] = frame.pop("member_id").str[1:].astype(np.int64) - block * BLOCK
    return frame


def cut(rows: pd.DataFrame, *at: pd.Series) -> pd.DataFrame:
    """Cut stretches at risk at rising times of their own; `part` says between which of them a piece lies."""
    edges = [np.full(len(rows), -1), *(np.asarray(a) for a in at), np.full(len(rows), np.iinfo(np.int64).max)]
    pieces = []
    for part, (low, high) in enumerate(pairwise(edges)):
        start, stop = np.maximum(rows.start, low), np.minimum(rows.stop, high)
        event = np.where(rows.stop <= high, rows.event, 0)
        piece = rows.assign(start=start, stop=stop, event=event, part=part)
        pieces.append(piece[piece.stop > piece.start])
    return pd.concat(pieces).sort_values(["member", "start"]).reset_index(drop=True)


# --- of every world -----------------------------------------------------------------------------------------


def stays(drawn: Drawn) -> pd.DataFrame:
    """One row per member."""
    return drawn.stays


def by_plan(drawn: Drawn) -> pd.DataFrame:
    """Stays by plan of the day, with the last plan beside it."""
    rows = drawn.by_plan
    return rows.assign(last_plan=rows.groupby("member").plan.transform("last"))


def in_trial(trial: str, drawn: Drawn, *, by_plan: bool = True) -> pd.DataFrame:
    """Stays from assignment on: part 1 is the reward, 2 the time after it, 3 the rest."""
    of = {t.name: t for t in drawn.frame.parameters.trials}[trial]
    rows = drawn.by_plan if by_plan else drawn.stays[_OF_STAY]
    rows = rows.merge(drawn.assigned(trial), on="member")
    end = rows["at"] + of.reward_days * DAY
    rows = cut(rows, rows["at"], end, end + max(of.rebound_days, 1) * DAY)
    day = (drawn.frame.as_of - rows.joined - rows["at"]) / DAY
    phase = (day < (of.opens + of.closes) / 2).astype(int)
    return rows[rows.part > 0].assign(phase=phase, club=rows.club.fillna("none") + f" of {drawn.number}")


# --- of the demo platform -----------------------------------------------------------------------------------


def purchases(drawn: Drawn) -> pd.DataFrame:
    """Sessions and purchases after the first value moment and while the reward of `main` runs."""
    reward = {t.name: t for t in drawn.frame.parameters.trials}["main"].reward_days * DAY
    of = drawn.assigned("main").merge(drawn.stays[["member", "segment"]], on="member")
    of = of.merge(drawn.events("activate")[["member", "at"]].rename(columns={"at": "ready"}), on="member")
    counted = {}
    for kind in ("login", "purchase"):
        done = drawn.events(kind)
        done = done[~(done.amount.astype(float) < 0)].merge(of, on="member", suffixes=("", "_assigned"))
        since = done["at"] - done.at_assigned
        inside = (since >= 0) & (since < reward) & (done["at"] >= done.ready)
        counted[kind] = done[inside].groupby(["scheme", "segment"]).size()
    return pd.DataFrame(counted).fillna(0).astype(int).reset_index()


def served(drawn: Drawn) -> pd.DataFrame:
    """Stays from the begin of the programme on, cut where members opt out of a channel of messages."""
    rows, sent = drawn.by_plan, drawn.table("messages")
    media = [m.name for m in drawn.frame.parameters.contact.media]
    refused = sent[sent.opted_out_at >= 0].pivot_table("opted_out_at", "member", "channel", aggfunc="min")
    joined = drawn.stays.joined
    until = refused.reindex(index=range(drawn.members), columns=media).sub(joined, axis=0)
    until = until.fillna(np.iinfo(np.int32).max).astype(np.int64).to_numpy()
    at = drawn.assigned("cadence").rename(columns={"scheme": "cadence"})
    rows = rows.merge(at[["member", "cadence", "at"]], on="member")
    steps = np.sort(until, axis=1)[rows.member]
    rows = cut(rows, rows["at"], *(np.maximum(steps[:, i], rows["at"]) for i in range(len(media))))
    rows = rows[rows.part > 0]
    for i, medium in enumerate(media):
        lot = drawn.assigned(f"holdout {medium}").set_index("member").scheme
        is_served = (rows.member.map(lot) == "messages") & (rows.start < until[rows.member, i])
        rows[f"m{i + 1}"] = is_served.astype(int)
    return rows.assign(refused=rows.part - 1).drop(columns=["at", "part"])


def answers(drawn: Drawn) -> pd.DataFrame:
    """Messages and clicks in all and, of the messaging app, in the first 60 days; with the stay."""
    sent = drawn.table("messages")
    sent = sent[sent.campaign == "programme"]
    early = sent[
        (sent.sent_at < drawn.stays.joined.to_numpy()[sent.member] + 60 * DAY)
        & (sent.channel == "messaging app")
    ]
    count = partial(np.bincount, minlength=drawn.members)
    kept = ["member", "joined", "start", "stop", "event", "segment", "log_hazard", "satisfaction"]
    return drawn.stays[kept].assign(
        messages=count(sent.member), clicks=count(sent.member[sent.clicked_at >= 0]),
        app=count(early.member), app_clicks=count(early.member[early.clicked_at >= 0]),
    )  # fmt: skip


def speed(drawn: Drawn) -> pd.DataFrame:
    """Sums of the logarithms of load times in the first 28 days, and errors in all; with the stay."""
    logins = drawn.logins()
    early = logins[(logins["at"] < 28 * DAY) & (logins.load_ms > 0)]
    log = np.log(early.load_ms.astype(float))
    total = np.bincount(early.member, weights=log, minlength=drawn.members)
    squares = np.bincount(early.member, weights=log**2, minlength=drawn.members)
    return drawn.stays[["member", "start", "stop", "event", "channel", "slow", "satisfaction"]].assign(
        n=np.bincount(early.member, minlength=drawn.members), total=total, squares=squares,
        errors=np.bincount(drawn.events("error").member, minlength=drawn.members),
    )  # fmt: skip


def returns(drawn: Drawn) -> pd.DataFrame:
    """Of all who cancelled: time until they were seen to be back, or until `as_of`."""
    gone = drawn.stays[drawn.stays.event == 1]
    left = gone.set_index("member").eval("joined + stop")
    spells = drawn.table("spells")
    spells = spells[spells.member.isin(left.index)]
    later = spells[spells.started_at >= spells.member.map(left)].groupby("member").started_at.min()
    back = later.reindex(left.index)
    wait = back.fillna(drawn.frame.as_of) - left
    return pd.DataFrame({"wait": wait.astype(np.int64), "back": back.notna().astype(int)}).reset_index(
        drop=True
    )


def by_day(drawn: Drawn) -> pd.DataFrame:
    """Days since joining: time at risk, the same weighted by all hidden factors of the day, and leavings."""
    days = drawn.frame.longest
    stays, shape = drawn.stays, hazard_shape(drawn.frame.parameters.churn, days)
    start, stop = stays.start.to_numpy()[:, None] / DAY, stays.stop.to_numpy()[:, None] / DAY
    day = np.arange(days)
    there = np.clip(np.minimum(stop, day + 1) - np.maximum(start, day), 0, 1)
    weighted = (there * drawn.hidden.hazard[:, :days]).sum(axis=0) / shape
    gone = stays[stays.event == 1].stop // DAY
    return pd.DataFrame({
        "day": day, "at_risk": there.sum(axis=0), "weighted": weighted,
        "left": np.bincount(gone.clip(upper=days - 1), minlength=days),
    })  # fmt: skip


def weeks(drawn: Drawn) -> pd.DataFrame:
    """Weeks since joining, by whether silent as they begin and whether "we miss you" came on their first day.

    Only who is still there a day later counts, and from then to the end of the week.
    """
    stays, silent = drawn.stays, drawn.hidden.course.stage[:, ::WEEK] == SILENT
    sent = drawn.table("messages")
    sent = sent[sent.campaign == "we miss you"]
    week = (sent.sent_at - stays.joined.to_numpy()[sent.member]) // (WEEK * DAY)
    got = np.zeros(silent.shape, dtype=bool)
    got[sent.member, week] = True
    begins = (np.arange(silent.shape[1]) * WEEK + 1) * DAY
    start, stop = stays.start.to_numpy()[:, None] + DAY, stays.stop.to_numpy()[:, None]
    member, week = np.nonzero((begins >= start) & (begins < stop))
    end = begins[week] + (WEEK - 1) * DAY
    over = stays.stop.to_numpy()[member]
    rows = pd.DataFrame({
        "week": week, "silent": silent[member, week].astype(int), "got": got[member, week].astype(int),
        "time": np.minimum(end, over) - begins[week],
        "left": ((over <= end) & (stays.event.to_numpy()[member] == 1)).astype(int),
    })  # fmt: skip
    return rows.groupby(["week", "silent", "got"]).sum().reset_index()


def rollout(drawn: Drawn) -> pd.DataFrame:
    """Members in the roll-out who were there for as long after it: logins before and after."""
    plan = drawn.frame.parameters.rollout
    of = drawn.assigned(plan.name).merge(drawn.stays[["member", "joined", "stop"]], on="member")
    of = of[of.stop >= of["at"] + plan.window_days * DAY]
    logins = drawn.logins().merge(of, on="member", suffixes=("", "_offer"))
    since = (logins["at"] - logins.at_offer) / DAY
    count = partial(np.bincount, minlength=drawn.members)
    before, after = (
        count(logins.member[(since >= low) & (since < low + plan.window_days)])
        for low in (-plan.window_days, 0)
    )
    return pd.DataFrame({
        "block": drawn.number, "offered": (of.scheme == plan.scheme).astype(int), "age": of["at"],
        "before": before[of.member], "after": after[of.member],
    })  # fmt: skip


# --- of worlds that break studies ---------------------------------------------------------------------------


def shocked(drawn: Drawn) -> pd.DataFrame:
    """Stays cut at the days since joining that begin in the shock; part 1 is the shock."""
    shock = drawn.frame.parameters.churn.shocks[0]
    return _from_calendar(drawn, shock.ago, shock.ago - shock.days)


def dearer(drawn: Drawn) -> pd.DataFrame:
    """Stays cut at the rise of prices; part 1 is after it."""
    return _from_calendar(drawn, drawn.frame.parameters.churn.price_rise)


def _from_calendar(drawn: Drawn, *ago: int) -> pd.DataFrame:
    """Cut stays at instants so many days before `as_of`, each put off to the member's next whole day."""
    rows = drawn.by_plan
    at = [-((rows.joined - (drawn.frame.as_of - days * DAY)) // DAY) * DAY for days in ago]
    return cut(rows, *(a.clip(lower=0) for a in at))


def brought(drawn: Drawn) -> pd.DataFrame:
    """Stays cut where the own reward begins and where that of the referrer ends; with both schemes."""
    lots = drawn.assigned("main").set_index("member")
    seen = drawn.table("members")
    by = seen.referred_by.str[1:].astype(float) - drawn.number * BLOCK
    reward = drawn.frame.parameters.trials[0].reward_days * DAY
    rows = drawn.by_plan
    own = rows.member.map(lots["at"]).fillna(np.iinfo(np.int32).max).astype(np.int64)
    edges = np.sort(np.stack([own, np.full(len(rows), reward), own + reward]), axis=0)
    rows = cut(rows.assign(at=own), *edges)
    theirs = rows.member.map(by).map(lots.scheme)
    treated = rows.member.map(lots.scheme) == "offer"
    inside = (rows.start >= rows["at"]) & (rows.start < rows["at"] + reward)
    return rows.assign(
        treated=(treated & inside).astype(int),
        spilled=((theirs == "offer") & (rows.start < reward)).astype(int),
    )


def listed(drawn: Drawn) -> pd.DataFrame:
    """Rows of `assignments` in `main`: members by scheme and by how often they are listed."""
    rows = drawn.table("assignments")
    rows = rows[rows.trial == "main"]
    times = rows.groupby("member").scheme.transform("size")
    first = rows.assign(times=times).drop_duplicates("member")
    return first.groupby(["scheme", "times"]).size().rename("members").reset_index()


def complete(drawn: Drawn) -> pd.DataFrame:
    """Members of `main`: whether kept 90 days from assignment, and whether consent still stands."""
    of = drawn.assigned("main").merge(drawn.stays[["member", "stop", "event", "consent"]], on="member")
    kept = ((of.stop > of["at"] + 90 * DAY) | (of.event == 0)).astype(int)
    return of.assign(kept=kept).groupby(["scheme", "kept", "consent"]).size().rename("members").reset_index()


def lapses(drawn: Drawn) -> pd.DataFrame:
    """Last login ever, as time since joining, and when it is read; with the true leaving."""
    last = (
        drawn.logins().groupby("member")["at"].max().reindex(range(drawn.members)).fillna(0).astype(np.int64)
    )
    left = drawn.made.truth["members"].to_pandas().left_after_days.fillna(10_000)
    end = drawn.frame.as_of - drawn.stays.joined
    return pd.DataFrame({"last": last, "end": end, "left": (left * DAY).astype(np.int64)})


def trials(drawn: Drawn) -> pd.DataFrame:
    """Sums by trial and scheme: logins and days there within 28 days, kept to day 90, and products."""
    found = []
    logins = drawn.logins()
    for trial in drawn.frame.parameters.trials:
        of = drawn.assigned(trial.name).merge(drawn.stays[["member", "stop"]], on="member")
        at = pd.Series(of["at"].to_numpy(), index=of.member)
        since = logins["at"] - logins.member.map(at)
        early = logins.member[(since >= 0) & (since < 28 * DAY)]
        x = np.bincount(early, minlength=drawn.members)[of.member]
        d = np.minimum(of.stop - of["at"], 28 * DAY) / DAY
        k = (of.stop > of["at"] + 90 * DAY).astype(int)
        sums = pd.DataFrame({
            "n": 1, "x": x, "d": d, "k": k, "xx": x * x, "xd": x * d, "xk": x * k, "dd": d * d, "dk": d * k,
        })  # fmt: skip
        sums = sums.groupby((of.scheme != "none").astype(int).rename("new").to_numpy()).sum()
        found.append(sums.rename_axis("new").reset_index().assign(trial=trial.name))
    return pd.concat(found)
