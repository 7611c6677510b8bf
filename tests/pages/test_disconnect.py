"""Disconnecting: a question first, then a page that says what happened at Slack."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from onboarding.kept_keys import generate_key
from onboarding.services.connections.records import ConsoleSearch
from tests import full_disk
from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


def identifiers(site: Site) -> list[str]:
    rows = site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).rows
    return [row.identifier for row in rows]


def connected(site: Site, subscriber: str = "bea") -> str:
    with BrowserClient(site) as person:
        assert person.connects(site.link(subscriber_id=subscriber)).outcome == "connected"
    return identifiers(site)[0]


def disconnects(operator: BrowserClient, identifier: str) -> Page:
    page = operator.presses(operator.opens(f"/connections/{identifier}/disconnect"), "confirm-disconnect")
    assert page.name == "disconnected"
    return page


def test_access_is_revoked_at_slack(site: Site, operator: BrowserClient) -> None:
    identifier = connected(site)
    page = disconnects(operator, identifier)
    assert "Access was removed in Slack." in page.text
    assert site.slack.installations() == []
    assert identifiers(site) == []
    assert operator.opens(f"/connections/{identifier}").status == 404
    assert "Access was removed in Slack." in operator.opens(page.url).text


def test_rotating_token_is_revoked_by_uninstalling_the_app(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    visitor.connects(site.link(), scenario="rotation")
    assert "Access was removed in Slack." in disconnects(operator, identifiers(site)[0]).text
    assert site.slack.installations() == []


def test_page_says_that_slack_had_already_removed_the_access(site: Site, operator: BrowserClient) -> None:
    identifier = connected(site)
    installation = site.slack.installations()[0]
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    assert "Slack had already removed the access." in disconnects(operator, identifier).text
    assert identifiers(site) == []


@pytest.mark.parametrize("fault", ["reset", "status_500", "html_502", "ratelimited", "internal_error"])
def test_page_says_that_slack_has_not_confirmed_yet(fault: str, site: Site, operator: BrowserClient) -> None:
    identifier = connected(site)
    site.slack.fails("auth.revoke", fault)
    page = disconnects(operator, identifier)
    assert "Slack has not confirmed yet." in page.text
    assert identifiers(site) == []


def test_result_that_cannot_be_stored_does_not_undo_the_disconnect(site: Site, operator: BrowserClient) -> None:
    identifier = connected(site)
    full_disk.where(site, "UPDATE ON audit_entries")
    assert "Slack has not confirmed yet." in disconnects(operator, identifier).text
    assert (identifiers(site), site.slack.installations()) == ([], [])


def test_access_that_another_connection_uses_is_kept(site: Site, operator: BrowserClient) -> None:
    first, second = connected(site), connected(site, "cy")
    question = operator.opens(f"/connections/{first}/disconnect")
    assert "One other connection uses" in question.text
    assert "will stop posting" not in question.text
    assert "The app stays in Slack for other connections." in disconnects(operator, first).text
    assert site.slack.calls("auth.revoke") == []
    assert identifiers(site) == [second]
    assert "Access was removed in Slack." in disconnects(operator, second).text


def test_access_that_a_waiting_install_uses_is_kept(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    identifier = connected(site)
    link = site.link(subscriber_id="cy", mode="subscriber", offered_context_keys=("tenant:a", "tenant:b"))
    page = visitor.connects(link)
    assert page.name == "setup"
    assert "The app stays in Slack" in disconnects(operator, identifier).text
    assert visitor.presses(page, "save", offered_context="tenant:a").outcome == "connected"
    assert site.slack.calls("auth.revoke") == []
    disconnects(operator, identifiers(site)[0])
    assert site.slack.installations() == []


def test_question_says_that_another_connection_uses_the_access(site: Site, operator: BrowserClient) -> None:
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("program", "Development"))
    for name in ("one", "two"):
        pair = {"accessToken": "a-long-enough-token", "refreshToken": "single-use"}
        program.creates(identifier=name, subscriberId=name, workspace={"id": f"T-{name}"}, auth=pair)
    assert "One other connection uses" in operator.opens("/connections/one/disconnect").text
    assert "The app stays in Slack for other connections." in disconnects(operator, "one").text


def test_question_changes_nothing_and_a_second_press_gets_404(site: Site, operator: BrowserClient) -> None:
    identifier = connected(site)
    question = operator.opens(f"/connections/{identifier}/disconnect")
    assert identifiers(site) == [identifier]
    operator.presses(question, "confirm-disconnect")
    again = operator.presses(question, "confirm-disconnect")
    assert again.status == 404
    assert len(site.slack.calls("auth.revoke")) == 1


def test_disconnected_identity_can_be_connected_again(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    before = connected(site)
    disconnects(operator, before)
    assert visitor.connects(site.link()).outcome == "connected"
    assert identifiers(site) != [before]


def test_expired_token_is_refreshed_to_revoke_its_installation(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    visitor.connects(site.link(), scenario="rotation")
    clock.forward(hours=13)
    site.slack.moves_clock(13 * 3600)
    operator.signs_in("ada@northwind.test")
    assert "Access was removed in Slack." in disconnects(operator, identifiers(site)[0]).text
    assert site.slack.installations() == []


def test_unexpectedly_expired_token_is_not_reported_as_gone(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    visitor.connects(site.link(), scenario="rotation")
    site.slack.moves_clock(13 * 3600)
    assert (
        "Slack did not confirm; remove the app in Slack to be sure." in disconnects(operator, identifiers(site)[0]).text
    )
    assert len(site.slack.installations()) == 1


def test_token_that_cannot_be_decrypted_is_not_reported_as_in_use(site: Site, start_site: Callable[..., Site]) -> None:
    identifier = connected(site)
    keyless = start_site(encryption_keys=SecretStr(generate_key()))
    with BrowserClient(keyless) as operator:
        operator.signs_in("ada@northwind.test")
        page = disconnects(operator, identifier)
    assert "Slack did not confirm; remove the app in Slack to be sure." in page.text
    assert identifiers(site) == []
