"""Run the benchmarks and print their ratios.

``--quick`` runs them on small images; a name, such as ``extraction``, runs only those.
"""

from __future__ import annotations

import argparse

from . import extraction, painting
from .measure import machine

BENCHMARKS = {"painting": painting, "extraction": extraction}


def main() -> None:
    """Print a line per ratio as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(f"medians, side by side in one run; {machine()}")
    for name in options.names or BENCHMARKS:
        chosen = BENCHMARKS[name]
        for row in chosen.quick() if options.quick else chosen.everything():
            print(row, flush=True)


if __name__ == "__main__":
    main()
