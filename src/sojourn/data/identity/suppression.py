"""Who is forgotten: pseudonyms only, so that the list itself names nobody, yet knows who comes again.

The list of a case stands in ``private/forgotten/CASE.csv``, which git ignores. A pseudonym of it is made with
the case's own key, like all others; that of a prospect is made of another text, so that a prospect and a
member with the same id are two.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sojourn.core.errors import DataError
from sojourn.core.folder import PRIVATE_FOLDER
from sojourn.core.project import root
from sojourn.data.pseudonyms import Key

Kind = Literal["member", "prospect"]

_HEADER = ("kind", "pseudonym")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The list of one case.

    Attributes
    ----------
    members, prospects : frozenset of str
        Pseudonyms.
    """

    members: frozenset[str] = frozenset()
    prospects: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Return whether anybody is forgotten."""
        return bool(self.members or self.prospects)


def hidden(key: Key, kind: Kind, identifier: str) -> str:
    """Return the pseudonym under which a member or a prospect stands in the list."""
    return key.pseudonym(identifier if kind == "member" else f"prospect\0{identifier}")


def place_of_list(case: str) -> Path:
    """Return the path of a case's list."""
    return root() / "private" / "forgotten" / f"{case}.csv"


def read_forgotten(case: str) -> Forgotten:
    """Return the list of a case, empty where nobody is forgotten.

    Raises
    ------
    DataError
        When the file is there and is no such list; going on would bring members back.
    """
    path = place_of_list(case)
    if not path.is_file():
        return Forgotten()
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = list(csv.reader(file)) or [[]]
    kinds = {line[0] for line in lines if line}
    if tuple(header) != _HEADER or kinds - {"member", "prospect"} or any(len(line) != 2 for line in lines):
        raise DataError(
            f"private/forgotten/{case}.csv is damaged, so nobody knows who is to be left out. "
            "Take it from a backup; without it members would come back."
        )
    return Forgotten(
        frozenset(line[1] for line in lines if line[0] == "member"),
        frozenset(line[1] for line in lines if line[0] == "prospect"),
    )


def add_forgotten(case: str, members: Iterable[str], prospects: Iterable[str]) -> None:
    """Add pseudonyms to the list of a case: all of them or, when this is stopped, none.

    Parameters
    ----------
    case : str
        Name of the case.
    members, prospects : iterable of str
        Pseudonyms.
    """
    former, path = read_forgotten(case), place_of_list(case)
    lines = sorted(
        {("member", one) for one in former.members.union(members)}
        | {("prospect", one) for one in former.prospects.union(prospects)}
    )
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with the mode 0600
    with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_HEADER, *lines])
    Path(name).replace(path)
