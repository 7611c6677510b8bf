"""`keys rotate` is killed in its middle. Run again, it continues, and afterwards the older key is not needed."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from onboarding.kept_keys import generate_key
from tests.browser_client import BrowserClient, Site
from tests.conftest import KEY
from tests.crashes import processes
from tests.crashes.conftest import Scene
from tests.crashes.locks import held, wait_until_held
from tests.programs import Program
from tests.waiting import until

pytestmark = pytest.mark.slow


def test_killed_rotation_is_continued_by_the_next_one(scene: Scene, start_site: Callable[..., Site]) -> None:
    scene.add_app("rotated")
    with BrowserClient(scene.site) as browser:
        assert browser.connects(scene.site.link("rotated"), scenario="rotation").outcome == "connected"
    before = tokens(scene.program)
    new = generate_key()
    environment = {**scene.environment, "ENCRYPTION_KEYS": f"{new},{KEY}"}
    with held(scene.site, {"installations": [str(scene.scalar("SELECT id FROM installations"))]}):
        first = processes.command(environment, scene.log(), "keys", "rotate")
        assert until(lambda: first.log.exists() and "Encrypting again" in first.log.read_text(), 20)
        wait_until_held(scene.site, 1)
        assert first.wait(0) is None
        first.kill()
    assert tokens(scene.program) == before
    second = processes.command(environment, scene.log(), "keys", "rotate")
    assert (second.wait(30), "You can remove the older keys" in second.log.read_text()) == (0, True)
    alone = start_site(practice="off", slack_url=scene.environment["SLACK_URL"], encryption_keys=SecretStr(new))
    reader = Program(alone, scene.program.key)
    assert tokens(reader) == before
    reader.client.close()


def tokens(program: Program) -> list[dict[str, str]]:
    return [one["auth"] for one in program.asks("GET", "/v1/channel-connections").json()["data"]]
