"""Why a connection does not work: sentences, stored in English.

Operators and API callers read all of them. Customers read those in `FOR_CUSTOMERS`, because the others name the token.
"""

from onboarding.translatable import marked

UNINSTALLED = marked("The app was removed from the workspace in Slack.")
TOKENS_REVOKED = marked("The app's access was revoked in Slack.")
#: Slack's answer about the token does not say which of the two.
REVOKED_OR_UNINSTALLED = marked("Access was revoked, or the app was removed from the workspace.")
NOT_IN_WORKSPACE = marked(
    "The organization's admin removed the app from this workspace. It has to be added to the workspace again in Slack."
)
NOT_ALLOWED = marked("The workspace's settings no longer allow the app.")
FOR_CUSTOMERS = frozenset({UNINSTALLED, TOKENS_REVOKED, REVOKED_OR_UNINSTALLED, NOT_IN_WORKSPACE, NOT_ALLOWED})

EXPIRED = "The token has expired, and there is no refresh token to renew it with."
NOT_RENEWED = "Slack no longer accepts the refresh token, so the access could not be renewed."
#: A code of Slack's that this version does not know.
REFUSED = "Slack refused the token: %(code)s."
OTHER_WORKSPACE = "The token belongs to another workspace: %(workspace)s."
UNANSWERED = "Slack has not answered since %(time)s UTC. The token may still be valid."
