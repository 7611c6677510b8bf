"""The check of a connection: ask Slack whether its token works. A fault on the way to Slack changes nothing."""

from collections.abc import Callable
from contextlib import suppress

from onboarding.errors import ReconnectNeeded, SlackDown, SlackRefused
from onboarding.services.tokens import TokenSource, UsableToken
from onboarding.slack import faults
from onboarding.slack.gateway import Gateway
from onboarding.store.installations import Installation


class ConnectionVerifier:
    def __init__(self, source: TokenSource, gateway: Gateway) -> None:
        self._source, self._gateway = source, gateway

    def verify(self, environment_id: str, identifier: str) -> None:
        """Ask Slack about the connection's token and record its answer on every connection that uses the token.

        A token that rotates is refreshed, once for any number of concurrent callers. Raises NotFound, VaultProblem, and
        SlackBusy or SlackDown if Slack did not answer; then nothing changes.
        """
        # ReconnectNeeded is recorded already: Slack refused to refresh the token.
        with suppress(ReconnectNeeded):
            token = self._source.usable(environment_id, identifier, renew=True)
            if not token.is_verified:
                self._source.record(token.installation, is_same_grant(token.installation), self._reason(token))

    def _reason(self, token: UsableToken) -> str | None:
        """Return why the token cannot be used for the connection; None if it can. Raises SlackBusy, SlackDown."""
        try:
            workspace_id = self._gateway.test(token.credentials, token.access_token)
        except SlackRefused as refusal:
            if faults.is_slack_itself(refusal.code):
                raise SlackDown("Slack had trouble of its own.") from None
            return faults.reason(refusal.code)
        return None if workspace_id == token.workspace_id else faults.of_another_workspace(workspace_id)


def is_same_grant(seen: Installation) -> Callable[[Installation], bool]:
    """Slack may issue the same token again, so the time of the grant is compared, not the token."""
    return lambda now: now.installed_at == seen.installed_at
