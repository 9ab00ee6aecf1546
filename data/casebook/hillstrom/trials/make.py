"""Make the trial cells of the Hillstrom e-mail challenge from its published file.

Run as ``python data/casebook/hillstrom/trials/make.py [FILE]``. FILE is the published CSV, gzipped or not; by
default it is looked for beside the project in ``../shared/data/hillstrom``. Only sums are kept, no row of
the file. Margin and cost of an e-mail are assumptions and stand in params.yaml (``cases.hillstrom.trials.cells``).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import math
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from sojourn.core.params import read_params

HERE = Path(__file__).resolve().parent
DEFAULT = HERE.parents[3].parent / "shared" / "data" / "hillstrom" / "hillstrom.csv.gz"
BY = ("outcome", "scheme", "stratum", "period")
TYPES = {
    "binary": {**dict.fromkeys(BY, "text"), "n": "int", "k": "int"},
    "value": {**dict.fromkeys(BY, "text"), "n": "int", **dict.fromkeys(("total", "total_sq", "total_cube"), "decimal")},
    "split": {"scheme": "text", "period": "text", "assigned": "int", "matured": "int"},
    "spend": {
        **dict.fromkeys(("scheme", "stratum", "period"), "text"),
        **dict.fromkeys(("bin", "n"), "int"),
        **dict.fromkeys(("paid", "paid_sq", "logs", "logs_sq"), "decimal"),
        "refunded_n": "int",
        **dict.fromkeys(("refunded", "refunded_sq", "net", "net_sq"), "decimal"),
    },
    "covariate": {
        **dict.fromkeys(BY, "text"),
        "n": "int",
        **dict.fromkeys(("total", "total_sq", "before", "before_sq", "cross"), "decimal"),
    },
    "traits": {**dict.fromkeys(("column", "level", "scheme"), "text"), "assigned": "int"},
    "balance": {"covariate": "text", "scheme": "text", "n": "int", "total": "decimal", "total_sq": "decimal"},
    "balance_pairs": {**dict.fromkeys(("one", "other", "scheme"), "text"), "total": "decimal"},
}
#: What was known of a customer before the e-mail: the file's columns, and what they are called here.
TRAITS = {"channel": "channel", "zip_code": "place of living", "history_segment": "spent in the year before"}
#: Names of levels that are misspelt in the file; numbers in front of them (``1) ``) go.
LEVELS = {"Surburban": "Suburban"}
#: Lower bounds of the bins of payments; coarse, and over all strata, so that no bin holds a few customers only.
BOUNDS = ("0", "31.5", "50", "80", "125", "200", "315")
#: What a customer had spent in the year before stands beside every outcome.
BEFORE = "what customers had spent in the year before the e-mail"
BOUGHT = {("1", "0"): "bought men's", ("0", "1"): "bought women's", ("1", "1"): "bought both"}
PERIOD = "all"


def main(path: Path) -> None:
    """Write the tables and ``cells.json`` beside this script."""
    assumed = read_params().for_cells("hillstrom", "trials")
    rows = read(path)
    for name, table in tables(rows, assumed).items():
        with (HERE / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(TYPES[name])
            writer.writerows(sorted(table))
    text = json.dumps(described(len(rows), assumed), indent=1, ensure_ascii=False) + "\n"
    (HERE / "cells.json").write_text(text, encoding="utf-8")


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of the published file."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:  # type: ignore[operator]
        return list(csv.DictReader(file))


def tables(rows: list[dict[str, str]], assumed: dict) -> dict[str, list[tuple]]:
    """Return the rows of every table; amounts are exact decimals."""
    margin = Decimal(str(assumed["margin"]))
    cost = {scheme: Decimal(str(amount)) for scheme, amount in assumed["cost_per_member"].items()}
    binary, value = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, Decimal(0), Decimal(0), Decimal(0)])
    split: dict[str, int] = defaultdict(int)
    known = Assigned()
    spends, beside = defaultdict(lambda: [0] * 10), defaultdict(lambda: [0, *[Decimal(0)] * 5])
    for row in rows:
        scheme, spend = row["segment"], Decimal(row["spend"])
        where = (scheme, BOUGHT[row["mens"], row["womens"]], PERIOD)
        split[scheme] += 1
        known.add(row)
        for outcome in ("visit", "conversion"):
            add(binary[outcome, *where], 1, int(row[outcome]))
        add(spends[scheme, "all", PERIOD, bin_of(spend)], *payments(spend))
        net = margin * spend - cost.get(scheme, Decimal(0))
        for outcome, amount in (("spend", spend), ("net_value", net)):
            add(value[outcome, *where], 1, amount, amount**2, amount**3)
        late = {"visit": Decimal(row["visit"]), "conversion": Decimal(row["conversion"]), "spend": spend, "net_value": net}
        before = Decimal(row["history"])
        for outcome, amount in late.items():
            add(beside[outcome, *where], 1, amount, amount**2, before, before**2, amount * before)
    return {
        "binary": [(*key, *sums) for key, sums in binary.items()],
        "value": [(*key, sums[0], *(plain(s) for s in sums[1:])) for key, sums in value.items()],
        "split": [(scheme, PERIOD, n, n) for scheme, n in split.items()],
        "spend": [(*key, *(plain(s) if isinstance(s, Decimal) else s for s in sums)) for key, sums in spends.items()],
        "covariate": [(*key, sums[0], *(plain(s) for s in sums[1:])) for key, sums in beside.items()],
        **known.tables(),
    }


class Assigned:
    """Sums over customers of what was known of them before they were assigned."""

    def __init__(self) -> None:
        self.traits: dict[tuple[str, str, str], int] = defaultdict(int)
        self.balance = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
        self.pairs: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)

    def add(self, row: dict[str, str]) -> None:
        """Add one customer."""
        scheme = row["segment"]
        for column, name in TRAITS.items():
            level = LEVELS.get(row[column], row[column]).removeprefix(row[column].split(") ")[0] + ") ")
            self.traits[name, level, scheme] += 1
        self.traits["had bought", BOUGHT[row["mens"], row["womens"]], scheme] += 1
        self.traits["new in the year before", "yes" if row["newbie"] == "1" else "no", scheme] += 1
        recency, spent = Decimal(row["recency"]), Decimal(row["history"])
        for name, amount in (("months_since_purchase", recency), ("spent_before", spent)):
            add(self.balance[name, scheme], 1, amount, amount**2)
        self.pairs["months_since_purchase", "spent_before", scheme] += recency * spent

    def tables(self) -> dict[str, list[tuple]]:
        """Return the rows of the three tables."""
        return {
            "traits": [(*key, n) for key, n in self.traits.items()],
            "balance": [(*key, n, plain(one), plain(two)) for key, (n, one, two) in self.balance.items()],
            "balance_pairs": [(*key, plain(cross)) for key, cross in self.pairs.items()],
        }


def bin_of(spend: Decimal) -> int:
    """Return 0 for nothing, and b from ``BOUNDS[b - 1]`` up to ``BOUNDS[b]``."""
    return sum(spend >= Decimal(bound) for bound in BOUNDS) if spend else 0


def payments(spend: Decimal) -> list[Decimal | int]:
    """Return what one customer adds to a bin of payments; the published file has no refunds."""
    log = Decimal(str(round(math.log(spend), 9))) if spend else Decimal(0)
    nothing = Decimal(0)
    return [1, spend, spend**2, log, (log**2).quantize(Decimal("1e-9")), 0, nothing, nothing, spend, spend**2]


def add(sums: list, *amounts: Decimal | int) -> None:
    """Add amounts to sums in place."""
    for i, amount in enumerate(amounts):
        sums[i] += amount


def plain(amount: Decimal) -> str:
    """Return a decimal of nine places without an exponent."""
    return f"{amount.quantize(Decimal('1e-9')):f}"


def described(rows: int, assumed: dict) -> dict[str, object]:
    """Return what the cells say of themselves."""
    return {
        "case": "hillstrom",
        "study": "trials",
        "as_of": "",
        "time_zone": "",
        "trial": "hillstrom",
        "unit": "customer",
        "horizon_days": 14,
        "allocation": {},
        "historic": True,
        "currency": "USD",
        "margin": assumed["margin"],
        "cost_per_member": assumed["cost_per_member"],
        "assumed": ["margin", "cost_per_member"],
        "strata": "what the customer had bought in the year before",
        "left_before_assignment": 0,
        "spend_bounds": list(BOUNDS),
        "before_words": dict.fromkeys(("visit", "conversion", "spend", "net_value"), BEFORE),
        "words": {
            "visit": "visited the site within two weeks",
            "conversion": "bought something within two weeks",
            "spend": "spending per customer within two weeks",
            "net_value": "net value per customer within two weeks",
        },
        "rows_seen": rows,
        "source": "Kevin Hillstrom, MineThatData E-Mail Analytics and Data Mining Challenge, 2008",
        "licence": "Not stated by the publisher; only sums per scheme and stratum are kept.",
        "script": "data/casebook/hillstrom/trials/make.py",
        "counted_by": {"table": "split", "column": "assigned"},
        "types": TYPES,
        "sha256": {name: hashlib.sha256((HERE / f"{name}.csv").read_bytes()).hexdigest() for name in sorted(TYPES)},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
