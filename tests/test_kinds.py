"""Kinds of images: one class is enough for a new one; each leaves to the others what is theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pytest
from small_spaces import brain_models, dlabel, labels_gifti, maps_gifti
from small_volumes import image_of, small_labels

import regioncast as rc
from regioncast import formats
from regioncast.atlas.parcellation import Parcellation, encode_integers
from regioncast.atlas.spaces import Part
from regioncast.engine.painting import PaintedArray
from regioncast.errors import FileFormatError, ImageTypeError, OutputExistsError
from regioncast.files import check_output, existing_file, replacing
from regioncast.io import kinds
from regioncast.io.maps import MapsInMemory, each_source, the_one_map
from regioncast.signals import MapAxis


@dataclass(frozen=True)
class Channels:
    """Where sensors are: a space of a new kind."""

    names: tuple[str, ...]
    noun = "channel"
    nouns = "channels"

    @property
    def shape(self):
        return (len(self.names),)

    @property
    def parts(self):
        return {"head": Part(slice(None), slice(None), len(self.names))}

    @property
    def description(self):
        return f"{len(self.names)} channels"

    @property
    def extent(self):
        return {"channels": list(self.names)}

    def difference(self, other):
        if isinstance(other, Channels) and other.names == self.names:
            return None
        return "Images have different channels.", "has other channels than {this}."


@dataclass
class ChannelLabels:
    encoded: object
    space: Channels

    @property
    def of_regions(self):
        return self.encoded.labels

    def table_beside(self):
        return None

    def parcellation(self, regions, *, strict):
        return Parcellation.of(self.encoded, self.space, table=regions, strict=strict)


@dataclass
class PaintedChannels:
    dataobj: PaintedArray
    space: Channels
    axis: MapAxis
    match = None
    parcellation = None
    categories = None

    @property
    def shape(self):
        return self.dataobj.shape


class Montages:
    """The new kind: JSON files of channels, in one class."""

    name = "montage"
    space = Channels
    parcels = None

    def holds(self, source):
        return isinstance(source, PaintedChannels) or str(source).endswith(".montage")

    def _content(self, source, what):
        if isinstance(source, PaintedChannels):
            return np.atleast_2d(np.asarray(source.dataobj).T), source.space, source.axis
        content = json.loads(existing_file(source, what).read_text())
        values = np.array(content["values"])
        axis = MapAxis(content.get("maps"), single=len(values) == 1)
        return values, Channels(tuple(content["channels"])), axis

    def read_labels(self, source, *, label_map, background):
        values, space, _ = self._content(source, "the labels image")
        return ChannelLabels(encode_integers(values[0], [background or 0], "channel"), space)

    def each(self, source, what):
        return each_source(source, what)

    def open_maps(self, source, what):
        return MapsInMemory(*self._content(source, what))

    def read_map(self, source, what):
        return the_one_map(self.open_maps(source, what), what)

    def space_of(self, source, what):
        return self.open_maps(source, what).space

    def painted(self, atlas, table, axis):
        array = PaintedArray(atlas.codes, table, single=axis.single)
        return PaintedChannels(array, atlas.space, axis)

    def saves(self, image):
        return isinstance(image, PaintedChannels)

    def check_output(self, output, *, overwrite):
        check_output(output, overwrite=overwrite)

    def outputs(self, image, output):
        return [output]

    def save(self, image, output, *, overwrite, progress):
        values, space, axis = self._content(image, "the image")
        content = {"channels": space.names, "values": values.tolist(), "maps": axis.names}
        with replacing(output, overwrite=overwrite) as temporary:
            temporary.write_text(json.dumps(content))
        return [output]


@pytest.fixture
def montage(monkeypatch):
    """The new kind in the list, and its ending in the table."""
    row = formats.Format(
        (".montage",), "Montages", "text", ("montage",), ("labels", "data", "image")
    )
    monkeypatch.setattr(kinds, "KINDS", (Montages(), *kinds.KINDS))
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, row))
    forget_formats()
    yield
    monkeypatch.undo()
    forget_formats()


def forget_formats():
    """Let what is known of names be asked of the table again."""
    formats._formats_by_suffix.cache_clear()
    formats._format_of.cache_clear()


def write_labels(path):
    content = {"channels": ["Fz", "Cz", "Pz", "Oz", "T7"], "values": [[300, -4, 0, 300, 9]]}
    path.write_text(json.dumps(content))
    return path


def test_a_kind_is_one_class_and_is_read_painted_and_saved(montage, tmp_path):
    labels = write_labels(tmp_path / "atlas.montage")
    atlas = rc.load_parcellation(labels, regions={300: "front", -4: "middle", 9: "side"})
    assert repr(atlas).startswith("Parcellation: 3 regions, 5 channels")
    assert atlas.counts.tolist() == [1, 1, 2]
    values = {"side": 1.5, "front": 2.5, "middle": np.nan}
    image = rc.paint(values, atlas, fill=-1)
    np.testing.assert_array_equal(np.asarray(image.dataobj), [2.5, np.nan, -1, 2.5, 1.5])
    path = rc.save(image, tmp_path / "map.montage")
    assert path == tmp_path / "map.montage"
    for source in (image, path, str(path)):
        signals = rc.extract(source, atlas)
        assert dict(zip(signals.keys, signals.values[0], strict=True)) == pytest.approx(
            values, nan_ok=True
        )
        assert signals.single
    with pytest.raises(OutputExistsError):
        rc.save(image, path)


def test_maps_of_a_new_kind_keep_their_names(montage, tmp_path):
    atlas = rc.load_parcellation(write_labels(tmp_path / "atlas.montage"))
    signals = rc.Signals([[1.0, 2, 3], [4, 5, 6]], map_names=["a", "b"])
    path = rc.save(rc.paint(signals, atlas), tmp_path / "maps.montage")
    again = rc.extract(path, atlas)
    assert again.map_names == ("a", "b")
    np.testing.assert_array_equal(again.values, signals.values)


def test_masks_and_weights_of_a_new_kind(montage, tmp_path):
    atlas = rc.load_parcellation(write_labels(tmp_path / "atlas.montage"))
    mask = rc.paint([1.0, 0, 1], atlas)
    weights = rc.paint([1.0, 1, 3], atlas)
    data = rc.paint([1.0, 2, 3], atlas)
    with pytest.warns(UserWarning, match="The mask leaves no channel of 1 region"):
        signals = rc.extract(data, atlas, mask=mask, weights=weights, strategy="sum")
    np.testing.assert_array_equal(signals.values, [[1, np.nan, 18]])


def test_a_new_kind_in_the_shell(montage, tmp_path, capsys, monkeypatch):
    from regioncast import cli

    monkeypatch.chdir(tmp_path)
    write_labels(tmp_path / "atlas.montage")
    (tmp_path / "v.csv").write_text("label,value\n300,1\n-4,2\n9,3\n")
    assert cli.main(["paint", "v.csv", "atlas.montage", "-o", "map.montage"]) == 0
    assert cli.main(["info", "atlas.montage", "--json"]) == 0
    assert '"channels": [' in capsys.readouterr().out
    assert json.loads((tmp_path / "map.montage").read_text())["values"] == [[1, 2, 0, 1, 3]]


CIFTI_NAMES = {0: "???"} | {n: f"r{n}" for n in range(1, 1 + len(brain_models()) // 100)}
SOURCES = {
    "volume": lambda: image_of(small_labels()),
    "surface": lambda: labels_gifti("L"),
    "cifti": lambda: dlabel(np.arange(len(brain_models())) // 100, CIFTI_NAMES, brain_models()),
}


@pytest.mark.parametrize("name", [kind.name for kind in kinds.KINDS])
def test_every_kind_does_what_the_protocol_says(name, tmp_path):
    kind = next(kind for kind in kinds.KINDS if kind.name == name)
    for member in vars(kinds.Kind) | vars(kinds.Kind).get("__annotations__", {}):
        assert member.startswith("_") or hasattr(kind, member), member
    source = SOURCES[name]()
    assert kinds.kind_of(source) is kind
    labels = kind.read_labels(source, label_map=None, background=None)
    assert labels.table_beside() is None
    atlas = rc.load_parcellation(source)
    assert isinstance(atlas.space, kind.space)
    assert kind.space_of(source, "the image").difference(atlas.space) is None
    image = rc.paint(np.arange(1.0, 1 + len(atlas)), atlas, dtype="float32")
    assert isinstance(image, kinds.Painted)
    assert next(other.name for other in kinds.KINDS if other.saves(image)) == name
    assert kinds.kind_of(image) is kind
    values, space = kind.read_map(image, "the image")
    assert space.difference(atlas.space) is None
    np.testing.assert_array_equal(np.ravel(values), np.ravel(np.asarray(image.dataobj)))


def test_each_ending_of_an_image_is_of_a_kind_that_is_there():
    names = {kind.name for kind in kinds.KINDS}
    assert {name for entry in formats.FORMATS for name in entry.kinds} == names | {"table"}


def test_lists_with_surfaces_and_others_are_refused(tmp_path):
    nib.save(maps_gifti("L", np.ones((1, 9), "f4")), tmp_path / "lh.x.func.gii")
    nib.save(image_of(small_labels()), tmp_path / "a.nii")
    with pytest.raises(ImageTypeError, match=r"is no surface: values"):
        rc.extract([tmp_path / "a.nii", tmp_path / "lh.x.func.gii"], image_of(small_labels()))


def test_what_is_no_image_is_not_saved(tmp_path):
    for thing in (maps_gifti("L", np.ones((1, 5), "f4")), 3, None):
        with pytest.raises(ImageTypeError, match="can be saved; this is"):
            rc.save(thing, tmp_path / "x.func.gii")
    with pytest.raises(FileFormatError, match=r"An image cannot be written as 'x\.tsv'"):
        rc.save(image_of(small_labels()), tmp_path / "x.tsv")
