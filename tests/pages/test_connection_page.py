"""The page of one connection: its state with the repair, permissions, history and installs."""

from xml.etree.ElementTree import Element

import pytest
from sqlalchemy import update

from onboarding.services.connections.records import ConsoleSearch
from onboarding.store.connections import ChannelConnection
from onboarding.store.installations import Installation
from tests.browser_client import BrowserClient, Page, Site


@pytest.mark.parametrize(
    ("status", "sentence", "repair"),
    [
        ("healthy", "The connection works.", None),
        ("unknown", "The connection has not been checked yet", "verify"),
        ("unreachable", "Slack could not be reached.", "verify"),
        ("needs_reconnect", "The connection no longer works.", "reconnect-link"),
        ("disconnected", "Slack has ended the access.", "reconnect-link"),
    ],
)
def test_overview_says_state_cause_and_time_and_offers_the_repair(
    status: str, sentence: str, repair: str | None, site: Site, operator: BrowserClient
) -> None:
    address = _connected(site, operator)
    operator.presses(operator.opens(address), "verify")
    values: dict[str, str | None] = {"status": status, "status_reason": "Somebody did it."}
    if status == "disconnected":
        values["installation_id"] = None
    with site.runtime.database.transaction() as session:
        session.execute(update(ChannelConnection).values(**values))
    page = operator.opens(address)
    note = next(one for one in page.main.iter("div") if (one.get("class") or "").startswith("note "))
    words = _words(note)
    assert sentence in words
    assert ("Somebody did it." in words) == (status not in ("healthy", "unknown"))
    assert ("UTC" in words) == (status != "unknown")
    offered = [one.get("data-action") for one in note.iter("button")]
    assert offered[:1] == ([repair] if repair else [])


def test_permissions_are_sentences_with_what_was_granted(site: Site, operator: BrowserClient) -> None:
    address = _connected(site, operator)
    page = operator.opens(address)
    assert set(_permissions(page).values()) == {"yes"}
    assert "Update permissions" not in page.text
    with site.runtime.database.transaction() as session:
        session.execute(update(Installation).values(scopes="chat:write,users:read"))
    page = operator.opens(address)
    assert _permissions(page) == {
        "chat:write": "yes", "channels:read": "no", "chat:write.public": "no", "groups:read": "no", "users:read": "yes",
    }  # fmt: skip
    assert "with fewer permissions than the Slack app asks for" in page.text
    assert "Granted, and no longer asked for" in page.text
    assert "Not granted; optional, so the person may have declined it" in page.text
    consent = operator.presses(operator.presses(page, "update-permissions"), "connect")
    assert operator.allows(consent).outcome == "reconnected"
    page = operator.opens(address)
    assert set(_permissions(page).values()) == {"yes"}
    with site.runtime.database.transaction() as session:
        session.execute(update(Installation).values(scopes=""))
    assert "Not known yet. A check asks Slack for them." in operator.opens(address).text


def test_history_names_changes_and_their_actors(site: Site, operator: BrowserClient) -> None:
    address = _connected(site, operator)
    name = address.rpartition("/")[2]
    page = operator.presses(operator.opens(f"{address}/test-message"), "send-test", channel="C0000000")
    assert page.main.get("data-result") == "channel_not_found"
    operator.presses(operator.opens(f"{address}/disconnect"), "confirm-disconnect")
    operator.connects(site.link())
    with site.runtime.database.transaction() as session:
        session.execute(update(ChannelConnection).values(identifier=name))
    page = operator.opens(address)
    history = [one for one in page.main.iter("li") if one.get("data-change")]
    assert [one.get("data-change") for one in history] == ["connection.disconnected", "connection.connected"]
    assert "ada@northwind.test" in _words(history[0])
    assert "Customer with link lnk_" in _words(history[1])
    assert "No program has read the token." in page.text
    site.runtime.connections.retrieve(site.caller(), name)
    assert "by API key key_test" in operator.opens(address).text


def test_installs_of_the_connection_are_listed_and_no_others(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    link = site.link()
    failed = visitor.connects(link, scenario="cancelled").main.get("data-reference")
    visitor.connects(site.link(subscriber_id="cy", mode="subscriber"), "T0ACMETEST")
    connected = visitor.connects(link).main.get("data-reference")
    address = next(one for one in _addresses(site) if _customer(site, one) == "bea")
    rows = [one.get("data-attempt") for one in operator.opens(address).main.iter("tr") if one.get("data-attempt")]
    assert rows == [connected, failed]


def test_installs_with_an_open_choice_belong_to_the_connection_they_led_to(site: Site, operator: BrowserClient) -> None:
    set_up = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"))
    ended = operator.presses(set_up, "save", connection_mode="subscriber", subscriber_id="bea")
    (address,) = _addresses(site)
    page = operator.opens(address)
    assert [one.get("data-attempt") for one in page.main.iter("tr") if one.get("data-attempt")] == [
        ended.main.get("data-reference")
    ]


def test_viewer_sees_all_of_it_and_can_press_nothing(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    address = _connected(site, operator)
    with site.runtime.database.transaction() as session:
        session.execute(update(Installation).values(scopes="chat:write"))
    site.sign_in_url("vera@northwind.test", "viewer")
    visitor.signs_in("vera@northwind.test")
    page = visitor.opens(address)
    assert _permissions(page)["groups:read"] == "no"
    assert not list(page.main.iter("form"))
    assert "test-message" not in page.text
    assert visitor.opens(f"{address}/test-message").status == 403


def _customer(site: Site, address: str) -> str | None:
    environment = site.runtime.environments.first().id
    return site.runtime.connections.detail(environment, address.rpartition("/")[2]).connection.subscriber_id


def _addresses(site: Site) -> list[str]:
    page = site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None)
    return [f"/connections/{one.identifier}" for one in page.rows]


def _connected(site: Site, operator: BrowserClient) -> str:
    """Connect a workspace and return the address of its connection's page."""
    operator.connects(site.link())
    (address,) = _addresses(site)
    return address


def _permissions(page: Page) -> dict[str, str]:
    rows = (one for one in page.main.iter("li") if one.get("data-scope"))
    return {one.get("data-scope") or "": one.get("data-granted") or "" for one in rows}


def _words(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())
