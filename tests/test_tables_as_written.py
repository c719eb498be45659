"""Tables of values as programs write them: maps of any names, numbers of any kind, any size."""

from __future__ import annotations

import os

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import regioncast as rc
from regioncast.errors import MatchError, RegioncastError, SignalsError


def atlas_of(labels, names=None):
    image = nib.Nifti1Image(np.array([[[0, *labels]]], np.int32), np.eye(4))
    return rc.load_parcellation(
        image, None if names is None else dict(zip(labels, names, strict=True))
    )


P4 = atlas_of([1, 2, 3, 4], ["Vis", "Mot", "Aud", "Som"])


def by_label(values, atlas=P4, **options):
    """Return the numbers of the regions in ascending order of label, one list per map."""
    data = np.asarray(rc.paint(values, atlas, **options).dataobj)[0, 0, 1:]
    return data.T.tolist()


# --- names of maps ------------------------------------------------------------------------------


@given(
    names=st.lists(
        st.sampled_from(["rank_index", "b", "1", "2", "2019", "map"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    by_name=st.booleans(),
    suffix=st.sampled_from([".tsv", ".csv", ".parquet"]),
    long=st.booleans(),
)
def test_signals_come_back_from_files_whatever_the_maps_are_called(
    tmp_path_factory, names, by_name, suffix, long
):
    assume(by_name or not long or "rank_index" not in names)  # two columns could be the labels
    path = tmp_path_factory.mktemp("maps") / f"signals{suffix}"
    keys = ["Som", "Vis", "Mot", "Aud"] if by_name else [4, 1, 2, 3]
    values = np.array([[4, 1, 3, 2], [1, 2, 3, 4], [9, 8, 7, 6]])[: len(names)]
    rc.save(rc.Signals(values, keys, map_names=names), path, long=long)
    assert (
        np.array(by_label(path)).reshape(len(names), 4).tolist() == values[:, [1, 2, 3, 0]].tolist()
    )


# --- numbers of every kind ----------------------------------------------------------------------

LARGE = 2**53 + 1


def series_of(kind, cells):
    if kind == "dict":
        return {n + 1: cell for n, cell in enumerate(cells)}
    if kind == "NumPy in a dict":
        return {n + 1: cell if cell is None else np.array(cell)[()] for n, cell in enumerate(cells)}
    if kind == "arrays in a dict":
        return {n + 1: np.array([np.nan if cell is None else cell]) for n, cell in enumerate(cells)}
    if kind == "polars":
        return pl.Series(cells, strict=False)
    if kind == "pyarrow":
        return pa.array(cells)
    dtype = {"object": object, "Int64": "Int64"}[kind]
    return pd.Series(cells, dtype=dtype, index=[1, 2, 3, 4])


KINDS = ["dict", "NumPy in a dict", "arrays in a dict", "polars", "pyarrow", "object", "Int64"]


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_are_nan_and_no_integer_is_rounded(kind):
    shown = by_label(series_of(kind, [7, None, 3, 4]))
    np.testing.assert_array_equal(np.ravel(shown), [7, np.nan, 3, 4])
    with pytest.raises(SignalsError, match=str(LARGE)):
        rc.paint(series_of(kind, [LARGE, None, 3, 4]), P4)
    assert np.ravel(by_label(series_of(kind, [LARGE, 1, 3, 4]))).tolist() == [LARGE, 1, 3, 4]


def test_integers_on_both_sides_of_the_signed_ones_come_back(tmp_path):
    signals = rc.Signals(np.array([1, 2**63 + 5, 3, 2**64 - 1], np.uint64), [1, 2, 3, 4])
    for name in ("v.tsv", "v.csv", "v.parquet", "v.npy"):
        image = rc.paint(rc.save(signals, tmp_path / name), P4)
        assert image.get_data_dtype() == np.uint64
        assert np.asarray(image.dataobj).ravel().tolist() == [0, 1, 2**63 + 5, 3, 2**64 - 1]
    cells = pl.Series([1, 2, 3, 4], dtype=pl.Int128)
    large = pl.Series([2**70, 2, 3, 4], dtype=pl.Int128)
    assert by_label(pl.DataFrame({"label": [1, 2, 3, 4], "n": cells})) == [1, 2, 3, 4]
    with pytest.raises(SignalsError, match=r"1 integer in .* beyond 64 bits"):
        rc.paint(pl.DataFrame({"label": [1, 2, 3, 4], "n": large}), P4)


# --- carriers as they come ----------------------------------------------------------------------


def test_several_arrays_under_the_name_of_one(tmp_path):
    np.savez(tmp_path / "v.npz", a=np.arange(4), b=np.arange(4))
    path = (tmp_path / "v.npz").rename(tmp_path / "v.npy")
    with pytest.raises(RegioncastError, match="holds several arrays \\('a', 'b'\\)"):
        rc.paint(path, P4)


def test_the_output_of_another_program_is_a_table():
    reader, writer = os.pipe()
    os.write(writer, b"label\tz\n1\t1.5\n2\t2.5\n4\t4.5\n3\t3.5\n")
    os.close(writer)
    assert by_label(f"/dev/fd/{reader}") == [1.5, 2.5, 3.5, 4.5]
    os.close(reader)


def test_what_stands_twice_is_found_in_large_tables(tmp_path):
    # In a time that grows with their square, each of these would take minutes.
    n_rows, n_maps = 200_000, 100_000
    long = pd.DataFrame({"label": [*range(1, n_rows), 3], "z": 0.5})
    titles = [*(f"map {n}" for n in range(n_maps)), "map 7"]
    wide = pd.DataFrame(np.zeros((4, 1 + n_maps)), columns=titles)
    with pytest.raises(MatchError, match="1 key given more than once: 3"):
        rc.paint(long, P4)
    with pytest.raises(MatchError, match=r"1 column title .* more than once: 'map 7'"):
        rc.paint(wide, P4)
    path = tmp_path / "wide.csv"
    rows = [["label", *titles], *([label, *[0.5] * len(titles)] for label in (1, 2, 3, 4))]
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    with pytest.raises(MatchError, match=r"2 columns 'map 7' of .* would be maps of one name"):
        rc.paint(path, P4)


def test_a_map_called_as_a_column_of_regions_is_named():
    signals = rc.Signals([[1.0, 2.0], [3.0, 4.0]], [1, 2], map_names=["index", "b"])
    with pytest.raises(SignalsError, match="1 map called 'index', as the column of the regions"):
        signals.to_pandas(long=True)
    assert list(signals.to_pandas().index) == ["index", "b"]
