"""Jobs are found in a derivative of BIDS: each atlas with all of its images, and no others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from regioncast import cli
from regioncast.cohort.find import find_jobs, write_jobs
from regioncast.cohort.jobs import read_jobs
from regioncast.errors import (
    ArgumentError,
    CohortWarning,
    FileFormatError,
    InputMissingError,
    OutputExistsError,
)

MNI, T1W = "space-MNI152NLin2009cAsym", "space-T1w"
RUNS = [
    ("sub-2", "", "task-rest_run-9"),
    ("sub-2", "", "task-rest_run-10"),
    ("sub-10", "ses-b", "task-rest"),
    ("sub-10", "ses-a", "task-n2back_dir-AP"),
]


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def derivative(tmp_path, monkeypatch):
    """What fMRIPrep writes of a few runs, by its names alone; and atlases for these."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "fmriprep"
    touch(root / "dataset_description.json")
    for subject, session, run in RUNS:
        func = root / subject / session / "func"
        stem = "_".join(filter(None, [subject, session, run]))
        for grid in (f"{MNI}_res-2_", f"{MNI}_res-1_", f"{T1W}_", ""):
            touch(func / f"{stem}_{grid}desc-preproc_bold.nii.gz")
            touch(func / f"{stem}_{grid}desc-brain_mask.nii.gz")
            touch(func / f"{stem}_{grid}boldref.nii.gz")
        touch(func / f"{stem}_space-fsLR_den-91k_bold.dtseries.nii")
        for side in "LR":
            touch(func / f"{stem}_hemi-{side}_space-fsaverage5_bold.func.gii")
        touch(func / f"{stem}_desc-confounds_timeseries.tsv")
        touch(root / subject / "figures" / f"{stem}_desc-preproc_bold.nii.gz")
        touch(root / subject / session / "anat" / f"{subject}_desc-preproc_T1w.nii.gz")
    for name in (f"A_{MNI}_res-02_dseg.nii.gz", "plain.nii.gz", "G_den-91k.dlabel.nii"):
        touch(tmp_path / "atlases" / name)
    for side in "lr":
        touch(tmp_path / "atlases" / f"{side}h.aparc.annot")
    return root


ATLAS = f"atlases/A_{MNI}_res-02_dseg.nii.gz"


def names(rows):
    return [Path(row["image"]).name for row in rows]


def test_an_atlas_goes_with_all_images_of_its_space_and_resolution_in_natural_order(derivative):
    rows = find_jobs(derivative, {"A": ATLAS})
    stems = [
        "sub-2_task-rest_run-9", "sub-2_task-rest_run-10",
        "sub-10_ses-a_task-n2back_dir-AP", "sub-10_ses-b_task-rest",
    ]  # fmt: skip
    assert names(rows) == [f"{stem}_{MNI}_res-2_desc-preproc_bold.nii.gz" for stem in stems]
    assert all(Path(row["image"]).is_file() for row in rows)
    assert {row["atlas"] for row in rows} == {f"A={derivative.parent / ATLAS}"}


def test_atlases_of_every_kind_get_the_images_of_their_kind(derivative):
    atlases = {
        "A": ATLAS,
        "G": "atlases/G_den-91k.dlabel.nii",
        "S": "atlases/?h.aparc.annot",
        "T": "atlases/lh.aparc.annot,atlases/rh.aparc.annot",
    }
    rows = pd.DataFrame(find_jobs(derivative, atlases, relative_to="."))
    rows["label"] = rows["atlas"].str.partition("=")[0]
    counts = rows["label"].value_counts().to_dict()
    assert counts == {"A": 4, "G": 4, "S": 4, "T": 4}
    of_surfaces = rows["image"][rows["label"] == "S"]
    assert of_surfaces.str.fullmatch(r".*_hemi-\?_space-fsaverage5_bold\.func\.gii").all()
    assert rows["atlas"][rows["label"] == "S"].unique() == ["S=atlases/?h.aparc.annot"]
    both = ",".join(str(derivative.parent / f"atlases/{side}h.aparc.annot") for side in "lr")
    assert rows["atlas"][rows["label"] == "T"].unique() == [f"T={both}"]
    # The atlases of an image stand together: they are one pass.
    assert rows["image"].tolist() == rows.sort_values("image", key=by_first_row)["image"].tolist()


def by_first_row(column):
    return column.map({image: at for at, image in enumerate(dict.fromkeys(column))})


def test_masks_and_confounds_are_those_of_the_image(derivative):
    rows = find_jobs(
        derivative,
        {"A": ATLAS, "G": "atlases/G_den-91k.dlabel.nii"},
        mask="brain",
        confounds=True,
        confound_columns=["trans_?", "rot_?"],
        resample="labels",
    )
    assert {row["confound_columns"] for row in rows} == {"trans_?,rot_?"}
    assert {row["resample"] for row in rows} == {"labels"}
    for row in rows:
        assert Path(row["confounds"]).is_file()
        run, _, grid = Path(row["image"]).name.partition("_space")
        assert Path(row["confounds"]).name == f"{run}_desc-confounds_timeseries.tsv"
        if row["atlas"].startswith("G"):
            assert row["mask"] == ""
        else:
            before = grid.removesuffix("_desc-preproc_bold.nii.gz")
            assert Path(row["mask"]).name == f"{run}_space{before}_desc-brain_mask.nii.gz"
            assert Path(row["mask"]).is_file()


def test_absent_masks_are_listed(derivative):
    for mask in derivative.glob(f"sub-2/func/*_{MNI}_res-2_desc-brain_mask.nii.gz"):
        mask.unlink()
    expected = (
        r"2 files that the images in .* need are not there: 'sub-2/func/sub-2_task-rest_run-9"
    )
    with pytest.raises(InputMissingError, match=expected):
        find_jobs(derivative, {"A": ATLAS}, mask="brain")


def test_a_pattern_chooses_images_of_the_folder(derivative):
    atlas = {"A": "atlases/plain.nii.gz"}
    anatomy = find_jobs(derivative, atlas, match="*/anat/*_T1w.nii.gz")
    assert names(anatomy) == [
        "sub-2_desc-preproc_T1w.nii.gz",
        *["sub-10_desc-preproc_T1w.nii.gz"] * 2,
    ]
    assert len(find_jobs(derivative, atlas, match=f"sub-10/*_{T1W}_desc-preproc_bold.nii.gz")) == 2
    # The atlas still says which space.
    assert len(find_jobs(derivative, {"A": ATLAS}, match="sub-10/*_desc-preproc_bold.nii.gz")) == 2


def test_what_is_not_results_of_this_data_set_is_passed_over(derivative):
    name = f"sub-1/func/sub-1_task-rest_{MNI}_desc-preproc_bold.nii.gz"
    before = find_jobs(derivative, {"A": ATLAS})
    for folder in (".git", "sourcedata", "logs", "figures"):
        touch(derivative / folder / name)
    touch(derivative / "derivatives" / "xcp_d" / name)
    touch(derivative / "derivatives" / "xcp_d" / "dataset_description.json")
    (derivative / "sub-2" / "circle").symlink_to(derivative)
    (derivative / "again").symlink_to(derivative / "sub-10")
    assert find_jobs(derivative, {"A": ATLAS}) == before
    touch(derivative / "more" / name)
    assert len(find_jobs(derivative, {"A": ATLAS})) == len(before) + 1


def test_links_without_their_files_are_left_out_with_a_warning(derivative):
    image = next(derivative.glob(f"sub-2/func/*_run-9_{MNI}_res-2_desc-preproc_bold.nii.gz"))
    image.unlink()
    image.symlink_to(".git/annex/objects/x")
    with pytest.warns(CohortWarning, match="1 image in .* links to files that are not there"):
        assert len(find_jobs(derivative, {"A": ATLAS})) == 3


def test_nothing_found_says_what_was_looked_for_and_what_there_is(derivative):
    touch(Path("atlases/B_space-MNI152NLin6Asym_dseg.nii.gz"))
    with pytest.raises(InputMissingError) as error:
        find_jobs(derivative, {"A": ATLAS, "B": "atlases/B_space-MNI152NLin6Asym_dseg.nii.gz"})
    message = str(error.value)
    assert "for the atlas B (B_space-MNI152NLin6Asym_dseg.nii.gz)" in message
    assert "'*_desc-preproc_bold.nii.gz' with space-MNI152NLin6Asym" in message
    assert "MNI152NLin2009cAsym (8), none (4), T1w (4)" in message
    with pytest.raises(InputMissingError, match=r"looked for '\*_cbv.nii.gz'"):
        find_jobs(derivative, {"A": "atlases/plain.nii.gz"}, match="*_cbv.nii.gz")
    above = derivative.parent
    with pytest.raises(InputMissingError, match="data sets of their own: 'fmriprep'"):
        find_jobs(above, {"A": "atlases/plain.nii.gz"})


def test_an_atlas_that_says_no_space_is_for_images_of_one(derivative):
    plain = {"A": "atlases/plain.nii.gz"}
    several = r"\(plain.nii.gz\) says no space, .*MNI152NLin2009cAsym \(8\), none \(4\), T1w \(4\)"
    with pytest.raises(ArgumentError, match=several):
        find_jobs(derivative, plain)
    assert len(find_jobs(derivative, plain, match=f"*_{T1W}_desc-preproc_bold.nii.gz")) == 4


def test_each_subject_has_an_atlas_of_its_own(derivative):
    for subject in ("sub-2", "sub-10"):
        touch(derivative / subject / "anat" / f"{subject}_{T1W}_desc-aparcaseg_dseg.nii.gz")
    name = f"fmriprep/{{sub}}/anat/sub-{{sub}}_{T1W}_desc-aparcaseg_dseg.nii.gz"
    rows = find_jobs("fmriprep", {"aparc": name, "A": ATLAS}, relative_to=".")
    own = [row for row in rows if row["atlas"].startswith("aparc=")]
    assert len(own) == 4
    assert len(rows) == 8
    for row in own:
        subject = row["image"].split("/")[1]
        assert f"_{T1W}_" in row["image"]
        assert row["atlas"].partition("=")[2] == name.replace("sub-{sub}", "{sub}").replace(
            "{sub}", subject
        )
    assert {job.label for job in read_jobs(rows)} == {"aparc", "A"}
    (derivative / "sub-10" / "anat" / f"sub-10_{T1W}_desc-aparcaseg_dseg.nii.gz").unlink()
    with pytest.raises(InputMissingError, match=r"aparc does not exist: fmriprep/sub-10/anat/"):
        find_jobs("fmriprep", {"aparc": name}, relative_to=".")
    for subject in ("sub-2", "sub-3"):
        touch(derivative / subject / "anat" / f"{subject}_{T1W}_desc-aparcaseg_dseg.nii.gz")
    with pytest.raises(ArgumentError, match=r"a pattern of 2 files: .* with \{sub\} in its path"):
        find_jobs(derivative, {"a": f"fmriprep/*/anat/*_{T1W}_desc-aparcaseg_dseg.nii.gz"})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"folder": "nowhere"}, InputMissingError, "does not exist: .*nowhere"),
        ({"folder": "atlases/plain.nii.gz"}, InputMissingError, "is a file"),
        ({"atlases": {"A": "atlases/none.nii.gz"}}, InputMissingError, "atlas A does not exist"),
        ({"atlases": {}}, ArgumentError, "Jobs need an atlas"),
        ({"atlases": {"A_1": ATLAS}}, ArgumentError, "1 label of atlases .*'A_1'"),
        ({"mask": "a_b"}, ArgumentError, "such as brain, not 'a_b'"),
        ({"confound_columns": ["x"]}, ArgumentError, "Ask for these too"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(derivative, options, error, message):
    arguments = {"folder": "fmriprep", "atlases": {"A": ATLAS}} | options
    with pytest.raises(error, match=message):
        find_jobs(arguments.pop("folder"), arguments.pop("atlases"), **arguments)


def test_a_surface_without_the_other_hemisphere_is_refused(derivative):
    next(derivative.glob("sub-2/func/*_hemi-R_*")).unlink()
    with pytest.raises(InputMissingError, match=r"1 surface in .* without that of the other"):
        find_jobs(derivative, {"S": "atlases/?h.aparc.annot"})


@pytest.mark.parametrize("name", ["fmri*", "study [2]", "which?"])
def test_surfaces_in_folders_that_are_patterns_are_refused(derivative, name):
    folder = derivative.rename(derivative.with_name(name))
    with pytest.raises(ArgumentError, match=r"4 pairs of surfaces .* \*, \? or \[.*: 'sub-"):
        find_jobs(folder, {"S": "atlases/?h.aparc.annot"})
    assert find_jobs(folder, {"A": ATLAS})


def test_paths_are_valid_from_the_folder_of_the_table(derivative, monkeypatch):
    folder = derivative.parent / "tables" / "of jobs"
    folder.mkdir(parents=True)
    for relative_to in (folder, Path("tables/of jobs")):
        rows = find_jobs("fmriprep", {"A": ATLAS}, mask="brain", relative_to=relative_to)
        paths = [cell.rpartition("=")[2] for row in rows for cell in row.values()]
        assert all(not Path(path).is_absolute() and (folder / path).is_file() for path in paths)
    # What was given absolute stays so.
    rows = find_jobs(derivative, {"A": ATLAS}, relative_to=folder)
    assert all(Path(row["image"]).is_absolute() for row in rows)
    # Behind a link, .. would lead elsewhere.
    Path("link").symlink_to(folder)
    rows = find_jobs("fmriprep", {"A": ATLAS}, relative_to="link")
    assert all((Path("link") / row["image"]).is_file() for row in rows)


def test_the_verb_writes_the_table_and_says_how_many(derivative, capsys):
    words = [
        "jobs",
        "fmriprep",
        "--atlas",
        f"A={ATLAS}",
        "--atlas",
        "G=atlases/G_den-91k.dlabel.nii",
    ]
    assert cli.main([*words, "--mask", "brain", "-o", "jobs.tsv"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("jobs.tsv: 8 jobs, 8 images, 2 atlases (A 4, G 4), ")
    table = pd.read_csv("jobs.tsv", sep="\t", na_values="n/a")
    rows = find_jobs(
        "fmriprep",
        {"A": ATLAS, "G": "atlases/G_den-91k.dlabel.nii"},
        mask="brain",
        relative_to=".",
    )
    assert table.fillna("").to_dict("records") == rows
    assert cli.main([*words, "-o", "jobs.tsv"]) == 1
    assert "exists" in capsys.readouterr().err
    assert cli.main(["jobs", "fmriprep", "--atlas", ATLAS, "-o", "x.tsv"]) == 1
    assert "Give LABEL=PATH" in capsys.readouterr().err
    assert not Path("x.tsv").exists()
    named = str(touch(Path(f"atlases/atlas-B_{MNI}_res-2_dseg.nii.gz")))
    assert cli.main(["jobs", "fmriprep", "--atlas", named, "-o", "x.tsv"]) == 0
    assert set(pd.read_csv("x.tsv", sep="\t")["atlas"]) == {f"B={named}"}
    assert cli.main(["jobs", "fmriprep", *(["--atlas", named] * 2), "-o", "y.tsv"]) == 1
    assert "B is the label of" in capsys.readouterr().err


def test_tables_of_jobs_are_tsv_or_csv(derivative):
    rows = find_jobs("fmriprep", {"A": ATLAS}, relative_to=".")
    write_jobs(rows, Path("jobs.csv"), overwrite=False)
    assert pd.read_csv("jobs.csv").to_dict("records") == rows
    with pytest.raises(OutputExistsError):
        write_jobs(rows, Path("jobs.csv"), overwrite=False)
    with pytest.raises(FileFormatError, match=r"\.tsv or \.csv"):
        write_jobs(rows, Path("jobs.xlsx"), overwrite=False)
