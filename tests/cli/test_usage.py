"""Commands that are called in the wrong way: one line with the command's name, and exit code 2."""

import subprocess
import sys

import pytest

from tests.cli.shell import ROOT, bare, onboarding

# Starting a process for each command is slow.
pytestmark = [pytest.mark.slow, pytest.mark.once]

_WRONG = [
    ("link create", "onboarding link create: Missing option '--integration'."),
    ("link create --integration x --mode both",
     "onboarding link create: Invalid value for '--mode': 'both' is not one of 'subscriber', 'shared'."),
    ("link create --integration", "onboarding link create: Option '--integration' requires an argument."),
    ("link create --foo", "onboarding link create: No such option '--foo'."),
    ("link revoke", "onboarding link revoke: Missing argument 'LINK_ID'."),
    ("link nope", "onboarding link: No such command 'nope'."),
    ("nope", "onboarding: No such command 'nope'."),
    ("--foo", "onboarding: No such option '--foo'."),
    ("attempt show", "onboarding attempt show: Missing argument 'REFERENCE'."),
    ("attempt show A B", "onboarding attempt show: Got unexpected extra argument (B)."),
    ("attempt show A \x1b[2J", "onboarding attempt show: Got unexpected extra argument (\\x1b[2J)."),
    ("web --workers 0", "onboarding web: Invalid value for '--workers': 0 is not in the range x>=1."),
    ("environment set", "onboarding environment set: Missing argument 'NAME'."),
    ("environment set Development", "onboarding environment set: Name what to change: --unknown-subscribers."),
    ("environment set Development --unknown-subscribers maybe",
     "onboarding environment set: Invalid value for '--unknown-subscribers': 'maybe' is not one of 'create', 'refuse'."),
    ("integration set acme",
     "onboarding integration set: Name at least one option to change."),
    ("operator add ada@northwind.test --role \x1b[2J",
     "onboarding operator add: Invalid value for '--role': '\\x1b[2J' is not one of 'operator', 'viewer'."),
]  # fmt: skip


def test_wrong_use_is_one_line_with_the_command_and_its_help() -> None:
    for arguments, fault in _WRONG:
        result = onboarding(bare(), *arguments.split(" "))
        command = fault.partition(":")[0]
        expected = (2, "", f"{fault} See `{command} --help`.\n")
        assert (result.returncode, result.stdout, result.stderr) == expected, arguments


def test_flask_reports_wrong_use_in_the_same_words() -> None:
    wrong = ["link", "create"]
    program = [sys.executable, "-m", "flask", "--app", "app", *wrong]
    flask = subprocess.run(program, cwd=ROOT, env=bare(), capture_output=True, text=True, check=False)
    assert (flask.returncode, flask.stdout, flask.stderr) == (2, "", onboarding(bare(), *wrong).stderr)


def test_group_without_a_command_prints_its_commands() -> None:
    for arguments in ((), ("link",)):
        result = onboarding(bare(), *arguments)
        assert (result.returncode, "Commands:" in result.stdout + result.stderr) == (2, True)
