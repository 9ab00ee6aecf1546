"""What the segments made of the messages they were sent after the cut."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

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
        _row(name, sent[inside & reached], opened[inside & reached], shown, cap)
        for name, inside in parts
        if shown.size(int((inside & reached).sum())) >= found.min_group
    ]
    return MessageResponse(pd.DataFrame(rows, columns=_TABLE), days, found.mass)


def _row(name: str, sent: Floats, opened: Floats, shown: Shown, cap: float) -> dict[str, str | float]:
    n = shown.size(len(sent))
    all_of, some = (shown.total(values, cap) for values in (sent, opened))
    share = min(some / all_of, 1.0) if all_of else math.nan
    return {
        "segment": name,
        "n": n,
        "sent_each": all_of / n,
        "opened_share": share,
        **dict(
            zip(
                ("opened_share_low", "opened_share_high"),
                _bounds(sent, opened, share, shown, cap),
                strict=True,
            )
        ),
    }


def _bounds(sent: Floats, opened: Floats, share: float, shown: Shown, cap: float) -> tuple[float, float]:
    """Return bounds of a ratio of sums on the scale of log odds; not numbers where too few stand behind."""
    few = min(int((opened > 0).sum()), int((opened < sent).sum())) < LEAST_MEMBERS
    if few or not 0 < share < 1:
        return math.nan, math.nan
    error = math.hypot(ratio_error(sent, opened), shown.rounding(cap) / float(sent.sum()))
    centre, reach = math.log(share / (1 - share)), standard_errors(shown.mass) * error / (share * (1 - share))
    return _share(centre - reach), _share(centre + reach)


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


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _none(why: str, days: int, mass: float) -> MessageResponse:
    return MessageResponse(pd.DataFrame(columns=_TABLE), days, mass, why_empty=why)
