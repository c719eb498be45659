"""Delimited text comes back as it was written, in any dress; what is wrong is named."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regioncast.errors import FileFormatError, InputMissingError
from regioncast.tables.cells import (
    parse_integer,
    parse_integer_column,
    parse_number,
    parse_number_column,
)
from regioncast.tables.text import decode, parse_delimited, read_text

# Names as atlases have them: with spaces, the delimiters themselves, quotes, other alphabets.
WORDS = st.text(st.characters(codec="latin-1", categories=["L", "N", "P", "Zs", "Sm"]), max_size=9)
NAMES = WORDS.map(lambda text: "a" + " ".join(text.split()))
HEADERS = st.lists(NAMES, min_size=2, max_size=4, unique=True)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "latin-1"]


def read_delimited(path):
    return parse_delimited(read_text(path), source=str(path))


@st.composite
def tables(draw):
    """A header and rows: integers in the first column, text in the others."""
    header = draw(HEADERS)
    texts = st.lists(NAMES, min_size=len(header) - 1, max_size=len(header) - 1)
    numbers = st.integers(-(2**63), 2**63 - 1).map(str)
    row = st.tuples(numbers, texts).map(lambda cells: [cells[0], *cells[1]])
    return header, draw(st.lists(row, min_size=1, max_size=5))


def written(rows, delimiter, line_end, quoting):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize(
    ("text", "header", "first"),
    [
        ('"name" "z"\n"1" "M1" 3\n"2" "V1" 1\n', ("", "name", "z"), ("1", "M1", "3")),
        ('"z"\n"V 1" 0.5\n"M 1" 1.5\n', ("", "z"), ("V 1", "0.5")),
        ("z,p\nV1,0.5,1\nM1,1.5,2\n", ("", "z", "p"), ("V1", "0.5", "1")),
    ],
)
def test_a_header_without_a_title_over_the_names_of_rows(text, header, first):
    table = parse_delimited(text, source="r.txt")
    assert table.header == header
    assert tuple(column[0] for column in table.columns) == first


@pytest.mark.parametrize(
    "text",
    [
        "name\tz\nV1\t0.5\t7\nM1\t1.5\t8\n",  # a title too few at the end
        "index,name\n1,V1,x\n2,V2,y\n",
        "hemi\tz\nV1\tL\t0.5\nM1\tL\t2\n",  # begins with a title of the first column
        "name,z\npole,left,0.5\npole,right,1.5\n",
        "z,p\nV1,0.5,1\nM1,1.5\n",
        "1,2\nV1,0.5,1\nM1,1.5,3\n",
    ],
)
def test_a_title_too_few_is_otherwise_an_error(text):
    with pytest.raises(FileFormatError, match="3 cells where the first row has 2"):
        parse_delimited(text, source="r.txt")


@given(
    table=tables(),
    delimiter=st.sampled_from("\t,;"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    head=st.sampled_from(["", "# made by hand\n", "\n#\n\n"]),
    tail=st.sampled_from(["", "\n\n", "  \n"]),
)
def test_a_table_comes_back_in_any_dress(table, delimiter, line_end, quoting, head, tail):
    header, rows = table
    # A tab wins over what is in the cells; of comma and semicolon, the one not in them is found.
    others = "" if delimiter == "\t" else "\t,;".replace(delimiter, "")
    clean = str.maketrans(dict.fromkeys(others, "_"))
    header = [title.translate(clean) for title in header]
    rows = [[cell.translate(clean) for cell in row] for row in rows]
    text = head + written([header, *rows], delimiter, line_end, quoting) + tail
    read = parse_delimited(text, source="atlas")
    if len(set(header)) == len(header):
        assert read.header == tuple(header)
    assert [list(row) for row in zip(*read.columns, strict=True)] == rows
    assert read.delimiter == delimiter


@given(table=tables(), encoding=st.sampled_from(ENCODINGS))
@example(table=(["aé", "b"], [["1", "aü ç"]]), encoding="latin-1")
def test_the_encoding_does_not_matter(tmp_path_factory, table, encoding):
    header, rows = table
    data = written([header, *rows], "\t", "\n", csv.QUOTE_MINIMAL).encode(encoding)
    if encoding == "latin-1" and is_utf8(data) and not data.isascii():
        return  # the bytes mean something else in UTF-8, and that is read
    path = tmp_path_factory.mktemp("tables") / "atlas.tsv"
    path.write_bytes(data)
    assert [list(row) for row in zip(*read_delimited(path).columns, strict=True)] == rows


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "delimiter", "header", "columns"),
    [
        # A tab decides, however many commas the names hold.
        ("id\tname\n1\tpole, left\n2\tpole, right\n", "\t", ("id", "name"), 2),
        ("id;name\n1;pole, left\n2;pole, right\n", ";", ("id", "name"), 2),
        ("name;z\nV1;0,5\nV2;1,5\n", ";", ("name", "z"), 2),
        ('id,name\n1,"pole, left"\n2, "insula"\n', ",", ("id", "name"), 2),
        (" 2 8Bm\n 11 11l\n", " ", None, 2),
        ('name   z\n"pole left"  0.5\nV1 1\n', " ", ("name", "z"), 2),
        ("0.5 1.5 2\n1 2 3\n", " ", None, 3),
        ("V1 V2\n0.5 1\n", " ", ("V1", "V2"), 2),
        # Words alone are a list of names, not columns.
        ("Left Frontal Pole\nRight Frontal Pole\n", None, None, 1),
        ("z\n0.5\nn/a\n", None, ("z",), 1),
        ("0.5\n1\n", None, None, 1),
        ("name,network\nV1,Vis\n", ",", ("name", "network"), 2),
        ("index\tname\txyz\n0\tBackground\t\n1\tV1\t1, 2, 3\n", "\t", ("index", "name", "xyz"), 3),
        ("# id name\n1 V1\n2 V2\n", " ", ("id", "name"), 2),
        ("#,name\n1,V1\n2,V2\n", ",", ("#", "name"), 2),
        ("# two regions of mine\n1 V1\n2 V2\n", " ", None, 2),
        ("time,1,2\n0,0.5,0.4\n", ",", ("time", "1", "2"), 3),
        ("id,name,,\n1,V1,,\n", ",", ("id", "name", "", ""), 4),
        # pandas' index has no title: a first row that begins with nothing is a header.
        (",0\n17,0.5\n53,0.25\n", ",", ("", "0"), 2),
        (",3,20\nV1,0.5,1\n", ",", ("", "3", "20"), 3),
        (",0.5\n0.25,0.75\n", ",", ("", "0.5"), 2),
        (",0\n17,0.5\n,0.25\n", ",", ("", "0"), 2),
        ("name,2019,2020\nV1,0.5,1\n", ",", ("name", "2019", "2020"), 3),
        ("ROI 3\nROI 1\n", " ", None, 2),
    ],
)
def test_delimiter_and_header_follow_from_the_content(text, delimiter, header, columns):
    table = parse_delimited(text, source="atlas")
    assert (table.delimiter, table.header, len(table.columns)) == (delimiter, header, columns)


def test_empty_cells_past_the_header_are_dropped():
    assert parse_delimited("id,name\n1,V1,\n2,V2,,\n", source="t").columns == (
        ("1", "2"),
        ("V1", "V2"),
    )


def test_what_spreadsheets_add_is_no_row():
    for text in ("id,name\n1,V1\n,\n,\n", "sep=,\nid,name\n1,V1\n", "SEP=;\nid;name\n1;V1\n"):
        table = parse_delimited(text, source="t")
        assert (table.header, table.columns) == (("id", "name"), (("1",), ("V1",)))
    assert parse_delimited("sep=\t\nid\tname\n1\tV1, V2\n", source="t").columns[1] == ("V1, V2",)


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\x93V1\x94 \x96 \xe9", "“V1” – é"), (b"\x81\xe9", "\x81é"), (b"\xc3\xa9", "é")],
)
def test_bytes_are_text_as_windows_writes_it_where_they_are_no_utf8(data, text):
    assert decode(data, source="t") == text


def test_a_missing_value_in_the_only_column_keeps_its_row():
    assert parse_delimited("z\n1\n\n3\n\n", source="t").columns == (("1", "", "3"),)


def test_blank_lines_between_rows_of_cells_are_no_rows():
    assert parse_delimited("id,name\n1,V1\n\n2,V2\n", source="t").n_rows == 2


def test_columns_without_title_are_numbered():
    table = parse_delimited(",name\n0,V1\n", source="t")
    assert table.titles == ("column 1", "name")
    assert table.columns[0] == ("0",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"t\.tsv is empty"),
        ("# only\n\n# comments\n", r"t\.tsv is empty"),
        (",,\n", r"t\.tsv is empty"),
        ('sep=;\n""', r"t\.tsv is empty"),
        ("id\tname\n", r"t\.tsv has a header \('id', 'name'\) and no rows below it"),
        ("# x\nid,name\n1,V1\n2\n", r"t\.tsv, line 4: 1 cell where the first row has 2 \('2'\)"),
        (
            "id,name\n1,pole, left\n2,V1\n3,V2\n",
            r"t\.tsv, line 2: 3 cells where the first row has 2 \('1', 'pole', 'left'\)",
        ),
        ("id\tname\tz\n1\tV1\t\n2\tV2\n", r"t\.tsv, line 3: 2 cells where the first row has 3"),
        ("1 2 3\n4 5\n", r"t\.tsv, line 2: 2 cells where the first row has 3"),
        ('id\tname\n1\t"Broca\n2\tV2\n', r"t\.tsv, line 3: the quotes do not pair up"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, message):
    with pytest.raises(FileFormatError, match=message):
        parse_delimited(text, source="t.tsv")


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b\x08\x00rest", b"PK\x03\x04", b"\xff\xfea", b"id\0name\n"]
)
def test_binary_files_are_refused(tmp_path, data):
    path = tmp_path / "atlas.tsv"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"atlas\.tsv is not text: it looks binary"):
        read_delimited(path)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputMissingError, match=r"does not exist: .*none\.tsv"):
        read_delimited(tmp_path / "none.tsv")
    with pytest.raises(InputMissingError, match="is a folder"):
        read_delimited(tmp_path)


@given(st.integers(-(2**63), 2**63 - 1))
@example(2**53 + 1)
def test_integers_are_exact_in_every_spelling(number):
    for cell in (f"{number}", f" {number} ", f"{number}.0", f"{number}."):
        assert parse_integer(cell) == number
    assert parse_number(f"{number}") == number
    column = parse_integer_column([f"{number}.0", "7"])
    assert column is not None
    assert column.dtype == np.int64
    assert column.tolist() == [number, 7]


@given(st.floats(allow_nan=False))
def test_floats_come_back_to_the_bit(number):
    assert parse_number(repr(number)) == number


@pytest.mark.parametrize("cell", ["", "n/a", "N/A", "NA", "NaN", "nan", "  "])
def test_missing_is_neither_number_nor_integer(cell):
    assert parse_number(cell) is None
    assert parse_integer(cell) is None
    assert parse_integer_column(["1", cell]) is None
    assert parse_number_column(["1", cell]) == (1, None)
    assert parse_number_column([cell]) is None


@pytest.mark.parametrize("cell", ["V1", "1_000", "0x10", "1 2", "1e", "--1", "\u0661", "1,5"])
def test_what_is_no_number_is_refused(cell):
    with pytest.raises(FileFormatError, match="is not a number"):
        parse_number(cell)
    assert parse_number_column(["1", cell]) is None


def test_number_columns_are_all_integers_or_all_floats():
    assert parse_number_column(["1", "-inf", "2e0"]) == (1.0, -np.inf, 2.0)
    mixed = parse_number_column(["1", "0.5"])
    assert mixed is not None
    assert [type(number) for number in mixed] == [float, float]
    assert parse_number_column(["0,5", "1"], decimal_comma=True) == (0.5, 1.0)


@pytest.mark.parametrize("cells", [["1", "2.5"], ["1", "V1"], [str(2**63)], []])
def test_what_is_no_column_of_int64_is_none(cells):
    assert parse_integer_column(cells) is None


def test_the_table_of_the_demo_is_read(demo_folder: Path):
    table = read_delimited(demo_folder / "atlas_dseg.tsv")
    assert table.header is not None
    assert table.header[:2] == ("index", "name")
    assert table.n_rows == 100
