"""Work side by side in threads."""

from __future__ import annotations

import numbers
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from queue import SimpleQueue
from threading import Thread
from typing import Any, Self, TypeVar
from weakref import ReferenceType, ref

from ..errors import ArgumentError, ArgumentTypeError
from ..interrupts import interrupts_held

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

    Raises `ArgumentError`, `ArgumentTypeError`.
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
        # Of systems that have no thread left there are enough.
        with suppress(RuntimeError), interrupts_held():
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


class Workers:
    """So many threads at most, for one that may be interrupted at any moment.

    Those of `concurrent.futures` share conditions with the one that waits for them, and a condition
    that an interrupt leaves locked holds up all of them for ever.  Here they share queues alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads: list[Thread] = []
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        # Not empty once no further job is to be begun.
        self._ended: list[bool] = []
        # What ends the threads.  It comes by itself where an interrupt leads past `__exit__`.
        self._end = ref(self, self._jobs.put)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is being done; what is not yet begun is left undone."""
        self._ended.append(True)
        self._jobs.put(self._end)
        for thread in self._threads:
            thread.join()

    def begin(self, work: Callable[..., Result], *arguments: Any) -> Callable[[], Result]:
        """Have some work done, and return what waits for its result, or raises its error."""
        answers: SimpleQueue[Any] = SimpleQueue()
        if len(self._threads) < self._most:
            shared = self._jobs, self._ended, self._end
            thread = Thread(target=_do_all, args=shared, daemon=True)
            # To start one waits for a condition.  Where the system has no thread left, there are
            # enough; without any, this one does the work.
            with suppress(RuntimeError), interrupts_held():
                thread.start()
                self._threads.append(thread)
        job = partial(_do, work, arguments, answers)
        if self._threads:
            self._jobs.put(job)
        else:
            job()
        return partial(_answer, answers)


def _do_all(jobs: SimpleQueue[Any], ended: list[bool], _: ReferenceType[Workers]) -> None:
    """Do what comes until the end; it is kept here, as a reference that is lost never comes."""
    while not isinstance(job := jobs.get(), ref) and not ended:
        job()
    jobs.put(job)  # for the other threads


def _do(work: Callable[..., Any], arguments: Sequence[Any], answers: SimpleQueue[Any]) -> None:
    try:
        answers.put((work(*arguments), None))
    except BaseException as error:  # noqa: BLE001  raised where the result is asked for
        answers.put((None, error))


def _answer(answers: SimpleQueue[Any]) -> Any:
    result, error = answers.get()
    try:
        if error is not None:
            raise error
    finally:
        del error  # whose traceback knows this function: memory would be freed late
    return result


def each_in_turn(
    work: Callable[[Item], Result], items: Iterable[Item], at_once: int
) -> Generator[Result, None, None]:
    """Yield what `work` makes of each item, in their order; a free thread takes the next item.

    An error is raised when it is the turn of its item; from then on, or once this generator is
    closed, no further item is begun.
    """
    if at_once < 2:
        yield from map(work, items)
        return
    with Workers(at_once) as workers:
        pending: deque[Callable[[], Result]] = deque()
        for item in items:
            pending.append(workers.begin(work, item))
            # Twice as many, so that none waits while an item takes longer than those after it.
            if len(pending) == 2 * at_once:
                yield pending.popleft()()
        while pending:
            yield pending.popleft()()
