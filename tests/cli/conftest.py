"""A separate deployment for each test, and a shell in it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from onboarding import runtime, settings
from onboarding.store.database import Database
from tests.cli.shell import Run, bare, onboarding
from tests.conftest import KEY, SECRET
from tests.ports import free_port


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """Return the settings of a deployment in practice mode that is set up, with its own port."""
    return {
        **bare(),
        "INSTANCE": str(tmp_path / "instance"),
        "DATABASE_URL": database_url,
        "PORT": str(free_port()),
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEY,
    }


@pytest.fixture
def database(environment: dict[str, str]) -> Iterator[Database]:
    """Open the deployment's database beside the commands."""
    built = runtime.build(settings.from_environ(environment))
    yield built.database
    built.database.close()


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def command(*arguments: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return onboarding({**environment, **more}, *arguments, typed=typed)

    return command
