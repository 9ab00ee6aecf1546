"""What members are described by: counts of what they did up to an instant, each with its own instant or not.

Whatever happened later, or became known later, is not counted. The same columns serve the cut of the study
`segments`, the ends of months, and the day on which a member was assigned to a scheme: what is asked for is
stated by a `Counting`, which a frozen rule carries with it.
"""

from sojourn.data.features.anchors import Anchors, day_before
from sojourn.data.features.counted import BASE, counted_at
from sojourn.data.features.counting import counting_of, numbered
from sojourn.data.features.families import FAMILIES, columns_of
from sojourn.data.features.measuring import measure_value

__all__ = [
    "BASE",
    "FAMILIES",
    "Anchors",
    "columns_of",
    "counted_at",
    "counting_of",
    "day_before",
    "measure_value",
    "numbered",
]
