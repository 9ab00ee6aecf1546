from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.world.arrays import join, take
from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY, HOUR
from sojourn.world.make import make_block
from sojourn.world.members.hazards import cumulative, integral_at
from sojourn.world.members.population import Population, draw_population
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK, stream
from sojourn.world.tables.events import Events, draw_events
from sojourn.world.tables.ledger import (
    BOUGHT,
    CAUGHT,
    EXPIRED,
    GOODWILL,
    REDEEMED,
    REFUNDED,
    TASK,
    Ledger,
    Moves,
    Traits,
    _in_order,
    _moves,
    draw_ledger,
    draw_moves,
    draw_traits,
    gained,
    settle,
    with_redemptions,
)
from sojourn.world.tables.sessions import draw_sessions
from sojourn.world.truth.breakage import SUMS, expected_out, expected_points, points_truth
from sojourn.world.truth.planted import planted


@dataclass(frozen=True)
class Drawn:
    frame: Frame
    block: Population
    events: Events
    traits: Traits
    moves: Moves
    ledger: Ledger

    @property
    def balance(self) -> np.ndarray:
        """Balance after each movement, by adding up."""
        total = np.cumsum(self.ledger.points)
        first = np.searchsorted(self.ledger.member, self.ledger.member)
        return total - (total - self.ledger.points)[first]

    def of(self, *what: int) -> np.ndarray:
        return np.flatnonzero(np.isin(self.ledger.what, what))


def draw_one(frame: Frame, number: int = 0) -> Drawn:
    draw = partial(stream, frame.seed, block=number)
    block = draw_population(frame, BLOCK, draw)
    events = draw_events(frame, block, draw_sessions(frame, block, draw("sessions")), draw("events"))
    traits = draw_traits(frame, block, draw("points"))
    moves = draw_moves(frame, block, events, traits, draw("gifts"))
    return Drawn(
        frame, block, events, traits, moves, draw_ledger(frame, block, moves, traits, draw("ledger"))
    )


@pytest.fixture(scope="module")
def parts(make_frame) -> list[Drawn]:
    """Three blocks of the demo platform: about 150,000 movements."""
    frame = make_frame(3 * BLOCK, seed=11)
    return [draw_one(frame, number) for number in range(3)]


@pytest.fixture(scope="module")
def cheated(make_frame) -> Drawn:
    """A block in which a fifth of the members claim points for tasks not done; gifts are many and late."""
    made = world_parameters("demo")
    cheating = replace(made.points.cheating, share=0.2)
    points = replace(made.points, cheating=cheating, goodwill=0.9, goodwill_hours=20 * 24)
    return draw_one(make_frame(BLOCK, seed=12, parameters=replace(made, points=points)))


# --- conservation, and the oldest points first ----------------------------------------------------------

INCOME = (BOUGHT, TASK, GOODWILL)
#: Movements of one member: (time, what, points). Points of redemptions say nothing.
HISTORY = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from([BOUGHT, BOUGHT, TASK, GOODWILL, REDEEMED, REDEEMED, REFUNDED, CAUGHT]),
        st.integers(1, 500),
    ),
    max_size=25,
)
#: Time after which points expire, and end of time.
LIFE, UNTIL = 15, 45


def played(asked: list[tuple[int, int, int]], threshold: int) -> list[tuple[int, int, int]]:
    """Return (at, what, points) of one member, by a list of what is left of each earning: no running sums."""
    asked = sorted(asked, key=lambda row: row[:2])
    earned = [row for row in asked if row[1] in INCOME]
    ends = [(at + LIFE, EXPIRED, number) for number, (at, _, _) in enumerate(earned)]
    left: list[int] = []
    found = []
    for at, what, points in sorted(ends + asked, key=lambda row: row[:2]):
        if at >= UNTIL:
            continue
        if what in INCOME:
            left.append(points)
            moved = points
        elif what == EXPIRED:
            moved, left[points] = -left[points], 0
        elif what == REDEEMED:
            moved = -sum(left) if sum(left) >= threshold else 0
            left = [0] * len(left) if moved else left
        else:
            moved = -_oldest_first(left, points)
        if moved:
            found.append((at, what, moved))
    return found


def _oldest_first(left: list[int], wanted: int) -> int:
    taken = 0
    for number, points in enumerate(left):
        part = min(points, wanted - taken)
        left[number] -= part
        taken += part
    return taken


def asked_for(histories: list[list[tuple[int, int, int]]]) -> Moves:
    """Return histories as the arrays that `settle` takes, with the ends of all that was gained."""
    rows = np.array([(m, *row) for m, history in enumerate(histories) for row in history], dtype=np.int64)
    member, at, what, points = rows.reshape(-1, 4).T
    earns, redeems = np.isin(what, INCOME), what == REDEEMED
    gains = _moves(0, member[earns], at[earns], gain=points[earns])
    gains = _in_order(replace(gains, what=what[earns]))
    takes = replace(_moves(0, member[~earns], at[~earns]), what=what[~earns])
    takes = replace(takes, most=np.where(redeems, 1 << 40, points)[~earns])
    ends = _moves(EXPIRED, gains.member, gains.at + LIFE, reach=gained(gains))
    moves = _in_order(join([ends, takes, gains]))
    return take(moves, moves.at < UNTIL)


@given(st.lists(HISTORY, min_size=1, max_size=5))
@settings(deadline=None, max_examples=300)
def test_all_members_at_once_move_as_each_by_a_list_of_earnings(make_frame, histories):
    frame = make_frame(1)
    ledger = settle(frame, asked_for(histories))
    rows = list(zip(ledger.member, ledger.at, ledger.what, ledger.points, strict=True))
    threshold = frame.parameters.points.threshold
    expected = [(m, *row) for m, history in enumerate(histories) for row in played(history, threshold)]
    assert rows == expected


@given(HISTORY)
@settings(deadline=None, max_examples=100)
def test_expected_points_are_the_average_over_all_lots(make_frame, history):
    """Every way in which lots may fall is played by the list of earnings, and weighed by its probability."""
    frame, chance = make_frame(1), 0.3
    threshold, forgets = frame.parameters.points.threshold, frame.parameters.points.forgets
    redeems = [row for row in history if row[1] == REDEEMED][:6]
    others = [row for row in history if row[1] != REDEEMED]
    expected = np.zeros(GOODWILL + 1)
    for lots in product([False, True], repeat=len(redeems)):
        drawn = [row for row, lot in zip(redeems, lots, strict=True) if lot]
        weight = (1 - forgets) * chance ** len(drawn) * (1 - chance) ** (len(redeems) - len(drawn))
        for case, part in ((drawn, weight), ([], forgets / 2 ** len(redeems))):
            for _, what, points in played(others + case, threshold):
                expected[what] += part * points
    moves = asked_for([others + redeems])
    out = expected_out(frame, np.array([chance]), moves)
    found = np.bincount(moves.what, moves.gain - out, GOODWILL + 1)
    # exact but for the last bits of sums of a few thousand points
    assert found == pytest.approx(expected, abs=1e-6)


def test_balances_are_never_below_zero_and_no_movement_is_empty(parts):
    for part in parts:
        assert part.balance.min() >= 0
        assert (part.ledger.points != 0).all()


def test_points_expire_when_they_are_old_and_only_what_is_left_of_them(parts):
    """From the table alone: a list of what is left of each earning says what must expire, and when."""
    part, found = parts[0], 0
    life = part.frame.parameters.points.expires_days * DAY
    stays = np.flatnonzero(part.block.lives.left >= part.frame.as_of)
    for member in stays:
        rows = np.flatnonzero(part.ledger.member == member)
        since: list[int] = []
        left: list[int] = []
        for at, what, points in zip(*(c[rows].tolist() for c in _columns(part.ledger)), strict=True):
            old = [n for n, begun in enumerate(since) if begun + life <= at and left[n]]
            if what == EXPIRED:
                assert since[old[0]] + life == at
                assert -points == left[old[0]]
                left[old[0]] = 0
                found += 1
            else:
                assert not old
            if points > 0:
                since.append(at)
                left.append(points)
            elif what != EXPIRED:
                assert _oldest_first(left, -points) == -points
        assert all(begun + life >= part.frame.as_of or not n for begun, n in zip(since, left, strict=True))
    assert found > 1_000


def _columns(ledger: Ledger):
    return ledger.at, ledger.what, ledger.points


# --- when, and what for ---------------------------------------------------------------------------------


def test_members_move_points_while_they_are_there_and_the_platform_while_it_counts_on_them(parts, cheated):
    for part in [*parts, cheated]:
        ledger, lives = part.ledger, part.block.lives
        assert ledger.at.min() >= part.frame.start
        assert ledger.at.max() < part.frame.as_of
        left, returned, again = (at[ledger.member] for at in (lives.left, lives.returned, lives.left_again))
        there = (ledger.at < left) | ((ledger.at >= returned) & (ledger.at < again))
        own = ~np.isin(ledger.what, [EXPIRED, CAUGHT])
        assert there[own].all()
        known = lives.announced[ledger.member]
        assert there[known].all()


def test_points_of_members_who_left_without_a_word_go_on_to_expire(make_frame):
    """So no missing end of points tells that a member has left."""
    part = draw_one(make_frame(BLOCK, seed=11, world="silent_churn"))
    life = part.frame.parameters.points.expires_days * DAY
    gone = part.block.lives.left[part.moves.member] < part.frame.as_of
    earned = gone & (part.moves.gain > 0) & (part.moves.at + life < part.frame.as_of)
    ends = gone & (part.moves.what == EXPIRED)
    assert ends.sum() == earned.sum() > 1_000
    assert sorted(part.moves.at[ends]) == sorted(part.moves.at[earned] + life)
    late = part.of(EXPIRED)
    assert (part.ledger.at[late] > part.block.lives.left[part.ledger.member[late]]).sum() > 100


def test_what_falls_due_while_a_member_is_away_is_booked_on_return(parts):
    part = parts[0]
    ledger, lives = part.ledger, part.block.lives
    expired = part.of(EXPIRED)
    member = ledger.member[expired]
    back = ledger.at[expired] == lives.returned[member]
    assert back.sum() > 0
    assert lives.announced[member[back]].all()


def test_every_purchase_and_task_earns_what_it_should(parts):
    for part in parts:
        ledger, events, points = part.ledger, part.events, part.frame.parameters.points
        bought = events.of("purchase")
        bought = bought[events.cents[bought] * points.per_euro >= 100]
        rows = part.of(BOUGHT)
        assert list(ledger.member[rows]) == list(events.member[bought])
        assert list(ledger.at[rows]) == list(events.at[bought])
        assert list(ledger.points[rows]) == [int(c) * points.per_euro // 100 for c in events.cents[bought]]
        honest = ~part.traits.cheats
        tasks, rows = events.of("task"), part.of(TASK)
        tasks, rows = tasks[honest[events.member[tasks]]], rows[honest[ledger.member[rows]]]
        assert list(ledger.at[rows]) == list(events.at[tasks])
        assert set(ledger.points[rows]) == {points.per_task}


def test_a_redemption_takes_all_there_is_at_a_purchase_and_is_an_event(parts):
    for part in parts:
        ledger, events = part.ledger, part.events
        rows = part.of(REDEEMED)
        assert (part.balance[rows] == 0).all()
        assert (-ledger.points[rows] >= part.frame.parameters.points.threshold).all()
        bought = events.of("purchase")
        bought = bought[events.cents[bought] > 0]
        purchases = set(zip(events.member[bought].tolist(), events.at[bought].tolist(), strict=True))
        redeemed = list(zip(ledger.member[rows].tolist(), ledger.at[rows].tolist(), strict=True))
        assert set(redeemed) <= purchases
        shown = with_redemptions(events, ledger)
        found = shown.of("redeem")
        assert list(zip(shown.member[found], shown.at[found], strict=True)) == redeemed
        assert len(shown.at) == len(events.at) + len(rows)
        place = shown.member << 32 | shown.at
        assert (np.diff(place) >= 0).all()


def test_a_refund_takes_back_what_the_purchase_earned_or_what_is_there(parts):
    for part in parts:
        ledger, events = part.ledger, part.events
        earned = {
            (m, at): p
            for m, at, p in zip(*(c[part.of(BOUGHT)].tolist() for c in _by_member(ledger)), strict=True)
        }
        delays = [d * DAY for d in part.frame.parameters.activity.refund_days]
        expected = {}
        for row in events.of("purchase"):
            if events.cents[row] < 0:
                member, at = int(events.member[row]), int(events.at[row])
                hits = [earned[member, at - d] for d in delays if (member, at - d) in earned]
                if hits:
                    expected[member, at] = hits
        rows = part.of(REFUNDED)
        before = part.balance[rows] - ledger.points[rows]
        assert len(rows) > 300
        for row, held in zip(rows, before, strict=True):
            hits = expected[int(ledger.member[row]), int(ledger.at[row])]
            assert any(-ledger.points[row] == min(points, held) for points in hits)
        # those without a movement found nothing left
        assert len(rows) > 0.9 * len(expected)


def _by_member(ledger: Ledger):
    return ledger.member, ledger.at, ledger.points


def test_a_tier_follows_from_what_was_earned_in_a_year(make_frame, parts):
    """From the table alone, by a loop over each member's last year."""
    part = parts[1]
    points = part.frame.parameters.points
    ledger = part.ledger
    some = np.flatnonzero(np.isin(ledger.member, np.arange(0, BLOCK, 7)))
    seen = set()
    for row in some:
        first = np.searchsorted(ledger.member, ledger.member[row])
        counts = [
            ledger.points[i]
            for i in range(first, row + 1)
            if ledger.at[i] > ledger.at[row] - points.tier_days * DAY
            and ledger.what[i] in (BOUGHT, TASK, REFUNDED, CAUGHT)
        ]
        tier = max(code for code, (_, least) in enumerate(points.tiers) if sum(counts) >= least or code == 0)
        assert ledger.tier[row] == tier
        seen.add(tier)
    assert seen == {0, 1, 2}


# --- what is planted, recovered -------------------------------------------------------------------------


def offered(part: Drawn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return purchases with enough points before them.

    Returns
    -------
    tuple of 4 arrays
        Member; whether there is a redemption; whether it is the member's first such purchase; whether it
        comes after a redemption.
    """
    ledger, events = part.ledger, part.events
    bought = events.of("purchase")
    bought = bought[events.cents[bought] > 0]
    place = (ledger.member << 32 | ledger.at) << 4 | ledger.what
    member = events.member[bought]
    here = (member << 32 | events.at[bought]) << 4 | REDEEMED
    last = np.searchsorted(place, here) - 1
    held = np.where((last >= 0) & (ledger.member[last] == member), part.balance[last], 0)
    rows = np.flatnonzero(held >= part.frame.parameters.points.threshold)
    member, redeemed = member[rows], np.isin(here[rows], place)
    first = np.diff(member, prepend=-1) != 0
    before = np.cumsum(redeemed) - redeemed
    return member, redeemed, first, before > before[np.searchsorted(member, member)]


def test_members_redeem_with_the_probability_of_their_kind_and_some_never(parts, ruler):
    """Exact binomial chances: q at purchases after a redemption, (1 - share that forgets) q at the first."""
    points = parts[0].frame.parameters.points
    chances = np.array(points.redeems)
    found = [(part.block.people.segment[offer[0]], *offer[1:]) for part in parts for offer in [offered(part)]]
    segment, redeemed, first, after = (np.concatenate(column) for column in zip(*found, strict=True))
    for code in (0, 2, 3):
        rows = after & (segment == code)
        assert rows.sum() > 40
        assert ruler.share(redeemed[rows], chances[code])
    assert ruler.share(redeemed[after], chances[segment[after]])
    assert ruler.share(redeemed[first], (1 - points.forgets) * chances[segment[first]])
    # not so without those who forget, nor per purchase
    assert not ruler.share(redeemed[first], chances[segment[first]])
    bought = sum((part.events.cents[part.events.of("purchase")] > 0).sum() for part in parts)
    assert redeemed.sum() / bought < 0.5 * chances[segment[after]].mean()


def test_breakage_is_as_expected(parts, ruler):
    """A hundred and twenty times the lots of one block: sums on average as exactly expected."""
    part, frame = parts[0], parts[0].frame
    expected = dict(zip(SUMS, expected_points(frame, part.block, part.moves).sum(axis=0), strict=True))
    rng = np.random.default_rng(5)
    sums = []
    for _ in range(120):
        forgets = rng.random(BLOCK) < frame.parameters.points.forgets
        ledger = draw_ledger(frame, part.block, part.moves, replace(part.traits, forgets=forgets), rng)
        sums.append(np.bincount(ledger.what, -ledger.points, GOODWILL + 1))
    redeemed, expired, back = np.array(sums)[:, [REDEEMED, EXPIRED, REFUNDED]].T
    assert ruler.mean(redeemed, expected["redeemed"])
    assert ruler.mean(expired, expected["expired"])
    caught = np.array(sums)[:, CAUGHT]
    assert ruler.mean(back + caught, expected["taken_back"])
    # the error allowed is below three in a hundred: a mean over the draws, each about six in a hundred off
    assert expired.std() / np.sqrt(120) * ruler.sigmas < 0.03 * expected["expired"]
    ends = part.moves.at[part.moves.what == EXPIRED]
    assert expected["due"] <= part.moves.gain.sum()
    assert 0.2 < expected["expired"] / expected["due"] < 0.6
    assert len(ends) > 10_000


def test_breakage_is_part_of_the_truth_and_adds_up(make_frame):
    frame = make_frame(BLOCK, seed=11)
    sums = make_block(frame, 0, BLOCK).tally.points
    rows = points_truth(frame, sums)
    assert [row["segment"] for row in rows] == ["all", *(s.name for s in frame.parameters.segments)]
    for name in SUMS:
        assert rows[0][name] == pytest.approx(sum(row[name] for row in rows[1:]), rel=1e-12)
    for row in rows:
        assert row["breakage"] == pytest.approx(row["expired"] / row["due"], rel=1e-12)
        assert row["breakage"] >= frame.parameters.points.forgets * 0.8
    assert points_truth(frame, np.zeros((0, len(SUMS)))) == []


def test_cheating_shows_in_claims_without_tasks(cheated, ruler):
    """The chance to see a cheat among members who stay for a known time: share x (1 - exp(-time / mean))."""
    frame, block = cheated.frame, cheated.block
    cheating = frame.parameters.points.cheating
    rows, tasks = cheated.of(TASK), cheated.events.of("task")
    claims = np.bincount(cheated.ledger.member[rows], minlength=BLOCK) - np.bincount(
        cheated.events.member[tasks], minlength=BLOCK
    )
    assert claims.min() == 0
    assert claims.max() == cheating.days * cheating.tasks
    stays = (block.lives.ends(frame)[0] - np.maximum(block.people.joined, frame.start)) / DAY
    # seen with certainty once there for the whole time: wait + days
    chance = cheating.share * -np.expm1(-np.maximum(stays - cheating.days, 0) / cheating.after_days)
    whole = claims == cheating.days * cheating.tasks
    assert ruler.share(whole, chance)
    assert not ruler.share(whole, cheating.share)
    assert ruler.mean(claims[whole] / cheating.days, cheating.tasks)


def test_some_cheats_are_found_out_and_lose_what_is_left(cheated, ruler):
    """Found out with a known share, uniformly within some weeks: exact chances for those who claimed all."""
    frame, block, ledger = cheated.frame, cheated.block, cheated.ledger
    cheating = frame.parameters.points.cheating
    caught = cheated.of(CAUGHT)
    whole = np.flatnonzero(cheated.traits.cheats & (block.lives.left >= frame.as_of))
    ends = cheated.traits.begins[whole] + cheating.days * DAY
    shortest, longest = (days * DAY for days in cheating.found_days)
    known = np.clip((frame.as_of - ends - shortest) / (longest - shortest), 0, 1)
    held = np.isin(whole, ledger.member[caught])
    # of a few who redeemed all in between, nothing was left to take
    assert held.sum() > 0.8 * (cheating.found * known).sum()
    assert held.sum() < cheating.found * known.sum() + 4 * np.sqrt(cheating.found * known.sum())
    assert ruler.share(cheated.traits.found[whole], cheating.found)
    before = cheated.balance[caught] - ledger.points[caught]
    claimed = cheating.days * cheating.tasks * frame.parameters.points.per_task
    assert (-ledger.points[caught] <= np.minimum(claimed, before)).all()
    full = np.isin(ledger.member[caught], whole)
    assert (-ledger.points[caught][full] == np.minimum(claimed, before[full])).all()
    # who counts those found out misses the others
    assert held.sum() < 0.8 * len(whole)


def test_goodwill_follows_requests_with_its_probability(parts, cheated, ruler):
    """Chance: share x probability that the gift, some hours or days later, comes before the member leaves."""
    found, chance = [], []
    for part in [*parts, cheated]:
        points, events, lives = part.frame.parameters.points, part.events, part.block.lives
        rows = events.of("support")
        member = events.member[rows]
        ends = np.where(
            events.back[rows], lives.ends(part.frame)[1][member], lives.ends(part.frame)[0][member]
        )
        share = np.clip((ends - events.at[rows] - 1) / (points.goodwill_hours * HOUR), 0, 1)
        chance.append((points.goodwill * share).sum())
        found.append(len(part.of(GOODWILL)))
        assert set(part.ledger.points[part.of(GOODWILL)]) == {points.goodwill_points}
    # a sum of independent lots of chance p has a variance below that of a Poisson number
    assert ruler.count(sum(found[:-1]), sum(chance[:-1]))
    assert ruler.count(found[-1], chance[-1])


def test_tiers_act_on_nothing_but_the_naive_comparison_says_they_do(parts, ruler):
    """Members there on a day, by their tier on it: leavers of the next 90 days against their own hazards.

    Given survival to the day, leaving within 90 days has the chance 1 - exp(-integrated hazard).
    """
    tiers, left, chances = [], [], []
    for part in parts:
        frame, block = part.frame, part.block
        day = frame.as_of - 120 * DAY
        there = np.flatnonzero((block.people.joined < day) & (block.lives.left > day))
        place = part.ledger.member << 32 | part.ledger.at
        last = np.searchsorted(place, there << 32 | day) - 1
        mine = (last >= 0) & (part.ledger.member[last] == there)
        tiers.append(np.where(mine, part.ledger.tier[last], 0))
        left.append(block.lives.left[there] < day + 90 * DAY)
        total = cumulative(block.hazard)
        since = (day - block.people.joined) / DAY
        chances.append(-np.expm1(integral_at(total, since) - integral_at(total, since + 90))[there])
    tier, gone, chance = (np.concatenate(column) for column in (tiers, left, chances))
    for code in range(3):
        assert (tier == code).sum() > 300
        assert ruler.share(gone[tier == code], chance[tier == code])
    # the naive ratio of leaving, highest to lowest tier, is far below the 1 planted
    assert gone[tier == 2].mean() < 0.7 * gone[tier == 0].mean()


def test_without_hidden_segments_all_redeem_alike():
    apart, alike = world_parameters("demo"), world_parameters("demo", separation=0.0)
    assert len(set(apart.points.redeems)) == len(apart.segments)
    assert np.ptp(alike.points.redeems) < 1e-12


def test_what_is_planted_in_points_is_named_with_its_size_and_the_answer_that_misleads(make_frame):
    frame = make_frame(1)
    points = frame.parameters.points
    named = {effect["name"]: effect for effect in planted(frame)}
    assert named["points act on nothing"]["value"] == 1.0
    assert named["points forgotten"]["value"] == points.forgets
    assert named["claims for tasks not done"]["value"] == points.cheating.share
    assert named["goodwill"]["value"] == points.goodwill
    redeeming = [named[f"redeeming: {s.name}"]["value"] for s in frame.parameters.segments]
    assert redeeming == list(points.redeems)
    assert "Members found out: 30%" in named["claims for tasks not done"]["naive"]
    assert all(named[name]["naive"] for name in ("points act on nothing", "points forgotten"))


def test_a_world_without_movements_has_an_empty_ledger(make_frame):
    frame = make_frame(1, start="2025-06-29T00:00:00Z")
    none = np.zeros(0, dtype=np.int64)
    nothing = Moves(none, none, none, none, none, none)
    assert len(settle(frame, nothing).at) == 0
    assert len(expected_out(frame, np.ones(1), nothing)) == 0


def test_another_points_scheme_is_another_ledger_and_nothing_else(make_frame):
    made = world_parameters("demo")
    other = replace(made, points=replace(made.points, per_euro=50, forgets=0.0))
    one, two = (make_block(make_frame(500, seed=3, parameters=p), 0, 500).tables for p in (made, other))
    assert not one["ledger"].equals(two["ledger"])
    unmoved = set(one) - {"ledger", "events"}
    assert all(one[name].equals(two[name]) for name in unmoved)
    # more redemptions, and all other events the same; by lot others of them become known late
    counts = [t["events"].to_pandas().groupby("event").size() for t in (one, two)]
    assert counts[1]["redeem"] > 1.5 * counts[0]["redeem"]
    rest = counts[1].drop("redeem") - counts[0].drop("redeem")
    assert (rest.abs() <= 0.01 * counts[0].drop("redeem") + 3).all()
