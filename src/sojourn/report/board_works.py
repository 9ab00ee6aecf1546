"""Words of what works on whom: effects per segment, how far they were drawn together, what was left out."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.board import WorksOn
from sojourn.core.text import begun, in_words, number, percent, plural
from sojourn.report.board_whom import of_segment
from sojourn.report.say import register


@register
def say_works_on(works: WorksOn) -> str:
    """Say on whom which scheme works best and worst, and how far differences were drawn in."""
    if works.why_empty:
        return " ".join(filter(None, [works.why_empty, _left_out(works)]))
    rows = works.segments
    best = rows.iloc[int(rows["net_value"].argmax())]
    net = Interval.of(best, "net_value", works.mass, "eti")
    said = (
        f"Of what was tried, {best['called']} does best on {of_segment(str(best['segment']))}: "
        f"{in_words(net, f'{works.currency} per member'.strip(), 2)} within {works.value_days} days."
    )
    return " ".join(filter(None, [said, _drawn_in(works), _left_out(works)]))


def _drawn_in(works: WorksOn) -> str:
    """Say how far shrinkage drew groups together; nothing where every trial has one group."""
    known = works.overall[works.overall["pulled"].notna()]
    if known.empty:
        return "All members of every trial were in one group, so effects by group are not known."
    pulled = float((known["pulled"].clip(0, 1) * known["n"]).sum() / known["n"].sum())
    return (
        f"Differences between groups of one trial are {percent(pulled, 0)} smaller than as counted: that "
        "part is "
        "what chance alone would make of them."
    )


def _left_out(works: WorksOn) -> str:
    said = [f"{row.trial} ({row.why})" for row in works.left_out.itertuples()]
    return f"Left out: {'; '.join(said)}." if said else ""


def describe_works_on(works: WorksOn) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of effects per segment."""
    rows = works.segments
    best = rows.iloc[int(rows["net_value"].argmax())]
    value = f"{number(float(best['net_value']), 2, signed=True)} {works.currency}".rstrip()
    on = of_segment(str(best["segment"]))
    title = f"{begun(str(best['called']))} does best on {on}: {value} a member"
    subtitle = (
        f"Net value per member within {works.value_days} days against the control of the same trial and "
        "group, "
        f"{works.currency}, {plural(works.trials, 'trial')}. Dot and line: expected, with "
        f"{works.mass * 100:g} % credible "
        "interval; hollow: as counted. Groups are those at each member’s own assignment."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_works_on(works)}


def works_frame(works: WorksOn) -> pd.DataFrame:
    """Return effects by segment and stage of members who were in a trial; empty where there are none."""
    if works.why_empty:
        return pd.DataFrame()
    rows = works.table[works.table["evidence"] == "trial"].sort_values(
        ["net_value", "trial", "scheme"], ascending=[False, True, True]
    )
    made = pd.DataFrame(
        {
            "scheme": rows["called"],
            "segment": rows["segment"],
            "stage": rows["stage"],
            "members": rows["n"],
            "kept_or_back_counted_points": rows["raw_lift"],
        }
    )
    for end in ("", "_low", "_high"):
        made[f"kept_or_back_points{end}"] = rows[f"lift{end}"]
    made["net_value_counted"] = rows["raw_net_value"]
    for end in ("", "_low", "_high"):
        made[f"net_value{end}"] = rows[f"net_value{end}"]
    made = made.assign(p_loss=rows["p_loss"])
    return made.dropna(axis=1, how="all").reset_index(drop=True)


def describe_works_table(works: WorksOn) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of effects by segment and stage."""
    note = (
        "Against the control of the same trial, segment and stage; members of both arms; kept, or of "
        "churned "
        f"members back, after {works.horizon_days} days; net value in {works.currency or 'currency'} per "
        "member "
        f"within {works.value_days} days; {works.mass * 100:g} % credible intervals. {_drawn_in(works)} "
        f"{_left_out(works)}"
    ).strip()
    cells = int((works.table["evidence"] == "trial").sum())
    return {
        "title": f"{plural(works.trials, 'trial')}, {plural(cells, 'effect')} by segment and stage",
        "note": note,
    }
