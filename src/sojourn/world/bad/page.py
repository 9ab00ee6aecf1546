"""The page ``docs/bad-input.md``: every fault, and what the door says of it."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.world.bad.corrupt import FAULTS

_HEAD = """\
# Bad input, and what the door says of it

Every row is a fault that `sojourn.world.bad.corrupt` plants, alone, in an export of a simulated platform.
A test brings each through the door and compares what is said with this page, which the tests make
(`SOJOURN_REWRITE=1 pytest tests/world/bad`): change those or the door, not this page. Numbers, examples,
days and names of files are replaced: N of M rows, FILE, DAY.

An **error** stops the door: the sentence stands on stderr, the exit code is 1, nothing is written, and what
an earlier run has made stays whole. A **warning** or a **note** stands in `quality.csv`, in
`findings.parquet` and on the quality page, and the door goes on. What is **accepted** passes as if it were
written as the contract says.
"""

#: Titles in the order of severity.
_LEVELS = {"error": "Errors", "warning": "Warnings", "note": "Notes", "accepted": "Accepted"}


def bad_input_page(said: Mapping[str, str]) -> str:
    """Return the page.

    Parameters
    ----------
    said : mapping of str to str
        What the door says of each fault that it does not accept.
    """
    return _HEAD + "".join(_section(level, said) for level in _LEVELS)


def _section(level: str, said: Mapping[str, str]) -> str:
    faults = [fault for fault in FAULTS.values() if fault.expected == level]
    names = ("fault", "what is wrong", "what is said")[: 2 if level == "accepted" else 3]
    rows = [(f"`{f.name}`", _cell(f.description), _cell(said.get(f.name, ""))) for f in faults]
    lines = [names, ("---",) * len(names), *(row[: len(names)] for row in rows)]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"\n## {_LEVELS[level]} ({len(faults)})\n\n{text}\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
