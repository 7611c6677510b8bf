"""Pages of another site, as a host serves them: on another origin, with nothing of ours but what a test names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request

from tests.browser_client import Site, client_of
from tests.ports import free_port
from tests.serving import served

#: Records each event of the page, and of the pages that this tab showed before.
_RECORDER = """
const earlier = JSON.parse(sessionStorage.getItem("events") ?? "[]");
window.events = earlier;
for (const type of ["connected", "cancelled", "failed", "statechange"])
  addEventListener(type, ({ target, detail }) => {
    events.push({ type, id: target.id, ...detail });
    sessionStorage.setItem("events", JSON.stringify(events));
  });
"""
_PAGE = """<!doctype html>
<html lang="{lang}">
<head><meta charset="utf-8"><title>Shop</title><meta name="color-scheme" content="light dark"><script src="/recorder.js"></script>{head}</head>
<body><main><h1>Notifications</h1>{body}<p id="below">The rest of the page.</p></main></body>
</html>"""


@dataclass
class HostSite:
    """A site with a page at `/` and an address that creates connect sessions at `/slack-session`."""

    product: Site
    origin: str
    #: The members of `POST /v1/connect-sessions` for the next session.
    terms: dict[str, Any] = field(default_factory=dict)
    #: Status of `/slack-session`, if it creates no session.
    refusal: int | None = None
    body: str = ""
    head: str = ""
    lang: str = "en"
    headers: dict[str, str] = field(default_factory=dict)
    #: Scripts of the host's own, below `/files/`, by their names.
    files: dict[str, str] = field(default_factory=dict)
    #: The sessions that were created.
    sessions: list[dict[str, Any]] = field(default_factory=list)
    #: The headers of each request for a session.
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def script(self) -> str:
        """Return the line that loads our script."""
        return f'<script src="{self.product.settings.origin}/embed/v1/connect.js"></script>'

    def shows(self, body: str, head: str | None = None, lang: str = "en", **headers: str) -> str:
        """Set the page that the site shows, and return its address."""
        self.body, self.head, self.lang, self.headers = body, self.script if head is None else head, lang, headers
        return f"{self.origin}/"

    def create_session(self, **terms: Any) -> dict[str, Any]:
        """Create a connect session with an API key, as a host's server does."""
        body = {"integrationIdentifier": "slack-practice", "subscriberId": "bea", **self.terms, **terms}
        headers = {"Authorization": f"ApiKey {self._key}"}
        with client_of(self.product, headers=headers) as api:
            created = api.post("/v1/connect-sessions", json=body)
        assert created.status_code == 201, created.text
        session: dict[str, Any] = created.json()
        self.sessions.append(session)
        return session

    def revoke_session(self) -> None:
        """Revoke the newest session."""
        with client_of(self.product, headers={"Authorization": f"ApiKey {self._key}"}) as api:
            assert api.delete(f"/v1/connect-sessions/{self.sessions[-1]['id']}").status_code == 204

    def loses_access(self) -> None:
        """Let the customer's admin remove the app in Slack, and let the product notice."""
        with client_of(self.product, headers={"Authorization": f"ApiKey {self._key}"}) as api:
            connection = api.get(f"/v1/connect-sessions/{self.sessions[-1]['id']}").json()["connection"]
        environment = self.product.runtime.environments.first()
        app = self.product.runtime.integrations.all_of(environment.id)[0]
        assert self.product.slack.removes_app(app.client_id, "T0ACMEHQ01")
        self.product.runtime.connections.verify(environment.id, connection["identifier"])

    def forget(self) -> None:
        """Return to the state of a new site, for the next test."""
        self.terms, self.refusal, self.sessions, self.asked = {}, None, [], []

    @property
    def _key(self) -> str:
        if not hasattr(self, "_made"):
            self._made = self.product.api_key("The host's server", scopes=("links:write",))
        return self._made


@contextmanager
def serving(product: Site, *, is_allowed: bool = True) -> Iterator[HostSite]:
    """Serve a host's site, on another host name than the product's: for a browser it is another site."""
    port = free_port()
    host = HostSite(product, f"http://localhost:{port}")
    if is_allowed:
        product.allow_origin(host.origin)
    with served(_app(host), port):
        yield host


def _app(host: HostSite) -> Flask:
    app = Flask("host")

    @app.get("/")
    def page() -> Response:
        text = _PAGE.format(lang=host.lang, head=host.head, body=host.body)
        return Response(text, headers=host.headers, mimetype="text/html")

    @app.get("/recorder.js")
    def recorder() -> Response:
        return Response(_RECORDER, mimetype="text/javascript")

    @app.get("/files/<name>")
    def file(name: str) -> Response:
        return Response(host.files[name], mimetype="text/javascript")

    @app.post("/slack-session")
    def session() -> tuple[Response, int]:
        host.asked.append(dict(request.headers))
        if host.refusal is not None:
            return jsonify(error="signed out"), host.refusal
        return jsonify(host.create_session()), 200

    return app
