"""Before a trial: how likely it is to say something, how long it takes, and the cheapest division.

Assurance is the probability to ship averaged over the belief (O'Hagan, Stevens and Campbell 2005), by
simulating the plan's rule as it stands. The cheapest division is the square-root rule: members in proportion
to spread over the root of cost, control's times the root of the number of schemes (Dunnett 1955; Cochran
1977, section 5.5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from sojourn.core.errors import ParameterError, UndefinedError
from sojourn.core.ranges import in_range
from sojourn.core.results.trial_design import Traffic, TrialDesign
from sojourn.core.results.trial_plan import TrialPlan
from sojourn.core.results.trials import Trial
from sojourn.estimators.bayes.model import Floats
from sojourn.studies.trials.arms import make_arms
from sojourn.studies.trials.deadweight import costs_per_member, stated_costs
from sojourn.studies.trials.error_rates import rate
from sojourn.studies.trials.rule_paths import Ends, all_ends, guarded_by
from sojourn.studies.trials.rule_subject import Subject, subject_of

#: Lengths that are looked at, as multiples of the traffic's days.
_LENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
#: The cheapest division may take so many times as long as planned.
_PATIENCE = 1.5
_MONTH = re.compile(r"\d{4}-\d{2}")


def design_trial(
    plan: TrialPlan,
    *,
    traffic: Traffic,
    rng: np.random.Generator,
    target: float = 0.8,
    days: Sequence[int] = (),
    worlds: int = 4000,
) -> TrialDesign:
    """Say what trials of several lengths would tell, before any member is assigned.

    Parameters
    ----------
    plan : TrialPlan
        The rule, with its belief: true lifts are drawn from it.
    traffic : Traffic
        Members a day, schemes, what control is like, costs.
    rng : Generator
        Source of the simulated trials.
    target : float
        Share, of what there is to find by the belief, that the trial is to find.
    days : sequence of int
        Lengths of assignment to look at; from a quarter to four times the traffic's when empty.
    worlds : int
        Simulated trials per length.

    Returns
    -------
    TrialDesign

    Raises
    ------
    ParameterError
        When the plan guards an outcome whose share under control the traffic does not say.
    """
    in_range(target, "target", gt=0, lt=1)
    in_range(worlds, "worlds", ge=100)
    asked = sorted({traffic.days, *(days or (max(1, round(k * traffic.days)) for k in _LENGTHS))})
    most = chance_of_worth(plan, subject_of(plan, traffic))
    rows = [_length(plan, replace(traffic, days=n), worlds, rng) for n in asked]
    table = pd.DataFrame(rows)
    enough = table.loc[table["right_rate"] >= target * most, "days"]
    cheapest, saved, needed = _cheapest(traffic)
    return TrialDesign(
        table=table,
        most=most,
        target=target,
        days=int(enough.min()) if len(enough) else 0,
        planned_days=traffic.days,
        follow_up=plan.horizon_days,
        looks=plan.looks,
        allocation=cheapest,
        saved=saved,
        cheapest_days=needed,
        worthwhile=plan.worthwhile,
        worlds=worlds,
        metric=plan.metric,
        kind=traffic.kind,
        currency=traffic.currency,
    )


def next_trial(
    trial: Trial,
    plan: TrialPlan,
    *,
    rng: np.random.Generator,
    target: float = 0.8,
    worlds: int = 2000,
) -> TrialDesign:
    """Say what another trial like this one would tell, by the same rule and belief, for several lengths.

    Returns
    -------
    TrialDesign
        As `design_trial` with `traffic_of` makes it; empty where it is not known how fast members came.
    """
    try:
        traffic = traffic_of(trial, plan)
    except UndefinedError as error:
        return _no_design(plan, target, str(error))
    return design_trial(plan, traffic=traffic, rng=rng, target=target, worlds=worlds)


def _no_design(plan: TrialPlan, target: float, why: str) -> TrialDesign:
    return TrialDesign(
        table=pd.DataFrame(),
        most=math.nan,
        target=target,
        days=0,
        planned_days=0,
        follow_up=plan.horizon_days,
        looks=plan.looks,
        allocation=pd.DataFrame(),
        saved=math.nan,
        cheapest_days=math.nan,
        worthwhile=plan.worthwhile,
        worlds=0,
        metric=plan.metric,
        why_empty=why,
    )


def traffic_of(trial: Trial, plan: TrialPlan, *, days: int = 0) -> Traffic:
    """Return the traffic of a trial that ran, as the design of another one like it needs it.

    Parameters
    ----------
    trial : Trial
        Members came to it as they will come to the next one.
    plan : TrialPlan
        Its metric and what it guards are looked up under control.
    days : int
        For how long members were assigned; as the trial tells it when 0.

    Returns
    -------
    Traffic
        Members assigned a day over all schemes, in the planned shares; mean (share) and spread of the metric
        under control, standardised over strata as lifts are; what each scheme cost per member. Where arrivals
        are told by month only, whole months count, so members a day are rather too few than too many.

    Raises
    ------
    UndefinedError
        When it is not known for how long members were assigned.
    """
    arms, kind = make_arms(trial, plan.metric), trial.kind(plan.metric)
    in_range(days, "days", ge=0)
    lasted = days or _days_of(trial)
    mean, spread = arms.standardised()[0], arms.smoothed_variance() @ arms.weights
    known = costs_per_member(trial)
    costs = stated_costs(trial) if known is None else np.maximum(known, 0)
    return Traffic(
        per_day=float(trial.split["assigned"].sum()) / lasted,
        days=lasted,
        base=float(mean[0]),
        sd=math.nan if kind == "binary" else math.sqrt(float(spread[0])),
        schemes=trial.schemes,
        allocation=tuple(trial.allocation[scheme] for scheme in trial.schemes),
        guard_base={
            guard.outcome: float(make_arms(trial, guard.outcome).standardised()[0][0])
            for guard in guarded_by(plan)
        },
        cost_per_member=tuple(costs.tolist()) if costs.any() else (),
        currency=str(trial.meta.get("currency", "")),
    )


def _days_of(trial: Trial) -> int:
    """Return for how many days members were assigned: to the last arrival, else whole months."""
    arrivals = trial.other("arrivals")
    if len(arrivals):
        return int(arrivals["day"].max()) + 1
    months = sorted(month for period in trial.split["period"] for month in _MONTH.findall(str(period)))
    if not months:
        raise UndefinedError("When members were assigned is not told, so neither is how many come a day.")
    return (pd.Period(months[-1]).end_time - pd.Period(months[0]).start_time).days + 1


def chance_of_worth(plan: TrialPlan, subject: Subject) -> float:
    """Return the chance, as believed, that some scheme's lift is above the rope; lifts independent."""
    prior, bound = subject.course.prior, plan.rope
    if subject.kind == "binary":
        base = float(subject.course.base @ subject.course.share)
        bound = math.log((base + bound) / (1 - base - bound)) - math.log(base / (1 - base))
    below = float(ndtr((bound - prior.lift_mean) / prior.lift_sd))
    return 1 - below ** (subject.course.schemes - 1)


def _length(plan: TrialPlan, traffic: Traffic, worlds: int, rng: np.random.Generator) -> dict[str, float]:
    """Return what trials of one length do."""
    subject = subject_of(plan, traffic)
    true = subject.believed(worlds, rng)
    left = iter(np.array_split(true, np.arange(10_000, worlds, 10_000)))
    made = all_ends(
        plan, subject.course, lambda _: next(left), worlds=worlds, rng=rng, guarded=subject.guarded
    )
    good = np.where(np.arange(subject.course.schemes) == 1, plan.worthwhile, 0.0)
    found = all_ends(plan, subject.course, good, worlds=worlds, rng=rng, guarded=subject.guarded)
    got = true[np.arange(worlds), made.scheme]
    return {
        "days": traffic.days,
        "members": int(subject.course.n.sum()),
        **rate("assurance_rate", made.scheme > 0),
        "right_rate": float(((made.scheme > 0) & (got > plan.rope)).mean()),
        "found_rate": float((found.scheme == 1).mean()),
        **_spent(plan, traffic, made),
    }


def _spent(plan: TrialPlan, traffic: Traffic, made: Ends) -> dict[str, float]:
    """Return members and days until the trial is over, and what they cost, on average.

    Assignment goes on while the members of a look are followed to their horizon.
    """
    assigning = traffic.days * made.look / plan.looks
    assigned = traffic.per_day * np.minimum(assigning + plan.horizon_days, traffic.days)
    costs = float(np.dot(traffic.cost_per_member, traffic.shares)) if traffic.cost_per_member else math.nan
    return {
        "expected_members": float(assigned.mean()),
        "expected_days": float(assigning.mean()) + plan.horizon_days,
        "expected_cost": costs * float(assigned.mean()),
    }


def cheapest_shares(costs: Floats, sds: Floats) -> Floats:
    """Return the division that makes the mean variance of all lifts cheapest.

    Parameters
    ----------
    costs : array (schemes,)
        Of one member under each scheme, above 0, control first.
    sds : array (schemes,)
        Standard deviation of one member's outcome.

    Returns
    -------
    array (schemes,)
        Shares that sum to 1: minimise ``sum c n`` for a given ``k s_0^2 / n_0 + sum s_j^2 / n_j``.
    """
    many = np.r_[math.sqrt(costs.size - 1), np.ones(costs.size - 1)]
    members = many * sds / np.sqrt(costs)
    shares: Floats = members / members.sum()
    return shares


def _cheapest(traffic: Traffic) -> tuple[pd.DataFrame, float, float]:
    """Return the cheapest division as precise as the planned one, what it saves, and the days it needs.

    Every member takes a place that another could have: where the cheapest would take more than half as long
    again, a price is put on places until it does not. The division with the fewest members for this precision
    needs no more than the planned one, so there is always such a price.
    """
    if not traffic.cost_per_member:
        return pd.DataFrame(), math.nan, math.nan
    costs, planned = np.array(traffic.cost_per_member), np.array(traffic.shares)
    if not costs.any():
        raise ParameterError("'cost_per_member' is 0 for every scheme: leave it out where nothing is known.")
    sds = np.full(costs.size, 1.0 if traffic.kind == "binary" else traffic.sd)
    total = traffic.per_day * traffic.days
    wanted = _variance(planned * total, sds)

    def members(price: float) -> Floats:
        shares = cheapest_shares(np.maximum(costs + price, 1e-9 * costs.max()), sds)
        sized: Floats = shares * _variance(shares, sds) / wanted
        return sized

    limit, dear = _PATIENCE * total, 1e6 * float(costs.max())
    price = 0.0 if members(0.0).sum() <= limit else _price(members, limit, dear)
    chosen = members(price)
    table = pd.DataFrame(
        {
            "scheme": traffic.schemes,
            "cost_per_member": costs,
            "planned_share": planned,
            "cheapest_share": chosen / chosen.sum(),
            "members": np.ceil(chosen).astype(int),
            "cost": chosen * costs,
        }
    )
    saved = 1 - float(chosen @ costs) / float(total * planned @ costs)
    return table, saved, float(chosen.sum() / traffic.per_day)


def _price(members: Callable[[float], Floats], limit: float, dear: float) -> float:
    return float(brentq(lambda price: members(price).sum() - limit, 0.0, dear))


def _variance(n: Floats, sds: Floats) -> float:
    """Return the mean variance of all lifts over control."""
    return float((sds[0] ** 2 / n[0] + sds[1:] ** 2 / n[1:]).mean())
