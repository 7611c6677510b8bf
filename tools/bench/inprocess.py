"""Requests without a server: one app in its own process, called through WSGI, to measure processor time per request.

The first line of standard input names the app and how to sign in; each further line names an operation and a duration.
Each line is answered by one line.
"""

import io
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

import app as product
from tools.bench import lean, naive
from tools.bench.signin import Answer

_WARM_UP = 15
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Called:
    """Result of a round of calls. Times in milliseconds."""

    #: Number of calls, including the warm-up.
    asked: int
    cpu_milliseconds: float
    milliseconds: list[float]
    body: str


def main() -> None:
    made = {"ours": lambda: product.app, "naive": naive.create_app, "lean": lean.create_app}[sys.argv[1]]()
    caller = Caller(made.wsgi_app)
    for line in sys.stdin:
        asked = json.loads(line)
        if "operation" in asked:
            given = asdict(caller.round(asked["operation"], asked["headers"], asked["seconds"]))
        else:
            given = asdict(caller.ask(asked["method"], asked["target"], asked["headers"], asked["body"]))
        print(json.dumps(given), flush=True)


class Caller:
    def __init__(self, wsgi: Wsgi) -> None:
        self._wsgi = wsgi
        self._number = int(time.time() * 1000)
        self._chance = random.Random(7)  # noqa: S311  # spreads the load, guards nothing

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Answer:
        status, given, text = self._call(_environ(method, target, headers), body.encode())
        return Answer(status, tuple(value for name, value in given if name.lower() == "set-cookie"), text.decode())

    def round(self, operation: dict[str, Any], headers: dict[str, str], seconds: float) -> Called:
        """Call the app until the time is over. Raises RuntimeError for an unexpected response."""
        prepared = [_environ(operation["method"], target, headers) for target in operation["targets"]]
        warm_up = [prepared] * _WARM_UP
        if operation["is_noted"]:
            warm_up += [[one] for one in prepared]
        for some in warm_up:
            self._one(operation, some)
        taken: list[float] = []
        answer = b""
        cpu, begin = time.process_time(), time.perf_counter()
        now = begin
        while now - begin < seconds:
            answer = self._one(operation, prepared)
            before, now = now, time.perf_counter()
            taken.append((now - before) * 1000)
        return Called(
            len(taken) + len(warm_up), (time.process_time() - cpu) * 1000 / len(taken), taken, answer.decode()
        )

    def _one(self, operation: dict[str, Any], prepared: list[dict[str, Any]]) -> bytes:
        self._number += 1
        body = (operation["body"] or "").replace("{n}", str(self._number)).encode()
        status, _, answer = self._call(self._chance.choice(prepared), body)
        if status != operation["expected"]:
            raise RuntimeError(f"{operation['name']} was answered with {status}: {answer[:300]!r}")
        return answer

    def _call(self, prepared: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        started: list[Any] = []
        environ = {**prepared, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        parts = self._wsgi(environ, lambda status, headers, _fault=None: started.extend((status, headers)))
        answer = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
        return int(started[0][:3]), started[1], answer


def _environ(method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    path, _, query = target.partition("?")
    given = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    given["CONTENT_TYPE"] = given.pop("HTTP_CONTENT_TYPE", "")
    return {
        **given,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


if __name__ == "__main__":
    main()
