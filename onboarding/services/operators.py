"""Operators: one-time sign-in links and sessions. No passwords."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from onboarding import changes, ids
from onboarding.callers import Actor, ActorKind
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused
from onboarding.settings import Settings
from onboarding.store import operators
from onboarding.store.database import Database, Session

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True)
class Person:
    """A signed-in person of the console."""

    operator_id: str
    email: str
    #: `operator`, or `viewer`: a viewer sees everything and changes nothing.
    role: str

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.OPERATOR, self.email)

    @property
    def may_change(self) -> bool:
        return self.role == "operator"


@dataclass(frozen=True)
class SignInLink:
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class SignInProblem:
    """`reason`: unknown, used or expired."""

    reason: str


class Operators:
    def __init__(self, database: Database, settings: Settings, now: Clock) -> None:
        self._database, self._origin, self._now = database, settings.origin, now

    def invite(self, email: str, actor: Actor, role: str | None = None) -> SignInLink:
        """Create a one-time sign-in link, and the operator if the address is new. Raises Refused for an invalid address.

        `role`: `operator` or `viewer`. None keeps the role; a new operator gets `operator`.
        """
        address = email.strip().lower()
        if not 3 <= len(address) <= 320 or "@" not in address[1:-1] or any(c.isspace() or ord(c) < 33 for c in address):
            raise Refused(f"{email!r} is not an email address.", "email")
        token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            row = operators.by_email(session, address)
            if row is None:
                row = operators.Operator(id=ids.new_id("opr"), email=address, role=role or "operator", created_at=at)
                operators.add(session, row)
                self._record(session, ChangeKind.OPERATOR_ADDED, actor, row)
            elif role is not None and role != row.role:
                row.role = role
                self._record(session, ChangeKind.OPERATOR_ROLE_CHANGED, actor, row)
            operators.add(session, _sign_in(row.id, "link", token, at, LINK_LIFETIME))
            self._record(session, ChangeKind.OPERATOR_INVITED, actor, row)
        return SignInLink(f"{self._origin}/sign-in/{token}", at + LINK_LIFETIME)

    def list_all(self) -> tuple[Person, ...]:
        """Return everyone who may sign in, sorted by email address."""
        with self._database.reading() as session:
            return tuple(Person(one.id, one.email, one.role) for one in operators.all_of(session))

    def remove(self, email: str, actor: Actor) -> None:
        """Remove an operator; sessions and sign-in links end at once. Raises NotFound."""
        with self._database.transaction() as session:
            row = operators.by_email(session, email.strip().lower())
            if row is None:
                raise NotFound(kind="Operator", name=email)
            self._record(session, ChangeKind.OPERATOR_REMOVED, actor, row)
            operators.remove(session, row.id)

    def check_link(self, token: str) -> Person | SignInProblem:
        """Return the person that a sign-in link is for. It can still be used: mail scanners open links."""
        with self._database.reading() as session:
            found = operators.find_sign_in(session, "link", _digest(token))
            if found is None:
                return SignInProblem("unknown")
            if found.ended_at is not None:
                return SignInProblem("used")
            if found.expires_at <= self._now():
                return SignInProblem("expired")
            person = operators.by_id(session, found.operator_id)
        return Person(person.id, person.email, person.role) if person else SignInProblem("unknown")

    def sign_in(self, token: str) -> str | SignInProblem:
        """Use a sign-in link, once, and return the token of a new session, for the cookie."""
        person = self.check_link(token)
        if isinstance(person, SignInProblem):
            return person
        session_token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            found = operators.find_sign_in(session, "link", _digest(token))
            # Of two clicks at the same moment, the one whose UPDATE changed the row gets the session.
            if found is None or not operators.end_sign_in(session, found.id, at):
                return SignInProblem("used")
            operators.add(session, _sign_in(person.operator_id, "session", session_token, at, SESSION_LIFETIME))
        return session_token

    def signed_in(self, session_token: str | None) -> Person | None:
        """Return the person of a session. None if the session is unknown, ended or expired."""
        if not session_token:
            return None
        with self._database.rows() as rows:
            found = operators.signed_in(rows, _digest(session_token))
        if found is None or found.ended_at is not None or found.expires_at <= self._now():
            return None
        return Person(found.id, found.email, found.role)

    def sign_out(self, session_token: str) -> None:
        with self._database.transaction() as session:
            found = operators.find_sign_in(session, "session", _digest(session_token))
            if found is not None:
                operators.end_sign_in(session, found.id, self._now())

    def _record(self, session: Session, kind: ChangeKind, actor: Actor, row: operators.Operator) -> None:
        detail = "" if kind is ChangeKind.OPERATOR_REMOVED else row.role
        changes.record(session, Change(kind, actor, self._now(), None, row.id, row.email, detail=detail))


def _sign_in(operator_id: str, kind: str, token: str, at: datetime, lifetime: timedelta) -> operators.SignIn:
    return operators.SignIn(
        id=ids.new_id("sgn"),
        operator_id=operator_id,
        kind=kind,
        digest=_digest(token),
        created_at=at,
        expires_at=at + lifetime,
    )


def _digest(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()
