"""The course of a member's life with the platform as it would run if nobody ever left.

Stages of engagement, plans and pauses are drawn for all days, whether or not the member is still there. What
happens on a day before leaving does not depend on when leaving comes, so survival given the course has a
closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gamma

import numpy as np

from sojourn.world.arrays import Bools, Codes, Floats, Ints
from sojourn.world.members.people import People, of_segment
from sojourn.world.parameters import STAGES, Frame, Spells, Stages

NEW, GROWING, ACTIVE, SILENT, RETURNED = range(len(STAGES))

#: Given states, returns how many whole days each lasts (at least one) and which follows.
Step = Callable[[Ints], tuple[Ints, Ints]]


@dataclass(frozen=True, slots=True)
class Course:
    """Courses of the members of one block, by day since joining.

    Attributes
    ----------
    stage, plan : array (members, days) of int
        Codes of `STAGES` and of the plans.
    paused : array (members, days) of bool
        Whether membership rests.
    pace : array (members, days) of float
        Factor on sessions by stage; 0 while paused.
    """

    stage: Codes
    plan: Codes
    paused: Bools
    pace: Floats


def draw_course(frame: Frame, people: People, days: int, rng: np.random.Generator) -> Course:
    """Draw courses of `days` days."""
    parameters = frame.parameters
    n = len(people)
    stage, elapsed, length = walk(np.zeros(n, np.int64), days, _stage_step(frame, people, rng))
    plan, _, _ = walk(people.plan, days, _plan_step(parameters.spells, rng))
    paused, _, _ = walk(np.zeros(n, np.int64), days, _pause_step(parameters.spells, rng))
    pace = stage_pace(parameters.stages, stage, elapsed, length)
    resting = paused == 1
    return Course(stage.astype(np.int8), plan.astype(np.int8), resting, np.where(resting, 0.0, pace))


def walk(first: Ints, days: int, step: Step) -> tuple[Ints, Ints, Ints]:
    """Let every member walk through states until `days` are filled.

    Parameters
    ----------
    first : array of int
        First state of each member.
    days : int
        Days to fill.
    step : callable
        How long a state lasts and which follows.

    Returns
    -------
    tuple of 3 arrays (members, days)
        The state, the whole days it has lasted before this one, and how long it lasts in all.
    """
    state, at = first, np.zeros(len(first), dtype=np.int64)
    states, starts, lengths = [], [], []
    while (at < days).any():
        length, following = step(state)
        states.append(state)
        starts.append(at)
        lengths.append(length)
        state, at = following, at + length
    start = np.stack(starts, axis=1)
    length = np.stack(lengths, axis=1)
    shown = np.clip(days - start, 0, length).ravel()
    span = np.repeat(np.arange(shown.size), shown).reshape(len(first), days)
    elapsed = np.arange(days) - start.ravel()[span]
    return np.stack(states, axis=1).ravel()[span], elapsed, length.ravel()[span]


def stage_pace(stages: Stages, stage: Ints, elapsed: Ints, length: Ints) -> Floats:
    """Return the factor on sessions by day: growing rises, active fades before its end."""
    pace = np.array(stages.sessions)[stage]
    rising = stage == GROWING
    share = (elapsed[rising] + 0.5) / length[rising]
    pace[rising] += (stages.sessions[ACTIVE] - stages.sessions[GROWING]) * share
    fading = (stage == ACTIVE) & (length - elapsed <= stages.fade_days)
    left = (length[fading] - elapsed[fading] - 0.5) / stages.fade_days
    pace[fading] *= stages.faded + (1 - stages.faded) * left
    return pace


def _stage_step(frame: Frame, people: People, rng: np.random.Generator) -> Step:
    stages = frame.parameters.stages
    shape = np.array(stages.shape)
    mean = np.tile(np.array(stages.days), (len(people), 1))
    mean[:, ACTIVE] = of_segment(frame.parameters, "active_days")[people.segment]
    scale = mean / np.array([gamma(1 + 1 / k) for k in stages.shape])
    edges = np.cumsum(stages.follows, axis=1)
    everyone = np.arange(len(people))

    def step(state: Ints) -> tuple[Ints, Ints]:
        lasting = scale[everyone, state] * rng.standard_exponential(len(state)) ** (1 / shape[state])
        following = (rng.random(len(state))[:, None] >= edges[state][:, :-1]).sum(axis=1)
        idle = (state == NEW) & ~people.takes_off
        return np.ceil(lasting).astype(np.int64).clip(1), np.where(idle, SILENT, following)

    return step


def _plan_step(spells: Spells, rng: np.random.Generator) -> Step:
    rates = np.array(spells.changes)
    total = rates.sum(axis=1)
    edges = np.cumsum(rates, axis=1)

    def step(state: Ints) -> tuple[Ints, Ints]:
        lasting = _for_ever(rng.standard_exponential(len(state)), total[state])
        drawn = rng.random(len(state))[:, None] * edges[state][:, -1:]
        following = (drawn >= edges[state][:, :-1]).sum(axis=1)
        return np.ceil(lasting).astype(np.int64).clip(1), following

    return step


def _pause_step(spells: Spells, rng: np.random.Generator) -> Step:
    shortest, longest = spells.pause_days

    def step(state: Ints) -> tuple[Ints, Ints]:
        running = _for_ever(rng.standard_exponential(len(state)), np.full(len(state), spells.pause_rate))
        resting = rng.integers(shortest, longest, endpoint=True, size=len(state))
        lasting = np.where(state == 1, resting, np.ceil(running).astype(np.int64).clip(1))
        return lasting, 1 - state

    return step


def _for_ever(exponential: Floats, rate: Floats) -> Floats:
    """Return exponential times of some rates, and more days than any world has where a rate is 0."""
    return np.asarray(np.divide(exponential, rate, out=np.full(len(rate), 1e9), where=rate > 0))
