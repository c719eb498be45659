"""Values that are more than a table: text in the dialects of files, and objects of Python.

Tables stand in ``values.txt``.  Atlas "four", where none is named: 1 Vis, 2 Mot, 3 Aud, 4 Som.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from tables.atlases import atlas
from tables.case import Case
from tables.reading import value_cases

import regioncast as rc
from regioncast.errors import (
    FileFormatError,
    MatchError,
    RegioncastError,
    SignalsError,
    SignalsTypeError,
)

NAN = float("nan")
LARGE = 2**53 + 1
Z = {1: 0.5, 2: 1.5, 3: 2.5, 4: 3.5}
FILL = {"missing": "fill"}
IGNORE = {"extra": "ignore"}
SIDES = {8: 8.5, 2: 2.5, 3: 3.5, 5: 5.5, 1: 1.5}


ARRAYS = [
    Case("transposed", make=lambda: np.ones((4, 50)), refuses=(
        MatchError, "values of shape (4, 50) have 50 columns for 4 regions",
        "they look transposed: turn them (values.T)")),
    Case("three dimensions", make=lambda: np.ones((2, 4, 4)), refuses=(
        SignalsError, "Signals must be 1D (regions) or 2D", "these are 3D, of shape (2, 4, 4)")),
    Case("one row in two dimensions is a series", make=lambda: np.array([[0.5, 1.5, 2.5, 3.5]]),
         maps=[Z], series=True),
    Case("values for the regions with voxels", make=lambda: [1.0, 2.0], atlas="a row too many",
         refuses=(MatchError, "have 2 values for 3 regions",
                  "it is the count of regions that have voxels",
                  "in ascending order of label (7 … 30), or key the values")),
    Case("arrays have no names", make=lambda: np.ones(4), options={"by": "name"},
         refuses=(MatchError, "by='name' needs keys, and these values have none")),
]  # fmt: skip

NUMBERS_AS_NAMES = [
    Case(
        "names that are labels of others, as titles",
        text="1,2,3\n10,20,30.5\n",
        file="wide.csv",
        atlas="swapped",
        refuses=(MatchError, "(1, 2, 3) may be a header of names, or a row of values",
                 "Pass by='name' (--by name) for a header"),
    ),
    Case("text that is names and labels", make=lambda: {"1": 10.0, "2": 20.0, "3": 30.0},
         atlas="swapped",
         refuses=(MatchError, "keys are names and labels, of different regions: '1', '2', '3'")),
    Case("text that is names and labels, by name",
         make=lambda: {"1": 10.0, "2": 20.0, "3": 30.0}, atlas="swapped", options={"by": "name"},
         maps={1: 30, 2: 10, 3: 20}),
    Case("integers that are names and labels", make=lambda: {1: 10.0, 2: 20.0, 3: 30.0},
         atlas="swapped", options=IGNORE,
         refuses=(MatchError, "keys are names and labels, of different regions: 1, 2")),
    Case("text with a leading zero is no label", make=lambda: {"07": 1.0}, atlas="sparse",
         options=FILL | IGNORE, refuses=(MatchError, "unused   1: '07'")),
    Case("text that is labels", make=lambda: {"300": 1.0, "7": 2.0, "20": 3.0, "9000": 4.0},
         atlas="sparse", maps={300: 1, 7: 2, 20: 3, 9000: 4}),
    Case("floats that are labels", make=lambda: {300.0: 1.0, 7.0: 2.0, 20.0: 3.0, 9000.0: 4.0},
         atlas="sparse", maps={300: 1, 7: 2, 20: 3, 9000: 4}),
    Case("titles that became floats", make=lambda: pd.DataFrame(
        [[3.5, 2.5, 1.5, 0.5]], columns=[4.0, 3.0, 2.0, 1.0]), maps=Z),
    Case(
        "labels that float64 does not tell apart",
        text=f"label,z\n{float(2**53)!r},1\n",
        file="beyond.csv",
        atlas="beyond",
        options=FILL,
        refuses=(MatchError, "the column 'label' names 0 ('9007199254740992.0')"),
    ),
    Case("a float that is no label beyond 2**53", make=lambda: {float(2**53): 2.0},
         atlas="beyond", options=FILL,
         refuses=(MatchError, "loats do not tell labels from 2**53 on apart")),
]  # fmt: skip

NUMBERS = [
    Case(
        "an integer that a fraction would round",
        text=f"name\tz\nVis\t0.5\nMot\t{LARGE}\n",
        file="rounded.tsv",
        options=FILL,
        refuses=(SignalsError, str(LARGE)),
    ),
    *(
        Case(f"{cell!r} is a missing value", text=f"name\tz\nVis\t{cell}\nMot\t1.5\n",
             file="gap.tsv", options=FILL, maps={1: NAN, 2: 1.5})
        for cell in ("n/a", "N/A", "NA", "nan", "NaN", "")
    ),
    Case("a number beyond the floats is not infinite", text="name\tz\nVis\t1e400\nMot\t1\n",
         file="huge.tsv", options=FILL, refuses=(RegioncastError, "1e400")),
    Case("thousands of digits are no label", text=f"label\tz\n{'9' * 5000}\t1\n", file="v.tsv",
         options=FILL, refuses=(RegioncastError, "no key is")),
    Case("thousands of digits are no value", text=f"label\tz\n1\t{'9' * 5000}\n", file="v.tsv",
         options=FILL, refuses=(SignalsError, "no column of values")),
    Case("decimals of a database", make=lambda: pa.table(
        {"name": ["Vis", "Mot"], "z": pa.array([Decimal("0.500"), None], pa.decimal128(20, 3))}),
        options=FILL, maps={"z": {1: 0.5, 2: NAN}}),
    Case("decimals without decimals are integers", make=lambda: pd.DataFrame(
        {"label": list(map(Decimal, [1, 2])), "n": list(map(Decimal, [LARGE, -3]))}),
        options=FILL, maps={"n": {1: LARGE, 2: -3}}, dtype="int64"),
    Case("decimals that would be rounded", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot"], "z": [Decimal(LARGE), Decimal("0.5")]}), options=FILL,
        refuses=(SignalsError, "1 integer in", "cannot be held by float64", str(LARGE))),
    Case("decimals beyond 64 bits", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot"], "z": [Decimal(2**64), Decimal(1)]}), options=FILL,
        refuses=(SignalsError, f"1 integer in the column 'z' beyond 64 bits: {2**64}")),
    Case("decimals beyond the floats", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot"], "z": [Decimal("1e400"), Decimal("-1e400")]}), options=FILL,
        refuses=(SignalsError, "2 numbers in the column 'z' beyond the range of float64: 1E+400")),
    Case("integers of 128 bits", make=lambda: pl.DataFrame(
        {"label": [1, 2], "n": pl.Series([5, 6], dtype=pl.Int128)}), options=FILL,
        maps={1: 5, 2: 6}),
    Case("integers of 128 bits that are beyond 64", make=lambda: pl.DataFrame(
        {"label": [1, 2], "n": pl.Series([2**70, 6], dtype=pl.Int128)}), options=FILL,
        refuses=(SignalsError, "1 integer in", "beyond 64 bits")),
    Case("objects that are numbers", make=lambda: pd.DataFrame(
        {"label": [1, 2, 3, 4],
         "z": np.array([np.float32(1.5), np.int64(2), None, np.float64(4)], object)}),
        maps={"z": {1: 1.5, 2: 2, 3: NAN, 4: 4}}),
    Case("objects of which one is no number", make=lambda: pd.Series(
        ["x", 1, 2, 3], [1, 2, 3, 4], dtype=object),
        refuses=(RegioncastError, "1 of 4 values is no number: 'x'")),
    *(
        Case(f"only text among numbers is shown: {shown}", make=lambda cells=cells: pd.DataFrame(
            {"name": ["Vis", "Mot", "Aud", "Som"], "z": pd.Series(cells, dtype=object)}),
            refuses=(SignalsError, f"column 'z' of the DataFrame holds text: {shown}"))
        for cells, shown in [
            ([1, "2", 3.0, None], "'2'."), ([1, "2", 3.0, "high"], "'high'."),
            ([1.5, "0,5", 2, 3], "'0,5'."),
        ]
    ),
    Case("text that is all numbers is numbers, as in a file", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot", "Aud", "Som"], "z": pd.Series(["1", "2", "4", "3"], dtype=object)}),
        maps={"z": {1: 1, 2: 2, 3: 4, 4: 3}}),
    Case("text in a Series", make=lambda: pd.Series(["a", "b"], ["Vis", "Mot"]), options=FILL,
         refuses=(SignalsTypeError, "Signals of dtype ", " cannot be painted",
                  "bool, integers, floats up to float64 and complex")),
    Case("text and nothing in a dict", make=lambda: {"Vis": 1.0, "Mot": None, "Aud": "high"},
         options=FILL, refuses=(SignalsTypeError, "2 of 3 values are no number: None, 'high'")),
    Case("a boolean column is zeros and ones", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot", "Aud", "Som"], "on": [True, False, True, True]}),
        maps={"on": {1: 1, 2: 0, 3: 1, 4: 1}}, dtype="uint8"),
    Case("flags with gaps are floats", make=lambda: pd.Series(
        [True, None, False, True], ["Vis", "Mot", "Aud", "Som"], dtype="boolean"),
        maps={1: 1, 2: NAN, 3: 0, 4: 1}),
    Case("dates are no map", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot"], "z": [0.5, 1.5], "when": pd.to_datetime(["2020-01-01"] * 2)}),
        options=FILL, maps={"z": {1: 0.5, 2: 1.5}}),
    Case("dates that were chosen are no map", make=lambda: pd.DataFrame(
        {"name": ["Vis", "Mot"], "z": [0.5, 1.5], "when": pd.to_datetime(["2020-01-01"] * 2)}),
        options={"columns": "when"},
        refuses=(SignalsError, "The column 'when' of the DataFrame holds")),
    Case("durations are no labels", make=lambda: pl.DataFrame(
        {"name": ["Vis", "Mot"], "z": [0.5, 1.5]}).with_columns(
            label=pl.duration(seconds=pl.Series([1, 2]))), options=FILL,
        maps={"z": {1: 0.5, 2: 1.5}}),
    Case("dates as key", make=lambda: pd.DataFrame(
        {"when": pd.to_datetime(["2020-01-01"] * 2), "z": [0.5, 1.5]}),
        options={"key": "when"},
        refuses=(MatchError, "2 keys neither a name nor an integer label")),
]  # fmt: skip

ROISTATS = """#File\tSub-brick
\t\t#\tMean_4  \tMean_3  \tMean_2  \tMean_1\x20\x20
#rest+tlrc[0]\t0[?]
\t3.5\t2.5\t1.5\t0.5
#rest+tlrc[0]\t1[?]
\t4.5\t3.5\t2.5\t1.5
"""

# Text as files have it: delimiters, decimals, quotes, headers, ends of lines, encodings.
DIALECTS = [
    Case("no end of the last line", text="Vis\t0.5\nMot\t1.5\nAud\t2.5\nSom\t3.5", file="v.txt",
         maps=Z),
    Case("empty lines at the end", text="Vis\t0.5\nMot\t1.5\nAud\t2.5\nSom\t3.5\n\n\n",
         file="v.txt", maps=Z),
    Case("decimal commas between semicolons", text="name;z\nVis;0,5\nMot;1,5\n", file="v.csv",
         options=FILL, maps={"z": {1: 0.5, 2: 1.5}}),
    Case("points beside decimal commas may be thousands",
         text="name;z;p\nVis;1.234;0,5\nMot;2.500;1\n", file="v.csv", options=FILL,
         refuses=(SignalsError, "'z' of ", " may be thousands or decimals: '1.234'")),
    Case("points and decimal commas in one column",
         text="name;z;p\nVis;1.234;1\nMot;0,5;2\n", file="v.csv", options=FILL,
         refuses=(SignalsError, "'z' of ", " may be thousands or decimals: '1.234'")),
    *(
        Case(f"thousands are named: {cell}", file="v.tsv",
             text=f"name\tz\nVis\t{cell}\nMot\t{cell}\nAud\t7\nSom\t8\n", options=FILL,
             refuses=(SignalsError, "thousands without separators"))
        for cell in ("1.234,5", "1.234.567", "1,234.5", "1,234,567")
    ),
    Case("decimal commas between tabs", text="name\tz\nVis\t0,5\nMot\t1,5E-01\n", file="v.tsv",
         options=FILL, maps={"z": {1: 0.5, 2: 0.15}}),
    Case("decimal commas between tabs, without a header", text="Vis\t0,5\nMot\t1,25\n",
         file="v.tsv", options=FILL, maps={1: 0.5, 2: 1.25}),
    Case("commas between tabs that may be of thousands", file="v.tsv", options=FILL,
         text="name\tz\nVis\t1,234\nMot\t2,500\n", refuses=(
             SignalsError, "'1,234', '2,500'", "without separators, decimals with a point")),
    Case("commas and points between tabs", text="name\tz\tp\nVis\t0,5\t0.5\nMot\t1,5\t1\n",
         file="v.tsv", options=FILL, refuses=(SignalsError, "a point for the decimal comma")),
    Case("decimal commas between spaces", text="name z\nVis 0,5\nMot 1,5\n", file="v.txt",
         options=FILL, refuses=(RegioncastError,)),
    Case("everything in quotes", text='"name"\t"z"\n"Vis"\t"0.5"\n"Mot"\t"1.5"\n', file="v.tsv",
         options=FILL, maps={"z": {1: 0.5, 2: 1.5}}),
    Case("everything in quotes, with decimal commas", text='"label";"z"\n"1";"0,5"\n"4";"1,5"\n',
         file="v.csv", options=FILL, maps={"z": {1: 0.5, 4: 1.5}}),
    Case("row names of R that count, in quotes", file="v.csv", options=FILL,
         text='"","name","z"\n"1","Som",3.5\n"2","Vis",0.5\n', maps={"z": {4: 3.5, 1: 0.5}}),
    Case("UTF-16 with a byte-order mark",
         text="name\tz\nÁrea 2\t0.5\nV1\t1.5\n".encode("utf-16"), file="v.tsv",
         atlas="odd names", options=FILL, maps={20: 0.5, 3: 1.5}),
    Case("Latin-1", text="name,z\nÁrea 2,0.5\nV1,1.5\n".encode("latin-1"), file="v.csv",
         atlas="odd names", options=FILL, maps={20: 0.5, 3: 1.5}),
    Case("a suffix in capitals", text="name,z\nVis,0.5\n", file="V.CSV", options=FILL,
         maps={1: 0.5}),
    Case("a quoted cell with a comma", text='name,z\n"left, dorsal",0.5\n', file="v.csv",
         atlas="odd names", options=FILL, maps={5: 0.5}),
    Case("row names of R, which have no title, are the names",
         text='"z"\n"Vis" 0.5\n"Mot" 1.5\n"Aud" 2.5\n"Som" 3.5\n', file="r.txt", maps={"z": Z}),
    Case("row names of R that count, beside names",
         text='"name" "z"\n"1" "Som" 3.5\n"2" "Vis" 0.5\n"3" "Aud" 2.5\n"4" "Mot" 1.5\n',
         file="r.txt", maps={"z": Z}),
    Case("row names of R over a square",
         text='"V1" "V2" "V3"\n"1" 0.5 1.5 2.5\n"2" 0.5 1.5 2.5\n"3" 0.5 1.5 2.5\n',
         file="r.txt", atlas="one to three",
         refuses=(MatchError, "the index names 3 by label (1, 2, 3), and no title says",
                  "by='label' (--by label) if the index is the labels")),
    Case("an empty column without a title", text="name,z,\nVis,1.5,\nMot,2.5,\n", file="v.csv",
         options=FILL, maps={"z": {1: 1.5, 2: 2.5}}),
    Case("an empty column without a title beside regions", text="Vis,Mot,\n1.5,2.5,\n",
         file="v.csv", options=FILL, maps={1: 1.5, 2: 2.5}),
    Case("a line that is one cell", text="name z\nVis left 0.5\nMot 1.5\n", file="v.txt",
         refuses=(SignalsError, "one cell: 'name z'. Separate cells by tab, comma")),
    Case("names without values", text="Vis\nMot\n", file="v.csv", options=FILL,
         refuses=(SignalsError, "has no column of values")),
    Case("a page of the web", text="<html>\n<table>\n</table>\n", file="v.csv", options=FILL,
         refuses=(SignalsError, "has no column of values")),
    Case("a row that is too long", text="name\tz\nVis\t1\nMot\t2\t9\nAud\t3\n", file="v.tsv",
         refuses=(FileFormatError, "v.tsv, line 3: 3 cells", "has 2")),
    *(
        Case(f"an empty table: {text!r}", text=text, file="v.tsv",
             refuses=(FileFormatError, "v.tsv", "is empty"))
        for text in ("\n\n", "# a comment\n", "\ufeff")
    ),
    Case("an empty file", text=b"", file="v.tsv", refuses=(FileFormatError, "is empty")),
    Case("a header and no row", text="name\tz\n", file="v.tsv",
         refuses=(FileFormatError, "v.tsv has a header")),
    Case("binary bytes under the name of a table", text=b"\x1f\x8b\x08\x00rest", file="v.tsv",
         refuses=(FileFormatError, "v.tsv is not text")),
    # What spreadsheets and programs add to a table.
    *(
        Case(f"what a spreadsheet adds: {text!r}", text=text, file="v.csv", options=FILL,
             maps={"z": {1: 0.5, 2: 1.5}})
        for text in (
            "name,z\nVis,0.5\nMot,1.5\n,\n,\n", "sep=,\nname,z\nVis,0.5\nMot,1.5\n",
            "SEP=;\nname;z\nVis;0.5\nMot;1.5\n", "sep=\t\nname\tz\nVis\t0.5\nMot\t1.5\n",
            "name,z\nVis,0.5,\nMot,1.5,,\n", "name,z\nVis,0.5\n\nMot,1.5\n",
            "# made by hand\nname,z\nVis,0.5\nMot,1.5\n", "\n#\n\nname,z\nVis,0.5\nMot,1.5\n",
            '"name","z"\r"Vis","0.5"\r"Mot","1.5"\r', 'name, z\n"Vis", 0.5\n"Mot", 1.5\n',
            "# name z\nVis 0.5\nMot 1.5\n", " name   z\n  Vis   0.5\n  Mot 1.5\n",
        )
    ),
    Case("a title too few: the names of the rows have none", text="z,p\nVis,0.5,1\nMot,1.5,2\n",
         file="v.csv", options=FILL, maps={"z": {1: 0.5, 2: 1.5}, "p": {1: 1, 2: 2}}),
    *(
        Case(f"a title too few otherwise: {text!r}", text=text, file="v.csv",
             refuses=(FileFormatError, "3 cells where the first row has 2"))
        for text in ("name\tz\nVis\t0.5\t7\nMot\t1.5\t8\n", "index,name\n1,Vis,x\n2,Mot,y\n",
                     "name,z\npole,left,0.5\npole,right,1.5\n", "z,p\nVis,0.5,1\nMot,1.5\n")
    ),
    Case("a row that is too short", text="# x\nname,z\nVis,0.5\nMot\n", file="v.csv",
         refuses=(FileFormatError, "v.csv, line 4: 1 cell where the first row has 2 ('Mot')")),
    Case("a quote that is not closed", text='name\tz\n"Vis\t0.5\nMot\t1.5\n', file="v.tsv",
         refuses=(FileFormatError, "v.tsv, line 3: the quotes do not pair up")),
    Case("a missing value in the only column keeps its row", text="z\n0.5\n\n2.5\n3.5\n\n",
         file="v.csv", options={"by": "position"}, maps={1: 0.5, 2: NAN, 3: 2.5, 4: 3.5}),
    Case("text as Windows writes it", text="name,z\nÁrea 2,0.5\nV1,1.5\n".encode("cp1252"),
         file="w.csv", atlas="odd names", options=FILL, maps={20: 0.5, 3: 1.5}),
    *(
        Case(f"binary bytes: {data!r}", text=data, file="v.tsv",
             refuses=(FileFormatError, "v.tsv is not text: it looks binary"))
        for data in (b"PK\x03\x04", b"\xff\xfea", b"name\0z\n")
    ),
    # AFNI's files of numbers.
    Case("AFNI: a column", text="# one row per time point\n  0.5\n1.5\n2.5\n3.5\n", file="v.1D",
         maps=Z),
    Case("AFNI: rows of integers", text="1 2 3 4\n4 3 2 1\n", file="v.1D",
         refuses=(MatchError, "is ambiguous: its first column (1, 4) may be the labels")),
    Case("AFNI: rows of integers are rows, by position", text="1 2 3 4\n4 3 2 1\n", file="v.1D",
         options={"by": "position"}, maps=[{1: 1, 2: 2, 3: 3, 4: 4}, {1: 4, 2: 3, 3: 2, 4: 1}]),
    Case("AFNI: labels and values", text="17 0.5\n99 2.5\n53 1.5\n60 3.5\n", file="v.1D",
         atlas="17 to 99",
         refuses=(MatchError, "is ambiguous: its first column (17, 99, 53, 60) may be the labels")),
    Case("AFNI: labels and values, by label", text="17 0.5\n99 2.5\n53 1.5\n60 3.5\n",
         file="v.1D", atlas="17 to 99", options={"by": "label"},
         maps={17: 0.5, 99: 2.5, 53: 1.5, 60: 3.5}),
    Case("AFNI: two by two", text="1 0.5\n2 2.5\n", file="v.1D", atlas="one and two",
         refuses=(MatchError, "ambiguous")),
    Case("AFNI: titles are those of a table", text="Som Mot Aud Vis\n3.5 1.5 2.5 0.5\n",
         file="v.1D", maps=Z),
    Case("AFNI: 3dROIstats", text="File\tSub-brick\tMean_1  \tMean_2  \tMean_3  \tMean_4  \n"
         "rest+tlrc[0]\t0[?]\t0.5\t1.5\t2.5\t3.5\n", file="v.1D", options={"strip": "Mean_"},
         maps={"rest+tlrc[0]_0[?]": Z}),
    *(
        Case(f"AFNI: 3dROIstats -1Dformat {options}", text=ROISTATS, file="v.1D", options=options,
             maps=[maps, {label: value + 1 for label, value in maps.items()}])
        for options, maps in [({"strip": ["Mean_"]}, Z), ({}, {5 - n: z for n, z in Z.items()})]
    ),
    *(
        Case(f"AFNI: a comment that names regions: {titles}",
             text=f"# 3dROIstats 2\n# {titles}\n3.5 2.5 1.5 0.5\n", file="v.1D", maps=Z)
        for titles in ("Som Aud Mot Vis", "Som, Aud, Mot, Vis", "4\t3\t2\t1")
    ),
    Case("AFNI: units below the titles", text="# 4 3 2 1\n# mm mm mm mm\n3.5 2.5 1.5 0.5\n",
         file="v.1D", maps=Z),
    Case("AFNI: column labels",
         text='#  ColumnLabels = "Som ; Aud ; Mot ; Vis"\n3.5 2.5 1.5 0.5\n', file="v.1D", maps=Z),
    Case("AFNI: a comment that names regions, by position",
         text="# Som Aud Mot Vis\n3.5 2.5 1.5 0.5\n", file="v.1D", options={"by": "position"},
         maps={1: 3.5, 2: 2.5, 3: 1.5, 4: 0.5}),
    *(
        Case(f"AFNI: a comment that names none: {comment}",
             text=f"# {comment}\n0.5 1.5 2.5 3.5\n", file="v.1D", maps=Z)
        for comment in ("one two three four", "run 3 mean x", "0 1 2 3", "Vis")
    ),
    Case("AFNI: a comment that is a label", text="# 2\n0.5\n1.5\n2.5\n3.5\n", file="v.1D",
         maps=Z),
    Case("AFNI: comments within and at the ends of lines",
         text="# <matrix\n# >\n 0.5 # Vis\n 1.5\n 2.5\n 3.5\n# </matrix>\n", file="v.1D", maps=Z),
]  # fmt: skip

# As FreeSurfer writes them: the titles are in the last comment, after a word of its own.
ASEG = """# Title Segmentation Statistics
# Measure BrainSeg, BrainSegVol, Brain Segmentation Volume, 1190684.000000, mm^3
# NRows 4
# NTableCols 6
# ColHeaders  Index SegId NVoxels Volume_mm3 StructName normMean
  1   4      7000     7000.5  Left-Lateral-Ventricle            35.5
  2  10      8001     8001.5  Left-Thalamus                     95.5
  3  24      1000     1000.5  CSF                               45.5
  4  16     21000    21000.5  Brain-Stem                        85.5
"""
APARC = """# Measure Cortex, NumVert, Number of Vertices, 134111, unitless
# TableCol  1 ColHeader StructName
# ColHeaders StructName NumVert SurfArea ThickAvg
bankssts                                 1300    900  2.5
cuneus                                   2200   1500  1.75
insula                                   3100   2100  3.25
"""
ASEG_MAPS = {
    "NVoxels": {4: 7000, 10: 8001, 24: 1000, 16: 21000},
    "Volume_mm3": {4: 7000.5, 10: 8001.5, 24: 1000.5, 16: 21000.5},
    "normMean": {4: 35.5, 10: 95.5, 24: 45.5, 16: 85.5},
}
FREESURFER = [
    *(Case(f"FreeSurfer's {file}", text=ASEG, file=file, atlas="aseg", maps=ASEG_MAPS)
      for file in ("aseg.stats", "stats.txt")),
    Case("FreeSurfer's aseg.stats, by label", text=ASEG, file="aseg.stats", atlas="aseg",
         options={"by": "label", "key": "SegId", "columns": "normMean"},
         maps={"normMean": ASEG_MAPS["normMean"]}),
    Case("FreeSurfer's lh.aparc.stats", text=APARC, file="lh.aparc.stats", atlas="cortex",
         options={"columns": ["ThickAvg", "SurfArea"]},
         maps={"ThickAvg": {1: 2.5, 3: 1.75, 8: 3.25}, "SurfArea": {1: 900, 3: 1500, 8: 2100}}),
    Case("FreeSurfer's lh.aparc.stats has no such column", text=APARC, file="lh.aparc.stats",
         atlas="cortex", options={"columns": "t"}, refuses=(
             MatchError, "no column 't'", "'StructName', 'NumVert', 'SurfArea', 'ThickAvg'")),
]  # fmt: skip

# A column for each number up to the highest label, and two blanks at the end of each line.
MEANTS = "0.5  1.5  2.5  0  0  0  0  0  0  3.5  \n1.5  2.5  3.5  0  0  0  0  0  0  4.5  \n"
MEANTS_MAPS = [{2: 1.5, 3: 2.5, 4: 0, 10: 3.5}, {2: 2.5, 3: 3.5, 4: 0, 10: 4.5}]
FSL = [
    Case("FSL: fslmeants --label", text="0.5  1.5  2.5  3.5  \n1.5  2.5  3.5  4.5  \n",
         file="v.txt", maps=[Z, {label: value + 1 for label, value in Z.items()}]),
    Case("FSL: fslmeants --label, of labels with gaps", text=MEANTS, file="v.txt", atlas="2 to 10",
         refuses=(MatchError, "have 10 columns for 4 regions; 10 is the highest label, so ",
                  "to be one for each number from 1", "only 2, 3, 4, 10 are regions",
                  "values[..., parcellation.table.labels - 1]", "(--by label --extra ignore)")),
    Case("FSL: fslmeants --label, of labels with gaps, as the message says", maps=MEANTS_MAPS,
         text="1  2  3  4  5  6  7  8  9  10\n" + MEANTS, file="v.txt", atlas="2 to 10",
         options={"by": "label", "extra": "ignore"}),
    Case("FSL: fslmeants --label, of labels with gaps, as the message says of arrays",
         make=lambda: np.array([line.split() for line in MEANTS.splitlines()], float)[
             ..., atlas("2 to 10").parcellation.table.labels - 1],
         atlas="2 to 10", maps=MEANTS_MAPS),
]  # fmt: skip

OBJECTS = [
    *(
        Case(f"what keys share: {what}", make=make, options={"strip": ["lh_", "_area"]},
             atlas="cortex", maps={1: 0.5, 3: 1.5, 8: 2.5})
        for what, make in [
            ("a dict", lambda: {"lh_cuneus_area": 1.5, "lh_bankssts_area": 0.5, "insula": 2.5}),
            ("a Series", lambda: pd.Series([1.5, 2.5, 0.5], [
                "lh_cuneus_area", "lh_insula_area", "lh_bankssts"])),
            ("Signals", lambda: rc.Signals([1.5, 2.5, 0.5], [
                "lh_cuneus_area", "lh_insula_area", "lh_bankssts"])),
        ]
    ),
    Case("what keys of a dict share", make=lambda: {"Mean_17": 1.5, "Mean_53": 2.5, "SD_17": 3.5},
         atlas="17 to 99", options=FILL, refuses=(
             MatchError, "2 of 3 keys name regions by label without 'Mean_'; pass strip='Mean_'")),
    Case("groups of regions in a dict", make=lambda: {"Mot": 1.5, "Vis": 2.5}, atlas="networks",
         refuses=(MatchError, "all 2 keys are cells of the column 'network'", "(--by network)")),
    Case("labels of a dict that count", make=lambda: {1: 0.5, 2: 1.5, 3: 2.5, 4: 3.5},
         atlas="17 to 99", refuses=(MatchError, "count from 1 to 4, the number of regions",
                                    "pass by='position' (--by position)")),
    Case("labels of a dict that count, by position", atlas="17 to 99", options={"by": "position"},
         make=lambda: {1: 0.5, 2: 1.5, 3: 2.5, 4: 3.5}, maps={17: 0.5, 53: 1.5, 60: 2.5, 99: 3.5}),
    Case("labels of a dict that count too few", make=lambda: {1: 0.5, 2: 1.5}, atlas="17 to 99",
         options=FILL, refuses=(MatchError, "no key is the name or label of a region.")),
    Case("keys of a dict of two levels", make=lambda: {(4, "Som"): 3.5, (1, "Vis"): 0.5},
         options=FILL, refuses=(MatchError, "read from a Series: pandas.Series(values)")),
    Case("keys of a dict of two levels, as the message says",
         make=lambda: pd.Series({(4, "Som"): 3.5, (1, "Vis"): 0.5}), options=FILL,
         maps={4: 3.5, 1: 0.5}),
    Case("titles of two levels", make=lambda: pd.DataFrame(
        [[0.5, 1.5], [2.5, 3.5]], ["Mot", "Vis"],
        pd.MultiIndex.from_tuples([("sub-1", "a"), ("sub-1", 2)])), options=FILL,
        maps={"sub-1_a": {2: 0.5, 1: 2.5}, "sub-1_2": {2: 1.5, 1: 3.5}}),
    Case("a Series by labels in any order",
         make=lambda: pd.Series([0.5, 0.25, 1.5, 2.5], [60, 17, 99, 53]), atlas="17 to 99",
         maps={60: 0.5, 17: 0.25, 99: 1.5, 53: 2.5}),
    Case("a Series that counts from 0 is an array", make=lambda: pd.Series([0.5, 1.5, 2.5, 3.5]),
         maps=Z),
    Case("a Series that counts from elsewhere",
         make=lambda: pd.Series([10.0, 20.0, 30.0], [2, 3, 4]), atlas="one to three",
         refuses=(MatchError, "the index names 2 by label (2, 3, 4), and no title says",
                  "Pass key= (--key) to name the column of regions, or by='position'")),
    Case("the order that sorting left", make=lambda: pd.Series([0.3, 0.1, 0.2, 0.4]).sort_values(),
         refuses=(MatchError, "the index names 3 by label (1, 2, 0 and 1 more)",
                  "Pass key= (--key) to name the column of regions, or by='position'")),
    Case("the order that sorting left in a DataFrame",
         make=lambda: pd.Series([0.3, 0.1, 0.2, 0.4]).sort_values().to_frame(),
         refuses=(MatchError, "is ambiguous: its index (1, 2, 0, 3) may be the labels")),
    Case("an index that counts and was filtered, beside names",
         make=lambda: pd.DataFrame({"name": ["Som", "Vis", "Aud", "Mot"],
                                    "z": [3.5, 0.5, 2.5, 1.5]}, index=[4, 9, 1, 2]), maps={"z": Z}),
    Case("a DataFrame with default columns is an array",
         make=lambda: pd.DataFrame([[0.5, 1.5, 2.5, 3.5], [1, 2, 3, 4]]),
         maps=[Z, {1: 1, 2: 2, 3: 3, 4: 4}]),
    Case("a DataFrame with default columns that is transposed",
         make=lambda: pd.DataFrame(np.ones((4, 3))), refuses=(MatchError, "they look transposed")),
    Case("a DataFrame with default columns of which one is missing",
         make=lambda: pd.DataFrame(np.ones((2, 3))),
         refuses=(MatchError, "values of shape (2, 3) have 3 columns for 4 regions")),
    Case("an index of times is no key", make=lambda: pd.DataFrame(
        [[0.5, 1.5, 2.5, 3.5], [1, 2, 3, 4]], index=[0.5, 1.0]),
        maps=[Z, {1: 1, 2: 2, 3: 3, 4: 4}]),
    Case("an index of dates is no key", make=lambda: pd.DataFrame(
        [[0.5, 1.5, 2.5, 3.5], [1, 2, 3, 4]], index=pd.date_range("2020", periods=2)),
        maps=[Z, {1: 1, 2: 2, 3: 3, 4: 4}]),
    Case("a square DataFrame with an index", make=lambda: pd.DataFrame(
        np.arange(16.0).reshape(4, 4) / 8, index=[1, 2, 3, 4]),
        refuses=(MatchError, "is ambiguous: its index (1, 2, 3, 4) may be the labels")),
    Case("a square DataFrame with an index that is titled", make=lambda: pd.DataFrame(
        np.arange(16.0).reshape(4, 4), index=pd.Index([1, 2, 3, 4], name="label")),
        maps=[{1: n, 2: 4 + n, 3: 8 + n, 4: 12 + n} for n in range(4)]),
    Case("a square DataFrame of named rows", make=lambda: pd.DataFrame(
        np.arange(16.0).reshape(4, 4), index=["Vis", "Mot", "Aud", "Som"], columns=[1, 2, 3, 4]),
        maps=[{1: n, 2: 4 + n, 3: 8 + n, 4: 12 + n} for n in range(4)]),
    Case("categories are text", make=lambda: pd.DataFrame(
        {"region": pd.Categorical(["Som", "Vis"]), "z": [3.5, 0.5]}), options=FILL,
        maps={"z": {4: 3.5, 1: 0.5}}),
    Case("a dict of series", make=lambda: {"Som": [4.0, 8], "Vis": [1, 5], "Aud": (3, 7),
                                           "Mot": np.array([2, 6])},
         maps=[{1: 1, 2: 2, 3: 3, 4: 4}, {1: 5, 2: 6, 3: 7, 4: 8}]),
    Case("a dict of ragged series", make=lambda: {"Vis": [1.0, 2], "Mot": [3.0]}, options=FILL,
         refuses=(SignalsError, "every region needs as many numbers")),
    Case("a dict of matrices", make=lambda: {"Vis": np.ones((2, 2))}, options=FILL,
         refuses=(SignalsError, "one number per map; ", " shape (2, 2)")),
    Case("a dict of maps", make=lambda: {"z": np.arange(4.0), "p": np.ones(4)},
         refuses=(MatchError, "each of the 2 keys has", "look like maps")),
    Case("Signals", make=lambda: rc.Signals([3.5, 0.5, 2.5, 1.5], ["Som", "Vis", "Aud", "Mot"]),
         maps=Z),
    Case("a dict by position", make=lambda: {"x": 0.5, "y": 1.5, "z": 2.5, "w": 3.5},
         options={"by": "position"}, maps=Z),
    Case("names and labels in a dict", make=lambda: {"Vis": 1.0, 2: 2.0, 3: 3.0}, options=FILL,
         refuses=(MatchError, "partly names ('Vis') and partly labels (2, 3): use one kind")),
    Case("a label twice as integer and as float",
         make=lambda: pd.Series([1.0, 2.0], pd.Index([7, 7.0], dtype=object)), atlas="sparse",
         options=FILL, refuses=(MatchError, "the index names 1 by label (7, 7)")),
    Case("a label twice as integer and as float, by label",
         make=lambda: pd.Series([1.0, 2.0], pd.Index([7, 7.0], dtype=object)), atlas="sparse",
         options={"by": "label", **FILL}, refuses=(MatchError, "1 key given more than once: 7")),
    *(
        Case(f"a key that is {key!r}", make=lambda key=key: {key: 1.0, "Mot": 2.0}, options=FILL,
             refuses=(MatchError, "1 key neither a name nor an integer label", str(key),
                      "Key the values by the names or the labels"))
        for key in (1.5, (7, "V1"), True, None, float("nan"))
    ),
    Case("an index of several levels", make=lambda: pd.Series(
        range(4), pd.MultiIndex.from_product([["sub-1", "sub-2"], ["Vis", "Mot"]])),
        refuses=(MatchError, "has 2 rows per region: so often 'Vis' stands in the index",
                 "('sub-1', 'sub-2'). Make each a map: values.unstack(0)")),
    Case("no values at all", make=dict, refuses=(SignalsError, "There are no values: their shape")),
    Case("no rows", make=lambda: np.empty((0, 4)),
         refuses=(SignalsError, "There are no values: their shape is (0, 4)")),
    Case("a DataFrame without rows", make=lambda: pd.DataFrame({"name": [], "z": []}),
         refuses=(SignalsError, "The DataFrame is empty: it has no row")),
    Case("a DataFrame of an index alone", make=lambda: pd.DataFrame(index=[1, 2, 3, 4]),
         refuses=(SignalsError, "is empty")),
    *(
        Case(f"what holds no values: {what}", make=make,
             refuses=(SignalsTypeError, what,
                      "Give a dict, a Series, a DataFrame, an array, Signals or a path"))
        for what, make in [("NoneType", lambda: None), ("set", lambda: {1, 2}),
                           ("list_iterator", lambda: iter([1.0]))]
    ),
    Case("a lazy DataFrame", make=lambda: pl.LazyFrame({"name": ["Vis"], "z": [0.5]}),
         options=FILL, refuses=(SignalsError, "call its collect() first")),
    *(
        Case(f"{option} of {what}", make=make, options={option: "z"},
             refuses=(SignalsError, "choose columns of a table; a ", " has none"))
        for option in ("key", "columns")
        for what, make in [("a dict", lambda: {"Vis": 1.0}),
                           ("Signals", lambda: rc.Signals([1.0], ["Vis"]))]
    ),
    Case("key names the index", make=lambda: pd.DataFrame(
        {"z": [3.5, 0.5]}, index=pd.Index(["Som", "Vis"], name="who")),
        options={"key": "who", **FILL}, maps={"z": {4: 3.5, 1: 0.5}}),
    Case("an index whose title is 0", make=lambda: pd.DataFrame(
        {"z": [3.5, 0.5]}, index=pd.Index(["Som", "Vis"], name=0)), options=FILL,
        maps={"z": {4: 3.5, 1: 0.5}}),
    Case("an integer that a fraction in a dict would round",
         make=lambda: {"Vis": 0.5, "Mot": -LARGE}, options=FILL,
         refuses=(SignalsError, str(-LARGE))),
    Case("columns of an array", make=lambda: [0.5, 1.5, 2.5, 3.5], options={"columns": "z"},
         refuses=(SignalsError, "choose columns of a table; a list has none")),
    Case("a title twice in a DataFrame", make=lambda: pd.DataFrame(
        [["Vis", 1, 2]], columns=["name", "z", "z"]), options=FILL,
        refuses=(MatchError, "1 column title ", " more than once: 'z'")),
]  # fmt: skip

IDENTITY = [
    Case("names that are composed, keys that are not", make=lambda: {
        unicodedata.normalize("NFD", "Pôle"): 2.5, unicodedata.normalize("NFD", "Área"): 1.5},
        atlas="composed", maps={2: 2.5, 1: 1.5}),
    Case("two names that only their accents tell apart",
         make=lambda: {"\xe9": 1.0, "e\u0301": 2.0}, atlas="two accents", options=FILL,
         refuses=(MatchError, "2 keys given more than once")),
    Case("a column that repeats itself does not identify", make=lambda: {"L": 1.0},
         atlas="groups", options={**FILL, **IGNORE},
         refuses=(MatchError, "matched  0 of 2 regions")),
    Case("a column that repeats itself, asked for", make=lambda: {"L": 1.0}, atlas="groups",
         options={"by": "side"}, maps={7: 1, 20: 1}),
    *(
        Case(f"keys that are known but not by {by}", make=lambda values=values: values,
             atlas="sparse", options={"by": by, **FILL}, refuses=(MatchError, said))
        for values, by, said in [
            ({"V1": 1.0, "V2": 2.0}, "label", "the label of a region, but 2 of them are the name."),
            ({"7": 1.0}, "name", "the name of a region, but 1 of them is the label. Pass by="),
        ]
    ),
    # Both hemispheres have labels 3 and 7, and the names V1 and insula.
    Case("hemispheres: labels with a prefix", make=lambda: {
        "lh:3": 1.0, "lh:7": 2.0, "lh:14474380": 3.0, "rh:3": 4.0, "rh:7": 5.0, "rh:9": 6.0},
        atlas="pair",
        maps={"L:3": 1, "L:7": 2, "L:14474380": 3, "R:3": 4, "R:7": 5, "R:9": 6}),
]  # fmt: skip


def levels(*, names_first: bool = False) -> pd.MultiIndex:
    """Hemisphere and name of the atlas "sides", in another order."""
    pairs = [("R", "cuneus"), ("R", "bankssts"), ("B", "brainstem"), ("L", "cuneus"),
             ("L", "bankssts")]  # fmt: skip
    titles = ["hemisphere", "name"]
    if names_first:
        pairs, titles = [pair[::-1] for pair in pairs], titles[::-1]
    return pd.MultiIndex.from_tuples(pairs, names=titles)


BOTH_LEVELS = pd.MultiIndex.from_tuples(
    [(4, "Som"), (1, "Vis"), (3, "Aud"), (2, "Mot")], names=["label", "region"]
)

LEVELS = [
    *(
        Case(f"an index of hemispheres and names{', names first' * first}",
             make=lambda first=first: pd.Series(list(SIDES.values()), levels(names_first=first)),
             atlas="sides", maps=SIDES)
        for first in (False, True)
    ),
    Case("a DataFrame with an index of hemispheres and names", make=lambda: pd.DataFrame(
        {"z": list(SIDES.values()), "p": 1}, levels()), atlas="sides",
        maps={"z": SIDES, "p": dict.fromkeys(SIDES, 1)}),
    Case("an index of labels and names of the same regions",
         make=lambda: pd.Series([3.5, 0.5, 2.5, 1.5], BOTH_LEVELS), maps=Z),
    Case("a DataFrame with an index of labels and names of the same regions",
         make=lambda: pd.DataFrame({"z": [3.5, 0.5, 2.5, 1.5]}, BOTH_LEVELS), maps=Z),
    Case("an index of labels and names of other regions", make=lambda: pd.Series(
        [3.5, 0.5], pd.MultiIndex.from_tuples([(4, "Vis"), (1, "Som")])), options=FILL,
        refuses=(MatchError,)),
    Case("an index of subjects and regions", make=lambda: pd.Series(
        np.arange(8.0), pd.MultiIndex.from_product(
            [["sub-1", "sub-2"], ["Vis", "Mot", "Aud", "Som"]])), refuses=(RegioncastError,)),
    Case("float32 with a gap stays so", make=lambda: {
        "Vis": np.float32(0.1), "Mot": float("nan"), "Aud": np.float32(2.5),
        "Som": np.float32(3.5)},
        maps={1: float(np.float32(0.1)), 2: float("nan"), 3: 2.5, 4: 3.5}, dtype="float32"),
    Case("float32 with nothing stays so", make=lambda: {
        "Vis": np.float32(0.1), "Mot": None, "Aud": np.float32(2.5), "Som": np.float32(3.5)},
        maps={1: float(np.float32(0.1)), 2: float("nan"), 3: 2.5, 4: 3.5}, dtype="float32"),
    Case("a dict of text and numbers as text names regions as they are written",
         make=lambda: {"003": 3.5, "001": 1.5, "002": 2.5}, atlas="zeros",
         maps={1: 3.5, 2: 1.5, 3: 2.5}),
    Case("a dict of labels called as names of others", make=lambda: {1: 10.0, 2: 20.0, 3: 30.0},
         atlas="off by one", options=FILL, refuses=(MatchError, "of different regions")),
]  # fmt: skip

MORE_DIALECTS = [
    Case("a number with a decimal comma below a title, for one region", text="ROI\n12,5\n",
         file="v.csv", atlas="one", refuses=(SignalsError, "has no column of values")),
    Case("numbers with decimal commas below a title", text="ROI\n12,5\n1,25\n", file="v.csv",
         atlas="one and two", refuses=(SignalsError, "has no column of values")),
    Case("numbers with decimal commas below a title, by position",
         text="z\n0,5\n1,5\n2,5\n3,5\n", file="v.csv", options={"by": "position"},
         refuses=(SignalsError, "has no column of numbers")),
    Case("a title and a decimal comma between tabs", text="Vis\tz\n0,5\t1,5\n", file="v.tsv",
         options=FILL, refuses=(RegioncastError,)),
    Case("row names of R over two columns that both have all labels",
         text='"a" "b"\n"1" 4 3\n"2" 3 4\n"3" 2 1\n"4" 1 2\n', file="r.txt",
         refuses=(RegioncastError,)),
    Case("row names of R that are labels, over a column that has all labels",
         text='"a" "z"\n"1" 4 0.5\n"2" 3 1.5\n"3" 2 2.5\n"4" 1 3.5\n', file="r.txt",
         refuses=(RegioncastError,)),
    Case("quotes around numbers that are names", text='name,z\n"003",3.5\n"001",1.5\n"002",2.5\n',
         file="v.csv", atlas="zeros", maps={1: 3.5, 2: 1.5, 3: 2.5}),
    Case("rows of names, in quotes, that are numbers", text='"003","001","002"\n3.5,1.5,2.5\n',
         file="v.csv", atlas="zeros",
         refuses=(MatchError, "may be a header of names, or a row of values")),
    Case("decimal commas between semicolons, without a header", text="Vis;0,5\nMot;1,5\n",
         file="v.csv", options=FILL, maps={1: 0.5, 2: 1.5}),
]  # fmt: skip

CASES = [
    *value_cases("values.txt"), *ARRAYS, *NUMBERS_AS_NAMES, *NUMBERS, *DIALECTS, *MORE_DIALECTS,
    *FREESURFER, *FSL, *OBJECTS, *IDENTITY, *LEVELS,
]  # fmt: skip
