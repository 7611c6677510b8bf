"""The set-up page, while Slack's grant waits encrypted."""

import re

import pytest

from onboarding.callers import SHELL
from onboarding.errors import Conflict
from onboarding.identity import OfferedContext
from onboarding.jobs import sweep
from onboarding.services.connections.records import ConsoleSearch
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock

_FULL = {"connection_mode": "subscriber", "subscriber_id": "cy", "contexts-0-type": "tenant", "contexts-0-id": "c1"}


def reaches_setup(operator: BrowserClient, workspace: str = "T0ACMEHQ01") -> Page:
    page = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"), workspace)
    assert page.name == "setup"
    return page


def error_beside(page: Page, field: str) -> str:
    """Return the error next to a field, found as a screen reader finds it."""
    control = next(one for one in page.root.iter() if one.get("id") == field)
    assert control.get("aria-invalid") == "true" or control.tag == "fieldset"
    ids = (control.get("aria-describedby") or "").split()
    assert f"{field}-error" in ids
    said = next(one for one in page.root.iter() if one.get("id") == f"{field}-error")
    assert any(one.get("href") == f"#{field}" for one in page.main.iter("a")), "the summary leads to the field"
    return " ".join("".join(said.itertext()).split())


def value_of(page: Page, name: str) -> str:
    fields = [one for one in page.root.iter("input") if one.get("name") == name]
    chosen = [one for one in fields if one.get("type") != "radio" or "checked" in one.attrib]
    return chosen[0].get("value", "")


def connections_of(site: Site) -> int:
    return site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).total


def checks(site: Site) -> list[str]:
    """Verify every connection and return their statuses."""
    environment_id = site.runtime.environments.first().id
    for row in site.runtime.connections.page(environment_id, ConsoleSearch(), None, None).rows:
        site.runtime.connections.verify(environment_id, row.identifier)
    return [row.status for row in site.runtime.connections.page(environment_id, ConsoleSearch(), None, None).rows]


@pytest.mark.parametrize(
    ("filled", "field", "sentence"),
    [
        ({"subscriber_id": ""}, "subscriber_id", "Enter an id"),
        ({"subscriber_id": "a/b"}, "subscriber_id", "without /"),
        ({"subscriber_id": "s" * 256}, "subscriber_id", "255"),
        ({"contexts-0-id": ""}, "contexts-0-id", "Enter the id"),
        ({"contexts-0-type": ""}, "contexts-0-type", "Enter the type"),
        ({"contexts-0-id": "c 1"}, "contexts-0-id", "letters, digits"),
        ({"contexts-1-type": "tenant", "contexts-1-id": "c2"}, "contexts", "Use each type once"),
        (
            {"connection_mode": "shared", "contexts-0-type": "", "contexts-0-id": ""},
            "contexts",
            "Enter a type and an id",
        ),
    ],
)
def test_an_error_is_next_to_its_field_and_the_input_is_kept(
    filled: dict[str, str], field: str, sentence: str, site: Site, operator: BrowserClient
) -> None:
    given = {**_FULL, **filled}
    page = operator.presses(reaches_setup(operator), "save", **given)
    assert (page.status, page.name) == (422, "setup")
    assert sentence in error_beside(page, field)
    assert {name: value_of(page, name) for name in given} == given
    assert connections_of(site) == 0
    put_right = {"contexts-1-type": "", "contexts-1-id": ""}
    assert operator.presses(page, "save", **_FULL, **put_right).outcome == "connected"


def test_customer_chooses_in_plain_words(site: Site, visitor: BrowserClient) -> None:
    """The choices have the host's labels, and the id where there is none. Each has a sentence about its effect."""
    offered = (OfferedContext("tenant", "acme", "Acme, the whole company"), OfferedContext("tenant", "emea"))
    setup = visitor.connects(site.link(subscriber_id="northwind", offered_contexts=offered))
    words = setup.words
    for choice in ("Just for northwind", "Everyone in Acme HQ", "Acme, the whole company", "emea"):
        assert choice in words
    assert "Messages for “Acme, the whole company” go to Acme HQ." in words
    assert not re.search(r"subscriber|context|tenant|mode\b|shared", words, re.IGNORECASE)
    page = visitor.presses(setup, "save", connection_mode="shared", offered_context="tenant:acme")
    assert page.outcome == "connected"


def test_mode_that_a_link_fixes_is_not_asked_for(site: Site, visitor: BrowserClient) -> None:
    offered = (OfferedContext("tenant", "acme"), OfferedContext("tenant", "emea"))
    setup = visitor.connects(site.link(subscriber_id="northwind", mode="shared", offered_contexts=offered))
    assert "Who is it for?" not in setup.words
    assert "Which one?" in setup.words


def test_holder_of_an_open_link_chooses_in_plain_words(site: Site, visitor: BrowserClient) -> None:
    setup = visitor.connects(site.link(is_open=True))
    wrong = visitor.presses(setup, "save", connection_mode="subscriber", subscriber_id="")
    assert error_beside(wrong, "subscriber_id") == "Enter an id."
    for page in (setup, wrong):
        assert not re.search(r"subscriber|context|\bmode\b|shared", page.words, re.IGNORECASE)


def test_a_mode_that_does_not_exist_is_refused(operator: BrowserClient) -> None:
    page = operator.presses(reaches_setup(operator), "save", **{**_FULL, "connection_mode": "both"})
    assert page.status == 422
    assert "Choose who the connection is for." in page.text


def test_a_subscriber_typed_for_shared_mode_is_ignored(site: Site, operator: BrowserClient) -> None:
    page = operator.presses(reaches_setup(operator), "save", **{**_FULL, "connection_mode": "shared"})
    assert page.outcome == "connected"
    row = site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).rows[0]
    assert (row.mode, row.subscriber_id, row.context_keys) == ("shared", None, ("tenant:c1",))


def test_five_contexts_are_kept_in_their_order(site: Site, operator: BrowserClient) -> None:
    rows = {f"contexts-{number}-{part}": f"{part}{5 - number}" for number in range(5) for part in ("type", "id")}
    operator.presses(reaches_setup(operator), "save", **{**_FULL, **rows})
    row = site.runtime.connections.page(site.runtime.environments.first().id, ConsoleSearch(), None, None).rows[0]
    assert row.context_keys == tuple(f"type{number}:id{number}" for number in (5, 4, 3, 2, 1))


def test_operators_are_offered_known_subscribers(operator: BrowserClient) -> None:
    operator.presses(reaches_setup(operator), "save", **_FULL)
    known = {one.get("value") for one in reaches_setup(operator, "T0ACMETEST").root.iter("option")}
    assert {"cy", "tenant", "c1"} <= known


def test_another_browser_sees_no_set_up_page_and_cannot_send_it(site: Site, operator: BrowserClient) -> None:
    setup = reaches_setup(operator)
    with BrowserClient(site) as other:
        other.signs_in("eve@northwind.test")
        assert other.opens(setup.url).outcome == "other_browser"
        assert other.presses(setup, "save", **_FULL).outcome == "other_browser"
    assert connections_of(site) == 0


def test_a_grant_that_is_unused_for_ten_minutes_is_revoked(site: Site, operator: BrowserClient, clock: Clock) -> None:
    setup = reaches_setup(operator)
    clock.forward(minutes=10)
    page = operator.presses(setup, "save", **_FULL)
    assert page.outcome == "state_expired"
    assert connections_of(site) == 0
    assert len(site.slack.calls("auth.revoke")) == 1
    assert site.slack.installations() == []


def test_the_product_revokes_an_unused_grant_by_itself(site: Site, operator: BrowserClient, clock: Clock) -> None:
    reaches_setup(operator)
    clock.forward(minutes=9)
    assert list(site.runtime.retention.end_attempts()) == [0]
    clock.forward(minutes=1)
    assert [next(site.runtime.retention.end_attempts()) for _ in range(2)] == [1, 0]
    assert site.slack.installations() == []


def test_an_unused_grant_of_a_workspace_in_use_is_not_revoked(
    site: Site, operator: BrowserClient, clock: Clock
) -> None:
    operator.presses(reaches_setup(operator), "save", **_FULL)
    reaches_setup(operator)
    clock.forward(minutes=10)
    assert list(site.runtime.retention.end_attempts()) == [1]
    assert site.slack.calls("auth.revoke") == []
    assert len(site.slack.installations()) == 1


def test_declining_on_the_set_up_page_revokes_the_grant(site: Site, operator: BrowserClient) -> None:
    setup = reaches_setup(operator)
    action = next(one.get("action", "") for one in setup.root.iter("form") if "cancel" in one.get("action", ""))
    left = operator.opens(operator.asks("POST", action, data={"csrf_token": setup.csrf_token}).headers["Location"])
    assert left.outcome == "cancelled"
    assert site.slack.installations() == []


@pytest.mark.parametrize("end", ["declined", "expired"])
def test_revoking_a_grant_keeps_another_that_waits(end: str, site: Site, operator: BrowserClient, clock: Clock) -> None:
    """Slack issues one token per workspace, however often a person approves the app."""
    first = reaches_setup(operator)
    clock.forward(minutes=6)
    second = reaches_setup(operator)
    if end == "declined":
        operator.presses(first, "do-not-connect")
    else:
        clock.forward(minutes=5)
        sweep.run_steps(site.runtime)
    assert site.slack.calls("auth.revoke") == []
    assert operator.presses(second, "save", **_FULL).outcome == "connected"
    assert checks(site) == ["healthy"]


def test_the_last_of_several_grants_is_revoked(site: Site, operator: BrowserClient) -> None:
    for page in [reaches_setup(operator), reaches_setup(operator)]:
        assert len(site.slack.installations()) == 1
        operator.presses(page, "do-not-connect")
    assert site.slack.installations() == []


def test_a_form_sent_twice_creates_one_connection(site: Site, operator: BrowserClient) -> None:
    setup = reaches_setup(operator)
    pages = [operator.presses(setup, "save", **_FULL) for _ in range(2)]
    assert len({page.heading for page in pages}) == 1
    assert connections_of(site) == 1


def test_app_is_not_removed_while_a_grant_waits(site: Site, visitor: BrowserClient) -> None:
    site.add_practice_app("trial", "Trial", "Development")
    page = visitor.connects(site.link("trial", subscriber_id="bea", offered_context_keys=("team:a", "team:b")))
    environment_id = site.runtime.environments.first().id
    with pytest.raises(Conflict, match="in progress"):
        site.runtime.integrations.remove(environment_id, "trial", SHELL)
    assert visitor.presses(page, "do-not-connect").outcome == "cancelled"
    site.runtime.integrations.remove(environment_id, "trial", SHELL)
    assert site.slack.installations() == []
