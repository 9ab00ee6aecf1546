"""Make the trial cells of Cookie Cats from its published file.

Run as ``python data/casebook/cookie_cats/trials/make.py [FILE]``. FILE is the published CSV, gzipped or not; by
default it is looked for beside the project in ``../shared/data/cookie_cats``. Only counts are kept, no row of
the file. Players are not known by anything before their assignment, so there is one stratum.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT = HERE.parents[3].parent / "shared" / "data" / "cookie_cats" / "cookie_cats.csv.gz"
BY = ("outcome", "scheme", "stratum", "period")
TYPES = {
    "binary": {**dict.fromkeys(BY, "text"), "n": "int", "k": "int"},
    "split": {"scheme": "text", "period": "text", "assigned": "int", "matured": "int"},
}
OUTCOMES = {"kept_at_1": "retention_1", "kept_at_7": "retention_7"}
ALL = "all"


def main(path: Path) -> None:
    """Write both tables and ``cells.json`` beside this script."""
    rows = read(path)
    assigned = Counter(row["test_version"] for row in rows)
    kept = Counter(
        (outcome, row["test_version"]) for row in rows for outcome, column in OUTCOMES.items() if row[column] == "True"
    )
    write("binary", [(o, s, ALL, ALL, n, kept[o, s]) for o in OUTCOMES for s, n in assigned.items()])
    write("split", [(scheme, ALL, n, n) for scheme, n in assigned.items()])
    (HERE / "cells.json").write_text(json.dumps(described(len(rows)), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of the published file."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:  # type: ignore[operator]
        return list(csv.DictReader(file))


def write(name: str, rows: list[tuple]) -> None:
    """Write one table, ordered by all columns."""
    with (HERE / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(TYPES[name])
        writer.writerows(sorted(rows))


def described(rows: int) -> dict[str, object]:
    """Return what the cells say of themselves."""
    return {
        "case": "cookie_cats",
        "study": "trials",
        "as_of": "",
        "time_zone": "",
        "trial": "first gate",
        "unit": "player",
        "horizon_days": 7,
        "allocation": {},
        "historic": True,
        "currency": "",
        "strata": "none known before assignment",
        "left_before_assignment": 0,
        "words": {
            "kept_at_1": "came back one day after installing",
            "kept_at_7": "came back seven days after installing",
        },
        "rows_seen": rows,
        "source": "Tactile Entertainment, A/B test of Cookie Cats as published by DataCamp and on Kaggle",
        "licence": "Not stated by the publisher; only counts per scheme are kept.",
        "script": "data/casebook/cookie_cats/trials/make.py",
        "counted_by": {"table": "split", "column": "assigned"},
        "types": TYPES,
        "sha256": {name: hashlib.sha256((HERE / f"{name}.csv").read_bytes()).hexdigest() for name in sorted(TYPES)},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
