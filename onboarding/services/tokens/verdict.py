"""Verdict: Slack's answer about a token, and what it means for each connection that uses the token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onboarding import causes
from onboarding.slack import faults


class Finding(NamedTuple):
    """A verdict for the connections to one workspace."""

    #: Why they cannot use the token; None if they can.
    broken: str | None


@dataclass(frozen=True)
class Verdict:
    """Slack's answer about a token."""

    #: Why the token works nowhere; None if it works.
    broken: str | None
    #: The workspace or organization that the token belongs to. None if Slack did not say: then it works for every
    #: connection.
    owner_id: str | None = None
    is_for_organization: bool = False
    #: The organization's workspaces that have the app; None if Slack was not asked.
    team_ids: frozenset[str] | None = None
    #: The scopes that the token has now; None if Slack did not say.
    scopes: tuple[str, ...] | None = None
    #: Columns of the installation to change.
    columns: Mapping[str, Any] = field(default_factory=dict)
    #: The workspace's name now; None if Slack did not say, or if it does not matter.
    workspace_name: str | None = None

    def in_workspace(self, workspace_id: str) -> Finding | None:
        """Return what the verdict means for a connection to this workspace; None if only another check can say it.

        API callers may use one token for several connections, and only they have said to which workspaces.
        """
        if self.broken or self.owner_id in (None, workspace_id):
            return Finding(self.broken)
        if not self.is_for_organization:
            return Finding(faults.of_another_workspace(self.owner_id))
        if self.team_ids is None:
            return None
        return Finding(None if workspace_id in self.team_ids else causes.NOT_IN_WORKSPACE)
