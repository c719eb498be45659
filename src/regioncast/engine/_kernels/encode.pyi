from typing import Any

from numpy.typing import NDArray

def find_places(
    labels: NDArray[Any], low: int, is_there: NDArray[Any], places: NDArray[Any]
) -> bool: ...
def number_labels(
    labels: NDArray[Any],
    seen: NDArray[Any],
    n_seen: int,
    slots: NDArray[Any],
    numbers: NDArray[Any],
) -> tuple[int, int]: ...
def recode(codes: NDArray[Any], new_code: NDArray[Any], out: NDArray[Any]) -> None: ...
def count(codes: NDArray[Any], counts: NDArray[Any]) -> None: ...
def sum_positions(codes: NDArray[Any], sums: NDArray[Any]) -> None: ...
