"""The webhook pages of the console: endpoints, their deliveries, and what to do when messages do not arrive."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import select, update

from onboarding.callers import SHELL
from onboarding.event_types import EVENT_WORDS
from onboarding.services.webhooks.endpoints import MAX_ENDPOINTS
from onboarding.store.webhook_endpoints import TABLE as ENDPOINTS
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import KEY, SECRET, Clock
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import receiving, status

URL = "https://app.example.com/hooks/slack"


@pytest.fixture
def hooks(site: Site) -> Iterator[Hooks]:
    with receiving() as receiver:
        yield Hooks(site, receiver)


@pytest.fixture
def vera(site: Site) -> Iterator[BrowserClient]:
    """Vera, a viewer."""
    site.sign_in_url("vera@northwind.test", "viewer")
    with BrowserClient(site) as person:
        person.signs_in("vera@northwind.test")
        yield person


def test_endpoint_is_added_and_its_secret_is_shown_once(hooks: Hooks, operator: BrowserClient) -> None:
    empty = operator.opens("/webhooks")
    assert "No webhook endpoints yet" in empty.text
    form = operator.opens("/webhooks/new")
    for name, sentence in EVENT_WORDS.items():
        assert f"{name} {sentence}" in _words(form)
    chosen = ["connection.connected", "attempt.failed"]
    shown = _sends(operator, form, "add-webhook", url=hooks.receiver.url, scope="chosen", events=chosen)
    assert shown.name == "webhook-secret"
    secret = _text(shown, "webhook-secret")
    (endpoint,) = hooks.site.runtime.webhooks.endpoints.list(hooks.environment_id)
    assert (endpoint.url, endpoint.events) == (hooks.receiver.url, tuple(chosen))
    page = operator.opens(f"/webhooks/{endpoint.id}")
    delivery = operator.presses(page, "test-webhook")
    hooks.send_due()
    hooks.receiver.got[0].verify(secret)
    for address in ("/webhooks", page.url, f"{page.url}/edit", f"{page.url}/secret", delivery.url, "/audit"):
        assert secret not in operator.opens(address).text
    assert _recorded(hooks.site) == [("webhook.added", "operator:ada@northwind.test", _host(hooks))]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"url": ""}, "Address: Must begin with https:// and a host name."),
        ({"url": "http://app.example.com/"}, "Address: Must use https, except on this computer (localhost)."),
        ({"url": "https://10.0.0.1/"}, "private or reserved network; WEBHOOK_ALLOW_PRIVATE=on allows it."),
        ({"scope": "chosen"}, "Chosen events: Choose at least one event, or all events."),
        ({"scope": "chosen", "events": "nonsense"}, "Chosen events: 'nonsense' is not a valid choice"),
        ({"description": "x" * 256}, "Description: Must have at most 255 characters"),
    ],
)
def test_endpoint_that_cannot_work_is_explained(
    values: dict[str, str], wrong: str, site: Site, operator: BrowserClient
) -> None:
    given = {"url": URL, "scope": "all", "description": "Billing", **values}
    page = _sends(operator, operator.opens("/webhooks/new"), "add-webhook", **given)
    assert (page.status, page.name) == (422, "new-webhook")
    assert wrong in _words(page)
    assert given["url"] in page.text, "the input is kept"
    assert site.runtime.webhooks.endpoints.list(site.runtime.environments.first().id) == ()


def test_plain_http_is_refused_outside_practice_mode(
    start_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    with BrowserClient(start_site(practice="off")) as ada:
        ada.signs_in("ada@northwind.test")
        form = ada.opens("/webhooks/new")
        assert "may use http" not in form.text
        page = _sends(ada, form, "add-webhook", url="http://127.0.0.1:8000/", scope="all")
        assert (page.status, "Address: Must use https; http is for this computer, in practice mode." in page.text) == (
            422,
            True,
        )


def test_twenty_endpoints_are_the_most(hooks: Hooks, operator: BrowserClient) -> None:
    for number in range(MAX_ENDPOINTS):
        hooks.add(url=f"https://app{number}.example.com/")
    assert 'data-action="new-webhook"' not in operator.opens("/webhooks").text
    page = _sends(operator, operator.opens("/webhooks/new"), "add-webhook", url=URL, scope="all")
    assert page.status == 422
    assert "at most 20 webhook endpoints. Delete one that you no longer need." in page.text


def test_test_event_shows_the_answer_and_each_try_has_its_own(hooks: Hooks, operator: BrowserClient) -> None:
    endpoint = hooks.add()
    hooks.site.runtime.workers.add()
    page = operator.presses(operator.opens(f"/webhooks/{endpoint.id}"), "test-webhook")
    assert (page.name, page.main.get("data-state")) == ("webhook-delivery", "waiting")
    assert "The message is being sent." in page.text
    hooks.receiver.answer = status(503, b"<b>maintenance</b>\x01")
    hooks.send_due()
    page = operator.opens(page.url)
    assert "has not accepted the message yet. The answer had status 503. Next try:" in _words(page)
    listed = operator.opens(f"/webhooks/{endpoint.id}")
    assert listed.main.get("data-state") == "failing"
    assert "503 <b>maintenance</b>" in _row(listed, "data-delivery")
    assert "1 try" in _row(listed, "data-delivery")
    assert "Next try:" in _row(listed, "data-delivery")
    hooks.receiver.answer = status(204, b"")
    hooks.send_due()
    page = operator.opens(page.url)
    assert page.main.get("data-state") == "delivered"
    newest, first = (" ".join("".join(one.itertext()).split()) for one in page.main.iter("li") if one.get("data-try"))
    assert newest.startswith("Accepted")
    assert "status 204" in newest
    assert first.startswith("Failed")
    assert "<b>maintenance</b>\ufffd" in first
    assert '"type": "webhook.test"' in _text(page, "message-body")


def test_message_that_was_not_delivered_is_replayed(hooks: Hooks, operator: BrowserClient) -> None:
    endpoint = hooks.add()
    _parks(hooks, endpoint.id)
    page = operator.opens(f"/webhook-deliveries/{hooks.deliveries()[0].id}")
    assert "Your server did not get this message. The answer had status 500." in _words(page)
    assert len([one for one in page.main.iter("li") if one.get("data-try")]) == 9
    assert operator.presses(page, "replay").main.get("data-state") == "waiting"
    hooks.receiver.answer = status(200)
    hooks.send_due()
    page = operator.opens(page.url)
    assert page.main.get("data-state") == "delivered"
    assert len([one for one in page.main.iter("li") if one.get("data-try")]) == 10
    assert len({got.body for got in hooks.receiver.got}) == 1
    assert ("webhook.replayed", "operator:ada@northwind.test", _host(hooks)) in _recorded(hooks.site)


@pytest.mark.parametrize("reason", ["gone", "failures", "requested"])
def test_paused_endpoint_says_why_and_is_resumed(
    reason: str, hooks: Hooks, operator: BrowserClient, visitor: BrowserClient, clock: Clock
) -> None:
    endpoint = hooks.add()
    page = operator.opens(f"/webhooks/{endpoint.id}")
    if reason == "requested":
        operator.presses(page, "pause-webhook")
    else:
        hooks.receiver.answer = status(410 if reason == "gone" else 500)
        operator.presses(page, "test-webhook")
        hooks.send_due()
        if reason == "failures":
            clock.forward(days=5.1)
            operator.signs_in("ada@northwind.test")
            hooks.send_due()
    visitor.connects(hooks.site.link())
    causes = {
        "gone": "Your server answered with status 410 (Gone).",
        "failures": "Your server accepted no message for five days.",
        "requested": "An operator, a command or the API paused it.",
    }
    page = operator.opens(page.url)
    assert page.main.get("data-state") == "paused"
    assert f"This endpoint is paused and gets no events. {causes[reason]}" in _words(page)
    assert 'data-action="test-webhook"' not in page.text
    assert 'data-action="replay-all"' not in page.text
    listed = operator.opens("/webhooks")
    assert "Paused" in _row(listed, "data-webhook")
    assert ("paused, because your server did not accept" in listed.text) is (reason != "requested")
    kept = operator.opens(f"/webhook-deliveries/{hooks.deliveries()[-1].id}")
    assert "The endpoint was paused." in kept.text
    assert 'data-action="replay"' not in kept.text
    page = operator.presses(page, "resume-webhook")
    assert page.main.get("data-state") == "enabled"
    parked = len(hooks.deliveries(state="parked"))
    page = operator.presses(page, "replay-all")
    assert f"{'One message is' if parked == 1 else f'{parked} messages are'} sent again." in _words(page)
    assert not hooks.deliveries(state="parked")


def test_page_that_is_older_than_a_pause_does_nothing(hooks: Hooks, operator: BrowserClient) -> None:
    endpoint = hooks.add()
    _parks(hooks, endpoint.id)
    page = operator.opens(f"/webhooks/{endpoint.id}")
    delivery = operator.opens(f"/webhook-deliveries/{hooks.deliveries()[0].id}")
    hooks.change(endpoint.id, is_enabled=False)
    for opened, action in ((page, "test-webhook"), (page, "replay-all"), (delivery, "replay")):
        shown = operator.presses(opened, action)
        assert (shown.status, "is paused" in shown.text) == (200, True), action
    assert hooks.waiting() == []


def test_deliveries_are_filtered_and_paged(hooks: Hooks, operator: BrowserClient, visitor: BrowserClient) -> None:
    endpoint, other = hooks.add(), hooks.add("connection.renamed")
    visitor.connects(hooks.site.link())
    hooks.send_due()
    for _ in range(30):
        hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, other.id)
    address = f"/webhooks/{endpoint.id}"
    first = operator.opens(address)
    second = operator.opens(first.link("next"))
    assert (len(_ids(first)), len(_ids(second)), "31 deliveries" in first.text) == (25, 6, True)
    assert set(_ids(first)).isdisjoint(_ids(second))
    assert _ids(operator.opens(second.link("prev"))) == _ids(first)
    (connected,) = hooks.deliveries(event="connection.connected")
    for query in ("status=delivered", "event=connection.connected", f"subject={connected.subject}"):
        assert _ids(operator.opens(f"{address}?{query}")) == [connected.id], query
    waiting = operator.opens(f"{address}?status=waiting&event=webhook.test")
    assert "status=waiting" in waiting.link("next")
    assert "No deliveries match these filters" in operator.opens(f"{address}?status=parked").text
    odd = operator.opens(f"{address}?status=nonsense&event=nothing")
    assert "Status “nonsense” is unknown" in odd.text
    assert "Event “nothing” is unknown" in odd.text
    assert _ids(odd) == _ids(first)
    assert operator.opens(f"{address}?after=broken").status == 400


def test_secret_is_changed_and_both_are_valid_for_a_day(hooks: Hooks, operator: BrowserClient, clock: Clock) -> None:
    endpoint = hooks.add()
    assert endpoint.secret is not None
    address = f"/webhooks/{endpoint.id}/secret"
    question = operator.opens(address)
    assert "less than 24 hours ago" not in question.text
    shown = operator.presses(question, "confirm-rotate-secret")
    secret = _text(shown, "webhook-secret")
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    hooks.send_due()
    for one in (endpoint.secret, secret):
        hooks.receiver.got[0].verify(one)
    assert "less than 24 hours ago" in operator.opens(address).text
    assert "Two secrets are valid until" in _words(operator.opens(f"/webhooks/{endpoint.id}"))
    clock.forward(hours=25)
    operator.signs_in("ada@northwind.test")
    assert "Two secrets are valid until" not in _words(operator.opens(f"/webhooks/{endpoint.id}"))
    assert ("webhook.rotated", "operator:ada@northwind.test", _host(hooks)) in _recorded(hooks.site)


def test_endpoint_is_changed_and_deleted_after_a_question(hooks: Hooks, operator: BrowserClient) -> None:
    endpoint = hooks.add("connection.renamed")
    form = operator.opens(f"/webhooks/{endpoint.id}/edit")
    checked = [one.get("value") for one in form.main.iter("input") if "checked" in one.attrib]
    assert checked == ["chosen", "connection.renamed"]
    wrong = _sends(operator, form, "save-webhook", url="ftp://x", scope="all")
    assert (wrong.status, "Address: Must begin with https://" in wrong.text) == (422, True)
    page = _sends(operator, form, "save-webhook", url=URL, scope="all", description="Billing")
    assert (page.name, page.heading) == ("webhook", "Billing")
    changed = hooks.endpoint(endpoint.id)
    assert (changed.url, changed.events, changed.description) == (URL, (), "Billing")
    question = operator.opens(f"/webhooks/{endpoint.id}/delete")
    assert operator.presses(question, "confirm-delete-webhook").name == "webhooks"
    assert operator.opens(page.url).status == 404
    assert {action for action, _, _ in _recorded(hooks.site)} == {"webhook.added", "webhook.changed", "webhook.removed"}


def test_viewer_sees_everything_without_buttons(hooks: Hooks, vera: BrowserClient) -> None:
    paused, running = hooks.add(), hooks.add()
    for one in (paused, running):
        hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, one.id)
    hooks.receiver.answer = status(410)
    hooks.send_due()
    hooks.change(running.id, is_enabled=True)
    deliveries = [f"/webhook-deliveries/{one.id}" for one in hooks.deliveries()]
    for address in ("/webhooks", f"/webhooks/{paused.id}", f"/webhooks/{running.id}", *deliveries):
        page = vera.opens(address)
        assert (page.status, "127.0.0.1" in page.text) == (200, True)
        assert not [one for one in page.main.iter("form") if one.get("method") == "post"], address
        links = [one.get("data-action") for one in page.main.iter("a") if one.get("data-action")]
        assert set(links) <= {"refresh"}, address
        assert "whsec_" not in page.text


def test_connection_lists_the_deliveries_about_it(
    hooks: Hooks, operator: BrowserClient, visitor: BrowserClient
) -> None:
    visitor.connects(hooks.site.link(subscriber_id="ann", mode="subscriber"))
    hooks.add()
    visitor.connects(hooks.site.link(subscriber_id="bea", mode="subscriber"))
    (one,) = hooks.deliveries()
    page = operator.opens(f"/connections/{one.subject}")
    assert _ids(page) == [one.id]
    delivery = operator.opens(f"/webhook-deliveries/{one.id}")
    assert f"/connections/{one.subject}" in [urlsplit(link.get("href", "")).path for link in delivery.main.iter("a")]
    assert "xoxb-" not in delivery.text
    other = next(row for row in _connections(operator) if row != one.subject)
    assert "No deliveries about this connection" in operator.opens(f"/connections/{other}").text
    hooks.site.runtime.connections.disconnect(hooks.environment_id, one.subject, SHELL)
    assert f"{one.subject} deleted since" in _words(operator.opens(delivery.url))


def test_pages_say_what_waits_while_no_worker_runs(hooks: Hooks, operator: BrowserClient) -> None:
    endpoint = hooks.add()
    operator.connects(hooks.site.link())
    listed = operator.opens("/connections")
    (name,) = _connections(operator)
    begun = {"csrf_token": listed.csrf_token, "scope": "all", "action": "check"}
    run = operator.asks("POST", "/bulk", data=begun).headers["Location"]
    delivery = hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    expected = {
        "/connections": "Connections are not checked, tokens are not refreshed, and Slack’s events",
        f"/connections/{name}": "The connection is not checked",
        "/bulk": "Unfinished bulk actions wait.",
        run: "This bulk action waits.",
        "/webhooks": "Messages to your server wait.",
        f"/webhooks/{endpoint.id}": "Messages to this endpoint wait.",
        f"/webhook-deliveries/{delivery}": "This message waits.",
    }
    command = re.compile(rf"PORT={hooks.site.settings.port} \S*onboarding worker ")
    for address, waiting in expected.items():
        text = _words(operator.opens(address))
        assert f"No worker is running. {waiting}" in text, address
        assert command.match(text.split("settings of this server: ")[1]), address
    worker = hooks.site.runtime.workers.add()
    for address in expected:
        assert "No worker is running" not in operator.opens(address).text, address
    hooks.site.runtime.workers.remove(worker)
    assert "No worker is running" in operator.opens("/webhooks").text


def test_secret_that_cannot_be_decrypted_is_replaced(hooks: Hooks, operator: BrowserClient) -> None:
    endpoint, other = hooks.add(), hooks.add()
    with hooks.site.runtime.database.transaction() as session:
        # The value of another row cannot be opened in this one.
        session.execute(
            update(ENDPOINTS)
            .where(ENDPOINTS.c.id == endpoint.id)
            .values(secret=select(ENDPOINTS.c.secret).where(ENDPOINTS.c.id == other.id).scalar_subquery())
        )
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint.id)
    hooks.send_due()
    assert "cannot be decrypted. Change it." in operator.opens(f"/webhook-deliveries/{hooks.deliveries()[0].id}").text
    question = operator.opens(f"/webhooks/{endpoint.id}/secret")
    secret = _text(operator.presses(question, "confirm-rotate-secret"), "webhook-secret")
    hooks.send_due()
    hooks.receiver.got[0].verify(secret)


def _sends(person: BrowserClient, page: Page, action: str, **values: str | list[str]) -> Page:
    """Send these values of a form, as a browser does that leaves out boxes without a check mark."""
    address = urljoin(page.url, page.form_of(action).get("action"))
    answer = person.asks("POST", address, data={"csrf_token": page.csrf_token, **values})
    return person.opens(answer.headers["Location"]) if answer.is_redirect else person._page(answer)


def _parks(hooks: Hooks, endpoint_id: str) -> None:
    """Let all tries of a message fail."""
    hooks.receiver.answer = status(500)
    hooks.site.runtime.webhooks.endpoints.test(hooks.environment_id, endpoint_id)
    for _ in range(9):
        hooks.send_due()


def _words(page: Page) -> str:
    return " ".join(" ".join(page.main.itertext()).split())


def _text(page: Page, id_: str) -> str:
    found = page.main.find(f".//*[@id='{id_}']")
    assert found is not None, page.text
    return "".join(found.itertext())


def _row(page: Page, hook: str) -> str:
    return next(" ".join(" ".join(one.itertext()).split()) for one in page.main.iter("tr") if hook in one.attrib)


def _ids(page: Page) -> list[str]:
    return [name for one in page.main.iter("tr") if (name := one.get("data-delivery"))]


def _connections(person: BrowserClient) -> list[str]:
    return [name for one in person.opens("/connections").main.iter("tr") if (name := one.get("data-connection"))]


def _host(hooks: Hooks) -> str:
    return urlsplit(hooks.receiver.url).netloc


def _recorded(site: Site) -> list[tuple[str, str, str | None]]:
    """Return action, actor and subject's name of the entries about webhooks."""
    found = entries(site.runtime.database)
    return [(one.action, one.actor, one.subject_name) for one in found if one.action.startswith("webhook.")]
