"""Many images: jobs in a table, run side by side, done once, and gathered.

`find_jobs` makes the rows of a table of a derivative of BIDS, `batch` does them and writes a table
for each, and `gather` makes one table of these.  `regioncast.extract_all` gives the results to
Python instead.  The names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batches import Summary, batch
    from .find import find_jobs, write_jobs
    from .gathering import Gathered, gather
    from .jobs import Job, read_jobs
    from .results import Extracted, extract_all

_HOME = {
    "Extracted": "results",
    "Gathered": "gathering",
    "Job": "jobs",
    "Summary": "batches",
    "batch": "batches",
    "extract_all": "results",
    "find_jobs": "find",
    "gather": "gathering",
    "read_jobs": "jobs",
    "write_jobs": "find",
}

__all__ = [
    "Extracted",
    "Gathered",
    "Job",
    "Summary",
    "batch",
    "extract_all",
    "find_jobs",
    "gather",
    "read_jobs",
    "write_jobs",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
