"""The files of docs/your-own-trial.md: a shop with a trial, drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DAY = np.timedelta64(1, "D")
BEGIN, END = np.datetime64("2024-10-01"), np.datetime64("2025-06-01")


def write_shop(folder: Path, members: int = 3_000, seed: int = 5) -> None:
    """Write ``assignments.csv``, ``orders.csv`` and ``customers.csv``.

    Customers buy about every third week until they leave; half of them got a welcome gift, under which they
    buy a quarter more often and leave less.
    """
    rng = np.random.default_rng(seed)
    ids = np.sort(rng.choice(np.arange(100_000, 999_999), members, replace=False))
    gift = rng.random(members) < 0.5
    joined = BEGIN + rng.integers(0, 90, members) * DAY
    assigned = np.datetime64("2025-01-06") + rng.integers(0, 42, members) * DAY
    left = assigned + np.ceil(rng.exponential(np.where(gift, 300, 200))).astype(int) * DAY
    pd.DataFrame(
        {
            "customer_id": ids,
            "variant": np.where(gift, "welcome_gift", "control"),
            "assigned_on": pd.DatetimeIndex(assigned).strftime("%d.%m.%Y"),
        }
    ).to_csv(folder / "assignments.csv", sep=";", index=False)
    spans = ((joined, assigned, 1.0), (assigned, np.minimum(left, END), np.where(gift, 1.25, 1.0)))
    orders = _orders(rng, ids, spans)
    orders.to_csv(folder / "orders.csv", index=False)
    within = orders.merge(pd.DataFrame({"customer_id": ids, "assigned": assigned}), on="customer_id")
    days = (within["ordered_at"].to_numpy() - within["assigned"].to_numpy()) / DAY
    within = within[(days >= 0) & (days < 90)]
    revenue = within.groupby("customer_id")["amount"].sum().reindex(ids, fill_value=0).round(2)
    stays = left >= END
    pd.DataFrame(
        {
            "customer_id": ids,
            "joined": pd.DatetimeIndex(joined).strftime("%Y-%m-%d"),
            "left": np.where(stays, "", pd.DatetimeIndex(left).strftime("%Y-%m-%d")),
            "revenue": revenue.to_numpy(),
        }
    ).to_csv(folder / "customers.csv", index=False)


def _orders(rng, ids, spans) -> pd.DataFrame:
    rate = rng.gamma(2, 0.5, len(ids)) / 21
    parts = []
    for begin, until, times in spans:
        days = (until - begin) / DAY
        who = np.repeat(np.arange(len(ids)), rng.poisson(rate * times * days))
        seconds = (rng.random(len(who)) * days[who] * 86_400).astype("timedelta64[s]")
        parts.append(pd.DataFrame({"customer_id": ids[who], "ordered_at": begin[who] + seconds}))
    orders = pd.concat(parts, ignore_index=True).sort_values(["ordered_at", "customer_id"])
    return orders.assign(amount=rng.lognormal(2.8, 0.5, len(orders)).round(2))
