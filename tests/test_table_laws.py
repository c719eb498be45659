"""Laws of tables: what is written from known maps is read as these maps, or is an error."""

from __future__ import annotations

import csv
import io
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tables.atlases import labels_image

import regioncast as rc
from regioncast.errors import RegioncastError

WORDS = ["Vis", "Mot", "Aud", "Som", "Lim", "left, dorsal", "Area 4", "Área", "V1;V2", "Pôle"]
KEY_TITLES = {"names": ["name", "region", "who", "ROI"], "labels": ["label", "index", "roi_id"]}
COUNTER_TITLES = ["", "Unnamed: 0", "index", "n", "row", "id"]
VALUES = st.integers(-50, 50) | st.floats(-1e6, 1e6).map(lambda x: round(x, 4))


def atlas_of(labels, names):
    image = labels_image(labels)
    if names is None:
        return rc.load_parcellation(image, regions="none")
    return rc.load_parcellation(image, rc.RegionTable(labels, names))


def painted(source, atlas, labels, **options):
    """The values of the regions in the order of labels, one list per map."""
    image = rc.paint(source, atlas, **options)
    data, codes = np.asarray(image.dataobj), np.asarray(atlas.codes)
    order = atlas.table.labels.tolist()
    rows = [data[codes == 1 + order.index(label)][0] for label in labels]
    return np.array(rows).reshape(len(labels), -1).T.tolist()


# --- tables of every shape -------------------------------------------------------------------


@st.composite
def written(draw):
    """Known maps, and a text that says them in one of the many ways in which people do."""
    n = draw(st.integers(1, 6))
    some_labels = st.lists(st.integers(1, 300), min_size=n, max_size=n, unique=True)
    labels = draw(st.just(list(range(1, n + 1))) | some_labels)
    names = draw(st.none() | st.permutations(WORDS).map(lambda words: words[:n]))
    maps = draw(st.lists(st.lists(VALUES, min_size=n, max_size=n), min_size=1, max_size=3))
    kinds = ["labels", "neither"] + ["names", "both"] * (names is not None)
    says = draw(st.sampled_from(kinds))
    has_header, is_long = draw(st.booleans()), draw(st.booleans())
    # A copy of the labels is no map.
    assume(all(values != labels for values in maps))

    if says == "neither":
        ascending = np.argsort(labels)
        rows = [[values[at] for at in ascending] for values in maps]
        rows = [[value] for value in rows[0]] if is_long and len(maps) == 1 else rows
        return labels, names, maps, [], rows, draw(dialects())
    order = draw(st.permutations(range(n)))
    if not is_long:
        keys = names if says == "names" else labels
        rows = [[values[at] for at in order] for values in maps]
        if has_header or says == "names":
            rows = [[keys[at] for at in order], *rows]
        else:
            order = np.argsort(labels).tolist()
            rows = [[values[at] for at in order] for values in maps]
        return labels, names, maps, [], rows, draw(dialects())

    columns, others = [], []
    if says in ("names", "both"):
        columns.append((draw(st.sampled_from(KEY_TITLES["names"])), [names[at] for at in order]))
    if says in ("labels", "both"):
        title = draw(st.sampled_from(KEY_TITLES["labels"]))
        columns.insert(draw(st.integers(0, len(columns))), (title, [labels[at] for at in order]))
    for number, values in enumerate(maps):
        columns.append((f"map {number}", [values[at] for at in order]))
    beside = draw(st.lists(st.sampled_from(["counter", "ranks", "sizes"]), unique=True))
    for kind in beside:
        first = draw(st.integers(0, 1))
        cells = {
            "counter": list(range(first, first + n)),
            "ranks": draw(st.permutations(range(1, n + 1))),
            "sizes": [100 + 7 * at for at in range(n)],
        }[kind]
        title = draw(st.sampled_from(COUNTER_TITLES)) if kind == "counter" else kind
        assume(title not in [title for title, _ in columns])
        columns.insert(draw(st.integers(0, len(columns))), (title, cells))
        others.append([dict(zip(order, cells, strict=True))[at] for at in range(n)])
    rows = [list(cells) for cells in zip(*(cells for _, cells in columns), strict=True)]
    if has_header:
        rows = [[title for title, _ in columns], *rows]
    return labels, names, maps, others, rows, draw(dialects())


@st.composite
def dialects(draw):
    delimiter = draw(st.sampled_from("\t,; "))
    return {
        "delimiter": delimiter,
        "decimal": draw(st.sampled_from(".,")) if delimiter in ";\t" else ".",
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
    }


def text_of(rows, dialect):
    options = dict(dialect)
    decimal = options.pop("decimal")
    cells = [
        [repr(cell).replace(".", decimal) if isinstance(cell, float) else cell for cell in row]
        for row in rows
    ]
    out = io.StringIO()
    csv.writer(out, **options).writerows(cells)
    return out.getvalue()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(written())
def test_a_table_of_any_shape_is_its_maps_or_an_error(tmp_path_factory, case):
    labels, names, maps, others, rows, dialect = case
    suffix = {"\t": ".tsv", " ": ".txt"}.get(dialect["delimiter"], ".csv")
    path = tmp_path_factory.mktemp("shapes") / f"v{suffix}"
    path.write_text(text_of(rows, dialect), encoding="utf-8", newline="")
    try:
        got = painted(path, atlas_of(labels, names), labels)
    except RegioncastError:
        return
    # Counters, ranks and sizes are maps of their own where no title says that they are labels.
    beside = [list(map(float, cells)) for cells in others]
    assert [m for m in got if list(map(float, m)) not in beside] == [
        m for m in maps if list(map(float, m)) not in beside
    ]
    assert all(list(map(float, m)) in [*map(list, np.array(maps, float)), *beside] for m in got)


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".txt"])
@pytest.mark.parametrize(
    ("text", "maps"),
    [
        ("ROI\n12,5\n", None),  # 12 and 5, 12.5, or thousandths
        ("12,5\n", None),
        ("ROI;z\n12,5;3\n", None),
        ("V1\t0\t3\n", [[0], [3]]),
        ("V1\t0.5\t1\n", [[0.5], [1]]),
        ("ROI\n12.5\n", [[12.5]]),
    ],
)
def test_numbers_of_one_region_are_its_maps_or_an_error(tmp_path, text, maps, suffix):
    path = tmp_path / f"v{suffix}"
    path.write_text(text)
    atlas = atlas_of([20], [text[:3].strip()] if text[0].isalpha() else ["V1"])
    if maps is not None:
        assert painted(path, atlas, [20]) == maps
        return
    with pytest.raises(RegioncastError):
        painted(path, atlas, [20])


# --- names of every sort ---------------------------------------------------------------------

NUMBER_LIKE = [
    "001", "002", "1.1", "1.2", "+1", "-1", "1e1", "1E2", "NaN", "nan", "n/a", "NA", "inf", "#x",
    "# x", "'", '"', '""', "a,b", "a;b", "a b", "0", "1", "2", "20", "1,5", "0x10", "1_000", "TRUE",
    "None", "null", "=1+1", "@x", "-", ".", "1.", ".5", "٣", "½", "é", "a|b", "\\", "%", "//",
]  # fmt: skip
ANY_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=8)
REGION_NAMES = st.lists(
    (ANY_TEXT | st.sampled_from(NUMBER_LIKE)).filter(lambda name: name and name == name.strip()),
    min_size=1,
    max_size=5,
    unique_by=lambda name: unicodedata.normalize("NFC", name),
)


NO_CELL = frozenset(["n/a", ""])  # which says that there is nothing


def labels_of_others(labels, names):
    """Names that are the labels of other regions."""
    return {name for label, name in zip(labels, names, strict=True)
            if name in set(map(str, labels)) - {str(label)}}  # fmt: skip


@settings(max_examples=120)
@given(names=REGION_NAMES, data=st.data())
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet"])
def test_signals_of_any_names_come_back_from_every_table(
    tmp_path_factory, suffix, long, names, data
):
    labels = data.draw(st.permutations([1, 2, 3, 20, 1007]))[: len(names)]
    n_maps = data.draw(st.integers(1, 2))
    numbers = st.integers(-9, 9) | st.floats(-9, 9)
    values = data.draw(st.lists(st.lists(numbers, min_size=len(names), max_size=len(names)),
                                min_size=n_maps, max_size=n_maps))  # fmt: skip
    order = data.draw(st.permutations(range(len(names))))
    array = np.array(values)[:, order]
    atlas = atlas_of(labels, names)
    signals = rc.Signals(array[0] if n_maps == 1 else array, [names[at] for at in order])
    path = tmp_path_factory.mktemp("names") / f"s{suffix}"
    if any(name in NO_CELL for name in names):
        with pytest.raises(RegioncastError, match=r"that .* cannot hold"):
            rc.save(signals, path, long=long)
        return
    rc.save(signals, path, long=long)
    expected = np.array(values).tolist()
    try:
        got = painted(path, atlas, labels)
    except RegioncastError:
        assert labels_of_others(labels, names)
        got = painted(path, atlas, labels, by="name")
    assert got == expected


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet"])
def test_maps_of_one_region_whose_name_counts_come_back(tmp_path, suffix):
    path = tmp_path / f"s{suffix}"
    rc.save(rc.Signals([[0.5], [1.5]], ["0"]), path)
    assert painted(path, atlas_of([20], ["0"]), [20]) == [[0.5], [1.5]]


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\rb", "\x1c", "a\x0bb", "", "\x00"])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("suffix", [".tsv", ".csv"])
def test_names_that_text_cannot_hold_come_back_or_are_refused(tmp_path, suffix, long, name):
    path = tmp_path / f"s{suffix}"
    atlas = atlas_of([3, 20], ["x", name or "y"])
    try:
        rc.save(rc.Signals([0.5, 1.5], [name, "x"]), path, long=long)
    except RegioncastError:
        assert not path.exists()
        return
    assert painted(path, atlas, [3, 20]) == [[1.5, 0.5]]


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet"])
@pytest.mark.parametrize("long", [False, True])
def test_signals_of_hemispheres_in_a_volume_are_painted_again(tmp_path, suffix, long):
    regions = {"index": [1, 2, 3], "name": ["x", "x", "stem"], "hemisphere": ["L", "R", "B"]}
    atlas = rc.load_parcellation(labels_image([1, 2, 3]), regions)
    signals = rc.extract(rc.paint([0.5, 1.5, 2.5], atlas), atlas)
    assert len(set(map(str, signals.keys))) == 3
    assert not any(isinstance(key, int) for key in signals.keys)
    path = rc.save(signals, tmp_path / f"s{suffix}", long=long)
    assert painted(path, atlas, [1, 2, 3]) == [[0.5, 1.5, 2.5]]


# --- what keys share -------------------------------------------------------------------------

AFFIXES = st.sampled_from(["", "lh_", "Mean_", "ctx-", "_thickness", "_area", "(mean)", "é", "x"])


@settings(max_examples=50)
@given(names=st.permutations(WORDS), before=AFFIXES, after=AFFIXES, data=st.data())
def test_what_is_stripped_might_as_well_not_be_there(tmp_path_factory, names, before, after, data):
    n = data.draw(st.integers(2, 4))
    labels, names = data.draw(st.permutations([2, 3, 20, 1007]))[:n], names[:n]
    values = data.draw(st.lists(st.floats(-9, 9), min_size=n, max_size=n))
    expected = [dict(zip(labels, values, strict=True))[label] for label in labels]
    keys = data.draw(st.sampled_from([names, list(map(str, labels))]))
    written = [f"{before}{key}{after}" for key in keys]
    atlas = atlas_of(labels, names)
    path = tmp_path_factory.mktemp("affixes") / "v.tsv"
    signals = rc.Signals(values, written)
    by = "name" if keys is names else "label"
    for source in (
        dict(zip(written, values, strict=True)),
        signals.to_pandas(),
        rc.save(signals, path),
        rc.save(signals, path.with_name("long.csv"), long=True),
    ):
        assert painted(source, atlas, labels, strip=[before, after], by=by) == [expected]
