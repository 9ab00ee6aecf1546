"""The section of a new case as YAML: what was found in its files, guesses marked as guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sojourn.core.params import Params
from sojourn.core.schema import KNOWN_AT_JOINING
from sojourn.data.guess.choose import Guess
from sojourn.data.guess.sample import Sample
from sojourn.pipeline.declared import given_of
from sojourn.pipeline.first_trial import first_trial
from sojourn.pipeline.sections import comment, scalar


@dataclass(frozen=True, slots=True)
class Found:
    """One table of theirs: where it lies, how it is written, what it could be.

    Attributes
    ----------
    path : str
        From the project's root.
    sample : Sample
        Its beginning.
    guess : Guess
        Which column is which.
    is_joining : bool
        Whether it is the table of members again, whose joining is the only event that is known.
    """

    path: str
    sample: Sample
    guess: Guess
    is_joining: bool = False

    def values(self, ours: str) -> tuple[str, ...]:
        """Return values of one of our columns: those of the sample, or its constant."""
        if ours in self.guess.columns:
            return self.sample.columns[self.guess.columns[ours]]
        return (self.guess.constants[ours],) if ours in self.guess.constants else ()

    def has(self, ours: str) -> bool:
        """Whether the table has one of our columns, as it is or as a product."""
        return ours in self.guess.columns or ours in self.guess.products


@dataclass(frozen=True, slots=True)
class Known:
    """What is written down beside the tables.

    Attributes
    ----------
    name : str
        Of the case.
    origin : str
        What the case is made from, below ``private/``.
    key_id : str
        Of its key.
    as_of : datetime
        Guessed, in `zone`.
    zone : str or None
        IANA name of the time zone where it was stated.
    """

    name: str
    origin: str
    key_id: str
    as_of: datetime
    zone: str | None


def written(params: Params, known: Known, found: Mapping[str, Found]) -> dict[str, str]:
    """Return the new entries of every section of params.yaml, by section.

    Parameters
    ----------
    params : Params
        What there is already: studies, and the notebook of each.
    known : Known
        Of the case.
    found : mapping of str to Found
        Its tables.
    """
    name = known.name
    like = {pair["study"]: pair for pair in params.pairs(private=False).values()}
    studies = {study: text for study, text in _studies(known, found).items() if study in params.studies}
    pairs = [_pair(name, study, like[study]) for study in studies if study in like]
    sections = [f"    {study}: {text}" for study, text in studies.items()]
    return {
        "private_inputs": f"  {name}: {{case: {name}, from: {scalar(known.origin)}}}",
        "private_pairs": "\n".join(pairs),
        "cases": "\n".join([*_about(name, found), *_prepare(known, found), *sections]),
    }


def _pair(name: str, study: str, like: Mapping[str, str]) -> str:
    own = {"case": name, "study": study, "from": f"data/tidy/{name}", "given": given_of(name, study)}
    entries = own | {key: like[key] for key in ("notebook", "estimators", "also")}
    return f"  {name}-{study}: {{{', '.join(f'{key}: {value}' for key, value in entries.items())}}}"


def _about(name: str, found: Mapping[str, Found]) -> list[str]:
    paid = any(one.has("amount") or one.has("price") for one in found.values())
    currency = "say that of the amounts, such as EUR" if paid else "no amounts"
    return [
        f"  {name}:                # private: its pages and its lock stay below private/",
        "    about:",
        f"      title: {scalar(name.replace('_', ' ').capitalize())}",
        "      kind: real",
        "      source: Our own tables.      # say which export, and of when",
        "      licence: ours",
        '      note: ""',
        f'      currency: ""                 # {currency}',
    ]


def _prepare(known: Known, found: Mapping[str, Found]) -> list[str]:
    guesses = {table: one.guess for table, one in found.items()}
    lines = ["    prepare:", "      source: files", "      tables:"]
    lines += [f"        {table}: {_file(one)}" for table, one in found.items()]
    lines += _by_table("columns", {table: _columns(guess) for table, guess in guesses.items()})
    lines += _by_table("times", {table: _marked(guess.times) for table, guess in guesses.items()})
    lines += _by_table("constants", {table: _marked(guess.constants) for table, guess in guesses.items()})
    lines += _by_table("products", {table: _marked(guess.products) for table, guess in guesses.items()})
    lines += _listed("leave_out_empty", {table: guess.leave_out_empty for table, guess in guesses.items()})
    if any(guess.whole_ids for guess in guesses.values()):
        lines.append("      ids: whole_numbers               # guess: 7, 7.0 and 007 are one")
    for table, guess in guesses.items():
        if guess.unread:
            lines.append(f"      # not read of {table}: {', '.join(map(comment, guess.unread))}")
    return [*lines, *_when(known, guesses), f"      key_id: {scalar(known.key_id)}"]


def _when(known: Known, guesses: Mapping[str, Guess]) -> list[str]:
    zone = scalar(known.zone or "UTC")
    said = "" if known.zone else "                   # guess: whose days count; state the platform's own"
    at = known.as_of.isoformat().replace("+00:00", "Z")
    lines = [
        f'      as_of: "{at}"    # guess: the midnight after the last row',
        f"      time_zone: {zone}{said}",
    ]
    if any(guess.naive for guess in guesses.values()):
        clock = "local" if known.zone else "utc"
        lines.append(f"      clock: {clock}    # guess: of times without an offset; local: of the time zone")
    return lines


def _file(one: Found) -> str:
    stated: dict[str, Any] = {"file": one.path}
    if one.sample.delimiter not in ("", ","):
        stated["delimiter"] = one.sample.delimiter
    if one.sample.encoding not in ("", "utf-8"):
        stated["encoding"] = one.sample.encoding
    if one.sample.delimiter:
        stated |= one.guess.marks
    if not one.sample.header:
        stated["header"] = False
    if len(stated) == 1:
        return scalar(one.path)
    inside = ", ".join(f"{key}: {scalar(value)}" for key, value in stated.items())
    guessed = "the first line names no columns" if not one.sample.header else "how it is written"
    return f"{{{inside}}}    # guess: {guessed}"


def _columns(guess: Guess) -> dict[str, str]:
    """Return theirs -> ours, where they differ, each with the reason."""
    return {
        scalar(theirs): ours + ("" if guess.why[ours] == "stated" else f"    # guess: {guess.why[ours]}")
        for ours, theirs in guess.columns.items()
        if ours != theirs
    }


def _marked(values: Mapping[str, str | tuple[str, ...]]) -> dict[str, str]:
    plain_values = {name: value if isinstance(value, str) else list(value) for name, value in values.items()}
    return {name: f"{scalar(value)}    # guess" for name, value in plain_values.items()}


def _by_table(section: str, entries: Mapping[str, Mapping[str, str]]) -> list[str]:
    lines = []
    for table, values in entries.items():
        if values:
            lines += [f"        {table}:", *(f"          {key}: {value}" for key, value in values.items())]
    return [f"      {section}:", *lines] if lines else []


def _listed(section: str, entries: Mapping[str, Sequence[str]]) -> list[str]:
    lines = [
        f"        {table}: {scalar(list(names))}    # guess" for table, names in entries.items() if names
    ]
    return [f"      {section}:", *lines] if lines else []


def _studies(known: Known, found: Mapping[str, Found]) -> dict[str, str]:
    """Return the section of every study that the tables can carry, in the order of reading."""
    members = found["members"].guess.columns if "members" in found else {}
    groups = [name for name in (*KNOWN_AT_JOINING, "birth_year") if name in members]
    groups = list(dict.fromkeys("age_band" if name == "birth_year" else name for name in groups))
    churn = "churn: cancellation" if "churned_at" in members else "churn: silence, lapse_days: 30"
    said = "" if "churned_at" in members else "    # guess: no table says when someone left"
    grouped = f"groups: [{', '.join(groups)}]}}, by: {[*groups, 'all'][0]}"
    studies = {
        "quality": "{cells: {}}",
        "portrait": "{cells: {}}",
        "retention": f"{{cells: {{{churn}, {grouped}}}{said}",
        "segments": "{cells: {}}",
        "board": "{cells: {}}",
    }
    if found["events"].is_joining:  # nothing that members did is known
        del studies["portrait"], studies["segments"], studies["board"]
    trial = first_trial(found, groups, known.as_of)
    return studies | ({"trials": trial} if trial else {})
