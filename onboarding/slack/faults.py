"""Map Slack's error codes to outcomes, and to sentences for operators.

The codes are those of https://docs.slack.dev/reference/methods/oauth.v2.access and, on the redirect, of RFC 6749,
section 4.1.2.1.
"""

from onboarding.outcomes import Outcome

_CREDENTIALS = "Basic Information > App Credentials"
_CONFIG = {
    "bad_redirect_uri": "Slack does not know this server's redirect URL. In the Slack app, open OAuth & Permissions > Redirect URLs "
    "and add PUBLIC_URL followed by /slack/oauth_redirect.",
    "invalid_client_id": f"Slack does not know this client id. Copy the client id from {_CREDENTIALS}.",
    "bad_client_secret": f"Slack refused the client secret. Copy the client secret from {_CREDENTIALS}.",
    "no_scopes": "The integration asks for no scope. Set its scopes with `integration set --scopes`.",
    "invalid_scope": "The integration asks for a scope that Slack does not accept. Compare its scopes with OAuth & Permissions > Scopes.",
    "unapproved_scope": "Slack has not approved one of the scopes yet. Wait for Slack's review, or remove the scope.",
    "scope_not_allowed_on_enterprise": "One of the scopes is not allowed for a whole organization. Install in one workspace, or remove the scope.",
    "invalid_team_for_non_distributed_app": "The Slack app is limited to its own workspace. Activate public distribution under Manage Distribution.",
    "pkce_not_allowed": "The Slack app does not accept PKCE. Switch it off in the app's settings.",
    "invalid_code_verifier": "The Slack app expects PKCE. Switch it off in the app's settings.",
    "oauth_authorization_url_mismatch": "Slack's code came from another authorize address. SLACK_URL must name the Slack that issued it.",
    "preview_feature_not_available": "The Slack app uses a feature that its workspace does not have.",
    "invalid_auth": "Slack refused the request. If the Slack app lists allowed IP addresses, add this server's address.",
    "invalid_grant_type": "Slack refused the type of the request. Check SLACK_API_URL.",
    # The next two are not Slack's: we store them as the cause.
    "encryption_keys": "A stored secret cannot be decrypted: it is damaged, or ENCRYPTION_KEYS lacks its key. Set the lost key again, or "
    "store the client secret again with `integration set --client-secret`.",
    "user_token_only": "Slack returned a user token without a bot token. Shared mode, and a workspace that has a bot token, need one: "
    "add bot scopes to the Slack app.",
}
_POLICY = (
    "accesslimited",
    "enterprise_is_restricted",
    "ekm_access_denied",
    "account_inactive",
    "two_factor_setup_required",
    "access_denied",
    "no_permission",
    "org_login_required",
    "team_added_to_org",
    "user_email_unverified",
)
_SPENT = ("invalid_code", "code_already_used")
_SLACK_ITSELF = (
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "unknown",
    "server_error",
    "temporarily_unavailable",
)

#: Codes that mean that a token no longer works.
GONE = frozenset({"invalid_auth", "token_revoked", "account_inactive", "not_authed", "no_such_app"})


def outcome_of(code: str) -> Outcome:
    """Return the outcome for an error code from Slack. An unknown code is a configuration problem that an operator must check."""
    if code in _SPENT:
        return Outcome.CODE_SPENT_UNKNOWN
    if code in _POLICY:
        return Outcome.POLICY_DENIED
    if code == "cannot_install_an_org_installed_app":
        return Outcome.ORG_BLOCKS_WORKSPACE
    return Outcome.SLACK_DOWN if code in _SLACK_ITSELF else Outcome.CONFIG_ERROR


def operator_hint(code: str) -> str:
    """Return the cause and what an operator does about it, as a sentence."""
    if code in _CONFIG:
        return _CONFIG[code]
    if code in _SLACK_ITSELF:
        return "The fault is Slack's. Check https://slack-status.com and try again."
    return f"Slack refused with the error code {code}: https://docs.slack.dev/reference/methods/oauth.v2.access#errors"


def is_slack_itself(code: str) -> bool:
    """Return whether the code reports a fault of Slack's own, which says nothing about the token."""
    return code in _SLACK_ITSELF


#: Why a connection is disconnected, by the type of Slack's event.
_ENDINGS = {
    "app_uninstalled": "The app was removed from the workspace in Slack, so Slack ended its access.",
    "tokens_revoked": "The app's access was revoked in Slack.",
}
NOT_IN_WORKSPACE = (
    "The organization's admin removed the app from this workspace. It has to be added to the workspace again in Slack."
)


def ending(event_type: str) -> str:
    """Return why a connection is disconnected, as a sentence."""
    return _ENDINGS[event_type]


def of_another_workspace(workspace_id: str) -> str:
    """Return why a connection needs to be reconnected: its token belongs to another workspace."""
    return f"The token belongs to another workspace: {workspace_id}."


def reason(code: str) -> str:
    """Return why a connection needs to be reconnected, as a sentence."""
    if code in GONE:
        return "Slack no longer accepts the token: access was revoked, or the app was removed from the workspace."
    if code == "token_expired":
        return "The token has expired, and there is no refresh token to renew it with."
    if code in ("invalid_refresh_token", "invalid_grant"):
        return "Slack no longer accepts the refresh token, so the access could not be renewed."
    if code in _POLICY:
        return "The workspace's settings no longer allow the app."
    return f"Slack refused the token: {code}."
