from typing import Any

from numpy.typing import NDArray

def sum_leaf(
    codes: NDArray[Any],
    values: NDArray[Any],
    nonfinite: int,
    with_rest: bool,
    sums: NDArray[Any],
) -> None: ...
def add_sums(sums: NDArray[Any], places: NDArray[Any], others: NDArray[Any]) -> None: ...
def count_keys(
    codes: NDArray[Any],
    values: NDArray[Any],
    nonfinite: int,
    firsts: NDArray[Any],
    lasts: NDArray[Any],
    lows: NDArray[Any],
    widths: NDArray[Any],
    shifts: NDArray[Any],
    counts: NDArray[Any],
) -> None: ...
def collect_keys(
    codes: NDArray[Any],
    values: NDArray[Any],
    nonfinite: int,
    firsts: NDArray[Any],
    lasts: NDArray[Any],
    lows: NDArray[Any],
    widths: NDArray[Any],
    ranges: NDArray[Any],
    keys: NDArray[Any],
) -> int: ...
