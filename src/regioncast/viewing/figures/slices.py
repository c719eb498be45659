"""Slices of a volume as panels: exact borders, where each is, and which side is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from contourpy import FillType, contour_generator
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from scipy import ndimage

from ...errors import ArgumentError, examples
from ..outlines import borders, traced
from ..svg import BORDER_WIDTH, ParcelImage, path_around
from ..views import slice_of
from ..volumes import volume_of
from .layout import SLICES, Panel, Strip
from .painting import Painter, mixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..volumes import Volume


class _Plane(NamedTuple):
    """How slices along one axis are looked at."""

    name: str
    letter: str
    right: int
    up: int
    ends: tuple[str, str]


PLANES = (
    _Plane("sagittal", "x", 1, 2, ("P", "A")),
    _Plane("coronal", "y", 0, 2, ("L", "R")),
    _Plane("axial", "z", 0, 1, ("L", "R")),
)

# Slices of a row, and inches for each of them.
_N_CUTS, _CUT_WIDTH = 7, 1.25
# Of the extent of the regions, what is left out at each end: the first slices show next to nothing.
_LEFT_OUT = 0.1

# Of lines between regions; and how much the silhouette is like what is bare on a mesh.
_BORDER_OPACITY, _OF_SILHOUETTE = 0.55, 0.5

# The silhouette: cells along the longest edge, and how wide gaps are that it closes, of that edge.
_N_CELLS, _CLOSED = 48, 0.1


class Slices:
    """A volume, and how its slices are drawn.

    Parameters
    ----------
    painter : Painter
        Its scene has voxels.

    Raises
    ------
    ArgumentError
        When it has none.
    """

    def __init__(self, painter: Painter) -> None:
        self.painter = painter
        scene = painter.scene
        background = scene.background
        volume = volume_of(scene.atlas, None if background is None else background.greys)
        if volume is None:
            raise ArgumentError(
                "There are no voxels to be cut into slices; pass kind='surface' or kind='ranked'."
            )
        self.volume = volume
        self.greys = volume.greys

    @cached_property
    def content(self) -> NDArray[np.bool_]:
        """Which voxels a picture has to have room for."""
        return self.volume.codes > 0 if self.greys is None else self.greys > 0

    @cached_property
    def silhouette(self) -> Silhouette:
        """What is behind the regions where there is no image."""
        return Silhouette(self.volume)

    def strips(self, cuts: object, n_maps: int, width: float) -> list[Strip]:
        """Return a row of slices for each plane that is asked for.

        Parameters
        ----------
        cuts : None, int, or mapping of ``"x"``, ``"y"``, ``"z"`` to int or mm
        n_maps : int
            Of several maps, only axial slices are shown where nothing else is asked for.
        width : float
            Of the figure, in inches: a narrow one has fewer slices where no number is asked for.
        """
        n_cuts = int(np.clip(round(width / _CUT_WIDTH), 1, _N_CUTS))
        strips = []
        for axis, asked in _asked_cuts(cuts, n_maps).items():
            at = self._n_cuts(axis, n_cuts) if asked is None else asked
            indices = self._indices(axis, at)
            panels = [self._panel(axis, index) for index in indices]
            strips.append(Strip(_aligned(panels), SLICES))
        return strips

    def mm(self, axis: int, index: float) -> float:
        """Return where a layer is, in the middle of the volume."""
        middle = (np.array(self.volume.codes.shape) - 1) / 2
        middle[axis] = index
        return float(self.volume.affine[axis] @ [*middle, 1])

    def _indices(self, axis: int, asked: object) -> list[int]:
        """Return which layers are shown."""
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero((self.volume.codes > 0).any(axis=others))
        first, last = int(inside[0]), int(inside[-1])
        if isinstance(asked, int | np.integer):
            margin = _LEFT_OUT * (last - first)
            at = (
                np.linspace(first + margin, last - margin, int(asked))
                if asked > 1
                else [(first + last) / 2]
            )
            return sorted(set(np.rint(at).astype(int).tolist()))
        n_layers = self.volume.codes.shape[axis]
        step = self.mm(axis, 1) - self.mm(axis, 0)
        at = np.rint((np.asarray(asked, float) - self.mm(axis, 0)) / step).astype(int)
        outside = [mm for mm, index in zip(asked, at, strict=True) if not 0 <= index < n_layers]
        if outside:
            raise ArgumentError(
                f"cuts: {PLANES[axis].letter} = {examples(outside)} is outside the regions, which "
                f"are from {self.mm(axis, first):g} to {self.mm(axis, last):g} mm."
            )
        return at.tolist()

    def _n_cuts(self, axis: int, n_coronal: int) -> int:
        """Return how many slices of a plane make a row as wide as some coronal ones."""
        edges = np.array(self.volume.codes.shape) * self.volume.zooms
        if axis != 0:
            return n_coronal
        # An even number, so that there is none between the hemispheres.
        return max(2, 2 * round(n_coronal * edges[0] / edges[1] / 2))

    def _panel(self, axis: int, index: int) -> Panel:
        plane = PLANES[axis]
        is_content = self.content.take(index, axis)
        if not is_content.any():
            is_content = self.content.any(axis)
        silhouette = self.silhouette.at(self, axis, index) if self.greys is None else None
        xs, ys = silhouette.vertices.T if silhouette is not None else ([], [])
        columns, rows = (np.flatnonzero(is_content.any(other)) for other in (1, 0))
        lows, highs = [], []
        for edge, layers, points in ((plane.right, columns, xs), (plane.up, rows, ys)):
            ends = [self._edge(edge, layers[0]), self._edge(edge, layers[-1] + 1), *points]
            lows.append(float(min(ends)))
            highs.append(float(max(ends)))

        def draw(ax: Axes, number: int) -> None:
            self._draw(ax, axis, index, number, silhouette)

        return Panel(tuple(lows), tuple(highs), self._caption(axis, index), plane.ends, draw)

    def _edge(self, axis: int, index: float) -> float:
        """Return where a layer of voxels begins along an edge of a picture, in mm.

        Of an oblique volume, the middle of the picture is where it says, and a mm is one mm.
        """
        middle = (self.volume.codes.shape[axis] - 1) / 2
        return self.mm(axis, middle) + (index - 0.5 - middle) * float(self.volume.zooms[axis])

    def _caption(self, axis: int, index: int) -> str:
        mm = round(self.mm(axis, index), 1)
        number = f"{abs(mm):g}"
        is_oblique = np.abs(np.delete(self.volume.affine[axis, :3], axis)).max() > 1e-3
        relation = "≈" if is_oblique else "="
        return f"{PLANES[axis].letter} {relation} {'−' if mm < 0 else ''}{number}"

    def _draw(self, ax: Axes, axis: int, index: int, number: int, silhouette: Path | None) -> None:
        painter, plane = self.painter, PLANES[axis]
        codes = slice_of(self.volume, axis, index).codes
        height, width = codes.shape
        left, bottom = self._edge(plane.right, 0), self._edge(plane.up, 0)
        extent = (left, self._edge(plane.right, width), bottom, self._edge(plane.up, height))
        if silhouette is not None:
            color = mixed(painter.theme.paper, painter.theme.bare, _OF_SILHOUETTE)
            ax.add_artist(
                PathPatch(silhouette, facecolor=color, linewidth=0, zorder=0, clip_on=False)
            )
        if self.greys is not None:
            greys = self.greys.take(index, axis).T[::-1]
            rgba = np.stack([greys] * 3 + [np.where(greys > 0, 255, 0)], 2).astype(np.uint8)
            ax.imshow(rgba, extent=extent, interpolation="bilinear", origin="upper", zorder=0)

        def in_mm(points: NDArray[np.float64]) -> NDArray[np.float64]:
            steps = np.array([extent[1] - extent[0], extent[2] - extent[3]]) / [width, height]
            return points * steps + [extent[0], extent[3]]

        def parcels() -> list[Any]:
            paths = traced(codes)
            around = {
                code: path_around([in_mm(ring) for ring in rings]) for code, rings in paths.items()
            }
            return painter.parcels(around, number)

        panel = f"map{number + 1}.{plane.name}.{plane.letter}{self.mm(axis, index):g}"
        ax.add_image(
            ParcelImage(
                ax,
                painter.painted(codes, number),
                parcels=parcels,
                panel=panel,
                extent=extent,
                interpolation="nearest",
                zorder=2,
            )
        )
        segments = in_mm(borders(codes)).reshape(-1, 2)
        # As one path: where lines meet, they are not drawn twice.
        kinds = np.tile([Path.MOVETO, Path.LINETO], len(segments) // 2)
        lines = PathPatch(
            Path(segments, kinds),
            fill=False,
            edgecolor=painter.line,
            alpha=_BORDER_OPACITY,
            linewidth=BORDER_WIDTH,
            capstyle="projecting",
            snap=True,
            clip_on=False,
            zorder=3,
        )
        ax.add_artist(lines)


class Silhouette:
    """A calm outline around all regions, without the gaps between them.

    Gaps up to a fifth of the longest edge are closed, whatever the species: what is nearer to the
    regions than that, and not nearer than that to what is further.

    Parameters
    ----------
    volume : Volume
    """

    def __init__(self, volume: Volume) -> None:
        zooms = volume.zooms
        longest = float((np.array(volume.codes.shape) * zooms).max())
        self.steps = np.maximum(1, np.rint(longest / _N_CELLS / zooms)).astype(int)
        radius = _CLOSED * longest
        self.margin = np.ceil(2 * radius / (self.steps * zooms)).astype(int)
        cells = _in_blocks(volume.codes > 0, self.steps)
        cells = np.pad(cells, [(margin, margin) for margin in self.margin])
        sampling = self.steps * zooms
        grown = ndimage.distance_transform_edt(~cells, sampling) <= radius
        closed = ndimage.distance_transform_edt(grown, sampling) - radius
        closed[cells] = np.maximum(closed[cells], sampling.min() / 2)
        self.field = ndimage.gaussian_filter(closed, 0.8)

    def at(self, slices: Slices, axis: int, index: int) -> Path | None:
        """Return the outline in one slice, in the coordinates of its picture; None where none is."""
        plane = PLANES[axis]
        # The middle of a block of voxels, counted from the first voxel.
        layer = (index - (self.steps[axis] - 1) / 2) / self.steps[axis] + self.margin[axis]
        low = int(np.clip(np.floor(layer), 0, self.field.shape[axis] - 2))
        share = float(np.clip(layer - low, 0, 1))
        field = (1 - share) * self.field.take(low, axis) + share * self.field.take(low + 1, axis)
        x, y = (
            [
                slices._edge(edge, (cell - self.margin[edge] + 0.5) * self.steps[edge])
                for cell in range(self.field.shape[edge])
            ]
            for edge in (plane.right, plane.up)
        )
        generator = contour_generator(x, y, field.T, fill_type=FillType.OuterOffset)
        points, offsets = generator.filled(0.0, np.inf)
        # Of each piece the line around it, which is the first; what is inside is brain.
        rings = [of_piece[: ends[1] - 1] for of_piece, ends in zip(points, offsets, strict=True)]
        return path_around(rings) if rings else None


def _in_blocks(is_in: NDArray[np.bool_], steps: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Return which blocks of voxels have one that is in."""
    missing = -np.array(is_in.shape) % steps
    whole = np.pad(is_in, [(0, n) for n in missing])
    n_i, n_j, n_k = (np.array(whole.shape) // steps).tolist()
    blocks = whole.reshape(n_i, steps[0], n_j, steps[1], n_k, steps[2])
    is_any: NDArray[np.bool_] = blocks.any(axis=(1, 3, 5))
    return is_any


def _aligned(panels: Sequence[Panel]) -> list[Panel]:
    """Return panels of one row with the same lower and upper end."""
    low = min(panel.low[1] for panel in panels)
    high = max(panel.high[1] for panel in panels)
    return [
        Panel((panel.low[0], low), (panel.high[0], high), panel.caption, panel.ends, panel.draw)
        for panel in panels
    ]


def _asked_cuts(cuts: object, n_maps: int) -> dict[int, object]:
    """Return what is asked of each plane that is shown, by its axis."""
    if cuts is None or _is_count(cuts):
        return dict.fromkeys(range(3) if n_maps == 1 else [2], cuts)
    letters = {plane.letter: axis for axis, plane in enumerate(PLANES)}
    if not isinstance(cuts, Mapping) or not cuts or not set(cuts) <= set(letters):
        raise ArgumentError(
            "cuts is a number of slices per row, or says for 'x', 'y' and 'z' how many, or at "
            f"which mm: cuts={{'x': [-40, 40], 'z': 5}}; not {cuts!r}."
        )
    asked: dict[int, object] = {}
    for letter, axis in letters.items():
        if letter not in cuts:
            continue
        at = cuts[letter]
        if isinstance(at, Real) and not _is_count(at):
            at = [at]
        if not _is_count(at):
            at = [float(mm) for mm in at]
            if not at or not np.isfinite(at).all():
                raise ArgumentError(f"cuts: {letter!r} has no mm, or one that is no number: {at}.")
        asked[axis] = at
    return asked


def _is_count(cuts: object) -> bool:
    return isinstance(cuts, int | np.integer) and not isinstance(cuts, bool) and cuts > 0
