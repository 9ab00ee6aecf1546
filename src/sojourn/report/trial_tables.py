"""Tables of trials as blocks, columns named so that their format follows."""

from __future__ import annotations

import pandas as pd

from sojourn.core.results.block import Block
from sojourn.core.results.trials import Audit, Decision, Trial, TrialResult, plain_scheme
from sojourn.report.blocks import missing, note, table

#: What the rule says of one scheme, in words.
_VERDICTS = {"drop": "not worth it", "undecided": "not decided"}
_NO_TRUTH = "The truth of this case is not known; only a simulated case has one to compare with."


def rates_table(trial: Trial) -> Block:
    """Show every outcome as it was counted, by scheme, without any model."""
    binary = trial.binary.groupby(["outcome", "scheme"], as_index=False)[["n", "k"]].sum()
    shares = binary.assign(share=binary["k"] / binary["n"])[["outcome", "scheme", "n", "share"]]
    value = trial.value.groupby(["outcome", "scheme"], as_index=False)[["n", "total"]].sum()
    means = value.assign(amount=value["total"] / value["n"].where(value["n"] > 0))
    made = pd.concat([shares, means[["outcome", "scheme", "n", "amount"]]]) if len(means) else shares
    order = {scheme: i for i, scheme in enumerate(trial.schemes)}
    made = made.sort_values(["outcome", "scheme"], key=lambda c: c.map(order) if c.name == "scheme" else c)
    return table(
        made.assign(
            outcome=made["outcome"].map(trial.words), scheme=made["scheme"].map(plain_scheme)
        ).reset_index(drop=True),
        name="as-counted",
        title="What was counted",
        note="Members with complete follow-up; no model.",
    )


def schemes_table(result: TrialResult, decision: Decision | None = None) -> Block:
    """Show every scheme's outcome, lift, chances and expected loss, and what the decision says of it."""
    name = "by-scheme-" + result.outcome.replace("_", "-")
    return table(
        _judged(_renamed(result), result, decision),
        name=name,
        title=f"By scheme: {result.words if result.kind == 'value' else 'members who ' + result.words}",
        note=f"{result.mass * 100:g} % credible intervals, standardised over strata. "
        "Expected loss: what is given up on average by choosing this scheme when another is better.",
        bold="lift" if result.kind == "binary" else "amount_above_control",
    )


def _judged(table: pd.DataFrame, result: TrialResult, decision: Decision | None) -> pd.DataFrame:
    named = table.assign(scheme=table["scheme"].map(plain_scheme))
    if decision is None:
        return named
    verdicts = dict(zip(decision.table["scheme"], decision.table["verdict"], strict=True))
    found = [str(verdicts.get(scheme, "control")) for scheme in result.schemes]
    words = [_VERDICTS.get(verdict, verdict) for verdict in found]
    return named.assign(verdict=words)


def _renamed(result: TrialResult) -> pd.DataFrame:
    table = result.table.drop(columns=[c for c in result.table.columns if c.startswith("raw_")])
    table = table.rename(columns={"p_best": "p_being_best", "p_beats_control": "p_beating_control"})
    if result.kind == "binary":
        names = {"mean": "share", "expected_loss": "expected_loss_points"}
    else:
        names = {"mean": "amount", "lift": "amount_above_control", "expected_loss": "amount_expected_loss"}
    return table.rename(columns=lambda column: with_stem(column, names))


def with_stem(column: str, names: dict[str, str]) -> str:
    """Return a column's new name; bounds go with their stem."""
    for stem, name in names.items():
        if column == stem or column in (f"{stem}_low", f"{stem}_high"):
            return name + column.removeprefix(stem)
    return column


def strata_frame(result: TrialResult) -> pd.DataFrame:
    """Return lifts by stratum, alone and pooled, as they are drawn; no rows where there is one stratum."""
    several = len(set(result.strata["stratum"])) > 1
    strata = result.strata if several else result.strata.iloc[:0]
    strata = strata.drop(columns="raw_lift_se").rename(columns={"n": "members_with_control"})
    strata = strata.assign(scheme=strata["scheme"].map(plain_scheme))
    names = {"raw_lift": "alone_lift", "lift": "pooled_lift"}
    if result.kind == "value":
        names = {"raw_lift": "amount_alone", "lift": "amount_pooled"}
    return strata.rename(columns=lambda column: with_stem(column, names))


def lifts_frame(result: TrialResult) -> pd.DataFrame:
    """Return lifts with and without a model, as they are drawn."""
    columns = ["scheme", "n", *(f"{p}lift{e}" for p in ("", "raw_") for e in ("", "_low", "_high"))]
    table = result.table.iloc[1:][columns].reset_index(drop=True)
    table = table.assign(scheme=table["scheme"].map(plain_scheme))
    names = {"raw_lift": "without_model_lift"}
    if result.kind == "value":
        names = {"raw_lift": "amount_without_model", "lift": "amount_above_control"}
    return table.rename(columns=lambda column: with_stem(column, names))


def audit_table(audit: Audit, result: TrialResult) -> Block:
    """Show the fast path beside the sampled posterior; when that did not converge, say so instead."""
    if not audit.converged:
        return note("The sampler did not converge, so there is nothing to lay beside the fast path.")
    names = {"lift": "sampled_lift", "fast_lift": "fast_lift"}
    if result.kind == "value":
        names = {"lift": "amount_sampled", "fast_lift": "amount_fast"}
    made = audit.table.assign(scheme=audit.table["scheme"].map(plain_scheme)).rename(
        columns=lambda column: with_stem(column, names)
    )
    chances = {
        "p_beats_control": "p_beating_control_sampled",
        "fast_p_beats_control": "p_beating_control_fast",
    }
    made = made.rename(columns=chances).drop(columns=["p_best", "fast_p_best"])
    return table(
        made,
        name="audit-" + audit.outcome.replace("_", "-"),
        title="The fast path beside the sampled posterior",
        note=f"{result.mass * 100:g} % credible intervals. {audit.sampler}.",
    )


def truth_table(trial: Trial, results: list[TrialResult]) -> Block:
    """Show estimates beside the truth of a simulated case; any other case says that it has none."""
    rows = [
        row for result in {r.outcome: r for r in results}.values() for row in _beside_truth(trial, result)
    ]
    if not rows:
        return missing(_NO_TRUTH)
    frame = pd.DataFrame(rows)
    inside = int(frame["covered"].sum())
    return table(
        frame,
        name="truth",
        title=f"{inside} of {len(frame)} intervals hold the truth",
        note="The truth was planted when the case was simulated and is used nowhere else. "
        "Lifts of shares stand in members in 100, those of values in currency per member.",
    )


def _beside_truth(trial: Trial, result: TrialResult) -> list[dict[str, object]]:
    known = trial.meta.get("truth", {}).get(trial.name)
    if known is None or known["horizon_days"] != result.horizon_days:
        return []
    there = dict.fromkeys((f"{aim}_at_{known['horizon_days']}" for aim in ("kept", "back")), "lift")
    of = {**there, "net_value": "net_gain"}.get(result.outcome)
    if of is None:
        return []
    truth, factor = (
        {s["scheme"]: float(s[of]) for s in known["schemes"]},
        100 if result.kind == "binary" else 1,
    )
    rows: list[dict[str, object]] = []
    for scheme in result.schemes[1:]:
        lift, true = result.lift(scheme).scaled(factor), truth[scheme] * factor
        rows.append(
            {
                "outcome": result.words,
                "scheme": plain_scheme(scheme),
                "truth": true,
                "estimate": lift.value,
                "estimate_low": lift.low,
                "estimate_high": lift.high,
                "covered": lift.low <= true <= lift.high,
            }
        )
    return rows
