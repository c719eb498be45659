"""Atlases as other packages hold them: nilearn's fetched atlases and its label maskers.

A *fetched atlas* is a mapping (scikit-learn's ``Bunch``) with ``maps``, names and maybe a look-up
table; a *label masker* has ``labels_img``, and ``labels_img_`` once it is fitted.  They are told by
what they have, not by their types: neither package need be installed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import ArgumentError, ImageTypeError, plural

_NO_REGIONS_IN_MAPS = (
    "has a map per region, and its maps overlap (a probabilistic atlas), so that no voxel belongs "
    "to one region. Use nilearn's NiftiMapsMasker, or give a deterministic atlas: one image of "
    "integers."
)


class HeldAtlas(NamedTuple):
    """What an object says of a parcellation; None where it says nothing.

    Parameters
    ----------
    labels : path, image, or surfaces of hemispheres
    regions : anything that a region table is read from, or None
    background : number or None
        The label of no region.
    mask : path, image or None
        Outside it there is no region.
    """

    labels: Any
    regions: Any = None
    background: float | None = None
    mask: Any = None


def held_atlas(source: Any) -> HeldAtlas | None:
    """Return what is in a fetched atlas or a label masker, None for everything else.

    Raises
    ------
    ImageTypeError
        When its maps are those of a probabilistic atlas.
    ArgumentError
        When it has several parcellations, or none.
    """
    if isinstance(source, Mapping):
        return _fetched(source) if {"maps", "map_left", "map_right"} & source.keys() else None
    if hasattr(source, "labels_img"):
        return _of_masker(source)
    if hasattr(source, "maps_img"):
        raise ImageTypeError(f"This {type(source).__name__} {_NO_REGIONS_IN_MAPS}")
    return None


def _fetched(atlas: Mapping[str, Any]) -> HeldAtlas:
    """Return what is in an atlas as the functions ``nilearn.datasets.fetch_atlas_…`` return it."""
    if atlas.get("atlas_type") == "probabilistic":
        raise ImageTypeError(f"This atlas {_NO_REGIONS_IN_MAPS}")
    if "maps" in atlas:
        labels = _the_one(atlas["maps"])
    else:
        sides = {"left": atlas.get("map_left"), "right": atlas.get("map_right")}
        labels = {side: content for side, content in sides.items() if content is not None}
    regions = atlas.get("lut")
    if regions is None:
        regions = _named(atlas.get("labels"), atlas.get("indices"))
    return HeldAtlas(labels, regions)


def _the_one(maps: Any) -> Any:
    """Return the only image of a list of them, and what is no list as it is."""
    if not isinstance(maps, list | tuple):
        return maps
    if len(maps) == 1:
        return maps[0]
    raise ArgumentError(
        f"This atlas has {plural(len(maps), 'image')} of labels. Give one of them, such as "
        "atlas['maps'][0], and its names as regions=."
    )


def _named(names: Any, labels: Any) -> Any:
    """Return names with the labels that some atlases list beside them, which are text there."""
    if names is None or not len(names):
        return None
    return names if labels is None else list(zip(labels, names, strict=True))


def _of_masker(masker: Any) -> HeldAtlas:
    """Return what a label masker works with: once it is fitted, what it was fitted to."""
    labels = getattr(masker, "labels_img_", masker.labels_img)
    if labels is None:
        raise ArgumentError(f"This {type(masker).__name__} has no labels_img. Make it with one.")
    regions = getattr(masker, "lut_", getattr(masker, "lut", None))
    if regions is None:
        regions = _named(getattr(masker, "labels", None), None)
    mask = getattr(masker, "mask_img_", getattr(masker, "mask_img", None))
    if mask is not None and not isinstance(mask, str | os.PathLike):
        mask = getattr(mask, "mask_img_", mask)  # it may be a masker of its own
    return HeldAtlas(labels, regions, getattr(masker, "background_label", None), mask)
