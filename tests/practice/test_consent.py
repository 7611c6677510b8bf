"""The consent page: its content, the requests that it refuses, and its redirects."""

import re
from urllib.parse import urlencode

import html5lib
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from onboarding.practice import PracticeApp
from onboarding.practice.scenarios import SCENARIOS, Scenario, menu
from tests.practice.conftest import APP
from tests.practice.walk import ACME, ACME_TEST, DESIGN, GROUP, HARBOR, Slack, brought_back

PAGES = {
    "consent": f"/oauth/v2/authorize?{urlencode({'client_id': APP.client_id, 'scope': 'chat:write'})}",
    "error": "/oauth/v2/authorize",
    "home": "/",
    "problem": "/nowhere",
}


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_page_is_valid_html_and_clearly_a_practice_page(practice_slack: Slack, path: str) -> None:
    page = practice_slack.get(path)
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(page.text)
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert len(document.findall(".//h1")) == 1
    assert document.find(".//title").text.startswith(document.find(".//h1").text)
    assert document.get("lang") == "en"
    assert document.find(".//meta[@name='viewport']") is not None
    assert document.find(".//main").get("data-page", "").startswith("practice-")
    assert len(ids) == len(set(ids))
    assert "Practice Slack, not slack.com" in page.text
    assert not re.search(r"<script|\sstyle=|\son[a-z]+=", page.text)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_page_has_strict_headers(practice_slack: Slack, path: str) -> None:
    headers = practice_slack.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert "Cross-Origin-Opener-Policy" not in headers


def test_consent_form_may_only_lead_back_to_the_app(practice_slack: Slack) -> None:
    policy = practice_slack.sees_consent().headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' http://127.0.0.1:9")


def test_consent_shows_app_person_scopes_and_workspaces(practice_slack: Slack) -> None:
    page = practice_slack.sees_consent(user_scope="users:read").text
    for shown in ("Northwind Notices", "Bea Lindqvist", "chat:write", "channels:read", "users:read", "as you"):
        assert shown in page
    for workspace in practice_slack.slack.workspaces.values():
        assert f'value="{workspace.id}"' in page
        assert workspace.name in page


@pytest.mark.parametrize(("team", "chosen"), [(None, ACME), (ACME_TEST, ACME_TEST), ("T0UNKNOWN", ACME)])
def test_team_hint_preselects_a_workspace(practice_slack: Slack, team: str | None, chosen: str) -> None:
    page = practice_slack.sees_consent(team=team).text
    assert re.findall(r'value="(\w+)" checked', page) == [chosen]


def test_person_picks_the_channel_of_an_incoming_webhook(practice_slack: Slack) -> None:
    assert 'name="channel"' not in practice_slack.sees_consent().text
    page = practice_slack.sees_consent(scope="incoming-webhook").text
    names = re.findall(r'<option value="([a-z0-9-]+)">#', page)
    assert {"general", "sales", "project-001", "brand", "leadership"} <= set(names)
    assert "launch-2024" not in names, "it is archived"
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("workspace", "picked", "used"),
    [(ACME, "sales", "#sales"), (DESIGN, "brand", "#brand"), (ACME, "brand", "#general")],
)
def test_webhook_is_for_the_picked_channel_of_the_workspace(
    practice_slack: Slack, workspace: str, picked: str, used: str
) -> None:
    form = {"workspace": workspace, "channel": picked, "action": "allow"}
    address = f"/oauth/v2/authorize?{urlencode(practice_slack.ask(scope='incoming-webhook'))}"
    with practice_slack.app.test_client() as client:
        code = brought_back(client.post(address, data=form))["code"]
    webhook = practice_slack.exchanges(code)["incoming_webhook"]
    channels = practice_slack.slack.workspaces[workspace].channels
    (channel_id,) = (channel.id for channel in channels if f"#{channel.name}" == used)
    assert (webhook["channel"], webhook["channel_id"]) == (used, channel_id)


def test_allow_returns_a_code_and_the_same_state(practice_slack: Slack) -> None:
    state = "a b+c&d=e#f/ü%20"
    brought = brought_back(practice_slack.presses("allow", state=state))
    assert brought["state"] == state
    assert brought["code"]


def test_cancel_returns_access_denied_with_a_reason(practice_slack: Slack) -> None:
    brought = brought_back(practice_slack.presses("cancel"))
    assert brought["error"] == "access_denied"
    assert brought["error_description"]
    assert brought["state"] == "state-of-this-attempt"
    assert "code" not in brought


def test_redirect_address_keeps_its_own_query(practice_slack: Slack) -> None:
    address = "https://connect.northwind.example/back?kept=1"
    answer = practice_slack.presses("allow", redirect_uri=address)
    assert answer.headers["Location"].startswith("https://connect.northwind.example/back?kept=1&code=")


def test_first_registered_redirect_address_is_the_default(practice_slack: Slack) -> None:
    answer = practice_slack.presses("allow", redirect_uri=None)
    assert answer.headers["Location"].startswith(f"{practice_slack.redirect_uri}?")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "1.1"}, "invalid_client_id"),
        ({"client_id": None}, "invalid_client_id"),
        ({"client_id": "4242.1717\0"}, "invalid_client_id"),
        ({"redirect_uri": "https://evil.example/"}, "bad_redirect_uri"),
        ({"redirect_uri": "javascript:alert(1)"}, "bad_redirect_uri"),
        ({"scope": None}, "no_scopes"),
        ({"scope": " , "}, "no_scopes"),
        ({"scope": "chat:write,no_such_family:read"}, "invalid_scope"),
        ({"scope": "chat:write,<b>"}, "invalid_scope"),
        ({"scope": "chat:write", "user_scope": "openid"}, "invalid_scope"),
    ],
)
def test_wrong_request_stops_on_slacks_own_page(
    practice_slack: Slack, changes: dict[str, str | None], code: str
) -> None:
    for answer in (practice_slack.sees_consent(**changes), practice_slack.presses("allow", ACME, "normal", **changes)):
        assert answer.status_code == 400
        assert f'data-page="practice-error" data-code="{code}"' in answer.text
        assert "Location" not in answer.headers


def test_scope_that_no_organization_accepts_stops_on_slacks_own_page(practice_slack: Slack) -> None:
    answer = practice_slack.presses("allow", GROUP, scope="bot")
    assert 'data-code="scope_not_allowed_on_enterprise"' in answer.text


def test_sign_in_scopes_alone_are_accepted(practice_slack: Slack) -> None:
    assert practice_slack.sees_consent(scope=None, user_scope="openid,email,profile").status_code == 200


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("https://a.example/back", True),
        ("https://a.example/back?x=1", True),
        ("https://a.example/back/further", True),
        ("https://a.example/backwards", False),
        ("https://a.example/", False),
        ("https://a.example/back/../other", False),
        ("https://a.example/back#fragment", False),
        ("https://a.example:444/back", False),
        ("https://a.example.evil.example/back", False),
        ("https://user@a.example/back", False),
        ("http://a.example/back", False),
        ("https://a.example:port/back", False),
        ("https://[/back", False),
        ("", False),
    ],
)
def test_registered_address_is_a_prefix(address: str, accepted: bool) -> None:
    app = PracticeApp("1.1", ("secret",), "signing", "App", ("https://a.example/back",))
    assert app.accepts_redirect(address) is accepted


def test_registration_shows_no_secret() -> None:
    assert "secret" not in repr(APP).replace("client_secret", "").replace("signing_secret", "")


def test_workspace_that_requires_approval_does_not_redirect(practice_slack: Slack) -> None:
    answer = practice_slack.presses("allow", HARBOR)
    assert answer.status_code == 200
    assert 'data-page="practice-approval"' in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize(("workspace", "scenario"), [(HARBOR, "normal"), (ACME, "approval_requested")])
def test_admin_approves_and_the_install_continues(practice_slack: Slack, workspace: str, scenario: str) -> None:
    query = urlencode(practice_slack.ask(scenario=scenario))
    with practice_slack.app.test_client() as person:
        person.post(f"/oauth/v2/authorize?{query}", data={"workspace": workspace, "action": "allow"})
        back = person.post(f"/oauth/v2/approve?{query}", data={"workspace": workspace})
        consent = person.get(back.headers["Location"])
        assert f'value="{workspace}" checked' in consent.text
        again = person.post(back.headers["Location"], data={"workspace": workspace, "action": "allow"})
        assert "code" in brought_back(again)


def test_menu_offers_every_scenario_under_its_heading(practice_slack: Slack) -> None:
    page = practice_slack.sees_consent().text
    assert re.findall(r'<option value="(\w+)"', page) == [row.name for row in SCENARIOS]
    assert len(menu()) == len({row.group for row in SCENARIOS})
    assert len({row.name for row in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda row: row.name)
def test_every_scenario_has_the_documented_result(practice_slack: Slack, scenario: Scenario) -> None:
    answer = practice_slack.presses("allow", scenario=scenario.name)
    if scenario.page or scenario.asks_approval:
        assert answer.status_code == (400 if scenario.page else 200)
        assert "Location" not in answer.headers
        return
    brought = brought_back(answer)
    assert ("code" in brought) is (scenario.sends_code and not scenario.error)
    assert brought.get("error") == scenario.error
    state = {"echoed": "state-of-this-attempt", "dropped": None}.get(scenario.state, brought.get("state"))
    assert brought.get("state") == state
    assert (brought.get("state") == "state-of-this-attempt") is (scenario.state == "echoed")


@pytest.mark.parametrize("way", ["query", "control", "form"])
def test_scenario_comes_by_query_by_control_or_by_form(practice_slack: Slack, way: str) -> None:
    if way == "control":
        practice_slack.slack.next_consent("redirect_server_error")
    in_query = {"scenario": "redirect_server_error"} if way == "query" else {}
    form = {"workspace": ACME, "action": "allow"} | ({"scenario": "redirect_server_error"} if way == "form" else {})
    address = f"/oauth/v2/authorize?{urlencode(practice_slack.ask(**in_query))}"
    with practice_slack.app.test_client() as person:
        assert ("selected>An error that says server_error" in person.get(address).text) is (way != "form")
        assert brought_back(person.post(address, data=form))["error"] == "server_error"


def test_scenario_set_by_control_is_for_one_consent(practice_slack: Slack) -> None:
    practice_slack.slack.next_consent("redirect_server_error")
    assert "error" in brought_back(practice_slack.presses("allow"))
    assert "code" in brought_back(practice_slack.presses("allow"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 302),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 302),
        ({"Origin": "http://localhost"}, 302),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_form_of_another_site_cannot_allow(practice_slack: Slack, headers: dict[str, str], status: int) -> None:
    address = f"/oauth/v2/authorize?{urlencode(practice_slack.ask())}"
    form = {"workspace": ACME, "action": "allow"}
    with practice_slack.app.test_client() as person:
        assert person.post(address, data=form, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8000", 200),
        ("127.8.9.10", 200),
        ("localhost:4003", 200),
        ("[::1]:4003", 200),
        ("slack.com", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("10.0.0.1", 421),
        ("169.254.169.254", 421),
        ("[::", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("path", ["/", "/control/", "/static/css/practice.css"])
def test_only_host_names_of_this_computer_are_accepted(
    practice_slack: Slack, host: str, status: int, path: str
) -> None:
    assert practice_slack.get(path, Host=host).status_code == status


def test_every_link_keeps_the_prefix(practice_slack: Slack) -> None:
    person = Client(DispatcherMiddleware(practice_slack.app, {"/practice": practice_slack.app}))
    query = urlencode(practice_slack.ask(_scheme="javascript", _external="1"))
    pages = [
        person.get(f"/practice/oauth/v2/authorize?{query}").text,
        person.post(f"/practice/oauth/v2/authorize?{query}", data={"workspace": HARBOR, "action": "allow"}).text,
        person.get("/practice/").text,
    ]
    links = [link for page in pages for link in re.findall(r'\s(?:href|src|action)="([^"]+)"', page)]
    assert len(links) > 10
    assert [link for link in links if not link.startswith("/practice/")] == []
    approved = person.post(f"/practice/oauth/v2/approve?{query}", data={"workspace": HARBOR})
    assert approved.headers["Location"].startswith("/practice/oauth/v2/authorize?")


def test_consent_can_move_to_another_name_first(practice_slack: Slack) -> None:
    practice_slack.slack.forwards_to = "http://localhost:4003"
    answer = practice_slack.sees_consent(state="a+b&c")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("http://localhost:4003/oauth/v2/authorize?")
    assert answer.headers["Location"].endswith("state=a%2Bb%26c")


def test_org_install_link_leads_to_the_organization(practice_slack: Slack) -> None:
    answer = practice_slack.get(f"/manage/{GROUP}/integrations/profile/{APP.app_id}/workspaces/add")
    assert answer.headers["Location"] == f"/#{GROUP}"


def test_admin_removes_the_app_and_adds_it_to_a_workspace(practice_slack: Slack) -> None:
    practice_slack.installs(GROUP)
    choice = {"client_id": APP.client_id, "workspace": DESIGN}
    with practice_slack.app.test_client() as admin:
        admin.post("/add", data=choice)
        assert "Added to Meridian Design" in admin.get("/").text
        admin.post("/remove", data=choice | {"workspace": GROUP})
        assert "Northwind Notices" not in admin.get("/").text
        assert admin.post("/remove", data=choice | {"workspace": "T0UNKNOWN"}).status_code == 404
    assert practice_slack.slack.installations() == []
