"""The functions of `nilearn.regions` for labels, same names, same parameters.

Replacing ``nilearn`` by ``regioncast`` in an import line is enough.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import encoding
from .errors import (
    ArgumentError,
    DimensionError,
    LabelsError,
    MaskWarning,
    SignalsError,
    examples,
    plural,
    warn,
)
from .io.nifti import plain_image, read_mask, read_volume
from .matching import count_problem
from .painting import paint
from .parcellation import warn_of_nonfinite
from .signals import as_array, storable, wrong_dimensions

if TYPE_CHECKING:
    import nibabel as nib
    from numpy.typing import ArrayLike, NDArray

    from .io.nifti import Niimg
    from .painting import Order
    from .spaces import VolumeGrid


def signals_to_img_labels(
    signals: ArrayLike,
    labels_img: Niimg,
    mask_img: Niimg | None = None,
    background_label: float = 0,
    order: Order = "F",
) -> nib.Nifti1Image:
    """Create an image from region signals, where a labels image defines the regions.

    Every voxel of a region gets the signal of that region.

    Parameters
    ----------
    signals : array, shape (n_regions,) or (n_scans, n_regions)
        One column per region, the regions being the distinct labels of `labels_img` in
        ascending order, without `background_label`.  With a mask there may instead be one
        column per region that has voxels inside the mask, as
        `nilearn.regions.img_to_signals_labels` returns; the count decides.
        Any bool, integer, float or complex dtype of up to 64 bits a number.
    labels_img : path or nibabel image, 3D
        The labels image.  Labels may have any integer or float dtype, be negative and have
        gaps; labels within 0.001 of an integer are that integer.  NaN and infinite labels
        are no region, with a warning.
    mask_img : path or nibabel image, 3D, default=None
        Voxels where it is zero, NaN or infinite are no region.  Same shape and affine as
        `labels_img`, up to 1 % of a voxel.
    background_label : number, default=0
        The label of no region.  NaN: every finite label is a region.
    order : {"C", "F"}, default="F"
        Memory order of the array.

    Returns
    -------
    nibabel.Nifti1Image
        3D for 1D signals, 4D for 2D signals.  The array has the dtype of `signals` (uint8
        for bool, float32 for float16), and so has the header: saved and loaded again, the
        values are the same.  0 where there is no region.  Affine, qform, sform and units are
        those of `labels_img`.  A `nibabel.Nifti2Image` above 32,767 in a dimension.

    Raises
    ------
    ValueError
        When the count of signals and of regions differ, shapes or affines differ, there is
        no region, or a file is damaged.
    TypeError
        When signals are not numbers, or an image has the wrong number of dimensions.
    FileNotFoundError
        When there is no such file.

    See Also
    --------
    regioncast.paint : Match values to regions by name or label, not by position.

    Notes
    -----
    Signature and behaviour follow `nilearn.regions.signals_to_img_labels` of nilearn 0.14.

    Examples
    --------
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from regioncast.regions import signals_to_img_labels

    Two time points of three regions:

    >>> signals = np.random.default_rng(42).standard_normal((2, 3))
    >>> signals
    array([[ 0.30471708, -1.03998411,  0.7504512 ],
           [ 0.94056472, -1.95103519, -1.30217951]])

    >>> labels_data = np.array([[[1, 2], [1, 2]], [[3, 3], [3, 3]]], dtype=np.int32)
    >>> labels_img = Nifti1Image(labels_data, np.eye(4))
    >>> img = signals_to_img_labels(signals, labels_img)
    >>> img.get_fdata()
    array([[[[ 0.30471708,  0.94056472],
             [-1.03998411, -1.95103519]],
    <BLANKLINE>
            [[ 0.30471708,  0.94056472],
             [-1.03998411, -1.95103519]]],
    <BLANKLINE>
    <BLANKLINE>
           [[[ 0.7504512 , -1.30217951],
             [ 0.7504512 , -1.30217951]],
    <BLANKLINE>
            [[ 0.7504512 , -1.30217951],
             [ 0.7504512 , -1.30217951]]]])
    """
    if order not in ("C", "F"):
        raise ArgumentError(f"order must be 'C' or 'F', not {order!r}.")
    encoded, grid = _encoded_labels(labels_img, mask_img, background_label)
    values = _checked(signals)
    table = _table(encoded, values, masked=mask_img is not None)
    codes = encoded.codes
    del encoded  # a million regions take memory too, which painting needs
    return plain_image(paint(codes, table, single=values.ndim == 1, order=order), grid)


def _translated(read: Callable[..., Any], source: Niimg, what: str) -> Any:
    """Read an image; errors of dimension are also nilearn's where nilearn is in use."""
    try:
        return read(source, what)
    except DimensionError as error:
        if "nilearn.exceptions" not in sys.modules:
            raise
        raise _nilearn_dimension_error()(str(error)) from None


@functools.cache
def _nilearn_dimension_error() -> type[DimensionError]:
    """Return our error of dimension as a kind of nilearn's, for callers who catch that."""
    nilearns = sys.modules["nilearn.exceptions"].DimensionError

    def init(self: Exception, message: str) -> None:
        Exception.__init__(self, message)

    return type(
        "DimensionError",
        (DimensionError, nilearns),
        {"__init__": init, "__str__": Exception.__str__, "__module__": DimensionError.__module__},
    )


def _encoded_labels(
    labels_img: Niimg, mask_img: Niimg | None, background_label: float
) -> tuple[encoding.Encoded, VolumeGrid]:
    """Return the codes of the labels inside the mask, with all labels, and their grid."""
    labels, grid = _translated(read_volume, labels_img, "the labels image")
    encoded = encoding.encode(labels, background_label)
    del labels  # which may be all that holds them, and the mask needs memory too
    warn_of_nonfinite(encoded, "the labels image")
    if mask_img is not None:
        inside, mask_grid = _translated(read_mask, mask_img, "the mask image")
        grid.check_same(mask_grid, this_name="the labels image", other_name="the mask image")
        encoding.clear_outside(encoded.codes, inside)
    if not len(encoded.labels):
        raise LabelsError(
            "The labels image has no region: every voxel is background "
            f"(label {background_label:g}). Pass another labels image or background_label."
        )
    return encoded, grid


def _checked(signals: ArrayLike) -> NDArray[Any]:
    values = storable(as_array(signals))
    if values.ndim not in (1, 2):
        raise wrong_dimensions(values.shape)
    if not values.size:
        raise SignalsError(f"There are no signals: their shape is {values.shape}.")
    return values


def _table(encoded: encoding.Encoded, values: NDArray[Any], *, masked: bool) -> NDArray[Any]:
    """Return for each map the value of each code."""
    n_regions = len(encoded.labels)
    inside = _inside(encoded) if masked else np.ones(n_regions, bool)
    n_columns, n_inside = values.shape[-1], int(np.count_nonzero(inside))
    if n_columns not in (n_regions, n_inside):
        raise _wrong_count(values.shape, n_regions, n_inside)
    if n_columns == n_regions > n_inside:
        _warn_of_emptied(encoded.labels[~inside])
    by_region = np.zeros((np.atleast_2d(values).shape[0], 1 + n_regions), values.dtype)
    by_region[:, 1:][:, inside if n_columns < n_regions else slice(None)] = values
    # Codes are painted with the values of their regions as voxels are with those of their codes.
    return paint(encoded.region_of, by_region, single=False).T


def _inside(encoded: encoding.Encoded) -> NDArray[np.bool_]:
    """Return which regions have voxels left."""
    n_regions = len(encoded.labels)
    has_voxels = encoding.count(encoded.codes, len(encoded.region_of)) > 0
    inside = np.zeros(1 + n_regions, bool)
    inside[encoded.region_of[has_voxels]] = True
    if not inside[1:].any():
        raise LabelsError(
            f"No label left after applying the mask: none of {plural(n_regions, 'region')} "
            "has a voxel inside it. Check that mask and labels overlap."
        )
    return inside[1:]


def _warn_of_emptied(labels: NDArray[Any]) -> None:
    warn(
        f"The mask leaves no voxel of {plural(len(labels), 'region')}, whose signals go "
        f"nowhere: {examples(labels.tolist())}.",
        MaskWarning,
    )


def _wrong_count(shape: tuple[int, ...], n_regions: int, n_inside: int) -> SignalsError:
    expected = f"the {plural(n_regions, 'region')} of the labels image"
    if n_inside < n_regions:
        expected += f", of which {n_inside:,} are inside the mask"
    problem = count_problem(shape, n_regions, expected)
    return SignalsError(
        f"Signals and regions do not match: {problem}. Give one column per region, in ascending "
        "order of label, without the background."
    )
