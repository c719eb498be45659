from typing import Any

from numpy.typing import NDArray

def parse(
    codes: NDArray[Any],
    distances: NDArray[Any],
    window: int,
    shortest: int,
    match_cost: float,
    literal_cost: float,
    budget: float,
    last: NDArray[Any],
    tokens: NDArray[Any],
) -> tuple[int, int]: ...
def count_tokens(
    tokens: NDArray[Any],
    item_size: int,
    lengths: NDArray[Any],
    distances: NDArray[Any],
    literals: NDArray[Any],
) -> None: ...
def count_bytes(rows: NDArray[Any], literals: NDArray[Any], counts: NDArray[Any]) -> None: ...
def prepare(
    tokens: NDArray[Any],
    item_size: int,
    length_strings: NDArray[Any],
    distance_strings: NDArray[Any],
    literals: NDArray[Any],
    n_bits: NDArray[Any],
    words: NDArray[Any],
) -> int: ...
def emit(
    rows: NDArray[Any],
    item_size: int,
    byte_strings: NDArray[Any],
    literals: NDArray[Any],
    n_bits: NDArray[Any],
    words: NDArray[Any],
    head: NDArray[Any],
    end: int,
    of_code: NDArray[Any],
    out: NDArray[Any],
) -> int: ...
