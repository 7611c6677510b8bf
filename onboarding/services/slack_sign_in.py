"""Sign in with Slack: a Slack app says who a person is, and the list of operators and teams lets the person in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from onboarding import changes, ids
from onboarding.callers import Actor, ActorKind
from onboarding.changes import Change, ChangeKind
from onboarding.clock import Clock
from onboarding.errors import Conflict, SlackBusy, SlackDown, SlackRefused, VaultProblem
from onboarding.lifetimes import SESSION_LIFETIME
from onboarding.services.tokens.sealing import Tokens
from onboarding.slack import faults
from onboarding.slack.signin import SignInInvalid, SlackOpenId, SlackPerson
from onboarding.store import allowed_teams, operators, sign_in_app, sign_ins
from onboarding.store.database import Database, Session
from onboarding.store.integrations import IntegrationRow

#: As long as Slack's code is valid.
STATE_LIFETIME = timedelta(minutes=10)


class RefusalReason(StrEnum):
    """Why a person was not signed in."""

    #: The state is unknown in this browser, too old, or was used before.
    STALE = "stale"
    CANCELLED = "cancelled"
    NOT_LISTED = "not-listed"
    #: No Slack app signs operators in, or practice mode has ended.
    NOT_OFFERED = "not-offered"
    SLACK_DOWN = "slack-down"
    #: Slack refused the request: the Slack app is set up in another way than the integration.
    SLACK_REFUSED = "slack-refused"
    #: Slack's answer does not prove who the person is.
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class BegunSignIn:
    """The values that the browser keeps from the start to the callback."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    #: Seconds since 1970.
    expires_at: int


@dataclass(frozen=True)
class SignInRefusal:
    reason: RefusalReason
    #: `team id/user id` of a person who is not listed.
    slack_user: str = ""
    #: Slack's error code, or what is wrong with its answer.
    cause: str = ""


@dataclass(frozen=True)
class SlackSession:
    """A new session: its token, for the cookie."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class SignInApps:
    """How to reach Slack as one of our Slack apps."""

    tokens: Tokens
    practice_is_on: Callable[[], bool]
    redirect_uri: str


class SlackSignIn:
    def __init__(self, database: Database, apps: SignInApps, openid: SlackOpenId, now: Clock) -> None:
        self._database, self._apps, self._openid, self._now = database, apps, openid, now

    def is_offered(self) -> bool:
        """Return whether operators can sign in with Slack now."""
        return self._app() is not None

    def start(self) -> tuple[str, BegunSignIn] | None:
        """Return the address of Slack's page, and what the browser keeps. None if no Slack app signs operators in."""
        app = self._app()
        if app is None:
            return None
        expires_at = int((self._now() + STATE_LIFETIME).timestamp())
        begun = BegunSignIn(ids.new_secret(), ids.new_secret(), expires_at)
        credentials = self._apps.tokens.without_secret(app)
        return self._openid.authorize_url(credentials, self._apps.redirect_uri, begun.state, begun.nonce), begun

    def finish(self, code: str, begun: BegunSignIn) -> SlackSession | SignInRefusal:
        """Use the state, once, exchange Slack's code, and open a session for a person who is listed.

        `begun`: the values that this browser kept for the state that Slack sent back.
        """
        at = self._now()
        if begun.expires_at <= at.timestamp():
            return SignInRefusal(RefusalReason.STALE)
        with self._database.transaction() as session:
            if not sign_ins.use_state(session, sign_ins.digest_of(begun.state), at):
                return SignInRefusal(RefusalReason.STALE)
        app = self._app()
        if app is None:
            return SignInRefusal(RefusalReason.NOT_OFFERED)
        try:
            credentials = self._apps.tokens.app_credentials(app)
            person = self._openid.identify(credentials, code, self._apps.redirect_uri, begun.nonce)
        except SignInInvalid as fault:
            return SignInRefusal(RefusalReason.UNPROVEN, cause=fault.code)
        except SlackRefused as refusal:
            is_slacks = faults.is_slack_itself(refusal.code)
            reason = RefusalReason.SLACK_DOWN if is_slacks else RefusalReason.SLACK_REFUSED
            return SignInRefusal(reason, cause=refusal.code)
        except VaultProblem:
            return SignInRefusal(RefusalReason.SLACK_REFUSED, cause="encryption_keys")
        except (SlackDown, SlackBusy):
            return SignInRefusal(RefusalReason.SLACK_DOWN)
        try:
            return self._admit(person, app.is_practice)
        except Conflict:
            # The same person signed in for the first time in another tab, a moment ago.
            return self._admit(person, app.is_practice)

    def _app(self) -> IntegrationRow | None:
        """Return the Slack app that signs operators in. A practice integration does so in practice mode only."""
        with self._database.rows() as rows:
            found = sign_in_app.of_sign_in(rows)
        return None if found is None or (found.is_practice and not self._apps.practice_is_on()) else found

    def _admit(self, person: SlackPerson, is_practice: bool) -> SlackSession | SignInRefusal:
        token, at = ids.new_secret(), self._now()
        with self._database.transaction() as session:
            row = operators.by_slack(session, person.team_id, person.user_id) or self._team_viewer(session, person)
            if row is None:
                return SignInRefusal(RefusalReason.NOT_LISTED, f"{person.team_id}/{person.user_id}")
            row.slack_name = person.name or row.slack_name
            sign_in = sign_ins.SignIn.of_token("session", row.id, token, at, SESSION_LIFETIME)
            sign_in.is_practice = is_practice
            sign_ins.add(session, sign_in)
        return SlackSession(token)

    def _team_viewer(self, session: Session, person: SlackPerson) -> operators.Operator | None:
        """Add a person whose whole team is allowed, as a viewer. None for another team."""
        if not allowed_teams.is_team_allowed(session, person.team_id):
            return None
        row = operators.Operator(
            id=ids.new_id("opr"),
            slack_team_id=person.team_id,
            slack_user_id=person.user_id,
            is_team_viewer=True,
            role="viewer",
            created_at=self._now(),
        )
        operators.add(session, row)
        actor = Actor(ActorKind.OPERATOR, row.label)
        change = Change(
            ChangeKind.OPERATOR_ADDED, actor, self._now(), None, row.id, row.label, detail="viewer, with the whole team"
        )
        changes.record(session, change)
        return row
