"""Painting in chunks: the same as in memory, whole or not at all, and without voxels."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import dask.array as da
import nibabel as nib
import numpy as np
import pytest
import yaozarrs
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import regioncast as rc
from regioncast.chunked import writing
from regioncast.chunked.painting import PaintedChunks, in_chunks, painting_in_chunks
from regioncast.chunked.reading import open_image
from regioncast.chunked.shards import Shards
from regioncast.chunked.stores import ZarrVoxels
from regioncast.chunked.writing import Layout, save_chunks
from regioncast.cli import main
from regioncast.errors import (
    ArgumentError,
    FileFormatError,
    ImageTypeError,
    LabelsError,
    MatchError,
    OutputError,
    OutputExistsError,
    SignalsError,
    SignalsTypeError,
)

SMALL = Layout(4, 8)
AFFINE = np.array([[2.0, 0, 0, -7], [0, 3, 0, 5], [0, 0, 1.5, 11], [0, 0, 0, 1]])


def everything(voxels: Any, number: int = 0) -> np.ndarray:
    return np.asarray(voxels.read(tuple(slice(0, n) for n in voxels.shape), number))


def lazy(labels: np.ndarray, chunks: Any = 5) -> Any:
    """Labels, z first, as a Dask array."""
    return da.from_array(labels, chunks=chunks)


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond: what a full disk says, says this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


# --- the law -------------------------------------------------------------------------------------

DTYPES = {
    "uint8": [3, 9, 255], "uint16": [1, 300, 65535], "uint32": [5, 70_000, 2**32 - 1],
    "uint64": [5, 2**53 + 1, 2**63 - 1], "int8": [-128, 2, 127], "int16": [-7, 2, 300],
    "int32": [-(2**31), 7, 2**31 - 1], "int64": [-(2**63), -1, 2**63 - 1],
}  # fmt: skip


@settings(max_examples=25)
@given(
    dtype=st.sampled_from(list(DTYPES)),
    shape=st.tuples(*[st.integers(1, 19)] * 3),
    chunks=st.tuples(*[st.integers(1, 19)] * 3),
    values=st.sampled_from(["float32", "float64", "int16", "uint64"]),
    n_maps=st.integers(0, 3),
    fill=st.sampled_from([0, 5, np.nan, -0.0]),
    seed=st.integers(0, 100),
)
def test_painting_in_chunks_is_painting(
    dtype: str, shape: Any, chunks: Any, values: str, n_maps: int, fill: float, seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    of_regions = DTYPES[dtype]
    # Much of it empty, and some of it of one region: chunks that are left out.
    labels = np.zeros(shape, dtype)
    for _ in range(3):
        start = rng.integers(0, shape)
        labels[start[0] :, start[1] :, start[2] :] = rng.choice([0, *of_regions])
    table = np.zeros((max(n_maps, 1), 3), values)
    table[:] = rng.integers(0, 4, table.shape) * (1.0 if values != "uint64" else 1)
    if values.startswith("float"):
        table[rng.random(table.shape) < 0.3] = rng.choice([np.nan, -0.0, np.inf])
    elif not np.isfinite(fill):
        fill = 7
    signals = table if n_maps else table[0]
    regions = dict(zip(of_regions, "abc", strict=True))
    image: Any = rc.paint(signals, rc.load_parcellation(lazy(labels, chunks), regions), fill=fill)
    assert isinstance(image, PaintedChunks)
    # The double loop.
    filled = np.concatenate([np.full((len(table), 1), fill).astype(values), table], axis=1)
    expected = np.zeros((len(table), *shape), values)
    for number in range(len(table)):
        for code, label in enumerate([0, *of_regions]):
            expected[number][labels == np.array(label, dtype)] = filled[number, code]
    store = tmp_path_factory.mktemp("law") / "a.ome.zarr"
    save_chunks(image, store, overwrite=False, layout=SMALL)
    again = open_image(store, "the image")
    assert again.voxels.dtype == np.dtype(values)
    for number, each in enumerate(expected):
        assert everything(image, number).tobytes() == each.tobytes()
        assert everything(again.voxels, number).tobytes() == each.tobytes()
    stored: Any = rc.load_parcellation(store)
    assert stored.levels[0].labels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(everything(stored.levels[0].labels), labels)
    assert stored.table.names == tuple(regions[label] for label in sorted(regions))


@settings(max_examples=15)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 150), st.integers(1, 20)),
    seed=st.integers(0, 100),
)
def test_images_in_memory_get_levels_of_every_second_voxel(
    shape: Any, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, shape).astype(np.int16) * 100
    labels.flat[0] = 100
    atlas = rc.load_parcellation(nib.Nifti1Image(labels, AFFINE))
    values = {label: label / 8 for label in atlas.table.labels.tolist()}
    image: Any = rc.paint(values, atlas, by="label")
    store = tmp_path_factory.mktemp("memory") / "a.ome.zarr"
    save_chunks(painting_in_chunks(image), store, overwrite=False, layout=SMALL)
    n_levels = len(rc.load_parcellation(store).levels)  # type: ignore[attr-defined]
    assert n_levels == 1 + max(0, int(np.ceil(np.log2(max(shape) / 64))))
    for level in range(n_levels):
        step = 2**level
        again = open_image(store, "the image", level)
        np.testing.assert_array_equal(
            everything(again.voxels).T, np.asarray(image.dataobj)[::step, ::step, ::step]
        )
        np.testing.assert_array_equal(again.space.affine, AFFINE @ np.diag([step] * 3 + [1]))


def test_only_shards_with_regions_are_files(tmp_path: Path) -> None:
    labels = np.zeros((20, 30, 10), np.uint16)
    labels[17:, 2, 3] = 8
    atlas: Any = rc.load_parcellation(lazy(labels), {8: "a"})
    image: Any = rc.paint({"a": np.nan}, atlas, fill=np.nan)
    store = save_chunks(image, tmp_path / "a.ome.zarr", overwrite=False, layout=SMALL)
    chunks = sorted(
        str(file.relative_to(store)) for file in store.rglob("c/**/*") if file.is_file()
    )
    assert chunks == ["labels/atlas/0/c/2/0/0"]
    assert np.isnan(everything(open_image(store, "the image").voxels)).all()
    array: Any = zarr.open_array(store / "0")
    assert (array.chunks, array.shards) == ((4, 4, 4), (8, 8, 8))


def test_layout_is_what_viewers_expect(tmp_path: Path) -> None:
    atlas: Any = rc.load_parcellation(lazy(np.ones((3, 4, 5), np.uint8)))
    store = rc.save(rc.paint([1.0], atlas), tmp_path / "a.ome.zarr")
    array: Any = zarr.open_array(store / "0")
    assert (array.chunks, array.shards) == ((64,) * 3, (256,) * 3)
    (codec,) = [c for c in array.metadata.codecs[0].codecs if type(c).__name__ == "ZstdCodec"]
    assert (codec.level, codec.checksum) == (1, True)


# --- regions that are chosen ---------------------------------------------------------------------


@pytest.fixture
def labels() -> np.ndarray:
    """Labels, z first."""
    return np.random.default_rng(3).choice([0, 2, 5, 7, 400], (9, 20, 11)).astype(np.uint16)


TABLE = {
    "index": [2, 5, 7, 400], "name": ["V1", "V2", "M1", "M2"], "network": ["v", "v", "m", None],
}  # fmt: skip


@pytest.mark.parametrize(
    "choose",
    [
        lambda atlas: atlas.select(["V2", 400]),
        lambda atlas: atlas.drop("V1"),
        lambda atlas: atlas.drop("V1").drop("M2"),
        lambda atlas: atlas.drop("V1").group("network"),
    ],
)
@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
def test_choosing_and_grouping_is_as_in_memory(labels: np.ndarray, choose: Any) -> None:
    whole = choose(rc.load_parcellation(nib.Nifti1Image(labels.T, AFFINE), TABLE))
    chunked = choose(rc.load_parcellation(lazy(labels), TABLE))
    assert chunked.table.to_records() == whole.table.to_records()
    np.testing.assert_array_equal(chunked.load().codes, whole.codes)
    with pytest.raises(LabelsError, match="No region is left"):
        chunked.select(lambda region: False)


def test_labels_that_stay_are_the_same_files(tmp_path: Path) -> None:
    array = np.random.default_rng(3).choice(np.array([0, 0, 5, 300], np.uint16), (70, 75, 80))
    array[:64, :64, :64] = 0
    first = rc.save(rc.paint([1.0, 2], rc.load_parcellation(lazy(array, 50))), tmp_path / "1.zarr")
    atlas = rc.load_parcellation(first)
    with mock.patch.object(Shards, "copy", autospec=True, side_effect=Shards.copy) as copy:
        second = rc.save(rc.paint([3.0, 4], atlas), tmp_path / "2.zarr")
        assert copy.call_count == 1
        fewer = rc.save(rc.paint([4.0], atlas.drop([5])), tmp_path / "3.zarr")
        assert copy.call_count == 1
    name = "labels/atlas/0/c/0/0/0"
    assert (second / name).read_bytes() == (first / name).read_bytes()
    labels = zarr.open(str(fewer), mode="r")["labels/atlas/0"][:]
    np.testing.assert_array_equal(labels, np.where(array == 5, 0, array))
    # A map along time has its files a folder deeper.
    whole = zarr.open(str(first), mode="r")["labels/atlas/0"]
    in_time = zarr.create_array(
        tmp_path / "t.zarr", data=array[None], chunks=(1, 64, 64, 64), shards=(1, 256, 256, 256),
        compressors=whole.compressors,
    )  # fmt: skip
    again = rc.save(rc.load_parcellation(in_time), tmp_path / "6.zarr")
    np.testing.assert_array_equal(zarr.open(str(again), mode="r")["0"][:], array)
    file = first / name
    file.write_bytes(file.read_bytes()[:3000] + b"x" + file.read_bytes()[3001:])
    with pytest.raises(FileFormatError, match="damaged"):
        rc.save(rc.paint([3.0, 4], atlas), tmp_path / "5.zarr")
    assert not (tmp_path / "5.zarr").exists()


def test_background_is_what_is_said(labels: np.ndarray, tmp_path: Path) -> None:
    atlas: Any = rc.load_parcellation(lazy(labels), background=5)
    assert atlas.table.labels.tolist() == [0, 2, 7, 400]
    image = rc.paint([1.0, 2, 3, 4], atlas)
    with pytest.raises(LabelsError, match="0 is the label of a region"):
        rc.save(image, tmp_path / "a.ome.zarr")
    store = rc.save(atlas.drop(0), tmp_path / "a.ome.zarr")
    again = zarr.open_array(store / "0")[:]
    np.testing.assert_array_equal(again, np.where(labels == 5, 0, labels))


def test_categories_become_labels(labels: np.ndarray, tmp_path: Path) -> None:
    atlas = rc.load_parcellation(lazy(labels), TABLE)
    kinds = {"V1": "see", "V2": "see", "M1": "move", "M2": "n/a"}
    image = rc.paint(kinds, atlas, categories=True, missing="fill")
    again: Any = rc.load_parcellation(rc.save(image, tmp_path / "a.ome.zarr"))
    assert set(again.table.names) == {"see", "move"}
    see = dict(zip(again.table.names, again.table.labels, strict=True))["see"]
    is_see = everything(again.levels[0].labels) == see
    np.testing.assert_array_equal(is_see, np.isin(labels, [2, 5]))


def test_images_are_saved_where_they_lie_by_now(labels: np.ndarray, tmp_path: Path) -> None:
    atlas = rc.load_parcellation(nib.Nifti1Image(labels.T, AFFINE), TABLE)
    image: Any = rc.paint(np.arange(8.0).reshape(2, 4), atlas, t_r=0.72)
    store = rc.save(image, tmp_path / "a.ome.zarr")
    assert open_image(store, "the image").axis.t_r == 0.72
    image.set_sform(AFFINE @ np.diag([1, -1, 2, 1]), 1)
    image.header["pixdim"][4] = 0.5
    for name in ("a.nii.gz", "b.ome.zarr"):
        rc.save(image, tmp_path / name)
    again = open_image(tmp_path / "b.ome.zarr", "the image")
    np.testing.assert_array_equal(again.space.affine, nib.load(tmp_path / "a.nii.gz").affine)
    np.testing.assert_array_equal(
        rc.load_parcellation(tmp_path / "b.ome.zarr").space.affine, again.space.affine
    )
    assert again.axis.t_r == 0.5
    np.testing.assert_array_equal(everything(again.voxels, 1).T, np.asarray(image.dataobj)[..., 1])


def test_what_no_store_holds_is_refused(labels: np.ndarray, tmp_path: Path) -> None:
    atlas = rc.load_parcellation(lazy(labels), TABLE)
    maps = rc.paint(np.arange(8.0).reshape(2, 4), atlas)
    for name, how in ("{map}.ome.zarr", "voxels"), ("{map}.json", "properties"):
        with pytest.raises(ArgumentError, match="as all maps are written at once"):
            rc.save(maps, tmp_path / name, as_=how)  # type: ignore[arg-type]
    with pytest.raises(SignalsTypeError, match="these are complex128"):
        rc.save(rc.paint([1, 2, 3, 4j], atlas), tmp_path / "a.ome.zarr")
    surface = rc.load_parcellation(np.repeat([0, 1, 2], 4))
    with pytest.raises(FileFormatError, match="of voxels; these regions are of"):
        rc.save(surface, tmp_path / "a.ome.zarr")
    assert rest(tmp_path) == []


def test_what_is_no_json_is_text(labels: np.ndarray, tmp_path: Path) -> None:
    day = dt.date(2026, 1, 2)
    table = {**TABLE, "name": ["V1", "\ud800", "<b>", "é"], "day": [day, None, day, day]}
    name = os.fsdecode(b"\xff.ome.zarr")
    store = rc.save(rc.load_parcellation(lazy(labels), table), tmp_path / name)
    image = rc.paint([1.0, 2, 3, 4], store)
    rc.save(image, store, as_="properties", overwrite=True)
    again = rc.load_parcellation(store).table
    assert again.names == ("V1", "\ud800", "<b>", "é")
    assert again.columns["day"] == ("2026-01-02", None, "2026-01-02", "2026-01-02")
    assert again.columns["value"] == (1, 2, 3, 4)
    rc.save(image, tmp_path / "info", as_="properties")


# --- whole or not at all -------------------------------------------------------------------------


def rest(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_unlisted_label_leaves_nothing(labels: np.ndarray, tmp_path: Path) -> None:
    atlas = rc.load_parcellation(lazy(labels), {2: "a", 5: "b", 7: "c"})
    image = rc.paint([1.0, 2, 3], atlas)
    match = r"1 label of the labels image.* without a row.*z 0 to 8, y 0 to 19, x 0 to 10: 400"
    with pytest.raises(LabelsError, match=match):
        rc.save(image, tmp_path / "a.ome.zarr")
    assert rest(tmp_path) == []
    with pytest.raises(MatchError):
        rc.paint([1.0, 2], atlas)


def test_full_disk_leaves_what_was_there(labels: np.ndarray, tmp_path: Path) -> None:
    atlas = rc.load_parcellation(lazy(labels), TABLE)
    store = rc.save(rc.paint([1.0, 2, 3, 4], atlas), tmp_path / "a.ome.zarr")
    before = everything(open_image(store, "the image").voxels)
    other = rc.paint([5.0, 6, 7, 8], atlas)
    for limit in (0, 100, 1100, 1200):
        with (
            files_of_at_most(limit),
            pytest.raises(OutputError, match=r"failed.*Nothing was changed"),
        ):
            rc.save(other, store, overwrite=True)
    assert rest(tmp_path) == ["a.ome.zarr"]
    np.testing.assert_array_equal(everything(open_image(store, "the image").voxels), before)


def test_only_stores_are_replaced_and_only_when_asked(labels: np.ndarray, tmp_path: Path) -> None:
    image = rc.paint([1.0, 2, 3, 4], rc.load_parcellation(lazy(labels), TABLE))
    store = rc.save(image, tmp_path / "a.ome.zarr")
    with pytest.raises(OutputExistsError, match="Ask for overwriting"):
        rc.save(image, store)
    other = rc.paint([1, 2, 3, 4], rc.load_parcellation(lazy(labels), TABLE))
    rc.save(other, store, overwrite=True)
    assert open_image(store, "the image").voxels.dtype == np.int64
    assert everything(open_image(store, "the image").voxels).max() == 4
    folder = tmp_path / "papers.zarr"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    (folder / ".zattrs").write_text("{}")
    with pytest.raises(OutputError, match="is a folder, and none of this kind"):
        rc.save(image, folder, overwrite=True)
    file = tmp_path / "b.zarr"
    file.write_text("a file")
    with pytest.raises(OutputError, match="a file has its name"):
        rc.save(image, file, overwrite=True)
    with pytest.raises(OutputError, match="does not exist"):
        rc.save(image, tmp_path / "no" / "a.zarr")
    assert rest(tmp_path) == ["a.ome.zarr", "b.zarr", "papers.zarr"]


WRITER = """
import sys, numpy as np, dask.array as da, regioncast as rc
from regioncast.chunked.writing import Layout, save_chunks
labels = da.from_array(np.ones((400, 40, 40), np.uint8), chunks=8)
image = rc.paint([float(sys.argv[2])], rc.load_parcellation(labels, {1: "a"}))
print("go", flush=True)
save_chunks(image, sys.argv[1], overwrite=True, layout=Layout(4, 8))
"""


def test_killed_writer_leaves_nothing_that_looks_complete(tmp_path: Path) -> None:
    store = tmp_path / "a.ome.zarr"
    rng = np.random.default_rng(8)
    for number in range(3):
        command = [sys.executable, "-c", WRITER, str(store), str(number)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "go\n"
        time.sleep(rng.uniform(0.05, 0.6))
        writer.kill()
        writer.wait()
        writer.stdout.close()
        if store.exists():
            read = everything(open_image(store, "the image").voxels)
            assert len(np.unique(read)) == 1
    image = rc.paint([9.0], rc.load_parcellation(lazy(np.ones((3, 4, 5), np.uint8))))
    rc.save(image, store, overwrite=True)
    assert rest(tmp_path) == ["a.ome.zarr"]
    assert everything(open_image(store, "the image").voxels).max() == 9


def test_what_a_killed_writer_had_moved_aside_comes_back(tmp_path: Path) -> None:
    image = rc.paint([9.0], rc.load_parcellation(lazy(np.ones((3, 4, 5), np.uint8))))
    store = rc.save(image, tmp_path / "a.ome.zarr")
    # As after the first of two renames.
    (lock,) = writing_names(store)[:1]
    lock.write_bytes(os.fsencode(store.name))
    lock.with_suffix("").mkdir()
    store.rename(lock.with_suffix(".replaced"))
    with pytest.raises(OutputExistsError):
        rc.save(image, store)
    assert rest(tmp_path) == ["a.ome.zarr"]
    assert everything(open_image(store, "the image").voxels).max() == 9


def test_folder_that_lost_its_lock_is_removed(tmp_path: Path) -> None:
    image = rc.paint([9.0], rc.load_parcellation(lazy(np.ones((3, 4, 5), np.uint8))))
    store = tmp_path / "a.ome.zarr"
    (writing_names(store)[0].with_suffix("") / "0" / "c").mkdir(parents=True)
    rc.save(image, store)
    assert rest(tmp_path) == ["a.ome.zarr"]


def test_tasks_of_a_dead_writer_reach_no_later_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Processes may do what a writer that was killed had sent them, while the next one writes.
    plans: list[Any] = []
    write_all = writing._write_all

    def write_all_and_late(plan: Any, tasks: Any, *how: Any) -> None:
        write_all(plan, tasks, *how)
        for earlier in plans:
            for task in tasks:
                with pytest.raises(FileNotFoundError):
                    writing._write_part(earlier, task)
                assert not Path(earlier.folder).exists()
        plans.append(plan)

    monkeypatch.setattr(writing, "_write_all", write_all_and_late)
    atlas = rc.load_parcellation(lazy(np.ones((3, 4, 5), np.uint8)))
    for value in (1.0, 2.0):
        store = rc.save(rc.paint([value], atlas), tmp_path / "a.ome.zarr", overwrite=True)
        np.testing.assert_array_equal(everything(open_image(store, "the image").voxels), value)
    assert rest(tmp_path) == ["a.ome.zarr"]


def writing_names(store: Path) -> list[Path]:
    from regioncast import files

    return files._names_of_locks(store)


def test_labels_that_are_read_are_not_replaced(store: Path, tmp_path: Path) -> None:
    # A painting has its image where the labels were: they would be read as labels.
    atlas: Any = rc.load_parcellation(store)
    ranks = rc.paint(np.array([5, 7, 400, 2], "uint16"), atlas)
    link = tmp_path / "link.ome.zarr"
    link.symlink_to(store)
    for name in (store, link):
        with pytest.raises(OutputError, match="The labels are read from the output"):
            rc.save(ranks, name, overwrite=True)
    rc.save(rc.paint(np.array([5, 7, 400, 2], "uint16"), atlas.load()), store, overwrite=True)
    for use in (
        lambda: rc.save(rc.paint([1.0, 2, 3, 4], atlas), tmp_path / "a.ome.zarr"),
        lambda: everything(rc.paint([1.0, 2, 3, 4], atlas)),
        lambda: rc.extract(store, atlas),
        atlas.load,
    ):
        with pytest.raises(FileFormatError, match="written anew or removed since it was opened"):
            use()
    assert rest(tmp_path) == ["l.ome.zarr", "link.ome.zarr"]
    np.testing.assert_array_equal(
        rc.extract(store, rc.load_parcellation(store)).values[0], [5, 7, 400, 2]
    )


# --- by other processes --------------------------------------------------------------------------


def test_other_processes_write_the_same_bytes(labels: np.ndarray, tmp_path: Path) -> None:
    source = rc.save(
        rc.load_parcellation(nib.Nifti1Image(labels.T, AFFINE), TABLE), tmp_path / "l.ome.zarr"
    )
    atlas = rc.load_parcellation(source)
    image: Any = rc.paint(np.arange(8.0).reshape(2, 4), atlas)
    calls: list[tuple[int, int]] = []
    with ProcessPoolExecutor(2, multiprocessing.get_context("forkserver")) as executor:
        by_others = save_chunks(
            image, tmp_path / "b.ome.zarr", overwrite=False, executor=executor, layout=SMALL,
            progress=lambda *done: calls.append(done),
        )  # fmt: skip
        unlisted: Any = rc.load_parcellation(source, {2: "V1"})
        with pytest.raises(LabelsError, match="3 labels of the labels image"):
            save_chunks(
                rc.paint([1.0], unlisted), tmp_path / "c.ome.zarr", overwrite=False,
                executor=executor, layout=SMALL,
            )  # type: ignore[arg-type]  # fmt: skip
        with pytest.raises(OutputError, match="A process that wrote a part ended early"):
            save_chunks(
                PaintedChunks(Killing.of(atlas), image.table, image.axis),
                tmp_path / "d.ome.zarr", overwrite=False, executor=executor, layout=SMALL,
            )  # fmt: skip
    assert rest(tmp_path) == ["b.ome.zarr", "l.ome.zarr"]
    assert calls[-1] == (12, 12)
    here = save_chunks(image, tmp_path / "a.ome.zarr", overwrite=False, layout=SMALL)
    for file in sorted(here.rglob("*")):
        if file.is_file() and file != here / "zarr.json":
            assert (by_others / file.relative_to(here)).read_bytes() == file.read_bytes()


class Killing(ZarrVoxels):
    """Voxels of which the reader dies."""

    @classmethod
    def of(cls, atlas: Any) -> Any:
        from dataclasses import fields, replace

        voxels = atlas.levels[0].labels
        killing = cls(**{each.name: getattr(voxels, each.name) for each in fields(voxels)})
        return replace(atlas, levels=[replace(atlas.levels[0], labels=killing)])

    def read(self, box: Any, number: int = 0) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


# --- without voxels ------------------------------------------------------------------------------


@pytest.fixture
def store(labels: np.ndarray, tmp_path: Path) -> Path:
    atlas = rc.load_parcellation(nib.Nifti1Image(labels.T, AFFINE), TABLE)
    return rc.save(atlas, tmp_path / "l.ome.zarr")  # type: ignore[return-value]


def test_properties_are_written_into_the_labels(store: Path) -> None:
    before = {file: file.read_bytes() for file in store.rglob("c/**/*") if file.is_file()}
    values = {"V1": -1.5, "V2": np.nan, "M1": 2.0}
    image = rc.paint(values, store, missing="fill")
    with pytest.raises(OutputExistsError, match="metadata would be changed"):
        rc.save(image, store, as_="properties")
    assert rc.save(image, store, as_="properties", overwrite=True) == store
    yaozarrs.validate_zarr_store(str(store))
    said = json.loads((store / "zarr.json").read_text())["attributes"]["ome"]["image-label"]
    assert [entry["value"] for entry in said["properties"]] == [-1.5, None, 2.0, None]
    assert said["properties"][0] == {
        "label-value": 2, "name": "V1", "network": "v", "value": -1.5
    }  # fmt: skip
    colors = {entry["label-value"]: entry["rgba"] for entry in said["colors"]}
    assert colors[5] == colors[400] == [0, 0, 0, 0]
    assert colors[2][3] == colors[7][3] == 255
    assert colors[2] != colors[7]
    # Nothing else has changed, and it can be done again.
    assert {file: file.read_bytes() for file in before} == before
    again = rc.load_parcellation(store)
    rc.save(rc.paint({"V1": 7}, again, missing="fill"), store, as_="properties", overwrite=True)
    assert rc.load_parcellation(store).table.columns["value"] == (7, None, None, None)


def test_properties_of_images_with_labels_and_of_maps_of_any_name(
    labels: np.ndarray, store: Path, tmp_path: Path
) -> None:
    image = rc.paint([1.0, 2, 3, 4], store)
    painting = rc.save(image, tmp_path / "p.ome.zarr")
    maps = rc.Signals(np.arange(8.0).reshape(2, 4), map_names=["name", "t"])
    rc.save(rc.paint(maps, painting), painting, as_="properties", overwrite=True)
    table = rc.load_parcellation(painting).table
    assert table.names == ("V1", "V2", "M1", "M2")
    assert table.columns["name_value"] == (0, 1, 2, 3)
    assert table.columns["t"] == (4, 5, 6, 7)
    yaozarrs.validate_zarr_store(str(painting))
    other = rc.load_parcellation(lazy(labels), {3: "x"})
    with pytest.raises(LabelsError, match="has other regions than those painted: 5 labels"):
        rc.save(rc.paint([1.0], other), painting, as_="properties", overwrite=True)


def test_properties_leave_what_tells_regions(tmp_path: Path, labels: np.ndarray) -> None:
    # Titles that mean something else than a value, in the table and of maps.
    table = {**TABLE, "label-value": [9, 8, 7, 6]}
    store = tmp_path / "l.ome.zarr"
    rc.save(rc.load_parcellation(lazy(labels), table), store)
    before = rc.load_parcellation(store).table
    assert before.labels.tolist() == [2, 5, 7, 400]
    assert before.columns["label-value_value"] == (9, 8, 7, 6)
    titles = ["network", "color", "hemisphere", "label-value", "name", "name_value", "z"]
    for first in (0, 100):
        values = np.arange(first, first + 28).reshape(7, 4)
        image = rc.paint(rc.Signals(values, map_names=titles), store)
        rc.save(image, store, as_="properties", overwrite=True)
        table_now = rc.load_parcellation(store).table
        assert table_now.names == before.names
        assert table_now.columns["network"] == ("v", "v", "m", None)
        assert set(map(tuple, values.tolist())) <= set(table_now.columns.values())
    twice = rc.paint(rc.Signals(np.ones((2, 4)), map_names=["a", "a"]), store)
    with pytest.raises(ArgumentError, match="2 maps have 1 name: 'a', 'a'"):
        rc.save(twice, tmp_path / "info", as_="properties")
    for values in ([1.0, np.inf, 2, 3], [1, 2j, 3, 4]):
        with pytest.raises(
            ArgumentError, match=r"\d value.* finite real numbers: .* Leave them out"
        ):
            rc.save(rc.paint(np.array(values), store), store, as_="properties", overwrite=True)
    kinds = rc.paint(dict.fromkeys(TABLE["name"], "see"), store, categories=True)
    with pytest.raises(ArgumentError, match="Properties are numbers"):
        rc.save(kinds, store, as_="properties", overwrite=True)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("above", [".", "labels"])
@pytest.mark.filterwarnings("ignore:Consolidated metadata")
@pytest.mark.filterwarnings("ignore::regioncast.errors.SpaceWarning")
def test_copies_of_metadata_have_the_properties_too(
    tmp_path: Path, version: Any, above: str, labels: np.ndarray
) -> None:
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    group = root.create_group("labels/cells")
    group.create_array("0", data=labels)
    transform = {"type": "scale", "scale": [1, 1, 1]}
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": [transform]}]
    number = "0.4" if version == 2 else "0.5"
    multiscale = {"version": number, "axes": axes, "datasets": datasets}
    rows = [{"label-value": int(label), "name": f"r{label}"} for label in (2, 5, 7, 400)]
    ome = {"version": number, "multiscales": [multiscale], "image-label": {"properties": rows}}
    # What others have written as NaN, too, is left as it is.
    theirs = {"omero": {"window": np.nan}}
    group.attrs.update(theirs | (ome if version == 2 else {"ome": ome}))
    root["labels"].attrs["labels"] = ["cells"]
    zarr.consolidate_metadata(str(tmp_path / "a.zarr" / above))
    image = rc.paint([1.0, 2, 3, 4], tmp_path / "a.zarr")
    rc.save(image, tmp_path / "a.zarr", as_="properties", overwrite=True)
    assert rc.load_parcellation(tmp_path / "a.zarr").table.columns["value"] == (1, 2, 3, 4)
    for path in ("labels/cells", "labels", "."):
        for use_copies in (False, None):
            opened: Any = zarr.open_group(tmp_path / "a.zarr" / path, use_consolidated=use_copies)
            inside = (
                opened[os.path.relpath("labels/cells", path)] if path != "labels/cells" else opened
            )
            said = inside.attrs.get("ome") or inside.attrs
            assert [row["value"] for row in said["image-label"]["properties"]] == [1, 2, 3, 4]
            assert np.isnan(inside.attrs["omero"]["window"])


def test_segment_properties_for_neuroglancer(store: Path, tmp_path: Path) -> None:
    image = rc.paint({"V1": -1.5, "M1": np.nan, "M2": 2**40}, store, missing="fill")
    path = rc.save(image, tmp_path / "info", as_="properties")
    assert json.loads(Path(str(path)).read_text()) == {
        "@type": "neuroglancer_segment_properties",
        "inline": {
            "ids": ["2", "400"],
            "properties": [
                {"id": "label", "type": "label", "values": ["V1", "M2"]},
                {"id": "value", "type": "number", "data_type": "float32",
                 "values": [-1.5, float(2**40)]},
            ],
        },
    }  # fmt: skip
    # Floats are rounded to what neuroglancer has, integers are not.
    for values, dtype in ([2**24 + 1, 1, 2, 3], "uint32"), ([-1, 1, 2, 3], "int8"):
        whole = rc.paint(rc.Signals(np.array([values]), map_names=["label"]), store)
        rc.save(whole, path, as_="properties", overwrite=True)
        (_, told) = json.loads(Path(str(path)).read_text())["inline"]["properties"]
        expected = {"id": "label_value", "type": "number", "data_type": dtype, "values": values}
        assert told == expected
    with pytest.raises(SignalsError, match="1 value of 'value' that neuroglancer cannot hold"):
        rc.save(rc.paint([2**40 + 1, 1, 2, 3], store), path, as_="properties", overwrite=True)
    with pytest.raises(OutputExistsError):
        rc.save(image, path, as_="properties")
    with pytest.raises(FileFormatError, match="for neuroglancer"):
        rc.save(image, tmp_path / "a.tsv", as_="properties")
    with pytest.raises(FileFormatError, match="of an OME-Zarr that is there"):
        rc.save(image, tmp_path / "a.ome.zarr", as_="properties", overwrite=True)
    with pytest.raises(ArgumentError, match="is for what paint returns"):
        rc.save(rc.load_parcellation(store), tmp_path / "b.json", as_="properties")
    with pytest.raises(ArgumentError, match="'voxels' or 'properties'"):
        rc.save(image, tmp_path / "b.json", as_="pixels")  # type: ignore[arg-type]


def test_properties_take_no_voxel(tmp_path: Path) -> None:
    def never(block: np.ndarray) -> np.ndarray:
        raise AssertionError("a block was computed")

    huge = da.zeros((30_000, 20_000, 20_000), chunks=2000, dtype="u4").map_blocks(never, dtype="u4")
    atlas = rc.load_parcellation(huge, {n: f"r{n}" for n in range(1, 2000)})
    image = rc.paint(np.arange(1999.0), atlas)
    path = rc.save(image, tmp_path / "info", as_="properties")
    assert len(json.loads(Path(str(path)).read_text())["inline"]["ids"]) == 1999


# --- in the shell, and what is refused -----------------------------------------------------------


def test_shell(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = tmp_path / "v.tsv"
    values.write_text("name\tz\nV1\t1\nV2\t2\nM1\t3\nM2\t4\n")
    out = tmp_path / "map.ome.zarr"
    assert main(["paint", str(values), str(store), "-o", str(out)]) == 0
    assert "4 values painted into 4 of 4 regions" in capsys.readouterr().out
    assert main(["paint", str(values), str(store), "-o", str(out)]) == 1
    assert "Ask for overwriting" in capsys.readouterr().err
    assert main(["paint", str(values), str(out), "--as", "properties", "-o", str(out)]) == 1
    arguments = ["paint", str(values), str(out), "--as", "properties", "-o", str(out)]
    assert main([*arguments, "--overwrite"]) == 0
    assert (
        main(["paint", str(values), str(out), "--level", "3", "-o", str(tmp_path / "x.zarr")]) == 1
    )
    assert "has no level 3" in capsys.readouterr().err
    assert main(["info", str(out)]) == 0
    assert "ChunkedParcellation: 4 regions" in capsys.readouterr().out
    assert main(["info", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regions"][0]["name"] == "V1"
    chosen = tmp_path / "g.ome.zarr"
    assert main(["atlas", "drop", str(store), "M2", "-o", str(chosen)]) == 0
    assert len(rc.load_parcellation(chosen)) == 3


def test_whole_images_are_not_made_unasked(store: Path, tmp_path: Path) -> None:
    atlas = rc.load_parcellation(store)
    image: Any = rc.paint([1.0, 2, 3, 4], atlas)
    with pytest.raises(ImageTypeError, match=r"is not made whole\. Read a block"):
        np.asarray(image)
    assert "4 values in 4 of 4 regions" in repr(image)
    whole: Any = rc.paint([1.0, 2, 3, 4], atlas.load())  # type: ignore[attr-defined]
    np.testing.assert_array_equal(everything(image).T, np.asarray(whole.dataobj))
    whole.get_fdata()[:] = 3
    with pytest.raises(FileFormatError, match="was edited since it was painted"):
        rc.save(whole, tmp_path / "a.ome.zarr")
    with pytest.raises(FileFormatError, match="OME-Zarr is written of labels, or of what paint"):
        rc.save(nib.Nifti1Image(np.zeros((3, 4, 5)), AFFINE), tmp_path / "a.ome.zarr")
    with pytest.raises(ArgumentError, match="executor is for OME-Zarr"):
        rc.save(whole, tmp_path / "a.nii", executor=ProcessPoolExecutor(1))
    assert rest(tmp_path) == ["l.ome.zarr"]


def test_labels_alone_are_written_in_chunks(labels: np.ndarray, tmp_path: Path) -> None:
    atlas: Any = rc.load_parcellation(lazy(labels), TABLE)
    save_chunks(atlas, tmp_path / "a.ome.zarr", overwrite=False, layout=SMALL)
    again: Any = rc.load_parcellation(tmp_path / "a.ome.zarr")
    np.testing.assert_array_equal(everything(again.levels[0].labels), labels)
    in_memory = in_chunks(again.load())
    np.testing.assert_array_equal(everything(in_memory.levels[0].labels), labels)
