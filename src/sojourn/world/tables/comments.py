"""What members write in surveys: short texts from a small vocabulary, in two languages."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

#: First sentence by language and mood (unhappy, indifferent, happy).
_FIRST: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("I am disappointed.", "This was not good.", "I had hoped for more.", "Please do better."),
        ("It is all right.", "Nothing special.", "Could be better, could be worse.", "Fine so far."),
        ("I like it a lot.", "Great!", "Very good, thank you.", "I tell all my friends."),
    ),
    (
        ("Ich bin enttäuscht.", "Das war nicht gut.", "Ich hatte mehr erwartet.", "Bitte besser machen."),
        ("Ganz in Ordnung.", "Nichts Besonderes.", "Mal so, mal so.", "Bisher passt es."),
        ("Gefällt mir sehr.", "Großartig!", "Sehr gut, danke.", "Ich erzähle es allen Freunden."),
    ),
)
#: What it is about, by language.
_ABOUT: tuple[tuple[str, ...], ...] = (
    ("It is about the price.", "It is about the pages.", "It is about the courses.", "It is about the help."),
    ("Es geht um den Preis.", "Es geht um die Seiten.", "Es geht um die Kurse.", "Es geht um die Hilfe."),
)
#: How a member asks to be reached, by language.
_REACH: tuple[str, str] = ("Please reach me at {}.", "Erreichbar unter {}.")
_NAMES: tuple[str, ...] = ("anna.berg", "li.wei", "j.smith", "maria-lopez", "t_oezdemir", "kofi99")
#: Addresses and numbers that are reserved for examples and drama, so they belong to nobody.
CONTACTS: tuple[str, ...] = (
    *(f"{name}@example.{end}" for name in _NAMES for end in ("org", "com", "net")),
    *(f"+49 30 23125 {number:03d}" for number in range(0, 120, 10)),
    *(f"+44 20 7946 0{number:03d}" for number in range(0, 60, 10)),
    *(f"030/23125{number}" for number in range(200, 260, 10)),
)
#: Sizes of what a comment is put together from: languages, moods, first sentences, what about.
SHAPE: tuple[int, int, int, int] = (len(_FIRST), len(_FIRST[0]), len(_FIRST[0][0]), len(_ABOUT[0]))


@lru_cache(maxsize=1)
def comments() -> tuple[str, ...]:
    """Return all comments there may be: with no contact, then with each of `CONTACTS`.

    Within each of these the last of `SHAPE` runs fastest.
    """
    plain = [
        (language, f"{_FIRST[language][mood][first]} {_ABOUT[language][about]}")
        for language, mood, first, about in product(*map(range, SHAPE))
    ]
    reached = [f"{text} {_REACH[language].format(who)}" for who in CONTACTS for language, text in plain]
    return (*(text for _, text in plain), *reached)
