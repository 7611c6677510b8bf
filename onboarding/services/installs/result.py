"""ResultReader: the page of an attempt, for every way in which it can end."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from onboarding.errors import NotFound
from onboarding.outcomes import GrantResult, Outcome
from onboarding.services.installs import records
from onboarding.services.installs.records import Permission, is_bound
from onboarding.services.installs.shared import Workbench
from onboarding.slack.faults import is_slack_itself, operator_hint
from onboarding.store import attempts, connections, links
from onboarding.store.attempts import Attempt
from onboarding.store.database import Session
from onboarding.store.integrations import Integration


@dataclass(frozen=True)
class Result:
    """What a result page shows. It shows neither workspace nor account of another browser's attempt."""

    #: None while the attempt has not ended.
    outcome: Outcome | None
    attempt_id: str = ""
    reference: str = ""
    app_name: str = ""
    integration_identifier: str = ""
    environment_id: str = ""
    account: str | None = None
    workspace_id: str | None = None
    workspace_name: str | None = None
    workspace_domain_url: str | None = None
    expected_workspace_id: str | None = None
    expected_workspace_name: str | None = None
    mode: str | None = None
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    connection_identifier: str | None = None
    connected_at: datetime | None = None
    installed_by: str | None = None
    missing_permissions: tuple[Permission, ...] = ()
    is_organisation: bool = False
    org_manage_url: str | None = None
    return_url: str | None = None
    retry_after_seconds: int | None = None
    operator_detail: str | None = None
    #: Slack's error code. Some have a text of their own.
    slack_error: str | None = None
    #: What became of a grant that no connection uses.
    grant_result: GrantResult | None = None
    finished_here: bool = False
    #: The link it began with, where this page may lead on with it.
    link_id: str | None = None
    link_is_used: bool = False
    link_expired_at: datetime | None = None
    #: Starts the install again in a browser that does not know the link.
    restart_token: str | None = None
    #: It was started without the link, and this browser has not opened the link since.
    is_unopened: bool = False
    is_operators: bool = False
    approval_link_id: str | None = None
    approval_expires_at: datetime | None = None


class ResultReader:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def result(self, attempt_id: str, binding: str | None, opened_links: Collection[str] = ()) -> Result:
        """Return the result of an attempt. Raises NotFound for an attempt of another browser.

        `opened_links`: ids of links that this browser has opened. Without it, an attempt that was started elsewhere shows
        no account.
        """
        with self._bench.database.reading() as session:
            attempt = attempts.by_id(session, attempt_id)
            if attempt is None or not is_bound(attempt, binding):
                raise NotFound("There is no such install in this browser.")
            died = records.has_died(attempt, self._bench.now())
            if attempt.outcome is None and not died:
                return Result(None, attempt.id)
            outcome = Outcome.SLACK_DOWN if attempt.outcome is None else self._outcome(session, attempt)
            result = self._result(session, attempt, outcome)
            is_unopened = records.is_unopened(binding) and attempt.link_id not in opened_links
            return _without_account(result) if is_unopened else result

    def is_connected(self, attempt_id: str, binding: str | None) -> bool:
        """Whether an approval that this browser waits for has led to a connection. Raises NotFound."""
        return self.result(attempt_id, binding).outcome != Outcome.AWAITING_APPROVAL

    def used_here(self, attempt_id: str | None, binding: str | None) -> bool:
        """Whether a used link was used in this browser."""
        if attempt_id is None:
            return False
        with self._bench.database.reading() as session:
            attempt = attempts.by_id(session, attempt_id)
        return attempt is not None and is_bound(attempt, binding)

    def _outcome(self, session: Session, attempt: Attempt) -> Outcome:
        """An approval shows *connected* once anybody has installed for this customer."""
        if attempt.outcome == Outcome.AWAITING_APPROVAL and self._approved(session, attempt) is not None:
            return Outcome.CONNECTED
        return attempt.outcome or Outcome.STATE_UNKNOWN

    def _approved(self, session: Session, attempt: Attempt) -> Attempt | None:
        for link_id in filter(None, (attempt.approval_link_id, attempt.link_id)):
            link = links.by_id(session, link_id)
            if link is not None and link.used_by_attempt is not None:
                return attempts.by_id(session, link.used_by_attempt)
        return None

    def _result(self, session: Session, attempt: Attempt, outcome: Outcome) -> Result:
        shown = (
            (self._approved(session, attempt) or attempt) if attempt.outcome == Outcome.AWAITING_APPROVAL else attempt
        )
        integration = self._bench.integration_of(session, attempt)
        link = links.by_id(session, attempt.link_id) if attempt.link_id else None
        approval = links.by_id(session, attempt.approval_link_id) if attempt.approval_link_id else None
        name = shown.connection_identifier
        connection = connections.by_identifier(session, attempt.environment_id, name) if name else None
        keys = connection.context_keys if connection else link.context_keys if link else ()
        subscriber = connection.subscriber_id if connection else link.subscriber_id if link else None
        return Result(
            outcome=outcome,
            attempt_id=attempt.id,
            reference=records.reference(attempt.id),
            app_name=integration.name,
            integration_identifier=integration.identifier,
            environment_id=attempt.environment_id,
            account=records.account(subscriber, keys),
            workspace_id=shown.workspace_id,
            workspace_name=shown.workspace_name,
            workspace_domain_url=_slack_url(shown.workspace_id) if not integration.is_practice else None,
            expected_workspace_id=attempt.expected_workspace_id,
            expected_workspace_name=attempt.expected_workspace_name,
            mode=connection.mode if connection else None,
            subscriber_id=subscriber,
            context_keys=keys,
            connection_identifier=name,
            connected_at=connection.updated_at if connection else None,
            installed_by=connection.installed_by if connection else None,
            missing_permissions=records.permissions(shown.missing_scopes or ""),
            is_organisation=_is_organisation(shown),
            org_manage_url=_manage_url(shown, integration),
            return_url=link.return_url if link else None,
            retry_after_seconds=attempt.retry_after_seconds,
            operator_detail=operator_detail(attempt),
            slack_error=attempt.detail,
            grant_result=attempt.grant_result,
            finished_here=True,
            link_id=attempt.link_id if link and not (link.is_open and link.used_at) else None,
            link_is_used=link is not None and link.used_at is not None,
            is_operators=attempt.operator_id is not None,
            approval_link_id=attempt.approval_link_id,
            approval_expires_at=approval.expires_at if approval else None,
        )


def _without_account(result: Result) -> Result:
    """Leave out what only the link's holder may learn: the customer, the expected workspace, the link and its way back."""
    return replace(
        result,
        account=None,
        subscriber_id=None,
        context_keys=(),
        expected_workspace_id=None,
        expected_workspace_name=None,
        connection_identifier=None,
        return_url=None,
        link_id=None,
        is_unopened=True,
    )


def operator_detail(attempt: Attempt) -> str | None:
    """Return the cause of a failed attempt and what an operator does about it. None if Slack reported no error."""
    if attempt.detail is None:
        return None
    if attempt.outcome == Outcome.SLACK_DOWN and not is_slack_itself(attempt.detail):
        # Slack sent no error code: the detail is a sentence.
        return attempt.detail
    return operator_hint(attempt.detail)


def _slack_url(workspace_id: str | None) -> str | None:
    return f"https://app.slack.com/client/{workspace_id}" if workspace_id else None


def _is_organisation(attempt: Attempt) -> bool:
    """Slack's ids say what they are of: E is an organisation."""
    return (attempt.workspace_id or "").startswith("E")


def _manage_url(attempt: Attempt, integration: Integration) -> str | None:
    """Where an organisation's admin adds the app to workspaces (slack.md 1.15)."""
    if not _is_organisation(attempt) or integration.is_practice:
        return None
    return f"https://app.slack.com/manage/{attempt.workspace_id}/integrations"
