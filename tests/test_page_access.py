"""Everybody can use the page: names for those who hear it, keys, contrast, narrow and wide screens.

The rules are those of WCAG 2.2, level AA, as far as a program can tell; the numbers of its success
criteria stand beside them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import small_scenes as small
from selenium.webdriver.common.keys import Keys

import regioncast as rc
from regioncast.viewing.scene import scene_of

THEMES = ("light", "dark")
PHONE, DESK = (360, 740), (1600, 1000)

# Everything that one can do something with, if it is to be seen.
INTERACTIVE = (
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], "
    "[role=button], [role=slider], [role=option], [role=switch]"
)
HELPERS = """
  const isSeen = node => node.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && node.getClientRects().length > 0;
  const called = node => node.id ? '#' + node.id
    : `${node.tagName.toLowerCase()}.${node.className} "${node.textContent.slice(0, 20)}"`;
"""


@cache
def series_page() -> str:
    """A page with everything on it: volume, series, coverage, n/a, a unit, long names."""
    atlas = small.atlas_of(small.IMAGES["RAS"](), (*small.NAMES[:4], "a name of a region " * 6))
    scene = small.scene_of_values(
        atlas, small.some_values(5, 12), threshold=0.4, title="Finger movement", unit="z"
    )
    return small.html_of(replace(scene, coverage=np.array([1, 0.5, 0.25, 1, 0.125])))


@cache
def pages() -> dict[str, str]:
    return {
        "series": series_page(),
        "one map": small.html_of(small.scene_of_image("LAS", small.some_values(5)[0])),
        "atlas": small.html_of(scene_of(small.atlas_of(small.IMAGES["PSR"]()))),
        "surface": small.html_of(small.surface_scene()),
        "cifti": small.html_of(small.cifti_scene()),
    }


PAGES = ("series", "one map", "atlas", "surface", "cifti")


# ------------------------------------------------------------------------- names and roles

# What needs a name, by the roles that browsers compute.
NAMED_ROLES = {
    "button", "link", "slider", "textbox", "searchbox", "spinbutton", "combobox", "listbox",
    "option", "checkbox", "switch", "radio", "radiogroup", "tab", "menuitem", "image", "img",
    "canvas", "Canvas", "grid", "table", "figure", "dialog", "meter", "progressbar", "application",
    "toolbar",
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_everything_one_can_use_has_a_name(open_page, name):
    page = open_page(pages()[name])
    roles: Counter[str] = Counter()
    nameless = []
    for node in page.browser.command("Accessibility.getFullAXTree")["nodes"]:
        if node["ignored"]:
            continue
        role = node["role"]["value"]
        roles[role] += 1
        properties = {p["name"]: p["value"].get("value") for p in node.get("properties", ())}
        is_focusable = properties.get("focusable") and role != "RootWebArea"
        is_to_be_named = role in NAMED_ROLES or is_focusable
        if is_to_be_named and not node["name"]["value"].strip():
            place = page.browser.command(
                "DOM.describeNode", backendNodeId=node["backendDOMNodeId"]
            )["node"]
            nameless.append((role, place["nodeName"], place.get("attributes")))
    assert not nameless
    # The list, the field that searches it, and what one clicks.
    assert roles["button"]
    assert roles["searchbox"] + roles["textbox"] + roles["combobox"]
    assert roles["heading"]


def test_elements_and_their_references(open_page):
    page = open_page(pages()["series"])
    assert page.run("return document.documentElement.lang") == "en"
    assert page.run("return document.title") == "Finger movement"
    assert page.run("return document.querySelectorAll('h1').length") == 1
    assert page.run("return document.querySelectorAll('main').length") == 1
    assert page.run("return document.querySelectorAll('[aria-live], [role=status]').length")
    # No one is kept from zooming (1.4.4).
    viewport = page.run("return document.querySelector('meta[name=viewport]').content")
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport
    assert not page.run("""
      const ids = [...document.querySelectorAll('[id]')].map(node => node.id);
      return ids.filter((id, at) => ids.indexOf(id) !== at);""")
    assert not page.run("""
      const wrong = [];
      for (const title of ['for', 'aria-controls', 'aria-labelledby', 'aria-describedby',
          'aria-activedescendant', 'aria-owns', 'list']) {
        for (const node of document.querySelectorAll('[' + title + ']')) {
          for (const id of node.getAttribute(title).split(' ')) {
            if (id && !document.getElementById(id)) wrong.push(title + '=' + id);
          }
        }
      }
      return wrong;""")
    # An order of tabs other than that of the page is never understood (2.4.3).
    assert not page.run(
        "return [...document.querySelectorAll('[tabindex]')].some(n => n.tabIndex > 0)"
    )
    assert not page.run(
        "return document.querySelector('button button, a button, button a') !== null"
    )
    levels = page.run(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(n => +n.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


# ------------------------------------------------------------------------- keys


FOCUS = (
    HELPERS
    + """
  const node = document.activeElement, style = getComputedStyle(node);
  const hasOutline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  window.visited ??= [];
  window.visited.push(node);
  return [called(node), hasOutline || style.boxShadow !== 'none', isSeen(node)];
"""
)


@pytest.mark.parametrize("name", ["series", "surface"])
def test_tab_reaches_everything_and_shows_where_it_is(open_page, name):
    page = open_page(pages()[name])
    n_elements = len(page.elements(INTERACTIVE))
    for _ in range(n_elements + 3):
        page.press(Keys.TAB)
        node, is_shown, is_seen = page.run(FOCUS)
        if page.run("return document.activeElement === document.body"):
            break
        assert is_seen, f"the focus is on {node}, which nobody sees"
        assert is_shown, f"nothing shows that the focus is on {node}"
    missed = page.run(
        HELPERS
        + """
      const groups = new Set(window.visited.map(node => node.type === 'radio' && node.name));
      return [...document.querySelectorAll(arguments[0])].filter(node => isSeen(node)
        && node.tabIndex >= 0 && !node.disabled && !window.visited.includes(node)
        && !(node.type === 'radio' && groups.has(node.name))).map(called);""",
        INTERACTIVE,
    )
    assert not missed
    # Rows of a list may be reached by its arrows; all else that is clicked has to be on the way.
    assert not page.run(
        HELPERS
        + """
      return [...document.querySelectorAll('button, input, select, a[href], summary')]
        .filter(node => isSeen(node) && node.tabIndex < 0 && !node.disabled
          && !node.closest('[role=listbox], [role=grid], [role=radiogroup], [role=toolbar]'))
        .map(called);"""
    )


# ------------------------------------------------------------------------- contrast

CONTRAST = (
    HELPERS
    + """
  const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const channels = color => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = node => {
    const layers = [];
    for (; node; node = node.parentElement) {
      layers.push(channels(getComputedStyle(node).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = colour => {
    const linear = colour.map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const opacity = node => node ? getComputedStyle(node).opacity * opacity(node.parentElement) : 1;
  const check = (node, style, text) => {
    const back = behind(node), front = channels(style.color);
    front[3] *= opacity(node);
    const [dark, bright] = [light(over(front, back)), light(back)].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
    if (ratio < (isLarge ? 3 : 4.5)) wrong.push(`${called(node)}: ${text} ${ratio.toFixed(2)}`);
    count += 1;
  };
  const wrong = [];
  let count = 0;
  for (const node of document.body.querySelectorAll('*')) {
    if (!isSeen(node) || node.disabled || node.closest('svg')) continue;
    const text = [...node.childNodes].filter(child => child.nodeType === 3)
      .map(child => child.data.trim()).join('');
    if (text && node.tagName !== 'OPTION') check(node, getComputedStyle(node), text.slice(0, 30));
    const isWritten = !['range', 'checkbox', 'radio', 'color'].includes(node.type);
    if (node.matches('input, select, textarea') && isWritten) {
      check(node, getComputedStyle(node), 'its value');
    }
    if (node.placeholder) check(node, getComputedStyle(node, '::placeholder'), 'its placeholder');
  }
  return [count, wrong];
"""
)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["series", "surface"])
def test_text_has_contrast(open_page, name, theme):
    """1.4.3: 4.5, and 3 for large letters; also with a region chosen and another pointed at."""
    page = open_page(pages()[name], theme=theme)
    page.run("r.choose(1); r.hover(2, null); r.drawNow()")
    count, wrong = page.run(CONTRAST)
    assert count > 15
    assert not wrong


@pytest.mark.parametrize("theme", THEMES)
def test_theme_of_the_reader_and_of_the_control(open_page, theme):
    page = open_page(pages()["one map"], theme=theme)
    light = (
        "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0] > 128"
    )
    assert page.run(light) == (theme == "light")
    assert page.run("return r.state.dark") == (theme == "dark")
    page.element("#theme").click()
    page.settle()
    assert page.run(light) == (theme == "dark")
    assert page.run("return r.state.dark") == (theme == "light")


def test_theme_follows_the_reader_while_the_page_is_open(open_page):
    page = open_page(pages()["one map"])
    page.browser.prefer("dark")
    page.wait_for(lambda: page.run("return r.state.dark"), "the dark theme")


# ------------------------------------------------------------------------- sizes

BOXES = (
    HELPERS
    + """
  const controls = [...document.querySelectorAll(
    'button, input:not([type=hidden]), select, label, h1, output, summary, #map-title'
  )].filter(isSeen);
  const boxes = controls.map(node => [node, node.getBoundingClientRect()]);
  const cut = boxes.filter(([node, box]) => box.left < -0.5 || box.right > innerWidth + 0.5)
    .map(([node]) => called(node));
  const clipped = controls.filter(node => node.matches('button, label, h1, output')
    && getComputedStyle(node).textOverflow !== 'ellipsis'
    && getComputedStyle(node).overflow !== 'visible'
    && node.scrollWidth > node.clientWidth + 1).map(called);
  const overlapping = [];
  boxes.forEach(([one, a], at) => boxes.slice(at + 1).forEach(([other, b]) => {
    if (one.contains(other) || other.contains(one)) return;
    if (one.closest('label')?.contains(other) || other.closest('label')?.contains(one)) return;
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (width > 1 && height > 1) overlapping.push(called(one) + ' and ' + called(other));
  }));
  // Of a box in a label or in a cell, all of that is clicked.
  const small = [...document.querySelectorAll('button, input, select, summary')].filter(isSeen)
    .filter(node => {
      const box = (node.closest('td, label') || node).getBoundingClientRect();
      return box.width < 23.5 || box.height < 23.5;
    }).map(called);
  const wide = document.documentElement.scrollWidth - innerWidth;
  return {wide, cut, clipped, overlapping, small};
"""
)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_or_overlaps(open_page, name):
    """1.4.10: nothing to scroll sideways, from 320 pixels on; 2.5.8: targets of 24 pixels."""
    page = open_page(pages()[name], size=DESK)
    for size in (DESK, (768, 1024), PHONE, (320, 640)):
        page.browser.resize(*size)
        page.settle()
        boxes = page.run(BOXES)
        assert boxes.pop("wide") <= 0, size
        assert {what: nodes for what, nodes in boxes.items() if nodes} == {}, size


def test_views_are_to_be_seen_on_a_phone(open_page):
    page = open_page(pages()["series"], size=PHONE)
    for view in ("sagittal", "coronal", "axial", "brain"):
        box = page.element(f"#{view} canvas").rect
        assert box["width"] >= 100, view
        assert box["height"] >= 100, view
        assert box["x"] + box["width"] <= PHONE[0] + 1


def test_a_new_size_draws_everything_anew(open_page):
    page = open_page(pages()["series"], size=DESK)
    page.browser.resize(*PHONE)
    page.settle()
    assert page.run("return document.documentElement.scrollWidth") <= PHONE[0]
    for view in ("sagittal", "coronal", "axial", "brain"):
        wide, shown = page.run(
            "const c = document.querySelector(arguments[0]); return [c.width, c.clientWidth]",
            f"#{view} canvas",
        )
        assert abs(wide - shown) <= 1, view


# ------------------------------------------------------------------------- names of the world

EVERY_SCRIPT = (
    "</script><script>window.broken=1</script>",
    "<b>bold</b> & 'quoted' \"twice\"",
    "@SCRIPT@ @META@ ${name} `tick` \\n",
    "<!-- <script> --> ]]>",
    "<img src=x onerror=window.broken=2>",
    "التلفيف الجبهي العلوي",
    "קליפת המוח הקדמית",
    "額葉上部皮質",
    "ललाट पालि",
    "🧠👩🏽‍🔬 emoji",
    "e\u0301 ä ß İ ﬀ\u200b\u202ereversed",
    "very long " * 60,
    "wordwithoutanyspace" * 20,
)


def atlas_of_names(names: tuple[str, ...]) -> rc.Parcellation:
    return rc.load_parcellation(small.many_regions(len(names)), dict(enumerate(names, 1)))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=str)
def test_names_of_every_script_and_with_markup(open_page, size):
    names = EVERY_SCRIPT
    title = "</title><script>window.broken=3</script><i>@DATA@ مرحبا " + "title " * 40
    values = np.arange(len(names)) - 3.5
    scene = small.scene_of_values(atlas_of_names(names), values, title=title, unit="<i>mm</i>")
    page = open_page(small.html_of(scene), size=size)
    assert page.run("return r.meta.regions.names") == [*scene.atlas.table.unique_names]
    assert page.run("return [document.title, document.querySelector('h1').textContent]") == [
        title.strip(),
        title,
    ]
    rows = page.text("#list")
    for code, name in enumerate(scene.atlas.table.unique_names, 1):
        assert name in rows
        page.run("r.choose(arguments[0]); r.hover(arguments[0], null); r.drawNow()", code)
    # Patches of colour are the only elements there are within the names of regions.
    assert page.run("return document.querySelectorAll('#list b, img, h1 *').length") == 0
    assert page.run("return document.querySelectorAll('i:not([class]):not([id])').length") == 0
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
