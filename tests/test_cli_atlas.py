"""The shell chooses, groups and merges regions as the Python functions do."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from small_spaces import labels_gifti

import regioncast as rc
from regioncast import cli


@pytest.fixture
def run(demo_folder, capsys):
    """Run the command in the folder of the demo; return exit code, output and errors."""

    def command(*words):
        code = cli.main(["atlas", *words])
        return code, *capsys.readouterr()

    return command


def assert_same(path, atlas):
    again = rc.load_parcellation(path)
    np.testing.assert_array_equal(again.codes, atlas.codes)
    assert list(again.table) == list(atlas.table)
    for title, cells in atlas.table.columns.items():
        assert again.table.columns[title] == cells


def test_regions_are_selected_and_dropped(run):
    atlas = rc.load_parcellation("atlas_dseg.nii.gz")
    code, out, _ = run(
        "select", "atlas_dseg.nii.gz", "--where", "network=Vis", "--where", "hemisphere=L", "-o",
        "x_dseg.nii.gz",
    )  # fmt: skip
    assert (code, out) == (0, "x_dseg.nii.gz, x_dseg.tsv: 9 regions, 91×109×91 voxels\n")
    visual = atlas.select(lambda row: row["network"] == "Vis" and row["hemisphere"] == "L")
    assert_same("x_dseg.nii.gz", visual)
    run("drop", "atlas_dseg.nii.gz", "7Networks_LH_Vis_1", "2", "-o", "y.nii")
    assert_same("y.nii", atlas.drop([1, 2]))


def test_regions_are_grouped_and_values_per_group_painted(run):
    atlas = rc.load_parcellation("atlas_dseg.nii.gz")
    code, out, _ = run("group", "atlas_dseg.nii.gz", "network", "-o", "x_dseg.nii.gz")
    assert (code, out) == (0, "x_dseg.nii.gz, x_dseg.tsv: 7 regions, 91×109×91 voxels\n")
    assert_same("x_dseg.nii.gz", atlas.group("network"))
    words = ["--by", "network", "--resample", "labels", "-o", "networks.tsv"]
    assert cli.main(["extract", "stat_map.nii.gz", "atlas_dseg.nii.gz", *words]) == 0
    words = ["--by", "network", "-o", "map.nii"]
    assert cli.main(["paint", "networks.tsv", "atlas_dseg.nii.gz", *words]) == 0
    again = rc.extract("map.nii", atlas, by="network").values[0]
    means = rc.extract("stat_map.nii.gz", atlas, by="network", resample="labels").values[0]
    np.testing.assert_allclose(again, means)


@pytest.mark.filterwarnings("always::regioncast.errors.LabelsWarning")
def test_atlases_are_merged(run):
    atlas = rc.load_parcellation("atlas_dseg.nii.gz")
    run("select", "atlas_dseg.nii.gz", "--where", "network=Vis", "-o", "vis_dseg.nii.gz")
    run("drop", "atlas_dseg.nii.gz", "--where", "network=Vis", "-o", "rest_dseg.nii.gz")
    code, out, _ = run("merge", "vis_dseg.nii.gz", "rest_dseg.nii.gz", "-o", "all_dseg.nii.gz")
    assert (code, out) == (0, "all_dseg.nii.gz, all_dseg.tsv: 100 regions, 91×109×91 voxels\n")
    assert_same("all_dseg.nii.gz", atlas)
    assert set(rc.load_parcellation("all_dseg.nii.gz").table.columns["source"]) == {
        "vis_dseg", "rest_dseg",
    }  # fmt: skip
    code, _, errors = run("merge", "vis_dseg.nii.gz", "atlas_dseg.nii.gz", "-o", "b.nii")
    assert code == 1
    assert "17 pairs of regions: '7Networks_" in errors
    assert "--overlap" in errors
    words = ["merge", "vis_dseg.nii.gz", "atlas_dseg.nii.gz", "-o", "b.nii", "--overlap", "first"]
    code, out, errors = run(*words)
    assert (code, out) == (0, "b.nii, b.tsv: 117 regions, 91×109×91 voxels\n")
    assert "warning: The atlases overlap" in errors


def test_a_pair_of_surfaces_is_written_as_two_files(run, demo_folder):
    for side, name in (("L", "lh"), ("R", "rh")):
        (demo_folder / f"{name}.x.label.gii").write_bytes(labels_gifti(side).to_bytes())
    code, out, _ = run("select", "?h.x.label.gii", "L:V1", "M1", "-o", "y.label.gii")
    assert code == 0
    assert out.startswith("y.L.label.gii, y.R.label.gii: 2 regions, left hemisphere 701 vertices")
    pair = rc.load_parcellation("?h.x.label.gii")
    assert_same("y.?.label.gii", pair.select(["L:V1", "M1"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["select", "A"], "Give either names or labels of regions, or --where"),
        (["select", "A", "1", "--where", "network=Vis"], "Give either names or labels"),
        (["drop", "A", "--where", "network=vis"], "--where network=vis; 'Vis', 'SomMot', 'Dors"),
        (["select", "A", "--where", "net=Vis"], "the columns are 'label', 'name', 'color'"),
        (["select", "A", "--where", "network"], "No region has --where network; 'Vis'"),
        (["select", "A", "7Networks_LH_vis_1"], "Did you mean '7Networks_LH_Vis_1'"),
        (["group", "A", "lobe"], "no column 'lobe' to group by; it has 'name', 'label', 'color'"),
        (["merge", "A"], "this is 1 atlas"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_nothing_written(run, demo_folder, words, message):
    before = sorted(demo_folder.iterdir())
    verb, _, *rest = words
    code, out, errors = run(verb, "atlas_dseg.nii.gz", *rest, "-o", "x.nii.gz")
    assert (code, out) == (1, "")
    assert message in errors
    assert sorted(demo_folder.iterdir()) == before


def test_outputs_are_replaced_only_when_asked(run):
    shutil.copy("values.tsv", "x.tsv")
    words = ["group", "atlas_dseg.nii.gz", "network", "-o", "x.nii.gz"]
    code, _, errors = run(*words)
    assert code == 1
    assert "The output exists: x.tsv" in errors
    assert run(*words, "--overwrite")[0] == 0
    assert rc.load_parcellation("x.nii.gz").table.names[0] == "Vis"
