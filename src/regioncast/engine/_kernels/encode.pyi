from typing import Any

from numpy.typing import NDArray

def round_labels(
    values: NDArray[Any], tolerance: float, limit: float, hole: int, out: NDArray[Any]
) -> tuple[int, int]: ...
def number_labels(
    labels: NDArray[Any],
    low: int,
    code_of: NDArray[Any],
    codes: NDArray[Any],
    first_seen: NDArray[Any],
) -> tuple[int, int]: ...
def hash_labels(
    labels: NDArray[Any],
    row: int,
    slab: int,
    none: NDArray[Any],
    slots: NDArray[Any],
    first_seen: NDArray[Any],
    codes: NDArray[Any],
) -> int: ...
def limits(labels: NDArray[Any]) -> tuple[int, int]: ...
def pack(
    labels: NDArray[Any], first: int, low: int, excess: int, bits: int, out: NDArray[Any]
) -> None: ...
def merge(
    some: NDArray[Any],
    others: NDArray[Any],
    last: int,
    bits: int,
    labels: NDArray[Any],
    places: NDArray[Any],
) -> int: ...
def rank_by_table(
    labels: NDArray[Any],
    low: int,
    table: NDArray[Any],
    before: NDArray[Any],
    ranks: NDArray[Any],
) -> int: ...
def recode(codes: NDArray[Any], new_code: NDArray[Any], out: NDArray[Any]) -> None: ...
def count(codes: NDArray[Any], counts: NDArray[Any]) -> None: ...
def sum_positions(codes: NDArray[Any], sums: NDArray[Any]) -> None: ...
