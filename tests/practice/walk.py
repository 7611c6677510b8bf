"""A person at the consent page, and the app that exchanges the code."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from werkzeug.test import TestResponse

from onboarding.practice import PracticeApp, PracticeSlack

ACME, ACME_TEST, HARBOR = "T0ACMEHQ01", "T0ACMETEST", "T0HARBORLG"
DESIGN, GROUP = "T0MERIDESN", "E0MERIDIAN"


@dataclass
class Slack:
    """The practice Slack for tests: the person over WSGI, the app with slack_sdk over a real socket."""

    app: Flask
    registered: PracticeApp
    url: str
    scopes: str = "chat:write,channels:read"

    @property
    def slack(self) -> PracticeSlack:
        slack: PracticeSlack = self.app.extensions["practice_state"]
        return slack

    @property
    def redirect_uri(self) -> str:
        return self.registered.redirect_urls[0]

    def ask(self, **changes: str | None) -> dict[str, str]:
        """Return the query of the authorize address; None leaves a parameter out."""
        query: dict[str, str | None] = {
            "client_id": self.registered.client_id,
            "scope": self.scopes,
            "redirect_uri": self.redirect_uri,
            "state": "state-of-this-attempt",
            **changes,
        }
        return {name: value for name, value in query.items() if value is not None}

    def get(self, path: str, **headers: str) -> TestResponse:
        with self.app.test_client() as client:
            return client.get(path, headers=headers, buffered=True)

    def sees_consent(self, **changes: str | None) -> TestResponse:
        return self.get(f"/oauth/v2/authorize?{urlencode(self.ask(**changes))}")

    def presses(
        self, action: str, workspace: str = ACME, scenario: str = "normal", **changes: str | None
    ) -> TestResponse:
        form = {"workspace": workspace, "scenario": scenario, "action": action}
        with self.app.test_client() as client:
            return client.post(f"/oauth/v2/authorize?{urlencode(self.ask(**changes))}", data=form)

    def allows(self, workspace: str = ACME, scenario: str = "normal", **changes: str | None) -> str:
        """Press Allow and return the code."""
        return brought_back(self.presses("allow", workspace, scenario, **changes))["code"]

    def client(self, token: str | None = None, timeout: int = 10) -> WebClient:
        return WebClient(token=token, base_url=f"{self.url}/api/", timeout=timeout, retry_handlers=[])

    def exchanges(self, code: str, **changes: str | None) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "client_id": self.registered.client_id,
            "client_secret": self.registered.client_secrets[0],
            "redirect_uri": self.redirect_uri,
            "code": code,
            **changes,
        }
        return body(self.client().oauth_v2_access(**sent))

    def installs(self, workspace: str = ACME, scenario: str = "normal", **changes: str | None) -> dict[str, Any]:
        return self.exchanges(self.allows(workspace, scenario, **changes))

    def refreshes(self, refresh_token: str) -> dict[str, Any]:
        answer = self.client().oauth_v2_access(
            client_id=self.registered.client_id,
            client_secret=self.registered.client_secrets[0],
            grant_type="refresh_token",
            refresh_token=refresh_token,
        )
        return body(answer)

    def says_about(self, token: str) -> str:
        """Return `ok`, or Slack's error code, for a call of `auth.test` with the token."""
        try:
            self.client(token).auth_test()
        except SlackApiError as problem:
            return str(problem.response["error"])
        return "ok"


def body(answer: Any) -> dict[str, Any]:
    assert isinstance(answer.data, dict)
    return answer.data


def brought_back(answer: TestResponse) -> dict[str, str]:
    """Return the parameters of the redirect."""
    assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(answer.headers["Location"]).query, keep_blank_values=True, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}


def error_of(problem: SlackApiError) -> str:
    return str(problem.response["error"])
