"""What the columns of counts per member hold, in words from which anybody can count them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sojourn.core.measures import Counting

#: Words by column; ``{last}``, ``{currency}`` and ``{social}`` stand for the length of the latest period, the
#: currency of payments and the names of events, and are replaced in this order.
COLUMN_WORDS: Mapping[str, str] = {
    "observed_days": "whole days since joining, or since events are recorded, whichever is later",
    "tenure_days": "whole days since joining",
    "recency_days": "whole days since the last event; of members without any, observed_days",
    "active_days": "different days with an event",
    "events": "events of any kind",
    "active_last": "different days with an event in the last {last} days",
    "active_before": "different days with an event in the {last} days before those",
    "kinds": "different kinds of events (what was done, and in which feature)",
    "purchases": "events with an amount above 0",
    "weekend_days": "different days with an event that are a Saturday or Sunday",
    "value": "sum of the amounts of events{currency}, at most four decimals",
    "night": "events from 0:00 to 5:59 by the local clock",
    "morning": "events from 6:00 to 11:59 by the local clock",
    "afternoon": "events from 12:00 to 17:59 by the local clock",
    "evening": "events from 18:00 to 23:59 by the local clock",
    "features": "different features in which there was an event",
    "categories": "different categories of the items of events",
    "social": "events of these kinds: {social}",
    "referred": "members who joined by referral of this one",
    "sent": "messages sent to the member",
    "opened": "messages opened by the member",
    "clicked": "messages clicked on by the member",
    "points_earned": "points earned",
    "points_redeemed": "points redeemed",
    "points_balance": "points earned, less those redeemed, expired or taken back",
}

_KIND = re.compile(r"kind_([1-9][0-9]*)")


def column_words(name: str, counting: Counting, currency: str = "") -> str:
    """Return what a column of counts holds, in words.

    Parameters
    ----------
    name : str
        The column.
    counting : Counting
        How it was counted.
    currency : str
        Of the amounts.

    Raises
    ------
    KeyError
        When no such column is counted.

    Examples
    --------
    >>> column_words("active_last", Counting(30, 60))
    'different days with an event in the last 30 days'
    """
    numbered = _KIND.fullmatch(name)
    if numbered:
        kind = counting.kinds[int(numbered[1]) - 1]
        where = "" if kind.feature is None else f" in the feature '{kind.feature}'"
        return f"events '{kind.event}'{where}"
    words = COLUMN_WORDS[name].replace("{last}", str(counting.trend_days))
    words = words.replace("{currency}", f" in {currency}" if currency else "")
    return words.replace("{social}", ", ".join(f"'{event}'" for event in counting.social))
