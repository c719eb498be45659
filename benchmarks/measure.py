"""Timing side by side, whole processes, and peak memory."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

WARM_UP_SECONDS = 0.05
PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Row:
    """One measured ratio: what, compared with what, and the aim if there is one."""

    title: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None
    detail: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether the ratio is on the wrong side of its aim."""
        too_small = self.at_least is not None and self.ratio < self.at_least
        return too_small or (self.at_most is not None and self.ratio > self.at_most)

    def __str__(self) -> str:
        limits = [f"≥ {self.at_least:g}"] if self.at_least is not None else []
        limits += [f"≤ {self.at_most:g}"] if self.at_most is not None else []
        aim = (
            f"  (aim: {', '.join(limits)}{': MISSED' if self.is_missed else ''})" if limits else ""
        )
        return f"{self.title:<66} {self.ratio:>8.2f}{aim}  {self.detail}".rstrip()


def side_by_side(cases: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each case; the cases take turns, so all see the same noise.

    A turn begins with calls that do not count, for at least 50 ms, because the case before has
    filled the caches with its own data.  Results are freed outside the time measured, and the
    garbage collector rests, as in `timeit`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    gc.disable()
    try:
        for _ in range(repeats):
            for name, case in cases.items():
                warm_up = time.perf_counter() + WARM_UP_SECONDS
                case()
                while time.perf_counter() < warm_up:
                    case()
                seconds[name].append(_timed(case))
    finally:
        gc.enable()
    return {name: statistics.median(values) for name, values in seconds.items()}


def _timed(case: Callable[[], object]) -> float:
    start = time.perf_counter()
    result = case()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def processes(commands: Mapping[str, list[str]], repeats: int) -> dict[str, float]:
    """Return the median seconds of whole processes that take turns."""

    def runner(command: list[str]) -> Callable[[], object]:
        return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return side_by_side({name: runner(command) for name, command in commands.items()}, repeats)


def python(code: str) -> list[str]:
    """Return the command that runs code in a fresh interpreter, in the project's folder."""
    return [sys.executable, "-c", code]


def peak_memory(setup: str, statement: str) -> int:
    """Return by how many bytes the memory of a fresh interpreter peaks during a statement.

    The kernel's own account of the resident set, reset after the set-up, whose freed memory goes
    back to the system first: reused, it would not be seen.
    """
    code = f"""
import ctypes, gc
{setup}
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
def status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = status("VmRSS")
result = {statement}
print(status("VmHWM") - before)
"""
    done = subprocess.run(python(code), check=True, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    return int(done.stdout)


def peak_memory_of(command: list[str]) -> int:
    """Return the largest resident set of a whole process, in bytes."""
    code = f"""
import resource, subprocess
subprocess.run({command!r}, check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
    done = subprocess.run(python(code), check=True, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    return int(done.stdout)


def machine() -> str:
    """Return what the figures depend on, in a line."""
    import numpy as np

    return (
        f"{os.cpu_count()} CPUs, Python {sys.version.split()[0]}, NumPy {np.__version__}, "
        f"{sys.platform}"
    )
