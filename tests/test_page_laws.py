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
from browser import Page
from nibabel.affines import apply_affine

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
from regioncast.viewing.scene import Scene

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
    page = open_page(small.html_of(scene), theme=theme)
    page.run("r.state.borders = false")
    for number in range(scene.n_maps):
        allowed = colours_of(scene, number, theme)
        page.run("r.setMap(arguments[0])", number)
        for code in range(1, 6):
            page.run("r.state.at = [...r.meta.regions.at[arguments[0] - 1]]; r.drawNow()", code)
            for axis in range(3):
                pixels = page.run(PIXELS, axis)
                assert len(pixels) > 20
                wrong = [(x, y) for x, y, code, *rgb in pixels if tuple(rgb) not in allowed[code]]
                # Nothing but a crosshair lies over them: one row and one column.
                rows, columns = (Counter(place[i] for place in wrong) for i in (1, 0))
                row, column = (max(lines, key=lines.get, default=0) for lines in (rows, columns))
                assert all(x == column or y == row for x, y in wrong), wrong
