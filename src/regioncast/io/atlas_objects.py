"""Atlases as other packages hold them: nilearn's fetched atlases and its label maskers.

A *fetched atlas* is a mapping (scikit-learn's ``Bunch``) with ``maps``, names and maybe a look-up
table; a *label masker* has ``labels_img``, and ``labels_img_`` once it is fitted.  They are told by
what they have, not by their types: neither package need be installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

from ..atlas.hemispheres import side_of_word
from ..errors import ArgumentError, ImageTypeError


class HeldAtlas(NamedTuple):
    """A labels image, and what an object that holds one says beside it."""

    labels: Any
    regions: Any = None
    background: float | None = None
    mask: Any = None


def held_atlas(source: Any) -> HeldAtlas:
    """Return what is in a fetched atlas or a label masker; anything else is a labels image.

    Raises `ImageTypeError` when an atlas is probabilistic; `ArgumentError` when a masker has no
    labels image.
    """
    is_mapping = isinstance(source, Mapping)
    if hasattr(source, "maps_img") or (is_mapping and source.get("atlas_type") == "probabilistic"):
        raise ImageTypeError(
            f"This {type(source).__name__} has a map per region (a probabilistic atlas), and maps "
            "overlap, so that no voxel belongs to one region. Use nilearn's NiftiMapsMasker, or "
            "give a deterministic atlas: one image of integers."
        )
    if is_mapping:
        return _fetched(source)
    if hasattr(source, "labels_img"):
        return _of_masker(source)
    return HeldAtlas(source)


def is_mapping_of_atlases(source: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether this is a mapping of names to atlases, and not itself an atlas.

    That of the hemispheres of one, or what holds one, is an atlas: `held_atlas` knows the latter by
    the same titles.
    """
    if not isinstance(source, Mapping) or "map_left" in source or "maps" in source:
        return False
    return not source or not all(map(side_of_word, source))


def _fetched(atlas: Mapping[str, Any]) -> HeldAtlas:
    """Return what is in an atlas as the functions of ``nilearn.datasets`` return it."""
    if "map_left" in atlas:
        labels = {"left": atlas["map_left"], "right": atlas.get("map_right")}
    elif "maps" in atlas:
        labels = atlas["maps"]
    else:
        return HeldAtlas(atlas)  # it is a mapping of hemispheres
    if isinstance(labels, list | tuple) and len(labels) == 1:
        labels = labels[0]
    regions, names = atlas.get("lut"), atlas.get("labels")
    if regions is None and names is not None and "indices" in atlas:
        # AAL's names are not in the order of their labels.
        regions = list(zip(atlas["indices"], names, strict=True))
    return HeldAtlas(labels, names if regions is None else regions)


def _of_masker(masker: Any) -> HeldAtlas:
    """Return what a label masker works with: once it is fitted, what it was fitted to."""
    labels = getattr(masker, "labels_img_", masker.labels_img)
    if labels is None:
        raise ArgumentError(f"This {type(masker).__name__} has no labels_img. Make it with one.")
    regions = getattr(masker, "lut_", getattr(masker, "lut", None))
    if regions is None:
        regions = getattr(masker, "labels", None) or None
    mask = getattr(masker, "mask_img_", getattr(masker, "mask_img", None))
    # That may be a masker, too.
    mask = getattr(mask, "mask_img_", mask)
    return HeldAtlas(labels, regions, getattr(masker, "background_label", None), mask)
