"""What looks like a person or like code in a text: where it stands and of which kind, never what it is.

Rules, chosen so that numbers of a report (amounts, dates, ids, thousands) raise no alarm:

- *e-mail address*: ``local@domain.tld``, also with ``%40`` or a full-width sign in place of ``@``.
- *phone number*: ``+`` and 8 to 15 digits in groups, or 10 to 15 at a stretch; ``00`` and 8 to 15 digits in
  groups; a leading zero and 9 to 12 digits in groups; ``555-223-4567`` and ``(555) 223-4567``; 7 to 15 digits
  behind a word such as "phone".
  Groups of exactly three digits are thousands, ``2024-05-01`` and ``01.05.2024`` are dates.
- *payment card*: 13 to 19 digits of a known network, alone or grouped as on a card, whose check digit holds
  (Luhn).
- *bank account*: an IBAN of a country's length whose check digits hold (ISO 13616, modulo 97).
- *IP address*: four numbers up to 255, one of them above 9, or a full or shortened (``::``) one of version 6.
- *pseudonym*: exactly 64 hexadecimal digits, as the door makes of an id.
- *markup*, *script*: what a browser would take for an element, or would run.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "e-mail address",
    "phone number",
    "payment card",
    "bank account",
    "IP address",
    "pseudonym",
    "markup",
    "script",
]

#: Kinds that say who somebody is, and kinds that a browser would act on.
PERSONAL: tuple[Kind, ...] = (
    "e-mail address",
    "payment card",
    "bank account",
    "phone number",
    "IP address",
    "pseudonym",
)
ACTIVE: tuple[Kind, ...] = ("markup", "script")

#: Every text with something personal matches this; databases can run it (no look-around).
MAYBE_PERSONAL = (
    r"@|%40|＠|[0-9A-Fa-f]{64}|[A-Za-z]{2}[0-9]{2}[ ]?[0-9A-Za-z]{3}|[0-9]([^0-9A-Za-z]{0,4}[0-9]){6}"
    r"|[0-9]\.[0-9]+\.[0-9]+\.[0-9]|:[0-9A-Fa-f]{0,4}:"
)

_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
    "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 "
    "TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTH = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}

_SEP = r"[ \u00a0\u202f./-]"
_EMAIL = re.compile(
    r"[\w.!#$&'*+/=?^`{|}~-]{1,64}(?:@|%40|＠)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}"
)
_INTERNATIONAL = re.compile(
    rf"(?<![\d+])(?<!\d[eE])\+[ ]?[1-9]\d{{0,2}}(?:{_SEP}?\(0\))?(?:{_SEP}?[ ]?\(?\d{{1,14}}\)?){{1,7}}"
    r"(?!\d)(?![.,]\d)"
)
_TRUNK = re.compile(
    rf"(?<![\w+.,'%])(?<!\w[-/])\(?0\d{{1,5}}\)?(?:{_SEP}[ ]?\(?\d{{2,10}}\)?){{1,6}}(?![\d%])(?![.,:]\d)"
)
_AMERICAN = re.compile(
    r"(?<![\w+.,'])(?<!\w[-/])(?:1[ .-])?"
    r"(?:\([2-9]\d\d\)[ ]?[2-9]\d\d[ .-]|[2-9]\d\d([.-])[2-9]\d\d\1)\d{4}(?![\d%])(?![.,:-]\d)"
)
_TOLD = re.compile(
    r"\b(?:tel|phone|telephone|telefon|téléphone|mobile|mobil|handy|cell|fax|whatsapp|sms|call|ring)(?:nummer)?"
    r"(?: (?:me|us|number|no|on|at|is))*[.:]?[ ]?"
    rf"(?P<number>\(?\d{{1,15}}\)?(?:{_SEP}[ ]?\(?\d{{1,14}}\)?){{0,6}})"
    r"(?![\w%])(?![.,:]\d)",
    re.IGNORECASE,
)
_CARD = re.compile(
    r"(?<![\d.,])(?<!\d[ -])(?=(\d{13,19}(?!\d)|\d{4}([ -])\d{4}\2\d{4}\2\d{4}(?:\2\d{3})?(?!\d)"
    r"|\d{4}([ -])\d{6}\3\d{4,5}(?!\d)))"
    r"|(?<=\d[ -])(?=(\d{4}([ -])\d{4}\5\d{4}\5\d{4}(?!\d)))"
)
_NETWORK = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d|2\d\d)\d{12,15}"
)
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?=[ ]?[A-Z0-9])", re.IGNORECASE)
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_PSEUDONYM = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.IGNORECASE)
_MARKUP = re.compile(r"</?[a-z][^<>]{0,2000}>|</?[a-z]\w{0,30}[\s/]|<[!?]|]]>", re.IGNORECASE)
_SCRIPT = re.compile(
    r"</?(?:script|iframe|object|embed)\b|(?:java|vb)\s{0,3}script\s{0,3}:|data\s{0,3}:\s{0,3}text/html"
    r"|(?<![\w-])on[a-z]{3,20}\s{0,3}=\s{0,3}[\"'`\w]",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"(?:(?:1[89]|20)\d\d([-/.])\d{{1,2}}\1\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\2(?:1[89]|20)\d\d)(?:(?:{_SEP}|$).*)?"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f.]\d{3})+")


@dataclass(frozen=True, slots=True)
class Found:
    """Something found in a text.

    Attributes
    ----------
    kind : str
        What it looks like.
    start, end : int
        Where it stands: ``text[start:end]``.
    """

    kind: Kind
    start: int
    end: int


def found_in(text: str, kinds: Iterable[Kind] = PERSONAL) -> list[Found]:
    """Return everything of some kinds that stands in a text, in order of place; nothing overlaps.

    Parameters
    ----------
    text : str
        Any text.
    kinds : iterable of str
        What to look for; where two kinds overlap the one named first is kept.
    """
    kept: list[Found] = []
    for kind in kinds:
        for start, end in _FINDERS[kind](text):
            if all(end <= other.start or start >= other.end for other in kept):
                kept.append(Found(kind, start, end))
    return sorted(kept, key=lambda found: found.start)


def shape(value: str) -> str:
    """Return a text as its shape: capitals ``A``, other letters ``a``, digits ``9``, signs as they are.

    Runs of more than four are shortened, so that a shape names nobody.

    Examples
    --------
    >>> shape("Ada.Lovelace@example.org"), shape("+49 30 1234567")
    ('Aaa.Aaaaa+@aaaa+.aaa', '+99 99 9999+')
    """
    kinds = "".join(_letter(letter) for letter in value)
    short = re.sub(
        r"(a{4})a+|(A{4})A+|(9{4})9+", lambda m: f"{m.group(1) or m.group(2) or m.group(3)}+", kinds
    )
    return short if len(short) <= 40 else short[:39] + "…"


def _letter(letter: str) -> str:
    if letter.isnumeric():
        return "9"
    if letter.isalpha():
        return "A" if letter.isupper() else "a"
    return letter if letter.isprintable() else "?"


def _all(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    def find(text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in pattern.finditer(text))

    return find


def _phones(text: str) -> Iterator[tuple[int, int]]:
    yield from (m.span() for m in _INTERNATIONAL.finditer(text) if _is_international(m.group()))
    yield from (m.span() for m in _TRUNK.finditer(text) if _is_trunk(m.group(), text[: m.start()]))
    yield from (m.span() for m in _AMERICAN.finditer(text))
    for match in _TOLD.finditer(text):
        number = match.group("number")
        if 7 <= _digits(number) <= 15 and not _DATE.fullmatch(number) and not _THOUSANDS.fullmatch(number):
            yield match.span("number")


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)


def _is_international(number: str) -> bool:
    """Whether a number with a plus is a phone number: no signed amount, whole or decimal, and no date."""
    bare = number[1:].strip()
    amount = bare.isdigit() or _THOUSANDS.fullmatch(bare)
    if re.fullmatch(r"\d+\.\d+", bare) or _DATE.fullmatch(bare):
        return False
    return (10 if amount else 8) <= _digits(number) <= 15


def _is_trunk(number: str, before: str) -> bool:
    """Whether a number with a leading zero is a phone number: not a date, not the rest of a larger number."""
    abroad = number.lstrip("(").startswith("00")
    if _DATE.fullmatch(number) or not (10 if abroad else 9) <= _digits(number) <= (17 if abroad else 12):
        return False
    rest = re.search(r"\d[ \u00a0\u202f]$", before) and (abroad or _THOUSANDS.fullmatch(number))
    return not rest and not re.search(r"^\(?000|[^\d(]00", number)


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        number = match.group(1) or match.group(4)
        digits = re.sub(r"\D", "", number)
        if _NETWORK.fullmatch(digits) and _luhn(digits):
            yield match.start(), match.start() + len(number)


def _luhn(digits: str) -> bool:
    """Whether the check digit holds (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTH.get(match.group()[:2].upper())
        rest = re.compile(rf"(?:[ ]?[A-Za-z0-9]){{{(length or 15) - 4}}}(?![A-Za-z0-9])").match(
            text, match.end()
        )
        if length and rest and _mod97(text[match.start() : rest.end()]):
            yield match.start(), rest.end()


def _mod97(iban: str) -> bool:
    """Whether the check digits of an account number hold (ISO 13616-1, ISO/IEC 7064)."""
    turned = re.sub(r"\s", "", iban).upper()
    turned = turned[4:] + turned[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in _IP4.finditer(text):
        parts = [int(part) for part in match.group().split(".")]
        if max(parts) <= 255 and max(parts) > 9:
            yield match.span()
    for match in _IP6.finditer(text):
        if _is_ip6(match.group()):
            yield match.span()


def _is_ip6(text: str) -> bool:
    if text.count(":") < 7 and "::" not in text:
        return False
    groups = [group for group in text.split(":") if group]
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return len(groups) >= 3 and any(map(str.isdigit, "".join(groups)))


_FINDERS: dict[Kind, Callable[[str], Iterator[tuple[int, int]]]] = {
    "e-mail address": _all(_EMAIL),
    "phone number": _phones,
    "payment card": _cards,
    "bank account": _ibans,
    "IP address": _addresses,
    "pseudonym": _all(_PSEUDONYM),
    "markup": _all(_MARKUP),
    "script": _all(_SCRIPT),
}
