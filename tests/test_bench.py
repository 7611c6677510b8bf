"""The benchmark runs, and leaves nothing behind. How fast anything is, is no test's business."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMALL = ("--rows", "60,200", "--seconds", "0.1", "--rounds", "1", "--clients", "1,4", "--stores", "sqlite")

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_smallest_benchmark_answers_every_goal_and_cleans_up(tmp_path: Path) -> None:
    written = tmp_path / "benchmark.md"
    text = _run(tmp_path, *SMALL, "--only", "api", "--write", str(written))
    assert written.read_text() in text
    assert {int(row[0]) for row in _rows(text)} == {8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19}
    assert sum("against the lean app" in row[1] for row in _rows(text)) == 4 + 5
    # Each request was answered as it must be: what is refused stands beside the speed.
    assert "refused" not in text.replace("refused or locked", "")
    assert [path.name for path in tmp_path.iterdir()] == [written.name]
    assert _processes_in(tmp_path) == []


def test_smallest_benchmark_of_installs(tmp_path: Path) -> None:
    rows = _rows(_run(tmp_path, *SMALL, "--only", "install"))
    assert sorted(row[1] for row in rows) == [
        "CPU of an install, 4 clients, CA file",
        "CPU of an install, 4 clients, CA folder",
        "install against Bolt, 4 clients, CA file",
        "install against Bolt, 4 clients, CA folder",
        "start of an install against Bolt, 4 clients",
    ]
    # Only installs that are in the database count, so each figure says that some are.
    speeds = [float(cell.partition("/s")[0].replace(",", "")) for row in rows for cell in row if "/s" in cell]
    assert len(speeds) == 6
    assert all(speeds)
    assert list(tmp_path.iterdir()) == []
    assert _processes_in(tmp_path) == []


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
    """Those whose environment names the folder: all that the benchmark started do."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environ = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in environ:
            found.append(int(path.parent.name))
    return found
