"""Web API methods for installing: `oauth.v2.access`, `auth.*`, `apps.uninstall`, `team.info`."""

import secrets

from onboarding.practice import codes, grants
from onboarding.practice.api_call import Answer, ApiCall
from onboarding.practice.errors import Refused
from onboarding.practice.grants import Issued
from onboarding.practice.ledger import Code, Installation, Token
from onboarding.practice.registration import PracticeApp
from onboarding.practice.scenarios import BY_NAME
from onboarding.practice.workspaces import Workspace


def oauth_v2_access(call: ApiCall) -> Answer:
    app = call.client()
    grant_type = call.params.get("grant_type", "authorization_code")
    if grant_type == "refresh_token":
        return _refreshed(call, app)
    if grant_type != "authorization_code":
        raise Refused("invalid_grant_type")
    now = call.slack.now()
    with call.slack.changing() as ledger:
        code = codes.spend_code(ledger, app, call.params.get("code", ""), call.params.get("redirect_uri"), now)
        workspace = call.slack.workspaces[code.workspace_id]
        installation, bot, user = grants.install(ledger, app, workspace, code, now)
        webhook = _new_webhook(call, installation, code) if "incoming-webhook" in code.bot_scopes else {}
        return {
            "app_id": app.app_id,
            "authed_user": {"id": workspace.person.id, **(_token_fields(user, now) if user else {})},
            **(_token_fields(bot, now) if bot else {}),
            **({"bot_user_id": installation.bot_user_id} if bot else {}),
            "team": _team(workspace, code),
            "enterprise": _enterprise(workspace),
            "is_enterprise_install": workspace.is_org,
            **webhook,
        }


def auth_test(call: ApiCall) -> Answer:
    token = call.token()
    workspace = call.slack.workspaces[token.workspace_id]
    app = call.slack.app(token.client_id)
    about: Answer = {
        "url": workspace.url,
        "team": workspace.name,
        "user": _login(app, workspace, token),
        "team_id": workspace.id,
        "user_id": token.user_id,
        "app_id": app.app_id if app else None,
        "app_name": app.name if app else None,
        "is_enterprise_install": workspace.is_org,
    }
    if token.kind == "bot":
        about["bot_id"] = call.installation(token).bot_id
    if workspace.enterprise_id:
        about["enterprise_id"] = workspace.enterprise_id
    if token.expires_at is not None:
        about["expires_in"] = int(token.expires_at - call.slack.now())
    return about


def auth_revoke(call: ApiCall) -> Answer:
    token = call.token()
    if call.flag("test"):
        return {"revoked": False}
    call.slack.revokes(token.value)
    return {"revoked": True}


def auth_teams_list(call: ApiCall) -> Answer:
    token = call.token()
    here = call.slack.workspaces[token.workspace_id]
    ids = call.installation(token).teams if here.is_org else [here.id]
    teams = [{"id": team_id, "name": call.slack.workspaces[team_id].name} for team_id in ids]
    return {"teams": teams, "response_metadata": {"next_cursor": ""}}


def apps_uninstall(call: ApiCall) -> Answer:
    token = call.token()
    app = call.client()
    if app.client_id != token.client_id:
        raise Refused("client_id_token_mismatch")
    call.slack.removes_app(app.client_id, token.workspace_id)
    return {}


def team_info(call: ApiCall) -> Answer:
    token = call.token("team:read")
    workspace = call.workspace(token)
    team: Answer = {
        "id": workspace.id,
        "name": workspace.name,
        "url": workspace.url,
        "domain": workspace.domain,
        "email_domain": f"{workspace.domain}.example",
        "icon": {"image_default": True, "image_132": f"{call.root}icons/{workspace.id}.svg"},
    }
    if workspace.enterprise_id:
        team |= {"enterprise_id": workspace.enterprise_id, "enterprise_name": workspace.enterprise_name}
    return {"team": team}


def _refreshed(call: ApiCall, app: PracticeApp) -> Answer:
    now = call.slack.now()
    with call.slack.changing() as ledger:
        issued = grants.refresh(ledger, app, call.params.get("refresh_token", ""), now)
    workspace = call.slack.workspaces[issued.token.workspace_id]
    id_member = "bot_user_id" if issued.token.kind == "bot" else "user_id"
    return {
        "app_id": app.app_id,
        **_token_fields(issued, now),
        id_member: issued.token.user_id,
        "team": _team(workspace),
        "enterprise": _enterprise(workspace),
        "is_enterprise_install": workspace.is_org,
    }


def _token_fields(issued: Issued, now: float) -> Answer:
    token = issued.token
    fields: Answer = {"access_token": token.value, "scope": ",".join(token.scopes), "token_type": token.kind}
    if token.expires_at is not None:
        fields |= {"expires_in": int(token.expires_at - now), "refresh_token": issued.refresh_token}
    return fields


def _team(workspace: Workspace, code: Code | None = None) -> Answer | None:
    if workspace.is_org:
        return None
    if code and BY_NAME[code.scenario].leaves_out_team_name:
        return {"id": workspace.id}
    return {"id": workspace.id, "name": workspace.name}


def _enterprise(workspace: Workspace) -> Answer | None:
    if workspace.enterprise_id is None:
        return None
    return {"id": workspace.enterprise_id, "name": workspace.enterprise_name}


def _new_webhook(call: ApiCall, installation: Installation, code: Code) -> Answer:
    """Create another webhook for each consent, as Slack does. Earlier webhooks stay valid.

    A workspace without the picked channel uses its first one.
    """
    workspace = call.slack.workspaces[code.workspace_id]
    picked = (one for one in workspace.channels if one.name == code.channel)
    channel = next(picked, workspace.channels[0] if workspace.channels else None)
    path = f"services/{workspace.id}/{installation.bot_id}/{secrets.token_urlsafe(18)}"
    installation.webhooks = [*installation.webhooks, path][-20:]
    return {
        "incoming_webhook": {
            "channel": f"#{channel.name}" if channel else "",
            "channel_id": channel.id if channel else "",
            "configuration_url": f"{workspace.url}services/{installation.bot_id}",
            "url": call.root + path,
        }
    }


def _login(app: PracticeApp | None, workspace: Workspace, token: Token) -> str:
    name = (app.name if app else "bot") if token.kind == "bot" else workspace.person.name
    return name.lower().replace(" ", "_")
