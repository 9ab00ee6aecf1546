"""Cells of the board: all members by segment and stage, what became of such members, and what trials did.

Segments are told by the frozen rule of the page `segments`, at every instant that is asked for; stages by
simple rules. Nothing later than an instant is read to tell either. The segment of churned members is the one
in which they left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from sojourn.core.errors import ParameterError
from sojourn.core.ranges import in_range
from sojourn.data.cells.board.due import due
from sojourn.data.cells.board.followed import landmarks, leaves, returns, since
from sojourn.data.cells.board.moving import month_ends, moves, repeated
from sojourn.data.cells.board.states import STUDY, now, rule_of
from sojourn.data.cells.board.tried import arms, assigned, divisions
from sojourn.data.cells.trials.costs import refuse_shared_costs
from sojourn.data.cells.trials.doings import BEFORE
from sojourn.data.tidy import Tidy

_DAYS = ("months", "horizon_days", "value_days")


def expressions(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of counts and sums that the case allows.

    Parameters
    ----------
    tidy : Tidy
        With ``members`` and ``events``; ``assignments``, ``costs`` and ``spells`` are used where they are.
    params : mapping
        ``leave_days`` (who leaves within so many days), ``months`` (months of moves, of 30 days each),
        ``active_days``, ``growing_days``, ``silent_days`` (of the stages), ``horizon_days`` (after which
        members of trials are judged), ``value_days``, ``margin``, ``cost_per_member`` (of their net value);
        and ``frozen_rule`` (`FrozenRule`).

    Returns
    -------
    dict of str to ibis Table
        ``segment`` is the number of a segment, -1 of who is known for too short a time.

        ``now``: ``segment``, ``stage``, ``members``, at ``as_of``. ``since``: ``days_ago`` (of the landmark),
        ``segment`` and ``stage`` there, ``n``, ``came_30`` … (who came within so many days after it) and, as
        far as the case knows who left and came back, ``left_30`` … (of those who were with us, who left),
        ``back_30`` … (of those who had left, who is back). ``moves``: ``month`` (day of the earlier of two
        month ends), ``from_segment``, ``to_segment`` (-2: gone; -3: joined in between), ``n``. ``repeated``:
        over all months, ``from_segment``, ``to_segment``, ``n`` (moves), and summed over members ``n_sq``
        (squares of their own moves) and ``n_begun`` (own moves times own months begun there). And where there
        are trials: ``arms``:
        ``trial``, ``scheme``, ``aim``, ``outcome`` (``there``: kept, or back; ``net_value``), ``segment`` and
        ``stage`` at the member's own assignment, ``n``, ``total``, ``total_sq``. ``before``, also with who
        was assigned together (``together``) and at what ages (``age_low``, ``age_high``): see
        `sojourn.data.cells.trials.every.arms_of_trials`. ``divisions``: ``trial``, ``scheme``, ``period``
        (month of assignment), ``assigned``. ``due``: ``trial``, ``segment``, ``stage``, ``members`` (of
        ``now``), ``due`` (of these, who can still be given its schemes as its members were; see `due`).

    Raises
    ------
    MissingTableError
        When the case has no events.
    ParameterError
        When a number of days is none, or none is stated.
    """
    for name in _DAYS:
        in_range(params[name], name, ge=1)
    if not params["leave_days"]:
        raise ParameterError("'leave_days' must state at least one number of days, got none.")
    for days in params["leave_days"]:
        in_range(days, "leave_days", ge=1)
    made = {"now": now(tidy, params), "since": since(tidy, params)}
    made |= {"moves": moves(tidy, params), "repeated": repeated(tidy, params)}
    if "assignments" in tidy.tables:
        made |= {"arms": arms(tidy, params), "before": assigned(tidy, params)}
        made |= {"divisions": divisions(tidy, params), "due": due(tidy, params)}
    return made


def describe(tidy: Tidy, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cells say of themselves.

    Returns
    -------
    dict
        ``unit``, ``currency``; of the rule ``segments`` (names by number), ``rule`` (its fingerprint),
        ``kind``, ``learned_at``, ``fidelity`` (share of members in the same segment as by the full
        segmentation), ``faithful`` (verdict on that) and ``verdict``; ``leave_days``, ``landmarks`` (days
        ago), ``leaving`` and ``returns`` (whether it is known who left, who came back); ``months`` (days of
        all month ends, the last one too); ``horizon_days``, ``value_days``, ``margin``,
        ``cost_per_member``, ``before_days``; for a simulated world ``truth``.

    Raises
    ------
    DataError
        When a scheme has costs that belong to no member.
    """
    refuse_shared_costs(tidy)
    rule = rule_of(params)
    truth = tidy.meta.get("truth", {}).get("trials")
    return {
        "unit": "member",
        "currency": tidy.meta.get("currency", ""),
        "segments": list(rule.segments),
        "rule": rule.fingerprint,
        "kind": rule.kind,
        "learned_at": rule.learned_at,
        "fidelity": rule.fidelity.same,
        "faithful": rule.fidelity.verdict,
        "verdict": params["frozen_rule"].verdict,
        "leave_days": list(params["leave_days"]),
        "landmarks": landmarks(tidy, params),
        "leaving": leaves(tidy),
        "returns": returns(tidy),
        "months": [end.isoformat() for end in month_ends(tidy, params)],
        **{name: params[name] for name in ("horizon_days", "value_days", "margin")},
        "cost_per_member": dict(params["cost_per_member"]),
        "before_days": BEFORE,
        **({"truth": truth} if truth is not None else {}),
    }


__all__ = ["STUDY", "describe", "expressions"]
