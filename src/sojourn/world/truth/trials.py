"""What is so about the schemes of a trial."""

from __future__ import annotations

from typing import Any

from sojourn.world.arrays import Floats
from sojourn.world.parameters import Frame, Trial
from sojourn.world.truth.expectations import QUANTITIES
from sojourn.world.truth.tally import Tally


def trial_truth(frame: Frame, trial: Trial, sums: Tally) -> dict[str, Any]:
    """Return what all schemes of a trial do to the members assigned, from the sums of all blocks."""
    expected = sums.expected[trial.name]
    rows = [
        {"segment": segment.name, **row}
        for code, segment in enumerate(frame.parameters.segments)
        if expected[0, code, 0]
        for row in _schemes(trial, expected[:, code])
    ]
    counts = dict(zip([s.name for s in trial.schemes], sums.assigned[trial.name].tolist(), strict=True))
    return {
        "control": trial.schemes[0].name,
        "members": int(sums.assigned[trial.name].sum()),
        "assigned": counts,
        "assigned_on_day": trial.day,
        "reward_days": trial.reward_days,
        "horizon_days": trial.horizon_days,
        "margin": trial.margin,
        "schemes": _schemes(trial, expected.sum(axis=1)),
        "by_segment": rows,
    }


def _schemes(trial: Trial, sums: Floats) -> list[dict[str, Any]]:
    """Return what each scheme does on average; gains are over the control.

    Parameters
    ----------
    trial : Trial
        Its schemes and margin.
    sums : array (schemes, 6)
        Members, and sums of `QUANTITIES` over them.
    """
    means = dict(zip(QUANTITIES, (sums[:, 1:] / sums[:, :1]).T, strict=True))
    value = trial.margin * means["revenue"] - means["cost"]
    return [
        {
            "scheme": scheme.name,
            "members": int(sums[code, 0]),
            "kept": means["kept"][code],
            "lift": means["kept"][code] - means["kept"][0],
            "revenue": means["revenue"][code],
            "cost": means["cost"][code],
            "net_value": value[code],
            "net_gain": value[code] - value[0],
            "rewarded_purchases": means["rewarded"][code],
            "deadweight": means["deadweight"][code] / max(means["rewarded"][code], 1e-12),
        }
        for code, scheme in enumerate(trial.schemes)
    ]
