"""The practice Slack's state, guarded by one lock and saved after each change.

An app keeps it in `app.extensions["practice_state"]`. Tests, `/control/` and the page for admins call the methods below
*Commands* and *Actions*. The rest of the package calls the other methods.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

from onboarding.practice import grants
from onboarding.practice.events import Events
from onboarding.practice.faults import Fault, Faults
from onboarding.practice.ledger import Installation, Ledger, Token
from onboarding.practice.openid_codes import OpenIdCodes
from onboarding.practice.registration import Apps, PracticeApp
from onboarding.practice.scenarios import BY_NAME, Scenario
from onboarding.practice.state_file import StateFile
from onboarding.practice.workspaces import WORKSPACES, Workspace, changes_of, make_guest, with_changes

KEPT_CALLS = 1_000

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")
_TEAM_ID = re.compile(r"T[A-Z0-9]{2,20}")


@dataclass(frozen=True)
class Call:
    """An entry of the call log, without tokens, codes or secrets. `at`: seconds since 1970. `error` is None if `ok`."""

    method: str
    at: float
    status: int
    ok: bool
    error: str | None


class PracticeSlack:
    """The state, safe to use from several threads. No thread waits for network or delays while it holds the lock."""

    def __init__(
        self,
        *,
        apps: Apps,
        state_file: Path | None = None,
        events_url: str | None = None,
        workspaces: Sequence[Workspace] = WORKSPACES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Load the state.

        `apps` finds an app's registration by client id; each request calls it. Without `state_file` the state ends with
        the process; without `events_url` no uninstall is reported. Raises StateFileUnreadable for a file of another
        format.
        """
        self._apps = apps
        self._unchanged = {workspace.id: workspace for workspace in workspaces}
        self.workspaces = dict(self._unchanged)
        #: Finds the name of a workspace that an app has a connection to, by the app's client id and the workspace's id.
        self.guest_name: Callable[[str, str], str | None] = lambda _client_id, _team: None
        #: The `iss` of ID tokens. None: the address that the app calls.
        self.issuer: str | None = None
        self.openid_codes = OpenIdCodes()
        self.faults = Faults()
        self.events = Events(events_url, now)
        #: An origin that the consent page redirects to first, as slack.com redirects to the workspace's domain.
        self.forwards_to: str | None = None
        self._clock = now
        self._ahead_seconds = 0.0
        self._lock = RLock()
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._resets = 0
        self._next_consents: deque[str] = deque()
        self._changes = 0
        self._file = StateFile(state_file) if state_file else None
        self._ledger = (self._file and self._file.load(Ledger.load)) or Ledger()
        self.workspaces |= {team: make_guest(team, name) for team, name in self._ledger.guests.items()}
        for workspace_id, saved in self._ledger.workspaces.items():
            if workspace_id in self.workspaces:
                self.workspaces[workspace_id] = with_changes(self.workspaces[workspace_id], saved)

    def now(self) -> float:
        return self._clock() + self._ahead_seconds

    def set_token_lifetime(self, seconds: float) -> None:
        """Let new rotating tokens expire after this time."""
        with self._lock:
            self._ledger.token_seconds = seconds

    def app(self, client_id: str) -> PracticeApp | None:
        """Look up the app's registration. A malformed client id is rejected before a possible database query."""
        return self._apps(client_id) if _CLIENT_ID.fullmatch(client_id) else None

    def admit_guest(self, client_id: str, team: str | None) -> None:
        """Add the workspace that an app asks for, if it is unknown here and the app has a connection to it."""
        if team is None or team in self.workspaces or not _TEAM_ID.fullmatch(team):
            return
        name = self.guest_name(client_id, team)
        if name is not None:
            with self.changing() as ledger:
                ledger.guests[team] = name
                self.workspaces[team] = make_guest(team, name)

    def offered_workspaces(self, team: str | None = None) -> list[Workspace]:
        """Return the workspaces that the person belongs to. A guest is included if the app asks for it as `team`."""
        known = list(self.workspaces.values())
        return [one for one in known if one.id == team and one.is_guest] + [one for one in known if not one.is_guest]

    # Commands: how the practice Slack behaves from now on.

    def fails(self, method: str, fault: str, *, times: int = 1, retry_after: int = 5, after: bool = False) -> None:
        """Let the next `times` calls of `method` fail with `fault`: one of faults.SPECIAL_FAULTS or an error code."""
        wanted = Fault(fault, times=times, retry_after=retry_after, moment="after" if after else "before")
        self.faults.add(method, wanted)

    def answers_slowly(self, method: str, seconds: float, *, times: int = 1) -> None:
        self.faults.add(method, Fault("hang", times=times, seconds=seconds))

    def drops_connection(self, method: str, *, times: int = 1, after: bool = False) -> None:
        """Reset the connection of the next `times` calls. With `after`, the method does its work first."""
        self.fails(method, "reset", times=times, after=after)

    def next_consent(self, scenario: str) -> None:
        """Use `scenario` for the next consent, regardless of the menu. Raises KeyError for an unknown scenario."""
        with self._lock:
            self._next_consents.append(BY_NAME[scenario].name)

    def moves_clock(self, seconds: float) -> None:
        """Move the practice Slack's clock forward, so that codes and tokens expire without waiting."""
        with self._lock:
            self._ahead_seconds += seconds

    # Actions that people take in Slack.

    def approves(self, client_id: str, workspace: str) -> None:
        """Approve the app in a workspace that requires approval. Raises KeyError for an unknown workspace."""
        approval = f"{client_id} {self.workspaces[workspace].id}"
        with self.changing() as ledger:
            if approval not in ledger.approved:
                ledger.approved.append(approval)

    def is_approved(self, client_id: str, workspace: str) -> bool:
        with self._lock:
            return f"{client_id} {workspace}" in self._ledger.approved

    def removes_app(self, client_id: str, workspace: str) -> bool:
        """Uninstall the app and send its events. Return False if it is not installed in the workspace."""
        with self.changing() as ledger:
            installation = ledger.installation(client_id, workspace)
            if installation is None:
                return False
            ended = ledger.live_tokens(client_id, workspace, self.now())
            grants.uninstall(ledger, installation)
        self._send_events(client_id, workspace, ["tokens_revoked", "app_uninstalled"], ended)
        return True

    def revokes(self, token: str) -> None:
        """Revoke a token, as `auth.revoke` does. Raises Refused for a token that is not valid."""
        with self.changing() as ledger:
            found = grants.find_token(ledger, token, self.now())
            events = grants.revoke(ledger, found, self.now())
        self._send_events(found.client_id, found.workspace_id, events, [found])

    def invites_bot(self, client_id: str, workspace: str, channel: str) -> bool:
        """Invite the bot to the channel named `channel`. Return False if there is no such channel or installation."""
        found = self.workspaces[workspace]
        channel_id = next((known.id for known in found.channels if known.name == channel), None)
        with self.changing() as ledger:
            installation = ledger.installation(client_id, workspace)
            if installation is None and found.enterprise_id:
                installation = ledger.installation(client_id, found.enterprise_id)
            if installation and channel_id and channel_id not in installation.channels:
                installation.channels.append(channel_id)
        return installation is not None and channel_id is not None

    def change_workspace(self, changed: Workspace) -> None:
        """Replace a workspace, whose name or channels somebody has changed."""
        with self.changing() as ledger:
            ledger.workspaces[changed.id] = changes_of(changed)
            self.workspaces[changed.id] = changed

    def installations(self) -> list[Installation]:
        with self._lock:
            return [replace(installation) for installation in self._ledger.installations.values()]

    # The call log and the reset.

    def calls(self, method: str | None = None) -> list[Call]:
        """Return the newest KEPT_CALLS calls, oldest first."""
        with self._lock:
            return [call for call in self._calls if method in (None, call.method)]

    def reset(self) -> None:
        """Delete installations, tokens, codes, commands and the log, and release the calls that hang."""
        with self._lock:
            self._calls.clear()
            self._resets += 1
            self._next_consents.clear()
            self._ahead_seconds = 0.0
        self.events.reset()
        self.forwards_to = None
        self.openid_codes.clear()
        with self.changing():
            self._ledger = Ledger(token_seconds=self._ledger.token_seconds)
            self.workspaces = dict(self._unchanged)
        self.faults.clear()  # Last, so that the released calls find an empty state.

    # For the other modules of the practice Slack.

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        with self._lock:
            yield self._ledger

    @contextmanager
    def changing(self) -> Iterator[Ledger]:
        """Lock the ledger for the block and save it afterwards. An exception in the block undoes nothing."""
        try:
            with self._lock:
                try:
                    yield self._ledger
                finally:
                    # Counted after the change, so that a snapshot with this number contains the change.
                    self._changes += 1
                    change = self._changes
                    self._ledger.tidy(self.now())
        finally:
            if self._file:
                self._file.save(change, self._snapshot)

    def begin_call(self) -> int:
        """Return the number of resets so far, for `note_call`."""
        with self._lock:
            return self._resets

    def note_call(self, begun: int, method: str, status: int, error: str | None) -> None:
        """Add a call to the log, unless the state was reset after the call began."""
        with self._lock:
            if begun == self._resets:
                self._calls.append(Call(method, self.now(), status, error is None, error))

    def waiting_consent(self) -> Scenario | None:
        with self._lock:
            return BY_NAME[self._next_consents[0]] if self._next_consents else None

    def take_consent(self) -> Scenario | None:
        with self._lock:
            return BY_NAME[self._next_consents.popleft()] if self._next_consents else None

    def _snapshot(self) -> tuple[int, dict[str, Any]]:
        with self._lock:
            return self._changes, self._ledger.dump()

    def _send_events(self, client_id: str, workspace_id: str, names: list[str], ended: list[Token]) -> None:
        app = self.app(client_id)
        if app is None or not names:
            return
        tokens = {
            "oauth": sorted({token.user_id for token in ended if token.kind == "user"}),
            "bot": sorted({token.user_id for token in ended if token.kind == "bot"}),
        }
        events = [{"type": name, "tokens": tokens} if name == "tokens_revoked" else {"type": name} for name in names]
        workspace = self.workspaces[workspace_id]
        team_id = None if workspace.is_org else workspace_id
        self.events.send(app, {"team_id": team_id, "enterprise_id": workspace.enterprise_id}, events)
