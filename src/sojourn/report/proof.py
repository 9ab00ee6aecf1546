"""Whether the calibrations behind a page still prove the code that made it.

`proofs.json` beside this module is written by `calibration/run.py` and stands in this room because every page
depends on it: a new proof makes pages anew, and nothing is read that the pipeline does not know of.
"""

from __future__ import annotations

import json
from pathlib import Path

from sojourn.core.proof import code_hash
from sojourn.core.results.check import Check, Verdict
from sojourn.core.text import listing

PROOFS = Path(__file__).with_name("proofs.json")
_NAME = "The proof of these numbers is current"


def check_proof(study: str) -> Check:
    """Check that coverage, error rates and ranks were measured on the code that stands here.

    Parameters
    ----------
    study : str
        Its calibrations are judged by the code of `src` that each of them measured.
    """
    proofs = json.loads(PROOFS.read_text(encoding="utf-8")).get(study, {})
    if not proofs:
        meaning = "Nobody has measured yet how often the intervals and rules of this page are right."
        return _check("warn", "No calibration of this study is recorded.", meaning)
    stale = [subject for subject, proof in proofs.items() if not _is_current(proof["rooms"], proof["hash"])]
    missed = [subject for subject, proof in proofs.items() if proof["missed"]]
    if missed:
        meaning = "An interval, a rule or a check of this page does not do what it says."
        return _check("fail", f"Goals were missed by the calibration of {listing(missed)}.", meaning)
    if stale:
        meaning = "Coverage and error rates on this page are those of older code: measure them again."
        return _check("warn", f"The code has changed since the calibration of {listing(stale)}.", meaning)
    meaning = (
        "The error rates that this page states were measured by simulation on the very code that made it."
    )
    return _check("pass", f"Unchanged since the calibration of {listing(list(proofs))}.", meaning)


def _is_current(rooms: list[str], proven: str) -> bool:
    try:
        return code_hash(rooms) == proven
    except FileNotFoundError:
        return False


def _check(verdict: Verdict, finding: str, meaning: str) -> Check:
    rates_from = "one character changed in the code; a changed comment alarms too"
    return Check(_NAME, verdict, finding, meaning, catch_rate=1.0, rates_from=rates_from)
