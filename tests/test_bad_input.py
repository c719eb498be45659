"""Bad input is refused with a clear error, the same from Python and the shell; nothing is left."""

from __future__ import annotations

import contextlib
import functools
import gzip
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regioncast as rc
from regioncast import cli, errors

SHAPE = (5, 4, 6)
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])
LABELS = [3, 20, 1007]
NAMES = ["V1", "V2", "MT"]
VALUES = [0.5, -1.5, 2.25]

SUFFIXES = [".nii", ".nii.gz", ".mgz"]
COMPRESSED = [".nii.gz", ".mgz"]

is_root = os.getuid() == 0


def labels_data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.permutation(np.resize([0, *LABELS], np.prod(SHAPE))).astype(np.int32).reshape(SHAPE)


def save_volume(data, path, affine=AFFINE):
    kind = nib.MGHImage if path.suffix == ".mgz" else nib.Nifti1Image
    nib.save(kind(data, affine), path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder with an atlas, its table, and a table of values that fit."""
    monkeypatch.chdir(tmp_path)
    save_volume(labels_data(), Path("atlas.nii.gz"))
    pd.DataFrame({"index": LABELS, "name": NAMES}).to_csv("atlas.tsv", sep="\t", index=False)
    pd.DataFrame({"name": NAMES, "z": VALUES}).to_csv("values.tsv", sep="\t", index=False)
    return tmp_path


def snapshot(path):
    """Return names and contents of all that is in a folder."""
    files = sorted(path.rglob("*"))
    return {file: file.read_bytes() if file.is_file() else None for file in files}


@pytest.fixture
def refused(folder, capsys):
    """Return the function that checks a refusal from Python and from the shell."""

    def check(
        kinds, *fragments, values="values.tsv", atlas="atlas.nii.gz", output="map.nii.gz", **options
    ):
        before = snapshot(folder)
        keywords = {name: value for name, value in options.items() if name != "regions"}
        regions = options.get("regions")
        with pytest.raises(errors.RegioncastError) as caught:
            rc.save(rc.paint(values, rc.load_parcellation(atlas, regions), **keywords), output)
        message = str(caught.value)
        for kind in kinds:
            assert isinstance(caught.value, kind)
        for fragment in fragments:
            assert fragment in message
        assert snapshot(folder) == before

        words = [w for name, value in options.items() for w in (f"--{name}", str(value))]
        capsys.readouterr()
        assert cli.main(["paint", str(values), str(atlas), "-o", str(output), *words]) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err == f"regioncast: {message}\n"
        assert snapshot(folder) == before

    return check


def test_the_files_of_these_tests_are_good(folder):
    image = nib.load(rc.save(rc.paint("values.tsv", "atlas.nii.gz"), "map.nii.gz"))
    data = labels_data()
    expected = np.select([data == label for label in LABELS], VALUES)
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected)


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 4, 120])
def test_too_few_or_too_many_values(refused, n):
    np.save("values.npy", np.arange(float(n)))
    shown = f"values of shape ({n},) have {n} value{'s' * (n > 1)} for 3 regions"
    refused([errors.MatchError, ValueError], shown, values="values.npy")


def test_a_transposed_matrix_is_said_to_look_transposed(refused):
    np.save("values.npy", np.ones((3, 50)))
    refused(
        [errors.MatchError, ValueError],
        "values of shape (3, 50) have 50 columns for 3 regions",
        "they look transposed: turn them (values.T)",
        values="values.npy",
    )


@pytest.mark.parametrize("shape", [(), (2, 3, 3), (1, 1, 1, 3)])
def test_values_of_other_than_one_or_two_dimensions(refused, shape):
    np.save("values.npy", np.ones(shape))
    refused(
        [errors.SignalsError, ValueError],
        "Signals must be 1D (regions) or 2D (maps or time points, regions)",
        f"these are {len(shape)}D, of shape {shape}",
        values="values.npy",
    )


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.0, None, 2.0], dtype=object),
        np.array(["1", "2", "3"]),
        np.array([b"1", b"2", b"3"]),
        np.array(["2020-01-01"] * 3, dtype="datetime64[D]"),
        dict.fromkeys(NAMES, "high"),
        pd.Series(["a", "b", "c"], index=NAMES),
    ],
    ids=["object", "str", "bytes", "dates", "dict of str", "Series of str"],
)
def test_values_that_are_no_numbers(folder, values):
    with pytest.raises(
        errors.SignalsTypeError, match=r"Signals of dtype .* cannot be painted"
    ) as e:
        rc.paint(values, "atlas.nii.gz")
    assert isinstance(e.value, TypeError)
    assert "bool, integers, floats up to float64 and complex" in str(e.value)
    assert "numpy.asarray(signals, dtype='float64')" in str(e.value)


def test_values_that_are_no_numbers_are_shown(folder):
    values = dict(zip(NAMES, [1.0, None, "high"], strict=True))
    with pytest.raises(errors.SignalsTypeError, match=r"2 of 3 values are no number: None, 'high'"):
        rc.paint(values, "atlas.nii.gz")


def test_an_array_of_text_in_a_file(refused):
    np.save("values.npy", np.array(["1", "2", "3"]))
    refused([errors.SignalsTypeError, TypeError], "Signals of dtype <U1", values="values.npy")


def test_an_array_of_objects_in_a_file_is_never_unpickled(refused):
    np.save("values.npy", np.array([1.0, None, 2.0], dtype=object), allow_pickle=True)
    refused([errors.FileFormatError, ValueError], "values.npy", "allow_pickle", values="values.npy")


def test_text_in_a_column_of_values(refused):
    Path("values.tsv").write_text("name\tz\nV1\t0.5\nV2\thigh\nMT\tlow\n")
    refused(
        [errors.SignalsError, ValueError],
        "The column 'z' of values.tsv holds text: 'high', 'low'",
        "write n/a where there is none",
        columns="z",
    )


def test_a_mapping_with_ragged_values(folder):
    with pytest.raises(errors.SignalsError, match="every region needs as many numbers"):
        rc.paint({"V1": [1.0, 2.0], "V2": [3.0], "MT": [1.0, 2.0]}, "atlas.nii.gz")


def test_a_mapping_with_a_matrix_per_region(folder):
    with pytest.raises(errors.SignalsError, match=r"one number per map; .* shape \(2, 2\)"):
        rc.paint(dict.fromkeys(NAMES, np.ones((2, 2))), "atlas.nii.gz")


def test_something_else_altogether(folder):
    for values in ({1, 2, 3}, object(), "V1", None):
        with pytest.raises(errors.RegioncastError):
            rc.paint(values, "atlas.nii.gz")


@pytest.mark.parametrize(
    ("fill", "dtype", "shown"),
    [
        ("nan", "int16", "The fill value nan cannot be held by int16"),
        (300, "uint8", "The fill value 300.0 cannot be held by uint8"),
        (-1, "uint8", "The fill value -1.0 cannot be held by uint8"),
    ],
)
def test_a_fill_value_that_the_dtype_cannot_hold(refused, fill, dtype, shown):
    np.save("values.npy", np.arange(3))
    kinds = [errors.SignalsError, ValueError]
    refused(kinds, shown, "another fill value", values="values.npy", fill=float(fill), dtype=dtype)


@pytest.mark.parametrize("fill", [2**70, -(2**63) - 1])
def test_a_fill_value_beyond_64_bits(refused, fill):
    np.save("values.npy", np.arange(3))
    shown = f"The fill value {fill} cannot be held by int64"
    refused([errors.SignalsError], shown, "another fill value", values="values.npy", fill=fill)


@pytest.mark.parametrize("fill", [Decimal("3.0000000000000000001"), Fraction(1, 3), Decimal("nan")])
def test_a_fill_value_is_never_rounded_to_an_integer(folder, fill):
    with pytest.raises(errors.SignalsError, match=rf"The fill value {fill} cannot be held by int1"):
        rc.paint("values.tsv", "atlas.nii.gz", fill=fill, dtype="int16")


@pytest.mark.parametrize("fill", [10**400, Decimal("-1e400"), Fraction(10**400, 3)])
def test_a_fill_value_beyond_the_range_of_floats(folder, fill):
    with pytest.raises(errors.SignalsError, match=r"The fill value .* cannot be held by f"):
        rc.paint("values.tsv", "atlas.nii.gz", fill=fill)


@pytest.mark.parametrize(
    ("fill", "dtype"),
    [
        (2**70, "float64"),
        (2**70, "float32"),
        (Decimal("1.5"), "float64"),
        (Decimal("NaN"), "float64"),
        (Decimal("-Infinity"), "float64"),
        (Decimal(7), "int16"),
        (Decimal(2**53 + 1), "int64"),
        (Fraction(1, 2), "float64"),
        (Fraction(2**64 - 1), "uint64"),
    ],
)
def test_a_fill_value_may_be_any_number_of_python(folder, fill, dtype):
    np.save("values.npy", np.arange(3))
    painted = rc.paint("values.npy", "atlas.nii.gz", fill=fill, dtype=dtype)
    outside = np.asarray(painted.dataobj)[labels_data() == 0]
    number = int(fill) if np.dtype(dtype).kind in "iu" else float(fill)
    np.testing.assert_array_equal(outside, np.full(len(outside), number, dtype))


def test_values_that_the_dtype_cannot_hold(refused):
    refused(
        [errors.SignalsError, ValueError],
        "3 values cannot be held by int16: -1.5, 0.5, 2.25",
        "Pass another dtype, such as float64.",
        dtype="int16",
    )


@pytest.mark.parametrize("dtype", ["object", "U3", "datetime64[s]"])
def test_a_dtype_that_no_image_has(refused, dtype):
    refused([errors.SignalsTypeError, TypeError], "cannot be painted", dtype=dtype)


def test_a_dtype_that_does_not_exist(refused):
    refused([errors.RegioncastError], "float33", "float32", dtype="float33")


@pytest.mark.parametrize(
    ("options", "kind", "shown"),
    [
        ({"fill": "x"}, TypeError, "fill must be a number; 'x' is str"),
        ({"fill": None}, TypeError, "fill must be a number; None is NoneType"),
        ({"fill": [1, 2]}, TypeError, "fill must be a number; [1, 2] is list"),
        ({"fill": np.timedelta64(1, "s")}, TypeError, "is timedelta64"),
        ({"missing": "drop"}, ValueError, "'drop'"),
        ({"extra": "drop"}, ValueError, "'drop'"),
    ],
)
def test_an_argument_that_means_nothing(folder, options, kind, shown):
    with pytest.raises(errors.RegioncastError) as caught:
        rc.paint("values.tsv", "atlas.nii.gz", **options)
    assert isinstance(caught.value, kind)
    assert shown in str(caught.value)


@pytest.mark.parametrize(
    ("options", "kind", "shown"),
    [
        ({"background": "x"}, TypeError, "must be a number; 'x' is str"),
        ({"background": 10**400}, ValueError, "No label is as large as"),
        ({"regions": 5}, ValueError, "is no region table. Give a path, a mapping"),
    ],
)
@pytest.mark.parametrize("labels", ["atlas.nii.gz", {"left": np.int16([0, 3, 3, 20])}])
def test_an_argument_of_an_atlas_that_means_nothing(folder, labels, options, kind, shown):
    with pytest.raises(errors.RegioncastError) as caught:
        rc.load_parcellation(labels, **options)
    assert isinstance(caught.value, kind)
    assert shown in str(caught.value)


@pytest.mark.parametrize("by", ["nonsense", ["name"], {"name": 1}, None, 3])
@pytest.mark.parametrize("values", ["values.tsv", dict(zip(NAMES, VALUES, strict=True))], ids=type)
def test_a_column_of_the_region_table_that_is_not_there(folder, by, values):
    for use in (rc.paint, lambda *args, **options: rc.match(*args, **options).check()):
        with pytest.raises(errors.MatchError) as caught:
            use(values, "atlas.nii.gz", by=by)
        assert f"the region table has no column {str(by)!r}; it has 'name'" in str(caught.value)


def test_an_order_that_does_not_exist(folder):
    with pytest.raises(errors.ArgumentError, match="order must be 'C' or 'F', not 'K'") as caught:
        rc.signals_to_img_labels(VALUES, "atlas.nii.gz", order="K")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("role", ["labels", "mask"])
def test_colours_are_no_labels(refused, role):
    rgb = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(rgb, AFFINE), "rgb.nii")
    options = {"atlas": "rgb.nii"} if role == "labels" else {"mask": "rgb.nii"}
    refused([errors.ImageTypeError, TypeError], f"The {role} image holds", "colours", **options)


def test_a_title_that_stands_twice(folder):
    frame = pd.DataFrame([["V1", 1.0, 2.0]], columns=["name", "z", "z"])
    with pytest.raises(errors.MatchError, match=r"1 column title .* more than once: 'z'"):
        rc.paint(frame, "atlas.nii.gz")


@pytest.mark.parametrize("columns", [{"map": [1.5, 2.5]}, {"subject": ["a", "b"]}])
@pytest.mark.parametrize("categories", [False, True])
def test_a_table_that_only_names_maps(folder, columns, categories):
    with pytest.raises(errors.SignalsError, match="no column of numbers beside what names maps"):
        rc.paint(pd.DataFrame(columns), "atlas.nii.gz", categories=categories)


def test_numbers_beyond_64_bits(refused):
    Path("values.tsv").write_text(f"name\tz\nV1\t{2**70}\nV2\t1\nMT\t2\n")
    refused([errors.SignalsError, ValueError], "beyond 64 bits", str(2**70))


def test_only_what_is_public_is_completed():
    assert dir(rc) == sorted({*rc.__all__, "__version__"})


# --- names and labels ------------------------------------------------------------------------


def write_values(*rows, title="name"):
    Path("values.tsv").write_text("\n".join([f"{title}\tz", *rows, ""]))


def test_unknown_and_misspelt_names_show_near_misses(refused):
    write_values("V1\t1", "v2\t2", "MT\t3", "Cerebellum\t4")
    refused(
        [errors.MatchError, ValueError],
        "1 region without a value; 2 keys that no region has",
        "missing  1: 'V2'",
        "unused   2: 'v2', 'Cerebellum'",
        "did you mean 'V2' for 'v2'?",
        "missing='fill'",
        "extra='ignore'",
    )


def test_names_that_two_regions_share(refused):
    Path("atlas.tsv").write_text("index\tname\n3\tV1\n20\tinsula\n1007\tinsula\n")
    write_values("V1\t1", "insula\t2")
    refused(
        [errors.MatchError, ValueError],
        "1 name stands for more than one region: 'insula' ('insula' for labels 20, 1007)",
        "Key the values by label",
    )


def test_duplicate_keys(refused):
    write_values("V1\t1", "V2\t2", "MT\t3", "V1\t4")
    refused([errors.MatchError, ValueError], "1 key given more than once: 'V1'")


def test_mixed_names_and_labels(refused):
    write_values("V1\t1", "20\t2", "MT\t3")
    refused(
        [errors.MatchError, ValueError],
        "partly names ('V1', 'MT') and partly labels (20): use one kind",
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "name\tz\n", "\ufeff"])
def test_an_empty_table(refused, text):
    Path("values.tsv").write_text(text)
    shown = "has a header" if "z" in text else "is empty"
    refused([errors.FileFormatError, ValueError], "values.tsv", shown)


def test_an_empty_data_frame(folder):
    with pytest.raises(errors.SignalsError, match="The DataFrame is empty: it has no row"):
        rc.paint(pd.DataFrame({"name": [], "z": []}), "atlas.nii.gz")


def test_a_table_without_a_key_column(refused):
    Path("values.tsv").write_text("mean\tsd\n0.5\t1.5\n2.5\t3.5\n4.5\t0.25\n")
    refused(
        [errors.MatchError, ValueError],
        "values.tsv has no column of regions",
        "'mean', 'sd'",
        "Names: 'V1', 'V2', 'MT'",
        "Labels: 3, 20, 1007",
        "Pass key=",
    )


def test_a_key_column_that_is_not_there(refused):
    refused(
        [errors.MatchError, ValueError],
        "values.tsv has no column 'region'; its columns are 'name', 'z'",
        key="region",
    )


def test_a_row_without_a_key(refused):
    write_values("V1\t1", "\t2", "MT\t3")
    refused(
        [errors.MatchError, ValueError],
        "1 row of values.tsv without a key in the column 'name': 2",
        "Fill in the region, or remove the row",
    )


def test_a_row_that_is_too_long(refused):
    write_values("V1\t1", "V2\t2\t9", "MT\t3")
    refused([errors.FileFormatError, ValueError], "values.tsv, line 3: 3 cells", "has 2")


def test_binary_bytes_under_the_name_of_a_table(refused):
    shutil.copy("atlas.nii.gz", "binary.tsv")
    refused([errors.FileFormatError, ValueError], "binary.tsv is not text", values="binary.tsv")


@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
@pytest.mark.parametrize("share", [0, 0.5, 0.95])
def test_tables_cut_short(refused, suffix, share):
    if suffix == ".npy":
        np.save("cut.npy", np.arange(1000.0))
    else:
        pd.read_csv("values.tsv", sep="\t").to_parquet("cut.parquet")
    file = Path(f"cut{suffix}")
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    shown = f"cut{suffix} is no {'NumPy' if suffix == '.npy' else 'readable Parquet'} file"
    refused([errors.FileFormatError, ValueError], shown, values=str(file))


# --- grids -----------------------------------------------------------------------------------


def test_a_mask_of_another_shape(refused):
    save_volume(np.ones((5, 4, 7), np.uint8), Path("mask.nii.gz"))
    refused(
        [errors.SpaceError, ValueError],
        "The mask image has 5×4×7 voxels, the labels image has 5×4×6",
        "Resample the mask image to the grid of the labels image",
        mask="mask.nii.gz",
    )


def test_a_mask_of_another_affine(refused):
    moved = AFFINE.copy()
    moved[:3, 3] += [0, 0, 1.5]
    save_volume(np.ones(SHAPE, np.uint8), Path("mask.nii.gz"), moved)
    smallest = np.linalg.norm(AFFINE[:3, :3], axis=0).min()
    refused(
        [errors.SpaceError, ValueError],
        "The mask image lies up to 1.5 mm",
        f"({1.5 / smallest:.3g} voxels) away from the labels image, most at voxel (",
        "Resample the mask image",
        mask="mask.nii.gz",
    )


def test_a_mask_that_is_stretched_says_where_it_is_furthest(refused):
    stretched = AFFINE.copy()
    stretched[:3, 2] *= 1.1
    save_volume(np.ones(SHAPE, np.uint8), Path("mask.nii.gz"), stretched)
    shift = 0.1 * 5 * np.linalg.norm(AFFINE[:3, 2])
    refused([errors.SpaceError, ValueError], f"{shift:.4g} mm", ", 5)", mask="mask.nii.gz")


def test_a_mask_that_leaves_no_region(refused):
    save_volume((labels_data() == 0).astype(np.uint8), Path("mask.nii.gz"))
    refused(
        [errors.LabelsError, ValueError],
        "The mask leaves no region: none of 3 regions has a voxel inside it",
        "Check that mask and labels overlap",
        mask="mask.nii.gz",
    )


def test_an_atlas_without_regions(refused):
    save_volume(np.zeros(SHAPE, np.int32), Path("empty.nii.gz"))
    refused(
        [errors.LabelsError, ValueError],
        "The labels image has no region: every voxel is background (label 0)",
        "pass another background label",
        atlas="empty.nii.gz",
    )


def without_place(path, number):
    """A volume whose header gives this for the size of voxels."""
    image = nib.Nifti1Image(labels_data(), AFFINE)
    image.header["srow_x"] = number
    image.header["qform_code"] = 0
    path.write_bytes(image.header.binaryblock + bytes(4) + labels_data().tobytes(order="F"))
    return path.name


@pytest.mark.parametrize(
    ("number", "problem"), [(np.nan, "has numbers that are NaN"), (0, "is singular: its voxels")]
)
def test_an_affine_that_is_none(refused, number, problem):
    name = without_place(Path("nowhere.nii"), number)
    shown = f"nowhere.nii does not say where its voxels are: its affine {problem}"
    refused([errors.SpaceError, ValueError], "The labels image", shown, atlas=name)
    refused([errors.SpaceError, ValueError], "The mask image", shown, mask=name)
    for atlas in ("atlas.nii.gz", name):
        with pytest.raises(errors.SpaceError, match=shown):
            rc.extract(name, atlas)


@pytest.mark.parametrize("shape", [(5, 4, 6, 2), (5, 4, 6, 1, 3), (5, 4)])
def test_labels_that_are_not_one_volume(refused, shape):
    nib.save(nib.Nifti1Image(np.ones(shape, np.int16), AFFINE), "other.nii.gz")
    refused(
        [errors.DimensionError, TypeError],
        f"The labels image has the shape {shape}; give one volume",
        atlas="other.nii.gz",
    )


def test_a_mask_that_is_not_one_volume(refused):
    nib.save(nib.Nifti1Image(np.ones((*SHAPE, 2), np.int16), AFFINE), "mask.nii.gz")
    refused([errors.DimensionError, TypeError], "The mask image has the shape", mask="mask.nii.gz")


def test_a_statistic_map_where_labels_are_needed(refused):
    save_volume(np.linspace(0.1, 7.7, 120).reshape(SHAPE), Path("stat.nii.gz"))
    refused(
        [errors.LabelsError, ValueError],
        "120 labels of the labels image are no integer: 0.1, 0.163866",
        "and 115 more",
        "is it a statistic map?",
        atlas="stat.nii.gz",
    )


# --- surfaces and grayordinates --------------------------------------------------------------


def write_gifti(name):
    array = nib.gifti.GiftiDataArray(np.arange(10, dtype=np.int32), intent="NIFTI_INTENT_LABEL")
    nib.save(nib.GiftiImage(darrays=[array]), name)


def write_cifti(name):
    brain = nib.cifti2.BrainModelAxis.from_mask(
        labels_data() > 0, affine=AFFINE, name="thalamus_left"
    )
    axis = nib.cifti2.ScalarAxis(["labels"])
    nib.save(nib.Cifti2Image(np.ones((1, len(brain)), np.float32), (axis, brain)), name)


def write_annot(name):
    ctab = np.array([[25, 5, 25, 0, 1], [100, 25, 0, 0, 2]])
    nib.freesurfer.write_annot(name, np.array([0, 1, 1]), ctab, ["unknown", "V1"], fill_ctab=True)


def write_geometry(name):
    points = np.eye(3, dtype=np.float32)
    nib.freesurfer.write_geometry(name, points, np.array([[0, 1, 2]]), volume_info=None)


@pytest.mark.parametrize("role", ["labels", "mask"])
def test_a_mesh_without_values(refused, role):
    write_geometry("lh.pial")
    options = {"atlas": "lh.pial"} if role == "labels" else {"mask": "lh.pial"}
    kinds = [errors.ImageTypeError, TypeError]
    refused(kinds, f"The {role} image is a surface", "volume is needed", **options)


def test_a_mask_of_another_kind(refused):
    write_gifti("lh.func.gii")
    kinds = [errors.SpaceError, ValueError]
    message = "The labels image is of a volume, the mask image is of surfaces (CORTEX_LEFT)"
    refused(kinds, message, mask="lh.func.gii")


def test_labels_that_are_none(refused):
    write_cifti("atlas.dscalar.nii")
    refused([errors.LabelsError], "neither labels nor parcels", atlas="atlas.dscalar.nii")
    write_gifti("lh.label.gii")
    refused([errors.LabelsError], "empty label table", atlas="lh.label.gii")


@pytest.mark.parametrize("role", ["labels_img", "mask_img"])
@pytest.mark.parametrize(
    ("write", "name", "what"),
    [
        (write_gifti, "lh.label.gii", "a surface"),
        (write_cifti, "atlas.dscalar.nii", "CIFTI"),
        (write_annot, "lh.aparc.annot", "a surface"),
        (write_geometry, "lh.pial", "a surface"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_no_volume_in_nilearns_place(role, write, name, what):
    write(name)
    images = {"labels_img": "atlas.nii.gz", role: name}
    with pytest.raises(errors.ImageTypeError, match=rf"image is {what}.*; a volume is needed"):
        rc.signals_to_img_labels(VALUES, **images)


@pytest.mark.usefixtures("folder")
def test_images_in_memory_that_are_no_volumes():
    write_cifti("atlas.dscalar.nii")
    write_gifti("lh.label.gii")
    for image in (nib.load("atlas.dscalar.nii"), nib.load("lh.label.gii")):
        with pytest.raises(errors.ImageTypeError, match="a volume is needed"):
            rc.signals_to_img_labels(VALUES, image)
    with pytest.raises(errors.ImageTypeError, match=r"nibabel.Nifti1Image\(array, affine\)"):
        rc.paint("values.tsv", labels_data())


# --- damaged files ---------------------------------------------------------------------------


@functools.cache
def good_file(suffix):
    """Return the bytes of the atlas in a format, enough of them to be cut in many places."""
    data = np.kron(labels_data(), np.ones((2, 3, 2), np.int32))
    with tempfile.TemporaryDirectory() as place:
        return save_volume(data, Path(place, f"a{suffix}")).read_bytes()


def read_or_refuse(folder, suffix, content):
    """Return the parcellation of a damaged file, or None where it is refused."""
    file = folder / f"damaged{suffix}"
    file.write_bytes(content)
    try:
        return rc.load_parcellation(file)
    except errors.RegioncastError:
        return None


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(tmp_path_factory, suffix, data):
    content = good_file(suffix)
    cut = data.draw(st.integers(0, len(content) - 1))
    file = tmp_path_factory.mktemp("cut") / f"cut{suffix}"
    file.write_bytes(content[:cut])
    with pytest.raises(errors.FileFormatError) as caught:
        rc.load_parcellation(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("suffix", COMPRESSED)
@given(data=st.data())
def test_a_changed_byte_in_a_compressed_file_never_changes_the_map(tmp_path_factory, suffix, data):
    content = bytearray(good_file(suffix))
    at = data.draw(
        st.integers(0, len(content) - 1) | st.integers(len(content) - 8, len(content) - 1)
    )
    content[at] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("changed")
    got = read_or_refuse(folder, suffix, bytes(content))
    if got is not None:  # a byte that says nothing of the content, as the time in the head
        expected = read_or_refuse(folder, suffix, good_file(suffix))
        np.testing.assert_array_equal(got.codes, expected.codes)
        np.testing.assert_array_equal(got.space.affine, expected.space.affine)


@pytest.mark.parametrize("suffix", COMPRESSED)
@pytest.mark.parametrize("region", ["head", "middle", "CRC", "length"])
def test_each_part_of_a_compressed_file_is_checked(refused, suffix, region):
    content = bytearray(good_file(suffix))
    at = {"head": 1, "middle": len(content) // 2, "CRC": -7, "length": -3}[region]
    content[at] ^= 0x55
    Path(f"damaged{suffix}").write_bytes(content)
    kinds = [errors.FileFormatError, ValueError]
    refused(kinds, "The labels image", f"damaged{suffix}", atlas=f"damaged{suffix}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # an affine of NaN or infinity
@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_a_damaged_header_never_ends_in_another_error(tmp_path_factory, suffix, data):
    content = good_file(suffix)
    plain = bytearray(content if suffix == ".nii" else gzip.decompress(content))
    at = data.draw(st.integers(0, 351 if suffix != ".mgz" else 89))
    plain[at] = data.draw(st.integers(0, 255))
    changed = bytes(plain) if suffix == ".nii" else gzip.compress(plain)
    read_or_refuse(tmp_path_factory.mktemp("header"), suffix, changed)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "content",
    [b"", b"index\tname\n1\tV1\n", b"\x89PNG\r\n\x1a\n" + bytes(500), bytes(2000)],
    ids=["nothing", "text", "PNG", "zeros"],
)
@pytest.mark.parametrize("role", ["labels", "mask"])
def test_a_file_that_is_no_image(refused, role, content, suffix):
    file = Path(f"thing{suffix}")
    file.write_bytes(content)
    options = {"atlas": str(file)} if role == "labels" else {"mask": str(file)}
    kinds = [errors.FileFormatError, ValueError]
    refused(kinds, f"The {role} image", f"thing{suffix}", **options)


def test_a_file_that_is_not_what_its_name_says(refused):
    kinds = [errors.FileFormatError, ValueError]
    Path("plain.nii.gz").write_bytes(good_file(".nii"))
    advice = "If it is an uncompressed image, name it so"
    refused(kinds, "named as compressed and is not (not a gzip file)", advice, atlas="plain.nii.gz")
    Path("compressed.nii").write_bytes(good_file(".nii.gz"))
    refused(kinds, "is compressed, and its name does not say so", atlas="compressed.nii")
    refused(kinds, "is a table and no image: values.tsv", "before ATLAS", atlas="values.tsv")
    Path("empty.nii.gz").touch()
    refused(kinds, "The labels image is empty: empty.nii.gz", atlas="empty.nii.gz")


def test_the_data_of_a_pair_may_begin_like_a_surface(refused):
    labels = np.full((2, 3, 4), -1, np.int32)
    labels[1] = [[5], [6], [7]]
    nib.save(nib.Nifti1Pair(labels, np.eye(4)), "pair.img")
    assert rc.load_parcellation("pair.img").table.labels.tolist() == [-1, 5, 6, 7]


@pytest.mark.parametrize("name", ["notes.txt", "scan.dcm", "atlas", "atlas.tsv"])
def test_a_file_whose_name_is_not_that_of_an_image(refused, name):
    Path(name).write_text("index\tname\n1\tV1\n")
    refused([errors.FileFormatError, ValueError], "The labels image", name, atlas=name)


# --- paths -----------------------------------------------------------------------------------

ROLES = {
    "values": ("values", "The file of values"),
    "atlas": ("atlas", "The labels image"),
    "mask": ("mask", "The mask image"),
    "regions": ("regions", ""),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", ["none.tsv", "none.nii.gz", "no/such/folder/none.tsv"])
def test_a_missing_file(refused, role, name):
    option, what = ROLES[role]
    refused(
        [errors.InputMissingError, FileNotFoundError], what, name, "not exist", **{option: name}
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_folder_where_a_file_is_needed(refused, role):
    Path("things.nii.gz").mkdir()
    option, what = ROLES[role]
    kinds = [errors.InputMissingError, FileNotFoundError]
    refused(kinds, what, "is a folder", "things.nii.gz", **{option: "things.nii.gz"})


@pytest.mark.parametrize("name", ["x.nii.gz", "x.mgh", "lh.x.gii", "lh.x.annot", "x.dlabel.nii"])
def test_a_pipe_is_no_image(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(errors.FileFormatError, match="is a pipe"):
        rc.load_parcellation(tmp_path / name)


def test_a_device_is_no_table(tmp_path, folder):
    (tmp_path / "x.tsv").symlink_to("/dev/zero")
    with pytest.raises(errors.FileFormatError, match="is a device"):
        rc.paint(tmp_path / "x.tsv", folder / "atlas.nii.gz")


def test_a_pipe_of_a_name_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "x.xml")
    text = '<atlas><data><label index="1">a</label></data></atlas>'
    writer = threading.Thread(target=(tmp_path / "x.xml").write_text, args=[text])
    writer.start()
    image = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    assert rc.load_parcellation(image, tmp_path / "x.xml").table.names == ("a",)
    writer.join()


def test_a_link_to_a_folder_above_gives_no_file_twice(tmp_path):
    (tmp_path / "sub").mkdir()
    nib.save(nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "sub/x.nii.gz")
    (tmp_path / "sub" / "up").symlink_to("..")
    assert rc.extract(tmp_path / "**" / "x.nii.gz", tmp_path / "sub/x.nii.gz").n_maps == 1


@pytest.mark.parametrize(
    "options",
    [
        {"min_coverage": "0.5"},
        {"detrend": "yes"},
        {"by": ["name"]},
        {"confounds": [[1.0]], "confound_columns": 5.5},
    ],
)
def test_arguments_of_another_type(options):
    series = nib.Nifti1Image(np.random.default_rng(0).random((2, 2, 2, 3)), np.eye(4))
    atlas = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    with pytest.raises(errors.RegioncastError):
        rc.extract(series, atlas, **options)


@pytest.mark.parametrize("option", ["strip", "columns"])
def test_titles_of_another_type(option):
    atlas = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    with pytest.raises(errors.ArgumentTypeError, match=option):
        rc.paint({"name": [1], "z": [2.0]}, atlas, **{option: 1.5})


@pytest.mark.parametrize("pattern", ["at*.nii.gz", "[a]tlas.nii.gz", "atlas.nii.g?"])
def test_a_pattern_is_a_name(refused, pattern):
    refused([errors.InputMissingError], pattern, "does not exist", atlas=pattern)


def test_values_with_a_suffix_that_nobody_knows(refused):
    shutil.copy("values.tsv", "values.xlsx")
    refused(
        [errors.FileFormatError, ValueError],
        "Values cannot be read from 'values.xlsx': they come from .tsv, .csv, .txt, .1D, .stats, "
        ".npy, .parquet",
        values="values.xlsx",
    )


@pytest.mark.parametrize("name", ["map", "map.img", "map.nii.bz2", "map.gz", "map.nii.gz.txt"])
def test_an_output_with_a_suffix_that_nobody_knows(refused, name):
    refused(
        [errors.FileFormatError, ValueError],
        f"An image cannot be written as '{name}'. Volumes are written as .nii.gz, .nii, .mgz, ",
        output=name,
    )


def test_a_folder_as_output(refused):
    Path("map.nii.gz").mkdir()
    refused([errors.OutputError, OSError], "The output is a folder: map.nii.gz")
    Path("maps").mkdir()
    refused([errors.OutputError, OSError], "The output is a folder: maps", output="maps")
    refused([errors.OutputError, OSError], "The output is a folder: .", output=".")


def test_an_output_in_a_folder_that_does_not_exist(folder, refused):
    refused(
        [errors.OutputError, OSError],
        f"The folder of the output does not exist: {folder.resolve() / 'no/such'}. Make it first.",
        output="no/such/map.nii.gz",
    )


def test_an_output_in_a_folder_that_is_a_file(folder, refused):
    Path("a.txt").touch()
    refused(
        [errors.OutputError, OSError],
        f"The folder of the output, {folder.resolve() / 'a.txt'}, cannot be: ",
        output="a.txt/map.nii.gz",
    )


@pytest.mark.parametrize("path", [None, 3, b"map.nii.gz"])
def test_an_output_that_is_no_name(path):
    with pytest.raises(errors.ArgumentTypeError, match="path is the name of a file; "):
        rc.save(rc.Signals([1.0, 2.0]), path)


@pytest.mark.parametrize("name", ["map.nii.gz", "map.nii", "map.mgz"])
def test_an_existing_output_stays_as_it_is(refused, name):
    Path(name).write_bytes(b"precious")
    refused([errors.OutputExistsError, FileExistsError], name, "overwrite", output=name)


def test_the_atlas_as_output(refused):
    refused([errors.OutputExistsError], "The output exists: atlas.nii.gz", output="atlas.nii.gz")


@pytest.mark.parametrize("name", ["signals.nii.gz", "signals", "signals.xlsx"])
def test_signals_under_a_suffix_that_nobody_knows(folder, name):
    before = snapshot(folder)
    with pytest.raises(
        errors.FileFormatError, match=r"Tables of signals cannot be written as .*: they end in"
    ) as e:
        rc.save(rc.load_signals("values.tsv", "atlas.nii.gz"), name)
    assert repr(name) in str(e.value)
    assert all(suffix in str(e.value) for suffix in (".tsv", ".csv", ".parquet", ".npy"))
    assert snapshot(folder) == before


@pytest.mark.parametrize("dtype", ["float64", "int64", "complex64", "uint32"])
def test_an_mgz_of_a_dtype_that_it_cannot_hold(refused, dtype):
    np.save("values.npy", np.array([1, 2, 3], dtype))
    refused(
        [errors.SignalsTypeError, TypeError],
        "MGH files hold uint8, int16, int32 and float32",
        dtype,
        "dtype='float32' (--dtype float32), or write .nii.gz",
        values="values.npy",
        output="map.mgz",
    )


# --- a disk that is full, files that may not be touched --------------------------------------


@contextlib.contextmanager
def files_limited_to(size):
    """Let no file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["map.nii.gz", "map.nii", "map.mgz"])
@pytest.mark.parametrize("old", [None, b"precious"])
def test_a_file_that_cannot_grow_leaves_the_old_one(folder, capsys, name, old):
    values = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)
    np.save("values.npy", values)
    if old is not None:
        Path(name).write_bytes(old)
    before = snapshot(folder)
    words = ["paint", "values.npy", "atlas.nii.gz", "-o", name, "--overwrite"]
    with files_limited_to(500):
        with pytest.raises(errors.OutputError, match=f"Writing {name} failed: .*ing was changed"):
            rc.save(rc.paint("values.npy", "atlas.nii.gz"), name, overwrite=True)
        assert cli.main(words) == 1
    assert capsys.readouterr().err.startswith(f"regioncast: Writing {name} failed: ")
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", ["signals.tsv", "signals.csv", "signals.npy", "signals.parquet"])
def test_signals_that_cannot_be_written_leave_nothing(folder, name):
    signals = rc.Signals(
        np.random.default_rng(0).standard_normal((200, 3)), NAMES, labels=[1, 2, 3]
    )
    before = snapshot(folder)
    with files_limited_to(500), pytest.raises(errors.OutputError, match="Nothing was changed"):
        rc.save(signals, name)
    assert snapshot(folder) == before


@pytest.fixture
def full_disk(folder):
    """A file system of 64 kB."""
    disk = folder / "disk"
    disk.mkdir()
    if not is_root:
        pytest.skip("only root may mount a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_a_full_disk(full_disk, suffix, capsys):
    values = np.random.default_rng(0).standard_normal((5000, 3))
    np.save("values.npy", values)
    output = full_disk / f"map{suffix}"
    with pytest.raises(errors.OutputError, match="No space left on device") as caught:
        rc.save(rc.paint("values.npy", "atlas.nii.gz"), output)
    assert isinstance(caught.value, OSError)
    assert cli.main(["paint", "values.npy", "atlas.nii.gz", "-o", str(output)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"regioncast: {caught.value}\n"
    assert list(full_disk.iterdir()) == []


# Root may read and write everything, because of two capabilities (CAP_DAC_OVERRIDE and
# CAP_DAC_READ_SEARCH); a process that is started after they are dropped may not.
WITHOUT_PRIVILEGES = """
import ctypes, os, sys
if os.getuid() == 0:
    PR_CAPBSET_DROP = 24
    for capability in (1, 2):
        if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            sys.exit(99)
os.execv(sys.executable, [sys.executable, "-P", *sys.argv[1:]])
"""


@pytest.fixture
def unprivileged(folder):
    """Return the function that runs Python without the right to do everything."""

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_PRIVILEGES, *words],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode == 99:
            pytest.skip("root cannot drop its privileges here")
        return done

    yield run
    for file in [folder, *folder.iterdir()]:
        file.chmod(0o700)


PAINT = "import regioncast as rc; rc.save(rc.paint('values.tsv', 'atlas.nii.gz'), 'map.nii.gz')"
SHELL = ["-m", "regioncast", "paint", "values.tsv", "atlas.nii.gz", "-o", "map.nii.gz"]


def test_a_folder_that_may_not_be_written(folder, unprivileged):
    folder.chmod(0o555)
    before = snapshot(folder)
    from_python, from_shell = unprivileged("-c", PAINT), unprivileged(*SHELL)
    shown = "The folder of the output is not writable"
    assert f"OutputError: {shown}" in from_python.stderr
    assert from_shell.returncode == 1
    assert from_shell.stdout == ""
    assert from_shell.stderr.startswith(f"regioncast: {shown}")
    assert from_shell.stderr.count("\n") == 1
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", ["atlas.nii.gz", "values.tsv", "atlas.tsv"])
def test_a_file_that_may_not_be_read(folder, unprivileged, name):
    Path(name).chmod(0)
    before = {file.name for file in folder.iterdir()}
    from_shell = unprivileged(*SHELL)
    assert from_shell.returncode == 1
    assert from_shell.stdout == ""
    assert name in from_shell.stderr
    assert "ermission" in from_shell.stderr
    assert "unexpected" not in from_shell.stderr
    assert "damaged" not in from_shell.stderr
    assert from_shell.stderr.count("\n") == 1
    error = f"try:\n    {PAINT}\nexcept PermissionError as e:\n    print(type(e).__name__)"
    assert unprivileged("-c", error.replace("; ", "\n    ")).stdout.endswith("Error\n")
    assert {file.name for file in folder.iterdir()} == before


def test_an_input_in_a_folder_that_may_not_be_entered(folder, unprivileged):
    closed = Path("closed")
    closed.mkdir()
    shutil.copy("values.tsv", closed)
    closed.chmod(0)
    words = [word.replace("values.tsv", "closed/values.tsv") for word in SHELL]
    from_shell = unprivileged(*words)
    closed.chmod(0o755)
    assert from_shell.returncode == 1
    assert "closed/values.tsv" in from_shell.stderr
    assert "ermission" in from_shell.stderr
    assert "unexpected" not in from_shell.stderr
