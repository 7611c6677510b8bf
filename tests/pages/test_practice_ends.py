"""Adding a real Slack app ends practice mode for everything new, at once."""

from tests.people import Site, Visitor


def test_real_integration_ends_practice_for_new_attempts(site: Site, visitor: Visitor) -> None:
    open_before = visitor.opens(site.link())
    _add_real_app(site)
    page = visitor.presses(open_before, "connect")
    assert (page.status, "Practice mode is over" in page.text) == (400, True)
    assert visitor.cookies.get("session") is not None
    assert not [name for name in visitor.cookies if name.startswith("attempt_")]


def test_practice_slack_knows_nobody_once_a_real_app_is_there(site: Site, visitor: Visitor) -> None:
    consent = visitor.presses(visitor.opens(site.link()), "connect")
    assert consent.name == "practice-consent"
    _add_real_app(site)
    assert visitor.opens(consent.url).name != "practice-consent"


def _add_real_app(site: Site) -> None:
    site.runtime.integrations.add(
        identifier="acme",
        client_id="1.1",
        client_secret="s",
        signing_secret=None,
        scopes=("chat:write",),
        name="Acme",
        environment="Development",
    )
