"""What people do with a page: point, click, type, press keys, save; and where they open it."""

from __future__ import annotations

import base64
import html
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_scenes as small
from browser import Page, with_script
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.keys import Keys
from test_page_laws import choose_option, type_into

import regioncast as rc
from regioncast.signals import MapAxis
from regioncast.viewing import page as page_module
from regioncast.viewing.page import View
from regioncast.viewing.scene import scene_of

# Odd numbers, which are told from their neighbours by the last digit.
VALUES = np.array(
    [
        [1.2345678901234567, -2.5, np.nan, 0.0, 0.1],
        [-1e-7, 2.25, 3.0, 1 / 3, -4.125],
        [5.0, 4.0, 3.0, 2.0, 1.0],
        [-5.0, -4.0, -3.0, -2.0, -1.0],
    ]
)
MAP_NAMES = ("first", "second", "left > right", "<i>fourth</i>")


def series_scene(**options):
    scene = small.scene_of_image("LAS", VALUES, title="A series", unit="z", **options)
    return replace(scene, axis=MapAxis(MAP_NAMES))


@pytest.fixture
def page(open_page) -> Page:
    """The page of a series of named maps."""
    return open_page(small.html_of(series_scene()))


def place_of_code(page: Page, view: int, code: int) -> tuple[float, float]:
    """A place in the viewport where a slice, gone to that region, shows it."""
    return page.run(
        """
        r.state.at = [...r.meta.regions.at[arguments[1] - 1]];
        r.drawNow();
        const slice = r.slices[arguments[0]], box = slice.canvas.getBoundingClientRect();
        const places = [];
        for (let y = box.top + 2; y < box.bottom; y += 3) {
          for (let x = box.left + 2; x < box.right; x += 3) {
            if (slice.codeAt(x, y) === arguments[1]) places.push([x, y]);
          }
        }
        return places[Math.floor(places.length / 2)];""",
        view,
        code,
    )


def place_in_brain(page: Page, code: int) -> tuple[float, float] | None:
    """A place in the viewport where the 3D view shows a region, away from its borders."""
    return page.run(
        """
        const box = document.querySelector('#brain canvas').getBoundingClientRect();
        const isThere = (x, y) => r.brain.pick(x, y) === arguments[0];
        for (let y = Math.ceil(box.top) + 4; y < box.bottom; y += 4) {
          for (let x = Math.ceil(box.left) + 4; x < box.right; x += 4) {
            if (isThere(x, y) && isThere(x - 4, y - 4) && isThere(x + 4, y + 4)) return [x, y];
          }
        }
        return null;""",
        code,
    )


def tip_of(page: Page) -> str:
    """What the box at the pointer says; nothing where there is none."""
    page.settle()
    return page.run(
        "const t = document.getElementById('tip'); return t.checkVisibility() ? t.innerText : ''"
    )


def number_in(text: str) -> float:
    """The number that stands before the unit."""
    return float(re.search(r"(-?[\d.]+(e[+-]?\d+)?)\s*z", text)[1])


# ------------------------------------------------------------------------- pointing


@pytest.mark.parametrize("view", range(3), ids=("sagittal", "coronal", "axial"))
def test_hover_over_a_slice(page, view):
    for code in (1, 4, 5, 2):
        x, y = place_of_code(page, view, code)
        page.point_at(x, y).perform()
        tip = tip_of(page)
        assert small.NAMES[code - 1] in tip
        assert number_in(tip) == VALUES[0, code - 1]
        assert "mm" in tip
        assert page.run("return r.state.hovered") == code
        # The voxel that lies where the tip says has the label of the region.
        place = [float(number) for number in re.findall(r"-?[\d.]+", tip)][-3:]
        image = small.IMAGES["LAS"]()
        voxel = np.linalg.inv(image.affine) @ [*place, 1]
        label = np.asarray(image.dataobj)[tuple(np.rint(voxel[:3]).astype(int))]
        assert label == small.LABELS[code - 1]
    x, y = place_of_code(page, view, 3)
    page.point_at(x, y).perform()
    assert "n/a" in tip_of(page)
    page.point_at(2, 2).perform()
    assert tip_of(page) == ""
    assert page.run("return r.state.hovered") == 0


@pytest.mark.parametrize("ratio", [1, 2, 1.5])
def test_pointing_in_the_radiological_display(open_page, ratio):
    """What the pointer is at is what is seen there: mirrored, and on screens of fine pixels."""
    page = open_page(small.html_of(series_scene()), ratio=ratio, size=(900, 700))
    page.element("#radiological").click()
    for code, is_left in ((1, True), (4, False)):
        x, y = place_of_code(page, 2, code)
        box = page.element("#axial canvas").rect
        assert (x > box["x"] + box["width"] / 2) == is_left
        page.point_at(x, y).perform()
        assert small.NAMES[code - 1] in tip_of(page)
        page.point_at(x, y).click().perform()
        page.settle()
        assert page.run("return r.state.chosen") == code
        i, j, k = page.run("return r.state.at")
        ni, nj, _ = page.run("return r.meta.volume.shape")
        assert page.array("r.arrays.codes")[i + ni * (j + nj * k)] == code
    page.run("r.brain.turn(-90, 0); r.drawNow()")
    page.point_at(*place_in_brain(page, 2)).perform()
    assert small.NAMES[1] in tip_of(page)


def test_wheel_goes_through_slices(page):
    canvas = page.element("#coronal canvas")
    before = page.run("return r.state.at[1]")
    origin = ScrollOrigin.from_element(canvas)
    ActionChains(page.driver, duration=0).scroll_from_origin(origin, 0, -120).perform()
    page.settle()
    after = page.run("return r.state.at[1]")
    assert after > before
    ActionChains(page.driver, duration=0).scroll_from_origin(origin, 0, 10_000).perform()
    page.settle()
    assert page.run("return r.state.at[1]") == 0


def test_hover_over_the_brain_and_the_list(page):
    for code in (1, 2):
        page.run("r.brain.turn(-90, 0); r.drawNow()")
        place = place_in_brain(page, code)
        assert place, f"region {code} is not seen from the left"
        page.point_at(*place).perform()
        assert small.NAMES[code - 1] in tip_of(page)
        assert page.run("return r.state.hovered") == code
    for code in (4, 3):
        page.point_at(*middle_of(page, f"#row-{code} .name")).perform()
        page.settle()
        assert page.run("return r.state.hovered") == code
        assert "hovered" in page.element(f"#row-{code}").get_attribute("class")


def middle_of(page: Page, css: str) -> tuple[float, float]:
    return page.run(
        """const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2];""",
        css,
    )


def picture_of(page: Page, css: str) -> bytes:
    """The pixels of a canvas, by way of another one."""
    return page.run(
        """
        const canvas = document.querySelector(arguments[0]);
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext('2d', {willReadFrequently: true});
        context.drawImage(canvas, 0, 0);
        let sum = 0n;
        const data = new BigUint64Array(
          context.getImageData(0, 0, canvas.width & ~1, canvas.height).data.buffer);
        for (const pixels of data) sum = BigInt.asUintN(64, sum * 31n + pixels);
        return String(sum);""",
        css,
    )


def test_what_is_pointed_at_is_highlighted_everywhere(page):
    page.run("r.state.at = [...r.meta.regions.at[0]]; r.brain.turn(-90, 0); r.drawNow()")
    views = [f"#{view} canvas" for view in ("sagittal", "coronal", "axial", "brain")]
    before = [picture_of(page, view) for view in views]
    page.point_at(*middle_of(page, "#row-1 .name")).perform()
    page.settle()
    after = [picture_of(page, view) for view in views]
    assert all(one != other for one, other in zip(before, after, strict=True))
    page.point_at(2, 2).perform()
    page.settle()
    assert [picture_of(page, view) for view in views] == before


# ------------------------------------------------------------------------- choosing


def test_click_in_a_slice_chooses_and_goes_there(open_page):
    page = open_page(small.html_of(small.scene_of_image("many regions")), size=(1300, 700))
    x, y = place_of_code(page, 0, 4000)
    page.point_at(x, y).click().perform()
    page.settle()
    assert page.run("return r.state.chosen") == 4000
    i, j, k = page.run("return r.state.at")
    ni, nj, _ = page.run("return r.meta.volume.shape")
    assert page.array("r.arrays.codes")[i + ni * (j + nj * k)] == 4000
    row, frame = page.element("#row-4000").rect, page.element("#list").rect
    assert frame["y"] <= row["y"]
    assert row["y"] + row["height"] <= frame["y"] + frame["height"] + 1
    assert page.element("#row-4000").get_attribute("aria-selected") == "true"


def test_click_in_the_brain_and_in_the_list(page):
    page.run("r.brain.turn(90, 0); r.drawNow()")
    place = place_in_brain(page, 3) or place_in_brain(page, 4)
    page.point_at(*place).click().perform()
    page.settle()
    assert page.run("return r.state.chosen") in (3, 4)
    page.element("#row-2 .name").click()
    page.settle()
    assert page.run("return [r.state.chosen, r.state.at]") == [
        2,
        page.run("return r.meta.regions.at[1]"),
    ]


def test_drag_turns_the_brain_and_wheel_comes_nearer(page):
    before = page.array("r.brain.image.codes")
    x, y = middle_of(page, "#brain canvas")
    page.point_at(x, y).click_and_hold().perform()
    ActionChains(page.driver, duration=0).move_by_offset(40, 10).release().perform()
    page.settle()
    page.run("r.drawNow()")
    turned = page.array("r.brain.image.codes")
    assert turned.shape != before.shape or np.any(turned != before)
    n_seen = np.mean(turned > 0)
    canvas = page.element("#brain canvas")
    origin = ScrollOrigin.from_element(canvas)
    ActionChains(page.driver, duration=0).scroll_from_origin(origin, 0, -200).perform()
    page.settle()
    page.run("r.drawNow()")
    assert np.mean(page.array("r.brain.image.codes") > 0) > n_seen


# ------------------------------------------------------------------------- the list


def rows_of(page: Page) -> list[str]:
    page.settle()
    return page.run(
        "return [...document.querySelectorAll('#list tr[id] .name')].map(n => n.textContent.trim())"
    )


def test_list_has_the_sides_that_the_table_tells(open_page):
    """Which side of 0 regions are on is seen in the slices; that it is their side is a guess."""
    atlas = rc.load_parcellation(small.IMAGES["RAS"](), regions="none")
    assert not open_page(rc.view(atlas).html).elements("#list th.side")
    table = rc.RegionTable(small.LABELS, columns={"hemisphere": ["L", "R", "", "L", "R"]})
    atlas = rc.load_parcellation(small.IMAGES["RAS"](), regions=table)
    page = open_page(rc.view(atlas).html)
    sides = [cell.text for cell in page.elements("#list td.side")]
    assert sorted(sides) == ["", "L", "L", "R", "R"]


def test_list_is_sorted_by_value_and_by_name(page):
    order = ["left back", "middle", "right front", "left front", "right back"]
    assert rows_of(page) == order  # what is n/a is last
    page.element("#list th.value button").click()
    assert rows_of(page) == ["left front", "right front", "middle", "left back", "right back"]
    page.element("#list th.name button").click()
    assert rows_of(page) == sorted(small.NAMES)
    page.element("#list th.name button").click()
    assert rows_of(page) == sorted(small.NAMES, reverse=True)
    assert page.element("#list th.name").get_attribute("aria-sort") == "descending"


def test_what_is_chosen_in_the_list_is_turned_to(page):
    """From the left, a click on a region of the right turns the brain; one amid it does not."""
    page.element("#brain button[aria-label='Left']").click()
    azimuth = "return r.brain.camera.azimuth"
    for code, expected in ((1, -90), (3, 90), (5, 90), (4, 90), (2, -90)):
        page.element(f"#row-{code} .name").click()
        assert page.run(azimuth) == expected, code
    # From above both are seen.
    page.element("#brain button[aria-label='Superior']").click()
    page.settle()
    for code in (1, 3):
        page.element(f"#row-{code} .name").click()
        assert page.run("return r.brain.camera.elevation") == 90
    # What one has put away stays away.
    page.element("#brain button[aria-label='Left']").click()
    choose_option(page, "#brain select", "left")
    page.element("#row-3 .name").click()
    assert page.run(azimuth) == -90


def test_long_names_are_cut_amid_them(open_page):
    names = [f"7Networks_LH_SalVentAttn_{'Frontal' * 5}_{n}" for n in range(3)]
    names += ["\u0642\u0634\u0631\u0629 " * 8, "short"]
    atlas = small.atlas_of(small.IMAGES["LAS"](), tuple(names))
    page = open_page(small.html_of(small.scene_of_values(atlas, np.arange(5.0))))
    assert sorted(rows_of(page)) == sorted(name.strip() for name in names)
    for n in range(3):
        start, end = page.elements(f"#row-{n + 1} .long span")
        assert end.text == names[n][-8:]
        is_cut, room = page.run(
            """const [start, end] = arguments, cell = end.closest('td');
            return [start.scrollWidth > start.clientWidth,
              cell.getBoundingClientRect().right - end.getBoundingClientRect().right];""",
            start,
            end,
        )
        assert is_cut
        assert room >= 0
    assert not page.elements("#row-4 .long, #row-5 .long")


def test_search(page):
    find = page.element("#find")
    find.send_keys("LEFT")
    assert sorted(rows_of(page)) == ["left back", "left front"]
    find.send_keys(" fro")
    assert rows_of(page) == ["left front"]
    find.clear()
    find.send_keys("nowhere")
    assert rows_of(page) == []
    page.run("document.getElementById('find').select()")
    find.send_keys("7001")
    assert rows_of(page) == ["middle"]


def test_some_regions_alone(page):
    page.element("#row-1 input").click()
    page.element("#row-2 input").click()
    page.settle()
    assert page.array("r.kinds").tolist() == [0, 1, 1, 0, 0, 0]
    page.element("#show-all").click()
    page.settle()
    assert page.array("r.kinds").tolist() == [0, 1, 1, 3, 1, 1]


def test_list_of_many_regions_has_the_rows_that_are_seen(open_page):
    page = open_page(small.html_of(small.scene_of_image("many regions")))
    assert len(page.elements("#list tbody tr")) < 500
    for code in (1, 2500, 5000):
        page.run("r.choose(arguments[0])", code)
        page.settle()
        page.run("r.drawNow()")
        assert len(page.elements(f"#row-{code}")) == 1


# ------------------------------------------------------------------------- maps


def test_slider_keys_and_course_change_the_map(page):
    slider = page.element("#map")
    slider.send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.run("return r.state.map") == 1
    assert MAP_NAMES[1] in page.text("#map-title")
    slider.send_keys(Keys.END)
    page.settle()
    assert page.run("return r.state.map") == 3
    assert MAP_NAMES[3] in page.text("#map-title")
    page.run("document.activeElement.blur()")
    page.press(Keys.ARROW_LEFT)
    assert page.run("return r.state.map") == 2
    page.press(Keys.ARROW_RIGHT)
    assert page.run("return r.state.map") == 3
    page.run("r.choose(1)")
    page.settle()
    box = page.element("#course canvas").rect
    page.point_at(box["x"] + 60, box["y"] + box["height"] / 2).click().perform()
    page.settle()
    assert page.run("return r.state.map") == 0


def test_maps_by_their_names(page):
    choose_option(page, "#names", "left > right")
    assert page.run("return r.state.map") == 2
    choose_option(page, "#names", "<i>fourth</i>")
    assert page.run("return r.state.map") == 3
    page.run("r.setMap(1)")
    assert page.run("return document.getElementById('names').selectedOptions[0].text") == "second"


def test_limits_that_are_none_are_refused(page):
    before = page.run("return [r.state.low, r.state.high]")
    type_into(page, "#low", "100")
    assert page.element("#low").get_attribute("aria-invalid") == "true"
    assert page.run("return [r.state.low, r.state.high]") == before
    type_into(page, "#low", "-1")
    assert page.element("#low").get_attribute("aria-invalid") != "true"
    assert page.run("return r.state.low") == -1
    type_into(page, "#threshold", "-3")
    assert page.run("return r.state.threshold") == 0
    page.element("#reset").click()
    page.settle()
    assert page.run("return [r.state.low, r.state.high]") == before
    assert page.array("r.kinds").tolist() == [0, 1, 1, 3, 1, 1]


def test_borders_on_and_off(page):
    views = [f"#{view} canvas" for view in ("sagittal", "coronal", "axial", "brain")]
    before = [picture_of(page, view) for view in views]
    page.element("#borders").click()
    page.settle()
    without = [picture_of(page, view) for view in views]
    assert all(one != other for one, other in zip(before, without, strict=True))
    page.element("#borders").click()
    page.settle()
    assert [picture_of(page, view) for view in views] == before


def test_play_goes_through_the_maps(page):
    page.element("#play").click()
    page.wait_for(lambda: page.run("return r.state.map") > 1, "the third map")
    page.element("#play").click()
    assert page.run("return r.state.playing") is False


def test_keys_move_the_crosshair(page):
    canvas = page.element("#axial canvas")
    page.run("arguments[0].focus()", canvas)
    i, j, k = page.run("return r.state.at")
    page.press(Keys.ARROW_RIGHT)
    assert page.run("return r.state.at") == [i + 1, j, k]
    page.press(Keys.ARROW_UP, Keys.PAGE_UP)
    assert page.run("return r.state.at") == [i + 1, j + 1, k + 1]
    page.press(Keys.ARROW_LEFT, Keys.ARROW_DOWN, Keys.PAGE_DOWN)
    assert page.run("return r.state.at") == [i, j, k]
    page.element("#radiological").click()
    page.run("arguments[0].focus()", canvas)
    page.press(Keys.ARROW_RIGHT)
    assert page.run("return r.state.at") == [i - 1, j, k]


# ------------------------------------------------------------------------- what is taken along


def copied_from(page: Page) -> str:
    """What is in the clipboard after the page's values were copied."""
    page.browser.command(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    page.element("#copy-tsv").click()
    page.settle()
    return page.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], error => arguments[0](String(error)))"
    )


def test_values_are_copied_exactly(page):
    text = copied_from(page)
    header, *rows = [line.split("\t") for line in text.rstrip("\r\n").split("\n")]
    columns = {title: [row[n] for row in rows] for n, title in enumerate(header)}
    assert columns["name"] == list(small.NAMES)
    assert [int(label) for label in columns["label"]] == list(small.LABELS)
    for title, values in zip(MAP_NAMES, VALUES, strict=True):
        numbers = [np.nan if cell == "n/a" else float(cell) for cell in columns[title]]
        np.testing.assert_array_equal(numbers, values)


def test_table_that_was_copied_is_painted_again(page, tmp_path):
    text = copied_from(page)
    (tmp_path / "copied.tsv").write_text(text, encoding="utf-8")
    atlas = small.atlas_of(small.IMAGES["RAS"]())
    painted = rc.paint(tmp_path / "copied.tsv", atlas)
    np.testing.assert_array_equal(painted.dataobj.table[:, 1:], VALUES)


def test_names_with_quotes_and_tabs_do_not_shift_the_cells_of_a_table(open_page, tmp_path):
    names = ('"half', 'middle "quoted"', "tab\there", '"line\nend"', "=1+1")
    atlas = small.atlas_of(small.IMAGES["RAS"](), names)
    page = open_page(small.html_of(small.scene_of_values(atlas, VALUES)))
    path = page.downloaded(page.element("#save-tsv").click)
    table = pd.read_csv(path, sep="\t")
    told = [" ".join(name.split()) for name in names]
    assert table["name"].tolist() == told
    np.testing.assert_array_equal(table.iloc[:, 2:].T, VALUES)
    # And by ourselves.
    told_atlas = small.atlas_of(small.IMAGES["RAS"](), tuple(told))
    painted = rc.paint(path, told_atlas)
    np.testing.assert_array_equal(painted.dataobj.table[:, 1:], VALUES)


def test_picture_is_saved(page):
    path = page.downloaded(page.element("#save-png").click)
    assert path.suffix == ".png"
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    assert width > 600
    assert height > 300


# ------------------------------------------------------------------------- keys alone


def test_keys_alone(page):
    """Choose a region, change the map, set a threshold, save: without a mouse."""

    def tab_to(css: str) -> None:
        for _ in range(80):
            if page.run(
                "return document.activeElement === document.querySelector(arguments[0])", css
            ):
                return
            page.press(Keys.TAB)
        raise AssertionError(f"tabs do not lead to {css}")

    tab_to("#find")
    page.press(*"middle")
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    assert page.run("return r.state.chosen") == 5
    tab_to("#map")
    page.press(Keys.ARROW_RIGHT)
    assert page.run("return r.state.map") == 1
    tab_to("#threshold")
    page.run("document.activeElement.select()")
    page.press(*"1.5", Keys.ENTER)
    assert page.run("return r.state.threshold") == 1.5
    assert page.array("r.kinds").tolist() == [0, 2, 1, 1, 2, 1]
    tab_to("#save-png")
    assert page.downloaded(lambda: page.press(Keys.ENTER)).stat().st_size > 1000


# ------------------------------------------------------------------------- where it is opened


def framed(attributes: str) -> str:
    """The page of a series in a frame that is given as text."""
    inside = html.escape(small.html_of(series_scene()))
    return f'<iframe style="width: 900px; height: 600px" {attributes} srcdoc="{inside}"></iframe>'


FRAMES = {
    "plain": lambda: framed(""),
    "sandboxed": lambda: framed('sandbox="allow-scripts"'),
    "ours": lambda: View(series_scene()).get_iframe(),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_in_a_frame_of_a_notebook(browser, kind):
    browser.resize(1000, 700)
    browser.prefer("light")
    browser.load(f"<!doctype html><title>notebook</title>{FRAMES[kind]()}")
    browser.driver.switch_to.frame(0)
    page = Page(browser)
    page.wait_until_settled()
    assert page.error == ""
    assert page.run("return r.ready")
    page.element("#row-2 .name").click()
    page.element("#radiological").click()
    page.element("#theme").click()
    page.element("#map").send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.run("return [r.state.chosen, r.state.map, r.state.radiological]") == [2, 1, True]
    if kind == "ours":
        for button in ("#save-png", "#save-tsv"):
            assert page.downloaded(page.element(button).click).stat().st_size > 100
    page.assert_quiet()


def test_without_what_a_browser_of_2023_has(open_page):
    page = open_page(
        small.html_of(series_scene()), before="delete window.DecompressionStream", may_fail=True
    )
    assert not page.is_ready
    assert "2023" in page.error
    assert page.element("#error").get_attribute("role") == "alert"


@pytest.mark.parametrize("name", ["values", "codes"])
def test_damaged_data_are_an_error_that_is_to_be_seen(open_page, name):
    whole = small.html_of(series_scene())

    def damaged(blob: re.Match[str]) -> str:
        content = base64.b64decode(blob[2])
        return blob[1] + base64.b64encode(content[:-12]).decode() + blob[3]

    page = open_page(re.sub(rf'(id="{name}-data">)([^<]+)(<)', damaged, whole), may_fail=True)
    assert not page.is_ready
    assert len(page.error) > 20


def test_fault_of_the_scripts_is_an_error_that_is_to_be_seen(open_page):
    faulty = with_script(
        small.html_of(series_scene()), lambda script: "throw new Error('x');" + script
    )
    page = open_page(faulty, may_fail=True)
    assert not page.is_ready
    assert len(page.error) > 20


# ------------------------------------------------------------------------- what is shown


def test_it_says_what_it_shows(page):
    about = page.text("#about")
    assert "5 regions" in about
    assert "A series" in page.text("#title")
    assert rc.__version__ in page.run("return document.body.textContent")


FORBIDDEN = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
    "localStorage", "sessionStorage", "indexedDB", "document.cookie", "fetch(", "XMLHttpRequest",
    "WebSocket", "EventSource", "sendBeacon", "import(", "webgl", "http://", "https://",
)  # fmt: skip


def test_scripts_have_nothing_that_asks_stores_or_injects():
    folder = Path(page_module.__file__).parent
    files = [*sorted(folder.glob("*.js")), folder / "page.html", folder / "page.css"]
    assert len(files) >= 12
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [word for word in FORBIDDEN if word in text], path.name


def test_atlas_alone(open_page):
    atlas = small.atlas_of(small.IMAGES["PSR"]())
    scene = scene_of(atlas)
    page = open_page(small.html_of(scene))
    kinds, rgb = scene.colours()
    np.testing.assert_array_equal(page.array("r.kinds"), kinds)
    np.testing.assert_array_equal(page.array("r.rgb").reshape(-1, 3), rgb)
    for control in ("#low", "#high", "#threshold", "#ramp", "#map", "#play", "#course"):
        assert not any(element.is_displayed() for element in page.elements(control)), control
    page.point_at(*place_of_code(page, 1, 4)).perform()
    assert tip_of(page).split("\n")[0] == "right front"
    assert "400" in tip_of(page)


def test_categories(open_page):
    atlas = small.atlas_of(small.IMAGES["RAS"]())
    names = {"left back": "one", "left front": "two", "right back": "one", "middle": "<b>three</b>"}
    image = rc.paint(names, atlas, categories=True, missing="fill")
    scene = scene_of(image)
    page = open_page(small.html_of(scene))
    kinds, rgb = scene.colours()
    np.testing.assert_array_equal(page.array("r.kinds"), kinds)
    np.testing.assert_array_equal(page.array("r.rgb").reshape(-1, 3), rgb)
    assert page.run("return [1, 2, 3, 4, 5].map(code => r.valueText(0, code))") == [
        "one", "two", "one", "n/a", "<b>three</b>",
    ]  # fmt: skip
    assert "<b>three</b>" in page.run("return document.body.innerText")


def test_coverage(open_page):
    scene = replace(series_scene(), coverage=np.array([1, 0.5, 0.25, np.nan, 0.125]))
    page = open_page(small.html_of(scene))
    assert page.run("return [...document.querySelectorAll('#list td.coverage')].length") == 5
    assert "12.5" in page.text("#row-5 .coverage")
    assert "n/a" in page.text("#row-4 .coverage")


def test_one_map_has_nothing_of_a_series(open_page):
    page = open_page(small.html_of(small.scene_of_image("RAS", VALUES[0])))
    for control in ("#map", "#play", "#course"):
        assert not any(element.is_displayed() for element in page.elements(control)), control


def test_regions_without_a_value_differ_from_all_others(open_page):
    """n/a, 0, below the threshold and no region are told apart."""
    atlas = small.atlas_of(small.IMAGES["RAS"]())
    image = rc.paint({"left back": 0.0, "right back": 3.0, "middle": -2.0}, atlas, missing="fill")
    scene = scene_of(image)
    page = open_page(small.html_of(scene))
    assert page.array("r.kinds").tolist() == [0, 1, 3, 1, 3, 1]
    assert page.run("return [1, 2].map(code => r.valueText(0, code))") == ["0", "n/a"]
    type_into(page, "#threshold", "2.5")
    assert page.array("r.kinds").tolist() == [0, 2, 3, 1, 3, 2]


@pytest.mark.parametrize("is_pair", [True, False])
def test_surfaces(open_page, is_pair):
    scene = small.surface_scene(is_pair=is_pair)
    page = open_page(small.html_of(scene))
    assert page.run("return r.slices.length") == 0
    assert not any(element.is_displayed() for element in page.elements("#sagittal, #axial"))
    page.run("r.brain.turn(-90, 0); r.drawNow()")
    assert {0, 1, 2, 3} <= set(np.unique(page.array("r.brain.image.codes")))
    place = place_in_brain(page, 2)
    page.point_at(*place).perform()
    assert scene.atlas.table.unique_names[1] in tip_of(page)


def test_cifti_has_slices_and_surfaces(open_page):
    scene = small.cifti_scene()
    page = open_page(small.html_of(scene))
    names = scene.atlas.table.unique_names
    page.point_at(*place_of_code(page, 2, names.index("left back") + 1)).click().perform()
    assert "left back" in tip_of(page)
    assert "mm" in page.text("#chosen")
    # A region of the cortex is not where the crosshair is.
    page.element(f"#row-{names.index('front') + 1} .name").click()
    page.settle()
    assert "front" in page.text("#chosen")
    assert "mm" not in page.text("#chosen")
    page.run("r.brain.turn(0, 90); r.drawNow()")
    seen = set(np.unique(page.array("r.brain.image.codes")))
    assert {names.index("upper back") + 1, names.index("front") + 1} <= seen
