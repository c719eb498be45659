"""A table of values says the same in every carrier and shape, and keeps its numbers."""

from __future__ import annotations

import csv
import io
import sys
from decimal import Decimal

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regioncast as rc
from regioncast.errors import MatchError, RegioncastError, SignalsError, SignalsTypeError

LABELS = [3, 20, 1007, 5]
NAMES = ["V1", "Área 2", "MT", "left, dorsal"]
ABBREVIATIONS = ["v", "á", "m", "d"]
ASCENDING = np.argsort(LABELS)
SHAPE = (4, 3, 2)
LARGE = 2**53 + 1


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


@given(series=SERIES, order=st.permutations(range(4)))
@pytest.mark.parametrize("keys", [NAMES, LABELS, ABBREVIATIONS], ids=["name", "label", "column"])
def test_wide_tables_say_the_same_in_every_carrier(tmp_path_factory, series, order, keys):
    folder = tmp_path_factory.mktemp("wide")
    expected = expected_of(series)
    shuffled = [keys[at] for at in order]
    columns = series[:, order]
    frame = pd.DataFrame(columns, columns=shuffled)
    as_text = frame.rename(columns=str)
    carriers = [frame, *frames(as_text, folder), *text_files(wide_rows(columns, shuffled), folder)]
    for carrier in carriers:
        assert_same(painted(carrier), expected)


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
    for carrier in carriers:
        assert_same(painted(carrier, by="position"), expected)
        assert_same(painted(carrier), expected)


@given(series=SERIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_standard_input_is_a_table(monkeypatch, series):
    for rows in (long_rows(series, NAMES), wide_rows(series, NAMES)):
        content = text_of(rows, "\t").encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert_same(painted("-"), expected_of(series))


@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\n\n\n"])
def test_labels_and_numbers_without_a_header(tmp_path, end):
    path = tmp_path / "values.txt"
    for keys in (LABELS, NAMES):
        path.write_text("\n".join(f"{k}\t{n}.5" for n, k in enumerate(keys)) + end)
        assert_same(painted(path), painted(dict(zip(LABELS, [0.5, 1.5, 2.5, 3.5], strict=True))))


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


GAPS = {
    "text": lambda folder: _write(folder / "gap.tsv", f"name\tn\nV1\t{LARGE}\nMT\tn/a\n"),
    "pandas": lambda folder: pd.DataFrame(
        {"name": ["V1", "MT"], "n": pd.array([LARGE, pd.NA], "Int64")}
    ),
    "polars": lambda folder: pl.DataFrame({"name": ["V1", "MT"], "n": [LARGE, None]}),
    "pyarrow": lambda folder: pa.table({"name": ["V1", "MT"], "n": pa.array([LARGE, None])}),
    "two columns": lambda folder: pd.DataFrame(
        {"name": ["V1", "MT"], "n": [LARGE, 1], "z": [0.5, 1.5]}
    ),
    "text, two columns": lambda folder: _write(
        folder / "two.tsv", f"name\tn\tz\nV1\t{LARGE}\t0.5\nMT\t1\t1.5\n"
    ),
    "text beyond int64": lambda folder: _write(
        folder / "beyond.tsv", f"name\tn\nV1\t-1\nMT\t{2**63 + 1}\n"
    ),
}


def _write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", GAPS)
def test_an_integer_that_would_be_rounded_is_an_error(tmp_path, kind):
    with pytest.raises(RegioncastError, match=r"9007199254740993|9223372036854775809"):
        painted(GAPS[kind](tmp_path), missing="fill")


def test_small_integers_with_gaps_are_floats(tmp_path):
    path = _write(tmp_path / "gap.tsv", "name\tn\nV1\t7\nMT\tn/a\n")
    for carrier in (
        path,
        pd.DataFrame({"name": ["V1", "MT"], "n": pd.array([7, pd.NA], "Int64")}),
        pl.DataFrame({"name": ["V1", "MT"], "n": [7, None]}),
        pa.table({"name": ["V1", "MT"], "n": pa.array([7, None])}),
    ):
        image = painted(carrier, missing="fill")
        assert image.dtype == np.float64
        assert set(np.unique(image[~np.isnan(image)])) == {0.0, 7.0}
        assert np.isnan(image).any()


@pytest.mark.parametrize("text", ["n/a", "N/A", "NA", "nan", "NaN", ""])
def test_missing_values_are_nan(tmp_path, text):
    path = _write(
        tmp_path / "values.tsv", f"name\tz\nV1\t{text}\nÁrea 2\t1.5\nMT\t2\nleft, dorsal\t3"
    )
    expected = dict(zip(NAMES, [np.nan, 1.5, 2, 3], strict=True))
    np.testing.assert_array_equal(painted(path), painted(expected))


@given(st.lists(FLOATS, min_size=4, max_size=4))
def test_infinite_and_extreme_values_are_values(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("floats") / "values.csv"
    path.write_text(text_of([["name", "z"], *zip(NAMES, values, strict=True)], ","))
    assert_same(painted(path), painted(dict(zip(NAMES, map(float, values), strict=True))))


@pytest.mark.parametrize("text", ["1e400", "-1E+999"])
def test_a_number_beyond_the_floats_is_not_silently_infinite(tmp_path, text):
    rows = f"name\tz\nV1\t{text}\nÁrea 2\t1\nMT\t2\nleft, dorsal\t3.5\n"
    with pytest.raises(RegioncastError, match=r"(?i)1e\+?(400|999)"):
        painted(_write(tmp_path / "values.tsv", rows))


# --- which column says who, and which says what ----------------------------------------------

STATS = pd.DataFrame(
    {
        "analysis": ["a", "a", "b", "b"],
        "region": NAMES,
        "id": LABELS,
        "n": [3, 5, 20, 1008],
        "z": [0.5, -1.0, 2.0, 8.25],
        "note": ["", "x", "y", ""],
    }
)


def columns_of(image):
    """Return for each map the values of the regions in the order of NAMES."""
    data, codes = np.asarray(image.dataobj), ATLAS.codes
    rows = np.searchsorted(np.sort(LABELS), LABELS) + 1
    found = np.array([data[codes == row][0] for row in rows])
    return found.T.tolist()


@pytest.mark.parametrize("make", [lambda f: f, pl.from_pandas, pa.Table.from_pandas])
def test_the_key_column_is_found_and_labels_are_no_values(make):
    image = rc.paint(make(STATS), ATLAS)
    assert image.match.by == "name"
    assert image.match.signals.map_names == ("n", "z")
    assert columns_of(image) == [[3, 5, 20, 1008], [0.5, -1.0, 2.0, 8.25]]


@pytest.mark.parametrize("key", ["region", "id"])
def test_key_names_the_key_column(key):
    image = rc.paint(STATS, ATLAS, key=key, columns="z")
    assert image.match.by == {"region": "name", "id": "label"}[key]
    assert columns_of(image) == [0.5, -1.0, 2.0, 8.25]


@pytest.mark.parametrize("columns", [["z"], ["z", "n"], ["n", "z"], ["id", "z"], ("z",)])
def test_columns_chooses_maps_and_their_order(columns):
    image = rc.paint(STATS, ATLAS, columns=columns)
    expected = [STATS[title].tolist() for title in columns]
    assert image.match.signals.map_names == tuple(columns)
    assert columns_of(image) == (expected if len(columns) > 1 else expected[0])


def test_one_column_is_a_map_and_several_are_a_series():
    assert rc.paint(STATS, ATLAS, columns="z").shape == SHAPE
    assert rc.paint(STATS, ATLAS, columns=["z", "n"]).shape == (*SHAPE, 2)


def test_a_column_of_labels_beside_names_must_not_agree_to_be_no_value():
    # Labels of another numbering, titled as such, are no values either.
    frame = STATS.assign(index=[1, 2, 3, 4])[["index", "region", "z"]]
    assert rc.paint(frame, ATLAS).match.signals.map_names == ("z",)


def test_two_columns_that_could_be_labels_raise_and_key_decides():
    frame = pd.DataFrame({"a": LABELS, "b": LABELS[::-1], "z": [1.5, 2.5, 3.5, 4.5]})
    with pytest.raises(
        MatchError, match="2 columns of the DataFrame could be the labels: 'a', 'b'"
    ):
        rc.paint(frame, ATLAS)
    for key in "ab":
        values = dict(zip(frame[key], frame["z"], strict=True))
        assert_same(painted(frame, key=key, columns="z"), painted(values))


def test_a_title_that_says_label_decides_between_two_columns():
    frame = pd.DataFrame({"rank": LABELS[::-1], "label": LABELS, "z": [1.5, 2.5, 3.5, 4.5]})
    image = rc.paint(frame, ATLAS, columns="z")
    assert columns_of(image) == [1.5, 2.5, 3.5, 4.5]


@pytest.mark.parametrize("title", ["rank", "n", "count", "value", "intensity", "order"])
def test_names_beat_numbers_as_key(title):
    frame = pd.DataFrame({title: LABELS[::-1], "who": NAMES, "z": [1.5, 2.5, 3.5, 4.5]})
    assert columns_of(rc.paint(frame, ATLAS, columns="z")) == [1.5, 2.5, 3.5, 4.5]


def test_labels_that_contradict_the_names_raise_and_key_decides():
    frame = pd.DataFrame({"label": LABELS[::-1], "who": NAMES, "z": [1.5, 2.5, 3.5, 4.5]})
    with pytest.raises(MatchError, match=r"'who' and 'label' .* mean different regions in 4 rows"):
        rc.paint(frame, ATLAS, columns="z")
    assert columns_of(rc.paint(frame, ATLAS, key="who", columns="z")) == [1.5, 2.5, 3.5, 4.5]
    assert columns_of(rc.paint(frame, ATLAS, key="label", columns="z")) == [4.5, 3.5, 2.5, 1.5]


@pytest.mark.parametrize("titles", [["who", "homologue"], ["homologue", "who"]])
@pytest.mark.parametrize("fault", [{}, {"MT": "MTT"}])
def test_columns_that_name_different_regions_raise_and_key_decides(titles, fault):
    columns = {"who": [fault.get(name, name) for name in NAMES], "homologue": NAMES[::-1]}
    frame = pd.DataFrame(columns)[titles].assign(z=[1.5, 2.5, 3.5, 4.5])
    with pytest.raises(MatchError, match=r"mean different regions in \d rows: .* Pass key="):
        rc.paint(frame, ATLAS)
    assert columns_of(rc.paint(frame, ATLAS, key="homologue")) == [4.5, 3.5, 2.5, 1.5]


def test_columns_that_name_the_same_regions_or_only_one_are_no_contradiction():
    frame = pd.DataFrame({"seed": "MT", "short": ABBREVIATIONS, "who": NAMES, "z": [1, 2, 3, 4]})
    assert columns_of(rc.paint(frame, ATLAS)) == [1, 2, 3, 4]


def test_an_index_that_was_sorted_and_reset_is_not_taken_for_the_labels():
    labels = [1, 2, 3, 4]
    atlas = atlas_of(labels)
    stats = pd.DataFrame({"label": labels[::-1], "z": [0.5, 2.5, 1.5, 3.5]})
    in_order = rc.paint(stats.reset_index(), atlas)
    assert in_order.match.signals.keys == (4, 3, 2, 1)
    stats.index = labels
    frame = stats.sort_values("z").reset_index()
    with pytest.raises(MatchError, match=r"could be the labels: 'index', 'label'\. Pass key="):
        rc.paint(frame, atlas)
    assert rc.paint(frame, atlas, key="label").match.signals.keys == (4, 2, 3, 1)


def test_an_index_that_counts_rows_is_no_key():
    in_order = pd.DataFrame({"name": NAMES, "z": [1.5, 2.5, 3.5, 4.5]})
    filtered = pd.concat([in_order, in_order]).iloc[[4, 1, 6, 3]]
    for frame in (in_order, filtered):
        assert columns_of(rc.paint(frame, ATLAS)) == [1.5, 2.5, 3.5, 4.5]
    atlas = rc.load_parcellation(nib.Nifti1Image(np.array([[[1, 2, 3]]], np.int16), np.eye(4)))
    by_position = rc.paint(pd.Series([10.0, 20.0, 30.0]), atlas)
    assert np.asarray(by_position.dataobj).tolist() == [[[10.0, 20.0, 30.0]]]
    with pytest.raises(MatchError, match="unused"):
        rc.paint(pd.Series([10.0, 20.0, 30.0], index=[2, 3, 4]), atlas)


@pytest.mark.parametrize("title", ["region", "index", None, 0])
def test_an_index_of_names_is_the_key(title):
    frame = pd.DataFrame({"z": [1.5, 2.5, 3.5, 4.5]}, index=pd.Index(NAMES, name=title))
    assert columns_of(rc.paint(frame, ATLAS)) == [1.5, 2.5, 3.5, 4.5]
    if title is not None:
        assert columns_of(rc.paint(frame, ATLAS, key=title)) == [1.5, 2.5, 3.5, 4.5]


def test_a_table_may_list_regions_that_are_not_in_the_atlas():
    frame = pd.DataFrame({"name": [*NAMES, "Other"], "z": [1.5, 2.5, 3.5, 4.5, 5.5]})
    with pytest.raises(MatchError, match="1 key that no region has"):
        rc.paint(frame, ATLAS)
    assert columns_of(rc.paint(frame, ATLAS, extra="ignore")) == [1.5, 2.5, 3.5, 4.5]


@pytest.mark.parametrize(
    ("text", "error", "shown"),
    [
        ("name\tz\nV1\tx\n", SignalsError, "has no column of values beside its key column 'name'"),
        ("name\tz\tz\nV1\t1\t2\n", MatchError, "2 columns 'z'"),
        (
            "name\tz\nV1\t1\nn/a\t2\n",
            MatchError,
            "1 row of .* without a key in the column 'name': 2",
        ),
        ("a\tb\nx\ty\n", SignalsError, "has no column of values beside its key column 'a'"),
        ("a\tb\n1.5\t2\n2.5\t2\n", MatchError, "has no column of regions"),
    ],
)
def test_tables_that_do_not_say_enough(tmp_path, text, error, shown):
    options = {"columns": "z"} if "z\tz" in text else {}
    with pytest.raises(error, match=shown):
        painted(_write(tmp_path / "values.tsv", text), missing="fill", **options)


def test_columns_and_key_belong_to_tables():
    for option in ({"columns": "z"}, {"key": "name"}):
        for values in ({"V1": 1.0}, [1.0, 2, 3, 4], rc.Signals([1.0], ["V1"])):
            with pytest.raises(SignalsError, match=r"choose columns of a table; a .* has none"):
                rc.paint(values, ATLAS, **option)


def test_columns_of_a_wide_table_raise():
    frame = pd.DataFrame([[1.0, 2, 3, 4]], columns=NAMES)
    with pytest.raises(SignalsError, match="the DataFrame has one column per region"):
        rc.paint(frame, ATLAS, columns="V1")


# --- wide tables -----------------------------------------------------------------------------


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("titles", [LABELS, NAMES], ids=["labels", "names"])
@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_wide_table_as_pandas_writes_it(tmp_path, index, titles, n_rows):
    values = np.arange(4.0 * n_rows).reshape(n_rows, 4) + 0.25
    path = tmp_path / "values.csv"
    pd.DataFrame(values, columns=titles).to_csv(path, index=index)
    assert_same(painted(path), expected_of(values))


@pytest.mark.parametrize("titles", [LABELS, NAMES], ids=["labels", "names"])
def test_integers_under_a_header_of_labels(tmp_path, titles):
    path = tmp_path / "values.csv"
    pd.DataFrame([[7, 8, 9, 10], [1, 2, 3, 4]], columns=titles).to_csv(path)
    image = rc.paint(path, ATLAS)
    assert columns_of(image) == [[7, 8, 9, 10], [1, 2, 3, 4]]
    assert image.get_data_dtype() == np.int64


def test_a_wide_table_whose_values_look_like_labels_stays_wide():
    frame = pd.DataFrame(dict.fromkeys(NAMES, LABELS))
    assert columns_of(rc.paint(frame, ATLAS)) == [[label] * 4 for label in LABELS]


@pytest.mark.parametrize("delimiter", ["\t", ",", " "])
def test_integers_without_a_header_stay_values(tmp_path, delimiter):
    values = np.array([[9, 8, 7, 6], [3, 20, 1007, 5], [1, 2, 3, 4]])
    path = _write(tmp_path / "values.txt", text_of(values.tolist(), delimiter))
    np.testing.assert_array_equal(painted(path), painted(values))
    # A single row has no header above it, whatever it holds.
    path = _write(tmp_path / "values.txt", text_of([LABELS], delimiter))
    np.testing.assert_array_equal(painted(path), painted(LABELS))


def test_a_column_beside_the_regions_is_a_key_without_region():
    frame = pd.DataFrame([[0.0, 1, 2, 3, 4], [2.0, 5, 6, 7, 8]], columns=["time", *NAMES])
    with pytest.raises(MatchError, match="unused   1: 'time'"):
        rc.paint(frame, ATLAS)
    assert columns_of(rc.paint(frame, ATLAS, extra="ignore")) == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_text_under_a_region_is_no_number(tmp_path):
    path = _write(tmp_path / "values.tsv", "V1\tMT\n1.5\thigh\n2.5\tlow\n")
    with pytest.raises(
        SignalsError, match=r"column 'MT' of .*values.tsv holds text: 'high', 'low'"
    ):
        painted(path, missing="fill")


def test_the_name_na_is_a_name(tmp_path):
    atlas = rc.load_parcellation(
        nib.Nifti1Image(np.array([[[1, 2, 0]]], np.int16), np.eye(4)), {1: "NA", 2: "VP"}
    )
    for text in ("name\tz\nNA\t0.5\nVP\t1.5\n", "NA\tVP\n0.5\t1.5\n"):
        image = rc.paint(_write(tmp_path / "values.tsv", text), atlas)
        assert np.asarray(image.dataobj).tolist() == [[[0.5, 1.5, 0.0]]]


# --- dates and other things ------------------------------------------------------------------


def test_columns_that_are_no_numbers_are_left_out_or_refused():
    frame = STATS.assign(when=pd.to_datetime(["2020-01-01"] * 4))
    assert rc.paint(frame, ATLAS).match.signals.map_names == ("n", "z")
    with pytest.raises(SignalsError, match="The column 'when' of the DataFrame holds text"):
        rc.paint(frame, ATLAS, columns="when")


@pytest.mark.parametrize(
    "moments",
    [pd.to_datetime(["2020-01-01"] * 4), pd.to_timedelta([1, 2, 3, 4], unit="s")],
    ids=["dates", "durations"],
)
def test_dates_and_durations_are_neither_values_nor_keys(moments):
    frame = pd.DataFrame({"name": NAMES, "z": [1.5, 2.5, 3.5, 4.5]})
    dated = frame.assign(when=moments)
    wide = pd.DataFrame([frame["z"].to_list()] * 4, columns=NAMES, index=moments)
    labelled = frame.assign(label=moments)
    for table in (dated, pl.from_pandas(dated), pa.table(dated), dated.set_index("when"), labelled):
        assert columns_of(rc.paint(table, ATLAS)) == [1.5, 2.5, 3.5, 4.5]
    assert columns_of(rc.paint(wide, ATLAS)) == [[1.5, 2.5, 3.5, 4.5]] * 4
    for table in (dated, pl.from_pandas(dated), pa.table(dated)):
        with pytest.raises(SignalsError, match="The column 'when' of the DataFrame holds"):
            rc.paint(table, ATLAS, columns="when")
        with pytest.raises(MatchError, match="4 keys neither a name nor an integer label"):
            rc.paint(table, ATLAS, key="when")


DECIMALS = st.decimals(-(10**9), 10**9, places=3)


@given(cells=st.lists(DECIMALS | st.none(), min_size=4, max_size=4))
def test_decimals_are_the_floats_next_to_them(cells):
    expected = [np.nan if cell is None else float(cell) for cell in cells]
    objects = pd.DataFrame({"name": NAMES, "z": pd.Series(cells, dtype=object)})
    arrow = pa.table({"name": NAMES, "z": pa.array(cells, pa.decimal128(20, 3))})
    decimals = pl.DataFrame({"name": NAMES, "z": cells}, {"name": str, "z": pl.Decimal(20, 3)})
    mapping = dict(zip(NAMES, cells, strict=True))
    series = pd.Series(cells, NAMES, dtype=object)
    for values in (objects, arrow, decimals, mapping, series):
        np.testing.assert_array_equal(columns_of(rc.paint(values, ATLAS)), expected)


def test_decimals_without_decimals_are_integers():
    values = [LARGE, 2, -3, 2**63 - 1]
    frame = pd.DataFrame({"label": list(map(Decimal, LABELS)), "z": list(map(Decimal, values))})
    for table in (frame, pa.table(frame), pl.from_pandas(frame)):
        image = rc.paint(table, ATLAS)
        assert image.get_data_dtype() == np.int64
        assert columns_of(image) == values


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ([LARGE, Decimal("0.5")], f"1 integer in .* cannot be held by float64.*: {LARGE}"),
        ([2**64, 1], f"1 integer in the column 'z' beyond 64 bits: {2**64}"),
        (["1e400", "-1e400"], r"2 numbers in the column 'z' beyond the range of float64: 1E\+400"),
    ],
)
def test_decimals_that_no_number_is_next_to(cells, shown):
    frame = pd.DataFrame({"name": NAMES, "z": [*map(Decimal, cells), Decimal(1), Decimal(2)]})
    with pytest.raises(SignalsError, match=shown):
        rc.paint(frame, ATLAS)


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ([1, "2", 3.0, None], r"'2'\."),
        ([1, "2", 3.0, "high"], r"'high'\."),
        (["1", "2", "3", "4"], r"'1', '2', '3', '4'\."),
        ([1.5, "0,5", 2, 3], r"'0,5'\. .* decimal comma"),
    ],
)
def test_only_text_among_numbers_is_shown(cells, shown):
    frame = pd.DataFrame({"name": NAMES, "z": pd.Series(cells, dtype=object)})
    with pytest.raises(SignalsError, match=f"column 'z' of the DataFrame holds text: {shown}"):
        rc.paint(frame, ATLAS)


@pytest.mark.parametrize("fault", ["<0.001", "-", "12%", "0,5"])
def test_a_column_of_numbers_with_some_text_is_never_left_out(tmp_path, fault):
    rows = zip(NAMES, [1.5, 2.5, 3.5, 4.5], ["0.1", fault, "NA", "0.3"], strict=True)
    lines = ["name\tz\tp", *("\t".join(map(str, row)) for row in rows)]
    path = _write(tmp_path / "v.tsv", "\n".join(lines))
    for table in (path, pd.read_csv(path, sep="\t")):
        with pytest.raises(SignalsError, match=rf"column 'p' of .* holds text: '{fault}'\. Val"):
            rc.paint(table, ATLAS)
        assert columns_of(rc.paint(table, ATLAS, columns="z")) == [1.5, 2.5, 3.5, 4.5]


def test_a_table_whose_values_are_text_shows_them(tmp_path):
    path = _write(tmp_path / "v.tsv", "name\tz\nV1\thigh\nMT\tlow\n")
    with pytest.raises(SignalsError, match=r"'name', 'z'\. 'z' holds text: 'high', 'low'\. Values"):
        rc.paint(path, ATLAS)


@pytest.mark.parametrize("rows", ["name,z,\nV1,1.5,\nMT,2.5,\n", "V1,MT,\n1.5,2.5,\n"])
def test_an_empty_column_without_a_title_is_none(tmp_path, rows):
    image = rc.paint(_write(tmp_path / "v.csv", rows), ATLAS, missing="fill")
    assert columns_of(image) == [1.5, 0, 2.5, 0]


def test_a_boolean_column_is_a_map_of_zeros_and_ones():
    image = rc.paint(pd.DataFrame({"name": NAMES, "on": [True, False, True, True]}), ATLAS)
    assert image.get_data_dtype() == np.uint8
    assert columns_of(image) == [1, 0, 1, 1]


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


@given(ranks=st.permutations([1, 2, 3, 4, 5]), title=st.sampled_from(["rank", "n", "frame", "z2"]))
def test_numbers_never_win_over_names_with_a_fault(tmp_path_factory, ranks, title):
    folder = tmp_path_factory.mktemp("ranks")
    faults = {
        "unused   1: 'Lmb'": [*FIVE[:4], "Lmb"],
        "given more than once: 'Vis'": ["Vis", *FIVE[:4]],
        "unused   5: 'L_Vis'": [f"L_{name}" for name in FIVE],
    }
    for shown, names in faults.items():
        frame = pd.DataFrame({title: ranks, "region": names, "z": Z})
        frame.to_csv(folder / "values.tsv", sep="\t", index=False)
        for table in (frame, frame.iloc[:, ::-1], folder / "values.tsv"):
            with pytest.raises(MatchError, match=shown):
                rc.paint(table, SMALL)


@given(order=st.permutations(range(5)), first=st.sampled_from([0, 1, 7]))
def test_an_unnamed_index_of_integers_says_nothing_beside_names(order, first):
    frame = pd.DataFrame({"name": FIVE, "z": Z}, index=range(first, first + 5)).iloc[order]
    assert by_region(frame) == Z
    for names in ([*FIVE[:4], "Lmb"], [f"L_{name}" for name in FIVE]):
        misspelt = pd.DataFrame({"name": names, "z": Z}, index=range(first, first + 5))
        with pytest.raises(MatchError, match="unused  "):
            rc.paint(misspelt.iloc[order], SMALL)


@pytest.mark.parametrize("title", ["label", "index", None])
def test_an_index_of_labels_is_the_key_of_numbers_alone(title):
    frame = pd.DataFrame({"z": Z}, index=pd.Index([5, 4, 3, 2, 1], name=title))
    assert by_region(frame) == Z[::-1]


@pytest.mark.parametrize("n_rows", [4, 5, 6])
def test_a_column_that_counts_maps_does_not_turn_a_wide_table(n_rows):
    frame = pd.DataFrame(np.ones((n_rows, 5)), columns=[*FIVE[:4], "Lmb"])
    frame.insert(0, "frame", range(1, n_rows + 1))
    with pytest.raises(MatchError, match="missing  1: 'Lim'\nunused   2: 'frame', 'Lmb'"):
        rc.paint(frame, SMALL)


def test_a_label_with_a_fault_stays_the_key():
    frame = pd.DataFrame({"region": [1, 2, 3, 4, 6], "rank": [2, 1, 3, 5, 4]})
    for table in (frame, frame.assign(z=Z)):
        with pytest.raises(MatchError, match="missing  1: 5\nunused   1: 6"):
            rc.paint(table, SMALL)


def test_a_row_that_is_commented_out_is_missing(tmp_path):
    path = _write(tmp_path / "v.tsv", "name\tn\nVis\t1\nMot\t2\n#Aud\t3\nSom\t4\nLim\t5\n")
    with pytest.raises(MatchError, match="missing  1: 'Aud'\nunused   1: '#Aud'"):
        rc.paint(path, SMALL)


SERIES_3 = np.arange(15.0).reshape(3, 5) + 0.25


@pytest.mark.parametrize(
    ("name", "index"),
    [("w.csv", False), ("w.csv", True), ("w.tsv", False), ("w.tsv", True), ("w.txt", False)],
)
def test_a_header_that_counts_columns_is_no_map(tmp_path, name, index):
    delimiter = {".csv": ",", ".tsv": "\t", ".txt": " "}[name[1:]]
    pd.DataFrame(SERIES_3).to_csv(tmp_path / name, sep=delimiter, index=index)
    assert by_region(tmp_path / name) == SERIES_3.tolist()


def test_a_data_frame_with_default_columns_goes_by_position(tmp_path):
    frame = pd.DataFrame(SERIES_3)
    frame.to_parquet(tmp_path / "w.parquet")
    for table in (frame, frame.rename(columns=str), tmp_path / "w.parquet"):
        assert rc.match(table, SMALL).by == "position"
        assert by_region(table) == SERIES_3.tolist()
    with pytest.raises(MatchError, match="they look transposed"):
        rc.paint(frame.T.set_axis(range(3), axis=1), SMALL)
    with pytest.raises(MatchError, match=r"values of shape \(3, 4\) have 4 columns for 5 regions"):
        rc.paint(frame.iloc[:, :4], SMALL)


def test_files_of_afni_have_no_header(tmp_path):
    for rows in ([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]], [[3, 1, 2, 4, 5], [0, 4, 3, 2, 1], [7] * 5]):
        assert by_region(_write(tmp_path / "i.1D", text_of(rows, " "))) == rows
    with pytest.raises(RegioncastError, match=r"a \.1D file holds numbers only"):
        rc.paint(_write(tmp_path / "n.1D", text_of([FIVE, Z], " ")), SMALL)


def test_integers_that_may_be_a_header_or_a_map_raise(tmp_path):
    path = _write(tmp_path / "i.txt", text_of([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]], " "))
    with pytest.raises(MatchError, match="may be a header of labels, or a row of integers"):
        rc.paint(path, SMALL)
    _write(path, text_of([[1, 2, 3, 4, 5], [5.0, 4.5, 3.0, 2.0, 1.0]], " "))
    assert by_region(path) == [5.0, 4.5, 3.0, 2.0, 1.0]


@pytest.mark.parametrize("header", ["3.0,1.0,2.0", "3,1,7", "1001,1002,1003", "2,0,1"])
def test_a_first_row_like_labels_over_decimals_raises(tmp_path, header):
    path = _write(tmp_path / "w.csv", f"{header}\n0.5,1.5,2.5\n0.25,1,2.25\n")
    atlas = rc.load_parcellation(nib.Nifti1Image(np.array([[[0, 1, 2, 3]]], np.int16), np.eye(4)))
    shown = ", ".join(map(repr, header.split(",")))
    with pytest.raises(MatchError, match=rf"\({shown}\) may be a header of labels, or a row of v"):
        rc.paint(path, atlas)
    as_values = rc.paint(path, atlas, by="position").get_fdata()[0, 0, 1:, 0]
    assert as_values.tolist() == list(map(float, header.split(",")))
    if header == "3.0,1.0,2.0":
        below = rc.paint(path, atlas, by="label").get_fdata()[0, 0, 1:]
        assert below.tolist() == [[1.5, 1.0], [2.5, 2.25], [0.5, 0.25]]
    else:
        with pytest.raises(MatchError, match=r"missing|has no column of regions"):
            rc.paint(path, atlas, by="label")


def test_tables_as_r_writes_them(tmp_path):
    lines = [
        f'"{n}" "{name}" {z}' for n, (name, z) in enumerate(zip(FIVE[::-1], Z, strict=True), 1)
    ]
    assert by_region(_write(tmp_path / "r.txt", "\n".join(['"name" "z"', *lines]))) == Z[::-1]
    lines = [f'"{name}" {z}' for name, z in zip(FIVE[::-1], Z, strict=True)]
    assert by_region(_write(tmp_path / "r.txt", "\n".join(['"z"', *lines]))) == Z[::-1]
    lines = [f'"{n}" 0.5 1.5 2.5 3.5 4.5' for n in range(1, 6)]
    path = _write(tmp_path / "r.txt", "\n".join(['"V1" "V2" "V3" "V4" "V5"', *lines]))
    with pytest.raises(MatchError, match="is ambiguous: its index"):
        rc.paint(path, SMALL)


def test_titles_that_became_floats_are_labels():
    frame = pd.DataFrame(np.array([Z]), columns=[5.0, 4.0, 3.0, 2.0, 1.0])
    assert by_region(frame) == Z[::-1]


def test_two_by_two_numbers_without_a_header_raise(tmp_path):
    atlas = rc.load_parcellation(nib.Nifti1Image(np.array([[[0, 1, 2]]], np.int16), np.eye(4)))
    with pytest.raises(MatchError, match="is ambiguous: it may have labels in its first column"):
        rc.paint(_write(tmp_path / "two.txt", "1 0.5\n2 0.7\n"), atlas)


def test_a_square_table_goes_by_names_or_raises():
    square = np.arange(25.0).reshape(5, 5)
    rows_are_regions = pd.DataFrame(square, index=FIVE, columns=range(1, 6))
    assert by_region(rows_are_regions) == square.T.tolist()
    with pytest.raises(MatchError, match="may have one row or one column per region"):
        rc.paint(pd.DataFrame(square, index=FIVE, columns=FIVE), SMALL)


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


@pytest.mark.parametrize("title", ["rank", "value", "intensity", "number", "n"])
def test_a_region_may_be_painted_with_its_own_label(tmp_path, title):
    frame = pd.DataFrame({"name": FIVE, title: [1, 2, 3, 4, 5]})
    frame.to_csv(tmp_path / "v.tsv", sep="\t", index=False)
    frame.to_csv(tmp_path / "v.txt", sep=" ", index=False, header=False)
    for table in (frame, tmp_path / "v.tsv", tmp_path / "v.txt"):
        assert by_region(table) == [1, 2, 3, 4, 5]


def test_names_that_are_labels_of_others_never_depend_on_the_carrier(tmp_path):
    regions = pd.DataFrame({"index": range(1, 6), "name": list("54321")})
    atlas = rc.load_parcellation(LABELS_1_TO_5, regions)
    keys = list("12345")
    paths = [
        _write(tmp_path / "long.tsv", text_of([["name", "z"], *zip(keys, Z, strict=True)], "\t")),
        _write(tmp_path / "wide.csv", text_of([keys, Z], ",")),
    ]
    for path in paths:
        with pytest.raises(MatchError, match="keys are names and labels, of different regions"):
            rc.paint(path, atlas)
        assert by_region(path, atlas, by="label") == Z
    for text in (
        dict(zip(keys, Z, strict=True)),
        pd.DataFrame({"name": keys, "z": Z}),
        pd.DataFrame([Z], columns=keys),
    ):
        assert by_region(text, atlas) == Z[::-1]


ID_TITLES = ["index", "id", "idx", "roi_id", "roi_index", "labelid", "parcel_id", "Label ID"]


@pytest.mark.parametrize("title", [*ID_TITLES, "Unnamed: 0"])
@pytest.mark.parametrize("first", [0, 1])
def test_columns_with_titles_of_labels_are_no_maps(tmp_path, title, first):
    frame = pd.DataFrame({"name": FIVE, title: range(first, first + 5), "z": Z})
    frame.to_csv(tmp_path / "v.csv")
    for table in (frame, tmp_path / "v.csv"):
        assert rc.match(table, SMALL).by == "name"
        assert by_region(table, extra="raise") == Z


@pytest.mark.parametrize("missing", ["NA", "n/a", "nan"])
def test_a_first_row_with_a_gap_is_no_header(tmp_path, missing):
    rows = [[name, missing if name == "Vis" else z] for name, z in zip(FIVE, Z, strict=True)]
    shown = by_region(_write(tmp_path / "v.csv", text_of(rows, ",")))
    np.testing.assert_array_equal(shown, [np.nan, *Z[1:]])


@pytest.mark.parametrize("large", [2**53 + 1, -(2**53) - 1])
def test_integers_beside_fractions_are_exact_or_refused(tmp_path, large):
    values = [0.5, large, 2, 3, 4]
    rows = [["name", "z"], *zip(FIVE, values, strict=True)]
    for carrier in (
        _write(tmp_path / "v.tsv", text_of(rows, "\t")),
        dict(zip(FIVE, values, strict=True)),
    ):
        with pytest.raises(SignalsError, match=str(large)):
            rc.paint(carrier, SMALL)


def test_tables_that_pandas_writes_of_named_rows_are_read(tmp_path):
    pd.DataFrame(SERIES_3.T, index=FIVE).to_csv(tmp_path / "named.csv")
    assert by_region(tmp_path / "named.csv") == SERIES_3.tolist()


def test_one_row_is_one_map_whatever_it_is_in(tmp_path):
    for name in ("v.csv", "v.txt", "v.tsv", "v.1D"):
        delimiter = {".csv": ",", ".tsv": "\t"}.get(name[1:], " ")
        path = _write(tmp_path / name, text_of([Z], delimiter))
        assert by_region(path) == Z, name
        if name != "v.1D":
            assert by_region(_write(path, text_of([FIVE, Z], delimiter))) == Z


@pytest.mark.parametrize(
    "values", [None, {1, 2}, iter([1.0]), LABELS_1_TO_5], ids=["None", "set", "iterator", "image"]
)
def test_what_holds_no_values_is_called_by_its_type(values):
    with pytest.raises(SignalsTypeError, match=type(values).__name__) as caught:
        rc.paint(values, SMALL)
    assert "Give a dict, a Series, a DataFrame, an array, Signals or a path" in str(caught.value)


def test_a_lazy_frame_is_to_be_collected_first():
    lazy = pl.LazyFrame({"name": FIVE, "z": Z})
    with pytest.raises(SignalsError, match=r"call its collect\(\) first"):
        rc.paint(lazy, SMALL)
    assert by_region(lazy.collect()) == Z


# --- names that are numbers, and labels that floats cannot hold -------------------------------

NUMBERED = rc.load_parcellation(LABELS_1_TO_5, {n: str(100 + n) for n in range(1, 6)})
BEYOND = [2**53 + n for n in range(5)]
LABELS_BEYOND = nib.Nifti1Image(np.array([[[0, *BEYOND]]]), np.eye(4), dtype=np.int64)


@pytest.mark.parametrize(
    ("header", "by"),
    [
        ([103, 101, 102, 105, 104], "name"), ([3, 1, 2, 5, 4], "label"), ([1, 2, 3, 7, 8], "label"),
        ([5, 4, 3, 9, 11], "label"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_integers_under_a_header_of_integers_never_go_by_position_unasked(
    tmp_path, header, by, suffix
):
    values = [30, 10, 20, 50, 40]
    text = text_of([header, values], "," if suffix == ".csv" else "\t")
    path = _write(tmp_path / f"values{suffix}", text)
    with pytest.raises(MatchError, match=rf"may be a header of {by}s.*Pass by='{by}'"):
        rc.paint(path, NUMBERED)
    assert by_region(path, NUMBERED, by="position") == np.array([header, values]).tolist()
    expected = dict(zip((n % 100 for n in header), values, strict=True))
    painted = by_region(path, NUMBERED, by=by, missing="fill", extra="ignore")
    assert painted == [expected.get(n, 0) for n in range(1, 6)]


def test_integers_that_are_no_labels_go_by_position(tmp_path):
    path = _write(tmp_path / "v.csv", text_of([[30, 10, 20, 2, 50], [33, 11, 22, 55, 44]], ","))
    assert by_region(path) == [[30, 10, 20, 2, 50], [33, 11, 22, 55, 44]]


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


@pytest.mark.parametrize("by", ["auto", "name"])
@pytest.mark.parametrize("title", ["name", "region_name", "Description"])
def test_a_column_of_numbers_that_are_names_is_the_key(tmp_path, by, title):
    frame = pd.DataFrame({title: [103, 101, 105, 102, 104], "z": [3, 1, 5, 2, 4.5]})
    frame.to_csv(tmp_path / "v.csv", index=False)
    wide = pd.DataFrame([frame["z"].to_numpy()], columns=frame[title])
    for values in (frame, tmp_path / "v.csv", wide):
        assert by_region(values, NUMBERED, by=by) == [1, 2, 3, 4.5, 5]


@pytest.mark.parametrize("title", ["node", "structure", "area", "nucleus", "tract"])
def test_the_first_column_may_be_the_labels_rather_than_one_that_is_called_so(tmp_path, title):
    frame = pd.DataFrame({title: range(1, 6), "old_id": [3, 1, 2, 5, 4], "z": Z})
    frame.to_csv(tmp_path / "v.csv", index=False)
    for values in (frame, tmp_path / "v.csv"):
        with pytest.raises(MatchError, match=r"2 columns .* could be the labels"):
            rc.paint(values, SMALL, columns="z")
        assert by_region(values, columns="z", key=title) == Z


@pytest.mark.parametrize(
    "make",
    [
        lambda _: {float(BEYOND[1]): 2.0},
        lambda _: pd.Series([2.0], index=[float(BEYOND[1])]),
        lambda _: pd.DataFrame({"label": [float(BEYOND[1])], "z": [2.0]}),
        lambda _: pl.DataFrame({"label": [float(BEYOND[1])], "z": [2.0]}),
        lambda folder: _write(folder / "v.csv", "label,z\n9.007199254740993e15,2\n"),
    ],
)
def test_labels_that_floats_do_not_tell_apart_are_no_keys(tmp_path, make):
    with pytest.raises(MatchError, match=r"[Ff]loats do not tell labels from 2\*\*53 on apart"):
        rc.paint(make(tmp_path), rc.load_parcellation(LABELS_BEYOND), missing="fill")
    table = _write(tmp_path / "r.csv", "9.007199254740993e15,b\n")
    with pytest.raises(RegioncastError, match=r"9\.?00719925474099"):
        rc.load_parcellation(LABELS_BEYOND, {float(BEYOND[1]): "b"})
    with pytest.raises(RegioncastError, match=r"9\.?00719925474099"):
        rc.load_parcellation(LABELS_BEYOND, table)
    with pytest.raises(RegioncastError, match=r"2\*\*53"):
        rc.RegionTable([float(BEYOND[1])])
