"""A web process is killed with a request at every step at which it waits for a lock or for Slack.

Another web process, or the same one after its restart, finds each request in a state from which it can be completed; no
step takes effect twice.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime

import httpx
import pytest

from tests import plain_http
from tests.audit import entries
from tests.browser_client import BrowserClient, Page
from tests.crashes import processes
from tests.crashes.conftest import Scene
from tests.crashes.locks import held, wait_until_held
from tests.crashes.steps import EXCHANGE, FIXED, OFFERED, Step
from tests.pages.test_callback import callback_of, consent_of
from tests.waiting import until

pytestmark = pytest.mark.slow

CONNECTED = "connection.connected"


class Request(Step):
    """A request that waits at one point, and what becomes of it."""

    #: Slack's clock has moved past the time in which a spent refresh token is still accepted.
    is_late = False

    def send(self, web: str) -> None:
        """Send the request to the web process that is killed."""
        raise NotImplementedError

    def check(self) -> None:
        raise NotImplementedError

    def at(self, web: str, address: str) -> str:
        """Return the same address at another web process."""
        return f"{web}{address.removeprefix(self.scene.site.settings.origin)}"

    def is_connected_once(self) -> None:
        assert (self.verified(), self.count(CONNECTED)) == ("healthy", 1), self.name
        assert self.installed() == 1, self.name


class Callback(Request):
    """Slack's callback."""

    terms: Mapping[str, object] = FIXED

    def prepare(self) -> None:
        self.callback = callback_of(self.browser, consent_of(self.browser, self.link(**self.terms)))

    def send(self, web: str) -> None:
        self.browser.asks("GET", self.at(web, self.callback))

    def attempt_id(self) -> object:
        query = "SELECT id FROM attempts WHERE integration_id = :id"
        return self.scene.scalar(query, id=self.integration_id)

    def check(self) -> None:
        """The person starts again."""
        stopped = self.browser.opens(self.callback)
        assert stopped.outcome == "slack_down", self.name
        self.ends_connected(self.browser.allows(self.browser.presses(stopped, "try-again")))

    def ends_connected(self, page: Page) -> None:
        if self.terms is OFFERED:
            assert page.name == "setup", self.name
            page = self.browser.presses(page, "save", offered_context="team:a")
        assert page.outcome == "connected", self.name
        self.is_connected_once()


class BeforeTheExchange(Callback):
    """The code was not sent to Slack. PostgreSQL carries out the waiting statement although the process is dead."""

    is_locked = True

    def rows(self) -> tuple[str, object]:
        return "attempts", self.attempt_id()

    def check(self) -> None:
        if self.scene.site.runtime.database.is_sqlite:
            self.ends_connected(self.browser.opens(self.callback))
            return
        query = "SELECT stage FROM attempts WHERE id = :id"
        assert until(lambda: self.scene.scalar(query, id=self.attempt_id()) == "exchanging")
        super().check()


class InTheExchange(Callback):
    method = EXCHANGE


class AfterTheExchange(Callback):
    """Slack has installed the app, and its answer is lost."""

    method, after = EXCHANGE, True


class BeforeTheCommit(Callback):
    """Slack's answer has arrived."""

    method, is_locked = EXCHANGE, True


class BeforeTheGrantIsKept(Callback):
    """Slack's answer has arrived, and the person still has to choose."""

    method, is_locked, terms = EXCHANGE, True, OFFERED

    def rows(self) -> tuple[str, object]:
        return "attempts", self.attempt_id()


class SettingUp(Callback):
    """The person has chosen."""

    is_locked, terms = True, OFFERED

    def prepare(self) -> None:
        self.form = self.browser.connects(self.link(**self.terms))

    def send(self, web: str) -> None:
        address = self.at(web, self.form.url)
        self.browser.asks("POST", address, data={"csrf_token": self.form.csrf_token, "offered_context": "team:a"})

    def check(self) -> None:
        self.ends_connected(self.browser.opens(self.form.url))


class Unused(Callback):
    """The install was refused, and the web process is about to revoke what Slack has granted."""

    method, terms = "auth.revoke", OFFERED

    def prepare(self) -> None:
        link = self.link(**self.terms)
        self.callback = self.browser.connects(link).url
        self.scene.site.revoke_link(link)

    def check(self) -> None:
        list(self.scene.site.runtime.revocations.revoke_due())
        assert (self.installed(), self.identifiers()) == (0, []), self.name
        found = entries(self.scene.site.runtime.database)
        dropped = [one.result for one in found if (one.action, one.subject) == ("grant.dropped", self.attempt_id())]
        assert dropped == ["revoked"], self.name
        sealed = self.scene.scalar("SELECT waiting_grant FROM attempts WHERE id = :id", id=self.attempt_id())
        assert sealed is None, self.name
        assert self.browser.opens(self.callback).outcome == "link_revoked", self.name


class Refused(Unused):
    """The same, of an install that was refused when it was completed."""

    terms = FIXED

    def prepare(self) -> None:
        link = self.link()
        self.callback = callback_of(self.browser, consent_of(self.browser, link))
        answered = self.scene.gate.hold(self.app.client_id, EXCHANGE, after=True)

        def revoke_link() -> None:
            answered.arrived.wait(20)
            self.scene.site.revoke_link(link)
            answered.let_go()

        self.meanwhile = revoke_link

    def send(self, web: str) -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(self.meanwhile)
            super().send(web)


class Disconnect(Request):
    """The connection is removed, and the web process is about to revoke its access."""

    method, scenario = "auth.revoke", "normal"

    def prepare(self) -> None:
        self.removed = self.connect(self.scenario)

    def send(self, web: str) -> None:
        address = f"{web}/v1/channel-connections/{self.removed}?revoke=true"
        plain_http.delete(address, headers={"Authorization": f"ApiKey {self.scene.program.key}"}, timeout=60)

    def result(self) -> list[str | None]:
        found = entries(self.scene.site.runtime.database)
        return [one.result for one in found if (one.action, one.subject) == ("connection.disconnected", self.removed)]

    def check(self) -> None:
        list(self.scene.site.runtime.revocations.revoke_due())
        assert self.installed() == 0, self.name
        assert self.result() == ["already_gone" if self.after else "revoked"], self.name
        assert self.scene.scalar("SELECT count(*) FROM revocations") == 0


class DisconnectAfterSlack(Disconnect):
    after = True


class DisconnectOfARotatingToken(Disconnect):
    method, scenario = "apps.uninstall", "rotation"


class Refresh(Request):
    """A request that refreshes a token."""

    method = EXCHANGE

    def prepare(self) -> None:
        self.connect("rotation")
        self.before = self.pair()

    def send(self, web: str) -> None:
        address = f"{web}/v1/channel-connections/{self.identifier}/verify"
        plain_http.post(address, headers={"Authorization": f"ApiKey {self.scene.program.key}"}, timeout=60)

    def pair(self) -> dict[str, str]:
        (identifier,) = self.identifiers()
        return dict(self.scene.program.asks("GET", f"/v1/channel-connections/{identifier}").json()["auth"])

    def check(self) -> None:
        assert (self.verified(), self.pair() != self.before) == ("healthy", True), self.name
        spent = [one.refresh_token for one in self.scene.gate.refreshes if one.client_id == self.app.client_id]
        assert len(spent) == (2 if self.after or self.is_locked else 1), self.name
        assert len(set(spent)) == 1, "the pair that was lost is not used"
        assert self.installed() == 1, self.name


class RefreshBeforeSlack(Refresh):
    pass


class RefreshAfterSlack(Refresh):
    after = True


class RefreshBeforeItIsStored(Refresh):
    is_locked = True

    def rows(self) -> tuple[str, object]:
        return self.installation_row()


class RefreshTooLate(Refresh):
    after, is_late = True, True

    def check(self) -> None:
        assert self.verified() == "needs_reconnect"
        again = self.browser.connects(self.link(), scenario="rotation")
        assert (again.outcome, self.verified()) == ("reconnected", "healthy")


class ReceivedEvent(Request):
    """An event of Slack's that is being stored."""

    is_locked = True

    def prepare(self) -> None:
        self.connect()
        self.body = self.event("team_rename", name="Renamed")

    def send(self, web: str) -> None:
        self.arrives(web)

    def arrives(self, web: str) -> int:
        at = self.scene.clock().timestamp() if web == self.scene.site.settings.origin else datetime.now(UTC).timestamp()
        return self.deliver(self.body, web, at)

    def check(self) -> None:
        """Slack sends it again, as it does without an answer."""
        assert [self.arrives(self.scene.site.settings.origin) for _ in range(2)] == [200, 200]
        query = "SELECT count(*) FROM slack_events WHERE integration_id = :id"
        assert self.scene.scalar(query, id=self.integration_id) == 1
        event_row = self.scene.scalar("SELECT id FROM slack_events WHERE integration_id = :id", id=self.integration_id)
        for _ in range(2):
            self.scene.site.runtime.slack_events.handle(str(event_row))
        assert self.count("connection.renamed") == 1


STEPS: tuple[type[Request], ...] = (
    BeforeTheExchange,
    InTheExchange,
    AfterTheExchange,
    BeforeTheCommit,
    BeforeTheGrantIsKept,
    SettingUp,
    Unused,
    Refused,
    Disconnect,
    DisconnectAfterSlack,
    DisconnectOfARotatingToken,
    RefreshBeforeSlack,
    RefreshAfterSlack,
    RefreshBeforeItIsStored,
    ReceivedEvent,
    RefreshTooLate,
)


@pytest.fixture
def steps(scene: Scene) -> Iterator[list[Request]]:
    with ExitStack() as stack:
        yield [step(scene, stack.enter_context(BrowserClient(scene.site))) for step in STEPS]


def test_requests_of_a_killed_web_process_are_completed_by_another_one(scene: Scene, steps: list[Request]) -> None:
    web = processes.web(scene.environment, scene.log())
    assert processes.all_answer(web)
    locked = [step for step in steps if step.is_locked]
    rows: dict[str, list[str]] = {}
    with ThreadPoolExecutor(len(steps)) as threads:

        def send(step: Request) -> None:
            with suppress(httpx.TransportError):
                step.send(web.origin)

        for step in steps:
            if step.hold:
                threads.submit(send, step)
        assert until(lambda: all(step.hold.arrived.is_set() for step in steps if step.hold), 20), waiting(steps)
        for step in locked:
            table, row_id = step.rows()
            rows.setdefault(table, []).append(str(row_id))
        with held(scene.site, rows):
            for step in locked:
                if step.hold:
                    step.hold.let_go()
                else:
                    threads.submit(send, step)
            wait_until_held(scene.site, len(locked))
            web.kill()
        scene.gate.drop_all()
    assert [step.installed() for step in steps if isinstance(step, Unused)] == [1, 1]
    removed = [step for step in steps if isinstance(step, Disconnect)]
    assert [(step.identifiers(), step.result(), step.installed()) for step in removed] == [
        ([], ["pending"], 1),
        ([], ["pending"], 0),
        ([], ["pending"], 1),
    ]
    # The claims of the dead process expire.
    scene.clock.forward(seconds=61)
    for step in sorted(steps, key=lambda step: step.is_late):
        if step.is_late:
            scene.slack.moves_clock(61)
        step.check()


def waiting(steps: list[Request]) -> list[str]:
    return [step.name for step in steps if step.hold and not step.hold.arrived.is_set()]
