"""Operators sign in with a one-time link, and sign out."""

from onboarding.callers import SHELL
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


def test_sign_in_link_works_once(site: Site, visitor: BrowserClient) -> None:
    address = site.sign_in_url("ada@northwind.test")
    assert _goes_in(visitor, visitor.opens(address)) == 303
    assert visitor.opens("/connections").name == "connections"
    with BrowserClient(site) as other:
        again = other.opens(address)
        assert (again.status, "already used" in again.text) == (410, True)
        assert other.opens("/connections").status == 401


def test_second_tab_with_the_same_link_says_that_it_was_used(site: Site, visitor: BrowserClient) -> None:
    address = site.sign_in_url("ada@northwind.test")
    with BrowserClient(site) as other:
        waiting = other.opens(address)
        _goes_in(visitor, visitor.opens(address))
        assert _goes_in(other, waiting) == 410
        assert other.opens("/connections").status == 401


def test_opening_the_link_does_not_use_it(site: Site, visitor: BrowserClient) -> None:
    address = site.sign_in_url("ada@northwind.test")
    for _ in range(3):
        assert visitor.opens(address).status == 200
        assert visitor.asks("HEAD", address).status_code == 200
    assert visitor.opens("/connections").status == 401
    assert _goes_in(visitor, visitor.opens(address)) == 303


def test_link_is_valid_for_fifteen_minutes(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    early, late = (site.sign_in_url("ada@northwind.test") for _ in range(2))
    clock.forward(minutes=14, seconds=50)
    assert _goes_in(visitor, visitor.opens(early)) == 303
    page = visitor.opens(late)
    clock.forward(seconds=15)
    assert _goes_in(visitor, page) == 410
    assert "15 minutes" in visitor.opens(late).text


def test_session_lasts_twelve_hours_however_busy(operator: BrowserClient, clock: Clock) -> None:
    for _ in range(11):
        clock.forward(hours=1)
        assert operator.opens("/connections").status == 200
    clock.forward(hours=1)
    assert operator.opens("/connections").status == 401


def test_signing_out_ends_the_session(operator: BrowserClient) -> None:
    _goes_out(operator)
    assert operator.opens("/signed-out").heading == "You are signed out"
    assert operator.opens("/connections").status == 401


def test_signing_out_here_leaves_another_browser_signed_in(site: Site, operator: BrowserClient) -> None:
    with BrowserClient(site) as other:
        other.signs_in("ada@northwind.test")
        _goes_out(operator)
        assert other.opens("/connections").status == 200


def test_unknown_link_signs_nobody_in(visitor: BrowserClient) -> None:
    page = visitor.opens("/sign-in/nothing-like-it")
    assert (page.status, page.name) == (410, "sign-in")


def test_page_without_a_session_explains_how_to_sign_in(visitor: BrowserClient) -> None:
    page = visitor.opens("/connections")
    assert (page.status, page.name) == (401, "sign-in")
    assert "operator add" in page.text


def test_same_person_with_other_capitals_is_one_operator(site: Site) -> None:
    tokens = [site.sign_in_url(email).rsplit("/", 1)[1] for email in ("Ada@Northwind.test", "ada@northwind.TEST ")]
    persons = [site.runtime.sign_ins.check_link(token) for token in tokens]
    assert persons[0] == persons[1]


def _goes_in(person: BrowserClient, page: Page) -> int:
    """Press the sign-in page's only button and return the status of the response."""
    return person.asks("POST", page.url, data={"csrf_token": page.csrf_token}).status_code


def _goes_out(person: BrowserClient) -> None:
    token = person.opens("/connections").csrf_token
    assert person.asks("POST", "/sign-out", data={"csrf_token": token}).status_code == 303


def test_viewer_can_read_and_change_nothing(site: Site, visitor: BrowserClient) -> None:
    with BrowserClient(site) as person:
        person.connects(site.link())
    site.sign_in_url("vera@northwind.test", "viewer")
    listed = visitor.signs_in("vera@northwind.test")
    assert (listed.name, "Connect a workspace" in listed.text) == ("connections", False)
    assert ">Viewer<" in listed.text
    (identifier,) = {
        one.get("href", "").rsplit("/", 1)[1] for one in listed.main.iter("a") if "/chconn_" in one.get("href", "")
    }
    assert "Disconnect" not in visitor.opens(f"/connections/{identifier}").text
    for address in (f"/connections/{identifier}/disconnect", "/slack/install"):
        refused = visitor.opens(address)
        assert (refused.status, refused.heading) == (403, "You have view-only access")
    assert visitor.opens(f"/connections/{identifier}").status == 200


def test_former_operator_cannot_continue_an_attempt(site: Site, operator: BrowserClient) -> None:
    """A former operator's attempt belongs to the browser, which is still the same."""
    setup = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"))
    page = operator.presses(setup, "save", connection_mode="subscriber", subscriber_id="bea")
    token = operator.opens("/connections").csrf_token
    site.sign_in_url("ada@northwind.test", "viewer")
    answer = operator.asks("POST", f"{page.url}/choose-again", data={"csrf_token": token})
    assert operator.site.settings.slack_url not in answer.headers["Location"]
    assert answer.headers["Location"].endswith("/slack/install")
    assert operator.opens("/slack/install").status == 403
    assert "Start as an operator" not in operator.opens("/slack/oauth_redirect?code=x").text


def test_role_is_kept_until_it_is_changed(site: Site, visitor: BrowserClient) -> None:
    site.sign_in_url("vera@northwind.test", "viewer")
    site.sign_in_url("vera@northwind.test", "operator")
    visitor.signs_in("vera@northwind.test")
    assert visitor.presses(visitor.opens("/slack/install"), "connect").name == "practice-consent"


def test_removed_operator_is_signed_out_at_once(site: Site, operator: BrowserClient, visitor: BrowserClient) -> None:
    link = site.sign_in_url("ada@northwind.test")
    site.runtime.operators.remove("ada@northwind.test", SHELL)
    assert operator.opens("/connections").status == 401
    assert visitor.opens(link).status == 410
