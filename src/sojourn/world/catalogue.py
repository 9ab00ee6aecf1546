"""The worlds there are, by name: the demo platform, and worlds that break studies on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sojourn.core.errors import ParameterError
from sojourn.world.demo import DEMO
from sojourn.world.parameters import Gradient, Plan, Scheme, Shock, Trial, WorldParameters
from sojourn.world.switches import switched

#: Effects and allocation of a trial of two schemes that says little but what its world is about.
_HALF = (Scheme("none"), Scheme("offer", hazard=(0.6,), at_start=(1.0,)))
_NULL = (Scheme("none"), Scheme("offer"))


def world_parameters(
    world: str | WorldParameters = "demo", *, effects: float = 1.0, separation: float = 1.0
) -> WorldParameters:
    """Return the parameters of a world with its two switches set.

    Parameters
    ----------
    world : str or WorldParameters
        One of `WORLDS`, or a world of your own: `dataclasses.replace` changes what is planted.
    effects, separation : float
        See `sojourn.world.switches.switched`.

    Raises
    ------
    ParameterError
        When there is no such world, or a switch is out of its range.
    """
    if isinstance(world, WorldParameters):
        return switched(world, effects=effects, separation=separation)
    if world not in WORLDS:
        raise ParameterError.no_such("world", world, WORLDS, where="")
    return switched(WORLDS[world](), effects=effects, separation=separation)


def _demo() -> WorldParameters:
    """The platform of case `demo`."""
    return DEMO


def _plain(name: str, *trials: Trial) -> WorldParameters:
    """A quiet platform: no messages that matter, no roll-out, nobody who joined before observation."""
    media = tuple(replace(m, hazard=1.0, sessions=1.0) for m in DEMO.contact.media)
    return replace(
        DEMO,
        name=name,
        trials=trials or DEMO.trials[:1],
        rollout=None,
        contact=replace(DEMO.contact, media=media, tires=0.0, care=0.0),
        joining=replace(DEMO.joining, before_days=0, bursts=(), consent=(1.0, 0.0, 0.0)),
    )


def _non_proportional() -> WorldParameters:
    """Annual members leave much less in their first 90 days and more afterwards: curves cross."""
    monthly, annual, family = DEMO.plans
    plans = (monthly, replace(annual, hazard=0.40, later=2.2), replace(family, hazard=1.15, later=1.15))
    return _settled(replace(_plain("non_proportional"), plans=plans))


def _informative_censoring() -> WorldParameters:
    """Later cohorts leave faster: who is followed for a short time only is another kind of member."""
    made = _plain("informative_censoring")
    return replace(made, churn=replace(made.churn, trend=3.0))


def _immortal_time() -> WorldParameters:
    """Plans have no effect at all, but members change to the annual plan in time, if they are still there."""
    made = _plain("immortal_time")
    plans = tuple(
        Plan(p.name, share, 1.0, 1.0, p.price)
        for p, share in zip(made.plans, (0.98, 0.01, 0.01), strict=True)
    )
    changes = ((0.0, 0.004, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    return replace(made, plans=plans, spells=replace(made.spells, changes=changes))


def _calendar_shock() -> WorldParameters:
    """Two weeks in which everyone leaves five times as fast and comes half as often."""
    made = _plain("calendar_shock")
    return replace(made, churn=replace(made.churn, shocks=(Shock(200, 14, 5.0, 0.5),)))


def _price_rise() -> WorldParameters:
    """Prices rise by a tenth; segments take it differently."""
    made = _plain("price_rise")
    return replace(made, churn=replace(made.churn, price_rise=200))


def _silent_churn() -> WorldParameters:
    """Nobody cancels: members leave without a word, and the platform only sees that they do not come.

    Messages go on; trials and surveys reach those who are there.
    """
    made = _plain("silent_churn")
    return replace(made, churn=replace(made.churn, announced=0.0))


def _heavy_tails() -> WorldParameters:
    """One population without groups, whose activity spreads over a hundredfold and goes with staying."""
    return _gradient("heavy_tails", Gradient("heavy", spread=1.2, hazard=0.3))


def _correlated() -> WorldParameters:
    """One population without groups: five properties, log-normal and correlated."""
    return _gradient("correlated", Gradient("gaussian", spread=0.6, correlation=0.8, hazard=0.3))


def _curved() -> WorldParameters:
    """One population without groups, strung along a bent line in five properties."""
    return _gradient("curved", Gradient("curved", spread=0.6, hazard=0.3))


def _spill_over() -> WorldParameters:
    """Half of an offer's effect reaches those whom its receivers bring, treated or not."""
    trial = Trial("main", _HALF, day=1, opens=500, closes=98, reward_days=90, rebound_days=0, spill=0.5)
    made = _plain("spill_over", trial)
    channels = tuple(
        replace(c, share=share) for c, share in zip(made.channels, (0.1, 0.1, 0.6, 0.1, 0.1), strict=True)
    )
    return replace(made, channels=channels)


def _clusters() -> WorldParameters:
    """Clubs are assigned as a whole and members of a club are alike: there are fewer units than members."""
    trial = Trial("main", _NULL, by_club=True, reward_days=90, rebound_days=0)
    made = _plain("clusters", trial)
    return replace(made, joining=replace(made.joining, clubs=80), churn=replace(made.churn, club_spread=0.7))


def _changing_allocation() -> WorldParameters:
    """A null offer goes to a tenth, later to half of the members, and later cohorts leave faster."""
    trial = Trial("main", _NULL, allocation=((0.9, 0.1), (0.5, 0.5)), reward_days=90, rebound_days=0)
    made = _plain("changing_allocation", trial)
    return replace(made, churn=replace(made.churn, trend=3.0))


def _unequal_missing() -> WorldParameters:
    """An offer without effect whose receivers withdraw consent when they leave: the bad outcomes vanish."""
    schemes = (Scheme("none"), Scheme("offer", withdraws=(0.02, 0.30)))
    return _plain("unequal_missing", Trial("main", schemes, reward_days=90, rebound_days=0))


def _sample_ratio() -> WorldParameters:
    """One assignment in twelve of the offer is lost."""
    schemes = (Scheme("none"), Scheme("offer", hazard=(0.6,), lost=1 / 12))
    return _plain("sample_ratio", Trial("main", schemes))


def _two_arms() -> WorldParameters:
    """Three members in a hundred are listed in both schemes."""
    return _plain("two_arms", Trial("main", _HALF, twice=0.03))


def _late_ramp() -> WorldParameters:
    """An offer that takes four weeks to work, and whose end is followed by a rebound."""
    schemes = (Scheme("none"), Scheme("offer", hazard=(0.4,), rebound=(1.8,)))
    return _plain("late_ramp", Trial("main", schemes, ramp_days=28))


def _portfolio() -> WorldParameters:
    """Eighty trials, whose early and late effects go together, and members who are keen early and late."""
    made = _plain("portfolio", *portfolio(80, seed=1, correlation=0.9))
    return replace(made, gradient=Gradient("heavy", spread=0.8, hazard=0.5))


def portfolio(
    trials: int, *, seed: int, correlation: float, spread_early: float = 0.15, spread_late: float = 0.25
) -> tuple[Trial, ...]:
    """Return many trials of two schemes with effects on sessions (seen early) and on the hazard (seen late).

    Parameters
    ----------
    trials : int
        Number of trials; each takes an equal share of the members of its own.
    seed : int
        Seed of the effects.
    correlation : float
        Of the two effects over trials, on the scale of logarithms, signed so that more sessions go with
        less leaving. What correlates early and late outcomes of members is `Gradient.hazard`.
    spread_early, spread_late : float
        Standard deviations of the logarithms of the factors on sessions and on the hazard.
    """
    rng = np.random.default_rng(seed)
    early = rng.standard_normal(trials)
    late = correlation * early + np.sqrt(1 - correlation**2) * rng.standard_normal(trials)
    sessions, hazard = np.exp(spread_early * early), np.exp(-spread_late * late)
    return tuple(
        Trial(
            f"trial {number + 1:03d}",
            (
                Scheme("none"),
                Scheme("new", hazard=(float(hazard[number]),), sessions=(float(sessions[number]),)),
            ),
            day=1,
            lane=(number / trials, (number + 1) / trials),
            reward_days=90,
            rebound_days=0,
        )
        for number in range(trials)
    )


def _gradient(name: str, gradient: Gradient) -> WorldParameters:
    """Return a world of one population in which members differ by factors of their own alone."""
    made = switched(_plain(name), effects=1.0, separation=0.0)
    return replace(made, gradient=gradient)


def _settled(parameters: WorldParameters) -> WorldParameters:
    """Return a world in which nobody changes the plan."""
    changes = ((0.0, 0.0, 0.0),) * len(parameters.plans)
    return replace(parameters, spells=replace(parameters.spells, changes=changes))


#: Every world by name; the docstring of each says what it is for.
WORLDS: dict[str, Callable[[], WorldParameters]] = {
    "demo": _demo,
    "non_proportional": _non_proportional,
    "informative_censoring": _informative_censoring,
    "immortal_time": _immortal_time,
    "calendar_shock": _calendar_shock,
    "price_rise": _price_rise,
    "silent_churn": _silent_churn,
    "heavy_tails": _heavy_tails,
    "correlated": _correlated,
    "curved": _curved,
    "spill_over": _spill_over,
    "clusters": _clusters,
    "changing_allocation": _changing_allocation,
    "unequal_missing": _unequal_missing,
    "sample_ratio": _sample_ratio,
    "two_arms": _two_arms,
    "late_ramp": _late_ramp,
    "portfolio": _portfolio,
}
