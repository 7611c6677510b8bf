"""A customer's own page about their connection, for the holder of a session or of the link that created it."""

import pytest
from sqlalchemy import text

from onboarding import causes
from tests.browser_client import BrowserClient, Page
from tests.desk import HOST, SESSIONS, Desk
from tests.programs import INTEGRATION


def manages(browser: BrowserClient, url: str) -> Page:
    return browser.opens(f"{url}/manage")


def connects(desk: Desk, subscriber: str, workspace: str = "") -> str:
    """Connect a customer with a session and return the connection's identifier."""
    with BrowserClient(desk.site) as browser:
        made = desk.creates(subscriberId=subscriber, connectionMode="subscriber")
        assert browser.connects(made["url"], workspace).outcome == "connected"
    (found,) = own(desk, subscriber)
    return found


def own(desk: Desk, subscriber: str) -> list[str]:
    return desk.program.lists(f"subscriberId={subscriber}&connectionMode=subscriber")


def session_of(desk: Desk, subscriber: str, **members: object) -> str:
    url: str = desk.creates(subscriberId=subscriber, connectionMode="subscriber", **members)["url"]
    return url


def test_holder_of_a_session_sees_the_connection_and_its_permissions(desk: Desk, customer: BrowserClient) -> None:
    connects(desk, "ada")
    page = manages(customer, session_of(desk, "ada", returnUrl=f"{HOST}/back"))
    assert (page.name, page.main.get("data-status"), page.heading) == ("manage", "healthy", "Acme HQ is connected")
    for words in ("Connected by", "ada", "chat:write", "Since", "The connection works."):
        assert words in page.text
    assert f"{HOST}/back?outcome=already_connected" in page.text
    assert "xox" not in page.text


def test_cause_of_a_broken_connection_is_shown_and_reconnecting_repairs_it(desk: Desk, customer: BrowserClient) -> None:
    identifier = connects(desk, "bea")
    with desk.site.runtime.database.transaction() as session:
        query = "UPDATE channel_connections SET status = 'needs_reconnect', status_reason = :cause WHERE identifier = :identifier"
        session.execute(text(query), {"identifier": identifier, "cause": causes.UNINSTALLED})
    page = manages(customer, session_of(desk, "bea"))
    assert page.heading == "Slack needs to be reconnected"
    assert causes.UNINSTALLED in page.text
    done = customer.allows(customer.presses(page, "connect"))
    assert done.outcome == "reconnected"
    assert own(desk, "bea") == [identifier]


def test_disconnect_asks_first_and_says_what_happened_in_slack(desk: Desk, customer: BrowserClient) -> None:
    identifier = connects(desk, "cy", "T0ACMETEST")
    url = session_of(desk, "cy", returnUrl=f"{HOST}/back", reference="r-1")
    question = customer.opens(f"{url}/disconnect")
    assert (question.name, question.heading) == ("manage-disconnect", "Disconnect Acme Test?")
    assert own(desk, "cy") == [identifier], "a GET must not disconnect"
    done = customer.presses(question, "confirm-disconnect")
    assert (done.name, done.main.get("data-result")) == ("manage-disconnected", "revoked")
    assert "Access was removed in Slack." in done.text
    assert f"{HOST}/back?session=" in done.text
    assert own(desk, "cy") == []
    assert customer.opens(done.url).heading == "Acme Test is disconnected", "the page can be loaded again"
    assert manages(customer, url).name == "connect-start"
    stranger = session_of(desk, "mallory")
    assert customer.opens(f"{stranger}/disconnected?connection={identifier}").status == 404
    with desk.site.runtime.database.reading() as session:
        query = text("SELECT actor FROM audit_entries WHERE action = 'connection.disconnected' AND subject = :id")
        assert session.scalar(query, {"id": identifier}) == f"link:{url.rpartition('/')[2].partition('.')[0]}"


def test_disconnect_that_slack_does_not_confirm_says_so(desk: Desk, customer: BrowserClient) -> None:
    identifier = connects(desk, "dan", "T0ACMETEST")
    desk.site.slack.fails("auth.revoke", "status_500")
    done = customer.presses(customer.opens(f"{session_of(desk, 'dan')}/disconnect"), "confirm-disconnect")
    assert done.main.get("data-result") == "pending"
    assert "Slack has not confirmed yet." in done.text
    assert identifier not in own(desk, "dan")


@pytest.mark.parametrize("mode", ["subscriber", "shared"])
def test_chosen_context_is_shown_before_a_disconnect(mode: str, desk: Desk, customer: BrowserClient) -> None:
    subscriber = "wes" if mode == "subscriber" else None
    offered = ("team:support", "team:sales")
    link = desk.site.link(subscriber_id=subscriber, mode=mode, offered_context_keys=offered)
    customer.presses(customer.connects(link), "save", offered_context="team:sales")
    for path in ("manage", "disconnect"):
        page = customer.opens(f"{link}/{path}")
        assert "sales" in page.text
        assert "support" not in page.text


def test_question_does_not_say_that_an_app_stops_posting_if_it_stays(desk: Desk, customer: BrowserClient) -> None:
    connects(desk, "uma")
    connects(desk, "vic")
    question = customer.opens(f"{session_of(desk, 'uma')}/disconnect")
    assert "The app stays in Slack" in question.text
    assert "will stop posting" not in question.text


def test_session_of_another_identity_manages_nothing(desk: Desk, customer: BrowserClient) -> None:
    identifier = connects(desk, "eve")
    others = [
        session_of(desk, "mallory"),
        desk.creates(subscriberId="eve", context={"tenant": "t"}, connectionMode="subscriber")["url"],
        desk.creates(subscriberId="eve", integrationIdentifier="slack-other")["url"],
    ]
    for url in others:
        for path in ("manage", "disconnect"):
            page = customer.opens(f"{url}/{path}")
            assert page.name == "connect-start"
            assert "Acme" not in page.text
        assert customer.opens(f"{url}/disconnected?connection={identifier}").status == 404
    assert own(desk, "eve") == [identifier]


def test_form_of_one_session_disconnects_nothing_of_another(desk: Desk, customer: BrowserClient) -> None:
    mine, other = connects(desk, "fay"), connects(desk, "gil")
    question = customer.opens(f"{session_of(desk, 'fay')}/disconnect")
    after = customer.presses(question, "confirm-disconnect", connection=other)
    assert after.name == "manage"
    assert (own(desk, "fay"), own(desk, "gil")) == ([mine], [other])


@pytest.mark.parametrize("end", ["expired", "revoked"])
def test_ended_session_manages_nothing(end: str, desk: Desk, customer: BrowserClient) -> None:
    identifier = connects(desk, f"hal-{end}")
    made = desk.creates(
        subscriberId=f"hal-{end}", connectionMode="subscriber", expiresIn=60, refreshUrl=f"{HOST}/again"
    )
    question = customer.opens(f"{made['url']}/disconnect")
    if end == "expired":
        desk.clock.forward(minutes=2)
    else:
        desk.program.asks("DELETE", f"{SESSIONS}/{made['id']}")
    for page in (manages(customer, made["url"]), customer.presses(question, "confirm-disconnect")):
        assert page.outcome == f"link_{end}"
        assert f"{HOST}/again" in page.text
        assert "Acme" not in page.text
    assert own(desk, f"hal-{end}") == [identifier]


def test_link_manages_its_connection_in_the_browser_that_used_it(desk: Desk, customer: BrowserClient) -> None:
    url = desk.site.link(INTEGRATION, subscriber_id="ida", mode="subscriber")
    assert manages(customer, url).name == "connect-start"
    done = customer.connects(url)
    page = customer.opens(
        next(link.get("href", "") for link in done.main.iter("a") if link.get("data-action") == "manage")
    )
    assert (page.name, page.heading) == ("manage", "Acme HQ is connected")
    with BrowserClient(desk.site) as stranger:
        for path in ("manage", "disconnect"):
            seen = stranger.opens(f"{url}/{path}")
            assert seen.outcome == "link_used"
            assert "Acme" not in seen.text
    assert customer.allows(customer.presses(page, "connect")).outcome == "reconnected"
    gone = customer.presses(customer.opens(f"{url}/disconnect"), "confirm-disconnect")
    assert gone.name == "manage-disconnected"
    assert own(desk, "ida") == []


def test_link_does_not_manage_a_connection_that_another_one_created(desk: Desk, customer: BrowserClient) -> None:
    url = desk.site.link(INTEGRATION, subscriber_id="jo", mode="subscriber")
    customer.connects(url)
    customer.presses(customer.opens(f"{url}/disconnect"), "confirm-disconnect")
    identifier = connects(desk, "jo")
    assert manages(customer, url).outcome == "link_used"
    assert own(desk, "jo") == [identifier]


def test_page_of_a_changed_token_is_refused(desk: Desk, customer: BrowserClient) -> None:
    url = session_of(desk, "kim")
    for path in ("manage", "disconnect", "disconnected"):
        assert customer.opens(f"{url}x/{path}").outcome == "link_tampered"


def test_disconnect_needs_the_token_of_the_form(desk: Desk, customer: BrowserClient) -> None:
    identifier = connects(desk, "lea")
    url = session_of(desk, "lea")
    customer.opens(f"{url}/disconnect")
    for headers in ({}, {"Origin": "https://evil.example"}):
        customer.asks("POST", f"{url}/disconnect", data={"connection": identifier}, headers=headers)
    assert own(desk, "lea") == [identifier]


def test_no_page_may_be_framed(desk: Desk, customer: BrowserClient) -> None:
    connects(desk, "max")
    url = session_of(desk, "max")
    for path in ("manage", "disconnect"):
        assert "frame-ancestors 'none'" in customer.opens(f"{url}/{path}").headers["Content-Security-Policy"]
