"""Outputs have names of BIDS, in a folder in which its validator finds no error."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import brain_models, dense, dlabel
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast.cohort import batch, gather
from regioncast.cohort.find import find_jobs
from regioncast.cohort.jobs import Job, read_jobs
from regioncast.cohort.naming import outputs_of, prepare_folder
from regioncast.errors import ArgumentError, OutputError

RUN = "sub-1/ses-2/func/sub-1_ses-2_task-r_run-1"
MNI = "space-MNI152NLin2009cAsym"


def job_of(image, *, label="A", strategies=("mean",), output=None, row=1, atlas="/a/a_dseg.nii.gz"):
    return Job(row, image, atlas, label, strategies, output=output)


def tables_of(image, **options):
    outputs = outputs_of(job_of(image, **options), Path("out"), ".tsv")
    (table,) = outputs.tables.values()
    return table.relative_to("out").as_posix(), outputs.coverage.relative_to("out").as_posix()


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "table", "coverage"),
    [
        # As BIDS orders entities: the atlas before what may follow it, the description last.
        (
            f"/d/{RUN}_{MNI}_res-2_desc-preproc_bold.nii.gz",
            f"{RUN}_{MNI}_atlas-A_res-2_stat-mean_desc-preproc_timeseries.tsv",
            f"{RUN}_{MNI}_atlas-A_res-2_stat-coverage_desc-preproc_bold.tsv",
        ),
        (
            "/d/sub-1/func/sub-1_task-r_space-fsLR_den-91k_bold.dtseries.nii",
            "sub-1/func/sub-1_task-r_space-fsLR_atlas-A_den-91k_stat-mean_timeseries.tsv",
            "sub-1/func/sub-1_task-r_space-fsLR_atlas-A_den-91k_stat-coverage_bold.tsv",
        ),
        # The nearest folder of a subject counts, and names of flat folders say it themselves.
        (
            "/sub-9/d/sub-1/func/sub-1_bold.nii.gz",
            "sub-1/func/sub-1_atlas-A_stat-mean_timeseries.tsv",
            "sub-1/func/sub-1_atlas-A_stat-coverage_bold.tsv",
        ),
        (
            "/d/sub-1_ses-2_task-r_bold.nii.gz",
            "sub-1/ses-2/func/sub-1_ses-2_task-r_atlas-A_stat-mean_timeseries.tsv",
            "sub-1/ses-2/func/sub-1_ses-2_task-r_atlas-A_stat-coverage_bold.tsv",
        ),
        # What is no series keeps what it is.
        (
            "/d/sub-1/anat/sub-1_T1w.nii.gz",
            "sub-1/anat/sub-1_atlas-A_stat-mean_T1w.tsv",
            "sub-1/anat/sub-1_atlas-A_stat-coverage_T1w.tsv",
        ),
        # Names that BIDS does not have stay whole.
        (
            "/d/stat.v2.nii.gz",
            "stat.v2_atlas-A_stat-mean_timeseries.tsv",
            "stat.v2_atlas-A_stat-coverage_timeseries.tsv",
        ),
        (
            "/d/sub-1/con_0001.nii",
            "sub-1/sub-1_con_0001_atlas-A_stat-mean_timeseries.tsv",
            "sub-1/sub-1_con_0001_atlas-A_stat-coverage_timeseries.tsv",
        ),
        (
            "/d/sub-1/sub-1_task-x_stat-z_statmap.nii.gz",
            "sub-1/sub-1_task-x_stat-z_statmap_atlas-A_stat-mean_timeseries.tsv",
            "sub-1/sub-1_task-x_stat-z_statmap_atlas-A_stat-coverage_timeseries.tsv",
        ),
        # Two hemispheres are one image.
        *(
            (
                image,
                "sub-1/func/sub-1_space-fsaverage5_atlas-A_stat-mean_timeseries.tsv",
                "sub-1/func/sub-1_space-fsaverage5_atlas-A_stat-coverage_bold.tsv",
            )
            for image in (
                "/d/sub-1/func/sub-1_hemi-?_space-fsaverage5_bold.func.gii",
                "/d/sub-1/func/sub-1_hemi-{hemi}_space-fsaverage5_bold.func.gii",
                ",".join(
                    f"/d/sub-1/func/sub-1_hemi-{side}_space-fsaverage5_bold.func.gii"
                    for side in "LR"
                ),
            )
        ),
    ],
)
def test_names_are_those_of_bids(image, table, coverage):
    assert tables_of(image) == (table, coverage)


def test_strategies_are_letters_and_digits():
    strategies = ("mean", "standard_deviation", "percentile:90", "percentile:2.5", "percentile:25")
    outputs = outputs_of(job_of("/d/a.nii", strategies=strategies), Path("out"), ".parquet")
    assert [path.name for path in outputs.tables.values()] == [
        f"a_atlas-A_stat-{word}_timeseries.parquet"
        for word in ("mean", "standarddeviation", "percentile90", "percentile2p5", "percentile25")
    ]


WORDS = st.text("abcXYZ019", min_size=1, max_size=4)
ENTITIES = st.dictionaries(
    st.sampled_from(["ses", "task", "run", "space", "res", "den", "desc"]), WORDS
)


@given(
    sub=WORDS,
    entities=st.lists(ENTITIES, min_size=2, max_size=2),
    labels=st.lists(WORDS, min_size=2, max_size=2),
)
def test_different_images_atlases_and_strategies_have_different_tables(sub, entities, labels):
    order = ["ses", "task", "run", "space", "res", "den", "desc"]
    tables = {}
    for said in entities:
        parts = [f"{key}-{said[key]}" for key in order if key in said]
        image = f"/d/sub-{sub}/func/{'_'.join([f'sub-{sub}', *parts, 'bold'])}.nii.gz"
        for label in labels:
            job = job_of(image, label=label, strategies=("mean", "median"))
            outputs = outputs_of(job, Path("out"), ".tsv")
            for what, path in [*outputs.tables.items(), ("coverage", outputs.coverage)]:
                assert tables.setdefault(path, (image, label, what)) == (image, label, what)
                assert path.name.rpartition("_")[0].endswith(said.get("desc", ""))


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("{sub}/{name}_{strategy}.csv", "sub-1/sub-1_task-r_bold_median.csv"),
        ("x/sub-{sub}_atlas-{atlas}_{strategy}", "x/sub-1_atlas-A_median.tsv"),
        ("{atlas}/../{strategy}.npy", "median.npy"),
        ("v1.2", "v1.2.tsv"),
    ],
)
def test_outputs_that_a_job_names_are_filled_in(output, path):
    job = job_of("/d/sub-1_task-r_bold.nii.gz", strategies=("median",), output=output)
    outputs = outputs_of(job, Path("out"), ".tsv")
    assert (outputs.tables["median"], outputs.coverage) == (Path("out") / path, None)


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        ("../{strategy}.tsv", OutputError, r"row 7 is outside of .*, out: '\.\."),
        ("/tmp/{strategy}.tsv", OutputError, "outside of the folder"),
        ("x/../../{strategy}.tsv", OutputError, "outside of the folder"),
        (".x/{strategy}.tsv", OutputError, r"'\.x/mean\.tsv'\. Names that begin with a point"),
        ("jobs.failed.{strategy}.tsv", OutputError, "kept for other files"),
        ("{ses}{strategy}.tsv", ArgumentError, r"fills in \{ses\}.* row 7\. Fields .*\{sub\}"),
        ("one.tsv", OutputError, r"2 strategies of row 7 .*'out/one\.tsv'.*\{strategy\}"),
    ],
)  # fmt: skip
def test_outputs_that_cannot_be_are_refused(output, error, message):
    job = job_of("/d/sub-1_bold.nii.gz", strategies=("mean", "sum"), output=output, row=7)
    with pytest.raises(error, match=message):
        outputs_of(job, Path("out"), ".tsv")


@pytest.mark.parametrize("output", [None, "{name}_{strategy}", "{task}/{strategy}"])
@pytest.mark.parametrize(
    ("as_it_stands", "image"),
    [
        ("/d/sub-9/code/../../raw/task-r_bold.nii.gz", "/d/raw/task-r_bold.nii.gz"),
        ("/sub-9/ses-3/a/../../../x/y/task-r_bold.nii.gz", "/x/y/task-r_bold.nii.gz"),
        ("/d/sub-1/ses-3/../func/x_task-r_bold.nii.gz", "/d/sub-1/func/x_task-r_bold.nii.gz"),
        (f"/d/sub-9/../{RUN}_task-r_bold.nii.gz", f"/d/{RUN}_task-r_bold.nii.gz"),
    ],
)
def test_folders_that_paths_lead_out_of_say_nothing(as_it_stands, image, output):
    assert outputs_of(job_of(as_it_stands, output=output), Path("out"), ".tsv") == outputs_of(
        job_of(image, output=output), Path("out"), ".tsv"
    )


def test_nothing_is_written_beside_images_that_a_table_in_a_folder_of_a_subject_names(
    tmp_path, monkeypatch
):
    folder = tmp_path / "x" / "y" / "sub-9" / "code"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    nib.save(image_of(small_labels()), tmp_path / "a_dseg.nii.gz")
    nib.save(image_of(np.ones((6, 5, 4))), tmp_path / "stat.nii.gz")
    before = set(tmp_path.rglob("*"))
    up = "../../../.."
    rows = [{"image": f"{up}/stat.nii.gz", "atlas": f"A={up}/a_dseg.nii.gz"}]
    assert batch(rows, f"{up}/deep/out", workers=1).n_done == 1
    written = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "deep") for path in written)
    assert gather(f"{up}/deep/out", f"{up}/all.tsv").n_rows == 4
    assert (tmp_path / "all.tsv").read_text(encoding="utf-8").startswith("image\tatlas\t")


# --- the folder ----------------------------------------------------------------------------------


@pytest.fixture
def derivative(tmp_path, monkeypatch):
    """A small derivative like fMRIPrep's: subjects, sessions, runs and spaces; and two atlases."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "fmriprep"
    root.mkdir()
    write_json(
        root / "dataset_description.json",
        {"Name": "fMRIPrep", "BIDSVersion": "1.4.0", "DatasetType": "derivative",
         "GeneratedBy": [{"Name": "fMRIPrep"}], "DatasetDOI": "doi:10.0/x"},
    )  # fmt: skip
    random = np.random.default_rng(5)
    for subject, session, run in [
        ("01", "", "1"),
        ("01", "", "2"),
        ("02", "a", "1"),
        ("02", "b", "1"),
    ]:
        folder = root / f"sub-{subject}" / (f"ses-{session}" if session else "") / "func"
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"sub-{subject}_{f'ses-{session}_' if session else ''}task-rest_run-{run}"
        for grid in (f"{MNI}_res-2", "space-T1w"):
            values = random.standard_normal((6, 5, 4, 3)).astype(np.float32)
            image = image_of(values)
            image.header.set_xyzt_units("mm", "sec")
            image.header["pixdim"][4] = 2.0
            name = folder / f"{stem}_{grid}_desc-preproc_bold"
            nib.save(image, f"{name}.nii.gz")
            write_json(
                name.with_name(f"{name.name}.json"), {"RepetitionTime": 2.0, "TaskName": "rest"}
            )
        axis = brain_models()
        name = folder / f"{stem}_space-fsLR_den-91k_bold"
        nib.save(
            dense(random.standard_normal((3, len(axis))), axis, t_r=2.0), f"{name}.dtseries.nii"
        )
        write_json(name.with_name(f"{name.name}.json"), {"RepetitionTime": 2.0, "Density": "91k"})
    atlases = tmp_path / "atlases"
    atlases.mkdir()
    nib.save(image_of(small_labels()), atlases / f"atlas-S_{MNI}_res-02_dseg.nii.gz")
    nib.save(image_of(small_labels()), atlases / "T_space-T1w_dseg.nii.gz")
    keys = np.arange(len(axis)) % 3
    nib.save(dlabel(keys, {0: "???", 1: "one", 2: "two"}, axis), atlases / "G_den-91k.dlabel.nii")
    write_json(atlases / "dataset_description.json", {"Name": "atlases", "BIDSVersion": "1.11.0"})
    write_json(
        atlases / "atlas-S_description.json", {"Name": "Small", "License": "CC0", "Authors": ["X"]}
    )
    return root


ATLASES = {
    "S": f"atlases/atlas-S_{MNI}_res-02_dseg.nii.gz",
    "T": "atlases/T_space-T1w_dseg.nii.gz",
    "G": "atlases/G_den-91k.dlabel.nii",
}


def write_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def jobs_of(derivative, strategies=("mean", "percentile:90")):
    return read_jobs(find_jobs(derivative, ATLASES), strategies=strategies)


def do(jobs, folder):
    assert not batch(jobs, folder, workers=1).failed


@pytest.fixture
def validate(program):
    """``validate(folder)``: the errors that the validator of BIDS finds: codes and paths."""
    path = program("bids-validator-deno")

    def run(folder):
        words = [path, str(folder), "--format", "json", "--max-rows", "-1"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        issues = json.loads(done.stdout)["issues"]["issues"]
        errors = [issue for issue in issues if issue["severity"] == "error"]
        return [(e["code"], e.get("subCode", ""), e["location"]) for e in errors]

    return run


def test_the_validator_finds_no_error_in_the_folder_of_outputs(derivative, validate):
    do(jobs_of(derivative), Path("out"))
    assert len(list(Path("out").rglob("*_timeseries.tsv"))) == 24
    assert validate("out") == []
    # Nor where jobs name their outputs.
    named = [{**row, "output": "{atlas}/{name}.tsv"} for row in find_jobs(derivative, ATLASES)]
    do(read_jobs(named), Path("named"))
    assert len(list(Path("named").rglob("*.tsv"))) == 12
    assert validate("named") == []


def test_without_what_is_a_draft_all_names_and_sidecars_are_those_of_bids(derivative, validate):
    """Sidecars renamed to what BIDS has already, and looked at with all that it asks of them."""
    do(jobs_of(derivative, ["mean"]), Path("out"))
    for table in Path("out").rglob("*.tsv"):
        table.unlink()
    for sidecar in list(Path("out").rglob("sub-*.json")):
        name = sidecar.name.replace("_stat-mean", "").replace("_timeseries", "_bold")
        sidecar.rename(sidecar.with_name(name))
        ending = ".dtseries.nii" if "fsLR" in name else ".nii.gz"
        (sidecar.parent / name.replace(".json", ending)).write_bytes(b"x")
    Path("out/.bidsignore").unlink()
    # There are no images here, and BIDS 1.11 has atlas- in its text and not yet in these rules.
    allowed = {
        ("NIFTI_HEADER_UNREADABLE", ""),
        ("SIDECAR_KEY_REQUIRED", "SkullStripped"),
        ("ALL_FILENAME_RULES_HAVE_ISSUES", ""),
    }
    # FILENAME_MISMATCH would be entities in another order.
    assert {issue[:2] for issue in validate("out")} == allowed


def test_sidecars_say_what_bids_asks_for(derivative):
    do(jobs_of(derivative, ["mean"]), Path("out"))
    stem = Path("out/sub-02/ses-a/func/sub-02_ses-a_task-rest_run-1")
    said = read_json(f"{stem}_{MNI}_atlas-S_res-2_stat-mean_desc-preproc_timeseries.json")
    image = f"sub-02/ses-a/func/sub-02_ses-a_task-rest_run-1_{MNI}_res-2_desc-preproc_bold.nii.gz"
    assert said["Sources"] == [f"bids:fmriprep:{image}"]
    assert said["SpatialReference"] == MNI.removeprefix("space-")
    assert said["RepetitionTime"] == 2
    sizes = np.linalg.norm(OBLIQUE[:3, :3], axis=0)
    assert said["Resolution"].endswith(f" of {' × '.join(f'{size:g}' for size in sizes)} mm")
    said = read_json(f"{stem}_space-fsLR_atlas-G_den-91k_stat-mean_timeseries.json")
    assert (said["Density"], said["RepetitionTime"]) == ("91k", 2)


def test_the_folder_says_who_made_it_and_of_what(derivative):
    jobs = jobs_of(derivative)
    prepare_folder(Path("new/out"), jobs)
    said = read_json("new/out/dataset_description.json")
    assert said["DatasetType"] == "derivative"
    assert said["GeneratedBy"] == [{"Name": "regioncast", "Version": rc.__version__}]
    assert said["DatasetLinks"] == {"fmriprep": "../../fmriprep"}
    assert said["SourceDatasets"] == [{"URL": "../../fmriprep", "DOI": "doi:10.0/x"}]
    atlas = read_json("new/out/atlas-S_description.json")
    assert (atlas["Name"], atlas["License"], atlas["Authors"]) == ("Small", "CC0", ["X"])
    assert atlas["Sources"] == [f"../../{ATLASES['S']}"]
    assert read_json("new/out/atlas-G_description.json")["Name"] == "G"


def test_preparing_again_changes_nothing_and_more_jobs_add_to_it(derivative):
    jobs = jobs_of(derivative)
    folder = Path("out")
    prepare_folder(folder, jobs[:1])
    prepare_folder(folder, jobs)
    before = {path: (path.read_bytes(), path.stat().st_ino) for path in folder.iterdir()}
    prepare_folder(folder, list(reversed(jobs)))
    assert {path: (path.read_bytes(), path.stat().st_ino) for path in folder.iterdir()} == before
    shutil.copytree(derivative, "again/fmriprep")
    prepare_folder(folder, jobs_of(Path("again/fmriprep")))
    links = {"fmriprep": "../fmriprep", "fmriprep.2": "../again/fmriprep"}
    assert read_json("out/dataset_description.json")["DatasetLinks"] == links


def test_what_others_wrote_into_our_files_stays(derivative):
    jobs = jobs_of(derivative)
    folder = Path("out")
    prepare_folder(folder, jobs)
    description = folder / "dataset_description.json"
    write_json(description, read_json(description) | {"Name": "Mine", "Authors": ["Me", "You"]})
    write_json(folder / "atlas-T_description.json", {"Name": "T", "License": "PD"})
    (folder / ".bidsignore").write_text("extra/\n", encoding="utf-8")
    prepare_folder(folder, jobs)
    assert read_json(description)["Name"] == "Mine"
    assert read_json(description)["Authors"] == ["Me", "You"]
    assert read_json(folder / "atlas-T_description.json") == {"Name": "T", "License": "PD"}
    ignored = (folder / ".bidsignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "extra/"
    assert "*_stat-*" in ignored


@pytest.mark.parametrize("name", ["notes.txt", "dataset_description.json"])
def test_a_folder_of_others_is_refused_and_stays_as_it_is(derivative, name):
    Path("used").mkdir()
    write_json(Path("used") / name, {"Name": "x", "GeneratedBy": [{"Name": "fMRIPrep"}]})
    what = "is not there" if name == "notes.txt" else "is of another program"
    with pytest.raises(OutputError, match=f"used, whose dataset_description.json {what}. Choose"):
        prepare_folder(Path("used"), jobs_of(derivative))
    assert [path.name for path in Path("used").iterdir()] == [name]
    with pytest.raises(OutputError, match="cannot be used: used/"):
        prepare_folder(Path("used") / name, jobs_of(derivative))


def test_a_folder_under_version_control_is_empty(derivative):
    Path("out/.git").mkdir(parents=True)
    prepare_folder(Path("out"), jobs_of(derivative))
    assert Path("out/dataset_description.json").is_file()


def test_several_processes_may_prepare_one_folder(derivative):
    code = (
        "from pathlib import Path; from regioncast.cohort.find import find_jobs; "
        "from regioncast.cohort.jobs import read_jobs; "
        "from regioncast.cohort.naming import prepare_folder; "
        f"prepare_folder(Path('out'), read_jobs(find_jobs('fmriprep', {ATLASES!r})))"
    )
    words = [sys.executable, "-P", "-c", code]
    processes = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(3)]
    assert [process.communicate()[1] for process in processes] == [b""] * 3
    names = {path.name for path in Path("out").iterdir()}
    atlases = {f"atlas-{label}_description.json" for label in ATLASES}
    assert names == {"dataset_description.json", ".bidsignore", *atlases}
