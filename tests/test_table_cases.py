"""Each table of `tables`, against its atlas: the maps or the error beside it, through each door."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables.atlases import Atlas, atlas
from tables.case import Case, RegionCase
from tables.doors import NAMELESS, file_doors, region_doors, value_doors
from tables.region_cases import REGION_CASES
from tables.value_cases import CASES

import regioncast as rc
from regioncast.errors import RegioncastError, RegioncastWarning
from regioncast.tables.regions import read_region_table


def each(cases):
    """Give each case its name as its id."""
    return [pytest.param(case, id=case.name) for case in cases]


def right_outcome(case: Case | RegionCase) -> str:
    """What comes of a case, through whatever door."""
    return "error" if case.refuses else "same"


def written(case: Case | RegionCase, folder: Path) -> Any:
    """The values of a case as it has them: a file, or an object."""
    if case.make is not None:
        return case.make()
    if case.through:
        doors = region_doors if isinstance(case, RegionCase) else value_doors
        return next(iter(doors(case, folder).values()))
    if case.table:
        return dict(file_doors(case.parsed, folder))["tab"]
    path = folder / case.file
    path.write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())
    return path


# --- tables of values ------------------------------------------------------------------------


def painted(case: Case, values: Any) -> Any:
    with warnings.catch_warnings():
        # What a warning says is tested where warnings are.
        warnings.simplefilter("ignore", RegioncastWarning)
        return rc.paint(values, atlas(case.atlas).parcellation, **case.options)


def array_of(image: Any) -> np.ndarray:
    return np.asarray(getattr(image, "dataobj", image))


def expected_of(case: Case, where: Atlas, dtype: Any) -> np.ndarray:
    """What the image of a case holds, painted by hand."""
    maps = [where.painted(values, dtype) for values in case.list_of_maps]
    return maps[0] if len(maps) == 1 and not case.series else np.stack(maps, axis=-1)


def is_as_expected(case: Case, image: Any, *, with_names: bool = True) -> bool:
    """Return whether the image holds the maps of a case, to the bit."""
    got = array_of(image)
    expected = expected_of(case, atlas(case.atlas), got.dtype)
    names = list(image.match.signals.map_names or ())
    return (
        got.shape == expected.shape
        and np.array_equal(got, expected, equal_nan=got.dtype.kind in "fc")
        and (not case.dtype or got.dtype == case.dtype)
        and (not case.map_names or not with_names or names == case.map_names)
    )


@pytest.mark.parametrize("case", each(CASES))
def test_each_table_of_values(case, tmp_path):
    values = written(case, tmp_path)
    if case.refuses:
        error, *fragments = case.refuses
        with pytest.raises(error) as caught:
            painted(case, values)
        for fragment in fragments:
            assert fragment in str(caught.value)
        return
    image = painted(case, values)
    got = array_of(image)
    expected = expected_of(case, atlas(case.atlas), got.dtype)
    np.testing.assert_array_equal(got, expected)
    if case.dtype:
        assert got.dtype == case.dtype
    if case.map_names:
        assert list(image.match.signals.map_names) == case.map_names
    # The same values are exact in the dtype of the image: nothing was rounded by comparing.
    for values_of_map in case.list_of_maps:
        for value in values_of_map.values():
            assert np.isnan(value) or got.dtype.type(value) == value


@pytest.mark.parametrize("case", each(case for case in CASES if case.table))
def test_each_door(case, tmp_path):
    """The same table is the same maps, or an error, through whatever door it comes."""
    other = {}
    for door, values in value_doors(case, tmp_path).items():
        try:
            image = painted(case, values)
        except RegioncastError:
            outcome = "error"
        else:
            is_same = bool(case.maps) and is_as_expected(
                case, image, with_names=door not in NAMELESS
            )
            outcome = "same" if is_same else "maps"
        if outcome != right_outcome(case):
            other[door] = outcome
    assert not other


@pytest.mark.parametrize("case", each(CASES))
def test_match_and_load_signals_say_what_paint_does(case, tmp_path):
    values, where = written(case, tmp_path), atlas(case.atlas).parcellation
    words = ("by", "key", "columns", "strip")
    asked = {name: case.options[name] for name in words if name in case.options}
    allowed = {name: case.options[name] for name in ("missing", "extra") if name in case.options}
    if case.refuses:
        with pytest.raises(RegioncastError):
            rc.match(values, where, **asked).check(**allowed)
        return
    match = rc.match(values, where, **asked)
    match.check(**allowed)
    image = painted(case, values)
    assert str(image.match) == str(match)
    if "by" not in asked:
        signals = rc.load_signals(values, where, **asked)
        assert signals.keys == match.signals.keys
        np.testing.assert_array_equal(signals.values, match.signals.values)


# --- region tables ---------------------------------------------------------------------------


def read(case: RegionCase, source: Any) -> rc.RegionTable:
    labels = np.array(case.labels, np.int64) if len(case.labels) else None
    return read_region_table(source, labels=labels)


def regions_of(table: rc.RegionTable) -> dict[int, str]:
    return {int(label): name for label, name in table}


@pytest.mark.parametrize("case", each(REGION_CASES))
def test_each_region_table(case, tmp_path):
    source = written(case, tmp_path)
    if case.refuses:
        error, *fragments = case.refuses
        with pytest.raises(error) as caught:
            read(case, source)
        for fragment in fragments:
            assert fragment in str(caught.value)
        return
    table = read(case, source)
    assert regions_of(table) == dict(case.regions)
    assert table.labels.tolist() == sorted(case.regions)
    if case.columns is not None:
        assert {title: list(cells) for title, cells in table.columns.items()} == {
            title: list(cells) for title, cells in case.columns.items()
        }
    if case.sides:
        assert "".join(side or "-" for side in table.sides) == case.sides


@pytest.mark.parametrize("case", each(case for case in REGION_CASES if case.table))
def test_each_door_of_region_tables(case, tmp_path):
    other = {}
    for door, source in region_doors(case, tmp_path).items():
        try:
            table = read(case, source)
        except RegioncastError:
            outcome = "error"
        else:
            outcome = "same" if regions_of(table) == case.regions else "regions"
        if outcome != right_outcome(case):
            other[door] = outcome
    assert not other


# --- the tables of this test -----------------------------------------------------------------


def test_no_two_cases_have_one_name():
    for cases in (CASES, REGION_CASES):
        names = [case.name for case in cases]
        assert len(set(names)) == len(names)
