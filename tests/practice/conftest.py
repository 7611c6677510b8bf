"""A practice Slack on a loopback port, for one invented app, and a person who walks through its consent page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from onboarding.practice import PracticeApp, PracticeSlack, create_practice
from tests import chromium
from tests.practice.walk import Slack
from tests.serving import served

ROOT = Path(__file__).parents[2]

APP = PracticeApp(
    client_id="4242.1717",
    client_secrets=("newer-secret", "older-secret"),
    signing_secret="signing-secret-of-the-practice-app",
    name="Northwind Notices",
    redirect_urls=("http://127.0.0.1:9/slack/oauth_redirect", "https://connect.northwind.example/back?kept=1"),
)
OTHER_APP = PracticeApp("4242.2828", ("secret-of-the-other",), "signing", "Contoso Chat", ("https://contoso.example/",))
APPS = {app.client_id: app for app in (APP, OTHER_APP)}


def make_slack(url: str = "", **more: object) -> Slack:
    state = PracticeSlack(apps=APPS.get, **more)  # type: ignore[arg-type]  # Each test names real arguments.
    app = create_practice(state, ROOT / "templates", ROOT / "static")
    return Slack(app, APP, url)


@pytest.fixture(scope="session")
def practice_server() -> Iterator[Slack]:
    """One server for all tests; use `practice_slack`, which empties it first."""
    slack = make_slack()
    with served(slack.app) as url:
        slack.url = url
        yield slack


@pytest.fixture
def practice_slack(practice_server: Slack) -> Iterator[Slack]:
    practice_server.slack.reset()
    yield practice_server
    practice_server.slack.reset()


@pytest.fixture(scope="module")
def practice_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()
