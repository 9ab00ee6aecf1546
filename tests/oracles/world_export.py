"""Draw worlds of fixed seed, hand their tables to R, and write what R makes of them to `world.json`.

    python tests/oracles/world_export.py

draws nineteen worlds of 16,000 to 100,000 members, runs `world.R` on their tables in a temporary folder, and
writes `world.json` and `world_session.txt` beside this file: five minutes on two idle cores. The tests read
`world.json` and need no R. Each world has a fingerprint there, of the same tables of a world of a few hundred
members, which the tests draw anew: where it differs, the numbers are not of the world as it is now, and this
command must run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path

import pandas as pd
import world_tables as tables
from world_tables import Drawn

from sojourn.world.make import world_frame
from sojourn.world.parameters import Frame
from sojourn.world.randomness import BLOCK
from sojourn.world.truth.summary import summarise
from sojourn.world.truth.tally import Tally

HERE = Path(__file__).parent
AS_OF = "2025-07-01T00:00:00Z"
#: Seed of the first world; each has its own, so that their errors are independent.
SEED = 20_250_701
#: Members of the small worlds whose tables make the fingerprints.
SMALL = 512
Table = Callable[[Drawn], pd.DataFrame]


@dataclass(frozen=True)
class Spec:
    """One world: its name in the catalogue, how many blocks, its tables, and the strength of schemes."""

    world: str
    blocks: int
    tables: dict[str, Table]
    effects: float = 1.0


_STAYS = {"stays": tables.stays}
_PLAN = {"by_plan": tables.by_plan}
_MAIN = {"main": partial(tables.in_trial, "main")}
_LOT = {"main": partial(tables.in_trial, "main", by_plan=False)}
#: Every world that R looks at, by the name its tables begin with.
SPECS: dict[str, Spec] = {
    "demo": Spec("demo", 20, {
        **_STAYS, **_PLAN, **_MAIN, "win_back": partial(tables.in_trial, "win_back"),
        "purchases": tables.purchases, "served": tables.served, "answers": tables.answers,
        "speed": tables.speed, "returns": tables.returns, "by_day": tables.by_day, "weeks": tables.weeks,
        "rollout": tables.rollout,
    }),
    "non_proportional": Spec("non_proportional", 8, {**_STAYS, **_PLAN}),
    "informative_censoring": Spec("informative_censoring", 8, {**_STAYS, **_PLAN}),
    "immortal_time": Spec("immortal_time", 8, _PLAN),
    "calendar_shock": Spec("calendar_shock", 8, {**_STAYS, "shocked": tables.shocked}),
    "price_rise": Spec("price_rise", 12, {"dearer": tables.dearer}),
    "silent_churn": Spec("silent_churn", 8, {**_STAYS, "lapses": tables.lapses}),
    "heavy_tails": Spec("heavy_tails", 6, {**_STAYS, **_PLAN}),
    "correlated": Spec("correlated", 6, {**_STAYS, **_PLAN}),
    "curved": Spec("curved", 6, {**_STAYS, **_PLAN}),
    "spill_over": Spec("spill_over", 12, {**_LOT, "brought": tables.brought}),
    "clusters": Spec("clusters", 24, _LOT),
    "changing_allocation": Spec("changing_allocation", 10, _LOT),
    "unequal_missing": Spec("unequal_missing", 8, {"complete": tables.complete}),
    "sample_ratio": Spec("sample_ratio", 8, {**_MAIN, "listed": tables.listed}),
    "two_arms": Spec("two_arms", 8, {**_MAIN, "listed": tables.listed}),
    "late_ramp": Spec("late_ramp", 8, _MAIN),
    "portfolio": Spec("portfolio", 20, {"trials": tables.trials}),
    "portfolio_null": Spec("portfolio", 20, {"trials": tables.trials}, effects=0.0),
}  # fmt: skip


def frame_of(spec: Spec, members: int) -> Frame:
    """Return the frame of one of the worlds."""
    return world_frame(
        members=members, seed=SEED + list(SPECS.values()).index(spec), as_of=AS_OF, start=None,
        world=spec.world, effects=spec.effects, separation=1.0,
    )  # fmt: skip


def draw(name: str, block: int, members: int) -> tuple[dict[str, pd.DataFrame], Tally]:
    """Return the tables of one block of a world, floats to six decimals, and its share of the truth."""
    spec = SPECS[name]
    drawn = Drawn(frame_of(spec, members), block, members)
    made = {of: table(drawn).round(6) for of, table in spec.tables.items()}
    return made, drawn.made.tally


def fingerprint(name: str) -> str:
    """Return the hash of all tables of a small world, and of what its truth holds."""
    made, sums = draw(name, 0, SMALL)
    text = "".join(f"{of}\n{table.to_csv(index=False, float_format='%.6f')}" for of, table in made.items())
    text += json.dumps(truth(SPECS[name], SMALL, sums))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def script() -> str:
    """Return the hash of the script that R runs."""
    return hashlib.sha256((HERE / "world.R").read_bytes()).hexdigest()[:16]


def main(folder: Path, names: Iterable[str]) -> None:
    """Draw the worlds, run R in a folder, and write the results beside this file."""
    segments = frame_of(SPECS["demo"], 1).parameters.segments
    shares = pd.DataFrame({"segment": [s.name for s in segments], "share": [s.share for s in segments]})
    shares.to_csv(folder / "shares.csv", index=False)
    with ProcessPoolExecutor(2) as pool:
        truths = {name: _write(pool, name, folder) for name in names}
        prints = dict(zip(names, pool.map(fingerprint, names), strict=True))
    subprocess.run([_rscript(), str(HERE / "world.R"), str(folder)], check=True)
    result = {
        "script": script(), "fingerprints": prints, "truth": truths,
        **json.loads((folder / "found.json").read_text()),
    }  # fmt: skip
    (HERE / "world.json").write_text(json.dumps(result, indent=1) + "\n")
    shutil.copy(folder / "session.txt", HERE / "world_session.txt")


def _write(pool: ProcessPoolExecutor, name: str, folder: Path) -> dict[str, object]:
    """Write the tables of one world as CSV, one per kind, and return what its truth holds of them."""
    spec = SPECS[name]
    made = list(pool.map(partial(draw, name, members=BLOCK), range(spec.blocks)))
    for of in spec.tables:
        parts = [part[of].assign(block=number) for number, (part, _) in enumerate(made)]
        pd.concat(parts).to_csv(folder / f"{name}-{of}.csv", index=False)
    return truth(spec, spec.blocks * BLOCK, reduce(add, (part for _, part in made)))


def truth(spec: Spec, members: int, sums: Tally) -> dict[str, object]:
    """Return what the truth of a world holds of retention, reasons and schemes, to six decimals."""
    summary = summarise(frame_of(spec, members), sums)
    retention, trials = summary["retention"], summary["trials"]
    everyone = [row for row in retention["survival"] if row["group"] == "all"]
    return {
        "members": members,
        "survival": {row["day"]: _six(row["survival"]) for row in everyone},
        "seen": {row["day"]: _six(row["seen"]) for row in everyone},
        "left_for": {row["reason"]: _six(row["share"]) for row in retention["left_for"] if row["day"] == 365},
        "lifts": {
            trial: {row["scheme"]: _six(row["lift"]) for row in trials[trial]["schemes"]}
            for trial in ("main", "win_back")
            if trial in trials
        },
    }


def _six(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _rscript() -> str:
    found = shutil.which("Rscript")
    if found is None:
        sys.exit("Rscript is not on the path: install R 4.2 with package survival.")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="keep the tables here")
    asked = parser.parse_args()
    if asked.folder:
        main(asked.folder, list(SPECS))
    else:
        with tempfile.TemporaryDirectory() as made_folder:
            main(Path(made_folder), list(SPECS))
