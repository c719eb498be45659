"""What is shown, whatever shows it: regions, their values, and how values become colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..atlas.parcellation import Parcellation
from ..atlas.spaces import VOXELS, VolumeGrid
from ..engine.painting import PaintedArray
from ..errors import (
    ArgumentError,
    ArgumentTypeError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    LabelsError,
    MeshWarning,
    SignalsTypeError,
    SpaceWarning,
    examples,
    plural,
    warn,
)
from ..io.label_files import colors_of
from ..io.painted import edited
from ..io.surface.meshes import read_meshes
from ..io.volume.nifti import PaintedImage
from ..signals import MapAxis, Signals
from .colours import ABSENT, SHOWN, Colours, Scale, coloured, rgb_of, scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable
    from ..atlas.spaces import Space
    from ..io.kinds import Painted
    from ..io.surface.meshes import Mesh


class Background(NamedTuple):
    """A grey image behind the slices.

    Parameters
    ----------
    greys : array of uint8, shape of the volume of the parcellation
        0: nothing there; else from 8, dark, to 248, bright.
    name : str
        What it is, for people.
    """

    greys: NDArray[np.uint8]
    name: str


@dataclass(frozen=True, eq=False)
class Scene:
    """Regions and what is to be seen of them.

    Parameters
    ----------
    atlas : Parcellation
    values : array, shape (n_maps, n_regions), default=None
        A column per region of `atlas`.  None: the atlas itself is shown, in its own colours.
    has_value : array of bool, shape (n_regions,), default=None
        Which regions got a value; others are n/a, whatever `values` say.
    axis : MapAxis
        What is known of the maps.
    categories : RegionTable, default=None
        What values stand for, where they are the labels of categories.
    coverage : array of float64, shape (n_regions,), default=None
        The fraction of each region for which there were data.
    scale : Scale, default=None
        How values become colours; None for an atlas and for categories.
    title, unit : str
        What is shown, and of what unit its values are, for people.
    about : tuple of str
        What else is known: the atlas, how many regions matched, what is missing.
    background : Background, default=None
        What is behind the slices of a volume.
    meshes : mapping of str to Mesh
        By structure, as `Space.parts` calls them; where there is none, a surface is not drawn.
    """

    atlas: Parcellation
    values: NDArray[Any] | None = None
    has_value: NDArray[np.bool_] | None = None
    axis: MapAxis = field(default_factory=lambda: MapAxis(single=True))
    categories: RegionTable | None = None
    coverage: NDArray[np.float64] | None = None
    scale: Scale | None = None
    title: str = ""
    unit: str = ""
    about: tuple[str, ...] = ()
    background: Background | None = None
    meshes: Mapping[str, Mesh] = field(default_factory=dict)

    @property
    def show(self) -> Literal["values", "categories", "atlas"]:
        """What the colours stand for."""
        if self.values is None:
            return "atlas"
        return "values" if self.categories is None else "categories"

    @property
    def n_maps(self) -> int:
        """Number of maps; 1 for an atlas."""
        return 1 if self.values is None else len(self.values)

    @property
    def map_titles(self) -> list[str]:
        """What each map is called, for people: its name, its time, or its number."""
        series = self.axis.as_series()
        if self.axis.names is not None:
            return list(self.axis.names)
        # One map needs no telling apart: what it is, the title says.
        if self.n_maps == 1:
            return [""]
        if series is not None:
            unit = {"SECOND": "s", "HERTZ": "Hz", "METER": "m", "RADIAN": "rad"}[series.unit]
            times = series.start + series.step * np.arange(self.n_maps)
            return [f"{time:.6g} {unit}" for time in times.tolist()]
        return [f"map {number}" for number in range(1, self.n_maps + 1)]

    @cached_property
    def is_there(self) -> NDArray[np.bool_]:
        """Which regions got a value, shape (n_regions,)."""
        return np.ones(len(self.atlas), bool) if self.has_value is None else self.has_value

    @cached_property
    def region_colors(self) -> list[str]:
        """The colours of the regions themselves, ``#rrggbb``."""
        return [color[:7] for color in colors_of(self.atlas.table)]

    @cached_property
    def category_colors(self) -> list[str]:
        """The colours of the categories, ``#rrggbb``."""
        assert self.categories is not None, "asked where values are categories"
        return [color[:7] for color in colors_of(self.categories)]

    def colours(self, number: int = 0) -> Colours:
        """Return what no region, and then each region, looks like in one map."""
        if self.values is None:
            return _of_palette(self.region_colors, np.arange(len(self.atlas)))
        values = self.values[number]
        if self.categories is not None:
            labels = self.categories.labels
            # Of a label that is not there, this is the row of another: such are left out below.
            rows = np.searchsorted(labels, values.astype(np.int64))
            is_known = self.is_there & np.isin(values, labels)
            return _of_palette(self.category_colors, np.where(is_known, rows, -1))
        assert self.scale is not None, "values have a scale"
        return coloured(values, self.is_there, self.scale)


def _of_palette(colors: list[str], rows: NDArray[np.intp]) -> Colours:
    """Return the colours of regions, each of which has one of a list; those with -1 are n/a."""
    of_colors = np.array([rgb_of(color) for color in colors], np.uint8).reshape(-1, 3)
    kinds = np.zeros(1 + len(rows), np.uint8)
    kinds[1:] = np.where(rows >= 0, SHOWN, ABSENT)
    rgb = np.zeros((1 + len(rows), 3), np.uint8)
    rgb[1:][rows >= 0] = of_colors[rows[rows >= 0]]
    return Colours(kinds, rgb)


def scene_of(
    thing: Parcellation | Signals | Painted,
    *,
    cmap: object = None,
    vmin: float | None = None,
    vmax: float | None = None,
    threshold: float | None = None,
    title: str | None = None,
    unit: str = "",
) -> Scene:
    """Return what is to be seen of a parcellation, of signals that know theirs, or of a painting.

    Raises
    ------
    ArgumentError
        When signals do not know their regions, or what was said about colours is wrong.
    ImageTypeError
        When an image no longer knows what was painted.
    SignalsTypeError
        When values are complex, or too precise for a screen's arithmetic.
    ArgumentTypeError
        When title or unit is no text.
    """
    _check_text("title", "" if title is None else title)
    _check_text("unit", unit)
    if isinstance(thing, Parcellation):
        names = [path.name for path in thing.files.labels]
        scene = Scene(thing, title=_title(names), about=_about_atlas(thing))
    elif isinstance(thing, Signals):
        scene = _of_signals(thing)
    else:
        scene = _of_painting(thing)
    if scene.values is not None:
        _check_shown(scene.values)
    if scene.show == "values":
        assert scene.values is not None, "values are shown"
        shown = scene.values[:, scene.is_there]
        scale = scale_of(shown, cmap, vmin=vmin, vmax=vmax, threshold=threshold)
        scene = replace(scene, scale=scale)
    return replace(scene, title=scene.title if title is None else title, unit=unit)


@contextmanager
def alone() -> Iterator[None]:
    """Say what else is shown where what is read here, to be shown alone, is no atlas."""
    try:
        yield
    except (DimensionError, FileFormatError, ImageTypeError, LabelsError) as error:
        raise ArgumentError(
            f"What is shown alone is an atlas, and this is none. {error} Values of regions, and "
            "images of anything but labels, are shown with their atlas: view(values, atlas), "
            "plot(values, atlas)."
        ) from error


def with_meshes(scene: Scene, mesh: object = None) -> Scene:
    """Return a scene with meshes for its surfaces, where it has some; one warning says which lack.

    Parameters
    ----------
    scene : Scene
    mesh : optional
        As `read_meshes` takes it; None: what is known for so many vertices.

    Raises
    ------
    ArgumentError
        When there are surfaces alone, and no mesh for any of them.
    RegioncastError
        What `read_meshes` raises.
    """
    space = scene.atlas.space
    surfaces = [part.frame for part in space.parts.values() if isinstance(part.frame, int)]
    meshes = read_meshes(mesh, space)
    about = scene.about
    if len(meshes) < len(surfaces):
        lacking = f"no mesh is known for surfaces of {examples(surfaces)} vertices"
        advice = (
            "Pass mesh= (--mesh): the files of their geometry, such as 'lh.pial,rh.pial' or "
            "'?h.surf.gii', or nilearn's load_fsaverage()['pial']"
        )
        if not meshes and VOXELS not in space.parts:
            raise ArgumentError(f"To show surfaces takes meshes, and {lacking}. {advice}.")
        warning = f"Not all surfaces are shown: {lacking}. {advice}."
        warn(warning, MeshWarning)
        about = (*about, warning)
    return replace(scene, meshes=meshes, about=about)


def _of_signals(signals: Signals) -> Scene:
    atlas = signals.parcellation
    if atlas is None:
        raise ArgumentError(
            "These signals do not know their regions; give the atlas too: view(signals, atlas), "
            "plot(signals, atlas)."
        )
    coverage = None
    if signals.coverage is not None and "fraction" in signals.coverage.columns:
        coverage = np.array(signals.coverage.columns["fraction"], np.float64)
    what = signals.origin.strategy or "values"
    return Scene(
        atlas,
        signals.values,
        axis=signals.axis,
        categories=signals.categories,
        coverage=coverage,
        title=_title([path.name for path in signals.origin.files]),
        about=(f"{what} of {plural(signals.n_regions, 'region')}", *_about_atlas(atlas)),
    )


def _of_painting(image: Painted) -> Scene:
    match, atlas = image.match, image.parcellation
    data = image.dataobj
    if match is None or atlas is None or not isinstance(data, PaintedArray):
        raise ImageTypeError(
            f"This {type(image).__name__} does not know its regions. Show what paint or extract "
            "returns, or give values or an image together with the atlas: view(image, atlas)."
        )
    if edited(image) is not None:
        raise ImageTypeError(
            "The array of this image was edited since it was painted, and what is shown are values "
            "of regions. Extract them first: view(extract(image, atlas))."
        )
    _check_not_moved(image, atlas)
    # Those of the image: who shows them may not edit it by that.
    values = data.table[:, 1:]
    values.flags.writeable = False
    signals = match.signals
    missing = match.missing
    told = f"{match.n_matched:,} of {plural(match.n_regions, 'region')} have a value, by {match.by}"
    if missing:
        told += f"; {len(missing):,} have none"
    return Scene(
        atlas,
        values,
        has_value=match.columns >= 0,
        axis=signals.axis,
        categories=image.categories,
        title=_title([path.name for path in signals.origin.files]),
        about=(told, *_about_atlas(atlas)),
    )


def _check_not_moved(image: Painted, atlas: Parcellation) -> None:
    """Raise where an image of voxels was put elsewhere since it was painted, as by a new affine."""
    if not isinstance(image, PaintedImage):
        return
    frame = atlas.space.parts[VOXELS].frame
    if isinstance(frame, VolumeGrid) and not np.allclose(image.affine, frame.affine, atol=1e-3):
        raise ImageTypeError(
            "The affine of this image was edited since it was painted, and what is shown is where "
            "the regions of its atlas are. Load an atlas with that affine, and paint onto it."
        )


def _about_atlas(atlas: Parcellation) -> tuple[str, ...]:
    names = [path.name for path in atlas.files.labels]
    called = " ".join(["Atlas:", *names]) if names else "Atlas"
    told = f"{called}, {plural(len(atlas), 'region')}, {atlas.space.description}"
    if not _says_where_left_is(atlas.space):
        # Who looks has to know: it may be mirrored.
        guess = (
            "The header of the atlas does not say where left is (its sform and qform codes are 0), "
            "so what is shown as left is a guess"
        )
        warn(f"{guess}. Set its sform or qform if you know better.", SpaceWarning)
        return told, f"{guess}."
    return (told,)


def _says_where_left_is(space: Space) -> bool:
    if not isinstance(space, VolumeGrid):
        return True
    geometry = space.geometry
    return bool(geometry["sform_code"] or geometry["qform_code"])


def _title(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ""


def _check_text(what: str, said: object) -> None:
    if not isinstance(said, str):
        raise ArgumentTypeError(f"{what} is text for people; {said!r} is {type(said).__name__}.")


def _check_shown(values: NDArray[Any]) -> None:
    """Raise where values are of a dtype that has no place on a ramp."""
    if values.dtype.kind == "c":
        raise SignalsTypeError(
            "Complex values have no place on a scale of colours. Show their real or imaginary "
            "part, their magnitude or their phase, each as values of its own."
        )
    if values.dtype.kind == "f" and values.dtype.itemsize > np.dtype(np.float64).itemsize:
        raise SignalsTypeError(
            f"Values of {values.dtype} are more precise than what a page or a figure can hold. "
            "Convert them to float64."
        )
