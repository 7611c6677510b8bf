"""ResultReader: the content of an attempt's result page, for every outcome."""

from collections.abc import Collection
from dataclasses import replace
from math import ceil

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import NotFound
from onboarding.outcomes import Outcome
from onboarding.services.installs import bindings, link_use, permissions, records, rights, way_back
from onboarding.services.installs.bindings import BindingOf, is_bound
from onboarding.services.installs.result_record import Result, without_account, without_names
from onboarding.slack.faults import is_slack_itself, operator_hint
from onboarding.store import attempts, connection_identities, connections, installs, links
from onboarding.store.attempts import Attempt, AttemptRow
from onboarding.store.database import Database, Rows, Session
from onboarding.store.installs import AttemptRows
from onboarding.store.integrations import IntegrationRow
from onboarding.store.links import LinkRow
from onboarding.translatable import marked

#: Outcomes whose page says nothing about the connection that the customer had before. Two pages have sentences of their
#: own about it, the install that used the link may have replaced its workspace, and after a storage fault its row may
#: be the one that cannot be read.
_SILENT = (Outcome.WRONG_WORKSPACE, Outcome.AWAITING_APPROVAL, Outcome.LINK_USED, Outcome.STORAGE_ERROR)


class ResultReader:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    def result(self, attempt_id: str, binding_of: BindingOf, opened_links: Collection[str] = ()) -> Result:
        """Return the result of an attempt. Raises NotFound for an attempt of another browser.

        `opened_links`: ids of links that this browser has opened. Without it, an attempt that was started elsewhere
        shows no account.
        """
        binding = binding_of(attempt_id)
        with self._database.reading() as session:
            found = installs.attempt_by_id(session, attempt_id)
            if found is None or not is_bound(found.attempt, binding):
                raise NotFound(marked("There is no such install in this browser."))
            result = replace(
                self._result(session, found, binding_of), retry_after_seconds=self._seconds_left(found.attempt)
            )
            if found.link is not None and link_use.refusal(session, found.link, found.parent, binding_of, self._now()):
                result = replace(result, link_id=None, link_is_over=True)
        # Slack's address alone does not prove that the person may see the customer. Opening the link does.
        is_unopened = bindings.is_unopened(binding) and found.attempt.link_id not in opened_links
        return without_account(result) if is_unopened and result.outcome is not None else result

    def _seconds_left(self, attempt: AttemptRow) -> int | None:
        """Return how long the person still has to wait before the next try. None if it is unknown."""
        if attempt.retry_after_seconds is None or attempt.finished_at is None:
            return None
        passed = (self._now() - attempt.finished_at).total_seconds()
        return max(0, ceil(attempt.retry_after_seconds - passed))

    def is_connected(self, attempt_id: str, binding_of: BindingOf) -> bool:
        """Return whether the approval that this browser waits for has led to a connection. Raises NotFound."""
        return self.result(attempt_id, binding_of).outcome is not Outcome.AWAITING_APPROVAL

    def is_of_this_browser(self, attempt_id: str, binding: str | None) -> bool:
        """Return whether this browser, which has the secret `binding`, started the attempt."""
        with self._database.rows() as rows:
            attempt = attempts.by_id(rows, attempt_id)
        return attempt is not None and is_bound(attempt, binding)

    def _result(self, session: Session, found: AttemptRows, binding_of: BindingOf) -> Result:
        attempt = found.attempt
        approved = approving_attempt(session, attempt) if attempt.outcome is Outcome.AWAITING_APPROVAL else None
        if approved is not None:
            result = _result_of(session, found, Outcome.CONNECTED, approved)
            if is_bound(approved, binding_of(approved.id)):
                return result
            return without_names(result, found.link)
        if attempt.outcome is Outcome.AWAITING_APPROVAL:
            # The approval ends with the rights of the operator who asked for it.
            return _result_of(session, found, rights.outcome_if_lost(session, found) or attempt.outcome, attempt)
        if attempt.outcome is not None:
            return _result_of(session, found, attempt.outcome, attempt)
        if records.has_died(attempt, self._now()):
            return _result_of(session, found, Outcome.SLACK_DOWN, attempt)
        return Result(None, attempt.id)


def approving_attempt(rows: Rows, attempt: Attempt | AttemptRow) -> AttemptRow | None:
    """Return the attempt that used the approval, or the link that it was created from; None if neither was used."""
    for link_id in filter(None, (attempt.approval_link_id, attempt.link_id)):
        link = links.by_id(rows, link_id)
        if link is not None and link.used_by_attempt is not None:
            return attempts.by_id(rows, link.used_by_attempt)
    return None


def _result_of(session: Session, found: AttemptRows, outcome: Outcome, shown: AttemptRow) -> Result:
    """Build the result of an attempt. `shown`: the attempt that connected, if an admin did it for this one."""
    attempt, integration, link = found.attempt, found.integration, found.link
    approval = links.by_id(session, attempt.approval_link_id) if attempt.approval_link_id else None
    identifier = shown.connection_identifier
    connection = connections.by_identifier(session, attempt.environment_id, identifier) if identifier else None
    is_over = connection is None or connection.status.is_broken
    customer = connection or link
    keys = customer.context_keys if customer else ()
    subscriber_id = customer.subscriber_id if customer else None
    return Result(
        outcome=outcome,
        attempt_id=attempt.id,
        reference=ids.attempt_reference(attempt.id),
        branding=integration.branding,
        integration_identifier=integration.identifier,
        environment_id=attempt.environment_id,
        workspace_id=shown.workspace_id,
        workspace_name=shown.workspace_name,
        workspace_domain_url=_slack_url(shown.workspace_id) if not integration.is_practice else None,
        expected_workspace_id=attempt.expected_workspace_id,
        expected_workspace_name=attempt.expected_workspace_name,
        expires_at=attempt.expires_at,
        mode=connection.mode if connection else None,
        subscriber_id=subscriber_id,
        context_keys=keys,
        connection_identifier=identifier,
        connected_at=connection.updated_at if connection else None,
        installed_by=connection.installed_by if connection else None,
        missing_permissions=permissions.permissions(shown.missing_scopes or ""),
        is_organization=_is_organization(shown),
        org_manage_url=_manage_url(shown, integration),
        return_url=way_back.return_url(session, link, outcome, identifier if outcome.is_success else None),
        refresh_url=way_back.refresh_url(session, link),
        operator_detail=operator_detail(attempt),
        slack_error=attempt.detail,
        grant_result=attempt.grant_result,
        finished_here=True,
        keeps_connection=_keeps_connection(session, attempt, link, outcome),
        has_ended=outcome.is_success and identifier is not None and is_over,
        link_id=attempt.link_id,
        link_is_used=link is not None and link.used_at is not None,
        is_operators=attempt.operator_label is not None,
        approval_link_id=attempt.approval_link_id,
        approval_expires_at=approval.expires_at if approval else None,
    )


def _keeps_connection(session: Session, attempt: AttemptRow, link: LinkRow | None, outcome: Outcome) -> bool:
    """Return whether the link's customer still has a working connection after an attempt that was not successful."""
    if outcome.is_success or outcome in _SILENT:
        return False
    key = (link.identity_key or link.used_identity_key) if link else None
    existing = connection_identities.of_identity(session, attempt.environment_id, key) if key else None
    return existing is not None and not existing.status.is_broken and existing.created_at < attempt.created_at


def operator_detail(attempt: Attempt | AttemptRow) -> str | None:
    """Return the cause of a failed attempt and what an operator does about it. None if Slack reported no error."""
    if attempt.detail is None:
        return None
    if attempt.outcome is Outcome.SLACK_DOWN and not is_slack_itself(attempt.detail):
        # Slack sent no error code: the detail is a sentence.
        return f"{attempt.detail.rstrip('.')}. Check https://slack-status.com and this server's connection to Slack."
    return operator_hint(attempt.detail, attempt.redirect_uri)


def _slack_url(workspace_id: str | None) -> str | None:
    return f"https://app.slack.com/client/{workspace_id}" if workspace_id else None


def _is_organization(attempt: AttemptRow) -> bool:
    """Return whether the attempt's workspace is an organization. Slack's ids of organizations begin with E."""
    return (attempt.workspace_id or "").startswith("E")


def _manage_url(attempt: AttemptRow, integration: IntegrationRow) -> str | None:
    """Return where an organization's admin adds the app to workspaces."""
    if not _is_organization(attempt) or integration.is_practice:
        return None
    return f"https://app.slack.com/manage/{attempt.workspace_id}/integrations"
