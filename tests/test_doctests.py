"""Every example in the docstrings of the installed package runs and prints what it shows.

An example starts in a folder with the embedded data under plain names (``atlas_dseg.nii.gz``,
``atlas_dseg.tsv``, ``values.tsv``, ``stat_map.nii.gz``).  ``...`` stands for anything, and
runs of white space are equal.
"""

from __future__ import annotations

import doctest
import importlib
import io
import pkgutil
from collections.abc import Iterator

import pytest

import regioncast

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples() -> Iterator[doctest.DocTest]:
    """The docstrings with examples of all modules of the package."""
    names = [module.name for module in pkgutil.walk_packages(regioncast.__path__, "regioncast.")]
    for name in ["regioncast", *names]:
        if name.rpartition(".")[2] == "__main__":  # importing it would run it
            continue
        finder = doctest.DocTestFinder(exclude_empty=True)
        yield from (case for case in finder.find(importlib.import_module(name)) if case.examples)


@pytest.mark.usefixtures("demo_folder")
@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_example(example: doctest.DocTest) -> None:
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    if runner.run(example, out=report.write).failed:
        pytest.fail(report.getvalue(), pytrace=False)
