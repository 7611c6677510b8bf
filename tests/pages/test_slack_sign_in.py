"""Operators sign in with Slack, and people who are not listed read why they cannot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from onboarding.practice.openid import SCENARIOS
from onboarding.services.integrations.records import NewIntegration
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock, copied, sites

ACME, TEST, DESIGN = "T0ACMEHQ01", "T0ACMETEST", "T0MERIDESN"
#: Ways in which Slack's answer does not prove who the person is.
UNPROVEN = sorted(set(SCENARIOS) - {"normal", "without_email"})


@dataclass
class Door:
    """A site whose practice app signs operators in. Of the practice Slack's people, Bea of Acme HQ is listed."""

    site: Site
    clock: Clock

    def person(self, team: str) -> str:
        return f"{team}/{self.site.slack.workspaces[team].person.id}"


@pytest.fixture(scope="module")
def door(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder, clock = tmp_path_factory.mktemp("door"), Clock()
    with copied(empty_database, folder) as url, sites(url, folder, clock) as start:
        yield _opened(start(), clock)


@pytest.fixture
def bea(door: Door) -> Iterator[BrowserClient]:
    with BrowserClient(door.site) as person:
        yield person


def test_listed_person_gets_in_and_sees_the_page_they_asked_for(door: Door, bea: BrowserClient) -> None:
    asked = bea.opens("/connections?q=acme")
    assert (asked.status, asked.heading) == (401, "Sign in")
    page = _allows(bea, bea.presses(asked, "sign-in-with-slack"))
    assert (page.name, page.url) == ("connections", f"{door.site.settings.origin}/connections?q=acme")
    assert "Bea Lindqvist" in page.text
    assert "Connect a workspace" in page.text


def test_audit_names_the_person_by_the_ids_that_slack_vouches_for(door: Door, bea: BrowserClient) -> None:
    _signs_in(bea)
    new = bea.opens("/links/new")
    bea.presses(new, "create-link", subscriber_id="bea", mode="", lifetime="7")
    created = [one for one in entries(door.site.runtime.database) if one.action == "link.created"]
    assert created[-1].actor == f"operator:{door.person(ACME)}"


def test_person_without_an_email_address_gets_in(door: Door, bea: BrowserClient) -> None:
    door.site.runtime.operators.add_slack_user(door.person(DESIGN), SHELL, "viewer")
    page = _signs_in(bea, DESIGN, "without_email")
    assert page.name == "connections"
    assert door.person(DESIGN) in page.text
    assert bea.opens("/slack/install").status == 403


def test_person_who_is_not_listed_reads_their_ids_and_who_can_add_them(door: Door, bea: BrowserClient) -> None:
    page = _signs_in(bea, "T0HARBORLG")
    assert (page.status, page.name, page.main.get("data-reason")) == (403, "sign-in-refused", "not-listed")
    assert f"operator add --slack-user {door.person('T0HARBORLG')}" in page.text
    assert bea.opens("/connections").status == 401
    assert bea.opens(page.url).main.get("data-reason") == "not-listed", "the page can be loaded again"


@pytest.mark.parametrize("scenario", UNPROVEN)
def test_answer_that_does_not_prove_the_person_is_refused(scenario: str, bea: BrowserClient) -> None:
    page = _signs_in(bea, ACME, scenario)
    assert (page.status, page.main.get("data-reason")) == (400, "unproven")
    assert bea.opens("/connections").status == 401


def test_cancelling_signs_nobody_in(bea: BrowserClient) -> None:
    page = bea.presses(_begins(bea), "cancel")
    assert (page.status, page.heading) == (200, "You canceled in Slack")
    assert bea.opens("/connections").status == 401


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("status_500", 503, "slack-down"),
        ("html_200", 503, "slack-down"),
        ("reset", 503, "slack-down"),
        ("ratelimited", 503, "slack-down"),
        ("bad_client_secret", 400, "slack-refused"),
        ("invalid_code", 400, "slack-refused"),
        ("internal_error", 503, "slack-down"),
    ],
)
def test_fault_of_the_exchange_is_explained(
    fault: str, status: int, reason: str, door: Door, bea: BrowserClient
) -> None:
    consent = _begins(bea)
    door.site.slack.fails("openid.connect.token", fault)
    page = _allows(bea, consent)
    assert (page.status, page.main.get("data-reason")) == (status, reason)
    assert bea.opens("/connections").status == 401


def test_state_is_used_once_and_in_its_browser_only(door: Door, bea: BrowserClient) -> None:
    back = _callback(bea, _begins(bea))
    with BrowserClient(door.site) as other:
        assert other.opens(back).main.get("data-reason") == "stale"
    cookie = bea.cookies["session"]
    assert bea.asks("HEAD", back).status_code == 200, "a link checker uses nothing up"
    assert bea.opens(back).name == "connections"
    with BrowserClient(door.site) as copy:
        # A copy of the cookie from before holds the state, too.
        answer = copy.asks("GET", back, headers={"Cookie": f"session={cookie}"})
        assert answer.headers["Location"].endswith("/sign-in/slack/refused")
        assert copy.opens("/connections").status == 401


def test_state_is_valid_for_ten_minutes(door: Door, bea: BrowserClient) -> None:
    back = _callback(bea, _begins(bea))
    door.clock.forward(minutes=10, seconds=1)
    try:
        assert bea.opens(back).main.get("data-reason") == "stale"
    finally:
        door.clock.ahead = timedelta()


def test_used_states_are_kept_for_an_hour(door: Door, bea: BrowserClient) -> None:
    door.clock.forward(hours=2)
    try:
        list(door.site.runtime.retention.purge_sign_ins())
        door.clock.ahead = timedelta()
        _signs_in(bea)
        list(door.site.runtime.retention.purge_sign_ins())
        assert _states(door.site) == 1
        door.clock.forward(minutes=61)
        list(door.site.runtime.retention.purge_sign_ins())
        assert _states(door.site) == 0
    finally:
        door.clock.ahead = timedelta()


def test_state_without_its_code_signs_nobody_in(bea: BrowserClient) -> None:
    page = bea.opens(f"/sign-in/slack/callback?state={_state(_begins(bea).url)}")
    assert page.main.get("data-reason") == "slack-refused"
    assert bea.opens("/connections").status == 401


def test_two_tabs_do_not_disturb_each_other(bea: BrowserClient) -> None:
    first, second = _begins(bea), _begins(bea)
    assert _allows(bea, first).name == "connections"
    assert _allows(bea, second).name == "connections", "the person is signed in already"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/x\ty", "/sign-in"])
def test_sign_in_leads_to_pages_of_this_server_only(wanted: str, bea: BrowserClient) -> None:
    page = bea.presses(bea.opens("/sign-in"), "sign-in-with-slack", wanted=wanted)
    assert _allows(bea, page).url.endswith("/connections")


def test_code_and_state_stay_out_of_the_page_and_its_address(bea: BrowserClient) -> None:
    answer = bea.asks("GET", _callback(bea, _begins(bea)))
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (303, "no-referrer")
    assert answer.headers["Location"] == "/connections"


def test_callback_without_the_database_leads_to_a_clean_address(door: Door, bea: BrowserClient) -> None:
    callback = _callback(bea, _begins(bea))
    database = door.site.runtime.database
    with database.transaction() as session:
        session.execute(text("ALTER TABLE sign_in_states RENAME TO states_away"))
    try:
        answer = bea.asks("GET", callback)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    finally:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE states_away RENAME TO sign_in_states"))
    assert _signs_in(bea).name == "connections"


def test_whole_team_signs_in_as_viewers_until_it_is_removed(door: Door, bea: BrowserClient) -> None:
    operators = door.site.runtime.operators
    assert _signs_in(bea, TEST).main.get("data-reason") == "not-listed"
    operators.allow_team(TEST, SHELL)
    page = _signs_in(bea, TEST)
    assert (page.name, ">Viewer<" in page.text) == ("connections", True)
    (found,) = [one for one in operators.list_all() if one.label == door.person(TEST)]
    assert (found.role, found.is_team_viewer, found.slack_name) == ("viewer", True, "Bea Lindqvist")
    operators.remove_team(TEST, SHELL)
    assert bea.opens("/connections").status == 401
    assert _signs_in(bea, TEST).main.get("data-reason") == "not-listed"


def test_person_who_is_listed_stays_when_their_team_leaves(door: Door, bea: BrowserClient) -> None:
    operators = door.site.runtime.operators
    operators.allow_team(TEST, SHELL)
    _signs_in(bea, TEST)
    operators.add_slack_user(door.person(TEST), SHELL)
    operators.remove_team(TEST, SHELL)
    assert bea.opens("/slack/install").status == 200, "now an operator, in the same session"
    operators.remove(door.person(TEST), SHELL)
    assert bea.opens("/connections").status == 401


def test_one_time_links_still_sign_in(bea: BrowserClient) -> None:
    assert bea.signs_in("ada@northwind.test").name == "connections"


def test_sign_in_with_slack_is_not_offered_without_an_app(site: Site, visitor: BrowserClient) -> None:
    assert "Sign in with Slack" not in visitor.opens("/sign-in").text
    site.change_integration("slack-practice", sign_in=True)
    page = visitor.opens("/sign-in")
    site.change_integration("slack-practice", sign_in=False)
    refused = visitor.presses(page, "sign-in-with-slack")
    assert (refused.status, refused.main.get("data-reason")) == (400, "not-offered")
    assert "integration set IDENTIFIER --sign-in" in refused.text


def test_one_app_at_a_time_signs_operators_in(site: Site) -> None:
    site.add_practice_app("other", "Other")
    site.change_integration("slack-practice", sign_in=True)
    site.change_integration("other", sign_in=True)
    first = site.runtime.environments.first().id
    assert {one.identifier: one.is_sign_in for one in site.runtime.integrations.all_of(first)} == {
        "other": True,
        "slack-practice": False,
    }


def test_practice_identity_ends_with_practice_mode(start_site: Callable[..., Site], clock: Clock) -> None:
    door = _opened(start_site(), clock)
    with BrowserClient(door.site) as person:
        consent = _begins(person)
        with BrowserClient(door.site) as other:
            _signs_in(other)
            real = NewIntegration("real", "Real", "Development", "1.1", "client-secret")
            door.site.runtime.integrations.add(real, SHELL)
            assert other.opens("/connections").status == 401
            assert "Sign in with Slack" not in other.opens("/sign-in").text
        callback = f"/sign-in/slack/callback?code=x&state={_state(consent.url)}"
        assert person.opens(callback).main.get("data-reason") == "not-offered"


def _opened(site: Site, clock: Clock) -> Door:
    door = Door(site, clock)
    site.change_integration("slack-practice", sign_in=True)
    site.runtime.operators.add_slack_user(door.person(ACME), SHELL)
    return door


def _begins(person: BrowserClient) -> Page:
    """Go from the sign-in page to Slack's."""
    page = person.presses(person.opens("/sign-in"), "sign-in-with-slack")
    assert page.name == "practice-sign-in", page.text[:500]
    return page


def _allows(person: BrowserClient, page: Page, team: str = ACME, scenario: str = "normal") -> Page:
    return person.presses(page, "allow", workspace=team, scenario=scenario)


def _signs_in(person: BrowserClient, team: str = ACME, scenario: str = "normal") -> Page:
    return _allows(person, _begins(person), team, scenario)


def _callback(person: BrowserClient, page: Page) -> str:
    """Allow at Slack and return the address to which Slack sends the browser, without opening it."""
    return person.asks("POST", page.url, data={"workspace": ACME, "action": "allow"}).headers["Location"]


def _state(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def _states(site: Site) -> int:
    with site.runtime.database.reading() as session:
        return int(session.scalar(text("SELECT count(*) FROM sign_in_states")) or 0)
