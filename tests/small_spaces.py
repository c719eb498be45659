"""Two small hemispheres, a small volume and the grayordinates of both, with labels of their own."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from nibabel import cifti2
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable, GiftiMetaData
from small_volumes import OBLIQUE, small_labels

N_VERTICES = {"L": 701, "R": 680}  # no two hemispheres are alike
STRUCTURES = {"L": "CortexLeft", "R": "CortexRight"}
NAMES = {
    "L": {0: "unknown", 3: "V1", 7: "V2", 14474380: "insula"},
    "R": {0: "unknown", 3: "V1", 7: "insula", 9: "M1"},
}


def vertex_labels(side):
    """Labels 3 and 7 on both sides, and one that the other side has not; some of no region."""
    labels = np.zeros(N_VERTICES[side], np.int32)
    own = max(NAMES[side])
    labels[20:200], labels[200:451:2], labels[460:463] = 3, 7, own
    return labels


def labels_gifti(side, labels=None, names=None):
    """A GIFTI of labels that says its hemisphere and its names."""
    table = GiftiLabelTable()
    for key, name in (NAMES[side] if names is None else names).items():
        entry = GiftiLabel(key, 0.5, 0.25, 1.0, 1.0)
        entry.label = name
        table.labels.append(entry)
    array = GiftiDataArray(
        vertex_labels(side) if labels is None else labels, intent="NIFTI_INTENT_LABEL"
    )
    meta = GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[side]})
    return GiftiImage(meta=meta, labeltable=table, darrays=[array])


def maps_gifti(side, maps):
    """A GIFTI of maps, shape (n_maps, n_vertices)."""
    arrays = [GiftiDataArray(values, intent="NIFTI_INTENT_SHAPE") for values in maps]
    meta = GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[side]})
    return GiftiImage(meta=meta, darrays=arrays)


def kept_vertices(side):
    """The vertices that are grayordinates: not those of the medial wall."""
    return np.arange(N_VERTICES[side])[10 :: 1 if side == "L" else 2]


def brain_models(*, voxels=True):
    """Vertices of both hemispheres, and the voxels of the small volume that have a label."""
    models = [
        cifti2.BrainModelAxis.from_surface(kept_vertices(side), N_VERTICES[side], f"CORTEX_{word}")
        for side, word in (("L", "LEFT"), ("R", "RIGHT"))
    ]
    axis = models[0] + models[1]
    if voxels:
        inside = small_labels() != 0
        axis += cifti2.BrainModelAxis.from_mask(inside, affine=OBLIQUE, name="THALAMUS_LEFT")
    return axis


def dlabel(keys, names, axis, map_names=("labels",)):
    """A CIFTI of labels, one map or more."""
    keys = np.atleast_2d(keys)
    table = {key: (name, (0.5, 0.25, 1.0, 1.0)) for key, name in names.items()}
    labels = cifti2.LabelAxis(list(map_names), [table] * len(keys))
    return nib.Cifti2Image(keys.astype(np.float32), (labels, axis))


def dense(maps, axis, t_r=None):
    """A CIFTI of maps, shape (n_maps, n_grayordinates); a series with `t_r`."""
    maps = np.atleast_2d(maps)
    first = (
        cifti2.ScalarAxis([f"map {n}" for n in range(len(maps))])
        if t_r is None
        else cifti2.SeriesAxis(0, t_r, len(maps))
    )
    return nib.Cifti2Image(maps, (first, axis))
