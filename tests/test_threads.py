"""Work in threads is the work of a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast import threads


@given(
    items=st.lists(st.integers()),
    n_cpus=st.integers(1, 9),
    most=st.none() | st.integers(1, 9),
)
def test_results_come_in_the_order_of_the_items(items, n_cpus, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "n_cpus", lambda: n_cpus)
        assert threads.in_threads(lambda item: 2 * item, items, most) == [2 * n for n in items]


def test_an_error_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "n_cpus", lambda: 3)
    with pytest.raises(ZeroDivisionError):
        threads.in_threads(lambda item: 1 / item, [3, 2, 1, 0])


@given(length=st.integers(0, 50), n_shares=st.integers(1, 9))
def test_shares_divide_a_length_evenly(length, n_shares):
    parts = [range(length)[share] for share in threads.shares(length, n_shares)]
    assert [item for part in parts for item in part] == list(range(length))
    assert len(parts) == n_shares
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
