"""Tables of values and what comes of them.

Atlas "four", where none is named: 1 Vis, 2 Mot, 3 Aud, 4 Som.  The others stand in `atlases`.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from tables.case import Case

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

LONG = [
    Case(
        "names in any order",
        """
        name | z
        Som  | 3.5
        Vis  | 0.5
        Aud  | 2.5
        Mot  | 1.5
        """,
        maps={"z": Z},
    ),
    Case(
        "labels in any order",
        """
        label | z
        4     | 3.5
        1     | 0.5
        3     | 2.5
        2     | 1.5
        """,
        maps={"z": Z},
    ),
    Case(
        "labels with gaps, several maps, and integers beside floats",
        """
        roi_id | z    | n
        300    | 0.5  | 7
        9000   | -1.5 | -8
        7      | 2.25 | 300
        20     | 0    | 0
        """,
        atlas="sparse",
        maps={
            "z": {300: 0.5, 9000: -1.5, 7: 2.25, 20: 0},
            "n": {300: 7, 9000: -8, 7: 300, 20: 0},
        },
    ),
    Case(
        "negative labels",
        """
        label | z
        3     | 0.5
        -8    | 1.5
        1007  | 2.5
        20    | 3.5
        """,
        atlas="negative",
        maps={"z": {3: 0.5, -8: 1.5, 1007: 2.5, 20: 3.5}},
    ),
    Case(
        "abbreviations, a column of the region table",
        """
        code | z
        b    | 7
        d    | 9000
        a    | 300
        c    | 20
        """,
        atlas="sparse",
        maps={"z": {300: 300, 7: 7, 20: 20, 9000: 9000}},
        dtype="int64",
    ),
    Case(
        "names with spaces, commas and accents",
        """
        name         | z
        left, dorsal | 5.5
        Área 2       | 20.5
        V1           | 3.5
        MT           | 1007.5
        """,
        atlas="odd names",
        maps={"z": {5: 5.5, 20: 20.5, 3: 3.5, 1007: 1007.5}},
    ),
    Case(
        "names under a title that nobody knows",
        """
        who | z
        Som | 3.5
        Vis | 0.5
        Aud | 2.5
        Mot | 1.5
        """,
        maps={"z": Z},
    ),
    Case(
        "the index of a DataFrame, or a first column without a title, of names",
        """
            | z
        Som | 3.5
        Vis | 0.5
        Aud | 2.5
        Mot | 1.5
        """,
        maps={"z": Z},
    ),
    Case(
        "the same of labels",
        """
          | z
        4 | 3.5
        1 | 0.5
        3 | 2.5
        2 | 1.5
        """,
        maps={"z": Z},
    ),
    Case(
        "the same of labels with gaps, of which some are missing",
        """
           | z
        60 | 0.5
        17 | 0.25
        """,
        atlas="17 to 99",
        options=FILL,
        maps={"z": {60: 0.5, 17: 0.25}},
    ),
    Case(
        "names without a header",
        """
        Som | 3.5
        Vis | 0.5
        Aud | 2.5
        Mot | 1.5
        """,
        header=False,
        maps=Z,
    ),
    Case(
        "labels without a header",
        """
        9000 | 0.5
        7    | 1.5
        300  | 2.5
        20   | 3.5
        """,
        atlas="sparse",
        header=False,
        maps={9000: 0.5, 7: 1.5, 300: 2.5, 20: 3.5},
    ),
    Case(
        "a first row with a gap is no header",
        """
        Vis | n/a
        Mot | 1.5
        Aud | 2.5
        Som | 3.5
        """,
        header=False,
        maps={1: NAN, 2: 1.5, 3: 2.5, 4: 3.5},
    ),
    Case(
        "years as titles",
        """
        name | 2019 | 2020
        Vis  | 0.5  | 0
        Mot  | 1.5  | 1
        Aud  | 2.5  | 2
        Som  | 3.5  | 3
        """,
        maps={"2019": Z, "2020": {1: 0, 2: 1, 3: 2, 4: 3}},
    ),
    Case(
        "counts as titles",
        """
        label | 1   | 2
        1     | 0.5 | 0
        2     | 1.5 | 1
        3     | 2.5 | 2
        4     | 3.5 | 3
        """,
        maps={"1": Z, "2": {1: 0, 2: 1, 3: 2, 4: 3}},
    ),
    Case(
        "counts from 0 as titles",
        """
        ROI | 0   | 1
        Vis | 0.5 | 0
        Mot | 1.5 | 1
        Aud | 2.5 | 2
        Som | 3.5 | 3
        """,
        maps={"0": Z, "1": {1: 0, 2: 1, 3: 2, 4: 3}},
    ),
    Case(
        "text beside the maps is none",
        """
        analysis | region | id | n | z    | note
        a        | Vis    | 1  | 3 | 0.5  | x
        a        | Mot    | 2  | 5 | -1.0 | y
        b        | Aud    | 3  | 7 | 2.0  | n/a
        b        | Som    | 4  | 9 | 8.25 | n/a
        """,
        maps={"n": {1: 3, 2: 5, 3: 7, 4: 9}, "z": {1: 0.5, 2: -1, 3: 2, 4: 8.25}},
    ),
    Case(
        "columns chooses",
        """
        region | n | z
        Som    | 9 | 3.5
        Vis    | 3 | 0.5
        Aud    | 7 | 2.5
        Mot    | 5 | 1.5
        """,
        options={"columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "columns chooses the order, too",
        """
        region | n | z
        Som    | 9 | 3.5
        Vis    | 3 | 0.5
        Aud    | 7 | 2.5
        Mot    | 5 | 1.5
        """,
        options={"columns": ["z", "n"]},
        maps={"z": Z, "n": {1: 3, 2: 5, 3: 7, 4: 9}},
    ),
    Case(
        "columns may choose labels",
        """
        name | id
        Vis  | 1
        Mot  | 2
        Aud  | 3
        Som  | 4
        """,
        options={"columns": ["id"]},
        maps={1: 1, 2: 2, 3: 3, 4: 4},
    ),
    Case(
        "key names the column of names",
        """
        region | id | z
        Som    | 4  | 3.5
        Vis    | 1  | 0.5
        Aud    | 3  | 2.5
        Mot    | 2  | 1.5
        """,
        options={"key": "region", "columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "key names the column of labels",
        """
        region | id | z
        Som    | 4  | 3.5
        Vis    | 1  | 0.5
        Aud    | 3  | 2.5
        Mot    | 2  | 1.5
        """,
        options={"key": "id", "columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "columns of nothing",
        """
        name | z
        Vis  | 0.5
        Mot  | 1.5
        """,
        options={"columns": [], **FILL},
        refuses=(SignalsError, "has no column of values beside its key column 'name'"),
    ),
    Case(
        "a column chosen twice",
        """
        name | z
        Vis  | 0.5
        Mot  | 1.5
        """,
        options={"columns": ["z", "z"], **FILL},
        refuses=(MatchError, "2 columns 'z' of", "would be maps of one name"),
    ),
    Case(
        "a key that is not there",
        """
        name | z
        Vis  | 0.5
        Mot  | 1.5
        """,
        options={"key": "region", **FILL},
        refuses=(MatchError, "has no column 'region'; its columns are 'name', 'z'"),
    ),
    Case(
        "a title that stands twice",
        """
        name | z | z
        Vis  | 1 | 2
        """,
        options={"columns": "z", **FILL},
        refuses=(MatchError, "2 columns 'z'"),
    ),
    Case(
        "a row without a key",
        """
        name | z
        Vis  | 1
        n/a  | 2
        """,
        options=FILL,
        refuses=(MatchError, "1 row of ", " without a key in the column 'name': 2",
                 "Fill in the region, or remove the row"),
    ),
    Case(
        "values that are words",
        """
        name | z
        Vis  | x
        Mot  | y
        """,
        options=FILL,
        refuses=(SignalsError, "has no column of values beside its key column 'name'",
                 "'z' holds text: 'x', 'y'"),
    ),
    Case(
        "words in two columns",
        """
        a | b
        x | y
        """,
        options=FILL,
        refuses=(SignalsError, "has no column of values beside its key column 'a'"),
    ),
    Case(
        "numbers under titles of no regions",
        """
        mean | sd
        0.5  | 1.5
        2.5  | 3.5
        """,
        options=FILL,
        refuses=(MatchError, " has no column of regions", "'mean', 'sd'",
                 "Names: 'Vis', 'Mot', 'Aud'", "Labels: 1, 2, 3", "Pass key="),
    ),
    Case(
        "a region table, and no values",
        """
        index | name
        1     | Vis
        2     | Mot
        """,
        options=FILL,
        refuses=(SignalsError, "'index' was taken for labels; pass columns= to paint it"),
    ),
    Case(
        "a map that is empty",
        """
        name | x
        Vis  | n/a
        Mot  | n/a
        """,
        options=FILL,
        maps={1: NAN, 2: NAN},
    ),
    Case(
        "more regions than the atlas has",
        """
        name  | z
        Vis   | 0.5
        Mot   | 1.5
        Aud   | 2.5
        Som   | 3.5
        Other | 4.5
        """,
        refuses=(MatchError, "1 key that no region has", "unused   1: 'Other'",
                 "extra='ignore' (--extra ignore)"),
    ),
    Case(
        "more regions than the atlas has, which is said to be right",
        """
        name  | z
        Vis   | 0.5
        Mot   | 1.5
        Aud   | 2.5
        Som   | 3.5
        Other | 4.5
        """,
        options=IGNORE,
        maps={"z": Z},
    ),
    Case(
        "fewer regions than the atlas has",
        """
        name | z
        Vis  | 0.5
        Aud  | 2.5
        """,
        refuses=(MatchError, "2 regions without a value", "missing  2: 'Mot', 'Som'",
                 "missing='fill' (--missing fill)"),
    ),
    Case(
        "fewer regions than the atlas has, which is said to be right",
        """
        name | z
        Vis  | 0.5
        Aud  | 2.5
        """,
        options=FILL,
        maps={"z": {1: 0.5, 3: 2.5}},
    ),
    Case(
        "a near miss, a stranger and a region without a value",
        """
        name       | z
        V1         | 1
        v2         | 2
        MT         | 3
        Cerebellum | 4
        """,
        atlas="sparse",
        refuses=(MatchError, "2 regions without a value; 2 keys that no region has",
                 "missing  2: 'V2', 'V3'", "unused   2: 'v2', 'Cerebellum'",
                 "did you mean 'V2' for 'v2'?", "missing='fill'", "extra='ignore'"),
    ),
    Case(
        "labels have no near misses",
        """
        label | z
        7     | 1
        301   | 2
        """,
        atlas="sparse",
        refuses=(MatchError, "missing  3: 20, 300, 9000", "unused   1: 301"),
    ),
    Case(
        "nothing in common, whatever is allowed",
        """
        name  | z
        left  | 0.5
        right | 1.5
        """,
        options={**FILL, **IGNORE},
        refuses=(MatchError, "matched  0 of 4 regions by name, 1 map",
                 "missing  4: 'Vis', 'Mot', 'Aud', 'Som'", "unused   2: 'left', 'right'"),
    ),
    Case(
        "a name that stands twice",
        """
        name | z
        Vis  | 0.5
        Mot  | 1.5
        Vis  | 2.5
        """,
        options={**FILL, **IGNORE},
        refuses=(MatchError, "1 key given more than once: 'Vis'"),
    ),
    Case(
        "partly names and partly labels",
        """
        name | z
        V1   | 1
        20   | 2
        MT   | 3
        """,
        atlas="sparse",
        options=FILL,
        refuses=(MatchError, "partly names ('V1', 'MT') and partly labels ('20'): use one kind"),
    ),
    Case(
        "a row that is commented out is missing",
        """
        name | n
        Vis  | 1
        Mot  | 2
        #Aud | 3
        Som  | 4
        """,
        refuses=(MatchError, "missing  1: 'Aud'", "unused   1: '#Aud'"),
    ),
    Case(
        "a total among labels",
        """
        who   | z
        1     | 0.5
        2     | 1.5
        3     | 2.5
        4     | 3.5
        Total | 8
        """,
        refuses=(MatchError, "unused   1: 'Total'"),
    ),
    Case(
        "a total among labels, which is said to be right",
        """
        who   | z
        1     | 0.5
        2     | 1.5
        3     | 2.5
        4     | 3.5
        Total | 8
        """,
        options=IGNORE,
        maps={"z": Z},
    ),
    Case(
        "a label that is none",
        """
        label | z
        1     | 0.5
        2     | 1.5
        3     | 2.5
        4     | 3.5
        9     | 4.5
        """,
        refuses=(MatchError, "unused   1: 9"),
    ),
    Case(
        "a label that is none without a header",
        """
        1 | 0.5
        2 | 1.5
        3 | 2.5
        4 | 3.5
        9 | 4.5
        """,
        header=False,
        refuses=(MatchError, "unused   1: 9"),
    ),
    Case(
        "a row of the region table that has no voxel misses nothing",
        """
        name | z
        V1   | 0.5
        V2   | 1.5
        """,
        atlas="a row too many",
        maps={"z": {7: 0.5, 20: 1.5}},
    ),
    Case(
        "its value may be there, and goes nowhere",
        """
        name   | z
        V1     | 0.5
        absent | 2.5
        V2     | 1.5
        """,
        atlas="a row too many",
        maps={"z": {7: 0.5, 20: 1.5}},
    ),
    Case(
        "a region without a row is called by its label",
        """
        name | z
        V1   | 0.5
        7    | 2.5
        V2   | 1.5
        """,
        atlas="a row too few",
        maps={"z": {1: 0.5, 7: 2.5, 2: 1.5}},
    ),
    Case(
        "a region without a row, among labels",
        """
        label | z
        1     | 0.5
        7     | 2.5
        2     | 1.5
        """,
        atlas="a row too few",
        maps={"z": {1: 0.5, 7: 2.5, 2: 1.5}},
    ),
]  # fmt: skip

WHICH_COLUMN = [
    Case(
        "labels beside names that agree are no map",
        """
        name | label | z
        Som  | 4     | 3.5
        Vis  | 1     | 0.5
        Aud  | 3     | 2.5
        Mot  | 2     | 1.5
        """,
        maps={"z": Z},
    ),
    Case(
        "names win over ranks",
        """
        rank | who | z
        4    | Vis | 0.5
        3    | Mot | 1.5
        2    | Aud | 2.5
        1    | Som | 3.5
        """,
        maps={"rank": {1: 4, 2: 3, 3: 2, 4: 1}, "z": Z},
    ),
    Case(
        "a region may be painted with its own label",
        """
        name | rank
        Vis  | 1
        Mot  | 2
        Aud  | 3
        Som  | 4
        """,
        maps={"rank": {1: 1, 2: 2, 3: 3, 4: 4}},
    ),
    Case(
        "a region may be painted with its own label, without a header",
        """
        Vis | 1
        Mot | 2
        Aud | 3
        Som | 4
        """,
        header=False,
        maps={1: 1, 2: 2, 3: 3, 4: 4},
    ),
    Case(
        "ranks are no labels beside names with a fault",
        """
        rank | region | z
        4    | Vis    | 0.5
        3    | Mot    | 1.5
        2    | Aud    | 2.5
        1    | Smo    | 3.5
        """,
        refuses=(MatchError, "unused   1: 'Smo'"),
    ),
    Case(
        "ranks are no labels beside a name that stands twice",
        """
        rank | region | z
        4    | Vis    | 0.5
        3    | Mot    | 1.5
        2    | Aud    | 2.5
        1    | Vis    | 3.5
        """,
        refuses=(MatchError, "given more than once: 'Vis'"),
    ),
    Case(
        "ranks are no labels beside names with a prefix that no region has",
        """
        rank | region | z
        4    | L_Vis  | 0.5
        3    | L_Mot  | 1.5
        2    | L_Aud  | 2.5
        1    | L_Som  | 3.5
        """,
        refuses=(MatchError, "unused   4: 'L_Vis'"),
    ),
    Case(
        "labels that contradict the names",
        """
        label | who | z
        4     | Vis | 0.5
        3     | Mot | 1.5
        1     | Aud | 2.5
        2     | Som | 3.5
        """,
        refuses=(MatchError, "'who' and 'label' of", "mean different regions in 4 rows"),
    ),
    Case(
        "labels that contradict the names, and key decides for names",
        """
        label | who | z
        4     | Vis | 0.5
        3     | Mot | 1.5
        1     | Aud | 2.5
        2     | Som | 3.5
        """,
        options={"key": "who", "columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "labels that contradict the names, and key decides for labels",
        """
        label | who | z
        4     | Vis | 0.5
        3     | Mot | 1.5
        1     | Aud | 2.5
        2     | Som | 3.5
        """,
        options={"key": "label", "columns": "z"},
        maps={"z": {4: 0.5, 3: 1.5, 1: 2.5, 2: 3.5}},
    ),
    Case(
        "two columns that name different regions",
        """
        who | homologue | z
        Vis | Som       | 0.5
        Mot | Aud       | 1.5
        Aud | Mot       | 2.5
        Som | Vis       | 3.5
        """,
        refuses=(MatchError, "mean different regions in 4 rows: ", " Pass key="),
    ),
    Case(
        "two columns that name different regions, one with a fault",
        """
        homologue | who | z
        Som       | Vis | 0.5
        Aud       | Mot | 1.5
        Mot       | Add | 2.5
        Vis       | Som | 3.5
        """,
        refuses=(MatchError, "mean different regions in", " Pass key="),
    ),
    Case(
        "a column that names one region in every row contradicts nothing",
        """
        seed | code | who | z
        MT   | a    | V1  | 300
        MT   | b    | V2  | 7
        MT   | c    | V3  | 20
        MT   | d    | MT  | 9000
        """,
        atlas="sparse",
        maps={"z": {300: 300, 7: 7, 20: 20, 9000: 9000}},
    ),
    Case(
        "two columns of integers of any title that could be labels",
        """
        a | b | z
        1 | 4 | 0.5
        2 | 3 | 1.5
        3 | 2 | 2.5
        4 | 1 | 3.5
        """,
        refuses=(MatchError, "2 columns of", "could be the labels: 'a', 'b'"),
    ),
    Case(
        "two columns of integers, and key decides",
        """
        a | b | z
        1 | 4 | 0.5
        2 | 3 | 1.5
        3 | 2 | 2.5
        4 | 1 | 3.5
        """,
        options={"key": "b", "columns": "z"},
        maps={"z": {4: 0.5, 3: 1.5, 2: 2.5, 1: 3.5}},
    ),
    Case(
        "integers of any title are no key unless named",
        """
        n_voxels | z
        4        | 3.5
        3        | 2.5
        1        | 0.5
        2        | 1.5
        """,
        refuses=(MatchError, "1 column of", "could be the labels: 'n_voxels'. Pass key="),
    ),
    Case(
        "integers of any title are the key that was named",
        """
        n_voxels | z
        4        | 3.5
        3        | 2.5
        1        | 0.5
        2        | 1.5
        """,
        options={"key": "n_voxels"},
        maps={"z": Z},
    ),
    Case(
        "a title that says label, beside ranks",
        """
        rank | label | z
        4    | 1     | 0.5
        3    | 2     | 1.5
        2    | 3     | 2.5
        1    | 4     | 3.5
        """,
        options={"columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "titles that number something else say nothing of labels",
        """
        subject_id | z
        1          | 0.5
        2          | 1.5
        3          | 2.5
        4          | 3.5
        """,
        refuses=(MatchError, "1 column of", "could be the labels: 'subject_id'. Pass key="),
    ),
    Case(
        "titles that number something else beside labels are maps",
        """
        rank_index | label | z
        1          | 4     | 3.5
        2          | 3     | 2.5
        3          | 2     | 1.5
        4          | 1     | 0.5
        """,
        maps={"rank_index": {4: 1, 3: 2, 2: 3, 1: 4}, "z": Z},
    ),
    Case(
        "a number of a subject in every row does not hide the labels",
        """
        id | subject_id | label | z
        7  | 1          | 4     | 3.5
        7  | 1          | 3     | 2.5
        7  | 1          | 2     | 1.5
        7  | 1          | 1     | 0.5
        """,
        options={"columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "networks are no rivals of labels",
        """
        index | network_id | z
        3     | 1          | 2.5
        1     | 1          | 0.5
        2     | 2          | 1.5
        4     | 2          | 3.5
        """,
        options={"columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "networks are no key",
        """
        network_id | z
        1          | 2.5
        1          | 0.5
        2          | 1.5
        2          | 3.5
        """,
        refuses=(MatchError, "'network_id' of", " cannot be the key"),
    ),
    Case(
        "a column that counts rows is no rival of all labels",
        """
        Index | SegId | Volume_mm3
        1     | 17    | 5
        2     | 12    | 6
        3     | 11    | 7
        4     | 10    | 8
        """,
        atlas="10 to 17",
        options={"columns": "Volume_mm3"},
        maps={"Volume_mm3": {17: 5, 12: 6, 11: 7, 10: 8}},
    ),
    Case(
        "a column that counts rows and one that holds labels too",
        """
        Index | SegId | Volume_mm3
        1     | 2     | 5
        2     | 1     | 6
        3     | 4     | 7
        4     | 3     | 8
        """,
        refuses=(MatchError, "could be the labels: 'Index', 'SegId'"),
    ),
    Case(
        "rows counted beside names of another atlas",
        """
        index | name | t
        1     | a    | 0.5
        2     | b    | 1.5
        3     | c    | 2.5
        4     | d    | 3.5
        """,
        refuses=(MatchError, "None of the 4 cells in the column 'name' of", "'Vis'"),
    ),
    Case(
        "rows counted beside names of another atlas, by label",
        """
        index | name | t
        1     | a    | 0.5
        2     | b    | 1.5
        3     | c    | 2.5
        4     | d    | 3.5
        """,
        options={"by": "label"},
        maps={"t": Z},
    ),
    Case(
        "rows counted beside names, in an atlas that has none",
        """
        index | name | t
        1     | a    | 0.5
        2     | b    | 1.5
        3     | c    | 2.5
        4     | d    | 3.5
        """,
        atlas="one to four",
        maps={"t": Z},
    ),
    Case(
        "labels in another order are labels, whatever the names",
        """
        index | name | t
        4     | d    | 3.5
        3     | c    | 2.5
        2     | b    | 1.5
        1     | a    | 0.5
        """,
        maps={"t": Z},
    ),
    Case(
        "an index that was sorted and reset",
        """
        index | label | z
        0     | 4     | 3.5
        1     | 3     | 2.5
        2     | 2     | 1.5
        3     | 1     | 0.5
        """,
        maps={"z": Z},
    ),
    Case(
        "an index that was labels once, sorted and reset",
        """
        index | label | z
        1     | 4     | 3.5
        3     | 2     | 1.5
        2     | 3     | 2.5
        4     | 1     | 0.5
        """,
        refuses=(MatchError, "could be the labels: 'index', 'label'. Pass key="),
    ),
    Case(
        "an id that counts from 0 beside names is no map",
        """
        name | roi_id | z
        Vis  | 0      | 0.5
        Mot  | 1      | 1.5
        Aud  | 2      | 2.5
        Som  | 3      | 3.5
        """,
        maps={"z": Z},
    ),
    Case(
        "the number of the row that pandas wrote is no map",
        """
        name | Unnamed: 0 | z
        Vis  | 0          | 0.5
        Mot  | 1          | 1.5
        Aud  | 2          | 2.5
        Som  | 3          | 3.5
        """,
        maps={"z": Z},
    ),
    Case(
        "labels of other regions beside names",
        """
        name | index | z
        Vis  | 10    | 0.5
        Mot  | 20    | 1.5
        Aud  | 30    | 2.5
        Som  | 40    | 3.5
        """,
        refuses=(SignalsError, "'index' of", "is not the labels of its regions: "),
    ),
    Case(
        "labels of other regions beside names, and columns decides",
        """
        name | index | z
        Vis  | 10    | 0.5
        Mot  | 20    | 1.5
        Aud  | 30    | 2.5
        Som  | 40    | 3.5
        """,
        options={"columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "a label twice beside names",
        """
        name | label | z
        Vis  | 1     | 0.5
        Mot  | 2     | 1.5
        Aud  | 3     | 2.5
        Som  | 3     | 3.5
        """,
        refuses=(SignalsError, "is not the labels of its regions"),
    ),
    Case(
        "an index of a thing is a map beside names",
        """
        name          | folding_index | z
        Vis           | 10            | 0.5
        Mot           | 20            | 1.5
        Aud           | 30            | 2.5
        Som           | 40            | 3.5
        """,
        maps={"folding_index": {1: 10, 2: 20, 3: 30, 4: 40}, "z": Z},
    ),
    Case(
        "an index of a thing that is all labels, beside labels",
        """
        label | gyrification_index | z
        1     | 4                  | 0.5
        2     | 3                  | 1.5
        3     | 1                  | 2.5
        4     | 2                  | 3.5
        """,
        refuses=(MatchError, "could be the labels"),
    ),
    Case(
        "a first column that has all labels, beside old ones",
        """
        node | old_id | z
        1    | 3      | 0.5
        2    | 1      | 1.5
        3    | 2      | 2.5
        4    | 4      | 3.5
        """,
        options={"columns": "z"},
        refuses=(MatchError, "2 columns ", "could be the labels"),
    ),
    Case(
        "the rows that R counts beside labels",
        """
          | ROInum | z
        1 | 4      | 3.5
        2 | 3      | 2.5
        3 | 2      | 1.5
        4 | 1      | 0.5
        """,
        refuses=(MatchError, "could be the labels: ", "'ROInum'"),
    ),
    Case(
        "the rows that R counts beside labels, and key decides",
        """
          | ROInum | z
        1 | 4      | 3.5
        2 | 3      | 2.5
        3 | 2      | 1.5
        4 | 1      | 0.5
        """,
        options={"key": "ROInum"},
        maps={"z": Z},
    ),
    Case(
        "labels that one row is without",
        """
        label | rank | z
        1     | 4    | 0.5
        2     | 3    | 1.5
        n/a   | 1    | 2.5
        4     | 2    | 3.5
        """,
        refuses=(MatchError, "'label' of", "titled as labels and cannot be the key",
                 "1 row without one: 3"),
    ),
    Case(
        "a label that stands twice",
        """
        roi_id | rank | z
        1      | 4    | 0.5
        2      | 3    | 1.5
        2      | 1    | 2.5
        4      | 2    | 3.5
        """,
        refuses=(MatchError, "'roi_id' of", "titled as labels and cannot be the key",
                 "1 label more than once: 2"),
    ),
    Case(
        "a label that is no integer",
        """
        index | order | z
        1     | 4     | 0.5
        2.5   | 3     | 1.5
        3     | 1     | 2.5
        4     | 2     | 3.5
        """,
        refuses=(MatchError, "'index' of", "titled as labels and cannot be the key",
                 "1 cell no integer: 2.5"),
    ),
    Case(
        "a label that is a word",
        """
        Label ID | area | z
        1        | 4    | 0.5
        2        | 3    | 1.5
        3        | 1    | 2.5
        Total    | 2    | 3.5
        """,
        refuses=(MatchError, "'Label ID' of", "titled as labels and cannot be the key",
                 "1 cell no integer: 'Total'"),
    ),
    Case(
        "labels of another atlas beside counts",
        """
        label | count | z
        100   | 4     | 0.5
        101   | 3     | 1.5
        102   | 1     | 2.5
        103   | 2     | 3.5
        """,
        refuses=(MatchError, "none of 100, 101, 102, 103 is a label of 1, 2, 3, 4"),
    ),
    Case(
        "a label with a fault stays the key",
        """
        region | rank
        1      | 2
        2      | 1
        3      | 4
        6      | 3
        """,
        refuses=(MatchError, "missing  1: 4", "unused   1: 6"),
    ),
    Case(
        "by names the kind of key, where two columns could be it",
        """
        name | label | z
        w    | 4     | 3.5
        x    | 3     | 2.5
        y    | 2     | 1.5
        z    | 1     | 0.5
        """,
        options={"by": "label"},
        maps={"z": Z},
    ),
    Case(
        "by is no title: the labels are another column",
        """
        label | roi_id | z
        a     | 2      | 1.5
        b     | 1      | 0.5
        c     | 4      | 3.5
        d     | 3      | 2.5
        """,
        options={"by": "label"},
        maps={"z": Z},
    ),
    Case(
        "by is no title: the names are another column",
        """
        name | roi | z
        a    | Mot | 1.5
        b    | Vis | 0.5
        c    | Som | 3.5
        d    | Aud | 2.5
        """,
        options={"by": "name"},
        maps={"z": Z},
    ),
    Case(
        "by names a column of the region table",
        """
        mapping | size
        10      | 4
        20      | 3
        30      | 2
        40      | 1
        """,
        atlas="mapping",
        options={"by": "mapping"},
        maps={"size": {4: 4, 3: 3, 2: 2, 1: 1}},
    ),
    Case(
        "by names a column that the region table has not",
        """
        name | z
        V1   | 0.5
        V2   | 1.5
        """,
        atlas="sparse",
        options={"by": "hemi", **FILL},
        refuses=(MatchError, "no column 'hemi'; it has 'name', 'label', 'code'"),
    ),
]  # fmt: skip

WIDE = [
    Case(
        "a column per region, by name",
        """
        Som | Aud | Mot | Vis
        3.5 | 2.5 | 1.5 | 0.5
        """,
        maps=Z,
    ),
    Case(
        "a column per region, by label",
        """
        300 | 9000 | 7   | 20
        0.5 | 1.5  | 2.5 | 3.5
        1   | 2    | 3   | 4
        """,
        atlas="sparse",
        maps=[{300: 0.5, 9000: 1.5, 7: 2.5, 20: 3.5}, {300: 1, 9000: 2, 7: 3, 20: 4}],
    ),
    Case(
        "a column per region, by label, below the index that pandas writes",
        """
          | 4   | 3   | 2   | 1
        0 | 3.5 | 2.5 | 1.5 | 0.5
        1 | 4   | 3   | 2   | 1
        """,
        maps=[Z, {1: 1, 2: 2, 3: 3, 4: 4}],
    ),
    Case(
        "a column per region, by name, below the index that pandas writes",
        """
          | Som | Aud | Mot | Vis
        0 | 3   | 2   | 1   | 0
        1 | 4   | 3   | 2   | 1
        """,
        maps=[{1: 0, 2: 1, 3: 2, 4: 3}, {1: 1, 2: 2, 3: 3, 4: 4}],
        dtype="int64",
    ),
    Case(
        "a column per region whose values look like labels",
        """
        Vis | Mot | Aud | Som
        1   | 1   | 1   | 1
        3   | 3   | 3   | 3
        2   | 2   | 2   | 2
        4   | 4   | 4   | 4
        """,
        maps=[dict.fromkeys([1, 2, 3, 4], n) for n in (1, 3, 2, 4)],
    ),
    Case(
        "time beside the regions",
        """
        time | Vis | Mot | Aud | Som
        0    | 1   | 2   | 3   | 4
        2    | 5   | 6   | 7   | 8
        """,
        refuses=(MatchError, "unused   1: 'time'"),
    ),
    Case(
        "time beside the regions, which is said to be right",
        """
        time | Vis | Mot | Aud | Som
        0    | 1   | 2   | 3   | 4
        2    | 5   | 6   | 7   | 8
        """,
        options=IGNORE,
        maps=[{1: 1, 2: 2, 3: 3, 4: 4}, {1: 5, 2: 6, 3: 7, 4: 8}],
    ),
    Case(
        "time beside the labels, which is said to be right",
        """
        time | 1   | 2   | 3   | 4
        0    | .5  | 1.5 | 2.5 | 3.5
        2    | 5   | 6   | 7   | 8
        """,
        options=IGNORE,
        maps=[Z, {1: 5, 2: 6, 3: 7, 4: 8}],
    ),
    Case(
        "a counter of maps does not turn a wide table with a fault",
        """
        frame | Vis | Mot | Aud | Smo
        1     | 1   | 1   | 1   | 1
        2     | 1   | 1   | 1   | 1
        3     | 1   | 1   | 1   | 1
        4     | 1   | 1   | 1   | 1
        """,
        refuses=(MatchError, "missing  1: 'Som'", "unused   2: 'frame', 'Smo'"),
    ),
    Case(
        "a column called map names the maps",
        """
        map | Vis | Mot | Aud | Som
        a   | 1   | 0   | 0   | 0
        b   | 0   | 1   | 0   | 0
        Vis | 0   | 0   | 1   | 0
        """,
        maps={"a": {1: 1}, "b": {2: 1}, "Vis": {3: 1}},
    ),
    Case(
        "a column called map beside regions that are misspelt",
        """
        map | Viz | Mto | A | S
        a   | 1   | 0   | 0 | 0
        """,
        refuses=(MatchError, "unused   4: 'Viz', 'Mto', 'A', 'S'"),
    ),
    Case(
        "text under a region",
        """
        Vis | Mot
        1.5 | high
        2.5 | low
        """,
        options=FILL,
        refuses=(SignalsError, "column 'Mot' of", "holds text: 'high', 'low'"),
    ),
    Case(
        "columns of a wide table",
        """
        Vis | Mot | Aud | Som
        1   | 2   | 3   | 4
        """,
        options={"columns": "Vis"},
        refuses=(SignalsError, "has one column per region"),
    ),
    Case(
        "a header that counts columns is none of labels",
        """
        0    | 1    | 2    | 3
        0.25 | 1.25 | 2.25 | 3.25
        4.25 | 5.25 | 6.25 | 7.25
        """,
        maps=[{1: 0.25, 2: 1.25, 3: 2.25, 4: 3.25}, {1: 4.25, 2: 5.25, 3: 6.25, 4: 7.25}],
    ),
    Case(
        "a header that counts columns, below the index that pandas writes",
        """
          | 0    | 1    | 2    | 3
        0 | 0.25 | 1.25 | 2.25 | 3.25
        1 | 4.25 | 5.25 | 6.25 | 7.25
        """,
        maps=[{1: 0.25, 2: 1.25, 3: 2.25, 4: 3.25}, {1: 4.25, 2: 5.25, 3: 6.25, 4: 7.25}],
    ),
    Case(
        "named rows below a header that counts columns",
        """
            | 0    | 1    | 2
        Vis | 0.25 | 1.25 | 2.25
        Mot | 4.25 | 5.25 | 6.25
        Aud | 7    | 8    | 9
        Som | 1    | 2    | 3
        """,
        maps=[
            {1: 0.25, 2: 4.25, 3: 7, 4: 1},
            {1: 1.25, 2: 5.25, 3: 8, 4: 2},
            {1: 2.25, 2: 6.25, 3: 9, 4: 3},
        ],
    ),
    Case(
        "rows and columns that both name regions",
        """
            | Vis | Mot | Aud | Som
        Vis | 0.1 | 0.2 | 0.3 | 0.4
        Mot | 1.1 | 1.2 | 1.3 | 1.4
        Aud | 2.1 | 2.2 | 2.3 | 2.4
        Som | 3.1 | 3.2 | 3.3 | 3.4
        """,
        refuses=(MatchError, "may have one row or one column per region"),
    ),
    Case(
        "a square of R, and the numbers of its rows",
        """
          | V1  | V2  | V3  | V4
        1 | 0.1 | 0.2 | 0.3 | 0.4
        2 | 1.1 | 1.2 | 1.3 | 1.4
        3 | 2.1 | 2.2 | 2.3 | 2.4
        4 | 3.1 | 3.2 | 3.3 | 3.4
        """,
        refuses=(MatchError, "ambiguous", "(1, 2, 3, 4) may say ", "leave out"),
    ),
    Case(
        "a square of R, and by decides",
        """
          | V1  | V2  | V3  | V4
        1 | 0.1 | 0.2 | 0.3 | 0.4
        2 | 1.1 | 1.2 | 1.3 | 1.4
        3 | 2.1 | 2.2 | 2.3 | 2.4
        4 | 3.1 | 3.2 | 3.3 | 3.4
        """,
        options={"by": "label"},
        maps={f"V{n}": {1: n / 10, 2: 1 + n / 10, 3: 2 + n / 10, 4: 3 + n / 10}
              for n in (1, 2, 3, 4)},
    ),
    Case(
        "a wide table is not turned round by position",
        """
        time | Som | Aud | Mot | Vis
        0    | 40  | 30  | 20  | 10
        0    | 40  | 30  | 20  | 10
        0    | 40  | 30  | 20  | 10
        0    | 40  | 30  | 20  | 10
        """,
        options={"by": "position"},
        refuses=(MatchError, "5 columns for 4 regions"),
    ),
]  # fmt: skip

ARRAYS = [
    Case(
        "a column of numbers goes by ascending label",
        """
        0.5
        -1.5
        2.25
        8
        """,
        atlas="sparse",
        header=False,
        maps={7: 0.5, 20: -1.5, 300: 2.25, 9000: 8},
    ),
    Case(
        "a row of numbers is one map",
        """
        0.5 | -1.5 | 2.25 | 8
        """,
        atlas="sparse",
        header=False,
        maps={7: 0.5, 20: -1.5, 300: 2.25, 9000: 8},
    ),
    Case(
        "a row of labels is one map, for there is nothing below it",
        """
        300 | 7 | 20 | 9000
        """,
        atlas="sparse",
        header=False,
        maps={7: 300, 20: 7, 300: 20, 9000: 9000},
    ),
    Case(
        "rows of integers of which the second could be labels",
        """
        9   | 8 | 7  | 6
        300 | 7 | 20 | 9000
        1   | 2 | 3  | 4
        """,
        atlas="sparse",
        header=False,
        maps=[{7: 9, 20: 8, 300: 7, 9000: 6}, {7: 300, 20: 7, 300: 20, 9000: 9000},
              {7: 1, 20: 2, 300: 3, 9000: 4}],
    ),
    Case(
        "integers that may be a header or a map",
        """
        1 | 2 | 3 | 4
        4 | 3 | 2 | 1
        """,
        header=False,
        refuses=(MatchError, "may be a header of labels, or a row of integers"),
    ),
    Case(
        "labels over decimals are a header",
        """
        1   | 2   | 3   | 4
        4.5 | 3.5 | 2.5 | 1.5
        """,
        maps={1: 4.5, 2: 3.5, 3: 2.5, 4: 1.5},
    ),
    Case(
        "whole floats over decimals may be a header",
        """
        3.0  | 1.0 | 2.0
        0.5  | 1.5 | 2.5
        0.25 | 1   | 2.25
        """,
        atlas="one to three",
        header=False,
        refuses=(MatchError, "('3.0', '1.0', '2.0') may be a header of labels, or a row of v"),
    ),
    Case(
        "whole floats over decimals, by label",
        """
        3.0  | 1.0 | 2.0
        0.5  | 1.5 | 2.5
        0.25 | 1   | 2.25
        """,
        atlas="one to three",
        header=False,
        options={"by": "label"},
        maps=[{3: 0.5, 1: 1.5, 2: 2.5}, {3: 0.25, 1: 1, 2: 2.25}],
    ),
    Case(
        "whole floats over decimals, by position",
        """
        3.0  | 1.0 | 2.0
        0.5  | 1.5 | 2.5
        0.25 | 1   | 2.25
        """,
        atlas="one to three",
        header=False,
        options={"by": "position"},
        maps=[{1: 3, 2: 1, 3: 2}, {1: 0.5, 2: 1.5, 3: 2.5}, {1: 0.25, 2: 1, 3: 2.25}],
    ),
    Case(
        "integers over decimals of which some are no labels",
        """
        3    | 1   | 7
        0.5  | 1.5 | 2.5
        0.25 | 1   | 2.25
        """,
        atlas="one to three",
        header=False,
        refuses=(MatchError, "('3', '1', '7') may be a header of labels, or a row of v"),
    ),
    Case(
        "integers of another atlas over decimals",
        """
        1001 | 1002 | 1003
        0.5  | 1.5  | 2.5
        0.25 | 1    | 2.25
        """,
        atlas="one to three",
        header=False,
        refuses=(MatchError, "may be a header of labels, or a row of v"),
    ),
    Case(
        "integers under integers that are names",
        """
        103 | 101 | 102 | 104
        30  | 10  | 20  | 40
        """,
        atlas="numbered",
        header=False,
        refuses=(MatchError, "may be a header of names", "Pass by='name'"),
    ),
    Case(
        "integers under integers that are names, by name",
        """
        103 | 101 | 102 | 104
        30  | 10  | 20  | 40
        """,
        atlas="numbered",
        header=False,
        options={"by": "name"},
        maps={3: 30, 1: 10, 2: 20, 4: 40},
    ),
    Case(
        "integers under integers, half of which are labels",
        """
        1  | 2  | 7  | 8
        30 | 10 | 20 | 40
        """,
        atlas="numbered",
        header=False,
        refuses=(MatchError, "may be a header of labels", "Pass by='label'"),
    ),
    Case(
        "integers under integers, half of which are labels, by label",
        """
        1  | 2  | 7  | 8
        30 | 10 | 20 | 40
        """,
        atlas="numbered",
        header=False,
        options={"by": "label", **FILL, **IGNORE},
        maps={1: 30, 2: 10},
    ),
    Case(
        "integers that are no labels go by position",
        """
        30 | 10 | 20 | 2
        33 | 11 | 22 | 55
        """,
        header=False,
        maps=[{1: 30, 2: 10, 3: 20, 4: 2}, {1: 33, 2: 11, 3: 22, 4: 55}],
    ),
    Case(
        "labels in the first column, or one column per region",
        """
        2 | 0.5 | 7
        1 | 1.5 | 8
        3 | 2.5 | 9
        """,
        atlas="one to three",
        header=False,
        refuses=(MatchError, "ambiguous: ", "first column (2, 1, 3)"),
    ),
    Case(
        "labels in the first column, by label",
        """
        2 | 0.5 | 7
        1 | 1.5 | 8
        3 | 2.5 | 9
        """,
        atlas="one to three",
        header=False,
        options={"by": "label"},
        maps=[{2: 0.5, 1: 1.5, 3: 2.5}, {2: 7, 1: 8, 3: 9}],
    ),
    Case(
        "labels in the first column, by position",
        """
        2 | 0.5 | 7
        1 | 1.5 | 8
        3 | 2.5 | 9
        """,
        atlas="one to three",
        header=False,
        options={"by": "position"},
        maps=[{1: 2, 2: 0.5, 3: 7}, {1: 1, 2: 1.5, 3: 8}, {1: 3, 2: 2.5, 3: 9}],
    ),
    Case(
        "labels in the first column of more rows than columns",
        """
        2 | 0.5 | 7
        1 | 1.5 | 8
        3 | 2.5 | 9
        4 | 3.5 | 6
        """,
        header=False,
        maps=[{2: 0.5, 1: 1.5, 3: 2.5, 4: 3.5}, {2: 7, 1: 8, 3: 9, 4: 6}],
    ),
    Case(
        "two by two numbers",
        """
        1 | 0.5
        2 | 0.7
        """,
        atlas="one and two",
        header=False,
        refuses=(MatchError, "is ambiguous: it may have labels in its first column"),
    ),
    Case(
        "a label and a value that is one",
        """
        1 | 2
        2 | 9
        3 | 4
        4 | 5
        """,
        header=False,
        maps={1: 2, 2: 9, 3: 4, 4: 5},
    ),
    Case(
        "two rows of two labels",
        """
        1 | 2
        2 | 3
        """,
        header=False,
        refuses=(MatchError, "(1, 2) may be a header of labels"),
    ),
    Case(
        "two rows of two labels, by label",
        """
        1 | 2
        2 | 3
        """,
        header=False,
        options={"by": "label", **FILL},
        maps={1: 2, 2: 3},
    ),
    Case(
        "one column under a title",
        """
        z
        0.5
        1.5
        2.5
        3.5
        """,
        refuses=(MatchError, "no column of regions", "goes by position if it has no header"),
    ),
    Case(
        "one column under a title, by position",
        """
        z
        0.5
        1.5
        2.5
        3.5
        """,
        options={"by": "position"},
        maps=Z,
    ),
    Case(
        "one column of labels under a title",
        """
        z
        4
        3
        2
        1
        """,
        refuses=(MatchError, "goes by position if it has no header"),
    ),
    Case(
        "rows counted from 0 beside one column, by position",
        """
          | z
        0 | 0.5
        1 | 1.5
        2 | 2.5
        3 | 3.5
        """,
        options={"by": "position"},
        maps=Z,
    ),
    Case(
        "two columns under titles, by position",
        """
        z   | p
        0.5 | 0.0
        1.5 | 0.1
        2.5 | 0.2
        3.5 | 0.3
        """,
        options={"by": "position"},
        maps={"z": Z, "p": {1: 0, 2: 0.1, 3: 0.2, 4: 0.3}},
    ),
    Case(
        "two columns under titles, by position, and one is chosen",
        """
        z   | p
        0.5 | 0.0
        1.5 | 0.1
        2.5 | 0.2
        3.5 | 0.3
        """,
        options={"by": "position", "columns": "p"},
        maps={"p": {1: 0, 2: 0.1, 3: 0.2, 4: 0.3}},
    ),
    Case(
        "too few numbers",
        """
        0.5
        1.5
        2.5
        """,
        header=False,
        refuses=(MatchError, "values of shape (3,) have 3 values for 4 regions"),
    ),
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
        "names that are numbers under a title of names",
        """
        name | z
        103  | 3
        101  | 1
        104  | 4
        102  | 2.5
        """,
        atlas="numbered",
        maps={"z": {3: 3, 1: 1, 4: 4, 2: 2.5}},
    ),
    Case(
        "names that are numbers as titles",
        """
        103 | 101 | 104 | 102
        3   | 1   | 4   | 2.5
        """,
        atlas="numbered",
        maps={3: 3, 1: 1, 4: 4, 2: 2.5},
    ),
    Case(
        "names that are labels of others",
        """
        name | z
        1    | 10
        2    | 20
        3    | 30
        """,
        atlas="swapped",
        refuses=(MatchError, "keys are names and labels, of different regions",
                 "Pass by='name' or by='label'"),
    ),
    Case(
        "names that are labels of others, by name",
        """
        name | z
        1    | 10
        2    | 20
        3    | 30
        """,
        atlas="swapped",
        options={"by": "name"},
        maps={"z": {1: 30, 2: 10, 3: 20}},
    ),
    Case(
        "names that are labels of others, by label",
        """
        name | z
        1    | 10
        2    | 20
        3    | 30
        """,
        atlas="swapped",
        options={"by": "label"},
        maps={"z": {1: 10, 2: 20, 3: 30}},
    ),
    Case(
        "names that are labels of others, as titles",
        text="1,2,3\n10,20,30.5\n",
        file="wide.csv",
        atlas="swapped",
        refuses=(MatchError, "keys are names and labels, of different regions"),
    ),
    Case("text that is names and labels is names", make=lambda: {"1": 10.0, "2": 20.0, "3": 30.0},
         atlas="swapped", maps={1: 30, 2: 10, 3: 20}),
    Case("integers that are names and labels", make=lambda: {1: 10.0, 2: 20.0, 3: 30.0},
         atlas="swapped", options=IGNORE,
         refuses=(MatchError, "keys are names and labels, of different regions: 1, 2")),
    Case(
        "names that are their own labels",
        """
        name | z
        1    | 10
        2    | 20
        3    | 30
        """,
        atlas="own labels",
        maps={"z": {1: 10, 2: 20, 3: 30}},
    ),
    Case("text with a leading zero is no label", make=lambda: {"07": 1.0}, atlas="sparse",
         options=FILL | IGNORE, refuses=(MatchError, "unused   1: '07'")),
    Case("text that is labels", make=lambda: {"300": 1.0, "7": 2.0, "20": 3.0, "9000": 4.0},
         atlas="sparse", maps={300: 1, 7: 2, 20: 3, 9000: 4}),
    Case("floats that are labels", make=lambda: {300.0: 1.0, 7.0: 2.0, 20.0: 3.0, 9000.0: 4.0},
         atlas="sparse", maps={300: 1, 7: 2, 20: 3, 9000: 4}),
    Case("titles that became floats", make=lambda: pd.DataFrame(
        [[3.5, 2.5, 1.5, 0.5]], columns=[4.0, 3.0, 2.0, 1.0]), maps=Z),
    Case(
        "the name NA",
        """
        name | z
        NA   | 0.5
        VP   | 1.5
        """,
        as_text="name",
        atlas="NA",
        maps={"z": {2: 0.5, 5: 1.5}},
    ),
    Case(
        "the title NA",
        """
        NA  | VP
        0.5 | 1.5
        """,
        atlas="NA",
        maps={2: 0.5, 5: 1.5},
    ),
    Case(
        "labels that float64 does not tell apart",
        text=f"label,z\n{float(2**53)!r},1\n",
        file="beyond.csv",
        atlas="beyond",
        options=FILL,
        refuses=(MatchError, "loats do not tell labels from 2**53 on apart"),
    ),
    Case("a float that is no label beyond 2**53", make=lambda: {float(2**53): 2.0},
         atlas="beyond", options=FILL,
         refuses=(MatchError, "loats do not tell labels from 2**53 on apart")),
    Case(
        "labels beyond 2**53",
        f"""
        label       | z
        {2**53 + 4} | 4
        {2**53}     | 0.5
        {2**53 + 2} | 2
        {2**53 + 1} | 1
        {2**53 + 3} | 3
        """,
        atlas="beyond",
        maps={"z": {2**53 + n: n or 0.5 for n in range(5)}},
    ),
]  # fmt: skip

NUMBERS = [
    Case(
        "integers beyond the floats",
        f"""
        name | n
        Vis  | {LARGE}
        Mot  | {-LARGE}
        Aud  | {2**63 - 1}
        Som  | {-(2**63)}
        """,
        maps={"n": {1: LARGE, 2: -LARGE, 3: 2**63 - 1, 4: -(2**63)}},
        dtype="int64",
    ),
    Case(
        "integers beyond the signed ones",
        f"""
        name | n
        Vis  | 1
        Mot  | {2**63 + 5}
        Aud  | 3
        Som  | {2**64 - 1}
        """,
        maps={"n": {1: 1, 2: 2**63 + 5, 3: 3, 4: 2**64 - 1}},
        dtype="uint64",
    ),
    Case(
        "integers beyond all",
        f"""
        name | n
        Vis  | 1
        Mot  | {2**70}
        """,
        options=FILL,
        refuses=(SignalsError, "beyond 64 bits", str(2**70)),
    ),
    Case(
        "an integer that a gap would round",
        f"""
        name | n
        Vis  | {LARGE}
        Mot  | n/a
        """,
        options=FILL,
        refuses=(SignalsError, str(LARGE)),
    ),
    Case(
        "an integer that a column beside it would round",
        f"""
        name | n       | z
        Vis  | {LARGE} | 0.5
        Mot  | 1       | 1.5
        """,
        options=FILL,
        refuses=(SignalsError, str(LARGE)),
    ),
    Case(
        "integers on both sides of the signed ones, and below 0",
        f"""
        name | n
        Vis  | -1
        Mot  | {2**63 + 1}
        """,
        options=FILL,
        refuses=(RegioncastError, str(2**63 + 1)),
    ),
    Case(
        "an integer that a fraction would round",
        text=f"name\tz\nVis\t0.5\nMot\t{LARGE}\n",
        file="rounded.tsv",
        options=FILL,
        refuses=(SignalsError, str(LARGE)),
    ),
    Case(
        "small integers with gaps are floats",
        """
        name | n
        Vis  | 7
        Mot  | n/a
        Aud  | 3
        Som  | 4
        """,
        maps={"n": {1: 7, 2: NAN, 3: 3, 4: 4}},
        dtype="float64",
    ),
    *(
        Case(f"{cell!r} is a missing value", text=f"name\tz\nVis\t{cell}\nMot\t1.5\n",
             file="gap.tsv", options=FILL, maps={1: NAN, 2: 1.5})
        for cell in ("n/a", "N/A", "NA", "nan", "NaN", "")
    ),
    Case(
        "extremes are values",
        """
        name | z
        Vis  | 5e-324
        Mot  | 1.7976931348623157e308
        Aud  | -inf
        Som  | 0.1
        """,
        maps={"z": {1: 5e-324, 2: 1.7976931348623157e308, 3: float("-inf"), 4: 0.1}},
    ),
    Case("a number beyond the floats is not infinite", text="name\tz\nVis\t1e400\nMot\t1\n",
         file="huge.tsv", options=FILL, refuses=(RegioncastError, "1e400")),
    *(
        Case(f"{cell!r} among numbers is never left out",
             f"""
             name | z   | p
             Vis  | 0.5 | 0.1
             Mot  | 1.5 | {cell}
             Aud  | 2.5 | n/a
             Som  | 3.5 | 0.3
             """,
             refuses=(SignalsError, "column 'p' of", f"holds text: '{cell}'"))
        for cell in ("<0.001", "-", "12%")
    ),
    Case(
        "text among numbers, and columns decides",
        """
        name | z   | p
        Vis  | 0.5 | 0.1
        Mot  | 1.5 | <0.001
        Aud  | 2.5 | n/a
        Som  | 3.5 | 0.3
        """,
        options={"columns": "z"},
        maps={"z": Z},
    ),
    Case(
        "a column of text that was chosen",
        """
        name | z
        Vis  | 0.5
        Mot  | high
        Aud  | low
        """,
        options={"columns": "z"},
        refuses=(SignalsError, "The column 'z' of", "holds text: 'high', 'low'",
                 "write n/a where there is none"),
    ),
    Case("thousands of digits are no label", text=f"label\tz\n{'9' * 5000}\t1\n", file="v.tsv",
         options=FILL, refuses=(RegioncastError, "no key is")),
    Case("thousands of digits are no value", text=f"label\tz\n1\t{'9' * 5000}\n", file="v.tsv",
         options=FILL, refuses=(RegioncastError, "holds text")),
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
            (["1", "2", "3", "4"], "'1', '2', '3', '4'."), ([1.5, "0,5", 2, 3], "'0,5'."),
        ]
    ),
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
        Case(f"thousands are named: {cell}", text=f"name\tz\nVis\t{cell}\nMot\t{cell}\nAud\t7\nSom\t8\n",
             file="v.tsv", options=FILL,
             refuses=(SignalsError, "thousands without separators"))
        for cell in ("1.234,5", "1.234.567", "1,234.5", "1,234,567")
    ),
    Case("decimal commas between tabs", text="name\tz\nVis\t0,5\nMot\t1,5\n", file="v.tsv",
         options=FILL, refuses=(SignalsError, "a point for the decimal comma")),
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
         refuses=(MatchError, "is ambiguous: its index")),
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
    # AFNI's files of numbers.
    Case("AFNI: a column", text="# one row per time point\n  0.5\n1.5\n2.5\n3.5\n", file="v.1D",
         maps=Z),
    Case("AFNI: rows of integers are rows", text="1 2 3 4\n4 3 2 1\n", file="v.1D",
         maps=[{1: 1, 2: 2, 3: 3, 4: 4}, {1: 4, 2: 3, 3: 2, 4: 1}]),
    Case("AFNI: labels and values", text="17 0.5\n99 2.5\n53 1.5\n60 3.5\n", file="v.1D",
         atlas="17 to 99", maps={17: 0.5, 99: 2.5, 53: 1.5, 60: 3.5}),
    Case("AFNI: two by two", text="1 0.5\n2 2.5\n", file="v.1D", atlas="one and two",
         refuses=(MatchError, "ambiguous")),
    Case("AFNI: titles are no numbers", text="Vis Mot Aud Som\n0.5 1.5 2.5 3.5\n", file="v.1D",
         refuses=(RegioncastError, "a .1D file holds numbers only")),
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

OBJECTS = [
    Case("a Series by labels in any order",
         make=lambda: pd.Series([0.5, 0.25, 1.5, 2.5], [60, 17, 99, 53]), atlas="17 to 99",
         maps={60: 0.5, 17: 0.25, 99: 1.5, 53: 2.5}),
    Case("a Series that counts from 0 is an array", make=lambda: pd.Series([0.5, 1.5, 2.5, 3.5]),
         maps=Z),
    Case("a Series that counts from elsewhere is keyed",
         make=lambda: pd.Series([10.0, 20.0, 30.0], [2, 3, 4]), atlas="one to three",
         refuses=(MatchError, "unused")),
    Case("the order that sorting left", make=lambda: pd.Series([0.3, 0.1, 0.2, 0.4]).sort_values(),
         refuses=(MatchError, "missing  1: ", "unused   1: ")),
    Case("the order that sorting left in a DataFrame",
         make=lambda: pd.Series([0.3, 0.1, 0.2, 0.4]).sort_values().to_frame(),
         refuses=(MatchError, "missing  1: ", "unused   1: ")),
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
        np.arange(16.0).reshape(4, 4), index=[1, 2, 3, 4]),
        refuses=(MatchError, "ambiguous: its index (1, 2, 3, 4) may say")),
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
         options=FILL, refuses=(MatchError, "1 key given more than once: 7")),
    *(
        Case(f"a key that is {key!r}", make=lambda key=key: {key: 1.0, "Mot": 2.0}, options=FILL,
             refuses=(MatchError, "1 key neither a name nor an integer label", str(key),
                      "Key the values by the names or the labels"))
        for key in (1.5, (7, "V1"), True, None, float("nan"))
    ),
    Case("an index of several levels", make=lambda: pd.Series(
        range(4), pd.MultiIndex.from_product([["sub-1", "sub-2"], ["Vis", "Mot"]])),
        refuses=(MatchError, "4 keys neither ", "unstack all but that of the regions")),
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
    Case(
        "names that are not composed, keys that are",
        f"""
        name                                  | z
        {unicodedata.normalize("NFC", "Pôle")} | 2.5
        {unicodedata.normalize("NFC", "Área")} | 1.5
        """,
        atlas="decomposed",
        maps={"z": {2: 2.5, 1: 1.5}},
    ),
    Case("two names that only their accents tell apart",
         make=lambda: {"\xe9": 1.0, "e\u0301": 2.0}, atlas="two accents", options=FILL,
         maps={11: 1, 9: 2}),
    Case(
        "a name that regions share",
        """
        name   | z
        insula | 0.5
        cuneus | 1.5
        """,
        atlas="twins",
        options={**FILL, **IGNORE},
        refuses=(MatchError, "2 names stand for more than one region: 'insula', 'cuneus'",
                 "('insula' for labels 11, 21)",
                 "Key the values by label, or by a column that tells regions apart"),
    ),
    Case(
        "names that regions share, by label",
        """
        name   | index | z
        insula | 11    | 0.5
        cuneus | 12    | 1.5
        insula | 21    | 2.5
        cuneus | 22    | 3.5
        """,
        atlas="twins",
        maps={"z": {11: 0.5, 12: 1.5, 21: 2.5, 22: 3.5}},
    ),
    Case(
        "names that regions share, without labels",
        """
        name   | z
        insula | 0.5
        cuneus | 1.5
        insula | 2.5
        cuneus | 3.5
        """,
        atlas="twins",
        refuses=(MatchError, "2 keys given more than once: 'insula', 'cuneus'"),
    ),
    Case(
        "a column that tells regions apart that share names",
        """
        full     | z
        R cuneus | 4
        L insula | 1
        R insula | 3
        L cuneus | 2
        """,
        atlas="twins",
        maps={"z": {11: 1, 12: 2, 21: 3, 22: 4}},
    ),
    Case(
        "keys that are names of other regions than by another column",
        """
        name | z
        A    | 1
        B    | 2
        X    | 3
        """,
        atlas="crossed",
        refuses=(MatchError, "by name and for another by abbreviation: 'A', 'B'."),
    ),
    Case(
        "keys that are names of others by another column, and by decides",
        """
        name | z
        A    | 1
        B    | 2
        X    | 3
        """,
        atlas="crossed",
        options={"by": "abbreviation"},
        maps={"z": {1: 2, 2: 1, 3: 3}},
    ),
    Case("a column that repeats itself does not identify", make=lambda: {"L": 1.0},
         atlas="groups", options={**FILL, **IGNORE},
         refuses=(MatchError, "matched  0 of 2 regions")),
    Case("a column that repeats itself, asked for", make=lambda: {"L": 1.0}, atlas="groups",
         options={"by": "side", **FILL},
         refuses=(MatchError,
                  "1 side stands for more than one region: 'L' ('L' for labels 7, 20)")),
    *(
        Case(f"keys that are known but not by {by}", make=lambda values=values: values,
             atlas="sparse", options={"by": by, **FILL}, refuses=(MatchError, said))
        for values, by, said in [
            ({"V1": 1.0, "V2": 2.0}, "label", "the label of a region, but 2 of them are the name."),
            ({"7": 1.0}, "name", "the name of a region, but 1 of them is the label. Pass by="),
        ]
    ),
    # Both hemispheres have labels 3 and 7, and the names V1 and insula.
    Case(
        "hemispheres: names with a prefix",
        """
        name      | z
        L:V1      | 1
        L:V2      | 2
        L:insula  | 3
        R:V1      | 4
        R:insula  | 5
        R:M1      | 6
        """,
        atlas="pair",
        maps={"z": {"L:3": 1, "L:7": 2, "L:14474380": 3, "R:3": 4, "R:7": 5, "R:9": 6}},
    ),
    Case(
        "hemispheres: names as FreeSurfer's tables have them",
        """
        name      | z
        lh_V1     | 1
        lh_V2     | 2
        lh_insula | 3
        rh_V1     | 4
        rh_insula | 5
        rh_M1     | 6
        """,
        atlas="pair",
        maps={"z": {"L:3": 1, "L:7": 2, "L:14474380": 3, "R:3": 4, "R:7": 5, "R:9": 6}},
    ),
    Case(
        "hemispheres: a column of them beside the names",
        """
        name   | hemisphere | z
        V1     | R          | 4
        insula | R          | 5
        M1     | R          | 6
        insula | L          | 3
        V2     | L          | 2
        V1     | L          | 1
        """,
        atlas="pair",
        maps={"z": {"L:3": 1, "L:7": 2, "L:14474380": 3, "R:3": 4, "R:7": 5, "R:9": 6}},
    ),
    Case(
        "hemispheres: a column of them beside labels",
        """
        label    | hemi | z
        3        | rh   | 4
        7        | rh   | 5
        9        | rh   | 6
        14474380 | lh   | 3
        7        | lh   | 2
        3        | lh   | 1
        """,
        atlas="pair",
        maps={"z": {"L:3": 1, "L:7": 2, "L:14474380": 3, "R:3": 4, "R:7": 5, "R:9": 6}},
    ),
    Case(
        "hemispheres: a column of them that contradicts a name",
        """
        name        | hemisphere | z
        ctx-lh-V1   | R          | 1
        ctx-lh-V2   | L          | 2
        """,
        atlas="pair",
        options=FILL,
        refuses=(MatchError, "1 key that no region has"),
    ),
    Case(
        "hemispheres: a row of neither, which is said to be right",
        """
        name   | hemisphere | z
        V1     | L          | 1
        stem   | B          | 9
        """,
        atlas="pair",
        options={**FILL, **IGNORE},
        maps={"z": {"L:3": 1}},
    ),
    Case("hemispheres: labels with a prefix", make=lambda: {
        "lh:3": 1.0, "lh:7": 2.0, "lh:14474380": 3.0, "rh:3": 4.0, "rh:7": 5.0, "rh:9": 6.0},
        atlas="pair",
        maps={"L:3": 1, "L:7": 2, "L:14474380": 3, "R:3": 4, "R:7": 5, "R:9": 6}),
]  # fmt: skip

CASES = [
    *LONG, *WHICH_COLUMN, *WIDE, *ARRAYS, *NUMBERS_AS_NAMES, *NUMBERS, *DIALECTS, *OBJECTS,
    *IDENTITY,
]  # fmt: skip
