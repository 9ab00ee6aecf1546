"""What members do, when, and what they pay."""

from __future__ import annotations

from dataclasses import dataclass

#: Kinds of events, in the order in which ties of one member in one second are listed.
EVENTS: tuple[str, ...] = (
    "join", "activate", "login", "search", "view", "like", "comment", "share", "check-in", "task", "purchase",
    "redeem", "support", "settings", "error",
)  # fmt: skip
#: Parts of the product. Views spread over the first five by a segment's taste.
FEATURES: tuple[str, ...] = (
    "catalogue",
    "offers",
    "community",
    "search",
    "news",
    "home",
    "tasks",
    "checkout",
    "help",
    "settings",
)


@dataclass(frozen=True, slots=True)
class Activity:
    """Rhythm and money, the same for all segments.

    Attributes
    ----------
    hours : tuple of 24 float
        Weights of local hours: peaks 9-11 and 17-19.
    weekdays : tuple of 7 float
        Factors from Monday to Sunday, of mean 1.
    novelty, novelty_days : float
        Sessions of new members are 1 + `novelty` times the later ones, falling off with this time constant.
    searches, check_ins, settings : float
        Probability of each in a session.
    dearest_session : float
        Highest probability of a purchase in a session that any member's own factors may lead to.
    price_points : tuple of float
        Amounts of list-price purchases.
    list_price : float
        Share of purchases at a price point; the others are log-normal.
    price_spread : float
        Standard deviation of the logarithm of log-normal amounts, and width of the choice of points.
    tail, tail_from, tail_power : float
        Share of purchases that are large orders instead: Pareto with this power (above 2, or the variance
        would be infinite), from so many times the buyer's median on.
    refunds : float
        Share of purchases that are fully refunded.
    refund_days : tuple of int
        Days until a refund, equally likely; at most `Churn.quiet_days`.
    late : float
        Share of events that become known only later (`recorded_at`).
    late_days : float
        Mean days until they do, exponentially distributed.
    """

    hours: tuple[float, ...] = (
        0.40, 0.25, 0.15, 0.12, 0.15, 0.30, 0.60, 1.00, 1.40, 2.10, 2.20, 1.60,
        1.40, 1.30, 1.20, 1.30, 1.60, 2.30, 2.40, 1.80, 1.60, 1.30, 0.90, 0.60,
    )  # fmt: skip
    weekdays: tuple[float, ...] = (0.92, 0.90, 0.91, 0.93, 0.99, 1.20, 1.15)
    novelty: float = 1.0
    novelty_days: float = 20.0
    searches: float = 0.35
    check_ins: float = 0.10
    settings: float = 0.03
    dearest_session: float = 0.95
    price_points: tuple[float, ...] = (4.99, 9.99, 14.99, 19.99, 29.99, 49.99)
    list_price: float = 0.5
    price_spread: float = 0.5
    tail: float = 0.002
    tail_from: float = 8.0
    tail_power: float = 2.5
    refunds: float = 0.04
    refund_days: tuple[int, ...] = (1, 2, 3)
    late: float = 0.02
    late_days: float = 3.0
