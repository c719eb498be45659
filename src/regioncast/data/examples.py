"""The files that the documentation works on.

The embedded atlas, its values and a real map, under plain names; and what else a day brings, made
from them: a few subjects, a second atlas, surfaces, grayordinates.  Who copies a block of the
documentation runs it here, and so do the tests.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.cifti2.cifti2_axes import BrainModelAxis, LabelAxis, SeriesAxis
from nibabel.gifti.gifti import (
    GiftiDataArray,
    GiftiImage,
    GiftiLabel,
    GiftiLabelTable,
    GiftiMetaData,
)
from scipy.spatial import ConvexHull  # type: ignore[import-untyped]

from .. import api
from ..atlas.region_table import new_color
from ..atlas.spaces import VolumeGrid
from ..errors import OutputExistsError, examples, plural
from ..files import make_folder
from ..io.volume.nifti import open_image
from ..signals import Signals
from . import demo_data

N_SUBJECTS = 4
N_VOLUMES = 20
T_R = 2.0  # seconds

# Two hemispheres that are not alike: their vertices, and the labels of their regions.
_VERTICES = {"L": 701, "R": 680}
_NAMES = {
    "L": {0: "unknown", 3: "V1", 7: "V2", 14474380: "insula"},
    "R": {0: "unknown", 3: "V1", 7: "insula", 9: "M1"},
}
_STRUCTURES = {"L": "CortexLeft", "R": "CortexRight"}
_MOTION = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]

# Balls about these points, in mm, stand for regions below the cortex.
_SUBCORTEX = {"Thalamus": (11.0, -18.0, 8.0), "Putamen": (26.0, 2.0, 0.0)}
_RADIUS = 8.0


def write_examples(folder: Path, *, overwrite: bool) -> list[Path]:
    """Write the files into a folder, all or none of them.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    overwrite : bool
        Whether files of the same names may be replaced.

    Returns
    -------
    list of Path
        What was written, from the folder.

    Raises
    ------
    OutputExistsError, OutputError
    """
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix=".regioncast-demo-", dir=folder) as name:
        made = Path(name)
        _embedded(made)
        _subjects(made)
        _subcortex(made)
        _surfaces(made)
        files = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
        there = [str(file) for file in files if (folder / file).exists()]
        if there and not overwrite:
            raise OutputExistsError(
                f"{plural(len(there), 'file')} of the demo {'is' if len(there) == 1 else 'are'} in "
                f"{folder} already: {examples(there)}. Ask for overwriting (overwrite=True, "
                "--overwrite), or choose another folder."
            )
        for file in files:
            make_folder((folder / file).parent)
            (made / file).replace(folder / file)
    return files


def _embedded(folder: Path) -> None:
    demo = demo_data()
    plain = {
        "atlas_dseg.nii.gz": demo.atlas,
        "atlas_dseg.tsv": demo.regions,
        "values.tsv": demo.values,
        "stat_map.nii.gz": demo.statistic,
    }
    for name, file in plain.items():
        shutil.copyfile(file, folder / name)


def _subjects(folder: Path) -> None:
    """Write a series, its confounds and a contrast of each subject, and a table of the group."""
    atlas = api.load_parcellation(demo_data().atlas)
    group = api.match(demo_data().values, atlas).take()
    rng = np.random.default_rng(0)
    for name in ("bold", "contrasts"):
        make_folder(folder / name)
    subjects = [f"sub-{number:02}" for number in range(1, N_SUBJECTS + 1)]
    contrasts = group.values + rng.standard_normal((N_SUBJECTS, len(atlas)))
    for subject, contrast in zip(subjects, contrasts.astype(np.float32), strict=True):
        motion = rng.standard_normal((N_VOLUMES, len(_MOTION))).cumsum(axis=0) / 10
        shared = motion @ rng.standard_normal((len(_MOTION), len(atlas)))
        series = 1000 + 10 * rng.standard_normal((N_VOLUMES, len(atlas))) + shared
        bold = api.paint(series.astype(np.float32), atlas, t_r=T_R)
        stem = folder / "bold" / f"{subject}_task-rest"
        api.save(bold, f"{stem}_bold.nii.gz", sidecar=False)
        confounds = pd.DataFrame(motion, columns=_MOTION)
        confounds["framewise_displacement"] = confounds.diff().abs().sum(axis=1, min_count=1)
        name = f"{stem}_desc-confounds_timeseries.tsv"
        confounds.to_csv(name, sep="\t", index=False, na_rep="n/a", float_format="%.6f")
        image = api.paint(contrast, atlas)
        api.save(image, folder / "contrasts" / f"{subject}_contrast.nii.gz", sidecar=False)
    table = Signals(contrasts, group.keys, map_names=subjects).to_pandas().round(4)
    table.to_csv(folder / "group.tsv", sep="\t", index_label="participant_id")
    statistics = pd.DataFrame({"name": group.keys, "t": group.values[0]})
    statistics["p"] = 10 ** -statistics["t"].abs()
    statistics.to_csv(folder / "statistics.tsv", sep="\t", index=False, float_format="%.6g")


def _subcortex(folder: Path) -> None:
    """Write a second atlas, on the grid of the first."""
    grid = VolumeGrid.of(open_image(demo_data().atlas, "the atlas"))
    voxels = np.moveaxis(np.indices(grid.shape), 0, -1)
    places = voxels @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    labels = np.zeros(grid.shape, np.uint8)
    rows: list[tuple[int, str, str]] = []
    for name, (x, y, z) in _SUBCORTEX.items():
        for side, sign in (("L", -1), ("R", 1)):
            rows.append((len(rows) + 1, f"{side}_{name}", side))
            distances = np.linalg.norm(places - (sign * x, y, z), axis=-1)
            labels[distances < _RADIUS] = len(rows)
    nib.save(nib.Nifti1Image(labels, grid.affine), folder / "subcortex_dseg.nii.gz")
    table = pd.DataFrame(rows, columns=["index", "name", "hemisphere"])
    table.to_csv(folder / "subcortex_dseg.tsv", sep="\t", index=False)


def _surfaces(folder: Path) -> None:
    """Write labels and meshes of two surfaces, and grayordinates with labels and with a series."""
    for side, name in (("L", "lh"), ("R", "rh")):
        _labels_of_surface(side).to_filename(folder / f"{name}.atlas.label.gii")
        _mesh_of_surface(side).to_filename(folder / f"{name}.demo.surf.gii")
    axis = _grayordinates()
    keys = np.zeros(len(axis), np.float32)
    for number, (_, where, _) in enumerate(axis.iter_structures()):
        keys[where] = 1 + 2 * number + (np.arange(len(axis))[where] % 2)
    names = ["???", "L_V1", "L_V2", "R_V1", "R_V2", "thalamus", "pulvinar"]
    table = {key: (name, _color(key)) for key, name in enumerate(names)}
    labels = LabelAxis(["labels"], [table])
    nib.save(nib.Cifti2Image(keys[np.newaxis], (labels, axis)), folder / "atlas.dlabel.nii")
    bold = np.random.default_rng(7).standard_normal((5, len(axis))).astype(np.float32)
    steps = SeriesAxis(0, 0.72, len(bold))
    nib.save(nib.Cifti2Image(bold, (steps, axis)), folder / "bold.dtseries.nii")


def _labels_of_surface(side: str) -> GiftiImage:
    labels = np.zeros(_VERTICES[side], np.int32)
    labels[20:200], labels[200:451:2], labels[460:463] = 3, 7, max(_NAMES[side])
    table = GiftiLabelTable()
    for key, name in _NAMES[side].items():
        entry = GiftiLabel(key, *_color(key))
        entry.label = name  # type: ignore[attr-defined]  # which nibabel sets so too
        table.labels.append(entry)
    return GiftiImage(
        meta=GiftiMetaData({"AnatomicalStructurePrimary": _STRUCTURES[side]}),
        labeltable=table,
        darrays=[GiftiDataArray(labels, intent="NIFTI_INTENT_LABEL")],
    )


def _color(label: int) -> tuple[float, ...]:
    """Return red, green, blue and opacity, each from 0 to 1."""
    channels = bytes.fromhex(new_color(label)[1:])
    return (*(channel / 255 for channel in channels), 1.0)


def _mesh_of_surface(side: str) -> GiftiImage:
    """Return an egg on its side of the middle, whose vertices run round it from pole to pole."""
    n_vertices = _VERTICES[side]
    height = np.linspace(1, -1, n_vertices)
    turn = np.arange(n_vertices) * np.pi * (3 - np.sqrt(5))  # the golden angle: even all over
    radius = np.sqrt(1 - height**2)
    sphere = np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], 1)
    faces = ConvexHull(sphere).simplices
    corners = sphere[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    is_inward = (across * corners[:, 0]).sum(1) < 0
    faces[is_inward] = faces[is_inward][:, ::-1]
    place = sphere * [32, 85, 55] + [{"L": -35, "R": 35}[side], -17, 13]
    points = GiftiDataArray(place.astype(np.float32), intent="NIFTI_INTENT_POINTSET")
    triangles = GiftiDataArray(faces.astype(np.int32), intent="NIFTI_INTENT_TRIANGLE")
    return GiftiImage(
        meta=GiftiMetaData({"AnatomicalStructurePrimary": _STRUCTURES[side]}),
        darrays=[points, triangles],
    )


def _grayordinates() -> BrainModelAxis:
    """Return vertices of both hemispheres, without a medial wall, and voxels of a small volume."""
    left, right = np.arange(_VERTICES["L"])[10:], np.arange(_VERTICES["R"])[10::2]
    inside, affine = np.arange(120).reshape(6, 5, 4) < 63, np.diag([2.0, 2.0, 2.5, 1.0])
    axis: BrainModelAxis = BrainModelAxis.from_surface(left, _VERTICES["L"], "CORTEX_LEFT")
    axis += BrainModelAxis.from_surface(right, _VERTICES["R"], "CORTEX_RIGHT")
    axis += BrainModelAxis.from_mask(inside, affine=affine, name="THALAMUS_LEFT")
    return axis
