"""Tasks for other processes, which import them from here."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def double(number):
    return 2 * number


def fail(number):
    raise ValueError(f"not {number}")


def fail_with(error):
    raise error


class AwkwardError(Exception):
    """Cannot be made again of what it keeps."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def fail_awkwardly(number):
    raise AwkwardError(number, number)


def unpicklable(number):
    return lambda: number


def nap(seconds):
    time.sleep(seconds)
    return os.getpid()


def environment(name):
    return os.environ.get(name)


def die(_=None):
    os.kill(os.getpid(), signal.SIGKILL)


def die_if_odd(number):
    return die() if number % 2 else double(number)


def die_once(mark):
    """Die where no file is; the one who does it again finds the file."""
    path = Path(mark)
    if not path.exists():
        path.touch()
        die()
    return path.name


def sleep_beside(mark):
    """Say in a file who works; take the file away when asked to end."""
    path = Path(mark)
    path.write_text(str(os.getpid()))
    try:
        time.sleep(600)
    finally:
        path.unlink()


def count_beside(folder):
    """Return how many do this, with this one, at the same time."""
    path = Path(folder) / f"{os.getpid()}-{time.monotonic_ns()}"
    path.touch()
    time.sleep(0.1)
    number = len(list(path.parent.iterdir()))
    path.unlink()
    return number


def die_or_count(item):
    """Die at first; the second time, return how many others are at work."""
    mark, folder = item
    if mark is None:
        return count_beside(folder)
    die_once(mark)
    return count_beside(folder)
