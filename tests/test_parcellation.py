"""A parcellation is the labels image and the table of its regions, whatever holds them."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regioncast as rc
from regioncast.atlas.parcellation import Parcellation
from regioncast.errors import (
    ArgumentError,
    LabelsError,
    LabelsWarning,
    MaskWarning,
    RegionTableError,
    RegionTableWarning,
    SpaceError,
)

SHAPE = (5, 3, 7)
# Oblique, of unequal voxel sizes, left-handed.
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0.2, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])
VOLUME = abs(np.linalg.det(AFFINE[:3, :3]))
LABELS = [3, 20, 1007]
NAMES = ["V1", "V2", "MT"]
TABLE = pd.DataFrame({"index": LABELS, "name": NAMES, "side": ["L", "R", "L"]})

LABEL_DTYPES = [
    np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64,
    np.float32, np.float64,
]  # fmt: skip


def labels_data(labels=LABELS, dtype=np.int16, seed=0):
    voxels = np.resize([0, *labels], np.prod(SHAPE)).astype(dtype)
    return np.random.default_rng(seed).permutation(voxels).reshape(SHAPE)


def image_of(data, affine=AFFINE):
    return nib.Nifti1Image(data, affine, dtype=data.dtype)


@st.composite
def labels_arrays(draw):
    """Labels of any dtype, in either memory order, with 0 and at least one region."""
    dtype = np.dtype(draw(st.sampled_from(LABEL_DTYPES)))
    low, high = (-(2**53), 2**53)
    if dtype.kind != "f":
        low, high = max(low, np.iinfo(dtype).min), min(2**62, np.iinfo(dtype).max)
    elif dtype.itemsize == 4:
        low, high = -(2**24), 2**24
    labels = draw(
        st.lists(st.integers(low, high).filter(bool), min_size=1, max_size=9, unique=True)
    )
    data = labels_data(labels, dtype, draw(st.integers(0, 99)))
    return np.asarray(data, order=draw(st.sampled_from("CF")))


# --- labels ----------------------------------------------------------------------------------


@given(labels_arrays())
def test_codes_are_the_ranks_of_the_labels(data):
    atlas = rc.load_parcellation(image_of(data))
    found = np.unique(data[data != 0])
    np.testing.assert_array_equal(atlas.table.labels, found.astype(np.int64))
    expected = np.where(data == 0, 0, np.searchsorted(found, data) + 1)
    np.testing.assert_array_equal(atlas.codes, expected)
    assert atlas.table.names == tuple(str(int(label)) for label in found)


@given(labels_arrays())
def test_voxels_volumes_and_centroids_are_those_of_numpy(data):
    frame = rc.load_parcellation(image_of(data)).to_pandas()
    for row in frame.itertuples():
        inside = np.argwhere(data == row[1])
        in_mm = inside @ AFFINE[:3, :3].T + AFFINE[:3, 3]
        assert row.voxels == len(inside)
        assert row.volume_mm3 == pytest.approx(len(inside) * VOLUME)
        np.testing.assert_allclose([row.x, row.y, row.z], in_mm.mean(axis=0), atol=1e-4)


@given(labels_arrays(), st.data())
def test_any_label_may_be_the_background(data, draw):
    background = draw.draw(st.sampled_from(np.unique(data).tolist()))
    atlas = rc.load_parcellation(image_of(data), background=background)
    expected = [int(label) for label in np.unique(data).tolist() if label != background]
    assert atlas.table.labels.tolist() == expected
    assert atlas.counts.sum() == np.count_nonzero(data != background)


@given(labels_arrays())
def test_with_nan_as_background_every_voxel_has_a_region(data):
    atlas = rc.load_parcellation(image_of(data), background=np.nan)
    assert atlas.table.labels.tolist() == [int(label) for label in np.unique(data)]
    assert atlas.counts.sum() == data.size


@given(labels_arrays(), st.sampled_from([".nii", ".nii.gz"]))
def test_a_file_and_an_image_in_memory_are_the_same(tmp_path_factory, data, suffix):
    path = tmp_path_factory.mktemp("files") / f"labels{suffix}"
    nib.save(image_of(data), path)
    for source in (path, str(path), nib.load(path)):
        atlas = rc.load_parcellation(source)
        expected = rc.load_parcellation(image_of(data))
        np.testing.assert_array_equal(atlas.codes, expected.codes)
        assert atlas.table.labels.tolist() == expected.table.labels.tolist()


@pytest.mark.parametrize("error", [1e-3, -1e-3, 1e-9, -5e-4])
def test_labels_almost_integers_are_integers(error):
    data = labels_data(dtype=np.float64)
    atlas = rc.load_parcellation(image_of(data + error * (data != 0) * 0.999))
    assert atlas.table.labels.tolist() == LABELS
    np.testing.assert_array_equal(atlas.codes, rc.load_parcellation(image_of(data)).codes)


def test_labels_scaled_in_the_file_are_integers(tmp_path):
    image = image_of(labels_data([570, 580, 1210]))
    image.header.set_slope_inter(0.1, 0)
    nib.save(image, tmp_path / "scaled.nii")
    stored = np.unique(nib.load(tmp_path / "scaled.nii").dataobj)
    assert (stored != np.rint(stored)).any()  # as 58.00000086
    assert rc.load_parcellation(tmp_path / "scaled.nii").table.labels.tolist() == [57, 58, 121]


@pytest.mark.parametrize("fractions", [[0.5], [1.25, 2.5], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8]])
def test_fractional_labels_raise_with_examples(fractions):
    data = labels_data([*LABELS, *fractions], np.float64)
    with pytest.raises(LabelsError) as caught:
        rc.load_parcellation(image_of(data))
    message = str(caught.value)
    noun = "1 label" if len(fractions) == 1 else f"{len(fractions)} labels"
    assert message.startswith(f"{noun} of the labels image ")
    assert ", ".join(f"{fraction:g}" for fraction in fractions[:5]) in message
    assert ("and 2 more" in message) == (len(fractions) == 7)
    assert "nearest-neighbour" in message


def test_float_labels_too_large_to_be_told_apart_are_not_called_fractions():
    for large in (1e20, 2.0**63, -(2.0**63), 2.0**53 + 2):
        message = rf"is beyond 9,007,199,254,740,992: {int(large)}\. They are stored as float64"
        with pytest.raises(LabelsError, match=message):
            rc.load_parcellation(image_of(labels_data([*LABELS, large], np.float64)))


MERGED = [182305689, 182305693, 182305697, 182305717]  # two numbers as float32


@pytest.mark.parametrize(
    "verb",
    [
        rc.load_parcellation,
        lambda atlas: rc.extract(image_of(labels_data(LABELS, np.float32)), atlas),
        lambda atlas: rc.match(dict.fromkeys(MERGED, 1.0), atlas),
        lambda atlas: rc.paint([1.0, 2.0], atlas),
    ],
    ids=["load_parcellation", "extract", "match", "paint"],
)
def test_labels_that_merged_when_they_were_stored_as_float32_are_refused(verb):
    image = image_of(labels_data(MERGED, np.float32))
    message = (
        r"^2 labels of the labels image are beyond 16,777,216: 182305696, 182305712\. They are "
        "stored as float32, which tells no integers above 16,777,216 apart"
    )
    with pytest.raises(LabelsError, match=message):
        verb(image)
    as_integers = rc.load_parcellation(image_of(labels_data(MERGED, np.int32)))
    assert as_integers.table.labels.tolist() == MERGED


def test_all_integers_that_floats_tell_apart_are_labels():
    for dtype, largest in ((np.float32, 2**24), (np.float64, 2**53)):
        labels = [-largest, -largest + 1, 2**11, 2**23 + 1, largest - 1, largest]
        atlas = rc.load_parcellation(image_of(labels_data(labels, dtype)))
        assert atlas.table.labels.tolist() == labels


def test_an_image_without_a_finite_label_is_not_called_background():
    data = np.full(SHAPE, np.nan)
    with (
        pytest.warns(LabelsWarning, match="105 voxels of the labels image are NaN"),
        pytest.raises(LabelsError, match="no region: no voxel has a label that is finite"),
    ):
        rc.load_parcellation(image_of(data))
    data[2] = 0
    with (
        pytest.warns(LabelsWarning),
        pytest.raises(LabelsError, match="every voxel with a finite label is background"),
    ):
        rc.load_parcellation(image_of(data))


@pytest.mark.parametrize("dtype", LABEL_DTYPES)
@pytest.mark.parametrize("shape", [(0, 3, 7), (5, 0, 7), (5, 3, 0), (0, 0, 0)])
def test_an_image_without_a_voxel_is_said_to_have_none(shape, dtype):
    shown = "×".join(map(str, shape))
    with pytest.raises(LabelsError, match=rf"no region: it has 0 voxels \(its shape is {shown}\)"):
        rc.load_parcellation(image_of(np.zeros(shape, dtype)))


@pytest.mark.parametrize("kinds", [[np.nan], [np.inf], [np.nan, -np.inf]])
def test_labels_that_are_not_finite_are_no_region_and_are_counted(kinds):
    data = labels_data(dtype=np.float32)
    data.reshape(-1)[: len(kinds)] = kinds
    with pytest.warns(
        LabelsWarning, match=f"{len(kinds)} voxels? of the labels image (is|are) NaN"
    ):
        atlas = rc.load_parcellation(image_of(data))
    assert atlas.table.labels.tolist() == LABELS
    assert atlas.counts.sum() == np.count_nonzero(np.isfinite(data) & (data != 0))


# --- the region table ------------------------------------------------------------------------

FREESURFER = "".join(f"{n}  {s}  1 2 3 0\n" for n, s in zip(LABELS, NAMES, strict=True))
ITK = "".join(f'{n} 1 2 3 1 1 1 "{s}"\n' for n, s in zip(LABELS, NAMES, strict=True))
FSL = "<atlas><header><type>Label</type></header><data>{}</data></atlas>".format(
    "".join(f'<label index="{n}">{s}</label>' for n, s in zip(LABELS, NAMES, strict=True))
)
KINDS = {
    "dseg.tsv": TABLE.to_csv(sep="\t", index=False),
    "labels.csv": TABLE.to_csv(index=False),
    "colours.txt": FREESURFER,
    "itk.txt": ITK,
    "fsl.xml": FSL,
    "id_name.txt": "".join(f"{n} {s}\n" for n, s in zip(LABELS, NAMES, strict=True)),
    "names.txt": "\n".join(NAMES),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_each_kind_names_the_regions(tmp_path, kind):
    path = tmp_path / kind
    path.write_text(KINDS[kind])
    for source in (path, str(path)):
        atlas = rc.load_parcellation(image_of(labels_data()), source)
        assert list(atlas) == list(zip(LABELS, NAMES, strict=True))


@pytest.mark.parametrize(
    "source",
    [
        dict(zip(LABELS, NAMES, strict=True)),
        dict(zip(NAMES, LABELS, strict=True)),
        TABLE,
        TABLE[::-1],
        TABLE.set_index("index"),
        NAMES,
        rc.RegionTable(LABELS, NAMES),
    ],
    ids=["labels to names", "names to labels", "frame", "backward", "index", "names", "table"],
)
def test_a_table_in_memory_names_the_regions(source):
    atlas = rc.load_parcellation(image_of(labels_data()), regions=source)
    assert list(atlas) == list(zip(LABELS, NAMES, strict=True))


@pytest.mark.parametrize(
    ("image", "table"),
    [
        ("atlas_dseg.nii.gz", "atlas_dseg.tsv"),
        ("atlas.nii", "atlas.csv"),
        ("sub-1_res-2_space-MNI_dseg.nii.gz", "space-MNI_dseg.tsv"),
        ("aparc+aseg.mgz", "aparc+aseg.txt"),
    ],
)
def test_a_table_beside_the_image_is_found(tmp_path, image, table):
    kind = nib.MGHImage if image.endswith("mgz") else nib.Nifti1Image
    nib.save(kind(labels_data(), AFFINE), tmp_path / image)
    delimiter = "," if table.endswith("csv") else "\t"
    TABLE.to_csv(tmp_path / table, sep=delimiter, index=False)
    atlas = rc.load_parcellation(tmp_path / image)
    assert list(atlas) == list(zip(LABELS, NAMES, strict=True))
    assert atlas.table.columns == {"side": ("L", "R", "L")}


def test_a_table_that_is_given_comes_before_the_one_beside(tmp_path):
    nib.save(image_of(labels_data()), tmp_path / "atlas.nii")
    TABLE.to_csv(tmp_path / "atlas.tsv", sep="\t", index=False)
    atlas = rc.load_parcellation(tmp_path / "atlas.nii", ["A", "B", "C"])
    assert atlas.table.names == ("A", "B", "C")


def label_table(labels, names):
    rows = "".join(
        f'<Label Key="{label}" Red="1" Green="0.5" Blue="0" Alpha="1">{name}</Label>'
        for label, name in zip(labels, names, strict=True)
    )
    xml = f"<CaretExtension><VolumeInformation><LabelTable>{rows}</LabelTable>"
    return (xml + "</VolumeInformation></CaretExtension>").encode()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_label_table_inside_the_volume_is_found(tmp_path, suffix):
    image = image_of(labels_data())
    xml = label_table([0, *LABELS], ["???", *NAMES])
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"a comment"))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(30, xml))
    nib.save(image, tmp_path / f"atlas{suffix}")
    for source in (tmp_path / f"atlas{suffix}", image):
        atlas = rc.load_parcellation(source)
        assert list(atlas) == list(zip(LABELS, NAMES, strict=True))
        assert atlas.table.columns == {"color": ("#ff8000",) * 3}
    TABLE.to_csv(tmp_path / "atlas.tsv", sep="\t", index=False)
    beside = rc.load_parcellation(tmp_path / f"atlas{suffix}")
    assert "side" in beside.table.columns


def test_an_extension_of_workbench_without_labels_is_no_table():
    for content in (label_table([], []), b"<CaretExtension/>", b"no XML"):
        image = image_of(labels_data())
        image.header.extensions.append(nib.nifti1.Nifti1Extension(30, content))
        assert rc.load_parcellation(image).table.names == tuple(map(str, LABELS))


def test_the_row_of_the_background_is_dropped():
    for background, name in [(0, "Unknown"), (3, "V1")]:
        table = dict(zip([0, *LABELS], ["Unknown", *NAMES], strict=True))
        atlas = rc.load_parcellation(image_of(labels_data()), table, background=background)
        assert name not in atlas.table.names
        assert len(atlas) == 3


def test_each_kind_of_difference_is_listed_once():
    table = {3: "V1", **{n: f"absent {n}" for n in range(30, 37)}}
    with pytest.warns(RegionTableWarning) as caught:
        atlas = rc.load_parcellation(image_of(labels_data()), table)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message == (
        "The region table and the labels image differ: "
        "2 labels of the image without a row in the region table: 20, 1007; "
        "7 rows of the region table without a voxel: 30, 31, 32, 33, 34 and 2 more. "
        "All are kept, those without a row named by number."
    )
    assert atlas.table.labels.tolist() == [3, 20, *range(30, 37), 1007]
    assert atlas[20].name == "20"
    assert atlas[30].name == "absent 30"
    labels = labels_data()
    assert atlas.counts.tolist() == [int((labels == n).sum()) for n in atlas.table.labels]


def test_only_the_kind_of_difference_that_there_is_is_listed():
    with pytest.warns(RegionTableWarning) as caught:
        rc.load_parcellation(image_of(labels_data()), {3: "V1", 20: "V2"})
    assert "without a voxel" not in str(caught[0].message)
    with pytest.warns(RegionTableWarning, match=r"without a voxel: 8\. All are kept\.$"):
        rc.load_parcellation(image_of(labels_data()), {3: "V1", 20: "V2", 1007: "MT", 8: "V8"})
    with pytest.warns(RegionTableWarning) as caught:
        rc.load_parcellation(image_of(labels_data()), {**dict(TABLE.iloc[:, :2].values), 9: "x"})
    assert "without a row" not in str(caught[0].message)


def test_strict_raises_what_is_otherwise_a_warning():
    with pytest.raises(
        RegionTableError, match=r"without a row .*: 20, 1007\. Correct the table"
    ) as e:
        rc.load_parcellation(image_of(labels_data()), {3: "V1"}, strict=True)
    assert "kept" not in str(e.value)
    rc.load_parcellation(image_of(labels_data()), TABLE, strict=True)


def test_duplicate_labels_in_the_table_raise(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("index,name\n3,V1\n20,V2\n3,V1 again\n1007,MT\n")
    with pytest.raises(
        RegionTableError, match="1 label in the region table stands in more than one"
    ):
        rc.load_parcellation(image_of(labels_data()), path)


def test_a_parcellation_is_its_own_parcellation():
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    assert rc.load_parcellation(atlas) is atlas


# --- masks -----------------------------------------------------------------------------------


@given(labels_arrays(), st.integers(0, 2**32 - 1), st.sampled_from([bool, np.uint8, np.float32]))
def test_a_mask_takes_voxels_and_no_rows(data, seed, dtype):
    inside = np.random.default_rng(seed).random(SHAPE) < 0.4
    inside.reshape(-1)[np.flatnonzero(data)[0]] = True
    mask = image_of(inside.astype(np.uint8 if dtype is bool else dtype) * dtype(3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        atlas = rc.load_parcellation(image_of(data), mask=mask)
    whole = rc.load_parcellation(image_of(data))
    np.testing.assert_array_equal(atlas.codes, np.where(inside, whole.codes, 0))
    assert atlas.table.labels.tolist() == whole.table.labels.tolist()
    emptied = int((atlas.counts == 0).sum())
    shown = [str(w.message) for w in caught if w.category is MaskWarning]
    expected = f"The mask leaves no voxel of {emptied} region{'s' * (emptied != 1)}: "
    assert [text.startswith(expected) for text in shown] == [True] * bool(emptied)


@pytest.mark.parametrize("outside", [0, np.nan, np.inf])
def test_what_is_not_finite_in_a_mask_is_outside(outside):
    data = labels_data()
    mask = np.where(np.indices(SHAPE)[2] < 4, 0.5, outside).astype(np.float32)
    atlas = rc.load_parcellation(image_of(data), mask=image_of(mask))
    assert atlas.counts.sum() == np.count_nonzero(data[..., :4])


def test_a_mask_may_move_by_a_hundredth_of_a_voxel():
    smallest = np.linalg.norm(AFFINE[:3, :3], axis=0).min()
    for voxels, refused in [(0.009, False), (0.011, True)]:
        moved = AFFINE.copy()
        moved[1, 3] += voxels * smallest
        mask = image_of(np.ones(SHAPE, np.uint8), moved)
        if refused:
            with pytest.raises(SpaceError, match="different affine"):
                rc.load_parcellation(image_of(labels_data()), mask=mask)
        else:
            rc.load_parcellation(image_of(labels_data()), mask=mask)


# --- looking at it ---------------------------------------------------------------------------


def test_length_iteration_and_look_up():
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    assert len(atlas) == 3
    assert [region.label for region in atlas] == LABELS
    assert [region.name for region in atlas] == NAMES
    for label, name in zip(LABELS, NAMES, strict=True):
        assert atlas[label] == atlas[name] == (label, name)
        assert atlas[np.int16(label)] == (label, name)


def test_looking_up_what_is_not_there_or_not_alone_raises():
    atlas = rc.load_parcellation(image_of(labels_data()), {3: "V1", 20: "V1", 1007: "MT"})
    for key, shown in [
        (4, "no regions have 4"),
        ("V9", "no regions have 'V9'"),
        ("V1", "2 regions"),
    ]:
        with pytest.raises(KeyError, match=shown):
            atlas[key]


def test_the_repr_is_the_table_of_regions():
    data = np.zeros(SHAPE, np.int16)
    data[1, 2, 3] = 7
    data[2, 0, 0:2] = 1200
    with pytest.warns(RegionTableWarning):
        atlas = rc.load_parcellation(
            image_of(data, np.diag([10.0, 20, 30, 1])), {7: "V1", 9: "absent", 1200: "MT+"}
        )
    assert repr(atlas).splitlines() == [
        "Parcellation: 3 regions, 5×3×7 voxels",
        "label  name    voxels     mm³  centroid (mm)",
        "    7  V1           1   6,000  (10.0, 40.0, 90.0)",
        "    9  absent       0       0",
        " 1200  MT+          2  12,000  (20.0, 0.0, 15.0)",
    ]


@pytest.mark.parametrize("n_regions", [1, 9, 10, 11, 12, 60])
def test_a_long_repr_leaves_out_the_middle_and_text_does_not(n_regions):
    labels = [5 * n + 2 for n in range(n_regions)]
    atlas = rc.load_parcellation(image_of(labels_data(labels)))
    shown = [int(n) for n in re.findall(r"^ *(\d+)  ", repr(atlas), re.MULTILINE)]
    assert shown == (labels if n_regions <= 10 else labels[:5] + labels[-5:])
    assert ("more …" in repr(atlas)) == (n_regions > 10)
    if n_regions > 10:
        assert f"… {n_regions - 10} more …" in repr(atlas).splitlines()[7]
    whole = [int(n) for n in re.findall(r"^ *(\d+)  ", atlas.to_text(), re.MULTILINE)]
    assert whole == labels
    assert len(atlas.to_text(max_rows=4).splitlines()) <= 2 + 5


def test_to_pandas_has_the_table_and_what_is_measured():
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    frame = atlas.to_pandas()
    assert frame.columns.tolist() == [
        "index", "name", "side", "voxels", "volume_mm3", "x", "y", "z",
    ]  # fmt: skip
    assert frame["index"].tolist() == LABELS
    assert frame["side"].tolist() == ["L", "R", "L"]


def test_to_pandas_keeps_what_the_table_says_under_the_same_titles():
    """Tables of FSL have x, y and z, of the voxel that stands for a region."""
    own = TABLE.assign(x=[45, 9, 3], voxels=[7, 8, 9])
    atlas = rc.load_parcellation(image_of(labels_data()), own)
    frame = atlas.to_pandas()
    assert frame["x_in_table"].tolist() == [45, 9, 3]
    assert frame["voxels_in_table"].tolist() == [7, 8, 9]
    assert frame["voxels"].tolist() == atlas.counts.tolist()
    np.testing.assert_array_equal(frame[["x", "y", "z"]], atlas.centroids)


def test_codes_cannot_be_written_to_and_those_given_still_can():
    made = rc.load_parcellation(image_of(labels_data()))
    codes = np.array(made.codes)
    atlas = Parcellation(codes, made.table, made.space)
    codes[0] = 0  # its maker's business
    for one in (atlas, pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        with pytest.raises(ValueError, match="read-only"):
            one.codes[0] = 0


def test_a_region_without_voxels_has_no_centroid():
    with pytest.warns(RegionTableWarning):
        atlas = rc.load_parcellation(
            image_of(labels_data()), {**dict(TABLE.iloc[:, :2].values), 9: "x"}
        )
    frame = atlas.to_pandas().set_index("index")
    assert frame.loc[9, "voxels"] == 0
    assert frame.loc[9, "volume_mm3"] == 0
    assert frame.loc[9, ["x", "y", "z"]].isna().all()
    assert frame.drop(index=9)[["x", "y", "z"]].notna().all(axis=None)


def test_the_inputs_stay_as_they_are(tmp_path):
    data = labels_data(dtype=np.float32)
    before = data.copy()
    image, table = image_of(data), TABLE.copy()
    mask = image_of((np.indices(SHAPE)[0] < 4).astype(np.uint8))
    header = image.header.copy()
    rc.load_parcellation(image, table, mask=mask)
    np.testing.assert_array_equal(data, before)
    assert image.header == header
    pd.testing.assert_frame_equal(table, TABLE)
    assert list(Path(tmp_path).iterdir()) == []


# --- what is refused, protected and short ----------------------------------------------------


@pytest.mark.parametrize(
    "options", [{"regions": "none.tsv"}, {"regions": {3: "x"}}, {"background": 7}, {"strict": True}]
)
def test_a_parcellation_takes_no_other_regions(options):
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    with pytest.raises(ArgumentError, match="a Parcellation has its regions already"):
        rc.load_parcellation(atlas, **options)


@pytest.mark.parametrize("option", ["regions", "background", "label_map"])
def test_what_says_how_labels_are_read_belongs_to_load_parcellation_alone(option):
    for use in (rc.paint, rc.match, rc.extract):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{option}'"):
            use([1.0, 2.0, 3.0], image_of(labels_data()), **{option: 3})


def test_what_is_in_a_parcellation():
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    for region in atlas:
        for key in (region, region.label, region.name, np.int16(region.label)):
            assert key in atlas
    for key in (4, "V9", (3, "V9"), rc.load_parcellation, None, True, 1.5, [1, 2]):
        assert key not in atlas


@pytest.mark.parametrize("key", [1.5, [1, 2], None, (3, "V1")])
def test_looking_up_what_is_no_key_raises(key):
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    with pytest.raises(KeyError, match="no regions have"):
        atlas[key]


def test_codes_are_write_protected():
    atlas = rc.load_parcellation(image_of(labels_data()), TABLE)
    for codes in (atlas.codes, rc.load_parcellation(atlas, mask=image_of(MASK)).codes):
        with pytest.raises(ValueError, match="read-only"):
            codes[...] = 0


MASK = (np.indices(SHAPE)[0] < 4).astype(np.uint8)


@pytest.mark.parametrize("wrong", [[1.5, 2], ["a"], [np.nan, 1], [None]])
def test_labels_of_a_region_table_are_integers(wrong):
    with pytest.raises(RegionTableError, match="Labels must be integers; 1 value no integer"):
        rc.RegionTable(wrong)


def test_without_the_region_table_beside(tmp_path):
    nib.save(image_of(labels_data()), tmp_path / "atlas.nii")
    TABLE.to_csv(tmp_path / "atlas.tsv", sep="\t", index=False)
    atlas = rc.load_parcellation(tmp_path / "atlas.nii", "none")
    assert atlas.table.names == tuple(map(str, LABELS))
    inside = image_of(labels_data())
    inside.header.extensions.append(nib.nifti1.Nifti1Extension(30, label_table(LABELS, NAMES)))
    assert rc.load_parcellation(inside, "none").table.names == tuple(map(str, LABELS))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("atlas.txt", "This is an atlas.\nIt has regions.\nSee the paper.\n"),
        ("atlas.csv", "region,z\nV1,0.5\nV2,1.5\nMT,2.5\n"),
        ("atlas.tsv", "\x00binary"),
    ],
)
def test_a_file_beside_that_is_no_table_is_named_with_the_ways_out(tmp_path, name, text):
    nib.save(image_of(labels_data()), tmp_path / "atlas.nii")
    (tmp_path / name).write_text(text)
    with pytest.raises(RegionTableError, match=f"^{name} lies beside the labels image") as caught:
        rc.load_parcellation(tmp_path / "atlas.nii")
    assert "Name another by load_parcellation(…, regions=…) (--regions), or 'none' to do" in str(
        caught.value
    )
    assert len(rc.load_parcellation(tmp_path / "atlas.nii", "none")) == 3


def test_reprs_are_short_and_say_what_there_is(tmp_path):
    labels = range(1, 301)
    names = [f"a region with quite a long name {label}" for label in labels]
    data = np.resize(np.arange(301, dtype=np.int16), (7, 9, 11))
    atlas = rc.load_parcellation(image_of(data), dict(zip(labels, names, strict=True)))
    series = rc.paint(np.ones((4, 300)), atlas)
    other = rc.paint(np.ones(300), atlas)
    shown = {
        atlas: "Parcellation: 300 regions, 7×9×11 voxels",
        atlas.table: "RegionTable: 300 regions",
        atlas.space: "VolumeGrid: 7×9×11 voxels of ",
        series.dataobj: "PaintedArray: 7×9×11×4 float64",
        series: "PaintedImage: 7×9×11×4 float64, 300 values in 300 of 300 regions by position",
        other: "PaintedImage: 7×9×11 float64, 300 values in 300 of 300 regions by position",
        series.slicer[..., :2]: "PaintedImage: 7×9×11×2 float64",
    }
    for thing, start in shown.items():
        assert repr(thing).startswith(start)
        assert len(repr(thing).splitlines()) <= 13
        assert max(map(len, repr(thing).splitlines())) <= 100
        assert " at 0x" not in repr(thing)


# --- labels that a header scales -----------------------------------------------------------------


def scaled(tmp_path, labels, dtype, suffix):
    """The name of a file that floats were written to with a header for integers."""
    header = nib.Nifti1Header()
    header.set_data_dtype(dtype)
    path = tmp_path / f"x{suffix}"
    nib.save(nib.Nifti1Image(labels.astype(float), AFFINE, header), path)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".hdr"])
def test_labels_that_were_scaled_when_written_are_found_again(tmp_path, suffix):
    labels = np.random.default_rng(0).integers(0, 98, SHAPE)
    labels[0, 0, 0] = 97
    path = scaled(tmp_path, labels, np.uint8, suffix)
    with pytest.raises(LabelsError, match="are no integer") as caught:
        rc.load_parcellation(path)
    message = str(caught.value)
    assert "stored (uint8): times 0.380392 (scl_slope) plus 0 (scl_inter)" in message
    advice = re.search(r"nibabel\.Nifti1Image\(.*\)(?=\.)", message)[0]
    mended = eval(advice, {"nibabel": nib, "numpy": np, "img": nib.load(path)})
    assert np.array_equal(mended.dataobj, labels)
    assert (
        rc.load_parcellation(mended).table.labels.tolist() == np.unique(labels[labels > 0]).tolist()
    )


def test_labels_that_scaling_has_lost(tmp_path):
    labels = np.random.default_rng(0).integers(0, 2000, SHAPE)
    path = scaled(tmp_path, labels, np.uint8, ".nii")
    with pytest.raises(
        LabelsError, match=r"scl_slope.*Write the labels again from .*set_data_dtype"
    ):
        rc.load_parcellation(path)


def test_scaling_is_not_blamed_for_what_it_did_not_do(tmp_path):
    halves = nib.Nifti1Image(np.full(SHAPE, 0.5), AFFINE)
    with pytest.raises(LabelsError) as caught:
        rc.load_parcellation(halves)
    assert "scl_slope" not in str(caught.value)
    # Labels that the header makes whole are labels.
    labels = 2 * np.random.default_rng(0).integers(0, 256, SHAPE)
    labels[0, 0, :2] = 0, 510
    path = scaled(tmp_path, labels, np.uint8, ".nii")
    assert nib.load(path).dataobj.slope == 2
    assert rc.load_parcellation(path).table.labels.tolist() == np.unique(labels)[1:].tolist()
