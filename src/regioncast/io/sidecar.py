"""Sidecars: JSON beside a file that says of its maps what the file itself cannot hold.

As in BIDS, ``x.json`` is beside ``x.tsv`` or ``x.nii.gz``.  What others wrote is read for what it
says of time and names; a file that says nothing of these is no obstacle.  What is written is for
one file, which it names, and is replaced with that file alone; where ``x.json`` is of another file
already, it is ``x.tsv.json``.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from itertools import filterfalse
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from ..atlas.hemispheres import HEMISPHERE_TITLE
from ..atlas.region_table import RegionTable
from ..errors import OutputError, RegioncastError, SidecarWarning, warn
from ..files import expanded, folders_of_dataset, found, name_of_file, replacing, sha256_of
from ..formats import family_of, stem_of, suffix_of
from ..signals import MapAxis, Origin, Series, Signals

if TYPE_CHECKING:
    from ..atlas.parcellation import Parcellation

COMMAND: ContextVar[Sequence[str]] = ContextVar("COMMAND", default=())
"""The words of the command that is run, where it is one."""

# Files of these say time and names themselves.
_SAY_IT_THEMSELVES = ("gifti", "cifti", "morphometry", "xml")

# Files of these name their maps, and say no time.
_NAME_MAPS = ("text", "parquet")

# A sidecar is text about maps; what is larger is something else.
_LARGEST = 1 << 26

# Entities of BIDS that a field has to explain.
_SAMPLINGS = {"res": "Resolution", "den": "Density"}

# Letters that BIDS has in its URIs.
_URI = re.compile(r"bids:[0-9a-zA-Z/#:?_\-.]+")

# Times that differ by less are one time, rounded.
_ROUNDED = 1e-3


@dataclass(frozen=True, eq=False)
class Sidecar:
    """What a sidecar says, as far as it can be used.

    Parameters
    ----------
    path : Path
    axis : MapAxis
        Names, repetition time and series of the maps.
    strategy : str or None
        How the values of regions were made.
    cleaning : mapping or None
        What was taken out of them.
    coverage : RegionTable or None
        The regions that the values are of, with the data that there were for each.
    """

    path: Path
    axis: MapAxis
    strategy: str | None
    cleaning: Mapping[str, Any] | None
    coverage: RegionTable | None


# --- reading -------------------------------------------------------------------------------------


def sidecar_of(path: str | os.PathLike[str] | None) -> Sidecar | None:
    """Return what is said beside a file; None where nothing is, or nothing of use."""
    if path is None:
        return None
    file = expanded(path)
    for beside in reversed(_paths_beside(file)):
        content = _content(beside)
        if content is None or _is_of_another(content, beside, file):
            continue
        strategy, cleaning = content.get("Strategy"), content.get("Cleaning")
        return Sidecar(
            beside,
            MapAxis(_names(content), _repetition_time(content), _series(content)),
            strategy if isinstance(strategy, str) and _is_text(strategy) else None,
            cleaning if isinstance(cleaning, dict) else None,
            _coverage(content),
        )
    return None


def axis_beside(axis: MapAxis, path: str | os.PathLike[str] | None, n_maps: int) -> MapAxis:
    """Return what is known of the maps of a file, with what is said beside it.

    What the file says itself counts; one warning says where the two differ in time.
    """
    sidecar = sidecar_of(path)
    if sidecar is None:
        return axis
    said, names = sidecar.axis, axis.names
    # Names of another number of maps are those of a file that was here before.
    if names is None and said.names is not None and len(said.names) == n_maps:
        names = said.names
    if axis.single:
        return MapAxis(names, single=True)
    if axis.t_r is None:
        return MapAxis(names, said.t_r, axis.series or said.series)
    if said.t_r is not None and not math.isclose(axis.t_r, said.t_r, rel_tol=_ROUNDED):
        warn(
            f"{Path(str(path)).name} has a repetition time of {axis.t_r:g} s, and "
            f"{sidecar.path.name} says {said.t_r:g} s. That of the image is taken; correct the one "
            "that is wrong.",
            SidecarWarning,
        )
    return MapAxis(names, axis.t_r, axis.series)


def completed(signals: Signals, path: str | os.PathLike[str], *, is_whole: bool) -> Signals:
    """Return signals that were read from a table, with what is said beside it.

    Parameters
    ----------
    signals : Signals
    path : path
    is_whole : bool
        Whether these are all maps of the file; some of a series are none.
    """
    origin = Origin((expanded(path),))
    sidecar = sidecar_of(path)
    if sidecar is None:
        return signals.changed(origin=origin)
    axis, asked_for = signals.axis, signals.t_r
    if is_whole:
        axis = axis_beside(MapAxis(axis.names, single=axis.single), path, signals.n_maps)
    if asked_for is not None:
        axis = axis.with_t_r(asked_for)
    coverage = signals.coverage or sidecar.coverage
    if coverage is not None and not _is_of(coverage, signals):
        coverage = None
    origin = Origin(origin.files, sidecar.strategy, sidecar.cleaning)
    return signals.changed(axis=axis, coverage=coverage, origin=origin)


def _is_of(coverage: RegionTable, signals: Signals) -> bool:
    """Return whether coverage is that of the regions of signals, in their order."""
    if signals.keys is None:
        return len(coverage) == signals.n_regions
    return [str(key) for key in coverage.unique_keys] == [str(key) for key in signals.keys]


def _is_of_another(content: Mapping[str, Any], sidecar: Path, file: Path) -> bool:
    """Return whether a sidecar says that it is of another file, which is there."""
    name = content.get("Filename")
    if not isinstance(name, str) or name == file.name:
        return False
    other = file.parent / name
    # A file and its sidecar may have been renamed, or both copied.
    is_copied = sidecar not in _paths_beside(other) and suffix_of(other) == suffix_of(file)
    # A name that no file can have is that of none.
    return os.path.exists(other) and not is_copied  # noqa: PTH110


def _content(path: Path) -> dict[str, Any] | None:
    """Return the fields of a file of JSON; None where it is none, or may not be read."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _names(content: Mapping[str, Any]) -> list[str] | None:
    names = content.get("MapNames")
    if not isinstance(names, list):
        return None
    return names if all(isinstance(name, str) and _is_text(name) for name in names) else None


def _is_text(text: str) -> bool:
    """Return whether text has whole characters: JSON can have halves, and other files cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _repetition_time(content: Mapping[str, Any]) -> float | None:
    """Return the seconds from one map to the next, by BIDS's name or as a frequency."""
    t_r, frequency = content.get("RepetitionTime"), content.get("SamplingFrequency")
    seconds = [t_r, 1 / frequency if _is_positive(frequency) else None]
    return next((float(number) for number in seconds if _is_positive(number)), None)


def _is_positive(number: Any) -> TypeGuard[float]:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    # Integers of JSON may be larger than any float.
    return is_number and 0 < number <= sys.float_info.max


def _series(content: Mapping[str, Any]) -> Series | None:
    said = content.get("Series")
    try:
        series = Series(float(said["Start"]), float(said["Step"]), str(said["Unit"]))  # type: ignore[index]
    except (TypeError, KeyError, ValueError, OverflowError):
        return None
    t_r = _repetition_time(content)
    # Who corrects the repetition time may not know of the series, which would contradict it.
    return series._replace(step=t_r) if t_r is not None and series.unit == "SECOND" else series


def _coverage(content: Mapping[str, Any]) -> RegionTable | None:
    said = content.get("Coverage")
    if not isinstance(said, dict):
        return None
    columns = dict(said)
    try:
        labels, names = columns.pop("index"), columns.pop("name")
        hemispheres = columns.pop(HEMISPHERE_TITLE, None)
        numbers = {
            title: [math.nan if cell is None else cell for cell in cells]
            for title, cells in columns.items()
        }
        return RegionTable(labels, names, numbers, hemispheres)
    except (KeyError, TypeError, ValueError, RegioncastError):
        return None  # somebody else's, who means something else by it


# --- writing -------------------------------------------------------------------------------------


def write_beside(path: Path, content: Mapping[str, Any] | None) -> None:
    """Write the sidecar of a file that has just been written.

    Raises `OutputError` when the sidecar cannot be written; the file is.

    Parameters
    ----------
    path : Path
        Of the file.
    content : mapping or None
        None: the file gets no sidecar, and one that it had goes with what it was of.
    """
    paths = _paths_beside(path)
    # One that was of a file of this name goes with it, or with what somebody removed.
    own = [name for name in paths if _is_own(name, path)]
    if content is None or not paths:
        _remove(own)
        return
    usable = [*own, *filterfalse(os.path.lexists, paths)]
    if not usable:
        warn(
            f"{path.name} has no sidecar: {' and '.join(name.name for name in paths)} are of other "
            "files, and stay. Choose another name, or pass sidecar=False (--no-sidecar).",
            SidecarWarning,
        )
        return
    try:
        with replacing(usable[0], overwrite=usable[0] in own) as temporary:
            temporary.write_text(_as_json(content), encoding="utf-8")
    except BaseException as error:
        # It would say of the new file what was true of the old one.
        _remove(own)
        if not isinstance(error, OutputError):
            raise
        reason = str(error).removesuffix(" Nothing was changed.")
        raise OutputError(
            f"{path} was written, and what goes beside it not: {reason} It has no sidecar now."
        ) from error


def _remove(sidecars: Sequence[Path]) -> None:
    for sidecar in sidecars:
        with contextlib.suppress(OSError):
            sidecar.unlink()


def warn_of_what_is_lost(path: Path, axis: MapAxis) -> None:
    """Warn where a CIFTI file, which has no sidecar, holds either times or names of maps."""
    if family_of(path) != "cifti":
        return
    suffix = suffix_of(path)
    if suffix in (".dscalar.nii", ".pscalar.nii"):
        if axis.t_r is not None:
            warn(
                f"The repetition time of {axis.t_r:g} s is not in {path.name}, whose format has no "
                f"place for it; {suffix.replace('scalar', 'tseries')} has.",
                SidecarWarning,
            )
    elif axis.names is not None and axis.as_series() is not None:
        warn(
            f"The names of the maps are not in {path.name}, whose format has no place for them; "
            f"{suffix.replace('tseries', 'scalar')} has.",
            SidecarWarning,
        )


def content_of(
    path: Path,
    axis: MapAxis,
    *,
    origin: Origin,
    atlas: Parcellation | None,
    what: str,
    coverage: RegionTable | None = None,
) -> dict[str, Any] | None:
    """Return what is to be said beside a file; None where nothing is known but what it holds.

    Parameters
    ----------
    path : Path
        Of the file; other files are named as they lie from its folder.
    axis : MapAxis
        Of its maps.
    origin : Origin
        What it was made from, and how.
    atlas : Parcellation or None
    what : str
        What it holds, as a sentence.
    coverage : RegionTable, default=None
        How much of each region there were data for.
    """
    folder = path.parent
    of_atlas = {}
    if atlas is not None and atlas.files.labels:
        of_atlas = {
            "SpatialReference": _spatial_reference(atlas, folder),
            "Atlas": _described(atlas, folder),
        }
    content: dict[str, Any] = {
        "RepetitionTime": axis.t_r,
        "Series": _titled(axis.series),
        "MapNames": axis.names,
        "Strategy": origin.strategy,
        "Cleaning": _asked_for(origin.cleaning),
        "Sources": _sources(path, origin.files) or None,
        **of_atlas,
        **_sampling(path, origin.files, atlas),
        "Coverage": None if coverage is None else coverage.to_pandas().to_dict("list"),
    }
    known = {title: said for title, said in content.items() if said is not None}
    # Tables say names themselves, and need no sidecar for these alone.
    in_file = {"MapNames"} if family_of(path) in _NAME_MAPS else set()
    if not known.keys() - in_file:
        return None
    general = {"Filename": path.name, "Description": what, "GeneratedBy": [_generator()]}
    return {**general, **known}


def own_sidecar(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the sidecar that we wrote for a file, and what it says; None where there is none."""
    for sidecar in _paths_beside(path):
        content = _content(sidecar)
        if content is not None and content.get("Filename") == path.name:
            return sidecar, content
    return None


def files_beside(path: Path) -> list[Path]:
    """Return the files beside another that may be its sidecar."""
    return [file for file in _paths_beside(path) if file.is_file()]


def _is_own(sidecar: Path, file: Path) -> bool:
    """Return whether we wrote this sidecar, and for this file."""
    content = _content(sidecar)
    return content is not None and content.get("Filename") == file.name


def _paths_beside(path: Path) -> list[Path]:
    """Return the names that the sidecar of a file may have; none where its format needs none."""
    family = family_of(path)
    if family is None or family in _SAY_IT_THEMSELVES:
        return []
    return [path.with_name(f"{name}.json") for name in (stem_of(path), path.name)]


def _asked_for(cleaning: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what was taken out of signals, None where that is nothing."""
    asked = {title: said for title, said in (cleaning or {}).items() if said not in (None, False)}
    return asked or None


def _titled(series: Series | None) -> dict[str, object] | None:
    if series is None:
        return None
    return {title.capitalize(): said for title, said in series._asdict().items()}


def _described(atlas: Parcellation, folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = {
        "LabelsImage": [_from(folder, file) for file in atlas.files.labels],
        "sha256": [_sha256(file) for file in atlas.files.labels],
        "NumberOfRegions": len(atlas),
    }
    if atlas.files.regions is not None:
        described["RegionTable"] = _from(folder, atlas.files.regions)
    return described


def _sources(path: Path, files: Sequence[Path]) -> list[str]:
    """Return the names of files as they lie from that of the sidecar, or as BIDS has them.

    BIDS has URIs in data sets that say where others are: ``bids:fmriprep:sub-1/func/…``.
    """
    dataset = folders_of_dataset(path)[-1]
    links = (_content(dataset / "dataset_description.json") or {}).get("DatasetLinks")
    roots = {
        Path(os.path.normpath(dataset / target)).absolute(): name
        for name, target in (links if isinstance(links, dict) else {}).items()
        if isinstance(target, str)
    }
    return [_uri(file.absolute(), roots) or _from(path.parent, file) for file in files]


def _uri(file: Path, roots: Mapping[Path, str]) -> str | None:
    """Return the URI that BIDS gives to a file, None where it is in no data set that is linked."""
    root = next((folder for folder in file.parents if folder in roots), None)
    if root is None:
        return None
    uri = f"bids:{roots[root]}:{file.relative_to(root).as_posix()}"
    return uri if _URI.fullmatch(uri) else None


def _sampling(path: Path, files: Sequence[Path], atlas: Parcellation | None) -> dict[str, str]:
    """Return what BIDS wants to be told of a file whose name says a resolution or a density."""
    said = {}
    for entity, title in _SAMPLINGS.items():
        if f"_{entity}-" not in path.name:
            continue
        # That of the image, in words of who made it, where there are some.
        beside = (_content(file.with_name(f"{stem_of(file)}.json")) for file in files)
        texts = (content.get(title) for content in beside if content is not None)
        words = next((text for text in texts if isinstance(text, str) and _is_text(text)), None)
        if words is None and atlas is not None:
            words = repr(atlas.space).partition(": ")[2]
        if words:
            said[title] = words
    return said


def _spatial_reference(atlas: Parcellation, folder: Path) -> str:
    """Return the space that the name of a labels image says as BIDS does, or else the image."""
    for file in atlas.files.labels:
        for entity in file.name.split("_"):
            title, _, value = entity.partition("-")
            if title in ("space", "tpl") and value:
                return value
    return _from(folder, atlas.files.labels[0])


def _generator() -> dict[str, str]:
    generator = {"Name": "regioncast", "Version": version("regioncast")}
    words = COMMAND.get()
    if words:
        generator["Command"] = shlex.join(map(_relative, words))
    return generator


def _relative(word: str) -> str:
    """Return a word of a command with names of files as they lie from here."""
    # Somebody's folders say nothing elsewhere, and may say who it was.
    option, equals, value = word.rpartition("=")
    files = [
        os.path.relpath(file) if Path(file).is_absolute() else file for file in value.split(",")
    ]
    return f"{option}{equals}{','.join(files)}"


def _from(folder: Path, file: Path) -> str:
    """Return the name of a file as it lies from a folder."""
    return Path(os.path.relpath(file, folder)).as_posix()


def _sha256(file: Path) -> str | None:
    try:
        return sha256_of(file)
    except OSError:  # gone, since it was read
        return None


def _as_json(content: Mapping[str, Any]) -> str:
    """Return the text of a sidecar, a field in each line."""
    lines = []
    for title, said in content.items():
        # Not finite is nothing that JSON has, and whoever reads it may be strict.
        text = json.dumps(_plain(said), ensure_ascii=False, allow_nan=False)
        if not _is_text(text):  # names of files that are no Unicode
            text = json.dumps(_plain(said), allow_nan=False)
        lines.append(f"  {json.dumps(title)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _plain(said: Any) -> Any:
    """Return what JSON can hold: no NumPy, and None for what is not finite."""
    if isinstance(said, Mapping):
        return {str(title): _plain(value) for title, value in said.items()}
    if isinstance(said, list | tuple):
        return [_plain(value) for value in said]
    if isinstance(said, np.generic):
        said = said.item()
    return None if isinstance(said, float) and not math.isfinite(said) else said


def files_of(source: Any) -> tuple[Path, ...]:
    """Return the files that a source is read from, as far as they are known.

    Parameters
    ----------
    source : path, pattern, pair, image, or several of them
    """
    if isinstance(source, str | os.PathLike):
        return _files_named(source)
    if isinstance(source, Mapping):
        source = list(source.values())
    if isinstance(source, list | tuple):
        return tuple(file for each in source for file in files_of(each))
    name = name_of_file(source)
    return (Path(name),) if name else ()


def _files_named(source: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return a file, those of a pattern, or those of two names with a comma."""
    path = expanded(source)
    if path.exists():
        return (path,)
    files = found(path)
    if files:
        return tuple(map(Path, files))
    # Folders of a pair may have brackets in their names, which make no pattern of the two names.
    return tuple(filter(Path.exists, map(expanded, str(source).split(","))))
