from typing import Any

from numpy.typing import NDArray

def paint_maps(
    codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any], skip_zero: bool
) -> None: ...
def paint_series(
    codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any], skip_zero: bool
) -> None: ...
