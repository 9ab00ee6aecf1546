"""Clean SVG: no metadata, short stable ids, rounded coordinates, colours that follow the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import groupby

from sojourn.core.errors import SojournError
from sojourn.core.palette import LIGHT

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NAMES = {hex_: name for name, hex_ in LIGHT.items()}
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_GEOMETRY = ("points", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "cx", "cy", "r")

#: What a browser assumes anyway, so it need not be written.
_DEFAULTS = {
    "stroke-linejoin: miter",
    "fill-rule: nonzero",
    "stroke-linecap: butt",
    "opacity: 1",
    "stroke-opacity: 1",
}

#: From so many neighbours on a shared style pays for its group.
_RUN = 3
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans CJK SC', 'PingFang SC', sans-serif"


def clean(raw: str, *, prefix: str, label: str) -> str:
    """Return an SVG element fit to stand inside a page, beside others.

    Parameters
    ----------
    raw : str
        As matplotlib's SVG backend writes it.
    prefix : str
        Begins every id, so that ids of two pictures never meet.
    label : str
        Text for readers who cannot see it.

    Raises
    ------
    SojournError
        When it holds a bitmap, which neither scales nor follows the theme.
    """
    root = ET.fromstring(raw)
    if root.find(f".//{_SVG}image") is not None:
        raise SojournError(f"The picture '{prefix}' holds a bitmap; draw fields with pcolormesh, not imshow.")
    _drop_empty(root)
    _shorten_ids(root, prefix)
    for element in root.iter():
        _simplify(element)
    _flatten(root)
    _share(root)
    _set_root(root, label)
    ET.register_namespace("", _SVG[1:-1])
    text = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return re.sub(r"\s*\n\s*", " ", text).replace("> <", "><").replace(" />", "/>")


def _drop_empty(parent: ET.Element) -> None:
    """Remove style sheets and groups that draw nothing."""
    for child in list(parent):
        _drop_empty(child)
        tag = child.tag.removeprefix(_SVG)
        unpainted = "fill: none" in child.get("style", "") and "stroke" not in child.get("style", "")
        invisible = tag == "path" and not child.get("id") and (unpainted or not child.get("d"))
        if tag == "style" or invisible or (tag in ("g", "defs") and not len(child)):
            parent.remove(child)


def _used_ids(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        for name, value in element.attrib.items():
            yield from _REFERENCE.findall(value)
            if name == _HREF:
                yield value.removeprefix("#")


def _shorten_ids(root: ET.Element, prefix: str) -> None:
    """Number the ids that something refers to, in order of appearance, and drop the others."""
    used = set(_used_ids(root))
    present = [element.get("id", "") for element in root.iter() if element.get("id") in used]
    short = {old: f"{prefix}-{i}" for i, old in enumerate(dict.fromkeys(present), start=1)}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in short:
            element.set("id", short[old])
        for name, value in list(element.attrib.items()):
            if name == _HREF:
                del element.attrib[name]
                element.set("href", "#" + short[value.removeprefix("#")])
            elif "url(" in value:
                element.set(name, _REFERENCE.sub(lambda found: f"url(#{short[found.group(1)]})", value))


def _simplify(element: ET.Element) -> None:
    if "d" in element.attrib:
        element.set("d", _path(element.attrib["d"]))
    for name in _GEOMETRY:
        if name in element.attrib:
            element.set(name, _round(element.attrib[name]))
    rotation = re.sub(r"rotate\(-?0(\.0+)? [^)]*\)", "", element.get("transform", "")).strip()
    if "transform" in element.attrib:
        element.set("transform", rotation)
        if not rotation:
            del element.attrib["transform"]
    if "style" in element.attrib:
        style = _style(element.attrib["style"])
        element.set("style", style)
        if not style:
            del element.attrib["style"]


def _round(numbers: str) -> str:
    """Round to a tenth of a point, which is finer than a screen shows."""
    return re.sub(
        r"\s+", " ", _NUMBER.sub(lambda found: _tenths(round(float(found.group()) * 10)), numbers)
    ).strip()


def _tenths(tenths: int) -> str:
    """Print a number of tenths as SVG allows it at its shortest: 0.5 as ``.5``, 2.0 as ``2``."""
    whole, rest = divmod(abs(tenths), 10)
    text = f"{whole or ''}.{rest}" if rest else str(whole)
    return f"-{text}" if tenths < 0 else text


def _path(d: str) -> str:
    """Return the same path to a tenth of a point, in relative steps where it is made of straight lines.

    Every point is rounded before steps are taken, so nothing drifts.
    """
    parts = _COMMAND.findall(d)
    if any(command not in "MLz" for command, _ in parts):
        return re.sub(r"\s*([MLCQz])\s*", r"\1", _round(d))
    out, at = [], (0, 0)
    for command, numbers in parts:
        if command == "z":
            out.append("z")
            continue
        x, y = (round(float(n) * 10) for n in numbers.split())
        out.append(_move(command, x, y) if command == "M" else _step(x - at[0], y - at[1]))
        at = (x, y)
    return "".join(out)


def _move(command: str, x: int, y: int) -> str:
    return f"{command}{_tenths(x)} {_tenths(y)}"


def _step(right: int, down: int) -> str:
    if right and down:
        return f"l{_tenths(right)}{'' if down < 0 else ' '}{_tenths(down)}"
    return f"h{_tenths(right)}" if right else f"v{_tenths(down)}" if down else ""


def _style(style: str) -> str:
    parts = [part.strip() for part in style.split(";")]
    kept = [
        _colours(part)
        for part in parts
        if part and part not in _DEFAULTS and not part.startswith("font-family")
    ]
    return ";".join(re.sub(r"\s*:\s*", ":", re.sub(r"'DejaVu Sans'", "inherit", part)) for part in kept)


def _colours(text: str) -> str:
    """Turn every named colour into a CSS variable that falls back on itself where there is no page."""
    return _COLOUR.sub(lambda found: _variable(found.group().lower()), text)


def _variable(colour: str) -> str:
    return f"var(--{_NAMES[colour]},{colour})" if colour in _NAMES else colour


def _flatten(parent: ET.Element) -> None:
    """Put children in the place of a group that says nothing, or nothing that an only child cannot say."""
    flat: list[ET.Element] = []
    for child in list(parent):
        _flatten(child)
        if child.tag == f"{_SVG}g" and len(child) == 1 and _may_merge(child, child[0]):
            child[0].attrib.update(child.attrib)
            child.attrib.clear()
        flat += list(child) if child.tag == f"{_SVG}g" and not child.attrib else [child]
    parent[:] = flat


def _may_merge(group: ET.Element, child: ET.Element) -> bool:
    """Whether a group can pass on what it says; a clip would move with a transform, or with a used mark."""
    both = {*group.attrib, *child.attrib}
    moves = "transform" in both or child.tag == f"{_SVG}use"
    return group.attrib.keys().isdisjoint(child.attrib) and not moves


def _share(parent: ET.Element) -> None:
    """Say the style of three or more neighbours of one kind once, on a group around them."""
    grouped: list[ET.Element] = []
    for child in parent:
        _share(child)
    for _, run in groupby(list(parent), key=lambda e: (e.tag, e.get("style"), e.get("clip-path"))):
        members = list(run)
        shared = {name: members[0].get(name, "") for name in ("style", "clip-path") if members[0].get(name)}
        if len(members) < _RUN or not shared or any("id" in e.attrib for e in members):
            grouped += members
            continue
        group = ET.Element(f"{_SVG}g", shared)
        for member in members:
            for name in shared:
                del member.attrib[name]
        group.extend(members)
        grouped.append(group)
    parent[:] = grouped


def _set_root(root: ET.Element, label: str) -> None:
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("font-family", _FONT)
