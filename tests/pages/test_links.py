"""Links: a link fixes or offers each choice, and each kind of unusable link has its own page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from onboarding.documents import Connection
from onboarding.errors import Refused
from onboarding.services.connections.records import ConsoleSearch
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


def field_names(page: Page) -> set[str]:
    return {one.get("name", "") for one in page.root.iter("input")} - {"csrf_token"}


def connections(site: Site) -> Sequence[Connection]:
    runtime = site.runtime
    return runtime.connections.page(runtime.environments.first().id, ConsoleSearch(), None, None).rows


def connection_of(site: Site) -> tuple[str, str | None, tuple[str, ...]]:
    """Return mode, subscriber and context of the only connection."""
    (one,) = connections(site)
    return one.mode, one.subscriber_id, one.context_keys


def test_a_fixed_value_of_a_link_cannot_be_changed_by_the_form(site: Site, visitor: BrowserClient) -> None:
    setup = visitor.connects(site.link(subscriber_id="bea", context_keys=("tenant:t1",)))
    assert setup.name == "setup"
    assert field_names(setup) == {"connection_mode"}
    forged = {"connection_mode": "subscriber", "subscriber_id": "eve", "contexts-0-type": "tenant"}
    page = visitor.presses(setup, "save", **forged, **{"contexts-0-id": "t2", "offered_context": "tenant:t3"})
    assert page.outcome == "connected"
    assert connection_of(site) == ("subscriber", "bea", ("tenant:t1",))


def test_a_mode_that_the_link_does_not_leave_open_is_refused(site: Site, visitor: BrowserClient) -> None:
    setup = visitor.connects(site.link(mode="shared", offered_context_keys=("team:red",)))
    page = visitor.presses(setup, "save", connection_mode="subscriber", offered_context="team:red")
    assert page.outcome == "connected"
    assert connection_of(site) == ("shared", None, ("team:red",))


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_used_link_says_that_its_connection_has_ended(site: Site, visitor: BrowserClient, is_removed: bool) -> None:
    link = site.link(subscriber_id="bea")
    visitor.connects(link)
    assert visitor.opens(link).heading == "Acme HQ is connected"
    if is_removed:
        visitor.presses(visitor.opens(f"{link}/disconnect"), "confirm-disconnect")
    else:
        with site.runtime.database.transaction() as session:
            session.execute(text("UPDATE channel_connections SET status = 'needs_reconnect'"))
    again = visitor.opens(link)
    assert (again.outcome, again.heading) == ("replay_ok", "Acme HQ is no longer connected")
    assert "can now post" not in again.text
    assert ("Manage the connection" in again.text) is not is_removed


def test_only_an_offered_context_can_be_picked(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", mode="subscriber", offered_context_keys=("team:red", "team:blue"))
    setup = visitor.connects(link)
    assert field_names(setup) == {"offered_context"}
    for wrong in ("team:green", ""):
        setup = visitor.presses(setup, "save", offered_context=wrong)
        assert (setup.status, setup.name) == (422, "setup")
        assert "Choose one of these." in setup.text
    assert visitor.presses(setup, "save", offered_context="team:blue").outcome == "connected"
    assert connection_of(site) == ("subscriber", "bea", ("team:blue",))


def test_a_link_without_open_choices_skips_the_set_up_page(site: Site, visitor: BrowserClient) -> None:
    assert visitor.connects(site.link(mode="shared", context_keys=("tenant:t1",))).outcome == "connected"
    assert connection_of(site) == ("shared", None, ("tenant:t1",))


def test_an_open_link_connects_only_something_new(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link())
    with BrowserClient(site) as stranger:
        setup = stranger.connects(site.link(is_open=True), workspace="T0ACMETEST")
        taken = stranger.presses(setup, "save", connection_mode="subscriber", subscriber_id="bea")
        assert (taken.status, taken.name) == (422, "setup")
        assert "this link cannot replace a connection." in taken.text
        assert connection_of(site) == ("subscriber", "bea", ())
        assert "<option" not in taken.text, "the holder of a link must not see a name"
        page = stranger.presses(taken, "save", connection_mode="subscriber", subscriber_id="dan")
    assert (page.outcome, page.heading) == ("connected", "Acme Test is connected")


def test_each_unusable_link_has_a_page_of_its_own(site: Site, visitor: BrowserClient, clock: Clock) -> None:
    used, revoked, expired = site.link(), site.link(), site.link()
    with BrowserClient(site) as other:
        other.connects(used)
    site.revoke_link(revoked)
    pages = [visitor.opens(used), visitor.opens(revoked), visitor.opens(f"{expired}x")]
    clock.forward(days=8)
    pages.append(visitor.opens(expired))
    assert [page.outcome for page in pages] == ["link_used", "link_revoked", "link_tampered", "link_expired"]
    assert len({page.heading for page in pages}) == 4
    assert not any("Acme" in page.text or "bea" in page.text for page in pages)


@pytest.mark.parametrize("damage", ["", ".", "lnk_1", "lnk_1.sig", "a" * 5000, "ä.ö"])
def test_a_malformed_token_is_a_damaged_link(damage: str, visitor: BrowserClient) -> None:
    page = visitor.opens(f"/connect/x{damage}")
    assert (page.status, page.outcome) == (400, "link_tampered")


def test_a_used_link_shows_its_success_in_its_browser(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    visitor.connects(link)
    assert visitor.opens(link).heading == "Acme HQ is connected"


def test_a_link_that_expires_while_its_page_is_open_is_refused_on_the_click(
    site: Site, visitor: BrowserClient, clock: Clock
) -> None:
    page = visitor.opens(site.link())
    clock.forward(days=8)
    assert visitor.presses(page, "connect").outcome == "link_expired"


def test_opening_a_link_starts_nothing(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    for method in ("GET", "HEAD", "GET"):
        answer = visitor.asks(method, link)
        assert answer.status_code == 200
        assert "attempt_" not in answer.headers.get("Set-Cookie", "")
    assert site.slack.calls() == []
    assert visitor.connects(link).outcome == "connected"


def test_the_start_page_names_the_account_and_refuses_forms_of_other_sites(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", mode="subscriber", context_keys=("tenant:t1",))
    page = visitor.opens(link)
    assert "bea" in page.text
    assert "t1" in page.text
    forged = visitor.asks("POST", link)
    assert "/oauth/" not in forged.headers.get("Location", "")
    assert "attempt_" not in forged.headers.get("Set-Cookie", "")


def test_a_link_that_is_revoked_while_the_person_is_at_slack_connects_nothing(
    site: Site, visitor: BrowserClient
) -> None:
    link = site.link()
    consent = visitor.presses(visitor.opens(link), "connect")
    site.revoke_link(link)
    page = visitor.allows(consent)
    assert (page.outcome, page.status) == ("link_revoked", 410)
    assert visitor.opens(page.url).heading == "This link was turned off"
    assert site.slack.installations() == []


def test_an_install_in_progress_when_its_link_is_used_replaces_nothing(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    consent = visitor.presses(visitor.opens(link), "connect")
    with BrowserClient(site) as customer:
        assert customer.connects(link).outcome == "connected"
    assert visitor.allows(consent, workspace="T0ACMETEST").outcome == "link_used"
    assert [one.workspace_name for one in connections(site)] == ["Acme HQ"]


def test_consent_to_a_replacement_counts_only_for_an_existing_connection(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    consent = visitor.presses(visitor.opens(link), "connect", intent="other_workspace")
    with BrowserClient(site) as customer:
        assert customer.connects(site.link()).outcome == "connected"
    assert visitor.allows(consent, workspace="T0ACMETEST").outcome == "wrong_workspace"
    assert [one.workspace_name for one in connections(site)] == ["Acme HQ"]


def test_a_link_is_in_no_log_while_the_database_is_down(
    site: Site, visitor: BrowserClient, caplog: pytest.LogCaptureFixture
) -> None:
    link = site.link()
    with site.runtime.database.transaction() as session:
        session.execute(text("ALTER TABLE links RENAME TO links_away"))
    assert visitor.opens(link).status == 503
    logged = [one.getMessage() for one in caplog.records if one.name.startswith("onboarding")]
    assert any("page.database_gone" in line and "/connect/<token>" in line for line in logged)
    assert not any(link.rpartition("/")[2] in line for line in logged)


def test_an_open_link_in_two_tabs_connects_one_customer(site: Site, visitor: BrowserClient) -> None:
    link = site.link(is_open=True)
    tabs = [visitor.connects(link), visitor.connects(link, workspace="T0ACMETEST")]
    ends = [
        visitor.presses(tab, "save", connection_mode="subscriber", subscriber_id=name)
        for tab, name in zip(tabs, ("ada", "bea"), strict=True)
    ]
    assert [page.outcome for page in ends] == ["connected", "link_used"]
    assert connection_of(site) == ("subscriber", "ada", ())
    assert [one.workspace_id for one in site.slack.installations()] == ["T0ACMEHQ01"]


@pytest.mark.parametrize(
    "fixed",
    [
        {"context_keys": tuple(f"t{n}:x" for n in range(6))},
        {"context_keys": tuple(f"t{n}:x" for n in range(5)), "offered_context_keys": ("u:a", "u:b")},
    ],
)
def test_a_link_has_five_contexts_at_most(fixed: dict[str, Any], site: Site) -> None:
    with pytest.raises(Refused, match="at most 5 contexts"):
        site.link(**fixed)


@pytest.mark.parametrize("workspace", ["nonsense", "t0acme", "T", "C0123456"])
def test_a_link_expects_a_valid_workspace_id(workspace: str, site: Site) -> None:
    with pytest.raises(Refused, match="begins with T"):
        site.link(subscriber_id="bea", workspace_id=workspace)


def test_an_open_link_is_valid_for_a_day_at_most(site: Site) -> None:
    with pytest.raises(Refused, match="24 hours"):
        site.link(is_open=True, lifetime=timedelta(hours=25))
