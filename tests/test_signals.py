"""Region signals keep names, labels and values, in memory and in files."""

from __future__ import annotations

import copy
import pickle

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import regioncast as rc
from regioncast.engine.dtypes import _is_beyond, cast, storable, storage_dtype
from regioncast.errors import MatchError, OutputExistsError, SignalsError, SignalsTypeError
from regioncast.signals import Signals

LABELS = (3, 20, 1007, 5)
NAMES = ("V1", "Área 2", "MT", "left, dorsal")
ASCENDING = np.argsort(LABELS)
ATLAS = rc.load_parcellation(
    nib.Nifti1Image(np.array([[[0, 3, 20, 1007, 5]]], np.int16), np.eye(4)),
    pd.DataFrame({"index": LABELS, "name": NAMES}),
)

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]


@st.composite
def arrays(draw, dtypes=(*INTEGERS, *FLOATS)):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = (draw(st.integers(1, 3)), 4)
    if dtype.kind == "f":
        items = st.floats(width=8 * dtype.itemsize)
    else:
        limits = np.iinfo(dtype)
        items = st.integers(int(limits.min), int(limits.max))
    flat = draw(st.lists(items, min_size=shape[0] * 4, max_size=shape[0] * 4))
    return np.array(flat, dtype).reshape(shape)


def same(left, right):
    """Compare bit for bit, all NaNs being one."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    missing = left != left
    return bool(((right != right) == missing).all()) and (
        left[~missing].tobytes() == right[~missing].tobytes()
    )


# --- what signals are ------------------------------------------------------------------------


@given(arrays(), st.booleans())
def test_values_are_kept_as_maps_and_regions(values, single):
    given_values = values[0] if single else values
    signals = Signals(given_values, NAMES)
    assert signals.values.shape == ((1, 4) if single else values.shape)
    assert signals.single == single
    assert (signals.n_maps, signals.n_regions) == signals.values.shape
    assert same(signals.values, np.atleast_2d(given_values))


@pytest.mark.parametrize("shape", [(), (2, 3, 4), (1, 1, 1, 1)])
def test_other_dimensions_raise(shape):
    with pytest.raises(SignalsError) as caught:
        Signals(np.ones(shape))
    assert f"these are {len(shape)}D, of shape {shape}. Reshape them first." in str(caught.value)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"keys": ["V1"]}, "need 3 keys; 1 were given"),
        ({"keys": list("abcd")}, "need 3 keys; 4 were given"),
        ({"labels": [1, 2]}, "need 3 keys; 2 were given"),
        ({"keys": list("abc"), "labels": [1, 2]}, "need 3 labels; 2 were given"),
        ({"map_names": ["a"]}, "need 2 map names; 1 were given"),
    ],
)
def test_counts_that_do_not_fit_raise(options, shown):
    with pytest.raises(SignalsError) as caught:
        Signals(np.ones((2, 3)), **options)
    assert "Values of shape (2, 3) (maps, regions)" in str(caught.value)
    assert shown.removesuffix(" were given") in str(caught.value)


@pytest.mark.parametrize(
    ("given_dtype", "stored"),
    [("bool", "uint8"), ("float16", "float32"), *((d, d) for d in [*INTEGERS, *FLOATS, *COMPLEX])],
)
def test_storage_dtypes_hold_every_value(given_dtype, stored):
    values = np.array([0, 1, 100]).astype(given_dtype)
    for order in "<>":
        swapped = values.astype(values.dtype.newbyteorder(order))
        kept = storable(swapped)
        assert kept.dtype == stored
        assert kept.dtype.isnative
        np.testing.assert_array_equal(kept, values)


@pytest.mark.parametrize("dtype", ["object", "U4", "S4", "datetime64[D]", "timedelta64[s]",
                                   [("x", "f4")], "longdouble", "clongdouble"])  # fmt: skip
def test_dtypes_that_no_image_holds_raise(dtype):
    if np.dtype(dtype).kind in "fc" and np.dtype(dtype).itemsize in (8, 16) and np.dtype(dtype) in (
        np.dtype("float64"), np.dtype("complex128")
    ):  # fmt: skip
        pytest.skip("long double has 64 bits here")
    for fails in (lambda: storage_dtype(dtype), lambda: Signals(np.zeros(3, dtype))):
        with pytest.raises(SignalsTypeError, match="cannot be painted") as caught:
            fails()
        assert isinstance(caught.value, TypeError)


# --- cast ------------------------------------------------------------------------------------


@given(values=arrays(dtypes=["int64", "uint64", "float64"]), dtype=st.sampled_from(INTEGERS))
def test_a_cast_to_integers_changes_nothing_or_raises(values, dtype):
    fits = all(
        value == value and abs(value) != np.inf and int(value) == value
        and np.iinfo(dtype).min <= int(value) <= np.iinfo(dtype).max
        for value in values.ravel().tolist()
    )  # fmt: skip
    if fits:
        got = cast(values, np.dtype(dtype))
        assert got.dtype == dtype
        assert [int(v) for v in got.ravel()] == [int(v) for v in values.ravel()]
    else:
        with pytest.raises(SignalsError, match=f"cannot be held by {dtype}"):
            cast(values, np.dtype(dtype))


@given(values=arrays(dtypes=["float64"]))
def test_a_cast_to_float32_rounds_and_never_overflows(values):
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    if (np.isinf(rounded) == np.isinf(values)).all():
        assert same(cast(values, np.dtype("float32")), rounded)
    else:
        with pytest.raises(SignalsError, match="cannot be held by float32"):
            cast(values, np.dtype("float32"))


def test_a_cast_that_fails_names_up_to_five_values():
    with pytest.raises(SignalsError) as caught:
        cast(np.arange(10) + 0.5, np.dtype("int16"))
    assert "10 values cannot be held by int16: 0.5, 1.5, 2.5, 3.5, 4.5 …" in str(caught.value)


# --- as tables -------------------------------------------------------------------------------


@given(arrays())
def test_a_wide_frame_has_a_row_per_map_and_a_column_per_region(values):
    frame = Signals(values, NAMES, labels=LABELS).to_pandas()
    assert frame.columns.tolist() == list(NAMES)
    assert frame.attrs["labels"] == LABELS
    assert same(frame.to_numpy(), values)
    named = Signals(values, NAMES, map_names=[f"m{n}" for n in range(len(values))]).to_pandas()
    assert named.index.tolist() == [f"m{n}" for n in range(len(values))]
    by_label = Signals(values, LABELS).to_pandas()
    assert by_label.columns.tolist() == list(LABELS)


@given(arrays())
def test_a_long_frame_has_a_row_per_region_and_a_column_per_map(values):
    titles = [f"m{n}" for n in range(len(values))]
    frame = Signals(values, NAMES, labels=LABELS, map_names=titles).to_pandas(long=True)
    assert frame.columns.tolist() == ["index", "name", *titles]
    assert frame["index"].tolist() == list(LABELS)
    assert frame["name"].tolist() == list(NAMES)
    assert same(frame[titles].to_numpy().T, values)


def test_a_long_frame_says_what_is_known():
    assert Signals([1.0, 2], ["a", "b"]).to_pandas(long=True).columns.tolist() == ["name", "value"]
    assert Signals([1.0, 2], [7, 8]).to_pandas(long=True).columns.tolist() == ["index", "value"]
    assert Signals([1.0, 2]).to_pandas(long=True).columns.tolist() == ["value"]
    named = Signals([1.0, 2], ["a", "b"], map_names=["z"]).to_pandas(long=True)
    assert named.columns.tolist() == ["name", "z"]
    series = Signals([[1.0, 2], [3, 4]], ["a", "b"]).to_pandas(long=True)
    assert series.columns.tolist() == ["name", "map_0", "map_1"]


@given(arrays(), st.booleans())
def test_frames_are_read_back_as_the_signals(values, long):
    signals = Signals(values, NAMES, labels=LABELS, single=len(values) == 1)
    again = rc.load_signals(signals.to_pandas(long=long), ATLAS)
    assert again.keys == NAMES
    assert same(again.values, values)


# --- as files --------------------------------------------------------------------------------


@given(
    values=arrays(dtypes=["int64", "float64"]),
    long=st.booleans(),
    by_label=st.booleans(),
)
@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet"])
def test_saved_and_loaded_signals_are_the_same(tmp_path_factory, suffix, values, long, by_label):
    folder = tmp_path_factory.mktemp("signals")
    keys = LABELS if by_label else NAMES
    signals = Signals(values, keys, labels=None if by_label else LABELS, single=len(values) == 1)
    path = rc.save(signals, folder / f"signals{suffix}", long=long)
    assert list(folder.iterdir()) == [path]
    again = rc.load_signals(path, ATLAS)
    expected = np.asarray(rc.paint(signals, ATLAS).dataobj)
    if values.dtype.kind == "f" and np.isnan(values).all(axis=1 if long else 0).any():
        expected = expected.astype(np.float64)
    assert tuple(map(str, again.keys)) == tuple(map(str, keys))
    assert same(np.asarray(rc.paint(again, ATLAS).dataobj), expected)


@given(values=arrays(dtypes=[*INTEGERS, *FLOATS]), long=st.booleans())
def test_parquet_keeps_the_dtype(tmp_path_factory, values, long):
    signals = Signals(values, NAMES, single=len(values) == 1)
    path = rc.save(signals, tmp_path_factory.mktemp("signals") / "s.parquet", long=long)
    again = rc.load_signals(path, ATLAS)
    assert again.keys == NAMES
    assert same(again.values, values)


@given(values=arrays(dtypes=[*INTEGERS, *FLOATS]), single=st.booleans(), keys=st.booleans())
def test_npy_keeps_values_in_the_order_of_labels_and_no_keys(
    tmp_path_factory, values, single, keys
):
    values = values[0] if single else values
    signals = Signals(values, NAMES if keys else None, labels=LABELS)
    path = rc.save(signals, tmp_path_factory.mktemp("signals") / "s.npy")
    assert same(np.load(path), values[..., ASCENDING])
    again = rc.load_signals(path, ATLAS)
    assert again.keys is None
    assert again.single == single
    assert same(again.values, signals.values[:, ASCENDING])


def test_npy_of_names_in_an_order_that_is_not_known_is_refused(tmp_path):
    signals = Signals([1.0, 2.0, 3.0, 4.0], NAMES)
    with pytest.raises(SignalsError, match=r"only the names are known \('V1', .*Write a table"):
        rc.save(signals, tmp_path / "s.npy")
    of_two_hemispheres = Signals(signals.values, NAMES, labels=[1, 2, 1, 2])
    with pytest.raises(SignalsError, match="and not their order"):
        rc.save(of_two_hemispheres, tmp_path / "s.npy")
    named_by_numbers = Signals(signals.values, ["17", "4", "6", "9"])
    with pytest.raises(SignalsError, match="only the names are known"):
        rc.save(named_by_numbers, tmp_path / "s.npy")
    assert not list(tmp_path.iterdir())
    assert np.load(rc.save(Signals(signals.values), tmp_path / "s.npy")).tolist() == [[1, 2, 3, 4]]


@given(arrays(dtypes=["float32"]))
def test_float32_is_written_so_that_it_comes_back(tmp_path_factory, values):
    assume(not np.isnan(values).any())
    path = tmp_path_factory.mktemp("signals") / "s.tsv"
    rc.save(Signals(values, NAMES, single=len(values) == 1), path)
    again = rc.load_signals(path, ATLAS)
    assert same(again.values.astype(np.float32), values)


def test_text_files_are_plain(tmp_path):
    signals = Signals([[0.5, np.nan, 3], [1, 2, np.inf]], ["V1", "V2", "MT"], labels=[3, 20, 1007])
    wide = rc.save(signals, tmp_path / "wide.tsv").read_text()
    assert wide == "V1\tV2\tMT\n0.5\tn/a\t3.0\n1.0\t2.0\tinf\n"
    long = rc.save(signals, tmp_path / "long.csv", long=True).read_text()
    assert long == "index,name,map_0,map_1\n3,V1,0.5,1.0\n20,V2,n/a,2.0\n1007,MT,3.0,inf\n"


def test_an_existing_file_is_replaced_only_when_asked_for(tmp_path):
    path = tmp_path / "signals.tsv"
    path.write_text("precious")
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        rc.save(Signals([1.0], ["V1"]), path)
    assert path.read_text() == "precious"
    rc.save(Signals([1.0], ["V1"]), path, overwrite=True)
    assert path.read_text() == "V1\n1.0\n"


def test_map_names_and_time_survive_where_the_format_has_them(tmp_path):
    signals = Signals([[1.0, 2, 3, 4], [5, 6, 7, 8]], NAMES, map_names=["t", "p"])
    for suffix in (".tsv", ".csv", ".parquet"):
        again = rc.load_signals(rc.save(signals, tmp_path / f"s{suffix}", long=True), ATLAS)
        assert again.map_names == ("t", "p")
    assert rc.load_signals(tmp_path / "s.tsv", ATLAS, t_r=2.5).t_r == 2.5


def test_another_t_r_leaves_the_rest_alone():
    signals = Signals([[1.0, 2]], ["a", "b"], labels=[1, 2], t_r=1.0)
    again = signals.with_t_r(2.0)
    assert (again.t_r, again.keys, again.labels, again.single) == (2.0, ("a", "b"), (1, 2), False)
    named = Signals([[1.0], [2.0]], map_names=["task", "rest"]).with_t_r(2.0)
    assert named.map_names == ("task", "rest")


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_floats_just_beyond_an_integer_dtype_never_saturate(dtype):
    """Some processors make them the largest integer, which as a float is the same again."""
    limits = np.iinfo(dtype)
    beyond = np.array([float(limits.max), np.inf, np.nan, float(limits.min) * 1.5 - 4])
    for value in beyond:
        assert _is_beyond(np.array([value]), np.dtype(dtype)).all()
        with pytest.raises(SignalsError, match="cannot be held by"):
            cast(np.array([value]), np.dtype(dtype))
    largest = np.nextafter(float(limits.max), 0)
    held = cast(np.array([largest, float(limits.min)]), np.dtype(dtype))
    assert held.tolist() == [int(largest), limits.min]


def test_the_repr_says_what_there_is():
    assert repr(Signals([1.0, 2])) == "Signals: single map, 2 regions, float64"
    assert repr(Signals(np.ones((3, 1), np.int16), ["V1"])) == (
        "Signals: 3 maps, 1 region, int16, keyed by 'V1'"
    )
    shown = repr(Signals(np.ones(5), [1, 2, 3, 4, 5]))
    assert "keyed by 1, 2, 3" in shown
    assert "4" not in shown.split("keyed")[1]


# --- what is kept ----------------------------------------------------------------------------

SUFFIXES = [".tsv", ".csv", ".parquet", ".npy"]


@given(
    values=arrays(dtypes=["int64", "float64"]),
    identity=st.sampled_from(["keys", "labels", "both", "none"]),
    named=st.booleans(),
)
@pytest.mark.parametrize(
    ("suffix", "long"),
    [*((suffix, False) for suffix in SUFFIXES), *((s, True) for s in SUFFIXES if s != ".npy")],
)
def test_a_file_keeps_what_its_form_can(tmp_path_factory, suffix, long, values, identity, named):
    assume(not np.isnan(values).any())
    single = len(values) == 1
    signals = Signals(
        values,
        NAMES if identity in ("keys", "both") else None,
        labels=LABELS if identity in ("labels", "both") else None,
        map_names=[f"m{n}" for n in range(len(values))] if named else None,
        single=single,
    )
    path = tmp_path_factory.mktemp("signals") / f"s{suffix}"
    if long and identity == "none":
        with pytest.raises(SignalsError, match="these signals have no keys"):
            rc.save(signals, path, long=long)
        assert not path.exists()
        return
    if suffix == ".npy" and identity == "keys":
        with pytest.raises(SignalsError, match="values without their regions"):
            rc.save(signals, path)
        return
    rc.save(signals, path, long=long)
    # Without keys, a first row or column of integers may be labels, which is asked.
    again = rc.load_signals(path, ATLAS, by="position" if identity == "none" else "auto")
    assert again.single == single
    if suffix == ".npy":
        assert same(again.values, values if identity == "none" else values[:, ASCENDING])
        assert again.keys is None
        return
    assert same(again.values, values)
    assert (again.keys and tuple(map(str, again.keys))) == (
        signals.keys and tuple(map(str, signals.keys))
    )
    if long and identity == "both":
        assert again.labels == LABELS
    if named:
        assert again.map_names == signals.map_names


@given(arrays())
def test_labels_alone_are_keys(values):
    signals = Signals(values, labels=LABELS)
    assert signals.keys == LABELS
    by_key = rc.paint(Signals(values, LABELS), ATLAS)
    assert rc.match(signals, ATLAS).by == "label"
    assert same(np.asarray(rc.paint(signals, ATLAS).dataobj), np.asarray(by_key.dataobj))
    assert signals.to_pandas(long=True)["index"].tolist() == list(LABELS)


def test_values_are_copied_and_write_protected():
    given_values = np.array([1.0, 2, 3, 4])
    signals = Signals(given_values, NAMES)
    given_values[0] = 77
    assert signals.values.tolist() == [[1, 2, 3, 4]]
    with pytest.raises(ValueError, match="read-only"):
        signals.values[0, 0] = 77
    given_values[1] = 5  # what was given stays writable


def test_values_and_labels_cannot_be_written_to_in_copies_either():
    table = rc.RegionTable([7, 20], ["V1", "V2"])
    signals = Signals([1.0, 2.0], table.names, coverage=table)
    for copied in (pickle.loads(pickle.dumps(signals)), copy.deepcopy(signals)):
        assert copied.coverage is not None
        assert copied.values.tolist() == [[1, 2]]
        assert not copied.values.flags.writeable
        assert not copied.coverage.labels.flags.writeable


@pytest.mark.parametrize("wrong", [[1.5, 2], [None, "V1"], [("a",), "b"]])
def test_keys_that_are_neither_names_nor_labels_raise(wrong):
    with pytest.raises(MatchError, match="1 key neither a name nor an integer label"):
        Signals([1.0, 2.0], keys=wrong)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (2, 0), (0, 0)])
def test_no_values_raise(shape):
    with pytest.raises(SignalsError, match=r"There are no values: their shape is \("):
        Signals(np.ones(shape))


MASKED = np.ma.array([[1.0, 2, 3, 4]], mask=[[0, 1, 0, 0]])


@pytest.mark.parametrize(
    "use",
    [
        Signals,
        lambda values: rc.paint(values, ATLAS),
        lambda values: rc.signals_to_img_labels(
            values, nib.Nifti1Image(np.array([[[0, 3, 20, 1007, 5]]], np.int16), np.eye(4))
        ),
    ],
    ids=["Signals", "paint", "signals_to_img_labels"],
)
def test_masked_values_are_never_painted(use):
    with pytest.raises(SignalsError, match="masked") as caught:
        use(MASKED)
    assert "filled" in str(caught.value)
    use(np.ma.array(MASKED.data, mask=False))


@pytest.mark.parametrize("t_r", [0, -1, np.nan, np.inf, "2", None])
def test_a_repetition_time_is_a_number_of_seconds(t_r):
    series = np.ones((2, 4))
    for make in (
        lambda: Signals(series, t_r=t_r),
        lambda: rc.paint(series, ATLAS, t_r=t_r),
        lambda: Signals(series).with_t_r(t_r),
    ):
        if t_r is None:
            assert Signals(series, t_r=t_r).t_r is None
            continue
        with pytest.raises(SignalsError, match="t_r is a number of seconds above 0, not"):
            make()


def test_a_single_map_has_no_repetition_time():
    for values in (np.ones(4), dict.fromkeys(NAMES, 1.0), pd.Series(1.0, NAMES)):
        with pytest.raises(SignalsError, match="these values are a single map"):
            rc.paint(values, ATLAS, t_r=2)
    assert rc.paint(np.ones((1, 4)), ATLAS, t_r=2).header.get_zooms()[3] == 2


def test_complex_values_are_no_table(tmp_path):
    for suffix in (".tsv", ".csv", ".parquet"):
        with pytest.raises(SignalsTypeError, match=r"no complex numbers\. Write \.npy"):
            rc.save(Signals([1j, 2], ["a", "b"]), tmp_path / f"s{suffix}")
    assert list(tmp_path.iterdir()) == []
