"""What could be wrong with a belief beside a trial, with the measured rates of the check."""

from __future__ import annotations

from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.trial_prior import PriorCheck
from sojourn.core.results.trials import plain_scheme
from sojourn.core.text import listing, number
from sojourn.studies.trials.prior_rates import PRIOR


def check_prior(check: PriorCheck) -> list[Check]:
    """Check that the answer is the data's and would be the same had the belief counted half or twice."""
    deciding = check.table[check.table["reading"].isin(["the belief decides", "belief and data disagree"])]
    verdict: Verdict = "warn" if len(deciding) or check.hanging else "pass"
    worst = check.worst
    finding = (
        f"{plain_scheme(str(worst['scheme']))}: {worst['reading']}; the lift is "
        f"{_amount(check, worst['halved_lift'])} {check.unit} when the belief counts half, "
        f"{_amount(check, worst['lift'])} as it is, {_amount(check, worst['doubled_lift'])} when it counts "
        f"twice (sensitivity to the belief {number(worst['belief_sensitivity'], 2)}, to the data "
        f"{number(worst['data_sensitivity'], 2)})."
    )
    return [
        Check(
            f"The answer does not hang on the belief ({check.words})",
            verdict,
            finding,
            _hanging(check, [plain_scheme(str(scheme)) for scheme in deciding["scheme"]]),
            *PRIOR,
        )
    ]


def _amount(check: PriorCheck, lift: float) -> str:
    return number(check.factor * float(lift), 1 if check.kind == "binary" else 2, signed=True)


def _hanging(check: PriorCheck, deciding: list[str]) -> str:
    if check.hanging:
        names = listing([plain_scheme(scheme) for scheme in check.hanging])
        return f"Whether {names} would ship depends on how much the belief counts: get more data first."
    if deciding:
        return f"For {listing(deciding)} the belief is at odds with the data, or says more than they do."
    return "Half or twice the weight of the belief would not change what ships."
