"""Painting: regioncast against nilearn, and against filling the memory of the output."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import nibabel as nib
import nilearn.regions
import numpy as np
from numpy.typing import NDArray

from regioncast import demo_data, signals_to_img_labels

from .atlases import MM1, MM2, brain, n_regions_of, scattered, supervoxels
from .measure import Row, peak_memory, processes, python, side_by_side

Shape = tuple[int, ...]


def single_maps(shapes: tuple[Shape, Shape] = (MM2, MM1), repeats: int = 7) -> Iterator[Row]:
    """One float64 map, labels in memory."""
    for shape, n_regions, aim in zip(shapes, (400, 1000), (100, 50), strict=True):
        signals = np.random.default_rng(0).standard_normal(n_regions)
        seconds = _beside_nilearn(signals, brain(shape, n_regions), "F", repeats)
        what = f"1 float64 map, {n_regions} regions, {_times(shape)}"
        yield _faster(f"{what}: nilearn / regioncast", seconds, aim)
        yield _slower(f"{what}: regioncast / np.full", seconds)


def series(shape: Shape = MM2, n_maps: int = 200, repeats: int = 5) -> Iterator[Row]:
    """Many float32 maps, in both memory orders."""
    labels = brain(shape, 400)
    signals = np.random.default_rng(0).standard_normal((n_maps, 400)).astype(np.float32)
    for order in ("F", "C"):
        seconds = _beside_nilearn(signals, labels, order, repeats)
        what = f"{n_maps} float32 maps, order {order}, {_times(shape)}"
        yield _slower(f"{what}: regioncast / np.full", seconds, 1.3)
        yield _faster(f"{what}: nilearn / regioncast", seconds)


def _beside_nilearn(
    signals: NDArray[np.floating], labels: nib.Nifti1Image, order: Literal["C", "F"], repeats: int
) -> dict[str, float]:
    shape = labels.shape if signals.ndim == 1 else (*labels.shape, len(signals))
    paint_as_nilearn = nilearn.regions.signals_to_img_labels
    return side_by_side(
        {
            "nilearn": lambda: paint_as_nilearn(signals, labels, order=order),
            "regioncast": lambda: signals_to_img_labels(signals, labels, order=order),
            "full": lambda: np.full(shape, 1.5, signals.dtype, order=order),
        },
        repeats,
    )


def many_regions(shape: Shape = MM1, n_many: int = 72_000, repeats: int = 7) -> Iterator[Row]:
    """Regions by the ten and the hundred thousand against 400 on the same grid.

    Scattered labels are 64-bit numbers above 2**40 in no order.
    """
    few = brain(shape, 400)
    many = brain(shape, n_many)
    images = {
        "400": few,
        "400, scattered": scattered(few),
        f"{n_many:,}": many,
        f"{n_many:,}, scattered": scattered(many),
        "supervoxels of 2³": supervoxels(shape, 2, scattered=False),
        "supervoxels of 2³, scattered": supervoxels(shape, 2, scattered=True),
    }
    counts = {name: n_regions_of(labels) for name, labels in images.items()}
    signals = {name: np.random.default_rng(0).standard_normal(n) for name, n in counts.items()}
    seconds = side_by_side(
        {
            name: lambda name=name: signals_to_img_labels(signals[name], images[name])
            for name in images
        },
        repeats,
    )
    for name in list(images)[2:]:
        for few_name in ("400", "400, scattered") if "scattered" in name else ("400",):
            yield Row(
                f"{counts[name]:,} regions ({name}) / {few_name}, {_times(shape)}",
                seconds[name] / seconds[few_name],
                at_most=3 if name.startswith(f"{n_many:,}") else None,
                detail=f"{seconds[name] * 1e3:.0f} ms",
            )


def start_up(repeats: int = 15) -> Iterator[Row]:
    """Importing, and painting one map from the shell, as whole processes."""
    with TemporaryDirectory() as folder:
        demo = demo_data()
        output = Path(folder) / "map.nii.gz"
        read_and_write = f"""
import nibabel as nib, numpy as np
open({str(demo.values)!r}).read()
labels = nib.load({str(demo.atlas)!r})
values = np.random.default_rng(0).standard_normal(101)
data = values[np.asanyarray(labels.dataobj)]
nib.save(nib.Nifti1Image(data, labels.affine), {str(Path(folder) / "theirs.nii.gz")!r})
"""
        shell = [
            str(Path(python("")[0]).parent / "regioncast"), "paint", str(demo.values),
            str(demo.atlas), "--output", str(output), "--overwrite",
        ]  # fmt: skip
        seconds = processes(
            {
                "nothing": python(""),
                "import nibabel": python("import nibabel"),
                "import regioncast": python("import regioncast"),
                "files": python(read_and_write),
                "paint": shell,
            },
            repeats,
        )
    nibabel = seconds["import nibabel"]
    yield Row(
        "import regioncast / import nibabel", seconds["import regioncast"] / nibabel, at_most=1.25
    )
    files = seconds["files"] - nibabel
    yield Row(
        "regioncast paint / (2 × import nibabel + reading and writing the files)",
        seconds["paint"] / (2 * nibabel + files),
        at_most=1,
        detail=f"{seconds['paint'] * 1e3:.0f} ms; import nibabel {nibabel * 1e3:.0f} ms, "
        f"files {files * 1e3:.0f} ms",
    )


def memory(shape: Shape = MM1) -> Iterator[Row]:
    """Peak memory beyond the labels, as a share of output plus eight bytes a voxel."""
    images = {
        "1000 regions": f"brain({shape}, 1000)",
        "supervoxels of 2³": f"supervoxels({shape}, 2, scattered=False)",
        "supervoxels of 2³, scattered": f"supervoxels({shape}, 2, scattered=True)",
    }
    voxels = int(np.prod(shape))
    for (what, labels), dtype in product(images.items(), ("float64", "float32", "uint8")):
        setup = f"""
import nibabel, numpy as np
from benchmarks.atlases import brain, n_regions_of, supervoxels
from regioncast import signals_to_img_labels
labels = {labels}
signals = np.ones(n_regions_of(labels), {dtype!r})
signals_to_img_labels(signals[:20], brain((20, 21, 22), 20))
"""
        peak = peak_memory(setup, "signals_to_img_labels(signals, labels)")
        allowed = voxels * (np.dtype(dtype).itemsize + 8)
        yield Row(
            f"peak memory, 1 {dtype} map, {what}, {_times(shape)} / (output + 8 bytes a voxel)",
            peak / allowed,
            at_most=1,
            detail=f"{peak / 1e6:.0f} MB",
        )


def everything() -> Iterator[Row]:
    """All rows, at the sizes that the aims are about."""
    yield from single_maps()
    yield from series()
    yield from many_regions()
    yield from start_up()
    yield from memory()


def quick() -> Iterator[Row]:
    """All rows on small images."""
    small, smaller = (40, 31, 22), (31, 22, 40)
    yield from single_maps((small, smaller), 1)
    yield from series(small, 5, 1)
    yield from many_regions(small, 2000, 1)
    yield from start_up(1)
    yield from memory(small)


def _faster(title: str, seconds: dict[str, float], at_least: float | None = None) -> Row:
    ratio = seconds["nilearn"] / seconds["regioncast"]
    detail = f"{seconds['nilearn'] * 1e3:.0f} ms / {seconds['regioncast'] * 1e3:.2f} ms"
    return Row(title, ratio, at_least=at_least, detail=detail)


def _slower(title: str, seconds: dict[str, float], at_most: float | None = None) -> Row:
    ratio = seconds["regioncast"] / seconds["full"]
    detail = f"{seconds['regioncast'] * 1e3:.2f} ms / {seconds['full'] * 1e3:.2f} ms"
    return Row(title, ratio, at_most=at_most, detail=detail)


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape))


# nilearn warns of its own future; that is not what is measured here.
warnings.filterwarnings("ignore", module="nilearn")
