"""The kinds of images, and what is done with an image, whatever its kind.

A *kind* is where samples are: voxels, vertices, grayordinates.  `KINDS` is the list of all; each
function here asks it who is meant and leaves the work to that kind.  A new kind is one class that
does what `Kind` says, its entry in `KINDS`, and the endings of its files in `regioncast.formats`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from nibabel import Cifti2Image
from nibabel.filebasedimages import FileBasedImage

from ..atlas.hemispheres import side_of_word
from ..atlas.parcellation import Files, Parcellation
from ..atlas.region_table import RegionTable
from ..atlas.spaces import Grayordinates, check_same, divided
from ..atlas.transfer import moved
from ..engine.encoding import check_background, code_dtype, recoded
from ..engine.painting import PaintedArray
from ..errors import (
    ArgumentError,
    FileFormatError,
    ImageTypeError,
    OutputError,
    RegionTableError,
    RegionTableWarning,
    SidecarWarning,
    capitalized,
    plural,
    warn,
)
from ..files import check_output, existing_file, expanded
from ..formats import family_of, has_use, suffix_of, suffixes
from ..signals import Key, Long, Origin, Signals
from ..tables import regions as region_tables
from ..tables import write
from ..tables.files import STANDARD_STREAM
from ..tables.values import (
    as_categories,
    asked_of,
    read,
    read_categories,
    with_own_sides,
    with_sides,
)
from . import sidecar as sidecars
from .atlas_objects import held_atlas
from .cifti.kind import Cifti
from .cifti.matrix import is_of_parcels
from .filenames import HEMISPHERE_FIELD, check_fields, is_template
from .painted import edited
from .surface.files import is_surface
from .surface.kind import Surfaces
from .volume import nifti
from .volume.kind import Volumes

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ..atlas.identities import Identities
    from ..atlas.spaces import Space
    from ..formats import KindName, Use
    from ..identity import Match
    from ..progress import Progress
    from ..signals import MapAxis
    from ..tables.arrays import Asked
    from .maps import Maps, Source

NO_REGIONS = "none"
"""As `regions`: no region table, even if one lies beside the image."""

MAP_FIELD = "map"
"""The field of a template that stands for the name of a map."""

FILES_OF_PARCELS = f"Files of parcels ({', '.join(suffixes('signals', 'cifti'))})"


class Labels(Protocol):
    """Labels of samples, of which it is still open what their regions are called."""

    @property
    def file(self) -> Path | None:
        """The file that they came from, if it is one that a region table may lie beside."""

    @property
    def of_regions(self) -> NDArray[np.int64]:
        """The labels of regions, ascending, by which columns of region tables are found."""

    def table_beside(self) -> Path | None:
        """Return the region table that lies beside the image, if it is to name the regions."""

    def parcellation(self, regions: RegionTable | None, *, strict: bool) -> Parcellation:
        """Return the regions, named by a table, by the image itself where there is none.

        With `strict`, it is an error where table and labels do not list the same regions.
        """


@runtime_checkable
class Painted(Protocol):
    """A painted image, whose values are made when they are asked for."""

    match: Match | None
    """What went where."""

    parcellation: Parcellation | None
    """The regions that were painted."""

    categories: RegionTable | None
    """What the values stand for, where they are the labels of categories."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""

    @property
    def dataobj(self) -> Any:
        """The values, a `PaintedArray`."""


class ParcelFiles(Protocol):
    """Files of a kind that hold one value per region, and which samples the regions have."""

    def read_signals(
        self, source: Any, key: Key | None, columns: Key | Sequence[Key] | None
    ) -> tuple[Signals, Sequence[str | None]]:
        """Return the values, or of them the maps of these names; files without keys refuse some.

        And the hemisphere of each region, where it is of one.
        """

    def save_signals(
        self, signals: Signals, atlas: Parcellation, output: Path, *, overwrite: bool
    ) -> None:
        """Write signals of the regions of a parcellation."""


class Kind(Protocol):
    """What is done with images of one kind."""

    @property
    def name(self) -> KindName:
        """What `regioncast.formats` calls it."""

    @property
    def space(self) -> type[Space]:
        """What its samples are."""

    @property
    def parcels(self) -> ParcelFiles | None:
        """How values of regions are read and written, where the kind has such files."""

    def holds(self, source: Any) -> bool:
        """Return whether a source is of this kind: a path, an image, or a list with one."""

    def read_labels(
        self, source: Any, *, label_map: str | int | None, background: float | None
    ) -> Labels:
        """Return the labels of a source.

        `label_map` is the map of several; `background` the label of no region, which is found by
        the rules of the kind where it is None.
        """

    def each(self, source: Any, what: str) -> list[Source]:
        """Return the images that a list or a pattern is of, each a source by itself."""

    def open_maps(self, source: Any, what: str) -> Maps:
        """Return the maps of a source; `what` is what messages call it: ``"the image"``."""

    def read_map(self, source: Any, what: str) -> tuple[NDArray[Any], Space]:
        """Return the only map of a source as an array, and where its samples are."""

    def space_of(self, source: Any, what: str) -> Space:
        """Return where the samples of a source are."""

    def painted(self, atlas: Parcellation, table: NDArray[Any], axis: MapAxis) -> Painted:
        """Return the lazy image of a table of values on a parcellation of this kind.

        The table has a row per map: the value of no region, and one per region.
        """

    def saves(self, image: object) -> bool:
        """Return whether `save` takes an image."""

    def check_output(self, output: Path, *, overwrite: bool) -> None:
        """Raise where an image cannot be written under this name, before it is made."""

    def outputs(self, image: Any, output: Path) -> list[Path]:
        """Return the files that an image is written to under this name."""

    def save(
        self, image: Any, output: Path, *, overwrite: bool, progress: Progress | None
    ) -> list[Path]:
        """Write an image whole or not at all, and return the files."""

    def save_labels(self, atlas: Parcellation, output: Path, *, overwrite: bool) -> list[Path]:
        """Write the labels of a parcellation of this kind, and return the files.

        With their names, which may be in a table beside a file.
        """


KINDS: tuple[Kind, ...] = (Surfaces(), Cifti(), Volumes())
"""All kinds; of several that hold a source the first counts.  Volumes are whatever is left."""


def kind_of(source: Any) -> Kind:
    """Return the kind of a path, an image or a list of them."""
    return next(kind for kind in KINDS if kind.holds(source))


def is_image(source: object) -> bool:
    """Return whether this is an image of any kind, with a number for each sample.

    Arrays, and files whose names are also those of tables, have one for each region.
    """
    if isinstance(source, Mapping):
        return all(map(side_of_word, source)) and is_image(list(source.values()))
    if isinstance(source, list | tuple):
        return bool(source) and all(map(is_image, source))
    if isinstance(source, str | os.PathLike):
        return has_use(Path(source), "data") and not has_use(Path(source), "values")
    if isinstance(source, np.ndarray):
        return False
    if isinstance(source, Cifti2Image):
        return not is_of_parcels(source)
    return isinstance(source, FileBasedImage) or is_surface(source)


# --- labels and maps in ----------------------------------------------------------------------


def read_parcellation(
    source: Any,
    regions: Any,
    background: float | None,
    *,
    label_map: str | int | None,
    strict: bool,
) -> Parcellation:
    """Return the parcellation of a labels image of any kind, or of an object that holds one.

    Parameters
    ----------
    source : path, image, surfaces of hemispheres, fetched atlas or label masker
    regions : anything that `region_tables.read_region_table` reads, None or `NO_REGIONS`
        None: the table beside the image or inside it.
    background : number or None
        None: 0 in volumes; on surfaces and in CIFTI files what their names say.
    label_map : str, int or None
        Of a CIFTI file or a surface with several maps of labels.
    strict : bool
        Raise where table and labels do not list the same regions, instead of warning.
    """
    held = held_atlas(source)
    # What was said goes before what an object says.
    if regions is None:
        regions = held.regions
    if background is None:
        background = held.background
    if background is not None:
        check_background(background)
    labels = kind_of(held.labels).read_labels(
        held.labels, label_map=label_map, background=background
    )
    table, file = _region_table(labels, regions)
    parcellation = labels.parcellation(table, strict=strict)
    if held.mask is not None:
        parcellation = parcellation.masked(inside(held.mask, parcellation.space))
    return replace(parcellation, files=Files(sidecars.files_of(held.labels), file))


def _region_table(labels: Labels, regions: Any) -> tuple[RegionTable | None, Path | None]:
    """Return the region table that was given or lies beside the image, and its file.

    None where there is none.
    """
    if isinstance(regions, str) and regions == NO_REGIONS:
        return RegionTable(labels.of_regions), None
    file = None
    if isinstance(regions, str | os.PathLike):
        regions = file = existing_file(regions, "the region table", may_be_pipe=True)
    if regions is not None:
        return region_tables.read_region_table(regions, labels=labels.of_regions), file
    beside = labels.table_beside()
    if beside is None:
        return None, None
    try:
        table = region_tables.read_region_table(beside, labels=labels.of_regions, may_be_list=False)
    except (RegionTableError, FileFormatError) as error:
        raise RegionTableError(
            f"{beside.name} lies beside the labels image and is named as its region table, but: "
            f"{error} Name another by load_parcellation(…, regions=…) (--regions), or "
            f"{NO_REGIONS!r} to do without."
        ) from error
    # One of a whole dataset lists what any of its images may have.
    is_above = labels.file is not None and beside.absolute().parent != labels.file.absolute().parent
    return region_tables.looked_up(table, labels.of_regions) if is_above else table, beside


def open_maps(source: Any, what: str) -> Maps:
    """Return the maps of whatever can be extracted from."""
    return kind_of(source).open_maps(source, what)


def one_map(source: Any, what: str, space: Space, name: str, missing: float = 0) -> NDArray[Any]:
    """Return the one map of an image of any kind on a space, which is that of `name`."""
    data, own_space = kind_of(source).read_map(source, what)
    image_space = divided(own_space, space)
    space = divided(space, image_space)
    # Grids and meshes of one kind have to be the same; of other kinds, the parts that both have.
    is_other = type(image_space) is not type(space) or isinstance(space, Grayordinates)
    if is_other and space.difference(image_space) is not None:
        if not isinstance(missing, int) and data.dtype.kind != "f":
            data = data.astype(np.float64)
        return moved(data, image_space, space, what=what, name=name, missing=missing)
    check_same(space, image_space, this_name=name, other_name=what)
    return data


def inside(mask: Any, space: Space) -> NDArray[np.bool_]:
    """Return which samples of the labels, which are of this space, a mask image includes."""
    return nifti.is_inside(one_map(mask, "the mask image", space, "the labels image"))


def space_of(source: Any, what: str) -> Space:
    """Return where the samples of an image or a parcellation are."""
    if isinstance(source, Parcellation):
        return source.space
    source = held_atlas(source).labels
    return kind_of(source).space_of(source, what)


# --- images out ------------------------------------------------------------------------------


def painted(atlas: Parcellation, table: NDArray[Any], signals: Signals) -> Painted:
    """Return the lazy image of values on whatever the parcellation is of."""
    return _kind_of_space(atlas).painted(atlas, table, signals.axis)


def _kind_of_space(atlas: Parcellation) -> Kind:
    return next(kind for kind in KINDS if isinstance(atlas.space, kind.space))


def save_parcellation(
    atlas: Parcellation, output: Path, *, overwrite: bool
) -> Path | tuple[Path, ...]:
    """Write a parcellation in the format that the name says; return the path or paths."""
    kind = _kind_of_space(atlas)
    endings = suffixes("atlas", kind.name)
    if suffix_of(output) not in endings or output.is_dir():
        raise FileFormatError(
            f"A parcellation of {atlas.space.nouns} cannot be written as {output.name!r}. It is "
            f"written as {', '.join(endings)}."
        )
    written = kind.save_labels(atlas, output, overwrite=overwrite)
    for path in written:
        # What was said of the maps of an earlier file of this name.
        sidecars.write_beside(path, None)
    return _one_or_all(written)


def _one_or_all(files: Sequence[Path]) -> Path | tuple[Path, ...]:
    return files[0] if len(files) == 1 else tuple(files)


def kind_that_saves(image: object) -> Kind:
    """Return the kind of an image that is to be written."""
    kind = next((kind for kind in KINDS if kind.saves(image)), None)
    if kind is None:
        raise ImageTypeError(
            f"An image, Signals or a RegionTable can be saved; this is {type(image).__name__}. "
            "Paint it first, or make a nibabel image of it."
        )
    return kind


def files_of(thing: Signals | Painted, output: Path) -> list[Path]:
    """Return the files that signals or a painted image are written to under a name."""
    if isinstance(thing, Signals):
        if parcel_files(output) is None:
            write.table_suffix(output)
        return [output]
    check_image_name(output, categories=thing.categories is not None)
    # Names of labels are looked at by who writes them.
    is_plain = thing.categories is None
    return kind_that_saves(thing).outputs(thing, output) if is_plain else [output]


def save_image(
    image: SpatialImage | Cifti2Image | Painted,
    output: Path,
    *,
    overwrite: bool,
    sidecar: bool,
    progress: Progress | None,
) -> Path | tuple[Path, ...]:
    """Write an image in the format that the name says; return the path or paths."""
    kind = kind_that_saves(image)
    categories = image.categories if isinstance(image, Painted) else None
    if categories is not None and has_use(output, "atlas", kind.name) and edited(image) is None:
        # A file of labels keeps the names and colours, which one of values does not.
        regions = _regions_of_categories(image, categories)
        if kind.name == "volume":
            _check_values_stay(image, region_tables.table_path(output))
        return save_parcellation(regions, output, overwrite=overwrite)
    check_image_name(output)
    if categories is not None:
        warn(
            f"{output.name} gets labels of {plural(len(categories), 'category')} without their "
            f"names and colours, which {', '.join(suffixes('atlas', kind.name))} of images that "
            "were not edited have. Write the table too: save(image.categories, 'x.tsv').",
            RegionTableWarning,
        )
    if isinstance(image, Painted) and parcel_files(output) is not None:
        signals = signals_of_painting(image, FILES_OF_PARCELS)
        save_signals(signals, output, long=False, overwrite=overwrite, sidecar=sidecar)
        return output
    written = _saved_by(
        kind, image, output, overwrite=overwrite, sidecar=sidecar, progress=progress
    )
    return _one_or_all(written)


def _saved_by(
    kind: Kind,
    image: SpatialImage | Cifti2Image | Painted,
    output: Path,
    *,
    overwrite: bool,
    sidecar: bool,
    progress: Progress | None,
) -> list[Path]:
    """Write an image and what goes beside its files; return these."""
    # Before anything is written: what cannot be said is no reason to fail afterwards.
    outputs = kind.outputs(image, output)
    said = {path: _beside_image(image, path) if sidecar else None for path in outputs}
    written = kind.save(image, output, overwrite=overwrite, progress=progress)
    if isinstance(image, Painted) and image.match is not None:
        sidecars.warn_of_what_is_lost(output, image.match.signals.axis)
    for path in written:
        sidecars.write_beside(path, said[path])
    return written


def _check_values_stay(image: object, table: Path) -> None:
    """Raise where the table beside labels would replace the one that was painted."""
    match = image.match if isinstance(image, Painted) else None
    files = () if match is None else match.signals.origin.files
    if any(os.path.realpath(table) == os.path.realpath(file) for file in files):
        raise OutputError(
            f"The table of the categories would replace {table}, which was painted. Give the image "
            "another name."
        )


def _regions_of_categories(image: object, categories: RegionTable) -> Parcellation:
    """Return the parcellation whose regions are the categories that an image shows."""
    assert isinstance(image, Painted), "only what is painted has categories"
    atlas = image.parcellation
    assert atlas is not None, "who paints categories knows the regions"
    of_regions = image.dataobj.table[0]
    row = np.searchsorted(categories.labels, of_regions.astype(np.int64)) + 1
    row[of_regions == 0] = 0
    codes = recoded(atlas.codes, row.astype(code_dtype(len(categories))))
    return Parcellation(codes, categories, atlas.space)


def _beside_image(image: object, path: Path) -> dict[str, Any] | None:
    """Return what a sidecar says of a painted image; nothing is known of others."""
    if not isinstance(image, Painted) or image.match is None:
        return None
    match = image.match
    return sidecars.content_of(
        path,
        match.signals.axis,
        origin=match.signals.origin,
        atlas=image.parcellation,
        what=f"Values of {plural(match.n_matched, 'region')}, painted onto their {match.noun}s.",
    )


def check_image_output(path: Path, *, overwrite: bool, categories: bool = False) -> None:
    """Raise where an image, maybe of categories, cannot be written under this name."""
    output = expanded(path)
    check_image_name(output, categories=categories)
    if is_template(output):
        check_fields_of_maps(output)
        return  # the files are known when the maps are
    for kind in KINDS:
        if has_use(output, "image", kind.name) or has_use(output, "atlas", kind.name):
            # The first may have reasons not to look yet, and then nobody does.
            kind.check_output(output, overwrite=overwrite)
            return


def check_fields_of_maps(template: Path) -> None:
    """Raise where a template has other fields than maps and hemispheres fill in."""
    check_fields(template, [MAP_FIELD, HEMISPHERE_FIELD])


def check_image_name(output: Path, *, categories: bool = False) -> None:
    """Raise where the name of an output is not that of an image, or of one of categories."""
    if os.path.isdir(output):  # noqa: PTH112  False for names that no file can have
        raise OutputError(f"The output is a folder: {output}. Name a file in it.")
    if not has_use(output, "image") and not (categories and has_use(output, "atlas")):
        raise FileFormatError(
            f"An image cannot be written as {output.name!r}. Volumes are written as "
            f"{', '.join(suffixes('image', 'volume'))}; surfaces as "
            f"{', '.join(suffixes('image', 'surface'))}; CIFTI as "
            f"{', '.join(suffixes('image', 'cifti'))}."
        )


def signals_of_painting(image: object, what: str) -> Signals:
    """Return what was painted, one column per region; `what` is what is made of it."""
    known = (image.match, image.parcellation) if isinstance(image, Painted) else (None, None)
    match, atlas = known
    data = getattr(image, "dataobj", None)
    if match is None or atlas is None or not isinstance(data, PaintedArray):
        raise FileFormatError(
            f"{what} are written from what paint or extract returns; this {type(image).__name__} "
            "is none, or no longer knows its regions."
        )
    if edited(image) is not None:
        raise FileFormatError(
            f"{what} hold one value per region, and the array of this image was edited since it "
            "was painted. Save it as what it is painted on, or extract from it first."
        )
    labels = atlas.table.labels.tolist()
    signals = Signals(data.table[:, 1:], atlas.table.unique_keys, labels=labels, parcellation=atlas)
    return signals.changed(axis=match.signals.axis)


# --- signals in and out ----------------------------------------------------------------------


def read_signals(values: object, identities: Identities, asked: Asked) -> Signals:
    """Return the signals of values of any kind: files of parcels, tables, objects in memory."""
    for kind in KINDS:
        if kind.parcels is not None and kind.holds(values):
            signals, sides = kind.parcels.read_signals(values, asked.key, asked.columns)
            signals = with_sides(signals, sides, identities)
            signals = as_categories(signals) if asked.categories else signals
            return asked_of(signals, asked, identities)
    reading = read_categories if asked.categories else read
    signals = reading(values, identities, asked)
    if not isinstance(values, str | os.PathLike) or str(values) == STANDARD_STREAM:
        return signals
    if asked.categories:  # of which a sidecar says nothing
        return signals.changed(origin=Origin((expanded(values),)))
    return _completed(signals, values, identities, asked)


def _completed(
    signals: Signals, path: str | os.PathLike[str], identities: Identities, asked: Asked
) -> Signals:
    """Return signals of a table with what is said beside it, also which regions they are of."""
    signals = sidecars.completed(signals, path, is_whole=asked.columns is None)
    regions = signals.coverage
    has_no_keys = signals.keys is None and asked.by != "position"
    # An array has none, but its sidecar may say which regions its columns are.
    if has_no_keys and regions and any(identities.naming(regions.unique_keys).rows):
        signals = signals.with_keys(regions.unique_keys)
    return with_own_sides(signals, identities)


def save_signals(
    signals: Signals, output: Path, *, long: Long, overwrite: bool, sidecar: bool
) -> None:
    """Write signals as a table, or with the samples of their regions as a file of parcels."""
    _check_not_long(output, long=long)
    parcels = parcel_files(output)
    if parcels is None:
        content = beside_signals(signals, output) if sidecar else None
        write.write_signals(signals, output, long=long, overwrite=overwrite)
        sidecars.write_beside(output, content)
        if str(output) == STANDARD_STREAM and signals.t_r is not None:
            warn(
                f"The repetition time of {signals.t_r:g} s is not in the table, and standard "
                f"output has no sidecar. Give it to what reads the table: --t-r {signals.t_r:g}.",
                SidecarWarning,
            )
        return
    if signals.parcellation is None:
        raise FileFormatError(
            f"{FILES_OF_PARCELS} hold the vertices and voxels of each region, and these signals "
            "do not know theirs. Save what extract returns, or paint the values and save the "
            "painting under this name."
        )
    parcels.save_signals(signals, signals.parcellation, output, overwrite=overwrite)
    sidecars.warn_of_what_is_lost(output, signals.axis)


def beside_signals(signals: Signals, output: Path) -> dict[str, Any] | None:
    """Return what a sidecar says of signals in a table; None where it has nothing to say."""
    what = capitalized(signals.origin.strategy or "values")
    return sidecars.content_of(
        output,
        signals.axis,
        origin=signals.origin,
        atlas=signals.parcellation,
        what=f"{what} of {plural(signals.n_regions, 'region')}.",
        coverage=signals.coverage,
    )


def check_table_output(
    path: Path, use: Use = "signals", *, overwrite: bool, long: Long = False
) -> None:
    """Raise where signals or coverage cannot be written under this name, before they are made."""
    output = expanded(path)
    _check_not_long(output, long=long)
    if use == "signals" and parcel_files(output) is not None:
        check_output(output, overwrite=overwrite)
    else:
        write.check_table_output(output, use, overwrite=overwrite)


def parcel_files(output: Path) -> ParcelFiles | None:
    """Return what writes signals with their samples under this name, None for tables."""
    # Some endings of tables are of surfaces too, which have no such files.
    for kind in KINDS:
        if kind.parcels is not None and has_use(output, "signals", kind.name):
            return kind.parcels
    return None


def _check_not_long(output: Path, *, long: Long) -> None:
    if not long:
        return
    if family_of(output) == "numpy" or parcel_files(output) is not None:
        raise ArgumentError(
            f"long=True (--long) is for tables, and {output.name!r} is none. Leave it out."
        )
