"""Where a table comes from, as ``cases.CASE.prepare.tables`` states it: a file, a DuckDB file, a database."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sojourn.core.errors import ParameterError

#: Compressions of a text file, by the end of its name.
COMPRESSIONS: dict[str, str] = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip", ".zst": "zstd"}

#: Marks between the digits of a number that may be stated.
_DECIMALS, _THOUSANDS = (".", ","), ("", ".", ",", " ", "'")

#: How a parameter is called that a URL may not hold, since a parameter file is no place for a secret.
_SECRETS = ("password", "passwd", "pwd", "sslpassword", "token", "secret", "key")

#: Schemes of URLs that are not a database behind one.
_NO_DATABASE = {
    "duckdb": "Name it as `duckdb: PATH`.",
    "file": "Name it as a path.",
    "http": "Download it first.",
    "https": "Download it first.",
    "s3": "Download it first.",
}
#: Databases that Ibis reaches by URL; whether the driver is there shows when it connects.
DATABASES = (
    "postgresql", "postgres", "mysql", "sqlite", "mssql", "oracle", "clickhouse", "snowflake", "bigquery",
    "trino", "risingwave", "materialize", "exasol", "databricks", "athena", "impala", "druid", "redshift",
    "singlestoredb",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """A text table, a Parquet file, or a folder of either.

    Attributes
    ----------
    path : str
        From the project's root.
    encoding : str or None
        Name of a codec of Python; None: UTF-8, or UTF-16 where the file shows it.
    delimiter : str or None
        What parts the fields; None: what the header shows.
    decimal, thousands : str
        Marks in numbers; `thousands` is empty where there is none.
    quote : str
        Put around fields that hold a delimiter; empty where nothing is.
    compression : str or None
        One of `COMPRESSIONS` or ``none``; None: what the end of the name says.
    header : bool
        Whether the first line names the columns; where not, they are `column_1`, `column_2` and so on.
    """

    path: str
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    thousands: str = ""
    quote: str = '"'
    compression: str | None = None
    header: bool = True

    def __fspath__(self) -> str:
        """Return the path."""
        return self.path


@dataclass(frozen=True, slots=True)
class DuckDBTable:
    """A table or view of a DuckDB file.

    Attributes
    ----------
    path : str
        The file, from the project's root.
    table : str
        ``table`` or ``schema.table``.
    """

    path: str
    table: str


@dataclass(frozen=True, slots=True)
class DatabaseTable:
    """A table or view of a database that Ibis reaches by URL.

    Attributes
    ----------
    url : str
        Without a password.
    table : str
        ``table`` or ``schema.table``.
    snapshot : str
        A label; who changes it wants the table read anew.
    password_from : str or None
        Name of the environment variable that holds the password.
    """

    url: str
    table: str
    snapshot: str
    password_from: str | None = None


Source = File | DuckDBTable | DatabaseTable

_FILE_KEYS = ("file", "encoding", "delimiter", "decimal", "thousands", "quote", "compression", "header")
_KEYS: dict[str, tuple[str, ...]] = {
    "file": _FILE_KEYS,
    "duckdb": ("duckdb", "table"),
    "database": ("database", "table", "snapshot", "password_from"),
}


def read_source(stated: object, where: str) -> Source:
    """Return where a table comes from.

    Parameters
    ----------
    stated : str or mapping
        A path; or `file`, `duckdb` or `database` with what belongs to it.
    where : str
        The parameter, for errors.

    Raises
    ------
    ParameterError
        When a key is unknown or missing, or a value is not one of what is allowed.
    """
    if isinstance(stated, str):
        return File(_text(stated, where))
    if not isinstance(stated, Mapping):
        raise ParameterError(f"'{where}' must be a path, or one of file, duckdb, database; got {stated!r}.")
    kinds = [kind for kind in _KEYS if kind in stated]
    if len(kinds) != 1:
        _stop_at_unknown(stated, where, _FILE_KEYS if not kinds else _KEYS[kinds[0]])
        raise ParameterError.missing("file", where)
    _stop_at_unknown(stated, where, _KEYS[kinds[0]])
    return _READERS[kinds[0]](stated, where)


def _stop_at_unknown(stated: Mapping[Any, Any], where: str, known: tuple[str, ...]) -> None:
    for name in stated:
        if name not in known:
            raise ParameterError.unknown(str(name), where, known)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ParameterError(f"'{where}' must be a text, got {value!r}. Put it in quotes.")
    return value


def _stated(stated: Mapping[str, Any], name: str, where: str) -> str:
    if name not in stated:
        raise ParameterError.missing(name, where)
    return _text(stated[name], f"{where}.{name}")


def _file(stated: Mapping[str, Any], where: str) -> File:
    path = _stated(stated, "file", where)
    encoding, delimiter = stated.get("encoding"), stated.get("delimiter")
    if encoding is not None:
        encoding = codec_of(_text(encoding, f"{where}.encoding"), f"{where}.encoding")
    if delimiter is not None:
        delimiter = _delimiter(_text(delimiter, f"{where}.delimiter"), f"{where}.delimiter")
    decimal = _mark(stated.get("decimal", "."), f"{where}.decimal", _DECIMALS)
    thousands = _mark(stated.get("thousands", ""), f"{where}.thousands", _THOUSANDS)
    if decimal == thousands:
        raise ParameterError(f"'{where}.thousands' and its 'decimal' must differ, got {decimal!r} for both.")
    quote = _mark(stated.get("quote", '"'), f"{where}.quote", ('"', "'", "`", "|", ""))
    if delimiter is not None and quote and quote in delimiter:
        raise ParameterError(f"'{where}.quote' and its 'delimiter' must differ, got {quote!r} in both.")
    compression = stated.get("compression")
    if compression is not None:
        known = (*COMPRESSIONS.values(), "none")
        compression = _mark(compression, f"{where}.compression", known)
    header = stated.get("header", True)
    if not isinstance(header, bool):
        raise ParameterError(f"'{where}.header' must be true or false, got {header!r}.")
    return File(path, encoding, delimiter, decimal, thousands, quote, compression, header)


def codec_of(name: str, where: str) -> str:
    """Return the name of an encoding as Python has it.

    Raises
    ------
    ParameterError
        When Python has no such codec of text.
    """
    try:
        found = codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        raise ParameterError(
            f"'{where}' must be an encoding that Python knows, such as 'cp1252', 'big5' or 'utf-16'; "
            f"got {name!r}."
        ) from None
    if not found._is_text_encoding:
        raise ParameterError(f"'{where}' must be an encoding of text, got {name!r}.")
    return found.name


def _delimiter(text: str, where: str) -> str:
    plain = text.replace("\\t", "\t")
    if len(plain.encode("utf-8")) > 4 or any(mark in plain for mark in '\r\n"\\') or plain.isalnum():
        raise ParameterError(
            f"'{where}' must be one to four bytes, such as ';' or '||', and no letter, digit, quote, "
            f"backslash or end of line; got {text!r}."
        )
    return plain


def _mark(value: object, where: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        listed = ", ".join(repr(mark) for mark in allowed)
        raise ParameterError(f"'{where}' must be one of {listed}; got {value!r}.")
    return str(value)


def _duckdb(stated: Mapping[str, Any], where: str) -> DuckDBTable:
    return DuckDBTable(_stated(stated, "duckdb", where), _stated(stated, "table", where))


def _database(stated: Mapping[str, Any], where: str) -> DatabaseTable:
    url = _stated(stated, "database", where)
    _stop_at_secret(url, f"{where}.database")
    snapshot = stated.get("snapshot")
    if snapshot is None:
        raise ParameterError(
            f"'snapshot' is missing from {where}. Write a label such as \"2025-07-01\"; "
            "change it when the table is to be read anew."
        )
    password_from = stated.get("password_from")
    if password_from is not None:
        password_from = _text(password_from, f"{where}.password_from")
    return DatabaseTable(url, _stated(stated, "table", where), str(snapshot), password_from)


def split_url(url: str, where: str) -> SplitResult:
    """Return the parts of the URL of a database; what cannot be read is not repeated in the error.

    Raises
    ------
    ParameterError
        When it is none, or of something else than a database.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises where the port is no number)
    except ValueError:
        raise ParameterError(
            f"'{where}' is no URL of a database. Write it as postgresql://user@host:5432/name."
        ) from None
    if parts.scheme in _NO_DATABASE:
        raise ParameterError(f"'{where}' is no database ({parts.scheme}). {_NO_DATABASE[parts.scheme]}")
    if parts.scheme not in DATABASES:
        raise ParameterError.no_such("kind of database", parts.scheme, DATABASES, where=f" ({where})")
    return parts


def _stop_at_secret(url: str, where: str) -> None:
    parts = split_url(url, where)
    asked = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if parts.password is not None or any(secret in name for name in asked for secret in _SECRETS):
        raise ParameterError(
            f"'{where}' holds a password, which a parameter file may not. Take it out, and change it; "
            "give it in ~/.pgpass, or in an environment variable that `password_from` names."
        )


_READERS: dict[str, Callable[[Mapping[str, Any], str], Source]] = {
    "file": _file,
    "duckdb": _duckdb,
    "database": _database,
}
