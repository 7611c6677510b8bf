"""InstallStarter: the start page of a link or of the console, and the attempt that its button starts."""

from dataclasses import dataclass, replace
from functools import cached_property

import structlog

from onboarding import changes, events, ids
from onboarding.callers import Actor, ActorKind
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import LinkProblem, NotFound, Refused, VaultProblem
from onboarding.outcomes import Outcome
from onboarding.services.installs import link_use, permissions, way_back
from onboarding.services.installs.bindings import BindingOf, digest, state_digest
from onboarding.services.installs.records import (
    APPROVAL_LIFETIME,
    ATTEMPT_LIFETIME,
    Existing,
    StartedAttempt,
    StartPage,
)
from onboarding.services.installs.start_page import existing_connection, page_of, waiting_approval
from onboarding.services.tokens.sealing import Tokens
from onboarding.settings import Settings
from onboarding.slack import scopes
from onboarding.slack.gateway import Gateway
from onboarding.store import attempts, installs, links
from onboarding.store.attempts import Stage
from onboarding.store.database import Connection, Database, Rows, Session
from onboarding.store.installs import LinkStart
from onboarding.store.integrations import IntegrationRow
from onboarding.store.link_terms import LinkKind, LinkTerms
from onboarding.store.links import LinkRow
from onboarding.translatable import marked

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _NewAttempt:
    """The values of an attempt that is about to start."""

    integration: IntegrationRow
    link: LinkRow | None = None
    #: The operator's label, if one starts from the console.
    operator: str | None = None
    expected_workspace_id: str | None = None
    expected_workspace_name: str | None = None
    may_replace: bool = False
    #: Presets Slack's workspace chooser.
    team: str | None = None

    @cached_property
    def scopes(self) -> str:
        """Return the scopes to ask for, comma separated."""
        return permissions.requested_scopes(self.integration, self.link)


@dataclass(frozen=True)
class _Progress:
    """The progress of a new attempt: it starts, waits for an admin, or cannot start."""

    stage: Stage
    outcome: Outcome | None = None
    detail: str | None = None
    approval_link_id: str | None = None


class InstallStarter:
    def __init__(self, database: Database, tokens: Tokens, gateway: Gateway, settings: Settings, now: Clock) -> None:
        self._database, self._tokens, self._gateway = database, tokens, gateway
        self._settings, self._now = settings, now

    def view_link(self, link_id: str) -> StartPage:
        """Return what the link's start page shows. Raises LinkProblem if the link cannot be used."""
        with self._database.rows() as rows:
            start = self._usable(rows, link_id)
            page = page_of(start.integration, start.link, existing_connection(rows, start))
            identifier = page.existing.identifier if page.existing else None
            back = way_back.return_url(rows, start.link, Outcome.ALREADY_CONNECTED, identifier)
            approval = None
            if page.existing is None or page.existing.is_broken:
                approval = waiting_approval(rows, link_id, self._now())
        return replace(page, return_url=back, approval=approval)

    def view_operator(self, environment_id: str, identifier: str) -> StartPage:
        """Return what the console's start page shows. Raises NotFound for an unknown integration."""
        with self._database.rows() as rows:
            integration, _any_real = _integration(rows, environment_id, identifier)
        return page_of(integration, None, None)

    def start_link(
        self,
        link_id: str,
        replaces_workspace: bool = False,
        team: str | None = None,
        binding_of: BindingOf | None = None,
    ) -> StartedAttempt:
        """Start an attempt with a link.

        `replaces_workspace`: the person wants another workspace than the connected one. `team` presets Slack's
        workspace chooser. `binding_of` lets the browser that used the link renew what it connected.
        Raises LinkProblem, Refused if the practice Slack is off, Conflict if the link is deleted at the same time.
        """
        with self._database.rows() as rows:
            start = self._usable(rows, link_id, binding_of)
            existing = existing_connection(rows, start)
            self._check_practice(start.integration, start.any_real)
            return self._start(rows, _attempt_with_link(start, existing, replaces_workspace, team))

    def start_operator(
        self, environment_id: str, identifier: str, operator: str, team: str | None = None
    ) -> StartedAttempt:
        """Start an operator's attempt.

        Raises NotFound for an unknown integration, Refused if the practice Slack is off, Conflict if the integration is
        deleted at the same time.
        """
        with self._database.rows() as rows:
            integration, any_real = _integration(rows, environment_id, identifier)
            self._check_practice(integration, any_real)
            return self._start(rows, _NewAttempt(integration, operator=operator, team=team))

    def ask_approval_with_link(self, link_id: str) -> StartedAttempt:
        """Create the link for an admin who approves apps, and an attempt that waits for that admin.

        A link has at most one approval link; an approval link stands for itself. Raises LinkProblem, and Refused if
        the practice Slack is off.
        """
        with self._database.transaction() as session:
            start = self._usable(session, link_id)
            self._check_practice(start.integration, start.any_real)
            approval_id = self._approval_of(session, start)
            return self._insert(session, _NewAttempt(start.integration, start.link), _waiting_for(approval_id))

    def ask_approval_as_operator(self, environment_id: str, identifier: str, operator: str) -> StartedAttempt:
        """Create the link for an admin, and an attempt that waits for that admin, from the console.

        An operator's attempt fixes no customer, so the approval is an open link. It works for 24 hours at most, and
        only while the operator may make changes. Raises NotFound, Refused.
        """
        with self._database.transaction() as session:
            integration, any_real = _integration(session, environment_id, identifier)
            self._check_practice(integration, any_real)
            at, actor = self._now(), Actor(ActorKind.OPERATOR, operator)
            terms = LinkTerms(is_open=True, operator_label=operator)
            approval = links.new_link(integration, LinkKind.APPROVAL, terms, at, at + APPROVAL_LIFETIME)
            self._add_approval(session, approval, actor)
            return self._insert(session, _NewAttempt(integration, operator=operator), _waiting_for(approval.id))

    def _usable(self, rows: Rows, link_id: str, binding_of: BindingOf | None = None) -> LinkStart:
        start = installs.start_of_link(rows, link_id)
        if start is None:
            # The signature is valid, but the link was deleted: some time after it expired, or together with its
            # integration.
            raise LinkProblem(Outcome.LINK_EXPIRED)
        outcome = link_use.refusal(rows, start.link, start.parent, binding_of, self._now())
        if outcome is None:
            return start
        used_by = link_use.used_by(start.link, start.parent) if outcome is Outcome.LINK_USED else None
        raise LinkProblem(outcome, used_by, way_back.details(rows, start, outcome))

    def _check_practice(self, integration: IntegrationRow, any_real: bool) -> None:
        """Check that practice mode is on if the integration is a practice one. Raises Refused."""
        if integration.is_practice and not self._settings.is_practice_on(any_real):
            raise Refused(marked("Practice mode is over. Start with a real Slack app."))

    def _approval_of(self, session: Session, start: LinkStart) -> str:
        """Return the id of the link's approval; create it unless the link is or has one."""
        link, at = start.link, self._now()
        known = link if link.kind == LinkKind.APPROVAL else links.usable_approval(session, link.id, at)
        if known is not None:
            return known.id
        # The holder of an open link may choose any customer, so its approval is valid no longer than the link.
        expires_at = link.expires_at if link.is_open else at + APPROVAL_LIFETIME
        # The admin who approves is not the subscriber.
        terms = replace(link.terms, auto_link_user=False)
        approval = links.new_link(start.integration, LinkKind.APPROVAL, terms, at, expires_at)
        approval = approval._replace(parent_id=link.id, return_url=None, refresh_url=None)
        self._add_approval(session, approval, Actor(ActorKind.LINK, link.id))
        return approval.id

    def _add_approval(self, session: Session, approval: LinkRow, actor: Actor) -> None:
        kind, at, environment_id = ChangeKind.LINK_HANDED_ON, approval.created_at, approval.environment_id
        change = Change(kind, actor, at, environment_id, approval.id, detail="approval")
        changes.record(session, change, links.new_rows(approval))

    def _start(self, rows: Connection, new: _NewAttempt) -> StartedAttempt:
        """Store an attempt. If the client secret cannot be decrypted, the attempt ends: the exchange would fail."""
        state, progress, url = ids.new_secret(), _Progress(Stage.CREATED), None
        try:
            url = self._authorize_url(new, state)
        except VaultProblem as problem:
            _LOG.error("install.secret_unreadable", integration=new.integration.identifier, problem=problem.sentence)
            progress = _Progress(Stage.FINISHED, Outcome.CONFIG_ERROR, detail="encryption_keys")
        # An attempt that has ended also writes events, so it needs more than one statement.
        has_ended = progress.stage is Stage.FINISHED
        with self._database.changing_rows() if has_ended else self._database.changing_one(rows) as changing:
            started = self._insert(changing, new, progress, state)
        return replace(started, authorize_url=url)

    def _insert(self, rows: Rows, new: _NewAttempt, progress: _Progress, state: str = "") -> StartedAttempt:
        """Store an attempt. Without `state`, it gets a random one, so that no callback can belong to it."""
        binding, attempt_id, at = ids.new_secret(), ids.attempt_id(), self._now()
        attempts.add(
            rows,
            id=attempt_id,
            environment_id=new.integration.environment_id,
            integration_id=new.integration.id,
            link_id=new.link.id if new.link else None,
            operator_label=new.operator,
            state_digest=state_digest(state or ids.new_secret()),
            binding_digest=digest(binding),
            redirect_uri=self._settings.redirect_uri,
            scopes=new.scopes,
            expected_workspace_id=new.expected_workspace_id,
            expected_workspace_name=new.expected_workspace_name,
            may_replace=new.may_replace,
            created_at=at,
            expires_at=at + ATTEMPT_LIFETIME,
            stage=progress.stage,
            outcome=progress.outcome,
            detail=progress.detail,
            approval_link_id=progress.approval_link_id,
            sent_at=at if progress.stage is Stage.CREATED else None,
            finished_at=at if progress.stage is Stage.FINISHED else None,
        )
        if progress.stage is Stage.FINISHED:
            events.attempt_ended(rows, attempt_id)
        return StartedAttempt(attempt_id, None, binding)

    def _authorize_url(self, new: _NewAttempt, state: str) -> str:
        """Return the address of Slack's consent page.

        Raises VaultProblem if the client secret, which the exchange will need, cannot be decrypted.
        """
        expected, credentials = new.expected_workspace_id, self._tokens.app_credentials(new.integration)
        # Slack presets a workspace, never an organization.
        team = new.team or (expected if expected and expected.startswith("T") else None)
        requested = scopes.split(new.scopes)
        return self._gateway.authorize_url(credentials, requested, self._settings.redirect_uri, state, team)


def _attempt_with_link(
    start: LinkStart, existing: Existing | None, replaces_workspace: bool, team: str | None
) -> _NewAttempt:
    """Return the values of an attempt with a link. It expects the connected workspace, unless another one is wanted."""
    expected, name = start.link.workspace_id, None
    if existing is not None and expected is None and not replaces_workspace:
        expected, name = existing.workspace_id, existing.workspace_name
    return _NewAttempt(
        start.integration,
        start.link,
        expected_workspace_id=expected,
        expected_workspace_name=name,
        # A link that names its workspace accepts no other one.
        may_replace=replaces_workspace and start.link.workspace_id is None and existing is not None,
        team=team,
    )


def _waiting_for(approval_id: str) -> _Progress:
    return _Progress(Stage.FINISHED, Outcome.AWAITING_APPROVAL, approval_link_id=approval_id)


def _integration(rows: Rows, environment_id: str, identifier: str) -> tuple[IntegrationRow, bool]:
    """Return the integration, and whether any integration has real credentials. Raises NotFound."""
    found = installs.start_of_integration(rows, environment_id, identifier)
    if found is None:
        raise NotFound(f"There is no integration {identifier!r}.")
    return found
