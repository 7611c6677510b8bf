"""API keys: made, shown once, looked up by digest, revoked."""

import hashlib
import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import Conflict, NotFound, Refused, StorageProblem
from onboarding.store import api_keys, audit, environments
from onboarding.store.api_keys import ApiKey
from onboarding.store.database import Database

#: By this a person, or a scanner for leaked secrets, recognises a key.
PREFIX = "sco_"
SCOPES = {
    "connections:read": "See connections, contexts, subscribers, endpoints and integrations, without credentials.",
    "connections:write": "Make, change, verify and delete connections, contexts, subscribers and endpoints.",
    "connections:secrets": "See access tokens and webhook addresses.",
    "links:write": "Make install addresses.",
    "settings:write": "Change settings of the environment.",
}
LONGEST_LIFETIME = timedelta(days=3650)
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}\Z")
#: How often the use of one key is noted: a request shall not cost a write.
_NOTED_EVERY_SECONDS = 300.0
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MadeKey:
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


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: one key, its one environment, and what it may do."""

    key_id: str
    environment_id: str
    environment_name: str
    scopes: frozenset[str]
    creates_subscribers: bool

    @property
    def actor(self) -> str:
        return f"key:{self.key_id}"


class ApiKeys:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now
        self._noted: dict[str, float] = {}

    def create(self, name: str, environment: str, scopes: tuple[str, ...], life: timedelta | None) -> MadeKey:
        """No scope named means all. Raises Refused, NotFound (the environment), Conflict (the name)."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown:
            raise Refused(f"Unknown scope: {', '.join(unknown)}. Known: {', '.join(SCOPES)}.", "scopes")
        if not _NAME.match(name) or name != name.strip():
            raise Refused("A key's name has 1 to 100 characters, none of them a control character.", "name")
        if life is not None and not timedelta(minutes=1) <= life <= LONGEST_LIFETIME:
            raise Refused("A key lives between 1 minute and 3650 days, or until it is revoked.", "life")
        key, at = PREFIX + ids.new_secret(), self._now()
        granted = scopes or tuple(SCOPES)
        made = MadeKey(ids.new_id("key"), key, granted, None if life is None else at + life)
        with self._database.transaction() as session:
            home = environments.by_name(session, environment)
            if home is None:
                raise NotFound(f"There is no environment {environment!r}.")
            if any(one.name == name for one in api_keys.all_of(session, home.id)):
                raise Conflict(f"A key named {name!r} exists.")
            row = ApiKey(
                id=made.id,
                environment_id=home.id,
                name=name,
                digest=_digest(key),
                beginning=key[:8],
                scopes=",".join(granted),
                created_at=at,
                expires_at=made.expires_at,
            )
            api_keys.add(session, row)
            audit.note(session, home.id, at, "shell", "api_key.created", made.id, ",".join(granted))
        return made

    def all_of(self, environment: str) -> tuple[KeySummary, ...]:
        """Raises NotFound for the environment."""
        with self._database.reading() as session:
            home = environments.by_name(session, environment)
            if home is None:
                raise NotFound(f"There is no environment {environment!r}.")
            found = api_keys.all_of(session, home.id)
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
            )
            for one in found
        )

    def revoke(self, name: str, environment: str) -> None:
        """Raises NotFound."""
        with self._database.transaction() as session:
            home = environments.by_name(session, environment)
            revoked = api_keys.revoke(session, home.id, name, self._now()) if home else ()
            if home is None or not revoked:
                raise NotFound(f"There is no key {name!r} that could still be revoked.")
            for key_id in revoked:
                audit.note(session, home.id, self._now(), "shell", "api_key.revoked", key_id, name)

    def holder(self, key: str) -> Holder | None:
        """Who holds this key; None for one that is unknown, revoked or past its time."""
        with self._database.rows() as rows:
            row = api_keys.by_digest(rows, _digest(key))
        at = self._now()
        if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at):
            return None
        self._note_use(row.id, at)
        return Holder(
            key_id=row.id,
            environment_id=row.environment_id,
            environment_name=row.environment_name,
            scopes=frozenset(row.scopes.split(",")),
            creates_subscribers=row.unknown_subscribers == "create",
        )

    def _note_use(self, key_id: str, at: datetime) -> None:
        noted, now = self._noted.get(key_id), time.monotonic()
        if noted is not None and now - noted < _NOTED_EVERY_SECONDS:
            return
        self._noted[key_id] = now
        try:
            with self._database.transaction() as session:
                api_keys.note_use(session, key_id, at)
        except StorageProblem as problem:
            # A request must not fail because its use could not be noted.
            _LOG.warning("api_key.use_not_noted", key=key_id, problem=problem.sentence)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
