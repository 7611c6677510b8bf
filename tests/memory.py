"""pytest plugin: the tests' files are in memory, where the machine has room for them.

Each test has a database of its own, which lives for a second: a disk would only cost time. TMPDIR names another folder,
where pytest keeps the files of failed tests.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  # a private folder is created in it
_ROOM_BYTES = 3_000_000_000
_PREFIX = "onboarding-tests-"


def pytest_load_initial_conftests() -> None:
    """Choose the folder before anything asks for it. Workers of xdist and other processes inherit it."""
    if "TMPDIR" in os.environ or not has_room(MEMORY):
        return
    remove_abandoned(MEMORY)
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY)
    # PostgreSQL does not run as root, and its files are below.
    Path(folder).chmod(0o711)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    # Not earlier: at exit, other modules still end programs that use the folder.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def has_room(folder: Path) -> bool:
    """Return whether the folder has enough room, and may hold programs: a container can forbid that."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC


def remove_abandoned(memory: Path) -> None:
    """Remove the folders of killed test runs: they would occupy memory until the next start of the machine."""
    for folder in memory.glob(f"{_PREFIX}*"):
        process_id = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", process_id).exists():
            shutil.rmtree(folder, ignore_errors=True)
