"""The atlases that tables meet: small, none a cube, and no two of the same labels and dtype."""

from __future__ import annotations

import functools
import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from small_spaces import labels_gifti, vertex_labels

import regioncast as rc
from regioncast.errors import RegioncastWarning

AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])


@dataclass(frozen=True)
class Atlas:
    """A parcellation, and for each sample what region it is of: a label, a side and label, 0."""

    parcellation: rc.Parcellation
    samples: np.ndarray

    def painted(self, values: Mapping[Any, Any], dtype: Any) -> np.ndarray:
        """Paint a map by hand, one region after the other."""
        image = np.zeros(self.samples.shape, dtype)
        known = set(self.samples.ravel().tolist())
        for region, value in values.items():
            assert region in known, region
            image[self.samples == region] = value
        return image


def labels_image(labels: Sequence[int], dtype: str = "int32") -> nib.Nifti1Image:
    """A volume of two voxels or more of each label, and of 0, in no order."""
    shape = (4, 3, max(2, -(-2 * (len(labels) + 1) // 12)))
    voxels = np.resize(np.array([0, *labels], dtype), np.prod(shape))
    data = np.random.default_rng(len(labels)).permutation(voxels).reshape(shape)
    return nib.Nifti1Image(data, AFFINE, dtype=data.dtype)


def volume(labels: Sequence[int], dtype: str = "int32", /, **columns: Sequence[Any]) -> Atlas:
    """An atlas in a volume, with a region table if it has columns."""
    image = labels_image(labels, dtype)
    regions = {"index": list(labels), **columns} if columns else "none"
    return _loaded(image, regions)


def _loaded(image: nib.Nifti1Image, regions: Any) -> Atlas:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegioncastWarning)
        parcellation = rc.load_parcellation(image, regions)
    samples = np.asarray(image.dataobj)
    return Atlas(parcellation, samples.astype(np.int64))


def _more_rows(labels: Sequence[int], regions: Mapping[int, str]) -> Atlas:
    """An atlas whose region table does not list what the image holds."""
    return _loaded(labels_image(labels), dict(regions))


def _pair() -> Atlas:
    sides = {side: vertex_labels(side) for side in "LR"}
    samples = [f"{side}:{n}" if n else "" for side, labels in sides.items() for n in labels]
    parcellation = rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))
    return Atlas(parcellation, np.array(samples, dtype=object))


def _accents(form: str) -> list[str]:
    return [unicodedata.normalize(form, name) for name in ("Área", "Pôle")]


MAKERS: dict[str, Callable[[], Atlas]] = {
    # Labels as most atlases have them, and names.
    "four": lambda: volume([1, 2, 3, 4], name=["Vis", "Mot", "Aud", "Som"]),
    "one to four": lambda: volume([1, 2, 3, 4], "uint8"),
    "one to three": lambda: volume([1, 2, 3], "int16"),
    "one and two": lambda: volume([1, 2], "uint8"),
    "48": lambda: volume(range(1, 49), "uint8", name=[f"N{n}" for n in range(1, 49)]),
    # Labels with gaps.
    "sparse": lambda: volume(
        [300, 7, 20, 9000], "int16", name=["V1", "V2", "V3", "MT"], code=list("abcd")
    ),
    "odd names": lambda: volume(
        [3, 20, 1007, 5], "int16",
        name=["V1", "Área 2", "MT", "left, dorsal"], abbreviation=["v", "á", "m", "d"],
    ),
    "17 to 99": lambda: volume([17, 53, 60, 99], "float32"),
    "10 to 17": lambda: volume([10, 11, 12, 17], "int64"),
    "2 to 10": lambda: volume([2, 3, 4, 10], "uint16"),
    "101 to 206": lambda: volume([101, 102, 205, 206], "int16"),
    "one": lambda: volume([12], "uint8", name=["V1"]),
    "negative": lambda: volume([3, 20, 1007, -8], "int32", name=["V1", "V2", "MT", "V4"]),
    "beyond": lambda: volume([2**53 + n for n in range(5)], "int64"),
    # Names that are numbers, or look like them.
    "numbered": lambda: volume([1, 2, 3, 4], "int64", name=["101", "102", "103", "104"]),
    "swapped": lambda: volume([1, 2, 3], "int16", name=["3", "1", "2"]),
    "own labels": lambda: volume([1, 2, 3], "int32", name=["1", "2", "3"]),
    "off by one": lambda: volume([10, 1, 2, 3], "int32", name=["1", "2", "3", "4"]),
    "zeros": lambda: volume([2, 3, 1], "int16", name=["001", "002", "003"]),
    "points": lambda: volume([2, 3, 1], "int32", name=["1.1", "1.2", "2.1"]),
    "signs": lambda: volume([2, 3, 1], "int64", name=["+1", "+2", "+3"]),
    "exponents": lambda: volume([2, 3, 1], "uint8", name=["1e1", "1e2", "2e1"]),
    "nothings": lambda: volume([2, 3, 7], "int16", name=["NaN", "n/a?", "inf"]),
    "NA": lambda: volume([2, 5], "int16", name=["NA", "VP"]),
    # Names that tell regions apart only with something else, or are those of others.
    "twins": lambda: volume(
        [11, 12, 21, 22], "int16", name=["insula", "cuneus", "insula", "cuneus"],
        code=["a", "b", "c", "d"], full=["L insula", "L cuneus", "R insula", "R cuneus"],
    ),
    "crossed": lambda: volume([1, 2, 3], name=["A", "B", "C"], abbreviation=["B", "A", "X"]),
    "groups": lambda: volume([7, 20], name=["V1", "V2"], side=["L", "L"]),
    "mapping": lambda: volume([1, 2, 3, 4], mapping=[40, 30, 20, 10]),
    "composed": lambda: volume([1, 2], "int32", name=_accents("NFC")),
    "decomposed": lambda: volume([1, 2], "int64", name=_accents("NFD")),
    "two accents": lambda: volume([7, 9, 11], name=["Area \xe9", "e\u0301", "\xe9"]),
    "second names": lambda: volume(
        [3, 7, 20, 41], "uint8", name=["p1", "p2", "p3", "p4"],
        label_7network=["Vis_L", "Vis_R", "n/a", "Mot_L"],
    ),
    # Tables that list more than the image holds, or less.
    "a row too many": lambda: _more_rows([7, 20], {7: "V1", 20: "V2", 30: "absent"}),
    "with background": lambda: _more_rows([3, 7], {0: "Background", 3: "V1", 7: "V2"}),
    "a row too few": lambda: _more_rows([1, 2, 7], {1: "V1", 2: "V2"}),
    "look-up": lambda: _more_rows(
        [3, 10, 11],
        {3: "Left-Cortex", 9: "Left-Thalamus", 10: "Left-Thalamus-Proper", 11: "Left-Caudate",
         49: "Right-Thalamus-Proper", 50: "Right-Caudate"},
    ),
    # As FreeSurfer calls them, and regions in groups.
    "cortex": lambda: volume([1, 3, 8], "int16", name=["bankssts", "cuneus", "insula"]),
    "aseg": lambda: volume(
        [4, 10, 16, 24], "uint8",
        name=["Left-Lateral-Ventricle", "Left-Thalamus", "Brain-Stem", "CSF"],
    ),
    "networks": lambda: volume(
        [2, 3, 7, 9], "uint8", name=list("abcd"), network=["Vis", "Vis", "Mot", "Mot"]
    ),
    # Hemispheres.
    "pair": _pair,
    "sides": lambda: volume(
        [1, 2, 3, 5, 8], "int16",
        name=["bankssts", "bankssts", "brainstem", "cuneus", "cuneus"],
        hemisphere=["L", "R", "B", "L", "R"],
    ),
    "prefixed": lambda: volume(
        [1001, 1005, 2001, 2005], "int32",
        name=["ctx-lh-bankssts", "ctx-lh-cuneus", "ctx-rh-bankssts", "ctx-rh-cuneus"],
    ),
}  # fmt: skip


@functools.cache
def atlas(name: str) -> Atlas:
    """Return the atlas of this name."""
    return MAKERS[name]()
