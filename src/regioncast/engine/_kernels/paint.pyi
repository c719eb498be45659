from typing import Any

from numpy.typing import NDArray

def paint_maps(
    codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any], skip_zero: bool
) -> None: ...
def paint_series(
    codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any], skip_zero: bool
) -> None: ...
def take_columns(columns: NDArray[Any], values: NDArray[Any], out: NDArray[Any]) -> None: ...
def put_columns(
    places: NDArray[Any], before: int, values: NDArray[Any], out: NDArray[Any]
) -> None: ...
