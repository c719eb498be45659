"""A value reaches its region by identity: nothing shifts, nothing is silently zero."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regioncast as rc
from regioncast import identity as matching
from regioncast.atlas.region_table import RegionTable
from regioncast.errors import MatchError
from regioncast.identity import Identities, matched
from regioncast.signals import Signals, as_keys

SHAPE = (4, 3, 5)
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])

# Text that is no integer: such names are labels, and have tests of their own.
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=6).map(
    lambda text: f"r_{text}"
)
LABEL_DTYPES = [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.float32, np.float64]


def match(signals, table, by="auto", **of_space):
    return matched(signals, Identities(table, **of_space), by)


@dataclass(frozen=True)
class Atlas:
    """A small labels image with the rows of its region table, in no particular order."""

    image: nib.Nifti1Image
    labels: list[int]
    names: list[str]
    codes: list[str]

    @property
    def frame(self):
        return pd.DataFrame({"index": self.labels, "name": self.names, "code": self.codes})

    @property
    def parcellation(self):
        return rc.load_parcellation(self.image, self.frame)

    def painted_by_hand(self, value_of, fill=0.0):
        """Paint a mapping of labels to numbers, one region after the other."""
        labels = np.asarray(self.image.dataobj)
        out = np.full(labels.shape, fill)
        for label, value in value_of.items():
            out[labels == label] = value
        return out


def image_of(labels, dtype=np.int16, seed=0):
    """Return an image that holds 0 and each label, in random places."""
    rng = np.random.default_rng(seed)
    voxels = rng.choice([0, *labels], np.prod(SHAPE))
    voxels[: len(labels)] = labels
    data = rng.permutation(voxels).astype(dtype).reshape(SHAPE)
    return nib.Nifti1Image(data, AFFINE, dtype=data.dtype)


@st.composite
def atlases(draw, min_regions=1):
    dtype = draw(st.sampled_from(LABEL_DTYPES))
    low, high = (0, 255) if dtype == np.uint8 else (-3000, 30000)
    nonzero = st.integers(max(low, -3000) if dtype != np.uint16 else 0, high).filter(bool)
    labels = draw(st.lists(nonzero, min_size=min_regions, max_size=7, unique=True))
    names = draw(st.lists(NAMES, min_size=len(labels), max_size=len(labels), unique=True))
    codes = draw(st.permutations([f"c{n}" for n in range(len(labels))]))
    return Atlas(image_of(labels, dtype, draw(st.integers(0, 99))), labels, names, codes)


def small_atlas():
    """V1, V2, V3 and MT under sparse labels that do not follow the names."""
    labels, names = [300, 7, 20, 9000], ["V1", "V2", "V3", "MT"]
    return Atlas(image_of(labels), labels, names, ["a", "b", "c", "d"])


def number_of(label):
    """Return a value that tells regions apart and is never the fill value."""
    return label * 0.37 + 100_000


def values_of(atlas, keys):
    return {key: number_of(label) for key, label in zip(keys, atlas.labels, strict=True)}


def array(image):
    return np.asarray(image.dataobj)


# --- laws ------------------------------------------------------------------------------------


@given(atlas=atlases(), data=st.data())
@pytest.mark.parametrize("kind", ["name", "label", "code", "text label", "float label"])
def test_the_order_of_keyed_values_is_of_no_account(kind, atlas, data):
    keys = {
        "name": atlas.names,
        "label": atlas.labels,
        "code": atlas.codes,
        "text label": [str(label) for label in atlas.labels],
        "float label": [float(label) for label in atlas.labels],
    }[kind]
    values = values_of(atlas, keys)
    order = data.draw(st.permutations(keys))
    image = rc.paint({key: values[key] for key in order}, atlas.parcellation)
    expected = atlas.painted_by_hand({label: number_of(label) for label in atlas.labels})
    np.testing.assert_array_equal(array(image), expected)
    assert image.match.by == (kind if kind in ("name", "code") else "label")


@given(atlas=atlases(), data=st.data())
def test_renumbering_labels_changes_nothing(atlas, data):
    new = data.draw(
        st.lists(
            st.integers(1, 2**40), min_size=len(atlas.labels), max_size=len(atlas.labels),
            unique=True,
        )
    )  # fmt: skip
    old = np.asarray(atlas.image.dataobj)
    renumbered = np.zeros(old.shape, np.int64)
    for label, other in zip(atlas.labels, new, strict=True):
        renumbered[old == label] = other
    image = nib.Nifti1Image(renumbered, AFFINE, dtype=np.int64)
    values = values_of(atlas, atlas.names)
    frame = pd.DataFrame({"index": new, "name": atlas.names})
    np.testing.assert_array_equal(
        array(rc.paint(values, rc.load_parcellation(image, frame))),
        array(rc.paint(values, atlas.parcellation)),
    )


@given(atlases())
def test_values_without_keys_follow_ascending_labels(atlas):
    ascending = sorted(atlas.labels)
    image = rc.paint([number_of(label) for label in ascending], atlas.parcellation)
    expected = atlas.painted_by_hand({label: number_of(label) for label in ascending})
    np.testing.assert_array_equal(array(image), expected)
    assert image.match.by == "position"


@given(
    atlas=atlases(min_regions=2),
    data=st.data(),
    extras=st.lists(st.integers(0, 99), unique=True, max_size=3),
    fill=st.sampled_from([0.0, -1.5, np.nan]),
)
@pytest.mark.parametrize("by", ["name", "label"])
def test_nothing_shifts_and_nothing_is_silently_zero(by, atlas, data, extras, fill):
    identities = atlas.names if by == "name" else atlas.labels
    given_ = data.draw(st.lists(st.sampled_from(identities), unique=True, min_size=1))
    strangers = [f"no region {n}" if by == "name" else 40_000 + n for n in extras]
    keys = data.draw(st.permutations([*given_, *strangers]))
    values = {key: number_of(position) for position, key in enumerate(keys)}
    label_of = dict(zip(identities, atlas.labels, strict=True))

    image = rc.paint(values, atlas.parcellation, missing="fill", extra="ignore", fill=fill)
    painted = {label_of[key]: values[key] for key in given_}
    np.testing.assert_array_equal(array(image), atlas.painted_by_hand(painted, fill))

    left_out = sorted(set(identities) - set(given_), key=label_of.__getitem__)
    assert image.match.missing == left_out
    assert image.match.unused == [key for key in keys if key in strangers]
    assert image.match.n_matched == len(given_)
    for option, refuses in [("missing", bool(left_out)), ("extra", bool(strangers))]:
        lenient = {"missing": "fill", "extra": "ignore", option: "raise"}
        if refuses:
            with pytest.raises(MatchError, match=f"pass {option}="):
                rc.paint(values, atlas.parcellation, **lenient)
        else:
            rc.paint(values, atlas.parcellation, **lenient)


@given(atlases(min_regions=3), st.integers(-2, 2).filter(bool))
def test_a_wrong_count_of_values_without_keys_never_paints(atlas, excess):
    values = np.ones(len(atlas.labels) + excess)
    with pytest.raises(MatchError, match=f"have {len(values)} value"):
        rc.paint(values, atlas.parcellation)


@given(atlas=atlases(), data=st.data())
def test_taken_signals_follow_the_region_table(atlas, data):
    order = data.draw(st.permutations(atlas.names))
    values = values_of(atlas, atlas.names)
    name_of = dict(zip(atlas.labels, atlas.names, strict=True))
    taken = rc.match({name: values[name] for name in order}, atlas.parcellation).take()
    assert list(taken.labels) == sorted(atlas.labels)
    assert list(taken.keys) == [name_of[label] for label in taken.labels]
    np.testing.assert_array_equal(taken.values[0], [number_of(n) for n in taken.labels])
    assert taken.single


@given(atlas=atlases(), data=st.data())
def test_the_report_as_values_survives_json(atlas, data):
    keys = data.draw(st.lists(st.sampled_from([*atlas.names, "none 1", "none 2"]), unique=True,
                              min_size=1))  # fmt: skip
    report = rc.match(dict.fromkeys(keys, 1.0), atlas.parcellation).to_dict()
    assert json.loads(json.dumps(report)) == report
    known = [key for key in keys if key in atlas.names]
    assert report["n_regions"] == len(atlas.names)
    assert report["n_columns"] == len(keys)
    assert report["n_maps"] == 1
    assert report["n_matched"] == len(known)
    assert len(report["missing"]) == len(atlas.names) - len(known)
    assert len(report["unused"]) == len(keys) - len(known)
    assert report["matched_by"] == ("name" if known else None)
    assert report["problem"] is None


# --- what identifies a region ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("name", ["V1", "V2", "V3", "MT"]),
        ("label", [300, 7, 20, 9000]),
        ("label", ["300", "7", "20", "9000"]),
        ("code", ["a", "b", "c", "d"]),
    ],
)
def test_by_says_what_keys_are_and_is_found_alone(by, keys):
    atlas = small_atlas()
    values = values_of(atlas, keys)
    for option in (by, "auto"):
        found = rc.match(values, rc.load_parcellation(atlas.image, atlas.frame), by=option)
        assert found.by == by
        assert found.n_matched == 4
        assert not found.problem


def test_keys_that_are_labels_may_be_numpy_integers():
    assert as_keys(["V1", np.uint8(7), 20.0, np.int64(-3)]) == ["V1", 7, 20, -3]
    assert [type(key) for key in as_keys([np.str_("V1"), np.uint8(7)])] == [str, int]


# --- what does not match ---------------------------------------------------------------------


def test_a_failed_match_shows_both_sides():
    atlas = small_atlas()
    values = {"V1": 1.0, "v2": 2.0, "V3": 3.0, "Cerebellum": 4.0}
    with pytest.raises(MatchError) as caught:
        rc.paint(values, atlas.parcellation)
    assert str(caught.value).splitlines()[:-1] == [
        "Values do not match the regions: 2 regions without a value; 2 keys that no region has.",
        "matched  2 of 4 regions by name, 1 map",
        "missing  2: 'V2', 'MT'",
        "unused   2: 'v2', 'Cerebellum'",
        "         did you mean 'V2' for 'v2'?",
    ]
    advice = str(caught.value).splitlines()[-1]
    for option in ("missing='fill'", "--missing fill", "extra='ignore'", "--extra ignore"):
        assert option in advice


def test_the_error_of_paint_shows_the_report_of_match():
    atlas = small_atlas()
    for values in ({"V1": 1.0, "X": 2.0}, {"X": 2.0}, np.ones(3), {"V1": 1, 7: 2}):
        report = str(rc.match(values, atlas.parcellation))
        with pytest.raises(MatchError) as caught:
            rc.paint(values, atlas.parcellation)
        assert report in str(caught.value)


@pytest.mark.parametrize("n_strangers", [5, 6, 40])
def test_up_to_five_examples_of_each_side_are_shown(n_strangers):
    names = [f"region_{n:02}" for n in range(12)]
    image = image_of(range(1, 13))
    values = {names[0]: 1.0} | {f"Q{n:02}": 2.0 for n in range(n_strangers)}
    with pytest.raises(MatchError) as caught:
        rc.paint(values, rc.load_parcellation(image, names))
    lines = str(caught.value).splitlines()
    assert lines[2] == (
        "missing  11: 'region_01', 'region_02', 'region_03', 'region_04', 'region_05' and 6 more"
    )
    assert len(re.findall(r"'Q\d\d'", lines[3])) == 5
    more = n_strangers - 5
    assert lines[3].endswith(f" and {more} more" if more else "'Q04'")


@pytest.mark.parametrize("extra", ["raise", "ignore"])
@pytest.mark.parametrize("missing", ["raise", "fill"])
def test_nothing_in_common_raises_whatever_is_allowed_and_shows_both_sides(missing, extra):
    atlas = small_atlas().parcellation
    found = rc.match({"left": 1.0, "right": 2.0}, atlas)
    assert not found.problem
    with pytest.raises(MatchError) as caught:
        rc.paint({"left": 1.0, "right": 2.0}, atlas, missing=missing, extra=extra)
    message = str(caught.value)
    assert str(found) in message
    assert "matched  0 of 4 regions by name, 1 map" in message
    assert "missing  4: 'V2', 'V3', 'V1', 'MT'" in message
    assert "unused   2: 'left', 'right'" in message
    by_label = rc.match({1: 1.0, 2: 2.0}, atlas)
    assert "missing  4: 7, 20, 300, 9000" in str(by_label)
    with pytest.raises(MatchError, match="unused   2: 1, 2"):
        by_label.check(missing, extra)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("v1_l", "V1_L"),
        ("Hippocampsu", "Hippocampus"),
        ("ctx.lh.Insula", "ctx-lh-insula"),
    ],
)
def test_near_misses_are_named(key, name):
    frame = pd.DataFrame({"index": [7, 20], "name": [name, "Other"]})
    values = {key: 1.0, "Other": 2.0}
    found = rc.match(values, rc.load_parcellation(image_of([7, 20]), frame))
    assert found.near_misses == {key: name}
    with pytest.raises(MatchError, match=re.escape(f"did you mean {name!r} for {key!r}?")):
        rc.paint(values, rc.load_parcellation(image_of([7, 20]), frame))


@pytest.mark.parametrize(
    ("key", "name"), [("V1-L", "V1_L"), ("V1 L", "V1_L"), ("ctx.lh.insula", "ctx-lh-insula")]
)
def test_a_hemisphere_in_another_spelling_is_no_near_miss(key, name):
    frame = pd.DataFrame({"index": [7, 20], "name": [name, "Other"]})
    found = rc.match({key: 1.0, "Other": 2.0}, rc.load_parcellation(image_of([7, 20]), frame))
    assert found.columns.tolist() == [0, 1]


def test_every_name_misspelt_still_shows_near_misses():
    with pytest.raises(MatchError, match="did you mean 'V1' for 'v1'"):
        rc.paint({"v1": 1.0, "v2": 2.0}, small_atlas().parcellation)


def test_a_region_without_samples_lacks_what_its_space_is_made_of():
    found = match(
        Signals([1.0], [3]), RegionTable([3, 4]), has_samples=np.array([True, False]), noun="vertex"
    )
    assert "absent   1 region without a vertex" in str(found)


def test_near_misses_of_many_keys_and_regions_cost_little(monkeypatch):
    compared = []

    def close_matches(word, names, **kwargs):
        compared.append(len(word) * sum(map(len, names)))
        return []

    monkeypatch.setattr(difflib, "get_close_matches", close_matches)
    for n_regions in (3, 4_000, 30_000):
        compared.clear()
        table = RegionTable(range(n_regions), [f"area {n}" for n in range(n_regions)])
        found = match(Signals(np.ones(5_000), [f"key {n}" for n in range(5_000)]), table)
        assert found.near_misses == {}
        assert len(compared) <= 20
        assert sum(compared) <= 3_000_000  # letters with letters: some tenths of a second


def test_what_identifies_regions_is_found_once_however_many_are_missing(monkeypatch):
    table = RegionTable([*range(1, 401)] * 2, ["V1"] * 800, None, ["L"] * 400 + ["R"] * 400)
    found = match(Signals([1.0], ["lh:7"]), table, by="label")
    asked, real = [], matching.Identities._index
    monkeypatch.setattr(
        matching.Identities, "_index", lambda self, by: asked.append(by) or real(self, by)
    )
    assert str(found).startswith("matched  1 of 800 regions")
    assert len(found.missing) == 799
    assert len(asked) == len(set(asked))
    assert table.unique_names is table.unique_names


def test_a_region_that_has_its_value_is_no_near_miss():
    found = rc.match({"V1": 1.0, "v1": 2.0}, rc.load_parcellation(image_of([7]), {7: "V1"}))
    assert found.unused == ["v1"]
    assert found.near_misses == {}


def test_a_region_is_the_near_miss_of_one_key():
    image = nib.Nifti1Image(np.array([[[0, 1, 2]]], np.int16), np.eye(4))
    atlas = rc.load_parcellation(image, {1: "Frontal", 2: "Insula"})
    found = rc.match({"Frontall": 1.0, "Fronta": 2.0, "frontal": 3.0}, atlas)
    assert found.near_misses == {"frontal": "Frontal"}


def test_a_region_without_a_row_is_called_by_its_label_and_mixes_nothing():
    with pytest.warns(rc.RegioncastWarning):
        atlas = rc.load_parcellation(image_of([1, 2, 7]), {1: "V1", 2: "V2"})
    numbers = {"1": 1.0, "2": 2.0, "7": 7.0}
    frame = pd.DataFrame({key: [value] for key, value in numbers.items()})
    for values in (numbers, frame, {"V1": 1.0, "V2": 2.0, 7: 7.0}, {1: 1.0, 2: 2.0, 7: 7.0}):
        painted = rc.paint(values, atlas)
        assert painted.match.take().values.tolist() == [[1, 2, 7]]
    beside = rc.paint({**numbers, "total": 10.0}, atlas, extra="ignore")
    assert beside.match.take().values.tolist() == [[1, 2, 7]]
    # Where a region is called by the label of another, nobody guesses.
    swapped = rc.load_parcellation(image_of([1, 2]), {1: "2", 2: "1"})
    with pytest.raises(MatchError, match="keys are names and labels, of different regions"):
        rc.paint({"1": 1.0, "2": 2.0}, swapped)
    painted = rc.paint({"1": 1.0, "2": 2.0}, swapped, by="name")
    assert painted.match.take().values.tolist() == [[2, 1]]


# --- names that regions share ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "by", "said"),
    [
        ({"V1": 1.0, "V2": 2.0}, "label", r"the label of a region, but 2 of them are the name\. "),
        ({7: 1.0, 2: 2.0}, "name", r"the name of a region, but 1 of them is the label\. Pass by="),
        ({"7": 1.0}, "name", r"the name of a region, but 1 of them is the label\. Pass by='label'"),
        ({"x": 1.0}, "label", "no key is the name or label of a region"),
    ],
)
def test_keys_that_are_known_but_not_by_what_was_asked_for(values, by, said):
    with pytest.raises(MatchError, match=said):
        rc.paint(values, small_atlas().parcellation, by=by)


def test_a_shared_name_that_no_key_uses_is_no_problem():
    frame = pd.DataFrame({"index": [1, 2, 3], "name": ["x", "x", "V1"]})
    found = rc.match({"V1": 5.0}, rc.load_parcellation(image_of([1, 2, 3]), frame))
    assert not found.problem
    assert found.take().labels == (3,)
    assert found.missing == ["x", "x"]


# --- regions without voxels ------------------------------------------------------------------


def test_a_region_without_voxels_misses_nothing():
    image = image_of([7, 20])
    with pytest.warns(rc.RegioncastWarning, match="1 row of the region table without a voxel"):
        atlas = rc.load_parcellation(image, {7: "V1", 20: "V2", 30: "absent"})
    found = rc.match({"V1": 1.0, "V2": 2.0}, atlas)
    assert found.missing == []
    assert "absent   1 region without a voxel" in str(found)
    labels = np.asarray(image.dataobj)
    painted = array(rc.paint({"V2": 2.0, "V1": 1.0}, atlas))
    np.testing.assert_array_equal(painted, np.where(labels == 7, 1.0, np.where(labels, 2.0, 0)))
    # Its value may be there, goes nowhere and is not left over.
    assert rc.match({"V1": 1.0, "V2": 2.0, "absent": 3.0}, atlas).unused == []


# --- the report ------------------------------------------------------------------------------


def test_a_full_match_is_one_line():
    atlas = small_atlas()
    found = rc.match(values_of(atlas, atlas.names), atlas.parcellation)
    assert str(found) == repr(found) == "matched  4 of 4 regions by name, 1 map"


def test_the_report_counts_maps():
    found = match(Signals(np.ones((3, 2)), keys=["V1", "V2"]), RegionTable([1, 2], ["V1", "V2"]))
    assert str(found) == "matched  2 of 2 regions by name, 3 maps"
    assert not found.take().single


def test_matching_leaves_names_of_maps_and_time_alone():
    signals = Signals(np.ones((2, 1)), keys=["V1"], map_names=["t", "p"], t_r=1.5)
    taken = rc.match(signals, rc.load_parcellation(image_of([7]), {7: "V1"})).take()
    assert (taken.map_names, taken.t_r) == (("t", "p"), 1.5)


@pytest.mark.parametrize("option", ["missing", "extra"])
def test_options_that_do_not_exist_are_named(option):
    with pytest.raises(ValueError, match=f"{option}.*'nonsense'"):
        rc.paint({"V1": 1.0}, small_atlas().parcellation, **{option: "nonsense"})


# --- hints -----------------------------------------------------------------------------------

ODD = small_atlas()
SHARED = pd.DataFrame({"index": ODD.labels, "name": ["x", "x", "V1", "MT"]})
PROBLEMS = {
    "duplicate keys": (pd.Series(1.0, ["V1", "V2", "V1"]), {}),
    "names and labels": ({"V1": 1.0, 7: 2.0}, {}),
    "names and labels as text": ({"V1": 1.0, "7": 2.0}, {}),
    "no such column": ({"V1": 1.0, "V2": 2.0}, {"by": "nmae"}),
    "no keys": ([1.0, 2, 3, 4], {"by": "name"}),
    "too many": (np.ones(5), {}),
    "transposed": (np.ones((4, 7)), {}),
    "a shared name": ({"x": 1.0, "V1": 2.0}, {}),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_what_cannot_be_compared_is_neither_missing_nor_unused_nor_near(kind):
    values, options = PROBLEMS[kind]
    is_shared = kind == "a shared name"
    atlas = rc.load_parcellation(ODD.image, SHARED) if is_shared else ODD.parcellation
    found = rc.match(values, atlas, **options)
    assert found.problem
    assert (found.missing, found.unused, found.near_misses, found.n_matched) == ([], [], {}, 0)
    report = found.to_dict()
    assert (report["missing"], report["unused"], report["near_misses"]) == ([], [], {})
    assert report["problem"] == found.problem
    assert "did you mean" not in str(found)
    with pytest.raises(MatchError) as caught:
        rc.paint(values, atlas, missing="fill", extra="ignore", **options)
    assert str(caught.value) == f"Values do not match the regions.\n{found}"
    assert caught.value.match.to_dict() == report


@given(
    keys=st.lists(
        st.sampled_from(["V1", "v1", "V2", "V_2", "mt", "MT", "7", "20", "03", "é", "e\u0301"])
        | st.sampled_from([7, 20, 3]),
        min_size=1, max_size=5,
    ),
    by=st.sampled_from(["auto", "name", "label", "code", "nmae"]),
)  # fmt: skip
def test_no_hint_says_what_is_there_already(keys, by):
    atlas = small_atlas()
    found = match(Signals(np.ones(len(keys)), keys), atlas.parcellation.table, by=by)
    assert set(found.near_misses) <= set(map(str, found.unused))
    assert all(key != name for key, name in found.near_misses.items())
    assert all(name in map(str, found.missing) for name in found.near_misses.values())
    assert not (found.problem and found.near_misses)


def test_a_failed_match_says_what_there_was():
    with pytest.raises(MatchError) as caught:
        rc.paint({"V1": 1.0, "v2": 2.0}, small_atlas().parcellation)
    assert caught.value.match.unused == ["v2"]
    assert caught.value.match.missing == ["V2", "V3", "MT"]


def test_a_key_of_several_regions_without_voxels_is_named_once():
    table = RegionTable([3, 7, 20], ["V1", "V1", "V2"])
    identities = Identities(table, np.array([False, False, True]))
    assert matched(Signals([0.5, 1.5], ["V1", "V2"]), identities).unreached == ["V1"]
