"""Parameter files are data: plain YAML, read without tags, aliases or repeated names, of bounded size."""

from __future__ import annotations

from typing import Any

import yaml

from sojourn.core.errors import ParameterError
from sojourn.core.legible import visible

#: Most characters of a parameter file, and its deepest nesting.
MOST_CHARACTERS, DEEPEST = 1_000_000, 40


class _Plain(yaml.SafeLoader):
    """Builds texts, numbers, dates, lists and sections, and nothing else."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused(event, "an anchor or alias (& or *)", "Write the value out")
        if getattr(event, "tag", None):
            raise _refused(
                event, f"the tag '{visible(str(event.tag))[:60]}'", "A parameter file is data only"
            )
        self.depth += 1
        if self.depth > DEEPEST:
            raise _refused(event, f"sections more than {DEEPEST} deep", "Flatten it")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key, "a name that is no text", "A section has plain names")
            if key.value in seen:
                raise _refused(key, f"the name '{visible(key.value)[:60]}' a second time", "Keep one of them")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _RefusedError(Exception):
    """Why a file is not plain, and where."""


def _refused(place: Any, what: str, hint: str) -> _RefusedError:
    mark = place.start_mark
    return _RefusedError(f"line {mark.line + 1:,} holds {what}. {hint}.")


def read_plain_yaml(text: str, name: str) -> Any:
    """Return the content of a parameter file.

    Parameters
    ----------
    text : str
        The file's text.
    name : str
        How the file is called in errors.

    Raises
    ------
    ParameterError
        When it is not YAML, or more than plain data: tags that build objects, anchors and aliases, a name
        twice in one section, more than `MOST_CHARACTERS`, or sections deeper than `DEEPEST`.
    """
    if len(text) > MOST_CHARACTERS:
        raise ParameterError(f"{name} has {len(text):,} characters, at most {MOST_CHARACTERS:,} are read.")
    try:
        return yaml.load(text, Loader=_Plain)  # a safe loader that allows less
    except _RefusedError as refused:
        raise ParameterError(f"{name}: {refused}") from refused
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = visible(str(error))[:300]
        raise ParameterError(f"{name} is not readable YAML: {why}") from error
