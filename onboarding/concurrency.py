"""Limit how many requests of one process run at the same time.

A web process has many threads, because an install waits for Slack for seconds and occupies one of them. Threads that
run Python code compete for one interpreter lock: the more of them run, the slower all become. So only a few requests
run at a time, in order of arrival, and a request releases its slot while it waits for Slack or for SQLite's write lock.
"""

import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

#: Threads of one web process.
THREADS = 64
#: Requests that run at a time. While one of them uses the interpreter, the others wait for the disk or the database.
MAX_RUNNING = 3
#: A request that waits longer runs without a slot. A database that stopped answering must not block requests that do
#: not need it.
_MAX_WAIT_SECONDS = 1.0


class FairSemaphore:
    """A semaphore that serves waiting threads in order of arrival."""

    def __init__(self, value: int) -> None:
        self._free = value
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Return whether the semaphore was acquired within `timeout` seconds. With 0, do not wait."""
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            if not timeout:
                return False
            waiter = threading.Lock()
            waiter.acquire()
            self._waiting.append(waiter)
        return waiter.acquire(timeout=timeout) or not self._stop_waiting(waiter)

    def release(self) -> None:
        """Hand the semaphore to the thread that has waited longest, or free it if none waits."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def _stop_waiting(self, waiter: threading.Lock) -> bool:
        """Stop waiting. Return False if the semaphore was handed over after the timeout."""
        with self._guard:
            if waiter not in self._waiting:
                return False
            self._waiting.remove(waiter)
            return True


_slots = FairSemaphore(MAX_RUNNING)
_thread = threading.local()


class RequestSlots:
    """WSGI middleware: run each request in a slot, except those to one of the `exempt` paths."""

    def __init__(self, app: Any, exempt: Collection[str] = ()) -> None:
        self._app, self._exempt = app, frozenset(exempt)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with nullcontext() if environ.get("PATH_INFO") in self._exempt else request_slot():
            response: Iterable[bytes] = self._app(environ, start_response)
        return response


@contextmanager
def request_slot() -> Iterator[None]:
    """Wait for a slot and hold it."""
    _thread.has_slot = _slots.acquire(_MAX_WAIT_SECONDS)
    try:
        yield
    finally:
        _release()


@contextmanager
def slot_released(*, wait_again: bool = True) -> Iterator[None]:
    """Release this thread's slot while it waits for something else. Does nothing in a thread without a slot.

    `wait_again=False` is for a thread that now holds a lock for which others wait: if no slot is free, it runs without
    one.
    """
    if not _release():
        yield
        return
    try:
        yield
    finally:
        _thread.has_slot = _slots.acquire(_MAX_WAIT_SECONDS if wait_again else 0)


def _release() -> bool:
    """Release this thread's slot and return whether it had one."""
    had: bool = getattr(_thread, "has_slot", False)
    if had:
        _thread.has_slot = False
        _slots.release()
    return had
