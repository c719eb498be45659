"""Signals that are cleaned: as nilearn's masker does, and as if the voxels were cleaned first."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.interfaces.fmriprep import load_confounds
from nilearn.maskers import NiftiLabelsMasker
from nilearn.signal import clean
from small_spaces import brain_models, dense, dlabel
from small_volumes import image_of, small_labels

import regioncast as rc
from regioncast import cli
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    ImageTypeError,
    InputMissingError,
    MissingPackageError,
    NonfiniteWarning,
    RegioncastError,
    RegionTableWarning,
    SignalsError,
    SignalsTypeError,
)

N_MAPS, T_R = 60, 2.0
LABELS = image_of(small_labels())
RNG = np.random.default_rng(0)
VOXELS = 100 + RNG.standard_normal((*LABELS.shape, N_MAPS)).cumsum(axis=-1)
CONFOUNDS = RNG.standard_normal((N_MAPS, 3)).cumsum(axis=0) + 5

ASKED = [
    {"standardize": standardize, "detrend": detrend, "low_pass": low_pass, "high_pass": high_pass}
    for standardize, detrend, low_pass, high_pass in itertools.product(
        (None, "zscore_sample", "psc"), (False, True), (None, 0.15), (None, 0.01)
    )
]
LINEAR = [asked for asked in ASKED if asked["standardize"] is None]


def series(data=VOXELS, t_r=T_R):
    image = image_of(data)
    if t_r is not None:
        image.header.set_zooms((*image.header.get_zooms()[:3], t_r))
        image.header.set_xyzt_units("mm", "sec")
    return image


def close(signals, expected):
    assert signals.values.dtype == np.float64
    np.testing.assert_allclose(signals.values, expected, rtol=1e-9, atol=1e-9)


def ids(asked):
    return ",".join(f"{name}={value}" for name, value in asked.items() if value) or "nothing"


# --- what it equals ------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ASKED, ids=ids)
@pytest.mark.parametrize("confounds", [None, CONFOUNDS], ids=["", "confounds"])
def test_it_is_what_nilearns_masker_returns(asked, confounds):
    masker = NiftiLabelsMasker(LABELS, t_r=T_R, reports=False, **asked)
    expected = masker.fit_transform(series(), confounds=confounds)
    signals = rc.extract(series(), LABELS, confounds=confounds, **asked)
    close(signals, expected)
    assert (signals.t_r, signals.labels) == (T_R, (-2, 3, 7, 7001))


@given(
    asked=st.sampled_from(LINEAR),
    n_confounds=st.integers(0, 5),
    weighted=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25)
def test_of_mean_and_sum_it_is_what_cleaned_voxels_have(asked, n_confounds, weighted, seed):
    rng = np.random.default_rng(seed)
    confounds = rng.standard_normal((N_MAPS, n_confounds)) if n_confounds else None
    weights = image_of(rng.random(LABELS.shape)) if weighted else None
    flat = VOXELS.reshape(-1, N_MAPS).T
    cleaned = clean(flat, confounds=confounds, standardize=None, t_r=T_R, **{
        name: value for name, value in asked.items() if name != "standardize"
    })  # fmt: skip
    image = series(cleaned.T.reshape(VOXELS.shape))
    strategy = ["mean", "sum"]
    first = rc.extract(image, LABELS, strategy=strategy, weights=weights)
    last = rc.extract(
        series(), LABELS, strategy=strategy, weights=weights, confounds=confounds, **asked
    )
    for name in strategy:
        np.testing.assert_allclose(last[name].values, first[name].values, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("standardize", ["zscore_sample", "psc"])
def test_signals_of_any_strategy_are_standardized(standardize):
    median = rc.extract(series(), LABELS, strategy="median")
    expected = clean(median.values, detrend=False, standardize=standardize)
    close(rc.extract(series(), LABELS, strategy="median", standardize=standardize), expected)


def test_nothing_asked_for_changes_no_bit():
    plain = rc.extract(series(), LABELS).values
    asked = {"confounds": None, "standardize": False, "detrend": False, "low_pass": None}
    assert rc.extract(series(), LABELS, **asked).values.tobytes() == plain.tobytes()


def test_of_grayordinates_as_of_voxels():
    axis = brain_models()
    labels = np.tile([3, 7, 0, 9], len(axis))[: len(axis)]
    data = RNG.standard_normal((N_MAPS, len(axis)))
    atlas = dlabel(labels, {0: "none", 3: "a", 7: "b", 9: "c"}, axis)
    asked = {"confounds": CONFOUNDS, "high_pass": 0.02}
    signals = rc.extract(dense(data, axis, t_r=0.8), atlas, **asked)
    plain = rc.extract(dense(data, axis, t_r=0.8), atlas).values
    expected = clean(plain, detrend=False, standardize=None, t_r=0.8, **asked)
    close(signals, expected)
    assert signals.series is not None


# --- regions that are missing --------------------------------------------------------------------


def test_missing_regions_stay_missing_and_spoil_no_others():
    with pytest.warns(RegionTableWarning, match="without a voxel: 9"):
        atlas = rc.load_parcellation(LABELS, {-2: "a", 3: "b", 7: "c", 9: "d", 7001: "e"})
    data = VOXELS.copy()
    data[1:3, 2:] = np.nan  # all of 7
    data[0, 0, 0] = np.nan  # one of 3
    asked = {"confounds": CONFOUNDS, "standardize": "zscore_sample", "detrend": True}
    signals = rc.extract(series(data), atlas, min_coverage=0.99, **asked)
    whole = rc.extract(series(), LABELS, **asked)
    assert np.isnan(signals.values).all(axis=0).tolist() == [False, True, True, True, False]
    np.testing.assert_allclose(signals.values[:, [0, 4]], whole.values[:, [0, 3]], rtol=1e-9)


def test_a_region_that_is_missing_in_some_maps_only_is_missing_with_a_warning():
    data = VOXELS.copy()
    data[1:3, 2:, :, 7] = np.nan
    with pytest.warns(NonfiniteWarning, match=r"1 region without a finite value in some .*: '7'"):
        signals = rc.extract(series(data), LABELS, detrend=True)
    assert np.isnan(signals.values).all(axis=0).tolist() == [False, False, True, False]


def test_where_all_are_missing_nothing_is_cleaned():
    signals = rc.extract(series(np.full_like(VOXELS, np.nan)), LABELS, standardize="psc")
    assert np.isnan(signals.values).all()


def test_of_a_mean_of_0_there_is_no_percent_which_nilearn_warns_of():
    data = VOXELS.copy()
    data[0] = 0
    with pytest.warns(UserWarning, match="meaningless for features that have a mean of 0") as told:
        signals = rc.extract(series(data), LABELS, standardize="psc")
    assert len(told) == 1
    assert not signals.values[:, 1].any()


# --- several images ------------------------------------------------------------------------------


def test_each_of_several_images_is_cleaned_by_itself(tmp_path):
    halves = [series(VOXELS[..., :25]), series(VOXELS[..., 25:])]
    tables = [CONFOUNDS[:25], CONFOUNDS[25:]]
    asked = {"standardize": "zscore_sample", "detrend": True, "high_pass": 0.02}
    together = rc.extract(halves, LABELS, confounds=tables, **asked)
    alone = [
        rc.extract(half, LABELS, confounds=table, **asked).values
        for half, table in zip(halves, tables, strict=True)
    ]
    assert together.values.tobytes() == np.concatenate(alone).tobytes()
    with pytest.raises(ArgumentError, match=r"of 1 image for 2 images, each of which is cleaned"):
        rc.extract(halves, LABELS, confounds=CONFOUNDS)
    with pytest.raises(SignalsError, match=r"confounds of image number 2: 25 rows for 35 maps"):
        rc.extract(halves, LABELS, confounds=[tables[0], tables[0]])
    with pytest.raises(DimensionError, match=r"some of the images have one"):
        rc.extract([halves[0], image_of(VOXELS[..., 0])], LABELS, detrend=True)


def test_images_of_one_map_each_are_one_series():
    volumes = [image_of(VOXELS[..., number]) for number in range(N_MAPS)]
    asked = {"confounds": CONFOUNDS, "low_pass": 0.1, "detrend": True, "t_r": T_R}
    signals = rc.extract(volumes, LABELS, **asked)
    close(signals, rc.extract(series(), LABELS, **asked).values)
    assert signals.t_r == T_R


# --- the repetition time -------------------------------------------------------------------------


def test_filters_need_a_repetition_time():
    with pytest.raises(ArgumentError, match=r"low_pass: frequencies need .*t_r= \(--t-r\)"):
        rc.extract(series(t_r=None), LABELS, low_pass=0.1)
    expected = rc.extract(series(), LABELS, low_pass=0.1)
    signals = rc.extract(series(t_r=None), LABELS, low_pass=0.1, t_r=T_R)
    assert signals.values.tobytes() == expected.values.tobytes()
    # What is said counts, whatever a header says; and it is what the signals know then.
    signals = rc.extract(series(t_r=0.7), LABELS, low_pass=0.1, t_r=T_R)
    assert (signals.values.tobytes(), signals.t_r) == (expected.values.tobytes(), T_R)


def test_a_repetition_time_alone_is_known_to_the_signals():
    assert rc.extract(series(t_r=None), LABELS, t_r=1.5).t_r == 1.5
    with pytest.raises(SignalsError, match="t_r goes with time series"):
        rc.extract(image_of(VOXELS[..., 0]), LABELS, t_r=1.5)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"low_pass": 0.25}, r"low_pass is a frequency in Hz, above 0 and below 0.25, half .* 2 s"),
        ({"high_pass": 128}, r"high_pass is a frequency in Hz.* it is 128\."),
        ({"high_pass": 0}, "high_pass is a frequency in Hz"),
        ({"low_pass": "0.1"}, "low_pass is a frequency in Hz"),
        ({"low_pass": float("nan")}, "low_pass is a frequency in Hz"),
        ({"low_pass": 0.01, "high_pass": 0.1}, r"Nothing is above high_pass=0.1 and below"),
        ({"standardize": True}, r"must be 'zscore_sample' .* or None; it is True"),
        ({"standardize": "zscore"}, r"must be 'zscore_sample' .*; it is 'zscore'"),
        ({"confound_columns": "a"}, "give those too"),
    ],
)
def test_what_cannot_be_done_is_said(asked, message):
    with pytest.raises(ArgumentError, match=message):
        rc.extract(series(), LABELS, **asked)


def test_a_series_too_short_for_a_filter():
    with pytest.raises(SignalsError, match=r"9 maps cannot be cleaned like this: .*padlen"):
        rc.extract(series(VOXELS[..., :9]), LABELS, low_pass=0.1)


# --- what it does not go with --------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", [{"detrend": True}, {"low_pass": 0.1}, {"confounds": CONFOUNDS}], ids=str
)
@pytest.mark.parametrize("strategy", ["median", "variance", "count", "first_eigenvariate", np.mean])
def test_what_is_not_linear_is_refused_with_the_reason(strategy, asked):
    with pytest.raises(ArgumentError, match=r"with mean and sum, not with .*clean_img"):
        rc.extract(series(), LABELS, strategy=["sum", strategy], **asked)


@pytest.mark.parametrize("asked", [{"standardize": "psc"}, {"detrend": True}], ids=str)
def test_a_single_map_cannot_be_cleaned(asked):
    for image in (image_of(VOXELS[..., 0]), series(VOXELS[..., :1]), [image_of(VOXELS[..., 0])]):
        with pytest.raises(DimensionError, match=r"two or more maps; the image has one"):
            rc.extract(image, LABELS, **asked)


def test_complex_numbers_cannot_be_cleaned():
    with pytest.raises(ImageTypeError, match="holds complex numbers, and only real ones"):
        rc.extract(series(VOXELS.astype(np.complex64)), LABELS, detrend=True)


def test_without_nilearn_an_error_says_so_before_maps_are_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "nilearn.signal", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'regioncast\[nilearn\]'"):
        rc.extract(series(), LABELS, detrend=True, progress=pytest.fail)
    assert rc.extract(series(), LABELS).n_maps == N_MAPS


# --- confounds -----------------------------------------------------------------------------------

TITLES = ["trans_x", "trans_y", "trans_x_derivative1"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nib.save(LABELS, "atlas.nii.gz")
    nib.save(series(), "bold.nii.gz")
    return tmp_path


def frame_of(confounds=CONFOUNDS, titles=TITLES):
    return pd.DataFrame(confounds, columns=titles)


def written(how):
    """The same confounds in any form."""
    frame = frame_of()
    match how:
        case "tsv":
            frame.to_csv("confounds.tsv", sep="\t", index=False)
        case "csv with an index":
            frame.to_csv("confounds.csv")
        case "parquet":
            frame.to_parquet("confounds.parquet")
        case "npy":
            np.save("confounds.npy", CONFOUNDS)
        case "txt":
            np.savetxt("confounds.txt", CONFOUNDS)  # as SPM writes movements
        case "pandas":
            return frame.set_index(np.arange(N_MAPS) * T_R)
        case "polars":
            return pl.DataFrame(frame)
        case "array":
            return CONFOUNDS
        case "list of one":
            return [CONFOUNDS]
    return Path(f"confounds.{how.split()[0]}")


FORMS = ["tsv", "csv with an index", "parquet", "npy", "txt", "pandas", "polars", "array"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("how", [*FORMS, "list of one"])
def test_confounds_are_the_same_in_any_form(how):
    expected = rc.extract("bold.nii.gz", LABELS, confounds=CONFOUNDS.copy())
    close(rc.extract("bold.nii.gz", LABELS, confounds=written(how)), expected.values)


def test_columns_of_an_array_are_numbered():
    signals = rc.extract(series(), LABELS, confounds=CONFOUNDS, confound_columns=[2, 0])
    close(signals, rc.extract(series(), LABELS, confounds=CONFOUNDS[:, [0, 2]]).values)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("trans_y", [1]),
        (["trans_y", "trans_x"], [0, 1]),
        ("trans_?", [0, 1]),
        ("trans_*", [0, 1, 2]),
        (["trans_?", "trans_x*"], [0, 1, 2]),
        (None, [0, 1, 2]),
    ],
)
def test_columns_are_chosen_by_title_or_pattern(columns, expected):
    signals = rc.extract(series(), LABELS, confounds=frame_of(), confound_columns=columns)
    close(signals, rc.extract(series(), LABELS, confounds=CONFOUNDS[:, expected]).values)


def test_a_title_is_no_pattern_where_there_is_one():
    frame = frame_of(titles=["a?", "ab", "c"])
    signals = rc.extract(series(), LABELS, confounds=frame, confound_columns="a?")
    close(signals, rc.extract(series(), LABELS, confounds=CONFOUNDS[:, :1]).values)


def test_a_vector_is_one_confound():
    signals = rc.extract(series(), LABELS, confounds=CONFOUNDS[:, 0])
    close(signals, rc.extract(series(), LABELS, confounds=CONFOUNDS[:, :1]).values)


def fmriprep(tmp_path):
    """A run as fMRIPrep leaves it, whose derivatives are n/a in the first row."""
    names = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
    frame = pd.DataFrame(RNG.standard_normal((N_MAPS, 6)).cumsum(axis=0), columns=names)
    for name in names:
        frame[f"{name}_derivative1"] = frame[name].diff()
    frame["framewise_displacement"] = frame[names].diff().abs().sum(axis=1, min_count=1)
    stem = tmp_path / "sub-01_task-rest"
    table = Path(f"{stem}_desc-confounds_timeseries.tsv")
    frame.to_csv(table, sep="\t", index=False, na_rep="n/a")
    nib.save(series(), f"{stem}_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz")
    return table, f"{stem}_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz", frame


def test_what_fmriprep_leaves_out_is_never_filled_in_silently(tmp_path):
    table, bold, frame = fmriprep(tmp_path)
    for confounds, columns in ((table, None), (frame, None), (table, "trans_*")):
        with pytest.raises(SignalsError, match=r"without a number in some row: .*; rows 1\. fMRI"):
            rc.extract(bold, LABELS, confounds=confounds, confound_columns=columns)
    motion = ["trans_?", "rot_?"]
    rc.extract(bold, LABELS, confounds=table, confound_columns=motion)
    # The ways out that the message names: nilearn's loader, and the same by hand.
    theirs, _ = load_confounds(bold, ("motion",), motion="derivatives", demean=False)
    filled = frame.bfill()
    ours = rc.extract(bold, LABELS, confounds=filled, confound_columns=list(theirs.columns))
    close(ours, rc.extract(bold, LABELS, confounds=theirs).values)


GAPS = np.where(np.eye(N_MAPS, 3, k=-4, dtype=bool), np.inf, CONFOUNDS)


@pytest.mark.parametrize(
    ("confounds", "columns", "kind", "message"),
    [
        (CONFOUNDS[1:], None, SignalsError, r"^The confounds: 59 rows for 60 maps\."),
        (frame_of(CONFOUNDS[1:], [*"abc"]), "a", SignalsError, "59 rows for 60 maps"),
        (frame_of(), ["trans_z"], ArgumentError, r"no column 'trans_z'; .*'trans_x', 'trans_y'"),
        (frame_of(), "rot*", ArgumentError, r"no column 'rot\*'; the columns are"),
        (CONFOUNDS, ["a"], ArgumentError, "no column 'a'; the columns are 0, 1, 2"),
        (CONFOUNDS, [], ArgumentError, "confound_columns is empty"),
        (CONFOUNDS[:, :0], None, SignalsError, "The confounds: there is no column"),
        (CONFOUNDS * 1j, None, SignalsError, "real numbers are needed, and the column 0 holds"),
        (GAPS, None, SignalsError, "3 columns without a number in some row: 0, 1, 2; rows 5, 6"),
        (frame_of().assign(task="rest"), None, SignalsError, r"column 'task' holds 'rest'"),
        (RNG.random((N_MAPS, 80)), None, SignalsError, r"80 columns explain whatever 60 maps hold"),
        (RNG.random((N_MAPS, 59)), None, SignalsError, r"59 columns explain whatever 60 maps hold"),
        (np.zeros((N_MAPS, 2, 2)), None, SignalsTypeError, r"the shape \(60, 2, 2\)"),
        (np.array(["a"] * N_MAPS), None, SignalsError, "the column 0 holds 'a', 'a'"),
        (5, None, SignalsTypeError, r"the shape \(\)"),
        ("nowhere.tsv", None, InputMissingError, r"the file of confounds.*nowhere\.tsv"),
    ],
)  # fmt: skip
def test_confounds_that_will_not_do(confounds, columns, kind, message):
    with pytest.raises(kind, match=f"(?i){message}"):
        rc.extract(
            series(), LABELS, confounds=confounds, confound_columns=columns, progress=pytest.fail
        )


def test_many_confounds_that_say_the_same_leave_something():
    signals = rc.extract(series(), LABELS, confounds=np.tile(CONFOUNDS, 30))
    close(signals, rc.extract(series(), LABELS, confounds=CONFOUNDS).values)


# --- in the shell --------------------------------------------------------------------------------


def test_the_shell_says_the_same(folder):
    frame_of().to_csv("confounds.tsv", sep="\t", index=False)
    words = (
        "extract bold.nii.gz atlas.nii.gz -o cleaned.tsv --confounds confounds.tsv "
        "--confound-columns trans_? --confound-columns trans_x_derivative1 --detrend "
        "--standardize zscore_sample --low-pass 0.1 --high-pass 0.01 --t-r 2.5"
    )
    assert cli.main(words.split()) == 0
    expected = rc.extract(
        "bold.nii.gz", LABELS, confounds=CONFOUNDS, standardize="zscore_sample", detrend=True,
        low_pass=0.1, high_pass=0.01, t_r=2.5,
    )  # fmt: skip
    np.testing.assert_allclose(
        pd.read_csv("cleaned.tsv", sep="\t", index_col=0).to_numpy(), expected.values, rtol=1e-9
    )


def test_the_shell_takes_confounds_once_per_image(folder, capsys):
    np.save("confounds.npy", CONFOUNDS)
    words = "extract bold.nii.gz bold.nii.gz atlas.nii.gz -o cleaned.tsv --confounds confounds.npy"
    assert cli.main(words.split()) == 1
    assert "Confounds of 1 image for 2 images" in capsys.readouterr().err
    assert cli.main([*words.split(), "--confounds", "confounds.npy"]) == 0
    assert len(pd.read_csv("cleaned.tsv", sep="\t")) == 2 * N_MAPS


def test_the_shell_refuses_as_python_does(folder, capsys):
    with pytest.raises(RegioncastError) as refusal:
        rc.extract("bold.nii.gz", LABELS, strategy="median", detrend=True)
    words = "extract bold.nii.gz atlas.nii.gz -o cleaned.tsv --strategy median --detrend"
    assert cli.main(words.split()) == 1
    assert re.search(re.escape(str(refusal.value)), capsys.readouterr().err)
    assert not Path("cleaned.tsv").exists()
