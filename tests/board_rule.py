"""A rule of two segments, by days of silence, that a few lines of pandas can follow."""

from dataclasses import replace
from pathlib import Path

from sojourn.core.measures import Counting, Kind, Measure
from sojourn.core.results.take_away import Condition, Fidelity, Leaf, Points, SegmentFidelity, TakeAway
from sojourn.data.frozen_rule import FrozenRule

NAMES = ("here of late", "silent")
#: Fewer days of silence: of late; observed for fewer days: no segment yet.
SILENT_DAYS, TENURE_DAYS = 10, 60


def rule(case: str = "demo", *, tenure_days: int = TENURE_DAYS, trend_days: int = 30) -> TakeAway:
    """Return the rule, as the page of segments of a case would hand it out."""
    silence = Measure("recency", "days since last active", ("recency_days",))
    each = tuple(SegmentFidelity(name, 40, 38, 0.9, 0.8, 0.95, 0.91, 0.82, 0.96) for name in NAMES)
    bound = float(SILENT_DAYS)
    leaves = (Leaf((Condition(0, None, bound),), 0, 50, 0.9), Leaf((Condition(0, bound, None),), 1, 50, 0.9))
    faithful = Fidelity(120, 0.9, 0.83, 0.94, 0.4, 0.8, 0.18, 0.2, 0.02, -0.01, 0.05, 0.95, each)
    return TakeAway(
        case,
        "tree",
        NAMES,
        Counting(trend_days, tenure_days),
        (silence,),
        leaves,
        (),
        (),
        "2025-04-01T00:00:00+00:00",
        "EUR",
        faithful,
    )


def dear() -> TakeAway:
    """Return a scorecard of quotients and money, for engines to compute alike."""
    often = Measure("frequency", "active days a month", ("active_days",), times=30, over="observed_days")
    spent = Measure("monetary", "spend a month", ("value",), times=30, over="observed_days", decimals=4)
    trend = Measure("trend", "change in active days", ("active_last",), ("active_before",))
    kind = Measure("logins", "logins a month", ("kind_1",), times=30, over="observed_days")
    bounds = ((0.7, 3.3), (0.1, 5.7), (0.0,), (0.3, 1.1))
    card = tuple(Points(i, bound, tuple(range(len(bound) + 1))) for i, bound in enumerate(bounds))
    return replace(
        rule(),
        kind="scorecard",
        counting=Counting(30, TENURE_DAYS, (Kind("login", None),)),
        measures=(often, spent, trend, kind),
        leaves=(),
        card=card,
        cuts=(4,),
    )


def handed(of: TakeAway | None = None) -> dict[str, FrozenRule]:
    """Return what `make_cells` is handed over for the board."""
    return {"frozen_rule": FrozenRule(of or rule(), "2 groups")}


def write_page(reports: Path, of: TakeAway | None) -> None:
    """Write what the board reads of the page of segments, below the folder of a case's pages."""
    folder = reports / "segments"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "headline.json").write_text('{"verdict": "2 groups"}\n', encoding="utf-8")
    if of is not None:
        (folder / "rule.json").write_text(of.to_json(), encoding="utf-8")
