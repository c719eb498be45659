"""Tables of datasets and of other programs, where more than one table and its atlas is involved."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from tables.atlases import atlas, labels_image
from tables.case import parse
from tables.doors import frame_of

import regioncast as rc
from regioncast import cli
from regioncast.errors import ArgumentError, MatchError, RegioncastError, RegionTableError
from regioncast.tables.regions import find_region_table


@pytest.fixture
def run(capsys):
    """Return the function that runs the command in this process: exit code, stdout, stderr."""

    def call(*words):
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return call


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# --- region tables of a dataset --------------------------------------------------------------

IMAGE = "sub-01/anat/sub-01_desc-aparcaseg_dseg.nii.gz"


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        (["desc-aparcaseg_dseg.tsv", "desc-aseg_dseg.tsv"], "desc-aparcaseg_dseg.tsv"),
        (["desc-aparcaseg_dseg.tsv", "sub-01/desc-aparcaseg_dseg.tsv"],
         "sub-01/desc-aparcaseg_dseg.tsv"),
        (["sub-01_desc-aparcaseg_dseg.tsv", "sub-01/anat/sub-01_dseg.tsv"],
         "sub-01/anat/sub-01_dseg.tsv"),
        (["desc-aparcaseg_dseg.tsv", "sub-01/anat/sub-01_desc-aparcaseg_dseg.csv"],
         "sub-01/anat/sub-01_desc-aparcaseg_dseg.csv"),
        (["sub-01_dseg.tsv", "sub-01_desc-aparcaseg_dseg.tsv"], "sub-01_desc-aparcaseg_dseg.tsv"),
        (["sub-02_desc-aparcaseg_dseg.tsv", "desc-aparcaseg_probseg.tsv", "dseg.tsv",
          "desc-aparcaseg_dseg.csv", "space-T1w_desc-aparcaseg_dseg.tsv"], None),
        # Above the dataset is another one.
        (["../desc-aparcaseg_dseg.tsv"], None),
    ],
)  # fmt: skip
def test_a_table_of_a_dataset_is_of_the_images_below(tmp_path, monkeypatch, tables, found):
    root = tmp_path / "derivatives"
    for name in ["dataset_description.json", IMAGE, *tables]:
        written(root / name, "")
    for image in (root / IMAGE, str(root / IMAGE)):
        table = find_region_table(image)
        assert (table and table.relative_to(root)) == (found and Path(found))
    monkeypatch.chdir((root / IMAGE).parent)
    table = find_region_table(Path(IMAGE).name)
    assert (table and table.resolve()) == (found and (root / found).resolve())


def test_without_a_dataset_only_the_folder_of_the_image_counts(tmp_path):
    written(tmp_path / "desc-aparcaseg_dseg.tsv", "")
    written(tmp_path / IMAGE, "")
    assert find_region_table(tmp_path / IMAGE) is None


def test_two_tables_of_a_dataset_that_are_equally_close_raise(tmp_path):
    for name in ("dataset_description.json", "sub-01_dseg.tsv", "desc-aparcaseg_dseg.tsv"):
        written(tmp_path / name, "")
    written(tmp_path / IMAGE, "")
    with pytest.raises(RegionTableError, match=r"2 region tables are equally close to sub-01_desc"):
        find_region_table(tmp_path / IMAGE)


# What an image lacks is a row of the table of its own, and none of a table that serves many.
ROWS = {4: "Left-Lateral-Ventricle", 10: "Left-Thalamus", 16: "Brain-Stem", 24: "CSF", 0: "Unknown"}
TSV = "index\tname\n" + "".join(f"{label}\t{name}\n" for label, name in sorted(ROWS.items()))
LUT = "".join(f"{label} {name} 1 {label} 3 0\n" for label, name in sorted(ROWS.items()))


@pytest.mark.parametrize(
    ("table", "text", "n_columns"),
    [
        ("desc-aparcaseg_dseg.tsv", TSV, 2),
        ("sub-01/anat/desc-aparcaseg_dseg.tsv", TSV, 4),
        ("sub-01/anat/sub-01_desc-aparcaseg_dseg.tsv", TSV, 4),
        ("sub-01/anat/sub-01_desc-aparcaseg_dseg.txt", LUT, 2),
    ],
)
@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
def test_what_serves_many_images_only_names_labels(tmp_path, run, table, text, n_columns):
    written(tmp_path / "dataset_description.json", "{}")
    written(tmp_path / table, text)
    image = tmp_path / IMAGE
    image.parent.mkdir(parents=True, exist_ok=True)
    nib.save(labels_image([10, 24]), image)
    code, _, err = run("extract", image, image, "-o", tmp_path / "out.tsv")
    assert code == 0
    assert "no names" not in err
    names = pd.read_csv(tmp_path / "out.tsv", sep="\t").columns.tolist()
    assert len(names) == n_columns
    assert {"Left-Thalamus", "CSF"} <= set(names)


# --- an atlas without names ------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["info"], ["info", "--json"], ["match", "v.tsv"], ["paint", "v.tsv", "-o", "m.nii"]]
)
def test_where_no_names_are_found_one_line_says_so(tmp_path, monkeypatch, run, words):
    monkeypatch.chdir(tmp_path)
    nib.save(labels_image([3, 20, 7]), "atlas.nii")
    written(Path("v.tsv"), "label\tz\n3\t0.5\n7\t1.5\n20\t2.5\n")
    verb, *others = words
    words = [verb, *others[:1], "atlas.nii", *others[1:]] if others[:1] == ["v.tsv"] else [
        verb, "atlas.nii", *others]  # fmt: skip
    code, out, err = run(*words)
    assert code == 0
    assert out
    assert re.fullmatch(
        r"regioncast: note: no names of regions were found in atlas\.nii [^\n]*\n", err
    )
    Path("m.nii").unlink(missing_ok=True)
    # Whoever says that there are none, or which they are, is told nothing.
    assert run(*words, "--regions", "none")[0::2] == (0, "")
    Path("m.nii").unlink(missing_ok=True)
    written(Path("atlas.tsv"), "index\tname\n3\tV1\n7\tV2\n20\tMT\n")
    assert run(*words)[0::2] == (0, "")


# --- the shell -------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with an atlas and FreeSurfer's table of two subjects."""
    monkeypatch.chdir(tmp_path)
    nib.save(labels_image([1, 3, 8], "int16"), "atlas.nii.gz")
    written(Path("atlas.tsv"), "index\tname\n1\tbankssts\n3\tcuneus\n8\tinsula\n")
    written(Path("t.tsv"),
            "lh.aparc.area\tlh_bankssts_area\tlh_cuneus_area\tlh_insula_area\teTIV\n"
            "sub-01\t0.5\t1.5\t2.5\t9\nsub-02\t3.5\t4.5\t5.5\t9\n")  # fmt: skip
    return tmp_path


def test_what_the_message_says_of_affixes_is_done_in_the_shell(files, run):
    code, _, err = run("match", "t.tsv", "atlas.nii.gz")
    assert code == 1
    options = shlex.split(re.search(r"\((--strip=[^)]*)\)", err)[1])
    assert options == ["--strip=lh_", "--strip=_area"]
    words = ["t.tsv", "atlas.nii.gz", *options, "--extra", "ignore"]
    code, out, _ = run("match", *words)
    assert code == 0
    assert "matched  3 of 3 regions by name, 2 maps: 'sub-01', 'sub-02'" in out
    assert run("paint", *words, "-o", "m.nii")[0] == 0
    painted = rc.paint("t.tsv", "atlas.nii.gz", strip=["lh_", "_area"], extra="ignore")
    np.testing.assert_array_equal(np.asarray(nib.load("m.nii").dataobj), painted.dataobj)


@pytest.mark.parametrize("strip", ["", ["lh_", ""], [3]])
def test_what_is_no_affix(strip):
    with pytest.raises(ArgumentError, match="strip holds texts to cut from keys"):
        rc.match({"V1": 1.0}, atlas("cortex").parcellation, strip=strip)


@pytest.mark.parametrize("first", [True, False])
def test_an_option_that_nobody_knows_is_blamed(files, run, first):
    words = ["--verbose", "t.tsv"] if first else ["t.tsv", "--verbose"]
    code, _, err = run("paint", *words, "atlas.nii.gz", "-o", "m.nii")
    assert code == 2
    assert "--verbose" in err
    assert "atlas" not in err


def test_a_file_may_be_called_like_an_option(files, run):
    Path("--verbose.tsv").write_text(
        "name\tz\nbankssts\t1\ncuneus\t2\ninsula\t3\n", encoding="utf-8"
    )
    assert run("match", "--verbose.tsv", "atlas.nii.gz")[0] == 0
    assert run("match", "--", "--verbose.tsv", "atlas.nii.gz")[0] == 0


@pytest.mark.parametrize("words", [
    ["t.tsv", "atlas.nii.gz", "--columns", "t", "p"],
    ["--columns", "t", "p", "t.tsv", "atlas.nii.gz"],
    ["t.tsv", "--strip", "lh_", "_area", "atlas.nii.gz"],
])  # fmt: skip
def test_several_titles_behind_one_option(files, run, words):
    code, _, err = run("match", *words)
    assert code == 2
    assert "give --columns and --strip once for each, as in --columns t --columns p" in err


# --- tables with several rows per region -----------------------------------------------------

TIDY = {
    "subjects": """
        region | lobe | subject | thick
        Vis    | occ  | sub-01  | 0.5
        Mot    | fro  | sub-01  | 1.5
        Aud    | tem  | sub-01  | 2.5
        Som    | par  | sub-01  | 3.5
        Som    | par  | sub-02  | 7.5
        Vis    | occ  | sub-02  | 4.5
        Mot    | fro  | sub-02  | 5.5
        Aud    | tem  | sub-02  | 6.5
        """,
    "numbers of subjects": """
        subject | region | thick
        1       | Vis    | 0.5
        1       | Mot    | 1.5
        1       | Aud    | 2.5
        1       | Som    | 3.5
        2       | Som    | 7.5
        2       | Vis    | 4.5
        2       | Mot    | 5.5
        2       | Aud    | 6.5
        """,
    "subjects and sessions": """
        subject | session | region | thick
        sub-01  | 1       | Vis    | 0.5
        sub-01  | 1       | Mot    | 1.5
        sub-01  | 1       | Aud    | 2.5
        sub-01  | 1       | Som    | 3.5
        sub-01  | 2       | Som    | 7.5
        sub-01  | 2       | Vis    | 4.5
        sub-01  | 2       | Mot    | 5.5
        sub-01  | 2       | Aud    | 6.5
        sub-02  | 1       | Vis    | 0.5
        sub-02  | 1       | Mot    | 1.5
        sub-02  | 1       | Aud    | 2.5
        sub-02  | 1       | Som    | 3.5
        """,
}
MAPS = [{1: 0.5, 2: 1.5, 3: 2.5, 4: 3.5}, {1: 4.5, 2: 5.5, 3: 6.5, 4: 7.5}]


def assert_tidy(image, name):
    maps = [*MAPS, MAPS[0]] if "sessions" in name else MAPS
    expected = [atlas("four").painted(values, float) for values in maps]
    np.testing.assert_array_equal(image.dataobj, np.stack(expected, axis=-1))


def way_of(values):
    with pytest.raises(MatchError, match="rows per region") as caught:
        rc.paint(values, atlas("four").parcellation)
    return re.search(r"Make each a map: (.*); or keep the rows of one", str(caught.value))[1]


@pytest.mark.parametrize(("name", "suffix"), [*zip(TIDY, [".tsv", ".csv", ".txt"], strict=True)])
def test_the_line_that_pivots_a_file_runs_in_the_shell(tmp_path, monkeypatch, name, suffix):
    monkeypatch.chdir(tmp_path)
    path = Path(f"tidy{suffix}")
    frame_of(parse(TIDY[name])).to_csv(path, sep="," if suffix == ".csv" else "\t", index=False)
    line = way_of(path).replace("python", shlex.quote(sys.executable), 1)
    subprocess.run(["bash", "-c", line], check=True)
    assert_tidy(rc.paint("maps.tsv", atlas("four").parcellation), name)


@pytest.mark.parametrize("name", TIDY)
def test_the_line_that_pivots_a_frame_runs(name):
    frame = frame_of(parse(TIDY[name]))
    assert_tidy(rc.paint(eval(way_of(frame)), atlas("four").parcellation), name)
    levels = [title for title in frame if title not in ("thick", "lobe")]
    frame = frame.set_index(levels)[["thick"]]
    values = frame["thick"]
    for line in (way_of(frame), way_of(values)):
        assert "unstack" in line
        assert_tidy(rc.paint(eval(line, {"frame": frame, "values": values}),
                             atlas("four").parcellation), name)  # fmt: skip


# --- many keys -------------------------------------------------------------------------------


def test_what_many_keys_share_is_found_in_a_moment():
    """Tens of thousands of keys are tried by the first of them."""
    n = 20_000
    labels = np.arange(1, n + 1).reshape(20, 20, -1)
    where = rc.load_parcellation(nib.Nifti1Image(labels.astype("int32"), np.eye(4)), "none")
    with pytest.raises(
        RegioncastError, match=r"20,000 of 20,000 keys name regions by label.*Mean_"
    ):
        rc.paint({f"Mean_{label}": 1.0 for label in range(1, n + 1)}, where)
