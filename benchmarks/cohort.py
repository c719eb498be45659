"""Cohorts: many small images and several atlases, against a loop over nilearn's masker."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import nibabel as nib
import numpy as np
from nilearn.maskers import NiftiLabelsMasker

from regioncast.cohort import batch

from .atlases import brain
from .measure import Row

Shape = tuple[int, ...]

N_REGIONS = {"A": 400, "B": 200, "C": 100}

# To make images takes longer than to reduce them.
N_DISTINCT = 10

# nilearn's loop takes as long for one image as for another, and is run on so many.
N_BY_NILEARN = 30


@dataclass(frozen=True)
class Cohort:
    """Images of one grid, and atlases on it, in a folder.

    Parameters
    ----------
    folder : Path
    images : tuple of Path
        ``sub-0001_task-rest_bold.nii.gz``, int16.
    atlases : mapping of str to Path
    """

    folder: Path
    images: tuple[Path, ...]
    atlases: Mapping[str, Path]


def cohort_in(folder: Path, n_images: int, shape: Shape, n_maps: int) -> Cohort:
    """Write some images of noise, all others as further names of these, and three atlases."""
    atlases = {}
    for name, n_regions in N_REGIONS.items():
        atlases[name] = folder / f"{name}_dseg.nii.gz"
        nib.save(brain(shape, n_regions), atlases[name])
    affine = nib.load(atlases["A"]).affine
    rng = np.random.default_rng(0)
    images = []
    for number in range(n_images):
        images.append(folder / f"sub-{number:04d}_task-rest_bold.nii.gz")
        if number >= N_DISTINCT:
            images[-1].hardlink_to(images[number % N_DISTINCT])
            continue
        data = rng.normal(1000, 50, (*shape, n_maps)).astype(np.int16)
        image = nib.Nifti1Image(data, affine)
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = 2
        nib.save(image, images[-1])
    return Cohort(folder, tuple(images), atlases)


def by_nilearn(cohort: Cohort, n_processes: int) -> None:
    """Write a table for each image and atlas by maskers that are fitted once in each process."""
    if n_processes == 1:
        with _plainly(), warnings.catch_warnings():
            _fit(cohort.atlases)
            for image in cohort.images:
                _transform(image)
        return
    with ProcessPoolExecutor(
        n_processes, get_context("spawn"), initializer=_start, initargs=(cohort.atlases,)
    ) as executor:
        list(executor.map(_transform, cohort.images, chunksize=4))


_MASKERS: dict[str, NiftiLabelsMasker] = {}


def _plainly() -> Any:
    """Return what lets nibabel read as in a plain installation; see `extraction.files`."""
    return mock.patch("nibabel._compression.HAVE_INDEXED_GZIP", new=False)


def _start(atlases: Mapping[str, Path]) -> None:
    """Begin a process of its own."""
    _plainly().start()
    _fit(atlases)


def _fit(atlases: Mapping[str, Path]) -> None:
    warnings.simplefilter("ignore")
    for name, atlas in atlases.items():
        _MASKERS[name] = NiftiLabelsMasker(str(atlas), resampling_target=None).fit()


def _transform(image: Path) -> None:
    for name, masker in _MASKERS.items():
        values = masker.transform(str(image))
        path = image.with_name(f"nilearn_{image.name.split('.')[0]}_{name}.tsv")
        np.savetxt(path, values, delimiter="\t", fmt="%.17g")


def by_batch(cohort: Cohort, n_processes: int, out: str = "tables") -> None:
    """Write a table for each image and atlas, what is beside it, and coverage, by a batch."""
    rows = [
        {"image": str(image), "atlas": f"{name}={atlas}"}
        for image in cohort.images
        for name, atlas in cohort.atlases.items()
    ]
    summary = batch(rows, cohort.folder / f"{out}-{n_processes}", workers=n_processes)
    assert summary.n_done == len(rows), "every table is written"


def by_batch_on_one_processor(cohort: Cohort, n_processes: int) -> None:
    """Do the same where there is a single processor: else a worker inflates ahead on another."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        by_batch(cohort, n_processes, "alone")
    finally:
        os.sched_setaffinity(0, processors)


def batches(
    n_images: int,
    shape: Shape,
    n_maps: int,
    *,
    at_least: Mapping[int, float | None],
    scaling: float | None = None,
) -> Iterator[Row]:
    """Images × three atlases; each is run once, as hundreds of images are repeats enough.

    `at_least` has the aim by the number of processes, and `scaling` that of a second worker.
    """
    what = f"{n_images} images of {'×'.join(map(str, (*shape, n_maps)))} × 3 atlases"
    ours = {}
    with TemporaryDirectory() as folder:
        cohort = cohort_in(Path(folder), n_images, shape, n_maps)
        few = replace(cohort, images=cohort.images[:N_BY_NILEARN])
        for n_processes, aim in at_least.items():
            theirs = _seconds(by_nilearn, few, n_processes) / len(few.images)
            ours[n_processes] = _seconds(by_batch, cohort, n_processes) / n_images
            yield Row(
                f"{what}, {n_processes} at a time: nilearn's masker / batch",
                theirs / ours[n_processes],
                at_least=aim,
                detail=f"{theirs * 1e3:.0f} / {ours[n_processes] * 1e3:.0f} ms an image, "
                f"nilearn's of {len(few.images)} of them",
            )
        alone = _seconds(by_batch_on_one_processor, cohort, 1) / n_images
    yield Row(f"{what}: one worker / two", ours[1] / ours[2])
    yield Row(
        f"{what}: one worker on one processor / two on two",
        alone / ours[2],
        at_least=scaling,
        detail=f"{alone * 1e3:.0f} / {ours[2] * 1e3:.0f} ms an image",
    )


def _seconds(run: Callable[[Cohort, int], None], cohort: Cohort, n_processes: int) -> float:
    start = time.perf_counter()
    run(cohort, n_processes)
    return time.perf_counter() - start


def everything() -> Iterator[Row]:
    """All rows, at the sizes that the aims are about: 3 mm, and the smallest for comparison."""
    yield from batches(500, (61, 73, 61), 100, at_least={1: 8, 2: 5}, scaling=1.6)
    yield from batches(500, (24, 28, 22), 60, at_least={1: None, 2: None})


def quick() -> Iterator[Row]:
    """All rows on a few images."""
    yield from batches(4, (12, 14, 11), 5, at_least={1: None, 2: None})
