"""Names of bands of members from least to most active, and how they stand in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

_FRACTIONS = {2: "half", 3: "third", 4: "quarter", 5: "fifth"}
_DEGREES: Mapping[int, tuple[str, ...]] = {
    2: ("less active", "more active"),
    3: ("least active", "middle", "most active"),
    4: ("least active", "less active", "more active", "most active"),
    5: ("least active", "less active", "middle", "more active", "most active"),
}
#: Bands of which there are more are numbered.
_NUMBERED, _FROM = "band ", ", from least active"


def band_names(bands: int) -> tuple[str, ...]:
    """Return names of bands of equal size, least active first.

    Examples
    --------
    >>> band_names(4)
    ('least active quarter', 'less active quarter', 'more active quarter', 'most active quarter')
    >>> band_names(6)[0]
    'band 1 of 6, from least active'
    """
    if bands not in _DEGREES:
        return tuple(f"{_NUMBERED}{i} of {bands}{_FROM}" for i in range(1, bands + 1))
    return tuple(f"{degree} {_FRACTIONS[bands]}" for degree in _DEGREES[bands])


def the_band(segment: str) -> str:
    """Return how a band stands in a sentence; empty where a segment is none.

    Examples
    --------
    >>> the_band("most active quarter"), the_band("band 2 of 6, from least active"), the_band("buyers")
    ('the most active quarter', 'band 2 of 6', '')
    """
    if segment.startswith(_NUMBERED) and segment.endswith(_FROM):
        return segment.removesuffix(_FROM)
    return f"the {segment}" if segment.endswith(tuple(f" {part}" for part in _FRACTIONS.values())) else ""
