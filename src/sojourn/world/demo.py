"""The demo platform: the numbers it is drawn from."""

from __future__ import annotations

from sojourn.world.parameters import Channel, Plan, Scheme, Segment, Trial, WorldParameters

CHANNELS = (
    Channel("search", 0.28, 1.00, cost=4.0),
    Channel("social", 0.26, 1.25, cost=2.5),
    Channel("referral", 0.18, 0.75, cost=3.0),
    Channel("partner", 0.16, 0.90, cost=5.0),
    Channel("advertising", 0.12, 1.40, cost=7.0),
)
PLANS = (
    Plan("monthly", 0.60, 1.15, later=1.15, price=9.99),
    Plan("annual", 0.28, 0.60, later=0.60, price=7.99),
    Plan("family", 0.12, 0.85, later=0.85, price=14.99),
)
SEGMENTS = (
    Segment(
        "frequent buyers", 0.20, 0.55, takes_off=0.97, value_days=2.0, active_days=130.0, sessions=0.223,
        views=1.0, buys=0.27, tasks=0.18, social=0.15, price=22.0, price_sensitivity=0.2,
        taste=(0.56, 0.10, 0.10, 0.20, 0.04), reasons=(0.15, 0.30, 0.30, 0.10, 0.15),
    ),
    Segment(
        "quiet browsers", 0.28, 0.95, takes_off=0.90, value_days=5.0, active_days=90.0, sessions=0.087,
        views=3.0, buys=0.06, tasks=0.05, social=0.05, price=15.0, price_sensitivity=0.5,
        taste=(0.15, 0.05, 0.20, 0.08, 0.52), reasons=(0.15, 0.45, 0.10, 0.10, 0.20),
    ),
    Segment(
        "bargain hunters", 0.24, 1.45, takes_off=0.92, value_days=4.0, active_days=60.0, sessions=0.124,
        views=1.4, buys=0.20, tasks=0.40, social=0.10, price=8.5, price_sensitivity=1.2,
        taste=(0.14, 0.62, 0.05, 0.15, 0.04), reasons=(0.50, 0.15, 0.10, 0.08, 0.17),
    ),
    Segment(
        "social members", 0.14, 0.70, takes_off=0.94, value_days=3.0, active_days=110.0, sessions=0.186,
        views=1.2, buys=0.08, tasks=0.12, social=2.0, price=13.0, price_sensitivity=0.4,
        taste=(0.10, 0.05, 0.70, 0.05, 0.10), reasons=(0.10, 0.35, 0.25, 0.12, 0.18),
    ),
    Segment(
        "never take off", 0.14, 1.70, takes_off=0.15, value_days=12.0, active_days=25.0, sessions=0.037,
        views=0.8, buys=0.10, tasks=0.04, social=0.03, price=11.0, price_sensitivity=0.8,
        taste=(0.30, 0.25, 0.10, 0.15, 0.20), reasons=(0.25, 0.30, 0.10, 0.05, 0.30),
    ),
)  # fmt: skip
SCHEMES = (
    Scheme("none"),
    Scheme("welcome_coupon", hazard=(0.80, 0.68, 0.50, 0.72, 0.85), buys=(1.30, 1.80, 2.00, 1.50, 1.20),
           per_purchase=(0.50,), opt_out=1.2),
    Scheme("bonus_points", hazard=(0.75, 0.68, 0.62, 0.70, 0.90), buys=(1.10,), at_start=(4.0,),
           per_purchase=(1.20,)),
    Scheme("daily_tasks", tasks=(1.6,)),
    Scheme("tier_trial", hazard=(0.60, 0.95, 1.00, 0.90, 1.00), rebound=(1.0, 1.20, 1.25, 1.15, 1.20),
           buys=(1.20, 1.0, 1.0, 1.0, 1.0), at_start=(3.0,)),
)  # fmt: skip
WIN_BACK = (
    Scheme("none"),
    Scheme("gift", hazard=(0.70, 0.75, 0.80, 0.75, 0.95), sessions=(1.0,), at_start=(2.0,)),
)
DEMO = WorldParameters(
    name="demo",
    channels=CHANNELS,
    plans=PLANS,
    segments=SEGMENTS,
    channel_tilt=(
        (0.1, 0.0, 0.0, 0.0, 0.0),
        (-0.3, 0.1, 0.0, 0.4, 0.1),
        (0.4, 0.0, -0.3, 0.3, -0.4),
        (0.1, 0.1, -0.1, 0.0, 0.0),
        (-0.3, -0.1, 0.4, -0.2, 0.5),
    ),
    young_tilt=(-0.2, 0.0, 0.2, 0.3, 0.1),
    trials=(
        Trial("main", SCHEMES),
        Trial(
            "win_back", WIN_BACK, trigger="silence", day=10, opens=400, closes=68,
            reward_days=30, rebound_days=0, horizon_days=60, layer=1,
        ),
    ),
)  # fmt: skip
