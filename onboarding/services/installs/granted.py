"""A granted install, and the rows that its completion has read and locked."""

from dataclasses import dataclass
from functools import cached_property

from onboarding.errors import Conflict
from onboarding.services.installs.records import Choice
from onboarding.slack import scopes
from onboarding.slack.grants import Grant
from onboarding.store import attempts, connection_identities, installations, workspaces
from onboarding.store.attempts import Stage
from onboarding.store.database import Rows
from onboarding.store.installs import AttemptRows
from onboarding.store.links import LinkRow, ParentRow


@dataclass(frozen=True)
class GrantedInstall:
    """A grant for an attempt, and the customer that the connection is for."""

    attempt_id: str
    #: The stage that the attempt must still be in.
    stage: Stage
    grant: Grant
    choice: Choice
    #: The person has confirmed that this workspace replaces the expected one.
    is_confirmed: bool = False


class LockedInstall:
    """A granted install in the transaction that completes it.

    Rows are locked in the same order everywhere: integration (shared), workspace, installation, connection, link, then
    the rows that are added. So no two installs wait for each other. Installs that share no workspace, identity and link
    do not wait at all.
    """

    def __init__(self, rows: Rows, found: AttemptRows, granted: GrantedInstall) -> None:
        self.rows, self.found, self.granted = rows, found, granted
        self.attempt, self.integration = found.attempt, found.integration
        self.link, self.parent = found.link, found.parent
        self.grant, self.choice = granted.grant, granted.choice
        self.key = self.choice.identity_key(self.integration.id)
        # Waits for a disconnect of the workspace, and for its other installs if one customer only may have it.
        workspaces.lock_to_connect(
            rows, self.integration.id, self.grant.workspace_id, self.integration.workspace_policy
        )
        self.installation = installations.lock_by_slack_key(rows, self.integration.id, self.grant.slack_key)
        self.existing = connection_identities.lock_of_identity(rows, self.attempt.environment_id, self.key)

    @cached_property
    def links(self) -> tuple[LinkRow | ParentRow, ...]:
        """Return the link that this one was created from, if any, and the link.

        They are marked as used in this order, so that an approval is not used if its parent was.
        """
        return tuple(link for link in (self.parent, self.link) if link is not None)

    @cached_property
    def missing_scopes(self) -> set[str]:
        """Return the scopes that were requested and not granted; none if Slack does not say which ones it granted."""
        return set(scopes.split(self.attempt.scopes)) - set(self.grant.scopes) if self.grant.scopes else set()

    def move(self, **values: object) -> None:
        """Change the attempt. Raises Conflict if it has left its stage, for example because it took too long."""
        if not attempts.move(self.rows, self.attempt.id, self.granted.stage, **values):
            raise Conflict("The attempt has ended.")
