"""Faults that a test asks for: a Web API method fails before it does its work, or loses its answer afterwards."""

from collections import defaultdict, deque
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Literal

#: Any other kind is returned as a Slack error code: `{"ok": false, "error": …}`.
SPECIAL_FAULTS = ("status_500", "html_502", "html_200", "hang", "reset", "ratelimited")

#: An upper limit, so that a typing error cannot block a server thread for a day.
MAX_HANG_SECONDS = 120.0


@dataclass(frozen=True)
class Fault:
    """`kind`: one of SPECIAL_FAULTS or a Slack error code. With `after`, the method does its work first."""

    kind: str
    times: int = 1
    seconds: float = 15.0
    retry_after: int = 5
    moment: Literal["before", "after"] = "before"


class Faults:
    """The faults that wait for each method, used in order of arrival. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queued: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._released = Event()
        self._hanging = 0

    @property
    def hanging(self) -> int:
        """Return how many calls are hanging now."""
        with self._lock:
            return self._hanging

    def add(self, method: str, fault: Fault) -> None:
        with self._lock:
            self._queued[method].append(fault)

    def take(self, method: str) -> Fault | None:
        with self._lock:
            queue = self._queued.get(method)
            if not queue:
                return None
            fault = queue.popleft()
            if fault.times > 1:
                queue.appendleft(replace(fault, times=fault.times - 1))
            return fault

    def hang(self, fault: Fault) -> None:
        """Block the calling thread, without holding a lock, until the time is over or `clear` is called."""
        with self._lock:
            released = self._released
            self._hanging += 1
        try:
            released.wait(min(fault.seconds, MAX_HANG_SECONDS))
        finally:
            with self._lock:
                self._hanging -= 1

    def clear(self) -> None:
        with self._lock:
            self._queued.clear()
            self._released.set()
            self._released = Event()
