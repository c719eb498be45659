"""``patch_nilearn``: what is exchanged, where, for how long, and what the maskers then give."""

from __future__ import annotations

import operator
import subprocess
import sys
import types
import warnings

import joblib
import nibabel as nib
import nilearn.maskers
import nilearn.regions
import numpy as np
import pytest
from nilearn.regions import signal_extraction

import regioncast as rc
from regioncast.errors import MissingPackageError, PackageVersionError
from regioncast.nilearn import patch as nilearn_patch

NAMES = ["img_to_signals_labels", "signals_to_img_labels"]
THEIRS = {name: getattr(nilearn.regions, name) for name in NAMES}
AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])


@pytest.fixture(autouse=True)
def _unpatched():
    yield
    rc.unpatch_nilearn()
    assert holders("nilearn.regions.signal_extraction") == [THEIRS[name] for name in NAMES]


def holders(*modules):
    return [getattr(sys.modules[module], name) for module in modules for name in NAMES]


def is_patched():
    found = holders("nilearn.regions", "nilearn.regions.signal_extraction")
    ours = [getattr(rc, name) for name in NAMES] * 2
    theirs = list(THEIRS.values()) * 2
    assert found in (ours, theirs), "patched everywhere or nowhere"
    return found == ours


@pytest.fixture
def labels_img():
    """Labels 3, 7001 and 12, in a volume that is no cube."""
    labels = np.zeros((9, 8, 7), np.int16)
    labels[:3], labels[3:6, 4:], labels[7:] = 3, 7001, 12
    return nib.Nifti1Image(labels, AFFINE)


@pytest.fixture
def imgs(labels_img):
    numbers = np.random.default_rng(3).standard_normal((*labels_img.shape, 12))
    return nib.Nifti1Image(numbers.astype(np.float32), AFFINE)


# --- what is exchanged --------------------------------------------------------------------


def test_one_call_patches_and_the_other_undoes_it():
    assert not is_patched()
    rc.patch_nilearn()
    assert is_patched()
    rc.unpatch_nilearn()
    assert not is_patched()


def test_once_is_enough_and_twice_is_the_same():
    for _ in range(2):
        rc.patch_nilearn()
        assert is_patched()
    for _ in range(2):
        rc.unpatch_nilearn()
        assert not is_patched()


def test_undoing_what_was_never_done_is_nothing():
    rc.unpatch_nilearn()
    assert not is_patched()


def test_all_else_in_nilearn_is_as_before():
    def everything():
        return {
            (module, name): id(value)
            for module in sorted(sys.modules)
            if module.partition(".")[0] == "nilearn"
            for name, value in vars(sys.modules[module]).items()
        }

    rc.patch_nilearn()  # and what it imports
    rc.unpatch_nilearn()
    before = everything()
    with rc.patch_nilearn():
        during = everything()
    assert everything() == before
    changed = {name for (_, name), value in during.items() if before[_, name] != value}
    assert changed == {*NAMES, "delayed"}


def test_modules_of_nilearn_that_hold_the_functions_are_patched_too(monkeypatch):
    late = types.ModuleType("nilearn.late")
    late.renamed = THEIRS["img_to_signals_labels"]
    monkeypatch.setitem(sys.modules, "nilearn.late", late)
    monkeypatch.setitem(sys.modules, "nilearn.forbidden", None)
    with rc.patch_nilearn():
        assert late.renamed is rc.img_to_signals_labels
        late.imported_meanwhile = nilearn.regions.signals_to_img_labels
    assert late.renamed is THEIRS["img_to_signals_labels"]
    assert late.imported_meanwhile is THEIRS["signals_to_img_labels"]


def test_modules_of_others_keep_what_they_imported(monkeypatch):
    other = types.ModuleType("pipeline")
    other.extract = THEIRS["img_to_signals_labels"]
    monkeypatch.setitem(sys.modules, "pipeline", other)
    with rc.patch_nilearn():
        assert other.extract is THEIRS["img_to_signals_labels"]


# --- for how long -------------------------------------------------------------------------


def test_a_with_block_is_patched_and_nothing_after_it():
    with rc.patch_nilearn():
        assert is_patched()
    assert not is_patched()


def test_an_error_in_the_block_undoes_the_patch():
    with pytest.raises(ZeroDivisionError), rc.patch_nilearn():
        1 / 0  # noqa: B018
    assert not is_patched()


def test_an_inner_block_leaves_the_outer_one_patched():
    with rc.patch_nilearn():
        with rc.patch_nilearn():
            assert is_patched()
        assert is_patched()
    assert not is_patched()


def test_a_block_in_a_patched_program_leaves_it_patched():
    rc.patch_nilearn()
    with rc.patch_nilearn():
        pass
    assert is_patched()


# --- what the maskers give ----------------------------------------------------------------


@pytest.fixture
def calls(monkeypatch):
    """Names of our functions in the order in which they were called."""
    made = []

    def recorded(name):
        ours = getattr(nilearn_patch, name)

        def recording(*args, **kwargs):
            made.append(name)
            return ours(*args, **kwargs)

        return recording

    for name in NAMES:
        monkeypatch.setattr(nilearn_patch, name, recorded(name))
    return made


@pytest.mark.parametrize("masker_class", ["NiftiLabelsMasker", "MultiNiftiLabelsMasker"])
@pytest.mark.parametrize("strategy", ["mean", "median", "standard_deviation"])
def test_label_maskers_use_our_functions_and_give_the_same(
    labels_img, imgs, calls, masker_class, strategy
):
    masker = getattr(nilearn.maskers, masker_class)(
        labels_img, strategy=strategy, standardize=None, reports=False
    )
    theirs = masker.fit_transform(imgs)
    their_image = masker.inverse_transform(theirs)
    assert not calls
    with rc.patch_nilearn():
        ours = masker.fit_transform(imgs)
        our_image = masker.inverse_transform(ours)
    assert calls == NAMES
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(our_image.get_fdata(), their_image.get_fdata(), rtol=1e-5)


def test_the_way_through_a_masker_and_back_is_exact(labels_img):
    signals = np.random.default_rng(5).standard_normal((6, 3))
    masker = nilearn.maskers.NiftiLabelsMasker(labels_img, standardize=None, reports=False)
    with rc.patch_nilearn():
        image = masker.fit().inverse_transform(signals)
        np.testing.assert_array_equal(masker.transform(image), signals)


def test_maskers_tell_of_labels_that_a_mask_removes(labels_img, imgs):
    mask = (np.asarray(labels_img.dataobj) != 3).astype(np.uint8)
    masker = nilearn.maskers.NiftiLabelsMasker(
        labels_img, mask_img=nib.Nifti1Image(mask, AFFINE), standardize=None, reports=False
    )
    with rc.patch_nilearn(), pytest.warns(UserWarning, match=r"labels were removed: \{3\}\."):
        assert masker.fit_transform(imgs).shape == (12, 2)
    assert masker.region_atlas_.get_data_dtype() == np.int32


def test_real_images_go_through_a_patched_masker(demo_folder):
    """A real map on its own grid: nilearn resamples the atlas, and ours extracts."""
    masker = nilearn.maskers.NiftiLabelsMasker("atlas_dseg.nii.gz", standardize=None, reports=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = masker.fit_transform("stat_map.nii.gz")
        with rc.patch_nilearn():
            ours = masker.fit_transform("stat_map.nii.gz")
    assert ours.shape == (100,)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_processes_that_nilearn_starts_are_patched_as_long_as_this_one(labels_img, imgs):
    which = operator.attrgetter("signal_extraction.img_to_signals_labels.__module__")
    mixin = sys.modules["nilearn.maskers._mixin"]

    def in_workers():
        tasks = (mixin.delayed(which)(nilearn.regions) for _ in range(2))
        return set(joblib.Parallel(n_jobs=2)(tasks))

    with rc.patch_nilearn():
        assert in_workers() == {"regioncast.nilearn.regions"}
        masker = nilearn.maskers.MultiNiftiLabelsMasker(
            labels_img, standardize=None, reports=False, n_jobs=2
        )
        ours = masker.fit_transform([imgs, imgs])
    assert in_workers() == {"nilearn.regions.signal_extraction"}
    theirs = masker.fit_transform([imgs, imgs])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


# --- nilearns that cannot be patched ------------------------------------------------------


@pytest.mark.parametrize("version", ["0.13.1", "0.15.0", "0.15.0.dev0", "1.14.0"])
def test_other_versions_are_refused(monkeypatch, version):
    monkeypatch.setattr(nilearn, "__version__", version)
    with pytest.raises(PackageVersionError, match=rf"nilearn {version} cannot be patched: .*0\.14"):
        rc.patch_nilearn()
    assert signal_extraction.img_to_signals_labels is THEIRS["img_to_signals_labels"]


@pytest.mark.parametrize("version", ["0.14.0", "0.14.7", "0.14.2.dev0"])
def test_all_of_014_are_known(monkeypatch, version):
    monkeypatch.setattr(nilearn, "__version__", version)
    with rc.patch_nilearn():
        assert is_patched()


def test_without_nilearn_an_error_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "nilearn", None)
    with pytest.raises(MissingPackageError, match=r"no nilearn to patch.*pip install nilearn"):
        rc.patch_nilearn()


def test_importing_regioncast_imports_no_nilearn():
    code = (
        "import sys, regioncast; regioncast.img_to_signals_labels; regioncast.unpatch_nilearn(); "
        "sys.exit('nilearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
