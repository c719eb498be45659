"""Extracting: regioncast against nilearn, and against plain decompression."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import nibabel as nib
import nilearn.regions
import numpy as np
from isal import igzip
from numpy.typing import NDArray

from regioncast import extract

from .atlases import MM2, brain
from .measure import Row, peak_memory, side_by_side

Shape = tuple[int, ...]

# Pieces in which a file is decompressed for comparison.
PIECE = 8_000_000


def files(shape: Shape = MM2, n_maps: int = 200, repeats: int = 3) -> Iterator[Row]:
    """int16 noise on disk, file to table."""
    labels = brain(shape, n_regions(shape))
    # As in a plain installation: with indexed_gzip, nibabel takes some 36 ms to open a file, and
    # nilearn less to read it.
    plainly = mock.patch("nibabel._compression.HAVE_INDEXED_GZIP", new=False)
    with TemporaryDirectory() as folder, plainly:
        compressed, plain = Path(folder) / "noise.nii.gz", Path(folder) / "noise.nii"
        for path in (compressed, plain):
            nib.save(noise(shape, n_maps, np.int16), path)
        seconds = side_by_side(
            {
                "isal": lambda: decompress(compressed),
                "regioncast .nii.gz": lambda: extract(compressed, labels),
                "regioncast .nii": lambda: extract(plain, labels),
                "nilearn .nii.gz": lambda: by_nilearn(compressed, labels),
                "nilearn .nii": lambda: by_nilearn(plain, labels),
            },
            repeats,
        )
    what = f"mean of {n_maps} int16 maps, {_times(shape)}"
    for suffix, aim in ((".nii.gz", 5), (".nii", 15)):
        yield _faster(
            f"{what}, {suffix}: nilearn / regioncast",
            seconds[f"nilearn {suffix}"],
            seconds[f"regioncast {suffix}"],
            aim,
        )
    yield Row(
        f"{what}, .nii.gz: regioncast / decompressing it",
        seconds["regioncast .nii.gz"] / seconds["isal"],
        at_most=1.25,
        detail=f"{seconds['regioncast .nii.gz'] * 1e3:.0f} / {seconds['isal'] * 1e3:.0f} ms",
    )


def one_pass(shape: Shape = MM2, n_maps: int = 200, repeats: int = 3) -> Iterator[Row]:
    """Means of three atlases in one pass over a file, against those of one."""
    few = n_regions(shape)
    atlases = {name: brain(shape, n) for name, n in (("A", few), ("B", few // 2), ("C", few // 4))}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "noise.nii.gz"
        nib.save(noise(shape, n_maps, np.int16), path)
        seconds = side_by_side(
            {
                "three": lambda: extract(path, atlases),
                "one": lambda: extract(path, atlases["A"]),
                "one by one": lambda: [extract(path, atlas) for atlas in atlases.values()],
            },
            repeats,
        )
    what = f"mean of {n_maps} int16 maps, {_times(shape)}, .nii.gz"
    for title, first, second, most in (
        ("three atlases in one pass / one atlas", "three", "one", 1.3),
        ("three atlases one by one / in one pass", "one by one", "three", None),
    ):
        yield Row(
            f"{what}: {title}", seconds[first] / seconds[second], at_most=most,
            detail=f"{seconds[first] * 1e3:.0f} ms / {seconds[second] * 1e3:.0f} ms",
        )  # fmt: skip


def in_memory(shape: Shape = MM2, n_maps: int = 100, repeats: int = 3) -> Iterator[Row]:
    """float32 maps in memory, in the order of files, and voxel by voxel."""
    labels = brain(shape, n_regions(shape))
    in_f_order = noise(shape, n_maps, np.float32)
    in_c_order = nib.Nifti1Image(np.ascontiguousarray(in_f_order.dataobj), in_f_order.affine)
    for order, strategy, aim in (("F", "mean", 15), ("C", "mean", 15), ("F", "median", 10)):
        series = in_f_order if order == "F" else in_c_order
        seconds = side_by_side(
            {
                "nilearn": partial(by_nilearn, series, labels, strategy),
                "regioncast": partial(extract, series, labels, strategy=strategy),
            },
            repeats,
        )
        yield _faster(
            f"{strategy} of {n_maps} float32 maps in memory, order {order}: nilearn / regioncast",
            seconds["nilearn"],
            seconds["regioncast"],
            aim,
        )


def memory(shape: Shape = MM2, lengths: tuple[int, ...] = (200, 2000)) -> Iterator[Row]:
    """Peak memory beyond the interpreter, for series of any length."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "noise.nii.gz"
        for n_maps in lengths:
            write_long_series(path, shape, n_maps)
            setup = f"""
from benchmarks.atlases import brain
import regioncast, nibabel, isal, scipy
from regioncast import extract
labels = brain({shape}, {n_regions(shape)})
"""
            peak = peak_memory(setup, f"extract({str(path)!r}, labels)")
            yield Row(
                f"peak memory, mean of {n_maps:,} int16 maps of a .nii.gz / 250 MB",
                peak / 250e6,
                at_most=1,
                detail=f"{peak / 1e6:.0f} MB",
            )


def n_regions(shape: Shape) -> int:
    """Return as many regions as suit a grid."""
    return 400 if shape == MM2 else 40


def noise(shape: Shape, n_maps: int, dtype: type[np.generic]) -> nib.Nifti1Image:
    """Return a series like a functional scan without a brain: noise about 1,000."""
    rng = np.random.default_rng(n_maps)
    data = np.empty((*shape, n_maps), dtype, order="F")
    for number in range(n_maps):
        data[..., number] = rng.normal(1000, 50, shape)
    return nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1]), dtype=dtype)


def write_long_series(path: Path, shape: Shape, n_maps: int, n_written: int = 20) -> None:
    """Write a series in which the same few maps come again and again, each time compressed."""
    few = noise(shape, min(n_written, n_maps), np.int16)
    header = few.header.copy()
    header.set_data_shape((*shape, n_maps))
    header.set_data_offset(352)
    member = igzip.compress(np.asanyarray(few.dataobj).tobytes(order="F"))
    with path.open("wb") as file:
        file.write(igzip.compress(header.binaryblock + bytes(4)))
        for _ in range(n_maps // few.shape[3]):
            file.write(member)


def by_nilearn(
    image: Path | nib.Nifti1Image, labels: nib.Nifti1Image, strategy: str = "mean"
) -> NDArray[np.floating]:
    """Extract with nilearn's function."""
    return nilearn.regions.img_to_signals_labels(
        image if isinstance(image, nib.Nifti1Image) else str(image), labels, strategy=strategy
    )[0]


def decompress(path: Path) -> None:
    """Decompress a file into the same memory, piece by piece."""
    buffer = bytearray(PIECE)
    with igzip.open(path, "rb") as file:
        while file.readinto(buffer):
            pass


def everything() -> Iterator[Row]:
    """All rows, at the sizes that the aims are about."""
    yield from files()
    yield from one_pass()
    yield from in_memory()
    yield from memory()


def quick() -> Iterator[Row]:
    """All rows on small images."""
    small = (40, 31, 22)
    yield from files(small, 5, 1)
    yield from one_pass(small, 5, 1)
    yield from in_memory(small, 5, 1)
    yield from memory(small, (20, 60))


def _faster(title: str, theirs: float, ours: float, at_least: float) -> Row:
    detail = f"{theirs * 1e3:.0f} ms / {ours * 1e3:.1f} ms"
    return Row(title, theirs / ours, at_least=at_least, detail=detail)


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape))


# nilearn warns of its own future; that is not what is measured here.
warnings.filterwarnings("ignore", module="nilearn")
