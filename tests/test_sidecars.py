"""What belongs to maps stays with them: repetition time, names, where they come from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import brain_models, dlabel
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast import Signals, cli
from regioncast.errors import FileFormatError, OutputError, SidecarWarning
from regioncast.io.sidecar import files_of

NAMES = ["V2", "V1", "insula", "putamen"]  # of -2, 3, 7, 7001
ATLAS = rc.load_parcellation(
    image_of(small_labels()), dict(zip([-2, 3, 7, 7001], NAMES, strict=True))
)
COMMAND = [sys.executable, "-P", "-m", "regioncast"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder with an atlas, its table, and a series with a repetition time of 2 s."""
    monkeypatch.chdir(tmp_path)
    nib.save(image_of(small_labels()), "atlas_dseg.nii.gz")
    table = pd.DataFrame({"index": [-2, 3, 7, 7001], "name": NAMES})
    table.to_csv("atlas_dseg.tsv", sep="\t", index=False)
    nib.save(series(2.0), "bold.nii.gz")
    return tmp_path


def series(t_r=None, n_maps=5):
    values = np.random.default_rng(3).standard_normal((6, 5, 4, n_maps)).astype(np.float32)
    image = nib.Nifti1Image(values, OBLIQUE)
    if t_r is not None:
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = t_r
    return image


def beside(name):
    return json.loads(Path(name).read_text(encoding="utf-8"))


def time_of(name):
    header = nib.load(name).header
    return float(header["pixdim"][4]), header.get_xyzt_units()[1]


def run(*words):
    return cli.main([str(word) for word in words])


# --- repetition time -----------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["x.tsv", "x.csv", "x.npy", "x.parquet"])
@pytest.mark.parametrize("image", ["map.nii.gz", "map.nii", "map.mgz"])
def test_the_repetition_time_goes_through_every_file(table, image):
    assert run("extract", "bold.nii.gz", "atlas_dseg.nii.gz", "-o", table) == 0
    assert beside("x.json")["RepetitionTime"] == 2.0
    assert rc.load_signals(table, "atlas_dseg.nii.gz").t_r == 2.0
    assert run("paint", table, "atlas_dseg.nii.gz", "--dtype", "float32", "-o", image) == 0
    assert rc.extract(image, "atlas_dseg.nii.gz").t_r == 2.0
    if not image.endswith("mgz"):
        assert time_of(image) == (2.0, "sec")


def test_no_time_is_invented():
    for values in (np.ones((5, 4)), Signals(np.ones((1, 4)))):
        for image in (rc.paint(values, ATLAS), rc.signals_to_img_labels(
            getattr(values, "values", values), "atlas_dseg.nii.gz"
        )):  # fmt: skip
            rc.save(image, "map.nii.gz", overwrite=True)
            assert time_of("map.nii.gz") == (0.0, "unknown")
    image = rc.paint(np.ones((5, 4), np.float32), ATLAS)
    rc.save(image, "map.mgz")
    assert rc.extract("map.mgz", ATLAS).t_r is None
    # A header of another format does not lead to one either.
    rc.save(nib.MGHImage(np.ones((6, 5, 4, 2), np.float32), OBLIQUE), "other.nii.gz")
    assert time_of("other.nii.gz") == (0.0, "unknown")


def test_through_a_pipe_what_is_lost_is_said_once():
    extract = [*COMMAND, "extract", "bold.nii.gz", "atlas_dseg.nii.gz", "-o", "-"]
    written = subprocess.run(extract, capture_output=True, check=True, text=True)
    assert written.stderr.count("--t-r 2") == 1
    for more, time in ([], (0.0, "unknown")), (["--t-r", "2"], (2.0, "sec")):
        paint = [*COMMAND, "paint", "-", "atlas_dseg.nii.gz", "-o", "map.nii.gz", "--overwrite"]
        read = subprocess.run(
            [*paint, *more], input=written.stdout, capture_output=True, check=True, text=True
        )
        assert not read.stderr
        assert time_of("map.nii.gz") == time


def test_what_is_asked_for_goes_before_what_is_said():
    rc.save(rc.extract("bold.nii.gz", ATLAS), "x.tsv")
    assert rc.load_signals("x.tsv", ATLAS, t_r=0.8).t_r == 0.8
    # One map of a table is no series.
    rc.save(Signals(np.ones((2, 4)), NAMES, map_names=["t", "p"], t_r=2.0), "long.tsv", long=True)
    assert rc.load_signals("long.tsv", ATLAS).t_r == 2.0
    assert rc.load_signals("long.tsv", ATLAS, columns="t").t_r is None


@pytest.mark.parametrize(
    ("said", "t_r"),
    [
        ({"RepetitionTime": 1.5}, 1.5),
        ({"SamplingFrequency": 0.5}, 2.0),
        ({"SamplingFrequency": 0.5, "RepetitionTime": 0.8, "EchoTime": [0.03]}, 0.8),
    ],
)
def test_what_others_say_of_time_is_read(said, t_r):
    nib.save(series(), "sub-01_bold.nii.gz")
    Path("sub-01_bold.json").write_text(json.dumps(said))
    assert rc.extract("sub-01_bold.nii.gz", ATLAS).t_r == t_r
    Path("x.tsv").write_text("\t".join(NAMES) + "\n" + "1\t2\t3\t4\n" * 3)
    Path("x.json").write_text(json.dumps(said))
    assert rc.load_signals("x.tsv", ATLAS).t_r == t_r


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[1, 2]", "null", "\x00\xff", "[" * 100_000, '{"Filename": ["x.tsv"]}',
        '{"RepetitionTime": "two"}', '{"RepetitionTime": -1}', '{"RepetitionTime": true}',
        '{"RepetitionTime": NaN}', '{"MapNames": [1, 2]}', '{"MapNames": ["too", "few"]}',
        '{"Series": {"Start": 0}}', '{"Strategy": 5}', '{"Coverage": {"index": [1]}}',
        '{"Coverage": {"index": ["a"], "name": ["b"]}}',
    ],
)  # fmt: skip
def test_foreign_sidecars_are_no_obstacle(text):
    Path("x.tsv").write_text("\t".join(NAMES) + "\n" + "1\t2\t3\t4\n" * 3)
    plain = rc.load_signals("x.tsv", ATLAS)
    Path("x.json").write_text(text, encoding="latin-1")
    signals = rc.load_signals("x.tsv", ATLAS)
    assert (signals.axis, signals.coverage) == (plain.axis, None)
    assert rc.paint("x.tsv", ATLAS).shape == (6, 5, 4, 3)
    Path("bold.json").write_text(text, encoding="latin-1")
    assert rc.extract("bold.nii.gz", ATLAS).t_r == 2.0


def test_a_header_and_a_sidecar_that_differ():
    Path("bold.json").write_text('{"RepetitionTime": 2.0004}')  # rounded by one of the two
    assert rc.extract("bold.nii.gz", ATLAS).t_r == 2.0
    Path("bold.json").write_text('{"RepetitionTime": 2.5}')
    with pytest.warns(SidecarWarning, match=r"bold.nii.gz has .* 2 s, and bold.json says 2.5 s"):
        assert rc.extract("bold.nii.gz", ATLAS).t_r == 2.0


def test_the_repetition_time_goes_through_surfaces_and_cifti(examples, folder):
    shutil.copytree(examples, folder, dirs_exist_ok=True)
    atlas, pair = "atlas.dlabel.nii", "lh.atlas.label.gii,rh.atlas.label.gii"
    for table in ("x.tsv", "y.npy"):
        assert run("extract", "bold.dtseries.nii", atlas, "-o", table) == 0
        assert run("paint", table, atlas, "-o", f"{table}.dtseries.nii") == 0
        assert rc.extract(f"{table}.dtseries.nii", atlas).t_r == 0.72
    assert run("extract", "bold.dtseries.nii", pair, "-o", "z.tsv") == 0
    for image in ("map.func.gii", "map.npy", "map.mgh"):
        assert run("paint", "z.tsv", pair, "--dtype", "float32", "-o", image) == 0
        assert rc.extract(image.replace("map", "map.?"), pair).t_r == 0.72


def test_a_series_of_cifti_keeps_its_start_and_its_unit(examples, folder):
    shutil.copytree(examples, folder, dirs_exist_ok=True)
    axis = nib.load("bold.dtseries.nii").header.get_axis(1)
    steps = nib.cifti2.SeriesAxis(3.0, 0.25, 4, "HERTZ")
    nib.save(nib.Cifti2Image(np.ones((4, len(axis)), np.float32), (steps, axis)), "f.dtseries.nii")
    rc.save(rc.extract("f.dtseries.nii", "atlas.dlabel.nii"), "x.tsv")
    rc.save(rc.paint("x.tsv", "atlas.dlabel.nii"), "g.dtseries.nii")
    assert nib.load("g.dtseries.nii").header.get_axis(0) == steps


# --- names, coverage, series ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.nii.gz", "m.nii", "m.mgz"])
def test_names_of_maps_stay_with_volumes(name):
    signals = Signals(np.ones((2, 4), np.float32), NAMES, map_names=["ängstlich", "b c"])
    rc.save(rc.paint(signals, ATLAS), name)
    assert rc.extract(name, ATLAS).map_names == ("ängstlich", "b c")


def test_names_of_maps_stay_with_arrays():
    rc.save(Signals(np.ones((2, 4)), [7001, 3, 7, -2], map_names=["sub-01", "sub-02"]), "x.npy")
    assert rc.load_signals("x.npy", ATLAS).map_names == ("sub-01", "sub-02")
    atlas = rc.load_parcellation({"left": np.array([3, 3, 0, 8]), "right": np.array([5, 0, 7])})
    painted = rc.paint(Signals(np.ones((2, 4)), map_names=["t", "z"], t_r=3.0), atlas)
    rc.save(painted, "map.npy")
    again = rc.extract("map.L.npy,map.R.npy", atlas)
    assert (again.map_names, again.t_r) == (("t", "z"), 3.0)


LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"])


@given(
    names=st.none() | st.lists(st.text(LETTERS, min_size=1), min_size=2, max_size=4, unique=True),
    t_r=st.none() | st.floats(1e-3, 1e4),
    suffix=st.sampled_from([".tsv", ".npy", ".parquet", ".nii", ".csv"]),
)
def test_an_axis_comes_back_as_it_was(tmp_path_factory, names, t_r, suffix):
    n_maps = 3 if names is None else len(names)
    values = np.arange(4.0 * n_maps).reshape(n_maps, 4) + 0.5
    signals = Signals(values, NAMES, labels=[-2, 3, 7, 7001], map_names=names, t_r=t_r)
    path = tmp_path_factory.mktemp("axis") / f"x{suffix}"
    rc.save(rc.paint(signals, ATLAS) if suffix == ".nii" else signals, path)
    again = rc.extract(path, ATLAS) if suffix == ".nii" else rc.load_signals(path, ATLAS)
    np.testing.assert_array_equal(again.values, values)
    # NIfTI holds single precision, and what is meant is the shortest number that is the same there.
    expected = None if t_r is None else float(str(np.float32(t_r))) if suffix == ".nii" else t_r
    assert (again.map_names, again.t_r) == (None if names is None else tuple(names), expected)


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".npy", ".parquet"])
def test_coverage_and_strategy_come_back(suffix):
    signals = rc.extract("bold.nii.gz", "atlas_dseg.nii.gz", strategy="median")
    again = rc.load_signals(rc.save(signals, f"x{suffix}"), "atlas_dseg.nii.gz")
    assert again.origin.strategy == "median"
    pd.testing.assert_frame_equal(again.coverage.to_pandas(), signals.coverage.to_pandas())


def test_coverage_of_other_regions_is_left():
    rc.save(rc.extract("bold.nii.gz", "atlas_dseg.nii.gz"), "x.tsv")
    Path("x.tsv").write_text("V2\tV1\n1\t2\n")
    assert rc.load_signals("x.tsv", ATLAS).coverage is None


# --- what it says, and where it lies -------------------------------------------------------------


def test_what_is_said(tmp_path):
    (tmp_path / "out").mkdir()
    nib.save(image_of(small_labels()), "atlas_space-MNI152NLin6Asym_dseg.nii.gz")
    atlas = tmp_path / "atlas_space-MNI152NLin6Asym_dseg.nii.gz"
    words = ["extract", tmp_path / "bold.nii.gz", atlas, "--regions", "atlas_dseg.tsv"]
    assert run(*words, "-o", "out/x.tsv") == 0
    said = beside("out/x.json")
    assert said["Sources"] == ["../bold.nii.gz"]
    assert said["SpatialReference"] == "MNI152NLin6Asym"
    assert said["Strategy"] == "mean"
    assert said["Atlas"] == {
        "LabelsImage": ["../atlas_space-MNI152NLin6Asym_dseg.nii.gz"],
        "sha256": [hashlib.sha256(atlas.read_bytes()).hexdigest()],
        "NumberOfRegions": 4,
        "RegionTable": "../atlas_dseg.tsv",
    }
    (generator,) = said["GeneratedBy"]
    assert (generator["Name"], generator["Version"]) == ("regioncast", rc.__version__)
    assert generator["Command"].startswith("regioncast extract bold.nii.gz atlas_space-")
    assert said["Coverage"]["name"] == NAMES
    assert run("paint", "out/x.tsv", "atlas_dseg.nii.gz", "-o", "map.nii.gz") == 0
    said = beside("map.json")
    assert said["Sources"] == ["out/x.tsv"]
    assert said["SpatialReference"] == "atlas_dseg.nii.gz"
    assert str(tmp_path) not in Path("map.json").read_text() + Path("out/x.json").read_text()


def test_brackets_in_the_name_of_a_folder_are_no_pattern_of_a_pair(folder):
    (folder / "sub-[1]").mkdir()
    pair = [folder / "sub-[1]" / f"{side}.aparc.annot" for side in ("lh", "rh")]
    for file in pair:
        file.touch()
    assert files_of(",".join(map(str, pair))) == tuple(pair)


def test_what_was_taken_out_is_said():
    confounds = pd.DataFrame({"x": [1.0, 2, 4, 3, 5], "y": [3.0, 1, 2, 5, 4]})
    confounds.to_csv("c.tsv", sep="\t", index=False)
    words = ["--confounds", "c.tsv", "--confound-columns", "x", "--detrend"]
    assert run("extract", "bold.nii.gz", "atlas_dseg.nii.gz", "-o", "x.tsv", *words) == 0
    said = beside("x.json")
    assert said["Sources"] == ["bold.nii.gz", "c.tsv"]
    assert said["Cleaning"] == {"confound_columns": ["x"], "detrend": True}
    rc.save(rc.paint("x.tsv", "atlas_dseg.nii.gz"), "m.nii.gz")
    assert beside("m.json")["Cleaning"] == said["Cleaning"]


def test_files_of_one_stem_each_have_a_sidecar():
    signals = rc.extract("bold.nii.gz", ATLAS)
    rc.save(signals, "x.tsv")
    rc.save(rc.paint(Signals(signals.values, NAMES, t_r=0.7), ATLAS), "x.nii.gz")
    assert beside("x.json")["RepetitionTime"] == 2.0
    assert beside("x.nii.gz.json")["RepetitionTime"] == 0.7
    assert rc.load_signals("x.tsv", ATLAS).t_r == 2.0
    rc.save(signals.with_t_r(3.0), "x.tsv", overwrite=True)
    assert (beside("x.json")["RepetitionTime"], beside("x.nii.gz.json")["RepetitionTime"]) == (
        3,
        0.7,
    )


def test_files_of_others_stay():
    for name in ("x.json", "x.tsv.json"):
        Path(name).write_text("precious")
    signals = rc.extract("bold.nii.gz", ATLAS)
    with pytest.warns(SidecarWarning, match=r"x\.tsv has no sidecar: x\.json and x\.tsv\.json are"):
        rc.save(signals, "x.tsv")
    assert {Path(name).read_text() for name in ("x.json", "x.tsv.json")} == {"precious"}
    rc.save(signals, "x.tsv", sidecar=False, overwrite=True)
    assert Path("x.json").read_text() == "precious"


def test_no_sidecar_when_not_asked_for():
    assert run("extract", "bold.nii.gz", "atlas_dseg.nii.gz", "-o", "x.tsv", "--no-sidecar") == 0
    assert run("paint", "x.tsv", "atlas_dseg.nii.gz", "-o", "map.nii", "--no-sidecar") == 0
    rc.save(Signals([1.0, 2, 3, 4], NAMES), "nothing_to_say.tsv")
    rc.save(rc.paint([1.0, 2, 3, 4], ATLAS), "nothing_to_say.nii.gz")
    rc.save(series(), "of_others.nii.gz")
    assert not list(Path().glob("*.json"))


def test_what_was_said_of_a_file_goes_with_it():
    rc.save(rc.extract("bold.nii.gz", ATLAS), "x.tsv")
    rc.save(Signals([1.0, 2, 3, 4], NAMES), "x.tsv", overwrite=True)
    assert not Path("x.json").exists()


def test_what_was_said_of_a_file_that_is_gone_is_replaced():
    signals = rc.extract("bold.nii.gz", ATLAS)
    rc.save(signals, "x.tsv")
    Path("x.tsv").unlink()
    rc.save(signals.with_t_r(3.0), "x.tsv")
    assert beside("x.json")["RepetitionTime"] == 3.0
    assert not Path("x.tsv.json").exists()


@pytest.mark.parametrize(
    "said",
    [
        '{"RepetitionTime": 1' + "0" * 400 + "}",
        '{"SamplingFrequency": 1' + "0" * 400 + "}",
        '{"SamplingFrequency": 1e-320}',
        '{"Series": {"Start": 1' + "0" * 400 + ', "Step": 1, "Unit": "SECOND"}}',
        '{"Filename": "' + "a" * 300 + '"}',
        '{"MapNames": ["\\ud800", "b", "c", "d", "e"]}',
        '{"Strategy": "\\ud800"}',
        '{"Coverage": {"index": [1, 2], "name": ["a", "b"], "hemisphere": ["L"]}}',
    ],
)
def test_what_no_file_can_hold_is_not_taken(said):
    nib.save(series(), "other.nii.gz")
    Path("other.json").write_text(said)
    signals = rc.extract("other.nii.gz", ATLAS)
    rc.save(signals, "x.tsv")
    Path("y.tsv").write_text(Path("x.tsv").read_text())
    Path("y.json").write_text(said)
    signals = rc.load_signals("y.tsv", ATLAS)
    assert signals.t_r is None
    assert rc.save(signals, "z.tsv").exists()


def test_a_sidecar_of_the_file_before_never_stays(monkeypatch):
    rc.save(rc.extract("bold.nii.gz", ATLAS), "x.tsv")
    assert rc.load_signals("x.tsv", ATLAS).t_r == 2
    signals = rc.extract("bold.nii.gz", ATLAS, t_r=1.5)

    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # Before anything is written: both are the old ones.
        patch.setattr("regioncast.io.sidecar.content_of", fail)
        with pytest.raises(KeyboardInterrupt):
            rc.save(signals, "x.tsv", overwrite=True)
    assert rc.load_signals("x.tsv", ATLAS).t_r == 2
    monkeypatch.setattr("regioncast.io.sidecar.replacing", fail)
    with pytest.raises(KeyboardInterrupt):
        rc.save(signals, "x.tsv", overwrite=True)
    assert rc.load_signals("x.tsv", ATLAS).t_r is None


def test_names_of_files_may_be_any_bytes():
    name = os.fsdecode(b"\xff")
    try:
        nib.save(series(2.0), f"{name}.nii")
    except OSError:
        pytest.skip("names of files are text here")
    signals = rc.extract(f"{name}.nii", ATLAS)
    rc.save(signals, "x.tsv")
    assert rc.load_signals("x.tsv", ATLAS).t_r == 2
    shutil.copy("atlas_dseg.nii.gz", f"{name}.nii.gz")
    with pytest.raises(FileFormatError, match="no text"):
        rc.extract(f"{name}.nii.gz", ATLAS)


def test_a_sidecar_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    signals = rc.extract("bold.nii.gz", ATLAS)

    def fail(*_, **__):
        raise OutputError("Writing x.json failed: no space left.")

    monkeypatch.setattr("regioncast.io.sidecar.replacing", fail)
    with pytest.raises(OutputError, match=r"x\.tsv was written, and what goes beside it not"):
        rc.save(signals, "x.tsv")
    assert rc.load_signals("x.tsv", ATLAS).n_maps == 5


def test_a_file_and_its_sidecar_may_be_renamed():
    rc.save(rc.extract("bold.nii.gz", ATLAS), "x.tsv")
    Path("x.tsv").rename("y.tsv")
    Path("x.json").rename("y.json")
    assert rc.load_signals("y.tsv", ATLAS).t_r == 2.0


def test_nothing_is_left_beside_what_could_not_be_written(monkeypatch):
    signals = rc.extract("bold.nii.gz", ATLAS)
    monkeypatch.setattr(
        "regioncast.io.kinds.write.write_signals",
        lambda *_, **__: (_ for _ in ()).throw(MemoryError),
    )
    with pytest.raises(MemoryError):
        rc.save(signals, "x.tsv")
    assert not Path("x.json").exists()
    assert not list(Path().glob(".regioncast*"))


def test_a_series_keeps_its_name():
    for index in (NAMES, [-2, 3, 7, 7001], range(4)):
        column = pd.Series([1.0, 2, 3, 4], index=index, name="thickness")
        assert rc.load_signals(column, ATLAS).map_names == ("thickness",)
    assert rc.load_signals(pd.Series([1.0, 2, 3, 4]), ATLAS).map_names is None
    rc.save(rc.paint(column, ATLAS), "m.nii.gz")
    assert beside("m.json")["MapNames"] == ["thickness"]
    assert rc.extract("m.nii.gz", ATLAS).map_names == ("thickness",)


# --- copies, CIFTI, and times as they are meant --------------------------------------------------


def test_a_file_copied_with_its_sidecar_keeps_what_it_says():
    rc.save(rc.extract("bold.nii.gz", ATLAS), "x.tsv")
    for name in ("y.tsv", "y.nii.gz"):
        shutil.copy("x.tsv", name)
    shutil.copy("x.json", "y.json")
    assert rc.load_signals("y.tsv", ATLAS).t_r == 2.0
    # That of x.tsv is of no other file beside it, and a copy of one of no other kind.
    rc.save(rc.extract(series(), ATLAS), "x.npy", sidecar=False)
    shutil.copy("x.npy", "y.npy")
    assert rc.load_signals("x.npy", ATLAS).t_r is None
    assert rc.load_signals("y.npy", ATLAS).t_r is None


def test_a_repetition_time_is_what_the_header_means():
    nib.save(series(0.72), "fast.nii.gz")
    assert rc.extract("fast.nii.gz", ATLAS).t_r == 0.72


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet"])
def test_long_tables_of_a_series_give_its_maps_no_names(suffix):
    rc.save(rc.extract("bold.nii.gz", ATLAS), f"x{suffix}", long=True)
    back = rc.load_signals(f"x{suffix}", ATLAS)
    assert (back.map_names, back.t_r) == (None, 2.0)


def test_cifti_says_which_of_times_and_names_it_cannot_hold():
    axis = brain_models()
    regions = {0: "???", 1: "V1", 2: "V2"}
    atlas = rc.load_parcellation(dlabel(np.arange(len(axis)) % 3, regions, axis))
    names, values = ["a", "b"], np.ones((2, len(atlas)))
    both = rc.Signals(values, map_names=names, t_r=2.0)
    image = rc.paint(both, atlas)
    for ending in ("dscalar", "pscalar"):
        with pytest.warns(SidecarWarning, match=rf"time of 2 s is not in x\.{ending}\.nii"):
            rc.save(image, f"x.{ending}.nii")
    for ending in ("dtseries", "ptseries"):
        with pytest.warns(SidecarWarning, match=rf"names of the maps are not in x\.{ending}\.nii"):
            rc.save(image, f"x.{ending}.nii")
    assert rc.extract("x.dscalar.nii", atlas).map_names == tuple(names)
    assert rc.load_signals("x.pscalar.nii", atlas).map_names == tuple(names)
    assert rc.extract("x.dtseries.nii", atlas).t_r == 2.0


def test_a_repetition_time_that_was_corrected_counts_for_the_series_too():
    Path("x.tsv").write_text("V2\tV1\tinsula\tputamen\n1\t2\t3\t4\n5\t6\t7\t8\n")
    said = {"RepetitionTime": 1.5, "Series": {"Start": 2.0, "Step": 0.7, "Unit": "SECOND"}}
    Path("x.json").write_text(json.dumps(said))
    signals = rc.load_signals("x.tsv", ATLAS)
    assert (signals.t_r, signals.series) == (1.5, (2.0, 1.5, "SECOND"))
