"""sojourn: who stays, who leaves and why, which incentive pays, and which groups deserve different treatment.

Use as ``import sojourn as sj``. Names are loaded when first used, so the import itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Every public name and the module it lives in.
_HOME: dict[str, str] = {
    "Action": "sojourn.core.results.figures",
    "actions": "sojourn.report.blocks",
    "alt_lifts": "sojourn.report.trials",
    "alt_strata": "sojourn.report.trials",
    "answer": "sojourn.report.blocks",
    "audit": "sojourn.studies.trials.compare",
    "audit_table": "sojourn.report.trial_tables",
    "Block": "sojourn.core.results.block",
    "carried_frame": "sojourn.report.quality",
    "Cells": "sojourn.core.cells",
    "cells": "sojourn.data.cells",
    "Check": "sojourn.core.results.check",
    "check_portrait": "sojourn.studies.portrait.checks",
    "check_quality": "sojourn.studies.quality.checks",
    "check_retention": "sojourn.studies.retention.checks",
    "check_segments": "sojourn.studies.segments.checks",
    "check_split": "sojourn.studies.trials.split",
    "check_trial": "sojourn.studies.trials.checks",
    "checks_table": "sojourn.report.blocks",
    "cohort_triangle": "sojourn.studies.retention.counted",
    "compare_schemes": "sojourn.studies.trials.compare",
    "contrast": "sojourn.studies.retention.compared",
    "contrasts": "sojourn.studies.retention.compared",
    "contrasts_table": "sojourn.report.retention_figures",
    "day_n": "sojourn.studies.retention.counted",
    "decide": "sojourn.studies.trials.decide",
    "describe_contrasts": "sojourn.report.retention_figures",
    "describe_day_n": "sojourn.report.retention_figures",
    "describe_error_rates": "sojourn.report.trials",
    "describe_error_rates_below": "sojourn.report.trials",
    "describe_exam": "sojourn.report.segments",
    "describe_hazard": "sojourn.report.retention_figures",
    "describe_hidden": "sojourn.report.portrait_figures",
    "describe_lifts": "sojourn.report.trials",
    "describe_lifts_below": "sojourn.report.trials",
    "describe_next": "sojourn.report.segments",
    "describe_portrait": "sojourn.report.portrait_figures",
    "describe_profile": "sojourn.report.segments",
    "describe_quality": "sojourn.report.quality",
    "describe_readings": "sojourn.report.retention_figures",
    "describe_retention": "sojourn.report.retention_figures",
    "describe_segments": "sojourn.report.segments",
    "describe_stability": "sojourn.report.segments",
    "describe_strata": "sojourn.report.trials",
    "describe_strata_below": "sojourn.report.trials",
    "describe_triangle": "sojourn.report.retention_figures",
    "error_rates": "sojourn.studies.trials.error_rates",
    "exam_frame": "sojourn.report.segments",
    "features": "sojourn.studies.segments.features",
    "figure": "sojourn.viz.figure",
    "find_segments": "sojourn.studies.segments.find",
    "findings_frame": "sojourn.report.quality",
    "Headline": "sojourn.core.results.headline",
    "headline_portrait": "sojourn.report.portrait",
    "headline_quality": "sojourn.report.quality",
    "headline_retention": "sojourn.report.retention",
    "headline_segments": "sojourn.report.segments",
    "headline_trials": "sojourn.report.trials",
    "Interval": "sojourn.core.interval",
    "key_figures": "sojourn.report.blocks",
    "key_figures_portrait": "sojourn.report.portrait",
    "key_figures_quality": "sojourn.report.quality",
    "key_figures_retention": "sojourn.report.retention",
    "key_figures_segments": "sojourn.report.segments",
    "key_figures_trials": "sojourn.report.trials",
    "KeyFigure": "sojourn.core.results.figures",
    "lateness_frame": "sojourn.report.quality",
    "LiftPrior": "sojourn.core.results.trial_plan",
    "lifts_frame": "sojourn.report.trial_tables",
    "logrank": "sojourn.studies.retention.compared",
    "loss_rate": "sojourn.studies.retention.counted",
    "make_world": "sojourn.world",
    "next_frame": "sojourn.report.segments",
    "next_steps_portrait": "sojourn.report.portrait",
    "next_steps_quality": "sojourn.report.quality",
    "next_steps_retention": "sojourn.report.retention_steps",
    "next_steps_segments": "sojourn.report.segments",
    "next_steps_trials": "sojourn.report.trial_steps",
    "note": "sojourn.report.blocks",
    "plot_active_days": "sojourn.viz.portrait",
    "plot_coverage": "sojourn.viz.quality",
    "plot_error_rates": "sojourn.viz.trials",
    "plot_hazard": "sojourn.viz.retention",
    "plot_joiners": "sojourn.viz.portrait",
    "plot_lifts": "sojourn.viz.trials",
    "plot_members": "sojourn.viz.portrait",
    "plot_next": "sojourn.viz.segments",
    "plot_profile": "sojourn.viz.segments",
    "plot_retention": "sojourn.viz.retention",
    "plot_rhythm": "sojourn.viz.portrait",
    "plot_stability": "sojourn.viz.segments",
    "plot_steps": "sojourn.viz.portrait",
    "plot_strata": "sojourn.viz.trials",
    "plot_triangle": "sojourn.viz.retention",
    "portrait": "sojourn.studies.portrait.portrait",
    "profile": "sojourn.studies.segments.describe",
    "quality": "sojourn.studies.quality.quality",
    "rates_table": "sojourn.report.trial_tables",
    "read_params": "sojourn.core.params",
    "readings_table": "sojourn.report.retention_figures",
    "retention_curve": "sojourn.studies.retention.curve",
    "say": "sojourn.report.say",
    "say_truth": "sojourn.report.segments",
    "schemes_table": "sojourn.report.trial_tables",
    "segments_frame": "sojourn.report.segments",
    "strata_frame": "sojourn.report.trial_tables",
    "table": "sojourn.report.blocks",
    "told": "sojourn.report.segments",
    "trial": "sojourn.studies.trials.trial",
    "TrialPlan": "sojourn.core.results.trial_plan",
    "truth": "sojourn.world.truth.read",
    "truth_frame": "sojourn.report.segments",
    "truth_table": "sojourn.report.trial_tables",
    "what_next": "sojourn.studies.segments.afterwards",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (a list of names, made from the one place that knows them)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sojourn' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
