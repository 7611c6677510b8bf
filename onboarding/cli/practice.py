"""`practice clear`: remove what practice mode made."""

import click

from onboarding.cli.shell import json_option, opened, say

group = click.Group("practice", help="The practice Slack.")


@group.command()
@json_option
def clear(as_json: bool) -> None:
    """Remove every practice integration, of any environment, with its connections, links and attempts."""
    with opened() as runtime:
        runtime.environments.first()
        removed = runtime.integrations.clear_practice()
    say(as_json, {"removed": removed}, lambda: f"Practice integrations removed: {removed}.")
