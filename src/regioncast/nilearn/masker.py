"""A scikit-learn transformer: from images to the signals of regions, in pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import api
from ..atlas.spaces import VolumeGrid
from ..engine.extraction import Strategy
from ..errors import DimensionError, MissingPackageError, plural
from ..io.kinds import open_maps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, Self

    from narwhals.typing import IntoDataFrame
    from numpy.typing import ArrayLike, NDArray

    from ..api import Image, Labels
    from ..atlas.parcellation import Parcellation
    from ..engine.extraction import Function, Nan
    from ..extracting.cleaning import Confounds, Standardize
    from ..io.kinds import Painted

try:
    from sklearn import get_config
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError:

    class TransformerMixin:  # type: ignore[no-redef]
        """Stands in where there is no scikit-learn, so that the class can be had all the same."""

    class BaseEstimator:  # type: ignore[no-redef]
        """And this one says so where a masker is made."""

        def __new__(cls, *_: object, **__: object) -> Self:  # noqa: D102
            raise MissingPackageError(
                "RegionMasker needs scikit-learn, which is not installed: "
                "pip install 'regioncast[nilearn]'."
            )


class RegionMasker(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """A transformer of scikit-learn that extracts region signals, and paints them back.

    What it learns are the regions alone, and so it is the same whatever images it is fitted to.

    Parameters
    ----------
    atlas : Parcellation, path or nibabel image
        The regions; see `regioncast.load_parcellation`.
    strategy, nan, mask, weights, min_coverage, resample, n_jobs
        As in `regioncast.extract`; of strategies one.  To paint, `mask` has to be on the grid of
        the atlas.
    confound_columns, standardize, detrend, low_pass, high_pass, t_r
        How signals are cleaned, as there: over the maps of what is transformed at once.  What a
        classifier may know of its training data alone is left to a ``StandardScaler``.

    Attributes
    ----------
    parcellation_ : Parcellation
        The regions, in the order of the columns.
    n_elements_ : int
        Number of regions, and of columns; those without a voxel have one too, which is NaN.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> masker = rc.RegionMasker(demo.atlas, resample="labels")
    >>> masker.fit_transform([demo.statistic, demo.statistic]).shape
    (2, 100)
    >>> masker.get_feature_names_out()[0]
    '7Networks_LH_Vis_1'
    """

    def __init__(
        self,
        atlas: Labels,
        *,
        strategy: str | Function = "mean",
        nan: Nan = "omit",
        mask: Image | None = None,
        weights: Image | None = None,
        min_coverage: float | None = None,
        resample: Literal["labels"] | None = None,
        confound_columns: str | Sequence[str] | None = None,
        standardize: Standardize = None,
        detrend: bool = False,
        low_pass: float | None = None,
        high_pass: float | None = None,
        t_r: float | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.atlas = atlas
        self.strategy = strategy
        self.nan = nan
        self.mask = mask
        self.weights = weights
        self.min_coverage = min_coverage
        self.resample = resample
        self.confound_columns = confound_columns
        self.standardize = standardize
        self.detrend = detrend
        self.low_pass = low_pass
        self.high_pass = high_pass
        self.t_r = t_r
        self.n_jobs = n_jobs

    def fit(self, X: Image | None = None, y: object = None) -> Self:  # noqa: ARG002, N803
        """Load the regions, as `regioncast.load_parcellation` does; images are not looked at."""
        Strategy.of(self.strategy)
        self.parcellation_: Parcellation = api.load_parcellation(self.atlas)
        self.n_elements_ = len(self.parcellation_)
        return self

    def transform(self, X: Image, confounds: Confounds | None = None) -> NDArray[Any]:  # noqa: N803
        """Extract the signals of images.

        Parameters
        ----------
        X : path, nibabel image, or sequence of them
            One image, 4D or 3D; or one of a single map per row, such as a contrast of each
            subject: in a list, an array or a Series of paths.
        confounds : path, DataFrame or array, default=None
            One row per map; see `regioncast.extract`.

        Returns
        -------
        array of float64, shape (n_maps, n_regions), or (n_regions,) for one 3D image
            Where `set_output` asks for a DataFrame it has one row per map in any case.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        DimensionError
            When an image in a list has several maps.
        RegioncastError
            What `regioncast.extract` raises.
        """
        check_is_fitted(self)
        images = _listed(X)
        options = self.get_params(deep=False)
        del options["atlas"]  # whose regions are known since `fit`
        signals = api.extract(images, self.parcellation_, confounds=confounds, **options)
        container = {"transform": get_config()["transform_output"]}
        container |= getattr(self, "_sklearn_output_config", {})
        # As nilearn's maskers do; but a DataFrame has two dimensions.
        is_row = signals.single and container["transform"] == "default"
        return np.array(signals.values[0] if is_row else signals.values)

    def fit_transform(
        self,
        X: Image,  # noqa: N803
        y: object = None,
        confounds: Confounds | None = None,
    ) -> NDArray[Any]:
        """Load the regions and extract the signals of images; see `transform`."""
        return self.fit(X, y).transform(X, confounds=confounds)

    def inverse_transform(self, signals: IntoDataFrame | ArrayLike) -> Painted:
        """Paint signals, as `regioncast.paint` does.

        Parameters
        ----------
        signals : array, shape (n_regions,) or (n_maps, n_regions), or DataFrame
            Columns of a DataFrame are matched by their names.

        Returns
        -------
        image of what the atlas is of: 3D of one dimension, else 4D
        """
        check_is_fitted(self)
        values: Any = signals
        t_r = None if np.ndim(values) == 1 else self.t_r
        return api.paint(values, self.parcellation_, mask=self.mask, t_r=t_r)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return the names of the regions, or their labels where names are not unique.

        Returns
        -------
        array of str, shape (n_regions,)
        """
        check_is_fitted(self)
        return np.array([str(key) for key in self.parcellation_.table.unique_keys], object)


def _listed(images: Any) -> Any:
    """Return images as they are, paths in an array or a Series as a list.

    Whoever splits rows tells them by their places in the list, so that each has to hold one.
    """
    if hasattr(images, "tolist") and np.asarray(images).dtype.kind in "OUT":
        images = images.tolist()
    if isinstance(images, list | tuple):
        maps = open_maps(images, "the image")
        # Of a surface, the list is that of its hemispheres.
        if isinstance(maps.space, VolumeGrid) and maps.n_maps != len(images):
            raise DimensionError(
                f"{plural(len(images), 'image')} in the list with {plural(maps.n_maps, 'map')}; "
                "each has to be one row. Transform 4D images one by one."
            )
    return images
