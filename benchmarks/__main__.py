"""Run the benchmarks and print their ratios."""

from __future__ import annotations

import sys

from .measure import machine
from .painting import everything, quick


def main() -> None:
    """Print a line per ratio as it is measured."""
    rows = quick() if "--quick" in sys.argv[1:] else everything()
    print(f"medians, side by side in one run; {machine()}")
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    main()
