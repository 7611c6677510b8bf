"""InstallCompleter: Slack's grant and the person's choice become a connection, in one transaction."""

from datetime import timedelta
from typing import Any

from onboarding import ids
from onboarding.errors import Conflict, Refused
from onboarding.outcomes import ConnectionStatus, Outcome
from onboarding.services.installs import records
from onboarding.services.installs.records import Choice
from onboarding.services.installs.shared import Workbench, actor_of
from onboarding.slack.grants import Grant
from onboarding.store import attempts, connections, contexts, erasure, installations, integrations, links, subscribers
from onboarding.store.attempts import Attempt, Stage
from onboarding.store.connections import ChannelConnection
from onboarding.store.database import Session
from onboarding.store.installations import Installation
from onboarding.store.integrations import Integration
from onboarding.store.links import Link

_TRIES = 3
#: Outcomes that leave the grant unused.
REFUSALS = (Outcome.WORKSPACE_TAKEN, Outcome.LINK_USED, Outcome.LINK_REVOKED, Outcome.CONFIG_ERROR)


class InstallCompleter:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def settle(self, attempt_id: str, stage: Stage, grant: Grant, choice: Choice, confirmed: bool) -> Outcome:
        """The outcome. The attempt must be in `stage`; someone else who took it out of there has settled it.

        Raises Refused with the field's name (an open link and an identity that exists), StorageProblem.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._once(attempt_id, stage, grant, choice, confirmed)
            except Conflict:
                # Another install made the same identity a moment ago: the next try finds it and reconnects.
                continue
        return self._once(attempt_id, stage, grant, choice, confirmed)

    def _once(self, attempt_id: str, stage: Stage, grant: Grant, choice: Choice, confirmed: bool) -> Outcome:
        with self._bench.database.transaction() as session:
            attempt = attempts.by_id(session, attempt_id)
            if attempt is None or attempt.stage != stage:
                return (attempt.outcome if attempt else None) or Outcome.STATE_EXPIRED
            integration = self._bench.integration_of(session, attempt)
            integrations.lock(session, integration.id)
            link = links.by_id(session, attempt.link_id) if attempt.link_id else None
            parent = links.parent_of(session, link) if link else None
            # The parent first: where somebody used it meanwhile, what was handed on stays unused.
            used = [one for one in (parent, link) if one is not None]
            if any(one.revoked_at is not None for one in used):
                # It was withdrawn while the person was with Slack.
                return self._end(session, attempt, stage, grant, Outcome.LINK_REVOKED)
            if not grant.is_bot and _needs_bot(session, integration, grant, choice):
                self._bench.tell_operators(attempt, "user_token_only")
                return self._end(session, attempt, stage, grant, Outcome.CONFIG_ERROR, detail="user_token_only")
            key = choice.identity_key(integration.id)
            existing = connections.by_identity(session, attempt.environment_id, key)
            if existing is not None and link is not None and link.is_open:
                field = "subscriber_id" if choice.mode == "subscriber" else "contexts"
                raise Refused("This is connected already. This link can only connect something new.", field)
            expected = attempt.expected_workspace_id or (existing.workspace_id if existing else None)
            if expected not in (None, grant.workspace_id) and not confirmed and not attempt.may_replace:
                return self._ask_first(session, attempt, stage, grant, choice, existing)
            if integration.workspace_policy == "refuse" and connections.held_by_another(
                session, integration.id, grant.workspace_id, key
            ):
                return self._end(session, attempt, stage, grant, Outcome.WORKSPACE_TAKEN)
            at = self._bench.now()
            for one in used:
                if not links.mark_used(session, one.id, attempt.id, key, at):
                    session.refresh(one)
                    if not _may_use_again(one, attempt, key, existing, grant):
                        return self._end(session, attempt, stage, grant, Outcome.LINK_USED)
            installation = self._installation(session, integration, grant)
            identifier = self._connection(
                session, integration, installation, existing, grant, choice, key, attempt, link
            )
            outcome = _outcome(existing is not None, grant, attempt)
            self._bench.note(
                session,
                attempt.environment_id,
                actor_of(attempt),
                "connection.reconnected" if existing else "connection.connected",
                identifier,
                grant.workspace_id,
            )
            return self._end(session, attempt, stage, grant, outcome, identifier, key)

    def _ask_first(
        self,
        session: Session,
        attempt: Attempt,
        stage: Stage,
        grant: Grant,
        choice: Choice,
        existing: ChannelConnection | None,
    ) -> Outcome:
        """Another workspace than expected answered: nothing is replaced until the person says so."""
        attempts.move(
            session,
            attempt.id,
            stage,
            stage=Stage.WAITING,
            outcome=Outcome.WRONG_WORKSPACE,
            expires_at=self._bench.now() + records.LIFETIME if stage == Stage.EXCHANGING else attempt.expires_at,
            waiting_grant=self._bench.seal_grant(attempt.id, grant),
            choice=choice.as_json(),
            connection_identifier=existing.identifier if existing else None,
            workspace_id=grant.workspace_id,
            workspace_name=grant.workspace_name,
            expected_workspace_id=attempt.expected_workspace_id or (existing.workspace_id if existing else None),
            expected_workspace_name=attempt.expected_workspace_name or (existing.workspace_name if existing else None),
        )
        return Outcome.WRONG_WORKSPACE

    def _end(
        self,
        session: Session,
        attempt: Attempt,
        stage: Stage,
        grant: Grant,
        outcome: Outcome,
        identifier: str | None = None,
        identity_key: str | None = None,
        detail: str | None = None,
    ) -> Outcome:
        missing = set(attempt.scopes.split(",")) - set(grant.scopes) if identifier else set()
        attempts.move(
            session,
            attempt.id,
            stage,
            stage=Stage.FINISHED,
            outcome=outcome,
            finished_at=self._bench.now(),
            waiting_grant=None,
            workspace_id=grant.workspace_id,
            workspace_name=grant.workspace_name,
            connection_identifier=identifier,
            identity_key=identity_key,
            missing_scopes=",".join(sorted(missing)),
            detail=detail,
        )
        return outcome

    def _installation(self, session: Session, integration: Integration, grant: Grant) -> Installation:
        at, found = self._bench.now(), installations.hold_by_slack_key(session, integration.id, grant.slack_key)
        row_id = found.id if found else ids.new_id("ins")
        expires_at = at + timedelta(seconds=grant.expires_in) if grant.expires_in else None
        values: dict[str, Any] = {
            **self._bench.tokens.sealed(row_id, grant.access_token, grant.refresh_token, expires_at),
            "app_id": grant.app_id,
            "bot_user_id": grant.bot_user_id,
            "scopes": ",".join(grant.scopes),
            "installer_id": grant.installer_id,
            "installed_at": at,
            # Whoever refreshes just now refreshes what was there before.
            "refresh_claimed_at": None,
        }
        if found is not None:
            for name, value in values.items():
                setattr(found, name, value)
            return found
        made = Installation(
            id=row_id,
            environment_id=integration.environment_id,
            integration_id=integration.id,
            slack_key=grant.slack_key,
            **values,
        )
        installations.add(session, made)
        return made

    def _connection(
        self,
        session: Session,
        integration: Integration,
        installation: Installation,
        existing: ChannelConnection | None,
        grant: Grant,
        choice: Choice,
        key: str,
        attempt: Attempt,
        link: Link | None,
    ) -> str:
        """The connection's identifier."""
        at = self._bench.now()
        access = {
            "workspace_name": grant.workspace_name,
            "bot_user_id": grant.bot_user_id,
            "status": ConnectionStatus.HEALTHY,
            "status_reason": None,
            "checked_at": at,
        }
        # Whoever has the workspace already has the fresh access, too.
        connections.change_all_on(session, installation.id, **access)
        values = {
            "installation_id": installation.id,
            "workspace_id": grant.workspace_id,
            "installed_by": grant.installer_id,
            "updated_at": at,
            **access,
        }
        if existing is not None:
            self._renew(session, attempt, existing, values)
            return existing.identifier
        environment = attempt.environment_id
        subscriber = choice.subscriber_id if choice.mode == "subscriber" else None
        if subscriber:
            subscribers.remember(session, environment, subscriber, at)
        contexts.remember(session, environment, choice.context_keys, at)
        identifier = self._free_identifier(session, environment, link)
        connections.add(
            session,
            choice.context_keys,
            id=ids.new_id("con"),
            environment_id=environment,
            identifier=identifier,
            integration_id=integration.id,
            identity_key=key,
            mode=choice.mode,
            subscriber_id=subscriber,
            created_at=at,
            **values,
        )
        return identifier

    def _renew(self, session: Session, attempt: Attempt, existing: ChannelConnection, values: dict[str, Any]) -> None:
        left = existing.installation_id
        if existing.workspace_id != values["workspace_id"]:
            # The page says whose place the workspace took.
            before = {
                "expected_workspace_id": existing.workspace_id,
                "expected_workspace_name": existing.workspace_name,
            }
            attempts.move(session, attempt.id, attempt.stage, **before)
        connections.change(session, existing.id, **values)
        if left != values["installation_id"]:
            erasure.erase_unused_installation(session, left)

    def _free_identifier(self, session: Session, environment_id: str, link: Link | None) -> str:
        """The name that a program asked for in its address, unless somebody took it meanwhile; else a new one."""
        wanted = link.connection_identifier if link else None
        if wanted and connections.by_identifier(session, environment_id, wanted) is None:
            return wanted
        return ids.connection_identifier()


def _may_use_again(link: Link, attempt: Attempt, key: str, existing: ChannelConnection | None, grant: Grant) -> bool:
    """Who used it may renew what it connected. Who was on the way when somebody else did may not put another there."""
    if link.used_identity_key != key or link.used_at is None:
        return False
    return link.used_at <= attempt.created_at or (existing is not None and existing.workspace_id == grant.workspace_id)


def _needs_bot(session: Session, integration: Integration, grant: Grant, choice: Choice) -> bool:
    """What many share is a bot's, and a bot's token that others may use is not replaced by a person's."""
    held = installations.by_slack_key(session, integration.id, grant.slack_key)
    return choice.mode == "shared" or (held is not None and held.bot_user_id is not None)


def _outcome(is_reconnect: bool, grant: Grant, attempt: Attempt) -> Outcome:
    if is_reconnect:
        return Outcome.RECONNECTED
    if grant.is_enterprise_install:
        return Outcome.ORG_INSTALLED
    return Outcome.PARTIAL_PERMISSIONS if set(attempt.scopes.split(",")) - set(grant.scopes) else Outcome.CONNECTED
