"""Several atlases in one pass over an image: the bits and the errors of each by itself."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from small_spaces import N_VERTICES, brain_models, dense, dlabel, labels_gifti, maps_gifti
from small_volumes import OBLIQUE, assert_bits, image_of, small_labels

import regioncast as rc
from regioncast.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputMissingError,
    LabelsError,
    MaskWarning,
    RegioncastError,
    ResamplingWarning,
    SpaceError,
)
from regioncast.io.cifti import maps as cifti_maps

SHAPE = (*small_labels().shape, 9)

STRATEGIES = [
    "mean", "median", "sum", "minimum", "maximum", "count", "variance", "standard_deviation",
    "mode", "percentile:30", "first_eigenvariate",
]  # fmt: skip


def noise(shape=SHAPE, dtype=np.float32):
    data = (100 + 10 * np.random.default_rng(5).standard_normal(shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        data[0, 1, 2, ..., 3:5], data[1, 3, 1], data[5, 4, 3, 0] = np.nan, np.inf, -np.inf
    return data


def volume_atlases():
    """Regions that overlap from one atlas to the next, two that are the same, and names twice."""
    names = {3: "V1", 7: "V2", 7001: "M1", -2: "S1"}
    first = rc.load_parcellation(image_of(small_labels()), names)
    slabs = np.zeros(SHAPE[:3], np.uint8)
    slabs[:, :2], slabs[2:5, 1:4, ::2], slabs[:, 4] = 9, 4, 200
    second = rc.load_parcellation(image_of(slabs), {9: "V1", 4: "V2", 200: "V3"})
    fine = np.arange(1, np.prod(SHAPE[:3]) + 1).reshape(SHAPE[:3])
    return {
        "first": first, "second": second, "again": first,
        "fine": rc.load_parcellation(image_of(fine.astype(np.int32))),
        "one": rc.load_parcellation(image_of((slabs > 0).astype(np.uint8))),
    }  # fmt: skip


def assert_one_pass(image, atlases, strategy=STRATEGIES, **options):
    """One pass has the bits, keys, coverage, times and origins of an extraction of each."""
    together = rc.extract(image, atlases, strategy=strategy, **options)
    assert list(together) == list(atlases)
    for name, atlas in atlases.items():
        alone = rc.extract(image, atlas, strategy=strategy, **options)
        if not isinstance(strategy, list):
            alone, together[name] = {"": alone}, {"": together[name]}
        assert list(together[name]) == list(alone)
        for title, signals in alone.items():
            ours = together[name][title]
            assert_bits(ours.values, signals.values)
            assert (ours.keys, ours.labels, ours.map_names) == (
                signals.keys, signals.labels, signals.map_names,
            )  # fmt: skip
            assert (ours.t_r, ours.single) == (signals.t_r, signals.single)
            assert ours.origin == signals.origin
            pd.testing.assert_frame_equal(ours.coverage.to_pandas(), signals.coverage.to_pandas())


def volume(where, tmp_path, dtype=np.float32):
    """An image of maps in memory or in files."""
    data = noise(dtype=dtype)
    maps = [image_of(np.ascontiguousarray(data[..., n])) for n in range(SHAPE[3])]
    if where in ("C", "F"):
        return image_of(np.asarray(data, order=where))
    if where == "list":
        return maps
    if where == "pattern":
        for number, one in enumerate(maps):
            nib.save(one, tmp_path / f"sub-{number}_bold.nii.gz")
        return str(tmp_path / "sub-*_bold.nii.gz")
    path = tmp_path / f"x{where}"
    nib.save(image_of(data), path)
    return path


@pytest.mark.parametrize("where", ["C", "F", "list", "pattern", ".nii", ".nii.gz", ".mgz"])
def test_volumes(tmp_path, where):
    assert_one_pass(volume(where, tmp_path), volume_atlases())


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float64])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_dtypes_and_threads(tmp_path, dtype, n_jobs):
    assert_one_pass(volume(".nii.gz", tmp_path, dtype), volume_atlases(), n_jobs=n_jobs)


def test_one_map():
    one = image_of(noise()[..., 0])
    assert_one_pass(one, volume_atlases(), STRATEGIES[:-1])


def test_one_strategy_and_functions(tmp_path):
    image, atlases = volume(".nii.gz", tmp_path, np.int16), volume_atlases()
    assert_one_pass(image, atlases, "mean")
    assert_one_pass(image, atlases, range_of_maps)
    assert_one_pass(image, atlases, ["mean", range_of_maps])


def range_of_maps(samples):
    return samples.max(axis=0) - samples.min(axis=0)


@pytest.mark.parametrize("nan", ["omit", "propagate", "zero"])
def test_masks_weights_and_coverage(tmp_path, nan):
    mask = np.ones(SHAPE[:3], np.uint8)
    mask[::3] = 0
    weights = image_of(np.random.default_rng(1).random(SHAPE[:3]))
    atlases = {name: volume_atlases()[name] for name in ("second", "one")}
    strategies = ["mean", "sum", "variance", "standard_deviation"]
    options = {"mask": image_of(mask), "weights": weights, "min_coverage": 0.7, "nan": nan}
    assert_one_pass(volume(".nii.gz", tmp_path), atlases, strategies, **options)


def test_a_mask_that_empties_regions_of_some_atlases():
    mask = np.ones(SHAPE[:3], np.uint8)
    mask[5] = 0
    atlases = {name: volume_atlases()[name] for name in ("first", "one")}
    with pytest.warns(MaskWarning):
        assert_one_pass(image_of(noise()), atlases, mask=image_of(mask))


def test_groups():
    table = pd.DataFrame({"index": [3, 7, 7001, -2], "name": list("abcd"), "lobe": list("xyxy")})
    other = table.assign(lobe=["z", "z", "z", "u"])
    labels = image_of(small_labels())
    atlases = {
        name: rc.load_parcellation(labels, regions)
        for name, regions in {"A": table, "B": other}.items()
    }
    assert_one_pass(image_of(noise()), atlases, by="lobe")


def test_atlases_of_several_grids():
    """Each is brought to the grid of the image by itself."""
    atlases = {"same": volume_atlases()["first"]}
    for name, scale in {"coarse": 2, "fine": 0.5}.items():
        affine = OBLIQUE.copy()
        affine[:, :3] *= scale
        shape = np.ceil(np.array(SHAPE[:3]) / scale).astype(int)
        labels = 1 + np.arange(np.prod(shape)).reshape(shape) // 17
        atlases[name] = rc.load_parcellation(image_of(labels.astype(np.int32), affine))
    with pytest.warns(ResamplingWarning, match=r"^(Atlas 'fine': )?27 regions of 57 have no vox"):
        assert_one_pass(image_of(noise()), atlases, resample="labels")


def test_cleaning(tmp_path):
    pytest.importorskip("nilearn")
    data = np.concatenate([noise(dtype=np.int16)] * 4, axis=3)
    image = image_of(data)
    image.header.set_zooms((2, 2.5, 3, 2))
    image.header.set_xyzt_units("mm", "sec")
    path = tmp_path / "x_bold.nii.gz"
    nib.save(image, path)
    confounds = np.random.default_rng(2).standard_normal((data.shape[3], 3))
    assert_one_pass(
        path, volume_atlases(), ["mean", "sum"], confounds=confounds, detrend=True,
        standardize="zscore_sample", low_pass=0.2,
    )  # fmt: skip


def test_surfaces(tmp_path):
    other = {side: np.arange(n, dtype=np.int32) % 5 for side, n in N_VERTICES.items()}
    sides = {"L": "left", "R": "right"}
    image = {}
    for side, word in sides.items():
        maps = np.random.default_rng(3).standard_normal((9, N_VERTICES[side])).astype(np.float32)
        image[word] = str(tmp_path / f"x.{side}.func.gii")
        nib.save(maps_gifti(side, maps), image[word])
    atlases = {
        "A": {word: labels_gifti(side) for side, word in sides.items()},
        "B": {
            word: labels_gifti(side, other[side], {n: f"{side}{n}" for n in range(1, 5)})
            for side, word in sides.items()
        },
    }
    assert_one_pass(image, atlases)
    assert_one_pass(image["left"], {name: pair["left"] for name, pair in atlases.items()})


@pytest.mark.parametrize("bytes_at_once", [12_000_000, 2_000])
@pytest.mark.parametrize("suffix", [".dtseries.nii", None])
def test_grayordinates_a_portion_at_a_time(tmp_path, monkeypatch, bytes_at_once, suffix):
    """So small that regions of each atlas are of many portions."""
    monkeypatch.setattr(cifti_maps, "_PORTION_BYTES", bytes_at_once)
    axis = brain_models()
    rng = np.random.default_rng(4)
    image = dense(rng.standard_normal((9, len(axis))).astype(np.float32), axis, t_r=0.72)
    if suffix is not None:
        path = tmp_path / f"x{suffix}"
        nib.save(image, path)
        image = path
    names = {n: f"region {n}" for n in range(1, 9)}
    keys = {"A": 1 + np.arange(len(axis)) * 8 // len(axis), "B": 1 + np.arange(len(axis)) % 8}
    atlases = {name: dlabel(of_atlas, names, axis) for name, of_atlas in keys.items()}
    assert_one_pass(image, atlases)
    assert_one_pass(image, atlases, ["mean", range_of_maps])


# --- what is one atlas, and what is wrong ------------------------------------------------------


def test_hemispheres_and_fetched_atlases_are_one_atlas():
    sides = {"left": labels_gifti("L"), "right": labels_gifti("R")}
    image = {
        word: maps_gifti(side, np.ones((1, N_VERTICES[side]), np.float32))
        for side, word in {"L": "left", "R": "right"}.items()
    }
    assert isinstance(rc.extract(image, sides), rc.Signals)
    names = pd.DataFrame({"index": [-2, 3, 7, 7001], "name": list("abcd")})
    fetched = {"maps": image_of(small_labels()), "lut": names}
    assert isinstance(rc.extract(image_of(noise()), fetched), rc.Signals)
    both = rc.extract(image_of(noise()), {"F": fetched, "G": volume_atlases()["first"]})
    assert both["F"].keys == ("a", "b", "c", "d")


def test_no_atlas_is_refused():
    with pytest.raises(ArgumentError, match=r"^There is no atlas: the mapping of atlases is empty"):
        rc.extract(image_of(noise()), {})


def test_atlases_are_named_by_text():
    with pytest.raises(ArgumentTypeError, match=r"1 name of 2 is none: 7\.$"):
        rc.extract(image_of(noise()), {7: image_of(small_labels()), "A": image_of(small_labels())})


def _wrong(what, tmp_path):
    """An atlas that is wrong, and options with which it is."""
    labels = small_labels()
    if what == "grid":
        return image_of(labels[:4]), {}
    if what == "far":
        affine = OBLIQUE.copy()
        affine[:3, 3] += 1000
        return image_of(labels, affine), {"resample": "labels"}
    if what == "empty":
        return image_of(np.zeros_like(labels)), {}
    if what == "floats":
        return image_of(labels + np.float32(0.5)), {}
    if what == "missing":
        return tmp_path / "none_dseg.nii.gz", {}
    if what == "column":
        return image_of(labels), {"by": "lobe"}
    mask = np.ones(labels.shape, np.uint8)
    mask[5] = 0
    return image_of(np.where(labels == -2, labels, 0)), {"mask": image_of(mask)}


@pytest.mark.filterwarnings("ignore::regioncast.errors.MaskWarning")
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("grid", SpaceError), ("far", LabelsError), ("empty", LabelsError), ("floats", LabelsError),
        ("missing", InputMissingError), ("column", RegioncastError), ("masked", LabelsError),
    ],
)  # fmt: skip
def test_errors_say_which_atlas_they_are_about(tmp_path, what, error):
    wrong, options = _wrong(what, tmp_path)
    table = pd.DataFrame({"index": [3, 7, 7001, -2], "name": list("abcd"), "lobe": list("xyxy")})
    right = rc.load_parcellation(image_of(small_labels()), table)
    image = image_of(noise())
    with pytest.raises(error) as alone:
        rc.extract(image, wrong, **options)
    with pytest.raises(error) as together:
        rc.extract(image, {"A": right, "B": wrong}, **options)
    assert type(together.value) is type(alone.value)
    assert str(together.value) == f"Atlas 'B': {alone.value}"


def test_errors_of_the_image_name_no_atlas(tmp_path):
    atlases = volume_atlases()
    with pytest.raises(InputMissingError) as error:
        rc.extract(Path(tmp_path) / "none.nii.gz", atlases)
    assert "Atlas" not in str(error.value)
