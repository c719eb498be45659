"""Files of surfaces, to the byte: order of vertices and entries, and files that end too early."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.freesurfer.io import read_annot, write_geometry, write_morph_data
from nibabel.gifti.gifti import GiftiDataArray
from small_spaces import N_VERTICES, labels_gifti, maps_gifti, vertex_labels

import regioncast as rc
from regioncast.errors import (
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    RegionTableError,
    RegionTableWarning,
)

NAMES = ("unknown", "V1", "V2", "insula", "M1")
COLORS = ((25, 5, 25), (255, 0, 1), (0, 9, 200), (3, 3, 3), (60, 20, 220))


def numbers(*values):
    return np.array(values, ">i4").tobytes()


def text(content):
    raw = content.encode() + b"\0"
    return numbers(len(raw)) + raw


def annotation(labels, entries, *, order=None, old=False):
    """The bytes of an annotation: number, name and colour of each entry, in their order."""
    color_of = {number: red + (g << 8) + (b << 16) for number, _, (red, g, b) in entries}
    vertices = np.arange(len(labels)) if order is None else order
    colors = [color_of.get(labels[vertex], 0) for vertex in vertices]
    head = numbers(len(labels)) + np.stack([vertices, colors], 1).astype(">i4").tobytes()
    if old:
        form = numbers(1, len(entries)) + text("made up")
    else:
        top = 1 + max(number for number, *_ in entries)
        form = numbers(1, -2, top) + text("made up") + numbers(len(entries))
    rows = [
        (b"" if old else numbers(number)) + text(name) + numbers(*color, 0)
        for number, name, color in entries
    ]
    return head + form + b"".join(rows)


def names_of(atlas):
    return np.array([None, *atlas.table.names])[atlas.codes].tolist()


@given(data=st.data())
def test_an_annotation_is_read_whatever_the_order_of_its_entries_and_vertices(
    tmp_path_factory, data
):
    old = data.draw(st.booleans())
    some = st.lists(st.integers(0, 40), min_size=5, max_size=5, unique=True)
    given_numbers = list(range(5)) if old else data.draw(some)
    places = data.draw(st.permutations(range(5)))
    entries = [(given_numbers[k], NAMES[place], COLORS[place]) for k, place in enumerate(places)]
    labels = data.draw(st.lists(st.sampled_from([-1, *given_numbers]), min_size=6, max_size=20))
    labels[0] = next(number for number, name, _ in entries if name == "M1")
    order = data.draw(st.permutations(range(len(labels))))
    path = tmp_path_factory.mktemp("annot") / "lh.x.annot"
    path.write_bytes(annotation(labels, entries, order=order, old=old))
    name_of = {number: name for number, name, _ in entries if name != "unknown"}
    with warnings.catch_warnings(action="ignore", category=RegionTableWarning):
        atlas = rc.load_parcellation(path)
    assert names_of(atlas) == [name_of.get(label) for label in labels]
    assert dict(atlas.table) == name_of
    colors = dict(zip(atlas.table.names, atlas.table.columns["color"], strict=True))
    assert colors["V2"] == "#0009c8"


def test_nibabel_reads_the_annotations_of_these_tests_where_they_are_in_order(tmp_path):
    labels = [0, 1, 2, 3, 4, 1, 1]
    entries = list(zip(range(5), NAMES, COLORS, strict=True))
    for old in (False, True):
        path = tmp_path / f"lh.{old}.annot"
        path.write_bytes(annotation(labels, entries, old=old))
        found, _, names = read_annot(path)
        assert found.tolist() == labels
        assert [name.rstrip(b"\0").decode() for name in names] == list(NAMES)


@pytest.mark.parametrize("old", [False, True])
def test_an_annotation_that_ends_anywhere_before_its_end_is_an_error(tmp_path, old):
    content = annotation([1, 2, 4], list(zip(range(5), NAMES, COLORS, strict=True)), old=old)
    path = tmp_path / "lh.x.annot"
    without_table = 4 + 8 * 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in range(len(content)):
            path.write_bytes(content[:size])
            kind = LabelsError if size == without_table else FileFormatError
            with pytest.raises(kind, match=r"truncated or damaged|has no colour table"):
                rc.load_parcellation(path)


@pytest.mark.parametrize("first", [-5, 0, 2**31 - 1])
def test_an_annotation_of_an_impossible_number_of_vertices(tmp_path, first):
    path = tmp_path / "lh.x.annot"
    path.write_bytes(numbers(first) + bytes(range(256)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FileFormatError, match="damaged"):
            rc.load_parcellation(path)


@pytest.mark.parametrize(
    ("order", "missing"),
    [([0, 1, 1], "2"), ([1, 2, 3], "0"), ([-1, 0, 1], "2"), ([9, 9, 9], "0, 1, 2")],
)
def test_an_annotation_of_some_vertices_or_of_one_twice(tmp_path, order, missing):
    content = bytearray(annotation([1, 2, 4], list(zip(range(5), NAMES, COLORS, strict=True))))
    for place, number in enumerate(order):
        content[4 + 8 * place : 8 + 8 * place] = numbers(number)
    (tmp_path / "lh.x.annot").write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"from 0 to 2 .* not among them: {missing}\."):
        rc.load_parcellation(tmp_path / "lh.x.annot")


def test_an_annotation_with_a_number_twice_and_one_of_another_version(tmp_path):
    path = tmp_path / "lh.x.annot"
    path.write_bytes(annotation([1, 1], [(1, "V1", COLORS[1]), (1, "V2", COLORS[2])]))
    with pytest.raises(RegionTableError, match="1 label in the region table stands in more"):
        rc.load_parcellation(path)
    path.write_bytes(
        annotation([1], [(1, "V1", COLORS[1])]).replace(numbers(1, -2), numbers(1, -3))
    )
    with pytest.raises(FileFormatError, match="a colour table of version 3; 2 and"):
        rc.load_parcellation(path)


def test_a_colour_table_that_begins_with_black_and_has_gaps(tmp_path):
    """FreeSurferColorLUT does: ``0 Unknown 0 0 0 0``."""
    entries = [(0, "Unknown", (0, 0, 0)), (5, "V1", COLORS[1]), (9, "V2", COLORS[2])]
    (tmp_path / "lh.x.annot").write_bytes(annotation([9, 0, 5, 9, 9, 0], entries))
    atlas = rc.load_parcellation(tmp_path / "lh.x.annot")
    assert names_of(atlas) == ["V2", None, "V1", "V2", "V2", None]
    assert atlas.table.labels.tolist() == [5, 9]


# --- morphometry and MGH ---------------------------------------------------------------------


@pytest.mark.parametrize("n_left_out", [1, 3, 400, 2800])
def test_a_morphometry_file_that_ends_too_early(tmp_path, n_left_out):
    path = tmp_path / "lh.x.curv"
    write_morph_data(path, np.arange(701, dtype=np.float32))
    path.write_bytes(path.read_bytes()[:-n_left_out])
    with pytest.raises(FileFormatError, match="truncated or damaged: it is to have 701 vertices"):
        rc.extract(path, rc.load_parcellation(left=labels_gifti("L")))


def test_the_old_form_of_morphometry_files(tmp_path):
    path = tmp_path / "lh.x.curv"
    values = np.arange(-350, 351, dtype=">i2")
    head = (701).to_bytes(3, "big") + (1398).to_bytes(3, "big")
    path.write_bytes(head + values.tobytes())
    atlas = rc.load_parcellation(left=labels_gifti("L"))
    expected = [(values[atlas.codes == row] / 100).mean() for row in (1, 2, 3)]
    np.testing.assert_allclose(rc.extract(path, atlas).values[0], expected)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match="701 vertices, and there are values of 700"):
        rc.extract(path, atlas)


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.filterwarnings("error::ResourceWarning")
def test_an_mgh_that_ends_too_early(tmp_path, suffix):
    path = tmp_path / f"lh.x{suffix}"
    nib.MGHImage(np.ones((701, 1, 1), np.float32), np.eye(4)).to_filename(path)
    content = path.read_bytes() if suffix == ".mgh" else gzip.decompress(path.read_bytes())
    n_bytes = 284 + 4 * 701
    for size in (100, 283, 284, 1000, n_bytes - 1):
        shorter = content[:size]
        path.write_bytes(shorter if suffix == ".mgh" else gzip.compress(shorter))
        with pytest.raises(FileFormatError):
            rc.extract(path, rc.load_parcellation(left=labels_gifti("L")))


# --- GIFTI -----------------------------------------------------------------------------------


def with_label_table(tmp_path, element):
    """A GIFTI of the labels 0 and 5, whose label table is written by hand."""
    path = tmp_path / "x.L.label.gii"
    labels = np.int32([0, 5, 5])
    labels_gifti("L", labels, names={5: "V1"}).to_filename(path)
    xml = path.read_text()
    first, last = xml.index("<Label "), xml.index("</LabelTable>")
    path.write_text(xml[:first] + element + xml[last:])
    return path


@pytest.mark.parametrize("blank", ["<![CDATA[]]>", "<![CDATA[ ]]>", ""])
def test_labels_with_empty_names_are_labels_without_names(tmp_path, blank):
    rest = '<Label Key="5" Red="1" Green="0" Blue="0" Alpha="1"><![CDATA[V1]]></Label>'
    path = with_label_table(tmp_path, f'<Label Key="0">{blank}</Label>{rest}')
    assert list(rc.load_parcellation(path, strict=True).table) == [(5, "V1")]
    path = with_label_table(
        tmp_path, f'<Label Key="0"><![CDATA[???]]></Label><Label Key="5">{blank}</Label>'
    )
    assert list(rc.load_parcellation(path, strict=True).table) == [(5, "5")]
    path = with_label_table(tmp_path, f'<Label Key="0">{blank}</Label>')
    with pytest.raises(LabelsError, match="empty label table"):
        rc.load_parcellation(path)


@pytest.mark.parametrize("content", ["<a></a>", "<?xml version='1.0'?><CIFTI></CIFTI>"])
def test_xml_that_is_no_gifti(tmp_path, content):
    path = tmp_path / "lh.x.func.gii"
    path.write_text(content)
    with pytest.raises(FileFormatError, match="is XML, but no GIFTI file"):
        rc.load_parcellation(path)


def test_a_data_array_without_data(tmp_path):
    path = tmp_path / "lh.x.func.gii"
    maps_gifti("L", np.ones((2, 701), "f4")).to_filename(path)
    xml = path.read_text()
    last = xml.rindex("<Data>")
    path.write_text(xml[:last] + xml[xml.rindex("</Data>") + 7 :])
    with pytest.raises(FileFormatError, match="1 data array of 2 without data: 1"):
        rc.extract(path, rc.load_parcellation(left=labels_gifti("L")))


def indexed(values, index):
    image = maps_gifti("L", np.float32(values))
    image.add_gifti_data_array(GiftiDataArray(np.int32(index), intent="NIFTI_INTENT_NODE_INDEX"))
    return image


@given(seed=st.integers(0, 2**32 - 1))
def test_values_that_list_their_vertices_go_to_them(seed):
    atlas = rc.load_parcellation(left=labels_gifti("L"))
    rng = np.random.default_rng(seed)
    maps, order = rng.random((2, 701)).astype("f4"), rng.permutation(701)
    found = rc.extract(indexed(maps[:, order], order), atlas)
    testing_values = rc.extract(maps_gifti("L", maps), atlas).values
    np.testing.assert_array_equal(found.values, testing_values)
    labels = indexed([vertex_labels("L")[order]], order)
    np.testing.assert_array_equal(rc.load_parcellation(labels).codes, atlas.codes)


@pytest.mark.parametrize(
    "index", [np.arange(700), np.arange(1, 702), np.zeros(701), np.arange(702)], ids=len
)
def test_values_of_some_vertices_are_refused(index):
    atlas = rc.load_parcellation(left=labels_gifti("L"))
    with pytest.raises(FileFormatError, match=r"lists \d+ vertices .* for 701 values"):
        rc.extract(indexed(np.ones((1, 701)), index), atlas)


# --- NumPy -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "int16", "float32"])
@pytest.mark.parametrize("n_maps", [None, 1, 3])
def test_paintings_in_numpys_files_are_read_back(tmp_path, dtype, n_maps):
    pair = rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))
    values = np.arange(6.0 * (n_maps or 1)).reshape(-1, 6).astype(dtype)
    image = rc.paint(values[0] if n_maps is None else values, pair)
    left, right = rc.save(image, tmp_path / "q.npy")
    for source in (f"{left},{right}", tmp_path / "q.?.npy", image):
        found = rc.extract(source, pair)
        np.testing.assert_array_equal(found.values, values)
        assert found.single == (n_maps is None)


@pytest.mark.parametrize(
    "array", [np.array(["a", "b"]), np.zeros(701, "datetime64[s]"), np.zeros((701, 2, 2))], ids=str
)
def test_numpys_files_of_anything_else(tmp_path, array):
    np.save(tmp_path / "lh.x.npy", array)
    with pytest.raises(
        (FileFormatError, TypeError), match=r"lh\.x\.npy (holds no array|has the shape)"
    ):
        rc.extract(tmp_path / "lh.x.npy", rc.load_parcellation(left=labels_gifti("L")))


def test_a_numpy_file_that_ends_too_early(tmp_path):
    path = tmp_path / "lh.x.npy"
    np.save(path, np.ones(N_VERTICES["L"]))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FileFormatError, match="truncated or damaged"):
        rc.extract(path, rc.load_parcellation(left=labels_gifti("L")))


@pytest.mark.parametrize("suffix", [".func.gii", ".shape.gii.gz"])
def test_names_of_maps_lose_what_xml_cannot_hold(tmp_path, suffix):
    atlas = rc.load_parcellation(left=labels_gifti("L"))
    names = ["a\x00b\x1b[1m", "c\uffff", "Ä <&> 脳 \U0001f9e0"]
    frame = {"name": atlas.table.names, **{name: np.arange(3.0) for name in names}}
    pd = pytest.importorskip("pandas")
    image = rc.paint(pd.DataFrame(frame), atlas, dtype="float32")
    path = rc.save(image, tmp_path / f"lh.x{suffix}")
    assert rc.extract(path, atlas).map_names == ("ab[1m", "c", names[2])


def test_entries_without_a_name_are_called_by_their_number(tmp_path):
    path, labels = tmp_path / "lh.x.annot", [0, 3, 3, 7, 9, 0]
    entries = list(zip((0, 3, 7, 9), ("", "", "V2", "+"), COLORS[:4], strict=True))
    path.write_bytes(annotation(labels, entries))
    atlas = rc.load_parcellation(path)
    assert [tuple(region) for region in atlas] == [(3, "3"), (7, "V2"), (9, "+")]
    assert atlas.counts.tolist() == [2, 1, 1]
    path.write_bytes(annotation(labels, [(n, "", color) for n, _, color in entries]))
    with pytest.raises(LabelsError, match="has no names: its colour table has 4 entries, none"):
        rc.load_parcellation(path)


@pytest.mark.parametrize("suffix", [".mgz", ".func.gii.gz"])
@pytest.mark.parametrize("left_out", [*range(1, 15)])
def test_a_compressed_file_without_its_last_bytes_is_refused(tmp_path, suffix, left_out):
    atlas = rc.load_parcellation(left=labels_gifti("L"))
    path = tmp_path / f"lh.x{suffix}"
    rc.save(rc.paint(np.float32([1, 2, 3]), atlas), path)
    assert rc.extract(path, atlas).values.tolist() == [[1, 2, 3]]
    path.write_bytes(path.read_bytes()[:-left_out])
    with pytest.raises(FileFormatError, match="truncated or damaged"):
        rc.extract(path, atlas)


# --- regions that an annotation does not tell apart ------------------------------------------


def test_entries_of_one_colour_cannot_be_told_apart(tmp_path):
    entries = [(0, "unknown", COLORS[0]), (1, "V1", COLORS[1]), (2, "V2", COLORS[1])]
    path = tmp_path / "lh.x.annot"
    path.write_bytes(annotation([0, 1, 1, 2, 0, 1], entries))
    with pytest.raises(LabelsError) as caught:
        rc.load_parcellation(path)
    said = str(caught.value)
    assert "1 colour of several regions: 'V1 = V2'" in said
    assert "4 vertices of these cannot be told apart" in said
    # Where no vertex has the colour, or both are one name, nothing is in doubt.
    path.write_bytes(annotation([0, 3, 3], [*entries, (3, "M1", COLORS[2])]))
    with pytest.warns(RegionTableWarning, match="without a vertex"):
        assert names_of(rc.load_parcellation(path)) == [None, "M1", "M1"]


# --- values beside the GIFTI file, as CAT12 and SPM write them ------------------------------------

EXTERNAL = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/115/gifti.dtd">
<GIFTI Version="1.0" NumberOfDataArrays="{count}"><MetaData/><LabelTable/>{arrays}</GIFTI>"""
ARRAY = """<DataArray Intent="{intent}" DataType="{code}" ArrayIndexingOrder="RowMajorOrder"
 Dimensionality="{n_dims}" {dims} Encoding="ExternalFileBinary" Endian="{endian}"
 ExternalFileName="{name}" ExternalFileOffset="{offset}"><MetaData/><Data></Data></DataArray>"""
CODES = {"f4": "NIFTI_TYPE_FLOAT32", "i4": "NIFTI_TYPE_INT32", "f8": "NIFTI_TYPE_FLOAT64"}


def external_gifti(path, *maps, endian="LittleEndian", head=0, intent="SHAPE", data="{}.dat"):
    """A GIFTI file of maps of any shape, whose values are in a file beside it."""
    name, offset, content, arrays = data.format(path.stem), head, b"\1" * head, []
    for values in maps:
        dims = " ".join(f'Dim{axis}="{n}"' for axis, n in enumerate(values.shape))
        arrays.append(
            ARRAY.format(
                intent=f"NIFTI_INTENT_{intent}", code=CODES[values.dtype.str[1:]], dims=dims,
                n_dims=values.ndim, endian=endian, name=name, offset=offset,
            )
        )  # fmt: skip
        content += values.astype(values.dtype.newbyteorder(endian[0])).tobytes()
        offset = len(content)
    path.write_text(EXTERNAL.format(count=len(maps), arrays="".join(arrays)))
    (path.parent / name).write_bytes(content)
    return path


LABELS = np.repeat([0, 1, 2], [101, 300, 300]).astype("i4")
VALUES = np.random.default_rng(0).standard_normal(701).astype("f4")


@pytest.mark.parametrize("endian", ["LittleEndian", "BigEndian"])
@pytest.mark.parametrize("head", [0, 352])
@pytest.mark.parametrize("shape", [(701,), (701, 1), (1, 701)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_gifti_with_its_values_in_another_file(tmp_path, endian, head, shape, dtype):
    values = VALUES.astype(dtype).reshape(shape)
    path = external_gifti(tmp_path / "lh.thickness.sub1.gii", values, endian=endian, head=head)
    signals = rc.extract(path, {"left": LABELS})
    assert np.array_equal(signals.values, rc.extract({"left": VALUES}, {"left": LABELS}).values)
    assert np.array_equal(nib.load(path).darrays[0].data, values)
    assert signals.single


def test_labels_and_series_of_gifti_with_another_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    external_gifti(Path("lh.x.label.gii"), LABELS, intent="LABEL")
    with pytest.raises(LabelsError, match="empty label table"):
        rc.load_parcellation("lh.x.label.gii")
    atlas = rc.load_parcellation("lh.x.label.gii", ["V1", "V2"])
    assert atlas.counts.tolist() == [300, 300]
    Path("sub").mkdir()
    external_gifti(Path("sub/s.lh.x.gii"), VALUES, -VALUES)
    signals = rc.extract("sub/s.lh.x.gii", atlas)
    assert np.array_equal(signals.values[0], -signals.values[1])


def test_gifti_whose_other_file_is_gone_or_cut(tmp_path):
    path = external_gifti(tmp_path / "lh.x.gii", VALUES)
    data = tmp_path / "lh.x.dat"
    for n_bytes in (0, 1, 4 * 701 - 1):
        data.write_bytes(bytes(n_bytes))
        missing = f"{4 * 701 - n_bytes:,} bytes are missing"
        with pytest.raises(FileFormatError, match=rf"lh\.x\.gii are in .*lh\.x\.dat.*{missing}"):
            rc.extract(path, {"left": LABELS})
    data.unlink()
    with pytest.raises(InputMissingError, match=r"The file of values of lh\.x\.gii does not exist"):
        rc.extract(path, {"left": LABELS})
    text = path.read_text()
    for wrong in ('Dim0="701000000000000"', 'Dim0="x"'):
        path.write_text(text.replace('Dim0="701"', wrong))
        data.write_bytes(VALUES.tobytes())
        with pytest.raises(FileFormatError):
            rc.extract(path, {"left": LABELS})


@pytest.mark.parametrize("make", ["gifti", "npy", "array"])
def test_a_row_of_values_is_one_map(tmp_path, make):
    values = VALUES[np.newaxis]
    if make == "gifti":
        image = nib.GiftiImage(darrays=[nib.gifti.GiftiDataArray(values)] * 2)
        nib.save(image, tmp_path / "lh.x.func.gii")
        assert rc.extract(tmp_path / "lh.x.func.gii", {"left": LABELS}).n_maps == 2
        return
    np.save(tmp_path / "lh.x.npy", values)
    data = tmp_path / "lh.x.npy" if make == "npy" else {"left": values}
    signals = rc.extract(data, {"left": LABELS})
    assert (signals.n_maps, signals.single) == (1, True)
    assert rc.load_parcellation({"left": LABELS[np.newaxis]}).counts.tolist() == [300, 300]


# --- FreeSurfer's other names ------------------------------------------------------------------

OTHER_NAMES = [
    "lh.volume", "lh.inflated.H", "lh.inflated.K", "lh.area.pial", "lh.area.mid", "lh.curv.pial",
    "lh.jacobian_white", "lh.pial_lgi", "lh.avg_curv", "lh.smoothwm.K1.crv", "lh.white.H",
    "lh.thickness.fsaverage", "lh.thickness.fwhm10", "lh.sulc.fwhm5.fsaverage", "lh.smoothwm.BE",
    "lh.pial.K", "lh.area.white", "lh.thickness.orig", "lh.curv.sphere.reg", "lh.white.avg.area.x",
    "lh.w-g.pct.mgh", "lh.thickness.fwhm10.fsaverage.mgh", "lh.area.pial.fsaverage5.mgz",
]  # fmt: skip


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_surface_data_by_freesurfers_other_names(tmp_path, name):
    path = tmp_path / name
    if name.endswith(("mgh", "mgz")):
        nib.save(nib.MGHImage(VALUES.reshape(-1, 1, 1), np.eye(4)), path)
    else:
        write_morph_data(path, VALUES)
    expected = rc.extract({"left": VALUES}, {"left": LABELS})
    assert np.array_equal(rc.extract(path, {"left": LABELS}).values, expected.values)
    right = path.with_name(name.replace("lh.", "rh."))
    right.write_bytes(path.read_bytes())
    pair = rc.extract(f"{tmp_path}/?h{name[2:]}", {"left": LABELS, "right": LABELS})
    assert np.array_equal(pair.values, np.tile(expected.values, 2))


def test_meshes_and_others_that_hold_no_values_say_what_they_are(tmp_path):
    for name in ("lh.white", "lh.white.fsaverage"):
        write_geometry(tmp_path / name, np.zeros((701, 3)), np.zeros((5, 3), int))
        with pytest.raises(
            ImageTypeError, match=r"is a surface mesh of FreeSurfer.*such as lh\.thickness"
        ):
            rc.extract(tmp_path / name, {"left": LABELS})
    (tmp_path / "lh.junk.fsaverage").write_bytes(b"junk" * 30)
    with pytest.raises(FileFormatError, match="not an image"):
        rc.extract(tmp_path / "lh.junk.fsaverage", {"left": LABELS})
    with pytest.raises(InputMissingError):
        rc.extract(tmp_path / "lh.none.fsaverage", {"left": LABELS})
