"""Hold chosen calls to the practice Slack: before Slack has done its work, or while the answer is on its way."""

import threading
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from onboarding.practice import PracticeSlack

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Hold:
    """The next call of `method` by the Slack app `client_id` waits for `let_go`."""

    client_id: str
    method: str
    #: Slack has done its work, and its answer does not arrive.
    after: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)
    #: The caller has died: Slack does nothing for it.
    is_dropped: bool = False

    def let_go(self) -> None:
        self._released.set()

    def wait(self) -> None:
        self.arrived.set()
        self._released.wait(60)


@dataclass(frozen=True)
class Refresh:
    """A call that spent a refresh token."""

    client_id: str
    refresh_token: str = field(repr=False)


class Gate:
    """A layer around the practice Slack's app."""

    def __init__(self, app: Wsgi, state: PracticeSlack) -> None:
        self._app, self._state = app, state
        self._lock = threading.Lock()
        self._holds: list[Hold] = []
        self._used: list[Hold] = []
        #: Every refresh that Slack has worked on, in order.
        self.refreshes: list[Refresh] = []

    def hold(self, client_id: str, method: str, after: bool = False) -> Hold:
        ordered = Hold(client_id, method, after)
        with self._lock:
            self._holds.append(ordered)
        return ordered

    def drop_all(self) -> None:
        """Let all calls go that are held or would be; Slack works on none of them."""
        with self._lock:
            for one in (*self._holds, *self._used):
                one.is_dropped = True
                one.let_go()
            self._holds.clear()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        client_id = sent.get("client_id") or self._owner(environ.get("HTTP_AUTHORIZATION", ""))
        held = self._taken(client_id, environ["PATH_INFO"].rpartition("/")[2])
        if held is not None and not held.after:
            held.wait()
            if held.is_dropped:
                start("503 Service Unavailable", [("Content-Length", "0")])
                return ()
        if "refresh_token" in sent:
            with self._lock:
                self.refreshes.append(Refresh(client_id, sent["refresh_token"]))
        answer = list(self._app(environ, start))
        if held is not None and held.after:
            held.wait()
        return answer

    def _taken(self, client_id: str, method: str) -> Hold | None:
        with self._lock:
            found = next((one for one in self._holds if (one.client_id, one.method) == (client_id, method)), None)
            if found is not None:
                self._holds.remove(found)
                self._used.append(found)
            return found

    def _owner(self, authorization: str) -> str:
        """Return the client id of the app that sends this header: its id and secret, or a token."""
        kind, _, value = authorization.partition(" ")
        if kind == "Basic":
            return b64decode(value).decode().partition(":")[0]
        with self._state.reading() as ledger:
            token = ledger.tokens.get(value)
            return token.client_id if token else ""
