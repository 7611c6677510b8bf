"""Slack's error words as a table: which outcome each leads to, and what an operator should know. Pure. Source: slack.md 1.7."""

from onboarding.outcomes import Outcome

_CONFIG = {
    "bad_redirect_uri": "Register this deployment's redirect URL in the Slack app: OAuth & Permissions > Redirect URLs.",
    "invalid_client_id": "Slack does not know this client id. Compare it with Basic Information > App Credentials.",
    "bad_client_secret": "Slack refused the client secret. Paste the one of Basic Information > App Credentials.",
    "no_scopes": "The integration asks for no permission. Set its scopes.",
    "invalid_scope": "The integration asks for a permission that Slack does not accept.",
    "pkce_not_allowed": "The Slack app and this deployment disagree about PKCE.",
    "preview_feature_not_available": "The Slack app uses a feature that its workspace does not have.",
    "invalid_auth": "Slack refused the request. If the app lists allowed IP addresses, add this server's.",
    "encryption_keys": "The client secret does not open: ENCRYPTION_KEYS lacks the key that sealed it.",
    "user_token_only": "Slack gave a person's token and no bot's. That is not kept in shared mode, nor in place of a bot's that others use. Give the Slack app bot scopes.",
    "invalid_grant_type": "Slack refused the kind of request.",
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
_SPENT = ("invalid_code", "code_already_used", "oauth_authorization_url_mismatch", "invalid_code_verifier")
_SLACK_ITSELF = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "unknown")

#: Words with which Slack says that a token is dead already.
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
    return _CONFIG.get(code, "Slack's error reference explains this word.")


def is_slack_itself(code: str) -> bool:
    """Whether the word speaks of Slack's own trouble: it says nothing about the token that was asked about."""
    return code in _SLACK_ITSELF


def of_another_workspace(place: str) -> str:
    """Why a connection needs to be reconnected, where its token works in `place` alone."""
    return f"The token belongs to another workspace: {place}."


def reason(code: str) -> str:
    """Why a connection needs to be reconnected, in words."""
    if code in GONE:
        return "Slack no longer accepts the token: access was revoked, or the app was removed from the workspace."
    if code == "token_expired":
        return "The token has expired, and there is no refresh token to renew it with."
    if code in ("invalid_refresh_token", "invalid_grant"):
        return "Slack no longer accepts the refresh token, so the access could not be renewed."
    if code in _POLICY:
        return "The workspace's settings no longer allow the app."
    return f"Slack refused the token: {code}."
