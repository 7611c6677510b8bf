"""The benchmark runs, and leaves nothing behind. No test checks a speed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: The larger database has connections of every status.
SMALL = ("--rows", "60,400", "--seconds", "0.1", "--rounds", "1", "--clients", "4", "--stores", "sqlite")

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_smallest_run_covers_every_goal_and_cleans_up(tmp_path: Path) -> None:
    written = tmp_path / "benchmark.md"
    text = _run(tmp_path, *SMALL, "--write", str(written))
    assert written.read_text() in text
    rows = _rows(text)
    assert {int(row[0]) for row in rows} == {1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20}
    assert sum("against the lean app" in row[1] for row in rows) == 4 + 5
    assert [row[1] for row in rows if "session" in row[1]] == [
        "poll a connect session, 4 clients",
        "create a connect session, 4 clients",
    ]
    _covers_installs([row for row in rows if "install" in row[1]])
    # Each response had the expected status; the report shows refused requests beside the speed.
    assert "refused" not in text.replace("refused or locked", "")
    assert [path.name for path in tmp_path.iterdir()] == [written.name]
    assert _processes_in(tmp_path) == []


def _covers_installs(rows: list[list[str]]) -> None:
    assert sorted(row[1] for row in rows) == [
        "CPU of an install, 4 clients, CA file",
        "CPU of an install, 4 clients, CA folder",
        "install against Bolt, 4 clients, CA file",
        "install against Bolt, 4 clients, CA folder",
        "start of an install against Bolt, 4 clients",
    ]
    # Only installs that are in the database count, so each figure proves that there are some.
    speeds = [float(cell.partition("/s")[0].replace(",", "")) for row in rows for cell in row if "/s" in cell]
    assert len(speeds) == 6
    assert all(speeds)


def _run(folder: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", *options],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(folder)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _rows(text: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| \d", line)]


def _processes_in(folder: Path) -> list[int]:
    """Return the processes whose environment names the folder, which all processes of the benchmark have."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environ = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in environ:
            found.append(int(path.parent.name))
    return found
