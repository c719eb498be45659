"""The functions of `nilearn.regions` for labels, same names, same parameters.

Replacing ``nilearn`` by ``regioncast`` in an import line is enough; `regioncast.patch_nilearn`
does it for code that cannot be changed.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

import numpy as np

from ..atlas.parcellation import no_region, warn_of_nonfinite
from ..atlas.spaces import check_same
from ..engine import encoding, extraction
from ..engine.dtypes import first_that_holds, storable
from ..engine.extraction import Grouping, Strategy
from ..engine.painting import paint, paint_signals
from ..errors import (
    ArgumentError,
    DimensionError,
    LabelsError,
    MaskWarning,
    NonfiniteWarning,
    SignalsError,
    examples,
    plural,
    warn,
)
from ..identity import count_problem
from ..io.volume.map_streams import open_maps
from ..io.volume.nifti import plain_image, read_mask, read_volume
from ..signals import as_array, wrong_dimensions

if TYPE_CHECKING:
    import nibabel as nib
    from numpy.typing import ArrayLike, NDArray

    from ..atlas.spaces import VolumeGrid
    from ..engine.painting import Order
    from ..io.volume.map_streams import MapStream, Niimgs
    from ..io.volume.nifti import Niimg

# nilearn's; `regioncast.extract` has more.
NilearnStrategy = Literal[
    "mean", "median", "sum", "minimum", "maximum", "standard_deviation", "variance"
]


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
        no region, labels are too large for their dtype to tell them apart (float32 above 2**24,
        float64 above 2**53), or a file is damaged.
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
    >>> from regioncast.nilearn.regions import signals_to_img_labels

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
    _check_order(order)
    encoded, grid = _encoded_labels(labels_img, mask_img, background_label)
    values = _checked(signals)
    codes = _codes_of_columns(encoded, values, masked=mask_img is not None)
    del encoded  # the labels of a million regions take memory too, which painting needs
    return plain_image(paint_signals(codes, values, order=order), grid)


@overload
def img_to_signals_labels(
    imgs: Niimgs,
    labels_img: Niimg,
    mask_img: Niimg | None = ...,
    background_label: float = ...,
    order: Order = ...,
    strategy: NilearnStrategy = ...,
    keep_masked_labels: bool = ...,  # noqa: FBT001  nilearn's signature
    return_masked_atlas: Literal[True] = ...,
    n_jobs: int = ...,
) -> tuple[NDArray[Any], list[float], nib.Nifti1Image]: ...


@overload
def img_to_signals_labels(
    imgs: Niimgs,
    labels_img: Niimg,
    mask_img: Niimg | None = ...,
    background_label: float = ...,
    order: Order = ...,
    strategy: NilearnStrategy = ...,
    keep_masked_labels: bool = ...,  # noqa: FBT001  nilearn's signature
    *,
    return_masked_atlas: Literal[False],
    n_jobs: int = ...,
) -> tuple[NDArray[Any], list[float]]: ...


def img_to_signals_labels(  # noqa: PLR0917  nilearn's signature
    imgs: Niimgs,
    labels_img: Niimg,
    mask_img: Niimg | None = None,
    background_label: float = 0,
    order: Order = "F",
    strategy: NilearnStrategy = "mean",
    keep_masked_labels: bool = False,  # noqa: FBT001, FBT002  nilearn's signature
    return_masked_atlas: bool = True,  # noqa: FBT001, FBT002  nilearn's signature
    n_jobs: int = 1,
) -> tuple[NDArray[Any], list[float]] | tuple[NDArray[Any], list[float], nib.Nifti1Image]:
    """Extract region signals from images, where a labels image defines the regions.

    The signal of a region is one number per map: by default the mean of its voxels.

    Parameters
    ----------
    imgs : path, nibabel image, or sequence of them
        4D, or 3D for one map.  A list of images, or a path with ``*`` in it, is one series in
        the order of the list, or in natural order.  Whatever its size, a file is read a few
        maps at a time.  Voxels that are NaN or infinite are taken as 0, with a warning.
    labels_img : path or nibabel image, 3D
        The labels image.  Labels may have any integer or float dtype, be negative and have
        gaps; labels within 0.001 of an integer are that integer.  NaN and infinite labels
        are no region, with a warning.  Same shape and affine as `imgs`, up to 1 % of a voxel.
    mask_img : path or nibabel image, 3D, default=None
        Voxels where it is zero, NaN or infinite are no region.  On the same grid.
    background_label : number, default=0
        The label of no region.  NaN: every finite label is a region.
    order : {"C", "F"}, default="F"
        Memory order of the signals.
    strategy : str, default="mean"
        ``"mean"``, ``"median"``, ``"sum"``, ``"minimum"``, ``"maximum"``; ``"variance"`` and
        ``"standard_deviation"``, which divide by the number of voxels.
    keep_masked_labels : bool, default=False
        Whether regions without a voxel inside the mask have a column, of zeros.  True gives a
        `FutureWarning`, for nilearn 0.15 will not have this parameter.
    return_masked_atlas : bool, default=True
        Whether the masked labels image is returned.  False gives a `FutureWarning`, for
        nilearn 0.15 will not have this parameter.
    n_jobs : int, default=1
        Number of threads; all processors when it is below 0.

    Returns
    -------
    signals : array, shape (n_scans, n_regions)
        float32 for images of float32, else float64; complex128 for complex images.
    labels : list of int, or of float when some label is fractional
        The labels of the columns, ascending.
    masked_atlas : nibabel.Nifti1Image
        `background_label` outside the mask and elsewhere the labels, as int32 where that
        holds them, else as int64, or as float64 when some label is fractional.  Only with
        `return_masked_atlas`.

    Raises
    ------
    ValueError
        When shapes or affines differ, there is no region, labels are too large for their dtype
        to tell them apart (float32 above 2**24, float64 above 2**53), there is no such strategy,
        or a file is damaged or ends early.
    TypeError
        When an image has the wrong number of dimensions or is none, or complex numbers are
        to be ranked.
    FileNotFoundError
        When there is no such file.

    See Also
    --------
    signals_to_img_labels : The way back.
    regioncast.extract : More strategies; regions keep their names, and those without data a
        column.

    Notes
    -----
    Signature and behaviour follow `nilearn.regions.img_to_signals_labels` of nilearn 0.14.

    Examples
    --------
    >>> import numpy as np
    >>> from nibabel import Nifti1Image
    >>> from regioncast.nilearn.regions import img_to_signals_labels

    Two regions in two time points:

    >>> labels_img = Nifti1Image(np.array([[[7, 7, 0, 30]]], dtype=np.int32), np.eye(4))
    >>> data = np.array([[[[1.0, 10.0], [2.0, 40.0], [5.0, 5.0], [-3.0, 0.5]]]])
    >>> img = Nifti1Image(data, np.eye(4))
    >>> signals, labels, masked_atlas = img_to_signals_labels(img, labels_img)
    >>> signals
    array([[ 1.5, -3. ],
           [25. ,  0.5]])
    >>> labels
    [7, 30]

    The largest value of each region instead, inside a mask:

    >>> mask_img = Nifti1Image(np.array([[[1, 0, 1, 1]]], dtype=np.uint8), np.eye(4))
    >>> signals, _, masked_atlas = img_to_signals_labels(
    ...     img, labels_img, mask_img, strategy="maximum"
    ... )
    >>> signals
    array([[ 1. , -3. ],
           [10. ,  0.5]])
    >>> np.asarray(masked_atlas.dataobj)
    array([[[ 7,  0,  0, 30]]], dtype=int32)
    """
    _check_order(order)
    if strategy not in get_args(NilearnStrategy):
        raise ArgumentError(
            f"'strategy' must be one of {', '.join(get_args(NilearnStrategy))}; it is "
            f"{strategy!r}. regioncast.extract has more."
        )
    # Code for later versions of nilearn cannot give these two.
    if keep_masked_labels:
        warn('In version 0.15.0, "keep_masked_labels" parameter will be removed.', FutureWarning)
    if not return_masked_atlas:
        warn(
            'In version 0.15, "return_masked_atlas" parameter will be removed; '
            "the masked atlas is then always returned.",
            FutureWarning,
        )
    maps = _translated(open_maps, imgs, "the image")
    encoded, grid = _encoded_labels(labels_img, mask_img, background_label, image_grid=maps.space)
    labels, codes = encoded.labels, encoded.codes
    kept = np.ones(len(labels), bool) if keep_masked_labels else _inside(encoded)
    if not kept.all():
        # Up to the list of labels in nilearn's words, which people filter by.
        warn(
            "After applying mask to the labels image, the following labels were removed: "
            f"{{{examples(labels[~kept].tolist())}}}. Out of {len(labels) + 1:,} labels, the "
            f"masked labels image only contains {np.count_nonzero(kept) + 1:,} labels (including "
            "background).",
            MaskWarning,
        )
    values = _reduced(maps, codes, labels, Strategy.of(strategy), n_jobs)[:, kept]
    with np.errstate(over="ignore"):  # a sum may be infinite as float32
        signals = np.asarray(values, dtype=maps.signals_dtype, order=order)
    if not return_masked_atlas:
        return signals, labels[kept].tolist()
    return signals, labels[kept].tolist(), _atlas(codes, labels, grid, background_label)


def _check_order(order: Order) -> None:
    if order not in ("C", "F"):
        raise ArgumentError(f"order must be 'C' or 'F', not {order!r}.")


def _reduced(
    maps: MapStream, codes: NDArray[Any], labels: NDArray[Any], strategy: Strategy, n_jobs: int
) -> NDArray[Any]:
    """Return the signals of all regions; 0 where a region has no voxel."""
    strategy.check(weighted=False, is_complex=maps.is_complex, n_maps=maps.n_maps)
    counts = encoding.count(codes, 1 + len(labels))[1:]
    with closing(maps.blocks()) as blocks:
        (values,), finite = extraction.extract(
            blocks,
            Grouping.of(codes, counts),
            [strategy],
            n_maps=maps.n_maps,
            nan="zero",
            n_jobs=n_jobs,
        )
    if (finite < counts).any():
        affected = labels[finite < counts]
        warn(
            "Non-finite values detected: voxels that are NaN or infinite are taken as 0 in "
            f"{plural(len(affected), 'region')}, labels {examples(affected.tolist())}. "
            "regioncast.extract leaves them out.",
            NonfiniteWarning,
        )
    # Where such regions are kept, nilearn has 0 for them, not NaN.
    values[:, counts == 0] = 0
    return values


def _atlas(
    codes: NDArray[Any], labels: NDArray[Any], grid: VolumeGrid, background: float
) -> nib.Nifti1Image:
    """Return the image of the labels that are left, in the first dtype that holds them."""
    if codes.all():
        background = labels[0]  # no voxel has it: a value that changes no dtype
    dtype: np.dtype[Any] | None = None
    if labels.dtype.kind != "f" and float(background).is_integer():
        # As the labels ascend, the first and the last one tell of all.
        extremes = int(labels[0]), int(labels[-1]), int(background)
        dtype = first_that_holds(extremes, ["int32", "int64"])
    table = np.empty((1, 1 + len(labels)), np.float64 if dtype is None else dtype)
    table[0, 0], table[0, 1:] = background, labels
    return plain_image(paint(codes, table, single=True, order="F"), grid)


def _translated(read: Callable[..., Any], source: Niimgs, what: str) -> Any:
    """Read an image; errors of dimension are also nilearn's where nilearn is in use."""
    try:
        return read(source, what)
    except DimensionError as error:
        if "nilearn.exceptions" not in sys.modules:
            raise
        raise _dimension_error(str(error)) from None


def _dimension_error(message: str) -> DimensionError:
    """Return an error of dimension, also nilearn's where nilearn is in use.

    By this name it is found again in a process that gets one from another.
    """
    is_loaded = "nilearn.exceptions" in sys.modules
    return (_nilearn_dimension_error() if is_loaded else DimensionError)(message)


@functools.cache
def _nilearn_dimension_error() -> type[DimensionError]:
    """Return our error of dimension as a kind of nilearn's, for callers who catch that."""
    nilearns = sys.modules["nilearn.exceptions"].DimensionError

    def init(self: Exception, message: str) -> None:
        Exception.__init__(self, message)

    def reduce(self: Exception) -> tuple[Any, ...]:
        return _dimension_error, (str(self),)

    return type(
        "DimensionError",
        (DimensionError, nilearns),
        {
            "__init__": init,
            "__str__": Exception.__str__,
            "__reduce__": reduce,
            "__module__": DimensionError.__module__,
        },
    )


def _encoded_labels(
    labels_img: Niimg,
    mask_img: Niimg | None,
    background_label: float,
    *,
    image_grid: VolumeGrid | None = None,
) -> tuple[encoding.Encoded, VolumeGrid]:
    """Return the codes of the labels inside the mask, with all labels, and their grid."""
    labels, grid = _translated(read_volume, labels_img, "the labels image")
    if image_grid is not None:
        check_same(image_grid, grid, this_name="the image", other_name="the labels image")
    encoded = encoding.encode(labels, background_label)
    del labels  # which may be all that holds them, and the mask needs memory too
    warn_of_nonfinite(encoded, "the labels image")
    if mask_img is not None:
        inside, mask_grid = _translated(read_mask, mask_img, "the mask image")
        check_same(grid, mask_grid, this_name="the labels image", other_name="the mask image")
        encoding.clear_outside(encoded.codes, inside)
    if not len(encoded.labels):
        raise no_region(encoded, background_label)
    return encoded, grid


def _checked(signals: ArrayLike) -> NDArray[Any]:
    values = storable(as_array(signals))
    if values.ndim not in (1, 2):
        raise wrong_dimensions(values.shape)
    if not values.size:
        raise SignalsError(f"There are no signals: their shape is {values.shape}.")
    return values


def _codes_of_columns(
    encoded: encoding.Encoded, values: NDArray[Any], *, masked: bool
) -> NDArray[Any]:
    """Return for each voxel the column of its signals, counted from 1, and 0 for none."""
    n_columns, n_regions = values.shape[-1], len(encoded.labels)
    # Without a mask all labels have voxels, from which they come.
    inside = _inside(encoded) if masked else np.ones(n_regions, bool)
    n_inside = int(np.count_nonzero(inside))
    if n_columns not in (n_regions, n_inside):
        expected = f"the {plural(n_regions, 'region')} of the labels image"
        if n_inside < n_regions:
            expected += f", of which {n_inside:,} are inside the mask"
        problem = count_problem(values.shape, n_regions, expected)
        raise SignalsError(
            f"Signals and regions do not match: {problem}. Give one column per region, in "
            "ascending order of label, without the background."
        )
    if n_columns < n_regions:
        column = np.zeros(1 + n_regions, encoded.codes.dtype)
        column[1:][inside] = np.arange(1, 1 + n_inside)
        return encoding.recoded(encoded.codes, column)
    if n_inside < n_regions:
        emptied = encoded.labels[~inside]
        warn(
            f"The mask leaves no voxel of {plural(len(emptied), 'region')}, whose signals go "
            f"nowhere: {examples(emptied.tolist())}.",
            MaskWarning,
        )
    return encoded.codes


def _inside(encoded: encoding.Encoded) -> NDArray[np.bool_]:
    """Return which regions have voxels left."""
    n_regions = len(encoded.labels)
    inside = encoding.count(encoded.codes, 1 + n_regions)[1:] > 0
    if not inside.any():
        raise LabelsError(
            "No label left after applying mask to the labels image: none of "
            f"{plural(n_regions, 'region')} has a voxel inside it. "
            "Check that mask and labels overlap."
        )
    return inside
