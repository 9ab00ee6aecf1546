"""What members do, how often, what they pay, and what they are sent."""

from __future__ import annotations

import pandas as pd

from sojourn.core.cells import Cells
from sojourn.core.results.portrait import WEEKDAYS, Rhythm
from sojourn.core.results.portrait_doings import Acquisition, Activity, Kinds, Messages, Purchases
from sojourn.core.text import percent

#: Numbers of purchases that stand together.
_BANDS = ((0, 0), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, None))
_MANY = float("inf")
#: Share of all visits in one hour above which times of day are not recorded.
ONE_HOUR = 0.9


def rhythm(cells: Cells, min_group: int) -> Rhythm:
    """Return when visits begin, by weekday and hour of the case's clock."""
    every = pd.MultiIndex.from_product([range(7), range(24)], names=["weekday", "hour"])
    rows = cells["visits"].set_index(["weekday", "hour"]).reindex(every).fillna(0).astype(int).reset_index()
    zone, truth = cells.meta["time_zone"], cells.meta.get("truth", {})
    if not int(rows["visits"].sum()):
        return Rhythm(pd.DataFrame(), zone, why_empty="Nobody has done anything since observation began.")
    visits = rows["visits"].where((rows["members"] >= min_group) | (rows["visits"] == 0))
    table = pd.DataFrame(
        {
            "weekday": [WEEKDAYS[day] for day in rows["weekday"]],
            "hour": rows["hour"],
            "visits": visits,
            "visits_share": visits / rows["visits"].sum(),
        }
    )
    by_hour = rows.groupby("hour")["visits"].sum() / rows["visits"].sum()
    if by_hour.max() > ONE_HOUR:
        return Rhythm(table, zone, why_empty=_days_only(int(by_hour.idxmax()), float(by_hour.max())))
    hours, weekdays = (tuple(truth.get(name, ())) for name in ("hours", "weekdays"))
    if hours:
        both = zip(rows["weekday"], rows["hour"], strict=True)
        table["true_share"] = [weekdays[day] * hours[hour] for day, hour in both]
    return Rhythm(table, zone, hours, weekdays)


def _days_only(hour: int, share: float) -> str:
    return f"Events carry days, but no times of day: {percent(share, 0)} are between {hour} and {hour + 1} h."


def kinds(cells: Cells, min_group: int) -> Kinds:
    """Return the kinds of events, the most common first."""
    rows = cells["kinds"]
    enough = rows[rows["members"] >= min_group].sort_values(["events", "event"], ascending=[False, True])
    if enough.empty:
        return Kinds(pd.DataFrame(), len(rows), f"No kind of event was done by {min_group} members.")
    table = enough[["event", "events", "members"]].reset_index(drop=True)
    share, each = table["members"] / cells.meta["members"], table["events"] / table["members"]
    return Kinds(table.assign(share_of_members=share, times_each=each), len(rows) - len(table))


def activity(cells: Cells, min_group: int) -> Activity:
    """Return on how many of the last days members came; the last row holds all who came more often."""
    rows = cells["active"].sort_values("days")
    last, members = int(cells.meta["params"]["active_days"]), int(rows["members"].sum())
    if members < min_group:
        why = f"Fewer than {min_group} members have been with us for {last} days."
        return Activity(pd.DataFrame(), members, last, float("nan"), float("nan"), why)
    mean = float((rows["days"] * rows["members"]).sum() / members)
    median = float(rows["days"][rows["members"].cumsum() * 2 >= members].iloc[0])
    table = _together(rows, min_group)
    table = table.assign(share_of_members=table["members"] / members)
    return Activity(table[["days", "label", "members", "share_of_members"]], members, last, mean, median)


def _together(rows: pd.DataFrame, min_group: int) -> pd.DataFrame:
    """Put the most active together until they are `min_group`; other numbers of fewer are not stated."""
    days = range(int(rows["days"].max()) + 1)
    counts = rows.set_index("days")["members"].reindex(days).fillna(0).astype(int)
    least = int(counts.index[-1])
    while least > 0 and (counts[least:].sum() < min_group or counts[least - 1] < min_group):
        least -= 1
    members = pd.Series([*counts[:least], counts[least:].sum()])
    members = members.where((members == 0) | (members >= min_group))
    table = pd.DataFrame({"days": range(least + 1), "members": members})
    labels = [str(day) for day in table["days"]]
    labels[-1] += " and more" if least < len(counts) - 1 else ""
    return table.assign(label=labels)


def purchases(cells: Cells, min_group: int) -> Purchases:
    """Return members by number of purchases, and what was paid and refunded."""
    currency, members = str(cells.meta.get("currency", "")), int(cells.meta["members"])
    if "purchases" not in cells.tables:
        return Purchases(pd.DataFrame(), {}, members, currency, "The events of this case carry no amounts.")
    money = {str(name): float(value) for name, value in cells["money"].iloc[0].items()}
    if money["payers"] < min_group:
        return Purchases(pd.DataFrame(), {}, members, currency, f"Fewer than {min_group} members have paid.")
    table = _in_bands(cells["purchases"], min_group)
    return Purchases(table.assign(share_of_members=table["members"] / members), money, members, currency)


def _in_bands(rows: pd.DataFrame, min_group: int) -> pd.DataFrame:
    """Return members by bands of purchases; too small a band joins the one below it."""
    found: list[tuple[int, int | None, int]] = []
    for low, high in _BANDS:
        inside = rows["purchases"].between(low, _MANY if high is None else high)
        found.append((low, high, int(rows.loc[inside, "members"].sum())))
    while len(found) > 1 and (small := [i for i, band in enumerate(found) if band[2] < min_group]):
        i = max(small[-1], 1)
        below, above = found[i - 1], found[i]
        found[i - 1 : i + 1] = [(below[0], above[1], below[2] + above[2])]
    return pd.DataFrame({"purchases": [_band(*band[:2]) for band in found], "members": [b[2] for b in found]})


def _band(low: int, high: int | None) -> str:
    if high is None:
        return f"{low} and more"
    return ("none" if low == 0 else str(low)) if low == high else f"{low} to {high}"


def messages(cells: Cells, min_group: int) -> Messages:
    """Return what was sent by channel, and what came of it."""
    currency = str(cells.meta.get("currency", ""))
    if "messages" not in cells.tables:
        return Messages(pd.DataFrame(), currency, 0, "The case has no table `messages`.")
    rows = cells["messages"]
    enough = rows[rows["members"] >= min_group].sort_values(["sent", "channel"], ascending=[False, True])
    if enough.empty:
        return Messages(pd.DataFrame(), currency, len(rows), f"No channel has reached {min_group} members.")
    table = enough[["channel", "sent", "members"]].reset_index(drop=True)
    for name in ("opened", "clicked", "opted_out"):
        if name in enough:
            table[f"share_{name}"] = (enough[name] / enough["sent"]).to_numpy()
    return Messages(table.assign(cost=enough["cost"].to_numpy()), currency, len(rows) - len(table))


def acquisition(cells: Cells, min_group: int) -> Acquisition:
    """Return what a new member costs, by channel."""
    currency = str(cells.meta.get("currency", ""))
    if "acquisition" not in cells.tables:
        return Acquisition(pd.DataFrame(), currency, "The case has no costs by channel.")
    rows = cells["acquisition"]
    enough = rows[rows["members"] >= min_group]
    if enough.empty:
        return Acquisition(
            pd.DataFrame(), currency, f"No channel with costs has brought {min_group} members."
        )
    table = enough.assign(cost_each=enough["cost"] / enough["members"])
    table = table.sort_values(["cost_each", "channel"], ascending=[False, True])
    return Acquisition(table[["channel", "members", "cost", "cost_each"]].reset_index(drop=True), currency)
