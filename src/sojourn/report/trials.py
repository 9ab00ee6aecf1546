"""Words for trials: the answer, key figures, findings of pictures, sentences and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.core.interval import Interval
from sojourn.core.results.check import Check
from sojourn.core.results.figures import KeyFigure
from sojourn.core.results.headline import Headline
from sojourn.core.results.trial_rule import ErrorRateCard
from sojourn.core.results.trials import (
    Audit,
    Decision,
    SplitCheck,
    Trial,
    TrialResult,
    plain_scheme,
)
from sojourn.core.text import begun, bounds, chances, count, in_words, listing, money, number, percent, plural
from sojourn.report.say import register
from sojourn.report.trial_rule import DOING
from sojourn.report.warned import warned

_UNIT_BINARY = "members in 100"
#: The sign of a lift is sure where the chance that it is the other one is below this.
_SURE = 0.05
#: Name of the check of the division.
SPLIT = "Members divided as planned"
#: Name of the check of the frozen plan.
RULE = "Rule written before the data"
#: What a warning means in a few words, by the name of its check.
_WARNED = {
    SPLIT: "members were divided unevenly",
    RULE: "the rule was not frozen beforehand",
    "Follow-up complete": "most members not followed to the end yet",
    "Same division at all times": "the division changed over time",
    "The trial is large enough": "the trial may be too small to find what is worth having",
    "Payments follow the law of the model": "payments follow no simple law, so none is assumed",
    "The rule is seldom wrong": "the rule is wrong more often than promised",
    "Nobody in two schemes": "some members were in two schemes",
    "Groups gain alike": "groups do not gain alike",
    "No cliff when the reward ends": "more members leave when the reward ends",
    "Payments are not only pulled forward": "payments may only be pulled forward",
}


def shown_unit(result: TrialResult) -> str:
    """Return the unit of a lift as it is shown: ``members in 100`` or currency per member."""
    return _UNIT_BINARY if result.kind == "binary" else f"{result.currency} per member".strip()


def shown_lift(result: TrialResult, scheme: str) -> Interval:
    """Return a lift with its interval in the unit that is shown."""
    return result.lift(scheme).scaled(100 if result.kind == "binary" else 1)


def lift_in_words(result: TrialResult, scheme: str) -> str:
    """Return what a scheme does compared with control, as a clause with its interval."""
    lift, control = shown_lift(result, scheme), plain(result.control)
    size, more = abs(lift.value), lift.value >= 0
    if result.kind == "binary":
        said = f"{number(size, 1)} {'more' if more else 'fewer'} members in 100 {result.words}"
        return f"under {plain(scheme)}, {said} than under {control} ({either_way(lift, 1, 'more', 'fewer')})"
    verb, to = ("adds", "to") if more else ("takes", "from")
    said = f"{verb} {money(size, result.currency)} {to} {result.words}, compared with {control}"
    return f"{plain(scheme)} {said} ({either_way(lift, 2, 'added', 'taken')})"


def either_way(lift: Interval, digits: int, more: str, fewer: str) -> str:
    """Return an interval without signs, in the direction of its value; each end named where it spans zero.

    Parameters
    ----------
    lift : Interval
        In the unit that is shown.
    digits : int
        Decimals.
    more, fewer : str
        Words for above and below zero.
    """
    up = lift.value >= 0
    near, far = (lift.low, lift.high) if up else (lift.high, lift.low)
    ahead, behind = (more, fewer) if up else (fewer, more)
    if lift.low < 0 < lift.high:
        said = f"{number(abs(far), digits)} {ahead} to {number(abs(near), digits)} {behind}"
    else:
        said = f"{number(abs(near), digits)} to {number(abs(far), digits)} {ahead}"
    return f"{lift.label} {said}"


def headline_trials(decision: Decision, checks: Sequence[Check] = ()) -> Headline:
    """Return the one sentence of the study, what follows from it, and what was warned of."""
    result, scheme = decision.result, decision.scheme
    clause = lift_in_words(result, scheme)
    opening = {
        "ship": "",
        "wait": "Not decided yet: ",
        "stop": "No scheme is worth it; of the best one: ",
        "stop for harm": "Stop, every scheme does harm; of the least harmful one: ",
        "no difference worth having": "No scheme makes a difference worth having; of the best one: ",
        "blocked": "No recommendation, because a check failed; the estimate is: ",
    }[decision.verdict]
    if len(result.schemes) == 2:
        alone = {"stop": f"Keep {plain(result.control)}: ", "stop for harm": "Stop, it does harm: "}
        opening = alone.get(decision.verdict, opening)
    banner = " ".join(check.finding for check in checks if check.name == RULE and check.verdict == "fail")
    reasons = [reason for reason in decision.reasons if not (banner and banner in reason)]
    return Headline(
        sentence=_sentence(opening + clause),
        verdict=f"{decision.verdict} (exercise)" if decision.historic else decision.verdict,
        status="blocked" if decision.verdict == "blocked" else "ok",
        interval=shown_lift(result, scheme),
        unit=shown_unit(result),
        detail=" ".join(filter(None, [*reasons, warned(checks, _WARNED)])),
        banner=banner,
    )


def key_figures_trials(
    trial: Trial, kept: TrialResult, decision: Decision, rates: ErrorRateCard
) -> list[KeyFigure]:
    """Return the strip: what decides, the guard, the chance that it is worth it, the rule's error rate."""
    result, scheme, error = decision.result, decision.scheme, rates.at(rates.planned_looks)
    lifts = [_lift_figure(trial, result, scheme)]
    lifts += [_lift_figure(trial, kept, scheme)] if kept.outcome != result.outcome else []
    return [
        *lifts,
        KeyFigure(
            f"Chance that {plain(scheme)} is worth having",
            chances(_chance(decision)),
            f"a lift above {shown_amount(result, decision.plan.rope)}; the rule asks for more than "
            f"{chances(decision.plan.threshold)}",
        ),
        KeyFigure(
            "False alarms: trials that would ship a scheme without a lift",
            percent(error["wrong_rate"]),
            f"with {plural(rates.planned_looks, 'look')}, at worst: {DOING[str(error['worst'])]}; "
            f"95 % interval of the simulation {percent(error['wrong_rate_low'])} to "
            f"{percent(error['wrong_rate_high'])}",
        ),
    ]


def _counted(trial: Trial, outcome: str, scheme: str) -> float:
    cells = trial.cells(outcome)
    of = cells[cells["scheme"] == scheme]
    return float(of["k"].sum() / of["n"].sum())


def _chance(decision: Decision) -> float:
    """Return the probability that the decision's scheme is worth having."""
    table = decision.table
    drawn = float(table["p_worth"][table["scheme"] == decision.scheme].iloc[0])
    return min(max(drawn, 1e-6), 1 - 1e-6)  # draws never show that a chance is 0 or 1


def _lift_figure(trial: Trial, result: TrialResult, scheme: str) -> KeyFigure:
    lift, control = shown_lift(result, scheme), result.control
    if result.kind == "value":
        value = f"{number(lift.value, 2, signed=True)} {result.currency}".strip()
        return KeyFigure(f"{plain(scheme)}: {result.words}", value, bounds(lift, 2))
    shares = [percent(_counted(trial, result.outcome, arm), 2) for arm in (scheme, control)]
    return KeyFigure(
        f"{plain(scheme)}: {trial.meta.get('unit', 'member')}s who {result.words}",
        f"{number(lift.value, 1, signed=True)} in 100",
        f"{bounds(lift, 1)}; counted: {shares[0]} against {shares[1]} under {plain(control)}",
    )


def describe_lifts(result: TrialResult) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of lifts."""
    return {"title": _lifts_title(result), "subtitle": _lifts_subtitle(result), "alt": _lifts_alt(result)}


def _lifts_title(result: TrialResult) -> str:
    ordered = result.table.iloc[1:].sort_values(["lift", "scheme"], ascending=[False, True])["scheme"]
    best, worst = str(ordered.iloc[0]), str(ordered.iloc[-1])
    parts = [_gain(result, best)] if result.lift(best).low > 0 else []
    parts += [_gain(result, worst)] if result.lift(worst).high < 0 else []
    if not parts:
        return f"No scheme is clearly better or worse than {plain(result.control)}."
    return _sentence("; ".join(parts) + f", compared with {plain(result.control)}")


def _gain(result: TrialResult, scheme: str) -> str:
    """Return what a scheme earns, loses or keeps, with its number."""
    lift = shown_lift(result, scheme).value
    if result.kind == "binary":
        return f"{plain(scheme)}: {number(abs(lift))} {'more' if lift > 0 else 'fewer'} members in 100"
    return f"{plain(scheme)}: {money(abs(lift), result.currency)} {'more' if lift > 0 else 'less'} per member"


def _lifts_subtitle(result: TrialResult) -> str:
    what = (
        f"members in 100 who {result.words}"
        if result.kind == "binary"
        else f"{result.words}, {result.currency}".removesuffix(", ")
    )
    return (
        f"Difference from {plain(result.control)} in {what}; {count(result.table['n'].sum())} members. "
        f"Bars: {result.lift(result.schemes[1]).label}; thin lines: the same without a model."
    )


def _lifts_alt(result: TrialResult) -> str:
    digits = 1 if result.kind == "binary" else 2
    parts = [
        f"{plain(s)} {in_words(shown_lift(result, s), shown_unit(result), digits)}"
        for s in result.schemes[1:]
    ]
    return f"Differences from {plain(result.control)}: {'; '.join(parts)}."


def describe_strata(result: TrialResult) -> dict[str, str]:
    """Return ``title``, ``subtitle`` and ``alt`` of the picture of strata."""
    return {"title": _strata_title(result), "subtitle": _strata_subtitle(result), "alt": _strata_alt(result)}


def _strata_title(result: TrialResult) -> str:
    if result.strata["stratum"].nunique() == 1:
        return "There is one stratum, so there is nothing to compare."
    best = result.table.iloc[1:].sort_values(["lift", "scheme"], ascending=[False, True])["scheme"].iloc[0]
    own = result.strata[result.strata["scheme"] == best]
    lifts = own["lift"] * _factor(result)
    digits = 1 if result.kind == "binary" else 2
    low, high = (number(float(x), digits, signed=True) for x in (lifts.min(), lifts.max()))
    sure = f", its sign sure in {int((own['p_wrong_sign'] < _SURE).sum())} of {len(own)}"
    return _sentence(f"{plain(str(best))} does {low} to {high} {shown_unit(result)} over the strata{sure}")


def _factor(result: TrialResult) -> float:
    return 100.0 if result.kind == "binary" else 1.0


def _strata_subtitle(result: TrialResult) -> str:
    return (
        f"Difference from {plain(result.control)} in {shown_unit(result)}, {result.words}: "
        f"hollow a stratum alone, full pooled; bars: {result.lift(result.schemes[1]).label}, pooled. "
        f"A sign is sure where it is wrong with a chance below {chances(_SURE)}."
    )


def _strata_alt(result: TrialResult) -> str:
    factor, digits = (100, 1) if result.kind == "binary" else (1, 2)
    parts = [
        f"{plain(str(row['scheme']))}, {row['stratum']}: "
        f"{number(float(row['raw_lift']) * factor, digits)} alone, "
        f"{number(float(row['lift']) * factor, digits)} pooled"
        for _, row in result.strata.iterrows()
    ]
    return f"Lifts by stratum in {shown_unit(result)}: {'; '.join(parts)}."


@register
def say_split(split: SplitCheck) -> str:
    """Say whether members were divided as planned."""
    parts = [
        f"{percent(share, 2)} in {plain(scheme)} (planned {percent(planned, 2)})"
        for scheme, share, planned in zip(
            split.table["scheme"], split.table["share"], split.table["planned_share"], strict=True
        )
    ]
    verdict = {
        "pass": "no sign of a fault",
        "warn": "a warning: so uneven a split is rare by chance",
        "fail": "a fault",
    }[split.verdict]
    return f"Members were divided {listing(parts)}; p = {split.p_value:.4f}, {verdict}."


@register
def say_trial(trial: Trial) -> str:
    """Say what was compared, over whom and since when."""
    assigned, matured = int(trial.split["assigned"].sum()), int(trial.split["matured"].sum())
    others = listing([plain(s) for s in trial.schemes[1:]])
    historic = (
        " A historic trial: its rule was chosen afterwards, when the results were public."
        if trial.meta.get("historic")
        else ""
    )
    return (
        f"{_sentence(others + ' against ' + plain(trial.control))} "
        f"{count(assigned)} members{' who had left' if trial.wins_back else ''} were assigned at random; "
        f"{count(matured)} have complete follow-up of "
        f"{trial.meta['horizon_days']} days.{historic}"
    )


@register
def say_result(result: TrialResult) -> str:
    """Say every scheme's lift, the belief behind it and what pooling shrank."""
    lifts = " ".join(_sentence(lift_in_words(result, scheme)) for scheme in result.schemes[1:])
    factor, digits = (100, 1) if result.kind == "binary" else (1, 2)
    belief = (
        f"Belief beforehand: {percent(result.prior.mass, 0)} of lifts lie between "
        f"{number(result.prior.low * factor, digits)} and {number(result.prior.high * factor, digits)} "
        f"{shown_unit(result)}."
    )
    return f"{lifts} {belief} {_strata_title(result)}"


@register
def say_audit(audit: Audit) -> str:
    """Say whether the sampled posterior confirms the fast path."""
    if not audit.converged:
        return f"The sampler did not converge (r-hat {audit.r_hat:.3f}), so nothing confirms the fast path."
    verdict = "agree" if audit.agrees else "do not agree"
    return (
        f"Fast path and sampler {verdict}: at most {audit.gap_sd:.2f} standard deviations and "
        f"{percent(audit.gap_p)} of probability apart. {audit.sampler}; r-hat {audit.r_hat:.3f}, "
        f"effective draws {count(audit.ess_bulk)}, {plural(audit.divergences, 'divergence')}."
    )


@register
def say_decision(decision: Decision) -> str:
    """Say the verdict and its reasons."""
    return f"{headline_trials(decision).sentence} Verdict: {decision.verdict}. {' '.join(decision.reasons)}"


def plain(scheme: str) -> str:
    """Return a scheme's name for reading."""
    return plain_scheme(scheme)


def shown_amount(result: TrialResult, value: float) -> str:
    """Return a lift in the unit that is shown."""
    if result.kind == "binary":
        return f"{number(100 * value)} {_UNIT_BINARY}"
    return money(value, result.currency)


def _sentence(text: str) -> str:
    return begun(text) + ("" if text.endswith(".") else ".")
