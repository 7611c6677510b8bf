"""Read Slack's five response shapes into one grant that can be stored."""

from typing import Any

import pytest

from onboarding.errors import SlackDown
from onboarding.slack import grants

TEAM = {"id": "T1", "name": "Acme HQ"}
ORG = {"id": "E1", "name": "Acme Group"}
BOT = {
    "ok": True,
    "app_id": "A1",
    "authed_user": {"id": "U1"},
    "scope": "chat:write,channels:read",
    "token_type": "bot",
    "access_token": "xoxb-1",
    "bot_user_id": "U9",
    "team": TEAM,
    "enterprise": None,
    "is_enterprise_install": False,
}
ROTATING = {**BOT, "access_token": "xoxe.xoxb-1", "refresh_token": "xoxe-1-r", "expires_in": 43200}
IN_ORG = {**BOT, "enterprise": ORG}
WHOLE_ORG = {**BOT, "team": None, "enterprise": ORG, "is_enterprise_install": True}
HOOK = {
    "url": "https://hooks.slack.com/services/T1/B1/x",
    "channel": "#plans",
    "channel_id": "C1",
    "configuration_url": "https://acme.slack.com/services/B1",
}
USER = {
    "ok": True,
    "app_id": "A1",
    "authed_user": {"id": "U1", "scope": "chat:write", "access_token": "xoxp-1", "token_type": "user"},
    "team": TEAM,
    "enterprise": None,
    "is_enterprise_install": False,
}


@pytest.mark.parametrize(
    ("answer", "slack_key", "workspace", "token"),
    [
        pytest.param(BOT, "team:T1", ("T1", "Acme HQ"), "xoxb-1", id="bot token"),
        pytest.param(ROTATING, "team:T1", ("T1", "Acme HQ"), "xoxe.xoxb-1", id="rotating token"),
        pytest.param(IN_ORG, "team:T1", ("T1", "Acme HQ"), "xoxb-1", id="workspace of an organization"),
        pytest.param(WHOLE_ORG, "enterprise:E1", ("E1", "Acme Group"), "xoxb-1", id="whole organization"),
        pytest.param(USER, "team:T1", ("T1", "Acme HQ"), "xoxp-1", id="user token only"),
    ],
)
def test_each_answer_shape_is_read(
    answer: dict[str, Any], slack_key: str, workspace: tuple[str, str], token: str
) -> None:
    grant = grants.read(answer)
    assert grant.slack_key == slack_key
    assert (grant.workspace_id, grant.workspace_name) == workspace
    assert grant.access_token == token
    assert grant.installer_id == "U1"


def test_granted_permissions_are_those_of_the_token() -> None:
    assert grants.read(BOT).scopes == ("chat:write", "channels:read")
    assert grants.read(USER).scopes == ("chat:write",)


def test_rotating_token_keeps_its_refresh_token_and_its_lifetime() -> None:
    rotating, lasting = grants.read(ROTATING), grants.read(BOT)
    assert (rotating.refresh_token, rotating.expires_in) == ("xoxe-1-r", 43200)
    assert (lasting.refresh_token, lasting.expires_in) == (None, None)


def test_grant_says_whether_its_token_is_a_bot_token() -> None:
    user_token_only = {**BOT, "access_token": None, "authed_user": {"id": "U1", "access_token": "xoxp-1"}}
    assert grants.read(BOT).is_bot
    assert not grants.read(user_token_only).is_bot
    assert not grants.read({**BOT, "token_type": "user"}).is_bot


def test_organization_install_has_no_workspace() -> None:
    grant = grants.read(WHOLE_ORG)
    assert (grant.is_enterprise_install, grant.team_id) == (True, None)


@pytest.mark.parametrize(
    "answer",
    [ROTATING, {**ROTATING, **IN_ORG}, WHOLE_ORG, {**WHOLE_ORG, "team": {"id": None}}, {**WHOLE_ORG, "team": TEAM}],
    ids=["workspace", "workspace of an organization", "organization", "empty team", "organization and workspace"],
)
def test_refresh_belongs_to_what_was_installed(answer: dict[str, Any]) -> None:
    assert grants.read_refreshed(answer).workspace_id == grants.read(answer).workspace_id


def test_missing_name_is_completed_and_a_known_one_is_kept() -> None:
    nameless = grants.read({**BOT, "team": {"id": "T1"}})
    assert nameless.named("Acme HQ").workspace_name == "Acme HQ"
    assert grants.read(BOT).named("Other").workspace_name == "Acme HQ"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {**BOT, "access_token": None},
        {**BOT, "access_token": 7},
        {**BOT, "team": None},
        {**BOT, "team": "T1"},
        {**BOT, "team": {"id": ""}},
        {**WHOLE_ORG, "enterprise": None},
    ],
    ids=["empty", "no token", "number for a token", "no team", "team as text", "empty team id", "no organization"],
)
def test_answer_without_token_or_workspace_is_no_grant(answer: dict[str, Any]) -> None:
    with pytest.raises(SlackDown):
        grants.read(answer)


def test_grant_can_be_stored_and_read_again() -> None:
    grant = grants.read({**ROTATING, "incoming_webhook": HOOK})
    assert grants.Grant.from_dict(grant.as_dict()) == grant
    assert grant.webhook == grants.Webhook("https://hooks.slack.com/services/T1/B1/x", "#plans", "C1")


def test_grant_of_an_older_version_has_no_webhook() -> None:
    kept = {name: value for name, value in grants.read(BOT).as_dict().items() if name != "webhook"}
    assert grants.Grant.from_dict(kept) == grants.read(BOT)


def test_repr_of_a_grant_shows_no_token() -> None:
    shown = repr(grants.read({**ROTATING, "incoming_webhook": HOOK}))
    assert "xox" not in shown
    assert "hooks.slack.com" not in shown
    assert "plans" not in shown
    assert "Acme HQ" in shown


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Acme \ud83d", "Acme"),
        ("Ac\0me", "Acme"),
        ("a" * 300, "a" * 255),
        (" Acme HQ ", "Acme HQ"),
        ("a" * 254 + " a", "a" * 254),
        ("Acme \u202egnp.exe\u2069", "Acme gnp.exe"),
        ("\ufeffAcme\u200b", "Acme"),
        ("\u05d0\u200f \u05d1", "\u05d0\u200f \u05d1"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\u200b \u2800", None),
        ("\0", None),
        (7, None),
    ],
)
def test_name_is_cleaned_and_cut(sent: object, stored: str | None) -> None:
    assert grants.read({**BOT, "team": {"id": "T1", "name": sent}}).workspace_name == stored


@pytest.mark.parametrize("member", ["app_id", "bot_user_id"])
@pytest.mark.parametrize("sent", ["A" * 101, "A\ud83d", "A\0", "", 7])
def test_invalid_optional_id_is_left_out(member: str, sent: object) -> None:
    grant = grants.read({**BOT, member: sent})
    assert (grant.app_id if member == "app_id" else grant.bot_user_id) is None


@pytest.mark.parametrize("sent", ["T\ud83d", "T" * 101, "T\n", "", None])
def test_error_for_a_grant_without_a_workspace_contains_the_token_to_revoke(sent: object) -> None:
    with pytest.raises(grants.UnusableGrant) as unusable:
        grants.read({**BOT, "team": {"id": sent, "name": "Acme"}})
    assert unusable.value.token == "xoxb-1"


@pytest.mark.parametrize(
    "sent",
    [
        None,
        7,
        {},
        [],
        {"url": None},
        *(
            {"url": url}
            for url in (
                "",
                "hooks",
                "javascript:x",
                "https:///x",
                "https://h /",
                "https://h/\ud83d",
                "https://h/\0",
                "https://h/" + "x" * 5000,
            )
        ),
    ],
)
def test_webhook_without_an_address_is_none(sent: object) -> None:
    assert grants.read({**BOT, "incoming_webhook": sent}).webhook is None


@pytest.mark.parametrize("sent", ["#pl\0ans\ud83d", "#plans", " #plans "])
def test_channel_name_of_a_webhook_is_cleaned(sent: str) -> None:
    webhook = grants.read({**BOT, "incoming_webhook": {**HOOK, "channel": sent}}).webhook
    assert webhook is not None
    assert webhook.channel == "#plans"


def test_scopes_are_stripped() -> None:
    assert grants.read({**BOT, "scope": "chat:write, channels:read ,"}).scopes == ("chat:write", "channels:read")


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        *((10**12, 366 * 86400), (9**500, 366 * 86400), (float("inf"), 366 * 86400)),
        *((43_200, 43_200), (43_200.0, 43_200), ("43200", 43_200)),
        *((value, None) for value in (0, -1, 0.5, True, None, "", "soon", "-1", [1], float("nan"))),
    ],
    ids=lambda value: repr(value)[:14],
)
def test_lifetime_is_bounded(sent: object, seconds: int | None) -> None:
    assert grants.read({**ROTATING, "expires_in": sent}).expires_in == seconds
    assert grants.read_refreshed({**ROTATING, "expires_in": sent}).expires_in == seconds
