"""Where a page leads back to: the product that sent the link, and the connection in the console."""

from datetime import timedelta

from onboarding.callers import SHELL
from onboarding.services.links.records import NewLink
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock

_BACK = "https://host.example/settings/slack"


def test_an_expired_link_offers_a_new_one_and_names_its_time(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    link = site.link(subscriber_id="bea", return_url=_BACK, lifetime=timedelta(minutes=5))
    clock.forward(minutes=6)
    page = visitor.opens(link)
    assert page.outcome == "link_expired"
    assert any(href.startswith(f"{_BACK}?outcome={page.outcome}&session=lnk_") for href in page.hrefs)
    assert "Get a new link" in page.text
    assert "It worked until" in page.text


def test_a_revoked_link_offers_a_new_one(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", return_url=_BACK)
    site.revoke_link(link)
    page = visitor.opens(link)
    assert page.outcome == "link_revoked"
    assert any(href.startswith(f"{_BACK}?outcome={page.outcome}&session=lnk_") for href in page.hrefs)
    assert "Get a new link" in page.text


def test_a_link_used_in_another_browser_leads_back(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", return_url=_BACK)
    with BrowserClient(site) as other:
        other.connects(link)
    page = visitor.opens(link)
    assert page.outcome == "link_used"
    assert any(href.startswith(f"{_BACK}?outcome={page.outcome}&session=lnk_") for href in page.hrefs)


def test_an_install_of_another_environment_opens_its_own_connection(site: Site, operator: BrowserClient) -> None:
    """Both environments have a connection of the same identity, and may have one of the same identifier."""
    site.add_environment("Production")
    site.add_practice_app("other-app", "Other", "Production")
    first = operator.connects(site.link())
    assert any(href.startswith("/connections/") for href in first.hrefs)
    for outcome in ("connected", "reconnected"):
        other = operator.connects(_link_of(site, "Production", "other-app"))
        assert other.outcome == outcome
        assert all("environment=Production" in href for href in other.hrefs if href.startswith("/connections"))
    start = operator.opens(_link_of(site, "Production", "other-app"))
    assert start.outcome == "already_connected"
    assert all("environment=Production" in href for href in start.hrefs if href.startswith("/connections"))
    mine = operator.opens(site.link())
    assert mine.outcome == "already_connected"
    assert any(href.startswith("/connections/") for href in mine.hrefs)


def _link_of(site: Site, environment: str, integration: str) -> str:
    new = NewLink(integration=integration, environment=environment, subscriber_id="bea", mode="subscriber")
    return site.runtime.links.create(new, SHELL).url
