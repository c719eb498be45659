"""Regions are chosen, dropped, grouped and merged as a loop over all samples would, anywhere."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import brain_models, labels_gifti
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast.atlas.parcellation import Parcellation
from regioncast.atlas.region_table import RegionTable
from regioncast.atlas.spaces import Grayordinates, SurfaceVertices, VolumeGrid
from regioncast.errors import (
    ArgumentError,
    ArgumentTypeError,
    LabelsError,
    LabelsWarning,
    MatchError,
    RegionTableError,
    RegionTableWarning,
    SpaceError,
)

GRID = VolumeGrid.of(image_of(np.zeros((5, 3, 4), np.int16), OBLIQUE))
SPACES = {
    "volume": GRID,
    "one surface": SurfaceVertices({"L": 61}),
    "grayordinates": Grayordinates(brain_models()),
}
PAIR = SurfaceVertices({"L": 37, "R": 29})
LABELS = st.integers(-(2**40), 2**40).filter(bool)
CELLS = st.sampled_from(["Vis", "Default", "n/a", None, "", "01"])


@st.composite
def atlases(draw, kind=None):
    """A parcellation of any space: labels with gaps, regions without samples, columns with gaps."""
    kind = draw(st.sampled_from([*SPACES, "pair"])) if kind is None else kind
    if kind == "pair":
        parts = {
            side: draw(_atlases_of(SurfaceVertices({side: n}))) for side, n in PAIR.counts.items()
        }
        return Parcellation.joined(parts)
    return draw(_atlases_of(SPACES[kind]))


@st.composite
def _atlases_of(draw, space):
    labels = draw(st.lists(LABELS, min_size=1, max_size=8, unique=True))
    columns = {
        "network": draw(st.lists(CELLS, min_size=len(labels), max_size=len(labels))),
        "lobe": draw(st.lists(st.integers(-1, 3), min_size=len(labels), max_size=len(labels))),
    }
    table = RegionTable(labels, [f"area{label}" for label in labels], columns)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    codes = rng.integers(0, len(table) + 1, space.shape).astype(np.uint8)
    codes.reshape(-1)[0] = 1
    return Parcellation(np.asarray(codes, order=draw(st.sampled_from("CF"))), table, space)


def samples(atlas, cells=None):
    """What each sample has: the cell of its region, or hemisphere and label; None for no region."""
    cells = atlas.table.ids if cells is None else cells
    return [None if code == 0 else cells[code - 1] for code in atlas.codes.reshape(-1).tolist()]


def rows(table):
    """Each region with all that is known of it, by hemisphere and label."""
    return dict(zip(table.ids, table.to_records(), strict=True))


def assert_same(got, expected, *, but=()):
    """Two parcellations are the same to the last sample and cell, but for some columns."""
    assert samples(got) == samples(expected)
    assert got.table.ids == expected.table.ids
    assert got.space is expected.space
    records = [
        [{t: c for t, c in record.items() if t not in but} for record in atlas.table.to_records()]
        for atlas in (got, expected)
    ]
    assert records[0] == records[1]


# --- select and drop -------------------------------------------------------------------------


@given(atlases(), st.data())
def test_chosen_regions_keep_their_samples_and_rows_and_others_become_none(atlas, data):
    n_regions = len(atlas)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n_regions, max_size=n_regions)))
    chosen = {key for key, is_in in zip(atlas.table.ids, mask, strict=True) if is_in}
    for take, kept in ((atlas.select, chosen), (atlas.drop, set(atlas.table.ids) - chosen)):
        expected = [key if key in kept else None for key in samples(atlas)]
        if not any(expected):
            with pytest.raises(LabelsError, match="No region is left"):
                take(mask)
            continue
        got = take(mask)
        assert samples(got) == expected
        assert rows(got.table) == {k: row for k, row in rows(atlas.table).items() if k in kept}
        assert got.space is atlas.space
        assert got.codes.dtype == np.uint8


@given(atlases(), st.data())
def test_all_that_chooses_regions_chooses_the_same(atlas, data):
    n_regions, keys = len(atlas), atlas.table.unique_keys
    chosen = data.draw(st.lists(st.sampled_from(range(n_regions)), min_size=1, unique=True))
    mask = np.isin(np.arange(n_regions), chosen)
    if not atlas.counts[mask].any():
        return
    expected = atlas.select(mask)
    labels = [atlas.table.labels[row] for row in chosen]
    ways = [
        mask.tolist(),
        tuple(mask.tolist()),
        pd.Series(mask),
        [keys[row] for row in chosen],
        {keys[row] for row in chosen},
        pd.Series([keys[row] for row in chosen], index=chosen),
        lambda region: (
            region["name"] in {atlas.table.names[row] for row in chosen}
            and (region.get("hemisphere"), region["label"])
            in {
                (atlas.table.to_records()[row].get("hemisphere"), labels[n])
                for n, row in enumerate(chosen)
            }
        ),
    ]
    if atlas.table.hemispheres is None:
        ways += [labels, np.array(labels), list(map(str, labels))]
        ways += [[list(atlas.table)[row] for row in chosen]]
    for way in ways:
        assert_same(atlas.select(way), expected)


@given(atlases(), st.data())
def test_what_is_selected_and_what_is_dropped_merge_to_the_whole(atlas, data):
    n_regions = len(atlas)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n_regions, max_size=n_regions)))
    if not atlas.counts[mask].any() or not atlas.counts[~mask].any():
        return
    whole = rc.merge(atlas.select(mask), atlas.drop(mask))
    assert_same(whole, atlas, but=("source", "source_index"))
    assert whole.table.columns["source_index"] == tuple(atlas.table.labels.tolist())


@pytest.fixture(scope="module")
def demo():
    return rc.load_parcellation(rc.demo_data().atlas)


@pytest.fixture
def pair():
    regions = pd.DataFrame({
        "index": [3, 7, 14474380, 3, 7, 9],
        "name": ["V1", "V2", "insula", "V1", "insula", "M1"],
        "hemisphere": list("LLLRRR"),
        "network": ["vis", "vis", "sal", "vis", "sal", "mot"],
        "short": ["a", "b", "c", "a", "c", "d"],
    })  # fmt: skip
    return rc.load_parcellation({"left": labels_gifti("L"), "right": labels_gifti("R")}, regions)


def test_one_key_is_one_region_in_any_spelling_of_its_hemisphere(pair):
    for key in ("L:V1", "lh_V1", "V1_L", "L:3"):
        assert list(pair.select(key).table) == [(3, "V1")]
        assert pair.select(key).table.hemispheres == ("L",)
    assert len(pair.select(9)) == len(pair.select("M1")) == len(pair.select("R:M1")) == 1
    # Where labels are shared no more, rows are in ascending order of label.
    assert pair.drop(["R:V1", "R:insula"]).table.ids == [
        ("L", 3), ("L", 7), ("R", 9), ("L", 14474380),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        ("V1", ArgumentError, r"'V1' stands for 2 regions: 'L:V1 \(label 3\)', 'R:V1 \(label 3\)'"),
        (3, ArgumentError, "3 stands for 2 regions"),
        ("m1", ArgumentError, "No region is called 'm1'. Did you mean 'M1' for 'm1'"),
        (["M1", 8], ArgumentError, "No region is called 8. There are 6 regions: 'L:V1'"),
        ([], LabelsError, "No region is left: of 6 regions, 0 would be kept"),
        ([3.0], ArgumentTypeError, "3.0 is float"),
        (True, ArgumentTypeError, "this is bool"),
        (None, ArgumentTypeError, "this is NoneType"),
        ({"V1": 1}, ArgumentTypeError, "this is dict"),
        ([True], ArgumentError, "The mask has 1 entry, the parcellation has 6 regions"),
        ([True, False, None, True, True, True], ArgumentTypeError, "1 of 6 entries .*: None"),
        (np.ones((6, 1), bool), ArgumentTypeError, "this is ndarray"),
        (lambda region: region["lobe"], ArgumentError, "asks for 'lobe'.* 'hemisphere', 'network'"),
        (lambda region: region["name"], ArgumentTypeError, "True or False.* it answers 'V1'"),
    ],
)  # fmt: skip
def test_what_chooses_no_region_for_sure_is_an_error(pair, key, error, words):
    for take in (pair.select, pair.drop):
        if isinstance(key, list) and not key and take == pair.drop:
            assert_same(take(key), pair)
            continue
        with pytest.raises(error, match=words):
            take(key)


def test_a_mask_in_another_order_is_refused_and_as_an_array_taken(demo):
    frame = demo.to_pandas()
    is_visual = frame["network"] == "Vis"
    assert len(demo.select(is_visual)) == 17
    by_size = frame.sort_values("voxels")["network"] == "Vis"
    by_name = frame.set_index("name")["network"] == "Vis"
    for mask in (by_size, by_name, is_visual[:100:1].set_axis(range(1, 101))):
        with pytest.raises(ArgumentError, match="may be in another order"):
            demo.select(mask)
    assert_same(demo.select(by_name.to_numpy()), demo.select(is_visual))
    assert_same(demo.select(by_size.sort_index()), demo.select(is_visual))


def test_text_that_is_the_name_of_one_region_and_the_label_of_another_is_asked():
    data = np.resize(np.array([0, 1, 2], np.int16), (3, 4, 5))
    atlas = rc.load_parcellation(image_of(data), {1: "2", 2: "1"})
    assert list(atlas.select(2).table) == [(2, "1")]
    with pytest.raises(ArgumentError, match=r"'2' stands for 2 regions: '2 \(label 1\)'"):
        atlas.select("2")


# --- groups ----------------------------------------------------------------------------------


def cell_of(cell):
    return None if cell in (None, "", "n/a") else str(cell)


@given(atlases(), st.sampled_from(["network", "lobe", "name", "hemisphere"]))
def test_a_group_has_the_samples_of_all_its_regions(atlas, column):
    columns = {"name": atlas.table.names, **atlas.table.other_columns}
    if column not in columns:
        with pytest.raises(RegionTableError, match=r"no column 'hemisphere' to group by; it has"):
            atlas.group(column)
        return
    cells = list(map(cell_of, columns[column]))
    expected = samples(atlas, cells)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if not any(expected):
            with pytest.raises((RegionTableError, LabelsError)):
                atlas.group(column)
            return
        groups = atlas.group(column)
    assert samples(groups, groups.table.names) == expected
    assert len(caught) == (None in cells)
    if caught:
        assert f"{cells.count(None)} region" in str(caught[0].message)
    sizes = dict(zip(groups.table.names, groups.table.columns["regions"], strict=True))
    assert sizes == {cell: cells.count(cell) for cell in cells if cell is not None}
    distinct = list(dict.fromkeys(filter(None, cells)))
    if column != "lobe":
        # The order of the lowest label of each is that of the rows.
        assert list(groups.table) == list(enumerate(distinct, 1))
    else:
        highest = max(0, *map(int, distinct))
        for label, name in groups.table:
            assert label == int(name) if int(name) >= 1 else label > highest


@given(atlases())
def test_groups_of_one_region_each_are_the_regions(atlas):
    unique = RegionTable(
        atlas.table.labels,
        atlas.table.names,
        {"id": [f"x{side}{label}" for side, label in atlas.table.ids]},
        atlas.table.hemispheres,
    )
    groups = Parcellation(atlas.codes, unique, atlas.space).group("id")
    np.testing.assert_array_equal(groups.codes, atlas.codes)
    assert groups.table.columns["regions"] == (1,) * len(atlas)


def test_columns_in_which_a_group_agrees_stay(demo, pair):
    networks = demo.group("network").table
    assert list(networks.other_columns) == ["color", "network", "regions"]
    assert networks.columns["color"][0] == "#781286"
    assert sum(networks.columns["regions"]) == 100
    assert list(demo.group("hemisphere").table.other_columns) == ["hemisphere", "regions"]
    both = pair.group("network")
    assert list(both.table) == [(1, "vis"), (2, "sal"), (3, "mot")]
    assert both.table.hemispheres is None
    assert both.counts.tolist() == [180 + 126 + 180, 3 + 126, 3]


def test_a_column_called_as_the_count_of_regions_names_its_groups_all_the_same():
    data = np.resize(np.array([0, 3, 5, 8], np.int16), (3, 4, 5))
    regions = pd.DataFrame({"index": [3, 5, 8], "name": list("abc"), "regions": [2, 2, 1]})
    atlas = rc.load_parcellation(image_of(data), regions)
    assert list(atlas.group("regions").table) == [(1, "1"), (2, "2")]
    painted = rc.extract(rc.paint({1: 10.0, 2: 20.0}, atlas, by="regions"), atlas)
    assert painted.values[0].tolist() == [20, 20, 10]


def test_whole_floats_and_gaps_are_labels_and_no_group():
    data = np.resize(np.array([0, 3, 5, 8, 9], np.int16), (3, 4, 5))
    frame = pd.DataFrame({"index": [3, 5, 8, 9], "name": list("abcd"), "yeo": [7, np.nan, 2, 7]})
    atlas = rc.load_parcellation(image_of(data), frame)
    with pytest.warns(RegionTableWarning, match=r"1 region of 4 is of no group of 'yeo'.*'b'"):
        groups = atlas.group("yeo")
    assert list(groups.table) == [(2, "2"), (7, "7")]
    assert groups.table.columns["yeo"] == (2, 7)


# --- a value per group -----------------------------------------------------------------------


@given(atlases(), st.sampled_from(["network", "lobe"]))
def test_a_value_per_group_is_painted_into_all_its_regions_and_extracted(atlas, column):
    cells = list(map(cell_of, atlas.table.columns[column]))
    if not any(samples(atlas, cells)):
        return
    values = {cell: 1.5 + n for n, cell in enumerate(sorted(set(filter(None, cells))))}
    expected = [values.get(cell, 0) for cell in samples(atlas, cells)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegionTableWarning)
        groups = atlas.group(column)
        absent = {n for n, k in zip(groups.table.names, groups.counts, strict=True) if not k}
        values = {cell: value for cell, value in values.items() if cell not in absent}
        image = rc.paint(values, groups)
        assert np.asarray(image.dataobj).reshape(-1).tolist() == expected
        present = [c for c, n in zip(cells, atlas.counts, strict=True) if n and c is not None]
        # A column that tells regions apart does so with those that have no cell.
        image = rc.paint(values, atlas, by=column, missing="fill")
        assert np.asarray(image.dataobj).reshape(-1).tolist() == expected
        signals = rc.extract(image, atlas, by=column)
        assert signals.keys == groups.table.unique_keys
        assert dict(zip(signals.keys, signals.values[0], strict=True)) | dict.fromkeys(
            absent
        ) == values | dict.fromkeys(absent)
        for again in (
            rc.paint(signals, atlas, by=column, missing="fill"),
            rc.paint(signals, groups),
        ):
            assert np.asarray(again.dataobj).reshape(-1).tolist() == expected
    assert present


def painted(values, atlas, by):
    return np.asarray(rc.paint(values, atlas, by=by).dataobj)


def test_values_of_groups_come_through_every_door(demo, tmp_path):
    names = demo.group("network").table.names
    values = dict(zip(names, np.arange(1.0, 8.0), strict=True))
    expected = painted(values, demo, "network")
    frame = pd.DataFrame({"network": names, "z": values.values()})
    frame.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    doors = [
        pd.Series(values), frame, frame.set_index("network"),
        frame.rename(columns={"network": "x"}),
        pd.DataFrame([values]).iloc[:, ::-1], tmp_path / "x.tsv",
        dict(zip(range(1, 8), values.values(), strict=True)),  # the labels of the groups
    ]  # fmt: skip
    for door in doors:
        np.testing.assert_array_equal(painted(door, demo, "network").squeeze(), expected)
    report = rc.match({"Vis": 1.0, "sommot": 2.0}, demo, by="network")
    assert str(report).startswith("matched  1 of 7 regions by network, 1 map\nmissing  6: 'SomMot'")
    assert "did you mean 'SomMot' for 'sommot'" in str(report)
    assert rc.load_signals(frame, demo, by="network").keys == names
    with pytest.raises(MatchError, match="by='network' needs keys"):
        rc.paint(np.arange(7.0), demo, by="network")
    # What was not asked for is not done.
    with pytest.raises(MatchError, match="no key is the name or label"):
        rc.paint(values, demo)


def test_parcels_of_groups_are_written_and_read(tmp_path):
    table = RegionTable([3, 5, 9], ["a", "b", "c"], {"network": ["Vis", "Mot", "Vis"]})
    space = SPACES["grayordinates"]
    atlas = Parcellation(np.resize(np.arange(4, dtype=np.uint8), space.shape), table, space)
    image = rc.paint({"Vis": 1.5, "Mot": 2.5}, atlas, by="network")
    signals = rc.extract(image, atlas, by="network")
    for thing, name in ((image, "x.pscalar.nii"), (signals, "y.pscalar.nii")):
        path = rc.save(thing, tmp_path / name)
        assert rc.load_parcellation(path).table.names == ("Vis", "Mot")
        again = rc.paint(path, atlas, by="network")
        np.testing.assert_array_equal(np.asarray(again.dataobj), np.asarray(image.dataobj))


def test_a_group_is_reduced_as_one_region(demo):
    data = np.random.default_rng(3).standard_normal(demo.space.shape)
    signals = rc.extract(image_of(data, demo.space.affine), demo, by="network", strategy="median")
    for row, name in enumerate(demo.group("network").table.names):
        inside = np.isin(
            demo.codes, 1 + np.flatnonzero(np.array(demo.table.columns["network"]) == name)
        )
        assert signals.values[0, row] == pytest.approx(np.median(data[inside]), rel=1e-12)


def test_groups_are_of_both_hemispheres_unless_keys_say_one(pair):
    both = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    image = rc.paint(both, pair, by="short")
    assert rc.extract(image, pair).values[0].tolist() == [1, 2, 3, 1, 3, 4]
    sided = {"L:a": 1.0, "b": 2.0, "L:c": 3.0, "rh_a": 5.0, "R:c": 6.0, "d": 4.0}
    image = rc.paint(sided, pair, by="short")
    assert rc.extract(image, pair).values[0].tolist() == [1, 2, 3, 5, 6, 4]
    halves = rc.paint({"L": 1.0, "R": 2.0}, pair, by="hemisphere")
    assert rc.extract(halves, pair).values[0].tolist() == [1, 1, 1, 2, 2, 2]


# --- merge -----------------------------------------------------------------------------------


@given(st.data(), st.sampled_from([*SPACES, "pair"]), st.sampled_from(["first", "last"]))
def test_several_atlases_are_one_as_a_loop_over_samples_makes_it(data, kind, overlap):
    parts = data.draw(st.lists(atlases(kind), min_size=2, max_size=3))
    named = {f"atlas of {n}": part for n, part in enumerate(parts)}
    expected, n_shared = [], 0
    for each in zip(*map(samples, parts), strict=True):
        there = [(n, key) for n, key in enumerate(each) if key is not None]
        n_shared += max(0, len(there) - 1)
        expected.append(there[0 if overlap == "first" else -1] if there else None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        whole = rc.merge(named, overlap=overlap)
    columns = whole.table.columns
    sources = [list(named).index(source) for source in columns["source"]]
    sides = whole.table.hemispheres or [""] * len(whole)
    origins = list(zip(sources, zip(sides, columns["source_index"], strict=True), strict=True))
    assert samples(whole, origins) == expected
    assert sorted(origins) == sorted(
        (n, key) for n, part in enumerate(parts) for key in part.table.ids
    )
    # The first keeps its labels, and others those that no earlier one has.
    taken = set()
    for n, part in enumerate(parts):
        for key, record in rows(part.table).items():
            row = origins.index((n, key))
            new = whole.table.to_records()[row]
            assert new["label"] == key[1] or key in taken
            assert {title: new[title] for title in record if title != "label"} == {
                title: cell for title, cell in record.items() if title != "label"
            }
            taken.add(whole.table.ids[row])
    assert len(caught) == bool(n_shared)
    if n_shared:
        assert caught[0].category is LabelsWarning
        assert f"overlap in {n_shared:,} " in str(caught[0].message)
        with pytest.raises(LabelsError, match=re.escape("Pass overlap='first'")):
            rc.merge(named)
    else:
        assert_same(rc.merge(named), whole)


def test_what_overlaps_and_what_vanishes_is_named():
    cortex, deep = np.zeros((2, 5, 4, 3), np.int16)
    cortex[0], cortex[1], deep[1:3], deep[0, :2] = 1, 2, 1, 8
    first = rc.load_parcellation(image_of(cortex), {1: "V1", 2: "V2"})
    second = rc.load_parcellation(image_of(deep), {1: "Putamen", 8: "V1"})
    with pytest.raises(LabelsError) as caught:
        rc.merge({"cortex": first, "deep": second})
    assert str(caught.value).startswith(
        "The atlases overlap in 18 voxels, 2 pairs of regions: 'V2' of cortex and 'Putamen' "
        "of deep share 12 voxels; 'V1' of cortex and 'V1' of deep share 6 voxels. Pass overlap="
    )
    with pytest.warns(LabelsWarning, match="The last has what they share. Nothing is left of 1 "):
        whole = rc.merge(first, second, overlap="last")
    assert whole.counts.tolist() == [6, 0, 6, 24]
    assert list(whole.table) == [(1, "V1"), (2, "V2"), (8, "V1"), (9, "Putamen")]
    assert whole.table.columns["source"] == ("atlas 1", "atlas 1", "atlas 2", "atlas 2")
    # Names stand twice, so labels tell regions apart.
    assert whole.table.unique_keys == (1, 2, 8, 9)


def test_a_merged_atlas_merges_again_and_files_are_called_by_their_names(tmp_path):
    for n, name in enumerate(["one", "two", "three"]):
        data = np.zeros((5, 4, 3), np.int16)
        data[n] = 4
        image_of(data).to_filename(tmp_path / f"{name}.nii.gz")
    files = [tmp_path / f"{name}.nii.gz" for name in ("one", "two", "three")]
    whole = rc.merge(rc.merge(*files[:2]), files[2])
    assert whole.table.columns["source_in_table"] == ("one", "two", None)
    assert whole.table.columns["source"] == ("atlas 1", "atlas 1", "atlas 2")
    assert whole.table.columns["source_index"] == (4, 5, 4)
    # Regions without a name are called by their labels, which are others now.
    assert list(whole.table) == [(4, "4"), (5, "5"), (6, "6")]
    assert rc.merge(*files).table.columns["source"] == ("one", "two", "three")


def test_atlases_of_other_spaces_are_not_merged(pair):
    volume = rc.load_parcellation(image_of(small_labels()))
    left, right = (
        rc.load_parcellation(left=labels_gifti("L")),
        rc.load_parcellation(right=labels_gifti("R")),
    )
    surfaces = Grayordinates(brain_models(voxels=False))
    codes = np.ones(surfaces.shape, np.uint8)
    dense = Parcellation(codes, RegionTable([1]), surfaces)
    for parts, words in [
        ((volume, pair), "Atlas 1 is made of voxels, atlas 2 of vertices.*dlabel.nii"),
        ((left, right), "different hemispheres.*load_parcellation\\(left="),
        ((left, pair), "not of the same hemispheres|different hemispheres"),
        ((volume, rc.load_parcellation(image_of(small_labels()[1:]))), "incompatible shapes"),
        ((dense, volume), "grayordinates"),
    ]:  # fmt: skip
        with pytest.raises(SpaceError, match=words):
            rc.merge(*parts)
    with pytest.warns(LabelsWarning):
        assert len(rc.merge(dense, dense, overlap="first")) == 2


def test_merging_takes_two_and_a_known_way(demo):
    with pytest.raises(ArgumentError, match="this is 1 atlas"):
        rc.merge(demo)
    with pytest.raises(ArgumentError, match="this is 0 atlases"):
        rc.merge()
    with pytest.raises(ArgumentError, match="'raise', 'first' or 'last', not 'sum'"):
        rc.merge(demo, demo, overlap="sum")
