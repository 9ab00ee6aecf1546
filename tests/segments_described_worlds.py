"""Members of three segments whose description is known, for tests of who segments are and what came next."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sojourn.core.results.segments import Features, ScoreBands, Segmentation
from sojourn.studies.segments.worlds import gaussian

#: Three segments along one feature: below -0.5, between, above 0.5.
RULE = ScoreBands(np.array([1.0, 0, 0, 0, 0, 0]), np.array([-0.5, 0.5]))


def rng(seed=1):
    return np.random.default_rng(seed)


def world(members: int, *, seed: int = 1, **parts: pd.DataFrame) -> Features:
    """Return members of three segments, with what is asked for in place of the usual."""
    made = gaussian(members, rng=rng(seed))
    draw = rng(seed + 1)
    now = pd.DataFrame(
        {
            "recency": draw.integers(0, 60, members),
            "frequency": draw.gamma(2.0, 3.0, members) * np.exp(0.5 * made.x[:, 0]),
            "monetary": np.round(draw.exponential(20, members), 2),
            "evening": draw.beta(3, 3, members),
        }
    )
    return replace(made, now=parts.pop("now", now), **parts)


def result(seen: Features, **changes) -> Segmentation:
    """Return a segmentation of which only the rule matters."""
    empty = pd.DataFrame()
    found = Segmentation(
        case="world",
        verdict="a gradient, not groups",
        reason="no valley",
        k=3,
        table=empty,
        rand=1.0,
        stability=empty,
        exam=empty,
        exam_k=3,
        rule=RULE,
        names=seen.names,
        mass=0.95,
        min_group=20,
        fitted=int(seen.fit.sum()),
        judged=int((~seen.fit).sum()),
        members=len(seen),
        meta=seen.meta,
    )
    return replace(found, **changes)


def private(seen: Features, base: int = 20) -> Features:
    return replace(seen, meta={**seen.meta, "protected": {"base": base}})


def shuffled(seen: Features, seed: int = 7) -> Features:
    """Return the same members in another order; who judges goes with the member."""
    order = rng(seed).permutation(len(seen))
    tables = {
        name: getattr(seen, name).iloc[order].reset_index(drop=True)
        for name in ("now", "next", "traits")
        if len(getattr(seen, name).columns)
    }
    return replace(seen, x=seen.x[order], fit=seen.fit[order], **tables)
