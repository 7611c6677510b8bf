"""Links: signed, expiring, revocable invitations to connect.

A token is the link's id and a signature made with SECRET_KEY, so the database holds nothing that opens a link, and an
approval page can show its link again.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from itsdangerous import BadSignature, Signer

from onboarding import identity, ids
from onboarding.clock import Clock
from onboarding.errors import LinkProblem, NotFound, Refused, identifier_taken, unknown_integration, unknown_subscriber
from onboarding.identity import CONTEXT_WORD, MOST_CONTEXTS
from onboarding.outcomes import Outcome
from onboarding.settings import Settings
from onboarding.store import connections, contexts, environments, integrations, subscribers
from onboarding.store import links as store
from onboarding.store.database import BeforeCommit, Database
from onboarding.store.links import LinkKind, LinkTerms

LIFETIME, LONGEST_LIFETIME = timedelta(days=7), timedelta(days=365)
OPEN_LIFETIME = timedelta(hours=24)
INSTALL_URL_LIFETIME = timedelta(minutes=5)
#: An operator has just asked for it, and need not be done at once.
RECONNECT_LIFETIME = timedelta(hours=1)
_MOST_KEYS = 20
_WORKSPACE_ID = re.compile(r"[TE][A-Z0-9]{1,99}\Z")


@dataclass(frozen=True)
class CreatedLink:
    id: str
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class NewLink:
    """What a link should fix and offer."""

    integration: str
    environment: str
    subscriber_id: str | None = None
    context_keys: tuple[str, ...] = ()
    offered_context_keys: tuple[str, ...] = ()
    mode: str | None = None
    workspace_id: str | None = None
    return_url: str | None = None
    #: None: seven days, or as long as an open link may live.
    life: timedelta | None = None
    is_open: bool = False

    @property
    def terms(self) -> LinkTerms:
        return LinkTerms(
            is_open=self.is_open,
            mode=self.mode,
            subscriber_id=self.subscriber_id,
            context_keys=self.context_keys,
            offered_context_keys=self.offered_context_keys,
            workspace_id=self.workspace_id,
            return_url=self.return_url,
        )


@dataclass(frozen=True)
class NewInstallUrl:
    """An install address that a program wants. `contexts`: keys in the order given, with their data as JSON or None."""

    integration_identifier: str
    subscriber_id: str | None = None
    contexts: Mapping[str, str | None] = field(default_factory=dict)
    mode: str | None = None
    connection_identifier: str | None = None
    #: Empty asks for the integration's.
    scopes: tuple[str, ...] = ()


class Links:
    def __init__(self, database: Database, settings: Settings, now: Clock) -> None:
        self._database, self._origin, self._now = database, settings.origin, now
        # itsdangerous signs with the last key and accepts them all.
        keys = list(reversed(settings.signing_keys))
        self._signer = Signer(keys, salt="onboarding.link", key_derivation="hmac", digest_method=hashlib.sha256)

    def create(self, wish: NewLink) -> CreatedLink:
        """Raises Refused with the reason, NotFound for an unknown integration or environment."""
        check(wish)
        at = self._now()
        with self._database.transaction() as session:
            home = environments.by_name(session, wish.environment)
            integration = integrations.by_identifier(session, home.id, wish.integration) if home else None
            if integration is None:
                raise NotFound(f"There is no integration {wish.integration!r} in the environment {wish.environment!r}.")
            kind = LinkKind.OPEN if wish.is_open else LinkKind.INVITATION
            link = store.new_link(integration, kind, wish.terms, at, at + _life(wish))
            store.add(session, link)
        return CreatedLink(link.id, self.url(link.id), link.expires_at)

    def create_install_url(
        self, environment_id: str, environment_name: str, creates: bool, ask: NewInstallUrl, before_commit: BeforeCommit
    ) -> CreatedLink:
        """An install address for one subscriber or context, asked for by a program (contract.md A3).

        Raises Refused (the mode rules), NotFound (integration, subscriber), Conflict (the identifier is another
        identity's).
        """
        mode, subscriber_id = identity.settled_mode(ask.mode, ask.subscriber_id, bool(ask.contexts))
        at, keys = self._now(), tuple(ask.contexts)
        with self._database.transaction() as session:
            integration = integrations.by_identifier(session, environment_id, ask.integration_identifier)
            if integration is None:
                raise unknown_integration(ask.integration_identifier)
            if subscriber_id and not creates and subscribers.find(session, environment_id, subscriber_id) is None:
                raise unknown_subscriber(subscriber_id)
            key = identity.identity_key(integration.id, subscriber_id, keys)
            named = ask.connection_identifier
            holder = connections.by_identifier(session, environment_id, named) if named else None
            if named and holder is not None and holder.identity_key != key:
                raise identifier_taken(named, environment_name)
            contexts.remember(session, environment_id, ask.contexts, at)
            terms = LinkTerms(
                mode=mode,
                subscriber_id=subscriber_id,
                context_keys=keys,
                connection_identifier=named,
                scopes=ask.scopes,
            )
            link = store.new_link(integration, LinkKind.INSTALL_URL, terms, at, at + INSTALL_URL_LIFETIME)
            store.add(session, link)
            created = CreatedLink(link.id, self.url(link.id), link.expires_at)
            before_commit(session, created)
        return created

    def revoke(self, link_id: str) -> bool:
        """Whichever environment it is of; what was handed on from it ends, too. False where there is none to revoke."""
        with self._database.transaction() as session:
            return store.revoke(session, link_id, self._now())

    def url(self, link_id: str) -> str:
        return f"{self._origin}/connect/{self.token(link_id)}"

    def token(self, link_id: str) -> str:
        return self._signer.sign(link_id.encode()).decode()

    def read(self, token: str) -> str:
        """The link's id. Raises LinkProblem `link_tampered` when the signature does not hold."""
        try:
            return self._signer.unsign(token.encode()).decode()
        except (BadSignature, UnicodeError):
            raise LinkProblem(Outcome.LINK_TAMPERED) from None


def check(wish: NewLink) -> None:
    """The rules of links. Raises Refused."""
    if not (wish.is_open or wish.subscriber_id or wish.context_keys or wish.offered_context_keys):
        raise Refused(
            "A link is for one customer: name a subscriber, a context or both. "
            "--open makes one that leaves the choice to its holder."
        )
    if wish.is_open and (wish.subscriber_id or wish.context_keys or wish.offered_context_keys):
        raise Refused("An open link fixes nothing: leave out subscriber and contexts, or leave out --open.")
    if wish.workspace_id and not _WORKSPACE_ID.match(wish.workspace_id):
        raise Refused("A workspace's id begins with T, an organisation's with E, such as T0123ABCD.")
    if wish.subscriber_id and not ids.is_addressable(wish.subscriber_id):
        raise Refused("The subscriber id has characters that an address cannot carry.")
    _check_context_keys((*wish.context_keys, *wish.offered_context_keys))
    if len(wish.context_keys) + bool(wish.offered_context_keys) > MOST_CONTEXTS:
        raise Refused(f"A connection has at most {MOST_CONTEXTS} contexts, the one that is offered among them.")
    fixed = {key.partition(":")[0] for key in wish.context_keys}
    if len(fixed) < len(wish.context_keys) or fixed & {key.partition(":")[0] for key in wish.offered_context_keys}:
        raise Refused("Each context type can be fixed once, and a fixed type cannot be offered.")
    if wish.mode == "shared" and not (wish.is_open or wish.context_keys or wish.offered_context_keys):
        raise Refused("Shared mode needs a context.")
    if wish.mode == "subscriber" and not (wish.is_open or wish.subscriber_id):
        raise Refused("Subscriber mode needs a subscriber.")
    if not timedelta(minutes=1) <= _life(wish) <= LONGEST_LIFETIME:
        raise Refused("A link lives between 1 minute and 365 days.")
    if wish.is_open and _life(wish) > OPEN_LIFETIME:
        raise Refused("An open link lives 24 hours at most.")
    if wish.return_url and not _is_web_address(wish.return_url):
        raise Refused("The return address must begin with https:// or http://.")


def _life(wish: NewLink) -> timedelta:
    if wish.life is not None:
        return wish.life
    return OPEN_LIFETIME if wish.is_open else LIFETIME


def _check_context_keys(keys: tuple[str, ...]) -> None:
    """Raises Refused for a key that is not `type:id`, or more of them than a page can offer."""
    for key in keys:
        if not all(map(CONTEXT_WORD.match, key.split(":", 1))) or ":" not in key:
            raise Refused(
                f"{key!r} is not a context: TYPE=ID, letters, digits, - and _ only, 1 to 100 characters each."
            )
    if len(keys) > _MOST_KEYS:
        raise Refused("Too many contexts.")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
