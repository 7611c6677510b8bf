"""The practice Slack's start page: installed apps by workspace, and the actions of a Slack admin."""

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from onboarding.practice import admins
from onboarding.practice.current import practice_slack

blueprint = Blueprint("home", __name__)
#: How many channels of a workspace are listed.
_MAX_CHANNELS = 15


@blueprint.get("/")
def show() -> str:
    slack = practice_slack()
    rows = [(slack.workspaces[row.workspace_id], row, slack.app(row.client_id)) for row in slack.installations()]
    guests = [workspace for workspace, _row, _app in rows if workspace.is_guest]
    workspaces = [*slack.offered_workspaces(), *dict.fromkeys(guests)]
    return render_template(
        "practice/home.html",
        rows=rows,
        workspaces=workspaces,
        max_channels=_MAX_CHANNELS,
        channel_name=admins.CHANNEL_NAME,
        mention_scope=admins.MENTION_SCOPE,
    )


@blueprint.get("/manage/<enterprise_id>/integrations/profile/<_app_id>/workspaces/add")
def add_workspaces(enterprise_id: str, _app_id: str) -> Response:
    """Redirect to the organization. Slack's page for adding an org-wide app to workspaces has this path."""
    return make_response(redirect(url_for("home.show", _anchor=enterprise_id)))


@blueprint.post("/remove")
def remove() -> Response:
    practice_slack().removes_app(request.form.get("client_id", ""), _workspace_id())
    return make_response(redirect(url_for("home.show"), 303))


@blueprint.post("/add")
def add() -> Response:
    admins.add_to_workspace(practice_slack(), request.form.get("client_id", ""), _workspace_id())
    return make_response(redirect(url_for("home.show"), 303))


@blueprint.post("/take-out")
def remove_from_workspace() -> Response:
    admins.remove_from_workspace(practice_slack(), request.form.get("client_id", ""), _workspace_id())
    return make_response(redirect(url_for("home.show"), 303))


@blueprint.post("/rename")
def rename() -> Response:
    """Rename a workspace."""
    workspace_id = _workspace_id()
    admins.rename_workspace(practice_slack(), workspace_id, request.form.get("name", "").strip()[:80])
    return make_response(redirect(url_for("home.show", _anchor=workspace_id), 303))


@blueprint.post("/channel")
def change_channel() -> Response:
    """Rename, archive, unarchive or delete a channel."""
    workspace_id, action = _workspace_id(), request.form.get("action", "")
    channel, name = (request.form.get(field, "").strip() for field in ("channel", "name"))
    if action not in admins.ACTIONS or not admins.change_channel(practice_slack(), workspace_id, channel, action, name):
        abort(
            400, "Nothing was changed: the channel already has this state or name, or the name is taken or not allowed."
        )
    return make_response(redirect(url_for("home.show", changed=workspace_id, _anchor=workspace_id), 303))


@blueprint.post("/invite")
def invite() -> Response:
    """Invite the app's bot to a channel, as somebody in the channel does with `/invite`."""
    workspace_id = _workspace_id()
    practice_slack().invites_bot(request.form.get("client_id", ""), workspace_id, request.form.get("channel", ""))
    return make_response(redirect(url_for("home.show", channels=workspace_id, _anchor=workspace_id), 303))


@blueprint.post("/mention")
def mention() -> Response:
    """Mention the app in a channel, as somebody in it does."""
    workspace_id = _workspace_id()
    admins.mention(practice_slack(), workspace_id, request.form.get("channel", ""))
    return make_response(redirect(url_for("home.show", channels=workspace_id, _anchor=workspace_id), 303))


@blueprint.post("/reset")
def reset() -> Response:
    """Forget every installation and change, as the command `reset` of the control API does."""
    practice_slack().reset()
    return make_response(redirect(url_for("home.show"), 303))


@blueprint.get("/icons/<workspace_id>.svg")
def icon(workspace_id: str) -> Response:
    workspace = practice_slack().workspaces.get(workspace_id)
    if workspace is None:
        abort(404)
    return Response(render_template("practice/icon.svg", workspace=workspace), mimetype="image/svg+xml")


def _workspace_id() -> str:
    workspace_id = request.form.get("workspace", "")
    if workspace_id not in practice_slack().workspaces:
        abort(404)
    return workspace_id
