"""One deployment without practice mode: its database, a practice Slack of its own, a host's server, and one replica.

The replica runs in the test, with a clock that moves forward. The processes that a test kills use the same database.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from onboarding.callers import SHELL
from onboarding.practice import PracticeApp, PracticeSlack, create_practice
from onboarding.services.integrations.records import NewIntegration
from onboarding.services.webhooks.records import NewWebhookEndpoint
from tests.browser_client import Site
from tests.certificates import self_signed
from tests.cli.shell import ROOT, bare
from tests.conftest import KEY, SECRET, Clock
from tests.crashes import processes
from tests.crashes.gate import Gate
from tests.crashes.locks import PATIENT
from tests.ports import free_port
from tests.programs import Program
from tests.serving import served
from tests.webhooks.receiver import Receiver, receiving

ACME = "T0ACMEHQ01"
_numbers = count(1000)


@dataclass
class Scene:
    site: Site
    clock: Clock
    slack: PracticeSlack
    gate: Gate
    #: Of the host: it gets the webhooks of every connection, and Slack's events of integrations that forward them.
    receiver: Receiver
    program: Program
    #: Of processes.
    environment: dict[str, str]
    folder: Path
    apps: dict[str, PracticeApp] = field(default_factory=dict)

    @property
    def environment_id(self) -> str:
        return self.site.runtime.environments.first().id

    def add_app(self, identifier: str) -> PracticeApp:
        """Register a Slack app at the practice Slack, and add it as an integration."""
        number = next(_numbers)
        app = PracticeApp(f"{number}.{number}", (f"secret-{number}",), f"signing-{number}", identifier, ())
        new = NewIntegration(
            identifier, identifier, "Development", app.client_id, app.client_secrets[0], app.signing_secret
        )
        self.site.runtime.integrations.add(new, SHELL)
        app = PracticeApp(app.client_id, app.client_secrets, app.signing_secret, identifier, (self._callback,))
        self.apps[app.client_id] = app
        return app

    def scalar(self, query: str, **values: object) -> object:
        with self.site.runtime.database.reading() as session:
            return session.execute(text(query), values).scalar()

    def change(self, statement: str, **values: object) -> None:
        """Change the database by hand, mostly to set times back."""
        with self.site.runtime.database.transaction() as session:
            session.execute(text(statement), values)

    def log(self) -> Path:
        return self.folder / f"process-{next(_numbers)}.log"

    @property
    def _callback(self) -> str:
        return self.site.settings.redirect_uri


@pytest.fixture
def start_scene(
    start_site: Callable[..., Site], database_url: str, tmp_path: Path, clock: Clock
) -> Iterator[Callable[..., Scene]]:
    """Starts the scene with other settings of the replica.

    `with_events`: the practice Slack sends its events to `public_url`.
    """
    tls = self_signed(tmp_path)
    apps: dict[str, PracticeApp] = {}
    port = free_port()
    origin_of_site = f"http://127.0.0.1:{port}"
    slack = PracticeSlack(apps=apps.get, events_url=f"{origin_of_site}/slack/events")
    practice = create_practice(slack, ROOT / "templates", ROOT / "static")
    gate = Gate(practice.wsgi_app, slack)
    practice.wsgi_app = gate  # type: ignore[method-assign,assignment]  # Flask documents this way
    with served(practice) as origin, receiving(tls) as receiver, ExitStack() as stack:

        def start(*, with_events: bool = False, **settings: object) -> Scene:
            slack.events.is_paused = not with_events
            given = {"port": port, "public_url": origin_of_site, "api_rate_limit": 100_000, **settings}
            site = start_site(practice="off", slack_url=origin, webhook_allow_private="on", **given)
            environment = {
                **bare(),
                "DATABASE_URL": database_url if database_url.startswith("sqlite") else f"{database_url}?{PATIENT}",
                "INSTANCE": str(site.settings.instance),
                "PORT": str(site.settings.port),
                "PUBLIC_URL": site.settings.origin,
                "SECRET_KEY": SECRET,
                "ENCRYPTION_KEYS": KEY,
                "PRACTICE": "off",
                "API_RATE_LIMIT": "100000",
                "SLACK_URL": origin,
                "WEBHOOK_ALLOW_PRIVATE": "on",
                "SSL_CERT_FILE": str(tmp_path / "certificate.pem"),
            }
            program = Program(site, site.api_key("program"))
            stack.callback(program.client.close)
            scene = Scene(site, clock, slack, gate, receiver, program, environment, tmp_path, apps)
            site.runtime.webhooks.endpoints.create(scene.environment_id, NewWebhookEndpoint(receiver.url), SHELL)
            return scene

        yield start
        gate.drop_all()
        processes.kill_all()
        slack.events.reset()
        slack.events.wait_until_sent()


@pytest.fixture
def scene(start_scene: Callable[..., Scene]) -> Scene:
    return start_scene()
