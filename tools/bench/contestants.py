"""Compared apps: how each gets a database, is served and is signed in to.

As a command, this module prepares one of them and prints it as JSON, so that two databases are filled at the same time.
"""

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http.client import HTTPConnection
from pathlib import Path

from cryptography.fernet import Fernet

from onboarding import runtime, settings
from onboarding.callers import SHELL
from onboarding.cli.setup import set_up
from onboarding.concurrency import THREADS
from onboarding.services.api_keys import NewApiKey
from onboarding.services.environments import FIRST
from onboarding.services.integrations.records import IntegrationChange, NewIntegration
from onboarding.services.links.records import NewLink
from tools.bench import filling, install_bolt, lean, naive, signin
from tools.bench.signin import Answer, Ask
from tools.bench.spread import INTEGRATIONS, ORIGIN
from tools.bench.stores import Store

_PROGRAMS = Path(sys.executable).parent
_WORKERS = "2"
#: Requests per second of one key: counted as usual, and never reached.
_NO_LIMIT = "1000000"
_OPERATOR = "ada@northwind.example"


@dataclass(frozen=True)
class Contestant:
    """An app to compare, `ours`, `naive`, `lean` or `bolt`, with a database of its own that is set up and filled."""

    name: str
    store: str
    rows: int
    database_url: str
    surroundings: dict[str, str]
    api_key: str = ""
    #: The naive app's operator signs in with this as often as needed; ours creates a new link each time.
    sign_in_token: str = ""

    def server(self, port: int) -> list[str]:
        if self.name == "ours":
            return [str(_PROGRAMS / "flask"), "--app", "app", "web", "--workers", _WORKERS]
        if self.name == "bolt":
            return [
                *(str(_PROGRAMS / "granian"), "--interface", "wsgi", "--factory", "--no-ws", "--log-level", "error"),
                *("--workers", _WORKERS, "--blocking-threads", str(THREADS), "--backpressure", str(THREADS * 4)),
                *("--port", str(port), "tools.bench.install_bolt:create_app"),
            ]
        return [
            *(str(_PROGRAMS / "gunicorn"), "--workers", _WORKERS, "--worker-class", "gthread", "--threads", "8"),
            *("--no-control-socket", "--bind", f"127.0.0.1:{port}", f"tools.bench.{self.name}:create_app()"),
        ]

    def headers(self, ask: Ask) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers of an API caller, and those of an operator's browser that has signed in."""
        program = {"Authorization": f"ApiKey {self.api_key}", "Content-Type": "application/json"}
        if self.name == "lean":
            return program, {}
        if self.name == "naive":
            return program, {"Cookie": signin.cookie_of_the_naive(ask, self.sign_in_token)}
        with self.opened() as built:
            link = built.operators.invite(_OPERATOR, SHELL).url
        return program, {"Cookie": signin.cookie_of_ours(ask, path_of(link))}

    def links(self, count: int) -> list[str]:
        """Create links of ours, each for its own subscriber, and return their paths."""
        with self.opened() as built:
            wanted = [
                NewLink(INTEGRATIONS[0], FIRST, subscriber_id=f"customer-{secrets.token_hex(6)}", mode="subscriber")
                for _ in range(count)
            ]
            return [path_of(built.links.create(one, SHELL).url) for one in wanted]

    @contextmanager
    def opened(self) -> Iterator[runtime.Runtime]:
        """Open our services on this database."""
        built = runtime.build(settings.from_environ(self.surroundings))
        yield built
        built.database.close()


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def main() -> None:
    name, store, folder, rows = sys.argv[1:]
    prepare = {"ours": _ours, "naive": _naive, "lean": _lean, "bolt": _bolt}[name]
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
    """Set ours up through its own services, as its commands do."""
    url = store.new_database(f"ours-{rows}")
    surroundings = {
        **_surroundings(store, url),
        "PRACTICE": "off",
        "INSTANCE": str(store.folder),
        "API_RATE_LIMIT": _NO_LIMIT,
    }
    ours = Contestant("ours", store.name, rows, url, surroundings)
    with ours.opened() as built:
        set_up(built)
        for number, identifier in enumerate(INTEGRATIONS):
            client = (f"1.{number}", secrets.token_hex(16))
            new = NewIntegration(identifier, identifier, FIRST, *client, scopes=("chat:write",))
            built.integrations.add(new, SHELL)
            environment_id = built.environments.first().id
            built.integrations.change(environment_id, identifier, IntegrationChange(add_origins=(ORIGIN,)), SHELL)
        key = built.api_keys.create(NewApiKey("bench", FIRST), SHELL).key
        filling.fill_ours(built.settings, rows)
    store.tend(url)
    return replace(ours, api_key=key)


def _naive(store: Store, rows: int) -> Contestant:
    url = store.new_database(f"naive-{rows}")
    surroundings = _surroundings(store, _by_driver(url))
    app = naive.create_app(surroundings)
    with app.app_context():
        key, token = naive.set_up(INTEGRATIONS)
    filling.fill_plain(app, rows)
    store.tend(url)
    return Contestant("naive", store.name, rows, url, surroundings, key, token)


def _lean(store: Store, rows: int) -> Contestant:
    url = store.new_database(f"lean-{rows}")
    surroundings = _surroundings(store, _by_driver(url))
    app = lean.create_app(surroundings)
    with app.app_context():
        lean.set_up(INTEGRATIONS)
    filling.fill_plain(app, rows)
    store.tend(url)
    return Contestant("lean", store.name, rows, url, surroundings)


def _bolt(store: Store, rows: int) -> Contestant:
    """Create Bolt's tables; they stay empty, whatever the number of rows."""
    url = store.new_database("bolt")
    surroundings = _surroundings(store, _by_driver(url))
    install_bolt.set_up(surroundings)
    return Contestant("bolt", store.name, rows, url, surroundings)


def _by_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def _surroundings(store: Store, url: str) -> dict[str, str]:
    """Return an environment without the caller's settings, which would change what is measured."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(store.folder),
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(32),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        # As docs/deploy.md recommends for the service's environment.
        "MALLOC_ARENA_MAX": "2",
    }


if __name__ == "__main__":
    main()
