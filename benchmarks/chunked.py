"""Arrays in chunks: painting and reducing them, against Dask and flox on the same cluster.

The arrays are one tile again and again, so that large ones are made in no time: the file of its
shard is copied.  They are read from the disk, or from what the system keeps of it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

import regioncast as rc

from .measure import Row

Shape = tuple[int, int, int]

# Of 10^8 voxels, and of the 1.2 * 10^9 of the Allen CCFv3 at 10 µm.
SMALL: Shape = (512, 470, 420)
LARGE: Shape = (1320, 800, 1140)
N_REGIONS = 672
LEAF, NODE = 64, 256
WORKERS = 2
RUNS = 2

# What users of Dask do for the same, and what of ours is beside it.
THEIRS = {
    "flox": ("mean", "groupby_reduce of mean"),
    "map_blocks, table": ("painting", "image and labels by to_zarr"),
    "map_blocks, searchsorted": ("painting", "image and labels by to_zarr"),
}


@dataclass(frozen=True)
class Arrays:
    """Labels and an image in a folder, each an array of Zarr."""

    folder: Path
    shape: Shape

    @property
    def n_voxels(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))

    @property
    def labels(self) -> Path:
        """Of uint32."""
        return self.folder / "labels.zarr"

    @property
    def image(self) -> Path:
        """Of uint16."""
        return self.folder / "image.zarr"

    def out(self, name: str) -> Path:
        """Return where something is written to, which is there no more."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return path


def made(folder: Path, shape: Shape, node: int = NODE) -> Arrays:
    """Write labels of blobs with gaps between them, and an image of counts."""
    rng = np.random.default_rng(0)
    edge = node // 2
    seeds = cKDTree(rng.random((N_REGIONS, 3)) * edge)
    places = np.stack(np.indices((edge,) * 3), axis=-1).reshape(-1, 3)
    distance, nearest = seeds.query(places, distance_upper_bound=edge * 0.085)
    tile = np.where(np.isfinite(distance), nearest * 3 + 5, 0).reshape((edge,) * 3)
    labels = tile.astype(np.uint32).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    arrays = Arrays(folder, shape)
    _tiled(arrays.labels, shape, labels)
    _tiled(arrays.image, shape, rng.poisson(900, labels.shape).astype(np.uint16))
    return arrays


def _tiled(path: Path, shape: Shape, tile: np.ndarray[Any, Any]) -> None:
    import zarr
    from zarr.codecs import ZstdCodec

    edge = len(tile)
    array = zarr.create_array(
        path, shape=shape, dtype=tile.dtype, chunks=(edge // 4,) * 3, shards=tile.shape,
        compressors=ZstdCodec(level=1, checksum=True), dimension_names=("z", "y", "x"),
    )  # fmt: skip
    # Past the end there are numbers, too, which nobody sees.
    whole = zarr.create_array(
        path.with_suffix(".tile"), data=tile, chunks=(edge // 4,) * 3, shards=tile.shape,
        compressors=ZstdCodec(level=1, checksum=True),
    )  # fmt: skip
    assert whole.metadata.codecs == array.metadata.codecs
    first = path.with_suffix(".tile") / "c" / "0" / "0" / "0"
    for z, y, x in product(*(range(-(-n // edge)) for n in shape)):
        target = path / "c" / str(z) / str(y) / str(x)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first, target)


@contextmanager
def cluster() -> Iterator[Any]:
    """Give a client of a cluster of two fresh processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as workers,
        Client(workers) as client,
    ):
        client.run(_warm)
        yield client


def _warm() -> None:
    """Import what is needed, once in each worker."""
    import dask.array
    import flox
    import zarr

    import regioncast.api
    import regioncast.chunked.extraction
    import regioncast.chunked.writing

    assert all((dask.array, flox, zarr, regioncast.api, regioncast.chunked))
    # Else the peak is that of the process which this one was started from.
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    status = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    return int(status.split()[0]) * 1024


def measured(work: Callable[[Any], object]) -> tuple[float, float]:
    """Return the seconds that some work takes, and the peak of a worker's GB, on a fresh cluster.

    It is done twice: the first time imports what was not, and takes memory.
    """
    seconds = []
    with cluster() as client:
        for _ in range(RUNS):
            start = time.perf_counter()
            work(client)
            seconds.append(time.perf_counter() - start)
        return min(seconds), max(client.run(_peak).values()) / 1e9


def reduce_by_us(arrays: Arrays, strategy: str = "mean") -> Callable[[Any], object]:
    """Reduce the image in the regions of the labels."""

    def work(client: Any) -> object:
        atlas = rc.load_parcellation(arrays.labels, regions=_regions())
        return rc.extract(arrays.image, atlas, strategy=strategy, executor=client.get_executor())

    return work


def reduce_by_flox(arrays: Arrays) -> Callable[[Any], object]:
    """The same by flox, with the labels that there may be."""

    def work(client: Any) -> object:
        import dask.array as da
        from flox import groupby_reduce

        image, labels = (da.from_zarr(str(path)) for path in (arrays.image, arrays.labels))
        expected = np.array([0, *_regions()])
        means, *_ = groupby_reduce(
            image, labels, func="mean", expected_groups=expected, fill_value=np.nan
        )
        return client.compute(means).result()

    return work


def paint_by_us(arrays: Arrays) -> Callable[[Any], object]:
    """Paint a value into each region, and write the image with its labels."""

    def work(client: Any) -> object:
        atlas = rc.load_parcellation(arrays.labels, regions=_regions())
        values = dict(zip(_regions(), np.linspace(0, 1, N_REGIONS, dtype=np.float32), strict=True))
        painted = rc.paint(values, atlas)
        return rc.save(painted, arrays.out("map.ome.zarr"), executor=client.get_executor())

    return work


def paint_by_table(arrays: Arrays) -> Callable[[Any], object]:
    """Look values up in a table with a place for each number up to the largest label."""
    table = np.zeros(max(_regions()) + 1, np.float32)
    table[list(_regions())] = np.linspace(0, 1, N_REGIONS)
    return _paint_by_dask(arrays, lambda block: table[block])


def paint_by_search(arrays: Arrays) -> Callable[[Any], object]:
    """Look labels up among those that there are, as is done where they are large numbers."""
    known = np.array([0, *_regions()], np.uint32)
    values = np.concatenate([[0], np.linspace(0, 1, N_REGIONS)]).astype(np.float32)
    return _paint_by_dask(arrays, lambda block: values[np.searchsorted(known, block)])


def _paint_by_dask(arrays: Arrays, painted: Callable[[Any], Any]) -> Callable[[Any], object]:
    """Write image and labels as Dask does when nothing else is said."""

    def work(client: Any) -> object:  # noqa: ARG001  the one that is there is used
        import dask
        import dask.array as da

        labels = da.from_zarr(str(arrays.labels))
        image = labels.map_blocks(painted, dtype=np.float32)
        both = [
            array.to_zarr(str(arrays.out(name)), compute=False)
            for name, array in (("dask.zarr", image), ("dask_labels.zarr", labels))
        ]
        return dask.compute(*both)

    return work


def _regions() -> dict[int, str]:
    return {number * 3 + 5: f"region {number}" for number in range(N_REGIONS)}


def rows(shapes: list[Shape], node: int = NODE) -> Iterator[Row]:
    """Paint and reduce arrays of some shapes, and compare the time per voxel with the first."""
    per_voxel: dict[str, float] = {}
    for shape in shapes:
        with TemporaryDirectory() as folder:
            arrays = made(Path(folder), shape, node)
            cases = {
                "mean": reduce_by_us(arrays),
                "median": reduce_by_us(arrays, "median"),
                "painting": paint_by_us(arrays),
            }
            if shape == shapes[0]:
                cases |= {
                    "flox": reduce_by_flox(arrays),
                    "map_blocks, table": paint_by_table(arrays),
                    "map_blocks, searchsorted": paint_by_search(arrays),
                }
            seconds = {}
            for name, work in cases.items():
                seconds[name], peak = measured(work)
                nanoseconds = seconds[name] / arrays.n_voxels * 1e9
                yield Row(
                    f"{name}, {arrays.n_voxels:.1e} voxels, {WORKERS} workers: GB of a worker",
                    peak,
                    at_most=None if name in THEIRS else 1,
                    detail=f"{seconds[name]:.1f} s, {nanoseconds:.1f} ns a voxel",
                )
                if name in per_voxel:
                    yield Row(
                        f"{name}, per voxel: {arrays.n_voxels:.1e} / first",
                        nanoseconds / per_voxel[name],
                        at_most=1.3,
                    )
                per_voxel.setdefault(name, nanoseconds)
            for theirs, (ours, what) in THEIRS.items():
                if theirs in seconds:
                    title = f"{ours}, {arrays.n_voxels:.1e} voxels: {theirs} / regioncast"
                    ratio = seconds[theirs] / seconds[ours]
                    yield Row(title, ratio, at_least=5, detail=f"{what}, by Dask")


def everything() -> Iterator[Row]:
    """All rows, at the sizes that the aims are about."""
    yield from rows([SMALL, LARGE])


def quick() -> Iterator[Row]:
    """All rows on small arrays."""
    yield from rows([(70, 50, 64), (100, 70, 80)], node=64)
