"""Tasks in other processes: each is done once or has an error, whoever dies meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import small_tasks

from regioncast import errors
from regioncast.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingPackageError,
    SchedulerError,
    WorkerDiedError,
)
from regioncast.executors import each_done, opened


def outcomes(executor, work, items, **options):
    """What each item gives: a result, or an error."""
    return {
        item: future.exception() or future.result()
        for item, future in each_done(executor, work, items, **options)
    }


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(is_so, seconds=60.0):
    end = time.monotonic() + seconds
    while not (answer := is_so()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return answer


@pytest.fixture(params=["here", "processes", "threads", "Dask"])
def executor(request):
    if request.param == "threads":
        with ThreadPoolExecutor(2) as threads:
            yield threads
        return
    options = {"workers": 1 if request.param == "here" else 2}
    if request.param == "Dask":
        options = {"scheduler": request.getfixturevalue("cluster").scheduler_address}
    with opened(**options) as engine:
        yield engine.executor


# --- any executor ---------------------------------------------------------------------------


def test_each_task_is_done_once(executor):
    numbers = list(range(50))
    done = [
        (item, future.result()) for item, future in each_done(executor, small_tasks.double, numbers)
    ]
    assert sorted(done) == [(number, 2 * number) for number in numbers]


def test_an_error_is_that_of_its_task(executor):
    done = outcomes(executor, small_tasks.fail, [1, 2, 3])
    assert {number: str(error) for number, error in done.items()} == {
        1: "not 1", 2: "not 2", 3: "not 3",
    }  # fmt: skip
    assert all(type(error) is ValueError for error in done.values())


def test_our_errors_come_as_they_were_raised(executor):
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.RegioncastError)
    ]
    raised = [kind(f"{kind.__name__}: 3 of 4.") for kind in kinds]
    done = each_done(executor, small_tasks.fail_with, raised)
    came = [(error, future.exception()) for error, future in done]
    assert len(came) == len(kinds) > 20
    for error, there in came:
        assert type(there) is type(error)
        assert str(there) == str(error)


def test_no_task_is_no_task(executor):
    assert outcomes(executor, small_tasks.double, []) == {}


class Counting(ThreadPoolExecutor):
    """Counts the tasks that are out: submitted, and not yet asked for their result."""

    def __init__(self, n_workers):
        super().__init__(n_workers)
        self.out, self.most = 0, 0

    def submit(self, *arguments, **options):
        self.out += 1
        self.most = max(self.most, self.out)
        return super().submit(*arguments, **options)


@pytest.mark.parametrize(("n_workers", "most"), [(None, 12), (3, 12), (1, 4)])
def test_no_more_than_four_tasks_a_worker_are_out(n_workers, most):
    taken = 0

    def numbers():
        nonlocal taken
        for number in range(1000):
            taken = number + 1
            yield number

    with Counting(3) as executor:
        n_done = 0
        for _ in each_done(executor, small_tasks.double, numbers(), n_workers=n_workers):
            executor.out -= 1
            n_done += 1
            assert taken - n_done <= most
    assert n_done == taken == 1000
    assert executor.most <= most


def test_closed_early_what_has_not_begun_is_cancelled():
    begun, go_on = [], threading.Event()

    def work(number):
        begun.append(number)
        return number == 0 or go_on.wait(20)

    with ThreadPoolExecutor(1) as executor:
        results = each_done(executor, work, range(100))
        next(results)
        results.close()
        go_on.set()
    assert len(begun) <= 2


def test_what_is_done_at_once_is_given_at_once():
    done = []
    with opened(workers=1) as engine:
        for number, _ in each_done(engine.executor, done.append, range(3)):
            assert done == list(range(number + 1))
        assert engine.n_workers == 1
        assert engine.n_jobs is None


def test_an_interrupt_of_a_task_in_this_process_is_no_error_of_a_task():
    def interrupted(_):
        raise KeyboardInterrupt

    with opened(workers=1) as engine, pytest.raises(KeyboardInterrupt):
        list(each_done(engine.executor, interrupted, [1]))


def test_a_pool_of_the_standard_library_that_breaks_says_who_died():
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        results = each_done(executor, small_tasks.die, iter([1]))
        _, future = next(results)
        with pytest.raises(WorkerDiedError, match="Use fewer workers, or more memory"):
            future.result()
        with pytest.raises(WorkerDiedError, match=r"takes no more tasks.* local processes"):
            list(each_done(executor, small_tasks.die, [2]))


def test_a_task_that_somebody_cancels_has_an_error():
    class Dropping(ThreadPoolExecutor):
        def submit(self, *arguments, **options):
            future = Future()
            future.cancel()
            return future

    with Dropping(1) as executor:
        [(_, future)] = each_done(executor, small_tasks.double, [1])
    with pytest.raises(SchedulerError, match="run the same again"):
        future.result()


# --- local processes ------------------------------------------------------------------------


def test_processes_are_others_and_as_many_as_are_needed():
    with opened(workers=5) as engine:
        assert (engine.n_workers, engine.n_jobs) == (5, 1)
        pids = set(outcomes(engine.executor, small_tasks.nap, [0.5, 0.51, 0.52]).values())
        again = set(outcomes(engine.executor, small_tasks.nap, [0.5, 0.51, 0.52]).values())
    assert len(pids) == 3
    assert again == pids
    assert os.getpid() not in pids
    assert not any(map(is_alive, pids))


def test_without_a_number_there_is_a_worker_per_processor():
    with opened() as engine:
        assert engine.n_workers == len(os.sched_getaffinity(0))


def test_libraries_of_linear_algebra_use_one_thread_unless_the_user_says_more(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    names = ["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
    with opened(workers=2) as engine:
        set_to = outcomes(engine.executor, small_tasks.environment, names)
    assert set_to == {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "3"}


def test_a_worker_that_is_killed_is_replaced_and_its_task_done_again(tmp_path):
    marks = [str(tmp_path / name) for name in "abc"]
    with opened(workers=2) as engine:
        assert outcomes(engine.executor, small_tasks.die_once, marks) == dict(
            zip(marks, "abc", strict=True)
        )


def test_a_worker_that_is_killed_from_outside_costs_nothing(tmp_path):
    mark = tmp_path / "mark"
    with opened(workers=2) as engine:
        results = each_done(engine.executor, small_tasks.nap, [0.3] * 8)
        pids = {next(results)[1].result()}
        os.kill(*pids, signal.SIGKILL)
        pids |= {future.result() for _, future in results}
    assert len(pids) == 3
    assert not mark.exists()


def test_a_task_that_kills_its_workers_fails_alone():
    with opened(workers=2) as engine:
        done = outcomes(engine.executor, small_tasks.die_if_odd, [0, 1, 2, 3, 4, 6])
    assert [done[number] for number in (0, 2, 4, 6)] == [0, 4, 8, 12]
    for number in (1, 3):
        assert type(done[number]) is WorkerDiedError
        assert str(done[number]) == (
            "Two workers that did this task died, the second one with no other at work beside it: "
            "it was killed by SIGKILL, as systems do where memory runs out. Use fewer workers, or "
            "a machine with more memory."
        )


def test_a_worker_that_exits_is_as_one_that_dies():
    with opened(workers=2) as engine:
        [error] = outcomes(engine.executor, sys.exit, [7]).values()
    assert "it ended with exit code 7. What it wrote" in str(error)


def test_a_task_that_killed_its_worker_is_done_again_with_none_beside_it(tmp_path):
    folder = tmp_path / "at work"
    folder.mkdir()
    others = [(None, f"{folder}{'/' * number}") for number in range(1, 20)]
    suspects = [(str(tmp_path / name), str(folder)) for name in "ab"]
    with opened(workers=3) as engine:
        items = [*others[:5], *suspects, *others[5:]]
        done = outcomes(engine.executor, small_tasks.die_or_count, items)
    assert [done[suspect] for suspect in suspects] == [1, 1]
    assert max(done.values()) > 1


def test_what_cannot_be_sent_is_the_error_of_its_task():
    with opened(workers=2) as engine:
        [back] = outcomes(engine.executor, small_tasks.unpicklable, [1]).values()
        [there] = outcomes(engine.executor, lambda number: number, [1]).values()
        [awkward] = outcomes(engine.executor, small_tasks.fail_awkwardly, [1]).values()
        assert outcomes(engine.executor, small_tasks.double, [1]) == {1: 2}
    assert "pickle" in str(back)
    assert "pickle" in str(there)
    assert type(awkward) is RuntimeError
    assert "AwkwardError: 1 and 1" in str(awkward)


def test_an_error_says_where_in_the_worker_it_came_from():
    with opened(workers=2) as engine:
        [error] = outcomes(engine.executor, small_tasks.fail, [1]).values()
    assert "in fail" in error.__notes__[0]


def test_stopped_processes_take_no_task():
    with opened(workers=2) as engine:
        pass
    with pytest.raises(RuntimeError, match="are stopped"):
        engine.executor.submit(small_tasks.double, 1)


def test_left_early_workers_end_and_take_away_what_is_half_done(tmp_path):
    mark = tmp_path / "mark"
    with contextlib.suppress(ZeroDivisionError), opened(workers=2) as engine:
        future = engine.executor.submit(small_tasks.sleep_beside, str(mark))
        pid = int(wait_until(lambda: mark.exists() and mark.read_text()))
        raise ZeroDivisionError
    assert isinstance(future.exception(), WorkerDiedError)
    assert str(future.exception()) == "This task was given up: its processes were stopped."
    assert not is_alive(pid)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("workers", "error", "message"),
    [
        (0, ArgumentError, "from 1 on; it is 0"),
        (-1, ArgumentError, "from 1 on; it is -1"),
        ("2", ArgumentTypeError, "'2' is str"),
        (1.5, ArgumentTypeError, "1.5 is float"),
    ],
)
def test_workers_are_a_number_of_processes(workers, error, message):
    with pytest.raises(error, match=message), opened(workers=workers):
        pass


# --- other programs around it ---------------------------------------------------------------

SETUP = """
import sys
import small_tasks
from regioncast.executors import each_done, opened
"""


def start(script, *arguments):
    program = "\n".join([SETUP, textwrap.dedent(script)])
    path = [str(Path(small_tasks.__file__).parent), os.environ.get("PYTHONPATH")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    folder = Path(arguments[0])
    (folder / "script.py").write_text(program)
    return subprocess.Popen(
        [sys.executable, "-P", folder / "script.py", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


SLEEP = """
with opened(workers=2) as engine:
    marks = [f"{sys.argv[1]}/{number}.mark" for number in range(50)]
    for _ in each_done(engine.executor, small_tasks.sleep_beside, marks):
        pass
"""


def pids_at_work(folder):
    texts = [path.read_text() for path in folder.glob("*.mark")]
    return [int(text) for text in texts if text] if len(texts) == 2 and all(texts) else []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, number):
    program = start(SLEEP, tmp_path)
    pids = wait_until(lambda: pids_at_work(tmp_path))
    program.send_signal(number)
    _, complaints = program.communicate(timeout=60)
    assert program.returncode == -number
    wait_until(lambda: not any(map(is_alive, pids)), seconds=20)
    assert not list(tmp_path.glob("*.mark"))
    # Of one process alone, the one that is interrupted.
    assert complaints.count("Traceback") == (number == signal.SIGINT)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_interrupt_from_the_keyboard_goes_to_workers_too_and_is_not_their_business(tmp_path):
    program = start(SLEEP, tmp_path)
    pids = wait_until(lambda: pids_at_work(tmp_path))
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    assert pids_at_work(tmp_path) == pids
    program.send_signal(signal.SIGINT)
    _, complaints = program.communicate(timeout=60)
    assert complaints.count("KeyboardInterrupt") == 1
    assert not any(map(is_alive, pids))


def test_an_engine_that_is_never_closed_holds_up_nothing(tmp_path):
    program = start(
        """
        context = opened(workers=2)
        engine = context.__enter__()
        future = engine.executor.submit(small_tasks.double, 4)
        print(future.result())
        engine.executor.submit(small_tasks.nap, 600)
        """,
        tmp_path,
    )
    told, complaints = program.communicate(timeout=60)
    assert (told, complaints, program.returncode) == ("8\n", "", 0)


def test_a_script_needs_no_guard(tmp_path):
    """Its processes do not import it, as those of multiprocessing do."""
    program = start(
        """
        print("once")
        with opened(workers=2) as engine:
            done = each_done(engine.executor, small_tasks.double, [1, 2])
            print(sorted(future.result() for _, future in done))
        """,
        tmp_path,
    )
    told, complaints = program.communicate(timeout=60)
    assert (told, complaints) == ("once\n[2, 4]\n", "")


# --- clusters -------------------------------------------------------------------------------


def test_a_cluster_tells_how_many_workers_it_has(cluster):
    with opened(scheduler=cluster.scheduler_address) as engine:
        assert (engine.n_workers, engine.n_jobs) == (2, 1)
        pids = set(outcomes(engine.executor, small_tasks.nap, [0.3, 0.31, 0.32, 0.33]).values())
    assert len(pids) == 2
    assert all(map(is_alive, pids))  # they are not ours to end


def test_a_worker_of_a_cluster_that_is_killed_costs_nothing(cluster, tmp_path):
    marks = [str(tmp_path / name) for name in "abcdef"]
    with opened(scheduler=cluster.scheduler_address) as engine:
        assert outcomes(engine.executor, small_tasks.die_once, marks[:1]) == {marks[0]: "a"}
        assert outcomes(engine.executor, small_tasks.double, range(20))[19] == 38


def test_a_task_that_kills_workers_of_a_cluster_fails_alone(cluster, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    with opened(scheduler=cluster.scheduler_address) as engine:
        done = outcomes(engine.executor, small_tasks.die_if_odd, [2, 3, 4])
    assert (done[2], done[4]) == (4, 8)
    assert type(done[3]) is WorkerDiedError
    assert "Use fewer workers, or more memory" in str(done[3])


def test_the_same_task_twice_is_done_twice(cluster):
    with opened(scheduler=cluster.scheduler_address) as engine:
        futures = [engine.executor.submit(time.monotonic_ns) for _ in range(3)]
        assert len({future.result() for future in futures}) == 3


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9"])
def test_where_no_scheduler_answers_it_is_said(address, monkeypatch):
    monkeypatch.setattr("regioncast.executors._ANSWERS_WITHIN", 1)
    with (
        pytest.raises(SchedulerError, match=f"No Dask scheduler answers at '{address}'"),
        opened(scheduler=address),
    ):
        pass


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "regioncast 0.1, as here, .*; 1 of 3 do not: tcp://b has none. Install it there"),
        ("0.2", "1 of 3 do not: tcp://b 0.2"),
    ],
)
def test_a_cluster_with_another_regioncast_is_refused(cluster, monkeypatch, version, message):
    here, there = ({"packages": {"regioncast": each}} for each in ("0.1", version))
    versions = {"client": here, "scheduler": here, "workers": {"tcp://a": here, "tcp://b": there}}
    monkeypatch.setattr("distributed.Client.get_versions", lambda client, packages: versions)
    with (
        pytest.raises(SchedulerError, match=message),
        opened(scheduler=cluster.scheduler_address),
    ):
        pass


def test_a_cluster_has_its_own_workers():
    with (
        pytest.raises(ArgumentError, match="Say one of the two"),
        opened(workers=2, scheduler="tcp://127.0.0.1:9"),
    ):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingPackageError, match=r"regioncast\[scale\]"),
        opened(scheduler="tcp://127.0.0.1:9"),
    ):
        pass
