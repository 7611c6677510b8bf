"""Shared by all commands: the runtime, the actor, one line for a problem, and JSON output for programs."""

import errno
import json
import os
import pwd
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from onboarding import logs, runtime, settings, start_checks
from onboarding.callers import SHELL, Actor, ActorKind
from onboarding.characters import escape, trim
from onboarding.errors import NotFound, NotSetUp, Problem, Refused, StorageProblem
from onboarding.services.environments import FIRST

_LIFETIME = re.compile(r"(\d{1,6})([mhd])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
#: The command or option that helps, by the problem's code. Services do not know the commands.
_HINTS = {
    NotSetUp.code: "Run `onboarding setup` first.",
    "origin_not_listed": "Allow it with `integration set IDENTIFIER --add-origin ORIGIN`.",
    "link_needs_customer": "Or use --open: an open link leaves the choice to the person who has it.",
}

environment_option = click.option("--environment", default=FIRST, show_default=True, help="The environment's name.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@contextmanager
def open_runtime() -> Iterator[runtime.Runtime]:
    """Build the runtime for one command. A problem ends the command with one line and exit code 1."""
    with problems_in_one_line():
        configured = settings.from_environ()
        # To standard error: a program reads the result from standard output.
        logs.configure(configured)
        built = runtime.build(configured)
        try:
            if built.environments.is_ready():
                start_checks.check_keys(built, settings.keys_are_given())
            yield built
        finally:
            built.database.close()


@contextmanager
def problems_in_one_line() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        variable = "DATABASE_URL:" if isinstance(problem, StorageProblem) else ""
        parts = filter(None, (variable, _sentence(problem), _HINTS.get(problem.code)))
        raise click.ClickException(escape(" ".join(parts))) from None


def shell_actor() -> Actor:
    """Return the operating system's user as the actor, such as `shell:alice`; `shell` for a user without a name."""
    try:
        return Actor(ActorKind.SHELL, pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:
        # A container may run with a user id that has no name.
        return SHELL


def print_result(as_json: bool, members: dict[str, object], text: Callable[[], str | Iterable[str]]) -> None:
    """Print one JSON object, or lines. Control characters are escaped: names come from Slack and customers."""
    if as_json:
        print_text(json.dumps(members))
        return
    shown = text()
    for line in [shown] if isinstance(shown, str) else shown:
        print_text(escape(line))


def print_text(text: str) -> None:
    """Print to standard output, with escapes for characters that its encoding lacks.

    Raises ClickException if it cannot be written, as on a full disk.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding))
    except OSError as fault:
        # click ends the command when the reader of a pipe has ended.
        if fault.errno == errno.EPIPE:
            raise
        # Python writes the rest when it exits, and would report the same fault again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.ClickException(f"Standard output cannot be written: {fault.strerror}.") from None


def is_interactive() -> bool:
    """Return whether a person answers at a terminal. Standard input may be closed."""
    return sys.stdin is not None and sys.stdin.isatty()


def read_secret(given: str, label: str) -> str:
    """Return the option's value. For `-`, ask on a terminal without showing what is typed, else read one line."""
    if given != "-":
        return given
    if is_interactive():
        typed: str = click.prompt(label, hide_input=True, err=True)
        return typed
    # A byte that is no UTF-8 becomes a character that no secret has.
    return sys.stdin.buffer.readline().decode(errors="replace") if sys.stdin is not None else ""


def parse_lifetime(text: str) -> timedelta:
    """Parse `30m`, `12h` or `7d`. Raises Refused."""
    found = _LIFETIME.match(text)
    if not found:
        raise Refused("--expires-in: write a number and m, h or d, such as 30m or 7d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def split_list(text: str) -> tuple[str, ...]:
    """Split a comma-separated option; empty parts are dropped."""
    return tuple(filter(None, (trim(one) for one in text.split(","))))


def _sentence(problem: Problem) -> str:
    """Return the problem's sentence; for an object that was not found, in the one style of all commands."""
    if not isinstance(problem, NotFound) or not problem.kind:
        return problem.sentence
    return f"{problem.kind} not found: {problem.name}."
