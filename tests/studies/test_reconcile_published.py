"""Known numbers of published data (shared/data/README.md), each named by the definition it comes from."""

import pandas as pd
import pytest
from published import first_seen, published

from sojourn.core.results.reconcile import Kpi
from sojourn.data.reconcile.make import reconcile_cells
from sojourn.studies.reconcile.explain import reconcile


def share(row, n, value):
    return Kpi(row, f"retained_day_{n}", "retained", "day", n, "", "all", "all", value, 5e-5, str(value))


@pytest.fixture(scope="module")
def college(tmp_path_factory):
    path = published("college_msg/CollegeMsg.txt.gz")
    log = pd.read_csv(path, sep=" ", names=["member", "to", "at"])
    log["occurred_at"] = pd.to_datetime(log["at"], unit="s", utc=True)
    log["event"] = "message"
    events = log[["member", "occurred_at", "event"]].copy()
    tidy = first_seen(events, tmp_path_factory.mktemp("college"), log["occurred_at"].max())
    kpis = [share(row, n, 0.0) for row, n in enumerate((1, 7, 30, 60, 90), 1)]
    return reconcile_cells(tidy, kpis, zones=("America/Los_Angeles",))


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        ("silence", (0.7782, 0.6567, 0.3383, 0.1427, 0.0730)),
        ("last_sign", (0.8083, 0.7138, 0.4840, 0.3173, 0.2400)),
    ],
)
def test_college_messages(college, rule, numbers):
    """Shares are published to four decimals; half of the last one is what may differ."""
    kpis = [
        share(row, n, value)
        for row, (n, value) in enumerate(zip((1, 7, 30, 60, 90), numbers, strict=True), 1)
    ]
    (family,) = reconcile(college, kpis).families
    assert family.best.changes == (("rule", rule), ("maturity", "censored"))
    assert family.explains == (1, 2, 3, 4, 5)
    assert family.status == "explained"
    assert any("looks ahead" in words for words in family.best.words) == (rule == "last_sign")


def test_monthly_cohort_of_the_online_shop(tmp_path):
    """Customers of December 2010 who came back in each of the following twelve months."""
    path = published("online_retail/online_retail_2010_2011.parquet")
    rows = pd.read_parquet(path, columns=["CustomerID", "InvoiceDate"]).dropna()
    events = pd.DataFrame(
        {
            "member": rows["CustomerID"].astype("int64"),
            "occurred_at": rows["InvoiceDate"].dt.tz_localize("UTC"),
            "event": "purchase",
        }
    ).reset_index(drop=True)
    back = [362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260]
    kpis = [
        Kpi(
            n,
            f"retained_members_month_{n}",
            "retained_members",
            "month",
            n,
            "2010-12",
            "all",
            "all",
            value,
            0.5,
            "",
        )
        for n, value in enumerate(back, 1)
    ]
    kpis.append(Kpi(13, "new_members", "new_members", "month", 0, "2010-12", "all", "all", 948, 0.5, ""))
    cells = reconcile_cells(
        first_seen(events, tmp_path, pd.Timestamp("2011-12-10T00:00:00Z")), kpis, zones=()
    )
    result = reconcile(cells, kpis)
    came_back, joined = result.families
    assert joined.status == "agrees"
    assert set(range(1, 12)) <= set(came_back.explains)
    # December 2011 was not over: its 260 come from a month that could not be followed to its end
    assert came_back.best.changes == (("maturity", "everybody"),)
    assert result.table["ours"].tolist()[:11] == back[:11]
