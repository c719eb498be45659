"""Surfaces and CIFTI from the shell."""

from __future__ import annotations

import io
import json

import nibabel as nib
import numpy as np
import pytest
from small_spaces import (
    N_VERTICES,
    brain_models,
    dense,
    dlabel,
    labels_gifti,
    maps_gifti,
    vertex_labels,
)
from small_volumes import image_of

from regioncast import cli

PAIR = "lh.atlas.label.gii,rh.atlas.label.gii"
VALUES = "name\tz\nL:V1\t1\nV2\t2\nL:insula\t3\nR:V1\t4\nR:insula\t5\nM1\t6\n"


@pytest.fixture
def shell(demo_folder, capsys):
    """Return the function that runs a command: code, output, and the files that are new."""

    def run(*words):
        before = contents(demo_folder)
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        shown = capsys.readouterr()
        after = contents(demo_folder)
        assert {name: after[name] for name in before} == before
        return code, shown.out, shown.err, sorted(set(after) - set(before))

    (demo_folder / "pair.tsv").write_text(VALUES)
    return run


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def expected(side):
    rows = {"L": {3: 1, 7: 2, 14474380: 3}, "R": {3: 4, 7: 5, 9: 6}}[side]
    labels = vertex_labels(side)
    return sum((labels == label) * np.float32(value) for label, value in rows.items())


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ("map.func.gii", ["map.L.func.gii", "map.R.func.gii"]),
        ("?h.map.shape.gii", ["lh.map.shape.gii", "rh.map.shape.gii"]),
        ("a_hemi-{hemi}_b.func.gii.gz", ["a_hemi-L_b.func.gii.gz", "a_hemi-R_b.func.gii.gz"]),
        ("one.shape.gii,two.shape.gii", ["one.shape.gii", "two.shape.gii"]),
    ],
)
def test_a_pair_is_painted_as_a_pair(shell, output, names):
    code, out, err, new = shell("paint", "pair.tsv", PAIR, "-o", output, "--dtype", "float32")
    assert (code, err, new) == (0, "", names)
    assert "6 values painted into 6 of 6 regions by name" in out
    for side, name in zip("LR", names, strict=True):
        (array,) = nib.load(name).darrays
        np.testing.assert_array_equal(array.data, expected(side))
    again = shell("paint", "pair.tsv", PAIR, "-o", output, "--dtype", "float32")
    assert again[0] == 1
    assert "exists" in again[2]


@pytest.mark.parametrize("atlas", [PAIR, "?h.atlas.label.gii", "{hemi}.atlas.label.gii"])
def test_extracted_is_what_was_painted(shell, atlas, demo_folder, monkeypatch):
    shell("paint", "pair.tsv", PAIR, "-o", "map.func.gii", "--dtype", "float32")
    code, table, err, _ = shell("extract", "map.?.func.gii", atlas, "-o", "-")
    assert (code, err) == (0, "")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(table.encode())))
    code, *_ = shell("paint", "-", atlas, "-o", "back.?.shape.gii", "--dtype", "float32")
    assert code == 0
    for side in "LR":
        np.testing.assert_array_equal(
            nib.load(demo_folder / f"back.{side}.shape.gii").darrays[0].data, expected(side)
        )


def test_info_describes_each_kind_in_json(shell):
    pair = json.loads(shell("info", PAIR, "--json")[1])
    assert pair["vertices"] == N_VERTICES
    assert pair["regions"][3] == {
        "label": 3, "name": "V1", "hemisphere": "R", "color": pair["regions"][3]["color"],
        "vertices": int((vertex_labels("R") == 3).sum()),
    }  # fmt: skip
    cifti = json.loads(shell("info", "atlas.dlabel.nii", "--json")[1])
    assert sum(cifti["grayordinates"].values()) == len(brain_models())
    assert sum(region["grayordinates"] for region in cifti["regions"]) == len(brain_models())


def test_cifti_goes_round_by_parcels(shell, demo_folder):
    atlas = "atlas.dlabel.nii"
    assert shell("extract", "bold.dtseries.nii", atlas, "-o", "b.ptseries.nii")[0] == 0
    assert shell("paint", "b.ptseries.nii", atlas, "-o", "b.dtseries.nii")[0] == 0
    assert shell("extract", "b.dtseries.nii", atlas, "-o", "c.ptseries.nii")[0] == 0
    first, second = (nib.load(demo_folder / f"{n}.ptseries.nii") for n in "bc")
    np.testing.assert_array_equal(np.asarray(first.dataobj), np.asarray(second.dataobj))
    assert first.header.get_axis(0) == second.header.get_axis(0)
    assert first.header.get_axis(0).step == 0.72


def test_surface_labels_onto_cifti(shell, demo_folder):
    words = ["paint", "pair.tsv", PAIR, "--onto", "bold.dtseries.nii", "-o", "onto.dscalar.nii"]
    code, _, err, new = shell(*words)
    assert (code, err, new) == (0, "", ["onto.dscalar.nii"])
    axis = brain_models()
    found = np.asarray(nib.load(demo_folder / "onto.dscalar.nii").dataobj)[0]
    for side, word in (("L", "LEFT"), ("R", "RIGHT")):
        here = axis.name == f"CIFTI_STRUCTURE_CORTEX_{word}"
        np.testing.assert_array_equal(found[here], expected(side)[axis.vertex[here]])
    assert not found[axis.volume_mask].any()


def refusals(folder):
    nib.save(maps_gifti("R", np.ones((1, 11), "f4")), folder / "rh.short.func.gii")
    nib.save(maps_gifti("L", np.ones((1, 701), "f4")), folder / "lh.short.func.gii")
    nib.save(labels_gifti("L", names={}), folder / "lh.unnamed.label.gii")
    nib.save(dense(np.ones((1, 9)), brain_models()[:9]), folder / "left.dscalar.nii")
    image_of(np.ones((4, 5, 6), "i2")).to_filename(folder / "fake.dscalar.nii")
    return [
        (["extract", "?h.short.func.gii", PAIR, "-o", "x.tsv"],
         ["11 vertices in the right hemisphere", "680"]),
        (["extract", "lh.short.func.gii", PAIR, "-o", "x.tsv"], ["hemisphere", "left"]),
        (["extract", "stat_map.nii.gz", PAIR, "-o", "x.tsv"], ["CORTEX_LEFT", "a volume"]),
        (["extract", "lh.short.func.gii", "atlas_dseg.nii.gz", "-o", "x.tsv"], ["CORTEX_LEFT"]),
        (["info", "atlas.dlabel.nii", "--label-map", "other"], ["'other'", "'labels'"]),
        (["info", "lh.unnamed.label.gii"], ["empty label table"]),
        (["info", "fake.dscalar.nii"], ["CIFTI"]),
        (["info", "bold.dtseries.nii"], [".dlabel.nii"]),
        (["info", "lh.atlas.label.gii,lh.atlas.label.gii"], ["left hemisphere"]),
        (["paint", "pair.tsv", PAIR, "-o", "x.func.gii"], ["int64", "--dtype int32"]),
        (["paint", "pair.tsv", PAIR, "-o", "x.nii.gz"], [".func.gii"]),
        (["paint", "pair.tsv", "lh.atlas.label.gii", "-o", "x.shape.gii"], ["unused"]),
        (["paint", "values.tsv", "atlas_dseg.nii.gz", "-o", "x.dscalar.nii"], [".nii.gz"]),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(13))
def test_bad_input_is_one_message_and_leaves_nothing(shell, demo_folder, number):
    words, fragments = refusals(demo_folder)[number]
    code, out, err, new = shell(*words)
    assert (code, out, new) == (1, "", []), err
    assert err.startswith("regioncast: ")
    assert err.count("\n") < 12
    for fragment in fragments:
        assert fragment in err


def test_a_map_is_chosen_by_its_name_before_its_number(shell, demo_folder):
    axis = brain_models()
    keys = np.arange(len(axis)) < np.array([[300], [100]])
    names = {0: "???", 1: "a"}
    nib.save(dlabel(keys, names, axis, ["1", "0"]), demo_folder / "named.dlabel.nii")
    for chosen, n_samples in (("1", 300), ("0", 100)):
        _, out, _, _ = shell("info", "named.dlabel.nii", "--label-map", chosen, "--json")
        assert json.loads(out)["regions"][0]["grayordinates"] == n_samples
