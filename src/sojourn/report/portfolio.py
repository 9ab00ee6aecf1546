"""Words over all trials of a case: what ships, what it adds up to, what early effects tell of late ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.figures import Action, KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.portfolio import Portfolio, ProxyExam
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import bounds, count, in_words, listing, number, percent, plural
from sojourn.report.say import register
from sojourn.report.warned import warned

#: What a warning means in a few words, by the name of its check.
_WARNED = {
    "Members of all schemes were alike before": "a trial whose members were not divided by lot is left out",
    "Early results stand for late ones": "early results cannot stand for late ones",
}
#: A table shows at most so many schemes, those worth it first.
_MOST = 20
_VERDICTS = {
    "ship": "worth it",
    "worth it, another is better": "worth it, another one is better",
    "drop": "not worth it",
}


def _digits(portfolio: Portfolio) -> int:
    return 1 if portfolio.kind == "binary" else 2


def _lift(portfolio: Portfolio, row: pd.Series) -> Interval:
    made = Interval(
        float(row["lift"]), float(row["lift_low"]), float(row["lift_high"]), portfolio.mass, "eti"
    )
    return made.scaled(portfolio.factor)


def _what(portfolio: Portfolio) -> str:
    """Return what lifts are of, with their unit."""
    if portfolio.kind == "binary":
        return f"members in 100 who {portfolio.words}"
    return f"{portfolio.words}, {portfolio.currency}".removesuffix(", ")


def _control(portfolio: Portfolio) -> str:
    """Return what lifts are measured from."""
    return plain_scheme(portfolio.controls[0]) if len(portfolio.controls) == 1 else "each trial's control"


def _total_unit(portfolio: Portfolio) -> str:
    return "more members" if portfolio.kind == "binary" else portfolio.currency


def _reached(portfolio: Portfolio) -> str:
    if portfolio.reach is None:
        return "given to as many members as were compared for it"
    return f"given to {count(portfolio.reach)} members"


@register
def say_portfolio(portfolio: Portfolio) -> str:
    """Say how many schemes ship, what they add up to, and how far their trials overstated them."""
    if portfolio.why_empty:
        return portfolio.why_empty
    ships = len(portfolio.shipped)
    if not ships:
        none = f"None of {portfolio.trials} trials has a" if portfolio.trials > 1 else "The trial has no"
        return f"{none} scheme that is surely worth it."
    return f"{_summed(portfolio)} {_reach_said(portfolio)} {_cursed(portfolio)}"


def _summed(portfolio: Portfolio) -> str:
    """Say how many trials have a scheme that is worth it, and what these bring together."""
    one = len(portfolio.shipped) == 1
    total = in_words(portfolio.total(), _total_unit(portfolio), 0)
    return f"{_found(portfolio)}, {'which brings' if one else 'and together these bring'} {total}."


def _found(portfolio: Portfolio) -> str:
    ships, trials = len(portfolio.shipped), portfolio.trials
    if trials == 1:
        return "The trial has a scheme that is worth it"
    have = "has" if ships == 1 else "have"
    return f"{count(ships)} of {count(trials)} trials {have} a scheme that is worth it"


def _reach_said(portfolio: Portfolio) -> str:
    one = len(portfolio.shipped) == 1
    return f"That is when {'it' if one else 'each'} is {_reached(portfolio)}."


def _cursed(portfolio: Portfolio) -> str:
    """Say what schemes were measured at, and what is to be expected of them."""
    row, digits = portfolio.curse.iloc[0], _digits(portfolio)
    raw = number(portfolio.factor * float(row["raw_lift"]), digits, signed=True)
    lift = in_words(_lift(portfolio, row), portfolio.unit, digits)
    one = int(row["shipped"]) == 1
    measured = (
        f"{'It was' if one else 'They were'} measured at {raw} {portfolio.unit}{'' if one else ' on average'}"
    )
    truth = ""
    if "truth" in row and pd.notna(row["truth"]):
        truth = f" (planted: {number(portfolio.factor * float(row['truth']), digits, signed=True)})"
    return (
        f"{measured}; to be expected are {lift}{truth}. Whoever comes out best has usually been lucky too: "
        "that part is taken off, once."
    )


def headline_portfolio(portfolio: Portfolio, checks: Sequence[Check] = ()) -> Headline:
    """Return the one sentence over all trials of a case."""
    if portfolio.why_empty:
        return Headline(portfolio.why_empty, "not possible", "not possible", detail=_left_out(portfolio))
    blocking = [check.name for check in checks if check.blocks]
    detail = warned(checks, _WARNED)
    ships = len(portfolio.shipped)
    if not ships:
        return Headline(say_portfolio(portfolio), "nothing worth it", "ok", detail=detail)
    return Headline(
        sentence=_summed(portfolio),
        verdict="blocked" if blocking else f"{plural(ships, 'scheme')} worth it",
        status="blocked" if blocking else "ok",
        interval=portfolio.total(),
        unit=_total_unit(portfolio),
        detail=f"{_reach_said(portfolio)} {_cursed(portfolio)} {detail}".strip(),
    )


def key_figures_portfolio(portfolio: Portfolio) -> list[KeyFigure]:
    """Return the strip: trials, what is worth it, how much of that is luck, and its sum."""
    if portfolio.why_empty:
        return [KeyFigure("Schemes that are decided on", "0", portfolio.why_empty)]
    worth = KeyFigure(
        "Trials with a scheme that is worth it",
        f"{count(len(portfolio.shipped))} of {count(portfolio.trials)}",
        f"the chance of a lift above {_amount(portfolio, portfolio.rope)} is over "
        f"{percent(portfolio.threshold, 0)}",
    )
    learned = []
    if portfolio.belief is None:
        spread = _spread(portfolio).scaled(portfolio.factor)
        said = bounds(spread, _digits(portfolio))
        learned = [KeyFigure("True lifts of all schemes spread by", _short(portfolio, spread.value), said)]
    return [worth, *(_of_winners(portfolio) if len(portfolio.shipped) else []), *learned]


def _of_winners(portfolio: Portfolio) -> list[KeyFigure]:
    """Return what is expected of the schemes that are worth it, and what they add up to."""
    row, digits = portfolio.curse.iloc[0], _digits(portfolio)
    lift = _lift(portfolio, row)
    raw = number(portfolio.factor * float(row["raw_lift"]), digits, signed=True)
    trend = [float(x) for x in portfolio.running["amount"].iloc[:: -(-len(portfolio.running) // 60)]]
    return [
        KeyFigure(
            "Of these, expected not to be worth it",
            f"{_few(portfolio.wrong)} of {count(len(portfolio.shipped))}",
            "the chances of all of them added up",
        ),
        KeyFigure(
            "Mean lift of what is worth it, per member",
            _short(portfolio, lift.value, signed=True),
            f"{bounds(lift, digits)}; as counted: {raw}",
        ),
        KeyFigure(
            f"Together, each {_reached(portfolio)}",
            f"{count(portfolio.total().value)} {_total_unit(portfolio)}",
            bounds(portfolio.total(), 0),
            trend if len(trend) > 1 else (),
        ),
    ]


def _short(portfolio: Portfolio, lift: float, *, signed: bool = False) -> str:
    """Return a lift with the shortest name of its unit."""
    unit = "in 100" if portfolio.kind == "binary" else portfolio.currency
    return f"{number(lift, _digits(portfolio), signed=signed)} {unit}".rstrip()


def _few(expected: float) -> str:
    """Return an expected number of schemes, as far as it can be read."""
    return "under 0.1" if expected < 0.1 else number(expected)


def _amount(portfolio: Portfolio, value: float) -> str:
    return f"{number(portfolio.factor * value, _digits(portfolio))} {portfolio.unit}"


def _spread(portfolio: Portfolio) -> Interval:
    if portfolio.spread is None:
        raise ValueError("A portfolio that is not empty has a spread.")
    return portfolio.spread


def next_steps_portfolio(portfolio: Portfolio, exam: ProxyExam | None = None) -> list[Action]:
    """Return what to do after all trials so far."""
    odd = [str(row.trial) for row in portfolio.left_out.itertuples() if not row.by_lot]
    steps = [] if portfolio.why_empty else _given(portfolio)
    if odd:
        steps.append(
            Action(
                f"Find out how members of {listing(odd)} were chosen; repeat it by lot if it matters.",
                "Nothing is known yet of what it does.",
                "A trial.",
                "days on which its members came before",
            )
        )
    if portfolio.belief is None and not portfolio.why_empty:
        steps.append(
            Action(
                "Take the spread of these lifts as the belief of the next plan.",
                f"Estimates then move {percent(portfolio.shrunk, 0)} less from trial to trial than as "
                "counted.",
                "None.",
                "the law of lifts",
            )
        )
    if exam is not None and not exam.why_empty and exam.verdict != "accepted":
        steps.append(
            Action(
                f"Keep every trial running to its horizon; decide nothing by {exam.early_words}.",
                "Early effects are not shown to tell of late ones.",
                "The time until the horizon.",
                "the exam of early results",
            )
        )
    return steps


def _given(portfolio: Portfolio) -> list[Action]:
    """Return the steps that give the best two schemes to all."""
    best = portfolio.shipped.sort_values(["lift", "trial"], ascending=[False, True]).head(2)
    return [_give(portfolio, row) for _, row in best.iterrows()]


def _give(portfolio: Portfolio, row: pd.Series) -> Action:
    """Return the step that gives a scheme to all."""
    scheme, trial = plain_scheme(str(row["scheme"])), plain_scheme(str(row["trial"]))
    return Action(
        f"Give “{scheme}” to all whom trial “{trial}” was for, unless a guard or a check on the trial’s own "
        "page speaks against it.",
        in_words(_lift(portfolio, row), portfolio.unit, _digits(portfolio)),
        "Counted in the net value." if portfolio.outcome == "net_value" else "Not counted here.",
        f"{count(float(row['members']))} members assigned by lot; effects of all trials",
    )


def describe_portfolio(portfolio: Portfolio) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of all effects."""
    title = _found(portfolio) if len(portfolio.shipped) else "No scheme is surely worth it"
    if len(portfolio.table) > 2 and portfolio.shrunk > 0:
        title += f"; chance made {percent(portfolio.shrunk, 0)} of the differences that were counted"
    rope, threshold = _amount(portfolio, portfolio.rope), percent(portfolio.threshold, 0)
    subtitle = (
        f"Difference from {_control(portfolio)} in {_what(portfolio)}: hollow as counted, full what is to be "
        f"expected ({_shrunk_towards(portfolio)}), with {portfolio.mass * 100:g} % credible intervals. Worth "
        f"it: the chance of more than {rope} is over {threshold}."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_portfolio(portfolio)}


def _shrunk_towards(portfolio: Portfolio) -> str:
    if portfolio.belief is None:
        return "drawn towards what trials usually do"
    low, high = (
        number(portfolio.factor * x, _digits(portfolio))
        for x in (portfolio.belief.low, portfolio.belief.high)
    )
    return (
        f"drawn towards the belief that {percent(portfolio.belief.mass, 0)} of lifts lie in {low} to {high}"
    )


def describe_running(portfolio: Portfolio) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of what schemes add up to."""
    if not len(portfolio.shipped):
        title = "No scheme is worth it, so nothing adds up"
    else:
        counted = number(float(portfolio.running["raw_amount"].iloc[-1]), 0)
        title = (
            f"What is worth it brings {in_words(portfolio.total(), _total_unit(portfolio), 0)}; "
            f"as counted it would be {counted}"
        )
    subtitle = (
        f"Summed over the schemes that are worth it, each {_reached(portfolio)}, in their order of time; "
        f"{_what(portfolio)}. Band: {portfolio.mass * 100:g} % credible interval. Dashed: lifts as counted, "
        "which flatter winners."
    )
    return {"title": title, "subtitle": subtitle, "alt": say_portfolio(portfolio)}


def decided_frame(portfolio: Portfolio) -> pd.DataFrame:
    """Return the schemes, the best first, with what is decided on each; empty where there are none.

    Of more than 20 those with the largest lifts.
    """
    if portfolio.why_empty:
        return pd.DataFrame()
    rows = portfolio.table.sort_values(["lift", "trial"], ascending=[False, True]).head(_MOST)
    binary = portfolio.kind == "binary"
    names = ("counted_lift", "expected_lift") if binary else ("amount_counted", "amount_expected")
    made = pd.DataFrame(
        {
            "trial": rows["trial"].map(plain_scheme),
            "scheme": rows["scheme"].map(plain_scheme),
            "members": rows["members"],
        }
    )
    made[names[0]] = rows["raw_lift"]
    for end in ("", "_low", "_high"):
        made[f"{names[1]}{end}"] = rows[f"lift{end}"]
    made["p_worth"] = rows["p_worth"]
    if "truth" in rows and rows["truth"].notna().any():
        made["planted_lift" if binary else "amount_planted"] = rows["truth"]
    return made.assign(verdict=rows["verdict"].replace(_VERDICTS)).reset_index(drop=True)


def describe_decided(portfolio: Portfolio) -> dict[str, str]:
    """Return ``title`` and ``note`` of the table of all schemes."""
    found = portfolio.table["verdict"].replace(_VERDICTS).value_counts()
    order = (*_VERDICTS.values(), "undecided")
    said = listing([f"{count(found[name])} {name}" for name in order if name in found])
    more = f" The {_MOST} largest lifts are shown." if len(portfolio.table) > _MOST else ""
    note = (
        f"Difference from {_control(portfolio)} in {_what(portfolio)}; {portfolio.mass * 100:g} % credible "
        "intervals. Chance: of a lift above "
        f"{_amount(portfolio, portfolio.rope)}. Choosing winners calls for no further correction of what is "
        f"expected.{more} {_left_out(portfolio)}".rstrip()
    )
    return {"title": f"{plural(len(portfolio.table), 'scheme')}: {said}", "note": note}


def _left_out(portfolio: Portfolio) -> str:
    """Say which trials are left out, and why."""
    if not len(portfolio.left_out):
        return ""
    said = [f"{row.trial} ({row.why})" for row in portfolio.left_out.itertuples()]
    return f"Left out: {'; '.join(said)}."


@register
def say_proxy(exam: ProxyExam) -> str:
    """Say whether early effects tell of late ones, and what members' own habits make of them."""
    if exam.why_empty:
        return exam.why_empty
    parts = [f"{_proxy_verdict(exam)}."]
    if exam.explained is None:
        parts.append(exam.reason)
    else:
        share = in_words(exam.explained.scaled(100), "%", 0)
        parts.append(f"Early effects explain {share} of the differences between late ones.{_surely(exam)}")
    return " ".join([*parts, f"Early is {exam.early_words}, late {_late(exam)}.", _habit(exam)])


def _habit(exam: ProxyExam) -> str:
    """Say how far estimates go together because the same members are counted twice."""
    return (
        f"Over these trials, estimates of both correlate by {number(exam.naive, 2)}; they would by "
        f"{number(exam.within, 2)} if no scheme did anything, because the same members are counted early "
        "and late."
    )


def _surely(exam: ProxyExam) -> str:
    """Say from which early effect on a late gain is sure; nothing where early effects are not accepted."""
    known = exam.verdict == "accepted" and math.isfinite(exam.surely_above)
    if not known or exam.slope is None or exam.slope.value < 0:
        return ""
    return (
        f" From a true early effect of {number(exam.surely_above, 2, signed=True)} on, the late one is above "
        f"0 with a chance of {percent((1 + exam.mass) / 2)} or more."
    )


def _proxy_verdict(exam: ProxyExam) -> str:
    return {
        "accepted": "Early effects tell of late ones",
        "refused": "Early effects do not tell of late ones",
        "undecided": "Early effects may tell of late ones, or may not: it is not decided",
        "cannot be judged": "Whether early effects tell of late ones cannot be judged",
    }[exam.verdict]


def _late(exam: ProxyExam) -> str:
    return f"how many {exam.words}" if exam.kind == "binary" else exam.words


def describe_proxy(exam: ProxyExam) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of late against early effects."""
    subtitle = (
        f"Effect on {_late(exam)} (up) against that on {exam.early_words} (across), "
        f"{plural(exam.trials, 'trial')}; "
        f"crosses: {exam.mass * 100:g} % confidence intervals."
    )
    if exam.explained is not None:
        subtitle += (
            f" Line and band: true late effect to expect of a true early one ({exam.mass * 100:g} % "
            f"prediction). Asked for: at least {percent(exam.least, 0)} explained, with a chance of "
            f"{percent(exam.sure, 0)}; it is {percent(exam.p_explained, 0)}."
        )
    else:
        subtitle += f" {exam.reason}"
    return {"title": _proxy_verdict(exam), "subtitle": subtitle, "alt": say_proxy(exam)}
