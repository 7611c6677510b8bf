"""The playground: an operator tries each embed, copies the snippet, and watches the events."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from onboarding.callers import SHELL
from onboarding.services.integrations.records import NewIntegration
from tests.browser.navigator import Operator
from tests.browser.test_accessibility import holds_wide_too
from tests.browser_client import BrowserClient, Site


@pytest.fixture
def ada(product: Site, browser: Browser) -> Iterator[Operator]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    person = Operator(product, context.new_page())
    person.signs_in()
    yield person
    context.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["element", "card"])
def test_operator_tries_an_embed_and_sees_its_events(kind: str, ada: Operator) -> None:
    ada.opens("/playground")
    ada.is_on("playground")
    ada.page.get_by_label("Kind").select_option(kind)
    ada.page.get_by_label("Subscriber").fill(f"tried-{kind}")
    ada.page.get_by_label("Theme").select_option("dark")
    ada.presses("show")
    holds_wide_too(ada.page)
    embed = ada.page.frame_locator("iframe") if kind == "card" else ada.page
    with ada.page.expect_popup() as opened:
        embed.get_by_text("Connect Slack", exact=True).click()
    popup = Operator(ada.site, opened.value)
    popup.presses("connect")
    popup.allows()
    events = ada.page.get_by_role("log")
    expect(events.get_by_text("connected", exact=True)).to_be_visible()
    expect(events).to_contain_text("Acme HQ")
    ada.page.get_by_role("link", name="See the connection").click()
    ada.is_on("connection")
    expect(ada.page.locator("main")).to_contain_text(f"tried-{kind}")


@pytest.mark.browser
@pytest.mark.slow
def test_operator_copies_the_snippet_and_tries_the_link(ada: Operator) -> None:
    ada.opens("/playground?kind=link&subscriber=cy&context=tenant:acme&theme=dark&size=large&lang=de")
    ada.page.get_by_role("button", name="Copy snippet").click()
    copied = ada.page.evaluate("navigator.clipboard.readText()")
    ours = ada.site.settings.origin
    image = f"{ours}/embed/button.svg?theme=dark&size=large&lang=de"
    assert copied == f'<a href="URL"><img src="{image}" alt="Zu Slack hinzufügen" width="276" height="56"></a>'
    ada.page.get_by_role("button", name="Copy request").click()
    request = ada.page.evaluate("navigator.clipboard.readText()")
    assert '"subscriberId": "cy"' in request
    assert '"context": {"tenant": "acme"}' in request
    ada.page.get_by_role("link", name="Zu Slack hinzufügen").click()
    ada.is_on("connect-start")
    expect(ada.page.locator("main")).to_contain_text("cy")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("size", ["default", "small", "large"])
def test_link_shows_the_button_at_its_own_size(size: str, ada: Operator) -> None:
    ada.opens(f"/playground?kind=link&subscriber=cy&size={size}&lang=")
    image = ada.page.get_by_role("img", name="Add to Slack")
    expect(image).to_have_js_property("complete", value=True)
    natural = image.evaluate("({ naturalWidth, naturalHeight }) => [`${naturalWidth}`, `${naturalHeight}`]")
    assert natural == [image.get_attribute("width"), image.get_attribute("height")]


def test_playground_is_for_operators_and_practice_integrations(
    site: Site, operator: BrowserClient, visitor: BrowserClient
) -> None:
    assert visitor.asks("GET", "/playground").status_code == 401
    assert visitor.asks("POST", "/playground/session").status_code in (400, 401)
    page = operator.opens("/playground")
    token = _token(page.text)
    created = operator.asks("POST", "/playground/session", headers={"X-CSRFToken": token})
    assert created.status_code == 201
    assert created.json()["token"].startswith("cs_")
    assert operator.asks("POST", "/playground/session").status_code == 400
    unknown = operator.asks("POST", "/playground/session?integration=none&subscriber=x", headers={"X-CSRFToken": token})
    assert unknown.status_code == 422
    site.runtime.integrations.add(
        NewIntegration("acme", "Acme", "Development", client_id="1.1", client_secret="s"), SHELL
    )
    assert "needs practice mode" in operator.opens("/playground").text
    late = operator.asks("POST", "/playground/session", headers={"X-CSRFToken": token})
    assert late.status_code == 422


@pytest.mark.once
@pytest.mark.parametrize("kind", ["element", "card", "link"])
def test_page_is_valid_html_with_every_choice(kind: str, operator: BrowserClient) -> None:
    page = operator.opens(f"/playground?kind={kind}&subscriber=cy&theme=dark&size=small&lang=de")
    stage = next(one for one in page.root.iter() if one.get("data-kind"))
    assert stage.get("data-query") == "&theme=dark&size=small&lang=de"


@pytest.mark.parametrize(
    ("query", "word"),
    [("subscriber=", "Name a subscriber."), ("context=acme", "tenant:acme"), ("subscriber=a%2Fb", "")],
)
def test_playground_explains_choices_that_are_invalid(query: str, word: str, operator: BrowserClient) -> None:
    page = operator.opens(f"/playground?{query}")
    if word:
        assert page.status == 422
        assert word in page.text
    else:
        # The rules of links are checked when the session is created.
        answer = operator.asks("POST", f"/playground/session?{query}", headers={"X-CSRFToken": _token(page.text)})
        assert answer.status_code == 422


def _token(text: str) -> str:
    found = re.search(r'data-csrf-token="([^"]+)"', text)
    assert found
    return found[1]
