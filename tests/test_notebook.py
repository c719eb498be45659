"""What notebooks show of a result: a page where it is small, a table, or text; never an error."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from pages import Elements, contents
from small_spaces import brain_models, dlabel, labels_gifti
from small_volumes import image_of, small_labels

import regioncast as rc
from regioncast.errors import MeshWarning
from regioncast.viewing import notebook

REGIONS = {-2: "stem", 3: "pallidum", 7: "<b>putamen</b>", 7001: "thalamus"}
VALUES = dict(zip(REGIONS.values(), [-1.5, 0.25, 3.0, -0.75], strict=True))


@pytest.fixture
def atlas():
    return rc.load_parcellation(image_of(small_labels()), REGIONS)


def shown(thing):
    """The page in the frame that a notebook shows."""
    ((tag, attrs, _),) = Elements(thing._repr_html_()).all
    assert tag == "iframe"
    return attrs["srcdoc"]


def rows_of(html):
    """The cells of a table, row by row, as text."""
    rows = []
    for tag, _, text in Elements(html).all:
        if tag == "tr":
            rows.append([])
        elif tag in ("td", "th"):
            rows[-1].append(text)
    return rows


def test_what_knows_its_regions_is_shown_as_its_view(atlas):
    image = rc.paint(VALUES, atlas)
    for thing in (image, atlas, rc.extract(image, atlas)):
        assert shown(thing) == rc.view(thing).html
    axis = brain_models()
    labels = rc.load_parcellation(dlabel(np.arange(len(axis)) // 500, {1: "a", 2: "b"}, axis))
    cifti = rc.paint({"a": 1.0, "b": 2.0}, labels)
    with pytest.warns(MeshWarning):
        page = rc.view(cifti).html
    assert shown(cifti) == page  # which says what the warning does


def test_a_surface_without_a_mesh_is_shown_as_text():
    atlas = rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))
    assert atlas._repr_html_() is None
    assert rc.paint(np.arange(float(len(atlas))), atlas)._repr_html_() is None


def test_a_surface_of_as_many_vertices_as_fsaverage5_is_shown():
    pytest.importorskip("nilearn")
    labels = {side: np.arange(10_242) // 5_000 for side in ("left", "right")}
    atlas = rc.load_parcellation(labels)
    image = rc.paint(np.arange(4.0), atlas)
    assert shown(image) == rc.view(image).html


def test_parts_copies_and_edited_images_are_shown_as_text(atlas):
    image = rc.paint(VALUES, atlas)
    assert image.slicer[:3]._repr_html_() is None
    image.get_fdata()[0] = 7
    assert image._repr_html_() is None


def test_what_has_no_place_on_a_scale_is_shown_as_text(atlas):
    image = rc.paint(np.ones(4, complex), atlas)
    assert image._repr_html_() is None
    assert "PaintedImage" in repr(image)


@pytest.mark.parametrize("limit", ["_MOST_SAMPLES", "_MOST_VALUES", "_LARGEST_PAGE"])
def test_what_is_large_says_what_to_call(atlas, monkeypatch, limit):
    monkeypatch.setattr(notebook, limit, 10)
    image = rc.paint(VALUES, atlas)
    html = image._repr_html_()
    assert "<iframe" not in html
    elements = Elements(html).all
    assert elements[0][2] == repr(image)
    assert 'regioncast.view(…).save_as_html("map.html")' in elements[1][2]


def test_nothing_large_is_made_to_find_out(atlas, monkeypatch):
    monkeypatch.setattr(notebook, "View", None)
    signals = rc.Signals(np.zeros((200_000, 4)), [*VALUES]).changed(parcellation=atlas)
    assert "save_as_html" in signals._repr_html_()


def test_a_match_is_shown_with_what_goes_where(atlas):
    few = {"stem": 1.5, "thalamus": 2.5, "nowhere": 3.5}
    match = rc.match(few, atlas)
    html = match._repr_html_()
    assert Elements(html).all[0][2] == str(match)
    assert rows_of(html) == [
        ["label", "region", "value of", "value"],
        ["-2", "stem", "stem", "1.5"],
        ["3", "pallidum", "n/a", "n/a"],
        ["7", "<b>putamen</b>", "n/a", "n/a"],
        ["7001", "thalamus", "thalamus", "2.5"],
    ]
    by_position = rc.match(np.array([1, 2, 3, 2**60 + 1]), atlas)
    assert rows_of(by_position._repr_html_())[4] == ["7001", "thalamus", "column 4", str(2**60 + 1)]
    wrong = rc.match(np.ones(3), atlas)
    assert Elements(wrong._repr_html_()).tags() == ["pre"]


def test_a_match_shows_some_maps_of_many(atlas):
    frame = pd.DataFrame(np.arange(80.0).reshape(4, 20), columns=[f"m{n}" for n in range(20)])
    frame.insert(0, "name", [*VALUES])
    rows = rows_of(rc.match(frame, atlas)._repr_html_())
    assert rows[0] == ["label", "region", "value of", *(f"m{n}" for n in range(6))]
    assert rows[1] == ["-2", "stem", "stem", *map(str, np.arange(6.0))]


def test_a_region_table_is_shown_from_both_ends():
    table = rc.load_parcellation(rc.demo_data().atlas).table
    rows = rows_of(table._repr_html_())
    assert rows[0] == ["index", "name", *table.other_columns]
    assert rows[1][:2] == ["1", "7Networks_LH_Vis_1"]
    assert rows[11] == ["… 80 more …"]
    assert [row[0] for row in rows[12:]] == [str(label) for label in range(91, 101)]
    assert len(rows) == 22


def test_names_in_tables_are_text(atlas):
    html = atlas.table._repr_html_()
    assert "&lt;b&gt;putamen" in html
    assert "b" not in Elements(html).tags()


def test_signals_that_do_not_know_their_regions_are_shown_as_a_table(atlas):
    signals = rc.load_signals(VALUES, atlas)
    assert rows_of(signals._repr_html_()) == [
        ["name", "value"], *([name, str(value)] for name, value in VALUES.items()),
    ]  # fmt: skip
    series = rc.Signals(np.arange(600.0).reshape(20, 30))
    html = series._repr_html_()
    assert Elements(html).all[0][2] == "20 maps, of which the first 6 are shown"
    rows = rows_of(html)
    assert rows[0] == series.axis.titles(20)[:6]
    assert rows[1] == [str(30.0 * n) for n in range(6)]
    assert rows[11] == ["… 10 more …"]
    assert len(rows) == 22


def test_values_that_are_missing_are_shown_as_such():
    html = rc.Signals([np.nan, 1.0], ["a", "b"])._repr_html_()
    assert rows_of(html)[1:] == [["a", "n/a"], ["b", "1.0"]]


def test_views_are_shown_by_themselves(atlas):
    view = rc.view(VALUES, atlas)
    assert shown(view) == view.html
    assert contents(view)[0]["show"] == "values"


def test_to_import_the_package_loads_nothing_that_shows():
    script = (
        "import sys, regioncast; "
        "print([name for name in ('numpy', 'html', 'regioncast.viewing') if name in sys.modules])"
    )
    words = [sys.executable, "-P", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
