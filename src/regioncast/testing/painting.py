"""The oracle of painting: voxel by voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How far from an integer a label may be to stand for it (files scaled by scl_slope).
_LABEL_TOLERANCE = 1e-3


def label_of(value: float) -> float | None:
    """Return the label that a voxel's value means, None where it is not finite.

    Examples
    --------
    >>> label_of(57.9999), label_of(2.5), label_of(float("nan"))
    (58, 2.5, None)
    """
    if not np.isfinite(value):
        return None
    nearest = round(value)
    return nearest if abs(value - nearest) <= _LABEL_TOLERANCE else value


def regions_of(
    labels: NDArray[Any], background: float = 0, mask: NDArray[Any] | None = None
) -> list[float]:
    """Return the distinct labels in ascending order, without the background.

    Labels within 0.001 of an integer are that integer; NaN and infinite labels are none.

    Parameters
    ----------
    labels : array of int or float
    background : number, default=0
        Read as the labels are: in their dtype, and rounded.  NaN: there is no background.
    mask : array, shape of `labels`, default=None
        Only labels where it is neither zero, NaN nor infinite.

    Examples
    --------
    >>> import numpy as np
    >>> regions_of(np.array([0.0, 57.9999, 58, -3, np.nan]))
    [-3, 58]
    """
    inside = np.ones(labels.shape, bool) if mask is None else _inside(mask)
    distinct = {label_of(value) for value in labels[inside].tolist()}
    left_out = {None, background, _background_label(background, labels.dtype)}
    return sorted(label for label in distinct if label is not None and label not in left_out)


def brute_force_paint(
    signals: NDArray[Any],
    labels: NDArray[Any],
    background: float = 0,
    mask: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Paint voxel by voxel, as `regioncast.signals_to_img_labels` is documented.

    Parameters
    ----------
    signals : array, shape (n_regions,) or (n_maps, n_regions)
        One column for each region of `labels` in ascending order of label, or for each
        region inside the mask.
    labels : array of int or float, 3D
    background : number, default=0
        The label of no region; NaN: there is none.
    mask : array, shape of `labels`, default=None

    Returns
    -------
    array, shape of `labels` and (n_maps,) for 2D signals
        Of the dtype of `signals`; uint8 for bool and float32 for float16.

    Raises
    ------
    ValueError
        When the number of columns is neither.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[[3, 0], [-1, 3]]])
    >>> brute_force_paint(np.array([[1, 2], [10, 20]]), labels)[..., 1]
    array([[[20,  0],
            [10, 20]]])
    """
    every = regions_of(labels, background)
    left = regions_of(labels, background, mask)
    n_columns = signals.shape[-1]
    if n_columns not in (len(every), len(left)):
        raise ValueError(f"{n_columns} columns for {len(every)} or {len(left)} regions")
    column = {label: k for k, label in enumerate(every if n_columns == len(every) else left)}
    inside = np.ones(labels.shape, bool) if mask is None else _inside(mask)
    out = np.zeros(labels.shape + signals.shape[:-1], _stored(signals.dtype))
    for voxel in np.ndindex(labels.shape):
        label = label_of(labels[voxel].item())
        if inside[voxel] and label in column:
            out[voxel] = signals[..., column[label]]
    return out


def _background_label(background: float, dtype: np.dtype[Any]) -> float | None:
    if dtype.kind != "f":
        return background
    with np.errstate(over="ignore"):  # what is too large for the dtype is no label there
        return label_of(np.asarray(background, dtype).item())


def _inside(mask: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(mask) & (mask != 0))


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which NIfTI holds values of `dtype`."""
    widened = {"?": "uint8", "e": "float32"}
    return np.dtype(widened.get(dtype.char, dtype))
