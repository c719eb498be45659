"""Many subjects: who and when stay with the maps, and templates name an output for each."""

from __future__ import annotations

import itertools
import json
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import brain_models, dense, dlabel, labels_gifti, maps_gifti
from small_volumes import image_of, small_labels

import regioncast as rc
from regioncast import cli
from regioncast.errors import (
    ArgumentError,
    ConfoundsWarning,
    FileFormatError,
    InputMissingError,
    OutputError,
    OutputExistsError,
    SignalsError,
    SpaceError,
)
from regioncast.files import natural_order
from regioncast.io.filenames import filled, names_of_files
from regioncast.io.surface.names import without_hemisphere
from regioncast.signals import entity_columns

LABELS = [-2, 3, 7, 7001]
NAMES = ["V1", "V2", "M1", "A1"]
WHO = [("01", "1"), ("01", "2"), ("02", "1"), ("10", "1")]
N_VOLUMES = 3


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Four sessions of three subjects: a series, and a map whose name says nothing of them."""
    monkeypatch.chdir(tmp_path)
    nib.save(image_of(small_labels()), "atlas.nii.gz")
    pd.DataFrame({"index": LABELS, "name": NAMES}).to_csv("atlas.tsv", sep="\t", index=False)
    rng = np.random.default_rng(3)
    for sub, ses in WHO:
        folder = tmp_path / f"sub-{sub}" / f"ses-{ses}" / "func"
        folder.mkdir(parents=True)
        image = image_of(rng.random((*small_labels().shape, N_VOLUMES)))
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = 2
        nib.save(image, folder / f"sub-{sub}_ses-{ses}_task-rest_bold.nii.gz")
        nib.save(image_of(rng.random(small_labels().shape)), folder / "stat.nii.gz")
    return tmp_path


@pytest.fixture
def run(tree, capsys):
    """Run the command in this process: exit code, stdout, stderr."""

    def call(*words):
        capsys.readouterr()
        code = cli.main(list(map(str, words)))
        return code, *capsys.readouterr()

    return call


def files(folder, pattern="*"):
    return sorted(path.name for path in folder.glob(pattern))


# --- who and when ----------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["sub-*/ses-*/func/*bold.nii.gz", "**/*bold.nii.gz"])
def test_series_of_several_subjects_keep_who_and_when(tree, pattern):
    signals = rc.extract(pattern, "atlas.nii.gz")
    expected = [
        f"sub-{sub}_ses-{ses}_task-rest_bold_volume-{volume}"
        for sub, ses in WHO
        for volume in range(N_VOLUMES)
    ]
    assert list(signals.map_names) == expected
    assert signals.t_r == 2
    assert list(signals.entities) == ["sub", "ses", "task", "map", "volume"]
    assert signals.entities["sub"][::N_VOLUMES] == ["sub-01", "sub-01", "sub-02", "sub-10"]
    assert signals.entities["volume"][:4] == ["volume-0", "volume-1", "volume-2", "volume-0"]
    one_by_one = [
        rc.extract(f"sub-{sub}/ses-{ses}/func/sub-{sub}_ses-{ses}_task-rest_bold.nii.gz",
                   "atlas.nii.gz").values
        for sub, ses in WHO
    ]  # fmt: skip
    np.testing.assert_array_equal(signals.values, np.concatenate(one_by_one))


@pytest.mark.parametrize("ending", [".tsv", ".csv", ".parquet"])
@pytest.mark.parametrize("keys", ["names", "labels"])
def test_a_table_has_a_column_for_each_entity_and_is_read_again(tree, ending, keys):
    regions = {"names": None, "labels": "none"}[keys]
    atlas = rc.load_parcellation("atlas.nii.gz", regions)
    signals = rc.extract("**/*bold.nii.gz", atlas)
    path = tree / f"out{ending}"
    rc.save(signals, path, sidecar=False)
    read = pd.read_parquet if ending == ".parquet" else pd.read_csv
    frame = read(path) if ending != ".tsv" else read(path, sep="\t")
    assert list(frame.columns)[:5] == ["sub", "ses", "task", "map", "volume"]
    assert frame.iloc[-1, :5].tolist() == ["sub-10", "ses-1", "task-rest", "bold", "volume-2"]
    again = rc.load_signals(path, atlas)
    assert again.map_names == signals.map_names
    assert list(map(str, again.keys)) == list(map(str, signals.keys))
    np.testing.assert_array_equal(again.values, signals.values)


def test_a_long_table_has_the_names_as_titles(tree):
    signals = rc.extract("**/stat.nii.gz", "atlas.nii.gz")
    rc.save(signals, "long.tsv", long=True, sidecar=False)
    titles = list(pd.read_csv("long.tsv", sep="\t").columns)
    assert titles == ["index", "name", *signals.map_names]
    assert rc.load_signals("long.tsv", "atlas.nii.gz").map_names == signals.map_names


def test_files_of_one_name_are_told_apart_by_their_folders(tree):
    signals = rc.extract("**/stat.nii.gz", "atlas.nii.gz")
    assert signals.map_names == tuple(f"sub-{sub}_ses-{ses}_stat" for sub, ses in WHO)
    one = rc.extract("sub-01/**/stat.nii.gz", "atlas.nii.gz")
    assert one.map_names == ("ses-1_stat", "ses-2_stat")


def test_a_tidy_table_says_who_and_when(tree):
    signals = rc.extract("**/stat.nii.gz", "atlas.nii.gz")
    tidy = signals.to_pandas(long="tidy")
    wide = signals.to_pandas().assign(**signals.entities)
    expected = wide.melt([*signals.entities], var_name="name")
    titles = ["sub", "ses", "map", "name", "value"]
    by = titles[:-1]
    pd.testing.assert_frame_equal(
        tidy[titles].sort_values(by).reset_index(drop=True),
        expected.sort_values(by).reset_index(drop=True),
        check_dtype=False,
    )
    rc.save(signals, "tidy.tsv", long="tidy")
    read = pd.read_csv("tidy.tsv", sep="\t")
    assert read["value"].tolist() == tidy["value"].tolist()
    assert read["sub"].tolist() == tidy["sub"].tolist()
    words = ["extract", "**/stat.nii.gz", "atlas.nii.gz", "--tidy", "-o", "shell.tsv"]
    assert cli.main(words) == 0
    assert Path("shell.tsv").read_text() == Path("tidy.tsv").read_text()


def test_the_tidy_form_is_one_line(tree):
    signals = rc.extract("**/stat.nii.gz", "atlas.nii.gz")
    wide = signals.to_pandas().assign(**signals.entities)
    tidy = wide.melt([*signals.entities], var_name="name")
    assert list(tidy.columns) == ["sub", "ses", "map", "name", "value"]
    assert len(tidy) == len(WHO) * len(NAMES)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.nii", "b.nii.gz"], ["a", "b"]),
        (["x/a.v2.nii", "y/a.v3.nii"], ["a.v2", "a.v3"]),
        (["x/a.nii", "y/a.nii"], ["x_a", "y_a"]),
        (["r/x/1/a.nii", "r/y/1/a.nii"], ["x_a", "y_a"]),
        (["x/a.nii", "x/y/a.nii"], ["a", "y_a"]),
        (["x/a.nii", "x/a.nii"], None),
        (["bert/surf/lh.area", "ernie/surf/lh.area"], ["bert_lh.area", "ernie_lh.area"]),
        (["sub-1/s-1/sub-1_a.nii", "sub-1/s-2/sub-1_a.nii"], ["s-1_sub-1_a", "s-2_sub-1_a"]),
    ],
)  # fmt: skip
def test_names_of_files(paths, names):
    assert names_of_files(paths) == names


@given(st.lists(st.text("ab-_1", min_size=1), min_size=1, max_size=5))
def test_columns_of_names_joined_are_the_names(names):
    columns = entity_columns(names)
    rows = zip(*columns.values(), strict=True)
    assert ["_".join(cell for cell in row if cell is not None) for row in rows] == names


entities = st.dictionaries(
    st.sampled_from(["ses", "task", "hemi", "label", "index", "name", "desc", "V1"]),
    st.text("LRab01", min_size=1, max_size=3),
)


suffixes = st.sampled_from(["", "_x", "_n/a", "_", "_1", "_ x"])


@given(st.lists(entities, min_size=1, max_size=4), st.booleans(), suffixes)
def test_names_with_any_entities_survive_tables(tmp_path_factory, rows, by_label, suffix):
    folder = tmp_path_factory.mktemp("names")
    table = pd.DataFrame({"index": LABELS, "name": NAMES})
    atlas = rc.load_parcellation(image_of(small_labels()), "none" if by_label else table)
    names = [
        "_".join([f"sub-{n}", *(f"{key}-{value}" for key, value in row.items())]) + suffix
        for n, row in enumerate(rows)
    ]
    values = np.arange(4.0 * len(names)).reshape(-1, 4) + 0.5
    signals = rc.Signals(values, LABELS if by_label else NAMES, map_names=names)
    rc.save(signals, folder / "x.tsv", sidecar=False)
    again = rc.load_signals(folder / "x.tsv", atlas)
    assert again.map_names == tuple(names)
    np.testing.assert_array_equal(again.values, values)
    painted = rc.paint(folder / "x.tsv", atlas)
    assert painted.match.signals.map_names == tuple(names)


# --- surfaces and CIFTI ----------------------------------------------------------------------


def test_several_cifti_files_are_one_series(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    axis = brain_models()
    keys = np.arange(len(axis)) % 3
    nib.save(dlabel(keys, {0: "???", 1: "V1", 2: "V2"}, axis), "a.dlabel.nii")
    rng = np.random.default_rng(0)
    maps = {name: rng.random((n, len(axis))) for name, n in (("sub-9", 200), ("sub-10", 2))}
    for name, values in maps.items():
        nib.save(dense(values, axis, t_r=0.8), f"{name}_bold.dtseries.nii")
    for source in ("*.dtseries.nii", ["sub-9_bold.dtseries.nii", "sub-10_bold.dtseries.nii"]):
        signals = rc.extract(source, "a.dlabel.nii", strategy=["mean", "median"])
        assert signals["mean"].t_r == 0.8
        assert signals["mean"].map_names[199:201] == (
            "sub-9_bold_volume-199",
            "sub-10_bold_volume-0",
        )
        together = np.concatenate(list(maps.values()))
        expected = [np.median(together[:, keys == key], axis=1) for key in (1, 2)]
        np.testing.assert_allclose(signals["median"].values.T, expected)
    nib.save(dense(np.ones((1, len(axis))), axis), "sub-3_stat.dscalar.nii")
    both = rc.extract(["sub-3_stat.dscalar.nii", "sub-10_bold.dtseries.nii"], "a.dlabel.nii")
    assert both.map_names == ("sub-3_stat_map 0", "sub-10_bold_volume-0", "sub-10_bold_volume-1")
    other = brain_models(voxels=False)
    nib.save(dense(np.ones((1, len(other))), other), "sub-4_stat.dscalar.nii")
    with pytest.raises(SpaceError, match=r"sub-4_stat\.dscalar\.nii"):
        rc.extract("*.dscalar.nii", "a.dlabel.nii")
    with pytest.raises(InputMissingError, match=r"No file matches the pattern of the image"):
        rc.extract("no*.dscalar.nii", "a.dlabel.nii")


@pytest.fixture
def surfaces(tmp_path, monkeypatch):
    """Both hemispheres of three subjects."""
    monkeypatch.chdir(tmp_path)
    for sub, side in itertools.product(("bert", "ernie", "kermit"), "LR"):
        folder = tmp_path / f"sub-{sub}" / "surf"
        folder.mkdir(parents=True, exist_ok=True)
        values = np.full((1, len(labels_gifti(side).darrays[0].data)), len(sub), np.float32)
        nib.save(maps_gifti(side, values), folder / f"{side.lower()}h.area.shape.gii")
    return {"left": labels_gifti("L"), "right": labels_gifti("R")}


@pytest.mark.parametrize(
    "pattern",
    ["sub-*/surf/?h.area.shape.gii", "**/{hemi}.area.shape.gii", "sub-*/surf/*.area.shape.gii"],
)
def test_a_pattern_of_several_pairs(surfaces, pattern):
    pattern = pattern.replace("{hemi}.", "{hemi}h.")
    signals = rc.extract(pattern, surfaces)
    assert signals.values.tolist() == [[4] * 6, [5] * 6, [6] * 6]
    assert signals.map_names == ("sub-bert_area", "sub-ernie_area", "sub-kermit_area")


def test_patterns_and_lists_of_one_hemisphere(surfaces):
    left = surfaces["left"]
    for source in (
        "sub-*/surf/lh.*.gii",
        [f"sub-{sub}/surf/lh.area.shape.gii" for sub in ("bert", "ernie", "kermit")],
    ):
        signals = rc.extract(source, left)
        assert signals.values[:, 0].tolist() == [4, 5, 6]
        assert signals.map_names[0] == "sub-bert_lh.area"
    two = ["sub-ernie/surf/lh.area.shape.gii", "sub-bert/surf/lh.area.shape.gii"]
    assert rc.extract(two, left).values[:, 0].tolist() == [5, 4]
    pair = ["sub-ernie/surf/rh.area.shape.gii", "sub-ernie/surf/lh.area.shape.gii"]
    assert rc.extract(pair, surfaces).single
    pairs = [pair, dict(zip(("left", "right"), pair[::-1], strict=True)), ",".join(pair)]
    assert rc.extract(pairs, surfaces).values.tolist() == [[5] * 6] * 3


def test_a_subject_without_one_hemisphere_is_an_error(surfaces, tmp_path):
    (tmp_path / "sub-bert/surf/rh.area.shape.gii").unlink()
    with pytest.raises(SpaceError, match=r"finds no pair.*finds 5 files"):
        rc.extract("sub-*/surf/?h.area.shape.gii", surfaces)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sub-1/lh.area.mgh", "sub-1/area.mgh"),
        ("sub-1_hemi-L_thickness.shape.gii", "sub-1_thickness.shape.gii"),
        ("a.L.func.gii", "a.func.gii"),
        ("plain.func.gii", "plain.func.gii"),
    ],
)
def test_names_without_the_hemisphere(path, name):
    assert without_hemisphere(path) == name


# --- an output for each image ----------------------------------------------------------------


def test_one_table_for_each_image(run, tree):
    code, out, _ = run(
        "extract", "**/*bold.nii.gz", "atlas.nii.gz", "-o", "out/{sub}/{name}.tsv",
        "--coverage", "out/sub-{sub}/{ses}_coverage.csv",
    )  # fmt: skip
    assert code == 0
    assert len(out.splitlines()) == len(WHO)
    name = "sub-01_ses-2_task-rest_bold"
    assert files(tree / "out" / "sub-01", "*.csv") == ["ses-1_coverage.csv", "ses-2_coverage.csv"]
    expected = rc.extract(f"sub-01/ses-2/func/{name}.nii.gz", "atlas.nii.gz")
    again = rc.load_signals(tree / "out" / "sub-01" / f"{name}.tsv", "atlas.nii.gz")
    np.testing.assert_array_equal(again.values, expected.values)
    assert (again.t_r, again.map_names) == (2, None)
    sidecar = json.loads((tree / "out" / "sub-01" / f"{name}.json").read_text())
    assert sidecar["Sources"] == [f"../../sub-01/ses-2/func/{name}.nii.gz"]
    rc.save(rc.extract("**/stat.nii.gz", "atlas.nii.gz"), "all.tsv")
    sources = json.loads((tree / "all.json").read_text())["Sources"]
    assert sources == [f"sub-{sub}/ses-{ses}/func/stat.nii.gz" for sub, ses in WHO]


def test_entities_of_folders_count_where_the_name_has_none(run, tree):
    pattern = "sub-*/**/stat.nii.gz"
    assert run("extract", pattern, "atlas.nii.gz", "-o", "out/{sub}_{ses}_{name}.csv")[0] == 0
    assert files(tree / "out", "*.csv") == [f"sub-{sub}_ses-{ses}_stat.csv" for sub, ses in WHO]


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("out/{sub}.tsv", [], "1 output would be written more than once: out/sub-01.tsv of"),
        ("out/{name}.tsv", [], "1 output would be written more than once: out/stat.tsv of sub-01"),
        ("out/{hemi}.tsv", [], "Nothing fills in {hemi} in the name 'out/{hemi}.tsv' for sub-01/"),
        ("out/{run}.tsv", [], r"{run} in the name 'out/{run}.tsv' for sub-01/ses-1/func/stat.nii"),
        ("out/{sub}{ses}.tsv", ["--coverage", "c.tsv"], "c.tsv of sub-01"),
        ("out/{sub}{ses}.tsv", ["--coverage", "out/{sub}{ses}.tsv"], "written more than once"),
        ("out.tsv", ["--coverage", "c/{sub}{ses}.tsv"], "out.tsv of sub-01"),
        ("out/{sub}{ses}.xyz", [], "cannot be written as 'sub-01ses-1.xyz'"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(run, tree, output, options, message):
    code, out, error = run("extract", "**/stat.nii.gz", "atlas.nii.gz", "-o", output, *options)
    assert (code, out) == (1, "")
    assert message in error
    assert not list(tree.glob("out/*"))
    assert not list(tree.glob("c*"))


def test_the_fields_that_there_are_are_listed(run):
    error = run("extract", "**/*bold.nii.gz", "atlas.nii.gz", "-o", "{run}.tsv")[2]
    assert "Fields that there are: {name}, {ses}, {sub}, {task}." in error


def test_existing_outputs_are_asked_for_before_the_first_is_written(run, tree):
    words = ["extract", "**/stat.nii.gz", "atlas.nii.gz", "-o", "out/{sub}_{ses}.tsv"]
    (tree / "out").mkdir()
    (tree / "out" / "sub-10_ses-1.tsv").write_text("mine")
    code, _, error = run(*words)
    assert code == 1
    assert "The output exists: out/sub-10_ses-1.tsv" in error
    assert files(tree / "out") == ["sub-10_ses-1.tsv"]
    assert run(*words, "--overwrite")[0] == 0
    assert len(files(tree / "out", "*.tsv")) == len(WHO)


def test_each_image_has_its_own_confounds(run, tree):
    paths = [f"confounds-{number}.tsv" for number in range(len(WHO))]
    for number, path in enumerate(paths):
        motion = np.random.default_rng(number).random(N_VOLUMES)
        pd.DataFrame({"motion": motion}).to_csv(path, sep="\t", index=False)
    words = ["extract", "**/*bold.nii.gz", "atlas.nii.gz", "-o", "out/{name}.tsv"]
    assert "gives 1 for 4 images" in run(*words, "--confounds", paths[1])[2]
    assert not list(tree.glob("out/*"))
    given = [word for path in paths for word in ("--confounds", path)]
    assert run(*words, *given)[0] == 0
    name = "sub-02_ses-1_task-rest_bold"
    image = f"sub-02/ses-1/func/{name}.nii.gz"
    expected = rc.extract(image, "atlas.nii.gz", confounds=paths[2])
    again = rc.load_signals(tree / "out" / f"{name}.tsv", "atlas.nii.gz")
    np.testing.assert_array_equal(again.values, expected.values)


def test_confounds_of_another_image_are_said(run, tree):
    images = [f"sub-{sub}/ses-1/func/sub-{sub}_ses-1_task-rest_bold.nii.gz" for sub in ("01", "02")]
    motion = pd.DataFrame({"motion": [1.0, 0, 2]})
    paths = [f"sub-{sub}_ses-1_task-rest_desc-confounds_timeseries.tsv" for sub in ("01", "02")]
    for path in paths:
        motion.to_csv(path, sep="\t", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rc.extract(images, "atlas.nii.gz", confounds=paths)
        rc.extract(images, "atlas.nii.gz", confounds=[motion, motion])
    with pytest.warns(ConfoundsWarning, match=r"\(sub-01\) is cleaned of .* \(sub-02\)"):
        rc.extract(images[0], "atlas.nii.gz", confounds=paths[1])
    given = [word for path in paths[::-1] for word in ("--confounds", path)]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        said = run("extract", *images, "atlas.nii.gz", "-o", "out/{sub}.tsv", *given)[2]
    assert said.count("is cleaned of") == 2


def test_what_was_written_before_an_error_is_said(run, tree):
    damaged = tree / "sub-02/ses-1/func/stat.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:200])
    code, out, said = run("extract", "**/stat.nii.gz", "atlas.nii.gz", "-o", "out/{sub}_{ses}.tsv")
    assert code == 1
    assert "damaged" in said
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        "out/sub-01_ses-1.tsv",
        "out/sub-01_ses-2.tsv",
    ]


def test_pairs_of_surfaces_have_one_table_each(surfaces, tmp_path, capsys):
    for side in "LR":
        nib.save(labels_gifti(side), f"{side.lower()}h.atlas.label.gii")
    words = ["sub-*/surf/?h.area.shape.gii", "?h.atlas.label.gii", "-o", "out/{sub}_{name}.tsv"]
    assert cli.main(["extract", *words]) == 0
    assert files(tmp_path / "out", "*.tsv") == [
        f"sub-{sub}_area.tsv" for sub in ("bert", "ernie", "kermit")
    ]


# --- an output for each map ------------------------------------------------------------------


def group(names=("sub-01", "sub-02")):
    frame = pd.DataFrame(np.arange(1.0, 1 + 4 * len(names)).reshape(-1, 4), columns=NAMES)
    frame.insert(0, "participant_id", list(names))
    return frame


def test_one_image_for_each_map(run, tree):
    group().to_csv("group.csv", index=False)
    code, out, _ = run("paint", "group.csv", "atlas.nii.gz", "-o", "maps/{map}.nii.gz")
    assert code == 0
    assert out.startswith("maps/sub-01.nii.gz, maps/sub-02.nii.gz: 4 values painted into 4 of 4")
    assert files(tree / "maps", "*.gz") == ["sub-01.nii.gz", "sub-02.nii.gz"]
    for row, name in enumerate(["sub-01", "sub-02"]):
        image = nib.load(tree / "maps" / f"{name}.nii.gz")
        whole = rc.paint(group().iloc[row, 1:].to_dict(), "atlas.nii.gz")
        assert image.shape == small_labels().shape
        np.testing.assert_array_equal(image.get_fdata(), whole.get_fdata())
    code, _, error = run("paint", "group.csv", "atlas.nii.gz", "-o", "maps/{map}.nii.gz")
    assert code == 1
    assert "The output exists: maps/sub-01.nii.gz" in error


def test_signals_are_written_map_by_map(tree):
    signals = rc.extract("**/stat.nii.gz", "atlas.nii.gz")
    told = []
    written = rc.save(signals, "t/{map}.tsv", long=True, progress=lambda *done: told.append(done))
    assert [path.name for path in written] == [f"{name}.tsv" for name in signals.map_names]
    assert told == [(n, 4) for n in (1, 2, 3, 4)]
    for path, values in zip(written, signals.values, strict=True):
        again = rc.load_signals(path, "atlas.nii.gz")
        assert again.single
        np.testing.assert_array_equal(again.values[0], values)


def test_maps_and_hemispheres_go_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atlas = rc.load_parcellation({"left": labels_gifti("L"), "right": labels_gifti("R")})
    keys = atlas.table.unique_keys
    values = np.arange(12.0).reshape(2, 6) + 1
    image = rc.paint(rc.Signals(values, keys, map_names=["z", "t"]), atlas, dtype="float32")
    rc.save(image, "a/{map}_hemi-{hemi}.func.gii")
    assert files(tmp_path / "a") == [f"{m}_hemi-{h}.func.gii" for m in "tz" for h in "LR"]
    rc.save(image, "b/?h.{map}.func.gii")
    assert files(tmp_path / "b") == [
        "lh.t.func.gii",
        "lh.z.func.gii",
        "rh.t.func.gii",
        "rh.z.func.gii",
    ]
    back = rc.extract("a/t_hemi-?.func.gii", atlas)
    assert back.values.tolist() == values[1:].tolist()
    parcels = rc.save(image, "c/{map}.pscalar.nii")
    assert rc.load_signals(parcels[0], atlas).values.tolist() == values[:1].tolist()
    # Names that are marks of hemispheres change places with each other.
    sided = rc.paint(rc.Signals(values, keys, map_names=["lh.z", "rh.z"]), atlas, dtype="float32")
    with pytest.raises(OutputError, match=r"more than once: d/lh\.z\.func\.gii"):
        rc.save(sided, "d/{map}.func.gii")
    assert not (tmp_path / "d").exists()


def test_grayordinates_map_by_map(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    axis = brain_models()
    nib.save(dlabel(np.arange(len(axis)) % 3, {0: "?", 1: "V1", 2: "V2"}, axis), "a.dlabel.nii")
    image = rc.paint({"V1": [1.0, 2.0], "V2": [3.0, 4.0]}, "a.dlabel.nii")
    written = rc.save(image, "m/{map}.dscalar.nii")
    assert [path.name for path in written] == ["map_0.dscalar.nii", "map_1.dscalar.nii"]
    assert set(np.unique(nib.load(written[1]).get_fdata())) == {0, 2, 4}


@pytest.mark.parametrize("name", ["a/b", "..\\c", "what?", "x*", "{map}", "tab\there"])
def test_names_that_no_file_may_have_are_refused(tree, name):
    image = rc.paint(rc.Signals(np.ones((2, 4)), NAMES, map_names=["z", name]), "atlas.nii.gz")
    with pytest.raises(OutputError, match=r"cannot stand for \{map\} in the name of a file"):
        rc.save(image, "maps/{map}.nii.gz")
    assert not (tree / "maps").exists()


def test_maps_that_cannot_be_taken_apart(tree):
    series = rc.paint(np.ones((3, 4)), "atlas.nii.gz", t_r=2.0)
    with pytest.raises(SignalsError, match="These 3 maps are points of a series"):
        rc.save(series, "{map}.nii.gz")
    image = rc.paint(group(), "atlas.nii.gz")
    with pytest.raises(
        ArgumentError, match=r"Nothing fills in \{sub\} in .* are: \{hemi\}, \{map\}"
    ):
        rc.save(image, "{sub}_{map}.nii.gz")
    with pytest.raises(FileFormatError, match=r"An image cannot be written as 'sub-01\.tsv'"):
        rc.save(image, "{map}.tsv")
    with pytest.raises(ArgumentError, match=r"Nothing fills in \{hemi\}"):
        rc.save(image, "{hemi}_{map}.nii.gz")
    with pytest.raises(FileFormatError, match="this Nifti1Image is none, or no longer"):
        rc.save(image_of(np.ones((2, 3, 4, 5))), "{map}.nii.gz")
    with pytest.raises(OutputError, match="written more than once"):
        rc.save(rc.paint(group(["a", "a"]), "atlas.nii.gz"), "{map}.nii.gz")
    image.get_fdata()[0] = 7
    with pytest.raises(FileFormatError, match="was edited since it was painted"):
        rc.save(image, "{map}.nii.gz")
    assert not list(tree.glob("*{map}*"))


def test_a_template_is_looked_at_before_values_are_read(run):
    code, _, error = run("paint", "absent.csv", "atlas.nii.gz", "-o", "maps/{mapp}.nii.gz")
    assert code == 1
    assert "Nothing fills in {mapp}" in error


def test_all_outputs_are_looked_at_before_the_first_is_written(tree):
    (tree / "maps").mkdir()
    (tree / "maps" / "sub-02.nii.gz").write_text("mine")
    image = rc.paint(group(), "atlas.nii.gz")
    with pytest.raises(OutputExistsError, match=r"sub-02\.nii\.gz"):
        rc.save(image, "maps/{map}.nii.gz")
    assert files(tree / "maps") == ["sub-02.nii.gz"]
    assert len(rc.save(image, "maps/{map}.nii.gz", overwrite=True)) == 2


@given(st.lists(st.text("a019", max_size=4), unique=True), st.randoms())
def test_natural_order_is_that_of_the_numbers_and_no_other(texts, random):
    shuffled = random.sample(texts, len(texts))
    assert sorted(texts, key=natural_order) == sorted(shuffled, key=natural_order)
    numbers = [text for text in texts if text.isdigit()]
    assert sorted(numbers, key=lambda text: (int(text), text)) == sorted(numbers, key=natural_order)
    assert natural_order("9" * 5000) < natural_order("1" + "0" * 5000)


def test_a_prefix_is_not_doubled():
    values = {"sub": "sub-01", "name": "sub-01_bold"}
    for template in ("{sub}_x", "sub-{sub}_x"):
        assert str(filled(cli.Path(template), values)) == "sub-01_x"
    assert str(filled(cli.Path("{sub}/{name}"), values)) == "sub-01/sub-01_bold"
