"""What is shown, and in which colours: values to ramps, volumes turned to the reader, sides."""

from __future__ import annotations

import math

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.cifti2 import BrainModelAxis, LabelAxis
from small_spaces import brain_models, dlabel
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast.errors import (
    ArgumentError,
    ArgumentTypeError,
    ImageTypeError,
    SignalsTypeError,
    SpaceWarning,
)
from regioncast.viewing.colours import (
    ABSENT,
    BELOW,
    NO_REGION,
    RAMPS,
    SHOWN,
    THEMES,
    coloured,
    ramp_of,
    scale_of,
)
from regioncast.viewing.page.contents import as_json, contents_of
from regioncast.viewing.scene import scene_of
from regioncast.viewing.volumes import (
    Volume,
    places_of_regions,
    sides_of_regions,
    sides_said,
    volume_of,
)

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)

AFFINES = {
    "RAS": np.diag([2.0, 3, 2.5, 1]),
    "LAS": np.array([[-2.0, 0, 0, 20], [0, 3, 0, -10], [0, 0, 2.5, 0], [0, 0, 0, 1]]),
    "PSR": np.array([[0, 0, 2.0, -5], [-3.0, 0, 0, 30], [0, 2.5, 0, -3], [0, 0, 0, 1]]),
    "oblique": OBLIQUE,
}


def atlas_of(labels, affine=OBLIQUE, regions=None):
    return rc.load_parcellation(image_of(labels.astype(np.int16), affine), regions)


# --- colours -------------------------------------------------------------------------------------


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.floats(0, 5))
def test_a_value_has_the_colour_at_its_place_on_the_ramp(values, threshold):
    values = np.array(values)
    scale = scale_of(values, vmin=-3.5, vmax=7.25, threshold=threshold)
    kinds, rgb = coloured(values, np.ones(len(values), bool), scale)
    assert kinds[0] == NO_REGION
    for value, kind, colour in zip(values.tolist(), kinds[1:], rgb[1:], strict=True):
        if math.isnan(value):
            assert kind == ABSENT
        elif abs(value) < threshold:
            assert kind == BELOW
        else:
            assert kind == SHOWN
            place = 0 if value < -3.5 else 255 if value > 7.25 else (value + 3.5) / 10.75 * 256
            assert colour.tolist() == scale.ramp[min(math.floor(place), 255)].tolist()


def test_matplotlib_gives_the_same_colours():
    colors = pytest.importorskip("matplotlib.colors")
    values = np.concatenate([np.linspace(-2, 3, 997), [-9, 9, 0, 3, -2]])
    scale = scale_of(values, "diverging", vmin=-2, vmax=3)
    cmap = colors.ListedColormap(scale.ramp / 255)
    theirs = np.rint(cmap(colors.Normalize(-2, 3)(values))[:, :3] * 255)
    ours = coloured(values, np.ones(len(values), bool), scale).rgb[1:]
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("values", "limits", "name"),
    [
        ([-1.5, 4.0, np.nan, np.inf], (-4, 4), "diverging"),
        ([1.5, 4.0], (1.5, 4), "sequential"),
        ([-4.0, -1.5], (-4, -1.5), "sequential"),
        ([0.0, 0.0], (0, 1), "sequential"),
        ([3.0], (0, 3), "sequential"),
        ([-3.0], (-3, 0), "sequential"),
        ([np.nan], (0, 1), "sequential"),
        ([], (0, 1), "sequential"),
    ],
)
def test_limits_come_from_the_values(values, limits, name):
    scale = scale_of(np.array(values))
    assert (scale.low, scale.high) == limits
    assert scale.name == name


def test_what_is_said_of_one_end_holds_for_the_other_where_values_have_signs():
    values = np.array([-1.0, 2.0])
    assert scale_of(values, vmax=5)[2:4] == (-5, 5)
    assert scale_of(values, vmin=-3)[2:4] == (-3, 3)
    assert scale_of(values, vmin=0, vmax=5)[2:4] == (0, 5)
    assert scale_of(np.abs(values), vmax=5)[2:4] == (1, 5)


@pytest.mark.parametrize(
    ("how", "limits"), [({"vmin": 0}, (0, 2)), ({"vmin": 1}, (1, 2)), ({"vmax": 0}, (-1, 0))]
)
def test_one_side_of_zero_may_be_shown_alone(how, limits):
    scale = scale_of(np.array([-1.0, 2.0]), **how)
    assert (scale.low, scale.high, scale.name) == (*limits, "sequential")


def test_limits_beyond_the_values_are_refused_with_the_numbers():
    with pytest.raises(ArgumentError, match="they are 9 and 2"):
        scale_of(np.array([-1.0, 2.0]), vmin=9)


def test_limits_that_no_ramp_spans_are_refused():
    with pytest.raises(ArgumentError, match="too far apart"):
        scale_of(np.array([-1e308, 1e308]))
    assert scale_of(np.array([-1e308, 1e308]), vmax=1)[2:4] == (-1, 1)


def test_what_is_furthest_from_zero_is_darkest():
    for values in ([1.0, 2.0], [-2.0, -1.0], [-2.0, 2.0]):
        scale = scale_of(np.array(values))
        lightness = scale.ramp.astype(int).sum(1)
        furthest = [0, 255] if values[0] * values[1] < 0 else [255 if values[0] > 0 else 0]
        assert all(lightness[end] < lightness[127] for end in furthest)


@pytest.mark.parametrize("cmap", [*RAMPS, "viridis", ["#000000", "#ffffff"]])
def test_a_ramp_has_256_colours(cmap):
    pytest.importorskip("matplotlib")
    name, ramp = ramp_of(cmap)
    assert (ramp.shape, ramp.dtype) == ((256, 3), np.uint8)
    assert name == (cmap if isinstance(cmap, str) else "own")


def test_colours_of_a_ramp_may_have_the_names_of_matplotlib():
    pytest.importorskip("matplotlib")
    named = ramp_of(["white", "tab:red", "k"])[1]
    assert (named == ramp_of(["#ffffff", "#d62728", "#000000"])[1]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cmap": "no such"}, "There is no colour map 'no such'"),
        ({"cmap": 7}, "There is no colour map 7"),
        ({"cmap": ["reddish", "#ffffff"]}, "knows; not 'reddish'"),
        ({"cmap": ["#ffffff"]}, "two or more"),
        ({"vmin": 2, "vmax": 1}, "vmin has to be below vmax; they are 2 and 1"),
        ({"vmin": 2, "vmax": 2}, "they are 2 and 2"),
        ({"vmax": math.nan}, "vmax is a number, not nan"),
        ({"threshold": -1}, "not negative: -1"),
    ],
)
def test_scales_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        scale_of(np.array([1.0, 2.0]), **options)


def _contrast(first, second):
    def luminance(color):
        channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted([luminance(first), luminance(second)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_text_can_be_read_and_kinds_look_different(theme):
    assert _contrast(theme.ink, theme.paper) > 7
    assert _contrast(theme.dim, theme.paper) > 4.5
    assert len({theme.below, theme.absent, theme.stripe, theme.paper}) == 4


# --- scenes --------------------------------------------------------------------------------------


def test_a_painting_shows_its_values_and_who_has_none():
    atlas = atlas_of(small_labels())
    image = rc.paint({"3": 1, "7": 2}, atlas, missing="fill")
    scene = scene_of(image, unit="mm")
    assert scene.show == "values"
    labels = atlas.table.labels.tolist()
    assert dict(zip(labels, scene.is_there.tolist(), strict=True)) == {
        -2: False, 3: True, 7: True, 7001: False,
    }  # fmt: skip
    kinds = scene.colours().kinds.tolist()
    assert kinds == [NO_REGION, ABSENT, SHOWN, SHOWN, ABSENT]
    assert "2 of 4 regions have a value, by label; 2 have none" in scene.about[0]


def test_values_that_no_region_got_do_not_stretch_the_scale():
    atlas = atlas_of(small_labels())
    scene = scene_of(rc.paint({3: 5, 7: 9}, atlas, missing="fill", fill=-100))
    assert (scene.scale.low, scene.scale.high) == (5, 9)


def test_signals_show_what_their_painting_shows():
    atlas = atlas_of(small_labels())
    values = np.array([[1.0, -2, 0.5, 4], [0, 1, np.nan, 3]])
    image = rc.paint(values, atlas)
    signals = rc.extract(image, atlas)
    mine, theirs = scene_of(signals), scene_of(image)
    np.testing.assert_array_equal(mine.values, theirs.values)
    for number in range(2):
        for ours, other in zip(mine.colours(number), theirs.colours(number), strict=True):
            np.testing.assert_array_equal(ours, other)
    assert mine.coverage.shape == (4,)


def test_an_atlas_has_its_own_colours_and_new_ones_where_it_has_none():
    table = {"index": [3, 7], "name": ["a", "b"], "color": ["#0080ff", None]}
    with pytest.warns(rc.RegioncastWarning):
        scene = scene_of(atlas_of(small_labels(), regions=table))
    assert scene.show == "atlas"
    kinds, rgb = scene.colours()
    assert set(kinds[1:].tolist()) == {SHOWN}
    row = scene.atlas.table.labels.tolist().index(3)
    assert rgb[1 + row].tolist() == [0, 128, 255]
    assert len({tuple(colour) for colour in rgb[1:].tolist()}) == len(scene.atlas)


def test_categories_have_theirs():
    atlas = atlas_of(small_labels())
    image = rc.paint({3: "x", 7: "y", -2: "x"}, atlas, categories=True, missing="fill")
    scene = scene_of(image)
    assert scene.show == "categories"
    kinds, rgb = scene.colours()
    by_label = dict(zip(atlas.table.labels.tolist(), rgb[1:].tolist(), strict=True))
    assert by_label[3] == by_label[-2] != by_label[7]
    assert kinds[1 + atlas.table.labels.tolist().index(7001)] == ABSENT


def test_maps_are_called_by_name_time_or_number():
    atlas = atlas_of(small_labels())
    values = np.ones((3, 4))
    assert scene_of(rc.paint(values, atlas)).map_titles == ["map 1", "map 2", "map 3"]
    assert scene_of(rc.paint(values, atlas, t_r=0.72)).map_titles == ["0 s", "0.72 s", "1.44 s"]
    named = rc.Signals(values[:2], map_names=["a", "b"])
    assert scene_of(rc.paint(named, atlas)).map_titles == ["a", "b"]
    assert scene_of(rc.paint(values[0], atlas)).map_titles == [""]


def test_who_looks_is_told_where_left_is_a_guess(tmp_path):
    header = nib.Nifti1Header()  # says nothing of space
    nib.save(nib.Nifti1Image(small_labels(), None, header), tmp_path / "labels.nii")
    atlas = rc.load_parcellation(tmp_path / "labels.nii")
    with pytest.warns(SpaceWarning, match="a guess. Set its sform or qform"):
        scene = scene_of(atlas)
    assert "where left is" in scene.about[-1]


def test_what_cannot_be_shown_is_refused():
    atlas = atlas_of(small_labels())
    image = rc.paint(np.arange(4.0), atlas)
    with pytest.raises(ImageTypeError, match="does not know its regions"):
        scene_of(image.slicer[:3])
    image.get_fdata()[0, 0, 0] = 9
    with pytest.raises(ImageTypeError, match="was edited since"):
        scene_of(image)
    with pytest.raises(SignalsTypeError, match="Complex values"):
        scene_of(rc.paint(np.arange(4) * 1j, atlas))
    with pytest.raises(ArgumentError, match="do not know their regions"):
        scene_of(rc.load_signals(np.arange(4.0), atlas))


# --- volumes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("affine", AFFINES.values(), ids=list(AFFINES))
def test_every_voxel_keeps_its_place_in_the_world(affine):
    labels = small_labels()
    atlas = atlas_of(labels, affine)
    volume = volume_of(atlas)
    where = {}
    for index in np.argwhere(volume.codes):
        place = nib.affines.apply_affine(volume.affine, index)
        code = volume.codes[tuple(index)]
        where[tuple(np.round(place, 4))] = int(atlas.table.labels[code - 1])
    expected = {
        tuple(np.round(nib.affines.apply_affine(affine, index), 4)): int(labels[tuple(index)])
        for index in np.argwhere(labels)
    }
    assert where == expected
    # The axes go right, front, up.
    assert nib.aff2axcodes(volume.affine) == ("R", "A", "S")
    for axis in range(3):
        ends = np.take(volume.codes, [0, -1], axis)
        assert not ends.any()


def test_voxels_of_cifti_are_where_the_file_says():
    axis = brain_models()
    keys = np.where(np.arange(len(axis)) % 3, 5, 0)
    image = dlabel(keys, {0: "???", 5: "five"}, axis)
    volume = volume_of(rc.load_parcellation(image))
    is_region = (keys == 5) & axis.volume_mask
    expected = {
        tuple(np.round(place, 4))
        for place in nib.affines.apply_affine(axis.affine, axis.voxel[is_region])
    }
    places = nib.affines.apply_affine(volume.affine, np.argwhere(volume.codes))
    assert {tuple(np.round(place, 4)) for place in places} == expected


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_the_place_of_a_region_is_its_voxel_nearest_to_its_centroid(seed, share):
    rng = np.random.default_rng(seed)
    codes = (rng.integers(1, 9, (5, 7, 6)) * (rng.random((5, 7, 6)) < share)).astype(np.uint16)
    zooms = np.array([1.0, 2.0, 1.5])
    places = places_of_regions(Volume(codes, np.diag([*zooms, 1])), 10)
    assert len(places) == 10
    for code, place in enumerate(places, start=1):
        voxels = np.argwhere(codes == code)
        if place is None:
            assert not len(voxels)
            continue
        assert codes[tuple(place)] == code
        distances = (((voxels - voxels.mean(0)) * zooms) ** 2).sum(1)
        ours = (((place - voxels.mean(0)) * zooms) ** 2).sum()
        assert ours == pytest.approx(distances.min())


def test_surfaces_have_no_volume():
    labels = {"left": np.array([0, 3, 3]), "right": np.array([3, 0, 7])}
    assert volume_of(rc.load_parcellation(labels)) is None


def test_sides_come_from_the_table_else_from_the_middle():
    labels = np.zeros((9, 4, 3), int)
    labels[:4, 0], labels[5:, 0], labels[:, 2] = 3, 7, 50
    centred = np.diag([2.0, 3, 4, 1])
    centred[0, 3] = -8
    atlas = atlas_of(labels, centred)
    assert sides_of_regions(atlas, volume_of(atlas)).tolist() == [-1, 1, 0]
    # Counted from the edge of the image, x says nothing; the table does.
    shifted = np.diag([2.0, 3, 4, 1])
    atlas = atlas_of(labels, shifted)
    assert sides_of_regions(atlas, volume_of(atlas)).tolist() == [0, 0, 0]
    table = {"index": [3, 7, 50], "name": ["a", "b", "c"], "hemisphere": ["L", "R", None]}
    atlas = atlas_of(labels, shifted, table)
    assert sides_of_regions(atlas, volume_of(atlas)).tolist()[:2] == [-1, 1]


def test_sides_of_surfaces_are_those_of_the_structures():
    """A region of one hemisphere's cortex has its side; one of both, or of voxels too, has none."""
    on_left, on_right = np.array([1, 1, 2, 4, 0]), np.array([0, 3, 2, 3])
    axis = BrainModelAxis.from_surface(np.arange(5), 5, "CORTEX_LEFT")
    axis += BrainModelAxis.from_surface(np.arange(4), 4, "CORTEX_RIGHT")
    axis += BrainModelAxis.from_mask(np.ones((2, 1, 1), bool), affine=np.eye(4), name="BRAIN_STEM")
    keys = np.concatenate([on_left, on_right, [4, 5]])[None].astype(np.float32)
    table = {key: (name, (0, 0, 0, 1)) for key, name in enumerate("?abcde")}
    image = nib.Cifti2Image(keys, (LabelAxis(["labels"], [table]), axis))
    assert sides_said(rc.load_parcellation(image)).tolist() == [-1, 0, 1, 0, 0]


# --- limits that were said -----------------------------------------------------------------------


SIGNED = np.array([1.0, -2, 3, 0.5, -1])


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ({"vmin": 0}, (0, 3)),
        ({"vmax": 0}, (-2, 0)),
        ({"vmin": 1}, (1, 3)),
        ({"vmax": -1}, (-2, -1)),
        ({"vmin": -1}, (-1, 1)),
        ({"vmax": 2}, (-2, 2)),
        ({"vmin": -4, "vmax": 2}, (-4, 2)),
    ],
)
def test_a_limit_leaves_the_other_end_to_the_data_where_both_are_on_one_side_of_0(said, limits):
    assert scale_of(SIGNED, **said)[2:4] == limits


@given(st.lists(st.floats(-9, 9), min_size=1), st.floats(-9, 9), st.floats(-9, 9))
def test_colours_change_sides_at_0_and_nowhere_else(values, vmin, vmax):
    if not vmin < vmax:
        vmin = vmax = None
    scale = scale_of(np.array(values), vmin=vmin, vmax=vmax)
    assert (scale.name == "diverging") == (scale.low == -scale.high)


def test_limits_have_any_type_of_number():
    said = {"vmin": np.float32(-0.5), "vmax": np.int64(3), "threshold": np.uint8(1)}
    html_limits = contents_of(scene_of(one_map(), **said))[0]["scale"]
    assert html_limits["limits"] == [-0.5, 3.0]
    assert html_limits["threshold"] == 1.0
    as_json(html_limits)


@pytest.mark.parametrize("wrong", ["3", b"3", [], [1, 2], 1j, np.arange(3), 10**400, object()])
@pytest.mark.parametrize("what", ["vmin", "vmax", "threshold"])
def test_a_limit_that_is_no_number_is_refused(what, wrong):
    with pytest.raises(ArgumentError, match=f"{what} is a number"):
        scale_of(SIGNED, **{what: wrong})


@pytest.mark.parametrize("wrong", [5, b"x", ["x"], np.arange(2)])
@pytest.mark.parametrize("what", ["title", "unit"])
def test_what_people_read_is_text(what, wrong):
    with pytest.raises(ArgumentTypeError, match=f"{what} is text for people"):
        scene_of(one_map(), **{what: wrong})


def test_an_image_that_was_put_elsewhere_is_not_shown_where_it_was():
    image = one_map()
    image.affine[0] *= -1
    with pytest.raises(ImageTypeError, match="affine of this image was edited"):
        scene_of(image)


def one_map():
    atlas = atlas_of(small_labels())
    return rc.paint(np.arange(len(atlas)) - 1.0, atlas)
