"""Faults in how a file is written: encodings, byte-order marks, delimiters, ends of line, broken quotes."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import replace

from sojourn.world.bad.fault import Change, Fault, Given, dealt, everywhere, first
from sojourn.world.bad.sheet import Sheet

#: Names as platforms that write these encodings have them; the last of gb18030 takes four bytes.
NAMES: dict[str, tuple[str, ...]] = {
    "windows-1252": ("Straßenwerbung", "Café de l’Œuvre", "Freunde – 5 €", "Señal móvil"),
    "big5": ("朋友推薦", "捷運廣告", "電視購物"),
    "gb18030": ("朋友推荐", "地铁广告", "𠮷祥直播"),
}
#: Stands for a character that is written without quotes; no file holds it in the end.
_MARK = "\x1f"


def names(sheet: Sheet) -> str:
    """Return the first column of free names."""
    free = [
        c.name for c in sheet.contract.columns if c.type == "category" and not c.one_of and not c.required
    ]
    present = [name for name in free if name in sheet.rows.columns and (sheet.rows[name] != "").any()]
    return first([*[n for n in ("channel", "feature") if n in present], *present], sheet.table)


def _encoded(encoding: str) -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:
        change = dealt(given, sheet, names(sheet), NAMES[encoding])
        return replace(change, sheet=replace(change.sheet, encoding=encoding))

    return plant


def _all(sheet: Sheet) -> Change:
    return Change(sheet, "", everywhere(sheet))


def _marked(encoding: str, mark: bytes) -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
        return _all(replace(sheet, encoding=encoding, finish=lambda raw: mark + raw))

    return plant


def _delimited(delimiter: str) -> Callable[[Sheet, Given], Change]:
    return lambda sheet, given: _all(replace(sheet, delimiter=delimiter))  # noqa: ARG005


def _ending(line_end: str) -> Callable[[Sheet, Given], Change]:
    return lambda sheet, given: _all(replace(sheet, line_end=line_end))  # noqa: ARG005


def _in_names(*texts: str, finish: Callable[[bytes], bytes] = bytes) -> Callable[[Sheet, Given], Change]:
    def plant(sheet: Sheet, given: Given) -> Change:
        change = dealt(given, sheet, names(sheet), texts)
        return replace(change, sheet=replace(change.sheet, finish=finish))

    return plant


def _blank_lines(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    end = sheet.line_end.encode()
    return _all(replace(sheet, finish=lambda raw: raw + 3 * end))


def _title(sheet: Sheet, given: Given) -> Change:  # noqa: ARG001 (faults share one shape)
    title = f"Report of all {sheet.table}, confidential{sheet.line_end}".encode()
    return _all(replace(sheet, finish=lambda raw: title + raw))


FAULTS = (
    Fault(
        "windows_1252", "Names are written in windows-1252.",
        _encoded("windows-1252"), "members", "error", "layout",
    ),
    Fault("big5", "Names are written in Big5.", _encoded("big5"), "members", "error", "layout"),
    Fault("gb18030", "Names are written in GB 18030.", _encoded("gb18030"), "members", "error", "layout"),
    Fault(
        "utf_8_mark", "The file begins with the byte-order mark of UTF-8.",
        _marked("utf-8", codecs.BOM_UTF8), "members", "accepted", "layout",
    ),
    Fault(
        "utf_16_little", "The file is UTF-16 with its byte-order mark, low byte first.",
        _marked("utf-16-le", codecs.BOM_UTF16_LE), "members", "accepted", "layout",
    ),
    Fault(
        "utf_16_big", "The file is UTF-16 with its byte-order mark, high byte first.",
        _marked("utf-16-be", codecs.BOM_UTF16_BE), "members", "accepted", "layout",
    ),
    Fault("semicolons", "Fields are parted by semicolons.", _delimited(";"), "events", "accepted", "layout"),
    Fault("tabs", "Fields are parted by tabs.", _delimited("\t"), "events", "accepted", "layout"),
    Fault("line_ends_of_windows", "Lines end in CR LF.", _ending("\r\n"), "events", "accepted", "layout"),
    Fault("line_ends_of_old_macs", "Lines end in CR alone.", _ending("\r"), "events", "accepted", "layout"),
    Fault("blank_lines", "The file ends in blank lines.", _blank_lines, "events", "accepted", "layout"),
    Fault("title_line", "A title stands above the header.", _title, "events", "error", "layout"),
    Fault(
        "line_breaks_in_names", "Names hold ends of line, in quotes.",
        _in_names("news\nletter", "shop\r\nwindow"), "members", "accepted", "values",
    ),
    Fault(
        "quotes_in_names", "Names hold quotes, doubled as they should be.",
        _in_names('the "best" friend', '"', "5' wall"), "members", "accepted", "values",
    ),
    Fault(
        "delimiters_in_names", "Names hold delimiters, in quotes.",
        _in_names("shop, town", "a;b|c\td"), "members", "accepted", "values",
    ),
    Fault(
        "delimiters_without_quotes", "Names hold delimiters without quotes, so rows have a field too many.",
        _in_names(f"shop{_MARK} town", finish=lambda raw: raw.replace(_MARK.encode(), b",")),
        "members", "error", "file",
    ),
    Fault(
        "quote_left_open", "A name begins with a quote that nothing closes.",
        _in_names(f"{_MARK}best friend", finish=lambda raw: raw.replace(_MARK.encode(), b'"')),
        "members", "error", "file",
    ),
    Fault(
        "null_bytes", "Names hold bytes of value zero.",
        _in_names("news\0letter"), "members", "error", "values",
    ),
)  # fmt: skip
