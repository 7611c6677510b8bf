"""The list of operators and allowed Slack teams, one-time sign-in links and sessions. No passwords."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from onboarding import changes, ids
from onboarding.callers import Actor, ActorKind
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused
from onboarding.lifetimes import SESSION_LIFETIME
from onboarding.settings import Settings
from onboarding.store import operators
from onboarding.store.database import Database, Session

LINK_LIFETIME = timedelta(minutes=15)
_TEAM = re.compile(r"T[A-Z0-9]{2,30}\Z")
_SLACK_USER = re.compile(r"(T[A-Z0-9]{2,30})/([UW][A-Z0-9]{2,30})\Z")


@dataclass(frozen=True)
class Person:
    """A signed-in person of the console."""

    operator_id: str
    #: The email address, or `team id/user id` of a person who signs in with Slack: the name in audit entries.
    label: str
    #: `operator`, or `viewer`: a viewer sees everything and changes nothing.
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
class OperatorSummary:
    """A person who may sign in."""

    id: str
    label: str
    role: str
    #: None for a person with one-time links only.
    slack_team_id: str | None
    slack_user_id: str | None
    slack_name: str
    #: Whether the person gets in because the whole team is allowed.
    is_team_viewer: bool
    last_sign_in_at: datetime | None
    open_sessions: int


@dataclass(frozen=True)
class AllowedTeam:
    team_id: str
    created_at: datetime


@dataclass(frozen=True)
class SignInLink:
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class SignInProblem:
    """`reason`: unknown, used or expired."""

    reason: str


class Operators:
    def __init__(self, database: Database, settings: Settings, practice_is_on: Callable[[], bool], now: Clock) -> None:
        self._database, self._origin, self._practice_is_on, self._now = database, settings.origin, practice_is_on, now

    def invite(self, email: str, actor: Actor, role: str | None = None) -> SignInLink:
        """Create a one-time sign-in link, and the operator if the address is new. Raises Refused for an invalid address.

        `role`: `operator` or `viewer`. None keeps the role; a new operator gets `operator`.
        """
        address = email.strip().lower()
        if not 3 <= len(address) <= 320 or "@" not in address[1:-1] or any(c.isspace() or ord(c) < 33 for c in address):
            raise Refused(f"{email!r} is not an email address.", "email")
        token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            row = operators.by_label(session, address)
            if row is None:
                row = operators.Operator(id=ids.new_id("opr"), email=address, role=role or "operator", created_at=at)
                self._add(session, row, actor)
            else:
                self._set_role(session, row, role, actor)
            operators.add(session, operators.SignIn.of_token("link", row.id, token, at, LINK_LIFETIME))
            self._record(session, ChangeKind.OPERATOR_INVITED, actor, row)
        return SignInLink(f"{self._origin}/sign-in/{token}", at + LINK_LIFETIME)

    def add_slack_user(self, slack_user: str, actor: Actor, role: str | None = None) -> str:
        """Let a person sign in with Slack, and return their label. Raises Refused for anything but `team id/user id`.

        `role` as for `invite`. A person who got in with their team is listed from now on.
        """
        found = _SLACK_USER.match(slack_user.strip().upper())
        if found is None:
            raise Refused(
                "A Slack user is written as team id and user id, such as T0123ABCD/U0456EFGH. Slack shows the user id under "
                "Profile > Copy member ID; the team id is in the address of Slack in a browser.",
                "slack_user",
            )
        with self._database.transaction() as session:
            row = operators.by_slack(session, found[1], found[2])
            if row is None:
                row = operators.Operator(
                    id=ids.new_id("opr"),
                    slack_team_id=found[1],
                    slack_user_id=found[2],
                    role=role or "operator",
                    created_at=self._now(),
                )
                self._add(session, row, actor)
            else:
                if row.is_team_viewer:
                    row.is_team_viewer, role = False, role or "operator"
                self._set_role(session, row, role, actor)
            return row.label

    def set_role(self, label: str, role: str, actor: Actor) -> None:
        """Change a person's role. Raises NotFound, and Refused for a person who gets in with their team."""
        with self._database.transaction() as session:
            row = _person(session, label)
            if row.is_team_viewer:
                raise Refused("The whole team signs in as viewers. Add the person to give them another role.", "role")
            self._set_role(session, row, role, actor)

    def list_all(self) -> tuple[OperatorSummary, ...]:
        """Return everyone who may sign in, sorted by email address. Of an allowed team, those who have signed in."""
        with self._database.reading() as session:
            times = operators.session_times(session, self._now())
            return tuple(_summary(one, *times.get(one.id, (None, 0))) for one in operators.all_of(session))

    def find(self, operator_id: str) -> OperatorSummary:
        """Return a person by id. Raises NotFound."""
        found = next((one for one in self.list_all() if one.id == operator_id), None)
        if found is None:
            raise NotFound(kind="Operator", name=operator_id)
        return found

    def remove(self, label: str, actor: Actor) -> None:
        """Remove an operator; sessions and sign-in links end at once. Raises NotFound."""
        with self._database.transaction() as session:
            row = _person(session, label)
            self._record(session, ChangeKind.OPERATOR_REMOVED, actor, row)
            operators.remove(session, row.id)

    def end_sessions(self, label: str, actor: Actor) -> None:
        """Sign a person out everywhere, and end their unused sign-in links. Raises NotFound."""
        with self._database.transaction() as session:
            row = _person(session, label)
            if operators.end_sessions(session, row.id, self._now()):
                self._record(session, ChangeKind.OPERATOR_SIGNED_OUT, actor, row)

    def allow_team(self, team_id: str, actor: Actor) -> str:
        """Let everyone of a Slack team sign in as a viewer, and return the team's id. Raises Refused.

        Never as operators: Slack does not say whether a person is a guest.
        """
        team = team_id.strip().upper()
        if not _TEAM.match(team):
            raise Refused("A Slack team's id is written like T0123ABCD.", "team_id")
        with self._database.transaction() as session:
            if operators.allow_team(session, team, self._now()):
                self._record_team(session, ChangeKind.TEAM_ALLOWED, actor, team)
        return team

    def remove_team(self, team_id: str, actor: Actor) -> None:
        """Stop allowing a team. People who got in with it alone are signed out at once. Raises NotFound."""
        team = team_id.strip().upper()
        with self._database.transaction() as session:
            if not operators.remove_team(session, team):
                raise NotFound(kind="Allowed team", name=team_id)
            self._record_team(session, ChangeKind.TEAM_REMOVED, actor, team)

    def teams(self) -> tuple[AllowedTeam, ...]:
        """Return the teams whose people sign in as viewers, sorted by id."""
        with self._database.reading() as session:
            return tuple(AllowedTeam(one.team_id, one.created_at) for one in operators.teams(session))

    def check_link(self, token: str) -> Person | SignInProblem:
        """Return the person that a sign-in link is for. It can still be used: mail scanners open links."""
        with self._database.reading() as session:
            found = operators.find_sign_in(session, "link", operators.digest_of(token))
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
            found = operators.find_sign_in(session, "link", operators.digest_of(token))
            # Of two clicks at the same moment, the one whose UPDATE changed the row gets the session.
            if found is None or not operators.end_sign_in(session, found.id, at):
                return SignInProblem("used")
            row = operators.SignIn.of_token("session", person.operator_id, session_token, at, SESSION_LIFETIME)
            operators.add(session, row)
        return session_token

    def signed_in(self, session_token: str | None) -> Person | None:
        """Return the person of a session. None if the session is unknown, ended or expired, or practice mode has ended.

        Only a session that a practice app signed in ends with practice mode.
        """
        if not session_token:
            return None
        with self._database.rows() as rows:
            found = operators.signed_in(rows, operators.digest_of(session_token))
        if found is None or found.ended_at is not None or found.expires_at <= self._now():
            return None
        if found.is_practice and not self._practice_is_on():
            return None
        label = found.email or f"{found.slack_team_id}/{found.slack_user_id}"
        return Person(found.id, label, found.role, found.slack_name or "")

    def sign_out(self, session_token: str) -> None:
        with self._database.transaction() as session:
            found = operators.find_sign_in(session, "session", operators.digest_of(session_token))
            if found is not None:
                operators.end_sign_in(session, found.id, self._now())

    def _add(self, session: Session, row: operators.Operator, actor: Actor) -> None:
        operators.add(session, row)
        self._record(session, ChangeKind.OPERATOR_ADDED, actor, row)

    def _set_role(self, session: Session, row: operators.Operator, role: str | None, actor: Actor) -> None:
        if role is not None and role != row.role:
            row.role = role
            self._record(session, ChangeKind.OPERATOR_ROLE_CHANGED, actor, row)

    def _record(self, session: Session, kind: ChangeKind, actor: Actor, row: operators.Operator) -> None:
        detail = "" if kind in (ChangeKind.OPERATOR_REMOVED, ChangeKind.OPERATOR_SIGNED_OUT) else row.role
        changes.record(session, Change(kind, actor, self._now(), None, row.id, row.label, detail=detail))

    def _record_team(self, session: Session, kind: ChangeKind, actor: Actor, team_id: str) -> None:
        changes.record(session, Change(kind, actor, self._now(), None, team_id))


def _person(session: Session, label: str) -> operators.Operator:
    """Raises NotFound."""
    text = label.strip()
    row = operators.by_label(session, text.lower() if "@" in text else text.upper())
    if row is None:
        raise NotFound(kind="Operator", name=label)
    return row


def _summary(row: operators.Operator, last_sign_in_at: datetime | None, open_sessions: int) -> OperatorSummary:
    return OperatorSummary(
        id=row.id,
        label=row.label,
        role=row.role,
        slack_team_id=row.slack_team_id,
        slack_user_id=row.slack_user_id,
        slack_name=row.slack_name or "",
        is_team_viewer=row.is_team_viewer,
        last_sign_in_at=last_sign_in_at,
        open_sessions=open_sessions,
    )
