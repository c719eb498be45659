"""Painting beside an earlier version: for labels of every kind, in interpreters that take turns."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from .atlases import MM1, MM2, brain, scattered, supervoxels
from .measure import Row, python

Shape = tuple[int, ...]

# Paints what it is told to by lines of standard input, and answers with seconds: the median of the
# calls of 20 ms, for one call of a millisecond alone varies by more than what is looked for.
_WORKER = """
import gc, statistics, sys, time
import nibabel as nib, numpy as np
from regioncast import signals_to_img_labels
gc.disable()
path = None
for line in sys.stdin:
    if line != path:
        path = line
        labels = np.asfortranarray(np.load(path.strip()))
        image = nib.Nifti1Image(labels, np.eye(4), dtype=labels.dtype)
        signals = np.random.default_rng(0).standard_normal(np.count_nonzero(np.unique(labels)))
    warm_up = time.perf_counter() + 0.05
    signals_to_img_labels(signals, image)
    while time.perf_counter() < warm_up:
        signals_to_img_labels(signals, image)
    seconds = []
    while sum(seconds) < 0.02:
        start = time.perf_counter()
        result = signals_to_img_labels(signals, image)
        seconds.append(time.perf_counter() - start)
        del result
    print(statistics.median(seconds), flush=True)
"""


class _Case(NamedTuple):
    """Labels, and what the time may be at most, divided by that of the earlier version."""

    what: str
    labels: NDArray[np.generic]
    at_most: float | None


def encoding(
    earlier: str,
    shapes: tuple[Shape, Shape] = (MM2, MM1),
    n_regions: tuple[int, int, int, int] = (400, 1000, 10_000, 72_000),
    repeats: int = 21,
) -> Iterator[Row]:
    """One float64 map, labels in memory; `earlier` is the interpreter of the other version."""
    with TemporaryDirectory() as folder:
        workers = {"now": _Worker(python("")[0]), "earlier": _Worker(earlier)}
        try:
            for number, case in enumerate(_cases(*shapes, n_regions)):
                path = Path(folder) / f"{number}.npy"  # by which workers know that it is another
                np.save(path, case.labels)
                yield _row(case, path, workers, repeats)
                path.unlink()
        finally:
            for worker in workers.values():
                worker.close()


class _Worker:
    """An interpreter that paints, in no project's folder, so that it finds its own regioncast."""

    def __init__(self, interpreter: str) -> None:
        self._process = subprocess.Popen(
            [interpreter, "-P", "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, path: Path) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(path, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def _row(case: _Case, path: Path, workers: dict[str, _Worker], repeats: int) -> Row:
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(repeats):
        for name, worker in workers.items():
            seconds[name].append(worker.seconds(path))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    shape = "×".join(map(str, case.labels.shape))
    return Row(
        f"{case.what}, {case.labels.dtype}, {shape}: now / earlier",
        medians["now"] / medians["earlier"],
        at_most=case.at_most,
        detail=f"{medians['now'] * 1e3:.2f} / {medians['earlier'] * 1e3:.2f} ms",
    )


def _cases(small: Shape, large: Shape, n_regions: tuple[int, int, int, int]) -> Iterator[_Case]:
    few, some, more, many = n_regions
    for shape, n in ((small, few), (large, few), (large, some), (large, more)):
        labels = _data(brain(shape, n))
        yield _Case(f"{n:,} regions", labels, 1.05)
        yield _Case(f"{n:,} regions in random order", _shuffled(labels), 1.05)
        for dtype in (np.float32, np.float64):
            yield _Case(f"{n:,} regions", labels.astype(dtype), 0.6)
    yield _Case(f"{few:,} regions, scattered", _data(scattered(brain(large, few))), 1.05)
    fine = brain(large, many)
    yield _Case(f"{many:,} regions", _data(fine), 1.5)
    yield _Case(f"{many:,} regions, scattered", _data(scattered(fine)), 1.5)
    for is_scattered in (False, True):
        what = "supervoxels of 2³, scattered" if is_scattered else "supervoxels of 2³"
        yield _Case(what, _data(supervoxels(large, 2, scattered=is_scattered)), None)


def _shuffled(labels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the same regions with the same labels in another order."""
    new = np.append(0, np.random.default_rng(0).permutation(int(labels.max())) + 1)
    return new.astype(labels.dtype)[labels]


def _data(image: nib.Nifti1Image) -> NDArray[np.generic]:
    return np.asanyarray(image.dataobj)
