"""A trial of members who had left, as tidy tables: who comes back, how soon, for how long, and what they pay.

Who will come back at all under a scheme does so after an exponential time, stays for another, and pays at a
steady pace while there; so shares that are back and expected payments have closed forms.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd

import tidy_worlds
from sojourn.data.tidy import Tidy

AS_OF = pd.Timestamp(datetime(2025, 7, 1, tzinfo=UTC))
PARAMS = {
    "trial": "come-back",
    "horizons": [30, 90],
    "value_days": 90,
    "stratum": "plan",
    "margin": 0.5,
    "cost_per_member": {},
    "allocation": {},
}


@dataclass(frozen=True)
class WinBack:
    """What is planted; times in days.

    `returns`: share that will ever come back, by scheme. `away`, `stay`: mean times from assignment until
    coming back and from then until leaving again. `pays`, `price`: payments a day while there, and the size
    of each. `gift`: cost of the scheme, at assignment. `still`: share assigned though they never left; half
    as many had left and were back.
    """

    members: int = 3_000
    returns: tuple[float, float] = (0.15, 0.35)
    away: float = 25.0
    stay: float = 120.0
    pays: float = 0.1
    price: float = 12.0
    gift: float = 3.0
    still: float = 0.1

    def back_at(self, scheme, days):
        """Return the share in a spell after so many days: the time away and then that of the stay."""
        r, h = 1 / self.away, 1 / self.stay
        return self.returns[scheme] * r / (r - h) * (np.exp(-h * days) - np.exp(-r * days))

    def came_by(self, scheme, days):
        """Return the share that has come back within so many days, left again or not."""
        return self.returns[scheme] * (1 - np.exp(-days / self.away))

    def days_since(self, scheme, days):
        """Return the mean days since coming back, up to so many days; 0 for who has not."""
        return self.returns[scheme] * (days - self.away * (1 - np.exp(-days / self.away)))

    def net_value(self, scheme, days):
        """Return the mean value of a member: margin on payments at a pace while there, less the gift."""
        r, h = 1 / self.away, 1 / self.stay
        there = (1 - np.exp(-h * days)) / h - (1 - np.exp(-r * days)) / r
        paid = self.pays * self.price * self.returns[scheme] * r / (r - h) * there
        return PARAMS["margin"] * paid - self.gift * scheme


def draw(world, seed=1):
    """Return the frames of a world by table, members numbered."""
    rng = np.random.default_rng(seed)
    n = world.members
    scheme = rng.integers(0, 2, n)
    state = rng.choice(["left", "still", "back"], n, p=[1 - 1.5 * world.still, world.still, world.still / 2])
    assigned = rng.uniform(20, 300, n)  # days before as_of, as are all that follow
    left = np.where(state == "still", np.nan, assigned + rng.uniform(5, 40, n))
    comes = rng.random(n) < np.array(world.returns)[scheme]
    begins = np.where(comes, assigned - rng.exponential(world.away, n), np.nan)
    begins = np.where(state == "left", begins, np.where(state == "back", assigned + 2, np.nan))
    ends = begins - rng.exponential(world.stay, n)
    member, joined, plan = np.arange(n), assigned + 200, rng.choice(["monthly", "annual"], n)
    members = pd.DataFrame(
        {"member": member, "joined_at": ago(joined), "churned_at": ago(left), "plan": plan}
    )
    first = pd.DataFrame({"member": member, "started_at": ago(joined), "ended_at": ago(left), "plan": plan})
    again = _second_stays(member, begins, ends, plan)
    spells = pd.concat([first, again], ignore_index=True)
    listed = pd.DataFrame({"member": member, "scheme": np.array(["none", "gift"])[scheme],
                           "assigned_at": ago(assigned), "cluster": None})  # fmt: skip
    gifts = listed[listed["scheme"] == "gift"]
    costs = pd.DataFrame({"what": "incentive", "member": gifts["member"], "scheme": "gift", "channel": None,
                          "amount": Decimal(f"{world.gift:.4f}"), "at": gifts["assigned_at"]})  # fmt: skip
    return {
        "members": members.assign(age_band="25-34"),
        "spells": spells,
        "assignments": listed.assign(trial="come-back"),
        "events": _payments(world, begins, ends, rng),
        "costs": costs,
    }


def _second_stays(member, begins, ends, plan):
    """Return spells after coming back; every third member changes the plan amid it, which ends no stay."""
    middle = np.where(member % 3 == 0, (begins + ends) / 2, ends)
    parts = [(begins, middle, plan), (np.where(member % 3 == 0, middle, np.nan), ends, "family")]
    made = [
        pd.DataFrame({"member": member, "started_at": ago(since), "ended_at": ago(until), "plan": on})
        for since, until, on in parts
    ]
    return pd.concat(made, ignore_index=True).dropna(subset="started_at")


def ago(days):
    """Return instants so many days before `as_of`, in whole seconds; none for none."""
    return AS_OF - pd.to_timedelta(np.round(np.asarray(days) * 86_400), unit="s")


def _payments(world, begins, ends, rng):
    """Return payments at a steady pace from coming back to leaving again."""
    length = np.where(np.isnan(begins), 0, begins - np.maximum(ends, 0)).clip(min=0)
    count = rng.poisson(world.pays * length)
    member = np.repeat(np.arange(len(begins)), count)
    at = begins[member] - rng.random(len(member)) * length[member]
    amount = Decimal(f"{world.price:.4f}")
    return pd.DataFrame({"member": member, "occurred_at": ago(at), "event": "purchase", "amount": amount})


def tidy_of(frames):
    """Return frames as tidy tables of a case."""
    meta = {
        "as_of": AS_OF.isoformat(),
        "first_instant": "2023-01-01T00:00:00Z",
        "time_zone": "UTC",
        "currency": "EUR",
    }
    return Tidy("shop", tidy_worlds.tables(frames), meta)
