import numpy as np
from numpy.typing import NDArray

def read_runs(
    file: int, offsets: NDArray[np.int64], starts: NDArray[np.int64], out: NDArray[np.uint8]
) -> int: ...
