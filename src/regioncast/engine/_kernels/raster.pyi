from typing import Any

from numpy.typing import NDArray

def fill(
    corners: NDArray[Any],
    corner_codes: NDArray[Any],
    triangles: NDArray[Any],
    codes: NDArray[Any],
    depth: NDArray[Any],
    shade: NDArray[Any],
) -> None: ...
