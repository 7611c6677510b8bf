"""The sign-in page at `/openid/connect/authorize`, and the keys that ID tokens are signed with."""

from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from onboarding.practice import guard, openid
from onboarding.practice.consent import SlackShowsError
from onboarding.practice.current import practice_slack
from onboarding.practice.openid_codes import OpenIdCode
from onboarding.practice.redirects import with_answer
from onboarding.practice.registration import PracticeApp
from onboarding.practice.slack_state import PracticeSlack

blueprint = Blueprint("sign_in", __name__)
_KNOWN_SCOPES = {"openid", "email", "profile"}


@dataclass(frozen=True)
class SignInRequest:
    """The app's authentication request (OpenID Connect Core 1.0, section 3.1.2.1)."""

    app: PracticeApp
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    nonce: str


@blueprint.get("/openid/connect/authorize")
def show() -> str:
    slack = practice_slack()
    auth_request = _read(slack, request.args)
    guard.allow_form_to(auth_request.redirect_uri)
    offered = [workspace for workspace in slack.offered_workspaces() if not workspace.is_org]
    picked = request.args.get("scenario", "normal")
    return render_template(
        "practice/sign_in.html",
        auth_request=auth_request,
        workspaces=offered,
        scenarios=openid.SCENARIOS,
        picked=picked,
    )


@blueprint.post("/openid/connect/authorize")
def decide() -> Response:
    slack = practice_slack()
    auth_request = _read(slack, request.args)
    if request.form.get("action") == "cancel":
        return _send_back(auth_request, error="access_denied")
    workspace = slack.workspaces.get(request.form.get("workspace", ""))
    if workspace is None or workspace.is_org:
        raise SlackShowsError("team_not_found")
    code = OpenIdCode(
        client_id=auth_request.app.client_id,
        workspace=workspace,
        redirect_uri=auth_request.redirect_uri,
        nonce=auth_request.nonce,
        scenario=request.form.get("scenario") or request.args.get("scenario", "normal"),
        scopes=auth_request.scopes,
        expires_at=slack.now() + openid.CODE_SECONDS,
    )
    return _send_back(auth_request, code=slack.openid_codes.issue(code))


@blueprint.get("/openid/connect/keys")
def keys() -> Response:
    return jsonify(openid.keys())


def _read(slack: PracticeSlack, args: "MultiDict[str, str]") -> SignInRequest:
    app = slack.app(args.get("client_id", ""))
    if app is None:
        raise SlackShowsError("invalid_client_id")
    redirect_uri = args.get("redirect_uri", "")
    if not app.accepts_redirect(redirect_uri):
        raise SlackShowsError("bad_redirect_uri")
    scopes = tuple(args.get("scope", "").replace(",", " ").split())
    if "openid" not in scopes or not set(scopes) <= _KNOWN_SCOPES or args.get("response_type") != "code":
        raise SlackShowsError("invalid_scope")
    return SignInRequest(app, redirect_uri, scopes, args.get("state"), args.get("nonce", ""))


def _send_back(auth_request: SignInRequest, **answer: str | None) -> Response:
    return make_response(redirect(with_answer(auth_request.redirect_uri, {**answer, "state": auth_request.state})))
