"""Many files by one template: an output for each image, or for each map.

What is wrong with any of them is said before the first is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SignalsError, plural
from ..filenames import check_apart, check_fields, entities_of, filled, is_template, name_of
from ..files import check_output, expanded, make_folder
from ..signals import Signals
from . import kinds

if TYPE_CHECKING:
    from ..progress import Progress
    from .kinds import Painted


# --- an output for each image --------------------------------------------------------------------


class Job(NamedTuple):
    """Images to extract from, and the outputs that are made of them."""

    source: Any
    outputs: tuple[Path, ...]


def jobs(source: Any, templates: Sequence[Path]) -> list[Job]:
    """Return one job for each image of a list or a pattern, whose outputs the templates name.

    All in one job where the names have no fields.  Folders of outputs of templates are made.

    Parameters
    ----------
    source : path, pattern or list of them
    templates : sequence of Path
        Fields are ``{name}``, the name of the image without its ending, and the entities of its
        name and folders, such as ``{sub}``.

    Raises
    ------
    ArgumentError
        When nothing fills in a field.
    OutputError
        When two outputs would be one file.
    """
    if not any(map(is_template, templates)):
        return [Job(source, tuple(templates))]
    planned = []
    files = []
    for image, file in kinds.kind_of(source).each(source, "the image"):
        fields = {} if file is None else {**entities_of(file), "name": name_of(file)}
        for template in templates:
            check_fields(template, fields, f" for {file}")
            files.append(str(file))
        planned.append(Job(image, tuple(filled(template, fields) for template in templates)))
    outputs = [output for job in planned for output in job.outputs]
    check_apart(list(map(expanded, outputs)), files)
    _make_folders(outputs)
    return planned


def _make_folders(outputs: Iterable[Path]) -> None:
    """Make the folders of outputs, whose names come from their template."""
    for folder in dict.fromkeys(expanded(output).parent for output in outputs):
        make_folder(folder)


# --- an output for each map ----------------------------------------------------------------------


def save_each(
    thing: object,
    template: Path,
    *,
    overwrite: bool,
    long: bool,
    sidecar: bool,
    progress: Progress | None,
) -> tuple[Path, ...]:
    """Write each map to a file of its own, whose name has its name; folders are made.

    Parameters
    ----------
    thing : Signals or painted image
    template : Path
        With the field ``{map}``; that of the hemisphere is left to surfaces.
    overwrite, long, sidecar
        As in `regioncast.save`.
    progress : callable, optional
        Called with the number of maps written and the number of all.

    Raises
    ------
    ArgumentError, OutputError, OutputExistsError, FileFormatError
        Before anything is written.
    SignalsError
        When the maps are points of a series.
    """
    kinds.check_fields_of_maps(template)
    if not isinstance(thing, Signals) and kinds.parcel_files(template) is not None:
        thing = kinds.signals_of_painting(thing, kinds.FILES_OF_PARCELS)
    names = _names_of_maps(thing)
    outputs = [filled(template, {kinds.MAP_FIELD: name}) for name in names]
    assert isinstance(thing, Signals | kinds.Painted), "maps of nothing else have names"
    if isinstance(thing, kinds.Painted) and thing.categories is not None:
        kinds.check_image_name(template, categories=True)
        _make_folders(outputs)  # of the one map
        saved = kinds.save_image(
            thing, outputs[0], overwrite=overwrite, sidecar=sidecar, progress=progress
        )
        return (saved,) if isinstance(saved, Path) else saved
    if isinstance(thing, Signals):
        kinds.check_table_name(template, long=long)
        files_of_maps = [[output] for output in outputs]
    else:
        kinds.check_image_name(template)
        kind = kinds.kind_that_saves(thing)
        files_of_maps = [kind.outputs(thing, output) for output in outputs]
    _check_all(files_of_maps, names, overwrite=overwrite)
    written: list[Path] = []
    for row, (output, files) in enumerate(zip(outputs, files_of_maps, strict=True)):
        if isinstance(thing, Signals):
            kinds.save_signals(
                thing.take([row]), output, long=long, overwrite=overwrite, sidecar=sidecar
            )
        else:
            image = _map_of(thing, row)
            kinds.save_image(image, output, overwrite=overwrite, sidecar=sidecar, progress=None)
        written.extend(files)
        if progress is not None:
            progress(row + 1, len(outputs))
    return tuple(written)


def _names_of_maps(thing: object) -> list[str]:
    """Return what maps are called that can be taken apart."""
    what = "Files of one map each"
    signals = thing if isinstance(thing, Signals) else kinds.signals_of_painting(thing, what)
    if signals.axis.as_series() is not None:
        raise SignalsError(
            f"These {plural(signals.n_maps, 'map')} are points of a series, which would lose their "
            f"times in files of their own. Leave {{{kinds.MAP_FIELD}}} out of the name, or give "
            "maps without t_r (--t-r)."
        )
    return signals.axis.titles(signals.n_maps)


def _check_all(
    files_of_maps: Sequence[Sequence[Path]], names: Sequence[str], *, overwrite: bool
) -> None:
    """Raise where a file cannot be written, and make the folders of all."""
    files, of_what = [], []
    for paths, name in zip(files_of_maps, names, strict=True):
        for path in paths:
            files.append(path)
            of_what.append(f"map {name}")
            if path.parent.is_dir():
                check_output(path, overwrite=overwrite)
    check_apart(files, of_what)
    _make_folders(files)


def _map_of(image: Painted, row: int) -> Painted:
    """Return one map of a painted image."""
    match, atlas = image.match, image.parcellation
    assert match is not None, "an image whose maps are known"
    assert atlas is not None, "knows both"
    signals = match.signals.take([row])
    part = kinds.painted(atlas, image.dataobj.table[[row]], signals)
    part.match, part.parcellation = replace(match, signals=signals), atlas
    return part
