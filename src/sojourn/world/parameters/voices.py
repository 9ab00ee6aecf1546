"""What members say when they are asked, and when they ask for help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of requests for help.

    Attributes
    ----------
    name : str
        Name in `tickets`.
    share : float
        Share of requests, whoever asks.
    hours : float
        Median waiting time for the first reply to a request made in the desk's hours.
    score : float
        Added to the score of a request on this topic, however long it waited.
    """

    name: str
    share: float
    hours: float
    score: float


@dataclass(frozen=True, slots=True)
class Desk:
    """The help desk.

    Waiting times are log-normal. Given topic and hour of the request they are a lot: nothing about the member
    moves them. That a request ends well gets less likely with the waiting time; whether it does has no effect
    of its own on anything.

    Attributes
    ----------
    topics : tuple of Topic
        What requests are about.
    spread : float
        Standard deviation of the logarithm of waiting times.
    opens, closes : int
        Hours of the member's day between which the desk is staffed.
    closed : float
        Factor on the waiting time of requests made in the other hours.
    usual_hours : float
        Waiting time at which `helped` holds, and `Surveys.waiting` adds nothing.
    helped : float
        Log-odds that a request ends well.
    helped_slope : float
        Added to them by each doubling of the waiting time.
    work_hours : float
        Mean hours from the first reply to the end, exponentially distributed.
    """

    topics: tuple[Topic, ...] = (
        Topic("sign-in", 0.25, 2.0, 0.3),
        Topic("payment", 0.25, 14.0, -0.9),
        Topic("content", 0.20, 5.0, 0.2),
        Topic("technical", 0.20, 9.0, -0.4),
        Topic("other", 0.10, 4.0, 0.0),
    )
    spread: float = 0.8
    opens: int = 8
    closes: int = 20
    closed: float = 3.0
    usual_hours: float = 4.0
    helped: float = 1.8
    helped_slope: float = -0.5
    work_hours: float = 6.0


@dataclass(frozen=True, slots=True)
class Surveys:
    """Surveys: recommending (NPS, 0-10), and help (CSAT, 1-5) after a request has ended.

    A score is a line of the member's satisfaction plus normal noise, rounded and clipped. Whether a member
    answers follows satisfaction alone: log-odds ``answers + answers_extreme s^2 + answers_slope s``.

    Attributes
    ----------
    first_day, every_days : int
        Days since joining on which members who are there are asked to recommend: first, and then every so
        many.
    recommend : tuple of 3 float
        Level of the NPS score at satisfaction 0, points per unit of satisfaction, standard deviation of the
        noise.
    help : tuple of 3 float
        The same of the CSAT score, at the desk's usual waiting time.
    waiting : float
        Points that each doubling of the waiting time adds to the CSAT score, before rounding and clipping.
    answers, answers_extreme, answers_slope : float
        Log-odds of answering at satisfaction 0, what its square and what each unit add: the very happy and,
        more so, the very unhappy answer.
    answer_days : float
        Mean days until the answer, exponentially distributed.
    comments : float
        Share of answers with a comment.
    contacts : float
        Share of comments that hold an e-mail address or a telephone number; all are reserved for examples.
    second_language : float
        Share of comments in the second language.
    """

    first_day: int = 30
    every_days: int = 182
    recommend: tuple[float, float, float] = (7.2, 1.5, 1.5)
    help: tuple[float, float, float] = (3.7, 0.5, 0.7)
    waiting: float = -0.25
    answers: float = -1.3
    answers_extreme: float = 0.5
    answers_slope: float = -0.35
    answer_days: float = 1.5
    comments: float = 0.35
    contacts: float = 0.04
    second_language: float = 0.4
