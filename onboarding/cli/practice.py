"""`practice clear` removes the data of practice mode; `demo-data` adds made-up connections to it."""

import sys

import click

from onboarding.cli.shell import (
    environment_option,
    is_interactive,
    json_option,
    open_runtime,
    print_result,
    shell_actor,
)
from onboarding.cli.usage import Group

group = Group("practice", help="The practice Slack.")


@group.command()
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def clear(yes: bool, as_json: bool) -> None:
    """Remove all practice integrations, in all environments.

    Their connections, links and attempts are removed, too.
    """
    if is_interactive() and not yes:
        click.confirm(
            "Remove every practice integration with its connections, links and attempts?", abort=True, err=True
        )
    with open_runtime() as runtime:
        runtime.environments.first()
        removed = runtime.practice.clear(shell_actor())
    print_result(as_json, {"removed": removed}, lambda: f"Practice integrations removed: {removed}.")


@click.command("demo-data")
@click.argument("number", type=click.IntRange(1, 1_000_000))
@environment_option
@json_option
def demo_data(number: int, environment: str, as_json: bool) -> None:
    """Add NUMBER made-up connections in practice mode.

    Their statuses differ, so that you can try the list. Their tokens are invalid. A reconnect link leads to their
    workspaces in the practice Slack. `practice clear` removes them.
    """
    with open_runtime() as runtime:
        done, batches = 0, runtime.demo_connections.create(environment, number)
        with click.progressbar(length=number, label="Adding connections", file=sys.stderr) as bar:
            for reached in batches:
                bar.update(reached - done)
                done = reached
    print_result(as_json, {"created": done}, lambda: f"Connections added: {done}.")
