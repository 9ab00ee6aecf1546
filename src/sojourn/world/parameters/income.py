"""What the platform earns beside purchases."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Income:
    """Streams of revenue.

    Attributes
    ----------
    views : tuple of float
        Mean money earned by one view of an item through advertising, by category of `Offers.categories`.
    views_spread : float
        Standard deviation of the logarithm of what one view earns: a few views earn most of it.
    settle_days : int
        Advertising is booked once per member and so many days, with the last view of them.
    creators_share : float
        Share of the amount of a purchase that goes to the item's creator, to hundredths; the rest is the
        trade fee, which stays with the platform. A refund takes both back.
    services : tuple of float
        Share of members who book value-added services, by plan at joining.
    service_prices : tuple of float
        Price of `service_days` days of them, by plan at joining.
    service_after : float
        Mean days until they are booked, exponentially distributed, from joining.
    service_days : int
        Days from one payment to the next; the last is the last one before leaving.
    """

    views: tuple[float, ...] = (0.006, 0.010, 0.014, 0.030, 0.008, 0.005)
    views_spread: float = 1.5
    settle_days: int = 28
    creators_share: float = 0.85
    services: tuple[float, ...] = (0.08, 0.18, 0.25)
    service_prices: tuple[float, ...] = (2.99, 2.49, 4.99)
    service_after: float = 60.0
    service_days: int = 30
