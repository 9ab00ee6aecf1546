"""Table `responses`: what members answer in surveys, and who does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sojourn.world.arrays import Bools, Floats, Ints, join, take
from sojourn.world.clock import DAY, HOUR
from sojourn.world.members.hazards import cumulative, integral_at
from sojourn.world.members.population import Population
from sojourn.world.parameters import Desk, Frame, Surveys
from sojourn.world.tables.arrow import instants, table, words
from sojourn.world.tables.comments import CONTACTS, SHAPE, comments
from sojourn.world.tables.tickets import Tickets, doublings

#: Surveys, with their lowest and highest score.
SURVEYS: tuple[str, ...] = ("NPS", "CSAT")
SCALES: tuple[tuple[int, int], ...] = ((0, 10), (1, 5))
#: Scores from which a comment is indifferent, and happy.
_MOODS: tuple[tuple[int, int], ...] = ((7, 9), (3, 4))


@dataclass(frozen=True, slots=True)
class Responses:
    """Questions put to the members of one block, ordered by member, instant and survey.

    Attributes
    ----------
    member, asked, survey : array of int
        Number of the member within the block, instant, code of `SURVEYS`.
    score : array of int
        Points the member gives, or would give.
    answered : array of float
        Instant; infinite where it is not answered before `as_of`.
    comment : array of int
        Code of `comments`, -1 for none.
    """

    member: Ints
    asked: Ints
    survey: Ints
    score: Ints
    answered: Floats
    comment: Ints


def draw_responses(frame: Frame, block: Population, tickets: Tickets, rng: np.random.Generator) -> Responses:
    """Draw scores of all who are asked, and who answers."""
    surveys = frame.parameters.surveys
    parts = [_recommend(frame, block, rng), _help(frame, block, tickets, rng)]
    put = join(parts)
    put = take(put, np.lexsort((put.survey, put.asked, put.member)))
    n = len(put.member)
    answers = rng.random(n) < answer_chance(surveys, block.people.satisfaction[put.member])
    after = np.floor(surveys.answer_days * DAY * rng.standard_exponential(n)) + 1
    at = np.where(answers, put.asked + after, np.inf)
    answered = np.where(at < frame.as_of, at, np.inf)
    comment = np.where(np.isfinite(answered), _draw_comments(surveys, put, rng), -1)
    return Responses(put.member, put.asked, put.survey, put.score, answered, comment)


def answer_chance(surveys: Surveys, satisfaction: Floats) -> Floats:
    """Return the probability of answering a survey."""
    logit = surveys.answers + surveys.answers_extreme * satisfaction**2 + surveys.answers_slope * satisfaction
    return np.asarray(1 / (1 + np.exp(-logit)))


def ask_days(frame: Frame) -> Ints:
    """Return the days since joining on which members are asked to recommend."""
    surveys = frame.parameters.surveys
    return np.arange(surveys.first_day, frame.longest, surveys.every_days)


def recommend_level(surveys: Surveys, satisfaction: Floats) -> Floats:
    """Return the NPS score before noise, rounding and clipping."""
    level, slope, _ = surveys.recommend
    return np.asarray(level + slope * satisfaction)


def help_level(surveys: Surveys, desk: Desk, satisfaction: Floats, topic: Ints, waited: Floats) -> Floats:
    """Return the CSAT score before noise, rounding and clipping."""
    level, slope, _ = surveys.help
    added = np.array([t.score for t in desk.topics])[topic]
    return np.asarray(level + slope * satisfaction + added + surveys.waiting * doublings(desk, waited))


def at_least(level: Floats, noise: float, score: int) -> Floats:
    """Return the probability that a score, rounded and clipped, is at least so high."""
    from scipy.special import ndtr

    return np.asarray(ndtr((level - score + 0.5) / noise))


def mean_score(level: Floats, noise: float, survey: int) -> Floats:
    """Return the mean of a rounded and clipped score: the lowest, and the chance of each point above it."""
    lowest, highest = SCALES[survey]
    above = [at_least(level, noise, score) for score in range(lowest + 1, highest + 1)]
    return np.asarray(lowest + np.sum(above, axis=0))


def expected_recommend(frame: Frame, block: Population) -> Floats:
    """Return what the NPS survey is about to find, in expectation over leaving.

    Returns
    -------
    array (questions, 2, 3)
        By day of asking and by whether all who are asked count, or each by the chance of answering: the
        number of members, and sums of scores and of promoters (9-10) less detractors (0-6).
    """
    surveys, people = frame.parameters.surveys, block.people
    level, noise = recommend_level(surveys, people.satisfaction), surveys.recommend[2]
    net = at_least(level, noise, 9) - (1 - at_least(level, noise, 7))
    found = np.stack([np.ones(len(block)), mean_score(level, noise, 0), net], axis=1)
    counts = np.stack([np.ones(len(block)), answer_chance(surveys, people.satisfaction)])
    total = cumulative(block.hazard)
    entered = integral_at(total, block.entry)
    sums = []
    for day in ask_days(frame):
        at = people.joined + day * DAY
        there = np.where((at >= frame.start) & (at < frame.as_of), np.exp(entered - total[:, day]), 0.0)
        sums.append(((counts * there)[:, :, None] * found).sum(axis=1))
    return np.array(sums).reshape(-1, 2, 3)


def survey_truth(frame: Frame, sums: Floats) -> list[dict[str, Any]]:
    """Return what the NPS survey is about to find among all who are asked, and among those who answer.

    Its ``day`` is none for all days together.

    Parameters
    ----------
    frame : Frame
        The world.
    sums : array (questions, 2, 3)
        Those of `expected_recommend`, of all blocks.
    """
    asked = [(int(day), part) for day, part in zip(ask_days(frame), sums, strict=True)]
    return [
        {
            "survey": "NPS",
            "day": day,
            "asked": part[0, 0],
            "answered": part[1, 0] / part[0, 0],
            "mean": part[0, 1] / part[0, 0],
            "nps": 100 * part[0, 2] / part[0, 0],
            "mean_of_answers": part[1, 1] / part[1, 0],
            "nps_of_answers": 100 * part[1, 2] / part[1, 0],
        }
        for day, part in [(None, sums.sum(axis=0)), *asked]
        if part[0, 0] > 0
    ]


def responses_table(responses: Responses, ids: Any) -> Any:
    """Return table `responses` of a block."""
    silent = np.isinf(responses.answered)
    return table("responses", [
        ids.take(pa.array(responses.member)),
        instants(responses.asked),
        words(SURVEYS, responses.survey),
        instants(responses.answered, missing=silent),
        pa.array(responses.score, mask=silent),
        words(comments(), responses.comment, missing=responses.comment < 0),
    ])  # fmt: skip


def _recommend(frame: Frame, block: Population, rng: np.random.Generator) -> Responses:
    """Ask members who are there to recommend, in their first stay."""
    surveys, days = frame.parameters.surveys, ask_days(frame)
    at = block.people.joined[:, None] + days * DAY
    noise = surveys.recommend[2] * rng.standard_normal(at.shape)
    member, number = np.nonzero((at >= frame.start) & (at < block.lives.ends(frame)[0][:, None]))
    level = recommend_level(surveys, block.people.satisfaction[member])
    return _put(member, at[member, number], 0, level + noise[member, number])


def _help(frame: Frame, block: Population, tickets: Tickets, rng: np.random.Generator) -> Responses:
    """Ask an hour after a request has ended, whether or not the member is still there."""
    surveys, desk = frame.parameters.surveys, frame.parameters.desk
    at = tickets.closed + HOUR
    noise = surveys.help[2] * rng.standard_normal(len(at))
    level = help_level(
        surveys, desk, block.people.satisfaction[tickets.member], tickets.topic, tickets.waited
    )
    seen = _first_only(tickets.member, at) & (at < frame.as_of)
    return _put(tickets.member[seen], at[seen], 1, (level + noise)[seen])


def _first_only(member: Ints, at: Ints) -> Bools:
    """Return which rows are the first of their member and instant: nobody is asked twice at once."""
    first = np.zeros(len(at), dtype=bool)
    first[np.unique(np.stack([member, at]), axis=1, return_index=True)[1]] = True
    return first


def _put(member: Ints, asked: Ints, survey: int, level: Floats) -> Responses:
    score = np.clip(np.floor(level + 0.5), *SCALES[survey]).astype(np.int64)
    none = np.full(len(member), -1)
    return Responses(member, asked, none + 1 + survey, score, np.full(len(member), np.inf), none)


def _draw_comments(surveys: Surveys, put: Responses, rng: np.random.Generator) -> Ints:
    """Draw a comment to each score, which none but some have."""
    n = len(put.score)
    _, _, firsts, abouts = SHAPE
    mood = (put.score[:, None] >= np.array(_MOODS)[put.survey]).sum(axis=1)
    language = (rng.random(n) < surveys.second_language).astype(np.int64)
    parts: Sequence[Ints] = (language, mood, rng.integers(firsts, size=n), rng.integers(abouts, size=n))
    plain = np.ravel_multi_index(tuple(parts), SHAPE)
    reached = rng.random(n) < surveys.contacts
    contact = np.where(reached, rng.integers(1, len(CONTACTS) + 1, size=n), 0)
    writes = rng.random(n) < surveys.comments
    return np.where(writes, plain + contact * int(np.prod(SHAPE)), -1)
