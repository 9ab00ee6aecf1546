"""Members' segments by a rule that was taken away, from what they did up to an instant.

A member has no segment (`NO_SEGMENT`) who was observed for too short a time, or of whom a count is not known.
"""

from __future__ import annotations

from datetime import datetime

from ibis import Table

from sojourn.core.errors import DataError
from sojourn.core.results.take_away import TakeAway
from sojourn.data.features import counted_at
from sojourn.data.rule_code import segment_code
from sojourn.data.stages import with_us
from sojourn.data.tidy import Tidy


def segments_at(tidy: Tidy, rule: TakeAway, anchors: Table, *, at: datetime | None = None) -> Table:
    """Return the segment of members, each at its own instant.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``.
    rule : TakeAway
        The rule.
    anchors : ibis Table
        ``member`` and ``at_us``, as `counted_at` takes them; other columns are kept.
    at : datetime, optional
        The instant of all anchors, where they share one: quicker.

    Returns
    -------
    ibis Table
        The rows of `anchors` with ``segment`` (int64, `NO_SEGMENT` where there is none).

    Raises
    ------
    DataError
        When the rule reads amounts of another currency.
    """
    currency = str(tidy.meta.get("currency", ""))
    if "value" in rule.inputs and currency != rule.currency:
        raise DataError(
            f"The rule of segments of '{rule.case}' reads amounts in {rule.currency or 'no currency'}, its "
            f"tables now hold {currency or 'no currency'}: make its page of segments anew."
        )
    counts = counted_at(tidy, rule.counting, anchors, at=at, columns=rule.inputs)
    return counts.select(*anchors.columns, segment=segment_code(counts, rule))


def scored(tidy: Tidy, rule: TakeAway, at: datetime) -> Table:
    """Return the segments of all members who were with us at an instant, who had come back as well.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``; without ``spells`` nobody is known to be back.
    rule : TakeAway
        The rule.
    at : datetime
        Whole days before ``as_of``.

    Returns
    -------
    ibis Table
        ``member`` and ``segment`` (int64, `NO_SEGMENT` where there is none), ordered by member.
    """
    anchors = with_us(tidy, at, "segments").drop("until_us")
    return segments_at(tidy, rule, anchors, at=at).select("member", "segment").order_by("member")
