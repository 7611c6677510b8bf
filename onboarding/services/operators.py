"""The list of operators and of the Slack teams whose people are viewers. Nobody has a password."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from onboarding import changes, ids
from onboarding.callers import Actor
from onboarding.changes import Change, ChangeKind
from onboarding.characters import has_blanks, has_invisible
from onboarding.clock import Clock
from onboarding.errors import NotFound, Refused
from onboarding.settings import Settings
from onboarding.store import allowed_teams, operators, sign_ins
from onboarding.store.database import Database, Session

LINK_LIFETIME = timedelta(minutes=15)
_TEAM = re.compile(r"T[A-Z0-9]{2,30}\Z")
_SLACK_USER = re.compile(r"(T[A-Z0-9]{2,30})/([UW][A-Z0-9]{2,30})\Z")


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
    #: Whether the person may sign in only because the whole team is allowed.
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


class Operators:
    def __init__(self, database: Database, settings: Settings, now: Clock) -> None:
        self._database, self._origin, self._now = database, settings.origin, now

    def invite(self, email: str, actor: Actor, role: str | None = None) -> SignInLink:
        """Create a one-time sign-in link, and the operator if the address is new. Raises Refused for an invalid one.

        `role`: `operator` or `viewer`. None keeps the role; a new operator gets `operator`.
        """
        address = email.strip().lower()
        if not 3 <= len(address) <= 320 or "@" not in address[1:-1] or has_blanks(address) or has_invisible(address):
            raise Refused(f"{email!r} is not an email address.", "email")
        token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            row = operators.by_label(session, address)
            if row is None:
                row = operators.Operator(id=ids.new_id("opr"), email=address, role=role or "operator", created_at=at)
                self._add(session, row, actor)
            else:
                self._set_role(session, row, role, actor)
            sign_ins.add(session, sign_ins.SignIn.of_token("link", row.id, token, at, LINK_LIFETIME))
            self._record(session, ChangeKind.OPERATOR_INVITED, actor, row)
        return SignInLink(f"{self._origin}/sign-in/{token}", at + LINK_LIFETIME)

    def add_slack_user(self, slack_user: str, actor: Actor, role: str | None = None) -> str:
        """Let a person sign in with Slack, and return their label. Raises Refused for anything but `team id/user id`.

        `role` as for `invite`. A person who could sign in only with their team is listed from now on.
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
        """Change a person's role. Raises NotFound, and Refused for a person who signs in with their team."""
        with self._database.transaction() as session:
            row = _person(session, label)
            if row.is_team_viewer:
                raise Refused(
                    "This person is a viewer because the whole Slack team is allowed. To give them another role, add them by their ids.",
                    "role",
                )
            self._set_role(session, row, role, actor)

    def list_all(self) -> tuple[OperatorSummary, ...]:
        """Return everyone who may sign in, by email address. From an allowed team: only those who have signed in."""
        with self._database.reading() as session:
            times = sign_ins.session_times(session, self._now())
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
            if sign_ins.end_sessions(session, row.id, self._now()):
                self._record(session, ChangeKind.OPERATOR_SIGNED_OUT, actor, row)

    def allow_team(self, team_id: str, actor: Actor) -> str:
        """Let everyone of a Slack team sign in as a viewer, and return the team's id. Raises Refused.

        Never as operators: Slack does not say whether a person is a guest.
        """
        team = team_id.strip().upper()
        if not _TEAM.match(team):
            raise Refused("A Slack team's id is written like T0123ABCD.", "team_id")
        with self._database.transaction() as session:
            if allowed_teams.allow_team(session, team, self._now()):
                self._record_team(session, ChangeKind.TEAM_ALLOWED, actor, team)
        return team

    def remove_team(self, team_id: str, actor: Actor) -> None:
        """Stop allowing a team. People who had access only through it are signed out at once. Raises NotFound."""
        team = team_id.strip().upper()
        with self._database.transaction() as session:
            if not allowed_teams.remove_team(session, team):
                raise NotFound(kind="Allowed team", name=team_id)
            self._record_team(session, ChangeKind.TEAM_REMOVED, actor, team)

    def teams(self) -> tuple[AllowedTeam, ...]:
        """Return the teams whose people sign in as viewers, sorted by id."""
        with self._database.reading() as session:
            return tuple(AllowedTeam(one.team_id, one.created_at) for one in allowed_teams.teams(session))

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
    """Return the operator with this label, in upper or lower case. Raises NotFound."""
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
