"""The two that run against each other: how each gets a filled database, is served and lets us in.

As a command it prepares one of them and prints it as JSON: fills go on beside each other.
"""

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path

from cryptography.fernet import Fernet

from onboarding import runtime, settings
from onboarding.cli.setup import set_up
from onboarding.services.environments import FIRST
from tools.bench import filling, naive, signin
from tools.bench.signin import Answer, Ask
from tools.bench.spread import INTEGRATIONS
from tools.bench.stores import Store

_PROGRAMS = Path(sys.executable).parent
_WORKERS = "2"
#: Requests a second of one key: counted as ever, and never reached.
_NO_LIMIT = "1000000"
_OPERATOR = "ada@northwind.example"


@dataclass(frozen=True)
class Contestant:
    """`ours` or `naive`, with a database of its own that is set up and filled."""

    name: str
    store: str
    rows: int
    database_url: str
    surroundings: dict[str, str]
    api_key: str
    #: The naive app's operator signs in with it as often as wanted; ours gives a link each time.
    sign_in_token: str = ""

    def server(self, port: int) -> list[str]:
        if self.name == "ours":
            return [str(_PROGRAMS / "flask"), "--app", "app", "web", "--workers", _WORKERS]
        return [
            *(str(_PROGRAMS / "gunicorn"), "--workers", _WORKERS, "--worker-class", "gthread", "--threads", "8"),
            *("--no-control-socket", "--bind", f"127.0.0.1:{port}", "tools.bench.naive:create_app()"),
        ]

    def headers(self, ask: Ask) -> tuple[dict[str, str], dict[str, str]]:
        """What a program sends, and what an operator's browser does, who signs in for it."""
        program = {"Authorization": f"ApiKey {self.api_key}", "Content-Type": "application/json"}
        if self.name == "naive":
            return program, {"Cookie": signin.cookie_of_the_naive(ask, self.sign_in_token)}
        with _opened(self.surroundings) as built:
            link = built.operators.invite(_OPERATOR).url
        return program, {"Cookie": signin.cookie_of_ours(ask, "/" + link.split("/", 3)[3])}


def main() -> None:
    name, store, folder, rows = sys.argv[1:]
    prepare = _ours if name == "ours" else _naive
    print(json.dumps(asdict(prepare(Store(store, Path(folder)), int(rows)))))


def ask_over_http(port: int) -> Ask:
    def ask(method: str, target: str, headers: Mapping[str, str], body: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(method, target, body or None, dict(headers))
        answer = connection.getresponse()
        cookies = tuple(answer.headers.get_all("Set-Cookie") or ())
        given = Answer(answer.status, cookies, answer.read().decode())
        connection.close()
        return given

    return ask


def _ours(store: Store, rows: int) -> Contestant:
    """Set up by its own services, as its commands do it."""
    url = store.new_database(f"ours-{rows}")
    surroundings = {
        **_surroundings(url, store),
        "PRACTICE": "off",
        "INSTANCE": str(store.folder),
        "API_RATE_LIMIT": _NO_LIMIT,
    }
    with _opened(surroundings) as built:
        set_up(built)
        for identifier in INTEGRATIONS:
            credentials = (f"client-of-{identifier}", secrets.token_hex(16), None)
            built.integrations.add(identifier, *credentials, ("chat:write",), identifier, FIRST)
        key = built.api_keys.create("bench", FIRST, (), None).key
        filling.fill_ours(built.settings, rows)
    store.tend(url)
    return Contestant("ours", store.name, rows, url, surroundings, key)


def _naive(store: Store, rows: int) -> Contestant:
    url = store.new_database(f"naive-{rows}")
    surroundings = _surroundings(url.replace("postgresql://", "postgresql+psycopg://"), store)
    key, token = filling.fill_naive(naive.create_app(surroundings), rows)
    store.tend(url)
    return Contestant("naive", store.name, rows, url, surroundings, key, token)


def _surroundings(url: str, store: Store) -> dict[str, str]:
    """Nothing of the caller's settings: they would change what is measured."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(store.folder),
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(32),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }


@contextmanager
def _opened(surroundings: Mapping[str, str]) -> Iterator[runtime.Runtime]:
    built = runtime.build(settings.from_environ(surroundings))
    yield built
    built.database.close()


if __name__ == "__main__":
    main()
