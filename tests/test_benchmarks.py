"""The benchmarks run, and compare like with like."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import nibabel as nib
import numpy as np
import pytest

import regioncast as rc
from regioncast import signals_to_img_labels

pytest.importorskip("scipy", reason="the benchmarks' atlases are made with SciPy")
if not sys.platform.startswith("linux"):
    pytest.skip("peak memory is read from /proc", allow_module_level=True)

from benchmarks import (
    atlases,
    chunked,
    cifti,
    cohort,
    earlier,
    extraction,
    measure,
    painting,
    saving,
    viewing,
)


def test_every_benchmark_yields_a_finite_ratio_with_its_title():
    rows = [*painting.quick(), *saving.quick(), *extraction.quick(), *cifti.quick()]
    assert len(rows) >= 65
    # Small images may fit into memory that the process already has.
    assert all(row.ratio > 0 or "memory" in row.title for row in rows)
    assert all(np.isfinite(row.ratio) and row.ratio >= 0 for row in rows)
    assert len({row.title for row in rows}) == len(rows)


def test_cohorts_are_measured():
    rows = list(cohort.quick())
    assert all(np.isfinite(row.ratio) and row.ratio > 0 for row in rows)
    assert len({row.title for row in rows}) == len(rows)


def test_pages_are_measured_as_they_are_made(capsys):
    rows = list(viewing.quick())
    assert all(np.isfinite(row.ratio) and row.ratio > 0 for row in rows)
    assert not any(row.is_missed for row in rows if "bytes" in row.title)
    is_drawn = any("next map" in row.title for row in rows)
    assert is_drawn != ("chromium is absent" in capsys.readouterr().err)


def test_what_is_absent_is_said(monkeypatch, capsys):
    monkeypatch.setattr(viewing.shutil, "which", lambda program: None)
    assert not viewing.is_there("chromium")
    assert not viewing.is_there("no_such_package")
    assert capsys.readouterr().err == (
        "chromium is absent: what needs it is not measured\n"
        "no_such_package is absent: what needs it is not measured\n"
    )


def test_the_atlases_of_pages_have_as_many_regions_as_they_say():
    assert len(viewing.desikan()) == 2 * viewing.REGIONS_OF_DESIKAN
    fine = viewing.millimetre_atlas()
    assert len(fine) == 796
    np.testing.assert_allclose(np.linalg.norm(fine.space.affine[:3, :3], axis=0), 1)
    # The regions stay where those of the demo are.
    demo = viewing.schaefer()
    assert fine.counts.sum() / 8 == pytest.approx(demo.counts.sum(), rel=0.2)
    middles = [(a.counts @ a.centroids) / a.counts.sum() for a in (fine, demo)]
    np.testing.assert_allclose(*middles, atol=2)


def test_painting_beside_an_earlier_version_yields_a_ratio_for_labels_of_each_kind():
    small = ((9, 8, 7), (12, 9, 8)), (5, 9, 12, 20)
    rows = list(earlier.encoding(sys.executable, *small, repeats=1))
    assert len(rows) == len({row.title for row in rows}) >= 16
    assert all(row.ratio > 0 for row in rows)


def test_what_is_compared_with_nilearn_is_equal():
    import nilearn.regions

    labels = atlases.brain((17, 22, 13), 40)
    signals = np.random.default_rng(1).standard_normal((3, 40))
    ours, theirs = (
        np.asanyarray(paint(signals, labels).dataobj)
        for paint in (signals_to_img_labels, nilearn.regions.signals_to_img_labels)
    )
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_what_is_extracted_beside_nilearn_is_equal(tmp_path, strategy):
    labels = atlases.brain((17, 22, 13), 40)
    path = tmp_path / "noise.nii.gz"
    nib.save(extraction.noise((17, 22, 13), 6, np.int16), path)
    ours = rc.extract(path, labels, strategy=strategy).values
    np.testing.assert_allclose(ours, extraction.by_nilearn(path, labels, strategy), rtol=1e-12)


def test_what_is_extracted_from_cifti_beside_numpy_is_equal(tmp_path):
    labels, series = cifti.files(tmp_path, (70, 61, 8), 5)
    atlas = rc.load_parcellation(labels)
    ours = rc.extract(series, atlas).values
    assert len(atlas) == 8
    np.testing.assert_allclose(ours, cifti.by_numpy(series, atlas.codes), rtol=1e-12)


def test_a_long_series_is_the_file_that_it_says(tmp_path):
    path = tmp_path / "noise.nii.gz"
    extraction.write_long_series(path, (7, 5, 6), 60)
    few = extraction.noise((7, 5, 6), 20, np.int16)
    data = np.asanyarray(nib.load(path).dataobj)
    np.testing.assert_array_equal(data, np.tile(few.dataobj, 3))


@pytest.mark.parametrize("scattered", [False, True])
def test_supervoxels_are_cubes_with_labels_of_their_own(scattered):
    labels = atlases.supervoxels((9, 6, 5), 2, scattered=scattered)
    data = np.asanyarray(labels.dataobj)
    assert atlases.n_regions_of(labels) == 5 * 3 * 3
    assert (data[:8:2] == data[1:8:2]).all()
    assert isinstance(labels, nib.Nifti1Image)
    assert not scattered or data.min() > 2**40


def test_peak_memory_sees_what_is_allocated():
    peak = measure.peak_memory("import numpy as np", "np.ones(50_000_000, np.uint8)")
    assert 50e6 <= peak < 60e6


OF_OURS, OF_DASK = ("0", "labels/atlas/0"), ("dask.zarr", "dask_labels.zarr")


class Client:
    """What the benchmarks ask of a cluster, done by threads of this process."""

    def __init__(self, executor):
        self.executor = executor

    def get_executor(self):
        return self.executor

    def compute(self, lazy):
        return self.executor.submit(lazy.compute)


def test_what_is_done_in_chunks_beside_dask_and_flox_is_equal(tmp_path):
    pytest.importorskip("flox")
    import zarr

    arrays = chunked.made(tmp_path, (70, 50, 64), node=64)
    with ThreadPoolExecutor(2) as executor:
        client = Client(executor)
        ours = chunked.reduce_by_us(arrays)(client).values[0]
        theirs = chunked.reduce_by_flox(arrays)(client)[1:]
        chunked.paint_by_us(arrays)(client)
        map_and_labels = [zarr.open(tmp_path / "map.ome.zarr")[name][...] for name in OF_OURS]
        for paint in (chunked.paint_by_table, chunked.paint_by_search):
            paint(arrays)(client)
            for mine, name in zip(map_and_labels, OF_DASK, strict=True):
                np.testing.assert_array_equal(mine, zarr.open(tmp_path / name, mode="r")[...])
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.isfinite(ours).sum() > 100
