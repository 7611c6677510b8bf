"""The practice Slack's state: everything that it knows, behind one lock, saved after each change.

`app.extensions["practice_state"]` is one. The verbs of the first part are for tests and for the control address.
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
from onboarding.practice.registration import Apps, PracticeApp
from onboarding.practice.scenarios import BY_NAME, Scenario
from onboarding.practice.state_file import StateFile
from onboarding.practice.workspaces import WORKSPACES, Workspace

KEPT_CALLS = 1_000

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")


@dataclass(frozen=True)
class Call:
    """One Web API call: never a token, a code or a secret. `at`: seconds since 1970. `error` is None when `ok`."""

    method: str
    at: float
    status: int
    ok: bool
    error: str | None


class PracticeSlack:
    """Safe to use from several threads. Nothing waits for the network, or for a fault's delay, while it is locked."""

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

        `apps` finds an app's registration by client id; it is called each time. Without `state_file` the state ends with
        the process; without `events_url` no uninstall is reported. Raises StateFileUnreadable for a file of another
        format.
        """
        self._apps = apps
        self.workspaces = {workspace.id: workspace for workspace in workspaces}
        self.faults = Faults()
        self.events = Events(events_url, now)
        #: An origin that the consent page moves to first, as slack.com moves to the workspace's own name.
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

    def now(self) -> float:
        return self._clock() + self._ahead_seconds

    def app(self, client_id: str) -> PracticeApp | None:
        """Look the app up each time; what cannot be a client id does not reach the look-up, which may be a database."""
        return self._apps(client_id) if _CLIENT_ID.fullmatch(client_id) else None

    # What tests and hosts' CI say to it.

    def fails(self, method: str, fault: str, *, times: int = 1, retry_after: int = 5, after: bool = False) -> None:
        """The next `times` calls of `method` answer `fault`: one of faults.SPECIAL_FAULTS, or a Slack error code."""
        order = Fault(fault, times=times, retry_after=retry_after, moment="after" if after else "before")
        self.faults.order(method, order)

    def answers_slowly(self, method: str, seconds: float, *, times: int = 1) -> None:
        self.faults.order(method, Fault("hang", times=times, seconds=seconds))

    def drops_connection(self, method: str, *, times: int = 1, after: bool = False) -> None:
        """`after`: the work is done, and only its answer is lost."""
        self.fails(method, "reset", times=times, after=after)

    def next_consent(self, scenario: str) -> None:
        """The next consent goes this way, whatever the person picks in the menu. KeyError: no such scenario."""
        with self._lock:
            self._next_consents.append(BY_NAME[scenario].name)

    def moves_clock(self, seconds: float) -> None:
        """Lets this Slack's time pass, so that codes and tokens expire without anybody waiting."""
        with self._lock:
            self._ahead_seconds += seconds

    # What Slack's admins do.

    def approves(self, client_id: str, workspace: str) -> None:
        """From now on the app can be installed in a workspace that asks for approval. KeyError: no such workspace."""
        approval = f"{client_id} {self.workspaces[workspace].id}"
        with self.changing() as ledger:
            if approval not in ledger.approved:
                ledger.approved.append(approval)

    def is_approved(self, client_id: str, workspace: str) -> bool:
        with self._lock:
            return f"{client_id} {workspace}" in self._ledger.approved

    def removes_app(self, client_id: str, workspace: str) -> bool:
        """Ends the installation and its tokens, and tells the app. False: it is not installed there."""
        with self.changing() as ledger:
            installation = ledger.installation(client_id, workspace)
            if installation is None:
                return False
            ended = ledger.live_tokens(client_id, workspace, self.now())
            grants.uninstall(ledger, installation)
        self._tell(client_id, workspace, ["tokens_revoked", "app_uninstalled"], ended)
        return True

    def revokes(self, token: str) -> None:
        """What `auth.revoke` does. Refused: the token does not work any more, or never did."""
        with self.changing() as ledger:
            found = grants.find_token(ledger, token, self.now())
            events = grants.revoke(ledger, found, self.now())
        self._tell(found.client_id, found.place, events, [found])

    def adds_to_workspace(self, client_id: str, workspace: str) -> bool:
        """An organisation's admin adds the app to one of its workspaces. False: the organisation does not have the app."""
        org = self.workspaces[workspace].enterprise_id or ""
        with self.changing() as ledger:
            installation = ledger.installation(client_id, org)
            if installation and workspace not in installation.teams:
                installation.teams.append(workspace)
        return installation is not None

    def invites_bot(self, client_id: str, workspace: str, channel: str) -> bool:
        """Somebody types `/invite`. `channel`: a name. False: no such channel, or the app is not installed."""
        place = self.workspaces[workspace]
        channel_id = next((known.id for known in place.channels if known.name == channel), None)
        with self.changing() as ledger:
            installation = ledger.installation(client_id, workspace)
            if installation is None and place.enterprise_id:
                installation = ledger.installation(client_id, place.enterprise_id)
            if installation and channel_id and channel_id not in installation.channels:
                installation.channels.append(channel_id)
        return installation is not None and channel_id is not None

    def installations(self) -> list[Installation]:
        with self._lock:
            return [replace(installation) for installation in self._ledger.installations.values()]

    # What was called, and a fresh start.

    def calls(self, method: str | None = None) -> list[Call]:
        """The newest KEPT_CALLS calls, oldest first."""
        with self._lock:
            return [call for call in self._calls if method in (None, call.method)]

    def reset(self) -> None:
        """Forgets installations, tokens, codes, orders and the log, and lets go of whoever hangs."""
        with self._lock:
            self._calls.clear()
            self._resets += 1
            self._next_consents.clear()
            self._ahead_seconds = 0.0
        self.events.reset()
        self.forwards_to = None
        with self.changing():
            self._ledger = Ledger()
        self.faults.clear()  # Last: who hung finds everything forgotten.

    # What the rest of the practice Slack needs.

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        with self._lock:
            yield self._ledger

    @contextmanager
    def changing(self) -> Iterator[Ledger]:
        """The ledger, locked; saved when the block is left, also by an exception: what was done is done."""
        try:
            with self._lock:
                try:
                    yield self._ledger
                finally:
                    # Counted when it is done: a snapshot that has the number then has the change, too.
                    self._changes += 1
                    change = self._changes
                    self._ledger.tidy(self.now())
        finally:
            if self._file:
                self._file.save(change, self._snapshot)

    def begin_call(self) -> int:
        """What `note_call` wants: how often the state was reset before the call came."""
        with self._lock:
            return self._resets

    def note_call(self, begun: int, method: str, status: int, error: str | None) -> None:
        """A call that came before the last reset stands in no log: it would be taken for one that came after."""
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

    def _tell(self, client_id: str, place: str, names: list[str], ended: list[Token]) -> None:
        app = self.app(client_id)
        if app is None or not names:
            return
        tokens = {
            "oauth": sorted({token.user_id for token in ended if token.kind == "user"}),
            "bot": sorted({token.user_id for token in ended if token.kind == "bot"}),
        }
        events = [{"type": name, "tokens": tokens} if name == "tokens_revoked" else {"type": name} for name in names]
        workspace = self.workspaces[place]
        team_id = None if workspace.is_org else place
        self.events.tell(app, {"team_id": team_id, "enterprise_id": workspace.enterprise_id}, events)
