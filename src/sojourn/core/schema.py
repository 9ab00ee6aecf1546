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

#: Age bands at joining, in order; the last one also holds what lies outside 18 to 110 years.
AGE_BANDS: tuple[str, ...] = ("18-24", "25-34", "35-44", "45-54", "55+", "unknown")

#: Genders behind the door. Who states another is in one group with who states none.
GENDERS: tuple[str, ...] = ("woman", "man", "other or not stated")

#: Spellings that are read as the first two, in small letters; 1 and 2 as in ISO/IEC 5218.
GENDER_SPELLINGS: dict[str, tuple[str, ...]] = {
    GENDERS[0]: (
        "woman", "women", "female", "f", "w", "2", "frau", "weiblich", "femme", "féminin", "mujer",
        "femenino", "donna", "vrouw", "kvinna", "女", "女性",
    ),
    GENDERS[1]: (
        "man", "men", "male", "m", "1", "mann", "männlich", "homme", "masculin", "hombre", "masculino",
        "uomo", "男", "男性",
    ),
}  # fmt: skip


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
    at_least : int or None
        Smallest value allowed.
    one_of : tuple of str
        The only values allowed; empty for any.
    coarsened : str
        How the door coarsens a sensitive column; empty where it passes as it is.
    becomes : str
        Column that stands in its place behind the door; empty: of the same name.
    grade_behind : str
        Privacy grade behind the door, `grade` where not stated.
    """

    name: str
    type: Type
    meaning: str
    grade: Grade = "internal"
    required: bool = False
    nullable: bool = True
    known: Literal["joining", "event", "later"] = "event"
    at_least: int | None = None
    one_of: tuple[str, ...] = ()
    coarsened: str = ""
    becomes: str = ""
    grade_behind: Grade | None = None


@dataclass(frozen=True, slots=True)
class End:
    """An instant that comes later than the row it stands in; at ``as_of`` it may not have come yet.

    Attributes
    ----------
    column : str
        The instant.
    known_with : tuple of str
        Columns that are known only when it has come.
    """

    column: str
    known_with: tuple[str, ...] = ()


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
    time : str
        The instant a row belongs to; a row later than ``as_of`` is not part of the data.
    ends : tuple of End
        Instants that come after `time`, if at all: when what began has ended or was answered.
    leads_to_joining : bool
        Whether rows lie before their member's joining by their nature.
    lasts_until : str
        The instant at which what a row tells of ends; empty where it happens at `time` and is over.
    expires : bool
        Whether rows are left out when older than the case's `retention_limit_days`.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    time: str = ""
    ends: tuple[End, ...] = ()
    leads_to_joining: bool = False
    lasts_until: str = ""
    expires: bool = True

    def column(self, name: str) -> Column:
        """Return one column by name (KeyError when unknown)."""
        return {column.name: column for column in self.columns}[name]

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which the table is refused."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def tidy(self) -> dict[str, Type]:
        """Columns behind the door: numbers in place of ids, no year of birth, no secret text."""
        names = {"member_id": "member", "prospect_id": "prospect"}
        return {
            names.get(c.name, c.name): c.type
            for c in self.columns
            if not c.becomes and (c.type, c.grade) != ("text", "secret")
        }


def _id(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, "id", meaning, "secret", required=required, nullable=not required)


def _at(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "instant", meaning, required=required, nullable=not required)


_MEMBER = _id(
    "member_id", "The platform's own id of the member; replaced by the number `member` at the door."
)
_RECORDED = _at("recorded_at", "When the row became known to the platform; reading at `as_of` uses it too.")

MEMBERS = Table(
    "members",
    "one member",
    (
        _MEMBER,
        _at("joined_at", "When membership began.", required=True),
        _at(
            "churned_at",
            "When membership first ended by cancellation; empty while it lasts. Returns live in `spells`.",
        ),
        Column("churn_reason", "category", "Stated reason of the end.", known="later"),
        Column("channel", "category", "Where the member came from.", known="joining"),
        Column("plan", "category", "Plan at joining; later plans live in `spells`.", known="joining"),
        Column(
            "birth_year",
            "integer",
            "Year of birth.",
            "sensitive",
            known="joining",
            coarsened=(
                f"To the band of the age at joining: {', '.join(AGE_BANDS[:-1])}; "
                f"{AGE_BANDS[-1]} where it is missing or outside 18 to 110."
            ),
            becomes="age_band",
        ),
        Column(
            "age_band",
            "category",
            "Age band at joining; made from the year of birth where that is given.",
            known="joining",
            one_of=AGE_BANDS,
        ),
        Column(
            "gender",
            "category",
            "Gender as stated by the member.",
            "sensitive",
            known="joining",
            coarsened=(
                f"To {', '.join(GENDERS[:-1])} or {GENDERS[-1]}, in whatever case it is written: "
                f"{GENDERS[0]} from {', '.join(GENDER_SPELLINGS[GENDERS[0]])}; "
                f"{GENDERS[1]} from {', '.join(GENDER_SPELLINGS[GENDERS[1]])}; "
                f"everything else, and what is missing, is {GENDERS[2]}."
            ),
            grade_behind="internal",
        ),
        Column("region", "category", "Region of residence at joining.", known="joining"),
        _id("referred_by", "Id of the member who brought this one.", required=False),
        Column("consent", "bool", "Whether the member agreed to analysis; empty counts as the case says."),
    ),
    key=("member_id",),
    time="joined_at",
    lasts_until="churned_at",
    ends=(End("churned_at", ("churn_reason",)),),
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
        Column("load_ms", "integer", "Time the page took to load, in milliseconds.", at_least=0),
        _RECORDED,
    ),
    time="occurred_at",
)
ASSIGNMENTS = Table(
    "assignments",
    "one member in one trial",
    (
        Column("trial", "category", "Name of the trial.", required=True, nullable=False),
        _MEMBER,
        Column("scheme", "category", "Scheme the member was assigned to.", required=True, nullable=False),
        _at("assigned_at", "When the member was assigned.", required=True),
        Column("cluster", "category", "What was assigned together; empty where each member was."),
    ),
    key=("trial", "scheme", "member_id"),  # who is in two schemes is a fault that the trial's page counts
    time="assigned_at",
)
COSTS = Table(
    "costs",
    "one amount spent on one member or scheme",
    (
        Column("what", "category", "What was paid for.", required=True, nullable=False),
        _id("member_id", "Member it was spent on; empty for costs of a whole scheme.", required=False),
        Column("scheme", "category", "Scheme it belongs to."),
        Column("channel", "category", "Channel it belongs to."),
        Column(
            "amount",
            "decimal",
            "Money spent, in the case's currency.",
            required=True,
            nullable=False,
            at_least=0,
        ),
        _at("at", "When it was spent.", required=True),
    ),
    time="at",
)
SPELLS = Table(
    "spells",
    "one stretch of one member on one plan",
    (
        _MEMBER,
        _at("started_at", "When it began.", required=True),
        _at("ended_at", "When it ended; empty while it lasts."),
        Column("plan", "category", "Plan during the spell.", required=True, nullable=False, known="later"),
        Column("price", "decimal", "Price per month during the spell.", at_least=0),
        Column("end_reason", "category", "Why it ended.", known="later"),
        Column("voluntary", "bool", "Whether the member ended it.", known="later"),
    ),
    key=("member_id", "started_at"),
    time="started_at",
    lasts_until="ended_at",
    ends=(End("ended_at", ("end_reason", "voluntary")),),
)

MESSAGES = Table(
    "messages",
    "one message to one member",
    (
        _MEMBER,
        _at("sent_at", "When it was sent.", required=True),
        Column("channel", "category", "How: push, e-mail, SMS …", required=True, nullable=False),
        Column("campaign", "category", "What it belongs to."),
        _at("opened_at", "When it was opened; empty while it is not."),
        _at("clicked_at", "When it was clicked; empty while it is not."),
        _at("opted_out_at", "When the member refused further messages of this channel by it."),
        Column("cost", "decimal", "Money spent on it, in the case's currency.", at_least=0),
    ),
    time="sent_at",
    ends=(End("opened_at"), End("clicked_at"), End("opted_out_at")),
)
TOUCHES = Table(
    "touches",
    "one advertisement that one person met, or would have met, before joining",
    (
        _id("prospect_id", "Id of the person before joining; replaced by a number at the door."),
        _id("member_id", "Id of the member that person became; empty for those who did not.", required=False),
        _at("touched_at", "When.", required=True),
        Column("medium", "category", "Where: search, display …", required=True, nullable=False),
        Column("campaign", "category", "What it belongs to."),
        Column("shown", "bool", "Whether it was shown; no: held out by lot, the chance was only logged."),
        Column("cost", "decimal", "Money spent on it, in the case's currency.", at_least=0),
    ),
    time="touched_at",
    leads_to_joining=True,
)
LEDGER = Table(
    "ledger",
    "one movement of a member's points",
    (
        _MEMBER,
        _at("at", "When.", required=True),
        Column(
            "kind",
            "category",
            "Earned, redeemed, expired or adjusted.",
            required=True,
            nullable=False,
            one_of=("earn", "redeem", "expire", "adjust"),
        ),
        Column("points", "integer", "Points, negative where they leave.", required=True, nullable=False),
        Column("reason", "category", "What for: purchase, task, correction …"),
        Column("tier", "category", "Tier of the member after the movement.", known="later"),
    ),
    time="at",
)
RESPONSES = Table(
    "responses",
    "one question of a survey put to one member",
    (
        _MEMBER,
        _at("asked_at", "When it was asked.", required=True),
        Column("survey", "category", "Which: NPS, CSAT …", required=True, nullable=False),
        _at("answered_at", "When it was answered; empty while it is not."),
        Column("score", "integer", "Points given.", at_least=0),
        Column("comment", "text", "What the member wrote; never passes the door.", "secret"),
    ),
    key=("member_id", "asked_at", "survey"),
    time="asked_at",
    ends=(End("answered_at", ("score", "comment")),),
)
TICKETS = Table(
    "tickets",
    "one request of a member for help",
    (
        _MEMBER,
        _at("opened_at", "When it was opened.", required=True),
        Column("topic", "category", "What about."),
        _at("replied_at", "When it was first answered; empty while it is not."),
        _at("closed_at", "When it was closed; empty while it is open."),
        Column("resolved", "bool", "Whether the member was helped."),
    ),
    time="opened_at",
    ends=(End("replied_at"), End("closed_at", ("resolved",))),
)
ITEMS = Table(
    "items",
    "one item on offer",
    (
        Column("item_id", "text", "The item, as `events` names it.", required=True, nullable=False),
        _at("published_at", "When it came on offer.", required=True),
        Column("category", "category", "What kind of item."),
        Column("creator", "category", "Who made it: a name the platform publishes."),
        Column("price", "decimal", "List price, in the case's currency.", at_least=0),
    ),
    key=("item_id",),
    time="published_at",
    expires=False,
)
REVENUE = Table(
    "revenue",
    "one amount earned otherwise than by a purchase of a member",
    (
        Column("stream", "category", "Advertising, trade fee …", required=True, nullable=False),
        _at("at", "When.", required=True),
        Column("amount", "decimal", "Money earned, in the case's currency.", required=True, nullable=False),
        _id("member_id", "Member by whom it was earned; empty where by none.", required=False),
        Column("item_id", "text", "Item by which it was earned."),
    ),
    time="at",
)
EXTERNAL = Table(
    "external",
    "one published figure to compare with",
    (
        Column("indicator", "category", "What it says.", "public", required=True, nullable=False),
        _at("at", "When it was published.", required=True),
        Column("value", "decimal", "The figure.", "public", required=True, nullable=False),
        Column("unit", "category", "Its unit.", "public"),
        Column("source", "category", "Who published it.", "public"),
    ),
    key=("indicator", "at"),
    time="at",
    expires=False,
)

#: Tables the door reads, by name.
CONTRACT: dict[str, Table] = {
    t.name: t
    for t in (
        MEMBERS, EVENTS, ASSIGNMENTS, COSTS, SPELLS, MESSAGES, TOUCHES, LEDGER, RESPONSES, TICKETS, ITEMS,
        REVENUE, EXTERNAL,
    )
}  # fmt: skip

#: Columns of `members` (and derived ones) by which a study may group from joining on.
KNOWN_AT_JOINING: tuple[str, ...] = ("all", "channel", "plan", "region", "age_band", "cohort")


def _explained(column: Column) -> str:
    least = "" if column.at_least is None else f" At least {column.at_least}."
    allowed = f" One of {', '.join(column.one_of)}." if column.one_of else ""
    coarser = f" Coarsened at the door: {_lower_first(column.coarsened)}" if column.coarsened else ""
    return column.meaning + least + allowed + coarser


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _graded(column: Column) -> str:
    return column.grade + (f", behind the door {column.grade_behind}" if column.grade_behind else "")


def contract_markdown() -> str:
    """Return the contract as Markdown tables, for ``data/README.md``."""
    parts = []
    for table in CONTRACT.values():
        key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
        rows = [
            f"| `{c.name}` | {c.type} | {'yes' if c.required else 'no'} | {_graded(c)} | {_explained(c)} |"
            for c in table.columns
        ]
        head = f"### `{table.name}`\n\nOne row: {table.row}.{key}\n\n"
        head += "| column | type | required | grade | meaning |\n|---|---|---|---|---|\n"
        parts.append(head + "\n".join(rows))
    return "\n\n".join(parts) + "\n"
