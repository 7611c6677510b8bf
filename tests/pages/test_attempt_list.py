"""The console's list of installs, its funnel, and the diagnosis of what a customer sends."""

from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from onboarding.store.attempts import TABLE
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import Clock


def test_list_says_that_there_are_none_yet(operator: BrowserClient) -> None:
    page = operator.opens("/attempts")
    assert (page.status, page.name) == (200, "attempts")
    assert "No installs yet" in page.text
    assert 'href="/attempts" aria-current="page"' in page.text


def test_list_shows_time_customer_outcome_step_duration_and_reference(
    site: Site, visitor: BrowserClient, operator: BrowserClient, clock: Clock
) -> None:
    consent = visitor.presses(visitor.opens(site.link(subscriber_id="bea", context_keys=("team:a",))), "connect")
    clock.forward(seconds=42)
    reference = visitor.presses(visitor.allows(consent), "save", connection_mode="shared").main.get("data-reference")
    (row,) = _rows(operator.opens("/attempts"))
    assert row["reference"] == reference
    # The connection is shared, so the subscriber of its link is no part of it.
    assert row["main"] == "team:a Acme HQ"
    assert (row["state"], row["step"]) == ("Connected", "Connected")
    assert row["duration"] in ("42 s", "43 s", "44 s")


def test_filters_leave_the_matching_installs(site: Site, visitor: BrowserClient, operator: BrowserClient) -> None:
    made = _made(site, visitor, operator)
    for query, found in (
        ("", ["at-slack", "cancelled", "connected", "asked"]),
        ("q=EA", ["connected"]),
        ("q=ten%25", []),
        ("q=tenant:c", ["cancelled"]),
        ("q=acme+hq", ["connected"]),
        (f"q={made['cancelled'].lower()}", ["cancelled"]),
        ("outcome=connected", ["connected"]),
        ("outcome=succeeded", ["connected"]),
        ("outcome=stopped", ["cancelled", "asked"]),
        ("outcome=failed", []),
        ("outcome=unfinished", ["at-slack"]),
        ("step=started", ["asked"]),
        ("step=sent", ["at-slack"]),
        ("step=returned", ["cancelled"]),
        ("step=connected", ["connected"]),
        ("integration=slack-practice&since=hour", ["at-slack", "cancelled", "connected", "asked"]),
    ):
        page = operator.opens(f"/attempts?{query}")
        assert [row["reference"] for row in _rows(page)] == [made[name] for name in found], query
        assert found or "No installs match these filters" in page.text
    for name, label in (("outcome", "Outcome"), ("step", "Step"), ("since", "Time"), ("integration", "Integration")):
        page = operator.opens(f"/attempts?{name}=other")
        assert f"{label} “other” is unknown" in page.text
        assert len(_rows(page)) == 4


def test_funnel_counts_the_steps_and_ignores_outcome_and_step(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    _made(site, visitor, operator)
    for query in ("", "outcome=cancelled", "step=sent"):
        page = operator.opens(f"/attempts?{query}")
        assert _funnel(page) == {
            "started": ("4", "100 %"), "sent": ("3", "75 %"), "returned": ("2", "50 %"), "connected": ("1", "25 %"),
        }  # fmt: skip
        title = next(one for one in page.main.iter() if one.get("id") == "funnel-picture")
        assert title.text == "4 started, 3 sent to Slack, 2 back from Slack, 1 connected"
    assert _funnel(operator.opens("/attempts?q=bea"))["started"] == ("1", "100 %")


def test_pages_follow_each_other_while_installs_begin(site: Site, operator: BrowserClient) -> None:
    environment_id, start = site.runtime.environments.first().id, site.runtime.installs.start_operator
    started = [start(environment_id, "slack-practice", "ada@northwind.test").attempt_id for _ in range(60)]
    first = operator.opens("/attempts")
    start(environment_id, "slack-practice", "ada@northwind.test")
    second = operator.opens(first.link("next"))
    third = operator.opens(second.link("next"))
    listed = [row["reference"] for page in (first, second, third) for row in _rows(page)]
    assert listed == [one[4:12].upper() for one in reversed(started)]
    assert _rows(operator.opens(third.link("prev"))) == _rows(second)
    assert operator.opens("/attempts?after=x").status == 400


def test_list_is_for_viewers_of_the_same_environment(site: Site, visitor: BrowserClient) -> None:
    site.add_environment("Production")
    site.add_practice_app("slack-prod", "Northwind", "Production")
    other = site.runtime.environments.named("Production").id
    site.runtime.installs.start_operator(other, "slack-prod", "ada@northwind.test")
    site.sign_in_url("vera@northwind.test", "viewer")
    visitor.signs_in("vera@northwind.test")
    assert "No installs yet" in visitor.opens("/attempts").text
    assert visitor.presses(visitor.opens("/diagnose"), "submit-diagnosis", text="ABCDEFGH").status == 200


def test_callback_address_leads_to_its_install_and_is_not_kept(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    allowed = {"workspace": "T0ACMEHQ01", "action": "allow"}
    address = visitor.asks("POST", consent.url, data=allowed).headers["Location"]
    code, state = (part.partition("=")[2] for part in urlsplit(address).query.split("&"))
    # The browser has not opened it yet.
    page = _diagnose(operator, address)
    assert (page.status, page.main.get("data-finding")) == (200, "not_continued")
    assert not {code, state} & set(_words_of(page))
    ended = visitor.opens(address)
    page = _diagnose(operator, f"  {address} ")
    assert (page.name, page.main.get("data-reference")) == ("attempt", ended.main.get("data-reference"))
    assert "?" not in page.url
    # Diagnosing does not exchange the code.
    assert [call.method for call in site.slack.calls()].count("oauth.v2.access") == 1
    with site.runtime.database.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(TABLE)).scalar_one() == 1


@pytest.mark.parametrize(
    ("text", "finding", "words"),
    [
        ("/slack/oauth_redirect?code=1.2&state=unknown", "state_unknown", "Installs are deleted after a week"),
        ("{origin}/slack/oauth_redirect?error=access_denied&state=x", "state_unknown", "pressed Cancel in Slack"),
        ("{origin}/slack/oauth_redirect?code=1", "no_state", "was started inside Slack"),
        ("{origin}/slack/oauth_redirect?error=bad_redirect_uri", "no_state", "OAuth &amp; Permissions"),
        ("{origin}/slack/oauth_redirect?error=%3Cb%3E", "no_state", "Send the customer a link"),
        ("https://other.example/slack/oauth_redirect?state=x", "other_server", "other.example"),
        ("{origin}/connect/lnk_1.x", "link", "Show the links"),
        ("{origin}/nowhere", "unknown", "eight characters"),
        ("ABCDEFGH", "unknown", "eight characters"),
        ("", "unknown", "eight characters"),
        ("http://[", "unknown", "eight characters"),
        ("/slack/oauth_redirect?" + "a=1&" * 200, "no_state", "started inside Slack"),
    ],
)
def test_text_without_an_install_is_explained(
    text: str, finding: str, words: str, site: Site, operator: BrowserClient
) -> None:
    page = _diagnose(operator, text.replace("{origin}", site.settings.origin))
    assert (page.status, page.name, page.main.get("data-finding")) == (200, "diagnose", finding)
    assert words in page.text


def test_reference_and_result_page_lead_to_the_install(
    site: Site, visitor: BrowserClient, operator: BrowserClient
) -> None:
    ended = visitor.connects(site.link())
    assert ended.outcome == "connected", ended.text
    reference = ended.main.get("data-reference") or ""
    for text in (reference.lower(), ended.url, urlsplit(ended.url).path):
        page = _diagnose(operator, text)
        assert (page.name, page.main.get("data-reference")) == ("attempt", reference), (text, page.text)


def _made(site: Site, visitor: BrowserClient, operator: BrowserClient) -> dict[str, str]:
    """Create an install that asked an admin, one that connected, one that was cancelled and one that is at Slack."""
    pages = {
        "asked": visitor.presses(visitor.opens(site.link(subscriber_id="cy", mode="subscriber")), "ask-admin"),
        "connected": visitor.connects(site.link()),
        "cancelled": visitor.connects(site.link(context_keys=("tenant:c",)), scenario="cancelled"),
    }
    operator.presses(operator.opens("/slack/install"), "connect")
    with site.runtime.database.reading() as session:
        newest = session.execute(TABLE.select().where(TABLE.c.stage == "made")).one().id
    return {name: page.main.get("data-reference") or "" for name, page in pages.items()} | {
        "at-slack": newest[4:12].upper()
    }


def _diagnose(operator: BrowserClient, text: str) -> Page:
    return operator.presses(operator.opens("/diagnose"), "submit-diagnosis", text=text)


def _rows(page: Page) -> list[dict[str, str]]:
    """Return the text of each cell of each row, by the name of its column."""
    rows = (row for row in page.main.iter("tr") if row.get("data-attempt"))
    return [
        {(cell.get("class") or "")[5:]: " ".join(" ".join(cell.itertext()).split()) for cell in row} for row in rows
    ]


def _funnel(page: Page) -> dict[str, tuple[str, str]]:
    rows = {row.get("data-step"): row for row in page.main.iter("tr") if row.get("data-step")}
    return {name or "": ((row[1].text or "").strip(), (row[2].text or "").strip()) for name, row in rows.items()}


def _words_of(page: Page) -> list[str]:
    return page.text.replace('"', " ").replace("&", " ").replace("=", " ").split()
