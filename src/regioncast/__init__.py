"""One value, or one time series, per brain region to a brain image, and back.

The names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .notebook import show_by

if TYPE_CHECKING:
    from .api import (
        extract,
        load_parcellation,
        load_signals,
        match,
        merge,
        paint,
        plot,
        save,
        view,
    )
    from .atlas.parcellation import Parcellation
    from .atlas.region_table import RegionTable
    from .cohort.results import extract_all
    from .data import demo_data
    from .errors import MatchError, RegioncastError, RegioncastWarning
    from .identity import Match
    from .io.cifti.painted import PaintedCifti
    from .io.surface.painted import PaintedSurface
    from .io.volume.nifti import PaintedImage
    from .nilearn.masker import RegionMasker
    from .nilearn.patch import patch_nilearn, unpatch_nilearn
    from .nilearn.regions import img_to_signals_labels, signals_to_img_labels
    from .signals import Signals
    from .viewing.page import View

    __version__: str

_HOME = {
    "ChunkedParcellation": "chunked.parcellation",
    "Match": "identity",
    "MatchError": "errors",
    "PaintedChunks": "chunked.painting",
    "PaintedCifti": "io.cifti.painted",
    "PaintedImage": "io.volume.nifti",
    "PaintedSurface": "io.surface.painted",
    "Parcellation": "atlas.parcellation",
    "RegionMasker": "nilearn.masker",
    "RegionTable": "atlas.region_table",
    "RegioncastError": "errors",
    "RegioncastWarning": "errors",
    "Signals": "signals",
    "View": "viewing.page",
    "demo_data": "data",
    "extract": "api",
    "extract_all": "cohort.results",
    "img_to_signals_labels": "nilearn.regions",
    "load_parcellation": "api",
    "load_signals": "api",
    "match": "api",
    "merge": "api",
    "paint": "api",
    "patch_nilearn": "nilearn.patch",
    "plot": "api",
    "save": "api",
    "signals_to_img_labels": "nilearn.regions",
    "unpatch_nilearn": "nilearn.patch",
    "view": "api",
}

__all__ = [
    "ChunkedParcellation",
    "Match",
    "MatchError",
    "PaintedChunks",
    "PaintedCifti",
    "PaintedImage",
    "PaintedSurface",
    "Parcellation",
    "RegionMasker",
    "RegionTable",
    "RegioncastError",
    "RegioncastWarning",
    "Signals",
    "View",
    "demo_data",
    "extract",
    "extract_all",
    "img_to_signals_labels",
    "load_parcellation",
    "load_signals",
    "match",
    "merge",
    "paint",
    "patch_nilearn",
    "plot",
    "save",
    "signals_to_img_labels",
    "unpatch_nilearn",
    "view",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("regioncast")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def _shown_in_notebooks(thing: object) -> str | None:
    from .viewing.notebook import html_of

    return html_of(thing)


show_by(_shown_in_notebooks)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
