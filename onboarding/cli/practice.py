"""`practice clear`: remove the data of practice mode."""

import click

from onboarding.cli.shell import is_interactive, json_option, open_runtime, print_result, shell_actor
from onboarding.cli.usage import Group

group = Group("practice", help="The practice Slack.")


@group.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def clear(yes: bool, as_json: bool) -> None:
    """Remove the practice integrations of all environments, with their connections, links and attempts."""
    if is_interactive() and not yes:
        click.confirm(
            "Remove every practice integration with its connections, links and attempts?", abort=True, err=True
        )
    with open_runtime() as runtime:
        runtime.environments.first()
        removed = runtime.practice.clear(shell_actor())
    print_result(as_json, {"removed": removed}, lambda: f"Practice integrations removed: {removed}.")
