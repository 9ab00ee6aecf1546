"""Amounts of purchases and refunds against the parameters."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.world.catalogue import world_parameters
from sojourn.world.clock import DAY
from sojourn.world.tables.money import draw_amounts, mean_amount


def whole(drawn, member: np.ndarray, day: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Return whether a day since joining and the next one lie within the first stay and observation."""
    begins = drawn.people.joined[member] + day * DAY
    end = drawn.lives.ends(drawn.frame)[0][member]
    return ~back & (begins >= drawn.frame.start) & (begins + 2 * DAY <= end)


def mean_by_hand(price: float) -> float:
    """Return the mean amount of a purchase: half at price points, half log-normal, both of spread 1/2.

    Two orders in a thousand are large: at least eight times the median, of Pareto's power 2.5.
    """
    points = np.array([4.99, 9.99, 14.99, 19.99, 29.99, 49.99])
    weights = np.exp(-((np.log(points / price) / 0.5) ** 2) / 2)
    usual = 0.5 * (points * weights).sum() / weights.sum() + 0.5 * price * np.exp(0.125)
    return 0.998 * usual + 0.002 * price * 8 * 2.5 / 1.5


def test_amounts_are_those_of_the_segment(drawn, ruler):
    events = drawn.events
    bought = events.of("purchase")
    bought = bought[events.cents[bought] > 0]
    segment = drawn.people.segment[events.member[bought]]
    for code, s in enumerate(drawn.frame.parameters.segments):
        cents = events.cents[bought][segment == code]
        assert ruler.mean(cents / 100, mean_by_hand(s.price)), s.name
        listed = np.isin(cents, [499, 999, 1499, 1999, 2999, 4999])
        # a log-normal amount may hit a price point by chance: less than one in a thousand each
        assert 0.499 - 4 * 0.5 / np.sqrt(len(cents)) < listed.mean() < 0.506 + 4 * 0.5 / np.sqrt(len(cents))


@pytest.mark.parametrize("price", [6.0, 15.0, 40.0])
def test_the_mean_amount_is_that_of_drawn_amounts(price, ruler):
    activity = world_parameters().activity
    cents = draw_amounts(activity, np.full(400_000, price), np.random.default_rng(int(price)))
    expected = mean_amount(activity, np.array([price]))[0]
    # rounding to hundredths has mean 0
    assert ruler.mean(cents / 100, expected)
    assert expected == pytest.approx(mean_by_hand(price), rel=1e-12)


def test_four_purchases_in_a_hundred_are_paid_back_in_full_one_to_three_days_later(drawn, ruler):
    events = drawn.events
    bought = events.of("purchase")
    back = bought[events.cents[bought] < 0]
    bought = bought[events.cents[bought] > 0]
    paid = {}
    for row in bought:
        paid.setdefault((events.member[row], events.at[row], -events.cents[row]), []).append(row)
    delays, refunded = [], set()
    for row in back:
        for days in (1, 2, 3):
            found = paid.get((events.member[row], events.at[row] - days * DAY, events.cents[row]))
            if found:
                refunded.add(found[0])
                delays.append(days)
                break
    assert len(delays) == len(back) > 3_000
    # purchases far enough from any end
    sure = whole(drawn, events.member[bought], events.day[bought] + 4, events.back[bought])
    assert ruler.share(np.isin(bought[sure], list(refunded)), 0.04)
    sure_back = whole(drawn, events.member[back], events.day[back] + 3, events.back[back])
    assert ruler.shares(np.array(delays)[sure_back] - 1, [1 / 3] * 3)


def test_large_orders_are_two_in_a_thousand_with_a_heavy_tail(ruler):
    activity = world_parameters().activity
    cents = draw_amounts(activity, np.full(1_000_000, 10.0), np.random.default_rng(8))
    # a log-normal amount of spread 1/2 above 80: one in 62,000, of half of all
    assert ruler.share(cents >= 8_000, 0.002 + 0.5 * 1.6e-5)
    large = np.sort(cents[cents >= 9_000])
    assert ruler.share(large >= 18_000, 2**-2.5)
