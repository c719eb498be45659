"""Every cell of the table of formats: a real file of it, read or written, and what is in it."""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from small_spaces import (
    N_VERTICES,
    NAMES,
    brain_models,
    dense,
    dlabel,
    labels_gifti,
    maps_gifti,
    vertex_labels,
)
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast.formats import FORMATS, family_of, format_table, stem_of, suffix_of, suffixes

NIBABEL = Path(nib.__file__).parent / "tests" / "data"
AFNI, PAIRS, MGH = (
    tuple(s for entry in FORMATS if entry.family == family for s in entry.suffixes)
    for family in ("afni", "pair", "mgh")
)
REGIONS = {-2: "stem", 3: "pallidum", 7: "putamen", 7001: "thalamus"}
VALUES = {name: float(label % 97) for label, name in REGIONS.items()}
KEYS = {0: "???", **{key: f"r{key}" for key in range(1, len(brain_models()) // 100 + 1)}}
CELLS = [
    pytest.param(suffix, kind, use, id=f"{suffix[1:]}-{kind}-{use}")
    for entry in FORMATS
    for suffix in entry.suffixes
    for kind in entry.kinds
    for use in entry.uses
]
# What a format does in only one of the kinds of file that it is.
ONLY = {
    (".csv", "surface"): {"labels"},
    (".csv", "table"): {"regions", "values", "signals", "coverage"},
    (".txt", "surface"): {"labels"},
    (".txt", "table"): {"regions", "values"},
    (".npy", "surface"): {"labels", "data", "image"},
    (".npy", "table"): {"values", "signals"},
}
# What is read and written in chunks has tests of its own: tests/test_ome_zarr.py.
CELLS = [cell for cell in CELLS if not cell.values[0].endswith(".zarr")]
CELLS = [cell for cell in CELLS if cell.values[2] in ONLY.get(cell.values[:2], {cell.values[2]})]


@pytest.fixture
def volume():
    return rc.load_parcellation(image_of(small_labels()), regions=REGIONS)


@pytest.fixture
def surface():
    return rc.load_parcellation(left=labels_gifti("L"))


@pytest.fixture
def cifti():
    axis = brain_models()
    return rc.load_parcellation(dlabel(np.arange(len(axis)) // 100, KEYS, axis))


def save_mgh(path, array):
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(nib.MGHImage(array, OBLIQUE).to_bytes()))
    else:
        nib.MGHImage(array, OBLIQUE).to_filename(path)


def save_gifti(path, image):
    content = image.to_bytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def labels_afni(path):
    """Write labels as AFNI does: the text of nibabel's example, without its scaling."""
    head = (NIBABEL / "scaled+tlrc.HEAD").read_text()
    factors = re.search(r"name *= *BRICK_FLOAT_FACS\s+count *= *1\s+(\S+)", head)
    text = head[: factors.start(1)] + "0" + head[factors.end(1) :]
    path.with_suffix(".HEAD").write_text(text)
    labels = np.zeros((47, 54, 43), np.int16)
    labels[3:9], labels[10:20, 5], labels[30, 30, 30], labels[40:, 1] = -2, 3, 7, 7001
    path.with_suffix(".BRIK").write_bytes(labels.tobytes("F"))
    return labels


def write_cifti_labels(path, suffix, atlas):
    if suffix == ".dlabel.nii":
        nib.save(dlabel(np.arange(len(brain_models())) // 100, KEYS, brain_models()), path)
        return atlas.counts.tolist()
    if suffix in (".pscalar.nii", ".ptseries.nii"):
        t_r = 2.0 if "series" in suffix else None
        rc.save(rc.paint(np.arange(float(len(atlas)))[np.newaxis], atlas, t_r=t_r), path)
    else:  # parcels by parcels, as of connectivity
        of_maps = path.with_name("x.pscalar.nii")
        rc.save(rc.paint(np.arange(float(len(atlas))), atlas), of_maps)
        parcels = nib.load(of_maps).header.get_axis(1)
        nib.Cifti2Image(np.eye(len(parcels)), (parcels, parcels)).to_filename(path)
    return atlas.counts.tolist()


def write_surface_labels(path, suffix):
    labels = vertex_labels("L")
    if suffix.startswith(".label.gii"):
        save_gifti(path, labels_gifti("L"))
    elif ".gii" in suffix:
        save_gifti(path, maps_gifti("L", labels[np.newaxis]))
    elif suffix == ".annot":
        table = np.array([[10 * n, 20, 30, 0] for n in range(4)])
        index = np.unique(labels, return_inverse=True)[1]
        nib.freesurfer.write_annot(path, index, table, [*NAMES["L"].values()], fill_ctab=True)
    elif suffix in MGH:
        save_mgh(path, labels[:, np.newaxis, np.newaxis])
    elif suffix == ".npy":
        np.save(path, labels)
    else:
        np.savetxt(path, labels, fmt="%d")
    return [np.count_nonzero(labels == label) for label in (3, 7, 14474380)]


def write_volume_labels(path, suffix):
    labels = small_labels()
    if suffix in AFNI:
        labels = labels_afni(path)
    elif suffix in (".mgh", ".mgz"):
        save_mgh(path, labels)
    elif suffix in PAIRS:
        nib.Nifti1Pair(labels, OBLIQUE).to_filename(path)
    else:
        nib.save(image_of(labels), path)
    return [np.count_nonzero(labels == label) for label in (-2, 3, 7, 7001)]


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "labels"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # nibabel leaves MGH files open
def test_labels_are_read(tmp_path, request, suffix, kind, use):
    path = tmp_path / f"lh.atlas{suffix}"
    if kind == "cifti":
        expected = write_cifti_labels(path, suffix, request.getfixturevalue("cifti"))
    else:
        write = write_surface_labels if kind == "surface" else write_volume_labels
        expected = write(path, suffix)
    found = rc.load_parcellation(path)
    assert found.counts.tolist() == expected
    assert found.space.nouns == {"volume": "voxels", "surface": "vertices"}.get(
        kind, "grayordinates"
    )


def maps_of(space):
    """Two maps of small integers that every format holds, shape (n_maps, n_samples)."""
    n_samples = int(np.prod(space.shape))
    return (np.arange(2 * n_samples).reshape(2, -1) % 251).astype(np.float32)


def write_data(path, suffix, kind, space):
    """Write maps; return those that the format holds."""
    maps = maps_of(space)
    if kind == "cifti":
        nib.save(dense(maps, space.axis, 2.0 if suffix == ".dtseries.nii" else None), path)
    elif kind == "volume":
        data = np.moveaxis(maps.reshape(2, *space.shape), 0, -1)
        if suffix in AFNI:
            maps = maps_afni(path)
        elif suffix in (".mgh", ".mgz"):
            save_mgh(path, data)
        else:
            kind_of = nib.Nifti1Pair if suffix in PAIRS else nib.Nifti1Image
            kind_of(data, OBLIQUE).to_filename(path)
    elif ".gii" in suffix:
        save_gifti(path, maps_gifti("L", maps))
    elif suffix in MGH:
        save_mgh(path, np.moveaxis(maps, 0, -1)[:, np.newaxis, np.newaxis])
    elif suffix == ".npy":
        np.save(path, maps.T)
    else:
        maps = maps[:1]
        nib.freesurfer.write_morph_data(path, maps[0])
    return maps


def maps_afni(path):
    labels_afni(path)
    return np.asarray(nib.load(path).dataobj)[np.newaxis].astype(float).reshape(1, -1)


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "data"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # nibabel leaves MGH files open
def test_data_are_read(tmp_path, request, suffix, kind, use):
    path, atlas = tmp_path / f"lh.data{suffix}", request.getfixturevalue(kind)
    if suffix in AFNI:
        maps = maps_afni(path)
        atlas = rc.load_parcellation(path)
    else:
        maps = write_data(path, suffix, kind, atlas.space)
    found = rc.extract(path, atlas)
    codes = atlas.codes.reshape(-1)
    for row in range(len(atlas)):
        np.testing.assert_allclose(
            found.values[:, row], maps[:, codes == row + 1].mean(axis=1, dtype=float), rtol=1e-12
        )


def loaded(path, suffix, kind):
    """What another reader finds in a painted file: maps by samples."""
    if suffix == ".npy":
        return np.load(path).T.reshape(-1, N_VERTICES["L"])
    if ".gii" in suffix:
        return np.array([array.data for array in nib.load(path).darrays])
    if kind == "surface" and suffix not in (".mgh", ".mgz"):
        return nib.freesurfer.read_morph_data(path)[np.newaxis]
    data = np.asarray(nib.load(path).dataobj)
    return data if kind == "cifti" else np.moveaxis(data, -1, 0).reshape(data.shape[-1], -1)


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "image"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # nibabel leaves MGH files open
def test_paintings_are_written(tmp_path, request, suffix, kind, use):
    path, atlas = tmp_path / f"lh.painted{suffix}", request.getfixturevalue(kind)
    is_morphometry = kind == "surface" and suffix in (".curv", ".sulc", ".thickness", ".area")
    values = np.arange(1.0, 1 + (1 if is_morphometry else 2) * len(atlas)).reshape(-1, len(atlas))
    t_r = 2.0 if "series" in suffix else None
    painted = rc.paint(values[0] if is_morphometry else values, atlas, dtype="float32", t_r=t_r)
    assert rc.save(painted, path) == path
    if suffix in (".pscalar.nii", ".ptseries.nii"):
        np.testing.assert_array_equal(np.asarray(nib.load(path).dataobj), values)
    else:
        expected = np.hstack([np.zeros((len(values), 1)), values])[:, atlas.codes.reshape(-1)]
        np.testing.assert_array_equal(loaded(path, suffix, kind), expected)


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "atlas"])
def test_atlases_are_written(tmp_path, request, suffix, kind, use):
    path, atlas = tmp_path / f"lh.atlas{suffix}", request.getfixturevalue(kind)
    assert rc.save(atlas, path) == path
    again = rc.load_parcellation(path)
    np.testing.assert_array_equal(again.codes, atlas.codes)
    assert list(again.table) == list(atlas.table)


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "regions"])
def test_region_tables_are_read(tmp_path, suffix, kind, use):
    path = tmp_path / f"regions{suffix}"
    names = REGIONS
    if suffix == ".xml":  # FSL counts from 0 what images hold from 1
        names = {1: "r0", 2: "r1", 3: "r2"}
        labels = "".join(f'<label index="{n - 1}">{name}</label>' for n, name in names.items())
        kind = "<header><type>Probabilistic</type></header>"
        path.write_text(f"<atlas>{kind}<data>{labels}</data></atlas>")
    else:
        joint = {".tsv": "\t", ".csv": ",", ".txt": " "}[suffix]
        rows = [("index", "name"), *names.items()][suffix == ".txt" :]
        path.write_text("\n".join(joint.join(map(str, row)) for row in rows))
    image = np.zeros((5, 4, 3), np.int16)
    image.reshape(-1)[: len(names)] = list(names)
    found = rc.load_parcellation(image_of(image), regions=path)
    assert list(found.table) == sorted(names.items())


def write_values(path, suffix, atlas):
    """Write the values of a volume's regions, or positions, as far as the format goes."""
    names = list(VALUES)
    if suffix in (".tsv", ".csv", ".txt"):
        joint = {".tsv": "\t", ".csv": ",", ".txt": " "}[suffix]
        rows = [("name", "value"), *VALUES.items()]
        path.write_text("\n".join(joint.join(map(str, row)) for row in rows))
    elif suffix == ".stats":
        rows = [f"{name} {value}" for name, value in VALUES.items()]
        path.write_text("\n".join(["# ColHeaders StructName value", *rows]))
    elif suffix == ".1D":
        np.savetxt(path, [VALUES[name] for name in atlas.table.names])
    elif suffix == ".npy":
        np.save(path, [VALUES[name] for name in atlas.table.names])
    elif suffix == ".parquet":
        pd = pytest.importorskip("pandas")
        pd.DataFrame({"name": names, "value": VALUES.values()}).to_parquet(path)
    elif suffix == ".ptseries.nii":
        series = {name: [value] for name, value in VALUES.items()}
        rc.save(rc.paint(series, atlas, t_r=2.0), path)
    else:
        rc.save(rc.paint(VALUES, atlas), path)


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "values"])
def test_values_are_read(tmp_path, volume, suffix, kind, use):
    path = tmp_path / f"values{suffix}"
    write_values(path, suffix, volume)
    painted = np.asarray(rc.paint(path, volume).dataobj)
    expected = np.array([0, *(VALUES[name] for name in volume.table.names)])[volume.codes]
    np.testing.assert_array_equal(painted.reshape(expected.shape), expected)


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "signals"])
def test_signals_are_written(tmp_path, request, suffix, kind, use):
    atlas = request.getfixturevalue("cifti" if kind == "cifti" else "volume")
    values = np.arange(2.0 * len(atlas)).reshape(2, -1) + 0.125
    t_r = 2.0 if suffix == ".ptseries.nii" else None
    signals = rc.extract(rc.paint(values, atlas, t_r=t_r), atlas)
    path = tmp_path / f"signals{suffix}"
    assert rc.save(signals, path) == path
    again = rc.load_signals(path, atlas)
    np.testing.assert_array_equal(again.values, values)
    if suffix != ".npy":
        assert again.keys == signals.keys


@pytest.mark.parametrize(("suffix", "kind", "use"), [c for c in CELLS if c.values[2] == "coverage"])
def test_coverage_is_written(tmp_path, volume, suffix, kind, use):
    pd = pytest.importorskip("pandas")
    path = tmp_path / f"coverage{suffix}"
    rc.save(rc.extract(rc.paint(VALUES, volume), volume).coverage, path)
    read = {".tsv": pd.read_table, ".csv": pd.read_csv, ".parquet": pd.read_parquet}[suffix]
    assert read(path)["voxels"].tolist() == volume.counts.tolist()


def test_the_table_has_a_row_per_format_and_endings_are_told_apart():
    assert len(format_table().splitlines()) == 2 + sum(bool(entry.uses) for entry in FORMATS)
    for entry in FORMATS:
        for suffix in entry.suffixes:
            for name in (f"sub-01.x{suffix}", f"sub-01.x{suffix.upper()}"):
                assert suffix_of(Path(name)) == suffix.lower()
                assert stem_of(Path(name)) == "sub-01.x"
                assert family_of(Path(name)) == entry.family
            assert suffix_of(Path(suffix)) != suffix or suffix.count(".") > 1


def test_each_ending_stands_once():
    every = list(map(str.lower, suffixes()))
    assert len(every) == len(set(every))


def test_no_list_of_endings_stands_outside_of_the_table():
    """Endings of images are written in messages and docstrings, and asked of the table."""
    of_images = {
        suffix for kind in ("volume", "surface", "cifti") for suffix in suffixes(None, kind)
    }
    asked_elsewhere = {".txt", ".csv", ".npy", ".nii"}
    for path in Path(rc.__file__).parent.rglob("*.py"):
        if path.name == "formats.py" or "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                texts = {part.value for part in node.elts if isinstance(part, ast.Constant)}
                assert len(texts & (of_images - asked_elsewhere)) < 3, (path, node.lineno)
