"""The section of a new case's trial: what only its owner can know stands there to be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sojourn.data.guess.kinds import look_at, reader_of
from sojourn.data.guess.names import plain
from sojourn.pipeline.sections import comment, scalar

if TYPE_CHECKING:
    from sojourn.pipeline.first_mapping import Found

#: Names of the scheme with which others are compared, the likelier first.
_CONTROLS = (
    "control", "none", "holdout", "placebo", "baseline", "nothing", "kontrolle", "kontrollgruppe", "a", "0",
)  # fmt: skip
#: Days of follow-up that a first plan may ask for, the longest that half of the members have.
_HORIZONS = (90, 60, 30, 14, 7)
#: Members whom the choice is for, as multiples of those assigned: no fewer than the next look may have.
_MANY = 10
_PAID = (
    ("rope", "0.5", "say: a lift of the metric up to this, per member, is not worth having"),
    ("worthwhile", "2.0", "say: a lift that would be worth having; the page says how often it is found"),
    ("tolerable_loss", "0.5", "say: expected loss above which nothing ships"),
    ("belief_value", "[-4.0, 4.0, 0.9]", "say: between what the lift lies, with that probability"),
    ("belief", "[-0.05, 0.05, 0.9]", "the same of shares of members"),
)
_SHARES = (
    ("rope", "0.0", "say: a lift up to this share of members is not worth having"),
    (
        "worthwhile",
        "0.03",
        "say: a lift that would be worth having; the page says how often it is found",
    ),
    ("tolerable_loss", "0.005", "say: expected loss above which nothing ships"),
    ("belief", "[-0.05, 0.05, 0.9]", "say: between what the lift lies, with that probability"),
)


def first_trial(found: Mapping[str, Found], groups: Sequence[str], as_of: datetime) -> str:
    """Return the section of the largest trial; nothing where fewer than two schemes are in the sample.

    Parameters
    ----------
    found : mapping of str to Found
        The case's tables; without ``assignments`` there is no trial.
    groups : sequence of str
        What is known of members at joining.
    as_of : datetime
        End of follow-up, with its offset.
    """
    if "assignments" not in found:
        return ""
    one = found["assignments"]
    trial, names = _schemes(one)
    if len(names) < 2:
        return ""
    paid, leaves = found["events"].has("amount"), "members" in found and found["members"].has("churned_at")
    if not (paid or leaves):
        return ""
    days = _followed(one, as_of)
    kept = f"kept_at_{days}"
    others = ", ".join(comment(name) for name in names[1:])
    costs = ", ".join(f"{scalar(name)}: 0" for name in names[1:])
    horizons = sorted({30, days}) if days > 30 else [days]
    cells = [
        ("trial", scalar(trial), ""),
        ("horizons", f"{horizons}", "guess: days after assignment; at least half were followed so long"),
        ("value_days", f"{days}", "days after assignment within which payments count"),
        ("stratum", groups[0] if groups else "all", ""),
        ("margin", "0.3", "say: share of what is paid that is earned"),
        ("cost_per_member", f"{{{costs}}}", "say: what a scheme costs for one member"),
        ("allocation", "{}", "say: planned share of each scheme; empty: equal shares"),
    ]
    rule = [
        ("control", scalar(names[0]), f"guess: compared with {others}"),
        ("metric", "net_value" if paid else kept, "the outcome that decides"),
        ("guard", kept if leaves else "converted", "an outcome that may not get worse"),
        ("guardrails", "{}", ""),
        ("horizon_days", f"{days}", "as the cells have it"),
        ("reward_days", "0", "say: for how many days a reward runs; 0 where that is not known"),
        ("threshold", "0.95", "say: how sure it has to be; the page says how often that is wrong"),
        *(_PAID if paid else _SHARES),
        ("looks", "1", "say: how often the result is looked at while data come in"),
        ("audience", f"{_MANY * len(one.values('scheme'))}", "say: members whom the choice is for"),
    ]
    lines = ["      cells:", *_lines(cells, "        "), *_lines(rule, "      ")]
    head = "   # settle this before you look at outcomes, then `sojourn freeze`"
    return "\n".join([head, *lines])


def _lines(entries: Sequence[tuple[str, str, str]], indent: str) -> list[str]:
    return [f"{indent}{key}: {value}" + (f"    # {said}" if said else "") for key, value, said in entries]


def _schemes(one: Found) -> tuple[str, list[str]]:
    """Return the name of the trial with most rows and its schemes, the likeliest control first."""
    trials, schemes = one.values("trial"), one.values("scheme")
    counted = Counter(name for name in trials if name)
    trial = max(sorted(counted), key=lambda name: counted[name], default="main")
    in_it = schemes if len(trials) <= 1 else [s for t, s in zip(trials, schemes, strict=True) if t == trial]
    return trial, sorted({name for name in in_it if name}, key=_as_control)


def _as_control(name: str) -> tuple[int, str]:
    likely = plain(name)
    return (_CONTROLS.index(likely) if likely in _CONTROLS else len(_CONTROLS)), name


def _followed(one: Found, as_of: datetime) -> int:
    """Return the longest horizon that at least half of the sample was followed for, else the shortest."""
    written = [value for value in one.values("assigned_at") if value.strip()]
    read = reader_of(look_at(written).written)
    days = sorted((as_of - at).days for value in written if (at := read(value.strip())) is not None)
    median = days[len(days) // 2] if days else 0
    return next((horizon for horizon in _HORIZONS if horizon <= median), _HORIZONS[-1])
