"""Check the tokens of a workspace after access there was revoked at Slack.

A Slack app has one bot token per workspace, so revoking one grant also ends a grant that another install has received
and not stored yet. Nothing can prevent that, because only Slack knows the workspace of that install. So the tokens
that are stored for the workspace are checked at once, and again until no such install can complete any more.
"""

from datetime import timedelta

from onboarding.clock import Clock
from onboarding.lifetimes import EXCHANGE_LIMIT
from onboarding.outgoing import queue
from onboarding.store import connected_installations, unfinished_attempts
from onboarding.store.database import Database
from onboarding.store.rows import Rows
from onboarding.work import Queue, Work

#: The workflow that checks a workspace: its arguments are the ids of the integration and of the workspace.
WORKFLOW = "check_workspace"
_DELAY = EXCHANGE_LIMIT + timedelta(seconds=5)


class WorkspaceChecks:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def check(self, integration_id: str, workspace_id: str) -> None:
        """Let the worker check the workspace's tokens now, and again later if a grant of the workspace waits."""
        with self._database.changing_rows() as rows:
            connected_installations.check_workspace_at(rows, integration_id, workspace_id, self._now())
            if unfinished_attempts.waits_in(rows, integration_id, workspace_id):
                _enqueue(rows, integration_id, workspace_id)

    def enqueue(self, rows: Rows, integration_id: str, workspace_id: str) -> None:
        """Let the worker check the workspace's tokens now, and again when no earlier exchange can still be running.

        Call it in the transaction that stores the revocation of access to the workspace.
        """
        connected_installations.check_workspace_at(rows, integration_id, workspace_id, self._now())
        _enqueue(rows, integration_id, workspace_id)


def _enqueue(rows: Rows, integration_id: str, workspace_id: str) -> None:
    queue.enqueue(rows, Work(Queue.SLACK, WORKFLOW, (integration_id, workspace_id), _DELAY.total_seconds()))
