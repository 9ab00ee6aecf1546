"""Entries added to sections of params.yaml as text, so that comments, order and all other bytes stay."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.params import read_params
from sojourn.core.project import root
from sojourn.pipeline.declared import check_params

#: Texts that need no quotes.
_BARE = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)


def scalar(value: Any) -> str:
    r"""Return a value as YAML on one line, in quotes where it needs them.

    Examples
    --------
    >>> print(scalar("plan"), scalar("yes"), scalar("a: b # c"), scalar("\x85"))
    plan "yes" "a: b # c" "\U00000085"
    """
    if isinstance(value, str) and _BARE.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    written = json.dumps(value, ensure_ascii=False)
    return "".join(mark if mark.isprintable() else f"\\U{ord(mark):08x}" for mark in written)


def comment(text: str) -> str:
    r"""Return a text of theirs as it may stand in a comment: letters, digits and blanks.

    Examples
    --------
    >>> comment("a# b\nc")
    'a? b?c'
    """
    return "".join(mark if mark.isalnum() or mark in "_ ./-" else "?" for mark in text)


def add_entries(sections: Mapping[str, str], case: str) -> None:
    """Add entries at the end of sections of params.yaml; when the result is not sound, it is as before.

    Parameters
    ----------
    sections : mapping of str to str
        YAML of the new entries, set in by two blanks, by section.
    case : str
        Name of the case that they make.

    Raises
    ------
    SojournError
        When the file has a form in which nothing can be added, or what was added is refused.
    """
    path = root() / "params.yaml"
    before = path.read_bytes()
    text = before.decode("utf-8")
    for section, entries in sections.items():
        text = with_entries(text, section, entries)
    _replace(path, text.encode("utf-8"))
    try:
        check_params()
        if case not in read_params().cases:
            raise _by_hand("cases")
    except BaseException:
        _replace(path, before)
        raise


def with_entries(text: str, section: str, entries: str) -> str:
    """Return the text of a parameter file with entries added below the last one of a section.

    Parameters
    ----------
    text : str
        The file, its ends of lines as they are.
    section : str
        A name of the top level.
    entries : str
        YAML, set in by two blanks.

    Raises
    ------
    ParameterError
        When there is no such section.
    SojournError
        When its entries stand between braces, or are set in otherwise.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    head = next((n for n, line in enumerate(lines) if re.match(rf"{section}:(\s|$)", line)), None)
    if head is None:
        raise ParameterError.missing(section, "params.yaml")
    last = _last_line(lines, head)
    _stop_at_other_forms(lines[head:], section)
    if last == head:
        lines[head] = re.sub(r"^([^#]*?):[ \t]*\{[ \t]*\}[ \t]*(?=[\r\n#])", r"\1: ", lines[head])
        lines[head] = re.sub(r"[ \t]+(\r?\n)$", r"\1", lines[head])
    added = [line + end for line in entries.rstrip("\n").split("\n")]
    return "".join([*lines[: last + 1], *added, *lines[last + 1 :]])


def _last_line(lines: list[str], head: int) -> int:
    """Return the last line of a section; a comment that is not set in is on the next one."""
    last = head
    for number, line in enumerate(lines[head + 1 :], head + 1):
        if line.strip() and not line.startswith((" ", "\t")):
            if not line.startswith("#"):
                break
        elif line.strip():
            last = number
    return last


def _stop_at_other_forms(lines: list[str], section: str) -> None:
    """Raise where a section's head holds entries, or where its first entry is not set in by two blanks."""
    opens = re.fullmatch(rf"{section}:\s*(\{{\s*\}})?\s*(#.*)?", lines[0].strip())
    first = next((line for line in lines[1:] if line.strip() and not line.lstrip().startswith("#")), "next:")
    if not opens or not re.match(r" {2}\S|[^\s-]", first):
        raise _by_hand(section)


def _by_hand(section: str) -> SojournError:
    return SojournError(
        f"'{section}' of params.yaml has a form to which no entry can be added: its entries must stand on "
        "lines of their own, set in by two blanks. Write it so, or add the case by hand."
    )


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(content)
        new.chmod(path.stat().st_mode & 0o777)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
