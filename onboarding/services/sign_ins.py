"""Sign in to the console with a one-time link, and the sessions that follow."""

from collections.abc import Callable
from dataclasses import dataclass

from onboarding import ids
from onboarding.callers import Actor, ActorKind
from onboarding.clock import Clock
from onboarding.lifetimes import SESSION_LIFETIME
from onboarding.store import operators, sign_ins
from onboarding.store.database import Database


@dataclass(frozen=True)
class Person:
    """A signed-in person of the console."""

    operator_id: str
    #: The email address, or `team id/user id` of a person who signs in with Slack: the name in audit entries.
    label: str
    #: `operator`, or `viewer`: a viewer can change nothing.
    role: str
    #: The name that Slack sent, for display only; empty if there is none.
    slack_name: str = ""

    @property
    def display_name(self) -> str:
        return self.slack_name or self.label

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.OPERATOR, self.label)

    @property
    def may_change(self) -> bool:
        return self.role == "operator"


@dataclass(frozen=True)
class SignInProblem:
    """`reason`: unknown, used or expired."""

    reason: str


class SignIns:
    def __init__(self, database: Database, practice_is_on: Callable[[], bool], now: Clock) -> None:
        self._database, self._practice_is_on, self._now = database, practice_is_on, now

    def check_link(self, token: str) -> Person | SignInProblem:
        """Return the person that a sign-in link is for. The link stays valid, because mail scanners open links."""
        with self._database.reading() as session:
            found = sign_ins.find(session, "link", sign_ins.digest_of(token))
            if found is None:
                return SignInProblem("unknown")
            if found.ended_at is not None:
                return SignInProblem("used")
            if found.expires_at <= self._now():
                return SignInProblem("expired")
            person = operators.by_id(session, found.operator_id)
        return Person(person.id, person.label, person.role) if person else SignInProblem("unknown")

    def sign_in(self, token: str) -> str | SignInProblem:
        """Use a sign-in link, once, and return the token of a new session, for the cookie."""
        person = self.check_link(token)
        if isinstance(person, SignInProblem):
            return person
        session_token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            found = sign_ins.find(session, "link", sign_ins.digest_of(token))
            # Of two clicks at the same moment, the one whose UPDATE changed the row gets the session.
            if found is None or not sign_ins.end(session, found.id, at):
                return SignInProblem("used")
            row = sign_ins.SignIn.of_token("session", person.operator_id, session_token, at, SESSION_LIFETIME)
            sign_ins.add(session, row)
        return session_token

    def signed_in(self, session_token: str | None) -> Person | None:
        """Return the person of a session. None if the session is unknown, ended or expired, or practice mode has ended.

        Only a session that a practice integration signed in ends with practice mode.
        """
        if not session_token:
            return None
        with self._database.rows() as rows:
            found = sign_ins.signed_in(rows, sign_ins.digest_of(session_token))
        if found is None or found.ended_at is not None or found.expires_at <= self._now():
            return None
        if found.is_practice and not self._practice_is_on():
            return None
        return Person(found.id, found.label, found.role, found.slack_name or "")

    def sign_out(self, session_token: str) -> None:
        with self._database.transaction() as session:
            found = sign_ins.find(session, "session", sign_ins.digest_of(session_token))
            if found is not None:
                sign_ins.end(session, found.id, self._now())
