"""Surveys and requests for help: scores, silence, waiting and what they do are as planted.

Intervals reach four standard errors: with some forty comparisons one of them fails by chance once in 400
seeds, and the seed is fixed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from sojourn.world import make_world
from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY, HOUR, instant
from sojourn.world.members.people import by_region
from sojourn.world.members.population import Population, draw_population
from sojourn.world.parameters import Desk, Frame, Surveys
from sojourn.world.randomness import BLOCK, stream
from sojourn.world.tables.arrow import member_ids
from sojourn.world.tables.comments import comments
from sojourn.world.tables.events import Events, draw_events
from sojourn.world.tables.responses import (
    SCALES,
    SURVEYS,
    Responses,
    ask_days,
    draw_responses,
    expected_recommend,
    mean_score,
    responses_table,
    survey_truth,
)
from sojourn.world.tables.sessions import draw_sessions
from sojourn.world.tables.tickets import Tickets, draw_tickets, tickets_table

SIGMAS = 4.0
BLOCKS = 3


def frame_of(members: int, *, requests: float = 0.15) -> Frame:
    """A world in which help is asked for more often than in the demo, so that few members show enough."""
    demo = world_parameters("demo")
    parameters = replace(demo, service=replace(demo.service, requests=requests))
    end = instant("2025-07-01T00:00:00Z", "as_of")
    return Frame(members, 11, end - 548 * DAY, end, parameters)


@dataclass(frozen=True)
class Voices:
    """Arrays of some blocks, one after the other."""

    frame: Frame
    blocks: list[Population]
    events: list[Events]
    tickets: list[Tickets]
    responses: list[Responses]

    @property
    def desk(self) -> Desk:
        return self.frame.parameters.desk

    @property
    def surveys(self) -> Surveys:
        return self.frame.parameters.surveys

    def asked(self) -> pd.DataFrame:
        """All questions, with the scores of the silent and the satisfaction that no table holds."""
        parts = []
        for number, (block, found) in enumerate(zip(self.blocks, self.responses, strict=True)):
            part = pd.DataFrame({name: getattr(found, name) for name in found.__dataclass_fields__})
            part["satisfaction"] = block.people.satisfaction[found.member]
            part["joined"] = block.people.joined[found.member]
            parts.append(part.assign(block=number))
        return pd.concat(parts, ignore_index=True)

    def requests(self) -> pd.DataFrame:
        """All tickets, with what no table holds."""
        parts = []
        for number, (block, found) in enumerate(zip(self.blocks, self.tickets, strict=True)):
            part = pd.DataFrame({name: getattr(found, name) for name in found.__dataclass_fields__})
            part["satisfaction"] = block.people.satisfaction[found.member]
            region = block.people.region[found.member]
            hour = np.empty(len(part), dtype=np.int64)
            for clock, rows in by_region(self.frame, region):
                hour[rows] = clock.time_of_day(found.opened[rows]) // HOUR
            parts.append(part.assign(block=number, hour=hour))
        return pd.concat(parts, ignore_index=True)

    def helped(self) -> pd.DataFrame:
        """Answers about help beside the tickets they are about, as the two tables tell."""
        parts = []
        for number, (block, tickets, responses) in enumerate(
            zip(self.blocks, self.tickets, self.responses, strict=True)
        ):
            ids = member_ids(number * BLOCK, len(block))
            ticket = tickets_table(self.frame, tickets, ids).to_pandas()
            answer = responses_table(responses, ids).to_pandas().query("survey == 'CSAT'")
            ticket["asked_at"] = ticket["closed_at"] + pd.to_timedelta(3600, unit="s")
            both = answer.dropna(subset="score").merge(ticket, on=["member_id", "asked_at"])
            member = both["member_id"].str[1:].astype(int).to_numpy() - number * BLOCK
            parts.append(both.assign(satisfaction=block.people.satisfaction[member]))
        found = pd.concat(parts, ignore_index=True)
        waited = (found["replied_at"] - found["opened_at"]).dt.total_seconds() / 3600
        return found.assign(doublings=np.log2(waited / self.desk.usual_hours))


@pytest.fixture(scope="module")
def voices() -> Voices:
    """12,288 members: about 9,000 answers about help."""
    frame = frame_of(BLOCKS * BLOCK)
    blocks, events, tickets, responses = [], [], [], []
    for number in range(BLOCKS):
        draw = partial(stream, frame.seed, block=number)
        block = draw_population(frame, BLOCK, draw)
        found = draw_events(frame, block, draw_sessions(frame, block, draw("sessions")), draw("events"))
        blocks.append(block)
        events.append(found)
        tickets.append(draw_tickets(frame, block, found, draw("tickets")))
        responses.append(draw_responses(frame, block, tickets[-1], draw("responses")))
    return Voices(frame, blocks, events, tickets, responses)


def scored(
    design: np.ndarray, score: np.ndarray, *, survey: int, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of a rounded and clipped score on a line with known noise: estimates, standard errors.

    Gauss-Newton on the closed-form mean, errors robust to any variance.
    """
    found = np.linalg.lstsq(design, score, rcond=None)[0]
    for _ in range(30):
        level = design @ found
        slope = (mean_score(level + 1e-4, noise, survey) - mean_score(level - 1e-4, noise, survey)) / 2e-4
        jacobian = design * slope[:, None]
        rest = score - mean_score(level, noise, survey)
        bread = np.linalg.inv(jacobian.T @ jacobian)
        found = found + bread @ jacobian.T @ rest
    meat = (jacobian * rest[:, None] ** 2).T @ jacobian
    return found, np.sqrt(np.diag(bread @ meat @ bread))


def logistic(design: np.ndarray, came: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum likelihood of log-odds on a line, by Newton's method: estimates, standard errors."""
    found = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-design @ found))
        information = np.linalg.inv((design * (chance * (1 - chance))[:, None]).T @ design)
        found = found + information @ design.T @ (came - chance)
    return found, np.sqrt(np.diag(information))


def test_the_mean_of_a_rounded_and_clipped_score_is_the_integral_over_its_noise():
    # Midpoints of 200,001 quantiles in 8 standard deviations; the sum of steps errs by less than 1e-4.
    z = np.linspace(-8, 8, 200_001)
    weight = np.exp(-(z**2) / 2)
    for survey, (lowest, highest) in enumerate(SCALES):
        for level in (-1.0, 2.3, 4.6, 9.9):
            score = np.clip(np.floor(level + 1.3 * z + 0.5), lowest, highest)
            expected = (weight * score).sum() / weight.sum()
            assert mean_score(np.array([level]), 1.3, survey)[0] == pytest.approx(expected, abs=1e-4)


def test_scores_follow_satisfaction_by_the_planted_line(voices):
    level, slope, noise = voices.surveys.recommend
    found = voices.asked().query("survey == 0 and answered < inf")
    design = np.stack([np.ones(len(found)), found["satisfaction"]], axis=1)
    estimate, error = scored(design, found["score"].to_numpy(), survey=0, noise=noise)
    assert np.all(np.abs(estimate - [level, slope]) < SIGMAS * error)
    assert error.max() < 0.06


def test_the_true_mean_is_that_of_all_who_are_asked_in_expectation_over_leaving(voices):
    # Leaving is binomial given its chance, scores spread by their own variance: both are in the error.
    sums = sum(expected_recommend(voices.frame, block) for block in voices.blocks)
    rows = survey_truth(voices.frame, sums)
    asked = voices.asked().query("survey == 0")
    day = ((asked["asked"] - asked["joined"]) // DAY).to_numpy()
    for row in rows:
        scores = asked["score"].to_numpy()[(day == row["day"]) | (row["day"] is None)]
        assert abs(len(scores) - row["asked"]) < SIGMAS * np.sqrt(row["asked"])
        error = SIGMAS / np.sqrt(len(scores))
        assert abs(scores.mean() - row["mean"]) < error * scores.std()
        net = 100.0 * ((scores >= 9).astype(int) - (scores <= 6))
        assert abs(net.mean() - row["nps"]) < error * net.std()


def test_the_mean_of_those_who_answer_is_wrong_and_by_how_much_is_known(voices):
    sums = sum(expected_recommend(voices.frame, block) for block in voices.blocks)
    truth = survey_truth(voices.frame, sums)[0]
    asked = voices.asked().query("survey == 0")
    answers = asked["score"].to_numpy()[np.isfinite(asked["answered"])]
    error = SIGMAS * answers.std() / np.sqrt(len(answers))
    assert abs(answers.mean() - truth["mean_of_answers"]) < error
    assert answers.mean() + error < truth["mean"]
    assert truth["nps_of_answers"] < truth["nps"] - 5


def test_members_are_asked_on_stated_days_while_they_are_there(voices):
    days = set(ask_days(voices.frame).tolist())
    assert days == {30, 212, 394, 576}
    asked = voices.asked().query("survey == 0")
    since = asked["asked"] - asked["joined"]
    assert set(since % DAY) == {0}
    assert set(since // DAY) == days
    for number, block in enumerate(voices.blocks):
        mine = asked[asked["block"] == number]
        assert (mine["asked"].to_numpy() < block.lives.left[mine["member"]]).all()


def test_the_very_happy_and_the_very_unhappy_answer_more(voices):
    # Answers that come after as_of are missing: asked 20 mean delays before it, all but 1 in 10^8 are in.
    surveys = voices.surveys
    early = voices.frame.as_of - 20 * surveys.answer_days * DAY
    asked = voices.asked()
    asked = asked[asked["asked"] < early]
    s = asked["satisfaction"].to_numpy()
    estimate, error = logistic(np.stack([np.ones(len(s)), s**2, s], axis=1), np.isfinite(asked["answered"]))
    planted = [surveys.answers, surveys.answers_extreme, surveys.answers_slope]
    assert np.all(np.abs(estimate - planted) < SIGMAS * error)
    assert error.max() < 0.05


def test_every_request_is_a_ticket_opened_a_minute_later(voices):
    for block, events, tickets in zip(voices.blocks, voices.events, voices.tickets, strict=True):
        asks, at = events.of("support"), events.at
        made = pd.MultiIndex.from_arrays([events.member[asks], at[asks] + 60])
        found = pd.MultiIndex.from_arrays([tickets.member, tickets.opened])
        assert found.isin(made).all()
        missing = made[~made.isin(found)]
        ends = np.stack([block.lives.left, block.lives.left_again, np.full(len(block), voices.frame.as_of)])
        gone = ends[:, missing.get_level_values(0)] - missing.get_level_values(1).to_numpy()
        # Only a member who leaves within the minute, and a second beyond, has no ticket.
        assert ((gone <= 0) & (gone > -61)).any(axis=0).all()
        assert len(missing) <= 0.001 * len(made)


def test_waiting_is_log_normal_by_topic_and_longer_out_of_hours(voices):
    desk, found = voices.desk, voices.requests()
    assert len(found) > 15_000
    out = (found["hour"] < desk.opens) | (found["hour"] >= desk.closes)
    for code, topic in enumerate(desk.topics):
        share = (found["topic"] == code).mean()
        assert abs(share - topic.share) < SIGMAS * np.sqrt(topic.share * (1 - topic.share) / len(found))
        for closed, factor in ((False, 1.0), (True, desk.closed)):
            logs = np.log(found["waited"][(found["topic"] == code) & (out == closed)] / topic.hours / factor)
            assert abs(logs.mean()) < SIGMAS * desk.spread / np.sqrt(len(logs))
            assert abs(logs.std() - desk.spread) < SIGMAS * desk.spread / np.sqrt(2 * len(logs))


def test_waiting_and_topic_are_lots_as_far_as_satisfaction_goes(voices):
    # Members ask more than once: errors are those of member means, not of rows.
    found = voices.requests()
    usual = np.log(found["waited"]) - np.log(np.array([t.hours for t in voices.desk.topics]))[found["topic"]]
    slow = usual.to_numpy() - usual.groupby(found["hour"]).transform("mean").to_numpy()
    moment = pd.Series(slow * found["satisfaction"]).groupby([found["block"], found["member"]]).sum()
    assert abs(moment.sum()) < SIGMAS * np.sqrt((moment**2).sum())
    payment = (found["topic"] == 1) - voices.desk.topics[1].share
    moment = (payment * found["satisfaction"]).groupby([found["block"], found["member"]]).sum()
    assert abs(moment.sum()) < SIGMAS * np.sqrt((moment**2).sum())


def test_requests_end_well_less_often_the_longer_they_wait(voices):
    desk, found = voices.desk, voices.requests()
    doublings = np.log2(found["waited"].to_numpy() / desk.usual_hours)
    design = np.stack([np.ones(len(found)), doublings], axis=1)
    estimate, error = logistic(design, found["resolved"].to_numpy())
    assert np.all(np.abs(estimate - [desk.helped, desk.helped_slope]) < SIGMAS * error)
    assert error.max() < 0.05


def test_waiting_lowers_the_score_within_topics_and_all_topics_together_mislead(voices):
    surveys, found = voices.surveys, voices.helped()
    score, doublings = found["score"].to_numpy(), found["doublings"].to_numpy()
    topics = np.stack([found["topic"] == topic.name for topic in voices.desk.topics], axis=1).astype(float)
    satisfaction = found["satisfaction"].to_numpy()
    fit = partial(scored, score=score, survey=1, noise=surveys.help[2])
    estimate, error = fit(np.column_stack([topics, satisfaction, doublings]))
    planted = [surveys.help[0] + t.score for t in voices.desk.topics] + [surveys.help[1], surveys.waiting]
    assert np.all(np.abs(estimate - planted) < SIGMAS * error)
    assert error[-1] < 0.02
    naive, error = fit(np.column_stack([np.ones(len(score)), satisfaction, doublings]))
    assert naive[-1] + SIGMAS * error[-1] < surveys.waiting


def test_being_helped_adds_nothing_to_the_score_and_seems_to(voices):
    surveys, found = voices.surveys, voices.helped()
    score, doublings = found["score"].to_numpy(), found["doublings"].to_numpy()
    topics = np.stack([found["topic"] == topic.name for topic in voices.desk.topics], axis=1).astype(float)
    satisfaction, helped = found["satisfaction"].to_numpy(), found["resolved"].astype(float).to_numpy()
    fit = partial(scored, score=score, survey=1, noise=surveys.help[2])
    estimate, error = fit(np.column_stack([topics, satisfaction, doublings, helped]))
    assert abs(estimate[-1]) < SIGMAS * error[-1]
    naive, error = fit(np.column_stack([np.ones(len(score)), satisfaction, helped]))
    assert naive[-1] - SIGMAS * error[-1] > 0


def test_nothing_is_known_before_it_happens(voices):
    as_of = pd.Timestamp(voices.frame.as_of, unit="s", tz="UTC")
    for tickets, responses in zip(voices.tickets, voices.responses, strict=True):
        ids = member_ids(0, BLOCK)
        ticket = tickets_table(voices.frame, tickets, ids).to_pandas()
        known = tickets.closed < voices.frame.as_of
        assert (ticket["closed_at"].notna() == known).all()
        assert (ticket["resolved"].notna() == known).all()
        assert (ticket["replied_at"].notna() == (tickets.replied < voices.frame.as_of)).all()
        assert 0 < ticket["closed_at"].isna().sum() < ticket.shape[0] / 50
        assert (ticket[["opened_at", "replied_at", "closed_at"]].max() < as_of).all()
        answer = responses_table(responses, ids).to_pandas()
        assert (answer[["asked_at", "answered_at"]].max() < as_of).all()
        assert (answer["score"].notna() == answer["answered_at"].notna()).all()
        assert not answer["comment"][answer["answered_at"].isna()].notna().any()
        assert (answer["answered_at"].dropna() > answer["asked_at"][answer["answered_at"].notna()]).all()
        assert not answer.duplicated(["member_id", "asked_at", "survey"]).any()
        assert set(answer["survey"]) == set(SURVEYS)


def test_help_is_rated_an_hour_after_it_ended(voices):
    for tickets, responses in zip(voices.tickets, voices.responses, strict=True):
        rated = responses.survey == 1
        made = pd.MultiIndex.from_arrays([tickets.member, tickets.closed + HOUR])
        asked = pd.MultiIndex.from_arrays([responses.member[rated], responses.asked[rated]])
        ended = made[made.get_level_values(1) < voices.frame.as_of].unique()
        assert set(asked) == set(ended)


MAIL = re.compile(r"[\w.-]+@[\w.-]+\.\w+")
#: Ranges reserved for examples and drama: example.org, com and net (RFC 2606), 030 23125 (Germany) and
#: 020 7946 0 (Britain).
RESERVED = re.compile(
    r"[\w.-]+@example\.(org|com|net)|\+49 30 23125 \d{3}|030/23125\d{3}|\+44 20 7946 0\d{3}"
)


def test_some_comments_hold_an_address_or_a_number_and_none_of_these_is_anybodys(voices):
    surveys, asked = voices.surveys, voices.asked()
    answers = asked[np.isfinite(asked["answered"])]
    written = answers["comment"].to_numpy()
    written = written[written >= 0]
    error = SIGMAS * np.sqrt(surveys.comments * (1 - surveys.comments) / len(answers))
    assert abs(len(written) / len(answers) - surveys.comments) < error
    texts = np.array(comments())[written]
    digits = np.array([MAIL.search(text) is not None or re.search(r"\d", text) is not None for text in texts])
    error = SIGMAS * np.sqrt(surveys.contacts / len(texts))
    assert abs(digits.mean() - surveys.contacts) < error
    for text in comments():
        rest = RESERVED.sub("", text)
        assert "@" not in rest
        assert not re.search(r"\d", rest)


def test_the_mood_of_a_comment_is_that_of_its_score(voices):
    asked = voices.asked().query("comment >= 0")
    texts = pd.Series(comments()).str.split(".", n=1).str[0]
    moods = {
        "unhappy": ("I am disappointed", "Ich bin enttäuscht"),
        "happy": ("I like it a lot", "Gefällt mir sehr"),
    }
    for survey, low, high in ((0, 6, 9), (1, 2, 4)):
        mine = asked[asked["survey"] == survey]
        first = texts.iloc[mine["comment"]].to_numpy()
        score = mine["score"].to_numpy()
        assert (score[np.isin(first, moods["unhappy"])] <= low).all()
        assert (score[np.isin(first, moods["happy"])] >= high).all()
        for sentence in (*moods["unhappy"], *moods["happy"]):
            assert (first == sentence).sum() > 10


def test_the_smallest_world_is_drawn_too():
    frame = frame_of(1, requests=0.0)
    draw = partial(stream, frame.seed, block=0)
    block = draw_population(frame, 1, draw)
    events = draw_events(frame, block, draw_sessions(frame, block, draw("sessions")), draw("events"))
    tickets = draw_tickets(frame, block, events, draw("tickets"))
    responses = draw_responses(frame, block, tickets, draw("responses"))
    assert tickets_table(frame, tickets, member_ids(0, 1)).num_rows == 0
    assert responses_table(responses, member_ids(0, 1)).num_rows <= len(ask_days(frame))


def test_the_truth_of_a_world_names_what_is_planted_in_scores_and_waiting():
    world = make_world(members=64, seed=1, as_of="2025-07-01T00:00:00Z")
    parameters, summary = world.frame.parameters, world.truth.summary
    planted = {row["name"]: row["value"] for row in summary["planted"]}
    assert planted["waiting"] == parameters.surveys.waiting
    assert planted["being helped"] == 0
    assert planted["waiting and being helped"] == pytest.approx(np.exp(parameters.desk.helped_slope))
    assert planted["closed desk"] == parameters.desk.closed
    assert planted["score and satisfaction"] == parameters.surveys.recommend[1]
    assert planted["answering"] == parameters.surveys.answers_slope
    whole, *days = summary["surveys"]
    assert whole["day"] is None
    assert whole["asked"] == pytest.approx(sum(row["asked"] for row in days))
    weighted = sum(row["asked"] * row["mean"] for row in days) / whole["asked"]
    assert whole["mean"] == pytest.approx(weighted)
    assert set(world.responses["member_id"]) <= set(world.members["member_id"])
    assert set(world.tickets["member_id"]) <= set(world.members["member_id"])
