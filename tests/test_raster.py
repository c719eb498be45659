"""What of a mesh is seen in each pixel: the compiled kernel against its twin, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast import testing
from regioncast.engine._kernels import raster

SEEDS = st.integers(0, 2**32 - 1)


def rasterise(corners, codes, triangles, shape, images=None):
    """Codes, depths and shades of triangles, drawn over what is there already."""
    if images is None:
        images = np.zeros(shape, np.uint32), np.full(shape, -np.inf), np.zeros(shape, np.uint8)
    raster.fill(
        np.ascontiguousarray(corners, np.float32),
        np.ascontiguousarray(codes, np.uint32),
        np.ascontiguousarray(triangles, np.int32).reshape(-1, 3),
        *images,
    )
    return images


@st.composite
def scenes(draw):
    """Triangles, many of them degenerate, in part beside a small image that is no square.

    Coordinates are multiples of 1/4, so pixel centres and corners often coincide, and what is
    compared is exact; weights are sometimes equal.
    """
    rng = np.random.default_rng(draw(SEEDS))
    n_vertices, n_triangles = draw(st.integers(1, 12)), draw(st.integers(0, 14))
    height, width = draw(st.tuples(st.integers(0, 9), st.integers(0, 12)))
    corners = np.empty((n_vertices, 4), np.float32)
    corners[:, 0] = rng.integers(-12, 4 * 12 + 12, n_vertices) / 4
    corners[:, 1] = rng.integers(-12, 4 * 9 + 12, n_vertices) / 4
    corners[:, 2] = rng.integers(-3, 4, n_vertices) / 2
    corners[:, 3] = rng.integers(0, 256, n_vertices)
    codes = rng.choice(np.array([0, 1, 7, 70000, 2**32 - 1], np.uint32), n_vertices)
    triangles = rng.integers(-1, n_vertices + 1, (n_triangles, 3)).astype(np.int32)
    return corners, codes, triangles, (height, width)


@given(scenes())
def test_fill(scene):
    for got, expected in zip(rasterise(*scene), testing.rasterise(*scene), strict=True):
        np.testing.assert_array_equal(got, expected)


@given(scenes(), st.integers(0, 14))
def test_what_is_drawn_over_an_image_is_as_if_drawn_at_once(scene, n_first):
    corners, codes, triangles, shape = scene
    images = rasterise(corners, codes, triangles[:n_first], shape)
    rasterise(corners, codes, triangles[n_first:], shape, images)
    for got, expected in zip(images, rasterise(*scene), strict=True):
        np.testing.assert_array_equal(got, expected)


def grid_of_triangles(height, width, rng):
    """A rectangle of triangles with jittered vertices inside, and their corners."""
    numbers = np.arange((height + 1) * (width + 1)).reshape(height + 1, width + 1)
    points = np.stack(np.meshgrid(np.arange(width + 1.0), np.arange(height + 1.0)), -1)
    points[1:-1, 1:-1] += rng.uniform(-0.3, 0.3, points[1:-1, 1:-1].shape)
    above = numbers[:-1, :-1].ravel(), numbers[:-1, 1:].ravel()
    below = numbers[1:, :-1].ravel(), numbers[1:, 1:].ravel()
    triangles = [(above[0], below[0], below[1]), (above[0], below[1], above[1])]
    return points.reshape(-1, 2), np.concatenate([np.stack(corners, 1) for corners in triangles])


@given(seed=SEEDS, scale=st.floats(0.3, 4))
def test_triangles_that_share_edges_leave_no_pixel_between_them(seed, scale):
    rng = np.random.default_rng(seed)
    points, triangles = grid_of_triangles(7, 11, rng)
    corners = np.zeros((len(points), 4))
    corners[:, :2], corners[:, 3] = scale * points, 200
    shape = int(7 * scale), int(11 * scale)
    codes, depth, shade = rasterise(corners, np.ones(len(points)), triangles, shape)
    assert (codes == 1).all()
    assert (depth == 0).all()
    assert np.isin(shade, [199, 200]).all()  # a shade is cut off, and may be rounded below itself


def test_where_pixel_centres_lie_on_an_edge_none_is_missed():
    corners = [[0, 0, 0, 9], [0, 8, 0, 9], [8, 8, 0, 9], [8, 0, 0, 9]]
    codes, _, _ = rasterise(corners, [1, 1, 1, 1], [[0, 1, 2], [0, 2, 3]], (8, 8))
    assert (codes == 1).all()


def test_triangles_from_behind_and_from_their_edges_are_not_seen():
    corners = [[0, 0, 0, 9], [0, 8, 0, 9], [8, 8, 0, 9], [4, 4, 0, 9]]
    codes, depth, shade = rasterise(
        corners, [1, 1, 1, 1], [[2, 1, 0], [0, 3, 2], [1, 1, 1]], (8, 8)
    )
    assert not codes.any()
    assert not shade.any()
    assert np.isinf(depth).all()


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_nearer_triangle_is_seen_whichever_is_drawn_first(order):
    corners = [[0, 0, z, 9] for z in (1, 2)] + [[0, 9, z, 9] for z in (1, 2)]
    corners += [[9, 0, z, 9] for z in (1, 2)]
    triangles = np.array([[0, 2, 4], [1, 3, 5]])[order]
    codes, depth, _ = rasterise(corners, [1, 2] * 3, triangles, (3, 3))
    assert (codes == 2).all()
    assert (depth == 2).all()


def test_the_code_of_two_corners_ends_amid_the_edges_to_the_third():
    corners = [[0, 0, 0, 9], [0, 40, 0, 9], [40, 0, 0, 9]]
    codes, _, _ = rasterise(corners, [5, 6, 6], [[0, 1, 2]], (40, 40))
    x, y = np.meshgrid(np.arange(40) + 0.5, np.arange(40) + 0.5)
    np.testing.assert_array_equal(codes == 5, x + y < 20)


@pytest.mark.parametrize("far", [1e6, 1e30, float(np.finfo(np.float32).max)])
def test_triangles_much_larger_than_the_image_fill_it_and_nothing_else(far):
    corners = [[-far, -far, 0, 9], [-far, far, 0, 9], [far, 0, 0, 9]]
    around = np.zeros((9, 5), np.uint32), np.full((9, 5), -np.inf), np.zeros((9, 5), np.uint8)
    within = [image[2:7] for image in around]
    rasterise(corners, [3, 3, 3], [[0, 1, 2]], (5, 5), within)
    assert (around[0][2:7] == 3).all()
    assert not np.delete(around[0], range(2, 7), 0).any()


@pytest.mark.parametrize("x", [-1e30, -6.0, 11.0, 1e30])
def test_triangles_beside_the_image_draw_nothing(x):
    corners = [[x, 0, 0, 9], [x, 4, 0, 9], [x + 2, 2, 0, 9]]
    codes, _, _ = rasterise(corners, [3, 3, 3], [[0, 1, 2]], (5, 9))
    assert not codes.any()


@pytest.mark.parametrize("vertex", [-1, 3, 2**31 - 1, -(2**31)])
def test_triangles_of_vertices_that_there_are_not_draw_nothing(vertex):
    corners = [[0, 0, 0, 9], [0, 9, 0, 9], [9, 0, 0, 9]]
    codes, _, _ = rasterise(corners, [3, 3, 3], [[0, 1, vertex]], (5, 5))
    assert not codes.any()


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_images_without_pixels_and_meshes_without_triangles(shape):
    corners = [[0, 0, 0, 9], [0, 9, 0, 9], [9, 0, 0, 9]]
    assert rasterise(corners, [1, 1, 1], [[0, 1, 2]], shape)[0].shape == shape
    assert not rasterise(np.zeros((0, 4)), [], [], (3, 4))[0].any()
    assert not rasterise(np.zeros((0, 4)), [], [[0, 1, 2]], (3, 4))[0].any()


def test_more_vertices_than_16_bits_can_number():
    rng = np.random.default_rng(0)
    points, triangles = grid_of_triangles(270, 260, rng)
    assert len(points) > 2**16
    corners = np.zeros((len(points), 4))
    corners[:, :2] = points
    codes = np.arange(len(points)) + 100_000
    image, _, _ = rasterise(corners, codes, triangles, (270, 260))
    # The code is that of a vertex not further away than a corner of the triangle.
    row, column = np.indices(image.shape)
    seen = points[image - 100_000]
    distance = np.hypot(seen[..., 0] - column - 0.5, seen[..., 1] - row - 0.5)
    assert distance.max() < 1.7
