"""What the segments made of the messages they were sent after the cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from sojourn.core.cells import Cells
from sojourn.core.normal import standard_errors
from sojourn.core.results.segments import Features, Floats, Segmentation
from sojourn.core.results.segments_described import EVERYONE, MessageResponse
from sojourn.studies.segments.describe import shown_segments
from sojourn.studies.segments.features import features
from sojourn.studies.segments.shown import Shown

#: An interval is claimed only where so many members opened a message, and so many left one unopened.
LEAST_MEMBERS = 10

_TABLE = ["segment", "n", "sent_each", "opened_share", "opened_share_low", "opened_share_high"]


def message_response(source: Cells | Features, found: Segmentation) -> MessageResponse:
    """Return which share of the messages sent to each segment after the cut was opened.

    Parameters
    ----------
    source : Cells or Features
        The same that `find_segments` read.
    found : Segmentation
        Its result; only members that were not used to fit are counted.

    Returns
    -------
    MessageResponse
        Empty, with the reason, where there are no messages. Segments in which fewer than `min_group` members
        were sent any are left out.

    Notes
    -----
    Ratio of sums over members; its interval takes members, not messages, as drawn (linearised ratio, Cochran
    1977, Sampling Techniques, section 6.3), on the scale of log odds.
    """
    seen = source if isinstance(source, Features) else features(source)
    days, shown, after = int(seen.meta["params"]["outcome_days"]), Shown.of(seen.meta, found.mass), seen.next
    if "sent" not in after.columns:
        return _none("The data hold no messages that say whether they were opened.", days, found.mass)
    sent, opened = (after.loc[~seen.fit, name].to_numpy(dtype=np.float64) for name in ("sent", "opened"))
    reached = sent > 0
    if shown.size(int(reached.sum())) < found.min_group:
        return _none(f"Hardly any messages were sent in the {days} days after the cut.", days, found.mass)
    parts = [*shown_segments(seen, found), (EVERYONE, np.ones(len(sent), dtype=np.bool_))]
    cap = shown.cap(sent)
    counted = np.minimum(1.0, cap / np.maximum(sent, 1.0))
    sent, opened = counted * sent, counted * opened
    rows = [
        _response(name, sent[inside & reached], opened[inside & reached], shown, cap)
        for name, inside in parts
        if shown.size(int((inside & reached).sum())) >= found.min_group
    ]
    told = [one for one in rows if one.name != EVERYONE and math.isfinite(one.low)]
    table = pd.DataFrame([one.as_row() for one in rows], columns=_TABLE)
    return MessageResponse(table, days, found.mass, shown.score(_alike(told)))


@dataclass(frozen=True, slots=True)
class _Response:
    """What became of the messages of one segment; `error` is that of the share."""

    name: str
    n: int
    sent_each: float
    share: float
    low: float
    high: float
    error: float

    def as_row(self) -> dict[str, str | float]:
        """Return a row of `MessageResponse.table`."""
        values = (self.name, self.n, self.sent_each, self.share, self.low, self.high)
        return dict(zip(_TABLE, values, strict=True))


def _response(name: str, sent: Floats, opened: Floats, shown: Shown, cap: float) -> _Response:
    """Return what became of messages; bounds only where enough members opened some, and left some."""
    n = shown.size(len(sent))
    all_of, some = (shown.total(values, cap) for values in (sent, opened))
    share = min(some / all_of, 1.0) if all_of else math.nan
    few = min(shown.size(int((opened > 0).sum())), shown.size(int((opened < sent).sum()))) < LEAST_MEMBERS
    if few or not 0 < share < 1:
        return _Response(name, n, all_of / n, share, math.nan, math.nan, math.nan)
    of_steps = shown.rounding(cap) * math.hypot(1.0, share) / all_of  # in both sums
    error = shown.error(math.hypot(ratio_error(sent, opened), of_steps))
    centre, reach = math.log(share / (1 - share)), standard_errors(shown.mass) * error / (share * (1 - share))
    low, high = (1 / (1 + math.exp(-odds)) for odds in (centre - reach, centre + reach))
    return _Response(name, n, all_of / n, share, low, high, error)


def _alike(told: Sequence[_Response]) -> float:
    """Return how likely shares so far apart are if all segments open alike.

    Cochran's Q (1954, Biometrics 10, 101-129).
    """
    if len(told) < 2:
        return math.nan
    share = np.array([one.share for one in told])
    weight = np.array([one.error**-2 for one in told])
    middle = float((weight * share).sum() / weight.sum())
    return float(chi2.sf((weight * (share - middle) ** 2).sum(), len(told) - 1))


def ratio_error(under: Floats, over: Floats) -> float:
    """Return the standard error of sum(over) / sum(under), members drawn with all that is theirs.

    Parameters
    ----------
    under, over : array of float
        One number per member, at least two members.
    """
    n, ratio = len(under), float(over.sum() / under.sum())
    residuals = over - ratio * under
    return float(math.sqrt(n * residuals.var(ddof=1)) / under.sum())


def _none(why: str, days: int, mass: float) -> MessageResponse:
    return MessageResponse(pd.DataFrame(columns=_TABLE), days, mass, why_empty=why)
