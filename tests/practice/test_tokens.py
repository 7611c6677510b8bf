"""Tokens: their methods and their lifetimes (`auth.*`, `apps.uninstall`, rotation)."""

import pytest
from slack_sdk.errors import SlackApiError

from onboarding.practice import admins
from tests.practice.conftest import OTHER_APP
from tests.practice.walk import ACME, DESIGN, GROUP, Slack, body, error_of


def test_auth_test_identifies_the_token(practice_slack: Slack) -> None:
    installed = practice_slack.installs()
    tested = body(practice_slack.client(installed["access_token"]).auth_test())
    assert tested["url"] == "https://acme-hq.slack.com/"
    assert (tested["team_id"], tested["team"]) == (ACME, "Acme HQ")
    assert tested["user_id"] == installed["bot_user_id"]
    assert tested["bot_id"].startswith("B")
    assert tested["app_id"] == installed["app_id"]
    assert tested["is_enterprise_install"] is False


def test_auth_test_of_an_organization_names_it(practice_slack: Slack) -> None:
    tested = body(practice_slack.client(practice_slack.installs(GROUP)["access_token"]).auth_test())
    assert tested["is_enterprise_install"] is True
    assert tested["enterprise_id"] == GROUP
    assert tested["url"] == "https://meridian.enterprise.slack.com/"


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-1-2-made-up", "invalid_auth"), ("", "not_authed"), (None, "not_authed")]
)
def test_token_that_was_never_issued_is_refused(practice_slack: Slack, token: str | None, error: str) -> None:
    assert practice_slack.says_about(token) == error  # type: ignore[arg-type]  # No token is a case, too.


def test_unknown_method_is_refused_and_its_name_is_not_stored(practice_slack: Slack) -> None:
    with pytest.raises(SlackApiError) as problem:
        practice_slack.client().api_call("xoxb-pasted-into-the-path")
    assert error_of(problem.value) == "unknown_method"
    assert [call.method for call in practice_slack.slack.calls()] == ["unknown_method"]


def test_missing_scope_names_needed_and_provided_scopes(practice_slack: Slack) -> None:
    with pytest.raises(SlackApiError) as problem:
        practice_slack.client(practice_slack.installs()["access_token"]).team_info()
    answer = problem.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "team:read")
    assert answer["provided"] == "chat:write,channels:read"
    assert answer.headers["x-oauth-scopes"] == "chat:write,channels:read"
    assert answer.headers["x-accepted-oauth-scopes"] == "team:read"


def test_team_info_shows_name_domain_and_icon(practice_slack: Slack) -> None:
    installed = practice_slack.installs(DESIGN, scope="team:read")
    team = body(practice_slack.client(installed["access_token"]).team_info())["team"]
    assert (team["id"], team["name"], team["domain"]) == (DESIGN, "Meridian Design", "meridian-design")
    assert team["enterprise_name"] == "Meridian Group"
    icon = practice_slack.get(team["icon"]["image_132"].removeprefix(practice_slack.url))
    assert icon.mimetype == "image/svg+xml"


def test_teams_of_a_workspace_token_are_its_own(practice_slack: Slack) -> None:
    teams = practice_slack.client(practice_slack.installs()["access_token"]).auth_teams_list()
    assert teams["teams"] == [{"id": ACME, "name": "Acme HQ"}]


def test_organization_has_the_app_in_no_workspace_at_first(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs(GROUP)["access_token"])
    assert client.auth_teams_list()["teams"] == []
    assert admins.add_to_workspace(practice_slack.slack, practice_slack.registered.client_id, DESIGN)
    assert client.auth_teams_list()["teams"] == [{"id": DESIGN, "name": "Meridian Design"}]


def test_revoking_a_bot_token_uninstalls_when_nothing_else_is_left(practice_slack: Slack) -> None:
    token = practice_slack.installs()["access_token"]
    assert practice_slack.client(token).auth_revoke()["revoked"] is True
    assert practice_slack.says_about(token) == "token_revoked"
    assert practice_slack.slack.installations() == []


def test_revoking_a_bot_token_leaves_the_users_token(practice_slack: Slack) -> None:
    installed = practice_slack.installs(user_scope="users:read")
    practice_slack.client(installed["access_token"]).auth_revoke()
    assert practice_slack.says_about(installed["authed_user"]["access_token"]) == "ok"
    [installation] = practice_slack.slack.installations()
    assert installation.bot_scopes == []


def test_revoking_the_last_user_token_uninstalls(practice_slack: Slack) -> None:
    installed = practice_slack.installs(scenario="user_only")
    practice_slack.client(installed["authed_user"]["access_token"]).auth_revoke()
    assert practice_slack.slack.installations() == []


def test_revoking_a_rotating_token_ends_that_token_only(practice_slack: Slack) -> None:
    installed = practice_slack.installs(scenario="rotation")
    practice_slack.client(installed["access_token"]).auth_revoke()
    assert practice_slack.says_about(installed["access_token"]) == "token_revoked"
    assert len(practice_slack.slack.installations()) == 1
    assert practice_slack.says_about(practice_slack.refreshes(installed["refresh_token"])["access_token"]) == "ok"


def test_revoking_can_be_tried_without_effect(practice_slack: Slack) -> None:
    token = practice_slack.installs()["access_token"]
    assert practice_slack.client(token).auth_revoke(test=True)["revoked"] is False
    assert practice_slack.says_about(token) == "ok"


def test_revoking_twice_is_refused(practice_slack: Slack) -> None:
    client = practice_slack.client(practice_slack.installs()["access_token"])
    client.auth_revoke()
    with pytest.raises(SlackApiError) as problem:
        client.auth_revoke()
    assert error_of(problem.value) == "token_revoked"


@pytest.mark.parametrize("scenario", ["normal", "rotation"])
def test_uninstalling_ends_every_token(practice_slack: Slack, scenario: str) -> None:
    installed = practice_slack.installs(scenario=scenario, user_scope="users:read")
    registered = practice_slack.registered
    client = practice_slack.client(installed["access_token"])
    client.apps_uninstall(client_id=registered.client_id, client_secret=registered.client_secrets[0])
    assert practice_slack.says_about(installed["access_token"]) == "account_inactive"
    assert practice_slack.says_about(installed["authed_user"]["access_token"]) == "token_revoked"
    if scenario == "rotation":
        with pytest.raises(SlackApiError) as problem:
            practice_slack.refreshes(installed["refresh_token"])
        assert error_of(problem.value) == "invalid_refresh_token"


@pytest.mark.parametrize(
    ("client_id", "secret", "error"),
    [
        ("1.1", "newer-secret", "invalid_client_id"),
        ("4242.1717", "wrong", "bad_client_secret"),
        (OTHER_APP.client_id, OTHER_APP.client_secrets[0], "client_id_token_mismatch"),
    ],
)
def test_uninstalling_needs_the_apps_own_credentials(
    practice_slack: Slack, client_id: str, secret: str, error: str
) -> None:
    token = practice_slack.installs()["access_token"]
    with pytest.raises(SlackApiError) as problem:
        practice_slack.client(token).apps_uninstall(client_id=client_id, client_secret=secret)
    assert error_of(problem.value) == error
    assert practice_slack.says_about(token) == "ok"


def test_refresh_gives_a_new_pair_for_one_token(practice_slack: Slack) -> None:
    installed = practice_slack.installs(scenario="rotation", user_scope="users:read")
    bot = practice_slack.refreshes(installed["refresh_token"])
    user = practice_slack.refreshes(installed["authed_user"]["refresh_token"])
    assert (bot["token_type"], bot["bot_user_id"]) == ("bot", installed["bot_user_id"])
    assert (user["token_type"], user["user_id"]) == ("user", installed["authed_user"]["id"])
    assert bot["expires_in"] == user["expires_in"] == 43_200
    assert "authed_user" not in bot
    assert len({bot["access_token"], installed["access_token"], user["access_token"]}) == 3


def test_rotating_token_expires_after_twelve_hours(practice_slack: Slack) -> None:
    installed = practice_slack.installs(scenario="rotation")
    client = practice_slack.client(installed["access_token"])
    practice_slack.slack.moves_clock(43_000)
    assert 190 <= client.auth_test()["expires_in"] <= 200
    practice_slack.slack.moves_clock(200)
    assert practice_slack.says_about(installed["access_token"]) == "token_expired"
    assert practice_slack.says_about(practice_slack.refreshes(installed["refresh_token"])["access_token"]) == "ok"


def test_two_rotating_tokens_are_valid_and_a_third_revokes_the_oldest(practice_slack: Slack) -> None:
    first = practice_slack.installs(scenario="rotation")
    second = practice_slack.refreshes(first["refresh_token"])
    assert practice_slack.says_about(first["access_token"]) == "ok"
    third = practice_slack.refreshes(second["refresh_token"])
    said = [practice_slack.says_about(pair["access_token"]) for pair in (first, second, third)]
    assert said == ["token_revoked", "ok", "ok"]


def test_used_refresh_token_is_accepted_only_in_its_grace_period(practice_slack: Slack) -> None:
    first = practice_slack.installs(scenario="rotation")["refresh_token"]
    practice_slack.refreshes(first)
    practice_slack.slack.moves_clock(50)
    again = practice_slack.refreshes(first)
    assert practice_slack.says_about(again["access_token"]) == "ok"
    practice_slack.slack.moves_clock(20)
    with pytest.raises(SlackApiError) as problem:
        practice_slack.refreshes(first)
    assert error_of(problem.value) == "invalid_refresh_token"
    assert practice_slack.refreshes(again["refresh_token"])["ok"] is True


def test_lost_response_of_a_refresh_is_repaired_in_the_grace_period(practice_slack: Slack) -> None:
    installed = practice_slack.installs(scenario="rotation")
    practice_slack.slack.drops_connection("oauth.v2.access", after=True)
    with pytest.raises(ConnectionError):
        practice_slack.refreshes(installed["refresh_token"])
    assert practice_slack.says_about(practice_slack.refreshes(installed["refresh_token"])["access_token"]) == "ok"


def test_rotation_stays_on_for_later_installs(practice_slack: Slack) -> None:
    practice_slack.installs(scenario="rotation")
    assert practice_slack.installs()["access_token"].startswith("xoxe.xoxb-1-")


def test_refresh_token_of_another_app_is_refused(practice_slack: Slack) -> None:
    refresh_token = practice_slack.installs(scenario="rotation")["refresh_token"]
    other = Slack(practice_slack.app, OTHER_APP, practice_slack.url)
    with pytest.raises(SlackApiError) as problem:
        other.refreshes(refresh_token)
    assert error_of(problem.value) == "invalid_refresh_token"
