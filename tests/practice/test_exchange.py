"""`oauth.v2.access` for a code, as slack_sdk parses it: the five shapes, the errors, reinstalling."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from onboarding.practice.scenarios import BY_NAME, SCENARIOS
from tests.practice.conftest import OTHER_APP
from tests.practice.walk import ACME, ACME_TEST, DESIGN, GROUP, Slack, error_of

#: Members that Slack's reference gives each shape, besides `ok`.
ALWAYS = {"app_id", "authed_user", "team", "enterprise", "is_enterprise_install"}
BOT = {"access_token", "token_type", "scope", "bot_user_id"}
SHAPES: list[tuple[str, str, set[str], set[str]]] = [
    # scenario, workspace, top level, authed_user
    ("normal", ACME, ALWAYS | BOT, {"id"}),
    ("bot_and_user", ACME, ALWAYS | BOT, {"id", "access_token", "scope", "token_type"}),
    ("user_only", ACME, ALWAYS, {"id", "access_token", "scope", "token_type"}),
    ("incoming_webhook", ACME, ALWAYS | BOT | {"incoming_webhook"}, {"id"}),
    ("org_install", ACME, ALWAYS | BOT, {"id"}),
    ("rotation", ACME, ALWAYS | BOT | {"expires_in", "refresh_token"}, {"id"}),
]


@pytest.mark.parametrize(
    ("scenario", "workspace", "members", "of_person"), SHAPES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_answer_has_slacks_shape(
    practice_slack: Slack, scenario: str, workspace: str, members: set[str], of_person: set[str]
) -> None:
    answer = practice_slack.installs(workspace, scenario)
    assert set(answer) - {"ok"} == members
    assert set(answer["authed_user"]) == of_person


def test_plain_install_names_workspace_and_scopes(practice_slack: Slack) -> None:
    answer = practice_slack.installs()
    assert answer["team"] == {"id": ACME, "name": "Acme HQ"}
    assert answer["enterprise"] is None
    assert answer["is_enterprise_install"] is False
    assert answer["token_type"] == "bot"
    assert answer["scope"] == "chat:write,channels:read"
    assert answer["access_token"].startswith("xoxb-")


def test_user_scopes_alone_give_a_user_token_alone(practice_slack: Slack) -> None:
    answer = practice_slack.installs(scope=None, user_scope="users:read,chat:write")
    assert "access_token" not in answer
    assert answer["authed_user"]["access_token"].startswith("xoxp-")
    assert answer["authed_user"]["token_type"] == "user"
    assert practice_slack.says_about(answer["authed_user"]["access_token"]) == "ok"


def test_workspace_of_an_organization_names_it(practice_slack: Slack) -> None:
    answer = practice_slack.installs(DESIGN)
    assert answer["team"] == {"id": DESIGN, "name": "Meridian Design"}
    assert answer["enterprise"] == {"id": GROUP, "name": "Meridian Group"}
    assert answer["is_enterprise_install"] is False


def test_organization_has_no_team(practice_slack: Slack) -> None:
    answer = practice_slack.installs(GROUP)
    assert answer["team"] is None
    assert answer["enterprise"] == {"id": GROUP, "name": "Meridian Group"}
    assert answer["is_enterprise_install"] is True
    assert answer["authed_user"]["id"].startswith("W")


def test_workspace_of_an_organization_that_has_the_app_is_refused(practice_slack: Slack) -> None:
    practice_slack.installs(GROUP)
    with pytest.raises(SlackApiError) as problem:
        practice_slack.installs(DESIGN)
    assert error_of(problem.value) == "cannot_install_an_org_installed_app"


def test_rotating_token_comes_with_its_refresh_token(practice_slack: Slack) -> None:
    answer = practice_slack.installs(scenario="rotation", user_scope="users:read")
    assert answer["access_token"].startswith("xoxe.xoxb-1-")
    assert answer["authed_user"]["access_token"].startswith("xoxe.xoxp-1-")
    for tokens in (answer, answer["authed_user"]):
        assert tokens["expires_in"] == 43_200
        assert tokens["refresh_token"].startswith("xoxe-1-")


def test_team_name_can_be_missing_and_auth_test_knows_it(practice_slack: Slack) -> None:
    answer = practice_slack.installs(scenario="team_name_missing")
    assert answer["team"] == {"id": ACME}
    assert practice_slack.client(answer["access_token"]).auth_test()["team"] == "Acme HQ"


def test_declined_permissions_are_not_granted(practice_slack: Slack) -> None:
    answer = practice_slack.installs(scenario="partial_permissions", scope="chat:write,channels:read,groups:read")
    assert answer["scope"] == "chat:write,channels:read"


@pytest.mark.parametrize(("hint", "chosen"), [(ACME, ACME), (ACME_TEST, ACME_TEST), (None, ACME)])
def test_another_workspace_than_the_requested_one_is_granted(
    practice_slack: Slack, hint: str | None, chosen: str
) -> None:
    answer = practice_slack.installs(chosen, "other_workspace", team=hint)
    assert answer["team"]["id"] in {ACME, ACME_TEST} - {chosen}


def test_webhook_posts_until_the_app_is_removed(practice_slack: Slack) -> None:
    webhook = practice_slack.installs(scenario="incoming_webhook")["incoming_webhook"]
    assert set(webhook) == {"channel", "channel_id", "configuration_url", "url"}
    path = webhook["url"].removeprefix(practice_slack.url)
    with practice_slack.app.test_client() as poster:
        assert poster.post(path, json={"text": "hello"}).text == "ok"
        practice_slack.slack.removes_app(practice_slack.registered.client_id, ACME)
        assert poster.post(path, json={"text": "hello"}).status_code == 404


@pytest.mark.parametrize("secret", ["newer-secret", "older-secret"])
@pytest.mark.parametrize("where", ["basic", "body"])
def test_either_secret_is_accepted_in_header_or_body(practice_slack: Slack, secret: str, where: str) -> None:
    registered = practice_slack.registered
    form = {"code": practice_slack.allows(), "redirect_uri": practice_slack.redirect_uri}
    auth = (registered.client_id, secret) if where == "basic" else None
    if where == "body":
        form |= {"client_id": registered.client_id, "client_secret": secret}
    with practice_slack.app.test_client() as client:
        answer = client.post("/api/oauth.v2.access", data=form, auth=auth).get_json()
    assert answer["ok"] is True


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1.1"}, "invalid_client_id"),
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": OTHER_APP.client_id, "client_secret": OTHER_APP.client_secrets[0]}, "invalid_code"),
        ({"code": "no-such-code"}, "invalid_code"),
        ({"redirect_uri": "http://127.0.0.1:9/slack/oauth_redirect/"}, "bad_redirect_uri"),
        ({"redirect_uri": None}, "bad_redirect_uri"),
    ],
)
def test_wrong_exchange_is_refused_and_the_right_one_still_works(
    practice_slack: Slack, changes: dict[str, str | None], error: str
) -> None:
    code = practice_slack.allows()
    with pytest.raises(SlackApiError) as problem:
        practice_slack.exchanges(**{"code": code, **changes})  # type: ignore[arg-type]  # The code is a text.
    assert error_of(problem.value) == error
    assert practice_slack.exchanges(code)["ok"] is True


def test_wrong_grant_type_is_refused(practice_slack: Slack) -> None:
    with pytest.raises(SlackApiError) as problem:
        practice_slack.exchanges(practice_slack.allows(), grant_type="password")
    assert error_of(problem.value) == "invalid_grant_type"


def test_code_is_valid_for_ten_minutes(practice_slack: Slack) -> None:
    early, late = practice_slack.allows(), practice_slack.allows()
    practice_slack.slack.moves_clock(590)
    assert practice_slack.exchanges(early)["ok"] is True
    practice_slack.slack.moves_clock(10)
    with pytest.raises(SlackApiError) as problem:
        practice_slack.exchanges(late)
    assert error_of(problem.value) == "invalid_code"


def test_of_thirty_exchanges_of_one_code_one_succeeds(practice_slack: Slack) -> None:
    code = practice_slack.allows()

    def exchange(_: int) -> str:
        try:
            return str(practice_slack.exchanges(code)["ok"])
        except SlackApiError as problem:
            return error_of(problem)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(exchange, range(30)))
    assert sorted(answers) == ["True", *["invalid_code"] * 29]
    assert len(practice_slack.slack.calls("oauth.v2.access")) == 30


REFUSALS = [
    row
    for row in SCENARIOS
    if row.fault and "_" in row.fault.kind and row.fault.kind not in ("status_500", "html_502", "html_200")
]


@pytest.mark.parametrize("scenario", [row.name for row in REFUSALS])
def test_every_refusal_of_the_menu_is_read_as_slacks_error(practice_slack: Slack, scenario: str) -> None:
    fault = BY_NAME[scenario].fault
    with pytest.raises(SlackApiError) as problem:
        practice_slack.installs(scenario=scenario)
    assert fault is not None
    assert error_of(problem.value) == fault.kind
    assert problem.value.response.status_code == 200


def test_fault_of_one_install_does_not_affect_the_other(practice_slack: Slack) -> None:
    spoiled, fine = practice_slack.allows(scenario="bad_client_secret"), practice_slack.allows()
    assert practice_slack.exchanges(fine)["ok"] is True
    with pytest.raises(SlackApiError):
        practice_slack.exchanges(spoiled)


def test_reinstalling_gives_the_same_token_with_all_scopes(practice_slack: Slack) -> None:
    first = practice_slack.installs(scope="chat:write,channels:read")
    second = practice_slack.installs(scope="chat:write,groups:read")
    assert second["access_token"] == first["access_token"]
    assert second["scope"] == "chat:write,channels:read,groups:read"
    tested = practice_slack.client(first["access_token"]).auth_test()
    assert tested.headers["x-oauth-scopes"] == "chat:write,channels:read,groups:read"


def test_installing_after_an_uninstall_gives_a_new_token_and_fewer_scopes(practice_slack: Slack) -> None:
    first = practice_slack.installs(scope="chat:write,groups:read")
    practice_slack.slack.removes_app(practice_slack.registered.client_id, ACME)
    second = practice_slack.installs(scope="chat:write")
    assert second["access_token"] != first["access_token"]
    assert second["scope"] == "chat:write"
    assert practice_slack.says_about(first["access_token"]) == "account_inactive"


def test_apps_do_not_see_each_other(practice_slack: Slack) -> None:
    ours = practice_slack.installs()
    other = Slack(practice_slack.app, OTHER_APP, practice_slack.url)
    theirs = other.installs()
    assert theirs["access_token"] != ours["access_token"]
    assert theirs["app_id"] != ours["app_id"]
    practice_slack.slack.removes_app(OTHER_APP.client_id, ACME)
    assert practice_slack.says_about(ours["access_token"]) == "ok"


def test_form_with_a_charset_gets_slacks_warning(practice_slack: Slack) -> None:
    with practice_slack.app.test_client() as client:
        answer: Any = client.post(
            "/api/auth.test",
            data="token=" + practice_slack.installs()["access_token"],
            content_type="application/x-www-form-urlencoded; charset=utf-8",
        ).get_json()
    assert answer["ok"] is True
    assert answer["warning"] == "superfluous_charset"
