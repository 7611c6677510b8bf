"""The consent page at `/oauth/v2/authorize`: choose a workspace, allow or cancel, or pick a failure."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from onboarding.practice import codes, guard, permissions, scenarios
from onboarding.practice.current import practice_slack
from onboarding.practice.redirects import with_answer
from onboarding.practice.registration import PracticeApp
from onboarding.practice.scenarios import BY_NAME, CANCEL_DESCRIPTION, NORMAL, Scenario
from onboarding.practice.slack_state import PracticeSlack
from onboarding.practice.workspaces import Workspace

blueprint = Blueprint("consent", __name__)


class SlackShowsError(Exception):
    """Slack shows its own error page and does not redirect to the app. `code` is shown on that page."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ConsentRequest:
    """The app's request. Without a `redirect_uri`, `sent_redirect` is None and Slack uses the first registered one."""

    app: PracticeApp
    redirect_uri: str
    sent_redirect: str | None
    bot_scopes: list[str]
    user_scopes: list[str]
    state: str | None
    team: str | None


@blueprint.get("/oauth/v2/authorize")
def show() -> Response:
    slack = practice_slack()
    if slack.forwards_to and slack.forwards_to != guard.origin_of(request.host_url):
        return make_response(redirect(slack.forwards_to + request.script_root + request.full_path))
    auth_request = _read_request(slack, request.args)
    guard.allow_form_to(auth_request.redirect_uri)
    picked = slack.waiting_consent() or BY_NAME.get(request.args.get("scenario", ""), NORMAL)
    page = render_template(
        "practice/consent.html",
        auth_request=auth_request,
        sentence=permissions.sentence,
        workspaces=slack.offered_workspaces(auth_request.team),
        channels=_channel_names(slack) if "incoming-webhook" in auth_request.bot_scopes else [],
        chosen=auth_request.team if auth_request.team in slack.workspaces else next(iter(slack.workspaces)),
        is_approved=lambda workspace: slack.is_approved(auth_request.app.client_id, workspace.id),
        menu=scenarios.menu(),
        picked=picked,
        action=_address("consent.decide", request.args.to_dict()),
    )
    return make_response(page)


@blueprint.post("/oauth/v2/authorize")
def decide() -> Response:
    slack = practice_slack()
    auth_request = _read_request(slack, request.args)
    named = request.form.get("scenario") or request.args.get("scenario", "")
    scenario = slack.take_consent() or BY_NAME.get(named, NORMAL)
    if request.form.get("action") == "cancel":
        description = None if scenario.name == "cancelled_without_description" else CANCEL_DESCRIPTION
        return _send_back(auth_request, scenario, error="access_denied", error_description=description)
    return _allow(slack, auth_request, scenario, _chosen_workspace(slack, auth_request, scenario))


@blueprint.post("/oauth/v2/approve")
def approve() -> Response:
    """Approve the request as a workspace admin would, and redirect to the consent page."""
    slack = practice_slack()
    auth_request = _read_request(slack, request.args)
    workspace = slack.workspaces.get(request.form.get("workspace", ""))
    if workspace is None:
        raise SlackShowsError("team_not_found")
    slack.approves(auth_request.app.client_id, workspace.id)
    again = {**request.args.to_dict(), "team": workspace.id}
    # The admin has approved, so the next try must not ask for approval again.
    if again.get("scenario") == "approval_requested":
        del again["scenario"]
    return make_response(redirect(_address("consent.show", again), 303))


@blueprint.app_errorhandler(SlackShowsError)
def show_error(problem: SlackShowsError) -> tuple[str, int]:
    return render_template("practice/slack_error.html", code=problem.code), 400


def _allow(slack: PracticeSlack, auth_request: ConsentRequest, scenario: Scenario, workspace: Workspace) -> Response:
    if scenario.page:
        raise SlackShowsError(scenario.page)
    if scenario.error:
        return _send_back(auth_request, scenario, error=scenario.error, error_description=scenario.description)
    if scenario.asks_approval or (
        workspace.needs_approval and not slack.is_approved(auth_request.app.client_id, workspace.id)
    ):
        action = _address("consent.approve", request.args.to_dict())
        return make_response(
            render_template("practice/approval.html", auth_request=auth_request, workspace=workspace, action=action)
        )
    if not scenario.sends_code:
        return _send_back(auth_request, scenario)
    bot_scopes, user_scopes = _granted_scopes(auth_request, scenario)
    if workspace.is_org and not permissions.fit_organizations(bot_scopes):
        raise SlackShowsError("scope_not_allowed_on_enterprise")
    channel = request.form.get("channel", "")
    consent = codes.Consent(
        auth_request.app.client_id, workspace.id, auth_request.sent_redirect, bot_scopes, user_scopes, channel
    )
    with slack.changing() as ledger:
        code = codes.issue_code(ledger, consent, scenario, slack.now())
    return _send_back(auth_request, scenario, code=code.value)


def _read_request(slack: PracticeSlack, args: "MultiDict[str, str]") -> ConsentRequest:
    app = slack.app(args.get("client_id", ""))
    if app is None:
        raise SlackShowsError("invalid_client_id")
    slack.admit_guest(app.client_id, args.get("team"))
    sent = args.get("redirect_uri") or None
    redirect_uri = sent or next(iter(app.redirect_urls), "")
    if not app.accepts_redirect(redirect_uri):
        raise SlackShowsError("bad_redirect_uri")
    bot_scopes, user_scopes = _scope_list(args.get("scope", "")), _scope_list(args.get("user_scope", ""))
    if not bot_scopes and not user_scopes:
        raise SlackShowsError("no_scopes")
    if not permissions.are_acceptable(bot_scopes + user_scopes):
        raise SlackShowsError("invalid_scope")
    return ConsentRequest(app, redirect_uri, sent, bot_scopes, user_scopes, args.get("state"), args.get("team"))


def _chosen_workspace(slack: PracticeSlack, auth_request: ConsentRequest, scenario: Scenario) -> Workspace:
    chosen = slack.workspaces.get(request.form.get("workspace", ""))
    if chosen is None:
        raise SlackShowsError("team_not_found")
    if scenario.installs_org and not chosen.is_org:
        orgs = [workspace for workspace in slack.workspaces.values() if workspace.is_org]
        return next((org for org in orgs if org.id == chosen.enterprise_id), orgs[0])
    if scenario.takes_other_workspace:
        plain = [workspace for workspace in slack.workspaces.values() if not workspace.enterprise_id]
        return next(
            other for other in plain if other.id not in (auth_request.team, chosen.id) and not other.needs_approval
        )
    return chosen


def _channel_names(slack: PracticeSlack) -> list[str]:
    """Return the names of all workspaces' channels: a page without scripts cannot follow the chosen workspace."""
    every = (channel for workspace in slack.workspaces.values() for channel in workspace.channels)
    return list(dict.fromkeys(channel.name for channel in every if not channel.is_archived))


def _granted_scopes(auth_request: ConsentRequest, scenario: Scenario) -> tuple[list[str], list[str]]:
    bot = list(dict.fromkeys([*auth_request.bot_scopes, *scenario.adds_bot_scopes]))
    user = list(dict.fromkeys([*auth_request.user_scopes, *scenario.adds_user_scopes]))
    return ([], user) if scenario.user_only else (bot, user)


def _send_back(auth_request: ConsentRequest, scenario: Scenario, **answer: str | None) -> Response:
    state = auth_request.state
    if scenario.state == "dropped":
        state = None
    elif scenario.state == "altered" and state is not None:
        state = state[::-1] + "x"
    return make_response(redirect(with_answer(auth_request.redirect_uri, {**answer, "state": state}), 302))


def _address(endpoint: str, query: dict[str, str]) -> str:
    """Build the URL without `url_for(endpoint, **query)`, for which `_scheme` and `_external` are options."""
    return f"{url_for(endpoint)}?{urlencode(query)}"


def _scope_list(text: str) -> list[str]:
    """Split on commas, as Slack documents, and on spaces (RFC 6749, section 3.3)."""
    return list(dict.fromkeys(scope for scope in re.split(r"[,\s]+", text) if scope))
