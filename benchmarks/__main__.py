"""Run the benchmarks and print their ratios.

``--quick`` runs them on small images, ``--large`` those that write tens of gigabytes; a name,
such as ``extraction``, runs only those.  ``--earlier PYTHON`` paints beside another version, that
of the interpreter of another checkout.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator

from . import chunked, cifti, cohort, earlier, extraction, painting, saving, viewing
from .measure import Row, machine

BENCHMARKS = {
    "painting": painting,
    "saving": saving,
    "extraction": extraction,
    "cifti": cifti,
    "cohort": cohort,
    "viewing": viewing,
    "chunked": chunked,
}


def main() -> None:
    """Print a line per ratio as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--earlier", metavar="PYTHON")
    options = parser.parse_args()
    print(f"medians, side by side in one run; {machine()}")
    for row in _rows(options):
        print(row, flush=True)


def _rows(options: argparse.Namespace) -> Iterator[Row]:
    if options.earlier:
        return earlier.encoding(options.earlier)
    if options.large:
        return saving.large()
    chosen = [BENCHMARKS[name] for name in options.names or BENCHMARKS]
    return itertools.chain.from_iterable(
        benchmark.quick() if options.quick else benchmark.everything() for benchmark in chosen
    )


if __name__ == "__main__":
    main()
