"""What all commands share: the runtime, one line for what goes wrong, and JSON where a program reads."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from onboarding import runtime, settings
from onboarding.errors import Problem
from onboarding.services.environments import FIRST

environment_option = click.option("--environment", default=FIRST, show_default=True, help="The environment's name.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@contextmanager
def opened() -> Iterator[runtime.Runtime]:
    """The runtime; a problem of ours ends the command with one line and exit code 1."""
    with told():
        built = runtime.build(settings.from_environ())
        try:
            yield built
        finally:
            built.database.close()


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        raise click.ClickException(problem.sentence) from None


def say(as_json: bool, members: dict[str, object], words: Callable[[], str]) -> None:
    click.echo(json.dumps(members) if as_json else words())


def moment(when: datetime) -> str:
    """ISO 8601, UTC, milliseconds, `Z`."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
