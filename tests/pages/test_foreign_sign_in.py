"""Sign in with Slack against a foreign OpenID provider at Slack's paths: oidc-provider-mock from PyPI, unmodified."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from tests.browser_client import BrowserClient, Page, Site
from tests.serving import served

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
#: Slack's paths, and those of the package.
PATHS = {
    "/openid/connect/authorize": "/oauth2/authorize",
    "/api/openid.connect.token": "/oauth2/token",
    "/openid/connect/keys": "/jwks",
}
ADA = {"https://slack.com/team_id": "T0NORTHWND", "https://slack.com/user_id": "U0ADA", "name": "Ada Northwind"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of the provider."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    from oidc_provider_mock import app  # It warns about a part of Authlib that it uses.

    inner: Any = app(require_nonce=True)

    def at_slacks_paths(environ: dict[str, Any], start_response: Any) -> Any:
        environ["PATH_INFO"] = PATHS.get(environ["PATH_INFO"], environ["PATH_INFO"])
        return inner(environ, start_response)

    with served(at_slacks_paths) as origin:
        yield origin


def test_listed_person_of_a_foreign_provider_gets_in(provider: str, start_site: Callable[..., Site]) -> None:
    site = start_site(slack_url=provider, practice="off")
    new = NewIntegration("slack-prod", "Northwind", "Development", "12.34", "client-secret")
    site.runtime.integrations.add(new, SHELL)
    site.change_integration("slack-prod", sign_in=True)
    _knows(provider, "U0ADA", ADA)
    _knows(provider, "U0BEA", {"email": "ada@northwind.test"})
    with BrowserClient(site) as person:
        assert _signs_in(person, "U0ADA").main.get("data-reason") == "not-listed"
        site.runtime.operators.add_slack_user("T0NORTHWND/U0ADA", SHELL)
        page = _signs_in(person, "U0ADA")
        assert (page.name, "Ada Northwind" in page.text) == ("connections", True)
    with BrowserClient(site) as other:
        assert _signs_in(other, "U0BEA").main.get("data-reason") == "unproven", "an email address proves nothing"


def _knows(provider: str, sub: str, claims: dict[str, str]) -> None:
    httpx.put(f"{provider}/users/{quote(sub)}", json=claims, trust_env=False).raise_for_status()


def _signs_in(person: BrowserClient, sub: str) -> Page:
    token = person.opens("/sign-in").csrf_token
    started = person.asks("POST", "/sign-in/slack", data={"csrf_token": token})
    allowed = httpx.post(started.headers["Location"], data={"sub": sub}, trust_env=False)
    return person.opens(allowed.headers["Location"])
