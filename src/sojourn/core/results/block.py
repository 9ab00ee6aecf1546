"""What a notebook shows: a block that JupyterLab displays and the page maker understands.

A block carries its content twice: as text and HTML (or SVG) for a notebook, and as plain data under
`MIME`, from which the page is set. Nothing is written by a notebook itself: the runner takes tables,
pictures and the headline out of these blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BlockKind = Literal["answer", "figures", "picture", "table", "checks", "actions", "files", "note", "missing"]

#: Media type under which a block's data stands in a notebook's output.
MIME = "application/vnd.sojourn.block+json"


@dataclass(frozen=True, slots=True)
class Block:
    """One thing on a page.

    Attributes
    ----------
    kind : str
        What it is; decides how the page sets it.
    data : mapping
        Content as JSON holds it: numbers rounded to their published precision, words ready to read.
    text : str
        The same in plain text, for a terminal or a diff.
    shown : mapping of media type to str
        How a notebook shows it (``text/html`` or ``image/svg+xml``).
    """

    kind: BlockKind
    data: Mapping[str, Any]
    text: str
    shown: Mapping[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002 (Jupyter passes both)
        payload = {"kind": self.kind, **self.data}
        return {"text/plain": self.text, **self.shown, MIME: payload}

    def __repr__(self) -> str:
        return self.text
