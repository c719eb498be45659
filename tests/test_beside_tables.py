"""What tables meet: labels that a dtype cannot tell apart, names of files, hints that hold."""

from __future__ import annotations

import ast
import contextlib
import re
import time
import warnings

import nibabel as nib
import numpy as np
import pytest
from nibabel.freesurfer import write_annot
from small_spaces import brain_models, dlabel, labels_gifti, maps_gifti
from tables.atlases import atlas, labels_image
from tables.value_cases import CASES
from test_table_cases import each, painted, written

import regioncast as rc
from regioncast.errors import LabelsError, RegioncastError, RegioncastWarning, RegionTableError
from regioncast.tables.regions import read_region_table

# --- labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "first"), [("float32", 182305689), ("float32", 2**24 + 1), ("float64", 2**53 + 1)]
)
def test_labels_that_the_dtype_does_not_tell_apart(dtype, first):
    labels = np.array([0, *(first + 4 * n for n in range(4))], np.int64).astype(dtype)
    image = nib.Nifti1Image(np.resize(labels, (3, 2, 5)), np.diag([2, 3, -1, 1]), dtype=dtype)
    for use in (rc.load_parcellation, lambda image: rc.signals_to_img_labels(np.ones(4), image)):
        with pytest.raises(LabelsError, match=dtype):
            use(image)


@pytest.mark.parametrize(("dtype", "last"), [("float32", 2**24 - 1), ("float64", 2**53 - 1)])
def test_labels_that_the_dtype_tells_apart(dtype, last):
    image = labels_image([last - 2, last - 1, last], dtype)
    assert rc.load_parcellation(image).table.labels.tolist() == [last - 2, last - 1, last]


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".label.gii"])
def test_labels_from_minus_one(tmp_path, suffix):
    """The wall is no region, or nobody guesses."""
    labels = np.resize(np.array([-1, 0, 1, 2], np.int32), 30)
    path = tmp_path / f"lh.atlas{suffix}"
    if suffix == ".npy":
        np.save(path, labels)
    elif suffix == ".csv":
        np.savetxt(path, labels, fmt="%d")
    else:
        labels_gifti("L", labels, names={}).to_filename(path)
    try:
        image = np.asarray(rc.paint([100.0, 200, 300], path))
    except RegioncastError:
        image = np.asarray(rc.paint([100.0, 200, 300], rc.load_parcellation(path, background=-1)))
    np.testing.assert_array_equal(image, np.resize([0, 100, 200, 300], 30))


# --- values without samples ------------------------------------------------------------------


def test_a_value_whose_region_has_no_voxel_is_named_with_its_near_miss():
    found = rc.match({"Left-Thalamus": 0.5, "Left-Caudate": 1.5}, atlas("look-up").parcellation)
    assert "'Left-Thalamus'" in str(found)
    assert "'Left-Thalamus-Proper'" in str(found)
    assert found.n_matched == 1


def test_a_look_up_table_only_names_labels(tmp_path):
    image = labels_image([3, 10, 11], "int16")
    table = tmp_path / "lut.txt"
    table.write_text("".join(f"{n} Region-{n} {n} 2 3 0\n" for n in range(60)))
    signals = rc.extract(image, rc.load_parcellation(image, table))
    assert list(signals.keys) == ["Region-3", "Region-10", "Region-11"]


def test_a_region_that_neither_hemisphere_has_stands_once():
    names = {0: "???", 3: "V1", 9: "absent"}
    values = {
        side: np.resize(np.array([0, 3], np.int32), n) for side, n in (("L", 701), ("R", 680))
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegioncastWarning)
        pair = rc.load_parcellation(
            **{word: labels_gifti(side, values[side], names)
               for side, word in (("L", "left"), ("R", "right"))}
        )  # fmt: skip
    assert list(pair.table.names).count("V1") == 2
    assert list(pair.table.names).count("absent") <= 1


# --- names of files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "left"),
    [
        ("thicknessR.npy", "thicknessL.npy"), ("RightThickness.npy", "LeftThickness.npy"),
        ("sub-01_hemiR.npy", "sub-01_hemiL.npy"), ("xRh.npy", "xLh.npy"),
        ("Rarea.npy", "Larea.npy"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
def test_marks_glued_to_a_word(tmp_path, monkeypatch, right, left, swapped):
    monkeypatch.chdir(tmp_path)
    labels = np.resize(np.array([0, 3, 7], np.int32), 60)
    names = {0: "???", 3: "V1", 7: "V2"}
    pair = rc.load_parcellation(
        left=labels_gifti("L", labels, names), right=labels_gifti("R", labels, names)
    )
    np.save(left, np.full(60, 1.0))
    np.save(right, np.full(60, 2.0))
    source = f"{left},{right}" if swapped else f"{right},{left}"
    try:
        signals = rc.extract(source, pair)
    except RegioncastError:
        return
    assert signals.values[0].tolist() == [1, 1, 2, 2]


# --- files with a fault ----------------------------------------------------------------------


def test_a_key_twice_in_a_cifti_label_table(tmp_path):
    axis = brain_models(voxels=False)
    keys = np.resize(np.arange(1, 4), len(axis))
    nib.save(dlabel(keys, {1: "A", 2: "B", 3: "C"}, axis), tmp_path / "a.dlabel.nii")
    content = (tmp_path / "a.dlabel.nii").read_bytes()
    assert content.count(b'Key="3"') == 1
    (tmp_path / "b.dlabel.nii").write_bytes(content.replace(b'Key="3"', b'Key="2"'))
    with pytest.raises(RegioncastError, match=r"2.*more than one|twice|two"):
        rc.load_parcellation(tmp_path / "b.dlabel.nii")


def test_colours_of_an_annotation_that_its_table_lacks(tmp_path):
    path = tmp_path / "lh.a.annot"
    colors = np.array([[25, 5, 25, 0, 0], [10, 20, 30, 0, 0]])
    write_annot(path, np.resize([0, 1], 40), colors, ["unknown", "V1"], fill_ctab=True)
    content = bytearray(path.read_bytes())
    for vertex in (3, 7, 9):
        content[4 + 8 * vertex + 4 : 4 + 8 * vertex + 8] = (123456).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.warns(RegioncastWarning, match="3 vert"):
        rc.load_parcellation(path)


# --- time ------------------------------------------------------------------------------------


def seconds(read, text, path):
    path.write_text(text)
    began = time.perf_counter()
    with contextlib.suppress(RegionTableError):
        read(path)
    return time.perf_counter() - began


@pytest.mark.parametrize(
    "text",
    [
        lambda n: "1 V1" + " " * n + "x\n2 V2" + " " * n + "y\n",
        lambda n: "1 V1 " + "a " * n + "1 2 3 0\n2 V2 " + "b " * n + "1 2 3 0\n",
        lambda n: "7 255 0 0 1 1 1 " + " " * n + "V1\n",
        lambda n: "V1\n7 255 0 0" + " " * n + "255 x\n",
        lambda n: "".join(f"{k} {'x' * 190}{k}\n" for k in range(n // 50)),
    ],
    ids=["spaces", "words", "ITK-SNAP", "Workbench", "long names"],
)
def test_reading_takes_a_time_that_grows_with_the_text(tmp_path, text):
    n = 2_000
    short = min(seconds(read_region_table, text(n), tmp_path / "a.txt") for _ in range(3))
    long = min(seconds(read_region_table, text(8 * n), tmp_path / "a.txt") for _ in range(2))
    assert long < 20 * short + 0.05


# --- hints -----------------------------------------------------------------------------------


def said_of(case, values):
    """The message of the error that values give, or nothing."""
    try:
        painted(case, values)
    except RegioncastError as error:
        return str(error)
    return ""


_OPTIONS = re.compile(r"\b(by|key|missing|extra|strip)=('[^']*'|\[[^\]]*\])")


@pytest.mark.parametrize(
    "case",
    each(case for case in CASES if case.refuses),
)
def test_each_hint_holds(case, tmp_path):
    """An option that a message names is followed to maps."""
    values = written(case, tmp_path)
    with pytest.raises(RegioncastError) as caught:
        painted(case, values)
    found = set(_OPTIONS.findall(str(caught.value)))
    hints = [(name, ast.literal_eval(value)) for name, value in found]
    for name, value in hints:
        if (name, value) in case.options.items():
            continue
        options = {"missing": "fill", "extra": "ignore", **case.options, name: value}
        other = type(case)(**{**vars(case), "options": options})
        assert said_of(other, values) == ""


@pytest.mark.parametrize(
    ("keys", "atlas_name"),
    [
        (["R_bankssts", "R_cuneus", "brainstem", "L_bankssts"], "sides"),
        (["ctx-rh-bankssts", "ctx-rh-cuneus", "ctx-lh-bankssts", "ctx-lh-cuneux"], "prefixed"),
        (["Vis_L", "Vis_R", "Mot_R"], "second names"),
        (["L:V1", "L:V2", "L:insula", "R:V1", "R:V2"], "pair"),
    ],
)
def test_no_hint_is_of_the_other_hemisphere(keys, atlas_name):
    found = rc.match(dict.fromkeys(keys, 1.0), atlas(atlas_name).parcellation)
    for key, name in found.near_misses.items():
        sides = [set(re.findall(r"(?<![A-Za-z])([LlRr])h?(?![A-Za-z])", text))
                 for text in (key, name)]  # fmt: skip
        of_key, of_name = ({side.upper() for side in said} for said in sides)
        assert not of_key or not of_name or of_key & of_name


@pytest.mark.parametrize("key", ["V1", "R:lh_V1", "L", "1"])
def test_no_hint_guesses_a_hemisphere(key):
    """V1 may be either, what says both is neither, and a letter stands at the end of anything."""
    regions = {3: "lh_V1", 20: "rh_V1", 7: "lh_V2", 1007: "rh_V2"}
    found = rc.match({key: 1.0}, rc.load_parcellation(labels_image(list(regions)), regions))
    assert found.near_misses == {}


@pytest.mark.parametrize(
    ("key", "near"), [("Thalamus", "Left-Thalamus"), ("Left-Thalamus", "Left-Thalamus-Proper")]
)
def test_names_that_begin_or_end_with_the_whole_key_are_the_first_hints(key, near):
    regions = {1: "Left-Thalamic", 2: near, 3: "Left-Thalamos", 4: "Thalamas"}
    found = rc.match({key: 1.0}, rc.load_parcellation(labels_image(list(regions)), regions))
    assert found.near_misses == {key: near}


def test_maps_of_a_surface_are_read_by_tables_too(tmp_path):
    """A pair that was extracted and saved is painted again, by its names with a prefix."""
    pair = atlas("pair").parcellation
    images = {
        word: maps_gifti(side, np.ones((1, n), "f4"))
        for side, word, n in (("L", "left", 701), ("R", "right", 680))
    }
    signals = rc.extract(images, pair)
    path = rc.save(signals, tmp_path / "s.tsv")
    np.testing.assert_array_equal(np.asarray(rc.paint(path, pair)),
                                  np.asarray(rc.paint(signals, pair)))  # fmt: skip
