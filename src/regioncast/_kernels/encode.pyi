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
    start: int,
    row: int,
    slab: int,
    codes: NDArray[Any],
    slots: NDArray[Any],
    first_seen: NDArray[Any],
    n_seen: int,
) -> tuple[int, int]: ...
def fill_slots(first_seen: NDArray[Any], slots: NDArray[Any]) -> None: ...
def pack(labels: NDArray[Any], low: int, excess: int, bits: int, out: NDArray[Any]) -> None: ...
def unpack(packed: NDArray[Any], bits: int) -> int: ...
def recode(codes: NDArray[Any], new_code: NDArray[Any], out: NDArray[Any]) -> None: ...
def count(codes: NDArray[Any], counts: NDArray[Any]) -> None: ...
def sum_positions(codes: NDArray[Any], sums: NDArray[Any]) -> None: ...
