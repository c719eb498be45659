"""Rows that bring keys of their own, out of loops over tables: keys decide, never the order."""

from __future__ import annotations

from typing import NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nibabel.freesurfer import write_annot

import regioncast as rc
from regioncast import Signals
from regioncast.errors import MatchError, SignalsError

NAMES = ["V1", "V2", "M1"]
TURNED = NAMES[::-1]
VALUES = np.array([[1.5, 2.5, 3.5], [4.5, 5.5, 6.5]])
SUBJECTS = ["s0", "s1"]


@pytest.fixture
def atlas():
    image = nib.Nifti1Image(np.arange(4, dtype="int16").reshape(2, 2, 1), np.eye(4))
    return rc.load_parcellation(image, dict(enumerate(NAMES, start=1)))


def painted(values, atlas, **options):
    image = rc.paint(values, atlas, **options)
    return image.match.take().values.tolist(), image.match.signals.map_names


def rows_of_each_kind():
    frame = pd.DataFrame(VALUES[:, ::-1], SUBJECTS, TURNED)
    of_coordinates = [xr.DataArray(row, {"region": TURNED}, "region") for row in frame.to_numpy()]
    return {
        "iterrows": [row for _, row in frame.iterrows()],
        "loc, in a tuple": tuple(frame.loc[subject] for subject in SUBJECTS),
        "some the other way round": [frame.iloc[0][NAMES], frame.iloc[1]],
        "itertuples": list(frame.itertuples(index=False)),
        "DataArrays": of_coordinates,
        "Signals": [rc.Signals(row, TURNED) for row in frame.to_numpy()],
        "mappings and others": [dict(frame.iloc[0]), frame.iloc[1]],
        "Series of a mapping": {subject: frame.loc[subject] for subject in SUBJECTS},
    }


@pytest.mark.parametrize("kind", rows_of_each_kind())
def test_rows_go_by_their_keys(kind, atlas):
    assert painted(rows_of_each_kind()[kind], atlas)[0] == VALUES.tolist()


def test_rows_with_names_name_the_maps(atlas):
    frame = pd.DataFrame(VALUES[:, ::-1], SUBJECTS, TURNED)
    rows = [row for _, row in frame.iterrows()]
    assert painted(rows, atlas) == (VALUES.tolist(), tuple(SUBJECTS))


def test_one_named_tuple_goes_by_its_fields(atlas):
    class Row(NamedTuple):
        M1: float
        V1: float
        V2: float

    assert painted(Row(3.5, 1.5, 2.5), atlas)[0] == VALUES[:1].tolist()


def test_regions_whose_maps_are_in_another_order_are_aligned(atlas):
    series = {name: pd.Series(VALUES[:, i], SUBJECTS) for i, name in enumerate(NAMES)}
    series["M1"] = series["M1"][::-1]
    assert painted(series, atlas) == (VALUES.tolist(), tuple(SUBJECTS))


def test_what_merely_counts_is_no_key(atlas):
    assert painted([pd.Series(row) for row in VALUES], atlas)[0] == VALUES.tolist()
    times = {name: pd.Series(VALUES[:, i], [0.0, 2.0]) for i, name in enumerate(NAMES)}
    assert painted(times, atlas) == (VALUES.tolist(), None)


def test_by_position_no_key_counts(atlas):
    rows = [pd.Series(row, TURNED) for row in VALUES]
    assert painted(rows, atlas, by="position")[0] == VALUES.tolist()


def test_a_key_twice_or_rows_without_keys_are_refused(atlas):
    keyed = pd.Series(VALUES[0], NAMES)
    with pytest.raises(SignalsError, match="1 of 2 rows have keys of their own"):
        rc.paint([keyed, VALUES[1]], atlas)
    with pytest.raises(MatchError, match=r"'V1'\. Give each region once"):
        rc.paint([keyed, pd.Series(VALUES[1], ["V1", "V1", "M1"])], atlas)


def test_the_dtype_stays(atlas):
    rows = [pd.Series(row.astype("float32"), TURNED) for row in VALUES]
    assert rc.paint(rows, atlas).get_data_dtype() == np.float32


# --- Datasets, numbers of subjects, statistics of a hemisphere -----------------------------------


def test_a_dataset_of_one_variable_is_that(atlas):
    one = xr.Dataset({"z": ("region", VALUES[0, ::-1])}, {"region": TURNED})
    assert painted(one, atlas) == (VALUES[:1].tolist(), ("z",))
    with pytest.raises(SignalsError, match=r"has 2: 'z', 'p'\. Choose one: values\['z'\]"):
        rc.paint(one.assign(p=one["z"]), atlas)
    with pytest.raises(SignalsError, match="has 0: none"):
        rc.paint(one.drop_vars("z"), atlas)
    text = xr.Dataset({"group": ("region", list("aba"))}, {"region": NAMES})
    assert rc.paint(text, atlas, categories=True).categories.names == ("a", "b")


@pytest.mark.parametrize("title", ["participant_id", "SubjID", "subject", "sub", "session"])
def test_numbers_of_subjects_name_the_maps(tmp_path, atlas, title):
    frame = pd.DataFrame(VALUES, columns=NAMES)
    frame.insert(0, title, [2, 1])
    assert painted(frame, atlas) == (VALUES.tolist(), ("2", "1"))
    assert painted(frame.set_index(title), atlas) == (VALUES.tolist(), ("2", "1"))
    frame[title] = ["0002", "0001"]
    frame.insert(1, "sex", ["F", "M"])
    frame.to_csv(tmp_path / "group.csv", index=False)
    assert painted(tmp_path / "group.csv", atlas) == (VALUES.tolist(), ("0002_F", "0001_M"))


def test_numbers_of_a_subject_are_no_map_of_a_long_table(atlas):
    frame = pd.DataFrame({"subject": 7, "session": 1, "region": TURNED, "z": VALUES[0, ::-1]})
    assert painted(frame, atlas) == (VALUES[:1].tolist(), ("z",))
    asked = painted(frame, atlas, columns=["subject", "z"])
    assert asked == ([[7, 7, 7], *VALUES[:1].tolist()], ("subject", "z"))


def test_other_numbers_beside_regions_name_none(atlas):
    frame = pd.DataFrame(VALUES, columns=NAMES).assign(age=[31, 32])
    with pytest.raises(MatchError, match="'age'"):
        rc.paint(frame, atlas)


def test_statistics_of_a_hemisphere_go_to_no_other(tmp_path):
    table = np.array([[255, 0, 0, 0], [0, 255, 0, 0]])
    for side in ("lh", "rh"):
        annot = tmp_path / f"{side}.aparc.annot"
        write_annot(annot, np.array([0, 1, 1]), table, ["cuneus", "insula"], fill_ctab=True)
        (tmp_path / f"{side}.aparc.stats").write_text(
            f"# Table of FreeSurfer cortical parcellation anatomical statistics\n# hemi {side}\n"
            f"# ColHeaders StructName NumVert ThickAvg\ncuneus 10 2.5\ninsula 20 3.5\n"
        )
    left = rc.load_parcellation(tmp_path / "lh.aparc.annot")
    asked = {"columns": "ThickAvg"}
    assert painted(tmp_path / "lh.aparc.stats", left, **asked)[0] == [[2.5, 3.5]]
    with pytest.raises(MatchError, match="'R:cuneus', 'R:insula'") as caught:
        rc.paint(tmp_path / "rh.aparc.stats", left, **asked)
    assert "did you mean" not in str(caught.value)
    pair = rc.load_parcellation(left=tmp_path / "lh.aparc.annot", right=tmp_path / "rh.aparc.annot")
    right_alone = rc.paint(tmp_path / "rh.aparc.stats", pair, missing="fill", **asked)
    assert right_alone.parts["L"].tolist() == [0, 0, 0]
    assert right_alone.parts["R"].tolist() == [2.5, 3.5, 3.5]


def test_afnis_names_of_maps_hold_the_sign_of_comments(tmp_path, atlas):
    table = tmp_path / "roistats.1D"
    table.write_text(
        "File\tSub-brick\tMean_1  \tMean_2  \tMean_3  \n"
        "bold+tlrc\t0[#0]\t1.5\t2.5\t3.5\nbold+tlrc\t1[#1]\t4.5\t5.5\t6.5\n"
    )
    values, names = painted(table, atlas, strip="Mean_")
    assert values == VALUES.tolist()
    assert names == ("bold+tlrc_0[#0]", "bold+tlrc_1[#1]")


# --- signals of one hemisphere -------------------------------------------------------------------


@pytest.fixture
def hemispheres(tmp_path, monkeypatch):
    """The atlases of the left, the right and both, which have their names in common."""
    monkeypatch.chdir(tmp_path)
    table = np.array([[255, 0, 0, 0], [0, 255, 0, 0]])
    for side in ("lh", "rh"):
        labels = np.array([0, 1, 1])
        write_annot(f"{side}.a.annot", labels, table, ["cuneus", "insula"], fill_ctab=True)
    return [rc.load_parcellation(name) for name in ("lh.a.annot", "rh.a.annot", "?h.a.annot")]


@pytest.mark.parametrize("way", ["in memory", "x.tsv", "x.csv", "x.npy", "x.parquet"])
@pytest.mark.parametrize("long", [False, True])
def test_signals_of_a_hemisphere_go_to_no_other(hemispheres, way, long):
    left, right, both = hemispheres
    np.save("rh.data.npy", np.array([1.5, 2.5, 3.5]))
    signals = rc.extract("rh.data.npy", right)
    assert signals.keys == ("cuneus", "insula")
    if way != "in memory":
        rc.save(signals, way, long=long and way != "x.npy")
        signals = way
    with pytest.raises(MatchError):
        rc.paint(signals, left)
    assert rc.paint(signals, right).parts["R"].tolist() == [1.5, 3, 3]
    painted = rc.paint(signals, both, missing="fill")
    assert painted.parts["R"].tolist() == [1.5, 3, 3]
    assert painted.parts["L"].tolist() == [0, 0, 0]


def test_where_names_say_it_or_nobody_knows_sides_keys_stay(hemispheres):
    left, right, _ = hemispheres
    values = rc.Signals([1.5, 2.5], ["cuneus", "insula"])
    assert rc.paint(values, left).match.signals.keys == ("cuneus", "insula")
    painted = rc.paint(rc.extract(rc.paint(values, right), right), right)
    assert painted.match.signals.keys == ("cuneus", "insula")


def test_an_array_with_the_sidecar_of_signals_knows_its_regions(tmp_path, atlas):
    labels = np.arange(4, dtype="int16").reshape(2, 2, 1)
    turned = rc.load_parcellation(
        nib.Nifti1Image(labels, np.eye(4)), dict(enumerate(TURNED, start=1))
    )
    signals = rc.extract(rc.paint(dict(zip(NAMES, VALUES[0], strict=True)), atlas), turned)
    assert signals["V1"] == VALUES[0, 2]
    array = rc.save(signals, tmp_path / "x.npy")
    by_name = VALUES[:1, ::-1].tolist()
    assert painted(array, atlas)[0] == by_name
    assert rc.load_signals(array, atlas).keys == tuple(TURNED)
    assert painted(array, atlas, by="position")[0] == VALUES[:1].tolist()
    others = rc.load_parcellation(nib.Nifti1Image(labels, np.eye(4)), {1: "A", 2: "B", 3: "C"})
    (tmp_path / "x.json").unlink()
    assert painted(array, others)[0] == VALUES[:1].tolist()


def test_what_is_cut_from_keys_does_not_lose_their_hemisphere():
    left = rc.load_parcellation({"left": np.array([1, 1, 2, 0])}, {1: "V1", 2: "V2"})
    values = {"rh_V1_area": 1.0, "rh_V2_area": 2.0}
    frame = pd.DataFrame({"region": list(values), "z": values.values()})
    for table in (values, frame, pd.DataFrame([values]), Signals([1.0, 2.0], list(values))):
        with pytest.raises(MatchError):
            rc.paint(table, left, strip=["rh_", "_area"])
        with pytest.raises(MatchError):
            rc.paint(table, left, strip=["rh_", "_area"], missing="fill", extra="ignore")
    pair = rc.load_parcellation(
        {"left": np.array([1, 1, 2, 0]), "right": np.array([2, 1, 0])}, {1: "V1", 2: "V2"}
    )
    for table in (values, frame):
        painted = rc.paint(table, pair, strip=["rh_", "_area"], missing="fill")
        assert np.asarray(painted).tolist() == [0, 0, 0, 0, 2, 1, 0]
    # Without sides in the atlas, what is cut is only text.
    labels = nib.Nifti1Image(np.array([[[1, 2, 0]]], np.int16), np.eye(4))
    plain = rc.load_parcellation(labels, {1: "V1", 2: "V2"})
    assert rc.paint(values, plain, strip=["rh_", "_area"]).dataobj[0, 0].tolist() == [1, 2, 0]


def test_parcels_of_one_hemisphere_are_not_painted_onto_the_other(tmp_path):
    names = {1: "V1", 2: "V2"}
    right = rc.load_parcellation({"right": np.array([1, 2, 2, 0])}, names)
    left = rc.load_parcellation({"left": np.array([1, 1, 2, 0])}, names)
    maps = {"right": np.array([1.0, 2, 4, 8])}
    path = rc.save(rc.extract(maps, right), tmp_path / "x.pscalar.nii")
    assert rc.load_signals(path, right).keys == ("V1", "V2")
    assert np.asarray(rc.paint(path, right)).reshape(-1).tolist() == [1, 3, 3, 0]
    with pytest.raises(MatchError):
        rc.paint(path, left, missing="fill", extra="ignore")


def test_parcels_whose_names_look_like_a_hemisphere_keep_their_names(tmp_path):
    """A region of the left one may be called r1."""
    atlas = rc.load_parcellation({"left": np.array([1, 1, 2, 0])}, {1: "r1", 2: "r2"})
    path = rc.save(
        rc.extract({"left": np.array([2.0, 4, 8, 0])}, atlas), tmp_path / "x.pscalar.nii"
    )
    again = rc.load_parcellation(path)
    assert rc.load_signals(path, again).keys == rc.load_signals(path, atlas).keys == ("r1", "r2")
    assert np.asarray(rc.paint(path, atlas)).reshape(-1).tolist() == [3, 3, 8, 0]
