"""Installing again for the same identity and workspace: the same connection with a new token."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from onboarding.services.connections.records import ConsoleSearch, Detail
from tests.browser_client import BrowserClient, Site

_KEPT = "The connection that you already have is still in use."


def details(site: Site) -> list[Detail]:
    environment = site.runtime.environments.first().id
    rows = site.runtime.connections.page(environment, ConsoleSearch(), None, None).rows
    return [site.runtime.connections.detail(environment, row.identifier) for row in rows]


def test_reconnecting_keeps_the_identifier_and_stores_the_new_token(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link(), scenario="rotation")
    before = details(site)[0]
    page = visitor.opens(site.link())
    assert (page.outcome, page.heading) == ("already_connected", "Slack is already connected")
    done = visitor.allows(visitor.presses(page, "connect"), scenario="rotation")
    assert (done.outcome, done.heading) == ("reconnected", "Acme HQ is reconnected")
    (after,) = details(site)
    assert after.connection.identifier == before.connection.identifier
    assert after.connection.created_at == before.connection.created_at
    assert after.token_since
    assert before.token_since
    assert after.token_since > before.token_since
    assert after.token_last_four != before.token_last_four


def test_a_requested_change_of_workspace_is_not_confirmed_again(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link())
    page = visitor.opens(site.link())
    done = visitor.allows(visitor.presses(page, "connect", intent="other_workspace"), workspace="T0ACMETEST")
    assert done.heading == "Acme Test is connected"
    assert "It replaced Acme HQ" in done.text
    assert [one.connection.workspace_name for one in details(site)] == ["Acme Test"]


@pytest.mark.parametrize("scenario", ["cancelled", "no_permission", "ratelimited", "invalid_code", "internal_error"])
def test_a_reconnect_that_fails_says_that_the_connection_is_still_in_use(
    scenario: str, site: Site, visitor: BrowserClient
) -> None:
    first = visitor.allows(visitor.presses(visitor.opens(site.link()), "connect"), scenario=scenario)
    assert _KEPT not in first.text
    visitor.connects(site.link())
    assert _KEPT not in visitor.opens(first.url).text
    again = visitor.allows(visitor.presses(visitor.opens(site.link()), "connect"), scenario=scenario)
    assert (again.outcome, _KEPT in again.text) == (first.outcome, True)
    (installation,) = site.slack.installations()
    site.slack.removes_app(installation.client_id, installation.workspace_id)
    site.runtime.connections.verify(site.runtime.environments.first().id, details(site)[0].connection.identifier)
    assert _KEPT not in visitor.opens(again.url).text


def test_pages_with_a_sentence_of_their_own_about_the_connection_add_none(site: Site, visitor: BrowserClient) -> None:
    visitor.connects(site.link())
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    canceled = visitor.allows(consent, scenario="cancelled")
    awaiting = visitor.presses(canceled, "ask-admin")
    other = visitor.allows(visitor.presses(visitor.opens(site.link()), "connect"), scenario="other_workspace")
    assert (awaiting.outcome, other.outcome) == ("awaiting_approval", "wrong_workspace")
    assert (_KEPT in canceled.text, _KEPT in awaiting.text, _KEPT in other.text) == (True, False, False)


def test_operator_reconnects_from_the_console_without_typing_anything(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link(mode="subscriber", subscriber_id="bea", context_keys=("tenant:acme",)))
    operator.connects(site.link(mode="shared", context_keys=("tenant:acme",)))
    (installation,) = site.slack.installations()
    both = [one.connection.identifier for one in details(site)]
    for identifier in both:
        site.slack.removes_app(installation.client_id, installation.workspace_id)
        broken = operator.presses(operator.opens(f"/connections/{identifier}"), "verify")
        page = operator.presses(broken, "reconnect")
        assert page.heading == "Slack needs to be reconnected"
        assert f'href="/connections/{identifier}"' in page.text, "the way back"
        done = operator.allows(operator.presses(page, "connect"))
        assert (done.outcome, f'href="/connections/{identifier}"' in done.text) == ("reconnected", True)
    assert [(one.connection.identifier, one.connection.status) for one in details(site)] == [
        (identifier, "healthy") for identifier in both
    ]


def test_the_order_of_contexts_does_not_create_another_connection(site: Site, visitor: BrowserClient) -> None:
    for keys in (("a:1", "b:2"), ("b:2", "a:1")):
        visitor.connects(site.link(mode="shared", context_keys=keys))
    assert len(details(site)) == 1


def test_declined_permissions_can_be_granted_later(site: Site, visitor: BrowserClient) -> None:
    page = visitor.connects(site.link(), scenario="partial_permissions")
    assert page.outcome == "partial_permissions"
    done = visitor.allows(visitor.presses(page, "try-again"))
    assert done.outcome == "reconnected"
    (after,) = details(site)
    assert len(after.connection.scopes) == 4
    assert "Some permissions were not granted" not in done.text


def test_eight_concurrent_installs_of_one_identity_create_one_connection(site: Site) -> None:
    links = [site.link() for _ in range(8)]

    def connects(link: str) -> str | None:
        with BrowserClient(site) as person:
            return person.connects(link).outcome

    with ThreadPoolExecutor(8) as crowd:
        outcomes = sorted(outcome or "" for outcome in crowd.map(connects, links))
    assert outcomes == ["connected"] + ["reconnected"] * 7
    assert len(details(site)) == 1


def test_a_used_link_renews_nothing_in_another_browser(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    with BrowserClient(site) as other:
        start = other.opens(link)
        visitor.connects(link)
        assert other.presses(start, "connect").outcome == "link_used"
    calls = len(site.slack.calls())
    assert visitor.opens(link).heading == "Acme HQ is connected"
    assert len(site.slack.calls()) == calls


def test_reconnecting_without_all_permissions_says_which_and_how_to_add_them(
    site: Site, visitor: BrowserClient
) -> None:
    for _ in range(2):
        page = visitor.connects(site.link(), scenario="partial_permissions")
    assert page.outcome == "reconnected"
    assert "Some permissions were not granted" in page.text
    done = visitor.allows(visitor.presses(page, "try-again"))
    assert done.outcome == "reconnected"
    assert "Some permissions were not granted" not in done.text


def test_organization_installed_again_is_asked_to_add_workspaces(site: Site, visitor: BrowserClient) -> None:
    first, again = (visitor.connects(site.link(), scenario="org_install") for _ in range(2))
    assert (first.outcome, again.outcome) == ("org_installed", "reconnected")
    assert again.heading.endswith("is reconnected")
    for page in (first, again, visitor.opens(f"{first.url}?again=1")):
        assert "in Slack’s admin pages" in page.text.replace("In Slack’s", "in Slack’s")
        assert "Organization" in page.text


def test_organization_without_all_permissions_sees_both_notes(site: Site, visitor: BrowserClient) -> None:
    page = visitor.connects(site.link(), workspace="E0MERIDIAN", scenario="partial_permissions")
    assert "Some permissions were not granted" in page.text
    assert page.form_of("try-again") is not None
    assert "in Slack’s admin pages" in page.text.replace("In Slack’s", "in Slack’s")


def test_a_page_from_before_a_disconnect_connects_nothing(site: Site, visitor: BrowserClient) -> None:
    link = site.link()
    visitor.connects(link)
    before = visitor.opens(f"{link}/manage")
    visitor.presses(visitor.opens(f"{link}/disconnect"), "confirm-disconnect")
    page = visitor.presses(before, "connect")
    assert (page.outcome, page.heading) == ("replay_ok", "Acme HQ is no longer connected")


def test_reconnecting_keeps_the_chosen_context(site: Site, visitor: BrowserClient) -> None:
    link = site.link(subscriber_id="bea", offered_context_keys=("team:support", "team:sales"))
    setup = visitor.connects(link)
    first = visitor.presses(setup, "save", connection_mode="subscriber", offered_context="team:sales")
    assert first.outcome == "connected"
    again = visitor.allows(visitor.presses(visitor.opens(f"{link}/manage"), "connect"))
    assert (again.outcome, "sales" in again.text) == ("reconnected", True)
    other = visitor.allows(visitor.presses(visitor.opens(f"{link}/manage"), "connect"), workspace="T0ACMETEST")
    assert other.outcome == "wrong_workspace"
    replaced = visitor.presses(other, "replace")
    assert (replaced.heading, "sales" in replaced.text) == ("Acme Test is connected", True)
