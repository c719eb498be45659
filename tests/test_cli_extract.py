"""``regioncast extract`` writes what `regioncast.extract` returns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import regioncast as rc
from regioncast import cli

COMMAND = Path(sys.executable).with_name("regioncast")
SHAPE = (5, 4, 6)
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])
LABELS = [3, 20, 1007]
NAMES = ["V1", "V2", "MT"]
N_MAPS = 7


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder with an atlas, its table, a mask, weights, and images."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.resize([0, *LABELS], np.prod(SHAPE))).astype(np.int16)
    nib.save(nib.Nifti1Image(labels.reshape(SHAPE), AFFINE), "atlas.nii.gz")
    pd.DataFrame({"index": LABELS, "name": NAMES}).to_csv("atlas.tsv", sep="\t", index=False)
    save((np.indices(SHAPE)[0] < 3).astype(np.uint8), "mask.nii.gz")
    save(rng.random(SHAPE), "weights.nii")
    series = rng.standard_normal((*SHAPE, N_MAPS))
    series[labels.reshape(SHAPE) == 20] = np.nan
    save(series, "bold.nii.gz", t_r=2.0)
    for number in (1, 2, 10):
        save(np.full(SHAPE, number, np.float32), f"sub-{number}.nii")
    return tmp_path


def save(data, name, *, t_r=None):
    image = nib.Nifti1Image(data, AFFINE)
    if t_r is not None:
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = t_r
    nib.save(image, name)


@pytest.fixture
def run(capsys):
    """Return the function that runs the command in this process: exit code, stdout, stderr."""

    def call(*words):
        capsys.readouterr()
        code = cli.main(["extract", *map(str, words)])
        return code, *capsys.readouterr()

    return call


def table(path, **options):
    separator = "\t" if str(path).endswith(".tsv") else ","
    options = {"sep": separator, "na_values": ["n/a"], "keep_default_na": False} | options
    return pd.read_csv(path, **options)


def expected(*arguments, **options):
    return rc.extract(*(arguments or ["bold.nii.gz", "atlas.nii.gz"]), **options)


def test_a_wide_table_has_a_row_per_map_and_a_column_per_region(run):
    assert run("bold.nii.gz", "atlas.nii.gz", "-o", "out.tsv")[0] == 0
    written = table("out.tsv")
    assert list(written.columns) == NAMES
    np.testing.assert_array_equal(written.to_numpy(), expected().values)


def test_missing_is_written_as_in_bids(run):
    run("bold.nii.gz", "atlas.nii.gz", "-o", "out.tsv")
    cells = [line.split("\t")[1] for line in Path("out.tsv").read_text().splitlines()]
    assert cells == ["V2"] + ["n/a"] * N_MAPS


def test_a_long_table_has_a_row_per_region(run):
    assert run("sub-2.nii", "atlas.nii.gz", "-o", "out.csv", "--long")[0] == 0
    written = table("out.csv")
    assert written.to_dict("list") == {"index": LABELS, "name": NAMES, "value": [2.0] * 3}


@pytest.mark.parametrize("output", ["out.csv", "out.npy", "out.parquet"])
def test_every_format_holds_the_same_values(run, output):
    assert run("bold.nii.gz", "atlas.nii.gz", "-o", output)[0] == 0
    read = {".csv": table, ".npy": np.load, ".parquet": pd.read_parquet}[Path(output).suffix]
    np.testing.assert_array_equal(np.asarray(read(output)), expected().values)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("--strategy median", {"strategy": "median"}),
        ("--strategy percentile:12.5", {"strategy": "percentile:12.5"}),
        ("--strategy first_eigenvariate", {"strategy": "first_eigenvariate"}),
        ("--nan zero", {"nan": "zero"}),
        ("--nan propagate", {"nan": "propagate"}),
        ("--mask mask.nii.gz", {"mask": "mask.nii.gz"}),
        ("--weights weights.nii", {"weights": "weights.nii"}),
        ("--mask mask.nii.gz --min-coverage 0.6", {"mask": "mask.nii.gz", "min_coverage": 0.6}),
        ("--n-jobs 1", {"n_jobs": 1}),
    ],
)
@pytest.mark.filterwarnings("ignore::regioncast.RegioncastWarning")
def test_each_option_does_what_its_keyword_does(run, words, options):
    assert run("bold.nii.gz", "atlas.nii.gz", "-o", "out.npy", *words.split())[0] == 0
    np.testing.assert_array_equal(np.load("out.npy"), expected(**options).values)


@pytest.mark.parametrize(
    ("words", "options"),
    [("--regions none", {"regions": "none"}), ("--background 3", {"background": 3})],
)
@pytest.mark.filterwarnings("ignore::regioncast.RegioncastWarning")
def test_the_atlas_is_read_as_by_load_parcellation(run, words, options):
    for output in ("out.npy", "out.tsv"):
        assert run("bold.nii.gz", "atlas.nii.gz", "-o", output, *words.split())[0] == 0
    signals = expected("bold.nii.gz", rc.load_parcellation("atlas.nii.gz", **options))
    np.testing.assert_array_equal(np.load("out.npy"), signals.values)
    assert set(map(str, signals.keys)) <= set(table("out.tsv").columns)


def test_labels_are_resampled_only_when_asked_for(run):
    other = nib.Nifti1Image(np.ones((3, 2, 4)), AFFINE @ np.diag([1.5, 1.5, 1.5, 1]))
    nib.save(other, "coarse.nii")
    code, _, err = run("coarse.nii", "atlas.nii.gz", "-o", "out.tsv")
    assert code == 1
    assert "3×2×4" in err
    assert "--resample labels" in err
    assert not Path("out.tsv").exists()
    assert run("coarse.nii", "atlas.nii.gz", "-o", "out.tsv", "--resample", "labels")[0] == 0
    assert table("out.tsv").stack().unique().tolist() == [1.0]


def test_several_images_are_one_series_in_the_order_given(run):
    assert run("sub-10.nii", "sub-2.nii", "atlas.nii.gz", "-o", "out.tsv")[0] == 0
    written = table("out.tsv")
    assert written["sub"].tolist() == ["sub-10", "sub-2"]
    assert written["MT"].tolist() == [10, 2]


def test_a_pattern_stands_for_its_files_in_natural_order(run):
    assert run("sub-*.nii", "atlas.nii.gz", "-o", "out.tsv")[0] == 0
    assert table("out.tsv")["sub"].tolist() == ["sub-1", "sub-2", "sub-10"]


def test_coverage_is_a_table_of_its_own(run):
    words = ["-o", "out.tsv", "--mask", "mask.nii.gz", "--coverage", "coverage.tsv"]
    assert run("bold.nii.gz", "atlas.nii.gz", *words)[0] == 0
    coverage = expected(mask="mask.nii.gz").coverage.to_pandas()
    pd.testing.assert_frame_equal(table("coverage.tsv"), coverage)
    assert coverage["finite"][1] == 0


def test_one_line_says_what_was_extracted(run):
    code, out, err = run("bold.nii.gz", "atlas.nii.gz", "-o", "out.tsv")
    assert (code, err) == (0, "")
    assert out.startswith("out.tsv: mean of 2 of 3 regions, 7 maps, ")
    assert out.count("\n") == 1


@pytest.mark.parametrize("image", ["bold.nii.gz", "sub-2.nii"])
def test_what_goes_to_standard_output_can_be_painted(folder, image):
    extracting = subprocess.run(
        [COMMAND, "extract", image, "atlas.nii.gz", "-o", "-"], check=True, capture_output=True
    )
    # Of a series, what is lost is said.
    assert extracting.stderr.count(b"--t-r 2") == (image == "bold.nii.gz")
    subprocess.run(
        [COMMAND, "paint", "-", "atlas.nii.gz", "-o", "back.nii.gz", "--t-r", "2"][
            : None if image == "bold.nii.gz" else -2
        ],
        input=extracting.stdout, check=True, capture_output=True,
    )  # fmt: skip
    painted = rc.paint(expected(image, "atlas.nii.gz"), "atlas.nii.gz")
    back = nib.load("back.nii.gz")
    assert back.shape == painted.shape
    np.testing.assert_array_equal(back.get_fdata(), painted.get_fdata())


@pytest.mark.parametrize("option", ["-o", "--coverage"])
def test_an_existing_table_is_replaced_only_when_asked_for(folder, run, option):
    Path("old.tsv").write_text("precious")
    words = ["bold.nii.gz", "atlas.nii.gz", option, "old.tsv"]
    words += ["-o", "new.tsv"] if option == "--coverage" else []
    code, _, err = run(*words)
    assert code == 1
    assert "exists: old.tsv" in err
    assert Path("old.tsv").read_text() == "precious"
    assert not Path("new.tsv").exists()
    assert run(*words, "--overwrite")[0] == 0
    assert "precious" not in Path("old.tsv").read_text()


@pytest.mark.parametrize(
    ("words", "code", "shown"),
    [
        ("bold.nii.gz -o out.tsv", 2, "IMAGE... and ATLAS"),
        ("bold.nii.gz atlas.nii.gz", 2, "--output"),
        ("bold.nii.gz atlas.nii.gz -o out.tsv --nan drop", 2, "drop"),
        ("bold.nii.gz atlas.nii.gz -o out.xlsx", 1, ".tsv, .csv, .npy, .parquet"),
        ("bold.nii.gz atlas.nii.gz -o out.tsv --coverage c.npy", 1, ".tsv, .csv, .parquet"),
        ("bold.nii.gz atlas.nii.gz -o none/out.tsv", 1, "does not exist"),
        ("bold.nii.gz atlas.nii.gz -o out.tsv --strategy average", 1, "must be one of mean"),
        ("bold.nii.gz atlas.nii.gz -o out.tsv --strategy percentile:101", 1, "percentile:101"),
        ("bold.nii.gz atlas.nii.gz -o out.tsv --min-coverage 60", 1, "from 0 to 1"),
        ("bold.nii.gz atlas.nii.gz -o out.tsv --n-jobs 0", 1, "n_jobs"),
        ("nowhere.nii atlas.nii.gz -o out.tsv", 1, "nowhere.nii"),
        ("no-*.nii atlas.nii.gz -o out.tsv", 1, "No file matches"),
        ("sub-1.nii atlas.nii.gz -o out.tsv --strategy first_eigenvariate", 1, "two or more"),
    ],
)
def test_what_cannot_be_is_one_message_and_leaves_nothing(folder, run, words, code, shown):
    before = sorted(folder.iterdir())
    found, out, err = run(*words.split())
    assert (found, out) == (code, "")
    assert shown in err
    assert "Traceback" not in err
    assert sorted(folder.iterdir()) == before


def test_a_file_that_ends_early_is_no_shorter_table(folder, run):
    content = Path("bold.nii.gz").read_bytes()
    Path("bold.nii.gz").write_bytes(content[: len(content) * 2 // 3])
    code, _, err = run("bold.nii.gz", "atlas.nii.gz", "-o", "out.tsv")
    assert code == 1
    assert "truncated or damaged" in err
    assert not Path("out.tsv").exists()


def test_demo_extracts_the_real_map(capsys):
    assert cli.main(["demo", "made"]) == 0
    out = capsys.readouterr().out
    demo = rc.demo_data()
    signals = rc.extract(demo.statistic, demo.atlas, resample="labels")
    written = table("made/motor_left-vs-right.tsv").set_index("name")["value"]
    np.testing.assert_array_equal(written, signals.values[0])
    assert f"{written.max():10.3f}  {written.idxmax()}" in out
    assert f"{written.min():10.3f}  {written.idxmin()}" in out


def test_signals_and_coverage_are_two_files(run):
    code, _, said = run("bold.nii.gz", "atlas.nii.gz", "-o", "a.tsv", "--coverage", "./a.tsv")
    assert code == 1
    assert said == (
        "regioncast: Signals and coverage cannot both be written to a.tsv. Give --coverage "
        "another name.\n"
    )
    assert not Path("a.tsv").exists()


@pytest.mark.parametrize("name", ["a.npy", "a.ptseries.nii"])
def test_long_is_for_tables(run, name):
    code, _, said = run("bold.nii.gz", "atlas.nii.gz", "-o", name, "--long")
    assert (code, said) == (
        1,
        f"regioncast: long=True (--long) is for tables, and {name!r} is none. Leave it out.\n",
    )
    assert not Path(name).exists()
