"""Work side by side in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_cpus() -> int:
    """Return on how many CPUs this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shares(length: int, n_shares: int) -> list[slice]:
    """Divide what has a length into so many parts of about the same length."""
    bounds = [length * share // n_shares for share in range(n_shares + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]


def in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], most: int | None = None
) -> list[Result]:
    """Return what `work` makes of each item, in their order.

    Parameters
    ----------
    work : callable
        Gains from threads as far as it releases the GIL.
    items : sequence
    most : int, default=None
        The most threads that pay; one for each CPU when not given.
    """
    n_threads = min(n_cpus(), len(items), len(items) if most is None else most)
    if n_threads < 2:
        return [work(item) for item in items]
    # Neighbours go to the same thread: they may share a page of memory, which threads would
    # wait for each other to get.
    runs = [items[share] for share in shares(len(items), n_threads)]
    with ThreadPoolExecutor(n_threads) as pool:
        done = pool.map(lambda run: [work(item) for item in run], runs)
        return [result for results in done for result in results]
