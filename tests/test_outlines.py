"""Borders and outlines of images of codes, held to what is counted pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from regioncast.viewing.outlines import arcs, smoothed, traced

# Few codes that do not follow each other: many junctions, holes, and regions that touch by corners.
images = npst.arrays(
    np.uint16,
    npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.sampled_from([0, 3, 7, 900]),
)


def border_pieces(codes):
    """Each border of one pixel's length, by looking at every pair of neighbours."""
    height, width = codes.shape

    def code(row, column):
        return int(codes[row, column]) if 0 <= row < height and 0 <= column < width else 0

    pieces = {}
    for row in range(height + 1):
        for column in range(width + 1):
            if code(row, column) != code(row - 1, column):
                pieces[(column, row), (column + 1, row)] = (
                    code(row - 1, column),
                    code(row, column),
                )
            if code(row, column) != code(row, column - 1):
                pieces[(column, row), (column, row + 1)] = (
                    code(row, column),
                    code(row, column - 1),
                )
    return pieces


def cut_up(start, end):
    """The pieces of one pixel's length of a straight line, each from its upper or left end."""
    (x0, y0), (x1, y1) = sorted([tuple(map(int, start)), tuple(map(int, end))])
    assert x0 == x1 or y0 == y1
    if x0 == x1:
        return [((x0, y), (x0, y + 1)) for y in range(y0, y1)]
    return [((x, y0), (x + 1, y0)) for x in range(x0, x1)]


def area(path):
    """Of a path, positive where what is inside is on its left as one looks at the image."""
    x, y = path.T
    return -(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def filled(paths, shape):
    """The pixels that are in paths by the even-odd rule: borders to their left are counted."""
    n_left = np.zeros(shape, int)
    for path in paths:
        for start, end in zip(path, np.roll(path, -1, 0), strict=True):
            if start[0] == end[0]:
                rows = slice(*sorted([int(start[1]), int(end[1])]))
                n_left[rows, int(start[0]) :] += 1
    return n_left % 2 == 1


@given(images)
def test_paths_filled_are_the_pixels(codes):
    paths = traced(codes)
    assert sorted(paths) == sorted(set(np.unique(codes).tolist()) - {0})
    for code in paths:
        np.testing.assert_array_equal(filled(paths[code], codes.shape), codes == code)
        assert sum(map(area, paths[code])) == (codes == code).sum()


@given(images)
def test_arcs_are_the_borders_with_a_region_on_each_side(codes):
    pieces = border_pieces(codes)
    seen = {}
    for arc in arcs(codes):
        for start, end in zip(arc.points, arc.points[1:], strict=False):
            is_forward = tuple(start) < tuple(end)
            sides = (arc.left, arc.right) if is_forward else (arc.right, arc.left)
            for piece in cut_up(start, end):
                assert piece not in seen
                seen[piece] = sides
    assert seen == pieces


@given(images)
def test_arcs_turn_at_each_of_their_points(codes):
    """Straight borders are in one piece."""
    for arc in arcs(codes):
        steps = np.sign(np.diff(arc.points, axis=0))
        assert (steps[1:] != steps[:-1]).any(axis=1).all()


@settings(max_examples=50)
@given(images, st.integers(1, 4), st.sampled_from([0.0, 0.2, 1.0]))
def test_smoothed_neighbours_share_their_border(codes, passes, tolerance):
    """Each step of a path is a neighbour's step backwards; or outside is beyond it."""
    # Every pixel is of a region, and a frame is around them, with outside beyond it alone.
    framed = np.pad(codes + 1, 1, constant_values=1000)
    paths = traced(framed, passes=passes, tolerance=tolerance)
    steps = {}
    for code, rings in paths.items():
        for ring in rings:
            for start, end in zip(ring.tolist(), np.roll(ring, -1, 0).tolist(), strict=True):
                steps.setdefault((tuple(start), tuple(end)), []).append(code)
    alone = [step for step in steps if step[::-1] not in steps]
    assert {code for step in alone for code in steps[step]} == {1000}
    # They are one line around everything, which has as much inside as all regions together.
    around = sum(start[1] * end[0] - start[0] * end[1] for start, end in alone) / 2
    total = sum(area(ring) for rings in paths.values() for ring in rings)
    assert total == pytest.approx(around)


def test_the_ends_of_a_smoothed_arc_stay():
    steps = np.repeat(np.arange(9.0), 2)
    stairs = np.stack([steps[1:], steps[:-1]], 1)
    even = smoothed(stairs, passes=6, is_closed=False)
    assert even[[0, -1]].tolist() == stairs[[0, -1]].tolist()
    assert np.ptp(even[4:-4, 0] - even[4:-4, 1]) < np.ptp(stairs[:, 0] - stairs[:, 1]) / 4


def test_holes_run_the_other_way():
    codes = np.full((3, 4), 5)
    codes[1, 1] = 9
    outer, hole = sorted(traced(codes)[5], key=lambda path: -abs(area(path)))
    assert (area(outer), area(hole)) == (12, -1)
    assert len(outer) == 4


def test_a_row_of_steps_becomes_a_slope():
    codes = np.tri(40, dtype=int)
    path = traced(codes, passes=8, tolerance=0.4)[1][0]
    assert len(path) < 12
    assert area(path) == pytest.approx(codes.sum(), rel=0.03)
