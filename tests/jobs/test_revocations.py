"""Access that Slack has not revoked yet stays stored, encrypted, and Slack is asked again until it has answered."""

import pytest
from sqlalchemy import text

from onboarding.services.connections.records import ConsoleSearch
from tests.api.conftest import Program
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock
from tests.dump import readable

_OFFERED = ("team:a", "team:b")
HEADQUARTERS, OTHER = "T0ACMEHQ01", "T0ACMETEST"


def connected(visitor: BrowserClient, site: Site, scenario: str = "normal") -> str:
    assert visitor.connects(site.link(), scenario=scenario).outcome == "connected"
    (row,) = site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).rows
    return row.identifier


def disconnects(operator: BrowserClient, identifier: str) -> Page:
    return operator.presses(operator.opens(f"/connections/{identifier}/disconnect"), "confirm-disconnect")


def asks_again(site: Site) -> None:
    list(site.runtime.revocations.revoke_due())


def results(site: Site, action: str = "connection.disconnected") -> list[str | None]:
    return [one.result for one in entries(site.runtime.database) if one.action == action]


def stored(site: Site) -> int:
    with site.runtime.database.reading() as session:
        return int(session.execute(text("SELECT count(*) FROM revocations")).scalar_one())


@pytest.mark.parametrize(
    "case",
    [
        *(
            ("normal", "auth.revoke", one)
            for one in ("reset", "status_500", "html_502", "ratelimited", "internal_error")
        ),
        *(("rotation", "apps.uninstall", one) for one in ("reset", "ratelimited")),
    ],
)
def test_slack_is_asked_again_after_a_passing_fault(
    case: tuple[str, str, str], site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    scenario, method, fault = case
    identifier = connected(visitor, site, scenario)
    site.slack.fails(method, fault, times=2)
    page = disconnects(operator, identifier)
    assert "Disconnected here. Slack has not confirmed yet." in page.text
    with site.slack.reading() as ledger:
        assert readable(site.runtime.database, {*ledger.tokens, *ledger.refresh_tokens}) == []
    asks_again(site)
    assert len(site.slack.calls(method)) == 1, "not at once"
    clock.forward(seconds=31)
    asks_again(site)
    assert (results(site), len(site.slack.installations())) == (["pending"], 1)
    clock.forward(seconds=62)
    asks_again(site)
    assert (results(site), site.slack.installations(), stored(site)) == (["revoked"], [], 0)
    assert "Access was removed in Slack." in operator.opens(page.url).text
    clock.forward(hours=1)
    asks_again(site)
    assert len(site.slack.calls(method)) == 3


def test_slack_is_not_asked_before_the_time_that_it_has_named(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    identifier = connected(visitor, site)
    site.slack.fails("auth.revoke", "ratelimited", retry_after=300)
    disconnects(operator, identifier)
    clock.forward(seconds=299)
    asks_again(site)
    assert len(site.slack.calls("auth.revoke")) == 1
    clock.forward(seconds=2)
    asks_again(site)
    assert results(site) == ["revoked"]


def test_slack_is_asked_for_a_day(site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock) -> None:
    identifier = connected(visitor, site)
    site.slack.fails("auth.revoke", "status_500", times=1000)
    page = disconnects(operator, identifier)
    for _ in range(25 * 6):
        clock.forward(minutes=10)
        asks_again(site)
    assert (results(site), stored(site)) == (["not_confirmed"], 0)
    assert 24 < len(site.slack.calls("auth.revoke")) < 40
    operator.signs_in("ada@northwind.test")
    assert "Slack did not confirm; remove the app in Slack to be sure." in operator.opens(page.url).text


def test_refusal_ends_it(site: Site, visitor: BrowserClient, operator: BrowserClient) -> None:
    identifier = connected(visitor, site)
    site.slack.fails("auth.revoke", "missing_scope")
    page = disconnects(operator, identifier)
    assert "Slack did not confirm; remove the app in Slack to be sure." in page.text
    assert stored(site) == 0


def test_workspace_that_was_connected_again_keeps_the_app(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    identifier = connected(visitor, site)
    site.slack.fails("auth.revoke", "status_500")
    disconnects(operator, identifier)
    connected(visitor, site)
    clock.forward(seconds=61)
    asks_again(site)
    assert (results(site), len(site.slack.installations()), stored(site)) == (["kept"], 1, 0)
    assert len(site.slack.calls("auth.revoke")) == 1


def test_token_that_expires_in_the_meantime_is_refreshed_once(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    identifier = connected(visitor, site, "rotation")
    site.slack.fails("apps.uninstall", "status_500", times=2)
    disconnects(operator, identifier)
    clock.forward(hours=13)
    site.slack.moves_clock(13 * 3600)
    asks_again(site)
    assert results(site) == ["pending"]
    clock.forward(hours=1)
    site.slack.moves_clock(3600)
    asks_again(site)
    assert (results(site), site.slack.installations()) == (["revoked"], [])
    assert len(site.slack.calls("oauth.v2.access")) == 2, "the code and one refresh"


def test_grant_of_an_install_that_ended_is_revoked_after_a_passing_fault(
    site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    page = visitor.connects(site.link(offered_context_keys=_OFFERED))
    clock.forward(minutes=10)
    site.slack.fails("auth.revoke", "status_500")
    assert visitor.opens(page.url).outcome == "state_expired"
    assert (results(site, "grant.dropped"), len(site.slack.installations())) == ([], 1)
    clock.forward(seconds=31)
    asks_again(site)
    assert (results(site, "grant.dropped"), site.slack.installations(), stored(site)) == (["revoked"], [], 0)


def test_integration_stays_until_its_access_is_revoked(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    identifier = connected(visitor, site)
    site.slack.fails("auth.revoke", "status_500")
    disconnects(operator, identifier)
    page = operator.presses(operator.opens("/integrations/slack-practice/remove"), "confirm-remove-integration")
    assert "Slack has not confirmed yet" in page.text
    clock.forward(seconds=31)
    asks_again(site)
    assert site.slack.installations() == []


def test_delete_through_the_api_revokes_after_a_passing_fault(site: Site, clock: Clock) -> None:
    program = Program(site, site.api_key("program", "Development"))
    with BrowserClient(site) as person:
        identifier = connected(person, site)
    site.slack.fails("auth.revoke", "reset")
    assert program.asks("DELETE", f"/v1/channel-connections/{identifier}?revoke=true").status_code == 204
    clock.forward(seconds=31)
    asks_again(site)
    assert (results(site), site.slack.installations()) == (["revoked"], [])


def moves_to_the_other_workspace(visitor: BrowserClient, site: Site) -> None:
    """Connect Acme HQ, and then replace it."""
    assert visitor.connects(site.link(), workspace=HEADQUARTERS).outcome == "connected"
    question = visitor.connects(site.link(), workspace=OTHER)
    assert visitor.presses(question, "replace").outcome == "reconnected"
    assert workspaces_with_the_app(site) == {HEADQUARTERS, OTHER}


def workspaces_with_the_app(site: Site) -> set[str]:
    return {one.workspace_id for one in site.slack.installations()}


def test_access_to_a_replaced_workspace_is_revoked(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    moves_to_the_other_workspace(visitor, site)
    assert results(site, "installation.erased") == ["pending"]
    with site.slack.reading() as ledger:
        replaced = {key for key, token in ledger.tokens.items() if token.workspace_id == HEADQUARTERS}
        assert len(replaced) == 1
        assert readable(site.runtime.database, replaced) == []
    clock.forward(seconds=61)
    asks_again(site)
    assert (results(site, "installation.erased"), stored(site)) == (["revoked"], 0)
    assert workspaces_with_the_app(site) == {OTHER}


def test_replaced_workspace_of_another_customer_keeps_the_app(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    with BrowserClient(site) as other:
        assert other.connects(site.link(subscriber_id="cy"), workspace=HEADQUARTERS).outcome == "connected"
    moves_to_the_other_workspace(visitor, site)
    clock.forward(hours=25)
    asks_again(site)
    assert (results(site, "installation.erased"), stored(site)) == ([], 0)
    assert workspaces_with_the_app(site) == {HEADQUARTERS, OTHER}


def test_replaced_workspace_that_is_connected_again_keeps_the_app(
    site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    moves_to_the_other_workspace(visitor, site)
    with BrowserClient(site) as other:
        assert other.connects(site.link(subscriber_id="cy"), workspace=HEADQUARTERS).outcome == "connected"
    clock.forward(seconds=61)
    asks_again(site)
    assert (results(site, "installation.erased"), site.slack.calls("auth.revoke")) == (["kept"], [])


@pytest.mark.parametrize(
    ("workspace", "result"), [(HEADQUARTERS, "kept"), ("TELSEWHERE", "revoked")], ids=["same", "another"]
)
def test_access_of_an_install_is_revoked_when_a_program_replaces_its_token(
    workspace: str, result: str, site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    identifier = connected(visitor, site)
    program = Program(site, site.api_key("program", "Development"))
    sent = {"workspace": {"id": workspace}, "auth": {"accessToken": "token-of-the-program"}}
    assert program.asks("PATCH", f"/v1/channel-connections/{identifier}", sent).status_code == 200
    clock.forward(seconds=61)
    asks_again(site)
    assert results(site, "installation.erased") == [result]
    assert workspaces_with_the_app(site) == ({HEADQUARTERS} if result == "kept" else set())


def test_access_that_cannot_be_decrypted_is_erased_and_named(site: Site, visitor: BrowserClient) -> None:
    assert visitor.connects(site.link(), workspace=HEADQUARTERS).outcome == "connected"
    with site.runtime.database.transaction() as session:
        session.execute(text("UPDATE installations SET access_token = 'damaged'"))
    question = visitor.connects(site.link(), workspace=OTHER)
    assert visitor.presses(question, "replace").outcome == "reconnected"
    assert (results(site, "installation.erased"), stored(site)) == (["not_confirmed"], 0)


def test_stored_access_that_cannot_be_decrypted_is_erased_and_named(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    identifier = connected(visitor, site)
    site.slack.fails("auth.revoke", "status_500")
    page = disconnects(operator, identifier)
    with site.runtime.database.transaction() as session:
        session.execute(text("UPDATE revocations SET access = 'damaged'"))
    clock.forward(seconds=31)
    asks_again(site)
    assert (results(site), stored(site)) == (["not_confirmed"], 0)
    assert "Slack did not confirm; remove the app in Slack to be sure." in operator.opens(page.url).text
