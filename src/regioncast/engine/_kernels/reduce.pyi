from enum import IntEnum
from typing import Any

from numpy.typing import NDArray

class Nonfinite(IntEnum):
    OMIT = 0
    PROPAGATE = 1
    ZERO = 2

class Reduction(IntEnum):
    COUNT = 0
    SUM = 1
    MEAN = 2
    MINIMUM = 3
    MAXIMUM = 4
    VARIANCE = 5
    STANDARD_DEVIATION = 6
    PERCENTILE = 7
    MEDIAN = 8

def group(codes: NDArray[Any], next_place: NDArray[Any], samples: NDArray[Any]) -> None: ...
def reduce_maps(
    stored: NDArray[Any],
    first_map: int,
    map_stride: int,
    sample_stride: int,
    slopes: NDArray[Any],
    intercepts: NDArray[Any],
    samples: NDArray[Any],
    starts: NDArray[Any],
    weights: NDArray[Any],
    nonfinite: int,
    reductions: NDArray[Any],
    percentages: NDArray[Any],
    tile: NDArray[Any],
    buffer: NDArray[Any],
    out: NDArray[Any],
    least_finite: NDArray[Any],
) -> None: ...
