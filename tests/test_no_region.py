"""Names that say that a label is no region."""

from __future__ import annotations

import pytest

from regioncast.atlas.no_region import names_background, no_region_labels


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "???", "L_???", "unknown", "Unknown", "ctx-lh-unknown", "L_unknown", "Medial_Wall",
        "medial wall", "MedialWall", "lh.Medial_wall", "FreeSurfer_Defined_Medial_Wall",
        "Background+FreeSurfer_Defined_Medial_Wall", "corpuscallosum", "ctx_rh_corpuscallosum",
        "background", "Background", "none", "None", "unassigned", "Clear Label", "Exterior",
    ],
)  # fmt: skip
def test_names_of_no_region(name):
    assert no_region_labels({-1: name}) == {-1}


@pytest.mark.parametrize(
    "name",
    [
        "V1", "L", "Right", "0", "L_V1_ROI", "wall", "medial", "unknown_cortex_1", "海马",
        "Genu of corpus callosum", "7Networks_1", "lateraloccipital", "Nonesuch",
    ],
)  # fmt: skip
def test_names_of_regions(name):
    assert no_region_labels({7: name}) == set()


def test_any_number_of_labels_may_be_no_region():
    names = {-1: "Unknown", 0: "V1", 3: "???", 1000: "Medial_Wall", 14474380: "insula"}
    assert no_region_labels(names) == {-1, 3, 1000}
    assert no_region_labels({}) == set()


def test_what_lies_outside_the_cortex_may_be_a_region_of_the_brain():
    names = ["Background", "???", "Clear Label", "Corpus callosum", "Medial wall", "V1"]
    assert [names_background(name) for name in names] == [True] * 3 + [False] * 3
