"""The page of an install in the console, which its reference finds."""

from urllib.parse import quote
from xml.etree.ElementTree import Element

import pytest
from sqlalchemy import update

from onboarding import texts
from onboarding.outcomes import OUTCOMES, GrantResult
from onboarding.store.attempts import TABLE
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


def test_every_outcome_has_words_for_operators() -> None:
    assert set(texts.OUTCOMES) == set(OUTCOMES)
    assert set(texts.UNUSED_GRANTS) == set(GrantResult)


def test_reference_of_a_customers_page_leads_to_steps_customer_link_and_connection(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    url = site.link(subscriber_id="bea", context_keys=("tenant:acme",), mode="subscriber")
    consent = visitor.presses(visitor.opens(url), "connect")
    clock.forward(seconds=42)
    reference = _reference(visitor.allows(consent))
    page = operator.opens(f"/attempts/{reference}")
    assert (page.status, page.name, page.outcome, _reference(page)) == (200, "attempt", "connected", reference)
    assert page.heading == f"Install {reference}"
    assert _facts(page, "attempt-steps").keys() == {"Started", "Sent to Slack", "Back from Slack", "Ended"}
    assert _facts(page, "attempt-steps")["Sent to Slack"].endswith("at once")
    assert _facts(page, "attempt-steps")["Back from Slack"].endswith(("42 seconds later", "43 seconds later"))
    about = _facts(page, "attempt-about")
    link_id = site.runtime.links.read(url.rpartition("/")[2])
    assert (about["Subscriber"], about["Context"]) == ("beaCopy subscriber", "tenant: acme")
    assert (about["Workspace"], about["Link"]) == ("Acme HQ T0ACMEHQ01", f"{link_id}Copy link id")
    assert operator.opens(f"/connections/{about['Connection']}").name == "connection"


def test_search_of_the_connections_offers_the_install(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    reference = _reference(visitor.connects(site.link()))
    for typed in (reference, reference.lower(), f" {reference[:4]} {reference[4:]} "):
        page = operator.opens(f"/connections?q={quote(typed)}")
        offered = [one.get("href") for one in page.root.iter("a") if one.get("data-action") == "show-attempt"]
        assert offered == [f"/attempts/{reference}"]
    for typed in ("northwind", "Acme", ""):
        assert "show-attempt" not in operator.opens(f"/connections?q={typed}").text


_TYPED = (
    "01V7ABCD", "01v7abcd", "O1V7ABCD", "oiu7abcd", "0LU7ABCD", "01V7 ABCD", "01V7-ABCD", " 01v7\u00a0abcd\u200b ",
    "01V7ABCD01234567", "att_01v7abcd01234567",
)  # fmt: skip


def test_reference_is_found_however_a_person_types_it(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    visitor.presses(visitor.opens(site.link()), "connect")
    _rename_attempts(site, "att_01v7abcd01234567")
    for typed in _TYPED:
        assert operator.opens(f"/attempts/{quote(typed)}").heading == "Install 01V7ABCD", typed


def test_reference_with_letters_that_new_ones_lack_still_works(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    visitor.presses(visitor.opens(site.link()), "connect")
    _rename_attempts(site, "att_oilu0123456789ab")
    assert operator.opens("/attempts/OILU0123").heading == "Install OILU0123"
    assert operator.opens("/attempts/011v0123").status == 404


def test_new_references_have_no_look_alikes(site: Site) -> None:
    environment_id, start = site.runtime.environments.first().id, site.runtime.installs.start_operator
    ids = {start(environment_id, "slack-practice", "ada@northwind.test").attempt_id for _ in range(50)}
    assert len(ids) == 50
    assert not set("".join(one.removeprefix("att_") for one in ids)) & set("ilou")


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("cancelled", ["Not connected", "The person decided not to connect."]),
        ("bad_client_secret", ["Set-up problem", "Copy it from Basic Information", "bad_client_secret"]),
        ("bad_redirect_uri", ["Set-up problem", "and add http://127.0.0.1:", "/slack/oauth_redirect"]),
        ("enterprise_is_restricted", ["A Slack admin there has to allow it", "enterprise_is_restricted"]),
        ("status_500", ["Slack did not answer", "Slack answered with status 500. Check https://slack-status.com"]),
    ],
)
def test_page_says_why_an_install_failed(
    scenario: str, words: list[str], site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    ended = visitor.connects(site.link(), scenario=scenario)
    page = operator.opens(f"/attempts/{_reference(ended)}")
    assert page.outcome == ended.outcome
    for word in words:
        assert word in page.text
    # A person who presses Cancel came back, too.
    assert "Back from Slack" in _facts(page, "attempt-steps")
    assert _facts(page, "attempt-about")["Connection"] == "None"


def test_install_in_progress_says_how_far_it_is(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    started = operator.presses(operator.opens("/slack/install"), "connect")
    set_up = visitor.connects(site.link(subscriber_id="bea", offered_context_keys=("team:a", "team:b")))
    waiting, at_slack = _stored(site, "waiting"), _stored(site, "made")
    assert set_up.name == "setup"
    assert started.name == "practice-consent"
    assert "Waiting for a choice" in operator.opens(f"/attempts/{waiting}").text
    page = operator.opens(f"/attempts/{at_slack}")
    assert "has not come back yet" in page.text
    assert _facts(page, "attempt-about")["Started by"] == "ada@northwind.test"
    clock.forward(minutes=11)
    page = operator.opens(f"/attempts/{at_slack}")
    assert "did not come back within ten minutes" in page.text
    assert page.outcome == ""
    assert set(_facts(page, "attempt-steps")) == {"Started", "Sent to Slack"}


def test_install_that_asked_an_admin_names_the_admins_install(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    waits = visitor.presses(visitor.opens(site.link()), "ask-admin")
    page = operator.opens(f"/attempts/{_reference(waits)}")
    assert set(_facts(page, "attempt-steps")) == {"Started", "Ended"}, "nobody was sent to Slack"
    approval = next(one for one in waits.root.iter("code") if one.get("id") == "approval-url").text or ""
    with BrowserClient(site) as admin:
        connected = _reference(admin.connects(approval))
    assert f'href="/attempts/{connected}"' in operator.opens(f"/attempts/{_reference(waits)}").text


def test_install_whose_connection_is_gone_says_so(site: Site, visitor: BrowserClient, operator: BrowserClient) -> None:
    reference = _reference(visitor.connects(site.link()))
    identifier = _facts(operator.opens(f"/attempts/{reference}"), "attempt-about")["Connection"]
    operator.presses(operator.opens(f"/connections/{identifier}/disconnect"), "confirm-disconnect")
    about = _facts(operator.opens(f"/attempts/{reference}"), "attempt-about")
    assert about["Connection"] == f"{identifier} no longer exists"
    assert about["Subscriber"].startswith("bea")


def test_page_is_for_viewers_of_the_same_environment(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    reference = _reference(visitor.connects(site.link()))
    assert visitor.opens(f"/attempts/{reference}").status == 401
    site.sign_in_url("vera@northwind.test", "viewer")
    with BrowserClient(site) as viewer:
        viewer.signs_in("vera@northwind.test")
        assert viewer.opens(f"/attempts/{reference}").name == "attempt"
    site.add_environment("Production")
    site.add_practice_app("slack-prod", "Northwind", "Production")
    other = site.runtime.environments.named("Production").id
    hidden = site.runtime.installs.start_operator(other, "slack-prod", "ada@northwind.test").attempt_id
    page = operator.opens(f"/attempts/{hidden}")
    assert (page.status, page.name) == (404, "problem")
    assert "show-attempt" not in operator.opens(f"/connections?q={hidden}").text
    assert site.runtime.attempts.find(hidden).integration_identifier == "slack-prod"


def test_unknown_reference_is_explained(operator: BrowserClient) -> None:
    for typed in ("ABCDEFGH", "x", "%25%25%25", "<script>", "a" * 300, "\u202e", "--------"):
        page = operator.opens(f"/attempts/{quote(typed)}")
        assert (page.status, page.name) == (404, "problem"), typed
        assert "Installs are deleted after a week." in page.text


def test_operators_see_the_reference_as_a_link(site: Site, visitor: BrowserClient, operator: BrowserClient) -> None:
    page = operator.connects(site.link(), scenario="cancelled")
    assert f'href="/attempts/{_reference(page)}"' in page.text
    assert "/attempts/" not in visitor.connects(site.link(), scenario="cancelled").text


def _reference(page: Page) -> str:
    found = page.main.get("data-reference") or ""
    assert len(found) == 8
    return found


def _facts(page: Page, section: str) -> dict[str, str]:
    """Return the labels and values of the section that this heading names."""
    within = next(one for one in page.root.iter("section") if one.get("aria-labelledby") == section)
    facts = [one for one in within.iter("div") if one.get("class") == "fact"]
    return {_words(one[0]): _words(one[1]) for one in facts}


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _rename_attempts(site: Site, name: str) -> None:
    with site.runtime.database.transaction() as session:
        session.execute(update(TABLE).values(id=name))


def _stored(site: Site, stage: str) -> str:
    with site.runtime.database.reading() as session:
        found: str = session.execute(TABLE.select().where(TABLE.c.stage == stage)).one().id
    return found
