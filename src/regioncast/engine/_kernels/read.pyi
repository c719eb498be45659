import numpy as np
from numpy.typing import NDArray

def read_rows(
    file: int,
    offset: int,
    row_bytes: int,
    n_bytes: int,
    rows: NDArray[np.uint32],
    out: NDArray[np.uint8],
) -> int: ...
