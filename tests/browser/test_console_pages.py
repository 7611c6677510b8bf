"""The console's pages of installs, a connection, bulk actions and webhooks in a browser: widths, keyboard, progress."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from onboarding.services.connections.records import ConsoleSearch
from tests.browser.navigator import Operator
from tests.browser_client import BrowserClient, Site
from tests.webhooks.conftest import Hooks
from tests.webhooks.receiver import receiving, status

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (320, 375, 1024, 1280, 1920)


def test_pages_fit_every_width(site: Site, ada: Callable[..., Operator]) -> None:
    with BrowserClient(site) as bea:
        bea.connects(site.link(subscriber_id="customer-" + "0123456789" * 6, mode="subscriber"), scenario="cancelled")
        bea.connects(site.link(context_keys=(f"tenant:{'t' * 60}",)))
    environment_id = site.runtime.environments.first().id
    (connection,) = site.runtime.connections.page(environment_id, ConsoleSearch(), None, None).rows
    me = ada()
    me.signs_in()
    me.presses("bulk")
    me.page.locator(".row-check input").check()
    _fits(me)
    me.presses("bulk-link")
    me.is_on("bulk-action")
    site.runtime.bulk.work(me.page.url.rpartition("/")[2])
    for address in (
        me.page.url,
        "/bulk",
        "/links",
        "/links/new",
        f"/links/{site.runtime.links.newest(environment_id)[0].id}",
        f"/connections/{connection.identifier}/disconnect",
        "/attempts",
        "/attempts?q=nobody",
        "/diagnose",
        f"/connections/{connection.identifier}",
        f"/connections/{connection.identifier}/test-message",
    ):
        me.opens(address)
        _fits(me)


def test_results_of_a_bulk_action_name_their_connection_on_a_phone(site: Site, ada: Callable[..., Operator]) -> None:
    with BrowserClient(site) as bea:
        bea.connects(site.link())
    me = ada(viewport={"width": 320, "height": 800})
    me.signs_in()
    me.presses("bulk")
    me.page.locator(".row-check input").check()
    # The longest result.
    site.slack.removes_app(
        site.runtime.integrations.all_of(site.runtime.environments.first().id)[0].client_id, "T0ACMEHQ01"
    )
    me.presses("bulk-disconnect")
    me.presses("confirm-bulk")
    site.runtime.bulk.work(me.page.url.rpartition("/")[2])
    me.page.reload()
    expect(me.page.get_by_text("Disconnected, already removed in Slack", exact=True)).to_be_visible()
    name = me.page.locator("[data-connection] .cell-main").bounding_box()
    assert name is not None
    assert name["width"] > 200
    assert me.width <= 320


def test_bulk_action_is_chosen_by_keyboard_and_shows_its_progress(site: Site, ada: Callable[..., Operator]) -> None:
    list(site.runtime.demo_connections.create("Development", 30))
    me = ada()
    me.signs_in()
    boxes = me.page.locator(".row-check input")
    expect(boxes.first).to_be_hidden()
    me.presses_by_keyboard(me.page.locator("[data-action=bulk]"))
    me.presses_by_keyboard(me.page.locator("[data-select-all]"))
    expect(boxes.nth(24)).to_be_checked()
    boxes.first.focus()
    me.page.keyboard.press("Space")
    expect(boxes.first).not_to_be_checked()
    me.presses("bulk-check")
    me.is_on("bulk-action")
    progress = me.page.get_by_role("status")
    expect(progress).to_contain_text("0 of 24 done")
    site.runtime.bulk.work(me.page.url.rpartition("/")[2])
    # The page notices it by itself.
    expect(progress).to_contain_text("Done.", timeout=10_000)
    # Slack knows none of the tokens. One in two hundred made-up connections is disconnected, and has none.
    results = me.page.locator("[data-result=needs_reconnect], [data-result=disconnected]")
    expect(results).to_have_count(24)


def test_answer_to_a_test_event_appears_by_itself(site: Site, ada: Callable[..., Operator]) -> None:
    with receiving() as receiver:
        receiver.answer = status(503, b"<p>" + b"x" * 300)
        hooks = Hooks(site, receiver)
        endpoint = hooks.add()
        site.runtime.workers.add()
        me = ada()
        me.signs_in()
        me.opens(f"/webhooks/{endpoint.id}")
        me.presses_by_keyboard(me.page.locator("[data-action=test-webhook]"))
        me.is_on("webhook-delivery")
        expect(me.page.get_by_text("The message is being sent.")).to_be_visible()
        hooks.send_due()
        expect(me.page.get_by_text("has not accepted the message yet")).to_be_visible(timeout=10_000)
        _fits(me)
        for address in ("/webhooks", f"/webhooks/{endpoint.id}"):
            me.opens(address)
            _fits(me)
        me.opens("/webhooks/new")
        boxes = me.page.locator("[name=events]")
        expect(boxes.first).to_be_hidden()
        me.reaches(me.page.locator("[name=scope]").first)
        me.page.keyboard.press("ArrowDown")
        expect(boxes.first).to_be_visible()
        _fits(me)


def _fits(me: Operator) -> None:
    for width in WIDTHS:
        me.page.set_viewport_size({"width": width, "height": 800})
        assert me.width <= width, (me.page.url, width)
