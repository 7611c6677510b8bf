"""The documented example, sent with curl from a shell with the README's commands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser_client import Site
from tests.clients.bodies import REFERENCE, within
from tests.conftest import KEY, SECRET, Clock, copied, sites

# The commands of the README in a shell; other tests create connections in both databases.
pytestmark = [pytest.mark.slow, pytest.mark.once]

ROOT = Path(__file__).parents[2]
FLASK = shutil.which("flask", path=str(Path(sys.executable).parent)) or "flask"

#: Members of the response that the reference page shows.
MEMBERS = {
    "identifier", "channel", "providerId", "integrationIdentifier", "subscriberId", "contextKeys", "workspace", "auth",
    "createdAt", "updatedAt",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("reference")
    with copied(empty_database, folder) as url, sites(url, folder, Clock()) as start:
        yield start()


@pytest.fixture(scope="module")
def shell(site: Site) -> dict[str, str]:
    """Return the environment of an operator's shell beside the running server."""
    return {
        "PATH": os.environ["PATH"],
        "PORT": str(site.settings.port),
        "DATABASE_URL": site.settings.database_url.get_secret_value(),
        "INSTANCE": str(site.settings.instance),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
        "NO_PROXY": "*",
    }


@pytest.fixture(scope="module")
def key(shell: dict[str, str]) -> str:
    _run([FLASK, "--app", "app", "integration", "add", "slack-prod", "--practice"], shell)
    return _run([FLASK, "--app", "app", "api-key", "create", "the documented example"], shell).strip()


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, {"subscriberId": None, "contextKeys": ["key:org-acme"], "connectionMode": "shared"}),
        (
            {
                "identifier": "slack-prod-user123-abc5",
                "context": {"tenant": "org-123", "region": "us-east-1"},
                "connectionMode": "subscriber",
            },
            {"subscriberId": "subscriber-123", "contextKeys": ["tenant:org-123", "region:us-east-1"]},
        ),
    ],
    ids=["as it is sent", "as it is answered"],
)
def test_documented_example_is_answered_as_documented(
    site: Site, shell: dict[str, str], key: str, changed: dict[str, Any], answer: dict[str, Any]
) -> None:
    sent = {**REFERENCE, **changed}
    output = _run(
        [
            "curl", "--silent", "--write-out", "\n%{http_code}", f"{site.settings.origin}/v1/channel-connections",
            "--header", f"Authorization: ApiKey {key}",
            "--header", "Content-Type: application/json",
            "--header", f"idempotency-key: {sent['identifier']}",
            "--data", json.dumps(sent),
        ],
        shell,
    )  # fmt: skip
    body, _, status = output.rpartition("\n")
    found = json.loads(body)
    assert status == "201"
    assert set(found) >= MEMBERS
    expected = {name: sent[name] for name in ("identifier", "integrationIdentifier", "workspace", "auth")}
    assert within(found, {**expected, "channel": "chat", "providerId": "slack", **answer})


def _run(command: list[str], environment: dict[str, str]) -> str:
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
