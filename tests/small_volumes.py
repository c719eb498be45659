"""Small volumes that several test modules paint onto and extract from."""

from __future__ import annotations

import inspect

import nibabel as nib
import numpy as np

from regioncast import testing

# Rotated about two axes, other voxel sizes on each, off the origin.
OBLIQUE = np.array(
    [[-1.9, 0.3, 0.4, 91.25], [0.2, 2.4, -0.6, -126.5], [0.5, 0.5, 2.9, -72.125], [0, 0, 0, 1]]
)


def small_labels():
    """Labels 0, 3, 7, 7001 and -2 in a small volume that is no cube."""
    volume = np.zeros((6, 5, 4), np.int16)
    volume[0], volume[1:3, 2:], volume[3, :, 1:], volume[5, 4] = 3, 7, 7001, -2
    return volume


def image_of(array, affine=OBLIQUE, cls=nib.Nifti1Image):
    """An image in memory, whatever its header can hold."""
    return cls(array, affine, cls.header_class())


def values_of(shape, dtype, seed):
    """Numbers as a scanner gives them, in any dtype."""
    numbers = 1000 * np.random.default_rng(seed).standard_normal(shape)
    return (np.abs(numbers) % 250 if np.dtype(dtype).kind == "u" else numbers).astype(dtype)


def array_of(image):
    return np.asarray(image.dataobj)


def columns_of(labels, background=0, mask=None):
    return len(testing.regions_of(labels, background, mask))


def assert_bits(got, expected):
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    assert got.tobytes() == expected.tobytes()


def assert_same_signature(ours, theirs):
    """Parameters agree in names, order, defaults and kinds."""
    mine, wanted = (inspect.signature(function).parameters for function in (ours, theirs))
    assert list(mine) == list(wanted)
    for name, parameter in wanted.items():
        assert (mine[name].default, mine[name].kind) == (parameter.default, parameter.kind)
