"""Region tables that are right by the ten rules: text of every program, and objects."""

from __future__ import annotations

import pandas as pd
from tables.case import RegionCase
from tables.reading import region_cases

from regioncast.errors import RegionTableError

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

OBJECTS = [
    RegionCase("pairs", make=lambda: [(20, "V2"), (7, "V1")], labels=[7, 20],
               regions={7: "V1", 20: "V2"}),
    RegionCase("pairs of which a label stands twice", make=lambda: [(7, "V2"), (7, "V1")],
               refuses=(RegionTableError, "7")),
    RegionCase("names as bytes", make=lambda: [b"V1", b"V2"], labels=[7, 20],
               regions={7: "V1", 20: "V2"}),
    RegionCase("records", make=lambda: [{"index": 7, "name": "V1"}, {"index": 20, "name": "V2"}],
               regions={7: "V1", 20: "V2"}, or_error=True),
    RegionCase("the title of an index is over something else", make=lambda: pd.DataFrame(
        {"segvalue": [101, 102, 205], "label": list("ABC")},
        index=pd.Index([1, 2, 101], name="roi")), labels=[101, 102, 205],
        regions={101: "A", 102: "B", 205: "C"}),
]  # fmt: skip

NEW_REGION_CASES = [
    *region_cases("regions_new.txt", new=True),
    *(RegionCase(**{**vars(case), "new": True}) for case in [*COUNTS_FROM_0, *OBJECTS]),
]
