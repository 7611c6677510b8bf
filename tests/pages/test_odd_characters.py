"""Control characters in an address, and invisible characters in an id that a person types."""

import unicodedata

import pytest

from tests.browser_client import BrowserClient, Site
from tests.invisible import INVISIBLE
from tests.pages.test_callback import callback_of, consent_of

#: No page can repeat a control character: HTML has none.
_IN_HTML = {name: one for name, one in INVISIBLE.items() if unicodedata.category(one) != "Cc"}


@pytest.mark.once
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/%0d%0a", "/connect/%0d%0aX", "/sign-in/a%0ab", "/slack/result/%00", "/%1f", "/%7f"])
def test_a_control_character_in_an_address_is_404(method: str, path: str, visitor: BrowserClient) -> None:
    for host in (None, "localhost"):
        response = visitor.asks(method, path, headers={"Host": host} if host else None)
        assert response.status_code == 404, host


def test_head_of_the_callback_changes_nothing(site: Site, visitor: BrowserClient) -> None:
    callback = callback_of(visitor, consent_of(visitor, site.link()))
    response = visitor.asks("HEAD", callback)
    assert (response.status_code, response.headers.get("Location")) == (200, None)
    assert site.slack.calls("oauth.v2.access") == []
    assert visitor.opens(callback).outcome == "connected"


@pytest.mark.once
def test_an_invisible_character_in_the_id_of_a_new_link_is_refused(operator: BrowserClient) -> None:
    form = operator.opens("/links/new")
    for name, character in _IN_HTML.items():
        for value in ({"subscriber_id": f"be{character}a"}, {"contexts": f"tenant=ac{character}me"}):
            page = operator.presses(form, "create-link", **{"lifetime": "7", "mode": "", **value})
            assert (page.status, page.name) == (422, "new-link"), name
    assert "No links yet" in operator.opens("/links").text


@pytest.mark.once
@pytest.mark.parametrize("character", _IN_HTML.values(), ids=_IN_HTML)
def test_an_invisible_character_in_a_typed_id_is_refused(character: str, site: Site, operator: BrowserClient) -> None:
    forms = [operator.opens("/slack/install"), operator.opens(site.link(is_open=True))]
    for page in forms:
        setup = operator.allows(operator.presses(page, "connect"))
        typed = {"connection_mode": "subscriber", "subscriber_id": f"be{character}a"}
        refused = operator.presses(setup, "save", **typed)
        assert (refused.name, refused.status) == ("setup", 422)
        assert "invisible" in refused.text


def test_a_typed_id_of_any_visible_script_is_accepted(operator: BrowserClient) -> None:
    setup = operator.allows(operator.presses(operator.opens("/slack/install"), "connect"))
    typed = {"connection_mode": "subscriber", "subscriber_id": "Kundin Ä 東京 é"}
    assert operator.presses(setup, "save", **typed).outcome == "connected"
