"""Operators: one-time sign-in links and sessions. No passwords."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from onboarding import ids
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused
from onboarding.settings import Settings
from onboarding.store import operators
from onboarding.store.database import Database

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True)
class Person:
    """A signed-in person of the console."""

    operator_id: str
    email: str
    #: `operator`, or `viewer`, who looks at everything and changes nothing.
    role: str

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

    def invite(self, email: str, role: str | None = None) -> SignInLink:
        """Makes the person if need be, and a one-time sign-in link. Raises Refused for a bad address.

        `role`: `operator` or `viewer`. None leaves it as it is; who is new is an operator.
        """
        address = email.strip().lower()
        if not 3 <= len(address) <= 320 or "@" not in address[1:-1] or any(c.isspace() or ord(c) < 33 for c in address):
            raise Refused("That is not an e-mail address.", "email")
        token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            person = operators.by_email(session, address)
            if person is None:
                role = role or "operator"
                person = operators.Operator(id=ids.new_id("opr"), email=address, role=role, created_at=at)
                operators.add(session, person)
            person.role = role or person.role
            operators.add(session, _sign_in(person.id, "link", token, at, LINK_LIFETIME))
        return SignInLink(f"{self._origin}/sign-in/{token}", at + LINK_LIFETIME)

    def people(self) -> tuple[Person, ...]:
        """Everybody who may sign in, by e-mail address."""
        with self._database.reading() as session:
            return tuple(Person(one.id, one.email, one.role) for one in operators.all_of(session))

    def remove(self, email: str) -> None:
        """Ends their sessions and links at once. Raises NotFound."""
        with self._database.transaction() as session:
            person = operators.by_email(session, email.strip().lower())
            if person is None:
                raise NotFound(f"There is no operator {email!r}.")
            operators.remove(session, person.id)

    def look(self, token: str) -> Person | SignInProblem:
        """Whom a sign-in link is for. Looking does not use it: mail scanners look too."""
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
        """Uses the link, once, and begins a session: its token, for the cookie."""
        looked = self.look(token)
        if isinstance(looked, SignInProblem):
            return looked
        session_token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            found = operators.find_sign_in(session, "link", _digest(token))
            if found is None or not operators.end_sign_in(session, found.id, at):
                return SignInProblem("used")
            operators.add(session, _sign_in(looked.operator_id, "session", session_token, at, SESSION_LIFETIME))
        return session_token

    def person_of_session(self, session_token: str | None) -> Person | None:
        """Return the person whom a session belongs to; None if it is unknown, expired or ended."""
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


def _sign_in(operator_id: str, kind: str, token: str, at: datetime, life: timedelta) -> operators.SignIn:
    return operators.SignIn(
        id=ids.new_id("sgn"),
        operator_id=operator_id,
        kind=kind,
        digest=_digest(token),
        created_at=at,
        expires_at=at + life,
    )


def _digest(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()
