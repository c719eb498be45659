"""Region tables that are more than a table: text of every program, and objects of Python.

Tables stand in ``regions.txt``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from tables.case import RegionCase
from tables.reading import region_cases

from regioncast.errors import FileFormatError, RegionTableError

V1_V2 = {7: "V1", 20: "V2"}
COLORS = {"color": ["#ff8000", "#010203"]}
POLES = {1: "Left Pole", 2: "Right Pole"}

FREESURFER = """#$Id: FreeSurferColorLUT.txt
#No. Label Name:        R   G   B   A

7   V1                  255 128 0   0   # the first
20  V2                  1   2   3   0
"""
FREESURFER_TISSUE = """#No. Label Name:  R   G   B   A  Tissue
7   V1                  255 128 0   0   0
20  V2                  1   2   3   0   1
"""
ITK_SNAP = """################
# ITK-SnAP Label Description File
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
    7   255  128    0        1  1  1    "V1"
   20     1    2    3     0.50  0  1    "V2"
"""
WORKBENCH = "V1\n7 255 128 0 255\nV2\n20 1 2 3 255\n"
LABEL_TABLE = """<?xml version="1.0" encoding="UTF-8"?>
<CaretExtension><VolumeInformation Index="0"><LabelTable>
  <Label Key="7" Red="1" Green="0.501961" Blue="0" Alpha="1"><![CDATA[V1]]></Label>
  <Label Key="20" Red="0.003922" Green="0.007843" Blue="0.011765" Alpha="1"> V2 </Label>
</LabelTable></VolumeInformation></CaretExtension>
"""
FSL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<atlas version="1.0"><header><name>x</name><type>{kind}</type></header><data>
<label index="0" x="48" y="94" z="35">Frontal Pole</label>
<label index="1" x="25" y="70" z="32">Aire
 occipitale ext\xe9rieure</label>
</data></atlas>"""
SPM = (
    "<atlas><data><label><index>7</index><name>V1</name><short_name>a</short_name></label>"
    "<label><index>20</index><name>V2</name></label></data></atlas>"
)


def plain(text, regions, labels=(), **more):
    """A case of plain text, which is called as it reads."""
    name = f"text {text!r}" + (f" beside {list(labels)}" if labels else "")
    return RegionCase(name, text=text, file="names.txt", labels=labels, regions=regions, **more)


def refused(text, *said, error=RegionTableError, file="names.txt"):
    return RegionCase(f"{file} {text!r}", text=text, file=file, refuses=(error, *said))


PROGRAMS = [
    *(
        RegionCase(f"{program} in {file}", text=text, file=file, regions=V1_V2, columns=COLORS)
        for file in ("lut.txt", "atlas.ctab", "atlas.label", "atlas.xml")
        for program, text in [
            ("FreeSurfer", FREESURFER), ("FreeSurfer with tissues", FREESURFER_TISSUE),
            ("ITK-SNAP", ITK_SNAP), ("Workbench", WORKBENCH), ("Workbench's XML", LABEL_TABLE),
        ]
        if (file == "atlas.xml") == (text == LABEL_TABLE) or file != "atlas.xml"
    ),
    plain("7 Area V1 255 128 0 0\n", {7: "Area V1"}),
    plain('7 255 0 0 1 1 1 "Area, V1"\n', {7: "Area, V1"}),
    plain("Area V1\n7 255 0 0 255\n", {7: "Area V1"}),
    plain("1 Area 4 255 0 0 0\n", {1: "Area 4"}, columns={"color": ["#ff0000"]}),
    plain("1 Area 4 255 0 0 0\n2 Area 6 0 255 0 0\n", {1: "Area 4", 2: "Area 6"}),
    plain("1 V1 ² 0 0 0\n", {1: "V1 ²"}),
    plain("# c\n" * 6 + "1 V1 255 0 0 0\n2 V2 0 255 0 0\n", {1: "V1", 2: "V2"}),
    plain('# "atlas,x\n1,V1\n2,V2\n', {1: "V1", 2: "V2"}),
    plain("14474380 WM-x 1 2 3 0\n", {14474380: "WM-x"}),
    plain("# id name R G B\n17 Left-Hippocampus 220 216 20\n53 Right-Insula 0 0 255\n",
          {17: "Left-Hippocampus", 53: "Right-Insula"}, columns={"color": ["#dcd814", "#0000ff"]}),
    plain("1 V1 10 20 30\n2 Area 17 2 3 1\n3 V3 3 1 2\n", {1: "V1", 2: "Area 17", 3: "V3"}),
    plain("0 ??? Unknown 0 0 0 0\n1 L_V1 L_V1_ROI 62 3 253 255\n", {0: "Unknown", 1: "L_V1_ROI"},
          [1]),
    plain("1 Left Pole 6 3 25 0\n2 Right V1 6 3 25 0\n", {1: "Left Pole"}, [1]),
    plain("1 0.93 0.16 0.16 Frontal Pole\n2 0 0 1 V1\n", {1: "Frontal Pole", 2: "V1"}, [1, 2]),
]  # fmt: skip

XML = [
    *(
        RegionCase(f"FSL's XML of the kind {kind!r} beside {labels}",
                   text=FSL.format(kind=kind).encode("latin-1"), file="a.xml", labels=labels,
                   regions={first: "Frontal Pole", first + 1: "Aire occipitale extérieure"},
                   columns={"x": [48, 25], "y": [94, 70], "z": [35, 32]})
        for kind, labels, first in [
            ("Probabilistic", [], 1), ("Probabilistic", [1, 2], 1),
            ("Label", [], 0), ("Label", [0, 1], 0), ("", [], 0),
        ]
    ),
    *(
        RegionCase(f"FSL's XML of the kind {kind!r} misses {labels} by one",
                   text=FSL.format(kind=kind).encode("latin-1"), file="a.xml", labels=labels,
                   refuses=(RegionTableError, said))
        for kind, labels, said in [
            ("Probabilistic", [0, 1], "counts from 1 and the image from 0"),
            ("Label", [1, 2], "counts from 0 and the image from 1"),
            ("", [1, 2], "counts from 0 and the image from 1"),
        ]
    ),
    RegionCase("SPM's XML", text=SPM, file="labels.xml", regions=V1_V2,
               columns={"short_name": ["a", None]}),
    refused("<atlas><label", "is not valid XML", error=FileFormatError, file="a.xml"),
    refused("<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", "not valid XML: undefined entity",
            error=FileFormatError, file="a.xml"),
    refused("<html/>", "a.xml has no label elements", file="a.xml"),
    refused("<LabelTable/>", "a.xml lists no region", file="a.xml"),
    refused("<a><label index='x'>V1</label></a>", "has the label 'x', which is not an integer",
            file="a.xml"),
    refused("<a><label><index>1</index></label></a>",
            "without index and name; its parts are: 'index'", file="a.xml"),
]  # fmt: skip

PLAIN_TEXT = [
    *(
        plain(text, POLES)
        for text in (
            "1 Left Pole\n2 Right Pole\n", "1\tLeft Pole\n2\tRight Pole\n",
            "1,Left Pole\n2,Right Pole\n", "1: Left Pole\n2: Right Pole\n",
            "1. Left Pole\n2. Right Pole\n", "# mine\n\n 1  Left Pole \r\n 2  Right Pole \r\n\r\n",
            "id name\n1 Left Pole\n2 Right Pole\n", "Left Pole\nRight Pole\n",
            "name\nLeft Pole\nRight Pole\n",
        )
    ),
    plain("Pole, left\nPole, right\n", {1: "Pole, left", 2: "Pole, right"}),
    plain("1 ROI 1\n2 ROI 2\n", {1: "ROI 1", 2: "ROI 2"}),
    plain("1 Area 4\n", {1: "Area 4"}),
    plain("id name\n1 Area 4\n3 Insula\n", {1: "Area 4", 3: "Insula"}),
    plain("Area 3\nArea 1\nArea 2\n", {1: "Area 3", 2: "Area 1", 3: "Area 2"}),
    plain("Crus 1\nCrus 2\nVermis 1\n", {1: "Crus 1", 2: "Crus 2", 3: "Vermis 1"}),
    plain("3 Occ, x\n1 Frontal, left\n", {1: "Frontal, left", 3: "Occ, x"}),
    plain("2 Right y\n-1 Left x\n", {-1: "Left x", 2: "Right y"}),
    plain("Left V1 1\nRight V2 2\n", {1: "Left V1", 2: "Right V2"}),
    plain("Left V1 7\nRight V2 dorsal 2\n", {2: "Right V2 dorsal", 7: "Left V1"}),
    plain("1 4a\n2 V1\n", {1: "4a", 2: "V1"}),
    plain("1 V1 0.5\n2 V2 1.5\n", {1: "V1", 2: "V2"}),
    plain("1 , V1\n2 , V2\n", {1: "V1", 2: "V2"}),
    plain("1 Pre_L 2001\n2 Pre_R 2002\n", {2001: "Pre_L", 2002: "Pre_R"}, [2001, 2002]),
    plain("1 Pre_L 2001\n2 Pre_R 2002\n", {1: "Pre_L", 2: "Pre_R"}, [1, 2]),
    plain("id hemi name\n1 L V1\n2 R V2\n", {1: "V1", 2: "V2"}, [1, 2]),
    plain("name label\n1 M1 3\n2 V1 1\n", {1: "V1", 3: "M1"}, [1, 2, 3]),
    plain("label name\n1 3 M1\n2 1 V1\n", {1: "V1", 3: "M1"}, [1, 2, 3]),
    plain('"name" "label"\n"1" "M 1" 3\n"2" "V1" 1\n', {1: "V1", 3: "M 1"}, [1, 2, 3]),
    plain("name label z\n1 M1 3 0.5\n2 V1 1 0.5\n", {1: "V1", 3: "M1"}, [1, 2, 3]),
    plain("Background\nV1\n", {0: "Background", 1: "V1"}),
    refused("1 Left Pole\nRight Pole\n3 Insula\n", "has no column of labels"),
    refused("name,network\nV1,Vis\nV2,Vis\n", "has no column of labels"),
    refused("V1 0.5\nV2 1.5\n", "has no column of labels"),
    refused("name\nV1\nV2\n", "a.csv has no column of labels", file="a.csv"),
    refused("V1\n\nV2\n", "no name in 1 row: 2. Names alone"),
    refused("", "a.tsv is empty", error=FileFormatError, file="a.tsv"),
    refused("index\tname\n", "no rows below it", error=FileFormatError, file="a.tsv"),
    RegionCase("text of another cell per row", text="index\tname\tcode\n7\tV1\t01\n20\tV2\t02\n",
               file="a.tsv", regions=V1_V2, columns={"code": ["01", "02"]}),
    RegionCase("NA is a name, n/a is none", text="key,abbr,name\n7,NA,V1\n20,n/a,V2\n",
               file="a.csv", regions=V1_V2, columns={"abbr": ["NA", None]}),
    RegionCase("lines of Windows", text="index\tname\r\n7\tV1\r\n20\tV2\r\n", file="a.tsv",
               regions=V1_V2),
]  # fmt: skip

OBJECTS = [
    RegionCase("a dict backward", make=lambda: {"V2": 20, "V1": 7}, regions=V1_V2),
    RegionCase("a Series backward", make=lambda: pd.Series([20, 7], ["V2", "V1"]), regions=V1_V2),
    RegionCase("a Series that counts is a list", make=lambda: pd.Series(["V1", "V2"]),
               regions={1: "V1", 2: "V2"}),
    RegionCase("integers are the labels of names of digits",
               make=lambda: {np.int64(1): "44", 2: "45"}, regions={1: "44", 2: "45"}),
    RegionCase("names of digits backward", make=lambda: {"44": 1, "45": 2},
               regions={1: "44", 2: "45"}),
    *(
        RegionCase(f"names alone beside {labels}", make=lambda: ["V1", "V2"], labels=labels,
                   regions=dict(zip(numbers, ["V1", "V2"], strict=True)))
        for labels, numbers in [
            ([], [1, 2]), ([1, 2], [1, 2]), ([2], [1, 2]), ([7, 20], [7, 20]),
        ]
    ),
    RegionCase("too few names for the image", make=lambda: ["V1"], labels=[7, 9],
               refuses=(RegionTableError, "has 1 name ", "the image has 2 regions (7, 9)")),
    RegionCase("the name of the background is that of no region",
               make=lambda: ["Background", "A", "B", "C"], labels=[2001, 2002, 2101],
               regions={0: "Background", 2001: "A", 2002: "B", 2101: "C"}),
    RegionCase("the background and too few names", make=lambda: ["Background", "A", "B", "C"],
               labels=[10, 20, 30, 40],
               refuses=(RegionTableError, "as many as the regions, beside 'Background'")),
    RegionCase("the background counted as a region", make=lambda: ["Background", "A", "B"],
               labels=[1, 2, 255],
               refuses=(RegionTableError, "3 names and no labels", "3 regions (1, 2, 255)")),
    *(
        RegionCase(f"a list that begins with {first!r}",
                   make=lambda first=first: [first, "a", "b"], labels=[1, 2],
                   regions={0: first, 1: "a", 2: "b"})
        for first in ("???", "Unknown", "Unlabeled", "Clear Label", "Background")
    ),
    RegionCase("an index that a selection left", make=lambda: pd.DataFrame(
        {"label": [7, 20], "name": ["V1", "V2"]}, index=[0, 2]), regions=V1_V2),
    RegionCase("an index with the title of labels", make=lambda: pd.DataFrame(
        {"name": ["V1", "V2"]}, index=pd.Index([7, 20], name="index")), regions=V1_V2),
    RegionCase("a DataFrame of names", make=lambda: pd.DataFrame({"name": ["V1", "V2"]}),
               refuses=(RegionTableError, "has no column of labels")),
    RegionCase("an index of names", make=lambda: pd.DataFrame({"label": [7, 20]}, ["V1", "V2"]),
               regions=V1_V2),
    RegionCase("an index of text beside names", make=lambda: pd.DataFrame(
        {"label": [7, 20], "name": ["V1", "V2"]}, ["a", "b"]), regions=V1_V2, columns={}),
    RegionCase("what a DataFrame misses is nothing", make=lambda: pd.DataFrame(
        {"label": [7, 20], "name": ["V1", "V2"], "n": [np.nan, 1.5], "t": ["a", pd.NA]}),
        regions=V1_V2, columns={"n": [None, 1.5], "t": ["a", None]}),
    RegionCase("polars", make=lambda: pl.DataFrame({"label": [20, 7], "name": ["V2", "V1"]}),
               regions=V1_V2),
    *(
        RegionCase(f"no region table: {what}", make=make, refuses=(RegionTableError, said))
        for what, make, said in [
            ("an empty dict", dict, "The mapping of labels and names is empty"),
            ("names of names", lambda: {"V1": "V2"}, "Neither side of the mapping is all int"),
            ("labels of labels", lambda: {1: 2}, "Each side of the mapping is all integers: keys"),
            ("a label twice", lambda: {"V1": 1, "V2": 1}, "The mapping: 1 label "),
            ("a label twice in a Series", lambda: pd.Series(["V2", "V1"], [7, 7]),
             "The Series: 1 label "),
            ("an empty list", list, "The list of names lists no region"),
            ("a list with a number", lambda: ["V1", 3], "this one has 3 (int)"),
            ("a list with an empty name", lambda: [" "], "no name in 1 row"),
            ("a number", lambda: 3.5, "This float is no region table"),
            ("a DataFrame without rows", lambda: pd.DataFrame({"label": []}), "lists no region"),
            ("a DataFrame of values", lambda: pd.DataFrame({"z": [0.5]}), "no column of labels"),
            ("a title twice in pyarrow", lambda: pa.table([[1], ["V1"], ["a"]],
             ["index", "name", "name"]), "1 title over more than one column: 'name'"),
            ("a title of an index and a column", lambda: pd.DataFrame(
                {"name": ["V1"]}, pd.Index([1], name="name")), "over more than one column: 'name'"),
            ("labels beyond 64 bits", lambda: {2**63: "V1"}, f"1 label beyond 64 bits: {2**63}"),
            ("labels that floats do not tell apart", lambda: {float(2**53): "b"},
             "9007199254740992"),
        ]
    ),
]  # fmt: skip

NAMES = [f"N{n}" for n in range(48)]
COUNTED = range(48)
ONE_TO_48 = range(1, 49)
OFF = (RegionTableError, "from 0")


def rows(delimiter: str) -> str:
    return "".join(f"{label}{delimiter}{name}\n" for label, name in enumerate(NAMES))


COUNTS_FROM_0 = [
    *(
        RegionCase(f"48 regions counted from 0: {door}", text=text, file=file, labels=ONE_TO_48,
                   refuses=OFF)
        for door, file, text in [
            ("TSV", "a.tsv", "index\tname\n" + rows("\t")),
            ("CSV", "a.csv", "index,name\n" + rows(",")),
            ("text", "a.txt", rows(" ")),
            ("text with colons", "b.txt", rows(": ")),
            ("colours of FreeSurfer", "lut.txt",
             "".join(f"{n} {name} 1 {n} 3 0\n" for n, name in enumerate(NAMES))),
            ("labels of Workbench", "w.txt",
             "".join(f"{name}\n{n} 1 2 3 255\n" for n, name in enumerate(NAMES))),
            ("XML of Workbench", "w.xml", "<a><LabelTable>" + "".join(
                f'<Label Key="{n}">{name}</Label>' for n, name in enumerate(NAMES))
             + "</LabelTable></a>"),
            ("XML of SPM", "s.xml", "<a>" + "".join(
                f"<label><index>{n}</index><name>{name}</name></label>"
                for n, name in enumerate(NAMES)) + "</a>"),
        ]
    ),
    *(
        RegionCase(f"48 regions counted from 0: {door}", make=make, labels=ONE_TO_48, refuses=OFF)
        for door, make in [
            ("dict", lambda: dict(enumerate(NAMES))),
            ("pairs", lambda: list(enumerate(NAMES))),
            ("DataFrame", lambda: pd.DataFrame({"index": COUNTED, "name": NAMES})),
            ("Series", lambda: pd.Series(NAMES, pd.Index(list(COUNTED), name="label"))),
        ]
    ),
    RegionCase("48 names alone", make=lambda: NAMES, labels=ONE_TO_48,
               regions=dict(zip(ONE_TO_48, NAMES, strict=True))),
    RegionCase("48 names alone in a Series", make=lambda: pd.Series(NAMES), labels=ONE_TO_48,
               regions=dict(zip(ONE_TO_48, NAMES, strict=True))),
]  # fmt: skip

MORE_OBJECTS = [
    RegionCase("pairs", make=lambda: [(20, "V2"), (7, "V1")], labels=[7, 20],
               regions={7: "V1", 20: "V2"}),
    RegionCase("pairs of which a label stands twice", make=lambda: [(7, "V2"), (7, "V1")],
               refuses=(RegionTableError, "7")),
    RegionCase("the title of an index is over something else", make=lambda: pd.DataFrame(
        {"segvalue": [101, 102, 205], "label": list("ABC")},
        index=pd.Index([1, 2, 101], name="roi")), labels=[101, 102, 205],
        regions={101: "A", 102: "B", 205: "C"}),
]  # fmt: skip

REGION_CASES = [
    *region_cases("regions.txt"), *PROGRAMS, *XML, *PLAIN_TEXT, *OBJECTS, *COUNTS_FROM_0,
    *MORE_OBJECTS,
]  # fmt: skip
