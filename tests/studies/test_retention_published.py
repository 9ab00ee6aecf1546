"""Known numbers of published data (shared/data/README.md), as the cells and studies of retention give them.

Telco stands in `test_retention`; months and cohorts are asked of `sojourn reconcile`.
"""

import numpy as np
import pandas as pd
import pytest
from published import first_seen, published
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

import sojourn as sj
from sojourn.core.results.reconcile import Kpi
from sojourn.data.cells import make_cells
from sojourn.data.engine import connect
from sojourn.data.reconcile.make import reconcile_cells
from sojourn.data.sources.cdnow import tables
from sojourn.studies.reconcile.explain import reconcile

PARAMS = {
    "churn": "silence",
    "lapse_days": 30,
    "event": "any",
    "groups": [],
    "first_seen_after_days": 0,
    "windows": [7, 14, 30, 60, 90],
    "lens_days": [1, 7, 30, 60, 90],
}
#: Shares are published to four decimals: half of the last is what may differ.
FOUR_DECIMALS = 5e-5
HONEST = (0.7782, 0.6567, 0.3383, 0.1427, 0.0730)
BY_LAST_MESSAGE = (0.8083, 0.7138, 0.4840, 0.3173, 0.2400)


@pytest.fixture(scope="module")
def college(tmp_path_factory):
    path = published("college_msg/CollegeMsg.txt.gz")
    log = pd.read_csv(path, sep=" ", names=["member", "to", "at"])
    log["occurred_at"] = pd.to_datetime(log["at"], unit="s", utc=True)
    events = log[["member", "occurred_at"]].assign(event="message")
    tidy = first_seen(events, tmp_path_factory.mktemp("college"), log["occurred_at"].max())
    return make_cells(tidy, "retention", PARAMS)


def line(found, rule):
    rows = found.table[(found.table["rule"] == rule) & (found.table["maturity"] == "censored")]
    return rows.set_index("day")


def test_college_messages_honest_and_by_the_last_message(college) -> None:
    found = sj.lens(college)
    honest, misled = line(found, "silence"), line(found, "last_sign")
    assert honest["share"].tolist() == pytest.approx(HONEST, abs=FOUR_DECIMALS)
    assert misled["share"].tolist() == pytest.approx(BY_LAST_MESSAGE, abs=FOUR_DECIMALS)
    assert set(honest["grade"]) == {"reference"}
    assert set(misled["grade"]) == {"misleading"}
    assert set(misled["n"]) == {1350}


def test_the_curve_of_college_messages_in_whole_days(college) -> None:
    """Days do not count the part of a day at the end of follow-up: at most two in 10,000 from the line."""
    read = sj.retention_curve(college).at([1, 7, 30, 60, 90])["retained"]
    assert read.tolist() == pytest.approx(HONEST, abs=2e-4)


def test_322_of_1278_came_back(college) -> None:
    found = sj.lapse_window(college)
    assert found.row(30)[["lapsed", "came_back"]].tolist() == [1278, 322]
    assert found.back(30).value == 322 / 1278
    assert college["returns"][["lapsed", "came_back"]].iloc[0].tolist() == [1278, 322]
    (check,) = sj.check_results(found)
    assert check.verdict == "warn"  # a silence of 30 days is a pause to many


def test_monthly_cohort_of_the_online_shop(tmp_path) -> None:
    """Customers of December 2010 seen again in each following month: a row each of `sojourn reconcile`.

    A user writes ``retained_members_month_1,2010-12,,362`` and so on into the file of their own numbers. The
    last month was not over; its 260 come with everybody left in, which `sojourn reconcile` finds by itself.
    """
    path = published("online_retail/online_retail_2010_2011.parquet")
    rows = pd.read_parquet(path, columns=["CustomerID", "InvoiceDate"]).dropna()
    at = rows["InvoiceDate"].dt.tz_localize("UTC")
    events = pd.DataFrame({"member": rows["CustomerID"].astype("int64"), "occurred_at": at})
    events = events.assign(event="purchase").reset_index(drop=True)
    back = [362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260]
    kpis = [
        Kpi(n, f"retained_members_month_{n}", "retained_members", "month", n, "2010-12", "all", "all", value,
            0.5, "")
        for n, value in enumerate(back, 1)
    ]  # fmt: skip
    tidy = first_seen(events, tmp_path, pd.Timestamp("2011-12-10T00:00:00Z"))
    result = reconcile(reconcile_cells(tidy, kpis, zones=()), kpis)
    assert result.table["members"].iloc[0] == 948
    assert result.table["ours"].tolist()[:11] == back[:11]
    assert result.table["rebuilt"].tolist() == back


# --- CDNOW: its file comes with the package `lifetimes`, so nothing is skipped -----------------------------


@pytest.fixture(scope="module")
def cdnow():
    """Purchases of the one-tenth sample up to the end of September 1997, a row per customer.

    As Fader, Hardie & Lee (2005, Marketing Science 24, 275-284): days with a purchase after the first, weeks
    from the first to the last of them, weeks from the first to the end, and their mean amount.
    """
    rows = tables(connect())["events"].to_pandas()
    rows["amount"] = rows["amount"].astype(float)
    rows["day"] = pd.to_datetime(rows["occurred_at"])
    rows = rows[rows["day"] <= "1997-09-30"]
    days = rows.groupby(["member_id", "day"], as_index=False)["amount"].sum()
    first = days.groupby("member_id")["day"].transform("min")
    again = days[days["day"] > first].groupby("member_id")["amount"].agg(["size", "mean"])
    span = days.groupby("member_id")["day"].agg(["min", "max"])
    return pd.DataFrame(
        {
            "x": again["size"].reindex(span.index).fillna(0),
            "last": (span["max"] - span["min"]).dt.days / 7,
            "weeks": (pd.Timestamp("1997-09-30") - span["min"]).dt.days / 7,
            "spent": again["mean"].reindex(span.index).fillna(0),
        }
    )


def bg_nbd(cdnow):
    """Return minus the mean log-likelihood of BG/NBD in logarithms of r, alpha, a, b (their equation 6)."""
    x, last, weeks = (cdnow[name].to_numpy() for name in ("x", "last", "weeks"))

    def loss(logs):
        r, alpha, a, b = np.exp(logs)
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
        active = -(r + x) * np.log(alpha + weeks)
        gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last)
        return -np.mean(common + np.where(x > 0, np.logaddexp(active, gone), active))

    return loss


def gamma_gamma(cdnow):
    """Return minus the mean log-likelihood of Gamma-Gamma in logarithms of p, q, v (Fader & Hardie 2013)."""
    again = cdnow[cdnow["x"] > 0]
    x, spent = again["x"].to_numpy(), again["spent"].to_numpy()

    def loss(logs):
        p, q, v = np.exp(logs)
        return -np.mean(
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1) * np.log(spent) + p * x * np.log(x) - (p * x + q) * np.log(x * spent + v)
        )  # fmt: skip

    return loss


def fitted(loss, size):
    options = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 20_000, "maxfev": 20_000}
    return np.exp(minimize(loss, np.zeros(size), method="Nelder-Mead", options=options).x)


def test_cdnow_gives_the_published_models(cdnow) -> None:
    """To the last digit in which the models are published."""
    assert len(cdnow) == 2357
    assert fitted(bg_nbd(cdnow), 4) == pytest.approx([0.2426, 4.4135, 0.7929, 2.4258], abs=5e-4)
    assert fitted(gamma_gamma(cdnow), 3) == pytest.approx([6.249, 3.745, 15.448], abs=5e-3)
