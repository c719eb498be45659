"""Answers to check fast code against, found the slow and obvious way, and inputs to try.

An *oracle* computes with plain NumPy, or voxel by voxel, what a compiled kernel or a whole
function computes fast.  A *strategy* is a Hypothesis strategy of inputs as they occur and as
they hurt: volumes that are never cubes, labels of every dtype with gaps, negative or beyond
2**40, arrays in any memory layout, signals with NaN, infinities and outliers.

Nothing here uses the code that it judges.  The strategies need Hypothesis, the oracles do not.

Examples
--------
>>> import numpy as np
>>> labels = np.array([[[0, 2001, 2001], [9170, 0, 9170]]], dtype=np.uint16)
>>> brute_force_paint(np.array([0.5, -1.5]), labels)
array([[[ 0. ,  0.5,  0.5],
        [-1.5,  0. , -1.5]]])
"""

from __future__ import annotations

from .kernels import (
    count,
    find_places,
    first_eigenvariate,
    group,
    number_labels,
    paint_maps,
    paint_series,
    recode,
    reduce_region,
    sum_leaf,
    sum_positions,
)
from .painting import brute_force_paint, label_of, regions_of
from .raster import rasterise
from .region_domain import (
    add_weights,
    count_bytes,
    count_tokens,
    emit,
    parse,
    prepare,
    spread,
    unparse,
)
from .strategies import (
    FLOAT_LABEL_DTYPES,
    INTEGER_LABEL_DTYPES,
    LABEL_DTYPES,
    LAYOUTS,
    MEMORIES,
    SIGNAL_DTYPES,
    in_memory,
    label_volumes,
    masks,
    region_labels,
    region_signals,
    special_values,
    volume_shapes,
)

__all__ = [
    "FLOAT_LABEL_DTYPES",
    "INTEGER_LABEL_DTYPES",
    "LABEL_DTYPES",
    "LAYOUTS",
    "MEMORIES",
    "SIGNAL_DTYPES",
    "add_weights",
    "brute_force_paint",
    "count",
    "count_bytes",
    "count_tokens",
    "emit",
    "find_places",
    "first_eigenvariate",
    "group",
    "in_memory",
    "label_of",
    "label_volumes",
    "masks",
    "number_labels",
    "paint_maps",
    "paint_series",
    "parse",
    "prepare",
    "rasterise",
    "recode",
    "reduce_region",
    "region_labels",
    "region_signals",
    "regions_of",
    "special_values",
    "spread",
    "sum_leaf",
    "sum_positions",
    "unparse",
    "volume_shapes",
]
