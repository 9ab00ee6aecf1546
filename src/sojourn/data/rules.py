"""Rules of the contract as engine expressions: all of a table are counted in one scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis
from ibis import Table, Value

from sojourn.core.errors import DataError
from sojourn.core.schema import GENDER_SPELLINGS, GENDERS, Column
from sojourn.core.schema import Table as Contract
from sojourn.data.reading import HOW, ROW, WORDS, bad, naive
from sojourn.data.settings import Settings

Level = Literal["note", "warning", "error"]

#: Ages at joining that are taken at their word.
YOUNGEST, OLDEST = 18, 110

#: What a row is called whose member is not there.
ORPHAN = "a member that `members` does not have"
#: What a time without offset is called.
WITHOUT_OFFSET = "a time without an offset"
_CLOCK = "They count as UTC; say `clock: utc` if they are, `clock: local` if they are of the case's zone."


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that no row may be.

    Attributes
    ----------
    column : str
        Column it is about.
    problem : str
        What is wrong with a row that breaks it.
    hint : str
        What to do.
    broken : ibis boolean
        Whether a row breaks it.
    level : str
        ``error`` stops the door; ``warning`` and ``note`` go into the quality table.
    """

    column: str
    problem: str
    hint: str
    broken: Value
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Counts:
    """What one scan of a table found.

    Attributes
    ----------
    rows : int
        Rows of the table.
    missing, distinct : mapping of str to int
        By column; distinct values are counted where they are not times or amounts.
    broken : tuple of int
        Rows that break each rule, in the order of the rules.
    """

    rows: int
    missing: Mapping[str, int]
    distinct: Mapping[str, int]
    broken: tuple[int, ...]


#: What is odd of a row on the wrong side of its member's joining, and what is done; by `leads_to_joining`.
_WRONG_SIDE = {
    False: ("before the member joined", "They are kept; studies read from joining on."),
    True: ("after the member joined", "They are kept; nothing after joining led to it."),
}


def rules_of(table: Table, contract: Contract, settings: Settings) -> list[Rule]:
    """Return the rules of one table in the order in which they are reported.

    Parameters
    ----------
    table : ibis Table
        Typed columns with flags; ``_repeat`` where the contract has a key, ``_known`` and ``_joined_at``
        of the member where the table belongs to members; ``_referrer`` where members have one.
    contract : Table
        Its contract.
    settings : Settings
        Of the case.
    """
    present = [column for column in contract.columns if column.name in table.columns]
    by_column = [rule for column in present for rule in _of_column(table, column, settings)]
    belonging = _of_members(table, settings) if contract.name == "members" else _of_member(table, contract)
    return [*by_column, *_of_key(table, contract), *_of_times(table, contract, settings), *belonging]


def _of_column(table: Table, column: Column, settings: Settings) -> list[Rule]:
    value, flag = table[column.name], table[bad(column.name)]
    rules = [Rule(column.name, f"not {WORDS[column.type]}", HOW[column.type], flag)]
    if not column.nullable:
        rules.append(Rule(column.name, "missing", "Fill it or leave those rows out.", value.isnull() & ~flag))
    if column.at_least is not None:
        low = f"below {column.at_least}"
        rules.append(Rule(column.name, low, f"Write {column.at_least} or more.", value < column.at_least))
    if column.one_of:
        allowed = ", ".join(column.one_of)
        rules.append(
            Rule(column.name, "an unknown value", f"Write one of {allowed}.", ~value.isin(column.one_of))
        )
    if column.name == "birth_year":
        rules.append(_of_age(table))
    if column.type == "instant" and not settings.clock_stated and settings.time_zone != "UTC":
        rules.append(Rule(column.name, WITHOUT_OFFSET, _CLOCK, table[naive(column.name)], "warning"))
    if column.name == "gender":
        rules.append(_of_gender(table))
    return rules


def _of_gender(table: Table) -> Rule:
    known = [spelling for spellings in GENDER_SPELLINGS.values() for spelling in spellings]
    other = table.gender.notnull() & ~table.gender.strip().lower().isin(known)
    hint = f"They count as '{GENDERS[-1]}'; `values` can map other spellings."
    return Rule("gender", f"neither {GENDERS[0]} nor {GENDERS[1]} in a known spelling", hint, other, "note")


def _of_age(table: Table) -> Rule:
    age = table.joined_at.year() - table.birth_year
    outside = (age < YOUNGEST) | (age > OLDEST)
    problem = f"an age at joining outside {YOUNGEST} to {OLDEST}"
    return Rule("birth_year", problem, "These count as unknown.", outside, "warning")


def _of_key(table: Table, contract: Contract) -> list[Rule]:
    if not contract.key:
        return []
    hint = f"Keep one row for each {' and '.join(contract.key)}."
    return [Rule(contract.key[-1], "repeats an earlier row", hint, table["_repeat"])]


def _of_times(table: Table, contract: Contract, settings: Settings) -> list[Rule]:
    rules = [_of_lateness(table, contract, name, settings) for name in later_columns(table, contract)]
    hint = "Nothing ends before it begins; correct one of both."
    for name in [end.column for end in contract.ends if end.column in table.columns]:
        wrong = table[name] < table[contract.time]
        rules.insert(0, Rule(name, f"before {contract.time}", hint, wrong))
    over = contract.lasts_until or contract.time
    if settings.kept_since is not None and contract.expires and over in table.columns:
        rules.append(_of_age_of_rows(table, contract, settings))
    if settings.observed_from is not None and contract.name == "events":
        early = table[contract.time] < ibis.literal(settings.observed_from)
        rules.append(Rule(contract.time, "before observed_from", "They are left out.", early, "note"))
    return rules


def _of_age_of_rows(table: Table, contract: Contract, settings: Settings) -> Rule:
    column = contract.lasts_until or contract.time
    problem = f"over before the limit of {settings.retention_limit_days:,} days"
    return Rule(column, problem, "They are left out.", is_expired(table, contract, settings), "warning")


def _of_lateness(table: Table, contract: Contract, column: str, settings: Settings) -> Rule:
    problem = f"after as_of ({settings.as_of:%Y-%m-%dT%H:%M:%SZ})"
    late = is_late(table, column, settings)
    if settings.after_as_of == "error":
        return Rule(column, problem, "Set a later as_of, or after_as_of: leave_out.", late)
    ends = [end.column for end in contract.ends]
    done = "They count as not ended." if column in ends else "They are left out."
    return Rule(column, problem, done, late, "warning")


def _of_member(table: Table, contract: Contract) -> list[Rule]:
    if "_known" not in table.columns:
        return []
    orphan = table.member_id.notnull() & table["_known"].isnull()
    at, joined = table[contract.time], table["_joined_at"]
    astray = at > joined if contract.leads_to_joining else at < joined
    hint = "Add these members to the table `members`, or leave the table out to derive it from `events`."
    return [
        Rule("member_id", ORPHAN, hint, orphan),
        Rule(contract.time, *_WRONG_SIDE[contract.leads_to_joining], astray, "note"),
    ]


def _of_members(table: Table, settings: Settings) -> list[Rule]:
    rules = []
    if "consent" in table.columns:
        rules.append(Rule("consent", "no consent", "They are left out.", refused(table, settings), "note"))
    if "referred_by" in table.columns:
        nobody = table["_referrer"].isnull() | (table.referred_by == table.member_id)
        hint = "It counts as missing."
        rules.append(
            Rule("referred_by", "no other member", hint, table.referred_by.notnull() & nobody, "note")
        )
    return rules


def refused(members: Table, settings: Settings) -> Value:
    """Return whether a member did not agree to analysis."""
    if "consent" not in members.columns:
        return ibis.literal(False)
    return ~members.consent.fill_null(settings.empty_consent == "agreed")


def later_columns(table: Table, contract: Contract) -> list[str]:
    """Return the columns of a table that may be later than ``as_of``."""
    return [c.name for c in contract.columns if c.type == "instant" and c.name in table.columns]


def is_late(table: Table, column: str, settings: Settings) -> Value:
    """Return whether an instant is later than ``as_of``."""
    return (table[column] > ibis.literal(settings.as_of)).fill_null(False)


def is_expired(table: Table, contract: Contract, settings: Settings) -> Value:
    """Return whether a row is over since before the case's `retention_limit_days`.

    What happens at one time is over then. What lasts (membership, a spell) is over when it has ended, and
    never before an end is known.
    """
    if settings.kept_since is None or not contract.expires:
        return ibis.literal(False)
    over = contract.lasts_until or contract.time
    if over not in table.columns:
        return ibis.literal(False)
    return (table[over] < ibis.literal(settings.kept_since)).fill_null(False)


def count(table: Table, contract: Contract, rules: Sequence[Rule], names: Mapping[str, Table]) -> Counts:
    """Count rows, missing and distinct values and broken rules in one scan.

    Of columns in `names` the different values (`value`) and how often each comes (`n`) are known already.
    """
    columns = [column for column in contract.columns if column.name in table.columns]
    sized = [column.name for column in columns if column.type not in ("instant", "decimal")]
    listed = {name: _row(_sizes(values)) for name, values in names.items()}
    own = [column.name for column in columns if column.name not in names]
    wanted: dict[str, Any] = {"rows": table.count()}
    wanted |= {f"missing_{name}": table[name].isnull().sum() for name in own}
    wanted |= {f"distinct_{name}": table[name].nunique() for name in own if name in sized}
    wanted |= {f"rule_{i}": rule.broken.sum() for i, rule in enumerate(rules)}
    found = _row(table.aggregate(**wanted))
    found |= {f"{what}_{name}": n for name, sizes in listed.items() for what, n in sizes.items()}
    return Counts(
        found["rows"],
        {c.name: found[f"missing_{c.name}"] for c in columns},
        {name: found[f"distinct_{name}"] for name in sized},
        tuple(found[f"rule_{i}"] for i in range(len(rules))),
    )


def _sizes(values: Table) -> Table:
    is_missing = values["value"].isnull()
    return values.aggregate(missing=values.n.sum(where=is_missing), distinct=values["value"].count())


def _row(table: Table) -> dict[str, int]:
    return {name: int(value or 0) for name, value in table.to_pyarrow().to_pylist()[0].items()}


def stop_at_errors(
    table: Table,
    contract: Contract,
    rules: Sequence[Rule],
    counts: Counts,
    example: Callable[[str, int], str],
    *,
    advice: Callable[[Rule], str] = lambda rule: rule.hint,
) -> None:
    """Raise for the first rule of level ``error`` that is broken.

    Parameters
    ----------
    table, contract : Table
        The rows and what they should be.
    rules, counts : sequence of Rule, Counts
        What was looked for and what was found.
    example : callable
        Gives one example from a column and a row number.
    advice : callable
        Says what to do about a rule that is broken; its own hint when not stated.

    Raises
    ------
    DataError
        Naming table, column, rows, examples and what to do.
    """
    for rule, broken in zip(rules, counts.broken, strict=True):
        if broken and rule.level == "error":
            first = table.filter(rule.broken).select(ROW).order_by(ROW).limit(3).to_pyarrow()[ROW].to_pylist()
            examples = [example(rule.column, row) for row in first]
            raise DataError.in_rows(
                contract.name,
                rule.column,
                rule.problem,
                bad_rows=broken,
                all_rows=counts.rows,
                examples=examples,
                hint=advice(rule),
            )
