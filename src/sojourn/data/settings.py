"""What ``cases.CASE.prepare`` may say, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn.core.errors import ParameterError
from sojourn.core.params import Params
from sojourn.core.ranges import one_of
from sojourn.core.schema import CONTRACT
from sojourn.data.checks.stated import read_duplicates, read_known_values
from sojourn.data.localtime import time_zone
from sojourn.data.sources.mapping import PARAMETERS, TableMapping, read_mappings
from sojourn.data.sources.stated import Source, read_source


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of ``prepare``: its default (`...`: must be stated) and what it means."""

    default: Any
    meaning: str


#: Parameters of ``prepare`` by name.
KNOWN: dict[str, Parameter] = {
    "source": Parameter(..., "`files` for your own tables; `world`, `cdnow` and `complete_journey` ship."),
    "as_of": Parameter(..., "Instant of the analysis, with its offset. Nothing later is ever read."),
    "time_zone": Parameter(
        ..., "IANA name of the zone whose days and months count, such as `Europe/Berlin`."
    ),
    "observed_from": Parameter(
        None, "From when on events were recorded; empty: from the first instant seen."
    ),
    "tables": Parameter({}, "Where each table is: a path from the project's root, or as told under Sources."),
    "columns": Parameter({}, "By table: name in the file, and the contract's name for it."),
    "values": Parameter(
        {}, 'By table and column: text in the file (`""`: empty), and the text it becomes (or `null`).'
    ),
    "constants": Parameter({}, "By table: columns that the file lacks, and the value of all rows."),
    "times": Parameter(
        {},
        "By table: columns of times that are not ISO 8601, and `epoch_seconds`, `epoch_milliseconds`, "
        "`epoch_microseconds` or a format such as `%d.%m.%Y %H:%M`.",
    ),
    "products": Parameter({}, "By table: amounts, and the two columns of the file whose product each is."),
    "leave_out_empty": Parameter({}, "By table: columns; rows in which one is empty are left out."),
    "ids": Parameter("as_written", "`as_written`, or `whole_numbers`: 7, 7.0 and 007 are one member."),
    "clock": Parameter("utc", "What a time without offset means: `utc`, or `local` in the case's zone."),
    "after_as_of": Parameter("error", "What a row later than `as_of` is: an `error`, or `leave_out`."),
    "empty_consent": Parameter("agreed", "What an empty `consent` counts as: `agreed` or `refused`."),
    "retention_limit_days": Parameter(
        None, "What is older than so many days before `as_of` is left out, as told below; empty: nothing."
    ),
    "grow": Parameter(
        None,
        "`by_day`: events are a folder of parts, of which a run reads only new ones; empty: all are read.",
    ),
    "exact_duplicates": Parameter(
        {}, "By table: `keep` or `drop` rows that are exact copies of others; they are counted in any case."
    ),
    "known_values": Parameter(
        {}, "By table and column: the only names there are; others are warned of. Empty: any."
    ),
    "key_id": Parameter(None, "Fingerprint of the key of pseudonyms; a private case must state it."),
}

#: Where a case's rows may come from. Parameters of a source's own stand beside ours and are its to check.
SOURCES: dict[str, tuple[str, ...]] = {
    "files": (),
    "world": ("members", "seed", "start", "world", "effects", "separation"),
    "cdnow": (),
    "complete_journey": (),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How one case comes through the door.

    Attributes
    ----------
    case, source, time_zone : str
        Name of the case, where its rows come from, IANA name of its time zone.
    as_of : datetime
        Nothing later is ever read (UTC).
    observed_from : datetime or None
        From when on events were recorded (UTC); None: from the first instant seen.
    tables : mapping of str to Source
        Where each table is.
    mappings : mapping of str to TableMapping
        By table: how its columns and values become those of the contract.
    ids : str
        How ids are read: ``as_written``, or as ``whole_numbers``.
    clock : str
        What a time without offset means: ``utc``, or ``local`` in the case's time zone.
    after_as_of : str
        What rows later than `as_of` are: an ``error``, or something to ``leave_out``.
    empty_consent : str
        What an empty `consent` counts as: ``agreed`` or ``refused``.
    retention_limit_days : int or None
        What is older than so many days before `as_of` is left out.
    grow : str or None
        ``by_day`` where the case grows; None where every run reads everything.
    exact_duplicates : mapping of str to str
        By table whether to ``keep`` or ``drop`` exact copies of rows.
    known_values : mapping of str to mapping
        By table and column the only names there are.
    clock_stated : bool
        Whether the case says itself what a time without offset means.
    key_id : str or None
        Fingerprint of the key of pseudonyms.
    currency : str
        Currency of amounts.
    private : bool
        Whether the case is private.
    """

    case: str
    source: str
    as_of: datetime
    time_zone: str
    observed_from: datetime | None = None
    tables: Mapping[str, Source] = field(default_factory=dict)
    mappings: Mapping[str, TableMapping] = field(default_factory=dict)
    ids: str = "as_written"
    clock: str = "utc"
    after_as_of: str = "error"
    empty_consent: str = "agreed"
    retention_limit_days: int | None = None
    grow: str | None = None
    exact_duplicates: Mapping[str, str] = field(default_factory=dict)
    known_values: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    clock_stated: bool = True
    key_id: str | None = None
    currency: str = ""
    private: bool = True

    @property
    def kept_since(self) -> datetime | None:
        """Nothing that was over before this instant is kept; None without a `retention_limit_days`."""
        if self.retention_limit_days is None:
            return None
        return self.as_of - timedelta(days=self.retention_limit_days)


def read_settings(params: Params, case: str) -> Settings:
    """Return the checked `prepare` section of a case.

    Raises
    ------
    ParameterError
        When a parameter is unknown, missing or not one of what is allowed.
    """
    stated = params.case(case).get("prepare")
    if stated is None:
        raise ParameterError(f"cases.{case} has no section 'prepare': its cells come from the casebook.")
    where = f"cases.{case}.prepare"
    if "source" not in stated:
        raise ParameterError.missing("source", where)
    source = one_of(stated["source"], f"{where}.source", tuple(SOURCES))
    own = SOURCES[source]
    for name in stated:
        if name not in KNOWN and name not in own:
            raise ParameterError.unknown(name, where, [*KNOWN, *own])
    values = {name: stated.get(name, known.default) for name, known in KNOWN.items()}
    for name, value in values.items():
        if value is ...:
            raise ParameterError.missing(name, where)
    values["clock_stated"] = stated.get("clock") is not None or source != "files"
    about = params.about(case)
    return _checked(values, where, case, str(about.get("currency") or ""), private=params.is_private(case))


def _checked(values: dict[str, Any], where: str, case: str, currency: str, *, private: bool) -> Settings:
    values["as_of"] = read_instant(values["as_of"], f"{where}.as_of")
    if values["observed_from"] is not None:
        values["observed_from"] = read_instant(values["observed_from"], f"{where}.observed_from")
        if values["observed_from"] >= values["as_of"]:
            raise ParameterError(
                f"'{where}.observed_from' must be before 'as_of', got {values['observed_from']}."
            )
    time_zone(values["time_zone"])
    one_of(values["clock"], f"{where}.clock", ("utc", "local"))
    one_of(values["after_as_of"], f"{where}.after_as_of", ("error", "leave_out"))
    if values["grow"] is not None:
        one_of(values["grow"], f"{where}.grow", ("by_day",))
    one_of(values["empty_consent"], f"{where}.empty_consent", ("agreed", "refused"))
    values["retention_limit_days"] = _days(values["retention_limit_days"], f"{where}.retention_limit_days")
    values["key_id"] = None if values["key_id"] is None else str(values["key_id"])
    if values["source"] == "files" and not values["tables"]:
        raise ParameterError.missing("tables", where)
    one_of(values["ids"], f"{where}.ids", ("as_written", "whole_numbers"))
    values["tables"] = _sources(values["tables"], f"{where}.tables")
    values["mappings"] = read_mappings({name: values.pop(name) for name in PARAMETERS}, where)
    values["exact_duplicates"] = read_duplicates(values["exact_duplicates"], f"{where}.exact_duplicates")
    values["known_values"] = read_known_values(values["known_values"], f"{where}.known_values")
    return Settings(case=case, currency=currency, private=private, **values)


def _known(name: str, where: str, known: Any) -> None:
    if name not in known:
        raise ParameterError.unknown(name, where, known)


def _sources(stated: object, where: str) -> dict[str, Source]:
    if not isinstance(stated, Mapping):
        raise ParameterError(f"'{where}' must be a mapping, got {stated!r}.")
    for name in stated:
        _known(str(name), where, CONTRACT)
    return {name: read_source(source, f"{where}.{name}") for name, source in stated.items()}


def _days(value: object, where: str) -> int | None:
    """Return a number of days, or None where none is stated."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ParameterError(f"'{where}' must be a whole number of days of at least 1, got {value!r}.")
    return value


def read_instant(value: object, where: str) -> datetime:
    """Return an instant as UTC.

    Raises
    ------
    ParameterError
        When it is not ISO 8601 with an offset.
    """
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ParameterError(f"'{where}' must be an instant such as \"2025-07-01T00:00:00Z\", got {value!r}.")
    return instant.astimezone(UTC)
