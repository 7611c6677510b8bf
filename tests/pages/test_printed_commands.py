"""Commands that pages print: a reader can paste them, so they name the port of this server."""

import pytest

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from tests.browser_client import BrowserClient, Page, Site

pytestmark = pytest.mark.once


def _are_for_this_server(page: Page, site: Site) -> None:
    shown = ["".join(one.itertext()) for one in page.root.iter("code")]
    commands = [line for text in shown for line in text.splitlines() if "onboarding " in line]
    assert commands, page.url
    assert all(f"PORT={site.settings.port} " in line for line in commands), commands


def test_commands_of_practice_mode_name_the_port(site: Site, visitor: BrowserClient) -> None:
    for page in (visitor.opens("/"), visitor.opens("/docs")):
        _are_for_this_server(page, site)


def test_commands_after_practice_mode_name_the_port(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    real = NewIntegration("acme", "Acme", "Development", client_id="1.1", client_secret="s")
    site.runtime.integrations.add(real, SHELL)
    for page in (visitor.opens("/"), operator.opens("/playground")):
        _are_for_this_server(page, site)
