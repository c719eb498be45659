"""Volumes, surfaces and CIFTI: the same regions, the same numbers, wherever samples are."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.cifti2 import BrainModelAxis
from small_spaces import (
    N_VERTICES,
    NAMES,
    brain_models,
    dense,
    dlabel,
    kept_vertices,
    labels_gifti,
    maps_gifti,
    vertex_labels,
)
from small_volumes import OBLIQUE, assert_bits, image_of, small_labels, values_of

import regioncast as rc
from regioncast import testing
from regioncast.atlas.parcellation import Parcellation
from regioncast.atlas.region_table import RegionTable
from regioncast.atlas.spaces import Grayordinates, SurfaceVertices, VolumeGrid
from regioncast.atlas.transfer import transferred
from regioncast.engine.encoding import encode
from regioncast.errors import (
    ArgumentError,
    FileFormatError,
    LabelsError,
    MaskWarning,
    MatchError,
    RegionTableError,
    RegionTableWarning,
    ResamplingWarning,
    SignalsError,
    SpaceError,
)
from regioncast.io.cifti import maps as cifti_maps

SEEDS = st.integers(0, 2**32 - 1)
STRATEGIES = ["mean", "median", "sum", "minimum", "maximum", "variance", "mode", "percentile:30"]


@pytest.fixture
def pair():
    """Both hemispheres: six regions, of which three names stand on both sides."""
    return rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))


@pytest.fixture
def volume():
    names = {-2: "stem", 3: "pallidum", 7: "putamen", 7001: "thalamus"}
    return rc.load_parcellation(image_of(small_labels()), regions=names)


def spaces_of(codes, rng):
    """The same codes as a volume, as surface vertices and as grayordinates."""
    table = RegionTable(np.arange(1, codes.max() + 1) * 5)
    shape, flat = codes.shape, codes.reshape(-1)
    grid = VolumeGrid.of(nib.Nifti1Image(np.zeros(shape, np.int8), OBLIQUE))
    cut = rng.integers(1, flat.size)
    surface = SurfaceVertices({"L": cut, "R": flat.size - cut})
    axis = BrainModelAxis.from_surface(np.arange(flat.size), flat.size + 7, "CORTEX_LEFT")
    return [
        Parcellation(codes.copy(), table, grid),
        Parcellation(flat.copy(), table, surface),
        Parcellation(flat.copy(), table, Grayordinates(axis)),
    ]


def maps_on(space, maps):
    """Maps, shape (n_maps, n_samples), as an image on a space."""
    if isinstance(space, VolumeGrid):
        return image_of(np.moveaxis(maps.reshape(len(maps), *space.shape), 0, -1))
    if isinstance(space, SurfaceVertices):
        parts = {side: maps[:, space.of_hemisphere(side)] for side in space.hemispheres}
        return {side: maps_gifti(side, part) for side, part in parts.items()}
    return dense(maps, space.axis)


@given(labels=testing.label_volumes(["u1", "u2"]), n_maps=st.integers(1, 4), seed=SEEDS)
def test_paintings_of_the_same_codes_agree_value_for_value(labels, n_maps, seed):
    codes = encode(labels, np.nan).codes
    rng = np.random.default_rng(seed)
    volume, surface, grayordinates = spaces_of(codes, rng)
    values = rng.standard_normal((n_maps, len(volume)))
    painted = np.asarray(rc.paint(values, volume).dataobj).reshape(-1, n_maps)
    assert_bits(np.asarray(rc.paint(values, surface)), np.asfortranarray(painted))
    of_cifti = np.asarray(rc.paint(values, grayordinates).dataobj)
    np.testing.assert_array_equal(of_cifti.T, painted)
    for index in (0, slice(None, None, 2), (slice(None), 3), (-1, slice(2, 9, 3)), (..., 1)):
        lazy = rc.paint(values, grayordinates).dataobj[index]
        np.testing.assert_array_equal(lazy, of_cifti[index], str(index))


@pytest.mark.parametrize("kind", ["npy", "func.gii", "dlabel.nii"])
def test_labels_that_float32_does_not_tell_apart_are_refused_on_every_space(tmp_path, kind):
    meant = np.resize([0, 182305689, 182305693, 7, 182305717], 40)  # three, of which two merge
    path = tmp_path / f"lh.labels.{kind}"
    if kind == "npy":
        np.save(path, meant.astype(np.float32))
    elif kind == "func.gii":
        nib.save(maps_gifti("L", meant[np.newaxis].astype(np.float32)), path)
    else:
        model = BrainModelAxis.from_mask(np.ones(40, bool), name="CORTEX_LEFT")
        names = {int(label): f"region {label}" for label in np.unique(meant.astype(np.float32))}
        nib.save(dlabel(meant, names, model), path)
    message = "2 labels of the labels image are beyond 16,777,216: 182305696, 182305712. They are"
    with pytest.raises(LabelsError, match=message):
        rc.load_parcellation(path)


@pytest.mark.parametrize("nan", ["omit", "propagate", "zero"])
@given(labels=testing.label_volumes(["u1", "u2"]), seed=SEEDS)
def test_extractions_from_the_same_numbers_have_the_same_bits(labels, seed, nan):
    codes = encode(labels, np.nan).codes
    rng = np.random.default_rng(seed)
    parcellations = spaces_of(codes, rng)
    maps = values_of((3, codes.size), "f4", seed)
    maps[rng.random(maps.shape) < 0.1] = np.nan
    found = [
        rc.extract(maps_on(atlas.space, maps), atlas, strategy=STRATEGIES, nan=nan)
        for atlas in parcellations
    ]
    for name in STRATEGIES:
        # In a volume the samples of a region come in another order, and sums round otherwise.
        np.testing.assert_allclose(found[1][name].values, found[0][name].values, rtol=1e-9)
        assert_bits(found[2][name].values, found[1][name].values)
    for signals in found:
        np.testing.assert_array_equal(
            signals["mean"].coverage.columns["finite"],
            found[0]["mean"].coverage.columns["finite"],
        )


@pytest.mark.parametrize("n_of_side", [(180, 180), (128, 128), (255, 1), (300, 10), (1, 65_535)])
@pytest.mark.parametrize("shared", [True, False])
def test_pairs_may_have_more_regions_than_the_codes_of_one_hemisphere(n_of_side, shared):
    n_left, n_right = n_of_side
    labels = {"L": np.arange(n_left + 1), "R": np.arange(n_right + 1)[::-1].copy()}
    if not shared:  # those of the right come first, as in the atlas of Glasser
        labels["L"][1:] += n_right
    atlas = rc.load_parcellation({"left": labels["L"], "right": labels["R"]})
    assert len(atlas) == n_left + n_right
    assert atlas.counts.tolist() == [1] * len(atlas)
    painted = rc.paint({f"{s}:{n}": n for s in "LR" for n in labels[s][labels[s] > 0]}, atlas)
    for side in "LR":
        np.testing.assert_array_equal(painted.part(side), labels[side])
    if not shared:
        painted = rc.paint(np.arange(1, len(atlas) + 1), atlas)  # by position: labels ascend
        np.testing.assert_array_equal(np.asarray(painted), np.concatenate([*labels.values()]))


def test_names_that_only_regions_without_samples_share_are_no_riddle(grayordinates):
    """Workbench gives both surfaces that it separates the table of all labels."""
    names = {0: "???", 3: "V1", 7: "V2", 9: "M1", 77: "thalamus", 14474380: "insula"}
    sides = {
        "L": vertex_labels("L"),
        "R": np.where(vertex_labels("R") == 9, np.int32(9), np.int32(0)),
    }
    with pytest.warns(RegionTableWarning, match="without a vertex"):
        pair = rc.load_parcellation(
            left=labels_gifti("L", sides["L"], names=names),
            right=labels_gifti("R", sides["R"], names=names),
        )
    assert pair.table.labels.tolist().count(77) == 1
    values = {"V1": 1.0, "V2": 2.0, "insula": 3.0, "M1": 4.0, "thalamus": 5.0}
    painted = rc.paint(values, pair, missing="fill")
    np.testing.assert_array_equal(painted.part("R") == 4, sides["R"] == 9)


def test_a_pair_keeps_both_sides_of_a_label(pair):
    assert pair.table.unique_names == ("L:V1", "V2", "L:insula", "R:V1", "R:insula", "M1")
    assert pair.table.labels.tolist() == [3, 7, 14474380, 3, 7, 9]
    assert pair.table.hemispheres == ("L", "L", "L", "R", "R", "R")
    for row, (label, side) in enumerate(
        zip(pair.table.labels, pair.table.hemispheres, strict=True)
    ):
        assert pair.counts[row] == np.count_nonzero(vertex_labels(side) == label)
    assert pair["L:V1"].label == 3
    with pytest.raises(KeyError):
        pair["V1"]


def expected_on(pair, value_of):
    """What painting a value per row gives, vertex by vertex."""
    painted = []
    for side, n_vertices in N_VERTICES.items():
        labels = vertex_labels(side)
        values = np.zeros(n_vertices)
        for row, own in enumerate(pair.table.hemispheres):
            if own == side:
                values[labels == pair.table.labels[row]] = value_of[row]
        painted.append(values)
    return np.concatenate(painted)


SPELLINGS = [
    "{S}:{name}", "{S}_{name}", "{fs}_{name}", "{fs}.{name}", "{word}-{name}", "{name}_{S}",
    "ctx-{fs}-{name}", "{Word} {name}", "{S}:{label}",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_keys_name_the_hemisphere_in_the_usual_spellings(pair, spelling):
    values = {}
    for row, (label, name) in enumerate(pair.table):
        side = pair.table.hemispheres[row]
        word = {"L": "left", "R": "right"}[side]
        key = spelling.format(
            S=side, fs={"L": "lh", "R": "rh"}[side], word=word, Word=word.title(),
            name=name, label=label,
        )  # fmt: skip
        values[key] = 10.0 + row
    backwards = dict(reversed(values.items()))
    expected = expected_on(pair, [10.0 + row for row in range(len(pair))])
    assert_bits(np.asarray(rc.paint(backwards, pair)), expected)


@pytest.mark.parametrize(
    ("values", "shared"),
    [
        ({"V1": 1.0, "V2": 2.0, "insula": 3.0, "M1": 4.0}, "'V1' for 'L:V1', 'R:V1'"),
        ({3: 1.0, 7: 2.0, 9: 3.0, 14474380: 4.0}, "3 for 'L:V1', 'R:V1'"),
    ],
)
def test_what_means_two_regions_is_refused(pair, values, shared):
    with pytest.raises(MatchError, match="more than one region") as caught:
        rc.paint(values, pair)
    assert shared in str(caught.value)
    assert "column 'hemisphere'" in str(caught.value)


@pytest.mark.parametrize("words", [("L", "R"), ("lh", "rh"), ("left", "Right")])
@pytest.mark.parametrize("key", ["name", "index"])
def test_a_table_may_give_the_hemispheres_in_a_column(pair, words, key, tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pair.to_pandas().drop(columns="vertices")[[key, "hemisphere"]]
    frame["hemisphere"] = frame["hemisphere"].map(dict(zip("LR", words, strict=True)))
    frame["value"] = np.arange(6) + 0.5
    expected = expected_on(pair, np.arange(6) + 0.5)
    assert_bits(np.asarray(rc.paint(frame.sample(frac=1, random_state=1), pair)), expected)
    frame.to_csv(tmp_path / "values.tsv", sep="\t", index=False)
    assert_bits(np.asarray(rc.paint(tmp_path / "values.tsv", pair)), expected)
    stem = pd.DataFrame({key: ["stem"], "hemisphere": ["B"], "value": [9.0]})
    more = pd.concat([frame.astype({key: object}), stem])
    if key == "name":
        assert_bits(np.asarray(rc.paint(more, pair, extra="ignore")), expected)


def test_signals_of_a_pair_come_back_through_every_table(pair, tmp_path):
    values = np.arange(12.0).reshape(2, 6) + 0.25
    painted = rc.paint(values, pair)
    signals = rc.extract(painted, pair)
    assert_bits(signals.values, values)
    for long in (False, True):
        for suffix in (".tsv", ".csv"):
            file = tmp_path / f"signals-{long}{suffix}"
            rc.save(signals, file, long=long)
            assert_bits(np.asarray(rc.paint(file, pair)), np.asarray(painted))


@pytest.fixture
def grayordinates(pair, volume):
    """All ten regions on the grayordinates, under labels of their own."""
    axis = brain_models()
    keys = np.zeros(len(axis), int)
    names, vertices = {0: "???"}, Grayordinates(axis).parts
    for row, name in enumerate(pair.table.unique_names):
        side, label = pair.table.hemispheres[row], pair.table.labels[row]
        part = vertices[f"CIFTI_STRUCTURE_CORTEX_{'LEFT' if side == 'L' else 'RIGHT'}"]
        keys[part.samples[vertex_labels(side)[kept_vertices(side)] == label]] = row + 1
        names[row + 1] = name
    in_volume = small_labels()[tuple(axis.voxel[axis.volume_mask].T)]
    for row, (label, name) in enumerate(volume.table):
        keys[np.flatnonzero(axis.volume_mask)[in_volume == label]] = 20 + row
        names[20 + row] = name
    return dlabel(keys, names, axis)


def test_surface_and_volume_labels_paint_onto_grayordinates(pair, volume, grayordinates):
    whole = rc.load_parcellation(grayordinates)
    values = {name: row + 0.5 for row, name in enumerate(whole.table.names)}
    expected = np.asarray(rc.paint(values, whole).dataobj)
    on_surface = {name: values[name] for name in pair.table.unique_names}
    on_volume = {name: values[name] for name in volume.table.names}
    found = np.asarray(rc.paint(on_surface, pair, onto=grayordinates).dataobj)
    found = found + np.asarray(rc.paint(on_volume, volume, onto=grayordinates).dataobj)
    assert_bits(found, expected)


def test_grayordinates_paint_back_onto_surfaces_and_volumes(pair, volume, grayordinates):
    whole = rc.load_parcellation(grayordinates)
    values = {name: row + 0.5 for row, name in enumerate(whole.table.names)}
    surface = {"left": labels_gifti("L"), "right": labels_gifti("R")}
    with pytest.warns(ResamplingWarning, match="4 regions of 10 have no vertex"):
        painted = rc.paint(values, whole, onto=surface)
    kept = np.concatenate(
        [np.isin(np.arange(n), kept_vertices(side)) for side, n in N_VERTICES.items()]
    )
    of_pair = expected_on(pair, [values[name] for name in pair.table.unique_names])
    assert_bits(np.asarray(painted), np.where(kept, of_pair, 0))
    with pytest.warns(ResamplingWarning, match="6 regions of 10 have no voxel"):
        in_volume = rc.paint(values, whole, onto=image_of(small_labels()))
    of_volume = rc.paint({name: values[name] for name in volume.table.names}, volume)
    np.testing.assert_array_equal(np.asarray(in_volume.dataobj), np.asarray(of_volume.dataobj))


def test_data_of_grayordinates_are_extracted_by_labels_of_surfaces(pair, grayordinates):
    axis = grayordinates.header.get_axis(1)
    whole = rc.load_parcellation(grayordinates)
    maps = values_of((3, len(axis)), "f4", 5)
    by_cifti = rc.extract(dense(maps, axis), whole)
    by_surface = rc.extract(dense(maps, axis), pair)
    assert_bits(by_surface.values, by_cifti.values[:, : len(pair)])
    fractions = by_surface.coverage.columns["fraction"]
    assert fractions[0] == 1
    assert fractions[3] < 1  # of the right hemisphere, every other vertex is a grayordinate


@given(seed=SEEDS)
def test_there_and_back_is_the_identity_where_all_is_shared(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, 50).astype(np.uint8)
    axis = BrainModelAxis.from_surface(rng.permutation(50), 50, "CORTEX_RIGHT")
    surface = Parcellation(codes, RegionTable([2, 5, 9]), SurfaceVertices({"R": 50}))
    there = transferred(surface, Grayordinates(axis), name="the image")
    np.testing.assert_array_equal(there.codes, codes[axis.vertex])
    back = transferred(there, surface.space, name="the image")
    assert_bits(back.codes, codes)


def refusal(call, kind=SpaceError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_what_would_need_resampling_is_refused(pair, volume, grayordinates):
    data = image_of(np.ones((6, 5, 4)))
    surface = {"left": maps_gifti("L", np.ones((1, 701), "f4"))}
    said = refusal(lambda: rc.extract(data, pair))
    assert (
        "The image is of a volume, the labels image is of surfaces (CORTEX_LEFT, CORTEX_R" in said
    )
    assert "CORTEX_LEFT" in refusal(lambda: rc.extract(surface, volume))
    both = {"left": maps_gifti("L", np.ones((1, 701), "f4")),
            "right": maps_gifti("R", np.ones((1, 681), "f4"))}  # fmt: skip
    message = refusal(lambda: rc.extract(both, pair))
    assert "681 vertices in the right hemisphere" in message
    assert "680" in message
    message = refusal(lambda: rc.extract(surface, pair))
    assert "not of the same hemispheres" in message
    coarse = dense(
        np.ones((1, 50), "f4"), BrainModelAxis.from_surface(range(50), 642, "CORTEX_LEFT")
    )
    message = refusal(lambda: rc.extract(coarse, pair))
    assert "642" in message
    assert "701" in message
    shifted = BrainModelAxis.from_mask(np.ones((6, 5, 4), bool), affine=np.eye(4))
    assert "affine" in refusal(
        lambda: rc.paint([1.0, 2.0, 3.0, 4.0], volume, onto=dense(np.ones((1, 120), "f4"), shifted))
    )


def test_outputs_that_cannot_hold_the_result_say_which_can(pair, volume, grayordinates, tmp_path):
    cases = [
        (rc.paint(np.arange(6.0), pair), "out.nii.gz", ".func.gii"),
        (rc.paint(np.arange(6.0), pair), "out.dscalar.nii", ".func.gii"),
        (rc.paint(np.arange(10.0), rc.load_parcellation(grayordinates)), "out.nii.gz", ".dscalar"),
        (
            rc.paint(np.arange(10.0), rc.load_parcellation(grayordinates)),
            "out.func.gii",
            ".dscalar",
        ),
        (rc.paint(np.arange(4.0), volume), "out.func.gii", ".nii.gz"),
        (rc.paint(np.arange(4.0), volume), "out.dscalar.nii", ".nii.gz"),
    ]
    for image, name, wanted in cases:
        assert wanted in refusal(lambda: rc.save(image, tmp_path / name), FileFormatError)  # noqa: B023
    assert not list(tmp_path.iterdir())


def test_masks_and_weights_are_on_the_space_of_the_labels(pair, grayordinates):
    rng = np.random.default_rng(8)
    maps = {s: rng.standard_normal((2, n)).astype("f4") for s, n in N_VERTICES.items()}
    areas = {s: rng.random((1, n)).astype("f4") for s, n in N_VERTICES.items()}
    gifti = {s: maps_gifti(s, m) for s, m in maps.items()}
    weights = {s: maps_gifti(s, a) for s, a in areas.items()}
    mask = {s: maps_gifti(s, (a > 0.3).astype("f4")) for s, a in areas.items()}
    found = rc.extract(gifti, pair, weights=weights, mask=mask)
    for row, (label, side) in enumerate(
        zip(pair.table.labels, pair.table.hemispheres, strict=True)
    ):
        inside = (vertex_labels(side) == label) & (areas[side][0] > 0.3)
        expected = np.average(
            maps[side][:, inside].astype(float), axis=1, weights=areas[side][0, inside]
        )
        np.testing.assert_allclose(found.values[:, row], expected, rtol=1e-6)
    axis = grayordinates.header.get_axis(1)
    whole = rc.load_parcellation(grayordinates)
    data, area = values_of((1, len(axis)), "f4", 3), rng.random((1, len(axis)))
    found = rc.extract(dense(data, axis), whole, weights=dense(area, axis))
    code = np.asarray(grayordinates.dataobj)[0]
    for row, label in enumerate(whole.table.labels):
        expected = np.average(data[0, code == label], weights=area[0, code == label])
        np.testing.assert_allclose(found.values[0, row], expected, rtol=1e-6)


def test_a_map_of_labels_is_chosen_by_name_or_number(grayordinates):
    axis, keys = grayordinates.header.get_axis(1), np.asarray(grayordinates.dataobj)[0]
    names = {int(key): f"region {key}" for key in np.unique(keys) if key}
    two = dlabel([keys, keys[::-1]], {0: "???", **names}, axis, ["forth", "back"])
    message = refusal(lambda: rc.load_parcellation(two, strict=False), ArgumentError)
    assert "'forth'" in message
    assert "'back'" in message
    by_name = rc.load_parcellation(two, label_map="back")
    by_number = rc.load_parcellation(two, label_map=1)
    assert_bits(by_name.codes, by_number.codes)
    assert "'sideways'" in refusal(
        lambda: rc.load_parcellation(two, label_map="sideways"), ArgumentError
    )
    assert "dlabel" in refusal(
        lambda: rc.load_parcellation(image_of(small_labels()), label_map=0), ArgumentError
    )


@pytest.mark.parametrize(
    ("start", "step", "unit"), [(0, 0.72, "SECOND"), (-3.5, 2.0, "SECOND"), (8, 0.25, "HERTZ")]
)
def test_a_series_keeps_start_step_and_unit(grayordinates, tmp_path, start, step, unit):
    axis = grayordinates.header.get_axis(1)
    series = nib.cifti2.SeriesAxis(start, step, 4, unit)
    data = values_of((4, len(axis)), "f4", 2)
    nib.save(nib.Cifti2Image(data, (series, axis)), tmp_path / "in.dtseries.nii")
    atlas = rc.load_parcellation(grayordinates)
    signals = rc.extract(tmp_path / "in.dtseries.nii", atlas)
    assert signals.t_r == (step if unit == "SECOND" else None)
    rc.save(signals, tmp_path / "mean.ptseries.nii")
    painted = rc.paint(tmp_path / "mean.ptseries.nii", atlas)
    rc.save(painted, tmp_path / "out.dtseries.nii")
    rc.save(painted, tmp_path / "again.ptseries.nii")
    for name in ("mean.ptseries.nii", "out.dtseries.nii", "again.ptseries.nii"):
        assert nib.load(tmp_path / name).header.get_axis(0) == series


def test_vertex_areas_and_masks_of_surfaces_serve_grayordinates(grayordinates):
    rng = np.random.default_rng(4)
    axis, whole = grayordinates.header.get_axis(1), rc.load_parcellation(grayordinates)
    areas = {side: rng.random((1, n)).astype("f4") for side, n in N_VERTICES.items()}
    mask = {side: maps_gifti(side, (area > 0.4).astype("f4")) for side, area in areas.items()}
    cortex = np.concatenate([areas[side][0, kept_vertices(side)] for side in "LR"])
    data = values_of((2, len(axis)), "f4", 6)
    with pytest.warns(MaskWarning, match="4 regions"):
        found = rc.extract(
            dense(data, axis),
            whole,
            weights={side: maps_gifti(side, area) for side, area in areas.items()},
            mask=mask,
        )
    code = np.asarray(grayordinates.dataobj)[0][: len(cortex)]
    for row, label in enumerate(whole.table.labels[:6]):
        inside = (code == label) & (cortex > 0.4)
        expected = np.average(
            data[:, : len(cortex)][:, inside].astype(float), axis=1, weights=cortex[inside]
        )
        np.testing.assert_allclose(found.values[:, row], expected, rtol=1e-6)
    gifti = {side: maps_gifti(side, area) for side, area in areas.items()}
    with pytest.raises(SpaceError, match=r"has no weights for \d+ grayordinates of regions in vox"):
        rc.extract(dense(data, axis), whole, weights=gifti)
    with pytest.raises(SpaceError, match=r"regions in CORTEX_RIGHT, voxels\."):
        rc.extract(dense(data, axis), whole, weights={"left": maps_gifti("L", areas["L"])})
    areas["L"][0, 50] = np.nan
    gifti = {side: maps_gifti(side, area) for side, area in areas.items()}
    with (
        pytest.warns(MaskWarning, match="4 regions"),
        pytest.raises(SignalsError, match="1 grayordinate in regions with a weight that is"),
    ):
        rc.extract(
            dense(data, axis),
            whole,
            weights=gifti,
            mask=dense(axis.surface_mask.astype("u1"), axis),
        )


@pytest.mark.parametrize("title", ["hemisphere", "hemi"])
@pytest.mark.parametrize("words", [("L", "R"), ("left", "right")])
def test_a_region_table_may_tell_labels_apart_by_hemisphere(tmp_path, title, words):
    rows = [("index", "name", title)]
    for side, word in zip("LR", words, strict=True):
        rows += [(label, f"{name}{side}", word) for label, name in NAMES[side].items() if label]
    table = tmp_path / "regions.tsv"
    table.write_text("\n".join("\t".join(map(str, row)) for row in rows))
    pair = {"left": labels_gifti("L"), "right": labels_gifti("R")}
    found = rc.load_parcellation(pair, regions=table)
    assert found.table.names == ("V1L", "V2L", "insulaL", "V1R", "insulaR", "M1R")
    one = rc.load_parcellation(right=labels_gifti("R"), regions=table)
    assert one.table.names == ("V1R", "insulaR", "M1R")
    with pytest.raises(RegionTableError, match="2 labels in the region table stand for"):
        rc.load_parcellation(image_of(small_labels()), regions=table)


def test_labels_without_names_take_those_of_a_table():
    unnamed = labels_gifti("L", names={})
    names = {3: "V1", 7: "V2", 14474380: "insula"}
    assert rc.load_parcellation(unnamed, regions=names).table.names == ("V1", "V2", "insula")
    numbers = rc.load_parcellation(unnamed, regions="none").table.names
    assert numbers == ("3", "7", "14474380")


def test_a_surface_of_which_the_side_is_unknown_says_how_to_tell(grayordinates, tmp_path):
    np.savetxt(tmp_path / "atlas.txt", vertex_labels("L"), fmt="%d")
    axis = grayordinates.header.get_axis(1)
    data = dense(np.ones((1, len(axis)), "f4"), axis)
    assert "lh. or rh." in refusal(lambda: rc.extract(data, tmp_path / "atlas.txt"))
    assert rc.extract(data, rc.load_parcellation(left=tmp_path / "atlas.txt")).n_regions == 3


def test_progress_of_a_file_that_is_read_by_regions_ends_with_all(
    grayordinates, tmp_path, monkeypatch
):
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", 4000)
    monkeypatch.setattr(cifti_maps, "_SHORTEST_ROW", 0)
    monkeypatch.setattr(cifti_maps, "_is_cached", lambda *_: True)
    axis = grayordinates.header.get_axis(1)
    nib.save(dense(values_of((9, len(axis)), "f4", 1), axis), tmp_path / "in.dscalar.nii")
    seen = []
    found = rc.extract(
        tmp_path / "in.dscalar.nii", grayordinates, progress=lambda *done: seen.append(done)
    )
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == (9, 9)
    assert seen.count((9, 9)) == 1
    assert found.n_maps == 9


@pytest.mark.parametrize("spelling", ["{name}", "L:{name}", "lh_{name}", "L:{label}"])
def test_one_hemisphere_is_named_in_the_same_ways(spelling):
    one = rc.load_parcellation(left=labels_gifti("L"))
    keys = [spelling.format(name=name, label=label) for label, name in one]
    painted = np.asarray(rc.paint(dict(zip(keys, [1.0, 2.0, 3.0], strict=True)), one))
    expected = rc.paint([1.0, 2.0, 3.0], one)
    assert_bits(painted, np.asarray(expected))


def test_a_table_of_both_hemispheres_serves_one_of_them(pair):
    pd = pytest.importorskip("pandas")
    both = pd.DataFrame(
        {"hemisphere": pair.table.hemispheres, "name": pair.table.names, "z": np.arange(6.0)}
    )
    for side, rows in (("left", [0, 1, 2]), ("right", [3, 4, 5])):
        one = rc.load_parcellation(**{side: labels_gifti(side[0].upper())})
        painted = np.asarray(rc.paint(both, one, extra="ignore"))
        assert_bits(painted, np.asarray(rc.paint(np.array(rows, float), one)))


def test_a_surface_of_known_hemisphere_to_paint_onto_says_which_it_is(tmp_path):
    np.save(tmp_path / "plain.npy", vertex_labels("L"))
    painted = rc.paint([1.0, 2, 3], tmp_path / "plain.npy", dtype="float32", onto=labels_gifti("L"))
    assert painted.space.counts == {"L": N_VERTICES["L"]}
    rc.save(painted, tmp_path / "a.pscalar.nii")
    assert rc.load_parcellation(tmp_path / "a.pscalar.nii").counts.sum() > 0


def test_regions_of_which_one_hemisphere_has_no_vertex_are_no_riddle_for_the_other():
    """Workbench gives both the table of all labels, also where one label is in both."""
    names = {0: "???", 1: "both", 2: "left", 3: "right"}
    sides = {"L": np.int32([0, 1, 2, 2]), "R": np.int32([3, 1, 0, 0, 3])}
    with pytest.warns(RegionTableWarning, match="without a vertex"):
        pair = rc.load_parcellation(
            left=labels_gifti("L", sides["L"], names=names),
            right=labels_gifti("R", sides["R"], names=names),
        )
    values = {"L:both": 1.0, "R:both": 2.0, "L:left": 3.0, "R:right": 4.0}
    painted = rc.paint(values, pair)
    assert [painted.part(side).tolist() for side in "LR"] == [[0, 1, 3, 3], [4, 2, 0, 0, 4]]
    bare = rc.paint({"left": 3.0, "right": 4.0}, pair, missing="fill")
    assert [bare.part(side).tolist() for side in "LR"] == [[0, 0, 3, 3], [4, 0, 0, 0, 4]]
    with pytest.raises(MatchError, match="1 name stands for more than one region: 'both'"):
        rc.paint({"both": 1.0}, pair, missing="fill")
