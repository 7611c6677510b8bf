"""A third-party client: bolt-python's OAuthFlow installs against the practice Slack, over real sockets."""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, request
from slack_bolt.adapter.flask.handler import to_bolt_request, to_flask_response
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import FileInstallationStore, Installation
from slack_sdk.oauth.state_store import FileOAuthStateStore

from onboarding.practice import PracticeApp, PracticeSlack, create_practice
from tests.practice.conftest import ROOT
from tests.practice.walk import ACME, GROUP
from tests.serving import served


def fetch(url: str, form: str | None = None, **headers: str) -> tuple[int, HTTPMessage, str]:
    """Send one request; the person follows redirects."""
    asked = urlsplit(url)
    connection = HTTPConnection(asked.netloc, timeout=10)
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    with closing(connection):
        connection.request("GET" if form is None else "POST", f"{asked.path}?{asked.query}", form, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


@dataclass
class Bolt:
    """Bolt's app, and a person who walks through its install."""

    url: str
    store: FileInstallationStore

    def person_installs(self, form: str) -> tuple[int, str]:
        status, headers, _ = fetch(f"{self.url}/slack/install")
        assert status == 302
        # The cookie is marked Secure; a browser uses https, or treats loopback as secure.
        cookie = headers["Set-Cookie"].partition(";")[0]
        status, headers, page = fetch(headers["Location"], form)
        assert status == 302, page
        status, _, page = fetch(headers["Location"], Cookie=cookie)
        return status, page

    def installation(self, **of: str | bool | None) -> Installation | None:
        return self.store.find_installation(**of)  # type: ignore[arg-type]  # Ids and one flag, named by each test.


@pytest.fixture
def practice_bolt(tmp_path: Path) -> Iterator[Bolt]:
    flows: list[OAuthFlow] = []
    app = Flask("bolt")

    @app.get("/slack/install")
    def install() -> Response:
        return to_flask_response(flows[0].handle_installation(to_bolt_request(request)))

    @app.get("/slack/oauth_redirect")
    def callback() -> Response:
        return to_flask_response(flows[0].handle_callback(to_bolt_request(request)))

    with served(app) as url:
        registered = PracticeApp("77.88", ("bolt-secret",), "signing", "Bolt", (f"{url}/slack/oauth_redirect",))
        state = PracticeSlack(apps={"77.88": registered}.get)
        practice = create_practice(state, ROOT / "templates", ROOT / "static")
        with served(practice) as slack_url:
            bolt = Bolt(url, FileInstallationStore(base_dir=str(tmp_path), client_id="77.88"))
            flows.append(flow(bolt, slack_url, tmp_path))
            yield bolt


def flow(bolt: Bolt, slack_url: str, folder: Path) -> OAuthFlow:
    quiet = logging.getLogger("tests.bolt")
    settings = OAuthSettings(
        client_id="77.88",
        client_secret="bolt-secret",
        scopes=["chat:write", "channels:read"],
        user_scopes=[],
        redirect_uri=f"{bolt.url}/slack/oauth_redirect",
        authorization_url=f"{slack_url}/oauth/v2/authorize",
        install_page_rendering_enabled=False,
        installation_store=bolt.store,
        state_store=FileOAuthStateStore(expiration_seconds=600, base_dir=str(folder / "states")),
    )
    return OAuthFlow(client=WebClient(base_url=f"{slack_url}/api/"), settings=settings, logger=quiet)


def test_bolt_installs_a_workspace(practice_bolt: Bolt) -> None:
    status, page = practice_bolt.person_installs(f"workspace={ACME}&action=allow")
    assert (status, "Thank you!" in page) == (200, True)
    found = practice_bolt.installation(enterprise_id=None, team_id=ACME)
    assert found is not None
    assert found.bot_token is not None
    assert found.bot_token.startswith("xoxb-")
    assert (found.team_name, found.bot_scopes) == ("Acme HQ", ["chat:write", "channels:read"])
    assert found.bot_id is not None
    assert found.bot_id.startswith("B")


def test_bolt_installs_an_organization(practice_bolt: Bolt) -> None:
    status, _ = practice_bolt.person_installs(f"workspace={GROUP}&action=allow")
    assert status == 200
    found = practice_bolt.installation(enterprise_id=GROUP, team_id=None, is_enterprise_install=True)
    assert found is not None
    assert found.is_enterprise_install
    assert found.enterprise_url == "https://meridian.enterprise.slack.com/"


def test_bolt_stores_a_rotating_token(practice_bolt: Bolt) -> None:
    practice_bolt.person_installs(f"workspace={ACME}&action=allow&scenario=rotation")
    found = practice_bolt.installation(enterprise_id=None, team_id=ACME)
    assert found is not None
    assert found.bot_refresh_token is not None
    assert found.bot_refresh_token.startswith("xoxe-1-")
    assert found.bot_token_expires_at is not None


@pytest.mark.parametrize(
    ("form", "status", "reason"),
    [
        ("action=cancel", 200, "access_denied"),
        ("action=allow&scenario=invalid_code", 401, "invalid_code"),
        ("action=allow&scenario=bad_client_secret", 401, "invalid_code"),
        ("action=allow&scenario=state_altered", 400, "invalid_browser"),
        ("action=allow&scenario=code_missing", 401, "missing_code"),
    ],
)
def test_bolt_reads_slacks_errors(practice_bolt: Bolt, form: str, status: int, reason: str) -> None:
    answered, page = practice_bolt.person_installs(f"workspace={ACME}&{form}")
    assert answered == status
    assert reason in page
    assert practice_bolt.installation(enterprise_id=None, team_id=ACME) is None
