"""The persons in the tests, who use the product through HTTP as a browser does."""

from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import httpx
from flask import Flask

from onboarding.addresses import page_origin
from onboarding.callers import SHELL, Actor, ActorKind, ApiCaller, CallerEnvironment
from onboarding.identity import OfferedContext
from onboarding.runtime import Runtime
from onboarding.services.api_keys import SCOPES, NewApiKey
from onboarding.services.integrations.records import IntegrationChange, NewIntegration
from onboarding.services.links.records import NewLink
from onboarding.settings import Settings
from tests import contract
from tests.plain_http import NO_CERTIFICATES


def client_of(site: "Site", **options: Any) -> httpx.Client:
    return httpx.Client(base_url=site.settings.origin, timeout=30, trust_env=False, verify=NO_CERTIFICATES, **options)


@dataclass(frozen=True)
class Site:
    """A running product."""

    settings: Settings
    runtime: Runtime
    app: Flask
    #: State of the practice Slack: `fails`, `calls`, `answers_slowly`, `drops_connection`, `reset`.
    slack: Any

    def caller(self) -> ApiCaller:
        """Return an API caller with every scope, who needs no stored key."""
        first = self.runtime.environments.first()
        environment = CallerEnvironment(first.id, first.name, creates_subscribers=True)
        return ApiCaller(environment, Actor(ActorKind.API_KEY, "key_test"), frozenset(SCOPES))

    def link(self, integration: str = "slack-practice", **fixed: Any) -> str:
        """Return a link's address; for the subscriber `bea` unless the arguments say otherwise.

        The origins of its addresses are allowed.
        """
        for address in filter(None, (fixed.get("return_url"), fixed.get("refresh_url"))):
            self.allow_origin(page_origin(address), integration)
        terms = fixed or {"subscriber_id": "bea", "mode": "subscriber"}
        if offered := terms.pop("offered_context_keys", ()):
            terms["offered_contexts"] = tuple(map(OfferedContext.of_key, offered))
        new = NewLink(integration=integration, environment="Development", **terms)
        return self.runtime.links.create(new, SHELL).url

    def allow_origin(self, origin: str, integration: str = "slack-practice", environment: str = "Development") -> None:
        self.change_integration(integration, environment, add_origins=(origin,))

    def change_integration(self, integration: str, environment: str = "Development", **changes: Any) -> None:
        found = self.runtime.environments.named(environment)
        self.runtime.integrations.change(found.id, integration, IntegrationChange(**changes), SHELL)

    def revoke_link(self, url: str) -> bool:
        """Revoke a link by its address."""
        return self.runtime.links.revoke(self.runtime.links.read(url.rpartition("/")[2]), SHELL)

    def sign_in_url(self, email: str, role: str | None = None) -> str:
        """Invite an operator and return the one-time address."""
        return self.runtime.operators.invite(email, SHELL, role).url

    def add_environment(self, name: str) -> None:
        self.runtime.environments.add(name, SHELL)

    def set_unknown_subscribers(self, environment: str, policy: str) -> None:
        self.runtime.environments.set_unknown_subscribers(environment, policy, SHELL)

    def add_practice_app(
        self, identifier: str, name: str, environment: str = "Development", workspace_policy: str = "allow"
    ) -> None:
        new = NewIntegration.for_practice(identifier, name, environment, workspace_policy)
        self.runtime.integrations.add(new, SHELL)

    def api_key(
        self,
        name: str,
        environment: str = "Development",
        scopes: tuple[str, ...] = (),
        lifetime: timedelta | None = None,
    ) -> str:
        """Create a key and return it."""
        return self.runtime.api_keys.create(NewApiKey(name, environment, scopes, lifetime), SHELL).key


@dataclass(frozen=True)
class Page:
    """Page as a browser shows it: its address, the response, and the parsed document."""

    url: str
    status: int
    text: str
    root: Element
    headers: httpx.Headers

    @property
    def main(self) -> Element:
        found = self.root.find(".//main")
        assert found is not None, self.text[:500]
        return found

    @property
    def name(self) -> str | None:
        return self.main.get("data-page")

    @property
    def outcome(self) -> str | None:
        return self.main.get("data-outcome")

    @property
    def csrf_token(self) -> str:
        """Return the token that every form of the page sends. Raises StopIteration if it has no form that needs one."""
        return next(one.get("value", "") for one in self.root.iter("input") if one.get("name") == "csrf_token")

    @property
    def heading(self) -> str:
        found = self.root.find(".//h1")
        return " ".join("".join(found.itertext()).split()) if found is not None else ""

    @property
    def words(self) -> str:
        """Return the text of the main part without markup and line breaks."""
        return " ".join("".join(self.main.itertext()).split())

    @property
    def hrefs(self) -> list[str]:
        return [link.get("href", "") for link in self.main.iter("a")]

    def link(self, rel: str) -> str:
        """Return the address of the first link with this `rel`."""
        return next(one.get("href", "") for one in self.main.iter("a") if one.get("rel") == rel)

    def form_of(self, action: str) -> Element:
        """Return the form whose button has the hook `data-action`."""
        for form in self.root.iter("form"):
            if any(one.get("data-action") == action for one in form.iter("button")):
                return form
        raise AssertionError(f"no form with data-action={action} on {self.url}: {self.text[:300]}")


class BrowserClient:
    """A browser: follows redirects, keeps cookies, and checks every page of ours against tests/contract.py."""

    def __init__(self, site: Site, **options: Any) -> None:
        """Args: options: those of the HTTP client, such as `headers`."""
        self.site = site
        self._client = client_of(site, follow_redirects=True, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._client.close()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def opens(self, address: str) -> Page:
        return self._page(self._client.get(address))

    def asks(self, method: str, address: str, **given: Any) -> httpx.Response:
        """Send one request and follow no redirect."""
        return self._client.request(method, address, follow_redirects=False, **given)

    def presses(self, page: Page, action: str, **filled: str) -> Page:
        """Fill in and send the form whose button has `data-action`, with every field of the page."""
        form = page.form_of(action)
        button = next(one for one in form.iter("button") if one.get("data-action") == action)
        values = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if _counts(one)}
        if button.get("name"):
            values[button.get("name", "")] = button.get("value", "")
        target = urljoin(page.url, form.get("action") or page.url)
        return self._page(self._client.post(target, data={**values, **filled}))

    def signs_in(self, email: str) -> Page:
        """Sign in and return the console's first page."""
        return self._page(self._client.get(self.enters(email)))

    def enters(self, email: str) -> str:
        """Sign in and return the address to which the product redirects, without opening it."""
        address = self.site.sign_in_url(email)
        answer = self.asks("POST", address, data={"csrf_token": self.opens(address).csrf_token})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def connects(self, link: str, workspace: str = "", scenario: str = "") -> Page:
        """Walk from a link's start page through the practice Slack's consent to the page that follows."""
        return self.allows(self.presses(self.opens(link), "connect"), workspace, scenario)

    def allows(self, consent: Page, workspace: str = "", scenario: str = "") -> Page:
        assert consent.name == "practice-consent", consent.text[:500]
        filled = {"workspace": workspace} if workspace else {}
        return self.presses(consent, "allow", **filled, **({"scenario": scenario} if scenario else {}))

    def _page(self, answer: httpx.Response) -> Page:
        # The practice Slack is below the product, or a server of its own.
        is_ours = not any(part in str(answer.url) for part in ("/practice/", "/oauth/v2/authorize"))
        root = contract.check(answer) if is_ours else contract.parse(answer.text)
        return Page(str(answer.url), answer.status_code, answer.text, root, answer.headers)


def _counts(field: Element) -> bool:
    """Return whether a browser would send this field as it stands."""
    if field.get("type") in ("radio", "checkbox"):
        return "checked" in field.attrib
    return bool(field.get("name")) and field.get("type") != "submit"
