"""One product with a practice app and an API caller, for all tests of a module."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from onboarding.practice import admins
from tests.browser_client import BrowserClient, Site, client_of
from tests.conftest import Clock, copied, sites
from tests.hooks.sender import Sender
from tests.practice.walk import DESIGN, GROUP
from tests.programs import Program

_CSRF_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Scene:
    site: Site
    program: Program
    slack: Sender
    clock: Clock


@pytest.fixture(scope="module")
def scene(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, clock = tmp_path_factory.mktemp("events"), Clock()
    with copied(empty_database, folder) as url, sites(url, folder, clock) as start:
        site = start(api_rate_limit=100_000)
        program = Program(site, site.api_key("program"))
        with client_of(site) as client:
            yield Scene(site, program, Sender(site, clock, client=client), clock)
        program.client.close()


@dataclass(frozen=True)
class Organization:
    """An app that is installed for a whole organization, and a program's connection to one of its workspaces."""

    scene: Scene
    slack: Sender
    connection: str

    def adds(self) -> None:
        assert admins.add_to_workspace(self.scene.site.slack, self.slack.client_id, DESIGN)

    def removes(self) -> None:
        assert admins.remove_from_workspace(self.scene.site.slack, self.slack.client_id, DESIGN)

    def event(self, kind: str, team: str = DESIGN) -> dict[str, Any]:
        return {**self.slack.event(kind, None, team_ids=[team]), "enterprise_id": GROUP}

    def hears(self, *kinds: str, team: str = DESIGN) -> None:
        self.slack.delivers(*(self.event(kind, team) for kind in kinds))

    def shown(self) -> dict[str, Any]:
        address = f"/v1/channel-connections/{self.connection}"
        found: dict[str, Any] = self.scene.program.asks("GET", address).json()
        return found

    @property
    def status(self) -> str:
        return str(self.shown()["status"])


@pytest.fixture
def organization(scene: Scene) -> Iterator[Organization]:
    name = f"slack-org-{len(scene.site.runtime.integrations.all_of(scene.site.runtime.environments.first().id))}"
    scene.site.add_practice_app(name, "Org")
    slack = Sender(scene.site, scene.clock, name)
    with BrowserClient(scene.site) as person:
        person.connects(scene.site.link(name, mode="subscriber", subscriber_id="whole-org"), workspace=GROUP)
    (whole,) = scene.program.asks("GET", f"/v1/channel-connections?integrationIdentifier={name}").json()["data"]
    assert admins.add_to_workspace(scene.site.slack, slack.client_id, DESIGN)
    created = scene.program.creates(
        integrationIdentifier=name,
        subscriberId="design",
        workspace={"id": DESIGN, "name": "Meridian Design"},
        auth={"accessToken": whole["auth"]["accessToken"]},
    )
    assert created.status_code == 201, created.text
    yield Organization(scene, slack, created.json()["identifier"])
    scene.site.slack.removes_app(slack.client_id, GROUP)


def installs(person: httpx.Client, link: str, workspace: str) -> None:
    """Connect a workspace without a look at the pages, for tests that do so often. `person` follows no redirect."""
    found = _CSRF_TOKEN.search(person.get(link).text)
    assert found, "the link's page has a form"
    consent = person.post(link, data={"csrf_token": found.group(1)}).headers["Location"]
    callback = person.post(consent, data={"workspace": workspace, "action": "allow"}).headers["Location"]
    assert person.get(callback).status_code in (302, 303)
