"""The shell's face says and does what the Python functions do."""

from __future__ import annotations

import errno
import inspect
import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import regioncast as rc
from regioncast import cli, cohort

COMMAND = Path(sys.executable).with_name("regioncast")
OF_COHORTS = ["jobs", "batch", "gather"]
VERBS = ["paint", "extract", "match", "info", "demo", *OF_COHORTS]
SHAPE = (5, 4, 6)
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])
LABELS = [3, 20, 1007]
NAMES = ["V1", "V2", "MT"]
PAINT = ["paint", "values.tsv", "atlas.nii.gz", "-o", "map.nii.gz"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder with an atlas, its table, a mask, and values of several kinds."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.resize([0, *LABELS], np.prod(SHAPE))).astype(np.int32)
    nib.save(nib.Nifti1Image(labels.reshape(SHAPE), AFFINE), "atlas.nii.gz")
    mask = (np.indices(SHAPE)[0] < 3).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, AFFINE), "mask.nii.gz")
    regions = pd.DataFrame({"index": LABELS, "name": NAMES, "side": ["L", "R", "n/a"]})
    regions.to_csv("atlas.tsv", sep="\t", index=False)
    other_names = regions.assign(name=["A", "B", "C"])
    other_names.to_csv("other.csv", index=False)
    values = pd.DataFrame({"name": NAMES, "id": LABELS, "z": [0.5, -1.5, 2.25], "p": [1, 2, 3]})
    values.to_csv("values.tsv", sep="\t", index=False)
    values.iloc[:2].to_csv("few.tsv", sep="\t", index=False)
    pd.concat([values, values.assign(name="X", id=9)[:1]]).to_csv("many.csv", index=False)
    values[["z"]].to_csv("plain.txt", header=False, index=False)
    return tmp_path


def shell(*words, **options):
    """Run the command as people do."""
    options = {"capture_output": True, "text": True} | options
    return subprocess.run([COMMAND, *words], check=False, **options)


@pytest.fixture
def run(capsys):
    """Return the function that runs the command in this process: exit code, stdout, stderr."""

    def call(*words):
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return call


def array(path):
    return np.asarray(nib.load(path).dataobj)


# --- the command -----------------------------------------------------------------------------


def test_the_command_paints():
    done = shell(*PAINT)
    assert (done.returncode, done.stderr) == (0, "")
    np.testing.assert_array_equal(
        array("map.nii.gz"), np.asarray(rc.paint("values.tsv", "atlas.nii.gz").dataobj)
    )


def test_version_is_that_of_the_package(run):
    assert shell("--version").stdout == f"{rc.__version__}\n"
    assert run("--version") == (0, f"{rc.__version__}\n", "")


def verb_of(name):
    """The function of a verb; those of cohorts are in modules of their own."""
    rooms = (cli, cli.gathering, cli.cohort)
    return next(getattr(room, name) for room in rooms if callable(getattr(room, name, None)))


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_names_every_option(run, verb):
    code, out, err = run(verb, "--help")
    assert (code, err) == (0, "")
    options = [name for name, p in parameters(verb_of(verb)).items() if p.kind is p.KEYWORD_ONLY]
    for name in options:
        assert f"--{name.rstrip('_').replace('_', '-')}" in out


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_has_an_example(run, verb):
    _, out, _ = run(verb, "--help")
    plain = " ".join(out.replace("│", " ").split())
    assert re.search(
        rf"(regioncast|\|\s*regioncast) {verb} [\w./-]", plain.split("Usage", 1)[1][30:]
    )


def test_help_of_the_command_lists_the_verbs(run):
    for words in ([], ["--help"], ["-h"]):
        code, out, err = run(*words)
        assert (code, err) == (0, "")
        assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["paint"],
        ["paint", "values.tsv"],
        ["paint", "values.tsv", "atlas.nii.gz"],
        [*PAINT, "--nonsense"],
        [*PAINT, "extra.tsv"],
        [*PAINT, "--missing", "perhaps"],
        [*PAINT, "--fill", "red"],
        [*PAINT, "--t-r"],
        ["match", "values.tsv"],
        ["info"],
        ["info", "atlas.nii.gz", "--dtype", "int16"],
        ["demo", "a", "b"],
    ],
    ids=shlex.join,
)
def test_wrong_usage_exits_with_2_and_does_nothing(folder, run, words):
    before = sorted(folder.rglob("*"))
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.strip()
    assert "Traceback" not in err
    assert sorted(folder.rglob("*")) == before


# --- options ---------------------------------------------------------------------------------


def parameters(function):
    """The parameters of a function; of a verb, each that says how the atlas is read too."""
    those = dict(inspect.signature(function).parameters)
    if those.pop("reading", None):
        for name, parameter in inspect.signature(cli.Reading).parameters.items():
            those[name] = parameter.replace(kind=parameter.KEYWORD_ONLY)
    return those


READING = {name: parameters(rc.load_parcellation)[name] for name in parameters(cli.Reading)}


@pytest.mark.parametrize(
    ("verb", "function"),
    [
        (cli.paint, rc.paint),
        (cli.extract, rc.extract),
        (cli.match, rc.match),
        (cli.info, rc.load_parcellation),
        (cli.cohort.batch, cohort.batch),
        (cli.gathering.gather, cohort.gather),
        (cli.gathering.jobs, cohort.find_jobs),
    ],
)
def test_options_and_their_defaults_are_those_of_the_function(verb, function):
    inputs = {"values", "image", "parcellation", "labels", "left", "right", "progress", "looking"}
    # What Python alone can give, and what the shell calls otherwise.
    inputs |= {"executor", "jobs", "folder", "atlases", "out", "output", "relative_to"}
    inputs |= {"strategy"} if verb is cli.cohort.batch else set()
    wanted = parameters(function) if verb.__name__ in OF_COHORTS else READING | parameters(function)
    keywords = {n: p.default for n, p in wanted.items() if n not in inputs}
    options = {n: p.default for n, p in parameters(verb).items()}
    assert {name: options.get(name, "no such option") for name in keywords} == keywords


def test_every_verb_with_an_atlas_says_how_it_is_read():
    assert list(READING) == ["regions", "background", "label_map", "level"]
    for verb in VERBS:
        has_no_atlas = verb in ("demo", *OF_COHORTS)
        assert (set(READING) <= set(parameters(verb_of(verb)))) != has_no_atlas


def test_further_options_are_off_by_default():
    own = {"values", "atlas", "folder", "output", "inputs", "coverage", "as_"}
    own |= {"workers", "scheduler"}
    for verb, function in [
        (cli.paint, rc.paint),
        (cli.info, rc.load_parcellation),
        (cli.extract, rc.extract),
        (cli.demo, None),
    ]:
        known = own | set(READING) | (set(parameters(function)) if function else set())
        others = {n: p.default for n, p in parameters(verb).items() if n not in known}
        assert set(others.values()) == {False}, others


@pytest.mark.parametrize(
    ("words", "keywords"),
    [
        ([], {}),
        (["--by", "label", "--key", "id"], {"by": "label", "key": "id"}),
        (["--columns", "p"], {"columns": "p"}),
        (["--columns", "p", "--columns", "z"], {"columns": ["p", "z"]}),
        (["--fill", "nan"], {"fill": np.nan}),
        (["--fill", "-1"], {"fill": -1}),
        (["--fill=-2.5e3"], {"fill": -2500}),
        (["--dtype", "float32"], {"dtype": "float32"}),
        (["--mask", "mask.nii.gz"], {"mask": "mask.nii.gz"}),
        (["--mask", "mask.nii.gz", "--fill", "inf"], {"mask": "mask.nii.gz", "fill": np.inf}),
        (["--t-r", "2.5"], {"t_r": 2.5}),
        (
            ["--background", "3", "--extra", "ignore", "--missing", "fill"],
            {"background": 3, "extra": "ignore", "missing": "fill"},
        ),
        (["--background", "nan", "--missing", "fill"], {"background": np.nan, "missing": "fill"}),
        (["--background", "-7", "--missing", "fill"], {"background": -7, "missing": "fill"}),
    ],
    ids=lambda x: shlex.join(x) if isinstance(x, list) else "",
)
@pytest.mark.filterwarnings("ignore:The region table and the labels image differ")
def test_each_option_of_paint_does_what_its_keyword_does(run, words, keywords):
    assert run(*PAINT, *words)[0] == 0
    atlas = rc.load_parcellation("atlas.nii.gz", background=keywords.pop("background", None))
    image, expected = nib.load("map.nii.gz"), rc.paint("values.tsv", atlas, **keywords)
    assert image.get_data_dtype() == expected.get_data_dtype()
    assert image.header.get_zooms() == expected.header.get_zooms()
    np.testing.assert_array_equal(np.asarray(image.dataobj), np.asarray(expected.dataobj))


@pytest.mark.parametrize(
    ("values", "words", "keywords"),
    [
        ("few.tsv", ["--missing", "fill"], {"missing": "fill"}),
        ("many.csv", ["--extra", "ignore"], {"extra": "ignore"}),
        ("plain.txt", ["--by", "position"], {"by": "position"}),
    ],
)
def test_what_does_not_fit_is_painted_when_asked_for(run, values, words, keywords):
    assert run("paint", values, "atlas.nii.gz", "-o", "map.nii", *words)[0] == 0
    expected = rc.paint(values, "atlas.nii.gz", **keywords)
    np.testing.assert_array_equal(array("map.nii"), np.asarray(expected.dataobj))


def test_the_regions_of_paint_are_those_of_load_parcellation(run):
    words = ["paint", "plain.txt", "atlas.nii.gz", "-o", "map.nii", "--regions", "other.csv"]
    assert run(*words)[0] == 0
    expected = rc.paint("plain.txt", rc.load_parcellation("atlas.nii.gz", "other.csv"))
    np.testing.assert_array_equal(array("map.nii"), np.asarray(expected.dataobj))
    named = pd.DataFrame({"name": ["A", "B", "C"], "z": [1.0, 2.0, 3.0]})
    named.to_csv("named.tsv", sep="\t", index=False)
    for verb in ("paint", "match"):
        output = ["-o", "named.nii"] * (verb == "paint")
        assert run(verb, "named.tsv", "atlas.nii.gz", *output)[0] == 1
        assert run(verb, "named.tsv", "atlas.nii.gz", *output, "--regions", "other.csv")[0] == 0


def test_a_background_label_beyond_the_floats_is_that_label(run):
    large = 2**53 + 1
    labels = np.array([[[large, 1, 2]], [[2, 1, large]]], np.int64)
    nib.save(nib.Nifti1Image(labels, AFFINE, dtype=np.int64), "large.nii.gz")
    code, out, _ = run("info", "large.nii.gz", "--background", str(large), "--json")
    assert code == 0
    assert [region["label"] for region in json.loads(out)["regions"]] == [1, 2]


# --- paint -----------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["map.nii", "map.nii.gz", "map.mgz", "map.NII.GZ"])
def test_every_format_holds_the_same_map(run, output):
    code, _, err = run(*PAINT[:3], "--output", output, "--dtype", "float32", "--columns", "z")
    assert (code, err) == (0, "")
    expected = rc.paint("values.tsv", "atlas.nii.gz", dtype="float32", columns="z")
    np.testing.assert_array_equal(array(output), np.asarray(expected.dataobj))
    np.testing.assert_allclose(nib.load(output).affine, AFFINE, atol=1e-5)


def test_one_line_says_what_was_painted(run):
    code, out, err = run(*PAINT, "--columns", "z")
    assert (code, err) == (0, "")
    assert re.fullmatch(
        r"map\.nii\.gz: 3 values painted into 3 of 3 regions by name, 1 map \('z'\), "
        r"5×4×6 float64, "
        r"[\d.]+ (bytes|kB|MB), \d+\.\d\d s\n",
        out,
    )


def test_the_line_counts_regions_without_a_value_and_maps(run):
    _, out, _ = run("paint", "few.tsv", "atlas.nii.gz", "-o", "map.nii", "--missing", "fill")
    assert out.startswith(
        "map.nii: 2 values painted into 2 of 3 regions by name, 2 maps ('z', 'p'), "
        "5×4×6×2 float64, "
    )


@pytest.mark.filterwarnings("ignore:The mask leaves no voxel of 2 regions")
def test_the_line_counts_what_reached_a_voxel(run):
    _, out, _ = run("paint", "many.csv", "atlas.nii.gz", "-o", "map.nii", "--extra", "ignore")
    assert out.startswith("map.nii: 3 of 4 values painted into 3 of 3 regions by name, 2 maps ")
    only = np.asarray(nib.load("atlas.nii.gz").dataobj) == LABELS[1]
    nib.save(nib.Nifti1Image(only.astype(np.uint8), AFFINE), "only.nii")
    words = ["--columns", "z", "--mask", "only.nii", "--overwrite"]
    _, out, _ = run(*PAINT[:3], "-o", "map.nii", *words)
    assert out.startswith("map.nii: 1 of 3 values painted into 1 of 3 regions by name, 1 map ('z')")


def test_the_line_names_some_maps_of_many_and_none_of_a_series(run):
    columns = {title: [1.0, 2.0, 3.0] for title in "abcde"}
    pd.DataFrame({"name": NAMES} | columns).to_csv("wide.csv", index=False)
    _, out, _ = run("paint", "wide.csv", "atlas.nii.gz", "-o", "map.nii")
    assert "3 of 3 regions by name, 5 maps ('a', 'b', 'c' and 2 more), 5×4×6×5" in out
    np.save("series.npy", np.ones((7, 3)))
    _, out, _ = run("paint", "series.npy", "atlas.nii.gz", "-o", "series.nii", "--t-r", "2")
    assert "3 values painted into 3 of 3 regions by position, 7 maps, 5×4×6×7" in out


def test_an_existing_output_is_replaced_only_when_asked_for(run):
    Path("map.nii.gz").write_bytes(b"precious")
    code, out, err = run(*PAINT)
    assert (code, out) == (1, "")
    assert "--overwrite" in err
    assert Path("map.nii.gz").read_bytes() == b"precious"
    assert run(*PAINT, "--overwrite")[0] == 0
    assert nib.load("map.nii.gz").shape == (*SHAPE, 2)


def test_nothing_but_the_output_is_written(folder, run):
    before = set(folder.iterdir())
    run(*PAINT)
    assert set(folder.iterdir()) - before == {folder / "map.nii.gz", folder / "map.json"}


@pytest.mark.parametrize("verb", ["paint", "match"])
def test_a_table_comes_from_standard_input(verb):
    output = ["-o", "piped.nii"] if verb == "paint" else []
    with Path("values.tsv").open() as table:
        done = shell(verb, "-", "atlas.nii.gz", *output, stdin=table)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 of 3 regions" in done.stdout
    if verb == "paint":
        expected = rc.paint("values.tsv", "atlas.nii.gz")
        np.testing.assert_array_equal(array("piped.nii"), np.asarray(expected.dataobj))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"", "standard input is empty"),
        (b"name\tz\nV1\thigh\n", "The column 'z' of standard input holds text"),
        (b"\x1f\x8b\x08\x00\x00", "standard input is not text"),
    ],
)
def test_errors_of_standard_input_say_so(run, monkeypatch, text, shown):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    code, out, err = run("paint", "-", "atlas.nii.gz", "-o", "map.nii", "--columns", "z")
    assert (code, out) == (1, "")
    assert shown in err
    assert not Path("map.nii").exists()


# --- match and info --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words", "code"),
    [
        ("values.tsv", [], 0),
        ("few.tsv", [], 1),
        ("few.tsv", ["--missing", "fill"], 0),
        ("few.tsv", ["--extra", "ignore"], 1),
        ("many.csv", [], 1),
        ("many.csv", ["--extra", "ignore"], 0),
        ("plain.txt", [], 0),
        ("plain.txt", ["--by", "name"], 1),
    ],
)
def test_match_exits_as_paint_would_and_prints_the_report(run, values, words, code):
    got, out, err = run("match", values, "atlas.nii.gz", *words)
    assert (got, err) == (code, "")
    by = {"by": "name"} if "--by" in words else {}
    found = rc.match(values, "atlas.nii.gz", **by)
    assert out == f"{found}\n"
    got_json, out, _ = run("match", values, "atlas.nii.gz", *words, "--json")
    assert got_json == code
    assert json.loads(out) == found.to_dict()
    assert run("paint", values, "atlas.nii.gz", "-o", "map.nii", *words)[0] == code


def test_match_fails_where_nothing_is_known_though_all_may_be_missing(run):
    Path("strange.tsv").write_text("name\tz\nfoo\t1\nbar\t2\n")
    words = ["strange.tsv", "atlas.nii.gz", "--missing", "fill", "--extra", "ignore"]
    assert run("match", *words)[0] == 1
    assert run("paint", *words, "-o", "map.nii")[0] == 1


def test_match_writes_nothing(folder, run):
    before = sorted(folder.iterdir())
    run("match", "values.tsv", "atlas.nii.gz")
    assert sorted(folder.iterdir()) == before


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def test_info_as_json_agrees_with_the_parcellation(run):
    code, out, err = run("info", "atlas.nii.gz", "--json")
    assert (code, err) == (0, "")
    shown = json.loads(out, parse_constant=no_constant)
    atlas = rc.load_parcellation("atlas.nii.gz")
    assert shown["n_regions"] == len(atlas)
    assert tuple(shown["shape"]) == atlas.space.shape
    np.testing.assert_allclose(shown["affine"], AFFINE, atol=1e-6)
    assert shown["voxel_volume_mm3"] == pytest.approx(abs(np.linalg.det(AFFINE)), rel=1e-6)
    frame = atlas.to_pandas()
    assert [region["side"] for region in shown["regions"]] == ["L", "R", None]
    for region, row in zip(shown["regions"], frame.to_dict("records"), strict=True):
        assert (region["label"], region["name"]) == (row["index"], row["name"])
        assert region["voxels"] == row["voxels"]
        assert region["volume_mm3"] == row["volume_mm3"]
        assert region["centroid_mm"] == [row["x"], row["y"], row["z"]]


def test_info_as_json_has_null_where_nothing_is_known():
    Path("atlas.tsv").write_text("index\tname\tsize\n3\tV1\t1.5\n8\tnone\t\n20\tV2\tn/a\n")
    done = shell("info", "atlas.nii.gz", "--json")
    assert done.returncode == 0
    assert re.fullmatch("regioncast: warning: The region table and the [^\n]+\n", done.stderr)
    regions = json.loads(done.stdout, parse_constant=no_constant)["regions"]
    by_label = {region["label"]: region for region in regions}
    assert by_label[8]["centroid_mm"] is None
    assert by_label[8]["voxels"] == 0
    assert [by_label[label]["size"] for label in (3, 8, 20, 1007)] == [1.5, None, None, None]


def test_info_as_json_has_null_for_what_is_infinite(run):
    Path("atlas.tsv").write_text("index\tname\tsize\n3\tV1\tinf\n20\tV2\t-1e400\n1007\tMT\t2.5\n")
    code, out, err = run("info", "atlas.nii.gz", "--json")
    assert (code, err) == (0, "")
    regions = json.loads(out, parse_constant=no_constant)["regions"]
    assert [region["size"] for region in regions] == [None, None, 2.5]


def test_info_prints_every_region(run):
    code, out, err = run("info", "atlas.nii.gz")
    assert (code, err) == (0, "")
    assert out == rc.load_parcellation("atlas.nii.gz").to_text() + "\n"
    assert len(out.splitlines()) == 2 + 3


@pytest.mark.parametrize(
    ("words", "keywords"),
    [
        (["--regions", "other.csv"], {"regions": "other.csv"}),
        (["--mask", "mask.nii.gz"], {"mask": "mask.nii.gz"}),
    ],
)
def test_options_of_info(run, words, keywords):
    _, out, _ = run("info", "atlas.nii.gz", *words)
    assert out == rc.load_parcellation("atlas.nii.gz", **keywords).to_text() + "\n"


def test_strict_fails_where_table_and_image_differ(run):
    Path("atlas.tsv").write_text("index\tname\n3\tV1\n8\tnone\n")
    code, out, err = run("info", "atlas.nii.gz", "--strict")
    assert (code, out) == (1, "")
    assert "20, 1007" in err
    assert "1 row of the region table without a voxel: 8." in err
    assert "Correct the table, or do not ask for strict." in err
    assert err.count("\n") == 1


# --- demo ------------------------------------------------------------------------------------


def test_demo_paints_and_shows_the_extremes(run):
    code, out, err = run("demo", "made/here")
    assert (code, err) == (0, "")
    demo = rc.demo_data()
    values = pd.read_csv(demo.values, sep="\t").sort_values("z")
    shown = re.findall(r"^ *(-?\d+\.\d{3})  (\S+)$", out, re.MULTILINE)
    expected = [*values[::-1][:5].itertuples(), *values[:5].itertuples()]
    assert shown[:10] == [(f"{row.z:.3f}", row.name) for row in expected]
    assert "matched  100 of 100 regions by name, 1 map" in out
    image = nib.load("made/here/motor_left-vs-right.nii.gz")
    assert "made/here/motor_left-vs-right.nii.gz" in out
    np.testing.assert_array_equal(
        np.asarray(image.dataobj), np.asarray(rc.paint(demo.values, demo.atlas).dataobj)
    )


def test_demo_replaces_its_output_only_when_asked_for(run):
    assert run("demo", "here")[0] == 0
    code, _, err = run("demo", "here")
    assert code == 1
    assert "--overwrite" in err
    assert run("demo", "here", "--overwrite")[0] == 0


def test_demo_into_a_file_is_a_clear_error(run):
    code, out, err = run("demo", "values.tsv")
    assert (code, out) == (1, "")
    assert "values.tsv" in err
    assert "unexpected" not in err


# --- errors and warnings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["paint", "none.tsv", "atlas.nii.gz", "-o", "map.nii"],
        ["match", "none.tsv", "atlas.nii.gz"],
        ["info", "none.nii.gz"],
    ],
)
def test_an_error_is_one_message_without_a_traceback(words):
    done = shell(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"regioncast: The [\w ]+ does not exist: none\.[^\n]+\n", done.stderr)


def test_damaged_files_say_it_once():
    Path("zeros.mgz").write_bytes(bytes(500))
    Path("zeros.nii").write_bytes(bytes(500))
    for name in ("zeros.mgz", "zeros.nii"):
        done = shell("info", name)
        assert done.returncode == 1
        assert done.stderr.startswith(f"regioncast: The labels image {name}")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_anywhere_gives_the_traceback(place):
    words = ["match", "none.tsv", "atlas.nii.gz"]
    done = shell(*words[:place], "--debug", *words[place:])
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert "InputMissingError" in done.stderr.splitlines()[-1]


def test_a_warning_is_one_line_and_no_failure():
    mask = (np.asarray(nib.load("atlas.nii.gz").dataobj) != 20).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, AFFINE), "mask.nii.gz")
    done = shell(*PAINT, "--mask", "mask.nii.gz")
    assert done.returncode == 0
    assert done.stderr == ("regioncast: warning: The mask leaves no voxel of 1 region: 'V2'.\n")


def test_text_that_the_terminal_cannot_show_is_no_failure():
    Path("atlas.tsv").write_text("index\tname\n3\tCortéx\n20\tV2\n1007\tЖ\n", encoding="utf-8")
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for words in (["info", "atlas.nii.gz"], [*PAINT, "--key", "id"]):
        done = shell(*words, env=ascii_only)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [["info", "atlas.nii.gz"], ["info", "large.nii.gz", "--regions", "none"], ["--help"]],
)
def test_a_reader_that_leaves_is_no_news(words):
    labels = np.arange(9 * 10 * 11 * 8).reshape(18, 20, 22)  # more text than a pipe holds
    nib.save(nib.Nifti1Image(labels.astype(np.int32), AFFINE), "large.nii.gz")
    process = subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert err == b""
    assert process.returncode in (0, 1)


def test_a_pipe_into_head():
    line = f"set -o pipefail; {shlex.quote(str(COMMAND))} info atlas.nii.gz | head -1"
    done = subprocess.run(["bash", "-c", line], check=False, capture_output=True, text=True)
    assert done.stdout.startswith("Parcellation: 3 regions")
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_printed_is_a_failure():
    with Path("/dev/full").open("w") as full:
        done = shell(
            "info", "atlas.nii.gz", stdout=full, stderr=subprocess.PIPE, capture_output=False
        )
    assert done.returncode == 1
    assert re.fullmatch(r"regioncast: [^\n]*No space left on device[^\n]*\n", done.stderr)
    assert "unexpected" not in done.stderr


# --- time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [None, b"precious"])
def test_an_interrupt_leaves_the_old_file_or_none(folder, old):
    labels = np.random.default_rng(0).integers(0, 200, (60, 50, 40)).astype(np.int16)
    nib.save(nib.Nifti1Image(labels, AFFINE), "large.nii.gz")
    np.save("long.npy", np.random.default_rng(0).standard_normal((4000, 199)))
    if old is not None:
        Path("map.nii").write_bytes(old)
    before = sorted(folder.iterdir())
    words = ["paint", "long.npy", "large.nii.gz", "-o", "map.nii", "--overwrite"]
    words += ["--regions", "none"]
    process = subprocess.Popen([COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    limit = time.monotonic() + 30
    while sorted(folder.iterdir()) == before and time.monotonic() < limit:
        time.sleep(0.005)
    assert len(list(folder.iterdir())) == len(before) + 1
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"regioncast: interrupted\n")
    assert sorted(folder.iterdir()) == before
    assert old is None or Path("map.nii").read_bytes() == old


IMPATIENT = """
import sys
from regioncast import cli, progress
progress._PATIENCE = float(sys.argv.pop(1))
sys.exit(cli.main())
"""


PAINTING = ["paint", "series.npy", "atlas.nii.gz", "-o", "map.nii", "--overwrite"]
EXTRACTING = ["extract", "bold.nii", "atlas.nii.gz", "-o", "table.tsv", "--overwrite"]


def stderr_of(words, *, patience, terminal):
    """Paint or extract a series with a terminal, or a pipe, as stderr; return what appears."""
    np.save("series.npy", np.ones((5, 3)))
    rc.save(rc.paint("series.npy", "atlas.nii.gz"), "bold.nii", overwrite=True)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPATIENT, str(patience), *words],
        check=True, stdout=subprocess.PIPE, stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    )  # fmt: skip
    assert done.stdout.count(b"\n") == 1
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # a terminal whose other side has closed
        pass
    os.close(ours)
    return shown


@pytest.mark.parametrize(
    ("patience", "terminal", "appears"),
    [(0, True, True), (1e6, True, False), (0, False, False)],
)
@pytest.mark.parametrize(
    ("words", "title"), [(PAINTING, b"writing map.nii"), (EXTRACTING, b"extracting")]
)
def test_progress_shows_on_a_terminal_when_it_takes_long(words, title, patience, terminal, appears):
    shown = stderr_of(words, patience=patience, terminal=terminal)
    assert (title in shown) == appears
    assert (b"5/5" in shown) == appears
    assert appears or shown == b""


def test_patience_lasts_a_second():
    from regioncast import progress

    assert progress._PATIENCE == 1.0


# --- what the shell and the system do ---------------------------------------------------------


def test_the_package_is_the_command_too(run):
    done = subprocess.run(
        [sys.executable, "-m", "regioncast", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == shell("--version").stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_streams_that_the_shell_closed(closed):
    done = subprocess.run(
        f"{shlex.quote(str(COMMAND))} {shlex.join(PAINT)} {closed}",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    expected = rc.paint("values.tsv", "atlas.nii.gz")
    np.testing.assert_array_equal(array("map.nii.gz"), np.asarray(expected.dataobj))


def test_standard_input_that_is_closed_is_an_empty_table():
    done = subprocess.run(
        f"{shlex.quote(str(COMMAND))} paint - atlas.nii.gz -o map.nii.gz <&-",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("regioncast: standard input is empty")
    assert not Path("map.nii.gz").exists()


@pytest.mark.parametrize("ignored", [True, False])
def test_a_hangup_that_nohup_ignores_is_ignored(ignored):
    code = (
        "import os, signal, sys; from regioncast import cli\n"
        f"signal.signal(signal.SIGHUP, signal.{'SIG_IGN' if ignored else 'SIG_DFL'})\n"
        "cli.make_folder = lambda _: os.kill(os.getpid(), signal.SIGHUP)\n"
        "sys.exit(cli.main(['demo', 'folder']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    # After the signal, the demo fails in its own way: nobody has made the folder.
    assert done.returncode == (1 if ignored else 128 + signal.SIGHUP)


def test_a_device_or_a_pipe_is_not_replaced(run):
    os.mkfifo("pipe.nii.gz")
    Path("link.nii.gz").symlink_to("pipe.nii.gz")
    for name in ("pipe.nii.gz", "link.nii.gz"):
        code, _, said = run(*PAINT[:-1], name, "--overwrite")
        assert code == 1
        assert said == (
            f"regioncast: The output is no regular file: {name}. A device or a pipe is not "
            "replaced; choose another name.\n"
        )
    assert Path("pipe.nii.gz").is_fifo()


def test_a_link_to_itself_as_output(run):
    Path("loop.nii.gz").symlink_to("loop.nii.gz")
    code, _, said = run(*PAINT[:-1], "loop.nii.gz", "--overwrite")
    assert code == 1
    assert said.startswith("regioncast: The output cannot be written: 'loop.nii.gz': ")


def test_a_file_that_cannot_be_opened_is_not_said_to_be_missing(run, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Path, "open", fail)
    code, _, said = run(*PAINT)
    assert code == 1
    assert said.startswith("regioncast: The labels image cannot be read (Too many open files): ")
