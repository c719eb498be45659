"""What names of surface files say of hemispheres, and what they seem to say and do not."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import N_VERTICES, labels_gifti, maps_gifti

import regioncast as rc
from regioncast.errors import InputMissingError, OutputError, SpaceError
from regioncast.io.surface.names import (
    hemisphere_in_name,
    hemispheres_in_names,
    order_is_unclear,
    output_paths,
)

# Names of maps that hold words for hemispheres, which are not those of the file.
MISLEADING = ["left_vs_right", "l_vs_r", "right_hand", "pearson_r", "left.vs.right", "r"]
MARKED = ["{fs}.{name}{end}", "{name}.{fs}{end}", "{name}.{S}{end}", "x_hemi-{S}_{name}{end}"]
FREE = st.text("abLRlrhleftright._-", min_size=1, max_size=12)


@pytest.fixture
def pair():
    return rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))


def values_of(pair):
    """A value per region, none of which is in both hemispheres."""
    return np.arange(1.0, 1 + len(pair)).astype("f4")


def name_of(pattern, name, side, end):
    return pattern.format(name=name, S=side, fs={"L": "lh", "R": "rh"}[side], end=end)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("left_vs_right.lh.mgh", "L"), ("left_vs_right.R.func.gii", "R"),
        ("left.vs.right.L.mgh", "L"), ("right_hand.lh.mgh", "L"), ("pearson.r.left.mgh", "L"),
        ("lh.right_hand.mgh", "L"), ("hemi-R_desc-left.mgh", "R"), ("left.lh.32k_fs_LR.mgh", "L"),
        ("left_vs_right.mgh", "?"), ("left.vs.right.mgh", "?"), ("a.L.b.R.mgh", "?"),
    ],
)  # fmt: skip
def test_marks_count_before_words(name, side):
    assert hemisphere_in_name(name) == side


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("left_vs_right_rh.mgh", "left_vs_right_lh.mgh"), "RL"),
        (("l_vs_r_L.mgh", "l_vs_r_R.mgh"), "LR"),
        (("a.L.b.R.mgh", "a.L.b.L.mgh"), "RL"),
        (("rh/x.mgh", "lh/x.mgh"), "RL"),
        (("lh.left_hand.mgh", "lh.right_hand.mgh"), "LL"),
        (("left_a.mgh", "right_b.mgh"), "LR"),
        (("left_right.mgh", "right_left.mgh"), "??"),
        (("left_vs_right_1.mgh", "left_vs_right_2.mgh"), "??"),
        (("plain.mgh", "other_name.mgh"), "??"),
    ],
)
def test_two_names_are_judged_by_what_they_differ_in(names, said):
    assert hemispheres_in_names(*names) == list(said)
    assert hemispheres_in_names(*reversed(names)) == list(reversed(said))


@pytest.mark.parametrize("end", [".mgh", ".func.gii", ".npy", ".thickness"])
@pytest.mark.parametrize("name", MISLEADING)
@pytest.mark.parametrize("pattern", MARKED)
@pytest.mark.parametrize("swapped", [False, True])
def test_pairs_keep_their_sides_whatever_else_their_names_say(
    tmp_path, monkeypatch, pair, end, name, pattern, swapped
):
    monkeypatch.chdir(tmp_path)
    sides = "RL" if swapped else "LR"
    both = ",".join(name_of(pattern, name, side, end) for side in sides)
    values = values_of(pair)
    rc.save(rc.paint(values, pair, dtype="float32"), both)
    with_question = name_of(pattern, name, "L", end).replace("lh", "?h").replace("-L", "-?")
    with_question = with_question.replace(f".L{end}", f".?{end}")
    with_hemi = with_question.replace("?h", "{hemi}").replace("?", "{hemi}")
    for source in (both, with_question, with_hemi):
        assert rc.extract(source, pair).values[0].tolist() == values.tolist()


# What two names of a pair may differ in where nothing sets the hemisphere off: left, then right.
GLUED = [
    ("thicknessL", "thicknessR"), ("LeftThickness", "RightThickness"),
    ("sub-01_hemiL", "sub-01_hemiR"), ("L.thickness", "R.thickness"),
    ("lhThickness", "rhThickness"), ("thickness_Left", "thickness_Right"),
    ("Lthickness", "Rthickness"), ("lthickness", "rthickness"), ("thicknessl", "thicknessr"),
    ("leftthickness", "rightthickness"), ("thicknessleft", "thicknessright"),
    ("LHthickness", "RHthickness"), ("lhthickness", "rhthickness"), ("LVolume", "RVolume"),
    ("mapL2", "mapR2"), ("R2mapL", "R2mapR"), ("left_vs_rightL", "left_vs_rightR"),
    ("sub1hemiL_run1", "sub1hemiR_run2"), ("thicknessL_v2", "thicknessR"),
    ("LeftThickness_run-1", "RightThickness"), ("x_lhmap_1", "x_rhmap_2"),
]  # fmt: skip


@pytest.mark.parametrize("names", GLUED)
def test_words_without_a_break_tell_the_hemispheres_of_a_pair(names):
    for end in (".npy", ".mgh", ".func.gii", ".thickness"):
        both = [f"{name}{end}" for name in names]
        words = list(map(hemisphere_in_name, both))
        said = hemispheres_in_names(*both)
        assert said == ["L", "R"] or (said == ["?", "?"] and words == ["L", "R"])
        assert hemispheres_in_names(*reversed(both)) == said[::-1]


@pytest.mark.parametrize("names", GLUED)
def test_a_pair_is_extracted_from_in_either_order(tmp_path, pair, names):
    values = values_of(pair)
    files = [str(tmp_path / f"{name}.npy") for name in names]
    for file, side in zip(files, "LR", strict=True):
        np.save(file, rc.paint(values, pair).part(side))
    for both in (files, files[::-1]):
        for source in (both, ",".join(both)):
            assert rc.extract(source, pair).values[0].tolist() == values.tolist()
        rc.save(rc.paint(-values, pair), ",".join(both), overwrite=True)
        for file, side in zip(files, "LR", strict=True):
            np.testing.assert_array_equal(np.load(file), rc.paint(-values, pair).part(side))
        rc.save(rc.paint(values, pair), ",".join(both), overwrite=True)


def test_a_pair_in_the_shell_is_not_swapped(tmp_path, monkeypatch, pair):
    from regioncast import cli

    monkeypatch.chdir(tmp_path)
    for side, name in (("L", "lh.atlas.label.gii"), ("R", "rh.atlas.label.gii")):
        nib.save(labels_gifti(side), name)
    values = values_of(pair)
    for side, name in (("L", "thicknessL.npy"), ("R", "thicknessR.npy")):
        np.save(name, rc.paint(values, pair).part(side))
    source = ["thicknessR.npy,thicknessL.npy", "?h.atlas.label.gii", "-o", "x.tsv"]
    assert cli.main(["extract", *source]) == 0
    assert rc.load_signals("x.tsv", pair).values[0].tolist() == values.tolist()


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("thickness?.npy", ("thicknessL.npy", "thicknessR.npy")),
        ("thickness?.npy", ("thicknessl.npy", "thicknessr.npy")),
        ("?thickness.npy", ("Lthickness.npy", "Rthickness.npy")),
        ("hemi?_x.npy", ("hemiL_x.npy", "hemiR_x.npy")),
        ("*Thickness.npy", ("LeftThickness.npy", "RightThickness.npy")),
        ("{hemi}Thickness.npy", ("lhThickness.npy", "rhThickness.npy")),
    ],
)
def test_patterns_without_a_break_find_their_pair(tmp_path, pair, pattern, names):
    values = values_of(pair)
    for name, side in zip(names, "LR", strict=True):
        np.save(tmp_path / name, rc.paint(values, pair).part(side))
    assert rc.extract(tmp_path / pattern, pair).values[0].tolist() == values.tolist()


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("thicknessR.npy", "R"), ("LeftThickness.npy", "L"), ("sub-01_hemiR.npy", "R"),
        ("lhThickness.npy", "L"), ("run2R.npy", "R"),
        ("R2.npy", "?"), ("mapR2.npy", "?"), ("FDR.npy", "?"), ("fs_LR.npy", "?"),
        ("thickness.npy", "?"), ("Lateral.npy", "?"), ("mapLR.npy", "?"), ("MNI152NLin6.npy", "?"),
        ("zR_left.npy", "L"), ("rh.zL.npy", "R"), ("leftRight.npy", "?"),
    ],
)  # fmt: skip
def test_glued_words_count_where_no_others_are(name, side):
    assert hemisphere_in_name(name) == side


@pytest.mark.parametrize("name", ["thicknessR.npy", "RightThickness.npy", "x_hemiR.npy"])
def test_a_file_of_the_other_hemisphere_is_refused(tmp_path, name):
    left = rc.load_parcellation(left=labels_gifti("L"))
    np.save(tmp_path / name, np.zeros(N_VERTICES["L"]))
    with pytest.raises(SpaceError, match="not of the same hemispheres"):
        rc.extract(tmp_path / name, left)
    with pytest.raises(OutputError, match="whose name says the right hemisphere"):
        rc.save(rc.paint([1.0, 2, 3], left), tmp_path / f"new_{name}")


UNCLEAR = [
    ("Rmap_v2.npy", "Lmap.npy"), ("myrhmap.npy", "mylhmap.npy"), ("prane.npy", "plane.npy"),
    ("rightmap1.npy", "xleftmap.npy"), ("pearson_r.npy", "other.npy"), ("x.npy", "left_hand.npy"),
    ("fisherR.npy", "z.npy"), ("left_vs_right_1.npy", "left_vs_right_2.npy"),
]  # fmt: skip


@pytest.mark.parametrize("names", UNCLEAR)
def test_pairs_that_may_be_the_other_way_round_are_refused(tmp_path, pair, names):
    for name, side in zip(names, "LR", strict=True):
        np.save(tmp_path / name, np.zeros(N_VERTICES[side]))
    files = [tmp_path / name for name in names]
    with pytest.raises(SpaceError, match=r"of which hemisphere is not known: .* left= and right="):
        rc.extract(files, pair)
    with pytest.raises(OutputError, match=r"is not known|whose name says the"):
        rc.save(rc.paint(values_of(pair), pair), ",".join(str(file) for file in files))


@pytest.mark.parametrize(
    "names", [("a", "b"), ("map1", "map2"), ("plain", "other_name"), ("first", "second")]
)
def test_names_that_say_nothing_are_left_and_right_in_their_order(tmp_path, pair, names):
    values = values_of(pair)
    files = [tmp_path / f"{name}.npy" for name in names]
    rc.save(rc.paint(values, pair), ",".join(map(str, files)))
    for file, side in zip(files, "LR", strict=True):
        assert len(np.load(file)) == N_VERTICES[side]
    assert rc.extract(files, pair).values[0].tolist() == values.tolist()


WORDS = st.sampled_from(
    ["thickness", "Thickness", "map", "sub-01", "run2", "R2", "fs_LR", "T1w", "MNI", "_", "-", ""]
)
SPELLINGS = st.sampled_from(
    [("L", "R"), ("l", "r"), ("lh", "rh"), ("LH", "RH"), ("Lh", "Rh"), ("left", "right"),
     ("Left", "Right"), ("LEFT", "RIGHT")]
)  # fmt: skip


@given(WORDS, SPELLINGS, WORDS, st.sampled_from([".npy", ".mgh", ".sulc", ".func.gii"]))
def test_two_names_that_differ_in_a_hemisphere_alone_are_never_swapped(before, sides, after, end):
    left, right = (f"{before}{side}{after}{end}" for side in sides)
    said = hemispheres_in_names(right, left)
    if said == ["?", "?"]:
        assert order_is_unclear(right, left)
    else:
        assert said == ["R", "L"]


@given(WORDS, SPELLINGS, WORDS, st.sampled_from([".npy", ".sulc"]), st.sampled_from(["_v2", "3"]))
def test_nor_where_they_differ_in_something_else(before, sides, after, end, other):
    left, right = f"{before}{sides[0]}{after}{end}", f"{before}{sides[1]}{after}{other}{end}"
    said = hemispheres_in_names(right, left)
    words = [hemisphere_in_name(right), hemisphere_in_name(left)]
    told = [word if side == "?" else side for side, word in zip(said, words, strict=True)]
    assert "L" not in told[:1]
    assert "R" not in told[1:]
    assert "R" in told or "L" in told or order_is_unclear(right, left)


def test_what_is_of_the_other_hemisphere_is_refused(tmp_path, pair):
    image = rc.paint(values_of(pair), pair, dtype="float32")
    _, right = rc.save(image, tmp_path / "left_vs_right.?h.mgh")
    with pytest.raises(SpaceError, match="not of the same hemispheres"):
        rc.extract(right, rc.load_parcellation(left=labels_gifti("L")))


@given(left=FREE, right=FREE)
def test_names_say_the_same_in_either_order(left, right):
    names = f"{left}.mgh", f"{right}.mgh"
    assert hemispheres_in_names(*names) == hemispheres_in_names(*reversed(names))[::-1]


@given(name=FREE, end=st.sampled_from([".mgh", ".func.gii", ".npy", ".thickness"]))
def test_every_pair_that_is_written_says_its_sides(name, end):
    paths = output_paths(f"a{name}{end}", ["L", "R"])
    assert list(map(hemisphere_in_name, paths)) == ["L", "R"]
    assert hemispheres_in_names(*map(str, paths)) == ["L", "R"]


def test_two_names_that_say_both_hemispheres_are_not_taken_by_their_order(tmp_path, pair):
    image = rc.paint(values_of(pair), pair, dtype="float32")
    names = [str(tmp_path / f"left_vs_right_{n}.mgh") for n in "12"]
    with pytest.raises(OutputError, match="of which hemisphere is not known"):
        rc.save(image, ",".join(names))
    for name, size in zip(names, N_VERTICES.values(), strict=True):
        nib.MGHImage(np.zeros((size, 1, 1), np.float32), np.eye(4)).to_filename(name)
    with pytest.raises(SpaceError, match=r"both names have words .*Give them as left= and right="):
        rc.extract(",".join(names), pair)


@pytest.mark.parametrize("given", [1, 3])
def test_a_pair_is_two(given):
    with pytest.raises(SpaceError, match=rf"one left and one right; {given} were given"):
        rc.load_parcellation([labels_gifti("L")] * given)


# --- outputs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pearson_r.func.gii", ["pearson_r.L.func.gii", "pearson_r.R.func.gii"]),
        ("right_hand.func.gii", ["right_hand.L.func.gii", "right_hand.R.func.gii"]),
        ("left_vs_right.mgh", ["left_vs_right.L.mgh", "left_vs_right.R.mgh"]),
        ("left.vs.right.mgh", ["left.vs.right.L.mgh", "left.vs.right.R.mgh"]),
        ("right_hand.rh.mgh", ["right_hand.lh.mgh", "right_hand.rh.mgh"]),
        ("lh.pearson_r.mgh", ["lh.pearson_r.mgh", "rh.pearson_r.mgh"]),
        ("map.L.32k.func.gii", ["map.L.32k.func.gii", "map.R.32k.func.gii"]),
    ],
)
def test_only_marks_are_exchanged_in_names_of_outputs(name, expected):
    assert [path.name for path in output_paths(name, ["L", "R"])] == expected


@pytest.mark.parametrize("name", ["pearson_r.func.gii", "right_hand.shape.gii"])
def test_words_in_the_name_of_a_gifti_file_may_mean_something_else(tmp_path, name):
    left = rc.load_parcellation(left=labels_gifti("L"))
    path = rc.save(rc.paint([1.0, 2.0, 3.0], left, dtype="float32"), tmp_path / name)
    assert path.name == name
    assert rc.extract(path, left).values.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("name", ["pearson_r.mgh", "right_hand.npy", "rh.x.func.gii"])
def test_no_file_is_written_that_would_be_read_as_the_other_hemisphere(tmp_path, name):
    left = rc.load_parcellation(left=labels_gifti("L"))
    image = rc.paint([1.0, 2.0, 3.0], left, dtype="float32")
    with pytest.raises(OutputError, match="whose name says the right hemisphere"):
        rc.save(image, tmp_path / name)


# --- inputs ----------------------------------------------------------------------------------


def test_a_name_that_contradicts_what_the_file_says_is_an_error_in_every_form(tmp_path, pair):
    for side, name in (("R", "lh"), ("L", "rh")):
        maps_gifti(side, np.ones((1, N_VERTICES[side]), "f4")).to_filename(
            tmp_path / f"{name}.m.func.gii"
        )
    left, right = tmp_path / "lh.m.func.gii", tmp_path / "rh.m.func.gii"
    for source in (
        f"{left},{right}", f"{right},{left}", [left, right],
        tmp_path / "?h.m.func.gii", {"left": left, "right": right},
    ):  # fmt: skip
        with pytest.raises(SpaceError, match=r"says itself .* Check which file is which"):
            rc.extract(source, pair)


@pytest.mark.parametrize("end", [".func.gii", ".shape.gii.gz", ".mgh", ".curv", ".npy"])
def test_a_pair_that_was_written_is_named_where_the_name_it_was_given_is_read(tmp_path, pair, end):
    image = rc.paint(values_of(pair), pair, dtype="float32")
    rc.save(image, tmp_path / f"map{end}")
    with pytest.raises(InputMissingError, match=r"there are .*map\.L\..* and .*map\.R\.") as caught:
        rc.extract(tmp_path / f"map{end}", pair)
    pattern = tmp_path / f"map.?{end}"
    assert f"Pass {pattern} for both" in str(caught.value)
    assert rc.extract(pattern, pair).values[0].tolist() == values_of(pair).tolist()
    (tmp_path / f"map.L{end}").unlink()
    with pytest.raises(InputMissingError, match="Check the name"):
        rc.extract(tmp_path / f"map{end}", pair)


@pytest.mark.parametrize("missing", ["lh", "rh"])
def test_the_file_of_a_pair_that_is_missing_is_named_alone(tmp_path, pair, missing):
    left, right = rc.save(rc.paint(values_of(pair), pair, dtype="f4"), tmp_path / "?h.m.mgh")
    gone, there = (left, right) if missing == "lh" else (right, left)
    gone.unlink()
    with pytest.raises(InputMissingError, match="Check the name") as caught:
        rc.extract(f"{left},{right}", pair)
    assert str(gone) in str(caught.value)
    assert str(there) not in str(caught.value)
    side = {"lh": "left", "rh": "right"}[missing]
    with pytest.raises(SpaceError, match=f"just one {side} hemisphere is needed"):
        rc.extract(tmp_path / "?h.m.mgh", pair)


def test_a_mapping_with_something_else_than_hemispheres(pair):
    wrong = {"left": labels_gifti("L"), "foo": labels_gifti("R")}
    with pytest.raises(SpaceError, match="one left and one right; 'left', 'foo' were given"):
        rc.load_parcellation(wrong)


@pytest.mark.parametrize("name", ["x?.func.gii", "map?.npy", "?x.mgh"])
def test_no_hemisphere_is_written_where_it_would_not_be_read(tmp_path, pair, name):
    painted = rc.paint(values_of(pair), pair, dtype="float32")
    with pytest.raises(OutputError, match=r"Write \.\?\. or \?h\., or \{hemi\}"):
        rc.save(painted, tmp_path / name)
    assert not list(tmp_path.iterdir())
