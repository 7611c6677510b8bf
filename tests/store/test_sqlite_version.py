"""A Python whose SQLite is too old is refused with one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import bare

#: The program, in a process whose SQLite says that it is older.
_OLDER = """
import sqlite3, sys
sqlite3.sqlite_version, sqlite3.sqlite_version_info = "3.34.1", (3, 34, 1)
sys.argv = ["onboarding", "setup"]
from onboarding.cli import program
program.main()
"""

pytestmark = pytest.mark.once


def test_old_sqlite_is_refused_before_a_file_is_created(tmp_path: Path) -> None:
    settings = {
        **bare(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/onboarding.db",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", _OLDER],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    needed = "3.42" if sys.version_info >= (3, 12) else "3.35"
    assert done.stderr.startswith(
        f"Error: Python 3.{sys.version_info.minor} needs SQLite {needed} or newer, and this one has 3.34.1."
    )
    assert (done.returncode, done.stderr.count("\n"), list(tmp_path.glob("onboarding.db*"))) == (1, 1, [])
