"""Slices, list and course: lines on edges of voxels, gaps where there is no value, rows at rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small_scenes as small
from browser import Page, mutant

from regioncast.signals import MapAxis

# The pixels of a canvas, by way of another one.
_PIXELS = """(() => {
  const canvas = %s;
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext('2d', {willReadFrequently: true});
  context.drawImage(canvas, 0, 0);
  return new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
})()"""

# As it is drawn now.
_DRAWN = _PIXELS.replace("(() => {", "(() => {\n  window.regioncast.drawNow();")

# The code under each pixel of that canvas.
_CODES = """(() => {
  const slice = window.regioncast.slices[%d];
  const {left, top} = slice.canvas.getBoundingClientRect();
  const codes = new Uint16Array(slice.canvas.width * slice.canvas.height);
  for (let at = 0; at < codes.length; at++) {
    const x = at %% slice.canvas.width, y = Math.floor(at / slice.canvas.width);
    codes[at] = slice.codeAt(left + x + 0.5, top + y + 0.5);
  }
  return codes;
})()"""


def drawn(page: Page, axis: int) -> np.ndarray:
    width = page.run("return r.slices[arguments[0]].canvas.width", axis)
    return page.array(_DRAWN % f"r.slices[{axis}].canvas").reshape(-1, width)


def codes_of_pixels(page: Page, axis: int) -> np.ndarray:
    width = page.run("return r.slices[arguments[0]].canvas.width", axis)
    return page.array(_CODES % axis).reshape(-1, width)


def is_at_edge(codes: np.ndarray) -> np.ndarray:
    """Whether a pixel, or one to its left or above it, is of another code than the others."""
    above = np.pad(codes, ((1, 0), (1, 0)), "edge")
    blocks = np.stack([above[1:, 1:], above[:-1, 1:], above[1:, :-1], above[:-1, :-1]])
    return blocks.min(0) != blocks.max(0)


def is_of_crosshair(page: Page, axis: int, shape: tuple[int, int]) -> np.ndarray:
    x, y = page.run("return r.slices[arguments[0]].pixelAt(r.state.at).map(Math.round)", axis)
    is_on_it = np.zeros(shape, bool)
    is_on_it[y] = is_on_it[:, x] = True
    return is_on_it


@pytest.mark.parametrize("axis", range(3), ids=("sagittal", "coronal", "axial"))
@pytest.mark.parametrize("name", ["anisotropic", "oblique LPI"])
def test_borders_lie_where_codes_differ_and_nowhere_else(open_page, name, axis):
    page = open_page(small.html_of(small.scene_of_image(name)), size=(900, 700))
    for code in (2, 5):
        page.run("r.state.at = [...r.meta.regions.at[arguments[0] - 1]]", code)
        page.run("r.state.borders = true")
        with_borders = drawn(page, axis)
        page.run("r.state.borders = false")
        is_border = with_borders != drawn(page, axis)
        codes = codes_of_pixels(page, axis)
        is_free = ~is_of_crosshair(page, axis, codes.shape)
        np.testing.assert_array_equal(is_border[is_free], is_at_edge(codes)[is_free])
        assert is_border.sum() > 100


def something_under_letters(page: Page, view: str, canvas: str) -> list[str]:
    """The letters of a view that lie on something that is drawn."""
    edges = page.run(f"const box = {canvas}.getBoundingClientRect(); return [box.left, box.top]")
    width = page.run(f"return {canvas}.width")
    pixels = page.array(_DRAWN % canvas).reshape(-1, width)
    letters = []
    for letter in page.elements(f"#{view} b"):
        box = letter.rect
        x, y = int(box["x"] - edges[0]), int(box["y"] - edges[1])
        if pixels[y : y + int(box["height"]) + 1, x : x + int(box["width"]) + 1].any():
            letters.append(letter.text)
    return letters


@pytest.mark.parametrize("size", [(1280, 800), (360, 740)], ids=str)
def test_nothing_is_drawn_under_letters(open_page, size):
    """Neither the crosshair, wherever it is, nor a brain from whichever side."""
    page = open_page(small.html_of(small.scene_of_image("LAS")), size=size)
    page.run("r.state.at = r.meta.volume.shape.map(length => Math.floor(length / 2))")
    for axis, view in enumerate(("sagittal", "coronal", "axial")):
        for step in range(-1, 2):
            page.run("r.state.at = r.state.at.map(index => index + arguments[0])", step)
            assert not something_under_letters(page, view, f"r.slices[{axis}].canvas")
    for button in page.elements("#brain .group button"):
        button.click()
        assert not something_under_letters(page, "brain", "r.brain.canvas"), button.text


def test_outline_of_a_region_lies_around_it_alone(open_page):
    page = open_page(small.html_of(small.scene_of_image("PSR")), size=(900, 700))
    page.run("r.state.at = [...r.meta.regions.at[0]]; r.hover(0)")
    before = drawn(page, 2)
    page.run("r.hover(1)")
    is_outline = before != drawn(page, 2)
    codes = codes_of_pixels(page, 2)
    is_edge = is_at_edge(codes == 1)
    is_free = ~is_of_crosshair(page, 2, codes.shape)
    assert is_outline[is_edge & is_free].all()
    ys, xs = np.nonzero(is_edge)
    for y, x in np.argwhere(is_outline):
        assert np.min(np.maximum(np.abs(ys - y), np.abs(xs - x))) <= 2


def test_course_has_gaps_where_there_is_no_value(open_page):
    values = np.tile(np.linspace(-2, 3, 60)[:, None], (1, 5))
    values[20:30, 0] = np.nan
    values[45, 0] = np.inf
    scene = replace(small.scene_of_image("RAS", values), axis=MapAxis(t_r=2.0))
    page = open_page(small.html_of(scene))
    page.run("r.choose(1)")
    page.settle()
    canvas = "document.querySelector('#course canvas')"
    width = page.run(f"return {canvas}.width")
    pixels = page.array(_DRAWN % canvas).reshape(-1, width)
    accent = page.run(
        """const context = new OffscreenCanvas(1, 1).getContext('2d');
        const style = getComputedStyle(document.documentElement);
        context.fillStyle = style.getPropertyValue('--accent');
        context.fillRect(0, 0, 1, 1);
        return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];"""
    )
    has_line = (pixels == accent).any(0)
    start, end = np.flatnonzero(has_line)[[0, -1]]
    at = np.rint(np.linspace(start, end, 60)).astype(int)
    for number in range(60):
        # A point is some pixels wide, and so is the pen.
        is_drawn = has_line[at[number] - 1 : at[number] + 2].any()
        assert is_drawn == np.isfinite(values[number, 0]), number


def test_list_is_not_made_anew_while_maps_play(open_page):
    scene = replace(small.scene_of_image("RAS", small.some_values(5, 9)), axis=MapAxis(t_r=2.0))
    page = open_page(small.html_of(scene))
    page.run("window.firstRow = document.querySelector('#list tbody tr')")
    page.element("#play").click()
    page.wait_for(lambda: page.run("return r.state.map > 3"), "some maps")
    assert page.run("return window.firstRow.isConnected")
    page.element("#play").click()
    page.wait_for(lambda: not page.run("return window.firstRow.isConnected"), "new rows")
    number = page.run("return r.state.map")
    best = 1 + int(np.nanargmax(scene.values[number]))
    assert page.run("return document.querySelector('#list tbody tr').id") == f"row-{best}"


def test_slices_and_list_do_not_wait_for_the_brain(browser):
    html = small.html_of(small.scene_of_image("LAS"))
    browser.load(mutant(html, {"await startBrain();": "await new Promise(() => {});"}))
    page = Page(browser)
    page.wait_for(lambda: len(page.elements("#list tr[id]")) == 5, "the list")
    for view in ("sagittal", "coronal", "axial"):
        canvas = f"document.querySelector('#{view} canvas')"
        pixels = page.array(_PIXELS % canvas)
        assert len(np.unique(pixels)) > 3, view
    page.assert_quiet()


def test_slices_have_one_scale(open_page):
    """What is equally long in the brain is equally long on the screen."""
    page = open_page(small.html_of(small.scene_of_image("anisotropic")))
    zooms = np.linalg.norm(np.array(page.run("return r.meta.volume.affine"))[:, :3], axis=0)
    scales = page.run("return r.slices.map(s => [s.across, s.up, ...s.scale])")
    of_mm = [
        pixels / zooms[int(axis)]
        for across, up, x, y in scales
        for axis, pixels in ((across, x), (up, y))
    ]
    np.testing.assert_allclose(of_mm, of_mm[0])
