"""Make the retention cells of the Telco sample from its published file.

Run as ``python data/casebook/telco/retention/make.py [FILE]``. FILE is ``Telco-Customer-Churn.csv`` as IBM
published it, gzipped or not; by default it is looked for beside the project in ``../shared/data/telco``.
Only counts per month of tenure are kept, no row of the file.
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
PROJECT = HERE.parents[3]
DEFAULT = PROJECT.parent / "shared" / "data" / "telco" / "Telco-Customer-Churn.csv.gz"
COLUMNS = ("by", "group", "late", "day", "entered", "churned", "censored", "potential")
TYPES = {name: "text" if name in ("by", "group") else "int" for name in COLUMNS}
NOW = ("contract", "payment_method", "monthly_charges", "internet_service", "partner")
SNAPSHOT = "the file is a snapshot and holds what each customer has now"


def main(path: Path) -> None:
    """Write ``risk.csv`` and ``cells.json`` beside this script."""
    rows = read(path)
    left = Counter(int(row["tenure"]) for row in rows if row["Churn"] == "Yes")
    censored = Counter(int(row["tenure"]) for row in rows if row["Churn"] == "No")
    with (HERE / "risk.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for month in sorted({0, *left, *censored}):
            entered = len(rows) if month == 0 else 0
            writer.writerow(["all", "all", 0, month, entered, left[month], censored[month], 0])
    (HERE / "cells.json").write_text(json.dumps(described(rows), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of the published file."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:  # type: ignore[operator]
        return list(csv.DictReader(file))


def described(rows: list[dict[str, str]]) -> dict[str, object]:
    """Return what the cells say of themselves."""
    return {
        "case": "telco",
        "study": "retention",
        "as_of": "",
        "time_zone": "",
        "unit": "month",
        "leaving": "cancellation",
        "lapse": None,
        "observed_from": None,
        "members": len(rows),
        "left_out": {},
        "late": 0,
        "potential_known": False,
        "known_later": dict.fromkeys(NOW, SNAPSHOT),
        "rows_seen": len(rows),
        "rows_with_tenure_0": sum(row["tenure"] == "0" for row in rows),
        "source": "IBM sample data set 'Telco Customer Churn' (fictional company), Telco-Customer-Churn.csv",
        "licence": "Not stated by the publisher; only counts per month of tenure are kept.",
        "script": "data/casebook/telco/retention/make.py",
        "counted_by": {"table": "risk", "column": "entered", "where": {"by": "all"}},
        "types": {"risk": TYPES},
        "sha256": {"risk": hashlib.sha256((HERE / "risk.csv").read_bytes()).hexdigest()},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
