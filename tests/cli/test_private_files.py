"""Commands read and write only the files that they document, with private permissions."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Run, bare

# Starting a process for each command is slow.
pytestmark = [pytest.mark.slow, pytest.mark.once]

_PROGRAM = (sys.executable, "-m", "onboarding")
_FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose parent has an `.env`."""
    (tmp_path / ".env").write_text("PORT=wrong\nSECRET_KEY=short\nENCRYPTION_KEYS_FILE=/nowhere\nUNRELATED=1\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    return inside


def _setup(folder: Path, *program: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**bare(), "PYTHONPATH": str(ROOT), **more}
    command = [*program, "setup", "--json"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", [_PROGRAM, _FLASK], ids=["onboarding", "flask"])
def test_env_file_of_a_parent_folder_is_not_read(folder: Path, program: tuple[str, ...]) -> None:
    done = _setup(folder, *program)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"environment": "Development"}


def test_env_file_that_is_named_is_read(folder: Path) -> None:
    done = _setup(folder, *_FLASK, "--env-file", str(folder.parent / ".env"))
    assert (done.returncode, "ENCRYPTION_KEYS_FILE" in done.stderr) == (1, True)


def test_variables_of_the_environment_are_read(folder: Path) -> None:
    done = _setup(folder, *_FLASK, PORT="abc")
    assert done.stderr == "Error: PORT must be a number from 1 to 65535.\n"


def test_database_and_its_side_files_are_private_in_an_existing_folder(run: Run, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    database = shared / "connections.sqlite3"
    before = os.umask(0o022)
    try:
        assert run("setup", DATABASE_URL=f"sqlite:///{database}").returncode == 0
    finally:
        os.umask(before)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in shared.iterdir()}
    assert database.name in modes
    assert set(modes.values()) == {0o600}
