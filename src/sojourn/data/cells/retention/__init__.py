"""Cells of retention: who enters, leaves and is censored on every whole day since joining.

Durations are whole days. Leaving ``T`` after joining counts on day ``ceil(T)``, full follow-up ends on day
``floor(C)``, and leaving counts only when ``ceil(T) <= floor(C)``; so being with us after day 90 means
``T > 90`` exactly. Members who joined before observation began enter on day ``ceil(L)``: the first day, like
the last, counts only when all of it was seen. Instants are compared to the second.

Where joining is only a first event, members first seen soon after the data begin may have joined long before:
``first_seen_after_days`` leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from sojourn.data.cells.retention.followed import SEEN_FROM_THE_START
from sojourn.data.cells.retention.gaps import gap_tables
from sojourn.data.cells.retention.landmark import landmark_tables
from sojourn.data.cells.retention.lens import lens_tables
from sojourn.data.cells.retention.meta import said
from sojourn.data.cells.retention.moves import moves_tables
from sojourn.data.cells.retention.patterns import patterns_tables
from sojourn.data.cells.retention.risk import risk_tables
from sojourn.data.tidy import Tidy

__all__ = ["SEEN_FROM_THE_START", "describe", "expressions"]

#: What makes the tables; each gives those that the case allows and the parameters ask for.
_MAKERS = (risk_tables, moves_tables, patterns_tables, landmark_tables, gap_tables, lens_tables)


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of counts that the case allows.

    Parameters
    ----------
    tidy : Tidy
        Needs ``members`` and, for silence, ``events``; ``spells`` and ``events`` add to it.
    params : mapping
        ``churn``, ``lapse_days``, ``event``, ``groups``, ``first_seen_after_days``; and for the tables that
        need them ``exam_days``, ``landmark``.

    Returns
    -------
    dict of str to ibis Table
        ``risk``: ``by``, ``group``, ``late`` (1: first seen after joining), ``day``, how many ``entered``,
        ``churned``, ``censored`` on that day, and how many have a ``potential`` follow-up of so many days.
        ``returns`` (silence): ``by``, ``group``, ``lapsed``, ``came_back`` (any sign of life after the gap so
        far). ``reasons`` (cancellation, where any reason is known): ``by``, ``group``, ``day``, ``reason`` of
        the first leaving, ``churned``.

        ``moves`` (silence; cancellation with ``spells``): ``by``, ``group``, ``day`` since joining; of
        members seen from joining on how many ``entered`` (all on day 0), ``left``, came ``back``, and
        ``ended`` their full follow-up on that day with us or ``ended_away``. Who leaves and comes back on one
        day counts for neither. ``away`` (where ``moves`` is): ``by``, ``group``, ``day`` since members first
        left: ``entered``, came ``back``, ``censored`` (at `as_of`).

        ``patterns`` (with ``exam_days``): a column per name in ``groups``, ``known`` (``now``, or ``then``:
        as it was known ``exam_days`` before `as_of`), ``day``, ``entered``, ``churned``, ``censored``.
        ``exam``: the groups, ``age`` (whole weeks since joining, in days, then, rounded down), ``after``
        (whole weeks, in days, rounded up, from then until leaving; 0: still with us), ``members``: those
        censored in ``patterns`` as known then, and what became of them. Under silence both times end
        ``lapse_days`` earlier. Both are empty beyond `patterns.LIMIT` patterns.

        ``landmark`` (with ``landmark``, and events or spells): ``by`` (``active_days``: local days with an
        event up to the landmark; ``plan_then``: plan of the last spell begun by then), ``group``, ``day``
        since the landmark, ``entered``, ``churned``, ``censored``: members seen from joining on and with us
        then.

        ``gaps``, ``windows`` (silence, with ``windows``): see `gaps.gap_tables`. ``lens``, ``lens_exits``
        (with ``lens_days``): see `lens.lens_tables`.

    Raises
    ------
    ImmortalTimeError, ParameterError, DataError
        When a group is known only later, does not exist, or is not in the data.
    """
    return {name: table for make in _MAKERS for name, table in make(tidy, params).items()}


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves.

    Returns
    -------
    dict
        ``unit``, ``leaving``, ``lapse``, ``observed_from``, ``members`` (all of the case), ``left_out``
        (members by reason), ``late`` (members who entered late), ``signs`` (number of joinings, endings and
        events), ``first_sign``, ``last_sign`` (instants), ``since`` (``joining``, or the first event where
        everybody joins with one), ``newcomers`` (how many joined in the first ``days`` that count, and in as
        many following), ``landmark`` and ``exam_days`` where they are stated, ``patterns`` (how many were
        ``found``, and the ``limit``) where they are too many, and ``truth`` where a simulated world shipped
        it.
    """
    return said(tidy, params)
