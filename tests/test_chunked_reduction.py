"""Images reduced in chunks: exact where that is promised, and the same bits however it is done."""

from __future__ import annotations

import math
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import regioncast as rc
from regioncast.chunked import extraction
from regioncast.chunked.reduction.blocks import Blocks, Sources
from regioncast.chunked.reduction.ranks import Limits, Owners
from regioncast.chunked.reduction.statistics import MapReduction
from regioncast.chunked.reduction.tasks import Side
from regioncast.chunked.voxels import InMemory
from regioncast.cli import main
from regioncast.engine.extraction import Strategy
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    LabelsError,
    SpaceError,
)
from regioncast.io.volume.boxes import file_voxels

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from numpy.typing import NDArray

    from regioncast.chunked.voxels import Box

INTEGERS = ["bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
FLOATS = ["f2", "f4", "f8"]
EXACT = ["count", "minimum", "maximum", "median", "percentile:0", "percentile:37.5"]
EXACT += ["percentile:90", "percentile:100"]
OF_SUMS = ["sum", "mean", "variance", "standard_deviation"]


@dataclass(frozen=True, eq=False)
class Chunked:
    """An array that can be read in whole chunks alone, and puts what is asked for together."""

    array: NDArray[Any]
    chunks: tuple[int, int, int]
    name: str = "chunks"
    n_maps: int = 1

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:
        assert number == 0
        whole = tuple(
            slice(part.start // n * n, -(-part.stop // n) * n)
            for part, n in zip(box, self.chunks, strict=True)
        )
        inner = tuple(
            slice(part.start - outer.start, part.stop - outer.start)
            for part, outer in zip(box, whole, strict=True)
        )
        return np.ascontiguousarray(self.array[whole][inner])


def image_and_labels(
    dtype: str, shape: tuple[int, int, int] = (11, 9, 14), seed: int = 0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return noise over all of a dtype, and blobs of labels that are not consecutive."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        image = rng.integers(0, 2, shape).astype(bool)
    elif kind.kind in "iu":
        limits = np.iinfo(kind)
        image = rng.integers(limits.min, limits.max, shape, kind, endpoint=True)
        image[rng.random(shape) < 0.3] = limits.max
    else:
        image = rng.normal(3, 50, shape).astype(kind)
        image[rng.random(shape) < 0.2] = -0.0
    coarse = rng.choice([0, 3, 7, 900], (4, 3, 5))
    labels = coarse.repeat(3, 0).repeat(3, 1).repeat(3, 2)[: shape[0], : shape[1], : shape[2]]
    return image, labels.astype(np.int16)


def reduced(
    image: Any,
    labels: Any,
    strategies: list[str],
    *,
    known: tuple[int, ...] = (3, 7, 900, 901),
    nan: Any = "omit",
    mask: Any = None,
    executor: Executor | None = None,
    n_jobs: int = 1,
    limits: Limits | None = None,
    leaf: int = 4,
    node: int = 8,
) -> dict[str, NDArray[np.float64]]:
    """Return the values of regions, a row each, by each strategy."""
    image, labels, mask = (
        InMemory(each, "it") if isinstance(each, np.ndarray) else each
        for each in (image, labels, mask)
    )
    sources = Sources(labels, 0, image, nan, mask, Blocks(labels.shape, leaf, node))
    owners = Owners(np.array(known), np.arange(len(known)))
    told: list[int] = []
    side = Side(executor, n_jobs, told.append)
    wanted = Strategy.all_of(strategies)
    result = MapReduction(sources, owners, len(known), side, limits or Limits()).reduced(wanted)
    assert sum(told) % sources.blocks.n_nodes == 0
    return dict(zip(strategies, result.values, strict=True))


def by_extract(
    image: NDArray[Any], labels: NDArray[Any], strategies: list[str], **options: Any
) -> dict[str, NDArray[np.float64]]:
    """Return the same by the ordinary way, for regions that are there."""
    if image.dtype == bool:
        image = image.astype(np.uint8)
    if image.dtype == np.float16:
        image = image.astype(np.float32)
    series = nib.Nifti1Image(image.T, np.eye(4), dtype=image.dtype)
    atlas = rc.load_parcellation(nib.Nifti1Image(labels.T, np.eye(4), dtype=labels.dtype))
    signals = rc.extract(series, atlas, strategy=strategies, **options)
    return {name: of_one.values[0] for name, of_one in signals.items()}


def same(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> bool:
    """Return whether the bits are the same."""
    return all(one[name].tobytes() == other[name].tobytes() for name in one | other)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_exact(dtype: str) -> None:
    image, labels = image_and_labels(dtype)
    values = reduced(image, labels, [*EXACT, *OF_SUMS, "mode"])
    ordinary = by_extract(image, labels, [*EXACT, "mode"])
    for row, label in enumerate((3, 7, 900)):
        voxels = [Fraction(int(value)) for value in image[labels == label]]
        n, total = len(voxels), sum(voxels, Fraction(0))
        variance = sum(((value - total / n) ** 2 for value in voxels), Fraction(0)) / n
        assert values["sum"][row] == float(total)
        assert values["mean"][row] == float(total / n)
        if dtype in ("i8", "u8"):
            assert values["variance"][row] == pytest.approx(float(variance), rel=1e-12)
        else:
            assert values["variance"][row] == float(variance)
        assert values["standard_deviation"][row] == math.sqrt(values["variance"][row])
        for name in ordinary:
            assert values[name][row] == ordinary[name][row], name
    assert values["count"][3] == 0
    assert all(np.isnan(values[name][3]) for name in values if name != "count")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("nan", ["omit", "propagate", "zero"])
@pytest.mark.parametrize("bad", [(), (np.nan,), (np.inf,), (-np.inf,), (np.inf, -np.inf)])
def test_floats_are_as_by_the_ordinary_way(dtype: str, nan: str, bad: tuple[float, ...]) -> None:
    image, labels = image_and_labels(dtype)
    for number, value in enumerate(bad):
        image[labels == 3] = value if number == 0 else image[labels == 3]
        image[np.nonzero(labels == 7)[0][number], number::2] = value
    values = reduced(image, labels, [*EXACT, *OF_SUMS], nan=nan)
    ordinary = by_extract(image, labels, [*EXACT, *OF_SUMS], nan=nan)
    for name in EXACT:
        np.testing.assert_array_equal(values[name][:3], ordinary[name])
    for name in OF_SUMS:
        np.testing.assert_allclose(values[name][:3], ordinary[name], rtol=1e-11)


@pytest.mark.parametrize("dtype", ["f4", "f8", "u2", "i8"])
def test_percentiles_by_counting_are_those_by_sorting(dtype: str) -> None:
    image, labels = image_and_labels(dtype, (17, 9, 14))
    sorted_ones = reduced(image, labels, EXACT)
    for limits in (Limits(0), Limits(5, 10, 16), Limits(40, 1 << 10, 64), Limits(0, 1 << 20)):
        assert same(reduced(image, labels, EXACT, limits=limits), sorted_ones)


@settings(max_examples=40)
@given(
    st.tuples(*[st.integers(1, 20)] * 3),
    st.tuples(*[st.integers(1, 21)] * 3),
    st.tuples(*[st.integers(1, 21)] * 3),
    st.sampled_from(["f4", "f8", "i2", "u8"]),
    st.integers(1, 3),
    st.integers(0, 5),
)
def test_chunks_and_threads_change_no_bit(
    shape: tuple[int, int, int],
    chunks: tuple[int, int, int],
    chunks_of_labels: tuple[int, int, int],
    dtype: str,
    n_jobs: int,
    seed: int,
) -> None:
    image, _ = image_and_labels(dtype, shape, seed)
    labels = np.random.default_rng(seed).choice([0, 3, 7, 900], shape)
    strategies = [*EXACT, *OF_SUMS]
    whole = reduced(image, labels, strategies)
    in_chunks = reduced(
        Chunked(image, chunks), Chunked(labels, chunks_of_labels), strategies, n_jobs=n_jobs,
        limits=Limits(20, 1 << 10, 32),
    )  # fmt: skip
    assert same(whole, in_chunks)


def test_executors_change_no_bit() -> None:
    image, labels = image_and_labels("f8", (19, 9, 21))
    mask = (image > -20).astype(np.uint8)
    strategies = [*EXACT, *OF_SUMS]
    alone = reduced(image, labels, strategies, mask=mask)
    limits = Limits(100, 1 << 12, 32)
    with ThreadPoolExecutor(3) as threads:
        assert same(
            reduced(image, labels, strategies, mask=mask, executor=threads, limits=limits), alone
        )
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as processes:
        in_memory = reduced(image, labels, strategies, mask=mask, executor=processes)
        assert same(in_memory, alone)


def test_what_is_large_and_differs_little_loses_nothing() -> None:
    rng = np.random.default_rng(1)
    for dtype, rtol in (("f4", 1e-9), ("f8", 1e-9)):
        image = (1e9 + rng.normal(0, 200, (16, 20, 9))).astype(dtype)
        labels = rng.choice([3, 7], image.shape)
        values = reduced(image, labels, ["mean", "variance"], known=(3, 7))
        for row, label in enumerate((3, 7)):
            voxels = [Fraction(float(value)) for value in image[labels == label]]
            mean = sum(voxels, Fraction(0)) / len(voxels)
            variance = sum(((value - mean) ** 2 for value in voxels), Fraction(0)) / len(voxels)
            assert values["mean"][row] == pytest.approx(float(mean), rel=1e-15)
            assert values["variance"][row] == pytest.approx(float(variance), rel=rtol)


def test_the_mean_of_equal_values_is_that_value() -> None:
    labels = image_and_labels("f8")[1]
    for value in (0.1, 1 / 3, 1e308, -1e308, 5e-324):
        image = np.full(labels.shape, value)
        values = reduced(image, labels, ["mean", "variance", "median"])
        assert (values["mean"][:3] == value).all()
        assert (values["variance"][:3] == 0).all()
        assert (values["median"][:3] == value).all()


def test_means_do_not_overflow() -> None:
    image, labels = np.zeros((11, 9, 14)), np.full((11, 9, 14), 3)
    image[::2], image[1::2] = 1.7e308, -1.7e308
    image[-1] = 0
    assert abs(reduced(image, labels, ["mean"])["mean"][0]) < 1e294


def test_labels_without_a_row_are_counted() -> None:
    image, labels = image_and_labels("u1")
    n_voxels = np.count_nonzero(labels == 900)
    with pytest.raises(LabelsError, match=rf"1 label of it without .* in {n_voxels} voxels: 900\."):
        reduced(image, labels, ["mean"], known=(3, 7))


# --- from files --------------------------------------------------------------------------------

GRID = np.array([[-2.0, 0, 0, 30], [0, 3, 0, -20], [0, 0, 4, 7], [0, 0, 0, 1]])


@pytest.fixture
def small_files_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "LARGE", 100)


@pytest.fixture
def atlas() -> nib.Nifti1Image:
    return nib.Nifti1Image(image_and_labels("f4")[1].T, GRID)


def written(
    path: Path, array: NDArray[Any], slope: float = 1, inter: float = 0, order: str = "<"
) -> Path:
    """Write a NIfTI file with just these numbers stored, and this scaling."""
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_sform(GRID, 1)
    header["pixdim"][1:4] = 2, 3, 4
    header["scl_slope"], header["scl_inter"], header["vox_offset"] = slope, inter, 352
    numbers = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    path.write_bytes(header.binaryblock + bytes(4) + numbers)
    return path


@pytest.mark.usefixtures("small_files_are_large")
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("scaling", [(1, 0), (0.37, -3)])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "f4", "f8"])
def test_large_files_are_as_small_ones(
    tmp_path: Path,
    atlas: nib.Nifti1Image,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    scaling: tuple[float, float],
    order: str,
) -> None:
    maps = [image_and_labels(dtype, seed=seed)[0].T for seed in (1, 2, 3)]
    path = written(tmp_path / "large.nii", np.stack(maps, axis=-1), *scaling, order)
    mask = nib.Nifti1Image((maps[0] > 4).astype(np.uint8), GRID)
    options: dict[str, Any] = {"strategy": [*EXACT, *OF_SUMS], "mask": mask, "min_coverage": 0.3}
    told: list[tuple[int, int]] = []
    signals = rc.extract(path, atlas, **options, progress=lambda *counts: told.append(counts))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    monkeypatch.setattr(extraction, "LARGE", 1 << 30)
    ordinary = rc.extract(path, atlas, **options)
    for name in EXACT:
        np.testing.assert_array_equal(signals[name].values, ordinary[name].values, name)
    for name in OF_SUMS:
        np.testing.assert_allclose(signals[name].values, ordinary[name].values, rtol=1e-11)
    one, other = signals["mean"], ordinary["mean"]
    assert (one.keys, one.labels, one.axis) == (other.keys, other.labels, other.axis)
    assert one.coverage.to_records() == other.coverage.to_records()
    assert one.origin.files == other.origin.files == (path,)


@pytest.mark.usefixtures("small_files_are_large")
def test_a_large_file_that_ends_early_is_an_error(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    path = written(tmp_path / "large.nii", image_and_labels("f4")[0].T)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(FileFormatError, match=r"truncated or damaged"):
        rc.extract(path, atlas)
    path.write_bytes(whole)
    voxels = file_voxels(nib.load(path), "the image")
    path.write_bytes(whole[:-1])
    with pytest.raises(FileFormatError, match=r"The image ends early, 1 bytes? before"):
        voxels.read((slice(0, 11), slice(0, 9), slice(0, 14)))


@pytest.mark.usefixtures("small_files_are_large")
@pytest.mark.parametrize("scaling", [(1, 0), (0.5, 3)])
def test_complex_numbers_keep_both_halves(
    tmp_path: Path, atlas: nib.Nifti1Image, scaling: tuple[float, float]
) -> None:
    image, labels = image_and_labels("i2")[0], np.asarray(atlas.dataobj).T
    numbers = (image + 1j * image[::-1]).astype(np.complex64)
    path = written(tmp_path / "large.nii", numbers.T, *scaling)
    expected = scaling[0] * numbers[labels == 7].astype(complex).mean() + scaling[1]
    assert rc.extract(path, atlas).values[0, 1] == pytest.approx(expected)
    da = pytest.importorskip("dask.array")
    with pytest.raises(ImageTypeError, match="holds complex"):
        rc.extract(path, rc.load_parcellation(da.from_array(labels, chunks=5)))


@pytest.mark.usefixtures("small_files_are_large")
def test_a_mask_that_leaves_no_region_is_an_error(
    tmp_path: Path, atlas: nib.Nifti1Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, labels = image_and_labels("f4")
    path = written(tmp_path / "large.nii", image.T)
    mask = nib.Nifti1Image((labels.T == 0).astype(np.uint8), GRID)
    message = "The mask leaves no region: none of 3 regions has a voxel inside it"
    for large in (100, 1 << 30):
        monkeypatch.setattr(extraction, "LARGE", large)
        with pytest.raises(LabelsError, match=message):
            rc.extract(path, atlas, mask=mask)


@pytest.mark.usefixtures("small_files_are_large")
def test_what_needs_a_file_whole_still_has_it_whole(
    tmp_path: Path, atlas: nib.Nifti1Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "large.nii", image_and_labels("f4")[0].T)
    monkeypatch.setattr("regioncast.api.extract_in_chunks", None)
    assert rc.extract(path, atlas, strategy=lambda voxels: voxels[0]).n_regions == 3
    assert rc.extract(path, atlas, strategy="mode").n_regions == 3
    weights = nib.Nifti1Image(np.ones((14, 9, 11), np.uint8), GRID)
    assert rc.extract(path, atlas, weights=weights).n_regions == 3


def test_zarr_and_dask_are_as_files(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    zarr, da = pytest.importorskip("zarr"), pytest.importorskip("dask.array")
    image, _ = image_and_labels("i2")
    stored = zarr.create_array(tmp_path / "image.zarr", data=image, chunks=(4, 9, 5))
    signals = rc.extract(nib.Nifti1Image(image.T, GRID), atlas, strategy=["median", "mode"])
    for source in (stored, tmp_path / "image.zarr", da.from_array(image, (5, 2, 14))):
        in_chunks = rc.extract(source, atlas, strategy=["median", "mode"])
        assert np.array_equal(in_chunks["median"].values, signals["median"].values)
        assert np.array_equal(in_chunks["mode"].values, signals["mode"].values)
        assert in_chunks["mode"].single
    with ThreadPoolExecutor(2) as executor:
        with_threads = rc.extract(stored, atlas, strategy="median", executor=executor)
    assert np.array_equal(with_threads.values, signals["median"].values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "w.nii"}, "weights does not go with what is read in chunks"),
        ({"detrend": True, "low_pass": 0.1}, "detrend, low_pass do not go .* needs all maps"),
        ({"resample": "labels"}, "brought to other grids in memory"),
        ({"strategy": "first_eigenvariate"}, "first_eigenvariate needs all voxels of a region"),
        ({"strategy": "mode"}, "mode of floats"),
        ({"nan": "drop"}, "nan must be"),
        ({"min_coverage": 2}, "min_coverage is a fraction"),
    ],
)
def test_what_is_not_done_in_chunks_is_said(
    options: dict[str, Any], message: str, atlas: nib.Nifti1Image
) -> None:
    zarr = pytest.importorskip("zarr")
    image = zarr.array(image_and_labels("f4")[0], chunks=(4, 4, 4))
    with pytest.raises(ArgumentError, match=message):
        rc.extract(image, atlas, **options)


def test_other_grids_and_dtypes_are_refused(atlas: nib.Nifti1Image) -> None:
    zarr = pytest.importorskip("zarr")
    with pytest.raises(SpaceError, match=r"has 14×9×10 voxels, the labels image has 14×9×11"):
        rc.extract(zarr.zeros((10, 9, 14)), atlas)
    with pytest.raises(ImageTypeError, match=r"holds complex64"):
        rc.extract(zarr.zeros((11, 9, 14), dtype="c8"), atlas)
    surface = rc.load_parcellation(left=np.arange(5))
    with pytest.raises(SpaceError, match=r"Give labels of voxels"):
        rc.extract(zarr.zeros((11, 9, 14)), surface)


def test_blocks_of_dask_are_what_it_says_of_them(atlas: nib.Nifti1Image) -> None:
    da = pytest.importorskip("dask.array")
    image, labels = image_and_labels("i2")
    lazy = da.from_array(image, chunks=(4, 9, 14))
    lies = [
        lazy.map_blocks(lambda block: block + 0.5, dtype="i2"),
        lazy.map_blocks(lambda block: block.astype("i8"), dtype="i2"),
        lazy.map_blocks(lambda block: block[:, :, :-1], dtype="i2", chunks=lazy.chunks),
        lazy.map_blocks(lambda block: block[:1], dtype="i2", chunks=lazy.chunks),
    ]
    for lie in lies:
        with pytest.raises(ImageTypeError, match=r"says that a block is 11×9×14 voxels of int16"):
            rc.extract(lie, atlas)
        with pytest.raises(ImageTypeError, match=r"says that a block .*map_blocks"):
            rc.load_parcellation(lie)
    threshold = int(np.median(image))
    with pytest.raises(ImageTypeError, match=r"Some of the image, .* is masked: \d+ voxels"):
        rc.extract(da.ma.masked_greater(lazy, threshold), atlas)
    with pytest.raises(ImageTypeError, match=r"Some of the labels image, .* is masked"):
        rc.load_parcellation(da.ma.masked_equal(da.from_array(labels, chunks=5), 7))
    with pytest.raises(DimensionError, match=r"Dask array has no map"):
        rc.extract(da.zeros((0, *image.shape)), atlas)


def test_an_executor_is_for_what_is_read_in_chunks(atlas: nib.Nifti1Image) -> None:
    image = nib.Nifti1Image(image_and_labels("f4")[0].T, GRID)
    with ThreadPoolExecutor(1) as executor, pytest.raises(ArgumentError, match="extract_all"):
        rc.extract(image, atlas, executor=executor)


# --- labels in chunks --------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, atlas: nib.Nifti1Image) -> Path:
    """Return an OME-Zarr of ours: what was painted, with its labels."""
    values = {3: 0.1, 7: 2.5, 900: 1 / 3}
    regions = {3: "three", 7: "seven", 900: "nine hundred"}
    parcels = rc.load_parcellation(atlas, regions)
    rc.save(rc.paint(values, parcels), tmp_path / "map.ome.zarr")
    return tmp_path / "map.ome.zarr"


def test_what_was_painted_into_a_store_is_extracted(store: Path, tmp_path: Path) -> None:
    labels = rc.load_parcellation(store)
    signals = rc.extract(store, labels, strategy=["mean", "median", "count"])
    assert signals["mean"].values.tolist() == [[0.1, 2.5, 1 / 3]]
    assert signals["median"].values.tolist() == [[0.1, 2.5, 1 / 3]]
    assert signals["mean"].keys == ("three", "seven", "nine hundred")
    assert signals["count"].values[0].tolist() == list(signals["count"].coverage["voxels"])
    groups = rc.extract(store, {"some": labels.select(["three", "seven"]), "all": labels})
    assert groups["some"].values.tolist() == [[0.1, 2.5]]
    assert groups["all"].values.tolist() == [[0.1, 2.5, 1 / 3]]


def test_regions_of_a_group_are_reduced_as_one(store: Path, atlas: nib.Nifti1Image) -> None:
    table = {"index": [3, 7, 900], "name": ["a", "b", "c"], "lobe": ["x", "y", "x"]}
    labels = rc.load_parcellation(store, table)
    image = image_and_labels("f4")[0]
    ordinary = by_extract(image, np.where(np.asarray(atlas.dataobj).T == 900, 3,
                                          np.asarray(atlas.dataobj).T), EXACT)  # fmt: skip
    for limits in (None, Limits(10, 1 << 9, 16)):
        grouped = extraction.extract_each(
            nib.Nifti1Image(image.T, GRID), {"": labels.group("lobe")}, Strategy.all_of(EXACT),
            limits=limits,
        )[""]  # fmt: skip
        assert grouped["median"].keys == ("x", "y")
        for name in EXACT:
            np.testing.assert_array_equal(grouped[name].values[0], ordinary[name], name)


def test_the_level_of_the_labels_is_read(tmp_path: Path) -> None:
    labels = np.kron(image_and_labels("f4")[1][:5, :4, :7], np.ones((26, 30, 22), np.int16))
    image = nib.Nifti1Image(labels.T, GRID)
    values = {3: 1.5, 7: 2.5, 900: 3.5}
    rc.save(rc.paint(values, rc.load_parcellation(image)), tmp_path / "map.ome.zarr")
    coarse = rc.load_parcellation(tmp_path / "map.ome.zarr", level=1)
    fine = rc.load_parcellation(tmp_path / "map.ome.zarr")
    assert coarse.space.shape != fine.space.shape
    for atlas in (coarse, fine):
        signals = rc.extract(tmp_path / "map.ome.zarr", atlas)
        voxels = np.asarray(atlas.load().counts)
        assert signals.coverage["voxels"].tolist() == voxels.tolist()
        assert set(signals.values[0]) <= set(values.values())


def test_a_level_that_is_shifted_is_said_to_be(tmp_path: Path, atlas: nib.Nifti1Image) -> None:
    values = {3: 1.5, 7: 2.5, 900: 3.5}
    labels = np.kron(np.asarray(atlas.dataobj), np.ones((20, 20, 20), np.int16))
    image = rc.paint(values, rc.load_parcellation(nib.Nifti1Image(labels, GRID)))
    rc.save(image, tmp_path / "map.ome.zarr")
    coarse = rc.load_parcellation(tmp_path / "map.ome.zarr", level=1).load()  # type: ignore[attr-defined]
    affine = coarse.space.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [0.25, 0.25, 0.25]
    shifted = rc.load_parcellation(nib.Nifti1Image(coarse.codes.astype(np.int16), affine))
    with pytest.raises(SpaceError, match=r"lies up to .* \(0\.\d+ voxels\) away"):
        rc.extract(tmp_path / "map.ome.zarr", shifted)


def test_labels_that_the_table_lacks_are_an_error(store: Path) -> None:
    labels = rc.load_parcellation(store, {3: "three", 7: "seven"})
    with pytest.raises(LabelsError, match=r"1 label of the labels image .* voxels?: 900\."):
        rc.extract(store, labels)


def test_workers_of_the_shell_reduce_a_store(store: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.tsv", tmp_path / "other.tsv"
    assert main(["extract", str(store), str(store), "-o", str(one)]) == 0
    assert main(["extract", str(store), str(store), "-o", str(other), "--workers", "2"]) == 0
    assert one.read_bytes() == other.read_bytes()
    assert one.read_text().split()[:3] == ["three", "seven", "nine"]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_labels_that_are_written_anew_are_an_error(tmp_path: Path, zarr_format: Any) -> None:
    zarr = pytest.importorskip("zarr")
    image, labels = image_and_labels("i2")
    others = [np.pad(labels, 2), labels[:-3], labels.astype("i8"), np.stack([labels] * 12)]
    # Of the same form, too: regions would have the names of others.
    others.append(np.where(labels == 3, 7, np.where(labels == 7, 3, labels)))
    for number, other in enumerate(others):
        store = tmp_path / f"{number}.zarr"

        def write(array: np.ndarray, store: Path = store) -> None:
            zarr.create_array(
                store, data=array, chunks=(1, 4, 5, 6)[-array.ndim :],
                zarr_format=zarr_format, overwrite=True,
            )  # fmt: skip

        write(labels)
        regions = rc.load_parcellation(store)
        before = rc.extract(zarr.array(image), regions)
        write(other)
        with pytest.raises(FileFormatError, match=r"written anew or removed since.* Load it again"):
            rc.extract(zarr.array(image), regions)
        # While work goes on, too; in other processes, whose files may be copies, by the form alone.
        voxels, block = regions.levels[0].labels, (slice(4), slice(4), slice(4))
        with pytest.raises(FileFormatError, match="written anew or removed"):
            voxels.read(block)
        if (other.shape, other.dtype) != (labels.shape, labels.dtype):
            elsewhere = pickle.loads(pickle.dumps(voxels))
            with pytest.raises(FileFormatError, match=rf"anew since .* 11×9×14.*{other.dtype}"):
                elsewhere.read(block)
        write(labels)
        # Of the same form, but maybe with other names.
        with pytest.raises(FileFormatError, match="written anew"):
            rc.extract(zarr.array(image), regions)
        regions = rc.load_parcellation(store)
        assert rc.extract(zarr.array(image), regions).values.tolist() == before.values.tolist()
    shutil.rmtree(store)
    with pytest.raises(FileFormatError, match="its metadata are gone"):
        pickle.loads(pickle.dumps(regions)).levels[0].labels.read(block)
    with pytest.raises(FileFormatError, match="written anew or removed"):
        rc.extract(zarr.array(image), regions)
