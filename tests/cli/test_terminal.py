"""Commands on a terminal: hidden prompts, questions, and output that no terminal acts on."""

import json
import os
import pty
import select
import subprocess
import sys

import pytest

from onboarding.cli.connections import EXIT_NOT_HEALTHY
from tests.api.conftest import Program
from tests.api.test_unreadable_secrets import damage
from tests.browser_client import Site
from tests.cli.shell import ROOT, Run, is_one_line
from tests.conftest import KEY, SECRET

# Starting a process for each command is slow.
pytestmark = pytest.mark.slow


#: How long a command may be silent before a test fails.
_SILENT_SECONDS = 30


class Terminal:
    """A command that runs on a pseudo-terminal."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "onboarding", *arguments],
            cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        while text not in self.shown:
            self.shown += self._read()

    def types(self, text: str) -> None:
        os.write(self._ours, f"{text}\n".encode())

    def end(self) -> int:
        try:
            while read := self._read():
                self.shown += read
        except OSError:
            # Linux reports the end of the other side as an error.
            pass
        os.close(self._ours)
        return self._process.wait(60)

    def _read(self) -> str:
        if not select.select([self._ours], [], [], _SILENT_SECONDS)[0]:
            self._process.kill()
            raise AssertionError(f"The command waits after it has shown {self.shown!r}.")
        return os.read(self._ours, 4096).decode()


@pytest.mark.once
def test_secrets_are_asked_for_and_not_shown(environment: dict[str, str]) -> None:
    asked = ("--client-id", "1.1", "--client-secret", "-", "--signing-secret", "-")
    terminal = Terminal(environment, "integration", "add", "acme", *asked)
    terminal.wait_for("Client secret:")
    terminal.types("typed-one")
    terminal.wait_for("Signing secret:")
    terminal.types("typed-two")
    assert terminal.end() == 0, terminal.shown
    assert "Stored acme." in terminal.shown
    assert "typed" not in terminal.shown
    again = Terminal(environment, "integration", "set", "acme", "--client-secret", "-")
    again.wait_for("Client secret:")
    again.types("typed three")
    assert again.end() == 1
    assert "The client secret must be" in again.shown
    assert "typed" not in again.shown


@pytest.mark.once
def test_practice_clear_asks_on_a_terminal(environment: dict[str, str], run: Run) -> None:
    terminal = Terminal(environment, "practice", "clear")
    terminal.wait_for("[y/N]:")
    terminal.types("n")
    assert terminal.end() == 1
    assert "slack-practice" in run("integration", "list").stdout
    without_question = Terminal(environment, "practice", "clear", "--yes")
    assert without_question.end() == 0
    assert "Practice integrations removed: 1." in without_question.shown
    assert run("integration", "list").stdout == "No integrations yet.\n"


def test_control_characters_are_shown_escaped(site: Site, run: Run) -> None:
    same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
    hostile, shown = (
        "Acme\x1b]0;owned\x07\x1b[2J\n\x9b31m\u202efdp",
        "Acme\\x1b]0;owned\\x07\\x1b[2J\\n\\x9b31m\\u202efdp",
    )
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("program", "Development"))
    program.creates(workspace={"id": "T0ACME0001", "name": hostile}).json()
    program.client.close()
    listed = run("connection", "list", **same).stdout
    assert shown in listed
    assert len(listed.splitlines()) == 1
    refused = run("connection", "show", "\x1b[2J", **same)
    is_one_line(refused, "Connection not found: \\x1b[2J.")
    for output in (listed, refused.stderr, run("connection", "list", "--json", **same).stdout):
        assert not set("\x1b\x07\x9b\u202e") & set(output)


def test_verify_of_a_broken_connection_has_an_exit_code_of_its_own(site: Site, run: Run) -> None:
    same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("program", "Development"))
    name = program.creates().json()["identifier"]
    program.client.close()
    for options in ((), ("--json",)):
        verified = run("connection", "verify", name, *options, **same)
        assert (verified.returncode, verified.stderr) == (EXIT_NOT_HEALTHY, "")
        assert "needs_reconnect" in verified.stdout
    assert run("connection", "verify", "nobody", **same).returncode == 1


def test_log_lines_of_a_command_stay_out_of_its_result(site: Site, run: Run) -> None:
    same = {"SECRET_KEY": SECRET, "ENCRYPTION_KEYS": KEY, "PORT": str(site.settings.port)}
    site.add_practice_app("slack-prod", "Northwind", "Development")
    program = Program(site, site.api_key("program", "Development"))
    name = program.creates().json()["identifier"]
    program.client.close()
    damage(site, "installations", "access_token")
    for command in (("list", "--json"), ("show", name)):
        result = run("connection", *command, **same)
        assert json.loads(result.stdout)
        assert "token_unreadable" in result.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("connection", "show", "nobody"), "Connection not found: nobody."),
        (("connection", "verify", "nobody"), "Connection not found: nobody."),
        (("connection", "disconnect", "nobody"), "Connection not found: nobody."),
        (("connection", "list", "--environment", "nope"), "Environment not found: nope."),
        (("integration", "add", "x", "--practice", "--environment", "nope"), "Environment not found: nope."),
        (("integration", "set", "nobody", "--name", "x"), "Integration not found: nobody."),
        (("integration", "remove", "nobody"), "Integration not found: nobody."),
        (("link", "create", "--integration", "nobody", "--subscriber", "x"), "Integration not found: nobody."),
        (("link", "create", "--integration", "slack-practice", "--subscriber", "x", "--environment", "nope"),
         "Environment not found: nope."),
        (("link", "revoke", "lnk_x"), "Usable link not found: lnk_x."),
        (("operator", "remove", "ada@northwind.test"), "Operator not found: ada@northwind.test."),
        (("api-key", "create", "x", "--environment", "nope"), "Environment not found: nope."),
        (("api-key", "list", "--environment", "nope"), "Environment not found: nope."),
        (("api-key", "revoke", "x"), "Usable API key not found: x."),
        (("environment", "set", "nope", "--unknown-subscribers", "create"), "Environment not found: nope."),
    ],
)  # fmt: skip
def test_unknown_names_are_reported_in_one_style(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    assert run(*arguments).stderr == f"Error: {sentence}\n"
