"""The operator's list of connections, a connection's page, and its disconnect."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onboarding import ids
from onboarding.sealed import Sealed
from onboarding.services.installs.records import Choice
from onboarding.store import connection_changes, connections, installations, integrations
from tests.api.conftest import Program
from tests.browser_client import BrowserClient, Page, Site

_DIRECTIONS = {"next": "next", "prev": "previous"}
FIRST = datetime(2026, 5, 3, 12, tzinfo=UTC)


def test_empty_list_says_how_to_start(operator: BrowserClient) -> None:
    page = operator.opens("/connections")
    assert (page.status, _listed(page)) == (200, [])
    assert "/slack/install" in page.text
    assert "link create" in page.text


def test_sixty_connections_are_three_pages_newest_first(site: Site, operator: BrowserClient) -> None:
    _many(site, 60)
    first = operator.opens("/connections")
    second = operator.opens(first.link("next"))
    third = operator.opens(second.link("next"))
    assert [len(_listed(page)) for page in (first, second, third)] == [25, 25, 10]
    assert _listed(first) + _listed(second) + _listed(third) == [f"chconn_{number:02d}" for number in range(59, -1, -1)]
    assert "60 connections" in first.text


def test_previous_links_lead_to_the_same_pages(site: Site, operator: BrowserClient) -> None:
    _many(site, 60)
    first = operator.opens("/connections")
    second = operator.opens(first.link("next"))
    third = operator.opens(second.link("next"))
    back = operator.opens(third.link("prev"))
    assert _listed(back) == _listed(second)
    assert _listed(operator.opens(back.link("prev"))) == _listed(first)
    assert _listed(operator.opens(back.link("next"))) == _listed(third)


def test_first_and_last_page_link_no_further(site: Site, operator: BrowserClient) -> None:
    _many(site, 26)
    first = operator.opens("/connections")
    last = operator.opens(first.link("next"))
    again = operator.opens(last.link("prev"))
    assert _link_directions(first) == {"next"}
    assert _link_directions(last) == {"previous"}
    assert _link_directions(again) == {"next"}


def test_connections_of_one_moment_are_listed_once_each(site: Site, operator: BrowserClient) -> None:
    _many(site, 40, apart=timedelta())
    first = operator.opens("/connections")
    assert len({*_listed(first), *_listed(operator.opens(first.link("next")))}) == 40


def test_new_connection_does_not_shift_the_pages_being_read(site: Site, operator: BrowserClient) -> None:
    _many(site, 30)
    first = operator.opens("/connections")
    _many(site, 31, start=30)
    assert _listed(operator.opens(first.link("next"))) == [f"chconn_{number:02d}" for number in range(4, -1, -1)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=Acme+3", ["chconn_03"]),
        ("q=acme+3", ["chconn_03"]),
        ("q=3", ["chconn_03"]),
        ("q=C4+tenant", ["chconn_04"]),
        ("q=customer-2", ["chconn_02"]),
        ("q=T04", ["chconn_04"]),
        ("q=chconn_01", ["chconn_01"]),
        ("q=%25", []),
        ("q=_cme", []),
        ("context=tenant:c3", ["chconn_03"]),
        ("context=tenant:c", []),
        ("status=healthy&q=Acme+1", ["chconn_01"]),
        ("status=disconnected", []),
        ("mode=shared", []),
        ("integration=slack-practice&context=tenant:c0", ["chconn_00"]),
        ("context=tenant%3Dc3", ["chconn_03"]),
        ("context=c3", ["chconn_03"]),
        ("context=nobody", []),
        ("context=c3&q=Acme+2", []),
        ("context=c3&q=%25", []),
    ],
)
def test_filters_show_matching_connections(site: Site, operator: BrowserClient, query: str, found: list[str]) -> None:
    _many(site, 5)
    page = operator.opens(f"/connections?{query}")
    assert _listed(page) == found
    assert found or "No connections match these filters" in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=broken", "Status “broken” is unknown"),
        ("mode=both", "Mode “both” is unknown"),
        ("integration=other", "Integration “other” is unknown"),
        ("context=tenant:c1,tenant:c2", "Context “tenant:c1,tenant:c2” is unknown"),
        ("sort=age", "Order “age” is unknown"),
    ],
)
def test_unknown_value_of_a_filter_is_reported_and_left_out(
    site: Site, operator: BrowserClient, query: str, said: str
) -> None:
    _many(site, 2)
    page = operator.opens(f"/connections?{query}")
    assert said in page.text
    assert _listed(page) == ["chconn_01", "chconn_00"]


@pytest.mark.parametrize("sort", ["created", "workspace", "status", "checked"])
@pytest.mark.parametrize("descending", [False, True])
def test_list_is_sorted_and_paged_in_every_order(
    site: Site, operator: BrowserClient, sort: str, descending: bool
) -> None:
    _many(site, 53)
    sorted_by = [_vary(site, number)[sort] for number in range(53)]
    page = operator.opens(f"/connections?sort={'-' if descending else ''}{sort}")
    listed = _listed(page)
    for position in ("26–50 of 53", "51–53 of 53"):
        page = operator.opens(page.link("next"))
        assert f"{position} connections" in page.text
        listed += _listed(page)
    numbers = [int(identifier.removeprefix("chconn_")) for identifier in listed]
    assert sorted(numbers) == list(range(53))
    values = [sorted_by[number] for number in numbers]
    assert values == sorted(sorted_by, reverse=descending)
    assert _listed(operator.opens(page.link("prev"))) == listed[25:50]


@pytest.mark.parametrize("sign", ["", "-"])
def test_earlier_name_of_an_order_still_works(site: Site, operator: BrowserClient, sign: str) -> None:
    _many(site, 6)
    for number in range(6):
        _vary(site, number)
    page = operator.opens(f"/connections?sort={sign}state")
    assert "is unknown" not in page.text
    assert _listed(page) == _listed(operator.opens(f"/connections?sort={sign}status"))
    assert f'value="{sign}status" selected' in page.text


def _vary(site: Site, number: int) -> dict[str, Any]:
    """Give a connection a name, state and last check of its own. Return what it is sorted by."""
    name = (None, "émile", "Acme", "beta")[number % 4]
    status = ("healthy", "needs_reconnect", "unreachable")[number % 3]
    checked = FIRST + timedelta(days=number * 7 % 5) if number % 5 else None
    values = {"workspace_name": name, "workspace_id": f"T{number:02d}", "status": status, "checked_at": checked}
    with site.runtime.database.transaction() as session:
        row = connections.by_identifier(session, site.runtime.environments.first().id, f"chconn_{number:02d}")
        assert row is not None
        connection_changes.change(session, row.id, **values)
    return {
        "created": row.created_at,
        "workspace": (name or f"t{number:02d}").casefold(),
        "status": (status, row.created_at),
        "checked": checked or row.created_at,
    }


def test_filters_stay_on_other_pages(site: Site, operator: BrowserClient) -> None:
    _many(site, 60)
    first = operator.opens("/connections?q=Acme&status=healthy&integration=slack-practice&mode=subscriber")
    second = operator.opens(first.link("next"))
    assert all(part in second.url for part in ("q=Acme", "status=healthy", "integration=slack-practice", "mode="))
    assert len(_listed(second)) == 25


@pytest.mark.parametrize("cursor", ["x", "AAAA", "MjAyNi0wMS0wMQ", "%F0%9F%92%A9", "=", "MjAyNnxjb24"])
def test_invalid_cursor_is_no_server_fault(operator: BrowserClient, cursor: str) -> None:
    assert operator.opens(f"/connections?after={cursor}").status in (200, 400)


def test_detail_shows_the_documented_fields_and_no_token(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link(subscriber_id="bea", context_keys=("tenant:acme",), mode="subscriber"))
    identifier = _listed(operator.opens("/connections"))[0]
    page = operator.opens(f"/connections/{identifier}")
    token = _token(site)
    for shown in (identifier, "slack", "chat", "slack-practice", "bea", "acme", token[-4:]):
        assert shown in page.text
    assert token not in page.text
    assert token[:-4] not in page.text


def test_unknown_connection_is_not_found(operator: BrowserClient) -> None:
    for rest in ("", "/disconnect", "/disconnected"):
        assert operator.opens(f"/connections/chconn_nothing{rest}").status == 404


def test_disconnecting_asks_first_and_uninstalls_the_app(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    identifier = _listed(operator.opens("/connections"))[0]
    confirm = operator.opens(f"/connections/{identifier}/disconnect")
    assert _listed(operator.opens("/connections")) == [identifier]
    page = operator.presses(confirm, "confirm-disconnect")
    assert page.status == 200
    assert [call.method for call in site.slack.calls()][-1] == "auth.revoke"
    assert _listed(operator.opens("/connections")) == []
    assert operator.opens(f"/connections/{identifier}").status == 404
    assert operator.opens(page.url).heading == page.heading


def test_access_is_checked_on_the_connections_page(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    shown = operator.opens(f"/connections/{_listed(operator.opens('/connections'))[0]}")
    assert "the connection works" in operator.presses(shown, "verify").text
    site.slack.fails("auth.test", "status_500")
    assert "Slack did not answer." in operator.presses(shown, "verify").text
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    assert "The connection no longer works." in operator.presses(shown, "verify").text


def test_token_too_short_to_show_in_part_is_reported_as_stored(site: Site, operator: BrowserClient) -> None:
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("program", "Development"))
    name = program.creates(auth={"accessToken": "short"}).json()["identifier"]
    assert "Stored" in operator.opens(f"/connections/{name}").text


def test_integrations_of_one_name_are_distinguished(site: Site, operator: BrowserClient) -> None:
    site.add_practice_app("slack-two", "Northwind", "Development")
    assert "Northwind (slack-two)" in operator.opens("/connections?q=x").text
    choice = operator.opens("/slack/install")
    assert choice.name == "choose-app"
    assert "slack-two" in choice.text


def test_disconnecting_while_slack_is_down_says_that_it_is_not_confirmed(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    identifier = _listed(operator.opens("/connections"))[0]
    confirm = operator.opens(f"/connections/{identifier}/disconnect")
    site.slack.fails("auth.revoke", "internal_error")
    page = operator.presses(confirm, "confirm-disconnect")
    assert (page.status, "not confirm" in page.text) == (200, True)
    assert _listed(operator.opens("/connections")) == []


def test_app_stays_in_a_workspace_that_another_connection_uses(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link(subscriber_id="bea"))
    operator.connects(site.link(subscriber_id="bob"))
    newest = _listed(operator.opens("/connections"))[0]
    operator.presses(operator.opens(f"/connections/{newest}/disconnect"), "confirm-disconnect")
    assert "auth.revoke" not in [call.method for call in site.slack.calls()]
    assert len(_listed(operator.opens("/connections"))) == 1


def test_pressing_disconnect_twice_finds_nothing_the_second_time(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    identifier = _listed(operator.opens("/connections"))[0]
    confirm = operator.opens(f"/connections/{identifier}/disconnect")
    operator.presses(confirm, "confirm-disconnect")
    assert operator.presses(confirm, "confirm-disconnect").status == 404


def _listed(page: Page) -> list[str]:
    rows = (row.get("data-connection") for row in page.root.iter("tr"))
    return [row for row in rows if row]


def _link_directions(page: Page) -> set[str]:
    return {_DIRECTIONS[one.get("rel", "")] for one in page.main.iter("a") if one.get("rel") in _DIRECTIONS}


def _token(site: Site) -> str:
    with site.slack.reading() as ledger:
        return str(next(iter(ledger.tokens)))


def _many(site: Site, end: int, start: int = 0, apart: timedelta = timedelta(minutes=1)) -> None:
    """Create connections `start` to `end` of the practice integration, each newer than the one before."""
    environment = site.runtime.environments.first().id
    with site.runtime.database.transaction() as session:
        integration = integrations.by_identifier(session, environment, "slack-practice")
        assert integration is not None
        for number in range(start, end):
            _one(session, environment, integration.id, number, FIRST + number * apart)


def _one(session: Any, environment: str, integration: str, number: int, at: datetime) -> None:
    row_id = ids.new_id("ins")
    installations.add(
        session,
        id=row_id,
        environment_id=environment,
        integration_id=integration,
        slack_key=f"team:T{number:02d}",
        scopes="chat:write",
        access_token=Sealed("0" * 12, b"never opened"),
        token_last_four="abcd",
        token_since=at,
    )
    choice = Choice("subscriber", f"customer-{number}", (f"tenant:c{number}",))
    connection_changes.add(
        session,
        choice.context_keys,
        id=ids.new_id("con"),
        environment_id=environment,
        identifier=f"chconn_{number:02d}",
        integration_id=integration,
        installation_id=row_id,
        identity_key=choice.identity_key(integration),
        mode="subscriber",
        subscriber_id=choice.subscriber_id,
        workspace_id=f"T{number:02d}",
        workspace_name=f"Acme {number}",
        status="healthy",
        created_at=at,
        updated_at=at,
    )


@pytest.mark.parametrize(
    ("asked", "clean"),
    [
        ("/connections?q=&status=&sort=", "/connections"),
        ("/connections?q=+acme+%26+co&status=&mode=shared&mode=", "/connections?q=+acme+%26+co&mode=shared"),
        ("/attempts?q=&outcome=failed", "/attempts?outcome=failed"),
        ("/audit?actor=&since=7", "/audit?since=7"),
    ],
)
def test_filter_form_leads_to_an_address_without_empty_fields(asked: str, clean: str, operator: BrowserClient) -> None:
    page = operator.opens(asked)
    assert (page.status, page.url.partition("//")[2].partition("/")[2]) == (200, clean[1:])


def test_only_people_who_are_signed_in_are_led_to_a_clean_address(visitor: BrowserClient) -> None:
    assert visitor.asks("GET", "/connections?q=").status_code == 401
