"""Slack apps in the console: added, changed and removed, with secrets that are written and never shown."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from onboarding.jobs import sweep
from onboarding.practice import PracticeApp, PracticeSlack, create_practice
from onboarding.store.integrations import Integration
from tests.audit import entries
from tests.browser_client import BrowserClient, Page, Site
from tests.conftest import KEY, SECRET, Clock
from tests.practice.conftest import ROOT
from tests.serving import served

REAL = {
    "identifier": "slack-prod",
    "name": "Northwind",
    "client_id": " 1234567890.1234567890 ",
    "client_secret": "secret-of-the-app",
    "signing_secret": "secret-of-requests",
    "scopes": "chat:write, channels:read",
    "workspace_policy": "refuse",
}


@pytest.fixture
def given_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)


@pytest.mark.usefixtures("given_keys")
def test_app_is_added_and_the_page_names_what_to_register(site: Site, operator: BrowserClient) -> None:
    form = operator.opens("/new-integration")
    assert "ends practice mode" in form.text
    page = operator.presses(form, "add-integration", **REAL)
    assert (page.name, page.heading) == ("integration", "Northwind")
    origin = site.settings.origin
    copied = {one.get("id"): one.text for one in page.main.iter("code") if (one.get("id") or "").startswith("register")}
    assert copied == {
        "register-redirect": f"{origin}/slack/oauth_redirect",
        "register-scopes": "chat:write,channels:read",
        "register-events": f"{origin}/slack/events",
    }
    added = site.runtime.integrations.all_of(site.runtime.environments.first().id)[-1]
    assert (added.client_id, added.workspace_policy, added.is_practice) == ("1234567890.1234567890", "refuse", False)
    for text in (page.text, operator.opens("/integrations/slack-prod/edit").text):
        assert "secret-of" not in text
    assert 'data-audit="integration.added"' in operator.opens("/audit?actor=ada@northwind.test").text


@pytest.mark.usefixtures("given_keys")
@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"identifier": "two words"}, "Identifier: The identifier must have"),
        ({"identifier": "slack-practice"}, "Identifier: An integration with this identifier"),
        ({"client_id": "abc"}, "Client id: The client id must be two numbers"),
        ({"client_secret": ""}, "Client secret: The client secret must be"),
        ({"scopes": ""}, "Scopes: Name at least one scope"),
        ({"scopes": "chat:write!"}, "Scopes: A scope is written like"),
    ],
)
def test_app_that_cannot_work_is_refused_and_the_secret_is_not_repeated(
    values: dict[str, str], wrong: str, operator: BrowserClient
) -> None:
    page = operator.presses(operator.opens("/new-integration"), "add-integration", **REAL | values)
    assert (page.status, page.name) == (422, "new-integration")
    assert wrong in page.text
    assert "secret-of" not in page.text
    assert 'value="Northwind"' in page.text


def test_real_app_needs_keys_that_were_not_generated(operator: BrowserClient) -> None:
    page = operator.presses(operator.opens("/new-integration"), "add-integration", **REAL)
    assert (page.status, "SECRET_KEY and ENCRYPTION_KEYS are required" in page.text) == (422, True)


def test_practice_app_needs_no_credentials(site: Site, operator: BrowserClient) -> None:
    empty = dict.fromkeys(("client_id", "client_secret", "signing_secret"), "")
    values = {**REAL, **empty, "identifier": "second", "is_practice": "y"}
    assert operator.presses(operator.opens("/new-integration"), "add-integration", **values).name == "integration"
    assert operator.connects(site.link("second")).outcome == "connected"


def test_scopes_policy_and_sign_in_are_changed(site: Site, operator: BrowserClient) -> None:
    page = operator.opens("/integrations/slack-practice/edit")
    shown = operator.presses(page, "save-integration", scopes="chat:write", workspace_policy="refuse", sign_in="y")
    assert "sign-in/slack/callback" in shown.text
    (changed,) = site.runtime.integrations.all_of(site.runtime.environments.first().id)
    assert (changed.scopes, changed.workspace_policy, changed.is_sign_in) == (("chat:write",), "refuse", True)
    wrong = operator.presses(operator.opens(page.url), "save-integration", scopes="", workspace_policy="allow")
    assert (wrong.status, "Scopes: Name at least one scope" in wrong.text) == (422, True)
    # A box that is not checked is not sent.
    token = operator.opens(page.url).csrf_token
    operator.asks("POST", page.url, data={"csrf_token": token, "scopes": "chat:write", "workspace_policy": "refuse"})
    assert not site.runtime.integrations.all_of(site.runtime.environments.first().id)[0].is_sign_in


def test_app_is_removed_once_it_has_no_connection(site: Site, operator: BrowserClient) -> None:
    operator.connects(site.link())
    question = operator.opens("/integrations/slack-practice/remove")
    kept = operator.presses(question, "confirm-remove-integration")
    assert (kept.status, "has 1 connection. Disconnect it first." in kept.text) == (409, True)
    site.add_practice_app("unused", "Unused")
    gone = operator.presses(operator.opens("/integrations/unused/remove"), "confirm-remove-integration")
    assert (gone.name, 'data-integration="unused"' in gone.text) == ("integrations", False)


@pytest.mark.usefixtures("given_keys")
def test_mistyped_secret_breaks_no_install_while_slack_accepts_the_one_before(
    start_site: Callable[..., Site], clock: Clock
) -> None:
    apps: dict[str, PracticeApp] = {}
    slack = create_practice(PracticeSlack(apps=apps.get), ROOT / "templates", ROOT / "static")
    with served(slack) as url:
        site = start_site(slack_url=url, practice="off")
        apps["1.1"] = PracticeApp("1.1", ("right-secret",), "signing", "Northwind", (site.settings.redirect_uri,))
        with BrowserClient(site) as ada:
            ada.signs_in("ada@northwind.test")
            values = {**REAL, "client_id": "1.1", "client_secret": "right-secret"}
            ada.presses(ada.opens("/new-integration"), "add-integration", **values)
            ada.presses(
                ada.opens("/integrations/slack-prod/edit"), "save-integration", **REAL | {"client_secret": "mistyped"}
            )
            assert "is also tried until" in ada.opens("/integrations/slack-prod").text
        assert _outcome(site, "bea") == "connected"
        clock.forward(hours=24)
        assert _outcome(site, "cy") == "config_error"


@pytest.mark.usefixtures("given_keys")
def test_operator_ends_the_use_of_old_secrets(site: Site, operator: BrowserClient) -> None:
    operator.presses(operator.opens("/new-integration"), "add-integration", **REAL)
    page = operator.presses(
        operator.opens("/integrations/slack-prod/edit"),
        "save-integration",
        **REAL | {"client_secret": "new-secret", "signing_secret": "new-signing"},
    )
    assert "The previous secret still works" in page.text
    page = operator.presses(page, "forget-previous-secrets")
    assert (page.name, "work for now" in page.text) == ("integration", False)
    details = [one.detail for one in entries(site.runtime.database) if one.action == "integration.changed"]
    assert "previous secrets forgotten" in details
    assert _previous_secrets(site) == (None, None)


@pytest.mark.usefixtures("given_keys")
def test_old_secrets_are_erased_after_a_day(site: Site, operator: BrowserClient, clock: Clock) -> None:
    operator.presses(operator.opens("/new-integration"), "add-integration", **REAL)
    new = {"client_secret": "new-secret", "signing_secret": "new-signing"}
    operator.presses(operator.opens("/integrations/slack-prod/edit"), "save-integration", **REAL | new)
    clock.forward(hours=23)
    sweep.run_steps(site.runtime)
    assert None not in _previous_secrets(site)
    clock.forward(hours=1)
    assert [step.count for step in sweep.run_steps(site.runtime) if step.name == "secretsErased"] == [2]
    assert _previous_secrets(site) == (None, None)


def _previous_secrets(site: Site) -> tuple[object, ...]:
    query = select(Integration.previous_client_secret, Integration.previous_signing_secret)
    with site.runtime.database.reading() as session:
        return tuple(session.execute(query.where(Integration.identifier == "slack-prod")).one())


def _outcome(site: Site, subscriber: str) -> str | None:
    """Walk through an install and return how it ended."""
    with BrowserClient(site) as person:
        start = person.opens(site.link("slack-prod", subscriber_id=subscriber, mode="subscriber"))
        consent = person.asks("POST", start.url, data={"csrf_token": start.csrf_token}).headers["Location"]
        allowed = person.asks("POST", consent, data={"workspace": "T0ACMEHQ01", "action": "allow"})
        page: Page = person.opens(allowed.headers["Location"])
        return page.outcome
