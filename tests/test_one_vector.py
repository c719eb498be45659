"""Both hemispheres in one vector, left first: taken apart where the counts add up, only there."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import (
    N_VERTICES,
    brain_models,
    dense,
    dlabel,
    kept_vertices,
    labels_gifti,
    vertex_labels,
)

import regioncast as rc
from regioncast import cli, errors
from regioncast.atlas.spaces import Grayordinates, SurfaceVertices, divided

N_LEFT, N_RIGHT = N_VERTICES["L"], N_VERTICES["R"]
N_BOTH = N_LEFT + N_RIGHT
VALUES = np.random.default_rng(3).standard_normal(N_BOTH).astype(np.float32)
SIDES = {"left": VALUES[:N_LEFT], "right": VALUES[N_LEFT:]}
LABELS = np.concatenate([vertex_labels("L") % 1000, 20 + vertex_labels("R")])


def pair():
    return rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("both.npy", VALUES)
    for name in ("both.csv", "both.txt"):
        np.savetxt(name, VALUES)
    nib.save(nib.MGHImage(VALUES.reshape(-1, 1, 1), np.eye(4)), "both.mgh")
    np.save("labels.npy", LABELS)
    for name in ("labels.csv", "labels.txt"):
        np.savetxt(name, LABELS, fmt="%d")
    for side, word in (("L", "lh"), ("R", "rh")):
        nib.save(labels_gifti(side), f"{word}.label.gii")
    return tmp_path


@pytest.mark.parametrize(
    "data", ["both.npy", "both.csv", "both.txt", "both.mgh", VALUES, VALUES[None], VALUES[:, None]]
)
def test_data_of_both_on_a_pair(folder, data):
    expected = rc.extract(SIDES, pair())
    for atlas in (pair(), "?h.label.gii", "lh.label.gii,rh.label.gii"):
        signals = rc.extract(data, atlas)
        assert np.array_equal(signals.values, expected.values)
        assert signals.keys == expected.keys
        assert signals.parcellation.space.counts == {"L": N_LEFT, "R": N_RIGHT}


def test_several_maps_of_both():
    maps = np.stack([VALUES, 2 * VALUES], axis=1)
    signals = rc.extract(maps, pair())
    assert np.array_equal(signals.values[0] * 2, signals.values[1])
    assert np.array_equal(signals.values[:1], rc.extract(SIDES, pair()).values)


@pytest.mark.parametrize("labels", ["labels.npy", "labels.csv", "labels.txt", LABELS])
def test_labels_of_both_and_data_of_a_pair(folder, labels):
    expected = rc.extract(VALUES, LABELS)
    signals = rc.extract(SIDES, labels)
    assert np.array_equal(signals.values, expected.values)
    for label, value in zip(signals.labels, signals.values[0], strict=True):
        np.testing.assert_allclose(value, VALUES[label == LABELS].mean(dtype=float), rtol=1e-6)
    # What is painted on one vector is one vector, and onto a pair a pair.
    values = dict(zip(signals.labels, range(len(signals)), strict=True))
    one = np.asarray(rc.paint(values, labels))
    two = rc.paint(values, labels, onto=pair())
    assert one.shape == (N_BOTH,)
    assert np.array_equal(np.concatenate([*two.parts.values()]), one)
    assert list(two.parts) == ["L", "R"]


def test_a_table_that_says_the_hemispheres_needs_them_apart():
    """On its own a vector does not say where the right one begins."""
    rows = {"index": [3, 7, 3, 7], "name": ["V1", "V2"] * 2, "hemisphere": list("LLRR")}
    shared = np.concatenate([vertex_labels("L"), vertex_labels("R")])
    shared[~np.isin(shared, [3, 7])] = 0
    with pytest.raises(
        errors.RegionTableError, match=r"one vector of both as \{'left': vector\[:n"
    ):
        rc.load_parcellation(shared, rows)
    atlas = rc.load_parcellation({"left": shared[:N_LEFT], "right": shared[N_LEFT:]}, rows)
    assert atlas.table.unique_names == ("L:V1", "L:V2", "R:V1", "R:V2")


def test_masks_and_weights_of_both():
    mask = np.arange(N_BOTH) % 3 > 0
    of_sides = {"left": mask[:N_LEFT], "right": mask[N_LEFT:]}
    for option in ("mask", "weights"):
        one = rc.extract(VALUES, pair(), **{option: mask.astype(float)})
        two = rc.extract(SIDES, pair(), **{option: of_sides})
        mixed = rc.extract(VALUES, pair(), **{option: of_sides})
        assert np.array_equal(one.values, two.values)
        assert np.array_equal(mixed.values, two.values)
    signals = rc.extract(SIDES, pair())
    assert np.array_equal(
        np.asarray(rc.paint(signals, pair(), mask=mask)),
        np.asarray(rc.paint(signals, pair(), mask=of_sides)),
    )


# --- grayordinates -----------------------------------------------------------------------------


def labels_of_grayordinates(*, voxels=True):
    axis = brain_models(voxels=voxels)
    keys = np.zeros(len(axis))
    keys[:500], keys[680:900] = 3, 4
    names = {0: "???", 3: "a", 4: "b"}
    if voxels:
        keys[-20:], names[5] = 5, "c"
    return dlabel(keys, names, axis), keys


@pytest.mark.filterwarnings("ignore::regioncast.errors.ResamplingWarning")
def test_data_of_both_on_a_dlabel():
    labels, keys = labels_of_grayordinates()
    n_cortex = len(kept_vertices("L")) + len(kept_vertices("R"))
    everywhere = rc.extract(np.arange(len(keys), dtype=np.float32), labels)
    assert everywhere.values.tolist() == [[np.flatnonzero(keys == key).mean() for key in (3, 4, 5)]]
    cortex = rc.extract(np.arange(n_cortex, dtype=np.float32), labels)
    assert np.array_equal(cortex.values[0], [*everywhere.values[0, :2], np.nan], equal_nan=True)
    whole = rc.extract(VALUES, labels)
    of_sides = rc.extract(SIDES, labels)
    assert np.array_equal(whole.values, of_sides.values, equal_nan=True)
    own = np.concatenate([kept_vertices("L"), N_LEFT + kept_vertices("R")])
    assert whole.values[0, 0] == pytest.approx(VALUES[own[:500]].mean(dtype=float))


def test_labels_of_both_onto_grayordinates(folder):
    axis = brain_models()
    image = dense(np.arange(len(axis), dtype=np.float32), axis)
    painted = rc.paint({"7": 1.5}, "labels.npy", onto=image, missing="fill")
    own = np.concatenate([kept_vertices("L"), N_LEFT + kept_vertices("R")])
    expected = np.append(np.where(LABELS[own] == 7, 1.5, 0), np.zeros(len(axis) - len(own)))
    assert np.array_equal(np.asarray(painted.dataobj)[0], expected)
    assert rc.extract(image, "labels.npy").n_regions == len(rc.load_parcellation("labels.npy"))


def test_a_file_that_lists_the_right_hemisphere_first_takes_whole_surfaces_only():
    axis = brain_models(voxels=False)
    is_right = axis.name == "CIFTI_STRUCTURE_CORTEX_RIGHT"
    turned = Grayordinates(axis[np.argsort(~is_right, kind="stable")])
    vector = SurfaceVertices({"?": len(axis)})
    assert divided(vector, Grayordinates(axis)).is_one_vector
    assert divided(vector, turned) is vector
    assert divided(SurfaceVertices({"?": N_BOTH}), turned).counts == {"L": N_LEFT, "R": N_RIGHT}


# --- only where the counts add up --------------------------------------------------------------


@given(n_left=st.integers(1, 50), n_right=st.integers(1, 50), n=st.integers(1, 120))
def test_the_law(n_left, n_right, n):
    both = SurfaceVertices({"L": n_left, "R": n_right})
    vector = SurfaceVertices({"?": n})
    made = divided(vector, both)
    assert (made is vector) == (n != n_left + n_right)
    if made is not vector:
        assert made.is_one_vector
        assert made.counts == {"L": n_left, "R": n_right}
    for known in (both, SurfaceVertices({"L": n_left + n_right})):
        assert divided(known, both) is known
    for alone in ({"L": n}, {"R": n}, {"?": n}):
        assert divided(vector, SurfaceVertices(alone)) is vector


@pytest.mark.parametrize("n_vertices", [N_BOTH - 1, N_BOTH + 1, 2 * N_LEFT, 1])
def test_counts_that_do_not_add_up_are_an_error_with_both(n_vertices):
    data = np.zeros(n_vertices, np.float32)
    needed = r"left first, has 701 \+ 680 = 1,381 vertices"
    with pytest.raises(errors.SpaceError, match=f"surface {n_vertices:,} vert.*{needed}"):
        rc.extract(data, pair())
    with pytest.raises(errors.SpaceError, match=needed):
        rc.extract(SIDES, np.arange(n_vertices) + 1)
    with pytest.raises(errors.SpaceError, match=needed):
        rc.extract(VALUES, pair(), mask=data)
    labels, _ = labels_of_grayordinates()
    with pytest.raises(errors.SpaceError, match=f"{needed}, or 1,026 gray.*, or 1,089 gray"):
        rc.extract(data, labels)


def test_a_vector_of_both_is_not_for_one_hemisphere_and_one_that_is_named_not_for_both(folder):
    with pytest.raises(errors.SpaceError, match="1,381 vertices"):
        rc.extract(VALUES, labels_gifti("L"))
    np.save("lh.both.npy", VALUES)
    with pytest.raises(errors.SpaceError, match="not of the same hemispheres"):
        rc.extract("lh.both.npy", pair())
    assert rc.extract(VALUES[:N_LEFT], labels_gifti("L")).n_regions == 3


def test_arrays_of_voxels_are_no_surface():
    volume = nib.Nifti1Image(np.ones((5, 6, 7), np.uint8), np.eye(4))
    with pytest.raises(errors.SpaceError, match=r"of surfaces .* of a volume"):
        rc.extract(np.zeros((4, 210)), volume)
    with pytest.raises(errors.ImageTypeError, match="Nifti1Image"):
        rc.extract(np.zeros((3, 4, 5)), pair())
    with pytest.raises(errors.ImageTypeError, match="Nifti1Image"):
        rc.load_parcellation(np.ones((3, 4, 5), int))


def test_the_shell_says_it(folder, capsys):
    assert cli.main(["extract", "both.npy", "?h.label.gii", "-o", "x.tsv"]) == 0
    said = (
        "from one vector, left first: left hemisphere 701 vertices, right hemisphere 680 vertices"
    )
    assert said in capsys.readouterr().out
    axis = brain_models()
    nib.save(dense(np.zeros(len(axis), np.float32), axis), "x.dscalar.nii")
    assert cli.main(["extract", "x.dscalar.nii", "labels.npy", "-o", "y.tsv"]) == 0
    assert "from one vector, left first: 1,089 grayordinates" in capsys.readouterr().out
    paint = ["paint", "y.tsv", "labels.npy", "--onto", "x.dscalar.nii", "-o", "p.dscalar.nii"]
    assert cli.main(paint) == 0
    assert "from one vector" in capsys.readouterr().out
    np.save("sides.npy", SIDES["left"])
    assert cli.main(["extract", "sides.npy", "lh.label.gii", "-o", "z.tsv"]) == 0
    assert "one vector" not in capsys.readouterr().out
    assert cli.main(["extract", "sides.npy", "?h.label.gii", "-o", "w.tsv"]) == 1
    assert "701 + 680 = 1,381" in capsys.readouterr().err
