"""What all commands share: the runtime, one line for what goes wrong, and JSON where a program reads."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from onboarding import runtime, settings
from onboarding.errors import Problem, Refused, StorageProblem
from onboarding.services.environments import FIRST

_LIFE = re.compile(r"(\d{1,6})([mhd])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

environment_option = click.option("--environment", default=FIRST, show_default=True, help="The environment's name.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@contextmanager
def opened() -> Iterator[runtime.Runtime]:
    """The runtime; a problem of ours ends the command with one line and exit code 1."""
    with told():
        built = runtime.build(settings.from_environ())
        try:
            if built.environments.is_ready():
                runtime.check_keys(built, settings.keys_are_given())
            yield built
        finally:
            built.database.close()


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except StorageProblem as problem:
        raise click.ClickException(f"DATABASE_URL: {problem.sentence}") from None
    except Problem as problem:
        raise click.ClickException(problem.sentence) from None


def say(as_json: bool, members: dict[str, object], words: Callable[[], str]) -> None:
    click.echo(json.dumps(members) if as_json else words())


def lifetime(text: str) -> timedelta:
    """`30m`, `12h` or `7d`. Raises Refused."""
    found = _LIFE.match(text)
    if not found:
        raise Refused("--expires-in: write a number and m, h or d, such as 30m or 7d.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
