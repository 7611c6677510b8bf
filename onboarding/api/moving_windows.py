"""Moving windows of requests in the memory of this process, as a storage for `limits`.

`limits.storage.MemoryStorage` starts a thread about every ten milliseconds to remove old requests, which is a fifth of
the processor time of a short request. Here each request removes the old ones.
https://limits.readthedocs.io/en/stable/custom-storage.html
"""

from collections import OrderedDict, deque
from threading import Lock

from limits.storage import MovingWindowSupport, Storage

from onboarding import clock


class MovingWindows(Storage, MovingWindowSupport):
    """Times of the requests of each key, for the moving window strategy. All keys must have windows of one length."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        #: Oldest request first. The key without a request for the longest time comes first.
        self._requests: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = clock.now().timestamp()
        with self._lock:
            self._remove_keys(now - expiry)
            requests = self._current(key, now - expiry)
            if len(requests) + amount > limit:
                return False
            requests.extend([now] * amount)
            self._requests[key] = requests
            self._requests.move_to_end(key)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002  # the parameters of `limits`
        now = clock.now().timestamp()
        with self._lock:
            requests = self._current(key, now - expiry)
            return (requests[0], len(requests)) if requests else (now, 0)

    def _remove_keys(self, start: float) -> None:
        """Remove the keys without a request since `start`."""
        while self._requests:
            key, requests = next(iter(self._requests.items()))
            if requests and requests[-1] >= start:
                return
            del self._requests[key]

    def _current(self, key: str, start: float) -> deque[float]:
        """Return the key's requests since `start`, and remove the older ones."""
        requests = self._requests.get(key, deque())
        while requests and requests[0] < start:
            requests.popleft()
        return requests

    def clear(self, key: str) -> None:
        with self._lock:
            self._requests.pop(key, None)

    def reset(self) -> int:
        with self._lock:
            count = len(self._requests)
            self._requests.clear()
            return count

    def check(self) -> bool:
        return True

    # `Storage` demands these three. Only other strategies call them, which would count nothing here.
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("Only moving windows are stored.")

    def get(self, key: str) -> int:
        raise NotImplementedError("Only moving windows are stored.")

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError("Only moving windows are stored.")
