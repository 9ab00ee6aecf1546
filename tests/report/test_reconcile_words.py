"""What a reconciliation says: sentences that read well of one number and of many, and what is private."""

import io

import pandas as pd
import pytest

from sojourn.core.results.reconcile import Definition, Family, Kpi, Reconciliation
from sojourn.report.reconcile import headline_reconcile, limits, reconcile_csv, reconcile_text

WORDS = [f"count things in way {letter}" for letter in "ABCDE"]


def told(rows):
    """Return a reconciliation of rows of (kind, their number, ours, rebuilt, members, status)."""
    families, table = [], []
    for row, (kind, theirs, ours, rebuilt, members, status) in enumerate(rows, 1):
        kpi = Kpi(row, f"{kind}_{row}", kind, "month", 0, "2025-03", "all", "all", theirs, 0.5, str(theirs))
        best = Definition((("zone", str(row)),), (WORDS[row - 1],)) if status == "explained" else Definition()
        families.append(Family(kind, (kpi,), status, best, (row,) if status == "explained" else ()))
        table.append(
            {
                "row": row,
                "kpi": kpi.name,
                "period": "2025-03",
                "group": "all",
                "theirs": theirs,
                "ours": ours,
                "gap": theirs - ours,
                "rebuilt": rebuilt,
                "members": members,
                "status": status,
            }
        )
    facts = {
        "zones": ["UTC"],
        "bots_above": {"busiest": 160.0, "total": 900.0},
        "silence_days": 30,
        "left_out": {"members": 7},
    }
    return Reconciliation("shop", tuple(families), pd.DataFrame(table), facts, 20)


def counts(n, status="explained"):
    return [("active_members", 100.0, 90.0, 100.0, 90, status)] * n


def test_one_number_and_many_read_well():
    one = headline_reconcile(told(counts(1)))
    assert one.sentence == (
        "1 of 1 numbers is explained by 1 difference in how their makers count: they count things in way A."
    )
    rest = [*counts(1), *counts(1, "agrees"), *counts(2, "not explained")]
    assert headline_reconcile(told(rest)).detail == "Of all 4, 1 agrees as it stands and 2 are not explained."


def test_no_more_than_three_differences_are_named_first():
    sentence = headline_reconcile(told(counts(5))).sentence
    assert "5 differences" in sentence
    assert sentence.endswith("way C; and 2 more.")
    assert WORDS[3] not in sentence


def test_numbers_of_a_private_case_are_multiples_of_the_smallest_group():
    rows = [
        ("active_members", 151.0, 131.0, 151.0, 131, "explained"),
        ("churn_rate", 0.25, 33 / 131, 33 / 131, 131, "agrees"),
        ("events", 123_456.0, 123_456.0, 123_456.0, 131, "agrees"),
        ("active_members", 12.0, float("nan"), float("nan"), 0, "too few"),
    ]
    shown = pd.read_csv(io.StringIO(reconcile_csv(told(rows), private=True)))
    # 131 of 20 each is nearest 140, 151 nearest 160; 33 of 131 is shown as 40 of 140
    assert shown["ours"].tolist()[:3] == pytest.approx([140, 40 / 140, 124_000], abs=1e-6)
    assert shown["rebuilt"].tolist()[:3] == pytest.approx([160, 40 / 140, 124_000], abs=1e-6)
    assert shown[["ours", "gap", "rebuilt"]].iloc[3].isna().all()
    open_ = pd.read_csv(io.StringIO(reconcile_csv(told(rows), private=False)))
    assert open_["ours"].tolist()[0] == 131


def test_limits_of_a_private_case_hold_no_exact_number():
    said = " ".join(limits(told(counts(1)), private=True))
    assert not any(number in said for number in ("160", "900", "7 members"))
    assert "is exact" in said
    said = " ".join(limits(told(counts(1)), private=False))
    assert "more than 160 on one day or more than 900 in all" in said
    assert "looks ahead" not in said  # nobody is followed here


def test_the_text_begins_with_the_answer():
    text = reconcile_text(told(counts(2)), private=False)
    assert "2 of 2 numbers are explained" in text.splitlines()[0]
    assert "Their share" not in text  # there are none
