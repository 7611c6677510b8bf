"""The scenarios of the "Make it go wrong" menu. To add one, add a row to SCENARIOS.

A scenario belongs to one consent. Its effect on the exchange is stored with the code, so that concurrent installs do
not affect each other.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from onboarding.practice.faults import Fault


@dataclass(frozen=True)
class Scenario:
    """A row of the menu: its name, its sentence, and its differences from an ordinary install."""

    name: str
    group: str
    sentence: str
    #: Slack shows its own error page with this code and does not redirect.
    page: str | None = None
    #: Slack redirects with this value of `error` and without a code.
    error: str | None = None
    description: str | None = None
    state: Literal["echoed", "dropped", "altered"] = "echoed"
    sends_code: bool = True
    #: The fault of the code's exchange.
    fault: Fault | None = None
    asks_approval: bool = False
    rotates: bool = False
    installs_org: bool = False
    takes_other_workspace: bool = False
    declines_optional: bool = False
    leaves_out_team_name: bool = False
    adds_bot_scopes: tuple[str, ...] = ()
    adds_user_scopes: tuple[str, ...] = ()
    user_only: bool = False


CANCEL_DESCRIPTION = "The person chose Cancel on the consent page"

_WORKS, _STOPS, _BACK = "It works", "The person stops", "The way back from Slack is broken"
_CODE, _POLICY, _TROUBLE, _PAGE = "The code is refused", "Policy forbids it", "Slack is in trouble", "Slack’s own page"


def _refusal(code: str, group: str, sentence: str, name: str | None = None) -> Scenario:
    return Scenario(name or code, group, sentence, fault=Fault(code))


def _page(code: str, sentence: str) -> Scenario:
    return Scenario(f"page_{code}", _PAGE, sentence, page=code)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("normal", _WORKS, "Nothing goes wrong"),
    Scenario("bot_and_user", _WORKS, "A user token comes with the bot token", adds_user_scopes=("users:read",)),
    Scenario("user_only", _WORKS, "Only a user token comes, no bot", user_only=True, adds_user_scopes=("users:read",)),
    Scenario("incoming_webhook", _WORKS, "An incoming webhook comes too", adds_bot_scopes=("incoming-webhook",)),
    Scenario("rotation", _WORKS, "The token expires after 12 hours and is refreshed", rotates=True),
    Scenario("org_install", _WORKS, "The app is installed for the whole organization", installs_org=True),
    Scenario(
        "partial_permissions", _WORKS, "Optional permissions are declined (first install)", declines_optional=True
    ),
    Scenario("team_name_missing", _WORKS, "The workspace’s name is left out", leaves_out_team_name=True),
    Scenario(
        "other_workspace", _WORKS, "Another workspace than the chosen one is connected", takes_other_workspace=True
    ),
    Scenario("cancelled", _STOPS, "Cancel, with a reason", error="access_denied", description=CANCEL_DESCRIPTION),
    Scenario("cancelled_without_description", _STOPS, "Cancel, without a reason", error="access_denied"),
    Scenario("approval_requested", _STOPS, "An admin has to approve first", asks_approval=True),
    Scenario("state_missing", _BACK, "No state comes back", state="dropped"),
    Scenario("state_altered", _BACK, "Another state comes back", state="altered"),
    Scenario("code_missing", _BACK, "Neither a code nor an error comes back", sends_code=False),
    Scenario(
        "cancelled_state_missing", _BACK, "Cancel, and no state comes back", error="access_denied", state="dropped"
    ),
    Scenario("redirect_server_error", _BACK, "An error that says server_error", error="server_error"),
    Scenario("redirect_invalid_scope", _BACK, "An error that says invalid_scope", error="invalid_scope"),
    Scenario("redirect_unknown_error", _BACK, "An error nobody has seen before", error="<b>new & odd</b>"),
    _refusal("invalid_code", _CODE, "The code is wrong, expired or already used"),
    _refusal("code_already_used", _CODE, "The code was used before"),
    _refusal("oauth_authorization_url_mismatch", _CODE, "The code came from another authorize address"),
    _refusal("invalid_client_id", _CODE, "The client id is unknown"),
    _refusal("bad_client_secret", _CODE, "The client secret is wrong"),
    _refusal("bad_redirect_uri", _CODE, "The redirect address differs"),
    _refusal("no_scopes", _CODE, "No permissions were asked for"),
    _refusal("no_user_scopes", _CODE, "No user permissions were asked for"),
    _refusal("pkce_not_allowed", _CODE, "The app may not use PKCE"),
    _refusal("invalid_code_verifier", _CODE, "The PKCE verifier is wrong"),
    _refusal("invalid_grant_type", _CODE, "The grant type is wrong"),
    _refusal("invalid_refresh_token", _CODE, "The refresh token is wrong"),
    _refusal("preview_feature_not_available", _CODE, "A feature is not available to the app"),
    _refusal("invalid_auth", _CODE, "The request is rejected, as from a forbidden IP address"),
    _refusal("cannot_install_an_org_installed_app", _POLICY, "The organization has the app already"),
    _refusal("access_denied", _POLICY, "Access is denied", name="exchange_access_denied"),
    _refusal("accesslimited", _POLICY, "Access is limited on this network"),
    _refusal("account_inactive", _POLICY, "The person’s account is inactive"),
    _refusal("ekm_access_denied", _POLICY, "Administrators have suspended access"),
    _refusal("enterprise_is_restricted", _POLICY, "The organization restricts the app"),
    _refusal("no_permission", _POLICY, "The person has no permission"),
    _refusal("two_factor_setup_required", _POLICY, "Two-factor sign-in has to be set up"),
    _refusal("user_email_unverified", _POLICY, "The person’s email address is not verified"),
    _refusal("org_login_required", _POLICY, "The workspace moves into an organization"),
    _refusal("team_added_to_org", _POLICY, "The workspace has just joined an organization"),
    Scenario("ratelimited", _TROUBLE, "Too many requests: wait 5 seconds (429)", fault=Fault("ratelimited")),
    Scenario("status_500", _TROUBLE, "An empty answer with status 500", fault=Fault("status_500")),
    Scenario("html_502", _TROUBLE, "A page instead of JSON, with status 502", fault=Fault("html_502")),
    Scenario("html_200", _TROUBLE, "A page instead of JSON, with status 200", fault=Fault("html_200")),
    Scenario("hang", _TROUBLE, "No answer for 15 seconds", fault=Fault("hang")),
    Scenario("reset", _TROUBLE, "The connection is cut", fault=Fault("reset")),
    Scenario("answer_lost", _TROUBLE, "It works, but the answer is cut off", fault=Fault("reset", moment="after")),
    _refusal("internal_error", _TROUBLE, "An error inside Slack"),
    _refusal("fatal_error", _TROUBLE, "A fatal error inside Slack"),
    _refusal("service_unavailable", _TROUBLE, "Slack is not available"),
    _refusal("request_timeout", _TROUBLE, "The request timed out inside Slack"),
    _page("invalid_team_for_non_distributed_app", "The app may not leave its own workspace"),
    _page("bad_redirect_uri", "The redirect address is not registered"),
    _page("invalid_scope", "A permission is unknown"),
    _page("unapproved_scope", "A permission waits for Slack’s review"),
    _page("scope_not_allowed_on_enterprise", "A permission is not for organizations"),
    _page("invalid_client_id", "The app is unknown"),
)

BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
NORMAL = BY_NAME["normal"]


def menu() -> list[tuple[str, list[Scenario]]]:
    """Return the headings, each with its rows, in the order of SCENARIOS."""
    return [(group, list(rows)) for group, rows in groupby(SCENARIOS, key=lambda row: row.group)]
