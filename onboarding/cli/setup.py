"""`setup` brings a deployment to life; `sweep` does what is due."""

import click

from onboarding.cli.shell import json_option, opened, say
from onboarding.runtime import Runtime

PRACTICE_INTEGRATION = "slack-practice"
PRACTICE_NAME = "Northwind"


@click.command()
@json_option
def setup(as_json: bool) -> None:
    """Bring the database to the newest migration and make the first environment. Safe to repeat."""
    with opened() as runtime:
        name = set_up(runtime)
    say(as_json, {"environment": name}, lambda: f"Ready: environment {name}.")


@click.command()
@json_option
def sweep(as_json: bool) -> None:
    """Give back grants that waited too long, and end attempts whose process died. Web processes do so, too."""
    with opened() as runtime:
        ended = runtime.choosing.expire_overdue()
    say(as_json, {"ended": ended}, lambda: f"Attempts ended: {ended}.")


def set_up(runtime: Runtime) -> str:
    """The environment's name."""
    made = runtime.environments.set_up()
    if runtime.integrations.is_practice_on() and not runtime.integrations.all_of(made.id):
        runtime.integrations.add_practice(PRACTICE_INTEGRATION, PRACTICE_NAME, made.name)
    return made.name
