"""Values that are right by the ten rules: text in the dialects of files, and objects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tables.case import Case
from tables.reading import value_cases

from regioncast.errors import MatchError, RegioncastError

Z = {1: 0.5, 2: 1.5, 3: 2.5, 4: 3.5}
SIDES = {8: 8.5, 2: 2.5, 3: 3.5, 5: 5.5, 1: 1.5}
FILL = {"missing": "fill"}


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

NEW_OBJECTS = [
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
         make=lambda: pd.Series([3.5, 0.5, 2.5, 1.5], BOTH_LEVELS), maps=Z, or_error=True),
    Case("a DataFrame with an index of labels and names of the same regions",
         make=lambda: pd.DataFrame({"z": [3.5, 0.5, 2.5, 1.5]}, BOTH_LEVELS), maps=Z,
         or_error=True),
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

NEW_TEXTS = [
    Case("a number with a decimal comma below a title, for one region", text="ROI\n12,5\n",
         file="v.csv", atlas="one", maps={12: 12.5}, or_error=True),
    Case("numbers with decimal commas below a title", text="ROI\n12,5\n1,25\n", file="v.csv",
         atlas="one and two", maps={1: 12.5, 2: 1.25}, or_error=True),
    Case("numbers with decimal commas below a title, by position",
         text="z\n0,5\n1,5\n2,5\n3,5\n", file="v.csv", options={"by": "position"}, maps=Z,
         or_error=True),
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
         file="v.csv", atlas="zeros", maps={1: 3.5, 2: 1.5, 3: 2.5}),
    Case("decimal commas between semicolons, without a header", text="Vis;0,5\nMot;1,5\n",
         file="v.csv", options=FILL, maps={1: 0.5, 2: 1.5}, or_error=True),
]  # fmt: skip

NEW_CASES = [
    *value_cases("values_new.txt", new=True),
    *(Case(**{**vars(case), "new": True}) for case in [*NEW_OBJECTS, *NEW_TEXTS]),
]
