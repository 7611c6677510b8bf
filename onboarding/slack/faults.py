"""Map Slack's error codes to outcomes, and to sentences for operators.

The codes are those of https://docs.slack.dev/reference/methods/oauth.v2.access and, on the redirect, of RFC 6749,
section 4.1.2.1.
"""

from onboarding import causes
from onboarding.outcomes import Outcome
from onboarding.slack.grants import clean_name

_MAX_CODE_LENGTH = 60

_CREDENTIALS = "Basic Information > App Credentials"
_CONFIG = {
    "bad_redirect_uri": "Slack does not know this server's redirect URL. In the Slack app, open OAuth & Permissions > Redirect URLs "
    "and add {redirect_uri}",
    "invalid_client_id": f"Slack does not know this client id: the Slack app was deleted, or the id was mistyped. Compare it with {_CREDENTIALS}, and "
    "add the Slack app again with `integration add --client-id`.",
    "bad_client_secret": f"Slack refused the client secret. Copy it from {_CREDENTIALS}, and store it with `integration set --client-secret -`.",
    "no_scopes": "The integration asks for no scope. Set its scopes with `integration set --scopes`.",
    "no_user_scopes": "Slack expects user scopes, and this server asks for bot scopes. In the Slack app, open OAuth & Permissions > Scopes and add bot "
    "scopes.",
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
    # These two codes are not Slack's. The server stores them as the cause.
    "encryption_keys": "A stored secret cannot be decrypted: it is damaged, or ENCRYPTION_KEYS lacks its key. Set the lost key again, or "
    "store the client secret again with `integration set --client-secret`.",
    "user_token_only": "Slack returned a user token and no bot token. Shared mode requires a bot token, and so does a "
    "workspace in which the app already has one. Add bot scopes to the Slack app.",
}
_ADMINS = "The workspace's rules do not allow the app, or do not allow this person to add apps. A Slack admin there has to allow it."
_MOVING = "Slack is moving the workspace into an organization. The customer can install the app after the move."
_POLICY = {
    "accesslimited": "The workspace allows connections from certain networks only. The customer has to use one of them.",
    "enterprise_is_restricted": _ADMINS,
    "ekm_access_denied": "The organization's admins have suspended Slack's access to the organization's encryption keys. They have to restore it.",
    "account_inactive": "The person's Slack account is deactivated. The customer has to use another account.",
    "two_factor_setup_required": "The workspace requires two-factor authentication. The person has to set it up in Slack.",
    "access_denied": _ADMINS,
    "no_permission": _ADMINS,
    "org_login_required": _MOVING,
    "team_added_to_org": _MOVING,
    "user_email_unverified": "The person has to confirm their email address in Slack.",
}
_ORGANIZATION_HAS_APP = "cannot_install_an_org_installed_app"
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


def read_code(sent: object) -> str:
    """Return an error code that can be stored and shown; empty if Slack sent none.

    It is usually a word of lower-case letters, and may be any text.
    """
    return (clean_name(str(sent or "")) or "")[:_MAX_CODE_LENGTH]


def outcome_of(code: str) -> Outcome:
    """Return the outcome for Slack's error code. An unknown one is a configuration problem for operators."""
    if code in _SPENT:
        return Outcome.CODE_SPENT_UNKNOWN
    if code in _POLICY:
        return Outcome.POLICY_DENIED
    if code == _ORGANIZATION_HAS_APP:
        return Outcome.ORG_BLOCKS_WORKSPACE
    return Outcome.SLACK_DOWN if code in _SLACK_ITSELF else Outcome.CONFIG_ERROR


def operator_hint(code: str, redirect_uri: str) -> str:
    """Return the cause and what an operator does about it, as a sentence. `redirect_uri`: this server's."""
    if code in _CONFIG:
        return _CONFIG[code].replace("{redirect_uri}", redirect_uri)
    if code in _POLICY:
        return _POLICY[code]
    if code == _ORGANIZATION_HAS_APP:
        return "The customer's organization has the app already. An admin of the organization has to add the workspace to it."
    if code in _SLACK_ITSELF:
        return "The fault is Slack's. Check https://slack-status.com and try again."
    return f"Slack refused with the error code {code}: https://docs.slack.dev/reference/methods/oauth.v2.access#errors"


def is_unknown(code: str) -> bool:
    """Return whether this version does not know the code, so nobody can say what has to change."""
    return outcome_of(code) is Outcome.CONFIG_ERROR and code not in _CONFIG


def is_slack_itself(code: str) -> bool:
    """Return whether the code reports a fault of Slack's own, which says nothing about the token."""
    return code in _SLACK_ITSELF


#: Why a connection is disconnected, by the type of Slack's event.
_ENDINGS = {"app_uninstalled": causes.UNINSTALLED, "tokens_revoked": causes.TOKENS_REVOKED}


def ending(event_type: str) -> str:
    """Return why a connection is disconnected, as a sentence."""
    return _ENDINGS[event_type]


def of_another_workspace(workspace_id: str) -> str:
    """Return why a connection needs to be reconnected: its token belongs to another workspace."""
    return causes.OTHER_WORKSPACE % {"workspace": workspace_id}


def reason(code: str) -> str:
    """Return why a connection needs to be reconnected, as a sentence."""
    if code in GONE:
        return causes.REVOKED_OR_UNINSTALLED
    if code == "token_expired":
        return causes.EXPIRED
    if code in ("invalid_refresh_token", "invalid_grant"):
        return causes.NOT_RENEWED
    if code in _POLICY:
        return causes.NOT_ALLOWED
    return causes.REFUSED % {"code": code}
