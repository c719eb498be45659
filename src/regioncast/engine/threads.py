"""Work side by side in threads."""

from __future__ import annotations

import numbers
import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from threading import Thread
from typing import Any, TypeVar

from ..errors import ArgumentError, ArgumentTypeError

Item = TypeVar("Item")
Result = TypeVar("Result")


def n_cpus() -> int:
    """Return on how many CPUs this process may run."""
    # It may be fewer than the machine has, which macOS does not tell.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_of(n_jobs: int | None) -> int:
    """Return how many threads are meant: one per CPU by None and by numbers below 0.

    Raises
    ------
    ArgumentError, ArgumentTypeError
    """
    if n_jobs is None:
        return n_cpus()
    if not isinstance(n_jobs, numbers.Integral):
        raise ArgumentTypeError(
            f"n_jobs is a number of threads; {n_jobs!r} is {type(n_jobs).__name__}."
        )
    if n_jobs == 0:
        raise ArgumentError("n_jobs is a number of threads, or -1 for one per processor; it is 0.")
    return n_jobs if n_jobs > 0 else n_cpus()


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
    n_threads = len(items) if most is None else min(most, len(items))
    # Where one is enough the system is not asked for its CPUs: small images would notice.
    n_threads = min(n_threads, n_cpus()) if n_threads > 1 else 1
    if n_threads == 1:
        return [work(item) for item in items]
    # Neighbours go to the same thread: they may share a page of memory, which threads would
    # wait for each other to get.
    queues = [deque(range(len(items))[share]) for share in shares(len(items), n_threads)]
    results: list[Any] = [None] * len(items)
    errors: list[BaseException] = []

    def run(queue: deque[int]) -> None:
        try:
            while (index := _taken(queue, queues)) is not None:
                results[index] = work(items[index])
        except BaseException as error:  # noqa: BLE001  raised where the results are asked for
            errors.append(error)
            for left in queues:  # so that the other threads end soon
                left.clear()

    # This thread works too, and there is no pool: to start either takes as long as a small map.
    started: list[Thread] = []
    try:
        with suppress(RuntimeError):  # of systems that have no thread left; there are enough
            for queue in queues[1:]:
                thread = Thread(target=run, args=(queue,))
                thread.start()
                started.append(thread)
        run(queues[0])
    finally:
        for queue in queues:  # where this thread is interrupted, work may be left
            queue.clear()
        for thread in started:
            thread.join()
    if errors:
        raise errors[0]
    return results


def _taken(first: deque[int], queues: Sequence[deque[int]]) -> int | None:
    """Take what is first in a thread's queue, or else what is last in the longest of the others.

    So a thread that begins late, or is held up by other programs, is helped by the others.
    """
    while queue := first or max(queues, key=len):
        with suppress(IndexError):  # which says that another thread took it just now
            return first.popleft() if queue is first else queue.pop()
    return None


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
