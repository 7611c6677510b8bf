"""`practice clear`: remove the data of practice mode."""

import click

from onboarding.cli.shell import json_option, open_runtime, print_result, shell_actor

group = click.Group("practice", help="The practice Slack.")


@group.command()
@json_option
def clear(as_json: bool) -> None:
    """Remove the practice integrations of all environments, with their connections, links and attempts."""
    with open_runtime() as runtime:
        runtime.environments.first()
        removed = runtime.practice.clear(shell_actor())
    print_result(as_json, {"removed": removed}, lambda: f"Practice integrations removed: {removed}.")
