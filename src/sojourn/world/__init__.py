"""The simulated platform whose truth is known."""

from sojourn.world.make import WORLD_KEYS, World, make_world, read_truth, write_world
from sojourn.world.parameters import WorldParameters, world_parameters
from sojourn.world.truth import Truth

__all__ = [
    "WORLD_KEYS",
    "Truth",
    "World",
    "WorldParameters",
    "make_world",
    "read_truth",
    "world_parameters",
    "write_world",
]
