"""Frozen results of the study `portrait`: what members do and are sent, and what is planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

import pandas as pd

from sojourn.core.text import MINUS

#: Most effects in one row of the table of planted effects.
_IN_A_ROW = 4


@dataclass(frozen=True, slots=True)
class Kinds:
    """What members do.

    Attributes
    ----------
    table : DataFrame, one row per kind of event, the most common first
        ``event``, ``events``, ``members`` who ever did it, ``share_of_members`` (of all), ``times_each``
        (events per member who did it).
    too_small : int
        Kinds that fewer than `min_group` members did.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    too_small: int
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """On how many of the last days members came.

    Attributes
    ----------
    table : DataFrame, one row per number of days
        ``days`` (the last row holds it and more: see ``label``), ``label``, ``members``,
        ``share_of_members``.
    members : int
        Members with us at `as_of` who had joined before those days.
    last : int
        How many days are looked at.
    mean, median : float
        Days per member.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    members: int
    last: int
    mean: float
    median: float
    why_empty: str = ""

    @property
    def none(self) -> float:
        """Share that did not come at all."""
        return float(self.table.loc[self.table["days"] == 0, "share_of_members"].sum())


@dataclass(frozen=True, slots=True)
class StagesNow:
    """At which stage of a membership members are.

    Attributes
    ----------
    table : DataFrame, one row per stage
        ``stage``, ``members``, ``share_of_members``, ``rule``; a stage of fewer than `min_group` is left out.
    members : int
        All members.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    members: int
    why_empty: str = ""

    def share(self, stage: str) -> float:
        """Return the share of a stage; 0 where it has no row."""
        return float(self.table.loc[self.table["stage"] == stage, "share_of_members"].sum())


@dataclass(frozen=True, slots=True)
class Purchases:
    """How often members buy, and for how much.

    Attributes
    ----------
    table : DataFrame, one row per number of purchases
        ``purchases`` (a number or a range, as text), ``members``, ``share_of_members``.
    money : mapping
        ``purchases``, ``amount``, ``payers``, ``refunds``, ``refunded``, as the cells have them.
    members : int
        All members.
    currency : str
        Of amounts.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    money: Mapping[str, float]
    members: int
    currency: str
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Messages:
    """What members are sent, by channel.

    Attributes
    ----------
    table : DataFrame, one row per channel, the most used first
        ``channel``, ``sent``, ``members``, ``share_opened``, ``share_clicked``, ``share_opted_out`` (each of
        messages sent), ``cost``.
    currency : str
        Of costs.
    too_small : int
        Channels with fewer than `min_group` members.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    currency: str
    too_small: int
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What a new member costs, by channel.

    Attributes
    ----------
    table : DataFrame, one row per channel, the dearest first
        ``channel``, ``members`` who joined, ``cost`` in all, ``cost_each`` (per member who joined).
    currency : str
        Of costs.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    currency: str
    why_empty: str = ""


@dataclass(frozen=True, slots=True)
class Planted:
    """What is so in a simulated world.

    Attributes
    ----------
    table : DataFrame, one row per planted effect
        ``effect``, ``size``, ``what_it_is``, ``how_to_see_it``, ``what_misleads`` (empty where nothing does).
    segments : DataFrame, one row per hidden segment
        ``hidden_segment``, ``share`` of joiners, ``leaving_factor``, ``share_taking_off``,
        ``first_value_days``, ``visits_a_month``, ``views_a_visit``, ``share_with_purchase`` (of visits),
        ``price``.
    currency : str
        Of prices.
    why_empty : str
        See `sojourn.core.results.portrait`.
    """

    table: pd.DataFrame
    segments: pd.DataFrame
    currency: str
    why_empty: str = ""

    def shown(self) -> pd.DataFrame:
        """Return effects as text, sizes to three digits; those that are seen in the same way share a row."""
        rows: dict[tuple[str, ...], list[tuple[str, str, list[str]]]] = {}
        for name, size, *texts in self.table.itertuples(index=False):
            own = name.split(": ")[-1].split(" by ")[-1]
            seen_by = tuple(text.replace(f"{own}'", "…'") for text in texts)
            rows.setdefault(seen_by, []).append((name, f"{size:.3g}".replace("-", MINUS), texts))
        together = []
        for seen_by, alike in rows.items():
            said = alike[0][2] if len(alike) == 1 else seen_by
            for found in batched(alike, _IN_A_ROW):
                names, sizes, _ = zip(*found, strict=True)
                together.append((_named_together(names), ", ".join(sizes), *said))
        return pd.DataFrame(together, columns=list(self.table.columns))


def _named_together(names: Sequence[str]) -> str:
    """Return names with what they have in common said once."""
    words = [name.split(" ") for name in names]
    least = min(map(len, words)) - 1
    shared = next((i for i in range(least) if len({of[i] for of in words}) > 1), least)
    return " ".join([*words[0][:shared], ", ".join(" ".join(of[shared:]) for of in words)])
