"""The work that a module of this folder offers to the worker: workflows that others enqueue, and schedules."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Workflow:
    """Work that web processes, commands and other work enqueue by its name.

    `run` is called with the arguments of the `Work`, in one step. After a crash in the middle, it is called again, so
    two calls must have the same effect as one. It calls one service. Its result is not stored.
    """

    name: str
    run: Callable[..., object]


@dataclass(frozen=True)
class Schedule:
    """Work without arguments that runs regularly, once for all workers. The rules of `Workflow.run` apply."""

    name: str
    #: Six fields, of which the first one is seconds: https://docs.dbos.dev/python/tutorials/scheduled-workflows
    cron: str
    run: Callable[[], object]
