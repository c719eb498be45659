"""Work side by side in threads."""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from threading import Thread
from typing import TypeVar

from .errors import ArgumentError, ArgumentTypeError

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_cpus() -> int:
    """Return on how many CPUs this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of(n_jobs: int | None) -> int:
    """Return how many threads are meant: one per CPU by None and by numbers below 0.

    Raises
    ------
    ArgumentError, ArgumentTypeError
    """
    if n_jobs is not None and not isinstance(n_jobs, numbers.Integral):
        raise ArgumentTypeError(
            f"n_jobs is a number of threads; {n_jobs!r} is {type(n_jobs).__name__}."
        )
    if n_jobs is None or n_jobs < 0:
        return n_cpus()
    if n_jobs == 0:
        raise ArgumentError("n_jobs is a number of threads, or -1 for one per processor; it is 0.")
    return n_jobs


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
    first, *others = (items[share] for share in shares(len(items), n_threads))
    # This thread works too, and there is no pool: to start either takes as long as a small map.
    pending = [_started(work, run) for run in others]
    try:
        results = [work(item) for item in first]
    finally:
        wait(pending)
    return [*results, *(result for future in pending for result in future.result())]


def _started(work: Callable[[Item], Result], items: Sequence[Item]) -> Future[list[Result]]:
    """Begin to work on items in a thread of their own."""
    future: Future[list[Result]] = Future()

    def run() -> None:
        try:
            future.set_result([work(item) for item in items])
        except BaseException as error:  # noqa: BLE001  raised where the result is asked for
            future.set_exception(error)

    Thread(target=run).start()
    return future


def each_in_turn(
    work: Callable[[Item], Result], items: Sequence[Item], at_once: int
) -> Generator[Result, None, None]:
    """Yield what `work` makes of each item, in their order; a free thread takes the next item.

    An error is raised when it is the turn of its item; from then on, or once this generator is
    closed, no further item is begun.
    """
    if at_once < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(work, items)
