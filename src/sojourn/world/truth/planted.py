"""Every planted effect: its size, how it can be identified from the tables, and how a naive answer errs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import exp
from typing import Any

import numpy as np

from sojourn.world.clock import DAY
from sojourn.world.members.enrolment import by_segment
from sojourn.world.parameters import Frame, Scheme, Trial
from sojourn.world.tables.assignments import CADENCE, holdout_name


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted effect.

    Attributes
    ----------
    name : str
        Short name.
    value : float
        Its size.
    unit : str
        What the value is.
    identified_by : str
        Which comparison of which rows shows it, and why that is right.
    naive : str
        The comparison that suggests itself and misleads; empty where none does.
    """

    name: str
    value: float
    unit: str
    identified_by: str
    naive: str = ""


def planted(frame: Frame) -> list[dict[str, Any]]:
    """Return the planted effects of a world as `truth.json` holds them."""
    parts = (
        _life(frame),
        _calendar(frame),
        _gradient(frame),
        _service(frame),
        _messages(frame),
        _trials(frame),
        _rollout(frame),
        _help(frame),
        _surveys(frame),
        _advertising(frame),
        _points(frame),
        _income(frame),
    )
    return [asdict(effect) for part in parts for effect in part]


def _life(frame: Frame) -> Iterator[Planted]:
    churn, joining = frame.parameters.churn, frame.parameters.joining
    yield Planted(
        "risk peak", churn.peak_day, "days since joining, of the shape shared by all",
        "Leavings by day since joining over the time at risk, weighted by the truth's factors: lasting ones, "
        "plan, stage, trials and messages of the day.",
        "Leavings over members there: those who leave fast are gone first, so the peak comes earlier.",
    )  # fmt: skip
    yield Planted(
        "announced", churn.announced, "share of leavers whose leaving the platform learns",
        "Not identified by `members.churned_at`, which the others lack: only by the truth's leaving.",
        "" if churn.announced == 1 else "Who has not cancelled as staying; or the last login as the end: it "
        "takes the silent for gone.",
    )  # fmt: skip
    yield Planted(
        "return", churn.returns, "share of leavers who come back, after an exponential time of mean "
        f"{churn.return_days:g} days",
        "Time from `members.churned_at` to the next begin in `spells`, censored at as_of: a mixture of those "
        "who never come back and exponential times.",
        "The share seen to be back: late leavers have had no time to return.",
    )  # fmt: skip
    yield Planted(
        "joined before", joining.before_days, "days before observation in which seen members may have joined",
        "Members who joined earlier enter the risk set at the begin of observation; the curve then tends to "
        "`retention` of the truth.",
        "Counting them from joining on: only those who stayed are in the tables, so retention looks better.",
    )  # fmt: skip
    if churn.trend != 1:
        yield Planted(
            "trend of cohorts", churn.trend, "factor on the hazard per year of joining later",
            "Instant of joining as a covariate among members of one age, given the truth's other factors, at "
            "ages at which no trial acts: not all cohorts are in one.",
            "One curve of all cohorts: who is followed long joined early and stays longer.",
        )  # fmt: skip
    for plan in frame.parameters.plans[1:]:
        yield Planted(
            f"plan {plan.name}", plan.hazard / frame.parameters.plans[0].hazard,
            f"hazard ratio to {frame.parameters.plans[0].name}, while on it",
            "Plan of the day (`spells`) as a covariate that changes with time, given the truth's factors.",
            "Grouping by the last plan: who changed had to stay long enough to change.",
        )  # fmt: skip
        if plan.later / frame.parameters.plans[0].later != plan.hazard / frame.parameters.plans[0].hazard:
            yield Planted(
                f"plan {plan.name} later", plan.later / frame.parameters.plans[0].later,
                f"hazard ratio to {frame.parameters.plans[0].name} from day {churn.turn_day} on",
                f"The same, before and from day {churn.turn_day} since joining.",
                "One hazard ratio for all days: it is that of neither time.",
            )  # fmt: skip


def _calendar(frame: Frame) -> Iterator[Planted]:
    churn, segments = frame.parameters.churn, frame.parameters.segments
    for shock in churn.shocks:
        yield Planted(
            f"shock {shock.ago} days before as_of", shock.hazard, f"hazard ratio for {shock.days} days",
            "These days of the calendar against others at the same age, given the truth's factors, at ages "
            "at which no trial acts. A day since joining counts if it begins in them.",
            "Cohorts: those who met the shock while young look like worse members.",
        )  # fmt: skip
    for segment in segments if churn.price_rise else ():
        yield Planted(
            f"rise of prices: {segment.name}", exp(segment.price_sensitivity), "hazard ratio from it on",
            "After against before at the same age within the hidden segment, given the truth's factors, at "
            "ages at which no trial acts.",
            "Leavings over members there, after against before: members are older afterwards.",
        )  # fmt: skip


def _gradient(frame: Frame) -> Iterator[Planted]:
    gradient = frame.parameters.gradient
    if gradient.hazard:
        yield Planted(
            "own sessions", -gradient.hazard, "logarithm of the hazard per logarithm of own sessions",
            "Hidden; sessions of a first stretch show it with noise, on leaving after it.",
        )  # fmt: skip


def _service(frame: Frame) -> Iterator[Planted]:
    service = frame.parameters.service
    yield Planted(
        "slow pages", exp(-service.satisfaction * service.slowness),
        "hazard ratio per standard deviation of the logarithm of a member's load time",
        "Members by `events.load_ms` of their first four weeks, on leaving after these: load time is drawn "
        "independently of all else. Means of few sessions are noisy and need to be shrunken.",
        "Members who met an error against those who met none: who comes often and stays long meets more.",
    )  # fmt: skip
    yield Planted(
        "satisfaction", exp(service.satisfaction), "hazard ratio per standard deviation",
        "Hidden; survey scores show it with noise. Given it: members of one segment, channel, plan, stage.",
    )  # fmt: skip


def _messages(frame: Frame) -> Iterator[Planted]:
    contact = frame.parameters.contact
    for medium in contact.media:
        yield Planted(
            f"messages by {medium.name}", medium.hazard, "hazard ratio while served",
            f"`assignments`: trial '{holdout_name(medium.name)}', drawn by lot for each member. Who opts out "
            "(`messages`) is served no more, which hangs on nothing hidden; the lot alone shows less.",
            "Members who click against those who do not: who stays long has more to click, and satisfied "
            "members click more.",
        )  # fmt: skip
    yield Planted(
        "tiring", exp(contact.tires),
        f"hazard ratio per message a week above {contact.tires_above}, in that week",
        f"`assignments`: trial '{CADENCE}', drawn by lot, until a member opts out of a channel: numbers a "
        "week are Poisson, so the hazard ratio of two cadences is a known function of this effect.",
        "Members by the number of messages received: who stays long receives many.",
    )  # fmt: skip
    yield Planted(
        "we miss you", 1.0, "hazard ratio of a message of the targeted campaign",
        "Given the stage, which is hidden, it is drawn by lot each week: members silent as a week begins who "
        "got one against those who did not, from the day after.",
        "Members who got one against those who did not: it goes to the silent, who leave more.",
    )  # fmt: skip


def _trials(frame: Frame) -> Iterator[Planted]:
    for trial in frame.parameters.trials:
        for scheme in trial.schemes[1:]:
            hazard = by_segment(scheme.hazard, frame.parameters)
            shares = [s.share for s in frame.parameters.segments]
            yield Planted(
                f"{trial.name}: {scheme.name}", exp(float(np.average(np.log(hazard), weights=shares))),
                "hazard ratio while the reward runs, geometric mean over segments by their shares",
                _by_lot(trial),
                _misled(trial),
            )  # fmt: skip
            yield from _beside(trial, scheme, frame)
        yield from _faults(trial)


def _by_lot(trial: Trial) -> str:
    unit = "for each club" if trial.by_club else "for each member"
    phases = " within each phase of the allocation" if len(trial.allocation) > 1 else ""
    return (
        f"`assignments`: trial '{trial.name}', drawn by lot {unit}{phases}. The lot alone shows the lift in "
        "retention; hazard ratios need hidden segments, and lasting factors and stage of the day held fixed."
    )


def _beside(trial: Trial, scheme: Scheme, frame: Frame) -> Iterator[Planted]:
    """Yield what a scheme does beside its effect on the hazard while the reward runs."""
    shares = [s.share for s in frame.parameters.segments]
    after, buys = (by_segment(values, frame.parameters) for values in (scheme.rebound, scheme.buys))
    if max(after) != 1 or min(after) != 1:
        yield Planted(
            f"{trial.name}: {scheme.name} afterwards", exp(float(np.average(np.log(after), weights=shares))),
            f"hazard ratio for {trial.rebound_days} days after the reward, geometric mean over segments",
            "As while it runs, among those still there at its end: these differ by scheme, so what is hidden "
            "must be held fixed.",
            "One hazard ratio from assignment on: effect and rebound cancel in part.",
        )  # fmt: skip
    if max(buys) != 1:
        yield Planted(
            f"{trial.name}: purchases with {scheme.name}", float(np.average(buys, weights=shares)),
            "ratio of the probability of a purchase in a session, mean over segments",
            "`events` after the first value moment and while the reward runs, within hidden segments.",
        )  # fmt: skip
    if trial.spill:
        hazard = by_segment(scheme.hazard, frame.parameters)
        yield Planted(
            f"{trial.name}: referrer with {scheme.name}",
            exp(trial.spill * float(np.average(np.log(hazard), weights=shares))),
            f"hazard ratio for {trial.reward_days} days after joining",
            "`members.referred_by` and the referrer's assignment, drawn by lot, beside the member's own. The "
            "truth's lift is of all treated against none treated.",
            "Scheme against control: the control has members whom the treated brought.",
        )  # fmt: skip


def _faults(trial: Trial) -> Iterator[Planted]:
    """Yield the planted faults of the log of assignments."""
    for scheme in trial.schemes:
        if scheme.lost:
            yield Planted(
                f"{trial.name}: {scheme.name} lost", scheme.lost, "share of assignments that are in no table",
                "Listed members of the schemes against their planned shares.",
            )  # fmt: skip
        if max(scheme.withdraws) > 0:
            yield Planted(
                f"{trial.name}: {scheme.name} withdrawn", scheme.withdraws[1],
                f"share of those who leave by day {trial.horizon_days} who withdraw consent, beside "
                f"{scheme.withdraws[0]:g} of the others",
                "`members.consent` and `churned_at`: these rows are there, but a study must not use them, so "
                "it has bounds only.",
                "Members whose consent stands: the bad outcomes of one scheme vanish.",
            )  # fmt: skip
    if trial.twice:
        yield Planted(
            f"{trial.name}: twice", trial.twice, "share of members listed in two schemes",
            "Members with more than one row in `assignments`; the first is the one that acts.",
        )  # fmt: skip


def _misled(trial: Trial) -> str:
    schemes = trial.schemes
    if len(trial.allocation) > 1:
        return "All phases together: later members, who leave sooner, have other shares of the schemes."
    if trial.spill:
        return "Scheme against control: the control has members whom the treated brought."
    if any(max(s.withdraws) > 0 for s in schemes):
        return "Members whose outcome is known: who withdraws leaves more, and more so under some schemes."
    if any(s.lost for s in schemes):
        return "Shares of the schemes as listed: rows are lost."
    return ""


def _rollout(frame: Frame) -> Iterator[Planted]:
    rollout = frame.parameters.rollout
    if rollout is not None and rollout.ago * DAY < frame.as_of - frame.start:
        yield Planted(
            f"{rollout.name}: {rollout.scheme}", 1.0, "ratio of sessions after to what they would have been",
            "Offered to the members of a block who had come least, of equals to those who joined first: "
            "members with as many sessions as the last of these, by instant of joining, at its edge.",
            "Sessions after against before: who had come least by chance comes more, offer or not.",
        )  # fmt: skip


def _help(frame: Frame) -> Iterator[Planted]:
    desk, surveys = frame.parameters.desk, frame.parameters.surveys
    yield Planted(
        "waiting", surveys.waiting, "points of CSAT per doubling of the wait, before rounding and clipping",
        "`responses` to CSAT by waiting time within `tickets.topic` and the desk's hours: given these, the "
        "wait is a lot.",
        "All topics together: some topics wait long and are an annoyance in themselves.",
    )  # fmt: skip
    yield Planted(
        "being helped", 0.0, "points of CSAT",
        "CSAT by `tickets.resolved` among requests of one topic that waited equally long.",
        "Resolved against unresolved requests: the unresolved have waited longer.",
    )  # fmt: skip
    yield Planted(
        "waiting and being helped", exp(desk.helped_slope),
        "odds ratio of a good end per doubling of the wait",
        "`tickets.resolved` by waiting time among requests opened early enough to be closed by as_of.",
    )  # fmt: skip
    yield Planted(
        "closed desk", desk.closed, "ratio of waiting times, requests out of hours to those within",
        "`tickets` by the member's local hour, within topics.",
        "Replied requests only, up to as_of: the slow ones of the last days have no reply yet.",
    )  # fmt: skip


def _surveys(frame: Frame) -> Iterator[Planted]:
    surveys = frame.parameters.surveys
    yield Planted(
        "score and satisfaction", surveys.recommend[1],
        "points of NPS per standard deviation of satisfaction, before rounding and clipping",
        "Hidden; two scores of one member share nothing else, so their covariance shows its square.",
    )  # fmt: skip
    yield Planted(
        "answering", surveys.answers_slope, "log-odds of answering per standard deviation of satisfaction, "
        f"beside {surveys.answers_extreme:g} per its square",
        "Hidden: who is asked is listed in `responses`, what the silent would have said is not. "
        "`surveys` of the truth has the mean of all who are asked.",
        "The mean of those who answer: the very unhappy answer most.",
    )  # fmt: skip


def _advertising(frame: Frame) -> Iterator[Planted]:
    for medium in frame.parameters.advertising.media:
        yield Planted(
            f"advertising by {medium.name}", exp(medium.effect), "ratio of joining, shown to held out",
            "`touches`: people with `shown` against those held out by lot, among all with a touch of the "
            "medium.",
            "People with it against people without, or the last touch before joining: media follow those who "
            "intend to join anyway.",
        )  # fmt: skip


def _points(frame: Frame) -> Iterator[Planted]:
    points = frame.parameters.points
    cheating = points.cheating
    yield Planted(
        "points act on nothing", 1.0, "hazard ratio of the highest tier to the lowest",
        "Not identified by any lot: points follow from what members do.",
        "Members of one tier against another: who comes often and stays long has the higher one.",
    )  # fmt: skip
    yield Planted(
        "points forgotten", points.forgets, "share of members who never redeem",
        "`ledger`: at the first purchase with enough points before it, members redeem with the probability "
        "of their kind times 1 less this; at those after a redemption with the probability of their kind.",
        "Members without a redemption: most of them never had enough points.",
    )  # fmt: skip
    for segment, chance in zip(
        frame.parameters.segments, by_segment(points.redeems, frame.parameters), strict=True
    ):
        yield Planted(
            f"redeeming: {segment.name}", float(chance),
            "probability at a purchase with enough points, of members who do not forget",
            "`ledger` and `events`: purchases with enough points before them, after a first redemption.",
            "Redemptions per purchase: at most purchases there are not enough points.",
        )  # fmt: skip
    yield Planted(
        "claims for tasks not done", cheating.share, "share of members, if there long enough",
        f"`ledger`: about {cheating.tasks} movements 'task' a day without a task in `events`.",
        f"Members found out: {1 - cheating.found:.0%} never are.",
    )  # fmt: skip
    yield Planted(
        "goodwill", points.goodwill, "share of requests for help that are followed by a gift of points",
        "`ledger`: movements 'goodwill' over events 'support', without those after which the member left.",
    )  # fmt: skip


def _income(frame: Frame) -> Iterator[Planted]:
    income = frame.parameters.income
    for category, mean in zip(frame.parameters.offers.categories, income.views, strict=True):
        yield Planted(
            f"view of an item: {category}", mean, "mean money from advertising",
            "`revenue` by member and span of days on the number of `events` 'view' by category: money is "
            "proportional to views.",
            f"The typical view: the median is {exp(-(income.views_spread**2) / 2):.0%} of the mean.",
        )  # fmt: skip
    yield Planted(
        "creators' share", income.creators_share, "share of the amount of a purchase",
        "`revenue` of stream 'trade fee' over `events` 'purchase', refunds included in both: the rest of 1.",
        "Fees less what was given back, over purchases before refunds.",
    )  # fmt: skip
    for plan, share in zip(frame.parameters.plans, income.services, strict=True):
        yield Planted(
            f"services: {plan.name}", share, "share of members who book value-added services sooner or later",
            "`revenue` of stream 'service': first payments by day since joining among members still there.",
            "Members with a payment: many leave before they would have booked.",
        )  # fmt: skip
