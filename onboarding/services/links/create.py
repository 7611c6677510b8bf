"""Create and revoke links: for one customer, open ones, connect sessions, and the install URLs of API callers."""

from collections.abc import Mapping

from onboarding import changes, identity
from onboarding.before_commit import BeforeCommit, add_nothing
from onboarding.callers import Actor, ApiCaller, CallerEnvironment
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Refused, identifier_taken, unknown_integration, unknown_subscriber
from onboarding.services.links.records import INSTALL_URL_LIFETIME, CreatedLink, NewInstallUrl, NewLink
from onboarding.services.links.rules import check, check_origins, page_origins
from onboarding.services.links.tokens import LinkTokens
from onboarding.slack.scopes import INCOMING_WEBHOOK, split
from onboarding.store import connections, contexts, environments, integrations, link_integrations, subscribers
from onboarding.store import links as store
from onboarding.store.database import Database, Rows
from onboarding.store.link_terms import LinkKind, LinkTerms
from onboarding.store.links import LinkRow

#: The sentence of the API for a webhook without a subscriber.
_WEBHOOK = "subscriberId is required for incoming webhook"


class LinkWriter:
    def __init__(self, database: Database, tokens: LinkTokens, now: Clock) -> None:
        self._database, self._tokens, self._now = database, tokens, now

    def create(self, new: NewLink, actor: Actor) -> CreatedLink:
        """Create a link for one customer, or an open one.

        Raises Refused with the reason (see `check`), NotFound for an unknown integration or environment.
        """
        check(new)
        with self._database.transaction() as session:
            environment = environments.named(session, new.environment)
            kind = LinkKind.OPEN if new.is_open else LinkKind.INVITATION
            return self._create(session, environment.id, new, kind, actor)

    def create_session(
        self, caller: ApiCaller, new: NewLink, data: Mapping[str, str | None], before_commit: BeforeCommit
    ) -> CreatedLink:
        """Create a connect session: a link for a person who is signed in to the caller's product.

        `data`: the data of the fixed contexts by their keys, as JSON or None. `before_commit` is called in the same
        transaction, unless it is `add_nothing`. Raises Refused (the rules of modes, and see `check`), NotFound
        (integration, subscriber).
        """
        identity.resolve_mode(new.mode, new.subscriber_id, bool(new.context_keys or new.offered_contexts))
        check(new)
        environment = caller.environment
        # `remember` locks contexts, and `_check_subscriber` a subscriber who must exist.
        needs_locks = bool(data) or not environment.creates_subscribers
        # On PostgreSQL, the link and its audit entry are one statement, and a new link causes no event for hosts.
        is_one_statement = before_commit is add_nothing and not needs_locks
        with self._database.changing_one() if is_one_statement else self._database.changing_rows() as rows:
            self._check_subscriber(rows, environment, new.subscriber_id)
            contexts.remember(rows, environment.id, data, self._now())
            created = self._create(rows, environment.id, new, LinkKind.SESSION, caller.actor)
            before_commit(rows, created)
        return created

    def create_practice_session(self, environment_id: str, new: NewLink, actor: Actor) -> CreatedLink:
        """Create a connect session of a practice integration, for an operator who tries the embeds.

        Raises Refused (see `check`), NotFound for any other integration.
        """
        check(new)
        with self._database.transaction() as session:
            integration = integrations.by_identifier(session, environment_id, new.integration)
            if integration is None or not integration.is_practice:
                raise unknown_integration(new.integration)
            return self._create(session, environment_id, new, LinkKind.SESSION, actor)

    def create_install_url(self, caller: ApiCaller, new: NewInstallUrl, before_commit: BeforeCommit) -> CreatedLink:
        """Create an install URL for one subscriber or context. `before_commit` is called in the same transaction.

        Raises Refused (the rules of modes), NotFound (integration, subscriber), Conflict (`identifier_taken`: the
        connection identifier belongs to another identity).
        """
        at, keys, environment = self._now(), tuple(new.contexts), caller.environment
        with self._database.transaction() as session:
            integration = integrations.by_identifier(session, environment.id, new.integration_identifier)
            scopes = new.scopes or (split(integration.scopes) if integration else ())
            mode, subscriber_id = _resolve_mode(new, INCOMING_WEBHOOK in scopes)
            if integration is None:
                raise unknown_integration(new.integration_identifier)
            self._check_subscriber(session, environment, subscriber_id)
            name = new.connection_identifier
            existing = connections.by_identifier(session, environment.id, name) if name else None
            key = identity.identity_key(integration.id, subscriber_id, keys)
            if name and existing is not None and existing.identity_key != key:
                raise identifier_taken(name, environment.name)
            contexts.remember(session, environment.id, new.contexts, at)
            terms = LinkTerms(
                mode=mode,
                subscriber_id=subscriber_id,
                context_keys=keys,
                connection_identifier=name,
                scopes=new.scopes,
                auto_link_user=new.auto_link_user,
            )
            link = store.new_link(integration, LinkKind.INSTALL_URL, terms, at, at + INSTALL_URL_LIFETIME)
            created = self._add(session, link, caller.actor)
            before_commit(session, created)
        return created

    def revoke(self, link_id: str, actor: Actor) -> bool:
        """Revoke a link of any environment, with the approval created from it. False if no usable link has this id."""
        with self._database.transaction() as session:
            at = self._now()
            environment_id = store.revoke(session, link_id, at)
            if environment_id is None:
                return False
            changes.record(session, Change(ChangeKind.LINK_REVOKED, actor, at, environment_id, link_id))
        return True

    def _create(self, rows: Rows, environment_id: str, new: NewLink, kind: LinkKind, actor: Actor) -> CreatedLink:
        origins = page_origins(new)
        row = link_integrations.integration_for(rows, environment_id, new.integration, origins)
        if row is None:
            raise unknown_integration(new.integration)
        asks_for_webhook = INCOMING_WEBHOOK in split(row.scopes) and not new.is_reconnect
        if asks_for_webhook and not new.terms.may_have_subscriber:
            sentence = "The integration asks for the scope incoming-webhook, which requires a subscriber."
            raise Refused(_WEBHOOK if kind is LinkKind.SESSION else sentence, code="subscriber_required")
        check_origins(row, origins)
        at = self._now()
        return self._add(rows, store.new_link(row, kind, new.terms, at, at + new.effective_lifetime), actor)

    def _check_subscriber(self, rows: Rows, environment: CallerEnvironment, subscriber_id: str | None) -> None:
        """Check that the subscriber exists, unless the environment creates it on first use. Raises NotFound."""
        if subscriber_id is None or environment.creates_subscribers:
            return
        if not subscribers.hold(rows, environment.id, subscriber_id):
            raise unknown_subscriber(subscriber_id)

    def _add(self, rows: Rows, link: LinkRow, actor: Actor) -> CreatedLink:
        kind, at = ChangeKind.LINK_CREATED, link.created_at
        change = Change(kind, actor, at, link.environment_id, link.id, link.reference, detail=link.kind)
        changes.record(rows, change, store.new_rows(link))
        token = self._tokens.token(link.id)
        return CreatedLink(link.id, token, self._tokens.url_of(token), link.expires_at, link.reference)


def _resolve_mode(new: NewInstallUrl, asks_for_webhook: bool) -> tuple[str, str | None]:
    """Return mode and subscriber. Raises Refused, also without a subscriber for an incoming webhook."""
    if asks_for_webhook and (new.mode == "shared" or not new.subscriber_id):
        raise Refused(_WEBHOOK, "subscriberId", "subscriber_required")
    return identity.resolve_mode(new.mode, new.subscriber_id, bool(new.contexts))
