"""The data contract: tables, columns, meanings, types and privacy grades, in one place.

``data/README.md`` is generated from this module (`contract_markdown`); the door checks against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["public", "internal", "sensitive", "secret"]
Type = Literal["id", "instant", "category", "text", "integer", "decimal", "bool"]

#: Grades in order of secrecy. Results and pages hold nothing above ``internal``; no member key at all.
GRADES: tuple[Grade, ...] = ("public", "internal", "sensitive", "secret")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the contract.

    Attributes
    ----------
    name, type, meaning : str
        ``id`` (text or number, hashed at the door), ``instant`` (UTC), ``category``, ``text``,
        ``integer``, ``decimal`` or ``bool``.
    grade : str
        Privacy grade.
    required : bool
        Whether a table without it is refused.
    nullable : bool
        Whether single values may be missing.
    known : str
        When it is known: ``joining`` (may group from joining on), ``event`` or ``later``
        (may group only what happens afterwards).
    """

    name: str
    type: Type
    meaning: str
    grade: Grade = "internal"
    required: bool = False
    nullable: bool = True
    known: Literal["joining", "event", "later"] = "event"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the contract: one row per thing.

    Attributes
    ----------
    name, row : str
        Its name, and what one row is.
    columns : tuple of Column
        In the order in which tidy tables have them.
    key : tuple of str
        Columns that may not repeat together; empty where rows may repeat.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return one column by name (KeyError when unknown)."""
        return {column.name: column for column in self.columns}[name]

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which the table is refused."""
        return tuple(column.name for column in self.columns if column.required)


def _id(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "id", meaning, "secret", required=required, nullable=not required)


def _at(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "instant", meaning, required=required, nullable=not required)


_MEMBER = _id("member_id", "The platform's own id of the member; hashed at the door and replaced by `member`.")
_RECORDED = _at("recorded_at", "When the row became known to the platform; reading at `as_of` uses it too.")

MEMBERS = Table(
    "members",
    "one member",
    (
        _MEMBER,
        _at("joined_at", "When membership began.", required=True),
        _at("churned_at", "When membership ended by cancellation; empty while it lasts."),
        Column("churn_reason", "category", "Stated reason of the end.", known="later"),
        Column("channel", "category", "Where the member came from.", known="joining"),
        Column("plan", "category", "Plan at joining; later plans live in `spells`.", known="joining"),
        Column("birth_year", "integer", "Year of birth; coarsened to an age band at joining.", "sensitive", known="joining"),
        Column("gender", "category", "Gender as stated by the member.", "sensitive", known="joining"),
        Column("region", "category", "Region of residence at joining.", known="joining"),
        _id("referred_by", "Id of the member who brought this one.", required=False),
        Column("consent", "bool", "Whether the member agreed to analysis; empty counts as stated in the case."),
    ),
    key=("member_id",),
)
EVENTS = Table(
    "events",
    "one thing a member did",
    (
        _MEMBER,
        _at("occurred_at", "When it happened.", required=True),
        Column("event", "category", "What it was: purchase, login, view …", required=True, nullable=False),
        Column("feature", "category", "Part of the product that was used."),
        Column("item_id", "text", "Item concerned."),
        Column("amount", "decimal", "Money paid (negative: refunded), in the case's currency."),
        _RECORDED,
    ),
)
ASSIGNMENTS = Table(
    "assignments",
    "one member in one trial",
    (
        Column("trial", "category", "Name of the trial.", required=True, nullable=False),
        _MEMBER,
        Column("scheme", "category", "Scheme the member was assigned to.", required=True, nullable=False),
        _at("assigned_at", "When the member was assigned.", required=True),
    ),
    key=("trial", "member_id"),
)
COSTS = Table(
    "costs",
    "one amount spent on one member or scheme",
    (
        Column("what", "category", "What was paid for.", required=True, nullable=False),
        _id("member_id", "Member it was spent on; empty for costs of a whole scheme.", required=False),
        Column("scheme", "category", "Scheme it belongs to."),
        Column("channel", "category", "Channel it belongs to."),
        Column("amount", "decimal", "Money spent, in the case's currency.", required=True, nullable=False),
        _at("at", "When it was spent.", required=True),
    ),
)
SPELLS = Table(
    "spells",
    "one stretch of one member on one plan",
    (
        _MEMBER,
        _at("started_at", "When it began.", required=True),
        _at("ended_at", "When it ended; empty while it lasts."),
        Column("plan", "category", "Plan during the spell.", required=True, nullable=False, known="later"),
        Column("price", "decimal", "Price per month during the spell."),
        Column("end_reason", "category", "Why it ended.", known="later"),
        Column("voluntary", "bool", "Whether the member ended it.", known="later"),
    ),
)

#: Tables the door reads today, by name. Further ones of the design join here with their studies.
CONTRACT: dict[str, Table] = {t.name: t for t in (MEMBERS, EVENTS, ASSIGNMENTS, COSTS, SPELLS)}

#: Columns of `members` (and derived ones) by which a study may group from joining on.
KNOWN_AT_JOINING: tuple[str, ...] = ("all", "channel", "plan", "region", "age_band", "cohort")


def contract_markdown() -> str:
    """Return the contract as Markdown tables, for ``data/README.md``."""
    parts = []
    for table in CONTRACT.values():
        key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
        rows = [
            f"| `{c.name}` | {c.type} | {'yes' if c.required else 'no'} | {c.grade} | {c.meaning} |"
            for c in table.columns
        ]
        head = f"### `{table.name}`\n\nOne row: {table.row}.{key}\n\n"
        parts.append(head + "| column | type | required | grade | meaning |\n|---|---|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"
