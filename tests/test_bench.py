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
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", *SMALL, "--write", str(written)],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert written.read_text() in done.stdout
    rows = [line.split(" | ") for line in written.read_text().splitlines() if re.match(r"\| \d", line)]
    assert {int(goal.strip("| ")) for goal, *_ in rows} == {8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19}
    assert sum("against the lean app" in what for _, what, *_ in rows) == 4 + 5
    # Each request was answered as it must be: what is refused stands beside the speed.
    assert "refused" not in written.read_text().replace("refused or locked", "")
    assert [path.name for path in tmp_path.iterdir()] == [written.name]
    assert _processes_in(tmp_path) == []


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
