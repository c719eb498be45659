"""Labels of vertices to GIFTI files, one per hemisphere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.gifti.gifti import (
    GiftiDataArray,
    GiftiImage,
    GiftiLabel,
    GiftiLabelTable,
    GiftiMetaData,
)

from ...atlas.no_region import names_no_region
from ...atlas.spaces import SurfaceVertices
from ...files import replacing_all
from ..label_files import NO_REGION_NAME, Entry, entries_of, labels_image, unused_label
from .names import STRUCTURE, STRUCTURES, output_paths
from .painted import write_gifti

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.parcellation import Parcellation


def save_labels(atlas: Parcellation, path: Path, *, overwrite: bool) -> list[Path]:
    """Write the labels of a surface, a pair as two files; see `painted.save_surface`.

    Raises
    ------
    LabelsError
        When labels are beyond int32, which GIFTI holds.
    RegionTableError
        When a name would not be read again.
    FileFormatError, OutputExistsError, OutputError
    """
    space = atlas.space
    assert isinstance(space, SurfaceVertices), "a kind writes its own space"
    paths = output_paths(path, space.hemispheres, "atlas")
    none = Entry(unused_label(atlas.table), NO_REGION_NAME, (0.0, 0.0, 0.0, 0.0))
    entries = entries_of(atlas.table, paths[0], lambda entry: names_no_region(entry.name))
    labels = labels_image(atlas, "GIFTI files hold", ["int32"], none=none.label)
    with replacing_all(paths, overwrite=overwrite) as temporaries:
        for side, temporary in zip(space.hemispheres, temporaries, strict=True):
            samples = space.of_hemisphere(side)
            # A group may be of both; a region without a vertex is of none that is known.
            sides = atlas.table.hemispheres
            is_here = np.isin(np.arange(1, len(atlas) + 1), atlas.codes[samples])
            if sides is not None:
                is_here = np.array([of_row == side for of_row in sides])
            rows = [entry for entry, is_in in zip(entries, is_here, strict=True) if is_in]
            write_gifti(_gifti(labels[samples], [none, *rows], side), temporary)
    return paths


def _gifti(labels: NDArray[Any], entries: list[Entry], side: str) -> GiftiImage:
    table = GiftiLabelTable()
    for entry in entries:
        label: Any = GiftiLabel(entry.label, *entry.color)
        label.label = entry.name  # an attribute that nibabel makes when it reads one
        table.labels.append(label)
    structure = {STRUCTURE: STRUCTURES[side]} if side in STRUCTURES else {}
    array = GiftiDataArray(labels, intent="NIFTI_INTENT_LABEL", datatype="NIFTI_TYPE_INT32")
    return GiftiImage(meta=GiftiMetaData(structure), labeltable=table, darrays=[array])
