"""Words of the gate: whether predictions held."""

from __future__ import annotations

import pandas as pd

from sojourn.core.results.retention_gate import Gate
from sojourn.core.text import count, listing, number, percent
from sojourn.report.retention_words import had_gone, span
from sojourn.report.say import register


@register
def say_gate(gate: Gate) -> str:
    """Say what was predicted, what happened, and whether that is close enough."""
    if gate.why_empty:
        return gate.why_empty
    row = gate.table.iloc[-1]
    after = span(int(row["duration"]), gate.unit)
    said = (
        f"{percent(row['p_predicted'])} were predicted to have {had_gone(gate)} within {after}, "
        f"{percent(row['p_observed'])} had."
    )
    return f"{said} {_follows(gate)}"


def _follows(gate: Gate) -> str:
    return {
        "pass": f"By kind of member they {_differ(gate)}.",
        "fail": f"They {_differ(gate)}.",
        "cannot be judged": f"{_too_few(gate)}.",
    }[gate.verdict]


def _differ(gate: Gate) -> str:
    allowed = number(100 * gate.ici_max)
    if gate.open:
        return f"differ by surely less than {allowed} in 100 on average, as asked"
    return (
        f"differ by more than allowed ({allowed} in 100 on average, or a tenth of the total): nothing is "
        "forecast with this model"
    )


def _too_few(gate: Gate) -> str:
    return (
        f"Too few were held out to be sure of less than {number(100 * gate.ici_max)} in 100 on average: "
        "nothing is forecast with this model"
    )


def describe_gate(gate: Gate) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of predictions beside what happened."""
    row = gate.table.iloc[-1]
    after = span(int(row["duration"]), gate.unit)
    title = {
        "pass": f"Predictions for {after} held",
        "fail": f"Predictions for {after} did not hold",
        "cannot be judged": f"Whether predictions for {after} hold cannot be told yet",
    }[gate.verdict]
    subtitle = (
        f"Share who had {had_gone(gate)} within {after}, predicted (across) and observed (up), by tenth of "
        f"the {count(gate.members)} members held out; lines: 95 % exact confidence interval. {gate.model} "
        f"{_follows(gate)}"
    )
    alt = f"Points of observed against predicted shares along the line of agreement. {say_gate(gate)}"
    return {"title": title, "subtitle": subtitle, "alt": alt}


def gate_frame(gate: Gate) -> pd.DataFrame:
    """Return predictions and what happened, at every horizon, as a table; empty where there is none."""
    if gate.table.empty:
        return pd.DataFrame()
    table = gate.table
    return pd.DataFrame(
        {
            f"duration_{gate.unit}s": table["duration"],
            "left": table["left"],
            "predicted_share": table["p_predicted"],
            "observed_share": table["p_observed"],
            "off_in_100": 100 * table["ici"],
            "off_at_most_in_100": 100 * table["ici_high"],
            "order": table["auc"],
            "order_low": table["auc_low"],
            "order_high": table["auc_high"],
            "verdict": table["verdict"],
        }
    )


def describe_gate_table(gate: Gate) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of predictions beside what happened."""
    row = gate.table.iloc[-1]
    held = f"Of {count(gate.members)} members held out, by {gate.unit}s since the prediction, in whole weeks."
    off = (
        "Off: mean difference between predicted and observed, by kind of member, and its upper bound "
        f"({gate.mass * 100:g} %); at most {number(100 * gate.ici_max)} is allowed, and a tenth of the total."
    )
    order = (
        "Order: the chance that somebody who left had been given the higher chance of it (0.5 is none; 95 % "
        "confidence interval)."
    )
    error = (
        f"Mean squared error {number(row['brier'], 3)} against {number(row['brier_plain'], 3)} when all "
        f"are told the mean, {number(gate.integrated_brier, 3)} over all the time held out; no tenth of the "
        f"predicted distribution is off by more than {number(100 * gate.d_calibration)} in 100 members."
    )
    return {"title": _title(gate), "note": f"{held} {off} {order} {error}"}


def _title(gate: Gate) -> str:
    """Say what follows, and which horizons it is not about."""
    judged = gate.verdict != "cannot be judged"
    said = f"Predicted and observed shares {_differ(gate)}" if judged else _too_few(gate)
    if not gate.not_followed:
        return said
    days = listing([count(day) for day in gate.not_followed])
    return f"{said} (whole weeks; {days} {gate.unit}s were not followed)"
