"""Work in threads is the work of a loop."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast.engine import threads


@given(
    items=st.lists(st.integers()),
    n_cpus=st.integers(1, 9),
    most=st.none() | st.integers(1, 9),
)
def test_results_come_in_the_order_of_the_items(items, n_cpus, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "n_cpus", lambda: n_cpus)
        assert threads.in_threads(lambda item: 2 * item, items, most) == [2 * n for n in items]


@pytest.mark.parametrize("items", [[3, 2, 1, 0], [0, 1, 2, 3], [1, 2, 0, 3]])
def test_an_error_in_a_thread_is_raised(monkeypatch, items):
    monkeypatch.setattr(threads, "n_cpus", lambda: 3)
    with pytest.raises(ZeroDivisionError):
        threads.in_threads(lambda item: 1 / item, items)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_no_item_is_begun_and_no_thread_is_left(monkeypatch, error):
    other_has_begun, is_waited_for, begun = threading.Event(), threading.Event(), []

    class Thread(threading.Thread):
        def join(self, timeout=None):
            is_waited_for.set()
            super().join(timeout)

    def work(item):
        begun.append(item)
        if item == 0:
            assert other_has_begun.wait(60)
            raise error
        other_has_begun.set()
        assert is_waited_for.wait(60)

    monkeypatch.setattr(threads, "n_cpus", lambda: 2)
    monkeypatch.setattr(threads, "Thread", Thread)
    n_threads = threading.active_count()
    with pytest.raises(error):
        threads.in_threads(work, range(10))
    assert sorted(begun) == [0, 5]
    assert threading.active_count() == n_threads


def test_threads_that_cannot_be_started_are_no_trouble(monkeypatch):
    class Thread(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "n_cpus", lambda: 3)
    monkeypatch.setattr(threads, "Thread", Thread)
    assert threads.in_threads(lambda item: 2 * item, range(7)) == list(range(0, 14, 2))


def test_a_thread_that_is_held_up_is_helped_by_the_others(monkeypatch):
    monkeypatch.setattr(threads, "n_cpus", lambda: 2)
    done, all_others = [], threading.Event()

    def work(item):
        if item == 0:
            assert all_others.wait(60)
            return
        done.append(item)
        if len(done) == 9:
            all_others.set()

    threads.in_threads(work, range(10))
    assert done == [5, 6, 7, 8, 9, 4, 3, 2, 1]


@given(length=st.integers(0, 50), n_shares=st.integers(1, 9))
def test_shares_divide_a_length_evenly(length, n_shares):
    parts = [range(length)[share] for share in threads.shares(length, n_shares)]
    assert [item for part in parts for item in part] == list(range(length))
    assert len(parts) == n_shares
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
