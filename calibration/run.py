"""Run the calibration of one subject and write its results with the hash of the code they prove."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import yaml

from sojourn.core.proof import code_hash
from sojourn.pipeline.machine import STEADY, is_steady

HERE = Path(__file__).resolve().parent

#: What each subject measures: rooms or single modules of `src/sojourn`, and worlds of another subject.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "retention": (
        "calibration/common.py",  # the row of coverage
        "estimators/survival/intervals.py",
        "estimators/survival/kaplan_meier.py",
        "estimators/survival/log_rank.py",
        "estimators/survival/restricted_mean.py",
        "estimators/survival/risk_set.py",
        "estimators/survival/shares.py",
        "studies/retention/checks.py",
        "studies/retention/compared.py",
        "studies/retention/counted.py",
        "studies/retention/curve.py",
        "studies/retention/groups.py",
    ),
    "curves": (
        "calibration/common.py",  # the row of coverage
        "calibration/retention.py",  # its worlds
        "estimators/survival/bands.py",
        "estimators/survival/intervals.py",
        "estimators/survival/kaplan_meier.py",
        "estimators/survival/log_rank.py",
        "estimators/survival/quadrature.py",
        "estimators/survival/quantiles.py",
        "estimators/survival/restricted_mean.py",
        "estimators/survival/risk_set.py",
        "estimators/survival/weighted.py",
        "studies/retention/curve.py",
    ),
    "gate": (
        "estimators/survival/hazard_model.py",
        "estimators/survival/scores.py",
        "studies/retention/expected.py",
        "studies/retention/gate.py",
    ),
    "cure": (
        "estimators/survival/cure.py",
        "estimators/survival/follow_up.py",
        "estimators/survival/goodness.py",
        "estimators/survival/interval_cells.py",
        "estimators/survival/lifetime_fit.py",
        "estimators/survival/lifetime_laws.py",
        "estimators/survival/lifetime_likelihood.py",
        "estimators/survival/parametric.py",
        "studies/retention/lifetimes.py",
        "studies/retention/stayers.py",
    ),
    "drivers": (
        "calibration/common.py",  # the row of coverage
        "estimators/survival/design.py",
        "estimators/survival/partial.py",
        "estimators/survival/newton.py",
        "estimators/survival/cox.py",
        "estimators/survival/proportional.py",
        "estimators/survival/hazard_model.py",
        "estimators/survival/standardise.py",
        "studies/retention/patterned.py",
        "studies/retention/proportional.py",
        "studies/retention/drivers.py",
        "studies/retention/landmark.py",
    ),
    "states": (
        "calibration/common.py",  # the row of coverage
        "estimators/survival/aalen_johansen.py",
        "studies/retention/reasons.py",
        "studies/retention/states.py",
    ),
    "when": (
        "estimators/survival/age_period_cohort.py",
        "estimators/survival/bends.py",
        "estimators/survival/peak.py",
        "estimators/survival/risk_set.py",
        "estimators/survival/smooth_hazard.py",
        "studies/retention/cohorts.py",
    ),
    "silence": (
        "calibration/common.py",  # the row of coverage
        "studies/retention/silence.py",
    ),
    "forecast": (
        "estimators/survival/ahead.py",
        "estimators/survival/laws.py",
        "estimators/survival/shared_posterior.py",
        "estimators/survival/sharing.py",
        "estimators/survival/triangle.py",
        "studies/retention/race.py",
    ),
    "assignment": (
        "studies/trials/alike.py",
        "studies/trials/clustered.py",
        "studies/trials/missing.py",
        "studies/trials/overlapping.py",
        "studies/trials/sequential.py",
        "studies/trials/split.py",
    ),
    "lasting": (
        "calibration/common.py",  # the row of coverage
        "calibration/retention.py",  # its lives and follow-up
        "estimators/bayes/counts.py",
        "estimators/bayes/curves.py",
        "estimators/bayes/ratios.py",
        "studies/trials/counted.py",
        "studies/trials/drawn.py",
        "studies/trials/lasting.py",
        "studies/trials/outcome_checks.py",
        "studies/trials/ratios.py",
    ),
    "revenue": (
        "estimators/bayes/bootstrap.py",
        "estimators/bayes/covariate.py",
        "estimators/bayes/hurdle.py",
        "estimators/bayes/sizes.py",
        "studies/trials/adjusted.py",
        "studies/trials/revenue.py",
    ),
    "sbc": (
        "calibration/ranks.py",  # what makes ranks a verdict
        "calibration/sbc_worlds.py",
        "estimators/bayes/coordinates.py",
        "estimators/bayes/counts.py",
        "estimators/bayes/curves.py",
        "estimators/bayes/graph.py",
        "estimators/bayes/hurdle.py",
        "estimators/bayes/laplace.py",
        "estimators/bayes/model.py",
        "estimators/bayes/nuts.py",
    ),
    "beliefs": (
        "calibration/rates.py",  # the row of a rate
        "estimators/bayes/laplace.py",
        "estimators/bayes/model.py",
        "estimators/bayes/scaling.py",
        "studies/trials/conflict.py",
        "studies/trials/prior_check.py",
        "studies/trials/prior_checks.py",
    ),
    "portfolio": (
        "calibration/rates.py",  # the row of a rate
        "estimators/bayes/empirical.py",
        "estimators/bayes/proxy.py",
        "estimators/bayes/by_lot.py",
        "studies/portfolio/checks.py",
        "studies/portfolio/effects.py",
        "studies/portfolio/portfolio.py",
        "studies/portfolio/priors.py",
        "studies/portfolio/proxy.py",
    ),
    "rule": (
        "estimators/bayes/closed_form.py",
        "estimators/bayes/laplace.py",
        "estimators/bayes/model.py",
        "studies/trials/arms.py",
        "studies/trials/compare.py",
        "studies/trials/decide.py",
        "studies/trials/error_rates.py",
        "studies/trials/pairs.py",
        "studies/trials/rule.py",
        "studies/trials/rule_checks.py",
        "studies/trials/rule_named.py",
        "studies/trials/rule_nulls.py",
        "studies/trials/rule_paths.py",
        "studies/trials/rule_posterior.py",
        "studies/trials/rule_subject.py",
        "studies/trials/rule_worlds.py",
    ),
    "targeting": (
        "studies/trials/afterwards.py",
        "studies/trials/compliance.py",
        "studies/trials/fairness.py",
        "studies/trials/normal_bounds.py",
        "studies/trials/policies.py",
        "studies/trials/spill_over.py",
        "studies/trials/targeting.py",
        "studies/trials/weekly.py",
    ),
    "trials": (
        "estimators/bayes/closed_form.py",
        "estimators/bayes/coordinates.py",
        "estimators/bayes/laplace.py",
        "estimators/bayes/model.py",
        "studies/trials/arms.py",
        "studies/trials/checks.py",
        "studies/trials/compare.py",
        "studies/trials/conflict.py",
        "studies/trials/pairs.py",
        "studies/trials/predictive.py",
        "studies/trials/rule_posterior.py",
        "studies/trials/split.py",
        "studies/trials/trial.py",
    ),
    "board": (
        "calibration/common.py",  # the row of coverage
        "calibration/board_effects.py",  # effects and recommendations
        "calibration/portfolio.py",  # trials that were not by lot
        "calibration/rates.py",  # the row of a rate
        "estimators/bayes/crossed.py",
        "estimators/bayes/empirical.py",
        "estimators/bayes/by_lot.py",
        "estimators/cluster/intervals.py",
        "studies/board/board.py",
        "studies/board/drift.py",
        "studies/board/estimates.py",
        "studies/board/leaving.py",
        "studies/board/names.py",
        "studies/board/works_on.py",
    ),
    "segments": (
        "calibration/common.py",  # the row of coverage
        "calibration/segments_worth.py",  # what signs of groups are worth
        "estimators/cluster/copula.py",
        "estimators/cluster/intervals.py",
        "estimators/cluster/mixture.py",
        "estimators/cluster/partition.py",
        "estimators/cluster/smooth.py",
        "estimators/cluster/stability.py",
        "estimators/cluster/valley.py",
        "studies/segments/bands.py",
        "studies/segments/exam.py",
        "studies/segments/features.py",
        "studies/segments/find.py",
        "studies/segments/forming.py",
        "studies/segments/methods.py",
        "studies/segments/rfm.py",
        "studies/segments/structure.py",
        "studies/segments/worlds.py",
    ),
}


def rooms(subject: str) -> list[str]:
    """Return the code whose change makes a result stale: what is measured, and what measures it."""
    return [*map(_place, SUBJECTS[subject]), f"calibration/{subject}.py"]


def _place(measured: str) -> str:
    return measured if measured.startswith("calibration/") else f"src/sojourn/{measured}"


def calibrated(subject: str) -> dict[str, object]:
    """Return the rows of a subject's calibration, with what they prove."""
    spec = importlib.util.spec_from_file_location(f"calibration_{subject}", HERE / f"{subject}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"There is no calibration of {subject}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(HERE))  # what several subjects share stands beside them
    spec.loader.exec_module(module)
    rows = module.calibrate()
    return {"proves": {"rooms": rooms(subject), "hash": code_hash(rooms(subject))}, "rows": rows}


def write_proofs() -> None:
    """Write which calibrations prove which code of `src`, for the check on pages (`sojourn.report.proof`).

    A result that is stale leaves what was written when it was not; what is not declared any more goes.
    """
    from sojourn.report.proof import PROOFS

    declared = yaml.safe_load((HERE / "dvc.yaml").read_text(encoding="utf-8"))
    proofs = json.loads(PROOFS.read_text(encoding="utf-8")) if PROOFS.exists() else {}
    subjects = declared["stages"]["calibrate"]["foreach"]
    proofs = {
        study: {name: proof for name, proof in of.items() if subjects.get(name, {}).get("study") == study}
        for study, of in proofs.items()
    }
    for subject, about in subjects.items():
        results = HERE / "results" / f"{subject}.json"
        result = json.loads(results.read_text(encoding="utf-8")) if results.exists() else None
        if result and result["proves"]["hash"] == code_hash(rooms(subject)):
            proofs.setdefault(about["study"], {})[subject] = proof(subject, result["rows"])
    PROOFS.write_text(json.dumps(proofs, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def proof(subject: str, rows: list[dict[str, object]]) -> dict[str, object]:
    """Return the code of `src` that a subject measured, its hash, and how many goals were missed."""
    measured = [room for room in rooms(subject) if room.startswith("src/")]
    missed = sum(row.get("met") is False for row in rows)
    return {"rooms": measured, "hash": code_hash(measured), "missed": missed}


def main() -> int:
    """Write ``results/SUBJECT.json``; exit code 1 when a goal is missed."""
    if not is_steady():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **STEADY})
    result = calibrated(sys.argv[1])
    target = HERE / "results" / f"{sys.argv[1]}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    write_proofs()
    missed = [row for row in result["rows"] if row.get("met") is False]
    for row in missed:
        print(f"missed: {row}", file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
