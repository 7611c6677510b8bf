"""A usable token of a connection: valid for some time, refreshed once, stored before it is returned."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from onboarding.errors import NotFound, ReconnectNeeded, SlackDown
from onboarding.services.tokens.sealing import Tokens
from onboarding.services.tokens.source import TokenSource
from onboarding.slack.gateway import Gateway
from onboarding.vault import Vault
from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Site
from tests.conftest import Clock

LIST = "/v1/channel-connections"


class Caller:
    """A job or a service that calls Slack for the newest connection."""

    def __init__(self, site: Site, clock: Clock) -> None:
        settings = site.settings
        practice = f"{settings.origin}/practice", f"http://{settings.own_host}:{settings.port}/practice/api/"
        tokens = Tokens(Vault(settings.vault_keys), settings, practice)
        self._source = TokenSource(site.runtime.database, tokens, Gateway(), clock)
        self._site = site
        self.environment_id = site.runtime.environments.first().id

    def token(self, identifier: str) -> str:
        return self._source.usable(self.environment_id, identifier).access_token

    def stored(self, identifier: str) -> str | None:
        return self._site.runtime.connections.retrieve(self._site.caller(), identifier).access_token

    def status(self, identifier: str) -> str:
        return self._site.runtime.connections.detail(self.environment_id, identifier).connection.status

    def refreshes(self) -> int:
        return len(self._site.slack.calls("oauth.v2.access"))


@pytest.fixture
def caller(site: Site, clock: Clock) -> Caller:
    return Caller(site, clock)


@pytest.fixture
def program(site: Site) -> Program:
    return Program(site, site.api_key("program"))


@pytest.fixture
def rotating(site: Site, visitor: BrowserClient, program: Program) -> str:
    visitor.connects(site.link(), scenario="rotation")
    (identifier,) = program.lists()
    return identifier


def test_token_that_does_not_rotate_is_returned_without_a_call(
    site: Site, visitor: BrowserClient, program: Program, caller: Caller
) -> None:
    visitor.connects(site.link())
    (identifier,) = program.lists()
    calls = len(site.slack.calls())
    assert caller.token(identifier) == caller.stored(identifier)
    assert len(site.slack.calls()) == calls


def test_token_is_refreshed_five_minutes_before_it_expires(rotating: str, caller: Caller, clock: Clock) -> None:
    first, refreshes = caller.token(rotating), caller.refreshes()
    clock.forward(hours=11, minutes=54)
    assert (caller.token(rotating), caller.refreshes()) == (first, refreshes)
    clock.forward(minutes=2)
    second = caller.token(rotating)
    assert second not in (None, first)
    assert (caller.stored(rotating), caller.refreshes()) == (second, refreshes + 1)


def test_many_callers_at_once_get_one_new_token(rotating: str, caller: Caller, clock: Clock) -> None:
    refreshes = caller.refreshes()
    clock.forward(hours=12)
    with ThreadPoolExecutor(10) as threads:
        tokens = set(threads.map(lambda _: caller.token(rotating), range(10)))
    assert tokens == {caller.stored(rotating)}
    assert caller.refreshes() == refreshes + 1


def test_token_that_slack_does_not_renew_is_not_returned(
    site: Site, rotating: str, caller: Caller, clock: Clock
) -> None:
    clock.forward(hours=12)
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    with pytest.raises(ReconnectNeeded, match="Slack no longer accepts the refresh token"):
        caller.token(rotating)
    assert caller.status(rotating) == "needs_reconnect"


@pytest.mark.usefixtures("rotating")
def test_token_of_another_workspace_is_not_returned(site: Site, program: Program, caller: Caller) -> None:
    with site.slack.reading() as ledger:
        (refresh_token,) = ledger.refresh_tokens
    pair = {"accessToken": "unknown-to-slack", "refreshToken": refresh_token}
    program.creates(
        identifier="mistaken", integrationIdentifier="slack-practice", workspace={"id": "TOTHER"}, auth=pair
    )
    with pytest.raises(ReconnectNeeded, match="another workspace: T0ACMEHQ01"):
        caller.token("mistaken")
    assert caller.status("mistaken") == "needs_reconnect"


def test_fault_of_slack_changes_nothing_and_the_next_call_succeeds(
    site: Site, rotating: str, caller: Caller, clock: Clock
) -> None:
    clock.forward(hours=12)
    site.slack.fails("oauth.v2.access", "status_500")
    before = caller.stored(rotating)
    with pytest.raises(SlackDown):
        caller.token(rotating)
    assert (caller.stored(rotating), caller.status(rotating)) == (before, "healthy")
    assert caller.token(rotating) != before


def test_connection_that_does_not_exist_has_no_token(caller: Caller) -> None:
    with pytest.raises(NotFound):
        caller.token("nowhere")
