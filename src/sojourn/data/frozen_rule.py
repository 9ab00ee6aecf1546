"""The rule of segments that one page of a case hands to another, as a file beside that page."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sojourn.core.errors import DataError
from sojourn.core.params import Params
from sojourn.core.project import root
from sojourn.core.results.take_away import TakeAway
from sojourn.data.tidy import MissingTableError

#: The study whose page finds segments, and the file that holds its rule.
STUDY, RULE = "segments", "rule.json"
_HEADLINE = "headline.json"
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
    headline, rule = params.places(case).reports / STUDY / _HEADLINE, read_rule(params, case)
    if not headline.is_file():
        raise _no_page(case)
    stated = params.for_cells(case, STUDY)
    for name in _COUNTED:
        learned = getattr(rule.counting, name)
        if learned != stated[name]:
            raise DataError(
                f"The rule of segments of '{case}' counts with {name} {learned}, its parameters say "
                f"{stated[name]}: they were changed after it was learned. {_again(case)} to learn it anew."
            )
    return FrozenRule(rule, json.loads(headline.read_text(encoding="utf-8")).get("verdict", ""))


def read_rule(params: Params, case: str) -> TakeAway:
    """Return the rule of segments of a case, whatever its parameters say by now.

    Parameters
    ----------
    params : Params
        The project's parameters.
    case : str
        Name of the case; that of a private one lies below ``private/``.

    Raises
    ------
    DataError
        When the page of segments was not made yet, or the file is no rule, or one of another case.
    MissingTableError
        When that page is there and found no segments.
    """
    params.case(case)
    path = params.places(case).reports / STUDY / RULE
    if not path.is_file():
        raise _found_none(case) if path.with_name(_HEADLINE).is_file() else _no_page(case)
    try:
        rule = TakeAway.from_json(path.read_text(encoding="utf-8"))
    except DataError as error:
        raise DataError(f"{path.relative_to(root()).as_posix()}: {error}") from error
    if rule.case != case:
        raise DataError(
            f"{path.name} is a rule of segments of '{rule.case}', not of '{case}': "
            "segments of one case say nothing of the members of another."
        )
    return rule


def _again(case: str) -> str:
    return f"Run `make reproduce`, or `sojourn cells {case} {STUDY}` and `sojourn run {case} {STUDY}`"


def _no_page(case: str) -> DataError:
    return DataError(f"No segments of '{case}' yet, whose rule is needed. {_again(case)}.")


def _found_none(case: str) -> MissingTableError:
    return MissingTableError(
        f"A rule of segments is needed, and the page of segments of '{case}' found none."
    )
