"""Amounts of purchases."""

from __future__ import annotations

import numpy as np

from sojourn.world.arrays import Floats, Ints
from sojourn.world.parameters import Activity


def point_shares(activity: Activity, price: Floats) -> Floats:
    """Return how list-price purchases spread over the price points: near `price` on the log scale.

    Parameters
    ----------
    activity : Activity
        Price points and their width.
    price : array (rows,)
        Median amounts.

    Returns
    -------
    array (rows, price points)
    """
    distance = (np.log(activity.price_points) - np.log(price)[:, None]) / activity.price_spread
    weights = np.exp(-(distance**2) / 2)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def mean_amount(activity: Activity, price: Floats) -> Floats:
    """Return the mean amount of a purchase: price points, log-normal and large orders, before refunds."""
    listed = (point_shares(activity, price) * np.array(activity.price_points)).sum(axis=1)
    other = price * np.exp(activity.price_spread**2 / 2)
    usual = activity.list_price * listed + (1 - activity.list_price) * other
    large = price * activity.tail_from * activity.tail_power / (activity.tail_power - 1)
    return np.asarray((1 - activity.tail) * usual + activity.tail * large)


def draw_amounts(activity: Activity, price: Floats, rng: np.random.Generator) -> Ints:
    """Draw amounts of purchases in hundredths, by the buyer's median; at least one hundredth."""
    edges = np.cumsum(point_shares(activity, price), axis=1)
    point = (rng.random(len(price))[:, None] * edges[:, -1:] >= edges[:, :-1]).sum(axis=1)
    other = price * np.exp(activity.price_spread * rng.standard_normal(len(price)))
    listed = rng.random(len(price)) < activity.list_price
    usual = np.where(listed, np.array(activity.price_points)[point], other)
    tail = activity.tail_from * np.exp(rng.standard_exponential(len(price)) / activity.tail_power)
    amount = np.where(rng.random(len(price)) < activity.tail, price * tail, usual)
    return np.maximum(np.rint(amount * 100).astype(np.int64), 1)
