"""Work of many tasks, on any executor of `concurrent.futures`: local processes, or Dask's.

Tasks go out a few per worker at a time.  A scheduler keeps about 7 kB and a millisecond for each
that it knows of: of a million at once, that would be 7 GB before the first is done.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import Any, TypeVar

Item = TypeVar("Item")

_TASKS_PER_WORKER = 4


def each_done(
    executor: Executor, work: Callable[[Item], Any], items: Iterable[Item], *, n_workers: int
) -> Generator[tuple[Item, Future[Any]], None, None]:
    """Yield each item, as soon as it is worked on, with the future that has its result or error.

    Closed early, it cancels what has not begun.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    work : callable
        A function of a module and one argument; what is not can be sent to no other process.
    items : iterable
    n_workers : int
        How many work side by side; four times as many tasks are out at once.
    """
    left = iter(items)
    out: dict[Future[Any], Item] = {}
    try:
        while True:
            for item in islice(left, n_workers * _TASKS_PER_WORKER - len(out)):
                out[executor.submit(work, item)] = item
            if not out:
                return
            done, _ = wait(out, return_when=FIRST_COMPLETED)
            for future in done:
                yield out.pop(future), future
    finally:
        for future in out:
            future.cancel()
