"""The rule of segments that one page of a case hands to another, as a file beside that page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sojourn.core.errors import DataError
from sojourn.core.params import Params
from sojourn.core.results.take_away import TakeAway
from sojourn.data.tidy import MissingTableError

#: The study whose page finds segments, and the file that holds its rule.
STUDY, RULE = "segments", "rule.json"
#: What a rule and the parameters of the cells of `segments` both say of how members are counted.
_COUNTED = ("trend_days", "min_tenure_days")


@dataclass(frozen=True, slots=True)
class FrozenRule:
    """A rule of segments, and what was found when it was learned.

    Attributes
    ----------
    rule : TakeAway
        The rule.
    verdict : str
        Of the page that handed it out, such as ``5 groups``.
    """

    rule: TakeAway
    verdict: str


def read_frozen_rule(params: Params, case: str) -> FrozenRule:
    """Return the rule of segments that the page `segments` of a case hands out.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case : str
        Name of the case; that of a private one lies below ``private/``.

    Raises
    ------
    DataError
        When that page was not made yet, or the rule is of another case, or of another counting than the
        parameters state.
    MissingTableError
        When the page is there and found no segments.
    """
    folder = params.places(case).reports / STUDY
    headline, path = folder / "headline.json", folder / RULE
    again = f"Run `make reproduce`, or `sojourn run {case} {STUDY}`"
    if not headline.is_file():
        raise DataError(f"No segments of '{case}' yet, whose rule the board needs. {again}.")
    if not path.is_file():
        raise MissingTableError(
            f"The board needs a rule of segments, and the page of segments of '{case}' found none."
        )
    rule = _of_case(path, case)
    stated = params.for_cells(case, STUDY)
    for name in _COUNTED:
        learned = getattr(rule.counting, name)
        if learned != stated[name]:
            raise DataError(
                f"The rule of segments of '{case}' counts with {name} {learned}, its parameters say "
                f"{stated[name]}: they were changed after it was learned. {again} to learn it anew."
            )
    return FrozenRule(rule, json.loads(headline.read_text(encoding="utf-8")).get("verdict", ""))


def _of_case(path: Path, case: str) -> TakeAway:
    rule = TakeAway.from_json(path.read_text(encoding="utf-8"))
    if rule.case != case:
        raise DataError(
            f"{path.name} is a rule of segments of '{rule.case}', not of '{case}': "
            "segments of one case say nothing of the members of another."
        )
    return rule
