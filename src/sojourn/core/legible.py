r"""Names from data as text that can be read: nothing invisible, nothing that turns others, no endless one.

A name is what a table calls a channel, a plan, an event, a scheme … It may hold anything. What is shown of it
is one line of visible characters: line breaks and tabs become a blank; any other control character, lone
surrogate or invisible mark that turns the direction of text becomes an escape such as ``\u202e``; a backtick,
which sets code on our pages, becomes its look-alike; of a long name the beginning is shown. Names that
differ stay different, and a harmless name is not changed. What a name would mean to a page, a picture or a
spreadsheet is not decided here: markup is escaped where pages are made, formulas where CSV is written.

Sentences in tables are our own words, around names from data at most: they may be longer, and keep backticks.
So are the names that a page gives to segments.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: A longer name is cut; so much fits beside a picture.
LONGEST_NAME = 40
#: A longer sentence is cut.
LONGEST_SENTENCE = 300
#: Columns of cells, and lists in what cells say of themselves, that hold words of ours and no names.
SENTENCES = frozenset(("finding", "hint", "segments"))

#: Invisible, and needed to write some languages and signs.
_KEPT = frozenset("\u200c\u200d\u00ad")
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")


def legible(text: str) -> str:
    r"""Return a text as one line of visible characters without backticks.

    Examples
    --------
    >>> legible("plain"), legible("two\nlines"), legible("\x1b[31mred")
    ('plain', 'two lines', '\\x1b[31mred')
    """
    return visible(text).replace("`", "ˋ")


def visible(text: str) -> str:
    r"""Return a text as one line of visible characters.

    Examples
    --------
    >>> visible("of `spells`\x07")
    'of `spells`\\x07'
    """
    line = _BREAKS.sub(" ", text)
    return line if line.isprintable() else "".join(map(_visible, line))


def _visible(letter: str) -> str:
    if letter.isprintable() or letter in _KEPT or unicodedata.category(letter) in ("Zs", "Co"):
        return letter
    return letter.encode("unicode_escape").decode("ascii")


def legible_names(names: Iterable[str]) -> dict[str, str]:
    """Return how names are shown, for those that are not shown as they are; different names stay different.

    Parameters
    ----------
    names : iterable of str
        All names of one body of data; their order does not matter.
    """
    present = set(names)
    shown = {name: short_name(name) for name in sorted(present)}
    taken = {name for name in present if shown[name] == name}
    changed = {}
    for name in sorted(present - taken):
        changed[name] = _free(shown[name], taken)
        taken.add(changed[name])
    return changed


def short_name(name: str) -> str:
    """Return one name as it is shown, whatever other names there are."""
    return _cut(legible(name), LONGEST_NAME)


def sentence(text: str) -> str:
    """Return a sentence of a table as it is shown."""
    return _cut(visible(text), LONGEST_SENTENCE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def legible_data(value: Any, names: Mapping[str, str]) -> Any:
    """Return JSON data with names shown as in `names`, keys too, and no other text with invisible characters.

    Backticks stay where they are not part of a name: what describes data may set words as code.
    """
    if isinstance(value, str):
        return names.get(value, visible(value))
    if isinstance(value, Mapping):
        return {legible_data(key, names): legible_data(part, names) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [legible_data(part, names) for part in value]
    return value


def listed(value: Any) -> Iterator[str]:
    """Yield the texts that stand in lists of JSON data: names, where other texts are sentences."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from listed(part)
    elif isinstance(value, list | tuple):
        for part in value:
            if isinstance(part, str):
                yield part
            else:
                yield from listed(part)
