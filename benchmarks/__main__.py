"""Run the benchmarks and print their ratios."""

from __future__ import annotations

import itertools
import sys

from . import painting, saving
from .measure import machine


def main() -> None:
    """Print a line per ratio as it is measured."""
    options = sys.argv[1:]
    if "--quick" in options:
        rows = itertools.chain(painting.quick(), saving.quick())
    elif "--large" in options:
        rows = saving.large()
    elif "--saving" in options:
        rows = saving.everything()
    else:
        rows = itertools.chain(painting.everything(), saving.everything())
    print(f"medians, side by side in one run; {machine()}")
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    main()
