"""API keys: created, shown once, looked up by digest, revoked."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from onboarding import changes, ids
from onboarding.callers import SEE_SECRETS, Actor, ActorKind, ApiCaller, CallerEnvironment
from onboarding.changes import Change, ChangeKind
from onboarding.characters import has_controls
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound, Refused, StorageProblem
from onboarding.store import api_keys, environments
from onboarding.store.api_keys import ApiKey
from onboarding.store.database import Database

#: Lets a person, or a scanner for leaked secrets, recognize a key.
PREFIX = "sco_"
SCOPES = {
    "connections:read": "See connections, contexts, subscribers, endpoints and integrations, without credentials.",
    "connections:write": "Create, change, verify and delete connections, contexts, subscribers and endpoints.",
    SEE_SECRETS: "See access tokens and webhook addresses.",
    "links:write": "Create, see and revoke connect sessions; create install URLs.",
    "webhooks:write": "Manage webhook endpoints, and see and replay their deliveries.",
    "settings:write": "Reserved for settings of the environment. No operation needs it yet.",
}
MAX_LIFETIME = timedelta(days=3650)
_MAX_NAME_LENGTH = 100
#: The last use of a key is stored at most this often, so that most requests write nothing.
_USE_STORED_EVERY_SECONDS = 300.0
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NewApiKey:
    """`environment` is the environment's name."""

    name: str
    environment: str
    #: Empty means all scopes.
    scopes: tuple[str, ...] = ()
    #: None: the key is valid until it is revoked.
    lifetime: timedelta | None = None


@dataclass(frozen=True)
class CreatedKey:
    id: str
    #: Shown once and stored nowhere.
    key: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime | None


@dataclass(frozen=True)
class KeySummary:
    id: str
    name: str
    beginning: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    is_revoked: bool
    is_expired: bool


class ApiKeys:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now
        #: Uses that wait to be stored, by key id.
        self._uses: dict[str, datetime] = {}
        #: Monotonic times at which a key's use was stored.
        self._use_stored: dict[str, float] = {}

    def create(self, new: NewApiKey, actor: Actor) -> CreatedKey:
        """Create a key. Raises Refused for an invalid value, NotFound (the environment), Conflict (the name)."""
        _check(new)
        key, at = PREFIX + ids.new_secret(), self._now()
        with self._database.transaction() as session:
            environment = environments.named(session, new.environment)
            if any(one.name == new.name for one in api_keys.all_of(session, environment.id)):
                raise Conflict(f"A key named {new.name!r} already exists. Choose another name.")
            row = ApiKey(
                id=ids.new_id("key"),
                environment_id=environment.id,
                name=new.name,
                digest=_digest(key),
                beginning=key[:8],
                scopes=",".join(new.scopes or SCOPES),
                created_at=at,
                expires_at=None if new.lifetime is None else at + new.lifetime,
            )
            api_keys.add(session, row)
            kind = ChangeKind.API_KEY_CREATED
            changes.record(session, Change(kind, actor, at, environment.id, row.id, new.name, detail=row.scopes))
        return CreatedKey(row.id, key, tuple(row.scopes.split(",")), row.expires_at)

    def all_of(self, environment: str) -> tuple[KeySummary, ...]:
        """Return the environment's keys, oldest first. Raises NotFound for the environment."""
        with self._database.reading() as session:
            found = api_keys.all_of(session, environments.named(session, environment).id)
        return tuple(
            KeySummary(
                id=one.id,
                name=one.name,
                beginning=one.beginning,
                scopes=tuple(one.scopes.split(",")),
                created_at=one.created_at,
                expires_at=one.expires_at,
                last_used_at=one.last_used_at,
                is_revoked=one.revoked_at is not None,
                is_expired=one.expires_at is not None and one.expires_at <= self._now(),
            )
            for one in found
        )

    def revoke(self, name: str, environment: str, actor: Actor) -> None:
        """Revoke the keys of this name. Raises NotFound if there is none that is not revoked yet."""
        at = self._now()
        with self._database.transaction() as session:
            row = environments.by_name(session, environment)
            revoked = api_keys.revoke(session, row.id, name, at) if row else ()
            if row is None or not revoked:
                raise NotFound(kind="Usable API key", name=name)
            for key_id in revoked:
                changes.record(session, Change(ChangeKind.API_KEY_REVOKED, actor, at, row.id, key_id, name))

    def authenticate(self, key: str) -> ApiCaller | None:
        """Return the caller with this key; None for a key that is unknown, revoked or expired."""
        with self._database.rows() as rows:
            row = api_keys.by_digest(rows, _digest(key))
        at = self._now()
        # One answer for all three, so that a caller cannot learn which keys existed.
        if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at):
            return None
        self._note_use(row.id, at)
        return ApiCaller(
            environment=CallerEnvironment(
                row.environment_id, row.environment_name, row.unknown_subscribers == "create"
            ),
            actor=Actor(ActorKind.API_KEY, row.id),
            scopes=frozenset(row.scopes.split(",")),
        )

    def store_uses(self) -> None:
        """Store when keys were last used. `authenticate` only notes it: a read must not wait for a writer."""
        # A copy, because other threads note uses while these are stored.
        uses = list(self._uses.items())
        if not uses:
            return
        try:
            with self._database.transaction() as session:
                for key_id, at in uses:
                    api_keys.note_use(session, key_id, at)
        except StorageProblem as problem:
            _LOG.warning("api_key.use_not_noted", keys=len(uses), problem=problem.sentence)
            return
        for key_id, _at in uses:
            self._use_stored[key_id] = time.monotonic()
            self._uses.pop(key_id, None)

    def _note_use(self, key_id: str, at: datetime) -> None:
        stored = self._use_stored.get(key_id)
        if stored is None or time.monotonic() - stored >= _USE_STORED_EVERY_SECONDS:
            self._uses[key_id] = at


def _check(new: NewApiKey) -> None:
    """Check the values of a new key. Raises Refused."""
    unknown = [scope for scope in new.scopes if scope not in SCOPES]
    if unknown:
        raise Refused(f"Unknown scope: {', '.join(unknown)}. Known: {', '.join(SCOPES)}.", "scopes")
    if not 1 <= len(new.name) <= _MAX_NAME_LENGTH or has_controls(new.name) or new.name != new.name.strip():
        raise Refused(
            f"A key's name must have 1 to {_MAX_NAME_LENGTH} characters, no control character and no space at either end.",
            "name",
        )
    if new.lifetime is not None and not timedelta(minutes=1) <= new.lifetime <= MAX_LIFETIME:
        raise Refused("A key's lifetime must be from 1 minute to 3650 days.", "lifetime")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
