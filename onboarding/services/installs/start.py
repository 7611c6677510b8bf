"""InstallStarter: what a link or the console shows first, and the attempt that a click makes."""

import json
from collections.abc import Mapping
from datetime import datetime

from onboarding import ids
from onboarding.errors import LinkProblem, NotFound, Refused
from onboarding.outcomes import Outcome
from onboarding.services.installs import records
from onboarding.services.installs.records import (
    APPROVAL_LIFETIME,
    LIFETIME,
    Existing,
    StartedAttempt,
    StartPage,
    digest,
    is_bound,
)
from onboarding.services.installs.shared import Workbench, state_digest
from onboarding.store import attempts, connections, integrations, links
from onboarding.store.attempts import Stage
from onboarding.store.database import Session
from onboarding.store.integrations import Integration
from onboarding.store.links import Link


class InstallStarter:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def view_link(self, link_id: str) -> StartPage:
        """Raises LinkProblem when the link cannot be used."""
        with self._bench.database.reading() as session:
            link, integration = self._usable(session, link_id)
            return _start(integration, link, self._existing(session, integration, link))

    def view_operator(self, environment_id: str, identifier: str) -> StartPage:
        """Raises NotFound for an unknown integration."""
        with self._bench.database.reading() as session:
            integration = integrations.by_identifier(session, environment_id, identifier)
        if integration is None:
            raise NotFound(f"There is no integration {identifier!r}.")
        return _start(integration, None, None)

    def start_link(
        self,
        link_id: str,
        intent: str | None = None,
        team: str | None = None,
        bindings: Mapping[str, str] | None = None,
    ) -> StartedAttempt:
        """A new attempt for a link's holder.

        `intent`: None, `reconnect` or `other_workspace`, where the identity has a connection. `team` presets Slack's
        workspace chooser. `bindings`, the browser's secrets as in `finish`, let who used the link renew what it connected.
        Raises LinkProblem, and Refused where the practice Slack is off.
        """
        with self._bench.database.transaction() as session:
            link, integration = self._usable(session, link_id, bindings)
            existing = self._existing(session, integration, link)
            expected, name = link.workspace_id, None
            if existing is not None and expected is None and intent != "other_workspace":
                expected, name = existing.workspace_id, existing.workspace_name
            may_replace = intent == "other_workspace" and link.workspace_id is None and existing is not None
            return self._make(session, integration, link, None, expected, name, may_replace, team)

    def start_operator(
        self, environment_id: str, identifier: str, operator: str, team: str | None = None
    ) -> StartedAttempt:
        """Raises NotFound for an unknown integration, Refused where the practice Slack is off."""
        with self._bench.database.transaction() as session:
            integration = integrations.by_identifier(session, environment_id, identifier)
            if integration is None:
                raise NotFound(f"There is no integration {identifier!r}.")
            return self._make(session, integration, None, operator, None, None, False, team)

    def ask_approval(
        self, link_id: str | None, operator: str | None, environment_id: str, identifier: str
    ) -> StartedAttempt:
        """A person who cannot approve apps hands the install on: a link for the admin, and an attempt that waits for it.

        An operator's own attempt fixes nobody, so its approval link is an open one. Raises LinkProblem, NotFound.
        """
        with self._bench.database.transaction() as session:
            link: Link | None = None
            if link_id is not None:
                link, integration = self._usable(session, link_id)
            else:
                found = integrations.by_identifier(session, environment_id, identifier)
                if found is None:
                    raise NotFound(f"There is no integration {identifier!r}.")
                integration = found
            approval = self._approval(session, link, integration, operator)
            sent = self._make(session, integration, link, operator, None, None, False, None)
            attempts.move(
                session,
                sent.attempt_id,
                Stage.MADE,
                stage=Stage.FINISHED,
                outcome=Outcome.AWAITING_APPROVAL,
                approval_link_id=approval.id,
                finished_at=self._bench.now(),
            )
            return sent

    def _usable(
        self, session: Session, link_id: str, bindings: Mapping[str, str] | None = None
    ) -> tuple[Link, Integration]:
        link = links.by_id(session, link_id)
        if link is None:
            raise LinkProblem(Outcome.LINK_TAMPERED)
        integration = integrations.by_id(session, link.environment_id, link.integration_id)
        if integration is None:
            raise LinkProblem(Outcome.LINK_TAMPERED)
        name, back, parent = integration.name, link.return_url, links.parent_of(session, link)
        if link.revoked_at is not None or (parent is not None and parent.revoked_at is not None):
            raise LinkProblem(Outcome.LINK_REVOKED, app_name=name, return_url=back)
        if parent is not None and parent.used_by_attempt != link.used_by_attempt:
            raise LinkProblem(Outcome.LINK_USED, parent.used_by_attempt, name, back)
        if link.used_at is not None and not _is_renewed_by_its_user(session, link, bindings or {}):
            raise LinkProblem(Outcome.LINK_USED, link.used_by_attempt, name, back)
        if link.expires_at <= self._bench.now():
            raise LinkProblem(Outcome.LINK_EXPIRED, app_name=name, return_url=back, expired_at=link.expires_at)
        return link, integration

    def _approval(self, session: Session, link: Link | None, integration: Integration, operator: str | None) -> Link:
        """The link for the admin: one for each link, however often it is asked for, and never another of an approval."""
        at = self._bench.now()
        known = link if link is None or link.kind == "approval" else links.handed_on(session, link.id, at)
        if known is not None:
            return known
        made = _approval_of(link, integration, at)
        links.add(session, made)
        actor = f"link:{link.id}" if link else f"operator:{operator}"
        self._bench.note(session, integration.environment_id, actor, "link.handed_on", made.id, "approval")
        return made

    def _existing(self, session: Session, integration: Integration, link: Link) -> Existing | None:
        choice = records.choice_fixed_by(link)
        if choice is None:
            return None
        found = connections.by_identity(session, link.environment_id, choice.identity_key(integration.id))
        if found is None:
            return None
        return Existing(
            found.identifier,
            found.workspace_id,
            found.workspace_name,
            found.created_at,
            found.installed_by,
            found.is_broken,
        )

    def _make(
        self,
        session: Session,
        integration: Integration,
        link: Link | None,
        operator: str | None,
        expected: str | None,
        expected_name: str | None,
        may_replace: bool,
        team: str | None,
    ) -> StartedAttempt:
        bench = self._bench
        real = integrations.any_real(session)
        if integration.is_practice and (
            not bench.settings.practice_possible or (real and bench.settings.practice == "auto")
        ):
            raise Refused("Practice mode is over: a real Slack app is set up. Start with that one.")
        asked = records.asked_scopes(integration, link)
        state, binding, at = ids.new_secret(), ids.new_secret(), bench.now()
        attempt = attempts.Attempt(
            id=ids.new_id("att"),
            environment_id=integration.environment_id,
            integration_id=integration.id,
            link_id=link.id if link else None,
            operator_id=operator,
            state_digest=state_digest(state),
            binding_digest=digest(binding),
            redirect_uri=bench.settings.redirect_uri,
            scopes=asked,
            expected_workspace_id=expected,
            expected_workspace_name=expected_name,
            may_replace=may_replace,
            stage=Stage.MADE,
            created_at=at,
            expires_at=at + LIFETIME,
        )
        attempts.add(session, attempt)
        wanted = records.scopes_of(asked)
        app = bench.credentials(integration)
        hint = team or (expected if expected and expected.startswith("T") else None)
        url = bench.gateway.authorize_url(app, wanted, attempt.redirect_uri, state, hint)
        return StartedAttempt(attempt.id, url, binding)


def _is_renewed_by_its_user(session: Session, link: Link, bindings: Mapping[str, str]) -> bool:
    """An open link makes something new or nothing, so nobody renews with it."""
    used_by = attempts.by_id(session, link.used_by_attempt) if link.used_by_attempt and not link.is_open else None
    return used_by is not None and is_bound(used_by, bindings.get(used_by.id[4:12]))


def _start(integration: Integration, link: Link | None, existing: Existing | None) -> StartPage:
    keys = link.context_keys if link else ()
    modes = records.possible_modes(link)
    return StartPage(
        app_name=integration.name,
        integration_identifier=integration.identifier,
        environment_id=integration.environment_id,
        account=records.account(link.subscriber_id, keys) if link else None,
        mode=modes[0] if len(modes) == 1 else None,
        subscriber_id=link.subscriber_id if link else None,
        context_keys=keys,
        offered_context_keys=link.offered_context_keys if link else (),
        workspace_id=link.workspace_id if link else None,
        permissions=records.permissions(records.asked_scopes(integration, link)),
        expires_at=link.expires_at if link else None,
        is_open=link is None or link.is_open,
        existing=existing,
        return_url=link.return_url if link else None,
    )


def _approval_of(link: Link | None, integration: Integration, at: datetime) -> Link:
    return Link(
        id=ids.new_id("lnk"),
        environment_id=integration.environment_id,
        integration_id=integration.id,
        kind="approval",
        parent_id=link.id if link else None,
        is_open=link is None or link.is_open,
        mode=link.mode if link else None,
        subscriber_id=link.subscriber_id if link else None,
        context_keys_json=json.dumps(link.context_keys if link else ()),
        offered_context_keys_json=json.dumps(link.offered_context_keys if link else ()),
        workspace_id=link.workspace_id if link else None,
        connection_identifier=link.connection_identifier if link else None,
        scopes=link.scopes if link else None,
        return_url=None,
        created_at=at,
        # Whoever holds an open link may choose anybody: it lives no longer for being handed on.
        expires_at=link.expires_at if link and link.is_open else at + APPROVAL_LIFETIME,
    )
