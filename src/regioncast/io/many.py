"""Many files by one template: an output for each image, or for each map.

What is wrong with any of them is said before the first is written; folders are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SignalsError, plural
from ..files import check_output, expanded, make_folder
from ..signals import Signals
from . import kinds
from .filenames import check_apart, check_fields, entities_of, fields_of, filled, name_of

if TYPE_CHECKING:
    from ..progress import Progress
    from .kinds import Painted


class Job(NamedTuple):
    """Images to extract from, and the outputs that are made of them."""

    source: Any
    outputs: tuple[Path, ...]


def jobs(source: Any, templates: Sequence[Path]) -> list[Job]:
    """Return a job for each image of a list or a pattern; one for all where no name has a field.

    Fields are ``{name}``, the name of the image without its ending, and the entities of its name
    and folders, such as ``{sub}``.

    Raises `ArgumentError` when nothing fills in a field; `OutputError` when two outputs would be
    one file.
    """
    if not any(map(fields_of, templates)):
        return [Job(source, tuple(templates))]
    planned, outputs, files = [], [], []
    for image, file in kinds.kind_of(source).each(source, "the image"):
        fields = {} if file is None else {**entities_of(file), "name": name_of(file)}
        for template in templates:
            check_fields(template, fields, f" for {file}")
            outputs.append(expanded(filled(template, fields)))
            files.append(str(file))
        planned.append(Job(image, tuple(outputs[-len(templates) :])))
    # Before the first is written: the last may be what would replace it.
    check_apart(outputs, files, "Put a field into the name that tells them apart.")
    _make_folders(outputs)
    return planned


def save_each(
    thing: object,
    template: Path,
    save: Callable[[Any, Path], Path | tuple[Path, ...]],
    *,
    overwrite: bool,
    progress: Progress | None,
) -> tuple[Path, ...]:
    """Write each map to a file of its own, ``{map}`` of whose name is its name.

    Raises `ArgumentError`, `OutputError`, `OutputExistsError`, `FileFormatError` before anything is
    written; `SignalsError` when the maps are points of a series.

    Parameters
    ----------
    thing : Signals or painted image
    template : Path
    save : callable
        Writes one of the maps, and returns its files.
    overwrite : bool
    progress : callable, optional
        Called with the number of maps written and the number of all.
    """
    kinds.check_fields_of_maps(template)
    # What is written by region takes signals, whatever they were painted on.
    of_parcels = kinds.parcel_files(template) is not None
    signals = _signals_of(thing, kinds.FILES_OF_PARCELS if of_parcels else "Files of one map each")
    maps = thing if isinstance(thing, kinds.Painted) and not of_parcels else signals
    names = signals.axis.titles(signals.n_maps)
    outputs = [filled(template, {kinds.MAP_FIELD: name}) for name in names]
    _check_all([kinds.files_of(maps, output) for output in outputs], names, overwrite=overwrite)
    written: list[Path] = []
    for row, output in enumerate(outputs):
        files = save(_map_of(maps, row), output)
        written.extend([files] if isinstance(files, Path) else files)
        if progress is not None:
            progress(row + 1, len(outputs))
    return tuple(written)


def _signals_of(thing: object, what: str) -> Signals:
    """Return the signals whose maps are taken apart; `what` is what is made of them."""
    signals = thing if isinstance(thing, Signals) else kinds.signals_of_painting(thing, what)
    if signals.axis.as_series() is None:
        return signals
    raise SignalsError(
        f"These {plural(signals.n_maps, 'map')} are points of a series, which would lose their "
        f"times in files of their own. Leave {{{kinds.MAP_FIELD}}} out of the name, or give maps "
        "without t_r (--t-r)."
    )


def _check_all(
    files_of_maps: Sequence[Sequence[Path]], names: Sequence[str], *, overwrite: bool
) -> None:
    """Raise where a file cannot be written, and make the folders of all."""
    files, of_what = [], []
    for paths, name in zip(files_of_maps, names, strict=True):
        for path in paths:
            check_fields(path, ())  # only surfaces fill in that of the hemisphere
            files.append(path)
            of_what.append(f"map {name}")
            if path.parent.is_dir():
                check_output(path, overwrite=overwrite)
    check_apart(files, of_what, "Give each map a name of its own, or write one file of all.")
    _make_folders(files)


def _make_folders(outputs: Sequence[Path]) -> None:
    for folder in dict.fromkeys(output.parent for output in outputs):
        make_folder(folder)


def _map_of(maps: Signals | Painted, row: int) -> Signals | Painted:
    """Return one of the maps of signals or of a painted image."""
    if isinstance(maps, Signals):
        return maps.take([row])
    match, atlas = maps.match, maps.parcellation
    assert match is not None, "an image whose maps are known"
    assert atlas is not None, "knows both"
    signals = match.signals.take([row])
    part = kinds.painted(atlas, maps.dataobj.table[[row]], signals)
    part.dataobj.one_of = (maps.dataobj, row)
    part.match, part.parcellation = replace(match, signals=signals), atlas
    part.categories = maps.categories
    return part
