"""What checks warned of, as it stands beside an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sojourn.core.results.check import Check

#: Of checks that several pages have.
_COMMON = {"The proof of these numbers is current": "the code is newer than the proof of its error rates"}


def warned(checks: Sequence[Check], words: Mapping[str, str] | None = None) -> str:
    """Return the warnings in one sentence; empty where there is none.

    Parameters
    ----------
    checks : sequence of Check
        Names of checks state what is well.
    words : mapping of str to str, optional
        What a warning means in a few words, by the name of its check; any other is told as a doubt.

    Examples
    --------
    >>> warned([Check("Schemes alike", "warn", "", ""), Check("Follow-up complete", "pass", "", "")])
    'Warnings: in doubt: schemes alike.'
    """
    told = {**_COMMON, **(words or {})}
    names = [
        told.get(check.name, f"in doubt: {check.name[0].lower()}{check.name[1:]}")
        for check in checks
        if check.verdict == "warn"
    ]
    return f"Warnings: {'; '.join(names)}." if names else ""
