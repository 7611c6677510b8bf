"""Connect sessions from their creation by a host's server to the connection."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from tests.browser_client import BrowserClient
from tests.desk import HOST, SESSIONS, Desk
from tests.pages.test_approval import link_for_admin
from tests.pages.test_callback import callback_of, consent_of
from tests.programs import INTEGRATION


def test_created_session_has_a_token_a_page_and_an_expiry(desk: Desk) -> None:
    made = desk.creates(reference="order-42", expiresIn=60)
    assert list(made) == ["id", "token", "url", "expiresAt", "reference"]
    assert made["id"].startswith("cs_")
    assert made["token"].startswith(f"{made['id']}.")
    assert made["url"] == f"{desk.site.settings.origin}/connect/{made['token']}"
    assert made["reference"] == "order-42"


def test_session_is_followed_from_its_creation_to_the_connection(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="ada", reference="order-42")
    assert desk.polls(made).json() == {
        "id": made["id"],
        "state": "created",
        "expiresAt": made["expiresAt"],
        "reference": "order-42",
        "productName": "Northwind",
    }
    consent = customer.presses(customer.opens(made["url"]), "connect")
    assert desk.polls(made).json()["state"] == "sent_to_slack"
    customer.allows(consent)
    found = desk.polls(made).json()
    assert (found["state"], found["outcome"]) == ("finished", "connected")
    assert found["connection"] == {
        "identifier": desk.program.lists("subscriberId=ada")[0],
        "status": "healthy",
        "workspaceName": "Acme HQ",
    }


def test_fresh_session_of_a_connected_customer_shows_the_connection_at_once(
    desk: Desk, customer: BrowserClient
) -> None:
    customer.connects(desk.creates(subscriberId="bea")["url"])
    found = desk.polls(desk.creates(subscriberId="bea")).json()
    assert (found["state"], found["connection"]["workspaceName"]) == ("created", "Acme HQ")
    assert "connection" not in desk.polls(desk.creates(subscriberId="bea", context={"tenant": "t"})).json()


def test_session_with_an_open_choice_shows_the_connection_that_was_chosen(desk: Desk, customer: BrowserClient) -> None:
    open_choice = {
        "subscriberId": "cy",
        "offerContexts": [{"type": "team", "id": "a", "label": "Acme Europe"}, {"type": "team", "id": "b"}],
    }
    form = customer.connects(desk.creates(**open_choice)["url"])
    assert "Acme Europe" in form.text
    customer.presses(form, "save", connection_mode="shared", offered_context="team:b")
    found = desk.polls(desk.creates(**open_choice)).json()
    assert (found["state"], found["connection"]["status"]) == ("created", "healthy")


def test_each_end_of_an_attempt_has_its_outcome(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates()
    customer.connects(made["url"], scenario="cancelled")
    assert desk.polls(made).json()["outcome"] == "cancelled"
    customer.presses(customer.opens(made["url"]), "connect")
    assert desk.polls(made).json()["state"] == "sent_to_slack"
    desk.clock.forward(minutes=11)
    assert desk.polls(made).json()["outcome"] == "state_expired"
    desk.clock.forward(minutes=30)
    assert desk.polls(desk.creates(expiresIn=60)).json()["state"] == "created"


def test_session_awaits_the_approval_and_sees_the_connection_days_later(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="dan")
    waiting = customer.presses(customer.opens(made["url"]), "ask-admin")
    assert desk.polls(made).json()["state"] == "awaiting_approval"
    desk.clock.forward(days=2)
    fresh = desk.creates(subscriberId="dan")
    assert desk.polls(fresh).json()["state"] == "awaiting_approval"
    assert desk.polls(desk.creates()).json()["state"] == "created"
    with BrowserClient(desk.site) as admin:
        assert admin.connects(link_for_admin(waiting)).outcome == "connected"
    assert desk.polls(fresh).json()["state"] == "created"
    assert desk.polls(fresh).json()["connection"]["workspaceName"] == "Acme HQ"
    first = desk.polls(made).json()
    assert (first["state"], first["outcome"]) == ("finished", "connected")


def test_link_for_the_admin_is_shown_to_the_subscriber_whose_session_it_came_from(
    desk: Desk, customer: BrowserClient
) -> None:
    """Other people of a context, and the holder of a link, read that an approval is awaited and nothing more."""
    shared = {"context": {"tenant": "approved"}, "connectionMode": "shared"}
    own = {"subscriberId": "nia"}
    for terms, is_shown in ((shared, False), (own, True)):
        made = desk.creates(**terms)
        url = link_for_admin(customer.presses(customer.opens(made["url"]), "ask-admin"))
        assert desk.polls(made).json()["approvalUrl"] == url
        later = desk.polls(desk.creates(**terms)).json()
        assert (later["state"], later.get("approvalUrl")) == ("awaiting_approval", url if is_shown else None)
        assert (url in customer.opens(desk.creates(**terms)["url"]).text) == is_shown
    forwarded = _followed(desk, desk.site.link(INTEGRATION, subscriber_id="nia"))
    assert (forwarded["state"], "approvalUrl" in forwarded) == ("awaiting_approval", False)


def test_approval_that_came_from_a_forwarded_link_is_not_shown_to_the_subscriber(
    desk: Desk, customer: BrowserClient
) -> None:
    customer.presses(customer.opens(desk.site.link(INTEGRATION, subscriber_id="oda")), "ask-admin")
    found = desk.polls(desk.creates(subscriberId="oda")).json()
    assert (found["state"], "approvalUrl" in found) == ("awaiting_approval", False)


def test_approval_of_a_revoked_session_is_awaited_no_more(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(subscriberId="pia")
    customer.presses(customer.opens(made["url"]), "ask-admin")
    desk.program.asks("DELETE", f"{SESSIONS}/{made['id']}")
    assert desk.polls(desk.creates(subscriberId="pia")).json()["state"] == "created"


@pytest.mark.parametrize("change", ["removed", "demoted"])
def test_link_ends_if_its_operator_is_removed_or_becomes_a_viewer(change: str, desk: Desk) -> None:
    email = f"{change}@northwind.test"
    desk.site.sign_in_url(email)
    url = desk.site.link(INTEGRATION, subscriber_id=f"customer-of-{change}", operator=email)
    assert _followed(desk, url)["state"] == "created"
    if change == "removed":
        desk.site.runtime.operators.remove(email, SHELL)
    else:
        desk.site.sign_in_url(email, "viewer")
    found = _followed(desk, url)
    assert (found["state"], found["outcome"]) == ("finished", "link_revoked")


def test_link_of_an_operator_who_signs_in_with_slack_ends_only_with_the_operator(desk: Desk) -> None:
    person = desk.site.runtime.operators.add_slack_user("T0NORTHWND/U0ADA", SHELL)
    url = desk.site.link(INTEGRATION, subscriber_id="customer-of-slack", operator=person)
    assert _followed(desk, url)["state"] == "created"
    desk.site.runtime.operators.remove(person, SHELL)
    assert _followed(desk, url)["outcome"] == "link_revoked"


def _followed(desk: Desk, url: str) -> dict[str, Any]:
    token = url.rpartition("/")[2]
    found: dict[str, Any] = desk.polls({"id": token.partition(".")[0], "token": token}).json()
    return found


def test_incoming_webhook_needs_a_subscriber(desk: Desk) -> None:
    desk.site.change_integration("slack-other", scopes=("chat:write", "incoming-webhook"))
    hooks = {"integrationIdentifier": "slack-other", "context": {"tenant": "t"}}
    for terms in ({}, {"subscriberId": "ida", "connectionMode": "shared"}):
        found = desk.asks(**hooks, **terms)
        assert (found.status_code, found.json()["code"]) == (400, "subscriber_required")
        assert found.json()["message"] == "subscriberId is required for incoming webhook"
    assert desk.asks(**hooks, subscriberId="ida").status_code == 201


def test_revoked_session_connects_nothing_if_its_install_completes_at_the_same_moment(desk: Desk) -> None:
    number = 6
    with ExitStack() as stack:
        browsers = [stack.enter_context(BrowserClient(desk.site)) for _ in range(number)]
        threads = stack.enter_context(ThreadPoolExecutor(2 * number))
        made = [desk.creates(subscriberId=f"race-{n}") for n in range(number)]
        pairs = zip(browsers, made, strict=True)
        callbacks = [callback_of(browser, consent_of(browser, one["url"])) for browser, one in pairs]
        start = Barrier(2 * number)

        def install(n: int) -> str:
            start.wait(20)
            return browsers[n].opens(callbacks[n]).outcome or ""

        def revoke(n: int) -> None:
            start.wait(20)
            desk.site.runtime.connect_sessions.revoke(desk.site.caller(), made[n]["id"])

        installs = [threads.submit(install, n) for n in range(number)]
        revocations = [threads.submit(revoke, n) for n in range(number)]
        outcomes = [one.result(30) for one in installs]
        assert [one.result(30) for one in revocations] == [None] * number
    assert set(outcomes) <= {"connected", "link_revoked"}
    for n, outcome in enumerate(outcomes):
        found = desk.program.lists(f"subscriberId=race-{n}&connectionMode=subscriber")
        assert len(found) == (outcome == "connected"), "what the person reads is true"
        assert desk.polls(made[n]).json()["outcome"] == outcome
        with BrowserClient(desk.site) as stranger:
            assert stranger.opens(made[n]["url"]).outcome == "link_revoked"


def test_broken_connection_needs_attention_on_the_next_page_load(desk: Desk, customer: BrowserClient) -> None:
    customer.connects(desk.creates(subscriberId="eve")["url"])
    with desk.site.runtime.database.transaction() as session:
        session.execute(text("UPDATE channel_connections SET status = 'needs_reconnect' WHERE subscriber_id = 'eve'"))
    found = desk.polls(desk.creates(subscriberId="eve")).json()
    assert found["connection"]["status"] == "needs_reconnect"


def test_expired_token_shows_no_connection(desk: Desk, customer: BrowserClient) -> None:
    customer.connects(desk.creates(subscriberId="fay")["url"])
    made = desk.creates(subscriberId="fay", expiresIn=60)
    desk.clock.forward(minutes=2)
    assert desk.polls(made).json() == {
        "id": made["id"],
        "state": "finished",
        "outcome": "link_expired",
        "expiresAt": made["expiresAt"],
        "productName": "Northwind",
    }
    assert desk.sees(made)["connection"]["workspaceName"] == "Acme HQ"


def test_session_that_was_begun_lasts_as_long_as_its_attempt(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates(expiresIn=60)
    consent = customer.presses(customer.opens(made["url"]), "connect")
    desk.clock.forward(minutes=9)
    assert desk.polls(made).json()["state"] == "sent_to_slack"
    assert customer.allows(consent).outcome == "connected"
    assert desk.polls(made).json()["connection"]["workspaceName"] == "Acme HQ"
    desk.clock.forward(minutes=11)
    found = desk.polls(made).json()
    assert (found["state"], found["outcome"], "connection" in found) == ("finished", "connected", False)


def test_session_that_is_revoked_while_its_page_waits_ends_and_connects_nothing(
    desk: Desk, customer: BrowserClient
) -> None:
    made = desk.creates(subscriberId="gil")
    consent = customer.presses(customer.opens(made["url"]), "connect")
    assert desk.program.asks("DELETE", f"{SESSIONS}/{made['id']}").status_code == 204
    assert desk.program.asks("DELETE", f"{SESSIONS}/{made['id']}").status_code == 204
    assert desk.polls(made).json()["outcome"] == "link_revoked"
    assert customer.allows(consent).outcome == "link_revoked"
    assert customer.opens(made["url"]).outcome == "link_revoked"
    assert desk.program.lists("subscriberId=gil&connectionMode=subscriber") == []


def test_used_session_has_the_refusal_page_of_links(desk: Desk, customer: BrowserClient) -> None:
    made = desk.creates()
    customer.connects(made["url"])
    with BrowserClient(desk.site) as stranger:
        page = stranger.opens(made["url"])
    assert page.outcome == "link_used"
    assert "Acme" not in page.text


def test_link_of_the_command_is_the_same_object_and_its_holder_sees_no_workspace(
    desk: Desk, customer: BrowserClient
) -> None:
    url = desk.site.link(INTEGRATION, subscriber_id="hal", reference="mail-7")
    token = url.rpartition("/")[2]
    link = {"id": token.partition(".")[0], "token": token}
    customer.connects(url)
    found = desk.polls(link).json()
    assert (found["state"], found["reference"]) == ("finished", "mail-7")
    assert set(found["connection"]) == {"identifier", "status"}
    assert desk.sees(link)["connection"]["workspaceName"] == "Acme HQ"


def test_api_key_sees_the_terms_and_never_a_token(desk: Desk) -> None:
    terms = {
        "subscriberId": "ida",
        "context": {"tenant": "t1"},
        "offerContexts": [{"type": "team", "id": "a", "label": "Acme Europe"}, {"type": "team", "id": "b"}],
        "connectionMode": "subscriber",
        "workspaceId": "T0ACMEHQ01",
        "returnUrl": f"{HOST}/done",
        "refreshUrl": f"{HOST}/again",
        "reference": "order-42",
    }
    made = desk.creates(**terms)
    found = desk.sees(made)
    assert found.pop("contextKeys") == ["tenant:t1"]
    assert {name: found[name] for name in terms if name != "context"} == {
        name: value for name, value in terms.items() if name != "context"
    }
    assert made["token"].partition(".")[2] not in str(found)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"integrationIdentifier": "nobody"}, "integration_not_found"),
        ({"subscriberId": None}, "owner_required"),
        ({"connectionMode": "shared"}, "context_required"),
        ({"connectionMode": "subscriber", "subscriberId": None}, "subscriber_required"),
    ],
)
def test_session_obeys_the_rules_of_connections(members: dict[str, Any], code: str, desk: Desk) -> None:
    assert desk.asks(**{"subscriberId": "ida", **members}).json()["code"] == code


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("integrationIdentifier", 7),
        ("expiresIn", 59),
        ("expiresIn", 86_401),
        ("expiresIn", "60"),
        ("expiresIn", 60.5),
        ("expiresIn", True),
        ("reference", ""),
        ("reference", "x" * 101),
        ("reference", "a\nb"),
        ("workspaceId", "C0123"),
        ("workspaceId", "t0123"),
        ("offerContexts", [{"type": "team", "id": "a"}] * 2),
        ("offerContexts", [{"type": "team", "id": f"a{n}"} for n in range(21)]),
        ("offerContexts.0.label", [{"type": "team", "id": "a", "label": "x" * 101}]),
        ("offerContexts.0.id", [{"type": "team", "id": "a:b"}]),
        ("offerContexts.0.type", [{"id": "a"}]),
        ("returnUrl", "https://elsewhere.example/"),
        ("refreshUrl", "https://elsewhere.example/"),
    ],
)
def test_invalid_member_is_named(member: str, value: object, desk: Desk) -> None:
    answer = desk.asks(subscriberId="ida", **{member.partition(".")[0]: value})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [member]


#: Addresses that lead a browser to another site than they seem to, and addresses that are no page.
TRICKS = [
    "//app.example/x",
    "/x",
    "https:/app.example",
    "https:///app.example",
    "https://app.example\\@evil.example/",
    "https:\\\\app.example",
    "https://app.example@evil.example/",
    "https://app.example:pass@evil.example/",
    "https://evil.example#@app.example",
    "https://app.example/#fragment",
    "https://app.example.evil.example/",
    "https://app.example:8443/",
    "http://app.example/",
    "https://xn--pp-yia.example/",
    "https://аpp.example/",
    "https://app.example%2eevil.example/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[app.example]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://app.example./",
    "https://app.example:/",
    "javascript:alert(1)//https://app.example/",
    "data:text/html,x",
    "https://app.example\t/",
    "https://app.exam\nple/",
    " https://app.example/",
    "https://app.example/\u202e",
    "https://app.example/" + "x" * 2000,
]


@pytest.mark.once
@pytest.mark.parametrize("name", ["returnUrl", "refreshUrl"])
@pytest.mark.parametrize("address", TRICKS)
def test_address_that_is_no_page_of_an_allowed_site_is_refused(address: str, name: str, desk: Desk) -> None:
    answer = desk.asks(**{name: address})
    assert answer.status_code == 422, address
    (message,) = answer.json()["errors"][name]["messages"]
    assert message.endswith((".", ")")) or "must" in message


@pytest.mark.once
@pytest.mark.parametrize("address", [f"{HOST}/x?a=%20b", "HTTPS://APP.example:443/", f"{HOST}?x", HOST, f"{HOST}//x"])
def test_address_on_an_allowed_site_is_accepted_however_it_is_written(address: str, desk: Desk) -> None:
    assert desk.asks(returnUrl=address, refreshUrl=address).status_code == 201


def test_session_is_created_once_with_an_idempotency_key(desk: Desk) -> None:
    body = {"integrationIdentifier": INTEGRATION, "subscriberId": "jo", "reference": "r"}
    first = desk.program.asks("POST", SESSIONS, body, Idempotency_Key="session-1")
    again = desk.program.asks("POST", SESSIONS, body, Idempotency_Key="session-1")
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replay"] == "true"


def test_reference_is_in_the_audit_log(desk: Desk) -> None:
    made = desk.creates(reference="audit-9")
    desk.program.asks("DELETE", f"{SESSIONS}/{made['id']}")
    query = text("SELECT action, subject_name FROM audit_entries WHERE subject = :id ORDER BY at")
    with desk.site.runtime.database.reading() as session:
        found = [tuple(row) for row in session.execute(query, {"id": made["id"]})]
    assert found == [("link.created", "audit-9"), ("link.revoked", "audit-9")]
