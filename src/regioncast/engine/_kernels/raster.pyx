# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From triangles to an image of codes: what of a mesh is seen in each pixel.

Corners are float32 and what is computed of them is double, so whether the centre of a pixel is in
a triangle is next to exact: triangles that share an edge leave no pixel between them.
"""
from libc.math cimport ceil, floor, fmax, fmin
from libc.stdint cimport int32_t, uint8_t, uint32_t


cdef struct Corner:
    double x, y, z, shade
    uint32_t code


cdef inline double _turn(Corner a, Corner b, double x, double y) noexcept nogil:
    """Return twice the area of the triangle of two corners and a point, negative to one side."""
    return (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)


cdef inline Py_ssize_t _first(double a, double b, double c, Py_ssize_t n) noexcept nogil:
    """Return the first of n pixels whose centre is not before three numbers, at most n."""
    return <Py_ssize_t>fmin(n, fmax(0, ceil(fmin(a, fmin(b, c)) - 0.5)))


cdef inline Py_ssize_t _last(double a, double b, double c, Py_ssize_t n) noexcept nogil:
    """Return the last of n pixels whose centre is not after three numbers, at least -1."""
    return <Py_ssize_t>fmin(n - 1, fmax(-1, floor(fmax(a, fmax(b, c)) - 0.5)))


cdef inline uint32_t _code_of(Corner* of, double a, double b, double c) noexcept nogil:
    """Return the code with the largest weight, by weights of the corners, all of them negative."""
    if of[1].code == of[2].code:
        return of[0].code if a < b + c else of[1].code
    if of[0].code == of[2].code:
        return of[1].code if b < a + c else of[2].code
    if of[0].code == of[1].code:
        return of[2].code if c < a + b else of[0].code
    if a <= b and a <= c:
        return of[0].code
    return of[1].code if b <= c else of[2].code


def fill(
    const float[:, ::1] corners,
    const uint32_t[::1] corner_codes,
    const int32_t[:, ::1] triangles,
    uint32_t[:, ::1] codes,
    double[:, ::1] depth,
    uint8_t[:, ::1] shade,
):
    """Draw triangles seen from the front into images that may hold something already.

    A pixel whose centre is in a triangle gets a code where the triangle is nearer than `depth`
    says: that of the largest part of the pixel's weights, which are those of its depth and shade.
    Codes are never mixed, and that of two corners ends amid the edges to the third, so borders
    have no teeth.

    Parameters
    ----------
    corners : array of float32, shape (n, 4)
        Of each vertex x to the right and y down, in pixels, with whole numbers at the edges of
        pixels; how near it is; and its shade, 0 to 255.
    corner_codes : array of uint32, shape (n,)
    triangles : array of int32, shape (m, 3)
        Vertices, counter-clockwise in the image for those that are seen.  Of those without an
        area, and of those of vertices that there are not, nothing is drawn.
    codes, depth, shade : arrays of uint32, float64 and uint8, shape (height, width)
        `depth` starts as -inf.
    """
    cdef Py_ssize_t t, e, row, column, first_row, last_row, first_column, last_column
    cdef Py_ssize_t height = codes.shape[0], width = codes.shape[1]
    cdef uint32_t vertex, n_vertices = <uint32_t>corners.shape[0]
    cdef Corner[3] of
    cdef double area, x, y, a, b, c, near
    cdef bint is_there
    with nogil:
        for t in range(triangles.shape[0]):
            is_there = True
            for e in range(3):
                vertex = <uint32_t>triangles[t, e]
                if vertex >= n_vertices:
                    is_there = False
                    break
                of[e].x = corners[vertex, 0]
                of[e].y = corners[vertex, 1]
                of[e].z = corners[vertex, 2]
                of[e].shade = corners[vertex, 3]
                of[e].code = corner_codes[vertex]
            if not is_there:
                continue
            area = _turn(of[0], of[1], of[2].x, of[2].y)
            if not area < 0:  # seen from behind, or from its edge
                continue
            # Within the image whatever the corners are, so nothing is written beside it.
            first_row = _first(of[0].y, of[1].y, of[2].y, height)
            last_row = _last(of[0].y, of[1].y, of[2].y, height)
            first_column = _first(of[0].x, of[1].x, of[2].x, width)
            last_column = _last(of[0].x, of[1].x, of[2].x, width)
            for row in range(first_row, last_row + 1):
                y = row + 0.5
                for column in range(first_column, last_column + 1):
                    x = column + 0.5
                    a = _turn(of[1], of[2], x, y)
                    b = _turn(of[2], of[0], x, y)
                    c = _turn(of[0], of[1], x, y)
                    if a > 0 or b > 0 or c > 0:
                        continue
                    near = (a * of[0].z + b * of[1].z + c * of[2].z) / area
                    if near <= depth[row, column]:
                        continue
                    depth[row, column] = near
                    codes[row, column] = _code_of(of, a, b, c)
                    shade[row, column] = <uint8_t>(
                        (a * of[0].shade + b * of[1].shade + c * of[2].shade) / area
                    )
