"""Links: signed, expiring, revocable addresses at which a customer connects. Connect sessions are created here as well.

A token is the link's id and a signature made with SECRET_KEY. The database holds nothing that opens a link, and an approval
page can show its link again.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from onboarding import addresses, changes, identity, ids
from onboarding.callers import Actor, ApiCaller, CallerEnvironment
from onboarding.changes import Change, ChangeKind
from onboarding.characters import has_controls, trim
from onboarding.clock import Clock
from onboarding.errors import (
    LinkProblem,
    NotFound,
    Refused,
    identifier_taken,
    unknown_environment,
    unknown_integration,
    unknown_subscriber,
)
from onboarding.identity import OfferedContext
from onboarding.lifetimes import OPEN_LINK_LIFETIME
from onboarding.outcomes import Outcome
from onboarding.settings import Settings
from onboarding.slack.scopes import INCOMING_WEBHOOK
from onboarding.store import connections, contexts, environments, integrations, operators, origins, subscribers
from onboarding.store import links as store
from onboarding.store.database import BeforeCommit, Database, Session
from onboarding.store.links import LinkKind, LinkTerms

#: Of a link for one customer. Other lifetimes are in `onboarding/lifetimes.py` and `installs/records.py`.
LINK_LIFETIME, MAX_LIFETIME = timedelta(days=7), timedelta(days=365)
INSTALL_URL_LIFETIME = timedelta(minutes=5)
#: For the link that the console opens when an operator reconnects a workspace.
RECONNECT_LIFETIME = timedelta(hours=1)
#: How many links a list shows.
NEWEST = 100
_MAX_REFERENCE_LENGTH = 100
_MAX_LABEL_LENGTH = 100
#: The sentence of the API for a webhook without a subscriber.
_WEBHOOK = "subscriberId is required for incoming webhook"
_ADDRESS_WORDS = {"return_url": "return address", "refresh_url": "refresh address"}
_WORKSPACE_ID = re.compile(r"[TE][A-Z0-9]{1,99}\Z")


@dataclass(frozen=True)
class CreatedLink:
    id: str
    token: str = field(repr=False)
    url: str = field(repr=False)
    expires_at: datetime
    reference: str | None = None


@dataclass(frozen=True)
class LinkSummary:
    """A link without its address."""

    id: str
    integration_identifier: str
    #: `invitation`, `open` or `approval`.
    kind: str
    #: `usable`, `used`, `revoked` or `expired`.
    state: str
    subscriber_id: str | None
    context_keys: tuple[str, ...]
    offered_contexts: tuple[OfferedContext, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class NewLink:
    """The values that a new link fixes and offers. `environment` is the environment's name."""

    integration: str
    environment: str
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    offered_contexts: tuple[OfferedContext, ...] = ()
    mode: str | None = None
    workspace_id: str | None = None
    #: Where the person returns to, and where the person gets a new link. The integration must allow their origins.
    return_url: str | None = None
    refresh_url: str | None = None
    #: The caller's own text, which is returned with everything about the link.
    reference: str | None = None
    #: None: seven days, or 24 hours for an open link.
    lifetime: timedelta | None = None
    is_open: bool = False
    #: It reconnects an existing connection, which may have no subscriber for an incoming webhook.
    is_reconnect: bool = False
    #: The email of an operator: the link ends when that operator may not change anything any more.
    operator: str | None = None

    @property
    def terms(self) -> LinkTerms:
        return LinkTerms(
            is_open=self.is_open,
            mode=self.mode,
            subscriber_id=self.subscriber_id,
            context_keys=self.context_keys,
            offered_contexts=self.offered_contexts,
            workspace_id=self.workspace_id,
            return_url=self.return_url,
            operator_id=self.operator,
            refresh_url=self.refresh_url,
            reference=self.reference,
        )

    @property
    def effective_lifetime(self) -> timedelta:
        if self.lifetime is not None:
            return self.lifetime
        return OPEN_LINK_LIFETIME if self.is_open else LINK_LIFETIME


@dataclass(frozen=True)
class NewInstallUrl:
    """An install URL that an API caller requests. `contexts`: keys in the given order, with their data as JSON or None."""

    integration_identifier: str
    subscriber_id: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    mode: str | None = None
    connection_identifier: str | None = None
    #: Empty asks for the integration's scopes.
    scopes: tuple[str, ...] = ()
    auto_link_user: bool = False


class Links:
    def __init__(self, database: Database, settings: Settings, now: Clock) -> None:
        self._database, self._origin, self._now = database, settings.origin, now
        # itsdangerous signs with the last key and accepts them all.
        keys = list(reversed(settings.signing_keys))
        self._signer = Signer(keys, salt="onboarding.link", key_derivation="hmac", digest_method=hashlib.sha256)

    def create(self, new: NewLink, actor: Actor) -> CreatedLink:
        """Create a link for one customer, or an open one.

        Raises Refused with the reason (see `check`), NotFound for an unknown integration or environment.
        """
        check(new)
        with self._database.transaction() as session:
            environment = environments.by_name(session, new.environment)
            if environment is None:
                raise unknown_environment(new.environment)
            kind = LinkKind.OPEN if new.is_open else LinkKind.INVITATION
            return self._create(session, environment.id, new, kind, actor)

    def create_session(
        self, caller: ApiCaller, new: NewLink, data: Mapping[str, str | None], before_commit: BeforeCommit
    ) -> CreatedLink:
        """Create a connect session: a link for a person who is signed in to the caller's product.

        `data`: the data of the fixed contexts by their keys, as JSON or None. `before_commit` is called in the same
        transaction. Raises Refused (the rules of modes, and see `check`), NotFound (integration, subscriber).
        """
        identity.settled_mode(new.mode, new.subscriber_id, bool(new.context_keys or new.offered_contexts))
        check(new)
        environment = caller.environment
        with self._database.transaction() as session:
            self._check_subscriber(session, environment, new.subscriber_id)
            contexts.remember(session, environment.id, data, self._now())
            created = self._create(session, environment.id, new, LinkKind.SESSION, caller.actor)
            before_commit(session, created)
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

    def newest(self, environment_id: str) -> tuple[LinkSummary, ...]:
        """Return the newest links, at most `NEWEST`, without the install URLs that API callers request."""
        with self._database.reading() as session:
            found, editors = store.newest(session, environment_id, NEWEST), _editors(session)
        return tuple(_summary(link, identifier, _state(link, self._now(), editors)) for link, identifier in found)

    def find(self, environment_id: str, link_id: str) -> LinkSummary:
        """Return a link of the environment. Raises NotFound, also for the install URLs that API callers request."""
        with self._database.reading() as session:
            found, editors = store.with_integration(session, environment_id, link_id), _editors(session)
        if found is None:
            raise NotFound(kind="Link", name=link_id)
        return _summary(*found, _state(found[0], self._now(), editors))

    def create_install_url(self, caller: ApiCaller, new: NewInstallUrl, before_commit: BeforeCommit) -> CreatedLink:
        """Create an install URL for one subscriber or context. `before_commit` is called in the same transaction.

        Raises Refused (the rules of modes), NotFound (integration, subscriber), Conflict (`identifier_taken`: the
        connection identifier belongs to another identity).
        """
        at, keys, environment = self._now(), tuple(new.contexts), caller.environment
        with self._database.transaction() as session:
            integration = integrations.by_identifier(session, environment.id, new.integration_identifier)
            scopes = new.scopes or (integration.scopes.split(",") if integration else ())
            mode, subscriber_id = _settled_mode(new, INCOMING_WEBHOOK in scopes)
            if integration is None:
                raise unknown_integration(new.integration_identifier)
            self._check_subscriber(session, environment, subscriber_id)
            name = new.connection_identifier
            holder = connections.by_identifier(session, environment.id, name) if name else None
            key = identity.identity_key(integration.id, subscriber_id, keys)
            if name and holder is not None and holder.identity_key != key:
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

    def url(self, link_id: str) -> str:
        return f"{self._origin}/connect/{self.token(link_id)}"

    def token(self, link_id: str) -> str:
        return self._signer.sign(link_id.encode()).decode()

    def read(self, token: str) -> str:
        """Return the link's id. Raises LinkProblem `link_tampered` if the signature is invalid."""
        try:
            found, signature = self._signer.unsign(token.encode()).decode(), token.rpartition(".")[2]
            # The last character of base64 has bits that do not count.
            if base64_encode(base64_decode(signature)).decode() != signature:
                raise BadSignature("not canonical")
            return found
        except (BadSignature, UnicodeError):
            raise LinkProblem(Outcome.LINK_TAMPERED) from None

    def _create(self, session: Session, environment_id: str, new: NewLink, kind: LinkKind, actor: Actor) -> CreatedLink:
        row = integrations.by_identifier(session, environment_id, new.integration)
        if row is None:
            raise unknown_integration(new.integration)
        asks_for_webhook = INCOMING_WEBHOOK in row.scopes.split(",") and not new.is_reconnect
        if asks_for_webhook and not new.terms.may_have_subscriber:
            sentence = "A subscriber is required for incoming webhook: the integration asks for that scope."
            raise Refused(_WEBHOOK if kind is LinkKind.SESSION else sentence, code="subscriber_required")
        _check_origins(session, row, new)
        at = self._now()
        return self._add(session, store.new_link(row, kind, new.terms, at, at + new.effective_lifetime), actor)

    def _check_subscriber(self, session: Session, environment: CallerEnvironment, subscriber_id: str | None) -> None:
        """Raises NotFound for an unknown subscriber where the environment does not create it on first use."""
        if subscriber_id is None or environment.creates_subscribers:
            return
        if subscribers.find(session, environment.id, subscriber_id) is None:
            raise unknown_subscriber(subscriber_id)

    def _add(self, session: Session, link: store.Link, actor: Actor) -> CreatedLink:
        store.add(session, link)
        kind, at = ChangeKind.LINK_CREATED, link.created_at
        change = Change(kind, actor, at, link.environment_id, link.id, link.reference, detail=link.kind)
        changes.record(session, change)
        return CreatedLink(link.id, self.token(link.id), self.url(link.id), link.expires_at, link.reference)


def _editors(session: Session) -> set[str]:
    """Return the operators who may change things."""
    return {one.label for one in operators.all_of(session) if one.role == "operator"}


def _summary(link: store.Link, integration_identifier: str, state: str) -> LinkSummary:
    return LinkSummary(
        id=link.id,
        integration_identifier=integration_identifier,
        kind=link.kind,
        state=state,
        subscriber_id=link.subscriber_id,
        context_keys=link.context_keys,
        offered_contexts=link.offered_contexts,
        created_at=link.created_at,
        expires_at=link.expires_at,
    )


def _settled_mode(new: NewInstallUrl, asks_for_webhook: bool) -> tuple[str, str | None]:
    """Return mode and subscriber. Raises Refused, also without a subscriber for an incoming webhook."""
    if asks_for_webhook and (new.mode == "shared" or not new.subscriber_id):
        raise Refused(_WEBHOOK, "subscriberId", "subscriber_required")
    return identity.settled_mode(new.mode, new.subscriber_id, bool(new.contexts))


def check(new: NewLink) -> None:
    """Check the rules of links.

    Raises Refused; its code is `link_needs_customer` for a link that names no customer and is not open.
    """
    if not (new.is_open or new.subscriber_id or new.context_keys or new.offered_contexts):
        sentence = "A link is for one customer: name a subscriber, a context or both."
        raise Refused(sentence, code="link_needs_customer")
    if new.is_open and (new.subscriber_id or new.context_keys or new.offered_contexts):
        raise Refused("An open link cannot fix or offer a subscriber or a context.")
    if new.workspace_id and not _WORKSPACE_ID.match(new.workspace_id):
        raise Refused("A workspace id begins with T and an organization id with E, such as T0123ABCD.")
    if new.subscriber_id and (not ids.is_addressable(new.subscriber_id) or has_controls(new.subscriber_id)):
        raise Refused("A subscriber id must have 1 to 255 visible characters, none of them / % ? # or \\.")
    _check_contexts(new)
    if new.mode == "shared" and not (new.is_open or new.context_keys or new.offered_contexts):
        raise Refused("Shared mode needs a context.")
    if new.mode == "subscriber" and not (new.is_open or new.subscriber_id):
        raise Refused("Subscriber mode needs a subscriber.")
    if not timedelta(minutes=1) <= new.effective_lifetime <= MAX_LIFETIME:
        raise Refused("A link's lifetime must be from 1 minute to 365 days.")
    if new.is_open and new.effective_lifetime > OPEN_LINK_LIFETIME:
        raise Refused("An open link's lifetime must be at most 24 hours.")
    if new.reference is not None and (
        not 1 <= len(new.reference) <= _MAX_REFERENCE_LENGTH or has_controls(new.reference)
    ):
        raise Refused(f"The reference must have 1 to {_MAX_REFERENCE_LENGTH} visible characters.", "reference")
    for name, address in _addresses(new):
        try:
            addresses.page_origin(address)
        except ValueError as fault:
            raise Refused(f"The {_ADDRESS_WORDS[name]} {fault}.", name) from None


def _check_contexts(new: NewLink) -> None:
    """Raises Refused."""
    field = "offered_contexts" if new.offered_contexts else "context_keys"
    try:
        identity.check_link_contexts(new.context_keys, new.offered_contexts)
    except ValueError as fault:
        raise Refused(str(fault), field) from None
    for label in (one.label for one in new.offered_contexts if one.label is not None):
        if not 1 <= len(label) <= _MAX_LABEL_LENGTH or has_controls(label) or label != trim(label):
            raise Refused(
                f"The label of an offered context must have 1 to {_MAX_LABEL_LENGTH} visible characters.", field
            )


def _addresses(new: NewLink) -> Iterator[tuple[str, str]]:
    """Yield the addresses of the host's pages that are given, with their names."""
    for name in _ADDRESS_WORDS:
        if (address := getattr(new, name)) is not None:
            yield name, address


def _check_origins(session: Session, integration: integrations.Integration, new: NewLink) -> None:
    """Raises Refused for an address on an origin that the integration does not allow."""
    for name, address in _addresses(new):
        origin = addresses.page_origin(address)
        if origin not in origins.of_integration(session, integration.id):
            sentence = f"The {_ADDRESS_WORDS[name]} is on {origin}, which is not an allowed origin of {integration.identifier}."
            raise Refused(sentence, name, "origin_not_listed")


def _state(link: store.Link, at: datetime, editors: Collection[str]) -> str:
    """`editors`: the emails of everyone who may create links in the console."""
    if link.revoked_at is not None or (link.operator_id is not None and link.operator_id not in editors):
        return "revoked"
    if link.used_at is not None:
        return "used"
    return "expired" if link.expires_at <= at else "usable"
