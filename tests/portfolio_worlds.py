"""Cells of many trials, drawn from stated effects: shared by tests of portfolio, proxy and their words."""

import numpy as np
import pandas as pd

from sojourn.core.cells import Cells


def make_portfolio(
    trials=40,
    *,
    members=2000,
    spread=(0.06, 1.2),
    explained=0.8,
    within=0.6,
    outcome="net_value",
    seed=0,
    truth=True,
):
    """Return cells with the table ``trials`` of two-scheme trials; values err by about .6 a trial.

    Early and late effects of a trial spread by `spread`; members' early and late values correlate `within`.
    """
    rng = np.random.default_rng(seed)
    r = explained**0.5
    rows, planted = [], {}
    for number in range(trials):
        z = rng.standard_normal(2)
        early, late = spread[0] * z[0], spread[1] * (r * z[0] + (1 - explained) ** 0.5 * z[1])
        name = f"trial {number + 1:03d}"
        planted[name] = {"horizon_days": 90, "schemes": [{"scheme": "new", "lift": 0.0, "net_gain": late}]}
        for scheme, effects in (("none", (0.0, 0.0)), ("new", (early, late))):
            noise = rng.standard_normal((members, 2)) @ np.linalg.cholesky([[1, within], [within, 1]]).T
            x, y = 3 + effects[0] + noise[:, 0], 10 + effects[1] + 20 * noise[:, 1]
            rows.append((name, scheme, members, y.sum(), y @ y, x.sum(), x @ x, x @ y))
    columns = ["trial", "scheme", "n", "total", "total_sq", "early", "early_sq", "cross"]
    table = pd.DataFrame(rows, columns=columns).assign(outcome=outcome)
    meta = {"trial": "main", "horizon_days": 90, "currency": "EUR", "early_days": 14}
    return Cells("test", "trials", {"trials": table}, meta | ({"truth": planted} if truth else {}))
