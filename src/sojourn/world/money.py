"""Amounts of purchases."""

from __future__ import annotations

import numpy as np

from sojourn.world.clock import Floats, Ints
from sojourn.world.parameters import Activity, WorldParameters


def point_shares(activity: Activity, price: float) -> Floats:
    """Return how list-price purchases spread over the price points: near `price` on the log scale."""
    distance = (np.log(activity.price_points) - np.log(price)) / activity.price_spread
    weights = np.exp(-(distance**2) / 2)
    shares: Floats = weights / weights.sum()
    return shares


def mean_amount(activity: Activity, price: float) -> float:
    """Return the mean amount of a purchase: price points and log-normal, before refunds."""
    listed = float(point_shares(activity, price) @ np.array(activity.price_points))
    other = price * np.exp(activity.price_spread**2 / 2)
    return activity.list_price * listed + (1 - activity.list_price) * float(other)


def draw_amounts(parameters: WorldParameters, segment: Ints, rng: np.random.Generator) -> Ints:
    """Draw amounts of purchases in hundredths, by the buyer's segment; at least one hundredth."""
    activity = parameters.activity
    prices = np.array([s.price for s in parameters.segments])
    edges = np.cumsum([point_shares(activity, price) for price in prices], axis=1)[segment]
    point = (rng.random(len(segment))[:, None] * edges[:, -1:] >= edges[:, :-1]).sum(axis=1)
    other = prices[segment] * np.exp(activity.price_spread * rng.standard_normal(len(segment)))
    listed = rng.random(len(segment)) < activity.list_price
    amount = np.where(listed, np.array(activity.price_points)[point], other)
    return np.maximum(np.rint(amount * 100).astype(np.int64), 1)
