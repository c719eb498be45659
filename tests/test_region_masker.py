"""`RegionMasker`: a transformer of scikit-learn that does what `extract` and `paint` do."""

from __future__ import annotations

import pickle
import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from nilearn.maskers import NiftiLabelsMasker
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from small_spaces import brain_models, dense, dlabel
from small_volumes import OBLIQUE, array_of, image_of, small_labels

import regioncast as rc
from regioncast.errors import ArgumentError, DimensionError, MaskWarning, MatchError, SpaceError

LABELS = image_of(small_labels())
NAMES = {-2: "a", 3: "b", 7: "c", 7001: "d"}
ATLAS = rc.load_parcellation(LABELS, NAMES)
RNG = np.random.default_rng(0)
VOXELS = 100 + RNG.standard_normal((*LABELS.shape, 40))
BOLD = image_of(VOXELS)
FIRST = image_of(VOXELS[..., 0])
CONFOUNDS = RNG.standard_normal((40, 3))
N_SUBJECTS = 24


@pytest.fixture(scope="module")
def subjects():
    """A contrast map per subject; in those of the second group one region is higher."""
    group = np.tile([0, 1], N_SUBJECTS // 2)
    maps = np.random.default_rng(1).standard_normal((N_SUBJECTS, *LABELS.shape))
    maps[:, small_labels() == 7] += 2.0 * group[:, np.newaxis]
    return [image_of(each) for each in maps], group


@pytest.fixture(scope="module")
def paths(subjects, tmp_path_factory):
    folder = tmp_path_factory.mktemp("subjects")
    names = [str(folder / f"sub-{number}.nii.gz") for number in range(N_SUBJECTS)]
    for image, name in zip(subjects[0], names, strict=True):
        nib.save(image, name)
    return names


def fitted(atlas=ATLAS, **options):
    return rc.RegionMasker(atlas, **options).fit()


# --- it is extract, and what nilearn's masker is -------------------------------------------------


@pytest.mark.parametrize("strategy", ["mean", "median", "sum", "standard_deviation"])
@pytest.mark.parametrize("standardize", [None, "zscore_sample", "psc"])
def test_it_returns_what_nilearns_masker_does(strategy, standardize):
    options = {"strategy": strategy, "standardize": standardize}
    theirs = NiftiLabelsMasker(LABELS, reports=False, **options).fit()
    ours = fitted(**options)
    for images in (BOLD, [FIRST, image_of(VOXELS[..., 1])]):
        np.testing.assert_allclose(ours.transform(images), theirs.transform(images), rtol=1e-9)
    assert ours.n_elements_ == 4


def test_one_3d_image_has_one_dimension_as_in_nilearn():
    theirs = NiftiLabelsMasker(LABELS, standardize=None, reports=False).fit()
    signals = fitted().transform(FIRST)
    assert signals.shape == theirs.transform(FIRST).shape == (4,)
    np.testing.assert_allclose(signals, theirs.transform(FIRST), rtol=1e-12)
    assert fitted().transform([FIRST]).shape == (1, 4)


@pytest.mark.parametrize("filters", [{}, {"low_pass": 0.1, "high_pass": 0.01, "t_r": 2.0}])
def test_signals_are_cleaned_as_by_nilearns_masker(filters):
    options = {"detrend": True, "standardize": "zscore_sample", **filters}
    theirs = NiftiLabelsMasker(LABELS, reports=False, **options)
    expected = theirs.fit_transform(BOLD, confounds=CONFOUNDS)
    signals = rc.RegionMasker(ATLAS, **options).fit_transform(BOLD, confounds=CONFOUNDS)
    np.testing.assert_allclose(signals, expected, rtol=1e-8, atol=1e-9)


def test_every_option_is_that_of_extract():
    mask = image_of((np.indices(LABELS.shape)[2] > 0).astype(np.uint8))
    moved = OBLIQUE + np.diag([0, 0, 0, 0])
    moved[:3, 3] += 0.4
    options = {
        "strategy": "sum", "nan": "zero", "mask": image_of(array_of(mask), moved),
        "weights": image_of(RNG.random(LABELS.shape), moved), "min_coverage": 0.5,
        "resample": "labels", "confound_columns": "x?", "standardize": "psc", "detrend": True,
        "low_pass": 0.2, "high_pass": 0.02, "t_r": 1.5, "n_jobs": 1,
    }  # fmt: skip
    table = pd.DataFrame(CONFOUNDS, columns=["x1", "x2", "y"])
    masker = fitted(**options)
    assert masker.get_params().keys() - {"atlas"} == options.keys()
    data = image_of(VOXELS, moved)
    expected = rc.extract(data, ATLAS, confounds=table, **options).values
    assert masker.transform(data, confounds=table).tobytes() == expected.tobytes()
    assert not np.isnan(expected).all()


def test_regions_without_a_voxel_keep_their_column():
    mask = (small_labels() != 7).astype(np.uint8)
    with pytest.warns(MaskWarning, match="no voxel of 1 region: 'c'"):
        signals = fitted(mask=image_of(mask)).transform(BOLD)
    assert np.isnan(signals).all(axis=0).tolist() == [False, False, True, False]


def test_grayordinates():
    axis = brain_models()
    labels = np.tile([3, 7, 0, 9], len(axis))[: len(axis)]
    atlas = dlabel(labels, {0: "none", 3: "a", 7: "b", 9: "c"}, axis)
    data = dense(RNG.standard_normal((5, len(axis))), axis)
    masker = fitted(atlas)
    signals = masker.transform(data)
    assert signals.tobytes() == rc.extract(data, atlas).values.tobytes()
    assert isinstance(masker.inverse_transform(signals), rc.PaintedCifti)


# --- images in -----------------------------------------------------------------------------------


def test_paths_in_whatever_holds_them(paths):
    expected = fitted().transform([nib.load(path) for path in paths])
    for images in (paths, tuple(paths), np.array(paths), np.array(paths, object), pd.Series(paths)):
        assert fitted().transform(images).tobytes() == expected.tobytes()


def test_each_image_of_a_list_is_one_row():
    with pytest.raises(DimensionError, match=r"2 images in the list with 41 maps; each has to be"):
        fitted().transform([BOLD, FIRST])
    assert fitted().transform([image_of(VOXELS[..., :1]), FIRST]).shape == (2, 4)


# --- images out ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 4)])
def test_signals_are_painted_as_by_paint(shape):
    signals = RNG.standard_normal(shape)
    masker = fitted(t_r=None if len(shape) == 1 else 1.25)
    image = masker.inverse_transform(signals)
    expected = rc.paint(signals, ATLAS, t_r=masker.t_r)
    assert array_of(image).tobytes() == array_of(expected).tobytes()
    assert image.shape == expected.shape
    assert image.header == expected.header
    assert masker.transform(image).tobytes() == signals.tobytes()


def test_columns_of_a_frame_are_painted_by_their_names():
    signals = RNG.standard_normal((3, 4))
    masker = fitted()
    expected = array_of(masker.inverse_transform(signals))
    frame = pd.DataFrame(signals, columns=masker.get_feature_names_out())
    for columns in (frame, frame[frame.columns[::-1]], pl.DataFrame(frame)):
        assert (array_of(masker.inverse_transform(columns)) == expected).all()


def test_a_mask_cuts_what_is_painted():
    mask = image_of((np.indices(LABELS.shape)[2] > 0).astype(np.uint8))
    signals = RNG.standard_normal(4)
    painted = array_of(fitted(mask=mask).inverse_transform(signals))
    assert (painted == array_of(rc.paint(signals, ATLAS, mask=mask))).all()
    coarse = image_of(array_of(mask)[::2], OBLIQUE @ np.diag([2, 1, 1, 1]))
    with pytest.raises(SpaceError):
        fitted(mask=coarse, resample="labels").inverse_transform(signals)


def test_another_number_of_columns_is_refused():
    with pytest.raises(MatchError, match="5 columns for 4 regions"):
        fitted().inverse_transform(np.ones((2, 5)))


# --- names of columns ----------------------------------------------------------------------------


def test_names_of_columns():
    assert fitted().get_feature_names_out().tolist() == ["a", "b", "c", "d"]
    names = fitted(LABELS).get_feature_names_out(input_features=["ignored"])
    assert names.tolist() == ["-2", "3", "7", "7001"]
    assert names.dtype == object


FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


@pytest.mark.parametrize("container", FRAMES)
def test_frames_come_out_where_they_are_asked_for(container, paths):
    masker = rc.RegionMasker(ATLAS).set_output(transform=container)
    plain = fitted()
    for images in (BOLD, FIRST, paths, pd.Series(paths, index=range(100, 100 + N_SUBJECTS))):
        frame = masker.fit_transform(images)
        assert isinstance(frame, FRAMES[container])
        assert list(frame.columns) == ["a", "b", "c", "d"]
        assert (frame.to_numpy() == np.atleast_2d(plain.transform(images))).all()
    masker.set_output(transform="default")
    assert masker.transform(FIRST).shape == (4,)


# --- in scikit-learn -----------------------------------------------------------------------------


def test_a_pipeline_is_cross_validated(subjects, paths):
    images, group = subjects
    pipeline = make_pipeline(rc.RegionMasker(LABELS), StandardScaler(), LogisticRegression())
    scores = cross_val_score(pipeline, images, group, cv=4)
    assert scores.mean() > 0.9
    assert (cross_val_score(pipeline, paths, group, cv=4) == scores).all()
    # A signal that only the masker's strategy shows: the grid finds it.
    grid = GridSearchCV(
        make_pipeline(rc.RegionMasker(ATLAS), StandardScaler(), LogisticRegression()),
        {"regionmasker__strategy": ["count", "mean"]},
        cv=3,
    ).fit(np.array(paths), group)
    assert grid.best_params_ == {"regionmasker__strategy": "mean"}
    best = grid.best_estimator_
    assert best[:-1].get_feature_names_out().tolist() == ["a", "b", "c", "d"]
    weights = best[0].inverse_transform(best[-1].coef_[0])
    assert weights.shape == LABELS.shape
    assert np.abs(array_of(weights)).max() == array_of(weights)[1, 2, 0]


def test_confounds_are_routed_through_a_pipeline():
    with sklearn.config_context(enable_metadata_routing=True):
        masker = rc.RegionMasker(ATLAS).set_transform_request(confounds=True)
        pipeline = make_pipeline(masker, StandardScaler())
        signals = pipeline.fit(BOLD).transform(BOLD, confounds=CONFOUNDS)
    expected = masker.transform(BOLD, confounds=CONFOUNDS)
    assert (signals == pipeline[1].transform(expected)).all()


def test_paths_in_a_column_of_a_table(paths):
    table = pd.DataFrame({"age": np.arange(float(N_SUBJECTS)), "map": paths})
    columns = make_column_transformer(
        (rc.RegionMasker(ATLAS), "map"), ("passthrough", ["age"]), verbose_feature_names_out=False
    ).set_output(transform="pandas")
    frame = columns.fit_transform(table)
    assert list(frame.columns) == ["a", "b", "c", "d", "age"]
    assert (frame[[*"abcd"]].to_numpy() == fitted().transform(paths)).all()


def test_a_part_of_the_images_has_a_part_of_the_rows(paths):
    masker = fitted()
    whole = masker.transform(paths)
    order = np.random.default_rng(3).permutation(N_SUBJECTS)[:7]
    assert masker.transform([paths[number] for number in order]).tobytes() == whole[order].tobytes()


def test_clones_and_copies():
    masker = rc.RegionMasker(ATLAS, strategy="median", min_coverage=0.25)
    copy = clone(masker)
    assert copy.get_params().keys() == masker.get_params().keys()
    assert (copy.strategy, copy.min_coverage) == ("median", 0.25)
    assert not hasattr(copy, "parcellation_")
    masker.fit()
    again = pickle.loads(pickle.dumps(masker))
    assert again.transform(BOLD).tobytes() == masker.transform(BOLD).tobytes()
    assert clone(masker).fit().transform(BOLD).tobytes() == masker.transform(BOLD).tobytes()
    assert repr(rc.RegionMasker("atlas.nii", t_r=2)) == "RegionMasker(atlas='atlas.nii', t_r=2)"
    assert masker.set_params(strategy="mean").strategy == "mean"


def test_parameters_and_what_is_learnt_never_change(paths):
    masker = fitted(LABELS)
    before = dict(vars(masker))
    assert masker.atlas is LABELS
    masker.transform(paths)
    masker.inverse_transform(np.ones(4))
    masker.fit_transform(BOLD)
    after = vars(masker)
    assert before.keys() == after.keys()
    assert all(after[name] is before[name] for name in masker.get_params())


def test_before_it_is_fitted_an_error_says_so():
    for call in (
        lambda masker: masker.transform(BOLD),
        lambda masker: masker.inverse_transform(np.ones(4)),
        lambda masker: masker.get_feature_names_out(),
    ):
        with pytest.raises(NotFittedError):
            call(rc.RegionMasker(ATLAS))


@pytest.mark.parametrize("strategy", ["average", ["mean", "sum"], 3])
def test_a_strategy_that_is_none_is_refused_when_fitted(strategy):
    with pytest.raises(ArgumentError, match="'strategy' must be one of"):
        rc.RegionMasker(ATLAS, strategy=strategy).fit()


def test_without_scikit_learn_an_error_says_so_where_one_is_made():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from regioncast import *\n"
        "try: RegionMasker('atlas.nii.gz')\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-P", "-c", code]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown.startswith("MissingPackageError RegionMasker needs scikit-learn")
    assert "pip install 'regioncast[nilearn]'" in shown


# --- the checks of scikit-learn and of nilearn ---------------------------------------------------

IMAGES = "takes images, and no array of numbers: "
NOT_OF_IMAGES = {
    "check_complex_data": IMAGES + "nothing is learnt of them",
    "check_dict_unchanged": IMAGES + "test_parameters_and_what_is_learnt_never_change",
    "check_dtype_object": IMAGES + "objects are paths",
    "check_estimator_sparse_tag": IMAGES + "nothing is learnt of them",
    "check_estimators_dtypes": IMAGES + "nilearn's check_img_estimator_dtypes",
    "check_estimators_empty_data_messages": IMAGES + "nothing is learnt of them",
    "check_estimators_nan_inf": IMAGES + "voxels may be NaN",
    "check_estimators_pickle": IMAGES + "test_clones_and_copies",
    "check_f_contiguous_array_estimator": IMAGES + "nilearn's check_img_estimator_fit_idempotent",
    "check_fit1d": IMAGES + "nothing is learnt of them",
    "check_fit2d_predict1d": IMAGES + "test_one_3d_image_has_one_dimension_as_in_nilearn",
    "check_fit_idempotent": IMAGES + "nilearn's check_img_estimator_fit_idempotent",
    "check_fit_score_takes_y": IMAGES + "nilearn's check_img_estimator_fit_score_takes_y",
    "check_methods_sample_order_invariance": IMAGES + "test_a_part_of_the_images_has_a_part_of_…",
    "check_methods_subset_invariance": IMAGES + "test_a_part_of_the_images_has_a_part_of_the_rows",
    "check_n_features_in": IMAGES + "there are no features before there are regions",
    "check_n_features_in_after_fitting": IMAGES + "there are no features before there are regions",
    "check_pipeline_consistency": IMAGES + "nilearn's check_img_estimator_pipeline_consistency",
    "check_transformer_data_not_an_array": IMAGES + "test_paths_in_whatever_holds_them",
    "check_transformer_general": IMAGES + "nilearn's check_nifti_masker_fit_transform",
    "check_transformer_preserve_dtypes": IMAGES + "signals are float64, as everywhere",
}


@pytest.mark.filterwarnings("ignore")  # of checks that fail, as they are known to
def test_scikit_learns_checks():
    results = check_estimator(
        rc.RegionMasker(LABELS), expected_failed_checks=NOT_OF_IMAGES, on_skip=None, on_fail=None
    )
    names = {status: set() for status in ("passed", "failed", "xfail", "skipped")}
    for result in results:
        names[result["status"]].add(result["check_name"])
    assert names["failed"] == set()
    assert names["xfail"] == NOT_OF_IMAGES.keys()  # and none that would pass
    assert names["skipped"] <= {"check_array_api_input"}
    assert len(names["passed"]) > 20


# Those of nilearn's that ask for what any masker has: no reports, caches, smoothing, `verbose`,
# `mask_img_`, `dtype`, nor nilearn's words in errors.
OF_NILEARN = """
check_fit_returns_self
check_img_estimator_clean_dtype
check_img_estimator_dict_unchanged
check_img_estimator_dont_overwrite_parameters
check_img_estimator_dtypes
check_img_estimator_dtypes_transform
check_img_estimator_fit_idempotent
check_img_estimator_fit_score_takes_y
check_img_estimator_overwrite_params
check_img_estimator_pickle
check_img_estimator_pipeline_consistency
check_img_estimator_standardization
check_masker_clean
check_masker_detrending
check_masker_standardization
check_masker_transform_resampling
check_nifti_masker_fit_transform
check_nifti_masker_fit_transform_files
check_nilearn_methods_sample_order_invariance
"""

# By itself, as the module of the checks has marks of pytest that are none of this project.
RUN_THEM = """
import sys
import regioncast as rc
from nilearn._utils import estimator_checks
from nilearn._utils.tags import InputTags
from nilearn.conftest import _img_labels

class Masker(rc.RegionMasker):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags, tags.estimator_type = InputTags(), "masker"
        return tags

for name in sys.argv[1:]:
    print(name, flush=True)
    getattr(estimator_checks, name)(Masker(_img_labels(), resample="labels"))
"""


def test_nilearns_checks():
    command = [sys.executable, "-P", "-c", RUN_THEM, *OF_NILEARN.split()]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == OF_NILEARN.split()
