"""Whether the effects of schemes are those that are planted in a simulated world."""

from __future__ import annotations

from math import comb

from sojourn.core.cells import Cells
from sojourn.core.planted import planted_effects
from sojourn.core.results.board import WorksOn
from sojourn.core.results.check import Check, Verdict
from sojourn.core.text import listing, percent, plural

#: So few intervals hold the truth by chance in fewer cases than this.
_CHANCE = 0.01


def check_truth(cells: Cells, works: WorksOn) -> list[Check]:
    """Check that net values over all members of a trial are the true ones; nothing where these are not known.

    Parameters
    ----------
    cells : Cells
        Of the study `board`.
    works : WorksOn
        Effects.

    Notes
    -----
    The truth is that of all members of a trial. Of n intervals with mass m each misses it with chance
    1 - m; whether more miss it than chance explains is asked by the binomial law, though schemes of one
    trial share their control.
    """
    truth = planted_effects(cells.meta, "net_gain", works.value_days)
    if works.overall.empty or not truth:
        return []
    pairs = list(zip(works.overall["trial"], works.overall["scheme"], strict=True))
    rows = works.overall.assign(true=[truth.get(pair, float("nan")) for pair in pairs]).dropna(subset="true")
    if rows.empty:
        return []
    missed = rows[~rows["true"].between(rows["net_value_low"], rows["net_value_high"])]
    n, miss = len(rows), 1 - works.mass
    chance = sum(comb(n, k) * miss**k * works.mass ** (n - k) for k in range(len(missed), n + 1))
    held = f"{n - len(missed)} of {plural(n, 'scheme')}"
    finding = f"The interval holds the true net value of {held} whose truth is known"
    finding += f", not of the {listing([str(name) for name in missed['called']])}." if len(missed) else "."
    verdict: Verdict = "pass" if chance > _CHANCE else "fail"
    meaning = {
        "pass": f"Intervals of {percent(works.mass, 0)} hold the truth as often as they say.",
        "fail": "The intervals hold the truth less often than they say.",
    }[verdict]
    return [Check("The known truth", verdict, finding, meaning)]
