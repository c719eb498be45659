"""Whoever works, and whoever of them dies: the same bits. And shards: as Zarr has them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import dask.array as da
import nibabel as nib
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import ZstdCodec

import regioncast as rc
from regioncast import executors
from regioncast.chunked import shards as shards_module
from regioncast.chunked.shards import Shards
from regioncast.errors import FileFormatError

# --- shards --------------------------------------------------------------------------------------


def array_of_shards(
    folder: Path, shape: Any, dtype: str, fill: Any, *, level: int = 1, checksum: bool = True
) -> Any:
    n_leading = len(shape) - 3
    return zarr.create_array(
        folder, shape=shape, dtype=dtype, fill_value=fill,
        chunks=(*[1] * n_leading, 2, 3, 4), shards=(*[1] * n_leading, 4, 9, 8),
        compressors=ZstdCodec(level=level, checksum=checksum),
    )  # fmt: skip


@settings(max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 19)] * 3),
    n_maps=st.integers(0, 2),
    dtype=st.sampled_from(["?", "u1", "i2", "u4", "i8", "f4", "f8"]),
    fill=st.sampled_from([0, 1]),
    level=st.sampled_from([0, 1, 7]),
    checksum=st.booleans(),
    data=st.data(),
)
def test_shards_are_read_as_by_zarr(
    shape: Any, n_maps: int, dtype: str, fill: int, level: int, checksum: bool, data: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("shards")
    leading = (n_maps,) if n_maps else ()
    array = array_of_shards(folder, (*leading, *shape), dtype, fill, level=level, checksum=checksum)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = rng.integers(0, 2, array.shape).astype(dtype)
    values[..., shape[0] // 2 :, :, shape[2] // 3 :] = fill
    array[:] = values
    found = Shards.of(array, folder)
    assert found is not None
    starts = [data.draw(st.integers(0, n - 1)) for n in shape]
    box: Any = tuple(
        slice(start, data.draw(st.integers(start + 1, n)))
        for start, n in zip(starts, shape, strict=True)
    )
    for number in np.ndindex(*leading):
        read = found.read(box, number)
        assert read.dtype == values.dtype
        np.testing.assert_array_equal(read, values[(*number, *box)])


@pytest.mark.parametrize("per_file", [(1, 2), (2, 1), (3, 2)])
@pytest.mark.parametrize("per_chunk", [1, 2])
def test_several_maps_in_one_shard_are_each_read(
    tmp_path: Path, per_file: tuple[int, int], per_chunk: int
) -> None:
    values = np.random.default_rng(4).integers(1, 99, (3, 4, 5, 10, 11)).astype(np.int16)
    array = zarr.create_array(
        tmp_path, shape=values.shape, dtype="i2",
        shards=(*(per_chunk * n for n in per_file), 4, 9, 8),
        chunks=(per_chunk, per_chunk, 2, 3, 4), compressors=ZstdCodec(level=1, checksum=True),
    )  # fmt: skip
    array[:] = values
    atlas = rc.load_parcellation(da.ones(values.shape[2:], dtype=np.int8, chunks=6))
    signals = rc.extract(tmp_path, atlas, strategy=["minimum", "sum"])
    maps = values.reshape(12, -1)
    assert signals["minimum"].values[:, 0].tolist() == maps.min(axis=1).tolist()
    assert signals["sum"].values[:, 0].tolist() == maps.sum(axis=1).tolist()


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_791, 65_792, 70_000, 300_000])
def test_frames_say_how_long_they_are(size: int) -> None:
    from numcodecs import zstd

    for checksum in (False, True):
        piece = zstd.compress(np.arange(size).astype(np.uint8), 1, checksum)
        assert shards_module._n_bytes_of(piece) == size


def test_frames_of_another_length_are_damage(tmp_path: Path) -> None:
    shards = Shards.of(array_of_shards(tmp_path, (4, 9, 8), "u1", 0), tmp_path)
    assert shards is not None
    from numcodecs import zstd

    for n in (23, 25):
        shards.write((0, 0, 0), [((0, 0, 0), zstd.compress(np.ones(n, np.uint8), 1, True))])
        atlas = rc.load_parcellation(tmp_path, {1: "a"})
        with pytest.raises(FileFormatError, match="truncated or damaged"):
            atlas.load()  # type: ignore[attr-defined]


@pytest.mark.parametrize("place", [-1, -4, -5, -60])
def test_an_index_with_a_flipped_bit_is_damage(tmp_path: Path, place: int) -> None:
    array = array_of_shards(tmp_path, (4, 9, 8), "u1", 0)
    array[:] = 1
    file = tmp_path / "c/0/0/0"
    whole = bytearray(file.read_bytes())
    atlas: Any = rc.load_parcellation(tmp_path, {1: "a"})
    whole[place] ^= 1
    for content in (bytes(whole), bytes(whole[:50]), b""):
        file.write_bytes(content)
        with pytest.raises(FileFormatError, match=r"index of a shard .* damaged: /.*/c/"):
            atlas.load()


def test_other_codecs_are_left_to_zarr(tmp_path: Path) -> None:
    values = np.arange(4 * 9 * 8, dtype=np.int32).reshape(4, 9, 8)
    ways: list[dict[str, Any]] = [
        {"shards": None}, {"compressors": "auto"}, {"compressors": None}, {"dtype": ">i4"},
        {"compressors": [ZstdCodec(), ZstdCodec()]},
        {"chunk_key_encoding": {"name": "v2", "separator": "."}},
    ]  # fmt: skip
    for number, way in enumerate(ways):
        folder = tmp_path / str(number)
        how: dict[str, Any] = {
            "shape": values.shape, "dtype": "i4", "chunks": (2, 3, 4), "shards": (4, 9, 8),
        }  # fmt: skip
        array = zarr.create_array(folder, **(how | way))
        array[:] = values
        is_ours = way in ({"compressors": "auto"}, {"dtype": ">i4"})
        assert (Shards.of(array, folder) is not None) == is_ours
        atlas: Any = rc.load_parcellation(folder)
        whole: Any = atlas.levels[0].labels.read((slice(0, 4), slice(0, 9), slice(0, 8)))
        np.testing.assert_array_equal(whole, values)


# --- engines -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Labels and an image of as many nodes as keep two workers at work for a while."""
    folder = tmp_path_factory.mktemp("arrays")
    rng = np.random.default_rng(5)
    labels = rng.choice([0, 4, 9, 300], (1600, 5, 7)).astype(np.uint16)
    image = rng.normal(0, 3, labels.shape).astype(np.float32)
    for name, array in (("labels", labels), ("image", image)):
        zarr.create_array(folder / f"{name}.zarr", data=array, chunks=(64, 5, 7))
    return folder / "labels.zarr", folder / "image.zarr"


def files_of(store: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(store)): file.read_bytes()
        for file in sorted(store.rglob("c/**/*"))
        if file.is_file()
    }


class Killer:
    """Kills one of some processes, once, when it is told that a part is done."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids
        self.n_killed = 0

    def __call__(self, n_done: int, n_all: int) -> None:
        if not self.n_killed and 0 < n_done < n_all:
            self.n_killed += 1
            os.kill(self.pids[0], signal.SIGKILL)


def assert_the_same(arrays: tuple[Path, Path], executor: Any, pids: Any, folder: Path) -> None:
    """Extract and save by an executor of which a worker is killed each time."""
    atlas = rc.load_parcellation(arrays[0], {4: "a", 9: "b", 300: "c"})
    strategies = ["mean", "variance", "median", "sum"]
    alone = rc.extract(arrays[1], atlas, strategy=strategies, n_jobs=1)
    killer = Killer(pids())
    signals = rc.extract(arrays[1], atlas, strategy=strategies, executor=executor, progress=killer)
    assert killer.n_killed == 1
    for name in strategies:
        assert signals[name].values.tobytes() == alone[name].values.tobytes()
    image: Any = rc.paint([1.5, -2.0, np.nan], atlas)
    here = rc.save(image, folder / "here.ome.zarr")
    killer = Killer(pids())
    there = rc.save(image, folder / "there.ome.zarr", executor=executor, progress=killer)
    assert killer.n_killed == 1
    assert files_of(Path(str(here))) == files_of(Path(str(there)))
    assert sorted(path.name for path in folder.iterdir()) == ["here.ome.zarr", "there.ome.zarr"]


def test_a_killed_process_changes_no_bit(arrays: tuple[Path, Path], tmp_path: Path) -> None:
    with executors.opened(workers=2) as engine:

        def pids() -> list[int]:
            futures = [engine.executor.submit(os.getpid) for _ in range(4)]
            return [future.result() for future in futures]

        assert_the_same(arrays, engine.executor, pids, tmp_path)


def test_a_killed_worker_of_a_cluster_changes_no_bit(
    cluster: Any, arrays: tuple[Path, Path], tmp_path: Path
) -> None:
    with executors.opened(scheduler=cluster.scheduler_address) as engine:
        client: Any = engine.executor._client  # type: ignore[attr-defined]

        def pids() -> list[int]:
            client.wait_for_workers(2)
            return list(client.run(os.getpid).values())

        assert_the_same(arrays, engine.executor, pids, tmp_path)


def test_labels_of_dask_and_of_nifti_are_painted_the_same(tmp_path: Path) -> None:
    labels = np.random.default_rng(2).choice([0, 4, 9], (70, 65, 3)).astype(np.int16)
    sources = [
        da.from_array(labels, chunks=33),
        nib.Nifti1Image(labels.T, np.eye(4)),
        zarr.array(labels, chunks=(1, 65, 3)),
    ]
    stores = []
    for number, source in enumerate(sources):
        image: Any = rc.paint([1.0, 2.0], rc.load_parcellation(source, {4: "a", 9: "b"}))
        stores.append(rc.save(image, tmp_path / f"{number}.ome.zarr"))
    one, two, three = (files_of(Path(str(store))) for store in stores)
    assert one == three
    # Labels in memory are stored in the smallest dtype, and at several levels.
    of_image = {name: content for name, content in one.items() if name.startswith("0/")}
    assert of_image
    assert of_image.items() <= two.items()
