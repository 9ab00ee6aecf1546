"""Showing a result in a notebook: one call for its picture or table, its words and its numbers.

Pictures and prose never import each other; here they meet, so that a notebook need not join them by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sojourn.core.errors import ParameterError

if TYPE_CHECKING:
    from sojourn.core.results.block import Block
    from sojourn.core.results.take_away import TakeAway


@dataclass(frozen=True, slots=True)
class Picture:
    """How a result is drawn: modules and names of functions, loaded when they are needed.

    Attributes
    ----------
    plot : str
        ``module:function`` of the picture, below ``sojourn.viz``.
    describe : str
        ``module:function`` of ``title``, ``subtitle`` and ``alt``, below ``sojourn.report``.
    drawn : str
        What gives the numbers drawn: a method of the result, or ``module:function`` below ``sojourn.report``.
    """

    plot: str
    describe: str
    drawn: str = "drawn"


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a result is shown as a table.

    Attributes
    ----------
    frame : str
        ``module:function`` of the table, below ``sojourn.report``.
    describe : str
        ``module:function`` of ``title`` and ``note``, below ``sojourn.report``.
    bold : str
        Column that matters.
    """

    frame: str
    describe: str
    bold: str = ""


#: How results are shown, by the name of their class and, where there are several ways, of the view.
SHOWN: Mapping[str, Picture | Sheet] = {
    "Adjusted": Picture("trial_revenue:plot_adjusted", "trial_revenue:describe_adjusted"),
    "Balance": Picture("trial_assignment:plot_balance", "trial_assignment:describe_balance"),
    "Board": Picture("board:plot_board", "board:describe_board"),
    "Board.leaving": Picture("board:plot_leaving", "board:describe_leaving", drawn="board:leaving_frame"),
    "Board.forward": Sheet("board:forward_frame", "board:describe_forward", bold="predicted"),
    "Board.stages": Sheet("board_table:stages_frame", "board_table:describe_stages"),
    "Board.table": Sheet("board_table:board_frame", "board_table:describe_board_table", bold="do"),
    "Clustered": Sheet(
        "trial_assignment:clustered_frame", "trial_assignment:describe_clustered", bold="difference"
    ),
    "Afterwards": Picture("trial_after:plot_afterwards", "trial_after:describe_afterwards"),
    "Afterwards.table": Sheet(
        "trial_after:afterwards_frame", "trial_after:describe_afterwards_table", bold="times_as_fast_after"
    ),
    "Afterwards.trends": Sheet(
        "trial_after:trends_frame", "trial_after:describe_trends", bold="change_each_week"
    ),
    "CohortEffects": Picture("retention_when:plot_cohort_effects", "retention_when:describe_cohort_effects"),
    "CohortEffects.drift": Sheet("retention_when:drift_table", "retention_when:describe_drift"),
    "CohortTriangle": Picture("retention:plot_triangle", "retention_figures:describe_triangle"),
    "Compliance": Sheet(
        "trial_after:compliance_frame", "trial_after:describe_compliance", bold="lift_of_assigned"
    ),
    "CountedActivity": Picture("trial_outcomes:plot_differences", "trial_outcomes:describe_counted"),
    "CountedActivity.histogram": Picture(
        "trial_outcomes:plot_histogram", "trial_outcomes:describe_histogram", drawn="counted"
    ),
    "CountedActivity.table": Sheet(
        "trial_outcomes:counted_frame", "trial_outcomes:describe_counted_table", bold="more"
    ),
    "Deadweight": Sheet(
        "trial_after:deadweight_frame", "trial_after:describe_deadweight", bold="there_anyway_share"
    ),
    "DefinitionLens": Picture("retention_definitions:plot_lens", "retention_definitions:describe_lens"),
    "DefinitionLens.table": Sheet(
        "retention_definitions:lens_table", "retention_definitions:describe_lens_table"
    ),
    "Drift": Picture("board:plot_drift", "board_drift:describe_drift"),
    "Drift.changes": Sheet("board_drift:changes_frame", "board_drift:describe_changes", bold="change_points"),
    "Drift.migration": Picture("board:plot_migration", "board_drift:describe_migration", drawn="matrix"),
    "Drivers": Picture("retention_drivers:plot_drivers", "retention_drivers:describe_drivers"),
    "ExpectedLosses": Sheet(
        "retention_expected:expected_frame", "retention_expected:describe_expected", bold="p_leaving"
    ),
    "Fairness": Picture("trial_targeting:plot_fairness", "trial_targeting:describe_fairness"),
    "Fairness.gaps": Sheet("trial_targeting:gaps_frame", "trial_targeting:describe_gaps", bold="p_real"),
    "Fairness.groups": Sheet("trial_targeting:groups_frame", "trial_targeting:describe_groups"),
    "Forecast": Picture("retention_forecast:plot_forecast", "retention_forecast:describe_forecast"),
    "Forecast.race": Sheet(
        "retention_forecast:race_table", "retention_forecast:describe_race", bold="off_in_100"
    ),
    "Forecast.tenure": Sheet("retention_forecast:tenure_table", "retention_forecast:describe_tenure"),
    "Forecast.triangle": Picture(
        "retention_forecast:plot_triangle_forecast", "retention_forecast:describe_triangle_forecast"
    ),
    "Gate": Picture("retention_gate:plot_gate", "retention_gate:describe_gate"),
    "Gate.table": Sheet("retention_gate:gate_frame", "retention_gate:describe_gate_table", bold="off_in_100"),
    "Guardrails": Sheet(
        "trial_outcomes:guardrails_frame", "trial_outcomes:describe_guardrails", bold="p_harm"
    ),
    "LandmarkCurves": Picture("retention_drivers:plot_landmark", "retention_drivers:describe_landmark"),
    "LapseWindow": Picture(
        "retention_definitions:plot_lapse_window", "retention_definitions:describe_lapse_window"
    ),
    "LapseWindow.table": Sheet(
        "retention_definitions:windows_table", "retention_definitions:describe_windows"
    ),
    "Lasting": Picture("trial_outcomes:plot_lasting", "trial_outcomes:describe_lasting"),
    "Lasting.table": Sheet(
        "trial_outcomes:lasting_frame", "trial_outcomes:describe_lasting_table", bold="more_days"
    ),
    "Lifetimes": Sheet("retention_lifetimes:lifetimes_table", "retention_lifetimes:describe_lifetimes"),
    "Methods": Sheet(
        "segments_methods:methods_frame", "segments_methods:describe_methods", bold="worst_comes_back"
    ),
    "Methods.agreement": Sheet("segments_methods:agreement_frame", "segments_methods:describe_agreement"),
    "Methods.returns": Sheet(
        "segments_methods:returns_frame", "segments_methods:describe_returns", bold="comes_back"
    ),
    "Mismatch": Sheet("trial_assignment:mismatch_frame", "trial_assignment:describe_mismatch", bold="share"),
    "MessageResponse": Picture("segments_next:plot_messages", "segments_next:describe_messages"),
    "MessageResponse.table": Sheet(
        "segments_next:messages_frame", "segments_next:describe_messages_table", bold="opened_share"
    ),
    "MissingOutcomes": Sheet(
        "trial_assignment:missing_frame", "trial_assignment:describe_missing", bold="missing_share"
    ),
    "NextCurves": Picture("segments_next:plot_curves", "segments_next:describe_curves"),
    "NextCurves.table": Sheet(
        "segments_next:curves_frame", "segments_next:describe_curves_table", bold="retained"
    ),
    "Overlaps": Sheet("trial_assignment:overlaps_frame", "trial_assignment:describe_overlaps"),
    "PaymentSizes": Picture("trial_revenue:plot_sizes", "trial_revenue:describe_sizes"),
    "PastLifts": Picture("trial_prior:plot_past", "trial_prior:describe_past"),
    "PastLifts.laws": Sheet("trial_prior:past_frame", "trial_prior:describe_past_table"),
    "PlanCard": Sheet("trial_plan:plan_frame", "trial_plan:describe_plan"),
    "Policies": Picture("trial_targeting:plot_policies", "trial_targeting:describe_policies"),
    "Policies.bands": Picture("trial_targeting:plot_bands", "trial_targeting:describe_bands", drawn="banded"),
    "Policies.table": Sheet(
        "trial_targeting:policies_frame",
        "trial_targeting:describe_policies_table",
        bold="amount_above_no_one",
    ),
    "Portfolio": Picture("portfolio:plot_portfolio", "portfolio:describe_portfolio"),
    "Portfolio.running": Picture("portfolio:plot_running", "portfolio:describe_running"),
    "Portfolio.decided": Sheet("portfolio:decided_frame", "portfolio:describe_decided", bold="verdict"),
    "Portraits": Picture(
        "segments_who:plot_portraits", "segments_who:describe_portraits", drawn="segments_who:portraits_frame"
    ),
    "Portraits.table": Sheet(
        "segments_who:portraits_frame", "segments_who:describe_portraits_table", bold="share"
    ),
    "Portraits.traits": Sheet(
        "segments_who:traits_frame", "segments_who:describe_traits", bold="says_about_the_segment"
    ),
    "PriorCheck": Picture("trial_prior:plot_prior_check", "trial_prior:describe_prior_check"),
    "PriorCheck.outcomes": Sheet("trial_prior:outcomes_frame", "trial_prior:describe_outcomes"),
    "PriorCheck.power": Sheet("trial_prior:power_frame", "trial_prior:describe_power"),
    "Profile": Picture(
        "segments_who:plot_profile", "segments_who:describe_profile", drawn="segments_who:profile_frame"
    ),
    "Profile.table": Sheet("segments_who:ends_frame", "segments_who:describe_ends", bold="everyone"),
    "ProportionalHazards": Picture(
        "retention_drivers:plot_proportional", "retention_drivers:describe_proportional"
    ),
    "RatioResult": Picture("trial_outcomes:plot_differences", "trial_outcomes:describe_ratio"),
    "RatioResult.table": Sheet(
        "trial_outcomes:ratio_frame", "trial_outcomes:describe_ratio_table", bold="more"
    ),
    "ProxyExam": Picture("portfolio:plot_proxy", "portfolio:describe_proxy"),
    "Reasons": Picture("retention_states:plot_reasons", "retention_states:describe_reasons"),
    "Revenue": Picture("trial_revenue:plot_revenue", "trial_revenue:describe_revenue"),
    "Revenue.table": Sheet(
        "trial_revenue:revenue_frame", "trial_revenue:describe_revenue_table", bold="amount_above_control"
    ),
    "RiskPeak": Picture("retention_when:plot_when", "retention_when:describe_when"),
    "SplitByDay": Picture("trial_assignment:plot_split_by_day", "trial_assignment:describe_split_by_day"),
    "SpillOver": Sheet("trial_after:spill_over_frame", "trial_after:describe_spill_over", bold="lift"),
    "SpillOver.without": Sheet("trial_after:without_frame", "trial_after:describe_without", bold="lift"),
    "TakeAway": Sheet("segments_take_away:rule_frame", "segments_take_away:describe_rule"),
    "TakeAway.fidelity": Sheet(
        "segments_take_away:fidelity_frame", "segments_take_away:describe_fidelity", bold="found_share"
    ),
    "TimeToReturn": Picture("retention_states:plot_returns", "retention_states:describe_returns"),
    "TrialResult": Picture("trials:plot_lifts", "trials:describe_lifts", drawn="trial_tables:lifts_frame"),
    "TrialResult.strata": Picture(
        "trials:plot_strata", "trials:describe_strata", drawn="trial_tables:strata_frame"
    ),
    "TypicalMembers": Sheet("segments_who:typical_frame", "segments_who:describe_typical"),
    "WhatNext": Picture("segments_next:plot_next", "segments_next:describe_next"),
    "WhatNext.table": Sheet("segments_next:next_frame", "segments_next:describe_next_table"),
    "WithUs": Picture("retention_states:plot_occupation", "retention_states:describe_occupation"),
    "WorksOn": Picture("board:plot_works_on", "board_works:describe_works_on"),
    "WorksOn.table": Sheet("board_works:works_frame", "board_works:describe_works_table", bold="net_value"),
    "AnotherLook": Sheet("trial_design:looks_frame", "trial_design:describe_looks"),
    "ErrorRateCard": Picture("trials:plot_error_rates", "trial_rule:describe_error_card"),
    "ErrorRateCard.grid": Sheet("trial_rule:grid_frame", "trial_rule:describe_grid", bold="wrong_rate"),
    "RuleCalibration": Picture("trial_rule:plot_calibration", "trial_rule:describe_calibration"),
    "RuleCalibration.table": Sheet(
        "trial_rule:calibration_frame", "trial_rule:describe_calibration_table", bold="wrong_rate"
    ),
    "TrialDesign": Picture("trial_design:plot_design", "trial_design:describe_design"),
    "TrialDesign.allocation": Sheet("trial_design:allocation_frame", "trial_design:describe_allocation"),
    "TrialDesign.table": Sheet("trial_design:design_frame", "trial_design:describe_design_table"),
}


def show(result: Any, *, name: str, view: str = "", **asked: Any) -> Block:
    """Show a result: its picture or table with the words around it, or in one sentence why there is none.

    Parameters
    ----------
    result : frozen result of a study
        One of `SHOWN`.
    name : str
        Name of its CSV, in kebab-case; unique within a notebook.
    view : str
        Which of several ways; the main one when not stated.
    **asked
        What its words need beside it, such as ``horizon``.

    Raises
    ------
    ParameterError
        When nobody has said how such a result is shown, or so.
    """
    from sojourn.report.blocks import missing, table
    from sojourn.viz.figure import figure

    kind = f"{type(result).__name__}.{view}" if view else type(result).__name__
    if kind not in SHOWN:
        raise ParameterError.unknown(kind, "the results that can be shown", SHOWN)
    way, currency = SHOWN[kind], str(getattr(result, "currency", ""))
    if isinstance(way, Sheet):
        frame = _function("report", way.frame)(result)
        words = {} if frame.empty else _function("report", way.describe)(result, **asked)
        if frame.empty:
            return missing(_why_not(result))
        return table(frame, name=name, bold=way.bold, currency=currency, **words)
    if getattr(result, "why_empty", ""):
        return missing(_why_not(result))
    words = _function("report", way.describe)(result, **asked)
    numbers = _function("report", way.drawn)(result) if ":" in way.drawn else getattr(result, way.drawn)()
    if numbers.empty:
        return missing(words["title"])
    drawing = _function("viz", way.plot)(result)
    return figure(drawing, name=name, table=numbers, currency=currency, **words)


def hand_out(rule: TakeAway) -> Block:
    """Hand out a rule of segments: as a query for any database, and as a file that `sojourn score` reads.

    Parameters
    ----------
    rule : TakeAway
        As `take_away` returns it.

    Returns
    -------
    Block
        A card with links to ``rule.sql`` and ``rule.json``, which the runner writes beside the page.
    """
    from sojourn.data.rule_code import rule_sql
    from sojourn.report.blocks import files
    from sojourn.report.segments_take_away import hand_out_words

    return files({"rule.sql": rule_sql(rule), "rule.json": rule.to_json()}, **hand_out_words(rule))


def _why_not(result: Any) -> str:
    """Say why there is nothing to show; nothing where nobody could miss it."""
    from sojourn.report.say import say

    there = hasattr(result, "why_empty") and not result.why_empty  # what is empty is one way of telling it
    return "" if there or getattr(result, "not_applicable", False) else say(result)


def _function(room: str, place: str) -> Any:
    module, function = place.split(":")
    return getattr(import_module(f"sojourn.{room}.{module}"), function)
