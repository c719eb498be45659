"""A table of values says the same in every carrier and shape, and keeps its numbers."""

from __future__ import annotations

import csv
import io
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regioncast as rc
from regioncast.errors import SignalsTypeError

LABELS = [3, 20, 1007, 5]
NAMES = ["V1", "Área 2", "MT", "left, dorsal"]
ABBREVIATIONS = ["v", "á", "m", "d"]
ASCENDING = np.argsort(LABELS)
SHAPE = (4, 3, 2)


def atlas_of(labels=LABELS, names=NAMES):
    voxels = np.resize([0, *labels], np.prod(SHAPE)).astype(np.int16)
    data = np.random.default_rng(1).permutation(voxels).reshape(SHAPE)
    frame = pd.DataFrame({"index": labels, "name": names, "abbreviation": ABBREVIATIONS})
    return rc.load_parcellation(nib.Nifti1Image(data, np.diag([2, 3, -1, 1])), frame)


ATLAS = atlas_of()

FLOATS = st.floats(width=64) | st.sampled_from([5e-324, 1.7976931348623157e308, -0.0, 0.1, 1e22])
# One row per map, one number per region in the order of NAMES.
SERIES = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(FLOATS, min_size=4, max_size=4), min_size=n, max_size=n)
).map(np.array)  # fmt: skip


def painted(values, **options):
    return np.asarray(rc.paint(values, ATLAS, **options).dataobj)


def bits(array):
    """Return an array in which NaNs are equal and zeros of different sign are not."""
    same_nan = np.where(np.isnan(array), np.nan, array)
    return np.ascontiguousarray(same_nan).view(
        np.uint64 if array.dtype.itemsize == 8 else np.uint32
    )


def assert_same(got, expected):
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    np.testing.assert_array_equal(bits(got), bits(expected))


def expected_of(series):
    """Paint through the plainest way in: an array in ascending order of label."""
    in_order = series[:, ASCENDING]
    return painted(in_order[0] if len(series) == 1 else in_order)


# --- carriers --------------------------------------------------------------------------------


def cell(value, decimal="."):
    if isinstance(value, str):
        return value
    return "n/a" if value != value else repr(value).replace(".", decimal)


def text_of(rows, delimiter, *, decimal=".", line_end="\n"):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([[cell(value, decimal) for value in row] for row in rows])
    return out.getvalue()


def long_rows(series, keys):
    titles = ["region", *(f"map {n}" for n in range(len(series)))]
    return [titles, *([key, *column] for key, column in zip(keys, series.T.tolist(), strict=True))]


def wide_rows(series, keys):
    return [list(keys), *series.tolist()]


def text_files(rows, folder):
    """Write rows in the many ways in which people write them."""
    texts = {
        "tab.tsv": text_of(rows, "\t").encode(),
        "comma.csv": text_of(rows, ",").encode(),
        "windows.csv": text_of(rows, ",", line_end="\r\n").encode(),
        "tab.txt": text_of(rows, "\t").encode(),
        "upper.CSV": text_of(rows, ",").encode(),
        "semicolon.csv": text_of(rows, ";", decimal=",").encode(),
        "mark.csv": text_of(rows, ",").encode("utf-8-sig"),
        "utf16.tsv": text_of(rows, "\t").encode("utf-16"),
        "latin.csv": text_of(rows, ",").encode("latin-1"),
    }
    for name, content in texts.items():
        path = folder / name
        path.write_bytes(content)
        yield path
        yield str(path)


def frames(frame, folder):
    """Return a DataFrame as each library has it, and as a Parquet file."""
    yield frame
    yield pl.from_pandas(frame)
    yield pa.Table.from_pandas(frame, preserve_index=False)
    frame.to_parquet(folder / "table.parquet")
    yield folder / "table.parquet"


@settings(max_examples=40)  # each through two dozen carriers
@given(series=SERIES, order=st.permutations(range(4)))
@pytest.mark.parametrize("keys", [NAMES, LABELS, ABBREVIATIONS], ids=["name", "label", "column"])
def test_long_tables_say_the_same_in_every_carrier(tmp_path_factory, series, order, keys):
    folder = tmp_path_factory.mktemp("long")
    expected = expected_of(series)
    shuffled = [keys[at] for at in order]
    columns = series[:, order]
    rows = long_rows(columns, shuffled)
    frame = pd.DataFrame(rows[1:], columns=rows[0])
    one = len(series) == 1
    carriers = [
        dict(zip(shuffled, columns[0] if one else columns.T, strict=True)),
        {key: column.tolist()[0] if one else column.tolist()
         for key, column in zip(shuffled, columns.T, strict=True)},
        frame.set_index("region"),
        frame.set_index("region").rename_axis(None),
        frame.astype({"region": "category"}) if keys is not LABELS else frame,
        rc.Signals(columns[0] if one else columns, shuffled),
        *([pd.Series(columns[0], index=shuffled)] if one else []),
        *frames(frame, folder),
        *text_files(rows, folder),
    ]  # fmt: skip
    for carrier in carriers:
        assert_same(painted(carrier), expected)


@settings(max_examples=40)  # each through two dozen carriers
@given(series=SERIES, order=st.permutations(range(4)))
@pytest.mark.parametrize("keys", [NAMES, LABELS, ABBREVIATIONS], ids=["name", "label", "column"])
def test_wide_tables_say_the_same_in_every_carrier(tmp_path_factory, series, order, keys):
    folder = tmp_path_factory.mktemp("wide")
    expected = expected_of(series)
    shuffled = [keys[at] for at in order]
    columns = series[:, order]
    frame = pd.DataFrame(columns, columns=shuffled)
    as_text = frame.rename(columns=str)
    for carrier in [frame, *frames(as_text, folder)]:
        assert_same(painted(carrier), expected)
    # In text, a first row of labels may be one of values.
    said = {"by": "label"} if keys is LABELS else {}
    for carrier in text_files(wide_rows(columns, shuffled), folder):
        assert_same(painted(carrier, **said), expected)


@settings(max_examples=60)
@given(SERIES)
def test_values_without_keys_say_the_same_in_every_carrier(tmp_path_factory, series):
    folder = tmp_path_factory.mktemp("plain")
    expected = expected_of(series)
    values = series[0, ASCENDING] if len(series) == 1 else series[:, ASCENDING]
    np.save(folder / "values.npy", values)
    # A vector is written as a column, a matrix with one row per map.
    rows = values[:, np.newaxis].tolist() if values.ndim == 1 else values.tolist()
    plain = "\n".join(" ".join(cell(value) for value in row) for row in rows)
    carriers = [
        values,
        values.tolist(),
        np.asfortranarray(values),
        rc.Signals(values),
        folder / "values.npy",
        *([pd.Series(values), pl.Series(values), pa.array(values)] if values.ndim == 1 else []),
    ]
    for name, content in {
        "spaces.txt": f"{plain}\n",
        "afni.1D": f"# one row per time point\n  {plain}\n",
        "tabs.tsv": text_of(rows, "\t"),
        "commas.csv": text_of(rows, ","),
        "no_line_end.txt": plain,
    }.items():
        path = folder / name
        path.write_text(content)
        carriers.append(path)
    array = values[:, np.newaxis] if values.ndim == 1 else values
    is_plain = 1 in array.shape or not (may_be_labels(array[0]) or may_be_labels(array[:, 0]))
    for carrier in carriers:
        assert_same(painted(carrier, by="position"), expected)
        if is_plain:
            assert_same(painted(carrier), expected)


def may_be_labels(numbers):
    """Whether a first row or column of numbers is made of different integers."""
    return len(set(numbers)) == len(numbers) and all(map(float.is_integer, numbers.tolist()))


@given(series=SERIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_standard_input_is_a_table(monkeypatch, series):
    for rows in (long_rows(series, NAMES), wide_rows(series, NAMES)):
        content = text_of(rows, "\t").encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert_same(painted("-"), expected_of(series))


# --- dtypes ----------------------------------------------------------------------------------

DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
          "float32", "float64"]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_carrier_keeps_the_dtype(tmp_path, dtype):
    values = np.array([1, 2, 3, 100], dtype)
    np.save(tmp_path / "values.npy", values[ASCENDING])
    frame = pd.DataFrame({"name": NAMES, "z": values})
    wide = pd.DataFrame([values], columns=NAMES)
    carriers = [
        dict(zip(NAMES, values, strict=True)),
        pd.Series(values, index=NAMES),
        values[ASCENDING],
        tmp_path / "values.npy",
        rc.Signals(values, NAMES),
        *frames(frame, tmp_path),
        *frames(wide, tmp_path),
    ]
    for carrier in carriers:
        image = painted(carrier)
        assert image.dtype == dtype
        assert set(image.ravel().tolist()) == {0, 1, 2, 3, 100}


@pytest.mark.parametrize(
    ("given_dtype", "stored"), [("bool", "uint8"), ("float16", "float32"), (">i4", "<i4")]
)
def test_dtypes_that_no_image_has_become_the_nearest_that_has_all_values(given_dtype, stored):
    values = np.array([1, 0, 1, 1]).astype(given_dtype)
    for carrier in (dict(zip(NAMES, values, strict=True)), pd.Series(values, NAMES)):
        assert painted(carrier).dtype == stored


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_values_are_painted(tmp_path, dtype):
    values = np.array([1 + 2j, -1j, 3, 0.5 - 1e-3j], dtype)
    np.save(tmp_path / "values.npy", values[ASCENDING])
    expected = painted(values[ASCENDING])
    assert expected.dtype == dtype
    for carrier in (dict(zip(NAMES, values, strict=True)), tmp_path / "values.npy"):
        np.testing.assert_array_equal(painted(carrier), expected)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=4, max_size=4))
def test_integers_stay_exact(tmp_path_factory, integers):
    folder = tmp_path_factory.mktemp("integers")
    frame = pd.DataFrame({"name": NAMES, "n": np.array(integers, np.int64)})
    expected = painted(np.array(integers, np.int64)[ASCENDING])
    rows = [["name", "n"], *zip(NAMES, integers, strict=True)]
    carriers = [
        dict(zip(NAMES, integers, strict=True)),
        frame.astype({"n": "Int64"}),
        *frames(frame, folder),
        *text_files(rows, folder),
        *text_files([NAMES, integers], folder),
    ]
    for carrier in carriers:
        image = painted(carrier, columns=None)
        assert image.dtype == np.int64
        np.testing.assert_array_equal(image, expected)


# --- decimals ----------------------------------------------------------------------------------


def columns_of(image):
    """Return for each map the values of the regions in the order of NAMES."""
    data, codes = np.asarray(image.dataobj), ATLAS.codes
    rows = np.searchsorted(np.sort(LABELS), LABELS) + 1
    found = np.array([data[codes == row][0] for row in rows])
    return found.T.tolist()


DECIMALS = st.decimals(-(10**9), 10**9, places=3)


@given(cells=st.lists(DECIMALS | st.none(), min_size=4, max_size=4).filter(any))
def test_decimals_are_the_floats_next_to_them(cells):
    expected = [np.nan if cell is None else float(cell) for cell in cells]
    objects = pd.DataFrame({"name": NAMES, "z": pd.Series(cells, dtype=object)})
    arrow = pa.table({"name": NAMES, "z": pa.array(cells, pa.decimal128(20, 3))})
    decimals = pl.DataFrame({"name": NAMES, "z": cells}, {"name": str, "z": pl.Decimal(20, 3)})
    mapping = dict(zip(NAMES, cells, strict=True))
    series = pd.Series(cells, NAMES, dtype=object)
    for values in (objects, arrow, decimals, mapping, series):
        np.testing.assert_array_equal(columns_of(rc.paint(values, ATLAS)), expected)


def test_floats_wider_than_64_bits_are_refused():
    if np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("long double has 64 bits here")
    with pytest.raises(SignalsTypeError, match="cannot be painted"):
        painted(np.ones(4, np.longdouble))


# --- numbers that look like labels -----------------------------------------------------------

FIVE = ["Vis", "Mot", "Aud", "Som", "Lim"]
Z = [0.5, 1.5, 2.5, 3.5, 4.5]
LABELS_1_TO_5 = nib.Nifti1Image(np.array([[[0, 1, 2, 3, 4, 5]]], np.int16), np.eye(4))
SMALL = rc.load_parcellation(LABELS_1_TO_5, dict(enumerate(FIVE, 1)))


def by_region(values, atlas=SMALL, **options):
    """Return the numbers of the regions 1 to 5, one list per map of a series."""
    return np.asarray(rc.paint(values, atlas, **options).dataobj)[0, 0, 1:].T.tolist()


@given(
    maps=st.lists(st.permutations([1, 2, 3, 4, 5]), min_size=1, max_size=3),
    by_label=st.booleans(),
    dtype=st.sampled_from(["int16", "float64"]),
    suffix=st.sampled_from([".tsv", ".csv", ".parquet"]),
    long=st.booleans(),
)
def test_values_that_happen_to_be_labels_are_values(
    tmp_path_factory, maps, by_label, dtype, suffix, long
):
    path = tmp_path_factory.mktemp("ranks") / f"signals{suffix}"
    keys = [1, 2, 3, 4, 5] if by_label else FIVE
    signals = rc.Signals(np.array(maps, dtype), keys, single=len(maps) == 1)
    assert by_region(rc.save(signals, path, long=long)) == by_region(signals)


ID_TITLES = ["index", "id", "idx", "roi_id", "roi_index", "labelid", "parcel_id", "Label ID"]


@pytest.mark.parametrize("title", [*ID_TITLES, "Unnamed: 0"])
@pytest.mark.parametrize("first", [0, 1])
def test_columns_with_titles_of_labels_are_no_maps(tmp_path, title, first):
    frame = pd.DataFrame({"name": FIVE, title: range(first, first + 5), "z": Z})
    frame.to_csv(tmp_path / "v.csv")
    for table in (frame, tmp_path / "v.csv"):
        assert rc.match(table, SMALL).by == "name"
        assert by_region(table, extra="raise") == Z


# --- names that are numbers, and labels that floats cannot hold -------------------------------

NUMBERED = rc.load_parcellation(LABELS_1_TO_5, {n: str(100 + n) for n in range(1, 6)})
BEYOND = [2**53 + n for n in range(5)]
LABELS_BEYOND = nib.Nifti1Image(np.array([[[0, *BEYOND]]]), np.eye(4), dtype=np.int64)


@pytest.mark.parametrize("atlas", [SMALL, NUMBERED, rc.load_parcellation(LABELS_1_TO_5)])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet"])
@pytest.mark.parametrize("series", [[[10, 20, 30, 40, 50]], [[1.5, 2, 3, 4, 5], [5, 4, 3, 2, 1]]])
def test_what_is_extracted_and_saved_is_painted_again(tmp_path, atlas, long, suffix, series):
    values = np.array(series) if len(series) > 1 else np.array(series[0])
    path = tmp_path / f"signals{suffix}"
    rc.save(rc.extract(rc.paint(values, atlas), atlas), path, long=long)
    assert by_region(path, atlas) == values.tolist()


@pytest.mark.parametrize("keys", [["103", "101", "102", "105", "104"], BEYOND])
def test_signals_keyed_by_digits_are_read_as_they_were_written(tmp_path, keys):
    atlas = rc.load_parcellation(LABELS_BEYOND) if keys is BEYOND else NUMBERED
    signals = rc.Signals([10, 20, 30, 40, 50], keys=keys)
    rc.save(signals, tmp_path / "s.csv")
    expected = by_region(signals, atlas)
    assert by_region(tmp_path / "s.csv", atlas) == expected
    assert sorted(expected) == [10, 20, 30, 40, 50]
