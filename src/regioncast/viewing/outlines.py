"""Where regions end in an image of codes: the borders, and the paths around each region.

An image has its first row at the top; the pixel in row `r` and column `c` covers the square from
`(c, r)` to `(c + 1, r + 1)`, and points are `(x, y)`.  What is outside the image is no region.

A *junction* is a corner of pixels at which three or more borders meet, and an *arc* is a border
from one junction to the next, or one that closes upon itself.  An arc has one region on its left
and another on its right.  It is smoothed once and serves both, so they never part or overlap.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]


class Arc(NamedTuple):
    """A border between two regions, without a junction inside.

    Parameters
    ----------
    points : array of float64, shape (n, 2)
        Where it turns, from end to end; of a closed one, the first point is the last one too.
    left, right : int
        The codes on either side of it, as one walks along it and looks at the image.
    """

    points: Points
    left: int
    right: int

    @property
    def is_closed(self) -> bool:
        """Whether it ends where it began."""
        return bool((self.points[0] == self.points[-1]).all())


def traced(
    codes: NDArray[Any], *, passes: int = 0, tolerance: float = 0.0
) -> dict[int, list[Points]]:
    """Return the closed paths around each region.

    Parameters
    ----------
    codes : array of integers, shape (height, width)
    passes : int, default=0
        How often the steps between pixels are evened out.  0 keeps every pixel: the paths of a
        region, filled by the even-odd rule, are exactly its pixels.
    tolerance : float, default=0.0
        In pixels: points that are nearer to the line without them are left out.

    Returns
    -------
    dict of int to list of arrays of float64, shape (n_points, 2)
        By code, 0 left out.  The last point of a path joins the first, which is not repeated.  The
        region is on the left of its paths, so that those of holes run the other way round.
    """
    sides = defaultdict(list)
    for arc in arcs(codes):
        points = arc.points
        if passes:
            points = smoothed(points, passes=passes, is_closed=arc.is_closed)
        points = simplified(points, tolerance)
        # A region is on the left of its paths, so the other one walks the arc from its end.
        sides[arc.left].append(points)
        sides[arc.right].append(points[::-1])
    return {code: _rings(sides[code]) for code in sorted(sides) if code != 0}


def arcs(codes: NDArray[Any]) -> list[Arc]:
    """Return the borders of an image of codes, cut at junctions.

    Parameters
    ----------
    codes : array of integers, shape (height, width)
    """
    runs, sides, is_junction = _runs_between_junctions(codes)
    n_columns = codes.shape[1] + 1
    ends = (runs[:, :, 1] * n_columns + runs[:, :, 0]).astype(np.int64).tolist()
    runs_at = defaultdict(list)
    for run, (start, end) in enumerate(ends):
        runs_at[start].append(run)
        runs_at[end].append(run)
    junctions = set(np.flatnonzero(is_junction).tolist())
    is_walked = bytearray(len(ends))

    def walk(start: int, run: int) -> Arc:
        left, right = sides[run] if ends[run][0] == start else sides[run][::-1]
        nodes = [start]
        while True:
            is_walked[run] = True
            one_end, other_end = ends[run]
            nodes.append(other_end if nodes[-1] == one_end else one_end)
            if nodes[-1] in junctions or nodes[-1] == start:
                break
            # Where there is no junction, just two runs meet.
            here, there = runs_at[nodes[-1]]
            run = there if run == here else here
        points = np.stack(np.divmod(nodes, n_columns)[::-1], 1).astype(np.float64)
        return Arc(points, left, right)

    # From the junctions first: what is left then are borders that close upon themselves.
    starts = [*sorted(junctions), *(start for start, _ in ends)]
    return [walk(node, run) for node in starts for run in runs_at[node] if not is_walked[run]]


def smoothed(points: Points, *, passes: int, is_closed: bool) -> Points:
    """Return a line of lattice points with its steps evened out; the ends of an open one stay.

    Parameters
    ----------
    points : array, shape (n, 2)
        Each straight above, below or beside the one before.
    passes : int
        How often each point is moved half-way to the middle of its neighbours.
    is_closed : bool
        Whether the last point is the first one.
    """
    steps = np.abs(np.diff(points, axis=0)).sum(1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    every = np.arange(along[-1] + 1)
    even = np.stack([np.interp(every, along, channel) for channel in points.T], 1)
    for _ in range(passes):
        if is_closed:
            ring = even[:-1]
            ring = ring / 2 + (np.roll(ring, 1, 0) + np.roll(ring, -1, 0)) / 4
            even = np.concatenate([ring, ring[:1]])
        else:
            even[1:-1] = even[1:-1] / 2 + (even[2:] + even[:-2]) / 4
    return even


def simplified(points: Points, tolerance: float) -> Points:
    """Return a line without the points that hardly change it.

    After Douglas and Peucker (1973): between two points that are kept, the point furthest from
    the line is kept too where it is more than `tolerance` away.  Both ends stay; of a closed line,
    so does the point furthest from them.
    """
    if tolerance <= 0:
        return points
    is_kept = np.zeros(len(points), bool)
    is_kept[[0, -1]] = True
    pieces = [(0, len(points) - 1)]
    while pieces:
        start, end = pieces.pop()
        distances = _distances(points[start : end + 1])
        furthest = start + int(distances.argmax())
        if distances.max() > tolerance:
            is_kept[furthest] = True
            pieces += [(start, furthest), (furthest, end)]
    return points[is_kept]


def _distances(points: Points) -> NDArray[np.float64]:
    """Return how far points are from the line from the first to the last one."""
    from_first = points - points[0]
    direction = from_first[-1]
    length = np.hypot(*direction)
    if length == 0:
        distances: NDArray[np.float64] = np.hypot(*from_first.T)
    else:
        across = direction[0] * from_first[:, 1] - direction[1] * from_first[:, 0]
        distances = np.abs(across) / length
    return distances


def _are_borders(codes: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where borders lie above each pixel, and where they stand on its left.

    Returns
    -------
    lying : array of bool, shape (height + 1, width)
    standing : array of bool, shape (height, width + 1)
    """
    padded = np.pad(codes, 1)
    lying = padded[1:, 1:-1] != padded[:-1, 1:-1]
    standing = padded[1:-1, 1:] != padded[1:-1, :-1]
    return lying, standing


def _runs(is_border: NDArray[np.bool_], is_cut: NDArray[np.bool_]) -> Points:
    """Return the stretches of borders in each row as segments.

    Parameters
    ----------
    is_border : array of bool, shape (n_rows, n)
    is_cut : array of bool, shape (n_rows, n + 1)
        Where a stretch ends though another one follows.
    """
    padded = np.pad(is_border, ((0, 0), (1, 1)))
    before, after = padded[:, :-1], padded[:, 1:]
    is_end = (before != after) | is_cut
    rows, starts = np.nonzero(after & is_end)
    _, ends = np.nonzero(before & is_end)
    segments = [np.stack([starts, rows], 1), np.stack([ends, rows], 1)]
    return np.stack(segments, 1).astype(np.float64)


def _runs_between_junctions(
    codes: NDArray[Any],
) -> tuple[Points, list[list[int]], NDArray[np.bool_]]:
    """Return straight borders, the codes on the left and right of each, and which corners join.

    Returns
    -------
    runs : array of float64, shape (n_runs, 2, 2)
    sides : list of two int, of each run
    is_junction : array of bool, shape ((height + 1) * (width + 1),)
    """
    lying, standing = _are_borders(codes)
    beside = np.pad(lying, ((0, 0), (1, 1))).astype(np.uint8)
    above = np.pad(standing, ((1, 1), (0, 0))).astype(np.uint8)
    n_borders = beside[:, :-1] + beside[:, 1:] + above[:-1] + above[1:]
    is_junction = n_borders > 2
    to_the_right = _runs(lying, is_junction)
    downwards = _runs(standing.T, is_junction.T)[:, :, ::-1]
    padded = np.pad(codes, 1)
    column, row = to_the_right[:, 0].astype(np.intp).T
    sides = [np.stack([padded[row, column + 1], padded[row + 1, column + 1]], 1)]
    column, row = downwards[:, 0].astype(np.intp).T
    sides.append(np.stack([padded[row + 1, column + 1], padded[row + 1, column]], 1))
    runs = np.concatenate([to_the_right, downwards])
    return runs, np.concatenate(sides).tolist(), is_junction.reshape(-1)


def _rings(lines: list[Points]) -> list[Points]:
    """Return closed paths made of the lines along one region, which is on the left of each."""
    from_point = defaultdict(list)
    for line in reversed(lines):
        from_point[tuple(line[0])].append(line)
    rings = []
    for line in lines:
        start = tuple(line[0])
        while from_point[start]:
            pieces = [from_point[start].pop()]
            while tuple(pieces[-1][-1]) != start:
                pieces.append(from_point[tuple(pieces[-1][-1])].pop())
            rings.append(np.concatenate([piece[:-1] for piece in pieces]))
    return rings
