"""The database fails after Slack's grant: the grant is revoked where possible, and the page says whether it was."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from onboarding.services.connections.records import ConsoleSearch
from tests import full_disk
from tests.browser_client import BrowserClient, Page, Site

_RETURNED = "The access that you approved in Slack was revoked again."
_LEFT = "The app may still be installed in Slack"


def is_storage_error(page: Page, said: str) -> None:
    assert (page.outcome, page.status) == ("storage_error", 500)
    assert "Nothing was connected" in page.text
    assert (_RETURNED in page.text, _LEFT in page.text) == (said == _RETURNED, said == _LEFT)
    assert "code=" not in page.url


def test_grant_that_could_not_be_stored_is_revoked(site: Site, visitor: BrowserClient) -> None:
    full_disk.where(site, "INSERT ON installations")
    page = visitor.connects(site.link())
    is_storage_error(page, _RETURNED)
    assert site.slack.installations() == []
    is_storage_error(visitor.opens(page.url), _RETURNED)


def test_grant_that_could_not_be_stored_for_the_set_up_page_is_revoked(site: Site, visitor: BrowserClient) -> None:
    full_disk.where(site, "UPDATE ON attempts", "NEW.stage = 'waiting'")
    is_storage_error(visitor.connects(site.link(offered_context_keys=("team:a", "team:b"))), _RETURNED)
    assert site.slack.installations() == []


def test_grant_is_revoked_after_a_fault_that_nobody_foresaw(site: Site, visitor: BrowserClient) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    with site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE channel_connections RENAME COLUMN bot_user_id TO bot"))
    page = visitor.allows(consent)
    assert (page.outcome, page.status) == ("storage_error", 500)
    assert "code=" not in page.url
    assert site.slack.installations() == []


def test_grant_is_revoked_after_a_stored_value_that_cannot_be_read(site: Site, visitor: BrowserClient) -> None:
    """On both databases: an error that is none of the database's."""
    visitor.connects(site.link())
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    with site.runtime.database.transaction() as session:
        session.execute(text("UPDATE channel_connections SET status = 'nonsense'"))
    page = visitor.allows(consent, workspace="T0ACMETEST")
    assert (page.outcome, page.status) == ("storage_error", 500)
    assert "code=" not in page.url
    assert [one.workspace_id for one in site.slack.installations()] == ["T0ACMEHQ01"]


def test_workspace_that_a_connection_uses_keeps_the_app(site: Site, visitor: BrowserClient) -> None:
    with BrowserClient(site) as other:
        other.connects(site.link(subscriber_id="ada"))
    full_disk.where(site, "INSERT ON channel_connections")
    is_storage_error(visitor.connects(site.link()), _LEFT)
    assert site.slack.calls("auth.revoke") == []
    assert len(site.slack.installations()) == 1


def test_app_stays_if_its_use_cannot_be_checked(site: Site, visitor: BrowserClient) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    with site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE channel_connections RENAME TO channel_connections_away"))
    is_storage_error(visitor.allows(consent), _LEFT)
    assert site.slack.calls("auth.revoke") == []


def test_page_says_that_slack_did_not_revoke_the_grant(site: Site, visitor: BrowserClient) -> None:
    full_disk.where(site, "INSERT ON installations")
    site.slack.fails("auth.revoke", "status_500")
    is_storage_error(visitor.connects(site.link()), _LEFT)


def test_outcome_that_cannot_be_stored_redirects_to_an_address_without_the_code(
    site: Site, visitor: BrowserClient
) -> None:
    full_disk.where(site, "UPDATE ON attempts", "NEW.stage = 'finished'")
    page = visitor.connects(site.link())
    is_storage_error(page, _RETURNED)
    assert urlsplit(page.url).path.startswith("/slack/not-stored/")
    assert page.main.get("data-reference")
    assert site.slack.installations() == []
    rows = site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).rows
    assert rows == ()


@pytest.mark.parametrize("scenario", ["cancelled", "invalid_code"])
def test_any_other_outcome_that_cannot_be_stored_redirects_too(
    site: Site, visitor: BrowserClient, scenario: str
) -> None:
    full_disk.where(site, "UPDATE ON attempts", "NEW.stage = 'finished'")
    page = visitor.connects(site.link(), scenario=scenario)
    is_storage_error(page, "")
    assert urlsplit(page.url).path.startswith("/slack/not-stored/")


def test_page_of_an_unstored_outcome_needs_no_database(site: Site, visitor: BrowserClient) -> None:
    full_disk.where(site, "UPDATE ON attempts", "NEW.stage = 'finished'")
    address = visitor.connects(site.link()).url.partition("?")[0]
    with site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE environments RENAME TO environments_away"))
        session.execute(text("ALTER TABLE integrations RENAME TO integrations_away"))
        session.execute(text("ALTER TABLE attempts RENAME TO attempts_away"))
    for grant, said in (("?grant=left", _LEFT), ("?grant=revoked", _RETURNED), ("", "")):
        is_storage_error(visitor.opens(f"{address}{grant}"), said)
    with BrowserClient(site) as other:
        assert other.opens(address).outcome == "other_browser"


@pytest.fixture
def unconfirmed_commits(site: Site) -> Iterator[list[str]]:
    """Complete the next commit after the exchange, but lose its confirmation."""
    lost: list[str] = []

    def loses(connection: Connection) -> None:
        if site.slack.calls("oauth.v2.access") and not lost:
            lost.append("commit")
            connection.exec_driver_sql("COMMIT")
            raise OperationalError("COMMIT", {}, Exception("the connection broke"))

    event.listen(site.runtime.database.engine, "commit", loses)
    yield lost
    event.remove(site.runtime.database.engine, "commit", loses)


def test_connection_of_an_unconfirmed_commit_is_not_revoked(
    site: Site, visitor: BrowserClient, unconfirmed_commits: list[str]
) -> None:
    page = visitor.connects(site.link())
    assert (page.name, unconfirmed_commits) == ("finishing", ["commit"])
    assert visitor.opens(page.url).outcome == "replay_ok"
    assert len(site.slack.installations()) == 1


def test_waiting_grant_of_an_unconfirmed_commit_is_not_revoked(
    site: Site, visitor: BrowserClient, unconfirmed_commits: list[str]
) -> None:
    page = visitor.connects(site.link(offered_context_keys=("team:a", "team:b")))
    assert (page.name, unconfirmed_commits) == ("finishing", ["commit"])
    assert visitor.presses(visitor.opens(page.url), "save", offered_context="team:a").outcome == "connected"
    assert site.slack.calls("auth.revoke") == []
