"""The workspace guard: another workspace than expected, and a workspace of another customer."""

import pytest

from onboarding.documents import Connection
from onboarding.services.connections.records import ConsoleSearch
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock

_TEST = "T0ACMETEST"


def rows_of(site: Site) -> tuple[Connection, ...]:
    return site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).rows


def installed(site: Site) -> set[str]:
    return {one.workspace_id for one in site.slack.installations()}


@pytest.fixture
def asked(site: Site, visitor: BrowserClient) -> Page:
    """Connect Bea to Acme HQ, start again and allow Acme Test."""
    visitor.connects(site.link())
    page = visitor.connects(site.link(), workspace=_TEST)
    assert (page.outcome, page.status) == ("wrong_workspace", 200)
    return page


def test_nothing_is_replaced_before_the_person_confirms(site: Site, visitor: BrowserClient, asked: Page) -> None:
    assert "Acme HQ is still the one in use" in asked.text
    assert [row.workspace_name for row in rows_of(site)] == ["Acme HQ"]
    assert visitor.opens(asked.url).outcome == "wrong_workspace"


def test_no_page_says_that_a_connected_customer_is_not_connected(
    site: Site, visitor: BrowserClient, asked: Page
) -> None:
    """The words for screen readers beside the icons included."""
    declined = visitor.presses(asked, "do-not-connect")
    canceled = visitor.presses(visitor.presses(visitor.opens(site.link()), "connect"), "cancel")
    assert (declined.outcome, canceled.outcome) == ("cancelled", "cancelled")
    for page in (asked, declined, canceled, visitor.opens("/slack/oauth_redirect")):
        assert "connected with Slack" not in page.text, page.url


def test_replacing_keeps_the_connection_and_its_identifier(site: Site, visitor: BrowserClient, asked: Page) -> None:
    before = rows_of(site)[0].identifier
    page = visitor.presses(asked, "replace")
    assert (page.outcome, page.heading) == ("reconnected", "Acme Test is connected")
    assert "replaced Acme HQ" in page.text
    assert [(row.identifier, row.workspace_name) for row in rows_of(site)] == [(before, "Acme Test")]
    assert visitor.presses(asked, "replace").heading == page.heading


def test_choosing_again_uninstalls_the_app_and_presets_the_workspace(
    site: Site, visitor: BrowserClient, asked: Page
) -> None:
    assert installed(site) == {"T0ACMEHQ01", _TEST}
    consent = visitor.presses(asked, "choose-again")
    assert installed(site) == {"T0ACMEHQ01"}
    preset = [one.get("value") for one in consent.root.iter("input") if "checked" in one.attrib]
    assert preset == ["T0ACMEHQ01"]
    assert visitor.allows(consent).outcome == "reconnected"
    assert visitor.opens(asked.url).outcome == "cancelled"


def test_choosing_again_keeps_a_workspace_that_another_connection_uses(site: Site, visitor: BrowserClient) -> None:
    with BrowserClient(site) as other:
        other.connects(site.link(subscriber_id="cy"), workspace=_TEST)
    visitor.connects(site.link())
    page = visitor.connects(site.link(), workspace=_TEST)
    visitor.presses(page, "choose-again")
    assert installed(site) == {"T0ACMEHQ01", _TEST}
    assert site.slack.calls("auth.revoke") == []


def test_an_unanswered_question_expires_after_ten_minutes(
    site: Site, visitor: BrowserClient, clock: Clock, asked: Page
) -> None:
    clock.forward(minutes=10)
    page = visitor.presses(asked, "replace")
    assert page.outcome == "state_expired"
    assert installed(site) == {"T0ACMEHQ01"}
    assert [row.workspace_name for row in rows_of(site)] == ["Acme HQ"]


def test_another_browser_cannot_answer_the_question(site: Site, asked: Page) -> None:
    with BrowserClient(site) as other:
        assert other.opens(asked.url).outcome == "other_browser"
        token = other.opens(site.link()).csrf_token
        for verb in ("replace", "choose-again"):
            answer = other.asks("POST", f"{asked.url}/{verb}", data={"csrf_token": token})
            assert answer.status_code == 404
    assert [row.workspace_name for row in rows_of(site)] == ["Acme HQ"]
    assert installed(site) == {"T0ACMEHQ01", _TEST}


def test_a_link_for_one_workspace_asks_when_another_answers(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", mode="subscriber", workspace_id="T0ACMEHQ01")
    page = visitor.connects(link, workspace=_TEST)
    assert page.outcome == "wrong_workspace"
    assert rows_of(site) == ()
    assert visitor.allows(visitor.presses(page, "choose-again")).heading == "Acme HQ is connected"


def test_a_workspace_of_another_customer_is_refused_under_the_refuse_policy(site: Site, visitor: BrowserClient) -> None:
    site.add_practice_app("strict", "Strict", "Development", workspace_policy="refuse")
    with BrowserClient(site) as other:
        other.connects(site.link("strict", subscriber_id="ada"))
    page = visitor.connects(site.link("strict", subscriber_id="bea"))
    assert (page.outcome, page.status) == ("workspace_taken", 409)
    assert "ada" not in page.text
    assert site.slack.calls("auth.revoke") == [], "the other customer goes on"
    assert [row.subscriber_id for row in rows_of(site)] == ["ada"]
    again = visitor.allows(visitor.presses(page, "try-again"), workspace=_TEST)
    assert again.heading == "Acme Test is connected"


def test_the_default_policy_lets_two_customers_share_a_workspace(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link(subscriber_id="ada"))
    assert visitor.connects(site.link(subscriber_id="bea")).outcome == "connected"
    assert len(rows_of(site)) == 2


def test_an_operator_who_names_a_connected_customer_is_asked_too(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    visitor.connects(site.link())
    setup = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"), workspace=_TEST)
    page = operator.presses(setup, "save", connection_mode="subscriber", subscriber_id="bea")
    assert page.outcome == "wrong_workspace"
    assert [row.workspace_name for row in rows_of(site)] == ["Acme HQ"]
    consent = operator.presses(page, "choose-again")
    assert installed(site) == {"T0ACMEHQ01"}
    setup = operator.allows(consent)
    assert operator.presses(setup, "save", connection_mode="subscriber", subscriber_id="bea").outcome == "reconnected"


def test_reconnecting_with_a_used_link_allows_choosing_again(site: Site, visitor: BrowserClient) -> None:
    declined = visitor.connects(site.link(), scenario="partial_permissions")
    assert declined.outcome == "partial_permissions"
    page = visitor.allows(visitor.presses(declined, "try-again"), workspace=_TEST)
    assert page.outcome == "wrong_workspace"
    consent = visitor.presses(page, "choose-again")
    assert visitor.allows(consent).outcome == "reconnected"
    assert [row.workspace_name for row in rows_of(site)] == ["Acme HQ"]


def test_declining_both_workspaces_ends_the_install(site: Site, visitor: BrowserClient, asked: Page) -> None:
    assert visitor.presses(asked, "do-not-connect").outcome == "cancelled"
    assert (installed(site), [row.workspace_name for row in rows_of(site)]) == ({"T0ACMEHQ01"}, ["Acme HQ"])
