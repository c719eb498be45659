"""Numbers in tables: written quickly, and read as the same bits as pandas would have written."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import regioncast as rc
from regioncast.tables import write

DTYPES = ["f8", "f4", "f2", ">f8", ">f4", "i8", "u8", "i4", ">i2", "u1", "i1"]

EXTREMES: dict[str, list[Any]] = {
    "f8": [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 1e22,
           0.1, 1e-5, 123456789012345680.0, np.nan, np.inf, -np.inf],
    "f4": [0.0, -0.0, 1e-45, 3.4028235e38, 0.1, 1e16, 16777216.0, np.nan, np.inf, -np.inf],
    "i8": [-(2**63), 2**63 - 1, 2**53 + 1, 0],
    "u8": [2**64 - 1, 2**63, 2**53 + 1, 0],
}  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn, n_rows: int | None = None) -> np.ndarray:
    dtype = draw(st.sampled_from(DTYPES))
    shape = (n_rows or draw(st.integers(1, 7)), draw(st.integers(1, 5)))
    elements = npst.from_dtype(np.dtype(dtype))
    if dtype in EXTREMES:
        elements |= st.sampled_from(EXTREMES[dtype])
    array = draw(npst.arrays(dtype, shape, elements=elements))
    return array if draw(st.booleans()) else np.asfortranarray(array)


TEXTS = st.text(st.sampled_from("ab ;,\t\"'\n0#é"), max_size=4)

COLUMNS = st.sampled_from([
    TEXTS, st.none() | TEXTS, st.booleans(), st.none() | st.booleans(), st.floats() | TEXTS,
    st.sampled_from([True, 1, 1.0, 0.0, -0.0, "1", 2**70]), st.dates(),
])  # fmt: skip


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Columns of numbers and of other things in any order, titles that come twice among them."""
    n_rows = draw(st.integers(1, 5))
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            parts.append(pd.DataFrame(draw(arrays(n_rows))))
        else:
            cells = draw(st.lists(draw(COLUMNS), min_size=n_rows, max_size=n_rows))
            parts.append(pd.Series(cells).to_frame())
    frame = pd.concat(parts, axis=1)
    titles = st.lists(TEXTS, min_size=frame.shape[1], max_size=frame.shape[1])
    frame.columns = pd.Index(draw(titles), dtype=object)
    return frame


def rows_of(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def is_same(ours: str, pandas: str, dtype: Any) -> bool:
    """Tell whether two cells are the same text, or numbers of the same bits."""
    if ours == pandas:
        return True
    kind = np.dtype(dtype).newbyteorder("=") if isinstance(dtype, np.dtype) else None
    return (
        kind is not None
        and kind.kind == "f"
        and (np.array(float(ours), kind).tobytes() == np.array(float(pandas), kind).tobytes())
    )


@given(frames(), st.booleans(), st.sampled_from("\t,"), st.booleans(), st.integers(1, 40))
def test_cells_are_those_that_pandas_wrote(
    frame: pd.DataFrame, header: bool, delimiter: str, is_quoted: bool, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "_CELLS_AT_ONCE", at_once)
        text = write._text_of(
            write._columns_of_frame(frame), header=header, delimiter=delimiter, is_quoted=is_quoted
        )
        ours = "".join(text)
    quoting = csv.QUOTE_NONNUMERIC if is_quoted else csv.QUOTE_MINIMAL
    theirs = frame.to_csv(sep=delimiter, header=header, index=False, na_rep="n/a", quoting=quoting)
    our_rows, their_rows = rows_of(ours, delimiter), rows_of(theirs, delimiter)
    assert len(our_rows) == len(their_rows)
    first = 1 if header else 0
    assert our_rows[:first] == their_rows[:first]
    for our_row, their_row in zip(our_rows[first:], their_rows[first:], strict=True):
        assert all(map(is_same, our_row, their_row, frame.dtypes))


@given(frames())
def test_texts_are_in_quotes_as_before(frame: pd.DataFrame) -> None:
    others = frame.select_dtypes(exclude="number")
    for is_quoted in (False, True):
        quoting = csv.QUOTE_NONNUMERIC if is_quoted else csv.QUOTE_MINIMAL
        text = write._text_of(
            write._columns_of_frame(others), header=True, delimiter=",", is_quoted=is_quoted
        )
        if others.shape[1] > 1:  # alone in its row, an empty cell would be in quotes
            assert "".join(text) == others.to_csv(index=False, na_rep="n/a", quoting=quoting)


@given(arrays(), st.booleans(), st.booleans())
def test_wide_tables_are_those_of_their_frames(
    values: np.ndarray, has_keys: bool, has_names: bool
) -> None:
    keys = [f"region {n}" for n in range(values.shape[1])] if has_keys else None
    names = [f"sub-{n}_stat" for n in range(len(values))] if has_names else None
    signals = rc.Signals(values, keys, map_names=names)
    options = {"header": True, "delimiter": "\t", "is_quoted": False}
    of_frame = write._columns_of_frame(write._frame(signals, long=False))
    assert "".join(write._text_of(write._wide(signals), **options)) == "".join(
        write._text_of(of_frame, **options)
    )


def test_tables_of_regions_are_those_of_their_frames(tmp_path: Path) -> None:
    further = {
        "network": ["a", None, "c;d"], "voxels": [1, 2, 3], "fraction": [0.5, np.nan, 1.0],
        "is_left": [True, False, True],
    }  # fmt: skip
    table = rc.RegionTable([1, 5, 9], ["V1", 'V"2', "V 3"], further)
    for suffix, delimiter in ((".tsv", "\t"), (".csv", ",")):
        rc.save(table, tmp_path / f"x{suffix}")
        theirs = table.to_pandas().to_csv(sep=delimiter, index=False, na_rep="n/a")
        assert (tmp_path / f"x{suffix}").read_text() == theirs


@given(arrays(), st.sampled_from([".tsv", ".csv"]), st.booleans())
def test_signals_are_read_as_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, suffix: str, long: bool
) -> None:
    path = tmp_path_factory.mktemp("written") / f"x{suffix}"
    keys = [f"region {n}" for n in range(values.shape[1])]
    labels = list(range(1, len(keys) + 1))
    image = nib.Nifti1Image(np.array([[[0, *labels]]], np.uint8), np.eye(4))
    atlas = rc.load_parcellation(image, dict(zip(labels, keys, strict=True)))
    rc.save(rc.Signals(values, keys), path, long=long)
    again = rc.load_signals(path, atlas).values
    exact = values.astype(values.dtype.newbyteorder("="))
    if exact.dtype.kind == "f":
        exact[np.isnan(exact)] = np.nan  # of which there are many, and text has one
    assert again.astype(exact.dtype).tobytes() == exact.tobytes()


@pytest.mark.parametrize("dtype", EXTREMES)
def test_other_programs_read_the_same_bits(tmp_path: Path, dtype: str) -> None:
    exact = np.array(EXTREMES[dtype], dtype)
    keys = [f"region {n}" for n in range(len(exact))]
    path = tmp_path / "x.tsv"
    rc.save(rc.Signals(exact[None], keys), path)
    options: dict[str, Any] = {"sep": "\t", "na_values": ["n/a"], "dtype": dtype}
    of_pandas = pd.read_csv(path, **options)
    types = {"f8": pl.Float64, "f4": pl.Float64, "i8": pl.Int64, "u8": pl.UInt64}
    of_polars = pl.read_csv(
        path, separator="\t", null_values="n/a", schema_overrides=dict.fromkeys(keys, types[dtype])
    )
    if dtype[0] == "f":
        of_polars = of_polars.fill_null(float("nan"))
    with path.open(newline="") as file:
        (of_csv,) = csv.DictReader(file, delimiter="\t")
    for column in (of_pandas.to_numpy(), of_polars.to_numpy()):
        assert column[0].astype(dtype).tobytes() == exact.tobytes()
    read = {"f": lambda cell: float("nan" if cell == "n/a" else cell)}.get(dtype[0], int)
    assert np.array([read(cell) for cell in of_csv.values()], dtype).tobytes() == exact.tobytes()
