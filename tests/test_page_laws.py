"""The page shows what the table says: every pixel by world coordinates, every colour, every value.

Where a law could be fulfilled by chance, a page with a fault (`browser.mutant`) is shown to break
it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import nibabel as nib
import numpy as np
import pytest
import small_scenes as small
from browser import Page, mutant
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from nibabel.affines import apply_affine
from small_scenes import rotated

import regioncast as rc
from regioncast.viewing.colours import (
    ABSENT,
    BELOW,
    NO_REGION,
    RAMPS,
    SHOWN,
    THEMES,
    ramp_of,
    rgb_of,
)
from regioncast.viewing.meshes import DrawnMesh, meshes_of, surfaces_of, voxels_of
from regioncast.viewing.scene import Background, Scene, scene_of
from regioncast.viewing.views import CAMERAS, Camera, Frame, drawn

# Of each view: its axis, and the axes that go to the right and up on the screen.
AXES = {"sagittal": (0, 1, 2), "coronal": (1, 0, 2), "axial": (2, 0, 1)}
DISPLAYS = {"neurological": False, "radiological": True}


@cache
def html_of_image(name: str) -> str:
    return small.html_of(small.scene_of_image(name))


# ------------------------------------------------------------------------- slices


def set_display(page: Page, *, radiological: bool) -> None:
    """By the control, as people do."""
    control = page.element("#radiological")
    if page.run("return r.state.radiological") != radiological:
        control.click()
    assert page.run("return r.state.radiological") == radiological
    page.settle()


def slices_of(page: Page, axis: int) -> np.ndarray:
    """The codes of all slices along an axis, shape (n_slices, height, width)."""
    shape = page.run("return r.meta.volume.shape")
    every = page.array(f"""(() => {{
      const codes = [];
      for (let index = 0; index < {shape[axis]}; index++) {{
        r.state.at[{axis}] = index;
        r.drawNow();
        codes.push(...r.slices[{axis}].codes);
      }}
      return new Uint32Array(codes);
    }})()""")
    width, height = page.run("const s = r.slices[arguments[0]]; return [s.width, s.height]", axis)
    return every.reshape(shape[axis], height, width)


def places_of_pixels(page: Page, view: str, *, radiological: bool) -> np.ndarray:
    """Where each pixel of each slice is, in mm: shape (n_slices, height, width, 3)."""
    axis, right, up = AXES[view]
    volume = page.run("return r.meta.volume")
    shape = volume["shape"]
    index = np.zeros((shape[axis], shape[up], shape[right], 3))
    for n in range(shape[axis]):
        for y in range(shape[up]):
            for x in range(shape[right]):
                is_mirrored = radiological and right == 0
                index[n, y, x, axis] = n
                index[n, y, x, right] = shape[right] - 1 - x if is_mirrored else x
                index[n, y, x, up] = shape[up] - 1 - y
    return apply_affine(np.array([*volume["affine"], [0, 0, 0, 1]]), index)


def codes_at(image: nib.Nifti1Image, places: np.ndarray) -> np.ndarray:
    """The code of the voxel of an image that lies at each place; 0 beyond the image."""
    array = np.asarray(image.dataobj)
    labels = np.unique(array[array != 0])
    exact = apply_affine(np.linalg.inv(image.affine), places.reshape(-1, 3))
    nearest = np.rint(exact).astype(int)
    np.testing.assert_allclose(exact, nearest, atol=1e-4)
    codes = np.zeros(len(nearest), int)
    for number, voxel in enumerate(nearest):
        if np.all(voxel >= 0) and np.all(voxel < array.shape):
            label = array[tuple(voxel)]
            codes[number] = 0 if label == 0 else np.searchsorted(labels, label) + 1
    return codes.reshape(places.shape[:-1])


def check_slices(page: Page, image: nib.Nifti1Image, view: str, *, radiological: bool) -> None:
    set_display(page, radiological=radiological)
    shown = slices_of(page, AXES[view][0])
    places = places_of_pixels(page, view, radiological=radiological)
    np.testing.assert_array_equal(shown, codes_at(image, places), f"{view} slices")
    assert np.count_nonzero(shown) == np.count_nonzero(image.dataobj)


@pytest.mark.parametrize("name", small.IMAGES)
def test_every_pixel_shows_the_region_at_its_place(open_page, name):
    page = open_page(html_of_image(name))
    image = small.IMAGES[name]()
    for radiological in (False, True):
        for view in AXES:
            check_slices(page, image, view, radiological=radiological)


def test_codes_of_four_bytes(open_page):
    scene = small.scene_of_image("LAS")
    atlas = replace(scene.atlas, codes=scene.atlas.codes.astype(np.uint32))
    page = open_page(small.html_of(replace(scene, atlas=atlas)))
    assert page.array("r.arrays.codes").dtype == np.uint32
    for view in AXES:
        check_slices(page, small.IMAGES["LAS"](), view, radiological=False)
    check_brain(page, meshes_of(scene), {"left": CAMERAS["left"]})


def letter_of(direction: np.ndarray) -> str:
    """The side of the body that a direction mostly points to."""
    axis = int(np.abs(direction).argmax())
    return ("LR", "PA", "IS")[axis][int(direction[axis] > 0)]


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("name", ["PSR", "oblique LPI", "anisotropic"])
def test_letters_at_the_edges_say_where_they_are(open_page, name, display):
    page = open_page(html_of_image(name))
    set_display(page, radiological=DISPLAYS[display])
    for view in AXES:
        places = places_of_pixels(page, view, radiological=DISPLAYS[display])
        right, down = places[0, 0, -1] - places[0, 0, 0], places[0, -1, 0] - places[0, 0, 0]
        expected = {"east": right, "west": -right, "south": down, "north": -down}
        for edge, direction in expected.items():
            element = page.element(f"#{view} b.{edge}")
            assert element.is_displayed()
            assert element.text == letter_of(direction), (view, edge)


def test_left_is_left(open_page):
    page = open_page(html_of_image("PSR"))
    for view in ("coronal", "axial"):
        assert page.element(f"#{view} b.west").text == "L"
        width = page.run("return r.slices[1].width")
        for code, is_left in ((1, True), (2, True), (3, False), (4, False)):
            columns = np.nonzero(slices_of(page, AXES[view][0]) == code)[2]
            assert np.all(columns < width / 2) == is_left
            assert np.all(columns >= width / 2) != is_left


# ------------------------------------------------------------------------- colours


def type_into(page: Page, css: str, text: str) -> None:
    """Replace what stands in a field, as people do."""
    field = page.element(css)
    page.run("arguments[0].select()", field)
    field.send_keys(text, "\n")
    page.settle()


def check_colours(page: Page, scene: Scene) -> None:
    """Every region, in every map, has the kind and the colour that Python gives it."""
    for number in range(scene.n_maps):
        page.run("r.setMap(arguments[0])", number)
        kinds, rgb = scene.colours(number)
        np.testing.assert_array_equal(page.array("r.kinds"), kinds)
        is_shown = kinds == SHOWN
        np.testing.assert_array_equal(page.array("r.rgb").reshape(-1, 3)[is_shown], rgb[is_shown])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "uint64"])
@pytest.mark.parametrize("threshold", [0, 1.25])
def test_colours_are_those_of_the_table(open_page, dtype, threshold):
    atlas = small.atlas_of(small.many_regions(1000))
    values = 3 * small.some_values(1000)
    if dtype[0] != "f":
        values = np.nan_to_num(np.abs(values) if dtype[0] == "u" else values, posinf=2)
    scene = small.scene_of_values(atlas, values.astype(dtype), threshold=threshold)
    check_colours(open_page(small.html_of(scene)), scene)


def test_limits_and_threshold_that_are_typed(open_page):
    scene = small.scene_of_image("RAS")
    page = open_page(small.html_of(scene))
    for low, high, threshold in [("-1.5", "1.25", "0"), ("-0.1", "3e0", "1.1"), ("0", "1e-3", "0")]:
        # Each is typed by itself, and must not be refused because of what stands in the others.
        type_into(page, "#high", "100")
        type_into(page, "#low", low)
        type_into(page, "#high", high)
        type_into(page, "#threshold", threshold)
        scale = scene.scale._replace(low=float(low), high=float(high), threshold=float(threshold))
        check_colours(page, replace(scene, scale=scale))


def test_every_colour_of_every_ramp(open_page):
    atlas = small.atlas_of(small.many_regions(256))
    values = (np.arange(256) + 0.5) / 256
    scene = small.scene_of_values(
        atlas, values, cmap=["#102030", "#f0e0d0", "#a1b2c3"], vmin=0, vmax=1
    )
    page = open_page(small.html_of(scene))
    assert page.run("return r.meta.scale.ramps") == [*RAMPS, "own"]
    for name in page.run("return r.meta.scale.ramps"):
        choose_option(page, "#ramp", name)
        ramp = scene.scale.ramp if name == "own" else ramp_of(name)[1]
        np.testing.assert_array_equal(page.array("r.rgb").reshape(-1, 3)[1:], ramp)


def choose_option(page: Page, css: str, value: str) -> None:
    """Choose of a list that drops down, whose options have values or are them."""
    index = page.run(
        """const options = [...document.querySelector(arguments[0]).options];
        return options.findIndex(o => o.value === arguments[1] || o.text === arguments[1]);""",
        css,
        value,
    )
    assert index >= 0, f"{css} has no option {value!r}"
    page.elements(f"{css} option")[index].click()
    page.settle()


def limits_of_dtype(dtype: str) -> list[float]:
    if dtype.startswith("float"):
        info = np.finfo(dtype)
        return [np.nan, np.inf, -np.inf, -0.0, info.smallest_subnormal, info.max, 0.1, 1 / 3]
    info = np.iinfo(dtype)
    return [info.min, info.max, info.max - 1, 0, 1, 2, 3, 4]


DTYPES = (
    "float32",
    "float64",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_exact(open_page, dtype):
    atlas = small.atlas_of(small.many_regions(8))
    values = np.array([limits_of_dtype(dtype), limits_of_dtype(dtype)[::-1]], dtype)
    page = open_page(small.html_of(small.scene_of_values(atlas, values)))
    in_page = page.array("r.arrays.values")
    assert in_page.dtype == values.dtype
    assert in_page.tobytes() == values.tobytes()
    texts = page.run(
        "return [0, 1].map(map => [1, 2, 3, 4, 5, 6, 7, 8].map(code => r.valueText(map, code)))"
    )
    for row, row_of_texts in zip(values, texts, strict=True):
        for value, text in zip(row.tolist(), row_of_texts, strict=True):
            if np.isnan(value):
                assert text == "n/a"
            else:
                assert exact_number(text, dtype) == value, text


def exact_number(text: str, dtype: str) -> object:
    """What a text says, of a dtype."""
    return int(text) if "int" in dtype else np.dtype(dtype).type(text).item()


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 5e-324), (-5e-324, 5e-324), (1e16, 1e16 + 4), (1.0, 1.0 + 2**-52), (-1e-310, 1e300)],
)
def test_limits_of_every_size(open_page, low, high):
    """Whatever values span: the page is there, with ticks on its bar, and shows their colours."""
    atlas = small.atlas_of(small.many_regions(4))
    scene = small.scene_of_values(atlas, np.array([[low, high, low, high], [high, low, low, low]]))
    page = open_page(small.html_of(scene))
    for code in (1, 3):
        page.run("r.choose(arguments[0])", code)
    check_colours(page, scene)
    assert len(page.elements("#ticks span")) < 20


# What stands at every fifth pixel of the canvas of a slice that has the same code all around: where
# it is, its code and its colour.  The canvas is read once, by way of another one.
PIXELS = """
  const slice = r.slices[arguments[0]], canvas = slice.canvas;
  const edges = canvas.getBoundingClientRect();
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext('2d', {willReadFrequently: true});
  context.drawImage(canvas, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const codeAt = (x, y) => slice.codeAt(
    edges.left + (x + 0.5) * edges.width / canvas.width,
    edges.top + (y + 0.5) * edges.height / canvas.height);
  const pixels = [];
  for (let y = 8; y < canvas.height - 8; y += 5) {
    for (let x = 8; x < canvas.width - 8; x += 5) {
      const code = codeAt(x, y);
      const around = [[-3, 0], [3, 0], [0, -3], [0, 3]].map(([dx, dy]) => codeAt(x + dx, y + dy));
      const at = 4 * (y * canvas.width + x);
      if (code && around.every(other => other === code)) {
        pixels.push([x, y, code, ...data.slice(at, at + 3)]);
      }
    }
  }
  return pixels;
"""


def colours_of(scene: Scene, number: int, theme: str) -> list[set[tuple[int, ...]]]:
    """By code, the colours that a sample of it may have."""
    kinds, rgb = scene.colours(number)
    of_theme = THEMES[theme]
    of_kind = {
        NO_REGION: set(),
        BELOW: {rgb_of(of_theme.below)},
        ABSENT: {rgb_of(of_theme.absent), rgb_of(of_theme.stripe)},
    }
    return [
        {tuple(colour)} if kind == SHOWN else of_kind[kind]
        for kind, colour in zip(kinds.tolist(), rgb.tolist(), strict=True)
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_drawn_has_the_colours_of_the_values(open_page, theme):
    scene = small.scene_of_image("RAS", threshold=0.3)
    page = open_page(small.html_of(scene), theme=theme, size=(800, 600))
    page.run("r.state.borders = false")
    for number in range(scene.n_maps):
        allowed = colours_of(scene, number, theme)
        page.run("r.setMap(arguments[0])", number)
        for code in range(1, 6):
            page.run("r.state.at = [...r.meta.regions.at[arguments[0] - 1]]; r.drawNow()", code)
            for axis in range(3):
                pixels = page.run(PIXELS, axis)
                assert len(pixels) > 10
                wrong = [(x, y) for x, y, code, *rgb in pixels if tuple(rgb) not in allowed[code]]
                # Nothing but a crosshair lies over them: one row and one column.
                rows, columns = (Counter(place[i] for place in wrong) for i in (1, 0))
                row, column = (max(lines, key=lines.get, default=0) for lines in (rows, columns))
                assert all(x == column or y == row for x, y in wrong), wrong


def test_what_lies_behind_is_seen_where_no_value_is_shown(open_page):
    image = small.IMAGES["RAS"]()
    greys = np.full(image.shape, 96, np.uint8)
    values = np.array([1.0, np.nan, 0.1, 2.0, 3.0])
    scene = replace(
        small.scene_of_image("RAS", values, threshold=0.5), background=Background(greys, "T1")
    )
    page = open_page(small.html_of(scene), size=(800, 600))
    kinds = scene.colours()[0].tolist()
    grey, stripe = (96, 96, 96), rgb_of(THEMES["light"].stripe)
    seen = {ABSENT: set(), BELOW: set()}
    page.run("r.state.borders = false")
    for at in range(5):
        page.run("r.state.at = [...r.meta.regions.at[arguments[0]]]; r.drawNow()", at)
        for axis in range(3):
            for _x, _y, code, *colour in page.run(PIXELS, axis):
                seen.get(kinds[code], set()).add(tuple(colour))
    assert grey in seen[ABSENT] & seen[BELOW]
    assert stripe in seen[ABSENT]
    assert rgb_of(THEMES["light"].absent) not in seen[ABSENT]
    assert rgb_of(THEMES["light"].below) not in seen[BELOW]


@pytest.mark.parametrize("opacity", [1, 0.5, 0])
def test_what_lies_behind(open_page, opacity):
    """Greys are seen where there is no region, and through those that are."""
    image = small.IMAGES["RAS"]()
    greys = np.full(image.shape, 96, np.uint8)
    scene = replace(
        small.scene_of_image("RAS", np.arange(1.0, 6)), background=Background(greys, "T1")
    )
    page = open_page(small.html_of(scene), size=(800, 600))
    page.run(
        """
        const slider = document.getElementById('opacity');
        slider.value = arguments[0];
        slider.dispatchEvent(new Event('input'));
        r.state.borders = false;
        r.state.at = [...r.meta.regions.at[3]];
        r.drawNow();""",
        opacity,
    )
    _, rgb = scene.colours()
    seen = Counter()
    for axis in range(3):
        for _x, _y, code, *colour in page.run(PIXELS.replace("if (code && ", "if ("), axis):
            is_there = tuple(colour) != (0, 0, 0)
            own = rgb[code].astype(float) if code else np.full(3, 96.0)
            expected = 96 + opacity * (own - 96)
            seen[code] += bool(is_there and np.all(np.abs(expected - colour) <= 1))
    assert seen[0] > 100
    assert seen[4] > 10
    assert "T1" in page.text("#about")


# ------------------------------------------------------------------------- the brain

# What is to the right, up and in front on the screen, seen from each side: the left of a person
# whom one faces is on the right.
LEFT, RIGHT = np.array([-1.0, 0, 0]), np.array([1.0, 0, 0])
POSTERIOR, ANTERIOR = np.array([0, -1.0, 0]), np.array([0, 1.0, 0])
INFERIOR, SUPERIOR = np.array([0, 0, -1.0]), np.array([0, 0, 1.0])
SIDES = {
    "left": (POSTERIOR, SUPERIOR, LEFT),
    "right": (ANTERIOR, SUPERIOR, RIGHT),
    "superior": (RIGHT, ANTERIOR, SUPERIOR),
    "inferior": (RIGHT, POSTERIOR, INFERIOR),
    "anterior": (LEFT, SUPERIOR, ANTERIOR),
    "posterior": (RIGHT, SUPERIOR, POSTERIOR),
}


def look_from(page: Page, camera: Camera) -> tuple[np.ndarray, float, np.ndarray]:
    """The image of codes of a camera, its pixels per mm, and what is in its middle, in mm."""
    page.run("r.brain.turn(...arguments); r.drawNow()", camera.azimuth, camera.elevation)
    width, height, scale, centre = page.run(
        """const {image, camera} = r.brain;
        return [image.width, image.height, image.scale, camera.centre];"""
    )
    return page.array("r.brain.image.codes").reshape(height, width), scale, np.array(centre)


def check_brain(page: Page, meshes: list[DrawnMesh], cameras: dict[str, Camera]) -> None:
    """The page sees of the meshes what Python sees."""
    for name, camera in cameras.items():
        codes, scale, centre = look_from(page, camera)
        expected = drawn(meshes, Frame(camera, centre, scale, *codes.shape[::-1])).codes
        is_something = (codes > 0) | (expected > 0)
        is_other = codes != expected
        assert is_something.any(), name
        assert is_other.mean() <= 0.001, name
        # What is thin and seen from its edge is all edges, which one of the two rounds away.
        if is_something.mean() > 0.05:
            assert is_other[is_something].mean() <= 0.005, name


OBLIQUE_CAMERAS = {"from the left above": Camera(-60, 35), "from below": Camera(130, -50)}


@pytest.mark.parametrize("name", ["RAS", "PSR", "oblique", "anisotropic", "one slice"])
def test_brain_of_voxels_is_that_of_python(open_page, name):
    scene = small.scene_of_image(name)
    cameras = CAMERAS | OBLIQUE_CAMERAS if name == "oblique" else CAMERAS
    if name == "one slice":
        cameras = {side: CAMERAS[side] for side in ("superior", "inferior")}
    check_brain(open_page(html_of_image(name)), meshes_of(scene), cameras)


@pytest.mark.parametrize("is_pair", [True, False])
def test_brain_of_surfaces_is_that_of_python(open_page, is_pair):
    scene = small.surface_scene(is_pair=is_pair)
    page = open_page(small.html_of(scene), size=(800, 600))
    check_brain(page, meshes_of(scene), CAMERAS | OBLIQUE_CAMERAS)


def test_brain_of_cifti_is_that_of_python(open_page):
    scene = small.cifti_scene()
    meshes = surfaces_of(scene) + voxels_of(scene)
    check_brain(open_page(small.html_of(scene)), meshes, CAMERAS)


def front_voxels(image: nib.Nifti1Image, side: str) -> dict[tuple[int, ...], np.ndarray]:
    """The voxel that is nearest to the eye, by where it is on the screen."""
    right, up, eye = SIDES[side]
    array = np.asarray(image.dataobj)
    voxels = np.argwhere(array)
    places = apply_affine(image.affine, voxels)
    front: dict[tuple[int, ...], np.ndarray] = {}
    for voxel, place in zip(voxels, places, strict=True):
        # In tenths of a mm: voxels behind each other are at the same.
        on_screen = (round(10 * (place @ right)), round(10 * (place @ up)))
        if on_screen not in front or place @ eye > front[on_screen][:3] @ eye:
            front[on_screen] = np.array([*place, array[tuple(voxel)]])
    return front


def check_front(page: Page, image: nib.Nifti1Image, side: str) -> None:
    """Of each column of voxels, the code of the nearest is seen, where neighbours are alike."""
    right, up, eye = SIDES[side]
    front = front_voxels(image, side)
    steps = [int(np.diff(sorted({key[i] for key in front}))[0]) for i in (0, 1)]
    labels = np.unique(np.asarray(image.dataobj))
    codes, scale, centre = look_from(page, CAMERAS[side])
    height, width = codes.shape
    n_checked = 0
    for (x, y), voxel in front.items():
        around = [
            front.get((x + dx * steps[0], y + dy * steps[1]))
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
        ]
        if all(
            other is not None and other[3] == voxel[3] and np.isclose((other - voxel)[:3] @ eye, 0)
            for other in around
        ):
            away = voxel[:3] - centre
            column = int(width / 2 + scale * (away @ right))
            row = int(height / 2 - scale * (away @ up))
            n_checked += 1
            assert codes[row, column] == np.searchsorted(labels, voxel[3]), f"seen from {side}"
    assert n_checked >= 3, side


@pytest.mark.parametrize("side", SIDES)
def test_brain_is_seen_from_where_it_says(open_page, side):
    page = open_page(html_of_image("LAS"))
    check_front(page, small.IMAGES["LAS"](), side)


def test_buttons_of_the_brain_turn_it_to_each_side(open_page):
    page = open_page(html_of_image("LAS"), size=(800, 600))
    for name, camera in CAMERAS.items():
        from_script, *_ = look_from(page, camera)
        page.run("r.brain.turn(33, 12)")
        page.element(f"#brain button[aria-label='{name.capitalize()}']").click()
        page.run("r.drawNow()")
        shape = from_script.shape
        np.testing.assert_array_equal(page.array("r.brain.image.codes").reshape(shape), from_script)
        right, up, _ = SIDES[name]
        expected = {"east": right, "west": -right, "north": up, "south": -up}
        for edge, direction in expected.items():
            assert page.element(f"#brain b.{edge}").text == letter_of(direction), (name, edge)


def test_one_hemisphere(open_page):
    page = open_page(html_of_image("LAS"), size=(800, 600))
    for side, number, seen in (("left", -1, {1, 2}), ("right", 1, {3, 4})):
        choose_option(page, "#brain select", side)
        assert page.run("return r.brain.side") == number
        for camera in CAMERAS.values():
            codes, *_ = look_from(page, camera)
            # The region in the middle has a part on either side.
            assert set(np.unique(codes)) - {0, 5} <= seen
            assert set(np.unique(codes)) & seen


def test_hemispheres_of_a_real_atlas(open_page):
    """What the names of a real atlas say of sides is what is seen from each side."""
    demo = rc.demo_data()
    scene = scene_of(rc.paint(demo.values, demo.atlas))
    page = open_page(small.html_of(scene))
    is_left = np.array([False, *("_LH_" in name for name in scene.atlas.table.names)])
    assert is_left.sum() == 50
    seen = {side: look_from(page, camera)[0] for side, camera in CAMERAS.items()}
    # At the edges, a little of the other hemisphere looks over it.
    assert np.mean(is_left[seen["left"][seen["left"] > 0]]) > 0.97
    assert np.mean(is_left[seen["right"][seen["right"] > 0]]) < 0.03
    for side, is_mirrored in (("superior", False), ("posterior", False), ("anterior", True)):
        codes = seen[side][:, ::-1] if is_mirrored else seen[side]
        halves = np.array_split(codes, 2, axis=1)
        left, right = (np.mean(is_left[half[half > 0]]) for half in halves)
        assert left > 0.97, side
        assert right < 0.03, side
    names = page.run("return r.meta.regions.names")
    sides = np.array(page.run("return r.meta.regions.sides"))
    assert [("_LH_" in name) for name in names] == (sides == -1).tolist()


@st.composite
def volumes(draw) -> nib.Nifti1Image:
    """Any small volume that has a region, however its voxels lie in space."""
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    labels = draw(npst.arrays(np.int32, shape, elements=st.sampled_from([0, 0, 1, 5, 6, 4000])))
    labels[draw(st.tuples(*[st.integers(0, length - 1) for length in shape]))] = 5
    order = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from([-1, 1])] * 3))
    zooms = draw(st.tuples(*[st.sampled_from([0.5, 1, 2, 3.25])] * 3))
    upright = np.eye(4)
    upright[:3, :3] = np.eye(3)[:, order] * signs * zooms
    upright[:3, 3] = draw(st.tuples(*[st.integers(-20, 20)] * 3))
    return nib.Nifti1Image(labels, rotated(upright) if draw(st.booleans()) else upright)


NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([np.nan, np.inf, -np.inf, -0.0])


# To make an example smaller takes hundreds of pages.
@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_any_volume_and_any_values(browser, data):
    image = data.draw(volumes())
    atlas = small.atlas_of(image)
    values = data.draw(npst.arrays(np.float64, (2, len(atlas)), elements=NUMBERS))
    threshold = data.draw(st.sampled_from([0, 0.5, 1e3]))
    scene = small.scene_of_values(atlas, values, threshold=threshold)
    page = browser.open(small.html_of(scene), size=(700, 520))
    for view in AXES:
        check_slices(page, image, view, radiological=data.draw(st.booleans()))
    check_colours(page, scene)
    camera = Camera(data.draw(st.integers(-180, 180)), data.draw(st.integers(-90, 90)))
    check_brain(page, meshes_of(scene), {"any": camera})
    page.assert_quiet()


# ------------------------------------------------------------------------- faults that are seen

# In one view, columns are taken from the other side; the letters stay.
COLUMNS_OF = {
    "const step = this.isFlipped ?": "const step = (this.isFlipped !== (this.id === '{}')) ?",
    "(this.isFlipped ? (this.width - 1)": (
        "((this.isFlipped !== (this.id === '{}')) ? (this.width - 1)"
    ),
}


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("view", AXES)
def test_a_mirrored_slice_is_noticed(open_page, view, display):
    faults = {right: wrong.format(view) for right, wrong in COLUMNS_OF.items()}
    page = open_page(mutant(html_of_image("LAS"), faults))
    image = small.IMAGES["LAS"]()
    for other in AXES:
        if other != view:
            check_slices(page, image, other, radiological=DISPLAYS[display])
    with pytest.raises(AssertionError, match=f"{view} slices"):
        check_slices(page, image, view, radiological=DISPLAYS[display])


def test_a_mirrored_brain_is_noticed(open_page):
    faults = {
        "return [[ca, sa, 0],": "return [[-ca, -sa, 0],",
        # The triangles that are seen from outside are now those that went round the other way.
        "if (!(area < 0)) return;": "if (!(area > 0)) return;",
    }
    page = open_page(mutant(html_of_image("LAS"), faults))
    for side in SIDES:
        with pytest.raises(AssertionError, match=f"seen from {side}"):
            check_front(page, small.IMAGES["LAS"](), side)
    with pytest.raises(AssertionError):
        check_brain(page, meshes_of(small.scene_of_image("LAS")), CAMERAS)


def test_a_colour_beside_the_right_one_is_noticed(open_page):
    faults = {"const step = Math.floor(": "const step = Math.round("}
    scene = small.scene_of_image("many regions")
    page = open_page(mutant(small.html_of(scene), faults))
    with pytest.raises(AssertionError):
        check_colours(page, scene)
