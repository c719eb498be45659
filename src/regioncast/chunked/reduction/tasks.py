"""Who reduces nodes, and how what comes of them is joined."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from ...engine.threads import each_in_turn, threads_of
from ...executors import each_done

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .blocks import Sources

Part = TypeVar("Part")

# Where there are so many nodes, a task has several: a scheduler takes about a millisecond for each.
_NODES_PER_TASK = 8
_MANY_NODES = 1 << 10


class Task(NamedTuple):
    """Some nodes, and what is reduced in them."""

    sources: Sources
    nodes: range


@dataclass(frozen=True, eq=False)
class Side:
    """Who works.

    Parameters
    ----------
    executor : concurrent.futures.Executor, default=None
        Threads of this process when not given.
    n_jobs : int, default=None
        Number of threads.
    tell : callable
        Called with a number of nodes when they are done.
    """

    executor: Executor | None
    n_jobs: int | None
    tell: Callable[[int], None]

    def done(self, work: Callable[[Task], Part], sources: Sources) -> Generator[Part, None, None]:
        """Yield what a function makes of all nodes, some at a time, as they are done."""
        is_sent = self.executor is not None and sources.is_in_memory
        nodes = _shares(sources.blocks.n_nodes, one_by_one=is_sent)
        # As they go out: what is sent of arrays in memory is not to lie there all at once.
        tasks = (Task(sources.in_node(each[0]) if is_sent else sources, each) for each in nodes)
        if self.executor is None:
            n_threads = min(threads_of(self.n_jobs), len(nodes))
            for each, part in zip(nodes, each_in_turn(work, tasks, n_threads), strict=True):
                self.tell(len(each))
                yield part
            return
        for task, future in each_done(self.executor, work, tasks):
            part = future.result()
            self.tell(len(task.nodes))
            yield part


def _shares(n_nodes: int, *, one_by_one: bool) -> list[range]:
    """Divide nodes into tasks, each all that is below some place of the tree."""
    step = _NODES_PER_TASK if n_nodes >= _MANY_NODES and not one_by_one else 1
    return [range(start, min(start + step, n_nodes)) for start in range(0, n_nodes, step)]


class Tree(Generic[Part]):
    """Joins the parts of nodes along a fixed binary tree, in whatever order they come.

    As many parts wait as the tree has levels, and those of tasks that came early.

    Parameters
    ----------
    n_nodes : int
    join : callable
        Returns one part of two that follow one another.
    """

    def __init__(self, n_nodes: int, join: Callable[[Part, Part], Part]) -> None:
        self._n_nodes = n_nodes
        self._join = join
        self._waiting: dict[tuple[int, int], Part] = {}

    def add(self, level: int, number: int, part: Part) -> None:
        """Add the part of a node, on level 0, or of what is above some."""
        while (n_on_level := -(-self._n_nodes // (1 << level))) > 1:
            sibling = number ^ 1
            if sibling < n_on_level:
                other = self._waiting.pop((level, sibling), None)
                if other is None:
                    break
                part = self._join(part, other) if number < sibling else self._join(other, part)
            level, number = level + 1, number // 2
        self._waiting[level, number] = part

    def parts(self) -> list[tuple[int, int, Part]]:
        """Return what is not joined yet, with its level and number there."""
        return [(level, number, part) for (level, number), part in self._waiting.items()]


def along_tree(
    side: Side,
    sources: Sources,
    of_nodes: Callable[[Task], list[tuple[int, int, Part]]],
    join: Callable[[Part, Part], Part],
) -> Part:
    """Return what is joined of all nodes."""
    tree = Tree(sources.blocks.n_nodes, join)
    for parts in side.done(of_nodes, sources):
        for level, number, part in parts:
            tree.add(level, number, part)
    ((_, _, whole),) = tree.parts()
    return whole
