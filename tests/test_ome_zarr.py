"""OME-Zarr in and out: what others read and judge, where voxels are, what labels are called."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import dask.array as da
import nibabel as nib
import numpy as np
import ome_zarr.io
import ome_zarr.reader
import pandas as pd
import pytest
import tensorstore as ts
import yaozarrs
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from ome_zarr_models.v05 import Image, ImageLabel, Labels

import regioncast as rc
from regioncast.atlas.spaces import VolumeGrid
from regioncast.chunked import ome
from regioncast.chunked.parcellation import ChunkedParcellation
from regioncast.chunked.reading import open_image
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    InputMissingError,
    LabelsError,
    MissingPackageError,
    RegionTableError,
    SpaceError,
    SpaceWarning,
)

SHAPE = (13, 9, 70)  # of the grid: x, y, z; two levels
OBLIQUE = np.array([
    [-1.5, 0.2, 0.1, 40.0],
    [0.1, 2.0, -0.3, -31.5],
    [0.05, 0.3, 2.5, 7.25],
    [0.0, 0.0, 0.0, 1.0],
])  # fmt: skip


@pytest.fixture
def labels() -> np.ndarray:
    """Labels of a grid, with 0 for none; 70 is where 9 was, in the second half."""
    labels = np.random.default_rng(5).choice([0, 3, 9, 300], SHAPE).astype(np.int32)
    labels[..., 35:][labels[..., 35:] == 9] = 70
    return labels


@pytest.fixture
def atlas(labels: np.ndarray) -> rc.Parcellation:
    table = {
        "index": [3, 9, 70, 300],
        "name": ["V1", "été", "NA", "b 2"],
        "network": ["Vis", None, "Vis", "Mot"],
        "weight": [0.5, 2.0, -1.0, 3.0],
        "color": ["#ff0000", "#00ff0080", None, "#0000ff"],
    }
    return rc.load_parcellation(nib.Nifti1Image(labels, OBLIQUE), table)


@pytest.fixture
def painting(atlas: rc.Parcellation, tmp_path: Path) -> Path:
    """A painted map as OME-Zarr, with its labels."""
    image = rc.paint({3: 1.5, 9: -2.25, 70: np.inf, 300: 4}, atlas, by="label", fill=np.nan)
    path = rc.save(image, tmp_path / "map.ome.zarr")
    assert isinstance(path, Path)
    return path


def everything(voxels: Any, number: int = 0) -> np.ndarray:
    """All voxels of a map, x first."""
    return np.asarray(voxels.read(tuple(slice(0, n) for n in voxels.shape), number).T)


def changed(store: Path, change: Any, file: str = "zarr.json") -> Path:
    """The store, after a change of what its metadata say."""
    content = json.loads((store / file).read_text())
    change(content.get("attributes", content))
    (store / file).write_text(json.dumps(content))
    return store


# --- what others say -----------------------------------------------------------------------------


def judge(store: Path) -> None:
    """Let both validators look at an image with its labels."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yaozarrs.validate_zarr_store(str(store))
        group = zarr.open_group(store, mode="r")
        Image.from_zarr(group)
        if "labels" in group:
            labels = Labels.from_zarr(group["labels"])
            assert labels.label_paths == ["atlas"]
            ImageLabel.from_zarr(group["labels/atlas"])


@pytest.mark.parametrize("n_maps", [0, 1, 3])
def test_validators_find_no_fault(atlas: rc.Parcellation, tmp_path: Path, n_maps: int) -> None:
    values = np.arange(4.0) if not n_maps else np.arange(4.0 * n_maps).reshape(n_maps, 4)
    t_r = 0.8 if n_maps == 3 else None
    store = rc.save(rc.paint(values, atlas, t_r=t_r), tmp_path / "a.ome.zarr")
    judge(store)
    judge(rc.save(atlas, tmp_path / "labels.ome.zarr"))


def test_ome_zarr_py_and_tensorstore_read_the_same(painting: Path, labels: np.ndarray) -> None:
    expected = np.select(
        [labels == 3, labels == 9, labels == 70, labels == 300], [1.5, -2.25, np.inf, 4], np.nan
    )
    nodes = list(ome_zarr.reader.Reader(ome_zarr.io.parse_url(painting))())
    assert len(nodes[0].data) == 2
    np.testing.assert_array_equal(np.asarray(nodes[0].data[0]).T, expected)
    np.testing.assert_array_equal(np.asarray(nodes[0].data[1]).T, expected[::2, ::2, ::2])
    spec = {"driver": "zarr3", "kvstore": f"file://{painting}/0"}
    np.testing.assert_array_equal(ts.open(spec).result().read().result().T, expected)
    spec["kvstore"] = f"file://{painting}/labels/atlas/1"
    array = ts.open(spec).result()
    np.testing.assert_array_equal(array.read().result().T, labels[::2, ::2, ::2])
    assert array.domain.labels == ("z", "y", "x")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ome_zarr")
@pytest.mark.filterwarnings("ignore:Dimension . is too small:UserWarning")
def test_labels_of_ome_zarr_py_are_read(tmp_path: Path, labels: np.ndarray) -> None:
    from ome_zarr.writer import write_image, write_labels

    root = zarr.open_group(tmp_path / "b.ome.zarr", mode="w")
    options: dict[str, Any] = {"axes": "zyx", "scale_factors": [2]}
    options["scale"] = {"z": 25.0, "y": 10.0, "x": 10.0}
    options["axes_units"] = dict.fromkeys("zyx", "micrometer")
    write_image(labels.T.astype(np.float32), root, **options)
    write_labels(
        labels.T, root, "mine", **options,
        label_metadata={"properties": [{"label-value": 3, "acronym": "V1"}, {"label-value": 9,
        "acronym": "V2"}, {"label-value": 70, "acronym": "V3"},
        {"label-value": 300, "acronym": "V4"}]},
    )  # fmt: skip
    atlas: Any = rc.load_parcellation(tmp_path / "b.ome.zarr")
    assert atlas.table.names == ("V1", "V2", "V3", "V4")
    np.testing.assert_allclose(atlas.space.affine, np.diag([0.01, 0.01, 0.025, 1]))
    np.testing.assert_array_equal(everything(atlas.levels[0].labels), labels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_both_versions_are_read(tmp_path: Path, labels: np.ndarray, version: str) -> None:
    zarr_format: Any = 2 if version == "0.4" else 3
    root = zarr.create_group(tmp_path / "c.zarr", zarr_format=zarr_format)
    array = root.create_array("s0", shape=(1, *labels.T.shape), chunks=(1, 16, 7, 5), dtype=">i4")
    array[0] = labels.T
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": axis, "type": "space", "unit": "meter"} for axis in "zyx"]
    steps = [
        {"type": "scale", "scale": [1, 0.003, 0.002, 0.001]},
        {"type": "translation", "translation": [0, 0.3, 0.2, 0.1]},
    ]
    said: dict[str, Any] = {
        "version": version,
        "multiscales": [
            {"version": version, "axes": axes,
             "datasets": [{"path": "s0", "coordinateTransformations": steps}],
             "coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2, 2]}]},
        ],
        "image-label": {"colors": [{"label-value": n, "rgba": [n % 256, 0, 9, 255]}
                                   for n in (0, 3, 9, 70, 300)]},
    }  # fmt: skip
    root.attrs.update(said if version == "0.4" else {"ome": said})
    atlas: Any = rc.load_parcellation(tmp_path / "c.zarr")
    assert atlas.table.labels.tolist() == [3, 9, 70, 300]
    assert atlas.table.columns["color"][0] == "#030009"
    expected = np.array([[2, 0, 0, 200], [0, 4, 0, 400], [0, 0, 6, 600], [0, 0, 0, 1]], float)
    np.testing.assert_allclose(atlas.space.affine, expected)
    np.testing.assert_array_equal(everything(atlas.levels[0].labels), labels)
    np.testing.assert_array_equal(atlas.load().codes > 0, labels > 0)


# --- where voxels are ----------------------------------------------------------------------------


def test_geometry_is_the_same_to_the_last_bit(painting: Path, atlas: rc.Parcellation) -> None:
    again: Any = rc.load_parcellation(painting)
    assert isinstance(atlas.space, VolumeGrid)
    np.testing.assert_array_equal(again.space.affine, atlas.space.affine)
    assert again.space.geometry == atlas.space.geometry
    coarse = again.levels[1].space
    assert coarse.shape == (7, 5, 35)
    np.testing.assert_allclose(coarse.affine[:3, :3], 2 * OBLIQUE[:3, :3], rtol=1e-6)
    np.testing.assert_allclose(coarse.affine[:3, 3], OBLIQUE[:3, 3], rtol=1e-6)


@given(
    order=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
    sizes=st.tuples(*[st.sampled_from([0.01, 0.7, 1.0, 2.5])] * 3),
    offsets=st.tuples(*[st.floats(-200, 200).map(lambda offset: round(offset, 3))] * 3),
)
def test_scale_translation_and_orientation_say_every_straight_affine(
    order: Any, signs: Any, sizes: Any, offsets: Any
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis in range(3):
        affine[order[axis], axis] = signs[axis] * sizes[axis]
    affine[:3, 3] = offsets
    grid = VolumeGrid.from_affine((4, 5, 6), affine)
    axes = ome.axes_of(grid, is_series=False, t_r=None)[::-1]
    scale, translation = (
        np.array(each[each["type"]][::-1])
        for each in ome.transforms_of(grid, is_series=False, t_r=None)
    )
    assert (scale > 0).all()
    np.testing.assert_allclose(ome._affine(axes, scale, translation), affine, rtol=1e-12)


def test_header_is_that_of_nifti(painting: Path) -> None:
    content = zarr.open_array(painting / "nifti", mode="r")[:]
    header = nib.Nifti2Header(np.asarray(content).tobytes())
    np.testing.assert_allclose(header.get_best_affine(), OBLIQUE, rtol=1e-6)
    assert header.get_data_shape() == SHAPE


def test_header_that_is_lost_is_an_error(painting: Path) -> None:
    shutil.rmtree(painting / "nifti" / "c")
    with pytest.raises(FileFormatError, match=r"The NIfTI header of .*map.ome.zarr is not whole"):
        open_image(painting, "the image")


def test_series_keep_names_and_repetition_time(atlas: rc.Parcellation, tmp_path: Path) -> None:
    values = pd.DataFrame({"name": ["V1", "été", "NA", "b 2"], "t1": [1, 2, 3, 4], "t2": 5})
    image = rc.paint(values, atlas, t_r=0.75)
    store = rc.save(image, tmp_path / "s.ome.zarr")
    again = open_image(store, "the image")
    assert again.axis == image.match.signals.axis
    assert again.voxels.n_maps == 2
    assert zarr.open_group(store)["0"].metadata.dimension_names == ("t", "z", "y", "x")
    for number in range(2):
        np.testing.assert_array_equal(everything(again.voxels, number), image.dataobj[..., number])


def test_unit_is_converted_refused_or_said_to_be_missing(painting: Path) -> None:
    def in_units(unit: str | None) -> Any:
        def change(content: Any) -> None:
            del content["regioncast"]["affine"]
            for axis in content["ome"]["multiscales"][0]["axes"]:
                axis.pop("unit", None)
                if unit is not None:
                    axis["unit"] = unit

        return change

    shutil.copytree(painting, painting.with_name("copy.zarr"))
    copy = changed(painting.with_name("copy.zarr"), in_units("micrometer"))
    size = np.linalg.norm(OBLIQUE[:3, 0]) / 1000
    image = open_image(copy, "the image")
    assert np.linalg.norm(image.space.affine[:3, 0]) == pytest.approx(size)
    shutil.copy(painting / "zarr.json", copy / "zarr.json")
    with pytest.raises(SpaceError, match="measures its voxels in 'parsec'"):
        open_image(changed(copy, in_units("parsec")), "the image")
    shutil.copy(painting / "zarr.json", copy / "zarr.json")
    with pytest.warns(SpaceWarning, match="does not say in which unit"):
        open_image(changed(copy, in_units(None)), "the image")


def image_of_others(
    store: Path, array: np.ndarray, steps: Any, names: str = "zyx", **of_axes: Any
) -> Path:
    """An image as others write it, at one level."""
    kinds: dict[str, Any] = {"t": {"type": "time"}, "c": {"type": "channel"}}
    in_space = {"type": "space", "unit": "millimeter"}
    axes = [{"name": a, **kinds.get(a, in_space), **of_axes.get(a, {})} for a in names]
    root = zarr.create_group(store)
    root.create_array("0", data=array)
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    multiscales = [{"axes": axes, "datasets": datasets}]
    root.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}
    return store


def test_each_axis_without_a_unit_is_said(tmp_path: Path, labels: np.ndarray) -> None:
    units = {"z": {"unit": "micrometer"}, "y": {"unit": None}, "x": {"unit": "micrometer"}}
    steps = [{"type": "scale", "scale": [3, 2, 1]}]
    store = image_of_others(tmp_path / "u.zarr", labels.T, steps, **units)
    with pytest.warns(SpaceWarning, match="unit its voxels are measured along y, which is"):
        open_image(store, "the image")


def test_axes_need_types(tmp_path: Path, labels: np.ndarray) -> None:
    steps = [{"type": "scale", "scale": [3, 2, 1]}]
    store = image_of_others(tmp_path / "k.zarr", labels.T, steps, y={"type": None})
    with pytest.raises(DimensionError, match=r"z \(space\), y \(None\), x \(space\)"):
        open_image(store, "the image")


def test_grid_is_compared_with_the_level_of_its_shape(tmp_path: Path, labels: np.ndarray) -> None:
    steps = [{"type": "scale", "scale": [1, 1, 1]}]
    store = image_of_others(tmp_path / "l.zarr", labels.T, steps)
    coarse = labels[::2, ::2, ::2]
    group = zarr.open_group(store)
    group.create_array("1", data=coarse.T)
    said = group.attrs["ome"]
    shift = {"type": "translation", "translation": [0.5] * 3}
    said["multiscales"][0]["datasets"].append(
        {
            "path": "1",
            "coordinateTransformations": [{"type": "scale", "scale": [2, 2, 2]}, shift],
        }
    )
    group.attrs["ome"] = said
    atlas = rc.load_parcellation(nib.Nifti1Image(coarse, np.diag([2.0, 2, 2, 1])))
    with pytest.raises(SpaceError, match=r"lies up to 0\.866 mm \(0\.433 voxels\) away"):
        rc.extract(store, atlas)


def orientation(value: str) -> dict[str, Any]:
    return {"orientation": {"type": "anatomical", "value": value}}


@pytest.mark.parametrize(
    "said",
    [
        {"x": "right-to-left"},
        {"x": "right-to-left", "y": "anterior-to-posterior"},
        {"x": "right-to-left", "y": "left-to-right", "z": "inferior-to-superior"},
        {"x": "right-to-left", "y": "rostral-to-caudal", "z": "dorsal-to-ventral"},
    ],
)
def test_orientation_that_is_not_of_three_axes_is_not_passed_over(
    tmp_path: Path, labels: np.ndarray, said: dict[str, str]
) -> None:
    axes = {axis: orientation(value) for axis, value in said.items()}
    steps = [{"type": "scale", "scale": [3, 2, 1]}]
    store = image_of_others(tmp_path / "o.zarr", labels.T, steps, **axes)
    with pytest.warns(SpaceWarning, match=r"says of its axes .*'right-to-left'.* x is taken to go"):
        image = open_image(store, "the image")
    np.testing.assert_array_equal(image.space.affine, np.diag([1, 2, 3, 1]))


@pytest.mark.parametrize(
    ("names", "leading", "t_r"),
    [("tzyx", (3,), 1.5), ("tczyx", (3, 1), 1.5), ("tczyx", (1, 3), None), ("ctzyx", (2, 3), None)],
)
def test_channels_are_not_in_time(
    tmp_path: Path, labels: np.ndarray, names: str, leading: tuple[int, ...], t_r: float | None
) -> None:
    values = np.random.default_rng(2).integers(0, 99, (*leading, *labels.T.shape)).astype(np.uint8)
    steps = [{"type": "scale", "scale": [1.5] * len(leading) + [1, 1, 1]}]
    store = image_of_others(tmp_path / "t.zarr", values, steps, names, t={"unit": "second"})
    atlas = rc.load_parcellation(da.from_array(labels.T, chunks=9))
    signals = rc.extract(store, atlas, strategy="sum")
    assert signals.t_r == t_r
    maps = values.reshape(-1, *labels.T.shape)
    sums = [[each[label == labels.T].sum() for label in (3, 9, 70, 300)] for each in maps]
    assert signals.values.tolist() == sums


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"type": "scale", "scale": [2]}, "has a scale of 1 number for 3 axes"),
        ({"type": "translation", "translation": [1, 2]}, "has a translation of 2 numbers"),
        ({"type": "affine", "affine": [[1]]}, "no scale and no translation: 'affine'"),
        ({"type": "scale", "path": "scales"}, "no scale and no translation: 'scale'"),
    ],
)
def test_transformations_have_a_number_for_each_axis(
    tmp_path: Path, labels: np.ndarray, step: Any, message: str
) -> None:
    store = image_of_others(tmp_path / "n.zarr", labels.T, [step])
    with pytest.raises(FileFormatError, match=message):
        rc.load_parcellation(store)


def test_axes_in_another_order_and_images_in_a_plane_are_refused(painting: Path) -> None:
    def swap(content: Any) -> None:
        axes = content["ome"]["multiscales"][0]["axes"]
        axes[0], axes[2] = axes[2], axes[0]

    with pytest.raises(DimensionError, match=r"axes x \(space\), y \(space\), z \(space\)"):
        open_image(changed(painting, swap), "the image")
    plane = zarr.create_array(painting.with_name("p.zarr"), shape=(5, 4), dtype="i4")
    with pytest.raises(DimensionError, match="has 2 dimensions"):
        rc.load_parcellation(plane)
    named = zarr.create_array(
        painting.with_name("n.zarr"), shape=(5, 4, 3), dtype="i4", dimension_names=["x", "y", "z"]
    )
    with pytest.raises(DimensionError, match="the last three have to be z, y, x"):
        rc.load_parcellation(named)


def test_contradicting_and_unknown_metadata_are_refused(painting: Path) -> None:
    text = (painting / "zarr.json").read_text()

    def scaled(content: Any) -> None:
        steps = content["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"]
        steps[0]["scale"][0] *= 3

    def cropped(content: Any) -> None:
        steps = content["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"]
        steps[1]["translation"][2] += 4

    for change in (scaled, cropped):
        with pytest.raises(FileFormatError, match="contradicts itself: its voxels have edges"):
            open_image(changed(painting, change), "the image")
        (painting / "zarr.json").write_text(text)
    with pytest.raises(FileFormatError, match=r"OME-Zarr of version 0\.9"):
        open_image(changed(painting, lambda c: c["ome"].update(version="0.9")), "the image")
    (painting / "zarr.json").write_text(text)
    with pytest.raises(FileFormatError, match="no image of OME-Zarr"):
        open_image(changed(painting, lambda c: c.pop("ome")), "the image")
    (painting / "zarr.json").write_text(text[:-200])
    with pytest.raises(FileFormatError, match="truncated or damaged"):
        open_image(painting, "the image")


# --- which labels, called how --------------------------------------------------------------------


def test_table_comes_back_as_it_was(painting: Path, atlas: rc.Parcellation, tmp_path: Path) -> None:
    for store in (painting, rc.save(atlas, tmp_path / "l.ome.zarr"), painting / "labels" / "atlas"):
        again: Any = rc.load_parcellation(store)
        assert again.table.to_records() == atlas.table.to_records()
        assert again.table.labels.tolist() == atlas.table.labels.tolist()


@pytest.mark.parametrize("title", ["index", "id", "label", "roi", "label-id", "order"])
def test_label_value_says_which_label_whatever_else_holds_integers(
    painting: Path, title: str
) -> None:
    said = [
        {"label-value": label, title: other, "acronym": name}
        for label, other, name in [(300, 3, "d"), (3, 9, "a"), (9, 70, "b"), (70, 300, "c")]
    ]
    for names in ("acronym", "name"):
        properties = [
            {names if key == "acronym" else key: each[key] for key in each} for each in said
        ]
        changed(
            painting / "labels" / "atlas",
            lambda content, p=properties: content["ome"].update({"image-label": {"properties": p}}),
        )
        table: Any = rc.load_parcellation(painting).table
        assert list(table) == [(3, "a"), (9, "b"), (70, "c"), (300, "d")]
        assert [record["label"] for record in table.to_records()] == [3, 9, 70, 300]
        assert table.to_pandas()["index"].tolist() == [3, 9, 70, 300]
        assert next(iter(table.columns.values())) == (9, 70, 300, 3)


@pytest.mark.parametrize(
    ("image_label", "message"),
    [
        (
            {"properties": [{"label-value": 3}, {"name": "b"}]},
            r"properties whose label-value.*None",
        ),
        ({"properties": [{"label-value": "x", "acronym": "b"}]}, r"no integer: 'x'"),
        ({"colors": [{"label-value": 3.5, "rgba": [1, 2, 3, 4]}]}, r"has colors whose .* 3\.5"),
        ({"colors": [{"rgba": [1, 2, 3, 4]}]}, r"has colors whose .* None"),
        ({"properties": ["a"]}, "truncated or damaged"),
        (["a"], "truncated or damaged"),
    ],
)
def test_what_says_of_no_label_what_it_says_is_refused(
    painting: Path, image_label: Any, message: str
) -> None:
    changed(
        painting / "labels" / "atlas",
        lambda content: content["ome"].update({"image-label": image_label}),
    )
    with pytest.raises(FileFormatError, match=message):
        rc.load_parcellation(painting)


def test_colors_alone_list_regions(painting: Path) -> None:
    colors = [{"label-value": n, "rgba": [n % 256, 0, 9, 255]} for n in (300, 3, 9)]
    colors.append({"label-value": 70})
    changed(
        painting / "labels" / "atlas",
        lambda content: content["ome"].update({"image-label": {"colors": colors}}),
    )
    table: Any = rc.load_parcellation(painting).table
    assert table.labels.tolist() == [3, 9, 70, 300]
    assert table.columns["color"] == ("#030009", "#090009", None, "#2c0009")


def test_table_beside_is_found(painting: Path) -> None:
    changed(painting / "labels" / "atlas", lambda content: content["ome"].pop("image-label"))
    beside = painting.with_name("map.tsv")
    beside.write_text("index\tname\n3\ta\n9\tb\n70\tc\n300\td\n")
    atlas: Any = rc.load_parcellation(painting)
    assert atlas.table.names == ("a", "b", "c", "d")
    assert atlas.files.regions == beside


def test_without_a_table_all_labels_are_found(painting: Path) -> None:
    changed(painting / "labels" / "atlas", lambda content: content["ome"].pop("image-label"))
    calls: list[tuple[int, int]] = []
    atlas: Any = rc.load_parcellation(painting, progress=lambda *done: calls.append(done))
    assert atlas.table.labels.tolist() == [3, 9, 70, 300]
    assert calls == [(1, 1)]
    assert not atlas.table.has_names


def test_strict_looks_at_all_voxels(painting: Path) -> None:
    rows = {"index": [3, 9, 70, 300, 1000], "name": list("abcde")}
    assert len(rc.load_parcellation(painting, rows)) == 5
    with pytest.raises(RegionTableError, match="1 row of the region table without a voxel: 1000"):
        rc.load_parcellation(painting, rows, strict=True)


def test_one_of_several_labels_is_asked_for(painting: Path, atlas: rc.Parcellation) -> None:
    shutil.copytree(painting / "labels" / "atlas", painting / "labels" / "other")
    changed(painting / "labels", lambda content: content["ome"]["labels"].append("other"))
    with pytest.raises(ArgumentError, match=r"2 maps of labels.*label_map=.*0 'atlas', 1 'other'"):
        rc.load_parcellation(painting)
    assert len(rc.load_parcellation(painting, label_map="other")) == 4
    assert len(rc.load_parcellation(painting, label_map=0)) == 4


def test_an_array_among_the_labels_has_to_be_named_itself(painting: Path) -> None:
    changed(painting / "labels", lambda content: content["ome"].update(labels=["atlas/0"]))
    with pytest.raises(FileFormatError, match=r"atlas/0 is listed .* Name it by its own path"):
        rc.load_parcellation(painting)
    assert len(rc.load_parcellation(painting / "labels/atlas/0")) == 4


def test_levels_are_chosen_by_number(painting: Path, labels: np.ndarray) -> None:
    atlas: Any = rc.load_parcellation(painting, level=1)
    assert len(atlas.levels) == 1
    np.testing.assert_array_equal(everything(atlas.levels[0].labels), labels[::2, ::2, ::2])
    with pytest.raises(ArgumentError, match=r"has no level 2: it has 2 levels \(0: 13×9×70"):
        rc.load_parcellation(painting, level=2)
    with pytest.raises(ArgumentError, match="level is for OME-Zarr"):
        rc.load_parcellation(nib.Nifti1Image(labels, OBLIQUE), level=1)
    with pytest.raises(ArgumentError, match=r"level=1 \(--level\) chooses a resolution"):
        rc.load_parcellation(da.from_array(labels.T, chunks=5), level=1)


@pytest.mark.parametrize("kind", ["dask", "zarr", "path"])
def test_arrays_are_z_y_x_and_lie_nobody_knows_where(
    tmp_path: Path, labels: np.ndarray, kind: str
) -> None:
    source: Any = da.from_array(labels.T, chunks=(16, 4, 5))
    if kind != "dask":
        source = zarr.create_array(tmp_path / "a.zarr", data=labels.T, chunks=(16, 4, 5))
    if kind == "path":
        source = tmp_path / "a.zarr"
    atlas: Any = rc.load_parcellation(source)
    assert isinstance(atlas, ChunkedParcellation)
    assert atlas.table.labels.tolist() == [3, 9, 70, 300]
    assert atlas.space.shape == SHAPE
    assert atlas.space.difference(VolumeGrid.from_affine(SHAPE, OBLIQUE)) is None
    assert atlas.space.difference(VolumeGrid.from_affine((13, 9, 71), OBLIQUE)) is not None
    np.testing.assert_array_equal(atlas.load().codes, np.searchsorted([0, 3, 9, 70, 300], labels))
    image = rc.paint({3: 1, 9: 2, 70: 3, 300: 4}, atlas, by="label")
    store = rc.save(image, tmp_path / "out.ome.zarr")
    assert not open_image(store, "the image").space.is_placed


def test_regions_known_from_the_table_are_not_read() -> None:
    def never(block: np.ndarray) -> np.ndarray:
        raise AssertionError("a block was computed")

    lazy = da.zeros((40, 30, 20), chunks=10, dtype=np.uint8).map_blocks(never, dtype=np.uint8)
    atlas = rc.load_parcellation(lazy, {1: "a", 2: "b"})
    assert [region.name for region in atlas] == ["a", "b"]
    assert len(rc.paint([1.0, 2.0], atlas).table[0]) == 3
    assert "2 regions" in repr(atlas)


@pytest.mark.parametrize("background", ["Nothing", "Background"])
def test_names_alone_are_of_labels_that_nobody_has_read(tmp_path: Path, background: str) -> None:
    labels = np.random.default_rng(3).integers(0, 4, (4, 5, 6)).astype(np.uint8)
    names = [background, "a", "b", "c"]
    (tmp_path / "names.txt").write_text("\n".join(names))
    for regions in (names, tuple(names), np.array(names), pd.Series(names)):
        with pytest.raises(RegionTableError, match=r"4 names has no labels.*Give a mapping"):
            rc.load_parcellation(da.from_array(labels, chunks=3), regions)
    with pytest.raises(RegionTableError, match="has no column of labels"):
        rc.load_parcellation(da.from_array(labels, chunks=3), tmp_path / "names.txt")
    if background == "Nothing":  # a region, as far as anybody knows, of a table that counts from 0
        return
    pairs = pd.Series(names, index=range(4)).rename_axis("label")
    for regions in (dict(enumerate(names)), list(enumerate(names)), pairs):
        atlas: Any = rc.load_parcellation(da.from_array(labels, chunks=3), regions)
        assert list(atlas) == [(1, "a"), (2, "b"), (3, "c")]


def test_what_is_no_labels_is_refused(tmp_path: Path) -> None:
    floats = da.zeros((4, 5, 6), chunks=3)
    with pytest.raises(LabelsError, match="holds float64; labels in chunks are integers"):
        rc.load_parcellation(floats)
    with pytest.raises(DimensionError, match="has 2 maps"):
        rc.load_parcellation(da.zeros((2, 4, 5, 6), chunks=3, dtype=int))
    with pytest.raises(LabelsError, match="every voxel is background"):
        rc.load_parcellation(da.zeros((4, 5, 6), chunks=3, dtype=int))
    with pytest.raises(InputMissingError, match="does not exist"):
        rc.load_parcellation(tmp_path / "none.ome.zarr")
    with pytest.raises(ArgumentError, match=r"is a URL, .*: s3://b/a.ome.zarr\. Open it with Zarr"):
        rc.load_parcellation("s3://b/a.ome.zarr")
    (tmp_path / "e.zarr").mkdir()
    with pytest.raises(FileFormatError, match="is no Zarr store"):
        rc.load_parcellation(tmp_path / "e.zarr")


def test_what_needs_all_voxels_says_what_to_do(painting: Path, tmp_path: Path) -> None:
    advice = r"Crop them, or load a coarser level into memory: load_parcellation\(…, level=1\)"
    atlas = rc.load_parcellation(painting)
    with pytest.raises(ArgumentError, match=advice):
        rc.merge(painting, painting)
    with pytest.raises(ArgumentError, match=advice):
        rc.view(painting / "labels" / "atlas")
    with pytest.raises(ArgumentError, match=advice):
        rc.view([1.0, 2, 3, 4], atlas)
    with pytest.raises(ArgumentError, match=advice):
        rc.paint([1.0, 2, 3, 4], atlas, onto=nib.Nifti1Image(np.zeros(SHAPE), OBLIQUE))
    for alone in (rc.load_parcellation(painting, level=1), da.ones((3, 4, 5), dtype=int)):
        with pytest.raises(ArgumentError, match=r"load them .* load_parcellation\(…\)\.load\(\)"):
            rc.view(alone)
    with pytest.raises(ArgumentError, match="mask is for labels in memory"):
        rc.load_parcellation(painting, mask=nib.Nifti1Image(np.zeros(SHAPE), OBLIQUE))
    with pytest.raises(FileFormatError, match=r"written as \.ome\.zarr, not as 'a\.nii\.gz'"):
        rc.save(rc.paint([1.0, 2, 3, 4], atlas), tmp_path / "a.nii.gz")
    assert len(rc.load_parcellation(painting).load().counts) == 4  # type: ignore[attr-defined]


def test_without_zarr_the_extra_is_named(
    painting: Path, atlas: rc.Parcellation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'regioncast\[scale\]'"):
        rc.load_parcellation(painting)
    with pytest.raises(MissingPackageError, match=r"regioncast\[scale\]"):
        rc.save(atlas, tmp_path / "a.ome.zarr")


# --- damage --------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(data=st.data())
def test_flipped_bits_raise(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bits")
    labels = np.random.default_rng(1).choice([0, 1, 5], (6, 7, 8)).astype(np.uint8)
    atlas = rc.load_parcellation(nib.Nifti1Image(labels, np.eye(4)))
    store = rc.save(atlas, folder / "a.ome.zarr")
    shard = store / "0" / "c" / "0" / "0" / "0"
    content = bytearray(shard.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    shard.write_bytes(content)
    again: Any = rc.load_parcellation(store)
    # zstd has bits in the header of a frame that mean nothing.
    with contextlib.suppress(FileFormatError):
        np.testing.assert_array_equal(everything(again.levels[0].labels), labels)


@pytest.mark.parametrize("array", ["0", "1"])
def test_missing_shard_is_noticed(painting: Path, array: str) -> None:
    (painting / "labels" / "atlas" / array / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(FileFormatError, match=f"of array {array} 0 of 1 file are there"):
        rc.load_parcellation(painting)
    (painting / array / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(FileFormatError, match="is not whole"):
        open_image(painting, "the image")


def test_group_of_labels_that_lists_none_is_an_error(
    tmp_path: Path, labels: np.ndarray, painting: Path
) -> None:
    steps = [{"type": "scale", "scale": [1, 1, 1]}]
    store = image_of_others(tmp_path / "i.zarr", labels.T, steps)
    shutil.copytree(painting / "labels", store / "labels")
    assert rc.load_parcellation(store).table.labels.tolist() == [3, 9, 70, 300]
    zarr.open_group(store / "labels").attrs["ome"] = {"version": "0.5"}
    with pytest.raises(FileFormatError, match="a group labels that lists none of its 'atlas'"):
        rc.load_parcellation(store)


def test_relative_paths_hold_wherever_one_is_later(
    painting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(painting / "labels" / "atlas")
    atlas = rc.load_parcellation(".")
    monkeypatch.chdir(painting)
    signals = rc.extract(".", atlas)
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(rc.extract(painting, atlas).values, signals.values)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"index": [3, 9, 70, 300], "label": [9, 3, 300, 70]}, "2 columns .* 'index', 'label'"),
        ({"index": [1, 2, 3, 4], "intensity": [2, 3, 4, 1]}, "'index', 'intensity'"),
        ({"label": [3, 9, 70, 300], "id": [9, 3, 300, 70]}, "2 columns .* 'label', 'id'"),
        ({"index": [0, 1, 2, 3]}, "counts from 0, which it calls 'a', and 0 is the background"),
    ],
)
def test_tables_that_only_the_voxels_could_tell_are_refused(
    labels: np.ndarray, columns: dict[str, list[int]], message: str
) -> None:
    regions = {**columns, "name": ["a", "b", "c", "d"]}
    array = da.from_array(labels.T, chunks=9)
    with pytest.raises(RegionTableError, match=message):
        rc.load_parcellation(array, regions)
    # One column, and a row of the background, are as clear as ever.
    first = next(iter(columns))
    clear = {first: [0, 3, 9, 70], "name": ["background", "b", "c", "d"]}
    assert rc.load_parcellation(array, clear).table.labels.tolist() == [3, 9, 70]


def test_zero_is_a_region_where_the_background_is_another(labels: np.ndarray) -> None:
    regions = {"index": [0, 1, 2, 3], "name": ["a", "b", "c", "d"]}
    array = da.from_array(np.searchsorted([0, 3, 9, 70], labels.T.clip(max=70)), chunks=9)
    atlas = rc.load_parcellation(array, regions, background=3)
    assert atlas.table.names == ("a", "b", "c")


def test_consolidated_metadata_are_not_believed(tmp_path: Path, labels: np.ndarray) -> None:
    steps = [{"type": "scale", "scale": [3, 2, 1]}]
    store = image_of_others(tmp_path / "c.zarr", labels.T.astype("i2"), steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Zarr 3 has none yet
        zarr.consolidate_metadata(store)
    anew = labels.T[::-1, :5].astype("i4") + 70_000
    zarr.create_array(store / "0", data=anew, overwrite=True)
    atlas = rc.load_parcellation(store, background=70_000)
    assert atlas.table.labels.tolist() == [70_003, 70_009, 70_070, 70_300]
    assert atlas.space.shape == anew.T.shape
