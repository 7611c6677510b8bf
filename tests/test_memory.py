"""Files of the tests in memory: only with room, and nothing is left there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import memory

pytestmark = pytest.mark.once


def test_a_folder_that_is_missing_or_has_no_room_is_not_used(tmp_path: Path) -> None:
    assert not memory.has_room(tmp_path / "missing")
    assert not memory.has_room(Path("/proc"))


def test_files_of_a_killed_run_are_removed_and_those_of_another_run_are_kept(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process_id in (ended.pid, os.getpid()):
        Path(tmp_path, f"onboarding-tests-{process_id}-abc", "files").mkdir(parents=True)
    memory.remove_abandoned(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == [f"onboarding-tests-{os.getpid()}-abc"]
