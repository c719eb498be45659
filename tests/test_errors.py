"""Errors reach whoever waits for them, in another process too."""

from __future__ import annotations

import inspect
import pickle

import pytest

from regioncast import errors
from regioncast.nilearn.regions import _dimension_error

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.RegioncastError | errors.RegioncastWarning)
]


def test_every_error_and_warning_is_looked_at():
    assert {errors.DimensionError, errors.MatchError, errors.LabelsWarning} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_pickled_with_its_message(kind):
    again = pickle.loads(pickle.dumps(kind("3 of 4 regions.")))
    assert type(again) is kind
    assert str(again) == "3 of 4 regions."


def test_an_error_that_is_nilearns_too_is_pickled_with_its_message():
    import nilearn.exceptions

    error = _dimension_error("The image has 2 dimensions.")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, nilearn.exceptions.DimensionError)
    assert type(again) is type(error)
    assert str(again) == "The image has 2 dimensions."
