"""What is behind the slices: the greys of an image, on the voxels of the regions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import apply_affine
from nibabel.processing import resample_from_to
from small_spaces import labels_gifti
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast.atlas.spaces import VolumeGrid
from regioncast.viewing import backdrops
from regioncast.viewing.backdrops import backdrop
from regioncast.viewing.volumes import volume_of

LEFT_HANDED = np.array([[-3.0, 0, 0, 4], [0, 0, 2.5, -3], [0, -2.0, 0, 6], [0, 0, 0, 1]])
GREYS = {0, *range(8, 249, 12)}


def atlas_of(affine=OBLIQUE):
    return rc.load_parcellation(image_of(small_labels(), affine))


def noise(shape, seed=0):
    """An image without a 0, brighter along its axes, so that no two corners are alike."""
    ramp = sum(np.indices(shape)) * 10.0
    return (100 + ramp + np.random.default_rng(seed).random(shape)).astype(np.float32)


def between(array, place):
    """The value at a place between eight voxels, each by its share; outside there is 0."""
    low = np.floor(place).astype(int)
    value = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        index = low + corner
        share = np.prod(1 - np.abs(place - index))
        if (index >= 0).all() and (index < array.shape).all():
            value += share * array[tuple(index)]
    return value


STRAIGHT = np.diag([2.0, 3, 4, 1])
MIRRORED = np.diag([-1.5, 2.25, 5, 1])


@pytest.mark.parametrize("of_image", [OBLIQUE, LEFT_HANDED, STRAIGHT, MIRRORED])
@pytest.mark.parametrize("of_atlas", [OBLIQUE, LEFT_HANDED, STRAIGHT])
def test_each_voxel_has_what_the_image_has_at_its_place(of_image, of_atlas):
    # Somewhere in the middle of the atlas, and not all of it.
    grid = atlas_of(of_atlas).space
    of_image = of_image.copy()
    of_image[:3, 3] += apply_affine(grid.affine, [2, 1, 1]) - apply_affine(of_image, [3, 2, 2])
    image = image_of(noise((7, 5, 6)), of_image)
    got = backdrops._on_grid(np.asarray(image.dataobj), VolumeGrid.of(image), grid)
    to_image = np.linalg.inv(of_image) @ grid.affine
    for index in np.ndindex(*grid.shape):
        place = apply_affine(to_image, index)
        assert got[index] == pytest.approx(between(np.asarray(image.dataobj), place), abs=1e-2)
    theirs = resample_from_to(image, (grid.shape, grid.affine), order=1, mode="grid-constant")
    np.testing.assert_allclose(got, np.asarray(theirs.dataobj), atol=1e-2)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@given(
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    steps=st.tuples(*[st.sampled_from([-2, -1, -0.5, 0.5, 0.75, 1, 3])] * 3),
    start=st.tuples(*[st.floats(-4, 8)] * 3),
)
def test_axis_after_axis_is_the_same_as_all_at_once(dtype, shape, steps, start):
    values = (noise((5, 4, 3)) - 90).astype(dtype)
    image, grid = (VolumeGrid.of(image_of(np.ones(n), np.eye(4))) for n in (values.shape, shape))
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = start
    got = backdrops._on_grid(values, image, replace(grid, affine=affine))
    assert (got.shape, got.dtype) == (shape, np.float32)
    np.testing.assert_allclose(got, backdrops._interpolated(values, affine, shape), atol=1e-3)


def test_nilearn_resamples_to_the_same():
    from nilearn.image import resample_to_img

    atlas = rc.load_parcellation(rc.demo_data().atlas)
    template = nib.load(backdrops._template())
    labels = nib.load(rc.demo_data().atlas)
    theirs = resample_to_img(
        template, labels, interpolation="linear", force_resample=True, copy_header=True
    ).get_fdata()
    ours = backdrop("mni152", atlas)
    assert ours.name == "MNI152 (2009, T1)"
    # Greys go up with what is there.
    order = np.argsort(theirs[ours.greys > 0], kind="stable")
    assert (np.diff(theirs[ours.greys > 0][order]) >= 0).all()
    assert (np.diff(ours.greys[ours.greys > 0][order].astype(int)) >= -12).all()
    assert np.corrcoef(theirs[ours.greys > 0], ours.greys[ours.greys > 0])[0, 1] > 0.97
    assert (theirs[ours.greys == 0] < 0.06 * theirs.max()).all()


def test_the_whole_brain_is_there_where_regions_are_few():
    atlas = rc.load_parcellation(rc.demo_data().atlas).select([1, 2])
    greys = backdrop("mni152", atlas).greys
    assert greys.shape == atlas.space.shape
    volume = volume_of(atlas, greys)
    assert (volume.greys > 0).sum() == (greys > 0).sum() > 50 * (volume.codes > 0).sum()


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.uint8, np.int16, np.float32, np.float64]))
def test_greys_are_few_and_in_the_order_of_the_values(seed, dtype):
    rng = np.random.default_rng(seed)
    values = (rng.random((6, 5, 4)) * 200 - (100 if dtype != np.uint8 else 0)).astype(dtype)
    greys = backdrops._greys(values.astype(np.float32))
    assert set(np.unique(greys).tolist()) <= GREYS
    is_there = greys > 0
    order = np.argsort(values[is_there], kind="stable")
    assert (np.diff(greys[is_there][order].astype(int)) >= 0).all()
    assert not greys[values == 0].any()


def test_a_few_bright_voxels_leave_the_contrast_to_others():
    values = noise((20, 20, 20))
    values[3, 3, 3] = 1e6
    greys = backdrops._greys(values)
    assert len(np.unique(greys)) == 21
    assert greys[3, 3, 3] == 248


def test_the_noise_of_air_is_nothing():
    values = noise((10, 10, 10))
    values[:5] = np.random.default_rng(1).random((5, 10, 10))
    greys = backdrops._greys(values)
    assert not greys[:5].any()
    assert greys[5:].all()


def test_a_mask_is_bright_and_nothing_is_not_there():
    values = np.zeros((4, 5, 6), np.float32)
    assert not backdrops._greys(values).any()
    values[1:3] = 1
    assert set(np.unique(backdrops._greys(values))) <= {0, 8, 248}
    assert (backdrops._greys(values) > 0).sum() == 60


def test_what_is_not_finite_is_nothing():
    values = noise((6, 5, 4))
    values[0], values[1, 1, 1] = np.nan, np.inf
    greys = backdrop(image_of(values), atlas_of()).greys
    assert not greys[0].any()
    assert greys[1, 1, 1] == 0
    assert greys[3:].all()


def test_codes_and_greys_stay_together():
    """Turned and cropped alike: the grey of a voxel is that of the image at its place."""
    atlas = atlas_of(LEFT_HANDED)
    values = noise(atlas.space.shape)
    values[:, :, 0] = 0
    background = backdrop(image_of(values, LEFT_HANDED), atlas)
    volume = volume_of(atlas, background.greys)
    assert volume.codes.shape == volume.greys.shape
    inverse = np.linalg.inv(atlas.space.affine)
    for index in np.argwhere((volume.codes > 0) | (volume.greys > 0)):
        place = tuple(np.rint(apply_affine(inverse @ volume.affine, index)).astype(int))
        assert volume.greys[tuple(index)] == background.greys[place]
        assert volume.codes[tuple(index)] == atlas.codes[place]
    assert (volume.greys > 0).sum() == (background.greys > 0).sum()


def test_an_image_in_a_file_has_its_name(tmp_path):
    path = tmp_path / "sub-1_T1w.nii.gz"
    nib.save(image_of(noise((6, 5, 4, 1))), path)
    assert backdrop(path, atlas_of()).name == "sub-1_T1w.nii.gz"
    assert backdrop(str(path), atlas_of()).name == "sub-1_T1w.nii.gz"
    assert backdrop(image_of(noise((6, 5, 4))), atlas_of()).name == "image in memory"
    assert backdrop(None, atlas_of()) is None


def test_what_cannot_be_behind_slices_is_refused(tmp_path, monkeypatch):
    atlas = atlas_of()
    with pytest.raises(rc.errors.DimensionError, match=r"3D and you provided a 4D.*background"):
        backdrop(image_of(noise((6, 5, 4, 2))), atlas)
    elsewhere = OBLIQUE.copy()
    elsewhere[:3, 3] += 500
    with pytest.raises(rc.errors.SpaceError, match=r"has nothing where the regions are.*mm"):
        backdrop(image_of(noise((6, 5, 4)), elsewhere), atlas)
    for nothing in (0, np.nan, np.inf):
        with pytest.raises(rc.errors.ImageTypeError, match="all its voxels are 0, NaN or inf"):
            backdrop(image_of(np.full((6, 5, 4), nothing, np.float32)), atlas)
    surface = rc.load_parcellation(labels_gifti("L"))
    with pytest.raises(rc.errors.SpaceError, match=r"behind slices.*made of vertices"):
        backdrop("mni152", surface)
    with pytest.raises(rc.errors.ImageTypeError, match="image in memory, is complex"):
        backdrop(image_of(np.ones((6, 5, 4), np.complex64)), atlas)
    with pytest.raises(rc.errors.InputMissingError, match="background does not exist"):
        backdrop(tmp_path / "none.nii", atlas)
    monkeypatch.setattr(backdrops, "package_file", lambda package, name: None)
    with pytest.raises(rc.errors.MissingPackageError, match=r"pip install 'regioncast\[nilearn\]'"):
        backdrop("MNI152", atlas)
