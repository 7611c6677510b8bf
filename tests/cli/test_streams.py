"""Standard input and output that are closed, full or in another encoding, and files that cannot be read."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Run, is_one_line

# Starting a process for each command is slow.
pytestmark = [pytest.mark.slow, pytest.mark.once]

_SECRET = ("integration", "add", "acme", "--client-id", "1.1", "--client-secret", "-")


def _shell(environment: dict[str, str], command: tuple[str, ...], script: str) -> subprocess.CompletedProcess[str]:
    """Run `onboarding …` where `script` has "$@", so that the shell connects its streams."""
    words = ["sh", "-c", script, "sh", sys.executable, "-m", "onboarding", *command]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    "command", [("keys", "generate"), ("integration", "list"), ("api-key", "create", "billing", "--json")], ids=" ".join
)
def test_output_that_cannot_be_written_is_one_line(environment: dict[str, str], command: tuple[str, ...]) -> None:
    result = _shell(environment, command, '"$@" > /dev/full')
    is_one_line(result, "Error: Standard output cannot be written: No space left on device.")
    assert result.returncode == 1


def test_connection_that_cannot_be_printed_is_one_line(environment: dict[str, str], run: Run) -> None:
    run("demo-data", "1")
    name = run("connection", "list").stdout.split()[0]
    is_one_line(_shell(environment, ("connection", "show", name), '"$@" > /dev/full'), "No space left on device.")


def test_reader_that_ends_first_gets_no_error(environment: dict[str, str], run: Run) -> None:
    run("demo-data", "25")
    result = _shell(environment, ("connection", "list"), '"$@" | head -n 1')
    assert (len(result.stdout.splitlines()), result.stderr) == (1, "")
    assert _shell(environment, ("connection", "list"), '"$@" | true').stderr == ""


def test_name_that_the_terminal_has_no_characters_for_is_escaped(environment: dict[str, str], run: Run) -> None:
    assert run("integration", "add", "acme", "--practice", "--name", "Tokyo \u6771").returncode == 0
    listed = _shell({**environment, "PYTHONIOENCODING": "latin-1"}, ("integration", "list"), '"$@"')
    assert "acme  Tokyo \\u6771" in listed.stdout, listed.stderr


@pytest.mark.parametrize("script", ['"$@" <&-', '"$@" < /dev/null', "printf 's\\377\\n' | \"$@\""])
def test_secret_that_no_one_can_type_is_one_line(environment: dict[str, str], script: str) -> None:
    strict = {**environment, "PYTHONIOENCODING": "utf-8:strict"}
    is_one_line(_shell(strict, _SECRET, script), "The client secret must be")


def test_question_without_standard_input_is_not_asked(environment: dict[str, str]) -> None:
    done = _shell(environment, ("practice", "clear"), '"$@" <&-')
    assert (done.returncode, done.stdout) == (0, "Practice integrations removed: 1.\n"), done.stderr


def test_logo_that_cannot_be_read_is_one_line(run: Run, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.png", tmp_path):
        is_one_line(run("integration", "set", "slack-practice", "--logo", str(path)), "The logo cannot be read:")


def test_empty_logo_file_does_not_remove_the_logo(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    is_one_line(run("integration", "set", "slack-practice", "--logo", str(path)), "The logo must be a PNG or JPEG")
