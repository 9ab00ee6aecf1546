"""The truth beside the data: what was drawn of members, and closed forms averaged over it.

Nothing here comes from simulated outcomes. Hidden properties of members, the courses of their lives and their
days of joining are as drawn; staying, buying and costs are taken in expectation. No observed table holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from sojourn.core.text import plural
from sojourn.world.arrays import Floats
from sojourn.world.clock import DAY, iso
from sojourn.world.members.hazards import cumulative
from sojourn.world.members.population import Population
from sojourn.world.parameters import Frame
from sojourn.world.tables.responses import survey_truth
from sojourn.world.tables.touches import advertising_truth
from sojourn.world.truth.breakage import points_truth
from sojourn.world.truth.planted import planted
from sojourn.world.truth.retention import retention_truth
from sojourn.world.truth.tally import Tally
from sojourn.world.truth.trials import trial_truth

#: Properties of hidden segments that the summary states.
PROPERTIES: tuple[str, ...] = (
    "hazard", "takes_off", "value_days", "active_days", "sessions", "views", "buys", "tasks", "social",
    "price",
)  # fmt: skip
_METHOD = (
    "Closed form. Hidden properties of members, the courses of their lives and their days of joining are as "
    "drawn; leaving, buying and costs are expectations from the hazards and rates, averaged over members. "
    "Members who joined before observation began count for those of their kind who had left by then. Nothing "
    "is estimated from outcomes."
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so in a world.

    Attributes
    ----------
    summary : mapping
        As in ``truth.json``: parts ``world``, ``planted``, ``retention``, ``trials``, ``segments``,
        ``surveys``, ``advertising``, ``points``, ``dictionary`` (what each column means), ``parameters``.
    members : DataFrame, one row per member
        Hidden properties; see ``dictionary``. Never shown on a page.
    counterfactuals : DataFrame, one row per member and scheme of each trial
        Probability of staying to the horizon, had all members been given the scheme.
    items : DataFrame, one row per item
        Hidden quality.
    """

    summary: Mapping[str, Any]
    members: pd.DataFrame
    counterfactuals: pd.DataFrame
    items: pd.DataFrame

    def __repr__(self) -> str:
        found = plural(self.summary["segments"]["count"], "hidden segment")
        return f"Truth of a world of {self.summary['world']['members']:,} members in {found}"


def truth_rows(frame: Frame, block: Population, factor: Floats) -> dict[str, Any]:
    """Return the truth of each member of a block: columns of `Truth.members` but the id, to nine decimals."""
    people, lives = block.people, block.lives
    total = cumulative(block.hazard[:, :90])
    return {
        "segment": np.array([s.name for s in frame.parameters.segments])[people.segment],
        "own_sessions": people.own[:, 0].round(9),
        "own_buys": people.own[:, 2].round(9),
        "satisfaction": people.satisfaction.round(9),
        "slow": people.slow.round(9),
        "takes_off": people.takes_off,
        "hazard": factor.round(9),
        "kept_at_90": np.exp(-total[:, 90]).round(9),
        "left_after_days": np.where(np.isinf(lives.left), np.nan, (lives.left - people.joined) / DAY).round(
            6
        ),
    }


#: What the columns of the truth's tables mean.
DICTIONARY: dict[str, dict[str, str]] = {
    "members": {
        "member_id": "Id as in `members`.",
        "segment": "Hidden segment.",
        "own_sessions": "The member's own factor on the number of sessions.",
        "own_buys": "The member's own factor on the probability of a purchase.",
        "satisfaction": "Standard normal.",
        "slow": "Standardised logarithm of the member's load time.",
        "takes_off": "Whether the member reaches a first value moment.",
        "hazard": "Lasting factor on the hazard: all but plan, stage, trials and messages.",
        "kept_at_90": "Probability of staying 90 days, given the course of the member's life.",
        "forgets": "Whether the member never redeems points.",
        "cheats": "Whether the member claims points for tasks not done, if there long enough.",
        "left_after_days": "Days from joining to leaving, also where it comes after as_of.",
    },
    "counterfactuals": {
        "member_id": "Id as in `members`.",
        "trial": "Name of the trial.",
        "scheme": "Scheme that all members are given; the control is nobody treated.",
        "kept": "Probability of staying from assignment to the horizon.",
    },
    "items": {"item_id": "Id as in `items`.", "quality": "Standard normal."},
}


def summarise(frame: Frame, sums: Tally) -> dict[str, Any]:
    """Return the truth of a world as JSON holds it; numbers to nine decimals, none where undefined."""
    summary = {
        "world": _describe(frame),
        "planted": planted(frame),
        "retention": retention_truth(frame, sums),
        "trials": {
            trial.name: trial_truth(frame, trial, sums)
            for trial in frame.parameters.trials
            if sums.assigned[trial.name].sum()
        },
        "segments": _segments(frame, sums),
        "surveys": survey_truth(frame, sums.recommend),
        "advertising": advertising_truth(frame.parameters.advertising),
        "points": points_truth(frame, sums.points),
        "dictionary": DICTIONARY,
        "parameters": asdict(frame.parameters),
    }
    rounded: dict[str, Any] = _rounded(summary)
    return rounded


def _describe(frame: Frame) -> dict[str, Any]:
    return {
        "name": frame.parameters.name,
        "members": frame.members,
        "seed": frame.seed,
        "start": iso(frame.start),
        "as_of": iso(frame.as_of),
        "effects": frame.parameters.effects,
        "separation": frame.parameters.separation,
        "method": _METHOD,
    }


def _segments(frame: Frame, sums: Tally) -> dict[str, Any]:
    parameters = frame.parameters
    joiners = sums.curves["segment"][:, 0, 0]
    features = [
        {"segment": s.name, "share": share, **{name: getattr(s, name) for name in PROPERTIES}}
        for s, share in zip(parameters.segments, joiners / joiners.sum(), strict=True)
    ]
    different = {tuple(round(row[name], 6) for name in PROPERTIES) for row in features}
    return {"count": len(different), "separation": parameters.separation, "features": features}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 9) if np.isfinite(value) else None
    return value
