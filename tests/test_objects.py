"""Objects that people bring: atlases and maskers of nilearn, records, labelled arrays; and back."""

from __future__ import annotations

import pickle
import re
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from small_spaces import labels_gifti, vertex_labels
from small_volumes import OBLIQUE

import regioncast as rc
from regioncast import errors
from regioncast.signals import Signals

NAMES = {4: "A", 9: "B", 12: "C"}
LUT = pd.DataFrame({
    "index": [0, *NAMES], "name": ["Background", *NAMES.values()],
    "color": ["#000000", "#ff0000", "#00ff00", "#0000ff"],
})  # fmt: skip


def volume(data):
    return nib.Nifti1Image(data, OBLIQUE)


@pytest.fixture
def image():
    labels = np.zeros((5, 6, 7), np.int16)
    labels[1:3], labels[3:], labels[0, 0] = 9, 4, 12
    return volume(labels)


@pytest.fixture
def atlas(image):
    return rc.load_parcellation(image, NAMES)


def bunch(**contents):
    return pytest.importorskip("sklearn.utils").Bunch(**contents)


# --- fetched atlases ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        {"lut": LUT, "labels": ["other", "names", "that", "do not count"]},
        {"lut": LUT.iloc[::-1], "labels": list(LUT.name)},
        {"labels": list(LUT.name)},
        {"labels": ["A", "B", "C"]},
        {"labels": [b"Background", b"A", b"B", b"C"]},
        {"labels": np.array(["Background", "A", "B", "C"])},
        {"labels": ["Background", "C", "A", "B"], "indices": ["0", "12", "4", "9"]},
        {"labels": np.rec.array([(4, b"A"), (9, b"B"), (12, b"C")], names=["index", "name"])},
        {"labels": LUT},
    ],
)
def test_an_atlas_as_nilearn_fetches_it(image, names, tmp_path):
    nib.save(image, tmp_path / "x.nii.gz")
    for maps in (image, tmp_path / "x.nii.gz", str(tmp_path / "x.nii.gz"), [image]):
        fetched = {"maps": maps, "description": "…", "atlas_type": "deterministic", **names}
        for source in (bunch(**fetched), fetched):
            assert dict(rc.load_parcellation(source).table) == NAMES
    painted = rc.paint({"A": 1.5, "B": 2, "C": 3}, bunch(maps=image, **names))
    assert np.array_equal(rc.extract(painted, bunch(maps=image, **names)).values, [[1.5, 2, 3]])
    assert rc.match({"A": 1}, bunch(maps=image, **names)).missing == ["B", "C"]
    assert rc.paint([1.5, 2, 3], atlas_at(image), onto=bunch(maps=image, **names)).shape == (
        5,
        6,
        7,
    )


def atlas_at(image):
    return rc.load_parcellation(image)


def test_an_atlas_is_read_the_same_as_its_parts(image):
    """What was said goes before what the object says, and a table that is wrong is refused."""
    fetched = bunch(maps=image, lut=LUT)
    assert rc.load_parcellation(fetched, ["x", "y", "z"])[4].name == "x"
    assert rc.load_parcellation(fetched, "none")[4].name == "4"
    assert rc.load_parcellation(fetched, background=4)[0].name == "Background"
    numbers = volume(np.arange(1, 211, dtype=np.int16).reshape(5, 6, 7))
    off_by_one = pd.DataFrame({"index": range(210), "name": [f"N{n}" for n in range(210)]})
    with pytest.raises(errors.RegionTableError, match="counts from 0 and the image from"):
        rc.load_parcellation(bunch(maps=numbers, lut=off_by_one))
    with pytest.raises(errors.RegionTableError, match="2 names and no labels"):
        rc.load_parcellation(bunch(maps=image, labels=["A", "B"]))


def test_an_atlas_without_names_has_those_beside_its_file(image, tmp_path):
    nib.save(image, tmp_path / "x.nii.gz")
    LUT.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    assert dict(rc.load_parcellation({"maps": tmp_path / "x.nii.gz"}).table) == NAMES


@pytest.mark.parametrize("names", [["a", "b"], pd.DataFrame({"difumo_names": ["a", "b"]})])
def test_a_probabilistic_atlas_is_no_parcellation(image, names):
    maps = volume(np.random.default_rng(0).random((5, 6, 7, 2)))
    fetched = bunch(maps=maps, labels=names, atlas_type="probabilistic", networks=["x", "y"])
    for call in (rc.load_parcellation, lambda atlas: rc.paint([1, 2], atlas)):
        with pytest.raises(errors.ImageTypeError, match=r"a map per region .* NiftiMapsMasker"):
            call(fetched)
    del fetched["atlas_type"]
    with pytest.raises(errors.DimensionError, match=r"4D image.*\(5, 6, 7, 2\)"):
        rc.load_parcellation(fetched)


def test_an_atlas_of_surfaces():
    """``fetch_atlas_surf_destrieux`` has two arrays, other atlases a SurfaceImage."""
    left, right = vertex_labels("L"), vertex_labels("R")
    lut = pd.DataFrame({
        "index": [0, 3, 7, 9, 14474380], "name": ["Unknown", "V1", "V2", "M1", "insula"]
    })  # fmt: skip
    atlas = rc.load_parcellation(bunch(map_left=left, map_right=right, lut=lut))
    assert atlas.space.counts == {"L": 701, "R": 680}
    assert set(atlas.table.unique_names) == {"L:V1", "R:V1", "L:V2", "R:V2", "insula", "M1"}
    pair = {"left": labels_gifti("L"), "right": labels_gifti("R")}
    assert np.array_equal(
        rc.load_parcellation({"maps": pair}).codes, rc.load_parcellation(pair).codes
    )
    surface = pytest.importorskip("nilearn.surface")
    image = surface.SurfaceImage(mesh_of(surface, 701, 680), {"left": left, "right": right})
    assert np.array_equal(rc.load_parcellation(bunch(maps=image, lut=lut)).codes, atlas.codes)


def mesh_of(surface, *n_vertices):
    sides = [
        surface.InMemoryMesh(np.random.default_rng(n).random((n, 3)), np.int32([[0, 1, 2]]))
        for n in n_vertices
    ]
    return surface.PolyMesh(*sides)


# --- maskers -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::FutureWarning:nilearn", "ignore::FutureWarning")
@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize("names", [{"lut": LUT}, {"labels": ["A", "B", "C"]}])
@pytest.mark.parametrize("has_mask", [False, True])
def test_a_label_masker_is_what_it_extracts_by(image, is_fitted, names, has_mask):
    maskers = pytest.importorskip("nilearn.maskers")
    rng = np.random.default_rng(1)
    mask = volume((rng.random((5, 6, 7)) < 0.7).astype(np.uint8)) if has_mask else None
    masker = maskers.NiftiLabelsMasker(image, mask_img=mask, standardize=None, **names)
    if is_fitted:
        masker.fit()
    series = volume(rng.standard_normal((5, 6, 7, 4)).astype(np.float32))
    signals = rc.extract(series, masker)
    assert signals.keys == ("A", "B", "C")
    theirs = masker.fit_transform(series)
    np.testing.assert_allclose(signals.values, theirs, rtol=1e-5)
    ours = np.asarray(rc.paint(theirs, masker).dataobj)
    np.testing.assert_allclose(ours, masker.inverse_transform(theirs).get_fdata(), rtol=1e-6)
    if is_fitted:
        assert dict(rc.load_parcellation(image, masker.lut_).table) == NAMES


def test_the_background_label_of_a_masker(image):
    maskers = pytest.importorskip("nilearn.maskers")
    masker = maskers.NiftiLabelsMasker(image, background_label=9)
    assert [region.label for region in rc.load_parcellation(masker)] == [0, 4, 12]
    assert [region.label for region in rc.load_parcellation(masker, background=0)] == [4, 9, 12]


def test_a_fitted_masker_has_its_labels_on_the_grid_of_the_data(image):
    maskers = pytest.importorskip("nilearn.maskers")
    coarse = nib.Nifti1Image(np.zeros((3, 3, 4, 2), np.float32), OBLIQUE @ np.diag([2, 2, 2, 1]))
    masker = maskers.NiftiLabelsMasker(image, lut=LUT).fit(coarse)
    assert rc.load_parcellation(masker).space.shape == (3, 3, 4)
    assert rc.load_parcellation(maskers.NiftiLabelsMasker(image)).space.shape == (5, 6, 7)


def test_a_masker_of_surfaces():
    maskers = pytest.importorskip("nilearn.maskers")
    surface = pytest.importorskip("nilearn.surface")
    mesh = mesh_of(surface, 701, 680)
    sides = {"left": vertex_labels("L") % 100, "right": vertex_labels("R")}
    labels = surface.SurfaceImage(mesh, sides)
    inside = {side: np.arange(len(values)) % 3 > 0 for side, values in sides.items()}
    mask = surface.SurfaceImage(mesh, inside)
    rng = np.random.default_rng(5)
    data = {side: rng.standard_normal(len(v)).astype(np.float32) for side, v in sides.items()}
    for given in (None, mask):
        masker = maskers.SurfaceLabelsMasker(labels, mask_img=given, standardize=None)
        atlas = rc.load_parcellation(masker)
        expected = rc.load_parcellation(sides, background=0, mask=given and inside)
        assert np.array_equal(atlas.codes, expected.codes)
        fitted = rc.load_parcellation(masker.fit())
        assert np.array_equal(fitted.counts, expected.counts)
        image = surface.SurfaceImage(mesh, data)
        assert rc.extract(image, masker).n_regions == len(atlas)


def test_other_maskers_say_what_they_are(image):
    maskers = pytest.importorskip("nilearn.maskers")
    maps = volume(np.random.default_rng(0).random((5, 6, 7, 2)))
    with pytest.raises(errors.ImageTypeError, match="This NiftiMapsMasker has a map per region"):
        rc.load_parcellation(maskers.NiftiMapsMasker(maps))
    with pytest.raises(errors.ArgumentError, match="NiftiLabelsMasker has no labels_img"):
        rc.load_parcellation(maskers.NiftiLabelsMasker())
    with pytest.raises(errors.ImageTypeError, match="this is NiftiMasker"):
        rc.load_parcellation(maskers.NiftiMasker(image))


# --- region tables -----------------------------------------------------------------------------

TABLES = {
    "bytes": [b"A", b"B", b"C"],
    "an array of bytes": np.array([b"A", b"B", b"C"]),
    "pairs": [(4, "A"), (9, "B"), (12, "C")],
    "pairs the other way round": [("C", 12), ("B", 9), ("A", 4)],
    "pairs with bytes": [(np.int32(4), b"A"), (9, b"B"), (12, np.bytes_(b"C"))],
    "a dict": NAMES,
    "a dict of bytes": {4: b"A", 9: b"B", 12: b"C"},
    "a dict of names": {"C": 12, "A": 4, "B": 9},
    "a dict of names as bytes": {b"C": 12, b"A": 4, b"B": 9},
    "a dict of dicts": {label: {"name": name} for label, name in NAMES.items()},
    "a dict of dicts with sizes": {
        4: {"name": "A", "size": 12}, 9: {"name": "B", "size": 9}, 12: {"name": "C", "size": 4}
    },
    "a dict of dicts by name": {
        name: {"index": label, "color": "#ffffff"} for label, name in NAMES.items()
    },
    "records": [{"name": name, "label": label} for label, name in NAMES.items()],
    "records of bytes": [{b"name": name.encode(), b"label": x} for x, name in NAMES.items()],
    "a structured array": np.array([*NAMES.items()], [("roi", "i4"), ("name", "S5")]),
    "a record array": np.rec.array([*NAMES.items()], names=["id", "region"]),
    "a DataFrame of bytes": pd.DataFrame({"index": [*NAMES], "name": [b"A", b"B", b"C"]}),
    "a DataFrame indexed by names": LUT.set_index("name"),
    "a Series of bytes": pd.Series([b"A", b"B", b"C"], index=[*NAMES]),
    "a table of columns": {"index": [*NAMES], "name": [b"A", b"B", b"C"]},
}  # fmt: skip


@pytest.mark.parametrize("what", TABLES)
def test_region_tables_of_any_make(image, what):
    assert dict(rc.load_parcellation(image, TABLES[what]).table) == NAMES


@pytest.mark.parametrize(
    "regions",
    [
        {label - 4: {"name": name} for label, name in NAMES.items()},
        [{"label": label + 100, "name": name} for label, name in NAMES.items()],
        [{"name": "A"}, {"name": "B"}],
        np.array([(1, b"A")], [("x", "i4"), ("name", "S1")]),
        [{"label": 4, "name": "A"}, {"label": 4, "name": "B"}],
        [b"\x00\x01", b"B", b"C"],
    ],
)
def test_region_tables_of_something_else_are_refused(image, regions):
    with pytest.raises((errors.RegionTableError, errors.FileFormatError)):
        rc.load_parcellation(image, regions)


# --- values ------------------------------------------------------------------------------------

ONE = {"C": 3.5, "A": 1.5, "B": -2.0}
VALUES = {
    "records": [{"name": name, "z": z} for name, z in ONE.items()],
    "records by label": [{"label": x, "z": ONE[name]} for x, name in NAMES.items()],
    "records, wide": [ONE],
    "a dict of dicts": {name: {"z": z} for name, z in ONE.items()},
    "a dict of dicts by label": {x: {"z": ONE[name]} for x, name in NAMES.items()},
    "a dict of dicts the other way round": {"z": ONE},
    "a structured array": np.array([*ONE.items()], [("name", "S3"), ("z", "f8")]),
    "a structured array, wide": np.array([tuple(ONE.values())], [(name, "f4") for name in ONE]),
    "a dict with bytes": {name.encode(): z for name, z in ONE.items()},
    "a Series with bytes": pd.Series(ONE.values(), index=[name.encode() for name in ONE]),
}


@pytest.mark.parametrize("what", VALUES)
def test_values_of_any_make(atlas, what):
    signals = rc.load_signals(VALUES[what], atlas)
    expected = np.asarray(rc.paint(ONE, atlas).dataobj)
    assert np.array_equal(np.asarray(rc.paint(VALUES[what], atlas).dataobj), expected)
    assert signals.single, what


def test_several_maps_in_mappings(atlas):
    by_map = {"m1": ONE, "m2": {name: 10 * z for name, z in ONE.items()}}
    by_region = {name: {"m1": z, "m2": 10 * z} for name, z in ONE.items()}
    records = [{"region": name, "m1": z, "m2": 10 * z} for name, z in ONE.items()]
    wide = [{"subject": m, **values} for m, values in by_map.items()]
    for values in (by_map, by_region, records, wide):
        signals = rc.load_signals(values, atlas)
        assert signals.map_names == ("m1", "m2")
        assert dict(zip(signals, signals.values.T.tolist(), strict=True)) == {
            name: [z, 10 * z] for name, z in ONE.items()
        }


def test_columns_that_name_no_region(atlas):
    for values in (np.zeros(3, [("a", float)]), [{"a": 1.0}, {"a": 2.0}, {"a": 3.0}]):
        with pytest.raises(errors.MatchError, match="no column of regions") as caught:
            rc.paint(values, atlas)
        assert "by='position'" in str(caught.value)
        assert rc.load_signals(values, atlas, by="position").n_regions == 3


def test_what_a_record_lacks_is_missing(atlas):
    with_gap = rc.load_signals([{"name": "A", "z": np.float32(1)}, {"name": "B"}], atlas)
    assert with_gap.values.dtype == np.float32
    assert np.array_equal(with_gap.values, [[1, np.nan]], equal_nan=True)


def test_a_mapping_of_mappings_both_of_which_name_regions(atlas):
    connectivity = {row: {"B": 1.0, "C": 2.0, "A": 3.0} for row in "ABC"}
    with pytest.raises(errors.MatchError, match="names regions in 2 ways that differ"):
        rc.paint(connectivity, atlas)
    with pytest.raises(errors.MatchError):
        rc.paint({"x": {"y": 1.0}}, atlas)


# --- xarray ------------------------------------------------------------------------------------


@pytest.fixture
def data_array():
    return pytest.importorskip("xarray").DataArray


@pytest.mark.parametrize("coords", [["C", "A", "B"], [12, 4, 9], [b"C", b"A", b"B"]])
def test_a_data_array_goes_by_the_coordinates_of_its_regions(atlas, data_array, coords):
    values = np.array([[3.0, 1.0, 2.0], [30.0, 10.0, 20.0]])
    expected = np.asarray(rc.paint([[1, 2, 3], [10, 20, 30]], atlas, dtype=float).dataobj)
    for name in ("region", "node", "dim_1"):
        array = data_array(values, dims=["time", name], coords={name: coords})
        for turned in (array, array.T):
            assert np.array_equal(np.asarray(rc.paint(turned, atlas).dataobj), expected)
        one = rc.paint(array[0], atlas)
        assert np.array_equal(np.asarray(one.dataobj), expected[..., 0])


def test_a_data_array_without_coordinates_is_an_array(atlas, data_array):
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    expected = np.asarray(rc.paint(values, atlas).dataobj)
    for array in (data_array(values), data_array(values.T, dims=["roi", "time"])):
        assert np.array_equal(np.asarray(rc.paint(array, atlas).dataobj), expected)
    assert rc.paint(data_array(values[0]), atlas).shape == (5, 6, 7)


def test_data_arrays_that_do_not_say_who_their_regions_are(atlas, data_array):
    named = data_array([1.0, 2, 3], dims=["roi"], coords={"name": ("roi", ["C", "A", "B"])})
    with pytest.raises(errors.SignalsError, match=r"'roi' .* no index") as caught:
        rc.paint(named, atlas)
    advice = re.search(r"values\.(swap_dims\(.*\))\.", str(caught.value))[1]
    turned = eval(f"values.{advice}", {"values": named})
    assert rc.load_signals(turned, atlas).keys == ("C", "A", "B")
    with pytest.raises(errors.SignalsError, match="these are 3D"):
        rc.paint(data_array(np.zeros((2, 2, 3))), atlas)


@pytest.mark.parametrize(
    "signals",
    [
        Signals([[1, 2, 3], [4, 5, 6]], ["C", "A", "B"], labels=[12, 4, 9], t_r=0.72),
        Signals([[1.5, 2, 3]] * 3, ["C", "A", "B"], map_names=["x", "y", "z"]),
        Signals(np.float32([1.5, 2, 3]), [12, 4, 9]),
        Signals([1, 2, 3], ["C", "A", "B"], map_names=["thickness"]),
        Signals([[1.5, 2, 3]] * 3, t_r=2.0),
        Signals([1.5, 2, 3]),
    ],
)
def test_signals_as_a_data_array_and_back(atlas, data_array, signals):
    array = signals.to_xarray()
    assert isinstance(array, data_array)
    assert array.dims[-1] == "region"
    back = rc.load_signals(array, atlas)
    assert np.array_equal(back.values, signals.values)
    assert back.values.dtype == signals.values.dtype
    assert (back.keys, back.t_r, back.single) == (signals.keys, signals.t_r, signals.single)
    assert back.map_names == signals.map_names
    if signals.t_r is not None:
        assert array.time.attrs["units"] == "s"
        assert array.time.values.tolist() == [n * signals.t_r for n in range(signals.n_maps)]
        assert rc.load_signals(array[::2], atlas).t_r in (2 * signals.t_r, None)
    if signals.labels is not None:
        assert array.label.values.tolist() == list(signals.labels)


def test_without_xarray(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(errors.MissingPackageError, match="pip install xarray"):
        Signals([1.0, 2.0]).to_xarray()


# --- signals as what people take them for ------------------------------------------------------


def test_signals_are_an_array():
    several = Signals([[1, 2, 3], [4, 5, 6]], ["C", "A", "B"])
    assert np.array_equal(np.asarray(several), [[1, 2, 3], [4, 5, 6]])
    assert np.asarray(Signals([1, 2, 3])).shape == (3,)
    assert np.asarray(Signals([[1, 2, 3]])).shape == (1, 3)
    assert np.asarray(several, np.float32).dtype == np.float32
    assert np.mean(several) == 3.5
    copy = np.array(several)
    copy[:] = 0
    assert several.values.sum() == 21
    assert np.shares_memory(np.asarray(several), several.values)
    with pytest.raises(ValueError, match="copy"):
        np.array(several, np.float32, copy=False)
    assert np.array_equal(np.corrcoef(several), np.corrcoef(several.values))


def test_signals_are_a_mapping_of_keys():
    signals = Signals([[1, 2, 3], [4, 5, 6]], ["C", "A", "9"], labels=[12, 4, 9])
    assert (len(signals), list(signals)) == (3, ["C", "A", "9"])
    assert signals["A"].tolist() == signals[4].tolist() == signals[np.int16(4)].tolist() == [2, 5]
    assert signals["9"].tolist() == [3, 6]
    assert ("A" in signals, 4 in signals, "B" in signals, 0 in signals) == (
        True,
        True,
        False,
        False,
    )
    single = Signals([1.5, 2, 3], [12, 4, 9])
    assert (single[9], single[9].shape) == (3, ())
    assert pd.DataFrame({key: signals[key] for key in signals}).equals(signals.to_pandas())
    assert pickle.loads(pickle.dumps(signals))["A"].tolist() == [2, 5]


@pytest.mark.parametrize("key", ["a", "Visual_1", 0, 1, -1, True, 4.0, slice(None), None, ("A",)])
def test_signals_have_no_other_keys(key):
    signals = Signals([[1, 2]], ["Visual_01", "A"], labels=[12, 4])
    assert key not in signals
    with pytest.raises(KeyError, match="None of 2 regions is called"):
        signals[key]


def test_an_unknown_key_comes_with_what_may_be_meant():
    with pytest.raises(errors.RegioncastError) as caught:
        Signals([[1, 2]], ["Visual_01", "A"])["Visual_1"]
    assert str(caught.value).endswith("Did you mean 'Visual_01'?")
    with pytest.raises(KeyError, match="2 of 2 regions are called 3"):
        Signals([[1, 2]], ["L:V1", "R:V1"], labels=[3, 3])[3]


@pytest.mark.parametrize(("key", "keys"), [("V1_R", ["V1_L", "A"]), (7001, [7002, 12])])
def test_no_hint_leads_to_another_region(key, keys):
    with pytest.raises(KeyError) as caught:
        Signals([[1, 2]], keys)[key]
    assert "Did you mean" not in str(caught.value)


def test_signals_without_keys():
    signals = Signals([[1, 2]])
    assert len(signals) == 2
    with pytest.raises(errors.SignalsError, match="no keys to go through"):
        list(signals)
    with pytest.raises(KeyError, match="keys are not known"):
        signals[1]


def test_columns_of_a_region_table(atlas):
    coverage = rc.extract(volume(np.ones((5, 6, 7))), atlas, mask=atlas_mask(atlas)).coverage
    assert coverage["fraction"].dtype == float
    assert coverage["fraction"].tolist() == list(coverage.columns["fraction"])
    assert coverage["index"].tolist() == [4, 9, 12]
    assert coverage["name"].tolist() == ["A", "B", "C"]
    assert coverage["name"][coverage["fraction"] < 1].tolist() == ["A", "B"]
    assert [region.label for region in coverage] == [4, 9, 12]
    assert set(coverage.to_pandas()) == {"index", "name", "voxels", "in_mask", "finite", "fraction"}
    for title in ("Fraction", 0, None):
        with pytest.raises(KeyError, match=r"no column .* 'index', 'name', 'voxels'"):
            coverage[title]
    gaps = rc.RegionTable([1, 2], columns={"lobe": ["x", None]}, hemispheres=["L", "R"])
    assert gaps["lobe"].tolist() == ["x", None]
    assert gaps["hemisphere"].tolist() == ["L", "R"]


def atlas_mask(atlas):
    """A mask that leaves out a part of two regions."""
    inside = np.ones(atlas.codes.shape, np.uint8)
    inside[2:4] = 0
    return volume(inside)
