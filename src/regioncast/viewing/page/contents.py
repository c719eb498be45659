"""What a page holds: one mapping that says what there is, and arrays, packed.

The scripts of the page read just this.  Values stay what they are, bit for bit, in their own dtype.
"""

from __future__ import annotations

import base64
import json
import zlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ArgumentError, plural
from ..colours import RAMPS, THEMES, ramp_of
from ..volumes import Volume, places_of_regions, sides_of_regions, sides_said, volume_of
from .packing import packed_meshes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..scene import Scene

# JavaScript's typed arrays, by NumPy's name for what they hold.
_TYPES = {
    "uint8": "Uint8Array", "int8": "Int8Array", "uint16": "Uint16Array", "int16": "Int16Array",
    "uint32": "Uint32Array", "int32": "Int32Array", "float32": "Float32Array",
    "float64": "Float64Array", "int64": "BigInt64Array", "uint64": "BigUint64Array",
}  # fmt: skip


# Codes are a few per cent smaller than at 6; 9 takes three times as long as 8 for nothing.
_LEVEL = 8

# How zlib is asked for gzip's header, which then holds no time.
_AS_GZIP = 31

_LONGEST_RUN = 255

# Of values.  Chromium's strings end at 512 MB, and base 64 of what does not pack adds a third.
_MOST_BYTES = 360_000_000


def packed(array: NDArray[Any]) -> str:
    """Return the bytes of an array, little-endian, gzipped, as text in base 64."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    content = little.tobytes()
    if array.itemsize > 1:
        return zipped(content)
    # Greys, lengths of runs and differences hardly repeat: of some, the counts of bytes say more.
    return min(zipped(content), zipped(content, zlib.Z_FILTERED), key=len)


def zipped(content: bytes, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> str:
    """Return bytes gzipped, as text in base 64; the same for the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _AS_GZIP, strategy=strategy)
    return base64.b64encode(packer.compress(content) + packer.flush()).decode()


def embedded(
    meta: dict[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what a page says and its arrays as they stand in it, where some take fewer bytes.

    The codes of voxels are values of runs, whose lengths are an array ``runs``; ramps are the
    differences between each colour and the one before.  ``state.js`` makes of them what they were.
    """
    arrays = dict(arrays)
    if "codes" in arrays:
        arrays["codes"], arrays["runs"] = in_runs(arrays["codes"])
    if "ramps" in arrays:
        arrays["ramps"] = np.diff(arrays["ramps"], axis=1, prepend=np.uint8(0))
    types = {name: _TYPES[array.dtype.name] for name, array in arrays.items()}
    return meta | {"arrays": types}, arrays


def in_runs(codes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return the codes of runs of equal ones, and how long each is; none is longer than a byte.

    Examples
    --------
    >>> codes, lengths = in_runs(np.array([7] * 300 + [0, 0, 7], np.uint16))
    >>> codes.tolist(), lengths.tolist()
    ([7, 7, 0, 7], [255, 45, 2, 1])
    """
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    lengths = np.diff(np.append(starts, len(codes)))
    n_pieces = -(-lengths // _LONGEST_RUN)
    pieces = np.full(n_pieces.sum(), _LONGEST_RUN, np.uint8)
    pieces[n_pieces.cumsum() - 1] = lengths - _LONGEST_RUN * (n_pieces - 1)
    return np.repeat(codes[starts], n_pieces), pieces


def as_json(content: dict[str, Any]) -> str:
    """Return JSON, without spaces."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def contents_of(scene: Scene) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what a page says and its arrays by name."""
    atlas = scene.atlas
    arrays: dict[str, NDArray[Any]] = {}
    said = sides_said(atlas).tolist()
    meta: dict[str, Any] = {
        "title": scene.title,
        "about": list(scene.about),
        "version": version("regioncast"),
        "show": scene.show,
        "unit": scene.unit,
        "regions": {
            "names": list(atlas.table.unique_names),
            "labels": [str(label) for label in atlas.table.labels.tolist()],
            # Of volumes, where regions are drawn may be more than is known of them: see below.
            "sides": said,
            "told": said,
            "missing": (np.flatnonzero(~scene.is_there) + 1).tolist(),
            "coverage": None if scene.coverage is None else _numbers(scene.coverage),
        },
        "maps": {"titles": scene.map_titles},
        "themes": {name: theme._asdict() for name, theme in THEMES.items()},
    }
    _add_legend(scene, meta, arrays)
    if scene.values is not None:
        arrays["values"] = _storable(scene.values)
        _check_opens(arrays["values"])
    volume = volume_of(atlas, None if scene.background is None else scene.background.greys)
    if volume is not None:
        _add_volume(scene, volume, meta, arrays)
    meshes, of_meshes = packed_meshes(scene)
    if meshes:
        meta["meshes"] = meshes
        arrays |= of_meshes
    return meta, arrays


def _add_legend(scene: Scene, meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Add what colours stand for: regions, categories, or values by a scale."""
    if scene.show == "atlas":
        meta["regions"]["colors"] = scene.region_colors
    if scene.categories is not None:
        meta["categories"] = {
            "labels": [str(label) for label in scene.categories.labels.tolist()],
            "names": list(scene.categories.names),
            "colors": scene.category_colors,
        }
    if scene.scale is not None:
        scale = scene.scale
        ramps = {name: ramp_of(name)[1] for name in RAMPS} | {scale.name: scale.ramp}
        arrays["ramps"] = np.stack(list(ramps.values()))
        meta["scale"] = {
            "ramps": list(ramps),
            "ramp": scale.name,
            "limits": [scale.low, scale.high],
            "threshold": scale.threshold,
        }


def _add_volume(
    scene: Scene, volume: Volume, meta: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    """Add what is known of voxels: their codes, the greys behind them, and where regions are."""
    arrays["codes"] = volume.codes.ravel("F")
    meta["volume"] = {"shape": list(volume.codes.shape), "affine": volume.affine[:3].tolist()}
    meta["regions"]["sides"] = sides_of_regions(scene.atlas, volume).tolist()
    meta["regions"]["at"] = places_of_regions(volume, len(scene.atlas))
    if volume.greys is not None:
        assert scene.background is not None, "greys are of a background"
        arrays["greys"] = volume.greys.ravel("F")
        meta["volume"]["background"] = scene.background.name


def _check_opens(values: NDArray[Any]) -> None:
    """Raise where a page would hold more values than browsers can read."""
    if values.nbytes > _MOST_BYTES:
        n_maps, n_regions = values.shape
        raise ArgumentError(
            f"{plural(n_maps, 'map')} of {plural(n_regions, 'region')} are {values.nbytes:,} bytes "
            f"of {values.dtype}, and browsers read pages of up to {_MOST_BYTES:,}. Show fewer maps"
            + (", or convert the values to float32." if values.itemsize > 4 else ".")
        )


def _storable(values: NDArray[Any]) -> NDArray[Any]:
    """Return values of a dtype that scripts have an array for, bit for bit or wider."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _numbers(array: NDArray[np.float64]) -> list[float | None]:
    """Return numbers as JSON has them, which knows no NaN."""
    return [None if np.isnan(number) else float(number) for number in array]
