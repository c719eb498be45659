"""CIFTI files: regioncast against plain reading, plain copying, and Connectome Workbench."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2_axes import BrainModelAxis, LabelAxis, SeriesAxis
from numpy.typing import NDArray

import regioncast as rc

from .measure import Row, peak_memory, processes, side_by_side

# Vertices of the mesh of a hemisphere, those in its cortex, and parcels in both: 32k_fs_LR with
# the parcellation of Glasser et al. (2016).
HCP = (32_492, 29_706, 360)

# Pieces in which a file is read and copied for comparison.
PIECE = 8_000_000

Sizes = tuple[int, int, int]


def extraction(sizes: Sizes = HCP, n_maps: int = 1200, repeats: int = 5) -> Iterator[Row]:
    """float32 noise on disk, in the system's cache, file to table."""
    with TemporaryDirectory() as folder:
        labels, series = files(Path(folder), sizes, n_maps)
        atlas = rc.load_parcellation(labels)
        cases = {
            "regioncast": partial(rc.extract, series, atlas),
            "reading": partial(read, series),
            "NumPy": partial(by_numpy, series, np.asarray(atlas.codes)),
        }
        seconds = side_by_side(cases, repeats)
        what = f"mean of {n_maps:,} × {len(atlas.codes):,} grayordinates"
        yield Row(
            f"{what}: regioncast / reading the file",
            seconds["regioncast"] / seconds["reading"],
            at_most=1.5,
            detail=f"{seconds['regioncast'] * 1e3:.0f} / {seconds['reading'] * 1e3:.0f} ms",
        )
        yield _faster(f"{what}: NumPy, parcel by parcel / regioncast", seconds, "NumPy")
        if shutil.which("wb_command"):
            output = str(Path(folder) / "out.ptseries.nii")
            command = ["wb_command", "-cifti-parcellate", str(series), str(labels), "COLUMN"]
            seconds |= processes({"Workbench": [*command, output, "-method", "MEAN"]}, 1)
            yield _faster(f"{what}: wb_command, the process / regioncast", seconds, "Workbench")
        setup = f"""
import regioncast as rc
atlas = rc.load_parcellation({str(labels)!r})
rc.extract({str(labels)!r}, atlas, strategy="mode")
"""
        peak = peak_memory(setup, f"rc.extract({str(series)!r}, atlas)")
        yield Row(
            f"{what}: peak memory / 150 MB",
            peak / 150e6,
            at_most=1,
            detail=f"{peak / 1e6:.0f} MB",
        )


def painting(sizes: Sizes = HCP, n_maps: int = 1200, repeats: int = 5) -> Iterator[Row]:
    """float32 values to a file, which is brought to the disk."""
    with TemporaryDirectory() as folder:
        labels, series = files(Path(folder), sizes, n_maps)
        atlas = rc.load_parcellation(labels)
        values = np.random.default_rng(0).normal(size=(n_maps, len(atlas))).astype(np.float32)
        output = Path(folder) / "out.dtseries.nii"
        seconds = side_by_side(
            {
                "regioncast": partial(painted, values, atlas, output),
                "copying": partial(copy, series, Path(folder) / "copy.dtseries.nii"),
            },
            repeats,
        )
        yield Row(
            f"{n_maps:,} maps to .dtseries.nii: regioncast / copying the finished file",
            seconds["regioncast"] / seconds["copying"],
            at_most=1.5,
            detail=f"{seconds['regioncast'] * 1e3:.0f} / {seconds['copying'] * 1e3:.0f} ms",
        )


def files(folder: Path, sizes: Sizes, n_maps: int) -> tuple[Path, Path]:
    """Write labels and a series on the same grayordinates; return their paths."""
    n_vertices, n_cortex, n_parcels = sizes
    cortex = np.arange(n_vertices) < n_cortex
    left, right = (
        BrainModelAxis.from_mask(cortex, name=name) for name in ("CORTEX_LEFT", "CORTEX_RIGHT")
    )
    brain = left + right
    keys = parcels(len(brain), n_parcels)
    names = {key: (f"region {key}", (1.0, 0.0, 0.0, 1.0)) for key in range(1, n_parcels + 1)}
    names[0] = ("???", (0.0, 0.0, 0.0, 0.0))
    labels, series = folder / "labels.dlabel.nii", folder / "series.dtseries.nii"
    image = nib.Cifti2Image(keys[np.newaxis].astype(np.float32), (LabelAxis(["a"], names), brain))
    image.nifti_header.set_intent("ConnDenseLabel", name="ConnDenseLabel")
    nib.save(image, labels)
    noise = np.random.default_rng(1).normal(100, 10, (n_maps, len(brain))).astype(np.float32)
    times = SeriesAxis(0.0, 0.72, n_maps)
    rc.save(nib.Cifti2Image(noise, (times, brain)), series)
    return labels, series


def parcels(n_samples: int, n_parcels: int) -> NDArray[np.int64]:
    """Return a parcel per grayordinate, in runs of 10 as long as those of real parcellations."""
    runs = np.arange(n_samples) // 10
    # The runs of a hemisphere, in which a parcel has its own.
    owner = np.sort(np.arange(runs[-1] + 1) % n_parcels)
    half = len(owner) // 2
    rng = np.random.default_rng(2)
    owner[:half], owner[half:] = rng.permutation(owner[:half]), rng.permutation(owner[half:])
    return owner[runs] + 1


def painted(values: NDArray[Any], atlas: rc.Parcellation, path: Path) -> None:
    """Paint a table of values to a file."""
    rc.save(rc.paint(values, atlas, t_r=0.72), path, overwrite=True)


def by_numpy(series: Path, codes: NDArray[Any]) -> NDArray[np.float64]:
    """Extract as hcp_utils does: all values, then a mean per parcel."""
    values = nib.load(series).get_fdata()
    regions = range(1, codes.max() + 1)
    return np.stack([values[:, codes == code].mean(axis=1) for code in regions], axis=1)


def read(path: Path) -> None:
    """Read a file into the same memory, piece by piece."""
    buffer = bytearray(PIECE)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def copy(path: Path, target: Path) -> None:
    """Copy a file through the same memory, and bring the copy to the disk."""
    buffer = bytearray(PIECE)
    with path.open("rb", buffering=0) as source, target.open("wb", buffering=0) as out:
        while n_read := source.readinto(buffer):
            out.write(memoryview(buffer)[:n_read])
        os.fsync(out.fileno())


def everything() -> Iterator[Row]:
    """All rows, at the sizes that the aims are about."""
    yield from extraction()
    yield from painting()


def quick() -> Iterator[Row]:
    """All rows on small files."""
    small = (900, 800, 20)
    yield from extraction(small, 30, 1)
    yield from painting(small, 30, 1)


def _faster(title: str, seconds: dict[str, float], other: str) -> Row:
    theirs, ours = seconds[other], seconds["regioncast"]
    return Row(title, theirs / ours, detail=f"{theirs * 1e3:.0f} / {ours * 1e3:.0f} ms")
