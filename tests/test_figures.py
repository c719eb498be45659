"""Figures: each pixel's colour by world coordinates, left on the left, files that say names."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import small_scenes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from small_volumes import OBLIQUE

import regioncast as rc
from regioncast.atlas.hemispheres import CORTEX
from regioncast.atlas.region_table import RegionTable
from regioncast.errors import ArgumentError, ArgumentTypeError
from regioncast.io.surface.meshes import Mesh
from regioncast.signals import MapAxis
from regioncast.viewing.colours import ABSENT, BELOW, SHOWN, THEMES, rgb_of
from regioncast.viewing.figures import plotted, slices, surfaces
from regioncast.viewing.figures.keys import numbers_as_text, round_ticks, shortened, ticks_of
from regioncast.viewing.scene import Background, Scene, scene_of
from regioncast.viewing.svg import ParcelImage

SVG = "{http://www.w3.org/2000/svg}"
LABELS = [3, 7, 40, 41, 900]
NAMES = ["<b>&amp;</b>", "été סוף", "$x^2$ $", "</title><script>broken</script>", "V1"]

# Voxels of other sizes along each axis, which run to the left, back and down, in another order.
LEFT_HANDED = np.array([[0, -2.0, 0, 9], [0, 0, 3.0, -13], [-4.0, 0, 0, 11], [0, 0, 0, 1]])
RIGHT_HANDED = np.array([[2.0, 0, 0, -9], [0, 3.0, 0, -13], [0, 0, 4.0, -11], [0, 0, 0, 1]])
AFFINES = {"left-handed": LEFT_HANDED, "right-handed": RIGHT_HANDED}


def labels_at(x, y, z):
    """Labels that are the same nowhere else: no mirror image and no turn leads to them."""
    labels = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.int16)
    labels[(np.abs(x) < 8) & (y > -11) & (y < 8) & (np.abs(z) < 8)] = 3
    labels[(x > 1) & (x < 8) & (y > -2) & (y < 8) & (np.abs(z) < 8)] = 7
    labels[(np.abs(x) < 4) & (y > 3) & (y < 8) & (z > 1) & (z < 8)] = 40
    labels[(x < -3) & (x > -8) & (y > -11) & (y < -5) & (z > -8) & (z < 0)] = 41
    labels[(np.abs(x) < 1.5) & (np.abs(y) < 3) & (np.abs(z) < 3)] = 900
    return labels


def atlas_in(affine, shape=(9, 10, 8)):
    """Regions in a volume that is no cube."""
    i, j, k = np.indices(shape)
    x, y, z = np.moveaxis(nib.affines.apply_affine(affine, np.stack([i, j, k], -1)), -1, 0)
    table = pd.DataFrame({"index": LABELS, "name": NAMES})
    return rc.load_parcellation(nib.Nifti1Image(labels_at(x, y, z), affine), regions=table)


def scene_in(affine, values=(-2.0, 1.5, np.nan, 0.25, 3.0), **how):
    return scene_of(rc.paint(np.array(values), atlas_in(affine)), **how)


def images_of(figure):
    axes = [child for ax in figure.axes for child in [ax, *ax.child_axes]]
    return [image for ax in axes for image in ax.images if isinstance(image, ParcelImage)]


def texts_of(figure):
    """All that is written, but for nothing."""
    texts = [text for text in figure.findobj(mpl.text.Text) if text.get_text()]
    return [text for text in texts if text.get_visible() and text.get_transform() is not None]


def file_of(figure, ending, **how):
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, **how)
    return buffer.getvalue()


def expected_pixel(scene, theme, label, row, column):
    """The colour of a sample of an image of codes, top row and left column 0."""
    if label == 0:
        return (0, 0, 0, 0)
    kinds, rgb = scene.colours()
    code = 1 + scene.atlas.table.labels.tolist().index(label)
    is_stripe = (row + column) % 4 == 0
    look = {
        BELOW: rgb_of(theme.below),
        ABSENT: rgb_of(theme.stripe if is_stripe else theme.absent),
        SHOWN: tuple(rgb[code].tolist()),
    }
    return (*look[kinds[code]], 255)


def check_slices(affine, theme="light"):
    """Each pixel of each slice has the colour of the region at its place in the world."""
    scene = scene_in(affine, threshold=0.5)
    cuts = {"x": [-5, 1, 5], "y": [-7, 5], "z": [-5, 3]}
    figure = plotted(scene, cuts=cuts, theme=theme)
    planes = [("x", mm) for mm in cuts["x"]] + [("y", mm) for mm in cuts["y"]]
    planes += [("z", mm) for mm in cuts["z"]]
    images = images_of(figure)
    assert len(images) == len(planes)
    grid = scene.atlas.space.parts["voxels"].frame
    of_voxel = np.linalg.inv(grid.affine)
    all_labels = np.concatenate([[0], scene.atlas.table.labels])[scene.atlas.codes]
    seen = set()
    for (letter, mm), image in zip(planes, images, strict=True):
        rgba = image.get_array()
        left, right, bottom, top = image.get_extent()
        assert left < right
        assert bottom < top
        for row, column in np.ndindex(rgba.shape[:2]):
            across = left + (column + 0.5) * (right - left) / rgba.shape[1]
            up = top + (row + 0.5) * (bottom - top) / rgba.shape[0]
            point = {"x": (mm, across, up), "y": (across, mm, up), "z": (across, up, mm)}[letter]
            voxel = np.rint(nib.affines.apply_affine(of_voxel, point)).astype(int)
            is_inside = ((voxel >= 0) & (voxel < grid.shape)).all()
            label = int(all_labels.reshape(grid.shape)[tuple(voxel)]) if is_inside else 0
            seen.add(label)
            pixel = tuple(rgba[row, column].tolist())
            assert pixel == expected_pixel(scene, THEMES[theme], label, row, column)
    assert seen == {0, *LABELS}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_pixels_of_slices_are_of_the_region_in_the_world(affine, theme):
    check_slices(affine, theme)


@pytest.mark.parametrize("flipped", [np.s_[:, ::-1], np.s_[::-1]], ids=["sideways", "upside down"])
def test_a_mirrored_slice_would_be_noticed(monkeypatch, flipped):
    proper = slices.slice_of
    monkeypatch.setattr(
        slices,
        "slice_of",
        lambda *where: proper(*where)._replace(codes=proper(*where).codes[flipped]),
    )
    with pytest.raises(AssertionError):
        check_slices(RIGHT_HANDED)


def test_slices_of_an_oblique_volume_are_layers_of_its_voxels():
    """Columns of an axial image are layers of the axis that runs to the right, left ones first."""
    labels = np.random.default_rng(1).integers(1, 6, (6, 5, 4)).astype(np.int16)
    scene = scene_of(rc.paint(np.arange(5.0), nib.Nifti1Image(labels, OBLIQUE)))
    figure = plotted(scene, cuts={"z": 1})
    (image,) = images_of(figure)
    # The first axis of the array runs to the left, the second to the front, the third up.
    layer = labels[::-1, ::-1, 1].T
    np.testing.assert_array_equal(image.get_array()[1:-1, 1:-1, :3], scene.colours().rgb[layer])
    middle = nib.affines.apply_affine(OBLIQUE, [2.5, 2, 1])
    left, right, bottom, top = image.get_extent()
    assert ((left + right) / 2, (bottom + top) / 2) == pytest.approx(
        (middle[0] - 0.2, middle[1] - 0.3), abs=0.5
    )
    assert f"z ≈ \N{MINUS SIGN}{-middle[2]:.0f}" in [text.get_text() for text in texts_of(figure)]


def test_lines_are_where_labels_differ():
    scene = scene_in(RIGHT_HANDED, (1, 2, 3, 4, 5.0))
    figure = plotted(scene, cuts={"z": [3]})
    image = images_of(figure)[0]
    (lines,) = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    left, right, bottom, top = image.get_extent()
    height, width = image.get_array().shape[:2]
    pixel = (right - left) / width, (top - bottom) / height
    total = 0
    for line in lines.get_path().to_polygons(closed_only=False):
        for start, end in itertools.pairwise(line):
            steps = np.abs((end - start) / pixel)
            assert min(steps) == pytest.approx(0, abs=1e-9)
            total += steps.sum()
    # Without stripes, colours differ just where regions do.
    padded = np.pad(image.get_array().astype(int), ((1, 1), (1, 1), (0, 0)))
    differs = [(np.diff(padded, axis=axis) != 0).any(2).sum() for axis in (0, 1)]
    assert total == pytest.approx(sum(differs))


def test_what_is_behind_is_where_it_is_in_the_world():
    scene = scene_in(LEFT_HANDED)
    shape = scene.atlas.space.parts["voxels"].frame.shape
    greys = np.zeros(shape, np.uint8)
    voxel = np.rint(nib.affines.apply_affine(np.linalg.inv(LEFT_HANDED), [7, -10, 3])).astype(int)
    greys[tuple(voxel)] = 248
    figure = plotted(replace(scene, background=Background(greys, "one voxel")), cuts={"z": [3]})
    behind = next(im for im in figure.axes[0].images if not isinstance(im, ParcelImage))
    (row,), (column,) = np.nonzero(behind.get_array()[..., 3])
    left, right, bottom, top = behind.get_extent()
    height, width = behind.get_array().shape[:2]
    x = left + (column + 0.5) * (right - left) / width
    y = top + (row + 0.5) * (bottom - top) / height
    at = nib.affines.apply_affine(LEFT_HANDED, voxel)
    assert (x, y) == pytest.approx(tuple(at[:2]))


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_what_is_behind_is_seen_where_no_value_is_shown(ending):
    """Regions below the threshold are clear; of those that are n/a, stripes stay."""
    scene = scene_in(RIGHT_HANDED, threshold=0.5)
    greys = np.full(scene.atlas.space.parts["voxels"].frame.shape, 96, np.uint8)
    figure = plotted(replace(scene, background=Background(greys, "all grey")))
    kinds = scene.colours().kinds
    codes = 1 + np.arange(len(LABELS))
    for image in images_of(figure):
        for parcel in image.parcels():
            label = int(parcel.id.split(".")[0])
            kind = kinds[codes[LABELS.index(label)]]
            assert bool(parcel.color) == (kind == SHOWN)
            assert bool(parcel.stripes) == (kind == ABSENT)
    pixels = np.concatenate([image.get_array().reshape(-1, 4) for image in images_of(figure)])
    seen = {tuple(pixel) for pixel in pixels[pixels[:, 3] > 0].tolist()}
    theme = THEMES["light"]
    assert (*rgb_of(theme.stripe), 255) in seen
    assert not seen & {(*rgb_of(theme.below), 255), (*rgb_of(theme.absent), 255)}
    assert file_of(figure, ending)


def test_svg_has_titles_of_regions_that_are_clear():
    scene = scene_in(RIGHT_HANDED, threshold=0.5)
    greys = np.full(scene.atlas.space.parts["voxels"].frame.shape, 96, np.uint8)
    figure = plotted(replace(scene, background=Background(greys, "all grey")))
    titles = {element.text for element in ET.fromstring(file_of(figure, "svg")).iter(f"{SVG}title")}
    assert {f"{NAMES[2]}: n/a", f"{NAMES[3]}: 0.25"} <= titles


# ------------------------------------------------------------------------------ surfaces


def ball(centre, n_around=24, n_up=13):
    """The mesh of a ball of 30 mm about a point, and the directions of its vertices."""
    up, around = np.meshgrid(
        np.linspace(-np.pi / 2, np.pi / 2, n_up), np.linspace(0, 2 * np.pi, n_around), indexing="ij"
    )
    out = np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], -1)
    row, column = np.indices((n_up - 1, n_around - 1)).reshape(2, -1)
    at = row * n_around + column
    faces = np.concatenate(
        [
            np.stack([at, at + 1, at + n_around + 1], 1),
            np.stack([at, at + n_around + 1, at + n_around], 1),
        ]
    )
    out = out.reshape(-1, 3)
    return Mesh(30 * out + centre, faces.astype(np.int32)), out


def two_balls(kinds=(1, 2, 3)):
    """A left and a right ball, each with a region in front, and one that the other has not."""
    left, out = ball([-31, 0, 0])
    right, _ = ball([31, 0, 0])
    front = out[:, 1] > 0.3
    labels = {
        "left": np.where(front, 1, np.where(out[:, 2] > 0.5, 2, 0)),
        "right": np.where(front, 3, np.where(out[:, 2] < -0.5, 4, 0)),
    }
    arrays = {side: of_side.astype(np.int32) for side, of_side in labels.items()}
    atlas = rc.load_parcellation(**arrays)
    meshes = dict(zip(atlas.space.parts, (left, right), strict=True))
    return atlas, meshes


# Red, green, blue and yellow, from low to high.
PURE = ["#ff0000", "#ff0000", "#00ff00", "#00ff00", "#0000ff", "#0000ff", "#ffff00", "#ffff00"]


def surface_scene(values=(0.0, 1.0, 2.0, 3.0), **how):
    atlas, meshes = two_balls()
    scene = scene_of(rc.paint(np.array(values), atlas), cmap=PURE, vmin=-0.5, vmax=3.5, **how)
    return replace(scene, meshes=meshes)


def where(figure, ax, color):
    """Where in some axes a colour is, whatever light falls on it: x from 0 to 1, y upwards."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1].astype(float)
    box = ax.get_window_extent()
    x0, x1, y0, y1 = (round(n) for n in (box.x0, box.x1, box.y0, box.y1))
    inside = pixels[y0:y1, x0:x1, :3]
    of_color = np.array(rgb_of(color)) > 0
    is_bright = inside > 0.8 * inside.max(2, keepdims=True)
    is_dark = inside < 0.25 * inside.max(2, keepdims=True)
    is_color = (np.where(of_color, is_bright, is_dark)).all(2) & (inside.max(2) > 60)
    rows, columns = np.nonzero(is_color)
    if len(rows) < 0.01 * is_color.size:
        return None
    return columns.mean() / is_color.shape[1], rows.mean() / is_color.shape[0]


def check_surfaces():
    figure = plotted(surface_scene(), size=6, theme="dark", views=surfaces.VIEWS)
    panels = {image.panel: image.axes for image in images_of(figure)}
    red, green, blue, yellow = (PURE[at] for at in (0, 2, 4, 6))
    expected = {
        # In front is on the left where the left ball is seen from the left; it is red.
        "map1.left.lateral": {red: (0.3, None), green: (None, 0.8), blue: None, yellow: None},
        "map1.left.medial": {red: (0.7, None), green: (None, 0.8), blue: None},
        "map1.right.medial": {blue: (0.3, None), yellow: (None, 0.2), red: None},
        "map1.right.lateral": {blue: (0.7, None), yellow: (None, 0.2), red: None},
        "map1.superior": {red: (0.25, 0.8), blue: (0.75, 0.8), green: (0.25, None), yellow: None},
        "map1.inferior": {red: (0.25, 0.2), blue: (0.75, 0.2), yellow: (0.75, None), green: None},
        "map1.anterior": {red: (0.75, None), blue: (0.25, None)},
        "map1.posterior": {green: (0.25, 0.9), yellow: (0.75, 0.1), red: None},
    }
    assert set(panels) == set(expected)
    for panel, colors in expected.items():
        for color, place in colors.items():
            got = where(figure, panels[panel], color)
            assert (got is None) == (place is None), (panel, color, got)
            for mine, wanted in zip(got or (), place or (), strict=True):
                assert wanted is None or abs(mine - wanted) < 0.2, (panel, color, got)


def test_left_is_left_in_all_views():
    check_surfaces()


def test_mirrored_meshes_would_be_noticed(monkeypatch):
    proper = surfaces.meshes_of

    def mirrored(scene):
        turn = np.array([-1, 1, 1])
        return [
            replace(
                mesh,
                coordinates=mesh.coordinates * turn,
                faces=np.ascontiguousarray(mesh.faces[:, ::-1]),
            )
            for mesh in proper(scene)
        ]

    monkeypatch.setattr(surfaces, "meshes_of", mirrored)
    with pytest.raises(AssertionError):
        check_surfaces()


def test_captions_name_sides_and_ends():
    figure = plotted(surface_scene(), views=["lateral", "superior", "anterior"])
    written = [text.get_text() for text in texts_of(figure)]
    at = {caption: written.index(caption) for caption in written if len(caption) > 2}
    ends = {caption: tuple(written[place + 1 : place + 3]) for caption, place in at.items()}
    assert ends["L lateral"] == ("A", "P")
    assert ends["R lateral"] == ("P", "A")
    assert ends["superior"] == ("L", "R")
    assert ends["anterior"] == ("R", "L")


def test_views_of_one_hemisphere():
    atlas, meshes = two_balls()
    right = rc.load_parcellation(right=np.asarray(atlas.codes[-len(atlas.codes) // 2 :], np.int32))
    scene = replace(scene_of(right), meshes={next(iter(right.space.parts)): meshes[CORTEX_OF["R"]]})
    captions = [text.get_text() for text in texts_of(plotted(scene))]
    assert "R lateral" in captions
    assert not any(caption.startswith("L ") for caption in captions)


CORTEX_OF = dict(zip("LR", two_balls()[1], strict=True))


def test_hemispheres_that_overlap_are_drawn_apart():
    scene = surface_scene()
    left, right = (
        mesh._replace(coordinates=mesh.coordinates - [shift, 0, 0])
        for mesh, shift in zip(scene.meshes.values(), (-20, 20), strict=True)
    )
    scene = replace(scene, meshes=dict(zip(scene.meshes, (left, right), strict=True)))
    figure = plotted(scene, views="superior", theme="dark")
    ax = figure.axes[0]
    for color, x in ((PURE[0], 0.25), (PURE[4], 0.75)):
        assert where(figure, ax, color)[0] == pytest.approx(x, abs=0.05)


def test_flat_maps_are_seen_from_above():
    scene = surface_scene()
    flat = {
        part: mesh._replace(coordinates=mesh.coordinates * [1, 1, 0])
        for part, mesh in scene.meshes.items()
    }
    scene = replace(scene, meshes=flat)
    assert [image.panel for image in images_of(plotted(scene))] == ["map1.superior"]


def test_a_volume_has_surfaces_of_its_own():
    figure = plotted(scene_in(RIGHT_HANDED), kind="surface", views=["superior"])
    assert [image.panel for image in images_of(figure)] == ["map1.superior"]
    np.testing.assert_equal(len(file_of(figure, "png")) > 1000, True)


# ------------------------------------------------------------------------------ files


def scenes():
    return {
        "slices": (scene_in(LEFT_HANDED, title="<Title> & $x$", unit="µV²"), {"cuts": 3}),
        "surface": (surface_scene((0, np.nan, 2, 3), unit="z"), {"theme": "dark"}),
        "meshes of a volume": (scene_in(RIGHT_HANDED, threshold=1), {"kind": "surface"}),
        "ranked": (scene_in(RIGHT_HANDED, title="Ranked", unit="a. u."), {"kind": "ranked"}),
    }


SCENES = scenes()


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
@pytest.mark.parametrize("name", SCENES)
def test_files_are_the_same_whenever_they_are_made(name, ending):
    scene, how = SCENES[name]
    first, second = (file_of(plotted(scene, **how), ending) for _ in range(2))
    assert first == second
    assert b"Date" not in first


@pytest.mark.parametrize("name", ["slices", "surface", "meshes of a volume"])
def test_svg_has_a_titled_path_of_each_region_that_is_seen(name):
    scene, how = SCENES[name]
    figure = plotted(scene, **how)
    root = ET.fromstring(file_of(figure, "svg"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    titles = {}
    for group in root.iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None:
            assert group.find(f"{SVG}path") is not None or group.find(f".//{SVG}path") is not None
            titles.setdefault(title.text, []).append(group.get("id"))
    unit = f" {scene.unit}" if scene.unit else ""
    values = ["n/a" if np.isnan(value) else f"{value:g}{unit}" for value in scene.values[0]]
    names = scene.atlas.table.unique_names
    expected = {f"{name}: {value}" for name, value in zip(names, values, strict=True)}
    # A region within another is not seen from outside.
    assert set(titles) <= expected
    assert len(titles) >= len(expected) - (name == "meshes of a volume")
    for of_region in titles.values():
        assert all(one.startswith("map1.") for one in of_region)


def test_svg_paths_have_the_colours_of_regions():
    scene = scene_in(RIGHT_HANDED)
    root = ET.fromstring(file_of(plotted(scene, cuts={"z": [3]}), "svg"))
    rgb = scene.colours().rgb
    fills = {}
    for group in root.iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None:
            style = group.find(f".//{SVG}path").get("style")
            fills[title.text.rpartition(":")[0]] = style
    names = scene.atlas.table.unique_names
    for code, name in enumerate(names, 1):
        if scene.colours().kinds[code] == SHOWN and name in fills:
            assert f"fill: #{bytes(rgb[code].tolist()).hex()}" in fills[name]
    assert set(fills) >= {names[0], names[1]}


def test_svg_of_somebodys_own_figure_has_titles_too():
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.add_subplot(1, 2, 1)
    assert plotted(surface_scene(), ax=ax) is figure
    assert plotted(scene_in(RIGHT_HANDED), ax=figure.add_subplot(1, 2, 2), kind="ranked") is figure
    root = ET.fromstring(file_of(figure, "svg"))
    assert len(list(root.iter(f"{SVG}title"))) >= 8
    outer = ax.get_window_extent()
    assert ax.child_axes
    for child in ax.child_axes:
        inner = child.get_window_extent()
        assert outer.x0 - 1 <= inner.x0 < inner.x1 <= outer.x1 + 1
        assert outer.y0 - 1 <= inner.y0 < inner.y1 <= outer.y1 + 1


def test_nothing_of_pyplot_and_of_its_settings_is_touched():
    code = """
import sys, io, numpy as np, nibabel as nib, matplotlib as mpl
import regioncast as rc
from regioncast.viewing.figures import plotted
from regioncast.viewing.scene import scene_of
before = dict(mpl.rcParams)
labels = nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
figure = plotted(scene_of(rc.paint(np.arange(23.0), labels)))
figure.savefig(io.BytesIO(), format="svg")
assert dict(mpl.rcParams) == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_without_matplotlib_an_error_says_what_to_install():
    code = """
import sys
sys.modules["matplotlib"] = None
from regioncast.errors import MissingPackageError
try:
    import regioncast.viewing.figures
except MissingPackageError as error:
    assert "pip install 'regioncast[plot]'" in str(error)
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_shows_it():
    figure = plotted(scene_in(RIGHT_HANDED), size=4)
    png, size = figure._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert size["width"] == 400
    # Twice as many pixels as it is wide.
    assert int.from_bytes(png[16:20]) == 800


# ------------------------------------------------------------------------------ layout


LAYOUTS = {
    "mosaic": (scene_in(RIGHT_HANDED, title="Title", unit="z"), {}),
    "narrow": (scene_in(RIGHT_HANDED, title="Title", unit="z"), {"size": 4}),
    "wide and low": (scene_in(RIGHT_HANDED, unit="a very long unit"), {"size": (9, 4)}),
    "surfaces": (surface_scene((0, np.nan, 2, 3), title="Title", unit="z"), {}),
    "surfaces, narrow": (surface_scene(), {"size": 3.5}),
    "surfaces, square": (surface_scene(), {"size": (5, 5)}),
    "ranked": (scene_in(RIGHT_HANDED, title="Title", unit="z"), {"kind": "ranked"}),
    "three maps": (
        scene_of(rc.paint(np.arange(15.0).reshape(3, 5) - 7, atlas_in(RIGHT_HANDED)), title="T"),
        {},
    ),
    "three rankings": (
        scene_of(rc.paint(np.arange(15.0).reshape(3, 5) - 7, atlas_in(RIGHT_HANDED)), title="T"),
        {"kind": "ranked"},
    ),
    "atlas": (scene_of(atlas_in(RIGHT_HANDED), title="Atlas"), {}),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_texts_are_inside_and_do_not_overlap(name):
    scene, how = LAYOUTS[name]
    figure = plotted(scene, **how)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    whole = figure.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
    for text, box in boxes:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1 + 1, text
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1 + 1, text
    for (text, box), (other_text, other) in itertools.combinations(boxes, 2):
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert min(width, height) <= 1, (text, other_text)
    panels = [image.axes.get_window_extent() for image in images_of(figure)]
    for box, other in itertools.combinations(panels, 2):
        width = min(box.x1, other.x1) - max(box.x0, other.x0)
        height = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert min(width, height) <= 1


@pytest.mark.parametrize("size", [4, (6, 3.5), (3, 8)])
def test_sizes_are_as_asked(size):
    figure = plotted(surface_scene(), size=size)
    width, height = figure.get_size_inches()
    wanted = size if isinstance(size, tuple) else (size, height)
    assert (width, height) == pytest.approx(wanted)


def test_where_there_is_little_room_letters_stand_once():
    scene = scene_in(RIGHT_HANDED)
    wide, narrow = (plotted(scene, cuts={"z": 4}, size=inches) for inches in (6, 3))
    assert [written(figure).count("L") for figure in (wide, narrow)] == [4, 1]
    assert len(images_of(narrow)) == 4


@pytest.mark.parametrize("shape", [(40, 5, 5), (5, 40, 5), (5, 5, 40)])
def test_slices_of_what_is_long_have_room(shape):
    """No direction has so many slices that their captions do not fit."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    image = nib.Nifti1Image(np.ones(shape, np.int16), affine)
    figure = plotted(scene_of(rc.load_parcellation(image)))
    assert len(images_of(figure)) <= 3 * 7


def test_panels_of_a_strip_share_their_scale():
    figure = plotted(scene_in(RIGHT_HANDED))
    scales = set()
    for image in images_of(figure):
        ax = image.axes
        inches = ax.get_window_extent().width / figure.dpi
        scales.add(round(inches / np.ptp(ax.get_xlim()), 6))
    assert len(scales) == 1


def test_paper_of_each_theme_and_none():
    scene = scene_in(RIGHT_HANDED)
    for theme, colors in THEMES.items():
        figure = plotted(scene, theme=theme)
        assert mpl.colors.to_hex(figure.get_facecolor()) == colors.paper
    figure = plotted(scene, transparent=True)
    FigureCanvasAgg(figure).draw()
    assert np.asarray(figure.canvas.buffer_rgba())[0, 0, 3] == 0


# ------------------------------------------------------------------------------ what is chosen


def written(figure):
    return [text.get_text() for text in texts_of(figure)]


def test_cuts_are_written_where_they_are():
    figure = plotted(scene_in(RIGHT_HANDED), cuts={"z": [-3, 5.2], "x": 2})
    captions = [text for text in written(figure) if " = " in text]
    assert captions[-2:] == ["z = \N{MINUS SIGN}3", "z = 5"]
    assert [caption[0] for caption in captions] == ["x", "x", "z", "z"]


def several():
    values = np.arange(30.0).reshape(6, 5)
    table = pd.DataFrame(values.T, columns=[*"abcdef"])
    table.insert(0, "index", LABELS)
    return scene_of(rc.paint(table, atlas_in(RIGHT_HANDED)))


@pytest.mark.parametrize(
    ("maps", "titles"), [("c", None), ([0, "e"], ["a", "e"]), ([-1, 1], ["f", "b"]), (2, None)]
)
def test_maps_are_chosen_by_number_or_title(maps, titles):
    scene = several()
    figure = plotted(scene, maps=maps, cuts=2)
    panels = [image.panel for image in images_of(figure)]
    if titles is None:
        assert {panel.partition(".")[0] for panel in panels} == {"map3"}
        assert len(panels) == 6
        assert not set("abcdef") & set(written(figure))
    else:
        assert [text for text in written(figure) if text in "abcdef"] == titles
        numbers = ["abcdef".index(title) + 1 for title in titles]
        assert [panel.partition(".")[0] for panel in panels] == [
            f"map{number}" for number in numbers for _ in range(2)
        ]
    colours = scene.colours("abcdef".index(titles[0]) if titles else 2).rgb
    shown = {tuple(pixel) for pixel in images_of(figure)[0].get_array()[..., :3].reshape(-1, 3)}
    assert shown <= {tuple(color) for color in colours}


def test_threads_save_the_same_file_and_leave_settings_alone():
    scene, files = scene_in(RIGHT_HANDED), []
    settings = dict(mpl.rcParams)

    def save():
        buffer = io.BytesIO()
        plotted(scene, cuts=1).savefig(buffer, format="svg")
        files.append(buffer.getvalue())

    threads = [threading.Thread(target=save) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files) == 6
    assert len(set(files)) == 1
    assert dict(mpl.rcParams) == settings


def test_bars_need_a_height_and_axes_a_figure():
    scene = scene_in(RIGHT_HANDED)
    with pytest.raises(ArgumentError, match=r"height of 0\.3 inches"):
        plotted(scene, kind="ranked", size=(5, 0.3))
    ax = Figure().add_subplot()
    ax.remove()
    with pytest.raises(ArgumentError, match="removed from its figure"):
        plotted(scene, ax=ax)


def test_maps_called_by_numbers_are_chosen_by_these():
    values = pd.DataFrame(np.arange(20.0).reshape(5, 4), columns=["01", "0", "-1", "2"])
    values.insert(0, "index", LABELS)
    scene = scene_of(rc.paint(values, atlas_in(RIGHT_HANDED)))
    for asked, number in {"01": 0, "-1": 2, 1: 1, -1: 3, "2": 3, "-2": 2}.items():
        (first, *_) = images_of(plotted(scene, maps=asked, cuts=1))
        assert first.panel.startswith(f"map{number + 1}.")
    scene = replace(scene, axis=MapAxis(names=("a", "b", "a", "c")))
    with pytest.raises(ArgumentError, match="several maps are called 'a'"):
        plotted(scene, maps="a")


@pytest.mark.parametrize("extent", [[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]])
def test_a_mesh_without_extent_is_drawn(extent):
    mesh = small_scenes.LEFT_MESH
    mesh = mesh._replace(coordinates=mesh.coordinates * extent)
    scene = small_scenes.surface_scene(is_pair=False)
    scene = replace(scene, meshes=dict.fromkeys(scene.meshes, mesh))
    for view in ("lateral", "superior", "anterior"):
        for ending in ("png", "svg"):
            plotted(scene, views=view, maps=0).savefig(io.BytesIO(), format=ending)


def test_grayordinates_show_surfaces_and_slices_below():
    from small_spaces import brain_models, dlabel

    axis = brain_models()
    keys = np.ones(len(axis))
    atlas = rc.load_parcellation(dlabel(keys, {0: "none", 1: "all"}, axis))
    meshes = {}
    for structure, part in atlas.space.parts.items():
        if structure in CORTEX.values():
            n = part.frame
            out = np.random.default_rng(n).standard_normal((n, 3))
            corners = np.arange(n, dtype=np.int32)
            faces = np.stack([corners, np.roll(corners, 1), np.roll(corners, 2)], 1)
            meshes[structure] = Mesh(out, faces)
    figure = plotted(replace(scene_of(atlas), meshes=meshes))
    panels = [image.panel.split(".")[1] for image in images_of(figure)]
    assert panels[:4] == ["left", "left", "right", "right"]
    assert set(panels[4:]) == {"axial"}


@pytest.mark.parametrize("has_values", [True, False])
def test_what_colours_mean_may_be_left_out(has_values):
    scene = scene_in(RIGHT_HANDED) if has_values else scene_of(atlas_in(RIGHT_HANDED))
    whole, plain = (plotted(scene, cuts={"z": 2}, colorbar=told) for told in (True, False))
    assert plain.get_size_inches()[0] < whole.get_size_inches()[0]
    captions = [text for text in written(plain) if text not in ("L", "R")]
    assert all(text.startswith("z = ") for text in captions)
    assert len(images_of(plain)) == 2


def test_an_atlas_of_few_regions_and_categories_have_a_list():
    atlas = atlas_in(RIGHT_HANDED)
    assert set(NAMES) <= set(written(plotted(scene_of(atlas))))
    categories = RegionTable([1, 2, 5, 9], ["Visual", "Default", "Limbic", "unused"])
    scene = Scene(atlas, np.array([[1, 2, 5, 5, 3]]), categories=categories)
    texts = written(plotted(scene))
    assert {"Visual", "Default", "Limbic", "n/a"} <= set(texts)
    assert "unused" not in texts
    colors = scene.category_colors
    figure = plotted(scene, cuts={"z": [3]})
    shown = {tuple(pixel) for pixel in images_of(figure)[0].get_array().reshape(-1, 4).tolist()}
    assert (*rgb_of(colors[0]), 255) in shown


def test_regions_are_ranked_by_value():
    figure = plotted(scene_in(RIGHT_HANDED, (-2, 1.5, np.nan, 0.25, 3), unit="z"), kind="ranked")
    names = [text for text in written(figure) if text in NAMES]
    assert names == [NAMES[4], NAMES[1], NAMES[3], NAMES[0]]
    assert {"\N{MINUS SIGN}2.00", "1.50", "0.25", "3.00", "z"} <= set(written(figure))
    bars = figure.axes[0].patches
    scene = scene_in(RIGHT_HANDED, (-2, 1.5, np.nan, 0.25, 3))
    rgb = scene.colours().rgb
    for bar, code in zip(bars, [5, 2, 4, 1], strict=True):
        assert np.rint(np.array(bar.get_facecolor()[:3]) * 255).tolist() == rgb[code].tolist()


def test_rankings_beside_each_other_have_one_scale():
    values = pd.DataFrame([[-2, 1, 2, 3, 4], [0, 10, 20, 30, 40.0]], columns=NAMES)
    scene = scene_of(rc.paint(values, atlas_in(RIGHT_HANDED)))
    first, second = plotted(scene, kind="ranked").axes
    assert first.get_xlim() == second.get_xlim() == (-2, 40)


def test_a_ranking_leaves_out_what_is_between():
    labels = nib.Nifti1Image(np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    values = np.random.default_rng(0).permutation(np.arange(60.0))
    names = [f"region {label}" for label in range(1, 61)]
    table = pd.DataFrame({"index": range(1, 61), "name": names})
    scene = scene_of(rc.paint(values, rc.load_parcellation(labels, regions=table)))
    texts = written(plotted(scene, kind="ranked"))
    assert "40 more between" in texts
    order = np.argsort(-values)
    shown = [names[row] for row in [*order[:10], *order[-10:]]]
    assert [text for text in texts if text in names] == shown


def test_without_any_value_a_ranking_says_so():
    scene = scene_in(RIGHT_HANDED, [np.nan] * 5)
    assert "No region has a value." in written(plotted(scene, kind="ranked"))


# ------------------------------------------------------------------------------ colour bar


def test_a_bar_has_round_numbers_and_the_threshold():
    scale = scene_in(RIGHT_HANDED, threshold=1.1, vmax=5).scale
    assert ticks_of(scale) == [-4, -2, -1.1, 0, 1.1, 2, 4]
    scale = scene_in(RIGHT_HANDED, threshold=2.1, vmax=5).scale
    assert ticks_of(scale) == [-4, -2.1, 0, 2.1, 4]
    assert round_ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert numbers_as_text([-0.5, 0, 1e-9, 12345.0]) == [
        "\N{MINUS SIGN}0.5",
        "0",
        "1e\N{MINUS SIGN}09",
        "12,345",
    ]
    assert shortened("abcdefghijkl", 9) == "abcd…ijkl"


def test_a_bar_is_grey_below_the_threshold_and_has_arrows_for_values_beyond():
    scene = scene_in(RIGHT_HANDED, threshold=1, vmax=2)
    bar = plotted(scene).axes[-2]
    fills = [mpl.colors.to_hex(patch.get_facecolor()) for patch in bar.patches]
    assert THEMES["light"].below in fills
    assert sum(isinstance(patch, mpl.patches.Polygon) for patch in bar.patches) == 1
    assert "n/a" in written(plotted(scene))
    assert "n/a" not in written(plotted(scene_in(RIGHT_HANDED, (1, 2, 3, 4, 5))))


# ------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"kind": "glass"}, "kind is one of 'auto', 'slices'"),
        ({"theme": "blue"}, "theme is one of 'light', 'dark'; not 'blue'"),
        ({"size": 0}, "size is a width"),
        ({"size": (1, 2, 3)}, "size is a width"),
        ({"size": "wide"}, "size is a width"),
        ({"size": 0.4}, "There is no room for 3 rows"),
        ({"size": 1, "kind": "ranked"}, "Names and bars do not fit into 1.0 inches"),
        ({"cuts": {"w": 3}}, "cuts is a number of slices per row"),
        ({"cuts": -1}, "cuts is a number of slices per row"),
        ({"cuts": {"x": [500]}}, r"x = 500.0 is outside what there is to see"),
        ({"cuts": {"x": []}}, "'x' is a number of slices, or their mm"),
        ({"cuts": {"x": "left"}}, "'x' is a number of slices, or their mm"),
        ({"views": "top", "kind": "surface"}, "there is no view 'top'"),
        ({"views": [], "kind": "surface"}, "none is chosen"),
        ({"maps": 3}, "there is no map 3. Maps go by number, from 0 to 0"),
        ({"maps": []}, "none is chosen"),
        ({"maps": True}, "there is no map True"),
    ],
)
def test_wrong_arguments(how, message):
    with pytest.raises(ArgumentError, match=message):
        plotted(scene_in(RIGHT_HANDED), **how)


def test_what_cannot_be_drawn():
    with pytest.raises(ArgumentTypeError, match="ax is one axes of matplotlib, not int"):
        plotted(scene_in(RIGHT_HANDED), ax=3)
    with pytest.raises(ArgumentError, match="pass either ax= or size="):
        plotted(scene_in(RIGHT_HANDED), ax=Figure().add_subplot(), size=3)
    with pytest.raises(ArgumentError, match="an atlas has none"):
        plotted(scene_of(atlas_in(RIGHT_HANDED)), kind="ranked")
    with pytest.raises(ArgumentError, match="There is no mesh to draw these regions on"):
        plotted(replace(surface_scene(), meshes={}))
    with pytest.raises(ArgumentError, match="There are no voxels"):
        plotted(surface_scene(), kind="slices")
    many = scene_of(rc.paint(np.zeros((13, 5)), atlas_in(RIGHT_HANDED)))
    with pytest.raises(ArgumentError, match="13 maps are too many for one figure"):
        plotted(many)
    with pytest.raises(ArgumentError, match="5 rankings do not fit beside each other"):
        plotted(many, maps=[0, 1, 2, 3, 4], kind="ranked")
