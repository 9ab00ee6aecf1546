"""How equal two rebuilt files are: the same bytes, the same within Monte Carlo error, or different.

On another class of machine last bits differ, and sampled numbers with them. There the numbers behind the
pages (headlines and CSV) are compared, within these tolerances:

- a number with an interval, and its bounds: 5 % of the interval's width. Four chains of 1,000 draws give
  a Monte Carlo error of about 2 % of a 95 % interval's width in the bounds, so 5 % is 2.5 such errors;
- a probability (``p_…``): 0.025, three Monte Carlo errors of a share of 4,000 draws at its worst, one half;
- a rule of segments decides alike (its fingerprint), and how faithful it is differs as other numbers do;
- a page, a picture, a query or a stage's hash is not compared there: it follows from the numbers beside it;
- everything else: one part in a million, which is more than last bits and less than any published digit.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Literal

Sameness = Literal[
    "same", "within Monte Carlo error", "follows from its numbers", "different", "missing", "new"
]

WIDTH_SHARE = 0.05
PROBABILITY = 0.025
RELATIVE = 1e-6


def compare_bytes(committed: bytes | None, rebuilt: bytes | None) -> Sameness:
    """Compare two files byte for byte; None is a file that is not there."""
    if committed is None:
        return "new"
    if rebuilt is None:
        return "missing"
    return "same" if committed == rebuilt else "different"


def compare_numbers(name: str, committed: str, rebuilt: str) -> Sameness:
    """Compare the numbers of two versions of a file within the stated tolerances.

    Parameters
    ----------
    name : str
        File name; its ending says how it is read (``.csv``, ``.json``). Other files are compared as text.
    committed, rebuilt : str
        Their texts.
    """
    if committed == rebuilt:
        return "same"
    rows = [list(_rows(name, text)) for text in (committed, rebuilt)]
    if not rows[0] or len(rows[0]) != len(rows[1]):
        return "different"
    close = all(_rows_close(a, b) for a, b in zip(*rows, strict=True))
    return "within Monte Carlo error" if close else "different"


def _rows(name: str, text: str) -> Iterator[Mapping[str, str]]:
    if name.endswith(".csv"):
        yield from csv.DictReader(io.StringIO(text))
    elif name.endswith("headline.json"):
        content = json.loads(text)
        numbers = {key: content.get(key) for key in ("value", "low", "high")}
        yield {
            "value": str(numbers["value"]),
            "value_low": str(numbers["low"]),
            "value_high": str(numbers["high"]),
            "verdict": str(content.get("verdict")),
            "status": str(content.get("status")),
        }
    elif name.endswith("rule.json"):
        content = json.loads(text)
        yield {"fingerprint": str(content["fingerprint"])}
        for told in (content["fidelity"], *content["fidelity"]["segments"]):
            yield {key: str(value) for key, value in told.items() if _with_interval(key, told)}


def _with_interval(name: str, told: Mapping[str, object]) -> bool:
    return f"{re.sub(r'_(low|high)$', '', name)}_low" in told


def _rows_close(a: Mapping[str, str], b: Mapping[str, str]) -> bool:
    return a.keys() == b.keys() and all(_close(name, a, b) for name in a)


def _close(name: str, a: Mapping[str, str], b: Mapping[str, str]) -> bool:
    if a[name] == b[name]:
        return True
    try:
        first, second = float(a[name]), float(b[name])
        return abs(first - second) <= _tolerance(name, a, first)
    except ValueError:
        return False


def _tolerance(name: str, row: Mapping[str, str], value: float) -> float:
    stem = re.sub(r"_(low|high)$", "", name)
    if row.get(f"{stem}_low") and row.get(f"{stem}_high"):
        return WIDTH_SHARE * abs(float(row[f"{stem}_high"]) - float(row[f"{stem}_low"]))
    return PROBABILITY if name.startswith("p_") else RELATIVE * max(abs(value), 1.0)
